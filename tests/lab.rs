//! The lab: eighteen manipulations on the built program, in order, typed through its own netcat, each reply that a
//! student would write down asserted. Once with LF, as the Enter key gives it, and once with CRLF (`nc -C`).

#[path = "support/program.rs"]
mod program;

use std::fs;

use program::{LineEnd, Netcat, Server, mailtool, succeeded};

#[test]
fn the_lab_typed_with_lf() {
    lab(LineEnd::Lf);
}

#[test]
fn the_lab_typed_with_crlf() {
    lab(LineEnd::Crlf);
}

fn lab(line_end: LineEnd) {
    // 1 and 3: the MUA is netcat, the MTA is our own server.
    let server = Server::start();
    which_port_and_transport();
    send_by_hand(&server, line_end);
    mail_from_with_nothing_after_it(&server, line_end);
    read_by_pop3(&server, line_end);
    read_by_imap(&server, line_end);
    manage_mailboxes(&server, line_end);
    imap_keeps_state_on_the_server(&server, line_end);
    authenticated_submission(&server, line_end);
}

/// 2, 8, 12 and 16: where ports are looked up, which they are, over which transport.
fn which_port_and_transport() {
    for (service, port) in [("smtp", "25"), ("pop3", "110"), ("imap", "143")] {
        let said = succeeded(&mailtool(&["codes", "--lang", "en", service], ""));
        assert!(said.contains(&format!("{port}/tcp")), "{said}");
        assert!(said.contains("/etc/services"), "{said}");
        assert!(said.contains("TCP"), "{said}");
    }
}

/// 4, 5 and 6: a mail by hand, and what each code means.
fn send_by_hand(server: &Server, line_end: LineEnd) {
    let mut nc = Netcat::to(server.address("smtp"), line_end);
    let mut codes = Vec::new();
    let mut note = |reply: String, start: &str| {
        assert!(reply.starts_with(start), "{reply}");
        codes.push(reply[..3].to_owned());
    };
    note(nc.read_line(), "220 localhost ");
    note(nc.say("HELO pc1.lab.example"), "250 localhost");
    note(nc.say("MAIL FROM:<bob@localhost>"), "250 2.1.0 ");
    note(nc.say("RCPT TO:<alice@localhost>"), "250 2.1.5 ");
    note(nc.say("DATA"), "354 ");
    for line in [
        "From: bob@localhost",
        "To: alice@localhost",
        "Subject: by hand",
        "",
        "Hello Alice!",
        "..two dots",
    ] {
        nc.type_line(line);
    }
    note(nc.say("."), "250 2.0.0 ");
    note(nc.say("QUIT"), "221 2.0.0 ");
    nc.ends();
    assert_eq!(codes, ["220", "250", "250", "250", "354", "250", "221"]);

    for code in codes {
        let said = succeeded(&mailtool(&["codes", "--lang", "en", &code], ""));
        assert!(said.contains(&code) && said.contains("RFC 5321"), "{said}");
    }
    let french = succeeded(&mailtool(&["codes", "--lang", "fr", "354"], ""));
    assert!(french.contains("réponse"), "{french}");

    // It was delivered: one file, with the trace that every MTA leaves, and CRLF line ends whatever was typed.
    let files = server.inbox("alice");
    let [file] = files.as_slice() else {
        panic!("{files:?}")
    };
    let text = fs::read_to_string(file).expect("a message");
    assert!(
        text.starts_with(
            "Return-Path: <bob@localhost>\r\nDelivered-To: alice@localhost\r\nReceived: from pc1.lab.example"
        ),
        "{text}"
    );
    assert!(
        text.ends_with("Subject: by hand\r\n\r\nHello Alice!\r\n.two dots\r\n"),
        "{text}"
    );
    assert!(server.inbox("bob").is_empty());
}

/// 7: `MAIL FROM` and Enter.
fn mail_from_with_nothing_after_it(server: &Server, line_end: LineEnd) {
    let mut nc = Netcat::to(server.address("smtp"), line_end);
    nc.read_line();
    nc.say("HELO pc1.lab.example");
    let reply = nc.say("MAIL FROM");
    assert!(reply.starts_with("501 5.5.4 "), "{reply}");
    assert!(
        reply.contains("MAIL FROM:<"),
        "it shows what would be right: {reply}"
    );
    assert!(
        nc.say("MAIL FROM:<bob@localhost>").starts_with("250 "),
        "and the session goes on"
    );
    let said = succeeded(&mailtool(&["codes", "--lang", "en", "501", "5.5.4"], ""));
    assert!(said.contains("501") && said.contains("5.5.4"), "{said}");
    nc.say("QUIT");
    nc.ends();
}

