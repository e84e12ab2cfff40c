//! The session between a connection and the real one.
//!
//! | what happens | where it is done |
//! |---|---|
//! | a reply, a full disk, garbage | here: the real session never sees the command, nor its literals or its chunk |
//! | the same when a message is whole | in the real session, by [`Spoil`]: it has the message half written |
//! | a delay | here: the command waits, and nothing is cut meanwhile |
//! | throttle | in `flow`: what was said waits in [`Work::pent`], what comes in is cut piece by piece |
//! | wrong and missing octets | here, in [`Edits`] |
//! | a fault of TLS | the reactor, which asks [`Session::showing`] |

mod flow;

use std::net::IpAddr;
use std::ops::Range;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::edits::Edits;
use super::moment::{self, At, Command, Moment};
use super::words::{self, Answer, Then};
use super::{Decision, Family, Faults, Ticket};
use crate::limits;
use crate::proto::{Input, Job, Out, Session, Spoil, Standing, Wish};
use crate::tap::note;
use crate::wire::fault::{Magic, MagicAt, Outcome, Said, Showing};
use crate::wire::imap::scan::{LiteralKind, announced};
use crate::wire::lines::Want;
use crate::wire::smtp::parameters::size;
use crate::wire::smtp::{Enhanced, Reply};

/// A session in which things may go wrong. See the module.
pub(super) struct Faulty {
    inner: Box<dyn Session>,
    faults: Arc<Faults>,
    family: Family,
    token: u64,
    address: Option<IpAddr>,
    tls: bool,
    /// There is none while there are no rules.
    work: Option<Box<Work>>,
}

/// What is known of a session in which things may go wrong, and what it is in the middle of.
#[derive(Default)]
struct Work {
    ticket: Ticket,
    /// The name that is about to log in.
    name: Option<String>,
    from: Option<String>,
    to: Vec<String>,
    /// What a recipient's name asks for when the message is whole.
    magic: Option<(String, Magic)>,
    /// Messages begun on this connection.
    messages: u64,
    /// The command that is being done.
    verb: String,
    /// Rules were asked about the text that comes in.
    text_seen: bool,
    /// Octets of it that still come in before the connection ends.
    text_left: Option<u64>,
    /// Something waits for its time.
    hold: Option<(Instant, Box<Held>, Decision)>,
    /// What was refused is read first.
    discard: Option<Discard>,
    edits: Edits,
    /// Said, and on its way; the first `sent` octets are gone.
    pent: Vec<u8>,
    sent: usize,
    /// What the real session wants when all of it is gone.
    job: Option<Job>,
    wish: Option<Wish>,
    room: bool,
    /// Octets a second.
    throttle: Option<u64>,
    /// When the next piece may go out, and when the next may come in.
    send_due: Option<Instant>,
    hear_due: Option<Instant>,
    /// When the real session was last given something, and when the client was last answered without it.
    passed: Option<Instant>,
    answered: Option<Instant>,
    eof: bool,
    closed: bool,
    /// The end will be no goodbye (TCP: RST).
    reset: bool,
}

/// What waits for its time.
#[derive(Debug)]
enum Held {
    Open,
    /// A command, and what was read of it.
    Line(Vec<u8>, Command),
    Text(Vec<u8>),
    TextEnd,
}

/// What was refused, and is read to its end before that is said.
struct Discard {
    octets: u64,
    /// After them comes the rest of a line, as in IMAP.
    line: bool,
    answer: Answer,
}

impl Faulty {
    pub(super) fn new(
        inner: Box<dyn Session>,
        faults: Arc<Faults>,
        family: Family,
        token: u64,
        address: Option<IpAddr>,
    ) -> Self {
        let mut faulty = Self {
            inner,
            faults,
            family,
            token,
            address,
            tls: false,
            work: None,
        };
        if faulty.faults.is_on() {
            let ticket = faulty.faults.enter(family, address);
            faulty.work().ticket = ticket;
        }
        faulty
    }

    fn work(&mut self) -> &mut Work {
        self.work.get_or_insert_default()
    }

