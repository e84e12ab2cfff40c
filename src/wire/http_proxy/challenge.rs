//! `Proxy-Authenticate` and `Proxy-Authorization`: schemes and their parameters (RFC 9110 §11).
//!
//! A comma separates parameters as well as challenges, and several challenges may share a field. A word is a parameter's
//! name if `=` and a value follow it, else a scheme. What is neither is passed over, up to the next comma.

use super::is_token;

/// One way to log in that a proxy offers, or what a client answers to one: the same syntax.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Challenge {
    /// `Basic`, `Digest` ...
    pub scheme: String,
    /// Base64 or the like in place of parameters.
    pub token68: Option<String>,
    parameters: Vec<(String, String)>,
}

impl Challenge {
    /// The value of a parameter, unquoted.
    pub fn parameter(&self, name: &str) -> Option<&str> {
        let mut parameters = self.parameters.iter();
        let found = parameters.find(|(other, _)| other.eq_ignore_ascii_case(name))?;
        Some(&found.1)
    }

    /// Whether it is of that scheme.
    pub fn is(&self, scheme: &str) -> bool {
        self.scheme.eq_ignore_ascii_case(scheme)
    }
}

/// All challenges of a field's value.
///
/// ```
/// use mailtool::wire::http_proxy::challenges;
///
/// let offered = challenges(br#"Negotiate, Digest realm="a, \"b\"", nonce=n , Basic realm="x""#);
/// let schemes: Vec<_> = offered.iter().map(|challenge| &*challenge.scheme).collect();
/// assert_eq!(schemes, ["Negotiate", "Digest", "Basic"]);
/// assert_eq!(offered[1].parameter("REALM"), Some("a, \"b\""));
/// assert_eq!(offered[1].parameter("nonce"), Some("n"));
/// ```
pub fn challenges(value: &[u8]) -> Vec<Challenge> {
    let mut found: Vec<Challenge> = Vec::new();
    let mut rest = value;
    loop {
        while let [b',' | b' ' | b'\t', after @ ..] = rest {
            rest = after;
        }
        if rest.is_empty() {
            return found;
        }
        let (name, after_name) = token(rest);
        if name.is_empty() {
            rest = after_comma(rest);
            continue;
        }
        if let Some((value, after_value)) = parameter_value(after_name) {
            if let Some(challenge) = found.last_mut() {
                challenge.parameters.push((text(name), value));
            }
            rest = after_value;
            continue;
        }
        let (token68, after) = match token68(after_name) {
            Some((token68, after)) => (Some(text(token68)), after),
            None => (None, after_name),
        };
        found.push(Challenge {
            scheme: text(name),
            token68,
            parameters: Vec::new(),
        });
        rest = after;
    }
}

/// `text` as a quoted string (RFC 9110 §5.6.4); without the octets that it cannot have.
///
/// ```
/// assert_eq!(mailtool::wire::http_proxy::quoted("a \"b\""), r#""a \"b\"""#);
/// ```
pub fn quoted(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for letter in text.chars().filter(|letter| !letter.is_control()) {
        if matches!(letter, '"' | '\\') {
            quoted.push('\\');
        }
        quoted.push(letter);
    }
    quoted.push('"');
    quoted
}

/// `=` and a value, with space around the `=` (RFC 9110 §11.2).
fn parameter_value(rest: &[u8]) -> Option<(String, &[u8])> {
    let rest = skip_space(rest).strip_prefix(b"=")?;
    let rest = skip_space(rest);
    if let Some(inside) = rest.strip_prefix(b"\"") {
        return Some(quoted_string(inside));
    }
    // QUIRK: values that should be quoted for what is in them, and are not. A comma or space ends them.
    let end = |octet: &u8| matches!(octet, b',' | b' ' | b'\t');
    let length = rest.iter().position(end).unwrap_or(rest.len());
    let (value, after) = rest.split_at(length);
    Some((text(value), after))
}

