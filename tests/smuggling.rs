//! Ends of text that are none, sent to the program on each port at which it takes mail for others: what goes on to the next server is one
//! message, in lines that end with CRLF and in no other way.
//!
//! The attack needs two servers that see different ends: what the first one takes for text, the second takes for a new message, in the
//! name of whomever it likes. `dialogs/smtp/smuggling-*.dialog` has what the server says; here is what leaves it.

#[path = "support/by_hand.rs"]
mod by_hand;
#[path = "support/next_hop.rs"]
mod next_hop;
#[path = "support/program.rs"]
mod program;

use by_hand::{Hand, contains, wait_for, wait_for_empty_queue};
use next_hop::NextHop;
use program::Server;

/// What somebody may take for the end of a text.
const ENDS: [&[u8]; 22] = [
    b"\n.\n",
    b"\n.\r\n",
    b"\r\n.\n",
    b"\r.\r",
    b"\r.\r\n",
    b"\r\n.\r",
    b"\r.\n",
    b"\n.\r",
    b"\r\n\0.\r\n",
    b"\r\n.\0\r\n",
    b"\r\n\r.\r\n",
    b"\r\n.\r\r\n",
    b"\r\r\n.\r\r\n",
    b"\n\n.\n\n",
    b"\r\n \r\n.\n\r\n",
    b"\x0b.\x0b",
    b"\x0c.\x0c",
    b"\xc2\x85.\xc2\x85",
    b"\xe2\x80\xa8.\xe2\x80\xa8",
    b"\n..\n",
    b"\r\n..\n",
    b"\r\n.\x85\r\n",
];

const SMUGGLED: &[u8] =
    b"MAIL FROM:<admin@ours.example>\r\nRCPT TO:<victim@next.example>\r\nDATA\r\n\
    From: admin@ours.example\r\nSubject: smuggled\r\n\r\nevil\r\n";

/// How a text is handed in.
#[derive(Clone, Copy, Debug)]
enum Form {
    Data,
    Chunk,
    /// An octet a chunk.
    Chunks,
}

#[test]
fn what_goes_on_is_one_message_in_lines() {
    // Short texts go by DATA, long ones by BDAT, where the next server takes it.
    for (offers, padding) in [
        (&["PIPELINING", "8BITMIME"][..], 0),
        (&["PIPELINING", "8BITMIME", "CHUNKING"], 0),
        (&["PIPELINING", "8BITMIME", "CHUNKING"], 100_000),
        (&["8BITMIME"], 100_000),
    ] {
        let next = NextHop::start(offers);
        let folder = tempfile::tempdir().expect("a folder");
        let aliases = folder.path().join("aliases");
        std::fs::write(&aliases, "out: x@next.example\n").expect("written");
        let route = format!("*={}", next.address);
        let server = Server::start_with(&[
            "--domain",
            "ours.example",
            "--aliases",
            aliases.to_str().expect("UTF-8"),
            "--route",
            &route,
            "--lmtp",
            "127.0.0.1:0",
        ]);
        let mut sent = 0;
        for (service, hello) in [
            ("smtp", &["EHLO x"][..]),
            // alice, whose password is her name.
            ("submission", &["EHLO x", "AUTH PLAIN AGFsaWNlAGFsaWNl"]),
            ("lmtp", &["LHLO x"]),
        ] {
            for form in [Form::Data, Form::Chunk, Form::Chunks] {
                if padding > 0 && matches!(form, Form::Chunks) {
                    continue;
                }
                for end in ENDS {
                    let what = format!("{service} {form:?} {:?}", String::from_utf8_lossy(end));
                    let mut hand = Hand::connect(server.address(service));
                    hand.reply();
                    for line in hello {
                        let reply = hand.say(line);
                        assert!(reply.starts_with('2'), "{what}: {reply}");
                    }
                    if hand_in(&mut hand, form, end, padding, &what) {
                        sent += 1;
                    }
                }
            }
        }
        wait_for_empty_queue(&server.store());
        let heard = wait_for("all of them", || {
            let heard = next.heard();
            (heard.texts.len() >= sent).then_some(heard)
        });
        assert_eq!((heard.texts.len(), heard.bare), (sent, 0));
        for command in &heard.commands {
            assert!(
                !command.contains("victim") && !command.starts_with("MAIL FROM:<admin"),
                "{command}"
            );
            let verb = command.split([' ', ':']).next().unwrap_or_default();
            assert!(
                ["EHLO", "MAIL", "RCPT", "DATA", "BDAT", "RSET", "QUIT"].contains(&verb),
                "{command}"
            );
        }
        for text in &heard.texts {
            assert!(
                contains(text, b"Subject: honest") && contains(text, b"evil\r\n"),
                "{}",
                String::from_utf8_lossy(text)
            );
        }
    }
}

/// Whether it was taken; nothing but one reply may come.
fn hand_in(hand: &mut Hand, form: Form, end: &[u8], padding: usize, what: &str) -> bool {
    let mut text = b"From: alice@ours.example\r\nSubject: honest\r\n\r\n".to_vec();
    while text.len() < padding {
        text.extend(b"0123456789012345678901234567890123456789012345678901234567890123456789\r\n");
    }
    text.extend(b"begin");
    text.extend(end);
    text.extend(SMUGGLED);
    for command in [
        "MAIL FROM:<alice@ours.example>",
        "RCPT TO:<out@ours.example>",
    ] {
        let reply = hand.say(command);
        assert!(reply.starts_with("250 "), "{what}: {reply}");
    }
    match form {
        Form::Data => {
            let reply = hand.say("DATA");
            assert!(reply.starts_with("354 "), "{what}: {reply}");
            hand.send_raw(&text);
            hand.send_raw(b".\r\n");
        }
        Form::Chunk => {
            hand.send_raw(format!("BDAT {} LAST\r\n", text.len()).as_bytes());
            hand.send_raw(&text);
        }
        Form::Chunks => {
            let mut all = Vec::new();
            for octet in &text {
                all.extend(b"BDAT 1\r\n");
                all.push(*octet);
            }
            all.extend(b"BDAT 0 LAST\r\n");
            hand.send_raw(&all);
            for _ in &text {
                let reply = hand.reply();
                assert!(reply.starts_with("250 "), "{what}: {reply}");
            }
        }
    }
    let reply = hand.reply();
    let after = hand.say("NOOP");
    assert!(after.starts_with("250 "), "{what}: {after}");
    let quit = hand.say("QUIT");
    assert!(quit.starts_with("221 "), "{what}: {quit}");
    assert!(
        reply.starts_with("250 2.0.0 ") || reply.starts_with('5'),
        "{what}: {reply}"
    );
    reply.starts_with('2')
}
