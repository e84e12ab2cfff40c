//! Stdin, where many hear it.

use std::fmt;
use std::io;
use std::time::Instant;

use mio::{Registry, Token};

use crate::limits;
use crate::proto::raw::{Crlf, Pace};
use crate::reactor::relay::{is_broken, is_for_later};
use crate::reactor::stdio::Input;

/// The user's input, and how it is changed on its way (-C, -i).
pub struct Speaker {
    input: Input,
    crlf: Option<Crlf>,
    pace: Option<Pace>,
    can_read: bool,
    /// What was read of it, and not said yet.
    waiting: Vec<u8>,
    stage: Stage,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Stage {
    Open,
    /// What was read last waits.
    LastWords,
    Over,
}

/// What it has to say.
pub(super) enum Speech {
    /// These words.
    Words(Vec<u8>),
    /// Nothing before an event, or this time.
    Pause(Option<Instant>),
    /// Nothing any more. Told once.
    End,
}

impl Speaker {
    /// One who says what comes from `input`.
    pub const fn new(input: Input) -> Self {
        Self {
            input,
            crlf: None,
            pace: None,
            can_read: true,
            waiting: Vec::new(),
            stage: Stage::Open,
        }
    }

    /// LF becomes CRLF.
    #[must_use]
    pub fn with_crlf(self, crlf: Crlf) -> Self {
        Self {
            crlf: Some(crlf),
            ..self
        }
    }

    /// One line, then a pause.
    #[must_use]
    pub fn with_pace(self, pace: Pace) -> Self {
        Self {
            pace: Some(pace),
            ..self
        }
    }

    pub(super) fn register(&self, registry: &Registry, token: Token) -> io::Result<()> {
        self.input.register(registry, token).map(drop)
    }

    pub(super) const fn told(&mut self) {
        self.can_read = true;
    }

    /// The next words. Not to be asked unless somebody hears them.
    pub(super) fn speak(&mut self, now: Instant) -> io::Result<Speech> {
        if self.waiting.is_empty() && self.stage == Stage::Open && self.can_read {
            self.read()?;
        }
        if self.waiting.is_empty() {
            return Ok(match self.stage {
                Stage::LastWords => {
                    self.stage = Stage::Over;
                    Speech::End
                }
                // A signal came in between.
                Stage::Open if self.can_read => Speech::Pause(Some(now)),
                Stage::Open | Stage::Over => Speech::Pause(None),
            });
        }
        let Some(pace) = &mut self.pace else {
            return Ok(Speech::Words(std::mem::take(&mut self.waiting)));
        };
        let admitted = pace.admit(now, &self.waiting);
        if admitted == 0 {
            return Ok(Speech::Pause(pace.until()));
        }
        let words: Vec<u8> = self.waiting.drain(..admitted).collect();
        pace.sent(now, &words);
        Ok(Speech::Words(words))
    }

    fn read(&mut self) -> io::Result<()> {
        let mut raw = Vec::with_capacity(limits::HALL_BUFFER);
        match self.input.read(&mut raw) {
            Ok(0) => self.stage = Stage::LastWords,
            Ok(_) => match &mut self.crlf {
                Some(crlf) => crlf.encode(&raw, &mut self.waiting),
                None => self.waiting = raw,
            },
            Err(error) if is_for_later(&error) => {
                self.can_read = error.kind() == io::ErrorKind::Interrupted;
            }
            Err(error) if is_broken(&error) => self.stage = Stage::LastWords,
            Err(error) => return Err(error),
        }
        Ok(())
    }
}

impl fmt::Debug for Speaker {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Speaker")
            .field("input", &self.input)
            .finish_non_exhaustive()
    }
}
