//! The text of a part in HTML, as far as a list of messages or a test of a mail wants it: what a browser would show, without its looks.
//!
//! Why not `mail-parser`'s: its table of all 2,231 names of characters is 85 kB of the program. Here are those of HTML 4, which are what
//! mail has; others stay as they are written. Numbers are all understood.

use std::borrow::Cow;

use mail_parser::{Message, PartType};

/// The text of the body part with this index among those that are text, decoded.
pub fn body_text<'m>(message: &'m Message<'_>, index: usize) -> Option<Cow<'m, str>> {
    let part = *message.text_body.get(index)?;
    match &message.parts.get(usize::try_from(part).ok()?)?.body {
        PartType::Text(text) => Some(Cow::Borrowed(text)),
        PartType::Html(html) => Some(Cow::Owned(to_text(html))),
        _ => None,
    }
}

/// Tags, comments, scripts and styles are left out; white space is one space; paragraphs, lines of tables and the like are lines.
///
/// ```
/// use mailtool::wire::mime::html::to_text;
///
/// assert_eq!(to_text("<p>Fish &amp; <b>chips</b>:<br>5 &lt; 6&#8364;</p>"), "Fish & chips:\n5 < 6€\n");
/// ```
pub fn to_text(html: &str) -> String {
    let mut text = Text::default();
    let mut rest = html;
    while let Some(at) = rest.find('<') {
        text.add(&rest[..at]);
        rest = text.tag(&rest[at..]);
    }
    text.add(rest);
    text.written
}

#[derive(Default)]
struct Text {
    written: String,
    /// White space came, which is written if something follows it in the line.
    space: bool,
}

impl Text {
    /// Text between tags.
    fn add(&mut self, mut text: &str) {
        while let Some(at) = text.find('&') {
            self.add_plain(&text[..at]);
            text = &text[at + 1..];
            let end = text
                .bytes()
                .take(LONGEST_NAME)
                .position(|octet| octet == b';');
            let named = end.and_then(|end| Some((character(&text[..end])?, &text[end + 1..])));
            let (character, rest) = named.unwrap_or(('&', text));
            self.push(character);
            text = rest;
        }
        self.add_plain(text);
    }

    fn add_plain(&mut self, text: &str) {
        for character in text.chars() {
            match character {
                ' ' | '\t' | '\r' | '\n' | '\x0c' => self.space = true,
                _ => self.push(character),
            }
        }
    }

    fn push(&mut self, character: char) {
        if std::mem::take(&mut self.space) && !self.is_at_line_start() {
            self.written.push(' ');
        }
        self.written.push(character);
    }

    fn is_at_line_start(&self) -> bool {
        self.written.is_empty() || self.written.ends_with('\n')
    }

    fn end_line(&mut self) {
        self.written.push('\n');
        self.space = false;
    }

    /// What begins with `<`; what is behind it.
    fn tag<'h>(&mut self, html: &'h str) -> &'h str {
        if let Some(comment) = html.strip_prefix("<!") {
            let end = if comment.starts_with("--") {
                "-->"
            } else {
                ">"
            };
            return comment.split_once(end).map_or("", |(_, rest)| rest);
        }
        let inside = &html[1..];
        let closing = inside.strip_prefix('/');
        let named = closing.unwrap_or(inside);
        let length = named.bytes().take_while(u8::is_ascii_alphanumeric).count();
        let (name, attributes) = named.split_at(length);
        if !name.starts_with(|letter: char| letter.is_ascii_alphabetic()) && !html.starts_with("<?")
        {
            self.push('<');
            return inside;
        }
        let rest = &attributes[end_of_tag(attributes)..];
        let is = |names: &[&str]| names.iter().any(|one| name.eq_ignore_ascii_case(one));
        if is(&["br"]) {
            self.end_line();
        } else if is(&["td", "th"]) {
            self.space = true;
        } else if is(&LINES) && !self.is_at_line_start() {
            self.end_line();
        }
        match closing {
            None if is(&UNSEEN) => behind(rest, &["</", name].concat()),
            None if is(&["head"]) => {
                let end = behind(rest, "</head");
                if end.is_empty() { body(rest) } else { end }
            }
            _ => rest,
        }
    }
}

