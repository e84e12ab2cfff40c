//! The IMAP server's side of a session: IMAP4rev1 (RFC 3501) and IMAP4rev2 (RFC 9051), each with its extensions as
//! [`Server::capabilities`] tells.
//!
//! ```text
//!                        greeting
//!                           |
//!   STARTTLS           +-- NOT AUTHENTICATED --+
//!   LOGIN fails        +---> |                 |
//!                            | LOGIN, AUTHENTICATE
//!                            v                 |
//!   LIST CREATE STATUS +-- AUTHENTICATED ------+-- LOGOUT, timeout, too many mistakes --> * BYE, closed
//!   APPEND ...         +---> |  ^              |
//!              SELECT, EXAMINE  CLOSE, UNSELECT|
//!                            v  |              |
//!   FETCH STORE SEARCH +-- SELECTED -----------+
//!   COPY EXPUNGE ...   +---> |
//! ```
//!
//! | file | what |
//! |---|---|
//! | here | what comes in: lines, literals, the clock |
//! | [`login`] | who the client is |
//! | [`enable`] | what it switches on |
//! | [`execute`], [`selected`] | a command: an answer, or a job; the second has those on messages |
//! | [`admin`] | rights, and notes about mailboxes |
//! | [`append`], [`message`] | APPEND and REPLACE, whose messages are streamed |
//! | [`urls`] | URLs for others |
//! | [`states`] | what a session is, and what it is in the middle of |
//! | [`pending`] | what is remembered while a job runs |
//! | [`finish`], [`found`], [`news`] | a job's outcome: responses, what SEARCH found, what else is new, the tagged reply |
//! | [`multisearch`] | ESEARCH in other mailboxes |
//! | [`notify`] | NOTIFY: what is told between commands |
//! | [`progress`] | how far a command is |
//! | [`reply`] | status replies |
//!
//! What it keeps:
//! - One command at a time: what a client sends ahead waits, so sequence numbers mean what they meant when it was answered.
//! - A command's bytes are parsed where they lie; only a command with literals is gathered, within bounds. What is refused
//!   is consumed before it is answered: its octets are never read as commands.
//! - Removals are told when no numbers are in use (see [`super::view`]).
//! - `OK` to APPEND and COPY is made from the store's `Durable`.

mod admin;
mod append;
mod enable;
mod execute;
mod finish;
mod found;
mod login;
mod message;
mod multisearch;
mod news;
mod notify;
mod pending;
mod progress;
#[cfg(test)]
mod refusals;
mod reply;
mod selected;
mod states;
#[cfg(test)]
mod tests;
mod urls;

use std::ops::Range;
use std::sync::Arc;
use std::time::Instant;

use crate::limits;
use crate::proto::imap::awareness::Awareness;
use crate::proto::imap::context::Contexts;
use crate::proto::imap::work::{Watched, Work};
use crate::proto::imap::{Answer, Job};
use crate::proto::login::{Door, Origin};
use crate::proto::{self, Input, Out, Peer, Session, Standing, StartTls, TlsInfo};
use crate::store::Store;
use crate::wire::imap::command::{Access, Parsed, parse, scan_tag};
use crate::wire::imap::scan::{Literal, LiteralKind, Speech, Stop, announced};
use crate::wire::imap::secret;
use crate::wire::lines::Want;

use notify::Telling;
use pending::Pending;
use reply::Reply;
use states::{Asked, Caller, Doing, Ending, Phase, Refused, Selected, Switched};

/// What is the same for all sessions of a listener.
#[derive(Clone, Debug)]
pub struct Config {
    /// The server's name, as the greeting says it.
    pub hostname: String,
    /// Whether STARTTLS is to be had.
    pub start_tls: StartTls,
    /// Who may log in how. Share one among all listeners, so that guessing is slow on all of them.
    pub door: Arc<Door>,
}

/// One session. See the module.
pub struct Server {
    config: Arc<Config>,
    store: Arc<Store>,
    peer: Caller,
    /// Boxed, as all that an idle connection has no use for.
    tls: Option<Box<TlsInfo>>,
    phase: Phase,
    switched: Switched,
    doing: Doing,
    /// The lines and literals of the command so far, when it has literals.
    gathered: Vec<u8>,
    /// How many literals are in there.
    literals: usize,
    /// When the peer last did something.
    heard: Instant,
    /// Commands in a row that were not understood.
    errors: usize,
    /// Logins that failed.
    failures: usize,
    /// Exchanges that were begun.
    exchanges: u64,
    /// HIGHESTMODSEQ is to be told when the command is done.
    announces: bool,
    /// NOTIFY has been said.
    notify: Option<Box<Telling>>,
    /// Something has changed of which the client may have to be told.
    stirred: bool,
    /// When the command in progress came, or something was last said of how far it is.
    reported: Instant,
    /// COMPRESS is active (RFC 4978).
    compressed: bool,
    ending: Ending,
}

