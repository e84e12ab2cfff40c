//! Header fields, as they stand in the message (RFC 5322 §2.2, RFC 2045 §5.1, RFC 2231).

use std::borrow::Cow;

/// One field, folded as it came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Field<'a> {
    /// Before the colon; empty for a line that has none.
    pub name: &'a [u8],
    /// After the colon, line end included.
    pub value: &'a [u8],
    /// All of it.
    pub raw: &'a [u8],
}

/// The fields of a header, in order; the empty line that ends it is none.
#[derive(Clone, Debug)]
pub struct Fields<'a> {
    rest: &'a [u8],
}

impl<'a> Fields<'a> {
    /// Those of `header`.
    pub const fn new(header: &'a [u8]) -> Self {
        Self { rest: header }
    }
}

impl<'a> Iterator for Fields<'a> {
    type Item = Field<'a>;

    fn next(&mut self) -> Option<Field<'a>> {
        if self.rest.is_empty() || matches!(self.rest, [b'\n', ..] | [b'\r', b'\n', ..]) {
            return None;
        }
        let mut end = 0;
        loop {
            end += line_octets(&self.rest[end..]);
            if !matches!(self.rest.get(end), Some(b' ' | b'\t')) {
                break;
            }
        }
        let (raw, rest) = self.rest.split_at(end);
        self.rest = rest;
        let first_line = &raw[..line_octets(raw)];
        let (name, value) = match memchr::memchr(b':', first_line) {
            Some(colon) => (raw[..colon].trim_ascii(), &raw[colon + 1..]),
            None => (&raw[..0], &raw[..0]),
        };
        Some(Field { name, value, raw })
    }
}

/// Octets of the first line of `text`, its line end included.
pub fn line_octets(text: &[u8]) -> usize {
    memchr::memchr(b'\n', text).map_or(text.len(), |at| at + 1)
}

/// Octets of the header that `message` begins with, the empty line included; all of it when there is none.
///
/// ```
/// use mailtool::wire::mime::header::header_octets;
///
/// assert_eq!(header_octets(b"A: b\r\n\r\nbody"), 8);
/// assert_eq!(header_octets(b"\r\nbody"), 2);
/// ```
pub fn header_octets(message: &[u8]) -> usize {
    end_of_header(message).unwrap_or(message.len())
}

/// The same, `None` when there is no empty line.
pub fn end_of_header(message: &[u8]) -> Option<usize> {
    let mut at = 0;
    while at < message.len() {
        let line = line_octets(&message[at..]);
        if matches!(&message[at..at + line], b"\n" | b"\r\n") {
            return Some(at + line);
        }
        at += line;
    }
    None
}

/// The value of the first field of this name, unfolded.
pub fn value<'a>(header: &'a [u8], name: &str) -> Option<Cow<'a, [u8]>> {
    Fields::new(header)
        .find(|field| field.name.eq_ignore_ascii_case(name.as_bytes()))
        .map(|field| unfold(field.value))
}

/// A value on one line: line ends and NUL octets taken out, no space around it.
pub fn unfold(value: &[u8]) -> Cow<'_, [u8]> {
    let value = value.trim_ascii();
    let unwanted = |byte: &u8| matches!(byte, b'\r' | b'\n' | 0);
    if value.iter().any(unwanted) {
        Cow::Owned(value.iter().copied().filter(|b| !unwanted(b)).collect())
    } else {
        Cow::Borrowed(value)
    }
}

/// The Message-IDs in a value, without their brackets, and without quotes, which mean nothing (RFC 5256 §3).
///
/// ```
/// use mailtool::wire::mime::header::message_ids;
///
/// assert_eq!(message_ids(b"<a@b> (c) <\"d\"@e>"), [&b"a@b"[..], b"d@e"]);
/// ```
pub fn message_ids(value: &[u8]) -> Vec<Vec<u8>> {
    let mut ids: Vec<Vec<u8>> = Vec::new();
    let mut rest = value;
    while let Some(open) = memchr::memchr(b'<', rest) {
        rest = &rest[open + 1..];
        let Some(close) = memchr::memchr2(b'>', b'<', rest) else {
            break;
        };
        if rest[close] == b'<' {
            continue;
        }
        let id: Vec<u8> = rest[..close]
            .iter()
            .copied()
            .filter(|byte| !matches!(byte, b'"' | b'\\') && !byte.is_ascii_whitespace())
            .collect();
        if !id.is_empty() {
            ids.push(id);
        }
        rest = &rest[close + 1..];
    }
    ids
}

