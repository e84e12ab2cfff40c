//! What an IMAP server says, as words (RFC 3501 §7 and §9, RFC 9051 §7): for clients.
//!
//! A response is given whole: its lines with the line ends between them, and its literals where they came, `{5}` CRLF and
//! five octets. Everything is lent from those bytes; only a quoted string with escapes is copied. What is not known is
//! [`Data::Other`]: a server may say more than was asked for, at any time (RFC 3501 §5.2), and a client goes on.
//!
//! The bounds are the caller's, who gathers the response; here it is the depth of lists ([`limits::IMAP_DEPTH`]).

use std::borrow::Cow;

use crate::limits;

/// One response.
#[derive(Clone, Debug, PartialEq)]
pub enum Reply<'a> {
    /// `+`: go on with the literal, or with the next answer of AUTHENTICATE.
    Continue(&'a [u8]),
    /// The answer to the command with this tag: it is done.
    Tagged(&'a [u8], Condition<'a>),
    /// `* OK`, `* NO`, `* BAD`, `* PREAUTH`, `* BYE`.
    Untagged(Condition<'a>),
    /// Everything else behind `*`.
    Data(Data<'a>),
}

/// A status response (RFC 3501 §7.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Condition<'a> {
    /// Its first word.
    pub status: Status,
    /// The response code in brackets: its name, and what follows the name.
    pub code: Option<(&'a [u8], &'a [u8])>,
    /// For people; without the code.
    pub text: &'a [u8],
}

/// How it went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// Well.
    Ok,
    /// Not, for a reason of the mailbox's.
    No,
    /// Not: the command was not understood.
    Bad,
    /// As a greeting: who you are is known already.
    PreAuth,
    /// The server is about to close.
    Bye,
}

/// What a server knows.
#[derive(Clone, Debug, PartialEq)]
pub enum Data<'a> {
    /// What the server can, in no order.
    Capability(Vec<&'a [u8]>),
    /// A mailbox, in answer to LIST.
    List {
        /// `\Noselect`, `\HasChildren` ...
        attributes: Vec<&'a [u8]>,
        /// Between the levels of names; none when there are no levels.
        delimiter: Option<u8>,
        /// As it came: modified UTF-7.
        name: Cow<'a, [u8]>,
    },
    /// Figures of a mailbox, in answer to STATUS: name and number.
    Status(Vec<(&'a [u8], u64)>),
    /// What SEARCH found: message numbers, or UIDs if those were asked for.
    Search(Vec<u32>),
    /// How many messages there are.
    Exists(u32),
    /// A message is gone: all behind it move up by one.
    Expunge(u32),
    /// What FETCH asked for, or a change of flags that nobody asked for: the message number, and names with values.
    Fetch(u32, Vec<(&'a [u8], Value<'a>)>),
    /// Something else.
    Other,
}

/// A value of the grammar: `NIL`, an atom or a number, a string, a list.
#[derive(Clone, Debug, PartialEq)]
pub enum Value<'a> {
    /// `NIL`
    Nil,
    /// An atom, a flag or a number, as it stands.
    Atom(&'a [u8]),
    /// A quoted string or a literal.
    Text(Cow<'a, [u8]>),
    /// Values in parentheses.
    List(Vec<Self>),
}

/// Who wrote a message about what: what a list of messages shows of an ENVELOPE. As it came: not decoded.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Envelope<'a> {
    /// The subject.
    pub subject: &'a [u8],
    /// The first author's name.
    pub name: &'a [u8],
    /// Her address, before the `@`.
    pub mailbox: &'a [u8],
    /// Her address, behind it.
    pub host: &'a [u8],
}

impl<'a> Reply<'a> {
    /// Reads a whole response, without its last line end; `None` when it is none.
    ///
    /// ```
    /// use mailtool::wire::imap::reply::{Data, Reply, Status};
    ///
    /// assert_eq!(Reply::parse(b"* 3 EXISTS"), Some(Reply::Data(Data::Exists(3))));
    /// let Some(Reply::Tagged(tag, done)) = Reply::parse(b"a1 OK [APPENDUID 1 7] done") else { panic!() };
    /// assert_eq!((tag, done.status), (&b"a1"[..], Status::Ok));
    /// assert_eq!(done.code, Some((&b"APPENDUID"[..], &b"1 7"[..])));
    /// ```
    pub fn parse(response: &'a [u8]) -> Option<Self> {
        if let Some(rest) = response.strip_prefix(b"+") {
            return Some(Self::Continue(rest.trim_ascii_start()));
        }
        if let Some(rest) = response.strip_prefix(b"* ") {
            return match condition(rest) {
                Some(condition) => Some(Self::Untagged(condition)),
                None => data(rest).map(Self::Data),
            };
        }
        let space = memchr::memchr(b' ', response)?;
        let (tag, rest) = response.split_at(space);
        let condition = condition(&rest[1..])?;
        (!tag.is_empty() && tag.iter().all(u8::is_ascii_alphanumeric))
            .then_some(Self::Tagged(tag, condition))
    }
}

impl Condition<'_> {
    /// Whether the response code has this name.
    pub fn has_code(&self, name: &str) -> bool {
        self.code
            .is_some_and(|(code, _)| code.eq_ignore_ascii_case(name.as_bytes()))
    }
}

impl Value<'_> {
    /// The octets of a string or an atom; `None` for NIL and lists.
    pub fn octets(&self) -> Option<&[u8]> {
        match self {
            Self::Atom(atom) => Some(atom),
            Self::Text(text) => Some(text),
            Self::Nil | Self::List(_) => None,
        }
    }

    /// The number that an atom is.
    pub fn number(&self) -> Option<u64> {
        match self {
            Self::Atom(atom) => number(atom),
            _ => None,
        }
    }

    /// The values of a list; none of anything else.
    pub fn list(&self) -> &[Self] {
        match self {
            Self::List(values) => values,
            _ => &[],
        }
    }

    /// This value as an ENVELOPE (RFC 3501 §7.4.2): what is not there is empty.
    pub fn envelope(&self) -> Envelope<'_> {
        let fields = self.list();
        let author = fields
            .get(2)
            .and_then(|from| from.list().first())
            .map_or(&[][..], |author| author.list());
        Envelope {
            subject: octets_of(fields.get(1)),
            name: octets_of(author.first()),
            mailbox: octets_of(author.get(2)),
            host: octets_of(author.get(3)),
        }
    }
}

