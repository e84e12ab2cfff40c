//! The addresses in the value of From, Sender, To and their like (RFC 5322 §3.6.2), as SMTP has them.

use mail_parser::MessageParser;

use super::address::{self, Address};

/// All addresses of a field's value, groups unfolded; what is no address is left out.
///
/// ```
/// use mailtool::wire::mailboxes::mailboxes;
///
/// let found = mailboxes(b" Bob <bob@example.org>,\r\n alice@example.org (Alice)");
/// let found: Vec<_> = found.iter().map(ToString::to_string).collect();
/// assert_eq!(found, ["bob@example.org", "alice@example.org"]);
/// ```
pub fn mailboxes(value: &[u8]) -> Vec<Address> {
    let mut field = b"From: ".to_vec();
    field.extend_from_slice(value.trim_ascii());
    field.extend_from_slice(b"\r\n\r\n");
    let message = MessageParser::new().parse_headers(&field);
    let Some(list) = message.as_ref().and_then(|message| message.from()) else {
        return Vec::new();
    };
    list.iter()
        .filter_map(|mailbox| {
            let path = format!("<{}>", mailbox.address()?);
            address::path_utf8(path.as_bytes()).ok()?.0
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_is_no_address_is_left_out() {
        for (value, expected) in [
            ("", 0),
            ("nobody at all", 0),
            ("undisclosed:;", 0),
            ("<a@b.example>", 1),
            ("friends: a@b.example, \"c, d\" <c@d.example>;", 2),
        ] {
            assert_eq!(mailboxes(value.as_bytes()).len(), expected, "{value}");
        }
    }

    proptest! {
        #[test]
        fn any_octets_are_read(value: Vec<u8>) {
            let _ = mailboxes(&value);
        }
    }
}
