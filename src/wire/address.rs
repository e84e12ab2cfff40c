//! Addresses as SMTP writes them: mailboxes and paths (RFC 5321 §4.1.2, §4.1.3).
//!
//! What a client may send is wider than the standard, as far as Postfix takes it: spaces before the address, no angle
//! brackets, stray dots in the local part, a dot after the domain, no domain. A source route is read and dropped
//! (RFC 5321 §4.1.2: SHOULD be ignored). What is written is always the standard's form.
//!
//! Letters outside of ASCII (RFC 6531 §3.3) are read by [`path_utf8`] only: who calls it asks [`Address::is_ascii`], because what
//! is not may only be said where SMTPUTF8 was agreed on.
//!
//! Invariant: an [`Address`] holds no control character, no NUL and no line end, so that it can stand in a reply, in a command
//! and in a header.

use std::borrow::Cow;
use std::fmt;
use std::net::{Ipv4Addr, Ipv6Addr};

use super::idna;

/// A mailbox: `local-part@domain`, or a local part alone (`postmaster`), which means the server's own domain.
///
/// ```
/// use mailtool::wire::address::Address;
///
/// let address = Address::parse(b"\"a b\"@Example.org").unwrap();
/// assert_eq!((address.local_part(), address.domain()), ("a b", Some("Example.org")));
/// assert_eq!(address.to_string(), "\"a b\"@Example.org");
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Address {
    /// What it means: without quotes and backslashes.
    local_part: String,
    domain: Option<String>,
}

/// What is wrong with an address. Its text says what would be right.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AddressError {
    /// Nothing there.
    Empty,
    /// Octets above 127: they need SMTPUTF8 (RFC 6531).
    NonAscii,
    /// Octets that are not even UTF-8.
    NotUtf8,
    /// `<` without `>`, or the other way round.
    Bracket,
    /// A quoted string does not end.
    Quote,
    /// Nothing before the `@`.
    NoLocalPart,
    /// A character that must be in quotes.
    LocalPart(char),
    /// The local part is over 64 octets (RFC 5321 §4.5.3.1.1).
    LongLocalPart,
    /// More than one `@` outside of quotes.
    TwoAts,
    /// Nothing after the `@`, two dots in a row, or a character that no domain has.
    Domain,
    /// The domain is over 255 octets (RFC 5321 §4.5.3.1.2), or a label of it over 63.
    LongDomain,
    /// `[...]` holds no IP address.
    Literal,
    /// A source route without the colon that ends it.
    Route,
    /// Words around the address: a display name has its place in the header.
    DisplayName,
}

impl fmt::Display for AddressError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = match self {
            Self::Empty => "there is no address",
            Self::NonAscii => {
                "it has letters outside of ASCII, and those need SMTPUTF8 behind the sender's address"
            }
            Self::NotUtf8 => "it has octets that are not UTF-8",
            Self::Bracket => "of the brackets < and > one is missing",
            Self::Quote => "the closing \" is missing",
            Self::NoLocalPart => "the name before the @ is missing",
            Self::LocalPart(' ') => "there is a space in the name before the @",
            Self::LocalPart(special) if !special.is_control() => {
                return write!(
                    formatter,
                    "{special} before the @ would need quotes: \"a{special}b\"@example.org"
                );
            }
            Self::LocalPart(_) => "there is a control character in it",
            Self::LongLocalPart => "the name before the @ is longer than 64 octets",
            Self::TwoAts => "there is more than one @",
            Self::Domain => "what stands after the @ is no domain such as example.org",
            Self::LongDomain => {
                "the domain is longer than 255 octets, or one of its labels longer than 63"
            }
            Self::Literal => {
                "in [ ] there must be an address such as [192.0.2.1] or [IPv6:2001:db8::1]"
            }
            Self::Route => "a source route ends with a colon: <@relay.example:user@example.org>",
            Self::DisplayName => {
                "here stands the address alone; a person's name belongs into the header of the message"
            }
        };
        formatter.write_str(text)
    }
}

impl std::error::Error for AddressError {}

impl Address {
    /// Reads a mailbox without brackets: all of `text`.
    pub fn parse(text: &[u8]) -> Result<Self, AddressError> {
        Self::parse_with(text, Letters::Ascii)
    }