fn octets_of<'v>(value: Option<&'v Value<'_>>) -> &'v [u8] {
    value.and_then(Value::octets).unwrap_or_default()
}

/// How many octets the literal has that a line announces at its end (RFC 3501 §4.3; `~{n}` of RFC 3516 as well).
///
/// ```
/// assert_eq!(mailtool::wire::imap::reply::literal(b"* 1 FETCH (BODY[] {320}"), Some(320));
/// ```
pub fn literal(line: &[u8]) -> Option<u64> {
    let inside = line.strip_suffix(b"}")?;
    let open = memchr::memrchr(b'{', inside)?;
    number(&inside[open + 1..])
}

/// Whether what begins so can have literals in it. Text for people cannot: `* OK {5}` is what it looks like.
pub fn may_hold_literals(response: &[u8]) -> bool {
    response
        .strip_prefix(b"* ")
        .is_some_and(|rest| condition(rest).is_none())
}

/// Whether the literal that `response` announces at its end is a message's text: `BODY[...]` stands before it. Such a
/// literal may be of any size.
///
/// ```
/// use mailtool::wire::imap::reply::literal_is_body;
///
/// assert!(literal_is_body(b"* 1 FETCH (UID 7 BODY[1.TEXT]<0> {320}"));
/// assert!(!literal_is_body(b"* 1 FETCH (ENVELOPE (NIL {320}"));
/// ```
pub fn literal_is_body(response: &[u8]) -> bool {
    let Some(open) = memchr::memrchr(b'{', response) else {
        return false;
    };
    let before = response[..open].trim_ascii_end();
    let before = before.strip_suffix(b"~").unwrap_or(before).trim_ascii_end();
    let before = match before.strip_suffix(b">") {
        Some(partial) => match memchr::memrchr(b'<', partial) {
            Some(at) => &before[..at],
            None => return false,
        },
        None => before,
    };
    let Some(section) = before.strip_suffix(b"]") else {
        return false;
    };
    let Some(bracket) = memchr::memrchr(b'[', section) else {
        return false;
    };
    let name = &section[..bracket];
    name.len() >= 4
        && name[name.len() - 4..].eq_ignore_ascii_case(b"BODY")
        && response.starts_with(b"* ")
}

/// What stands behind `* ` of a response, as values, whatever it is: `BODY[HEADER.FIELDS (TO)]<0>` is one atom.
///
/// ```
/// use mailtool::wire::imap::reply::{Value, values};
///
/// let quota = values(b"QUOTA \"\" (STORAGE 10 512)").expect("words");
/// assert_eq!((quota.len(), quota[2].list()[1].number()), (3, Some(10)));
/// assert_eq!(values(b"1 FETCH (BODY[] \"x"), None);
/// ```
pub fn values(words: &[u8]) -> Option<Vec<Value<'_>>> {
    let mut scan = Scan { rest: words };
    let mut values = Vec::new();
    loop {
        scan.space();
        if scan.rest.is_empty() {
            return Some(values);
        }
        values.push(scan.any(0)?);
    }
}