    fn decide(
        &mut self,
        now: Instant,
        at: At<'_>,
        messages: &[(u64, u64)],
        one: &[String],
    ) -> Decision {
        let standing = self.inner.standing();
        let work = self.work.get_or_insert_default();
        let number = [(work.messages, work.messages)];
        let moment = Moment {
            now,
            family: self.family,
            at,
            token: self.token,
            address: self.address,
            user: standing.user,
            name: work.name.as_deref(),
            selected: standing.selected,
            tls: self.tls,
            from: work.from.as_deref(),
            to: if one.is_empty() { &work.to } else { one },
            messages: if self.family.is_smtp() && work.messages > 0 {
                &number
            } else {
                messages
            },
        };
        self.faults.decide(&moment, &mut work.ticket)
    }

    /// Begins what was decided: at once, or when its time has come.
    fn begin(&mut self, now: Instant, decision: Decision, held: Held, out: &mut Out) {
        for told in &decision.told {
            tell(self.token, told, out);
        }
        let work = self.work();
        if decision.throttle.is_some() {
            work.throttle = decision.throttle;
        }
        work.reset = decision.reset;
        if decision.delay.is_zero() {
            return self.act(now, decision, held, out);
        }
        work.hold = Some((now + decision.delay, Box::new(held), decision));
    }

    fn act(&mut self, now: Instant, decision: Decision, held: Held, out: &mut Out) {
        if decision.drop && decision.outcome.is_none() && decision.after.is_none() {
            return self.hang_up(out);
        }
        let family = self.family;
        let work = self.work();
        if let Held::Line(_, command) = &held {
            work.verb.clone_from(&command.verb);
        }
        work.edits = Edits::of(&decision, family, &work.verb);
        match (held, decision.outcome) {
            (Held::Open, None) => self.pass(now, Input::Open, out),
            (Held::Open, Some(outcome)) => {
                let answer = match words::said(&outcome, family) {
                    Some(said) => Answer::greeting(&said),
                    None => garbage(&outcome, decision.dice),
                };
                if answer.then == Then::GoOn && !decision.drop {
                    // It greets all the same, with other words.
                    work.edits.replace = Some(answer.octets);
                    return self.pass(now, Input::Open, out);
                }
                self.say(now, &answer.octets, Then::Close, out);
            }
            (Held::Line(line, command), None) => self.do_line(now, &line, &command, out),
            (Held::Line(line, command), Some(outcome)) => {
                let mut answer = match words::said(&outcome, family) {
                    Some(said) => Answer::of(&said, tag(&command)),
                    None => garbage(&outcome, decision.dice),
                };
                if decision.drop {
                    answer.then = Then::Close;
                }
                self.refuse(now, &line, &command, answer, out);
            }
            (Held::Text(text), _) => {
                work.text_left = decision.after;
                self.take_text(now, &text, out);
            }
            (Held::TextEnd, outcome) => {
                let after_reply = outcome.is_some() && decision.drop;
                self.spoil_message(outcome, decision.dice);
                self.forget_message();
                self.pass(now, Input::TextEnd, out);
                if after_reply {
                    self.work().wish = Some(Wish::Close);
                    self.flow(now, out);
                }
            }
        }
    }

    /// What the real session says once the message is whole.
    fn spoil_message(&mut self, outcome: Option<Outcome>, dice: u64) {
        let Some(outcome) = outcome else { return };
        let family = self.family;
        let reply = match words::said(&outcome, family) {
            Some(Said::Smtp(reply)) => reply,
            _ => {
                self.work().edits.replace = Some(garbage(&outcome, dice).octets);
                Reply::new(451, Enhanced(4, 3, 0), "Garbage was said in place of this")
            }
        };
        self.inner.spoil(Spoil::Message(reply));
    }

    /// A command of which nothing is done here. It is done there.
    fn do_line(&mut self, now: Instant, line: &[u8], command: &Command, out: &mut Out) {
        if self.family.is_smtp() {
            self.follow(now, line, command, out);
        }
        if self.work().hold.is_none() && !self.work().closed {
            self.pass(now, Input::Line(line), out);
        }
    }

