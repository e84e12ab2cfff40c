//! An SMTP or LMTP client, whatever a server says to it: commands are lines, and no recipient is lost.

#![no_main]

use std::time::Duration;

use libfuzzer_sys::fuzz_target;
use mailtool::proto::client::Upgrade;
use mailtool::proto::smtp::client::{
    Client, Login, Mail, Outcome, Plan as ClientPlan, Protocol, With,
};
use mailtool::proto::smtp::relay::manner::{Ending, Manner, OnRefusal, Pipelining, Point, Stop};
use mailtool::wire::address::Address;
use mailtool_fuzz::conversation::{Event, Plan, events, with_client};
use mailtool_fuzz::said;

fuzz_target!(|input: &[u8]| {
    let Some((&plan, input)) = input.split_first() else {
        return;
    };
    let (plan, events) = (Plan(plan), events(input));
    let trial = (plan.variant() & 16 != 0).then(|| manner(input.len()));
    let (said, outcome) = play(plan, trial.as_ref(), &events, usize::MAX);
    let heard = outcome.taken.len() + outcome.refused.len();
    let in_vain = outcome.failure.is_some() || outcome.halted || outcome.refused.len() == 1;
    let whole = heard == 2 || in_vain && (trial.is_some() || outcome.failure.is_some());
    assert!(heard + outcome.spared.len() <= 2 && whole, "{outcome:?}");
    if let Some(piece) = plan.piece() {
        let (said_again, outcome_again) = play(plan, trial.as_ref(), &events, piece);
        assert_eq!(
            said.escape_ascii().to_string(),
            said_again.escape_ascii().to_string()
        );
        assert_eq!(format!("{outcome:?}"), format!("{outcome_again:?}"));
    }
});

/// Some way to try a server out.
fn manner(number: usize) -> Manner {
    let points = [
        Point::Connect,
        Point::Banner,
        Point::FirstHello,
        Point::Tls,
        Point::Xclient,
        Point::Hello,
        Point::Auth,
        Point::Mail,
        Point::Rcpt,
        Point::Data,
        Point::Dot,
    ];
    let endings = [Ending::Quit, Ending::Drop, Ending::DropUnheard];
    let pipelining = [Pipelining::IfOffered, Pipelining::Never, Pipelining::Always];
    let ending = endings[number / 12 % 3];
    let point = points.get(number % 12).copied();
    Manner {
        stop: point.map(|point| Stop { point, ending }),
        on_refusal: match number & 1 {
            0 => OnRefusal::Send,
            _ => OnRefusal::Abort,
        },
        mail_parameters: " BY=120;N".into(),
        rcpt_parameters: " X-LAB=1".into(),
        pipelining: pipelining[number / 5 % 3],
        chunk_octets: (number & 2 != 0).then_some(20),
        xclient: (0..number / 4 % 3)
            .map(|_| "ADDR=192.0.2.7".into())
            .collect(),
    }
}

fn play(
    plan: Plan,
    manner: Option<&Manner>,
    events: &[Event<'_>],
    piece: usize,
) -> (Vec<u8>, Outcome) {
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
    if let Some(manner) = manner {
        client = client.with_manner(manner.clone());
    }
    let said = with_client(Box::new(&mut client), events, piece);
    said::lines(&said);
    let mut outcome = client.into_outcome();
    // Times are not the same twice.
    outcome.heard.iter_mut().for_each(|heard| heard.at = None);
    (said, outcome)
}
