//! Command lines, and what is made of them. What is refused, and in which words, is in `refused`.

mod refused;

use std::ffi::OsString;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::path::PathBuf;
use std::time::Duration;

use super::*;
use crate::applet::nc::getopt::error::GetoptError;
use crate::reactor::sockets::{Route, UnixName};
use Dialect::{Ncat, OpenBsd, Traditional};

/// Words at blanks; `''` is an empty one, and `_` stands for a blank within one.
fn words(line: &str) -> Vec<OsString> {
    let words = line.split_ascii_whitespace();
    words
        .map(|word| OsString::from(word.replace("''", "").replace('_', " ")))
        .collect()
}

fn read(path: &Path) -> io::Result<String> {
    match path.to_str() {
        Some("/hosts") => Ok("# the lab\n10.0.1.1-20,30  lab.test # both\n\n::1\n".to_owned()),
        Some("/bad") => Ok("10.0.0.1\n10.0.0.1/x\n".to_owned()),
        _ => Err(io::Error::from_raw_os_error(2)),
    }
}

fn resolve(host: &str, family: Family) -> Result<Vec<IpAddr>, ResolveError> {
    match (host, family) {
        ("lab.test", Family::V6) => Ok(vec!["2001:db8::7".parse().expect("an address")]),
        ("lab.test", _) => Ok(vec![
            Ipv4Addr::new(192, 0, 2, 7).into(),
            "2001:db8::7".parse().expect("an address"),
        ]),
        (spelled, _) => spelled
            .parse()
            .map(|address| vec![address])
            .map_err(|_| ResolveError::NotKnown),
    }
}

fn understood_with(
    dialect: Dialect,
    line: &str,
    variable: &dyn Fn(&str) -> Option<String>,
) -> Result<Options, Complaint> {
    let line = CommandLine::cut(dialect, &words(line)).expect("getopt takes it");
    let services = Services::default();
    let surroundings = Surroundings {
        services: &services,
        lang: Lang::En,
        variable,
        resolve: &resolve,
        read: &read,
    };
    Options::of(dialect, &line, &surroundings)
}

fn understood(dialect: Dialect, line: &str) -> Result<Options, Complaint> {
    understood_with(dialect, line, &|_| None)
}

fn right(dialect: Dialect, line: &str) -> Options {
    understood(dialect, line).unwrap_or_else(|why| panic!("{dialect:?} {line}: {why:?}"))
}

fn called(options: &Options) -> (&str, &[u16], &Source) {
    match &options.task {
        Task::Connect(Connect {
            to:
                To::Ports {
                    host,
                    ports,
                    source,
                },
            ..
        }) => (host, ports, source),
        other => panic!("{other:?}"),
    }
}

fn listening(options: &Options) -> &Listen {
    match &options.task {
        Task::Listen(listen) => listen,
        other => panic!("{other:?}"),
    }
}

fn connecting(options: &Options) -> &Connect {
    match &options.task {
        Task::Connect(connect) => connect,
        other => panic!("{other:?}"),
    }
}

#[test]
fn operands_are_hosts_and_ports_as_each_dialect_has_it() {
    for (dialect, line, host, ports) in [
        (OpenBsd, "h 25", "h", vec![25]),
        (OpenBsd, "h smtp 30-28 pop3", "h", vec![25, 28, 29, 30, 110]),
        (OpenBsd, "'' 25", "", vec![25]),
        (Ncat, "h", "h", vec![31337]),
        (Ncat, "h 25", "h", vec![25]),
        (Ncat, "25", "25", vec![31337]),
        (Traditional, "h 20-22 25", "h", vec![22, 21, 20, 25]),
    ] {
        let options = right(dialect, line);
        let (found, found_ports, source) = called(&options);
        assert_eq!((found, found_ports), (host, &*ports), "{dialect:?} {line}");
        assert_eq!(*source, Source::default());
    }
    let options = right(OpenBsd, "-s ::1 -p smtp h 1");
    let expected = Source {
        address: Some("::1".to_owned()),
        port: 25,
    };
    assert_eq!(*called(&options).2, expected);
}

