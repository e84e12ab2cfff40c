use std::io::{PipeReader, PipeWriter};
use std::num::NonZeroU64;

use super::*;
use crate::proto::raw::{Crlf, InputEnd, Pace};
use crate::reactor::certs;
use crate::reactor::hall::{Speaker, Stdio};
use crate::reactor::relay::Progress;
use crate::reactor::stdio::{Input, Output};
use crate::reactor::tls::{Acceptor, Connector, Trust};
use crate::tap::{Piece, Tap};
use crate::wire::telnet::Telnet;

/// A hall with pipes for stdin and stdout.
fn talk(
    input_end: InputEnd,
    settings: impl FnOnce() -> Settings + Send + 'static,
) -> (Running, PipeWriter, PipeReader) {
    let (stdin, writer) = io::pipe().unwrap();
    let (reader, stdout) = io::pipe().unwrap();
    let running = start(settings, move || {
        let speaker = Speaker::new(Input::new(stdin.into()).unwrap());
        let output = Output::new(stdout.into()).unwrap();
        Service::Talk(Stdio::new(Some(speaker), input_end, Some(output)))
    });
    (running, writer, reader)
}

fn lines(mut reader: PipeReader, octets: usize) -> JoinHandle<String> {
    thread::spawn(move || {
        let mut text = vec![0; octets];
        reader.read_exact(&mut text).unwrap();
        String::from_utf8(text).unwrap()
    })
}

#[test]
fn a_thousand_callers_lose_nothing_and_their_lines_stay_whole() {
    let (running, _stdin, stdout) = talk(InputEnd::HalfClose, Settings::default);
    let line = |caller: usize, line: usize| format!("caller {caller:04} says line {line:03}\n");
    let octets = line(0, 0).len() * 100_000;
    let text = lines(stdout, octets);
    let mut callers: Vec<_> = (0..1000).map(|_| running.call()).collect();
    for number in 0..100 {
        for (who, caller) in callers.iter_mut().enumerate() {
            caller.write_all(line(who, number).as_bytes()).unwrap();
        }
    }
    drop(callers);
    let text = text.join().unwrap();
    let mut next = vec![0; 1000];
    for said in text.split_inclusive('\n') {
        let who: usize = said[7..11].parse().unwrap();
        assert_eq!(said, line(who, next[who]));
        next[who] += 1;
    }
    assert_eq!(next, vec![100; 1000]);
    running.notes.wait_for("left: Done 0 2600", 1000);
}

#[test]
fn stdin_goes_to_all_who_are_here_and_its_end_too() {
    let (running, mut stdin, _stdout) = talk(InputEnd::HalfClose, Settings::default);
    stdin.write_all(b"nobody hears\n").unwrap();
    thread::sleep(Duration::from_millis(50));
    let mut first = running.call();
    assert_eq!(
        read(&mut first, 13),
        "nobody hears\n",
        "it waited for somebody"
    );
    let mut second = running.guest();
    stdin.write_all(b"all of you\n").unwrap();
    assert_eq!(read(&mut first, 11), "all of you\n");
    assert_eq!(read(&mut second, 11), "all of you\n");
    drop(stdin);
    assert_eq!((rest(first), rest(second)), (vec![], vec![]));
    let mut late = running.guest();
    late.write_all(b"I was not here\n").unwrap();
    assert_eq!(whatever_comes(&mut late), "");
    assert!(!running.is_over());
}

#[test]
fn one_who_has_heard_the_end_may_go_on_talking() {
    let (running, stdin, mut stdout) = talk(InputEnd::HalfClose, Settings::default);
    let mut caller = running.guest();
    drop(stdin);
    assert_eq!(caller.read(&mut [0]).unwrap(), 0);
    caller.write_all(b"still here").unwrap();
    let mut ten = [0; 10];
    stdout.read_exact(&mut ten).unwrap();
    assert_eq!(&ten, b"still here");
}

#[test]
fn a_caller_that_ends_gets_what_waits_for_it_and_is_gone() {
    let (running, mut stdin, _stdout) = talk(InputEnd::HalfClose, Settings::default);
    let caller = running.guest();
    let words = noise(200_000, 1);
    stdin.write_all(&words).unwrap();
    caller.shutdown(Shutdown::Write).unwrap();
    assert_eq!(rest(caller), words);
    running.notes.wait_for("left: Done 200000 0", 1);
}

