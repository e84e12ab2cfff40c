//! Tells a [`Wire`] what crosses a socket, and when: octets at once, those of TLS when they have been decrypted.
//!
//! The secrets of a TLS connection come out while it is decrypted, and must be told before the octets that need them; so what was
//! received is held until then. Who has no wire pays nothing.

use std::io;
use std::time::SystemTime;

use crate::tap::{Closing, Side, Wire};

/// A wire, and what it has not been told yet.
pub(super) struct Watch {
    wire: Box<dyn Wire>,
    /// The side that we are.
    side: Side,
    /// Received at the time, and not told yet.
    held: Vec<u8>,
    since: SystemTime,
    /// The socket has said that the peer takes nothing any more.
    lost: bool,
    ours_ended: bool,
    theirs_ended: bool,
}

impl Watch {
    pub(super) fn new(wire: Box<dyn Wire>, side: Side) -> Self {
        Self {
            wire,
            side,
            held: Vec::new(),
            since: SystemTime::UNIX_EPOCH,
            lost: false,
            ours_ended: false,
            theirs_ended: false,
        }
    }

    /// What a read brought, which is in `buffer` now: to be [settled](Self::settle) once it is decrypted.
    pub(super) fn has_read(&mut self, result: &io::Result<usize>, buffer: &[u8]) {
        match result {
            Ok(0) => {
                let how = if self.lost {
                    Closing::Reset
                } else {
                    Closing::End
                };
                self.they_close(how);
            }
            Ok(octets) => {
                if self.held.is_empty() {
                    self.since = SystemTime::now();
                }
                self.held.extend_from_slice(&buffer[..*octets]);
            }
            Err(error) if is_reset(error) => self.they_close(Closing::Reset),
            Err(_) => {}
        }
    }

    /// What was read is decrypted, as far as it can be.
    pub(super) fn settle(&mut self) {
        if !self.held.is_empty() {
            let held = std::mem::take(&mut self.held);
            self.wire.crossed(self.since, self.side.other(), &held);
        }
    }

    /// What came of writing `octets`.
    pub(super) fn has_written(&mut self, result: &io::Result<usize>, octets: &[u8]) {
        match result {
            Ok(written) => {
                let octets = &octets[..*written];
                if !octets.is_empty() {
                    self.wire.crossed(SystemTime::now(), self.side, octets);
                }
            }
            // What came before it can still be read.
            Err(error) => self.lost |= is_reset(error),
        }
    }

    /// We will send no more.
    pub(super) fn has_shut_down(&mut self) {
        self.settle();
        if !std::mem::replace(&mut self.ours_ended, true) {
            self.wire.closed(SystemTime::now(), self.side, Closing::End);
        }
    }

    /// We break it off.
    pub(super) fn has_reset(&mut self) {
        self.settle();
        self.wire
            .closed(SystemTime::now(), self.side, Closing::Reset);
        (self.ours_ended, self.theirs_ended) = (true, true);
    }

    fn they_close(&mut self, how: Closing) {
        self.settle();
        if !std::mem::replace(&mut self.theirs_ended, true) {
            self.wire.closed(SystemTime::now(), self.side.other(), how);
        }
    }
}

/// The socket is closed with it.
impl Drop for Watch {
    fn drop(&mut self) {
        self.settle();
        if self.lost {
            self.they_close(Closing::Reset);
        } else {
            self.has_shut_down();
        }
    }
}

fn is_reset(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::RefCell;
    use std::rc::Rc;

    #[derive(Clone, Default)]
    struct Seen(Rc<RefCell<Vec<String>>>);

    impl Wire for Seen {
        fn crossed(&mut self, _at: SystemTime, side: Side, octets: &[u8]) {
            let text = String::from_utf8_lossy(octets).into_owned();
            self.0.borrow_mut().push(format!("{side:?} {text}"));
        }
        fn closed(&mut self, _at: SystemTime, side: Side, how: Closing) {
            self.0.borrow_mut().push(format!("{side:?} {how:?}"));
        }
    }

    fn watched(happens: impl FnOnce(&mut Watch)) -> String {
        let seen = Seen::default();
        let mut watch = Watch::new(Box::new(seen.clone()), Side::Client);
        happens(&mut watch);
        drop(watch);
        let seen = seen.0.borrow();
        seen.join(", ")
    }

    fn reset<T>() -> io::Result<T> {
        Err(io::ErrorKind::ConnectionReset.into())
    }

    #[test]
    fn what_is_read_is_told_when_it_is_settled_or_must_be() {
        let said = watched(|watch| {
            watch.has_read(&Ok(2), b"abcd");
            watch.has_read(&Ok(1), b"cd");
            watch.settle();
            watch.has_written(&Ok(2), b"xyz");
            watch.has_read(&Ok(1), b"d");
            watch.has_read(&Ok(0), b"d");
            watch.has_shut_down();
            watch.has_shut_down();
        });
        assert_eq!(
            said,
            "Server abc, Client xy, Server d, Server End, Client End"
        );
    }

    #[test]
    fn a_reset_is_told_after_what_came_before_it() {
        let said = watched(|watch| {
            watch.has_written(&reset(), b"xyz");
            watch.has_read(&Ok(1), b"a");
            watch.settle();
            watch.has_read(&Ok(0), b"");
        });
        assert_eq!(said, "Server a, Server Reset");
        let said = watched(|watch| watch.has_read(&reset(), b""));
        assert_eq!(said, "Server Reset, Client End");
        assert_eq!(
            watched(|watch| watch.has_written(&reset(), b"")),
            "Server Reset"
        );
        assert_eq!(watched(|_| {}), "Client End");
    }
}
