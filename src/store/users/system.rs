//! The users of the machine (`--system-users`): who they are says `/etc/passwd`, their passwords `/etc/shadow`, and which of them are
//! people `/etc/login.defs`.
//!
//! | | mail | logs in |
//! |---|---|---|
//! | uid from UID_MIN to UID_MAX | yes | with the password |
//! | a shell that lets nobody in (`nologin`, `false`) | yes | no |
//! | locked (`!`, `*`), without a password, expired, or to set a new password first | yes | no |
//! | a hash that cannot be checked here (DES), or costs too much | yes | no; the log says so |
//! | a home that is no absolute path, or `/` | no | no |
//! | uid outside of it: root, daemons, nobody | no | no |

use std::collections::HashMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::{Secret, Table};
use crate::store::fs;
use crate::store::owners::Owner;

/// Where the machine's users are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SystemFiles {
    /// `/etc/passwd`
    pub passwd: PathBuf,
    /// `/etc/shadow`
    pub shadow: PathBuf,
    /// `/etc/login.defs`, which may be missing.
    pub login_defs: PathBuf,
}

impl Default for SystemFiles {
    fn default() -> Self {
        Self {
            passwd: "/etc/passwd".into(),
            shadow: "/etc/shadow".into(),
            login_defs: "/etc/login.defs".into(),
        }
    }
}

impl SystemFiles {
    pub(super) fn read(&self) -> io::Result<Table> {
        let read = |path: &Path| {
            let named = |error: io::Error| {
                io::Error::new(error.kind(), format!("{}: {error}", path.display()))
            };
            fs::read_whole(&fs::Kernel, path).map_err(named)
        };
        let whole = |path: &Path| {
            let missing = || {
                let why = format!("{}: there is no such file", path.display());
                io::Error::new(io::ErrorKind::NotFound, why)
            };
            Ok::<_, io::Error>(read(path)?.ok_or_else(missing)?.0)
        };
        let login_defs = read(&self.login_defs)?.map_or_else(Vec::new, |(bytes, _)| bytes);
        Ok(parse(
            &text(&whole(&self.passwd)?),
            &text(&whole(&self.shadow)?),
            &text(&login_defs),
        ))
    }
}

/// The name of the user whom this process runs as: of the files only, as no other program is asked.
pub fn own_name() -> Option<String> {
    let passwd = std::fs::read(SystemFiles::default().passwd).ok()?;
    name_of(rustix::process::geteuid().as_raw(), &text(&passwd))
}

