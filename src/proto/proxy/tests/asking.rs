use super::*;

/// What a conversation came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Played {
    said: Vec<u8>,
    pub(super) result: Result<Heard, PreludeError>,
    /// Octets that were the proxy's, when it is done.
    used: usize,
}

/// Plays what a proxy says, piece by piece, up to the end or what ends it.
pub(super) fn play<'a>(
    prelude: &mut dyn Prelude,
    pieces: impl IntoIterator<Item = &'a [u8]>,
) -> Played {
    let mut said = Vec::new();
    prelude.begin(&mut said);
    let mut before = 0;
    for piece in pieces {
        let result = prelude.hear(piece, &mut said);
        let used = match result {
            Ok(Heard::More) => {
                before += piece.len();
                continue;
            }
            Ok(Heard::Done { used }) => before + used,
            Ok(Heard::Again) | Err(_) => 0,
        };
        return Played { said, result, used };
    }
    let result = Ok(Heard::More);
    Played {
        said,
        result,
        used: 0,
    }
}

/// The conversation is the same whole, octet by octet, and cut anywhere, and with the payload glued on or not; and it ends
/// just before the payload.
fn conversation(begin: impl Fn() -> Box<dyn Prelude>, answers: &[u8]) -> String {
    let glued = [answers, PAYLOAD].concat();
    let whole = play(&mut *begin(), [&*glued]);
    assert!(matches!(whole.result, Ok(Heard::Done { .. })), "{whole:?}");
    assert_eq!(whole.used, answers.len());
    let same = |played: Played, how: &str| {
        assert!(
            matches!(played.result, Ok(Heard::Done { .. })),
            "{how}: {played:?}"
        );
        assert_eq!(
            (&played.said, played.used),
            (&whole.said, whole.used),
            "{how}"
        );
    };
    same(play(&mut *begin(), [answers]), "without payload");
    same(play(&mut *begin(), answers.chunks(1)), "octet by octet");
    for cut in 0..answers.len() {
        let (first, second) = glued.split_at(cut);
        let half = play(&mut *begin(), [first]);
        assert_eq!(half.result, Ok(Heard::More), "only {cut} octets");
        same(
            play(&mut *begin(), [first, second]),
            &format!("cut at {cut}"),
        );
    }
    String::from_utf8_lossy(&whole.said).into_owned()
}

/// The words of a refusal, and nc's; the same wherever the answer is cut.
fn refusal(begin: impl Fn() -> Box<dyn Prelude>, answers: &[u8]) -> (String, String) {
    let words = |played: Played| {
        let error = played.result.expect_err("it is refused");
        (error.to_string(), error.netcat().to_owned())
    };
    let whole = words(play(&mut *begin(), [answers]));
    for cut in 0..answers.len() {
        let (first, second) = answers.split_at(cut);
        assert_eq!(
            words(play(&mut *begin(), [first, second])),
            whole,
            "cut at {cut}"
        );
    }
    whole
}

pub(super) fn socks4() -> Box<dyn Prelude> {
    Box::new(Socks4::new(destination(), "alice").expect("it can be asked for"))
}

pub(super) fn socks5(login: Option<Login>) -> Box<dyn Prelude> {
    Box::new(Socks5::new(destination(), login).expect("it can be asked for"))
}

pub(super) fn http(login: Option<Login>) -> Box<dyn Prelude> {
    Box::new(HttpConnect::new(destination(), login, [7; 16]).expect("it can be asked for"))
}

#[test]
fn socks_4_asks_by_address_or_by_name() {
    let granted = b"\0\x5a\0\0\0\0\0\0";
    let by_name = "\x04\x01\0\x19\0\0\0\x01alice\0mail.example.org\0";
    assert_eq!(conversation(socks4, granted), by_name);
    let by_address = || -> Box<dyn Prelude> {
        let destination = Destination::parse("127.0.0.1:25").unwrap();
        Box::new(Socks4::new(destination, "").unwrap())
    };
    assert_eq!(
        conversation(by_address, granted),
        "\x04\x01\0\x19\x7f\0\0\x01\0"
    );
}

#[test]
fn socks_4_cannot_ask_for_everything() {
    let six = Destination::parse("[::1]:25").unwrap();
    let error = Socks4::new(six, "").unwrap_err().to_string();
    assert!(error.contains("use SOCKS 5"), "{error}");
    let error = Socks4::new(destination(), "a\0b").unwrap_err().to_string();
    assert!(error.contains("NUL"), "{error}");
}

