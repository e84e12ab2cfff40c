//! The tree of an account's mailboxes, as Maildir++ has it: INBOX is the account's directory itself, every other mailbox
//! one directory in it, whatever its level.
//!
//! ```text
//! alice/cur new tmp          INBOX
//! alice/.Sent/               Sent
//! alice/.Lists.Debian/       Lists/Debian; Lists need not be there
//! alice/.Envoy&AOk-s/        Envoyés: names in modified UTF-7, as Dovecot's default is
//! alice/subscriptions        one name a line
//! ```

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use super::fs::Stat;
use super::lock::DotLock;
use super::others::OTHERS;
use super::vigil::Mark;
use super::{Account, Mailbox, Store, StoreError, acl, fs, metadata, names};
use crate::limits;
use crate::wire::utf7;

/// How often the folders of an account are listed when one of them is renamed meanwhile.
const LOOKS: u32 = 4;

impl Store {
    /// The mailbox in a folder.
    pub(super) fn open_folder(
        &self,
        account: &Account,
        folder: &FolderName,
    ) -> Result<Arc<Mailbox>, StoreError> {
        self.shared.ready_account(&account.home)?;
        let place = folder.place(&account.home);
        self.shared
            .ready_folder(&place)
            .map_err(|error| match error.kind() {
                io::ErrorKind::NotFound => StoreError::NoSuchMailbox,
                _ => error.into(),
            })?;
        Ok(self.shared.open(&account.home, &place))
    }

    /// All mailboxes, INBOX first, then sorted; parents that are no mailboxes themselves are not among them.
    pub fn mailboxes(&self, account: &Account) -> Result<Vec<String>, StoreError> {
        self.shared.ready_account(&account.home)?;
        self.existing(account)
    }

    /// The same, and nothing is made.
    ///
    /// # Errors
    /// The disk's.
    pub fn existing(&self, account: &Account) -> Result<Vec<String>, StoreError> {
        let names = self.names_and_origins(account)?;
        Ok(names.into_iter().map(|(name, _)| name).collect())
    }

    /// The same as [`Store::mailboxes`], each with its origin; INBOX, which is never renamed, has none.
    ///
    /// # Errors
    /// The disk's.
    pub fn mailboxes_and_origins(
        &self,
        account: &Account,
    ) -> Result<Vec<(String, Option<Origin>)>, StoreError> {
        self.shared.ready_account(&account.home)?;
        self.names_and_origins(account)
    }

    fn names_and_origins(
        &self,
        account: &Account,
    ) -> Result<Vec<(String, Option<Origin>)>, StoreError> {
        let named = |(folder, stat): (FolderName, Stat)| {
            let name = folder.to_name();
            if name.is_none() {
                log::warn!("{:?}: {folder:?} is not modified UTF-7", account.home);
            }
            Some((name?, Some(Origin(stat.inode, stat.born))))
        };
        let folders = self.folders_with_stat(account)?;
        let mut names: Vec<_> = folders.into_iter().filter_map(named).collect();
        names.sort_unstable();
        names.insert(0, (INBOX.to_owned(), None));
        Ok(names)
    }

    /// Where the mailbox of this name is, if it is.
    pub(super) fn place_of(account: &Account, name: &str) -> Result<PathBuf, StoreError> {
        Ok(FolderName::parse(name)?.place(&account.home))
    }

