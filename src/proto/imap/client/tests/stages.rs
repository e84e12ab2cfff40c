//! Errands of several stages: commands of a person, waiting, flags, copies.

use std::time::Duration;

use super::*;
use crate::proto::client::canned::SILENCE;

/// Commands as a person writes them.
pub(super) fn raw(input: &str, shown: Shown) -> Errand {
    let lines = read_lines(input.as_bytes(), &mut |_| Ok(b"of a file".to_vec()));
    Errand::Stages(vec![Stage::Raw(Raw {
        lines: lines.expect("good lines").into(),
        shown,
        refused: Refused::Ends,
    })])
}

/// Waits for a message that is as the keys say.
pub(super) fn waiting(keys: &[&str], count: Option<u32>) -> Errand {
    Errand::Stages(vec![
        Stage::Examine("INBOX".into()),
        Stage::Idle(Idle {
            keys: keys.iter().map(|&key| key.to_owned()).collect(),
            there: There::DoNot,
            count,
            within: None,
            renew: Duration::from_secs(28 * 60),
            poll: Duration::from_secs(30),
        }),
    ])
}

/// An errand of stages on messages of INBOX.
fn on(stages: Vec<Stage>) -> Errand {
    let select = Stage::Select("INBOX".into());
    Errand::Stages([vec![select], stages].concat())
}

pub(super) const IN: Said<'_> = ("* PREAUTH [CAPABILITY IMAP4rev1 IDLE UIDPLUS] in\r\n", "");
const OUT: &str = "* BYE\r\n";

