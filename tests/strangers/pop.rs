//! Other people's POP3 clients, with all that they can: Python's poplib, curl, mpop, fetchmail.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use super::program::{Server, have, run, succeeded};
use super::{MESSAGE, curl};

/// With two messages for each account.
fn server(options: &[&str]) -> Server {
    let accounts = ["--user", "alice:alice", "--user", "zo\u{e9}:caf\u{e9}"];
    let server = Server::start_with(&[&accounts[..], options].concat());
    for account in ["alice", "zo\u{e9}"] {
        let new = server.store().join("mail").join(account).join("new");
        fs::create_dir_all(&new).expect("a folder");
        for number in 1..=2 {
            let text = MESSAGE.replace(".leading", ".leading dot\r\n..two dots\r\n.leading");
            fs::write(new.join(format!("{number}.M1P1.host")), text).expect("a message");
        }
    }
    server
}

#[test]
fn python_poplib_whole() {
    if !have("python3", "python3") {
        return;
    }
    let server = server(&["--token", "alice:t0ken"]);
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/strangers/pop.py");
    let mut python = Command::new("python3");
    python.arg(script).arg(server.authority());
    python.args([server.port("pop3"), server.port("pop3s")]);
    assert_eq!(succeeded(&run(&mut python, "")), "poplib ok\n");
}

#[test]
fn curl_logs_in_by_each_mechanism_that_it_has() {
    if !have("curl", "curl") {
        return;
    }
    let server = server(&["--token", "alice:t0ken"]);
    let plain = format!("pop3://localhost:{}/1", server.port("pop3"));
    let secure = format!("pop3s://localhost:{}/1", server.port("pop3s"));
    for url in [&plain, &secure] {
        for (mechanism, word, secret) in [
            ("AUTH=PLAIN", "--user", "alice:alice"),
            ("AUTH=LOGIN", "--user", "alice:alice"),
            ("AUTH=CRAM-MD5", "--user", "alice:alice"),
            ("AUTH=+APOP", "--user", "alice:alice"),
            ("AUTH=*", "--user", "zo\u{e9}:caf\u{e9}"),
            ("AUTH=OAUTHBEARER", "--oauth2-bearer", "t0ken"),
            ("AUTH=XOAUTH2", "--oauth2-bearer", "t0ken"),
        ] {
            let login = ["--login-options", mechanism, word, secret];
            let user = match word {
                "--oauth2-bearer" => &["--user", "alice:"][..],
                _ => &[],
            };
            for early in [&[][..], &["--sasl-ir"]] {
                let words = [&login[..], user, early, &[url.as_str()]].concat();
                let message = succeeded(&curl(&server, &words));
                assert!(message.ends_with("last line\r\n"), "{mechanism}: {message}");
            }
        }
    }
    for mechanism in ["AUTH=CRAM-MD5", "AUTH=+APOP", "AUTH=PLAIN"] {
        let login = [
            "--login-options",
            mechanism,
            "--user",
            "alice:wrong",
            &plain,
        ];
        let refused = curl(&server, &login);
        assert_eq!(refused.status.code(), Some(67), "{mechanism}: login denied");
    }
}

#[test]
fn mpop_fetches_by_each_mechanism_that_it_has() {
    if !have("mpop", "mpop") {
        return;
    }
    let server = server(&["--token", "alice:t0ken"]);
    let folder = server.folder.path();
    for (number, (tls, auth, secret)) in [
        ("tls off", "user", "alice"),
        ("tls off", "apop", "alice"),
        ("tls off", "cram-md5", "alice"),
        ("tls off", "scram-sha-256", "alice"),
        ("tls on\ntls_starttls on", "plain", "alice"),
        ("tls on\ntls_starttls on", "scram-sha-256", "alice"),
        ("tls on\ntls_starttls off", "login", "alice"),
        ("tls on\ntls_starttls off", "oauthbearer", "t0ken"),
        ("tls on\ntls_starttls off", "on", "alice"),
    ]
    .into_iter()
    .enumerate()
    {
        let port = match tls.ends_with("starttls off") {
            true => server.port("pop3s"),
            false => server.port("pop3"),
        };
        let trust = match tls {
            "tls off" => String::new(),
            _ => format!("tls_trust_file {}\n", server.authority().display()),
        };
        let got = folder.join(format!("got{number}"));
        let config = format!(
            "account default\nhost localhost\nport {port}\n{tls}\n{trust}auth {auth}\nuser alice\npassword {secret}\n\
             delivery mbox {}\nuidls_file {}\nkeep on\n",
            got.display(),
            folder.join(format!("uidls{number}")).display(),
        );
        let file = folder.join("mpoprc");
        fs::write(&file, config).expect("a file");
        fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).expect("ours");
        let mut mpop = Command::new("mpop");
        succeeded(&run(mpop.arg("--file").arg(&file), ""));
        let mbox = fs::read_to_string(&got).unwrap_or_default();
        assert_eq!(
            mbox.matches("\nlast line\n").count(),
            2,
            "{tls} {auth}: {mbox}"
        );
        // What was fetched is known by its id, and is not fetched again.
        let mut again = Command::new("mpop");
        succeeded(&run(again.arg("--file").arg(&file), ""));
        let mbox = fs::read_to_string(&got).unwrap_or_default();
        assert_eq!(
            mbox.matches("\nlast line\n").count(),
            2,
            "{tls} {auth}: {mbox}"
        );
    }
}

#[test]
fn fetchmail_fetches_and_empties() {
    if !have("fetchmail", "fetchmail") {
        return;
    }
    for (protocol, more) in [
        ("POP3", "sslproto ''"),
        ("APOP", "sslproto ''"),
        ("POP3", "sslproto 'auto' sslcertck"),
        ("POP3", "ssl sslcertck"),
    ] {
        let server = server(&[]);
        let folder = server.folder.path();
        let port = match more.starts_with("ssl ") {
            true => server.port("pop3s"),
            false => server.port("pop3"),
        };
        let got = folder.join("got");
        let config = format!(
            "poll localhost protocol {protocol} port {port} timeout 20 uidl\n  user alice password alice {more}\n  \
             sslcertfile {} mda \"cat >>{}\" fetchall nokeep\n",
            server.authority().display(),
            got.display(),
        );
        let file = folder.join("fetchmailrc");
        fs::write(&file, config).expect("a file");
        fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).expect("ours");
        let mut fetchmail = Command::new("fetchmail");
        fetchmail
            .env("FETCHMAILHOME", folder)
            .env("HOME", folder)
            .args(["--nosyslog", "-f"])
            .arg(&file);
        succeeded(&run(&mut fetchmail, ""));
        let all = fs::read_to_string(&got).unwrap_or_default();
        assert_eq!(
            all.matches("last line").count(),
            2,
            "{protocol} {more}: {all}"
        );
        assert!(all.contains("\n..two dots"), "{all}");
        assert_eq!(server.inbox("alice").len(), 0, "{protocol} {more}");
    }
}
