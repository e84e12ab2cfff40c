//! What the connections of a thread share: buffers that no connection needs for longer than a turn.

use crate::limits;
use crate::wire::deflate::Packer;

/// Buffers that all connections of a thread share.
pub(in crate::reactor) struct Scratch {
    /// Octets on their way out, gathered.
    pub(super) plain: Box<[u8]>,
    /// Octets as they came from the socket.
    pub(super) cipher: Box<[u8]>,
    /// Once a connection is compressed.
    pub(super) packer: Option<Packer>,
    /// A receive buffer that a connection has given back, for the next one: most are needed for one command only, and a new one is 16 KiB
    /// of zeros.
    pub(super) spare: Vec<u8>,
}

impl Scratch {
    pub(in crate::reactor) fn new() -> Self {
        Self {
            plain: vec![0; limits::SCRATCH].into(),
            cipher: vec![0; limits::SCRATCH].into(),
            packer: None,
            spare: Vec::new(),
        }
    }
}
