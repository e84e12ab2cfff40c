//! IMAP URLs (RFC 5092) that name a message or a part of one, with the authorization of RFC 4467 and the octet ranges of RFC 5550.
//!
//! ```text
//! imap://alice@mail.example.org/INBOX;UIDVALIDITY=385759045/;UID=20/;SECTION=1.2/;PARTIAL=0.1024;EXPIRE=...;URLAUTH=user+bob:INTERNAL:91..
//!        '---- server ---------' '------- mailbox ---------' '-uid-' '- section -' '-- partial --''------------ authorization -----------'
//! /INBOX/;UID=20           the same server and user          (CATENATE has these)
//! ;UID=20/;SECTION=1.MIME  the mailbox that is selected
//! ```
//!
//! What is percent-encoded is decoded; names of mailboxes are UTF-8 in URLs (RFC 5092 §8). The words before `=` are taken in any case.

use crate::wire::date::from_internet;
use crate::wire::imap::fetch::{Partial, Section};
use crate::wire::imap::scan::Scanner;

/// A URL of a message or a part of one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MessageUrl {
    /// On which server, and whose; `None`: of the session.
    pub server: Option<Server>,
    /// In which mailbox.
    pub mailbox: MailboxRef,
    /// Only if UIDs mean what they meant then.
    pub uid_validity: Option<u32>,
    /// Which message.
    pub uid: u32,
    /// What of it; all of it by default.
    pub section: Section,
    /// Which octets of that.
    pub partial: Option<Partial>,
    /// Who may have it.
    pub authorization: Option<Authorization>,
}

/// `alice;AUTH=PLAIN@mail.example.org:143`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Server {
    /// As whom; how is of no use to a server.
    pub user: Option<String>,
    /// The host.
    pub host: String,
}

/// How a mailbox is named.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MailboxRef {
    /// The one that is selected.
    Selected,
    /// From the top: `/INBOX`.
    Absolute(String),
    /// Beside the one that is selected (RFC 3986 §5.2.3).
    Beside(String),
}

/// What RFC 4467 puts behind a URL.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Authorization {
    /// Until when, seconds since 1970.
    pub expire: Option<i64>,
    /// For whom.
    pub access: Access,
    /// Octets of the URL up to here are what is signed: the rump.
    pub rump: usize,
    /// Mechanism and token, once it is signed.
    pub verifier: Option<(String, String)>,
}

/// For whom a URL is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Access {
    /// A server for submission that acts for this user.
    Submit(String),
    /// This user.
    User(String),
    /// Everybody who is logged in, but not as anonymous.
    AuthUser,
    /// Everybody.
    Anonymous,
}

/// Why a text is no URL of a message: in words for a person.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BadUrl(pub &'static str);

