//! The codes in a line that some program printed: a dialogue as netcat, telnet, swaks, curl or this program shows it, or the
//! log of a mail server.
//!
//! | line | read as |
//! |---|---|
//! | `S: `, `2S: `, `<- `, `<~ `, `<** `, `< ` first | what a server says |
//! | `C: `, `C> `, `-> `, `~> `, `> ` first | what a client says: nothing is spotted |
//! | `550 5.1.1 text`, `+OK`, `-ERR [IN-USE]`, `* OK`, `a1 NO [TRYCREATE]` | what a server says |
//! | anything else | a line of a log: `said: 550 5.1.1`, `(250 2.0.0 ok)`, `dsn=4.4.1`, `: 554 no`, `#5.1.1` |
//!
//! In a log only what cannot well be anything else is taken: versions, addresses and times look like codes.

use super::{Hit, Kind, find};

/// What was spotted in a line.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Spotted {
    /// Words that [`find`] knows or whose digits speak, in their order: `550`, `5.1.1`, `[TRYCREATE]`.
    pub words: Vec<String>,
    /// The kind of each word.
    pub kinds: Vec<Kind>,
}

impl Spotted {
    fn push(&mut self, word: &str, kind: Kind) {
        if !self.words.iter().any(|known| known == word) {
            self.words.push(word.to_owned());
            self.kinds.push(kind);
        }
    }
}

/// Reads lines one after another.
#[derive(Clone, Copy, Debug, Default)]
pub struct Spotter {
    /// An IMAP server has greeted: a tagged line is an answer of it.
    is_imap: bool,
}

enum Voice {
    Server,
    Client,
    Unknown,
}

impl Spotter {
    /// The codes in `line`, which has no line end.
    ///
    /// ```
    /// use mailtool::wire::codes::Spotter;
    ///
    /// let mut spotter = Spotter::default();
    /// assert_eq!(spotter.line("<** 550 5.1.1 no such user").words, ["550", "5.1.1"]);
    /// assert_eq!(spotter.line("to=<x@example.org>, dsn=4.4.1, status=deferred").words, ["4.4.1"]);
    /// assert!(spotter.line("C: RCPT TO:<x@example.org>").words.is_empty());
    /// ```
    pub fn line(&mut self, line: &str) -> Spotted {
        let mut spotted = Spotted::default();
        let (voice, said) = voice(line);
        if matches!(voice, Voice::Client) {
            return spotted;
        }
        let is_server = matches!(voice, Voice::Server);
        if !self.reply(said, is_server, &mut spotted) && !is_server {
            log(line, &mut spotted);
        }
        spotted
    }

    /// Whether it is the line of a server.
    fn reply(&mut self, said: &str, is_server: bool, spotted: &mut Spotted) -> bool {
        if let Some((code, rest, is_last)) = reply_code(said) {
            if is_last {
                spotted.push(code, Kind::Reply);
                let word = rest.split(' ').next().unwrap_or_default();
                if is_status(word) && word.as_bytes()[0] == code.as_bytes()[0] {
                    spotted.push(word, Kind::Status);
                }
            }
            return true;
        }
        for status in ["+OK", "-ERR"] {
            if let Some(rest) = said.strip_prefix(status)
                && (rest.is_empty() || rest.starts_with(' '))
            {
                spotted.push(status, Kind::PopStatus);
                bracketed(rest.trim_start(), Kind::PopCode, spotted);
                return true;
            }
        }
        let Some((tag, rest)) = said.split_once(' ') else {
            return false;
        };
        let (word, text) = rest.split_once(' ').unwrap_or((rest, ""));
        let is_status = matches!(word, "OK" | "NO" | "BAD" | "BYE" | "PREAUTH");
        let is_tag = !tag.is_empty()
            && tag.len() <= 16
            && tag
                .bytes()
                .all(|octet| octet.is_ascii_alphanumeric() || octet == b'.');
        if tag == "*" && is_status || is_tag && is_status && (self.is_imap || is_server) {
            self.is_imap = true;
            spotted.push(word, Kind::ImapStatus);
            bracketed(text, Kind::ImapCode, spotted);
            return true;
        }
        if tag == "*" && (self.is_imap || is_server) {
            let mut words = rest.split(' ');
            let word = words.find(|word| !word.bytes().all(|octet| octet.is_ascii_digit()));
            let word = word.unwrap_or_default();
            if is(word, Kind::ImapData) {
                spotted.push(&word.to_ascii_uppercase(), Kind::ImapData);
                return true;
            }
        }
        false
    }
}

