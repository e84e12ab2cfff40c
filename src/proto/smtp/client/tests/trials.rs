//! Servers that are tried out: ends before the time, and what is insisted on.

use super::*;
use crate::proto::smtp::relay::manner::{Ending, Pipelining, Point, Stop};
use crate::wire::sasl_client::Mechanism;

const GREETING: &str = "220 a.example ESMTP\r\n";
const PLAIN: &str = "250 a.example\r\n";
const PIPELINED: &str = "250-a.example\r\n250 PIPELINING\r\n";
const EHLO: &str = "EHLO pc1.example\r\n";
const MAIL: &str = "MAIL FROM:<bob@b.example>\r\n";
const ALICE: &str = "RCPT TO:<alice@a.example>\r\n";
const CAROL: &str = "RCPT TO:<carol@a.example>\r\n";
const QUIT: &str = "QUIT\r\n";
const BYE: Step<'_> = ("221 Bye\r\n", "");

fn stop(point: Point, ending: Ending) -> Manner {
    Manner {
        stop: Some(Stop { point, ending }),
        ..Manner::default()
    }
}

fn ends(point: Point, ending: Ending, steps: &[Step<'_>]) -> String {
    let manner = stop(point, ending);
    play_so(&plan(), &mail(&["alice", "carol"]), Some(&manner), steps)
}

#[test]
fn it_says_goodbye_where_it_is_told_to() {
    let quit = |point, steps: &[Step<'_>]| ends(point, Ending::Quit, steps);
    for point in [Point::Connect, Point::Banner] {
        let said = quit(point, &[(GREETING, QUIT), BYE]);
        assert_eq!(said, "halted after: 220 a.example ESMTP");
    }
    // No TLS and no login: what is behind them is not begun all the same.
    let points = [
        Point::FirstHello,
        Point::Tls,
        Point::Xclient,
        Point::Hello,
        Point::Auth,
    ];
    for point in points {
        let said = quit(point, &[(GREETING, EHLO), (PLAIN, QUIT), BYE]);
        assert_eq!(said, "halted after: 250 a.example", "{point:?}");
    }
    let steps = [(GREETING, EHLO), (PIPELINED, MAIL), ("250 Ok\r\n", QUIT)];
    let said = quit(Point::Mail, &[&steps[..], &[BYE]].concat());
    assert_eq!(said, "halted after: 250 Ok");
    let answers = "250 Ok\r\n550 5.1.1 No\r\n250 2.1.5 Yes\r\n";
    let said = quit(
        Point::Rcpt,
        &[
            (GREETING, EHLO),
            (PIPELINED, &[MAIL, ALICE, CAROL].concat()),
            (answers, QUIT),
            BYE,
        ],
    );
    let expected = "alice refused: 550 5.1.1 No; carol spared; halted after: 250 2.1.5 Yes";
    assert_eq!(said, expected);
}

#[test]
fn a_refusal_before_the_stage_is_told() {
    let no = "550 5.7.1 Not you\r\n";
    let steps = [(GREETING, EHLO), (PLAIN, MAIL), (no, QUIT), BYE];
    let said = ends(Point::Rcpt, Ending::Quit, &steps);
    let expected = "the server refused MAIL FROM: 550 5.7.1 Not you";
    assert!(said.contains(expected), "{said}");
    let said = ends(Point::Banner, Ending::Quit, &[("554 Busy\r\n", QUIT), BYE]);
    assert!(
        said.contains("554 Busy") && !said.contains("halted"),
        "{said}"
    );
}

#[test]
fn it_hangs_up_after_the_answer_or_before_it() {
    let drop = |point, steps: &[Step<'_>]| ends(point, Ending::Drop, steps);
    let said = drop(Point::Banner, &[(GREETING, "")]);
    assert_eq!(said, "halted after: 220 a.example ESMTP");
    let envelope = [MAIL, ALICE, CAROL, "DATA\r\n"].concat();
    let answers = "250 Ok\r\n250 Ok\r\n250 Ok\r\n354 Go\r\n";
    let begun = [(GREETING, EHLO), (PIPELINED, envelope.as_str())];
    let said = drop(Point::Data, &[&begun[..], &[(answers, "")]].concat());
    assert_eq!(said, "alice spared; carol spared; halted after: 354 Go");
    let kept = [(answers, TEXT), ("250 2.0.0 Kept\r\n", "")];
    let said = drop(Point::Dot, &[&begun[..], &kept].concat());
    let taken = "alice taken: 250 2.0.0 Kept; carol taken: 250 2.0.0 Kept";
    assert_eq!(said, format!("{taken}; halted after: 250 2.0.0 Kept"));

    let unheard = |point, steps: &[Step<'_>]| ends(point, Ending::DropUnheard, steps);
    let said = unheard(Point::Mail, &[(GREETING, EHLO), (PIPELINED, MAIL)]);
    assert_eq!(said, "halted after: 250 a.example PIPELINING");
    let said = unheard(Point::Data, &begun);
    assert_eq!(said, "halted after: 250 a.example PIPELINING");
    let said = unheard(Point::Dot, &[&begun[..], &[(answers, TEXT)]].concat());
    assert_eq!(said, "alice spared; carol spared; halted after: 354 Go");
    let said = unheard(Point::Hello, &[(GREETING, EHLO)]);
    assert_eq!(said, "halted after: 220 a.example ESMTP");
}

#[test]
fn with_tls_the_first_hello_is_not_the_last() {
    let plan = Plan {
        upgrade: Upgrade::Required,
        ..plan()
    };
    let offer = "250-a.example\r\n250 STARTTLS\r\n";
    let play = |point, steps: &[Step<'_>]| {
        let manner = stop(point, Ending::Quit);
        play_so(&plan, &mail(&["alice"]), Some(&manner), steps)
    };
    let said = play(Point::FirstHello, &[(GREETING, EHLO), (offer, QUIT), BYE]);
    assert_eq!(said, "halted after: 250 a.example STARTTLS");
    let upgraded = [
        (GREETING, EHLO),
        (offer, "STARTTLS\r\n"),
        ("220 Go\r\n", ""),
    ];
    let said = play(Point::Tls, &[&upgraded[..], &[("", QUIT), BYE]].concat());
    assert_eq!(said, "halted after: 220 Go");
    let rest = [("", EHLO), (PLAIN, QUIT), BYE];
    let said = play(Point::Hello, &[&upgraded[..], &rest].concat());
    assert_eq!(said, "halted after: 250 a.example");
}

#[test]
fn all_or_nobody() {
    let manner = Manner {
        on_refusal: OnRefusal::Abort,
        ..Manner::default()
    };
    let play =
        |steps: &[Step<'_>]| play_so(&plan(), &mail(&["alice", "carol"]), Some(&manner), steps);
    let envelope = [MAIL, ALICE, CAROL].concat();
    let begun = [(GREETING, EHLO), (PIPELINED, envelope.as_str())];
    let no = [("250 Ok\r\n250 Ok\r\n450 4.2.1 Later\r\n", QUIT), BYE];
    let said = play(&[&begun[..], &no].concat());
    assert_eq!(said, "carol refused: 450 4.2.1 Later; alice spared");
    let yes = [
        ("250 Ok\r\n250 Ok\r\n250 Ok\r\n", "DATA\r\n"),
        ("354 Go\r\n", TEXT),
        ("250 2.0.0 Ok\r\n", QUIT),
        BYE,
    ];
    let said = play(&[&begun[..], &yes].concat());
    let expected = "alice taken: 250 2.0.0 Ok; carol taken: 250 2.0.0 Ok";
    assert_eq!(said, expected);
}

#[test]
fn parameters_are_said_behind_our_own() {
    let manner = Manner {
        mail_parameters: " BY=120;N MT-PRIORITY=3".into(),
        rcpt_parameters: " X-LAB=1".into(),
        pipelining: Pipelining::Never,
        ..Manner::default()
    };
    let steps = [
        (GREETING, EHLO),
        (
            "250-a.example\r\n250-PIPELINING\r\n250 SIZE\r\n",
            "MAIL FROM:<bob@b.example> SIZE=20 BY=120;N MT-PRIORITY=3\r\n",
        ),
        ("250 Ok\r\n", "RCPT TO:<alice@a.example> X-LAB=1\r\n"),
        ("250 Ok\r\n", "DATA\r\n"),
        ("354 Go\r\n", TEXT),
        ("250 Ok\r\n", QUIT),
        BYE,
    ];
    let said = play_so(&plan(), &mail(&["alice"]), Some(&manner), &steps);
    assert_eq!(said, "alice taken: 250 Ok");
}

#[test]
fn commands_are_piped_where_nobody_offered_it() {
    let manner = Manner {
        pipelining: Pipelining::Always,
        ..Manner::default()
    };
    let envelope = [MAIL, ALICE, "DATA\r\n"].concat();
    let steps = [
        (GREETING, EHLO),
        (PLAIN, envelope.as_str()),
        ("250 Ok\r\n250 Ok\r\n354 Go\r\n", TEXT),
        ("250 Ok\r\n", QUIT),
        BYE,
    ];
    let said = play_so(&plan(), &mail(&["alice"]), Some(&manner), &steps);
    assert_eq!(said, "alice taken: 250 Ok");
}

#[test]
fn chunks_as_in_rfc_3030() {
    let envelope = [MAIL, ALICE].concat();
    let offer = "250-a.example\r\n250-PIPELINING\r\n250 CHUNKING\r\n";
    let begun = [
        (GREETING, EHLO),
        (offer, envelope.as_str()),
        ("250 Ok\r\n250 Ok\r\n", "BDAT 12\r\nSubject: x\r\n"),
    ];
    let play = |octets, steps: &[Step<'_>]| {
        let manner = Manner {
            chunk_octets: Some(octets),
            ..Manner::default()
        };
        play_so(&plan(), &mail(&["alice"]), Some(&manner), steps)
    };
    let rest = [
        ("250 12 octets\r\n", "BDAT 8 LAST\r\n\r\n.dot\r\n"),
        ("250 2.0.0 Ok\r\n", QUIT),
        BYE,
    ];
    let said = play(12, &[&begun[..], &rest].concat());
    assert_eq!(said, "alice taken: 250 2.0.0 Ok");
    let refused = [("552 5.3.4 Too much\r\n", QUIT), BYE];
    let said = play(12, &[&begun[..], &refused].concat());
    assert_eq!(said, "the server refused the message: 552 5.3.4 Too much");
    let said = play(u64::MAX, &[(GREETING, EHLO), (PIPELINED, QUIT), BYE]);
    assert_eq!(said, "the server does not offer CHUNKING");
}

#[test]
fn whose_connection_it_is_comes_before_the_last_hello() {
    let manner = Manner {
        xclient: vec!["ADDR=192.0.2.7".into(), "NAME=pc.example".into()],
        ..stop(Point::Hello, Ending::Quit)
    };
    let offer = "250-a.example\r\n250 XCLIENT NAME ADDR\r\n";
    let steps = [
        (GREETING, EHLO),
        (offer, "XCLIENT ADDR=192.0.2.7\r\n"),
        (GREETING, EHLO),
        (offer, "XCLIENT NAME=pc.example\r\n"),
        (GREETING, EHLO),
        (offer, QUIT),
        BYE,
    ];
    let said = play_so(&plan(), &mail(&["alice"]), Some(&manner), &steps);
    assert_eq!(said, "halted after: 250 a.example XCLIENT NAME ADDR");
    let steps = [(GREETING, EHLO), (PLAIN, QUIT), BYE];
    let said = play_so(&plan(), &mail(&["alice"]), Some(&manner), &steps);
    assert_eq!(said, "the server does not offer XCLIENT");
}

#[test]
fn no_other_mechanism_than_the_one_that_was_asked_for() {
    let with = |mechanism| Plan {
        login: login().map(|login| Login {
            with: With::Mechanism(mechanism),
            ..login
        }),
        ..plan()
    };
    let manner = stop(Point::Auth, Ending::Quit);
    let offer = "250-a.example\r\n250 AUTH SCRAM-SHA-256 PLAIN EXTERNAL\r\n";
    let steps = [
        (GREETING, EHLO),
        (offer, "AUTH EXTERNAL YWxpY2U=\r\n"),
        ("235 2.7.0 Welcome\r\n", QUIT),
        BYE,
    ];
    let external = with(Mechanism::External);
    let said = play_so(&external, &mail(&[]), Some(&manner), &steps);
    assert_eq!(said, "halted after: 235 2.7.0 Welcome");
    let steps = [(GREETING, EHLO), (offer, QUIT), BYE];
    let cram = with(Mechanism::CramMd5);
    let said = play_so(&cram, &mail(&[]), Some(&manner), &steps);
    assert_eq!(said, "the server does not offer CRAM-MD5");
}

#[test]
fn letters_are_announced_where_they_are_understood() {
    let letters = "\u{e9}lise@a.example";
    let mut mail = mail(&[]);
    mail.recipients
        .extend(Address::parse_utf8(letters.as_bytes()));
    let manner = Manner::default();
    let rcpt = format!("RCPT TO:<{letters}>\r\n");
    let steps = [
        (GREETING, EHLO),
        (
            "250-a.example\r\n250 SMTPUTF8\r\n",
            "MAIL FROM:<bob@b.example> SMTPUTF8\r\n",
        ),
        ("250 Ok\r\n", rcpt.as_str()),
        ("250 Ok\r\n", "DATA\r\n"),
        ("354 Go\r\n", TEXT),
        ("250 Ok\r\n", QUIT),
        BYE,
    ];
    let said = play_so(&plan(), &mail, Some(&manner), &steps);
    assert_eq!(said, "\u{e9}lise taken: 250 Ok");
    let steps = [(GREETING, EHLO), (PLAIN, QUIT), BYE];
    let said = play_so(&plan(), &mail, Some(&manner), &steps);
    assert!(said.contains("does not offer SMTPUTF8"), "{said}");
}
