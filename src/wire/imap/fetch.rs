//! What FETCH asks for: data items, sections, partials (RFC 3501 §6.4.5, RFC 3516 §4).

use crate::limits;
use crate::wire::imap::response;
use crate::wire::imap::scan::{Scan, Scanner, problem};

/// One data item.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Item {
    /// `FLAGS`
    Flags,
    /// `UID`
    Uid,
    /// `INTERNALDATE`
    InternalDate,
    /// `RFC822.SIZE`
    Size,
    /// `ENVELOPE`
    Envelope,
    /// `BODY`: the structure without extension data.
    Body,
    /// `BODYSTRUCTURE`
    BodyStructure,
    /// `MODSEQ` (RFC 7162 §3.1.4.2)
    Modseq,
    /// `EMAILID` (RFC 8474 §5.1)
    EmailId,
    /// `THREADID` (RFC 8474 §5.2)
    ThreadId,
    /// `SAVEDATE` (RFC 8514 §4.2)
    SaveDate,
    /// `PREVIEW`, `PREVIEW (LAZY)` (RFC 8970 §3.1)
    Preview,
    /// `RFC822`, `RFC822.HEADER`, `RFC822.TEXT`, `BODY[...]`, `BODY.PEEK[...]`
    Text(Text),
    /// `BINARY[...]`, `BINARY.PEEK[...]` (RFC 3516 §4.2)
    Binary(Binary),
    /// `BINARY.SIZE[...]`: of this part.
    BinarySize(Vec<u32>),
}

/// Octets of a part without its transfer encoding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Binary {
    /// Which part; empty: the message.
    pub part: Vec<u32>,
    /// Only these of them.
    pub partial: Option<Partial>,
    /// Whether reading them sets `\Seen`.
    pub reading: Reading,
}

/// Octets of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Text {
    /// Which.
    pub section: Section,
    /// Only these of them.
    pub partial: Option<Partial>,
    /// Whether reading them sets `\Seen`.
    pub reading: Reading,
    /// How the item is named in the response.
    pub name: Name,
}

/// Whether octets are looked at, or read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reading {
    /// `BODY.PEEK[...]`: the message stays unseen.
    Peeks,
    /// `BODY[...]`: the message is seen.
    Sees,
}

/// The two ways of naming octets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Name {
    /// `RFC822`, `RFC822.HEADER` or `RFC822.TEXT`.
    Rfc822(&'static str),
    /// `BODY[...]`
    Body,
}

/// What stands in brackets.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Section {
    /// `2.1` of `BODY[2.1.MIME]`; empty: the message.
    pub part: Vec<u32>,
    /// `MIME` of it.
    pub what: SectionText,
}

/// What of a message or part.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum SectionText {
    /// All of it.
    #[default]
    All,
    /// The header of the message.
    Header,
    /// The fields of these names.
    HeaderFields(Vec<Vec<u8>>),
    /// All fields but those of these names.
    HeaderFieldsNot(Vec<Vec<u8>>),
    /// The message without its header.
    Text,
    /// The header of the part.
    Mime,
}

/// `<offset.octets>`
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Partial {
    /// From here on.
    pub offset: u64,
    /// At most so many; not 0.
    pub octets: u64,
}

