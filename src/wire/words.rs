//! Header values for people: encoded words decoded (RFC 2047), on one line, fit for a terminal.

use mail_parser::MessageParser;

/// Decodes the raw value of an unstructured field, or of a display name. What cannot be decoded is shown as it came.
///
/// ```
/// use mailtool::wire::words::decode;
///
/// assert_eq!(decode(b"=?utf-8?q?d=C3=A9j=C3=A0?= =?iso-8859-1?b?IHZ1?="), "déjà vu");
/// assert_eq!(decode(b"plain\x1b[2J\ttext"), "plain [2J text");
/// ```
pub fn decode(raw: &[u8]) -> String {
    if memchr::memmem::find(raw, b"=?").is_none() {
        return one_line(&String::from_utf8_lossy(raw));
    }
    let mut field = b"Subject: ".to_vec();
    field.extend(raw.iter().map(|&byte| match byte {
        b'\r' | b'\n' => b' ',
        other => other,
    }));
    field.extend_from_slice(b"\r\n\r\n");
    let message = MessageParser::new().parse_headers(&field);
    match message.as_ref().and_then(|message| message.subject()) {
        Some(subject) => one_line(subject),
        None => one_line(&String::from_utf8_lossy(raw)),
    }
}

/// `text` with every control character as a space, and without those that turn the direction of writing.
fn one_line(text: &str) -> String {
    text.chars()
        .filter(|letter| !matches!(letter, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}'))
        .map(|letter| if letter.is_control() { ' ' } else { letter })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::decode;

    #[test]
    fn nothing_escapes_its_line() {
        assert_eq!(decode(b"=?utf-8?q?a=0D=0Ab=1B[m?="), "a  b [m");
        assert_eq!(decode("a\u{202e}b".as_bytes()), "ab");
        assert_eq!(decode(b"caf\xe9"), "caf\u{fffd}");
        assert_eq!(decode(b"=?x-unknown?q"), "=?x-unknown?q");
        assert_eq!(decode(b""), "");
    }
}
