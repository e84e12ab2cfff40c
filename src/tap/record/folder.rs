//! The folder of sessions: one file each, the oldest removed when there is too much, or when they are too old.

use std::collections::VecDeque;
use std::fmt;
use std::fs::{DirBuilder, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::{Duration, Instant, SystemTime};

use crate::wire::date::{self, Date, DateTime};

/// What a session is called: when it began (UTC), and its number. In the order of names is the order of time.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Name {
    milliseconds: u64,
    number: u64,
}

impl Name {
    /// Of the session of this number, which began so long after 1970.
    pub const fn of(milliseconds: u64, number: u64) -> Self {
        Self {
            milliseconds,
            number,
        }
    }

    /// Its number.
    pub const fn number(&self) -> u64 {
        self.number
    }

    /// Milliseconds since 1970.
    pub const fn milliseconds(&self) -> u64 {
        self.milliseconds
    }

    /// The name of its file of this kind: `dialog`, `pcapng`.
    pub fn file(&self, kind: &str) -> String {
        format!("{self}.{kind}")
    }
}

impl fmt::Display for Name {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let moment = i64::try_from(self.milliseconds).unwrap_or(0);
        let at = DateTime::utc(moment / 1000);
        let (year, month, day) = (at.date().year(), at.date().month(), at.date().day());
        let (hour, minute, second) = at.time();
        let (thousandth, number) = (moment % 1000, self.number);
        write!(
            formatter,
            "{year:04}{month:02}{day:02}-{hour:02}{minute:02}{second:02}.{thousandth:03}-{number}"
        )
    }
}

impl FromStr for Name {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let mut words = text.splitn(3, '-');
        let mut word = || words.next().filter(|word| word.is_ascii()).ok_or(());
        let (date, time, number) = (word()?, word()?, word()?);
        let digits = |text: &str, from: usize, to: usize| {
            text.get(from..to)
                .filter(|text| text.bytes().all(|octet| octet.is_ascii_digit()))
                .and_then(|text| text.parse::<i16>().ok())
                .ok_or(())
        };
        if (date.len(), time.len()) != (8, 10) || time.as_bytes()[6] != b'.' {
            return Err(());
        }
        let two = |text: &str, from: usize| {
            digits(text, from, from + 2).and_then(|number| u8::try_from(number).map_err(drop))
        };
        let day = Date::new(digits(date, 0, 4)?, two(date, 4)?, two(date, 6)?).ok_or(())?;
        let clock = (two(time, 0)?, two(time, 2)?, two(time, 4)?);
        let moment = date::seconds(day, clock).ok_or(())?;
        let thousandth = i64::from(digits(time, 7, 10)?);
        let name = Self {
            milliseconds: u64::try_from(moment * 1000 + thousandth).map_err(drop)?,
            number: number.parse().map_err(drop)?,
        };
        // Nothing else is written that way: `+12`, or a zero in front.
        if name.to_string() == text {
            Ok(name)
        } else {
            Err(())
        }
    }
}

/// The sessions of which there are files of this kind in a folder, the oldest first; none when there is no such folder.
///
/// # Errors
/// The system's.
pub fn names(folder: &Path, kind: &str) -> io::Result<Vec<Name>> {
    let entries = match std::fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries?,
    };
    let mut names: Vec<Name> = entries
        .filter_map(|entry| {
            let name = entry.ok()?.file_name();
            let (name, suffix) = name.to_str()?.rsplit_once('.')?;
            name.parse().ok().filter(|_| suffix == kind)
        })
        .collect();
    names.sort_unstable();
    Ok(names)
}

/// How much is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// Octets on disk, of all sessions that are over.
    pub octets: u64,
    /// How old they become.
    pub age: Duration,
}

/// The folder that sessions are written to.
#[derive(Debug)]
pub struct Folder {
    path: PathBuf,
    kind: &'static str,
    bounds: Bounds,
    /// Those that are over, the oldest first, and what they take.
    kept: VecDeque<(Name, u64)>,
    octets: u64,
    /// When it was last looked whether any are too old.
    looked: Option<Instant>,
}

impl Folder {
    /// Opens it; makes it, for its owner only, if it is not there. What is in it already counts.
    ///
    /// # Errors
    /// The system's.
    pub fn open(path: &Path, kind: &'static str, bounds: Bounds) -> io::Result<Self> {
        DirBuilder::new().recursive(true).mode(0o700).create(path)?;
        let mut folder = Self {
            path: path.to_path_buf(),
            kind,
            bounds,
            kept: VecDeque::new(),
            octets: 0,
            looked: None,
        };
        for name in names(path, kind)? {
            let octets = std::fs::metadata(path.join(name.file(kind))).map_or(0, |stat| stat.len());
            folder.has(&name, octets);
        }
        folder.tidy(Instant::now());
        Ok(folder)
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Appends to the file of a session, which is new when this is the first of it.
    pub(super) fn append(&self, name: &Name, first: bool, lines: &[u8]) -> io::Result<()> {
        let mut options = OpenOptions::new();
        options.append(true).create(first).mode(0o600);
        let path = self.path.join(name.file(self.kind));
        let opened = match options.open(&path) {
            // Somebody has removed the folder, or the file: what is said from now on is kept all the same.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                DirBuilder::new()
                    .recursive(true)
                    .mode(0o700)
                    .create(&self.path)?;
                options.create(true).open(&path)
            }
            opened => opened,
        };
        opened?.write_all(lines)
    }

    /// A session is over, and takes so many octets. What is too much with it is removed.
    pub fn has(&mut self, name: &Name, octets: u64) {
        if octets == 0 {
            return;
        }
        let octets = octets.next_multiple_of(BLOCK);
        self.octets += octets;
        self.kept.push_back((name.clone(), octets));
        while self.octets > self.bounds.octets && !self.kept.is_empty() {
            self.remove_oldest();
        }
    }

    /// Removes what is too old.
    pub fn tidy(&mut self, now: Instant) {
        if self
            .looked
            .is_some_and(|at| now.saturating_duration_since(at) < BETWEEN_LOOKS)
        {
            return;
        }
        self.looked = Some(now);
        let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
        let oldest = since.unwrap_or_default().saturating_sub(self.bounds.age);
        let oldest = u64::try_from(oldest.as_millis()).unwrap_or(0);
        while self
            .kept
            .front()
            .is_some_and(|(name, _)| name.milliseconds < oldest)
        {
            self.remove_oldest();
        }
    }

    fn remove_oldest(&mut self) {
        if let Some((name, octets)) = self.kept.pop_front() {
            self.octets -= octets;
            // Somebody else may have removed it.
            let _ = std::fs::remove_file(self.path.join(name.file(self.kind)));
        }
    }
}

/// What file systems give out at a time.
const BLOCK: u64 = 4096;
const BETWEEN_LOOKS: Duration = Duration::from_secs(600);
