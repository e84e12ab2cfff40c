//! Sessions: each side of each protocol as a machine that does no I/O.
//!
//! A [`Session`] is told what arrived ([`Input`]) and answers into an [`Out`]. It owns no socket, reads no clock and
//! opens no file, so that a dialogue can be played without any of them: by the reactor, a test, a fuzzer. The contract:
//!
//! 1. [`Input::Open`] comes first (for implicit TLS [`Input::TlsUp`] comes before it).
//! 2. Before every cut the session is asked [`Session::want`]; what was cut comes to [`Session::handle`].
//! 3. A session may ask for one [`Job`] at a time. Until its [`Answer`] comes as [`Input::Done`], it wants
//!    [`Want::Nothing`]: bytes wait in the buffer, and the peer waits for the socket. One that can go on without the answer says
//!    so ([`Session::reads_on`]), and is given what it wants meanwhile, and nothing else.
//! 4. After [`Out::start_tls`] or [`Out::close`] nothing more is cut. `TlsUp` follows the first: forget everything
//!    that was learnt before.
//! 5. After every call, [`Session::deadline`] is asked anew, or [`Session::deadline_at_work`] while a job is outstanding; when it
//!    passes, [`Input::Timeout`] comes.
//! 6. [`Input::Eof`] comes once, after the last whole cut. [`Input::Stop`] asks for a goodbye at the next moment at which
//!    nothing accepted would be lost; a second one, for a goodbye now, whatever the peer is in the middle of.

pub mod client;
pub mod control;
pub mod exercise;
pub mod fault;
pub mod imap;
pub mod login;
mod out;
pub mod pop3;
pub mod prelude;
pub mod proxy;
pub mod raw;
pub mod smtp;

use std::net::SocketAddr;
use std::ops::Range;
use std::time::{Duration, Instant, SystemTime};

use crate::store::Store;
use crate::wire::fault::Showing;
use crate::wire::lines::{Cut, LineReader, Want};
use crate::wire::smtp::Reply;
use crate::wire::x509;

pub use self::out::{Front, Out, Wish};

/// One side of one conversation. See the module for the contract.
pub trait Session {
    /// How to cut the next bytes.
    fn want(&self) -> Want;
    /// Takes one input, and answers into `out`.
    fn handle(&mut self, now: Instant, input: Input<'_>, out: &mut Out);
    /// When [`Input::Timeout`] is due.
    fn deadline(&self) -> Option<Instant>;
    /// When [`Input::Timeout`] is due while a job is outstanding, for a session that has something to say meanwhile. It may ask for
    /// no other job then.
    fn deadline_at_work(&self) -> Option<Instant> {
        None
    }
    /// Whether it goes on taking what it [wants](Session::want) while its job is outstanding. It may ask for no other job then.
    fn reads_on(&self) -> bool {
        false
    }
    /// Which octets of this piece, about to be handled, are a password or its like; never past its end. Asked for each
    /// line and each piece of a literal when there is a tap, which is shown `********` in their place. All of a line
    /// that answers a challenge: `Some(0..piece.len())`; of `PASS secret`: `Some(5..11)`.
    fn secret_in(&self, _piece: &[u8]) -> Option<Range<usize>> {
        None
    }
    /// How far a server's session is, for who makes [faults](fault) in it.
    fn standing(&self) -> Standing<'_> {
        Standing::default()
    }
    /// Has something go wrong inside of a server's session that cannot be done from outside. Most have nothing to spoil.
    fn spoil(&mut self, _spoil: Spoil) {}
    /// How the server shows itself now that TLS starts; asked once each time, before it does.
    fn showing(&mut self, _now: Instant, _out: &mut Out) -> Showing {
        Showing::Itself
    }
}

/// How far a server's session is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Standing<'a> {
    /// Who is logged in.
    pub user: Option<&'a str>,
    /// The next line is a command: not an answer to a challenge, nor the rest of something.
    pub awaits_command: bool,
    /// A mailbox is selected (IMAP).
    pub selected: bool,
}

