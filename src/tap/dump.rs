//! Dumps: the octets that passed, as the netcats write them to a file. Octet for octet what they write, measured against
//! ncat 7.93 and netcat-traditional 1.10.
//!
//! [`Format::Text`], `ncat -o`: the octets themselves, both directions in the order of time, nothing in between.
//!
//! [`Format::Ncat`], `ncat -x`: each read and each write by itself, its offsets from 0 on, in four digits (the lower 16 bits);
//! nothing tells the directions apart; blanks are shown as dots, and the last row is filled up with blanks.
//!
//! ```text
//! 0000   32 32 30 20 68 69 20 74  68 65 72 65 20 74 68 69  220.hi.there.thi
//! 0010   73 0d 0a                                          s..
//! ```
//!
//! [`Format::Traditional`], `nc.traditional -o`: `>` for what was sent and `<` for what was received; offsets go on through each
//! direction in eight digits; a row begins anew with each read and write; the last row is not filled up.
//!
//! ```text
//! < 00000000 32 32 30 20 68 69 20 74 68 65 72 65 20 74 68 69 # 220 hi there thi
//! < 00000010 73 0d 0a                                        # s..
//! > 00000000 51 55 49 54 0d 0a                               # QUIT..
//! ```
//!
//! A dump shows what it is given: passwords too, unless a session hides them. Then they are eight asterisks here as well.

use std::sync::PoisonError;
use std::time::Instant;

use super::transcript::Sink;
use super::{Piece, Side, Tap};

/// How a dump looks. See the module.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// `ncat -o`
    Text,
    /// `ncat -x`
    Ncat,
    /// `nc.traditional -o`
    Traditional,
}

/// Where the rows of a hexadecimal dump begin anew.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cutting {
    /// With each piece that is shown: for who shows reads and writes.
    Pieces,
    /// With each line: for a session, which shows a line, its password and its end as pieces of their own.
    Lines,
}

/// A tap that dumps. See the module.
pub struct Dump {
    sink: Sink,
    format: Format,
    cutting: Cutting,
    ours: Side,
    /// Octets that each direction has had: what we sent, what we received.
    sent: u64,
    received: u64,
    /// What was said last and has not ended its line, and by whom.
    line: Vec<u8>,
    speaker: Side,
    rows: Vec<u8>,
}

impl Dump {
    /// A dump as the side `ours` would write it.
    pub fn new(sink: Sink, format: Format, cutting: Cutting, ours: Side) -> Self {
        Self {
            sink,
            format,
            cutting,
            ours,
            sent: 0,
            received: 0,
            line: Vec::new(),
            speaker: ours,
            rows: Vec::new(),
        }
    }

    fn bytes(&mut self, side: Side, bytes: &[u8]) {
        if self.format == Format::Text || self.cutting == Cutting::Pieces {
            return self.dump(side, bytes);
        }
        if side != self.speaker {
            self.end_line();
            self.speaker = side;
        }
        for part in bytes.split_inclusive(|octet| *octet == b'\n') {
            self.line.extend_from_slice(part);
            if part.ends_with(b"\n") || self.line.len() >= READ {
                self.end_line();
            }
        }
    }

    fn end_line(&mut self) {
        let mut line = std::mem::take(&mut self.line);
        self.dump(self.speaker, &line);
        line.clear();
        self.line = line;
    }

    fn dump(&mut self, side: Side, octets: &[u8]) {
        match self.format {
            Format::Text => write(&self.sink, octets),
            Format::Ncat => {
                // What it receives as a client it reads to the last octet there is, all else in pieces of this size.
                let most = match (self.ours, side) {
                    (Side::Client, Side::Server) => usize::MAX,
                    _ => READ,
                };
                for piece in octets.chunks(most) {
                    for (at, row) in piece.chunks(ROW).enumerate() {
                        ncat_row(at * ROW, row, &mut self.rows);
                    }
                }
            }
            Format::Traditional => {
                let (arrow, offset) = if side == self.ours {
                    ('>', &mut self.sent)
                } else {
                    ('<', &mut self.received)
                };
                for row in octets.chunks(ROW) {
                    traditional_row(arrow, *offset, row, &mut self.rows);
                    *offset += row.len() as u64;
                }
            }
        }
        write(&self.sink, &self.rows);
        self.rows.clear();
        self.rows.shrink_to(KEPT);
    }
}

impl Tap for Dump {
    fn saw(&mut self, _now: Instant, side: Side, piece: Piece<'_>) {
        match piece {
            Piece::Bytes(bytes) => self.bytes(side, bytes),
            Piece::Secret => self.bytes(side, b"********"),
            Piece::Tls(_) | Piece::Note { .. } | Piece::Closed => {}
        }
    }
}

impl Drop for Dump {
    fn drop(&mut self) {
        self.end_line();
    }
}

/// An observer changes nothing: a dump that cannot be written does not end the conversation.
fn write(sink: &Sink, octets: &[u8]) {
    if !octets.is_empty() {
        let mut sink = sink.lock().unwrap_or_else(PoisonError::into_inner);
        let _ = sink.write_all(octets);
    }
}

