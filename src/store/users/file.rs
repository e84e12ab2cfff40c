//! Changing the file of users: one line of it, and everything else stays as it is, to the octet.
//!
//! Under a lock (`FILE.lock`), by putting a new file in the place of the old one, which it is like in owner and mode: whoever reads
//! it, and a crash, find the old one or the new one. A symbolic link stays one.

use std::fs::Permissions;
use std::io;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use super::{account_name, fold_case, secret::Secret};
use crate::store::fs::{self, Disk, Kernel};
use crate::store::lock::DotLock;
use crate::store::names;

/// A file of users.
#[derive(Debug)]
pub struct UsersFile {
    path: PathBuf,
    /// The domain that accounts without one belong to.
    first_domain: String,
}

/// What was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Edited {
    /// It was there, and has changed.
    Changed,
    /// It has been made, with its first account.
    Made,
}

/// Why it was not.
#[derive(Debug)]
pub enum EditError {
    /// The name cannot be an account's: why.
    Name(String),
    /// There is an account of this name already.
    Exists,
    /// There is none.
    Missing,
    /// The file cannot be read, or not be written.
    Io(io::Error),
}

impl std::fmt::Display for EditError {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Name(why) => formatter.write_str(why),
            Self::Exists => formatter.write_str("is there already"),
            Self::Missing => formatter.write_str("there is no such account"),
            Self::Io(error) => error.fmt(formatter),
        }
    }
}

impl std::error::Error for EditError {}

impl From<io::Error> for EditError {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

/// An account of the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// As it stands there.
    pub name: String,
    /// How its password is kept: `ARGON2ID`; `None` when nobody can log in.
    pub scheme: Option<String>,
    /// The line cannot be used: why.
    pub fault: Option<String>,
}

impl UsersFile {
    /// The file at `path`, which need not be there.
    pub fn new(path: &Path, first_domain: &str) -> Self {
        Self {
            path: path.to_path_buf(),
            first_domain: fold_case(first_domain),
        }
    }

    /// The accounts, in the order of the file.
    ///
    /// # Errors
    /// It is not there, or cannot be read.
    pub fn list(&self) -> io::Result<Vec<Listed>> {
        let read = fs::read_whole(&Kernel, &self.path)?;
        let (bytes, _) = read.ok_or(io::ErrorKind::NotFound)?;
        let lines = Lines::of(&bytes);
        Ok(lines.0.iter().filter_map(|line| listed(line)).collect())
    }

    /// Adds an account with this password field.
    ///
    /// # Errors
    /// `Name`, `Exists`, and the disk's.
    pub fn add(&self, name: &str, field: &str) -> Result<Edited, EditError> {
        let name = self.name(name)?;
        self.edit(Missing::IsMade, |lines| {
            if lines.find(self, &name).is_some() {
                return Err(EditError::Exists);
            }
            lines.push(format!("{name}:{field}").as_bytes());
            Ok(())
        })
    }

    /// Puts another password field in the place of an account's; its other fields stay.
    ///
    /// # Errors
    /// `Name`, `Missing`, and the disk's.
    pub fn set_password(&self, name: &str, field: &str) -> Result<Edited, EditError> {
        let name = self.name(name)?;
        self.edit(Missing::IsError, |lines| {
            let at = lines.find(self, &name).ok_or(EditError::Missing)?;
            let line = &lines.0[at];
            let mut fields = line.splitn(3, |&octet| octet == b':');
            let (kept, _) = (fields.next().unwrap_or_default(), fields.next());
            let mut new = kept.to_vec();
            new.push(b':');
            new.extend_from_slice(field.as_bytes());
            match fields.next() {
                Some(rest) => {
                    new.push(b':');
                    new.extend_from_slice(rest);
                }
                None => new.extend_from_slice(line_end(line)),
            }
            lines.0[at] = new;
            Ok(())
        })
    }

    /// Takes an account out. Its mail is not touched.
    ///
    /// # Errors
    /// `Name`, `Missing`, and the disk's.
    pub fn remove(&self, name: &str) -> Result<Edited, EditError> {
        let name = self.name(name)?;
        self.edit(Missing::IsError, |lines| {
            let at = lines.find(self, &name).ok_or(EditError::Missing)?;
            lines.0.remove(at);
            Ok(())
        })
    }

    /// The name as it stands in the file, without the first domain.
    fn name(&self, name: &str) -> Result<String, EditError> {
        let name = account_name(name).map_err(EditError::Name)?;
        // A passwd-file's fields end at a colon, and a comment begins so.
        if name.contains(':') || name.starts_with('#') {
            return Err(EditError::Name(
                "a name cannot hold a colon, nor begin with `#`".to_owned(),
            ));
        }
        Ok(self.plain(name))
    }

    fn plain(&self, name: String) -> String {
        match name.split_once('@') {
            Some((user, domain)) if domain == self.first_domain => user.to_owned(),
            _ => name,
        }
    }

