//! Help, usage and version in the form of each dialect.
//!
//! `-h` of openbsd is Debian's to the letter, because scripts decide by it which netcat this is; that of ncat and traditional is
//! drawn from the table of flags in the form that theirs has, for scripts look there whether an option exists. `--help` of the
//! openbsd dialect is that of the other applets: all options, long names, examples.

use std::fmt::Write;

use clap::Command;

use super::dialect::Dialect;
use super::flags::{self, Flag, Origin, Takes, Visibility};

/// As Debian's nc prints it. OpenSSH's and libvirt's scripts look for words of it.
pub const OPENBSD_USAGE: &str = "\
usage: nc [-46CDdFhklNnrStUuvZz] [-I length] [-i interval] [-M ttl]
\t  [-m minttl] [-O length] [-P proxy_username] [-p source_port]
\t  [-q seconds] [-s sourceaddr] [-T keyword] [-V rtable] [-W recvlimit]
\t  [-w timeout] [-X proxy_protocol] [-x proxy_address[:port]]
\t  [destination] [port]
";

/// As netcat-traditional prints it.
pub const TRADITIONAL_USAGE: &str = "nc -h for help";

/// What `--version` says in the openbsd dialect, and the first line of `-h`.
pub const OPENBSD_VERSION: &str = concat!(
    "OpenBSD netcat (mailtool ",
    env!("CARGO_PKG_VERSION"),
    ", as Debian patchlevel 1.219-1)\n"
);

/// As Debian's nc prints it.
const OPENBSD_HELP: &str = "\
\tCommand Summary:
\t\t-4\t\tUse IPv4
\t\t-6\t\tUse IPv6
\t\t-b\t\tAllow broadcast
\t\t-C\t\tSend CRLF as line-ending
\t\t-D\t\tEnable the debug socket option
\t\t-d\t\tDetach from stdin
\t\t-F\t\tPass socket fd
\t\t-h\t\tThis help text
\t\t-I length\tTCP receive buffer length
\t\t-i interval\tDelay interval for lines sent, ports scanned
\t\t-k\t\tKeep inbound sockets open for multiple connects
\t\t-l\t\tListen mode, for inbound connects
\t\t-M ttl\t\tOutgoing TTL / Hop Limit
\t\t-m minttl\tMinimum incoming TTL / Hop Limit
\t\t-N\t\tShutdown the network socket after EOF on stdin
\t\t-n\t\tSuppress name/port resolutions
\t\t-O length\tTCP send buffer length
\t\t-P proxyuser\tUsername for proxy authentication
\t\t-p port\t\tSpecify local port for remote connects
\t\t-q secs\t\tquit after EOF on stdin and delay of secs
\t\t-r\t\tRandomize remote ports
\t\t-S\t\tEnable the TCP MD5 signature option
\t\t-s sourceaddr\tLocal source address
\t\t-T keyword\tTOS value
\t\t-t\t\tAnswer TELNET negotiation
\t\t-U\t\tUse UNIX domain socket
\t\t-u\t\tUDP mode
\t\t-V rtable\tSpecify alternate routing table
\t\t-v\t\tVerbose
\t\t-W recvlimit\tTerminate after receiving a number of packets
\t\t-w timeout\tTimeout for connects and final net reads
\t\t-X proto\tProxy protocol: \"4\", \"5\" (SOCKS) or \"connect\"
\t\t-x addr[:port]\tSpecify proxy address and port
\t\t-Z\t\tDCCP mode
\t\t-z\t\tZero-I/O mode [used for scanning]
\tPort numbers can be individual or ranges: lo-hi [inclusive]
";

/// The version of ncat whose dialect this is, and which program says so. Scripts take the number behind `Version`.
pub fn ncat_version() -> String {
    format!("Version {NCAT} ( mailtool {} )", env!("CARGO_PKG_VERSION"))
}

/// It has -q, and leaves when its peer does.
const NCAT: &str = "7.96";

/// The first line of `-h`, and what `--version` says, in the traditional dialect.
pub const TRADITIONAL_VERSION: &str = concat!(
    "[v1.10, as mailtool ",
    env!("CARGO_PKG_VERSION"),
    " speaks it]\n"
);

/// What `-h` prints in the openbsd dialect, on stderr.
pub fn openbsd() -> String {
    format!("{OPENBSD_VERSION}{OPENBSD_USAGE}{OPENBSD_HELP}")
}

