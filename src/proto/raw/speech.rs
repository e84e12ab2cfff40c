//! What a typed line means for the lock-step: which reply it will get, and what follows it without one.
//!
//! | protocol | line | its reply | what follows |
//! |---|---|---|---|
//! | SMTP, LMTP | `DATA` | 354 asks for the text | lines up to a lone dot; then one reply (LMTP: one for each recipient that was taken, RFC 2033 §4.2) |
//! | | `BDAT n [LAST]` | after the chunk (LMTP, LAST: as above) | n octets (RFC 3030 §2) |
//! | | `AUTH` | 334 asks for an answer | one line for each 334 (RFC 4954 §4) |
//! | | anything else | one | |
//! | POP3 | `LIST`, `UIDL`, `LANG` without argument, `CAPA`, `AUTH` alone, `RETR`, `TOP` | `+OK`, and text up to a lone dot | |
//! | | `AUTH mechanism` | `+ ` asks for an answer | one line for each |
//! | | anything else | one line | |
//! | IMAP | any | the line with its tag | |
//! | | `{n}` at the end | `+` asks for the literal | n octets, and the rest of the command |
//! | | `{n+}` at the end | | the same at once (RFC 7888) |
//! | | `IDLE`, `AUTHENTICATE` | `+` asks for the next line | one line for each |
//! | FTP | any | one; 1yz goes before another (RFC 959 §4.2) | |

use super::Protocol;
use crate::wire::codes::commands::COMMANDS;
use crate::wire::codes::{self, Command};
use crate::wire::imap::scan::{LiteralKind, announced};
use crate::wire::secret;

/// A reply that is waited for, and to what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Awaited {
    pub(super) what: What,
    /// IMAP: the tag that its last line has.
    pub(super) tag: Vec<u8>,
    /// What it answers, as it may be shown.
    pub(super) shown: String,
}

/// What is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum What {
    /// The connection itself.
    Greeting,
    /// A command like any other.
    Plain,
    /// One whose good reply is followed by text (POP3).
    Listing,
    /// DATA, which 354 answers.
    Data,
    /// A message's text; LMTP has several of them.
    Text,
    /// A chunk.
    Chunk,
    /// The last chunk.
    LastChunk,
    /// AUTH, AUTHENTICATE: answers may be asked for.
    Auth,
    /// IDLE: the server speaks when it likes.
    Idle,
    /// STARTTLS, STLS, AUTH TLS.
    StartTls,
    /// RCPT
    Recipient,
    /// MAIL, RSET, HELO and their like: no recipients any more.
    Anew,
}

/// What follows a line before its reply is waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Follows {
    /// Nothing.
    Reply,
    /// So many octets of a chunk.
    Chunk(u64),
    /// A literal, when the server has asked for it.
    Literal(u64),
    /// A literal at once.
    LiteralNow(u64),
}

impl Awaited {
    /// The greeting.
    pub(super) fn greeting() -> Self {
        Self {
            what: What::Greeting,
            tag: Vec::new(),
            shown: String::new(),
        }
    }

    /// The reply to a message's text.
    pub(super) fn text() -> Self {
        Self {
            what: What::Text,
            tag: Vec::new(),
            shown: "the message".to_owned(),
        }
    }
}

/// What a command line, without its line end, will be answered with, and what follows it.
pub(super) fn command(protocol: Protocol, line: &[u8]) -> (Awaited, Follows) {
    let words: Vec<&[u8]> = words(line);
    let is = |at: usize, word: &str| {
        words
            .get(at)
            .is_some_and(|said| said.eq_ignore_ascii_case(word.as_bytes()))
    };
    let first = |verbs: &[&str]| verbs.iter().any(|verb| is(0, verb));
    let mut follows = Follows::Reply;
    let mut tag: &[u8] = b"";
    let what = match protocol {
        Protocol::Smtp | Protocol::Lmtp => {
            if first(&["DATA"]) {
                What::Data
            } else if first(&["BDAT"]) {
                follows = words
                    .get(1)
                    .and_then(|word| number(word))
                    .map_or(Follows::Reply, Follows::Chunk);
                match is(2, "LAST") {
                    true => What::LastChunk,
                    false => What::Chunk,
                }
            } else if first(&["AUTH"]) {
                What::Auth
            } else if first(&["STARTTLS"]) {
                What::StartTls
            } else if first(&["RCPT"]) {
                What::Recipient
            } else if first(&["MAIL", "RSET", "HELO", "EHLO", "LHLO"]) {
                What::Anew
            } else {
                What::Plain
            }
        }
        Protocol::Pop3 => {
            let alone = words.len() == 1;
            if first(&["RETR", "TOP", "CAPA"]) || alone && first(&["LIST", "UIDL", "LANG", "AUTH"])
            {
                What::Listing
            } else if first(&["AUTH"]) {
                What::Auth
            } else if first(&["STLS"]) {
                What::StartTls
            } else {
                What::Plain
            }
        }
        Protocol::Imap => {
            tag = words.first().copied().unwrap_or_default();
            follows = literal(line);
            if is(1, "STARTTLS") {
                What::StartTls
            } else if is(1, "IDLE") {
                What::Idle
            } else if is(1, "AUTHENTICATE") {
                What::Auth
            } else {
                What::Plain
            }
        }
        Protocol::Ftp => {
            let tls = is(1, "TLS") || is(1, "TLS-C") || is(1, "SSL");
            match first(&["AUTH"]) && tls {
                true => What::StartTls,
                false => What::Plain,
            }
        }
    };
    let awaited = Awaited {
        what,
        tag: tag.to_owned(),
        shown: short(secret::shown(line)),
    };
    (awaited, follows)
}