#[test]
fn random_order_loses_no_port() {
    let options = right(OpenBsd, "-r h 1-1000");
    let mut random = called(&options).1.to_vec();
    let in_order: Vec<u16> = (1..=1000).collect();
    assert_ne!(random, in_order);
    random.sort_unstable();
    assert_eq!(random, in_order);
}

#[test]
fn a_listener_has_a_host_or_a_source() {
    for (dialect, line, host, port) in [
        (OpenBsd, "-l 25", None, 25),
        (OpenBsd, "-l smtp", None, 25),
        (OpenBsd, "-l ::1 25", Some("::1"), 25),
        (OpenBsd, "-l -s 127.0.0.1 -p 25", Some("127.0.0.1"), 25),
        (OpenBsd, "-lp4711", None, 4711),
        (OpenBsd, "-l -p 0", None, 0),
        (OpenBsd, "-l --proxy-type http", None, 3128),
        (Ncat, "-l", None, 31337),
        (Ncat, "-l 25", None, 25),
        (Ncat, "-l h", Some("h"), 31337),
        (Ncat, "-l h 25", Some("h"), 25),
        (Ncat, "-l -p 25", None, 25),
        (Ncat, "-l -p 25 h", Some("h"), 25),
        (Ncat, "--broker", None, 31337),
        (Ncat, "-l --proxy-type http", None, 3128),
        (Ncat, "-l --proxy-type socks5", None, 1080),
        (Traditional, "-l -p 25", None, 25),
        (Traditional, "-l -s 127.0.0.1 -p 25", Some("127.0.0.1"), 25),
        (Traditional, "-l", None, 0),
    ] {
        let options = right(dialect, line);
        let expected = Place::Port {
            host: host.map(str::to_owned),
            port,
        };
        assert_eq!(listening(&options).at, expected, "{dialect:?} {line}");
    }
    let options = right(Traditional, "-l -p 25 h 1025");
    let expected = Source {
        address: Some("h".to_owned()),
        port: 1025,
    };
    assert_eq!(listening(&options).only_from, Some(expected));
}

#[test]
fn callers_are_taken_one_in_turn_or_at_once() {
    for (dialect, line, expected) in [
        (OpenBsd, "-l 1", Callers::One),
        (OpenBsd, "-lk 1", Callers::InTurn),
        (
            OpenBsd,
            "-lk -e /bin/cat 1",
            Callers::AtOnce { at_most: 100 },
        ),
        (
            OpenBsd,
            "-l --keep-open 1",
            Callers::AtOnce { at_most: 100 },
        ),
        (OpenBsd, "-l -e /bin/cat 1", Callers::One),
        (Ncat, "-lk -m 7 1", Callers::AtOnce { at_most: 7 }),
        (Ncat, "-lk -m 0 1", Callers::AtOnce { at_most: 0 }),
        (Ncat, "--chat -l 1", Callers::AtOnce { at_most: 100 }),
        (Ncat, "-l -m 7 1", Callers::One),
        (Traditional, "-lk -p 1", Callers::One),
    ] {
        let options = right(dialect, line);
        assert_eq!(listening(&options).callers, expected, "{dialect:?} {line}");
    }
    assert!(right(Traditional, "-k h 1").socket.keepalive);
}

#[test]
fn programs_are_run_plainly_or_by_the_shell() {
    let plain = |words: &[&str]| {
        let words = words.iter().map(OsString::from);
        Program::Plain(words.collect())
    };
    for (dialect, line, expected) in [
        (
            OpenBsd,
            "-e /bin/echo_a_b h 1",
            plain(&["/bin/echo", "a", "b"]),
        ),
        (
            Traditional,
            "-e /bin/my_shell h 1",
            plain(&["/bin/my shell"]),
        ),
        (Ncat, "-c cat_|_tr h 1", Program::Shell("cat | tr".into())),
    ] {
        let options = right(dialect, line);
        let expected = OnceConnected::Run(expected);
        assert_eq!(connecting(&options).once_connected, expected, "{line}");
    }
}

