//! What the clients say, and with which code they end, when something is wrong: with TLS, the password, the server, the
//! command line, or where their output goes.

#[path = "support/program.rs"]
mod program;

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use program::{MAILTOOL, Server, ended, run, scripted};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};

/// Runs the program without any setting from outside, but for the password.
fn mailtool(words: &[&str], password: &str) -> Output {
    let mut command = Command::new(MAILTOOL);
    command
        .args(words)
        .env_remove("MAILTOOL_USER")
        .env("MAILTOOL_PASSWORD", password);
    run(&mut command, "")
}

/// Makes `NAME.pem` and `NAME.key` in `folder`: a certificate for `host` that is signed by itself.
fn self_signed(folder: &Path, name: &str, host: &str, is_ca: IsCa) -> [String; 2] {
    let mut parameters = CertificateParams::new([host.to_owned()]).expect("a name");
    parameters.is_ca = is_ca;
    let key = KeyPair::generate().expect("a key");
    let certificate = parameters.self_signed(&key).expect("a certificate");
    written(folder, name, &certificate.pem(), &key)
}

/// The same, of an authority's own, signed by another authority, whose certificate is in `ROOT.pem`.
fn signed(folder: &Path, name: &str, root: &str) -> [String; 2] {
    let authority = |host: &str| {
        let mut parameters = CertificateParams::new([host.to_owned()]).expect("a name");
        parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        parameters
    };
    let by = KeyPair::generate().expect("a key");
    let by = CertifiedIssuer::self_signed(authority("root.example"), by).expect("a certificate");
    written(folder, root, &by.pem(), by.key());
    let key = KeyPair::generate().expect("a key");
    let certificate = authority("localhost").signed_by(&key, &by);
    written(folder, name, &certificate.expect("signed").pem(), &key)
}

fn written(folder: &Path, name: &str, certificate: &str, key: &KeyPair) -> [String; 2] {
    let files = ["pem", "key"].map(|kind| folder.join(format!("{name}.{kind}")));
    fs::write(&files[0], certificate).expect("written");
    fs::write(&files[1], key.serialize_pem()).expect("written");
    files.map(|file| file.to_str().expect("UTF-8").to_owned())
}

#[test]
fn a_certificate_that_is_not_trusted_is_told_with_what_to_do() {
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    let is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority = self_signed(folder, "authority", "localhost", is_ca);
    let other = self_signed(folder, "other", "mail.example.org", IsCa::ExplicitNoCa);
    let below = signed(folder, "below", "root");
    let root = folder.join("root.pem");
    let root = root.to_str().expect("UTF-8");
    let garbage = folder.join("garbage");
    fs::write(&garbage, "no certificate").expect("written");
    let garbage = garbage.to_str().expect("UTF-8");

    let with = |[certificate, key]: &[String; 2]| {
        Server::start_with(&["--tls-cert", certificate, "--tls-key", key])
    };
    let (ours, ca, strange) = (Server::start(), with(&authority), with(&other));
    let below = with(&below);
    let stat = |server: &Server, options: &[&str], code: i32| {
        let at = format!("localhost:{}", server.port("pop3s"));
        let words = ["pop", "stat", "-u", "alice", "--tls", "--server", &at];
        ended(&mailtool(&[&words, options].concat(), "alice"), code).1
    };
    for (said, expected) in [
        (
            stat(&ours, &[], 76),
            "with --ca FILE (`mailtool serve` keeps its own in STORE/tls/ca.pem",
        ),
        (
            stat(&ours, &["--ca", &authority[0]], 76),
            "authority.pem has not either",
        ),
        (
            stat(&below, &["--ca", root], 76),
            "one of an authority (CA:TRUE)",
        ),
        (
            stat(&below, &["--ca", root], 76),
            "basicConstraints=critical,CA:FALSE",
        ),
        (
            stat(&strange, &["--ca", &other[0]], 76),
            "not for the name localhost but for mail.example.org;",
        ),
        (
            stat(&ours, &["--ca", "/nonexistent"], 66),
            "--ca: the CA file /nonexistent: No such file",
        ),
        (stat(&ours, &["--ca", garbage], 66), "BEGIN CERTIFICATE"),
    ] {
        assert!(said.contains(expected), "{expected}: {said}");
        assert!(
            !said.contains("OtherError") && !said.contains("DnsName"),
            "{said}"
        );
    }
    // An authority's own certificate is good where it was named itself.
    assert_eq!(stat(&ca, &["--ca", &authority[0]], 0), "");
    for server in [&ours, &ca, &strange] {
        assert_eq!(stat(server, &["--insecure"], 0), "");
    }
}

