//! What the lines of a session are, and what they mean, from the tables of [`crate::wire::codes`].

use crate::tap::Side;
use crate::wire::codes::{self, Hit, Kind, Lang, Protocol};
use crate::wire::smtp::Enhanced;

/// Follows a session as far as it takes to know what a line is.
#[derive(Debug)]
pub(super) struct Teller {
    protocol: Option<Protocol>,
    /// Message text, or what a POP3 server gives, until the lone dot.
    text: bool,
    /// The last command.
    verb: String,
    phase: Phase,
}

/// What kind of line it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Class {
    /// A command, or another line of the client's.
    Command,
    /// Message text and other data.
    Content,
    /// It went well: 2xx, +OK, OK.
    Good,
    /// Go on: 3xx, +.
    GoOn,
    /// Not now: 4xx.
    Later,
    /// No: 5xx, -ERR, NO, BAD.
    No,
    /// Data of a server.
    Data,
}

/// How far a session has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Phase {
    Greeting,
    Hello,
    Login,
    Envelope,
    Message,
    Mailbox,
    Goodbye,
}

impl Phase {
    pub(super) const fn name(self, lang: Lang) -> &'static str {
        match (self, lang) {
            (Self::Greeting, Lang::En) => "greeting",
            (Self::Greeting, Lang::Fr) => "accueil",
            (Self::Hello, Lang::En) => "introduction",
            (Self::Hello, Lang::Fr) => "présentation",
            (Self::Login, Lang::En) => "login",
            (Self::Login, Lang::Fr) => "authentification",
            (Self::Envelope, Lang::En) => "envelope",
            (Self::Envelope, Lang::Fr) => "enveloppe",
            (Self::Message, Lang::En | Lang::Fr) => "message",
            (Self::Mailbox, Lang::En) => "mailbox",
            (Self::Mailbox, Lang::Fr) => "boîte aux lettres",
            (Self::Goodbye, Lang::En) => "goodbye",
            (Self::Goodbye, Lang::Fr) => "au revoir",
        }
    }
}

/// What a line is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Heard {
    pub(super) class: Class,
    pub(super) phase: Phase,
    /// More lines of the same reply follow.
    pub(super) goes_on: bool,
    /// Words to look up, and what each of them is.
    words: Vec<(String, Wanted)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Wanted {
    Code(Kind),
    Command(Protocol),
}

impl Teller {
    pub(super) fn new(service: &str) -> Self {
        let protocol = match service {
            "smtp" | "submission" | "smtps" | "lmtp" => Some(Protocol::Smtp),
            "pop3" | "pop3s" => Some(Protocol::Pop3),
            "imap" | "imaps" => Some(Protocol::Imap),
            _ => None,
        };
        Self {
            protocol,
            text: false,
            verb: String::new(),
            phase: Phase::Greeting,
        }
    }

    /// A side says a line.
    pub(super) fn hear(&mut self, side: Side, text: &str) -> Heard {
        match (self.protocol, side) {
            (Some(Protocol::Smtp), Side::Client) => self.smtp_client(text),
            (Some(Protocol::Smtp), Side::Server) => self.smtp_server(text),
            (Some(Protocol::Pop3), Side::Client) => self.client(Protocol::Pop3, text, text),
            (Some(Protocol::Pop3), Side::Server) => self.pop3_server(text),
            (Some(Protocol::Imap), Side::Client) => {
                let command = text.split_once(' ').map_or("", |(_, command)| command);
                self.client(Protocol::Imap, text, command)
            }
            (Some(Protocol::Imap), Side::Server) => self.imap_server(text),
            (None, _) => self.heard(Class::Content),
        }
    }

    const fn heard(&self, class: Class) -> Heard {
        Heard {
            class,
            phase: self.phase,
            goes_on: false,
            words: Vec::new(),
        }
    }

    fn smtp_client(&mut self, text: &str) -> Heard {
        if self.text {
            self.text = text != ".";
            self.phase = Phase::Message;
            return self.heard(Class::Content);
        }
        self.client(Protocol::Smtp, text, text)
    }

