//! How a POP3 server begins its answers, and the response codes in brackets that may follow.
//! RFC 1939 §3, RFC 1734, RFC 2449 §8, RFC 3206, RFC 6856.

use super::{Entry, Kind, Text};

/// The first word of an answer.
pub const STATUSES: &[Entry] = &[
    Entry {
        kind: Kind::PopStatus,
        code: "+OK",
        name: "positive status indicator",
        meaning: Text {
            en: "The command was carried out. The text after it is for people, except where the \
                 standard gives it a form: `+OK 2 320` after STAT.",
            fr: "La commande a été exécutée. Le texte qui suit est pour les humains, sauf là où la \
                 norme lui donne une forme : `+OK 2 320` après STAT.",
        },
        sent: Text {
            en: "The server: as a greeting, then after each command that succeeded.",
            fr: "Le serveur : à l'accueil, puis après chaque commande réussie.",
        },
        next: Text {
            en: "After LIST, UIDL, RETR, TOP and CAPA more lines follow, up to a line with a dot \
                 alone.",
            fr: "Après LIST, UIDL, RETR, TOP et CAPA, d'autres lignes suivent, jusqu'à une ligne \
                 avec un point seul.",
        },
        section: "RFC 1939 §3",
    },
    Entry {
        kind: Kind::PopStatus,
        code: "-ERR",
        name: "negative status indicator",
        meaning: Text {
            en: "The command was refused. POP3 has no numbers: the reason is in the text, or in a \
                 code in brackets after it.",
            fr: "La commande est refusée. POP3 n'a pas de numéros : la raison est dans le texte, \
                 ou dans un code entre crochets qui suit.",
        },
        sent: Text {
            en: "The server: wrong password, no such message, a command at the wrong moment or \
                 unknown.",
            fr: "Le serveur : mauvais mot de passe, message inexistant, commande inconnue ou au \
                 mauvais moment.",
        },
        next: Text {
            en: "Read the text. After a wrong password, give USER again, then PASS. The session \
                 goes on.",
            fr: "Lire le texte. Après un mauvais mot de passe, redonner USER puis PASS. La session \
                 continue.",
        },
        section: "RFC 1939 §3",
    },
    Entry {
        kind: Kind::PopStatus,
        code: "+",
        name: "continuation",
        meaning: Text {
            en: "The server waits for the next piece of an authentication, in base64.",
            fr: "Le serveur attend la suite d'une authentification, en base64.",
        },
        sent: Text {
            en: "The server, during AUTH.",
            fr: "Le serveur, pendant AUTH.",
        },
        next: Text {
            en: "Send the answer in base64 on one line, or `*` alone to give up.",
            fr: "Envoyer la réponse en base64 sur une ligne, ou `*` seul pour abandonner.",
        },
        section: "RFC 5034 §4",
    },
];

/// Response codes, without their brackets.
pub const CODES: &[Entry] = &[
    Entry {
        kind: Kind::PopCode,
        code: "AUTH",
        name: "authentication failure",
        meaning: Text {
            en: "The refusal is about who you are: name or password wrong, or access not allowed.",
            fr: "Le refus porte sur votre identité : nom ou mot de passe faux, ou accès interdit.",
        },
        sent: Text {
            en: "The server, with -ERR after PASS, APOP or AUTH.",
            fr: "Le serveur, avec -ERR après PASS, APOP ou AUTH.",
        },
        next: Text {
            en: "Ask the user for name and password again.",
            fr: "Redemander à l'utilisateur son nom et son mot de passe.",
        },
        section: "RFC 3206 §5",
    },
    Entry {
        kind: Kind::PopCode,
        code: "IN-USE",
        name: "maildrop in use",
        meaning: Text {
            en: "The mailbox is locked: another POP3 session is open on it.",
            fr: "La boîte est verrouillée : une autre session POP3 l'a ouverte.",
        },
        sent: Text {
            en: "The server, with -ERR after PASS, APOP or AUTH, although the password was right.",
            fr: "Le serveur, avec -ERR après PASS, APOP ou AUTH, bien que le mot de passe soit \
                 bon.",
        },
        next: Text {
            en: "Close the other session (QUIT), or wait until it is given up; do not ask for the \
                 password again.",
            fr: "Fermer l'autre session (QUIT), ou attendre son expiration ; ne pas redemander le \
                 mot de passe.",
        },
        section: "RFC 2449 §8.1.2",
    },
    Entry {
        kind: Kind::PopCode,
        code: "LOGIN-DELAY",
        name: "login too soon",
        meaning: Text {
            en: "The last login was a moment ago; the server wants a pause between two.",
            fr: "La dernière connexion date d'un instant ; le serveur impose une pause entre deux.",
        },
        sent: Text {
            en: "The server, with -ERR after a login.",
            fr: "Le serveur, avec -ERR après une connexion au compte.",
        },
        next: Text {
            en: "Wait as many seconds as the capability LOGIN-DELAY says.",
            fr: "Attendre le nombre de secondes indiqué par la capacité LOGIN-DELAY.",
        },
        section: "RFC 2449 §8.1.1",
    },
    Entry {
        kind: Kind::PopCode,
        code: "SYS/TEMP",
        name: "temporary system failure",
        meaning: Text {
            en: "The server has a problem that will pass.",
            fr: "Le serveur a un problème passager.",
        },
        sent: Text {
            en: "The server, with -ERR.",
            fr: "Le serveur, avec -ERR.",
        },
        next: Text {
            en: "Try again later; the user's password is not the cause.",
            fr: "Réessayer plus tard ; le mot de passe de l'utilisateur n'est pas en cause.",
        },
        section: "RFC 3206 §4",
    },
    Entry {
        kind: Kind::PopCode,
        code: "SYS/PERM",
        name: "permanent system failure",
        meaning: Text {
            en: "The server has a problem that does not go away by waiting.",
            fr: "Le serveur a un problème que l'attente ne résoudra pas.",
        },
        sent: Text {
            en: "The server, with -ERR.",
            fr: "Le serveur, avec -ERR.",
        },
        next: Text {
            en: "Tell the administrator.",
            fr: "Prévenir l'administrateur.",
        },
        section: "RFC 3206 §4",
    },
    Entry {
        kind: Kind::PopCode,
        code: "UTF8",
        name: "UTF-8 support required",
        meaning: Text {
            en: "The mailbox holds messages with UTF-8 in their header, which this session cannot \
                 read as it is.",
            fr: "La boîte contient des messages dont l'en-tête est en UTF-8, illisibles dans cette \
                 session.",
        },
        sent: Text {
            en: "The server, with -ERR, when the client did not say UTF8.",
            fr: "Le serveur, avec -ERR, quand le client n'a pas dit UTF8.",
        },
        next: Text {
            en: "Give the command UTF8 before the login, or use another program.",
            fr: "Donner la commande UTF8 avant de s'identifier, ou changer de programme.",
        },
        section: "RFC 6856 §5",
    },
];