/// What `-h` and `--help` print in the ncat dialect, on stdout.
pub fn ncat() -> String {
    let mut text = format!(
        "Ncat {NCAT} ( mailtool {} )\nUsage: ncat [options] [hostname] [port]\n\n\
         A TIME is in seconds, or with a unit: 500ms, 2s, 1m, 1h.\n",
        env!("CARGO_PKG_VERSION")
    );
    for (origin, title) in [
        (Origin::Ncat, ""),
        (Origin::Own, "\nWhat only mailtool has:\n"),
    ] {
        text += title;
        for flag in shown(Dialect::Ncat).filter(|flag| flag.origin == origin) {
            let letter = match flag.letter(Dialect::Ncat) {
                Some(letter) => format!("-{letter}"),
                None => String::new(),
            };
            let long = if flag.has_long { flag.name } else { "" };
            let between = match (letter.as_str(), long) {
                ("", _) => "    --",
                (_, "") => "",
                _ => ", --",
            };
            let head = format!("  {letter}{between}{long}{}", value(flag));
            lay_out(&mut text, &head, 29, flag.help);
        }
    }
    text + "\nThe manual, with the differences from Nmap's ncat: mailtool man nc\n"
}

/// What `-h` prints in the traditional dialect, on stderr.
pub fn traditional() -> String {
    let mut text = format!(
        "{TRADITIONAL_VERSION}\
         connect to somewhere:\tnc [-options] hostname port[s] [ports] ...\n\
         listen for inbound:\tnc -l -p port [-options] [hostname] [port]\noptions:\n"
    );
    let letter = |flag: &Flag| flag.letter(Dialect::Traditional);
    let mut flags: Vec<&Flag> = shown(Dialect::Traditional).collect();
    flags.retain(|flag| letter(flag).is_some());
    flags.sort_by_key(|flag| letter(flag));
    for flag in flags {
        let letter = letter(flag).unwrap_or_default();
        let head = format!("\t-{letter}{}", value(flag));
        lay_out(&mut text, &head, 24, flag.help);
    }
    text + "port numbers can be individual or ranges: lo-hi [inclusive];\n\
            hyphens in port names must be backslash escaped (e.g. 'ftp\\-data').\n\
            long options are those of the other dialects: --help\n"
}

fn shown(dialect: Dialect) -> impl Iterator<Item = &'static Flag> {
    flags::all()
        .filter(|flag| flag.visibility == Visibility::Shown)
        .filter(move |flag| flag.exists_in(dialect))
}

fn value(flag: &Flag) -> String {
    match flag.takes {
        Takes::Nothing => String::new(),
        Takes::Value(name) => format!(" <{}>", name.to_ascii_lowercase()),
        Takes::Perhaps(name) => format!("[=<{}>]", name.to_ascii_lowercase()),
    }
}

/// `head` and behind it `help`, from `column` on, in lines of 80 letters.
fn lay_out(text: &mut String, head: &str, column: usize, help: &str) {
    let width = head.chars().count() + 7 * head.matches('\t').count();
    text.push_str(head);
    let mut at = width;
    if width >= column {
        text.push('\n');
        at = 0;
    }
    // Writing to a string cannot fail.
    let _ = write!(text, "{:1$}", "", column - at);
    at = column;
    for (number, word) in help.split(' ').enumerate() {
        if at > column && at + 1 + word.len() > 79 {
            let _ = write!(text, "\n{:1$}", "", column);
            at = column;
        } else if number > 0 {
            text.push(' ');
            at += 1;
        }
        text.push_str(word);
        at += word.len();
    }
    text.push('\n');
}

