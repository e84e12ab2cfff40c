//! `mailtool nc`: reads and writes over the network. Debian's nc (OpenBSD's, 1.219), letter for letter in what it prints and
//! how it exits, because scripts look for both.
//!
//! `options` understands the command line, `connect` is the client, `listen` the server; who ends when is decided in
//! [`crate::proto::raw`], and octets are moved by [`crate::reactor::relay`]. What deliberately differs:
//!
//! | | Debian's nc | here, and why |
//! |---|---|---|
//! | `-q` | counts from the peer's end | counts from the end of input, as its manual says |
//! | the peer closes, input is a terminal | waits for input | leaves |
//! | the connection is reset | exit code 0 | 1: something may be lost |
//! | stdout's reader goes away | stays | 1, quietly |
//! | `-zu` without -v | does not look | looks |
//! | `-l 99999` | listens at 34463 | `port number too large` |
//! | `-luk` | cannot answer | answers who was heard last |
//! | an empty datagram | ends the conversation | does not |
//! | two listeners on one port | share it | the second one is told that it is in use |

mod connect;
mod listen;
mod options;

use std::env;
use std::fmt;
use std::fs;
use std::io::{self, Write};
use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Arg, ArgAction, ArgMatches, Command};

use crate::proto::raw::{Crlf, Pace};
use crate::reactor::relay::Manner;
use crate::reactor::resolver::Resolver;
use crate::reactor::stdio::{Input, Output};
use crate::wire::resolv::ResolvConf;
use crate::wire::services::Services;

use options::{Options, Task};

/// The options.
pub fn command() -> Command {
    let flag = |letter: &'static str, help: &'static str| {
        Arg::new(letter)
            .short(letter.chars().next())
            .action(ArgAction::SetTrue)
            .help(help)
    };
    let value = |letter: &'static str, name: &'static str, help: &'static str| {
        Arg::new(letter)
            .short(letter.chars().next())
            .value_name(name)
            .allow_hyphen_values(true)
            .help(help)
    };
    let later = |letter: &'static str| {
        Arg::new(letter)
            .short(letter.chars().next())
            .hide(true)
            .action(ArgAction::SetTrue)
    };
    Command::new("nc")
        .about("Read and write over TCP and UDP: connect, listen, probe ports")
        .long_about(
            "Connects stdin and stdout to HOST at PORT, or, with -l, to the first who calls. \
             Options, messages and exit codes are those of Debian's nc (OpenBSD). Called as ncat it \
             speaks the same dialect: options that only Nmap's ncat has, such as --ssl, are not known.",
        )
        .override_usage(
            "mailtool nc [-46bCdhklNnruvz] [OPTIONS] HOST PORT...\n       mailtool nc -l [OPTIONS] [HOST] PORT",
        )
        .disable_help_flag(true)
        .args_override_self(true)
        .args([
            flag("4", "Use IPv4").overrides_with("6"),
            flag("6", "Use IPv6"),
            flag("b", "Allow broadcast"),
            flag("C", "Send CRLF as line-ending"),
            flag("d", "Do not read from stdin"),
            flag("h", "Print a short help in the words of OpenBSD's nc"),
            value("I", "OCTETS", "TCP receive buffer"),
            value("i", "SECONDS", "Wait between lines sent, and between ports"),
            flag("k", "Keep listening for further connections, one after another"),
            flag("l", "Listen for a connection"),
            value("M", "TTL", "Outgoing TTL or hop limit"),
            flag("N", "Shut the connection down for writing at the end of stdin"),
            flag("n", "Do not look up names"),
            value("O", "OCTETS", "TCP send buffer"),
            value("p", "PORT", "Source port; with -l, the port to listen at"),
            value("q", "SECONDS", "Leave so long after the end of stdin; implies -N"),
            flag("r", "Try the ports in random order"),
            value("s", "ADDRESS", "Source address"),
            flag("u", "UDP"),
            flag("v", "Tell what happens, on stderr").action(ArgAction::Count),
            value("W", "NUMBER", "Leave after receiving so often"),
            value("w", "SECONDS", "Give up connecting, or waiting for octets, after so long"),
            flag("z", "Only see who listens"),
            later("D"),
            later("F"),
            later("S"),
            later("t"),
            later("U"),
            later("Z"),
        ])
        .args(["m", "P", "T", "V", "X", "x"].map(|letter| value(letter, "VALUE", "").hide(true)))
        .arg(
            Arg::new("help")
                .long("help")
                .action(ArgAction::HelpLong)
                .help("Print this help"),
        )
        .arg(
            Arg::new("operands")
                .num_args(0..)
                .value_names(["HOST", "PORT"])
                .help("Host, then ports: numbers, ranges (20-25), names of services"),
        )
        .after_help(
            "Exit code: 0 when it went well (with several ports: when one of them is open), else 1.\n\n\
             Examples:\n  \
             mailtool nc 127.0.0.1 1025            talk to a mail server\n  \
             mailtool nc -C 127.0.0.1 1025         with CRLF, as the standards want it\n  \
             mailtool nc -zv 127.0.0.1 20-30 smtp  see which ports are open\n  \
             mailtool nc -l 4000 >file             receive a file\n  \
             mailtool nc -N host 4000 <file        send it",
        )
}