/// 9, 10 and 11: POP3, and that reading does not delete.
fn read_by_pop3(server: &Server, line_end: LineEnd) {
    for _ in 0..2 {
        let mut nc = Netcat::to(server.address("pop3"), line_end);
        assert!(nc.read_line().starts_with("+OK "));
        assert!(nc.say("USER alice").starts_with("+OK"));
        let refused = nc.say("PASS wrong");
        assert!(refused.starts_with("-ERR [AUTH] "), "{refused}");
        assert!(nc.say("USER alice").starts_with("+OK"));
        assert!(nc.say("PASS alice").starts_with("+OK"));
        let stat = nc.say("STAT");
        let octets = stat
            .strip_prefix("+OK 1 ")
            .and_then(|rest| rest.split(' ').next())
            .expect("one message");
        assert_eq!(
            octets.parse::<u64>().ok(),
            fs::metadata(&server.inbox("alice")[0])
                .ok()
                .map(|file| file.len())
        );
        nc.type_line("LIST");
        let list = nc.read_until(|line| line == ".");
        assert!(list[0].starts_with("+OK"), "{list:?}");
        assert_eq!(list[1..], [format!("1 {octets}"), ".".to_owned()]);
        nc.type_line("TOP 1 0");
        let top = nc.read_until(|line| line == ".");
        assert!(top.contains(&"Subject: by hand".to_owned()), "{top:?}");
        assert!(!top.contains(&"Hello Alice!".to_owned()), "{top:?}");
        nc.type_line("RETR 1");
        let message = nc.read_until(|line| line == ".");
        assert!(message[0].starts_with("+OK"), "{message:?}");
        assert_eq!(
            message[message.len() - 4..],
            ["", "Hello Alice!", "..two dots", "."]
        );
        assert!(nc.say("RETR 2").starts_with("-ERR "));
        assert!(nc.say("QUIT").starts_with("+OK"));
        nc.ends();
    }
}

/// 12, 13 and 14: the same by IMAP, each command with its own tag.
fn read_by_imap(server: &Server, line_end: LineEnd) {
    let mut nc = Netcat::to(server.address("imap"), line_end);
    assert!(nc.read_line().starts_with("* OK "));
    let untagged = nc.say("LOGIN alice alice");
    assert!(
        untagged.contains("BAD") && untagged.contains("tag"),
        "it says what a tag is: {untagged}"
    );
    assert!(
        nc.say("id1 LOGIN alice wrong")
            .starts_with("id1 NO [AUTHENTICATIONFAILED] ")
    );
    assert!(
        tagged(&mut nc, "id2", "LOGIN alice alice")
            .last()
            .is_some_and(|line| line.starts_with("id2 OK"))
    );
    let status = tagged(&mut nc, "id3", "STATUS INBOX (MESSAGES)");
    assert_eq!(status[0], "* STATUS INBOX (MESSAGES 1)");
    let select = tagged(&mut nc, "id4", "SELECT INBOX");
    assert!(select.contains(&"* 1 EXISTS".to_owned()), "{select:?}");
    assert!(
        select
            .last()
            .is_some_and(|line| line.starts_with("id4 OK [READ-WRITE] ")),
        "{select:?}"
    );
    let size = tagged(&mut nc, "id5", "FETCH 1:* (RFC822.SIZE)");
    let octets = fs::metadata(&server.inbox("alice")[0])
        .expect("a message")
        .len();
    assert_eq!(size[0], format!("* 1 FETCH (RFC822.SIZE {octets})"));
    let header = tagged(&mut nc, "id6", "FETCH 1 BODY.PEEK[HEADER]");
    assert!(
        header.contains(&"Subject: by hand".to_owned()),
        "{header:?}"
    );
    let text = tagged(&mut nc, "id7", "FETCH 1 BODY[TEXT]");
    assert_eq!(text[0], "* 1 FETCH (BODY[TEXT] {25}", "{text:?}");
    assert_eq!(text[1..3], ["Hello Alice!", ".two dots"], "{text:?}");
    let bye = tagged(&mut nc, "id8", "LOGOUT");
    assert!(
        bye[0].starts_with("* BYE ") && bye[1].starts_with("id8 OK"),
        "{bye:?}"
    );
    nc.ends();
}

