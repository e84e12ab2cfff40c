//! Telnet options: what is answered, and what is shown.

use super::*;

/// What `program -t` answers, and what it prints, when a server sends `octets` at once and closes after a while.
fn telnet_of(program: &str, octets: &[u8]) -> (Vec<u8>, Vec<u8>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("bound").port().to_string();
    let mut child = Command::new(program)
        .args(["-t", "127.0.0.1", &port])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("it is here");
    let (mut stream, _) = listener.accept().expect("a client");
    stream.write_all(octets).expect("it reads");
    stream
        .set_read_timeout(Some(Duration::from_millis(300)))
        .expect("a timeout");
    let mut answer = Vec::new();
    let mut buffer = [0; 100];
    loop {
        match stream.read(&mut buffer) {
            Ok(0) => break,
            Ok(count) => answer.extend_from_slice(&buffer[..count]),
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
                break;
            }
            Err(error) => panic!("{error}"),
        }
    }
    drop((stream, child.stdin.take()));
    let mut printed = Vec::new();
    let mut stdout = child.stdout.take().expect("a pipe");
    stdout.read_to_end(&mut printed).expect("it ends");
    child.wait().expect("it ends");
    (answer, printed)
}

#[test]
fn requests_are_answered_as_by_openbsds_netcat_and_by_ncat() {
    for (program, package) in [("nc.openbsd", "netcat-openbsd"), ("ncat", "ncat")] {
        if !have(program, package) {
            continue;
        }
        for asked in [
            &b"\xff\xfd\x18"[..],
            b"\xff\xfb\x01",
            b"\xff\xfd\x18\xff\xfb\x01\xff\xfd\x1f\xff\xfb\x03login: ",
        ] {
            let (mut text, mut reply) = (Vec::new(), Vec::new());
            Telnet::default().filter(asked, &mut text, &mut reply);
            assert_eq!(telnet_of(program, asked).0, reply, "{program} {asked:?}");
        }
        // Where we differ: they answer answers, and so two of them never stop; and what they answer stays in the text.
        let (answer, printed) = telnet_of(program, b"\xff\xfe\x18\xff\xfc\x01");
        assert_eq!(answer, b"\xff\xfc\x18\xff\xfe\x01", "{program}");
        assert_eq!(printed, b"\xff\xfe\x18\xff\xfc\x01", "{program}");
    }
    let (mut text, mut reply) = (Vec::new(), Vec::new());
    Telnet::default().filter(b"\xff\xfe\x18\xff\xfc\x01", &mut text, &mut reply);
    assert_eq!((text, reply), (Vec::new(), Vec::new()));
}
