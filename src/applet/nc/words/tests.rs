//! What is said: read off nc.openbsd 1.219-1, ncat 7.93 and netcat-traditional 1.10-47, but where a comment tells.

use std::path::PathBuf;

use super::*;
use Dialect::{Ncat, OpenBsd, Traditional};

fn words(dialect: Dialect, verbose: usize) -> Words {
    Words {
        dialect,
        called: "nc".to_owned(),
        verbose,
        names: Names::LookedUp,
        calls: Calls::One,
    }
}

fn peer(address: &str) -> Peer<'_> {
    Peer {
        address: address.parse().expect("an address"),
        name: None,
        service: None,
    }
}

fn localhost(port: u16) -> Peer<'static> {
    Peer {
        address: ([127, 0, 0, 1], port).into(),
        name: Some("localhost"),
        service: None,
    }
}

fn check(note: &Note<'_>, expected: &[(Dialect, usize, &str)]) {
    for (dialect, verbose, text) in expected {
        let said = words(*dialect, *verbose).note(note).unwrap_or_default();
        assert_eq!(said, *text, "{dialect:?} {verbose} {note:?}");
    }
}

#[test]
fn a_listener_tells_where_it_is() {
    check(
        &Note::Listening(Local::Port(peer("127.0.0.1:42101"))),
        &[
            (OpenBsd, 0, ""),
            (OpenBsd, 1, "Listening on 127.0.0.1 42101\n"),
            (Ncat, 0, ""),
            (Ncat, 1, "Ncat: Listening on 127.0.0.1:42101\n"),
            (Traditional, 1, "listening on [127.0.0.1] 42101 ...\n"),
        ],
    );
    check(
        &Note::Listening(Local::Port(peer("0.0.0.0:25"))),
        &[
            (OpenBsd, 1, "Listening on 0.0.0.0 25\n"),
            (Traditional, 1, "listening on [any] 25 ...\n"),
        ],
    );
    check(
        &Note::Listening(Local::Port(peer("[::]:31337"))),
        // 7.93 leaves the brackets away.
        &[(Ncat, 1, "Ncat: Listening on [::]:31337\n")],
    );
    check(
        &Note::Bound(Local::Port(localhost(40556))),
        &[
            (OpenBsd, 1, "Bound on localhost 40556\n"),
            (Ncat, 1, "Ncat: Listening on 127.0.0.1:40556\n"),
        ],
    );
    let path = UnixName::Path(PathBuf::from("u1"));
    let name = UnixName::Abstract(b"u1".to_vec());
    check(
        &Note::Bound(Local::Unix(&path)),
        &[(OpenBsd, 1, "Bound on u1\n")],
    );
    check(
        &Note::Listening(Local::Unix(&name)),
        &[
            (OpenBsd, 1, "Listening on @u1\n"),
            (Ncat, 1, "Ncat: Listening on @u1\n"),
        ],
    );
}

#[test]
fn a_listener_tells_who_calls() {
    let here = "127.0.0.1:25".parse().ok();
    let called = |by, number| Note::Called {
        by,
        at: here,
        number,
    };
    check(
        &called(peer("127.0.0.1:53090"), None),
        &[
            (OpenBsd, 0, ""),
            (OpenBsd, 1, "Connection received on 127.0.0.1 53090\n"),
            (
                Ncat,
                1,
                "Ncat: Connection from 127.0.0.1.\nNcat: Connection from 127.0.0.1:53090.\n",
            ),
            (
                Traditional,
                1,
                "connect to [127.0.0.1] from (UNKNOWN) [127.0.0.1] 53090\n",
            ),
        ],
    );
    check(
        &called(localhost(53090), Some(4)),
        &[
            (OpenBsd, 1, "Connection received on localhost 53090\n"),
            (
                Ncat,
                1,
                "Ncat: Connection from 127.0.0.1 on file descriptor 4.\nNcat: Connection from 127.0.0.1:53090.\n",
            ),
            (
                Traditional,
                1,
                "connect to [127.0.0.1] from localhost [127.0.0.1] 53090\n",
            ),
        ],
    );
    check(
        &Note::NotAllowed,
        &[
            (Ncat, 0, ""),
            (Ncat, 1, "Ncat: New connection denied: not allowed\n"),
            // It has no such thing.
            (OpenBsd, 0, ""),
            (OpenBsd, 1, "nc: caller turned away: not allowed\n"),
        ],
    );
    check(
        &Note::TooMany(3),
        &[(
            Ncat,
            1,
            "Ncat: New connection denied: connection limit reached (3)\n",
        )],
    );
    let name = UnixName::Path(PathBuf::from("u1"));
    check(
        &Note::CalledAt(&name),
        &[
            (OpenBsd, 1, "Connection received on u1\n"),
            (
                Ncat,
                1,
                "Ncat: Connection from a client on Unix domain socket.\n",
            ),
        ],
    );
}

