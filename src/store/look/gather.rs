//! What lies in a folder: its two directories, read.

use std::collections::hash_map::Entry as Slot;
use std::collections::{HashMap, HashSet};
use std::io;
use std::time::SystemTime;

use super::super::fs::{self, Stat};
use super::super::names;
use super::{Folder, Part, Place};
use crate::limits;

/// What one look found.
pub(super) struct Found {
    pub(super) files: HashMap<Box<str>, Place>,
    /// The bases of those that came from `new/`.
    pub(super) moved: HashSet<Box<str>>,
    pub(super) new: i128,
    pub(super) cur: i128,
    pub(super) new_settled: bool,
    pub(super) cur_settled: bool,
    /// When this was.
    pub(super) listed: i128,
}

impl Found {
    /// What a second look finds as well: a file that was renamed while a directory was read may have been missed once.
    pub(super) fn and_again(self, folder: &Folder<'_>) -> io::Result<Self> {
        let mut found = gather(folder)?;
        for (base, place) in self.files {
            if let Slot::Vacant(vacant) = found.files.entry(base) {
                vacant.insert(place);
                found.cur_settled = false;
            }
        }
        found.moved.extend(self.moved);
        Ok(found)
    }
}

/// Moves what is in `new/` on, and reads both directories.
pub(super) fn gather(folder: &Folder<'_>) -> io::Result<Found> {
    let disk = folder.disk();
    let (new, cur) = (folder.part("new"), folder.part("cur"));
    let now = fs::nanoseconds(SystemTime::now());
    let mut files = HashMap::new();
    let mut moved = HashSet::new();
    // Read until nothing more is moved out of it, so that its time is not our own doing; not for ever.
    let mut new_time = 0;
    for _ in 0..3 {
        new_time = disk.stat(&new)?.modified;
        let before = moved.len();
        for name in disk.list(&new)? {
            if name.starts_with('.') {
                continue;
            }
            let base = names::base(&name);
            let info = if base == name { ":2," } else { "" };
            match disk.rename(&new.join(&name), &cur.join(format!("{name}{info}"))) {
                Ok(()) => {
                    moved.insert(base.into());
                }
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(_) => {
                    let base = base.into();
                    let (part, name) = (Part::New, name.into());
                    files.insert(base, Place { part, name });
                }
            }
        }
        if moved.len() == before {
            break;
        }
    }
    let cur_time = disk.stat(&cur)?.modified;
    for name in disk.list(&cur)? {
        if name.starts_with('.') {
            continue;
        }
        let base: Box<str> = names::base(&name).into();
        let place = Place {
            part: Part::Cur,
            name: name.into(),
        };
        if let Some(twin) = files.insert(base.clone(), place) {
            part_twins(folder, &mut files, base, &twin);
        }
    }
    Ok(Found {
        files,
        moved,
        new: new_time,
        cur: cur_time,
        new_settled: is_settled(new_time, now),
        cur_settled: is_settled(cur_time, now),
        listed: now,
    })
}

/// Two files with one base: the same message twice loses a name, another message gets a base of its own.
fn part_twins(
    folder: &Folder<'_>,
    files: &mut HashMap<Box<str>, Place>,
    base: Box<str>,
    twin: &Place,
) {
    let disk = folder.disk();
    let Some(place) = files.get(&base) else {
        return;
    };
    let (path, twin_path) = (place.path(folder.path), twin.path(folder.path));
    let (Ok(one), Ok(other)) = (disk.stat(&path), disk.stat(&twin_path)) else {
        return;
    };
    if one.inode == other.inode {
        let _ = disk.unlink(&twin_path);
        return;
    }
    let fresh = names::unique(SystemTime::now());
    let info = twin.name.get(base.len()..).unwrap_or("");
    let name: Box<str> = format!("{fresh}{info}").into();
    let part = twin.part;
    let place = Place { part, name };
    if disk.rename(&twin_path, &place.path(folder.path)).is_ok() {
        files.insert(fresh.into(), place);
    }
}

/// Whether a directory that was changed at `modified` would show any change after `now` in its time.
///
/// A file system that counts seconds needs two of them (Dovecot's figure); one that counts finer still changes its clock only
/// with the kernel's tick (at most 10 ms).
pub(in crate::store) fn is_settled(modified: i128, now: i128) -> bool {
    let grain = if modified % 1_000_000_000 == 0 {
        2_000_000_000
    } else {
        100_000_000
    };
    now - modified > grain
}

/// Removes what has lain in `tmp/` for too long at `now`. The time of change counts: that of modification is INTERNALDATE.
pub(in crate::store) fn sweep(folder: &Folder<'_>, now: i128) {
    let tmp = folder.part("tmp");
    let oldest = now - limits::TMP_STALE.as_nanos().cast_signed();
    for name in folder.disk().list(&tmp).unwrap_or_default() {
        let path = tmp.join(name);
        let stale = |stat: Stat| !stat.is_directory && stat.changed < oldest;
        if folder.disk().stat(&path).is_ok_and(stale) {
            let _ = folder.disk().unlink(&path);
        }
    }
}
