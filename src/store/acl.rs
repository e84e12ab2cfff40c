//! `dovecot-acl`: who has which rights on a mailbox, a line each, as Dovecot has it, so that either can serve the same tree.
//!
//! ```text
//! user=bob lrs              -user=eve r           what eve has not, whoever gives it to her
//! owner lrswipkxtea         anyone lr :post       letters, and words behind a colon
//! "user=two words" lr       group=staff lr           who is in it: `userdb_acl_groups=staff,lab` in the file of users
//! ```
//!
//! Without a file the owner has all rights, and nobody else has any. Else, as Dovecot does it: of what fits, the more particular
//! replaces the more general (`anyone`, `authenticated`, `group=`, `owner`, `user=`, `group-override=`), what several groups of a user
//! give is added up, and negative rights are taken away in the end; an owner of whom no line speaks has all. One thing is ours: an owner always has `l` and `a` (RFC 4314 §3.7), so that nobody locks himself out.
//!
//! Lines that make no sense give nobody anything, and are kept.

use std::io;
use std::path::Path;

use super::fs::{self, Disk};
use super::lock::DotLock;
use super::{Account, StoreError, Users};
use crate::limits;
use crate::wire::imap::rights::Rights;

/// The file's name in a mailbox.
pub(super) const FILE: &str = "dovecot-acl";
/// Dovecot's list of the mailboxes that others may see; it makes it anew when it is gone.
const DOVECOTS_LIST: &str = "dovecot-acl-list";

/// Whom a line is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Whom {
    Anyone,
    Authenticated,
    Owner,
    User(String),
    /// All who are in a group.
    Group(String),
    /// The same, whatever they are given or denied by name.
    Override(String),
}

/// Who wants to do something.
pub(super) struct Somebody<'a> {
    /// The account's name.
    pub(super) name: &'a str,
    /// The groups that the account is in.
    pub(super) groups: &'a [Box<str>],
    /// Whether the mailbox is the account's own.
    pub(super) is_owner: bool,
}

/// Which of the levels of [`Acl::rights`] is the owner's.
const OWNERS_LEVEL: usize = 3;

/// A line.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Line {
    Right {
        whom: Whom,
        negative: bool,
        rights: Rights,
    },
    /// A comment, or what makes no sense.
    Foreign(String),
}

/// A whole file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Acl(Vec<Line>);

impl Acl {
    /// What is in a mailbox's directory; none is an empty one.
    pub(super) fn read(disk: &dyn Disk, place: &Path) -> io::Result<Self> {
        let read = fs::read_start(disk, &place.join(FILE), limits::ACL_FILE)?;
        Ok(read.map_or_else(Self::default, |bytes| Self::parse(&bytes)))
    }

    pub(super) fn parse(bytes: &[u8]) -> Self {
        let text = String::from_utf8_lossy(bytes);
        Self(text.lines().map(Line::parse).collect())
    }

    pub(super) fn render(&self) -> String {
        let mut text = String::new();
        for line in &self.0 {
            line.write(&mut text);
            text.push('\n');
        }
        text
    }

    /// What somebody may do.
    pub(super) fn rights(&self, somebody: &Somebody<'_>) -> Rights {
        let Somebody {
            name,
            groups,
            is_owner,
        } = *somebody;
        let (mut given, mut taken) = (Rights::NONE, Rights::NONE);
        let is_in = |group: &String| groups.iter().any(|one| **one == **group);
        let levels: [&dyn Fn(&Whom) -> bool; 6] = [
            &|whom| *whom == Whom::Anyone,
            &|whom| *whom == Whom::Authenticated,
            &|whom| matches!(whom, Whom::Group(group) if is_in(group)),
            &|whom| *whom == Whom::Owner && is_owner,
            &|whom| matches!(whom, Whom::User(user) if user == name),
            &|whom| matches!(whom, Whom::Override(group) if is_in(group)),
        ];
        for (level, fits) in levels.iter().enumerate() {
            let default = (level == OWNERS_LEVEL && is_owner).then_some(Rights::ALL);
            given = self.of_all(fits, false).or(default).unwrap_or(given);
            if default.is_some() {
                // As Dovecot does it: what is taken from all is not taken from the owner.
                taken = Rights::NONE;
            }
            taken = self.of_all(fits, true).unwrap_or(taken);
        }
        let rights = given.without(taken);
        match is_owner {
            true => rights.union(Rights::OWNERS),
            false => rights,
        }
    }

