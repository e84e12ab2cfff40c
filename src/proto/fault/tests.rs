//! What the rules decide, and the same each time; what is said of it to who looks on.

use std::time::{Duration, Instant, SystemTime};

use super::*;
use crate::proto::{Epoch, Input, Out, Standing, pump};
use crate::tap::{Piece, Side, Tap};
use crate::wire::lines::{LineReader, Want};

/// Says `250` to every line.
struct Says;

impl Service for Says {
    fn name(&self) -> &'static str {
        "smtp"
    }
    fn session(&self, _peer: Peer) -> Box<dyn Session> {
        Box::new(Saying)
    }
}

struct Saying;

impl Session for Saying {
    fn want(&self) -> Want {
        Want::Line { max: 1000 }
    }
    fn handle(&mut self, _now: Instant, input: Input<'_>, out: &mut Out) {
        match input {
            Input::Open => out.line(b"220 ready"),
            Input::Line(_) => out.line(b"250 ok"),
            Input::Eof => out.close(),
            _ => {}
        }
    }
    fn deadline(&self) -> Option<Instant> {
        None
    }
    fn standing(&self) -> Standing<'_> {
        Standing {
            user: None,
            awaits_command: true,
            selected: false,
        }
    }
}

fn peer(token: u64, now: Instant) -> Peer {
    Peer {
        token,
        remote: Some(([192, 0, 2, 1], 4000).into()),
        local: None,
        accepted: Epoch {
            instant: now,
            wall: SystemTime::UNIX_EPOCH,
        },
        seed: [0; 16],
        refused: None,
        proxy: None,
    }
}

fn service(faults: &Arc<Faults>) -> FaultyService {
    FaultyService::new(Arc::new(Says), Arc::clone(faults))
}

fn faults(rules: &[&str], seed: u64) -> Arc<Faults> {
    let faults = Faults::new(seed);
    for rule in rules {
        faults.add(rule.parse().expect(rule)).expect("room");
    }
    Arc::new(faults)
}

struct Talk {
    session: Box<dyn Session>,
    reader: LineReader,
    out: Out,
}

impl Talk {
    fn new(service: &FaultyService, token: u64, now: Instant, tap: Option<Box<dyn Tap>>) -> Self {
        let mut session = service.session(peer(token, now));
        let mut out = Out::new(Side::Server, now, tap);
        session.handle(now, Input::Open, &mut out);
        Self {
            session,
            reader: LineReader::new(),
            out,
        }
    }

    /// What is said since this was last asked.
    fn heard(&mut self) -> String {
        let mut heard = Vec::new();
        for front in self.out.waiting() {
            if let crate::proto::Front::Bytes(bytes) = front {
                heard.extend_from_slice(bytes);
            }
        }
        self.out.advance(heard.len());
        String::from_utf8_lossy(&heard).into_owned()
    }

    fn say(&mut self, now: Instant, line: &str) -> String {
        self.reader.push(line.as_bytes());
        self.reader.push(b"\r\n");
        pump(&mut self.reader, &mut *self.session, now, &mut self.out);
        self.heard()
    }
}

/// Which of so many connections, with so many commands each, meet a fault; the connections take turns as `order` says.
fn met(rules: &[&str], seed: u64, together: bool) -> Vec<String> {
    let faults = faults(rules, seed);
    let service = service(&faults);
    let now = Instant::now();
    let mut talks: Vec<Talk> = (1..=20)
        .map(|token| Talk::new(&service, token, now, None))
        .collect();
    let mut met: Vec<String> = talks.iter_mut().map(Talk::heard).collect();
    let turns: Vec<usize> = match together {
        true => (0..10).flat_map(|_| 0..20).collect(),
        false => (0..20).flat_map(|talk| [talk; 10]).collect(),
    };
    for talk in turns {
        met[talk] += &talks[talk].say(now, "NOOP")[..3];
    }
    met
}

#[test]
fn the_same_seed_makes_the_same_faults_however_connections_interleave() {
    let rules = [
        "smtp noop chance=30% reply=451",
        "smtp noop chance=10% seed=5 reply=552",
    ];
    let one = met(&rules, 7, false);
    assert_eq!(one, met(&rules, 7, false));
    assert_eq!(
        one,
        met(&rules, 7, true),
        "turns are taken in another order"
    );
    assert_ne!(one, met(&rules, 8, false));
    let all = one.concat();
    let times = |code: &str| all.matches(code).count();
    // Of 200: far from all and far from none.
    assert!(
        (30..=90).contains(&times("451")),
        "{} times 451",
        times("451")
    );
    assert!(
        (4..=40).contains(&times("552")),
        "{} times 552",
        times("552")
    );
}

