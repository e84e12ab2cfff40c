//! The stage of commands that a person wrote: each is sent when the one before it was answered, and what comes is shown as it is.
//!
//! Of a response only its beginning matters: the tag of the command ends it, `+` asks for more, and everything behind `*` is data, known
//! or not. The octets of literals were taken out before ([`Client::line`]), so that they can be none of these.

use super::command::{Capabilities, Command};
use super::told::{octets, values};
use super::*;
use crate::wire::json;

impl Client<'_> {
    pub(super) fn is_raw(&self) -> bool {
        self.step == Step::Errand && matches!(self.stage, Some(Stage::Raw(_)))
    }

    /// Whether that is what is written of responses.
    pub(super) fn shows(&self, shown: Shown) -> bool {
        match &self.stage {
            Some(Stage::Raw(raw)) if self.step == Step::Errand => raw.shown == shown,
            _ => false,
        }
    }

    /// Whether the server was asked by hand to say goodbye.
    pub(super) fn said_logout(&self) -> bool {
        self.is_raw() && self.command.verb() == "LOGOUT"
    }

    /// Sends the next of the commands, if there is one.
    pub(super) fn proceed_raw(&mut self, out: &mut Out) {
        let mut line = loop {
            match self.next_line() {
                // Of a command that was refused before.
                Fed::Line(line) if line.continues() => {}
                Fed::Line(line) => break line,
                Fed::Later => return self.thirst = Some(Thirst::Command),
                Fed::End | Fed::Broken => return self.proceed(out),
            }
        };
        if line.verb() == "COMPRESS" {
            let why = "COMPRESS cannot be said here: what follows it would have to be compressed";
            self.failures.push(Failure::Unsendable(why));
            return self.logout(out);
        }
        self.number += 1;
        self.own_tag = line.tag.take();
        self.command = Command::raw(line);
        self.command.begin(&self.tag(), self.capabilities, out);
    }

    /// A response to a command of a person: nothing that it says is a fault, but an answer that nobody asked for.
    pub(super) fn raw_response(&mut self, response: &[u8], out: &mut Out) {
        if self.shows(Shown::Json) {
            let line = raw_json(&self.tag(), response) + "\n";
            if !self.write(line.as_bytes(), out) {
                return;
            }
        }
        let tag = self.tag();
        let answer = response
            .strip_prefix(tag.as_bytes())
            .and_then(|rest| rest.strip_prefix(b" "));
        if let Some(answer) = answer {
            // A tag may hold what words do not.
            let plain = [b"a ", answer].concat();
            if let Some(Reply::Tagged(_, condition)) = Reply::parse(&plain) {
                return self.raw_done(&condition, out);
            }
        }
        match response {
            [b'+', ..] => {
                if self.command.go_on(self.capabilities, out) == Asked::ForNothing {
                    self.say_more(out);
                }
            }
            [b'*', b' ', ..] => match Reply::parse(response) {
                Some(Reply::Untagged(condition)) => self.untagged(&condition, response, out),
                Some(Reply::Data(reply::Data::Capability(list))) => self.able(list.iter().copied()),
                _ => {}
            },
            _ => self.give_up(Failure::protocol(self.name(), response), out),
        }
    }

    /// The server waits for a line that belongs to no literal: the next one; else what ends the command.
    fn say_more(&mut self, out: &mut Out) {
        let verb = self.command.verb();
        let secret = verb == "AUTHENTICATE";
        let line = match self.next_line() {
            Fed::Later => return self.thirst = Some(Thirst::Answer),
            Fed::Broken => return self.close(out),
            // RFC 2177 §3; RFC 3501 §6.2.2.
            Fed::End if secret => b"*".to_vec(),
            Fed::End => b"DONE".to_vec(),
            Fed::Line(line) if line.continues() => {
                return self.command.resume(line, self.capabilities, out);
            }
            Fed::Line(line) => {
                let tag = line.tag.map(|tag| tag + " ").unwrap_or_default();
                let texts = line.pieces.iter().map(|piece| match piece {
                    Piece::Text(octets) | Piece::Literal(octets) => octets.as_slice(),
                });
                [tag.into_bytes(), texts.collect::<Vec<_>>().concat()].concat()
            }
        };
        match secret {
            true => out.secret_line(b"", &line),
            false => out.line(&line),
        }
    }

    fn next_line(&mut self) -> Fed {
        let Some(Stage::Raw(raw)) = &mut self.stage else {
            return Fed::End;
        };
        match (raw.lines.pop_front(), &mut self.source) {
            (Some(line), _) => Fed::Line(line),
            (None, Some(source)) => source(),
            (None, None) => Fed::End,
        }
    }

    /// There may be a line that was waited for.
    pub(super) fn fed(&mut self, out: &mut Out) {
        match self.thirst.take() {
            None => {}
            Some(Thirst::Command) => self.proceed_raw(out),
            Some(Thirst::Answer) => self.say_more(out),
        }
    }

    fn raw_done(&mut self, condition: &Condition<'_>, out: &mut Out) {
        self.thirst = None;
        self.learn(condition);
        let progress = self.command.abandon();
        let verb = self.command.verb();
        match (condition.status, progress) {
            (Status::Ok, Progress::Whole) if verb == "STARTTLS" => {
                self.step = Step::Waiting;
                self.capabilities = Capabilities::default();
                out.start_tls();
            }
            (Status::Ok, Progress::Whole) if verb == "LOGOUT" => self.close(out),
            (Status::Ok, Progress::Whole) => self.proceed_raw(out),
            (Status::No | Status::Bad, progress) => {
                let said = match condition.status {
                    Status::No => "NO ",
                    _ => "BAD ",
                };
                let mut refusal = self.refusal(condition);
                refusal.said.insert_str(0, said);
                let failure = negative(condition, refusal);
                self.failures.push(failure);
                let goes_on =
                    matches!(&self.stage, Some(Stage::Raw(raw)) if raw.refused == Refused::Stays);
                match progress {
                    // What came next would be read as the rest of the literal.
                    Progress::WithinLiteral => self.close(out),
                    _ if goes_on => self.proceed_raw(out),
                    _ => self.logout(out),
                }
            }
            _ => {
                let said = b"an answer before all was sent";
                self.give_up(Failure::protocol(self.name(), said), out);
            }
        }
    }
}