/// With a server that has us logged in; its `can` is what it is able to.
fn preauth(of: &Errand, can: &str, steps: &[Said<'_>]) -> (String, Vec<String>) {
    let greeting = format!("* PREAUTH [CAPABILITY IMAP4rev1 {can}] in\r\n");
    let Some((first, rest)) = steps.split_first() else {
        panic!("an errand has steps");
    };
    let first = [(greeting.as_str(), first.1)];
    play(&alice(), of, &[&first[..], rest].concat())
}

#[test]
fn octets_of_responses_come_through_and_are_never_read() {
    let of = raw("SELECT INBOX\nx.7 FETCH 1 (BODY[])\n", Shown::All);
    let evil =
        "* 1 FETCH (BODY[] {27}\r\nx.7 OK not yet\r\n* BYE {3}\r\n X {0}\r\n Y {3}\r\na2 )\r\n";
    let fetched = format!("{evil}* OK {{9}}\r\n* XNEW \"{{2}}x\r\n+ go on\r\nx.7 OK done\r\n");
    let steps = [
        ("", "a1 SELECT INBOX\r\n"),
        ("* 1 EXISTS\r\na1 OK in\r\n", "x.7 FETCH 1 (BODY[])\r\n"),
        // A `+` that nobody waits for is answered with what could end a command.
        (&fetched, "DONE\r\na3 LOGOUT\r\n"),
        (OUT, ""),
        (EOF, ""),
    ];
    let (written, failures) = preauth(&of, "LITERAL+", &steps);
    assert!(failures.is_empty(), "{failures:?}");
    assert_eq!(written, format!("* 1 EXISTS\r\na1 OK in\r\n{fetched}"));

    let only = raw("FETCH 1 (BODY[])", Shown::Literals);
    let steps = [
        ("", "a1 FETCH 1 (BODY[])\r\n"),
        (
            "* 1 FETCH (BODY[] {9}\r\n* BYE\r\n\r\n UID 7)\r\na1 OK {7}\r\n",
            "a2 LOGOUT\r\n",
        ),
        ("a2 OK\r\n", ""),
    ];
    assert_eq!(preauth(&only, "", &steps), ("* BYE\r\n\r\n".into(), vec![]));
}

#[test]
fn literals_of_commands_wait_where_they_must() {
    let of = || {
        raw(
            "APPEND a {4+}\na\r\nb\nAPPEND b {@f} (\\Seen) {@f}\n",
            Shown::Literals,
        )
    };
    let plus = [
        ("", "a1 APPEND a {4+}\r\na\r\nb\r\n"),
        (
            "a1 OK\r\n",
            "a2 APPEND b {9+}\r\nof a file (\\Seen) {9+}\r\nof a file\r\n",
        ),
        ("a2 OK\r\n", "a3 LOGOUT\r\n"),
        ("a3 OK\r\n", ""),
    ];
    assert!(preauth(&of(), "LITERAL+", &plus).1.is_empty());
    let waits = [
        ("", "a1 APPEND a {4}\r\n"),
        ("+ go\r\n", "a\r\nb\r\n"),
        ("a1 OK\r\n", "a2 APPEND b {9}\r\n"),
        ("+\r\n", "of a file (\\Seen) {9}\r\n"),
        ("a2 NO [TRYCREATE] no b\r\n", "a3 LOGOUT\r\n"),
        ("a3 OK\r\n", ""),
    ];
    let (_, failures) = preauth(&of(), "", &waits);
    assert!(
        failures[0].contains("NO no b") && failures[0].starts_with("Negative"),
        "{failures:?}"
    );
}

#[test]
fn who_is_refused_stops_unless_told_to_go_on() {
    let steps = [
        ("", "a1 SELECT Gone\r\n"),
        ("a1 NO no such mailbox\r\n", "a2 LOGOUT\r\n"),
        ("a2 OK\r\n", ""),
    ];
    let (_, failures) = preauth(
        &raw("SELECT Gone\nSTORE 1:* +FLAGS \\Deleted", Shown::All),
        "",
        &steps,
    );
    assert_eq!(failures.len(), 1);
    let Errand::Stages(mut stages) = raw("FOO\nNOOP\nLOGOUT", Shown::All) else {
        panic!("raw makes stages");
    };
    if let Stage::Raw(raw) = &mut stages[0] {
        raw.refused = Refused::Stays;
    }
    let steps = [
        ("", "a1 FOO\r\n"),
        ("a1 BAD what\r\n", "a2 NOOP\r\n"),
        ("a2 OK\r\n", "a3 LOGOUT\r\n"),
        ("* BYE so long\r\na3 OK\r\n", ""),
    ];
    let (written, failures) = preauth(&Errand::Stages(stages), "", &steps);
    assert!(failures[0].starts_with("Misunderstood"), "{failures:?}");
    assert!(written.ends_with("* BYE so long\r\na3 OK\r\n"), "{written}");
}

#[test]
fn a_person_can_idle_and_upgrade_and_log_in() {
    let nobody = Plan {
        user: String::new(),
        upgrade: Upgrade::IfOffered,
        ..alice()
    };
    let of = raw(
        "STARTTLS\nAUTHENTICATE PLAIN\nAGEAYg==\nIDLE\nDONE\nIDLE\n",
        Shown::All,
    );
    let steps = [
        ("* OK [CAPABILITY IMAP4rev1] hi\r\n", "a1 STARTTLS\r\n"),
        ("a1 OK begin\r\n", ""),
        ("", "a2 AUTHENTICATE PLAIN\r\n"),
        ("+ \r\n", "AGEAYg==\r\n"),
        ("a2 OK\r\n", "a3 IDLE\r\n"),
        ("+ idling\r\n", "DONE\r\n"),
        ("a3 OK\r\n", "a4 IDLE\r\n"),
        // The input is over.
        ("+ idling\r\n", "DONE\r\n"),
        ("a4 OK\r\n", "a5 LOGOUT\r\n"),
        (EOF, ""),
    ];
    let (_, failures) = play(&nobody, &of, &steps);
    assert!(failures.is_empty(), "{failures:?}");
}

#[test]
fn responses_are_json() {
    let of = raw(
        "FETCH 1 (FLAGS BODY[HEADER.FIELDS (TO)])\nIDLE",
        Shown::Json,
    );
    let steps = [
        ("", "a1 FETCH 1 (FLAGS BODY[HEADER.FIELDS (TO)])\r\n"),
        (
            "* 1 FETCH (FLAGS (\\Seen) BODY[HEADER.FIELDS (TO)]<0> {8}\r\nTo: \"é\n ENVELOPE (NIL \"7\" 7))\r\n* X )(\r\n\
             a1 OK [APPENDUID 1 7] fine\r\n",
            "a2 IDLE\r\n",
        ),
        ("+ idling\r\n", "DONE\r\n"),
        ("a2 BAD\r\n", "a3 LOGOUT\r\n"),
        (EOF, ""),
    ];
    let (written, failures) = preauth(&of, "", &steps);
    assert_eq!(failures.len(), 1);
    let expected = "\
{\"tag\":\"*\",\"data\":[1,\"FETCH\",[\"FLAGS\",[\"\\\\Seen\"],\"BODY[HEADER.FIELDS (TO)]<0>\",\"To: \\\"é\\n\",\"ENVELOPE\",[null,\"7\",7]]]}
{\"tag\":\"*\",\"text\":\"X )(\"}
{\"tag\":\"a1\",\"status\":\"OK\",\"code\":[\"APPENDUID\",1,7],\"text\":\"fine\"}
{\"tag\":\"+\",\"text\":\"idling\"}
{\"tag\":\"a2\",\"status\":\"BAD\",\"text\":\"\"}
";
    assert_eq!(written, expected);
}

const ENVELOPE: &str =
    "ENVELOPE (NIL \"S\" ((NIL NIL \"b\" \"x.org\")) NIL NIL NIL NIL NIL NIL NIL)";

#[test]
fn who_waits_is_told_once_of_each_message() {
    let fetch = "FETCH 2:2 (UID FLAGS INTERNALDATE RFC822.SIZE ENVELOPE)\r\n";
    let first = format!(
        "* 2 FETCH (UID 9 FLAGS () INTERNALDATE \"x\" RFC822.SIZE 3 {ENVELOPE})\r\na4 OK\r\n"
    );
    let second = first.replace("UID 9", "UID 12").replace("a4", "a7");
    let steps = [
        ("", "a1 EXAMINE INBOX\r\n"),
        ("* 3 EXISTS\r\na1 OK\r\n", "a2 IDLE\r\n"),
        ("+ idling\r\n", ""),
        ("* OK still here\r\n* 1 FETCH (FLAGS (\\Seen))\r\n", ""),
        // The time for a new IDLE has come.
        (SILENCE, "DONE\r\n"),
        // One went, and one of those that were there; then one came.
        ("* 3 EXPUNGE\r\n* 1 EXPUNGE\r\na2 OK\r\n", "a3 IDLE\r\n"),
        ("* 1 EXISTS\r\n+ idling\r\n", ""),
        ("* 2 EXISTS\r\n", "DONE\r\n"),
        ("a3 OK\r\n", &format!("a4 {fetch}")),
        (&first, "a5 IDLE\r\n"),
        // It came before the server said that it idles.
        ("* 1 EXPUNGE\r\n* 2 EXISTS\r\n+ idling\r\n", "DONE\r\n"),
        ("* 2 EXISTS\r\na5 OK\r\n", &format!("a6 {fetch}")),
    ];
    let second = second.replace("a7", "a6");
    let end = [(second.as_str(), "a7 LOGOUT\r\n"), ("a7 OK\r\n", "")];
    let (written, failures) = preauth(&waiting(&[], Some(2)), "IDLE", &[&steps[..], &end].concat());
    assert!(failures.is_empty(), "{failures:?}");
    assert_eq!(written, "9\t-\tx\t3\tb@x.org\tS\n12\t-\tx\t3\tb@x.org\tS\n");
}

#[test]
fn a_server_without_idle_is_asked_now_and_then() {
    let found = format!("* 1 FETCH (UID 5 FLAGS () {ENVELOPE})\r\n");
    for (can, refused) in [("", false), ("IDLE", true)] {
        let mut steps = vec![("", "a1 EXAMINE INBOX\r\n")];
        let mut tag = 2;
        if refused {
            steps.push(("* 0 EXISTS\r\na1 OK\r\n", "a2 IDLE\r\n"));
            steps.push(("a2 BAD unknown\r\n", ""));
            tag = 3;
        } else {
            steps.push(("* 0 EXISTS\r\na1 OK\r\n", ""));
        }
        let said = |number: u32, words: &str| format!("a{number} {words}\r\n");
        let (noop, again) = (
            said(tag, "NOOP"),
            said(tag + 1, "UID SEARCH 1:1 CHARSET UTF-8 TEXT {2}"),
        );
        let again = again.replace(
            "UID SEARCH 1:1 CHARSET UTF-8",
            "UID SEARCH CHARSET UTF-8 1:1",
        );
        let came = format!("* 1 EXISTS\r\na{tag} OK\r\n");
        let hit = format!("* SEARCH 5\r\na{} OK\r\n", tag + 1);
        let fetch = said(
            tag + 2,
            "UID FETCH 5 (UID FLAGS INTERNALDATE RFC822.SIZE ENVELOPE)",
        );
        let fetched = format!("{found}a{} OK\r\n", tag + 2);
        let logout = said(tag + 3, "LOGOUT");
        steps.extend([
            (SILENCE, noop.as_str()),
            (&came, &again),
            ("+\r\n", "é\r\n"),
            (&hit, &fetch),
            (&fetched, &logout),
            (EOF, ""),
        ]);
        let (written, failures) = preauth(&waiting(&["TEXT", "é"], Some(1)), can, &steps);
        assert!(failures.is_empty(), "{failures:?}");
        assert_eq!(written, "5\t-\t\t0\tb@x.org\tS\n");
    }
}

#[test]
fn who_waits_in_vain_is_told_so() {
    for (can, left) in [("", "a2 LOGOUT\r\n"), ("IDLE", "DONE\r\n")] {
        let Errand::Stages(mut stages) = waiting(&[], None) else {
            panic!("it has stages");
        };
        if let Stage::Idle(idle) = &mut stages[1] {
            idle.within = Some(Duration::from_secs(5));
        }
        let mut steps = vec![("", "a1 EXAMINE INBOX\r\n")];
        match can {
            "" => steps.push(("a1 OK\r\n", "")),
            _ => steps.extend([("a1 OK\r\n", "a2 IDLE\r\n"), ("+\r\n", "")]),
        }
        steps.push((SILENCE, left));
        if can == "IDLE" {
            // Our clock has not moved: the wait goes on, and begins anew.
            steps.extend([
                ("a2 OK\r\n", "a3 IDLE\r\n"),
                ("a3 NO [UNAVAILABLE] x\r\n", ""),
                (SILENCE, "a4 LOGOUT\r\n"),
            ]);
        }
        steps.push((EOF, ""));
        let (_, failures) = preauth(&Errand::Stages(stages), can, &steps);
        assert!(
            failures[0].starts_with("Negative") && failures[0].contains("in time"),
            "{failures:?}"
        );
    }
}

#[test]
fn flags_are_set_and_only_these_messages_expunged() {
    let flags = Stage::Flags(Some((Change::Add, vec!["\\Deleted".into(), "work".into()])));
    let of = on(vec![
        Stage::Choose("7,9".into()),
        flags.clone(),
        Stage::ExpungeChosen,
        Stage::TellExpunged,
    ]);
    let store = "a2 UID STORE 7,9 +FLAGS (\\Deleted work)\r\n";
    let steps = [
        ("", "a1 SELECT INBOX\r\n"),
        ("* 3 EXISTS\r\na1 OK\r\n", store),
        (
            "* 1 FETCH (FLAGS (\\Deleted work) UID 7)\r\n* 2 FETCH (UID 9 FLAGS (\\Seen \\Deleted work))\r\na2 OK\r\n",
            "a3 UID EXPUNGE 7,9\r\n",
        ),
        ("* 1 EXPUNGE\r\n* 1 EXPUNGE\r\na3 OK\r\n", "a4 LOGOUT\r\n"),
        ("a4 OK\r\n", ""),
    ];
    let (written, failures) = preauth(&of, "UIDPLUS", &steps);
    assert!(failures.is_empty(), "{failures:?}");
    assert_eq!(written, "7\t\\Deleted work\n9\t\\Seen \\Deleted work\n2\n");
    let told = "* 1 FETCH (FLAGS (\\Deleted) UID 7)\r\na2 OK\r\n";
    let careful = [
        steps[0],
        steps[1],
        (told, "a3 UID SEARCH DELETED NOT UID 7,9\r\n"),
        ("* SEARCH 3\r\na3 OK\r\n", "a4 LOGOUT\r\n"),
        ("a4 OK\r\n", ""),
    ];
    let (_, failures) = preauth(&of, "", &careful);
    assert!(failures[0].contains("UID STORE 9"), "{failures:?}");
    assert!(failures[1].contains("nothing was expunged"), "{failures:?}");
    let smuggled = on(vec![
        Stage::Choose("7".into()),
        Stage::Flags(Some((Change::Set, vec!["x)\r\na9 DELETE y".into()]))),
    ]);
    let steps = [steps[0], ("a1 OK\r\n", "a2 LOGOUT\r\n"), ("a2 OK\r\n", "")];
    assert!(preauth(&smuggled, "", &steps).1[0].starts_with("Unsendable"));
}

#[test]
fn messages_move_with_and_without_move() {
    let of = on(vec![
        Stage::Search {
            keys: vec!["FROM".into(), "bob".into()],
            then: Found::Chosen,
        },
        Stage::Copy {
            to: "Été".into(),
            way: Way::Move,
            missing: Missing::Made,
        },
    ]);
    let begin = [
        ("", "a1 SELECT INBOX\r\n"),
        ("* 9 EXISTS\r\na1 OK\r\n", "a2 UID SEARCH FROM bob\r\n"),
    ];
    let able = [
        (
            "* SEARCH 4 2 3\r\na2 OK\r\n",
            "a3 UID MOVE 2:4 &AMk-t&AOk-\r\n",
        ),
        ("a3 NO [TRYCREATE] none\r\n", "a4 CREATE &AMk-t&AOk-\r\n"),
        ("a4 OK\r\n", "a5 UID MOVE 2:4 &AMk-t&AOk-\r\n"),
        (
            "* OK [COPYUID 1 2:4 1:3] moved\r\n* 2 EXPUNGE\r\n* 2 EXPUNGE\r\n* 2 EXPUNGE\r\na5 OK\r\n",
            "a6 LOGOUT\r\n",
        ),
        ("a6 OK\r\n", ""),
    ];
    let (written, failures) = preauth(&of, "MOVE", &[&begin[..], &able].concat());
    assert_eq!(
        (written.as_str(), failures.len()),
        ("1:3\n", 0),
        "{failures:?}"
    );
    let unable = [
        ("* SEARCH 4\r\na2 OK\r\n", "a3 UID COPY 4 &AMk-t&AOk-\r\n"),
        (
            "a3 NO UID COPY [TRYCREATE] failed\r\n",
            "a4 CREATE &AMk-t&AOk-\r\n",
        ),
        ("a4 OK\r\n", "a5 UID COPY 4 &AMk-t&AOk-\r\n"),
        (
            "a5 OK [COPYUID 1 4 7] copied\r\n",
            "a6 UID STORE 4 +FLAGS.SILENT (\\Deleted)\r\n",
        ),
        ("a6 OK\r\n", "a7 UID SEARCH DELETED NOT UID 4\r\n"),
        ("* SEARCH\r\na7 OK\r\n", "a8 EXPUNGE\r\n"),
        ("* 4 EXPUNGE\r\na8 OK\r\n", "a9 LOGOUT\r\n"),
        ("a9 OK\r\n", ""),
    ];
    let (written, failures) = preauth(&of, "", &[&begin[..], &unable].concat());
    assert_eq!(
        (written.as_str(), failures.len()),
        ("7\n", 0),
        "{failures:?}"
    );
}

#[test]
fn counts_are_bare_numbers() {
    let of = Errand::Stages(vec![
        Stage::Examine("INBOX".into()),
        Stage::Search {
            keys: vec!["UNSEEN".into()],
            then: Found::Counted,
        },
    ]);
    for (can, command, said, count) in [
        (
            "ESEARCH",
            "a2 UID SEARCH RETURN (COUNT) UNSEEN\r\n",
            "* ESEARCH (TAG \"a2\") UID COUNT 7\r\na2 OK\r\n",
            "7\n",
        ),
        (
            "",
            "a2 UID SEARCH UNSEEN\r\n",
            "* SEARCH 1 3\r\na2 OK\r\n",
            "2\n",
        ),
        (
            "",
            "a2 UID SEARCH UNSEEN\r\n",
            "* SEARCH\r\na2 OK\r\n",
            "0\n",
        ),
    ] {
        let steps = [
            ("", "a1 EXAMINE INBOX\r\n"),
            ("a1 OK\r\n", command),
            (said, "a3 LOGOUT\r\n"),
            (EOF, ""),
        ];
        assert_eq!(preauth(&of, can, &steps), (count.to_owned(), vec![]));
    }
}

#[test]
fn a_search_in_one_word_goes_as_the_protocol_has_it() {
    let of = Errand::Search {
        mailbox: "INBOX".into(),
        keys: vec!["OR (UNSEEN) SUBJECT \"a \\\"b\" FROM \"é x\" KEYWORD $a".into()],
    };
    let steps = [
        ("", "a1 EXAMINE INBOX\r\n"),
        (
            "a1 OK\r\n",
            "a2 UID SEARCH CHARSET UTF-8 OR (UNSEEN) SUBJECT \"a \\\"b\" FROM {4+}\r\né x KEYWORD $a\r\n",
        ),
        ("* SEARCH 3\r\na2 OK\r\n", "a3 LOGOUT\r\n"),
        (EOF, ""),
    ];
    assert_eq!(preauth(&of, "LITERAL+", &steps), ("3\n".into(), vec![]));
}

#[test]
fn a_server_tells_what_it_is_to_who_does_not_log_in() {
    let asked = ["CAPABILITY", "ID", "NAMESPACE", "QUOTA"].map(Stage::Ask);
    let of = Errand::Stages([&asked[..], &[Stage::TellServer]].concat());
    let nobody = Plan {
        user: String::new(),
        ..alice()
    };
    let steps = [
        (
            "* OK [CAPABILITY ID NAMESPACE QUOTA] hi\r\n",
            "a1 CAPABILITY\r\n",
        ),
        (
            "* CAPABILITY ID NAMESPACE QUOTA X\r\na1 OK\r\n",
            "a2 ID NIL\r\n",
        ),
        (
            "* ID (\"name\" \"Odd\" \"os\" NIL)\r\na2 OK\r\n",
            "a3 NAMESPACE\r\n",
        ),
        (
            "* NAMESPACE ((\"\" \"/\")) NIL ((\"#s/\" \"/\"))\r\na3 OK\r\n",
            "a4 GETQUOTAROOT INBOX\r\n",
        ),
        (
            "* QUOTA \"\" (STORAGE 10 512)\r\na4 NO not you\r\n",
            "a5 LOGOUT\r\n",
        ),
        (EOF, ""),
    ];
    let (written, failures) = play(&nobody, &of, &steps);
    assert!(failures.is_empty(), "{failures:?}");
    assert_eq!(
        written,
        "greeting: hi\nid: name Odd\nid: os \ncapability: ID\ncapability: NAMESPACE\ncapability: QUOTA\ncapability: X\n\
         namespace: personal \"\" \"/\"\nnamespace: shared \"#s/\" \"/\"\nquota: STORAGE 10 of 512 (\"\")\n"
    );
}

#[test]
fn lists_are_json_too() {
    let steps = [
        IN,
        (
            "* 1 EXISTS\r\na1 OK\r\n",
            "a2 FETCH 1:* (UID FLAGS INTERNALDATE RFC822.SIZE ENVELOPE)\r\n",
        ),
        (
            "* 1 FETCH (UID 7 FLAGS (\\Seen) INTERNALDATE \"x\" RFC822.SIZE 3 ENVELOPE (NIL \"a\\\"\" NIL NIL NIL NIL NIL NIL NIL NIL))\r\na2 OK\r\n",
            "a3 LOGOUT\r\n",
        ),
        (EOF, ""),
    ];
    let steps = [&[(steps[0].0, "a1 EXAMINE INBOX\r\n")], &steps[1..]].concat();
    let mut written = Vec::new();
    all_cuts(&steps, |drive| {
        written.clear();
        let mut client =
            Client::new(alice(), Errand::List("INBOX".into()), &mut written).writing(Form::Json);
        drive(&mut client);
        assert!(client.into_failures().is_empty());
    });
    assert_eq!(
        String::from_utf8_lossy(&written),
        "[{\"uid\":7,\"flags\":[\"\\\\Seen\"],\"date\":\"x\",\"octets\":3,\"sender\":\"\",\"subject\":\"a\\\"\"}]\n"
    );
}

/// What is known of messages before any is fetched: those that the sink lacks are, the flags of the others it is told.
#[test]
fn a_backup_is_told_all_flags_and_fetches_what_is_lacking() {
    #[derive(Default)]
    struct Keeps(Vec<String>);
    impl std::io::Write for Keeps {
        fn write(&mut self, octets: &[u8]) -> std::io::Result<usize> {
            self.0.push(String::from_utf8_lossy(octets).into_owned());
            Ok(octets.len())
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    impl Sink for Keeps {
        fn opened(
            &mut self,
            place: &Place<'_>,
            there: &BTreeMap<u32, Marks>,
        ) -> std::io::Result<BTreeSet<u32>> {
            let Place {
                mailbox,
                validity,
                messages,
                ..
            } = place;
            let marks: Vec<_> = there
                .iter()
                .map(|(uid, marks)| (*uid, *marks == Marks::SEEN))
                .collect();
            self.0
                .push(format!("{mailbox} {validity} {messages} {marks:?}"));
            Ok(there.keys().copied().filter(|uid| *uid != 7).collect())
        }
    }
    let steps = [
        (
            "* PREAUTH [CAPABILITY IMAP4rev1] in\r\n",
            "a1 LIST \"\" \"*\"\r\n",
        ),
        (
            "* LIST () \"/\" INBOX\r\n* LIST () \"/\" Empty\r\na1 OK\r\n",
            "a2 EXAMINE INBOX\r\n",
        ),
        (
            "* 2 EXISTS\r\n* OK [UIDVALIDITY 5] x\r\na2 OK\r\n",
            "a3 FETCH 1:* (UID FLAGS)\r\n",
        ),
        (
            "* 1 FETCH (FLAGS (\\seen work) UID 7)\r\n* 1 FETCH (FLAGS ())\r\n* 2 FETCH (UID 9 FLAGS ())\r\na3 OK\r\n",
            "a4 UID FETCH 9 (UID FLAGS INTERNALDATE BODY.PEEK[])\r\n",
        ),
        (
            "* 2 FETCH (UID 9 FLAGS () BODY[] {1}\r\nx)\r\na4 OK\r\n",
            "a5 EXAMINE Empty\r\n",
        ),
        ("* 0 EXISTS\r\na5 OK\r\n", "a6 LOGOUT\r\n"),
        (EOF, ""),
    ];
    all_cuts(&steps, |drive| {
        let mut sink = Keeps::default();
        let errand = Errand::Stages(vec![Stage::Backup(Vec::new())]);
        let mut client = Client::new(alice(), errand, &mut sink);
        drive(&mut client);
        assert!(client.into_failures().is_empty());
        sink.0.retain(|said| !said.is_empty());
        assert_eq!(
            sink.0,
            ["INBOX 5 2 [(7, true), (9, false)]", "x", "Empty 0 0 []"]
        );
    });
}