    /// Makes a folder, with this file of rights if it is not empty; parents are not made.
    pub(super) fn make(
        &self,
        account: &Account,
        folder: &FolderName,
        acl: &[u8],
    ) -> Result<(), StoreError> {
        let FolderName::Folder(directory) = folder else {
            return Err(StoreError::AlreadyExists);
        };
        let disk = &*self.shared.disk;
        self.shared.ready_account(&account.home)?;
        let place = folder.place(&account.home);
        if disk.stat(&place).is_ok() {
            return Err(StoreError::AlreadyExists);
        }
        // Made aside, then renamed: nobody sees a folder that lacks a part.
        let draft = account
            .home
            .join(format!("{REMOVED}.{}", names::unique(SystemTime::now())));
        let made = (|| {
            disk.make_directory(&draft)?;
            for part in ["cur", "new", "tmp"] {
                disk.make_directory(&draft.join(part))?;
            }
            // Maildir++: the mark of a folder, for delivery agents.
            drop(disk.create(&draft.join("maildirfolder"))?);
            if !acl.is_empty() {
                let file = disk.create(&draft.join(acl::FILE))?;
                disk.write(&file, acl)?;
                disk.sync_file(&file)?;
            }
            disk.sync_directory(&draft)?;
            disk.rename(&draft, &place)?;
            disk.sync_directory(&account.home)
        })();
        if made.is_err() {
            let _ = fs::remove_tree(disk, &draft);
        }
        if made.is_ok() {
            self.shared.hub.mark(&account.home, || Some(Mark::Names));
        }
        made.map_err(|error| match error.kind() {
            io::ErrorKind::DirectoryNotEmpty | io::ErrorKind::AlreadyExists => {
                StoreError::AlreadyExists
            }
            io::ErrorKind::InvalidFilename => {
                log::warn!("{directory:?} is refused by the file system");
                StoreError::BadName("the file system does not take this name")
            }
            _ => error.into(),
        })
    }

    /// Deletes a folder with its mail; its children stay.
    pub(super) fn remove(&self, account: &Account, folder: &FolderName) -> Result<(), StoreError> {
        let FolderName::Folder(directory) = folder else {
            return Err(StoreError::Forbidden("INBOX cannot be deleted"));
        };
        let disk = &*self.shared.disk;
        let place = folder.place(&account.home);
        let removed = account
            .home
            .join(format!("{REMOVED}.{}", names::unique(SystemTime::now())));
        disk.rename(&place, &removed)
            .map_err(|error| match error.kind() {
                io::ErrorKind::NotFound => StoreError::NoSuchMailbox,
                _ => error.into(),
            })?;
        self.shared.moved(&place, None);
        self.shared.hub.mark(&account.home, || Some(Mark::Names));
        disk.sync_directory(&account.home)?;
        self.uses_moved(account, directory, None);
        // Also what a crash left behind. When it cannot be removed now, then the next time.
        for name in disk.list(&account.home)? {
            if name.starts_with(REMOVED)
                && let Err(error) = fs::remove_tree(disk, &account.home.join(&name))
            {
                log::warn!("{:?}: {name:?} cannot be removed: {error}", account.home);
            }
        }
        self.shared.quotas.forget(disk, &account.home);
        Ok(())
    }

    /// Renames a folder and its children. INBOX: its mail moves, the folder stays (RFC 9051 §6.3.6).
    pub(super) fn move_folder(
        &self,
        account: &Account,
        from: &FolderName,
        to: &FolderName,
    ) -> Result<(), StoreError> {
        let FolderName::Folder(target) = to else {
            return Err(StoreError::AlreadyExists);
        };
        if self.exists(account, to) {
            return Err(StoreError::AlreadyExists);
        }
        let FolderName::Folder(source) = from else {
            return self.rename_inbox(account, to);
        };
        let children = format!("{source}.");
        if target.starts_with(&children) {
            return Err(StoreError::Forbidden(
                "a mailbox cannot be moved into itself",
            ));
        }
        let disk = &*self.shared.disk;
        let mut moves = Vec::new();
        for folder in self.folders(account)? {
            let FolderName::Folder(directory) = &folder else {
                continue;
            };
            let below = directory.strip_prefix(&children);
            let new = match below {
                Some(below) => format!("{target}.{below}"),
                None if directory == source => target.clone(),
                None => continue,
            };
            if new.len() > limits::FOLDER_NAME {
                return Err(TOO_LONG);
            }
            let new = FolderName::Folder(new);
            if self.exists(account, &new) {
                return Err(StoreError::AlreadyExists);
            }
            moves.push((folder.place(&account.home), new.place(&account.home)));
        }
        // The mailbox before those below it.
        moves.sort();
        if moves.is_empty() {
            return Err(StoreError::NoSuchMailbox);
        }
        for (at, (old, new)) in moves.iter().enumerate() {
            if let Err(error) = disk.rename(old, new) {
                for (old, new) in &moves[..at] {
                    if disk.rename(new, old).is_ok() {
                        self.shared.moved(new, Some(old));
                    }
                }
                return Err(error.into());
            }
            self.shared.moved(old, Some(new));
        }
        let renamed = || Some(Mark::Renamed(from.to_name()?, to.to_name()?));
        self.shared.hub.mark(&account.home, renamed);
        self.uses_moved(account, source, Some(target));
        Ok(disk.sync_directory(&account.home)?)
    }