fn condition(rest: &[u8]) -> Option<Condition<'_>> {
    let end = memchr::memchr(b' ', rest).unwrap_or(rest.len());
    let (word, text) = rest.split_at(end);
    let status = STATUSES
        .iter()
        .find(|(name, _)| word.eq_ignore_ascii_case(name.as_bytes()))?
        .1;
    let text = text.trim_ascii_start();
    let Some((inside, after)) = text
        .strip_prefix(b"[")
        .and_then(|inside| Some(inside.split_at(memchr::memchr(b']', inside)?)))
    else {
        return Some(Condition {
            status,
            code: None,
            text,
        });
    };
    let name = memchr::memchr(b' ', inside).unwrap_or(inside.len());
    let (name, arguments) = inside.split_at(name);
    Some(Condition {
        status,
        code: Some((name, arguments.trim_ascii())),
        text: after[1..].trim_ascii_start(),
    })
}

fn data(rest: &[u8]) -> Option<Data<'_>> {
    let mut scan = Scan { rest };
    let word = scan.atom()?;
    if let Some(number) = number(word).and_then(|number| u32::try_from(number).ok()) {
        scan.space();
        let name = scan.atom()?;
        return numbered(number, name, &mut scan);
    }
    scan.space();
    if word.eq_ignore_ascii_case(b"CAPABILITY") {
        return Some(Data::Capability(scan.words()));
    }
    if word.eq_ignore_ascii_case(b"LIST") {
        return scan.list_response();
    }
    if word.eq_ignore_ascii_case(b"STATUS") {
        return scan.status_response();
    }
    if word.eq_ignore_ascii_case(b"SEARCH") {
        // RFC 7162 §3.1.5 adds `(MODSEQ n)` at the end.
        let found = scan.words().into_iter().map_while(number);
        return Some(Data::Search(
            found
                .filter_map(|number| u32::try_from(number).ok())
                .collect(),
        ));
    }
    Some(Data::Other)
}

fn numbered<'a>(number: u32, name: &[u8], scan: &mut Scan<'a>) -> Option<Data<'a>> {
    if name.eq_ignore_ascii_case(b"EXISTS") {
        return Some(Data::Exists(number));
    }
    if name.eq_ignore_ascii_case(b"EXPUNGE") {
        return Some(Data::Expunge(number));
    }
    if !name.eq_ignore_ascii_case(b"FETCH") {
        return Some(Data::Other);
    }
    scan.space();
    scan.expect(b'(')?;
    let mut items = Vec::new();
    while !scan.take(b')') {
        let name = scan.fetch_name()?;
        scan.space();
        items.push((name, scan.value(0)?));
        scan.space();
    }
    Some(Data::Fetch(number, items))
}

/// What is left of a response.
struct Scan<'a> {
    rest: &'a [u8],
}

impl<'a> Scan<'a> {
    fn space(&mut self) {
        self.rest = self.rest.trim_ascii_start();
    }

    fn take(&mut self, byte: u8) -> bool {
        match self.rest.split_first() {
            Some((first, rest)) if *first == byte => {
                self.rest = rest;
                true
            }
            _ => false,
        }
    }

    fn expect(&mut self, byte: u8) -> Option<()> {
        self.take(byte).then_some(())
    }

