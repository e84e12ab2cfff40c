//! Mail that was kept elsewhere, on its way into a mailbox.
//!
//! It comes in batches, each of which is there for good (files, list of UIDs and directory synced) before the next is begun; however
//! long the source is, no more than a batch of open files and a block of text is held. A run that was cut off leaves whole batches: begun
//! again with [`Doubles::Skipped`] it goes on where it was.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::fs::File;
use std::io::Read;
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::{Foreign, ToolError, at};
use crate::limits;
use crate::store::keywords::{self, Keywords};
use crate::store::uidlist::{self, UidList};
use crate::store::{Flags, Incoming, Mailbox, Spool, StoreError, names};
use crate::wire::imap::scan::is_atom_char;
use crate::wire::likeness::{Likeness, Reading};
use crate::wire::line_ends::LineEnds;
use crate::wire::mbox::{Claim, Dialect, Facts, FromLine, Marks, Reader, Sink};
use crate::wire::utf7;

/// What becomes of messages that are in the mailbox already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Doubles {
    /// They come in once more.
    Taken,
    /// They are passed over; also those that the source has twice.
    Skipped,
}

/// What came of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Imported {
    /// Messages that are in the mailbox now, for good.
    pub messages: u64,
    /// Their octets.
    pub octets: u64,
    /// Those that were there already.
    pub doubles: u64,
    /// What is no message: a program's own data, what was deleted and not compacted, files that are none.
    pub passed_over: u64,
    /// Those of more than [`limits::FOREIGN_MESSAGE`] octets.
    pub too_long: u64,
    /// Keywords for which the mailbox has no letter left, or that IMAP cannot name.
    pub lost_keywords: BTreeSet<String>,
}

/// Brings mail into one mailbox. What was not [finished](Self::finish) is not there.
#[derive(Debug)]
pub struct Importer {
    mailbox: Arc<Mailbox>,
    known: Option<HashSet<Likeness>>,
    keywords: HashMap<String, Option<Flags>>,
    batch: Vec<Incoming>,
    batch_octets: u64,
    done: Imported,
}

/// Where messages come from.
#[derive(Debug)]
pub enum Source {
    /// One file, or a pipe.
    Mbox(File, PathBuf),
    /// A Maildir, without those in it.
    Maildir(PathBuf),
}

impl Importer {
    /// Into this mailbox.
    ///
    /// # Errors
    /// The disk's: to know doubles, all that is there is read.
    pub fn new(mailbox: Arc<Mailbox>, doubles: Doubles) -> Result<Self, ToolError> {
        let known = match doubles {
            Doubles::Taken => None,
            Doubles::Skipped => {
                let mut known = HashSet::new();
                for entry in &mailbox.sync()?.messages {
                    match mailbox.likeness(entry.uid) {
                        Ok(likeness) => known.insert(likeness),
                        Err(StoreError::NoSuchMessage) => continue,
                        Err(error) => return Err(error.into()),
                    };
                }
                Some(known)
            }
        };
        Ok(Self {
            mailbox,
            known,
            keywords: HashMap::new(),
            batch: Vec::new(),
            batch_octets: 0,
            done: Imported::default(),
        })
    }

    /// Takes all of a source.
    ///
    /// # Errors
    /// Whatever was taken before is in the mailbox, or will be once [`Self::finish`] has been called.
    pub fn take(&mut self, source: Source, dialect: Dialect) -> Result<(), ToolError> {
        match source {
            Source::Mbox(file, path) => self.mbox(file, &path, dialect),
            Source::Maildir(path) => self.maildir(&path),
        }
    }

    /// What has been taken is there for good when it returns.
    ///
    /// # Errors
    /// The store's; of the last batch nothing is there then.
    pub fn finish(mut self) -> Result<Imported, (ToolError, Imported)> {
        match self.flush() {
            Ok(()) => Ok(self.done),
            Err(error) => Err((error.into(), self.done)),
        }
    }

    /// What is there so far.
    pub const fn so_far(&self) -> &Imported {
        &self.done
    }

