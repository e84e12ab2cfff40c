//! The page of a word: readable at 80 columns, the same facts at the same place in both languages.

use super::services::Services;
use crate::wire::codes::digits::{DETAIL, Digit};
use crate::wire::codes::ports::{self, Service, Tls};
use crate::wire::codes::{Command, Entry, Found, Hit, Kind, Lang, Text};

/// Columns of a line, at most.
const WIDTH: usize = 80;
/// Where the text beside a label begins.
const LABELLED: usize = 14;

/// How headings are set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Style {
    /// No escape sequences.
    Plain,
    /// Bold and colour by class.
    Terminal,
}

/// Pages, one after another.
pub(super) struct Page<'a> {
    text: String,
    lang: Lang,
    style: Style,
    services: &'a Services,
}

impl<'a> Page<'a> {
    /// Nothing yet.
    pub(super) const fn new(lang: Lang, style: Style, services: &'a Services) -> Self {
        Self {
            text: String::new(),
            lang,
            style,
            services,
        }
    }

    /// What was set.
    pub(super) fn finish(self) -> String {
        self.text
    }

    /// A heading over rows.
    pub(super) fn title(&mut self, title: &str) {
        if !self.text.is_empty() {
            self.text.push('\n');
        }
        let start = self.text.len();
        self.hanging("", 0, title);
        self.bold(start);
        self.text.push('\n');
    }

    /// One row of a list: its code and name, and under it what it means.
    pub(super) fn row(&mut self, code: &str, name: &str, meaning: &str) {
        let start = self.text.len();
        self.hanging(&format!("  {code}"), 4 + code.chars().count(), name);
        self.bold(start);
        self.hanging("", 6, meaning);
    }

    /// What is said about a line above.
    pub(super) fn note(&mut self, label: &str, text: &str) {
        let start = self.text.len();
        self.hanging(&format!("    {label}"), 12, text);
        if self.style == Style::Terminal {
            let note = self.text.split_off(start);
            for line in note.lines() {
                self.text.push_str("\x1b[36m");
                self.text.push_str(line);
                self.text.push_str("\x1b[0m\n");
            }
        }
    }

    /// Whom a report is about.
    pub(super) fn subject(&mut self, who: &str, what: &str) {
        self.heading(who, what);
    }

    /// What it says.
    pub(super) fn note_of(&mut self, label: &str, text: &str) {
        self.hanging(&format!("  {label}"), LABELLED, text);
    }

    fn bold(&mut self, start: usize) {
        if self.style == Style::Terminal {
            let line = self.text.split_off(start);
            self.text.push_str("\x1b[1m");
            self.text.push_str(line.trim_end_matches('\n'));
            self.text.push_str("\x1b[0m\n");
        }
    }

    /// Adds what a word stands for.
    pub(super) fn found(&mut self, found: &Found) {
        if found.is_pattern {
            self.pattern(found);
            return;
        }
        for hit in &found.hits {
            match hit {
                Hit::Entry(entry) => self.entry(entry, found),
                Hit::Command(command) => self.command(command),
                Hit::Service(service) => self.service(service),
            }
        }
    }

    fn pattern(&mut self, found: &Found) {
        let kinds = match found.hits.first() {
            Some(Hit::Entry(entry)) => entry.kind.label(),
            _ => return,
        };
        self.heading(&found.word, kinds.of(self.lang));
        self.digits(&found.digits, None);
        self.text.push('\n');
        let rows: Vec<(String, &str)> = found
            .hits
            .iter()
            .filter_map(|hit| match hit {
                Hit::Entry(entry) => Some((written(entry, &found.word), entry.name)),
                Hit::Command(_) | Hit::Service(_) => None,
            })
            .collect();
        let widest = rows.iter().map(|row| row.0.len()).max().unwrap_or_default();
        for (code, name) in &rows {
            self.hanging(&format!("  {code}"), widest + 4, name);
        }
        let example = rows.first().map(|row| row.0.replace('X', "5"));
        let example = example.unwrap_or_default();
        self.text.push('\n');
        self.paragraph(&match self.lang {
            Lang::En => format!("`mailtool codes {example}` explains one of them."),
            Lang::Fr => format!("`mailtool codes {example}` en explique un."),
        });
    }

    fn entry(&mut self, entry: &Entry, found: &Found) {
        let code = match entry.kind {
            Kind::Reply | Kind::Status => written(entry, &found.word),
            Kind::PopCode | Kind::ImapCode => format!("[{}]", entry.code),
            Kind::PopStatus
            | Kind::ImapStatus
            | Kind::ImapData
            | Kind::PopCapability
            | Kind::ImapCapability
            | Kind::Extension
            | Kind::Parameter
            | Kind::Mechanism => entry.code.to_owned(),
        };
        self.heading(&code, entry.name);
        self.beside(&code, entry.kind.label().of(self.lang), entry.section);
        let last = match entry.kind {
            Kind::Reply => code.get(2..3).map(|digit| format!("..{digit}")),
            Kind::Status => code.rsplit('.').next().map(|last| format!("x.x.{last}")),
            _ => None,
        };
        self.digits(&found.digits, last);
        self.text.push('\n');
        self.labelled(MEANING, entry.meaning.of(self.lang));
        self.labelled(SENT, entry.sent.of(self.lang));
        self.labelled(NEXT, entry.next.of(self.lang));
    }

