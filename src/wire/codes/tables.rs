//! The tables by the names that people ask for them, and a search through all of them.

use unicode_normalization::char::{decompose_compatible, is_combining_mark};

use super::commands::COMMANDS;
use super::look_up::Hit;
use super::ports::SERVICES;
use super::{Entry, Kind, Text, capabilities, enhanced, extensions, imap, pop3, smtp};

/// A table that can be listed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Table {
    /// Reply codes of SMTP.
    Smtp,
    /// Enhanced status codes.
    Enhanced,
    /// Statuses and response codes of POP3.
    Pop,
    /// Statuses, response codes and data of IMAP.
    Imap,
    /// Commands of all three.
    Commands,
    /// What servers say they can do: EHLO's keywords and their parameters, CAPA, CAPABILITY.
    Capabilities,
    /// Mechanisms of AUTH.
    Sasl,
    /// Services and their ports.
    Ports,
}

impl Table {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::Smtp,
        Self::Enhanced,
        Self::Pop,
        Self::Imap,
        Self::Commands,
        Self::Capabilities,
        Self::Sasl,
        Self::Ports,
    ];

    /// What it is asked for by.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Smtp => "smtp",
            Self::Enhanced => "enhanced",
            Self::Pop => "pop",
            Self::Imap => "imap",
            Self::Commands => "commands",
            Self::Capabilities => "capabilities",
            Self::Sasl => "sasl",
            Self::Ports => "ports",
        }
    }

    /// Its rows, in their order.
    pub fn rows(self) -> Vec<Hit> {
        let entries = |tables: &[&'static [Entry]]| -> Vec<Hit> {
            tables
                .iter()
                .flat_map(|table| *table)
                .map(Hit::Entry)
                .collect()
        };
        match self {
            Self::Smtp => entries(smtp::REPLIES),
            Self::Enhanced => entries(enhanced::STATUSES),
            Self::Pop => entries(&[pop3::STATUSES, pop3::CODES]),
            Self::Imap => {
                let mut rows = entries(&[imap::STATUSES]);
                rows.extend(entries(imap::CODES));
                rows.extend(entries(&[imap::DATA]));
                rows
            }
            Self::Commands => COMMANDS
                .iter()
                .copied()
                .flatten()
                .map(Hit::Command)
                .collect(),
            Self::Capabilities => {
                let mut rows = entries(&[
                    extensions::KEYWORDS,
                    extensions::RARE_KEYWORDS,
                    extensions::PARAMETERS,
                    extensions::RARE_PARAMETERS,
                    capabilities::POP3,
                ]);
                rows.extend(entries(capabilities::IMAP));
                rows
            }
            Self::Sasl => entries(&[extensions::MECHANISMS, extensions::RARE_MECHANISMS]),
            Self::Ports => SERVICES.iter().map(Hit::Service).collect(),
        }
    }
}

impl Hit {
    /// The word that leads to it; a response code in its brackets.
    pub fn code(&self) -> String {
        match self {
            Self::Entry(entry) if matches!(entry.kind, Kind::PopCode | Kind::ImapCode) => {
                format!("[{}]", entry.code)
            }
            Self::Entry(entry) => entry.code.to_owned(),
            Self::Command(command) => command.verb.to_owned(),
            Self::Service(service) => service.name.to_owned(),
        }
    }

    /// What its standard calls it; a command's syntax; a service's port and transport.
    pub fn name(&self) -> String {
        match self {
            Self::Entry(entry) => entry.name.to_owned(),
            Self::Command(command) => command.syntax.to_owned(),
            Self::Service(service) => match service.port {
                Some(port) => format!("{port}/{}", service.transport),
                None => service.transport.to_owned(),
            },
        }
    }

    /// What it means.
    pub fn meaning(&self) -> Text {
        match self {
            Self::Entry(entry) => entry.meaning.both(),
            Self::Command(command) => command.meaning.both(),
            Self::Service(service) => service.meaning,
        }
    }

