//! Who looks on while a server serves: the folder of sessions, whoever follows, the terminal of `--watch`, captures, transcript.
//!
//! All of them are written by threads of their own: the loop waits for none.

use std::cell::Cell;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use anyhow::Context;

use super::options::{Evidence, Options};
use super::sessions::{Filter, Look, View};
use super::{standard_port, transcripts};
use crate::applet::evidence::{self, is_folder};
use crate::applet::exit;
use crate::proto::control::Board;
use crate::proto::exercise::{Class, Observed};
use crate::reactor;
use crate::tap::behind::Behind;
use crate::tap::keylog::KeySink;
use crate::tap::pcapng::{self, Capture};
use crate::tap::record::{Bounds, Feed, Folder, Name, Recorder, Whose};
use crate::tap::{self, Tap};

/// Kept until the loop has ended: then what is left is written.
pub(super) struct Observers {
    recorder: Arc<Recorder>,
    behind: Option<Behind>,
    capture: Option<Capture>,
    /// Where the secrets of TLS go.
    pub(super) keys: Option<Arc<dyn KeySink>>,
    terminal: Option<Terminal>,
    class: Option<Arc<Class>>,
}

impl Observers {
    /// Opens all that the options name, of a server with its store at `place`; sessions are told to the feed of `board`, and to its class.
    pub(super) fn open(options: &Options, place: &Path, board: &Board) -> anyhow::Result<Self> {
        let (wanted, feed) = (&options.evidence, &board.feed);
        if let Some(option) = asked_for(options)
            && let Some(words) = evidence::refusal(option)
        {
            return Err(exit::failure(exit::USAGE, words));
        }
        let folder = wanted.kept(place).map(|path| {
            Folder::open(&path, super::sessions::KIND, wanted.bounds())
                .with_context(|| format!("--sessions {}: cannot be used", path.display()))
        });
        let terminal = match wanted.watch() {
            Some(which) => Some(Terminal::start(which, wanted, feed)?),
            None => None,
        };
        let recorder = Recorder::start(folder.transpose()?, feed.clone());
        let recorder = recorder.context("the system gives no thread")?;
        let behind = options.pcap.as_ref().map(|_| Behind::start());
        let behind = behind.transpose().context("the system gives no thread")?;
        let capture = match (&options.pcap, &behind) {
            (Some(path), Some(behind)) => Some(capture(path, wanted, behind)?),
            _ => None,
        };
        let keys = evidence::key_log(capture.as_ref(), |words| ::log::warn!("{words}"));
        Ok(Self {
            recorder: Arc::new(recorder),
            behind,
            capture,
            keys,
            terminal,
            class: board.class.clone(),
        })
    }

    /// Makes the taps of connections.
    pub(super) fn taps(&self, options: &Options) -> anyhow::Result<Box<reactor::TapFactory>> {
        let transcript = options.transcript.as_deref().map(transcripts).transpose()?;
        let recorder = Arc::clone(&self.recorder);
        let class = self.class.clone();
        Ok(Box::new(move |peer, service| {
            if service == CONTROL || !tap::BUILT_IN {
                return None;
            }
            let transcript = transcript.as_ref().and_then(|tap| tap(peer, service));
            let recorded = recorder.tap(&Whose {
                number: peer.token,
                service,
                client: peer.remote,
                server: peer.local,
                began: (peer.accepted.instant, peer.accepted.wall),
            });
            let observed = class.as_ref().and_then(|class| {
                let wall = peer.accepted.wall.duration_since(SystemTime::UNIX_EPOCH);
                let wall = wall.unwrap_or_default();
                let milliseconds = u64::try_from(wall.as_millis()).unwrap_or(0);
                let session = Name::of(milliseconds, peer.token).to_string();
                let began = (peer.accepted.instant, wall);
                let observed = Observed::new(Arc::clone(class), service, session, began)?;
                Some(Box::new(observed) as Box<dyn Tap>)
            });
            let mut taps: Vec<Box<dyn Tap>> = Vec::new();
            taps.extend(transcript);
            taps.extend(recorded);
            taps.extend(observed);
            match taps.len() {
                0 | 1 => taps.pop(),
                _ => Some(Box::new(taps)),
            }
        }))
    }

