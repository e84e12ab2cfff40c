//! A disk that loses power: at any call, with any of what a file system may then have kept.
//!
//! [`CrashDisk`] does everything on a real directory, and keeps a second one in mind: what would be found after a crash.
//! There, a file's content is what it was when it was last synced; a name is there once its directory was synced. What
//! was done and not synced is pending, and a crash may keep all of it, nothing, or any part ([`Kept`]).

mod moves;
mod notes;
mod tests;

pub(super) use self::tests::{directory, endings};

use std::collections::{BTreeMap, HashMap};
use std::fs::File;
use std::io::{self, Read, Seek};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::fs::{Disk, Kernel, Stat, hold};

/// What happens at a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Accident {
    None,
    /// From the call of this number on nothing is done any more.
    PowerLoss(usize),
    /// The same, until [`CrashDisk::restart`]: the process is killed, the machine goes on.
    Kill(usize),
    /// No file gets a second name: another file system, or one that has no links.
    NoLinks,
    /// The call of this number finds no room, if it needs some; all others go well.
    NoRoom(usize),
    /// The call of this number is not allowed, if it changes something; all others go well.
    ReadOnly(usize),
}

/// What a crash leaves of that which was not synced.
#[derive(Clone, Copy, Debug)]
pub(super) struct Kept {
    pub(super) names: KeptNames,
    pub(super) text: KeptText,
}

#[derive(Clone, Copy, Debug)]
pub(super) enum KeptNames {
    None,
    All,
    /// Each by a coin that this number throws.
    Some(u64),
}

#[derive(Clone, Copy, Debug)]
pub(super) enum KeptText {
    None,
    Half,
    All,
}

#[derive(Debug)]
pub(super) struct CrashDisk {
    root: PathBuf,
    accident: Accident,
    /// How long syncing a directory takes.
    slowness: Duration,
    state: Mutex<Model>,
}

#[derive(Debug, Default)]
struct Model {
    calls: usize,
    directory_syncs: usize,
    restarted: bool,
    /// Held open, so that no inode is used twice.
    files: HashMap<u64, Inode>,
    /// What is on disk for good, by path.
    durable: BTreeMap<PathBuf, Node>,
    pending: Vec<Change>,
}

#[derive(Debug)]
struct Inode {
    file: Arc<File>,
    synced: Vec<u8>,
    modified: i64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Node {
    Directory,
    File(u64),
}

#[derive(Clone, Debug)]
enum Change {
    Add(PathBuf, Node),
    Remove(PathBuf),
    Rename(PathBuf, PathBuf, Node),
}

impl CrashDisk {
    /// On `root`, whose present content is taken to be on disk.
    pub(super) fn new(root: &Path, accident: Accident) -> Arc<Self> {
        let mut model = Model::default();
        model.adopt(root);
        Arc::new(Self {
            root: root.to_path_buf(),
            accident,
            slowness: Duration::ZERO,
            state: Mutex::new(model),
        })
    }
    /// Where syncing a directory takes some time.
    pub(super) fn slow(root: &Path, slowness: Duration) -> Arc<Self> {
        let disk = Self::new(root, Accident::None);
        let mut disk = Arc::into_inner(disk).expect("just made");
        disk.slowness = slowness;
        Arc::new(disk)
    }
    pub(super) fn restart(&self) {
        hold(&self.state).restarted = true;
    }
    pub(super) fn calls(&self) -> usize {
        hold(&self.state).calls
    }
    pub(super) fn directory_syncs(&self) -> usize {
        hold(&self.state).directory_syncs
    }

    /// Writes to `to` what is found after the crash.
    pub(super) fn wake_up(&self, to: &Path, kept: Kept) {
        let model = hold(&self.state);
        let mut tree = model.durable.clone();
        for (number, change) in (1..).zip(&model.pending) {
            let keep = match kept.names {
                KeptNames::None => false,
                KeptNames::All => true,
                KeptNames::Some(seed) => coin(seed, number),
            };
            if keep {
                apply(&mut tree, change);
            }
        }
        let mut written: HashMap<u64, PathBuf> = HashMap::new();
        for (path, node) in &tree {
            let place = to.join(path.strip_prefix(&self.root).expect("below the root"));
            if !place.parent().is_some_and(Path::is_dir) {
                continue;
            }
            match node {
                Node::Directory => {
                    std::fs::create_dir(&place).expect("a new directory");
                }
                Node::File(inode) => match written.get(inode) {
                    Some(first) => std::fs::hard_link(first, &place).expect("a new name"),
                    None => {
                        model.files[inode].write(&place, kept.text);
                        written.insert(*inode, place);
                    }
                },
            }
        }
    }

