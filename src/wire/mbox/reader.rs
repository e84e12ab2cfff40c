//! Reading an mbox, of whichever dialect.

use super::facts::{Facts, Field};
use super::{At, Cutter, FromLine, is_blank, quotes};

/// How an mbox was written; see the module above.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Dialect {
    /// As mboxrd, but for messages with a `Content-Length` that the sink finds to be true.
    #[default]
    Guess,
    /// `>From ` was `From `.
    O,
    /// `>From ` was `From `, `>>From ` was `>From `.
    Rd,
    /// `Content-Length` is believed; `>From ` was `From `.
    Cl,
    /// `Content-Length` is believed; nothing was changed.
    Cl2,
}

/// What a `Content-Length` is worth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Claim {
    /// Nothing: no message begins, nor the file ends, where it leads to.
    False,
    /// It is true, and there is a line `From ` within, which was not changed: so nothing was.
    AsIs,
    /// It is true, and such lines may have got their `>`.
    Quoted,
}

/// Who is given what is in an mbox.
pub trait Sink {
    /// Why it takes no more.
    type Error;
    /// A message begins.
    fn begin(&mut self, line: FromLine) -> Result<(), Self::Error>;
    /// The next octets of it, with the file's line ends.
    fn text(&mut self, text: &[u8]) -> Result<(), Self::Error>;
    /// The message has ended.
    fn end(&mut self, facts: Facts) -> Result<(), Self::Error>;
    /// Whether the text that begins at the octet `from` of the file is `octets` long, as its header says. Not asked where
    /// the dialect is known.
    fn claim(&mut self, from: u64, octets: u64) -> Claim {
        let _ = (from, octets);
        Claim::False
    }
}

/// Takes an mbox in pieces of any size.
#[derive(Debug)]
pub struct Reader {
    dialect: Dialect,
    cutter: Cutter,
    body: Body,
}

/// What is done with lines, beside the cutting of them.
#[derive(Debug)]
struct Body {
    dialect: Dialect,
    place: Place,
    /// Octets up to the end of the line that was looked at last.
    octets: u64,
    facts: Facts,
    /// What a field `Content-Length` says.
    length: Option<u64>,
    /// A blank line that ends the message, if another one begins after it.
    held: Option<Blank>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Blank {
    Lf,
    Crlf,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    /// Before the first message.
    Before,
    /// It is no mbox.
    Foreign,
    /// In the header: whether the field that we are in is passed on.
    Header {
        kept: bool,
    },
    /// So many octets of text are certain.
    Counted {
        left: u64,
        quoted: bool,
    },
    Text,
}

impl Reader {
    /// At the beginning of a file.
    pub fn new(dialect: Dialect) -> Self {
        Self {
            dialect,
            cutter: Cutter::default(),
            body: Body {
                dialect,
                place: Place::Before,
                octets: 0,
                facts: Facts::default(),
                length: None,
                held: None,
            },
        }
    }

    /// Which dialect it reads.
    pub const fn dialect(&self) -> Dialect {
        self.dialect
    }

    /// Takes the next octets.
    pub fn feed<S: Sink>(&mut self, text: &[u8], sink: &mut S) -> Result<(), S::Error> {
        let body = &mut self.body;
        self.cutter.feed(text, |at, line| body.line(at, line, sink))
    }

    /// The file has ended.
    pub fn finish<S: Sink>(&mut self, sink: &mut S) -> Result<(), S::Error> {
        let body = &mut self.body;
        self.cutter
            .finish(|at, line| body.line(at, line, &mut *sink))?;
        self.body.end(sink)
    }

    /// Whether something other than a line `From ` came first. What follows is not looked at.
    pub const fn is_foreign(&self) -> bool {
        matches!(self.body.place, Place::Foreign)
    }
}

impl Body {
    fn line<S: Sink>(&mut self, at: At, line: &[u8], sink: &mut S) -> Result<(), S::Error> {
        self.octets += line.len() as u64;
        match self.place {
            Place::Foreign => Ok(()),
            Place::Before => self.before(at, line, sink),
            Place::Header { .. } => self.header(at, line, sink),
            Place::Counted { left, quoted } => {
                let octets = line.len() as u64;
                if octets > left {
                    // Not where a line ends: whoever wrote it counted otherwise.
                    self.place = Place::Text;
                    return self.text(at, line, sink);
                }
                self.place = match left - octets {
                    0 => Place::Text,
                    left => Place::Counted { left, quoted },
                };
                let unquoted = at == At::Start && quoted && quotes(line) == Some(1);
                sink.text(&line[usize::from(unquoted)..])
            }
            Place::Text => self.text(at, line, sink),
        }
    }

