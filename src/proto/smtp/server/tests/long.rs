//! Long messages, which go to the disk in blocks.

use super::*;

#[test]
fn what_is_missing_in_a_long_message_is_added_too() {
    let stage = Stage::new();
    let mut talk = stage.talk(Mode::Submission);
    talk.say(b"EHLO pc1\r\nAUTH PLAIN AGJvYgBib2I=\r\n");
    let body = "0123456789abcdef0123456789abcdef\r\n".repeat(6_000);
    talk.send(&["alice"], &format!("Subject: long\r\n\r\n{body}"));
    let header = format!("X: {}", "folded\r\n\t".repeat(20_000));
    talk.send(&["alice"], &format!("{header}\r\n\r\n{body}"));
    for text in stage.inbox("alice") {
        let added = "\r\nDate: Sun, 06 Nov 1994 08:49:37 +0000\r\nMessage-ID: <2EBC98A1-7-";
        let (before, after) = text.split_once(added).expect("both fields");
        assert!(!before.contains("\r\n\r\n"), "in the header");
        assert_eq!(
            after.split_once("\r\n\r\n").map(|(_, body)| body),
            Some(&*body)
        );
    }
}

#[test]
fn a_long_message_goes_to_the_disk_in_blocks() {
    let stage = Stage::new();
    let mut talk = stage.talk(Mode::Mta);
    talk.say(b"EHLO pc1\r\n");
    let body = "0123456789abcdef0123456789abcdef\r\n".repeat(60_000);
    let reply = talk.send(&["alice", "bob"], &format!("Subject: long\r\n\r\n{body}"));
    assert!(reply.starts_with("250 2.0.0 "), "{reply}");
    assert_eq!(
        talk.jobs, 6,
        "64 KiB, then 256 KiB each up to 1 MiB, then the rest"
    );
    assert!(
        talk.largest_part <= limits::BLOCK_AHEAD + 4 * limits::RECEIVE_BUFFER,
        "{}",
        talk.largest_part
    );
    let inbox = stage.inbox("bob");
    assert!(inbox[0].ends_with(&format!("Subject: long\r\n\r\n{body}")));
}

#[test]
fn a_long_message_that_is_refused_or_lost_leaves_nothing() {
    let stage = Stage::new();
    let mut talk = stage.talk(Mode::Mta);
    talk.say(b"EHLO pc1\r\n");
    let body = "0123456789abcdef0123456789abcdef\r\n".repeat(100_000);
    let reply = talk.send(&["alice"], &format!("Subject: too long\r\n\r\n{body}"));
    assert!(reply.starts_with("552 5.3.4 "), "{reply}");
    talk.say(b"MAIL FROM:<>\r\nRCPT TO:<alice>\r\nDATA\r\nSubject: half\r\n\r\n");
    talk.say(&body.as_bytes()[..500_000]);
    talk.server.handle(stage.now, Input::Eof, &mut talk.out);
    assert_eq!(
        (talk.out.wish(), talk.answered()),
        (Some(Wish::Close), String::new())
    );
    assert_eq!(stage.inbox("alice"), Vec::<String>::new());
    let tmp = stage._folder.path().join("mail/alice/tmp");
    let left = std::fs::read_dir(tmp).expect("a Maildir").count();
    assert_eq!(left, 0, "no half file stays");
}

#[test]
fn what_a_worker_has_is_answered_before_the_end() {
    let stage = Stage::new();
    for (input, more) in [(Input::Eof, ""), (Input::Stop, "421 4.3.2 ")] {
        let mut talk = stage.talk(Mode::Mta);
        talk.say(b"HELO pc1\r\nMAIL FROM:<>\r\nRCPT TO:<alice>\r\nDATA\r\n");
        talk.reader.push(b"Subject: x\r\n.\r\n");
        pump(&mut talk.reader, &mut talk.server, stage.now, &mut talk.out);
        talk.server.handle(stage.now, input, &mut talk.out);
        assert_eq!(talk.out.wish(), None, "a job runs");
        talk.work();
        let answered = talk.answered();
        assert!(answered.starts_with("250 2.0.0 Ok: "), "{answered}");
        assert!(
            answered
                .split_once("\r\n")
                .is_some_and(|(_, rest)| rest.starts_with(more))
        );
        assert_eq!(talk.out.wish(), Some(Wish::Close));
    }
    assert_eq!(stage.inbox("alice").len(), 2);
}

#[test]
fn a_message_that_is_coming_in_may_be_finished_before_a_stop() {
    let stage = Stage::new();
    let mut talk = stage.talk(Mode::Mta);
    talk.say(b"HELO pc1\r\nMAIL FROM:<>\r\nRCPT TO:<alice>\r\nDATA\r\nSubject: x\r\n");
    talk.server.handle(stage.now, Input::Stop, &mut talk.out);
    assert_eq!((talk.out.wish(), talk.answered()), (None, String::new()));
    let answered = talk.say(b"\r\nbody\r\n.\r\n");
    let lines: Vec<&str> = answered.lines().collect();
    let [taken, goodbye] = lines.as_slice() else {
        panic!("{answered}");
    };
    assert!(
        taken.starts_with("250 2.0.0 Ok: ") && goodbye.starts_with("421 4.3.2 "),
        "{answered}"
    );
    assert_eq!(talk.out.wish(), Some(Wish::Close));
    assert_eq!(stage.inbox("alice").len(), 1);
}

