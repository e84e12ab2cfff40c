//! As a filter: every line that comes in goes out again, and under a reply stands what its codes mean. A message is not shown
//! again but read: a delivery report becomes who could not be reached, why, and what to do.
//!
//! What has been explained once is only pointed at when it comes again, so that a log of a day stays readable.

use std::io::{self, BufRead, BufReader, Read, Write};

use anyhow::Context;

use super::page::{Page, Style};
use super::services::Services;
use crate::applet::exit;
use crate::limits;
use crate::wire::codes::{Found, Hit, Kind, Lang, Spotted, Spotter, Text, digits_of, find};
use crate::wire::report::{Fortune, Reported};

/// Reads `input` to its end; false when there was nothing in it.
pub(super) fn run(
    input: &mut dyn Read,
    output: &mut dyn Write,
    lang: Lang,
    style: Style,
) -> anyhow::Result<bool> {
    let mut input = BufReader::new(input);
    let mut line = Vec::new();
    let mut annotator = Annotator::new(lang, style);
    let mut is_first = true;
    while next(&mut input, &mut line).context("cannot read standard input")? {
        if is_first && is_of_message(&line) {
            return message(line, &mut input, output, annotator).map(|()| true);
        }
        is_first = false;
        annotator.line(&line, output).map_err(exit::unwritable)?;
        // Whoever looks on wants it as it comes.
        if input.buffer().is_empty() {
            output.flush().map_err(exit::unwritable)?;
        }
    }
    output.flush().map_err(exit::unwritable)?;
    Ok(!is_first)
}

/// What the codes in `input` stand for, each once, in the order in which they come.
pub(super) fn found(input: &mut dyn Read) -> anyhow::Result<Vec<Found>> {
    let mut input = BufReader::new(input);
    let (mut line, mut spotter) = (Vec::new(), Spotter::default());
    let mut all: Vec<Found> = Vec::new();
    while next(&mut input, &mut line).context("cannot read standard input")? {
        let text = String::from_utf8_lossy(&line);
        let spotted = spotter.line(text.trim_end_matches(['\r', '\n']));
        for (word, kind) in spotted.words.iter().zip(spotted.kinds) {
            let is_kind = |hit: &Hit| matches!(hit, Hit::Entry(entry) if entry.kind == kind);
            let is_new =
                all.len() < limits::ANNOTATED_CODES && all.iter().all(|it| it.word != *word);
            if let Some(mut found) = find(word).filter(|_| is_new) {
                found.hits.retain(is_kind);
                all.push(found);
            }
        }
    }
    Ok(all)
}

/// The next line with its end, or as much of it as is taken at once.
fn next(input: &mut dyn BufRead, line: &mut Vec<u8>) -> io::Result<bool> {
    line.clear();
    let most = limits::ANNOTATED as u64;
    Ok(input.take(most).read_until(b'\n', line)? > 0)
}

/// Whether a message, or a part of a report, begins with this line.
fn is_of_message(line: &[u8]) -> bool {
    let line = String::from_utf8_lossy(line);
    let name = line.split(':').next().unwrap_or_default();
    let known = [
        "Return-Path",
        "Delivered-To",
        "X-Original-To",
        "Received",
        "From",
        "To",
        "Subject",
        "Date",
        "Message-ID",
        "MIME-Version",
        "Content-Type",
        "Envelope-to",
        "Auto-Submitted",
        "Reporting-MTA",
        "Final-Recipient",
        "Original-Recipient",
        "Arrival-Date",
        "DKIM-Signature",
        "ARC-Seal",
        "Authentication-Results",
    ];
    line.starts_with("From ")
        || line.contains(':') && known.iter().any(|known| name.eq_ignore_ascii_case(known))
        || line.starts_with("X-") && line.contains(": ")
}

