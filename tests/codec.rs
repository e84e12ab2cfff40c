//! A second opinion about IMAP: what imap-codec reads in a command is what is read here, and it can read what is answered.

#[path = "support/program.rs"]
mod program;

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use imap_codec::decode::{Decoder, GreetingDecodeError, ResponseDecodeError};
use imap_codec::encode::Encoder;
use imap_codec::imap_types::response::{Response, Status};
use imap_codec::{CommandCodec, GreetingCodec, ResponseCodec};
use mailtool::wire::imap::command::{COMMANDS, parse, scan_tag};
use program::Server;

/// What is meant by a line, as it is read here.
fn meant(line: &[u8]) -> String {
    let line = line.strip_suffix(b"\r\n").unwrap_or(line);
    let Ok((tag, scanner)) = scan_tag(line) else {
        panic!("no tag: {}", String::from_utf8_lossy(line))
    };
    format!("{tag} {:?}", parse(scanner))
}

/// More of what clients say, of what both know.
const MORE: &[&str] = &[
    "LOGIN \"two words\" \"back\\\\slash \\\" quote\"",
    "SELECT \"&AMk-t&AOk- & co\"",
    "STATUS \"Lab/Deep\" (MESSAGES UIDNEXT UIDVALIDITY UNSEEN)",
    "LIST \"\" \"Lab/%\"",
    "LSUB \"Lab/\" *",
    "FETCH 1:*,3 (UID FLAGS INTERNALDATE RFC822.SIZE ENVELOPE BODYSTRUCTURE)",
    "FETCH 2 FULL",
    "UID FETCH 5:7 (BODY[] BODY.PEEK[1.2.HEADER.FIELDS (SUBJECT \"From\")]<0.100> BODY[1.MIME] BODY.PEEK[TEXT] RFC822.TEXT)",
    "FETCH * BODY[HEADER.FIELDS.NOT (TO)]",
    "SEARCH CHARSET UTF-8 OR FROM bob (NOT SEEN SINCE 1-Feb-2026) LARGER 1000 HEADER X-Spam \"\" 1:5 UID 7",
    "UID SEARCH KEYWORD $Work UNKEYWORD $Later SENTBEFORE 28-Feb-2026 DELETED",
    "STORE 1,3:5 +FLAGS.SILENT (\\Seen \\Flagged $Work)",
    "UID STORE 9 FLAGS ()",
    "STORE 9 -FLAGS (\\Deleted)",
    "COPY 2:4 Lab/Deep",
    "UID COPY * \"two words\"",
    "RENAME Lab \"two words\"",
    "UID EXPUNGE 1:3",
    "UID MOVE 3 Lab",
    "SORT (REVERSE DATE SUBJECT) UTF-8 ALL",
    "THREAD REFERENCES UTF-8 UNSEEN",
];

#[test]
fn a_command_means_the_same_after_it_went_through_imap_codec() {
    let examples = COMMANDS.iter().map(|command| command.example);
    let (mut known, mut unknown) = (Vec::new(), Vec::new());
    for command in examples.chain(MORE.iter().copied()) {
        let line = format!("a1 {command}\r\n");
        let Ok((rest, read)) = CommandCodec::default().decode(line.as_bytes()) else {
            unknown.push(command);
            continue;
        };
        assert!(rest.is_empty(), "{command}");
        let written = CommandCodec::default().encode(&read).dump();
        let shown = String::from_utf8_lossy(&written).into_owned();
        assert_eq!(
            meant(&written),
            meant(line.as_bytes()),
            "{command}: {shown}"
        );
        known.push(command);
    }
    for command in MORE {
        assert!(
            !unknown.contains(command),
            "imap-codec cannot read {command}"
        );
    }
    assert!(known.len() >= 50, "{known:?}, but not {unknown:?}");
}

/// Everything up to the tagged answer `tag`, all of it read by imap-codec; how many responses.
fn answered(stream: &mut TcpStream, tag: &str) -> usize {
    let mut bytes = Vec::new();
    let mut count = 0;
    loop {
        loop {
            let (rest, is_last) = match ResponseCodec::default().decode(&bytes) {
                Ok((rest, response)) => {
                    let is_last = matches!(
                        &response,
                        Response::Status(Status::Tagged(status)) if status.tag.as_ref() == tag
                    );
                    (rest.len(), is_last)
                }
                Err(ResponseDecodeError::Incomplete | ResponseDecodeError::LiteralFound { .. }) => {
                    break;
                }
                Err(ResponseDecodeError::Failed) => {
                    panic!("{tag}: {}", String::from_utf8_lossy(&bytes))
                }
            };
            count += 1;
            bytes.drain(..bytes.len() - rest);
            if is_last {
                assert!(bytes.is_empty(), "more after {tag}");
                return count;
            }
        }
        let mut more = [0; 65536];
        let octets = stream.read(&mut more).expect("an answer in time");
        assert!(octets > 0, "the server has closed");
        bytes.extend_from_slice(&more[..octets]);
    }
}