/// Up to the closing quote, or the end where there is none.
fn quoted_string(inside: &[u8]) -> (String, &[u8]) {
    let mut value = Vec::new();
    let mut octets = inside.iter().enumerate();
    while let Some((at, &octet)) = octets.next() {
        match octet {
            b'"' => return (text(&value), &inside[at + 1..]),
            b'\\' => value.extend(octets.next().map(|(_, octet)| *octet)),
            _ => value.push(octet),
        }
    }
    (text(&value), &[])
}

/// A word of base64 that is all that a scheme has: a comma or the end follows.
fn token68(rest: &[u8]) -> Option<(&[u8], &[u8])> {
    let rest = skip_space(rest);
    let fits = |octet: &u8| octet.is_ascii_alphanumeric() || b"-._~+/".contains(octet);
    let letters = rest.iter().take_while(|octet| fits(octet)).count();
    let padding = rest[letters..]
        .iter()
        .take_while(|&&octet| octet == b'=')
        .count();
    let (word, after) = rest.split_at(letters + padding);
    let ends = matches!(skip_space(after), [] | [b',', ..]);
    (letters > 0 && ends).then_some((word, after))
}

fn token(octets: &[u8]) -> (&[u8], &[u8]) {
    let length = octets.iter().take_while(|&&octet| is_token(octet)).count();
    octets.split_at(length)
}

fn skip_space(mut octets: &[u8]) -> &[u8] {
    while let [b' ' | b'\t', rest @ ..] = octets {
        octets = rest;
    }
    octets
}

fn after_comma(octets: &[u8]) -> &[u8] {
    memchr::memchr(b',', octets).map_or(&[], |at| &octets[at + 1..])
}

fn text(octets: &[u8]) -> String {
    String::from_utf8_lossy(octets).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(value: &str) -> String {
        let challenge = |challenge: &Challenge| {
            let parameters = challenge.parameters.iter();
            let parameters = parameters.map(|(name, value)| format!(" {name}={value:?}"));
            let token68 = challenge
                .token68
                .iter()
                .map(|token68| format!(" {token68}"));
            let rest: String = token68.chain(parameters).collect();
            format!("{}{rest}", challenge.scheme)
        };
        let all: Vec<_> = challenges(value.as_bytes()).iter().map(challenge).collect();
        all.join("; ")
    }

    #[test]
    fn commas_part_both_challenges_and_parameters() {
        for (value, expected) in [
            ("", ""),
            (" , ,", ""),
            ("Basic", "Basic"),
            ("Basic realm=x", "Basic realm=\"x\""),
            ("Basic realm = \"x\"", "Basic realm=\"x\""),
            (
                "NTLM TlRMTVNTUA==, Basic realm=x",
                "NTLM TlRMTVNTUA==; Basic realm=\"x\"",
            ),
            ("Negotiate, NTLM", "Negotiate; NTLM"),
            ("Basic YTpi", "Basic YTpi"),
            (
                "Digest realm=\"a,b\",nonce=\"x=\",qop=\"auth,auth-int\",Basic realm=\"c\"",
                "Digest realm=\"a,b\" nonce=\"x=\" qop=\"auth,auth-int\"; Basic realm=\"c\"",
            ),
            (
                "Digest stale=true, nonce=abc/+x, a=b",
                "Digest stale=\"true\" nonce=\"abc/+x\" a=\"b\"",
            ),
            (r#"X a="q\"\\", Y"#, r#"X a="q\"\\"; Y"#),
            ("X a=\"never closed, Y", "X a=\"never closed, Y\""),
            ("realm=x, Basic", "Basic"),
            ("@?!, Basic", "Basic"),
            ("Basic realm=, Digest", "Basic realm=; Digest"),
            (
                "Digest realm=x, opaque=, nonce=x==",
                "Digest realm=\"x\" opaque=\"\" nonce=\"x==\"",
            ),
        ] {
            assert_eq!(shown(value), expected, "{value:?}");
        }
    }

    #[test]
    fn quoting_lets_nothing_out() {
        assert_eq!(quoted("a\r\nX: \"y\\"), r#""aX: \"y\\""#);
        let read = challenges(format!("X a={}", quoted("p\"q\\r, s")).as_bytes());
        assert_eq!(read[0].parameter("a"), Some("p\"q\\r, s"));
    }
}
