//! COMPRESS: what is packed comes out again, however it is cut; what a peer sends is unpacked within its room, or refused; and the
//! room and the cuts make no difference.

#![no_main]

use libfuzzer_sys::fuzz_target;
use mailtool::wire::deflate::{Damaged, Packer, Unpacked, Unpacker, WORKSPACE};

fuzz_target!(|input: &[u8]| {
    let [piece, room, rest @ ..] = input else {
        return;
    };
    let (piece, room) = (usize::from(*piece) + 1, 16 * usize::from(*room) + 1);
    let once = unpack(rest, rest.len().max(1), 1 << 16);
    assert_eq!(unpack(rest, piece, room), once);
    let mut packer = Packer::new();
    let mut packed = [Vec::new(), Vec::new()];
    let mut said = [Vec::new(), Vec::new()];
    for (at, words) in rest.chunks(piece).enumerate() {
        let stream = at % 3 / 2;
        packer.pack(stream as u64 + 1, words, &mut packed[stream]);
        said[stream].extend_from_slice(words);
    }
    for (packed, said) in packed.iter().zip(said) {
        assert_eq!(unpack(packed, piece, room), Ok(said));
    }
});

/// No more than 1 MiB of it: small inputs can be made very long.
fn unpack(packed: &[u8], piece: usize, room: usize) -> Result<Vec<u8>, Damaged> {
    let mut unpacker = Unpacker::new();
    let mut workspace = vec![0xAA; WORKSPACE];
    let mut room = vec![0; room];
    let mut words = Vec::new();
    let (mut from, mut to) = (0, 0);
    while words.len() < 1 << 20 {
        let done = unpacker.unpack(&packed[from..to], &mut room, &mut workspace)?;
        assert!(done.given <= room.len() && done.taken <= to - from);
        words.extend_from_slice(&room[..done.given]);
        from += done.taken;
        unpacker.release();
        if done == Unpacked::default() {
            if to == packed.len() || unpacker.has_ended() {
                break;
            }
            to = (to + piece).min(packed.len());
        }
    }
    words.truncate(1 << 20);
    Ok(words)
}
