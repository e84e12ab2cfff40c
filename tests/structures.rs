//! What a message is made of, as IMAP tells it: ours against Debian's Dovecot, on a corpus of odd messages.

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
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/strangers/structure.py");
    let mut python = Command::new("python3");
    python.arg(script).args([&server.port("imap"), port]);
    let said = succeeded(&run(&mut python, ""));
    assert!(said.ends_with(" 0 not meant\n"), "{said}");
}
