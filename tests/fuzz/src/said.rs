//! What a session may say.

use mailtool::wire::imap::reply::{self, Reply};
use mailtool::wire::smtp::ReplyReader;

/// The lines of `said`, which are whole, end in CRLF, and hold neither CR nor LF.
pub fn lines(said: &[u8]) -> Vec<&[u8]> {
    let Some(whole) = said.strip_suffix(b"\r\n") else {
        assert!(said.is_empty(), "half a line: {}", said.escape_ascii());
        return Vec::new();
    };
    let mut lines = Vec::new();
    for line in whole.split(|&octet| octet == b'\n') {
        let line = match lines.len() {
            _ if line.as_ptr_range().end == whole.as_ptr_range().end => line,
            _ => line.strip_suffix(b"\r").expect("a bare LF"),
        };
        assert!(!line.contains(&b'\r'), "a bare CR: {}", line.escape_ascii());
        lines.push(line);
    }
    lines
}

/// Asserts that it is SMTP replies: RFC 5321 §4.2, no longer than §4.5.3.1.5 allows, and printable.
pub fn is_smtp(said: &[u8]) {
    let mut reader = ReplyReader::default();
    let mut whole = true;
    for line in lines(said) {
        let shown = line.escape_ascii();
        assert!(line.len() <= 510, "a reply line is too long: {shown}");
        let printable = line
            .iter()
            .all(|&octet| octet == b'\t' || octet >= b' ' && octet != 0x7f);
        assert!(printable, "a control octet: {shown}");
        match reader.line(line) {
            Ok(reply) => whole = reply.is_some(),
            Err(error) => panic!("{error:?}: {shown}"),
        }
    }
    assert!(whole, "half a reply");
}

/// Asserts that it is POP3: lines, and those that begin as a reply are short (RFC 2449 §4).
pub fn is_pop3(said: &[u8]) {
    for line in lines(said) {
        let is_reply = line.starts_with(b"+OK") || line.starts_with(b"-ERR");
        assert!(
            !is_reply || line.len() <= 510,
            "a reply line is too long: {}",
            line.escape_ascii()
        );
    }
}

/// Asserts that it is IMAP responses that our own client reads.
pub fn is_imap(mut said: &[u8]) {
    let mut response = Vec::new();
    while !said.is_empty() {
        let end = said
            .windows(2)
            .position(|pair| pair == b"\r\n")
            .unwrap_or_else(|| panic!("half a line: {}", said.escape_ascii()));
        let line = &said[..end];
        let shown = line.escape_ascii();
        assert!(
            !line.iter().any(|octet| matches!(octet, 0 | b'\r' | b'\n')),
            "NUL, CR or LF in a line: {shown}"
        );
        response.extend_from_slice(line);
        said = &said[end + 2..];
        let literal = reply::literal(line).filter(|_| reply::may_hold_literals(&response));
        if let Some(octets) = literal {
            response.extend_from_slice(b"\r\n");
            let (literal, rest) = said
                .split_at_checked(usize::try_from(octets).expect("small"))
                .unwrap_or_else(|| panic!("half a literal: {shown}"));
            response.extend_from_slice(literal);
            said = rest;
            continue;
        }
        // A tag is the client's, and may be none that ours would choose.
        let space = response.iter().position(|&octet| octet == b' ');
        let tagged = [b"a1", &response[space.unwrap_or(0)..]].concat();
        let parsed = Reply::parse(&response).or_else(|| Reply::parse(&tagged));
        assert!(parsed.is_some(), "no response: {}", response.escape_ascii());
        response.clear();
    }
    assert!(response.is_empty(), "half a response");
}

/// `said` without what differs from run to run: names of messages, and times.
pub fn without_names(said: &[u8]) -> Vec<u8> {
    let is_word = |octet: &u8| octet.is_ascii_alphanumeric() || b"-_.:".contains(octet);
    let mut masked = Vec::with_capacity(said.len());
    for word in said.chunk_by(|a, b| is_word(a) && is_word(b)) {
        match word {
            [_, _, _, ..] if word.iter().any(u8::is_ascii_digit) => masked.push(b'#'),
            _ => masked.extend_from_slice(word),
        }
    }
    masked
}
