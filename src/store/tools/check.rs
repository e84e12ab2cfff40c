//! What is not as it should be in a mailbox, and mending it.
//!
//! Mending keeps every UID that can be read, and gives none a second time: the list of UIDs is written anew under its lock, with a next UID
//! above all that ever stood in it, before a file gets another name. A message whose name told a wrong size gets a right one and keeps
//! its UID and what identifies it (field `G`). No message is ever removed.

use std::collections::{HashMap, HashSet};
use std::fs::Metadata;
use std::io;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use crate::limits;
use crate::store::fs::{self, hold};
use crate::store::keywords::{self, Keywords};
use crate::store::look::{Folder, sweep};
use crate::store::uidlist::{self, UidList};
use crate::store::{Account, Store, StoreError, cache, folders, lines, names};

/// Something that was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// What, in words, of one or several.
    pub what: String,
    /// How often.
    pub count: u64,
    /// The first of them, when they have names.
    pub example: String,
    /// What became of it.
    pub state: State,
}

/// What became of a finding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// It is worth knowing, and no fault; or nothing that a program should decide.
    Note,
    /// It is a fault.
    Fault,
    /// It was a fault.
    Mended,
}

/// What is found, each kind once.
#[derive(Debug, Default)]
struct Findings(Vec<Finding>);

impl Findings {
    fn add(&mut self, state: State, what: &str, count: u64, example: &str) {
        if count == 0 {
            return;
        }
        match self.0.iter_mut().find(|finding| finding.what == what) {
            Some(finding) => finding.count += count,
            None => self.0.push(Finding {
                what: what.to_owned(),
                count,
                example: example.to_owned(),
                state,
            }),
        }
    }
    fn fault(&mut self, what: &str, example: &str) {
        self.add(State::Fault, what, 1, example);
    }
    fn note(&mut self, what: &str, example: &str) {
        self.add(State::Note, what, 1, example);
    }
}

/// A file whose name, or whose line in the list, tells a wrong size.
struct Missized {
    part: &'static str,
    name: String,
    octets: u64,
    size: u64,
}

const WRONG_SUM: &str = "sums of the quota that are wrong";
const BAD_CACHE: &str = "damaged caches, which are made anew";
const WRONG_SIZE: &str = "messages whose size is not what their name or dovecot-uidlist says";

impl Store {
    /// Looks at a mailbox: reads all of its files. Changes nothing.
    ///
    /// # Errors
    /// `NoSuchMailbox`, and the disk's.
    pub fn check(&self, account: &Account, mailbox: &str) -> Result<Vec<Finding>, StoreError> {
        let place = Self::place_of(account, mailbox)?;
        if self.shared.disk.stat(&place).is_err() {
            return Err(StoreError::NoSuchMailbox);
        }
        Ok(self.examine(account, &place)?.0.0)
    }

    /// Mends what can be mended; what was found, and what became of it.
    ///
    /// # Errors
    /// `NoSuchMailbox`, `Busy` while another program holds the list of UIDs, and the disk's.
    pub fn repair(&self, account: &Account, mailbox: &str) -> Result<Vec<Finding>, StoreError> {
        let mut found = self.check(account, mailbox)?;
        let opened = self.mailbox(account, mailbox)?;
        let place = opened.place()?;
        let folder = opened.folder(&place);
        self.mend(&folder, account, &place)?;
        // UIDs for what has none, and the cache.
        hold(&opened.state).look_anyway(&folder)?;
        let left = self.check(account, mailbox)?;
        for finding in &mut found {
            if finding.state == State::Fault && !left.iter().any(|one| one.what == finding.what) {
                finding.state = State::Mended;
            }
        }
        for finding in left {
            if !found.iter().any(|one| one.what == finding.what) {
                found.push(finding);
            }
        }
        Ok(found)
    }

    /// What does not belong to one mailbox.
    ///
    /// # Errors
    /// The disk's.
    pub fn check_account(&self, account: &Account) -> Result<Vec<Finding>, StoreError> {
        let disk = &*self.shared.disk;
        let mut findings = Findings::default();
        for name in disk.list(&account.home)? {
            let path = account.home.join(&name);
            let is_directory = || disk.stat(&path).is_ok_and(|stat| stat.is_directory);
            if name.starts_with(folders::REMOVED) && is_directory() {
                findings.fault("folders left of a mailbox that was deleted", &name);
            } else if name.starts_with('.') && !name.starts_with("..") && is_directory() {
                let mailboxes = self.existing(account)?;
                let reached = mailboxes.iter().any(|mailbox| {
                    Self::place_of(account, mailbox).is_ok_and(|place| place == path)
                });
                if !reached {
                    findings.note(
                        "folders whose name is not modified UTF-7, so that no client sees them",
                        &name,
                    );
                }
            }
        }
        let mailboxes = self.existing(account)?;
        for name in self.subscriptions(account)? {
            if !mailboxes.contains(&name) {
                findings.note("subscriptions to mailboxes that are not there", &name);
            }
        }
        if let Some((kept, real)) = self.shared.quotas.compare(disk, &account.home)?
            && kept != real
        {
            let example = format!(
                "maildirsize: {} octets, {} messages; there are {} and {}",
                kept.octets, kept.messages, real.octets, real.messages
            );
            findings.fault(WRONG_SUM, &example);
        }
        Ok(findings.0)
    }