#[test]
fn socks_4_says_who_refused_what() {
    let (words, netcat) = refusal(socks4, b"\0\x5b\0\0\0\0\0\0");
    assert_eq!(
        words,
        "the SOCKS proxy rejected the request, or could not connect (SOCKS 4 does not say which): \
         mail.example.org:25 (code 91)"
    );
    assert_eq!(
        netcat,
        "connection failed, SOCKSv4 error: Request rejected or failed"
    );
    let (words, _) = refusal(socks4, b"\x05\xff");
    assert!(words.contains("try --proxy-type socks5"), "{words}");
    let (words, _) = refusal(socks4, b"HTTP/1.0 400 Bad Request\r\n\r\n");
    assert!(words.contains("try --proxy-type http"), "{words}");
}

#[test]
fn socks_5_logs_in_only_where_it_is_asked_to() {
    let request = "\x05\x01\0\x03\x10mail.example.org\0\x19";
    let answer = b"\x05\0\0\x01\x7f\0\0\x01\x9c\x40";
    let none = [&b"\x05\0"[..], answer].concat();
    assert_eq!(
        conversation(|| socks5(None), &none),
        format!("\x05\x01\0{request}")
    );
    assert_eq!(
        conversation(|| socks5(Some(login())), &none),
        format!("\x05\x02\0\x02{request}")
    );
    let asked = [&b"\x05\x02\x01\0"[..], answer].concat();
    assert_eq!(
        conversation(|| socks5(Some(login())), &asked),
        format!("\x05\x02\0\x02\x01\x05alice\x06secret{request}")
    );
}

#[test]
fn socks_5_takes_every_kind_of_address_in_a_reply() {
    for bound in [
        &b"\x01\x7f\0\0\x01"[..],
        b"\x03\x04gate",
        b"\x03\0",
        b"\x04\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x01",
    ] {
        let answers = [b"\x05\0\x05\0\0", bound, b"\0\x19"].concat();
        conversation(|| socks5(None), &answers);
    }
}

#[test]
fn socks_5_says_who_refused_what() {
    let (words, netcat) = refusal(|| socks5(None), b"\x05\0\x05\x05\0\x01\0\0\0\0\0\0");
    assert_eq!(
        words,
        "the SOCKS proxy was refused the connection: nobody listens at that port there: mail.example.org:25 (code 5)"
    );
    assert_eq!(
        netcat,
        "connection failed, SOCKSv5 error: Connection refused"
    );
    let (words, netcat) = refusal(|| socks5(None), b"\x05\xff");
    assert_eq!(
        words,
        "the proxy wants a user name and a password: give --proxy-auth USER:PASSWORD"
    );
    assert_eq!(netcat, "authentication method negotiation failed");
    let (words, _) = refusal(|| socks5(Some(login())), b"\x05\x02\x01\x01");
    assert_eq!(
        words,
        "the SOCKS proxy refuses this user name and password: check --proxy-auth"
    );
    let (words, _) = refusal(|| socks5(Some(login())), b"\x05\xff");
    assert!(words.contains("GSSAPI"), "{words}");
    let (words, _) = refusal(|| socks5(None), b"\x05\x01");
    assert!(words.contains("method 1"), "{words}");
    let (_, netcat) = refusal(|| socks5(None), b"\x05\0\x05\0\0\x07");
    assert_eq!(netcat, "connection failed, unsupported address type");
    let (words, _) = refusal(|| socks5(None), b"HTTP/1.0 400 Bad Request\r\n\r\n");
    assert!(words.contains("try --proxy-type http"), "{words}");
}

#[test]
fn logins_that_do_not_fit_are_refused_before_anything_is_said() {
    let long = |user: usize, password: usize| Login {
        user: "u".repeat(user),
        password: "p".repeat(password),
    };
    for (login, fits) in [
        (long(255, 255), true),
        (long(1, 0), true),
        (long(0, 1), false),
        (long(256, 1), false),
    ] {
        assert_eq!(Socks5::new(destination(), Some(login)).is_ok(), fits);
    }
    let login = Login {
        user: "a:b".to_owned(),
        password: String::new(),
    };
    assert!(HttpConnect::new(destination(), Some(login), [0; 16]).is_err());
    let odd = Destination {
        host: Host::Name("a\r\nX: y".to_owned()),
        port: 25,
    };
    assert!(HttpConnect::new(odd.clone(), None, [0; 16]).is_err());
    assert!(Socks5::new(odd.clone(), None).is_err());
    assert!(Socks4::new(odd, "").is_err());
}

#[test]
fn a_tunnel_begins_behind_the_empty_line() {
    for answer in [
        "HTTP/1.0 200 OK\r\n\r\n",
        "HTTP/1.1 200 Connection established\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n",
        "HTTP/1.1 204\n\n",
        "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 x\r\nLink: y\r\n\r\nHTTP/1.1 200 OK\r\n  folded\r\nodd\r\n\r\n",
    ] {
        assert_eq!(
            conversation(|| http(None), answer.as_bytes()),
            format!("{CONNECT}\r\n"),
            "{answer}"
        );
    }
}

