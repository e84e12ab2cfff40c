//! The client's session.
