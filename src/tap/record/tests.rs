use super::*;
use crate::tap::note;

fn whose(number: u64) -> Whose<'static> {
    Whose {
        number,
        service: "smtp",
        client: Some(([127, 0, 0, 1], 50000).into()),
        server: Some(([127, 0, 0, 1], 1025).into()),
        began: (
            Instant::now(),
            SystemTime::UNIX_EPOCH + Duration::from_millis(1_795_701_922_123 + number),
        ),
    }
}

fn open(path: &std::path::Path) -> Folder {
    let bounds = Bounds {
        octets: limits::SESSIONS_OCTETS,
        age: Duration::from_secs(u64::from(u32::MAX) * 10),
    };
    Folder::open(path, KIND, bounds).expect("a folder")
}

/// The lines of the only file.
fn only(path: &std::path::Path) -> String {
    let names = names(path, KIND).expect("a folder");
    let [name] = &names[..] else {
        panic!("{names:?}");
    };
    std::fs::read_to_string(path.join(name.file(KIND))).expect("a file")
}

const KIND: &str = "dialog";

#[test]
fn a_session_is_a_file() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("sessions");
    let recorder = Recorder::start(Some(open(&path)), Feed::default()).expect("a thread");
    let whose = whose(12);
    let began = whose.began.0;
    let mut tap = recorder.tap(&whose).expect("it is kept");
    let later = |milliseconds| began + Duration::from_millis(milliseconds);
    tap.saw(began, Side::Server, Piece::Bytes(b"220 hi\r\n"));
    tap.saw(later(12), Side::Client, Piece::Bytes(b"AUTH PLAIN "));
    tap.saw(later(12), Side::Client, Piece::Secret);
    tap.saw(later(12), Side::Client, Piece::Bytes(b"\r\n"));
    let text = "alice";
    let kind = note::USER;
    tap.saw(later(12), Side::Server, Piece::Note { kind, text });
    tap.saw(later(12), Side::Server, Piece::Bytes(b"235 in\r\n"));
    tap.saw(later(20), Side::Client, Piece::Tls("TLSv1.3"));
    tap.saw(later(21), Side::Client, Piece::Bytes(b"QUI"));
    drop(tap);
    drop(recorder);
    let text = only(&path);
    let (text, ended) = text.split_once("# ended: after ").expect("it ended");
    assert_eq!(
        text,
        "# session: 20261126-140522.135-12\n# service: smtp\n# client: 127.0.0.1:50000\n# server: 127.0.0.1:1025\n\
         S: 220 hi\n# +0.012 s\nC: AUTH PLAIN ********\n# user: alice\nS: 235 in\n# +0.008 s\nT: tls # TLSv1.3\n\
         # +0.001 s\nC| QUI\n"
    );
    assert!(ended.ends_with(" s\n"), "{ended}");
    use std::os::unix::fs::PermissionsExt;
    let mode =
        |path: &std::path::Path| std::fs::metadata(path).expect("there").permissions().mode();
    assert_eq!(mode(&path) & 0o777, 0o700);
    let name = &names(&path, KIND).expect("a folder")[0];
    assert_eq!(mode(&path.join(name.file(KIND))) & 0o777, 0o600);
}

#[test]
fn of_a_long_text_the_beginning_and_the_end_are_kept() {
    let folder = tempfile::tempdir().expect("a folder");
    let recorder = Recorder::start(Some(open(folder.path())), Feed::default()).expect("a thread");
    let mut tap = recorder.tap(&whose(1)).expect("it is kept");
    let now = Instant::now();
    tap.saw(now, Side::Client, Piece::Bytes(b"DATA\r\n"));
    tap.saw(now, Side::Server, Piece::Bytes(b"354 go\r\n"));
    let line = [b"x".repeat(98), b"\r\n".to_vec()].concat();
    let text = line.repeat(200_000);
    // As it comes from a socket: cut anywhere.
    for piece in text.chunks(16_301) {
        tap.saw(now, Side::Client, Piece::Bytes(piece));
    }
    tap.saw(now, Side::Client, Piece::Bytes(b".\r\n"));
    tap.saw(now, Side::Server, Piece::Bytes(b"250 took it\r\n"));
    tap.saw(now, Side::Client, Piece::Bytes(b"QUIT\r\n"));
    drop((tap, recorder));
    let text = only(folder.path());
    let kept = limits::RECORD_STRETCH.div_ceil(100);
    let left = 200_000 - kept;
    let end = format!(
        "\n# left out: {left} lines, {} octets\nC: .\nS: 250 took it\nC: QUIT\n# ended",
        left * 100
    );
    assert!(text.contains(&end), "{}", &text[text.len() - 500..]);
    assert_eq!(text.matches(&"x".repeat(98)).count(), kept);
}

