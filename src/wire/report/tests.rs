use mail_parser::{MessageParser, MimeHeaders};

use super::*;
use crate::limits;
use crate::wire::address::Address;
use crate::wire::envelope::{Body, Envelope, MailOptions, OriginalRecipient, Ret};

const TEXT: &[u8] = b"From: alice@a.example\r\nSubject: =?utf-8?q?d=C3=A9jeuner?=\r\n \
=?utf-8?q?_demain?=\r\nDate: Sun, 06 Nov 1994 08:00:00 +0000\r\n\r\nBody\r\n";

fn address(text: &str) -> Address {
    Address::parse(text.as_bytes()).unwrap()
}

fn envelope() -> Envelope {
    Envelope {
        reverse_path: Some(address("alice@a.example")),
        options: MailOptions {
            envelope_id: Some("QQ314159".to_owned()),
            ..MailOptions::default()
        },
        recipients: vec![Recipient::new(address("carol@b.example"))],
    }
}

fn failed(recipient: Recipient) -> Fate {
    Fate {
        recipient,
        action: Action::Failed,
        status: Enhanced(5, 1, 1),
        remote: Some("mx.b.example".to_owned()),
        diagnostic: Some("550 5.1.1 No such\r\nX-Evil: user".to_owned()),
        last_attempt: Some(784_111_777),
        retry_until: None,
    }
}

fn compose(envelope: &Envelope, fates: &[Fate], text: &[u8]) -> (Envelope, String) {
    let report = Report {
        reporter: "mail.a.example",
        envelope,
        arrival: Some(784_108_177),
        date: 784_111_778,
        id: "1234.5678",
        fates,
    };
    let original = Original {
        text,
        octets: text.len() as u64,
    };
    let (envelope, text) = report.compose(original).unwrap();
    (envelope, String::from_utf8(text).unwrap())
}

#[test]
fn a_failure_says_all_that_is_known() {
    let recipient = Recipient {
        original: Some(OriginalRecipient {
            kind: "rfc822".to_owned(),
            address: "caroline@b.example".to_owned(),
        }),
        ..Recipient::new(address("carol@b.example"))
    };
    let (sent, text) = compose(&envelope(), &[failed(recipient)], TEXT);
    assert_eq!(sent.reverse_path, None);
    assert_eq!(sent.recipients.len(), 1);
    assert_eq!(sent.recipients[0].address, address("alice@a.example"));
    assert_eq!(sent.recipients[0].notify, Notify::Never);
    for part in [
        "From: Mail Delivery System <MAILER-DAEMON@mail.a.example>\r\nTo: <alice@a.example>\r\n",
        "Auto-Submitted: auto-replied\r\n",
        "Content-Type: multipart/report; report-type=delivery-status;\r\n boundary=",
        "    Subject:  d\u{e9}jeuner demain\r\n",
        "  <carol@b.example>\r\n    You wrote to: caroline@b.example\r\n    mx.b.example said: 550 5.1.1 No such X-Evil: user\r\n",
        "What 5.1.1 means: There is no such mailbox",
        "What to do: check the address",
    ] {
        let people = people(&text);
        assert!(
            text.contains(part) || people.contains(part),
            "{part}\n{people}\n{text}"
        );
    }
    let programs = "Content-Type: message/delivery-status\r\nContent-Transfer-Encoding: 7bit\r\n\r\n\
        Original-Envelope-Id: QQ314159\r\n\
        Reporting-MTA: dns; mail.a.example\r\n\
        Arrival-Date: Sun, 06 Nov 1994 07:49:37 +0000\r\n\
        \r\n\
        Original-Recipient: rfc822; caroline@b.example\r\n\
        Final-Recipient: rfc822; carol@b.example\r\n\
        Action: failed\r\n\
        Status: 5.1.1\r\n\
        Remote-MTA: dns; mx.b.example\r\n\
        Diagnostic-Code: smtp; 550 5.1.1 No such X-Evil: user\r\n\
        Last-Attempt-Date: Sun, 06 Nov 1994 08:49:37 +0000\r\n\r\n--";
    assert!(text.contains(programs), "{text}");
    let returned = format!(
        "Content-Type: message/rfc822\r\nContent-Transfer-Encoding: 7bit\r\n\r\n{}\r\n--",
        String::from_utf8_lossy(TEXT)
    );
    assert!(text.contains(&returned), "{text}");
}