    /// A command, if it is one.
    fn client(&mut self, protocol: Protocol, line: &str, command: &str) -> Heard {
        let verb = command.split([' ', ':']).next().unwrap_or_default();
        let mut verb = verb.to_ascii_uppercase();
        if verb == "UID" {
            let second = command.split(' ').nth(1).unwrap_or_default();
            verb = second.to_ascii_uppercase();
        }
        let known = command_of(protocol, &verb);
        if known.is_none() {
            // What answers a challenge, goes on after a literal, or nobody knows.
            let class = if line.contains("********") {
                Class::Command
            } else {
                Class::Content
            };
            return self.heard(class);
        }
        self.phase = match verb.as_str() {
            "HELO" | "EHLO" | "LHLO" | "STARTTLS" | "STLS" | "CAPA" | "CAPABILITY" | "ID" => {
                Phase::Hello
            }
            "AUTH" | "USER" | "PASS" | "APOP" | "LOGIN" | "AUTHENTICATE" => Phase::Login,
            "MAIL" | "RCPT" => Phase::Envelope,
            "DATA" | "BDAT" => Phase::Message,
            "QUIT" | "LOGOUT" => Phase::Goodbye,
            _ if protocol == Protocol::Smtp => self.phase,
            "NOOP" => self.phase,
            _ => Phase::Mailbox,
        };
        self.verb.clone_from(&verb);
        let mut heard = self.heard(Class::Command);
        heard.words.push((verb, Wanted::Command(protocol)));
        heard
    }

    fn smtp_server(&mut self, text: &str) -> Heard {
        let code = text
            .get(..3)
            .filter(|code| code.bytes().all(|octet| octet.is_ascii_digit()));
        let Some(code) = code else {
            return self.heard(Class::Content);
        };
        let class = match code.as_bytes()[0] {
            b'2' => Class::Good,
            b'3' => Class::GoOn,
            b'4' => Class::Later,
            _ => Class::No,
        };
        self.text = code == "354";
        let mut heard = self.heard(class);
        heard.goes_on = text.as_bytes().get(3) == Some(&b'-');
        if heard.goes_on {
            return heard;
        }
        heard
            .words
            .push((code.to_owned(), Wanted::Code(Kind::Reply)));
        if let Some((enhanced, _)) = Enhanced::split(text.get(4..).unwrap_or_default()) {
            let wanted = Wanted::Code(Kind::Status);
            heard.words.push((enhanced.to_string(), wanted));
        }
        heard
    }

    fn pop3_server(&mut self, text: &str) -> Heard {
        if self.text {
            self.text = text != ".";
            return self.heard(Class::Data);
        }
        let (word, rest) = text.split_once(' ').unwrap_or((text, ""));
        let class = match word {
            "+OK" => Class::Good,
            "-ERR" => Class::No,
            "+" => Class::GoOn,
            _ => return self.heard(Class::Data),
        };
        // RFC 1939 §3: these have more lines.
        self.text = class == Class::Good && matches!(self.verb.as_str(), "RETR" | "TOP" | "CAPA")
            || class == Class::Good
                && matches!(self.verb.as_str(), "LIST" | "UIDL")
                && !rest.starts_with(|letter: char| letter.is_ascii_digit());
        let mut heard = self.heard(class);
        heard
            .words
            .push((word.to_owned(), Wanted::Code(Kind::PopStatus)));
        if let Some(code) = in_brackets(rest) {
            heard.words.push((code, Wanted::Code(Kind::PopCode)));
        }
        heard
    }

    fn imap_server(&mut self, text: &str) -> Heard {
        let mut words = text.splitn(3, ' ');
        let (tag, status) = (
            words.next().unwrap_or_default(),
            words.next().unwrap_or_default(),
        );
        let rest = words.next().unwrap_or_default();
        if tag == "+" {
            let mut heard = self.heard(Class::GoOn);
            heard
                .words
                .push(("+".to_owned(), Wanted::Code(Kind::ImapStatus)));
            return heard;
        }
        let class = match status {
            "OK" | "PREAUTH" if tag != "*" => Class::Good,
            "OK" | "PREAUTH" | "BYE" => Class::Data,
            "NO" | "BAD" => Class::No,
            _ => return self.imap_data(tag, status, rest),
        };
        // `\[` is how a dialogue writes what looks like one of its own patterns.
        let rest = rest.strip_prefix('\\').unwrap_or(rest);
        let mut heard = self.heard(class);
        if tag != "*" || status != "OK" {
            heard
                .words
                .push((status.to_owned(), Wanted::Code(Kind::ImapStatus)));
        }
        if let Some(code) = in_brackets(rest) {
            heard.words.push((code, Wanted::Code(Kind::ImapCode)));
        }
        heard
    }

    fn imap_data(&self, tag: &str, first: &str, rest: &str) -> Heard {
        let mut heard = self.heard(Class::Data);
        if tag == "*" {
            let word = if first.bytes().all(|octet| octet.is_ascii_digit()) {
                rest.split(' ').next().unwrap_or_default()
            } else {
                first
            };
            heard
                .words
                .push((word.to_owned(), Wanted::Code(Kind::ImapData)));
        }
        heard
    }
}

