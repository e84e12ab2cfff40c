//! What a script needs of a message: its subject and text, decoded, links, codes to be typed.

use mail_parser::{MessageParser, MimeHeaders, PartType};

use super::About;
use crate::wire::json;
use crate::wire::mime::html::body_text;

/// A message, decoded.
pub(super) struct Message {
    pub(super) subject: String,
    /// Its text; of one in HTML only, the text of that.
    pub(super) text: String,
    pub(super) html: Option<String>,
    fields: Vec<(String, String)>,
    attachments: Vec<String>,
    octets: usize,
}

impl Message {
    pub(super) fn parse(octets: &[u8]) -> Self {
        let Some(message) = MessageParser::default().parse(octets) else {
            return Self {
                subject: String::new(),
                text: String::from_utf8_lossy(octets).into_owned(),
                html: None,
                fields: Vec::new(),
                attachments: Vec::new(),
                octets: octets.len(),
            };
        };
        let mut texts = Vec::new();
        for index in 0..message.text_body_count() {
            // Of HTML it makes text.
            texts.extend(body_text(&message, index));
        }
        let html: Vec<&str> = message
            .html_bodies()
            .filter_map(|part| match &part.body {
                PartType::Html(html) => Some(html.as_ref()),
                _ => None,
            })
            .collect();
        let fields = message
            .headers_raw()
            .map(|(name, raw)| {
                let value = message
                    .header(name)
                    .and_then(|value| value.as_text())
                    .map_or_else(|| unfolded(raw), str::to_owned);
                // Of a field that is there twice each has its own value.
                let is_once = message
                    .headers_raw()
                    .filter(|(other, _)| *other == name)
                    .count()
                    == 1;
                let value = if is_once { value } else { unfolded(raw) };
                (name.to_owned(), value)
            })
            .collect();
        let attachments = message
            .attachments()
            .map(|part| part.attachment_name().unwrap_or("?").to_owned())
            .collect();
        Self {
            subject: message.subject().unwrap_or_default().to_owned(),
            text: texts.join("\n").replace("\r\n", "\n"),
            html: (!html.is_empty()).then(|| html.join("\n").replace("\r\n", "\n")),
            fields,
            attachments,
            octets: octets.len(),
        }
    }

    /// A field a line.
    pub(super) fn header(&self) -> String {
        let line = |(name, value): &(String, String)| {
            let plain = |text: &str| -> String {
                let plain = |letter: char| if letter.is_control() { ' ' } else { letter };
                text.trim().chars().map(plain).collect()
            };
            format!("{}: {}\n", plain(name), plain(value))
        };
        self.fields.iter().map(line).collect()
    }

    /// Where it leads: what HTML has behind its `href`s, and addresses in the text, each once, in their order.
    pub(super) fn links(&self) -> Vec<String> {
        let mut links: Vec<String> = Vec::new();
        for link in self.html.iter().flat_map(|html| hrefs(html)) {
            if is_web(&link) && !links.contains(&link) {
                links.push(link);
            }
        }
        for link in addresses(&self.text) {
            if !links.contains(&link) {
                links.push(link);
            }
        }
        links
    }

    /// What is to be typed somewhere, the likeliest first.
    pub(super) fn codes(&self) -> Vec<String> {
        let text = format!("{}\n{}", self.text, self.subject);
        let mut found: Vec<(u32, String)> = candidates(&text);
        // Stable: of two that are as likely, the first one.
        found.sort_by_key(|(likely, _)| std::cmp::Reverse(*likely));
        let mut codes: Vec<String> = Vec::new();
        for (_, code) in found {
            if !codes.contains(&code) {
                codes.push(code);
            }
        }
        codes
    }

