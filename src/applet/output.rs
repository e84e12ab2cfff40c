//! Where a client applet writes what it was asked for: stdout, as the user wants it.
//!
//! Into a file or a pipe go the octets as they came, or with LF line ends when that is asked for. On a terminal control
//! bytes are shown, not obeyed: the sender of a message is a stranger. A reader who goes away is an error of the kind
//! `BrokenPipe`, which the program leaves quietly on.

use std::io::{self, BufWriter, IsTerminal, Write};

use crate::proto::client::Sink;

/// A sink for what a server sent. Flush it at the end.
pub struct Output<W: Write> {
    inner: BufWriter<W>,
    form: Form,
    /// An octet that is not written before the next one is seen: CR, or the first half of a C1 control character.
    held: Option<u8>,
}

/// In which form octets are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Form {
    /// As they came.
    #[default]
    Raw,
    /// CRLF becomes LF.
    Lf,
    /// As [`Form::Lf`], and control bytes are shown as `\x1b`.
    Terminal,
}

impl Output<io::Stdout> {
    /// Standard output; `wanted` is for when it is not a terminal.
    pub fn stdout(wanted: Form) -> Self {
        let stdout = io::stdout();
        let form = if stdout.is_terminal() {
            Form::Terminal
        } else {
            wanted
        };
        Self::new(stdout, form)
    }
}

impl<W: Write> Output<W> {
    /// Writes to `inner` in this form.
    pub fn new(inner: W, form: Form) -> Self {
        Self {
            inner: BufWriter::with_capacity(64 * 1024, inner),
            form,
            held: None,
        }
    }

    fn put(&mut self, byte: u8) -> io::Result<()> {
        let held = self.held.take();
        match (held, byte) {
            (Some(b'\r'), b'\n') => return self.inner.write_all(b"\n"),
            (Some(first), 0x80..=0x9f) if first == C1 => {
                return write!(self.inner, "\\x{first:02x}\\x{byte:02x}");
            }
            (Some(b'\r'), _) if self.form == Form::Terminal => self.inner.write_all(b"\\r")?,
            (Some(first), _) => self.inner.write_all(&[first])?,
            (None, _) => {}
        }
        match byte {
            b'\r' => self.held = Some(byte),
            C1 if self.form == Form::Terminal => self.held = Some(byte),
            b'\n' | b'\t' | b' '..=b'~' | 0x80.. => self.inner.write_all(&[byte])?,
            control if self.form == Form::Terminal => write!(self.inner, "\\x{control:02x}")?,
            control => self.inner.write_all(&[control])?,
        }
        Ok(())
    }
}

impl<W: Write> Write for Output<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.form == Form::Raw {
            self.inner.write_all(bytes)?;
        } else {
            let mut rest = bytes;
            while let Some((&first, after)) = rest.split_first() {
                // Nearly all text is plain, and goes on in runs.
                let run = match self.held {
                    None => rest.iter().position(|&byte| !is_plain(byte)),
                    Some(_) => Some(0),
                };
                match run {
                    Some(0) => {
                        self.put(first)?;
                        rest = after;
                    }
                    Some(octets) => {
                        self.inner.write_all(&rest[..octets])?;
                        rest = &rest[octets..];
                    }
                    None => {
                        self.inner.write_all(rest)?;
                        rest = &[];
                    }
                }
            }
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        if let Some(held) = self.held.take() {
            self.inner.write_all(&[held])?;
        }
        self.inner.flush()
    }
}

impl<W: Write> Sink for Output<W> {}

/// Whether an octet is written as it is in every form.
const fn is_plain(byte: u8) -> bool {
    matches!(byte, b'\n' | b'\t' | b' '..=b'~')
}

/// The first octet of U+0080 to U+009F in UTF-8: terminals take those for escape sequences.
const C1: u8 = 0xc2;

#[cfg(test)]
mod tests {
    use super::*;

    fn written(form: Form, bytes: &[u8]) -> Vec<u8> {
        let mut whole = Output::new(Vec::new(), form);
        whole.write_all(bytes).expect("a vector takes all");
        whole.flush().expect("a vector takes all");
        let mut single = Output::new(Vec::new(), form);
        for byte in bytes {
            single.write_all(&[*byte]).expect("a vector takes all");
        }
        single.flush().expect("a vector takes all");
        assert_eq!(whole.inner.get_ref(), single.inner.get_ref());
        whole.inner.get_ref().clone()
    }

    #[test]
    fn each_form_is_what_it_says() {
        let bytes = b"a\r\n\xc3\xa9\rb\x1b[2J\xc2\x9b\xc2\xa0\r\r\n\xc2\x85\r";
        assert_eq!(written(Form::Raw, bytes), bytes);
        assert_eq!(
            written(Form::Lf, bytes),
            b"a\n\xc3\xa9\rb\x1b[2J\xc2\x9b\xc2\xa0\r\n\xc2\x85\r"
        );
        assert_eq!(
            written(Form::Terminal, bytes),
            b"a\n\xc3\xa9\\rb\\x1b[2J\\xc2\\x9b\xc2\xa0\\r\n\\xc2\\x85\r"
        );
    }
}
