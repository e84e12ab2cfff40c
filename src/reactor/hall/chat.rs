//! The words of `--chat`, letter for letter ncat's 7.93, which scripts read:
//!
//! ```text
//! <announce> 192.0.2.7 is connected as <user5>.
//! <announce> already connected: 192.0.2.4 as <user4>.
//! <user5> what it said
//! <announce> <user5> is disconnected.
//! ```
//!
//! Who said it stands before each piece as it came, which is a line when a line was sent at once. What a terminal would obey, and
//! all that is not ASCII, becomes `\` and three octal digits, so that nobody can write to somebody else's screen what was not
//! said.

use std::io::Write;
use std::net::SocketAddr;

use crate::reactor::hall::Caller;

/// What `number` said.
pub(super) fn said(number: usize, words: &[u8]) -> Vec<u8> {
    let mut text = Vec::with_capacity(words.len() + 24);
    // Writing to a vector cannot fail.
    let _ = write!(text, "<user{number}> ");
    for &octet in words {
        match octet {
            b' '..=b'~' | b'\r' | b'\n' | b'\t' => text.push(octet),
            other => {
                let _ = write!(text, "\\{other:03o}");
            }
        }
    }
    text
}

/// `caller` has come, and `others` are here already.
pub(super) fn has_come(caller: &Caller, others: &[&Caller]) -> Vec<u8> {
    let mut text = format!(
        "<announce> {} is connected as <user{}>.\n<announce> already connected: ",
        host(caller.remote),
        caller.number
    );
    let others: Vec<String> = others
        .iter()
        .map(|other| format!("{} as <user{}>", host(other.remote), other.number))
        .collect();
    match others.is_empty() {
        true => text.push_str("nobody"),
        false => text.push_str(&others.join(", ")),
    }
    text.push_str(".\n");
    text.into_bytes()
}

/// `caller` has left.
pub(super) fn has_left(caller: &Caller) -> Vec<u8> {
    format!("<announce> <user{}> is disconnected.\n", caller.number).into_bytes()
}

fn host(address: Option<SocketAddr>) -> String {
    match address {
        // A caller of an IPv6 socket may be one of IPv4.
        Some(address) => address.ip().to_canonical().to_string(),
        // As in NCAT_REMOTE_ADDR.
        None => "localhost".to_owned(),
    }
}
