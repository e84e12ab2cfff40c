//! The event loop: the only sockets, the only clock, the only TLS calls.

pub mod resolver;