/// A message of several shapes at once.
const MESSAGE: &str = "From: \"Bob, \\\"the\\\" builder\" <bob@localhost>\r\nTo: alice@localhost, undisclosed: ;\r\nCc: a group: x@y, z@y;\r\n\
    Subject: =?utf-8?q?=C3=89t=C3=A9?=\r\nDate: Sun, 1 Feb 2026 10:11:12 +0100\r\nMessage-ID: <1@x>\r\nIn-Reply-To: <0@x>\r\n\
    MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\npreamble\r\n--b\r\n\
    Content-Type: text/plain; charset=utf-8; format=flowed\r\nContent-Language: de, fr\r\n\r\nGr\u{fc}\u{df}e\r\n--b\r\n\
    Content-Type: application/octet-stream; name=\"a \\\"b\\\"\"\r\nContent-Transfer-Encoding: base64\r\n\
    Content-Disposition: attachment; filename*=utf-8''%C3%A9\r\nContent-MD5: abc\r\nContent-Location: x\r\n\r\nAAEC\r\n--b\r\n\
    Content-Type: message/rfc822\r\n\r\nSubject: inner\r\nContent-Type: multipart/alternative; boundary=c\r\n\r\n--c\r\n\r\none\r\n--c\r\n\
    Content-Type: text/html\r\n\r\n<p>\r\n--c--\r\n--b--\r\n";

#[test]
fn imap_codec_reads_what_is_answered() {
    // RFC 9208 has no QUOTA response without a resource.
    let server = Server::start_with(&["--quota", "500M", "--quota-messages", "1000"]);
    let mut stream = TcpStream::connect(server.address("imap")).expect("it listens");
    let patience = Some(Duration::from_secs(60));
    stream.set_read_timeout(patience).expect("a socket");
    let mut greeting = Vec::new();
    loop {
        let mut more = [0; 4096];
        let octets = stream.read(&mut more).expect("a greeting in time");
        greeting.extend_from_slice(&more[..octets]);
        match GreetingCodec::default().decode(&greeting) {
            Ok((rest, _)) => {
                assert!(rest.is_empty());
                break;
            }
            Err(GreetingDecodeError::Incomplete) => assert!(octets > 0, "the server has closed"),
            Err(GreetingDecodeError::Failed) => panic!("{greeting:?}"),
        }
    }
    let append = format!(
        "APPEND INBOX (\\Seen $Work) {{{}+}}\r\n{MESSAGE}",
        MESSAGE.len()
    );
    let mut count = 0;
    for (number, command) in [
        "CAPABILITY",
        "SELECT INBOX",
        "LOGIN alice wrong",
        "LOGIN alice alice",
        "CREATE \"&AMk-t&AOk- & \\\"co\\\"\"",
        "CREATE Lab",
        "CREATE Lab",
        "SUBSCRIBE Lab",
        "LIST \"\" *",
        "LSUB \"\" *",
        "LIST \"\" \"\"",
        &append,
        &append,
        "APPEND Nowhere {1+}\r\nx",
        "STATUS INBOX (MESSAGES UIDNEXT UIDVALIDITY UNSEEN)",
        "EXAMINE INBOX",
        "STORE 1 FLAGS (\\Seen)",
        "SELECT Nowhere",
        "SELECT INBOX",
        "FETCH 1 ALL",
        "FETCH 1 FULL",
        "FETCH 1:* (UID FLAGS INTERNALDATE RFC822.SIZE ENVELOPE BODY BODYSTRUCTURE)",
        "FETCH 1 (BODY.PEEK[] BODY[HEADER.FIELDS (SUBJECT TO)] BODY[1]<0.3> BODY[3.HEADER] BODY[3.1.MIME] BODY[9])",
        "FETCH 1 (RFC822 RFC822.HEADER RFC822.TEXT)",
        "FETCH 1 (BINARY[2] BINARY.SIZE[2])",
        "UID STORE 1 +FLAGS (\\Flagged)",
        "SEARCH ALL",
        "SEARCH SUBJECT nothing",
        "SORT (SUBJECT) UTF-8 ALL",
        "THREAD REFERENCES UTF-8 ALL",
        "THREAD ORDEREDSUBJECT UTF-8 ALL",
        "COPY 1 Lab",
        "UID MOVE 1 Lab",
        "STORE 1 +FLAGS (\\Deleted)",
        "EXPUNGE",
        "GETQUOTAROOT INBOX",
        "ENABLE CONDSTORE",
        "NONSENSE",
        "FETCH",
        "CLOSE",
        "LOGOUT",
    ]
    .into_iter()
    .enumerate()
    {
        let tag = format!("t{number}");
        let line = format!("{tag} {command}\r\n");
        stream.write_all(line.as_bytes()).expect("it reads");
        count += answered(&mut stream, &tag);
    }
    assert!(count > 80, "only {count} responses");
}
