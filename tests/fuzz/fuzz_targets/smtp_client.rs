//! An SMTP or LMTP client, whatever a server says to it: commands are lines, and no recipient is lost.

#![no_main]

use std::time::Duration;

use libfuzzer_sys::fuzz_target;
use mailtool::proto::client::Upgrade;
use mailtool::proto::smtp::client::{
    Client, Login, Mail, Outcome, Plan as ClientPlan, Protocol, With,
};
use mailtool::wire::address::Address;
use mailtool_fuzz::conversation::{Event, Plan, events, with_client};
use mailtool_fuzz::said;

fuzz_target!(|input: &[u8]| {
    let Some((&plan, input)) = input.split_first() else {
        return;
    };
    let (plan, events) = (Plan(plan), events(input));
    let (said, outcome) = play(plan, &events, usize::MAX);
    let heard = outcome.taken.len() + outcome.refused.len();
    assert!(
        heard <= 2 && (heard == 2 || outcome.failure.is_some()),
        "{outcome:?}"
    );
    if let Some(piece) = plan.piece() {
        let (said_again, outcome_again) = play(plan, &events, piece);
        assert_eq!(
            said.escape_ascii().to_string(),
            said_again.escape_ascii().to_string()
        );
        assert_eq!(format!("{outcome:?}"), format!("{outcome_again:?}"));
    }
});

fn play(plan: Plan, events: &[Event<'_>], piece: usize) -> (Vec<u8>, Outcome) {
    let address = |text: &str| Address::parse(text.as_bytes()).expect("an address");
    let variant = plan.variant();
    let login = Login {
        user: "alice".into(),
        password: "secret".into(),
        nonce: "abcdef".into(),
        with: match variant & 8 {
            0 => With::Password,
            _ => With::Token,
        },
    };
    let mut client = Client::new(
        ClientPlan {
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
            patience: Duration::from_secs(60),
        },
        Mail {
            reverse_path: Some(address("bob@client.example")),
            recipients: vec![
                address("alice@mail.example.org"),
                address("carol@mail.example.org"),
            ],
            text: b"Subject: x\r\n\r\n.dot\nbare LF\r\n".to_vec(),
        },
    );
    let said = with_client(Box::new(&mut client), events, piece);
    said::lines(&said);
    (said, client.into_outcome())
}