#[test]
fn of_a_file_no_more_is_read_than_is_kept() {
    let folder = tempfile::tempdir().expect("a folder");
    let recorder = Recorder::start(Some(open(folder.path())), Feed::default()).expect("a thread");
    let mut tap = recorder.tap(&whose(1)).expect("it is kept");
    let now = Instant::now();
    tap.saw(now, Side::Client, Piece::Bytes(b"a FETCH 1 BODY[]\r\n"));
    let begin = vec![b'x'; usize::try_from(tap.enough()).expect("short")];
    tap.saw(now, Side::Server, Piece::Bytes(&begin));
    tap.skipped(now, Side::Server, 20_000_000);
    tap.saw(now, Side::Server, Piece::Bytes(b"end)\r\na OK\r\n"));
    tap.saw(now, Side::Client, Piece::Bytes(b"b LOGOUT\r\n"));
    drop((tap, recorder));
    let text = only(folder.path());
    assert!(
        text.contains("# left out: 20000006 octets\n"),
        "{}",
        &text[text.len() - 200..]
    );
    assert!(
        text.contains("a OK\nC: b LOGOUT\n"),
        "{}",
        &text[text.len() - 200..]
    );
}

#[test]
fn a_session_that_goes_on_for_ever_has_a_file_that_does_not() {
    let folder = tempfile::tempdir().expect("a folder");
    let recorder = Recorder::start(Some(open(folder.path())), Feed::default()).expect("a thread");
    let mut tap = recorder.tap(&whose(1)).expect("it is kept");
    let now = Instant::now();
    let line = [b"x".repeat(8_000), b"\r\n".to_vec()].concat();
    for _ in 0..20_000 {
        tap.saw(now, Side::Client, Piece::Bytes(b"FETCH\r\n"));
        tap.saw(now, Side::Server, Piece::Bytes(&line));
    }
    let (kind, text) = (note::TROUBLE, "it is enough");
    tap.saw(now, Side::Server, Piece::Note { kind, text });
    drop((tap, recorder));
    let text = only(folder.path());
    let octets = text.len();
    assert!(text.contains("# trouble: it is enough\n# ended: "));
    assert!(octets < 3 * limits::RECORD_SESSION, "{octets}");
    assert!(octets > limits::RECORD_WHOLE, "{octets}");
}

#[test]
fn a_batch_that_is_full_takes_no_more_and_says_so() {
    let shared = Shared::default();
    let mut recorded = Recorded {
        shared: Arc::new(shared),
        number: 1,
        abridged: Abridged::default(),
        lost: 0,
    };
    let now = Instant::now();
    let piece = vec![b'x'; 16 * 1024];
    let mut said = 0;
    while recorded.lost == 0 {
        recorded.abridged = Abridged::default();
        recorded.saw(now, Side::Client, Piece::Bytes(&piece));
        recorded.saw(now, Side::Server, Piece::Bytes(b"x\r\n"));
        said += 1;
        assert!(said < 100_000, "it is never full");
    }
    let held = recorded.shared.hold().octets.len();
    assert!(held <= limits::RECORD_BATCH + limits::RECORD_PENDING + 64);
    recorded.saw(now, Side::Client, Piece::Bytes(b"y\r\n"));
    let lost = recorded.lost;
    // It is taken: then there is room again.
    recorded.abridged = Abridged::default();
    recorded.shared.hold().octets.clear();
    recorded.saw(now, Side::Server, Piece::Bytes(b"250 go\r\n"));
    let batch = std::mem::take(&mut recorded.shared.hold().octets);
    let (event, rest) = Event::read(&batch).expect("an event");
    let What::Note { kind: "lost", text } = event.what else {
        panic!("{event:?}");
    };
    assert!(text.starts_with(&format!("{lost} octets")), "{text}");
    let (event, _) = Event::read(rest).expect("an event");
    assert_eq!(event.what, What::Bytes(b"250 go\r\n"));
}

