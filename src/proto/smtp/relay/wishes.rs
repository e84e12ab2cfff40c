//! What this server is told of what a message's sender asked for; and why it may not be given the message at all.
//!
//! | the message | the server lacks | then |
//! |---|---|---|
//! | larger than | SIZE | 552 5.3.4 |
//! | with 8-bit text | 8BITMIME | 554 5.6.3 (RFC 6152 §3); 7-bit text that was only called 8-bit goes |
//! | binary | BINARYMIME, CHUNKING | 554 5.6.3 (RFC 3030 §3) |
//! | UTF-8 reverse-path or header | SMTPUTF8 | 550 5.6.7 (RFC 6531 §3.2) |
//! | UTF-8 recipient | SMTPUTF8 | 553 5.6.7 for this one; where only its domain is UTF-8, that is said in A-labels (RFC 5890) |
//! | all of it ASCII, called SMTPUTF8 | SMTPUTF8 | goes without |
//! | REQUIRETLS | REQUIRETLS, or verified TLS below | 550 5.7.30 (RFC 8689 §4.2.1) |
//! | BY with R, or a time that is over | DELIVERBY | 550 5.4.7, 554 5.3.3 (RFC 2852 §4.1.4) |
//! | more recipients than | LIMITS RCPTMAX | 452 4.5.3 for those beyond (RFC 9422 §4.1) |
//! | NOTIFY, ORCPT, RET, ENVID; MT-PRIORITY | DSN; MT-PRIORITY | goes without; see [`PassedOn`] |

use std::fmt::Write;

use super::offers::Offers;
use super::text::{Nature, Text};
use super::{Message, PassedOn};
use crate::proto::{TlsInfo, Verdict};
use crate::wire::address::Address;
use crate::wire::envelope::{
    Body, ByMode, DeliverBy, MailOptions, Notify, OriginalRecipient, Recipient, Ret,
};
use crate::wire::smtp::{Enhanced, Reply};

/// How a message is given to this server.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Wishes {
    /// What follows the reverse-path.
    parameters: String,
    /// What follows each recipient.
    rcpt_parameters: String,
    /// NOTIFY and ORCPT are said.
    dsn: bool,
    /// Domains are said as the DNS has them: the server does not take letters.
    a_labels: bool,
    pub(super) passed_on: PassedOn,
    pub(super) way: Way,
}

/// How the text goes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Way {
    /// DATA
    #[default]
    Dots,
    /// BDAT, all of it in one chunk.
    Chunk,
}

/// Why it cannot be decided yet, or cannot be.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Hitch {
    /// The text has to be looked at.
    Look,
    /// Nobody can get it from this server.
    Unfit(Reply),
}

/// What is known when it is decided.
pub(super) struct Situation<'a> {
    pub(super) offers: &'a Offers,
    pub(super) tls: Option<&'a TlsInfo>,
    /// Somebody has logged in.
    pub(super) logged_in: bool,
    /// Seconds since 1970.
    pub(super) unix: i64,
    /// Of the text, once it has been looked at.
    pub(super) nature: Option<Nature>,
}