/// The options of a dialect for clap: what `mailtool help nc`, the manual and completions are made of.
pub fn command(dialect: Dialect) -> Command {
    let (usage, name) = match dialect {
        Dialect::OpenBsd => (
            "mailtool nc [OPTIONS] HOST PORT...\n       mailtool nc -l [OPTIONS] [HOST] PORT\n       \
             mailtool nc -U [OPTIONS] PATH",
            "nc",
        ),
        Dialect::Ncat => ("ncat [OPTIONS] [HOST] [PORT]", "ncat"),
        Dialect::Traditional => (
            "nc.traditional [OPTIONS] HOST PORT...\n       nc.traditional -l -p PORT [OPTIONS] [HOST] [PORT]",
            "nc.traditional",
        ),
    };
    let command = Command::new(name)
        .about("Read and write over TCP, UDP and UNIX sockets; talk to mail servers")
        .long_about(
            "Connects stdin and stdout to HOST at PORT, or, with -l, to the first who calls. Letters, messages and exit \
             codes are those of Debian's nc (OpenBSD). Called as ncat, or with --compat=ncat, they are those of Nmap's \
             ncat; --compat=traditional stands for netcat-traditional. Long options work in all of them.",
        )
        .override_usage(usage)
        .after_help(AFTER_HELP);
    flags::with_flags(command, dialect).arg(
        clap::Arg::new("operands")
            .num_args(0..)
            .value_names(["HOST", "PORT"])
            .help("Host, then ports: numbers, ranges (20-25), names of services"),
    )
}

const AFTER_HELP: &str = "\
Exit code: 0 when it went well (with several ports: when one of them is open), else 1; as ncat, 2 where the command line \
cannot be obeyed; 3 when a script in mail mode was answered otherwise than it expects.

TIME is in seconds, or with a unit: 500ms, 2s, 1m, 1h.

Examples:
  mailtool nc 127.0.0.1 1025              talk to a mail server
  mailtool nc --mail 127.0.0.1 1025 <FILE each line when the last is answered
  mailtool nc --explain 127.0.0.1 1025    what do its replies mean?
  mailtool nc --starttls smtp HOST 587    encrypted by STARTTLS
  mailtool nc -zv 127.0.0.1 20-30 smtp    see which ports are open
  mailtool nc -l 4000 >file               receive a file
  mailtool nc -N host 4000 <file          send it";

#[cfg(test)]
mod tests {
    use super::*;

    /// What scripts look for: `ncat --help | grep -q -- --ssl`, and the like.
    #[test]
    fn every_option_that_ncats_help_names_is_in_ours() {
        let help = ncat();
        for name in [
            "-4",
            "-6",
            "-U, --unixsock",
            "-C, --crlf",
            "-c, --sh-exec <command>",
            "-e, --exec <command>",
            "-g <hop[,hop...]>",
            "-G <pointer>",
            "-m, --max-conns <number>",
            "-h, --help",
            "-d, --delay <time>",
            "-o, --output <file>",
            "-x, --hex-dump <file>",
            "-i, --idle-timeout <time>",
            "-p, --source-port <port>",
            "-s, --source <address>",
            "-l, --listen",
            "-k, --keep-open",
            "-n, --nodns",
            "-t, --telnet",
            "-u, --udp",
            "-v, --verbose",
            "-w, --wait <time>",
            "-z",
            "--append-output",
            "--send-only",
            "--recv-only",
            "--no-shutdown",
            "-q <seconds>",
            "--allow <host[,host...]>",
            "--allowfile <file>",
            "--deny <host[,host...]>",
            "--denyfile <file>",
            "--broker",
            "--chat",
            "--proxy <host[:port]>",
            "--proxy-type <type>",
            "--proxy-auth <user[:password]>",
            "--proxy-dns <who>",
            "--ssl ",
            "--ssl-cert <file>",
            "--ssl-key <file>",
            "--ssl-verify",
            "--ssl-trustfile <file>",
            "--ssl-ciphers <list>",
            "--ssl-servername <name>",
            "--ssl-alpn <list>",
            "--version",
        ] {
            let is_there = help.lines().any(|line| line.trim_start().starts_with(name));
            assert!(is_there, "{name}:\n{help}");
        }
        assert!(help.starts_with("Ncat 7.96 ( mailtool "));
        assert!(help.contains("\nUsage: ncat [options] [hostname] [port]\n"));
    }

    #[test]
    fn help_fits_a_terminal() {
        for help in [ncat(), traditional()] {
            for line in help.lines() {
                let width = line.chars().count() + 7 * line.matches('\t').count();
                assert!(width <= 80, "{line}");
            }
        }
    }

    #[test]
    fn the_two_probes_of_other_peoples_scripts() {
        assert!(openbsd().contains("proxy address"), "OpenSSH's tests");
        let usage = super::super::getopt::error::GetoptError::LetterNeedsValue('q');
        assert!(
            usage.to_string().contains("requires an argument"),
            "libvirt"
        );
    }
}
