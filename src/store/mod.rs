//! The store: accounts, their Maildirs, and the promise that what was accepted stays.
//!
//! Everything here blocks, and runs on pool threads only; the exceptions say so. Nothing here knows a protocol.
//!
//! ```text
//! STORE/  mail/NAME/            a Maildir++ per account of the first domain; mail/NAME@DOMAIN/ for the others
//!         tls/                  ca.pem cert.pem key.pem (0600), made once
//!         users                 passwd-file, when accounts are kept here
//!         queue/                what is on its way elsewhere: two files a message
//!         metadata              what is noted about the server for all its users
//!         lock                  held while a program serves the store, with its number in it
//! ```
//!
//! | file | what it is about |
//! |---|---|
//! | `fs` | the system calls, each of which a test can make the last one |
//! | `commit` | [`Durable`], and how many share one fsync |
//! | `lock` | locks between programs |
//! | `spool` | delivery |
//! | `accept` | taking a message: into mailboxes, or into the queue |
//! | `queue/` | messages on their way elsewhere, and what a crash leaves of them |
//! | `directory`, `aliases`, `watch` | whose mail goes where; seeing that its files changed |
//! | `quota` | what a mailbox may hold |
//! | `repeats` | deliveries that come again |
//! | `maildir`, `look`, `append` | a mailbox: reading and changing it; finding out what is in it; putting mail in |
//! | `arrival` | how a message gets its UID and its name |
//! | `cache` | mod-sequences and more, beside the Maildir |
//! | `dates` | INTERNALDATE, when somebody asks for it |
//! | `seal` | opening a mailbox that has not changed since |
//! | `alterations` | which flags changed since when |
//! | `uses` | what mailboxes are for |
//! | `url_keys` | the keys that sign URLs |
//! | `digests` | what reading messages has brought, so that they are not read again for it |
//! | `ahead` | reading messages before they are asked for, where the disk is slow |
//! | `names`, `uidlist`, `keywords`, `lines` | what stands in file names, in Dovecot's two files, and line ends |
//! | `identity` | object ids, and when a message came |
//! | `folders` | the tree of mailboxes, subscriptions |
//! | `acl`, `others` | `dovecot-acl`: who may do what; the mailboxes of others |
//! | `metadata` | what is noted about mailboxes |
//! | `users` | accounts and passwords |
//! | `owners` | mail in the homes of the machine's users, with their rights |
//! | `tools/` | what one who keeps a store does to mailboxes: import, export, check, doubles |
//! | `shared`, `hub` | which mailboxes are open, and who is told when they change |
//! | `vigil` | who is told what happens in an account |
//! | `notice` | seeing that other programs changed them |

mod accept;
mod acl;
mod ahead;
mod aliases;
mod alterations;
mod append;
mod arrival;
mod arrivals;
mod cache;
mod commit;
mod dates;
mod deposit;
mod digests;
mod directory;
mod folders;
mod fs;
mod hub;
mod identity;
mod keywords;
mod lines;
mod lock;
mod look;
mod maildir;
mod metadata;
mod names;
mod notice;
mod others;
mod owners;
pub mod queue;
mod quota;
mod repeats;
mod seal;
mod shared;
mod spool;
mod tools;
mod uidlist;
mod url_keys;
mod users;
mod uses;
mod vigil;
mod watch;

#[cfg(test)]
mod crash;
#[cfg(test)]
mod tests;

use std::collections::HashSet;
use std::fmt;
use std::hash::RandomState;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use self::directory::Directory;
use self::fs::{Disk, Kernel, hold};
use self::lock::StoreLock;
use self::others::Opened;
use self::owners::Owned;
use self::repeats::Repeats;
use self::shared::Shared;
use self::watch::Watch;

use crate::wire::imap::rights::Rights;

