//! Commands of a person that come one by one, as they are typed.

use super::stages::{IN, raw};
use super::*;

/// Commands that come one by one: each is sent when the one before it is answered and it is there, a literal when it was asked for.
#[test]
fn lines_that_come_one_by_one_are_sent_one_by_one() {
    use crate::proto::client::canned::said;
    use crate::tap::Side;
    use std::cell::RefCell;
    use std::time::Instant;

    let feed: RefCell<VecDeque<Fed>> = RefCell::default();
    let type_in = |text: &str, literal: Option<&[u8]>| {
        let mut line = Line::default();
        line.pieces
            .extend(literal.map(|octets| Piece::Literal(octets.to_vec())));
        let announced = read_line(text.as_bytes(), &mut line, &mut |_| Ok(Vec::new()));
        if let Some(octets) = announced.expect("good") {
            line.announce(octets);
        }
        feed.borrow_mut().push_back(Fed::Line(line));
    };
    let mut source = || feed.borrow_mut().pop_front().unwrap_or(Fed::Later);
    let nobody = Plan {
        user: String::new(),
        ..alice()
    };
    let mut sink = Vec::new();
    let mut client = Client::new(nobody, raw("", Shown::All), &mut sink).fed_by(&mut source);
    let now = Instant::now();
    let mut out = Out::new(Side::Client, now, None);
    client.handle(now, Input::Open, &mut out);
    let hears = |client: &mut Client<'_>, out: &mut Out, line: &str| {
        client.handle(now, Input::Line(line.as_bytes()), out);
        said(out)
    };
    let more = |client: &mut Client<'_>, out: &mut Out| {
        client.handle(now, Input::Changed, out);
        said(out)
    };
    let greeting = "* OK [CAPABILITY IMAP4rev1 LITERAL+] hi";
    assert_eq!(hears(&mut client, &mut out, greeting), "");
    assert_eq!(client.deadline(), None, "it is the user who is waited for");
    assert_eq!(more(&mut client, &mut out), "", "there is nothing yet");
    type_in("x1 SELECT INBOX", None);
    assert_eq!(more(&mut client, &mut out), "x1 SELECT INBOX\r\n");
    assert!(client.deadline().is_some());
    type_in("APPEND a {5}", None);
    assert_eq!(more(&mut client, &mut out), "", "the answer is not there");
    assert_eq!(
        hears(&mut client, &mut out, "x1 OK in"),
        "a2 APPEND a {5}\r\n"
    );
    assert_eq!(hears(&mut client, &mut out, "+ go on"), "");
    assert_eq!(client.deadline(), None);
    type_in(" {3}", Some(b"a2 OK"));
    assert_eq!(more(&mut client, &mut out), "a2 OK {3}\r\n");
    type_in("", Some(b"\0\r\n"));
    assert_eq!(hears(&mut client, &mut out, "+ go on"), "\0\r\n\r\n");
    type_in("APPEND b {2}", None);
    assert_eq!(
        hears(&mut client, &mut out, "a2 OK done"),
        "a3 APPEND b {2}\r\n"
    );
    type_in("", Some(b"xy"));
    assert_eq!(hears(&mut client, &mut out, "+"), "xy\r\n");
    type_in("IDLE", None);
    assert_eq!(hears(&mut client, &mut out, "a3 OK done"), "a4 IDLE\r\n");
    assert_eq!(hears(&mut client, &mut out, "+ idling"), "");
    assert_eq!(hears(&mut client, &mut out, "* 7 EXISTS"), "");
    type_in("DONE", None);
    assert_eq!(more(&mut client, &mut out), "DONE\r\n");
    // Refused before its literal came: which is not read as a command then.
    type_in("LOGIN {5}", None);
    assert_eq!(hears(&mut client, &mut out, "a4 OK"), "a5 LOGIN {5}\r\n");
    type_in(" secret", Some(b"alice"));
    assert_eq!(hears(&mut client, &mut out, "+ go on"), "alice secret\r\n");
    assert_eq!(hears(&mut client, &mut out, "* BAD x"), "");
    type_in("NOOP", None);
    feed.borrow_mut().push_back(Fed::End);
    assert_eq!(hears(&mut client, &mut out, "a5 OK"), "a6 NOOP\r\n");
    assert_eq!(hears(&mut client, &mut out, "a6 OK"), "a7 LOGOUT\r\n");
    assert_eq!(hears(&mut client, &mut out, "a7 OK"), "");
    assert!(client.into_failures().is_empty());
    let written = String::from_utf8(sink).expect("ASCII");
    assert!(
        written.starts_with("x1 OK in\r\n+ go on\r\n") && written.contains("* 7 EXISTS\r\n"),
        "{written}"
    );
}

/// A literal that was refused is no command; one that breaks off ends all.
#[test]
fn a_literal_that_nobody_wants_is_not_read_as_a_command() {
    let literal = || {
        let mut line = Line::default();
        line.pieces
            .push(Piece::Literal(b"x\r\nDELETE INBOX".to_vec()));
        read_line(b"", &mut line, &mut |_| Ok(Vec::new())).expect("good");
        line
    };
    let command = |text: &str, octets: Option<u64>| {
        let mut line = Line::default();
        read_line(text.as_bytes(), &mut line, &mut |_| Ok(Vec::new())).expect("good");
        if let Some(octets) = octets {
            line.announce(octets);
        }
        Fed::Line(line)
    };
    let play = |fed: Vec<Fed>, steps: &[Said<'_>]| {
        let mut failures = None;
        all_cuts(steps, |drive| {
            let mut left: VecDeque<Fed> = fed.clone().into();
            let mut source = || left.pop_front().unwrap_or(Fed::End);
            let mut sink = Vec::new();
            let mut errand = raw("", Shown::All);
            if let Errand::Stages(stages) = &mut errand
                && let [Stage::Raw(raw)] = &mut stages[..]
            {
                raw.refused = Refused::Stays;
            }
            let mut client = Client::new(alice(), errand, &mut sink).fed_by(&mut source);
            drive(&mut client);
            failures = Some(client.into_failures().len());
        });
        failures.expect("played")
    };
    let refused = [
        (IN.0, "a1 APPEND gone {15}\r\n"),
        ("a1 NO [TRYCREATE] gone\r\n", "a2 NOOP\r\n"),
        ("a2 OK\r\n", "a3 LOGOUT\r\n"),
        (EOF, ""),
    ];
    let fed = vec![
        command("APPEND gone ", Some(15)),
        Fed::Line(literal()),
        command("NOOP", None),
    ];
    assert_eq!(play(fed, &refused), 1);
    let broken = [(IN.0, "a1 APPEND gone {15}\r\n"), ("+ go on\r\n", "")];
    let fed = vec![command("APPEND gone ", Some(15)), Fed::Broken];
    assert_eq!(play(fed, &broken), 0);
}
