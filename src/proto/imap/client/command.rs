//! A command on its way to an IMAP server: its words, and the literals for which it has to stop and wait.
//!
//! A string goes as it is where that is safe, else in quotes, else as a literal: the octets of a name or a password are
//! never read as a command. With LITERAL+ (RFC 7888) nothing is waited for; without it a literal is announced, and comes
//! after the server's `+`. Large literals are handed over as the peer takes them ([`Command::more`]), so that the queue
//! stays short and the server's silence is measured from the last octet that it took.

use std::collections::VecDeque;

use super::raw::{Line, Piece};
use crate::proto::Out;
use crate::wire::utf7;

/// What a server can, of what matters here.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Capabilities {
    pub(super) starttls: bool,
    pub(super) login_disabled: bool,
    pub(super) sasl_ir: bool,
    /// RFC 2177
    pub(super) idle: bool,
    /// RFC 4315: `UID EXPUNGE`.
    pub(super) uidplus: bool,
    /// RFC 6851
    pub(super) moves: bool,
    /// RFC 4731
    pub(super) esearch: bool,
    /// RFC 2971
    pub(super) id: bool,
    /// RFC 2342
    pub(super) namespace: bool,
    /// RFC 9208
    pub(super) quota: bool,
    literals: Literals,
}

/// For which literals nothing has to be waited for (RFC 7888).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Literals {
    #[default]
    Synchronizing,
    /// `LITERAL-`: up to 4096 octets.
    PlusShort,
    /// `LITERAL+`
    Plus,
}

impl Capabilities {
    /// From the words of a CAPABILITY response or code.
    pub(super) fn read<'w>(words: impl IntoIterator<Item = &'w [u8]>) -> Self {
        let mut capabilities = Self::default();
        for word in words {
            match word.to_ascii_uppercase().as_slice() {
                b"STARTTLS" => capabilities.starttls = true,
                b"LOGINDISABLED" => capabilities.login_disabled = true,
                b"SASL-IR" => capabilities.sasl_ir = true,
                b"IDLE" => capabilities.idle = true,
                b"UIDPLUS" => capabilities.uidplus = true,
                b"MOVE" => capabilities.moves = true,
                b"ESEARCH" => capabilities.esearch = true,
                b"ID" => capabilities.id = true,
                b"NAMESPACE" => capabilities.namespace = true,
                b"QUOTA" => capabilities.quota = true,
                // RFC 9051 appendix E: all of these are part of it.
                b"IMAP4REV2" => {
                    capabilities.sasl_ir = true;
                    capabilities.idle = true;
                    capabilities.uidplus = true;
                    capabilities.moves = true;
                    capabilities.esearch = true;
                    capabilities.namespace = true;
                }
                b"LITERAL+" => capabilities.literals = Literals::Plus,
                b"LITERAL-" if capabilities.literals != Literals::Plus => {
                    capabilities.literals = Literals::PlusShort;
                }
                _ => {}
            }
        }
        capabilities
    }

    const fn waits_for(self, octets: usize) -> bool {
        match self.literals {
            Literals::Synchronizing => true,
            Literals::PlusShort => octets > SHORT,
            Literals::Plus => false,
        }
    }
}

/// A command, and how far it is sent.
#[derive(Default)]
pub(super) struct Command {
    /// What it is, for messages.
    name: String,
    parts: VecDeque<Part>,
    /// The literal that is being sent: what of it is still to be handed over.
    sending: Option<(Vec<u8>, usize)>,
    waiting: Option<Waiting>,
}

enum Part {
    Text(Vec<u8>),
    Literal(Vec<u8>),
    /// Ends the command.
    Secret(Vec<u8>),
    /// Sends the line, and waits for `+`.
    Ask,
}

impl From<Piece> for Part {
    fn from(piece: Piece) -> Self {
        match piece {
            Piece::Text(text) => Self::Text(text),
            Piece::Literal(octets) => Self::Literal(octets),
        }
    }
}

/// What follows the server's `+`.
enum Waiting {
    Literal(Vec<u8>),
    NextLine,
}

/// Whether there is an answer to the server's `+`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Asked {
    /// It is on its way.
    ForMore,
    /// There is none: nobody waited for it.
    ForNothing,
}

/// How far a command was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Progress {
    /// All of it.
    Whole,
    /// Up to something that the server did not ask for.
    Unfinished,
    /// Into a literal, and not to its end.
    WithinLiteral,
}

impl Command {
    /// Begins with words that need no quoting.
    pub(super) fn new(words: &str) -> Self {
        Self {
            name: words.trim_end().to_owned(),
            ..Self::default()
        }
        .text(words)
    }

    /// Adds words that need no quoting.
    pub(super) fn text(mut self, words: &str) -> Self {
        match self.parts.back_mut() {
            Some(Part::Text(text)) => text.extend_from_slice(words.as_bytes()),
            _ => self.parts.push_back(Part::Text(words.into())),
        }
        self
    }

