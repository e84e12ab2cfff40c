//! A delivery report as it arrives: what it says of each recipient (RFC 3464 §2).
//!
//! It is read as text, not as MIME: the part begins after a header that says `message/delivery-status` (or
//! `global-delivery-status`), or where a field of it stands at the beginning, and ends with a boundary. So a report that was
//! cut off, forwarded or pasted is read as far as it goes. What it takes is bounded by what it is given.

use std::borrow::Cow;

/// What a report says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reported {
    /// Who reports.
    pub by: Option<String>,
    /// Of whom.
    pub recipients: Vec<Fortune>,
}

/// What became of one recipient.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Fortune {
    /// The address that was tried last.
    pub recipient: String,
    /// The address that the sender wrote to, where the report says it.
    pub original: Option<String>,
    /// `failed`, `delayed`, `delivered`, `relayed` or `expanded`; in small letters.
    pub action: String,
    /// `5.1.1`
    pub status: Option<String>,
    /// The server that said so.
    pub remote: Option<String>,
    /// What it said, without its type.
    pub diagnostic: Option<String>,
    /// Until when it is tried.
    pub retry_until: Option<String>,
}

impl Reported {
    /// What `message` reports; `None` when it is no report.
    ///
    /// ```
    /// use mailtool::wire::report::Reported;
    ///
    /// let text = b"Reporting-MTA: dns; mail.example.org\n\n\
    ///     Final-Recipient: rfc822; bob@example.net\nAction: failed\nStatus: 5.1.1\n\
    ///     Diagnostic-Code: smtp; 550 5.1.1 No such\n user\n";
    /// let report = Reported::parse(text).unwrap();
    /// assert_eq!(report.by.as_deref(), Some("mail.example.org"));
    /// assert_eq!(report.recipients[0].recipient, "bob@example.net");
    /// assert_eq!(report.recipients[0].diagnostic.as_deref(), Some("550 5.1.1 No such user"));
    /// assert!(Reported::parse(b"Subject: hello\n\nhello\n").is_none());
    /// ```
    pub fn parse(message: &[u8]) -> Option<Self> {
        let text = String::from_utf8_lossy(message);
        let mut report = Self::default();
        let mut group = Fortune::default();
        let mut is_inside = false;
        for line in Unfolded::of(part(&text)?) {
            // Blank lines part the groups; a boundary ends the part.
            if line.starts_with("--") {
                break;
            }
            let Some((name, value)) = line.split_once(':') else {
                continue;
            };
            let value = value.trim();
            let typed = || untyped(value).to_owned();
            let name = name.trim().to_ascii_lowercase();
            let is_first = matches!(name.as_str(), "final-recipient" | "original-recipient");
            if is_first
                && is_inside
                && (name == "original-recipient" || !group.recipient.is_empty())
            {
                report.recipients.push(std::mem::take(&mut group));
            }
            is_inside |= is_first;
            match name.as_str() {
                "reporting-mta" => report.by = Some(typed()),
                "final-recipient" => group.recipient = typed(),
                "original-recipient" => group.original = Some(typed()),
                "action" => group.action = first(value).to_ascii_lowercase(),
                "status" => group.status = Some(first(value).to_owned()),
                "remote-mta" => group.remote = Some(typed()),
                "diagnostic-code" => group.diagnostic = Some(typed()),
                "will-retry-until" => group.retry_until = Some(value.to_owned()),
                _ => {}
            }
        }
        if is_inside {
            report.recipients.push(group);
        }
        let are_named = |it: &mut Fortune| {
            if it.recipient.is_empty() {
                it.recipient = it.original.clone().unwrap_or_default();
            }
            !it.recipient.is_empty()
        };
        report.recipients.retain_mut(are_named);
        (!report.recipients.is_empty()).then_some(report)
    }
}