    pub(super) fn json(&self, about: &About) -> String {
        let list = |texts: &[String]| {
            let texts: Vec<String> = texts.iter().map(|text| json::string(text)).collect();
            format!("[{}]", texts.join(","))
        };
        let fields: Vec<String> = self
            .fields
            .iter()
            .map(|(name, value)| {
                json::object(&[("name", json::string(name)), ("value", json::string(value))])
            })
            .collect();
        json::object(&[
            ("id", json::string(&about.id)),
            ("number", about.number.to_string()),
            ("milliseconds", about.moment.to_string()),
            ("from", json::string(&about.from)),
            ("to", list(&about.to)),
            ("subject", json::string(&self.subject)),
            ("octets", self.octets.to_string()),
            ("header", format!("[{}]", fields.join(","))),
            ("text", json::string(&self.text)),
            ("html", json::optional(self.html.as_deref())),
            ("links", list(&self.links())),
            ("codes", list(&self.codes())),
            ("attachments", list(&self.attachments)),
        ])
    }
}

/// A field's value on one line.
fn unfolded(raw: &str) -> String {
    raw.split_ascii_whitespace().collect::<Vec<_>>().join(" ")
}

fn is_web(link: &str) -> bool {
    let begins = |with: &str| {
        link.get(..with.len())
            .is_some_and(|begin| begin.eq_ignore_ascii_case(with))
    };
    begins("http://") || begins("https://")
}

/// The values of `href`, with their entities decoded.
fn hrefs(html: &str) -> Vec<String> {
    let mut links = Vec::new();
    let lower = html.to_ascii_lowercase();
    let mut from = 0;
    while let Some(at) = lower[from..].find("href") {
        from += at + "href".len();
        let rest = html[from..].trim_start();
        let Some(rest) = rest.strip_prefix('=') else {
            continue;
        };
        let rest = rest.trim_start();
        let value = match rest.chars().next() {
            Some(quote @ ('"' | '\'')) => rest[1..].split(quote).next(),
            _ => rest.split([' ', '>', '\n', '\t']).next(),
        };
        links.push(unescaped(value.unwrap_or_default().trim()));
    }
    links
}

/// Entities that stand in addresses.
fn unescaped(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('&') {
        plain.push_str(&rest[..at]);
        rest = &rest[at..];
        let letter = rest[1..].split_once(';').and_then(|(name, after)| {
            let letter = match name {
                "amp" => '&',
                "lt" => '<',
                "gt" => '>',
                "quot" => '"',
                "apos" => '\'',
                name => {
                    let number = name.strip_prefix('#')?;
                    let number = match number.strip_prefix(['x', 'X']) {
                        Some(hex) => u32::from_str_radix(hex, 16).ok()?,
                        None => number.parse().ok()?,
                    };
                    char::from_u32(number).filter(|letter| !letter.is_control())?
                }
            };
            Some((letter, after))
        });
        match letter {
            Some((letter, after)) => {
                plain.push(letter);
                rest = after;
            }
            None => {
                plain.push('&');
                rest = &rest[1..];
            }
        }
    }
    plain.push_str(rest);
    plain
}

/// Addresses of the web in plain text, without what a sentence puts behind them.
fn addresses(text: &str) -> Vec<String> {
    let mut links = Vec::new();
    let mut from = 0;
    while let Some(at) = text[from..].find("http") {
        let start = from + at;
        from = start + "http".len();
        let rest = &text[start..];
        if !is_web(rest) {
            continue;
        }
        let ends = |letter: char| {
            letter.is_whitespace() || letter.is_control() || matches!(letter, '<' | '>' | '"' | '`')
        };
        let end = rest.find(ends).unwrap_or(rest.len());
        let mut link =
            rest[..end].trim_end_matches(['.', ',', ';', ':', '!', '?', '\'', '»', '”', '*']);
        // A bracket that was opened within belongs to it.
        for (open, close) in [('(', ')'), ('[', ']')] {
            while link.ends_with(close) && link.matches(close).count() > link.matches(open).count()
            {
                link = link[..link.len() - 1].trim_end_matches(['.', ',']);
            }
        }
        from = start + link.len().max("http".len());
        links.push(link.to_owned());
    }
    links
}