impl Server {
    /// A session for a connection that was just accepted.
    pub fn new(config: Arc<Config>, store: Arc<Store>, peer: Peer) -> Self {
        let heard = peer.accepted.instant;
        let peer = Caller {
            token: peer.token,
            origin: Origin::of(&peer),
            accepted: peer.accepted,
            seed: peer.seed,
            refused: peer.refused,
        };
        Self {
            config,
            store,
            peer,
            tls: None,
            phase: Phase::NotAuthenticated,
            switched: Switched {
                rev2: false,
                utf8: false,
                uid_only: false,
                aware: Awareness::None,
                notes: None,
            },
            doing: Doing::Command,
            gathered: Vec::new(),
            literals: 0,
            heard,
            errors: 0,
            failures: 0,
            exchanges: 0,
            announces: false,
            notify: None,
            stirred: false,
            reported: heard,
            compressed: false,
            ending: Ending::No,
        }
    }

    fn open(&self, out: &mut Out) {
        if self.peer.refused.is_some() {
            reply::bye(
                out,
                "too many connections now; close some, or try again later",
            );
            return;
        }
        let text = format!("{} IMAP4rev1 server ready", self.config.hostname);
        Reply::capabilities(self.capabilities(), text).say(out, "*");
    }

    fn line(&mut self, line: &[u8], out: &mut Out) {
        match std::mem::replace(&mut self.doing, Doing::Command) {
            Doing::Sasl(asked) => {
                let Asked {
                    tag,
                    mut exchange,
                    verdict,
                } = *asked;
                match (exchange.answer(line), announced(line)) {
                    (Ok(step), _) => self.sasl(tag, Ok((exchange, step)), verdict, out),
                    (Err(error), None) => self.sasl_ends(tag, error, out),
                    (Err(error), Some(literal)) => {
                        self.refuse_literal(literal, Refused::bad(&tag, error.to_string()), out);
                    }
                }
            }
            Doing::Idle { tag, .. } => self.idle_line(&tag, line, out),
            Doing::DiscardLine(refused) => self.refuse_line(line, *refused, out),
            Doing::MessageEnd(message) => self.message_ends(message, line, out),
            _ if self.gathered.is_empty() => self.command(line, out),
            _ => {
                let mut whole = std::mem::take(&mut self.gathered);
                whole.extend_from_slice(line);
                self.command(&whole, out);
            }
        }
    }

    /// A command, whole or up to a literal.
    fn command(&mut self, text: &[u8], out: &mut Out) {
        if let Some(literal) = announced(text) {
            self.command_with_literal(text, literal, out);
            return;
        }
        self.literals = 0;
        let speech = self.speech();
        let (tag, scanner) = match scan_tag(text) {
            Ok(tagged) => tagged,
            Err(problem) => {
                self.refuse(Refused::problem("*", problem), out);
                return;
            }
        };
        match parse(scanner.speaking(speech)) {
            Ok(Parsed::Command(command)) => {
                self.errors = 0;
                self.execute(tag, command, out);
            }
            Err(Stop::Problem(problem)) => self.refuse(Refused::problem(tag, problem), out),
            // CATENATE of URLs alone.
            Ok(Parsed::Append(append)) if append.head.literal().is_none() => {
                self.append(tag, append, out);
            }
            // Neither can be: the text does not end in a literal's announcement.
            Ok(Parsed::Append(_)) | Err(Stop::Literal(_)) => {
                self.refuse(Refused::bad(tag, "a literal is missing"), out);
            }
        }
    }

