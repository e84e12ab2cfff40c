//! The line reader's rate, beside `BufRead::read_until` (to be beaten 3 times) and `memchr_iter` alone, which finds the
//! same line ends and does nothing else (half of its rate is asked for).

use std::hint::black_box;
use std::io::{BufRead, BufReader};

use divan::Bencher;
use divan::counter::BytesCount;
use mailtool::wire::lines::{Cut, LineReader, Want};

const OCTETS: usize = 20 * 1024 * 1024;

fn main() {
    divan::main();
}

/// Lines of 64 octets, CRLF included.
fn lines() -> Vec<u8> {
    let line = [&[b'x'; 62][..], b"\r\n"].concat();
    line.iter()
        .copied()
        .cycle()
        .take(OCTETS / 64 * 64)
        .collect()
}

/// 20 MB of message text in lines of 78 octets, one in fifty of which begins with a stuffed dot.
fn text() -> Vec<u8> {
    let mut text = Vec::with_capacity(OCTETS + 80);
    let mut number = 0;
    while text.len() < OCTETS {
        number += 1;
        text.extend_from_slice(if number % 50 == 0 { b".." } else { b"xx" });
        text.extend_from_slice(&[b'y'; 74]);
        text.extend_from_slice(b"\r\n");
    }
    text.extend_from_slice(b".\r\n");
    text
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
        octets += match black_box(cut) {
            Cut::Line(piece) | Cut::Text(piece) => piece.len(),
            Cut::LongLine => 0,
            Cut::TextEnd => break,
        };
    }
    octets
}

/// The same through a buffer of the usual size, as a connection does: each octet is copied into it first.
fn copy_and_cut_all(mut bytes: &[u8], want: Want) -> usize {
    let (mut reader, mut octets) = (LineReader::new(), 0);
    while !bytes.is_empty() {
        let space = reader.space();
        let count = space.len().min(bytes.len());
        space[..count].copy_from_slice(&bytes[..count]);
        bytes = &bytes[count..];
        reader.filled(count);
        octets += cut_all(&mut reader, want);
    }
    octets
}

fn read_until_all(mut reader: impl BufRead) -> usize {
    let (mut line, mut octets) = (Vec::new(), 0);
    while reader
        .read_until(b'\n', &mut line)
        .is_ok_and(|octets| octets > 0)
    {
        octets += black_box(&line).len();
        line.clear();
    }
    octets
}

#[divan::bench_group]
mod lines_of_64_octets {
    use super::*;

    #[divan::bench]
    fn line_reader(bencher: Bencher) {
        let bytes = lines();
        bencher
            .counter(BytesCount::of_slice(&bytes))
            .with_inputs(|| received(&bytes))
            .bench_local_refs(|reader| cut_all(reader, Want::Line { max: 512 }));
    }

    #[divan::bench]
    fn memchr_iter_alone(bencher: Bencher) {
        let bytes = lines();
        bencher
            .counter(BytesCount::of_slice(&bytes))
            .bench_local(|| {
                memchr::memchr_iter(b'\n', black_box(&bytes))
                    .map(black_box)
                    .count()
            });
    }

    #[divan::bench]
    fn read_until(bencher: Bencher) {
        let bytes = lines();
        bencher
            .counter(BytesCount::of_slice(&bytes))
            .bench_local(|| read_until_all(black_box(bytes.as_slice())));
    }

    #[divan::bench]
    fn line_reader_copying(bencher: Bencher) {
        let bytes = lines();
        bencher
            .counter(BytesCount::of_slice(&bytes))
            .bench_local(|| copy_and_cut_all(black_box(&bytes), Want::Line { max: 512 }));
    }

    #[divan::bench]
    fn read_until_copying(bencher: Bencher) {
        let bytes = lines();
        bencher
            .counter(BytesCount::of_slice(&bytes))
            .bench_local(|| {
                read_until_all(BufReader::with_capacity(
                    16 * 1024,
                    black_box(bytes.as_slice()),
                ))
            });
    }
}

#[divan::bench_group]
mod dot_text_of_20_megabytes {
    use super::*;

    #[divan::bench]
    fn line_reader(bencher: Bencher) {
        let bytes = text();
        bencher
            .counter(BytesCount::of_slice(&bytes))
            .with_inputs(|| received(&bytes))
            .bench_local_refs(|reader| cut_all(reader, Want::DotText));
    }

    #[divan::bench]
    fn memchr_iter_alone(bencher: Bencher) {
        let bytes = text();
        bencher
            .counter(BytesCount::of_slice(&bytes))
            .bench_local(|| {
                memchr::memchr_iter(b'\n', black_box(&bytes))
                    .map(black_box)
                    .count()
            });
    }

    #[divan::bench]
    fn read_until(bencher: Bencher) {
        let bytes = text();
        bencher
            .counter(BytesCount::of_slice(&bytes))
            .bench_local(|| read_until_all(black_box(bytes.as_slice())));
    }

    #[divan::bench]
    fn line_reader_copying(bencher: Bencher) {
        let bytes = text();
        bencher
            .counter(BytesCount::of_slice(&bytes))
            .bench_local(|| copy_and_cut_all(black_box(&bytes), Want::DotText));
    }

    #[divan::bench]
    fn read_until_copying(bencher: Bencher) {
        let bytes = text();
        bencher
            .counter(BytesCount::of_slice(&bytes))
            .bench_local(|| {
                read_until_all(BufReader::with_capacity(
                    16 * 1024,
                    black_box(bytes.as_slice()),
                ))
            });
    }
}
