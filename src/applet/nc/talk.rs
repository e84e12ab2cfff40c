//! A conversation: what stands between stdin, stdout and a connection, and what its end means.

use std::io::ErrorKind;
use std::num::NonZeroU64;
use std::time::{Duration, Instant};

use super::complaint::{Complaint, reason};
use super::dialect::Dialect;
use super::options::Idle;
use super::witnesses::{self, Among};
use super::words::{Note, Totals};
use super::{Netcat, eprint};
use crate::limits;
use crate::proto::raw::{Crlf, Outcome, Pace, Policy, Role};
use crate::reactor::TlsError;
use crate::reactor::relay::{Link, Manner, Progress, Report, relay};
use crate::reactor::stdio::edit_no_more;
use crate::tap::dump::Cutting;
use crate::tap::{Piece, Side, Tap};
use crate::wire::telnet::Telnet;

impl Netcat {
    /// Stdin and stdout talk over `link`. How it ended, where that is no error.
    pub(super) fn talk(&mut self, role: Role, link: Link) -> Result<Outcome, Complaint> {
        let keyboard = self.input.keyboard();
        let policy = Policy::new(Instant::now(), role, keyboard, self.ends());
        let mut tap = self
            .witnesses
            .tap(side(role), Among::Alone, Cutting::Pieces);
        self.show_prelude(&mut tap);
        let manner = Manner {
            tap,
            ..self.manner()
        };
        self.edit_lines()?;
        let (input, output) = (&mut self.input, &mut self.output);
        let report = relay(input, output, link, policy, manner);
        edit_no_more(input, output);
        let report = report.map_err(|error| self.trouble(&error))?;
        self.tell_totals(role, &report);
        self.judge(role, report.outcome)
    }

    /// The witnesses see what was said before TLS (--starttls), too.
    pub(super) fn show_prelude(&mut self, tap: &mut Option<Box<dyn Tap>>) {
        let dialogue = std::mem::take(&mut self.prelude);
        if let Some(tap) = tap {
            for (at, side, octets) in dialogue {
                tap.saw(at, side, Piece::Bytes(&octets));
            }
        }
    }

    /// How octets pass.
    pub(super) fn manner(&self) -> Manner {
        let flow = self.options.flow;
        Manner {
            crlf: flow.crlf.then(Crlf::default),
            pace: self.pace(),
            receive_at_most: flow.receive_at_most,
            rate: flow.rate.and_then(NonZeroU64::new),
            telnet: flow.telnet.then(Telnet::default),
            progress: self.options.evidence.progress.then(witnesses::progress),
            meter: self.meter.clone(),
            ..Manner::default()
        }
    }

    /// -i, -d: ncat pauses before a line, not behind it.
    pub(super) fn pace(&self) -> Option<Pace> {
        let interval = self.options.flow.interval?;
        Some(match self.options.dialect {
            Dialect::Ncat => Pace::delayed(Instant::now(), interval),
            Dialect::OpenBsd | Dialect::Traditional => Pace::new(interval),
        })
    }

    /// What `outcome` is to this dialect.
    pub(super) fn judge(&self, role: Role, outcome: Outcome) -> Result<Outcome, Complaint> {
        match outcome {
            Outcome::Done | Outcome::Unheard => Ok(outcome),
            Outcome::Idle => {
                let idle = self.options.timing.idle.map(Idle::after);
                Err(self.words.idle(role, idle.unwrap_or(Duration::ZERO)))
            }
            Outcome::Refused if role == Role::Connect && self.options.dialect == Dialect::Ncat => {
                Err(self.words.broken("Connection refused"))
            }
            // Of datagrams the others do not tell.
            Outcome::Refused => Ok(Outcome::Done),
            Outcome::Broken if role == Role::Listen => Err(Complaint::Silent),
            Outcome::Broken => Err(self.words.broken("Connection reset by peer")),
        }
    }

    /// What cannot go on.
    pub(super) fn trouble(&self, error: &std::io::Error) -> Complaint {
        let of_tls = error.get_ref().and_then(|inner| inner.downcast_ref());
        match of_tls {
            Some(error) => self.tls_trouble("the other side", error as &TlsError),
            None => match error.kind() {
                ErrorKind::StorageFull | ErrorKind::QuotaExceeded => {
                    self.words.unwritten(&reason(error))
                }
                _ => self.words.failed(&reason(error)),
            },
        }
    }

    /// -v of ncat, -vv of netcat-traditional, --stats.
    pub(super) fn tell_totals(&self, role: Role, report: &Report) {
        if self.options.evidence.progress {
            // The line that was written over and over again is done.
            eprint("\n");
        }
        // ncat has them for a call that ended well.
        let is_told = self.options.dialect != Dialect::Ncat
            || role == Role::Connect && report.outcome == Outcome::Done;
        if is_told {
            self.tell(&Note::Moved(Totals {
                sent: report.sent,
                received: report.received,
                time: report.duration,
            }));
        }
        if let Some(meter) = &self.meter {
            meter.clear();
            self.say_stats(report.progress());
        }
    }

    /// --stats of a conversation whose octets nobody counts but the meter: those that crossed the socket.
    pub(super) fn tell_stats(&self) {
        if let Some(meter) = &self.meter
            && let Some(progress) = meter.read(Instant::now())
        {
            meter.clear();
            self.say_stats(progress);
        }
    }

    fn say_stats(&self, progress: Progress) {
        eprint(&self.words.error(&witnesses::stats(progress)));
    }
}

/// How long a peer that has TLS, or is served by a program, is given to read our last words.
pub(super) const LAST_WORDS: Duration = limits::LINGER;

pub(super) const fn side(role: Role) -> Side {
    match role {
        Role::Connect => Side::Client,
        Role::Listen => Side::Server,
    }
}
