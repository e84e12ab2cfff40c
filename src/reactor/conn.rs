//! One connection: moves bytes between a socket and a session, for servers and clients alike.
//!
//! It knows no poll and no token: its owner tells it what became [ready](Conn::ready), gives it a [turn](Conn::turn), does
//! what the [`Next`] says, and looks again when the time is [due](Conn::due).
//!
//! | phase | what is done | ends when |
//! |---|---|---|
//! | `Header` | what a load balancer says first, nothing else | it is whole: [`Next::Headed`]; it is none: `Gone` |
//! | `Handshake` | TLS messages, nothing else | TLS stands: `Talk`; it fails: alert, `Flush` |
//! | `Talk` | receive, [`pump`], send, compressed or not | [`Wish::StartTls`]: `Handshake`; [`Wish::Close`]: `Flush` |
//! | `Flush` | sends what is left and close_notify, throws away what comes | all is sent: shutdown, `Linger` |
//! | `Linger` | throws away what comes | the peer's end, [`limits::LINGER`], [`limits::LINGER_OCTETS`] |
//!
//! `Linger` is there because closing a socket with unread bytes in it sends RST, and RST makes the peer's system throw away the
//! reply that it has not read yet.
//!
//! What it keeps:
//! - the poll tells each edge once: only `WouldBlock` clears `writable`; that or a TCP socket's read that left room clears `readable`;
//! - a turn moves about [`limits::TURN`] octets at most; whoever has more to do has another turn after the others;
//! - while a job is outstanding, the session is given nothing, unless it [reads on](Session::reads_on); while its [`Out`] is full,
//!   nothing but that job's answer;
//! - memory: the receive buffer, [`Out`] up to twice [`limits::SEND_HIGH`], and with TLS a scratch buffer's worth each way; none
//!   of it while the connection is idle.

mod bytes;
mod packing;
mod scratch;

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use mio::event::Event;

use super::socket::Socket;
use super::tls::{Tls, TlsError};
use super::trouble::Trouble;
use super::watch::Watch;
use crate::limits;
use crate::proto::{Answer, Input, Job, Out, Session, TlsInfo, Wish, pump};
use crate::tap::{Attached, Piece, Side, Wire, note};
use crate::wire::lines::{LineReader, Want};
use crate::wire::proxy_header::{self, Progress, ProxyHeader};

use packing::Packing;
pub(super) use scratch::Scratch;

/// One connection. See the module.
pub(super) struct Conn {
    socket: Socket,
    side: Side,
    reader: LineReader,
    out: Out,
    tls: Option<Box<Tls>>,
    packing: Option<Box<Packing>>,
    phase: Phase,
    /// How long the peer may take nothing of what it is sent, in seconds.
    stall: u32,
    readable: bool,
    writable: bool,
    /// The poll has told of the peer's end: it is read up to there.
    hung_up: bool,
    /// The peer's end has been read, and all that came before it is in `reader`.
    ended: bool,
    /// The peer takes nothing any more.
    deaf: bool,
    owed: Owed,
    labour: Labour,
    trouble: Option<Box<Trouble>>,
    times: Times,
    watch: Attached<Watch>,
}

enum Phase {
    Header(Box<Header>),
    Handshake { since: Instant },
    Talk,
    Flush,
    Linger { since: Instant, left: usize },
}

/// What a load balancer has said so far of the header that comes first.
struct Header {
    since: Instant,
    octets: Vec<u8>,
}

/// Inputs that the session has not had yet.
#[derive(Default)]
struct Owed {
    /// Boxed, as all that an idle connection has no use for.
    tls_up: Option<Box<TlsInfo>>,
    open: bool,
    room: bool,
    changed: bool,
    eof: bool,
    stop: bool,
}

/// Where the session's job is; boxed, as all that an idle connection has no use for.
enum Labour {
    None,
    /// To be given to the pool.
    Asked(Box<Job>),
    Outstanding,
    Done(Box<Answer>),
}

