//! What a capture holds of the calls of a scan.

use std::time::SystemTime;

use super::{Found, PROBE};
use crate::tap::pcapng;
use crate::tap::{Closing, Side, Wire};

/// What a capture sees of a call.
pub(super) enum Seen {
    Nothing,
    Call(Box<pcapng::Call>),
    Datagrams(Box<dyn Wire>),
}

impl Seen {
    /// So it was answered. An open port is left at once.
    pub(super) fn answered(self, found: &Found) {
        let Self::Call(call) = self else {
            return;
        };
        let now = SystemTime::now();
        match found {
            Found::Open => call.taken(now).closed(now, Side::Client, Closing::End),
            Found::Refused => call.refused(now),
            Found::TimedOut | Found::Unbound(_) | Found::Failed(_) => {}
        }
    }

    /// A probe went out.
    pub(super) fn sent(&mut self) {
        if let Self::Datagrams(wire) = self {
            wire.crossed(SystemTime::now(), Side::Client, PROBE);
        }
    }
}
