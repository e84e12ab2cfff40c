//! The command line, understood: from words to one value that says all that was asked for, with numbers in bounds, ports
//! listed, contradictions refused in the words of the dialect.
//!
//! Nothing is opened here. What the machine knows - services, variables, names of hosts, files of hosts - is asked of
//! [`Surroundings`], so that a test is a line of text.

mod access;
mod evidence;
mod flow;
mod numbers;
mod order;
mod ports;
mod proxy;
mod sockets;
mod task;
mod tls;

use std::io;
use std::net::IpAddr;
use std::path::Path;

use crate::proto::raw::Protocol;
use crate::proto::raw::lockstep::Checks;
use crate::reactor::resolver::{Family, ResolveError};
use crate::reactor::sockets::Settings;
use crate::wire::codes::Lang;
use crate::wire::services::Services;

use super::complaint::Complaint;
use super::dialect::Dialect;
use super::flags::Id;
use super::getopt::CommandLine;

pub use access::{Access, AddressList};
pub use evidence::{Dump, DumpFormat, Evidence};
pub use flow::{Direction, Flow, Idle, Timing};
pub use order::look_in_order;
pub use proxy::{Login, Lookup, Password, Proxy, ProxyProtocol, ProxyServer, ProxyServerKind};
pub use sockets::Carrier;
pub use task::{
    Callers, Connect, Listen, OnceConnected, Place, Program, Service, Source, Task, To,
};
pub use tls::{Begins, Check, Identity, Tls};

/// What was asked for.
#[derive(Clone, Debug)]
pub struct Options {
    /// Whose words are spoken.
    pub dialect: Dialect,
    /// How often `-v` was given.
    pub verbose: usize,
    /// What is to be done.
    pub task: Task,
    /// What carries it.
    pub carrier: Carrier,
    /// Which addresses are wanted.
    pub family: Family,
    /// Whether names are looked up.
    pub names: Names,
    /// What is asked of the socket.
    pub socket: Settings,
    /// Segments are signed (-S), with a key that is still to be asked for.
    pub tcp_md5: bool,
    /// When things end.
    pub timing: Timing,
    /// How octets pass.
    pub flow: Flow,
    /// TLS.
    pub tls: Tls,
    /// Mail mode.
    pub mail: Option<Mail>,
    /// What is written down.
    pub evidence: Evidence,
}

/// Whether names of hosts and ports are looked up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Names {
    /// They are.
    LookedUp,
    /// Addresses and numbers only.
    Numeric,
}

/// Mail mode: lines are sent in lock step with the replies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mail {
    /// What is spoken; told by the greeting where it is `None`.
    pub protocol: Option<Protocol>,
    /// The language in which replies are explained, if they are.
    pub explain: Option<Lang>,
    /// What follows from the end of stdin, where no time was said.
    pub stay: Stay,
    /// Which expectations of a script are told of.
    pub checks: Checks,
}

/// What follows from the end of stdin, when all is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stay {
    /// It is over.
    UntilAnswered,
    /// The server has the last word: a negative `-q`.
    UntilClosed,
}

/// The addresses of a host, or why there are none.
pub type Found = Result<Vec<IpAddr>, ResolveError>;

/// What the machine knows.
#[derive(Clone, Copy)]
pub struct Surroundings<'a> {
    /// Names of ports.
    pub services: &'a Services,
    /// The language of the environment.
    pub lang: Lang,
    /// A variable of the environment.
    pub variable: &'a dyn Fn(&str) -> Option<String>,
    /// The addresses of a host; with `-n` only those that it spells.
    pub resolve: &'a dyn Fn(&str, Family) -> Found,
    /// The text of a file.
    pub read: &'a dyn Fn(&Path) -> io::Result<String>,
}

impl Options {
    /// Understands a command line.
    ///
    /// # Errors
    /// What makes no sense, in the dialect's words.
    pub fn of(
        dialect: Dialect,
        line: &CommandLine,
        surroundings: &Surroundings<'_>,
    ) -> Result<Self, Complaint> {
        refuse_what_is_not_here(line)?;
        let carrier = Carrier::of(line);
        let family = sockets::family(line);
        let timing = Timing::of(dialect, line)?;
        let flow = Flow::of(dialect, line)?;
        let socket = sockets::settings(dialect, line, family, surroundings)?;
        let task = Task::of(dialect, line, surroundings)?;
        let options = Self {
            dialect,
            verbose: line.count(Id::Verbose),
            carrier,
            family,
            names: match line.has(Id::Numeric) {
                true => Names::Numeric,
                false => Names::LookedUp,
            },
            socket,
            tcp_md5: line.has(Id::TcpMd5),
            timing,
            flow,
            tls: Tls::of(line)?,
            mail: mail(line, surroundings)?,
            evidence: Evidence::of(line)?,
            task,
        };
        options.contradictions()?;
        Ok(options)
    }