/// Who says it, and what.
fn voice(line: &str) -> (Voice, &str) {
    let after = |lead: &str| line.strip_prefix(lead);
    for lead in ["<- ", "<~ ", "<** ", "<~* ", "< "] {
        if let Some(said) = after(lead) {
            return (Voice::Server, said.trim_start());
        }
    }
    for lead in [" -> ", " ~> ", "-> ", "~> ", "> ", "**> ", " **> "] {
        if let Some(said) = after(lead) {
            return (Voice::Client, said);
        }
    }
    let bare = line.trim_start_matches(|letter: char| letter.is_ascii_digit());
    for (lead, voice) in [
        ("S: ", Voice::Server),
        ("C: ", Voice::Client),
        ("C> ", Voice::Client),
        ("C| ", Voice::Client),
        ("C:", Voice::Client),
    ] {
        if let Some(said) = bare.strip_prefix(lead) {
            return (voice, said);
        }
    }
    (Voice::Unknown, line)
}

/// `550 text`, `250-SIZE`: the code, the text, and whether the reply ends here.
fn reply_code(said: &str) -> Option<(&str, &str, bool)> {
    let (code, rest) = said.split_at_checked(3)?;
    let [first, second, third] = *code.as_bytes() else {
        return None;
    };
    // RFC 5321 §4.2: the first digit is 2 to 5, the second 0 to 5.
    if !(b'2'..=b'5').contains(&first)
        || !(b'0'..=b'5').contains(&second)
        || !third.is_ascii_digit()
    {
        return None;
    }
    match rest.chars().next() {
        None => Some((code, "", true)),
        Some(' ') => Some((code, &rest[1..], true)),
        Some('-') => Some((code, &rest[1..], false)),
        Some(_) => None,
    }
}

fn bracketed(text: &str, kind: Kind, spotted: &mut Spotted) {
    let inside = text
        .strip_prefix('[')
        .and_then(|rest| rest.split([']', ' ']).next());
    if let Some(inside) = inside {
        let word = format!("[{}]", inside.to_ascii_uppercase());
        if is(&word, kind) {
            spotted.push(&word, kind);
        }
    }
}

/// Whether `word` is in the table of this kind.
fn is(word: &str, kind: Kind) -> bool {
    let is_kind = |hit: &Hit| matches!(hit, Hit::Entry(entry) if entry.kind == kind);
    find(word).is_some_and(|found| found.hits.iter().any(is_kind))
}

/// `5.1.1`
fn is_status(word: &str) -> bool {
    let mut parts = word.split('.');
    let class = parts
        .next()
        .is_some_and(|class| matches!(class, "2" | "4" | "5"));
    let mut number = || {
        parts.next().is_some_and(|part| {
            (1..=3).contains(&part.len()) && part.bytes().all(|octet| octet.is_ascii_digit())
        })
    };
    class && number() && number() && parts.next().is_none()
}

/// A line of a log.
fn log(line: &str, spotted: &mut Spotted) {
    let mut before = "";
    let mut words = line.split_whitespace().peekable();
    while let Some(word) = words.next() {
        // `(250`, `C="250`, `<550`
        let opened = word.trim_start_matches(|letter: char| "(\"'<=".contains(letter));
        let opened = opened.strip_prefix("C=\"").unwrap_or(opened);
        let is_opened = opened.len() < word.len();
        let closed = opened.trim_end_matches([',', ';', ')', '"', ':', '\'']);
        // Of a server that speaks IMAP or POP3 to another: `Authentication failed: [AUTHENTICATIONFAILED] ...`.
        if closed.ends_with(']') && before.ends_with([':', ')']) && !closed.contains('=') {
            let kinds = [Kind::ImapCode, Kind::PopCode].into_iter();
            for kind in kinds.filter(|kind| is(closed, *kind)).take(1) {
                spotted.push(closed, kind);
            }
        }
        if let Some(status) = closed
            .strip_prefix("dsn=")
            .or_else(|| closed.strip_prefix('#'))
            && is_status(status)
        {
            spotted.push(status, Kind::Status);
        } else if is_status(closed) && before.eq_ignore_ascii_case("status:") {
            spotted.push(closed, Kind::Status);
        } else if let Some((code, joined, _)) = reply_code(closed) {
            let joined = joined.split(' ').next().unwrap_or_default();
            let status = if joined.is_empty() {
                words.peek().copied().unwrap_or_default()
            } else {
                joined
            };
            // `550 5.1.1`, `550-5.1.1`, `550 #5.1.1`
            let status = status
                .trim_start_matches(['(', '#'])
                .trim_end_matches([',', ';', ')', '"', ':']);
            let agrees = is_status(status) && status.as_bytes()[0] == code.as_bytes()[0];
            let follows = before.ends_with([':', '>']) || is_opened || is_replying(before);
            if agrees
                || follows && joined.is_empty() && is(code, Kind::Reply) && words.peek().is_some()
            {
                spotted.push(code, Kind::Reply);
                if agrees {
                    spotted.push(status, Kind::Status);
                }
            }
        }
        before = word;
    }
}