#[test]
fn a_caller_tells_who_answered() {
    let smtp = Peer {
        service: Some("smtp"),
        ..peer("127.0.0.1:25")
    };
    let connected = |host, peer, way| Note::Connected {
        host,
        peer,
        carrier: "tcp",
        way,
    };
    check(
        &connected("localhost", smtp, Way::Direct),
        &[
            (OpenBsd, 0, ""),
            (
                OpenBsd,
                1,
                "Connection to localhost (127.0.0.1) 25 port [tcp/smtp] succeeded!\n",
            ),
            (Ncat, 1, "Ncat: Connected to 127.0.0.1:25.\n"),
            (Traditional, 1, "(UNKNOWN) [127.0.0.1] 25 (smtp) open\n"),
        ],
    );
    check(
        &connected("127.0.0.1", localhost(60213), Way::Direct),
        &[
            (
                OpenBsd,
                1,
                "Connection to 127.0.0.1 60213 port [tcp/*] succeeded!\n",
            ),
            (Traditional, 1, "localhost [127.0.0.1] 60213 (?) open\n"),
        ],
    );
    check(
        &connected("localhost", smtp, Way::Proxied),
        &[
            (
                OpenBsd,
                1,
                "Connection to localhost 25 port [tcp/smtp] succeeded!\n",
            ),
            (Ncat, 1, ""),
        ],
    );
    let mut numeric = words(OpenBsd, 1);
    numeric.names = Names::Numeric;
    assert_eq!(
        numeric.note(&connected("lab.test", peer("192.0.2.1:25"), Way::Direct)),
        Some("Connection to lab.test 25 port [tcp/*] succeeded!\n".to_owned())
    );
    let name = UnixName::Path(PathBuf::from("u1"));
    check(
        &Note::ConnectedTo(&name),
        &[(OpenBsd, 1, ""), (Ncat, 1, "Ncat: Connected to u1.\n")],
    );
}

#[test]
fn a_caller_tells_why_nobody_answered() {
    let refused = WhyNot::Failed("Connection refused".to_owned());
    let failed = |host, why, rest| Note::CallFailed {
        host,
        peer: peer("127.0.0.1:38561"),
        carrier: "tcp",
        why,
        rest,
    };
    check(
        &failed("127.0.0.1", &refused, Rest::Last),
        &[
            (OpenBsd, 0, ""),
            (
                OpenBsd,
                1,
                "nc: connect to 127.0.0.1 port 38561 (tcp) failed: Connection refused\n",
            ),
            (Ncat, 0, "Ncat: Connection refused.\n"),
            (
                Traditional,
                0,
                "(UNKNOWN) [127.0.0.1] 38561 (?) : Connection refused\n",
            ),
        ],
    );
    check(
        &failed("localhost", &refused, Rest::Another),
        &[
            (
                OpenBsd,
                1,
                "nc: connect to localhost (127.0.0.1) port 38561 (tcp) failed: Connection refused\n",
            ),
            (Ncat, 0, ""),
            (
                Ncat,
                1,
                "Ncat: Connection to 127.0.0.1 failed: Connection refused.\nNcat: Trying next address...\n",
            ),
        ],
    );
    check(
        &failed("127.0.0.1", &WhyNot::TimedOut, Rest::Last),
        &[
            (
                OpenBsd,
                1,
                "nc: connect to 127.0.0.1 port 38561 (tcp) timed out: Operation now in progress\n",
            ),
            (Ncat, 0, "Ncat: TIMEOUT.\n"),
        ],
    );
    for (dialect, calls, verbose, is_told) in [
        (Ncat, Calls::Probe, 0, false),
        (Ncat, Calls::Probe, 1, true),
        (Traditional, Calls::Probe, 0, false),
        (Traditional, Calls::Probe, 1, true),
        (Traditional, Calls::Scan, 1, false),
        (Traditional, Calls::Several, 2, true),
    ] {
        let words = Words {
            calls,
            ..words(dialect, verbose)
        };
        let said = words.note(&failed("h", &refused, Rest::Last));
        assert_eq!(said.is_some(), is_told, "{dialect:?} {calls:?} {verbose}");
    }
}