    /// Mends that.
    ///
    /// # Errors
    /// The disk's.
    pub fn repair_account(&self, account: &Account) -> Result<Vec<Finding>, StoreError> {
        let disk = &*self.shared.disk;
        let mut found = self.check_account(account)?;
        for name in disk.list(&account.home)? {
            if name.starts_with(folders::REMOVED) {
                fs::remove_tree(disk, &account.home.join(&name))?;
            }
        }
        if found.iter().any(|finding| finding.what == WRONG_SUM) {
            self.shared.quotas.drop_sum(disk, &account.home);
        }
        let left = self.check_account(account)?;
        for finding in &mut found {
            if finding.state == State::Fault && !left.iter().any(|one| one.what == finding.what) {
                finding.state = State::Mended;
            }
        }
        Ok(found)
    }

    fn examine(
        &self,
        account: &Account,
        place: &Path,
    ) -> Result<(Findings, Vec<Missized>), StoreError> {
        let disk = &*self.shared.disk;
        let folder = Folder {
            shared: &self.shared,
            home: &account.home,
            path: place,
        };
        let mut findings = Findings::default();
        for part in ["cur", "new", "tmp"] {
            if !disk
                .stat(&folder.part(part))
                .is_ok_and(|stat| stat.is_directory)
            {
                findings.fault(
                    "directories that a Maildir must have and that are missing",
                    part,
                );
            }
        }
        let read = fs::read_whole(disk, &folder.part(uidlist::FILE))?;
        let bytes = read.map(|(bytes, _)| bytes);
        let list = UidList::parse(bytes.as_deref().unwrap_or_default());
        for (what, count) in bytes.as_deref().map(uidlist::faults).unwrap_or_default() {
            findings.add(State::Fault, what, count, "");
        }
        let known = Keywords::parse(
            &fs::read_whole(disk, &folder.part(keywords::FILE))?
                .map(|(bytes, _)| bytes)
                .unwrap_or_default(),
        )
        .known();
        let by_base: HashMap<&str, &uidlist::Record> = list
            .records
            .iter()
            .map(|record| (&*record.base, record))
            .collect();
        let mut missized = Vec::new();
        let mut seen: HashSet<String> = HashSet::new();
        for (part, name, metadata) in files(place)? {
            let Some(metadata) = metadata else {
                findings.note(
                    "files that are no messages (directories, links ...) among the mail",
                    &name,
                );
                continue;
            };
            let base = names::base(&name).to_owned();
            let record = by_base.get(&*base);
            if part == "cur" && record.is_none() && bytes.is_some() {
                findings.note("messages without a UID yet", &name);
            }
            if !seen.insert(base) {
                findings.fault("messages of the same name as another one", &name);
            }
            if !known.contains(names::flags(&name)) {
                findings.note(
                    "messages with a keyword that dovecot-keywords has no name for",
                    &name,
                );
            }
            let octets = metadata.len();
            if octets == 0 {
                findings.note("messages without a single octet", &name);
            }
            let path = place.join(part).join(&name);
            let size = match disk.open(&path).and_then(lines::count_crlf) {
                Ok(size) => size,
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                Err(error) => {
                    findings.fault("messages that cannot be read", &format!("{name}: {error}"));
                    continue;
                }
            };
            let says = [
                (names::octets(&name), octets),
                (names::size(&name), size),
                (record.and_then(|record| record.octets()), octets),
                (record.and_then(|record| record.size()), size),
            ];
            if says
                .iter()
                .any(|(says, is)| says.is_some_and(|says| says != *is))
            {
                findings.fault(WRONG_SIZE, &name);
                missized.push(Missized {
                    part,
                    name,
                    octets,
                    size,
                });
            }
        }
        let gone = list
            .records
            .iter()
            .filter(|record| !seen.contains(&*record.base));
        let gone = gone.count() as u64;
        let what = format!(
            "lines in {} of messages that are gone, which do no harm",
            uidlist::FILE
        );
        findings.add(State::Note, &what, gone, "");
        let oldest =
            fs::nanoseconds(SystemTime::now()) - limits::TMP_STALE.as_nanos().cast_signed();
        for name in disk.list(&folder.part("tmp")).unwrap_or_default() {
            match disk.stat(&folder.part("tmp").join(&name)) {
                Ok(stat) if stat.is_directory => {}
                Ok(stat) if stat.changed < oldest => {
                    findings.fault(
                        "files in tmp/ that nobody will finish, of more than 36 hours",
                        &name,
                    );
                }
                Ok(_) => findings.note("files in tmp/ that somebody may be writing", &name),
                Err(_) => {}
            }
        }
        let cached = match disk.stat(&folder.part(cache::FILE)) {
            Ok(stat) if stat.octets > limits::CACHE_OCTETS => Some(false),
            _ => fs::read_whole(disk, &folder.part(cache::FILE))?
                .map(|(bytes, _)| cache::is_sound(&bytes, list.validity)),
        };
        if cached == Some(false) {
            findings.fault(BAD_CACHE, cache::FILE);
        }
        Ok((findings, missized))
    }