struct Times {
    /// When the session was last given something.
    handled: Instant,
    /// When all that was said was last sent.
    drained: Instant,
    /// When the peer last took something, or something was first put in its way.
    progress: Instant,
    /// The deadline of which the session has been told.
    told: Option<Instant>,
}

/// What a connection needs after its turn.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// There is more to do: another turn, after the others.
    Again,
    /// Nothing until the poll, the pool or the clock says so.
    Wait,
    /// Everything is sent, nothing is pending: [`Conn::start_tls`].
    StartTls,
    /// A load balancer has said whose connection it is; what is next comes from there: [`Conn::begin`], or [`Conn::start_tls`].
    Headed(ProxyHeader),
    /// It is over: drop it.
    Gone,
}

impl Conn {
    /// A connection that stands, in the clear. `out` may hold something already.
    pub(super) fn new(socket: Socket, side: Side, out: Out, now: Instant) -> Self {
        Self {
            socket,
            side,
            reader: LineReader::new(),
            out,
            tls: None,
            packing: None,
            phase: Phase::Talk,
            stall: u32::try_from(limits::SEND_STALL.as_secs()).unwrap_or(u32::MAX),
            readable: false,
            writable: true,
            hung_up: false,
            ended: false,
            deaf: false,
            owed: Owed {
                open: true,
                ..Owed::default()
            },
            labour: Labour::None,
            trouble: None,
            times: Times {
                handled: now,
                drained: now,
                progress: now,
                told: None,
            },
            watch: Attached::new(None),
        }
    }

    /// Shows `wire` what crosses the socket from now on.
    pub(super) fn watch(&mut self, wire: Box<dyn Wire>) {
        self.watch = Attached::new(Some(Box::new(Watch::new(wire, self.side))));
    }

    /// Whether TLS is coming up.
    pub(super) const fn is_shaking(&self) -> bool {
        matches!(self.phase, Phase::Handshake { .. })
    }

    /// Whether all is said, and only the peer's end is waited for.
    pub(super) const fn is_lingering(&self) -> bool {
        matches!(self.phase, Phase::Linger { .. })
    }

    /// How long the peer may take nothing of what it is sent; a second at least.
    pub(super) fn set_stall(&mut self, stall: Duration) {
        self.stall = u32::try_from(stall.as_secs()).unwrap_or(u32::MAX).max(1);
    }

    /// The socket, to be registered.
    pub(super) fn socket(&mut self) -> &mut Socket {
        &mut self.socket
    }

    /// The poll has said so.
    pub(super) fn ready(&mut self, event: &Event) {
        let broken = event.is_error();
        self.hung_up |= broken || event.is_read_closed();
        self.readable |= self.hung_up || event.is_readable();
        self.writable |= broken || event.is_writable() || event.is_write_closed();
    }

    /// Begins the handshake: now for implicit TLS, after [`Next::StartTls`] otherwise.
    pub(super) fn start_tls(&mut self, tls: Tls, now: Instant) {
        self.reader.reset();
        self.tls = Some(Box::new(tls));
        self.phase = Phase::Handshake { since: now };
    }

    /// Waits for the header of a load balancer, before anything else.
    pub(super) fn expect_header(&mut self, now: Instant) {
        let (since, octets) = (now, Vec::new());
        self.phase = Phase::Header(Box::new(Header { since, octets }));
    }

    /// Begins in the clear, after a header.
    pub(super) fn begin(&mut self) {
        self.phase = Phase::Talk;
    }

    /// TLS cannot be started.
    pub(super) fn refuse_tls(&mut self, error: TlsError) {
        self.fail(Trouble::Tls(error));
    }

    /// The job that the session asked for, to be given to the pool.
    pub(super) fn take_job(&mut self) -> Option<Job> {
        if !matches!(self.labour, Labour::Asked(_)) {
            return None;
        }
        match std::mem::replace(&mut self.labour, Labour::Outstanding) {
            Labour::Asked(job) => Some(*job),
            _ => None,
        }
    }

