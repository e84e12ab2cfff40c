//! How a session departs from what mail needs, for whoever tries a server out: where it stops, what it says besides, what it
//! insists on. The queue has none of it.
//!
//! Points in the order in which they are passed; each ends with the server's answer:
//!
//! | [`Point`] | passed with |
//! |---|---|
//! | Connect | the connection |
//! | Banner | the greeting |
//! | FirstHello | the first EHLO |
//! | Tls | STARTTLS and the handshake |
//! | Xclient | XCLIENT |
//! | Hello | the last EHLO |
//! | Auth | AUTH |
//! | Mail, Rcpt | MAIL, the last RCPT |
//! | Data | 354 |
//! | Dot | the end of the message |
//!
//! A point that a dialogue does not come by (no TLS, no login) is passed when the next one would begin.

/// What is different.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Manner {
    /// Where it ends before its time.
    pub stop: Option<Stop>,
    /// What is done for the others when a recipient is refused.
    pub on_refusal: OnRefusal,
    /// Parameters behind those of MAIL, each with a space before it.
    pub mail_parameters: String,
    /// The same for each RCPT.
    pub rcpt_parameters: String,
    /// Whether commands are sent before the one before is answered.
    pub pipelining: Pipelining,
    /// The message goes by BDAT, in chunks of so many octets.
    pub chunk_octets: Option<u64>,
    /// The arguments of each XCLIENT, in the form in which they are sent.
    pub xclient: Vec<String>,
}

/// An end before its time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stop {
    /// After what.
    pub point: Point,
    /// How.
    pub ending: Ending,
}

/// Where in a dialogue. See the module.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[expect(missing_docs, reason = "the table of the module has them")]
pub enum Point {
    Connect,
    Banner,
    FirstHello,
    Tls,
    Xclient,
    Hello,
    Auth,
    Mail,
    Rcpt,
    Data,
    Dot,
}

/// How a dialogue ends before its time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// With QUIT.
    Quit,
    /// The connection is closed.
    Drop,
    /// It is closed as soon as the command is sent: the answer is not waited for.
    DropUnheard,
}

/// What is done when a recipient is refused, and others are not.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OnRefusal {
    /// The others get the message.
    #[default]
    Send,
    /// Nobody does.
    Abort,
}

/// Whether commands are sent before the one before is answered (RFC 2920).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Pipelining {
    /// Where the server offers that.
    #[default]
    IfOffered,
    /// Never.
    Never,
    /// Whatever it offers: to see what comes of it.
    Always,
}