    /// `text` ends in `{octets}`: is it right so far?
    fn command_with_literal(&mut self, text: &[u8], literal: Literal, out: &mut Out) {
        let mut whole = Vec::with_capacity(text.len() + 2);
        whole.extend_from_slice(text);
        whole.extend_from_slice(b"\r\n");
        let speech = self.speech();
        let (tag, scanner) = match scan_tag(&whole) {
            Ok(tagged) => tagged,
            Err(problem) => {
                self.refuse_literal(literal, Refused::problem("*", problem), out);
                return;
            }
        };
        let mut parsed = parse(scanner.speaking(speech));
        let mut probe = Vec::new();
        if literal.octets == 0 && !matches!(parsed, Ok(Parsed::Append(_))) {
            // A literal of no octets is there already, and the scan went past it, into what has not come. Would one be right there?
            let open = memchr::memrchr(b'{', text).unwrap_or(0);
            probe.extend_from_slice(&text[..open]);
            probe.extend_from_slice(b"{1}\r\n");
            let scanned = scan_tag(&probe);
            if let Ok(Err(Stop::Literal(_))) =
                scanned.map(|(_, scanner)| parse(scanner.speaking(speech)))
            {
                parsed = Err(Stop::Literal(literal));
            }
        }
        match parsed {
            Err(Stop::Literal(literal)) => {
                let tag = tag.to_owned();
                self.gather(tag, whole, literal, out);
            }
            Ok(Parsed::Append(append)) => {
                self.literals = 0;
                self.append(tag, append, out);
            }
            Err(Stop::Problem(problem)) => {
                self.refuse_literal(literal, Refused::problem(tag, problem), out);
            }
            Ok(Parsed::Command(_)) => {
                let refused = Refused::bad(
                    tag,
                    "no literal may stand here: the command was whole before it",
                );
                self.refuse_literal(literal, refused, out);
            }
        }
    }

    /// A literal that belongs where it is, but may be too large.
    fn gather(&mut self, tag: String, whole: Vec<u8>, literal: Literal, out: &mut Out) {
        let room = limits::IMAP_COMMAND.saturating_sub(whole.len()) as u64;
        if literal.octets > room || self.literals >= limits::IMAP_LITERALS {
            let text = format!(
                "a command may have {} octets and {} literals at most, APPEND's message aside",
                limits::IMAP_COMMAND,
                limits::IMAP_LITERALS
            );
            let reply = Reply::bad_coded("TOOBIG", text);
            self.refuse_literal(literal, Refused { tag, reply }, out);
            return;
        }
        self.literals += 1;
        self.gathered = whole;
        if literal.kind == LiteralKind::Synchronizing {
            out.line(b"+ go on with the literal");
        }
        if literal.octets > 0 {
            self.doing = Doing::Literal(literal.octets);
        }
    }

    /// A line that is refused, with the literal that it may announce.
    fn refuse_line(&mut self, line: &[u8], refused: Refused, out: &mut Out) {
        match announced(line) {
            Some(literal) => self.refuse_literal(literal, refused, out),
            None => self.refuse(refused, out),
        }
    }

    /// A literal of a command that is refused: consumed if it comes unasked, and only then answered (RFC 7888 §4).
    fn refuse_literal(&mut self, literal: Literal, refused: Refused, out: &mut Out) {
        match literal.kind {
            // Its octets are not sent unless they are asked for.
            LiteralKind::Synchronizing => self.refuse(refused, out),
            LiteralKind::NonSynchronizing if literal.octets > limits::IMAP_DISCARD => {
                reply::bye_coded(
                    out,
                    "TOOBIG",
                    "so large a literal cannot even be thrown away",
                );
            }
            LiteralKind::NonSynchronizing => self.discard(literal.octets, refused),
        }
    }

    /// So many octets, and the rest of the line, are thrown away before a refusal is said.
    fn discard(&mut self, octets: u64, refused: Refused) {
        self.doing = if octets == 0 {
            Doing::DiscardLine(Box::new(refused))
        } else {
            Doing::Discard(octets, Box::new(refused))
        };
    }

    /// Says that a command is refused. Too many that are not even understood end the session.
    fn refuse(&mut self, refused: Refused, out: &mut Out) {
        self.doing = Doing::Command;
        self.gathered = Vec::new();
        self.literals = 0;
        let is_bad = refused.reply.is_bad();
        refused.reply.say(out, &refused.tag);
        if is_bad {
            self.errors += 1;
            if self.errors >= limits::ERRORS {
                reply::bye(
                    out,
                    "too many commands in a row that make no sense here; connect again, and try a1 CAPABILITY",
                );
            }
        }
        self.rest(out);
    }

    fn text(&mut self, text: &[u8], out: &mut Out) {
        let octets = text.len() as u64;
        match std::mem::replace(&mut self.doing, Doing::Command) {
            Doing::Literal(left) => {
                self.gathered.extend_from_slice(text);
                if left > octets {
                    self.doing = Doing::Literal(left - octets);
                }
            }
            Doing::Discard(left, refused) => self.discard(left.saturating_sub(octets), *refused),
            Doing::Message(message) => self.message_text(message, text, out),
            Doing::UrlLiteral(message, left) => self.url_text(message, left, text),
            other => self.doing = other,
        }
    }

