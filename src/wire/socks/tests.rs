use proptest::prelude::*;

use super::*;

/// Reads a message as a driver does, exactly as many octets as are asked for; how many those were in the end.
fn read<T>(
    octets: &[u8],
    parse: impl Fn(&[u8]) -> Result<Partial<T>, Malformed>,
) -> Result<Option<(T, usize)>, Malformed> {
    let mut have = 0;
    loop {
        match parse(&octets[..have])? {
            Partial::Whole(message, used) => {
                assert_eq!(used, have, "took more than it needed");
                return Ok(Some((message, used)));
            }
            Partial::Needs(needed) => {
                assert!(needed > have && needed <= LONGEST, "{needed} after {have}");
                have = needed;
            }
        }
        if have > octets.len() {
            return Ok(None);
        }
    }
}

fn every_cut<T: PartialEq + std::fmt::Debug>(
    octets: &[u8],
    parse: impl Fn(&[u8]) -> Result<Partial<T>, Malformed> + Copy,
) {
    let whole = read(octets, parse).unwrap().expect("it is whole");
    assert_eq!(whole.1, octets.len());
    for cut in 0..octets.len() {
        assert!(
            matches!(parse(&octets[..cut]), Ok(Partial::Needs(_))),
            "cut at {cut}"
        );
    }
    let glued = [octets, b"220 mail.example.org ESMTP\r\n"].concat();
    assert_eq!(read(&glued, parse), Ok(Some(whole)));
}

#[test]
fn messages_are_read_up_to_their_end_and_no_further() {
    every_cut(b"\x04\x01\0\x19\x7f\0\0\x01\0", Request4::parse);
    every_cut(b"\x04\x01\0\x19\x7f\0\0\x01alice\0", Request4::parse);
    every_cut(
        b"\x04\x01\0\x19\0\0\0\x07\0mail.example.org\0",
        Request4::parse,
    );
    every_cut(b"\0\x5a\0\x19\x7f\0\0\x01", Answer4::parse);
    every_cut(b"\x05\x03\0\x01\x02", Greeting::parse);
    every_cut(b"\x05\0", Greeting::parse);
    every_cut(b"\x05\x02", Choice::parse);
    every_cut(b"\x01\x05alice\x06secret", UserPassword::parse);
    every_cut(b"\x01\0", Verdict::parse);
    every_cut(b"\x05\x01\0\x01\x7f\0\0\x01\0\x19", Request5::parse);
    every_cut(b"\x05\x01\0\x03\x04mail\0\x19", Request5::parse);
    every_cut(
        b"\x05\x01\0\x04\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x01\0\x19",
        Request5::parse,
    );
    every_cut(b"\x05\0\0\x01\x7f\0\0\x01\0\x19", Answer5::parse);
    every_cut(b"\x05\0\0\x03\x04gate\0\x19", Answer5::parse);
    every_cut(b"\x05\0\0\x03\0\0\x19", Answer5::parse);
}

#[test]
fn a_refusal_need_not_be_whole() {
    let Ok(Partial::Whole(answer, _)) = Answer5::parse(b"\x05\x05") else {
        panic!()
    };
    assert_eq!(answer.code, Code5::REFUSED);
    let Ok(Partial::Whole(answer, _)) = Answer4::parse(b"\0\x5b") else {
        panic!()
    };
    assert_eq!(answer.code, Code4::REJECTED);
}

#[test]
fn what_is_not_socks_is_told_at_once() {
    assert_eq!(
        Answer5::parse(b"HTTP/1.0 400"),
        Err(Malformed::Version(b'H'))
    );
    assert_eq!(Answer4::parse(b"\x05"), Err(Malformed::Version(5)));
    assert_eq!(
        Request5::parse(b"\x05\x01\0\x02"),
        Err(Malformed::AddressType(2))
    );
    assert_eq!(
        Request5::parse(b"\x05\x01\0\x03\0\0\x19"),
        Err(Malformed::Name)
    );
    assert_eq!(
        Request5::parse(b"\x05\x01\0\x03\x02a\n\0\x19"),
        Err(Malformed::Name)
    );
    let endless = [&b"\x04\x01\0\x19\x7f\0\0\x01"[..], &[b'a'; NAME + 1]].concat();
    assert_eq!(Request4::parse(&endless), Err(Malformed::Name));
}

#[test]
fn version_4_cannot_say_everything() {
    for (text, user, can) in [
        ("192.0.2.1:25", "alice", true),
        ("0.0.0.0:25", "", true),
        ("0.0.0.9:25", "", false),
        ("[::1]:25", "", false),
        ("mail:25", "a\0b", false),
        ("mail:25", &*"a".repeat(256), false),
        ("mail:25", &*"a".repeat(255), true),
    ] {
        let destination = Destination::parse(text).unwrap();
        let user = user.as_bytes().to_vec();
        let command = Command::CONNECT;
        let mut out = Vec::new();
        let said = Request4 {
            command,
            destination,
            user,
        }
        .encode(&mut out);
        assert_eq!((said, out.is_empty()), (can, !can), "{text}");
    }
}

fn destinations() -> impl Strategy<Value = Destination> {
    let host = prop_oneof![
        any::<IpAddr>().prop_map(Host::Address),
        "[a-z0-9.-]{1,255}".prop_filter_map("an address", |name| Host::parse(&name)),
    ];
    (host, any::<u16>()).prop_map(|(host, port)| Destination { host, port })
}

proptest! {
    #[test]
    fn what_is_written_is_read(destination in destinations(), user in "[^\0]{0,60}", command: u8) {
        let command = Command(command);
        let five = Request5 { command, destination: destination.clone() };
        let mut octets = Vec::new();
        prop_assert!(five.encode(&mut octets));
        prop_assert_eq!(read(&octets, Request5::parse), Ok(Some((five, octets.len()))));
        let four = Request4 { command, destination, user: user.into_bytes() };
        let mut octets = Vec::new();
        if four.encode(&mut octets) {
            prop_assert_eq!(read(&octets, Request4::parse), Ok(Some((four, octets.len()))));
        }
    }

    #[test]
    fn nothing_panics(octets in proptest::collection::vec(any::<u8>(), 0..600)) {
        let _ = read(&octets, Request4::parse);
        let _ = read(&octets, Answer4::parse);
        let _ = read(&octets, Greeting::parse);
        let _ = read(&octets, UserPassword::parse);
        let _ = read(&octets, Request5::parse);
        let _ = read(&octets, Answer5::parse);
    }
}