    /// Makes what sees the octets on their sockets. That the capture has come to its end before the connections is told once.
    pub(super) fn wires(&self, options: &Options) -> Option<Box<reactor::WireFactory>> {
        let capture = self.capture.clone()?;
        let path = options.pcap.clone()?;
        let told = Cell::new(false);
        Some(Box::new(move |peer, service| {
            if service == CONTROL {
                return None;
            }
            if let Some(words) = evidence::shortened(&path, &capture) {
                if !told.replace(true) {
                    ::log::error!("{words}");
                }
                if !is_folder(&path) {
                    return None;
                }
            }
            let (client, server) = match (peer.remote, peer.local) {
                (Some(remote), Some(local)) => (remote, local),
                _ => pcapng::stand_in(peer.token, standard_port(service)),
            };
            let name = format!("{service} session {}", peer.token);
            Some(capture.stream(peer.accepted.wall, client, server, &name))
        }))
    }

    /// The loop has ended: what is left is written.
    pub(super) fn close(self) {
        let Self {
            recorder,
            behind,
            capture,
            keys,
            terminal,
            class: _,
        } = self;
        // In this order: what the first have to say goes through the last.
        drop(recorder);
        drop((capture, keys));
        drop(behind);
        drop(terminal);
    }
}

/// The first option that has connections observed.
fn asked_for(options: &Options) -> Option<&'static str> {
    let evidence = &options.evidence;
    let given = [
        ("--watch", evidence.watch().is_some()),
        ("--sessions", evidence.names_folder()),
        ("--transcript", options.transcript.is_some()),
        ("--pcap", options.pcap.is_some()),
        ("--exercise", options.class.exercise().is_some()),
    ];
    given
        .into_iter()
        .find_map(|(option, given)| given.then_some(option))
}

/// The control socket's service: what it carries is no mail, and following it would never end.
const CONTROL: &str = "control";

/// One file, or one for each session where `path` is a folder.
fn capture(path: &Path, wanted: &Evidence, behind: &Behind) -> anyhow::Result<Capture> {
    let failed = |error: &io::Error| format!("--pcap {}: {error}", path.display());
    if is_folder(path) {
        let bounds = Bounds {
            octets: wanted.pcap_size().unwrap_or(u64::MAX),
            // As long as there is a calendar.
            age: Duration::MAX,
        };
        let folder = Folder::open(path, PCAPNG, bounds);
        let folder = folder.map_err(|error| anyhow::Error::msg(failed(&error)))?;
        return Ok(each(path, folder, behind));
    }
    let begin = |path: &Path, behind: &Behind| {
        let file = evidence::create(path)?;
        Ok(behind.file(Box::new(move || Ok(file)), Box::new(drop)))
    };
    let sink = begin(path, behind).map_err(|error| anyhow::Error::msg(failed(&error)))?;
    let Some(octets) = wanted.pcap_size() else {
        return Ok(Capture::new(sink)?);
    };
    let (pens, path, files) = (behind.pens(), path.to_path_buf(), wanted.pcap_files());
    let next = move || {
        shift(&path, files)?;
        let file = evidence::create(&path)?;
        Ok(pens.file(Box::new(move || Ok(file)), Box::new(drop)))
    };
    Ok(Capture::rotating(sink, octets, Box::new(next))?)
}

/// A file for each session, which has the name that the session has.
fn each(path: &Path, folder: Folder, behind: &Behind) -> Capture {
    let folder = Arc::new(Mutex::new(folder));
    let (pens, path) = (behind.pens(), path.to_path_buf());
    Capture::each(Box::new(move |at: SystemTime, comment: &str| {
        let since = at
            .duration_since(SystemTime::UNIX_EPOCH)
            .unwrap_or_default();
        let milliseconds = u64::try_from(since.as_millis()).unwrap_or(0);
        let number = comment
            .rsplit(' ')
            .next()
            .and_then(|word| word.parse().ok());
        let name = Name::of(milliseconds, number.unwrap_or(0));
        let (file, folder) = (path.join(name.file(PCAPNG)), Arc::clone(&folder));
        Ok(pens.file(
            Box::new(move || evidence::create(&file)),
            Box::new(move |octets| {
                let mut folder = folder.lock().unwrap_or_else(PoisonError::into_inner);
                folder.has(&name, octets);
            }),
        ))
    }))
}

