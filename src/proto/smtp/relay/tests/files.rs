//! Messages that lie in files.

use super::*;

fn file(text: &[u8]) -> Text {
    use std::io::Write;
    let mut file = tempfile::tempfile().expect("a file");
    file.write_all(text).expect("a write");
    Text::Stored(Extent::new(std::sync::Arc::new(file), 0, text.len() as u64))
}

/// Does the jobs that are asked for, as a pool would; what was said meanwhile.
fn work(client: &mut Client, out: &mut Out, now: Instant) -> String {
    let mut said = taken(out);
    loop {
        if let Some(proto::Job::Smtp(job)) = out.take_job() {
            let answer = match job {
                Job::Look(text) => Answer::Looked(Nature::of_file(&text)),
                Job::Stuff(text, from, stuffer) => {
                    Answer::Stuffed(Stuffed::read(&text, from, stuffer))
                }
                _ => panic!("a client asks for no other job"),
            };
            client.handle(now, Input::Done(proto::Answer::Smtp(answer)), out);
        } else if !out.is_empty() {
            said.push_str(&taken(out));
            client.handle(now, Input::Room, out);
        } else {
            return said;
        }
    }
}

#[test]
fn a_file_goes_in_blocks_or_as_one_chunk() {
    let line = "..a line of text, which begins with dots\r\n";
    let text = format!("Subject: x\r\n\r\n{}", line.repeat(20_000)).replacen("line", "l\0ne", 2);
    let stuffed = format!(".{line}")
        .repeat(20_000)
        .replacen("line", "l\0ne", 2);
    for (offers, expected) in [
        ("250 8BITMIME", format!("Subject: x\r\n\r\n{stuffed}.\r\n")),
        (
            "250 CHUNKING",
            format!("BDAT {} LAST\r\n{text}", text.len()),
        ),
        // Without 8BITMIME it is looked at first: it is called 8-bit, and is not.
        ("250 HELP", format!("Subject: x\r\n\r\n{stuffed}.\r\n")),
    ] {
        let now = Instant::now();
        let mut out = Out::new(Side::Client, now, None);
        let tray = Tray::new();
        let mut long = message(1, &["alice"]);
        long.text = file(text.as_bytes());
        long.envelope.options.body = Body::EightBit;
        tray.give(long);
        tray.close();
        let mut client = Client::new(plan(), tray.clone());
        client.handle(now, Input::Open, &mut out);
        let replies: &[&str] = match offers {
            "250 CHUNKING" => &["220 a", "250-8BITMIME", offers, "250 Ok", "250 Ok"],
            _ => &["220 a", "250-a", offers, "250 Ok", "250 Ok", "354 Go"],
        };
        let mut said = String::new();
        for line in replies {
            client.handle(now, Input::Line(line.as_bytes()), &mut out);
            said = work(&mut client, &mut out, now);
        }
        assert!(said == expected, "{offers}: {} octets", said.len());
        client.handle(now, Input::Line(b"250 2.0.0 Ok"), &mut out);
        assert_eq!(described(&tray), "1.0 taken: 250 2.0.0 Ok");
    }
}

#[test]
fn binary_goes_by_bdat_and_lmtp_answers_for_each_recipient() {
    let mut binary = message(1, &["alice", "nobody", "carol"]);
    binary.envelope.options.body = Body::Binary;
    binary.text = Text::Bytes(b"a: b\r\n\r\n\n.\n".to_vec().into());
    let plan = Plan {
        protocol: Protocol::Lmtp,
        ..plan()
    };
    let outcome = play(
        &plan,
        &[binary, message(2, &["alice"])],
        &[
            ("220 a.example LMTP\r\n", "LHLO mx.b.example\r\n"),
            (
                "250-a.example\r\n250-PIPELINING\r\n250-CHUNKING\r\n250 BINARYMIME\r\n",
                "MAIL FROM:<bob@b.example> BODY=BINARYMIME\r\nRCPT TO:<alice@a.example>\r\nRCPT TO:<nobody@a.example>\r\n\
                 RCPT TO:<carol@a.example>\r\n",
            ),
            (
                "250 Ok\r\n250 Ok\r\n550 5.1.1 No\r\n250 Ok\r\n",
                "BDAT 11 LAST\r\na: b\r\n\r\n\n.\n",
            ),
            (
                "250 2.0.0 alice\r\n452 4.2.2 Full\r\n",
                &format!("RSET\r\n{MAIL}{ALICE}DATA\r\n"),
            ),
            ("250 Ok\r\n250 Ok\r\n250 Ok\r\n354 Go\r\n", TEXT),
            ("250 Ok\r\n", "QUIT\r\n"),
            ("221 Bye\r\n", ""),
        ],
    );
    assert_eq!(
        outcome,
        "1.0 taken: 250 2.0.0 alice; 1.1 RCPT TO refused: 550 5.1.1 No; 1.2 the message refused: 452 4.2.2 Full; 2.0 \
         taken: 250 Ok"
    );
}