/// What goes wrong inside of a session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Spoil {
    /// The message that comes in is refused with this once it is whole; of a reply that is no refusal, it is lost.
    Message(Reply),
    /// The next recipient is taken, whoever it is: the message will be refused.
    Recipient,
    /// The next recipient is taken, whoever it is: the message goes into the queue, and its delivery will fail.
    Queued,
}

impl<S: Session + ?Sized> Session for &mut S {
    fn want(&self) -> Want {
        (**self).want()
    }
    fn handle(&mut self, now: Instant, input: Input<'_>, out: &mut Out) {
        (**self).handle(now, input, out);
    }
    fn deadline(&self) -> Option<Instant> {
        (**self).deadline()
    }
    fn deadline_at_work(&self) -> Option<Instant> {
        (**self).deadline_at_work()
    }
    fn reads_on(&self) -> bool {
        (**self).reads_on()
    }
    fn secret_in(&self, piece: &[u8]) -> Option<Range<usize>> {
        (**self).secret_in(piece)
    }
    fn standing(&self) -> Standing<'_> {
        (**self).standing()
    }
    fn spoil(&mut self, spoil: Spoil) {
        (**self).spoil(spoil);
    }
    fn showing(&mut self, now: Instant, out: &mut Out) -> Showing {
        (**self).showing(now, out)
    }
}

/// What can happen to a session.
#[derive(Debug)]
pub enum Input<'a> {
    /// The connection stands.
    Open,
    /// A line, without its line end; lent for the call.
    Line(&'a [u8]),
    /// A line was longer than wanted, and has been skipped.
    LongLine,
    /// A piece of text or of a literal; lent for the call.
    Text(&'a [u8]),
    /// Dot-text has ended.
    TextEnd,
    /// TLS stands.
    TlsUp(TlsInfo),
    /// The job that was asked for is done.
    Done(Answer),
    /// A mailbox that the session subscribed to has changed.
    Changed,
    /// The peer has read: a full [`Out`] has room again.
    Room,
    /// The deadline has passed.
    Timeout,
    /// The peer will send no more.
    Eof,
    /// The program is about to stop: say goodbye and close (421, `* BYE`, `-ERR`). The second time: at once.
    Stop,
}

impl<'a> From<Cut<'a>> for Input<'a> {
    fn from(cut: Cut<'a>) -> Self {
        match cut {
            Cut::Line(line) => Self::Line(line),
            Cut::LongLine => Self::LongLine,
            Cut::Text(text) => Self::Text(text),
            Cut::TextEnd => Self::TextEnd,
        }
    }
}

/// What a session may know about the TLS below it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TlsInfo {
    /// `TLSv1.3`
    pub version: &'static str,
    /// `TLS13_AES_256_GCM_SHA384`
    pub cipher: &'static str,
    /// The application protocol that was agreed on (ALPN, RFC 7301).
    pub alpn: Option<String>,
    /// The certificate that the peer showed, if it did.
    pub peer: Option<Box<PeerCertificate>>,
    /// What was thought of it.
    pub verdict: Verdict,
    /// The `tls-server-end-point` of the server's certificate (RFC 5929 §4), to which logins can be bound.
    pub end_point: Option<Box<[u8]>>,
}

/// What was thought of a certificate.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Verdict {
    /// Nobody looked at it.
    #[default]
    Unchecked,
    /// It is for whom it should be, and signed by who is trusted.
    Good,
    /// It is not, and was taken all the same: what is wrong with it.
    Tolerated(String),
}

impl std::fmt::Display for Verdict {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Unchecked => formatter.write_str("certificate not checked"),
            Self::Good => formatter.write_str("certificate verified"),
            Self::Tolerated(fault) => write!(formatter, "certificate NOT verified: {fault}"),
        }
    }
}

/// What a certificate says, and how to tell it from others.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PeerCertificate {
    /// Whom it is for, and who signed it.
    pub names: x509::Names,
    /// SHA-1 of the whole of it; [`x509::fingerprint`] writes it out.
    pub sha1: [u8; 20],
    /// SHA-256 of the whole of it.
    pub sha256: [u8; 32],
}