    /// Notes what a command of SMTP says about its message.
    fn follow(&mut self, now: Instant, line: &[u8], command: &Command, out: &mut Out) {
        match &*command.verb {
            "RCPT" => {
                let recipient = moment::recipient(&line[command.arguments..]);
                let work = self.work();
                // As many as a message may have.
                if let Some(recipient) = recipient.filter(|_| work.to.len() < limits::RECIPIENTS) {
                    work.to.push(recipient);
                }
            }
            "DATA" | "BDAT" => {
                let arguments = &line[command.arguments..];
                let last = arguments.trim_ascii_end();
                let last = last.len() >= 4 && last[last.len() - 4..].eq_ignore_ascii_case(b"LAST");
                if command.verb == "DATA" || !last {
                    return;
                }
                // The message is whole with this chunk.
                let decision = self.whole(now, out);
                if decision.drop && decision.outcome.is_none() && decision.after.is_none() {
                    return self.hang_up(out);
                }
                if !decision.delay.is_zero() {
                    let rest = Decision {
                        delay: Duration::ZERO,
                        ..decision
                    };
                    let held = Box::new(Held::Line(
                        line.to_vec(),
                        Command {
                            verb: "LAST".to_owned(),
                            ..command.clone()
                        },
                    ));
                    self.work().hold = Some((now + decision.delay, held, rest));
                    return;
                }
                self.settle_last(&decision);
            }
            _ => {}
        }
    }

    /// The last chunk comes, and this becomes of the message.
    fn settle_last(&mut self, decision: &Decision) {
        let family = self.family;
        self.work().edits = Edits::of(decision, family, "BDAT");
        self.spoil_message(decision.outcome.clone(), decision.dice);
        self.forget_message();
    }

    /// What becomes of a message that is whole.
    fn whole(&mut self, now: Instant, out: &mut Out) -> Decision {
        let mut decision = self.decide(now, At::Message, &[], &[]);
        for told in decision.told.drain(..) {
            tell(self.token, &told, out);
        }
        if let Some((address, magic)) = self.work().magic.clone() {
            self.conjure(
                &address,
                &magic,
                &mut decision,
                "the end of the message",
                out,
            );
        }
        if decision.throttle.is_some() {
            self.work().throttle = decision.throttle;
        }
        self.work().reset = decision.reset;
        decision
    }

    fn forget_message(&mut self) {
        let work = self.work();
        work.from = None;
        work.to.clear();
        work.magic = None;
    }

    /// Does what a magic address asks for.
    fn conjure(
        &self,
        address: &str,
        magic: &Magic,
        decision: &mut Decision,
        at: &str,
        out: &mut Out,
    ) {
        let told = words::told_magic(address, at, magic.reply.map(|(code, _)| code));
        tell(self.token, &told, out);
        let (code, enhanced) = match magic.reply {
            Some(reply) => reply,
            None => {
                decision.delay = limits::FAULT_TIMEOUT;
                (451, "4.4.2")
            }
        };
        let text = format!("The address <{address}> asks for this");
        let reply = match Enhanced::split(enhanced) {
            Some((enhanced, _)) => Reply::new(code, enhanced, text),
            None => Reply::basic(code, text),
        };
        decision.outcome = Some(Outcome::Reply(Said::Smtp(reply)));
    }

    fn line(&mut self, now: Instant, line: &[u8], out: &mut Out) {
        if let Some(discard) = &mut self.work().discard {
            // The rest of a command whose literal was refused: it may go on with another.
            if let Some(literal) = announced(line)
                && literal.kind == LiteralKind::NonSynchronizing
            {
                discard.octets = literal.octets;
                return;
            }
            return self.discarded(now, out);
        }
        let command = match self.inner.standing().awaits_command {
            true => Command::read(self.family, line),
            false => None,
        };
        let Some(command) = command else {
            return self.pass(now, Input::Line(line), out);
        };
        let mut recipient = None;
        let work = self.work();
        work.text_seen = false;
        work.text_left = None;
        if command.name.is_some() {
            work.name.clone_from(&command.name);
        }
        if self.family.is_smtp() {
            let arguments = &line[command.arguments..];
            let work = self.work();
            match &*command.verb {
                "MAIL" => {
                    work.messages += 1;
                    work.from = moment::sender(arguments);
                    work.to.clear();
                    work.magic = None;
                }
                "RSET" | "HELO" | "EHLO" | "LHLO" => self.forget_message(),
                "RCPT" => recipient = moment::recipient(arguments),
                _ => {}
            }
        }
        let one: Vec<String> = recipient.clone().into_iter().collect();
        let at = At::Command {
            verb: &command.verb,
            login: command.login,
        };
        let mut decision = self.decide(now, at, &command.messages, &one);
        if self.family.is_smtp() && decision.outcome.is_none() && self.faults.has_magic() {
            self.magic(&command, recipient.as_deref(), &mut decision, out);
        }
        self.begin(now, decision, Held::Line(line.to_vec(), command), out);
    }

