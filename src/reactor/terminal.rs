//! The terminal on which somebody types to a peer: taken from the kernel's line discipline as long as a conversation goes on, so that
//! lines can be edited ([`Editor`]), and given back.
//!
//! Only what the kernel does with letters is switched off: that Enter ends a line and is echoed, and what edits it. ^C, ^Z and
//! `^\` stay its own, so that they work when nobody reads what is typed; and so do the line ends of what is written.
//!
//! It is given back, whatever happens:
//!
//! | what | by whom |
//! |---|---|
//! | the conversation is over, or a panic that unwinds | [`Terminal`], dropped |
//! | SIGINT, SIGQUIT, SIGTERM, SIGHUP, SIGTSTP | a thread that waits for them ([`before_interruption`](super::meter::before_interruption)) |
//! | a panic that does not unwind (SIGABRT, SIGILL) | the handler of those ([`give_back_at_once`]) |
//!
//! Whoever is stopped and goes on has it [again](take_again) as soon as it is in the foreground, not before: it is the shell's until then.

use std::io;
use std::os::fd::{BorrowedFd, OwnedFd};
use std::sync::atomic::{AtomicBool, Ordering};
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
/// It was the shell's in between: what is drawn there is gone.
static ANEW: AtomicBool = AtomicBool::new(false);

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
        let terminal = Self {
            screen: screen.try_clone_to_owned()?,
            editor,
            ink: Vec::new(),
        };
        *taken() = Some(Taken {
            fd: fd.try_clone_to_owned()?,
            before,
            ours: ours.clone(),
        });
        // From here on it is given back.
        tcsetattr(fd, OptionalActions::Now, &ours)?;
        Ok(terminal)
    }

    /// Keys are about to be read. Who was stopped, or in the background, has the terminal again, and the line is drawn anew.
    pub(super) fn wake(&mut self) {
        take_again();
        if ANEW.swap(false, Ordering::Relaxed) {
            // Whatever stands there, it was the shell's.
            self.wrote(b"\n");
        }
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

    /// Nothing more is typed: the terminal is as it was, so that what somebody types there for another program is seen. What comes is
    /// still written.
    pub(super) fn rest(&self) {
        give_back();
        taken().take();
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
        self.rest();
    }
}

/// Sets the terminal as it was before.
pub(super) fn give_back() {
    if let Some(taken) = &*taken() {
        taken.give_back();
    }
}

/// The same for the handler of a signal that ends the program because of a mistake in it: nothing is waited for, and nothing but
/// system calls is made.
pub fn give_back_at_once() {
    // Whoever has the lock is setting the terminal, and does nothing that could go wrong.
    if let Ok(taken) = TAKEN.try_lock()
        && let Some(taken) = &*taken
    {
        taken.give_back();
    }
}

/// After [`give_back`]: it is ours again, if we are in the foreground.
pub(super) fn take_again() {
    if let Some(Taken { fd, ours, .. }) = &*taken()
        && tcgetpgrp(fd).is_ok_and(|group| group == getpgrp())
        && tcgetattr(fd).is_ok_and(|now| now.local_modes != ours.local_modes)
        && tcsetattr(fd, OptionalActions::Now, ours).is_ok()
    {
        ANEW.store(true, Ordering::Relaxed);
    }
}

impl Taken {
    fn give_back(&self) {
        // One that is gone needs nothing.
        let _ = tcsetattr(&self.fd, OptionalActions::Now, &self.before);
    }
}
