//! Keys, as terminals send them: letters of UTF-8, control characters, and sequences that begin with ESC (ECMA-48 §5.4).

/// A key, by what it does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Key {
    Letter(char),
    Enter,
    Go(Move),
    Kill(Move),
    Backspace,
    Delete,
    /// ^D
    DeleteOrEnd,
    Yank,
    Older,
    Newer,
    Search,
    Abort,
    Clear,
    Nothing,
}

/// A motion within the line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Move {
    Left,
    Right,
    Start,
    End,
    WordLeft,
    WordRight,
}

/// Gathers octets until they are a key.
#[derive(Debug, Default)]
pub(super) struct Keys {
    partial: Vec<u8>,
    /// ^V: the next one is taken as it is.
    is_quoted: bool,
}

impl Keys {
    /// Takes an octet; the keys that it completes are appended.
    pub(super) fn push(&mut self, octet: u8, pressed: &mut Vec<Key>) {
        if std::mem::take(&mut self.is_quoted) && octet < 0x80 {
            self.partial.clear();
            return pressed.push(Key::Letter(char::from(octet)));
        }
        self.partial.push(octet);
        let key = match self.partial.as_slice() {
            [0x16] => {
                self.is_quoted = true;
                Some(Key::Nothing)
            }
            [0x1b, rest @ ..] => escaped(rest),
            [octet] if *octet < 0x80 => Some(single(*octet)),
            octets => match letter(octets) {
                Ok(key) => key,
                Err(none) => {
                    // It stands for itself, and what follows it is looked at anew.
                    let rest = std::mem::take(&mut self.partial);
                    pressed.push(Key::Letter(stand_in(none)));
                    for octet in rest.get(1..).unwrap_or_default() {
                        self.push(*octet, pressed);
                    }
                    return;
                }
            },
        };
        if key.is_some() || self.partial.len() > LONGEST {
            self.partial.clear();
        }
        pressed.extend(key);
    }
}

fn single(octet: u8) -> Key {
    match octet {
        0x01 => Key::Go(Move::Start),
        0x02 => Key::Go(Move::Left),
        0x04 => Key::DeleteOrEnd,
        0x05 => Key::Go(Move::End),
        0x06 => Key::Go(Move::Right),
        0x07 => Key::Abort,
        0x08 | 0x7f => Key::Backspace,
        b'\n' | b'\r' => Key::Enter,
        0x0b => Key::Kill(Move::End),
        0x0c => Key::Clear,
        0x0e => Key::Newer,
        0x10 => Key::Older,
        0x12 => Key::Search,
        0x15 => Key::Kill(Move::Start),
        0x17 => Key::Kill(Move::WordLeft),
        0x19 => Key::Yank,
        b'\t' | 0x20..=0x7e => Key::Letter(char::from(octet)),
        _ => Key::Nothing,
    }
}

/// A letter of UTF-8, once it is whole; an error is the first octet of what can be none.
fn letter(octets: &[u8]) -> Result<Option<Key>, u8> {
    match std::str::from_utf8(octets) {
        Ok(text) => Ok(text.chars().next().map(Key::Letter)),
        Err(error) if error.error_len().is_none() => Ok(None),
        Err(_) => Err(octets.first().copied().unwrap_or_default()),
    }
}

/// What follows an ESC.
fn escaped(rest: &[u8]) -> Option<Key> {
    Some(match rest {
        [] | [b'[' | b'O'] => return None,
        [b'[', parameters @ .., last] => match last {
            0x40..=0x7e => sequence(parameters, *last),
            _ => return None,
        },
        [b'O', last] => sequence(&[], *last),
        [b'b' | b'B'] => Key::Go(Move::WordLeft),
        [b'f' | b'F'] => Key::Go(Move::WordRight),
        [b'd' | b'D'] => Key::Kill(Move::WordRight),
        [0x08 | 0x7f] => Key::Kill(Move::WordLeft),
        _ => Key::Nothing,
    })
}

fn sequence(parameters: &[u8], last: u8) -> Key {
    // `1;5` is Ctrl, `1;3` Alt.
    let by_words = matches!(parameters, [b'1', b';', b'3' | b'5']);
    match (last, parameters) {
        (b'A', _) => Key::Older,
        (b'B', _) => Key::Newer,
        (b'C', _) if by_words => Key::Go(Move::WordRight),
        (b'D', _) if by_words => Key::Go(Move::WordLeft),
        (b'C', _) => Key::Go(Move::Right),
        (b'D', _) => Key::Go(Move::Left),
        (b'H', _) | (b'~', b"1" | b"7") => Key::Go(Move::Start),
        (b'F', _) | (b'~', b"4" | b"8") => Key::Go(Move::End),
        (b'~', b"3") => Key::Delete,
        _ => Key::Nothing,
    }
}

/// What stands for an octet that is no UTF-8, in a line: letters that nobody else uses.
fn stand_in(octet: u8) -> char {
    char::from_u32(STAND_INS + u32::from(octet)).unwrap_or(char::REPLACEMENT_CHARACTER)
}

/// The octet that a letter stands for.
pub(super) fn octet(letter: char) -> Option<u8> {
    u32::from(letter)
        .checked_sub(STAND_INS)
        .and_then(|octet| u8::try_from(octet).ok())
}

/// The last private plane's last 256 letters but for those that are none.
const STAND_INS: u32 = 0x10_fe00;
/// Octets of a key.
const LONGEST: usize = 16;