fn name_of(uid: u32, passwd: &str) -> Option<String> {
    passwd.lines().find_map(|line| {
        let mut fields = line.split(':');
        let name = fields.next()?;
        let is = fields.nth(1)?.parse() == Ok(uid);
        (is && !name.is_empty()).then(|| name.to_owned())
    })
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// What cannot be understood is passed over: a machine's files have lines that are not for us.
fn parse(passwd: &str, shadow: &str, login_defs: &str) -> Table {
    let setting = |name: &str, usual: u32| {
        let value = login_defs.lines().find_map(|line| {
            let mut words = line.split_ascii_whitespace();
            (words.next() == Some(name)).then(|| words.next()?.parse().ok())?
        });
        value.unwrap_or(usual)
    };
    let people = setting("UID_MIN", 1000)..=setting("UID_MAX", 60_000);
    let shadows: HashMap<&str, Vec<&str>> = shadow
        .lines()
        .filter_map(|line| Some((line.split_once(':')?.0, line.split(':').collect())))
        .collect();
    let mut table = Table {
        is_system: true,
        ..Table::default()
    };
    for line in passwd.lines() {
        let fields: Vec<&str> = line.split(':').collect();
        let [name, password, uid, gid, _, home, shell] = fields[..] else {
            continue;
        };
        let (Ok(uid), Ok(gid)) = (uid.parse::<u32>(), gid.parse::<u32>()) else {
            continue;
        };
        if !people.contains(&uid)
            || uid == 0
            || !home.starts_with('/')
            || Path::new(home) == Path::new("/")
        {
            continue;
        }
        let shadow = shadows.get(name);
        let hash = match password {
            "x" => shadow
                .and_then(|fields| fields.get(1))
                .copied()
                .unwrap_or(""),
            other => other,
        };
        let shell = shell.rsplit('/').next().unwrap_or("");
        let secret = match shell {
            "nologin" | "false" => Secret::Locked,
            _ => secret(name, hash),
        };
        if let Err(why) = table.add(name, secret) {
            log::warn!("{name} of the system's users has no mail here: {why}");
            continue;
        }
        // Names are compared without case, and stand in the table so.
        let Some(key) = table.names.last().cloned() else {
            continue;
        };
        let home: Arc<Path> = Path::new(home).join("Maildir").into();
        table.owners.insert(home.to_path_buf(), Owner { uid, gid });
        table.homes.insert(Arc::clone(&key), home);
        if let Some(day) = shadow.and_then(|fields| last_day(fields)) {
            table.last_days.insert(key, day);
        }
    }
    table
}

fn secret(name: &str, hash: &str) -> Secret {
    // A field of shadow(5) has no scheme; `{PLAIN}` there would be what somebody typed.
    if hash.starts_with('{') {
        return Secret::Locked;
    }
    Secret::parse(hash).unwrap_or_else(|why| {
        log::warn!("{name} of the system's users cannot log in: {why}");
        Secret::Locked
    })
}

/// The last day, since 1970, on which the password is good (shadow(5)); `None` for ever.
fn last_day(fields: &[&str]) -> Option<i64> {
    let number = |at: usize| fields.get(at)?.trim().parse::<i64>().ok();
    if number(2) == Some(0) {
        // A new one must be set first, and not here.
        return Some(-1);
    }
    // The account ends with this day; the password some days after it should have been changed.
    let account = number(7).map(|day| day - 1);
    let password = match (number(2), number(4), number(6)) {
        (Some(changed), Some(most), Some(grace)) if most >= 0 && grace >= 0 => {
            changed.checked_add(most)?.checked_add(grace)
        }
        _ => None,
    };
    [account, password].into_iter().flatten().min()
}

#[cfg(test)]
mod tests {
    use super::*;

    const PASSWD: &str = "root:x:0:0:root:/root:/bin/bash\n\
        daemon:x:1:1::/usr/sbin:/usr/sbin/nologin\n\
        alice:x:1000:1000:Alice,,,:/home/alice:/bin/bash\n\
        Bob:x:1001:100::/home/bob:/bin/zsh\n\
        mailonly:x:1002:1002::/home/mailonly:/usr/sbin/nologin\n\
        locked:x:1003:1003::/home/locked:/bin/sh\n\
        des:x:1004:1004::/home/des:/bin/sh\n\
        old:x:1005:1005::/home/old:/bin/sh\n\
        rootless:x:1006:1006::/:/bin/sh\n\
        toor:x:0:0::/home/toor:/bin/sh\n\
        bob:x:1007:1007::/home/otherbob:/bin/sh\n\
        none:x:1008:1008::/home/none:/bin/sh\n\
        typed:{PLAIN}x:1009:1009::/home/typed:/bin/sh\n\
        nobody:x:65534:65534::/nonexistent:/usr/sbin/nologin\n\
        +nis\nbroken:x:y\n";
    const SHADOW: &str = "root:$6$saltstring$svn8UoSVapNtMuq1ukKS4tPQd8iKwSMHWjl/O817G3uBnIFNjnQJuesI68u4OTLiBFdcbYEdFCoEOfaS35inz1:1::::::\n\
        alice:$6$saltstring$svn8UoSVapNtMuq1ukKS4tPQd8iKwSMHWjl/O817G3uBnIFNjnQJuesI68u4OTLiBFdcbYEdFCoEOfaS35inz1:19000:0:99999:7:::\n\
        Bob:$5$saltstring$5B8vYYiY.CVt1RlTTf8KbXBH3hsxY/GNooZaBBGWEc5:19000:0:99999:7:::\n\
        mailonly:$1$saltsalt$9xy1btjgzLYfb7hivXtC//:19000::::::\n\
        locked:!$6$saltstring$svn8UoSVapNtMuq1ukKS4tPQd8iKwSMHWjl/O817G3uBnIFNjnQJuesI68u4OTLiBFdcbYEdFCoEOfaS35inz1:19000::::::\n\
        des:EcLv/7XeEVmDE:19000::::::\n\
        old:$1$saltsalt$9xy1btjgzLYfb7hivXtC//:19000:0:99999:7::19100:\n";

    #[test]
    fn a_user_has_the_name_of_its_number() {
        let name = |uid| name_of(uid, PASSWD);
        assert_eq!(name(0).as_deref(), Some("root"));
        assert_eq!(name(1001).as_deref(), Some("Bob"));
        assert_eq!(name(4), None);
    }

    fn shown(table: &Table) -> Vec<(String, String)> {
        let names = table.names.iter();
        names
            .map(|name| (name.to_string(), format!("{:?}", table.secrets[name])))
            .collect()
    }

    #[test]
    fn people_have_mail_and_those_with_a_password_log_in() {
        let table = parse(PASSWD, SHADOW, "# none\nUID_MIN 1000\nUID_MAX\t60000\n");
        let expected = [
            ("alice", "{CRYPT}********"),
            ("bob", "{CRYPT}********"),
            ("mailonly", "locked"),
            ("locked", "locked"),
            ("des", "locked"),
            ("old", "{CRYPT}********"),
            ("none", "locked"),
            ("typed", "locked"),
        ];
        let expected = expected.map(|(name, secret)| (name.to_owned(), secret.to_owned()));
        assert_eq!(shown(&table), expected);
        assert_eq!(&*table.homes["bob"], Path::new("/home/bob/Maildir"));
        let owner = table.owners[Path::new("/home/bob/Maildir")];
        assert_eq!((owner.uid, owner.gid), (1001, 100));
        assert_eq!(table.last_days.get("old"), Some(&19_099));
        assert!(!table.last_days.contains_key("alice"));
    }

    #[test]
    fn login_defs_says_who_is_a_person() {
        let names = |login_defs: &str| {
            let table = parse(PASSWD, SHADOW, login_defs);
            table
                .names
                .iter()
                .map(ToString::to_string)
                .collect::<Vec<_>>()
        };
        assert_eq!(names("UID_MIN 1005\nUID_MAX 1008"), ["old", "bob", "none"]);
        // Root never, whatever the file says.
        assert!(!names("UID_MIN 0").contains(&"root".to_owned()));
        assert_eq!(names("").len(), 8, "1000 to 60000");
    }

    #[test]
    fn passwords_end_as_shadow_has_it() {
        let day = |line: &str| last_day(&line.split(':').collect::<Vec<_>>());
        assert_eq!(day("a:h:100:0:99999:7:::"), None);
        assert_eq!(day("a:h:100:0:10:7:5::"), Some(115));
        assert_eq!(day("a:h:100:0:10:7:5:112:"), Some(111));
        assert_eq!(day("a:h:0:0:10:7:::"), Some(-1));
        assert_eq!(day("a:h"), None);
    }
}
