//! Explanations in place: under a reply, what its code says, from the tables of [`crate::wire::codes`].
//!
//! | protocol | explained |
//! |---|---|
//! | SMTP, LMTP | the first two digits, the code, the enhanced code of the last line |
//! | FTP | the first digit: the others have other tables |
//! | POP3 | `+OK`, `-ERR`, `+`, and a code in brackets |
//! | IMAP | the status, tagged or not, and a code in brackets; `+`; each kind of data, `* OK` too, once between two commands |
//!
//! After a no it also says what to do, and what was sent. A code that is in no table is explained by its first digits,
//! which say what a client has to know (RFC 5321 §4.2.1). Lines are 80 columns wide at most, and indented.

use super::Protocol;
use super::reply::{self, Sign, Verdict};
use super::speech::short;
use crate::wire::codes::digits::{self, Digit};
use crate::wire::codes::{self, Entry, Hit, Kind, Lang, Text};
use crate::wire::imap::reply as imap;
use crate::wire::pop3_reply as pop3;
use crate::wire::smtp::Enhanced;

/// Explains the replies of a session.
#[derive(Debug)]
pub(super) struct Explainer {
    lang: Lang,
    /// The first line of a reply that goes on after text or a literal.
    first: Option<Vec<u8>>,
    /// Kinds of data that have been explained since something was sent.
    known: Vec<&'static str>,
}

impl Explainer {
    pub(super) const fn new(lang: Lang) -> Self {
        Self {
            lang,
            first: None,
            known: Vec::new(),
        }
    }

    /// Something was sent.
    pub(super) fn begin(&mut self) {
        self.known.clear();
    }

    /// What is to be said under this line, if anything, and of which line it is said. `goes_on`: more lines belong to
    /// it. `to`: the command that it ends.
    pub(super) fn line(
        &mut self,
        protocol: Protocol,
        verdict: Verdict,
        goes_on: bool,
        line: &[u8],
        to: Option<&str>,
    ) -> Option<(Vec<u8>, String)> {
        match verdict {
            Verdict::Content => return None,
            Verdict::Part if matches!(protocol, Protocol::Pop3 | Protocol::Imap) && goes_on => {
                self.first.get_or_insert_with(|| line.to_owned());
                return None;
            }
            Verdict::Part if protocol != Protocol::Imap => return None,
            _ => {}
        }
        let first = self.first.take();
        let line = first.as_deref().unwrap_or(line);
        let mut page = Page::new(self.lang);
        match protocol {
            Protocol::Smtp | Protocol::Lmtp => page.smtp(line),
            Protocol::Ftp => page.ftp(line),
            Protocol::Pop3 => page.pop3(line),
            Protocol::Imap => page.imap(line, &mut self.known),
        }
        if let (Verdict::Whole(Sign::No), Some(to)) = (verdict, to.filter(|to| !to.is_empty())) {
            page.row(ANSWERS.of(self.lang), to);
        }
        (!page.text.is_empty()).then(|| (line.to_owned(), page.text))
    }
}

/// Rows of a code and what it says.
struct Page {
    text: String,
    lang: Lang,
}

impl Page {
    const fn new(lang: Lang) -> Self {
        Self {
            text: String::new(),
            lang,
        }
    }

    fn smtp(&mut self, line: &[u8]) {
        let Some((code, _)) = reply::code(line) else {
            return;
        };
        let code = String::from_utf8_lossy(&code).into_owned();
        self.digits(&codes::digits_of(&code));
        self.code(&code, Kind::Reply);
        let text = String::from_utf8_lossy(line.get(4..).unwrap_or_default());
        if let Some((enhanced, _)) = Enhanced::split(&text)
            // RFC 2034 §4: the class is that of the reply, else it is text.
            && code.starts_with(&enhanced.0.to_string())
        {
            let enhanced = enhanced.to_string();
            if !self.code(&enhanced, Kind::Status) {
                self.digits(&codes::digits_of(&enhanced));
            }
        }
    }

    fn ftp(&mut self, line: &[u8]) {
        let Some(([first, ..], _)) = reply::code(line) else {
            return;
        };
        if let Some(digit) = digits::find(digits::REPLY_CLASS, first - b'0') {
            self.digits(&[(format!("{}..", char::from(first)), digit)]);
        }
    }

    fn pop3(&mut self, line: &[u8]) {
        let (status, text) = match pop3::Reply::parse(line) {
            Some(pop3::Reply::Positive(text)) => ("+OK", text),
            Some(pop3::Reply::Negative { text, .. }) => ("-ERR", text),
            Some(pop3::Reply::Continue(_)) => ("+", &b""[..]),
            None => return,
        };
        self.code(status, Kind::PopStatus);
        let inside = text.strip_prefix(b"[").and_then(|text| {
            let end = memchr::memchr(b']', text)?;
            std::str::from_utf8(&text[..end]).ok()
        });
        if let Some(inside) = inside {
            self.code(&format!("[{inside}]"), Kind::PopCode);
        }
    }