    /// What the lines about somebody say, if there are any.
    fn of(&self, wanted: &Whom, is_negative: bool) -> Option<Rights> {
        self.of_all(&|whom| whom == wanted, is_negative)
    }

    /// The same of all whom `fits` says, together.
    fn of_all(&self, fits: &dyn Fn(&Whom) -> bool, is_negative: bool) -> Option<Rights> {
        let lines = self.0.iter().filter_map(|line| match line {
            Line::Right {
                whom,
                negative,
                rights,
            } if fits(whom) && *negative == is_negative => Some(*rights),
            _ => None,
        });
        lines.reduce(Rights::union)
    }

    /// Identifiers as IMAP has them, each once, with their rights: `owner` first, also if no line speaks of it.
    fn told(&self) -> Vec<(String, Rights)> {
        let owner = self.of(&Whom::Owner, false).unwrap_or(Rights::ALL);
        let mut all = vec![("owner".to_owned(), owner.union(Rights::OWNERS))];
        for line in &self.0 {
            let Line::Right {
                whom,
                negative,
                rights,
            } = line
            else {
                continue;
            };
            if *whom == Whom::Owner && !negative {
                continue;
            }
            let identifier = whom.identifier(*negative);
            match all.iter_mut().find(|(known, _)| *known == identifier) {
                Some((_, known)) => *known = known.union(*rights),
                None => all.push((identifier, *rights)),
            }
        }
        all
    }

    /// Puts one line in the place of all that there are about somebody; none, when there is nothing to give.
    fn set(&mut self, whom: &Whom, is_negative: bool, rights: Option<Rights>) {
        let same = |line: &Line| matches!(line, Line::Right { whom: known, negative, .. } if known == whom && *negative == is_negative);
        let at = self.0.iter().position(same).unwrap_or(self.0.len());
        self.0.retain(|line| !same(line));
        if let Some(rights) = rights {
            let line = Line::Right {
                whom: whom.clone(),
                negative: is_negative,
                rights,
            };
            self.0.insert(at.min(self.0.len()), line);
        }
    }
}

impl Line {
    fn parse(line: &str) -> Self {
        Self::parse_right(line).unwrap_or_else(|| Self::Foreign(line.to_owned()))
    }

    fn parse_right(line: &str) -> Option<Self> {
        if line.starts_with('#') {
            return None;
        }
        let (identifier, rest) = match line.strip_prefix('"') {
            Some(quoted) => unquote(quoted)?,
            None => {
                let (identifier, rest) = line.split_once(' ').unwrap_or((line, ""));
                (identifier.to_owned(), rest)
            }
        };
        let (letters, words) = rest.split_once(':').unwrap_or((rest, ""));
        let mut rights = Rights::parse(letters.trim()).ok()?;
        for word in words.split_whitespace() {
            rights = rights.union(Rights::of_word(word)?);
        }
        let (negative, identifier) = match identifier.strip_prefix('-') {
            Some(identifier) => (true, identifier),
            None => (false, identifier.as_str()),
        };
        let whom = match identifier {
            "anyone" | "anonymous" => Whom::Anyone,
            "authenticated" => Whom::Authenticated,
            "owner" => Whom::Owner,
            other => match other.split_once('=')? {
                ("user", name) => Whom::User(name.to_owned()),
                ("group", name) => Whom::Group(name.to_owned()),
                ("group-override", name) => Whom::Override(name.to_owned()),
                _ => return None,
            },
        };
        Some(Self::Right {
            whom,
            negative,
            rights,
        })
    }

