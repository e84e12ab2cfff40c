use std::collections::BTreeSet;
use std::fs;
use std::net::UdpSocket;
use std::os::unix::net::{UnixListener, UnixStream};
use std::os::unix::process::ExitStatusExt;

use super::*;
use crate::proto::raw::Options;
use crate::reactor::child::Program;
use crate::reactor::hall::Programs;

fn run(program: Program) -> Running {
    start(Settings::default, move || {
        Service::Run(Programs::new(program))
    })
}

fn shell(line: &str) -> Running {
    run(Program::shell(line))
}

/// Processes of which we are the parent, as `pid state`.
fn children(named: &str) -> Vec<String> {
    let mut found = Vec::new();
    for entry in fs::read_dir("/proc").unwrap().flatten() {
        let Ok(stat) = fs::read_to_string(entry.path().join("stat")) else {
            continue;
        };
        let (Some(open), Some(close)) = (stat.find('('), stat.rfind(')')) else {
            continue;
        };
        let fields: Vec<_> = stat[close + 1..].split_whitespace().collect();
        if fields[1] == std::process::id().to_string() && &stat[open + 1..close] == named {
            found.push(format!("{}{}", &stat[..open], fields[0]));
        }
    }
    found
}

/// A program that nobody else in this process starts: its name is known to `children`.
fn copy_of(program: &str, name: &str) -> (tempfile::TempDir, Program) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    fs::copy(program, &path).unwrap();
    (folder, Program::new(path, Vec::new()))
}

#[test]
fn two_hundred_echoes_at_once_are_whole_and_leave_nothing_behind() {
    let (_folder, cat) = copy_of("/bin/cat", "hall-cat");
    let running = run(cat);
    let callers: Vec<_> = (0..200).map(|_| running.call()).collect();
    running.notes.wait_for("called", 200);
    assert_eq!(children("hall-cat").len(), 200);
    thread::scope(|scope| {
        for (index, callers) in callers.chunks(20).enumerate() {
            scope.spawn(move || {
                let words = noise(100_000, index as u32);
                thread::scope(|scope| {
                    scope.spawn(|| {
                        for piece in words.chunks(10_000) {
                            for mut caller in callers {
                                caller.write_all(piece).unwrap();
                            }
                        }
                        for caller in callers {
                            caller.shutdown(Shutdown::Write).unwrap();
                        }
                    });
                    for caller in callers {
                        assert!(rest(caller) == words);
                    }
                });
            });
        }
    });
    running.notes.wait_for("left: Done 100000 100000", 200);
    assert_eq!(children("hall-cat"), Vec::<String>::new());
}

#[test]
fn all_that_a_program_wrote_arrives_although_it_has_ended() {
    let running = shell("head -c 1000000 /dev/zero; printf end");
    for _ in 0..10 {
        let mut caller = running.call();
        // It is not read by the program, and must not cost the peer the answer.
        caller.write_all(b"a request\r\n").unwrap();
        thread::sleep(Duration::from_millis(20));
        let heard = rest(caller);
        assert_eq!(heard.len(), 1_000_003);
        assert!(heard.ends_with(b"end"));
    }
}

#[test]
fn a_program_hears_the_end_of_its_peer_and_still_answers() {
    let running = shell("wc -c; sleep 0.2; echo done");
    let mut caller = running.call();
    caller.write_all(&[b'x'; 100_000]).unwrap();
    caller.shutdown(Shutdown::Write).unwrap();
    assert_eq!(rest(caller), b"100000\ndone\n");
}

#[test]
fn a_program_has_its_variables_its_pipes_and_nothing_else() {
    // What this process itself got from its parent is its parent's to close.
    let ours: BTreeSet<_> = fs::read_dir("/proc/self/fd")
        .unwrap()
        .flatten()
        .collect::<Vec<_>>()
        .into_iter()
        .filter_map(|entry| {
            let info =
                fs::read_to_string(format!("/proc/self/fdinfo/{}", entry.file_name().to_str()?))
                    .ok()?;
            let flags = info
                .lines()
                .find_map(|line| line.strip_prefix("flags:"))?
                .trim()
                .to_owned();
            let closes = u32::from_str_radix(&flags, 8).ok()? & 0o2_000_000 != 0;
            (!closes).then(|| entry.file_name().into_string().unwrap())
        })
        .collect();
    let running = shell("env | grep ^NCAT_ | sort; echo --; exec ls -l /proc/self/fd");
    let _other = running.guest();
    let caller = running.call();
    let from = caller.local_addr().unwrap();
    caller.shutdown(Shutdown::Write).unwrap();
    let heard = String::from_utf8(rest(caller)).unwrap();
    let (variables, descriptors) = heard.split_once("--\n").unwrap();
    assert_eq!(
        variables,
        format!(
            "NCAT_LOCAL_ADDR=127.0.0.1\nNCAT_LOCAL_PORT={}\nNCAT_PROTO=TCP\nNCAT_REMOTE_ADDR=127.0.0.1\nNCAT_REMOTE_PORT={}\n",
            running.at.port(),
            from.port()
        )
    );
    for line in descriptors.lines().skip(1) {
        let (number, what) = line.split_once(" -> ").unwrap();
        let number = number.rsplit(' ').next().unwrap();
        let is_own = number == "3" && what.ends_with("/fd");
        let is_pipe = ["0", "1"].contains(&number) && what.starts_with("pipe:");
        assert!(
            is_own || is_pipe || number == "2" || ours.contains(number),
            "{heard}"
        );
        assert!(
            !what.starts_with("socket:") || ours.contains(number),
            "{heard}"
        );
    }
}

