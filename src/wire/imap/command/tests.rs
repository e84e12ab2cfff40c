//! Commands as clients and people write them.

use super::*;
use crate::wire::imap::scan::{Literal, LiteralKind};
use proptest::prelude::*;

fn command(line: &[u8]) -> Result<Parsed<'_>, String> {
    let (_, scanner) = scan_tag(line).map_err(|problem| problem.0.into_owned())?;
    parse(scanner).map_err(|stop| match stop {
        Stop::Problem(problem) => problem.0.into_owned(),
        Stop::Literal(literal) => format!("{literal:?}"),
    })
}

#[test]
fn every_example_parses() {
    for Syntax { name, example } in COMMANDS {
        let line = format!("a1 {example}");
        assert!(command(line.as_bytes()).is_ok(), "{line}");
        assert!(example.starts_with(name));
        let lower = line.replace("alice password", "\"alice\" {8}\r\npassword");
        assert!(
            command(lower.to_ascii_lowercase().as_bytes()).is_ok(),
            "{lower}"
        );
    }
}

#[test]
fn a_tag_is_explained() {
    for (line, said) in [
        ("", "a1 CAPABILITY"),
        ("LOGIN alice secret", "a1 LOGIN alice password"),
        ("noop", "a1 NOOP"),
        ("a1", "a command has to follow"),
        ("+ x", "each command begins with a tag"),
        ("(", "each command begins with a tag"),
    ] {
        let problem = command(line.as_bytes()).unwrap_err();
        assert!(problem.contains(said), "{line}: {problem}");
        assert!(!problem.contains("secret"));
    }
    assert!(command(b"noop noop").is_ok());
}

#[test]
fn mistakes_come_with_an_example() {
    for (line, said) in [
        (
            "a1 FETCH 1",
            "something is missing at the end. Example: a1 FETCH 1:*",
        ),
        ("a1 FETCH x FLAGS", "expected message numbers"),
        ("a1 LOGIN alice", "something is missing"),
        ("a1 LOGIN alice pass word", "double quotes"),
        ("a1 CREATE R&D", "&-"),
        ("a1 FROB", "there is no command FROB"),
        ("a1 UID NOOP 1", "UID stands before"),
        ("a1 STORE 1 \\Seen", "FLAGS"),
        ("a1 APPEND INBOX message", "{octets}"),
        ("a1 NOOP now", "should end here"),
        ("a1 STATUS INBOX ()", "an item such as"),
    ] {
        let problem = command(line.as_bytes()).unwrap_err();
        assert!(problem.contains(said), "{line}: {problem}");
    }
}

#[test]
fn append_stops_at_its_message() {
    let line = b"a1 APPEND \"Sent\" (\\Seen $Done) \"17-Jul-1996 02:44:25 -0700\" {310+}\r\n";
    let Ok(Parsed::Append(append)) = command(line) else {
        panic!("no APPEND");
    };
    assert_eq!(append.mailbox, "Sent");
    assert_eq!(append.head.flags, ["\\Seen", "$Done"]);
    assert_eq!(append.head.received, Some(837_596_665));
    assert_eq!(
        append.head.message,
        Literal {
            octets: 310,
            kind: LiteralKind::NonSynchronizing
        }
    );
}

#[test]
fn names_of_mailboxes_are_decoded() {
    for (line, name) in [
        (&b"a1 CREATE &AMk-t&AOk-"[..], "Été"),
        ("a1 CREATE \"Été\"".as_bytes(), "Été"),
        (b"a1 CREATE {5}\r\na b c", "a b c"),
    ] {
        assert_eq!(
            command(line),
            Ok(Parsed::Command(Command::Create {
                mailbox: name.to_owned(),
                uses: Vec::new()
            }))
        );
    }
}

proptest! {
    #[test]
    fn anything_is_taken_or_refused(
        name in 0..COMMANDS.len(),
        bytes in proptest::collection::vec(prop_oneof![any::<u8>(), (b' '..=b'~')], 0..60),
    ) {
        let mut line = format!("a1 {} ", COMMANDS[name].name).into_bytes();
        line.extend_from_slice(&bytes);
        let _ = command(&line);
        let _ = command(&bytes);
    }
}
