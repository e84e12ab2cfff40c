//! An IMAP client, whatever a server says to it: what it got does not depend on how octets arrive.

#![no_main]

use std::time::Duration;

use libfuzzer_sys::fuzz_target;
use mailtool::proto::client::{Plan as ClientPlan, Upgrade};
use mailtool::proto::imap::client::{
    Client, Errand, Idle, Missing, Raw, Refused, Shown, Stage, There, Way, read_lines,
};
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
    match variant % 13 {
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
        8 => raw(Shown::All),
        9 => raw(Shown::Json),
        10 => Errand::Stages(vec![
            Stage::Examine(mailbox),
            Stage::Idle(Idle {
                keys: vec!["TEXT".into(), "é".into()],
                there: There::Count,
                count: Some(2),
                within: None,
                renew: Duration::from_secs(1680),
                poll: Duration::from_secs(30),
            }),
        ]),
        11 => Errand::Stages(vec![
            Stage::Select(mailbox),
            Stage::Choose("1:3".into()),
            Stage::Flags(None),
            Stage::Copy {
                to: "Été".into(),
                way: Way::Move,
                missing: Missing::Made,
            },
            Stage::Ask("ID"),
            Stage::Ask("NAMESPACE"),
            Stage::Ask("QUOTA"),
            Stage::TellServer,
        ]),
        _ => Errand::Append {
            mailbox,
            message: b"Subject: x\r\n\r\ny\r\n".to_vec(),
        },
    }
}

fn raw(shown: Shown) -> Errand {
    let lines = b"FETCH 1 BODY[]\nIDLE\nDONE\nx.1 APPEND a {3}\nabc\nSTARTTLS\nNOOP\n";
    Errand::Stages(vec![Stage::Raw(Raw {
        lines: read_lines(lines, &mut |_| Err(String::new()))
            .expect("good lines")
            .into(),
        shown,
        refused: Refused::Stays,
    })])
}
