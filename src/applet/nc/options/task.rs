//! What is to be done: which operand is what, as each dialect decides it.
//!
//! | | openbsd | ncat | traditional |
//! |---|---|---|---|
//! | calling | `HOST PORT...` | `HOST [PORT]`, 31337 | `HOST PORT...` |
//! | listening | `[HOST] PORT`; or `-s HOST -p PORT` | `[HOST] [PORT]`, or `-p PORT [HOST]` | `-p PORT`; operands tell who may call |
//! | UNIX | `PATH` | `PATH` | |

use std::ffi::{OsStr, OsString};
use std::hash::{BuildHasher, RandomState};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::time::Duration;

use crate::applet::nc::complaint::Complaint;
use crate::applet::nc::dialect::Dialect;
use crate::applet::nc::flags::Id;
use crate::applet::nc::getopt::CommandLine;

use super::access::Access;
use super::numbers::{atoi, time};
use super::ports::PortReader;
use super::proxy::{self, Proxy, ProxyServer};
use super::sockets::{Carrier, unix_name};
use super::{Surroundings, exec_count};
use crate::reactor::sockets::UnixName;

/// What is to be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Task {
    /// Call.
    Connect(Connect),
    /// Wait for callers.
    Listen(Listen),
}

/// A call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Connect {
    /// Whom.
    pub to: To,
    /// What then.
    pub once_connected: OnceConnected,
    /// Through whom, the first to be called first.
    pub proxies: Vec<Proxy>,
    /// Try again until somebody listens, for so long.
    pub wait_port: Option<Duration>,
}

/// Whom to call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum To {
    /// A host, at each of these ports.
    Ports {
        /// Its name or address.
        host: String,
        /// Never none.
        ports: Vec<u16>,
        /// Where from.
        source: Source,
    },
    /// A UNIX socket.
    Unix {
        /// Its name.
        name: UnixName,
        /// The name of ours, for datagrams; one of our own making where it is `None`.
        source: Option<UnixName>,
    },
}

/// Where to call from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Source {
    /// An address or its name.
    pub address: Option<String>,
    /// 0 is any that is free.
    pub port: u16,
}

/// What is done with a connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OnceConnected {
    /// Stdin and stdout talk to it.
    Talk,
    /// Nothing: it was only to be seen whether somebody listens.
    Probe,
    /// A program does.
    Run(Program),
    /// It is handed to the program behind stdout.
    PassDescriptor,
}

/// A program to run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Program {
    /// A file and its arguments.
    Plain(Vec<OsString>),
    /// A line for /bin/sh.
    Shell(OsString),
}

/// Waiting for callers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listen {
    /// Where.
    pub at: Place,
    /// How many.
    pub callers: Callers,
    /// Who may call.
    pub access: Access,
    /// The only caller that is taken: netcat-traditional's operands.
    pub only_from: Option<Source>,
    /// What is done for them.
    pub service: Service,
}

/// Where to listen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// At a port.
    Port {
        /// An address or its name; all addresses where it is `None`.
        host: Option<String>,
        /// 0 is any that is free.
        port: u16,
    },
    /// At a UNIX socket.
    Unix(UnixName),
}

/// How many callers are taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Callers {
    /// One, then it is over.
    One,
    /// One after another.
    InTurn,
    /// Many at once.
    AtOnce {
        /// More are turned away.
        at_most: usize,
    },
}

/// What is done for callers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Service {
    /// Stdin and stdout talk to them.
    Talk,
    /// A program does, one for each.
    Run(Program),
    /// They talk to each other.
    Broker,
    /// The same, and each line tells who said it.
    Chat,
    /// They are passed on to where they want to go.
    Proxy(ProxyServer),
}

/// What ncat calls and listens at unless told otherwise.
const NCAT_PORT: u16 = 31337;

/// Callers that ncat takes at once unless told otherwise.
const NCAT_CALLERS: usize = 100;

impl Task {
    pub(super) fn of(
        dialect: Dialect,
        line: &CommandLine,
        surroundings: &Surroundings<'_>,
    ) -> Result<Self, Complaint> {
        let reader = Reader {
            dialect,
            line,
            surroundings,
            carrier: Carrier::of(line),
            ports: port_reader(dialect, Carrier::of(line), surroundings),
        };
        // --broker has always meant -l too.
        let listens = line.has(Id::Listen) || line.has(Id::Broker);
        reader.contradictions(listens)?;
        if listens {
            return reader.listen().map(Self::Listen);
        }
        reader.connect().map(Self::Connect)
    }
}

