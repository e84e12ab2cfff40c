//! Lock-step: a session in which somebody types, and each line is sent when the reply to the one before is complete.
//!
//! A netcat sends what it is given at once. Mail servers do not like that: some refuse whoever talks before the greeting (Postfix's
//! postscreen), or does not wait for replies (`reject_unauth_pipelining`). Here a person, or a script, types into a session that
//! knows when a reply is whole, and which lines get none.
//!
//! | typed lines are | when | until |
//! |---|---|---|
//! | held | no greeting yet; a reply is awaited; TLS is being started | it is there |
//! | commands | everything is answered | |
//! | message text | 354 | the lone dot; a reply in the middle of it |
//! | octets of a chunk or literal | `BDAT n`, `{n}` when `+` has come, `{n+}` | there were n |
//! | an answer | 334, `+` | one line |
//!
//! Typed LF goes as CRLF, and nothing else is changed: no dot is stuffed, for a person types what goes on the wire. One thing is added:
//! in IMAP a line without a tag gets one, `A1`, `A2` and so on, never one that was typed. STARTTLS that the server agrees to starts TLS,
//! in any of the protocols; nothing that was heard before is believed after it (RFC 3207 §4.2).
//!
//! What is received is shown octet by octet as it comes ([`Screen::received`]). Nobody else is shown anything of what is sent.
//!
//! **Scripts.** Where input is no terminal, these lines are instructions, and are not sent. The language is that of Exim's test client, made to
//! fit whole replies:
//!
//! | line | what it does | Exim's client |
//! |---|---|---|
//! | `??? text` | a line of the last reply, behind the last one that was expected, must begin with `text`. IMAP's last line may be given without its tag. In IDLE, and after `>>>`, it is waited for | the next line must |
//! | `???? text` | goes past the lines there that begin with `text`, if any do | the same |
//! | `???*` | the server must close, and say nothing before | the same |
//! | `+++ n` | waits n seconds (0.5 too) | the same |
//! | `>>> raw` | sends `raw` without CRLF, and waits for no reply to what is not a whole line | the same |
//! | `<<< file` | sends the lines of the file, in message text with their dots stuffed; no line of it is an instruction | runs it as a script |
//!
//! `text` and `raw` may hold `\r \n \t \xHH \\`; any other backslash is one. What was not expected is passed over when the next line is
//! sent. Within message text and literals lines are text: there only `<<<` counts, and, in a script that had an instruction before, `>>>`;
//! and before their first line what is expected of the server that has asked for them (`??? 354`). So mail that quotes `>>> like this` can be piped through. An expectation that fails ends the session ([`Failure::Expectation`]).
//!
//! **What was meant as text is not sent as commands.** When DATA, a literal or AUTH is refused and input is no terminal, the lines that were
//! to follow are left out, and a note says so - unless the next line is a known command, or an instruction: then the script knew.
//!
//! A server that closes before a reply is complete, and one that says nothing for as long as it was given, fail ([`Failure`]).

use std::collections::VecDeque;
use std::fmt;
use std::time::{Duration, Instant};

use super::explain::Explainer;
use super::reply::{self, Cut, Judge, Lines, Sign, Verdict};
use super::script::{self, Heard, Instruction, Kind};
use super::speech::{self, Awaited, Follows, What, short};
use super::typed::Typed;
use super::{Keyboard, Protocol};
use crate::limits;
use crate::proto::{Input, Out, Session, TlsInfo};
use crate::wire::codes::Lang;
use crate::wire::lines::Want;
use crate::wire::secret;

/// Where what comes is shown. It never blocks: what cannot be written yet waits in it.
pub trait Screen {
    /// Octets from the server, as they came.
    fn received(&mut self, octets: &[u8]);
    /// What the reply that was just received, and began or ended with this line, means: whole lines.
    fn explain(&mut self, reply: &[u8], lines: &str);
    /// Something that the user should know, on one line.
    fn note(&mut self, text: &str);
    /// A line was sent with this tag before it.
    fn tagged(&mut self, tag: &str);
    /// Whether so much waits that nothing more should be received.
    fn is_full(&self) -> bool;
}