/// Which other server a line is for that is said to one that greets as SMTP's do.
pub(super) fn spoken_to(line: &[u8]) -> Option<Protocol> {
    let words = words(line);
    let is = |at: usize, names: &[&str]| {
        let word = words.get(at).copied().unwrap_or_default();
        names
            .iter()
            .any(|name| word.eq_ignore_ascii_case(name.as_bytes()))
    };
    if is(0, &["LHLO"]) {
        return Some(Protocol::Lmtp);
    }
    let is_ftp = is(0, &["USER", "PASV", "EPSV"]) || is(0, &["AUTH"]) && is(1, &["TLS", "SSL"]);
    is_ftp.then_some(Protocol::Ftp)
}

/// The literal that an IMAP line announces.
pub(super) fn literal(line: &[u8]) -> Follows {
    match announced(line) {
        None => Follows::Reply,
        Some(literal) if literal.kind == LiteralKind::Synchronizing => {
            Follows::Literal(literal.octets)
        }
        Some(literal) => Follows::LiteralNow(literal.octets),
    }
}

/// Whether an IMAP line begins with a tag: else it is to be given one, so that its reply can be told.
///
/// A known command in the first place is no tag, though it could be one. So is what a tag may not hold (RFC 9051 §9), and a
/// word that stands alone: a tag without a command says nothing.
pub(crate) fn has_tag(line: &[u8]) -> bool {
    // No space goes before a tag.
    let end = line.iter().position(|&octet| octet == b' ');
    let (tag, rest) = line.split_at(end.unwrap_or(line.len()));
    let fits = |octet: &u8| {
        matches!(octet, b'!'..=b'~')
            && !matches!(
                octet,
                b'(' | b')' | b'{' | b'%' | b'*' | b'"' | b'\\' | b'+'
            )
    };
    !tag.is_empty()
        && tag.iter().all(fits)
        && !rest.trim_ascii().is_empty()
        && !is_verb(codes::Protocol::Imap, tag)
}

/// Whether a line is a command that is known, rather than text.
pub(super) fn is_command(protocol: Protocol, line: &[u8]) -> bool {
    let words = words(line);
    let known = |at: usize, whose| words.get(at).is_some_and(|word| is_verb(whose, word));
    match protocol {
        Protocol::Smtp | Protocol::Lmtp | Protocol::Ftp => known(0, codes::Protocol::Smtp),
        Protocol::Pop3 => known(0, codes::Protocol::Pop3),
        Protocol::Imap => {
            // A field of a message's header has a colon, and a tag could have one but never does.
            let field = words.first().is_some_and(|word| word.ends_with(b":"));
            known(0, codes::Protocol::Imap) || known(1, codes::Protocol::Imap) && !field
        }
    }
}

fn is_verb(protocol: codes::Protocol, word: &[u8]) -> bool {
    let same = |command: &Command| {
        command.protocol == protocol && command.verb.as_bytes().eq_ignore_ascii_case(word)
    };
    COMMANDS.iter().copied().flatten().any(same)
}

fn words(line: &[u8]) -> Vec<&[u8]> {
    line.split(u8::is_ascii_whitespace)
        .filter(|word| !word.is_empty())
        .take(3)
        .collect()
}

fn number(word: &[u8]) -> Option<u64> {
    let digits = word.iter().all(u8::is_ascii_digit);
    std::str::from_utf8(word)
        .ok()
        .filter(|_| digits)?
        .parse()
        .ok()
}