    fn command(&mut self, command: &Command) {
        let what = match self.lang {
            Lang::En => format!("{} command", command.protocol.name()),
            Lang::Fr => format!("commande {}", command.protocol.name()),
        };
        self.heading(command.verb, command.syntax);
        self.beside(command.verb, &what, command.section);
        self.text.push('\n');
        self.labelled(MEANING, command.meaning.of(self.lang));
        self.labelled(ALLOWED, command.allowed.of(self.lang));
        for (number, line) in command.example.lines().enumerate() {
            let label = if number == 0 {
                EXAMPLE.of(self.lang)
            } else {
                ""
            };
            self.hanging(&format!("  {label}"), LABELLED, line);
        }
    }

    fn service(&mut self, service: &Service) {
        let port = service.port.map_or_else(
            || service.transport.to_owned(),
            |port| format!("{port}/{}", service.transport),
        );
        let what = match self.lang {
            Lang::En => "mail service",
            Lang::Fr => "service de courrier",
        };
        self.heading(service.name, &port);
        self.beside(service.name, what, service.section);
        self.text.push('\n');
        self.labelled(MEANING, service.meaning.of(self.lang));
        if !service.aliases.is_empty() {
            self.labelled(ALSO, &service.aliases.join(", "));
        }
        match service.port {
            Some(port) => self.labelled(PORT, &port.to_string()),
            None => self.labelled(PORT, NO_PORT.of(self.lang)),
        }
        self.labelled(TRANSPORT, ports::TRANSPORT.of(self.lang));
        let tls = match (service.tls, self.lang) {
            (Tls::Implicit, Lang::En) => "from the first octet (implicit TLS)".to_owned(),
            (Tls::Implicit, Lang::Fr) => "dès le premier octet (TLS implicite)".to_owned(),
            (Tls::Command(verb), Lang::En) => format!("on request, with {verb}"),
            (Tls::Command(verb), Lang::Fr) => format!("sur demande, avec {verb}"),
        };
        self.labelled(TLS, &tls);
        let here = match (self.services.line(service), self.lang) {
            (Some((number, line)), Lang::En) => {
                format!("{}, line {number}: {line}", Services::PATH)
            }
            (Some((number, line)), Lang::Fr) => {
                format!("{}, ligne {number} : {line}", Services::PATH)
            }
            (None, Lang::En) if self.services.exists() => {
                format!("{} does not name it", Services::PATH)
            }
            (None, Lang::Fr) if self.services.exists() => {
                format!("{} ne le nomme pas", Services::PATH)
            }
            (None, Lang::En) => format!("{} is missing on this machine", Services::PATH),
            (None, Lang::Fr) => format!("{} manque sur cette machine", Services::PATH),
        };
        self.labelled(HERE, &here);
    }

    /// The first line of a page; a blank line parts it from the one before.
    fn heading(&mut self, code: &str, name: &str) {
        if !self.text.is_empty() {
            self.text.push('\n');
        }
        let column = code.chars().count() + 2;
        let start = self.text.len();
        self.hanging(code, column, name);
        if self.style == Style::Terminal {
            let colour = match code.as_bytes().first() {
                Some(b'2' | b'+') => "\x1b[1;32m",
                Some(b'3') => "\x1b[1;36m",
                Some(b'4') => "\x1b[1;33m",
                Some(b'5' | b'-') => "\x1b[1;31m",
                _ => "\x1b[1m",
            };
            let line = self.text.split_off(start);
            let line = line.trim_end_matches('\n');
            self.text.push_str(colour);
            self.text.push_str(line);
            self.text.push_str("\x1b[0m\n");
        }
    }

    fn beside(&mut self, code: &str, what: &str, section: &str) {
        let column = code.chars().count() + 2;
        self.hanging("", column, &format!("{what}, {section}"));
    }

    fn digits(&mut self, digits: &[(String, &Digit)], last: Option<String>) {
        if digits.is_empty() {
            return;
        }
        self.text.push('\n');
        for (drawn, digit) in digits {
            self.hanging(
                &format!("     {drawn}"),
                LABELLED,
                digit.meaning.of(self.lang),
            );
        }
        if let Some(last) = last {
            self.hanging(&format!("     {last}"), LABELLED, DETAIL.of(self.lang));
        }
    }

    fn labelled(&mut self, label: Text, text: &str) {
        self.hanging(&format!("  {}", label.of(self.lang)), LABELLED, text);
    }

    fn paragraph(&mut self, text: &str) {
        self.hanging("", 2, text);
    }

