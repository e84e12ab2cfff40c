//! Who looks on: dumps, transcript, capture, the secrets of TLS, and how much has moved.
//!
//! Files are opened once, before anybody is called, so that a wrong name costs no call; every conversation gets taps of its
//! own on them. The transcript hides passwords, as far as lines tell them; dumps and captures are evidence, and do not.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant, SystemTime};

use super::complaint::{Complaint, reason};
use super::eprint;
use super::options::{Begins, Carrier, DumpFormat, Options};
use super::words::Words;
use crate::applet::{evidence, in_language, lang};
use crate::reactor::relay::Progress;
use crate::tap::dump::{Cutting, Dump, Format};
use crate::tap::keylog::KeySink;
use crate::tap::masked::Masked;
use crate::tap::pcapng::{Capture, stand_in};
use crate::tap::transcript::{Folding, Sink, Transcript};
use crate::tap::{Piece, Side, Tap, Wire};

/// What was opened. See the module.
#[derive(Clone)]
pub(super) struct Witnesses {
    dumps: Vec<(Sink, Format)>,
    transcript: Option<Sink>,
    /// When times begin.
    timed: Option<Instant>,
    words: Words,
    capture: Option<(PathBuf, Capture)>,
    key_log: Option<Arc<dyn KeySink>>,
}

/// Whether a conversation is the only one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Among {
    /// It is.
    Alone,
    /// It is this one of many.
    Many(u64),
}

impl Witnesses {
    /// Opens the files.
    pub(super) fn of(options: &Options, words: &Words) -> Result<Self, Complaint> {
        let wanted = &options.evidence;
        let looks_on = [
            ("-o", !wanted.dumps.is_empty()),
            ("--transcript", wanted.transcript.is_some()),
        ];
        if let Some((option, _)) = looks_on.into_iter().find(|(_, given)| *given)
            && let Some(refusal) = evidence::refusal(option)
        {
            return Err(Complaint::Refused(refusal));
        }
        let no_file = |path: &PathBuf| {
            let path = path.clone();
            move |error: io::Error| words.no_file(&path, &reason(&error))
        };
        let mut dumps = Vec::new();
        for dump in &wanted.dumps {
            let mut opening = OpenOptions::new();
            opening.create(true).append(wanted.append);
            opening.write(true).truncate(!wanted.append);
            let file = opening.open(&dump.file).map_err(no_file(&dump.file))?;
            let format = match dump.format {
                DumpFormat::Text => Format::Text,
                DumpFormat::Hex => Format::Ncat,
                DumpFormat::HexLines => Format::Traditional,
            };
            dumps.push((Arc::new(Mutex::new(file)) as Sink, format));
        }
        let transcript = match &wanted.transcript {
            None => None,
            Some(path) => {
                let file = File::create(path).map_err(no_file(path))?;
                Some(Arc::new(Mutex::new(file)) as Sink)
            }
        };
        let capture = match &wanted.pcap {
            None => None,
            Some(path) => {
                let capture = evidence::capture(path).map_err(Complaint::Refused)?;
                Some((path.clone(), capture))
            }
        };
        let key_log = match options.tls.begins {
            Begins::Never => None,
            _ => evidence::key_log(capture.as_ref().map(|(_, capture)| capture), |why| {
                eprint(&words.error(why));
            }),
        };
        Ok(Self {
            dumps,
            transcript,
            timed: wanted.timing.then(Instant::now),
            words: words.clone(),
            capture,
            key_log,
        })
    }

    /// Where the secrets of TLS go.
    pub(super) fn key_log(&self) -> Option<Arc<dyn KeySink>> {
        self.key_log.clone()
    }

    /// Those that see what is said, for a conversation in which we are `ours`.
    pub(super) fn tap(&self, ours: Side, among: Among, cutting: Cutting) -> Option<Box<dyn Tap>> {
        let mut taps: Vec<Box<dyn Tap>> = Vec::new();
        for (sink, format) in &self.dumps {
            taps.push(Box::new(Dump::new(
                Arc::clone(sink),
                *format,
                cutting,
                ours,
            )));
        }
        if let Some(sink) = &self.transcript {
            let sink = Arc::clone(sink);
            let transcript = match among {
                Among::Alone => Transcript::new(sink, Folding::Never),
                Among::Many(number) => Transcript::numbered(sink, number, Folding::Never),
            };
            let transcript = match self.timed {
                Some(start) => transcript.timed(start),
                None => transcript,
            };
            taps.push(Box::new(Masked::new(vec![Box::new(transcript)])));
        }
        if let Some(start) = self.timed
            && cutting == Cutting::Pieces
        {
            // Mail mode knows better when a reply is there.
            taps.push(Box::new(Stopwatch {
                words: self.words.clone(),
                ours,
                since: Some(start),
            }));
        }
        match taps.len() {
            0 | 1 => taps.pop(),
            _ => Some(Box::new(taps)),
        }
    }

