//! Captures, key logs and dumps, read by those whom they are for: tshark reads what `--pcap` writes, decrypted; and dumps are
//! what Debian's netcats write, octet for octet.

#[path = "support/program.rs"]
mod program;

use std::fs;
use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use mailtool::tap::dump::{Cutting, Dump, Format};
use mailtool::tap::pcapng::Capture;
use mailtool::tap::{Closing, Piece, Side, Tap};
use program::{MAILTOOL, Server, ended, free_ports, have, run, succeeded};

/// What Wireshark has to be told about ports that are not the standard ones.
#[derive(Clone, Default)]
struct Ports(Vec<String>);

impl Ports {
    fn plain(mut self, port: u16, protocol: &str) -> Self {
        self.0.push(format!("tcp.port=={port},{protocol}"));
        self
    }
    fn tls(mut self, port: u16, protocol: &str) -> Self {
        self.0.push(format!("tcp.port=={port},tls"));
        self.0.push(format!("tls.port=={port},{protocol}"));
        self
    }
    fn both(self, other: &Self) -> Self {
        Self([&self.0[..], &other.0[..]].concat())
    }
}

fn tshark(file: &Path, ports: &Ports, words: &[&str]) -> String {
    let mut command = Command::new("tshark");
    // Without a home there are no preferences of whoever runs this.
    command.env("HOME", "/nonexistent").env("LC_ALL", "C");
    command.arg("-n").arg("-r").arg(file);
    for port in &ports.0 {
        command.args(["-d", port]);
    }
    for check in [
        "tcp.check_checksum",
        "udp.check_checksum",
        "ip.check_checksum",
    ] {
        command.args(["-o", &format!("{check}:TRUE")]);
    }
    // Otherwise it is a warning that AUTH's base64 is not decoded.
    command.args(["-o", "smtp.decryption:TRUE"]);
    succeeded(&run(command.args(words), ""))
}

/// The lines that tshark makes of packets that match `filter`, with these fields.
fn lines(file: &Path, ports: &Ports, filter: &str, fields: &[&str]) -> Vec<String> {
    let mut words = vec!["-Y", filter, "-T", "fields", "-E", "occurrence=a"];
    words.extend(fields.iter().flat_map(|field| ["-e", field]));
    let lines = tshark(file, ports, &words);
    lines
        .lines()
        .map(|line| line.trim_end().replace('\t', " "))
        .collect()
}

/// All that tshark has to complain of in a file: of TCP, of checksums, and of anything else by a warning at least.
fn complaints(file: &Path, ports: &Ports) -> String {
    let filter = "tcp.analysis.flags || _ws.malformed || ip.checksum.status == 0 || tcp.checksum.status == 0 \
                  || udp.checksum.status == 0 || _ws.expert.severity >= 0x600000";
    let said = tshark(file, ports, &["-Y", filter, "-z", "expert,warn"]);
    said.trim().to_owned()
}

fn assert_clean(file: &Path, ports: &Ports) {
    assert_eq!(complaints(file, ports), "", "{}", file.display());
}

/// Runs a client as alice.
fn client(server: &Server, service: &str, words: &[&str], options: &[&str]) -> Command {
    let mut command = Command::new(MAILTOOL);
    command
        .args(words)
        .args(options)
        .args(["-u", "alice", "--timeout", "10", "--server"])
        .arg(format!("localhost:{}", server.port(service)))
        .arg("--ca")
        .arg(server.authority())
        .current_dir(server.folder.path())
        .env("MAILTOOL_PASSWORD", "alice")
        .env_remove("SSLKEYLOGFILE");
    command
}

const SEND: [&str; 8] = [
    "send",
    "--helo",
    "pc1",
    "-f",
    "alice@localhost",
    "bob@localhost",
    "--body",
    "hello",
];
const SAID_BY_SEND: &str = "EHLO pc1|AUTH PLAIN AGFsaWNlAGFsaWNl|MAIL FROM:<alice@localhost> SIZE=NN|RCPT TO:<bob@localhost>|DATA|QUIT";
const SAID_BY_POP: &str = "CAPA|AUTH PLAIN AGFsaWNlAGFsaWNl|STAT|QUIT";
const SAID_BY_IMAP: &str = "AUTHENTICATE|LIST|LOGOUT";