impl MessageUrl {
    /// Takes a URL apart.
    ///
    /// ```
    /// use mailtool::wire::imap::url::{MailboxRef, MessageUrl};
    ///
    /// let url = MessageUrl::parse(b"/Entw%C3%BCrfe;UIDVALIDITY=385759045/;UID=20/;section=HEADER").unwrap();
    /// assert_eq!(url.mailbox, MailboxRef::Absolute("Entw\u{fc}rfe".to_owned()));
    /// assert_eq!((url.uid_validity, url.uid), (Some(385759045), 20));
    /// ```
    pub fn parse(text: &[u8]) -> Result<Self, BadUrl> {
        let text = std::str::from_utf8(text).map_err(|_| BadUrl("a URL is ASCII"))?;
        if !text.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(BadUrl("a URL is ASCII, without spaces"));
        }
        let (body, authorization) = cut_authorization(text)?;
        let (server, path) = cut_server(body)?;
        let mut parts = path.split("/;");
        // `/INBOX` or `INBOX` or nothing; or `;UID=20`, whose slash there is not.
        let first = parts.next().unwrap_or_default();
        let (mailbox, first) = match first.strip_prefix(';') {
            Some(rest) => (None, Some(rest)),
            None => (Some(first), None),
        };
        let (mailbox, uid_validity) = match mailbox {
            Some(mailbox) => cut_validity(mailbox)?,
            None => (MailboxRef::Selected, None),
        };
        let (mut uid, mut section, mut partial) = (None, None, None);
        for part in first.into_iter().chain(parts) {
            let Some((name, value)) = part.split_once('=') else {
                return Err(BadUrl("after /; comes UID=, SECTION= or PARTIAL="));
            };
            let known = match name.to_ascii_uppercase().as_str() {
                "UID" if section.is_none() && partial.is_none() => {
                    uid.replace(number(value)?).is_some()
                }
                "SECTION" if partial.is_none() => section.replace(parse_section(value)?).is_some(),
                "PARTIAL" => partial.replace(parse_partial(value)?).is_some(),
                _ => true,
            };
            if known {
                return Err(BadUrl(
                    "UID=, SECTION= and PARTIAL= come in this order, each once",
                ));
            }
        }
        Ok(Self {
            server,
            mailbox,
            uid_validity,
            uid: uid.ok_or(BadUrl("it names no message: /;UID=20 does"))?,
            section: section.unwrap_or_default(),
            partial,
            authorization,
        })
    }

    /// The mailbox's name, in a session that has `selected` one.
    pub fn mailbox_in(&self, selected: Option<&str>) -> Option<String> {
        match (&self.mailbox, selected) {
            (MailboxRef::Absolute(name), _) => Some(name.clone()),
            (MailboxRef::Selected, selected) => selected.map(str::to_owned),
            (MailboxRef::Beside(name), selected) => {
                let (above, _) = selected
                    .unwrap_or_default()
                    .rsplit_once('/')
                    .unwrap_or_default();
                let mut levels: Vec<&str> =
                    above.split('/').filter(|level| !level.is_empty()).collect();
                for level in name.split('/') {
                    match level {
                        "." => {}
                        ".." => {
                            levels.pop();
                        }
                        level => levels.push(level),
                    }
                }
                Some(levels.join("/")).filter(|name| !name.is_empty())
            }
        }
    }
}

/// Cuts `;EXPIRE=...;URLAUTH=...` off.
fn cut_authorization(text: &str) -> Result<(&str, Option<Authorization>), BadUrl> {
    let Some(at) = find(text, ";URLAUTH=") else {
        return match find(text, ";EXPIRE=") {
            Some(_) => Err(BadUrl("EXPIRE= is for URLs with URLAUTH=")),
            None => Ok((text, None)),
        };
    };
    let rest = &text[at + ";URLAUTH=".len()..];
    let (access, verifier) = match rest.split_once(':') {
        None => (rest, None),
        Some((access, verifier)) => {
            let pair = verifier.split_once(':');
            let (mechanism, token) =
                pair.ok_or(BadUrl("after the access come :mechanism:token"))?;
            (access, Some((mechanism.to_owned(), token.to_owned())))
        }
    };
    let rump = text.len() - rest.len() + access.len();
    let user = |name: &str| match decode(name)? {
        name if name.is_empty() => Err(BadUrl("submit+ and user+ need a user's name")),
        name => Ok(name),
    };
    let access = match access.split_once('+') {
        Some((word, name)) if word.eq_ignore_ascii_case("submit") => Access::Submit(user(name)?),
        Some((word, name)) if word.eq_ignore_ascii_case("user") => Access::User(user(name)?),
        None if access.eq_ignore_ascii_case("authuser") => Access::AuthUser,
        None if access.eq_ignore_ascii_case("anonymous") => Access::Anonymous,
        _ => {
            return Err(BadUrl(
                "the access is submit+NAME, user+NAME, authuser or anonymous",
            ));
        }
    };
    let (body, expire) = match find(&text[..at], ";EXPIRE=") {
        None => (&text[..at], None),
        Some(start) => {
            let date = &text[start + ";EXPIRE=".len()..at];
            let moment = from_internet(date).ok_or(BadUrl("EXPIRE= is 2026-11-26T14:00:00Z"))?;
            (&text[..start], Some(moment))
        }
    };
    let authorization = Authorization {
        expire,
        access,
        rump,
        verifier,
    };
    Ok((body, Some(authorization)))
}

