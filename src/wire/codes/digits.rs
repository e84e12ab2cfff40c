//! What each digit of a reply code or an enhanced status code says by itself.
//!
//! A client that meets an unknown code still knows what to do from its first digit (RFC 5321 §4.2.1), and what it is about
//! from its second. The third only tells the cases of one category apart, so it has no table.

use super::Text;

/// One digit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Digit {
    /// The digit.
    pub digit: u8,
    /// What the standard calls it.
    pub name: &'static str,
    /// What it means.
    pub meaning: Text,
}

/// The digit's row in `table`.
pub fn find(table: &'static [Digit], digit: u8) -> Option<&'static Digit> {
    table.iter().find(|row| row.digit == digit)
}

/// First digit of a reply code: did it work (RFC 5321 §4.2.1)?
pub const REPLY_CLASS: &[Digit] = &[
    Digit {
        digit: 2,
        name: "Positive Completion",
        meaning: Text {
            en: "success: the command was carried out",
            fr: "réussite : la commande a été exécutée",
        },
    },
    Digit {
        digit: 3,
        name: "Positive Intermediate",
        meaning: Text {
            en: "good so far: the server waits for the rest",
            fr: "bien jusqu'ici : le serveur attend la suite",
        },
    },
    Digit {
        digit: 4,
        name: "Transient Negative Completion",
        meaning: Text {
            en: "refused for now: the same command may succeed later",
            fr: "refus provisoire : la même commande peut réussir plus tard",
        },
    },
    Digit {
        digit: 5,
        name: "Permanent Negative Completion",
        meaning: Text {
            en: "refused for good: the same command will fail again",
            fr: "refus définitif : la même commande échouera encore",
        },
    },
];

/// Second digit of a reply code: what is it about (RFC 5321 §4.2.1)?
pub const REPLY_CATEGORY: &[Digit] = &[
    Digit {
        digit: 0,
        name: "Syntax",
        meaning: Text {
            en: "how the command is written",
            fr: "l'écriture de la commande (syntaxe)",
        },
    },
    Digit {
        digit: 1,
        name: "Information",
        meaning: Text {
            en: "an information that was asked for (status, help)",
            fr: "un renseignement demandé (état, aide)",
        },
    },
    Digit {
        digit: 2,
        name: "Connections",
        meaning: Text {
            en: "the connection between client and server",
            fr: "la connexion entre le client et le serveur",
        },
    },
    Digit {
        digit: 3,
        name: "Unspecified",
        meaning: Text {
            en: "left open by the standard; extensions use it for authentication and TLS",
            fr: "laissé libre par la norme ; les extensions l'emploient pour l'authentification et \
                 TLS",
        },
    },
    Digit {
        digit: 4,
        name: "Unspecified",
        meaning: Text {
            en: "left open by the standard",
            fr: "laissé libre par la norme",
        },
    },
    Digit {
        digit: 5,
        name: "Mail system",
        meaning: Text {
            en: "the mail system itself: mailboxes, messages, rules",
            fr: "le système de courrier lui-même : boîtes, messages, règles",
        },
    },
];

/// First number of an enhanced status code (RFC 3463 §2).
pub const STATUS_CLASS: &[Digit] = &[
    Digit {
        digit: 2,
        name: "Success",
        meaning: Text {
            en: "success: accepted or delivered",
            fr: "réussite : accepté ou remis",
        },
    },
    Digit {
        digit: 4,
        name: "Persistent Transient Failure",
        meaning: Text {
            en: "failed for now: the same message may get through later",
            fr: "échec provisoire : le même message peut passer plus tard",
        },
    },
    Digit {
        digit: 5,
        name: "Permanent Failure",
        meaning: Text {
            en: "failed for good: the same message will fail again",
            fr: "échec définitif : le même message échouera encore",
        },
    },
];

/// Second number of an enhanced status code: the subject (RFC 3463 §2).
pub const STATUS_SUBJECT: &[Digit] = &[
    Digit {
        digit: 0,
        name: "Other or Undefined Status",
        meaning: Text {
            en: "nothing particular is known",
            fr: "rien de particulier n'est connu",
        },
    },
    Digit {
        digit: 1,
        name: "Addressing Status",
        meaning: Text {
            en: "an address: the sender's or the recipient's",
            fr: "une adresse : celle de l'expéditeur ou du destinataire",
        },
    },
    Digit {
        digit: 2,
        name: "Mailbox Status",
        meaning: Text {
            en: "the recipient's mailbox",
            fr: "la boîte du destinataire",
        },
    },
    Digit {
        digit: 3,
        name: "Mail System Status",
        meaning: Text {
            en: "the mail system at the destination",
            fr: "le système de courrier à destination",
        },
    },
    Digit {
        digit: 4,
        name: "Network and Routing Status",
        meaning: Text {
            en: "the network and the way to the destination",
            fr: "le réseau et le chemin vers la destination",
        },
    },
    Digit {
        digit: 5,
        name: "Mail Delivery Protocol Status",
        meaning: Text {
            en: "the dialogue between client and server",
            fr: "le dialogue entre le client et le serveur",
        },
    },
    Digit {
        digit: 6,
        name: "Message Content or Media Status",
        meaning: Text {
            en: "the content of the message",
            fr: "le contenu du message",
        },
    },
    Digit {
        digit: 7,
        name: "Security or Policy Status",
        meaning: Text {
            en: "security, or a rule of the server",
            fr: "la sécurité, ou une règle du serveur",
        },
    },
];

/// What the third digit is for.
pub const DETAIL: Text = Text {
    en: "which case of that category",
    fr: "lequel des cas de cette catégorie",
};
