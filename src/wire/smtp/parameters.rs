//! What MAIL and RCPT may ask for behind the path, read into the envelope's types.
//!
//! A parameter is known when its extension is offered ([`Offered`]); any other one is [`ParameterError::Unknown`], which RFC 5321
//! §4.1.1.11 answers with 555. Which parameters go together, and what a value may be, is checked here; who may ask for it, by
//! the session. `unix` is the moment at which it is asked, in seconds since 1970.

use crate::wire::date;
use crate::wire::envelope::{Body, ByMode, DeliverBy, MailOptions, Notify, OriginalRecipient, Ret};
use crate::wire::smtp::Parameter;
use crate::wire::xtext;

/// What of the extensions a server offers in a session. Those that are not here are always offered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Offered {
    /// The value of SIZE (RFC 1870): octets.
    pub max_octets: u64,
    /// DSN (RFC 3461).
    pub dsn: bool,
    /// DELIVERBY (RFC 2852): the shortest time that can be asked for with mode R, in seconds.
    pub deliver_by: Option<u32>,
    /// FUTURERELEASE (RFC 4865): the longest time that a message is held, in seconds.
    pub future_release: Option<u32>,
    /// REQUIRETLS (RFC 8689 §2: within TLS only).
    pub require_tls: bool,
}

/// What is wrong with a parameter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ParameterError {
    /// There is no such parameter here: its keyword.
    Unknown(String),
    /// It stands there twice: its keyword.
    Twice(String),
    /// The value cannot be read: what it should be, with an example.
    Value(&'static str),
    /// The message is over SIZE.
    TooBig,
    /// REQUIRETLS, and the session is in the clear.
    NeedsTls,
    /// A time further away than is done here: the bound, in seconds.
    TooLate(u32),
    /// A time too near for what is asked: the bound, in seconds.
    TooSoon(u32),
}