impl Heard {
    /// Each word, and what it means.
    pub(super) fn meanings(&self, lang: Lang) -> Vec<(String, &'static str)> {
        let known = self.words.iter().filter_map(|(word, wanted)| {
            let meaning = match wanted {
                Wanted::Command(protocol) => command_of(*protocol, word)?.meaning,
                Wanted::Code(kind) => {
                    let hits = codes::find(word)?.hits.into_iter();
                    let mut entries = hits.filter_map(|hit| match hit {
                        Hit::Entry(entry) if entry.kind == *kind => Some(entry),
                        _ => None,
                    });
                    entries.next()?.meaning
                }
            };
            Some((word.clone(), meaning.of(lang)))
        });
        known.collect()
    }
}

fn command_of(protocol: Protocol, verb: &str) -> Option<&'static codes::Command> {
    codes::find(verb)?
        .hits
        .into_iter()
        .find_map(|hit| match hit {
            Hit::Command(command) if command.protocol == protocol => Some(command),
            _ => None,
        })
}

/// `[IN-USE]`, at the beginning of a text.
fn in_brackets(text: &str) -> Option<String> {
    let inside = text.strip_prefix('[')?;
    let (inside, _) = inside.split_once(']')?;
    let word = inside.split(' ').next().unwrap_or_default();
    Some(format!("[{word}]"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(service: &str, lines: &str) -> Vec<(Class, Phase, String)> {
        let mut teller = Teller::new(service);
        lines
            .lines()
            .map(|line| {
                let (side, text) = line.split_once(": ").expect("a line");
                let side = match side {
                    "C" => Side::Client,
                    _ => Side::Server,
                };
                let heard = teller.hear(side, text);
                let words: Vec<String> = heard
                    .meanings(Lang::En)
                    .into_iter()
                    .map(|(word, _)| word)
                    .collect();
                (heard.class, heard.phase, words.join(" "))
            })
            .collect()
    }

    fn shown(service: &str, lines: &str) -> String {
        told(service, lines)
            .into_iter()
            .map(|(class, phase, words)| format!("{class:?} {phase:?} {words}\n"))
            .collect()
    }

    #[test]
    fn smtp_has_its_phases() {
        assert_eq!(
            shown(
                "submission",
                "S: 220 hi\nC: EHLO a\nS: 250-x\nS: 250 y\nC: AUTH PLAIN\nS: 334 \nC: ********\nS: 235 2.7.0 in\nC: MAIL FROM:<>\n\
                 S: 250 2.1.0 ok\nC: RCPT TO:<a>\nS: 550 5.1.1 no\nC: DATA\nS: 354 go\nC: DATA\nC: .\nS: 250 2.0.0 ok\nC: QUIT\nS: 221 2.0.0 bye"
            ),
            "Good Greeting 220\nCommand Hello EHLO\nGood Hello \nGood Hello 250\nCommand Login AUTH\nGoOn Login 334\n\
             Command Login \nGood Login 235 2.7.0\nCommand Envelope MAIL\nGood Envelope 250 2.1.0\nCommand Envelope RCPT\n\
             No Envelope 550 5.1.1\nCommand Message DATA\nGoOn Message 354\nContent Message \nContent Message \n\
             Good Message 250 2.0.0\nCommand Goodbye QUIT\nGood Goodbye 221 2.0.0\n"
        );
    }

    #[test]
    fn pop3_and_imap_have_theirs() {
        assert_eq!(
            shown(
                "pop3s",
                "S: +OK hi\nC: USER a\nS: +OK\nC: PASS ********\nS: -ERR [AUTH] no\nC: RETR 1\nS: +OK 3 octets\nS: +OK is text\nS: .\nC: QUIT\nS: +OK"
            ),
            "Good Greeting +OK\nCommand Login USER\nGood Login +OK\nCommand Login PASS\nNo Login -ERR [AUTH]\n\
             Command Mailbox RETR\nGood Mailbox +OK\nData Mailbox \nData Mailbox \nCommand Goodbye QUIT\nGood Goodbye +OK\n"
        );
        assert_eq!(
            shown(
                "imap",
                "S: * OK [CAPABILITY X] hi\nC: a LOGIN u ********\nS: a OK in\nC: b SELECT x\nS: * 3 EXISTS\nS: b NO [NONEXISTENT] no\nC: c UID FETCH 1 y\n\
                 S: * BYE bye\nS: + go"
            ),
            "Data Greeting [CAPABILITY]\nCommand Login LOGIN\nGood Login OK\nCommand Mailbox SELECT\nData Mailbox EXISTS\n\
             No Mailbox NO [NONEXISTENT]\nCommand Mailbox FETCH\nData Mailbox BYE\nGoOn Mailbox +\n"
        );
    }
}
