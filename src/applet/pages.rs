//! The manual's prose, packed: a constant for each file of `man/` ([`SERVE`]), and of `man/fr/` ([`FR_SERVE`]). The build
//! script, `src/build.rs`, writes them.

use crate::wire::packed::{Block, Packed};

include!(concat!(env!("OUT_DIR"), "/pages.rs"));
