use super::*;
use crate::proto::client::canned::{EOF, SILENCE, Step, alice, all_cuts, endure};
use proptest::prelude::*;

const GREETING: Step<'_> = ("+OK ready\r\n", "CAPA\r\n");
const NO_CAPA: Step<'_> = ("-ERR what?\r\n", "USER alice\r\n");
const USER: Step<'_> = ("+OK\r\n", "PASS sec ret\r\n");

/// Plays `steps` in all cuts; returns what the sink got and what failed, the same each time.
fn play(plan: &Plan, requests: &[Request], steps: &[Step<'_>]) -> (String, Vec<String>) {
    play_with(&Login::default(), plan, requests, steps)
}

/// The same, with a way to log in; STAT is all that is asked.
fn log_in(way: &str, steps: &[Step<'_>]) -> (String, Vec<String>) {
    let login = Login {
        way: Some(way.parse().expect("a way to log in")),
        nonce: "abcdef".into(),
    };
    play_with(&login, &alice(), &[Request::Stat], steps)
}

fn play_with(
    login: &Login,
    plan: &Plan,
    requests: &[Request],
    steps: &[Step<'_>],
) -> (String, Vec<String>) {
    let mut first = None;
    all_cuts(steps, |drive| {
        let mut sink = Vec::new();
        let mut client = Client::new(plan.clone(), requests.iter().copied(), &mut sink)
            .with_login(login.clone());
        drive(&mut client);
        let failures = client.into_failures();
        let failures: Vec<_> = failures
            .iter()
            .map(|failure| format!("{failure:?}"))
            .collect();
        let result = (String::from_utf8(sink).expect("UTF-8 in tests"), failures);
        assert_eq!(*first.get_or_insert_with(|| result.clone()), result);
    });
    first.expect("played at least once")
}

#[test]
fn the_usual_conversation() {
    let steps = [
        GREETING,
        NO_CAPA,
        USER,
        ("+OK logged in\r\n", "STAT\r\n"),
        ("+OK 2 320\r\n", "LIST\r\n"),
        (
            "+OK 2 messages\r\n1 120\r\n2 200 octets\r\n.\r\n",
            "UIDL 1\r\n",
        ),
        ("+OK 1 whqtswO00WBw418f9t5JxYwZ\r\n", "RETR 2\r\n"),
        (
            "+OK\r\nSubject: a\r\n\r\n..dot\r\nend\r\n.\r\n",
            "TOP 1 0\r\n",
        ),
        ("+OK\r\nSubject: b\r\n\r\n.\r\n", "DELE 1\r\n"),
        ("+OK\r\n", "QUIT\r\n"),
        ("+OK bye\r\n", ""),
    ];
    let requests = [
        Request::Stat,
        Request::List(None),
        Request::Uidl(Some(1)),
        Request::Retr(2),
        Request::Top {
            message: 1,
            lines: 0,
        },
        Request::Dele(1),
    ];
    let (written, failures) = play(&alice(), &requests, &steps);
    assert_eq!(
        written,
        "2 320\n1 120\n2 200\n1 whqtswO00WBw418f9t5JxYwZ\nSubject: a\r\n\r\n.dot\r\nend\r\nSubject: b\r\n\r\n"
    );
    assert!(failures.is_empty(), "{failures:?}");
}

#[test]
fn capabilities_are_used_and_forgotten_with_tls() {
    let plan = Plan {
        upgrade: Upgrade::Required,
        ..alice()
    };
    let steps = [
        GREETING,
        (
            "+OK\r\nSTLS\r\nPIPELINING\r\nSASL PLAIN\r\n.\r\n",
            "STLS\r\n",
        ),
        ("+OK begin\r\n", ""),
        // After TLS the list is asked for anew, and this one has neither SASL nor PIPELINING.
        ("+OK\r\nUSER\r\n.\r\n", "CAPA\r\nUSER alice\r\n"),
        USER,
        ("+OK\r\n", "RETR 1\r\n"),
        ("+OK\r\none\r\n.\r\n", "RETR 2\r\n"),
        ("+OK\r\ntwo\r\n.\r\n", "QUIT\r\n"),
        (EOF, ""),
    ];
    let (written, failures) = play(&plan, &[Request::Retr(1), Request::Retr(2)], &steps);
    assert_eq!((written.as_str(), failures.len()), ("one\r\ntwo\r\n", 0));
}

#[test]
fn a_password_is_not_sent_without_the_tls_that_was_required() {
    let plan = Plan {
        upgrade: Upgrade::Required,
        ..alice()
    };
    for steps in [
        &[GREETING, ("-ERR what?\r\n", "")][..],
        &[GREETING, ("+OK\r\nUSER\r\n.\r\n", "")],
        &[
            GREETING,
            ("+OK\r\nSTLS\r\n.\r\n", "STLS\r\n"),
            ("-ERR no\r\n", ""),
        ],
    ] {
        let (_, failures) = play(&plan, &[Request::Stat], steps);
        assert_eq!(failures, ["NoTls"]);
    }
}

#[test]
fn pipelining_sends_ahead_and_takes_answers_in_order() {
    let steps = [
        GREETING,
        (
            "+OK\r\nPIPELINING\r\nSASL LOGIN PLAIN\r\n.\r\n",
            "AUTH PLAIN AGFsaWNlAHNlYyByZXQ=\r\n",
        ),
        ("+OK\r\n", "RETR 1\r\nRETR 9\r\nDELE 1\r\n"),
        (
            "+OK\r\none\r\n.\r\n-ERR no such message\r\n+OK\r\n",
            "QUIT\r\n",
        ),
        ("-ERR 1 message not deleted\r\n", ""),
    ];
    let requests = [Request::Retr(1), Request::Retr(9), Request::Dele(1)];
    let (written, failures) = play(&alice(), &requests, &steps);
    assert_eq!(written, "one\r\n");
    assert_eq!(failures.len(), 2);
    assert!(failures[0].starts_with("Negative") && failures[0].contains("RETR 9"));
    assert!(failures[1].starts_with("Command") && failures[1].contains("QUIT"));
}

#[test]
fn a_long_response_waits_for_the_challenge() {
    let plan = Plan {
        password: "x".repeat(200),
        ..alice()
    };
    let response = crate::wire::sasl::plain_response("alice", "x".repeat(200).as_bytes()) + "\r\n";
    let steps = [
        GREETING,
        ("+OK\r\nSASL PLAIN\r\n.\r\n", "AUTH PLAIN\r\n"),
        ("+ \r\n", response.as_str()),
        ("-ERR [AUTH] no\r\n", ""),
    ];
    let (_, failures) = play(&plan, &[Request::Stat], &steps);
    assert!(failures[0].starts_with("Login") && failures[0].contains("Permanent"));
}

#[test]
fn each_way_to_log_in_is_gone_when_it_is_asked_for() {
    let stat = ("+OK\r\n", "STAT\r\n");
    let number = ("+OK 0 0\r\n", "QUIT\r\n");
    let bye = ("+OK\r\n", "");
    let cram = "+ PDE4OTYuNjk3MTcwOTUyQHBvc3RvZmZpY2UucmVzdG9uLm1jaS5uZXQ+\r\n";
    let ways: [(&str, &[Step<'_>]); 5] = [
        (
            "USER",
            &[
                (
                    "+OK\r\nUSER\r\nSASL PLAIN SCRAM-SHA-256\r\n.\r\n",
                    "USER alice\r\n",
                ),
                USER,
            ],
        ),
        (
            "login",
            &[
                ("+OK\r\nSASL PLAIN LOGIN\r\n.\r\n", "AUTH LOGIN\r\n"),
                ("+ VXNlcm5hbWU6\r\n", "YWxpY2U=\r\n"),
                ("+ UGFzc3dvcmQ6\r\n", "c2VjIHJldA==\r\n"),
            ],
        ),
        (
            "CRAM-MD5",
            &[
                ("+OK\r\nSASL PLAIN CRAM-MD5\r\n.\r\n", "AUTH CRAM-MD5\r\n"),
                (
                    cram,
                    "YWxpY2UgMjVhMWYwYjljYmRmYTlmYzMwNjVjZTkxOTgyOTAyZDQ=\r\n",
                ),
            ],
        ),
        (
            "XOAUTH2",
            &[(
                "+OK\r\nSASL PLAIN XOAUTH2\r\n.\r\n",
                "AUTH XOAUTH2 dXNlcj1hbGljZQFhdXRoPUJlYXJlciBzZWMgcmV0AQE=\r\n",
            )],
        ),
        (
            "OAUTHBEARER",
            &[(
                "+OK\r\nSASL OAUTHBEARER\r\n.\r\n",
                "AUTH OAUTHBEARER bixhPWFsaWNlLAFhdXRoPUJlYXJlciBzZWMgcmV0AQE=\r\n",
            )],
        ),
    ];
    for (way, steps) in ways {
        let steps = [&[GREETING][..], steps, &[stat, number, bye]].concat();
        let (written, failures) = log_in(way, &steps);
        assert_eq!(
            (written.as_str(), failures.len()),
            ("0 0\n", 0),
            "{way}: {failures:?}"
        );
    }
}

#[test]
fn apop_hashes_what_the_greeting_says() {
    // The example of RFC 1939 §7, with another name and password.
    let greeting = "+OK POP3 server ready <1896.697170952@dbc.mtview.ca.us>\r\n";
    let apop = "APOP alice d5ac0ffee4c60e49e6f07ca65c566df1\r\n";
    let steps = [
        (greeting, "CAPA\r\n"),
        ("-ERR what?\r\n", apop),
        ("+OK\r\n", "STAT\r\n"),
        ("+OK 0 0\r\n", "QUIT\r\n"),
        ("+OK\r\n", ""),
    ];
    assert_eq!(log_in("apop", &steps).0, "0 0\n");
    let (_, failures) = log_in("apop", &[GREETING, ("-ERR what?\r\n", "")]);
    assert!(failures[0].contains("no <...>"), "{failures:?}");
    // It is never chosen by itself.
    let steps = [(greeting, "CAPA\r\n"), NO_CAPA, ("-ERR no\r\n", "")];
    let (_, failures) = play(&alice(), &[Request::Stat], &steps);
    assert!(failures[0].starts_with("Login"), "{failures:?}");
}

#[test]
fn the_best_mechanism_is_chosen_and_an_impostor_found_out() {
    let login = Login {
        way: None,
        nonce: "abcdef".into(),
    };
    let first = (
        "+OK\r\nSASL PLAIN SCRAM-SHA-256\r\n.\r\n",
        "AUTH SCRAM-SHA-256 biwsbj1hbGljZSxyPWFiY2RlZg==\r\n",
    );
    // r=abcdefxyz,s=c2FsdA==,i=4096
    let challenge = "+ cj1hYmNkZWZ4eXoscz1jMkZzZEE9PSxpPTQwOTY=\r\n";
    let mut exchange = Exchange::begin(Mechanism::ScramSha256, "alice", "sec ret", "abcdef").0;
    let proof = exchange.answer(challenge[2..].trim()).expect("a proof") + "\r\n";
    for last in [
        ("+ dj1BQUFB\r\n", "*\r\n"),
        ("+OK welcome\r\n", ""),
        ("-ERR [AUTH] no\r\n", ""),
    ] {
        let steps = [GREETING, first, (challenge, proof.as_str()), last];
        let (_, failures) = play_with(&login, &alice(), &[Request::Stat], &steps);
        assert!(failures[0].starts_with("Login"), "{failures:?}");
    }
    let steps = [GREETING, ("+OK\r\nSASL PLAIN\r\n.\r\n", "")];
    let (_, failures) = log_in("SCRAM-SHA-256", &steps);
    assert!(failures[0].contains("does not offer"), "{failures:?}");
    assert!(
        "NTLM"
            .parse::<Way>()
            .is_err_and(|why| why.contains("SCRAM-SHA-256"))
    );
}

/// A server that does not say goodbye has done all that was asked for, unless it was to delete something then.
#[test]
fn a_goodbye_that_does_not_come_matters_where_mail_is_deleted() {
    for end in [(EOF, ""), (SILENCE, "")] {
        for (request, said, failed) in [
            (Request::Stat, "STAT\r\n", 0),
            (Request::Dele(1), "DELE 1\r\n", 1),
        ] {
            let asked = ("+OK\r\n", said);
            let answered = ("+OK 1 2\r\n", "QUIT\r\n");
            let steps = [GREETING, NO_CAPA, USER, asked, answered, end];
            let (_, failures) = play(&alice(), &[request], &steps);
            assert_eq!(failures.len(), failed, "{request:?}: {failures:?}");
        }
    }
}

#[test]
fn what_goes_wrong_is_told_apart() {
    let logged_in = [GREETING, NO_CAPA, USER, ("+OK\r\n", "STAT\r\n")];
    let with = |last: Step<'static>| [&logged_in[..], &[last]].concat();
    for (steps, expected) in [
        (vec![("-ERR [SYS/TEMP] later\r\n", "")], "Refused"),
        (vec![("220 mail ESMTP\r\n", "")], "Protocol"),
        (vec![(EOF, "")], "Lost"),
        (vec![(SILENCE, "")], "Silent"),
        (
            vec![
                GREETING,
                NO_CAPA,
                ("+OK\r\n", "PASS sec ret\r\n"),
                ("-ERR no\r\n", ""),
            ],
            "Login",
        ),
        (with(("+OK two messages\r\n", "")), "Protocol"),
        (with(("+ more\r\n", "")), "Protocol"),
        (with((EOF, "")), "Lost"),
        (with((SILENCE, "")), "Silent"),
    ] {
        let (written, failures) = play(&alice(), &[Request::Stat], &steps);
        assert_eq!((written.as_str(), failures.len()), ("", 1), "{failures:?}");
        assert!(failures[0].starts_with(expected), "{failures:?}");
        assert!(!failures[0].contains("sec ret"));
    }
}

#[test]
fn deletions_that_were_not_confirmed_are_a_failure() {
    let steps = [
        GREETING,
        NO_CAPA,
        USER,
        ("+OK\r\n", "DELE 1\r\n"),
        ("+OK\r\n", "QUIT\r\n"),
        (EOF, ""),
    ];
    let (_, failures) = play(&alice(), &[Request::Dele(1)], &steps);
    assert!(failures[0].starts_with("Lost") && failures[0].contains("QUIT"));
}

#[test]
fn names_cannot_smuggle_commands() {
    let plan = Plan {
        user: "alice\r\nDELE 1".into(),
        ..alice()
    };
    let (_, failures) = play(&plan, &[], &[GREETING, ("-ERR\r\n", "")]);
    assert!(failures[0].starts_with("Unsendable"));
}

#[test]
fn a_full_sink_ends_the_session() {
    let mut full: &mut [u8] = &mut [0; 4];
    let mut client = Client::new(alice(), [Request::Retr(1)], &mut full);
    let steps = [
        GREETING,
        NO_CAPA,
        USER,
        ("+OK\r\n", "RETR 1\r\n"),
        ("+OK\r\nmore than four\r\n", ""),
    ];
    let mut once = true;
    all_cuts(&steps, |drive| {
        if std::mem::take(&mut once) {
            drive(&mut client);
        }
    });
    assert!(matches!(&client.into_failures()[..], [Failure::Sink(_)]));
}

/// Keeps what came; of the message `refused` it says that it cannot be kept.
struct Keeper {
    text: Vec<u8>,
    ids: Vec<String>,
    refused: &'static str,
}

impl std::io::Write for Keeper {
    fn write(&mut self, octets: &[u8]) -> std::io::Result<usize> {
        self.text.extend_from_slice(octets);
        Ok(octets.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl Sink for Keeper {
    fn ended(&mut self, about: &crate::proto::client::About<'_>) -> std::io::Result<()> {
        if about.id == self.refused {
            return Err(std::io::ErrorKind::StorageFull.into());
        }
        self.ids.push(format!("{} {}", about.id, about.octets));
        Ok(())
    }
}

/// Picks by ids, and plays in all cuts: ids of what was kept, its text, what failed.
fn pick(refused: &'static str, steps: &[Step<'_>]) -> (Vec<String>, String, Vec<String>) {
    let mut first = None;
    all_cuts(steps, |drive| {
        let (text, ids) = (Vec::new(), Vec::new());
        let mut keeper = Keeper { text, ids, refused };
        let choose = |there: &[Listed]| {
            let picked = there.iter().filter_map(|listed| match listed.id.as_str() {
                "a" => Some(Picked::Whole(listed.message, Then::Goes)),
                "b" => Some(Picked::Whole(listed.message, Then::Stays)),
                "c" => Some(Picked::Gone(listed.message)),
                "d" => Some(Picked::Top(listed.message, 0)),
                _ => None,
            });
            Ok(picked.collect())
        };
        let mut client = Client::new(alice(), [], &mut keeper).picking(Box::new(choose));
        drive(&mut client);
        let failures = client.into_failures();
        let failures: Vec<_> = failures
            .iter()
            .map(|failure| format!("{failure:?}"))
            .collect();
        let text = String::from_utf8(keeper.text).expect("UTF-8 in tests");
        let result = (keeper.ids, text, failures);
        assert_eq!(*first.get_or_insert_with(|| result.clone()), result);
    });
    first.expect("played at least once")
}

#[test]
fn what_is_safe_here_is_deleted_there_and_nothing_else() {
    let begin = [
        GREETING,
        NO_CAPA,
        USER,
        ("+OK\r\n", "LIST\r\n"),
        (
            "+OK\r\n1 10\r\n2 20\r\n3 30\r\n4 40\r\n5 50\r\n.\r\n",
            "UIDL\r\n",
        ),
        (
            "+OK\r\n1 a\r\n2 b\r\n3 c\r\n4 d\r\n5 e\r\n.\r\n",
            "RETR 1\r\n",
        ),
    ];
    let all = [
        ("+OK\r\none\r\n.\r\n", "DELE 1\r\n"),
        ("+OK\r\n", "RETR 2\r\n"),
        ("+OK\r\ntwo\r\n.\r\n", "DELE 3\r\n"),
        ("+OK\r\n", "TOP 4 0\r\n"),
        ("+OK\r\nhead\r\n.\r\n", "QUIT\r\n"),
        ("+OK\r\n", ""),
    ];
    let (ids, text, failures) = pick("", &[&begin[..], &all].concat());
    assert_eq!(ids, ["a 10", "b 20", "d 40"]);
    assert_eq!(
        (text.as_str(), failures.len()),
        ("one\r\ntwo\r\nhead\r\n", 0)
    );
    // Where it cannot be kept, nothing is deleted, nor QUIT said, which would make true what was deleted before.
    let (_, _, failures) = pick("a", &[&begin[..], &[("+OK\r\none\r\n.\r\n", "")]].concat());
    assert!(failures[0].starts_with("Sink"), "{failures:?}");
    let later = [all[0], all[1], ("+OK\r\ntwo\r\n.\r\n", "")];
    let (ids, _, failures) = pick("b", &[&begin[..], &later].concat());
    assert_eq!((ids.len(), failures.len()), (1, 1));
    // A message that is cut off was never told of.
    let cut = [("+OK\r\none\r\n", ""), (EOF, "")];
    let (ids, _, failures) = pick("", &[&begin[..], &cut].concat());
    assert!(
        ids.is_empty() && failures[0].starts_with("Lost"),
        "{failures:?}"
    );
}

#[test]
fn a_server_without_ids_or_mail_is_told_from_one_with() {
    let begin = [GREETING, NO_CAPA, USER, ("+OK\r\n", "LIST\r\n")];
    let none = [
        ("+OK\r\n.\r\n", "UIDL\r\n"),
        ("-ERR what?\r\n", "QUIT\r\n"),
        ("+OK\r\n", ""),
    ];
    let (ids, _, failures) = pick("", &[&begin[..], &none].concat());
    assert_eq!((ids.len(), failures.len()), (0, 0));
    let broken = [
        ("-ERR [SYS/TEMP] later\r\n", "UIDL\r\n"),
        ("+OK\r\n.\r\n", "QUIT\r\n"),
        ("+OK\r\n", ""),
    ];
    let (_, _, failures) = pick("", &[&begin[..], &broken].concat());
    assert!(failures[0].starts_with("Command"), "{failures:?}");
}

#[test]
fn with_pipelining_what_is_picked_is_asked_for_at_once() {
    let steps = [
        GREETING,
        ("+OK\r\nPIPELINING\r\n.\r\n", "USER alice\r\n"),
        USER,
        ("+OK\r\n", "LIST\r\nUIDL\r\n"),
        (
            "+OK\r\n1 9\r\n2 9\r\n.\r\n+OK\r\n1 a\r\n2 b\r\n.\r\n",
            "RETR 1\r\nRETR 2\r\n",
        ),
        ("+OK\r\none\r\n.\r\n", "DELE 1\r\n"),
        ("+OK\r\ntwo\r\n.\r\n+OK\r\n", "QUIT\r\n"),
        ("+OK\r\n", ""),
    ];
    let (ids, _, failures) = pick("", &steps);
    assert_eq!((ids.len(), failures.len()), (2, 0));
}

#[test]
fn figures_are_json_too() {
    let requests = [
        Request::Stat,
        Request::List(None),
        Request::Uidl(Some(1)),
        Request::Uidl(None),
        Request::Noop,
        Request::Rset,
        Request::Capa,
    ];
    let steps = [
        GREETING,
        NO_CAPA,
        USER,
        ("+OK\r\n", "STAT\r\n"),
        ("+OK 2 320\r\n", "LIST\r\n"),
        ("+OK\r\n1 120\r\n2 200\r\n.\r\n", "UIDL 1\r\n"),
        ("+OK 1 a\"b\r\n", "UIDL\r\n"),
        ("+OK\r\n.\r\n", "NOOP\r\n"),
        ("+OK\r\n", "RSET\r\n"),
        ("+OK\r\n", "CAPA\r\n"),
        ("+OK\r\nTOP\r\nUIDL\r\n.\r\n", "QUIT\r\n"),
        ("+OK\r\n", ""),
    ];
    all_cuts(&steps, |drive| {
        let mut sink = Vec::new();
        let mut client = Client::new(alice(), requests, &mut sink).writing(Form::Json);
        drive(&mut client);
        assert!(client.into_failures().is_empty());
        assert_eq!(
            String::from_utf8_lossy(&sink),
            "{\"messages\":2,\"octets\":320}\n[{\"message\":1,\"octets\":120},\n {\"message\":2,\"octets\":200}]\n\
             [{\"message\":1,\"id\":\"a\\\"b\"}]\n[]\n\
             {\"greeting\":\"ready\",\"tls\":null,\"capabilities\":[\"TOP\",\"UIDL\"]}\n"
        );
    });
}

proptest! {
    #[test]
    fn no_server_upsets_it(
        said in proptest::collection::vec(
            prop_oneof![
                Just("+OK\r\n"), Just("+OK 1 2\r\n"), Just("-ERR [AUTH]\r\n"), Just("+ \r\n"), Just(".\r\n"),
                Just("STLS\r\n"), Just("SASL PLAIN\r\n"), Just("PIPELINING\r\n"), Just("1 2"), Just("\r\n"),
                Just("\n"), Just("\r"), Just(".."), Just("\0"), Just("text"),
            ],
            0..40,
        ),
        required: bool,
        piece in 1_usize..50,
    ) {
        let upgrade = if required { Upgrade::Required } else { Upgrade::Never };
        let requests = [
            Request::Stat, Request::List(None), Request::Uidl(Some(1)), Request::Retr(1), Request::Dele(1),
        ];
        let mut sink = Vec::new();
        let mut client = Client::new(Plan { upgrade, ..alice() }, requests, &mut sink);
        endure(&mut client, said.concat().as_bytes(), piece);
    }
}