/// Scans one item, a macro, or a list of items.
pub fn scan_items(scanner: &mut Scanner<'_>) -> Scan<Vec<Item>> {
    let mut items = Vec::new();
    if scanner.eat(b'(') {
        loop {
            scanner.skip_spaces();
            if scanner.eat(b')') {
                break;
            }
            if items.len() == limits::IMAP_ITEMS {
                return problem(format!(
                    "more than {} items at once; ask for the rest with another FETCH",
                    limits::IMAP_ITEMS
                ));
            }
            items.push(scan_item(scanner)?);
        }
        if items.is_empty() {
            return problem("the list of items is empty; ask for FLAGS, for example");
        }
        return Ok(items);
    }
    // The macros stand alone (RFC 3501 §6.4.5).
    let macros: [(&str, &[Item]); 3] = [
        (
            "ALL",
            &[Item::Flags, Item::InternalDate, Item::Size, Item::Envelope],
        ),
        ("FAST", &[Item::Flags, Item::InternalDate, Item::Size]),
        (
            "FULL",
            &[
                Item::Flags,
                Item::InternalDate,
                Item::Size,
                Item::Envelope,
                Item::Body,
            ],
        ),
    ];
    for (name, meant) in macros {
        if scanner.eat_word(name) {
            return Ok(meant.to_vec());
        }
    }
    items.push(scan_item(scanner)?);
    let mut ahead = scanner.clone();
    if ahead.skip_spaces() && ahead.peek().is_some_and(|byte| byte.is_ascii_alphabetic()) {
        return problem("several items go in parentheses: (FLAGS UID)");
    }
    Ok(items)
}

fn scan_item(scanner: &mut Scanner<'_>) -> Scan<Item> {
    let word = scanner.word("an item such as FLAGS, ENVELOPE or BODY[]")?;
    let rfc822 = |name, what, reading| {
        Item::Text(Text {
            section: Section {
                part: Vec::new(),
                what,
            },
            partial: None,
            reading,
            name: Name::Rfc822(name),
        })
    };
    Ok(match word.to_ascii_uppercase().as_str() {
        "FLAGS" => Item::Flags,
        "UID" => Item::Uid,
        "INTERNALDATE" => Item::InternalDate,
        "RFC822.SIZE" => Item::Size,
        "ENVELOPE" => Item::Envelope,
        "MODSEQ" => Item::Modseq,
        "EMAILID" => Item::EmailId,
        "THREADID" => Item::ThreadId,
        "SAVEDATE" => Item::SaveDate,
        "PREVIEW" => scan_preview(scanner)?,
        "BODYSTRUCTURE" => Item::BodyStructure,
        "RFC822" => rfc822("RFC822", SectionText::All, Reading::Sees),
        "RFC822.HEADER" => rfc822("RFC822.HEADER", SectionText::Header, Reading::Peeks),
        "RFC822.TEXT" => rfc822("RFC822.TEXT", SectionText::Text, Reading::Sees),
        "BODY" if scanner.peek() != Some(b'[') => Item::Body,
        "BODY" => Item::Text(scan_text(scanner, Reading::Sees)?),
        "BODY.PEEK" => Item::Text(scan_text(scanner, Reading::Peeks)?),
        "BINARY" => Item::Binary(scan_binary(scanner, Reading::Sees)?),
        "BINARY.PEEK" => Item::Binary(scan_binary(scanner, Reading::Peeks)?),
        "BINARY.SIZE" => Item::BinarySize(scan_part(scanner)?),
        "ALL" | "FAST" | "FULL" => {
            return problem(format!(
                "{} stands alone, without parentheses",
                word.to_ascii_uppercase()
            ));
        }
        _ => {
            return problem(format!(
                "there is no item {word}; there are FLAGS UID INTERNALDATE RFC822.SIZE ENVELOPE BODYSTRUCTURE BODY[] BODY.PEEK[HEADER] BODY[TEXT] BODY[1] BINARY[1] and more"
            ));
        }
    })
}

/// RFC 8970 §3.2: LAZY may leave out what takes long; nothing here does.
fn scan_preview(scanner: &mut Scanner<'_>) -> Scan<Item> {
    let mut ahead = scanner.clone();
    if ahead.skip_spaces() && ahead.eat(b'(') && ahead.eat_word("LAZY") {
        ahead.expect(b')')?;
        *scanner = ahead;
    }
    Ok(Item::Preview)
}

fn scan_text(scanner: &mut Scanner<'_>, reading: Reading) -> Scan<Text> {
    scanner.expect(b'[')?;
    let section = Section::scan(scanner)?;
    scanner.expect(b']')?;
    Ok(Text {
        section,
        partial: scan_partial(scanner)?,
        reading,
        name: Name::Body,
    })
}

