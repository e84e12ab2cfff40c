//! The table of the module's header, row by row, and then every order of events under every set of options.

use super::*;

const SECOND: Duration = Duration::from_secs(1);
const DONE: Step = Step::Leave(Outcome::Done);
const BROKEN: Step = Step::Leave(Outcome::Broken);

fn connected(options: Options) -> (Policy, Instant) {
    let now = Instant::now();
    (
        Policy::new(now, Role::Connect, Keyboard::Other, options),
        now,
    )
}

fn half_close() -> Options {
    Options {
        input_end: InputEnd::HalfClose,
        ..Options::default()
    }
}

fn quit_after(after: Duration) -> Options {
    Options {
        quit_after: Some(after),
        ..Options::default()
    }
}

#[test]
fn without_options_the_peer_is_not_told_that_input_ended() {
    let (mut policy, now) = connected(Options::default());
    assert_eq!(policy.handle(now, Event::InputEnded), Step::GoOn);
    assert_eq!(policy.deadline(), None, "it waits for ever");
    assert_eq!(policy.handle(now, Event::PeerEnded), DONE);
}

#[test]
fn minus_n_half_closes_and_waits_for_the_peer() {
    let (mut policy, now) = connected(half_close());
    assert_eq!(policy.handle(now, Event::InputEnded), Step::HalfClose);
    assert_eq!(policy.deadline(), None);
    assert_eq!(policy.handle(now, Event::PeerEnded), DONE);
}

#[test]
fn minus_q_counts_from_the_end_of_input() {
    let (mut policy, now) = connected(quit_after(2 * SECOND));
    let ended = now + 10 * SECOND;
    assert_eq!(policy.handle(ended, Event::InputEnded), Step::HalfClose);
    assert_eq!(policy.deadline(), Some(ended + 2 * SECOND));
    assert_eq!(policy.handle(ended + SECOND, Event::Moved), Step::GoOn);
    assert_eq!(
        policy.deadline(),
        Some(ended + 2 * SECOND),
        "an answer does not prolong it"
    );
    assert_eq!(policy.handle(ended + SECOND, Event::Deadline), Step::GoOn);
    assert_eq!(policy.handle(ended + 2 * SECOND, Event::Deadline), DONE);
}

#[test]
fn minus_q_leaves_early_when_the_peer_ends() {
    let (mut policy, now) = connected(quit_after(2 * SECOND));
    policy.handle(now, Event::InputEnded);
    assert_eq!(policy.handle(now, Event::PeerEnded), DONE);
}

#[test]
fn minus_q_0_leaves_at_once() {
    let (mut policy, now) = connected(quit_after(Duration::ZERO));
    assert_eq!(policy.handle(now, Event::InputEnded), DONE);
}

#[test]
fn a_person_is_not_kept_when_the_peer_ends() {
    let now = Instant::now();
    let mut policy = Policy::new(now, Role::Connect, Keyboard::Terminal, Options::default());
    assert_eq!(policy.handle(now, Event::PeerEnded), DONE);
}

#[test]
fn a_listener_leaves_when_the_peer_has_ended_and_nothing_waits() {
    let now = Instant::now();
    let mut policy = Policy::new(now, Role::Listen, Keyboard::Other, Options::default());
    assert_eq!(policy.handle(now, Event::Quiet), Step::GoOn);
    assert_eq!(policy.handle(now, Event::PeerEnded), Step::GoOn);
    assert_eq!(policy.handle(now, Event::Moved), Step::GoOn, "a file");
    assert_eq!(policy.handle(now, Event::Quiet), DONE, "a pipe");
}

#[test]
fn piped_input_is_sent_to_its_end_to_a_peer_that_half_closed() {
    let (mut policy, now) = connected(Options::default());
    assert_eq!(policy.handle(now, Event::PeerEnded), Step::GoOn);
    assert_eq!(policy.handle(now, Event::Moved), Step::GoOn);
    assert_eq!(policy.handle(now, Event::Quiet), Step::GoOn);
    assert_eq!(policy.handle(now, Event::InputEnded), DONE);
}

#[test]
fn a_peer_that_takes_no_more_is_still_listened_to() {
    let (mut policy, now) = connected(half_close());
    assert_eq!(policy.handle(now, Event::CannotSend), Step::GoOn);
    assert_eq!(policy.handle(now, Event::PeerEnded), DONE);
    let (mut policy, now) = connected(half_close());
    policy.handle(now, Event::PeerEnded);
    assert_eq!(policy.handle(now, Event::CannotSend), DONE);
}

