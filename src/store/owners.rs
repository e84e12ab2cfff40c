//! Files that belong to somebody else: mail in the home folders of the machine's own users, made by a server that runs as root.
//!
//! A user may put anything into the home folder, at any moment: a link to `/etc/shadow` in the place of a message, a link to another's
//! mailbox in the place of `cur/`, a FIFO that never answers. Checking a path first and using it afterwards loses that race; what is right
//! is that the kernel checks, at each call, whether the *user* may do it. So every call on a path at or below a home is made with the
//! user's rights:
//!
//! | alternative | why not |
//! |---|---|
//! | a process for each user | the server is one process, whose sessions share what they know of a mailbox |
//! | seteuid(2) | is for all threads of the process at once in every libc |
//! | files made by root and given away with chown | root follows the user's links while it makes them; looking first is the race |
//! | openat2(2) below the home's descriptor | protects reading, but each rename, link and mkdir needs a descriptor as well; and users link their Maildir to other disks |
//! | **setfsuid(2), setfsgid(2)** | of this thread alone, and exactly for paths: the kernel takes away the rights of root over files with it |
//!
//! What follows from it: a link leads where the user could go without us, no further; files and folders are made with the user's
//! owner and group; a home that the user may not enter is an error that is tried again later. The thread's rights are root's again
//! before the call returns; where that fails, the program ends.
//!
//! What the rights do not cover: links of `/proc` are of *our* process, so they are never followed; opening what is no regular file
//! could block or have effects, so it is refused, and never waited for. What is open already (`write`, `sync_file`) needs no rights.
//! Two names of one call must belong to the same user; between users mail is copied, never linked.

use std::collections::HashMap;
use std::fs::File;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};

use rustix::fs::{CWD, Mode, OFlags, ResolveFlags};

use super::fs::{Disk, Kernel, Stat};
use crate::sys;

/// Whose rights count for a folder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Owner {
    pub(super) uid: u32,
    pub(super) gid: u32,
}

/// Which folders belong to whom. What is in none of them is ours.
#[derive(Debug, Default)]
pub(super) struct Owners(RwLock<HashMap<PathBuf, Owner>>);

impl Owners {
    /// From now on it is so.
    pub(super) fn set(&self, folders: HashMap<PathBuf, Owner>) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = folders;
    }

    /// Whose `path` is: that of the nearest folder above it that has an owner.
    pub(super) fn of(&self, path: &Path) -> Option<Owner> {
        let folders = self.0.read().unwrap_or_else(PoisonError::into_inner);
        path.ancestors()
            .find_map(|folder| folders.get(folder))
            .copied()
    }
}

/// The kernel's files, each with the rights of its owner.
#[derive(Debug)]
pub(super) struct Owned(pub(super) Arc<Owners>);

impl Owned {
    /// For root, in a store that is somebody else's.
    pub(super) fn where_root_is_guest(store: &Path) -> io::Result<Option<Self>> {
        let metadata = std::fs::metadata(store)?;
        if metadata.uid() == 0 || !rustix::process::geteuid().is_root() {
            return Ok(None);
        }
        let owner = Owner {
            uid: metadata.uid(),
            gid: metadata.gid(),
        };
        let owners = Owners::default();
        owners.set(HashMap::from([(store.to_path_buf(), owner)]));
        Ok(Some(Self(Arc::new(owners))))
    }

    fn at<T>(&self, path: &Path, action: impl FnOnce() -> io::Result<T>) -> io::Result<T> {
        match self.0.of(path) {
            Some(owner) => as_owner(owner, action),
            None => action(),
        }
    }

    /// With the rights of the one who has both; never of one over what is another's.
    fn at_both<T>(
        &self,
        one: &Path,
        other: &Path,
        action: impl FnOnce() -> io::Result<T>,
    ) -> io::Result<T> {
        match (self.0.of(one), self.0.of(other)) {
            (None, None) => action(),
            (Some(owner), Some(same)) if owner == same => as_owner(owner, action),
            // As between two disks: whoever gets this copies.
            _ => Err(io::ErrorKind::CrossesDevices.into()),
        }
    }

    fn opened(&self, path: &Path, flags: OFlags) -> io::Result<File> {
        let Some(owner) = self.0.of(path) else {
            return Err(io::ErrorKind::InvalidInput.into());
        };
        let flags = flags | OFlags::CLOEXEC | OFlags::NONBLOCK | OFlags::NOCTTY;
        let file: File =
            as_owner(owner, || {
                let no_magic = ResolveFlags::NO_MAGICLINKS;
                match rustix::fs::openat2(CWD, path, flags, Mode::empty(), no_magic) {
                    // A kernel before 5.6, or a sandbox that does not know the call.
                    Err(rustix::io::Errno::NOSYS | rustix::io::Errno::PERM) => Ok(
                        rustix::fs::open(path, flags | OFlags::NOFOLLOW, Mode::empty())?,
                    ),
                    opened => Ok(opened?),
                }
            })?
            .into();
        match file.metadata()?.is_file() {
            true => Ok(file),
            false => Err(io::Error::new(
                io::ErrorKind::InvalidInput,
                "not a regular file",
            )),
        }
    }
}

