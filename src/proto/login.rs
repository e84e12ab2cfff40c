//! Who may log in how, and what wrong passwords cost: one policy for SMTP, POP3 and IMAP.
//!
//! What it keeps:
//! - a login is taken inside TLS, or from this computer, or where that was given up by name ([`Plaintext::Anywhere`]);
//! - each wrong password from an address makes all answers to logins from there come later, the right ones as well, on whatever
//!   connection and of whatever protocol: many connections guess no faster than one, and how long an answer takes says nothing;
//! - memory is bounded: the addresses that failed last are remembered, and each for a while only.
//!
//! | wrong passwords remembered of an address | the answer to a login is held back for |
//! |---|---|
//! | none | no time |
//! | the first | [`limits::LOGIN_PAUSE`] |
//! | each more | twice as long as before, up to [`limits::LOGIN_PAUSE_MOST`] |
//! | a login goes well | as long as the one before; then one of them is forgiven |
//!
//! From this computer each wrong password costs [`limits::LOGIN_PAUSE`] and nothing is remembered: behind one program that
//! speaks for others (webmail, a proxy) are all users, and one of them must not slow down the rest.
//!
//! What is never told apart, here and by the table of users: a name that is unknown and a password that is wrong.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use ring::digest;

use crate::limits;
use crate::proto::Peer;
use crate::wire::sasl::{Means, Mechanism};

/// The policy. One for all listeners of a server.
#[derive(Debug)]
pub struct Door {
    plaintext: Plaintext,
    mechanisms: Vec<Mechanism>,
    failures: Mutex<HashMap<IpAddr, Failures>>,
}

/// Where a password may come over a connection without TLS.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Plaintext {
    /// From this computer to itself: there it crosses no network (RFC 8314 §3, RFC 2595 §2.2).
    #[default]
    Loopback,
    /// From anywhere: whoever can listen on the network learns it.
    Anywhere,
}

/// Where a client is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// On this computer.
    Here,
    /// Elsewhere.
    There(IpAddr),
    /// Behind a proxy that does not know.
    Unknown,
}

/// What came of a login.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It is who it says.
    Right,
    /// It is not.
    Wrong,
}

#[derive(Clone, Copy, Debug)]
struct Failures {
    count: u32,
    last: Instant,
}

impl Origin {
    /// Of a peer that no proxy speaks for.
    pub fn of(peer: &Peer) -> Self {
        peer.remote
            .map_or(Self::Here, |remote| Self::at(remote.ip()))
    }

    /// At an address.
    pub fn at(address: IpAddr) -> Self {
        match address.to_canonical() {
            address if address.is_loopback() => Self::Here,
            address => Self::There(address),
        }
    }
}

impl Default for Door {
    fn default() -> Self {
        Self::new(Plaintext::Loopback, Mechanism::ALL.to_vec())
    }
}

impl Door {
    /// Offers no other `mechanisms` than these.
    pub fn new(plaintext: Plaintext, mechanisms: Vec<Mechanism>) -> Self {
        Self {
            plaintext,
            mechanisms,
            failures: Mutex::default(),
        }
    }

    /// Whether a login may come over a connection, which is `secure` with TLS.
    pub fn is_open(&self, secure: bool, origin: Origin) -> bool {
        secure || origin == Origin::Here || self.plaintext == Plaintext::Anywhere
    }

    /// The mechanisms that are offered, the better first, where accounts can be checked by `means` and there is TLS to bind to
    /// (`end_point`).
    pub fn mechanisms(
        &self,
        means: Means,
        end_point: Option<&[u8]>,
    ) -> impl Iterator<Item = Mechanism> {
        Mechanism::ALL
            .into_iter()
            .filter(|mechanism| self.mechanisms.contains(mechanism))
            .filter(move |mechanism| mechanism.is_offered(means, end_point))
    }

    /// How long the answer to a login is held back, of which this came just now.
    pub fn judge(&self, now: Instant, origin: Origin, outcome: Outcome) -> Duration {
        let address = match (origin, outcome) {
            (Origin::There(address), _) => network(address),
            (Origin::Here | Origin::Unknown, Outcome::Right) => return Duration::ZERO,
            (Origin::Here | Origin::Unknown, Outcome::Wrong) => return limits::LOGIN_PAUSE,
        };
        let mut failures = self.failures.lock().unwrap_or_else(PoisonError::into_inner);
        let before = failures
            .get(&address)
            .filter(|failures| !failures.is_over(now))
            .map_or(0, |failures| failures.count);
        match outcome {
            Outcome::Wrong => {
                if failures.len() >= limits::LOGIN_ADDRESSES {
                    make_room(&mut failures, now);
                }
                let count = before.saturating_add(1);
                failures.insert(address, Failures { count, last: now });
                pause(count)
            }
            Outcome::Right if before > 1 => {
                let left = Failures {
                    count: before - 1,
                    last: now,
                };
                failures.insert(address, left);
                pause(before)
            }
            Outcome::Right => {
                failures.remove(&address);
                pause(before)
            }
        }
    }
}