    fn mbox(&mut self, mut file: File, path: &Path, dialect: Dialect) -> Result<(), ToolError> {
        let length = file.metadata().ok().filter(|metadata| metadata.is_file());
        let mut reader = Reader::new(dialect);
        let mut taking = Taking {
            seekable: length.and_then(|metadata| Some((file.try_clone().ok()?, metadata.len()))),
            importer: self,
            from: None,
            message: None,
        };
        let mut block = vec![0; limits::BLOCK];
        loop {
            let octets = file.read(&mut block).map_err(at(path))?;
            if octets == 0 {
                break;
            }
            reader.feed(&block[..octets], &mut taking)?;
            if reader.is_foreign() {
                return Err(ToolError::Foreign(
                    path.to_path_buf(),
                    "not an mbox: it does not begin with a line `From sender date`",
                ));
            }
        }
        reader.finish(&mut taking)?;
        Ok(())
    }

    fn maildir(&mut self, path: &Path) -> Result<(), ToolError> {
        let folder = Foreign::open(path).map_err(at(path))?;
        let same = |one: &std::fs::Metadata, other: &std::fs::Metadata| {
            (one.dev(), one.ino()) == (other.dev(), other.ino())
        };
        let ours = std::fs::metadata(self.mailbox.place()?);
        if let (Ok(theirs), Ok(ours)) = (folder.0.metadata(), ours)
            && same(&theirs, &ours)
        {
            return Err(ToolError::Foreign(
                path.to_path_buf(),
                "it is the mailbox itself that mail would come into",
            ));
        }
        let whole = |name: &str| {
            let mut bytes = Vec::new();
            match folder.file(name) {
                Ok(Some(mut file)) => file.read_to_end(&mut bytes).map(|_| bytes),
                Ok(None) => Ok(bytes),
                Err(error) => Err(error),
            }
        };
        let their_keywords = Keywords::parse(&whole(keywords::FILE).map_err(at(path))?);
        let list = UidList::parse(&whole(uidlist::FILE).map_err(at(path))?);
        let uids: HashMap<&str, u32> = list
            .records
            .iter()
            .map(|record| (&*record.base, record.uid))
            .collect();
        let mut files = Vec::new();
        let mut parts = Vec::new();
        for part in ["cur", "new"] {
            let Some(directory) = folder.directory(part).map_err(at(path))? else {
                continue;
            };
            let (names, odd) = directory.names().map_err(at(path))?;
            self.done.passed_over += odd;
            let at = parts.len();
            files.extend(
                names
                    .into_iter()
                    .filter(|name| !name.starts_with('.'))
                    .map(|name| {
                        let uid = uids.get(names::base(&name)).copied().unwrap_or(u32::MAX);
                        (uid, at, name)
                    }),
            );
            parts.push(directory);
        }
        files.sort_unstable_by(|(uid, _, one), (other_uid, _, other)| {
            uid.cmp(other_uid)
                .then_with(|| names::arrival(one).cmp(&names::arrival(other)))
        });
        for (_, part, name) in files {
            let path = || path.join(&name);
            let opened = parts[part].file(&name);
            let Some(mut file) = opened.map_err(|error| ToolError::File(path(), error))? else {
                self.done.passed_over += 1;
                continue;
            };
            let metadata = file.metadata().map_err(at(&path()))?;
            let letters = names::flags(&name);
            let named = (0..).zip(&their_keywords.0);
            let named: Vec<String> = named
                .filter(|(at, name)| letters.contains(Flags::keyword(*at)) && !name.is_empty())
                .map(|(_, name)| name.clone())
                .collect();
            let flags = self.with_keywords(Flags(letters.0 & Flags::SYSTEM.0), &named)?;
            let mut message = Message::begin(self)?;
            let mut block = vec![0; limits::BLOCK];
            loop {
                let octets = file.read(&mut block).map_err(at(&path()))?;
                if octets == 0 {
                    break;
                }
                message.text(&block[..octets])?;
            }
            self.admit(message, flags, metadata.mtime())?;
        }
        Ok(())
    }

    /// Flags with the keywords of these names, as this mailbox has them.
    fn with_keywords(&mut self, flags: Flags, names: &[String]) -> Result<Flags, StoreError> {
        let mut all = flags;
        for name in names {
            let known = match self.keywords.get(name) {
                Some(known) => *known,
                None => {
                    let can_be = name.bytes().all(is_atom_char);
                    let flag = match can_be {
                        true => self.mailbox.keyword(name)?,
                        false => None,
                    };
                    if flag.is_none() {
                        self.done.lost_keywords.insert(name.clone());
                    }
                    self.keywords.insert(name.clone(), flag);
                    flag
                }
            };
            all = known.map_or(all, |flag| all.union(flag));
        }
        Ok(all)
    }

