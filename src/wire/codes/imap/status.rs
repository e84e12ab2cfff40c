//! OK, NO, BAD, BYE, PREAUTH, and the marks with which a line of a server begins.

use crate::wire::codes::{Entry, Kind, Text};

/// The statuses, and the marks `*` and `+`.
pub const STATUSES: &[Entry] = &[
    Entry {
        kind: Kind::ImapStatus,
        code: "OK",
        name: "OK response",
        meaning: Text {
            en: "With the tag of a command: it was carried out. With `*`: an information.",
            fr: "Avec l'étiquette d'une commande : elle a été exécutée. Avec `*` : une \
                 information.",
        },
        sent: Text {
            en: "The server; also as its greeting, `* OK`, when nobody is logged in yet.",
            fr: "Le serveur ; aussi à l'accueil, `* OK`, quand personne n'est encore identifié.",
        },
        next: Text {
            en: "Go on. A code in brackets may tell more: [READ-WRITE], [UIDVALIDITY 7].",
            fr: "Continuer. Un code entre crochets peut en dire plus : [READ-WRITE], [UIDVALIDITY \
                 7].",
        },
        section: "RFC 9051 §7.1.1",
    },
    Entry {
        kind: Kind::ImapStatus,
        code: "NO",
        name: "NO response",
        meaning: Text {
            en: "With a tag: the command was understood, but could not be carried out. With `*`: a \
                 warning.",
            fr: "Avec une étiquette : la commande a été comprise, mais n'a pas pu être exécutée. \
                 Avec `*` : un avertissement.",
        },
        sent: Text {
            en: "The server: wrong password, no such mailbox, no right, no room.",
            fr: "Le serveur : mauvais mot de passe, boîte inexistante, droit manquant, plus de \
                 place.",
        },
        next: Text {
            en: "Read the code in brackets and the text; correct what they name, then give the \
                 command again with a new tag.",
            fr: "Lire le code entre crochets et le texte ; corriger ce qu'ils désignent, puis \
                 redonner la commande avec une nouvelle étiquette.",
        },
        section: "RFC 9051 §7.1.2",
    },
    Entry {
        kind: Kind::ImapStatus,
        code: "BAD",
        name: "BAD response",
        meaning: Text {
            en: "The server did not understand the line, or the command is not allowed in this \
                 state.",
            fr: "Le serveur n'a pas compris la ligne, ou la commande n'est pas permise dans cet \
                 état.",
        },
        sent: Text {
            en: "The server; with `*` when not even a tag could be read, for example because it \
                 was forgotten.",
            fr: "Le serveur ; avec `*` quand même l'étiquette est illisible, par exemple parce \
                 qu'on l'a oubliée.",
        },
        next: Text {
            en: "Check the form `a1 COMMAND arguments`, the quotes and brackets, and whether \
                 SELECT is missing before it.",
            fr: "Vérifier la forme `a1 COMMANDE arguments`, les guillemets et parenthèses, et si \
                 un SELECT ne manque pas avant.",
        },
        section: "RFC 9051 §7.1.3",
    },
    Entry {
        kind: Kind::ImapStatus,
        code: "BYE",
        name: "BYE response",
        meaning: Text {
            en: "The server is about to close the connection.",
            fr: "Le serveur va fermer la connexion.",
        },
        sent: Text {
            en: "The server: after LOGOUT, when it stops, after too long a silence, or as a \
                 greeting when it takes no more clients.",
            fr: "Le serveur : après LOGOUT, quand il s'arrête, après un trop long silence, ou à \
                 l'accueil s'il ne prend plus de clients.",
        },
        next: Text {
            en: "After LOGOUT: nothing. Otherwise read the text, and connect again later.",
            fr: "Après LOGOUT : rien. Sinon, lire le texte, et se reconnecter plus tard.",
        },
        section: "RFC 9051 §7.1.5",
    },
    Entry {
        kind: Kind::ImapStatus,
        code: "PREAUTH",
        name: "PREAUTH response",
        meaning: Text {
            en: "The connection is already logged in: no LOGIN is needed.",
            fr: "La connexion est déjà identifiée : aucun LOGIN n'est nécessaire.",
        },
        sent: Text {
            en: "The server, as its greeting `* PREAUTH`, when it knows the client in another way \
                 (started over ssh, for example).",
            fr: "Le serveur, à l'accueil `* PREAUTH`, quand il connaît le client autrement (lancé \
                 par ssh, par exemple).",
        },
        next: Text {
            en: "Go on with SELECT. STARTTLS is no longer possible.",
            fr: "Continuer avec SELECT. STARTTLS n'est plus possible.",
        },
        section: "RFC 9051 §7.1.4",
    },
    Entry {
        kind: Kind::ImapStatus,
        code: "*",
        name: "untagged response",
        meaning: Text {
            en: "This line is data, not the end of a command: part of an answer, or news such as \
                 `* 3 EXISTS`.",
            fr: "Cette ligne est une donnée, pas la fin d'une commande : une partie de réponse, ou \
                 une nouvelle comme `* 3 EXISTS`.",
        },
        sent: Text {
            en: "The server, at any moment, even without a question.",
            fr: "Le serveur, à tout moment, même sans question.",
        },
        next: Text {
            en: "Take note, and read on up to the line that begins with the tag of your command.",
            fr: "En prendre note, et lire jusqu'à la ligne qui commence par l'étiquette de la \
                 commande.",
        },
        section: "RFC 9051 §2.2.2",
    },
    Entry {
        kind: Kind::ImapStatus,
        code: "+",
        name: "command continuation request",
        meaning: Text {
            en: "The server is ready for the rest of the command.",
            fr: "Le serveur est prêt à recevoir la suite de la commande.",
        },
        sent: Text {
            en: "The server, after a literal `{n}`, during AUTHENTICATE, and after IDLE.",
            fr: "Le serveur, après un littéral `{n}`, pendant AUTHENTICATE, et après IDLE.",
        },
        next: Text {
            en: "Send the n octets, or the next piece in base64; after IDLE, wait, then send DONE.",
            fr: "Envoyer les n octets, ou la suite en base64 ; après IDLE, attendre, puis envoyer \
                 DONE.",
        },
        section: "RFC 9051 §7.6",
    },
];