    /// The names subscribed to, whether such mailboxes exist or not.
    pub fn subscriptions(&self, account: &Account) -> Result<Vec<String>, StoreError> {
        let path = account.home.join(SUBSCRIPTIONS);
        let read = fs::read_whole(&*self.shared.disk, &path)?;
        let bytes = read.map_or_else(Vec::new, |(bytes, _)| bytes);
        let mut names: Vec<String> = subscribed(&bytes)
            .iter()
            .filter_map(|line| name_of_line(line))
            .collect();
        names.sort_unstable();
        names.dedup();
        Ok(names)
    }

    /// Adds a name to the subscriptions; there already is no error.
    pub fn subscribe(&self, account: &Account, name: &str) -> Result<(), StoreError> {
        let line = self.line_of_name(account, name)?;
        self.change_subscriptions(account, |lines| {
            if !lines.contains(&line) {
                lines.push(line);
            }
        })
    }

    /// Takes a name from the subscriptions; not there is no error.
    pub fn unsubscribe(&self, account: &Account, name: &str) -> Result<(), StoreError> {
        let line = self.line_of_name(account, name)?;
        self.change_subscriptions(account, |lines| lines.retain(|known| *known != line))
    }

    /// How a name stands in the file: its levels in modified UTF-7, with tabs between them. No name holds one.
    fn line_of_name(&self, account: &Account, name: &str) -> Result<String, StoreError> {
        let levels = |name: &str| {
            let levels: Vec<String> = name.split('/').map(utf7::encode).collect();
            levels.join("\t")
        };
        match FolderName::parse(name) {
            Ok(folder) => Ok(folder
                .to_name()
                .as_deref()
                .map_or_else(|| levels(name), levels)),
            Err(error) => match self.locate(account, name) {
                // The name of a user may hold a dot.
                Ok(located) if !located.is_own => Ok(levels(name)),
                _ => Err(error),
            },
        }
    }

    fn change_subscriptions(
        &self,
        account: &Account,
        change: impl FnOnce(&mut Vec<String>),
    ) -> Result<(), StoreError> {
        let disk = &*self.shared.disk;
        self.shared.ready_account(&account.home)?;
        let path = account.home.join(SUBSCRIPTIONS);
        let _lock = DotLock::acquire(disk, &path)?;
        let read = fs::read_whole(disk, &path)?;
        let old = subscribed(&read.map_or_else(Vec::new, |(bytes, _)| bytes));
        let mut lines = old.clone();
        change(&mut lines);
        if lines == old {
            return Ok(());
        }
        let mut text = VERSION_2.to_owned();
        for line in lines {
            text.push_str(&line);
            text.push('\n');
        }
        let tmp = account.home.join("tmp");
        fs::replace(disk, &tmp, &path, text.as_bytes())?;
        self.shared
            .hub
            .mark(&account.home, || Some(Mark::Subscriptions));
        Ok(())
    }