    /// A whole message.
    fn admit(&mut self, message: Message, flags: Flags, received: i64) -> Result<(), StoreError> {
        let (spool, likeness) = message.end()?;
        let Some(spool) = spool else {
            self.done.too_long += 1;
            return Ok(());
        };
        if let (Some(known), Some(likeness)) = (&mut self.known, likeness)
            && !known.insert(likeness)
        {
            self.done.doubles += 1;
            return Ok(());
        }
        self.batch_octets += spool.octets();
        self.batch.push(Incoming {
            spool,
            flags,
            received: Some(received),
        });
        if self.batch.len() >= limits::IMPORT_MESSAGES || self.batch_octets >= limits::IMPORT_OCTETS
        {
            self.flush()?;
        }
        Ok(())
    }

    fn flush(&mut self) -> Result<(), StoreError> {
        let batch = std::mem::take(&mut self.batch);
        let octets = std::mem::take(&mut self.batch_octets);
        if batch.is_empty() {
            return Ok(());
        }
        let (uids, _durable) = self.mailbox.append_all(batch)?;
        self.done.messages += uids.len() as u64;
        self.done.octets += octets;
        Ok(())
    }
}

/// A message that is being taken.
struct Message {
    /// `None` once it is too long.
    spool: Option<Spool>,
    ends: LineEnds,
    last: u8,
    reading: Option<Reading>,
}

impl Message {
    fn begin(importer: &Importer) -> Result<Self, StoreError> {
        Ok(Self {
            spool: Some(importer.mailbox.spool()?),
            ends: LineEnds::new(),
            last: b'\n',
            reading: importer.known.is_some().then(Reading::default),
        })
    }

    fn text(&mut self, text: &[u8]) -> Result<(), StoreError> {
        let Some(spool) = &mut self.spool else {
            return Ok(());
        };
        let mut outcome = Ok(());
        let reading = &mut self.reading;
        self.ends.text(text, |text| {
            if outcome.is_ok() {
                if let Some(reading) = reading {
                    reading.feed(text);
                }
                outcome = spool.append(text);
            }
        });
        outcome?;
        self.last = text.last().copied().unwrap_or(self.last);
        if spool.octets() > limits::FOREIGN_MESSAGE {
            self.spool = None;
        }
        Ok(())
    }

    fn end(mut self) -> Result<(Option<Spool>, Option<Likeness>), StoreError> {
        // RFC 5322 §2.1: a message is lines.
        if self.last != b'\n' && self.last != b'\r' {
            self.text(b"\n")?;
        }
        Ok((self.spool, self.reading.map(Reading::finish)))
    }
}

/// Takes what is in an mbox.
struct Taking<'a> {
    importer: &'a mut Importer,
    /// The file once more, and its length, where it can be looked at in any place.
    seekable: Option<(File, u64)>,
    from: Option<FromLine>,
    message: Option<Message>,
}

impl Sink for Taking<'_> {
    type Error = StoreError;

    fn begin(&mut self, line: FromLine) -> Result<(), StoreError> {
        self.from = Some(line);
        self.message = Some(Message::begin(self.importer)?);
        Ok(())
    }

    fn text(&mut self, text: &[u8]) -> Result<(), StoreError> {
        match &mut self.message {
            Some(message) => message.text(text),
            None => Ok(()),
        }
    }

    fn end(&mut self, facts: Facts) -> Result<(), StoreError> {
        let (Some(message), Some(from)) = (self.message.take(), self.from.take()) else {
            return Ok(());
        };
        if facts.is_internal || facts.is_expunged {
            self.importer.done.passed_over += 1;
            return Ok(());
        }
        let pairs = [
            (Marks::SEEN, Flags::SEEN),
            (Marks::ANSWERED, Flags::ANSWERED),
            (Marks::FLAGGED, Flags::FLAGGED),
            (Marks::DELETED, Flags::DELETED),
            (Marks::DRAFT, Flags::DRAFT),
            (Marks::PASSED, Flags::PASSED),
        ];
        let flags = pairs
            .into_iter()
            .filter(|(mark, _)| facts.marks.contains(*mark))
            .fold(Flags::default(), |flags, (_, flag)| flags.union(flag));
        let flags = self.importer.with_keywords(flags, &facts.keywords)?;
        self.importer.admit(message, flags, from.received)
    }

    fn claim(&mut self, from: u64, octets: u64) -> Claim {
        match &self.seekable {
            Some((file, length)) => claim(file, *length, from, octets),
            None => Claim::False,
        }
    }
}

