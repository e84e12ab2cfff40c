//! How octets pass, and when that ends.
//!
//! | | openbsd | ncat | traditional |
//! |---|---|---|---|
//! | `-w` | connecting, and silence: exit 0 without a word | connecting only, 10 s unless said | as openbsd |
//! | silence as an error | `--idle-timeout` | `-i` | `--idle-timeout` |
//! | the end of stdin | is told with `-N` or `-q` | is told unless `--no-shutdown` | is told with `-q` |
//! | the same of UDP | is nothing | leaves; here a second later, for the answer | is nothing |
//! | `-q N` | leave N seconds after the end of stdin; negative: never | the same, 1 ms at least | the same |

use std::time::Duration;

use crate::applet::nc::complaint::Complaint;
use crate::applet::nc::dialect::Dialect;
use crate::applet::nc::flags::Id;
use crate::applet::nc::getopt::CommandLine;

use super::numbers::{atoi, number, rate, time, traditional_seconds};
use super::sockets::{Carrier, is_letter_of};

/// When things end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Timing {
    /// How long connecting may take; the kernel's patience where it is `None`.
    pub connect: Option<Duration>,
    /// What silence leads to.
    pub idle: Option<Idle>,
    /// Leave so long after the end of stdin. It is told to the peer too.
    pub quit_after: Option<Duration>,
    /// Whether the end of stdin is told to the peer.
    pub half_close: bool,
}

/// What happens when nothing has moved for so long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Idle {
    /// It is over, and no error: OpenBSD's `-w`.
    Leave(Duration),
    /// It is an error, of which is told: ncat's `-i`.
    Fail(Duration),
}

impl Idle {
    /// So long.
    pub const fn after(self) -> Duration {
        match self {
            Self::Leave(after) | Self::Fail(after) => after,
        }
    }
}

/// How octets pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Flow {
    /// Which ways.
    pub direction: Direction,
    /// LF is sent as CRLF.
    pub crlf: bool,
    /// Pause after each line sent, and between ports.
    pub interval: Option<Duration>,
    /// Leave after receiving so often.
    pub receive_at_most: Option<u32>,
    /// Refuse what a telnet server asks for.
    pub telnet: bool,
    /// Octets a second that are sent at most.
    pub rate: Option<u64>,
}

/// Which ways octets pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// Both.
    Both,
    /// What comes is thrown away.
    SendOnly,
    /// Stdin is not read.
    ReceiveOnly,
}

impl Timing {
    pub(super) fn of(dialect: Dialect, line: &CommandLine) -> Result<Self, Complaint> {
        let patience = match line.text(Id::Timeout) {
            None => None,
            Some(text) if dialect == Dialect::Traditional => {
                Some(traditional_seconds("wait-time", &text)?)
            }
            Some(text) => {
                let seconds = number("timeout", &text, (0, i64::from(i32::MAX) / 1000))?;
                Some(Duration::from_secs(seconds.unsigned_abs()))
            }
        };
        let idle = match line.text(Id::IdleTimeout) {
            Some(text) => {
                let after = time(dialect, &called(dialect, "-i", "--idle-timeout"), &text)?;
                Some(Idle::Fail(after))
            }
            None => patience.map(Idle::Leave),
        };
        let connect = match line.text(Id::Wait) {
            Some(text) => Some(time(dialect, &called(dialect, "-w", "--wait"), &text)?),
            None if dialect == Dialect::Ncat => Some(NCAT_CONNECT),
            None => patience,
        };
        let quit_after = match line.has(Id::QuitAfter) {
            true => quit_after(dialect, line)?,
            // ncat leaves at the end of stdin, for datagrams have no end that could be told. A second for the answer.
            false => (dialect == Dialect::Ncat
                && matches!(Carrier::of(line), Carrier::Udp | Carrier::UnixDatagram)
                && idle.is_none()
                && !line.has(Id::Listen)
                && !line.has(Id::RecvOnly))
            .then_some(NCAT_ANSWER),
        };
        let by_default = match dialect {
            // Whoever only receives has nothing that could end.
            Dialect::Ncat => !line.has(Id::RecvOnly),
            // With -d input is not read, and so never at its end.
            Dialect::OpenBsd | Dialect::Traditional => {
                line.has(Id::HalfClose) && !line.has(Id::NoStdin)
            }
        };
        Ok(Self {
            // 0 is no patience with OpenBSD's select(2), but nobody asks for a call that cannot succeed.
            connect: connect.filter(|patience| !patience.is_zero()),
            idle,
            quit_after,
            half_close: by_default && !line.has(Id::NoShutdown),
        })
    }
}