pub use self::accept::Replies;
pub use self::ahead::Ahead;
pub use self::append::Incoming;
pub use self::arrivals::{Arrivals, Arrived, Expecting};
pub use self::commit::Durable;
pub use self::dates::NOT_ASKED;
pub use self::deposit::{Deposit, Kept, letters, sync_folders};
pub use self::digests::{Digest, Digests, Learnt};
pub use self::directory::{Rules, Whereabouts};
pub use self::folders::Origin;
pub use self::fs::Extent;
pub use self::hub::{Hub, Subscription};
pub use self::identity::Identity;
pub use self::maildir::Mailbox;
pub use self::metadata::{NoteError, Noted};
pub use self::others::{OTHERS, Other};
pub use self::queue::{Queue, QueueId};
pub use self::quota::{Held, Quota};
pub use self::seal::Outline;
pub use self::spool::Spool;
pub use self::tools::{
    Double, Doubles, Finding, Imported, Importer, Source, State as Condition, Survey, ToolError,
    maildirs,
};
pub use self::url_keys::UrlKey;
pub use self::users::{
    Account, AuthError, EditError, Edited, HashError, Listed, Scheme, SystemFiles, Told, Users,
    UsersFile, own_name,
};
pub use self::vigil::{Marks, Vigil};

/// All of it. Shared by all threads.
#[derive(Debug)]
pub struct Store {
    shared: Arc<Shared>,
    directory: Arc<Directory>,
    queue: Queue,
    repeats: Repeats,
    opened: Opened,
    noted: metadata::Changes,
    /// Where it is.
    root: Box<Path>,
    arrivals: Arc<Arrivals>,
    /// Nobody outside can make two messages look the same to `repeats`.
    hashing: RandomState,
    /// The homes whose maildrop somebody holds.
    maildrops: Arc<Mutex<HashSet<Arc<Path>>>>,
    /// Sees when users and aliases change.
    _watch: Option<Watch>,
    /// Keeps other programs out.
    _lock: Option<StoreLock>,
}

impl Store {
    /// Opens the store at `root`, made if it is not there, for accounts of `domains` (the first is the plain one).
    ///
    /// # Errors
    /// The disk's; `ResourceBusy` while another program has it open; `InvalidInput` for accounts that cannot be.
    pub fn open(root: &Path, domains: &[String], users: Users) -> io::Result<Self> {
        Self::open_with(root, domains, users, Rules::default())
    }
    /// The same, with rules for addresses.
    ///
    /// # Errors
    /// Also of the file of aliases, with the number of the line.
    pub fn open_with(
        root: &Path,
        domains: &[String],
        users: Users,
        rules: Rules,
    ) -> io::Result<Self> {
        fs::make_directories(&Kernel, root)?;
        let lock = StoreLock::acquire(root)?;
        let mut store = Self::open_on(Arc::new(Kernel), root, domains, users, rules)?;
        store._lock = Some(lock);
        store._watch = Watch::start(&store.directory).unwrap_or_else(|error| {
            log::warn!("changes of users and aliases are only seen on use: {error}");
            None
        });
        if let Err(error) = store.shared.hub.take_notice() {
            log::warn!("what other programs do to mailboxes is only seen on use: {error}");
        }
        Ok(store)
    }
    /// Opens it beside a program that may serve it, to deliver into mailboxes only: that is safe beside anybody. What would have to
    /// go into the queue is `Busy`, and what the queue holds is not seen. Root works on the store of another user with that user's
    /// rights, so that all in it stays that user's.
    ///
    /// # Errors
    /// As [`Self::open_with`], but for `ResourceBusy`.
    pub fn open_beside(
        root: &Path,
        domains: &[String],
        users: Users,
        rules: Rules,
    ) -> io::Result<Self> {
        fs::make_directories(&Kernel, root)?;
        let owned = Owned::where_root_is_guest(root)?;
        let disk: Arc<dyn Disk> = match owned {
            Some(owned) => Arc::new(owned),
            None => Arc::new(Kernel),
        };
        Self::assemble(disk, root, domains, users, rules, Queue::beside)
    }
    /// Who is who. Does not block, but for [`Users::verify`] and [`Users::reload`].
    pub fn users(&self) -> &Users {
        &self.directory.users
    }
    /// Who is told when a mailbox changes. Does not block.
    pub fn hub(&self) -> &Hub {
        &self.shared.hub
    }
    /// The messages that came in lately. Does not block.
    pub const fn arrivals(&self) -> &Arc<Arrivals> {
        &self.arrivals
    }
    /// The lock that a POP3 session holds on a maildrop (RFC 1939 §4); `Busy` while another holds it. Let go on drop.
    pub fn lock_maildrop(&self, account: &Account) -> Result<MaildropLock, StoreError> {
        let home = Arc::clone(&account.home);
        if !hold(&self.maildrops).insert(Arc::clone(&home)) {
            return Err(StoreError::Busy);
        }
        let maildrops = Arc::clone(&self.maildrops);
        Ok(MaildropLock { maildrops, home })
    }