/// A message: its report, or else what codes its text has.
fn message(
    mut text: Vec<u8>,
    input: &mut dyn BufRead,
    output: &mut dyn Write,
    mut annotator: Annotator,
) -> anyhow::Result<()> {
    let most = limits::REPORT_READ as u64;
    input
        .take(most)
        .read_to_end(&mut text)
        .context("cannot read standard input")?;
    if let Some(report) = Reported::parse(&text) {
        let told = annotator.report(&report);
        output
            .write_all(told.as_bytes())
            .map_err(exit::unwritable)?;
    } else {
        for line in text.split_inclusive(|&octet| octet == b'\n') {
            annotator.line(line, output).map_err(exit::unwritable)?;
        }
    }
    output.flush().map_err(exit::unwritable)
}

struct Annotator {
    lang: Lang,
    style: Style,
    spotter: Spotter,
    known: Vec<String>,
    services: Services,
}

impl Annotator {
    fn new(lang: Lang, style: Style) -> Self {
        Self {
            lang,
            style,
            spotter: Spotter::default(),
            known: Vec::new(),
            services: Services::none(),
        }
    }

    fn page(&self) -> Page<'_> {
        Page::new(self.lang, self.style, &self.services)
    }

    fn line(&mut self, line: &[u8], output: &mut dyn Write) -> io::Result<()> {
        output.write_all(line)?;
        let text = String::from_utf8_lossy(line);
        let text = text.trim_end_matches(['\r', '\n']);
        let spotted = self.spotter.line(text);
        if spotted.words.is_empty() {
            return Ok(());
        }
        if !line.ends_with(b"\n") {
            output.write_all(b"\n")?;
        }
        output.write_all(self.notes(&spotted).as_bytes())
    }

    fn notes(&mut self, spotted: &Spotted) -> String {
        let mut rows = Vec::new();
        for (word, kind) in spotted.words.iter().zip(&spotted.kinds) {
            if self.known.contains(word) {
                rows.push((word.clone(), AGAIN.of(self.lang).to_owned()));
                continue;
            }
            if self.known.len() < limits::ANNOTATED_CODES {
                self.known.push(word.clone());
            }
            rows.extend(self.explained(word, *kind));
        }
        let mut page = self.page();
        for (label, text) in rows {
            page.note(&label, &text);
        }
        page.finish()
    }

    /// The rows about one code: what it means; after a no, what to do.
    fn explained(&self, word: &str, kind: Kind) -> Vec<(String, String)> {
        let hits = find(word).map(|found| found.hits).unwrap_or_default();
        let entry = hits.into_iter().find_map(|hit| match hit {
            Hit::Entry(entry) if entry.kind == kind => Some(entry),
            _ => None,
        });
        let Some(entry) = entry else {
            let digits = digits_of(word).into_iter();
            return digits
                .map(|(drawn, digit)| (drawn, digit.meaning.of(self.lang).to_owned()))
                .collect();
        };
        let mut rows = vec![(word.to_owned(), entry.meaning.of(self.lang).to_owned())];
        let is_no = match kind {
            Kind::Reply | Kind::Status => word.starts_with(['4', '5']),
            Kind::PopStatus => word == "-ERR",
            Kind::ImapStatus => matches!(word, "NO" | "BAD"),
            Kind::PopCode => true,
            _ => false,
        };
        if is_no {
            let next = format!("{} {}", NEXT.of(self.lang), entry.next.of(self.lang));
            rows.push((String::new(), next));
        }
        rows
    }

    fn report(&mut self, report: &Reported) -> String {
        let lang = self.lang;
        let mut page = self.page();
        for fortune in &report.recipients {
            page.subject(&fortune.recipient, &fate(fortune, lang));
            if let Some(original) = fortune
                .original
                .as_ref()
                .filter(|it| **it != fortune.recipient)
            {
                page.note_of(WRITTEN.of(lang), original);
            }
            let replied = fortune
                .diagnostic
                .as_deref()
                .map(|said| Spotter::default().line(said).words);
            let code = replied.and_then(|words| words.into_iter().find(|word| !word.contains('.')));
            let mut next = None;
            for word in [code, fortune.status.clone()].into_iter().flatten() {
                let hits = find(&word).map(|found| found.hits).unwrap_or_default();
                let Some(Hit::Entry(entry)) = hits.first() else {
                    for (drawn, digit) in digits_of(&word) {
                        page.note_of(&drawn, digit.meaning.of(lang));
                    }
                    continue;
                };
                page.note_of(&word, entry.meaning.of(lang));
                next = Some(entry.next.of(lang));
            }
            if let Some(said) = &fortune.diagnostic {
                let who = fortune
                    .remote
                    .as_deref()
                    .or(report.by.as_deref())
                    .unwrap_or_default();
                page.note_of(
                    SAID.of(lang),
                    format!("{who}: {said}").trim_start_matches(": "),
                );
            }
            let next = match fortune.action.as_str() {
                "delayed" => Some(WAIT.of(lang)),
                "delivered" | "relayed" | "expanded" => None,
                _ => next,
            };
            if let Some(next) = next {
                page.note_of(WHAT_NEXT.of(lang), next);
            }
        }
        page.finish()
    }
}