#[test]
fn the_beginning_and_the_end() {
    let version = env!("CARGO_PKG_VERSION");
    check(
        &Note::Begin,
        &[
            (Ncat, 0, ""),
            // Nmap's own has its address there.
            (
                Ncat,
                1,
                &format!("Ncat: Version 7.96 ( mailtool {version} )\n"),
            ),
            (OpenBsd, 2, ""),
        ],
    );
    check(
        &Note::Moved(Totals {
            sent: 3,
            received: 4,
            time: Duration::from_millis(164),
        }),
        &[
            (Ncat, 0, ""),
            (
                Ncat,
                1,
                "Ncat: 3 bytes sent, 4 bytes received in 0.16 seconds.\n",
            ),
            (Traditional, 1, ""),
            (Traditional, 2, " sent 3, rcvd 4\n"),
            (OpenBsd, 2, ""),
        ],
    );
    check(
        &Note::MaxConnsIgnored,
        &[(
            Ncat,
            0,
            "Ncat: Warning: Maximum connections ignored, since it does not take effect without -k or --broker.\n",
        )],
    );
}

#[test]
fn tls_is_told_of() {
    let sha1 = [0xC4, 0x8A, 0xA6, 0x8D, 0x0F];
    let handshake = |organisation| {
        Note::Tls(Handshake {
            address: ([127, 0, 0, 1], 40140).into(),
            organisation,
            sha1: &sha1,
        })
    };
    check(
        &handshake(Some("Lab")),
        &[
            (Ncat, 0, ""),
            (
                Ncat,
                1,
                "Ncat: SSL connection to 127.0.0.1:40140. Lab\nNcat: SHA-1 fingerprint: C48A A68D 0F\n",
            ),
            (
                OpenBsd,
                1,
                "nc: TLS with 127.0.0.1:40140, SHA-1 fingerprint C48A A68D 0F\n",
            ),
        ],
    );
    check(
        &handshake(None),
        &[(
            Ncat,
            1,
            "Ncat: SSL connection to 127.0.0.1:40140.\nNcat: SHA-1 fingerprint: C48A A68D 0F\n",
        )],
    );
    check(
        &Note::Made { sha1: &sha1 },
        &[
            (OpenBsd, 0, ""),
            (
                Ncat,
                1,
                // Its key is not RSA with 2048 bits, as ncat's.
                "Ncat: Generating a temporary key. Use --ssl-key and --ssl-cert to use a permanent one.\n\
                 Ncat: SHA-1 fingerprint: C48A A68D 0F\n",
            ),
        ],
    );
    let distrusted = Note::Distrusted {
        host: "localhost",
        why: "unknown issuer",
    };
    check(
        &distrusted,
        &[(
            OpenBsd,
            0,
            "nc: the certificate of localhost is not good (unknown issuer); going on. \
             --ca FILE trusts its authority, --insecure is silent\n",
        )],
    );
}

#[test]
fn proxies_are_told_of() {
    check(
        &Note::AtProxy(([127, 0, 0, 1], 1080).into()),
        &[
            (OpenBsd, 2, ""),
            (Ncat, 1, "Ncat: Connected to proxy 127.0.0.1:1080\n"),
        ],
    );
    check(
        &Note::LookedUpByProxy("host"),
        &[(Ncat, 1, "Ncat: Host host will be resolved by the proxy.\n")],
    );
    let refused = WhyNot::Failed("Connection refused".to_owned());
    for (why, text) in [
        (refused, "Proxy connection failed: Connection refused."),
        (WhyNot::TimedOut, "Proxy connection failed: TIMEOUT."),
    ] {
        let complaint = words(Ncat, 0).proxy_not_called(&why);
        assert_eq!(complaint, Complaint::failed(text));
    }
}

/// A complaint, as it is said and with its exit code.
fn complained(dialect: Dialect, complaint: &Complaint) -> (String, u8) {
    let text = words(dialect, 0).complaint(complaint);
    (text, complaint.exit_code(dialect))
}

