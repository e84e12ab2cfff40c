//! The file of aliases: names that stand for others.
//!
//! ```text
//! # comment
//! sales: alice, bob@elsewhere.example
//! info@other.example: alice,
//!     bob                                 a line that begins with a space goes on
//! @other.example: alice                   whoever is not there otherwise
//! ```
//!
//! Names without a domain are of the first one, in any case of letters. A target is a mailbox, another alias, or an address
//! elsewhere; never a file, a program or an included list, as sendmail(8) has them: whoever writes the file could run programs as this server.
//! An alias may stand for itself and more (`alice: alice, bob`): then it means the mailbox. Whatever turns in a circle ends there.

use std::collections::HashMap;
use std::sync::Arc;

use crate::limits;
use crate::wire::address::{self, Address, AddressError};

/// What names stand for; the keys as accounts are called, folded: `sales`, `info@other.example`, `@other.example`.
#[derive(Debug, Default)]
pub(super) struct Aliases(HashMap<String, Arc<[Address]>>);

/// The number of a line, and what is wrong with it.
pub(super) type Fault = (usize, String);

impl Aliases {
    /// Reads a file. `key` says what an address is called as an account; `None` when its domain is not ours.
    pub(super) fn parse(
        bytes: &[u8],
        key: impl Fn(&str, Option<&str>) -> Option<String>,
    ) -> Result<Self, Fault> {
        let mut aliases = Self::default();
        for (number, line) in logical_lines(bytes)? {
            let at = |why: String| (number, why);
            let (name, targets) = split(&line).ok_or_else(|| {
                at("no colon: write `name: target, target`, as in `sales: alice, bob`".to_owned())
            })?;
            let name = aliases.name(name, &key).map_err(at)?;
            let mut list = Vec::new();
            for target in targets {
                list.push(parse_target(target.trim()).map_err(at)?);
            }
            if list.is_empty() {
                return Err(at(format!(
                    "{name} stands for nobody: write at least one target"
                )));
            }
            if list.len() > limits::ALIAS_TARGETS {
                let most = limits::ALIAS_TARGETS;
                return Err(at(format!(
                    "{name} stands for more than {most} targets: split it"
                )));
            }
            if aliases.0.insert(name.clone(), list.into()).is_some() {
                return Err(at(format!("{name} is there twice: keep one of them")));
            }
        }
        Ok(aliases)
    }

    /// What a name stands for.
    pub(super) fn find(&self, key: &str) -> Option<&Arc<[Address]>> {
        self.0.get(key)
    }

    fn name(
        &self,
        name: &str,
        key: impl Fn(&str, Option<&str>) -> Option<String>,
    ) -> Result<String, String> {
        let name = name.trim();
        let not_ours = |domain: &str| {
            format!(
                "{domain} is not a domain of this server: add it with --domain, or take the alias out"
            )
        };
        if let Some(domain) = name.strip_prefix('@') {
            let known = key("x", Some(domain)).ok_or_else(|| not_ours(domain))?;
            return Ok(catch_all_key(&known));
        }
        let address = parse_address(name)
            .map_err(|error| format!("{:?} cannot be a name: {error}", shown(name)))?;
        key(address.local_part(), address.domain())
            .ok_or_else(|| not_ours(address.domain().unwrap_or_default()))
    }
}

/// The key of a domain's catch-all, made of the key of somebody in it: `@` for the first domain.
pub(super) fn catch_all_key(somebody: &str) -> String {
    match somebody.rsplit_once('@') {
        Some((_, domain)) => format!("@{domain}"),
        None => "@".to_owned(),
    }
}

fn parse_target(target: &str) -> Result<Address, String> {
    let inner = target.trim_start_matches('"').trim_start();
    let refused = match inner.as_bytes() {
        [b'|', ..] => "a program",
        [b'/', ..] => "a file",
        [b':', ..] => "a list in another file",
        [b'\\', ..] => "a backslash",
        [] => return Err("a target is missing between two commas, or at the end".to_owned()),
        _ => {
            return parse_address(target)
                .map_err(|error| format!("{:?} cannot be a target: {error}", shown(target)));
        }
    };
    Err(format!(
        "{:?} is {refused}, and mail goes to mailboxes and addresses only: write a name such as alice, or an address",
        shown(target)
    ))
}

/// All of `text`, which may be outside of ASCII (RFC 6531).
fn parse_address(text: &str) -> Result<Address, AddressError> {
    match address::path_utf8(format!("<{text}>").as_bytes())? {
        (Some(address), []) => Ok(address),
        (None, _) => Err(AddressError::Empty),
        _ => Err(AddressError::DisplayName),
    }
}

/// The name before the first colon outside of quotes, and what stands between the commas after it. No trailing comma counts.
fn split(line: &str) -> Option<(&str, Vec<&str>)> {
    let colon = outside_quotes(line, ':').next()?;
    let (name, targets) = (&line[..colon], line[colon + 1..].trim());
    let targets = targets.strip_suffix(',').unwrap_or(targets);
    if targets.is_empty() {
        return Some((name, Vec::new()));
    }
    let mut parts = Vec::new();
    let mut from = 0;
    for comma in outside_quotes(targets, ',') {
        parts.push(&targets[from..comma]);
        from = comma + 1;
    }
    parts.push(&targets[from..]);
    Some((name, parts))
}

