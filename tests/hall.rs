//! `reactor::hall` beside what it takes the place of: the same callers do the same in a hall and at Debian's ncat, and what each of
//! them hears must be equal, letter for letter; and curl goes through a hall's proxy.

#[path = "support/program.rs"]
mod program;

use std::io::{self, BufRead, BufReader, ErrorKind, PipeReader, PipeWriter, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use mailtool::proto::proxy::Login;
use mailtool::proto::proxy::server::{Kinds, ProxyServer};
use mailtool::proto::raw::{InputEnd, Outcome};
use mailtool::reactor::hall::{
    Circle, Hall, Handle, Labels, Proxy, Service, Settings, Speaker, Stdio as Ends,
};
use mailtool::reactor::resolver::Family;
use mailtool::reactor::sockets::{self, Callers, listen};
use mailtool::reactor::stdio::{Input, Output};
use mailtool::wire::services::Transport;
use program::{PATIENCE, have};

/// Something that listens, with its stdin and its stdout.
struct Stage {
    at: SocketAddr,
    stdin: Option<PipeWriter>,
    stdout: PipeReader,
    /// Ends it.
    actor: Actor,
}

enum Actor {
    Ncat(Child),
    Hall(Handle, Option<JoinHandle<io::Result<Outcome>>>),
}

impl Drop for Actor {
    fn drop(&mut self) {
        match self {
            Self::Ncat(child) => {
                let _ = child.kill();
                let _ = child.wait();
            }
            Self::Hall(handle, thread) => {
                handle.stop();
                if let Some(thread) = thread.take() {
                    let ended = thread.join().expect("no panic");
                    assert_eq!(ended.expect("no error"), Outcome::Done);
                }
            }
        }
    }
}

/// What to do next.
#[derive(Clone, Copy, Debug)]
enum Act {
    /// This caller calls.
    Come(usize),
    Say(usize, &'static [u8]),
    /// On stdin.
    Type(&'static [u8]),
    EndStdin,
    HalfClose(usize),
    Leave(usize),
}

/// What happens at each of `acts`: who hears what, and what is on stdout at the end.
fn play(mut stage: Stage, acts: &[Act]) -> Vec<String> {
    let mut callers: Vec<Option<TcpStream>> = (0..3).map(|_| None).collect();
    let mut seen = Vec::new();
    for act in acts {
        match *act {
            Act::Come(who) => {
                let caller = TcpStream::connect(stage.at).expect("it listens");
                caller.set_nonblocking(true).expect("a socket");
                callers[who] = Some(caller);
            }
            Act::Say(who, words) => {
                let mut caller = callers[who].as_ref().expect("it has come");
                caller.write_all(words).expect("it is here");
            }
            Act::Type(words) => {
                let stdin = stage.stdin.as_mut().expect("it is open");
                stdin.write_all(words).expect("it is read");
            }
            Act::EndStdin => stage.stdin = None,
            Act::HalfClose(who) => {
                let caller = callers[who].as_ref().expect("it has come");
                caller.shutdown(Shutdown::Write).expect("it is here");
            }
            Act::Leave(who) => callers[who] = None,
        }
        thread::sleep(Duration::from_millis(150));
        let heard: Vec<String> = callers.iter_mut().map(hear).collect();
        seen.push(format!("{act:?}: {}", heard.join(" | ")));
    }
    drop(callers);
    thread::sleep(Duration::from_millis(100));
    drop(stage.actor);
    let mut out = Vec::new();
    stage.stdout.read_to_end(&mut out).expect("a pipe");
    seen.push(format!("stdout: {}", out.escape_ascii()));
    seen
}

/// What has come for a caller, and whether its end has.
fn hear(caller: &mut Option<TcpStream>) -> String {
    let Some(caller) = caller else {
        return "away".to_owned();
    };
    let mut text = Vec::new();
    let mut buffer = [0; 4096];
    loop {
        match caller.read(&mut buffer) {
            Ok(0) => return format!("{} END", text.escape_ascii()),
            Ok(octets) => text.extend_from_slice(&buffer[..octets]),
            Err(error) if error.kind() == ErrorKind::WouldBlock => {
                return text.escape_ascii().to_string();
            }
            Err(error) => return format!("{} {:?}", text.escape_ascii(), error.kind()),
        }
    }
}

fn ncat(options: &[&str]) -> Stage {
    let door = TcpListener::bind("127.0.0.1:0").expect("a port");
    let at = door.local_addr().expect("a port");
    drop(door);
    let (stdin, writer) = io::pipe().expect("a pipe");
    let (reader, stdout) = io::pipe().expect("a pipe");
    let child = Command::new("ncat")
        .args(["-v", "-l", "127.0.0.1", &at.port().to_string()])
        .args(options)
        .stdin(stdin)
        .stdout(stdout)
        .stderr(Stdio::piped())
        .spawn();
    let mut child = child.expect("ncat");
    let stderr = BufReader::new(child.stderr.take().expect("a pipe"));
    let mut lines = stderr.lines();
    let listens = lines.by_ref().any(|line| {
        let line = line.unwrap_or_default();
        line.contains("Listening on")
    });
    assert!(listens, "ncat does not listen");
    // It goes on being verbose.
    thread::spawn(move || lines.count());
    Stage {
        at,
        stdin: Some(writer),
        stdout: reader,
        actor: Actor::Ncat(child),
    }
}

fn hall(service: impl FnOnce(Speaker, Output) -> Service + Send + 'static) -> Stage {
    let door = listen(
        SocketAddr::from(([127, 0, 0, 1], 0)),
        Transport::Tcp,
        Callers::All,
        &sockets::Settings::default(),
    );
    let door = door.expect("a port");
    let at = door.local_addr().expect("a port").as_socket();
    let (stdin, writer) = io::pipe().expect("a pipe");
    let (reader, stdout) = io::pipe().expect("a pipe");
    let (sender, handle) = mpsc::channel();
    let thread = thread::spawn(move || {
        let hall = Hall::new(vec![door], Settings::default())?;
        sender.send(hall.handle()).expect("somebody waits for it");
        let speaker = Speaker::new(Input::new(stdin.into())?);
        let report = hall.run(service(speaker, Output::new(stdout.into())?))?;
        Ok(report.outcome)
    });
    Stage {
        at: at.expect("an address"),
        stdin: Some(writer),
        stdout: reader,
        actor: Actor::Hall(handle.recv().expect("a hall"), Some(thread)),
    }
}

const ACTS: [Act; 14] = [
    Act::Type(b"too early\n"),
    Act::Come(0),
    Act::Come(1),
    Act::Come(2),
    Act::Say(0, b"caf\xc3\xa9 \x01\x1b[1m\x7f\\ \t\r\nsecond line\n"),
    Act::Say(1, b"no end of line"),
    Act::Type(b"from above\n"),
    Act::Leave(1),
    Act::Say(2, b"he left\n"),
    Act::Come(1),
    Act::HalfClose(2),
    Act::EndStdin,
    Act::Come(2),
    Act::Say(2, b"late\n"),
];

fn same(options: &[&str], service: fn(Speaker, Output) -> Service) {
    if !have("ncat", "ncat") {
        return;
    }
    let theirs = play(ncat(options), &ACTS);
    let ours = play(hall(service), &ACTS);
    assert_eq!(ours, theirs, "{options:?}");
}

#[test]
fn a_chat_is_as_with_ncat() {
    same(&["--chat"], |speaker, _| {
        Service::Meet(Circle::new(Some(speaker), Labels::Names))
    });
}

#[test]
fn a_broker_is_as_ncat() {
    same(&["--broker"], |speaker, _| {
        Service::Meet(Circle::new(Some(speaker), Labels::None))
    });
}

#[test]
fn many_callers_at_stdio_are_as_with_ncat() {
    same(&["-k"], |speaker, output| {
        Service::Talk(Ends::new(Some(speaker), InputEnd::HalfClose, Some(output)))
    });
    same(&["-k", "--no-shutdown"], |speaker, output| {
        Service::Talk(Ends::new(Some(speaker), InputEnd::Untold, Some(output)))
    });
}

/// A web server of one page.
fn web(page: &'static [u8]) -> SocketAddr {
    let door = TcpListener::bind("127.0.0.1:0").expect("a port");
    let at = door.local_addr().expect("a port");
    thread::spawn(move || {
        for stream in door.incoming() {
            let Ok(mut stream) = stream else { return };
            thread::spawn(move || -> io::Result<()> {
                let mut lines = BufReader::new(stream.try_clone()?).lines();
                while lines
                    .next()
                    .transpose()?
                    .is_some_and(|line| !line.is_empty())
                {}
                write!(
                    stream,
                    "HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
                    page.len()
                )?;
                stream.write_all(page)
            });
        }
    });
    at
}

#[test]
fn curl_goes_through_it_slowly_and_quickly_at_once() {
    if !have("curl", "curl") {
        return;
    }
    let page: Vec<u8> = (0..3_000_000_u32).map(|octet| (octet / 7) as u8).collect();
    let page: &'static [u8] = page.leak();
    let web = web(page);
    for (kinds, option, url) in [
        (
            Kinds::Socks,
            "--socks5-hostname",
            format!("http://localhost:{}/", web.port()),
        ),
        (
            Kinds::Socks,
            "--socks4a",
            format!("http://localhost:{}/", web.port()),
        ),
        (Kinds::Socks, "--socks5", format!("http://{web}/")),
        (Kinds::Http, "--proxy", format!("http://{web}/")),
        (Kinds::Http, "--proxytunnel", format!("http://{web}/")),
    ] {
        let login = (option == "--socks5").then(|| Login::parse("alice:secret"));
        let with_login = login.is_some();
        let proxy = hall(move |_, _| {
            let machine = move || ProxyServer::new(kinds, login.clone());
            Service::Proxy(Proxy::new(machine, |_| true, Family::Any))
        });
        let curl = |rate: &str| {
            let mut curl = Command::new("curl");
            match option {
                "--proxytunnel" => curl.args([option, "--proxy"]),
                option => curl.arg(option),
            };
            curl.arg(proxy.at.to_string());
            if with_login {
                curl.args(["--proxy-user", "alice:secret"]);
            }
            curl.args(["-sS", "--noproxy", "", "--limit-rate", rate, &url]);
            curl.stdout(Stdio::piped()).spawn().expect("curl")
        };
        let mut slow = curl("1M");
        let begun = Instant::now();
        for _ in 0..3 {
            let quick = curl("1G").wait_with_output().expect("curl");
            assert!(quick.status.success() && quick.stdout == page, "{option}");
        }
        assert!(begun.elapsed() < PATIENCE);
        assert!(
            slow.try_wait().expect("curl").is_none(),
            "{option}: it is slow"
        );
        let slow = slow.wait_with_output().expect("curl");
        assert!(slow.status.success() && slow.stdout == page, "{option}");
    }
}
