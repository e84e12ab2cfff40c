//! A POP3 client, whatever a server says to it: commands are lines, and what it got does not depend on how octets arrive.

#![no_main]

use std::time::Duration;

use libfuzzer_sys::fuzz_target;
use mailtool::proto::client::{Plan as ClientPlan, Upgrade};
use mailtool::proto::pop3::client::{Client, Listed, Login, Picked, Request, Then, Way};
use mailtool::wire::sasl_client::Mechanism;
use mailtool_fuzz::conversation::{Event, Plan, events, with_client};
use mailtool_fuzz::said;

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
    let requests = [
        Request::Stat,
        Request::List(None),
        Request::Uidl(Some(1)),
        Request::Top {
            message: 1,
            lines: 2,
        },
        Request::Retr(1),
        Request::Uidl(None),
        Request::Dele(1),
    ];
    let mut sink = Vec::new();
    let mut client = Client::new(
        ClientPlan {
            upgrade: if plan.tls() {
                Upgrade::Required
            } else {
                Upgrade::Never
            },
            user: "alice".into(),
            password: "secret".into(),
            patience: Duration::from_secs(60),
        },
        requests.into_iter().cycle().skip(plan.variant()).take(7),
        &mut sink,
    );
    let by_name = Mechanism::every().map(|mechanism| Some(Way::Mechanism(mechanism)));
    let ways = [None, Some(Way::User), Some(Way::Apop)].into_iter();
    let ways: Vec<_> = ways.chain(by_name).collect();
    client = client.with_login(Login {
        way: ways[plan.variant() % ways.len()],
        nonce: "abcdef".into(),
    });
    if plan.variant() % 2 == 1 {
        let all = |there: &[Listed]| {
            let whole = |listed: &Listed| Picked::Whole(listed.message, Then::Goes);
            Ok(there.iter().map(whole).collect())
        };
        client = client.picking(Box::new(all));
    }
    let said = with_client(Box::new(&mut client), events, piece);
    said::lines(&said);
    let failures = format!("{:?}", client.into_failures());
    [
        said.escape_ascii().to_string(),
        sink.escape_ascii().to_string(),
        failures,
    ]
}
