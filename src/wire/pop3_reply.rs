//! What a POP3 server answers, as words: the status indicator, the response code behind it, and listings.
//!
//! RFC 1939 §3 (`+OK`, `-ERR`), RFC 2449 §8 and RFC 3206 (response codes), RFC 5034 §4 (`+ ` challenges). Whether lines
//! follow a `+OK` depends on the command: the client session knows that.

/// The first line of a reply.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reply<'a> {
    /// `+OK` and what follows it.
    Positive(&'a [u8]),
    /// `-ERR`, its response code if there is one, and the whole text, the code included.
    Negative {
        /// Why, for programs.
        code: Option<Code>,
        /// Why, for people.
        text: &'a [u8],
    },
    /// `+ ` and a challenge in base64: the server wants more (RFC 5034 §4).
    Continue(&'a [u8]),
}

/// Response codes (RFC 2449 §8.1, RFC 3206).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Code {
    /// `IN-USE`: another session has the maildrop.
    InUse,
    /// `LOGIN-DELAY`: too soon after the last login.
    LoginDelay,
    /// `SYS/TEMP`: the server's trouble, later it may go.
    SystemTemporary,
    /// `SYS/PERM`: the server's trouble, somebody has to look.
    SystemPermanent,
    /// `AUTH`: the name or the password is wrong.
    Authentication,
}

impl Code {
    /// Whether the same may go well later.
    pub const fn is_temporary(self) -> bool {
        match self {
            Self::InUse | Self::LoginDelay | Self::SystemTemporary => true,
            Self::SystemPermanent | Self::Authentication => false,
        }
    }
}

impl<'a> Reply<'a> {
    /// Reads the first line of a reply; `None` when it is none. The indicator is taken in any case: RFC 1939 §3 asks for
    /// upper case, and some servers are older than it.
    ///
    /// ```
    /// use mailtool::wire::pop3_reply::{Code, Reply};
    ///
    /// assert_eq!(Reply::parse(b"+OK 2 320"), Some(Reply::Positive(b"2 320")));
    /// let text = b"[IN-USE] busy";
    /// assert_eq!(Reply::parse(b"-ERR [IN-USE] busy"), Some(Reply::Negative { code: Some(Code::InUse), text }));
    /// assert_eq!(Reply::parse(b"250 ok"), None);
    /// ```
    pub fn parse(line: &'a [u8]) -> Option<Self> {
        if let Some(text) = after(line, b"+OK") {
            return Some(Self::Positive(text));
        }
        if let Some(text) = after(line, b"-ERR") {
            return Some(Self::Negative {
                code: code(text),
                text,
            });
        }
        match line {
            b"+" => Some(Self::Continue(b"")),
            _ => line.strip_prefix(b"+ ").map(Self::Continue),
        }
    }
}

/// `number number`, as STAT and a line of LIST have it; what may follow is left out (RFC 1939 §5: "implementations may
/// add").
///
/// ```
/// assert_eq!(mailtool::wire::pop3_reply::two_numbers(b"2 320 octets"), Some((2, 320)));
/// ```
pub fn two_numbers(text: &[u8]) -> Option<(u64, u64)> {
    let mut words = words(text);
    Some((number(words.next()?)?, number(words.next()?)?))
}

/// `number unique-id`, as UIDL has it (RFC 1939 §7).
///
/// ```
/// assert_eq!(mailtool::wire::pop3_reply::unique_id(b"1 whqtswO00WBw418"), Some((1, &b"whqtswO00WBw418"[..])));
/// ```
pub fn unique_id(text: &[u8]) -> Option<(u64, &[u8])> {
    let mut words = words(text);
    let number = number(words.next()?)?;
    words
        .next()
        .filter(|id| id.iter().all(u8::is_ascii_graphic))
        .map(|id| (number, id))
}

/// What stands behind the indicator, the space between left out.
fn after<'a>(line: &'a [u8], indicator: &[u8]) -> Option<&'a [u8]> {
    let (start, rest) = line.split_at_checked(indicator.len())?;
    if !start.eq_ignore_ascii_case(indicator) {
        return None;
    }
    match rest.split_first() {
        None => Some(rest),
        Some((b' ' | b'\t', rest)) => Some(rest.trim_ascii()),
        Some(_) => None,
    }
}

fn code(text: &[u8]) -> Option<Code> {
    let inside = text.strip_prefix(b"[")?;
    let end = inside.iter().position(|&byte| byte == b']')?;
    let named = |name: &[u8]| inside[..end].eq_ignore_ascii_case(name);
    if named(b"IN-USE") {
        Some(Code::InUse)
    } else if named(b"LOGIN-DELAY") {
        Some(Code::LoginDelay)
    } else if named(b"SYS/TEMP") {
        Some(Code::SystemTemporary)
    } else if named(b"SYS/PERM") {
        Some(Code::SystemPermanent)
    } else if named(b"AUTH") {
        Some(Code::Authentication)
    } else {
        None
    }
}

fn words(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    text.split(u8::is_ascii_whitespace)
        .filter(|word| !word.is_empty())
}

fn number(word: &[u8]) -> Option<u64> {
    std::str::from_utf8(word)
        .ok()
        .filter(|word| word.bytes().all(|byte| byte.is_ascii_digit()))?
        .parse()
        .ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_whole_indicators_count() {
        assert_eq!(Reply::parse(b"+OK"), Some(Reply::Positive(b"")));
        assert_eq!(Reply::parse(b"+ok hi"), Some(Reply::Positive(b"hi")));
        assert_eq!(Reply::parse(b"+OKAY"), None);
        assert_eq!(Reply::parse(b"-ERROR"), None);
        assert_eq!(Reply::parse(b"+"), Some(Reply::Continue(b"")));
        assert_eq!(Reply::parse(b"+ PDE="), Some(Reply::Continue(b"PDE=")));
        assert_eq!(Reply::parse(b""), None);
        assert_eq!(Reply::parse(b"+O"), None);
    }

    #[test]
    fn codes_tell_what_may_go_later() {
        let code = |line: &'static [u8]| match Reply::parse(line) {
            Some(Reply::Negative { code, .. }) => code,
            other => panic!("{other:?}"),
        };
        assert_eq!(code(b"-ERR [SYS/TEMP] x"), Some(Code::SystemTemporary));
        assert_eq!(code(b"-ERR [auth] x"), Some(Code::Authentication));
        assert_eq!(code(b"-ERR [X-OWN] x"), None);
        assert_eq!(code(b"-ERR [IN-USE"), None);
        assert!(Code::InUse.is_temporary() && !Code::Authentication.is_temporary());
    }

    #[test]
    fn listings_are_numbers_and_no_signs() {
        assert_eq!(two_numbers(b"1 120"), Some((1, 120)));
        assert_eq!(two_numbers(b"+1 120"), None);
        assert_eq!(two_numbers(b"1"), None);
        assert_eq!(two_numbers(b"99999999999999999999 1"), None);
        assert_eq!(unique_id(b"1 a\x1bb"), None);
    }
}