/// Does it with the rights of `owner`, as far as files go.
fn as_owner<T>(owner: Owner, action: impl FnOnce() -> io::Result<T>) -> io::Result<T> {
    struct Root;
    impl Drop for Root {
        fn drop(&mut self) {
            if let Err(error) = sys::file_rights(0, 0) {
                // Going on with somebody's rights over everybody's mail would be worse.
                log::error!("the rights of root cannot be had back: {error}");
                std::process::abort();
            }
        }
    }
    let _root = Root;
    sys::file_rights(owner.uid, owner.gid)?;
    action()
}

impl Disk for Owned {
    fn create(&self, path: &Path) -> io::Result<Arc<File>> {
        self.at(path, || Kernel.create(path))
    }
    fn open_to_append(&self, path: &Path) -> io::Result<Arc<File>> {
        match self.0.of(path) {
            Some(_) => self
                .opened(path, OFlags::RDWR | OFlags::APPEND)
                .map(Arc::new),
            None => Kernel.open_to_append(path),
        }
    }
    fn open(&self, path: &Path) -> io::Result<File> {
        match self.0.of(path) {
            Some(_) => self.opened(path, OFlags::RDONLY),
            None => Kernel.open(path),
        }
    }
    fn write(&self, file: &File, bytes: &[u8]) -> io::Result<()> {
        Kernel.write(file, bytes)
    }
    fn begin_sync(&self, file: &File, from: u64, octets: u64) {
        Kernel.begin_sync(file, from, octets);
    }
    fn sync_file(&self, file: &File) -> io::Result<()> {
        Kernel.sync_file(file)
    }
    fn sync_file_system(&self, path: &Path) -> io::Result<()> {
        self.at(path, || Kernel.sync_file_system(path))
    }
    fn set_modified(&self, file: &File, seconds: i64) -> io::Result<()> {
        Kernel.set_modified(file, seconds)
    }
    fn sync_directory(&self, path: &Path) -> io::Result<()> {
        if self.0.of(path).is_none() {
            return Kernel.sync_directory(path);
        }
        let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::DIRECTORY;
        let directory = self.at(path, || Ok(rustix::fs::open(path, flags, Mode::empty())?))?;
        Ok(rustix::fs::fsync(directory)?)
    }
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.at_both(from, to, || Kernel.rename(from, to))
    }
    fn link(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.at_both(from, to, || Kernel.link(from, to))
    }
    fn unlink(&self, path: &Path) -> io::Result<()> {
        self.at(path, || Kernel.unlink(path))
    }
    fn make_directory(&self, path: &Path) -> io::Result<()> {
        self.at(path, || Kernel.make_directory(path))
    }
    fn remove_directory(&self, path: &Path) -> io::Result<()> {
        self.at(path, || Kernel.remove_directory(path))
    }
    fn list(&self, path: &Path) -> io::Result<Vec<String>> {
        self.at(path, || Kernel.list(path))
    }
    fn stat(&self, path: &Path) -> io::Result<Stat> {
        self.at(path, || Kernel.stat(path))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::{PermissionsExt, symlink};

    const ALICE: Owner = Owner {
        uid: 20_001,
        gid: 30_001,
    };
    const BOB: Owner = Owner {
        uid: 20_002,
        gid: 30_002,
    };

    /// Homes of alice and bob, as root lays them out.
    fn homes() -> Option<(tempfile::TempDir, Owned)> {
        if !rustix::process::geteuid().is_root() {
            eprintln!("SKIPPED: only root may act as others");
            return None;
        }
        let root = tempfile::tempdir().expect("a folder");
        let open = |mode| std::fs::Permissions::from_mode(mode);
        std::fs::set_permissions(root.path(), open(0o755)).expect("set");
        let mut folders = HashMap::new();
        for (name, owner) in [("alice", ALICE), ("bob", BOB)] {
            let home = root.path().join(name);
            std::fs::create_dir(&home).expect("made");
            std::fs::set_permissions(&home, open(0o700)).expect("set");
            std::os::unix::fs::chown(&home, Some(owner.uid), Some(owner.gid)).expect("given");
            folders.insert(home.join("Maildir"), owner);
        }
        let owners = Owners::default();
        owners.set(folders);
        let disk = Owned(Arc::new(owners));
        for name in ["alice", "bob"] {
            let maildir = root.path().join(name).join("Maildir");
            disk.make_directory(&maildir).expect("made");
        }
        Some((root, disk))
    }

    #[test]
    fn what_is_made_belongs_to_its_owner_and_what_is_ours_to_us() {
        let Some((root, disk)) = homes() else { return };
        let path = root.path().join("alice/Maildir/x");
        let file = disk.create(&path).expect("made");
        disk.write(&file, b"text").expect("written");
        disk.set_modified(&file, 5).expect("set");
        disk.sync_file(&file).expect("synced");
        for made in [path.as_path(), path.parent().expect("a folder")] {
            let made = std::fs::metadata(made).expect("there");
            assert_eq!((made.uid(), made.gid()), (ALICE.uid, ALICE.gid));
            assert_eq!(made.mode() & 0o077, 0);
        }
        let ours = root.path().join("ours");
        drop(disk.create(&ours).expect("made"));
        assert_eq!(
            std::fs::metadata(&ours).expect("there").uid(),
            0,
            "root again"
        );
    }

    #[test]
    fn links_lead_where_the_user_may_go_and_no_further() {
        let Some((root, disk)) = homes() else { return };
        let secret = root.path().join("secret");
        std::fs::write(&secret, "root's").expect("written");
        std::fs::set_permissions(&secret, std::fs::Permissions::from_mode(0o600)).expect("set");
        let (alice, bob) = (
            root.path().join("alice/Maildir"),
            root.path().join("bob/Maildir"),
        );
        let bobs = bob.join("mail");
        drop(disk.create(&bobs).expect("made"));
        let denied = |result: io::Result<()>, what: &str| {
            let kind = result.expect_err(what).kind();
            assert_eq!(kind, io::ErrorKind::PermissionDenied, "{what}");
        };
        for (name, target) in [
            ("one", secret.as_path()),
            ("two", &bobs),
            ("three", Path::new("/etc/shadow")),
        ] {
            let link = alice.join(name);
            symlink(target, &link).expect("a link");
            denied(disk.open(&link).map(drop), name);
            denied(disk.open_to_append(&link).map(drop), name);
        }
        symlink(&bob, alice.join("cur")).expect("a link");
        denied(disk.list(&alice.join("cur")).map(drop), "a folder of bob's");
        denied(disk.create(&alice.join("cur/x")).map(drop), "a file in it");
        denied(disk.unlink(&alice.join("cur/mail")), "taking it away");
        denied(
            disk.rename(&alice.join("one"), &alice.join("cur/one")),
            "moving into it",
        );
        symlink(root.path(), alice.join("above")).expect("a link");
        denied(
            disk.make_directory(&alice.join("above/x")),
            "a folder of root's",
        );
        // A new file never follows a link, wherever it leads.
        symlink(alice.join("nothing"), alice.join("draft")).expect("a link");
        let taken = disk
            .create(&alice.join("draft"))
            .expect_err("there is a link");
        assert_eq!(taken.kind(), io::ErrorKind::AlreadyExists);
        // What is alice's own may be linked to: a Maildir on another disk.
        let elsewhere = root.path().join("alice/elsewhere");
        std::fs::create_dir(&elsewhere).expect("made");
        std::os::unix::fs::chown(&elsewhere, Some(ALICE.uid), Some(ALICE.gid)).expect("given");
        symlink(&elsewhere, alice.join("new")).expect("a link");
        drop(disk.create(&alice.join("new/x")).expect("made"));
        assert_eq!(disk.list(&alice.join("new")).expect("read"), ["x"]);
    }

    #[test]
    fn what_is_no_file_neither_blocks_nor_opens() {
        let Some((root, disk)) = homes() else { return };
        let alice = root.path().join("alice/Maildir");
        let fifo = alice.join("fifo");
        rustix::fs::mknodat(CWD, &fifo, rustix::fs::FileType::Fifo, Mode::from(0o666), 0)
            .expect("a FIFO");
        for (name, target) in [
            ("zero", "/dev/zero"),
            ("own", "/proc/self/environ"),
            ("open", "/proc/self/fd/0"),
        ] {
            symlink(target, alice.join(name)).expect("a link");
        }
        for name in ["fifo", "zero", "own", "open", "."] {
            assert!(disk.open(&alice.join(name)).is_err(), "{name}");
            assert!(disk.open_to_append(&alice.join(name)).is_err(), "{name}");
        }
    }

    #[test]
    fn between_two_users_nothing_is_linked_or_moved() {
        let Some((root, disk)) = homes() else { return };
        let (alice, bob) = (
            root.path().join("alice/Maildir/x"),
            root.path().join("bob/Maildir/x"),
        );
        drop(disk.create(&alice).expect("made"));
        let ours = root.path().join("ours");
        drop(disk.create(&ours).expect("made"));
        for (from, to) in [(&alice, &bob), (&ours, &bob), (&alice, &ours)] {
            for outcome in [disk.link(from, to), disk.rename(from, to)] {
                let kind = outcome.expect_err("two owners").kind();
                assert_eq!(kind, io::ErrorKind::CrossesDevices);
            }
        }
        super::super::spool::copy_file(&disk, &alice, &bob, None).expect("copied");
        assert_eq!(std::fs::metadata(&bob).expect("there").uid(), BOB.uid);
    }

    #[test]
    fn threads_have_rights_of_their_own() {
        let Some((root, disk)) = homes() else { return };
        std::thread::scope(|scope| {
            for name in ["alice", "bob"] {
                let (root, disk) = (root.path(), &disk);
                scope.spawn(move || {
                    let owner = if name == "alice" { ALICE } else { BOB };
                    for number in 0..200 {
                        let path = root.join(name).join("Maildir").join(number.to_string());
                        drop(disk.create(&path).expect("made"));
                        assert_eq!(std::fs::metadata(&path).expect("there").uid(), owner.uid);
                    }
                });
            }
        });
    }
}
