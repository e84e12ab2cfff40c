//! UDP.

use super::*;

#[test]
fn datagrams_are_asked_and_answered() {
    let peer = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    peer.set_read_timeout(Some(PATIENCE)).unwrap();
    let port = peer.local_addr().unwrap().port().to_string();
    let mut command = ours(&["-u", "-w", "1", "127.0.0.1", &port]);
    let mut child = command.stdin(Stdio::piped()).spawn().unwrap();
    child
        .stdin
        .take()
        .unwrap()
        .write_all(b"question\n")
        .unwrap();
    let mut buffer = [0; 100];
    let (octets, from) = peer.recv_from(&mut buffer).unwrap();
    assert_eq!(&buffer[..octets], b"question\n");
    thread::sleep(Duration::from_millis(200));
    peer.send_to(b"", from).unwrap();
    peer.send_to(b"answer\n", from).unwrap();
    let ended = end(child);
    assert_eq!((ended.code, ended.stdout.as_str()), (Some(0), "answer\n"));
}

#[test]
fn a_datagram_listener_answers_its_caller() {
    for keep in ["-luvn", "-lukvn"] {
        let mut command = ours(&[keep, "127.0.0.1", "0"]);
        command.stdin(Stdio::piped());
        let (mut child, port, mut stderr) = listening(command);
        let peer = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        peer.set_read_timeout(Some(PATIENCE)).unwrap();
        let to = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        peer.send_to(b"hello", to).unwrap();
        assert_eq!(read_exact(child.stdout.as_mut().unwrap(), 5), "hello");
        if keep == "-luvn" {
            let mut line = String::new();
            stderr.read_line(&mut line).unwrap();
            let caller = peer.local_addr().unwrap().port();
            assert_eq!(line, format!("Connection received on 127.0.0.1 {caller}\n"));
        }
        child.stdin.as_mut().unwrap().write_all(b"hi").unwrap();
        let mut buffer = [0; 10];
        let octets = peer.recv(&mut buffer).unwrap();
        assert_eq!(&buffer[..octets], b"hi");
        child.kill().unwrap();
        child.wait().unwrap();
    }
}

#[test]
fn datagram_ports_are_probed() {
    let peer = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let port = peer.local_addr().unwrap().port().to_string();
    let ended = run(&["-zuv", "-w", "1", "127.0.0.1", &port]);
    let expected = format!("Connection to 127.0.0.1 {port} port [udp/*] succeeded!\n");
    assert_eq!((ended.code, ended.stderr), (Some(0), expected));
    drop(peer);
    let ended = run(&["-zuv", "-w", "1", "127.0.0.1", &port]);
    assert_eq!((ended.code, ended.stderr.as_str()), (Some(1), ""));
}