#[test]
fn the_oldest_go_when_there_are_too_many_and_when_they_are_too_old() {
    let place = tempfile::tempdir().expect("a folder");
    let path = place.path();
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    let now = u64::try_from(now.expect("after 1970").as_millis()).expect("not for long");
    std::fs::write(path.join("notes.txt"), "mine").expect("written");
    let day = 24 * 3600 * 1000;
    let name = |days: u64, number| Name::of(now - days * day, number);
    for days in [9, 6, 5, 4, 3] {
        std::fs::write(path.join(name(days, 1).file(KIND)), "x").expect("written");
    }
    let bounds = Bounds {
        octets: 4 * BLOCK_OF_DISK,
        age: Duration::from_millis(7 * day),
    };
    let mut folder = Folder::open(path, KIND, bounds).expect("a folder");
    let there = || names(path, KIND).expect("a folder");
    assert_eq!(there(), [name(6, 1), name(5, 1), name(4, 1), name(3, 1)]);
    let new = name(0, 7);
    folder.append(&new, true, &[b'x'; 5000]).expect("written");
    folder.has(&new, 5000);
    assert_eq!(there(), [name(4, 1), name(3, 1), new]);
    assert!(path.join("notes.txt").exists(), "what is not ours stays");
}

const BLOCK_OF_DISK: u64 = 4096;

#[test]
fn names_are_read_as_they_are_written() {
    let name = Name::of(1_795_701_922_123, 12);
    assert_eq!(name.to_string(), "20261126-140522.123-12");
    assert_eq!("20261126-140522.123-12".parse(), Ok(name));
    for text in [
        "",
        "-",
        "20261126-140522-12",
        "20261126-140522.123-012",
        "20261326-140522.123-1",
        "2026112\u{e9}-140522.123-1",
        "20261126-140522.123-+1",
        "20261126-1405+2.123-1",
    ] {
        assert_eq!(text.parse::<Name>(), Err(()), "{text}");
    }
}

#[test]
fn who_follows_gets_lines_with_numbers_and_is_told_what_it_missed() {
    let feed = Feed::default();
    let recorder = Recorder::start(None, feed.clone()).expect("a thread");
    assert!(recorder.tap(&whose(1)).is_none(), "nobody wants to know");
    let (wake, woken) = std::sync::mpsc::channel();
    let follower = feed.follow(Box::new(move || {
        let _ = wake.send(());
    }));
    let mut tap = recorder.tap(&whose(7)).expect("somebody does");
    tap.saw(Instant::now(), Side::Server, Piece::Bytes(b"220 hi\r\n"));
    drop((tap, recorder));
    woken.recv().expect("it was woken");
    let (text, lost) = follower.take();
    assert!(
        text.starts_with(
            "# 7: session: 20261126-140522.130-7\n# 7: service: smtp\n# 7: client: 127.0.0.1:50000\n# 7: server: \
             127.0.0.1:1025\n7S: 220 hi\n# 7: ended: after "
        ),
        "{text}"
    );
    assert_eq!(lost, 0);
    feed.tell(&"x\n".repeat(limits::FOLLOWER / 2));
    feed.tell("y\nz\n");
    let (text, lost) = follower.take();
    assert_eq!((text.len(), lost), (limits::FOLLOWER, 2));
    drop(follower);
    assert!(!feed.is_followed());
}