    /// What it is.
    pub fn kind(&self) -> Text {
        match self {
            Self::Entry(entry) => entry.kind.label(),
            Self::Command(command) => match command.protocol {
                super::Protocol::Smtp => Text::new("SMTP command", "commande SMTP"),
                super::Protocol::Pop3 => Text::new("POP3 command", "commande POP3"),
                super::Protocol::Imap => Text::new("IMAP command", "commande IMAP"),
            },
            Self::Service(_) => Text::new("mail service", "service de courrier"),
        }
    }
}

/// The rows in which each word of `text` stands, in either language; case and accents do not count. Those that have them
/// in their code or name come first, then those that mean it, then the others.
///
/// ```
/// use mailtool::wire::codes::search;
/// assert_eq!(search("boite pleine")[0].code(), search("BOÎTE PLEINE")[0].code());
/// assert!(search("greylist").iter().any(|hit| hit.code() == "450"));
/// assert!(search("").is_empty());
/// ```
pub fn search(text: &str) -> Vec<Hit> {
    let folded = fold(text);
    let wanted: Vec<&str> = folded.split_whitespace().collect();
    if wanted.is_empty() {
        return Vec::new();
    }
    let mut ranked: [Vec<Hit>; 3] = Default::default();
    for table in Table::ALL {
        for hit in table.rows() {
            let mut said = fold(&format!("{} {}", hit.code(), hit.name()));
            let mut place = None;
            for (rank, more) in ["".to_owned(), both(hit.meaning()), rest(&hit)]
                .iter()
                .enumerate()
            {
                said.push(' ');
                said.push_str(&fold(more));
                if wanted.iter().all(|word| said.contains(word)) {
                    place = Some(rank);
                    break;
                }
            }
            if let Some(place) = place {
                ranked[place].push(hit);
            }
        }
    }
    ranked.into_iter().flatten().collect()
}

fn both(text: Text) -> String {
    format!("{} {}", text.en, text.fr)
}

fn rest(hit: &Hit) -> String {
    match hit {
        Hit::Entry(entry) => format!("{} {}", both(entry.sent.both()), both(entry.next.both())),
        Hit::Command(command) => format!("{} {}", both(command.allowed.both()), command.example),
        Hit::Service(service) => service.aliases.join(" "),
    }
}

/// Small letters without their accents.
fn fold(text: &str) -> String {
    let mut folded = String::with_capacity(text.len());
    for letter in text.chars() {
        if letter.is_ascii() {
            folded.push(letter.to_ascii_lowercase());
            continue;
        }
        match letter {
            'œ' | 'Œ' => folded.push_str("oe"),
            'æ' | 'Æ' => folded.push_str("ae"),
            '’' => folded.push('\''),
            _ => decompose_compatible(letter, |part| {
                if !is_combining_mark(part) {
                    folded.extend(part.to_lowercase());
                }
            }),
        }
    }
    folded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_table_has_its_rows_and_all_have_all() {
        let rows: usize = Table::ALL.iter().map(|table| table.rows().len()).sum();
        assert!(rows > 420, "{rows}");
        for table in Table::ALL {
            for hit in table.rows() {
                let word = hit.code();
                let found = super::super::find(&word.replacen("X.", "5.", 1));
                assert!(
                    found.is_some_and(|found| found.hits.contains(&hit)),
                    "{word}"
                );
            }
        }
    }

    #[test]
    fn accents_case_and_language_do_not_count() {
        assert_eq!(fold("Boîte à CŒUR, Été"), "boite a coeur, ete");
        let codes = |text| -> Vec<String> { search(text).iter().map(Hit::code).collect() };
        assert!(codes("quota").contains(&"X.2.2".to_owned()));
        assert_eq!(codes("Mailbox FULL")[0], "X.2.2");
        assert!(codes("chiffré dès le début").contains(&"imaps".to_owned()));
        assert!(codes("chiffre des le debut").contains(&"imaps".to_owned()));
        assert_eq!(codes("no such thing anywhere here"), Vec::<String>::new());
    }
}