/// How it is to go on.
#[derive(Clone, Debug)]
pub struct Options {
    /// What is spoken; `None`: the greeting tells.
    pub protocol: Option<Protocol>,
    /// Whether the greeting has been heard already, before TLS. Then the protocol must be given.
    pub greeting: Greeting,
    /// Who types. A script has instructions, a person has not.
    pub keyboard: Keyboard,
    /// Replies are explained in this language.
    pub explain: Option<Lang>,
    /// -w: how long nothing may move.
    pub idle: Option<Duration>,
    /// -q: what is done when input ends, and all is answered.
    pub stay: Stay,
    /// -i: a pause after each line.
    pub interval: Option<Duration>,
    /// What is known of the server's certificate once TLS stands: `certificate verified`.
    pub certificate: &'static str,
}

/// Whether the server's greeting is waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Greeting {
    /// It comes first.
    Awaited,
    /// It was heard by somebody else.
    Heard,
}

/// What is done when input ends, and all is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stay {
    /// Leave.
    No,
    /// Listen for so long.
    For(Duration),
    /// Listen until the server closes.
    Forever,
}

/// How a session ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ending {
    /// As it should.
    Done,
    /// Otherwise.
    Failed(Failure),
}

/// What went wrong, in words for whoever typed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failure {
    /// An expectation of the script did not come true: which, and what came instead.
    Expectation(String),
    /// The server, or the script, did something that cannot be gone on from.
    Dialogue(String),
}

impl fmt::Display for Failure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Expectation(text) | Self::Dialogue(text) => formatter.write_str(text),
        }
    }
}

/// What a session needs from whoever drives it, besides the network.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Needs<'a> {
    /// Nothing now.
    Nothing,
    /// What is typed, when something is: [`LockStep::typed`].
    Typed,
    /// This file is to be opened, and its first octets given: [`LockStep::content`].
    File(&'a [u8]),
    /// More octets of that file.
    Content,
}

/// The session. See the module.
#[derive(Debug)]
pub struct LockStep<S> {
    options: Options,
    screen: S,
    peer: Peer,
    protocol: Option<Protocol>,
    lines: Lines,
    judge: Option<Judge>,
    explainer: Option<Explainer>,
    awaited: VecDeque<Awaited>,
    keyboard: Typed,
    /// The file that is being sent, and the name of one that is to be.
    file: Option<Typed>,
    wish: Option<Vec<u8>>,
    typing: Typing,
    text: TextEnd,
    /// A command line that is sent, but for its end.
    spoken: Vec<u8>,
    /// Recipients that were taken.
    recipients: usize,
    /// The number of the last tag that we made.
    tags: u64,
    heard: Heard,
    expecting: Option<Expecting>,
    /// The script has had an instruction.
    is_script: bool,
    refused: Option<Refused>,
    /// What was sent last was raw: a reply may come unawaited.
    sent_raw: bool,
    /// The server has asked for text, a literal or an answer, and none of it was sent yet.
    was_asked: bool,
    moved: Instant,
    /// Nothing is sent before.
    hold: Option<Instant>,
    /// When to leave.
    leave: Option<Instant>,
    ending: Option<Ending>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Peer {
    Connecting,
    Talks,
    StartingTls,
    Ended,
}

/// What typed lines are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Typing {
    /// Commands, once everything is answered.
    Commands,
    /// Message text.
    Text,
    /// So many octets of a chunk, then commands.
    Chunk(u64),
    /// Nothing before the server has asked for the literal.
    BeforeLiteral(u64),
    /// So many octets of a literal, then the rest of the command.
    Literal(u64),
    /// The rest of a command.
    Rest,
    /// The answer that the server has asked for.
    Answer,
}

/// Lines that were meant as something that the server refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Refused {
    what: LeftOut,
    /// Some of it has been left out already.
    has_begun: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum LeftOut {
    Text,
    Literal(u64),
    Answers,
}

/// An expectation that is waited for.
#[derive(Clone, Debug)]
struct Expecting {
    /// `None`: the end.
    text: Option<Vec<u8>>,
    line: usize,
    until: Instant,
}

impl<S: Screen> Session for LockStep<S> {
    fn want(&self) -> Want {
        let hears = matches!(self.peer, Peer::Talks) && self.ending.is_none();
        match hears && !self.screen.is_full() {
            true => Want::Octets(u64::MAX),
            false => Want::Nothing,
        }
    }

