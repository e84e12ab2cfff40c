//! What the rows of a table are found by, besides names of options. The build script has this file too: it packs the tables.

/// What it does, in a line.
pub(super) const ABOUT: &str = "@about";
/// The same at length, for `--help`.
pub(super) const LONG_ABOUT: &str = "@long";
/// How it is called.
pub(super) const USAGE: &str = "@usage";
/// What stands below the options.
pub(super) const AFTER: &str = "@after";

/// Rows of one applet.
pub(super) type Table = &'static [(&'static str, &'static str)];