#[test]
fn a_password_that_cannot_be_had_is_told_before_anybody_is_called() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = |name: &str, content: &[u8]| {
        let path = folder.path().join(name);
        fs::write(&path, content).expect("written");
        path.to_str().expect("UTF-8").to_owned()
    };
    // Nobody listens at port 1: whoever gets so far is refused.
    let with = |options: &[&str], password: &str, code: i32| {
        let words = ["pop", "stat", "--server", "127.0.0.1:1"];
        ended(&mailtool(&[&words, options].concat(), password), code).1
    };
    for (content, code, expected) in [
        (&b""[..], 65, "its first line is empty"),
        (b"\nalice\n", 65, "its first line is empty"),
        (b"al\xe9ce\n", 65, "not UTF-8"),
        (b"a\0b\n", 65, "NUL"),
        (&[b'x'; 70_000], 65, "longer than 65536 octets"),
        (b"alice\r\n", 69, "connection refused"),
    ] {
        let path = file("password", content);
        let said = with(&["-u", "alice", "--password-file", &path], "", code);
        assert!(said.contains(expected), "{expected}: {said}");
    }
    let missing = with(&["-u", "alice", "--password-file", "/nonexistent"], "", 66);
    assert!(missing.contains("No such file"), "{missing}");
    let nobody = with(&["-u", ""], "alice", 64);
    assert!(nobody.contains("--user is empty"), "{nobody}");
    assert!(with(&["-u", "alice", "--port", "0"], "alice", 64).contains("1..=65535"));
    // The whole of standard input cannot be both.
    let words = ["-u", "alice", "--password-file", "-"];
    for applet in [
        &["send", "--to", "a@localhost"][..],
        &["send", "-t"],
        &["imap", "append", "INBOX"],
    ] {
        let said = ended(&mailtool(&[applet, &words].concat(), ""), 64).1;
        assert!(said.contains("standard input"), "{said}");
    }
}

#[test]
fn an_empty_password_in_the_environment_is_none() {
    // A session of its own has no terminal to be asked on.
    let ask = |words: &[&str]| {
        let mut command = Command::new("setsid");
        command.args([
            "--wait",
            MAILTOOL,
            "pop",
            "stat",
            "--server",
            "127.0.0.1:1",
            "-u",
            "alice",
        ]);
        command
            .args(words)
            .env_remove("MAILTOOL_USER")
            .env("MAILTOOL_PASSWORD", "");
        ended(&run(&mut command, ""), 64).1
    };
    for words in [&[][..], &["--ask"]] {
        let said = ask(words);
        assert!(said.contains("no terminal to ask on"), "{said}");
    }
}

#[test]
fn a_password_file_of_windows_is_read() {
    let server = Server::start();
    let file = server.folder.path().join("password");
    fs::write(&file, "\u{feff}alice\r\n").expect("written");
    let at = format!("localhost:{}", server.port("pop3"));
    let file = file.to_str().expect("UTF-8");
    let words = [
        "pop",
        "stat",
        "--server",
        &at,
        "-u",
        "alice",
        "--password-file",
        file,
    ];
    assert_eq!(ended(&mailtool(&words, ""), 0).0, "0 0\n");
}

/// Runs the program in a shell, with what the shell does to its standard output.
fn shell(words: &str, redirection: &str) -> Output {
    let mut command = Command::new("bash");
    let script = format!("set -o pipefail; '{MAILTOOL}' {words} {redirection}");
    command
        .args(["-c", &script])
        .env_remove("MAILTOOL_USER")
        .env("MAILTOOL_PASSWORD", "alice");
    run(&mut command, "")
}

#[test]
fn a_message_that_was_taken_is_not_called_unsent_because_stdout_is_full() {
    let server = Server::start();
    let send = format!(
        "send --server localhost:{} alice@localhost --body x",
        server.port("smtp")
    );
    let (_, said) = ended(&shell(&send, "> /dev/full"), 0);
    assert!(
        said.contains("it was sent") && said.contains("No space left"),
        "{said}"
    );
    assert_eq!(ended(&shell(&send, "| true"), 0).1, "");
    assert_eq!(ended(&shell(&send, ">&-"), 0).1, "");
    assert_eq!(server.inbox("alice").len(), 3);
}

#[test]
fn output_that_cannot_be_written_is_not_taken_for_an_answer() {
    let server = Server::start();
    let at = |service: &str| format!("--server localhost:{} -u alice", server.port(service));
    let pop = format!("pop {} stat", at("pop3"));
    let imap = format!("imap {} folders", at("imap"));
    for words in [
        &pop,
        &imap,
        "codes 550",
        "--list",
        "man",
        "completions bash",
    ] {
        let (_, said) = ended(&shell(words, "> /dev/full"), 74);
        assert!(said.contains("No space left"), "{words}: {said}");
        // 1 would mean that there is no such message, or code. A reader who goes away is not told.
        let quiet = shell(words, "| true");
        let code = quiet.status.code();
        assert!(code == Some(74) || code == Some(0), "{words}: {code:?}");
        assert!(quiet.stderr.is_empty(), "{words}: {quiet:?}");
    }
}

