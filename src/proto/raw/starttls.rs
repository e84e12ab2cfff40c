//! STARTTLS as a prelude: what is said in the clear before TLS, in each protocol.
//!
//! | protocol | said | agreed to by |
//! |---|---|---|
//! | SMTP, LMTP | `EHLO` (`LHLO`), then `STARTTLS` if it is offered (RFC 3207) | 220 |
//! | POP3 | `STLS` (RFC 2595 §4) | `+OK` |
//! | IMAP | `A0 STARTTLS` (RFC 9051 §6.2.1) | `A0 OK` |
//! | FTP | `AUTH TLS` (RFC 4217 §4) | 234 |
//!
//! POP3, IMAP and FTP are asked without a look at what they can: their answer tells as well, and some do not list it.
//! What came in the clear after the answer is nobody's to believe, and ends it (RFC 3207 §6).

use super::Protocol;
use super::reply::{self, Cut, Judge, Lines, Sign, Verdict};
use super::speech::{self, Awaited, short};
use crate::limits;
use crate::proto::prelude::{Heard, Prelude, PreludeError};
use crate::wire::secret::printable;

/// See the module.
#[derive(Debug)]
pub struct StartTls {
    protocol: Protocol,
    name: String,
    lines: Lines,
    judge: Judge,
    awaited: Awaited,
    step: Step,
    /// Whether EHLO's answer has named STARTTLS.
    is_offered: bool,
    heard: Vec<u8>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    Greeting,
    Hello,
    Asked,
}

impl StartTls {
    /// For a server of `protocol`; SMTP's is told this name.
    pub fn new(protocol: Protocol, name: impl Into<String>) -> Self {
        Self {
            protocol,
            name: name.into(),
            lines: Lines::default(),
            judge: Judge::new(protocol),
            awaited: Awaited::greeting(),
            step: Step::Greeting,
            is_offered: false,
            heard: Vec::new(),
        }
    }

    /// What the server said in the clear, the greeting first; its beginning, if that was long. Nothing of it counts
    /// once TLS stands.
    pub fn heard(&self) -> &[u8] {
        &self.heard
    }

    fn say(&mut self, step: Step, line: &str, out: &mut Vec<u8>) {
        self.step = step;
        self.awaited = speech::command(self.protocol, line.as_bytes()).0;
        out.extend_from_slice(line.as_bytes());
        out.extend_from_slice(b"\r\n");
    }

    fn ask(&mut self, out: &mut Vec<u8>) {
        let line = match self.protocol {
            Protocol::Smtp | Protocol::Lmtp => "STARTTLS",
            Protocol::Pop3 => "STLS",
            Protocol::Imap => "A0 STARTTLS",
            Protocol::Ftp => "AUTH TLS",
        };
        self.say(Step::Asked, line, out);
    }

    /// The reply to the last step is whole; whether TLS may begin.
    fn answered(&mut self, sign: Sign, out: &mut Vec<u8>) -> Result<bool, PreludeError> {
        let said = short(printable(self.lines.line()));
        let server = self.protocol.name();
        match (self.step, sign) {
            (Step::Greeting, Sign::No) => Err(PreludeError::new(format!(
                "the {server} server refuses to talk: {said}"
            ))),
            (Step::Greeting, Sign::Yes) => {
                match self.protocol {
                    Protocol::Smtp => self.say(Step::Hello, &format!("EHLO {}", self.name), out),
                    Protocol::Lmtp => self.say(Step::Hello, &format!("LHLO {}", self.name), out),
                    Protocol::Pop3 | Protocol::Imap | Protocol::Ftp => self.ask(out),
                }
                Ok(false)
            }
            (Step::Hello, Sign::Yes) if self.is_offered => {
                self.ask(out);
                Ok(false)
            }
            (Step::Hello, Sign::Yes) => Err(PreludeError::new(format!(
                "the {server} server does not offer STARTTLS"
            ))),
            (Step::Hello, Sign::No) => Err(PreludeError::new(format!(
                "the {server} server refuses {}: {said}",
                self.awaited.shown
            ))),
            (Step::Asked, Sign::Yes) => Ok(true),
            (Step::Asked, Sign::No) => Err(PreludeError::new(format!(
                "the {server} server refuses {}: {said}",
                self.awaited.shown
            ))),
        }
    }
}

impl Prelude for StartTls {
    fn begin(&mut self, _out: &mut Vec<u8>) {}

    fn hear(&mut self, octets: &[u8], out: &mut Vec<u8>) -> Result<Heard, PreludeError> {
        let room = limits::HEARD_LINE.saturating_sub(self.heard.len());
        self.heard
            .extend_from_slice(&octets[..room.min(octets.len())]);
        let mut rest = octets;
        loop {
            let cut = self.lines.cut(&mut rest);
            if cut == Cut::Nothing {
                return Ok(Heard::More);
            }
            let begins = !self.judge.goes_on();
            let awaited = std::iter::once(&self.awaited);
            let verdict = self.judge.line(cut, &mut self.lines, awaited);
            let line = self.lines.line();
            let is_foreign = reply::greets(line).is_none()
                || reply::greets_otherwise(self.protocol, line).is_some();
            if self.step == Step::Greeting && begins && is_foreign {
                let said = short(printable(line));
                let server = self.protocol.name();
                return Err(PreludeError::new(format!(
                    "that is no {server} server: it says {said:?}"
                )));
            }
            // RFC 5321 §4.1.1.1: a keyword stands behind the code, and nothing need follow it.
            self.is_offered |= self.step == Step::Hello
                && line
                    .get(4..)
                    .is_some_and(|keyword| keyword.trim_ascii().eq_ignore_ascii_case(b"STARTTLS"));
            let Verdict::Whole(sign) = verdict else {
                continue;
            };
            if !self.answered(sign, out)? {
                continue;
            }
            if !rest.is_empty() {
                return Err(PreludeError::new(format!(
                    "{} octets came in the clear where TLS was to begin (RFC 3207 section 6)",
                    rest.len()
                )));
            }
            return Ok(Heard::Done { used: octets.len() });
        }
    }