/// `all.pcapng` becomes `all.1.pcapng`, that becomes `all.2.pcapng`, and so on; the last one goes.
fn shift(path: &Path, files: u32) -> io::Result<()> {
    let numbered = |number: u32| -> PathBuf {
        if number == 0 {
            return path.to_path_buf();
        }
        let stem = path.file_stem().unwrap_or_default().to_string_lossy();
        let name = match path.extension() {
            Some(kind) => format!("{stem}.{number}.{}", kind.to_string_lossy()),
            None => format!("{stem}.{number}"),
        };
        path.with_file_name(name)
    };
    if files <= 1 {
        return std::fs::remove_file(path);
    }
    for number in (0..files - 1).rev() {
        match std::fs::rename(numbered(number), numbered(number + 1)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            renamed => renamed?,
        }
    }
    Ok(())
}

const PCAPNG: &str = "pcapng";

/// The thread that shows sessions.
struct Terminal {
    wake: SyncSender<Word>,
    over: Receiver<()>,
}

enum Word {
    News,
    Over,
}

impl Terminal {
    fn start(which: &str, wanted: &Evidence, feed: &Feed) -> anyhow::Result<Self> {
        let filter: Filter = which
            .parse()
            .map_err(anyhow::Error::msg)
            .context("--watch")?;
        let mut view = View::new(filter, Look::of_stdout(wanted.explain()));
        let (wake, woken) = sync_channel(2);
        let (end, over) = sync_channel(1);
        let ring = wake.clone();
        // Two words have room: one more tells nothing new.
        let follower = feed.follow(Box::new(move || drop(ring.try_send(Word::News))));
        std::thread::Builder::new()
            .name("watch".to_owned())
            .spawn(move || {
                let mut is_over = false;
                while !is_over {
                    is_over = !matches!(woken.recv(), Ok(Word::News));
                    let (text, lost) = follower.take();
                    view.lost(lost);
                    for line in text.lines() {
                        view.line(line);
                    }
                    let page = view.take();
                    let mut stdout = io::stdout().lock();
                    // Nobody looks any more: the server serves on.
                    let _ = stdout
                        .write_all(page.as_bytes())
                        .and_then(|()| stdout.flush());
                }
                let _ = end.send(());
            })
            .context("the system gives no thread")?;
        Ok(Self { wake, over })
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        // A terminal that was stopped (Ctrl-S) does not keep the program from ending.
        for _ in 0..20 {
            if self.wake.try_send(Word::Over).is_ok() {
                break;
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        let _ = self.over.recv_timeout(Duration::from_secs(1));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn captures_move_on_and_the_last_one_goes() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("all.pcapng");
        for text in ["one", "two", "three", "four"] {
            if path.exists() {
                shift(&path, 3).expect("renamed");
            }
            std::fs::write(&path, text).expect("written");
        }
        let mut there: Vec<(String, String)> = std::fs::read_dir(folder.path())
            .expect("a folder")
            .map(|entry| entry.expect("an entry").path())
            .map(|path| {
                let text = std::fs::read_to_string(&path).expect("text");
                let name = path.file_name().expect("a name");
                (name.to_string_lossy().into_owned(), text)
            })
            .collect();
        there.sort();
        let there: Vec<(&str, &str)> = there
            .iter()
            .map(|(name, text)| (name.as_str(), text.as_str()))
            .collect();
        assert_eq!(
            there,
            [
                ("all.1.pcapng", "three"),
                ("all.2.pcapng", "two"),
                ("all.pcapng", "four")
            ]
        );
    }
}
