//! The store: accounts, their Maildirs, and the promise that what was accepted stays.
//!
//! Everything here blocks, and runs on pool threads only; the exceptions say so. Nothing here knows a protocol.
//!
//! ```text
//! STORE/  mail/NAME/            a Maildir++ per account of the first domain; mail/NAME@DOMAIN/ for the others
//!         tls/                  ca.pem cert.pem key.pem (0600), made once
//!         users                 passwd-file, when accounts are kept here
//! ```

use std::fs::File;
use std::io;
use std::path::Path;
use std::sync::Arc;

/// Proof that mail is on disk for good: written, fsynced, renamed into place, its directory fsynced.
/// Only the store can make one; every reply that takes responsibility for mail is built from it.
#[derive(Debug)]
pub struct Durable(());

/// Part of an open file, sent to a peer without being held in memory.
#[derive(Clone, Debug)]
pub struct Extent {
    file: Arc<File>,
    offset: u64,
    octets: u64,
}

impl Extent {
    /// `octets` octets of `file` from `offset` on.
    pub const fn new(file: Arc<File>, offset: u64, octets: u64) -> Self {
        Self {
            file,
            offset,
            octets,
        }
    }
    /// How many octets it is.
    pub const fn octets(&self) -> u64 {
        self.octets
    }
    /// Reads into `buffer` what stands `from` octets after the beginning of the extent; never past its end. 0 means that
    /// the file is shorter than it was.
    pub fn read_at(&self, buffer: &mut [u8], from: u64) -> io::Result<usize> {
        use std::os::unix::fs::FileExt;
        let left = usize::try_from(self.octets.saturating_sub(from)).unwrap_or(usize::MAX);
        let length = buffer.len().min(left);
        self.file.read_at(&mut buffer[..length], self.offset + from)
    }
}

/// Somebody who has mail here. Cheap to clone.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Account {
    /// `alice` in the first domain, `alice@other.example` in the others.
    pub name: Arc<str>,
    /// The Maildir++.
    pub home: Arc<Path>,
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
    /// The message is gone.
    NoSuchMessage,
    /// Somebody else holds the lock.
    Busy,
    /// No room left: on the disk, or in the quota.
    Full,
    /// The disk, or a bug.
    Io(io::Error),
}

/// Why nobody was let in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AuthError {
    /// No such account, or the password is wrong: which one is nobody's business.
    Credentials,
    /// The table of users cannot be used now.
    Unavailable,
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

/// All of it. Shared by all threads.
pub struct Store {}

impl Store {
    /// Opens the store at `root`, made if it is not there, for accounts of `domains` (the first is the plain one).
    pub fn open(root: &Path, domains: &[String], users: Users) -> io::Result<Self> {
        todo!("{root:?} {domains:?} {users:?}")
    }
    /// Who is who. Does not block, but for [`Users::verify`].
    pub fn users(&self) -> &Users {
        todo!()
    }
    /// Who is told when a mailbox changes. Does not block.
    pub fn hub(&self) -> &Hub {
        todo!()
    }
    /// A new file in `tmp/` of `first`'s INBOX, to take a message that goes to `first` at least.
    pub fn spool(&self, first: &Account) -> Result<Spool, StoreError> {
        todo!("{first:?}")
    }
    /// Delivers a whole message to the INBOX of each of `to`: written once, linked for the others. One result each, in
    /// their order; those that come twice get the message once.
    pub fn deliver(&self, spool: Spool, to: &[Account]) -> Vec<Result<Durable, StoreError>> {
        todo!("{spool:?} {to:?}")
    }
    /// The mailbox of this name (UTF-8, `/` between levels, INBOX in any case). The same `Arc` for all who have it open.
    pub fn mailbox(&self, account: &Account, name: &str) -> Result<Arc<Mailbox>, StoreError> {
        todo!("{account:?} {name:?}")
    }
    /// All mailboxes, INBOX first, then sorted; parents that are no mailboxes themselves are not among them.
    pub fn mailboxes(&self, account: &Account) -> Result<Vec<String>, StoreError> {
        todo!("{account:?}")
    }
    /// Makes a mailbox; parents are not made.
    pub fn create(&self, account: &Account, name: &str) -> Result<(), StoreError> {
        todo!("{account:?} {name:?}")
    }
    /// Deletes a mailbox with its mail; its children stay.
    pub fn delete(&self, account: &Account, name: &str) -> Result<(), StoreError> {
        todo!("{account:?} {name:?}")
    }
    /// Renames a mailbox and its children. INBOX: its mail moves, the mailbox stays (RFC 9051 §6.3.6).
    pub fn rename(&self, account: &Account, from: &str, to: &str) -> Result<(), StoreError> {
        todo!("{account:?} {from:?} {to:?}")
    }
    /// The names subscribed to, whether such mailboxes exist or not.
    pub fn subscriptions(&self, account: &Account) -> Result<Vec<String>, StoreError> {
        todo!("{account:?}")
    }
    /// Adds a name to the subscriptions; there already is no error.
    pub fn subscribe(&self, account: &Account, name: &str) -> Result<(), StoreError> {
        todo!("{account:?} {name:?}")
    }
    /// Takes a name from the subscriptions; not there is no error.
    pub fn unsubscribe(&self, account: &Account, name: &str) -> Result<(), StoreError> {
        todo!("{account:?} {name:?}")
    }
    /// The lock that a POP3 session holds on a maildrop (RFC 1939 §4); `Busy` while another holds it. Let go on drop.
    pub fn lock_maildrop(&self, account: &Account) -> Result<MaildropLock, StoreError> {
        todo!("{account:?}")
    }
}

