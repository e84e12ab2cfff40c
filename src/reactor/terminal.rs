//! The terminal on which somebody types to a peer: taken from the kernel's line discipline as long as a conversation goes on, so that
//! lines can be edited ([`Editor`]), and given back.
//!
//! Only what the kernel does with letters is switched off: that Enter ends a line and is echoed, and what edits it. ^C, ^Z and
//! `^\` stay its own, so that they work when nobody reads what is typed; and so do the line ends of what is written. While the
//! terminal is ours, a thread waits for the signals that end or stop the program, and gives it back first ([`give_back`]).

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::{Mutex, MutexGuard, PoisonError};

use rustix::event::PollFlags;
use rustix::process::getpgrp;
use rustix::termios::{
    LocalModes, OptionalActions, SpecialCodeIndex, Termios, tcgetattr, tcgetpgrp, tcgetwinsize,
    tcsetattr,
};

use super::stdio::ask;
use crate::limits;
use crate::proto::raw::edit::Editor;

/// A terminal that is ours, and the line that is being typed. Dropped, it is given back.
#[derive(Debug)]
pub(super) struct Terminal {
    screen: OwnedFd,
    pub(super) editor: Editor,
    /// What is to be drawn, and could not be yet.
    ink: Vec<u8>,
}

/// How it was, and how it is.
struct Taken {
    fd: OwnedFd,
    before: Termios,
    ours: Termios,
}

static TAKEN: Mutex<Option<Taken>> = Mutex::new(None);

fn taken() -> MutexGuard<'static, Option<Taken>> {
    // It is never half set.
    TAKEN.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Terminal {
    /// Takes the terminal that `fd` is, and draws on `screen`. The editor may remember earlier lines.
    ///
    /// # Errors
    /// It is none, or somebody else's: this process is in the background.
    pub(super) fn take(
        fd: BorrowedFd<'_>,
        screen: BorrowedFd<'_>,
        editor: Editor,
    ) -> io::Result<Self> {
        if tcgetpgrp(fd)? != getpgrp() {
            return Err(io::ErrorKind::PermissionDenied.into());
        }
        let before = tcgetattr(fd)?;
        let mut ours = before.clone();
        ours.local_modes -= LocalModes::ICANON | LocalModes::ECHO | LocalModes::IEXTEN;
        ours.special_codes[SpecialCodeIndex::VMIN] = 1;
        ours.special_codes[SpecialCodeIndex::VTIME] = 0;
        tcsetattr(fd, OptionalActions::Now, &ours)?;
        *taken() = Some(Taken {
            fd: fd.try_clone_to_owned()?,
            before,
            ours,
        });
        Ok(Self {
            screen: screen.try_clone_to_owned()?,
            editor,
            ink: Vec::new(),
        })
    }

    /// Keys were pressed.
    pub(super) fn press(&mut self, octets: &[u8]) {
        self.editor.press(octets, self.columns(), &mut self.ink);
    }

    /// Takes the line away, for something else to be written.
    pub(super) fn hide(&mut self) {
        self.editor.hide(self.columns(), &mut self.ink);
    }

    /// This was written, and the line comes back.
    pub(super) fn wrote(&mut self, octets: &[u8]) {
        let columns = self.columns();
        self.editor.wrote(octets, columns);
        self.editor.show(columns, &mut self.ink);
    }

    /// Draws, as far as there is room.
    ///
    /// # Errors
    /// [`io::ErrorKind::WouldBlock`] when there is none now, because somebody stopped the terminal.
    pub(super) fn flush(&mut self) -> io::Result<()> {
        while !self.ink.is_empty() {
            ask(&self.screen, PollFlags::OUT)?;
            let fits = self.ink.len().min(limits::PIPE_BUF);
            let drawn = rustix::io::write(&self.screen, &self.ink[..fits])?;
            self.ink.drain(..drawn);
        }
        Ok(())
    }

    /// It is over; what the editor is to remember.
    pub(super) fn leave(&mut self) -> Editor {
        if self.editor.is_shown() {
            // What was typed in vain stays, above what comes next.
            self.ink.push(b'\n');
        }
        let _ = self.flush();
        std::mem::take(&mut self.editor)
    }

    /// As it is now: a window can change.
    fn columns(&self) -> usize {
        match tcgetwinsize(&self.screen) {
            Ok(size) if size.ws_col > 0 => usize::from(size.ws_col),
            _ => 80,
        }
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        self.leave();
        give_back();
        taken().take();
    }
}

/// Sets the terminal as it was before.
pub(super) fn give_back() {
    if let Some(taken) = &*taken() {
        // One that is gone needs nothing.
        let _ = tcsetattr(taken.fd.as_fd(), OptionalActions::Now, &taken.before);
    }
}

/// After [`give_back`]: it is ours again.
pub(super) fn take_again() {
    if let Some(taken) = &*taken() {
        let _ = tcsetattr(taken.fd.as_fd(), OptionalActions::Now, &taken.ours);
    }
}
