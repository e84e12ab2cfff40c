//! XOAUTH2 (Google's `xoauth2-protocol`) and OAUTHBEARER (RFC 7628): a token instead of a password.
//!
//! Both carry `auth=Bearer TOKEN` between octets of value 1. A token that is refused is answered with a challenge, whose answer
//! says nothing, and then with the refusal (RFC 7628 §3.2.3).

use super::{Mechanism, Question, SaslError, name};

/// Reads the one message.
pub(super) fn message(mechanism: Mechanism, message: &[u8]) -> Result<Question, SaslError> {
    let wrong = SaslError::Bearer;
    let text = std::str::from_utf8(message).map_err(|_| wrong)?;
    let mut parts = text.split('\u{1}');
    let first = parts.next().unwrap_or_default();
    let user = if mechanism == Mechanism::XOAuth2 {
        first.strip_prefix("user=").ok_or(wrong)?.to_owned()
    } else {
        // RFC 7628 §3.1: a gs2-header, without channel binding.
        let header = first
            .strip_prefix("n,")
            .or_else(|| first.strip_prefix("y,"))
            .and_then(|rest| rest.strip_suffix(','))
            .ok_or(wrong)?;
        let user = header
            .strip_prefix("a=")
            .or(Some(header).filter(|it| it.is_empty()));
        user.ok_or(wrong)?.replace("=2C", ",").replace("=3D", "=")
    };
    let value = parts.find_map(|pair| pair.strip_prefix("auth="));
    let (scheme, token) = value.and_then(|value| value.split_once(' ')).ok_or(wrong)?;
    let token = token.trim();
    if !scheme.eq_ignore_ascii_case("Bearer") || token.is_empty() || !text.ends_with("\u{1}\u{1}") {
        return Err(wrong);
    }
    let user = match user.as_str() {
        // Who it is, the token tells.
        "" if mechanism == Mechanism::OAuthBearer => None,
        user => Some(name(user.as_bytes())?),
    };
    Ok(Question::Token {
        name: user,
        token: token.as_bytes().to_vec(),
    })
}

/// What is said to a client whose token is refused, before the refusal.
pub(super) const fn refusal(mechanism: Mechanism) -> &'static str {
    match mechanism {
        // {"status":"401","schemes":"bearer","scope":"mail"}
        Mechanism::XOAuth2 => {
            "eyJzdGF0dXMiOiI0MDEiLCJzY2hlbWVzIjoiYmVhcmVyIiwic2NvcGUiOiJtYWlsIn0="
        }
        // {"status":"invalid_token","scope":"mail"}
        _ => "eyJzdGF0dXMiOiJpbnZhbGlkX3Rva2VuIiwic2NvcGUiOiJtYWlsIn0=",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(mechanism: Mechanism, text: &str) -> Result<(Option<String>, String), SaslError> {
        message(mechanism, text.as_bytes()).map(|question| match question {
            Question::Token { name, token } => (name, String::from_utf8(token).unwrap()),
            other => panic!("{other:?}"),
        })
    }

    #[test]
    fn both_forms_are_read() {
        let alice = Ok((Some("alice@x.example".to_owned()), "vF9dft4qmT".to_owned()));
        assert_eq!(
            asked(
                Mechanism::XOAuth2,
                "user=alice@x.example\u{1}auth=Bearer vF9dft4qmT\u{1}\u{1}"
            ),
            alice
        );
        assert_eq!(
            asked(
                Mechanism::OAuthBearer,
                "n,a=alice@x.example,\u{1}host=server.example.com\u{1}port=143\u{1}auth=Bearer vF9dft4qmT\u{1}\u{1}"
            ),
            alice
        );
        assert_eq!(
            asked(Mechanism::OAuthBearer, "n,,\u{1}auth=bearer t\u{1}\u{1}"),
            Ok((None, "t".to_owned()))
        );
    }

    #[test]
    fn what_is_neither_is_refused() {
        for text in [
            "",
            "user=a",
            "user=a\u{1}auth=Basic x\u{1}\u{1}",
            "user=a\u{1}auth=Bearer \u{1}\u{1}",
            "user=a\u{1}auth=Bearer x",
        ] {
            assert_eq!(
                asked(Mechanism::XOAuth2, text),
                Err(SaslError::Bearer),
                "{text}"
            );
        }
        assert_eq!(
            asked(Mechanism::XOAuth2, "user=\u{1}auth=Bearer x\u{1}\u{1}"),
            Err(SaslError::Name)
        );
        assert_eq!(
            asked(Mechanism::OAuthBearer, "p=x,,\u{1}auth=Bearer x\u{1}\u{1}"),
            Err(SaslError::Bearer)
        );
    }

    #[test]
    fn refusals_say_what_they_should() {
        for (mechanism, text) in [
            (
                Mechanism::XOAuth2,
                r#"{"status":"401","schemes":"bearer","scope":"mail"}"#,
            ),
            (
                Mechanism::OAuthBearer,
                r#"{"status":"invalid_token","scope":"mail"}"#,
            ),
        ] {
            assert_eq!(refusal(mechanism), super::super::encode(text.as_bytes()));
        }
    }
}
