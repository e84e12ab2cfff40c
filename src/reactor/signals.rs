//! SIGINT, SIGTERM and SIGHUP, as events of the poll.
//!
//! SIGHUP has two meanings. To a daemon it says: read your configuration again. From a terminal it says that the window was closed,
//! and a server that was started in it must not stay behind with its ports. They are told apart by whether the terminal is still
//! there.

use std::io::{self, IsTerminal};

use mio::{Interest, Registry, Token};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};

/// What a signal asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Asked {
    /// SIGINT, SIGTERM, and SIGHUP when the terminal is gone: stop gracefully; a second time, at once.
    Stop,
    /// SIGHUP, while the terminal is there, or without one: read the configuration again.
    Reload,
}

/// The signals, caught from when this is made until the program ends.
pub(super) struct Signals {
    signals: signal_hook_mio::v1_0::Signals,
    /// How many of the standard streams were a terminal at the beginning.
    terminals: usize,
}

impl Signals {
    pub(super) fn catch(registry: &Registry, token: Token) -> io::Result<Self> {
        let mut signals = signal_hook_mio::v1_0::Signals::new([SIGINT, SIGTERM, SIGHUP])?;
        registry.register(&mut signals, token, Interest::READABLE)?;
        let terminals = terminals();
        Ok(Self { signals, terminals })
    }

    /// What the signals that have arrived ask for.
    pub(super) fn asked(&mut self) -> Vec<Asked> {
        let hung_up = terminals() < self.terminals;
        let asked = |signal| match signal {
            SIGHUP if !hung_up => Asked::Reload,
            _ => Asked::Stop,
        };
        self.signals.pending().map(asked).collect()
    }
}

/// How many of the standard streams are a terminal now. After a hangup none is: the kernel answers with EIO.
fn terminals() -> usize {
    let streams = [
        io::stdin().is_terminal(),
        io::stdout().is_terminal(),
        io::stderr().is_terminal(),
    ];
    streams
        .into_iter()
        .filter(|is_terminal| *is_terminal)
        .count()
}
