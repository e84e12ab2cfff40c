//! What a message is made of, and what SORT and THREAD make of many, as IMAP tells it: ours against Debian's Dovecot, on odd messages
//! and odd conversations that the scripts make.

#[path = "support/debian.rs"]
mod debian;
#[path = "support/program.rs"]
mod program;

use std::path::Path;
use std::process::Command;

use debian::Dovecot;
use program::{Server, have, run, succeeded};

#[test]
fn odd_messages_have_the_structure_that_dovecot_sees() {
    beside_dovecot("structure.py");
}

#[test]
fn odd_conversations_are_put_together_as_dovecot_does() {
    beside_dovecot("threads.py");
}

/// Has a script ask both servers the same, and count where they differ for no reason that it knows.
fn beside_dovecot(script: &str) {
    if !have("doveadm", "dovecot-imapd")
        || !have("/usr/lib/dovecot/pop3", "dovecot-pop3d")
        || !have("/usr/lib/dovecot/lmtp", "dovecot-lmtpd")
        || !have("python3", "python3")
    {
        return;
    }
    let server = Server::start();
    let dovecot = Dovecot::start(&server);
    let port = dovecot.at("imap");
    let port = port.rsplit(':').next().expect("a port");
    let script = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/strangers")
        .join(script);
    let mut python = Command::new("python3");
    python.arg(script).args([&server.port("imap"), port]);
    let said = succeeded(&run(&mut python, ""));
    assert!(said.ends_with(" 0 not meant\n"), "{said}");
}
