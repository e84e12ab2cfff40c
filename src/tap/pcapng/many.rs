//! A capture in more than one file: one for each connection, or the next when one has become too large.

use std::io::{self, Write};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use super::{Capture, Inner};
use crate::tap::keylog::KeySink;
use crate::tap::{Closing, Side, Wire};

/// Opens the file of a connection that began then, of this name.
pub type OpenFor = dyn Fn(SystemTime, &str) -> io::Result<Box<dyn Write + Send>> + Send + Sync;

/// Opens the next file, when one is full.
pub type OpenNext = dyn FnMut() -> io::Result<Box<dyn Write + Send>> + Send;

/// When a file is full, and what comes then.
pub(super) struct Rotation {
    pub(super) octets: u64,
    pub(super) next: Box<OpenNext>,
}

/// A file for each connection.
pub(super) struct Each {
    open: Box<OpenFor>,
    /// Secrets of TLS that belong to the connection whose octets are told next: a [`Wire`] is told of them right after.
    secrets: Mutex<Vec<String>>,
    trouble: Mutex<Option<io::Error>>,
}

impl Each {
    pub(super) fn new(open: Box<OpenFor>) -> Self {
        Self {
            open,
            secrets: Mutex::default(),
            trouble: Mutex::default(),
        }
    }

    /// The wire of a connection, made by `begin` on a capture of its own.
    pub(super) fn wire(
        self: &Arc<Self>,
        at: SystemTime,
        name: &str,
        begin: impl FnOnce(&Capture) -> Box<dyn Wire>,
    ) -> Box<dyn Wire> {
        let capture = (self.open)(at, name).and_then(Capture::new);
        match capture {
            Ok(capture) => Box::new(Alone {
                wire: begin(&capture),
                capture,
                each: Arc::clone(self),
            }),
            Err(error) => {
                self.blame(error);
                Box::new(Nothing)
            }
        }
    }

    pub(super) fn trouble(&self) -> Option<io::Error> {
        self.trouble
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .as_ref()
            .map(super::again)
    }

    fn blame(&self, error: io::Error) {
        let mut trouble = self.trouble.lock().unwrap_or_else(PoisonError::into_inner);
        trouble.get_or_insert(error);
    }
}

impl KeySink for Each {
    fn line(&self, line: &str) {
        let mut secrets = self.secrets.lock().unwrap_or_else(PoisonError::into_inner);
        secrets.push(line.to_owned());
    }
}

/// The only connection of a capture.
struct Alone {
    wire: Box<dyn Wire>,
    capture: Capture,
    each: Arc<Each>,
}

impl Alone {
    fn take_secrets(&self) {
        let mut secrets = self
            .each
            .secrets
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if secrets.is_empty() {
            return;
        }
        let secrets = std::mem::take(&mut *secrets);
        let sink = self.capture.secrets();
        for line in secrets {
            sink.line(&line);
        }
    }
}

impl Wire for Alone {
    fn crossed(&mut self, at: SystemTime, side: Side, octets: &[u8]) {
        self.take_secrets();
        self.wire.crossed(at, side, octets);
    }

    fn closed(&mut self, at: SystemTime, side: Side, how: Closing) {
        self.take_secrets();
        self.wire.closed(at, side, how);
    }
}

impl Drop for Alone {
    fn drop(&mut self) {
        if let Some(error) = self.capture.trouble() {
            self.each.blame(error);
        }
    }
}

/// A connection whose file cannot be had.
struct Nothing;

impl Wire for Nothing {
    fn crossed(&mut self, _at: SystemTime, _side: Side, _octets: &[u8]) {}
    fn closed(&mut self, _at: SystemTime, _side: Side, _how: Closing) {}
}

impl Capture {
    /// A capture whose file is followed by the next when it has so many octets; connections that go on then begin anew there, with a
    /// comment that says so. Those of TLS cannot be opened in the next file: what opens them stands at their beginning.
    ///
    /// # Errors
    /// The sink's, of the first write.
    pub fn rotating(
        sink: Box<dyn Write + Send>,
        octets: u64,
        next: Box<OpenNext>,
    ) -> io::Result<Self> {
        let capture = Self::new(sink)?;
        if let Inner::One(file) = &capture.0 {
            super::lock(file).rotation = Some(Rotation { octets, next });
        }
        Ok(capture)
    }

    /// A capture of a file for each connection, with the secrets of its TLS only. All of them are to be in one loop.
    pub fn each(open: Box<OpenFor>) -> Self {
        Self(Inner::Each(Arc::new(Each::new(open))))
    }
}