/// Runs it.
pub fn run(matches: &ArgMatches) -> anyhow::Result<u8> {
    if matches.get_flag("h") {
        eprint(&format!("{VERSION}{USAGE}{HELP}"));
        return Ok(0);
    }
    let services = Services::parse(&text_of("/etc/services"));
    let result = Options::parse(matches, &services).and_then(|options| {
        let mut netcat = Netcat::new(options, services)?;
        match netcat.options.task {
            Task::Connect { .. } => netcat.connect(),
            Task::Listen { .. } => netcat.listen(),
        }
    });
    Ok(result.unwrap_or_else(|complaint| {
        match complaint {
            Complaint::Usage => eprint(USAGE),
            Complaint::Because(text) => say(&text),
        }
        1
    }))
}

/// Says what is wrong with the command line as getopt(3) does; prints the help that was asked for.
pub fn refuse(error: &clap::Error) -> u8 {
    if !error.use_stderr() {
        // A reader of help that went away misses nothing.
        let _ = error.print();
        return 0;
    }
    let argument = match error.get(ContextKind::InvalidArg) {
        Some(ContextValue::String(argument)) => argument.as_str(),
        _ => "",
    };
    let letter = argument.trim_start_matches('-').chars().next();
    match (error.kind(), letter) {
        (ErrorKind::UnknownArgument, _) if argument.starts_with("--") => {
            say(&format!("unrecognized option '{argument}'"));
        }
        (ErrorKind::UnknownArgument, Some(letter)) => say(&format!("invalid option -- '{letter}'")),
        (ErrorKind::InvalidValue, Some(letter)) => {
            say(&format!("option requires an argument -- '{letter}'"));
        }
        _ => say(error.to_string().trim_end()),
    }
    eprint(USAGE);
    if called() == "ncat" {
        eprint(NO_NCAT);
    }
    1
}

/// What stops it: a message on stderr, and exit code 1.
#[derive(Debug)]
enum Complaint {
    /// How it is called.
    Usage,
    /// What went wrong.
    Because(String),
}

impl Complaint {
    fn because(text: impl fmt::Display) -> Self {
        Self::Because(text.to_string())
    }
}

impl From<io::Error> for Complaint {
    fn from(error: io::Error) -> Self {
        Self::Because(reason(&error))
    }
}

/// The running program: what was asked for, and the user's ends, which outlive a conversation.
struct Netcat {
    options: Options,
    services: Services,
    input: Input,
    output: Output,
}

impl Netcat {
    fn new(options: Options, services: Services) -> Result<Self, Complaint> {
        Ok(Self {
            input: if options.reads_input() {
                Input::stdin()?
            } else {
                Input::none()
            },
            output: Output::stdout()?,
            options,
            services,
        })
    }

    /// -v
    fn tell(&self, text: fmt::Arguments<'_>) {
        if self.options.verbose {
            eprint(&format!("{text}\n"));
        }
    }

    /// An address and a port, as -v shows them.
    fn shown(&self, address: SocketAddr) -> String {
        let name = if self.options.numeric || !self.options.verbose {
            None
        } else {
            quick_resolver().reverse(address.ip())
        };
        let host = name.unwrap_or_else(|| address.ip().to_string());
        format!("{host} {}", address.port())
    }

    fn manner(&self) -> Manner {
        Manner {
            crlf: self.options.crlf.then(Crlf::default),
            pace: self.options.interval.map(Pace::new),
            receive_at_most: self.options.receive_at_most,
        }
    }
}