#[test]
fn the_peer_of_a_unix_socket_is_localhost() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("s");
    let door = UnixListener::bind(&path).unwrap();
    let served = thread::spawn(move || {
        let (socket, _) = door.accept().unwrap();
        let program = Program::shell("env | grep ^NCAT_ | sort");
        let link = Link::stream(socket.into()).unwrap();
        serve_one(&program, link, Options::default(), Manner::default()).unwrap()
    });
    let caller = UnixStream::connect(&path).unwrap();
    assert_eq!(
        String::from_utf8(rest(&caller)).unwrap(),
        "NCAT_LOCAL_ADDR=localhost\nNCAT_LOCAL_PORT=\nNCAT_PROTO=TCP\nNCAT_REMOTE_ADDR=localhost\nNCAT_REMOTE_PORT=\n"
    );
    drop(caller);
    let served = served.join().unwrap();
    assert_eq!(served.report.outcome, Outcome::Done);
    assert!(served.status.unwrap().success());
}

/// A program on one thread, and the peer of its connection.
fn one(program: Program, options: Options) -> (TcpStream, JoinHandle<io::Result<Served>>) {
    let door = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let peer = TcpStream::connect(door.local_addr().unwrap()).unwrap();
    peer.set_read_timeout(Some(PATIENCE)).unwrap();
    let (socket, _) = door.accept().unwrap();
    let served = thread::spawn(move || {
        let link = Link::stream(socket.into())?;
        serve_one(&program, link, options, Manner::default())
    });
    (peer, served)
}

#[test]
fn how_one_program_ended_is_told() {
    let (mut peer, served) = one(
        Program::shell("read line; echo got $line; exit 7"),
        Options::default(),
    );
    peer.write_all(b"this\n").unwrap();
    assert_eq!(read(&mut peer, 9), "got this\n");
    drop(peer);
    let served = served.join().unwrap().unwrap();
    assert_eq!(served.status.unwrap().code(), Some(7));
    assert_eq!((served.report.sent, served.report.received), (9, 5));

    let (peer, served) = one(Program::new("no-such-program", vec![]), Options::default());
    assert_eq!(
        served.join().unwrap().unwrap_err().kind(),
        io::ErrorKind::NotFound
    );
    assert_eq!(rest(peer), b"");
}

#[test]
fn a_file_is_looked_for_in_path_and_has_its_arguments() {
    let program = Program::new("printf", vec!["%s|".into(), "a b".into(), "".into()]);
    let (peer, served) = one(program, Options::default());
    assert_eq!(rest(&peer), b"a b||");
    drop(peer);
    served.join().unwrap().unwrap();
}

#[test]
fn a_program_that_nobody_hears_any_more_ends_by_sigpipe() {
    let (mut peer, served) = one(Program::shell("exec yes"), Options::default());
    assert_eq!(read(&mut peer, 4), "y\ny\n");
    drop(peer);
    let served = served.join().unwrap().unwrap();
    assert_eq!(served.status.unwrap().signal(), Some(13));
}

#[test]
fn a_program_that_goes_on_is_asked_to_end() {
    let begun = Instant::now();
    let line =
        "trap 'kill $sleeper; exit 9' TERM; exec <&- >&-; sleep 60 & sleeper=$!; wait; exit 1";
    let (peer, served) = one(Program::shell(line), Options::default());
    let (stubborn, goes_on) = one(
        Program::shell("trap '' TERM; exec <&- >&-; exec sleep 30"),
        Options::default(),
    );
    drop((peer, stubborn));
    let served = served.join().unwrap().unwrap();
    assert_eq!(served.status.unwrap().code(), Some(9));
    assert!(begun.elapsed() >= limits::CHILD_GRACE);
    assert!(goes_on.join().unwrap().unwrap().status.is_none());
    assert!(begun.elapsed() >= 2 * limits::CHILD_GRACE);
}

