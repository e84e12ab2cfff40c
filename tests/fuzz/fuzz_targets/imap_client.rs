//! An IMAP client, whatever a server says to it: what it got does not depend on how octets arrive.

#![no_main]

use std::collections::VecDeque;
use std::time::Duration;

use libfuzzer_sys::fuzz_target;
use mailtool::proto::client::{Plan as ClientPlan, Upgrade};
use mailtool::proto::imap::client::{
    Client, Errand, Fed, Idle, Line, Login, Missing, Piece, Raw, Refused, Shown, Stage, There, Way,
    read_line, read_lines,
};
use mailtool::wire::sasl_client::Mechanism;
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
    // Half of the lines are there at once, the others when somebody has asked for them in vain.
    let mut lines = VecDeque::from(lines());
    let mut later = false;
    let mut source = || {
        later = !later;
        match later {
            true => Fed::Later,
            false => lines.pop_front().map_or(Fed::End, Fed::Line),
        }
    };
    let ways = [None].into_iter().chain(Mechanism::every().map(Some));
    let ways: Vec<_> = ways.collect();
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
    )
    .with_login(Login {
        mechanism: ways[plan.variant() % ways.len()],
        nonce: "abcdef".into(),
    });
    if plan.variant() % FED == 13 {
        client = client.fed_by(&mut source);
    }
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
    match variant % FED {
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
        12 => Errand::Stages(vec![Stage::Backup(Vec::new())]),
        13 => Errand::Stages(vec![Stage::Raw(Raw {
            lines: VecDeque::new(),
            shown: Shown::All,
            refused: Refused::Stays,
        })]),
        _ => Errand::Append {
            mailbox,
            message: b"Subject: x\r\n\r\ny\r\n".to_vec(),
        },
    }
}

/// As they come one by one: a literal behind the line that announces it.
fn lines() -> Vec<Line> {
    let mut announces = Line::default();
    let mut literal = Line::default();
    literal.pieces.push(Piece::Literal(b"x.1 OK".to_vec()));
    read_line(b"APPEND a ", &mut announces, &mut |_| Err(String::new())).expect("good");
    announces.announce(6);
    read_line(b"", &mut literal, &mut |_| Err(String::new())).expect("good");
    let typed = b"NOOP\nIDLE\nDONE\nSTARTTLS\nLOGIN alice secret\nAUTHENTICATE PLAIN\nAAAA\n";
    let typed = read_lines(typed, &mut |_| Err(String::new())).expect("good");
    [announces, literal].into_iter().chain(typed).collect()
}

/// How many errands there are.
const FED: usize = 15;

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