/// The one loop through which bytes reach a session: reactor, tests and fuzzers all call it.
pub fn pump(reader: &mut LineReader, session: &mut dyn Session, now: Instant, out: &mut Out) {
    out.set_now(now);
    while !out.is_full() && !out.is_blocked() {
        let want = session.want();
        let unstuffed =
            matches!(want, Want::DotText | Want::StrictText) && !reader.is_within_line();
        let Some(cut) = reader.cut(want) else { break };
        if out.is_tapped() {
            if unstuffed && matches!(cut, Cut::Text([b'.', ..])) {
                // Taps see what was said: with the dot that the reader took away.
                out.show_received(Cut::Text(b"."), None);
            }
            let secret = match cut {
                Cut::Line(piece) | Cut::Text(piece) => session.secret_in(piece),
                Cut::LongLine | Cut::TextEnd => None,
            };
            out.show_received(cut, secret);
        }
        session.handle(now, cut.into(), out);
    }
}

/// A session factory: what answers on a listener.
pub trait Service: Send + Sync {
    /// The name in logs and on screen: `smtp`, `submission`, `smtps`, `lmtp`, `pop3`, `pop3s`, `imap`, `imaps`.
    fn name(&self) -> &'static str;
    /// A session for a new connection.
    fn session(&self, peer: Peer) -> Box<dyn Session>;
    /// Whether its sessions read the header of a load balancer themselves, where it comes in the clear.
    fn reads_header(&self) -> bool {
        false
    }
}

/// Whether a server can start TLS in the middle of a conversation (STARTTLS, STLS).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StartTls {
    /// There is a certificate.
    Offered,
    /// There is none.
    Unavailable,
}

/// Who connected, and when.
#[derive(Clone, Debug)]
pub struct Peer {
    /// Unique while the program runs; also names the session in logs.
    pub token: u64,
    /// The other end; `None` for a UNIX socket.
    pub remote: Option<SocketAddr>,
    /// This end; `None` for a UNIX socket.
    pub local: Option<SocketAddr>,
    /// When the connection was accepted, on both clocks.
    pub accepted: Epoch,
    /// Random octets, which nobody can foresee: what must be so in a session is made from them.
    pub seed: [u8; 16],
    /// Set when there are more connections than allowed: the session only says so (421, `* BYE`, `-ERR`) and closes.
    pub refused: Option<Refused>,
    /// The load balancer from which the connection came, where a header in front of it has been read already: nobody is to wait
    /// for another one.
    pub proxy: Option<SocketAddr>,
}

/// Why a connection is refused at its door.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refused {
    /// Too many connections in all.
    Connections,
    /// Too many connections from this address.
    Address,
}

/// One moment on both clocks, so that a session can tell the date from the `now` that it is given.
#[derive(Clone, Copy, Debug)]
pub struct Epoch {
    /// The moment on the clock of deadlines.
    pub instant: Instant,
    /// The same moment on the clock on the wall.
    pub wall: SystemTime,
}

impl Epoch {
    /// What the clock on the wall shows at `now`.
    pub fn wall(&self, now: Instant) -> SystemTime {
        self.wall + now.saturating_duration_since(self.instant)
    }
    /// Seconds since 1970 at `now`.
    pub fn unix(&self, now: Instant) -> i64 {
        let since = self
            .wall(now)
            .duration_since(SystemTime::UNIX_EPOCH)
            .unwrap_or(Duration::ZERO);
        i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
    }
}

/// Slow work that a session asks for. Runs on a pool thread.
pub enum Job {
    /// For SMTP, submission and LMTP.
    Smtp(smtp::Job),
    /// For POP3.
    Pop3(pop3::Job),
    /// For IMAP.
    Imap(imap::Job),
    /// For the control socket.
    Control(control::Job),
}

/// What a job brought.
#[derive(Debug)]
pub enum Answer {
    /// For SMTP, submission and LMTP.
    Smtp(smtp::Answer),
    /// For POP3.
    Pop3(pop3::Answer),
    /// For IMAP.
    Imap(imap::Answer),
    /// For the control socket.
    Control(control::Answer),
}

/// What a job takes most of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Takes {
    /// It waits for the disk.
    Disk,
    /// It hashes a password: many of these at once would keep mail waiting.
    Processor,
}

