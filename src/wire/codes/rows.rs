//! What a row of the tables is made of.
//!
//! The build script has this file too: it reads the tables as they are written, with their texts, and writes them as the
//! program has them, with places in a packed [`Block`](super::Block). So it names nothing but the standard library.

/// The language of an explanation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lang {
    /// English.
    En,
    /// French.
    Fr,
}

impl Lang {
    /// The language of a locale's name: French for `fr`, `fr_FR.UTF-8`, `fr-CA`; else English.
    ///
    /// ```
    /// use mailtool::wire::codes::Lang;
    /// assert_eq!(Lang::of_locale("fr_FR.UTF-8"), Lang::Fr);
    /// assert_eq!(Lang::of_locale("C.UTF-8"), Lang::En);
    /// assert_eq!(Lang::of_locale("fry_NL"), Lang::En);
    /// ```
    pub fn of_locale(name: &str) -> Self {
        let language = name.split(['_', '-', '.', '@']).next().unwrap_or_default();
        if language.eq_ignore_ascii_case("fr") {
            Self::Fr
        } else {
            Self::En
        }
    }

    /// The language that `LC_ALL`, `LC_MESSAGES` and `LANG` ask for: the first that is set and not empty
    /// (POSIX.1-2017, Base Definitions §8.2).
    pub fn of_environment<'a>(values: impl IntoIterator<Item = Option<&'a str>>) -> Self {
        values
            .into_iter()
            .flatten()
            .find(|value| !value.is_empty())
            .map_or(Self::En, Self::of_locale)
    }
}

/// A text in every language of the program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Text {
    /// English.
    pub en: &'static str,
    /// French.
    pub fr: &'static str,
}

impl Text {
    /// A text: with both languages, or not at all.
    pub const fn new(en: &'static str, fr: &'static str) -> Self {
        Self { en, fr }
    }

    /// The text in `lang`.
    pub const fn of(&self, lang: Lang) -> &'static str {
        match lang {
            Lang::En => self.en,
            Lang::Fr => self.fr,
        }
    }
}

/// What a code is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Three digits, in SMTP and LMTP.
    Reply,
    /// `5.1.1`: in SMTP replies after the reply code, and in delivery reports.
    Status,
    /// `+OK`, `-ERR`.
    PopStatus,
    /// `[IN-USE]` after a POP3 status.
    PopCode,
    /// `OK`, `NO`, `BAD`, `BYE`, `PREAUTH`, and the marks at a line's beginning.
    ImapStatus,
    /// `[TRYCREATE]` after an IMAP status.
    ImapCode,
    /// `EXISTS`, `FETCH` ...: what follows `*` when it is no status.
    ImapData,
    /// `UIDL`: what CAPA lists.
    PopCapability,
    /// `CONDSTORE`: what CAPABILITY lists.
    ImapCapability,
    /// `PIPELINING`: what EHLO lists.
    Extension,
    /// `NOTIFY`: what may stand behind MAIL's or RCPT's address.
    Parameter,
    /// `PLAIN`: how AUTH goes.
    Mechanism,
}

impl Kind {
    /// What it is called.
    pub const fn label(self) -> Text {
        match self {
            Self::Reply => Text {
                en: "SMTP reply code",
                fr: "code de réponse SMTP",
            },
            Self::Status => Text {
                en: "enhanced status code (SMTP, delivery reports)",
                fr: "code d'état étendu (SMTP, rapports de remise)",
            },
            Self::PopStatus => Text {
                en: "POP3 status indicator",
                fr: "indicateur d'état POP3",
            },
            Self::PopCode => Text {
                en: "POP3 response code",
                fr: "code de réponse POP3",
            },
            Self::ImapStatus => Text {
                en: "IMAP status",
                fr: "état IMAP",
            },
            Self::ImapCode => Text {
                en: "IMAP response code",
                fr: "code de réponse IMAP",
            },
            Self::ImapData => Text {
                en: "IMAP data from the server",
                fr: "donnée IMAP du serveur",
            },
            Self::PopCapability => Text {
                en: "POP3 capability",
                fr: "capacité POP3",
            },
            Self::ImapCapability => Text {
                en: "IMAP capability",
                fr: "capacité IMAP",
            },
            Self::Extension => Text {
                en: "SMTP extension (keyword of EHLO)",
                fr: "extension de SMTP (mot-clé de EHLO)",
            },
            Self::Parameter => Text {
                en: "parameter of an SMTP command",
                fr: "paramètre d'une commande SMTP",
            },
            Self::Mechanism => Text {
                en: "mechanism of AUTH (SASL)",
                fr: "mécanisme de AUTH (SASL)",
            },
        }
    }
}

/// A code and all that is to be said about it, by texts of the type `T`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry<T> {
    /// What it is.
    pub kind: Kind,
    /// As it stands on the wire; the class of an enhanced status code is `X`. A response code stands without brackets.
    pub code: &'static str,
    /// The name that the standard gives it.
    pub name: &'static str,
    /// What it means, in plain words.
    pub meaning: T,
    /// Who sends it, and when.
    pub sent: T,
    /// What the one who gets it does next.
    pub next: T,
    /// Where it is defined.
    pub section: &'static str,
}

/// A protocol with commands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocol {
    /// SMTP, submission and LMTP.
    Smtp,
    /// POP3.
    Pop3,
    /// IMAP.
    Imap,
}

impl Protocol {
    /// Its name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Smtp => "SMTP",
            Self::Pop3 => "POP3",
            Self::Imap => "IMAP",
        }
    }
}

/// A command of a client, explained by texts of the type `T`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Command<T> {
    /// Whose it is.
    pub protocol: Protocol,
    /// Its first word.
    pub verb: &'static str,
    /// How it is written.
    pub syntax: &'static str,
    /// What it does.
    pub meaning: T,
    /// When it is allowed.
    pub allowed: T,
    /// A line as it is typed, and what comes back; lines are separated by `\n`, and begin with `C: ` or `S: `.
    pub example: &'static str,
    /// Where it is defined.
    pub section: &'static str,
}
