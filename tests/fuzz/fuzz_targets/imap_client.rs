//! An IMAP client, whatever a server says to it: what it got does not depend on how octets arrive.

#![no_main]

use std::time::Duration;

use libfuzzer_sys::fuzz_target;
use mailtool::proto::client::{Plan as ClientPlan, Upgrade};
use mailtool::proto::imap::client::{Client, Errand};
use mailtool_fuzz::conversation::{Event, Plan, events, with_client};

fuzz_target!(|input: &[u8]| {
    let Some((&plan, input)) = input.split_first() else {
        return;
    };
    let (plan, events) = (Plan(plan), events(input));
    let whole = play(plan, &events, usize::MAX);
    if let Some(piece) = plan.piece() {
        assert_eq!(whole, play(plan, &events, piece));
    }
});

/// What it said, got, and found wrong.
fn play(plan: Plan, events: &[Event<'_>], piece: usize) -> [String; 3] {
    let mut sink = Vec::new();
    let mut client = Client::new(
        ClientPlan {
            upgrade: if plan.tls() {
                Upgrade::Required
            } else {
                Upgrade::Never
            },
            user: "alice".into(),
            password: "sec\"ret".into(),
            patience: Duration::from_secs(60),
        },
        errand(plan.variant()),
        &mut sink,
    );
    let said = with_client(Box::new(&mut client), events, piece);
    let failures = format!("{:?}", client.into_failures());
    [
        said.escape_ascii().to_string(),
        sink.escape_ascii().to_string(),
        failures,
    ]
}

fn errand(variant: usize) -> Errand {
    let mailbox = "INBOX".to_owned();
    match variant % 9 {
        0 => Errand::Fetch {
            mailbox,
            uids: "1:*".into(),
            section: String::new(),
        },
        1 => Errand::List(mailbox),
        2 => Errand::Folders,
        3 => Errand::Status(mailbox),
        4 => Errand::Search {
            mailbox,
            keys: vec!["SUBJECT".into(), "Été".into()],
        },
        5 => Errand::Create("Été".into()),
        6 => Errand::Delete(mailbox),
        7 => Errand::Empty(mailbox),
        _ => Errand::Append {
            mailbox,
            message: b"Subject: x\r\n\r\ny\r\n".to_vec(),
        },
    }
}