#[test]
fn a_login_is_given_on_the_same_connection_where_it_stays_open() {
    let answers = "HTTP/1.1 407 Who?\r\nProxy-Authenticate: Basic realm=\"x\"\r\nConnection: keep-alive\r\nContent-Length: 5\r\n\r\nnever\
                   HTTP/1.1 200 OK\r\n\r\n";
    assert_eq!(
        conversation(|| http(Some(login())), answers.as_bytes()),
        format!("{CONNECT}\r\n{CONNECT}Proxy-Authorization: Basic YWxpY2U6c2VjcmV0\r\n\r\n")
    );
}

/// What it says when it dials anew after `first`.
fn again(first: &str) -> String {
    let mut machine = http(Some(login()));
    let played = play(&mut *machine, [first.as_bytes()]);
    assert_eq!(played.result, Ok(Heard::Again), "{first}");
    let mut said = Vec::new();
    machine.begin(&mut said);
    String::from_utf8(said).expect("ASCII")
}

#[test]
fn a_login_is_given_anew_where_the_connection_does_not_stay_open() {
    for field in [
        "Connection: close\r\nContent-Length: 0",
        "Content-Length: 0",
        "Transfer-Encoding: chunked",
        "Content-Length: 65537",
        "X: y",
    ] {
        let said = again(&format!(
            "HTTP/1.1 407 x\r\nProxy-Authenticate: Basic\r\n{field}\r\n\r\n"
        ));
        assert!(
            said.contains("\r\nProxy-Authorization: Basic YWxpY2U6c2VjcmV0\r\n"),
            "{said}"
        );
    }
}

#[test]
fn a_login_that_is_asked_for_answers_the_challenge_that_asked() {
    let mut machine = http(None);
    let wants = b"HTTP/1.0 407 x\r\nProxy-Authenticate: Basic realm=x\r\n\r\n";
    let refused = play(&mut *machine, [&wants[..]]).result.unwrap_err();
    assert!(refused.wants_login());
    machine.log_in("alice".into(), "secret".into()).unwrap();
    let mut said = Vec::new();
    machine.begin(&mut said);
    assert_eq!(
        String::from_utf8(said).unwrap(),
        format!("{CONNECT}Proxy-Authorization: Basic YWxpY2U6c2VjcmV0\r\n\r\n")
    );
    let refused = machine.hear(wants, &mut Vec::new()).unwrap_err();
    assert!(!refused.wants_login(), "it was given one");
    assert!(machine.log_in("a:b".into(), String::new()).is_err());

    let mut machine = socks5(None);
    let refused = play(&mut *machine, [&b"\x05\xff"[..]]).result.unwrap_err();
    assert!(refused.wants_login() && machine.ended().wants_login());
    machine.log_in("me".into(), "x".into()).unwrap();
    let mut said = Vec::new();
    machine.begin(&mut said);
    machine.hear(b"\x05\x02", &mut said).unwrap();
    assert_eq!(said, b"\x05\x02\x00\x02\x01\x02me\x01x");
    assert!(machine.log_in("m".repeat(256), String::new()).is_err());
    let refused = socks5(Some(login())).hear(b"\x05\xff", &mut Vec::new());
    assert!(!refused.unwrap_err().wants_login());
}

#[test]
fn the_strongest_scheme_is_taken() {
    let md5 = "Digest realm=\"r\", nonce=\"n\", qop=\"auth\"";
    let sha256 = "Digest realm=\"r\", nonce=\"m\", algorithm=SHA-256, qop=\"auth\"";
    for (offered, expected) in [
        (format!("Basic realm=\"r\", {md5}"), "nonce=\"n\""),
        (format!("{sha256}, {md5}, Basic"), "algorithm=SHA-256"),
        (
            format!("{md5}\r\nProxy-Authenticate: Negotiate\r\nProxy-Authenticate: {sha256}"),
            "algorithm=SHA-256",
        ),
        (
            "Digest realm=r, nonce=n, algorithm=SHA-512-256, Basic".to_owned(),
            "Basic YWxpY2U6c2VjcmV0",
        ),
    ] {
        let said = again(&format!(
            "HTTP/1.0 407 x\r\nProxy-Authenticate: {offered}\r\n\r\n"
        ));
        assert!(said.contains(expected), "{offered}: {said}");
    }
}