impl Failures {
    fn is_over(&self, now: Instant) -> bool {
        now.saturating_duration_since(self.last) >= limits::LOGIN_MEMORY
    }
}

/// The longest forgotten half goes, and all that is over.
fn make_room(failures: &mut HashMap<IpAddr, Failures>, now: Instant) {
    failures.retain(|_, failures| !failures.is_over(now));
    if failures.len() < limits::LOGIN_ADDRESSES {
        return;
    }
    let mut times: Vec<Instant> = failures.values().map(|failures| failures.last).collect();
    times.sort_unstable();
    let oldest_kept = times[times.len() / 2];
    failures.retain(|_, failures| failures.last > oldest_kept);
}

fn pause(count: u32) -> Duration {
    match count {
        0 => Duration::ZERO,
        _ => limits::LOGIN_PAUSE
            .saturating_mul(1 << (count - 1).min(16))
            .min(limits::LOGIN_PAUSE_MOST),
    }
}

/// An IPv6 address stands for its /64: who has one has them all (RFC 6177).
fn network(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(_) => address,
        IpAddr::V6(address) => {
            let network = u128::from(address) & !u128::from(u64::MAX);
            IpAddr::V6(Ipv6Addr::from(network))
        }
    }
}

/// Never used before and not to be foreseen: made of what is random in a connection, and how many were made in it already.
pub fn nonce(seed: &[u8; 16], count: u64) -> String {
    let mut hash = digest::Context::new(&digest::SHA256);
    hash.update(seed);
    hash.update(&count.to_be_bytes());
    let hash = hash.finish();
    hash.as_ref()[..16]
        .iter()
        .map(|octet| format!("{octet:02x}"))
        .collect()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::SystemTime;

    use super::*;
    use crate::proto::pop3::server::Pop3Service;
    use crate::proto::{Epoch, Input, Out, Service, StartTls, TlsInfo, imap, pop3, pump, smtp};
    use crate::store::{Store, Users};
    use crate::tap::Side;
    use crate::wire::lines::{LineReader, Want};

    const SECOND: Duration = Duration::from_secs(1);

    fn there(text: &str) -> Origin {
        Origin::at(text.parse().expect("an address"))
    }

    #[test]
    fn guessing_gets_slower_for_an_address_and_no_other() {
        let door = Door::default();
        let now = Instant::now();
        let guess = |origin, outcome| door.judge(now, origin, outcome).as_secs();
        let (one, other) = (there("192.0.2.7"), there("192.0.2.8"));
        assert_eq!(guess(one, Outcome::Right), 0);
        for expected in [2, 4, 8, 16, 16, 16] {
            assert_eq!(guess(one, Outcome::Wrong), expected);
        }
        assert_eq!(guess(other, Outcome::Wrong), 2);
        // A right password is answered no sooner than a wrong one, or the time would tell them apart.
        for expected in [16, 16, 16, 8, 4, 2, 0] {
            assert_eq!(guess(one, Outcome::Right), expected);
        }
        // The addresses of one network of IPv6 are one.
        assert_eq!(guess(there("2001:db8::1"), Outcome::Wrong), 2);
        assert_eq!(guess(there("2001:db8::ffff:2"), Outcome::Wrong), 4);
        assert_eq!(guess(there("2001:db8:0:1::1"), Outcome::Wrong), 2);
        // An IPv4 address in the clothes of IPv6.
        assert_eq!(guess(there("::ffff:192.0.2.8"), Outcome::Wrong), 4);
    }

    #[test]
    fn failures_are_forgotten_after_a_while() {
        let door = Door::default();
        let now = Instant::now();
        let one = there("192.0.2.7");
        door.judge(now, one, Outcome::Wrong);
        let still = now + limits::LOGIN_MEMORY - SECOND;
        assert_eq!(door.judge(still, one, Outcome::Wrong), 4 * SECOND);
        let then = still + limits::LOGIN_MEMORY;
        assert_eq!(door.judge(then, one, Outcome::Right), Duration::ZERO);
    }

    #[test]
    fn this_computer_pays_for_each_and_nothing_is_remembered() {
        let door = Door::default();
        let now = Instant::now();
        for _ in 0..9 {
            for origin in [Origin::Here, Origin::Unknown] {
                let wrong = door.judge(now, origin, Outcome::Wrong);
                assert_eq!(wrong, limits::LOGIN_PAUSE);
                assert_eq!(door.judge(now, origin, Outcome::Right), Duration::ZERO);
            }
        }
        assert!(door.failures.lock().expect("not poisoned").is_empty());
    }

    #[test]
    fn memory_is_bounded_and_the_last_are_remembered() {
        let door = Door::default();
        let began = Instant::now();
        let address = |number: u32| Origin::There(IpAddr::V4((0x0a00_0000 + number).into()));
        let many = 3 * u32::try_from(limits::LOGIN_ADDRESSES).expect("fits");
        for number in 0..many {
            let now = began + Duration::from_millis(u64::from(number));
            door.judge(now, address(number), Outcome::Wrong);
            let remembered = door.failures.lock().expect("not poisoned").len();
            assert!(remembered <= limits::LOGIN_ADDRESSES);
        }
        let now = began + Duration::from_millis(u64::from(many));
        let wrong = |number| door.judge(now, address(number), Outcome::Wrong);
        assert_eq!(wrong(many - 1), 4 * SECOND);
        assert_eq!(wrong(0), 2 * SECOND);
    }

    #[test]
    fn passwords_cross_no_network_in_the_clear_unless_asked_for() {
        let here = [there("127.0.0.1"), there("::1"), there("::ffff:127.0.0.1")];
        let afar = [there("192.0.2.7"), there("2001:db8::1"), Origin::Unknown];
        let door = Door::default();
        assert!(here.iter().all(|&origin| door.is_open(false, origin)));
        assert!(afar.iter().all(|&origin| !door.is_open(false, origin)));
        assert!(afar.iter().all(|&origin| door.is_open(true, origin)));
        let open = Door::new(Plaintext::Anywhere, Vec::new());
        assert!(afar.iter().all(|&origin| open.is_open(false, origin)));
    }

    /// A session that hears what is said to it, and how long its answer to a login is held back.
    fn held_back(service: &dyn Service, store: &Store, now: Instant, said: &[u8]) -> Duration {
        let peer = Peer {
            token: 1,
            remote: Some(([192, 0, 2, 7], 40_000).into()),
            local: None,
            accepted: Epoch {
                instant: now,
                wall: SystemTime::UNIX_EPOCH,
            },
            seed: [7; 16],
            refused: None,
            proxy: None,
        };
        let mut session = service.session(peer);
        let mut out = Out::new(Side::Server, now, None);
        let mut reader = LineReader::new();
        session.handle(now, Input::TlsUp(TlsInfo::default()), &mut out);
        session.handle(now, Input::Open, &mut out);
        reader.push(said);
        pump(&mut reader, &mut *session, now, &mut out);
        while let Some(job) = out.take_job() {
            session.handle(now, Input::Done(job.run(store)), &mut out);
            pump(&mut reader, &mut *session, now, &mut out);
        }
        assert_eq!(session.want(), Want::Nothing, "the answer waits");
        session.deadline().expect("a pause has an end") - now
    }

    #[test]
    fn one_door_is_for_all_protocols() {
        let folder = tempfile::tempdir().expect("a folder");
        let users = Users::plain(&[("alice".into(), "secret".into())]);
        let domains = ["a.example".to_owned()];
        let store = Arc::new(Store::open(folder.path(), &domains, users).expect("a store"));
        let door: Arc<Door> = Arc::default();
        let mode = smtp::server::Mode::Submission;
        let mut config = smtp::server::Config::new("a.example", "a.example", mode);
        config.door = Arc::clone(&door);
        let smtp = smtp::SmtpService::new("submission", Arc::new(config), Arc::clone(&store));
        let mut config = pop3::server::Config::new("a.example", StartTls::Offered);
        config.door = Arc::clone(&door);
        let pop3 = Pop3Service::new("pop3", Arc::new(config), Arc::clone(&store));
        let config = imap::server::Config {
            hostname: "a.example".into(),
            start_tls: StartTls::Offered,
            door,
        };
        let imap = imap::ImapService::new("imap", Arc::new(config), Arc::clone(&store));
        let now = Instant::now();
        let tried: [(&dyn Service, &[u8]); 4] = [
            (&smtp, b"EHLO a\r\nAUTH PLAIN AGFsaWNlAHdyb25n\r\n"),
            (&pop3, b"USER alice\r\nPASS wrong\r\n"),
            (&imap, b"a LOGIN nobody wrong\r\n"),
            // The right one, which waits as well.
            (&pop3, b"USER alice\r\nPASS secret\r\n"),
        ];
        let pauses = tried.map(|(service, said)| held_back(service, &store, now, said).as_secs());
        assert_eq!(pauses, [2, 4, 8, 8]);
    }

    #[test]
    fn nonces_do_not_come_twice() {
        let nonces = [nonce(&[1; 16], 1), nonce(&[1; 16], 2), nonce(&[2; 16], 1)];
        assert!(nonces[0] != nonces[1] && nonces[0] != nonces[2] && nonces[1] != nonces[2]);
        assert!(nonces.iter().all(|nonce| nonce.len() == 32));
    }
}