    fn imap(&mut self, line: &[u8], known: &mut Vec<&'static str>) {
        match imap::Reply::parse(line) {
            Some(imap::Reply::Continue(_)) => {
                self.code("+", Kind::ImapStatus);
            }
            Some(
                reply @ (imap::Reply::Tagged(_, condition) | imap::Reply::Untagged(condition)),
            ) => {
                // SELECT has half a dozen of them, each with a code that tells more.
                let is_data = matches!(reply, imap::Reply::Untagged(_))
                    && condition.status == imap::Status::Ok;
                let is_known = is_data && known.contains(&DATA);
                if is_data {
                    known.push(DATA);
                }
                let status = match condition.status {
                    imap::Status::Ok => "OK",
                    imap::Status::No => "NO",
                    imap::Status::Bad => "BAD",
                    imap::Status::PreAuth => "PREAUTH",
                    imap::Status::Bye => "BYE",
                };
                if !is_known {
                    self.code(status, Kind::ImapStatus);
                }
                if let Some((code, _)) = condition.code {
                    let code = format!("[{}]", String::from_utf8_lossy(code));
                    self.code(&code, Kind::ImapCode);
                }
            }
            _ => {
                let mut words = line.split(|&octet| octet == b' ').skip(1);
                let word = words.find(|word| !word.iter().all(u8::is_ascii_digit));
                let word = String::from_utf8_lossy(word.unwrap_or_default());
                if let Some(entry) = entry(&word, Kind::ImapData)
                    && !known.contains(&entry.code)
                {
                    known.push(entry.code);
                    self.entry(entry.code, entry);
                }
            }
        }
    }

    /// A code's row; false if it is in no table.
    fn code(&mut self, code: &str, kind: Kind) -> bool {
        let found = entry(code, kind);
        if let Some(entry) = found {
            self.entry(code, entry);
        }
        found.is_some()
    }

    fn entry(&mut self, code: &str, entry: &Entry) {
        self.row(code, entry.meaning.of(self.lang));
        let is_no = match entry.kind {
            Kind::Reply | Kind::Status => code.starts_with(['4', '5']),
            Kind::PopStatus => code == "-ERR",
            Kind::PopCode => true,
            Kind::ImapStatus => matches!(code, "NO" | "BAD" | "BYE"),
            Kind::ImapCode
            | Kind::ImapData
            | Kind::PopCapability
            | Kind::ImapCapability
            | Kind::Extension
            | Kind::Parameter
            | Kind::Mechanism => false,
        };
        if is_no {
            self.row(
                "",
                &format!("{} {}", NEXT.of(self.lang), entry.next.of(self.lang)),
            );
        }
    }

    fn digits(&mut self, digits: &[(String, &Digit)]) {
        for (drawn, digit) in digits {
            self.row(drawn, digit.meaning.of(self.lang));
        }
    }

    /// One row, wrapped.
    fn row(&mut self, label: &str, text: &str) {
        let label = short(label.to_owned());
        let mut line = format!("{:INDENT$}{label:LABEL$}", "");
        let begin = INDENT + label.chars().count().max(LABEL);
        let mut at = begin;
        let mut is_empty = true;
        for word in words(text) {
            let length = word.chars().count();
            if !is_empty && at + 1 + length > WIDTH {
                self.text.push_str(line.trim_end());
                self.text.push('\n');
                line = " ".repeat(COLUMN);
                at = COLUMN;
            }
            line.push(' ');
            line.push_str(&word);
            at += 1 + length;
            is_empty = false;
        }
        self.text.push_str(line.trim_end());
        self.text.push('\n');
    }
}

fn entry(code: &str, kind: Kind) -> Option<&'static Entry> {
    codes::find(code)?
        .hits
        .into_iter()
        .find_map(|hit| match hit {
            Hit::Entry(entry) if entry.kind == kind => Some(entry),
            _ => None,
        })
}

/// The words of a text. French puts a space before its high punctuation and within its quotation marks: no line breaks there.
fn words(text: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    for word in text.split_ascii_whitespace() {
        match words.last_mut() {
            Some(last)
                if matches!(word, ":" | ";" | "?" | "!" | "»" | "...") || last.ends_with('«') =>
            {
                last.push(' ');
                last.push_str(word);
            }
            _ => words.push(word.to_owned()),
        }
    }
    words
}

/// The kind of data that `* OK` is.
const DATA: &str = "* OK";

/// Columns before a row, of its label, and of a line.
const INDENT: usize = 4;
const LABEL: usize = 8;
const COLUMN: usize = INDENT + LABEL;
const WIDTH: usize = 80;

const NEXT: Text = Text {
    en: "What next:",
    fr: "Que faire :",
};
const ANSWERS: Text = Text {
    en: "sent:",
    fr: "envoyé :",
};

#[cfg(test)]
mod tests {
    use super::*;

    fn explained(protocol: Protocol, verdict: Verdict, line: &str, to: Option<&str>) -> String {
        explained_in(Lang::En, protocol, verdict, line, to)
    }

