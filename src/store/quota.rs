//! Quotas: what a mailbox may hold, and how much is in it.
//!
//! The sum is kept as Maildir++ has it, in the file `maildirsize` of the account: its first line the quota (`1000000S,50C`), then lines of
//! octets and messages that came or (negative) went, appended by every program that delivers or removes; so Dovecot and others share it. It is
//! a cache: where it is missing, of another quota, or too long, all folders are counted anew; so too when it says that a
//! mailbox is full and is old or of several lines, before anybody is refused for it. Nothing is synced, and a lost line costs a slightly wrong sum.
//!
//! Without a quota there is no file, and nothing is counted.

use std::collections::HashMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::SystemTime;

use super::fs::{self, Disk, Stat, hold};
use super::{Account, Store, StoreError, names};
use crate::limits;

/// What a mailbox may hold, all of its folders together; `None` is no bound.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Quota {
    /// Octets of messages.
    pub octets: Option<u64>,
    /// Messages.
    pub messages: Option<u64>,
}

/// A quota, and what there is of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Held {
    /// The bounds.
    pub quota: Quota,
    /// Octets of messages.
    pub octets: u64,
    /// Messages.
    pub messages: u64,
}

impl Store {
    /// What the account may hold in all of its mailboxes together, and what it holds; `None` where there is no bound.
    pub fn held(&self, account: &Account) -> Result<Option<Held>, StoreError> {
        self.shared.ready_account(&account.home)?;
        Ok(self.shared.quotas.told(&*self.shared.disk, &account.home)?)
    }
}

/// What a mailbox holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Usage {
    pub(super) octets: i64,
    pub(super) messages: i64,
}

/// The quota of all accounts of a store, and what is known of them.
#[derive(Debug, Default)]
pub(super) struct Quotas {
    quota: Quota,
    /// By home: as it was at the last look.
    known: Mutex<HashMap<PathBuf, Usage>>,
}

impl Quota {
    const fn is_unbounded(self) -> bool {
        self.octets.is_none() && self.messages.is_none()
    }
    /// As the first line of `maildirsize`.
    fn line(self) -> String {
        let parts = [(self.octets, 'S'), (self.messages, 'C')];
        let parts = parts
            .iter()
            .filter_map(|(bound, letter)| Some(format!("{}{letter}", (*bound)?)));
        parts.collect::<Vec<_>>().join(",")
    }
    /// Whether there is room for so much more.
    fn admits(self, usage: Usage, octets: u64, messages: u64) -> bool {
        let fits = |bound: Option<u64>, used: i64, more: u64| {
            bound.is_none_or(|bound| u64::try_from(used).unwrap_or(0).saturating_add(more) <= bound)
        };
        fits(self.octets, usage.octets, octets) && fits(self.messages, usage.messages, messages)
    }
}

impl Quotas {
    pub(super) fn new(quota: Quota) -> Self {
        Self {
            quota,
            known: Mutex::default(),
        }
    }

    /// Whether the mailbox had no room for even a small message when it was last looked at. Does not block.
    pub(super) fn is_full(&self, home: &Path) -> bool {
        if self.quota.is_unbounded() {
            return false;
        }
        let usage = hold(&self.known).get(home).copied();
        usage.is_some_and(|usage| !self.quota.admits(usage, 1, 1))
    }

    /// `OverQuota` when there is no room in the mailbox for so much more.
    pub(super) fn admit(
        &self,
        disk: &dyn Disk,
        home: &Path,
        octets: u64,
        messages: u64,
    ) -> Result<(), StoreError> {
        if self.quota.is_unbounded() {
            return Ok(());
        }
        let usage = self.usage(disk, home, octets, messages)?;
        let admits = self.quota.admits(usage, octets, messages);
        self.note(home, usage);
        if admits {
            Ok(())
        } else {
            Err(StoreError::OverQuota)
        }
    }

    /// What the mailbox may hold, and what it holds; `None` where there is no bound.
    pub(super) fn told(&self, disk: &dyn Disk, home: &Path) -> io::Result<Option<Held>> {
        if self.quota.is_unbounded() {
            return Ok(None);
        }
        let usage = self.usage(disk, home, 0, 0)?;
        self.note(home, usage);
        let count = |number: i64| u64::try_from(number).unwrap_or(0);
        Ok(Some(Held {
            quota: self.quota,
            octets: count(usage.octets),
            messages: count(usage.messages),
        }))
    }