    /// Counts a call, and says whether it is done.
    fn call(&self) -> io::Result<()> {
        let mut model = hold(&self.state);
        let number = model.calls;
        model.calls += 1;
        match self.accident {
            Accident::PowerLoss(at) if number >= at => Err(io::Error::other("no power")),
            Accident::Kill(at) if number >= at && !model.restarted => {
                Err(io::Error::other("killed"))
            }
            _ => Ok(()),
        }
    }
    /// A call that needs room on the disk.
    fn call_for_room(&self) -> io::Result<()> {
        let number = hold(&self.state).calls;
        self.call()?;
        match self.accident {
            Accident::NoRoom(at) if at == number => Err(io::ErrorKind::StorageFull.into()),
            Accident::ReadOnly(at) if at == number => Err(io::ErrorKind::ReadOnlyFilesystem.into()),
            _ => Ok(()),
        }
    }
    fn pend(&self, change: Change) {
        hold(&self.state).pending.push(change);
    }
    fn node(&self, path: &Path) -> io::Result<Node> {
        let metadata = std::fs::metadata(path)?;
        Ok(if metadata.is_dir() {
            Node::Directory
        } else {
            Node::File(metadata.ino())
        })
    }
}

impl Model {
    fn adopt(&mut self, directory: &Path) {
        for entry in std::fs::read_dir(directory).expect("a directory") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                self.durable.insert(path.clone(), Node::Directory);
                self.adopt(&path);
                continue;
            }
            let file = Arc::new(File::open(&path).expect("a file"));
            let inode = file.metadata().expect("a file").ino();
            self.durable.insert(path.clone(), Node::File(inode));
            let synced = std::fs::read(&path).expect("a file");
            let modified = 0;
            self.files.insert(
                inode,
                Inode {
                    file,
                    synced,
                    modified,
                },
            );
        }
    }
}

impl Inode {
    fn live(&self) -> Vec<u8> {
        let mut file = &*self.file;
        let mut text = Vec::new();
        file.rewind().expect("a file");
        file.read_to_end(&mut text).expect("a file");
        text
    }
    fn write(&self, path: &Path, kept: KeptText) {
        let (live, synced) = (self.live(), self.synced.len());
        let octets = match kept {
            KeptText::None => synced,
            KeptText::Half => synced + live.len().saturating_sub(synced) / 2,
            KeptText::All => live.len(),
        };
        std::fs::write(path, &live[..octets]).expect("written");
        let file = File::options().write(true).open(path).expect("a file");
        Kernel.set_modified(&file, self.modified).expect("set");
    }
}

fn apply(tree: &mut BTreeMap<PathBuf, Node>, change: &Change) {
    match change {
        Change::Add(path, node) => {
            tree.insert(path.clone(), *node);
        }
        Change::Remove(path) => {
            tree.remove(path);
        }
        Change::Rename(from, to, node) => {
            tree.remove(from);
            tree.insert(to.clone(), *node);
            let inside: Vec<PathBuf> = tree
                .keys()
                .filter(|path| path.starts_with(from))
                .cloned()
                .collect();
            for path in inside {
                let rest = path.strip_prefix(from).expect("it starts with it");
                if let Some(node) = tree.remove(&path) {
                    tree.insert(to.join(rest), node);
                }
            }
        }
    }
}