    /// The session waits for the next command: the moment to end it, if it shall end.
    fn rest(&self, out: &mut Out) {
        if out.wish().is_some() || !matches!(self.doing, Doing::Command | Doing::Idle { .. }) {
            return;
        }
        match self.ending {
            Ending::No => {}
            Ending::PeerEnded => out.close(),
            Ending::Stop => reply::bye_coded(out, "UNAVAILABLE", STOPPING),
        }
    }

    fn end(&mut self, ending: Ending, out: &mut Out) {
        self.ending = ending;
        match self.doing {
            Doing::Job(_) | Doing::Room(..) => {}
            _ if out.wish().is_some() => {}
            _ if ending == Ending::PeerEnded => out.close(),
            _ => reply::bye_coded(out, "UNAVAILABLE", STOPPING),
        }
    }

    fn timeout(&mut self, now: Instant, out: &mut Out) {
        if matches!(self.doing, Doing::Job(_)) {
            self.say_progress(now, out);
            return;
        }
        match std::mem::replace(&mut self.doing, Doing::Command) {
            Doing::Pause(_, refused) => {
                self.refuse(*refused, out);
                if self.failures >= limits::LOGIN_FAILURES && out.wish().is_none() {
                    reply::bye(out, "too many wrong passwords on one connection");
                }
            }
            _ if matches!(self.phase, Phase::NotAuthenticated) => reply::bye(
                out,
                "nothing was heard for three minutes, and nobody has logged in; connect again",
            ),
            // RFC 3501 §5.4
            _ => reply::bye(out, "nothing was heard for half an hour; log in again"),
        }
    }

    /// TLS stands: all that was learnt before is forgotten (RFC 3501 §6.2.1).
    fn tls_up(&mut self, info: TlsInfo) {
        self.tls = Some(Box::new(info));
        self.phase = Phase::NotAuthenticated;
        self.switched = Switched::default();
        self.doing = Doing::Command;
        self.gathered = Vec::new();
        self.literals = 0;
        self.errors = 0;
        self.announces = false;
        self.notify = None;
    }

    /// What the client's octets mean, and how names are told to it.
    const fn speech(&self) -> Speech {
        self.switched.speech()
    }

    /// What is spoken now (RFC 3501 §7.2.1).
    fn capabilities(&self) -> String {
        let mut all = format!("{SPOKEN} APPENDLIMIT={}", limits::MESSAGE_SIZE);
        if matches!(self.phase, Phase::NotAuthenticated) {
            if self.tls.is_none() && self.config.start_tls == StartTls::Offered {
                all.push_str(" STARTTLS");
            }
            if self.may_take_password() {
                for mechanism in self.mechanisms() {
                    all.push_str(" AUTH=");
                    all.push_str(mechanism.name());
                }
            } else {
                all.push_str(" LOGINDISABLED");
            }
        }
        all
    }

    fn job(&mut self, work: Work, pending: Pending, out: &mut Out) {
        let frozen = self.is_frozen();
        let mut contexts = Vec::new();
        let watched = match &mut self.phase {
            Phase::Selected(_, selected) => Some(Watched {
                aware: self.switched.aware,
                // Who is not told of new messages does not take them from others.
                access: match frozen {
                    true => Access::ReadOnly,
                    false => {
                        contexts = std::mem::take(&mut selected.contexts);
                        selected.watched.access
                    }
                },
                ..selected.watched.clone()
            }),
            _ => None,
        };
        let contexts = match &self.phase {
            Phase::Selected(_, selected) if !contexts.is_empty() => Some(Box::new(Contexts {
                view: selected.view.clone(),
                all: contexts,
            })),
            _ => None,
        };
        self.doing = Doing::Job(Box::new(pending));
        out.job(proto::Job::Imap(Job {
            work,
            watched,
            notes: self.wants_notes(),
            contexts,
        }));
    }
}