    /// The same, where it may have letters of UTF-8 (RFC 6531 §3.3).
    pub fn parse_utf8(text: &[u8]) -> Result<Self, AddressError> {
        Self::parse_with(text, Letters::Utf8)
    }

    fn parse_with(text: &[u8], letters: Letters) -> Result<Self, AddressError> {
        if text.is_empty() {
            return Err(AddressError::Empty);
        }
        if !text.is_ascii() {
            if letters == Letters::Ascii {
                return Err(AddressError::NonAscii);
            }
            let text = std::str::from_utf8(text).map_err(|_| AddressError::NotUtf8)?;
            if let Some(stray) = text.chars().find(|letter| is_unfit(*letter)) {
                return Err(AddressError::LocalPart(stray));
            }
        }
        let (local_part, rest) = local_part(text)?;
        if local_part.len() > 64 {
            return Err(AddressError::LongLocalPart);
        }
        let domain = match rest {
            [] => None,
            [b'@', domain @ ..] => Some(domain_or_literal(domain)?),
            _ => return Err(AddressError::DisplayName),
        };
        Ok(Self { local_part, domain })
    }

    /// What stands before the `@`, without quotes.
    pub fn local_part(&self) -> &str {
        &self.local_part
    }

    /// What stands after the `@`, a literal with its brackets; `None` for a local part alone.
    pub fn domain(&self) -> Option<&str> {
        self.domain.as_deref()
    }

    /// Whether it can be said without SMTPUTF8 (RFC 6531).
    pub fn is_ascii(&self) -> bool {
        self.local_part.is_ascii() && self.domain.as_deref().is_none_or(str::is_ascii)
    }

    /// The same with its domain as the DNS has it (RFC 5890), where only that keeps it from being ASCII: so it can be said to whom
    /// letters may not be said, and stand in a header of which all else is ASCII.
    ///
    /// ```
    /// use mailtool::wire::address::path_utf8;
    ///
    /// let (eve, _) = path_utf8("<eve@b\u{fc}cher.example>".as_bytes()).unwrap();
    /// assert_eq!(eve.unwrap().in_ascii().to_string(), "eve@xn--bcher-kva.example");
    /// ```
    #[must_use]
    pub fn in_ascii(&self) -> Cow<'_, Self> {
        let domain = self
            .domain()
            .filter(|domain| !domain.is_ascii() && self.local_part.is_ascii());
        match domain.and_then(idna::to_ascii) {
            Some(ascii) => Cow::Owned(self.clone().in_domain(&ascii)),
            None => Cow::Borrowed(self),
        }
    }

    /// The same local part in another domain.
    #[must_use]
    pub fn in_domain(mut self, domain: &str) -> Self {
        self.domain = Some(domain.to_owned());
        self
    }

    /// The same, with `domain` where it had none.
    #[must_use]
    pub fn or_in(mut self, domain: &str) -> Self {
        self.domain.get_or_insert_with(|| domain.to_owned());
        self
    }
}

/// Which letters an address may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Letters {
    Ascii,
    /// RFC 6531 §3.3
    Utf8,
}

impl fmt::Display for Address {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if is_dot_string(&self.local_part) {
            formatter.write_str(&self.local_part)?;
        } else {
            formatter.write_str("\"")?;
            for letter in self.local_part.chars() {
                if matches!(letter, '"' | '\\') {
                    formatter.write_str("\\")?;
                }
                write!(formatter, "{letter}")?;
            }
            formatter.write_str("\"")?;
        }
        match &self.domain {
            Some(domain) => write!(formatter, "@{domain}"),
            None => Ok(()),
        }
    }
}

/// Reads the path at the beginning of `text`, and returns what stands behind it. `None` is the null path `<>`.
///
/// ```
/// use mailtool::wire::address::path;
///
/// let (alice, rest) = path(b" <@relay.example:alice@example.org> SIZE=100").unwrap();
/// assert_eq!(alice.unwrap().to_string(), "alice@example.org");
/// assert_eq!(rest, b"SIZE=100");
/// ```
pub fn path(text: &[u8]) -> Result<(Option<Address>, &[u8]), AddressError> {
    path_with(text, Letters::Ascii)
}