    /// Whether the session has news for whoever ordered the connection.
    pub(super) const fn take_news(&mut self) -> bool {
        self.out.take_news()
    }

    /// The job is done; without an answer the connection cannot go on.
    pub(super) fn answer(&mut self, answer: Option<Answer>) {
        match answer {
            Some(answer) => self.labour = Labour::Done(Box::new(answer)),
            None => self.fail(Trouble::NoAnswer),
        }
    }

    /// Lets the session say something for another reason than what comes from the network: somebody has typed.
    pub(super) fn speak(&mut self, now: Instant, say: impl FnOnce(&mut Out)) {
        let quiet = self.out.is_empty();
        self.out.set_now(now);
        say(&mut self.out);
        self.settle(now, quiet);
    }

    /// Octets that were read from the socket before it became a connection: they come before what it brings.
    pub(super) fn heard_before(&mut self, octets: &[u8]) {
        self.reader = LineReader::with_capacity(limits::RECEIVE_BUFFER.max(octets.len()));
        self.reader.push(octets);
    }

    /// A mailbox has changed.
    pub(super) fn changed(&mut self) {
        self.owed.changed = true;
    }

    /// The program stops.
    pub(super) fn stop(&mut self) {
        match self.phase {
            Phase::Handshake { .. } | Phase::Header(_) => self.phase = Phase::Flush,
            _ => self.owed.stop = true,
        }
    }

    /// Whether the session is still needed.
    pub(super) fn is_talking(&self) -> bool {
        matches!(
            self.phase,
            Phase::Header(_) | Phase::Handshake { .. } | Phase::Talk
        )
    }

    /// Why it ended, unless by a goodbye.
    pub(super) fn take_trouble(&mut self) -> Option<Trouble> {
        self.trouble.take().map(|trouble| *trouble)
    }

    /// Has the taps told whose connection it is, which came by way of `proxy`.
    pub(super) fn note_client(&mut self, client: SocketAddr, proxy: Option<SocketAddr>) {
        self.out.note_client(client, proxy);
    }

    /// Has the taps told of it.
    pub(super) fn note_trouble(&mut self, trouble: &Trouble) {
        if self.out.is_tapped() {
            self.out.note(note::TROUBLE, &trouble.to_string());
        }
    }

    /// When [`Self::expire`] is to be called, unless something happens before.
    ///
    /// The session's deadline is about what the peer says, so it does not run while the peer has not had all of our last
    /// words, nor while a job is outstanding; then there may be another.
    pub(super) fn due(&self, session: Option<&dyn Session>) -> Option<Instant> {
        match &self.phase {
            Phase::Header(header) => Some(header.since + limits::PROXY_WAIT),
            Phase::Handshake { since } => Some(*since + limits::TLS_HANDSHAKE),
            Phase::Linger { since, .. } => Some(*since + limits::LINGER),
            Phase::Flush => Some(self.times.progress + limits::CLOSE_STALL),
            Phase::Talk if !self.all_sent() => {
                Some(self.times.progress + Duration::from_secs(self.stall.into()))
            }
            Phase::Talk if !matches!(self.labour, Labour::None) => session?.deadline_at_work(),
            Phase::Talk => {
                let deadline = session?.deadline()?;
                let sending = self.times.drained;
                let sending = sending.saturating_duration_since(self.times.handled);
                (self.times.told != Some(deadline)).then_some(deadline + sending)
            }
        }
    }

    /// What was [due](Self::due) has passed.
    pub(super) fn expire(&mut self, session: Option<&mut dyn Session>, now: Instant) {
        let sent = self.all_sent();
        match (&self.phase, session) {
            (Phase::Talk, Some(session)) if sent => {
                self.times.told = session.deadline();
                self.out.set_now(now);
                self.handle(session, now, Input::Timeout);
            }
            (Phase::Linger { .. }, _) => self.ended = true,
            (Phase::Header(_), _) => self.abandon(Trouble::Late("the PROXY header")),
            (Phase::Handshake { .. }, _) => self.fail(Trouble::Late("the TLS handshake")),
            _ => {
                self.abandon(Trouble::Late("reading what it was sent"));
            }
        }
    }