/// Words that could be codes, each with how likely it is.
fn candidates(text: &str) -> Vec<(u32, String)> {
    let mut found = Vec::new();
    let mut near = 0_u32;
    for line in text.lines() {
        // What stands in an address is no code.
        let words: Vec<&str> = line
            .split_whitespace()
            .filter(|word| !word.contains("://") && !word.contains('@'))
            .collect();
        let speaks = words.iter().any(|word| is_keyword(word));
        if speaks {
            // The line itself, and the few below it.
            near = 4;
        }
        let alone = words.len() == 1 || words.len() == 2 && words.iter().all(|word| is_short(word));
        let mut index = 0;
        while index < words.len() {
            let word = trimmed(words[index]);
            let next = words.get(index + 1).map(|word| trimmed(word));
            // `123 456` is one code.
            let split = next.filter(|next| {
                word.len() == 3
                    && next.len() == 3
                    && digits(word)
                    && digits(next)
                    && trimmed(words[index]) == words[index].trim_end_matches(':')
            });
            let (code, taken) = match split {
                Some(next) => (Some(format!("{word}{next}")), 2),
                None => (code(word), 1),
            };
            if let Some(code) = code {
                let is_number = digits(&code);
                let is_year = code.len() == 4 && is_number && matches!(&code[..2], "19" | "20");
                let before = index.checked_sub(1).map(|at| words[at]);
                let after_keyword = before.is_some_and(|word| {
                    is_keyword(word)
                        || matches!(
                            word.to_lowercase().as_str(),
                            "is" | "is:" | "est" | "est:" | ":"
                        )
                });
                let mut likely = 10;
                likely += if near > 0 { 10 } else { 0 };
                likely += if alone { 8 } else { 0 };
                likely += if after_keyword && near > 0 { 9 } else { 0 };
                likely += if is_number && code.len() == 6 { 3 } else { 0 };
                likely -= if is_year && !after_keyword { 9 } else { 0 };
                // Letters need a reason to be taken for a code.
                if is_number || near > 0 && (alone || after_keyword) {
                    found.push((likely, code));
                }
            }
            index += taken;
        }
        near = near.saturating_sub(1);
    }
    found
}

fn is_short(word: &str) -> bool {
    word.len() <= 4
}

fn is_keyword(word: &str) -> bool {
    let word = word.to_lowercase();
    let word = word.trim_matches(|letter: char| !letter.is_alphanumeric());
    matches!(
        word,
        "code"
            | "codes"
            | "otp"
            | "pin"
            | "passcode"
            | "password"
            | "token"
            | "verification"
            | "one-time"
            | "vérification"
            | "confirmation"
            | "mot"
            | "temporaire"
    )
}

/// Without what is around a word in a sentence.
fn trimmed(word: &str) -> &str {
    word.trim_matches(|letter: char| !letter.is_alphanumeric())
}

fn digits(word: &str) -> bool {
    !word.is_empty() && word.bytes().all(|octet| octet.is_ascii_digit())
}

/// 4 to 8 digits, with a hyphen in their middle or a letter and a hyphen before them (`G-123456`); or capital letters and digits.
fn code(word: &str) -> Option<String> {
    let word = match word.split_once('-') {
        Some((one, two)) if digits(one) && digits(two) && one.len() == two.len() => {
            return (3..=4).contains(&one.len()).then(|| format!("{one}{two}"));
        }
        Some((letter, number)) if letter.len() == 1 && digits(number) => number,
        _ => word,
    };
    let letters = word
        .bytes()
        .all(|octet| octet.is_ascii_digit() || octet.is_ascii_uppercase());
    let has_digit = word.bytes().any(|octet| octet.is_ascii_digit());
    let fits = match digits(word) {
        true => (4..=8).contains(&word.len()),
        false => (5..=10).contains(&word.len()),
    };
    (letters && has_digit && fits).then(|| word.to_owned())
}

