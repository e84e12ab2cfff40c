//! Where in a command a password stands, so that taps do not show it: for servers, and for whoever listens to a client.

use std::ops::Range;

use super::scan::announced;

/// The secret octets of the next `piece` of a command, after what was `gathered` of it: lines with their line ends, and
/// literals.
///
/// ```
/// use mailtool::wire::imap::secret::within;
///
/// assert_eq!(within(b"", b"a1 LOGIN alice secret"), Some(15..21));
/// assert_eq!(within(b"a1 LOGIN alice {6}\r\n", b"secret"), Some(0..6));
/// ```
pub fn within(gathered: &[u8], piece: &[u8]) -> Option<Range<usize>> {
    if gathered.is_empty() {
        let start = after_name(piece)?;
        return Some(start..end(piece).max(start));
    }
    // In a LOGIN whose name or password is a literal, all that comes is taken for secret.
    after_name_or_literal(gathered)?;
    Some(0..end(piece))
}

/// Where the secret of `tag LOGIN name secret`, `tag AUTHENTICATE mechanism secret`, begins; the tag may be missing.
fn after_name(line: &[u8]) -> Option<usize> {
    let words = words(line);
    let verb = verb(line, &words)?;
    words.get(verb + 2).map(|word| word.start)
}

fn after_name_or_literal(line: &[u8]) -> Option<usize> {
    verb(line, &words(line))
}

fn verb(line: &[u8], words: &[Range<usize>]) -> Option<usize> {
    words.iter().take(2).position(|word| {
        ["LOGIN", "AUTHENTICATE"]
            .iter()
            .any(|verb| line[word.clone()].eq_ignore_ascii_case(verb.as_bytes()))
    })
}

/// The first words of a line. A name in quotes may hold spaces: what comes after the first of them is secret as well.
fn words(line: &[u8]) -> Vec<Range<usize>> {
    let mut words: Vec<Range<usize>> = Vec::new();
    let mut at = 0;
    while words.len() < 4 && at < line.len() {
        let space = line[at..].iter().take_while(|&&byte| byte == b' ').count();
        let start = at + space;
        let length = line[start..]
            .iter()
            .take_while(|&&byte| byte != b' ')
            .count();
        if length > 0 {
            words.push(start..start + length);
        }
        at = start + length;
    }
    words
}

/// The end of the line, or of what stands before `{octets}`.
fn end(piece: &[u8]) -> usize {
    match announced(piece) {
        Some(_) => memchr::memrchr(b'{', piece).unwrap_or(piece.len()),
        None => piece.len(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_are_found() {
        for (gathered, piece, shown) in [
            ("", "a1 LOGIN alice secret", "a1 LOGIN alice *"),
            ("", "a1  login  alice  \"se cret\"", "a1  login  alice  *"),
            ("", "LOGIN alice secret", "LOGIN alice *"),
            (
                "",
                "a1 AUTHENTICATE PLAIN AGFsaWNl",
                "a1 AUTHENTICATE PLAIN *",
            ),
            ("", "a1 LOGIN alice {6}", "a1 LOGIN alice {6}"),
            ("a1 LOGIN alice {6}\r\n", "secret", "*"),
            ("a1 LOGIN {5}\r\nalice", " secret", "*"),
            ("a1 LOGIN {5}\r\nalice", " {6+}", "*{6+}"),
            ("", "a1 SELECT LOGIN", "a1 SELECT LOGIN"),
            ("a1 CREATE {5}\r\n", "LOGIN", "LOGIN"),
            ("", "login", "login"),
            ("", "", ""),
        ] {
            let range = within(gathered.as_bytes(), piece.as_bytes());
            let found = match range {
                Some(range) if !range.is_empty() => {
                    format!("{}*{}", &piece[..range.start], &piece[range.end..])
                }
                _ => piece.to_owned(),
            };
            assert_eq!(found, shown);
        }
    }
}
