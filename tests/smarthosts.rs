//! Servers that all mail goes through, with a login, and servers that get mail over verified TLS only.

#[path = "support/by_hand.rs"]
mod by_hand;
#[path = "support/passing_on.rs"]
mod passing_on;
#[path = "support/program.rs"]
mod program;

use by_hand::{Hand, first_message, queue, wait_for};
use passing_on::{Fake, TO_US, name, said};
use program::{Server, inbox};

#[test]
fn a_smarthost_wants_a_login_and_takes_all_the_rest() {
    let smarthost = Server::start_with(&["--domain", "smart.example"]);
    let way = format!("alice:alice@{}", smarthost.address("submission"));
    let server = Server::start_with(&["--smarthost", &way, TO_US[0], TO_US[1]]);
    name(&Hand::to(server.address("smtp")).send(
        "<alice@localhost>",
        &["<bob@smart.example>"],
        "Subject: smart\r\n\r\nText",
    ));
    let text = first_message(&smarthost.store(), "bob");
    assert!(text.contains(" with ESMTPSA (TLS"), "{text}");
    assert!(!server.log().contains("alice:alice"), "{}", server.log());
    // A wrong password may be put right: it is tried again.
    let way = format!("alice:wrong@{}", smarthost.address("submission"));
    let server = Server::start_with(&["--smarthost", &way, TO_US[0], TO_US[1]]);
    name(&Hand::to(server.address("smtp")).send(
        "<alice@localhost>",
        &["<bob@smart.example>"],
        "Subject: smart\r\n\r\nText",
    ));
    let list = wait_for("a refusal", || {
        let list = said(&queue(&server.store(), &["list"]));
        list.contains("535").then_some(list)
    });
    assert!(
        list.contains("451 4.7.0 127.0.0.1 refused AUTH: 535 5.7.8"),
        "{list}"
    );
}

#[test]
fn a_token_for_a_smarthost_lies_in_a_file_or_is_made_by_a_command() {
    let smarthost = Server::start_with(&["--domain", "smart.example", "--token", "alice:t0ken"]);
    let address = smarthost.address("submission").to_string();
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("token");
    let path = path.to_str().expect("UTF-8");
    for (option, value, subject) in [
        ("--smarthost-token-file", path.to_owned(), "file"),
        (
            "--smarthost-token-command",
            format!("cat {path}"),
            "command",
        ),
    ] {
        std::fs::write(path, "old\n").expect("written");
        let login = ["--smarthost-user", "alice", option, &value];
        let to = ["--smarthost", &address, "--retry", "1", TO_US[0], TO_US[1]];
        let server = Server::start_with(&[&to[..], &login].concat());
        name(&Hand::to(server.address("smtp")).send(
            "<alice@localhost>",
            &["<bob@smart.example>"],
            format!("Subject: by {subject}\r\n\r\nText"),
        ));
        wait_for("a refusal", || {
            let list = said(&queue(&server.store(), &["list"]));
            list.contains("535").then_some(())
        });
        // A new one is taken up by the next attempt.
        std::fs::write(path, "t0ken\n").expect("written");
        wait_for("the message", || {
            let texts = smarthost.inbox("bob").into_iter();
            let mut texts = texts.filter_map(|path| std::fs::read_to_string(path).ok());
            texts.find(|text| text.contains(&format!("Subject: by {subject}\r\n")))
        });
        assert!(!server.log().contains("t0ken"), "{}", server.log());
    }
}

#[test]
fn a_domain_that_wants_verified_tls_gets_nothing_without() {
    let fake = Fake::start(|_, _| None);
    let other = Server::start_with(&["--domain", "self.example"]);
    let signed = format!("self.example={}", other.address("smtp"));
    let route = format!("{},{signed}", fake.route("b.example"));
    let server = Server::start_with(&[
        "--route",
        &route,
        "--require-tls",
        "b.example,self.example",
        TO_US[0],
        TO_US[1],
    ]);
    let mut hand = Hand::to(server.address("smtp"));
    let text = "Subject: secret\r\n\r\nText";
    name(&hand.send("<alice@localhost>", &["<x@b.example>"], text));
    name(&hand.send("<alice@localhost>", &["<bob@self.example>"], text));
    let list = wait_for("both attempts", || {
        let list = said(&queue(&server.store(), &["list"]));
        (list.matches("next attempt").count() == 2).then_some(list)
    });
    assert!(list.contains("127.0.0.1 offers no TLS"), "{list}");
    assert!(list.contains("There is no TLS with 127.0.0.1"), "{list}");
    assert!(!fake.heard().iter().any(|line| line.starts_with("MAIL")));
    assert!(inbox(&other.store(), "bob").is_empty());
}
