//! All that the server says to people, in English and in French (RFC 6856 §3).
//!
//! A [`Words`] without one of its languages does not compile. What programs read stands elsewhere: numbers, sizes and unique
//! ids, capabilities, and the code in brackets, which [`Words::code`] has.

use std::borrow::Cow;

use crate::limits;
use crate::wire::codes::{Lang, Text};
use crate::wire::sasl::SaslError;

/// Something to say.
#[derive(Clone, Copy, Debug)]
pub(super) enum Words<'a> {
    /// The name of the server.
    Greeting(&'a str),
    TooManyConnections,
    Empty,
    Usage(Text),
    Number(Text),
    UnknownBeforeLogin,
    UnknownAfterLogin,
    LongLine,
    TlsBeforeLogin,
    TlsBeforeUtf8,
    TlsIsUp,
    NoTls,
    TlsBegins,
    LoggedInAlready,
    LogInFirst,
    InsecureSoStls,
    Insecure,
    NowPassword,
    NameFirst,
    NotUtf8,
    NoApop,
    /// Mechanisms that are offered.
    NoPasswords(&'a str),
    /// Mechanisms that are offered.
    NoSuchMechanism(&'a str),
    MechanismsFollow,
    Sasl(SaslError),
    Open(Left),
    InUse,
    CannotOpen,
    /// Seconds.
    LoginDelay(u64),
    Wrong,
    WrongForTheLastTime,
    NotAsAnother,
    Expired,
    Listing(Left),
    UidsFollow,
    TopFollows,
    /// How many octets a message has.
    Octets(u64),
    /// The number of a message.
    Marked(u32),
    NothingMarked(Left),
    /// The number of a message.
    MarkedAlready(u32),
    NoMessages,
    /// How many messages there are.
    NoSuchMessage(usize),
    MessageGone,
    CannotRead,
    Capabilities,
    Utf8,
    Utf8BeforeLogin,
    LanguagesFollow,
    LanguageChanged,
    NoSuchLanguage,
    Bye,
    ByeNothingDeleted,
    /// So many.
    ByeDeleted(usize),
    NotDeleted,
    TooManyErrors,
    ShuttingDown,
}

/// Messages that are there, and their octets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Left {
    pub(super) messages: usize,
    pub(super) octets: u64,
}

impl Left {
    fn text(self, lang: Lang) -> String {
        let Self { messages, octets } = self;
        format!("{} ({octets} octets)", count(messages, lang))
    }
}

/// `1 message`, `2 messages`: English has the plural for 0, French has not.
fn count(messages: usize, lang: Lang) -> String {
    let one = match lang {
        Lang::En => messages == 1,
        Lang::Fr => messages <= 1,
    };
    format!("{messages} message{}", if one { "" } else { "s" })
}

impl Words<'_> {
    /// What stands in brackets before the text, for programs (RFC 2449 §8, RFC 3206 §4).
    pub(super) const fn code(self) -> Option<&'static str> {
        Some(match self {
            Self::TooManyConnections
            | Self::CannotOpen
            | Self::CannotRead
            | Self::NotDeleted
            | Self::ShuttingDown => "SYS/TEMP",
            Self::InUse => "IN-USE",
            Self::LoginDelay(_) => "LOGIN-DELAY",
            // The credentials are the problem: which of both is nobody's business.
            Self::Wrong | Self::WrongForTheLastTime | Self::NotAsAnother | Self::Expired => "AUTH",
            _ => return None,
        })
    }

    /// The text in `lang`.
    pub(super) fn text(self, lang: Lang) -> Cow<'static, str> {
        let both = |en: String, fr: String| match lang {
            Lang::En => en.into(),
            Lang::Fr => fr.into(),
        };
        let text = match self {
            Self::Greeting(host) => {
                return both(
                    format!("{host} POP3 server ready"),
                    format!("{host} serveur POP3 prêt"),
                );
            }
            Self::TooManyConnections => Text {
                en: "too many connections now; close some, or try again later",
                fr: "trop de connexions en ce moment ; fermez-en, ou réessayez plus tard",
            },
            Self::Empty => Text {
                en: "an empty line is no command; QUIT ends the session",
                fr: "une ligne vide n'est pas une commande ; QUIT termine la session",
            },
            Self::Usage(usage) => {
                return both(
                    format!("this is written: {}", usage.en),
                    format!("cela s'écrit : {}", usage.fr),
                );
            }
            Self::Number(usage) => {
                return both(
                    format!(
                        "a number has digits only, nine at most; this is written: {}",
                        usage.en
                    ),
                    format!(
                        "un numéro n'a que des chiffres, neuf au plus ; cela s'écrit : {}",
                        usage.fr
                    ),
                );
            }
            Self::UnknownBeforeLogin => Text {
                en: "unknown command; log in with USER name, then PASS password. Also known here: APOP AUTH CAPA LANG STLS \
                     UTF8 QUIT",
                fr: "commande inconnue ; identifiez-vous par USER nom, puis PASS mot-de-passe. Connues aussi : APOP AUTH CAPA \
                     LANG STLS UTF8 QUIT",
            },
            Self::UnknownAfterLogin => Text {
                en: "unknown command; known here: STAT LIST UIDL TOP RETR DELE RSET LAST NOOP CAPA LANG QUIT",
                fr: "commande inconnue ; connues ici : STAT LIST UIDL TOP RETR DELE RSET LAST NOOP CAPA LANG QUIT",
            },
            Self::LongLine => {
                return both(
                    format!("a line has {} octets at most", limits::POP3_LINE),
                    format!("une ligne a {} octets au plus", limits::POP3_LINE),
                );
            }
            Self::TlsBeforeLogin => Text {
                en: "TLS must come before the login: QUIT, connect again, STLS",
                fr: "TLS doit précéder l'identification : QUIT, reconnectez-vous, STLS",
            },
            Self::TlsBeforeUtf8 => Text {
                en: "STLS comes before UTF8 (RFC 6856 section 2.1): QUIT, connect again, STLS, then UTF8",
                fr: "STLS précède UTF8 (RFC 6856 section 2.1) : QUIT, reconnectez-vous, STLS, puis UTF8",
            },
            Self::TlsIsUp => Text {
                en: "TLS is up already",
                fr: "TLS est déjà en place",
            },
            Self::NoTls => Text {
                en: "no certificate here, so no TLS",
                fr: "pas de certificat ici, donc pas de TLS",
            },
            Self::TlsBegins => Text {
                en: "begin TLS now",
                fr: "commencez TLS maintenant",
            },
            Self::LoggedInAlready => Text {
                en: "you are logged in already; to log in again, QUIT and connect again",
                fr: "vous êtes déjà identifié ; pour recommencer, QUIT et reconnectez-vous",
            },
            Self::LogInFirst => Text {
                en: "log in first: USER name, then PASS password",
                fr: "identifiez-vous d'abord : USER nom, puis PASS mot-de-passe",
            },
            Self::InsecureSoStls => Text {
                en: "your password would cross the network in the clear: STLS first",
                fr: "votre mot de passe traverserait le réseau en clair : STLS d'abord",
            },
            Self::Insecure => Text {
                en: "your password would cross the network in the clear, and there is no TLS here: connect from the same \
                     machine",
                fr: "votre mot de passe traverserait le réseau en clair, et il n'y a pas de TLS ici : connectez-vous depuis la \
                     même machine",
            },
            Self::NowPassword => Text {
                en: "now PASS and the password",
                fr: "maintenant PASS et le mot de passe",
            },
            Self::NameFirst => Text {
                en: "USER and your name come first, then PASS",
                fr: "d'abord USER et votre nom, puis PASS",
            },
            Self::NotUtf8 => Text {
                en: "this is not UTF-8 (RFC 6856 section 2.2): set your terminal or your mail program to UTF-8",
                fr: "ce n'est pas de l'UTF-8 (RFC 6856 section 2.2) : réglez votre terminal ou votre logiciel sur UTF-8",
            },
            Self::NoApop => Text {
                en: "APOP does not work here, as the greeting without <...> says: USER and PASS, or AUTH",
                fr: "APOP ne marche pas ici, comme le dit l'accueil sans <...> : USER et PASS, ou AUTH",
            },
            Self::NoPasswords(names) => {
                return both(
                    format!("no password is taken as it is here: AUTH and one of {names}"),
                    format!("aucun mot de passe n'est pris tel quel ici : AUTH et l'un de {names}"),
                );
            }
            Self::NoSuchMechanism(names) => {
                return both(
                    format!("no such mechanism here; there are {names}"),
                    format!("pas de tel mécanisme ici ; il y a {names}"),
                );
            }
            Self::MechanismsFollow => Text {
                en: "mechanisms follow",
                fr: "voici les mécanismes",
            },
            Self::Sasl(error) => return both(error.to_string(), sasl_in_french(error).to_owned()),
            Self::Open(left) => {
                return both(
                    format!("mailbox open: {}", left.text(lang)),
                    format!("boîte ouverte : {}", left.text(lang)),
                );
            }
            Self::InUse => Text {
                en: "another POP3 session has this mailbox open: QUIT there, or try again later",
                fr: "une autre session POP3 tient cette boîte ouverte : QUIT là-bas, ou réessayez plus tard",
            },
            Self::CannotOpen => Text {
                en: "the mailbox cannot be opened now: not your fault, try again later",
                fr: "la boîte ne peut pas être ouverte : ce n'est pas votre faute, réessayez plus tard",
            },
            Self::LoginDelay(seconds) => {
                return both(
                    format!(
                        "too soon after the login before: wait {seconds} seconds (CAPA says LOGIN-DELAY)"
                    ),
                    format!(
                        "trop tôt après l'identification précédente : attendez {seconds} secondes (CAPA dit LOGIN-DELAY)"
                    ),
                );
            }
            Self::Wrong => Text {
                en: "name or password is wrong; begin again with USER",
                fr: "le nom ou le mot de passe est faux ; recommencez par USER",
            },
            Self::WrongForTheLastTime => Text {
                en: "name or password is wrong, for the last time here: connect again",
                fr: "le nom ou le mot de passe est faux, pour la dernière fois ici : reconnectez-vous",
            },
            Self::NotAsAnother => Text {
                en: "nobody may act as somebody else here; leave the name to act as empty",
                fr: "personne n'agit au nom d'un autre ici ; laissez vide le nom au nom duquel agir",
            },
            Self::Expired => Text {
                en: "the time of this account, or of its password, is over; ask who runs the server",
                fr: "ce compte, ou son mot de passe, a expiré ; voyez qui tient le serveur",
            },
            Self::Listing(left) => return left.text(lang).into(),
            Self::UidsFollow => Text {
                en: "unique ids follow",
                fr: "voici les identifiants uniques",
            },
            Self::TopFollows => Text {
                en: "top of the message follows",
                fr: "voici le début du message",
            },
            Self::Octets(octets) => return format!("{octets} octets").into(),
            Self::Marked(number) => {
                return both(
                    format!("message {number} goes when you QUIT; RSET takes that back"),
                    format!("le message {number} partira à votre QUIT ; RSET revient là-dessus"),
                );
            }
            Self::NothingMarked(left) => {
                return both(
                    format!("nothing is marked: {}", left.text(lang)),
                    format!("rien n'est marqué : {}", left.text(lang)),
                );
            }
            Self::MarkedAlready(number) => {
                return both(
                    format!("message {number} is marked as deleted; RSET takes that back"),
                    format!("le message {number} est marqué comme effacé ; RSET revient là-dessus"),
                );
            }
            Self::NoMessages => Text {
                en: "no such message: the mailbox is empty",
                fr: "pas de tel message : la boîte est vide",
            },
            Self::NoSuchMessage(messages) => {
                return both(
                    format!("no such message: there are 1 to {messages}"),
                    format!("pas de tel message : il y a ceux de 1 à {messages}"),
                );
            }
            Self::MessageGone => Text {
                en: "another program has deleted this message; QUIT and connect again to see what is left",
                fr: "un autre programme a effacé ce message ; QUIT et reconnectez-vous pour voir ce qui reste",
            },
            Self::CannotRead => Text {
                en: "the message cannot be read now: not your fault, try again later",
                fr: "le message ne peut pas être lu : ce n'est pas votre faute, réessayez plus tard",
            },
            Self::Capabilities => Text {
                en: "this works here",
                fr: "voici ce qui marche ici",
            },
            Self::Utf8 => Text {
                en: "UTF-8 from here on",
                fr: "UTF-8 à partir d'ici",
            },
            Self::Utf8BeforeLogin => Text {
                en: "UTF8 comes before the login (RFC 6856 section 2): QUIT, connect again, UTF8",
                fr: "UTF8 précède l'identification (RFC 6856 section 2) : QUIT, reconnectez-vous, UTF8",
            },
            Self::LanguagesFollow => Text {
                en: "languages follow",
                fr: "voici les langues",
            },
            Self::LanguageChanged => Text {
                en: "English from here on",
                fr: "français à partir d'ici",
            },
            Self::NoSuchLanguage => Text {
                en: "no such language here; there are en and fr, and LANG lists them",
                fr: "pas de telle langue ici ; il y a en et fr, et LANG les énumère",
            },
            Self::Bye => Text {
                en: "bye",
                fr: "au revoir",
            },
            Self::ByeNothingDeleted => Text {
                en: "bye; nothing was deleted",
                fr: "au revoir ; rien n'a été effacé",
            },
            Self::ByeDeleted(messages) => {
                return both(
                    format!("bye; {} deleted", count(messages, lang)),
                    format!(
                        "au revoir ; {} effacé{}",
                        count(messages, lang),
                        if messages > 1 { "s" } else { "" }
                    ),
                );
            }
            Self::NotDeleted => Text {
                en: "some messages were not deleted: not your fault, try again later",
                fr: "des messages n'ont pas été effacés : ce n'est pas votre faute, réessayez plus tard",
            },
            Self::TooManyErrors => Text {
                en: "too many commands went wrong here; nothing was deleted, connect again",
                fr: "trop de commandes fautives ici ; rien n'a été effacé, reconnectez-vous",
            },
            Self::ShuttingDown => Text {
                en: "the server shuts down, and nothing was deleted: connect again later",
                fr: "le serveur s'arrête, et rien n'a été effacé : reconnectez-vous plus tard",
            },
        };
        text.of(lang).into()
    }
}