/// How ports are read.
pub(super) const fn port_reader<'a>(
    dialect: Dialect,
    carrier: Carrier,
    surroundings: &Surroundings<'a>,
) -> PortReader<'a> {
    PortReader {
        dialect,
        services: surroundings.services,
        transport: carrier.transport(),
    }
}

/// Said where there are several.
pub(super) const ONE_PROGRAM: &str = "Only one of --exec, --sh-exec, and --lua-exec is allowed.";

struct Reader<'a> {
    dialect: Dialect,
    line: &'a CommandLine,
    surroundings: &'a Surroundings<'a>,
    carrier: Carrier,
    ports: PortReader<'a>,
}

impl Reader<'_> {
    fn listen(&self) -> Result<Listen, Complaint> {
        let service = self.service()?;
        let at = match self.carrier.is_unix() {
            true => Place::Unix(self.unix_operand("listen on")?),
            false => self.place(&service)?,
        };
        let only_from = match (self.dialect, self.line.operands()) {
            (Dialect::Traditional, [host, rest @ ..]) => Some(Source {
                address: Some(host.to_string_lossy().into_owned()),
                port: match rest {
                    [] => 0,
                    [port, ..] => self.first_port(port)?,
                },
            }),
            _ => None,
        };
        Ok(Listen {
            at,
            callers: self.callers(&service)?,
            access: Access::of(self.dialect, self.line, self.surroundings)?,
            only_from,
            service,
        })
    }

    fn connect(&self) -> Result<Connect, Complaint> {
        let line = self.line;
        let once_connected = match program(self.dialect, line) {
            _ if line.has(Id::Zero) => OnceConnected::Probe,
            _ if line.has(Id::PassDescriptor) => OnceConnected::PassDescriptor,
            Some(program) => OnceConnected::Run(program),
            None => OnceConnected::Talk,
        };
        let what = "--wait-port time";
        let wait_port = line.text(Id::WaitPort);
        let wait_port = wait_port.map(|text| time(self.dialect, what, &text));
        let connect = Connect {
            to: self.to()?,
            once_connected,
            proxies: proxy::chain(self.dialect, line, self.surroundings)?,
            wait_port: wait_port.transpose()?,
        };
        let is_tcp = matches!(self.carrier, Carrier::Tcp);
        if !connect.proxies.is_empty() && !is_tcp {
            let with = match self.carrier.is_unix() {
                true => "Unix domain sockets",
                false => "UDP or DCCP",
            };
            return Err(Complaint::Refused(format!(
                "Proxy option not supported when using {with}."
            )));
        }
        Ok(connect)
    }

    fn to(&self) -> Result<To, Complaint> {
        if self.carrier.is_unix() {
            let source = self.line.value(Id::Source);
            let is_used = self.carrier == Carrier::UnixDatagram;
            return Ok(To::Unix {
                name: self.unix_operand("connect to")?,
                source: source.filter(|_| is_used).map(unix_name).transpose()?,
            });
        }
        let (host, ports) = self.host_and_ports()?;
        let source = Source {
            address: self.line.text(Id::Source).map(Into::into),
            port: self.local_port()?.unwrap_or_default(),
        };
        let to = |ports| To::Ports {
            host: host.to_string_lossy().into_owned(),
            ports,
            source,
        };
        if self.dialect == Dialect::Ncat {
            return Ok(to(vec![self.one_port(None, ports, NCAT_PORT)?]));
        }
        let mut listed = Vec::new();
        for operand in ports {
            listed.extend(self.ports.list(&operand.to_string_lossy())?);
        }
        if self.line.has(Id::Random) {
            let order = RandomState::new();
            listed.sort_by_cached_key(|port| order.hash_one(port));
        }
        Ok(to(listed))
    }

    /// Which operand is the host to call, and which the ports.
    fn host_and_ports(&self) -> Result<(&OsStr, &[OsString]), Complaint> {
        let has_local = self.line.has(Id::Source) || self.line.has(Id::SourcePort);
        match (self.dialect, self.line.operands()) {
            (Dialect::OpenBsd, []) => Err(Complaint::Usage),
            (Dialect::OpenBsd, [_]) if has_local => Err(Complaint::Usage),
            (Dialect::OpenBsd, [_]) => Err(Complaint::refused("missing port number")),
            (Dialect::Ncat, words) if words.first().is_none_or(|host| host.is_empty()) => {
                Err(Complaint::refused("You must specify a host to connect to."))
            }
            (Dialect::Traditional, []) => Err(Complaint::refused("no destination")),
            (Dialect::Traditional, [_]) => Err(Complaint::refused("no port[s] to connect to")),
            (_, [host, ports @ ..]) => Ok((host, ports)),
            (_, []) => Err(Complaint::Usage),
        }
    }

    /// Where to listen, of a network.
    fn place(&self, service: &Service) -> Result<Place, Complaint> {
        let local = self.line.text(Id::SourcePort);
        let source = self.line.text(Id::Source);
        let default_port = match service {
            Service::Proxy(server) => server.kind.port(),
            _ => NCAT_PORT,
        };
        let place = |host: Option<&OsStr>, port| Place::Port {
            host: host.map(|host| host.to_string_lossy().into_owned()),
            port,
        };
        match (self.dialect, self.line.operands()) {
            (Dialect::Traditional, _) => {
                let port = match self.local_port()? {
                    None if self.carrier == Carrier::Udp => {
                        return Err(Complaint::refused("UDP listen needs -p arg"));
                    }
                    port => port.unwrap_or_default(),
                };
                let source = source.as_deref().map(OsStr::new);
                Ok(place(source, port))
            }
            (Dialect::Ncat, _) if source.is_some() => Err(Complaint::refused(
                "-l and -s are incompatible.  Specify the address and port to bind to like you would a host to connect to.",
            )),
            (Dialect::Ncat, [port, ..]) if is_number(port) => {
                let ports = self.line.operands();
                let port = self.one_port(local.as_deref(), ports, default_port)?;
                Ok(place(None, port))
            }
            (Dialect::Ncat, [host, ports @ ..]) => {
                let port = self.one_port(local.as_deref(), ports, default_port)?;
                Ok(place(Some(host), port))
            }
            (Dialect::Ncat, []) => {
                let port = self.one_port(local.as_deref(), &[], default_port)?;
                Ok(place(None, port))
            }
            (Dialect::OpenBsd, operands) => {
                let has_local = local.is_some() || source.is_some();
                let (host, port) = match operands {
                    [] => (
                        source.as_deref().map(OsStr::new),
                        local.as_deref().map(OsStr::new),
                    ),
                    [port] if !has_local => (None, Some(port.as_os_str())),
                    [host, port] if !has_local => (Some(host.as_os_str()), Some(port.as_os_str())),
                    _ => return Err(Complaint::Usage),
                };
                match (port, service) {
                    (Some(port), _) => {
                        let port = self.ports.local(&port.to_string_lossy())?;
                        Ok(place(host, port))
                    }
                    (None, Service::Proxy(_)) => Ok(place(host, default_port)),
                    (None, _) => Err(Complaint::refused("missing port number")),
                }
            }
        }
    }

    /// The one port that ncat takes.
    fn one_port(
        &self,
        local: Option<&str>,
        operands: &[OsString],
        default: u16,
    ) -> Result<u16, Complaint> {
        let local = local.map(str::to_owned);
        let operands = operands.iter();
        let given: Vec<String> = local
            .iter()
            .cloned()
            .chain(operands.map(|operand| operand.to_string_lossy().into_owned()))
            .collect();
        match given.as_slice() {
            [] => Ok(default),
            [_] if local.is_some() => Ok(self.local_port()?.unwrap_or(default)),
            [port] => self.first_port(OsStr::new(port)),
            several => Err(Complaint::Refused(format!(
                "Got more than one port specification: {}.",
                several.join(" ")
            ))),
        }
    }

    fn first_port(&self, operand: &OsStr) -> Result<u16, Complaint> {
        let ports = self.ports.list(&operand.to_string_lossy())?;
        Ok(ports.first().copied().unwrap_or_default())
    }

    fn local_port(&self) -> Result<Option<u16>, Complaint> {
        let text = self.line.text(Id::SourcePort);
        text.map(|text| self.ports.local(&text)).transpose()
    }

    fn unix_operand(&self, verb: &str) -> Result<UnixName, Complaint> {
        let (has_source, has_port) = (self.line.has(Id::Source), self.line.has(Id::SourcePort));
        let listens = verb == "listen on";
        let source_counts = self.carrier == Carrier::UnixDatagram && !listens;
        match (self.dialect, self.line.operands()) {
            (Dialect::OpenBsd, [_]) if has_port || has_source && !source_counts => {
                Err(Complaint::Usage)
            }
            (Dialect::OpenBsd, []) if listens && !has_port => match self.line.value(Id::Source) {
                Some(name) => unix_name(name),
                None => Err(Complaint::refused("missing socket pathname")),
            },
            (Dialect::OpenBsd, []) if !listens => Err(Complaint::Usage),
            (_, [name]) => unix_name(name),
            (Dialect::Ncat, []) => Err(Complaint::Refused(format!(
                "You have to specify path to a socket to {verb}."
            ))),
            (Dialect::Ncat, _) => Err(Complaint::refused(
                "Using Unix domain sockets and specifying port doesn't make sense.",
            )),
            (Dialect::OpenBsd | Dialect::Traditional, _) => {
                Err(Complaint::refused("cannot use port with -U"))
            }
        }
    }

    fn service(&self) -> Result<Service, Complaint> {
        let line = self.line;
        let program = program(self.dialect, line);
        if line.has(Id::Broker) && program.is_some() {
            return Err(Complaint::refused(
                "Invalid option combination: --broker and -e.",
            ));
        }
        let proxy = proxy::server(self.dialect, line, self.surroundings)?;
        if let Some(proxy) = proxy {
            if line.has(Id::Telnet) {
                return Err(Complaint::refused(
                    "Invalid option combination: --telnet has no effect with --proxy-type.",
                ));
            }
            return Ok(Service::Proxy(proxy));
        }
        Ok(match program {
            _ if line.has(Id::Chat) => Service::Chat,
            _ if line.has(Id::Broker) => Service::Broker,
            Some(program) => Service::Run(program),
            None => Service::Talk,
        })
    }

    fn callers(&self, service: &Service) -> Result<Callers, Complaint> {
        let line = self.line;
        let at_most = match line.text(Id::MaxConns) {
            None => NCAT_CALLERS,
            Some(text) => usize::try_from(atoi(&text))
                .ok()
                // 0 turns everybody away, as ncat's does; what is no number would, too.
                .filter(|most| *most > 0 || text.trim_start().starts_with('0'))
                .ok_or_else(|| {
                    Complaint::Refused(format!(
                        "--max-conns {text}: a number of callers is wanted."
                    ))
                })?,
        };
        let is_hall = matches!(service, Service::Broker | Service::Chat | Service::Proxy(_));
        let has_keep = line.has(Id::KeepOpen) || line.has(Id::InTurn);
        // A program for each caller has no stdin to share: nobody needs to wait.
        let runs = matches!(service, Service::Run(_));
        Ok(if is_hall || line.has(Id::KeepOpen) || runs && has_keep {
            Callers::AtOnce { at_most }
        } else if line.has(Id::InTurn) {
            Callers::InTurn
        } else {
            Callers::One
        })
    }

    /// What goes with calling only, or with listening only; in the order in which each program looks.
    fn contradictions(&self, listens: bool) -> Result<(), Complaint> {
        let line = self.line;
        let refuse = |condition: bool, text: &str| match condition {
            true => Err(Complaint::refused(text)),
            false => Ok(()),
        };
        let is_unix = self.carrier.is_unix();
        refuse(exec_count(line) > 1, ONE_PROGRAM)?;
        refuse(
            line.has(Id::KeepOpen) && self.carrier == Carrier::Udp && exec_count(line) == 0,
            "UDP mode does not support the -k or --keep-open options, except with --exec or --sh-exec.",
        )?;
        refuse(
            line.last_of(&[Id::Broker, Id::Chat]).is_some()
                && matches!(self.carrier, Carrier::Udp | Carrier::UnixDatagram),
            "UDP mode does not support connection brokering.",
        )?;
        refuse(is_unix && line.has(Id::Dccp), "cannot use -Z and -U")?;
        if self.dialect == Dialect::OpenBsd {
            self.count_operands(listens)?;
        } else if is_unix {
            let proxies = [Id::Proxy, Id::ProxyType];
            refuse(
                line.last_of(&proxies).is_some(),
                "Proxy option not supported when using Unix domain sockets.",
            )?;
            refuse(
                line.has(Id::Broker),
                "Connection brokering not supported when using Unix domain sockets.",
            )?;
            refuse(
                line.has(Id::SourcePort),
                "Specifying source port when using Unix domain sockets doesn't make sense.",
            )?;
        }
        refuse(
            listens && line.has(Id::Proxy),
            "Invalid option combination: --proxy and -l.",
        )?;
        refuse(
            listens && line.has(Id::ProxyAddress),
            "no proxy support for listen",
        )?;
        if line.has(Id::Zero) {
            let on_both = match self.dialect {
                Dialect::Ncat => "Services designed for LISTENING can't be used with -z",
                Dialect::OpenBsd | Dialect::Traditional => "cannot use -z and -l",
            };
            refuse(listens, on_both)?;
            refuse(
                line.has(Id::Telnet) && self.dialect == Dialect::Ncat,
                "Invalid option combination: -z and -t.",
            )?;
            refuse(
                exec_count(line) > 0,
                "Command execution can't be done along with option -z.",
            )?;
        }
        refuse(
            line.has(Id::PassDescriptor) && is_unix,
            "cannot use -F and -U",
        )?;
        if listens {
            return refuse(
                line.has(Id::WaitPort),
                "--wait-port waits for others to listen, -l listens",
            );
        }
        refuse(line.has(Id::InTurn), "must use -l with -k")?;
        refuse(
            line.has(Id::KeepOpen),
            "Invalid option combination: `--keep-open' with connect.",
        )?;
        let lists = [Id::Allow, Id::AllowFile, Id::Deny, Id::DenyFile];
        refuse(
            line.last_of(&lists).is_some(),
            "Invalid option combination: allow/deny with connect.",
        )?;
        refuse(
            line.has(Id::MaxConns),
            "Invalid option combination: `--max-conns' with connect.",
        )?;
        refuse(
            line.has(Id::Chat),
            "Invalid option combination: `--chat' with connect.",
        )
    }

    /// Debian's nc counts its operands before it looks at anything else.
    fn count_operands(&self, listens: bool) -> Result<(), Complaint> {
        match (self.carrier.is_unix(), listens) {
            (true, true) => self.unix_operand("listen on").map(drop),
            (true, false) => self.unix_operand("connect to").map(drop),
            (false, true) => {
                let has_local = self.line.has(Id::Source) || self.line.has(Id::SourcePort);
                match self.line.operands() {
                    [] => Ok(()),
                    [_] | [_, _] if !has_local => Ok(()),
                    _ => Err(Complaint::Usage),
                }
            }
            (false, false) => self.host_and_ports().map(drop),
        }
    }
}