fn fate(fortune: &Fortune, lang: Lang) -> String {
    let text = match fortune.action.as_str() {
        "failed" => Text::new(
            "could not be reached: the message is given up",
            "n'a pu être joint : l'envoi est abandonné",
        ),
        "delayed" => Text::new(
            "not reached yet: the server goes on trying",
            "pas encore joint : le serveur continue d'essayer",
        ),
        "delivered" => Text::new("has it in the mailbox", "a le message dans sa boîte"),
        "relayed" => Text::new(
            "passed on to a server that reports nothing more",
            "transmis à un serveur qui ne rend plus compte",
        ),
        "expanded" => Text::new(
            "passed on to the members of a list",
            "transmis aux membres d'une liste",
        ),
        _ => Text::new("is reported on", "fait l'objet d'un rapport"),
    };
    let mut text = text.of(lang).to_owned();
    if let Some(until) = &fortune.retry_until {
        text.push_str(match lang {
            Lang::En => ", until ",
            Lang::Fr => ", jusqu'au ",
        });
        text.push_str(until);
    }
    text
}

const AGAIN: Text = Text::new("(see above)", "(voir plus haut)");
const NEXT: Text = Text::new("What next:", "Que faire :");
const WHAT_NEXT: Text = Text::new("What next", "Que faire");
const SAID: Text = Text::new("Said", "Réponse");
const WRITTEN: Text = Text::new("Written to", "Écrit à");
const WAIT: Text = Text::new(
    "Nothing for now: do not send it again, the server still has it.",
    "Rien pour l'instant : ne pas renvoyer, le serveur a toujours le message.",
);

#[cfg(test)]
mod tests {
    use super::*;

    fn filtered(input: &str, lang: Lang) -> String {
        let mut output = Vec::new();
        run(&mut input.as_bytes(), &mut output, lang, Style::Plain).expect("all of it is read");
        String::from_utf8(output).expect("UTF-8")
    }

    #[test]
    fn a_transcript_in_english() {
        let expected = "\
C: RCPT TO:<bob@example.net>
S: 550 5.7.1 relaying denied
    550     The mailbox cannot be used: it does not exist, you may not write to
            it, or a rule of the server refuses the message.
            What next: Do not send the same again: correct the address, log in
            with AUTH, or ask the recipient's administrator.
    5.7.1   This sender may not send to this recipient through this server.
            What next: Log in (AUTH, port 587), or use the server of the
            recipient's own domain. Otherwise a block list or a filter is the
            reason: see the text.
C: RCPT TO:<carol@example.net>
S: 550 5.7.1 relaying denied
    550     (see above)
    5.7.1   (see above)
";
        let input: String = expected
            .lines()
            .filter(|line| !line.starts_with(' '))
            .map(|line| format!("{line}\n"))
            .collect();
        assert_eq!(filtered(&input, Lang::En), expected);
    }

