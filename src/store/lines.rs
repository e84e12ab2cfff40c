//! Message text as it is on disk, and as it is given out: line ends of files that other programs wrote are LF on disk, and
//! CRLF for whoever reads; NUL octets are never given out.

use std::io::{self, Read};

/// Octets of `source` with each bare LF as CRLF.
pub(super) fn count_crlf(mut source: impl Read) -> io::Result<u64> {
    let mut block = vec![0; 64 * 1024];
    let (mut octets, mut last) = (0, 0);
    loop {
        let length = source.read(&mut block)?;
        if length == 0 {
            return Ok(octets);
        }
        let text = &block[..length];
        octets += (length + bare(last, text).count()) as u64;
        last = text[length - 1];
    }
}

/// The text with each bare LF as CRLF.
pub(super) fn to_crlf(text: Vec<u8>) -> Vec<u8> {
    let bare: Vec<usize> = bare(0, &text).collect();
    if bare.is_empty() {
        return text;
    }
    let mut converted = Vec::with_capacity(text.len() + bare.len());
    let mut from = 0;
    for at in bare {
        converted.extend_from_slice(&text[from..at]);
        converted.push(b'\r');
        from = at;
    }
    converted.extend_from_slice(&text[from..]);
    converted
}

/// Each NUL becomes the octet 0x80, as in Dovecot: no literal may hold one (RFC 3501 §9, CHAR8), a program written in C
/// would end the message there, and a message has none that is well (RFC 5322 §4.1). The file keeps it.
pub(super) fn hide_nul(mut text: &mut [u8]) {
    while let Some(at) = memchr::memchr(0, text) {
        text[at] = 0x80;
        text = &mut text[at + 1..];
    }
}

/// Where the LFs without a CR stand; `last` came before the text.
pub(super) fn bare(last: u8, text: &[u8]) -> impl Iterator<Item = usize> {
    memchr::memchr_iter(b'\n', text).filter(move |&at| {
        let before = at.checked_sub(1).map_or(last, |before| text[before]);
        before != b'\r'
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bare_line_feeds_become_crlf() {
        for (text, expected) in [
            ("", ""),
            ("\n", "\r\n"),
            ("a\nb\r\n\nc", "a\r\nb\r\n\r\nc"),
            ("\r\n\r\n", "\r\n\r\n"),
            ("a\rb\n", "a\rb\r\n"),
        ] {
            assert_eq!(to_crlf(text.into()), expected.as_bytes());
            let octets = count_crlf(text.as_bytes()).expect("memory does not fail");
            assert_eq!(octets, expected.len() as u64, "{text:?}");
        }
    }

    #[test]
    fn counting_sees_a_crlf_across_two_blocks() {
        let text = [vec![b'x'; 64 * 1024 - 1], b"\r\n".to_vec()].concat();
        let counted = count_crlf(&text[..]).expect("memory does not fail");
        assert_eq!(counted, text.len() as u64);
    }
}
