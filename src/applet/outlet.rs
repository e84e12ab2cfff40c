//! Where messages go that a client fetches: standard output, a Maildir, an mbox, a file, or the standard input of a program.

use std::io::{self, Stdout, Write};
use std::path::PathBuf;
use std::process::{Command, Stdio};

use clap::Args;

use super::exit::{self, failure};
use super::output::{Form, Output};
use crate::limits;
use crate::proto::client::{About, Sink};
use crate::store::{Deposit, Kept};
use crate::wire::date::DateTime;
use crate::wire::mbox::Marks;

/// Where they go.
#[derive(Args, Clone, Debug, Default)]
pub(super) struct Place {
    /// Where the messages go: a folder, or a name that ends in /, is a Maildir; anything else a file, written anew
    #[arg(long, value_name = "PATH")]
    output: Option<PathBuf>,
    /// PATH is an mbox, to whose end they are added
    #[arg(long, requires = "output")]
    mbox: bool,
    /// Give each message, with LF line ends, to this command of sh on its standard input; it must end well
    #[arg(long, value_name = "COMMAND", conflicts_with = "output")]
    mda: Option<String>,
}

impl Place {
    /// Whether messages go anywhere but to standard output.
    pub(super) const fn keeps(&self) -> bool {
        self.output.is_some() || self.mda.is_some()
    }

    /// Opens it; `form` is for standard output.
    pub(super) fn open(self, form: Form) -> anyhow::Result<Outlet> {
        if let Some(command) = self.mda {
            let text = Vec::new();
            return Ok(Outlet::Program { command, text });
        }
        let Some(path) = self.output else {
            return Ok(Outlet::Stdout(Output::stdout(form)));
        };
        let folder = path.is_dir() || path.as_os_str().as_encoded_bytes().ends_with(b"/");
        let opened = match (self.mbox, folder) {
            (true, _) => Deposit::mbox(&path),
            (false, true) => Deposit::maildir(&path),
            (false, false) => Deposit::plain(&path),
        };
        let opened = opened
            .map_err(|error| failure(exit::IO, format!("--output {}: {error}", path.display())));
        opened.map(Outlet::Files)
    }
}

/// Where they go, opened.
pub(super) enum Outlet {
    Stdout(Output<Stdout>),
    Files(Deposit),
    Program {
        command: String,
        /// What has come of a message: no program is to take a part of one for the whole.
        text: Vec<u8>,
    },
}

impl Write for Outlet {
    fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        match self {
            Self::Stdout(output) => output.write(octets),
            Self::Files(deposit) => deposit.write(octets),
            Self::Program { text, .. } => {
                if text.len() as u64 + octets.len() as u64 > limits::FOREIGN_MESSAGE {
                    return Err(io::Error::other("a message too long for a program"));
                }
                text.extend_from_slice(octets);
                Ok(octets.len())
            }
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Stdout(output) => output.flush(),
            Self::Files(_) | Self::Program { .. } => Ok(()),
        }
    }
}

impl Sink for Outlet {
    fn ended(&mut self, about: &About<'_>) -> io::Result<()> {
        match self {
            Self::Stdout(_) => Ok(()),
            Self::Files(deposit) => deposit.keep(Kept {
                marks: Marks::of_flags(about.flags),
                received: DateTime::from_imap(about.date.as_bytes()).map(DateTime::unix),
            }),
            Self::Program { command, text } => hand_over(command, std::mem::take(text)),
        }
    }
}

/// Runs the command with a whole message.
fn hand_over(command: &str, mut text: Vec<u8>) -> io::Result<()> {
    let mut before = 0;
    let mut from = 0;
    // In place: CRLF becomes LF.
    for at in 0..text.len() {
        let octet = text[at];
        if octet == b'\n' && before == b'\r' {
            from -= 1;
        }
        text[from] = octet;
        from += 1;
        before = octet;
    }
    text.truncate(from);
    let mut child = Command::new("/bin/sh")
        .args(["-c", command])
        .stdin(Stdio::piped())
        .spawn()?;
    let given = match child.stdin.take() {
        Some(mut stdin) => stdin.write_all(&text),
        None => Ok(()),
    };
    let status = child.wait()?;
    if !status.success() {
        return Err(io::Error::other(format!("--mda {command}: {status}")));
    }
    match given {
        // It knows what it needs.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        given => given,
    }
}