    fn before<S: Sink>(&mut self, at: At, line: &[u8], sink: &mut S) -> Result<(), S::Error> {
        if is_blank(line) {
            return Ok(());
        }
        match FromLine::parse(line).filter(|_| at == At::Start) {
            Some(from) => self.begin(from, sink),
            None => {
                self.place = Place::Foreign;
                Ok(())
            }
        }
    }

    fn begin<S: Sink>(&mut self, from: FromLine, sink: &mut S) -> Result<(), S::Error> {
        self.place = Place::Header { kept: true };
        self.facts = Facts::default();
        self.length = None;
        self.held = None;
        sink.begin(from)
    }

    fn end<S: Sink>(&mut self, sink: &mut S) -> Result<(), S::Error> {
        if matches!(self.place, Place::Before | Place::Foreign) {
            return Ok(());
        }
        self.facts.settle();
        self.held = None;
        self.place = Place::Before;
        sink.end(std::mem::take(&mut self.facts))
    }

    fn header<S: Sink>(&mut self, at: At, line: &[u8], sink: &mut S) -> Result<(), S::Error> {
        let Place::Header { kept } = self.place else {
            return Ok(());
        };
        if at == At::Within || line.starts_with(b" ") || line.starts_with(b"\t") {
            return match kept {
                true => sink.text(line),
                false => Ok(()),
            };
        }
        if is_blank(line) {
            sink.text(line)?;
            self.place = self.after_header(sink);
            return Ok(());
        }
        match quotes(line) {
            Some(0) => {
                if let Some(from) = FromLine::parse(line) {
                    self.end(sink)?;
                    return self.begin(from, sink);
                }
            }
            // QUIRK: mail that went through another mbox has that one's line as its first, quoted.
            Some(1) if FromLine::parse(&line[1..]).is_some() => return Ok(()),
            _ => {}
        }
        let kept = match self.facts.note(line) {
            Field::Kept => true,
            Field::Dropped => false,
            Field::Length(octets) => {
                self.length = Some(octets);
                // It counts what is in the file, and would be wrong for what comes out.
                false
            }
        };
        self.place = Place::Header { kept };
        match kept {
            true => sink.text(line),
            false => Ok(()),
        }
    }

    /// What follows the header.
    fn after_header<S: Sink>(&mut self, sink: &mut S) -> Place {
        let Some(left) = self.length.filter(|&octets| octets > 0) else {
            return Place::Text;
        };
        let claim = match self.dialect {
            Dialect::O | Dialect::Rd => Claim::False,
            Dialect::Cl => Claim::Quoted,
            Dialect::Cl2 => Claim::AsIs,
            Dialect::Guess => sink.claim(self.octets, left),
        };
        match claim {
            Claim::False => Place::Text,
            Claim::AsIs => Place::Counted {
                left,
                quoted: false,
            },
            Claim::Quoted => Place::Counted { left, quoted: true },
        }
    }

    fn text<S: Sink>(&mut self, at: At, line: &[u8], sink: &mut S) -> Result<(), S::Error> {
        let quotes = match at {
            At::Start => quotes(line),
            At::Within => None,
        };
        if quotes == Some(0)
            && let Some(from) = FromLine::parse(line)
        {
            self.end(sink)?;
            return self.begin(from, sink);
        }
        match self.held.take() {
            Some(Blank::Lf) => sink.text(b"\n")?,
            Some(Blank::Crlf) => sink.text(b"\r\n")?,
            None => {}
        }
        if at == At::Start && is_blank(line) {
            self.held = Some(match line.len() {
                1 => Blank::Lf,
                _ => Blank::Crlf,
            });
            return Ok(());
        }
        let unquoted = matches!(
            (self.dialect, quotes),
            (Dialect::O | Dialect::Cl, Some(1)) | (Dialect::Guess | Dialect::Rd, Some(1..))
        );
        sink.text(&line[usize::from(unquoted)..])
    }
}