fn scan_partial(scanner: &mut Scanner<'_>) -> Scan<Option<Partial>> {
    if !scanner.eat(b'<') {
        return Ok(None);
    }
    let offset = scanner.number64()?;
    scanner.expect(b'.')?;
    let octets = scanner.number64()?;
    scanner.expect(b'>')?;
    if octets == 0 {
        return problem("a partial asks for at least one octet: <0.100>");
    }
    Ok(Some(Partial { offset, octets }))
}

fn scan_binary(scanner: &mut Scanner<'_>, reading: Reading) -> Scan<Binary> {
    Ok(Binary {
        part: scan_part(scanner)?,
        partial: scan_partial(scanner)?,
        reading,
    })
}

/// `[2.1]`, or `[]`.
fn scan_part(scanner: &mut Scanner<'_>) -> Scan<Vec<u32>> {
    scanner.expect(b'[')?;
    let mut part = Vec::new();
    if !scanner.eat(b']') {
        loop {
            part.push(scanner.nz_number()?);
            if scanner.eat(b']') {
                break;
            }
            scanner.expect(b'.')?;
        }
    }
    Ok(part)
}

impl Section {
    /// Scans what stands between the brackets.
    pub fn scan(scanner: &mut Scanner<'_>) -> Scan<Self> {
        let mut part = Vec::new();
        while scanner.peek().is_some_and(|byte| byte.is_ascii_digit()) {
            part.push(scanner.nz_number()?);
            if !scanner.eat(b'.') {
                return Ok(Self {
                    part,
                    what: SectionText::All,
                });
            }
        }
        if scanner.peek() == Some(b']') && part.is_empty() {
            return Ok(Self::default());
        }
        let word = scanner.word("a section such as HEADER, TEXT or 1")?;
        let what = match word.to_ascii_uppercase().as_str() {
            "HEADER" => SectionText::Header,
            "TEXT" => SectionText::Text,
            "MIME" if part.is_empty() => {
                return problem("MIME needs the number of a part before it: BODY[1.MIME]");
            }
            "MIME" => SectionText::Mime,
            "HEADER.FIELDS" => SectionText::HeaderFields(scan_fields(scanner)?),
            "HEADER.FIELDS.NOT" => SectionText::HeaderFieldsNot(scan_fields(scanner)?),
            _ => {
                return problem(format!(
                    "there is no section {word}; there are HEADER, HEADER.FIELDS (...), HEADER.FIELDS.NOT (...), TEXT, MIME and numbers of parts"
                ));
            }
        };
        Ok(Self { part, what })
    }
}

fn scan_fields(scanner: &mut Scanner<'_>) -> Scan<Vec<Vec<u8>>> {
    scanner.space()?;
    scanner.expect(b'(')?;
    let mut names = Vec::new();
    loop {
        scanner.skip_spaces();
        if !names.is_empty() && scanner.eat(b')') {
            return Ok(names);
        }
        names.push(scanner.astring("the name of a header field")?.into_owned());
    }
}

impl Text {
    /// Writes the item's name as it stands in the response; no octet count of the partial.
    pub fn write_name(&self, out: &mut Vec<u8>) {
        match self.name {
            Name::Rfc822(name) => return out.extend_from_slice(name.as_bytes()),
            Name::Body => out.extend_from_slice(b"BODY["),
        }
        write_part(out, &self.section.part);
        if !self.section.part.is_empty() && self.section.what != SectionText::All {
            out.push(b'.');
        }
        match &self.section.what {
            SectionText::All => {}
            SectionText::Header => out.extend_from_slice(b"HEADER"),
            SectionText::Text => out.extend_from_slice(b"TEXT"),
            SectionText::Mime => out.extend_from_slice(b"MIME"),
            SectionText::HeaderFields(names) => {
                out.extend_from_slice(b"HEADER.FIELDS (");
                write_fields(out, names);
            }
            SectionText::HeaderFieldsNot(names) => {
                out.extend_from_slice(b"HEADER.FIELDS.NOT (");
                write_fields(out, names);
            }
        }
        out.push(b']');
        if let Some(partial) = self.partial {
            out.push(b'<');
            response::number(out, partial.offset);
            out.push(b'>');
        }
    }
}

