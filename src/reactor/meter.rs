//! How much has moved, for whoever asks from another thread: what `--stats` tells when a signal ends it all.
//!
//! The loops know nothing of signals. They keep a [`Meter`] up to date, and a thread that waits for SIGINT or SIGTERM reads it, has its
//! say, and lets the signal do what it would have done: so the shell sees a program that was interrupted. That works wherever the
//! loops are, in a write that blocks as well.

use std::fs;
use std::io::{self, Read};
use std::os::unix::net::UnixStream;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Instant, SystemTime};

use signal_hook::consts::{SIGCONT, SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGTSTP};
use signal_hook::low_level::{emulate_default_handler, pipe};

use super::relay::Progress;
use super::terminal;
use crate::tap::{Closing, Side, Wire};

/// How far the conversation is that is under way, or all of them together. Clones are the same meter.
#[derive(Clone, Debug, Default)]
pub struct Meter(Arc<Mutex<Option<Reading>>>);

#[derive(Clone, Copy, Debug)]
struct Reading {
    begun: Instant,
    sent: u64,
    received: u64,
}

impl Meter {
    /// So far it is. `begun` is when the conversation did.
    pub(in crate::reactor) fn set(&self, begun: Instant, sent: u64, received: u64) {
        *self.lock() = Some(Reading {
            begun,
            sent,
            received,
        });
    }

    /// It is over, and was told of.
    pub fn clear(&self) {
        *self.lock() = None;
    }

    /// How far it is at `now`; `None` when none is under way.
    pub fn read(&self, now: Instant) -> Option<Progress> {
        let reading = *self.lock();
        reading.map(|reading| Progress {
            sent: reading.sent,
            received: reading.received,
            duration: now.saturating_duration_since(reading.begun),
        })
    }

    /// What crosses the socket of a conversation in which we are `ours` counts, and is shown to `inner` too: for one that
    /// keeps no count itself.
    pub fn watch(&self, ours: Side, inner: Option<Box<dyn Wire>>) -> Box<dyn Wire> {
        self.set(Instant::now(), 0, 0);
        Box::new(Metered {
            meter: self.clone(),
            ours,
            inner,
        })
    }

    fn lock(&self) -> MutexGuard<'_, Option<Reading>> {
        // Three numbers, which are never half set.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

struct Metered {
    meter: Meter,
    ours: Side,
    inner: Option<Box<dyn Wire>>,
}

impl Wire for Metered {
    fn crossed(&mut self, at: SystemTime, side: Side, octets: &[u8]) {
        if let Some(reading) = &mut *self.meter.lock() {
            let count = match side == self.ours {
                true => &mut reading.sent,
                false => &mut reading.received,
            };
            *count += octets.len() as u64;
        }
        if let Some(inner) = &mut self.inner {
            inner.crossed(at, side, octets);
        }
    }

    fn closed(&mut self, at: SystemTime, side: Side, how: Closing) {
        if let Some(inner) = &mut self.inner {
            inner.closed(at, side, how);
        }
    }
}

/// From now on `tell` is called, on a thread of its own, before SIGHUP, SIGINT, SIGQUIT or SIGTERM ends the program; a terminal is given
/// back before, and for as long as SIGTSTP stops it. Who started it with such a signal ignored (a shell's `&`, nohup) goes on being obeyed.
///
/// # Errors
/// The system has no descriptors or threads left.
pub fn before_interruption(tell: impl FnOnce() + Send + 'static) -> io::Result<()> {
    let ignored = ignored_signals();
    let (mut asked, wake) = UnixStream::pair()?;
    let mut watched = Vec::new();
    // In the order in which they count: a shell that ends a job that is stopped sends SIGTERM, and SIGCONT with it.
    for signal in [SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGTSTP, SIGCONT] {
        if ignored >> (signal - 1) & 1 == 1 {
            continue;
        }
        let came = Arc::new(AtomicBool::new(false));
        signal_hook::flag::register(signal, Arc::clone(&came))?;
        pipe::register(signal, wake.try_clone()?)?;
        watched.push((signal, came));
    }
    thread::Builder::new().spawn(move || {
        loop {
            while let Err(error) = asked.read_exact(&mut [0]) {
                if error.kind() != io::ErrorKind::Interrupted {
                    return;
                }
            }
            let came = watched
                .iter()
                .find(|(_, came)| came.swap(false, Ordering::SeqCst));
            match came {
                None => {}
                Some((SIGCONT, _)) => terminal::take_again(),
                Some((SIGTSTP, _)) => {
                    terminal::give_back();
                    // It comes back when somebody wants us to go on.
                    let _ = emulate_default_handler(SIGTSTP);
                    terminal::take_again();
                }
                Some((signal, _)) => {
                    terminal::give_back();
                    tell();
                    // It knows them, and does not come back.
                    let _ = emulate_default_handler(*signal);
                    return;
                }
            }
        }
    })?;
    Ok(())
}

/// As bits, SIGHUP's the lowest; none where /proc does not tell.
fn ignored_signals() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status
        .lines()
        .find_map(|line| line.strip_prefix("SigIgn:"))
        .map(str::trim);
    mask.and_then(|mask| u64::from_str_radix(mask, 16).ok())
        .unwrap_or(0)
}
