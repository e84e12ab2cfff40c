//! Mail on its way out of a mailbox, into files of other programs.
//!
//! A message that goes while it is its turn is left out; everything else is either written whole or an error. What was written into a
//! Maildir is on disk when it returns, and comes into sight whole or not at all.

use std::collections::HashSet;
use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::Path;
use std::time::{Duration, SystemTime};

use super::{ToolError, at};
use crate::limits;
use crate::store::keywords::{self, Keywords};
use crate::store::uidlist::{self, UidList};
use crate::store::{Flags, Index, Mailbox, StoreError, fs, names};
use crate::wire::mbox::{FromLine, Marks, Text};
use crate::wire::mime::header;

impl Mailbox {
    /// Writes all messages as an mbox (mboxrd), which `path` names in errors; returns how many.
    ///
    /// # Errors
    /// The store's, and those of `mbox`.
    pub fn export_mbox(&self, mbox: &mut dyn Write, path: &Path) -> Result<u64, ToolError> {
        let index = self.sync()?;
        let mut block = vec![0; limits::BLOCK];
        let mut out = Vec::with_capacity(2 * limits::BLOCK);
        let mut count = 0;
        for entry in &index.messages {
            let (mut file, entry) = match self.open(entry.uid) {
                Err(StoreError::NoSuchMessage) => continue,
                opened => opened?,
            };
            let first = read_block(&mut file, &mut block)?;
            let from = FromLine {
                sender: sender(&block[..first]).into(),
                received: fs::Stat::of(&file).map_err(StoreError::Io)?.seconds(),
            };
            let keywords = names_of(&index, entry.flags);
            let mut text = Text::begin(&from, marks(entry.flags), &keywords, &mut out);
            let mut octets = first;
            while octets > 0 {
                text.feed(&block[..octets], &mut out);
                mbox.write_all(&out).map_err(at(path))?;
                out.clear();
                octets = read_block(&mut file, &mut block)?;
            }
            text.finish(&mut out);
            mbox.write_all(&out).map_err(at(path))?;
            out.clear();
            count += 1;
        }
        mbox.flush().map_err(at(path))?;
        Ok(count)
    }