    /// `first`, then `text` from `column` on, wrapped.
    fn hanging(&mut self, first: &str, column: usize, text: &str) {
        let mut line = first.to_owned();
        let mut at = line.chars().count();
        let mut is_empty = true;
        for word in words(text) {
            let length = word.chars().count();
            if !is_empty && at + 1 + length > WIDTH {
                self.text.push_str(line.trim_end());
                self.text.push('\n');
                line.clear();
                at = 0;
                is_empty = true;
            }
            let space = if is_empty {
                column.saturating_sub(at).max(usize::from(at > 0))
            } else {
                1
            };
            line.extend(std::iter::repeat_n(' ', space));
            line.push_str(&word);
            at += space + length;
            is_empty = false;
        }
        self.text.push_str(line.trim_end());
        self.text.push('\n');
    }
}

/// The words of a text, at whose gaps a line may break: not before the high punctuation of French, nor inside its quotation
/// marks, and not between `RFC` and its number.
fn words(text: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    let mut is_open = false;
    for word in text.split(' ') {
        let sticks = is_open || matches!(word, ":" | ";" | "?" | "!" | "»" | "...");
        match words.last_mut() {
            Some(last) if sticks => {
                last.push(' ');
                last.push_str(word);
            }
            _ => words.push(word.to_owned()),
        }
        is_open = matches!(word, "«" | "RFC");
    }
    words
}

/// An entry's code with the class that was asked for: `X.1.1` as `5.1.1`.
fn written(entry: &Entry, word: &str) -> String {
    let class = word.split('.').next().unwrap_or_default();
    if entry.kind == Kind::Status && class != "x" {
        entry.code.replacen('X', class, 1)
    } else {
        entry.code.to_owned()
    }
}

/// What can be asked, when nothing was.
pub(super) fn overview(lang: Lang) -> String {
    match lang {
        Lang::En => OVERVIEW.en,
        Lang::Fr => OVERVIEW.fr,
    }
    .to_owned()
}

const MEANING: Text = Text {
    en: "Meaning",
    fr: "Sens",
};
const SENT: Text = Text {
    en: "Who, when",
    fr: "Qui, quand",
};
const NEXT: Text = Text {
    en: "What next",
    fr: "Que faire",
};
const ALLOWED: Text = Text {
    en: "Allowed",
    fr: "Permise",
};
const EXAMPLE: Text = Text {
    en: "Example",
    fr: "Exemple",
};
const ALSO: Text = Text {
    en: "Also called",
    fr: "Autres noms",
};
const PORT: Text = Text {
    en: "Port",
    fr: "Port",
};
const NO_PORT: Text = Text {
    en: "none of its own: each site chooses one (24 is common, never 25)",
    fr: "aucun à lui : chaque site en choisit un (souvent 24, jamais 25)",
};
const TRANSPORT: Text = Text {
    en: "Transport",
    fr: "Transport",
};
const TLS: Text = Text {
    en: "TLS",
    fr: "TLS",
};
const HERE: Text = Text {
    en: "Here",
    fr: "Ici",
};
const OVERVIEW: Text = Text {
    en: "\
mailtool codes WORD...   explains what mail servers and clients say

  mailtool codes 550              an SMTP reply code, digit by digit
  mailtool codes 550 5.7.1        with its enhanced status code
  mailtool codes 55x              all that begin with 55; also x5x, 5, 5.7
  mailtool codes NO BAD BYE       statuses of IMAP
  mailtool codes +OK -ERR         statuses of POP3
  mailtool codes '[TRYCREATE]'    a response code
  mailtool codes RCPT RETR FETCH  commands
  mailtool codes SIZE NOTIFY      extensions of SMTP, and their parameters
  mailtool codes SCRAM-SHA-256    a mechanism of AUTH
  mailtool codes smtp imaps 587   mail services: port and transport
  mailtool codes --lang fr 421    en français

How to read a reply of SMTP, 550 for example:

  first digit     2.. done   3.. go on   4.. not now   5.. no
  second digit    .0. syntax   .1. information   .2. connection
                  .3. authentication, TLS   .5. the mail system itself
  third digit     which case of that category
  4th character   a space on the last line of a reply, else a hyphen
",
    fr: "\
mailtool codes MOT...   explique ce que disent serveurs et clients de courrier

  mailtool codes 550              un code de réponse SMTP, chiffre par chiffre
  mailtool codes 550 5.7.1        avec son code d'état étendu
  mailtool codes 55x              ceux qui commencent par 55 ; ou x5x, 5, 5.7
  mailtool codes NO BAD BYE       états d'IMAP
  mailtool codes +OK -ERR         états de POP3
  mailtool codes '[TRYCREATE]'    un code de réponse
  mailtool codes RCPT RETR FETCH  des commandes
  mailtool codes SIZE NOTIFY      extensions de SMTP, et leurs paramètres
  mailtool codes SCRAM-SHA-256    un mécanisme de AUTH
  mailtool codes smtp imaps 587   services de courrier : port et transport
  mailtool codes --lang en 421    in English

Comment lire une réponse SMTP, 550 par exemple :

  premier chiffre   2.. fait   3.. continuer   4.. pas maintenant   5.. non
  deuxième chiffre  .0. syntaxe   .1. renseignement   .2. connexion
                    .3. authentification, TLS   .5. le courrier lui-même
  troisième chiffre lequel des cas de cette catégorie
  4e caractère      espace sur la dernière ligne de la réponse, sinon tiret
",
};