#[test]
fn unix_sockets_have_names() {
    for (dialect, line, name, source) in [
        (OpenBsd, "-U /run/x", UnixName::Path("/run/x".into()), None),
        (OpenBsd, "-U @x", UnixName::Abstract(b"x".to_vec()), None),
        (
            OpenBsd,
            "-uU -s /run/y /run/x",
            UnixName::Path("/run/x".into()),
            Some(UnixName::Path("/run/y".into())),
        ),
        (Ncat, "-U /run/x", UnixName::Path("/run/x".into()), None),
    ] {
        let options = right(dialect, line);
        let expected = To::Unix { name, source };
        assert_eq!(connecting(&options).to, expected, "{dialect:?} {line}");
    }
    assert_eq!(right(OpenBsd, "-uU x").carrier, Carrier::UnixDatagram);
    for line in ["-lU /run/x", "-lU -s /run/x"] {
        let options = right(OpenBsd, line);
        let expected = Place::Unix(UnixName::Path("/run/x".into()));
        assert_eq!(listening(&options).at, expected, "{line}");
    }
}

#[test]
fn times_follow_the_dialect_of_a_letter_and_ncat_when_written_long() {
    let seconds = |seconds| Some(Duration::from_secs(seconds));
    let options = right(OpenBsd, "-w 5 -q 2 -i 3 h 1");
    assert_eq!(options.timing.connect, seconds(5));
    assert_eq!(
        options.timing.idle,
        Some(Idle::Leave(Duration::from_secs(5)))
    );
    assert_eq!(options.timing.quit_after, seconds(2));
    assert_eq!(options.flow.interval, seconds(3));
    let options = right(OpenBsd, "--wait 500ms --delay 20ms --idle-timeout 1m h 1");
    assert_eq!(options.timing.connect, Some(Duration::from_millis(500)));
    assert_eq!(
        options.timing.idle,
        Some(Idle::Fail(Duration::from_mins(1)))
    );
    assert_eq!(options.flow.interval, Some(Duration::from_millis(20)));
    let options = right(OpenBsd, "-i 0 -w 0 -q -1 h 1");
    assert_eq!(options.flow.interval, None);
    assert_eq!(options.timing.connect, None);
    assert_eq!(options.timing.idle, Some(Idle::Leave(Duration::ZERO)));
    assert_eq!(options.timing.quit_after, None, "negative: for ever");
    let options = right(Ncat, "h 1");
    assert_eq!(options.timing.connect, seconds(10));
    assert_eq!(options.timing.idle, None);
    let options = right(Ncat, "-w 2 -i 300ms -q -5 h 1");
    assert_eq!(options.timing.connect, seconds(2));
    assert_eq!(
        options.timing.idle,
        Some(Idle::Fail(Duration::from_millis(300)))
    );
    assert_eq!(options.timing.quit_after, None);
    // A script that sends a line to syslog ends; ncat would not wait at all.
    assert_eq!(right(Ncat, "-u h 1").timing.quit_after, seconds(1));
    assert_eq!(right(Ncat, "-u -q 3 h 1").timing.quit_after, seconds(3));
    for line in ["-u -q -1 h 1", "-u --recv-only h 1", "-lu 1"] {
        assert_eq!(right(Ncat, line).timing.quit_after, None, "{line}");
    }
    let options = right(Traditional, "-w 2x -q x -i 4 h 1");
    assert_eq!(options.timing.connect, seconds(2));
    assert_eq!(options.timing.quit_after, seconds(0));
    assert_eq!(options.flow.interval, seconds(4));
}

