//! The line reader's rate, beside `BufRead::read_until` (to be beaten 3 times) and `memchr_iter` alone, which finds the
//! same line ends and does nothing else (half of its rate is asked for).
//!
//! Each is measured on 20 MB in three ways, and the two of a pair always do the same:
//!
//! - as named: all of it is in memory, in a copy made for that run, and nothing is copied;
//! - `_copying`: it is read from memory through a buffer of the usual size. Both ways are bounded by how fast memory is:
//!   `one_pass` and `copying_alone` say it, which do nothing else;
//! - `_receiving`: the same, but what is read was in the cache, as what a socket hands out was. So a connection is served.
//!
//! Every line, and every piece of text, is handed to `black_box`.

use std::hint::black_box;
use std::io::{BufRead, BufReader, Chain, Read};

use divan::Bencher;
use divan::counter::BytesCount;
use mailtool_lines::{Cut, LineReader, RECEIVE_BUFFER, Want};

const OCTETS: usize = 20 * 1024 * 1024;

fn main() {
    divan::main();
}

/// What a connection receives: the same stretch again and again, then an end.
#[derive(Clone)]
struct Traffic {
    stretch: Vec<u8>,
    end: &'static [u8],
}

impl Traffic {
    /// Lines of 64 octets, CRLF included.
    fn lines() -> Self {
        let line = [&[b'x'; 62][..], b"\r\n"].concat();
        Self {
            stretch: line.repeat(4096),
            end: b"",
        }
    }

    /// Message text in lines of 78 octets, one in fifty of which begins with a stuffed dot.
    fn text() -> Self {
        let line = |start: &[u8]| [start, &[b'y'; 74], b"\r\n"].concat();
        let page = [line(b"xx").repeat(49), line(b"..")].concat();
        Self {
            stretch: page.repeat(67),
            end: b".\r\n",
        }
    }

    fn rounds(&self) -> usize {
        OCTETS / self.stretch.len()
    }

    fn count(&self) -> BytesCount {
        BytesCount::new(self.rounds() * self.stretch.len() + self.end.len())
    }

    /// All of it in memory.
    fn bytes(&self) -> Vec<u8> {
        let mut bytes = self.stretch.repeat(self.rounds());
        bytes.extend(self.end);
        bytes
    }

    /// All of it from a socket, which need not hold it.
    fn socket(&self) -> Chain<Socket<'_>, &[u8]> {
        let socket = Socket {
            stretch: &self.stretch,
            at: 0,
            rounds: self.rounds(),
        };
        socket.chain(self.end)
    }
}

/// Gives as much as is asked for, as far as the stretch has it.
struct Socket<'a> {
    stretch: &'a [u8],
    at: usize,
    rounds: usize,
}

impl Read for Socket<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        if self.rounds == 0 {
            return Ok(0);
        }
        let octets = (&self.stretch[self.at..]).read(buffer)?;
        self.at += octets;
        if self.at == self.stretch.len() {
            self.at = 0;
            self.rounds -= 1;
        }
        Ok(octets)
    }
}

/// A reader that has received `bytes`: what a socket does is not what is measured.
fn received(bytes: &[u8]) -> LineReader {
    let mut reader = LineReader::with_capacity(bytes.len());
    reader.push(bytes);
    reader
}

/// Cuts all that was received.
fn cut_all(reader: &mut LineReader, want: Want) -> usize {
    let mut octets = 0;
    while let Some(cut) = reader.cut(want) {
        match cut {
            Cut::Line(piece) | Cut::Text(piece) => octets += black_box(piece).len(),
            Cut::LongLine => {}
            Cut::TextEnd => break,
        }
    }
    octets
}

/// Receives and cuts as a connection does, in a buffer of the usual size.
fn receive_and_cut_all(mut socket: impl Read, want: Want) -> usize {
    let (mut reader, mut octets) = (LineReader::new(), 0);
    while let Ok(count @ 1..) = socket.read(reader.space()) {
        reader.filled(count);
        octets += cut_all(&mut reader, want);
    }
    octets
}

fn read_until_all(mut reader: impl BufRead) -> usize {
    let (mut line, mut octets) = (Vec::new(), 0);
    while let Ok(1..) = reader.read_until(b'\n', &mut line) {
        octets += black_box(&line).len();
        line.clear();
    }
    octets
}

fn receive_and_read_until_all(socket: impl Read) -> usize {
    read_until_all(BufReader::with_capacity(RECEIVE_BUFFER, socket))
}

/// What the reader does with text, by way of `read_until`: finds the end, takes stuffed dots away. Bare CR and LF are not
/// looked for.
fn receive_and_read_text(socket: impl Read) -> usize {
    let mut reader = BufReader::with_capacity(RECEIVE_BUFFER, socket);
    let (mut line, mut octets) = (Vec::new(), 0);
    while let Ok(1..) = reader.read_until(b'\n', &mut line) {
        if line == b".\r\n" {
            break;
        }
        let text = line.strip_prefix(b".").unwrap_or(&line);
        octets += black_box(text).len();
        line.clear();
    }
    octets
}

fn copy_all(mut socket: impl Read) -> usize {
    let (mut buffer, mut octets) = (vec![0; RECEIVE_BUFFER], 0);
    while let Ok(count @ 1..) = socket.read(&mut buffer) {
        octets += black_box(&buffer[..count]).len();
    }
    octets
}

