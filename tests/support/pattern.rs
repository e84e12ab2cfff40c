//! Text with holes: what a dialogue expects of a line, and what it says once the holes are filled.
//!
//! `[..]` is any text, `[name]` binds at first sight and must match after, `[x*70]` is 70 times `x`, `\r \n \xHH \\ \[` are
//! escapes. A name is lower case, so `[UIDVALIDITY 1]`, `[AUTH]`, `BODY[]` and `[127.0.0.1]` are what they look like.

use std::collections::HashMap;

/// What the names of a dialogue stand for, once seen.
pub type Names = HashMap<String, Vec<u8>>;

/// A line with holes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pattern(Vec<Part>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    Text(Vec<u8>),
    Any,
    Name(String),
}

impl Pattern {
    /// Reads `source`; `size` tells the octets of a file that `[size:FILE]` names.
    pub fn parse(
        source: &str,
        size: &dyn Fn(&str) -> Result<usize, String>,
    ) -> Result<Self, String> {
        let mut parts = Vec::new();
        let mut text = Vec::new();
        let mut rest = source;
        while let Some(first) = rest.chars().next() {
            if let Some((byte, after)) = escape(rest)? {
                text.push(byte);
                rest = after;
                continue;
            }
            let hole = rest
                .strip_prefix('[')
                .and_then(|inner| inner.split_once(']'));
            let part = match hole {
                Some(("..", _)) => Some(Part::Any),
                Some((name, _)) if is_name(name) => Some(Part::Name(name.to_owned())),
                Some((hole, _)) => computed(hole, size)?.map(Part::Text),
                None => None,
            };
            match (part, hole) {
                (Some(Part::Text(bytes)), Some((_, after))) => {
                    text.extend(bytes);
                    rest = after;
                }
                (Some(part), Some((_, after))) => {
                    if !text.is_empty() {
                        parts.push(Part::Text(std::mem::take(&mut text)));
                    }
                    parts.push(part);
                    rest = after;
                }
                _ => {
                    let after = first.len_utf8();
                    text.extend(&rest.as_bytes()[..after]);
                    rest = &rest[after..];
                }
            }
        }
        if !text.is_empty() {
            parts.push(Part::Text(text));
        }
        Ok(Self(parts))
    }

    /// Whether all of `line` matches; then the names that were met for the first time are bound.
    pub fn matches(&self, line: &[u8], names: &mut Names) -> bool {
        let mut bound = names.clone();
        let matched = match_parts(&self.0, line, &mut bound);
        if matched {
            *names = bound;
        }
        matched
    }

    /// The line with its holes filled by what was bound.
    pub fn fill(&self, names: &Names) -> Result<Vec<u8>, String> {
        let mut filled = Vec::new();
        for part in &self.0 {
            match part {
                Part::Text(text) => filled.extend(text),
                Part::Any => return Err("[..] cannot be sent: write what is to be said".into()),
                Part::Name(name) => filled.extend(names.get(name).ok_or_else(|| {
                    format!("[{name}] is not bound by any line above (a plain bracket is \\[)")
                })?),
            }
        }
        Ok(filled)
    }

    /// The line with its holes filled by something plausible, for a client that is shown it; new names are bound.
    pub fn plausible(&self, names: &mut Names) -> Vec<u8> {
        let mut filled = Vec::new();
        for part in &self.0 {
            match part {
                Part::Text(text) => filled.extend(text),
                Part::Any => filled.extend(b"text"),
                Part::Name(name) => {
                    let next = format!("{}", names.len() + 1).into_bytes();
                    filled.extend(names.entry(name.clone()).or_insert(next).iter());
                }
            }
        }
        filled
    }
}

fn match_parts(parts: &[Part], line: &[u8], names: &mut Names) -> bool {
    let Some((part, rest)) = parts.split_first() else {
        return line.is_empty();
    };
    match part {
        Part::Text(text) => line
            .strip_prefix(text.as_slice())
            .is_some_and(|line| match_parts(rest, line, names)),
        Part::Any => (0..=line.len()).any(|at| match_parts(rest, &line[at..], names)),
        Part::Name(name) => match names.get(name).cloned() {
            Some(value) => line
                .strip_prefix(value.as_slice())
                .is_some_and(|line| match_parts(rest, line, names)),
            None => (1..=line.len()).any(|at| {
                names.insert(name.clone(), line[..at].to_vec());
                let matched = match_parts(rest, &line[at..], names);
                if !matched {
                    names.remove(name);
                }
                matched
            }),
        },
    }
}

fn is_name(hole: &str) -> bool {
    hole.starts_with(|c: char| c.is_ascii_lowercase())
        && hole
            .chars()
            .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '_')
}

/// `[x*70]` and `[size:FILE]`.
fn computed(
    hole: &str,
    size: &dyn Fn(&str) -> Result<usize, String>,
) -> Result<Option<Vec<u8>>, String> {
    if let Some(file) = hole.strip_prefix("size:") {
        return Ok(Some(size(file)?.to_string().into_bytes()));
    }
    let mut chars = hole.chars();
    if let (Some(what), Some('*')) = (chars.next(), chars.next())
        && let Ok(times) = chars.as_str().parse()
    {
        return Ok(Some(what.to_string().repeat(times).into_bytes()));
    }
    Ok(None)
}

/// The octet that an escape at the beginning of `source` stands for. A backslash before anything else is a backslash:
/// `\Seen` needs no care.
fn escape(source: &str) -> Result<Option<(u8, &str)>, String> {
    let Some(rest) = source.strip_prefix('\\') else {
        return Ok(None);
    };
    let byte = match rest.as_bytes().first() {
        Some(b'r') => b'\r',
        Some(b'n') => b'\n',
        Some(b'\\') => b'\\',
        Some(b'[') => b'[',
        Some(b'x') => {
            let byte = rest
                .get(1..3)
                .and_then(|digits| u8::from_str_radix(digits, 16).ok())
                .ok_or("\\x needs two hexadecimal digits")?;
            return Ok(Some((byte, &rest[3..])));
        }
        _ => return Ok(None),
    };
    Ok(Some((byte, &rest[1..])))
}
