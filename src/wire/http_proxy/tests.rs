use proptest::prelude::*;

use super::*;

/// The head in `octets` when they come in two pieces, and how many octets it took.
fn gathered(octets: &[u8], cut: usize) -> Result<Option<(Vec<u8>, usize)>, HeadError> {
    let mut reader = HeadReader::default();
    let (first, second) = octets.split_at(cut);
    if let Some(used) = reader.take(first)? {
        return Ok(Some((reader.head().to_vec(), used)));
    }
    let used = reader.take(second)?;
    Ok(used.map(|used| (reader.head().to_vec(), first.len() + used)))
}

#[test]
fn a_head_ends_with_its_empty_line_wherever_it_is_cut() {
    for (octets, head) in [
        ("HTTP/1.1 200 OK\r\n\r\n220 mail", "HTTP/1.1 200 OK\r\n\r\n"),
        ("HTTP/1.1 200 OK\n\n\n220 mail", "HTTP/1.1 200 OK\n\n"),
        (
            "\r\n\n\r\nHTTP/1.0 200\r\nA: b\r\n\n\r\n",
            "HTTP/1.0 200\r\nA: b\r\n\n",
        ),
    ] {
        let end = octets.find(head).unwrap() + head.len();
        for cut in 0..=octets.len() {
            let expected = Ok(Some((head.as_bytes().to_vec(), end)));
            assert_eq!(
                gathered(octets.as_bytes(), cut),
                expected,
                "{octets:?} cut at {cut}"
            );
        }
        for cut in 0..end {
            assert_eq!(gathered(&octets.as_bytes()[..cut], cut), Ok(None));
        }
    }
}

#[test]
fn a_head_without_end_is_too_long() {
    for unit in ["a", "\n", "\r\n", "a: b\r\n"] {
        let mut reader = HeadReader::default();
        let mut given = 0;
        while reader.take(unit.as_bytes()).is_ok() {
            given += unit.len();
            assert!(given <= limits::PROXY_HEAD, "{unit:?}");
        }
        assert!(given > limits::PROXY_HEAD - unit.len(), "{unit:?}: {given}");
    }
}

#[test]
fn odd_fields_are_survived_in_a_response_and_refused_in_a_request() {
    let fields = " folded into nothing\r\nA : 1\r\nno colon\r\n: no name\r\nB b: 2\r\nC:\r\n 3\r\n\t4\r\nD: 5\n";
    let response = ResponseHead::parse(format!("HTTP/1.1 200\r\n{fields}\r\n").as_bytes()).unwrap();
    let read: Vec<_> = response.fields.iter().collect();
    assert_eq!(read, [("A", &b"1"[..]), ("C", b" 3 4"), ("D", b"5")]);
    for line in fields.split_inclusive("\r\n").take(5) {
        let head = format!("GET / HTTP/1.1\r\n{line}\r\n");
        assert_eq!(
            RequestHead::parse(head.as_bytes()),
            Err(HeadError::Field),
            "{line:?}"
        );
    }
    let folded = RequestHead::parse(b"GET / HTTP/1.1\r\nA: 1,\r\n  2\r\n\r\n").unwrap();
    assert_eq!(folded.fields.words("a").collect::<Vec<_>>(), [b"1", b"2"]);
    let smuggled = RequestHead::parse(b"GET / HTTP/1.1\r\nA: 1\rB: 2\r\n\r\n");
    assert_eq!(smuggled, Err(HeadError::Field));
}

#[test]
fn first_lines_that_are_none_are_refused() {
    for line in [
        "",
        "HTTP/1.1",
        "HTTP/2 200",
        "HTTP/1.1 20",
        "HTTP/1.1 2000",
        "HTTP/1.1 +20 OK",
        "220 mail.example.org ESMTP",
        "HTTP/1.1 099 no",
    ] {
        let head = format!("{line}\r\n\r\n");
        assert_eq!(
            ResponseHead::parse(head.as_bytes()),
            Err(HeadError::FirstLine),
            "{line:?}"
        );
    }
    for line in [
        "",
        "GET",
        "GET /",
        "GET  / HTTP/1.1",
        "GET / x HTTP/1.1",
        "G\u{e9}T / HTTP/1.1",
        "GET /\u{e9} HTTP/1.1",
        "GET / HTTP/2",
        "EHLO client.example",
    ] {
        let head = format!("{line}\r\n\r\n");
        assert_eq!(
            RequestHead::parse(head.as_bytes()),
            Err(HeadError::FirstLine),
            "{line:?}"
        );
    }
}

