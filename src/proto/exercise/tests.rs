use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use super::*;
use crate::tap::{Piece, Side, Tap, note};
use crate::wire::exercise::LAB;

/// A class of ann and ben, and what it keeps.
fn class(kept: &str) -> (Arc<Class>, Arc<Mutex<Vec<String>>>) {
    let pupil = |login: &str| Pupil {
        login: login.to_owned(),
        mail: format!("{login}@home.example"),
        ..Pupil::default()
    };
    let lines = Arc::new(Mutex::new(Vec::new()));
    let keep = Arc::clone(&lines);
    let class = Class::new(
        Exercise::parse(LAB.texts()).expect("the lab"),
        vec![pupil("ann"), pupil("ben")],
        &["lab.example".to_owned()],
        kept,
        Box::new(move |line| keep.lock().expect("a lock").push(line)),
    );
    (Arc::new(class), lines)
}

/// Plays lines `C: `, `S: `, and `U: ` for who logged in; a client's line comes `pause` after what was said before.
fn play(class: &Arc<Class>, service: &str, pause: u64, dialogue: &str) {
    let mut now = Instant::now();
    let began = (now, Duration::from_secs(1000));
    let observed = Observed::new(Arc::clone(class), service, "s-1".to_owned(), began);
    let mut observed = observed.expect("a service of mail");
    for line in dialogue.lines() {
        let (side, text) = line.trim_start().split_at(3);
        match side {
            "C: " => {
                now += Duration::from_millis(pause);
                // In pieces, as it comes.
                observed.saw(now, Side::Client, Piece::Bytes(text.as_bytes()));
                observed.saw(now, Side::Client, Piece::Bytes(b"\r\n"));
            }
            "S: " => observed.saw(
                now,
                Side::Server,
                Piece::Bytes(format!("{text}\r\n").as_bytes()),
            ),
            "U: " => {
                let kind = note::USER;
                observed.saw(now, Side::Server, Piece::Note { kind, text });
            }
            _ => panic!("{line}"),
        }
    }
}

/// The ids of the steps that are done.
fn done(class: &Class, pupil: usize) -> String {
    let marks = class.marks_of(pupil);
    let ids = class.exercise().steps.iter().zip(marks);
    let ids = ids.filter(|(_, mark)| matches!(mark, Mark::Done { .. }));
    let ids: Vec<&str> = ids.map(|(step, _)| step.id.as_str()).collect();
    ids.join(" ")
}

const MAIL: &str = "S: 220 hi
    C: HELO pc1
    S: 250 hi
    C: MAIL FROM:
    S: 501 5.5.4 no
    C: mail from:<ann@lab.example>
    S: 250 ok
    C: RCPT TO:<ann@lab.example>
    S: 250 ok
    C: DATA
    S: 354 go
    C: QUIT
    C: ..
    C: .
    S: 250 taken
    C: QUIT
    S: 221 bye";

#[test]
fn what_was_typed_counts_for_who_sends_it() {
    let (class, kept) = class("");
    play(&class, "smtp", 900, MAIL);
    assert_eq!(done(&class, 0), "1 3 4 5 6 7");
    assert_eq!(done(&class, 1), "");
    let kept = kept.lock().expect("a lock").join("\n");
    assert!(kept.contains("done ann 4 1007 s-1"), "{kept}");
    // After a restart it is the same.
    let (again, _) = super::tests::class(&kept);
    assert_eq!(done(&again, 0), "1 3 4 5 6 7");
}

#[test]
fn a_program_is_no_hand_and_another_is_not_oneself() {
    let (class, _) = class("");
    play(&class, "smtp", 2, MAIL);
    assert_eq!(done(&class, 0), "3 6");
    assert!(
        class
            .lines()
            .iter()
            .any(|line| line.starts_with("student\tann") && line.contains("tried hand"))
    );
    let to_ben = MAIL.replace("RCPT TO:<ann", "RCPT TO:<ben");
    play(&class, "smtp", 900, &to_ben);
    assert_eq!(done(&class, 0), "1 3 5 6 7");
    assert_eq!(
        class.marks_of(0)[3],
        Mark::Tried {
            signs: 15,
            lacks: Lacks::ToSelf
        }
    );
}

