//! What is typed: sent when it may be, and what it makes of what comes next.

use std::time::Instant;

use super::super::reply::{self, Judge};
use super::super::speech::{self, Awaited, Follows, What};
use super::{LockStep, Peer, Screen, Typing, literal_or_rest};
use crate::limits;
use crate::proto::Out;
use crate::proto::raw::Protocol;
use crate::wire::secret;

impl<S: Screen> LockStep<S> {
    /// Deals with one line, or with what there is of one; false when there is none.
    pub(super) fn step(&mut self, now: Instant, out: &mut Out) -> bool {
        let from_file = self.file.is_some();
        // Of a file's lines, that of the instruction.
        let number = self.keyboard.number() - usize::from(from_file);
        let source = self.file.as_mut().unwrap_or(&mut self.keyboard);
        let line = source.line();
        let octets = match (line, self.typing) {
            (Some(octets), _) => octets,
            (None, _) if source.is_over() && from_file => {
                self.file = None;
                return true;
            }
            (None, _) if source.is_over() => {
                self.input_ended(now, out);
                return false;
            }
            (None, Typing::Text | Typing::Chunk(_) | Typing::Literal(_)) if !source.has_room() => {
                // A line of text may be of any length: its beginning goes already, but for half a line end.
                let waiting = source.waiting();
                waiting.len() - usize::from(waiting.ends_with(b"\r"))
            }
            (None, _) if !source.has_room() => {
                self.fail(format!("line {number} is too long for a command"), out);
                return false;
            }
            (None, _) => return false,
        };
        let octets = match self.typing {
            Typing::Chunk(left) | Typing::Literal(left) => {
                usize::try_from(left).map_or(octets, |left| left.min(octets))
            }
            _ => octets,
        };
        let mut said = source.waiting()[..octets].to_owned();
        if !from_file && line.is_some() && source.begins_line() && self.reads_instructions() {
            let whole = self.keyboard.waiting()[..line.unwrap_or(octets)].to_owned();
            if let Some(instruction) = self.instruction(&whole) {
                self.keyboard.take(whole.len());
                self.instruct(now, instruction, number, out);
                return true;
            }
            if self.refused.is_some() && self.is_left_out(&whole, number) {
                self.keyboard.take(whole.len());
                return true;
            }
        }
        let source = self.file.as_mut().unwrap_or(&mut self.keyboard);
        source.take(octets);
        if self.peer == Peer::Ended {
            self.cannot_send(number, &said, out);
            return false;
        }
        match self.typing {
            Typing::Commands if self.protocol == Some(Protocol::Imap) => self.tag(&mut said),
            // RFC 5321 §4.5.2. A file is content: it must not end the text.
            Typing::Text if from_file && self.text.is_line_start() && said.starts_with(b".") => {
                said.insert(0, b'.');
            }
            _ => {}
        }
        self.sent_raw = false;
        self.say(now, &said, out);
        true
    }

    /// Gives an IMAP command a tag if it has none.
    pub(super) fn tag(&mut self, line: &mut Vec<u8>) {
        if !self.spoken.is_empty() {
            return;
        }
        if speech::has_tag(line.trim_ascii_end()) {
            let number = reply::tag(line).strip_prefix(b"A");
            let number = number.and_then(|digits| std::str::from_utf8(digits).ok()?.parse().ok());
            self.tags = self.tags.max(number.unwrap_or(0));
            return;
        }
        self.tags = self.tags.saturating_add(1);
        let tag = format!("A{}", self.tags);
        self.screen.tagged(&tag);
        line.splice(..0, format!("{tag} ").into_bytes());
    }

    /// Sends octets, and notes what they make of what is typed and heard next.
    pub(super) fn say(&mut self, now: Instant, octets: &[u8], out: &mut Out) {
        self.heard.clear();
        self.was_asked = false;
        if let Some(explainer) = &mut self.explainer {
            explainer.begin();
        }
        out.bytes(octets);
        self.moved = now;
        self.asked = now;
        if octets.ends_with(b"\n") {
            let pause = self
                .options
                .interval
                .and_then(|interval| now.checked_add(interval));
            self.hold = pause;
        }
        let mut rest = octets;
        while !rest.is_empty() {
            rest = match self.typing {
                Typing::Text => match self.text.feed(rest) {
                    Some(end) => {
                        self.text_was_said();
                        &rest[end..]
                    }
                    None => &[],
                },
                Typing::Chunk(left) => {
                    let (left, rest) = count(left, rest);
                    self.typing = match left {
                        0 => Typing::Commands,
                        _ => Typing::Chunk(left),
                    };
                    rest
                }
                Typing::Literal(left) | Typing::BeforeLiteral(left) => {
                    let (left, rest) = count(left, rest);
                    self.typing = literal_or_rest(left);
                    rest
                }
                Typing::Commands | Typing::Rest | Typing::Answer => {
                    // DATA whose 354 was not waited for: what follows can only be meant as text.
                    let ahead = self.awaited.back().map(|awaited| awaited.what);
                    if self.typing == Typing::Commands && ahead == Some(What::Data) {
                        self.typing = Typing::Text;
                        self.text = TextEnd::default();
                        continue;
                    }
                    let end = memchr::memchr(b'\n', rest).map_or(rest.len(), |at| at + 1);
                    let (line, rest) = rest.split_at(end);
                    self.spoken.extend_from_slice(line);
                    let surplus = self.spoken.len().saturating_sub(2 * limits::TYPED);
                    self.spoken.drain(..surplus);
                    if line.ends_with(b"\n") {
                        self.line_was_said();
                    }
                    rest
                }
            };
        }
    }

