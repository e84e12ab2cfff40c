//! The header fields that are asked for most, cut out of a header: what is looked up in them is found as in the whole.

use crate::wire::mime::header::Fields;

/// Whether a field of this name is kept.
pub fn is_kept(name: &[u8]) -> bool {
    KEPT.iter()
        .any(|kept| name.eq_ignore_ascii_case(kept.as_bytes()))
}

/// Appends the fields of `header` that are kept, as they stand there, in their order.
///
/// ```
/// use mailtool::wire::mime::kept::keep;
///
/// let mut kept = Vec::new();
/// keep(b"X-Spam: no\r\nsubject : a\r\n b\r\nX: y\r\n\r\n", &mut kept);
/// assert_eq!(kept, b"subject : a\r\n b\r\n");
/// ```
pub fn keep(header: &[u8], out: &mut Vec<u8>) {
    keep_those(header, is_kept, out);
}

/// The same of Subject fields alone.
pub fn keep_subject(header: &[u8], out: &mut Vec<u8>) {
    keep_those(header, |name| name.eq_ignore_ascii_case(b"Subject"), out);
}

fn keep_those(header: &[u8], wanted: impl Fn(&[u8]) -> bool, out: &mut Vec<u8>) {
    for field in Fields::new(header).filter(|field| wanted(field.name)) {
        out.extend_from_slice(field.raw);
        if !field.raw.ends_with(b"\n") {
            out.extend_from_slice(b"\r\n");
        }
    }
}

/// What ENVELOPE, SORT, THREAD and the keys of SEARCH need, and what lists of messages show in mail programs.
const KEPT: [&str; 23] = [
    "Bcc",
    "Cc",
    "Content-Type",
    "Date",
    "Delivered-To",
    "From",
    "Importance",
    "In-Reply-To",
    "List-Id",
    "List-Post",
    "List-Unsubscribe",
    "Message-ID",
    "MIME-Version",
    "Newsgroups",
    "Priority",
    "References",
    "Reply-To",
    "Return-Path",
    "Sender",
    "Subject",
    "To",
    "X-Priority",
    "X-Spam-Flag",
];