    fn mend(&self, folder: &Folder<'_>, account: &Account, place: &Path) -> Result<(), StoreError> {
        let disk = folder.disk();
        self.shared.forget_ready(place);
        self.shared.ready_folder(place)?;
        sweep(folder, fs::nanoseconds(SystemTime::now()));
        let lock = folder.lock()?;
        // Under the lock, so that nobody gives UIDs or names meanwhile.
        let (findings, missized) = self.examine(account, place)?;
        let path = folder.part(uidlist::FILE);
        let list_is_faulty = |finding: &Finding| {
            finding.state == State::Fault && finding.what.ends_with(uidlist::FILE)
        };
        let read = fs::read_whole(disk, &path)?;
        if let Some((bytes, _)) = read
            && (!missized.is_empty() || findings.0.iter().any(list_is_faulty))
        {
            let mut list = UidList::parse(&bytes);
            let renamed = rename(&mut list, &missized);
            // Without a UIDVALIDITY or a GUID the next look gives one, and writes the list.
            if list.validity != 0 && !list.guid.is_empty() {
                fs::replace(disk, &folder.part("tmp"), &path, list.render().as_bytes())?;
            }
            for (part, old, new) in renamed {
                let part = folder.part(part);
                match disk.rename(&part.join(old), &part.join(new)) {
                    // It was removed, or got other flags: the next run sees.
                    Err(error) if error.kind() != io::ErrorKind::NotFound => {
                        return Err(error.into());
                    }
                    _ => {}
                }
            }
            disk.sync_directory(&folder.part("cur"))?;
            disk.sync_directory(&folder.part("new"))?;
        }
        if findings.0.iter().any(|finding| finding.what == BAD_CACHE) {
            match disk.unlink(&folder.part(cache::FILE)) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error.into()),
                _ => {}
            }
        }
        drop(lock);
        Ok(())
    }
}

/// Gives messages names that tell their size rightly; their lines in the list keep UID and identity.
fn rename(list: &mut UidList, missized: &[Missized]) -> Vec<(&'static str, String, String)> {
    let mut renamed = Vec::new();
    for file in missized {
        let old = names::base(&file.name);
        let says_size = names::octets(&file.name).is_some() || names::size(&file.name).is_some();
        let base = match says_size {
            true => {
                let parts = old.split(',').enumerate();
                let kept = parts.filter(|(at, part)| {
                    *at == 0 || !(part.starts_with("S=") || part.starts_with("W="))
                });
                let kept: Vec<&str> = kept.map(|(_, part)| part).collect();
                format!("{},S={},W={}", kept.join(","), file.octets, file.size)
            }
            false => old.to_owned(),
        };
        if let Some(record) = list.records.iter_mut().find(|record| *record.base == *old) {
            let guid = record.guid().to_owned();
            let is_size = |field: &&str| field.starts_with('W') || field.starts_with('S');
            let mut fields: Vec<String> = record
                .fields
                .split(' ')
                .filter(|field| !field.is_empty() && !is_size(field))
                .map(str::to_owned)
                .collect();
            if base != old && !fields.iter().any(|field| field.starts_with('G')) {
                fields.insert(0, format!("G{guid}"));
            }
            if !says_size {
                fields.insert(0, format!("W{}", file.size));
            }
            record.fields = fields.join(" ").into();
            record.base = base.clone().into();
        }
        if base != old {
            let info = file.name.get(old.len()..).unwrap_or("");
            renamed.push((file.part, file.name.clone(), format!("{base}{info}")));
        }
    }
    renamed
}

/// All files that are mail, `new/` first; without their metadata those that are none.
fn files(place: &Path) -> io::Result<Vec<(&'static str, String, Option<Metadata>)>> {
    let mut files = Vec::new();
    for part in ["new", "cur"] {
        let directory: PathBuf = place.join(part);
        let entries = match std::fs::read_dir(&directory) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            entries => entries?,
        };
        for entry in entries {
            let entry = entry?;
            let name = entry.file_name();
            if name.as_encoded_bytes().starts_with(b".") {
                continue;
            }
            let metadata = match entry.metadata() {
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                metadata => metadata?,
            };
            let is_message = metadata.is_file() && name.to_str().is_some();
            let name = name.to_string_lossy().into_owned();
            files.push((part, name, is_message.then_some(metadata)));
        }
    }
    Ok(files)
}
