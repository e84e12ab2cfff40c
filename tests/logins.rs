//! Logins that are refused, at the built program: an unknown name and a wrong password are answered alike, by each protocol and
//! mechanism, word for word, up to the last step.

#[path = "support/program.rs"]
mod program;

use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpStream};
use std::thread;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use program::Server;

/// What is typed at a protocol, and all that is answered, with what is made up each time replaced.
fn answers(address: SocketAddr, typed: &[String]) -> Vec<String> {
    let stream = TcpStream::connect(address).expect("it listens");
    let patience = Some(Duration::from_secs(60));
    stream.set_read_timeout(patience).expect("a socket");
    let mut stream = BufReader::new(stream);
    let mut answers = Vec::new();
    let mut read = |stream: &mut BufReader<TcpStream>| {
        // The last line of an answer: not `250-`, not untagged unless it is the greeting.
        loop {
            let mut line = String::new();
            let octets = stream.read_line(&mut line).expect("an answer in time");
            assert!(octets > 0, "the server has closed: {answers:?}");
            let line = line.trim_end().to_owned();
            let goes_on = line.as_bytes().get(3) == Some(&b'-') && line.starts_with("250");
            if !goes_on {
                answers.push(line);
                return;
            }
        }
    };
    read(&mut stream);
    for line in typed {
        let line = format!("{line}\r\n");
        stream
            .get_mut()
            .write_all(line.as_bytes())
            .expect("it reads");
        read(&mut stream);
    }
    // The greeting has a time stamp for APOP.
    answers.remove(0);
    answers
}

/// A challenge without what is random in it: how long each part is.
fn shape(answer: &str) -> String {
    let Some((sign, challenge)) = answer
        .split_once(' ')
        .filter(|(sign, _)| matches!(*sign, "334" | "+"))
    else {
        return answer.to_owned();
    };
    let Ok(challenge) = STANDARD.decode(challenge) else {
        return answer.to_owned();
    };
    let challenge = String::from_utf8(challenge).expect("text");
    let parts = challenge.split(',').map(|part| match part.split_once('=') {
        // The count of SCRAM is not random.
        Some(("i", _)) => part.to_owned(),
        Some((letter, rest)) if letter.len() == 1 => format!("{letter}={}", rest.len()),
        _ => format!("{} octets", part.len()),
    });
    format!("{sign} {}", parts.collect::<Vec<_>>().join(","))
}

/// The lines that log in as somebody, by protocol and way. CRAM-MD5 and APOP get a digest that is none of anybody's.
fn ways(name: &str, password: &str) -> Vec<(&'static str, &'static str, Vec<String>)> {
    let base64 = |text: &str| STANDARD.encode(text);
    let plain = base64(&format!("\0{name}\0{password}"));
    let digest = "0123456789abcdef0123456789abcdef";
    let cram = base64(&format!("{name} {digest}"));
    let scram = base64(&format!("n,,n={name},r=fyko+d2lbbFgONRv9qkxdawL"));
    let line = |text: &str| text.to_owned();
    let mut all = Vec::new();
    let ehlo = line("EHLO client.example");
    for (protocol, mechanism) in [
        ("smtps", "AUTH"),
        ("pop3", "AUTH"),
        ("imap", "a AUTHENTICATE"),
    ] {
        let protocol = if protocol == "smtps" {
            "submission"
        } else {
            protocol
        };
        let before: Vec<String> = (protocol == "submission")
            .then(|| ehlo.clone())
            .into_iter()
            .collect();
        let begin = |name: &str, rest: &[String]| {
            let first = [format!("{mechanism} {name}")];
            [&before[..], &first[..], rest].concat()
        };
        all.push((
            protocol,
            "PLAIN",
            begin("PLAIN", std::slice::from_ref(&plain)),
        ));
        all.push((
            protocol,
            "LOGIN",
            begin("LOGIN", &[base64(name), base64(password)]),
        ));
        all.push((
            protocol,
            "CRAM-MD5",
            begin("CRAM-MD5", std::slice::from_ref(&cram)),
        ));
        all.push((
            protocol,
            "SCRAM-SHA-256",
            begin("SCRAM-SHA-256", std::slice::from_ref(&scram)),
        ));
    }
    all.push((
        "pop3",
        "USER",
        vec![format!("USER {name}"), format!("PASS {password}")],
    ));
    all.push(("pop3", "APOP", vec![format!("APOP {name} {digest}")]));
    all.push((
        "imap",
        "command",
        vec![format!("a LOGIN {name} {password}")],
    ));
    all
}

#[test]
fn an_unknown_name_and_a_wrong_password_are_told_alike() {
    let server = Server::start();
    let known = ways("alice", "wrong");
    let unknown = ways("alicf", "alicf");
    let asked: Vec<_> = known
        .into_iter()
        .zip(unknown)
        .map(|((protocol, way, known), (.., unknown))| {
            let address = server.address(protocol);
            let ask = |lines: Vec<String>| thread::spawn(move || answers(address, &lines));
            (protocol, way, ask(known), ask(unknown))
        })
        .collect();
    assert_eq!(asked.len(), 15);
    for (protocol, way, known, unknown) in asked {
        let known = known.join().expect("answered");
        let unknown = unknown.join().expect("answered");
        let shapes = |answers: &[String]| answers.iter().map(|one| shape(one)).collect::<Vec<_>>();
        assert_eq!(shapes(&known), shapes(&unknown), "{protocol} {way}");
        let last = known.last().expect("an answer");
        let refusal = match (protocol, way) {
            // There it goes on with a proof that only the password makes.
            ("submission", "SCRAM-SHA-256") => "334 ",
            (_, "SCRAM-SHA-256") => "+ ",
            ("submission", _) => "535 5.7.8 ",
            ("pop3", _) => "-ERR [AUTH] ",
            _ => "a NO [AUTHENTICATIONFAILED] ",
        };
        assert!(last.starts_with(refusal), "{protocol} {way}: {last}");
    }
}

#[test]
fn the_salt_of_an_unknown_name_stays_the_same() {
    let server = Server::start();
    let salt = |name: &str| {
        let first = format!("n,,n={name},r=fyko+d2lbbFgONRv9qkxdawL");
        let typed = [
            "a AUTHENTICATE SCRAM-SHA-256".to_owned(),
            STANDARD.encode(first),
        ];
        let answers = answers(server.address("imap"), &typed);
        let challenge = answers[1].strip_prefix("+ ").expect("a challenge");
        let challenge = STANDARD.decode(challenge).expect("base64");
        let challenge = String::from_utf8(challenge).expect("text");
        let salt = challenge
            .split(',')
            .find_map(|part| part.strip_prefix("s="));
        salt.expect("a salt").to_owned()
    };
    for name in ["alice", "nobody", "alicf"] {
        assert_eq!(
            salt(name),
            salt(name),
            "{name}: asked twice, it gives itself away"
        );
    }
    assert_ne!(salt("nobody"), salt("alicf"));
}
