//! The envelope of a message: who sent it, to whom it goes, and what MAIL and RCPT asked beside that.
//!
//! | said | field | source |
//! |---|---|---|
//! | `MAIL FROM:<path>` | [`Envelope::reverse_path`] | RFC 5321 §4.1.1.2 |
//! | `SIZE=` | [`MailOptions::size`] | RFC 1870 |
//! | `BODY=` | [`MailOptions::body`] | RFC 6152, RFC 3030 |
//! | `SMTPUTF8` | [`MailOptions::utf8`] | RFC 6531 |
//! | `RET=`, `ENVID=` | [`MailOptions::ret`], [`MailOptions::envelope_id`] | RFC 3461 §4.3, §4.4 |
//! | `AUTH=` | [`MailOptions::submitter`] | RFC 4954 §5 |
//! | `REQUIRETLS` | [`MailOptions::require_tls`] | RFC 8689 |
//! | `BY=` | [`MailOptions::deliver_by`] | RFC 2852 |
//! | `HOLDFOR=`, `HOLDUNTIL=` | [`MailOptions::hold_until`] | RFC 4865 |
//! | `MT-PRIORITY=` | [`MailOptions::priority`] | RFC 6710 |
//! | `RCPT TO:<path>` | [`Recipient::address`] | RFC 5321 §4.1.1.3 |
//! | `NOTIFY=`, `ORCPT=` | [`Recipient::notify`], [`Recipient::original`] | RFC 3461 §4.1, §4.2 |
//!
//! Moments are seconds since 1970: a wait that was asked for ("hold for an hour") is settled when it arrives.

use super::address::Address;

/// A message's envelope.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Envelope {
    /// Where reports go; `None` is the null path, `<>`, for which there is never one.
    pub reverse_path: Option<Address>,
    /// What MAIL asked for.
    pub options: MailOptions,
    /// In the order in which they were named.
    pub recipients: Vec<Recipient>,
}

impl Envelope {
    /// Whether somebody is to be told that the message has arrived (RFC 3461 §5.2.3): `NOTIFY=SUCCESS` for one of the recipients, and a
    /// sender who can be told.
    pub fn wants_receipt(&self) -> bool {
        let success = |one: &Recipient| matches!(one.notify, Notify::On { success: true, .. });
        self.reverse_path.is_some() && self.recipients.iter().any(success)
    }
}

/// What MAIL asked for beside the reverse-path.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MailOptions {
    /// How many octets the message will have, as its sender thinks.
    pub size: Option<u64>,
    /// What the text is made of.
    pub body: Body,
    /// Addresses and header may be UTF-8.
    pub utf8: bool,
    /// How much of the message a report of failure brings back.
    pub ret: Option<Ret>,
    /// What the sender calls this envelope, decoded from xtext; reports say it.
    pub envelope_id: Option<String>,
    /// Who submitted it first, decoded from xtext; `Some("")` is `<>`: not known, or not to be believed.
    pub submitter: Option<String>,
    /// It may only go on over verified TLS.
    pub require_tls: bool,
    /// By when it has to be there.
    pub deliver_by: Option<DeliverBy>,
    /// It is not sent on before.
    pub hold_until: Option<i64>,
    /// -9 (last) to 9 (first); 0 when nothing was said.
    pub priority: i8,
}

/// What a message's text is made of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Body {
    /// Lines of ASCII.
    #[default]
    SevenBit,
    /// Lines of octets.
    EightBit,
    /// Octets without lines: BDAT only.
    Binary,
}

/// How much of the message a report brings back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ret {
    /// All of it.
    Full,
    /// Its header.
    Headers,
}

/// By when a message has to be there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DeliverBy {
    /// The moment, seconds since 1970.
    pub deadline: i64,
    /// What happens to the message then.
    pub mode: ByMode,
    /// Each hop reports that it passed on the message.
    pub trace: bool,
}

/// What happens to a message that is late.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ByMode {
    /// It goes back.
    Return,
    /// Its sender is told, and it goes on.
    Notify,
}

/// One to whom a message goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recipient {
    /// The forward-path.
    pub address: Address,
    /// When the sender is told of it.
    pub notify: Notify,
    /// Whom the sender named first.
    pub original: Option<OriginalRecipient>,
}

impl Recipient {
    /// One about whom nothing was said but the address.
    pub fn new(address: Address) -> Self {
        Self {
            address,
            notify: Notify::default(),
            original: None,
        }
    }
}

/// When the sender is told what became of a recipient.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Notify {
    /// Nothing was said: of failure, and perhaps of delay.
    #[default]
    Unsaid,
    /// `NEVER`
    Never,
    /// The named ones, at least one of them.
    On {
        /// `SUCCESS`
        success: bool,
        /// `FAILURE`
        failure: bool,
        /// `DELAY`
        delay: bool,
    },
}

/// `ORCPT=rfc822;Bob+2BSmith@example.org`, decoded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OriginalRecipient {
    /// `rfc822`, `utf-8`, ...
    pub kind: String,
    /// As the first sender wrote it, decoded from xtext.
    pub address: String,
}