/// The same, where the address may have letters of UTF-8 (RFC 6531 §3.3).
///
/// ```
/// use mailtool::wire::address::path_utf8;
///
/// let address = path_utf8("<al\u{ef}ce@ex\u{e4}mple.org>".as_bytes()).unwrap().0.unwrap();
/// assert!(!address.is_ascii());
/// assert_eq!(address.to_string(), "al\u{ef}ce@ex\u{e4}mple.org");
/// ```
pub fn path_utf8(text: &[u8]) -> Result<(Option<Address>, &[u8]), AddressError> {
    path_with(text, Letters::Utf8)
}

fn path_with(text: &[u8], letters: Letters) -> Result<(Option<Address>, &[u8]), AddressError> {
    let text = text.trim_ascii();
    let Some(inside) = text.strip_prefix(b"<") else {
        let end = end_of(text, b' ')?.unwrap_or(text.len());
        let (bare, rest) = text.split_at(end);
        if end_of(bare, b'>')?.is_some() || rest.contains(&b'<') {
            return Err(if bare.contains(&b'<') || rest.contains(&b'<') {
                AddressError::DisplayName
            } else {
                AddressError::Bracket
            });
        }
        return Ok((Some(Address::parse_with(bare, letters)?), rest.trim_ascii()));
    };
    let end = end_of(inside, b'>')?.ok_or(AddressError::Bracket)?;
    let (inside, rest) = (inside[..end].trim_ascii(), &inside[end + 1..]);
    if !rest.is_empty() && !rest[0].is_ascii_whitespace() {
        return Err(AddressError::DisplayName);
    }
    let mailbox = if inside.starts_with(b"@") {
        let colon = end_of(inside, b':')?.ok_or(AddressError::Route)?;
        &inside[colon + 1..]
    } else {
        inside
    };
    let address = if inside.is_empty() {
        None
    } else {
        Some(Address::parse_with(mailbox, letters)?)
    };
    Ok((address, rest.trim_ascii()))
}

/// Where the first `end` stands outside of quotes and of an address literal.
fn end_of(text: &[u8], end: u8) -> Result<Option<usize>, AddressError> {
    let (mut quoted, mut literal, mut escaped) = (false, false, false);
    for (at, &octet) in text.iter().enumerate() {
        match octet {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            _ if quoted => {}
            b'[' => literal = true,
            b']' => literal = false,
            _ if octet == end && !literal => return Ok(Some(at)),
            _ => {}
        }
    }
    if quoted {
        return Err(AddressError::Quote);
    }
    Ok(None)
}

/// The local part at the beginning of `text`, and what follows it: `@...` or nothing, if all is well.
fn local_part(text: &[u8]) -> Result<(String, &[u8]), AddressError> {
    let Some(quoted) = text.strip_prefix(b"\"") else {
        let end = text
            .iter()
            .position(|&octet| octet == b'@')
            .unwrap_or(text.len());
        let (word, rest) = text.split_at(end);
        if word.is_empty() {
            return Err(AddressError::NoLocalPart);
        }
        let stray = word
            .iter()
            .find(|&&octet| !is_atext(octet) && octet != b'.');
        return match stray {
            Some(&octet) => Err(AddressError::LocalPart(char::from(octet))),
            None => Ok((owned(word.to_vec())?, rest)),
        };
    };
    let mut local_part = Vec::new();
    let mut octets = quoted.iter().enumerate();
    while let Some((at, &octet)) = octets.next() {
        let meant = match octet {
            b'"' if local_part.is_empty() => return Err(AddressError::NoLocalPart),
            b'"' => return Ok((owned(local_part)?, &quoted[at + 1..])),
            b'\\' => *octets.next().ok_or(AddressError::Quote)?.1,
            other => other,
        };
        if meant.is_ascii_control() {
            return Err(AddressError::LocalPart(char::from(meant)));
        }
        local_part.push(meant);
    }
    Err(AddressError::Quote)
}

/// Reads the name of a domain; a dot at its end is left out.
///
/// ```
/// use mailtool::wire::address::domain;
///
/// assert_eq!(domain(b"example.org.").as_deref(), Ok("example.org"));
/// assert!(domain(b"[192.0.2.1]").is_err() && domain(b"example org").is_err());
/// ```
pub fn domain(text: &[u8]) -> Result<String, AddressError> {
    if !text.is_ascii() {
        return Err(AddressError::NonAscii);
    }
    domain_utf8(text)
}