#[test]
fn the_end_of_stdin_is_told_as_each_dialect_has_it() {
    for (dialect, line, expected) in [
        (OpenBsd, "h 1", false),
        (OpenBsd, "-N h 1", true),
        (OpenBsd, "-N --no-shutdown h 1", false),
        (Ncat, "h 1", true),
        (Ncat, "--no-shutdown h 1", false),
        (Ncat, "--recv-only h 1", false),
        (Traditional, "h 1", false),
    ] {
        let options = right(dialect, line);
        assert_eq!(options.timing.half_close, expected, "{dialect:?} {line}");
    }
    let direction = |dialect, line| right(dialect, line).flow.direction;
    assert_eq!(direction(OpenBsd, "-d h 1"), Direction::ReceiveOnly);
    assert_eq!(direction(Ncat, "--recv-only h 1"), Direction::ReceiveOnly);
    assert_eq!(direction(Ncat, "-d 1 h 1"), Direction::Both);
}

#[test]
fn letters_cluster_and_the_last_one_counts() {
    let options = right(OpenBsd, "-4vvnuw3 -6 -w 5 h 53 -N -C -b -W 2 --rate 64K");
    assert_eq!(options.family, Family::V6);
    assert_eq!(options.carrier, Carrier::Udp);
    assert_eq!((options.verbose, options.names), (2, Names::Numeric));
    assert_eq!(options.timing.connect, Some(Duration::from_secs(5)));
    assert!(options.flow.crlf && options.socket.broadcast);
    assert_eq!(options.flow.receive_at_most, Some(2));
    assert_eq!(options.flow.rate, Some(65536));
}

#[test]
fn sockets_are_set_up() {
    let options = right(OpenBsd, "-T ef -M 7 -m 3 -I 1000 -O 2000 -D -S h 1");
    let socket = options.socket;
    assert_eq!(
        (socket.tos, socket.ttl, socket.min_ttl),
        (Some(0xb8), Some(7), Some(3))
    );
    assert_eq!(
        (socket.receive_buffer, socket.send_buffer),
        (Some(1000), Some(2000))
    );
    assert!(socket.debug && options.tcp_md5);
    for (dialect, keyword, expected) in [
        (OpenBsd, "0x10", 16),
        (OpenBsd, "010", 10),
        (OpenBsd, "lowcost", 2),
        (OpenBsd, "netcontrol", 0xe0),
        (Traditional, "Minimize-Delay", 0x10),
        (Traditional, "16", 16),
    ] {
        let tos = right(dialect, &format!("-T {keyword} h 1")).socket.tos;
        assert_eq!(tos, Some(expected), "{keyword}");
    }
    let route = right(Ncat, "-4 -g 10.0.0.1,lab.test -G 8 h 1").socket.route;
    let hops = vec![Ipv4Addr::new(10, 0, 0, 1), Ipv4Addr::new(192, 0, 2, 7)];
    assert_eq!(route, Some(Route { hops, pointer: 8 }));
}

fn proxies(dialect: Dialect, line: &str) -> Vec<(ProxyProtocol, String, u16)> {
    let options = right(dialect, line);
    let proxies = connecting(&options).proxies.iter();
    proxies
        .map(|proxy| (proxy.protocol, proxy.host.clone(), proxy.port))
        .collect()
}

#[test]
fn proxies_have_addresses_as_each_dialect_spells_them() {
    use ProxyProtocol::{Http, Socks4, Socks5};
    for (dialect, line, protocol, host, port) in [
        (OpenBsd, "-x a h 1", Socks5, "a", 1080),
        (OpenBsd, "-x a:1 -X 4 h 1", Socks4, "a", 1),
        (OpenBsd, "-X connect -x a h 1", Http, "a", 3128),
        (OpenBsd, "-X CONNECT -x a: h 1", Http, "a", 3128),
        (OpenBsd, "-x [::1]:9 h 1", Socks5, "::1", 9),
        (OpenBsd, "-x [::1] h 1", Socks5, "::1", 1080),
        // The last colon counts, as in Debian's.
        (OpenBsd, "-x ::1 h 1", Socks5, ":", 1),
        (OpenBsd, "-x a:smtp h 1", Socks5, "a", 25),
        (OpenBsd, "--proxy a h 1", Http, "a", 3128),
        (Ncat, "--proxy a h 1", Http, "a", 3128),
        (Ncat, "--proxy a:9 --proxy-type socks4 h 1", Socks4, "a", 9),
        (Ncat, "--proxy a --proxy-type 5 h 1", Socks5, "a", 1080),
        (Ncat, "--proxy ::1 h 1", Http, "::1", 3128),
        (Ncat, "--proxy [::1]:9 h 1", Http, "::1", 9),
        (Ncat, "--proxy [::1] h 1", Http, "::1", 3128),
    ] {
        let expected = vec![(protocol, host.to_owned(), port)];
        assert_eq!(proxies(dialect, line), expected, "{dialect:?} {line}");
    }
}

