//! The courier's jobs: what blocks on the disk.

use std::fs::File;
use std::io::{self, Read};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::limits;
use crate::proto::smtp::dispatch::policy::Source;
use crate::proto::smtp::dispatch::{Outcome, Verdict, Written, conclude};
use crate::proto::smtp::relay::Text;
use crate::reactor::{Connector, TlsError};
use crate::store::queue::Queued;
use crate::store::{QueueId, Store, StoreError};
use crate::wire::fault::{Magic, MagicAt};
use crate::wire::report::{Action, Original, Report};
use crate::wire::smtp::{Enhanced, Reply};

/// What a job brought.
pub(super) enum Brought {
    Authorities(Box<Result<Connector, TlsError>>),
    /// A password or token, or why there is none.
    Fetched(Result<String, String>),
    Loaded(Result<(Arc<Queued>, Text), StoreError>),
    Delivered(Vec<(usize, Verdict)>),
    Recorded {
        written: Written,
        /// What is said of each report.
        reports: Vec<String>,
    },
}

/// What to log in with: the first line of a file, or of what a command says.
pub(super) fn fetch(source: &Source) -> Result<String, String> {
    let octets = match source {
        Source::PasswordFile(path) | Source::TokenFile(path) => File::open(path)
            .and_then(|file| {
                let mut octets = Vec::new();
                file.take(limits::SECRET).read_to_end(&mut octets)?;
                Ok(octets)
            })
            .map_err(|error| format!("{path}: {error}"))?,
        Source::TokenCommand(command) => {
            run(command).map_err(|error| format!("{command}: {error}"))?
        }
    };
    let text = String::from_utf8(octets).map_err(|_| "it is not UTF-8".to_owned())?;
    let line = text.lines().next().unwrap_or_default().trim_end();
    if line.is_empty() {
        return Err("its first line is empty".to_owned());
    }
    Ok(line.to_owned())
}

/// What a shell command writes, if it succeeds in time. What it leaves running in the background is not waited for.
fn run(command: &str) -> io::Result<Vec<u8>> {
    let mut child = Command::new("/bin/sh")
        .args(["-c", command])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()?;
    let until = Instant::now() + limits::SECRET_WAIT;
    let status = loop {
        if let Some(status) = child.try_wait()? {
            break status;
        }
        if Instant::now() >= until {
            let _ = child.kill();
            let _ = child.wait();
            return Err(io::Error::other("it takes too long"));
        }
        std::thread::sleep(Duration::from_millis(10));
    };
    if !status.success() {
        return Err(io::Error::other(status.to_string()));
    }
    let mut octets = Vec::new();
    if let Some(said) = child.stdout.take() {
        rustix::io::ioctl_fionbio(&said, true)?;
        match said.take(limits::SECRET).read_to_end(&mut octets) {
            Err(error) if error.kind() != io::ErrorKind::WouldBlock => return Err(error),
            _ => {}
        }
    }
    Ok(octets)
}

/// A message, to be sent.
pub(super) fn load(store: &Store, id: &QueueId) -> Brought {
    let queued = store.queue().load(id);
    Brought::Loaded(queued.and_then(|queued| {
        let text = store.queue().text(id).map_err(|error| {
            if error.kind() == std::io::ErrorKind::NotFound {
                StoreError::NoSuchMessage
            } else {
                error.into()
            }
        })?;
        // A short one is read here and now: then its session needs no job of its own for it.
        let text = if text.octets() <= limits::BLOCK as u64 {
            let octets = text.read().ok_or(StoreError::Busy)?;
            Text::Bytes(octets.into())
        } else {
            Text::Stored(text)
        };
        Ok((queued, text))
    }))
}

/// Into mailboxes here; with `magic`, names of recipients may ask for a failure.
pub(super) fn deliver(store: &Store, id: &QueueId, recipients: &[usize], magic: bool) -> Brought {
    let mut failed = match magic {
        true => conjured(store, id, recipients),
        false => Vec::new(),
    };
    let is_failed = |index: &usize| failed.iter().any(|(one, _)| one == index);
    let (_, recipients): (Vec<usize>, Vec<usize>) = recipients.iter().partition(|it| is_failed(it));
    let results = store.deliver_queued(id, &recipients);
    let verdict = |result: Result<_, StoreError>| match result {
        Ok(_) => Verdict::delivered(),
        Err(StoreError::NoSuchMailbox) => Verdict::Refused(Arc::new(Reply::new(
            550,
            Enhanced(5, 1, 1),
            "There is no such mailbox here any more",
        ))),
        Err(error) => {
            let (code, enhanced) = match &error {
                StoreError::OverQuota => (452, Enhanced(4, 2, 2)),
                StoreError::Full => (452, Enhanced(4, 3, 1)),
                _ => (451, Enhanced(4, 3, 0)),
            };
            let text = format!("It cannot be delivered now: {error}");
            Verdict::Later(Arc::new(Reply::new(code, enhanced, text)))
        }
    };
    failed.extend(recipients.into_iter().zip(results.into_iter().map(verdict)));
    Brought::Delivered(failed)
}