    /// Adds a mailbox's name (RFC 3501 §5.1.3).
    pub(super) fn mailbox(mut self, name: &str) -> Self {
        self.name = format!("{} {name}", self.name);
        self.string(utf7::encode(name).as_bytes())
    }

    /// Adds a string in the shortest form that holds it.
    pub(super) fn string(mut self, string: &[u8]) -> Self {
        match quoted(string) {
            Some(quoted) => self.text(&quoted),
            None => {
                self.parts.push_back(Part::Literal(string.to_vec()));
                self
            }
        }
    }

    /// As a person wrote it, without the tag. The password of LOGIN, and what goes with AUTHENTICATE, no tap is shown.
    pub(super) fn raw(mut line: Line) -> Self {
        let mut command = Self {
            name: line.name(),
            ..Self::default()
        };
        let verb = line.verb();
        let last = match matches!(verb.as_str(), "LOGIN" | "AUTHENTICATE") {
            true => {
                let said = |piece: &Piece| !matches!(piece, Piece::Text(text) if text.is_empty());
                line.pieces
                    .truncate(line.pieces.iter().rposition(said).map_or(0, |at| at + 1));
                line.pieces.pop()
            }
            false => None,
        };
        command
            .parts
            .extend(line.pieces.into_iter().map(Part::from));
        match last {
            None => command,
            Some(Piece::Text(text)) if command.parts.is_empty() => {
                let (shown, hidden) = text.split_at(text.len().min(verb.len() + 1));
                command.parts.push_back(Part::Text(shown.to_vec()));
                command.secret(hidden.to_vec())
            }
            Some(Piece::Text(text)) => command.secret(text),
            Some(Piece::Literal(octets)) => {
                let announcement = format!("{{{}}}", octets.len());
                command.text(&announcement).when_asked().secret(octets)
            }
        }
    }

    /// Adds a literal.
    pub(super) fn literal(mut self, octets: Vec<u8>) -> Self {
        self.parts.push_back(Part::Literal(octets));
        self
    }

    /// Ends with a string that no tap is shown.
    pub(super) fn secret_string(mut self, string: &[u8]) -> Self {
        match quoted(string) {
            Some(quoted) => self.secret(quoted.into_bytes()),
            None => {
                let announcement = format!("{{{}}}", string.len());
                self = self.text(&announcement).when_asked();
                self.secret(string.to_vec())
            }
        }
    }

    /// Ends with words that no tap is shown.
    pub(super) fn secret(mut self, words: Vec<u8>) -> Self {
        self.parts.push_back(Part::Secret(words));
        self
    }

    /// What follows is a line of its own, for which the server asks with `+`.
    pub(super) fn when_asked(mut self) -> Self {
        self.parts.push_back(Part::Ask);
        self
    }

    /// `UID SEARCH` with words as a person gives them: a parenthesis, a set, or a keyword goes as it is. One word with spaces is the whole
    /// search as the protocol has it.
    pub(super) fn search(begin: &str, keys: &[String]) -> Self {
        let command = if keys.iter().all(|key| key.is_ascii()) {
            Self::new(begin)
        } else {
            // RFC 3501 §6.4.4
            Self::new(begin).text(" CHARSET UTF-8")
        };
        if let [whole] = keys
            && whole.contains(' ')
        {
            return command.text(" ").criteria(whole);
        }
        keys.iter().fold(command, |command, key| {
            let command = command.text(" ");
            let raw = |byte: u8| is_of_atom(byte) || matches!(byte, b'(' | b')' | b'*');
            if !key.is_empty() && key.bytes().all(raw) {
                command.text(key)
            } else {
                command.string(key.as_bytes())
            }
        })
    }

    /// Adds words of the protocol, in which quotes stand already. A string that is not ASCII goes as a literal: it may not be quoted.
    fn criteria(mut self, words: &str) -> Self {
        let mut rest = words;
        while let Some(open) = rest.find('"') {
            let (mut string, mut end) = (String::new(), None);
            let mut letters = rest[open + 1..].char_indices();
            while let Some((at, letter)) = letters.next() {
                match letter {
                    '"' => {
                        end = Some(open + 1 + at + 1);
                        break;
                    }
                    '\\' => string.extend(letters.next().map(|next| next.1)),
                    letter => string.push(letter),
                }
            }
            let Some(end) = end else { break };
            self = self.bare(&rest[..open]).string(string.as_bytes());
            rest = &rest[end..];
        }
        self.bare(rest)
    }

    /// Adds words without quotes, of which those that are not ASCII need a literal all the same.
    fn bare(mut self, words: &str) -> Self {
        for (at, word) in words.split(' ').enumerate() {
            if at > 0 {
                self = self.text(" ");
            }
            let raw = |byte: u8| is_of_atom(byte) || matches!(byte, b'(' | b')' | b'*' | b'\\');
            self = match word.bytes().all(raw) {
                true => self.text(word),
                false => self.string(word.as_bytes()),
            };
        }
        self
    }

