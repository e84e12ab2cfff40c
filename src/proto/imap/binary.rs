//! Parts without their transfer encoding, for BINARY (RFC 3516 §4.2).

use std::borrow::Cow;

use mail_parser::decoders::base64::base64_decode;
use mail_parser::decoders::quoted_printable::quoted_printable_decode;

use crate::proto::imap::message::Message;
use crate::wire::mime::header::{self, Parameterized};
use crate::wire::mime::structure::{Content, Part};

/// What a part is.
pub enum Decoded<'m> {
    /// Its octets.
    Octets(Cow<'m, [u8]>),
    /// There is no such part.
    Nothing,
    /// Its transfer encoding is not known, or not kept.
    Unknown,
}

/// The part at `path`, which is not empty.
pub fn decoded<'m>(message: &'m Message, structure: &Part, path: &[u32]) -> Decoded<'m> {
    let Some(part) = structure.find(path) else {
        return Decoded::Nothing;
    };
    let body = &message.octets[part.body.clone()];
    let value = header::value(
        &message.octets[part.header.clone()],
        "Content-Transfer-Encoding",
    );
    let encoding = value.map(|value| Parameterized::parse(&value).word.to_ascii_lowercase());
    // Multiparts and messages are never encoded (RFC 2045 §6.4).
    let encoding = match part.content {
        Content::Leaf => encoding,
        Content::Multipart(_) | Content::Message(_) => None,
    };
    let octets = match encoding.as_deref() {
        None | Some(b"7bit" | b"8bit" | b"binary" | b"") => Some(Cow::Borrowed(body)),
        Some(b"base64") if body.trim_ascii().is_empty() => Some(Cow::Borrowed(&body[..0])),
        Some(b"base64") => base64_decode(body).map(Cow::Owned),
        Some(b"quoted-printable") => quoted_printable_decode(body).map(Cow::Owned),
        Some(_) => None,
    };
    octets.map_or(Decoded::Unknown, Decoded::Octets)
}
