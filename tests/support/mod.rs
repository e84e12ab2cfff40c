//! Dialogues as tests: read in [`script`], matched in [`pattern`], played in [`sessions`] (against a server session),
//! [`turned`] (against a client session) and [`tcp`] (against the program). What they mean: `tests/dialogs/README.md`.

pub mod clients;
pub mod pattern;
pub mod program;
pub mod script;
pub mod seeds;
pub mod services;
pub mod sessions;
pub mod smtp_settings;
pub mod tcp;
pub mod turned;