#[test]
fn commands_before_their_replies_are_no_hand() {
    let (class, _) = class("");
    let ahead = "S: +OK hi
        C: USER ann
        C: PASS ********
        S: +OK
        U: ann
        S: +OK
        C: STAT
        S: +OK 1 9";
    play(&class, "pop3", 900, ahead);
    assert_eq!(done(&class, 0), "");
}

#[test]
fn what_a_message_says_is_no_reply_and_no_command() {
    let (class, _) = class("");
    let reading = "S: +OK hi
        C: USER ben
        S: +OK
        C: PASS ********
        U: ben
        S: +OK
        C: RETR 1
        S: +OK
        S: +OK STAT
        S: .
        C: STAT
        S: -ERR no
        C: QUIT
        S: +OK";
    play(&class, "pop3", 900, reading);
    assert_eq!(done(&class, 1), "1 8 10");
    let imap = "S: * OK hi
        C: a LOGIN ben ********
        U: ben
        S: a OK in
        C: b CREATE {5}
        S: + go
        C: ABCDE
        S: b OK made
        C: c FETCH 1 BODY[]
        S: * 1 FETCH (BODY[] {10}
        S: c OK b OK
        S: )
        S: c NO never
        C: d SELECT INBOX
        S: d OK done";
    play(&class, "imap", 900, imap);
    assert_eq!(done(&class, 1), "1 8 10 12");
    // The rest of 15, another day.
    let rest = "S: * OK hi
        C: a LOGIN ben ********
        U: ben
        S: a OK in
        C: b LIST \"\" *
        S: b OK
        C: c UID STORE 1:* +FLAGS (\\Deleted)
        S: c OK
        C: d EXPUNGE
        S: d OK";
    play(&class, "imap", 900, rest);
    assert_eq!(done(&class, 1), "1 8 10 12 15");
}

/// What QUIT has deleted shows in the next session only: whoever looks there has looked.
#[test]
fn a_message_is_looked_for_in_a_later_session_too() {
    let (class, kept) = class("");
    let session = |login: &str, said: &str| {
        let dialogue = format!(
            "S: +OK hi\nC: USER {login}\nS: +OK\nC: PASS ********\nS: +OK\nU: {login}\n{said}C: QUIT\nS: +OK"
        );
        play(&class, "pop3", 2, &dialogue);
    };
    let listed = "C: LIST\nS: +OK\nS: 1 9\nS: .\n";
    session("ann", listed);
    session("ann", "C: RETR 1\nS: +OK\nS: .\n");
    assert_eq!(done(&class, 0), "10", "LIST was before");
    session("ben", listed);
    session("ann", listed);
    assert_eq!(done(&class, 0), "10 11");
    assert_eq!(done(&class, 1), "", "he read nothing");
    let kept = kept.lock().expect("a lock").join("\n");
    let (again, _) = super::tests::class(&kept);
    assert_eq!(done(&again, 0), "10 11");
}

#[test]
fn nobody_is_given_what_nobody_claims() {
    let (class, _) = class("");
    play(
        &class,
        "smtp",
        900,
        "S: 220 hi\nC: MAIL FROM\nS: 501 no\nC: QUIT\nS: 221 bye",
    );
    assert_eq!(
        (done(&class, 0), done(&class, 1)),
        (String::new(), String::new())
    );
    play(
        &class,
        "smtp",
        900,
        "S: 220 hi\nC: MAIL FROM\nS: 501 no\nC: HELO ben\nS: 250 hi",
    );
    assert_eq!(done(&class, 1), "1 3 5 7");
    play(
        &class,
        "smtp",
        900,
        "S: 220 hi\nC: MAIL FROM:<ann@home.example>\nS: 250 ok\nC: MAIL\nS: 503 no",
    );
    assert_eq!(done(&class, 0), "1 7");
}

#[test]
fn what_was_overtaken_is_left_out() {
    let kept = "tried zoe 4 1 signs\ntried zoe 4 3 hand\ntried max 4 1 signs\ndone zoe 4 1700000000 s-1\ntried zoe 4 7 self\n\
                done zoe 4 1800000000 s-2\nnonsense\ntried gone 99 1 signs\ntried max 4 3 hand\ntried max 5";
    let short = compacted(kept);
    assert_eq!(
        short,
        "done zoe 4 1700000000 s-1\ntried max 4 3 hand\ntried gone 99 1 signs\n"
    );
    assert_eq!(compacted(&short), short);
    assert_eq!(compacted(""), "");
}
