//! What a session has said, in one piece for one write.
//!
//! A reply is often a line, a part of a file and another line: one write for each would cost a system call and a segment
//! each, and with TLS a record each.

use super::trouble::Trouble;
use crate::proto::{Front, Out};
use crate::store::Extent;

/// What goes out next, in one piece: up to `most` octets lent where they are in one piece already, else gathered into `scratch`.
pub(super) fn gather<'a>(
    out: &'a Out,
    scratch: &'a mut [u8],
    most: usize,
) -> Result<&'a [u8], Trouble> {
    let mut waiting = out.waiting();
    let first = match (waiting.next(), waiting.next()) {
        (None, _) => return Ok(&[]),
        (Some(Front::Bytes(bytes)), None) => return Ok(&bytes[..bytes.len().min(most)]),
        (Some(Front::Bytes(bytes)), _) if bytes.len() >= scratch.len() / 4 => {
            return Ok(&bytes[..bytes.len().min(most)]);
        }
        _ => out.waiting(),
    };
    let mut length = 0;
    for piece in first {
        let room = &mut scratch[length..];
        if room.is_empty() {
            break;
        }
        let whole = match piece {
            Front::Bytes(bytes) => {
                let octets = bytes.len().min(room.len());
                room[..octets].copy_from_slice(&bytes[..octets]);
                length += octets;
                octets == bytes.len()
            }
            Front::Extent(extent, from) => {
                let octets = read_extent(extent, from, room)?;
                length += octets;
                octets as u64 == extent.octets() - from
            }
        };
        if !whole {
            break;
        }
    }
    Ok(&scratch[..length])
}

fn read_extent(extent: &Extent, from: u64, room: &mut [u8]) -> Result<usize, Trouble> {
    match extent.read_at(room, from) {
        // The peer was told how much comes: without it the dialogue cannot go on.
        Ok(0) => Err(Trouble::Shortened),
        Ok(octets) => Ok(octets),
        Err(error) => Err(Trouble::Io(error)),
    }
}
