//! What the fuzz targets share: how an input becomes a conversation, and what a session must never say.

pub mod conversation;
pub mod said;
pub mod stage;

/// Dialogue files, as `tests/dialogs.rs` reads them.
#[path = "../../support/pattern.rs"]
pub mod pattern;
#[path = "../../support/script.rs"]
pub mod script;