/// Runs `work` on a fresh copy of all bytes each time.
fn in_memory<O>(bencher: Bencher, traffic: &Traffic, work: impl Fn(&[u8]) -> O + Sync) {
    let bytes = traffic.bytes();
    bencher
        .counter(traffic.count())
        .with_inputs(|| bytes.clone())
        .bench_local_refs(|bytes| work(bytes));
}

/// Runs `work` on the same bytes each time.
fn copying(bencher: Bencher, traffic: &Traffic, work: impl Fn(&[u8]) -> usize) {
    let bytes = traffic.bytes();
    bencher
        .counter(traffic.count())
        .bench_local(|| work(black_box(&bytes)));
}

fn receiving(
    bencher: Bencher,
    traffic: &Traffic,
    work: impl Fn(Chain<Socket<'_>, &[u8]>) -> usize,
) {
    bencher
        .counter(traffic.count())
        .bench_local(|| work(black_box(traffic).socket()));
}

fn line_reader_in_memory(bencher: Bencher, traffic: &Traffic, want: Want) {
    let bytes = traffic.bytes();
    bencher
        .counter(traffic.count())
        .with_inputs(|| received(&bytes))
        .bench_local_refs(|reader| cut_all(reader, want));
}

/// Each octet is looked at and nothing is done: memory's own rate.
fn pass(bytes: &[u8]) -> [u8; 64] {
    let (blocks, _) = bytes.as_chunks::<64>();
    blocks.iter().fold([0; 64], |mut all, block| {
        for (all, octet) in all.iter_mut().zip(block) {
            *all ^= octet;
        }
        all
    })
}

fn line_feeds(bytes: &[u8]) -> usize {
    memchr::memchr_iter(b'\n', bytes).map(black_box).count()
}

#[divan::bench_group]
mod lines_of_64_octets {
    use super::*;

    const LINE: Want = Want::Line { max: 512 };

    #[divan::bench]
    fn line_reader(bencher: Bencher) {
        line_reader_in_memory(bencher, &Traffic::lines(), LINE);
    }

    #[divan::bench]
    fn read_until(bencher: Bencher) {
        in_memory(bencher, &Traffic::lines(), |bytes| read_until_all(bytes));
    }

    #[divan::bench]
    fn memchr_iter_alone(bencher: Bencher) {
        in_memory(bencher, &Traffic::lines(), line_feeds);
    }

    #[divan::bench]
    fn one_pass(bencher: Bencher) {
        in_memory(bencher, &Traffic::lines(), pass);
    }

    #[divan::bench]
    fn line_reader_copying(bencher: Bencher) {
        copying(bencher, &Traffic::lines(), |bytes| {
            receive_and_cut_all(bytes, LINE)
        });
    }

    #[divan::bench]
    fn read_until_copying(bencher: Bencher) {
        copying(bencher, &Traffic::lines(), |bytes| {
            receive_and_read_until_all(bytes)
        });
    }

    #[divan::bench]
    fn copying_alone(bencher: Bencher) {
        copying(bencher, &Traffic::lines(), |bytes| copy_all(bytes));
    }

    #[divan::bench]
    fn line_reader_receiving(bencher: Bencher) {
        receiving(bencher, &Traffic::lines(), |socket| {
            receive_and_cut_all(socket, LINE)
        });
    }

    #[divan::bench]
    fn read_until_receiving(bencher: Bencher) {
        receiving(bencher, &Traffic::lines(), |socket| {
            receive_and_read_until_all(socket)
        });
    }
}

#[divan::bench_group]
mod dot_text_of_20_megabytes {
    use super::*;

    #[divan::bench]
    fn line_reader(bencher: Bencher) {
        line_reader_in_memory(bencher, &Traffic::text(), Want::DotText);
    }

    #[divan::bench]
    fn read_until(bencher: Bencher) {
        in_memory(bencher, &Traffic::text(), |bytes| read_until_all(bytes));
    }

    #[divan::bench]
    fn memchr_iter_alone(bencher: Bencher) {
        in_memory(bencher, &Traffic::text(), line_feeds);
    }

    #[divan::bench]
    fn one_pass(bencher: Bencher) {
        in_memory(bencher, &Traffic::text(), pass);
    }

    #[divan::bench]
    fn line_reader_copying(bencher: Bencher) {
        copying(bencher, &Traffic::text(), |bytes| {
            receive_and_cut_all(bytes, Want::DotText)
        });
    }

    #[divan::bench]
    fn read_until_copying(bencher: Bencher) {
        copying(bencher, &Traffic::text(), |bytes| {
            receive_and_read_until_all(bytes)
        });
    }

    #[divan::bench]
    fn copying_alone(bencher: Bencher) {
        copying(bencher, &Traffic::text(), |bytes| copy_all(bytes));
    }

    #[divan::bench]
    fn line_reader_receiving(bencher: Bencher) {
        receiving(bencher, &Traffic::text(), |socket| {
            receive_and_cut_all(socket, Want::DotText)
        });
    }

    #[divan::bench]
    fn read_until_receiving(bencher: Bencher) {
        receiving(bencher, &Traffic::text(), |socket| {
            receive_and_read_until_all(socket)
        });
    }

    #[divan::bench]
    fn read_until_receiving_and_unstuffing(bencher: Bencher) {
        receiving(bencher, &Traffic::text(), |socket| {
            receive_and_read_text(socket)
        });
    }
}