/// A name in a message is worth no long wait: one server, one second.
fn quick_resolver() -> Resolver {
    let resolver = Resolver::from_system();
    Resolver {
        conf: ResolvConf {
            timeout: Duration::from_secs(1),
            attempts: 1,
            servers: resolver.conf.servers.into_iter().take(1).collect(),
            ..resolver.conf
        },
        hosts: resolver.hosts,
    }
}

fn text_of(path: &str) -> String {
    String::from_utf8_lossy(&fs::read(path).unwrap_or_default()).into_owned()
}

/// What errno says, without Rust's `(os error 111)`.
fn reason(error: &io::Error) -> String {
    let text = error.to_string();
    match text.rfind(" (os error ") {
        Some(end) => text[..end].to_owned(),
        None => text,
    }
}

/// `nc: text`; a link's own name where it was called by one.
fn say(text: &str) {
    eprint(&format!("{}: {text}\n", called()));
}

/// The name that it was called by, if it is one of its own; else `nc`.
fn called() -> String {
    let called = env::args_os().next().unwrap_or_default();
    let called = Path::new(&called).file_name().unwrap_or_default();
    let called = called.to_string_lossy();
    match super::find(&called) {
        Some(_) => called.into_owned(),
        None => "nc".to_owned(),
    }
}

/// Nobody is left to tell when stderr is gone.
fn eprint(text: &str) {
    let _ = io::stderr().write_all(text.as_bytes());
}

const VERSION: &str = concat!(
    "OpenBSD netcat (mailtool ",
    env!("CARGO_PKG_VERSION"),
    ", as Debian patchlevel 1.219-1)\n"
);

/// As Debian's nc prints it. OpenSSH's and libvirt's scripts look for words of it.
const USAGE: &str = "\
usage: nc [-46CDdFhklNnrStUuvZz] [-I length] [-i interval] [-M ttl]
\t  [-m minttl] [-O length] [-P proxy_username] [-p source_port]
\t  [-q seconds] [-s sourceaddr] [-T keyword] [-V rtable] [-W recvlimit]
\t  [-w timeout] [-X proxy_protocol] [-x proxy_address[:port]]
\t  [destination] [port]
";

/// Who calls ncat may mean Nmap's.
const NO_NCAT: &str = "\
This ncat speaks the dialect of OpenBSD's nc, not Nmap's: `ncat --help` shows its options.
";

/// As Debian's nc prints it, and which of it is not there.
const HELP: &str = "\
\tCommand Summary:
\t\t-4\t\tUse IPv4
\t\t-6\t\tUse IPv6
\t\t-b\t\tAllow broadcast
\t\t-C\t\tSend CRLF as line-ending
\t\t-D\t\tEnable the debug socket option (not available)
\t\t-d\t\tDetach from stdin
\t\t-F\t\tPass socket fd (not available)
\t\t-h\t\tThis help text
\t\t-I length\tTCP receive buffer length
\t\t-i interval\tDelay interval for lines sent, ports scanned
\t\t-k\t\tKeep inbound sockets open for multiple connects
\t\t-l\t\tListen mode, for inbound connects
\t\t-M ttl\t\tOutgoing TTL / Hop Limit
\t\t-m minttl\tMinimum incoming TTL / Hop Limit (not available)
\t\t-N\t\tShutdown the network socket after EOF on stdin
\t\t-n\t\tSuppress name/port resolutions
\t\t-O length\tTCP send buffer length
\t\t-P proxyuser\tUsername for proxy authentication (not available)
\t\t-p port\t\tSpecify local port for remote connects
\t\t-q secs\t\tquit after EOF on stdin and delay of secs
\t\t-r\t\tRandomize remote ports
\t\t-S\t\tEnable the TCP MD5 signature option (not available)
\t\t-s sourceaddr\tLocal source address
\t\t-T keyword\tTOS value (not available)
\t\t-t\t\tAnswer TELNET negotiation (not available)
\t\t-U\t\tUse UNIX domain socket (not available)
\t\t-u\t\tUDP mode
\t\t-V rtable\tSpecify alternate routing table (not available)
\t\t-v\t\tVerbose
\t\t-W recvlimit\tTerminate after receiving a number of packets
\t\t-w timeout\tTimeout for connects and final net reads
\t\t-X proto\tProxy protocol: \"4\", \"5\" (SOCKS) or \"connect\" (not available)
\t\t-x addr[:port]\tSpecify proxy address and port (not available)
\t\t-Z\t\tDCCP mode (not available)
\t\t-z\t\tZero-I/O mode [used for scanning]
\tPort numbers can be individual or ranges: lo-hi [inclusive]
";