/// The commands that tshark finds in a capture of SMTP, each with its parameter.
fn smtp_commands(file: &Path, ports: &Ports) -> String {
    let found = lines(
        file,
        ports,
        "smtp.req.command",
        &["smtp.req.command", "smtp.req.parameter"],
    );
    let found = found.iter().flat_map(|line| {
        let (commands, parameters) = line.split_once(' ').unwrap_or((line, ""));
        let mut parameters = parameters.split(',');
        commands
            .split(',')
            .map(|command| {
                let parameter = parameters.next().unwrap_or_default();
                // How long the date is in the header is not always the same.
                let parameter = match parameter.split_once(" SIZE=") {
                    Some((before, _)) => format!("{before} SIZE=NN"),
                    None => parameter.to_owned(),
                };
                // QUIRK: to tshark a command has four letters.
                let command = format!("{command} {parameter}").replace("STAR TLS", "STARTTLS");
                command.trim_end().to_owned()
            })
            .collect::<Vec<_>>()
    });
    found.collect::<Vec<_>>().join("|")
}

fn pop_commands(file: &Path, ports: &Ports) -> String {
    let fields = ["pop.request.command", "pop.request.parameter"];
    lines(file, ports, "pop.request.command", &fields).join("|")
}

fn imap_commands(file: &Path, ports: &Ports) -> String {
    lines(file, ports, "imap.request", &["imap.request.command"]).join("|")
}

/// What the three clients say over a connection that begins so, as tshark finds it in their captures, and in the server's.
fn sessions(options: &[&str], services: [&str; 3], ports: impl Fn(u16, &str) -> Ports) {
    // One login that says the same each time.
    let server = Server::start_with(&["--pcap", "server.pcapng", "--auth", "PLAIN"]);
    let folder = server.folder.path();
    let of_server = folder.join("server.pcapng");
    let upgrade = |word: &str| match options.contains(&"--starttls") {
        true => format!("{word}|"),
        false => String::new(),
    };
    type Commands = fn(&Path, &Ports) -> String;
    let sessions: [(&[&str], &str, Commands, String); 3] = [
        (
            &SEND,
            "smtp",
            smtp_commands,
            match upgrade("STARTTLS") {
                none if none.is_empty() => SAID_BY_SEND.to_owned(),
                upgrade => format!("EHLO pc1|{upgrade}{SAID_BY_SEND}"),
            },
        ),
        (
            &["pop", "stat"],
            "pop",
            pop_commands,
            match upgrade("STLS") {
                none if none.is_empty() => SAID_BY_POP.to_owned(),
                upgrade => format!("CAPA|{upgrade}{SAID_BY_POP}"),
            },
        ),
        (
            &["imap", "folders"],
            "imap",
            imap_commands,
            match upgrade("STARTTLS") {
                none if none.is_empty() => SAID_BY_IMAP.to_owned(),
                upgrade => format!("{upgrade}CAPABILITY|{SAID_BY_IMAP}"),
            },
        ),
    ];
    let mut all = Ports::default();
    for ((words, protocol, commands, expected), service) in sessions.iter().zip(services) {
        let ports = ports(server.address(service).port(), protocol);
        let of_client = folder.join(format!("{protocol}.pcapng"));
        let pcap = ["--pcap", of_client.to_str().expect("UTF-8")];
        let options = [options, &pcap].concat();
        ended(&run(&mut client(&server, service, words, &options), ""), 0);
        assert_eq!(
            commands(&of_client, &ports),
            *expected,
            "{protocol} {options:?}"
        );
        assert_clean(&of_client, &ports);
        if options.contains(&"--tls") || options.contains(&"--starttls") {
            // The certificate is among the first that TLS 1.3 encrypts (RFC 8446 §2): its secret has to be there before it.
            let certificate = lines(
                &of_client,
                &ports,
                "tls.handshake.type == 11",
                &["ip.version"],
            );
            assert_eq!(certificate, ["4"], "{protocol} {options:?}");
        }
        let mode = fs::metadata(&of_client).expect("a file").permissions();
        assert_eq!(mode.mode() & 0o777, 0o600, "there are passwords in it");
        let comments = lines(&of_client, &ports, "frame.comment", &["frame.comment"]);
        let port = server.port(service);
        assert_eq!(comments, [format!("mailtool to localhost:{port}")]);
        all = all.both(&ports);
    }
    // Killed, it has no time to write anything more.
    let folder = server.kill();
    let of_server = folder.path().join(of_server.file_name().expect("a name"));
    for (_, protocol, commands, expected) in &sessions {
        assert_eq!(
            commands(&of_server, &all),
            *expected,
            "{protocol} {options:?}"
        );
    }
    assert_clean(&of_server, &all);
    let comments = lines(&of_server, &all, "frame.comment", &["frame.comment"]);
    let [smtp, pop, imap] = services;
    let expected = [
        format!("{smtp} session 1"),
        format!("{pop} session 2"),
        format!("{imap} session 3"),
    ];
    assert_eq!(comments, expected);
}

