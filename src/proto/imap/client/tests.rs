use super::*;
use crate::proto::client::canned::{EOF, SILENCE, Step as Said, alice, all_cuts, endure};
use proptest::prelude::*;

mod fed;
mod login;
mod stages;

const GREETING: Said<'_> = ("* OK hello\r\n", "a1 CAPABILITY\r\n");
const PLAIN: Said<'_> = (
    "* CAPABILITY IMAP4rev1 AUTH=PLAIN SASL-IR LITERAL+\r\na1 OK done\r\n",
    "a2 AUTHENTICATE PLAIN AGFsaWNlAHNlYyByZXQ=\r\n",
);

/// Plays `steps` in all cuts; returns what the sink got and what failed, the same each time.
fn play(plan: &Plan, errand: &Errand, steps: &[Said<'_>]) -> (String, Vec<String>) {
    let mut first = None;
    all_cuts(steps, |drive| {
        let mut sink = Vec::new();
        let mut client = Client::new(plan.clone(), errand.clone(), &mut sink);
        drive(&mut client);
        let failures = client.into_failures();
        let failures: Vec<_> = failures.iter().map(|f| format!("{f:?}")).collect();
        let result = (String::from_utf8(sink).expect("UTF-8 in tests"), failures);
        assert_eq!(*first.get_or_insert_with(|| result.clone()), result);
    });
    first.expect("played at least once")
}

/// An errand behind a login; its first command has the tag a3.
fn errand(errand: &Errand, steps: &[Said<'_>]) -> (String, Vec<String>) {
    let Some((open, rest)) = steps.split_first() else {
        panic!("an errand has steps");
    };
    assert_eq!(
        open.0, "",
        "the first step is what the client says after login"
    );
    let login = ("a2 OK in\r\n", open.1);
    play(
        &alice(),
        errand,
        &[&[GREETING, PLAIN, login], rest].concat(),
    )
}

fn good(of: &Errand, steps: &[Said<'_>]) -> String {
    let (written, failures) = errand(of, steps);
    assert!(failures.is_empty(), "{failures:?}");
    written
}

#[test]
fn folders_are_decoded_and_one_a_line() {
    let steps = [
        ("", "a3 LIST \"\" \"*\"\r\n"),
        (
            "* LIST (\\HasNoChildren) \"/\" INBOX\r\n* LIST (\\Noselect) \"/\" Top\r\n\
             * LIST () \"/\" {9}\r\nTop/a{5}\r\r\n* LIST () \"/\" \"Envoy&AOk-s\"\r\na3 OK {5}\r\n",
            "a4 LOGOUT\r\n",
        ),
        ("* BYE\r\na4 OK\r\n", ""),
    ];
    assert_eq!(
        good(&Errand::Folders, &steps),
        "INBOX\nTop/a{5} \nEnvoyés\n"
    );
}

#[test]
fn status_writes_figures() {
    let steps = [
        (
            "",
            "a3 STATUS \"Envoy&AOk-s \\\"1\\\"\" (MESSAGES UNSEEN RECENT UIDNEXT UIDVALIDITY)\r\n",
        ),
        (
            "* STATUS {3}\r\nabc (MESSAGES 2 UNSEEN 1)\r\na3 OK\r\n",
            "a4 LOGOUT\r\n",
        ),
        (EOF, ""),
    ];
    let written = good(&Errand::Status("Envoyés \"1\"".into()), &steps);
    assert_eq!(written, "MESSAGES 2\nUNSEEN 1\n");
}

#[test]
fn a_list_has_a_line_a_message() {
    let steps = [
        ("", "a3 EXAMINE INBOX\r\n"),
        (
            "* 2 EXISTS\r\n* OK [UIDNEXT 9] x\r\na3 OK [READ-ONLY] open\r\n",
            "a4 FETCH 1:* (UID FLAGS INTERNALDATE RFC822.SIZE ENVELOPE)\r\n",
        ),
        (
            "* 1 FETCH (UID 7 FLAGS (\\Seen) INTERNALDATE \" 1-Feb-1994 02:03:04 +0000\" RFC822.SIZE 320 ENVELOPE \
             (NIL {18}\r\n=?utf-8?q?=C3=A9?= ((\"A\" NIL \"a\" \"x.org\")) NIL NIL NIL NIL NIL NIL NIL))\r\n\
             * 1 FETCH (FLAGS (\\Seen))\r\n\
             * 2 FETCH (UID 8 FLAGS () INTERNALDATE NIL RFC822.SIZE 1 ENVELOPE (NIL NIL ((NIL NIL \"b\" \"x.org\")) NIL \
             NIL NIL NIL NIL NIL NIL))\r\na4 OK\r\n",
            "a5 LOGOUT\r\n",
        ),
        ("a5 OK\r\n", ""),
    ];
    assert_eq!(
        good(&Errand::List("INBOX".into()), &steps),
        "7\t\\Seen\t1-Feb-1994 02:03:04 +0000\t320\tA <a@x.org>\té\n8\t-\t\t1\tb@x.org\t\n"
    );
    let empty = [
        ("", "a3 EXAMINE INBOX\r\n"),
        ("* 0 EXISTS\r\na3 OK\r\n", "a4 LOGOUT\r\n"),
        (EOF, ""),
    ];
    assert_eq!(good(&Errand::List("INBOX".into()), &empty), "");
}

#[test]
fn message_text_goes_through_as_it_is() {
    let of = Errand::Fetch {
        mailbox: "INBOX".into(),
        uids: "7,9,10".into(),
        section: String::new(),
    };
    let steps = [
        ("", "a3 EXAMINE INBOX\r\n"),
        (
            "* 3 EXISTS\r\na3 OK\r\n",
            "a4 UID FETCH 7,9,10 (UID BODY.PEEK[])\r\n",
        ),
        (
            "* 1 FETCH (UID 7 BODY[] {20}\r\na4 OK not yet\r\n.\r\n {)\r\n* 2 FETCH (BODY[] \"quoted\" UID 9)\r\n\
             * 9 FETCH (FLAGS ())\r\n* 3 FETCH (BODY[] {0}\r\n UID 10)\r\na4 OK\r\n",
            "a5 LOGOUT\r\n",
        ),
        ("a5 OK\r\n", ""),
    ];
    assert_eq!(good(&of, &steps), "a4 OK not yet\r\n.\r\n {quoted");
}

#[test]
fn what_is_not_there_is_named() {
    let of = |section: &str| Errand::Fetch {
        mailbox: "INBOX".into(),
        uids: "7,8".into(),
        section: section.into(),
    };
    let steps = [
        ("", "a3 EXAMINE INBOX\r\n"),
        (
            "* 3 EXISTS\r\na3 OK\r\n",
            "a4 UID FETCH 7,8 (UID BODY.PEEK[2.MIME])\r\n",
        ),
        (
            "* 1 FETCH (UID 7 BODY[2.MIME] NIL)\r\na4 OK\r\n",
            "a5 LOGOUT\r\n",
        ),
        ("a5 OK\r\n", ""),
    ];
    let (written, failures) = errand(&of("2.MIME"), &steps);
    assert_eq!((written.as_str(), failures.len()), ("", 2), "{failures:?}");
    assert!(failures[0].contains("FETCH 7") && failures[0].contains("no such section"));
    assert!(failures[1].contains("FETCH 8") && failures[1].contains("no such message"));

    let smuggled = [
        ("", "a3 EXAMINE INBOX\r\n"),
        ("a3 OK\r\n", "a4 LOGOUT\r\n"),
        ("a4 OK\r\n", ""),
    ];
    let (_, failures) = errand(&of("])\r\na9 DELETE x"), &smuggled);
    assert!(failures[0].starts_with("Unsendable"));

    let closed = [
        ("", "a3 EXAMINE INBOX\r\n"),
        ("a3 NO [NONEXISTENT] no such mailbox\r\n", "a4 LOGOUT\r\n"),
        ("* BYE\r\n", ""),
        (EOF, ""),
    ];
    let (_, failures) = errand(&of(""), &closed);
    assert!(failures[0].starts_with("Negative") && failures[0].contains("EXAMINE INBOX"));
}

#[test]
fn search_quotes_what_needs_it_and_waits_for_plus() {
    let of = |keys: &[&str]| Errand::Search {
        mailbox: "INBOX".into(),
        keys: keys.iter().map(|&key| key.to_owned()).collect(),
    };
    let steps = [
        ("", "a3 EXAMINE INBOX\r\n"),
        (
            "a3 OK\r\n",
            "a4 UID SEARCH OR (UNSEEN 1:*) SUBJECT \"two words\"\r\n",
        ),
        ("* SEARCH 3 4\r\na4 OK\r\n", "a5 LOGOUT\r\n"),
        ("a5 OK\r\n", ""),
    ];
    let keys = ["OR", "(UNSEEN", "1:*)", "SUBJECT", "two words"];
    assert_eq!(good(&of(&keys), &steps), "3\n4\n");

    // No LITERAL+: the literal waits.
    let steps = [
        (
            "* PREAUTH [CAPABILITY IMAP4rev1] hi\r\n",
            "a1 EXAMINE INBOX\r\n",
        ),
        ("a1 OK\r\n", "a2 UID SEARCH CHARSET UTF-8 TEXT {6}\r\n"),
        ("+ go\r\n", "déjà UNSEEN\r\n"),
        ("* SEARCH\r\na2 OK\r\n", "a3 LOGOUT\r\n"),
        ("a3 OK\r\n", ""),
    ];
    let (written, failures) = play(&alice(), &of(&["TEXT", "déjà", "UNSEEN"]), &steps);
    assert_eq!((written.as_str(), failures.len()), ("", 1));
    assert!(failures[0].starts_with("Negative"));
}

#[test]
fn mailboxes_are_made_emptied_and_deleted() {
    let steps = [
        ("", "a3 CREATE Caf&AOk-\r\n"),
        ("a3 NO [ALREADYEXISTS] it is there\r\n", "a4 LOGOUT\r\n"),
        ("a4 OK\r\n", ""),
    ];
    let (_, failures) = errand(&Errand::Create("Café".into()), &steps);
    assert!(failures[0].starts_with("Negative") && failures[0].contains("CREATE Café"));

    let steps = [
        ("", "a3 DELETE \"a b\"\r\n"),
        ("a3 OK\r\n", "a4 LOGOUT\r\n"),
        ("a4 OK\r\n", ""),
    ];
    assert_eq!(good(&Errand::Delete("a b".into()), &steps), "");

    let steps = [
        ("", "a3 SELECT Old\r\n"),
        (
            "* 2 EXISTS\r\na3 OK\r\n",
            "a4 STORE 1:* +FLAGS.SILENT (\\Deleted)\r\n",
        ),
        ("a4 OK\r\n", "a5 EXPUNGE\r\n"),
        ("* 1 EXPUNGE\r\n* 1 EXPUNGE\r\na5 OK\r\n", "a6 LOGOUT\r\n"),
        ("a6 OK\r\n", ""),
    ];
    assert_eq!(good(&Errand::Empty("Old".into()), &steps), "2\n");
}

#[test]
fn append_sends_at_once_or_when_asked() {
    let of = Errand::Append {
        mailbox: "INBOX".into(),
        message: b"A: b\r\n\r\nc\r\n".to_vec(),
    };
    let steps = [
        ("", "a3 APPEND INBOX {11+}\r\nA: b\r\n\r\nc\r\n\r\n"),
        ("a3 OK [APPENDUID 38505 3955] done\r\n", "a4 LOGOUT\r\n"),
        ("a4 OK\r\n", ""),
    ];
    assert_eq!(good(&of, &steps), "3955\n");

    let begin = [
        (
            "* OK [CAPABILITY IMAP4rev1] hello\r\n",
            "a1 LOGIN alice \"sec ret\"\r\n",
        ),
        ("a1 OK in\r\n", "a2 APPEND INBOX {11}\r\n"),
    ];
    let taken = [
        ("+ go\r\n", "A: b\r\n\r\nc\r\n\r\n"),
        ("a2 OK\r\n", "a3 LOGOUT\r\n"),
        ("a3 OK\r\n", ""),
    ];
    let (_, failures) = play(&alice(), &of, &[&begin[..], &taken].concat());
    assert!(failures.is_empty(), "{failures:?}");
    let refused = [
        ("a2 NO [TRYCREATE] no mailbox\r\n", "a3 LOGOUT\r\n"),
        ("a3 OK\r\n", ""),
    ];
    let (_, failures) = play(&alice(), &of, &[&begin[..], &refused].concat());
    assert!(failures[0].starts_with("Negative"), "{failures:?}");
}

#[test]
fn names_and_passwords_of_any_octets_are_literals() {
    let plan = Plan {
        user: "al\r\nice".into(),
        password: "é".into(),
        ..alice()
    };
    let steps = [
        ("* OK [CAPABILITY IMAP4rev1] hello\r\n", "a1 LOGIN {7}\r\n"),
        ("+\r\n", "al\r\nice {2}\r\n"),
        ("+\r\n", "é\r\n"),
        ("a1 NO [AUTHENTICATIONFAILED] no\r\n", ""),
    ];
    let (_, failures) = play(&plan, &Errand::Folders, &steps);
    assert!(failures[0].starts_with("Login"), "{failures:?}");
}

#[test]
fn tls_comes_first_and_forgets() {
    let plan = Plan {
        upgrade: Upgrade::Required,
        ..alice()
    };
    let steps = [
        (
            "* OK [CAPABILITY IMAP4rev1 STARTTLS LOGINDISABLED] hello\r\n",
            "a1 STARTTLS\r\n",
        ),
        ("a1 OK begin\r\n", ""),
        (
            "* CAPABILITY IMAP4rev1 AUTH=PLAIN\r\na2 OK\r\n",
            "a2 CAPABILITY\r\na3 AUTHENTICATE PLAIN\r\n",
        ),
        ("+ \r\n", "AGFsaWNlAHNlYyByZXQ=\r\n"),
        ("a3 OK\r\n", "a4 LIST \"\" \"*\"\r\n"),
        ("a4 OK\r\n", "a5 LOGOUT\r\n"),
        (EOF, ""),
    ];
    let (_, failures) = play(&plan, &Errand::Folders, &steps);
    assert!(failures.is_empty(), "{failures:?}");
    for steps in [
        &[("* OK [CAPABILITY IMAP4rev1] hello\r\n", "")][..],
        &[("* PREAUTH [CAPABILITY IMAP4rev1 STARTTLS] in\r\n", "")],
        &[GREETING, ("a1 BAD what\r\n", "")],
    ] {
        assert_eq!(play(&plan, &Errand::Folders, steps).1, ["NoTls"]);
    }
}

#[test]
fn what_goes_wrong_is_told_apart() {
    let after_login = |last: Said<'static>| {
        vec![
            GREETING,
            PLAIN,
            ("a2 OK\r\n", "a3 LIST \"\" \"*\"\r\n"),
            last,
        ]
    };
    for (steps, expected) in [
        (vec![("* BYE full\r\n", "")], "Refused"),
        (vec![("220 mail ESMTP\r\n", "")], "Protocol"),
        (vec![("* 3 EXISTS\r\n", "")], "Protocol"),
        (vec![(SILENCE, "")], "Silent"),
        (vec![GREETING, (EOF, "")], "Lost"),
        (
            vec![("* OK [CAPABILITY LOGINDISABLED]\r\n", "")],
            "TlsFirst",
        ),
        (after_login(("a9 OK\r\n", "")), "Protocol"),
        (after_login(("+ go\r\n", "")), "Protocol"),
        (after_login(("* 1 FETCH (\r\n", "")), "Protocol"),
        (
            after_login(("* LIST () NIL {9999999999}\r\n", "")),
            "Protocol",
        ),
        (after_login((EOF, "")), "Lost"),
    ] {
        let (written, failures) = play(&alice(), &Errand::Folders, &steps);
        assert_eq!((written.as_str(), failures.len()), ("", 1), "{failures:?}");
        assert!(
            failures[0].starts_with(expected),
            "{expected}: {failures:?}"
        );
        assert!(!failures[0].contains("sec ret"));
    }
    // What was asked for is done: a server that does not say goodbye has nothing left to refuse.
    let done = ("* LIST () \"/\" INBOX\r\na3 OK\r\n", "a4 LOGOUT\r\n");
    for end in [(EOF, ""), (SILENCE, "")] {
        let steps = [
            GREETING,
            PLAIN,
            ("a2 OK\r\n", "a3 LIST \"\" \"*\"\r\n"),
            done,
            end,
        ];
        let (written, failures) = play(&alice(), &Errand::Folders, &steps);
        assert_eq!(
            (written.as_str(), failures.len()),
            ("INBOX\n", 0),
            "{failures:?}"
        );
    }
    let steps = [
        ("", "a3 EXAMINE INBOX\r\n"),
        ("a3 OK\r\n", "a4 UID SEARCH FOO\r\n"),
        ("a4 BAD FOO is no key\r\n", "a5 LOGOUT\r\n"),
        ("a5 OK\r\n", ""),
    ];
    let search = Errand::Search {
        mailbox: "INBOX".into(),
        keys: vec!["FOO".into()],
    };
    let (_, failures) = errand(&search, &steps);
    assert!(failures[0].starts_with("Misunderstood"), "{failures:?}");
    let busy = [GREETING, PLAIN, ("a2 NO [UNAVAILABLE] later\r\n", "")];
    let (_, failures) = play(&alice(), &Errand::Folders, &busy);
    assert!(failures[0].starts_with("Login") && failures[0].contains("Temporary"));
}

proptest! {
    #[test]
    fn no_server_upsets_it(
        said in proptest::collection::vec(
            prop_oneof![
                Just("* OK [CAPABILITY AUTH=PLAIN LITERAL+ STARTTLS]\r\n"), Just("* PREAUTH\r\n"), Just("* BYE\r\n"),
                Just("a1 OK\r\n"), Just("a2 OK\r\n"), Just("a3 OK\r\n"), Just("a4 OK\r\n"), Just("a3 NO\r\n"),
                Just("+ \r\n"), Just("* 3 EXISTS\r\n"), Just("* SEARCH 1 2\r\n"),
                Just("* 1 FETCH (UID 1 BODY[] {"), Just("* LIST () \"/\" "), Just("5}\r\n"), Just("0}\r\n"),
                Just("9999999999999999999}\r\n"), Just("("), Just(")"), Just("\""), Just("\\"), Just("\r\n"), Just("\n"),
                Just("\r"), Just("\0"), Just("text"),
            ],
            0..40,
        ),
        required: bool,
        which in 0_usize..8,
        piece in 1_usize..50,
    ) {
        let upgrade = if required { Upgrade::Required } else { Upgrade::Never };
        let mailbox = || "INBOX".to_owned();
        let errand = match which {
            0 => Errand::Folders,
            1 => Errand::Fetch { mailbox: mailbox(), uids: "1".into(), section: String::new() },
            2 => Errand::Search { mailbox: mailbox(), keys: vec!["TEXT".into(), "é".into()] },
            3 => stages::raw("FETCH 1 BODY[]\nIDLE\nDONE\nAPPEND x {3+}\nabc\n", Shown::All),
            4 => stages::raw("FETCH 1 BODY[]\nSTARTTLS\nNOOP\n", Shown::Json),
            5 => stages::waiting(&["TEXT", "é"], Some(1)),
            6 => Errand::Stages(vec![
                Stage::Select(mailbox()), Stage::Choose("1:3".into()), Stage::Ask("ID"), Stage::Ask("QUOTA"), Stage::TellServer,
                Stage::Copy { to: "x".into(), way: Way::Move, missing: Missing::Made }, Stage::TellExpunged,
            ]),
            7 => Errand::Stages(vec![Stage::Backup(Vec::new())]),
            _ => Errand::Append { mailbox: mailbox(), message: b"A: b\r\n".to_vec() },
        };
        let mut sink = Vec::new();
        let login = Login { mechanism: None, nonce: "abcdef".into() };
        let mut client = Client::new(Plan { upgrade, ..alice() }, errand, &mut sink).with_login(login);
        endure(&mut client, said.concat().as_bytes(), piece);
    }
}
