//! Lines of a script that are not sent: instructions, and what was meant as something that the server refused.

use std::time::Instant;

use super::super::script::{self, Instruction};
use super::super::speech::{self, Follows, What, short};
use super::{
    Checks, Ending, Expecting, Failure, LeftOut, LockStep, Peer, Refused, Screen, Tally, Typing,
};
use crate::limits;
use crate::proto::Out;
use crate::proto::raw::{Keyboard, Protocol};
use crate::wire::secret;

impl<S: Screen> LockStep<S> {
    /// What a line of a script is to be done with, if it is not to be sent.
    pub(super) fn instruction(&self, line: &[u8]) -> Option<Result<Instruction, String>> {
        let line = line.strip_suffix(b"\r\n").unwrap_or(line);
        let instruction = script::instruction(line)?;
        let within_text = matches!(
            self.typing,
            Typing::Text | Typing::Chunk(_) | Typing::Literal(_) | Typing::Rest
        );
        if !within_text {
            return Some(instruction);
        }
        let counts = match &instruction {
            Ok(Instruction::Insert(_)) => true,
            Ok(Instruction::Expect(_) | Instruction::Optional(_)) => self.was_asked,
            Ok(Instruction::Raw(_)) => self.is_script,
            Ok(Instruction::Sleep(_)) => self.is_script && self.was_asked,
            Ok(Instruction::ExpectEnd | Instruction::Title(_)) | Err(_) => false,
        };
        counts.then_some(instruction)
    }

    pub(super) fn instruct(
        &mut self,
        now: Instant,
        instruction: Result<Instruction, String>,
        line: usize,
        out: &mut Out,
    ) {
        self.is_script = true;
        let refused = self.refused.take();
        let missed = self.tally.missed;
        let protocol = self.protocol.unwrap_or(Protocol::Smtp);
        let patience = self.options.idle.unwrap_or(limits::EXPECT);
        let until = now.checked_add(patience).unwrap_or(now);
        match instruction {
            Err(why) => self.fail(format!("line {line}: {why}"), out),
            Ok(Instruction::Expect(text)) if self.heard.expect(protocol, &text) => {
                self.tally.met += 1;
            }
            Ok(Instruction::Expect(text)) if self.may_hear_more() => {
                self.expecting = Some(Expecting {
                    text: Some(text),
                    line,
                    until,
                });
            }
            Ok(Instruction::Expect(text)) => self.fail_expectation(line, &text, "", out),
            Ok(Instruction::Optional(text)) => self.heard.pass(protocol, &text),
            Ok(Instruction::ExpectEnd) if self.peer == Peer::Ended => self.tally.met += 1,
            Ok(Instruction::ExpectEnd) => {
                self.expecting = Some(Expecting {
                    text: None,
                    line,
                    until,
                });
            }
            Ok(Instruction::Sleep(duration)) => {
                self.hold = now.checked_add(duration);
                // That nothing moves meanwhile is as it should be.
                self.moved = self.hold.unwrap_or(now);
            }
            Ok(Instruction::Raw(octets)) if self.peer == Peer::Ended => {
                self.cannot_send(line, &octets, out);
            }
            Ok(Instruction::Raw(octets)) => {
                self.sent_raw = true;
                self.say(now, &octets, out);
            }
            Ok(Instruction::Insert(name)) => self.wish = Some(name),
            Ok(Instruction::Title(text)) => {
                let title = short(secret::printable(&text));
                self.screen.note(&format!("**** {title}"));
                self.title = Some(title);
            }
        }
        if self.tally.missed > missed {
            // The script did not know, and goes on as if nothing were amiss.
            self.refused = refused;
        }
    }

    /// Whether a line may come although no reply is awaited.
    pub(super) fn may_hear_more(&self) -> bool {
        let idles = self
            .awaited
            .front()
            .is_some_and(|awaited| awaited.what == What::Idle);
        self.peer == Peer::Talks && (idles || self.sent_raw)
    }

    pub(super) fn look_at_expectation(&mut self, protocol: Protocol, line: &[u8], out: &mut Out) {
        let Some(expecting) = self.expecting.take() else {
            return;
        };
        match &expecting.text {
            None => {
                let came = short(secret::printable(line));
                self.fail_end_expected(expecting.line, &format!("it said: {came}"), out);
            }
            Some(text) if self.heard.expect(protocol, text) => self.tally.met += 1,
            Some(_) => self.expecting = Some(expecting),
        }
    }