/// Those whose names ask for it, and what they ask for.
fn conjured(store: &Store, id: &QueueId, recipients: &[usize]) -> Vec<(usize, Verdict)> {
    let Ok(queued) = store.queue().load(id) else {
        return Vec::new();
    };
    let asked = |index: &usize| {
        let address = &queued.envelope.recipients.get(*index)?.address;
        let magic = Magic::of(address.local_part()).filter(|it| it.at == MagicAt::Queue)?;
        let (code, enhanced) = magic.reply.unwrap_or((451, "4.4.2"));
        let text = format!("The address <{address}> asks for this");
        log::info!("message {id}: fault: the delivery to <{address}> is {code} by its name");
        let reply = match Enhanced::split(enhanced) {
            Some((enhanced, _)) => Reply::new(code, enhanced, text),
            None => Reply::basic(code, text),
        };
        let verdict = match reply.class() {
            5 => Verdict::Refused(Arc::new(reply)),
            _ => Verdict::Later(Arc::new(reply)),
        };
        Some((*index, verdict))
    };
    recipients.iter().filter_map(asked).collect()
}

/// Writes down what became of recipients; reports are in the queue before.
pub(super) fn record(
    store: &Store,
    hostname: &str,
    id: &QueueId,
    errand: u64,
    outcomes: &[Outcome],
    now: i64,
    give_up: i64,
) -> Brought {
    let recorded = |written| Brought::Recorded {
        written,
        reports: Vec::new(),
    };
    let Ok(queued) = store.queue().load(id) else {
        return recorded(Written::Yes);
    };
    let until = queued
        .arrival
        .max(queued.envelope.options.hold_until.unwrap_or(0))
        .saturating_add(give_up);
    let (changes, reports) = conclude(&queued, outcomes, now, until);
    let mut told = Vec::new();
    let mut messages = Vec::new();
    if !reports.is_empty() {
        let bound = limits::REPORT_RETURNED as u64;
        let text = store.queue().text(id).ok();
        let begin = text.and_then(|text| text.part(0, bound).read());
        let original = Original {
            text: begin.as_deref().unwrap_or_default(),
            octets: queued.octets,
        };
        for (number, fates) in reports.iter().enumerate() {
            let report = Report {
                reporter: hostname,
                envelope: &queued.envelope,
                arrival: Some(queued.arrival),
                date: now,
                id: &format!("{now}.{id}.{errand}.{number}"),
                fates,
            };
            if let Some((envelope, text)) = report.compose(original) {
                let to = envelope.recipients.first().map(|one| &one.address);
                let to = to.map_or_else(String::new, ToString::to_string);
                let what = fates.first().map_or(Action::Failed, |fate| fate.action);
                told.push(format!("<{to}> is told: {}", what.name()));
                messages.push((envelope, text));
            }
        }
    }
    match store.queue().conclude(id, &changes, messages) {
        Ok(_) => Brought::Recorded {
            written: Written::Yes,
            reports: told,
        },
        Err(StoreError::NoSuchMessage) => recorded(Written::Yes),
        Err(error) => {
            log::error!("{id}: what became of it cannot be written down now: {error}");
            recorded(Written::No)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_to_log_in_with_is_the_first_line() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("token");
        std::fs::write(&path, "t0ken \r\nmore\n").expect("written");
        let path = path.to_str().expect("UTF-8").to_owned();
        assert_eq!(fetch(&Source::TokenFile(path)), Ok("t0ken".to_owned()));
        let command = |words: &str| fetch(&Source::TokenCommand(words.to_owned()));
        assert_eq!(command("printf 'a b\\nc'"), Ok("a b".to_owned()));
        // What stays behind keeps nobody waiting.
        assert_eq!(command("echo x; sleep 60 &"), Ok("x".to_owned()));
        assert!(command("exit 3").expect_err("failed").contains("3"));
        assert!(command("true").expect_err("nothing").contains("empty"));
        let nowhere = Source::PasswordFile("/nonexistent".to_owned());
        assert!(
            fetch(&nowhere)
                .expect_err("no file")
                .contains("/nonexistent")
        );
    }
}
