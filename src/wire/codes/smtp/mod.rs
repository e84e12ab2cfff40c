//! The reply codes of SMTP, by their first digit: RFC 5321 §4.2.2 and §4.2.3, and the extensions that add some (RFC 1845,
//! 1985, 2645, 3207, 4954, 5248, 7504).

mod permanent;
mod positive;
mod transient;

use super::Entry;

/// Every reply code, in numeric order: one slice for each first digit.
pub const REPLIES: &[&[Entry]] = &[
    positive::SUCCESS,
    positive::INTERMEDIATE,
    transient::TRANSIENT,
    permanent::PERMANENT,
];