    /// Whether a line belongs to what was refused, and so is not sent.
    pub(super) fn is_left_out(&mut self, line: &[u8], number: usize) -> bool {
        let Some(mut refused) = self.refused.take() else {
            return false;
        };
        let protocol = self.protocol.unwrap_or(Protocol::Smtp);
        let text = line.strip_suffix(b"\r\n").unwrap_or(line);
        let first = !refused.has_begun;
        if first && speech::is_command(protocol, text) {
            return false;
        }
        refused.has_begun = true;
        let more = match refused.what {
            LeftOut::Text => (text != b".").then_some(LeftOut::Text),
            LeftOut::Literal(left) => match left.checked_sub(line.len() as u64) {
                Some(left) => Some(LeftOut::Literal(left)),
                // Behind it stands the command's rest, which may announce another.
                None => match speech::literal(text) {
                    Follows::Literal(octets) | Follows::LiteralNow(octets) => {
                        Some(LeftOut::Literal(octets))
                    }
                    Follows::Reply | Follows::Chunk(_) => None,
                },
            },
            LeftOut::Answers => {
                let is_answer = !text.is_empty() && !text.contains(&b' ');
                if !is_answer || speech::is_command(protocol, text) {
                    return false;
                }
                Some(LeftOut::Answers)
            }
        };
        self.refused = more.map(|what| Refused { what, ..refused });
        if first {
            self.screen.note(&match refused.what {
                LeftOut::Text => format!(
                    "DATA was refused: what was meant as its text, from line {number} to the lone dot, is not sent"
                ),
                LeftOut::Literal(octets) => format!(
                    "the literal was refused: its {octets} octets, from line {number}, are not sent"
                ),
                LeftOut::Answers => format!(
                    "the login was refused: line {number} looks like an answer to it, and is not sent"
                ),
            });
        }
        true
    }

    pub(super) fn reads_instructions(&self) -> bool {
        self.options.keyboard == Keyboard::Other
    }

    pub(super) fn fail_expectation(&mut self, line: usize, text: &[u8], why: &str, out: &mut Out) {
        let mut report = match why {
            "" => format!("line {line}: the reply is not what the script expects"),
            why => format!("line {line}: the script expects what did not come: {why}"),
        };
        let mut row = |row: String| {
            report.push_str("\n  ");
            report.push_str(&row);
        };
        if let Some(title) = &self.title {
            row(format!("step:     {title}"));
        }
        if !self.said.is_empty() {
            row(format!("sent:     {}", self.said));
        }
        row(format!("expected: {}", secret::printable(text)));
        row(format!("came:     {}", self.heard.shown(&self.secret)));
        self.missed(report, out);
    }

    pub(super) fn fail_end_expected(&mut self, line: usize, why: &str, out: &mut Out) {
        let report = format!("line {line}: the server was expected to close, but {why}");
        self.missed(report, out);
    }

    /// An expectation did not come true.
    fn missed(&mut self, report: String, out: &mut Out) {
        self.tally.missed += 1;
        match self.options.checks {
            Checks::First => self.finish(Ending::Failed(Failure::Expectation(report)), out),
            Checks::All => self.screen.note(&report),
        }
    }

    /// What an ending is when all expectations were to be checked.
    pub(super) fn checked(&mut self, ending: Ending) -> Ending {
        let Tally { met, missed } = self.tally;
        let all = met + missed;
        match ending {
            Ending::Done if missed == 0 => {
                self.screen.note(&match all {
                    0 => "nothing was checked: no line of the script says ??? and what is expected"
                        .to_owned(),
                    _ => format!("checked: {met} of {all} came true"),
                });
                return Ending::Done;
            }
            Ending::Failed(Failure::Dialogue(why)) => {
                if !self.keyboard.is_over() {
                    let line = self.keyboard.number();
                    self.screen
                        .note(&format!("from line {line} on, the script was not tried"));
                }
                if missed == 0 {
                    return Ending::Failed(Failure::Dialogue(why));
                }
                self.screen.note(&why);
            }
            _ => {}
        }
        Ending::Failed(Failure::Expectation(format!(
            "checked: {met} of {all} came true"
        )))
    }

    pub(super) fn cannot_send(&mut self, line: usize, said: &[u8], out: &mut Out) {
        let shown = match self.typing {
            Typing::Answer => "********".to_owned(),
            _ => short(secret::shown(said.trim_ascii_end())),
        };
        self.fail(
            format!("line {line} cannot be sent, the server has closed: {shown}"),
            out,
        );
    }
}
