//! The session against servers that say what each test wants, however it is cut.

mod files;

use proptest::prelude::*;

use super::super::terms::{Login, With};
use super::super::{Answer, Job};
use super::*;
use crate::proto::client::canned::{EOF, SILENCE, Step, all_cuts};
use crate::proto::{Front, TlsInfo, Verdict};
use crate::store::Extent;
use crate::tap::Side;
use crate::wire::address::Address;
use crate::wire::envelope::{
    Body, ByMode, DeliverBy, Envelope, MailOptions, Notify, OriginalRecipient, Recipient, Ret,
};

fn plan() -> Plan {
    Plan {
        name: "mx.b.example".into(),
        protocol: Protocol::Smtp,
        upgrade: Upgrade::Never,
        login: None,
        patience: Patience::default(),
        idle: Duration::from_secs(5),
        epoch: None,
    }
}

fn address(text: &str) -> Address {
    Address::parse(text.as_bytes()).expect("an address")
}

fn message(word: u64, recipients: &[&str]) -> Message {
    let recipient = |name: &&str| Recipient::new(address(&format!("{name}@a.example")));
    Message {
        word,
        envelope: Envelope {
            reverse_path: Some(address("bob@b.example")),
            options: MailOptions::default(),
            recipients: recipients.iter().map(recipient).collect(),
        },
        text: Text::new(b"Subject: x\n\n.dot\n"),
    }
}

const TEXT: &str = "Subject: x\r\n\r\n..dot\r\n.\r\n";
const MAIL: &str = "MAIL FROM:<bob@b.example>\r\n";
const ALICE: &str = "RCPT TO:<alice@a.example>\r\n";
const HELLO: Step<'_> = ("220 a.example ESMTP\r\n", "EHLO mx.b.example\r\n");

fn described(tray: &Tray) -> String {
    let mut words = Vec::new();
    for outcome in tray.outcomes() {
        for (place, fate) in outcome.fates.iter().enumerate() {
            let fate = match fate {
                Fate::Taken(reply) => format!("taken: {reply}"),
                Fate::Refused { stage, reply } => format!("{stage} refused: {reply}"),
                Fate::Unfit(reply) => format!("unfit: {} {:?}", reply.code, reply.enhanced),
                Fate::Interrupted { stage, sent } => format!("{stage} interrupted, {sent:?}"),
            };
            words.push(format!("{}.{place} {fate}", outcome.word));
        }
    }
    let undone = tray.undone();
    words.extend(
        undone
            .iter()
            .map(|message| format!("{} undone", message.word)),
    );
    words.extend(tray.failure().map(|failure| format!("failure: {failure}")));
    words.join("; ")
}