fn ncat_row(offset: usize, row: &[u8], rows: &mut Vec<u8>) {
    rows.extend(format!("{:04x}   ", offset & 0xffff).bytes());
    for at in 0..ROW {
        match row.get(at) {
            Some(octet) => rows.extend(format!("{octet:02x} ").bytes()),
            None => rows.extend(b"   "),
        }
        if at == ROW / 2 - 1 {
            rows.push(b' ');
        }
    }
    rows.push(b' ');
    rows.extend(row.iter().map(|octet| match octet {
        letter if letter.is_ascii_graphic() => *letter,
        _ => b'.',
    }));
    rows.resize(rows.len() + ROW - row.len(), b' ');
    rows.push(b'\n');
}

fn traditional_row(arrow: char, offset: u64, row: &[u8], rows: &mut Vec<u8>) {
    rows.extend(format!("{arrow} {:08x} ", offset as u32).bytes());
    for octet in row {
        rows.extend(format!("{octet:02x} ").bytes());
    }
    rows.resize(rows.len() + 3 * (ROW - row.len()), b' ');
    rows.extend(b"# ");
    rows.extend(row.iter().map(|octet| match octet {
        b' '..=b'~' => *octet,
        _ => b'.',
    }));
    rows.push(b'\n');
}

/// Octets of a row.
const ROW: usize = 16;
/// Octets that netcats read at once.
const READ: usize = 8192;
/// Memory that is kept from one piece to the next.
const KEPT: usize = 64 * 1024;

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::{Arc, Mutex};

    use Piece::Bytes;
    use Side::{Client, Server};

    fn written(format: Format, cutting: Cutting, said: &[(Side, Piece<'_>)]) -> String {
        let sink = Arc::new(Mutex::new(Vec::new()));
        let mut dump = Dump::new(sink.clone(), format, cutting, Client);
        for (side, piece) in said {
            dump.saw(Instant::now(), *side, *piece);
        }
        drop(dump);
        let bytes = sink.lock().expect("no test holds it").clone();
        String::from_utf8_lossy(&bytes).into_owned()
    }

    const SAID: [(Side, Piece<'_>); 4] = [
        (Server, Bytes(b"220 hi there thi\xff\r\n")),
        (Client, Bytes(b"HELO a\r\n")),
        (Server, Bytes(b"250\r\n")),
        (Server, Piece::Closed),
    ];

    #[test]
    fn as_the_netcats_write_it() {
        let text = written(Format::Text, Cutting::Pieces, &SAID);
        assert_eq!(text, "220 hi there thi\u{fffd}\r\nHELO a\r\n250\r\n");
        // Written by ncat 7.93.
        assert_eq!(
            written(Format::Ncat, Cutting::Pieces, &SAID),
            "0000   32 32 30 20 68 69 20 74  68 65 72 65 20 74 68 69  220.hi.there.thi\n\
             0010   ff 0d 0a                                          ...             \n\
             0000   48 45 4c 4f 20 61 0d 0a                           HELO.a..        \n\
             0000   32 35 30 0d 0a                                    250..           \n"
        );
        // Written by netcat-traditional 1.10.
        assert_eq!(
            written(Format::Traditional, Cutting::Pieces, &SAID),
            "< 00000000 32 32 30 20 68 69 20 74 68 65 72 65 20 74 68 69 # 220 hi there thi\n\
             < 00000010 ff 0d 0a                                        # ...\n\
             > 00000000 48 45 4c 4f 20 61 0d 0a                         # HELO a..\n\
             < 00000013 32 35 30 0d 0a                                  # 250..\n"
        );
    }

    #[test]
    fn what_is_sent_is_cut_as_ncat_reads_and_offsets_have_16_bits() {
        let long = vec![b'x'; 70_000];
        let dump = written(Format::Ncat, Cutting::Pieces, &[(Client, Bytes(&long))]);
        assert_eq!(dump.matches("\n0000   ").count() + 1, 9);
        let dump = written(Format::Ncat, Cutting::Pieces, &[(Server, Bytes(&long))]);
        assert_eq!(dump.matches("\n0000   ").count(), 1, "after fff0");
        assert!(dump.contains("\nfff0   ") && dump.contains("\n1160   "));
    }

    #[test]
    fn lines_of_a_session_are_gathered() {
        let said = [
            (Client, Bytes(b"PASS ")),
            (Client, Piece::Secret),
            (Client, Bytes(b"\r\n")),
            (Server, Bytes(b"+OK")),
            (Client, Bytes(b"QUIT")),
        ];
        assert_eq!(
            written(Format::Traditional, Cutting::Lines, &said),
            "> 00000000 50 41 53 53 20 2a 2a 2a 2a 2a 2a 2a 2a 0d 0a    # PASS ********..\n\
             < 00000000 2b 4f 4b                                        # +OK\n\
             > 0000000f 51 55 49 54                                     # QUIT\n"
        );
    }
}