/// What is always spoken: the two revisions, and RFC 7888, 4959, 5161, 2971, 2177, 2342, 3348, 3691, 4315, 6851, 6154, 5258,
/// 5819, 8438, 9586, 9585, 4978, 4469, 4467, 5524, 5550, 4731, 5182, 5032, 5256, 5957, 5267, 7377, 5465, 5255, 3502, 3516, 8508, 9394, 8437, 6855, 7162, 8474, 8514, 8970, 9208, 4314, 8440,
/// 5464, 9590.
const SPOKEN: &str = "IMAP4rev1 IMAP4rev2 LITERAL+ SASL-IR ENABLE CONDSTORE QRESYNC ID IDLE NAMESPACE CHILDREN UNSELECT UIDPLUS MOVE \
                      SPECIAL-USE CREATE-SPECIAL-USE LIST-EXTENDED LIST-STATUS STATUS=SIZE ESEARCH SEARCHRES WITHIN SORT SORT=DISPLAY ESORT THREAD=ORDEREDSUBJECT THREAD=REFERENCES THREAD=REFS \
                      I18NLEVEL=1 COMPRESS=DEFLATE UIDONLY MULTIAPPEND CATENATE URLAUTH URLAUTH=BINARY URL-PARTIAL INPROGRESS BINARY ACL RIGHTS=texk LIST-MYRIGHTS METADATA METADATA-SERVER LIST-METADATA \
                      REPLACE PARTIAL CONTEXT=SEARCH CONTEXT=SORT MULTISEARCH NOTIFY UNAUTHENTICATE UTF8=ACCEPT QUOTA QUOTA=RES-STORAGE QUOTA=RES-MESSAGE OBJECTID SAVEDATE PREVIEW";

const STOPPING: &str = "the server is stopping; connect again later";

impl Session for Server {
    fn want(&self) -> Want {
        match &self.doing {
            Doing::Command
            | Doing::DiscardLine(_)
            | Doing::Sasl(_)
            | Doing::MessageEnd(_)
            | Doing::Idle { .. } => Want::Line {
                max: limits::IMAP_LINE,
            },
            Doing::Literal(left) | Doing::Discard(left, _) | Doing::UrlLiteral(_, left) => {
                Want::Octets(*left)
            }
            Doing::Message(message) => Want::Octets(message.left),
            Doing::Job(_) | Doing::Room(..) | Doing::Pause(..) => Want::Nothing,
        }
    }

    fn handle(&mut self, now: Instant, input: Input<'_>, out: &mut Out) {
        match input {
            Input::Line(_) | Input::Text(_) | Input::Room | Input::Open => {
                self.heard = now;
                self.reported = now;
            }
            _ => {}
        }
        match input {
            Input::Open => self.open(out),
            Input::Line(line) => self.line(line, out),
            // Where it ended is not known, so neither is whether a literal follows: nothing after it can be trusted.
            Input::LongLine => reply::bye_coded(
                out,
                "TOOBIG",
                "that line was longer than 65536 octets; long texts go as literals",
            ),
            Input::Text(text) => self.text(text, out),
            Input::TextEnd => {}
            Input::TlsUp(info) => self.tls_up(info),
            Input::Done(proto::Answer::Imap(Answer {
                outcome,
                news,
                noted,
                contexts,
            })) => {
                if let (Some(contexts), Phase::Selected(_, selected)) = (contexts, &mut self.phase)
                {
                    selected.contexts = contexts.all;
                }
                if !self.tells_unasked() {
                    self.heard = now;
                }
                self.done(outcome, news, noted, out);
                self.rest(out);
            }
            Input::Done(_) => {}
            Input::Changed => self.changed(out),
            Input::Room => self.room(out),
            Input::Timeout => self.timeout(now, out),
            Input::Eof => self.end(Ending::PeerEnded, out),
            Input::Stop => self.end(Ending::Stop, out),
        }
        self.tell_unasked(out);
    }

    fn deadline(&self) -> Option<Instant> {
        match &self.doing {
            Doing::Job(_) => None,
            Doing::Pause(until, _) => Some(*until),
            _ if matches!(self.phase, Phase::NotAuthenticated) => {
                Some(self.heard + limits::LOGIN_IDLE)
            }
            _ => Some(self.heard + limits::IMAP_IDLE),
        }
    }

    fn deadline_at_work(&self) -> Option<Instant> {
        self.progress_is_due()
    }

    fn secret_in(&self, piece: &[u8]) -> Option<Range<usize>> {
        match &self.doing {
            Doing::Sasl(_) => Some(0..piece.len()),
            Doing::Command | Doing::Literal(_) => secret::within(&self.gathered, piece),
            _ => None,
        }
    }

    fn standing(&self) -> Standing<'_> {
        Standing {
            user: match &self.phase {
                Phase::NotAuthenticated => None,
                Phase::Authenticated(account) | Phase::Selected(account, _) => Some(&account.name),
            },
            awaits_command: matches!(self.doing, Doing::Command) && self.gathered.is_empty(),
            selected: matches!(self.phase, Phase::Selected(..)),
        }
    }
}