#[test]
fn sessions_in_the_clear_are_found() {
    if have("tshark", "tshark") {
        let ports = |port, protocol: &str| Ports::default().plain(port, protocol);
        sessions(&[], ["submission", "pop3", "imap"], ports);
    }
}

#[test]
fn sessions_behind_tls_are_found() {
    if have("tshark", "tshark") {
        let ports = |port, protocol: &str| Ports::default().tls(port, protocol);
        sessions(&["--tls"], ["smtps", "pop3s", "imaps"], ports);
    }
}

#[test]
fn sessions_behind_starttls_are_found() {
    if have("tshark", "tshark") {
        let ports = |port, protocol: &str| Ports::default().plain(port, protocol);
        sessions(&["--starttls"], ["submission", "pop3", "imap"], ports);
    }
}

#[test]
fn tls_1_2_is_opened_too_on_either_side() {
    if !have("tshark", "tshark") || !have("openssl", "openssl") || !have("socat", "socat") {
        return;
    }
    let server = Server::start_with(&["--pcap", "server.pcapng", "--auth", "PLAIN"]);
    let mut ports = Ports::default();
    for (service, starttls, protocol, said) in [
        ("submission", Some("smtp"), "smtp", "NOOP\nQUIT\n"),
        ("pop3", Some("pop3"), "pop", "QUIT\n"),
        ("imap", Some("imap"), "imap", "a NOOP\nb LOGOUT\n"),
        ("pop3s", None, "pop", "QUIT\n"),
    ] {
        let mut openssl = Command::new("openssl");
        openssl.args(["s_client", "-tls1_2", "-quiet", "-crlf", "-connect"]);
        openssl.arg(server.address(service).to_string());
        openssl.args(
            starttls
                .map(|name| ["-starttls", name])
                .into_iter()
                .flatten(),
        );
        succeeded(&run(&mut openssl, said));
        let port = server.address(service).port();
        ports = match starttls {
            Some(_) => ports.plain(port, protocol),
            None => ports.tls(port, protocol),
        };
    }
    let file = server.folder.path().join("server.pcapng");
    let smtp = smtp_commands(&file, &ports);
    assert!(smtp.ends_with("STARTTLS|NOOP|QUIT"), "{smtp}");
    let pop = pop_commands(&file, &ports);
    assert!(pop.ends_with("STLS|QUIT|QUIT"), "{pop}");
    let imap = imap_commands(&file, &ports);
    assert!(imap.ends_with("STARTTLS|NOOP,LOGOUT"), "{imap}");
    let version = "tls.handshake.type == 2 && tls.handshake.version == 0x0303 && !tls.handshake.extensions.supported_version";
    assert_eq!(lines(&file, &ports, version, &["frame.number"]).len(), 4);
    assert_clean(&file, &ports);

    let (port, mut socat) = tls_1_2_before(&server, "pop3");
    let file = server.folder.path().join("client.pcapng");
    let pcap = ["--tls", "--pcap", "client.pcapng"];
    let mut pop = client(&server, "pop3", &["pop", "stat"], &pcap);
    ended(&run(pop.arg("--port").arg(port.to_string()), ""), 0);
    socat.0.wait().expect("it ends with its connection");
    let ports = Ports::default().tls(port, "pop");
    assert_eq!(pop_commands(&file, &ports), SAID_BY_POP);
    assert_eq!(lines(&file, &ports, version, &["frame.number"]).len(), 1);
    assert_clean(&file, &ports);
}