/// Where a letter of ASCII stands outside of quotes.
fn outside_quotes(text: &str, letter: char) -> impl Iterator<Item = usize> {
    let (mut quoted, mut escaped) = (false, false);
    text.char_indices().filter_map(move |(at, now)| {
        if escaped {
            escaped = false;
            return None;
        }
        match now {
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            _ if now == letter && !quoted => return Some(at),
            _ => {}
        }
        None
    })
}

/// Lines with those that go on joined, numbered by their first; without comments and empty ones.
fn logical_lines(bytes: &[u8]) -> Result<Vec<(usize, String)>, Fault> {
    if bytes.len() > limits::ALIAS_FILE {
        let most = limits::ALIAS_FILE / (1024 * 1024);
        return Err((1, format!("the file is longer than {most} MiB")));
    }
    let mut lines: Vec<(usize, String)> = Vec::new();
    for (line, number) in bytes.split(|&octet| octet == b'\n').zip(1..) {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let line = std::str::from_utf8(line)
            .map_err(|_| (number, "not UTF-8: save the file as UTF-8".to_owned()))?;
        if line.trim().is_empty() || line.trim_start().starts_with('#') {
            continue;
        }
        match lines.last_mut() {
            Some((_, before)) if line.starts_with([' ', '\t']) => {
                before.push(' ');
                before.push_str(line.trim());
            }
            _ => lines.push((number, line.trim().to_owned())),
        }
    }
    Ok(lines)
}

/// The beginning of what stands in a file, for an error.
fn shown(text: &str) -> &str {
    &text[..text.floor_char_boundary(80)]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(local: &str, domain: Option<&str>) -> Option<String> {
        let local = local.to_lowercase();
        match domain.map(str::to_lowercase).as_deref() {
            None | Some("first.example") => Some(local),
            Some("other.example") => Some(format!("{local}@other.example")),
            Some(_) => None,
        }
    }
    fn targets(text: &str, name: &str) -> Vec<String> {
        let aliases = Aliases::parse(text.as_bytes(), key).expect("a good file");
        let found = aliases.find(name).expect("an alias");
        found.iter().map(ToString::to_string).collect()
    }
    fn refused(line: &str) -> String {
        let text = format!("# comment\r\n\r\n{line}\nlast: alice\n");
        let (number, why) = Aliases::parse(text.as_bytes(), key).expect_err("must be refused");
        assert_eq!(number, 3, "{why}");
        why
    }

    #[test]
    fn names_stand_for_targets() {
        let text = "Sales: alice, Bob@Elsewhere.Example\r\n\
                    info@OTHER.example:\n  alice,\n\t# between\n  \"a, b\"@x.example,\n\
                    root@first.example: alice\n@other.example: bob\n@first.example: carol\n";
        assert_eq!(targets(text, "sales"), ["alice", "Bob@Elsewhere.Example"]);
        assert_eq!(
            targets(text, "info@other.example"),
            ["alice", "\"a, b\"@x.example"]
        );
        assert_eq!(targets(text, "root"), ["alice"]);
        assert_eq!(targets(text, "@other.example"), ["bob"]);
        assert_eq!(targets(text, "@"), ["carol"]);
        assert_eq!(
            targets("ren\u{c9}: \u{e9}@x.example\n", "ren\u{e9}"),
            ["\u{e9}@x.example"]
        );
    }

    #[test]
    fn what_cannot_be_is_named_with_its_line() {
        assert!(refused("sales alice").contains("no colon"));
        assert!(refused("sales:").contains("stands for nobody"));
        assert!(refused("sales: alice,, bob").contains("a target is missing"));
        for (target, is) in [
            ("|/usr/bin/vacation", "a program"),
            ("\"|/usr/bin/vacation alice\"", "a program"),
            ("/dev/null", "a file"),
            ("\"/var/mail/x\"", "a file"),
            (":include:/etc/list", "a list in another file"),
            ("\\alice", "a backslash"),
        ] {
            let why = refused(&format!("sales: alice, {target}"));
            assert!(why.contains(is) && why.contains("such as alice"), "{why}");
        }
        assert!(refused("sales: a b@x").contains("cannot be a target"));
        assert!(refused("a b: alice").contains("cannot be a name"));
        assert!(refused("sales@elsewhere.example: alice").contains("not a domain of this server"));
        assert!(refused("@elsewhere.example: alice").contains("--domain"));
        let many = format!("sales: {}", "alice, ".repeat(limits::ALIAS_TARGETS + 1));
        assert!(refused(&many).contains("split it"));
        let twice = Aliases::parse(b"a: alice\nA@first.example: bob\n", key).expect_err("twice");
        assert!(twice.0 == 2 && twice.1.contains("twice"), "{twice:?}");
        assert!(Aliases::parse(b"a: \xff\n", key).is_err());
    }
}