    fn open_on(
        disk: Arc<dyn Disk>,
        root: &Path,
        domains: &[String],
        users: Users,
        rules: Rules,
    ) -> io::Result<Self> {
        Self::assemble(disk, root, domains, users, rules, Queue::open)
    }

    fn assemble(
        disk: Arc<dyn Disk>,
        root: &Path,
        domains: &[String],
        mut users: Users,
        rules: Rules,
        queue: fn(Arc<Shared>, Arc<Directory>, &Path) -> io::Result<Queue>,
    ) -> io::Result<Self> {
        let disk: Arc<dyn Disk> = match users.owners() {
            Some(owners) => Arc::new(Owned(owners)),
            None => disk,
        };
        let mail: PathBuf = root.join("mail");
        fs::make_directories(&*disk, &mail)?;
        // Also when they were there: a run before this one may have been killed between making and syncing.
        disk.sync_directory(root)?;
        if let Some(above) = root.parent().filter(|above| *above != Path::new("")) {
            // It may be one that we cannot read, and then the directory was not made by us.
            let _ = disk.sync_directory(above);
        }
        users.settle(&mail, domains)?;
        let made = if rules.accept_any {
            users.admit_anybody();
            disk.list(&mail)?
        } else {
            Vec::new()
        };
        let shared = Arc::new(Shared::new(disk, rules.quota));
        let directory = Arc::new(Directory::open(users, rules, made)?);
        let queue = queue(Arc::clone(&shared), Arc::clone(&directory), root)?;
        Ok(Self {
            shared,
            directory,
            queue,
            repeats: Repeats::default(),
            opened: Opened::default(),
            noted: metadata::Changes::default(),
            root: root.into(),
            arrivals: Arc::default(),
            hashing: RandomState::new(),
            maildrops: Arc::default(),
            _watch: None,
            _lock: None,
        })
    }
}

impl Drop for Store {
    fn drop(&mut self) {
        // The mailboxes kept warm hold what is shared, which holds them.
        self.shared.cool_down();
    }
}

/// A maildrop is locked while this lives.
#[derive(Debug)]
pub struct MaildropLock {
    maildrops: Arc<Mutex<HashSet<Arc<Path>>>>,
    home: Arc<Path>,
}

impl Drop for MaildropLock {
    fn drop(&mut self) {
        hold(&self.maildrops).remove(&self.home);
    }
}

/// Why the store did not do what was asked. By whose fault it is.
#[derive(Debug)]
pub enum StoreError {
    /// No mailbox of this name.
    NoSuchMailbox,
    /// A mailbox of this name is there already.
    AlreadyExists,
    /// The name cannot be a mailbox's: why.
    BadName(&'static str),
    /// INBOX cannot be deleted, and its like: why.
    Forbidden(&'static str),
    /// These rights on the mailbox are missing.
    NoPermission(Rights),
    /// No account of this name.
    NoSuchUser,
    /// A mailbox's list of rights cannot become longer.
    TooManyRights,
    /// Something is not noted about the mailbox.
    Note(NoteError),
    /// The message is gone.
    NoSuchMessage,
    /// Somebody else holds the lock.
    Busy,
    /// No room left on the disk.
    Full,
    /// No room left in the mailbox's quota.
    OverQuota,
    /// The disk, or a bug.
    Io(io::Error),
}

impl fmt::Display for StoreError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoSuchMailbox => formatter.write_str("no mailbox of this name"),
            Self::AlreadyExists => formatter.write_str("a mailbox of this name is there already"),
            Self::BadName(why) | Self::Forbidden(why) => formatter.write_str(why),
            Self::NoPermission(rights) => {
                write!(formatter, "the right {} is missing", rights.in_words())
            }
            Self::NoSuchUser => formatter.write_str("no account of this name"),
            Self::TooManyRights => {
                formatter.write_str("too many have rights on the mailbox already")
            }
            Self::Note(why) => write!(formatter, "not noted: {why:?}"),
            Self::NoSuchMessage => formatter.write_str("the message is gone"),
            Self::Busy => formatter.write_str("somebody else holds the lock"),
            Self::Full => formatter.write_str("no room left on the disk"),
            Self::OverQuota => formatter.write_str("the mailbox is over its quota"),
            Self::Io(error) => error.fmt(formatter),
        }
    }
}

impl std::error::Error for StoreError {}