    /// Does what can be done now, within bounds. `session` is needed while [`Self::is_talking`].
    pub(super) fn turn(
        &mut self,
        mut session: Option<&mut dyn Session>,
        now: Instant,
        scratch: &mut Scratch,
    ) -> Next {
        let mut left = limits::TURN;
        self.out.set_now(now);
        loop {
            let step = match (&self.phase, &mut session) {
                (Phase::Header(_), _) => self.hear_header(),
                (Phase::Handshake { .. }, _) => self.shake(now, scratch),
                (Phase::Talk, Some(session)) => self.talk(&mut **session, now, scratch),
                (Phase::Talk, None) => return Next::Gone,
                (Phase::Flush, _) => self.flush(now, scratch),
                (Phase::Linger { .. }, _) => self.linger(scratch),
            };
            match step {
                Ok(Step::Moved(0)) => {
                    self.rest(scratch);
                    return Next::Wait;
                }
                // What is written while more is read is begun before.
                Ok(Step::Moved(_))
                    if matches!(self.labour, Labour::Asked(_))
                        && session.as_ref().is_some_and(|session| session.reads_on()) =>
                {
                    return Next::Again;
                }
                Ok(Step::Moved(octets)) if octets < left => left -= octets,
                Ok(Step::Moved(_)) => return Next::Again,
                // What comes next is made while this is sent.
                Ok(Step::Asked) => return Next::Again,
                Ok(Step::StartTls) => return Next::StartTls,
                Ok(Step::Headed(header)) => return Next::Headed(header),
                Ok(Step::Gone) => return Next::Gone,
                Err(trouble) => self.fail_or_abandon(trouble),
            }
        }
    }

    fn talk(
        &mut self,
        session: &mut dyn Session,
        now: Instant,
        scratch: &mut Scratch,
    ) -> Result<Step, Trouble> {
        let mut moved = 0;
        if self.out.wish().is_none() {
            moved += self.receive(scratch)?;
        }
        moved += self.feed(session, now);
        if matches!(self.labour, Labour::Asked(_)) && self.out.queued() >= limits::SEND_LOW as u64 {
            return Ok(Step::Asked);
        }
        moved += self.send(now, scratch)?;
        match self.out.wish() {
            Some(Wish::Close) => {
                self.phase = Phase::Flush;
                moved += 1;
            }
            Some(Wish::Reset) if self.all_sent() => {
                self.socket.reset_when_closed();
                if let Some(watch) = self.watch.observer() {
                    watch.has_reset();
                }
                return Ok(Step::Gone);
            }
            Some(Wish::StartTls) if self.all_sent() => {
                self.out.take_wish();
                if self.reader.pending() > 0 {
                    return Err(Trouble::Injection(self.reader.pending()));
                }
                return Ok(Step::StartTls);
            }
            Some(Wish::Compress) if self.all_sent() => {
                self.out.take_wish();
                let packer = scratch.packer.get_or_insert_default();
                self.packing = Some(Box::new(Packing::new(packer, &mut self.reader)));
                moved += 1;
            }
            Some(Wish::CompressNoMore) if self.all_sent() => {
                self.out.take_wish();
                if let Some(packing) = &mut self.packing {
                    packing.end();
                }
                moved += 1;
            }
            Some(Wish::Reset | Wish::StartTls | Wish::Compress | Wish::CompressNoMore) => {}
            // After its peer's end a session has nothing to wait for but its own deadline.
            None if self.ended
                && !self.owed.eof
                && self.is_idle()
                && session.deadline().is_none() =>
            {
                self.phase = Phase::Flush;
                moved += 1;
            }
            None => {}
        }
        Ok(Step::Moved(moved))
    }