/// What the control socket tells of a message: a flat object of numbers, strings and lists of strings.
pub(super) fn object(text: &str) -> Option<About> {
    let mut reader = Reader { rest: text };
    let mut about = About {
        number: 0,
        moment: 0,
        id: String::new(),
        from: String::new(),
        to: Vec::new(),
    };
    reader.take('{')?;
    loop {
        let name = reader.string()?;
        reader.take(':')?;
        match name.as_str() {
            "number" => about.number = reader.number()?,
            "moment" => about.moment = reader.number()?,
            "id" => about.id = reader.string()?,
            "from" => about.from = reader.string()?,
            "to" => {
                reader.take('[')?;
                while reader.take(']').is_none() {
                    about.to.push(reader.string()?);
                    let _ = reader.take(',');
                }
            }
            _ => return None,
        }
        if reader.take('}').is_some() {
            return Some(about);
        }
        reader.take(',')?;
    }
}

/// JSON as [`crate::wire::json`] writes it.
struct Reader<'a> {
    rest: &'a str,
}

impl Reader<'_> {
    fn take(&mut self, letter: char) -> Option<()> {
        self.rest = self.rest.strip_prefix(letter)?;
        Some(())
    }

    fn number(&mut self) -> Option<u64> {
        let end = self
            .rest
            .find(|letter: char| !letter.is_ascii_digit())
            .unwrap_or(self.rest.len());
        let (number, rest) = self.rest.split_at(end);
        self.rest = rest;
        number.parse().ok()
    }

    fn string(&mut self) -> Option<String> {
        self.take('"')?;
        let mut text = String::new();
        let mut letters = self.rest.chars();
        loop {
            match letters.next()? {
                '"' => break,
                '\\' => text.push(match letters.next()? {
                    'n' => '\n',
                    'r' => '\r',
                    't' => '\t',
                    'u' => {
                        let hex: String = letters.by_ref().take(4).collect();
                        char::from_u32(u32::from_str_radix(&hex, 16).ok()?)?
                    }
                    letter => letter,
                }),
                letter => text.push(letter),
            }
        }
        self.rest = letters.as_str();
        Some(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(text: &str) -> Message {
        Message::parse(text.replace('\n', "\r\n").as_bytes())
    }

    #[test]
    fn what_is_encoded_is_decoded() {
        let message = message(
            "Received: from a\n\tby b; now\nReceived: from c\nSubject: =?utf-8?q?R=C3=A9initialiser?=\nMIME-Version: 1.0\n\
             Content-Type: multipart/alternative; boundary=x\n\n--x\nContent-Type: text/plain; charset=utf-8\n\
             Content-Transfer-Encoding: quoted-printable\n\nBonjour, c'est =C3=A9gal: https://a.example/r?t=3D1&u=\n=3D2.\n--x\n\
             Content-Type: text/html; charset=utf-8\nContent-Transfer-Encoding: base64\n\n\
             PGEgSFJFRj0iaHR0cHM6Ly9iLmV4YW1wbGUvP2E9MSZhbXA7Yj0yIj5oZXJlPC9hPg==\n--x--\n",
        );
        assert_eq!(message.subject, "Réinitialiser");
        assert!(message.text.contains("c'est égal"), "{}", message.text);
        assert_eq!(
            message.links(),
            ["https://b.example/?a=1&b=2", "https://a.example/r?t=1&u=2"]
        );
        let header = message.header();
        assert!(
            header.starts_with(
                "Received: from a by b; now\nReceived: from c\nSubject: Réinitialiser\n"
            ),
            "{header}"
        );
    }

    #[test]
    fn links_end_where_they_end() {
        let links = |text: &str| addresses(text).join(" ");
        assert_eq!(
            links("See (https://a.example/b_(c)), <http://d.example>; https://e.example/f."),
            "https://a.example/b_(c) http://d.example https://e.example/f"
        );
        assert_eq!(links("httpd, http:/x and HTTP"), "");
        assert_eq!(
            hrefs("<a href='x'><A HREF = y ><a href=\"z&#x26;&unknown;\">").join(" "),
            "x y z&&unknown;"
        );
    }

    #[test]
    fn codes_are_those_that_are_to_be_typed() {
        for (text, code) in [
            ("Subject: x\n\nYour code is 123456.\n", "123456"),
            ("Subject: x\n\nVotre code : 9876\n", "9876"),
            (
                "Subject: Order 20261126 of 2026\n\nYour verification code:\n\n    482 913\n\nValid for 10 minutes, (c) 2026.\n",
                "482913",
            ),
            (
                "Subject: x\n\nUse G-551234 as your verification code, or call 5550100.\n",
                "551234",
            ),
            ("Subject: x\n\nEnter this code:\nA1B2C3\n", "A1B2C3"),
            (
                "Subject: 445566 is your code\n\nHello\nSee https://a.example/12345678\n",
                "445566",
            ),
            ("Subject: x\n\nCode: 123-456\n", "123456"),
            (
                "Subject: x\nContent-Type: text/html\n\n<p>Your code is <b>771199</b></p><p>Copyright 2026</p>\n",
                "771199",
            ),
        ] {
            let message = message(text);
            let codes = message.codes();
            assert_eq!(
                codes.first().map(String::as_str),
                Some(code),
                "{text}{codes:?}"
            );
        }
        assert!(
            message("Subject: x\n\nNothing TO SEE here, A to Z.\n")
                .codes()
                .is_empty()
        );
    }

    #[test]
    fn what_the_server_tells_is_read_back() {
        let told = json::object(&[
            ("number", "7".to_owned()),
            ("moment", "1795701922123".to_owned()),
            ("id", json::string("ABC-1")),
            ("from", json::string("\"a \\b\u{1}\"@x é")),
            (
                "to",
                format!("[{},{}]", json::string("b@y"), json::string("c@y")),
            ),
        ]);
        let about = object(&told).expect("understood");
        assert_eq!((about.number, about.moment), (7, 1_795_701_922_123));
        assert_eq!(about.from, "\"a \\b\u{1}\"@x é");
        assert_eq!(
            (about.id.as_str(), about.to.join(" ")),
            ("ABC-1", "b@y c@y".to_owned())
        );
        for text in ["", "{", "{\"number\":x}", "{\"other\":1}", "{\"id\":\"x"] {
            assert!(object(text).is_none(), "{text}");
        }
    }

    proptest::proptest! {
        /// Whatever comes by mail.
        #[test]
        fn nothing_that_comes_is_too_much(
            words in proptest::collection::vec(
                proptest::sample::select(&[
                    "Subject: ", "=?utf-8?q?a=20b?=", "=?x?b?", "\r\n", "\n", "Content-Type: text/html", "; charset=utf-16",
                    "multipart/mixed; boundary=x", "--x", "--x--", "<a href=\"", "<a href=", "http://a/?b&amp;c", "https://", "&#x10ffff;",
                    "&#99999999999;", "&", "'", ">", "</a>", "code", " 123456 ", "12-34", "Ünïcode", "\u{202e}", "\0", "ABC-123", "(", ")",
                    "<http://b>.", "[x](http://c)", "Content-Transfer-Encoding: base64", "=", "\u{85}",
                ][..]),
                0..40,
            ),
            noise in proptest::collection::vec(proptest::num::u8::ANY, 0..20),
            at in 0usize..40,
        ) {
            let mut octets = Vec::new();
            for (number, word) in words.iter().enumerate() {
                if number == at {
                    octets.extend_from_slice(&noise);
                }
                octets.extend_from_slice(word.as_bytes());
            }
            let message = Message::parse(&octets);
            for link in message.links() {
                proptest::prop_assert!(is_web(&link) && !link.contains(char::is_whitespace), "{:?}", link);
            }
            for code in message.codes() {
                proptest::prop_assert!(!code.is_empty() && !code.contains(char::is_whitespace), "{:?}", code);
            }
            for line in message.header().lines() {
                proptest::prop_assert!(!line.contains(char::is_control), "{:?}", line);
            }
            let about = About {
                number: 1,
                moment: 2,
                id: "x".to_owned(),
                from: String::new(),
                to: vec![String::from_utf8_lossy(&noise).into_owned()],
            };
            let about = message.json(&about);
            proptest::prop_assert!(about.starts_with('{') && !about.contains('\n'), "{:?}", about);
            // What the server tells about a message comes from a socket.
            object(&String::from_utf8_lossy(&octets));
        }
    }
}