    /// Whether the sender or the recipient is a name that makes a fault.
    fn magic(
        &mut self,
        command: &Command,
        recipient: Option<&str>,
        decision: &mut Decision,
        out: &mut Out,
    ) {
        let of =
            |address: &str| Magic::of(address.rsplit_once('@').map_or(address, |(local, _)| local));
        match &*command.verb {
            "MAIL" => {
                let from = self.work().from.clone().unwrap_or_default();
                if let Some(magic) = of(&from).filter(|magic| magic.at == MagicAt::Mail) {
                    self.conjure(&from, &magic, decision, "MAIL", out);
                }
            }
            "RCPT" => {
                let to = recipient.unwrap_or_default();
                match of(to) {
                    Some(magic) if magic.at == MagicAt::Rcpt => {
                        self.conjure(to, &magic, decision, "RCPT", out);
                    }
                    Some(magic) if magic.at == MagicAt::Message => {
                        self.work().magic.get_or_insert((to.to_owned(), magic));
                        self.inner.spoil(Spoil::Recipient);
                    }
                    // It is taken, and goes into the queue.
                    Some(magic) if magic.at == MagicAt::Queue => {
                        self.inner.spoil(Spoil::Queued);
                    }
                    _ => {}
                }
            }
            _ => {}
        }
    }

    /// Answers a command that is not done, once all of it has come.
    fn refuse(
        &mut self,
        now: Instant,
        line: &[u8],
        command: &Command,
        answer: Answer,
        out: &mut Out,
    ) {
        if command.verb == "MAIL" {
            self.forget_message();
        }
        let (octets, rest) = match self.family {
            Family::Imap => match announced(line) {
                Some(literal) if literal.kind == LiteralKind::NonSynchronizing => {
                    (literal.octets, true)
                }
                _ => (0, false),
            },
            Family::Pop3 => (0, false),
            _ if command.verb == "BDAT" => {
                let arguments = String::from_utf8_lossy(&line[command.arguments..]);
                let octets = arguments.split_ascii_whitespace().next().and_then(size);
                (octets.unwrap_or(0), false)
            }
            _ => (0, false),
        };
        if octets == 0 && !rest {
            return self.say(now, &answer.octets, answer.then, out);
        }
        self.work().discard = Some(Discard {
            octets,
            line: rest,
            answer,
        });
    }

    fn discarded(&mut self, now: Instant, out: &mut Out) {
        if let Some(discard) = self.work().discard.take() {
            self.say(now, &discard.answer.octets, discard.answer.then, out);
        }
    }

    fn text(&mut self, now: Instant, text: &[u8], out: &mut Out) {
        if let Some(discard) = &mut self.work().discard {
            discard.octets = discard.octets.saturating_sub(text.len() as u64);
            if discard.octets == 0 && !discard.line {
                self.discarded(now, out);
            }
            return;
        }
        let work = self.work();
        let is_message = matches!(&*work.verb, "DATA" | "BDAT" | "APPEND" | "REPLACE" | "LAST");
        if is_message && !std::mem::replace(&mut work.text_seen, true) {
            let decision = self.decide(now, At::Text, &[], &[]);
            if !decision.told.is_empty() {
                return self.begin(now, decision, Held::Text(text.to_vec()), out);
            }
        }
        self.take_text(now, text, out);
    }

    fn take_text(&mut self, now: Instant, text: &[u8], out: &mut Out) {
        if let Some(left) = &mut self.work().text_left {
            let fits = usize::try_from(*left).unwrap_or(usize::MAX).min(text.len());
            *left -= fits as u64;
            if fits < text.len() || *left == 0 {
                return self.hang_up(out);
            }
        }
        self.pass(now, Input::Text(text), out);
    }

    fn text_end(&mut self, now: Instant, out: &mut Out) {
        let decision = match self.family.is_smtp() {
            true => self.whole(now, out),
            false => Decision::default(),
        };
        self.begin(now, decision, Held::TextEnd, out);
    }
}

impl Session for Faulty {
    fn want(&self) -> Want {
        match &self.work {
            None => self.inner.want(),
            Some(work) if work.is_busy() => Want::Nothing,
            Some(work) => match &work.discard {
                None => self.inner.want(),
                Some(discard) if discard.octets > 0 => Want::Octets(discard.octets),
                Some(_) => Want::Line {
                    max: limits::IMAP_LINE,
                },
            },
        }
    }

