//! How fast, how much, and what is said about it.

use super::*;

#[test]
fn lines_are_paced() {
    let mut options = script(Protocol::Smtp);
    options.interval = Some(Duration::from_secs(1));
    let mut play = Play::new(options);
    play.types("DATA\na\nb\n.\n", 100);
    play.says("220 hi\r\n", 100);
    assert_eq!(play.sent(), "DATA\r\n");
    play.says("354 go\r\n", 100);
    for line in ["a\r\n", "b\r\n", ".\r\n"] {
        assert_eq!(play.sent(), "");
        play.waits(Duration::from_secs(1));
        assert_eq!(play.sent(), line);
    }
}

#[test]
fn long_text_flows_and_long_commands_do_not() {
    let mut play = Play::new(script(Protocol::Smtp));
    play.says("220 hi\r\n", 100);
    play.types("DATA\n", 100);
    play.says("354 go\r\n", 100);
    let long = "x".repeat(3 * limits::TYPED);
    let mut sent = play.sent();
    for piece in long.as_bytes().chunks(1000) {
        assert_eq!(play.session.needs(), Needs::Typed);
        play.session.typed(play.now, piece, &mut play.out);
        sent.push_str(&play.sent());
    }
    play.types("\n.\n", 100);
    sent.push_str(&play.sent());
    assert_eq!(sent, format!("DATA\r\n{long}\r\n.\r\n"));
    play.says("250 ok\r\n", 100);
    for piece in long.as_bytes().chunks(1000) {
        if play.session.needs() == Needs::Typed {
            play.session.typed(play.now, piece, &mut play.out);
        }
    }
    assert_eq!(play.failure(), "line 4 is too long for a command");
}

#[test]
fn what_is_typed_ahead_is_bounded() {
    let mut play = Play::new(script(Protocol::Smtp));
    let mut typed = 0;
    while play.session.needs() == Needs::Typed {
        play.types("NOOP\n", 100);
        typed += 1;
    }
    assert!(typed * 6 < 2 * limits::TYPED, "{typed}");
    play.session.screen().full = true;
    assert_eq!(
        play.session.want(),
        Want::Nothing,
        "a full screen holds the server back"
    );
}

#[test]
fn replies_are_explained_in_place() {
    let mut options = script(Protocol::Smtp);
    options.explain = Some(Lang::En);
    let mut play = Play::new(options);
    play.types("RCPT TO:<x>\n", 100);
    play.says("220 hi\r\n", 100);
    play.says("550 5.1.1 no\r\n", 1);
    let explained = &play.session.screen().explained;
    assert!(
        explained.contains("220") && explained.contains("5.1.1"),
        "{explained}"
    );
    assert!(explained.ends_with("sent:    RCPT TO:<x>\n"), "{explained}");
}

proptest::proptest! {
    #[test]
    fn whatever_comes_it_goes_on(
        said in proptest::collection::vec(proptest::sample::select(&[
            "220 a\r\n", "250-", "250 ok\r\n", "354\r\n", "334 \r\n", "550 no\n", "* OK\r\n", "A1 OK\r\n", "+ \r\n", "{3}\r\n",
            "* 1 FETCH {5}\r\n", "+OK\r\n", ".\r\n", "-ERR\r\n", "x", "\r", "\n", "234\r\n", "421\r\n",
        ][..]), 0..20),
        typed in proptest::collection::vec(proptest::sample::select(&[
            "DATA\n", ".\n", "QUIT\n", "AUTH LOGIN\n", "x\n", "BDAT 3\n", "a X {3}\n", "{2+}\n", "??? 2\n", "???*\n", ">>> a\\r\\n\n",
            "+++ 1\n", "<<< f\n", "RETR 1\n", "IDLE\n", "DONE\n", "STLS\n", "STARTTLS\n", "\n", "y",
        ][..]), 0..20),
        protocol in proptest::sample::select(&Protocol::ALL[..]),
    ) {
        let mut play = Play::new(script(protocol));
        let (mut said, mut typed) = (said.iter(), typed.iter());
        loop {
            let (said, typed) = (said.next(), typed.next());
            if let Some(typed) = typed && play.session.needs() == Needs::Typed {
                play.types(typed, 100);
            }
            if let Some(said) = said {
                play.says(said, 100);
            }
            match play.session.needs() {
                Needs::Open(_) => play.session.content(play.now, Ok(b"z\n"), &mut play.out),
                Needs::Content => play.session.content(play.now, Ok(b""), &mut play.out),
                _ => {}
            }
            if play.out.wish() == Some(Wish::StartTls) {
                play.starts_tls();
            }
            play.waits(Duration::from_secs(1));
            if said.is_none() && typed.is_none() {
                break;
            }
        }
        play.types_no_more();
        play.closes();
        // Pauses of the script may be left.
        for _ in 0..40 {
            play.waits(Duration::from_secs(1));
        }
        proptest::prop_assert!(play.session.ending().is_some() || play.session.needs() != Needs::Nothing);
    }
}