    fn handle(&mut self, now: Instant, input: Input<'_>, out: &mut Out) {
        if self.ending.is_some() {
            return;
        }
        match input {
            Input::Open => {
                self.peer = Peer::Talks;
                self.moved = now;
            }
            Input::TlsUp(info) => self.tls_is_up(now, &info),
            Input::Text(octets) => self.hear(now, octets, out),
            Input::Timeout => self.time_is_up(now, out),
            Input::Eof => self.peer_ended(out),
            Input::Stop => self.finish(Ending::Done, out),
            Input::Room
            | Input::Line(_)
            | Input::LongLine
            | Input::TextEnd
            | Input::Done(_)
            | Input::Changed => {}
        }
        self.go_on(now, out);
    }

    fn deadline(&self) -> Option<Instant> {
        let idle = self.idle_until();
        let expecting = self.expecting.as_ref().map(|expecting| expecting.until);
        [idle, expecting, self.hold, self.leave]
            .into_iter()
            .flatten()
            .min()
    }
}

impl<S: Screen> LockStep<S> {
    /// A session that begins `now`.
    pub fn new(now: Instant, options: Options, screen: S) -> Self {
        let protocol = options.protocol;
        let awaited = match options.greeting {
            Greeting::Awaited => VecDeque::from([Awaited::greeting()]),
            Greeting::Heard => VecDeque::new(),
        };
        Self {
            screen,
            peer: Peer::Connecting,
            protocol,
            lines: Lines::default(),
            judge: protocol.map(Judge::new),
            explainer: options.explain.map(Explainer::new),
            awaited,
            keyboard: Typed::default(),
            file: None,
            wish: None,
            typing: Typing::Commands,
            text: TextEnd::default(),
            spoken: Vec::new(),
            recipients: 0,
            tags: 0,
            heard: Heard::default(),
            expecting: None,
            is_script: false,
            refused: None,
            sent_raw: false,
            was_asked: false,
            moved: now,
            hold: None,
            leave: None,
            ending: None,
            options,
        }
    }

    /// How it ended, once it has.
    pub const fn ending(&self) -> Option<&Ending> {
        self.ending.as_ref()
    }

    /// Its screen.
    pub const fn screen(&mut self) -> &mut S {
        &mut self.screen
    }

