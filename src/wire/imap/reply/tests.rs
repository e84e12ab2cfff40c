//! What servers send, well formed and not.

use super::*;

fn items(response: &[u8]) -> Vec<(&[u8], Value<'_>)> {
    match Reply::parse(response) {
        Some(Reply::Data(Data::Fetch(_, items))) => items,
        other => panic!("{other:?}"),
    }
}

#[test]
fn responses_of_extensions_are_read_or_passed_over() {
    for said in [
        "* ESEARCH (TAG \"a1\") UID MIN 7 ALL 3,1:2 COUNT 4 PARTIAL (1:2 NIL) MODSEQ 5",
        "* ESEARCH (TAG \"a1\")",
        "* SORT 3 1 2",
        "* THREAD (2)(3 6 (4 23)(44 7 96))",
        "* THREAD",
        "* ENABLED IMAP4rev2 UTF8=ACCEPT",
        "* QUOTAROOT INBOX \"\"",
        "* QUOTA \"\" (STORAGE 10 512)",
        "* VANISHED (EARLIER) 41,43:116",
        "* LIST (\\NonExistent) \"/\" \"Été\" (\"CHILDINFO\" (\"SUBSCRIBED\"))",
        "* STATUS \"Été\" (MESSAGES 3 SIZE 12 MAILBOXID (F1))",
        "* 1 FETCH (BINARY[2] ~{3}\r\na\0b BINARY.SIZE[2] 3)",
        "* 1 FETCH (BINARY[1]<2> {2}\r\nab)",
    ] {
        assert!(Reply::parse(said.as_bytes()).is_some(), "{said}");
    }
}

#[test]
fn conditions_with_and_without_codes() {
    let Some(Reply::Untagged(bye)) = Reply::parse(b"* bye") else {
        panic!("a condition needs no text");
    };
    assert_eq!((bye.status, bye.text), (Status::Bye, &b""[..]));
    let Some(Reply::Untagged(ok)) = Reply::parse(b"* OK [CAPABILITY IMAP4rev1 SASL-IR] hi") else {
        panic!("a greeting");
    };
    assert!(ok.has_code("capability"));
    assert_eq!(
        ok.code,
        Some((&b"CAPABILITY"[..], &b"IMAP4rev1 SASL-IR"[..]))
    );
    assert_eq!(ok.text, b"hi");
    let Some(Reply::Tagged(_, open)) = Reply::parse(b"a NO [half") else {
        panic!("a bracket may be text");
    };
    assert_eq!((open.code, open.text), (None, &b"[half"[..]));
    assert_eq!(Reply::parse(b"+ ready"), Some(Reply::Continue(b"ready")));
    assert_eq!(Reply::parse(b"+"), Some(Reply::Continue(b"")));
}

#[test]
fn names_and_values_of_fetch() {
    let response = b"* 12 FETCH (UID 7 FLAGS (\\Seen $Done) RFC822.SIZE 320 BODY[HEADER.FIELDS (FROM \"TO\")]<0> \
        {5}\r\na)\r\nb X-A \"q\\\"\\\\\" X-B NIL)";
    let items = items(response);
    let names: Vec<_> = items.iter().map(|(name, _)| *name).collect();
    assert_eq!(
        names,
        [
            &b"UID"[..],
            b"FLAGS",
            b"RFC822.SIZE",
            b"BODY[HEADER.FIELDS (FROM \"TO\")]<0>",
            b"X-A",
            b"X-B"
        ]
    );
    assert_eq!(items[0].1.number(), Some(7));
    assert_eq!(items[1].1.list()[1], Value::Atom(b"$Done"));
    assert_eq!(items[3].1.octets(), Some(&b"a)\r\nb"[..]));
    assert_eq!(items[4].1.octets(), Some(&b"q\"\\"[..]));
    assert_eq!(items[5].1, Value::Nil);
}

#[test]
fn envelopes() {
    let response = b"* 1 FETCH (ENVELOPE (\"date\" {5}\r\nhello ((\"A B\" NIL \"ab\" \"x.org\")) NIL NIL NIL NIL NIL NIL \"<id>\"))";
    let items = items(response);
    let expected = Envelope {
        subject: b"hello",
        name: b"A B",
        mailbox: b"ab",
        host: b"x.org",
    };
    assert_eq!(items[0].1.envelope(), expected);
    assert_eq!(Value::Nil.envelope(), Envelope::default());
}

#[test]
fn mailboxes_and_figures() {
    let list = Reply::parse(b"* LIST (\\HasChildren \\Noselect) \"/\" \"a \\\"b\"");
    let Some(Reply::Data(Data::List {
        attributes,
        delimiter,
        name,
    })) = list
    else {
        panic!("{list:?}");
    };
    assert_eq!(attributes, [&b"\\HasChildren"[..], b"\\Noselect"]);
    assert_eq!((delimiter, &*name), (Some(b'/'), &b"a \"b"[..]));
    let flat = Reply::parse(b"* LIST () NIL {3}\r\nnil");
    assert!(matches!(
        flat,
        Some(Reply::Data(Data::List {
            delimiter: None,
            ..
        }))
    ));
    assert_eq!(
        Reply::parse(b"* STATUS INBOX (MESSAGES 2 UIDNEXT 44)"),
        Some(Reply::Data(Data::Status(vec![
            (b"MESSAGES", 2),
            (b"UIDNEXT", 44)
        ])))
    );
    assert_eq!(
        Reply::parse(b"* SEARCH 2 84 882 (MODSEQ 917162500)"),
        Some(Reply::Data(Data::Search(vec![2, 84, 882])))
    );
    assert_eq!(
        Reply::parse(b"* SEARCH"),
        Some(Reply::Data(Data::Search(vec![])))
    );
}

#[test]
fn strange_bytes_are_refused_and_never_panic() {
    let deep = [b"* 1 FETCH (X ".as_slice(), &[b'('; 10_000]].concat();
    for response in [
        &b""[..],
        b"*",
        b"* ",
        b"a",
        b" OK",
        b"* 1",
        b"* 1 FETCH",
        b"* 1 FETCH (UID",
        b"* 1 FETCH (BODY[ 1)",
        b"* 1 FETCH (A {99999999999999999999}\r\nx)",
        b"* 1 FETCH (A {9}\r\nx)",
        b"* 1 FETCH (A {9}x",
        b"* 1 FETCH (A \"x\\",
        b"* LIST x",
        &deep,
    ] {
        assert_eq!(
            Reply::parse(response),
            None,
            "{:?}",
            response.escape_ascii()
        );
    }
    assert_eq!(
        Reply::parse(b"* X-NEWS \"\\"),
        Some(Reply::Data(Data::Other))
    );
    assert_eq!(
        Reply::parse(b"* 4294967296 EXISTS"),
        Some(Reply::Data(Data::Other))
    );
}

#[test]
fn literals_at_the_end() {
    assert_eq!(literal(b"x {0}"), Some(0));
    assert_eq!(literal(b"x ~{12}"), Some(12));
    assert_eq!(literal(b"x {1"), None);
    assert_eq!(literal(b"x {}"), None);
    assert_eq!(literal(b"x {-1}"), None);
    assert!(may_hold_literals(b"* LIST () NIL {3}"));
    assert!(!may_hold_literals(b"* OK {3}") && !may_hold_literals(b"a OK {3}"));
    assert!(literal_is_body(b"* 1 FETCH (body[HEADER.FIELDS (A)] ~{3}"));
    assert!(!literal_is_body(b"* LIST () \"/\" {3}"));
    assert!(!literal_is_body(b"* 1 FETCH (NOBODY] {3}"));
}
