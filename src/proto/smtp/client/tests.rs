use super::*;
use crate::limits;
use crate::proto::client::canned::{EOF, SILENCE, Step, all_cuts};
use proptest::prelude::*;

fn plan() -> Plan {
    Plan {
        name: "pc1.example".into(),
        protocol: Protocol::Smtp,
        upgrade: Upgrade::Never,
        login: None,
        patience: Duration::from_secs(60),
    }
}

fn login() -> Option<Login> {
    Some(Login {
        user: "alice".into(),
        password: "sec ret".into(),
        nonce: "abcdef".into(),
        with: With::Password,
    })
}

fn mail(recipients: &[&str]) -> Mail {
    Mail {
        reverse_path: Address::parse(b"bob@b.example").ok(),
        recipients: recipients
            .iter()
            .filter_map(|name| Address::parse(format!("{name}@a.example").as_bytes()).ok())
            .collect(),
        text: b"Subject: x\n\n.dot\n".to_vec(),
    }
}

/// Plays it, and describes what became of it.
fn play(plan: &Plan, mail: &Mail, steps: &[Step<'_>]) -> String {
    play_so(plan, mail, None, steps)
}

/// The same in a manner.
fn play_so(plan: &Plan, mail: &Mail, manner: Option<&Manner>, steps: &[Step<'_>]) -> String {
    let mut outcomes = Vec::new();
    all_cuts(steps, |drive| {
        let mut client = Client::new(plan.clone(), mail.clone());
        if let Some(manner) = manner {
            client = client.with_manner(manner.clone());
        }
        drive(&mut client);
        let outcome = client.into_outcome();
        let mut words = Vec::new();
        for (address, reply) in &outcome.taken {
            words.push(format!("{} taken: {reply}", address.local_part()));
        }
        for (address, reply) in &outcome.refused {
            words.push(format!("{} refused: {reply}", address.local_part()));
        }
        for address in &outcome.spared {
            words.push(format!("{} spared", address.local_part()));
        }
        if outcome.halted {
            let heard = outcome.heard.last();
            let last = heard.map(|heard| heard.reply.to_string());
            words.push(format!("halted after: {}", last.unwrap_or_default()));
        }
        words.extend(outcome.failure.map(|failure| failure.to_string()));
        outcomes.push(words.join("; "));
    });
    outcomes.dedup();
    assert_eq!(outcomes.len(), 1, "however it is cut: {outcomes:#?}");
    outcomes.remove(0)
}

const TEXT: &str = "Subject: x\r\n\r\n..dot\r\n.\r\n";

#[test]
fn one_by_one_where_pipelining_is_not_offered() {
    let outcome = play(
        &plan(),
        &mail(&["alice", "nobody"]),
        &[
            ("220 a.example ESMTP\r\n", "EHLO pc1.example\r\n"),
            (
                "250-a.example\r\n250 SIZE 1000\r\n",
                "MAIL FROM:<bob@b.example> SIZE=20\r\n",
            ),
            ("250 Ok\r\n", "RCPT TO:<alice@a.example>\r\n"),
            ("250 Ok\r\n", "RCPT TO:<nobody@a.example>\r\n"),
            ("550 5.1.1 No such user\r\n", "DATA\r\n"),
            ("354 Go\r\n", TEXT),
            ("250 2.0.0 Ok: queued\r\n", "QUIT\r\n"),
            ("221 Bye\r\n", ""),
        ],
    );
    assert_eq!(
        outcome,
        "alice taken: 250 2.0.0 Ok: queued; nobody refused: 550 5.1.1 No such user"
    );
}

#[test]
fn all_at_once_where_it_is() {
    let outcome = play(
        &plan(),
        &mail(&["alice"]),
        &[
            ("220 a.example ESMTP\r\n", "EHLO pc1.example\r\n"),
            (
                "250-a.example\r\n250-PIPELINING\r\n250 8BITMIME\r\n",
                "MAIL FROM:<bob@b.example>\r\nRCPT TO:<alice@a.example>\r\nDATA\r\n",
            ),
            ("250 Ok\r\n250 Ok\r\n354 Go\r\n", TEXT),
            ("250 2.0.0 Ok\r\n", "QUIT\r\n"),
            (EOF, ""),
        ],
    );
    assert_eq!(outcome, "alice taken: 250 2.0.0 Ok");
}

#[test]
fn a_pipelined_message_that_nobody_gets_is_empty() {
    let outcome = play(
        &plan(),
        &mail(&["nobody"]),
        &[
            ("220 a.example ESMTP\r\n", "EHLO pc1.example\r\n"),
            (
                "250-a.example\r\n250 PIPELINING\r\n",
                "MAIL FROM:<bob@b.example>\r\nRCPT TO:<nobody@a.example>\r\nDATA\r\n",
            ),
            ("250 Ok\r\n550 5.1.1 No\r\n354 Go\r\n", ".\r\n"),
            ("554 No recipients\r\n", "QUIT\r\n"),
            ("221 Bye\r\n", ""),
        ],
    );
    assert_eq!(outcome, "nobody refused: 550 5.1.1 No");
}

#[test]
fn a_refused_sender_is_the_one_reason_told() {
    let outcome = play(
        &plan(),
        &mail(&["alice"]),
        &[
            ("220 a.example ESMTP\r\n", "EHLO pc1.example\r\n"),
            (
                "250-a.example\r\n250 PIPELINING\r\n",
                "MAIL FROM:<bob@b.example>\r\nRCPT TO:<alice@a.example>\r\nDATA\r\n",
            ),
            (
                "530 5.7.0 Log in\r\n503 5.5.1 No\r\n503 5.5.1 No\r\n",
                "QUIT\r\n",
            ),
            ("221 Bye\r\n", ""),
        ],
    );
    assert_eq!(outcome, "the server refused MAIL FROM: 530 5.7.0 Log in");
}

#[test]
fn helo_where_ehlo_is_unknown() {
    let outcome = play(
        &plan(),
        &mail(&["alice"]),
        &[
            ("220 a.example\r\n", "EHLO pc1.example\r\n"),
            ("500 What?\r\n", "HELO pc1.example\r\n"),
            ("250 a.example\r\n", "MAIL FROM:<bob@b.example>\r\n"),
            ("421 Going away\r\n", ""),
        ],
    );
    assert_eq!(outcome, "the server refused MAIL FROM: 421 Going away");
}

#[test]
fn starttls_then_everything_anew_then_login() {
    let plan = Plan {
        upgrade: Upgrade::Required,
        login: login(),
        ..plan()
    };
    let outcome = play(
        &plan,
        &mail(&["alice"]),
        &[
            ("220 a.example ESMTP\r\n", "EHLO pc1.example\r\n"),
            (
                "250-a.example\r\n250-PIPELINING\r\n250 STARTTLS\r\n",
                "STARTTLS\r\n",
            ),
            ("220 Go\r\n", ""),
            (
                "250-a.example\r\n250 AUTH GSSAPI LOGIN PLAIN\r\n",
                "EHLO pc1.example\r\nAUTH PLAIN AGFsaWNlAHNlYyByZXQ=\r\n",
            ),
            ("235 Ok\r\n", "MAIL FROM:<bob@b.example>\r\n"),
            ("250 Ok\r\n", "RCPT TO:<alice@a.example>\r\n"),
            ("250 Ok\r\n", "DATA\r\n"),
            ("451 4.3.0 Disk\r\n", "QUIT\r\n"),
            ("221 Bye\r\n", ""),
        ],
    );
    assert_eq!(outcome, "the server refused DATA: 451 4.3.0 Disk");
}

#[test]
fn login_in_two_steps_where_only_that_is_offered() {
    let plan = Plan {
        login: login(),
        ..plan()
    };
    let outcome = play(
        &plan,
        &mail(&["alice"]),
        &[
            ("220 a.example ESMTP\r\n", "EHLO pc1.example\r\n"),
            ("250-a.example\r\n250 AUTH login\r\n", "AUTH LOGIN\r\n"),
            ("334 VXNlcm5hbWU6\r\n", "YWxpY2U=\r\n"),
            ("334 UGFzc3dvcmQ6\r\n", "c2VjIHJldA==\r\n"),
            ("535 5.7.8 Wrong\r\n", "QUIT\r\n"),
            ("221 Bye\r\n", ""),
        ],
    );
    assert_eq!(outcome, "the server refused AUTH: 535 5.7.8 Wrong");
}

#[test]
fn a_password_is_not_sent_without_tls_that_is_required() {
    let plan = Plan {
        upgrade: Upgrade::Required,
        login: login(),
        ..plan()
    };
    let outcome = play(
        &plan,
        &mail(&["alice"]),
        &[
            ("220 a.example ESMTP\r\n", "EHLO pc1.example\r\n"),
            ("250-a.example\r\n250 AUTH PLAIN\r\n", "QUIT\r\n"),
            ("221 Bye\r\n", ""),
        ],
    );
    assert!(outcome.contains("does not offer STARTTLS"), "{outcome}");
}

#[test]
fn opportunistic_tls_goes_on_without() {
    let plan = Plan {
        upgrade: Upgrade::IfOffered,
        ..plan()
    };
    let outcome = play(
        &plan,
        &mail(&["alice"]),
        &[
            ("220 a.example ESMTP\r\n", "EHLO pc1.example\r\n"),
            ("250-a.example\r\n250 STARTTLS\r\n", "STARTTLS\r\n"),
            ("454 4.7.0 Not now\r\n", "MAIL FROM:<bob@b.example>\r\n"),
            (SILENCE, ""),
        ],
    );
    assert!(
        outcome.starts_with("MAIL FROM: no answer in time"),
        "{outcome}"
    );
}

#[test]
fn lmtp_has_a_reply_for_each_recipient() {
    let plan = Plan {
        protocol: Protocol::Lmtp,
        ..plan()
    };
    let outcome = play(
        &plan,
        &mail(&["alice", "nobody", "carol"]),
        &[
            ("220 a.example LMTP\r\n", "LHLO pc1.example\r\n"),
            (
                "250-a.example\r\n250 PIPELINING\r\n",
                "MAIL FROM:<bob@b.example>\r\nRCPT TO:<alice@a.example>\r\nRCPT TO:<nobody@a.example>\r\n\
                 RCPT TO:<carol@a.example>\r\nDATA\r\n",
            ),
            ("250 Ok\r\n250 Ok\r\n550 No\r\n250 Ok\r\n354 Go\r\n", TEXT),
            ("250 Taken\r\n452 Full\r\n", "QUIT\r\n"),
            ("221 Bye\r\n", ""),
        ],
    );
    assert_eq!(
        outcome,
        "alice taken: 250 Taken; nobody refused: 550 No; carol refused: 452 Full"
    );
}

#[test]
fn what_is_no_smtp_server_is_found_out() {
    let outcome = play(&plan(), &mail(&["alice"]), &[("+OK POP3 ready\r\n", "")]);
    assert!(
        outcome.contains("+OK POP3 ready") && outcome.contains("right port"),
        "{outcome}"
    );
    let outcome = play(
        &plan(),
        &mail(&["alice"]),
        &[("554 No service\r\n", "QUIT\r\n"), (EOF, "")],
    );
    assert_eq!(outcome, "the server refused the greeting: 554 No service");
    let outcome = play(&plan(), &mail(&["alice"]), &[(EOF, "")]);
    assert!(
        outcome.starts_with("the greeting: the server closed"),
        "{outcome}"
    );
}

#[test]
fn a_long_text_is_sent_as_it_is_taken() {
    let text = "0123456789abcdef\r\n".repeat(100_000).into_bytes();
    let mut mail = mail(&["alice"]);
    mail.text = text.clone();
    let now = Instant::now();
    let mut out = Out::new(crate::tap::Side::Client, now, None);
    let mut client = Client::new(plan(), mail);
    client.handle(now, Input::Open, &mut out);
    for line in ["220 a", "250 a", "250 Ok", "250 Ok", "354 Go"] {
        client.handle(now, Input::Line(line.as_bytes()), &mut out);
    }
    let mut sent = Vec::new();
    while let Some(crate::proto::Front::Bytes(bytes)) = out.front() {
        let octets = bytes.len();
        sent.extend_from_slice(bytes);
        out.advance(octets);
        assert!(out.queued() < limits::SEND_HIGH as u64 + 32 * 1024);
        client.handle(now, Input::Room, &mut out);
    }
    assert!(sent.ends_with(b"\r\n.\r\n") && sent.len() > text.len());
    assert_eq!(client.session.stage(), Stage::Text);
}

proptest! {
    #[test]
    fn any_server_ends_in_an_outcome(lines in prop::collection::vec("([2345][05][0-4][ -]?)?[a-zA-Z0-9. =]{0,12}", 0..30)) {
        let now = Instant::now();
        let mut out = Out::new(crate::tap::Side::Client, now, None);
        let plan = Plan { login: login(), upgrade: Upgrade::IfOffered, ..plan() };
        let mut client = Client::new(plan, mail(&["alice", "bob"]));
        client.handle(now, Input::Open, &mut out);
        for line in &lines {
            if client.want() == Want::Nothing || out.is_blocked() {
                break;
            }
            client.handle(now, Input::Line(line.as_bytes()), &mut out);
        }
        client.handle(now, Input::Eof, &mut out);
        let outcome = client.into_outcome();
        prop_assert!(outcome.failure.is_some() || outcome.taken.len() + outcome.refused.len() == 2);
    }
}

#[test]
fn a_stop_in_the_middle_is_no_success() {
    let now = Instant::now();
    let mut out = Out::new(crate::tap::Side::Client, now, None);
    let mut client = Client::new(plan(), mail(&["alice"]));
    client.handle(now, Input::Open, &mut out);
    client.handle(now, Input::Stop, &mut out);
    let outcome = client.into_outcome();
    assert!(outcome.taken.is_empty());
    assert!(matches!(
        outcome.failure,
        Some(Failure::Dialogue(DialogueFailure::Lost { .. }))
    ));
}

/// Who loses the server behind the last octet cannot know whether it took the message; who loses it before that can.
#[test]
fn a_message_without_an_answer_is_in_doubt() {
    let begin = [
        ("220 a.example ESMTP\r\n", "EHLO pc1.example\r\n"),
        ("250 a.example\r\n", "MAIL FROM:<bob@b.example>\r\n"),
        ("250 Ok\r\n", "RCPT TO:<alice@a.example>\r\n"),
        ("250 Ok\r\n", "DATA\r\n"),
    ];
    for (rest, in_doubt) in [
        (&[("354 Go\r\n", TEXT), (EOF, "")][..], true),
        (&[("354 Go\r\n", TEXT), (SILENCE, "")], true),
        (&[(EOF, "")], false),
    ] {
        let steps = [&begin[..], rest].concat();
        all_cuts(&steps, |drive| {
            let mut client = Client::new(plan(), mail(&["alice"]));
            drive(&mut client);
            let outcome = client.into_outcome();
            assert!(matches!(outcome.failure, Some(Failure::Dialogue(_))));
            assert_eq!(outcome.in_doubt, in_doubt);
        });
    }
}

#[test]
fn reports_are_asked_for_where_they_are_known() {
    for (offers, mail_line, rcpt_line) in [
        (
            "250-a.example\r\n250 DSN\r\n",
            "MAIL FROM:<bob@b.example> RET=HDRS ENVID=lab+201\r\n",
            "RCPT TO:<alice@a.example> NOTIFY=SUCCESS,FAILURE\r\n",
        ),
        (
            "250 a.example\r\n",
            "MAIL FROM:<bob@b.example>\r\n",
            "RCPT TO:<alice@a.example>\r\n",
        ),
    ] {
        let reports = Reports {
            notify: Notify::On {
                success: true,
                failure: true,
                delay: false,
            },
            ret: Some(Ret::Headers),
            envelope_id: Some("lab 1".to_owned()),
        };
        let steps = [
            ("220 a.example ESMTP\r\n", "EHLO pc1.example\r\n"),
            (offers, mail_line),
            ("250 Ok\r\n", rcpt_line),
            ("250 Ok\r\n", "DATA\r\n"),
            ("354 Go\r\n", TEXT),
            ("250 Ok\r\n", "QUIT\r\n"),
            (EOF, ""),
        ];
        all_cuts(&steps, |drive| {
            let mut client = Client::asking(plan(), mail(&["alice"]), reports.clone());
            drive(&mut client);
            let outcome = client.into_outcome();
            assert_eq!(outcome.taken.len(), 1);
            assert_eq!(outcome.reports_asked, offers.contains("DSN"));
        });
    }
}

mod trials;