#[test]
fn proxies_are_chained_in_order_each_with_its_own() {
    use ProxyProtocol::{Http, Socks4, Socks5};
    let named = |list: &[(ProxyProtocol, &str, u16)]| -> Vec<(ProxyProtocol, String, u16)> {
        list.iter()
            .map(|(protocol, host, port)| (*protocol, (*host).to_owned(), *port))
            .collect()
    };
    assert_eq!(
        proxies(OpenBsd, "-x a -x b -X 4 -X 5 -x c h 1"),
        named(&[
            (Socks4, "a", 1080),
            (Socks5, "b", 1080),
            (Socks5, "c", 1080)
        ])
    );
    assert_eq!(
        proxies(OpenBsd, "-x a --proxy b h 1"),
        named(&[(Socks5, "a", 1080), (Http, "b", 3128)])
    );
    assert_eq!(
        proxies(OpenBsd, "-X 4 -X connect -x a h 1"),
        named(&[(Http, "a", 3128)])
    );
    let options = right(
        Ncat,
        "--proxy a --proxy-auth u:p:q --proxy b --proxy-type socks5 --proxy-dns local h 1",
    );
    let [first, second] = connecting(&options).proxies.as_slice() else {
        panic!("two were given");
    };
    let login = first.login.as_ref().expect("it was given");
    assert_eq!(login.user, "u");
    assert_eq!(login.password, Password::Known("p:q".to_owned()));
    assert!(!format!("{login:?}").contains('q'), "{login:?}");
    assert_eq!(second.login, None, "a password goes nowhere unasked");
    assert_eq!(
        (first.lookup, second.lookup),
        (Lookup::Local, Lookup::Local)
    );
    let options = right(OpenBsd, "-X 4 -x a h 1");
    assert_eq!(connecting(&options).proxies[0].lookup, Lookup::Local);
}

#[test]
fn a_proxys_password_comes_from_the_command_line_a_variable_or_the_terminal() {
    let variable = |name: &str| match name {
        "NCAT_PROXY_AUTH" => Some("env:secret".to_owned()),
        "MAILTOOL_PROXY_PASSWORD" => Some("mine".to_owned()),
        _ => None,
    };
    let known = |user: &str, password: &str| Login {
        user: user.to_owned(),
        password: Password::Known(password.to_owned()),
    };
    for (dialect, line, expected) in [
        (Ncat, "--proxy a h 1", known("env", "secret")),
        (Ncat, "--proxy a --proxy-auth me:x h 1", known("me", "x")),
        (Ncat, "--proxy a --proxy-auth me h 1", known("me", "")),
        (OpenBsd, "-x a -P me h 1", known("me", "mine")),
    ] {
        let options = understood_with(dialect, line, &variable).expect("it is right");
        let login = connecting(&options).proxies[0].login.clone();
        assert_eq!(login, Some(expected), "{line}");
    }
    let options = right(OpenBsd, "-x a -P me h 1");
    let login = connecting(&options).proxies[0].login.clone();
    assert_eq!(login.expect("given").password, Password::Ask);
    let options = understood_with(Ncat, "-l --proxy-type socks5", &variable).expect("right");
    let expected = ProxyServer {
        kind: ProxyServerKind::Socks,
        login: Some(known("env", "secret")),
    };
    assert_eq!(listening(&options).service, Service::Proxy(expected));
}