#[test]
fn a_program_that_left_somebody_behind_is_reaped_and_heard() {
    let (_folder, sh) = copy_of("/bin/sh", "hall-sh");
    let line = "{ sleep 0.5; echo behind; } & echo first";
    let (mut peer, served) = one(
        Program::new(sh.file(), vec!["-c".into(), line.into()]),
        Options::default(),
    );
    assert_eq!(read(&mut peer, 6), "first\n");
    // The one that we started has ended, and is no zombie, although the conversation goes on.
    wait_until(|| children("hall-sh").is_empty(), "the end of the shell");
    assert!(!served.is_finished());
    assert_eq!(rest(&peer), b"behind\n");
    drop(peer);
    assert!(served.join().unwrap().unwrap().status.unwrap().success());
}

#[test]
fn who_is_idle_is_left() {
    let options = Options {
        idle: Some(Duration::from_millis(200)),
        ..Options::default()
    };
    let (peer, served) = one(Program::new("cat", vec![]), options);
    assert_eq!(rest(peer), b"");
    let served = served.join().unwrap().unwrap();
    assert_eq!(served.report.outcome, Outcome::Done);
    assert!(served.status.unwrap().success());
}

#[test]
fn a_program_that_cannot_be_started_is_told_of() {
    let running = run(Program::new("/nonexistent/program", vec![]));
    assert_eq!(rest(running.call()), b"");
    running
        .notes
        .wait_for("no program: \"/nonexistent/program\" NotFound", 1);
    assert_eq!(rest(running.call()), b"");
}

#[test]
fn a_caller_counts_until_its_program_has_ended() {
    let (_folder, sh) = copy_of("/bin/sh", "hall-count");
    let line = "exec >&-; sleep 0.5";
    let program = Program::new(sh.file(), vec!["-c".into(), line.into()]);
    let running = run(program);
    let mut caller = running.guest();
    assert_eq!(caller.read(&mut [0]).unwrap(), 0, "the connection is over");
    drop(caller);
    assert_eq!(running.notes.count("left"), 0);
    running.notes.wait_for("left: Done 0 0", 1);
    assert_eq!(children("hall-count"), Vec::<String>::new());
}

#[test]
fn datagrams_go_to_a_program_too() {
    let ours = UdpSocket::bind("127.0.0.1:0").unwrap();
    let peer = UdpSocket::bind("127.0.0.1:0").unwrap();
    peer.set_read_timeout(Some(PATIENCE)).unwrap();
    ours.connect(peer.local_addr().unwrap()).unwrap();
    peer.connect(ours.local_addr().unwrap()).unwrap();
    peer.send(b"one\n").unwrap();
    let served = thread::spawn(move || {
        let link = Link::datagrams(ours.into()).unwrap();
        let program = Program::shell("read a; read b; echo $b $a $NCAT_PROTO");
        serve_one(&program, link, Options::default(), Manner::default()).unwrap()
    });
    thread::sleep(Duration::from_millis(50));
    peer.send(b"two\n").unwrap();
    let mut buffer = [0; 100];
    let octets = peer.recv(&mut buffer).unwrap();
    assert_eq!(&buffer[..octets], b"two one UDP\n");
    assert!(served.join().unwrap().status.unwrap().success());
}

#[test]
fn programs_that_wait_for_half_closed_peers_cost_nothing() {
    let running = shell("cat; exec sleep 2");
    let callers: Vec<_> = (0..50).map(|_| running.guest()).collect();
    for caller in &callers {
        caller.shutdown(Shutdown::Write).unwrap();
    }
    thread::sleep(Duration::from_millis(1500));
    let spent = running.stop();
    assert!(spent < Duration::from_millis(150), "{spent:?}");
}

#[test]
fn who_stays_and_says_nothing_does_not_hold_up_the_end() {
    let running = shell("echo last words");
    let mut caller = running.call();
    let begun = Instant::now();
    assert_eq!(rest(&mut caller), b"last words\n");
    running.notes.wait_for("left: Done", 1);
    let took = begun.elapsed();
    assert!(took < limits::LINGER, "{took:?}");
    drop(caller);
}

#[test]
fn who_still_speaks_is_given_time_for_the_last_words() {
    let running = shell("sleep 0.2; echo last words");
    let mut caller = running.call();
    // More than a pipe holds: some of it has not been read when the program ends.
    let speaking = caller.try_clone().unwrap();
    let speaking = thread::spawn(move || {
        let mut speaking = speaking;
        for _ in 0..40 {
            if speaking.write_all(&[b'x'; 50_000]).is_err() {
                break;
            }
            thread::sleep(Duration::from_millis(10));
        }
    });
    thread::sleep(Duration::from_millis(400));
    assert_eq!(read(&mut caller, 11), "last words\n");
    speaking.join().unwrap();
    drop(caller);
    running.notes.wait_for("left: Done", 1);
}
