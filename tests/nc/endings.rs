//! Who ends when, and why: the end of input, the peer's, resets, readers that go away, signals.

use std::os::unix::process::ExitStatusExt;

use rustix::process::{Pid, Signal, kill_process};

use super::*;

#[test]
fn minus_n_lets_a_server_that_reads_to_the_end_answer() {
    let (listener, port) = server();
    let mut command = ours(&["-N", "127.0.0.1", &port]);
    let mut child = command.stdin(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(b"question").unwrap();
    let mut peer = accept(&listener);
    assert_eq!(read_all(&mut peer), "question");
    peer.write_all(b"answer").unwrap();
    drop(peer);
    let ended = end(child);
    assert_eq!((ended.code, ended.stdout.as_str()), (Some(0), "answer"));
}

#[test]
fn without_minus_n_the_peer_is_not_told_and_is_read_to_its_end() {
    let (listener, port) = server();
    let child = ours(&["127.0.0.1", &port]).spawn().unwrap();
    let mut peer = accept(&listener);
    peer.set_read_timeout(Some(Duration::from_millis(300)))
        .unwrap();
    let kind = loop {
        match peer.read(&mut [0; 10]).unwrap_err().kind() {
            io::ErrorKind::Interrupted => {}
            kind => break kind,
        }
    };
    assert_eq!(kind, io::ErrorKind::WouldBlock, "no end yet");
    peer.write_all(b"still").unwrap();
    drop(peer);
    let ended = end(child);
    assert_eq!((ended.code, ended.stdout.as_str()), (Some(0), "still"));
}

#[test]
fn minus_q_leaves_after_the_end_of_input() {
    let (listener, port) = server();
    let begin = Instant::now();
    let child = ours(&["-q", "1", "127.0.0.1", &port]).spawn().unwrap();
    let mut peer = accept(&listener);
    assert_eq!(read_all(&mut peer), "", "-q implies -N");
    peer.write_all(b"in time").unwrap();
    let ended = end(child);
    assert_eq!((ended.code, ended.stdout.as_str()), (Some(0), "in time"));
    assert!(begin.elapsed() > Duration::from_millis(950));
}

#[test]
fn minus_q_leaves_early_when_the_peer_does() {
    let (listener, port) = server();
    // Longer than `end` waits.
    let child = ours(&["-q", "500", "127.0.0.1", &port]).spawn().unwrap();
    accept(&listener).write_all(b"bye").unwrap();
    let ended = end(child);
    assert_eq!((ended.code, ended.stdout.as_str()), (Some(0), "bye"));
}

#[test]
fn minus_w_leaves_a_silent_peer_without_complaint() {
    let (listener, port) = server();
    let begin = Instant::now();
    let mut command = ours(&["-w", "3", "127.0.0.1", &port]);
    let mut child = command.stdin(Stdio::piped()).spawn().unwrap();
    let _stdin = child.stdin.take();
    let mut peer = accept(&listener);
    thread::sleep(Duration::from_millis(500));
    peer.write_all(b"220 ").unwrap();
    let ended = end(child);
    assert_eq!(
        ended,
        Ended {
            code: Some(0),
            stdout: "220 ".to_owned(),
            stderr: String::new()
        }
    );
    let took = begin.elapsed();
    assert!(
        took > Duration::from_millis(3450),
        "three seconds after the last octet, not after the first: {took:?}"
    );
}

#[test]
fn input_that_is_not_read_has_no_end() {
    let (listener, port) = server();
    let mut command = ours(&["-d", "-N", "127.0.0.1", &port]);
    let child = command
        .stdin(tempfile::tempfile().unwrap())
        .spawn()
        .unwrap();
    let mut peer = accept(&listener);
    peer.set_read_timeout(Some(Duration::from_millis(300)))
        .unwrap();
    assert!(peer.read(&mut [0]).is_err(), "no octet, and no end");
    peer.write_all(b"answer").unwrap();
    drop(peer);
    let ended = end(child);
    assert_eq!((ended.code, &*ended.stdout), (Some(0), "answer"));
}

#[test]
fn stdout_may_be_closed() {
    let program = env!("CARGO_BIN_EXE_mailtool");
    let (listener, port) = server();
    let line = format!("echo upload | {program} nc -N 127.0.0.1 {port} >&-");
    let child = Command::new("sh").args(["-c", &line]).spawn().unwrap();
    let mut peer = accept(&listener);
    peer.write_all(b"nobody wants this").unwrap();
    assert_eq!(read_all(&mut peer), "upload\n");
    drop(peer);
    assert_eq!(end(child).code, Some(0));
}

#[test]
fn piped_input_is_sent_on_after_the_peer_half_closed() {
    let (listener, port) = server();
    let mut command = ours(&["127.0.0.1", &port]);
    let mut child = command.stdin(Stdio::piped()).spawn().unwrap();
    let mut peer = accept(&listener);
    peer.shutdown(Shutdown::Write).unwrap();
    thread::sleep(Duration::from_millis(200));
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(b"the rest").unwrap();
    drop(stdin);
    assert_eq!(read_all(&mut peer), "the rest");
    assert_eq!(end(child).code, Some(0));
}

#[test]
fn a_reset_is_an_error_and_loses_nothing_that_came() {
    let (listener, port) = server();
    let mut command = ours(&["127.0.0.1", &port]);
    let mut child = command.stdin(Stdio::piped()).spawn().unwrap();
    let _stdin = child.stdin.take();
    let mut peer = accept(&listener);
    peer.write_all(b"last words").unwrap();
    thread::sleep(Duration::from_millis(100));
    let peer = socket2::Socket::from(peer);
    peer.set_linger(Some(Duration::ZERO)).unwrap();
    drop(peer);
    let ended = end(child);
    assert_eq!((ended.code, ended.stdout.as_str()), (Some(1), "last words"));
    assert_eq!(ended.stderr, "");
}

#[test]
fn a_reader_that_goes_away_is_no_news() {
    let (listener, port) = server();
    let mut command = ours(&["127.0.0.1", &port]);
    let mut child = command.stdin(Stdio::piped()).spawn().unwrap();
    let _stdin = child.stdin.take();
    drop(child.stdout.take());
    accept(&listener).write_all(b"unheard").unwrap();
    let ended = end(child);
    assert_eq!((ended.code, ended.stderr.as_str()), (Some(1), ""));
}

/// Runs `nc` with a terminal for stdin, and types `typed` into it.
const TERMINAL: &str = r"
import os, pty, sys
pid, master = pty.fork()
if pid == 0:
    os.execv(sys.argv[1], sys.argv[1:])
os.write(master, os.environ['TYPED'].encode())
shown = b''
while True:
    try:
        octets = os.read(master, 1000)
    except OSError:
        break
    if not octets:
        break
    shown += octets
status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
sys.stdout.buffer.write(shown)
sys.exit(status)
";

#[test]
fn a_person_at_a_terminal_is_not_kept_waiting() {
    let (listener, port) = server();
    let program = env!("CARGO_BIN_EXE_mailtool");
    let child = Command::new("python3")
        .args(["-c", TERMINAL, program, "nc", "127.0.0.1", &port])
        .env("TYPED", "QUIT\n")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn();
    let Ok(child) = child else {
        eprintln!("skipped: python3 is not installed");
        return;
    };
    let mut peer = accept(&listener);
    assert_eq!(read_exact(&mut peer, 5), "QUIT\n");
    peer.write_all(b"221 bye\n").unwrap();
    drop(peer);
    let ended = end(child);
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    assert!(ended.stdout.contains("221 bye"), "{}", ended.stdout);
}

#[test]
fn nothing_is_burnt_after_one_side_has_ended() {
    let (listener, port) = server();
    // Input at its end, the peer silent; then the peer at its end, input silent.
    let input_over = ours(&["127.0.0.1", &port]).spawn().unwrap();
    let _silent = accept(&listener);
    let mut command = ours(&["127.0.0.1", &port]);
    let mut peer_over = command.stdin(Stdio::piped()).spawn().unwrap();
    let _stdin = peer_over.stdin.take();
    accept(&listener).shutdown(Shutdown::Write).unwrap();
    thread::sleep(Duration::from_millis(200));
    for mut child in [input_over, peer_over] {
        let before = ticks(&child);
        thread::sleep(Duration::from_millis(500));
        let burnt = ticks(&child) - before;
        assert!(child.try_wait().unwrap().is_none(), "it is still there");
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(
            burnt <= 3,
            "{burnt} hundredths of a second in half a second"
        );
    }
}

/// Hundredths of a second of CPU that a child has used: fields 14 and 15 of /proc/PID/stat, behind its name.
fn ticks(child: &Child) -> u64 {
    let stat = fs::read_to_string(format!("/proc/{}/stat", child.id())).unwrap();
    let fields = stat.rsplit(") ").next().unwrap().split(' ');
    fields
        .skip(11)
        .take(2)
        .map(|f| f.parse::<u64>().unwrap())
        .sum()
}

#[test]
fn stats_are_told_when_a_signal_ends_it() {
    let (listener, port) = server();
    let mut command = ours(&["--stats", "127.0.0.1", &port]);
    let mut child = command.stdin(Stdio::piped()).spawn().unwrap();
    child.stdin.as_mut().unwrap().write_all(b"hello").unwrap();
    let mut peer = accept(&listener);
    assert_eq!(read_exact(&mut peer, 5), "hello");
    peer.write_all(b"answer!").unwrap();
    assert_eq!(read_exact(child.stdout.as_mut().unwrap(), 7), "answer!");
    let (signal, told) = interrupted(child, Signal::INT);
    assert_eq!(signal, Some(Signal::INT.as_raw()), "{told}");
    assert!(
        told.starts_with("nc: 5 octets sent (") && told.contains(", 7 received ("),
        "{told}"
    );
}

#[test]
fn stats_of_all_callers_are_told_when_a_signal_ends_it() {
    let (mut child, port, stderr) = listening(ours(&[
        "-lv",
        "--keep-open",
        "--recv-only",
        "--stats",
        "127.0.0.1",
        "0",
    ]));
    for _ in 0..2 {
        call(port).write_all(b"hello").unwrap();
    }
    assert_eq!(read_exact(child.stdout.as_mut().unwrap(), 10), "hellohello");
    let (signal, _) = interrupted(child, Signal::TERM);
    let told: Vec<String> = stderr.lines().map(Result::unwrap).collect();
    assert_eq!(signal, Some(Signal::TERM.as_raw()), "{told:?}");
    let last = told.last().unwrap();
    assert!(
        last.starts_with("nc: 0 octets sent (") && last.contains(", 10 received ("),
        "{told:?}"
    );
}

#[test]
fn stats_are_told_of_mail_too_and_by_a_signal_of_no_conversation() {
    let (listener, port) = server();
    let mut command = ours(&["--smtp", "--stats", "127.0.0.1", &port]);
    let mut child = command.stdin(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(b"QUIT\n").unwrap();
    let mut peer = accept(&listener);
    peer.write_all(b"220 x\r\n").unwrap();
    assert_eq!(read_exact(&mut peer, 6), "QUIT\r\n");
    peer.write_all(b"221 bye\r\n").unwrap();
    drop(peer);
    let ended = end(child);
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    assert!(
        ended.stderr.contains("nc: 6 octets sent (") && ended.stderr.contains(", 16 received ("),
        "{}",
        ended.stderr
    );
    let (child, _, mut stderr) = listening(ours(&["-lv", "--stats", "127.0.0.1", "0"]));
    assert_eq!(
        interrupted(child, Signal::INT).0,
        Some(Signal::INT.as_raw())
    );
    assert_eq!(read_all(&mut stderr), "");
}

/// Which signal ended it, and what it told.
fn interrupted(mut child: Child, signal: Signal) -> (Option<i32>, String) {
    // It has shown what it received, but may still be about to count it.
    thread::sleep(Duration::from_secs(1));
    kill_process(Pid::from_child(&child), signal).unwrap();
    let status = child.wait().unwrap();
    let told = child.stderr.take().map(|mut stderr| read_all(&mut stderr));
    (status.signal(), told.unwrap_or_default())
}