/// The same, with letters of UTF-8, which are not looked at any closer.
fn domain_utf8(text: &[u8]) -> Result<String, AddressError> {
    let text = text.strip_suffix(b".").unwrap_or(text);
    if text.contains(&b'@') {
        return Err(AddressError::TwoAts);
    }
    if text.len() > 255 {
        return Err(AddressError::LongDomain);
    }
    for label in text.split(|&octet| octet == b'.') {
        if label.len() > 63 {
            return Err(AddressError::LongDomain);
        }
        // Underscores are in no host name, but in names that people use.
        let fits = |octet: &u8| {
            octet.is_ascii_alphanumeric() || matches!(octet, b'-' | b'_') || !octet.is_ascii()
        };
        if label.is_empty() || !label.iter().all(fits) {
            return Err(AddressError::Domain);
        }
    }
    owned(text.to_vec())
}

fn domain_or_literal(text: &[u8]) -> Result<String, AddressError> {
    if let Some(literal) = text.strip_prefix(b"[") {
        let inside = literal.strip_suffix(b"]").ok_or(AddressError::Literal)?;
        let inside = std::str::from_utf8(inside).map_err(|_| AddressError::NonAscii)?;
        let known = match inside.get(..5) {
            Some(tag) if tag.eq_ignore_ascii_case("IPv6:") => {
                inside[5..].parse::<Ipv6Addr>().is_ok()
            }
            _ => inside.parse::<Ipv4Addr>().is_ok(),
        };
        if !known {
            return Err(AddressError::Literal);
        }
        return owned(text.to_vec());
    }
    domain_utf8(text)
}

/// RFC 5322 §3.2.3; RFC 6531 §3.3 adds all of UTF-8 outside of ASCII.
const fn is_atext(octet: u8) -> bool {
    octet.is_ascii_alphanumeric()
        || !octet.is_ascii()
        || matches!(
            octet,
            b'!' | b'#'
                | b'$'
                | b'%'
                | b'&'
                | b'\''
                | b'*'
                | b'+'
                | b'-'
                | b'/'
                | b'='
                | b'?'
                | b'^'
                | b'_'
                | b'`'
                | b'{'
                | b'|'
                | b'}'
                | b'~'
        )
}

fn is_dot_string(text: &str) -> bool {
    text.split('.')
        .all(|atom| !atom.is_empty() && atom.bytes().all(is_atext))
}

fn owned(text: Vec<u8>) -> Result<String, AddressError> {
    String::from_utf8(text).map_err(|_| AddressError::NotUtf8)
}