    /// Its first word, in capitals; two of `UID FETCH`.
    pub(super) fn verb(&self) -> String {
        let words = self.name.split(' ').take(2).map(str::to_ascii_uppercase);
        let words: Vec<_> = words.collect();
        match &words[..] {
            [uid, verb] if uid == "UID" => format!("{uid} {verb}"),
            [verb, ..] => verb.clone(),
            [] => String::new(),
        }
    }

    /// What it is, for messages; never a secret.
    pub(super) fn name(&self) -> String {
        self.name.clone()
    }

    /// Sends all that needs no waiting for.
    pub(super) fn begin(&mut self, tag: &str, capabilities: Capabilities, out: &mut Out) {
        self.send_line(format!("{tag} ").into_bytes(), capabilities, out);
    }

    /// The server said `+`.
    pub(super) fn go_on(&mut self, capabilities: Capabilities, out: &mut Out) -> Asked {
        match self.waiting.take() {
            None => Asked::ForNothing,
            Some(Waiting::NextLine) => {
                self.send_line(Vec::new(), capabilities, out);
                Asked::ForMore
            }
            Some(Waiting::Literal(octets)) => {
                self.sending = Some((octets, 0));
                self.more(capabilities, out);
                Asked::ForMore
            }
        }
    }

    /// The literal that a line has announced, and what stands behind it.
    pub(super) fn resume(&mut self, line: Line, capabilities: Capabilities, out: &mut Out) {
        if self.verb() == "LOGIN" {
            let octets = line.pieces.into_iter().flat_map(Piece::into_octets);
            return out.secret_line(b"", &octets.collect::<Vec<_>>());
        }
        let mut pieces = line.pieces.into_iter();
        self.sending = pieces.next().map(|first| (first.into_octets(), 0));
        self.parts.extend(pieces.map(Part::from));
        self.more(capabilities, out);
    }

    /// Hands over as much of a literal as there is room for, and what follows it.
    pub(super) fn more(&mut self, capabilities: Capabilities, out: &mut Out) {
        let Some((octets, mut from)) = self.sending.take() else {
            return;
        };
        while from < octets.len() {
            if out.is_full() {
                self.sending = Some((octets, from));
                return;
            }
            let until = octets.len().min(from + PIECE);
            out.bytes(&octets[from..until]);
            from = until;
        }
        self.send_line(Vec::new(), capabilities, out);
    }

    /// The server has answered: nothing more is sent.
    pub(super) fn abandon(&mut self) -> Progress {
        let rest = self.parts.drain(..).count();
        let waiting = self.waiting.take();
        if self.sending.take().is_some() {
            Progress::WithinLiteral
        } else if rest > 0 || waiting.is_some() {
            Progress::Unfinished
        } else {
            Progress::Whole
        }
    }

    fn send_line(&mut self, mut line: Vec<u8>, capabilities: Capabilities, out: &mut Out) {
        while let Some(part) = self.parts.pop_front() {
            match part {
                Part::Text(text) => line.extend_from_slice(&text),
                Part::Secret(secret) => return out.secret_line(&line, &secret),
                Part::Ask => {
                    self.waiting = Some(Waiting::NextLine);
                    return out.line(&line);
                }
                Part::Literal(octets) if capabilities.waits_for(octets.len()) => {
                    line.extend_from_slice(format!("{{{}}}", octets.len()).as_bytes());
                    self.waiting = Some(Waiting::Literal(octets));
                    return out.line(&line);
                }
                Part::Literal(octets) => {
                    line.extend_from_slice(format!("{{{}+}}", octets.len()).as_bytes());
                    out.line(&line);
                    self.sending = Some((octets, 0));
                    return self.more(capabilities, out);
                }
            }
        }
        out.line(&line);
    }
}

/// An atom, or a quoted string; `None` when only a literal can hold it.
fn quoted(string: &[u8]) -> Option<String> {
    let text = std::str::from_utf8(string)
        .ok()
        .filter(|text| text.bytes().all(|byte| matches!(byte, b' '..=b'~')))?;
    // `NIL` would be read as nothing.
    if !text.is_empty() && text.bytes().all(is_of_atom) && !text.eq_ignore_ascii_case("NIL") {
        return Some(text.to_owned());
    }
    Some(format!(
        "\"{}\"",
        text.replace('\\', "\\\\").replace('"', "\\\"")
    ))
}

/// RFC 3501 §9: `atom-specials` are not among them.
const fn is_of_atom(byte: u8) -> bool {
    matches!(byte, b'!'..=b'~')
        && !matches!(byte, b'(' | b')' | b'{' | b'%' | b'*' | b'"' | b'\\' | b']')
}

/// RFC 7888 §5
const SHORT: usize = 4096;
/// Octets of a literal handed over at a time.
const PIECE: usize = 64 * 1024;