/// What English says in [`SaslError`]'s own words.
const fn sasl_in_french(error: SaslError) -> &'static str {
    match error {
        SaslError::Cancelled => "identification abandonnée, comme vous l'avez demandé",
        SaslError::Base64 => {
            "ce n'est pas du base64 ; faites-le par : printf '\\0alice\\0secret' | base64"
        }
        SaslError::Name => "il n'y a pas de nom dedans",
        SaslError::Malformed => {
            "PLAIN veut le base64 de NUL, nom, NUL, mot de passe : printf '\\0alice\\0secret' | base64"
        }
        SaslError::Cram => {
            "CRAM-MD5 veut le base64 du nom, d'une espace et de 32 chiffres hexadécimaux"
        }
        SaslError::Scram => "ce n'est pas ce que SCRAM dit à cet endroit (RFC 5802 section 7)",
        SaslError::Bearer => {
            "il n'y a pas de \"auth=Bearer\" avec un jeton dedans, entre des octets de valeur 1 (RFC 7628 section 3.1)"
        }
        SaslError::Proof | SaslError::Refused => "le nom ou le mot de passe est faux",
        SaslError::Binding => {
            "votre identification est liée à une autre connexion TLS que celle-ci"
        }
        SaslError::Downgrade => {
            "SCRAM-SHA-256-PLUS est offert ici, mais votre programme ne l'a pas vu : quelqu'un est entre nous"
        }
    }
}

