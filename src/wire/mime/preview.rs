//! The first words of a message, for lists of messages (RFC 8970).

use mail_parser::MessageParser;

use super::html::body_text;

/// The beginning of the text of a message: at most [`CHARACTERS`] characters, decoded, in one line; empty when it has no text.
///
/// ```
/// use mailtool::wire::mime::preview::preview;
///
/// assert_eq!(preview(b"Subject: a\r\n\r\nHello,\r\n  world\r\n"), "Hello, world");
/// ```
pub fn preview(message: &[u8]) -> String {
    let Some(message) = MessageParser::default().parse(message) else {
        return String::new();
    };
    // Some of it is white space and quotes, which are not shown.
    let text = body_text(&message, 0).unwrap_or_default();
    let mut preview = String::new();
    let mut left = CHARACTERS;
    let quoted = |line: &&str| !line.starts_with('>');
    let words = text
        .lines()
        .filter(quoted)
        .flat_map(str::split_whitespace)
        .map(|word| word.chars().filter(|c| !c.is_control()));
    for word in words {
        if !preview.is_empty() && left > 0 {
            preview.push(' ');
            left -= 1;
        }
        let before = preview.len();
        preview.extend(word.take(left));
        left -= preview[before..].chars().count();
        if left == 0 {
            break;
        }
    }
    preview.truncate(preview.trim_end().len());
    preview
}

/// RFC 8970 §3.1: 200 should be the most, 256 are.
pub const CHARACTERS: usize = 200;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_of_all_kinds() {
        let html = "Content-Type: text/html\r\n\r\n<p>One &amp; <b>two</b></p><style>x</style>\r\n";
        assert!(preview(html.as_bytes()).starts_with("One & two"));
        let mixed = "Content-Type: multipart/alternative; boundary=b\r\n\r\n\
                     --b\r\nContent-Type: text/plain; charset=iso-8859-1\r\n\
                     Content-Transfer-Encoding: quoted-printable\r\n\r\n\
                     > quoted\r\nd=E9j=E0   vu\r\n--b\r\nContent-Type: text/html\r\n\r\n<p>x</p>\r\n--b--\r\n";
        assert_eq!(preview(mixed.as_bytes()), "d\u{e9}j\u{e0} vu");
        let image = "Content-Type: image/png\r\n\r\nxyz\r\n";
        assert_eq!(preview(image.as_bytes()), "");
        assert_eq!(preview(b""), "");
        let long = format!("Subject: x\r\n\r\n{}\r\n", "\u{e9}".repeat(5000));
        assert_eq!(preview(long.as_bytes()).chars().count(), CHARACTERS);
        let words = format!("Subject: x\r\n\r\n{}\r\n", "ab ".repeat(500));
        assert!(preview(words.as_bytes()).chars().count() <= CHARACTERS);
    }
}
