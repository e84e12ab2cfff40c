//! What SORT and THREAD make of a mailbox of odd conversations: ours against Debian's Dovecot.

#[path = "support/debian.rs"]
mod debian;
#[path = "support/program.rs"]
mod program;

use std::path::Path;
use std::process::Command;

use debian::Dovecot;
use program::{Server, have, run, succeeded};

#[test]
fn odd_conversations_are_put_together_as_dovecot_does() {
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
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/strangers/threads.py");
    let mut python = Command::new("python3");
    python.arg(script).args([&server.port("imap"), port]);
    let said = succeeded(&run(&mut python, ""));
    assert!(said.ends_with(" 0 not meant\n"), "{said}");
}