    /// Reads of the header what belongs to it, and not an octet more.
    fn hear_header(&mut self) -> Result<Step, Trouble> {
        let Phase::Header(header) = &mut self.phase else {
            return Ok(Step::Moved(0));
        };
        let more = match proxy_header::read(&header.octets).map_err(Trouble::Header)? {
            Progress::Done(header) => return Ok(Step::Headed(header)),
            Progress::More(more) => more,
        };
        let mut octets = std::mem::take(&mut header.octets);
        let before = octets.len();
        octets.resize(before + more, 0);
        let read = self.read_exactly(&mut octets[before..])?;
        let Some(read) = read else {
            octets.truncate(before);
            if let Phase::Header(header) = &mut self.phase {
                header.octets = octets;
            }
            return Ok(Step::Moved(0));
        };
        if read == 0 {
            return Ok(Step::Gone);
        }
        octets.truncate(before + read);
        if let Phase::Header(header) = &mut self.phase {
            header.octets = octets;
        }
        Ok(Step::Moved(read))
    }

    fn shake(&mut self, now: Instant, scratch: &mut Scratch) -> Result<Step, Trouble> {
        let mut moved = self.receive(scratch)?;
        moved += self.send(now, scratch)?;
        if self.owed.tls_up.is_some() {
            self.phase = Phase::Talk;
            moved += 1;
        } else if self.ended {
            return Err(Trouble::LostInHandshake);
        }
        Ok(Step::Moved(moved))
    }

    fn flush(&mut self, now: Instant, scratch: &mut Scratch) -> Result<Step, Trouble> {
        let mut moved = self.discard(scratch)?;
        moved += self.send(now, scratch)?;
        if !self.all_sent() {
            return Ok(Step::Moved(moved));
        }
        if let Some(tls) = &mut self.tls
            && tls.say_goodbye()
        {
            return Ok(Step::Moved(1));
        }
        self.socket.shutdown_write().map_err(Trouble::Io)?;
        if let Some(watch) = self.watch.observer() {
            watch.has_shut_down();
        }
        self.out.show(self.side, Piece::Closed);
        self.reader = LineReader::new();
        self.packing = None;
        self.out.release();
        self.phase = Phase::Linger {
            since: now,
            left: limits::LINGER_OCTETS,
        };
        Ok(Step::Moved(1))
    }

    fn linger(&mut self, scratch: &mut Scratch) -> Result<Step, Trouble> {
        let moved = self.discard(scratch)?;
        let Phase::Linger { left, .. } = &mut self.phase else {
            return Ok(Step::Moved(moved));
        };
        *left = left.saturating_sub(moved);
        if self.ended || *left == 0 {
            return Ok(Step::Gone);
        }
        Ok(Step::Moved(moved))
    }

    /// Gives the session all that it may have now; 1 if that was anything.
    fn feed(&mut self, session: &mut dyn Session, now: Instant) -> usize {
        let mut fed = 0;
        loop {
            if let Some(input) = self.before_pump() {
                self.handle(session, now, input);
            } else if self.pump(session, now) {
            } else if let Some(input) = self.after_pump(session) {
                self.handle(session, now, input);
            } else {
                return fed;
            }
            fed = 1;
        }
    }

