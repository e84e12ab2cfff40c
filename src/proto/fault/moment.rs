//! What a session is about to do: a command, as rules ask for it.

use std::net::IpAddr;
use std::time::Instant;

use super::Family;
use crate::wire::smtp as words;

/// What is about to happen.
#[derive(Clone, Copy, Debug)]
pub(super) struct Moment<'a> {
    pub(super) now: Instant,
    pub(super) family: Family,
    pub(super) at: At<'a>,
    /// The connection's number in the program.
    pub(super) token: u64,
    pub(super) address: Option<IpAddr>,
    /// Who is logged in.
    pub(super) user: Option<&'a str>,
    /// Who is about to.
    pub(super) name: Option<&'a str>,
    pub(super) selected: bool,
    pub(super) tls: bool,
    /// The sender of the message, `<>` for none.
    pub(super) from: Option<&'a str>,
    /// At RCPT the one recipient, later all of them.
    pub(super) to: &'a [String],
    /// Messages that are meant, as first and last numbers.
    pub(super) messages: &'a [(u64, u64)],
}

/// At which point.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum At<'a> {
    Connect,
    Tls,
    Text,
    Message,
    Command {
        /// In capitals.
        verb: &'a str,
        /// A password or its like is given.
        login: bool,
    },
}

/// A command, as far as rules look into it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Command {
    /// In capitals; of `UID FETCH` the second word.
    pub(super) verb: String,
    /// IMAP's tag.
    pub(super) tag: String,
    /// Where the arguments begin.
    pub(super) arguments: usize,
    /// The messages that it names, by their numbers.
    pub(super) messages: Vec<(u64, u64)>,
    /// The name that it gives for a login.
    pub(super) name: Option<String>,
    /// A password or its like is given.
    pub(super) login: bool,
}

impl Command {
    /// Reads a line; `None` when it is none. What is wrong in it is the real session's business.
    pub(super) fn read(family: Family, line: &[u8]) -> Option<Self> {
        let mut words = Words { line, at: 0 };
        let mut command = Self::default();
        let mut uid = false;
        if family == Family::Imap {
            command.tag = text(words.next()?);
        }
        command.verb = text(words.next()?).to_ascii_uppercase();
        if family.is_smtp() {
            // As the server reads it: people type MAIL and its argument in many ways.
            if let Some((verb, arguments)) = words::command(line) {
                command.verb = verb.info().name.to_owned();
                command.arguments = line.len() - arguments.len();
            } else {
                command.arguments = words.at;
            }
            command.login = command.verb == "AUTH";
            return Some(command);
        }
        if family == Family::Imap && command.verb == "UID" {
            uid = true;
            command.verb = text(words.next()?).to_ascii_uppercase();
        }
        command.arguments = words.at;
        let first = words.next().unwrap_or_default();
        match (family, command.verb.as_str()) {
            (Family::Pop3, "RETR" | "TOP" | "DELE" | "LIST" | "UIDL") => {
                command.messages = ranges(first);
            }
            (Family::Pop3, "USER") => command.name = Some(text(first)),
            (Family::Pop3, "APOP") => {
                command.name = Some(text(first));
                command.login = true;
            }
            (Family::Pop3, "PASS" | "AUTH") | (Family::Imap, "AUTHENTICATE") => {
                command.login = true;
            }
            (Family::Imap, "LOGIN") => {
                let name = first.trim_ascii();
                let name = name.strip_prefix(b"\"").unwrap_or(name);
                command.name = Some(text(name.strip_suffix(b"\"").unwrap_or(name)));
                command.login = true;
            }
            (Family::Imap, "FETCH" | "STORE" | "COPY" | "MOVE") if !uid => {
                command.messages = ranges(first);
            }
            _ => {}
        }
        Some(command)
    }
}

struct Words<'a> {
    line: &'a [u8],
    at: usize,
}

impl<'a> Words<'a> {
    fn next(&mut self) -> Option<&'a [u8]> {
        let is_space = |octet: &u8| matches!(octet, b' ' | b'\t');
        let rest = &self.line[self.at..];
        let begin = rest.iter().position(|octet| !is_space(octet))?;
        let word = &rest[begin..];
        let end = word.iter().position(is_space).unwrap_or(word.len());
        self.at += begin + end;
        Some(&word[..end])
    }
}

/// Some octets of a word as text; nobody has a name of such a length.
fn text(word: &[u8]) -> String {
    String::from_utf8_lossy(&word[..word.len().min(320)]).into_owned()
}

/// `2`, `1:4,7`; what is no number names none, `*` the last, whose number nobody knows here.
fn ranges(set: &[u8]) -> Vec<(u64, u64)> {
    let set = std::str::from_utf8(set).unwrap_or_default();
    let range = |part: &str| {
        let (first, last) = part.split_once(':').unwrap_or((part, part));
        let (first, last): (u64, u64) = (
            first.parse().ok()?,
            match last {
                "*" => u64::MAX,
                last => last.parse().ok()?,
            },
        );
        Some((first.min(last), first.max(last)))
    };
    // As many as a person types.
    set.split(',').take(100).filter_map(range).collect()
}

/// The sender in the arguments of MAIL, `<>` for none.
pub(super) fn sender(arguments: &[u8]) -> Option<String> {
    let (address, _) = words::mail(arguments).ok()?;
    Some(address.map_or_else(|| "<>".to_owned(), |address| address.to_string()))
}

/// The recipient in the arguments of RCPT.
pub(super) fn recipient(arguments: &[u8]) -> Option<String> {
    let (address, _) = words::rcpt(arguments).ok()?;
    Some(address.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(family: Family, line: &str) -> Command {
        Command::read(family, line.as_bytes()).expect(line)
    }

    #[test]
    fn commands_are_read_as_rules_ask_for_them() {
        let mail = read(Family::Smtp, "mail from:<bob@example.org> SIZE=9");
        assert_eq!(mail.verb, "MAIL");
        let line = b"mail from:<bob@example.org> SIZE=9";
        assert_eq!(
            sender(&line[mail.arguments..]).as_deref(),
            Some("bob@example.org")
        );
        let line = b"RCPT TO:<alice@example.org>";
        let rcpt = Command::read(Family::Lmtp, line).expect("a command");
        assert_eq!(
            recipient(&line[rcpt.arguments..]).as_deref(),
            Some("alice@example.org")
        );
        assert!(read(Family::Submission, "AUTH PLAIN").login);
        let retr = read(Family::Pop3, "retr 3");
        assert_eq!((retr.verb.as_str(), retr.messages), ("RETR", vec![(3, 3)]));
        assert_eq!(read(Family::Pop3, "USER eve").name.as_deref(), Some("eve"));
        assert!(read(Family::Pop3, "PASS x").login);
        let fetch = read(Family::Imap, "a7 FETCH 1:4,9,6:* (FLAGS)");
        assert_eq!((fetch.tag.as_str(), fetch.verb.as_str()), ("a7", "FETCH"));
        assert_eq!(fetch.messages, [(1, 4), (9, 9), (6, u64::MAX)]);
        let by_uid = read(Family::Imap, "a8 uid fetch 1:4 FLAGS");
        assert_eq!((by_uid.verb.as_str(), by_uid.messages.len()), ("FETCH", 0));
        let login = read(Family::Imap, "a1 LOGIN \"eve\" {3}");
        assert_eq!((login.name.as_deref(), login.login), (Some("eve"), true));
        assert_eq!(Command::read(Family::Imap, b"DONE"), None);
        assert_eq!(Command::read(Family::Smtp, b"  "), None);
    }
}