    /// So much has come, or gone. What cannot be written down is counted anew later.
    pub(super) fn change(&self, disk: &dyn Disk, home: &Path, octets: i64, messages: i64) {
        if self.quota.is_unbounded() || (octets == 0 && messages == 0) {
            return;
        }
        if let Some(usage) = hold(&self.known).get_mut(home) {
            usage.octets = usage.octets.saturating_add(octets);
            usage.messages = usage.messages.saturating_add(messages);
        }
        let path = home.join(FILE);
        let line = format!("{octets} {messages}\n");
        let written = disk
            .open_to_append(&path)
            .and_then(|file| disk.write(&file, line.as_bytes()));
        match written {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                log::warn!("{path:?} is counted anew: {error}");
                self.forget(disk, home);
            }
            _ => {}
        }
    }

    /// A folder has gone, or come from elsewhere: the mailbox is counted anew when it is asked for.
    pub(super) fn forget(&self, disk: &dyn Disk, home: &Path) {
        if !self.quota.is_unbounded() {
            hold(&self.known).remove(home);
            let _ = disk.unlink(&home.join(FILE));
        }
    }

    /// What the file says, whatever its quota, and what there is; `None` where there is no file.
    pub(super) fn compare(
        &self,
        disk: &dyn Disk,
        home: &Path,
    ) -> io::Result<Option<(Usage, Usage)>> {
        let Some((bytes, _)) = fs::read_whole(disk, &home.join(FILE))? else {
            return Ok(None);
        };
        let first = bytes.split(|&byte| byte == b'\n').next();
        let quota = String::from_utf8_lossy(first.unwrap_or_default()).into_owned();
        let kept = parse(&bytes, &quota).map_or(
            Usage {
                octets: -1,
                messages: -1,
            },
            |(usage, _)| usage,
        );
        Ok(Some((kept, count(disk, home)?)))
    }

    /// The file is wrong, whatever its quota.
    pub(super) fn drop_sum(&self, disk: &dyn Disk, home: &Path) {
        hold(&self.known).remove(home);
        let _ = disk.unlink(&home.join(FILE));
    }

    fn note(&self, home: &Path, usage: Usage) {
        hold(&self.known).insert(home.to_path_buf(), usage);
    }

    fn usage(&self, disk: &dyn Disk, home: &Path, octets: u64, messages: u64) -> io::Result<Usage> {
        let path = home.join(FILE);
        if let Some((bytes, stat)) = fs::read_whole(disk, &path)?
            && bytes.len() <= limits::MAILDIRSIZE
            && let Some((usage, lines)) = parse(&bytes, &self.quota.line())
        {
            let is_trusted = lines <= 1 && !is_old(&stat);
            if self.quota.admits(usage, octets, messages) || is_trusted {
                return Ok(usage);
            }
        }
        let usage = count(disk, home)?;
        let text = format!(
            "{}\n{} {}\n",
            self.quota.line(),
            usage.octets,
            usage.messages
        );
        let draft = home.join("tmp").join(names::unique(SystemTime::now()));
        let written = disk
            .create(&draft)
            .and_then(|file| disk.write(&file, text.as_bytes()))
            .and_then(|()| disk.rename(&draft, &path));
        if let Err(error) = written {
            let _ = disk.unlink(&draft);
            // Without the file it is only slower.
            log::warn!("{path:?} cannot be written: {error}");
        }
        Ok(usage)
    }
}

/// The sum, and of how many lines; `None` when it is not of this quota, or not to be understood.
fn parse(bytes: &[u8], quota: &str) -> Option<(Usage, usize)> {
    let text = std::str::from_utf8(bytes).ok()?;
    let mut lines = text.lines();
    if lines.next() != Some(quota) || !text.ends_with('\n') {
        return None;
    }
    let (mut usage, mut count) = (Usage::default(), 0);
    for line in lines {
        let mut words = line.split_ascii_whitespace();
        let mut number = || words.next()?.parse::<i64>().ok();
        usage.octets = usage.octets.checked_add(number()?)?;
        usage.messages = usage.messages.checked_add(number()?)?;
        count += 1;
    }
    (usage.octets >= 0 && usage.messages >= 0 && count > 0).then_some((usage, count))
}

fn is_old(stat: &Stat) -> bool {
    let age = fs::nanoseconds(SystemTime::now()) - stat.modified;
    age > limits::MAILDIRSIZE_STALE.as_nanos().cast_signed()
}

/// All messages of all folders.
fn count(disk: &dyn Disk, home: &Path) -> io::Result<Usage> {
    let mut usage = Usage::default();
    let mut folders = vec![home.to_path_buf()];
    for name in disk.list(home)? {
        // Two dots: a folder that is being removed.
        if name.starts_with('.') && !name.starts_with("..") {
            folders.push(home.join(name));
        }
    }
    for folder in folders {
        for part in ["cur", "new"] {
            let names = match disk.list(&folder.join(part)) {
                Ok(names) => names,
                // A file beside the folders, or one that is going.
                Err(error)
                    if matches!(
                        error.kind(),
                        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
                    ) =>
                {
                    continue;
                }
                Err(error) => return Err(error),
            };
            for name in names {
                let octets = match names::octets(&name) {
                    Some(octets) => octets,
                    None => match disk.stat(&folder.join(part).join(&name)) {
                        Ok(stat) => stat.octets,
                        Err(_) => continue,
                    },
                };
                usage.octets = usage.octets.saturating_add_unsigned(octets);
                usage.messages += 1;
            }
        }
    }
    Ok(usage)
}

/// Maildir++'s name for the file.
const FILE: &str = "maildirsize";