    fn contradictions(&self) -> Result<(), Complaint> {
        // What is only typed may be typed in vain.
        let with_tls = !matches!(self.tls.begins, Begins::Never | Begins::WhenAgreed);
        if with_tls && self.carrier.is_unix() {
            return Err(Complaint::refused(
                "SSL option not supported when using Unix domain sockets.",
            ));
        }
        if with_tls && self.carrier == Carrier::Udp {
            return Err(Complaint::refused("TLS over UDP (DTLS) is not supported."));
        }
        let is_called = matches!(self.task, Task::Listen(_));
        if is_called && matches!(self.tls.begins, Begins::After(_)) {
            return Err(Complaint::refused(
                "--starttls is for calling; `mailtool serve` is a server that upgrades",
            ));
        }
        let Some(mail) = self.mail else {
            return Ok(());
        };
        match &self.task {
            Task::Listen(_) => Err(Complaint::refused(
                "--mail is for calling a server; `mailtool serve` is one",
            )),
            Task::Connect(_) if self.carrier != Carrier::Tcp && !self.carrier.is_unix() => Err(
                Complaint::refused("--mail needs a stream: TCP, or a UNIX socket"),
            ),
            Task::Connect(connect) if connect.once_connected != OnceConnected::Talk => Err(
                Complaint::refused("--mail talks: it goes with none of -z, -e, -c and -F"),
            ),
            Task::Connect(_) => match (self.tls.begins, mail.protocol) {
                (Begins::After(upgrade), Some(protocol)) if upgrade != protocol => {
                    Err(Complaint::refused(
                        "--starttls upgrades another protocol than the one that is to be spoken",
                    ))
                }
                _ => Ok(()),
            },
        }
    }
}

/// Options that are known by name only.
fn refuse_what_is_not_here(line: &CommandLine) -> Result<(), Complaint> {
    for (id, what) in [
        (
            Id::Sctp,
            "--sctp is not supported: TCP, UDP, DCCP and UNIX sockets are.",
        ),
        (
            Id::Vsock,
            "--vsock is not supported: TCP, UDP, DCCP and UNIX sockets are.",
        ),
        (
            Id::LuaExec,
            "--lua-exec is not supported: there is no Lua in this program, but --exec runs yours.",
        ),
    ] {
        if line.has(id) && exec_count(line) <= 1 {
            return Err(Complaint::refused(what));
        }
    }
    match line.text(Id::NsockEngine).as_deref() {
        None | Some("epoll" | "poll" | "select") => Ok(()),
        Some(engine) => Err(Complaint::Refused(format!(
            "Unknown or non-available engine: {engine}."
        ))),
    }
}

fn exec_count(line: &CommandLine) -> usize {
    [Id::Exec, Id::ShellExec, Id::LuaExec]
        .map(|id| line.count(id))
        .iter()
        .sum()
}

fn mail(line: &CommandLine, surroundings: &Surroundings<'_>) -> Result<Option<Mail>, Complaint> {
    let protocols = [
        (Id::Smtp, Protocol::Smtp),
        (Id::Lmtp, Protocol::Lmtp),
        (Id::Pop3, Protocol::Pop3),
        (Id::Imap, Protocol::Imap),
    ];
    let mut forced = protocols.iter().filter(|(id, _)| line.has(*id));
    let protocol = forced.next().map(|(_, protocol)| *protocol);
    if forced.next().is_some() {
        return Err(Complaint::refused(
            "Only one of --smtp, --lmtp, --pop3 and --imap is spoken at a time.",
        ));
    }
    let explain = match line.text(Id::Explain).as_deref() {
        None => None,
        Some("") => Some(surroundings.lang),
        Some("en") => Some(Lang::En),
        Some("fr") => Some(Lang::Fr),
        Some(other) => {
            return Err(Complaint::Refused(format!(
                "--explain={other}: it knows English (en) and French (fr)"
            )));
        }
    };
    let checks = match line.has(Id::Check) {
        true => Checks::All,
        false => Checks::First,
    };
    let is_mail =
        line.has(Id::Mail) || protocol.is_some() || explain.is_some() || checks == Checks::All;
    // Whoever upgrades a protocol by name speaks it, also where the greeting came before TLS.
    let protocol = protocol.or(match (is_mail, line.text(Id::StartTls).as_deref()) {
        (true, Some("smtp")) => Some(Protocol::Smtp),
        (true, Some("lmtp")) => Some(Protocol::Lmtp),
        (true, Some("pop3")) => Some(Protocol::Pop3),
        (true, Some("imap")) => Some(Protocol::Imap),
        _ => None,
    });
    let stay = match line.text(Id::QuitAfter) {
        Some(seconds) if seconds.starts_with('-') => Stay::UntilClosed,
        _ => Stay::UntilAnswered,
    };
    Ok(is_mail.then_some(Mail {
        protocol,
        explain,
        stay,
        checks,
    }))
}

#[cfg(test)]
mod tests;