#[test]
fn when_stdout_is_full_callers_wait_and_nothing_is_lost() {
    let (running, _stdin, mut stdout) = talk(InputEnd::HalfClose, Settings::default);
    let words = [noise(5_000_000, 1), noise(5_000_000, 2)];
    thread::scope(|scope| {
        for words in &words {
            let mut caller = running.call();
            scope.spawn(move || caller.write_all(words).unwrap());
        }
        thread::sleep(Duration::from_millis(300));
        let mut all = vec![0; 10_000_000];
        stdout.read_exact(&mut all).unwrap();
        let sum = |octets: &[u8]| octets.iter().map(|octet| u64::from(*octet)).sum::<u64>();
        assert_eq!(sum(&all), sum(&words[0]) + sum(&words[1]));
    });
    running.notes.wait_for("left: Done 0 5000000", 2);
}

#[test]
fn it_is_over_when_nobody_reads_stdout() {
    let (running, _stdin, stdout) = talk(InputEnd::HalfClose, Settings::default);
    drop(stdout);
    running.call().write_all(b"unheard").unwrap();
    assert_eq!(running.outcome(), Outcome::Unheard);
}

#[test]
fn one_who_takes_nothing_is_dropped_and_the_others_hear_all() {
    let settings = || Settings {
        stall: Duration::from_millis(500),
        ..Settings::default()
    };
    let (running, mut stdin, _stdout) = talk(InputEnd::HalfClose, settings);
    let deaf = Socket::from(running.guest());
    deaf.set_recv_buffer_size(4096).unwrap();
    let slow = running.guest();
    // More than all buffers on the way to the deaf one hold.
    let words = noise(30_000_000, 1);
    thread::scope(|scope| {
        let heard = scope.spawn(|| {
            let mut slow = slow.try_clone().unwrap();
            let mut heard = vec![0; words.len()];
            let (first, second) = heard.split_at_mut(1000);
            slow.read_exact(first).unwrap();
            thread::sleep(Duration::from_millis(300));
            slow.read_exact(second).unwrap();
            heard
        });
        stdin.write_all(&words).unwrap();
        assert!(heard.join().unwrap() == words);
    });
    assert_eq!(running.notes.count("too slow"), 1);
    running.notes.wait_for("left: Broken", 1);
    drop(deaf);
}

#[test]
fn who_only_sends_is_done_when_all_have_heard() {
    let (stdin, mut writer) = io::pipe().unwrap();
    let running = start(Settings::default, move || {
        let speaker = Speaker::new(Input::new(stdin.into()).unwrap()).with_crlf(Crlf::default());
        Service::Talk(Stdio::new(Some(speaker), InputEnd::Leave, None))
    });
    let mut talker = running.guest();
    let quiet = running.guest();
    talker.write_all(b"nobody listens").unwrap();
    drop(running.guest());
    writer.write_all(b"one\n").unwrap();
    running.notes.wait_for("left: Done", 1);
    writer.write_all(b"two\n").unwrap();
    drop(writer);
    assert_eq!(rest(quiet), b"one\r\ntwo\r\n");
    assert_eq!(read(&mut talker, 10), "one\r\ntwo\r\n");
    assert_eq!(running.outcome(), Outcome::Done);
}

#[test]
fn who_only_receives_says_nothing() {
    let (mut reader, stdout) = io::pipe().unwrap();
    let running = start(Settings::default, move || {
        let output = Output::new(stdout.into()).unwrap();
        Service::Talk(Stdio::new(None, InputEnd::HalfClose, Some(output)))
    });
    let mut caller = running.call();
    caller.write_all(b"word").unwrap();
    let mut four = [0; 4];
    reader.read_exact(&mut four).unwrap();
    assert_eq!(whatever_comes(&mut caller), "");
    caller.shutdown(Shutdown::Write).unwrap();
    assert_eq!(rest(caller), b"");
}

#[test]
fn lines_are_paced() {
    let (stdin, mut writer) = io::pipe().unwrap();
    let running = start(Settings::default, move || {
        let pace = Pace::new(Duration::from_millis(100));
        let speaker = Speaker::new(Input::new(stdin.into()).unwrap()).with_pace(pace);
        Service::Talk(Stdio::new(Some(speaker), InputEnd::HalfClose, None))
    });
    let caller = running.guest();
    let begun = Instant::now();
    writer.write_all(b"one\ntwo\nthree\n").unwrap();
    drop(writer);
    assert_eq!(rest(caller), b"one\ntwo\nthree\n");
    assert!(begun.elapsed() >= Duration::from_millis(200));
}