    /// The one that sees what crosses the socket. UNIX sockets have no addresses: some are made up.
    pub(super) fn wire(
        &self,
        carrier: Carrier,
        client: Option<SocketAddr>,
        server: Option<SocketAddr>,
        among: Among,
    ) -> Option<Box<dyn Wire>> {
        let (_, capture) = self.capture.as_ref()?;
        let number = match among {
            Among::Alone => 1,
            Among::Many(number) => number,
        };
        let made_up = stand_in(number, NO_PORT);
        let client = client.unwrap_or(made_up.0);
        let server = server.unwrap_or(made_up.1);
        Some(match carrier {
            Carrier::Udp | Carrier::UnixDatagram => capture.datagrams(client, server, COMMENT),
            Carrier::Tcp | Carrier::Dccp | Carrier::UnixStream => {
                capture.stream(SystemTime::now(), client, server, COMMENT)
            }
        })
    }

    /// What is written down of calls, and the comment on each.
    pub(super) fn capture(&self) -> Option<(&Capture, &'static str)> {
        let (_, capture) = self.capture.as_ref()?;
        Some((capture, COMMENT))
    }

    /// What there is to say when it is over.
    pub(super) fn close(&self, words: &Words) {
        if let Some((path, capture)) = &self.capture
            && let Some(why) = evidence::shortened(path, capture)
        {
            eprint(&words.error(&why));
        }
    }
}

/// --timing: how long the other side took to answer what we have said.
struct Stopwatch {
    words: Words,
    ours: Side,
    /// Since we spoke, if nothing has come.
    since: Option<Instant>,
}

impl Tap for Stopwatch {
    fn saw(&mut self, now: Instant, side: Side, piece: Piece<'_>) {
        let Piece::Bytes(_) = piece else {
            return;
        };
        if side == self.ours {
            self.since = Some(now);
        } else if let Some(since) = self.since.take() {
            let seconds = now.saturating_duration_since(since).as_secs_f64();
            let text = format!("answered after {seconds:.3} s");
            eprint(&self.words.error(&in_language(lang(), text)));
        }
    }
}

/// --progress: a line on stderr that is written anew each second.
pub(super) fn progress() -> Box<dyn FnMut(Progress)> {
    Box::new(|progress| {
        let Progress {
            sent,
            received,
            duration,
        } = progress;
        let line = totals(sent, received, duration);
        let mut stderr = io::stderr().lock();
        // Nobody is left to see it when stderr is gone.
        let _ = write!(stderr, "\r{line}\x1b[K").and_then(|()| stderr.flush());
    })
}

/// --stats
pub(super) fn stats(progress: Progress) -> String {
    totals(progress.sent, progress.received, progress.duration)
}

fn totals(sent: u64, received: u64, duration: Duration) -> String {
    let seconds = duration.as_secs_f64();
    let rate = |octets: u64| match seconds > 0.0 {
        #[expect(clippy::cast_precision_loss, reason = "it is shown with three digits")]
        true => readable(octets as f64 / seconds),
        false => "-".to_owned(),
    };
    format!(
        "{sent} octets sent ({}/s), {received} received ({}/s) in {seconds:.3} s",
        rate(sent),
        rate(received)
    )
}

/// `1.23 MB`
fn readable(octets: f64) -> String {
    let units = ["B", "kB", "MB", "GB", "TB"];
    let mut value = octets;
    let mut unit = 0;
    while value >= 1000.0 && unit + 1 < units.len() {
        value /= 1000.0;
        unit += 1;
    }
    let digits = match value {
        _ if unit == 0 => 0,
        value if value < 10.0 => 2,
        value if value < 100.0 => 1,
        _ => 0,
    };
    format!("{value:.digits$} {}", units[unit])
}

/// Of a UNIX socket in a capture.
const NO_PORT: u16 = 25;
const COMMENT: &str = "mailtool nc";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_are_readable() {
        assert_eq!(readable(0.0), "0 B");
        assert_eq!(readable(999.0), "999 B");
        assert_eq!(readable(1500.0), "1.50 kB");
        assert_eq!(readable(25_400_000.0), "25.4 MB");
        assert_eq!(readable(7.5e15), "7500 TB");
    }

    #[test]
    fn totals_name_both_ways() {
        assert_eq!(
            totals(2000, 10, Duration::from_secs(2)),
            "2000 octets sent (1.00 kB/s), 10 received (5 B/s) in 2.000 s"
        );
        assert_eq!(
            totals(0, 0, Duration::ZERO),
            "0 octets sent (-/s), 0 received (-/s) in 0.000 s"
        );
    }
}