    /// RFC 9051 §6.3.6: a new mailbox takes the mail of INBOX; INBOX stays, and is empty.
    fn rename_inbox(&self, account: &Account, to: &FolderName) -> Result<(), StoreError> {
        self.make(account, to, b"")?;
        let inbox = self.open_folder(account, &FolderName::Inbox)?;
        let target = self.open_folder(account, to)?;
        let index = inbox.sync()?;
        let uids: Vec<u32> = index.messages.iter().map(|entry| entry.uid).collect();
        metadata::copy(&*self.shared.disk, &account.home, &to.place(&account.home))?;
        if uids.is_empty() {
            return Ok(());
        }
        if let Err(error) = inbox.copy(&uids, &target) {
            drop(target);
            self.remove(account, to)?;
            return Err(error);
        }
        inbox.expunge(&uids)?;
        Ok(())
    }

    pub(super) fn exists(&self, account: &Account, folder: &FolderName) -> bool {
        let place = folder.place(&account.home);
        self.shared.disk.stat(&place).is_ok()
    }

    /// The directories that are folders, in no order.
    pub(super) fn folders(&self, account: &Account) -> Result<Vec<FolderName>, StoreError> {
        let folders = self.folders_with_stat(account)?;
        Ok(folders.into_iter().map(|(folder, _)| folder).collect())
    }

    /// The same, with what the file system says of each.
    fn folders_with_stat(&self, account: &Account) -> Result<Vec<(FolderName, Stat)>, StoreError> {
        let disk = &*self.shared.disk;
        let mut looks = 1;
        'look: loop {
            let names = match disk.list(&account.home) {
                Ok(names) => names,
                Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
                Err(error) => return Err(error.into()),
            };
            let mut folders = Vec::new();
            for name in names {
                if name.len() < 2 || !name.starts_with('.') || name.starts_with("..") {
                    continue;
                }
                match disk.stat(&account.home.join(&name)) {
                    Ok(stat) if stat.is_directory => {
                        folders.push((FolderName::Folder(name[1..].to_owned()), stat));
                    }
                    // Renamed since it was listed, and its new name is perhaps not among these.
                    Err(error) if error.kind() == io::ErrorKind::NotFound && looks < LOOKS => {
                        looks += 1;
                        continue 'look;
                    }
                    _ => {}
                }
            }
            return Ok(folders);
        }
    }
}

/// What tells a mailbox from all others on its disk, also when it is called otherwise: the inode of its directory, and when that
/// was made, because inodes are used again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Origin(u64, i128);

/// What the mailbox in `place` of the account of `home` is called, as users have it.
pub(super) fn name_at(home: &Path, place: &Path) -> Option<String> {
    if place == home {
        return Some(INBOX.to_owned());
    }
    name_of(place.file_name()?.to_str()?)
}

/// The same, of the name of its directory; `None` when it is no mailbox.
pub(super) fn name_of(directory: &str) -> Option<String> {
    let directory = directory.strip_prefix('.')?;
    if directory.is_empty() || directory.starts_with('.') {
        return None;
    }
    FolderName::Folder(directory.to_owned()).to_name()
}

/// Where the mailbox of this name is, if there is one.
pub(super) fn place_of(home: &Path, name: &str) -> Option<PathBuf> {
    FolderName::parse(name)
        .ok()
        .map(|folder| folder.place(home))
}

/// A mailbox by its name on disk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum FolderName {
    Inbox,
    /// The directory without its leading dot: `Lists.Debian`.
    Folder(String),
}

impl FolderName {
    /// Of a mailbox name as users have it, or why it cannot be one.
    pub(super) fn parse(name: &str) -> Result<Self, StoreError> {
        if name.eq_ignore_ascii_case(INBOX) {
            return Ok(Self::Inbox);
        }
        if let Some(why) = bad_name(name) {
            return Err(StoreError::BadName(why));
        }
        let mut levels = name.split('/');
        let first = levels.next().unwrap_or("");
        // RFC 9051 §5.1: INBOX is INBOX in any case, also as the first level.
        let first = if first.eq_ignore_ascii_case(INBOX) {
            INBOX.to_owned()
        } else {
            utf7::encode(first)
        };
        let directory = levels.fold(first, |mut directory, level| {
            directory.push('.');
            directory.push_str(&utf7::encode(level));
            directory
        });
        if directory.len() >= limits::FOLDER_NAME {
            return Err(TOO_LONG);
        }
        Ok(Self::Folder(directory))
    }