/// Where `word` stands, in any case.
fn find(text: &str, word: &str) -> Option<usize> {
    text.as_bytes()
        .windows(word.len())
        .position(|window| window.eq_ignore_ascii_case(word.as_bytes()))
}

/// Cuts `imap://alice@host` or `//alice@host` off.
fn cut_server(text: &str) -> Result<(Option<Server>, &str), BadUrl> {
    let scheme = text
        .get(..5)
        .filter(|scheme| scheme.eq_ignore_ascii_case("imap:"));
    let rest = match scheme {
        Some(_) => &text[5..],
        None => text,
    };
    let Some(rest) = rest.strip_prefix("//") else {
        return match scheme {
            Some(_) => Err(BadUrl("after imap: comes //host/")),
            None => Ok((None, text)),
        };
    };
    let end = rest.find('/').ok_or(BadUrl("it names no mailbox"))?;
    let (server, path) = rest.split_at(end);
    let (user, host) = match server.rsplit_once('@') {
        Some((user, host)) => (Some(user), host),
        None => (None, server),
    };
    // `[::1]:143`, `mail.example.org:143`
    let host = match host.rsplit_once(':') {
        Some((name, port)) if !port.contains(']') => {
            if !port.bytes().all(|byte| byte.is_ascii_digit()) {
                return Err(BadUrl("the port is no number"));
            }
            name
        }
        _ => host,
    };
    let host = decode(host)?;
    if host.is_empty() {
        return Err(BadUrl("it names no host"));
    }
    let user = user
        .map(|user| decode(user.split(';').next().unwrap_or_default()))
        .transpose()?
        .filter(|user| !user.is_empty());
    Ok((Some(Server { user, host }), path))
}

/// `/INBOX;UIDVALIDITY=385759045`
fn cut_validity(text: &str) -> Result<(MailboxRef, Option<u32>), BadUrl> {
    let (name, validity) = match text.split_once(';') {
        None => (text, None),
        Some((name, rest)) => match rest.split_once('=') {
            Some((word, value)) if word.eq_ignore_ascii_case("UIDVALIDITY") => {
                (name, Some(number(value)?))
            }
            _ => return Err(BadUrl("after the mailbox comes ;UIDVALIDITY= or /;UID=")),
        },
    };
    let name = decode(name)?;
    let mailbox = match name.strip_prefix('/') {
        Some("") => return Err(BadUrl("it names no mailbox")),
        Some(name) => MailboxRef::Absolute(name.trim_end_matches('/').to_owned()),
        None if name.is_empty() => MailboxRef::Selected,
        None => MailboxRef::Beside(name),
    };
    Ok((mailbox, validity))
}

fn parse_section(value: &str) -> Result<Section, BadUrl> {
    const BAD: BadUrl = BadUrl("the section is like HEADER, TEXT, 1.2 or 1.MIME");
    let value = decode(value)?;
    let mut scanner = Scanner::new(value.as_bytes());
    match Section::scan(&mut scanner) {
        Ok(section) if scanner.peek().is_none() => Ok(section),
        _ => Err(BAD),
    }
}

/// `0.1024`, or `1024`: from there on.
fn parse_partial(value: &str) -> Result<Partial, BadUrl> {
    const BAD: BadUrl = BadUrl("PARTIAL= is offset.octets");
    let whole = |digits: &str| match digits.bytes().all(|byte| byte.is_ascii_digit()) {
        true => digits.parse::<u64>().map_err(|_| BAD),
        false => Err(BAD),
    };
    let (offset, octets) = match value.split_once('.') {
        Some((offset, octets)) => (whole(offset)?, whole(octets)?),
        None => (whole(value)?, u64::MAX),
    };
    match octets {
        0 => Err(BAD),
        octets => Ok(Partial { offset, octets }),
    }
}