/// Where a tag ends, behind its `>`; `>` in quotes is part of a value.
fn end_of_tag(attributes: &str) -> usize {
    let mut quote = None;
    let mut before = b' ';
    for (at, octet) in attributes.bytes().enumerate() {
        match (quote, octet) {
            (None, b'>') => return at + 1,
            (None, b'"' | b'\'') if before == b'=' => quote = Some(octet),
            (Some(open), _) if open == octet => quote = None,
            _ => {}
        }
        if octet != b' ' {
            before = octet;
        }
    }
    attributes.len()
}

/// What is behind the first tag that begins so; nothing if there is none.
fn behind<'h>(html: &'h str, tag: &str) -> &'h str {
    let Some(at) = find(html, tag) else {
        return "";
    };
    let rest = &html[at + tag.len()..];
    &rest[end_of_tag(rest)..]
}

/// From `<body` on, for a head that nobody closed.
fn body(html: &str) -> &str {
    find(html, "<body").map_or("", |at| &html[at..])
}

/// Where `tag`, in ASCII and in whatever case, begins.
fn find(html: &str, tag: &str) -> Option<usize> {
    html.as_bytes()
        .windows(tag.len())
        .position(|window| window.eq_ignore_ascii_case(tag.as_bytes()))
}

/// Of `amp`, `#38` or `#x26`.
fn character(name: &str) -> Option<char> {
    if let Some(number) = name.strip_prefix('#') {
        let number = match number.strip_prefix(['x', 'X']) {
            Some(hex) => u32::from_str_radix(hex, 16),
            None => number.parse(),
        };
        return Some(char::from_u32(number.ok()?).unwrap_or(char::REPLACEMENT_CHARACTER));
    }
    if !name.bytes().all(|octet| octet.is_ascii_alphanumeric()) {
        return None;
    }
    let counted = |(names, first): &(&str, u32)| {
        let at = names.split(' ').position(|one| one == name)?;
        char::from_u32(first + u32::try_from(at).ok()?)
    };
    COUNTED.iter().find_map(counted).or_else(|| {
        let mut words = OTHERS.split(' ');
        while let (Some(one), Some(character)) = (words.next(), words.next()) {
            if one == name {
                return character.chars().next();
            }
        }
        None
    })
}

/// Octets of the longest name or number with its semicolon, some zeroes before a number included.
const LONGEST_NAME: usize = 16;

/// What is not shown, up to its end.
const UNSEEN: [&str; 4] = ["style", "script", "template", "title"];

/// What stands in lines of its own.
const LINES: [&str; 22] = [
    "p",
    "div",
    "tr",
    "li",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "table",
    "ul",
    "ol",
    "dl",
    "dt",
    "dd",
    "blockquote",
    "hr",
    "pre",
    "section",
    "article",
    "body",
];

/// Names of characters with numbers in a row, and the first number (HTML 4.01 §24). A word that is no name stands where none is.
const COUNTED: [(&str, u32); 4] = [
    (
        "nbsp iexcl cent pound curren yen brvbar sect uml copy ordf laquo not shy reg macr deg plusmn sup2 sup3 acute micro para middot \
         cedil sup1 ordm raquo frac14 frac12 frac34 iquest Agrave Aacute Acirc Atilde Auml Aring AElig Ccedil Egrave Eacute Ecirc Euml \
         Igrave Iacute Icirc Iuml ETH Ntilde Ograve Oacute Ocirc Otilde Ouml times Oslash Ugrave Uacute Ucirc Uuml Yacute THORN szlig \
         agrave aacute acirc atilde auml aring aelig ccedil egrave eacute ecirc euml igrave iacute icirc iuml eth ntilde ograve oacute \
         ocirc otilde ouml divide oslash ugrave uacute ucirc uuml yacute thorn yuml",
        0xa0,
    ),
    (
        "Alpha Beta Gamma Delta Epsilon Zeta Eta Theta Iota Kappa Lambda Mu Nu Xi Omicron Pi Rho - Sigma Tau Upsilon Phi Chi Psi Omega",
        0x391,
    ),
    (
        "alpha beta gamma delta epsilon zeta eta theta iota kappa lambda mu nu xi omicron pi rho sigmaf sigma tau upsilon phi chi psi \
         omega",
        0x3b1,
    ),
    ("larr uarr rarr darr harr", 0x2190),
];