    fn split(&mut self, at: usize) -> Option<&'a [u8]> {
        let (word, rest) = self.rest.split_at_checked(at)?;
        self.rest = rest;
        Some(word)
    }

    /// Up to what ends a word. At least one octet.
    fn atom(&mut self) -> Option<&'a [u8]> {
        let end = self
            .rest
            .iter()
            .position(|byte| matches!(byte, b' ' | b'(' | b')' | b'"' | b'{' | b'\r' | b'\n'))
            .unwrap_or(self.rest.len());
        if end == 0 {
            return None;
        }
        self.split(end)
    }

    /// `BODY[HEADER.FIELDS (FROM TO)]<0>` is one name.
    fn fetch_name(&mut self) -> Option<&'a [u8]> {
        let plain = self
            .rest
            .iter()
            .position(|byte| matches!(byte, b' ' | b'[' | b'(' | b')'))?;
        if self.rest[plain] != b'[' {
            return (plain > 0).then(|| self.split(plain)).flatten();
        }
        let close = memchr::memchr(b']', &self.rest[plain..])?;
        let after = plain + close + 1;
        let end = memchr::memchr(b' ', &self.rest[after..])?;
        self.split(after + end)
    }

    fn words(&mut self) -> Vec<&'a [u8]> {
        self.rest
            .split(u8::is_ascii_whitespace)
            .filter(|word| !word.is_empty())
            .collect()
    }

    fn value(&mut self, depth: usize) -> Option<Value<'a>> {
        match self.rest.first()? {
            b'(' if depth < limits::IMAP_DEPTH => self.list(|scan| scan.value(depth + 1)),
            b'"' => self.quoted().map(Value::Text),
            b'{' => self.literal().map(|text| Value::Text(text.into())),
            b'~' if self.rest.get(1) == Some(&b'{') => {
                self.take(b'~');
                self.literal().map(|text| Value::Text(text.into()))
            }
            _ => self.atom().map(|atom| {
                if atom.eq_ignore_ascii_case(b"NIL") {
                    Value::Nil
                } else {
                    Value::Atom(atom)
                }
            }),
        }
    }

    /// A list, whose values `value` reads.
    fn list(&mut self, value: impl Fn(&mut Self) -> Option<Value<'a>>) -> Option<Value<'a>> {
        self.take(b'(');
        let mut values = Vec::new();
        loop {
            self.space();
            if self.take(b')') {
                return Some(Value::List(values));
            }
            values.push(value(self)?);
        }
    }

    /// As [`Self::value`], but for the names of sections, which hold spaces and lists.
    fn any(&mut self, depth: usize) -> Option<Value<'a>> {
        match self.rest.first()? {
            b'(' if depth < limits::IMAP_DEPTH => self.list(|scan| scan.any(depth + 1)),
            b'"' | b'{' | b'(' => self.value(depth),
            b'~' if self.rest.get(1) == Some(&b'{') => self.value(depth),
            _ => {
                let ends = |byte: &u8| matches!(byte, b' ' | b'(' | b')' | b'[' | b'\r' | b'\n');
                let end = self.rest.iter().position(ends).unwrap_or(self.rest.len());
                if self.rest.get(end) == Some(&b'[') && end > 0 {
                    let mut name = end + memchr::memchr(b']', &self.rest[end..])? + 1;
                    if self.rest.get(name) == Some(&b'<') {
                        name += memchr::memchr(b'>', &self.rest[name..])? + 1;
                    }
                    return self.split(name).map(Value::Atom);
                }
                self.value(depth)
            }
        }
    }

    fn quoted(&mut self) -> Option<Cow<'a, [u8]>> {
        self.expect(b'"')?;
        let special = memchr::memchr2(b'"', b'\\', self.rest)?;
        if self.rest[special] == b'"' {
            let text = self.split(special)?;
            self.expect(b'"')?;
            return Some(text.into());
        }
        let mut text = Vec::new();
        loop {
            let special = memchr::memchr2(b'"', b'\\', self.rest)?;
            text.extend_from_slice(self.split(special)?);
            if self.take(b'"') {
                return Some(text.into());
            }
            self.expect(b'\\')?;
            text.extend_from_slice(self.split(1)?);
        }
    }

    fn literal(&mut self) -> Option<&'a [u8]> {
        self.expect(b'{')?;
        let digits = memchr::memchr(b'}', self.rest)?;
        let octets = number(self.split(digits)?)?;
        for byte in *b"}\r\n" {
            self.expect(byte)?;
        }
        self.split(usize::try_from(octets).ok()?)
    }

    fn string(&mut self) -> Option<Cow<'a, [u8]>> {
        match self.value(limits::IMAP_DEPTH)? {
            Value::Text(text) => Some(text),
            Value::Atom(atom) => Some(atom.into()),
            // A mailbox may be called so.
            Value::Nil => Some(b"NIL"[..].into()),
            Value::List(_) => None,
        }
    }

    /// `(\HasNoChildren) "/" INBOX`
    fn list_response(&mut self) -> Option<Data<'a>> {
        let Value::List(attributes) = self.value(0)? else {
            return None;
        };
        let attributes = attributes.iter().filter_map(|attribute| match attribute {
            Value::Atom(atom) => Some(*atom),
            _ => None,
        });
        let attributes = attributes.collect();
        self.space();
        let delimiter = self
            .value(0)?
            .octets()
            .and_then(|text| text.first().copied());
        self.space();
        Some(Data::List {
            attributes,
            delimiter,
            name: self.string()?,
        })
    }

    /// `INBOX (MESSAGES 2 UNSEEN 1)`
    fn status_response(&mut self) -> Option<Data<'a>> {
        self.string()?;
        self.space();
        let Value::List(items) = self.value(0)? else {
            return None;
        };
        let pairs = items.chunks_exact(2).filter_map(|pair| match pair {
            [Value::Atom(name), value] => Some((*name, value.number()?)),
            _ => None,
        });
        Some(Data::Status(pairs.collect()))
    }
}

fn number(digits: &[u8]) -> Option<u64> {
    std::str::from_utf8(digits)
        .ok()
        .filter(|digits| digits.bytes().all(|byte| byte.is_ascii_digit()))?
        .parse()
        .ok()
}

const STATUSES: [(&str, Status); 5] = [
    ("OK", Status::Ok),
    ("NO", Status::No),
    ("BAD", Status::Bad),
    ("PREAUTH", Status::PreAuth),
    ("BYE", Status::Bye),
];

#[cfg(test)]
mod tests;