/// 15: how a mailbox is made, listed, emptied.
fn manage_mailboxes(server: &Server, line_end: LineEnd) {
    let mut nc = Netcat::to(server.address("imap"), line_end);
    nc.read_line();
    tagged(&mut nc, "a1", "LOGIN alice alice");
    assert!(nc.say("a2 CREATE Lab").starts_with("a2 OK"));
    assert!(
        nc.say("a3 CREATE Lab")
            .starts_with("a3 NO [ALREADYEXISTS] ")
    );
    let list = tagged(&mut nc, "a4", "LIST \"\" *");
    let names: Vec<&str> = list
        .iter()
        .filter_map(|line| line.rsplit_once("\"/\" "))
        .map(|(_, name)| name)
        .collect();
    assert_eq!(names, ["INBOX", "Lab"], "{list:?}");
    tagged(&mut nc, "a5", "SELECT INBOX");
    let copied = tagged(&mut nc, "a6", "COPY 1 Lab");
    assert!(
        copied.last().is_some_and(|line| line.starts_with("a6 OK")),
        "{copied:?}"
    );
    let lab = tagged(&mut nc, "a7", "SELECT Lab");
    assert!(lab.contains(&"* 1 EXISTS".to_owned()), "{lab:?}");
    let stored = tagged(&mut nc, "a8", "STORE 1:* +FLAGS (\\Deleted)");
    assert!(
        stored[0].starts_with("* 1 FETCH (") && stored[0].contains("\\Deleted"),
        "{stored:?}"
    );
    let emptied = tagged(&mut nc, "a9", "EXPUNGE");
    assert_eq!(emptied[0], "* 1 EXPUNGE");
    assert_eq!(
        tagged(&mut nc, "b1", "STATUS Lab (MESSAGES)")[0],
        "* STATUS Lab (MESSAGES 0)"
    );
    assert!(tagged(&mut nc, "b2", "CLOSE")[0].starts_with("b2 OK"));
    assert!(nc.say("b3 DELETE Lab").starts_with("b3 OK"));
    tagged(&mut nc, "b4", "LOGOUT");
    nc.ends();
}

/// 17: what IMAP can do that POP3 cannot - read in one place is read in every place, and several read at once.
fn imap_keeps_state_on_the_server(server: &Server, line_end: LineEnd) {
    let mut readers: Vec<Netcat> = (0..2)
        .map(|_| Netcat::to(server.address("imap"), line_end))
        .collect();
    for nc in &mut readers {
        nc.read_line();
        tagged(nc, "a1", "LOGIN alice alice");
        tagged(nc, "a2", "SELECT INBOX");
    }
    assert!(
        tagged(&mut readers[0], "a3", "FETCH 1 FLAGS")[0].contains("\\Seen"),
        "BODY[TEXT] was read before"
    );
    tagged(&mut readers[0], "a4", "STORE 1 +FLAGS (\\Flagged)");
    let seen = tagged(&mut readers[1], "a3", "NOOP");
    assert!(
        seen[0].starts_with("* 1 FETCH (") && seen[0].contains("\\Flagged"),
        "{seen:?}"
    );
}

/// 18: what authentication is for.
fn authenticated_submission(server: &Server, line_end: LineEnd) {
    let mut nc = Netcat::to(server.address("submission"), line_end);
    nc.read_line();
    nc.type_line("EHLO pc1.lab.example");
    let ehlo = nc.read_until(|line| line.starts_with("250 "));
    assert!(
        ehlo.iter()
            .any(|line| line.contains("AUTH ") && line.contains(" PLAIN LOGIN")),
        "{ehlo:?}"
    );
    assert!(
        nc.say("MAIL FROM:<alice@localhost>")
            .starts_with("530 5.7.0 ")
    );
    // base64 of NUL alice NUL wrong, and of NUL alice NUL alice
    assert!(
        nc.say("AUTH PLAIN AGFsaWNlAHdyb25n")
            .starts_with("535 5.7.8 ")
    );
    assert!(
        nc.say("AUTH PLAIN AGFsaWNlAGFsaWNl")
            .starts_with("235 2.7.0 ")
    );
    assert!(
        nc.say("MAIL FROM:<alice@localhost>")
            .starts_with("250 2.1.0 ")
    );
    assert!(nc.say("RCPT TO:<bob@localhost>").starts_with("250 2.1.5 "));
    assert!(nc.say("DATA").starts_with("354 "));
    nc.type_line("Subject: authenticated");
    nc.type_line("");
    assert!(nc.say(".").starts_with("250 2.0.0 "));
    assert!(nc.say("QUIT").starts_with("221 2.0.0 "));
    nc.ends();
    let files = server.inbox("bob");
    let [file] = files.as_slice() else {
        panic!("{files:?}")
    };
    let text = fs::read_to_string(file).expect("a message");
    assert!(
        text.contains("with ESMTPA"),
        "the trace says that its sender logged in (RFC 3848): {text}"
    );
}

/// A command with its tag: all lines up to the tagged one.
fn tagged(nc: &mut Netcat, tag: &str, command: &str) -> Vec<String> {
    nc.type_line(&format!("{tag} {command}"));
    nc.read_until(|line| line.starts_with(&format!("{tag} ")))
}