#[test]
fn complaints_have_the_form_and_the_code_of_their_dialect() {
    let lost = |dialect| words(dialect, 0).unresolved("x", 25, "Name or service not known");
    for (dialect, complaint, text, code) in [
        (
            OpenBsd,
            lost(OpenBsd),
            "nc: getaddrinfo for host \"x\" port 25: Name or service not known\n",
            1,
        ),
        (
            Ncat,
            lost(Ncat),
            "Ncat: Could not resolve hostname \"x\": Name or service not known. QUITTING.\n",
            2,
        ),
        (
            Traditional,
            lost(Traditional),
            "x: forward host lookup failed: Unknown host\n",
            1,
        ),
        (
            Ncat,
            words(Ncat, 0).idle(Role::Connect, Duration::from_millis(500)),
            "Ncat: Idle timeout expired (500 ms).\n",
            1,
        ),
        (
            Ncat,
            words(Ncat, 0).idle(Role::Listen, Duration::from_secs(1)),
            "Ncat: Idle timeout expired (1000 ms). QUITTING.\n",
            2,
        ),
        (
            Ncat,
            words(Ncat, 0).unwritten("No space left on device"),
            "Ncat: write: No space left on device. QUITTING.\n",
            2,
        ),
        (
            Ncat,
            words(Ncat, 0).unbound(
                ([192, 0, 2, 1], 4000).into(),
                "Cannot assign requested address",
            ),
            "Ncat: bind to 192.0.2.1:4000: Cannot assign requested address. QUITTING.\n",
            2,
        ),
        (
            OpenBsd,
            words(OpenBsd, 0).unbound(([192, 0, 2, 1], 4000).into(), "Address already in use"),
            "nc: Address already in use\n",
            1,
        ),
        (
            Traditional,
            words(Traditional, 0).unbound_source(
                ([192, 0, 2, 1], 0).into(),
                "Cannot assign requested address",
            ),
            "Can't grab 192.0.2.1:0 with bind : Cannot assign requested address\n",
            1,
        ),
        (
            Ncat,
            words(Ncat, 0).unresolved_source("x", "Name or service not known"),
            "Ncat: Could not resolve source address \"x\": Name or service not known. QUITTING.\n",
            2,
        ),
        (
            Ncat,
            words(Ncat, 0).unresolved_proxy("x", 1, "Name or service not known"),
            "Ncat: Could not resolve proxy \"x\": Name or service not known.\n",
            1,
        ),
        (
            Traditional,
            words(Traditional, 0).nobody_called(),
            "no connection : Connection timed out\n",
            1,
        ),
        (
            Traditional,
            words(Traditional, 0).no_program("/x", "No such file or directory"),
            "exec /x failed : No such file or directory\n",
            1,
        ),
        (
            Traditional,
            words(Traditional, 0).no_file(Path::new("/x"), "No such file or directory"),
            "can't open /x : No such file or directory\n",
            1,
        ),
        (
            Ncat,
            words(Ncat, 0).broken("Connection reset by peer"),
            "Ncat: Connection reset by peer.\n",
            1,
        ),
        (
            OpenBsd,
            words(OpenBsd, 0).broken("Connection reset by peer"),
            "",
            1,
        ),
    ] {
        let expected = (text.to_owned(), code);
        assert_eq!(complained(dialect, &complaint), expected, "{dialect:?}");
    }
    let path = UnixName::Path(PathBuf::from("/x"));
    let why = "No such file or directory";
    for (dialect, verb, text, code) in [
        (
            OpenBsd,
            UnixVerb::Call,
            "nc: /x: No such file or directory\n",
            1,
        ),
        (
            OpenBsd,
            UnixVerb::Listen,
            "nc: No such file or directory\n",
            1,
        ),
        (
            Ncat,
            UnixVerb::Call,
            "Ncat: No such file or directory.\n",
            1,
        ),
        (
            Ncat,
            UnixVerb::Listen,
            "Ncat: bind to /x: No such file or directory. QUITTING.\n",
            2,
        ),
    ] {
        let complaint = words(dialect, 0).unix_trouble(&path, verb, why);
        let expected = (text.to_owned(), code);
        assert_eq!(complained(dialect, &complaint), expected, "{dialect:?}");
    }
}

#[test]
fn getopts_complaints_are_followed_by_each_dialects_own() {
    use crate::applet::nc::getopt::error::GetoptError;
    let error = GetoptError::UnknownLetter('Q');
    let said = |dialect, name| words(dialect, 0).getopt(name, &error);
    assert_eq!(
        said(OpenBsd, "nc"),
        format!("nc: invalid option -- 'Q'\n{}", help::OPENBSD_USAGE)
    );
    assert_eq!(
        said(Ncat, "ncat"),
        "ncat: invalid option -- 'Q'\n\
         Ncat: Try `--help' or man(1) ncat for more information, usage options and help. QUITTING.\n"
    );
    assert_eq!(
        said(Traditional, "nc"),
        "nc: invalid option -- 'Q'\nnc -h for help\n"
    );
    assert_eq!(Complaint::Usage.exit_code(Ncat), 2);
    assert_eq!(Complaint::Usage.exit_code(OpenBsd), 1);
}
