//! The protocols that `serve` speaks: names and ports.

/// One of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Protocol {
    /// RFC 5321
    Smtp,
    /// RFC 6409
    Submission,
    /// RFC 8314 §3.3: submission over TLS
    Smtps,
    /// RFC 2033
    Lmtp,
    /// RFC 1939
    Pop3,
    /// RFC 8314 §3.3
    Pop3s,
    /// RFC 3501
    Imap,
    /// RFC 8314 §3.2
    Imaps,
}

impl Protocol {
    /// All, in the order in which they are shown.
    pub(super) const ALL: [Self; 8] = [
        Self::Smtp,
        Self::Submission,
        Self::Smtps,
        Self::Lmtp,
        Self::Pop3,
        Self::Pop3s,
        Self::Imap,
        Self::Imaps,
    ];

    /// Its option's name.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Smtp => "smtp",
            Self::Submission => "submission",
            Self::Smtps => "smtps",
            Self::Lmtp => "lmtp",
            Self::Pop3 => "pop3",
            Self::Pop3s => "pop3s",
            Self::Imap => "imap",
            Self::Imaps => "imaps",
        }
    }

    /// Whether it takes mail.
    pub(super) const fn is_smtp(self) -> bool {
        matches!(
            self,
            Self::Smtp | Self::Submission | Self::Smtps | Self::Lmtp
        )
    }

    /// Whether TLS starts with the first byte.
    pub(super) const fn is_implicit_tls(self) -> bool {
        matches!(self, Self::Smtps | Self::Pop3s | Self::Imaps)
    }

    /// The port of the standard, or that plus a thousand, which needs no root. LMTP has none: it is off unless asked for.
    pub(super) fn port(self, standard: bool) -> Option<u16> {
        let port = match self {
            Self::Smtp => 25,
            Self::Submission => 587,
            Self::Smtps => 465,
            Self::Lmtp => return None,
            Self::Pop3 => 110,
            Self::Pop3s => 995,
            Self::Imap => 143,
            Self::Imaps => 993,
        };
        Some(if standard { port } else { port + 1000 })
    }
}