/// A line in a message is worth no more than a line.
pub(super) fn short(text: String) -> String {
    const LETTERS: usize = 200;
    match text.char_indices().nth(LETTERS) {
        Some((end, _)) => format!("{}...", &text[..end]),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_command_has_its_reply() {
        use Follows::{Chunk as Octets, Literal, LiteralNow, Reply};
        use Protocol::{Ftp, Imap, Lmtp, Pop3, Smtp};
        for (protocol, line, what, follows) in [
            (Smtp, "data", What::Data, Reply),
            (Smtp, "DATA now", What::Data, Reply),
            (Smtp, "DATABASE", What::Plain, Reply),
            (Lmtp, "BDAT 12", What::Chunk, Octets(12)),
            (Smtp, "bdat 0 last", What::LastChunk, Octets(0)),
            (Smtp, "BDAT x", What::Chunk, Reply),
            (Smtp, "BDAT 99999999999999999999", What::Chunk, Reply),
            (Smtp, "AUTH PLAIN", What::Auth, Reply),
            (Smtp, "rcpt to:<a>", What::Recipient, Reply),
            (Smtp, "MAIL FROM:<>", What::Anew, Reply),
            (Smtp, "", What::Plain, Reply),
            (Pop3, "LIST", What::Listing, Reply),
            (Pop3, "list 1", What::Plain, Reply),
            (Pop3, "UIDL ", What::Listing, Reply),
            (Pop3, "UIDL 2", What::Plain, Reply),
            (Pop3, "RETR 1", What::Listing, Reply),
            (Pop3, "TOP 1 0", What::Listing, Reply),
            (Pop3, "CAPA", What::Listing, Reply),
            (Pop3, "AUTH", What::Listing, Reply),
            (Pop3, "AUTH PLAIN", What::Auth, Reply),
            (Pop3, "LANG", What::Listing, Reply),
            (Pop3, "LANG fr", What::Plain, Reply),
            (Pop3, "STAT", What::Plain, Reply),
            (Pop3, "STLS", What::StartTls, Reply),
            (Imap, "a STARTTLS", What::StartTls, Reply),
            (Imap, "a IDLE", What::Idle, Reply),
            (Imap, "a authenticate PLAIN", What::Auth, Reply),
            (Imap, "a APPEND INBOX {5}", What::Plain, Literal(5)),
            (Imap, "a LOGIN {5+}", What::Plain, LiteralNow(5)),
            (Ftp, "AUTH TLS", What::StartTls, Reply),
            (Ftp, "AUTH GSSAPI", What::Plain, Reply),
        ] {
            let (awaited, then) = command(protocol, line.as_bytes());
            assert_eq!((awaited.what, then), (what, follows), "{line}");
        }
        assert_eq!(command(Imap, b"x1 NOOP").0.tag, b"x1");
        assert_eq!(command(Pop3, b"PASS hush").0.shown, "PASS ********");
        assert_eq!(command(Smtp, &[b'x'; 300]).0.shown.len(), 203);
    }

    #[test]
    fn what_is_said_tells_who_listens() {
        for (line, protocol) in [
            ("lhlo a", Some(Protocol::Lmtp)),
            ("USER anonymous", Some(Protocol::Ftp)),
            ("AUTH TLS", Some(Protocol::Ftp)),
            ("AUTH PLAIN", None),
            ("EHLO a", None),
            ("", None),
        ] {
            assert_eq!(spoken_to(line.as_bytes()), protocol, "{line}");
        }
    }

    #[test]
    fn tags_are_told_from_commands() {
        for line in ["a NOOP", "A1 LOGIN x y", "x y", "7 uid fetch 1 all"] {
            assert!(has_tag(line.as_bytes()), "{line}");
        }
        for line in [
            "NOOP",
            "select INBOX",
            "UID FETCH 1 ALL",
            "SELECT LIST",
            "",
            "a",
            " a NOOP",
            "* OK",
            "+ NOOP",
            "a{ NOOP",
            "\u{e9} NOOP",
            "a ",
        ] {
            assert!(!has_tag(line.as_bytes()), "{line}");
        }
    }

    #[test]
    fn text_is_told_from_commands() {
        assert!(is_command(Protocol::Smtp, b"quit"));
        assert!(!is_command(Protocol::Smtp, b"From: a"));
        assert!(!is_command(Protocol::Smtp, b""));
        assert!(is_command(Protocol::Imap, b"a7 NOOP") && is_command(Protocol::Imap, b"noop"));
        assert!(!is_command(Protocol::Imap, b"Subject: Search results"));
        assert!(is_command(Protocol::Pop3, b"USER a") && !is_command(Protocol::Pop3, b"dXNlcg=="));
    }
}