/// Plays it, and describes what became of it.
fn play(plan: &Plan, messages: &[Message], steps: &[Step<'_>]) -> String {
    let mut outcomes = Vec::new();
    all_cuts(steps, |drive| {
        let tray = Tray::new();
        for message in messages {
            tray.give(message.clone());
        }
        tray.close();
        let mut client = Client::new(plan.clone(), tray.clone());
        drive(&mut client);
        drop(client);
        outcomes.push(described(&tray));
    });
    outcomes.dedup();
    assert_eq!(outcomes.len(), 1, "however it is cut: {outcomes:#?}");
    outcomes.remove(0)
}

/// What one message becomes with a server that offers this; `said` is what it is told after EHLO, up to DATA.
fn offered(offers: &str, message: Message, said: &str) -> String {
    let lines: Vec<_> = offers.split('|').filter(|line| !line.is_empty()).collect();
    let mut hello = String::from("250-a.example\r\n");
    for line in &lines {
        hello.push_str(&format!("250-{line}\r\n"));
    }
    hello.push_str("250 PIPELINING\r\n");
    let steps = if said == "QUIT\r\n" {
        vec![HELLO, (&hello, said), ("221 Bye\r\n", "")]
    } else {
        vec![HELLO, (&hello, said), (EOF, "")]
    };
    play(&plan(), &[message], &steps)
}

#[test]
fn several_messages_go_over_one_connection() {
    let outcome = play(
        &plan(),
        &[message(1, &["alice"]), message(2, &["alice", "carol"])],
        &[
            HELLO,
            (
                "250-a.example\r\n250 PIPELINING\r\n",
                &format!("{MAIL}{ALICE}DATA\r\n"),
            ),
            ("250 Ok\r\n250 Ok\r\n354 Go\r\n", TEXT),
            (
                "250 2.0.0 first\r\n",
                &format!("{MAIL}{ALICE}RCPT TO:<carol@a.example>\r\nDATA\r\n"),
            ),
            ("250 Ok\r\n250 Ok\r\n550 5.1.1 No\r\n354 Go\r\n", TEXT),
            ("250 2.0.0 second\r\n", "QUIT\r\n"),
            ("221 Bye\r\n", ""),
        ],
    );
    assert_eq!(
        outcome,
        "1.0 taken: 250 2.0.0 first; 2.0 taken: 250 2.0.0 second; 2.1 RCPT TO refused: 550 5.1.1 No"
    );
}

#[test]
fn rset_comes_where_a_message_did_not_come_to_its_end() {
    let outcome = play(
        &plan(),
        &[
            message(1, &["nobody"]),
            message(2, &["alice"]),
            message(3, &["alice"]),
        ],
        &[
            HELLO,
            ("250 a.example\r\n", MAIL),
            ("250 Ok\r\n", "RCPT TO:<nobody@a.example>\r\n"),
            ("550 5.1.1 No\r\n", "RSET\r\n"),
            ("250 Ok\r\n", MAIL),
            ("250 Ok\r\n", ALICE),
            ("250 Ok\r\n", "DATA\r\n"),
            ("451 4.3.0 Not now\r\n", "RSET\r\n"),
            ("250 Ok\r\n", MAIL),
            ("550 5.7.1 Not you\r\n", "QUIT\r\n"),
            ("221 Bye\r\n", ""),
        ],
    );
    assert_eq!(
        outcome,
        "1.0 RCPT TO refused: 550 5.1.1 No; 2.0 DATA refused: 451 4.3.0 Not now; 3.0 MAIL FROM refused: 550 5.7.1 Not \
         you"
    );
}

#[test]
fn what_happens_to_the_connection_is_told_apart_from_what_happens_to_a_message() {
    let two = [message(1, &["alice"]), message(2, &["alice"])];
    let begun: &[Step<'_>] = &[HELLO, ("250 a.example\r\n", MAIL), ("250 Ok\r\n", ALICE)];
    let after = |more: &[Step<'static>]| play(&plan(), &two, &[begun, more].concat());
    assert_eq!(
        after(&[("421 4.3.2 Stopping\r\n", "")]),
        "1.0 RCPT TO interrupted, InPart; 2 undone; failure: the server refused RCPT TO: 421 4.3.2 Stopping"
    );
    assert_eq!(
        after(&[("250 Ok\r\n", "DATA\r\n"), (EOF, "")]),
        "1.0 DATA interrupted, InPart; 2 undone; failure: DATA: the server closed the connection instead of answering"
    );
    assert_eq!(
        after(&[("250 Ok\r\n", "DATA\r\n"), ("354 Go\r\n", TEXT), (EOF, "")]),
        "1.0 the message interrupted, Whole; 2 undone; failure: the message: the server closed the connection instead of \
         answering"
    );
    assert_eq!(
        after(&[
            ("250 Ok\r\n", "DATA\r\n"),
            ("354 Go\r\n", TEXT),
            ("421 4.3.0 Full\r\n", "")
        ]),
        "1.0 the message refused: 421 4.3.0 Full; 2 undone; failure: the server refused the message: 421 4.3.0 Full"
    );
    assert_eq!(
        play(
            &plan(),
            &two,
            &[("554 5.3.2 No mail here\r\n", "QUIT\r\n"), (EOF, "")]
        ),
        "1 undone; 2 undone; failure: the server refused the greeting: 554 5.3.2 No mail here"
    );
    assert!(
        play(&plan(), &two, &[HELLO, (SILENCE, "")])
            .starts_with("1 undone; 2 undone; failure: EHLO: no answer"),
    );
    assert!(
        after(&[("250 Ok\r\n", "DATA\r\n"), ("250 What?\r\n", "")]).starts_with(
            "1.0 DATA interrupted, InPart; 2 undone; failure: DATA: the server answered what"
        ),
    );
}

#[test]
fn each_phase_has_its_own_patience() {
    let now = Instant::now();
    let mut out = Out::new(Side::Client, now, None);
    let tray = Tray::new();
    tray.give(message(1, &["alice"]));
    let mut client = Client::new(plan(), tray.clone());
    client.handle(now, Input::Open, &mut out);
    for (line, seconds) in [
        ("", 300),
        ("220 a", 300),
        ("250 a", 300),
        ("250 Ok", 300),
        ("250 Ok", 120),
        ("354 Go", 600),
        ("250 Ok", 5),
    ] {
        if !line.is_empty() {
            client.handle(now, Input::Line(line.as_bytes()), &mut out);
        }
        assert_eq!(
            client.deadline(),
            Some(now + Duration::from_secs(seconds)),
            "{line}"
        );
    }
    assert!(tray.is_idle() && out.take_news());
    client.handle(now, Input::Timeout, &mut out);
    assert_eq!(client.deadline(), Some(now + Duration::from_secs(10)));
    assert!(!tray.is_idle());
}

#[test]
fn an_idle_session_takes_what_comes_later_and_stops_when_told() {
    let now = Instant::now();
    let mut out = Out::new(Side::Client, now, None);
    let tray = Tray::new();
    let mut client = Client::new(plan(), tray.clone());
    client.handle(now, Input::Open, &mut out);
    for line in ["220 a", "250 a"] {
        client.handle(now, Input::Line(line.as_bytes()), &mut out);
    }
    assert!(tray.is_idle());
    assert_eq!(tray.server().name, "a");
    tray.give(message(7, &["alice"]));
    client.handle(now, Input::Changed, &mut out);
    client.handle(now, Input::Stop, &mut out);
    tray.give(message(8, &["alice"]));
    for line in ["250 Ok", "250 Ok", "354 Go", "250 2.0.0 Taken"] {
        assert!(out.wish().is_none(), "a message in hand is finished");
        client.handle(now, Input::Line(line.as_bytes()), &mut out);
    }
    assert_eq!(described(&tray), "7.0 taken: 250 2.0.0 Taken; 8 undone");
    client.handle(now, Input::Line(b"221 Bye"), &mut out);
    assert_eq!(out.wish(), Some(proto::Wish::Close));
}

#[test]
fn a_session_that_is_dropped_says_what_it_had_in_hand() {
    let now = Instant::now();
    let mut out = Out::new(Side::Client, now, None);
    let tray = Tray::new();
    tray.give(message(1, &["alice"]));
    let mut client = Client::new(plan(), tray.clone());
    client.handle(now, Input::Open, &mut out);
    for line in ["220 a", "250 a", "250 Ok"] {
        client.handle(now, Input::Line(line.as_bytes()), &mut out);
    }
    drop(client);
    assert_eq!(described(&tray), "1.0 RCPT TO interrupted, InPart");
}

#[test]
fn wishes_are_passed_on_to_whom_offers_that() {
    let mut full = message(1, &["alice"]);
    full.envelope.options = MailOptions {
        body: Body::EightBit,
        utf8: true,
        ret: Some(Ret::Headers),
        envelope_id: Some("QQ+1".into()),
        deliver_by: Some(DeliverBy {
            deadline: 120,
            mode: ByMode::Notify,
            trace: true,
        }),
        priority: -3,
        ..MailOptions::default()
    };
    full.envelope.recipients[0].notify = Notify::On {
        success: true,
        failure: false,
        delay: true,
    };
    full.envelope.recipients[0].original = Some(OriginalRecipient {
        kind: "rfc822".into(),
        address: "a+b@c.example".into(),
    });
    offered("", full.clone(), &format!("{MAIL}{ALICE}DATA\r\n"));
    offered(
        "SIZE 1000|8bitmime|SMTPUTF8|DSN|DELIVERBY|MT-PRIORITY MIXER|REQUIRETLS",
        full.clone(),
        "MAIL FROM:<bob@b.example> SIZE=20 BODY=8BITMIME SMTPUTF8 RET=HDRS ENVID=QQ+2B1 BY=120;NT MT-PRIORITY=-3\r\n\
         RCPT TO:<alice@a.example> NOTIFY=SUCCESS,DELAY ORCPT=rfc822;a+2Bb@c.example\r\nDATA\r\n",
    );
    full.envelope.recipients[0].notify = Notify::Never;
    full.envelope.recipients[0].original = None;
    full.envelope.options = MailOptions::default();
    full.envelope.reverse_path = None;
    offered(
        "DSN|SIZE",
        full,
        "MAIL FROM:<> SIZE=20\r\nRCPT TO:<alice@a.example> NOTIFY=NEVER\r\nDATA\r\n",
    );
}

#[test]
fn what_does_not_fit_is_not_sent() {
    let with = |options: MailOptions, text: &str| Message {
        text: Text::new(text.as_bytes()),
        envelope: Envelope {
            options,
            ..message(1, &["alice"]).envelope
        },
        ..message(1, &["alice"])
    };
    let refused = |offers: &str, message: Message| offered(offers, message, "QUIT\r\n");
    let eight_bit = MailOptions {
        body: Body::EightBit,
        ..MailOptions::default()
    };
    let utf8 = MailOptions {
        utf8: true,
        ..MailOptions::default()
    };
    let ascii = "a: b\n\nc\n";
    let unfit = |code: u16, detail: &str| format!("1.0 unfit: {code} Some(Enhanced({detail}))");
    let cafe = "a: b\n\ncaf\u{e9}\n";
    assert_eq!(
        refused("SIZE 5", with(eight_bit.clone(), ascii)),
        unfit(552, "5, 3, 4")
    );
    assert_eq!(
        refused("", with(eight_bit.clone(), cafe)),
        unfit(554, "5, 6, 3")
    );
    let envelope = format!("{MAIL}{ALICE}DATA\r\n");
    // It was only called 8-bit.
    offered("", with(eight_bit.clone(), ascii), &envelope);
    let header = "a: caf\u{e9}\n\nb\n";
    assert_eq!(
        refused("8BITMIME", with(utf8.clone(), header)),
        unfit(550, "5, 6, 7")
    );
    // It was only called SMTPUTF8.
    offered("", with(utf8, ascii), &envelope);
    let binary = MailOptions {
        body: Body::Binary,
        ..MailOptions::default()
    };
    assert_eq!(
        refused("BINARYMIME", with(binary, ascii)),
        unfit(554, "5, 6, 3")
    );
    let secure = MailOptions {
        require_tls: true,
        ..MailOptions::default()
    };
    assert_eq!(
        refused("REQUIRETLS", with(secure, ascii)),
        unfit(550, "5, 7, 30")
    );
    let late = |deadline| MailOptions {
        deliver_by: Some(DeliverBy {
            deadline,
            mode: ByMode::Return,
            trace: false,
        }),
        ..MailOptions::default()
    };
    assert_eq!(
        refused("DELIVERBY", with(late(0), ascii)),
        unfit(550, "5, 4, 7")
    );
    assert_eq!(
        refused("DELIVERBY 60", with(late(59), ascii)),
        unfit(550, "5, 4, 7")
    );
    assert_eq!(refused("", with(late(60), ascii)), unfit(554, "5, 3, 3"));
    let two = message(1, &["alice", "carol"]);
    assert_eq!(
        offered("LIMITS MAILMAX=5 RCPTMAX=1", two, &envelope),
        "1.0 RCPT TO interrupted, InPart; 1.1 unfit: 452 Some(Enhanced(4, 5, 3)); failure: MAIL FROM: the server closed \
         the connection instead of answering"
            .replace("1.0 RCPT TO", "1.0 MAIL FROM")
    );
}

#[test]
fn after_a_hundred_recipients_552_is_not_for_good() {
    let now = Instant::now();
    let mut out = Out::new(Side::Client, now, None);
    let tray = Tray::new();
    tray.give(message(1, &["alice"; 102]));
    let mut client = Client::new(plan(), tray.clone());
    client.handle(now, Input::Open, &mut out);
    for line in [
        "220 a",
        "250-a",
        "250 PIPELINING",
        "250 Ok",
        "552 5.2.2 Full",
    ] {
        client.handle(now, Input::Line(line.as_bytes()), &mut out);
    }
    for _ in 0..100 {
        client.handle(now, Input::Line(b"250 Ok"), &mut out);
    }
    for line in ["552 5.5.3 Too many", "354 Go", "250 Ok"] {
        client.handle(now, Input::Line(line.as_bytes()), &mut out);
    }
    let fates = tray.outcomes().remove(0).fates;
    let code = |place: usize| match &fates[place] {
        Fate::Taken(reply) | Fate::Refused { reply, .. } => reply.code,
        other => panic!("{other:?}"),
    };
    assert_eq!(
        [code(0), code(1), code(100), code(101)],
        [552, 250, 250, 452]
    );
}

#[test]
fn a_session_ends_after_as_many_messages_as_the_server_takes() {
    let outcome = play(
        &plan(),
        &[message(1, &["alice"]), message(2, &["alice"])],
        &[
            HELLO,
            (
                "250-a.example\r\n250-PIPELINING\r\n250 LIMITS MAILMAX=1\r\n",
                &format!("{MAIL}{ALICE}DATA\r\n"),
            ),
            ("250 Ok\r\n250 Ok\r\n354 Go\r\n", TEXT),
            ("250 Ok\r\n", "QUIT\r\n"),
            ("221 Bye\r\n", ""),
        ],
    );
    assert_eq!(outcome, "1.0 taken: 250 Ok; 2 undone");
}

#[test]
fn requiretls_is_passed_on_over_tls_that_is_verified() {
    for (verdict, said) in [
        (Verdict::Good, "MAIL FROM:<bob@b.example> REQUIRETLS\r\n"),
        (Verdict::Unchecked, "QUIT\r\n"),
        (Verdict::Tolerated("it is for b".into()), "QUIT\r\n"),
    ] {
        let now = Instant::now();
        let mut out = Out::new(Side::Client, now, None);
        let tray = Tray::new();
        let mut secure = message(1, &["alice"]);
        secure.envelope.options.require_tls = true;
        tray.give(secure);
        tray.close();
        let mut client = Client::new(plan(), tray.clone());
        let tls = TlsInfo {
            verdict,
            ..TlsInfo::default()
        };
        client.handle(now, Input::TlsUp(tls), &mut out);
        client.handle(now, Input::Open, &mut out);
        for line in ["220 a", "250-a", "250 REQUIRETLS"] {
            client.handle(now, Input::Line(line.as_bytes()), &mut out);
        }
        let all = taken(&mut out);
        assert!(all.ends_with(said), "{all}");
        assert!(tray.server().tls.is_some());
    }
}

/// What waits to be sent.
fn taken(out: &mut Out) -> String {
    let mut all = Vec::new();
    while let Some(front) = out.front() {
        let octets = match front {
            Front::Bytes(bytes) => {
                all.extend_from_slice(bytes);
                bytes.len()
            }
            Front::Extent(extent, from) => {
                let rest = extent.part(from, u64::MAX).read().expect("a file");
                all.extend_from_slice(&rest);
                rest.len()
            }
        };
        out.advance(octets);
    }
    String::from_utf8(all).expect("UTF-8")
}

#[test]
fn a_password_is_not_shown_to_a_server_without_tls_that_may_be_anybody() {
    let plan = Plan {
        upgrade: Upgrade::IfOffered,
        login: Some(Login {
            user: "alice".into(),
            password: "secret".into(),
            nonce: "abcdef".into(),
            with: With::Password,
        }),
        ..plan()
    };
    let outcome = play(
        &plan,
        &[message(1, &["alice"])],
        &[
            HELLO,
            ("250-a.example\r\n250 AUTH PLAIN LOGIN\r\n", "QUIT\r\n"),
            ("221 Bye\r\n", ""),
        ],
    );
    assert!(outcome.contains("does not offer STARTTLS"), "{outcome}");
    let outcome = play(
        &plan,
        &[message(1, &["alice"])],
        &[
            HELLO,
            (
                "250-a.example\r\n250 AUTH PLAIN SCRAM-SHA-256\r\n",
                "AUTH SCRAM-SHA-256 biwsbj1hbGljZSxyPWFiY2RlZg==\r\n",
            ),
            ("334 cj1vdGhlcixzPUFBQUEsaT00MDk2\r\n", "*\r\n"),
        ],
    );
    assert_eq!(
        outcome,
        "1 undone; failure: login failed: the server's challenge is none of this mechanism"
    );
    let outcome = play(
        &plan,
        &[message(1, &["alice"])],
        &[
            HELLO,
            (
                "250-a.example\r\n250 AUTH CRAM-MD5 PLAIN\r\n",
                "AUTH CRAM-MD5\r\n",
            ),
            (
                "334 PDFAYT4=\r\n",
                "YWxpY2UgMmFiNGE2NjVmMTI5ZWE5MWIwY2ZhY2U4MGMxNDQ3OWI=\r\n",
            ),
            ("535 5.7.8 Wrong\r\n", "QUIT\r\n"),
            ("221 Bye\r\n", ""),
        ],
    );
    assert_eq!(
        outcome,
        "1 undone; failure: the server refused AUTH: 535 5.7.8 Wrong"
    );
}

proptest! {
    /// Whatever a server says: each message that was taken has a fate for each recipient, and none is lost.
    #[test]
    fn any_server_leaves_no_message_without_an_outcome(
        lines in prop::collection::vec("([2345][0235][0-4][ -]?)?(PIPELINING|CHUNKING|[a-zA-Z0-9. =]{0,12})", 0..40),
        lmtp: bool,
    ) {
        let now = Instant::now();
        let mut out = Out::new(Side::Client, now, None);
        let tray = Tray::new();
        for word in 0..3 {
            tray.give(message(word, &["alice", "carol"]));
        }
        tray.close();
        let protocol = if lmtp { Protocol::Lmtp } else { Protocol::Smtp };
        let plan = Plan { protocol, upgrade: Upgrade::IfOffered, ..plan() };
        let mut client = Client::new(plan, tray.clone());
        client.handle(now, Input::Open, &mut out);
        for line in &lines {
            if client.want() == Want::Nothing || out.is_blocked() {
                break;
            }
            client.handle(now, Input::Line(line.as_bytes()), &mut out);
        }
        drop(client);
        let outcomes = tray.outcomes();
        for (place, outcome) in outcomes.iter().enumerate() {
            prop_assert_eq!(outcome.word, place as u64);
            prop_assert_eq!(outcome.fates.len(), 2);
            for fate in &outcome.fates {
                let right = match fate {
                    Fate::Taken(reply) => reply.class() == 2,
                    Fate::Refused { reply, .. } | Fate::Unfit(reply) => reply.class() >= 4,
                    Fate::Interrupted { .. } => true,
                };
                prop_assert!(right, "{:?}", fate);
            }
        }
        prop_assert_eq!(outcomes.len() + tray.undone().len(), 3);
    }
}
