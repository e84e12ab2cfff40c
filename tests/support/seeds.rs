//! Dialogues as what fuzz targets begin with: `tests/fuzz/src/conversation.rs` says how a conversation is written.

use std::fs;
use std::io;
use std::path::Path;

use super::pattern::Names;
use super::script::{Action, Dialog, Protocol, root};

/// Writes the seeds of a dialogue into the folders of all targets in `corpus` that it is for.
pub fn write(dialog: &Dialog, corpus: &Path) -> io::Result<()> {
    let stem = dialog.path.file_stem().unwrap_or_default();
    let put = |target: &str, seed: &[u8]| {
        let folder = corpus.join(target);
        fs::create_dir_all(&folder)?;
        fs::write(folder.join(stem), seed)
    };
    let protocol = match dialog.protocol {
        Protocol::Smtp => "smtp",
        Protocol::Pop3 => "pop3",
        Protocol::Imap => "imap",
    };
    let (client, server) = said(dialog);
    let plan = [plan(dialog)];
    put(
        &format!("{protocol}_server"),
        &[&plan, &client[..]].concat(),
    )?;
    put(
        &format!("{protocol}_client"),
        &[&plan, &server[..]].concat(),
    )?;
    if dialog.protocol == Protocol::Smtp {
        put("smtp_relay", &[&plan, &server[..]].concat())?;
    }
    put(&format!("{protocol}_words"), &[client, server].concat())?;
    put("lockstep", &typed(dialog))?;
    put("transcript", &fs::read(&dialog.path)?)
}

/// Writes the messages that dialogues share into the folder of the target that reads messages.
pub fn write_mail(corpus: &Path) -> io::Result<()> {
    let folder = corpus.join("mime");
    fs::create_dir_all(&folder)?;
    for entry in fs::read_dir(root().join("mail"))? {
        let path = entry?.path();
        fs::copy(&path, folder.join(path.file_name().unwrap_or_default()))?;
    }
    Ok(())
}

/// One octet at a time the second time, TLS where the dialogue has it, and the mode of SMTP.
fn plan(dialog: &Dialog) -> u8 {
    let given = &dialog.given;
    let mode = match given.mode.as_str() {
        "submission" => 1,
        "lmtp" => 2,
        _ => 0,
    };
    1 | u8::from(given.tls) << 2 | mode << 3
}

/// What is typed and what is answered, in turn, as `tests/fuzz/fuzz_targets/lockstep.rs` reads it.
fn typed(dialog: &Dialog) -> Vec<u8> {
    // The protocol is detected, a script types, replies are explained.
    let mut seed = vec![5 | 1 << 3 | 1 << 4];
    let mut names = Names::new();
    for step in &dialog.steps {
        let (mark, octets) = match &step.action {
            Action::Line(pattern) => (
                b'S',
                [pattern.plausible(&mut names), b"\r\n".to_vec()].concat(),
            ),
            Action::Exactly(octets) => (b'S', octets.clone()),
            Action::Say(pattern, end) => (b'C', [&pattern.plausible(&mut names)[..], end].concat()),
            Action::Send(octets) => (b'C', octets.clone()),
            Action::ClientEnds => (b'E', Vec::new()),
            Action::ServerCloses => (b'X', Vec::new()),
            _ => continue,
        };
        seed.extend([0xff, mark]);
        seed.extend(octets);
    }
    seed
}

/// What happens, with what the client says; and with what the server says. Holes are filled with something plausible.
fn said(dialog: &Dialog) -> (Vec<u8>, Vec<u8>) {
    let (mut client, mut server) = (Vec::new(), Vec::new());
    let mut names = Names::new();
    let (mut connection, mut listens) = (1, false);
    for step in &dialog.steps {
        if step.connection != connection {
            connection = step.connection;
            client.extend([0xff, b'0' + u8::try_from(connection).unwrap_or(1)]);
        } else if step.action.is_said() && listens {
            client.extend([0xff, b'.']);
        }
        listens = !step.action.is_said();
        match &step.action {
            Action::Line(pattern) => {
                server.extend(pattern.plausible(&mut names));
                server.extend(b"\r\n");
            }
            Action::Exactly(octets) => server.extend(octets),
            Action::Say(pattern, end) => {
                client.extend(pattern.plausible(&mut names));
                client.extend(*end);
            }
            Action::Send(octets) => client.extend(octets),
            Action::Clock(_) => client.extend([0xff, b'T']),
            Action::Mail(_) => client.extend([0xff, b'M']),
            Action::ClientEnds => client.extend([0xff, b'E']),
            Action::Lost => client.extend([0xff, b'L']),
            Action::Stop => client.extend([0xff, b'S']),
            Action::AnyLines | Action::ServerCloses | Action::TlsUp => {}
        }
    }
    (client, server)
}