    fn write(&self, text: &mut String) {
        let (whom, negative, rights) = match self {
            Self::Foreign(line) => {
                text.push_str(line);
                return;
            }
            Self::Right {
                whom,
                negative,
                rights,
            } => (whom, *negative, *rights),
        };
        let sign = if negative { "-" } else { "" };
        let identifier = match whom {
            Whom::Anyone => format!("{sign}anyone"),
            Whom::Authenticated => format!("{sign}authenticated"),
            Whom::Owner => format!("{sign}owner"),
            Whom::User(name) => format!("{sign}user={name}"),
            Whom::Group(name) => format!("{sign}group={name}"),
            Whom::Override(name) => format!("{sign}group-override={name}"),
        };
        if identifier.contains([' ', '"', '\\']) {
            text.push('"');
            for character in identifier.chars() {
                if matches!(character, '"' | '\\') {
                    text.push('\\');
                }
                text.push(character);
            }
            text.push('"');
        } else {
            text.push_str(&identifier);
        }
        text.push(' ');
        text.push_str(&rights.letters());
    }
}

/// What stands up to the closing quote, and what after it and its space.
fn unquote(text: &str) -> Option<(String, &str)> {
    let mut whole = String::new();
    let mut characters = text.char_indices();
    while let Some((at, character)) = characters.next() {
        match character {
            '"' => {
                let rest = &text[at + 1..];
                return Some((whole, rest.strip_prefix(' ').unwrap_or(rest)));
            }
            '\\' => whole.push(characters.next()?.1),
            other => whole.push(other),
        }
    }
    None
}

impl Whom {
    /// Of an identifier as IMAP has it, and whether it takes away. `Err` with a name that must be a user's.
    pub(super) fn of_identifier(identifier: &str) -> (bool, Result<Self, &str>) {
        let (negative, name) = match identifier.strip_prefix('-') {
            Some(name) => (true, name),
            None => (false, identifier),
        };
        let whom = match name {
            "anyone" => Ok(Self::Anyone),
            "authenticated" => Ok(Self::Authenticated),
            "owner" => Ok(Self::Owner),
            _ => match (name.strip_prefix("!$"), name.strip_prefix('$')) {
                (Some(group), _) => Ok(Self::Override(group.to_owned())),
                (_, Some(group)) => Ok(Self::Group(group.to_owned())),
                _ => Err(name),
            },
        };
        (negative, whom)
    }

    /// As IMAP has it; Dovecot's spelling of groups.
    fn identifier(&self, negative: bool) -> String {
        let sign = if negative { "-" } else { "" };
        match self {
            Self::Anyone => format!("{sign}anyone"),
            Self::Authenticated => format!("{sign}authenticated"),
            Self::Owner => format!("{sign}owner"),
            Self::User(name) => format!("{sign}{name}"),
            Self::Group(name) => format!("{sign}${name}"),
            Self::Override(name) => format!("{sign}!${name}"),
        }
    }
}

/// The identifiers and rights of a mailbox, for GETACL.
pub(super) fn told(disk: &dyn Disk, place: &Path) -> io::Result<Vec<(String, Rights)>> {
    Ok(Acl::read(disk, place)?.told())
}

/// Somebody's rights on the mailbox in `place`.
pub(super) fn rights(
    disk: &dyn Disk,
    place: &Path,
    users: &Users,
    somebody: &Account,
    owner: &Account,
) -> io::Result<Rights> {
    let acl = Acl::read(disk, place)?;
    Ok(acl.rights(&Somebody {
        name: &somebody.name,
        groups: &users.groups(somebody),
        is_owner: somebody.home == owner.home,
    }))
}