    /// What it needs now.
    pub fn needs(&self) -> Needs<'_> {
        if self.ending.is_some() {
            return Needs::Nothing;
        }
        match (&self.wish, &self.file) {
            (Some(name), _) => Needs::File(name),
            (None, Some(file)) if file.has_room() => Needs::Content,
            _ if self.keyboard.has_room() => Needs::Typed,
            _ => Needs::Nothing,
        }
    }

    /// Takes what was typed, when [`Self::needs`] has asked for it.
    pub fn typed(&mut self, now: Instant, octets: &[u8], out: &mut Out) {
        self.keyboard.push(octets);
        self.moved = now;
        self.go_on(now, out);
    }

    /// Nothing more will be typed.
    pub fn typed_end(&mut self, now: Instant, out: &mut Out) {
        self.keyboard.end();
        self.go_on(now, out);
    }

    /// Takes octets of the file that was asked for; none are its end, an error is why it cannot be read.
    pub fn content(&mut self, now: Instant, octets: Result<&[u8], String>, out: &mut Out) {
        let name = self.wish.take();
        match octets {
            Ok(octets) => {
                let file = self.file.get_or_insert_default();
                match octets {
                    [] => file.end(),
                    _ => file.push(octets),
                }
                self.go_on(now, out);
            }
            Err(why) => {
                let name = secret::printable(&name.unwrap_or_default());
                let line = self.keyboard.number().saturating_sub(1);
                self.fail(format!("line {line}: cannot read {name}: {why}"), out);
            }
        }
    }

    /// The server's octets: shown, and listened to.
    fn hear(&mut self, now: Instant, mut octets: &[u8], out: &mut Out) {
        self.moved = now;
        while !octets.is_empty() && self.ending.is_none() {
            if self.peer == Peer::StartingTls {
                // RFC 3207 §6: whoever is between could have said it.
                return self.fail(
                    format!(
                        "{} octets came in the clear where TLS was to begin (RFC 3207 section 6); they are not believed",
                        octets.len()
                    ),
                    out,
                );
            }
            let before = octets;
            let cut = self.lines.cut(&mut octets);
            self.screen.received(&before[..before.len() - octets.len()]);
            if cut != Cut::Nothing {
                self.line_came(cut, out);
                // Before the next line is looked at: so it does not matter how they were cut on their way.
                self.go_on(now, out);
            }
        }
        if self.ending == Some(Ending::Done) {
            self.screen.received(octets);
        }
    }

    fn line_came(&mut self, cut: Cut, out: &mut Out) {
        if self.judge.is_none() {
            self.protocol = reply::greets(self.lines.line());
            self.judge = self.protocol.map(Judge::new);
        }
        let (Some(protocol), Some(judge)) = (self.protocol, &mut self.judge) else {
            let said = short(secret::printable(self.lines.line()));
            return self.fail(
                format!(
                    "no mail server greets like this: {said:?}; name the protocol (--smtp, --lmtp, --pop3, --imap) if it is one all \
                     the same"
                ),
                out,
            );
        };
        let greets = self
            .awaited
            .front()
            .is_some_and(|awaited| awaited.what == What::Greeting);
        if greets
            && !judge.goes_on()
            && let Some(other) = reply::greets_otherwise(protocol, self.lines.line())
        {
            let said = short(secret::printable(self.lines.line()));
            let (other, protocol) = (other.name(), protocol.name());
            return self.fail(
                format!("this is a server of {other}, not of {protocol}: {said:?}"),
                out,
            );
        }
        let verdict = judge.line(cut, &mut self.lines, self.awaited.iter());
        let line = self.lines.line().to_owned();
        if self.reads_instructions() {
            let kind = match verdict {
                Verdict::Content => Kind::Content,
                Verdict::Whole(_) => Kind::Last,
                _ => Kind::Words,
            };
            self.heard.push(kind, &line);
        }
        let mut answered = None;
        match verdict {
            Verdict::Unasked | Verdict::Part | Verdict::Content => {}
            Verdict::UnaskedReply => self.reply_came_unasked(),
            Verdict::More => self.more_is_asked_for(),
            Verdict::Whole(sign) => {
                answered = self.take_awaited(&line);
                if let Some(awaited) = &answered {
                    self.is_answered(awaited, sign, out);
                }
            }
        }
        if let Some(explainer) = &mut self.explainer {
            let goes_on = self.judge.as_ref().is_some_and(Judge::goes_on);
            let to = answered.as_ref().map(|awaited| awaited.shown.as_str());
            if let Some((reply, lines)) = explainer.line(protocol, verdict, goes_on, &line, to) {
                self.screen.explain(&reply, &lines);
            }
        }
        self.look_at_expectation(protocol, &line, out);
    }

    /// The reply that this line ends.
    fn take_awaited(&mut self, line: &[u8]) -> Option<Awaited> {
        let at = match self.protocol {
            Some(Protocol::Imap) => {
                let tag = reply::tag(line);
                let by_tag = self.awaited.iter().position(|awaited| awaited.tag == tag);
                by_tag.unwrap_or(0)
            }
            _ => 0,
        };
        self.awaited.remove(at)
    }

    fn is_answered(&mut self, awaited: &Awaited, sign: Sign, out: &mut Out) {
        match (awaited.what, sign) {
            (What::Data, Sign::No) => {
                if self.typing == Typing::Text {
                    // It was sent ahead, and is no text after all.
                    self.typing = Typing::Commands;
                }
                self.awaited.retain(|awaited| awaited.what != What::Text);
                self.leave_out(LeftOut::Text);
            }
            (What::Auth, Sign::No) => self.leave_out(LeftOut::Answers),
            (What::Recipient, Sign::Yes) => self.recipients += 1,
            (What::Anew | What::Text | What::LastChunk, _) => self.recipients = 0,
            (What::StartTls, Sign::Yes) => {
                self.peer = Peer::StartingTls;
                out.start_tls();
            }
            _ => {}
        }
        if self.protocol == Some(Protocol::Imap) {
            match self.typing {
                Typing::BeforeLiteral(octets) => {
                    self.typing = Typing::Commands;
                    self.leave_out(LeftOut::Literal(octets));
                }
                Typing::Answer => self.typing = Typing::Commands,
                _ => {}
            }
        } else if self.typing == Typing::Answer {
            self.typing = Typing::Commands;
        }
    }

    fn leave_out(&mut self, what: LeftOut) {
        if self.reads_instructions() {
            self.refused = Some(Refused {
                what,
                has_begun: false,
            });
        }
    }

    /// The server wants what comes next.
    fn more_is_asked_for(&mut self) {
        self.was_asked = true;
        let said_ahead = self.awaited.len() > 1;
        let Some(first) = self.awaited.front() else {
            return;
        };
        match (self.typing, first.what) {
            (_, What::Data) => {
                self.awaited.pop_front();
                if self.typing == Typing::Commands && !said_ahead {
                    self.typing = Typing::Text;
                    self.text = TextEnd::default();
                }
            }
            (Typing::BeforeLiteral(octets), _) => self.typing = literal_or_rest(octets),
            // What was sent after it, without waiting, is the answer.
            (Typing::Commands, _) if said_ahead => {
                self.awaited.remove(1);
            }
            (Typing::Commands, _) => self.typing = Typing::Answer,
            _ => {}
        }
    }

    /// A reply that nobody waits for. No server speaks into a text: one that does has taken it for ended, or given up.
    fn reply_came_unasked(&mut self) {
        if self.typing == Typing::Text {
            self.typing = Typing::Commands;
            self.recipients = 0;
            self.screen.note(
                "the server has answered in the middle of the text: lines are commands again",
            );
        }
    }

    fn tls_is_up(&mut self, now: Instant, info: &TlsInfo) {
        self.moved = now;
        self.lines = Lines::default();
        self.judge = self.protocol.map(Judge::new);
        self.recipients = 0;
        if self.peer == Peer::StartingTls {
            self.peer = Peer::Talks;
        }
        let certificate = self.options.certificate;
        self.screen.note(&format!(
            "TLS is up: {} {}, {certificate}",
            info.version, info.cipher
        ));
    }

    fn peer_ended(&mut self, out: &mut Out) {
        self.peer = Peer::Ended;
        let expecting = self.expecting.take();
        if let Some(Expecting {
            text: Some(text),
            line,
            ..
        }) = expecting
        {
            return self.fail_expectation(line, &text, "the server closed", out);
        }
        if let Some(awaited) = self.awaited.front() {
            let what = describe(awaited);
            return self.fail(format!("the server closed {what}"), out);
        }
        let within = match self.typing {
            Typing::Commands | Typing::Answer => None,
            Typing::Text => Some("the message's text"),
            Typing::Chunk(_) => Some("a chunk"),
            Typing::BeforeLiteral(_) | Typing::Literal(_) | Typing::Rest => Some("a command"),
        };
        if let Some(within) = within {
            return self.fail(format!("the server closed in the middle of {within}"), out);
        }
        if self.options.keyboard == Keyboard::Terminal {
            self.finish(Ending::Done, out);
        }
    }

    fn time_is_up(&mut self, now: Instant, out: &mut Out) {
        if let Some(expecting) = self.expecting.take_if(|expecting| expecting.until <= now) {
            return match &expecting.text {
                Some(text) => {
                    self.fail_expectation(expecting.line, text, "it did not come in time", out);
                }
                None => self.fail_end_expected(expecting.line, "it keeps the connection", out),
            };
        }
        if self.leave.is_some_and(|leave| leave <= now) {
            return self.finish(Ending::Done, out);
        }
        self.hold.take_if(|hold| *hold <= now);
        if self.idle_until().is_none_or(|until| until > now) {
            return;
        }
        match self.awaited.front() {
            Some(awaited) if awaited.what != What::Idle => {
                let what = describe(awaited);
                let seconds = self.options.idle.unwrap_or_default().as_secs_f64();
                self.fail(format!("nothing came for {seconds} seconds {what}"), out);
            }
            _ => self.finish(Ending::Done, out),
        }
    }

    /// When nothing has moved for too long. An expectation has its own time.
    fn idle_until(&self) -> Option<Instant> {
        let idle = self.options.idle.filter(|_| self.expecting.is_none())?;
        self.moved.checked_add(idle)
    }

    /// Sends what may be sent now.
    fn go_on(&mut self, now: Instant, out: &mut Out) {
        while self.may_send(now, out) && self.step(now, out) {}
    }

    fn may_send(&self, now: Instant, out: &Out) -> bool {
        self.ending.is_none()
            && matches!(self.peer, Peer::Talks | Peer::Ended)
            && !out.is_full()
            && self.wish.is_none()
            && self.expecting.is_none()
            && self.hold.is_none_or(|hold| hold <= now)
            && match self.typing {
                Typing::Commands => self.awaited.is_empty(),
                Typing::BeforeLiteral(_) => false,
                Typing::Text
                | Typing::Chunk(_)
                | Typing::Literal(_)
                | Typing::Rest
                | Typing::Answer => true,
            }
    }

    /// Deals with one line, or with what there is of one; false when there is none.
    fn step(&mut self, now: Instant, out: &mut Out) -> bool {
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

    /// What a line of a script is to be done with, if it is not to be sent.
    fn instruction(&self, line: &[u8]) -> Option<Result<Instruction, String>> {
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
            Ok(Instruction::File(_)) => true,
            Ok(Instruction::Expect(_) | Instruction::Optional(_)) => self.was_asked,
            Ok(Instruction::Raw(_)) => self.is_script,
            Ok(Instruction::Sleep(_)) => self.is_script && self.was_asked,
            Ok(Instruction::ExpectEnd) | Err(_) => false,
        };
        counts.then_some(instruction)
    }

    fn instruct(
        &mut self,
        now: Instant,
        instruction: Result<Instruction, String>,
        line: usize,
        out: &mut Out,
    ) {
        self.is_script = true;
        self.refused = None;
        let protocol = self.protocol.unwrap_or(Protocol::Smtp);
        let patience = self.options.idle.unwrap_or(limits::EXPECT);
        let until = now.checked_add(patience).unwrap_or(now);
        match instruction {
            Err(why) => self.fail(format!("line {line}: {why}"), out),
            Ok(Instruction::Expect(text)) if self.heard.expect(protocol, &text) => {}
            Ok(Instruction::Expect(text)) if self.may_hear_more() => {
                self.expecting = Some(Expecting {
                    text: Some(text),
                    line,
                    until,
                });
            }
            Ok(Instruction::Expect(text)) => self.fail_expectation(line, &text, "", out),
            Ok(Instruction::Optional(text)) => self.heard.pass(protocol, &text),
            Ok(Instruction::ExpectEnd) if self.peer == Peer::Ended => {}
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
            Ok(Instruction::File(name)) => self.wish = Some(name),
        }
    }

    /// Whether a line may come although no reply is awaited.
    fn may_hear_more(&self) -> bool {
        let idles = self
            .awaited
            .front()
            .is_some_and(|awaited| awaited.what == What::Idle);
        self.peer == Peer::Talks && (idles || self.sent_raw)
    }

    fn look_at_expectation(&mut self, protocol: Protocol, line: &[u8], out: &mut Out) {
        let Some(expecting) = self.expecting.take() else {
            return;
        };
        match &expecting.text {
            None => {
                let came = short(secret::printable(line));
                self.fail_end_expected(expecting.line, &format!("it said: {came}"), out);
            }
            Some(text) if self.heard.expect(protocol, text) => {}
            Some(_) => self.expecting = Some(expecting),
        }
    }

    /// Whether a line belongs to what was refused, and so is not sent.
    fn is_left_out(&mut self, line: &[u8], number: usize) -> bool {
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

    /// Gives an IMAP command a tag if it has none.
    fn tag(&mut self, line: &mut Vec<u8>) {
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
    fn say(&mut self, now: Instant, octets: &[u8], out: &mut Out) {
        self.heard.clear();
        self.was_asked = false;
        if let Some(explainer) = &mut self.explainer {
            explainer.begin();
        }
        out.bytes(octets);
        self.moved = now;
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

    fn line_was_said(&mut self) {
        let spoken = std::mem::take(&mut self.spoken);
        let line = spoken.strip_suffix(b"\n").unwrap_or(&spoken);
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let protocol = self.protocol.unwrap_or(Protocol::Smtp);
        let follows = match self.typing {
            // The reply to the exchange is still awaited.
            Typing::Answer => Follows::Reply,
            Typing::Rest => speech::literal(line),
            _ => {
                let (awaited, follows) = speech::command(protocol, line);
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

    fn text_was_said(&mut self) {
        let replies = match self.protocol {
            Some(Protocol::Lmtp) => self.recipients.max(1),
            _ => 1,
        };
        for _ in 0..replies {
            self.awaited.push_back(Awaited::text());
        }
        self.typing = Typing::Commands;
    }

    /// Input is at its end, and all that came of it is dealt with.
    fn input_ended(&mut self, now: Instant, out: &mut Out) {
        let idles = self
            .awaited
            .front()
            .is_some_and(|awaited| awaited.what == What::Idle);
        let unfinished = match self.typing {
            Typing::Commands => None,
            Typing::Answer if idles => None,
            Typing::Text => {
                Some("input ended in the middle of the message: no line was a dot alone")
            }
            Typing::Chunk(_) => {
                Some("input ended in the middle of a chunk: BDAT said that there was more")
            }
            Typing::BeforeLiteral(_) | Typing::Literal(_) => {
                Some("input ended in the middle of a literal: its number said that there was more")
            }
            Typing::Rest => Some(
                "input ended before the command's last line (after a literal an empty line may end it)",
            ),
            Typing::Answer => Some("input ended where the server waits for an answer"),
        };
        if let Some(why) = unfinished {
            return self.fail(why.to_owned(), out);
        }
        match self.options.stay {
            _ if self.peer == Peer::Ended => self.finish(Ending::Done, out),
            Stay::No => self.finish(Ending::Done, out),
            Stay::For(duration) => {
                let leave = self.leave.or_else(|| now.checked_add(duration));
                self.leave = leave;
            }
            Stay::Forever => {}
        }
    }

    fn reads_instructions(&self) -> bool {
        self.options.keyboard == Keyboard::Other
    }

    fn fail_expectation(&mut self, line: usize, text: &[u8], why: &str, out: &mut Out) {
        let text = text.escape_ascii();
        let why = match why {
            "" => String::new(),
            why => format!(" ({why})"),
        };
        let report = format!(
            "line {line}: a line that begins with \"{text}\" was expected{why}, and this is what came:\n    {}",
            self.heard.shown()
        );
        self.finish(Ending::Failed(Failure::Expectation(report)), out);
    }

    fn fail_end_expected(&mut self, line: usize, why: &str, out: &mut Out) {
        let report = format!("line {line}: the server was expected to close, but {why}");
        self.finish(Ending::Failed(Failure::Expectation(report)), out);
    }

    fn cannot_send(&mut self, line: usize, said: &[u8], out: &mut Out) {
        let shown = match self.typing {
            Typing::Answer => "********".to_owned(),
            _ => short(secret::shown(said.trim_ascii_end())),
        };
        self.fail(
            format!("line {line} cannot be sent, the server has closed: {shown}"),
            out,
        );
    }

    fn fail(&mut self, why: String, out: &mut Out) {
        self.finish(Ending::Failed(Failure::Dialogue(why)), out);
    }

    fn finish(&mut self, ending: Ending, out: &mut Out) {
        self.ending = Some(ending);
        out.close();
    }
}

/// `before its greeting`, `before it answered "NOOP"`
fn describe(awaited: &Awaited) -> String {
    match awaited.what {
        What::Greeting => "before its greeting".to_owned(),
        What::Text => "before it answered the message".to_owned(),
        _ => format!("before it answered {:?}", awaited.shown),
    }
}

const fn literal_or_rest(octets: u64) -> Typing {
    match octets {
        0 => Typing::Rest,
        _ => Typing::Literal(octets),
    }
}

/// Takes what there is of `left` octets; how many are left, and what follows.
fn count(left: u64, octets: &[u8]) -> (u64, &[u8]) {
    let here = usize::try_from(left).map_or(octets.len(), |left| left.min(octets.len()));
    (left - here as u64, &octets[here..])
}

/// Where a message's text ends, in what is sent: `CRLF . CRLF`, or the lone dot of an empty one (RFC 5321 §4.1.1.4).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum TextEnd {
    #[default]
    LineStart,
    Dot,
    DotCr,
    Within,
    Cr,
}

impl TextEnd {
    /// Takes octets; where the text has ended, if it has.
    fn feed(&mut self, octets: &[u8]) -> Option<usize> {
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

    const fn is_line_start(self) -> bool {
        matches!(self, Self::LineStart)
    }
}

#[cfg(test)]
mod tests;