/// A value such as Content-Type's or Content-Disposition's: a word, and parameters.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Parameterized {
    /// `text/plain`, `attachment`
    pub word: Vec<u8>,
    /// In order. Pieces of RFC 2231 §3 are put together: `filename*0*` and `filename*1` are one `filename*`.
    pub parameters: Vec<(Vec<u8>, Vec<u8>)>,
}

impl Parameterized {
    /// Reads one, unfolded; whatever is wrong with it, something comes out.
    pub fn parse(value: &[u8]) -> Self {
        let mut tokens = Tokens { rest: value };
        let mut parsed = Self {
            word: tokens.value(),
            parameters: Vec::new(),
        };
        let mut pieces = Vec::new();
        while tokens.next_parameter() {
            let name = tokens.name();
            if name.is_empty() {
                continue;
            }
            parsed.add(name, tokens.value(), &mut pieces);
        }
        parsed.put_together(pieces);
        parsed
    }

    /// The value of the parameter of this name.
    pub fn parameter(&self, name: &str) -> Option<&[u8]> {
        self.parameters
            .iter()
            .find(|(found, _)| found.eq_ignore_ascii_case(name.as_bytes()))
            .map(|(_, value)| &value[..])
    }

    fn add(&mut self, mut name: Vec<u8>, value: Vec<u8>, pieces: &mut Vec<Piece>) {
        if self.parameters.len() + pieces.len() >= PARAMETERS {
            return;
        }
        // RFC 2231 §3: `name*0`, `name*1*`: pieces, in the order of their numbers, however they come.
        let extended = name.last() == Some(&b'*');
        let stem = &name[..name.len() - usize::from(extended)];
        let number = stem.iter().rev().take_while(|b| b.is_ascii_digit()).count();
        let star = stem.len() - number;
        if number == 0 || star < 2 || stem[star - 1] != b'*' {
            self.parameters.push((name, value));
            return;
        }
        let digits = stem[star..].iter().map(|digit| u32::from(digit - b'0'));
        let number = digits.fold(0_u32, |number, digit| {
            number.saturating_mul(10).saturating_add(digit)
        });
        name.truncate(star - 1);
        // A second `name*0` begins another parameter of the name.
        let same = |piece: &&Piece| {
            self.parameters[piece.parameter]
                .0
                .eq_ignore_ascii_case(&name)
        };
        let known = pieces.iter().rev().find(same).map(|piece| piece.parameter);
        let known = known.filter(|&known| {
            number != 0
                || !pieces
                    .iter()
                    .any(|piece| piece.parameter == known && piece.number == 0)
        });
        let parameter = known.unwrap_or_else(|| {
            self.parameters.push((name, Vec::new()));
            self.parameters.len() - 1
        });
        pieces.push(Piece {
            parameter,
            number,
            extended,
            value,
        });
    }

    /// Gives the parameters that came in pieces their values.
    fn put_together(&mut self, mut pieces: Vec<Piece>) {
        pieces.sort_by_key(|piece| (piece.parameter, piece.number));
        let mut last = None;
        for piece in pieces {
            let (name, value) = &mut self.parameters[piece.parameter];
            // The first one says whether there is a charset.
            if last.replace(piece.parameter) != Some(piece.parameter) && piece.extended {
                name.push(b'*');
            }
            value.extend_from_slice(&piece.value);
        }
    }
}

/// A piece of a parameter (RFC 2231 §3).
struct Piece {
    /// Its place among the parameters.
    parameter: usize,
    number: u32,
    /// Percent signs mean something in it.
    extended: bool,
    value: Vec<u8>,
}

/// More parameters than this are left out: each is compared with those before it.
const PARAMETERS: usize = 100;

struct Tokens<'a> {
    rest: &'a [u8],
}

