//! A sink that runs a command for each message that has come.

use std::io::{self, Write};
use std::process::{Command, Stdio};

use super::super::{exit, told};
use crate::proto::client::{About, Sink};

/// Passes everything on, and runs the command, if there is one.
pub(super) struct Hooked<'a> {
    inner: &'a mut dyn Sink,
    command: Option<String>,
    mailbox: String,
    code: u8,
}

impl<'a> Hooked<'a> {
    /// `command` is for sh; `mailbox` is where messages come to.
    pub(super) fn new(inner: &'a mut dyn Sink, command: Option<String>, mailbox: String) -> Self {
        Self {
            inner,
            command,
            mailbox,
            code: exit::OK,
        }
    }

    /// What comes of it: whether a command failed.
    pub(super) const fn code(&self) -> u8 {
        self.code
    }

    fn run(&self, command: &str, about: &About<'_>) -> io::Result<()> {
        // No octet of a variable may be NUL.
        let clean = |text: &str| text.replace('\0', "");
        let status = Command::new("/bin/sh")
            .args(["-c", command])
            .env("MAIL_UID", about.id)
            .env("MAIL_MAILBOX", clean(&self.mailbox))
            .env("MAIL_FROM", clean(about.sender))
            .env("MAIL_SUBJECT", clean(about.subject))
            .env("MAIL_DATE", clean(about.date))
            .env("MAIL_FLAGS", clean(about.flags))
            .env("MAIL_SIZE", about.octets.to_string())
            .stdin(Stdio::null())
            .status()?;
        match status.success() {
            true => Ok(()),
            false => Err(io::Error::other(status.to_string())),
        }
    }
}

impl Write for Hooked<'_> {
    fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        self.inner.write(octets)
    }

    fn write_all(&mut self, octets: &[u8]) -> io::Result<()> {
        self.inner.write_all(octets)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

impl Sink for Hooked<'_> {
    fn ended(&mut self, about: &About<'_>) -> io::Result<()> {
        self.inner.ended(about)?;
        let Some(command) = &self.command else {
            return Ok(());
        };
        if let Err(error) = self.run(command, about) {
            let words = format!("--exec, message {}: {error}", about.id);
            eprintln!("mailtool: {}", exit::printable(&told(&words)));
            self.code = exit::SOFTWARE;
        }
        Ok(())
    }
}