impl Binary {
    /// Writes the item's name as it stands in the response.
    pub fn write_name(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(b"BINARY[");
        write_part(out, &self.part);
        out.push(b']');
        if let Some(partial) = self.partial {
            out.push(b'<');
            response::number(out, partial.offset);
            out.push(b'>');
        }
    }
}

/// Writes `2.1`.
pub fn write_part(out: &mut Vec<u8>, part: &[u32]) {
    for (position, number) in part.iter().enumerate() {
        if position > 0 {
            out.push(b'.');
        }
        response::number(out, (*number).into());
    }
}

fn write_fields(out: &mut Vec<u8>, names: &[Vec<u8>]) {
    for (position, name) in names.iter().enumerate() {
        if position > 0 {
            out.push(b' ');
        }
        response::astring(out, name);
    }
    out.push(b')');
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::imap::scan::Stop;

    fn scan(text: &str) -> Result<Vec<Item>, String> {
        let mut scanner = Scanner::new(text.as_bytes());
        let items = scan_items(&mut scanner).and_then(|items| {
            scanner.end()?;
            Ok(items)
        });
        items.map_err(|stop| match stop {
            Stop::Problem(problem) => problem.0.into_owned(),
            Stop::Literal(literal) => format!("{literal:?}"),
        })
    }

    #[test]
    fn names_are_written_as_scanned() {
        for (asked, named) in [
            ("BODY[]", "BODY[]"),
            ("body.peek[text]", "BODY[TEXT]"),
            ("BODY[1.2.MIME]", "BODY[1.2.MIME]"),
            ("BODY[4.1.HEADER]<0.10>", "BODY[4.1.HEADER]<0>"),
            (
                "BODY[HEADER.FIELDS (DATE \"FROM\")]",
                "BODY[HEADER.FIELDS (DATE FROM)]",
            ),
            (
                "BODY[3.HEADER.FIELDS.NOT (\"a b\")]",
                "BODY[3.HEADER.FIELDS.NOT (\"a b\")]",
            ),
            ("RFC822.text", "RFC822.TEXT"),
        ] {
            let items = scan(asked).unwrap();
            let [Item::Text(text)] = &items[..] else {
                panic!("{items:?}");
            };
            let mut out = Vec::new();
            text.write_name(&mut out);
            assert_eq!(String::from_utf8(out).unwrap(), named);
        }
    }

    #[test]
    fn macros_lists_and_mistakes() {
        assert_eq!(scan("fast").unwrap().len(), 3);
        assert_eq!(scan("FULL").unwrap().last(), Some(&Item::Body));
        assert_eq!(
            scan("(UID BODY  BODYSTRUCTURE )").unwrap(),
            [Item::Uid, Item::Body, Item::BodyStructure]
        );
        for (text, said) in [
            ("(FAST UID)", "stands alone"),
            ("FLAGS UID", "parentheses"),
            ("()", "empty"),
            ("BODY[MIME]", "number of a part"),
            ("BODY[0]", "counted from 1"),
            ("BODY[1.]", "a section such as"),
            ("BODY[]<0.0>", "at least one octet"),
            ("BODY[SUBJECT]", "there is no section SUBJECT"),
            ("SUBJECT", "there is no item SUBJECT"),
            ("BODY[HEADER.FIELDS ()]", "the name of a header field"),
        ] {
            let problem = scan(text).unwrap_err();
            assert!(problem.contains(said), "{text}: {problem}");
        }
    }
}