#[test]
fn some_are_turned_away() {
    let settings = || Settings {
        admits: Box::new(|remote| remote.ip().to_string() != "127.0.0.2"),
        ..Settings::default()
    };
    let (running, _stdin, _stdout) = talk(InputEnd::HalfClose, settings);
    let unwelcome = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None);
    let unwelcome = unwelcome.unwrap();
    let from = SocketAddr::from(([127, 0, 0, 2], 0));
    unwelcome.bind(&from.into()).unwrap();
    unwelcome.connect(&running.at.into()).unwrap();
    assert_eq!(rest(TcpStream::from(unwelcome)), b"");
    assert_eq!(running.notes.lines(), ["called", "not allowed"]);

    let few = start(Settings::default, || {
        Service::Talk(Stdio::new(None, InputEnd::HalfClose, Some(Output::none())))
    });
    let guests: Vec<_> = (0..2000).map(|_| few.call()).collect();
    few.notes.wait_for("called", 2000);
    assert_eq!(rest(few.call()), b"");
    assert_eq!(few.notes.lines().last().unwrap(), "full: 2000");
    drop(guests);
    few.notes.wait_for("left", 2000);
    let mut again = few.call();
    again.write_all(b"there is room").unwrap();
    again.shutdown(Shutdown::Write).unwrap();
    few.notes.wait_for("left: Done 0 13", 1);
}

#[test]
fn who_is_idle_is_sent_away_or_ends_it() {
    let of_caller = || Settings {
        idle: Idle::Caller(Duration::from_millis(300)),
        ..Settings::default()
    };
    let (running, _stdin, _stdout) = talk(InputEnd::HalfClose, of_caller);
    let idle = running.call();
    let mut busy = running.call();
    for _ in 0..5 {
        thread::sleep(Duration::from_millis(100));
        busy.write_all(b"x").unwrap();
    }
    assert_eq!(rest(idle), b"");
    assert_eq!(running.notes.count("left: Idle 0 0"), 1);
    assert_eq!(running.notes.count("left"), 1);

    let of_everybody = || Settings {
        idle: Idle::Everybody(Duration::from_millis(300)),
        ..Settings::default()
    };
    let (running, _stdin, _stdout) = talk(InputEnd::HalfClose, of_everybody);
    let _guest = running.guest();
    let begun = Instant::now();
    assert_eq!(running.outcome(), Outcome::Idle);
    assert!(begun.elapsed() >= Duration::from_millis(250));
}

#[test]
fn telnet_is_answered_and_taps_see_what_was_said() {
    #[derive(Clone, Default)]
    struct Seen(Arc<Mutex<Vec<String>>>);
    impl Tap for Seen {
        fn saw(&mut self, _: Instant, side: Side, piece: Piece<'_>) {
            let said = match piece {
                Piece::Bytes(octets) => octets.escape_ascii().to_string(),
                other => format!("{other:?}"),
            };
            self.0.lock().unwrap().push(format!("{side:?} {said}"));
        }
    }
    let seen = Seen::default();
    let tap = seen.clone();
    let settings = move || Settings {
        manner: Box::new(move |_| Manner {
            telnet: Some(Telnet::default()),
            tap: Some(Box::new(tap.clone())),
            ..Manner::default()
        }),
        ..Settings::default()
    };
    let (running, mut stdin, mut stdout) = talk(InputEnd::HalfClose, settings);
    let mut caller = running.call();
    caller.write_all(b"a\xff\xfd\x18b").unwrap();
    let mut two = [0; 2];
    stdout.read_exact(&mut two).unwrap();
    assert_eq!(&two, b"ab");
    let mut three = [0; 3];
    caller.read_exact(&mut three).unwrap();
    assert_eq!(three, *b"\xff\xfc\x18");
    stdin.write_all(b"hello").unwrap();
    assert_eq!(read(&mut caller, 5), "hello");
    caller.shutdown(Shutdown::Write).unwrap();
    assert_eq!(rest(caller), b"");
    running.notes.wait_for("left: Done 5 5", 1);
    let seen = seen.0.lock().unwrap().join(", ");
    assert_eq!(
        seen,
        r"Client a\xff\xfd\x18b, Server hello, Client Closed, Server Closed"
    );
}