#[test]
fn without_rules_nothing_is_touched_and_rules_come_and_go() {
    let faults = faults(&[], 1);
    let service = service(&faults);
    let now = Instant::now();
    let mut talk = Talk::new(&service, 1, now, None);
    assert_eq!(talk.heard(), "220 ready\r\n");
    assert_eq!(talk.say(now, "NOOP"), "250 ok\r\n");
    let number = faults
        .add("smtp noop reply=450 4.2.0 busy".parse().unwrap())
        .unwrap();
    assert_eq!(talk.say(now, "NOOP"), "450 4.2.0 busy\r\n");
    assert_eq!(talk.say(now, "RSET"), "250 ok\r\n");
    assert_eq!(faults.list()[0].fired, 1);
    assert_eq!((faults.clear(Some(99)), faults.clear(Some(number))), (0, 1));
    assert!(!faults.is_on());
    assert_eq!(talk.say(now, "NOOP"), "250 ok\r\n");
    // A rule for the second connection counts from when it stands.
    faults
        .add("smtp noop connection=2 reply=451".parse().unwrap())
        .unwrap();
    assert_eq!(talk.say(now, "NOOP"), "250 ok\r\n");
    let mut first = Talk::new(&service, 2, now, None);
    let mut second = Talk::new(&service, 3, now, None);
    first.heard();
    second.heard();
    assert_eq!(first.say(now, "NOOP"), "250 ok\r\n");
    assert!(second.say(now, "NOOP").starts_with("451 4.0.0"));
    for _ in 0..limits::FAULT_RULES - 1 {
        faults.add("smtp noop delay=1s".parse().unwrap()).unwrap();
    }
    assert_eq!(faults.add("smtp noop drop".parse().unwrap()), Err(TooMany));
}

#[test]
fn counts_are_kept_apart_where_a_rule_says_so() {
    let faults = faults(&["smtp mail times=1 per=from reply=450"], 1);
    let service = service(&faults);
    let now = Instant::now();
    let mut talk = Talk::new(&service, 1, now, None);
    talk.heard();
    let mut said = |from: &str| talk.say(now, &format!("MAIL FROM:<{from}>"))[..3].to_owned();
    assert_eq!(said("a@x"), "450");
    assert_eq!(said("b@x"), "450");
    assert_eq!(said("A@X"), "250");
    assert_eq!(said("b@x"), "250");
    assert_eq!(said(""), "450");
}

/// Keeps what is noted.
struct Noted(std::rc::Rc<std::cell::RefCell<Vec<String>>>);

impl Tap for Noted {
    fn saw(&mut self, _now: Instant, _side: Side, piece: Piece<'_>) {
        if let Piece::Note { kind, text } = piece {
            self.0.borrow_mut().push(format!("{kind}: {text}"));
        }
    }
}

#[test]
fn each_fault_is_said_to_who_looks_on() {
    let faults = faults(
        &[
            "smtp noop delay=2s",
            "smtp noop reply=450",
            "smtp any reply=500",
        ],
        1,
    );
    let service = service(&faults);
    let now = Instant::now();
    let notes = std::rc::Rc::default();
    let mut talk = Talk::new(
        &service,
        1,
        now,
        Some(Box::new(Noted(std::rc::Rc::clone(&notes)))),
    );
    talk.heard();
    assert_eq!(talk.say(now, "NOOP"), "");
    assert_eq!(talk.session.deadline(), Some(now + Duration::from_secs(2)));
    assert!(matches!(talk.session.want(), Want::Nothing));
    talk.session
        .handle(now + Duration::from_secs(2), Input::Timeout, &mut talk.out);
    assert_eq!(talk.heard(), "450 4.0.0 A fault, made on purpose\r\n");
    assert_eq!(
        *notes.borrow(),
        [
            "fault: rule 1 at NOOP: smtp noop delay=2s",
            "fault: rule 2 at NOOP: smtp noop reply=450",
            "fault: rule 3 at NOOP: smtp any reply=500; an earlier rule settled the answer",
        ]
    );
}

#[test]
fn what_a_client_sent_before_its_end_is_answered_after_a_delay() {
    let faults = faults(&["smtp noop delay=2s"], 1);
    let service = service(&faults);
    let now = Instant::now();
    let mut talk = Talk::new(&service, 1, now, None);
    talk.heard();
    talk.say(now, "NOOP");
    talk.session.handle(now, Input::Eof, &mut talk.out);
    assert!(talk.out.wish().is_none());
    talk.session
        .handle(now + Duration::from_secs(2), Input::Timeout, &mut talk.out);
    assert_eq!(talk.heard(), "250 ok\r\n");
    assert!(talk.out.wish().is_some(), "and then it ends");
}

#[test]
fn a_throttled_connection_moves_as_slowly_as_it_is_told() {
    let faults = faults(&["smtp connect throttle=40"], 1);
    let service = service(&faults);
    let begin = Instant::now();
    let mut talk = Talk::new(&service, 1, begin, None);
    let mut now = begin;
    let mut heard = talk.heard();
    let mut turns = 0;
    while heard.len() < "220 ready\r\n".len() {
        now = talk.session.deadline().expect("more is to come");
        talk.session.handle(now, Input::Timeout, &mut talk.out);
        heard += &talk.heard();
        turns += 1;
        assert!(turns < 20, "{heard}");
    }
    assert_eq!(heard, "220 ready\r\n");
    let took = now - begin;
    assert!(
        (200..=280).contains(&took.as_millis()),
        "11 octets at 40 a second took {took:?}"
    );
    // What comes in is slowed down as well.
    talk.say(now, "NOOP");
    assert!(matches!(talk.session.want(), Want::Nothing));
}
