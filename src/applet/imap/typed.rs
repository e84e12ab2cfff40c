//! What `imap raw` reads: commands from the command line, or from standard input.

use std::fs::File;
use std::io::{self, Read};

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