    pub(super) fn place(&self, home: &Path) -> PathBuf {
        match self {
            Self::Inbox => home.to_path_buf(),
            Self::Folder(directory) => home.join(format!(".{directory}")),
        }
    }

    /// As users have it; `None` when it is not modified UTF-7 on disk, so that no name of theirs leads to it.
    pub(super) fn to_name(&self) -> Option<String> {
        let Self::Folder(directory) = self else {
            return Some(INBOX.to_owned());
        };
        let levels: Option<Vec<String>> = directory.split('.').map(utf7::decode).collect();
        let name = levels?.join("/");
        Self::parse(&name)
            .is_ok_and(|same| same == *self)
            .then_some(name)
    }

    /// The folder that it is in, by its name; INBOX for those at the top.
    pub(super) fn above(&self) -> Self {
        match self {
            Self::Inbox => Self::Inbox,
            Self::Folder(directory) => match directory.rsplit_once('.') {
                None | Some((INBOX, _)) => Self::Inbox,
                Some((above, _)) => Self::Folder(above.to_owned()),
            },
        }
    }
}

/// Why a name cannot be a mailbox's here.
fn bad_name(name: &str) -> Option<&'static str> {
    Some(if name.is_empty() {
        "the name is empty"
    } else if name.chars().any(char::is_control) {
        "a mailbox name cannot hold control characters"
    } else if name.starts_with('~') {
        "a mailbox name cannot begin with `~`"
    } else if name.starts_with('/') || name.ends_with('/') {
        "a mailbox name cannot begin or end with `/`, which stands between levels"
    } else if name.contains("//") {
        "a level of the name is empty: two `/` stand side by side"
    } else if name.contains('.') {
        "a mailbox name cannot hold a dot: Maildir++ has it between the levels on disk; write `/` between levels"
    } else if name.split('/').count() > limits::FOLDER_LEVELS {
        "the name has more than 100 levels"
    } else {
        return None;
    })
}

/// The name that a line of a subscriptions file stands for; `None` when no name of ours leads to it.
fn name_of_line(line: &str) -> Option<String> {
    let levels: Option<Vec<String>> = line.split('\t').map(utf7::decode).collect();
    let levels = levels?;
    if let [OTHERS, user, _, ..] = &levels.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        let below = levels[2..].join("/");
        let folder = FolderName::parse(&below).ok()?;
        return Some(format!("{OTHERS}/{user}/{}", folder.to_name()?));
    }
    FolderName::parse(&levels.join("/")).ok()?.to_name()
}

/// The lines of a subscriptions file of either version, with tabs between the levels.
fn subscribed(bytes: &[u8]) -> Vec<String> {
    let text = String::from_utf8_lossy(bytes);
    let (version_2, lines) = match text.strip_prefix(VERSION_2) {
        Some(lines) => (true, lines),
        None => (false, &*text),
    };
    lines
        .lines()
        .filter(|line| !line.is_empty())
        .map(|line| {
            if version_2 {
                line.to_owned()
            } else {
                line.replace('.', "\t")
            }
        })
        .collect()
}

pub(super) const INBOX: &str = "INBOX";
pub(super) const SUBSCRIPTIONS: &str = "subscriptions";
/// How Dovecot 2.3 begins the file; the levels of a name stand between tabs.
const VERSION_2: &str = "V\t2\n\n";
/// Begins the names of directories that are folders no more, or not yet. Maildir++ gives names with two dots no meaning.
pub(super) const REMOVED: &str = "..mailtool";
const TOO_LONG: StoreError =
    StoreError::BadName("the name is too long: 254 octets in modified UTF-7 is the most");