impl Situation<'_> {
    /// Decides about the message as a whole.
    pub(super) fn wishes(&self, message: &Message) -> Result<Wishes, Hitch> {
        let (offers, options) = (self.offers, &message.envelope.options);
        let octets = message.text.octets();
        if let Some(most) = offers.size.filter(|&most| most > 0 && most < octets) {
            let what = format!("The message has {octets} octets; this server takes {most}");
            return unfit(552, Enhanced(5, 3, 4), what);
        }
        self.check_tls(options)?;
        let mut wishes = Wishes {
            a_labels: !offers.utf8,
            ..Wishes::default()
        };
        let out = &mut wishes.parameters;
        if offers.size.is_some() {
            say(out, format_args!(" SIZE={octets}"));
        }
        if let Some(body) = self.body(message)? {
            say(out, format_args!(" BODY={body}"));
        }
        if self.utf8(message)? {
            out.push_str(" SMTPUTF8");
        }
        if offers.dsn {
            wishes.dsn = true;
            wishes.passed_on.dsn = true;
            match options.ret {
                Some(Ret::Full) => out.push_str(" RET=FULL"),
                Some(Ret::Headers) => out.push_str(" RET=HDRS"),
                None => {}
            }
            if let Some(id) = &options.envelope_id {
                say(out, format_args!(" ENVID={}", xtext(id)));
            }
        }
        if let (true, Some(submitter)) = (self.logged_in, &options.submitter) {
            match submitter.as_str() {
                "" => out.push_str(" AUTH=<>"),
                somebody => say(out, format_args!(" AUTH={}", xtext(somebody))),
            }
        }
        if options.require_tls {
            out.push_str(" REQUIRETLS");
        }
        if let Some(by) = &options.deliver_by
            && let Some(seconds) = self.deliver_by(by)?
        {
            let mode = match by.mode {
                ByMode::Return => 'R',
                ByMode::Notify => 'N',
            };
            let trace = if by.trace { "T" } else { "" };
            say(out, format_args!(" BY={seconds};{mode}{trace}"));
            wishes.passed_on.deliver_by = true;
        }
        if offers.priority && options.priority != 0 {
            say(out, format_args!(" MT-PRIORITY={}", options.priority));
        }
        let is_file = matches!(message.text, Text::Stored(_));
        if options.body == Body::Binary || is_file && offers.chunking {
            // A file goes out as it is, without a look at its dots.
            wishes.way = Way::Chunk;
        }
        Ok(wishes)
    }

    /// Why this recipient cannot be named to this server.
    pub(super) fn recipient(&self, recipient: &Recipient, place: usize) -> Option<Reply> {
        if !self.offers.utf8 && !is_ascii(&recipient.address) {
            let what =
                "The address has letters outside of ASCII, and this server does not offer SMTPUTF8";
            return Some(Reply::new(553, Enhanced(5, 6, 7), what));
        }
        if self.offers.rcpt_max.is_some_and(|most| place >= most) {
            let what = "This server takes fewer recipients at a time";
            return Some(Reply::new(452, Enhanced(4, 5, 3), what));
        }
        None
    }

    fn check_tls(&self, options: &MailOptions) -> Result<(), Hitch> {
        if !options.require_tls {
            return Ok(());
        }
        let verified = self.tls.is_some_and(|tls| tls.verdict == Verdict::Good);
        let what = match (verified, self.offers.require_tls) {
            (true, true) => return Ok(()),
            (false, _) => {
                "The sender requires TLS with a certificate that is good, and there is none"
            }
            (true, false) => "The sender requires REQUIRETLS, and this server does not offer it",
        };
        unfit(550, Enhanced(5, 7, 30), what)
    }

    fn body(&self, message: &Message) -> Result<Option<&'static str>, Hitch> {
        match message.envelope.options.body {
            Body::SevenBit => Ok(None),
            Body::Binary if self.offers.binary && self.offers.chunking => Ok(Some("BINARYMIME")),
            Body::Binary => {
                let what =
                    "The message is binary, and this server does not offer BINARYMIME and CHUNKING";
                unfit(554, Enhanced(5, 6, 3), what)
            }
            Body::EightBit if self.offers.eight_bit => Ok(Some("8BITMIME")),
            Body::EightBit if self.nature(message)?.eight_bit => {
                let what =
                    "The message has octets above 127, and this server does not offer 8BITMIME";
                unfit(554, Enhanced(5, 6, 3), what)
            }
            Body::EightBit => Ok(None),
        }
    }

    /// Whether SMTPUTF8 is said.
    fn utf8(&self, message: &Message) -> Result<bool, Hitch> {
        let envelope = &message.envelope;
        if self.offers.utf8 || !envelope.options.utf8 {
            return Ok(envelope.options.utf8);
        }
        let what = if envelope
            .reverse_path
            .as_ref()
            .is_some_and(|path| !is_ascii(path))
        {
            "The sender's address has letters outside of ASCII, and this server does not offer SMTPUTF8"
        } else if self.nature(message)?.eight_bit_header {
            "The header has letters outside of ASCII, and this server does not offer SMTPUTF8"
        } else {
            return Ok(false);
        };
        unfit(550, Enhanced(5, 6, 7), what)
    }

    fn nature(&self, message: &Message) -> Result<Nature, Hitch> {
        match (&message.text, self.nature) {
            (_, Some(nature)) => Ok(nature),
            (Text::Bytes(bytes), None) => Ok(Nature::of(bytes)),
            (Text::Stored(_), None) => Err(Hitch::Look),
        }
    }

    /// The seconds that are left, if they are told.
    fn deliver_by(&self, by: &DeliverBy) -> Result<Option<i64>, Hitch> {
        let left = by.deadline - self.unix;
        let must = by.mode == ByMode::Return;
        if must && left <= 0 {
            let what = "The time in which the message was to be delivered is over";
            return unfit(550, Enhanced(5, 4, 7), what);
        }
        match self.offers.deliver_by {
            // RFC 2852 §4.1.4.1: a time that the server does not promise.
            Some(least) if must && left < least => {
                let what =
                    format!("{left} seconds are left, and this server promises {least} at best");
                unfit(550, Enhanced(5, 4, 7), what)
            }
            Some(_) => Ok(Some(left.clamp(-999_999_999, 999_999_999))),
            None if must => {
                let what = "The sender wants the message back if it is late, and this server does not offer DELIVERBY";
                unfit(554, Enhanced(5, 3, 3), what)
            }
            None => Ok(None),
        }
    }
}