/// Outside of ASCII, what is no letter of a name: controls, spaces, and what turns the direction of writing.
fn is_unfit(letter: char) -> bool {
    !letter.is_ascii()
        && (letter.is_control()
            || letter.is_whitespace()
            || matches!(letter, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read(text: &str) -> Result<String, AddressError> {
        path(text.as_bytes()).map(|(address, rest)| {
            let address = address.map_or_else(|| "<>".to_owned(), |address| address.to_string());
            format!("{address}|{}", String::from_utf8_lossy(rest))
        })
    }

    #[test]
    fn what_postfix_takes_is_taken() {
        for (text, read_as) in [
            ("<alice@example.org>", "alice@example.org|"),
            (
                "  <alice@example.org>  BODY=7BIT",
                "alice@example.org|BODY=7BIT",
            ),
            (
                "alice@example.org SIZE=1 BODY=7BIT",
                "alice@example.org|SIZE=1 BODY=7BIT",
            ),
            ("<>", "<>|"),
            ("< > AUTH=<>", "<>|AUTH=<>"),
            ("<postmaster>", "postmaster|"),
            (
                "<@a.example,@b.example:carol@c.example>",
                "carol@c.example|",
            ),
            (
                "<\"a@b>c\\\"\"@example.org> X",
                "\"a@b>c\\\"\"@example.org|X",
            ),
            ("\"a b\"@example.org X", "\"a b\"@example.org|X"),
            ("<a..b@example.org.>", "\"a..b\"@example.org|"),
            ("<alice@[127.0.0.1]>", "alice@[127.0.0.1]|"),
            ("<alice@[ipv6:::1]>", "alice@[ipv6:::1]|"),
            ("<a%b.example!c@example.org>", "a%b.example!c@example.org|"),
        ] {
            assert_eq!(read(text).as_deref(), Ok(read_as), "{text}");
        }
    }

    #[test]
    fn every_mistake_has_its_name() {
        use AddressError as E;
        for (text, error) in [
            ("", E::Empty),
            ("<alice@example.org", E::Bracket),
            ("alice@example.org>", E::Bracket),
            ("Alice <alice@example.org>", E::DisplayName),
            ("<alice@example.org>SIZE=1", E::DisplayName),
            ("<\"alice@example.org>", E::Quote),
            ("<\"\"@example.org>", E::NoLocalPart),
            ("<@example.org>", E::Route),
            ("<@example.org:>", E::Empty),
            ("<al ice@example.org>", E::LocalPart(' ')),
            ("<al,ice@example.org>", E::LocalPart(',')),
            ("<\"al\rice\"@example.org>", E::LocalPart('\r')),
            ("<alice@bob@example.org>", E::TwoAts),
            ("<alice@>", E::Domain),
            ("<alice@example..org>", E::Domain),
            ("<alice@exam ple.org>", E::Domain),
            ("<alice@[300.0.0.1]>", E::Literal),
            ("<ali\u{e9}@example.org>", E::NonAscii),
        ] {
            assert_eq!(read(text), Err(error), "{text}");
        }
    }

    #[test]
    fn letters_of_utf8_are_read_where_they_may_be() {
        let read = |text: &str| {
            path_utf8(text.as_bytes()).map(|(address, _)| address.map(|it| it.to_string()))
        };
        for text in [
            "<al\u{ef}ce@ex\u{e4}mple.org>",
            "<\"\u{4f60} \u{597d}\"@example.org>",
            "<a@b.example>",
        ] {
            let written = text.trim_matches(['<', '>']).to_owned();
            assert_eq!(read(text), Ok(Some(written)), "{text}");
        }
        for text in [
            "<a\u{85}b@example.org>",
            "<a\u{202e}b@example.org>",
            "<\"a\u{a0}b\"@example.org>",
        ] {
            assert!(
                matches!(read(text), Err(AddressError::LocalPart(_))),
                "{text}"
            );
        }
        assert_eq!(
            path_utf8(b"<a\xffb@example.org>"),
            Err(AddressError::NotUtf8)
        );
        assert_eq!(
            read(&format!("<{}@example.org>", "\u{e9}".repeat(33))),
            Err(AddressError::LongLocalPart)
        );
        assert!(read(&format!("<{}@example.org>", "\u{e9}".repeat(32))).is_ok());
    }

    #[test]
    fn lengths_are_bounded_where_the_standard_says() {
        let local = |octets: usize| read(&format!("<{}@example.org>", "a".repeat(octets)));
        assert!(local(64).is_ok());
        assert_eq!(local(65), Err(AddressError::LongLocalPart));
        let domain = |labels: usize| read(&format!("<a@{}org>", "abc.".repeat(labels)));
        assert!(domain(63).is_ok());
        assert_eq!(domain(64), Err(AddressError::LongDomain));
        let label = |octets: usize| read(&format!("<a@{}.org>", "b".repeat(octets)));
        assert!(label(63).is_ok());
        assert_eq!(label(64), Err(AddressError::LongDomain));
    }

    proptest! {
        #[test]
        fn what_is_read_is_written_so_that_it_is_read_again(text in "[a-c\"\\\\@.<>:, \\[\\]\r\u{e9}]{0,24}") {
            if let Ok((Some(address), _)) = path(text.as_bytes()) {
                let written = address.to_string();
                prop_assert!(written.bytes().all(|octet| (b' '..=b'~').contains(&octet)));
                let again = path(format!("<{written}>").as_bytes()).unwrap().0;
                prop_assert_eq!(again, Some(address));
            }
        }

        #[test]
        fn any_octets_are_refused_or_read(text: Vec<u8>) {
            let _ = (path(&text), Address::parse(&text), path_utf8(&text));
        }
    }
}