#[test]
fn tls_begins_and_is_checked_as_the_manual_tells() {
    for (line, begins, check) in [
        ("h 1", Begins::Never, Check::Nothing),
        ("--ssl h 1", Begins::AtOnce, Check::Nothing),
        ("--ssl-verify h 1", Begins::AtOnce, Check::Always),
        ("--ssl-trustfile f h 1", Begins::AtOnce, Check::Always),
        ("--ssl --ca f h 1", Begins::AtOnce, Check::Always),
        ("--ssl-alpn imap h 1", Begins::AtOnce, Check::Nothing),
        (
            "--starttls smtp h 1",
            Begins::After(Protocol::Smtp),
            Check::UnlessLoopback,
        ),
        (
            "--starttls=ftp --ca f h 1",
            Begins::After(Protocol::Ftp),
            Check::Always,
        ),
        (
            "--starttls imap --insecure h 1",
            Begins::After(Protocol::Imap),
            Check::Nothing,
        ),
        (
            "--starttls pop3 --ssl-verify h 1",
            Begins::After(Protocol::Pop3),
            Check::Always,
        ),
        ("--mail h 1", Begins::WhenAgreed, Check::UnlessLoopback),
        ("--ssl --imap h 1", Begins::AtOnce, Check::UnlessLoopback),
        ("--mail --ca f h 1", Begins::WhenAgreed, Check::Always),
        ("--mail --insecure h 1", Begins::WhenAgreed, Check::Nothing),
    ] {
        let tls = right(OpenBsd, line).tls;
        assert_eq!((tls.begins, tls.check), (begins, check), "{line}");
    }
    let tls = right(
        Ncat,
        "--ssl-cert c --ssl-key k --ssl-ciphers A:B --ssl-servername n --ssl-alpn imap,smtp h 1",
    )
    .tls;
    let expected = Identity {
        certificate: PathBuf::from("c"),
        key: PathBuf::from("k"),
    };
    assert_eq!(tls.identity, Some(expected));
    assert_eq!(tls.ciphers.as_deref(), Some("A:B"));
    assert_eq!(tls.server_name.as_deref(), Some("n"));
    assert_eq!(tls.alpn, ["imap", "smtp"]);
}

#[test]
fn mail_mode_is_asked_for_in_several_ways() {
    for (line, protocol, explain) in [
        ("--mail h 1", None, None),
        ("--pop3 h 1", Some(Protocol::Pop3), None),
        ("--explain h 1", None, Some(Lang::En)),
        (
            "--explain=fr --smtp h 1",
            Some(Protocol::Smtp),
            Some(Lang::Fr),
        ),
        ("--mail --starttls imap h 1", Some(Protocol::Imap), None),
    ] {
        let expected = Some(Mail {
            protocol,
            explain,
            stay: Stay::UntilAnswered,
            checks: Checks::First,
        });
        assert_eq!(right(OpenBsd, line).mail, expected, "{line}");
    }
    assert_eq!(right(OpenBsd, "--starttls smtp h 1").mail, None);
    let mail = right(OpenBsd, "--check h 1").mail;
    assert_eq!(mail.map(|mail| mail.checks), Some(Checks::All));
}

#[test]
fn evidence_is_written_where_it_is_wanted() {
    let options = right(
        OpenBsd,
        "-o a --hex-dump b --output c --append-output --timing h 1",
    );
    let dump = |format, file: &str| Dump {
        format,
        file: PathBuf::from(file),
    };
    assert_eq!(
        options.evidence.dumps,
        [
            dump(DumpFormat::HexLines, "a"),
            dump(DumpFormat::Text, "c"),
            dump(DumpFormat::Hex, "b")
        ]
    );
    assert!(options.evidence.append && options.evidence.timing);
    let options = right(Ncat, "-o a -x b h 1");
    let expected = [dump(DumpFormat::Text, "a"), dump(DumpFormat::Hex, "b")];
    assert_eq!(options.evidence.dumps, expected);
    // Two of them may go to the terminal.
    right(OpenBsd, "-o /dev/stderr --transcript /dev/stderr h 1");
}

