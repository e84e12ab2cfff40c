//! XCLIENT: a proxy that stands before this server tells whose connection it hands on (Postfix's XCLIENT_README).
//!
//! `XCLIENT ADDR=192.0.2.7 NAME=pc1.example HELO=pc1 PROTO=ESMTP LOGIN=alice`; values in xtext; `[UNAVAILABLE]` and
//! `[TEMPUNAVAIL]` say that it is not known. Who may say so is decided by the session.

use std::net::IpAddr;

use crate::wire::xtext;

/// The attributes that are understood, as EHLO lists them.
pub const ATTRIBUTES: &str = "NAME ADDR PORT PROTO HELO LOGIN DESTADDR DESTPORT";

/// What was told. `None`: nothing was said of it; `Some(None)`: that it is not known.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Told {
    /// Where the client is.
    pub address: Option<Option<IpAddr>>,
    /// Its port.
    pub port: Option<Option<u16>>,
    /// Its name, as DNS has it.
    pub name: Option<Option<String>>,
    /// What it said behind HELO or EHLO.
    pub hello: Option<Option<String>>,
    /// Whether it said EHLO.
    pub extended: Option<bool>,
    /// Whom it logged in as.
    pub login: Option<Option<String>>,
    /// The address that it connected to.
    pub local_address: Option<Option<IpAddr>>,
    /// The port that it connected to.
    pub local_port: Option<Option<u16>>,
}

/// Reads the arguments; an error is the attribute that cannot be read, or nothing when none is there.
///
/// ```
/// use mailtool::wire::smtp::xclient::read;
///
/// let told = read(b"ADDR=IPV6:2001:db8::1 LOGIN=[UNAVAILABLE] helo=pc+2B1").unwrap();
/// assert_eq!(told.address, Some(Some("2001:db8::1".parse().unwrap())));
/// assert_eq!((told.login, told.hello), (Some(None), Some(Some("pc+1".to_owned()))));
/// assert_eq!(read(b"ADDR=nowhere"), Err("ADDR=nowhere".to_owned()));
/// ```
pub fn read(arguments: &[u8]) -> Result<Told, String> {
    let text = std::str::from_utf8(arguments).map_err(|_| String::new())?;
    let mut told = Told::default();
    if text.trim().is_empty() {
        return Err(String::new());
    }
    for word in text.split_ascii_whitespace() {
        attribute(word, &mut told).ok_or_else(|| word.to_owned())?;
    }
    Ok(told)
}

fn attribute(word: &str, told: &mut Told) -> Option<()> {
    let (name, value) = word.split_once('=')?;
    let unknown = ["[UNAVAILABLE]", "[TEMPUNAVAIL]"]
        .iter()
        .any(|word| word.eq_ignore_ascii_case(value));
    let value = match unknown {
        true => None,
        false => Some(xtext::decode(value).filter(|value| !value.is_empty())?),
    };
    let text = value.as_deref();
    match name.to_ascii_uppercase().as_str() {
        "ADDR" => told.address = Some(known(text, address)?),
        "DESTADDR" => told.local_address = Some(known(text, address)?),
        "PORT" => told.port = Some(known(text, |text| text.parse().ok())?),
        "DESTPORT" => {
            told.local_port = Some(known(text, |text| text.parse().ok())?);
        }
        "NAME" => told.name = Some(value),
        "HELO" => told.hello = Some(value),
        "LOGIN" => told.login = Some(value),
        "PROTO" => {
            told.extended = Some(match text?.to_ascii_uppercase().as_str() {
                "ESMTP" => true,
                "SMTP" => false,
                _ => return None,
            });
        }
        _ => return None,
    }
    Some(())
}

/// `Some(None)`: it is not known; `None`: it cannot be read.
fn known<T>(text: Option<&str>, read: impl FnOnce(&str) -> Option<T>) -> Option<Option<T>> {
    match text {
        None => Some(None),
        Some(text) => read(text).map(Some),
    }
}

fn address(text: &str) -> Option<IpAddr> {
    let text = match text.get(..5) {
        Some(tag) if tag.eq_ignore_ascii_case("IPV6:") => &text[5..],
        _ => text,
    };
    text.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn every_attribute_is_read() {
        let told = read(
            b"NAME=pc1.example ADDR=192.0.2.7 PORT=4000 PROTO=ESMTP HELO=pc1 LOGIN=alice DESTADDR=192.0.2.1 DESTPORT=25",
        )
        .unwrap();
        assert_eq!(told.name, Some(Some("pc1.example".to_owned())));
        assert_eq!(told.address, Some(Some("192.0.2.7".parse().unwrap())));
        assert_eq!(
            (told.port, told.local_port),
            (Some(Some(4000)), Some(Some(25)))
        );
        assert_eq!(
            (told.extended, told.login),
            (Some(true), Some(Some("alice".to_owned())))
        );
        assert_eq!(told.local_address, Some(Some("192.0.2.1".parse().unwrap())));
        assert_eq!(read(b"PORT=[unavailable]").unwrap().port, Some(None));
    }

    #[test]
    fn what_cannot_be_read_is_named() {
        for word in [
            "ADDR=",
            "PORT=99999",
            "PORT=x",
            "PROTO=LMTP",
            "PROTO=[UNAVAILABLE]",
            "X=1",
            "NAME",
            "HELO=a+0D",
        ] {
            assert_eq!(read(word.as_bytes()), Err(word.to_owned()), "{word}");
        }
        assert_eq!(read(b" "), Err(String::new()));
        assert_eq!(read(b"\xff"), Err(String::new()));
    }

    proptest! {
        #[test]
        fn anything_is_refused_or_read(text: Vec<u8>, word in "(ADDR|PORT|NAME|HELO)=[0-9a-f:.+]{0,12}") {
            let _ = (read(&text), read(word.as_bytes()));
        }
    }
}