/// Where the fields begin.
fn part(text: &str) -> Option<&str> {
    let begins = |name: &str| {
        let start = text.get(..name.len());
        start.is_some_and(|start| start.eq_ignore_ascii_case(name))
    };
    let fields = [
        "Reporting-MTA:",
        "Final-Recipient:",
        "Original-Recipient:",
        "Original-Envelope-Id:",
        "Arrival-Date:",
    ];
    if fields.into_iter().any(begins) {
        return Some(text);
    }
    // The header of the part, then a blank line.
    let lower = text.to_ascii_lowercase();
    let mut from = 0;
    while let Some(at) = lower[from..].find("delivery-status") {
        let at = from + at;
        from = at + 1;
        let line = lower[..at].rfind('\n').map_or(0, |end| end + 1);
        let head = &lower[line..at];
        // `report-type=delivery-status` stands in the header of the whole.
        if !(head.starts_with("content-type:") && head.ends_with("message/")
            || head.starts_with("content-type:") && head.ends_with("message/global-"))
        {
            continue;
        }
        let rest = &text[at..];
        let blank = ["\r\n\r\n", "\n\n"]
            .into_iter()
            .filter_map(|gap| Some(rest.find(gap)? + gap.len()))
            .min()?;
        return Some(&rest[blank..]);
    }
    None
}

/// The value without the type before it: `rfc822; bob@example.net`, `dns; mx`, `smtp; 550 ...`.
fn untyped(value: &str) -> &str {
    match value.split_once(';') {
        Some((kind, rest)) if !kind.trim().contains(' ') => rest.trim(),
        _ => value,
    }
}

/// The first word, without a comment behind it.
fn first(value: &str) -> &str {
    value.split([' ', '\t', '(']).next().unwrap_or_default()
}

/// Lines, those that go on with a space put together.
struct Unfolded<'a> {
    lines: std::iter::Peekable<std::str::Lines<'a>>,
}

impl<'a> Unfolded<'a> {
    fn of(text: &'a str) -> Self {
        Self {
            lines: text.lines().peekable(),
        }
    }
}

impl<'a> Iterator for Unfolded<'a> {
    type Item = Cow<'a, str>;

    fn next(&mut self) -> Option<Self::Item> {
        let mut line = Cow::Borrowed(self.lines.next()?);
        while let Some(more) = self.lines.next_if(|next| {
            next.starts_with([' ', '\t']) && !next.trim().is_empty() && !line.is_empty()
        }) {
            let whole = line.to_mut();
            whole.push(' ');
            whole.push_str(more.trim());
        }
        Some(line)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_of_several_recipients_out_of_a_message() {
        let message = "From: MAILER-DAEMON@mail.example.org\r\n\
            Content-Type: multipart/report; report-type=delivery-status; boundary=\"b\"\r\n\r\n\
            --b\r\nContent-Type: text/plain\r\n\r\nSorry.\r\n\r\n\
            --b\r\nContent-Type: message/delivery-status\r\n\r\n\
            Reporting-MTA: dns; mail.example.org\r\n\r\n\
            Original-Recipient: rfc822;bob@old.example\r\n\
            Final-Recipient: rfc822; bob@example.net\r\n\
            Action: FAILED (for good)\r\nStatus: 5.2.2 (full)\r\nRemote-MTA: dns; mx.example.net\r\n\
            Diagnostic-Code: smtp; 552 5.2.2 over;\r\n\tquota\r\n\r\n\
            Final-Recipient: rfc822; carol@example.net\r\nAction: delayed\r\nStatus: 4.4.1\r\n\
            Will-Retry-Until: Fri, 27 Nov 2026 10:00:00 +0000\r\n\r\n\
            --b\r\nContent-Type: message/rfc822\r\n\r\nFinal-Recipient: rfc822; no@example.net\r\n--b--\r\n";
        let report = Reported::parse(message.as_bytes()).expect("a report");
        assert_eq!(report.by.as_deref(), Some("mail.example.org"));
        assert_eq!(report.recipients.len(), 2);
        let bob = &report.recipients[0];
        assert_eq!(bob.original.as_deref(), Some("bob@old.example"));
        assert_eq!(
            (bob.action.as_str(), bob.status.as_deref()),
            ("failed", Some("5.2.2"))
        );
        assert_eq!(bob.diagnostic.as_deref(), Some("552 5.2.2 over; quota"));
        let carol = &report.recipients[1];
        assert_eq!(
            carol.retry_until.as_deref(),
            Some("Fri, 27 Nov 2026 10:00:00 +0000")
        );
        // Cut anywhere, it is read as far as it goes, or is none.
        for end in 0..message.len() {
            let _ = Reported::parse(&message.as_bytes()[..end]);
        }
    }

    #[test]
    fn what_is_no_report() {
        for text in [
            "",
            "\n",
            ":",
            "delivery-status",
            "Content-Type: message/delivery-status",
            "Content-Type: message/delivery-status\n\n--x",
        ] {
            assert_eq!(Reported::parse(text.as_bytes()), None, "{text:?}");
        }
    }
}