/// How long an answer to the last datagram is waited for in the ncat dialect, whose own programs wait for none.
const NCAT_ANSWER: Duration = Duration::from_secs(1);

/// ncat's own patience while connecting.
const NCAT_CONNECT: Duration = Duration::from_secs(10);

/// What ncat calls a time in its complaints, and what the other dialects, which know it by its long name, do.
fn called(dialect: Dialect, letter: &str, long: &str) -> String {
    let name = match dialect {
        Dialect::Ncat => letter,
        Dialect::OpenBsd | Dialect::Traditional => long,
    };
    format!("{name} timeout")
}

fn quit_after(dialect: Dialect, line: &CommandLine) -> Result<Option<Duration>, Complaint> {
    let Some(text) = line.text(Id::QuitAfter) else {
        return Ok(None);
    };
    let seconds = match dialect {
        Dialect::OpenBsd => number("quit timer", &text, (i32::MIN.into(), i32::MAX.into()))?,
        Dialect::Traditional => atoi(&text),
        Dialect::Ncat => {
            let (is_never, text) = match text.strip_prefix('-') {
                Some(rest) => (true, rest),
                None => (false, &*text),
            };
            let after = time(dialect, "-q timeout", text)?;
            return Ok((!is_never).then_some(after));
        }
    };
    Ok(u64::try_from(seconds).ok().map(Duration::from_secs))
}

impl Flow {
    pub(super) fn of(dialect: Dialect, line: &CommandLine) -> Result<Self, Complaint> {
        let direction = match (line.has(Id::SendOnly), line.has(Id::RecvOnly)) {
            (true, true) => {
                return Err(Complaint::refused(
                    "Invalid option combination: --send-only and --recv-only.",
                ));
            }
            (true, false) => Direction::SendOnly,
            (false, true) => Direction::ReceiveOnly,
            (false, false) if line.has(Id::NoStdin) => Direction::ReceiveOnly,
            (false, false) => Direction::Both,
        };
        let receive_at_most = match line.text(Id::ReceiveLimit) {
            Some(text) => {
                let packets = number("receive limit", &text, (1, i32::MAX.into()))?;
                u32::try_from(packets).ok()
            }
            None => None,
        };
        Ok(Self {
            direction,
            crlf: line.has(Id::Crlf),
            interval: interval(dialect, line)?,
            receive_at_most,
            telnet: line.has(Id::Telnet),
            rate: line.text(Id::Rate).map(|text| rate(&text)).transpose()?,
        })
    }
}

fn interval(dialect: Dialect, line: &CommandLine) -> Result<Option<Duration>, Complaint> {
    let Some(text) = line.text(Id::Delay) else {
        return Ok(None);
    };
    let by_letter_of = |wanted| is_letter_of(line, Id::Delay, dialect, wanted);
    if by_letter_of(Dialect::OpenBsd) {
        let seconds = number("interval", &text, (0, u32::MAX.into()))?;
        let interval = Duration::from_secs(seconds.unsigned_abs());
        return Ok((!interval.is_zero()).then_some(interval));
    }
    if by_letter_of(Dialect::Traditional) {
        return traditional_seconds("interval time", &text).map(Some);
    }
    let what = match dialect {
        Dialect::Ncat => "-d delay",
        Dialect::OpenBsd | Dialect::Traditional => "--delay time",
    };
    time(dialect, what, &text).map(Some)
}
