//! A relaying client with several messages, whatever a server says to it: each message that was begun has a fate for each
//! recipient, and none is taken without a yes.

#![no_main]

use std::time::Duration;

use libfuzzer_sys::fuzz_target;
use mailtool::proto::client::Upgrade;
use mailtool::proto::smtp::client::{Login, Protocol, With};
use mailtool::proto::smtp::relay::{
    Client, Fate, Message, Outcome, Patience, Plan as RelayPlan, Text, Tray,
};
use mailtool::wire::address::Address;
use mailtool::wire::envelope::{Body, Envelope, MailOptions, Recipient};
use mailtool_fuzz::conversation::{Event, Plan, events, with_client};

fuzz_target!(|input: &[u8]| {
    let Some((&plan, input)) = input.split_first() else {
        return;
    };
    let (plan, events) = (Plan(plan), events(input));
    let (said, outcomes) = play(plan, &events, usize::MAX);
    for outcome in &outcomes {
        assert_eq!(outcome.fates.len(), 2);
        for fate in &outcome.fates {
            match fate {
                Fate::Taken(reply) => assert_eq!(reply.class(), 2),
                Fate::Refused { reply, .. } | Fate::Unfit(reply) => assert!(reply.class() > 3),
                Fate::Interrupted { .. } => {}
            }
        }
    }
    if let Some(piece) = plan.piece() {
        let (said_again, outcomes_again) = play(plan, &events, piece);
        assert_eq!(
            said.escape_ascii().to_string(),
            said_again.escape_ascii().to_string()
        );
        assert_eq!(outcomes, outcomes_again);
    }
});

fn play(plan: Plan, events: &[Event<'_>], piece: usize) -> (Vec<u8>, Vec<Outcome>) {
    let address = |text: &str| Address::parse(text.as_bytes()).expect("an address");
    let variant = plan.variant();
    let tray = Tray::new();
    for (word, body) in [(0, Body::SevenBit), (1, Body::Binary), (2, Body::EightBit)] {
        let names = ["alice@mail.example.org", "carol@mail.example.org"];
        let message = Message {
            word,
            envelope: Envelope {
                reverse_path: Some(address("bob@client.example")),
                options: MailOptions {
                    body,
                    priority: 3,
                    ..MailOptions::default()
                },
                recipients: names.map(|name| Recipient::new(address(name))).into(),
            },
            text: Text::new("Subject: x\r\n\r\n.dot\nbare LF, \u{e9}\r\n".as_bytes()),
        };
        tray.give(message);
    }
    tray.close();
    let login = Login {
        user: "alice".into(),
        password: "secret".into(),
        nonce: "abcdef".into(),
        with: match variant & 8 {
            0 => With::Password,
            _ => With::Token,
        },
    };
    let plan = RelayPlan {
        name: "client.example".into(),
        protocol: if variant & 1 == 0 {
            Protocol::Smtp
        } else {
            Protocol::Lmtp
        },
        upgrade: match (plan.tls(), variant & 2) {
            (true, _) => Upgrade::Required,
            (false, 0) => Upgrade::Never,
            (false, _) => Upgrade::IfOffered,
        },
        login: (variant & 4 != 0).then_some(login),
        patience: Patience::of(Duration::from_secs(60)),
        idle: Duration::from_secs(60),
        epoch: None,
    };
    let said = with_client(Box::new(Client::new(plan, tray.clone())), events, piece);
    let outcomes = tray.outcomes();
    assert_eq!(outcomes.len() + tray.undone().len(), 3);
    (said, outcomes)
}