#[test]
fn a_proxy_that_keeps_the_connection_says_so() {
    for (head, keeps_open, length) in [
        ("HTTP/1.1 407 x\r\nContent-Length: 12", true, Some(12)),
        (
            "HTTP/1.1 407 x\r\nContent-Length: 12, 12\r\nContent-Length: 12",
            true,
            Some(12),
        ),
        (
            "HTTP/1.1 407 x\r\nContent-Length: 12\r\nContent-Length: 13",
            true,
            None,
        ),
        ("HTTP/1.1 407 x\r\nContent-Length: +1", true, None),
        (
            "HTTP/1.1 407 x\r\nContent-Length: 1\r\nTransfer-Encoding: chunked",
            true,
            None,
        ),
        ("HTTP/1.1 407 x", true, None),
        ("HTTP/1.1 407 x\r\nConnection: foo, Close", false, None),
        ("HTTP/1.1 407 x\r\nProxy-Connection: close", false, None),
        ("HTTP/1.0 407 x\r\nContent-Length: 0", false, Some(0)),
        (
            "HTTP/1.0 407 x\r\nProxy-Connection: Keep-Alive\r\nContent-Length: 0",
            true,
            Some(0),
        ),
        ("HTTP/1.1 103 Early", true, Some(0)),
    ] {
        let read = ResponseHead::parse(format!("{head}\r\n\r\n").as_bytes()).unwrap();
        assert_eq!(
            (read.keeps_open(), read.body_length()),
            (keeps_open, length),
            "{head}"
        );
    }
}

#[test]
fn what_was_meant_for_the_proxy_stays_with_it() {
    let head = "POST http://www.example.org:8080/a?b#c HTTP/1.1\r\nHost: elsewhere.example\r\nProxy-Authorization: Basic x\r\n\
                Proxy-Connection: keep-alive\r\nConnection: X-Mine, Content-Length, keep-alive\r\nKeep-Alive: 5\r\nX-Mine: 1\r\n\
                X-Yours: 2\r\nContent-Length: 3\r\nTE: trailers\r\nUpgrade: h2c\r\n\r\n";
    let head = RequestHead::parse(head.as_bytes()).unwrap();
    let (destination, target) = head.absolute().unwrap();
    assert_eq!(
        String::from_utf8(head.forwarded(&destination, &target)).unwrap(),
        "POST /a?b HTTP/1.1\r\nHost: www.example.org:8080\r\nX-Yours: 2\r\nContent-Length: 3\r\nVia: 1.1 mailtool\r\n\
         Connection: close\r\n\r\n"
    );
}

#[test]
fn absolute_targets_name_a_server() {
    let absolute = |target: &str| {
        let head = RequestHead::parse(format!("GET {target} HTTP/1.0\r\n\r\n").as_bytes()).unwrap();
        head.absolute()
            .map(|(destination, target)| format!("{destination} {target}"))
    };
    for (target, expected) in [
        ("http://a", Some("a:80 /")),
        ("HTTP://a:/", Some("a:80 /")),
        (
            "http://a:81/b//c?d=http://e/",
            Some("a:81 /b//c?d=http://e/"),
        ),
        ("http://[::1]/", Some("[::1]:80 /")),
        ("http://[::1]:8080", Some("[::1]:8080 /")),
        ("http://a#b", Some("a:80 /")),
        ("http://192.0.2.1/", Some("192.0.2.1:80 /")),
        ("/", None),
        ("https://a/", None),
        ("http:///b", None),
        ("http://user@a/", None),
        ("http://::1/", None),
        ("http://a:99999/", None),
        ("http://a:b/", None),
    ] {
        assert_eq!(absolute(target).as_deref(), expected, "{target}");
    }
}

proptest! {
    #[test]
    fn nothing_panics(octets in proptest::collection::vec(any::<u8>(), 0..300), text in "[ -~\t\r\n]{0,300}") {
        for octets in [&octets[..], text.as_bytes()] {
            let _ = ResponseHead::parse(octets);
            let _ = RequestHead::parse(octets).map(|head| head.absolute());
            let _ = challenges(octets);
        }
        let first = format!("HTTP/1.1 407 x\r\n{text}\r\n\r\n");
        let head = ResponseHead::parse(first.as_bytes());
        prop_assert!(head.is_ok());
    }
}