/// Words after which logs write a reply.
fn is_replying(word: &str) -> bool {
    let words = ["said", "replied", "response", "reply", "rejected", "error"];
    words.iter().any(|known| word.eq_ignore_ascii_case(known))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(line: &str) -> Vec<String> {
        Spotter::default().line(line).words
    }

    #[test]
    fn dialogues_of_many_programs() {
        for line in [
            "550 5.1.1 no",
            "S: 550 5.1.1 no",
            "12S: 550 5.1.1 no",
            "<** 550 5.1.1 no",
            "< 550 5.1.1 no",
            "<~* 550 5.1.1 no",
        ] {
            assert_eq!(words(line), ["550", "5.1.1"], "{line}");
        }
        for line in [
            "C: 550 5.1.1 no",
            " -> 550 x",
            "> 550 x",
            "",
            "Trying 127.0.0.1...",
            "=== Connected to h.",
            "220 ",
            "199 x",
            "569 x",
        ] {
            let spotted = words(line);
            assert!(spotted.is_empty() || line == "220 ", "{line}: {spotted:?}");
        }
        // A reply is told where it ends; a status of another class is text.
        assert_eq!(words("250-SIZE 1000"), Vec::<String>::new());
        assert_eq!(words("250 SIZE 1000"), ["250"]);
        assert_eq!(words("550 4.1.1 odd"), ["550"]);
        assert_eq!(words("559 5.9.9 odd"), ["559", "5.9.9"]);
        assert_eq!(words("-ERR [IN-USE] busy"), ["-ERR", "[IN-USE]"]);
        assert_eq!(words("+OKAY"), Vec::<String>::new());
        assert_eq!(words("S: a1 NO [TRYCREATE] no"), ["NO", "[TRYCREATE]"]);
        // Without a greeting it may be anybody's word.
        assert_eq!(words("a1 NO way"), Vec::<String>::new());
        let mut spotter = Spotter::default();
        assert_eq!(
            spotter.line("* OK [CAPABILITY IMAP4rev1] hello").words,
            ["OK", "[CAPABILITY]"]
        );
        assert_eq!(spotter.line("* 3 EXISTS").words, ["EXISTS"]);
        assert_eq!(spotter.line("a2 BAD what").words, ["BAD"]);
    }

    #[test]
    fn logs_of_servers() {
        let postfix = "Nov 26 10:00:00 mx postfix/smtp[4242]: 3F2A: to=<bob@example.net>, relay=mx.example.net[192.0.2.1]:25, \
            delay=2.1, dsn=5.1.1, status=bounced (host mx.example.net[192.0.2.1] said: 550 5.1.1 <bob@example.net>: unknown \
            (in reply to RCPT TO command))";
        assert_eq!(words(postfix), ["5.1.1", "550"]);
        let sent = "postfix/smtp[1]: 3F2A: to=<a@b.example>, dsn=2.0.0, status=sent (250 2.0.0 Ok: queued as 4B)";
        assert_eq!(words(sent), ["2.0.0", "250"]);
        let reject = "postfix/smtpd[7]: NOQUEUE: reject: RCPT from unknown[203.0.113.9]: 554 5.7.1 <x@y.example>: Relay access denied";
        assert_eq!(words(reject), ["554", "5.7.1"]);
        let exim = "2026-11-26 10:00:00 1tB-0001 ** bob@example.net R=dnslookup T=remote_smtp H=mx [192.0.2.1]: SMTP error from \
            remote mail server after RCPT TO:<bob@example.net>: 550-5.7.1 not here";
        assert_eq!(words(exim), ["550", "5.7.1"]);
        let exim = "2026-11-26 10:00:00 1tB => a@b.example R=r T=t H=mx [192.0.2.1] C=\"250 2.0.0 Ok: queued\"";
        assert_eq!(words(exim), ["250", "2.0.0"]);
        let exim = "H=(x) [203.0.113.9] F=<a@b.example> rejected RCPT <c@d.example>: 550 relay not permitted";
        assert_eq!(words(exim), ["550"]);
        let dovecot = "lmtp(alice)<1><x>: Error: lmtp-server: conn: RCPT TO: 452 4.2.2 Quota exceeded (mailbox is full)";
        assert_eq!(words(dovecot), ["452", "4.2.2"]);
        let dovecot = "imap-login: Login aborted (auth failed, 1 attempts in 2 secs): [AUTHENTICATIONFAILED] user=<a>";
        assert_eq!(words(dovecot), ["[AUTHENTICATIONFAILED]"]);
        assert_eq!(words("pop3c: [IN-USE]: busy"), ["[IN-USE]"]);
        assert_eq!(words("Status: 5.2.2 (mailbox full)"), ["5.2.2"]);
        assert_eq!(words("The user is unknown. (#5.1.1)"), ["5.1.1"]);
        for innocent in [
            "Exim 4.97.1 started",
            "uptime 250 days",
            "2.2.2.2 is an address",
            "at 10:00: 451",
            "kernel: 4.4.1 x",
            "size=550, nrcpt=1",
            "[ALERT] 250/101500 (1) : x",
            "smtpd[7]: [7]: [trycreate2]",
        ] {
            assert_eq!(words(innocent), Vec::<String>::new(), "{innocent}");
        }
    }
}