    fn ended(&self) -> PreludeError {
        let before = match self.step {
            Step::Greeting => "before its greeting".to_owned(),
            Step::Hello | Step::Asked => format!("instead of answering {}", self.awaited.shown),
        };
        PreludeError::new(format!("the server closed the connection {before}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is said to this server, and what comes of it; the same however its words are cut.
    fn play(protocol: Protocol, said: &[&str]) -> (String, Result<(), String>) {
        let whole = play_in_pieces(protocol, said, usize::MAX);
        let longest = said.iter().map(|said| said.len()).max().unwrap_or(0);
        for piece in 1..=longest {
            let (out, result) = play_in_pieces(protocol, said, piece);
            assert_eq!(
                (&out, result.is_ok()),
                (&whole.0, whole.1.is_ok()),
                "in pieces of {piece}"
            );
        }
        whole
    }

    fn play_in_pieces(
        protocol: Protocol,
        said: &[&str],
        piece: usize,
    ) -> (String, Result<(), String>) {
        let mut prelude = StartTls::new(protocol, "pc1.example");
        let mut out = Vec::new();
        let mut result = Err("it waits".to_owned());
        prelude.begin(&mut out);
        'said: for said in said {
            for octets in said.as_bytes().chunks(piece) {
                result = match prelude.hear(octets, &mut out) {
                    Ok(Heard::More) => Err("it waits".to_owned()),
                    Ok(Heard::Done { used }) => {
                        assert_eq!(used, octets.len());
                        Ok(())
                    }
                    Ok(Heard::Again) => Err("again".to_owned()),
                    Err(error) => {
                        result = Err(error.to_string());
                        break 'said;
                    }
                };
            }
        }
        if result == Err("it waits".to_owned()) {
            result = Err(prelude.ended().to_string());
        }
        assert_eq!(prelude.heard()[..3], said[0].as_bytes()[..3]);
        (String::from_utf8(out).expect("we speak ASCII"), result)
    }

    #[test]
    fn each_protocol_has_its_words() {
        for (protocol, said, expected) in [
            (
                Protocol::Smtp,
                &[
                    "220-wait\r\n220 hi\r\n",
                    "250-a\r\n250-STARTTLS\r\n250 b\r\n",
                    "220 go\r\n",
                ][..],
                "EHLO pc1.example\r\nSTARTTLS\r\n",
            ),
            (
                Protocol::Lmtp,
                &["220 hi\r\n", "250 starttls\r\n", "220 go\r\n"],
                "LHLO pc1.example\r\nSTARTTLS\r\n",
            ),
            (Protocol::Pop3, &["+OK hi\r\n", "+OK go\r\n"], "STLS\r\n"),
            (
                Protocol::Imap,
                &["* OK hi\r\n", "* CAPABILITY X\r\nA0 OK go\r\n"],
                "A0 STARTTLS\r\n",
            ),
            (
                Protocol::Ftp,
                &["220-FTP\r\n hi\r\n220 x\r\n", "234 go\r\n"],
                "AUTH TLS\r\n",
            ),
        ] {
            assert_eq!(play(protocol, said), (expected.to_owned(), Ok(())));
        }
    }

    #[test]
    fn what_is_refused_is_told() {
        for (protocol, said, why) in [
            (
                Protocol::Smtp,
                &["554 no\r\n"][..],
                "refuses to talk: 554 no",
            ),
            (
                Protocol::Smtp,
                &["220 hi\r\n", "250 x\r\n"],
                "does not offer STARTTLS",
            ),
            (
                Protocol::Smtp,
                &["220 hi\r\n", "502 x\r\n"],
                "refuses EHLO pc1.example: 502 x",
            ),
            (
                Protocol::Smtp,
                &["220 hi\r\n", "250 STARTTLS\r\n", "454 later\r\n"],
                "refuses STARTTLS: 454 later",
            ),
            (
                Protocol::Pop3,
                &["+OK\r\n", "-ERR no\r\n"],
                "refuses STLS: -ERR no",
            ),
            (
                Protocol::Imap,
                &["* OK\r\n", "A0 NO no\r\n"],
                "refuses A0 STARTTLS: A0 NO no",
            ),
            (Protocol::Imap, &["SSH-2.0\r\n"], "that is no IMAP server"),
            (Protocol::Imap, &["+OK\r\n"], "that is no IMAP server"),
            (
                Protocol::Imap,
                &["* OK\r\n"],
                "instead of answering A0 STARTTLS",
            ),
            (Protocol::Smtp, &["220"], "before its greeting"),
        ] {
            let (_, result) = play(protocol, said);
            let error = result.expect_err("a failure");
            assert!(error.contains(why), "{error}");
        }
    }

    #[test]
    fn nothing_may_be_slipped_in() {
        let said = ["+OK hi\r\n", "+OK go\r\n+OK injected\r\n"];
        let (_, result) = play_in_pieces(Protocol::Pop3, &said, usize::MAX);
        let error = result.expect_err("a failure");
        assert!(error.starts_with("14 octets came in the clear"), "{error}");
    }
}
