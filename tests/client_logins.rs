//! How the clients `send`, `pop` and `imap` log in: by the best mechanism, or by the one that is named; with `serve`, and with Dovecot.

#[path = "support/program.rs"]
mod program;

#[path = "support/debian.rs"]
mod debian;

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use debian::Dovecot;
use program::{MAILTOOL, Server, have, run};

/// A client as `user`, if anybody, whose password or token is `password`; with a terminal nowhere, so that nothing can be asked.
fn client(applet: &str, at: &str, user: &str, password: &str, words: &[&str]) -> Output {
    let mut command = Command::new("setsid");
    command
        .args(["-w", MAILTOOL, applet, "--server", at, "--timeout", "20"])
        .args(words)
        .env_remove("MAILTOOL_USER")
        .env_remove("MAILTOOL_PASSWORD")
        .env("LC_ALL", "C.UTF-8");
    if !user.is_empty() {
        command.args(["--user", user]);
    }
    if !password.is_empty() {
        command.env("MAILTOOL_PASSWORD", password);
    }
    run(&mut command, "")
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn at(server: &Server, service: &str) -> String {
    format!("localhost:{}", server.port(service))
}

/// The line with which it was logged in, of the dialogue that `-v` shows.
fn way(applet: &str, output: &Output) -> String {
    let said = said(output);
    assert_eq!(output.status.code(), Some(0), "{applet}: {said}");
    let lines = said.lines().filter(|line| line.starts_with("C:"));
    let mut ways = lines.filter(|line| {
        let words = ["AUTH", "LOGIN", "USER", "APOP"];
        let word = |word: &&str| words.iter().any(|known| word.starts_with(known));
        !line.contains("LOGOUT") && line.split(' ').skip(1).take(2).any(|each| word(&each))
    });
    ways.next().unwrap_or_default().to_owned()
}

#[test]
fn the_best_mechanism_is_chosen_and_any_is_had_by_its_name() {
    let server = Server::start_with(&["--token", "alice:t0ken"]);
    let ca = server.authority();
    let ca = ca.to_str().expect("UTF-8");
    for (applet, service, tls, words) in [
        ("imap", "imap", "imaps", &["folders"][..]),
        ("pop", "pop3", "pop3s", &["stat"]),
        ("send", "submission", "smtps", &["--quit-after", "auth"]),
    ] {
        let log_in = |service: &str, password: &str, more: &[&str]| {
            let words = [words, more, &["-v"]].concat();
            client(applet, &at(&server, service), "alice", password, &words)
        };
        let best = way(applet, &log_in(service, "alice", &[]));
        assert!(best.contains("SCRAM-SHA-256 "), "{applet}: {best}");
        for name in ["scram-sha-256", "CRAM-MD5", "PLAIN", "LOGIN"] {
            let way = way(applet, &log_in(service, "alice", &["--auth", name]));
            assert!(way.to_lowercase().contains(&name.to_lowercase()), "{way}");
        }
        for name in ["XOAUTH2", "OAUTHBEARER"] {
            let taken = way(applet, &log_in(service, "t0ken", &["--auth", name]));
            assert!(taken.contains(name), "{applet}: {taken}");
            let refused = log_in(service, "wrong", &["--auth", name]);
            assert_eq!(refused.status.code(), Some(77), "{}", said(&refused));
        }
        let plus = ["--auth", "SCRAM-SHA-256-PLUS", "--tls", "--ca", ca];
        let bound = way(applet, &log_in(tls, "alice", &plus));
        assert!(bound.contains("SCRAM-SHA-256-PLUS "), "{applet}: {bound}");
        let wrong = log_in(service, "wrong", &[]);
        assert_eq!(wrong.status.code(), Some(77), "{}", said(&wrong));
        let odd = log_in(service, "alice", &["--auth", "NTLM"]);
        assert_eq!(odd.status.code(), Some(64), "{}", said(&odd));
        assert!(said(&odd).contains("EXTERNAL"), "{}", said(&odd));
        // Nothing is asked for; here the server has no such mechanism.
        let external = client(
            applet,
            &at(&server, service),
            "",
            "",
            &[words, &["--auth", "EXTERNAL"]].concat(),
        );
        assert!(
            said(&external).contains("does not offer"),
            "{}",
            said(&external)
        );
    }
}

#[test]
fn dovecot_takes_what_it_offers() {
    if !have("dovecot", "dovecot-pop3d") {
        return;
    }
    let ours = Server::start();
    let settings = "auth_mechanisms = plain login cram-md5 scram-sha-256 scram-sha-1\n";
    let dovecot = Dovecot::start_with(&ours, settings);
    for (applet, service, words) in [
        ("imap", "imap", &["folders"][..]),
        ("pop", "pop3", &["stat"]),
    ] {
        let at = dovecot.at(service);
        let log_in = |more: &[&str]| {
            client(
                applet,
                &at,
                "alice",
                "alice",
                &[words, more, &["-v"]].concat(),
            )
        };
        let best = way(applet, &log_in(&[]));
        assert!(best.contains("SCRAM-SHA-256 "), "{applet}: {best}");
        for name in ["SCRAM-SHA-1", "CRAM-MD5", "PLAIN", "LOGIN"] {
            let way = way(applet, &log_in(&["--auth", name]));
            assert!(way.contains(name), "{applet}: {way}");
        }
        let wrong = client(applet, &at, "alice", "wrong", words);
        assert_eq!(wrong.status.code(), Some(77), "{}", said(&wrong));
        let none = client(
            applet,
            &at,
            "alice",
            "x",
            &[words, &["--auth", "XOAUTH2"]].concat(),
        );
        assert_eq!(none.status.code(), Some(64), "{}", said(&none));
        assert!(said(&none).contains("does not offer"), "{}", said(&none));
    }
}

/// A server that takes no password in the clear is not given one.
#[test]
fn a_password_stays_here_where_login_is_disabled() {
    if !have("dovecot", "dovecot-pop3d") {
        return;
    }
    let ours = Server::start();
    let ca = ours.authority();
    let ca = ca.to_str().expect("UTF-8");
    let dovecot = Dovecot::start_with(&ours, "disable_plaintext_auth = yes\nssl = required\n");
    // To Dovecot it is secure enough where both ends have the same address.
    let elsewhere = ["--source", "127.0.0.2"];
    for (applet, service, words) in [
        ("imap", "imap", &["folders"][..]),
        ("pop", "pop3", &["stat"]),
    ] {
        let at = dovecot.at(service);
        let clear = client(
            applet,
            &at,
            "alice",
            "alice",
            &[words, &elsewhere, &["-v"]].concat(),
        );
        assert_eq!(clear.status.code(), Some(77), "{}", said(&clear));
        assert!(said(&clear).contains("over TLS only"), "{}", said(&clear));
        assert!(!said(&clear).contains("********"), "{}", said(&clear));
        let tls = client(
            applet,
            &at,
            "alice",
            "alice",
            &[words, &elsewhere, &["--starttls", "--ca", ca]].concat(),
        );
        assert_eq!(tls.status.code(), Some(0), "{}", said(&tls));
    }
}

/// EXTERNAL: the certificate says who it is, and nobody is asked for a password.
#[test]
fn a_client_certificate_is_enough_where_it_is_taken() {
    if !have("dovecot", "dovecot-pop3d") || !have("openssl", "openssl") {
        return;
    }
    let ours = Server::start();
    let made = tempfile::tempdir().expect("a folder");
    let path = |name: &str| made.path().join(name).display().to_string();
    let openssl = |words: &str| {
        let made = Command::new("openssl")
            .args("req -x509 -nodes -days 2 -newkey ec -pkeyopt ec_paramgen_curve:P-256".split(' '))
            .args(words.split_ascii_whitespace())
            .current_dir(made.path())
            .output()
            .expect("openssl runs");
        assert!(made.status.success(), "openssl req {words}: {made:?}");
    };
    openssl("-keyout ca.key -out ca.pem -subj /CN=authority");
    openssl(
        "-CA ca.pem -CAkey ca.key -keyout alice.key -out alice.pem -subj /CN=alice -addext basicConstraints=critical,CA:FALSE",
    );
    readable(made.path());
    let settings = format!(
        "auth_mechanisms = plain external\nssl_ca = <{}\nssl_verify_client_cert = yes\nssl_require_crl = no\n\
         auth_ssl_username_from_cert = yes\nssl_cert_username_field = commonName\n\
         passdb {{\n  driver = static\n  args = nopassword=y\n  mechanisms = external\n}}\n",
        path("ca.pem")
    );
    let dovecot = Dovecot::start_with(&ours, &settings);
    let ca = ours.authority();
    let ca = ca.to_str().expect("UTF-8");
    let (cert, key) = (path("alice.pem"), path("alice.key"));
    for (applet, service, words, told) in [
        ("imap", "imaps", &["folders"][..], "INBOX\n"),
        ("pop", "pop3s", &["stat"], "0 0\n"),
    ] {
        let tls = ["--auth", "external", "--tls", "--ca", ca];
        let certified = ["--cert", &cert, "--key", &key];
        let at = dovecot.at(service);
        let taken = client(applet, &at, "", "", &[words, &tls, &certified].concat());
        assert_eq!(taken.status.code(), Some(0), "{applet}: {}", said(&taken));
        assert_eq!(String::from_utf8_lossy(&taken.stdout), told);
        let nobody = client(applet, &at, "", "", &[words, &tls].concat());
        assert_eq!(
            nobody.status.code(),
            Some(77),
            "{applet}: {}",
            said(&nobody)
        );
    }
}

/// Others may pass through it, and read what is in it.
fn readable(folder: &Path) {
    use std::os::unix::fs::PermissionsExt;
    let set = |path: &Path, mode| fs::set_permissions(path, fs::Permissions::from_mode(mode));
    set(folder, 0o755).expect("it is ours");
    for entry in fs::read_dir(folder).expect("a folder") {
        set(&entry.expect("an entry").path(), 0o644).expect("it is ours");
    }
}
