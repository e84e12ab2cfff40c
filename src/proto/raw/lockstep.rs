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
//! Typed LF goes as CRLF, and nothing else is changed: no dot is stuffed, for a person types what goes on the wire. One
//! thing is added: in IMAP a line without a tag gets one, `A1`, `A2` and so on, never one that was typed. STARTTLS that
//! the server agrees to starts TLS, in any of the protocols; nothing that was heard before is believed after it (RFC
//! 3207 §4.2).
//!
//! What is received is shown octet by octet as it comes ([`Screen::received`]). Nobody else is shown anything of what is sent.
//!
//! **Scripts.** Where input is no terminal, these lines are instructions, and are not sent. The language is that of
//! Exim's test client, made to fit whole replies:
//!
//! | line | what it does | Exim's client |
//! |---|---|---|
//! | `??? text` | a line of the last reply, behind the last one that was expected, must begin with `text`. IMAP's last line may be given without its tag. In IDLE, and after `>>>`, it is waited for | the next line must |
//! | `???? text` | goes past the lines there that begin with `text`, if any do | the same |
//! | `???*` | the server must close, and say nothing before | the same |
//! | `+++ n` | waits n seconds (0.5 too) | the same |
//! | `>>> raw` | sends `raw` without CRLF, and waits for no reply to what is not a whole line | the same |
//! | `<<< file` | sends the lines of the file, in message text with their dots stuffed; no line of it is an instruction | runs it as a script |
//! | `**** text` | nothing: it is a title, which is shown, and told where an expectation fails | the same |
//!
//! `text` and `raw` may hold `\r \n \t \xHH \\`; any other backslash is one. What was not expected is passed over when
//! the next line is sent. Within message text and literals lines are text: there only `<<<` counts, and, in a script
//! that had an instruction before, `>>>`; and before their first line what is expected of the server that has asked for
//! them (`??? 354`). So mail that quotes `>>> like this` can be piped through. An expectation that fails ends the
//! session ([`Failure::Expectation`]), or, where all are to be checked ([`Checks::All`]), is told of and counted.
//!
//! **What was meant as text is not sent as commands.** When DATA, a literal or AUTH is refused and input is no
//! terminal, the lines that were to follow are left out, and a note says so - unless the next line is a known command,
//! or an instruction: then the script knew.
//!
//! A server that closes before a reply is complete, and one that says nothing for as long as it was given, fail ([`Failure`]).

mod hear;
mod instruct;
mod say;

use std::collections::VecDeque;
use std::fmt;
use std::time::{Duration, Instant};

use super::explain::Explainer;
use super::reply::{Judge, Lines};
use super::script::Heard;
use super::speech::{Awaited, What};
use super::typed::Typed;
use super::{Keyboard, Protocol};
use crate::proto::{Input, Out, Session};
use crate::wire::codes::Lang;
use crate::wire::lines::Want;
use crate::wire::secret;
use say::TextEnd;

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
    /// Which expectations of a script are told of.
    pub checks: Checks,
    /// How long each reply took is told.
    pub timing: Timing,
}

/// Whether it is told how long replies take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Timing {
    /// It is.
    Told,
    /// It is not.
    Untold,
}

/// What an expectation that does not come true does to a script.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Checks {
    /// It ends it.
    First,
    /// It is told of, and the script goes on; all are counted at the end.
    All,
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
    Open(&'a [u8]),
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
    tally: Tally,
    /// What the script calls this part of it.
    title: Option<String>,
    /// What was said last, as it may be shown, and what in it may not.
    said: String,
    secret: Vec<u8>,
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
    /// When the reply that comes next began to be waited for.
    asked: Instant,
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

/// How many expectations came true, and how many did not.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Tally {
    met: usize,
    missed: usize,
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
            tally: Tally::default(),
            title: None,
            said: String::new(),
            secret: Vec::new(),
            refused: None,
            sent_raw: false,
            was_asked: false,
            moved: now,
            hold: None,
            leave: None,
            ending: None,
            asked: now,
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
            (Some(name), _) => Needs::Open(name),
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

    fn peer_ended(&mut self, out: &mut Out) {
        self.peer = Peer::Ended;
        match self.expecting.take() {
            Some(Expecting {
                text: Some(text),
                line,
                ..
            }) => self.fail_expectation(line, &text, "the server closed", out),
            Some(_) => self.tally.met += 1,
            None => {}
        }
        if self.ending.is_some() {
            return;
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

    fn fail(&mut self, why: String, out: &mut Out) {
        self.finish(Ending::Failed(Failure::Dialogue(why)), out);
    }

    fn finish(&mut self, ending: Ending, out: &mut Out) {
        self.ending = Some(match self.options.checks {
            Checks::First => ending,
            Checks::All => self.checked(ending),
        });
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

#[cfg(test)]
mod tests;