/// The part for people, decoded.
fn people(text: &str) -> String {
    let message = MessageParser::default().parse(text.as_bytes()).unwrap();
    message
        .body_text(0)
        .unwrap()
        .replace('\n', "\r\n")
        .replace("\r\r", "\r")
}

#[test]
fn what_people_read_can_be_read_as_it_is() {
    let (_, text) = compose(
        &envelope(),
        &[failed(Recipient::new(address("carol@b.example")))],
        TEXT,
    );
    let part = "Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n\
        This is the mail server mail.a.example.\r\n";
    assert!(text.contains(part), "{text}");
    assert!(
        text.contains("    Subject:  d=C3=A9jeuner demain\r\n"),
        "{text}"
    );
    assert!(
        text.is_ascii() && text.lines().all(|line| line.len() <= 77),
        "{text}"
    );
}

#[test]
fn a_delay_says_until_when_it_is_tried() {
    let fate = Fate {
        action: Action::Delayed,
        status: Enhanced(4, 4, 1),
        remote: None,
        diagnostic: Some("nobody answers at mx.b.example".to_owned()),
        retry_until: Some(784_540_177),
        ..failed(Recipient::new(address("carol@b.example")))
    };
    let (_, text) = compose(&envelope(), &[fate], TEXT);
    for part in [
        "Subject: Delayed: ",
        "Action: delayed\r\nStatus: 4.4.1\r\nDiagnostic-Code: x-mailtool; nobody answers at mx.b.example\r\n",
        "Will-Retry-Until: Fri, 11 Nov 1994 07:49:37 +0000\r\n",
        "Content-Type: text/rfc822-headers\r\n",
    ] {
        assert!(text.contains(part), "{part}\n{text}");
    }
    assert!(people(&text).contains("It will be tried until Fri, 11 Nov 1994 07:49:37"));
    assert!(
        !text.contains("Body\r\n"),
        "only a failure brings the text back"
    );
}

#[test]
fn programs_can_read_it() {
    let fates = [
        failed(Recipient::new(address("carol@b.example"))),
        Fate {
            action: Action::Relayed,
            status: Enhanced(2, 0, 0),
            ..failed(Recipient::new(address("\"d e\"@b.example")))
        },
    ];
    let (_, text) = compose(&envelope(), &fates, TEXT);
    let message = MessageParser::default().parse(text.as_bytes()).unwrap();
    let kinds: Vec<String> = message
        .parts
        .iter()
        .map(|part| {
            let kind = part.content_type().unwrap();
            format!("{}/{}", kind.ctype(), kind.subtype().unwrap_or(""))
        })
        .collect();
    assert_eq!(
        kinds,
        [
            "multipart/report",
            "text/plain",
            "message/delivery-status",
            "message/rfc822"
        ]
    );
    let status = message.parts[2]
        .text_contents()
        .unwrap_or_default()
        .to_owned();
    let groups: Vec<&str> = status.trim().split("\r\n\r\n").collect();
    assert_eq!(groups.len(), 3, "{status}");
    assert!(groups[1].contains("Action: failed"));
    assert!(groups[2].starts_with("Final-Recipient: rfc822; \"d e\"@b.example\r\nAction: relayed"));
    let returned = message.parts[3].message().unwrap();
    assert_eq!(returned.subject(), Some("d\u{e9}jeuner demain"));
    assert_eq!(returned.body_text(0).as_deref(), Some("Body\r\n"));
}

#[test]
fn for_the_null_path_there_is_never_a_report() {
    let envelope = Envelope {
        reverse_path: None,
        ..envelope()
    };
    let fates = [failed(Recipient::new(address("carol@b.example")))];
    let report = Report {
        reporter: "mail.a.example",
        envelope: &envelope,
        arrival: None,
        date: 0,
        id: "1",
        fates: &fates,
    };
    let original = Original {
        text: TEXT,
        octets: TEXT.len() as u64,
    };
    assert_eq!(report.compose(original), None);
}