    fn handle(&mut self, now: Instant, input: Input<'_>, out: &mut Out) {
        if let Input::TlsUp(_) = &input {
            self.tls = true;
        }
        if self.work.is_none() && !self.faults.is_on() {
            return self.inner.handle(now, input, out);
        }
        match input {
            Input::Open => {
                let decision = self.decide(now, At::Connect, &[], &[]);
                self.begin(now, decision, Held::Open, out);
            }
            Input::Line(line) => {
                self.line(now, line, out);
                self.heard(now, line.len() + 2);
            }
            Input::Text(text) => {
                self.text(now, text, out);
                self.heard(now, text.len());
            }
            Input::TextEnd => self.text_end(now, out),
            Input::Timeout => self.timeout(now, out),
            Input::Room => {
                self.flow(now, out);
                if !self.work().is_busy() {
                    self.pass(now, Input::Room, out);
                }
            }
            Input::TlsUp(info) => {
                self.forget_message();
                self.work().name = None;
                self.pass(now, Input::TlsUp(info), out);
            }
            Input::Eof if self.work().is_busy() => self.work().eof = true,
            Input::Stop => {
                let work = self.work();
                (work.hold, work.discard, work.throttle) = (None, None, None);
                (work.send_due, work.hear_due) = (None, None);
                self.flow(now, out);
                if !self.work().closed {
                    self.pass(now, Input::Stop, out);
                }
            }
            other => self.pass(now, other, out),
        }
        // Without rules, and at rest, it is as if there had never been any.
        if !self.faults.is_on()
            && let Some(work) = &self.work
            && !work.is_busy()
            && !work.eof
            && work.discard.is_none()
            && work.edits.is_none()
        {
            self.work = None;
        }
    }

    fn deadline(&self) -> Option<Instant> {
        let Some(work) = &self.work else {
            return self.inner.deadline();
        };
        match work.due() {
            Some(due) => Some(due),
            None if work.closed => None,
            // A client that was answered here has not been silent.
            None => Some(self.inner.deadline()? + work.since_passed()),
        }
    }

    fn deadline_at_work(&self) -> Option<Instant> {
        match &self.work {
            None => self.inner.deadline_at_work(),
            // What it says would come to the client before what is held back.
            Some(work) if work.closed || work.hold.is_some() || !work.pent.is_empty() => None,
            Some(_) => self.inner.deadline_at_work(),
        }
    }

    fn reads_on(&self) -> bool {
        self.work.is_none() && !self.faults.is_on() && self.inner.reads_on()
    }

    fn secret_in(&self, piece: &[u8]) -> Option<Range<usize>> {
        let discards = self
            .work
            .as_ref()
            .is_some_and(|work| work.discard.is_some());
        // What is thrown away may have been a password.
        if discards {
            return Some(0..piece.len());
        }
        self.inner.secret_in(piece)
    }

    fn standing(&self) -> Standing<'_> {
        self.inner.standing()
    }

    fn spoil(&mut self, spoil: Spoil) {
        self.inner.spoil(spoil);
    }

    fn showing(&mut self, now: Instant, out: &mut Out) -> Showing {
        if !self.faults.is_on() {
            return Showing::Itself;
        }
        let decision = self.decide(now, At::Tls, &[], &[]);
        let Some(Outcome::Tls(showing)) = decision.outcome else {
            return Showing::Itself;
        };
        for told in &decision.told {
            tell(
                self.token,
                &format!("{told}: {}", words::shown(showing)),
                out,
            );
        }
        showing
    }
}

/// Says what goes wrong on purpose, in the log and to who looks on.
fn tell(token: u64, told: &str, out: &mut Out) {
    log::info!("session {token}: fault: {told}");
    out.note(note::FAULT, told);
}

fn garbage(outcome: &Outcome, dice: u64) -> Answer {
    let length = match outcome {
        Outcome::Garbage(length) => *length,
        _ => limits::FAULT_GARBAGE,
    };
    Answer {
        octets: words::garbage(length, dice),
        then: Then::GoOn,
    }
}

/// IMAP's tag, if it can be repeated.
fn tag(command: &Command) -> &str {
    let fit = command.tag.bytes().all(|octet| octet.is_ascii_graphic());
    if fit { &command.tag } else { "*" }
}
