//! Where a client's line holds a password or its like, for whoever listens without knowing which protocol is spoken.
//!
//! The rules are those of each protocol: SMTP's AUTH, the PASS, APOP and AUTH of POP3, the PASS of FTP, the LOGIN and
//! AUTHENTICATE of IMAP. A line that is a secret as a whole, because it answers a challenge, cannot be told by itself.

use std::borrow::Cow;
use std::ops::Range;

use super::imap::secret::within;
use super::pop3;
use super::smtp;

/// The octets of a line, without its line end, that nobody is to see. Blanks before and between the words, and the case
/// of letters, do not count.
///
/// ```
/// use mailtool::wire::secret::in_line;
///
/// assert_eq!(in_line(b"\tpass\tsesame"), Some(6..12));
/// assert_eq!(in_line(b"a1 login alice sesame"), Some(15..21));
/// assert_eq!(in_line(b"RCPT TO:<alice@mail.example.org>"), None);
/// ```
pub fn in_line(line: &[u8]) -> Option<Range<usize>> {
    let blanks = line.len() - line.trim_ascii_start().len();
    let words: Vec<u8> = line[blanks..]
        .iter()
        .map(|octet| if *octet == b'\t' { b' ' } else { *octet })
        .collect();
    let found = smtp::secret_in(&words)
        .or_else(|| pop3::Command::secret_in(&words))
        .or_else(|| within(&[], &words))
        .filter(|range| !range.is_empty())?;
    Some(found.start + blanks..found.end + blanks)
}

/// A line as it may be shown, with `********` for what is secret in it; what is no UTF-8 is replaced, and control
/// characters are escaped.
///
/// ```
/// assert_eq!(mailtool::wire::secret::shown(b"PASS sesame\x1b"), "PASS ********");
/// ```
pub fn shown(line: &[u8]) -> String {
    match in_line(line) {
        Some(secret) => format!(
            "{}********{}",
            printable(&line[..secret.start]),
            printable(&line[secret.end..])
        ),
        None => printable(line),
    }
}

/// A line of a server's, with `********` where it repeats what a client has said in secret. What is shorter than four octets could
/// be anything, and stays.
///
/// ```
/// use mailtool::wire::secret::without;
///
/// assert_eq!(&*without(b"sesame", b"500 PASS sesame?"), b"500 PASS ********?");
/// ```
pub fn without<'a>(secret: &[u8], line: &'a [u8]) -> Cow<'a, [u8]> {
    if secret.len() < 4 {
        return Cow::Borrowed(line);
    }
    let mut rest = line;
    let mut shown = Vec::new();
    while let Some(at) = memchr::memmem::find(rest, secret) {
        shown.extend_from_slice(&rest[..at]);
        shown.extend_from_slice(b"********");
        rest = &rest[at + secret.len()..];
    }
    match shown.is_empty() {
        true => Cow::Borrowed(line),
        false => {
            shown.extend_from_slice(rest);
            Cow::Owned(shown)
        }
    }
}

/// Text of a peer or a person, fit for a terminal.
pub fn printable(octets: &[u8]) -> String {
    let mut text = String::with_capacity(octets.len());
    for letter in String::from_utf8_lossy(octets).chars() {
        if letter.is_control() && letter != '\t' {
            text.extend(letter.escape_default());
        } else {
            text.push(letter);
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_found_in_any_protocol() {
        for (line, expected) in [
            ("AUTH PLAIN AGEAYg==", "AUTH PLAIN ********"),
            ("  auth   plain   AGEAYg==", "  auth   plain   ********"),
            ("AUTH AGEAYg==", "AUTH ********"),
            ("AUTH XOAUTH2 dXNlcj1h", "AUTH XOAUTH2 ********"),
            ("AUTH LOGIN", "AUTH LOGIN"),
            ("AUTH TLS", "AUTH TLS"),
            ("PASS two words", "PASS ********"),
            ("apop alice c4c9334b", "apop alice ********"),
            ("a LOGIN alice \"se cret\"", "a LOGIN alice ********"),
            ("LOGIN alice secret", "LOGIN alice ********"),
            ("a LOGIN alice {6}", "a LOGIN alice {6}"),
            ("a authenticate plain AGEA", "a authenticate plain ********"),
            ("USER alice", "USER alice"),
            ("PASS", "PASS"),
            ("PASS ", "PASS "),
            ("", ""),
        ] {
            assert_eq!(shown(line.as_bytes()), expected);
        }
    }
}