#[test]
fn how_much_comes_back_is_what_was_asked_for_and_bounded() {
    let kind = |ret, octets: usize, body| {
        let mut envelope = envelope();
        envelope.options.ret = ret;
        envelope.options.body = body;
        let mut text = TEXT.to_vec();
        text.extend(std::iter::repeat_n(b"0123456789abcd\r\n", octets / 16).flatten());
        let (_, report) = compose(
            &envelope,
            &[failed(Recipient::new(address("c@b.example")))],
            &text,
        );
        assert!(report.len() < limits::REPORT_RETURNED + 8192);
        report.contains("Content-Type: message/rfc822\r\n")
    };
    let seven = Body::SevenBit;
    assert!(kind(None, 1000, seven));
    assert!(!kind(None, 100_000, seven));
    assert!(kind(Some(Ret::Full), 100_000, seven));
    assert!(!kind(Some(Ret::Full), 2_000_000, seven));
    assert!(!kind(Some(Ret::Headers), 1000, seven));
    assert!(!kind(Some(Ret::Full), 1000, Body::Binary));
}

#[test]
fn who_is_told_of_what() {
    let on = |success, failure, delay| Notify::On {
        success,
        failure,
        delay,
    };
    use Action::{Delayed, Delivered, Expanded, Failed, Relayed};
    for (notify, told) in [
        (Notify::Unsaid, &[Failed, Delayed][..]),
        (Notify::Never, &[]),
        (on(true, false, false), &[Delivered, Relayed, Expanded]),
        (on(false, true, false), &[Failed]),
        (on(false, false, true), &[Delayed]),
        (
            on(true, true, true),
            &[Failed, Delayed, Delivered, Relayed, Expanded],
        ),
    ] {
        for action in [Failed, Delayed, Delivered, Relayed, Expanded] {
            assert_eq!(
                is_asked(notify, action),
                told.contains(&action),
                "{notify:?} {action:?}"
            );
        }
    }
}

#[test]
fn international_mail_comes_back_in_its_own_types() {
    let mut envelope = envelope();
    envelope.options.utf8 = true;
    let recipient = Recipient {
        original: Some(OriginalRecipient {
            kind: "utf-8".to_owned(),
            address: "ren\u{e9}@b.example".to_owned(),
        }),
        ..Recipient::new(address("rene@b.example"))
    };
    let text = "Subject: d\u{e9}jeuner\r\n\r\nB\u{e9}\r\n".as_bytes();
    let (sent, report) = compose(&envelope, &[failed(recipient.clone())], text);
    // The sender's address is ASCII: the way back may know nothing of SMTPUTF8.
    assert!(report.is_ascii());
    assert!(!sent.options.utf8);
    for kind in ["message/global-delivery-status", "message/global\r\n"] {
        assert!(report.contains(kind), "{kind}\n{report}");
    }
    // Without SMTPUTF8 the same address is written out (RFC 6533 §3).
    envelope.options.utf8 = false;
    let (_, report) = compose(&envelope, &[failed(recipient)], TEXT);
    assert!(
        report.contains("Original-Recipient: utf-8; ren\\x{E9}@b.example\r\n"),
        "{report}"
    );
}

#[test]
fn the_boundary_stands_nowhere_else() {
    let first = compose(
        &envelope(),
        &[failed(Recipient::new(address("c@b.example")))],
        TEXT,
    )
    .1;
    // A report about a message that holds a report of the same name.
    let text = [TEXT, b"--=_report_12345678_0\r\n"].concat();
    let second = compose(
        &envelope(),
        &[failed(Recipient::new(address("c@b.example")))],
        &text,
    )
    .1;
    assert!(first.contains("boundary=\"=_report_12345678_0\""));
    assert!(second.contains("boundary=\"=_report_12345678_1\""));
}

#[test]
fn eight_bit_mail_asks_for_8bitmime_on_its_way_back() {
    let mut envelope = envelope();
    envelope.options.body = Body::EightBit;
    let text = "Subject: x\r\n\r\nd\u{e9}jeuner\r\n".as_bytes();
    let (sent, report) = compose(
        &envelope,
        &[failed(Recipient::new(address("c@b.example")))],
        text,
    );
    assert_eq!(sent.options.body, Body::EightBit);
    assert!(report.contains("message/rfc822\r\nContent-Transfer-Encoding: 8bit\r\n"));
}

#[test]
fn long_replies_are_folded_and_cut() {
    let fate = Fate {
        diagnostic: Some(format!("550 5.7.1 {}", "no no ".repeat(3000))),
        ..failed(Recipient::new(address("carol@b.example")))
    };
    let (_, text) = compose(&envelope(), &[fate], TEXT);
    assert!(text.len() < 20_000, "{}", text.len());
    assert!(text.lines().all(|line| line.len() < 998));
}