/// Changes what a mailbox's file says of somebody: `change` is given what it says now, and says what it shall. On disk when it
/// returns.
pub(super) fn change(
    disk: &dyn Disk,
    place: &Path,
    home: &Path,
    (whom, is_negative): (&Whom, bool),
    change: impl FnOnce(Option<Rights>) -> Option<Rights>,
) -> Result<(), StoreError> {
    let path = place.join(FILE);
    let _lock = DotLock::acquire(disk, &path)?;
    let read = fs::read_whole(disk, &path)?;
    let bytes = read.map_or_else(Vec::new, |(bytes, _)| bytes);
    let mut acl = Acl::parse(&bytes);
    let now = acl.of(whom, is_negative);
    let owners = *whom == Whom::Owner && !is_negative;
    let wanted = change(now.or(owners.then_some(Rights::ALL)));
    let wanted = match owners {
        true => wanted.map(|rights| rights.union(Rights::OWNERS)),
        false => wanted,
    };
    acl.set(whom, is_negative, wanted);
    let text = acl.render();
    if text.len() > limits::ACL_FILE || acl.0.len() > limits::ACL_LINES {
        return Err(StoreError::TooManyRights);
    }
    if text.as_bytes() == bytes {
        return Ok(());
    }
    fs::replace(disk, &place.join("tmp"), &path, text.as_bytes())?;
    // QUIRK: what is not in its list, Dovecot does not show to others.
    match disk.unlink(&home.join(DOVECOTS_LIST)) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error.into()),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// alice is the owner; bob is in the groups staff and lab.
    fn rights(text: &str, name: &str, is_owner: bool) -> String {
        let groups: [Box<str>; 2] = ["staff".into(), "lab".into()];
        let somebody = Somebody {
            name,
            groups: if is_owner { &[] } else { &groups },
            is_owner,
        };
        Acl::parse(text.as_bytes()).rights(&somebody).letters()
    }

    #[test]
    fn the_more_particular_replaces_the_more_general() {
        let all = Rights::ALL.letters();
        for (text, bob, owner) in [
            ("", "", &*all),
            ("user=bob lrs\n", "lrs", &all),
            ("anyone lr\nuser=bob i\n", "i", &all),
            ("anyone lr\nauthenticated lrs", "lrs", &all),
            ("anyone lr\n-user=bob r\n", "l", &all),
            ("-anyone r\nuser=bob lri\n", "li", &all),
            ("-anyone r\nowner lrs\n-owner s\n", "", "lra"),
            ("user=bob\n", "", &all),
            ("user=bob lr\nuser=bob :insert post\n", "lrip", &all),
            ("owner lr\n", "", "lra"),
            ("owner lr\nuser=alice i\n", "", "lia"),
            ("group=staff lrs\n", "lrs", &all),
            ("group=other lrs\n", "", &all),
            ("group=staff lr\ngroup=lab i\n", "lri", &all),
            ("anyone lrs\ngroup=staff i\n", "i", &all),
            ("group=staff lrs\nuser=bob l\n", "l", &all),
            ("user=bob l\ngroup-override=staff lrs\n", "lrs", &all),
            ("user=bob lrs\n-group-override=lab s\n", "lr", &all),
            ("group=staff lrs\n-group=staff r\n-group=lab s\n", "l", &all),
            ("# user=bob lr\nuser=bob lrQ\nnonsense lr\n", "", &all),
            ("\"user=bob\" l\n", "l", &all),
            ("user=bob cd", "kxte", &all),
        ] {
            assert_eq!(rights(text, "bob", false), bob, "{text:?}");
            assert_eq!(rights(text, "alice", true), owner, "{text:?}");
        }
    }

    #[test]
    fn lines_that_make_no_sense_are_kept() {
        let text = "# mine\nuser=bob lr\nnonsense\n\"user=two \\\" words\" l\n";
        let mut acl = Acl::parse(text.as_bytes());
        assert_eq!(acl.render(), text);
        acl.set(&Whom::User("bob".to_owned()), false, Some(Rights::ALL));
        acl.set(&Whom::Anyone, true, Some(Rights::READ));
        acl.set(&Whom::User("two \" words".to_owned()), false, None);
        assert_eq!(
            acl.render(),
            "# mine\nuser=bob lrswipkxtea\nnonsense\n-anyone r\n"
        );
        let told: Vec<String> = acl.told().into_iter().map(|one| one.0).collect();
        assert_eq!(told, ["owner", "bob", "-anyone"]);
    }

    #[test]
    fn identifiers_as_dovecot_spells_them() {
        for identifier in ["anyone", "-authenticated", "owner", "$staff", "-!$staff"] {
            let (negative, whom) = Whom::of_identifier(identifier);
            assert_eq!(whom.unwrap().identifier(negative), identifier);
        }
        assert_eq!(Whom::of_identifier("-bob"), (true, Err("bob")));
    }
}