/// Who is told when a mailbox changes.
#[derive(Debug)]
pub struct Hub {}

impl Hub {
    /// Who wakes a session, given its token: set once by the reactor. Until then nobody is told.
    pub fn set_waker(&self, _waker: Box<dyn Fn(u64) + Send + Sync>) {
        todo!()
    }
    /// From now on `token` is woken when `mailbox` changes, until the subscription is dropped.
    pub fn subscribe(&self, _mailbox: &Arc<Mailbox>, _token: u64) -> Subscription {
        todo!()
    }
}

/// Ends when dropped.
#[derive(Debug)]
pub struct Subscription {}

/// A maildrop is locked while this lives.
#[derive(Debug)]
pub struct MaildropLock {}

/// A message on its way in, in `tmp/`. Dropped before it is delivered, it is gone.
#[derive(Debug)]
pub struct Spool {}

impl Spool {
    /// Appends text, which must have CRLF line ends.
    pub fn append(&mut self, _text: &[u8]) -> Result<(), StoreError> {
        todo!()
    }
    /// Octets so far.
    pub fn octets(&self) -> u64 {
        todo!()
    }
}

/// The table of users, in memory.
#[derive(Debug)]
pub struct Users {}

impl Users {
    /// Accounts with passwords in the clear (`--user NAME:PASSWORD`, the demo accounts). A name is `alice` (in the first domain)
    /// or `alice@other.example`.
    pub fn plain(_accounts: &[(String, String)]) -> Self {
        todo!()
    }
    /// Reads a passwd-file: `name:{SCHEME}hash` and more fields, as Dovecot has it.
    pub fn read(_file: &Path) -> io::Result<Self> {
        todo!()
    }
    /// Who gets mail for this address: any case, `postmaster` always. Does not block.
    pub fn find(&self, _local_part: &str, _domain: Option<&str>) -> Option<Account> {
        todo!()
    }
    /// Whether mail for this domain is delivered here. Does not block.
    pub fn is_local(&self, _domain: &str) -> bool {
        todo!()
    }
    /// Whether `password` is `name`'s. Blocks: hashing takes milliseconds.
    pub fn verify(&self, _name: &str, _password: &[u8]) -> Result<Account, AuthError> {
        todo!()
    }
}

/// A mailbox, shared by all sessions that have it open.
#[derive(Debug)]
pub struct Mailbox {}

impl Mailbox {
    /// Looks at the directories, gives UIDs to what is new, and returns what there is now. Cheap when nothing changed: the
    /// same `Arc` again.
    pub fn sync(&self) -> Result<Arc<Index>, StoreError> {
        todo!()
    }
    /// Messages that nobody claimed yet become the caller's `\Recent` ones (RFC 3501 §2.3.2): ascending UIDs.
    pub fn claim_recent(&self) -> Vec<u32> {
        todo!()
    }
    /// How many messages [`Self::claim_recent`] would give.
    pub fn count_recent(&self) -> usize {
        todo!()
    }
    /// A message's text with CRLF line ends, whoever wrote the file. Found again when another program renamed it.
    pub fn read(&self, _uid: u32) -> Result<Vec<u8>, StoreError> {
        todo!()
    }
    /// The message as it will be sent, when its file has CRLF line ends already; `None` when it must be [`Self::read`].
    pub fn extent(&self, _uid: u32) -> Result<Option<Extent>, StoreError> {
        todo!()
    }
    /// Changes the flags of `uids` (ascending); those that are gone are passed over.
    pub fn change_flags(
        &self,
        _uids: &[u32],
        _change: FlagChange,
        _flags: Flags,
    ) -> Result<Arc<Index>, StoreError> {
        todo!()
    }
    /// The flag that stands for keyword `name`, which joins the mailbox's list; `None` when all 26 are taken.
    pub fn keyword(&self, _name: &str) -> Result<Option<Flags>, StoreError> {
        todo!()
    }
    /// Removes messages for good; returns those that were there.
    pub fn expunge(&self, _uids: &[u32]) -> Result<Vec<u32>, StoreError> {
        todo!()
    }
    /// A spool for a message that will be appended here.
    pub fn spool(&self) -> Result<Spool, StoreError> {
        todo!()
    }
    /// Puts a whole message in: its UID, and that it is there for good. `received` is INTERNALDATE, seconds since 1970.
    pub fn append(
        &self,
        _spool: Spool,
        _flags: Flags,
        _received: Option<i64>,
    ) -> Result<(u32, Durable), StoreError> {
        todo!()
    }
    /// Copies messages to another mailbox (may be the same), flags, keywords and INTERNALDATE with them: pairs of old and new
    /// UID. All or none.
    pub fn copy(
        &self,
        _uids: &[u32],
        _to: &Self,
    ) -> Result<(Vec<(u32, u32)>, Durable), StoreError> {
        todo!()
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
}

/// What is in a mailbox at one moment. Never changes: a new one is made.
#[derive(Debug)]
pub struct Index {
    /// RFC 3501 §2.3.1.1
    pub uid_validity: u32,
    /// The UID that the next message gets, or more.
    pub uid_next: u32,
    /// Ascending UIDs.
    pub messages: Vec<Entry>,
    /// The names of [`Flags::keyword`] 0 to 25, in order.
    pub keywords: Vec<String>,
}

/// One message.
#[derive(Clone, Debug)]
pub struct Entry {
    /// RFC 3501 §2.3.1.1
    pub uid: u32,
    /// As the file name and `dovecot-keywords` say.
    pub flags: Flags,
    /// Octets with CRLF line ends: RFC822.SIZE.
    pub size: u64,
    /// INTERNALDATE, seconds since 1970.
    pub received: i64,
}
