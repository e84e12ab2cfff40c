//! What is read to be sent: the commands of `imap raw`, and the message of `imap append`.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use super::super::exit::{self, failure};
use crate::limits;
use crate::proto::imap::client::{Line, read_lines};

/// The commands: each word is one, or several lines of them; without words they come from standard input.
pub(super) fn lines(words: &[String]) -> anyhow::Result<Vec<Line>> {
    let mut lines = Vec::new();
    let mut read = |input: &[u8]| {
        let of = read_lines(input, &mut |name| file(name));
        lines.extend(of.map_err(|why| failure(exit::DATA, why))?);
        anyhow::Ok(())
    };
    if words.is_empty() {
        let mut input = Vec::new();
        let most = limits::MESSAGE_SIZE + 1;
        let all = io::stdin().lock().take(most).read_to_end(&mut input);
        all.map_err(|error| failure(exit::NO_INPUT, format!("standard input: {error}")))?;
        if input.len() as u64 == most {
            let why = "standard input: too long: large literals can come from files, {@FILE}";
            return Err(failure(exit::DATA, why));
        }
        read(&input)?;
    }
    for word in words {
        read(word.as_bytes())?;
    }
    if lines.is_empty() {
        let why = "no commands: give them as arguments, or a line each on standard input";
        return Err(failure(exit::USAGE, why));
    }
    Ok(lines)
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