/// Looks whether a message of so many octets is followed by the next one, or by the end; and whether it was quoted.
fn claim(file: &File, length: u64, from: u64, octets: u64) -> Claim {
    let Some(end) = from.checked_add(octets).filter(|&end| end <= length) else {
        return Claim::False;
    };
    let mut block = vec![0; limits::BLOCK];
    let read = |block: &mut [u8], from: u64| {
        let mut octets = 0;
        while octets < block.len() {
            match file.read_at(&mut block[octets..], from + octets as u64) {
                Ok(0) | Err(_) => break,
                Ok(more) => octets += more,
            }
        }
        octets
    };
    let after = read(&mut block[..1100], end);
    let mut rest = &block[..after];
    while let [b'\n', more @ ..] | [b'\r', b'\n', more @ ..] = rest {
        rest = more;
    }
    let line = rest.split(|&octet| octet == b'\n').next();
    let leads_on = rest.is_empty() && end + after as u64 >= length
        || line.is_some_and(|line| FromLine::parse(line).is_some());
    if !leads_on {
        return Claim::False;
    }
    // The last octets of a block stand at the beginning of the next one.
    const OVERLAP: usize = 6;
    block[..OVERLAP].copy_from_slice(b"     \n");
    let mut place = from;
    while place < end {
        let want = usize::try_from(end - place).unwrap_or(usize::MAX);
        let want = want.min(block.len() - OVERLAP);
        let octets = read(&mut block[OVERLAP..OVERLAP + want], place);
        if octets == 0 {
            break;
        }
        let text = &block[..OVERLAP + octets];
        if memchr::memmem::find(text, b"\nFrom ").is_some() {
            return Claim::AsIs;
        }
        place += octets as u64;
        block.copy_within(octets..octets + OVERLAP, 0);
    }
    Claim::Quoted
}

/// The Maildirs at and below `root`, as mailboxes below it are called: `""` is the root itself. Both ways to nest them are known:
/// Maildir++ (`.Lists.Debian`) and directories in directories (`Lists/Debian`). Sorted by name.
///
/// # Errors
/// Those of the directory at `root`.
pub fn maildirs(root: &Path) -> Result<Vec<(PathBuf, String)>, ToolError> {
    let mut found = Vec::new();
    let directory = Foreign::open(root).map_err(at(root))?;
    walk(&directory, root, "", 0, &mut found).map_err(at(root))?;
    found.sort_by(|(_, one), (_, other)| one.cmp(other));
    Ok(found)
}

fn walk(
    directory: &Foreign,
    path: &Path,
    name: &str,
    depth: usize,
    found: &mut Vec<(PathBuf, String)>,
) -> std::io::Result<()> {
    let (names, _) = directory.names()?;
    if ["cur", "new"]
        .iter()
        .any(|part| names.iter().any(|name| name == part))
    {
        found.push((path.to_path_buf(), name.to_owned()));
    }
    if depth >= limits::FOLDER_LEVELS {
        return Ok(());
    }
    for below in names {
        let levels = match below.strip_prefix('.') {
            _ if ["cur", "new", "tmp"].contains(&&*below) => continue,
            Some("") => continue,
            Some(rest) if rest.starts_with('.') => continue,
            Some(rest) => rest.split('.').map(level).collect::<Vec<_>>().join("/"),
            None => level(&below),
        };
        let Some(inside) = directory.directory(&below)? else {
            continue;
        };
        let full = match name {
            "" => levels,
            name => format!("{name}/{levels}"),
        };
        walk(&inside, &path.join(&below), &full, depth + 1, found)?;
    }
    Ok(())
}

/// One level of a name, as a mailbox here may have it.
fn level(name: &str) -> String {
    let name = utf7::decode(name).unwrap_or_else(|| name.to_owned());
    let usable = name.replace(['.', '/'], "_");
    usable
        .chars()
        .filter(|letter| !letter.is_control())
        .collect()
}
