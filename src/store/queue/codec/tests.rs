//! What is written is read again, and half of it never as something else.

use super::*;

fn id() -> QueueId {
    "Q1.x-y_z".parse().unwrap()
}

fn everything() -> Queued {
    let mut envelope = Envelope {
        reverse_path: Some(Address::parse(b"\"a \\\\ b\"@example.org").unwrap()),
        options: MailOptions {
            size: Some(5000),
            body: Body::Binary,
            utf8: true,
            ret: Some(Ret::Headers),
            envelope_id: Some("a\r\nto <x@y>\\ \u{85}".to_owned()),
            submitter: Some(String::new()),
            require_tls: true,
            deliver_by: Some(DeliverBy {
                deadline: 1_764_086_400,
                mode: ByMode::Notify,
                trace: true,
            }),
            hold_until: Some(1_764_003_600),
            priority: -9,
        },
        recipients: Vec::new(),
    };
    let on = |success, failure, delay| Notify::On {
        success,
        failure,
        delay,
    };
    for notify in [
        Notify::Unsaid,
        Notify::Never,
        on(true, false, true),
        on(false, true, false),
    ] {
        envelope.recipients.push(Recipient {
            notify,
            original: Some(OriginalRecipient {
                kind: "rfc822".to_owned(),
                address: "list;x @example.org".to_owned(),
            }),
            ..Recipient::new(
                crate::wire::address::path_utf8("<al\u{ef}ce@\u{e9}.example>".as_bytes())
                    .unwrap()
                    .0
                    .unwrap(),
            )
        });
    }
    let next = first_attempt(1_764_000_000, &envelope);
    Queued {
        id: id(),
        arrival: 1_764_000_000,
        octets: 5123,
        preface: 31,
        recipients: vec![Progress::new(next); 4],
        envelope,
        held: false,
    }
}

fn changes() -> Vec<Change> {
    let reply = "451-4.3.0 two\n451 lines \\u{41}".to_owned();
    let deferred = |index| Change::Deferred {
        index,
        next: 1_764_009_999,
        reply: reply.clone(),
    };
    vec![
        deferred(0),
        deferred(1),
        Change::DelayReported { index: 1 },
        Change::Delivered {
            index: 2,
            reply: "250 2.0.0 ok".to_owned(),
        },
        Change::Failed {
            index: 3,
            reply: String::new(),
        },
        Change::Hold,
    ]
}

#[test]
fn what_is_written_is_read_again_with_all_that_happened() {
    let mut queued = everything();
    let mut text = write(&queued);
    assert_eq!(first(&text), (queued.clone(), false));
    for change in changes() {
        queued.apply(1_764_000_050, &change);
        write_change(&mut text, 1_764_000_050, &change);
        assert_eq!(first(&text), (queued.clone(), false), "{text}");
        // Written anew, it says the same.
        assert_eq!(first(&write(&queued)), (queued.clone(), false), "{text}");
    }
    for change in [Change::Release, Change::Hold, Change::Flush, Change::Drop] {
        queued.apply(1_764_000_060, &change);
        write_change(&mut text, 1_764_000_060, &change);
        assert_eq!(first(&text).0, queued, "{text}");
    }
    assert!(queued.is_done());
}

fn first(text: &str) -> (Queued, bool) {
    match read(id(), text.as_bytes()) {
        Read::Whole { queued, torn } => (*queued, torn),
        other => panic!("{other:?}: {text}"),
    }
}

#[test]
fn cut_anywhere_it_is_never_something_else() {
    let mut text = write(&everything());
    let whole = text.len();
    for change in changes() {
        write_change(&mut text, 1_764_000_050, &change);
    }
    for cut in 0..text.len() {
        match read(id(), &text.as_bytes()[..cut]) {
            Read::Begun => assert!(cut < whole),
            Read::Whole { queued, torn } => {
                assert!(cut >= whole);
                assert_eq!(torn, !text[..cut].ends_with('\n'));
                assert_eq!(queued.envelope, everything().envelope);
                let line = text[..cut].rfind('\n').unwrap() + 1;
                assert_eq!(
                    *queued,
                    first(&text[..line]).0,
                    "what is torn did not happen"
                );
            }
            Read::Unreadable(line, why) => panic!("cut at {cut}: {line}: {why}"),
        }
        // Zeros where the rest was to come.
        let mut zeros = text.as_bytes()[..cut].to_vec();
        zeros.resize(text.len(), 0);
        match read(id(), &zeros) {
            Read::Begun => assert!(cut < whole),
            Read::Whole { torn, .. } => assert!(cut >= whole && torn),
            Read::Unreadable(line, why) => panic!("zeros from {cut}: {line}: {why}"),
        }
    }
}

#[test]
fn what_is_of_another_version_or_damaged_is_left_alone() {
    let text = write(&everything());
    for (from, to) in [
        ("mailtool queue 1", "mailtool queue 2"),
        ("priority -9", "priority -900"),
        ("notify never", "notify perhaps"),
        ("requiretls", "require"),
        ("to <al", "to <al @"),
    ] {
        let damaged = text.replacen(from, to, 1);
        assert_ne!(damaged, text);
        assert!(
            matches!(read(id(), damaged.as_bytes()), Read::Unreadable(..)),
            "{to}"
        );
    }
    let many = text.replace(
        "envelope ends\n",
        &"to <a@b>\n".repeat(limits::QUEUE_RECIPIENTS),
    ) + "envelope ends\n";
    assert!(matches!(read(id(), many.as_bytes()), Read::Unreadable(..)));
}

#[test]
fn names_are_file_names() {
    for bad in [
        "",
        ".x",
        "a/b",
        "a b",
        "a\n",
        "\u{e9}",
        &"x".repeat(limits::QUEUE_ID + 1),
    ] {
        assert!(bad.parse::<QueueId>().is_err(), "{bad:?}");
    }
}