/// Names and characters.
const OTHERS: &str = "amp & lt < gt > quot \" apos ' OElig Œ oelig œ Scaron Š scaron š Yuml Ÿ fnof ƒ circ ˆ tilde ˜ ensp \u{2002} \
    emsp \u{2003} thinsp \u{2009} zwnj \u{200c} zwj \u{200d} lrm \u{200e} rlm \u{200f} ndash – mdash — lsquo ‘ rsquo ’ sbquo ‚ \
    ldquo “ rdquo ” bdquo „ dagger † Dagger ‡ bull • hellip … permil ‰ prime ′ Prime ″ lsaquo ‹ rsaquo › oline ‾ frasl ⁄ euro € \
    image ℑ weierp ℘ real ℜ trade ™ alefsym ℵ crarr ↵ lArr ⇐ uArr ⇑ rArr ⇒ dArr ⇓ hArr ⇔ forall ∀ part ∂ exist ∃ empty ∅ nabla ∇ \
    isin ∈ notin ∉ ni ∋ prod ∏ sum ∑ minus − lowast ∗ radic √ prop ∝ infin ∞ ang ∠ and ∧ or ∨ cap ∩ cup ∪ int ∫ there4 ∴ sim ∼ \
    cong ≅ asymp ≈ ne ≠ equiv ≡ le ≤ ge ≥ sub ⊂ sup ⊃ nsub ⊄ sube ⊆ supe ⊇ oplus ⊕ otimes ⊗ perp ⊥ sdot ⋅ lceil ⌈ rceil ⌉ \
    lfloor ⌊ rfloor ⌋ lang 〈 rang 〉 loz ◊ spades ♠ clubs ♣ hearts ♥ diams ♦ thetasym ϑ upsih ϒ piv ϖ";

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_a_browser_would_show() {
        for (html, text) in [
            ("", ""),
            ("a  b\r\n c", "a b c"),
            ("one<br/>two<BR >", "one\ntwo\n"),
            ("<div><p>one</p> <p>two</p></div>three", "one\ntwo\nthree"),
            ("<table><tr><td>1</td><td>2</td></tr><tr><th>3", "1 2\n3"),
            ("3 < 4 <> 5<b", "3 < 4 <> 5"),
            ("<a title='x > y' href=\"z>\">here</a>.", "here."),
            ("a<!-- <p> -- > -->b<!-->c<!DOCTYPE x>d<?xml?>e", "abcde"),
            (
                "<style>p > a {}</STYLE >a<script>if (1 < 2) </x></script>b<title>t</title>",
                "ab",
            ),
            ("<head><title>t</title><p>x</head><body>seen", "seen"),
            ("<head><meta x><body>seen", "seen"),
            ("<script>never ends", ""),
            ("a<!-- never ends", "a"),
        ] {
            assert_eq!(to_text(html), text, "{html}");
        }
    }

    #[test]
    fn characters_have_names_and_numbers() {
        for (html, text) in [
            (
                "&lt;b&gt; &amp;amp; &quot;x&quot; don&apos;t",
                "<b> &amp; \"x\" don't",
            ),
            ("&nbsp;&yuml;&Eacute;&not;", "\u{a0}ÿÉ¬"),
            (
                "&Alpha;&Rho;&Sigma;&Omega;&alpha;&sigmaf;&omega;&piv;",
                "ΑΡΣΩαςωϖ",
            ),
            ("&larr;&harr;&hearts;&euro;&hellip;&mdash;", "←↔♥€…—"),
            (
                "&#65;&#x42;&#X2764;&#xFFFFFFF;&#xD800;",
                "AB❤\u{fffd}\u{fffd}",
            ),
            (
                "&-; &; &# &#; &#x; &curvearrowright; a&b AT&T",
                "&-; &; &# &#; &#x; &curvearrowright; a&b AT&T",
            ),
        ] {
            assert_eq!(to_text(html), text, "{html}");
        }
        let named = COUNTED.iter().map(|(names, _)| names.split(' ').count());
        // 252 are in HTML 4; "apos" is not, and "-" is none.
        assert_eq!(
            named.sum::<usize>() + OTHERS.split(' ').count() / 2,
            252 + 2
        );
    }

    proptest! {
        #[test]
        fn whatever_comes_is_text(html in "[<>/!&;#a-dé \"'=-]{0,40}") {
            let text = to_text(&html);
            prop_assert!(text.len() <= html.len() + 1, "{text:?}");
        }
    }
}
