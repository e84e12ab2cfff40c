//! Writing a message into an mbox (mboxrd).

use super::{At, Cutter, FromLine, Marks, is_blank, is_field, quotes};

/// A message on its way into an mbox: with LF line ends, a `>` before each line that could be taken for the next message, and its flags
/// in the header.
///
/// ```
/// use mailtool::wire::mbox::{FromLine, Marks, Text};
///
/// let from = FromLine { sender: "a@b".into(), received: 0 };
/// let mut mbox = Vec::new();
/// let mut text = Text::begin(&from, Marks::SEEN, &["$Work"], &mut mbox);
/// text.feed(b"Subject: x\r\n\r\nFrom here\r\n", &mut mbox);
/// text.finish(&mut mbox);
/// assert_eq!(
///     String::from_utf8_lossy(&mbox),
///     "From a@b Thu Jan  1 00:00:00 1970\nSubject: x\nStatus: RO\nX-Keywords: $Work\n\n>From here\n\n"
/// );
/// ```
#[derive(Debug)]
pub struct Text {
    cutter: Cutter,
    body: Body,
}

#[derive(Debug)]
struct Body {
    place: Place,
    /// What the flags are written as, line ends included.
    status: String,
    /// Whether the last octet ended a line.
    ended: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    Header { kept: bool },
    Text,
}

impl Text {
    /// Begins a message.
    pub fn begin(from: &FromLine, marks: Marks, keywords: &[&str], mbox: &mut Vec<u8>) -> Self {
        mbox.extend_from_slice(from.to_string().as_bytes());
        mbox.push(b'\n');
        let mut status = String::new();
        status.push_str(match marks.contains(Marks::SEEN) {
            true => "Status: RO\n",
            false => "Status: O\n",
        });
        let letters: String = [
            (Marks::ANSWERED, 'A'),
            (Marks::FLAGGED, 'F'),
            (Marks::DRAFT, 'T'),
            (Marks::DELETED, 'D'),
        ]
        .into_iter()
        .filter(|(mark, _)| marks.contains(*mark))
        .map(|(_, letter)| letter)
        .collect();
        if !letters.is_empty() {
            status.push_str(&format!("X-Status: {letters}\n"));
        }
        if !keywords.is_empty() {
            status.push_str(&format!("X-Keywords: {}\n", keywords.join(" ")));
        }
        Self {
            cutter: Cutter::default(),
            body: Body {
                place: Place::Header { kept: true },
                status,
                ended: true,
            },
        }
    }

    /// Takes the next octets of the message, and appends what they become.
    pub fn feed(&mut self, text: &[u8], mbox: &mut Vec<u8>) {
        let body = &mut self.body;
        let fed = self.cutter.feed(text, |at, line| {
            body.line(at, line, mbox);
            Ok::<(), std::convert::Infallible>(())
        });
        match fed {
            Ok(()) => {}
            Err(never) => match never {},
        }
    }

    /// The message has ended.
    pub fn finish(mut self, mbox: &mut Vec<u8>) {
        let body = &mut self.body;
        let fed = self.cutter.finish(|at, line| {
            body.line(at, line, mbox);
            Ok::<(), std::convert::Infallible>(())
        });
        match fed {
            Ok(()) => {}
            Err(never) => match never {},
        }
        if !self.body.ended {
            mbox.push(b'\n');
        }
        if self.body.place != Place::Text {
            mbox.extend_from_slice(self.body.status.as_bytes());
            mbox.push(b'\n');
        }
        mbox.push(b'\n');
    }
}

impl Body {
    fn line(&mut self, at: At, line: &[u8], mbox: &mut Vec<u8>) {
        if let Place::Header { kept } = self.place {
            let goes_on = at == At::Within || line.starts_with(b" ") || line.starts_with(b"\t");
            if at == At::Start && is_blank(line) {
                mbox.extend_from_slice(self.status.as_bytes());
                self.place = Place::Text;
            } else {
                let kept = if goes_on { kept } else { !is_ours(line) };
                self.place = Place::Header { kept };
                if !kept {
                    return;
                }
            }
        }
        if at == At::Start && quotes(line).is_some() {
            mbox.push(b'>');
        }
        let (text, end) = match line {
            [text @ .., b'\r', b'\n'] => (text, &b"\n"[..]),
            text => (text, &b""[..]),
        };
        mbox.extend_from_slice(text);
        mbox.extend_from_slice(end);
        self.ended = line.ends_with(b"\n");
    }
}

/// Fields that a reader would take for what an mbox says of the message.
fn is_ours(line: &[u8]) -> bool {
    matches!(line.first(), Some(b's' | b'S' | b'x' | b'X' | b'c' | b'C'))
        && [
            "Status",
            "X-Status",
            "X-Keywords",
            "X-UID",
            "X-IMAP",
            "X-IMAPbase",
            "Content-Length",
            "X-Mozilla-Status",
            "X-Mozilla-Status2",
            "X-Mozilla-Keys",
        ]
        .iter()
        .any(|name| is_field(line, name))
}