    fn explained_in(
        lang: Lang,
        protocol: Protocol,
        verdict: Verdict,
        line: &str,
        to: Option<&str>,
    ) -> String {
        let explained = Explainer::new(lang).line(protocol, verdict, false, line.as_bytes(), to);
        let (_, lines) = explained.unwrap_or_default();
        for line in lines.lines() {
            assert!(line.chars().count() <= WIDTH, "{line}");
            assert!(line.starts_with("    "), "{line}");
        }
        lines
    }

    const YES: Verdict = Verdict::Whole(Sign::Yes);
    const NO: Verdict = Verdict::Whole(Sign::No);

    #[test]
    fn smtp_is_explained_digit_by_digit() {
        let to = Some("RCPT TO:<x@example.org>");
        let text = explained(Protocol::Smtp, NO, "550 5.1.1 who?", to);
        let labels: Vec<&str> = text
            .lines()
            .filter_map(|line| line[INDENT..COLUMN].split_whitespace().next())
            .collect();
        assert_eq!(labels, ["5..", ".5.", "550", "5.1.1", "sent:"], "{text}");
        assert!(text.contains("refused for good"), "{text}");
        assert!(text.contains("What next:"), "{text}");
        assert!(
            text.ends_with("sent:    RCPT TO:<x@example.org>\n"),
            "{text}"
        );
        let french = explained_in(Lang::Fr, Protocol::Smtp, NO, "550 5.1.1 who?", to);
        assert!(
            french.contains("refus définitif") && french.contains("Que faire :"),
            "{french}"
        );
        let good = explained(Protocol::Smtp, YES, "250 2.1.0 fine", to);
        assert!(
            good.contains("2.1.0") && !good.contains("sent:") && !good.contains("What next"),
            "{good}"
        );
    }

    #[test]
    fn unknown_codes_are_known_by_their_digits() {
        let text = explained(Protocol::Smtp, NO, "559 5.9.9 odd", None);
        assert!(
            text.contains("5..") && text.contains(".5.") && !text.contains("559"),
            "{text}"
        );
        assert_eq!(explained(Protocol::Smtp, Verdict::Unasked, "odd", None), "");
        let text = explained(Protocol::Ftp, YES, "331 password?", None);
        assert!(text.contains("3..") && !text.contains(".3."), "{text}");
    }

    #[test]
    fn pop3_and_imap_have_words_and_codes() {
        let text = explained(
            Protocol::Pop3,
            NO,
            "-ERR [IN-USE] busy",
            Some("PASS ********"),
        );
        assert!(
            text.contains("-ERR") && text.contains("[IN-USE]") && text.contains("PASS ****"),
            "{text}"
        );
        let text = explained(
            Protocol::Imap,
            NO,
            "a NO [TRYCREATE] none",
            Some("a COPY 1 x"),
        );
        assert!(
            text.contains("NO ") && text.contains("[TRYCREATE]"),
            "{text}"
        );
        let text = explained(
            Protocol::Imap,
            Verdict::Unasked,
            "* OK [UIDNEXT 4] next",
            None,
        );
        assert!(text.contains("[UIDNEXT]"), "{text}");
        let text = explained(Protocol::Imap, Verdict::More, "+ go on", None);
        assert!(text.trim_start().starts_with('+'), "{text}");
    }

    #[test]
    fn data_is_explained_once_and_after_its_literals() {
        let mut explainer = Explainer::new(Lang::En);
        let mut line = |verdict, goes_on, line: &str| {
            explainer.line(Protocol::Imap, verdict, goes_on, line.as_bytes(), None)
        };
        assert_eq!(line(Verdict::Part, true, "* 1 FETCH (BODY[] {3}"), None);
        assert_eq!(line(Verdict::Content, false, "abc"), None);
        let (reply, text) = line(Verdict::Part, false, ")").expect("FETCH is known");
        assert_eq!(reply, b"* 1 FETCH (BODY[] {3}");
        assert!(text.trim_start().starts_with("FETCH"), "{text}");
        assert_eq!(line(Verdict::Unasked, false, "* 2 FETCH (UID 3)"), None);
        let (_, first) = line(Verdict::Unasked, false, "* OK [UIDNEXT 4] x").expect("a code");
        let (_, second) = line(Verdict::Unasked, false, "* OK [UIDVALIDITY 1] x").expect("a code");
        assert!(
            first.contains("[UIDNEXT]") && first.contains("    OK "),
            "{first}"
        );
        assert!(
            second.contains("[UIDVALIDITY]") && !second.contains("    OK "),
            "{second}"
        );
        let (_, last) = line(YES, false, "a OK done").expect("OK is known");
        assert!(last.contains("    OK "), "{last}");
        assert!(line(Verdict::Unasked, false, "* 3 EXISTS").is_some());
        let mut explainer = Explainer::new(Lang::En);
        let mut line = |verdict, goes_on, line: &str| {
            explainer.line(Protocol::Pop3, verdict, goes_on, line.as_bytes(), None)
        };
        assert_eq!(line(Verdict::Part, true, "+OK 2"), None);
        let (reply, text) = line(YES, false, ".").expect("+OK is known");
        assert!(reply == b"+OK 2" && text.contains("+OK"), "{text}");
    }
}
