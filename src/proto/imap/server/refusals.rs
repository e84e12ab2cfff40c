//! Every NO and BAD says for programs which kind of rule was broken (RFC 5530), and for people what would be right.

use super::tests::Wire;

/// What is said, and of the answer: its code, and a piece of its text.
type Row = (&'static str, &'static str, &'static str);

/// Before anybody has logged in.
const STRANGERS: &[Row] = &[
    // Tags
    (
        "noop",
        "* BAD [CLIENTBUG]",
        "each command begins with a tag",
    ),
    ("select inbox", "* BAD [CLIENTBUG]", "a1 SELECT INBOX"),
    ("a", "* BAD [CLIENTBUG]", "a command has to follow"),
    (
        "(a) noop",
        "* BAD [CLIENTBUG]",
        "each command begins with a tag",
    ),
    // Commands
    (
        "a frob",
        "a BAD [CLIENTBUG]",
        "there is no command frob; there are",
    ),
    ("a capability now", "a BAD [CLIENTBUG]", "should end here"),
    // Not now
    (
        "a select inbox",
        "a BAD [CLIENTBUG]",
        "log in first: a1 LOGIN",
    ),
    ("a fetch 1 flags", "a BAD [CLIENTBUG]", "log in first"),
    ("a append inbox {5}", "a BAD [CLIENTBUG]", "log in first"),
    ("a unauthenticate", "a BAD [CLIENTBUG]", "log in first"),
    (
        "a getmetadata \"\" /shared/comment",
        "a BAD [CLIENTBUG]",
        "log in first",
    ),
    ("a myrights inbox", "a BAD [CLIENTBUG]", "log in first"),
    // Logging in
    (
        "a login alice",
        "a BAD [CLIENTBUG]",
        "something is missing at the end. Example: a1 LOGIN",
    ),
    (
        "a login alice two words",
        "a BAD [CLIENTBUG]",
        "double quotes",
    ),
    (
        "a login \"alice secret",
        "a BAD [CLIENTBUG]",
        "no closing double quote",
    ),
    (
        "a login alice wrong",
        "a NO [AUTHENTICATIONFAILED]",
        "the name or the password is wrong",
    ),
    ("a authenticate frob", "a NO [CANNOT]", "there are"),
    ("a authenticate plain =", "a BAD [CLIENTBUG]", ""),
    ("a starttls", "a NO [CANNOT]", "no certificate"),
];

/// After the login.
const LOGGED_IN: &[Row] = &[
    (
        "a login alice secret",
        "a BAD [CLIENTBUG]",
        "logged in already; to be somebody else: a1 UNAUTHENTICATE",
    ),
    (
        "a check",
        "a BAD [CLIENTBUG]",
        "select a mailbox first: a1 SELECT INBOX",
    ),
    (
        "a store 1 +flags \\seen",
        "a BAD [CLIENTBUG]",
        "select a mailbox first",
    ),
    (
        "a replace 1 inbox {5}",
        "a BAD [CLIENTBUG]",
        "select a mailbox first",
    ),
    (
        "a select nowhere",
        "a NO [NONEXISTENT]",
        "there is no mailbox nowhere; LIST",
    ),
    ("a select my box", "a BAD [CLIENTBUG]", "double quotes"),
    ("a select", "a BAD [CLIENTBUG]", "Example: a1 SELECT INBOX"),
    (
        "a status inbox messages",
        "a BAD [CLIENTBUG]",
        "expected \"(\"",
    ),
    (
        "a status inbox (frob)",
        "a BAD [CLIENTBUG]",
        "there is no item frob; there are MESSAGES",
    ),
    ("a create inbox", "a NO [ALREADYEXISTS]", "already"),
    ("a delete inbox", "a NO [CANNOT]", "INBOX cannot be deleted"),
    ("a delete nowhere", "a NO [NONEXISTENT]", "nowhere"),
    ("a rename nowhere there", "a NO [NONEXISTENT]", "nowhere"),
    ("a rename inbox inbox", "a NO [ALREADYEXISTS]", "already"),
    (
        "a append nowhere {5+}\r\nx: y\n",
        "a NO [TRYCREATE]",
        "CREATE it first",
    ),
    (
        "a append inbox (\\frob) {5+}\r\nx: y\n",
        "a BAD [CLIENTBUG]",
        "there is no flag \\frob; there are",
    ),
    (
        "a append inbox (\\recent) {5+}\r\nx: y\n",
        "a NO [CANNOT]",
        "server's own",
    ),
    (
        "a append inbox {0+}\r\n",
        "a NO [CANNOT]",
        "nothing is stored",
    ),
    (
        "a append inbox {99999999999}",
        "a NO [TOOBIG]",
        "octets at most",
    ),
    (
        "a append inbox \"yesterday\" {5}",
        "a BAD [CLIENTBUG]",
        "a date is written",
    ),
    ("a setquota \"\" (storage 1)", "a NO [NOPERM]", "--quota"),
    ("a getquota other", "a NO [NONEXISTENT]", "a1 GETQUOTA \"\""),
    (
        "a setacl inbox nobody lr",
        "a NO [NONEXISTENT]",
        "no user of this name",
    ),
    (
        "a setacl inbox anyone lq",
        "a BAD [CLIENTBUG]",
        "there is no right \"q\"; there are",
    ),
    (
        "a setmetadata inbox (/note \"x\")",
        "a BAD [CLIENTBUG]",
        "/private/",
    ),
    (
        "a setmetadata \"\" (/shared/admin \"x\")",
        "a NO [CANNOT]",
        "postmaster",
    ),
    ("a enable", "a BAD [CLIENTBUG]", "Example: a1 ENABLE"),
    (
        "a list (frob) \"\" *",
        "a BAD [CLIENTBUG]",
        "there is no selection option frob",
    ),
    (
        "a list \"\" * return (frob)",
        "a BAD [CLIENTBUG]",
        "there is no return option frob",
    ),
    (
        "a select inbox (qresync (1 1))",
        "a BAD [CLIENTBUG]",
        "a1 ENABLE QRESYNC",
    ),
    ("a login {200000}", "a NO [", ""),
];

/// In a mailbox of one message.
const SELECTED: &[Row] = &[
    (
        "a fetch 7 flags",
        "a BAD [CLIENTBUG]",
        "there is only message 1",
    ),
    ("a fetch 0 flags", "a BAD [CLIENTBUG]", "counted from 1"),
    ("a fetch 1 frob", "a BAD [CLIENTBUG]", "Example: a1 FETCH"),
    ("a fetch 1 flags uid", "a BAD [CLIENTBUG]", "parentheses"),
    ("a uid noop", "a BAD [CLIENTBUG]", "UID"),
    ("a store 1 \\seen", "a BAD [CLIENTBUG]", "FLAGS"),
    ("a store 1 +flags \\recent", "a NO [CANNOT]", "server's own"),
    ("a copy 1 nowhere", "a NO [TRYCREATE]", "CREATE it first"),
    (
        "a search charset klingon subject x",
        "a NO [BADCHARSET",
        "UTF-8",
    ),
    (
        "a search frob",
        "a BAD [CLIENTBUG]",
        "there is no search key",
    ),
    (
        "a search since yesterday",
        "a BAD [CLIENTBUG]",
        "1-Feb-1994",
    ),
    ("a sort (frob) utf-8 all", "a BAD [CLIENTBUG]", ""),
    ("a thread frob utf-8 all", "a BAD [CLIENTBUG]", ""),
    ("a enable imap4rev2", "a BAD [CLIENTBUG]", "a1 UNSELECT"),
    (
        "a replace 7 inbox {5+}\r\nx: y\n",
        "a BAD [CLIENTBUG]",
        "there is only message 1",
    ),
    ("a idle\r\nfrob", "a BAD [CLIENTBUG]", "only DONE"),
];

/// What was opened by EXAMINE.
const READ_ONLY: &[Row] = &[
    (
        "a store 1 +flags \\seen",
        "a NO [CANNOT]",
        "SELECT it to change it",
    ),
    ("a expunge", "a NO [CANNOT]", "EXAMINE"),
    ("a move 1 inbox", "a NO [CANNOT]", "EXAMINE"),
    (
        "a replace 1 inbox {5+}\r\nx: y\n",
        "a NO [CANNOT]",
        "EXAMINE",
    ),
];

fn play(before: &[&str], rows: &[Row]) {
    let mut wrong = Vec::new();
    for (said, reply, text) in rows {
        let mut wire = Wire::new();
        for line in before {
            wire.send(format!("{line}\r\n").as_bytes());
        }
        wire.take();
        wire.send(format!("{said}\r\n").as_bytes());
        let heard = wire.take();
        let found = heard.lines().find(|line| refuses(line));
        let found = found.unwrap_or_else(|| panic!("{said:?} was taken: {heard}"));
        // What is too large for a command may be refused as either.
        let is_right =
            found.starts_with(reply) || (*reply == "a NO [" && found.contains("[TOOBIG]"));
        if !is_right || !found.contains(text) {
            wrong.push(format!("{said:?}: {found}"));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

fn refuses(line: &str) -> bool {
    let status = line.split(' ').nth(1);
    matches!(status, Some("NO" | "BAD"))
}

#[test]
fn every_refusal_has_its_code_and_says_what_would_be_right() {
    let (login, select) = ("x LOGIN alice secret", "y SELECT INBOX");
    let append = "z APPEND INBOX {6+}\r\nx: y\r\n";
    play(&[], STRANGERS);
    play(&[login], LOGGED_IN);
    play(&[login, append, select], SELECTED);
    play(&[login, append, "y EXAMINE INBOX"], READ_ONLY);
}

/// Names that lead nowhere, each with what is said of it.
#[test]
fn no_name_leads_out_of_the_users_directory() {
    let deep = vec!["a"; 1000].join("/");
    let deep = deep.as_str();
    let long = "a".repeat(300);
    let wide = "\u{e9}".repeat(200);
    for (name, text) in [
        ("..", "a dot"),
        ("../bob", "a dot"),
        ("a/../../bob", "a dot"),
        ("./a", "a dot"),
        (".", "a dot"),
        ("/etc/passwd", "begin or end"),
        ("//", "begin or end"),
        ("a/", "begin or end"),
        ("a//b", "two `/`"),
        ("~bob", "`~`"),
        ("~/x", "`~`"),
        (deep, "100 levels"),
        (&long, "too long"),
        (&wide, "too long"),
        ("", "empty"),
        ("shared/..", "shared"),
        ("shared/../bob", "shared"),
        ("shared/bob/../x", "shared"),
        ("shared/bob", "shared"),
    ] {
        for (command, after) in [
            ("CREATE", ""),
            ("DELETE", ""),
            ("SELECT", ""),
            ("RENAME INBOX", ""),
            ("STATUS", " (MESSAGES)"),
        ] {
            let mut wire = Wire::new();
            wire.send(b"x LOGIN alice secret\r\ny SELECT INBOX\r\n");
            let before = wire.tree();
            wire.take();
            let line = format!("a {command} {{{}+}}\r\n{name}{after}\r\n", name.len());
            wire.send(line.as_bytes());
            let said = wire.take();
            // CREATE takes a separator at the end as a hint (RFC 3501 §6.3.3).
            if (name, command) == ("a/", "CREATE") {
                assert!(said.contains("a OK ["), "{said}");
                continue;
            }
            let found = said.lines().find(|line| line.starts_with("a "));
            let found = found.unwrap_or_else(|| panic!("{command} {name:?}: {said}"));
            let is_said = found.starts_with("a NO [CANNOT]") && found.contains(text);
            let there_is_none =
                found.starts_with("a NO [NONEXISTENT]") && name.starts_with("shared/");
            assert!(is_said || there_is_none, "{command} {name:?}: {found}");
            assert_eq!(wire.tree(), before, "{command} {name:?}");
        }
    }
    const BAD: &str = "a BAD [CLIENTBUG]";
    for (line, status, text) in [
        (&b"a CREATE \"a\0b\"\r\n"[..], BAD, "NUL"),
        (b"a CREATE \"a\tb\"\r\n", BAD, "control characters"),
        (b"a CREATE {3+}\r\na\0b\r\n", BAD, "NUL"),
        (b"a CREATE \"\xff\"\r\n", BAD, "UTF-8"),
        (b"a CREATE a&b\r\n", "a NO [CANNOT]", "&-"),
    ] {
        let mut wire = Wire::new();
        wire.send(b"x LOGIN alice secret\r\n");
        wire.take();
        wire.send(line);
        let said = wire.take();
        assert!(said.starts_with(status) && said.contains(text), "{said}");
    }
}

/// As a person types: LF, any case, quoted or not.
#[test]
fn what_is_typed_is_understood() {
    let mut wire = Wire::new();
    wire.send(b"a login \"alice\" secret\n");
    for (line, said) in [
        ("a create \"my box\"\n", "a OK [MAILBOXID"),
        ("a create \u{c9}t\u{e9}\n", "a OK [MAILBOXID"),
        (
            "a list \"\" \u{c9}*\n",
            "* LIST (\\HasNoChildren) \"/\" &AMk-t&AOk-\r\na OK",
        ),
        ("a select \"inbox\"\n", "a OK [READ-WRITE]"),
        ("a   select   iNbOx  \n", "a OK [READ-WRITE]"),
        (
            "a status \"&AMk-t&AOk-\" (messages)\n",
            "* STATUS &AMk-t&AOk- (MESSAGES 0)\r\na OK",
        ),
        ("a uid search text \"x\"\n", "* SEARCH\r\na OK"),
        ("a setacl {6}\n", "+ "),
        ("my box anyone \"lr\"\n", "a OK"),
        ("a myrights \"MY BOX\"\n", "a NO [NONEXISTENT]"),
        (
            "a getmetadata inbox /PRIVATE/comment\n",
            "* METADATA inbox (/private/comment NIL)\r\na OK",
        ),
    ] {
        wire.take();
        wire.send(line.as_bytes());
        let heard = wire.take();
        assert!(heard.contains(said), "{line:?}: {heard}");
    }
}
