use std::io::PipeWriter;
use std::num::NonZeroU64;

use super::*;
use crate::reactor::hall::{Circle, Labels, Speaker};
use crate::reactor::stdio::Input;

fn circle(
    labels: Labels,
    settings: impl FnOnce() -> Settings + Send + 'static,
) -> (Running, PipeWriter) {
    let (stdin, writer) = io::pipe().unwrap();
    let running = start(settings, move || {
        let speaker = Speaker::new(Input::new(stdin.into()).unwrap());
        Service::Meet(Circle::new(Some(speaker), labels))
    });
    (running, writer)
}

#[test]
fn all_others_hear_what_one_says() {
    let (running, mut stdin) = circle(Labels::None, Settings::default);
    let [mut a, mut b, mut c] = [0; 3].map(|_| running.guest());
    a.write_all(b"from a\x01\n").unwrap();
    assert_eq!(read(&mut b, 8), "from a\x01\n");
    assert_eq!(read(&mut c, 8), "from a\x01\n");
    stdin.write_all(b"from above\n").unwrap();
    for caller in [&mut a, &mut b, &mut c] {
        assert_eq!(read(caller, 11), "from above\n");
    }
    drop(stdin);
    b.shutdown(Shutdown::Write).unwrap();
    assert_eq!(rest(b), b"", "who ends is gone");
    c.write_all(b"from c\n").unwrap();
    assert_eq!(read(&mut a, 7), "from c\n");
    assert_eq!(whatever_comes(&mut c), "");
}

#[test]
fn who_only_sends_hears_and_passes_on_nothing() {
    let (stdin, mut writer) = io::pipe().unwrap();
    let running = start(Settings::default, move || {
        let speaker = Speaker::new(Input::new(stdin.into()).unwrap());
        Service::Meet(Circle::new(Some(speaker), Labels::None).that_passes_nothing())
    });
    let [mut a, mut b] = [0; 2].map(|_| running.guest());
    a.write_all(b"from a\n").unwrap();
    assert_eq!(whatever_comes(&mut b), "");
    writer.write_all(b"from above\n").unwrap();
    for caller in [&mut a, &mut b] {
        assert_eq!(read(caller, 11), "from above\n");
    }
}

#[test]
fn a_chat_tells_who_speaks_comes_and_goes() {
    let (running, mut stdin) = circle(Labels::Names, Settings::default);
    let come = |who: u32, others: &str| {
        format!(
            "<announce> 127.0.0.1 is connected as <user{who}>.\n<announce> already connected: {others}.\n"
        )
    };
    let mut a = running.guest();
    assert_eq!(whatever_comes(&mut a), come(4, "nobody"));
    let mut b = running.guest();
    let b_comes = come(5, "127.0.0.1 as <user4>");
    assert_eq!(whatever_comes(&mut a), b_comes);
    assert_eq!(whatever_comes(&mut b), b_comes);
    a.write_all(b"caf\xc3\xa9\x1b[1m\x7f\t\r\n").unwrap();
    assert_eq!(
        whatever_comes(&mut b),
        "<user4> caf\\303\\251\\033[1m\\177\t\r\n"
    );
    stdin.write_all(b"hear\n").unwrap();
    assert_eq!(whatever_comes(&mut a), "<user0> hear\n");
    drop(a);
    assert_eq!(
        whatever_comes(&mut b),
        "<user0> hear\n<announce> <user4> is disconnected.\n"
    );
    let mut c = running.guest();
    assert_eq!(whatever_comes(&mut c), come(4, "127.0.0.1 as <user5>"));
}

#[test]
fn a_thousand_hear_a_hundred_of_them_although_one_reads_nothing() {
    let small = sockets::Settings {
        send_buffer: Some(16 * 1024),
        ..sockets::Settings::default()
    };
    let settings = || Settings {
        stall: Duration::from_secs(2),
        ..Settings::default()
    };
    let running = start_with(small, settings, || {
        Service::Meet(Circle::new(None, Labels::None))
    });
    let deaf = Socket::from(running.guest());
    deaf.set_recv_buffer_size(4096).unwrap();
    let mut callers: Vec<_> = (0..999).map(|_| running.call()).collect();
    running.notes.wait_for("called", 1000);
    for caller in &callers {
        caller.set_nonblocking(true).unwrap();
    }
    let talkers: Vec<_> = callers[..100]
        .iter()
        .map(|caller| caller.try_clone().unwrap())
        .collect();
    // All of it is more than what the deaf one's queue and the buffers on the way to it hold.
    let (pieces, piece) = (10, 500);
    let all = talkers.len() * pieces * piece;
    thread::scope(|scope| {
        let readers: Vec<_> = callers
            .chunks_mut(333)
            .enumerate()
            .map(|(chunk, callers)| {
                scope.spawn(move || {
                    // Talkers do not hear themselves.
                    let own = |index| match chunk == 0 && index < 100 {
                        true => pieces * piece,
                        false => 0,
                    };
                    let mut left: Vec<_> =
                        (0..callers.len()).map(|index| all - own(index)).collect();
                    let mut buffer = vec![0; 1 << 16];
                    let until = Instant::now() + 3 * PATIENCE;
                    while left.iter().any(|left| *left > 0) {
                        assert!(Instant::now() < until, "{left:?}");
                        for (caller, left) in callers.iter_mut().zip(&mut left) {
                            match caller.read(&mut buffer) {
                                Ok(octets) => *left -= octets,
                                Err(error) => assert_eq!(error.kind(), io::ErrorKind::WouldBlock),
                            }
                        }
                        thread::sleep(Duration::from_millis(1));
                    }
                })
            })
            .collect();
        let words = vec![b'x'; piece];
        for _ in 0..pieces {
            for talker in &talkers {
                // It does not block, but a piece is small, and what is in the way of it is read meanwhile.
                let mut said = 0;
                while said < piece {
                    match (&mut &*talker).write(&words[said..]) {
                        Ok(octets) => said += octets,
                        Err(error) => assert_eq!(error.kind(), io::ErrorKind::WouldBlock),
                    }
                }
            }
        }
        for reader in readers {
            reader.join().unwrap();
        }
    });
    assert_eq!(running.notes.count("too slow"), 1);
    drop(deaf);
}

#[test]
fn in_a_circle_each_is_held_to_its_rate() {
    let settings = || Settings {
        manner: Box::new(|_| Manner {
            rate: NonZeroU64::new(50_000),
            ..Manner::default()
        }),
        ..Settings::default()
    };
    let (running, _stdin) = circle(Labels::None, settings);
    let [mut a, mut b] = [0; 2].map(|_| running.guest());
    let begun = Instant::now();
    a.write_all(&[b'a'; 30_000]).unwrap();
    assert_eq!(read(&mut b, 30_000), "a".repeat(30_000));
    let took = begun.elapsed();
    assert!(took >= Duration::from_millis(450), "{took:?}");
}