impl Wishes {
    /// What is to be said besides, whatever the server offers.
    pub(super) fn say_besides(&mut self, mail: &str, rcpt: &str) {
        self.parameters.push_str(mail);
        self.rcpt_parameters.push_str(rcpt);
    }

    /// `MAIL FROM:<path>` with its parameters.
    pub(super) fn mail(&self, reverse_path: Option<&Address>) -> String {
        match reverse_path {
            Some(path) => format!("MAIL FROM:<{}>{}", self.said(path), self.parameters),
            None => format!("MAIL FROM:<>{}", self.parameters),
        }
    }

    /// An address in letters that this server takes.
    fn said(&self, address: &Address) -> String {
        match self.a_labels {
            true => address.in_ascii().to_string(),
            false => address.to_string(),
        }
    }

    /// `RCPT TO:<path>` with its parameters.
    pub(super) fn rcpt(&self, recipient: &Recipient) -> String {
        let mut line = format!("RCPT TO:<{}>", self.said(&recipient.address));
        if !self.dsn {
            line.push_str(&self.rcpt_parameters);
            return line;
        }
        match recipient.notify {
            Notify::Unsaid => {}
            Notify::Never => line.push_str(" NOTIFY=NEVER"),
            Notify::On {
                success,
                failure,
                delay,
            } => {
                let named = [(success, "SUCCESS"), (failure, "FAILURE"), (delay, "DELAY")];
                let named = named.into_iter().filter(|(is_on, _)| *is_on);
                let words: Vec<_> = named.map(|(_, word)| word).collect();
                say(&mut line, format_args!(" NOTIFY={}", words.join(",")));
            }
        }
        if let Some(original) = &recipient.original {
            say(
                &mut line,
                format_args!(" ORCPT={}", original_recipient(original)),
            );
        }
        line.push_str(&self.rcpt_parameters);
        line
    }
}

fn unfit<T>(code: u16, enhanced: Enhanced, what: impl Into<String>) -> Result<T, Hitch> {
    Err(Hitch::Unfit(Reply::new(code, enhanced, what.into())))
}

/// Whether it can be said in ASCII.
fn is_ascii(address: &Address) -> bool {
    address.in_ascii().is_ascii()
}

fn original_recipient(original: &OriginalRecipient) -> String {
    let (kind, address) = (&original.kind, &original.address);
    if kind.eq_ignore_ascii_case("utf-8") {
        return format!("{kind};{}", embedded_unicode(address));
    }
    format!("{kind};{}", xtext(address))
}

/// RFC 3461 §4: `+` and two digits for what is no printable ASCII, `+` or `=`.
fn xtext(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for octet in text.bytes() {
        match octet {
            b'!'..=b'~' if !matches!(octet, b'+' | b'=') => out.push(char::from(octet)),
            _ => say(&mut out, format_args!("+{octet:02X}")),
        }
    }
    out
}

/// RFC 6533 §3, utf-8-addr-xtext: `\x{...}` for what is no printable ASCII, `+`, `=` or `\`. Right with and without SMTPUTF8.
fn embedded_unicode(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '!'..='~' if !matches!(letter, '+' | '=' | '\\') => out.push(letter),
            _ => say(&mut out, format_args!("\\x{{{:02X}}}", u32::from(letter))),
        }
    }
    out
}

/// A `String` takes whatever it is given.
fn say(out: &mut String, words: std::fmt::Arguments<'_>) {
    out.write_fmt(words).ok();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_escaped_as_their_standards_want() {
        assert_eq!(xtext("a+b=c d\u{e9}"), "a+2Bb+3Dc+20d+C3+A9");
        let original = |kind: &str, address: &str| {
            original_recipient(&OriginalRecipient {
                kind: kind.into(),
                address: address.into(),
            })
        };
        assert_eq!(
            original("rfc822", "Bob+x@a.example"),
            "rfc822;Bob+2Bx@a.example"
        );
        assert_eq!(
            original("utf-8", "\u{e9}+@a.example"),
            "utf-8;\\x{E9}\\x{2B}@a.example"
        );
    }
}