impl StoreError {
    /// The same error once more, for the next who is told.
    #[must_use]
    pub fn again(&self) -> Self {
        match self {
            Self::NoSuchMailbox => Self::NoSuchMailbox,
            Self::AlreadyExists => Self::AlreadyExists,
            Self::BadName(why) => Self::BadName(why),
            Self::Forbidden(why) => Self::Forbidden(why),
            Self::NoPermission(rights) => Self::NoPermission(*rights),
            Self::NoSuchUser => Self::NoSuchUser,
            Self::TooManyRights => Self::TooManyRights,
            Self::Note(why) => Self::Note(*why),
            Self::NoSuchMessage => Self::NoSuchMessage,
            Self::Busy => Self::Busy,
            Self::Full => Self::Full,
            Self::OverQuota => Self::OverQuota,
            Self::Io(error) => Self::Io(io::Error::new(error.kind(), error.to_string())),
        }
    }
}

impl From<io::Error> for StoreError {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Self::Full,
            io::ErrorKind::TimedOut => Self::Busy,
            _ => Self::Io(error),
        }
    }
}

/// The flags of a message: six of the system, and up to 26 keywords, as a Maildir file name has room for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Flags(pub u32);

impl Flags {
    /// `\Seen`, `S`
    pub const SEEN: Self = Self(1);
    /// `\Answered`, `R`
    pub const ANSWERED: Self = Self(1 << 1);
    /// `\Flagged`, `F`
    pub const FLAGGED: Self = Self(1 << 2);
    /// `\Deleted`, `T`
    pub const DELETED: Self = Self(1 << 3);
    /// `\Draft`, `D`
    pub const DRAFT: Self = Self(1 << 4);
    /// `$Forwarded`'s Maildir letter `P`, kept when other programs set it.
    pub const PASSED: Self = Self(1 << 5);

    /// The six above.
    pub(crate) const SYSTEM: Self = Self(0x3f);

    /// The keyword at `index` (0 to 25) of the mailbox's list, `a` to `z`.
    pub const fn keyword(index: u8) -> Self {
        Self(1 << (6 + index))
    }
    /// Whether all of `other` are set.
    pub const fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }
    /// Both.
    #[must_use]
    pub const fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
    /// Those of `self` that are not in `other`.
    #[must_use]
    pub const fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }
}

/// What to do with flags.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FlagChange {
    /// `FLAGS`
    Replace,
    /// `+FLAGS`
    Add,
    /// `-FLAGS`
    Remove,
    /// `FLAGS` by who may change these only: the others stay.
    ReplaceAmong(Flags),
}

/// What is in a mailbox at one moment. Never changes: a new one is made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Index {
    /// RFC 3501 §2.3.1.1
    pub uid_validity: u32,
    /// The UID that the next message gets, or more.
    pub uid_next: u32,
    /// Ascending UIDs.
    pub messages: Vec<Entry>,
    /// The names of [`Flags::keyword`] 0 to 25, in order; `""` where a letter has none (no message shows it).
    pub keywords: Vec<String>,
    /// The highest mod-sequence that was given here (RFC 7162 §3.1). It may be shown once [`Mailbox::settle`] has returned; so may those
    /// of the messages.
    pub highest_modseq: u64,
}

impl Index {
    /// The keywords that have a name.
    pub fn named_keywords(&self) -> impl Iterator<Item = (Flags, &str)> {
        (0..)
            .zip(&self.keywords)
            .filter(|(_, name)| !name.is_empty())
            .map(|(index, name)| (Flags::keyword(index), name.as_str()))
    }

    /// The keyword of this name, in any case, if the mailbox has it.
    pub fn keyword(&self, name: &str) -> Option<Flags> {
        self.named_keywords()
            .find(|(_, known)| known.eq_ignore_ascii_case(name))
            .map(|(flag, _)| flag)
    }
}

/// One message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// RFC 3501 §2.3.1.1
    pub uid: u32,
    /// As the file name and `dovecot-keywords` say.
    pub flags: Flags,
    /// Octets with CRLF line ends: RFC822.SIZE.
    pub size: u64,
    /// INTERNALDATE, seconds since 1970; [`NOT_ASKED`] where nobody wanted to know it yet. [`Mailbox::received`] finds it out.
    pub received: i64,
    /// Of its last change (RFC 7162 §3.1).
    pub modseq: u64,
}