/// A program that is ended when dropped.
struct Peer(Child);

impl Drop for Peer {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// socat, that takes one connection by TLS 1.2, and passes on what is in it to a service in the clear.
fn tls_1_2_before(server: &Server, service: &str) -> (u16, Peer) {
    let [port] = free_ports();
    let tls = server.store().join("tls");
    let mut socat = Command::new("socat");
    let socat = socat
        .arg(format!(
            "OPENSSL-LISTEN:{port},bind=127.0.0.1,cert={tls}/cert.pem,key={tls}/key.pem,verify=0,\
             openssl-max-proto-version=TLS1.2",
            tls = tls.display()
        ))
        .arg(format!("TCP:{}", server.address(service)));
    let socat = Peer(socat.spawn().expect("socat is installed"));
    let begun = Instant::now();
    // It listens once it is found here: a connection would be the one that it takes.
    let row = format!("0100007F:{port:04X} 00000000:0000 0A");
    while !fs::read_to_string("/proc/net/tcp").is_ok_and(|table| table.contains(&row)) {
        assert!(begun.elapsed() < program::PATIENCE, "socat does not listen");
        thread::sleep(Duration::from_millis(5));
    }
    (port, socat)
}

#[test]
fn a_socket_in_the_file_system_has_addresses_in_the_capture() {
    if !have("tshark", "tshark") {
        return;
    }
    let server = Server::start_with(&["--pcap", "all.pcapng", "--lmtp", "unix:lmtp"]);
    let mut socket = UnixStream::connect(server.folder.path().join("lmtp")).expect("it listens");
    socket.write_all(b"LHLO pc1\r\nQUIT\r\n").expect("it reads");
    let mut said = String::new();
    socket.read_to_string(&mut said).expect("it closes");
    let file = server.folder.path().join("all.pcapng");
    let ports = Ports::default().plain(24, "smtp");
    assert_eq!(smtp_commands(&file, &ports), "LHLO pc1|QUIT");
    assert_clean(&file, &ports);
}

/// A netcat that waits for callers, once it says so.
fn listening(options: &[&str], port: u16) -> Child {
    let mut child = Command::new(MAILTOOL)
        .args(["nc", "-lnv"])
        .args(options)
        .arg(port.to_string())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("it starts");
    let mut said = String::new();
    let stderr = child.stderr.as_mut().expect("a pipe");
    while !said.ends_with('\n') {
        let mut octet = [0];
        assert_eq!(stderr.read(&mut octet).expect("a pipe"), 1, "{said}");
        said.push(char::from(octet[0]));
    }
    child
}

#[test]
fn callers_over_ipv6_and_datagrams_are_found() {
    if !have("tshark", "tshark") {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let file = |name: &str| folder.path().join(name);
    let [port, udp] = free_ports();
    let (all, ports) = (file("all.pcapng"), Ports::default());
    let words = all.to_str().expect("UTF-8");
    let mut listener = listening(&["-6", "--keep-open", "--pcap", words, "::1"], port);
    let mut came = vec![0; 8];
    for said in ["caller 1", "caller 2", "caller 3"] {
        let mut call = Command::new(MAILTOOL);
        call.args(["nc", "-6nN", "::1", &port.to_string()]);
        succeeded(&run(&mut call, said));
        let stdout = listener.stdout.as_mut().expect("a pipe");
        stdout.read_exact(&mut came).expect("it is written out");
        assert_eq!(came, said.as_bytes());
    }
    let fields = ["tcp.stream", "ipv6.dst", "tcp.payload"];
    let begun = Instant::now();
    // The last of them is shown to go a moment later.
    while lines(&all, &ports, "tcp.flags.fin == 1", &["tcp.stream"]).len() < 6 {
        assert!(
            begun.elapsed() < program::PATIENCE,
            "{:?}",
            complaints(&all, &ports)
        );
    }
    listener.kill().expect("a child");
    listener.wait().expect("a child");
    assert_eq!(
        lines(&all, &ports, "tcp.len > 0", &fields),
        [1, 2, 3].map(|caller| format!("{} ::1 63616c6c6572203{caller}", caller - 1))
    );
    assert_clean(&all, &ports);

    let (theirs, ours) = (file("theirs.pcapng"), file("ours.pcapng"));
    let options = [
        "-u",
        "-W1",
        "--pcap",
        theirs.to_str().expect("UTF-8"),
        "127.0.0.1",
    ];
    let mut listener = listening(&options, udp);
    let mut call = Command::new(MAILTOOL);
    call.args(["nc", "-nu", "-w1", "--pcap"]).arg(&ours);
    call.args(["127.0.0.1", &udp.to_string()]);
    run(&mut call, "ping");
    listener.wait().expect("a child");
    for file in [ours, theirs] {
        let found = lines(&file, &ports, "udp", &["udp.dstport", "udp.payload"]);
        assert_eq!(found, [format!("{udp} 70696e67")], "{}", file.display());
        assert_clean(&file, &ports);
    }
}

#[test]
fn a_peer_that_hangs_up_is_shown_to() {
    if !have("tshark", "tshark") {
        return;
    }
    let server = Server::start_with(&["--pcap", "all.pcapng"]);
    let mut stream = TcpStream::connect(server.address("pop3")).expect("it listens");
    let mut greeting = [0; 1];
    stream.read_exact(&mut greeting).expect("a greeting");
    // What is left unread makes the kernel send RST.
    drop(stream);
    let file = server.folder.path().join("all.pcapng");
    let begun = Instant::now();
    loop {
        let resets = lines(
            &file,
            &Ports::default(),
            "tcp.flags.reset == 1",
            &["tcp.dstport"],
        );
        if resets == [server.port("pop3")] {
            break;
        }
        assert!(begun.elapsed() < program::PATIENCE, "{resets:?}");
    }
    let flags = lines(
        &file,
        &Ports::default(),
        "tcp.analysis.flags",
        &["frame.number"],
    );
    assert_eq!(flags, [""; 0]);
}

#[test]
fn secrets_are_logged_where_sslkeylogfile_says() {
    let folder = tempfile::tempdir().expect("a folder");
    let (ours, theirs) = (folder.path().join("ours"), folder.path().join("theirs"));
    let server = Server::start_in_environment(&[], &[("SSLKEYLOGFILE", &theirs)]);
    fs::write(&ours, "# what was there before\n").expect("written");
    for (words, service) in [
        (&SEND[..], "smtps"),
        (&["pop", "stat"], "pop3s"),
        (&["imap", "folders"], "imaps"),
    ] {
        let options = ["--tls", "--pcap", "all.pcapng"];
        let mut command = client(&server, service, words, &options);
        ended(&run(command.env("SSLKEYLOGFILE", &ours), ""), 0);
    }
    let sorted = |path: &PathBuf| {
        let text = fs::read_to_string(path).expect("a key log");
        let mut lines: Vec<_> = text.lines().map(str::to_owned).collect();
        lines.sort();
        lines
    };
    let (ours, theirs) = (sorted(&ours), sorted(&theirs));
    assert_eq!(ours[0], "# what was there before");
    assert_eq!(ours[1..], theirs[..], "both sides have the same secrets");
    assert_eq!(theirs.len(), 3 * 5);
    let capture = fs::read(server.folder.path().join("all.pcapng")).expect("the last capture");
    let held = |line: &&String| memchr::memmem::find(&capture, line.as_bytes()).is_some();
    assert_eq!(
        theirs.iter().filter(held).count(),
        5,
        "those of one session"
    );

    let mut command = client(&server, "pop3s", &["pop", "stat"], &["--tls"]);
    command.env("SSLKEYLOGFILE", folder.path().join("none/keys"));
    let (said, complained) = ended(&run(&mut command, ""), 0);
    assert_eq!(said, "0 0\n");
    assert!(
        complained.matches("SSLKEYLOGFILE").count() == 1 && complained.contains("No such file"),
        "{complained}"
    );
    command.env("SSLKEYLOGFILE", "");
    assert_eq!(ended(&run(&mut command, ""), 0).1, "");
}

#[test]
fn a_capture_that_cannot_be_written_is_told() {
    let server = Server::start();
    let try_with = |path: &str| {
        let options = ["--pcap", path];
        run(&mut client(&server, "pop3", &["pop", "stat"], &options), "")
    };
    for path in ["none/all.pcapng", "/dev/full"] {
        let (_, complained) = ended(&try_with(path), 74);
        assert!(
            complained.contains(&format!("--pcap {path}: ")),
            "{complained}"
        );
    }
    // One that breaks off later does not disturb the conversation.
    let pipe = server.folder.path().join("pipe");
    succeeded(&run(Command::new("mkfifo").arg(&pipe), ""));
    let reader = thread::spawn(move || {
        let mut some = [0; 100];
        fs::File::open(pipe).expect("a pipe").read_exact(&mut some)
    });
    let (said, complained) = ended(&try_with("pipe"), 0);
    assert_eq!(said, "0 0\n");
    assert!(
        complained.contains("--pcap pipe: the capture is not complete"),
        "{complained}"
    );
    reader.join().expect("no panic").expect("the beginning");
}

/// Where the first sequence number is in the first packet that a connection over IPv4 writes.
const SEQUENCE: usize = 28 + 14 + 20 + 4;

/// Keeps each write by itself.
#[derive(Clone, Default)]
struct Writes(Arc<Mutex<Vec<Vec<u8>>>>);

impl Write for Writes {
    fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        self.0.lock().expect("no panic").push(octets.to_vec());
        Ok(octets.len())
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn wireshark_has_nothing_to_complain_of_in_long_transfers() {
    if !have("tshark", "tshark") {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("long.pcapng");
    let client = SocketAddr::new(Ipv4Addr::LOCALHOST.into(), 50_000);
    let server = SocketAddr::new(Ipv4Addr::LOCALHOST.into(), 2000);
    // Connections until one whose sequence numbers will come to their end, and go on from 0.
    let writes = Writes::default();
    let capture = Capture::new(Box::new(writes.clone())).expect("memory");
    let near_the_end = (1..10_000).find(|_| {
        drop(capture.stream(SystemTime::now(), client, server, ""));
        let writes = writes.0.lock().expect("no panic");
        let first = writes.last().expect("a handshake");
        let sequence = first[SEQUENCE..SEQUENCE + 4].try_into().expect("four");
        u32::from_be_bytes(sequence) > u32::MAX - 10_000_000
    });
    let near_the_end = near_the_end.expect("one of so many");

    let sink = fs::File::create(&file).expect("a file");
    let capture = Capture::new(Box::new(sink)).expect("a capture");
    let long: Vec<u8> = (0..20_000_000_u32).map(|n| (n >> 3) as u8).collect();
    let six = |port| SocketAddr::new(Ipv6Addr::LOCALHOST.into(), port);
    for number in 1..=near_the_end + 1 {
        let port = 20_000 + number as u16;
        let (client, server) = match number > near_the_end {
            true => (six(port), six(2000)),
            false => (SocketAddr::new(client.ip(), port), server),
        };
        let mut wire = capture.stream(SystemTime::now(), client, server, "long");
        if number >= near_the_end {
            for piece in long.chunks(256 * 1024) {
                wire.crossed(SystemTime::now(), Side::Client, piece);
                wire.crossed(SystemTime::now(), Side::Server, &piece[..piece.len() / 2]);
            }
        }
        wire.closed(SystemTime::now(), Side::Server, Closing::End);
        wire.closed(SystemTime::now(), Side::Client, Closing::End);
    }
    let (resolver, name_server) = (six(3000), six(53));
    let mut wire = capture.datagrams(resolver, name_server, "a datagram");
    wire.crossed(SystemTime::now(), Side::Client, &[b'x'; 60_000]);
    let ports = Ports(vec!["udp.port==53,data".to_owned()]);
    assert_clean(&file, &ports);
    let lengths = lines(
        &file,
        &ports,
        "tcp.srcport == 2000 && tcp.len > 0",
        &["tcp.len"],
    );
    let sum: u64 = lengths
        .iter()
        .map(|length| length.parse::<u64>().expect("a number"))
        .sum();
    assert_eq!(sum, 2 * 10_000_000);
    let wrapped = lines(
        &file,
        &ports,
        "tcp.seq_raw < 10000000 && tcp.seq > 65536",
        &["tcp.seq"],
    );
    assert!(
        !wrapped.is_empty(),
        "it did not come to the end of sequence numbers"
    );
    assert_eq!(lines(&file, &ports, "udp", &["udp.length"]), ["60008"]);
}

#[test]
fn a_checksum_that_is_wrong_would_be_found() {
    if !have("tshark", "tshark") {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("bad.pcapng");
    let address = |port| SocketAddr::new(Ipv4Addr::LOCALHOST.into(), port);
    let sink = fs::File::create(&file).expect("a file");
    let capture = Capture::new(Box::new(sink)).expect("a capture");
    let mut wire = capture.stream(SystemTime::now(), address(50_000), address(2000), "");
    wire.crossed(SystemTime::now(), Side::Client, b"find me");
    wire.crossed(SystemTime::now(), Side::Server, b"and me");
    let good = fs::read(&file).expect("a file");
    assert_clean(&file, &Ports::default());
    let changed = |from: &[u8], to: &[u8]| {
        let at = memchr::memmem::find(&good, from).expect("it is there");
        let mut bad = good.clone();
        bad[at..at + to.len()].copy_from_slice(to);
        fs::write(&file, bad).expect("written");
        complaints(&file, &Ports::default())
    };
    assert!(changed(b"find me", b"lose").contains("Bad checksum"));
    // Flags PSH and ACK, and the window, of data; a FIN more, and the octets after it are too many.
    let said = changed(&[0x50, 0x18, 0xff, 0xff], &[0x50, 0x19]);
    assert!(said.lines().count() > 3, "{said}");
}

/// What a peer and a netcat say to each other, a turn each, far enough apart not to run together.
const TURNS: [(Side, &[u8]); 6] = [
    (Side::Server, b"220 hi there, this is longer than a row\r\n"),
    (Side::Client, b"HELO a\r\nMAIL FROM:<a@example.org>\r\n"),
    (Side::Server, b"\x00\x01\x1f ~\x7f\x80\xff"),
    (Side::Client, b"sixteen octets!\n"),
    (Side::Client, &[b'\n'; 300]),
    (Side::Server, b"bye"),
];

/// What `netcat` writes to a file when it is given these options with the file's name behind them.
fn dumped_by(netcat: &str, options: &[&str]) -> Vec<u8> {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("dump");
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("bound");
    let mut command = Command::new(netcat);
    command
        .args(options)
        .arg(&file)
        .arg(address.ip().to_string())
        .arg(address.port().to_string())
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    let mut netcat = Peer(command.spawn().expect("it is installed"));
    let mut stdin = netcat.0.stdin.take().expect("a pipe");
    let (mut peer, _) = listener.accept().expect("it connects");
    for (side, octets) in TURNS {
        match side {
            Side::Server => peer.write_all(octets).expect("it reads"),
            Side::Client => stdin.write_all(octets).expect("it reads"),
        }
        thread::sleep(Duration::from_millis(200));
    }
    drop((peer, stdin));
    netcat.0.wait().expect("it ends");
    fs::read(&file).expect("a dump")
}

#[test]
fn dumps_are_those_of_the_netcats() {
    let dumped = |format| {
        let sink = Arc::new(Mutex::new(Vec::new()));
        let mut dump = Dump::new(sink.clone(), format, Cutting::Pieces, Side::Client);
        for (side, octets) in TURNS {
            dump.saw(Instant::now(), side, Piece::Bytes(octets));
        }
        sink.lock().expect("no panic").clone()
    };
    let same = |netcat: &str, options: &[&str], format: Format| {
        let (theirs, ours) = (dumped_by(netcat, options), dumped(format));
        let text = |octets: &[u8]| String::from_utf8_lossy(octets).into_owned();
        assert_eq!(text(&ours), text(&theirs), "{netcat} {options:?}");
        assert_eq!(ours, theirs);
    };
    if have("ncat", "ncat") {
        same("ncat", &["-o"], Format::Text);
        same("ncat", &["-x"], Format::Ncat);
    }
    if have("nc.traditional", "netcat-traditional") {
        same("nc.traditional", &["-o"], Format::Traditional);
    }
}