#[test]
fn the_wrong_server_is_named() {
    let server = Server::start_with(&["--lmtp", "127.0.0.1:0"]);
    let call = |applet: &str, service: &str, options: &[&str], code: i32| {
        let at = format!("localhost:{}", server.port(service));
        let words = match applet {
            "pop" => &["pop", "stat", "-u", "alice"][..],
            "imap" => &["imap", "folders", "-u", "alice"],
            _ => &["send", "alice@localhost", "--body", "x"],
        };
        let words = [words, &["--server", &at, "--timeout", "1"], options].concat();
        ended(&mailtool(&words, "alice"), code).1
    };
    for (applet, service, expected) in [
        ("pop", "smtp", "this is a server of SMTP or LMTP"),
        ("pop", "imap", "this is a server of IMAP"),
        ("imap", "pop3", "this is a server of POP3"),
        ("imap", "submission", "this is a server of SMTP or LMTP"),
        ("send", "pop3", "this is a server of POP3"),
        ("send", "imap", "this is a server of IMAP"),
    ] {
        let said = call(applet, service, &[], 76);
        assert!(said.contains(expected), "{applet} at {service}: {said}");
    }
    let said = call("send", "lmtp", &[], 69);
    assert!(
        said.contains("refused EHLO") && said.contains("; where LMTP is spoken, add --lmtp"),
        "{said}"
    );
    let said = call("send", "smtp", &["--lmtp"], 69);
    assert!(
        said.contains("LMTP at localhost:") && said.contains("refused LHLO"),
        "{said}"
    );
    assert!(
        said.contains("; where SMTP is spoken, leave --lmtp away"),
        "{said}"
    );
    for (applet, service) in [("pop", "pop3s"), ("imap", "imaps"), ("send", "smtps")] {
        let said = call(applet, service, &[], 75);
        assert!(said.contains("add --tls"), "{applet} at {service}: {said}");
    }
    for (applet, service) in [("pop", "pop3"), ("imap", "imap"), ("send", "smtp")] {
        let said = call(applet, service, &["--tls"], 76);
        assert!(
            said.contains("leave --tls away"),
            "{applet} at {service}: {said}"
        );
    }
    for (greeting, expected) in [
        ("SSH-2.0-OpenSSH_9.2\r\n", "this is a server of SSH"),
        (
            "HTTP/1.1 400 Bad Request\r\n\r\n",
            "this is a server of HTTP",
        ),
        (
            "\u{15}\u{3}\u{1}\0\u{2}\u{2}\n",
            "this server speaks TLS from the first byte: add --tls",
        ),
        (
            "hello\r\n",
            "the server answered what the protocol does not know: \"hello\"",
        ),
    ] {
        let at = format!("localhost:{}", scripted(&[greeting]).port());
        let words = ["pop", "stat", "-u", "alice", "--server", &at];
        let said = ended(&mailtool(&words, "alice"), 76).1;
        assert!(said.contains(expected), "{greeting}: {said}");
    }
}

#[test]
fn a_greeting_without_end_is_not_taken_for_another_protocol() {
    let greeting = format!("220-{}\r\n", "x".repeat(100_000));
    let at = format!("localhost:{}", scripted(&[&greeting]).port());
    let words = ["send", "a@localhost", "--body", "x", "--server", &at];
    let said = ended(&mailtool(&words, ""), 76).1;
    assert!(!said.contains("this is a server of"), "{said}");
}

#[test]
fn a_login_that_is_missing_is_asked_for() {
    let server = Server::start();
    let at = format!("localhost:{}", server.port("submission"));
    let words = ["send", "alice@localhost", "--body", "x", "--server", &at];
    let said = ended(&mailtool(&words, ""), 77).1;
    assert!(
        said.contains("530 5.7.0") && said.contains("add --user NAME"),
        "{said}"
    );
    // The same code, when it is TLS that is missing.
    let must = "530 5.7.0 Must issue a STARTTLS command first\r\n";
    let replies = ["220 mail\r\n", "250 mail\r\n", must, "221 bye\r\n"];
    let at = format!("localhost:{}", scripted(&replies).port());
    let words = ["send", "alice@localhost", "--body", "x", "--server", &at];
    let said = ended(&mailtool(&words, ""), 77).1;
    assert!(said.ends_with("; add --starttls\n"), "{said}");
}

#[test]
fn a_server_that_takes_passwords_over_tls_only_is_told_apart() {
    let call = |words: &[&str], replies: &[&str], code: i32| {
        let at = format!("localhost:{}", scripted(replies).port());
        let words = [words, &["-u", "alice", "--server", &at, "-v"]].concat();
        ended(&mailtool(&words, "s3cret"), code).1
    };
    let capa = "+OK\r\nTOP\r\nSTLS\r\nSASL\r\n.\r\n";
    let hello = "250-mail\r\n250 STARTTLS\r\n";
    let capability = "* OK [CAPABILITY IMAP4rev1 STARTTLS LOGINDISABLED] hi\r\n";
    for said in [
        call(&["pop", "stat"], &["+OK\r\n", capa, "-ERR no\r\n"], 77),
        call(&["imap", "folders"], &[capability, "a1 NO\r\n"], 77),
        call(
            &["send", "a@localhost", "--body", "x"],
            &["220 mail\r\n", hello, "221 bye\r\n"],
            77,
        ),
    ] {
        assert!(said.contains("passwords over TLS only"), "{said}");
        assert!(said.contains("--starttls"), "{said}");
        assert!(!said.contains("check the name"), "{said}");
        assert!(!said.contains("********"), "none is sent: {said}");
    }
}