#[test]
fn a_stale_nonce_is_replaced_once() {
    let stale = |nonce: &str| {
        format!(
            "HTTP/1.1 407 x\r\nProxy-Authenticate: Digest realm=\"r\", nonce=\"{nonce}\", stale=TRUE\r\nConnection: keep-alive\r\nContent-Length: 0\r\n\r\n"
        )
    };
    let answers = format!("{}{}HTTP/1.1 200 OK\r\n\r\n", stale("n1"), stale("n2"));
    let said = conversation(|| http(Some(login())), answers.as_bytes());
    assert!(
        said.contains("nonce=\"n1\"") && said.contains("nonce=\"n2\""),
        "{said}"
    );
    let answers = format!("{}{}{}", stale("n1"), stale("n2"), stale("n3"));
    let (words, netcat) = refusal(|| http(Some(login())), answers.as_bytes());
    assert_eq!(
        words,
        "the HTTP proxy refuses this user name and password: check --proxy-auth"
    );
    assert_eq!(netcat, "Too many authentication failures");
}

#[test]
fn http_says_who_refused_what() {
    let (words, netcat) = refusal(|| http(None), b"HTTP/1.0 403 Forbidden\r\n\r\n<p>No.</p>");
    assert_eq!(
        words,
        "the HTTP proxy does not connect to mail.example.org:25: 403 Forbidden (it does not allow that destination, or \
         connections from here)"
    );
    assert_eq!(netcat, "Proxy error: \"HTTP/1.0 403 Forbidden\"");
    let wants = b"HTTP/1.1 407 x\r\nProxy-Authenticate: Basic realm=x\r\nConnection: keep-alive\r\nContent-Length: 0\r\n\r\n";
    let (words, netcat) = refusal(|| http(None), wants);
    assert_eq!(
        words,
        "the proxy wants a user name and a password: give --proxy-auth USER:PASSWORD"
    );
    assert_eq!(netcat, "Proxy error: \"HTTP/1.1 407 x\"");
    let twice = [&wants[..], wants].concat();
    let (words, _) = refusal(|| http(Some(login())), &twice);
    assert_eq!(
        words,
        "the HTTP proxy refuses this user name and password: check --proxy-auth"
    );
    let as_tinyproxy = [&wants[..], b"HTTP/1.0 401 Unauthorized\r\n\r\n"].concat();
    assert_eq!(refusal(|| http(Some(login())), &as_tinyproxy).0, words);
    let other = b"HTTP/1.1 407 x\r\nProxy-Authenticate: Negotiate, NTLM\r\n\r\n";
    for login in [None, Some(login())] {
        let (words, _) = refusal(|| http(login.clone()), other);
        assert!(words.contains("offers Negotiate, NTLM;"), "{words}");
    }
    let (words, _) = refusal(|| http(None), b"HTTP/1.1 302 \x1b[31mgo\r\n\r\n");
    assert!(words.ends_with("302 ?[31mgo"), "{words:?}");
    let endless = [&b"HTTP/1.1 "[..], &[b'x'; limits::PROXY_HEAD]].concat();
    let result = play(&mut *http(None), [&*endless]).result.unwrap_err();
    assert_eq!(result.netcat(), "proxy read too long");
}

#[test]
fn a_mail_server_is_no_proxy_and_need_not_end_its_line_to_be_told() {
    for greeting in ["2", "220 mail", "* OK", "\x05\x01", "HTTQ"] {
        let played = play(&mut *http(None), [greeting.as_bytes()]);
        let error = played.result.expect_err(greeting).to_string();
        assert!(error.starts_with("that is no HTTP proxy"), "{error}");
    }
}

#[test]
fn nothing_without_end_is_waited_for() {
    let machines = [
        socks4(),
        socks5(None),
        socks5(Some(login())),
        http(None),
        http(Some(login())),
    ];
    let interim = "HTTP/1.1 100 Continue\r\n\r\n";
    let wants = "HTTP/1.1 407 x\r\nProxy-Authenticate: Digest realm=r, nonce=n, stale=true\r\nConnection: keep-alive\r\nContent-Length: 3\r\n\r\nabc";
    for mut machine in machines {
        for unit in ["\0", "\x05", "a", "\n", "\r\n", "HTTP/1.1 ", interim, wants] {
            let stream = unit.repeat(64 * 1024 / unit.len());
            let result = play(&mut *machine, stream.as_bytes().chunks(1000)).result;
            assert_ne!(result, Ok(Heard::More), "{unit:?} to {machine:p}");
        }
    }
}

#[test]
fn who_hangs_up_is_told() {
    assert!(
        socks4()
            .ended()
            .to_string()
            .contains("instead of answering")
    );
    assert!(
        socks5(None)
            .ended()
            .to_string()
            .contains("--proxy-auth USER:PASSWORD")
    );
    assert!(
        http(None)
            .ended()
            .to_string()
            .contains("mail.example.org:25")
    );
    let mut machine = socks5(Some(login()));
    play(&mut *machine, [&b"\x05\x02"[..]]);
    assert!(machine.ended().to_string().contains("check --proxy-auth"));
}