fn coin(seed: u64, number: u64) -> bool {
    let mixed =
        (seed ^ number.wrapping_mul(0x9e37_79b9_7f4a_7c15)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    (mixed >> 40) & 1 == 1
}

impl Disk for CrashDisk {
    fn create(&self, path: &Path) -> io::Result<Arc<File>> {
        self.call_for_room()?;
        let file = Kernel.create(path)?;
        let inode = file.metadata()?.ino();
        let (synced, modified) = (Vec::new(), 0);
        let held = Arc::clone(&file);
        hold(&self.state).files.insert(
            inode,
            Inode {
                file: held,
                synced,
                modified,
            },
        );
        self.pend(Change::Add(path.to_path_buf(), Node::File(inode)));
        Ok(file)
    }
    fn open_to_append(&self, path: &Path) -> io::Result<Arc<File>> {
        self.call()?;
        Kernel.open_to_append(path)
    }
    fn open(&self, path: &Path) -> io::Result<File> {
        self.call()?;
        Kernel.open(path)
    }
    fn read_ahead(&self, _: &Path) -> io::Result<()> {
        Ok(())
    }
    fn write(&self, file: &File, bytes: &[u8]) -> io::Result<()> {
        if let Err(error) = self.call_for_room() {
            if error.kind() == io::ErrorKind::StorageFull {
                // As a disk does that gets full: some of it fits.
                Kernel.write(file, &bytes[..bytes.len() / 2])?;
            }
            return Err(error);
        }
        Kernel.write(file, bytes)
    }
    fn sync_file(&self, file: &File) -> io::Result<()> {
        self.call_for_room()?;
        let metadata = file.metadata()?;
        let mut model = hold(&self.state);
        let inode = model
            .files
            .get_mut(&metadata.ino())
            .expect("a file of ours");
        inode.synced = inode.live();
        inode.modified = metadata.mtime();
        Ok(())
    }
    fn begin_sync(&self, _: &File, _: u64, _: u64) {}
    fn sync_file_system(&self, _: &Path) -> io::Result<()> {
        self.call_for_room()?;
        let mut model = hold(&self.state);
        for change in std::mem::take(&mut model.pending) {
            apply(&mut model.durable, &change);
        }
        for inode in model.files.values_mut() {
            inode.synced = inode.live();
            inode.modified = inode.file.metadata()?.mtime();
        }
        Ok(())
    }
    fn set_modified(&self, file: &File, seconds: i64) -> io::Result<()> {
        self.call()?;
        Kernel.set_modified(file, seconds)
    }
    fn sync_directory(&self, path: &Path) -> io::Result<()> {
        self.call_for_room()?;
        std::thread::sleep(self.slowness);
        let mut model = hold(&self.state);
        model.directory_syncs += 1;
        let pending = std::mem::take(&mut model.pending);
        for change in pending {
            let here = |place: &Path| place.parent() == Some(path);
            let touched = match &change {
                Change::Add(place, _) | Change::Remove(place) => here(place),
                Change::Rename(from, to, _) => here(from) || here(to),
            };
            if !touched {
                model.pending.push(change);
                continue;
            }
            apply(&mut model.durable, &change);
            if let Change::Rename(from, ..) = &change {
                // That it ever had the old name is history now.
                model
                    .pending
                    .retain(|earlier| !matches!(earlier, Change::Add(place, _) if place == from));
            }
        }
        Ok(())
    }
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.call_for_room()?;
        let node = self.node(from)?;
        Kernel.rename(from, to)?;
        if node == Node::Directory {
            // Pending changes inside it go along.
            for change in &mut hold(&self.state).pending {
                let follow = |path: &mut PathBuf| {
                    if let Ok(rest) = path.strip_prefix(from)
                        && rest != Path::new("")
                    {
                        *path = to.join(rest);
                    }
                };
                match change {
                    Change::Add(path, _) | Change::Remove(path) => follow(path),
                    Change::Rename(one, other, _) => {
                        follow(one);
                        follow(other);
                    }
                }
            }
        }
        self.pend(Change::Rename(from.to_path_buf(), to.to_path_buf(), node));
        Ok(())
    }
    fn link(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.call_for_room()?;
        if self.accident == Accident::NoLinks {
            return Err(io::ErrorKind::CrossesDevices.into());
        }
        let node = self.node(from)?;
        Kernel.link(from, to)?;
        self.pend(Change::Add(to.to_path_buf(), node));
        Ok(())
    }
    fn unlink(&self, path: &Path) -> io::Result<()> {
        self.call()?;
        Kernel.unlink(path)?;
        self.pend(Change::Remove(path.to_path_buf()));
        Ok(())
    }
    fn make_directory(&self, path: &Path) -> io::Result<()> {
        self.call_for_room()?;
        Kernel.make_directory(path)?;
        self.pend(Change::Add(path.to_path_buf(), Node::Directory));
        Ok(())
    }
    fn remove_directory(&self, path: &Path) -> io::Result<()> {
        self.call()?;
        Kernel.remove_directory(path)?;
        self.pend(Change::Remove(path.to_path_buf()));
        Ok(())
    }
    fn list(&self, path: &Path) -> io::Result<Vec<String>> {
        self.call()?;
        Kernel.list(path)
    }
    fn stat(&self, path: &Path) -> io::Result<Stat> {
        self.call()?;
        Kernel.stat(path)
    }
}