fn is_number(text: &OsStr) -> bool {
    text.as_bytes().iter().all(u8::is_ascii_digit)
}

fn program(dialect: Dialect, line: &CommandLine) -> Option<Program> {
    if let Some(line) = line.value(Id::ShellExec) {
        return Some(Program::Shell(line.to_owned()));
    }
    let command = line.value(Id::Exec)?;
    Some(Program::Plain(match dialect {
        // It runs a file of that name, blanks and all.
        Dialect::Traditional => vec![command.to_owned()],
        Dialect::OpenBsd | Dialect::Ncat => split_words(command),
    }))
}

/// The words of a command as ncat splits them: at blanks, but for those in double quotes or behind a backslash.
fn split_words(line: &OsStr) -> Vec<OsString> {
    let mut words = Vec::new();
    let mut word: Option<Vec<u8>> = None;
    let mut is_quoted = false;
    let mut octets = line.as_bytes().iter().copied();
    while let Some(octet) = octets.next() {
        match octet {
            b'"' => {
                is_quoted = !is_quoted;
                word.get_or_insert_default();
            }
            b'\\' => word.get_or_insert_default().extend(octets.next()),
            b' ' | b'\t' | b'\n' if !is_quoted => words.extend(word.take()),
            other => word.get_or_insert_default().push(other),
        }
    }
    words.extend(word);
    words.into_iter().map(OsString::from_vec).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_are_split_at_blanks() {
        for (line, expected) in [
            ("/bin/cat", vec!["/bin/cat"]),
            ("/bin/echo  a b", vec!["/bin/echo", "a", "b"]),
            ("x \"a b\"c \"\"", vec!["x", "a bc", ""]),
            ("x a\\ b \\\"", vec!["x", "a b", "\""]),
            (" x \\", vec!["x", ""]),
            ("", vec![]),
        ] {
            assert_eq!(split_words(OsStr::new(line)), expected, "{line}");
        }
    }
}