#[test]
fn callers_begin_with_tls_or_are_sent_away() {
    let settings = || {
        let (chain, key) = certs::generate(&["localhost".to_owned()]).unwrap();
        Settings {
            tls: Some(Acceptor::new(chain.as_bytes(), key.as_bytes()).unwrap()),
            patience: Duration::from_millis(500),
            ..Settings::default()
        }
    };
    let (running, mut stdin, mut stdout) = talk(InputEnd::HalfClose, settings);
    let silent = running.call();
    let mut rude = running.call();
    rude.write_all(b"GET / HTTP/1.0\r\n\r\n").unwrap();
    let connector = Connector::new(&Trust::Anybody).unwrap();
    let polite = Socket::from(running.call());
    let mut polite = Link::tls_client(polite, &connector, "localhost").unwrap();
    polite.handshake(Some(PATIENCE)).unwrap();
    running.notes.wait_for("secured: TLSv1.3", 1);
    assert_eq!(polite.send(b"hello").unwrap(), 5);
    let mut five = [0; 5];
    stdout.read_exact(&mut five).unwrap();
    assert_eq!(&five, b"hello");
    stdin.write_all(b"welcome").unwrap();
    let (mut heard, mut scratch) = (Vec::with_capacity(100), Vec::new());
    while heard.len() < 7 {
        match polite.receive(&mut heard, &mut scratch) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                thread::sleep(Duration::from_millis(5));
            }
            result => assert_ne!(result.unwrap(), 0),
        }
    }
    assert_eq!(heard, b"welcome");
    assert_eq!(rest(silent), b"");
    running.notes.wait_for("not secured", 2);
    drop(polite);
    running.notes.wait_for("left: Done 7 5", 1);
}

#[test]
fn who_is_only_here_costs_nothing() {
    let (running, stdin, _stdout) = talk(InputEnd::HalfClose, Settings::default);
    let callers: Vec<_> = (0..200).map(|_| running.guest()).collect();
    drop(stdin);
    for mut caller in &callers {
        assert_eq!(caller.read(&mut [0]).unwrap(), 0);
    }
    thread::sleep(Duration::from_millis(1500));
    let spent = running.stop();
    assert!(spent < Duration::from_millis(150), "{spent:?}");
}

fn rated(rate: u64, shown: mpsc::Sender<Progress>) -> Settings {
    Settings {
        manner: Box::new(move |_| Manner {
            rate: NonZeroU64::new(rate),
            ..Manner::default()
        }),
        progress: Some(Box::new(move |progress| {
            // The test may be over.
            let _ = shown.send(progress);
        })),
        ..Settings::default()
    }
}

#[test]
fn each_caller_has_its_own_rate_in_each_direction() {
    let (shown, progress) = mpsc::channel();
    let (running, mut stdin, stdout) = talk(InputEnd::HalfClose, move || rated(100_000, shown));
    let text = lines(stdout, 2 * 60_000);
    let begun = Instant::now();
    let callers: Vec<_> = (0..2)
        .map(|_| {
            let mut caller = running.guest();
            caller.write_all(&[b'x'; 60_000]).unwrap();
            thread::spawn(move || read(&mut caller, 50_000))
        })
        .collect();
    stdin.write_all(&[b'y'; 50_000]).unwrap();
    assert_eq!(text.join().unwrap(), "x".repeat(120_000));
    // A tenth of a second is had in advance.
    let heard = begun.elapsed();
    assert!(heard >= Duration::from_millis(450), "{heard:?}");
    for caller in callers {
        assert_eq!(caller.join().unwrap(), "y".repeat(50_000));
    }
    let said = begun.elapsed();
    assert!(said >= Duration::from_millis(350), "{said:?}");
    let sum = progress.recv_timeout(PATIENCE).unwrap();
    assert!(sum.duration >= Duration::from_secs(1), "{sum:?}");
    let all = (100_000, 120_000);
    let mut last = (sum.sent, sum.received);
    while last != all {
        let sum = progress.recv_timeout(PATIENCE).unwrap();
        last = (sum.sent, sum.received);
    }
    let spent = running.stop();
    assert!(
        spent < Duration::from_secs(1),
        "no running in circles: {spent:?}"
    );
}

#[test]
fn who_ends_and_is_slowed_down_still_gets_all_that_waits() {
    let settings = || Settings {
        stall: Duration::from_millis(300),
        ..rated(20_000, mpsc::channel().0)
    };
    let (running, mut stdin, _stdout) = talk(InputEnd::HalfClose, settings);
    let caller = running.guest();
    stdin.write_all(&[b'y'; 30_000]).unwrap();
    caller.shutdown(Shutdown::Write).unwrap();
    assert_eq!(rest(caller).len(), 30_000);
    running.notes.wait_for("left: Done 30000 0", 1);
}