#[test]
fn a_reset_is_an_error_unless_the_peer_had_ended() {
    let (mut policy, now) = connected(Options::default());
    assert_eq!(policy.handle(now, Event::Reset), BROKEN);
    let (mut policy, now) = connected(Options::default());
    policy.handle(now, Event::PeerEnded);
    assert_eq!(policy.handle(now, Event::Reset), DONE);
}

#[test]
fn ncat_leaves_when_the_peer_ends() {
    let (mut policy, now) = connected(Options {
        peer_end: PeerEnd::Leave,
        ..half_close()
    });
    assert_eq!(policy.handle(now, Event::PeerEnded), DONE);
}

#[test]
fn who_only_sends_leaves_when_all_is_sent() {
    let (mut policy, now) = connected(Options {
        input_end: InputEnd::Leave,
        ..Options::default()
    });
    assert_eq!(policy.handle(now, Event::InputEnded), DONE);
}

#[test]
fn a_program_outlives_the_peers_end_and_its_own_deafness() {
    let now = Instant::now();
    let options = half_close().of_program();
    let mut policy = Policy::new(now, Role::Listen, Keyboard::Other, options);
    assert_eq!(policy.handle(now, Event::CannotWrite), Step::GoOn);
    assert_eq!(policy.handle(now, Event::PeerEnded), Step::GoOn);
    assert_eq!(
        policy.handle(now, Event::Quiet),
        Step::GoOn,
        "it may take its time"
    );
    assert_eq!(policy.handle(now, Event::InputEnded), DONE);
    let mut policy = Policy::new(now, Role::Listen, Keyboard::Other, options);
    assert_eq!(
        policy.handle(now, Event::InputEnded),
        DONE,
        "its end is the end"
    );
}

#[test]
fn joined_connections_end_one_after_the_other() {
    let now = Instant::now();
    let options = quit_after(SECOND).of_joined();
    let mut policy = Policy::new(now, Role::Listen, Keyboard::Other, options);
    assert_eq!(policy.handle(now, Event::InputEnded), Step::HalfClose);
    assert_eq!(policy.deadline(), None);
    assert_eq!(policy.handle(now, Event::PeerEnded), DONE);
}

#[test]
fn who_is_still_typing_is_never_idle_where_only_the_last_reads_count() {
    let (mut policy, now) = connected(Options {
        idle: Some(SECOND),
        idle_end: IdleEnd::DoneOnceInputIsOver,
        ..Options::default()
    });
    assert_eq!(policy.deadline(), None);
    let late = now + 10 * SECOND;
    assert_eq!(policy.handle(late, Event::Deadline), Step::GoOn);
    policy.handle(late, Event::InputEnded);
    assert_eq!(policy.deadline(), Some(late + SECOND));
    assert_eq!(policy.handle(late + SECOND, Event::Deadline), DONE);
}

#[test]
fn idleness_is_a_failure_where_that_was_asked_for() {
    let (mut policy, now) = connected(Options {
        idle: Some(SECOND),
        idle_end: IdleEnd::Idle,
        ..quit_after(2 * SECOND)
    });
    let late = now + SECOND;
    assert_eq!(
        policy.handle(late, Event::Deadline),
        Step::Leave(Outcome::Idle)
    );
    policy.handle(now, Event::InputEnded);
    assert_eq!(
        policy.handle(now + 2 * SECOND, Event::Deadline),
        DONE,
        "-q has its way"
    );
}

#[test]
fn idle_counts_from_the_last_octet() {
    let (mut policy, now) = connected(Options {
        idle: Some(3 * SECOND),
        ..Options::default()
    });
    assert_eq!(policy.deadline(), Some(now + 3 * SECOND));
    policy.handle(now + 2 * SECOND, Event::Moved);
    assert_eq!(policy.handle(now + 3 * SECOND, Event::Deadline), Step::GoOn);
    assert_eq!(policy.handle(now + 5 * SECOND, Event::Deadline), DONE);
}

/// What must hold in whatever order things happen, under whatever options.
#[test]
fn every_order_of_events_under_all_options() {
    let events = [
        Event::Moved,
        Event::InputEnded,
        Event::PeerEnded,
        Event::Quiet,
        Event::CannotSend,
        Event::Reset,
        Event::Refused,
        Event::CannotWrite,
        Event::Deadline,
    ];
    let mut all_options = Vec::new();
    for input_end in [InputEnd::Untold, InputEnd::HalfClose, InputEnd::Leave] {
        for quit_after in [None, Some(Duration::ZERO), Some(SECOND)] {
            for idle in [None, Some(SECOND)] {
                for peer_end in [PeerEnd::FinishInput, PeerEnd::Leave] {
                    for near in [Near::User, Near::Program] {
                        all_options.push(Options {
                            input_end,
                            quit_after,
                            peer_end,
                            idle,
                            idle_end: IdleEnd::Idle,
                            near,
                        });
                    }
                }
            }
        }
    }
    let mut orders = 0;
    for options in all_options {
        for role in [Role::Connect, Role::Listen] {
            for keyboard in [Keyboard::Terminal, Keyboard::Other] {
                for order in 0..events.len().pow(4) {
                    let chosen =
                        (0..4_u32).map(|at| events[order / events.len().pow(at) % events.len()]);
                    play(options, role, keyboard, chosen);
                    orders += 1;
                }
            }
        }
    }
    assert_eq!(orders, 72 * 4 * 9_usize.pow(4));
}