impl Tokens<'_> {
    /// Goes past the next `;`.
    fn next_parameter(&mut self) -> bool {
        loop {
            self.skip_space();
            match self.rest.split_first() {
                None => return false,
                Some((b';', rest)) => {
                    self.rest = rest;
                    return true;
                }
                Some((b'"', _)) => {
                    self.quoted();
                }
                Some((_, rest)) => self.rest = rest,
            }
        }
    }

    /// The name of a parameter, and past its `=`; empty when there is none.
    fn name(&mut self) -> Vec<u8> {
        self.skip_space();
        let end = self
            .rest
            .iter()
            .position(|byte| matches!(byte, b'=' | b';'))
            .unwrap_or(self.rest.len());
        if self.rest.get(end) != Some(&b'=') {
            return Vec::new();
        }
        let name = self.rest[..end].trim_ascii().to_vec();
        self.rest = &self.rest[end + 1..];
        name
    }

    /// A token or a quoted string. QUIRK: file names are sent with spaces and without quotes; all up to the `;` is taken.
    fn value(&mut self) -> Vec<u8> {
        self.skip_space();
        if self.rest.first() == Some(&b'"') {
            return self.quoted();
        }
        let end = self
            .rest
            .iter()
            .position(|byte| matches!(byte, b';' | b'('))
            .unwrap_or(self.rest.len());
        let value = self.rest[..end].trim_ascii().to_vec();
        self.rest = &self.rest[end..];
        value
    }

    fn quoted(&mut self) -> Vec<u8> {
        let mut value = Vec::new();
        let mut bytes = self.rest[1..].iter();
        while let Some(&byte) = bytes.next() {
            match byte {
                b'"' => break,
                b'\\' => value.extend(bytes.next()),
                _ => value.push(byte),
            }
        }
        self.rest = bytes.as_slice();
        value
    }

    /// White space and comments, which may nest.
    fn skip_space(&mut self) {
        let mut depth = 0usize;
        let mut bytes = self.rest.iter();
        loop {
            let here = bytes.as_slice();
            match bytes.next() {
                Some(b'(') => depth += 1,
                Some(b')') if depth > 0 => depth -= 1,
                Some(b'\\') if depth > 0 => {
                    bytes.next();
                }
                Some(byte) if depth > 0 || byte.is_ascii_whitespace() => {}
                _ => {
                    self.rest = here;
                    return;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(value: &str) -> (String, Vec<(String, String)>) {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let parsed = Parameterized::parse(value.as_bytes());
        let parameters = parsed.parameters.iter();
        (
            text(&parsed.word),
            parameters.map(|(n, v)| (text(n), text(v))).collect(),
        )
    }

    #[test]
    fn fields_of_a_header() {
        let header = b"From: a\r\n b\r\nbroken\r\nX :y\r\n\r\nbody: no";
        let fields: Vec<Field<'_>> = Fields::new(header).collect();
        assert_eq!(fields.len(), 3);
        assert_eq!(&*unfold(fields[0].value), b"a b");
        assert_eq!(
            (fields[1].name, fields[1].raw),
            (&b""[..], &b"broken\r\n"[..])
        );
        assert_eq!(
            (fields[2].name, fields[2].value),
            (&b"X"[..], &b"y\r\n"[..])
        );
        assert_eq!(value(header, "from").as_deref(), Some(&b"a b"[..]));
    }

    #[test]
    fn parameters_of_each_form() {
        for (value, word, parameters) in [
            ("text/plain", "text/plain", vec![]),
            (
                "text/plain (a (b) comment); charset=us-ascii (Plain); x=\"a;\\\"b\"",
                "text/plain",
                vec![("charset", "us-ascii"), ("x", "a;\"b")],
            ),
            (
                "attachment; filename=my file.pdf; size=5",
                "attachment",
                vec![("filename", "my file.pdf"), ("size", "5")],
            ),
            (
                "attachment; filename*0*=utf-8''a%20; filename*1=\"b c\"; x",
                "attachment",
                vec![("filename*", "utf-8''a%20b c")],
            ),
            (
                "x; n*1=b; N*0=a; m*10=k; m*2*=c; m*0=d; n*0=e",
                "x",
                vec![("n", "ab"), ("m", "dck"), ("n", "e")],
            ),
            ("; =; ;a=\"b", "", vec![("a", "b")]),
            ("x; y*=1; *0=2", "x", vec![("y*", "1"), ("*0", "2")]),
        ] {
            let (found_word, found) = parsed(value);
            let found: Vec<(&str, &str)> = found.iter().map(|(n, v)| (&**n, &**v)).collect();
            if value.starts_with(';') {
                assert_eq!(found.last(), parameters.last(), "{value}");
            } else {
                assert_eq!((found_word.as_str(), found), (word, parameters), "{value}");
            }
        }
    }
}