#[test]
fn a_long_message_in_chunks_goes_to_the_disk_in_blocks() {
    let stage = Stage::new();
    let mut talk = stage.talk(Mode::Mta);
    talk.say(b"EHLO pc1\r\nMAIL FROM:<>\r\nRCPT TO:<alice>\r\n");
    let body = "0123456789abcdef0123456789abcdef\r\n".repeat(60_000);
    talk.say(b"BDAT 14\r\nSubject: x\r\n\r\n");
    talk.say(format!("BDAT 700000\r\n{}", &body[..700_000]).as_bytes());
    let rest = &body[700_000..];
    let reply = talk.say(format!("BDAT {} LAST\r\n{rest}", rest.len()).as_bytes());
    assert!(reply.starts_with("250 2.0.0 Ok: "), "{reply}");
    assert_eq!(
        talk.jobs, 6,
        "64 KiB, then 256 KiB each up to 1 MiB, then the rest"
    );
    assert!(
        talk.largest_part <= limits::BLOCK_AHEAD + 4 * limits::RECEIVE_BUFFER,
        "{}",
        talk.largest_part
    );
    assert!(stage.inbox("alice")[0].ends_with(&body));
}

/// As the reactor has it: a block is written at leisure, while more comes in.
#[test]
fn a_long_message_is_read_on_while_a_block_is_written() {
    let stage = Stage::new();
    let body = "0123456789abcdef0123456789abcdef\r\n".repeat(60_000);
    let lines = format!("DATA\r\nSubject: x\r\n\r\n{body}.\r\nNOOP\r\n");
    let chunks = format!(
        "BDAT 900000\r\nSubject: x\r\n\r\n{}BDAT {} LAST\r\n{}NOOP\r\n",
        &body[..900_000 - 14],
        body.len() + 14 - 900_000,
        &body[900_000 - 14..]
    );
    for (said, begins) in [(lines, "354 "), (chunks, "250 2.0.0 Ok, 900000 octets")] {
        let mut talk = stage.talk(Mode::Mta);
        talk.say(b"EHLO pc1\r\nMAIL FROM:<>\r\nRCPT TO:<alice>\r\n");
        let (mut rest, mut most_ahead, mut ahead) = (said.as_bytes(), 0, 0);
        let mut job = None;
        loop {
            let space = talk.reader.space();
            let fits = space.len().min(rest.len());
            space[..fits].copy_from_slice(&rest[..fits]);
            talk.reader.filled(fits);
            rest = &rest[fits..];
            let pending = talk.reader.pending();
            if job.is_none() || talk.server.reads_on() {
                pump(&mut talk.reader, &mut talk.server, stage.now, &mut talk.out);
            }
            if let Some(asked) = talk.out.take_job() {
                assert!(job.is_none(), "one outstanding job a session");
                job = Some(asked);
                continue;
            }
            let taken = pending - talk.reader.pending();
            if job.is_some() {
                ahead += taken;
                most_ahead = most_ahead.max(ahead);
            }
            if taken > 0 || fits > 0 && talk.reader.pending() < 100 {
                continue;
            }
            ahead = 0;
            // Only when it does not go on without.
            let Some(done) = job.take() else { break };
            let answer = done.run(&stage.store);
            talk.server
                .handle(stage.now, Input::Done(answer), &mut talk.out);
        }
        let answered = talk.answered();
        let replies: Vec<_> = answered.lines().collect();
        assert!(replies[0].starts_with(begins), "{answered}");
        assert!(replies[1].starts_with("250 2.0.0 Ok: "), "{answered}");
        assert!(replies[2].starts_with("250 2.0.0"), "{answered}");
        assert!(
            most_ahead >= limits::LONG_BLOCK,
            "{most_ahead} octets were read while a block was written"
        );
        assert!(most_ahead <= limits::BLOCK_AHEAD + limits::RECEIVE_BUFFER);
    }
    let inbox = stage.inbox("alice");
    assert_eq!(inbox.len(), 2);
    for message in inbox {
        assert!(message.ends_with(&format!("Subject: x\r\n\r\n{body}")));
    }
}

#[test]
fn a_block_that_cannot_be_written_refuses_the_message_once_it_has_ended() {
    let stage = Stage::new();
    let mut talk = stage.talk(Mode::Mta);
    talk.say(b"EHLO pc1\r\nMAIL FROM:<>\r\nRCPT TO:<alice>\r\nDATA\r\n");
    let line = "x".repeat(998);
    let mut job = None;
    for _ in 0..70 {
        talk.reader.push(format!("{line}\r\n").as_bytes());
        pump(&mut talk.reader, &mut talk.server, stage.now, &mut talk.out);
        job = job.or_else(|| talk.out.take_job());
    }
    assert!(job.is_some(), "a block is with a worker");
    talk.reader.push(b".\r\nNOOP\r\n");
    pump(&mut talk.reader, &mut talk.server, stage.now, &mut talk.out);
    assert_eq!(talk.answered(), "", "what becomes of it is not known yet");
    let answer = Answer::Appended(Err(StoreError::Full), Vec::new());
    let answer = proto::Answer::Smtp(answer);
    talk.server
        .handle(stage.now, Input::Done(answer), &mut talk.out);
    pump(&mut talk.reader, &mut talk.server, stage.now, &mut talk.out);
    let answered = talk.answered();
    let replies: Vec<_> = answered.lines().collect();
    assert!(replies[0].starts_with("452 4.3.1 "), "{answered}");
    assert!(replies[1].starts_with("250 "), "{answered}");
    assert_eq!(stage.inbox("alice").len(), 0);
}
