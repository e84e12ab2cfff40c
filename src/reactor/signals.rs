//! SIGINT, SIGTERM and SIGHUP, as events of the poll.

use std::io;

use mio::{Interest, Registry, Token};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};

/// What a signal asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Asked {
    /// SIGINT, SIGTERM: stop gracefully; a second time, at once.
    Stop,
    /// SIGHUP: read the configuration again.
    Reload,
}

/// The signals, caught from when this is made until the program ends.
pub(super) struct Signals(signal_hook_mio::v1_0::Signals);

impl Signals {
    pub(super) fn catch(registry: &Registry, token: Token) -> io::Result<Self> {
        let mut signals = signal_hook_mio::v1_0::Signals::new([SIGINT, SIGTERM, SIGHUP])?;
        registry.register(&mut signals, token, Interest::READABLE)?;
        Ok(Self(signals))
    }

    /// What the signals that have arrived ask for.
    pub(super) fn asked(&mut self) -> Vec<Asked> {
        let asked = |signal| match signal {
            SIGHUP => Asked::Reload,
            _ => Asked::Stop,
        };
        self.0.pending().map(asked).collect()
    }
}