    fn edit(
        &self,
        missing: Missing,
        change: impl FnOnce(&mut Lines) -> Result<(), EditError>,
    ) -> Result<Edited, EditError> {
        // The file itself, where the name is a link to it: a link is not replaced.
        let path = match std::fs::canonicalize(&self.path) {
            Ok(path) => path,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                std::path::absolute(&self.path)?
            }
            Err(error) => return Err(error.into()),
        };
        let _lock = DotLock::acquire(&Kernel, &path)?;
        let read = fs::read_whole(&Kernel, &path)?;
        if read.is_none() && missing == Missing::IsError {
            return Err(io::Error::new(io::ErrorKind::NotFound, "there is no such file").into());
        }
        let old = match &read {
            Some(_) => Some(std::fs::metadata(&path)?),
            None => None,
        };
        let mut lines = Lines::of(read.as_ref().map_or(&[], |(bytes, _)| bytes));
        change(&mut lines)?;
        let folder = path.parent().unwrap_or(Path::new("/"));
        let draft = folder.join(format!(".{}", names::unique(SystemTime::now())));
        let file = Kernel.create(&draft)?;
        let written = (|| {
            Kernel.write(&file, &lines.0.concat())?;
            // A new one that root makes is for whoever has the folder: the server, which is not root there.
            let is_root = rustix::process::geteuid().is_root();
            let like = match &old {
                None if is_root => Some(std::fs::metadata(folder)?),
                old => old.clone(),
            };
            // In this order: changing the owner may take bits of the mode away.
            if let Some(like) = like {
                let now = file.metadata()?;
                if (now.uid(), now.gid()) != (like.uid(), like.gid()) {
                    std::os::unix::fs::fchown(&file, Some(like.uid()), Some(like.gid()))?;
                }
            }
            if let Some(old) = &old {
                file.set_permissions(Permissions::from_mode(old.mode() & 0o7777))?;
            }
            Kernel.sync_file(&file)?;
            Kernel.rename(&draft, &path)
        })();
        if let Err(error) = written {
            let _ = Kernel.unlink(&draft);
            return Err(error.into());
        }
        Kernel.sync_directory(folder)?;
        Ok(match old {
            Some(_) => Edited::Changed,
            None => Edited::Made,
        })
    }
}

/// What becomes of a change to a file that is not there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Missing {
    IsMade,
    IsError,
}

/// Lines with their line ends.
struct Lines(Vec<Vec<u8>>);

impl Lines {
    fn of(bytes: &[u8]) -> Self {
        let lines = bytes.split_inclusive(|&octet| octet == b'\n');
        Self(lines.map(<[u8]>::to_vec).collect())
    }

    /// At the end, with the line end that the others have.
    fn push(&mut self, line: &[u8]) {
        let end: &[u8] = match self.0.last_mut() {
            Some(last) if last.ends_with(b"\r\n") => b"\r\n",
            Some(last) if !last.ends_with(b"\n") => {
                last.push(b'\n');
                b"\n"
            }
            _ => b"\n",
        };
        self.0.push([line, end].concat());
    }

    fn find(&self, file: &UsersFile, name: &str) -> Option<usize> {
        self.0.iter().position(|line| {
            name_of(line)
                .and_then(|name| account_name(name).ok())
                .is_some_and(|known| file.plain(known) == name)
        })
    }
}

fn line_end(line: &[u8]) -> &[u8] {
    match line {
        [.., b'\r', b'\n'] => b"\r\n",
        [.., b'\n'] => b"\n",
        _ => b"",
    }
}

/// The name that a line gives a password; `None` for comments and whatever else stands in the file.
fn name_of(line: &[u8]) -> Option<&str> {
    if line.starts_with(b"#") {
        return None;
    }
    let (name, _) = std::str::from_utf8(line).ok()?.split_once(':')?;
    Some(name)
}

fn listed(line: &[u8]) -> Option<Listed> {
    let name = name_of(line)?;
    let text = std::str::from_utf8(line).ok()?;
    let rest = text.trim_end().split_once(':').map_or("", |(_, rest)| rest);
    let field = rest.split(':').next().unwrap_or("");
    let fault = account_name(name)
        .err()
        .or_else(|| Secret::parse(field).err());
    let scheme = match field
        .strip_prefix('{')
        .and_then(|rest| rest.split_once('}'))
    {
        Some((scheme, _)) => Some(scheme.to_ascii_uppercase()),
        None => crypt_scheme(field).map(str::to_owned),
    };
    Some(Listed {
        name: name.trim().to_owned(),
        scheme,
        fault,
    })
}