/// A response as an object of JSON.
fn raw_json(tag: &str, response: &[u8]) -> String {
    let (first, rest) = match response {
        [b'+', rest @ ..] => ("+", rest.trim_ascii_start()),
        [b'*', b' ', rest @ ..] => ("*", rest),
        _ => (tag, response.get(tag.len() + 1..).unwrap_or_default()),
    };
    let tag = ("tag", json::string(first));
    let plain = [b"a ", rest].concat();
    let fields = match Reply::parse(&plain) {
        _ if first == "+" => vec![tag, ("text", octets(rest))],
        Some(Reply::Tagged(_, condition)) => {
            let status = match condition.status {
                Status::Ok => "OK",
                Status::No => "NO",
                Status::Bad => "BAD",
                Status::PreAuth => "PREAUTH",
                Status::Bye => "BYE",
            };
            let mut fields = vec![tag, ("status", json::string(status))];
            if let Some((name, arguments)) = condition.code {
                let arguments = [name, arguments].join(&b' ');
                let code = reply::values(arguments.trim_ascii_end());
                fields.push((
                    "code",
                    code.map_or_else(|| octets(name), |code| values(&code)),
                ));
            }
            fields.push(("text", octets(condition.text)));
            fields
        }
        _ => match reply::values(rest) {
            Some(data) => vec![tag, ("data", values(&data))],
            None => vec![tag, ("text", octets(rest))],
        },
    };
    json::object(&fields)
}