    #[test]
    fn a_log_and_an_unknown_code_in_french() {
        let log = "postfix/smtp[1]: 3F: to=<b@c.example>, dsn=4.4.1, status=deferred (connect timed out)\r\n< 559 odd";
        assert_eq!(
            filtered(log, Lang::Fr),
            "\
postfix/smtp[1]: 3F: to=<b@c.example>, dsn=4.4.1, status=deferred (connect timed out)\r
    4.4.1   L'autre serveur n'a pas répondu à l'appel : en panne, injoignable,
            ou refusant les connexions.
            Que faire : Attendre ; si cela dure, essayer avec `mailtool nc -v
            MACHINE 25`.
< 559 odd
    5..     refus définitif : la même commande échouera encore
    .5.     le système de courrier lui-même : boîtes, messages, règles
"
        );
    }

    const BOUNCE: &str = "From: MAILER-DAEMON@mail.example.org\r\nSubject: Undelivered\r\n\
        Content-Type: multipart/report; report-type=delivery-status; boundary=b\r\n\r\n--b\r\n\
        Content-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mail.example.org\r\n\r\n\
        Final-Recipient: rfc822; bob@example.net\r\nAction: failed\r\nStatus: 5.1.1\r\n\
        Remote-MTA: dns; mx.example.net\r\nDiagnostic-Code: smtp; 550 5.1.1 unknown\r\n\r\n\
        Final-Recipient: rfc822; carol@example.net\r\nAction: delayed\r\nStatus: 4.2.2\r\n\r\n--b--\r\n";

    #[test]
    fn a_bounce_in_english() {
        assert_eq!(
            filtered(BOUNCE, Lang::En),
            "\
bob@example.net  could not be reached: the message is given up
  550         The mailbox cannot be used: it does not exist, you may not write
              to it, or a rule of the server refuses the message.
  5.1.1       There is no such mailbox: what stands before the @ is unknown in
              that domain.
  Said        mx.example.net: 550 5.1.1 unknown
  What next   Check the spelling before the @, or ask the person for the
              address.

carol@example.net  not reached yet: the server goes on trying
  4.2.2       The recipient has used up the room allowed (the quota).
  What next   Nothing for now: do not send it again, the server still has it.
"
        );
    }

    #[test]
    fn a_bounce_in_french() {
        let told = filtered(BOUNCE, Lang::Fr);
        assert!(
            told.starts_with("bob@example.net  n'a pu être joint : l'envoi est abandonné\n"),
            "{told}"
        );
        assert!(
            told.contains("  Réponse     mx.example.net: 550 5.1.1 unknown\n"),
            "{told}"
        );
        assert!(told.contains("  Que faire   Rien pour l'instant"), "{told}");
        for line in told.lines() {
            assert!(line.chars().count() <= 80, "{line}");
        }
    }

    #[test]
    fn a_message_that_is_no_report_is_shown() {
        let old = "From: MAILER-DAEMON@old.example\n\n<bob@example.net>:\nSorry, no mailbox here by that name. (#5.1.1)\n";
        let told = filtered(old, Lang::En);
        assert!(
            told.starts_with(old) && told.contains("\n    5.1.1   There is no such mailbox"),
            "{told}"
        );
    }

    #[test]
    fn for_a_program_each_code_comes_once() {
        let mut input =
            "S: 550 5.1.1 no\nS: 550 5.7.1 no\nC: QUIT\nS: 559 odd\nto=<x>, dsn=5.1.1\n".as_bytes();
        let words: Vec<String> = found(&mut input)
            .expect("all of it is read")
            .into_iter()
            .map(|it| it.word)
            .collect();
        assert_eq!(words, ["550", "5.1.1", "5.7.1"]);
    }

    #[test]
    fn nothing_and_what_is_no_text() {
        assert_eq!(filtered("", Lang::En), "");
        assert_eq!(filtered("\n\n", Lang::En), "\n\n");
        let mut output = Vec::new();
        let octets: Vec<u8> = (0..=255).collect();
        run(&mut octets.as_slice(), &mut output, Lang::En, Style::Plain)
            .expect("all of it is read");
        assert_eq!(output, octets);
        assert!(
            !run(&mut io::empty(), &mut output, Lang::En, Style::Plain).expect("nothing to read")
        );
    }
}