    fn before_pump(&mut self) -> Option<Input<'static>> {
        if self.out.wish().is_some() {
            return None;
        }
        match std::mem::replace(&mut self.labour, Labour::None) {
            Labour::None => {}
            Labour::Done(answer) => {
                // The session sees for itself whether there is room, and is told later only if there was none.
                self.owed.room = false;
                return Some(Input::Done(*answer));
            }
            busy => {
                self.labour = busy;
                return None;
            }
        }
        if let Some(info) = self.owed.tls_up.take() {
            return Some(Input::TlsUp(*info));
        }
        if std::mem::take(&mut self.owed.open) {
            return Some(Input::Open);
        }
        if self.owed.room && self.out.queued() <= limits::SEND_LOW as u64 {
            self.owed.room = false;
            return Some(Input::Room);
        }
        None
    }

    /// Whether the session took anything out of the reader.
    fn pump(&mut self, session: &mut dyn Session, now: Instant) -> bool {
        let reads_on = matches!(self.labour, Labour::Outstanding) && session.reads_on();
        let may = reads_on && self.out.wish().is_none() && !self.out.is_full();
        if !may && !self.may_feed() {
            return false;
        }
        let pending = self.reader.pending();
        let quiet = self.out.is_empty();
        pump(&mut self.reader, session, now, &mut self.out);
        let fed = self.reader.pending() != pending;
        if fed {
            self.settle(now, quiet);
        }
        fed
    }

    fn after_pump(&mut self, session: &dyn Session) -> Option<Input<'static>> {
        if !self.may_feed() {
            return None;
        }
        if std::mem::take(&mut self.owed.changed) {
            return Some(Input::Changed);
        }
        // A session that wants nothing now may want what is pending later: its end is not reached yet.
        let exhausted = session.want() != Want::Nothing || self.reader.pending() == 0;
        let exhausted = exhausted && self.is_unpacked();
        if self.owed.eof && exhausted && !self.owed.room {
            self.owed.eof = false;
            // A tap is shown it here, after what came before it: one TLS read can bring both.
            self.out.show(self.side.other(), Piece::Closed);
            return Some(Input::Eof);
        }
        std::mem::take(&mut self.owed.stop).then_some(Input::Stop)
    }

    fn may_feed(&self) -> bool {
        matches!(self.labour, Labour::None) && self.out.wish().is_none() && !self.out.is_full()
    }

    fn handle(&mut self, session: &mut dyn Session, now: Instant, input: Input<'_>) {
        let quiet = self.out.is_empty();
        session.handle(now, input, &mut self.out);
        self.settle(now, quiet);
    }

    /// Notes what a session left behind after it was given something.
    fn settle(&mut self, now: Instant, quiet: bool) {
        self.times.handled = now;
        if quiet {
            self.times.progress = now;
        }
        if self.out.is_full() {
            self.owed.room = true;
        }
        if let Some(job) = self.out.take_boxed_job() {
            self.labour = Labour::Asked(job);
        }
    }

    /// Nothing pending, nothing waiting, nothing outstanding.
    fn is_idle(&self) -> bool {
        self.all_sent()
            && self.is_unpacked()
            && matches!(self.labour, Labour::None)
            && self.out.wish().is_none()
    }

    /// Nothing more to do in this turn: gives memory back.
    fn rest(&mut self, scratch: &mut Scratch) {
        if matches!(self.labour, Labour::None) {
            self.reader.release_to(&mut scratch.spare);
        }
        self.out.release();
        if let Some(tls) = &mut self.tls {
            tls.release();
        }
        if let Some(packing) = &mut self.packing {
            packing.release();
        }
    }

    /// Ends it after what has been said and TLS's alert are sent.
    fn fail(&mut self, trouble: Trouble) {
        // After the last word it does not matter any more how the peer goes.
        if self.is_talking() {
            self.trouble = Some(Box::new(trouble));
        }
        self.labour = Labour::None;
        self.phase = Phase::Flush;
    }

    /// Ends it without another word.
    fn abandon(&mut self, trouble: Trouble) {
        self.fail(trouble);
        self.ended = true;
        self.phase = Phase::Linger {
            since: self.times.progress,
            left: 0,
        };
    }

    fn fail_or_abandon(&mut self, trouble: Trouble) {
        match trouble {
            Trouble::Tls(_) => {
                // Nothing more can be encrypted, but the alert that was is sent.
                self.drop_unsent();
                self.fail(trouble);
            }
            Trouble::Injection(_) => self.fail(trouble),
            _ => self.abandon(trouble),
        }
    }
}

enum Step {
    /// About so many octets; 0 if there is nothing to do now.
    Moved(usize),
    /// There is a job to be begun, and much to be sent.
    Asked,
    StartTls,
    Headed(ProxyHeader),
    Gone,
}