fn number(digits: &str) -> Result<u32, BadUrl> {
    const BAD: BadUrl = BadUrl("UID= and UIDVALIDITY= are numbers from 1 to 4294967295");
    match digits.bytes().all(|byte| byte.is_ascii_digit()) {
        true => digits.parse().ok().filter(|&number| number > 0).ok_or(BAD),
        false => Err(BAD),
    }
}

/// Percent-encoding undone (RFC 3986 §2.1).
fn decode(text: &str) -> Result<String, BadUrl> {
    const BAD: BadUrl =
        BadUrl("% stands before two hexadecimal digits, and what they encode is UTF-8");
    let mut octets = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, after)) = rest.split_first() {
        if first != b'%' {
            octets.push(first);
            rest = after;
            continue;
        }
        let digit = |at: usize| char::from(*after.get(at)?).to_digit(16);
        let (Some(high), Some(low)) = (digit(0), digit(1)) else {
            return Err(BAD);
        };
        // Two hexadecimal digits are an octet.
        octets.push((high * 16 + low) as u8);
        rest = &after[2..];
    }
    String::from_utf8(octets).map_err(|_| BAD)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::wire::imap::fetch::SectionText;

    fn url(text: &str) -> MessageUrl {
        MessageUrl::parse(text.as_bytes()).unwrap_or_else(|bad| panic!("{text}: {}", bad.0))
    }

    #[test]
    fn the_urls_of_rfc_4469() {
        let header = url("/Drafts;UIDVALIDITY=385759045/;UID=20/;section=HEADER");
        assert_eq!(header.mailbox, MailboxRef::Absolute("Drafts".to_owned()));
        assert_eq!((header.uid_validity, header.uid), (Some(385_759_045), 20));
        assert_eq!(header.section.what, SectionText::Header);
        let part = url("/INBOX;UIDVALIDITY=785799047/;UID=113330/;section=1.5.9");
        assert_eq!((part.uid, part.section.part), (113_330, vec![1, 5, 9]));
        let whole = url("/Drafts;UIDVALIDITY=385759045/;UID=30");
        assert_eq!(
            (whole.section, whole.partial, whole.server),
            (Section::default(), None, None)
        );
        assert_eq!(
            url("/a/;UID=1/;SECTION=1.MIME").section.what,
            SectionText::Mime
        );
    }

    #[test]
    fn the_urls_of_rfc_4467_and_5092() {
        let text = "imap://joe@example.com/INBOX/;uid=20/;section=1.2;urlauth=submit+fred:internal:91354a473744909de610943775f92038";
        let signed = url(text);
        let server = signed.server.unwrap();
        assert_eq!(
            (server.user.as_deref(), &*server.host),
            (Some("joe"), "example.com")
        );
        let authorization = signed.authorization.unwrap();
        assert_eq!(authorization.access, Access::Submit("fred".to_owned()));
        assert!(text[..authorization.rump].ends_with("submit+fred"));
        let (mechanism, token) = authorization.verifier.unwrap();
        assert_eq!((&*mechanism, token.len()), ("internal", 32));
        let dated = url(
            "imap://joe;AUTH=*@example.com:143/a%20b/;UID=3;EXPIRE=2006-01-01T00:00:00Z;URLAUTH=authuser",
        );
        assert_eq!(dated.mailbox, MailboxRef::Absolute("a b".to_owned()));
        let authorization = dated.authorization.unwrap();
        assert_eq!(authorization.expire, Some(1_136_073_600));
        assert_eq!(
            (authorization.access, authorization.verifier),
            (Access::AuthUser, None)
        );
        let minion = url("imap://michael@minbari.org/users.*/;uid=20/;section=1.2");
        assert_eq!(minion.mailbox, MailboxRef::Absolute("users.*".to_owned()));
        let greek =
            url("imap://;AUTH=*@minbari.org/gray%20council/%E5%8F%B0/;uid=20/;PARTIAL=0.1024");
        assert_eq!(greek.server.unwrap().user, None);
        assert_eq!(
            greek.mailbox,
            MailboxRef::Absolute("gray council/台".to_owned())
        );
        let partial = Partial {
            offset: 0,
            octets: 1024,
        };
        assert_eq!(greek.partial, Some(partial));
        assert_eq!(url("//[::1]:143/a/;UID=1").server.unwrap().host, "[::1]");
        let fields = url("/a/;UID=1/;SECTION=HEADER.FIELDS%20(Subject%20From)/;PARTIAL=7").section;
        assert_eq!(
            fields.what,
            SectionText::HeaderFields(vec![b"Subject".to_vec(), b"From".to_vec()])
        );
    }

    #[test]
    fn relative_to_what_is_selected() {
        let named = |text, selected| url(text).mailbox_in(selected);
        assert_eq!(
            named(";UID=20/;SECTION=1", Some("a/b")).as_deref(),
            Some("a/b")
        );
        assert_eq!(named("/;UID=20", Some("a/b")).as_deref(), Some("a/b"));
        assert_eq!(named(";UID=20", None), None);
        assert_eq!(named("c/;UID=20", Some("a/b")).as_deref(), Some("a/c"));
        assert_eq!(named("../c/d/;UID=20", Some("a/b")).as_deref(), Some("c/d"));
        assert_eq!(
            named("../../../c/;UID=20", Some("a/b")).as_deref(),
            Some("c")
        );
        assert_eq!(named("c/;UID=20", None).as_deref(), Some("c"));
        assert_eq!(named("/c/;UID=20", Some("a/b")).as_deref(), Some("c"));
        assert_eq!(named("../;UID=20", Some("a/b")), None);
    }

    #[test]
    fn what_names_no_message_is_refused() {
        for text in [
            "",
            "/INBOX",
            "INBOX",
            "/INBOX/;UID=0",
            "/INBOX/;UID=x",
            "/INBOX/;UID=4294967296",
            "/INBOX/;UID=1/;UID=2",
            "/INBOX/;SECTION=1/;UID=2",
            "/INBOX/;UID=1/;SECTION=0",
            "/INBOX/;UID=1/;SECTION=1]",
            "/INBOX/;UID=1/;PARTIAL=0.0",
            "/INBOX/;UID=1/;PARTIAL=-1",
            "/INBOX/;UID=+1",
            "/INBOX;VALIDITY=3/;UID=1",
            "/IN%zzBOX/;UID=1",
            "/IN%ffBOX/;UID=1",
            "/IN BOX/;UID=1",
            "http://example.org/INBOX/;UID=1;URLAUTH=everybody",
            "imap:/INBOX/;UID=1",
            "imap://example.org",
            "imap:///INBOX/;UID=1",
            "imap://host:x/INBOX/;UID=1",
            "/INBOX/;UID=1;URLAUTH=user+",
            "/INBOX/;UID=1;URLAUTH=root",
            "/INBOX/;UID=1;URLAUTH=anonymous:INTERNAL",
            "/INBOX/;UID=1;EXPIRE=2006-01-01T00:00:00Z",
            "/INBOX/;UID=1;EXPIRE=soon;URLAUTH=anonymous",
        ] {
            assert!(MessageUrl::parse(text.as_bytes()).is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn anything_is_taken_or_refused(text in "(imap://)?[a-z@:/;=%+.\\[\\]A-Z0-9é]{0,60}") {
            if let Ok(url) = MessageUrl::parse(text.as_bytes()) {
                let _ = url.mailbox_in(Some("a/b"));
                if let Some(authorization) = url.authorization {
                    prop_assert!(text.is_char_boundary(authorization.rump));
                }
            }
        }
    }
}