/// How crypt(3) has made it; `None` when nobody can log in by it.
fn crypt_scheme(field: &str) -> Option<&'static str> {
    let known = [
        ("$6$", "SHA512-CRYPT"),
        ("$5$", "SHA256-CRYPT"),
        ("$y$", "YESCRYPT"),
        ("$2", "BLF-CRYPT"),
        ("$1$", "MD5-CRYPT"),
        ("$argon2id$", "ARGON2ID"),
        ("$argon2i$", "ARGON2I"),
    ];
    let found = known.iter().find(|(start, _)| field.starts_with(start));
    found.map(|(_, name)| *name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(content: Option<&str>) -> (tempfile::TempDir, UsersFile) {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("users");
        if let Some(content) = content {
            std::fs::write(&path, content).expect("written");
        }
        let file = UsersFile::new(&path, "Mail.Example");
        (folder, file)
    }
    fn content(file: &UsersFile) -> String {
        std::fs::read_to_string(&file.path).expect("a file")
    }

    #[test]
    fn one_line_changes_and_all_others_stay() {
        let before = "# mine: all of them\r\n\nalice:{PLAIN}a:1000:1000::/home/a::x=y\r\nnonsense\nBob@mail.example:{PLAIN}b";
        let (_folder, file) = file(Some(before));
        let set = file.set_password("ALICE@mail.example", "{X}new");
        assert_eq!(set.expect("set"), Edited::Changed);
        let after = before.replace("{PLAIN}a", "{X}new");
        assert_eq!(content(&file), after);
        file.set_password("bob", "{X}b2").expect("set");
        let after = after.replace("{PLAIN}b", "{X}b2");
        assert_eq!(content(&file), after);
        file.add("Carol@other.example", "{X}c").expect("added");
        assert_eq!(
            content(&file),
            format!("{after}\ncarol@other.example:{{X}}c\n")
        );
        for there in ["alice", "bob", "Carol@Other.example"] {
            assert!(
                matches!(file.add(there, "x"), Err(EditError::Exists)),
                "{there}"
            );
        }
        file.remove("alice").expect("removed");
        file.remove("carol@other.example").expect("removed");
        assert_eq!(
            content(&file),
            "# mine: all of them\r\n\nnonsense\nBob@mail.example:{X}b2\n"
        );
        for gone in ["alice", "nonsense", "# mine", "carol"] {
            let outcome = file.remove(gone);
            assert!(
                matches!(outcome, Err(EditError::Missing | EditError::Name(_))),
                "{gone}: {outcome:?}"
            );
        }
        let left: Vec<_> = std::fs::read_dir(file.path.parent().expect("a folder"))
            .expect("readable")
            .collect();
        assert_eq!(left.len(), 1, "neither drafts nor locks stay: {left:?}");
    }

    #[test]
    fn a_new_file_is_for_its_owner_and_an_old_one_stays_as_it_was() {
        let (_folder, file) = file(None);
        assert!(matches!(file.set_password("a", "x"), Err(EditError::Io(_))));
        assert_eq!(file.add("a", "{PLAIN}x").expect("added"), Edited::Made);
        let mode = |path: &Path| std::fs::metadata(path).expect("there").mode() & 0o777;
        assert_eq!(mode(&file.path), 0o600);
        std::fs::set_permissions(&file.path, Permissions::from_mode(0o640)).expect("set");
        let link = file.path.with_file_name("link");
        std::os::unix::fs::symlink("users", &link).expect("a link");
        let linked = UsersFile::new(&link, "mail.example");
        linked.add("b", "{PLAIN}y").expect("added");
        assert_eq!(mode(&file.path), 0o640);
        assert!(
            std::fs::symlink_metadata(&link)
                .expect("there")
                .is_symlink()
        );
        assert_eq!(content(&file), "a:{PLAIN}x\nb:{PLAIN}y\n");
    }

    #[test]
    fn names_that_would_spoil_the_file_are_refused() {
        let (_folder, file) = file(Some(""));
        for name in ["a:b", "#a", "a\nb", "", "../a", "a@b@c"] {
            assert!(
                matches!(file.add(name, "x"), Err(EditError::Name(_))),
                "{name:?}"
            );
        }
        assert_eq!(content(&file), "");
    }

    #[test]
    fn accounts_are_listed_with_how_their_password_is_kept() {
        let (_folder, file) = file(Some(
            "#x:y\nalice:{argon2id}$argon2id$broken\nbob:$6$salt$short\ncarol:!\ndan:{PLAIN}x\n",
        ));
        let listed = file.list().expect("read");
        let shown: Vec<_> = listed
            .iter()
            .map(|one| (&*one.name, one.scheme.as_deref(), one.fault.is_some()))
            .collect();
        assert_eq!(
            shown,
            [
                ("alice", Some("ARGON2ID"), true),
                ("bob", Some("SHA512-CRYPT"), true),
                ("carol", None, false),
                ("dan", Some("PLAIN"), false)
            ]
        );
    }

    #[test]
    fn many_at_once_lose_no_account() {
        let (_folder, file) = file(None);
        std::thread::scope(|scope| {
            for number in 0..8 {
                let file = &file;
                scope.spawn(move || {
                    file.add(&format!("user{number}"), "{PLAIN}x")
                        .expect("added");
                });
            }
        });
        assert_eq!(file.list().expect("read").len(), 8);
    }
}