    /// Writes all messages into the Maildir at `folder`, made if it is not there, with their names, flags, keywords and times, and into a
    /// new one with their UIDs; returns how many. Those that are there under their name already are left as they are.
    ///
    /// # Errors
    /// The store's, and those of `folder`.
    pub fn export_maildir(&self, folder: &Path) -> Result<u64, ToolError> {
        let index = self.sync()?;
        let there = at(folder);
        for part in ["", "cur", "new", "tmp"] {
            let directory = folder.join(part);
            let made = DirBuilder::new()
                .recursive(part.is_empty())
                .mode(0o700)
                .create(&directory);
            match made {
                Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
                    return Err(ToolError::File(directory, error));
                }
                _ => {}
            }
        }
        let mut known = HashSet::new();
        for part in ["cur", "new"] {
            for name in std::fs::read_dir(folder.join(part)).map_err(&there)? {
                let name = name.map_err(&there)?.file_name();
                known.insert(names::base(&name.to_string_lossy()).to_owned());
            }
        }
        let flags_there = self.their_keywords(&index, folder)?;
        let mut records = self.records();
        let mut count = 0;
        let mut block = vec![0; limits::BLOCK];
        for entry in &index.messages {
            let by_uid = |record: &uidlist::Record| record.uid;
            let Ok(at) = records.records.binary_search_by_key(&entry.uid, by_uid) else {
                continue;
            };
            let record = &records.records[at];
            if known.contains(&*record.base) {
                continue;
            }
            let (mut file, entry) = match self.open(entry.uid) {
                Err(StoreError::NoSuchMessage) => continue,
                opened => opened?,
            };
            let flags = flags_there
                .iter()
                .filter(|(here, _)| entry.flags.contains(*here))
                .fold(
                    Flags(entry.flags.0 & Flags::SYSTEM.0),
                    |flags, (_, there)| flags.union(*there),
                );
            let draft = folder.join("tmp").join(&*record.base);
            let name = names::with_flags(&record.base, flags, Flags(u32::MAX));
            let copied = (|| {
                let mut copy = OpenOptions::new();
                let mut copy = copy.write(true).create_new(true).mode(0o600).open(&draft)?;
                loop {
                    let octets = file.read(&mut block)?;
                    if octets == 0 {
                        break;
                    }
                    copy.write_all(&block[..octets])?;
                }
                let received = u64::try_from(fs::Stat::of(&file)?.seconds()).unwrap_or(0);
                copy.set_modified(SystemTime::UNIX_EPOCH + Duration::from_secs(received))?;
                copy.sync_all()?;
                std::fs::rename(&draft, folder.join("cur").join(name))
            })();
            if let Err(error) = copied {
                let _ = std::fs::remove_file(&draft);
                return Err(ToolError::File(draft, error));
            }
            count += 1;
        }
        let list = folder.join(uidlist::FILE);
        if !list.exists() {
            records.more.clear();
            write_new(&list, records.render().as_bytes()).map_err(at(&list))?;
        }
        for directory in [folder.join("cur"), folder.to_path_buf()] {
            let synced = File::open(&directory).and_then(|directory| directory.sync_all());
            synced.map_err(at(&directory))?;
        }
        Ok(count)
    }

    /// Which flag there each keyword here becomes; the file that says so is written.
    fn their_keywords(
        &self,
        index: &Index,
        folder: &Path,
    ) -> Result<Vec<(Flags, Flags)>, ToolError> {
        let path = folder.join(keywords::FILE);
        let old = match std::fs::read(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
            read => read.map_err(at(&path))?,
        };
        let mut theirs = Keywords::parse(&old);
        let before = theirs.clone();
        let pairs = index
            .named_keywords()
            .filter_map(|(here, name)| {
                Some((here, theirs.find(name).or_else(|| theirs.add(name))?))
            })
            .collect();
        if theirs != before {
            let draft = folder.join("tmp").join(names::unique(SystemTime::now()));
            write_new(&draft, theirs.render().as_bytes())
                .and_then(|()| std::fs::rename(&draft, &path))
                .map_err(at(&path))?;
        }
        Ok(pairs)
    }

    /// The list of UIDs, as it was at the last look.
    fn records(&self) -> UidList {
        let mut state = fs::hold(&self.state);
        if let Ok(place) = self.place()
            && let Err(error) = state.fill_in(&self.folder(&place))
        {
            log::warn!("{place:?}: {error}");
        }
        state.list.clone()
    }
}

fn write_new(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut options = OpenOptions::new();
    let mut file = options
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

fn read_block(file: &mut File, block: &mut [u8]) -> Result<usize, StoreError> {
    let mut octets = 0;
    while octets < block.len() {
        match file.read(&mut block[octets..])? {
            0 => break,
            more => octets += more,
        }
    }
    Ok(octets)
}

/// Whom the message came from, as delivery wrote it down (RFC 5321 §4.4).
pub(in crate::store) fn sender(beginning: &[u8]) -> String {
    let header = &beginning[..header::header_octets(beginning)];
    let path = header::value(header, "Return-Path");
    let path = String::from_utf8_lossy(path.as_deref().unwrap_or_default()).into_owned();
    let path = path.trim();
    let path = path.strip_prefix('<').unwrap_or(path);
    path.strip_suffix('>').unwrap_or(path).to_owned()
}

fn names_of(index: &Index, flags: Flags) -> Vec<&str> {
    index
        .named_keywords()
        .filter(|(flag, _)| flags.contains(*flag))
        .map(|(_, name)| name)
        .collect()
}

fn marks(flags: Flags) -> Marks {
    [
        (Flags::SEEN, Marks::SEEN),
        (Flags::ANSWERED, Marks::ANSWERED),
        (Flags::FLAGGED, Marks::FLAGGED),
        (Flags::DELETED, Marks::DELETED),
        (Flags::DRAFT, Marks::DRAFT),
    ]
    .into_iter()
    .filter(|(flag, _)| flags.contains(*flag))
    .fold(Marks::default(), |marks, (_, mark)| marks.with(mark))
}
