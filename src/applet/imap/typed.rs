//! What is read to be sent: the commands of `imap raw`, and the message of `imap append`.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, BufRead, Read};
use std::path::Path;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread;

use super::super::exit::{self, failure};
use crate::limits;
use crate::proto::imap::client::{Fed, Line, Piece, read_line, read_lines};
use crate::reactor::client::{Bell, Feed};

/// The commands: each word is one, or several lines of them.
pub(super) fn lines(words: &[String]) -> anyhow::Result<VecDeque<Line>> {
    let mut lines = VecDeque::new();
    for word in words {
        let of = read_lines(word.as_bytes(), &mut |name| file(name));
        lines.extend(of.map_err(|why| failure(exit::DATA, why))?);
    }
    match lines.is_empty() && !words.is_empty() {
        true => Err(no_commands()),
        false => Ok(lines),
    }
}

/// What is wrong with what was read, once it is known.
pub(super) type Wrong = Arc<Mutex<Option<anyhow::Error>>>;

/// Commands on standard input, a line each, which are handed on one by one as they come: what reads them, in a thread of its own, once
/// there is a connection, and what the session asks for the next one.
pub(super) fn stdin(wrong: Wrong) -> (Box<Feed>, impl FnMut() -> Fed) {
    // One is ready while the one before it is answered: so much is read ahead, and no more.
    let slot = Arc::new((Mutex::new(None), Condvar::new()));
    let taken_from = Arc::clone(&slot);
    let feed = move |bell: Bell| {
        thread::spawn(move || {
            let hand = |fed| {
                let (slot, is_empty) = &*slot;
                let mut place = slot.lock().unwrap_or_else(PoisonError::into_inner);
                // Where nobody takes it any more, the program is about to end.
                while place.is_some() {
                    place = is_empty.wait(place).unwrap_or_else(PoisonError::into_inner);
                }
                *place = Some(fed);
                drop(place);
                bell();
            };
            let end = match read_stdin(&mut io::stdin().lock(), &hand) {
                Ok(()) => Fed::End,
                Err((end, error)) => {
                    *wrong.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
                    end
                }
            };
            hand(end);
        });
    };
    let source = move || {
        let (slot, is_empty) = &*taken_from;
        let mut place = slot.lock().unwrap_or_else(PoisonError::into_inner);
        match place.take() {
            None => Fed::Later,
            Some(line @ Fed::Line(_)) => {
                is_empty.notify_one();
                line
            }
            // That it is over stays so.
            Some(end) => place.insert(end).clone(),
        }
    };
    (Box::new(feed), source)
}

/// Hands on what comes until it ends; fails with what is left to do for the session.
fn read_stdin(mut input: &mut dyn BufRead, hand: &dyn Fn(Fed)) -> Result<(), (Fed, anyhow::Error)> {
    let (mut number, mut some) = (0, false);
    let mut literal = None;
    loop {
        let mut line = Line::default();
        line.pieces.extend(literal.take().map(Piece::Literal));
        let end = match line.continues() {
            true => Fed::Broken,
            false => Fed::End,
        };
        number += 1;
        let wrong = |code, why: String| failure(code, format!("line {number}: {why}"));
        let unreadable = |error| failure(exit::NO_INPUT, format!("standard input: {error}"));
        let mut text = Vec::new();
        match (&mut input).take(LONGEST).read_until(b'\n', &mut text) {
            Err(error) => return Err((end, unreadable(error))),
            Ok(0) if end == Fed::End && some => return Ok(()),
            Ok(0) if end == Fed::End => return Err((end, no_commands())),
            Ok(_) => {}
        }
        let whole = text.pop_if(|octet| *octet == b'\n').is_some();
        if !whole && text.len() as u64 == LONGEST {
            let why = "longer than any command: large literals can come from files, {@FILE}";
            return Err((end, wrong(exit::DATA, why.to_owned())));
        }
        if end == Fed::End && text.trim_ascii().is_empty() {
            continue;
        }
        some = true;
        let announced = match read_line(&text, &mut line, &mut |name| file(name)) {
            Err(why) => return Err((end, wrong(exit::DATA, why))),
            Ok(announced) => announced,
        };
        if let Some(octets) = announced {
            line.announce(octets);
        }
        hand(Fed::Line(line));
        let Some(octets) = announced else { continue };
        let mut text = Vec::new();
        let most = octets.min(limits::MESSAGE_SIZE);
        if let Err(error) = (&mut input).take(most).read_to_end(&mut text) {
            return Err((Fed::Broken, unreadable(error)));
        }
        let came = text.len();
        if (came as u64) < octets {
            let why = match came as u64 == most {
                true => format!("a literal of {octets} octets, more than {most}"),
                false => format!("a literal of {octets} octets, and only {came} follow"),
            };
            return Err((Fed::Broken, wrong(exit::DATA, why)));
        }
        number += memchr::memchr_iter(b'\n', &text).count();
        literal = Some(text);
    }
}

/// Octets of a line, its end included.
const LONGEST: u64 = limits::IMAP_COMMAND as u64;

fn no_commands() -> anyhow::Error {
    let why = "no commands: give them as arguments, or a line each on standard input";
    failure(exit::USAGE, why)
}

/// What is in a file, octet by octet.
fn file(name: &str) -> Result<Vec<u8>, String> {
    let mut octets = Vec::new();
    let most = limits::MESSAGE_SIZE + 1;
    let read = File::open(name).and_then(|file| file.take(most).read_to_end(&mut octets));
    read.map_err(|error| format!("{name}: {error}"))?;
    if octets.len() as u64 == most {
        return Err(format!(
            "{name}: longer than {} octets",
            limits::MESSAGE_SIZE
        ));
    }
    Ok(octets)
}

/// Reads a message, and gives it CRLF line ends (RFC 3501 §2.3.1.2: what is stored is an RFC 5322 message).
pub(super) fn message(file: &Path) -> anyhow::Result<Vec<u8>> {
    let mut text = Vec::new();
    let most = limits::MESSAGE_SIZE + 1;
    let read = if file == Path::new("-") {
        io::stdin().lock().take(most).read_to_end(&mut text)
    } else {
        File::open(file).and_then(|file| file.take(most).read_to_end(&mut text))
    };
    read.map_err(|error| failure(exit::NO_INPUT, format!("{}: {error}", file.display())))?;
    if text.len() as u64 == most {
        let most = limits::MESSAGE_SIZE;
        return Err(failure(
            exit::DATA,
            format!("{}: longer than {most} octets", file.display()),
        ));
    }
    if text.is_empty() {
        return Err(failure(
            exit::DATA,
            format!("{}: no message in it", file.display()),
        ));
    }
    Ok(with_crlf(&text))
}

fn with_crlf(text: &[u8]) -> Vec<u8> {
    let mut crlf = Vec::with_capacity(text.len() + text.len() / 32 + 2);
    for line in text.split_inclusive(|&byte| byte == b'\n') {
        let line = line.strip_suffix(b"\n").unwrap_or(line);
        crlf.extend_from_slice(line.strip_suffix(b"\r").unwrap_or(line));
        crlf.extend_from_slice(b"\r\n");
    }
    crlf
}