/// Reads the parameters of MAIL.
///
/// ```
/// use mailtool::wire::envelope::{Body, Ret};
/// use mailtool::wire::smtp::{mail, parameters::{Offered, mail_options}};
///
/// let offered = Offered { max_octets: 1000, dsn: true, deliver_by: None, future_release: None, require_tls: false };
/// let (_, parameters) = mail(b"FROM:<a@b.example> SIZE=10 BODY=8BITMIME RET=HDRS ENVID=Q+2B1").unwrap();
/// let options = mail_options(&parameters, &offered, 0).unwrap();
/// assert_eq!((options.size, options.body, options.ret), (Some(10), Body::EightBit, Some(Ret::Headers)));
/// assert_eq!(options.envelope_id.as_deref(), Some("Q+1"));
/// ```
pub fn mail_options(
    parameters: &[Parameter<'_>],
    offered: &Offered,
    unix: i64,
) -> Result<MailOptions, ParameterError> {
    let mut options = MailOptions::default();
    let mut hold_for = None;
    for (at, parameter) in parameters.iter().enumerate() {
        let keyword = keyword(&parameters[..at], parameter)?;
        let value = parameter.value;
        match keyword.as_str() {
            "SIZE" => match value.and_then(size).ok_or(Error::Value(SIZE))? {
                octets if octets > offered.max_octets => return Err(Error::TooBig),
                octets => options.size = Some(octets),
            },
            "BODY" => options.body = value.and_then(body).ok_or(Error::Value(BODY))?,
            "SMTPUTF8" => match value {
                None => options.utf8 = true,
                Some(_) => return Err(Error::Value(SMTPUTF8)),
            },
            "AUTH" => {
                options.submitter = Some(value.and_then(submitter).ok_or(Error::Value(AUTH))?);
            }
            "RET" if offered.dsn => {
                options.ret = Some(match value {
                    Some(word) if word.eq_ignore_ascii_case("FULL") => Ret::Full,
                    Some(word) if word.eq_ignore_ascii_case("HDRS") => Ret::Headers,
                    _ => return Err(Error::Value(RET)),
                });
            }
            "ENVID" if offered.dsn => {
                let id = value
                    .filter(|value| value.len() <= ENVELOPE_ID)
                    .and_then(xtext::decode)
                    .filter(|id| !id.is_empty() && id.is_ascii());
                options.envelope_id = Some(id.ok_or(Error::Value(ENVID))?);
            }
            "REQUIRETLS" => match (value, offered.require_tls) {
                (None, true) => options.require_tls = true,
                (_, false) => return Err(Error::NeedsTls),
                _ => return Err(Error::Value(REQUIRETLS)),
            },
            "BY" if offered.deliver_by.is_some() => {
                let minimum = offered.deliver_by.unwrap_or_default();
                options.deliver_by = Some(deliver_by(value, minimum, unix)?);
            }
            "HOLDFOR" if offered.future_release.is_some() => {
                let seconds = value.and_then(|value| number(value, 9));
                hold_for = Some(seconds.ok_or(Error::Value(HOLD))? as i64);
            }
            "HOLDUNTIL" if offered.future_release.is_some() => {
                let moment = value.and_then(date::from_internet);
                hold_for = Some(moment.ok_or(Error::Value(HOLD))? - unix);
            }
            "MT-PRIORITY" => {
                options.priority = value.and_then(priority).ok_or(Error::Value(PRIORITY))?;
            }
            _ => return Err(Error::Unknown(keyword)),
        }
    }
    if let Some(seconds) = hold_for {
        let held_twice = parameters
            .iter()
            .filter(|parameter| {
                let word = parameter.keyword;
                word.eq_ignore_ascii_case("HOLDFOR") || word.eq_ignore_ascii_case("HOLDUNTIL")
            })
            .count();
        // RFC 4865 §4: one of the two.
        if held_twice > 1 {
            return Err(Error::Value(HOLD));
        }
        let bound = offered.future_release.unwrap_or_default();
        if seconds > i64::from(bound) {
            return Err(Error::TooLate(bound));
        }
        // RFC 4865 §5: a moment that has passed holds nothing.
        options.hold_until = (seconds > 0).then_some(unix + seconds);
    }
    Ok(options)
}

/// Reads the parameters of RCPT; `utf8` is whether MAIL said SMTPUTF8.
pub fn rcpt_options(
    parameters: &[Parameter<'_>],
    offered: &Offered,
) -> Result<(Notify, Option<OriginalRecipient>), ParameterError> {
    let (mut notify, mut original) = (Notify::Unsaid, None);
    for (at, parameter) in parameters.iter().enumerate() {
        let keyword = keyword(&parameters[..at], parameter)?;
        match keyword.as_str() {
            "NOTIFY" if offered.dsn => {
                notify = parameter
                    .value
                    .and_then(self::notify)
                    .ok_or(Error::Value(NOTIFY))?;
            }
            "ORCPT" if offered.dsn => {
                let value = parameter.value.and_then(original_recipient);
                original = Some(value.ok_or(Error::Value(ORCPT))?);
            }
            _ => return Err(Error::Unknown(keyword)),
        }
    }
    Ok((notify, original))
}

use ParameterError as Error;

/// In upper case; an error when it stood there before.
fn keyword(before: &[Parameter<'_>], parameter: &Parameter<'_>) -> Result<String, Error> {
    let keyword = parameter.keyword.to_ascii_uppercase();
    let same = |other: &Parameter<'_>| other.keyword.eq_ignore_ascii_case(&keyword);
    if before.iter().any(same) {
        return Err(Error::Twice(keyword));
    }
    Ok(keyword)
}

/// RFC 1870 §3: at most 20 digits.
///
/// ```
/// use mailtool::wire::smtp::parameters::size;
///
/// assert_eq!((size("1000"), size("-1"), size("99999999999999999999")), (Some(1000), None, Some(u64::MAX)));
/// ```
pub fn size(value: &str) -> Option<u64> {
    // Twenty digits may be more than fits, and then they are more than any limit.
    number(value, 20)
}

/// `digits` digits at most; what does not fit is as much as fits.
fn number(value: &str, digits: usize) -> Option<u64> {
    let fits = (1..=digits).contains(&value.len()) && value.bytes().all(|it| it.is_ascii_digit());
    fits.then(|| value.parse().unwrap_or(u64::MAX))
}

fn body(value: &str) -> Option<Body> {
    [
        ("7BIT", Body::SevenBit),
        ("8BITMIME", Body::EightBit),
        ("BINARYMIME", Body::Binary),
    ]
    .into_iter()
    .find(|(name, _)| name.eq_ignore_ascii_case(value))
    .map(|(_, body)| body)
}

/// RFC 4954 §5: `<>`, or an address in xtext.
fn submitter(value: &str) -> Option<String> {
    if value == "<>" {
        return Some(String::new());
    }
    xtext::decode(value).filter(|address| !address.is_empty())
}

/// RFC 2852 §4: `120;R`, `-30;NT`.
fn deliver_by(value: Option<&str>, minimum: u32, unix: i64) -> Result<DeliverBy, Error> {
    let wrong = Error::Value(BY);
    let (time, mode) = value
        .and_then(|value| value.split_once(';'))
        .ok_or_else(|| wrong.clone())?;
    let (sign, digits) = match time.strip_prefix(['+', '-']) {
        Some(digits) if time.starts_with('-') => (-1, digits),
        Some(digits) => (1, digits),
        None => (1, time),
    };
    // Nine digits: it fits.
    let seconds = number(digits, 9).ok_or_else(|| wrong.clone())? as i64 * sign;
    let mut letters = mode.chars().map(|letter| letter.to_ascii_uppercase());
    let mode = match letters.next() {
        Some('R') => ByMode::Return,
        Some('N') => ByMode::Notify,
        _ => return Err(wrong),
    };
    let trace = match (letters.next(), letters.next()) {
        (None, _) => false,
        (Some('T'), None) => true,
        _ => return Err(wrong),
    };
    if mode == ByMode::Return {
        // RFC 2852 §4: a time that has passed cannot be kept to.
        if seconds <= 0 {
            return Err(wrong);
        }
        if seconds < i64::from(minimum) {
            return Err(Error::TooSoon(minimum));
        }
    }
    Ok(DeliverBy {
        deadline: unix + seconds,
        mode,
        trace,
    })
}

/// RFC 6710 §4: -9 to 9, without leading zeros.
fn priority(value: &str) -> Option<i8> {
    let digit = value.strip_prefix('-').unwrap_or(value);
    let fits = digit.len() == 1 && digit.as_bytes()[0].is_ascii_digit() && value != "-0";
    value.parse().ok().filter(|_| fits)
}

/// RFC 3461 §4.1
fn notify(value: &str) -> Option<Notify> {
    if value.eq_ignore_ascii_case("NEVER") {
        return Some(Notify::Never);
    }
    let (mut success, mut failure, mut delay) = (false, false, false);
    for word in value.split(',') {
        let asked = match word.to_ascii_uppercase().as_str() {
            "SUCCESS" => &mut success,
            "FAILURE" => &mut failure,
            "DELAY" => &mut delay,
            _ => return None,
        };
        *asked = true;
    }
    Some(Notify::On {
        success,
        failure,
        delay,
    })
}

/// RFC 3461 §4.2: `rfc822;Bob+2BSmith@example.org`; RFC 6533 §3: `utf-8;...`.
fn original_recipient(value: &str) -> Option<OriginalRecipient> {
    if value.len() > ORIGINAL_RECIPIENT {
        return None;
    }
    let (kind, address) = value.split_once(';')?;
    let atom = |octet: u8| octet.is_ascii_alphanumeric() || octet == b'-';
    if kind.is_empty() || !kind.bytes().all(atom) {
        return None;
    }
    let address = if kind.eq_ignore_ascii_case("utf-8") {
        xtext::decode_utf8(address)
    } else {
        xtext::decode(address)
    };
    Some(OriginalRecipient {
        kind: kind.to_owned(),
        address: address.filter(|address| !address.is_empty())?,
    })
}

/// Octets of ENVID (RFC 3461 §4.4).
const ENVELOPE_ID: usize = 100;
/// Octets of ORCPT (RFC 3461 §4.2).
const ORIGINAL_RECIPIENT: usize = 500;

const SIZE: &str = "SIZE takes a number of octets. Example: SIZE=1000";
const BODY: &str = "BODY is 7BIT, 8BITMIME or BINARYMIME. Example: BODY=8BITMIME";
const SMTPUTF8: &str = "SMTPUTF8 takes no value. Example: MAIL FROM:<bob@example.org> SMTPUTF8";
const AUTH: &str = "AUTH takes an address in xtext, or AUTH=<>. Example: AUTH=bob@example.org";
const RET: &str = "RET is FULL or HDRS. Example: RET=HDRS";
const ENVID: &str =
    "ENVID takes a name of your own, at most 100 octets of xtext. Example: ENVID=QQ314159";
const REQUIRETLS: &str =
    "REQUIRETLS takes no value. Example: MAIL FROM:<bob@example.org> REQUIRETLS";
const BY: &str = "BY takes seconds, a semicolon, R or N, and perhaps T; with R more than 0 seconds. Example: BY=120;R";
const HOLD: &str = "HOLDFOR takes seconds, or HOLDUNTIL a moment, not both. Example: HOLDUNTIL=2030-01-31T08:00:00Z";
const PRIORITY: &str = "MT-PRIORITY takes a number from -9 to 9. Example: MT-PRIORITY=3";
const NOTIFY: &str =
    "NOTIFY is NEVER, or some of SUCCESS,FAILURE,DELAY. Example: NOTIFY=SUCCESS,FAILURE";
const ORCPT: &str = "ORCPT takes a kind, a semicolon and an address in xtext. Example: ORCPT=rfc822;alice@example.org";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::smtp::{mail, rcpt};
    use proptest::prelude::*;

    const ALL: Offered = Offered {
        max_octets: 1000,
        dsn: true,
        deliver_by: Some(60),
        future_release: Some(86_400),
        require_tls: true,
    };
    const NOW: i64 = 1_800_000_000;

    fn of_mail(text: &str, offered: &Offered) -> Result<MailOptions, Error> {
        let line = format!("FROM:<> {text}");
        mail_options(&mail(line.as_bytes()).unwrap().1, offered, NOW)
    }

    fn of_rcpt(text: &str) -> Result<(Notify, Option<OriginalRecipient>), Error> {
        let line = format!("TO:<a@b.example> {text}");
        rcpt_options(&rcpt(line.as_bytes()).unwrap().1, &ALL)
    }

    #[test]
    fn everything_can_be_asked_for_at_once() {
        let options = of_mail(
            "size=1000 body=binarymime smtputf8 ret=full envid=a+20b auth=e+3Dmc2@example.com requiretls \
             by=-5;nt holdfor=60 mt-priority=-9",
            &ALL,
        );
        let expected = MailOptions {
            size: Some(1000),
            body: Body::Binary,
            utf8: true,
            ret: Some(Ret::Full),
            envelope_id: Some("a b".to_owned()),
            submitter: Some("e=mc2@example.com".to_owned()),
            require_tls: true,
            deliver_by: Some(DeliverBy {
                deadline: NOW - 5,
                mode: ByMode::Notify,
                trace: true,
            }),
            hold_until: Some(NOW + 60),
            priority: -9,
        };
        assert_eq!(options, Ok(expected));
        assert_eq!(
            of_mail("AUTH=<>", &ALL).unwrap().submitter.as_deref(),
            Some("")
        );
        let until = of_mail("HOLDUNTIL=2027-01-15T08:01:00Z", &ALL).unwrap();
        assert_eq!(until.hold_until, Some(NOW + 60));
        let passed = of_mail("HOLDUNTIL=2020-01-15T09:01:00+01:00", &ALL).unwrap();
        assert_eq!(passed.hold_until, None);
    }

    #[test]
    fn every_mistake_has_its_name() {
        for (text, error) in [
            ("SIZE=1001", Error::TooBig),
            ("SIZE", Error::Value(SIZE)),
            ("SIZE=1e3", Error::Value(SIZE)),
            ("size=1 SIZE=1", Error::Twice("SIZE".to_owned())),
            ("BODY=9BIT", Error::Value(BODY)),
            ("SMTPUTF8=yes", Error::Value(SMTPUTF8)),
            ("RET=BODY", Error::Value(RET)),
            ("ENVID=a+0D", Error::Value(ENVID)),
            ("AUTH=a+3d", Error::Value(AUTH)),
            ("REQUIRETLS=1", Error::Value(REQUIRETLS)),
            ("BY=0;R", Error::Value(BY)),
            ("BY=59;R", Error::TooSoon(60)),
            ("BY=1000000000;N", Error::Value(BY)),
            ("BY=60", Error::Value(BY)),
            ("BY=60;RX", Error::Value(BY)),
            ("BY=60;RTT", Error::Value(BY)),
            ("HOLDFOR=86401", Error::TooLate(86_400)),
            ("HOLDFOR=-1", Error::Value(HOLD)),
            (
                "HOLDFOR=1 HOLDUNTIL=2027-01-15T08:01:00Z",
                Error::Value(HOLD),
            ),
            ("HOLDUNTIL=tomorrow", Error::Value(HOLD)),
            ("MT-PRIORITY=10", Error::Value(PRIORITY)),
            ("MT-PRIORITY=+1", Error::Value(PRIORITY)),
            ("MT-PRIORITY", Error::Value(PRIORITY)),
            ("X-MINE=1", Error::Unknown("X-MINE".to_owned())),
        ] {
            assert_eq!(of_mail(text, &ALL), Err(error), "{text}");
        }
        let little = Offered {
            max_octets: 10,
            dsn: false,
            deliver_by: None,
            future_release: None,
            require_tls: false,
        };
        for keyword in ["RET=FULL", "ENVID=1", "BY=60;R", "HOLDFOR=1"] {
            let unknown = keyword.split('=').next().unwrap().to_owned();
            assert_eq!(of_mail(keyword, &little), Err(Error::Unknown(unknown)));
        }
        assert_eq!(of_mail("REQUIRETLS", &little), Err(Error::NeedsTls));
    }

    #[test]
    fn recipients_have_two() {
        let on = |success, failure, delay| Notify::On {
            success,
            failure,
            delay,
        };
        for (text, notify) in [
            ("NOTIFY=never", Notify::Never),
            ("NOTIFY=SUCCESS,DELAY", on(true, false, true)),
            ("NOTIFY=failure", on(false, true, false)),
            ("", Notify::Unsaid),
        ] {
            assert_eq!(of_rcpt(text).unwrap().0, notify, "{text}");
        }
        for text in [
            "NOTIFY=NEVER,SUCCESS",
            "NOTIFY=SUCCESS,",
            "NOTIFY",
            "NOTIFY=ALWAYS",
        ] {
            assert_eq!(of_rcpt(text), Err(Error::Value(NOTIFY)), "{text}");
        }
        for (text, kind, address) in [
            (
                "ORCPT=rfc822;Bob+2BSmith@x.example",
                "rfc822",
                "Bob+Smith@x.example",
            ),
            (
                "ORCPT=utf-8;al\\x{EF}ce@x.example",
                "utf-8",
                "al\u{ef}ce@x.example",
            ),
            (
                "ORCPT=UTF-8;al\u{ef}ce@x.example",
                "UTF-8",
                "al\u{ef}ce@x.example",
            ),
        ] {
            let original = of_rcpt(text).unwrap().1.unwrap();
            assert_eq!((&*original.kind, &*original.address), (kind, address));
        }
        for text in [
            "ORCPT=alice",
            "ORCPT=;a",
            "ORCPT=rfc822;",
            "ORCPT=rfc822;a+",
            "ORCPT=rfc822;\u{e9}",
        ] {
            assert_eq!(of_rcpt(text), Err(Error::Value(ORCPT)), "{text}");
        }
    }

    proptest! {
        #[test]
        fn anything_is_refused_or_read(text in "[ -~\u{e9}]{0,60}") {
            let line = format!("FROM:<> {text}");
            if let Ok((_, parameters)) = mail(line.as_bytes()) {
                let _ = (mail_options(&parameters, &ALL, NOW), rcpt_options(&parameters, &ALL));
            }
        }
    }
}