fn play(options: Options, role: Role, keyboard: Keyboard, events: impl Iterator<Item = Event>) {
    let now = Instant::now();
    let mut policy = Policy::new(now, role, keyboard, options);
    let mut happened: Vec<Event> = Vec::new();
    for event in events {
        let once = matches!(event, Event::InputEnded | Event::PeerEnded);
        let input_over = [Event::InputEnded, Event::CannotSend];
        if once && happened.contains(&event)
            || input_over.contains(&event) && happened.iter().any(|past| input_over.contains(past))
        {
            return;
        }
        let step = policy.handle(now, event);
        happened.push(event);
        let context = format!("{options:?} {role:?} {keyboard:?} {happened:?}");
        let has = |event| happened.contains(&event);
        let peer_over = has(Event::PeerEnded);
        let both_over = peer_over && (has(Event::InputEnded) || has(Event::CannotSend));
        assert!(
            !both_over || step == DONE,
            "nothing is left to do: {context}"
        );
        let asked_to_close =
            options.input_end == InputEnd::HalfClose || options.quit_after.is_some();
        let asked_to_leave =
            options.input_end == InputEnd::Leave || options.quit_after == Some(Duration::ZERO);
        match step {
            Step::HalfClose => {
                assert_eq!(event, Event::InputEnded, "{context}");
                assert!(asked_to_close, "{context}");
            }
            BROKEN => assert!(event == Event::Reset && !peer_over, "{context}"),
            Step::Leave(Outcome::Unheard) => {
                assert_eq!(event, Event::CannotWrite, "{context}");
                assert_eq!(options.near, Near::User, "{context}");
            }
            Step::Leave(Outcome::Refused) => assert_eq!(event, Event::Refused, "{context}"),
            Step::Leave(Outcome::Idle) => panic!("no time has passed: {context}"),
            DONE => assert!(
                both_over
                    || event == Event::PeerEnded && keyboard == Keyboard::Terminal
                    || event == Event::PeerEnded && options.peer_end == PeerEnd::Leave
                    || event == Event::Quiet
                        && peer_over
                        && role == Role::Listen
                        && options.near == Near::User
                    || event == Event::Reset && peer_over
                    || event == Event::InputEnded && asked_to_leave,
                "{context}"
            ),
            Step::GoOn => assert!(
                event != Event::InputEnded || !asked_to_close,
                "the peer must hear of it: {context}"
            ),
        }
        if matches!(step, Step::Leave(_)) {
            return;
        }
        let times_out =
            options.idle.is_some() || options.quit_after.is_some() && has(Event::InputEnded);
        assert_eq!(policy.deadline().is_some(), times_out, "{context}");
    }
}

#[test]
fn crlf_is_never_doubled_however_it_is_cut() {
    let input = b"a\nb\r\n\n\r\r\n\rc";
    let whole = b"a\r\nb\r\n\r\n\r\r\n\rc";
    for first in 0..=input.len() {
        for second in first..=input.len() {
            let (mut crlf, mut output) = (Crlf::default(), Vec::new());
            crlf.encode(&input[..first], &mut output);
            crlf.encode(&input[first..second], &mut output);
            crlf.encode(&input[second..], &mut output);
            assert_eq!(output, whole, "cut at {first} and {second}");
        }
    }
}

#[test]
fn lines_are_paced() {
    let now = Instant::now();
    let mut pace = Pace::new(SECOND);
    assert_eq!(pace.admit(now, b"one\ntwo\n"), 4);
    pace.sent(now, b"one\n");
    assert_eq!(pace.admit(now, b"two\n"), 0);
    assert_eq!(pace.until(), Some(now + SECOND));
    assert_eq!(pace.admit(now + SECOND, b"two\n"), 4);
    pace.sent(now + SECOND, b"tw");
    assert_eq!(
        pace.admit(now + SECOND, b"o\n"),
        2,
        "half a line is not delayed"
    );
    assert_eq!(pace.admit(now + 2 * SECOND, b"no end"), 6);
}