#[test]
fn hosts_that_may_call_are_lists() {
    let v4 = |text: &str| {
        text.parse::<Ipv4Addr>()
            .map(IpAddr::from)
            .expect("an address")
    };
    for (hosts, inside, outside) in [
        ("192.0.2.1", vec!["192.0.2.1"], vec!["192.0.2.2"]),
        (
            "192.0.2.0/24",
            vec!["192.0.2.0", "192.0.2.255"],
            vec!["192.0.3.0"],
        ),
        ("192.0.2.77/24", vec!["192.0.2.1"], vec!["192.0.1.77"]),
        ("0.0.0.0/0", vec!["203.0.113.9"], vec![]),
        (
            "10.*.0.1-3",
            vec!["10.0.0.1", "10.255.0.3"],
            vec!["10.0.0.4", "10.0.1.1", "11.0.0.1"],
        ),
        ("10.0.0.200-", vec!["10.0.0.255"], vec!["10.0.0.199"]),
        ("10.0.-3.1", vec!["10.0.0.1", "10.0.3.1"], vec!["10.0.4.1"]),
        (
            "10.0-1.0.0/16",
            vec!["10.0.9.9", "10.1.255.255"],
            vec!["10.2.0.0"],
        ),
        (
            "10.0.0.6/31,10.0.0.1",
            vec!["10.0.0.6", "10.0.0.7", "10.0.0.1"],
            vec!["10.0.0.5", "10.0.0.8"],
        ),
        ("lab.test", vec!["192.0.2.7"], vec!["192.0.2.8"]),
        ("lab.test/24", vec!["192.0.2.8"], vec!["192.0.3.7"]),
    ] {
        let options = right(Ncat, &format!("-4 --allow {hosts} -l"));
        let access = &listening(&options).access;
        for address in inside {
            assert!(access.admits(v4(address)), "{hosts} has {address}");
            let mapped = Ipv6Addr::from_bits(
                0xffff_0000_0000
                    | u128::from(u32::from(address.parse::<Ipv4Addr>().expect("an address"))),
            );
            assert!(access.admits(mapped.into()), "{hosts} has {mapped}");
        }
        for address in outside {
            assert!(!access.admits(v4(address)), "{hosts} has not {address}");
        }
    }
    let v6 = |text: &str| {
        text.parse::<Ipv6Addr>()
            .map(IpAddr::from)
            .expect("an address")
    };
    let options = right(Ncat, "--allow 2001:db8::/33,lab.test -l");
    let access = &listening(&options).access;
    assert!(access.admits(v6("2001:db8:7fff::1")) && !access.admits(v6("2001:db8:8000::1")));
    assert!(
        !access.admits(v4("32.1.13.184")),
        "an IPv4 address is no IPv6 one"
    );
}

#[test]
fn files_hold_lists_within_octets_and_comments() {
    let options = right(Ncat, "--allowfile /hosts --deny 10.0.1.2 -l");
    let access = &listening(&options).access;
    let admits = |text: &str| access.admits(text.parse().expect("an address"));
    for address in ["10.0.1.1", "10.0.1.30", "192.0.2.7", "2001:db8::7", "::1"] {
        assert!(admits(address), "{address}");
    }
    for address in ["10.0.1.21", "127.0.0.1", "10.0.1.2"] {
        assert!(!admits(address), "{address}");
    }
}

#[test]
fn who_is_denied_is_denied_whoever_allows_it() {
    // ncat 7.93, called from 127.0.0.1: `New connection denied: not allowed`.
    let options = right(Ncat, "--allow 127.0.0.1 --deny 127.0.0.1 -l");
    let access = &listening(&options).access;
    assert!(!access.admits(Ipv4Addr::LOCALHOST.into()));
    let options = right(Ncat, "-l");
    let access = &listening(&options).access;
    assert!(access.is_open() && access.admits(Ipv4Addr::LOCALHOST.into()));
}

#[test]
fn a_letter_of_another_dialect_is_refused_by_getopt() {
    let (_, error) = CommandLine::cut(Ncat, &words("-N h 1")).expect_err("ncat has no -N");
    assert_eq!(error, GetoptError::UnknownLetter('N'));
}