/// The languages, as `LANG` lists them: tag, and name in the language itself (RFC 6856 §3.2).
pub(super) const LANGUAGES: [(Lang, &str, &str); 2] =
    [(Lang::En, "en", "English"), (Lang::Fr, "fr", "Français")];

/// The language that a range asks for; `*` is the one that the server prefers. RFC 4647 §3.4: a range that is more exact than what
/// there is (`fr-CA`) gets the less exact one.
pub(super) fn language(range: &[u8], preferred: Lang) -> Option<(Lang, &'static str)> {
    let primary = range.split(|&octet| octet == b'-').next()?;
    LANGUAGES
        .into_iter()
        .find(|(lang, tag, _)| match range {
            b"*" => *lang == preferred,
            _ => tag.as_bytes().eq_ignore_ascii_case(primary),
        })
        .map(|(lang, tag, _)| (lang, tag))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_agree_with_their_words() {
        let deleted = |messages, lang| Words::ByeDeleted(messages).text(lang).into_owned();
        assert_eq!(deleted(1, Lang::En), "bye; 1 message deleted");
        assert_eq!(deleted(2, Lang::En), "bye; 2 messages deleted");
        assert_eq!(deleted(1, Lang::Fr), "au revoir ; 1 message effacé");
        assert_eq!(deleted(2, Lang::Fr), "au revoir ; 2 messages effacés");
        let empty = Words::Open(Left {
            messages: 0,
            octets: 0,
        });
        assert_eq!(empty.text(Lang::En), "mailbox open: 0 messages (0 octets)");
        assert_eq!(empty.text(Lang::Fr), "boîte ouverte : 0 message (0 octets)");
    }

    #[test]
    fn english_is_ascii() {
        // RFC 1939 §3: before LANG nothing else may be said.
        for words in [
            Words::Greeting("mail.example"),
            Words::UnknownBeforeLogin,
            Words::Usage(crate::wire::pop3::RETR),
            Words::NoApop,
            Words::Sasl(SaslError::Base64),
            Words::LoginDelay(3),
        ] {
            assert!(words.text(Lang::En).is_ascii(), "{words:?}");
            assert_ne!(words.text(Lang::En), words.text(Lang::Fr));
        }
    }

    #[test]
    fn ranges_find_a_language() {
        let tag = |range: &str| language(range.as_bytes(), Lang::Fr).map(|found| found.1);
        assert_eq!(tag("FR"), Some("fr"));
        assert_eq!(tag("fr-CA"), Some("fr"));
        assert_eq!(tag("en-GB-oed"), Some("en"));
        assert_eq!(tag("*"), Some("fr"));
        assert_eq!(tag("MUL"), None);
        assert_eq!(tag("f"), None);
        assert_eq!(tag(""), None);
    }
}
