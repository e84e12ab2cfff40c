//! The event loop: the only sockets, the only clock, the only TLS calls.

pub mod relay;
pub mod resolver;
pub mod stdio;