impl Job {
    /// What it takes.
    pub const fn takes(&self) -> Takes {
        match self {
            Self::Smtp(job) if job.is_login() => Takes::Processor,
            Self::Pop3(job) if job.is_login() => Takes::Processor,
            Self::Imap(job) if job.is_login() => Takes::Processor,
            _ => Takes::Disk,
        }
    }

    /// Does the work: blocks on disk and on password hashes.
    pub fn run(self, store: &Store) -> Answer {
        match self {
            Self::Smtp(job) => Answer::Smtp(job.run(store)),
            Self::Pop3(job) => Answer::Pop3(job.run(store)),
            Self::Imap(job) => Answer::Imap(job.run(store)),
            Self::Control(job) => Answer::Control(job.run(store)),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;
    use std::rc::Rc;

    use super::*;
    use crate::tap::{Piece, Side, Tap};

    /// Everything after `PASS ` is secret, and so is a literal.
    struct Secretive;

    impl Session for Secretive {
        fn want(&self) -> Want {
            Want::Line { max: 100 }
        }
        fn handle(&mut self, _now: Instant, _input: Input<'_>, out: &mut Out) {
            out.secret_line(b"AUTH PLAIN ", b"AGEAYg==");
        }
        fn deadline(&self) -> Option<Instant> {
            None
        }
        fn secret_in(&self, piece: &[u8]) -> Option<Range<usize>> {
            piece.starts_with(b"PASS ").then_some(5..piece.len())
        }
    }

    struct Shown(Rc<RefCell<String>>);

    impl Tap for Shown {
        fn saw(&mut self, _now: Instant, side: Side, piece: Piece<'_>) {
            let text = match piece {
                Piece::Bytes(bytes) => String::from_utf8_lossy(bytes).into_owned(),
                other => format!("<{other:?}>"),
            };
            self.0.borrow_mut().push_str(&format!("{side:?}:{text:?} "));
        }
    }

    /// Takes message text.
    struct Reads;

    impl Session for Reads {
        fn want(&self) -> Want {
            Want::DotText
        }
        fn handle(&mut self, _now: Instant, _input: Input<'_>, _out: &mut Out) {}
        fn deadline(&self) -> Option<Instant> {
            None
        }
    }

    #[test]
    fn taps_see_dots_as_they_were_stuffed() {
        let said = b"a.\r\n..b\r\n...\r\nc..d\r\n.\r\n";
        let now = Instant::now();
        for cut in 0..said.len() {
            let seen = Rc::new(RefCell::new(String::new()));
            let tap: Box<dyn Tap> = Box::new(Shown(Rc::clone(&seen)));
            let mut out = Out::new(Side::Server, now, Some(tap));
            let mut reader = LineReader::new();
            for piece in [&said[..cut], &said[cut..]] {
                reader.push(piece);
                pump(&mut reader, &mut Reads, now, &mut out);
            }
            let seen = seen.borrow().replace("\" Client:\"", "");
            let expected = format!("Client:{:?} ", String::from_utf8_lossy(said));
            assert_eq!(seen, expected, "cut at {cut}");
        }
    }

    #[test]
    fn taps_never_see_what_is_secret() {
        let seen = Rc::new(RefCell::new(String::new()));
        let now = Instant::now();
        let tap: Box<dyn Tap> = Box::new(Shown(Rc::clone(&seen)));
        let mut out = Out::new(Side::Server, now, Some(tap));
        let mut reader = LineReader::new();
        reader.push(b"PASS hush\r\nNOOP\r\n");
        pump(&mut reader, &mut Secretive, now, &mut out);
        let said = "Server:\"AUTH PLAIN \" Server:\"<Secret>\" Server:\"\\r\\n\" ";
        assert_eq!(
            *seen.borrow(),
            format!(
                "Client:\"PASS \" Client:\"<Secret>\" Client:\"\\r\\n\" {said}Client:\"NOOP\" Client:\"\\r\\n\" {said}"
            )
        );
        assert_eq!(out.queued(), 2 * b"AUTH PLAIN AGEAYg==\r\n".len() as u64);
    }
}