    pub(super) fn line_was_said(&mut self) {
        let spoken = std::mem::take(&mut self.spoken);
        let line = spoken.strip_suffix(b"\n").unwrap_or(&spoken);
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        if self.typing == Typing::Commands {
            self.see_who_is_spoken_to(line);
        }
        let protocol = self.protocol.unwrap_or(Protocol::Smtp);
        let follows = match self.typing {
            // The reply to the exchange is still awaited.
            Typing::Answer => {
                self.secret = line.to_owned();
                Follows::Reply
            }
            Typing::Rest => speech::literal(line),
            _ => {
                self.secret =
                    secret::in_line(line).map_or_else(Vec::new, |secret| line[secret].to_owned());
                let (awaited, follows) = speech::command(protocol, line);
                self.said.clone_from(&awaited.shown);
                self.awaited.push_back(awaited);
                follows
            }
        };
        self.typing = match follows {
            Follows::Reply | Follows::Chunk(0) => Typing::Commands,
            Follows::Chunk(octets) => Typing::Chunk(octets),
            Follows::Literal(octets) => Typing::BeforeLiteral(octets),
            Follows::LiteralNow(octets) => literal_or_rest(octets),
        };
        if protocol == Protocol::Lmtp
            && matches!(
                self.awaited.back(),
                Some(Awaited {
                    what: What::LastChunk,
                    ..
                })
            )
        {
            // RFC 2033 §4.3: as after DATA.
            for _ in 1..self.recipients {
                self.awaited.push_back(Awaited::text());
            }
        }
    }

    /// SMTP, LMTP and FTP greet alike: what somebody says to a server tells what it is.
    fn see_who_is_spoken_to(&mut self, line: &[u8]) {
        if self.protocol != Some(Protocol::Smtp) {
            return;
        }
        let is_known = self.options.protocol.is_some();
        let Some(protocol) = speech::spoken_to(line).filter(|other| {
            // Whoever says that it is SMTP may try what is of FTP.
            *other == Protocol::Lmtp || !is_known
        }) else {
            return;
        };
        self.protocol = Some(protocol);
        self.judge = Some(Judge::new(protocol));
    }

    pub(super) fn text_was_said(&mut self) {
        let replies = match self.protocol {
            Some(Protocol::Lmtp) => self.recipients.max(1),
            _ => 1,
        };
        self.said = "the message".to_owned();
        for _ in 0..replies {
            self.awaited.push_back(Awaited::text());
        }
        self.typing = Typing::Commands;
    }
}

/// Takes what there is of `left` octets; how many are left, and what follows.
fn count(left: u64, octets: &[u8]) -> (u64, &[u8]) {
    let here = usize::try_from(left).map_or(octets.len(), |left| left.min(octets.len()));
    (left - here as u64, &octets[here..])
}

/// Where a message's text ends, in what is sent: `CRLF . CRLF`, or the lone dot of an empty one (RFC 5321 §4.1.1.4).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum TextEnd {
    #[default]
    LineStart,
    Dot,
    DotCr,
    Within,
    Cr,
}

impl TextEnd {
    /// Takes octets; where the text has ended, if it has.
    pub(super) fn feed(&mut self, octets: &[u8]) -> Option<usize> {
        let mut at = 0;
        while at < octets.len() {
            if *self == Self::Within {
                // Only what follows a CR can matter.
                match memchr::memchr(b'\r', &octets[at..]) {
                    Some(cr) => at += cr,
                    None => return None,
                }
            }
            *self = match (*self, octets[at]) {
                (Self::LineStart, b'.') => Self::Dot,
                (Self::Dot, b'\r') => Self::DotCr,
                (Self::DotCr, b'\n') => {
                    *self = Self::LineStart;
                    return Some(at + 1);
                }
                (Self::Cr, b'\n') => Self::LineStart,
                (_, b'\r') => Self::Cr,
                _ => Self::Within,
            };
            at += 1;
        }
        None
    }

    pub(super) const fn is_line_start(self) -> bool {
        matches!(self, Self::LineStart)
    }
}
