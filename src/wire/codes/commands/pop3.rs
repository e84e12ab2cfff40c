//! Commands of POP3: RFC 1939 and its extensions.

use crate::wire::codes::{Command, Protocol, Text};

/// In the order of a session.
pub(super) const POP3: &[Command] = &[
    Command {
        protocol: Protocol::Pop3,
        verb: "USER",
        syntax: "USER name",
        meaning: Text {
            en: "Says which mailbox is wanted; the password follows with PASS.",
            fr: "Dit quelle boîte on veut ; le mot de passe suit avec PASS.",
        },
        allowed: Text {
            en: "Before the login, after the greeting or a failed PASS.",
            fr: "Avant l'identification, après l'accueil ou un PASS refusé.",
        },
        example: "C: USER alice\nS: +OK",
        section: "RFC 1939 §7",
    },
    Command {
        protocol: Protocol::Pop3,
        verb: "PASS",
        syntax: "PASS password",
        meaning: Text {
            en: "Gives the password; with +OK the mailbox is open, and locked for others.",
            fr: "Donne le mot de passe ; avec +OK la boîte est ouverte, et verrouillée pour les \
                 autres.",
        },
        allowed: Text {
            en: "Directly after USER.",
            fr: "Juste après USER.",
        },
        example: "C: PASS secret\nS: +OK 2 messages",
        section: "RFC 1939 §7",
    },
    Command {
        protocol: Protocol::Pop3,
        verb: "APOP",
        syntax: "APOP name digest",
        meaning: Text {
            en: "Logs in without showing the password: an MD5 sum of the time stamp in the \
                 greeting and the password.",
            fr: "Identifie sans montrer le mot de passe : somme MD5 de l'horodatage de l'accueil \
                 et du mot de passe.",
        },
        allowed: Text {
            en: "Before the login, if the greeting holds `<...@...>`.",
            fr: "Avant l'identification, si l'accueil contient `<...@...>`.",
        },
        example: "C: APOP mrose c4c9334bac560ecc979e58001b3e22fb\nS: +OK",
        section: "RFC 1939 §7",
    },
    Command {
        protocol: Protocol::Pop3,
        verb: "AUTH",
        syntax: "AUTH mechanism [initial-response]",
        meaning: Text {
            en: "Logs in with a SASL mechanism.",
            fr: "Identifie avec un mécanisme SASL.",
        },
        allowed: Text {
            en: "Before the login; CAPA lists the mechanisms after SASL.",
            fr: "Avant l'identification ; CAPA donne les mécanismes après SASL.",
        },
        example: "C: AUTH PLAIN AGFsaWNlAGFsaWNl\nS: +OK",
        section: "RFC 5034 §4",
    },
    Command {
        protocol: Protocol::Pop3,
        verb: "STAT",
        syntax: "STAT",
        meaning: Text {
            en: "Tells how many messages there are, and how many octets in all.",
            fr: "Donne le nombre de messages et leur taille totale en octets.",
        },
        allowed: Text {
            en: "After the login.",
            fr: "Après l'identification.",
        },
        example: "C: STAT\nS: +OK 2 320",
        section: "RFC 1939 §5",
    },
    Command {
        protocol: Protocol::Pop3,
        verb: "LIST",
        syntax: "LIST [message]",
        meaning: Text {
            en: "Tells the size of each message, or of one.",
            fr: "Donne la taille de chaque message, ou d'un seul.",
        },
        allowed: Text {
            en: "After the login.",
            fr: "Après l'identification.",
        },
        example: "C: LIST\nS: +OK\nS: 1 120\nS: 2 200\nS: .",
        section: "RFC 1939 §5",
    },
    Command {
        protocol: Protocol::Pop3,
        verb: "UIDL",
        syntax: "UIDL [message]",
        meaning: Text {
            en: "Tells a name for each message that stays the same from session to session.",
            fr: "Donne à chaque message un nom qui reste le même d'une session à l'autre.",
        },
        allowed: Text {
            en: "After the login.",
            fr: "Après l'identification.",
        },
        example: "C: UIDL 1\nS: +OK 1 00000001654ab3f2",
        section: "RFC 1939 §7",
    },
    Command {
        protocol: Protocol::Pop3,
        verb: "TOP",
        syntax: "TOP message lines",
        meaning: Text {
            en: "Shows the header of a message and so many lines of its text.",
            fr: "Montre l'en-tête d'un message et tant de lignes de son texte.",
        },
        allowed: Text {
            en: "After the login.",
            fr: "Après l'identification.",
        },
        example: "C: TOP 1 0\nS: +OK\nS: Subject: hello\nS: \nS: .",
        section: "RFC 1939 §7",
    },
    Command {
        protocol: Protocol::Pop3,
        verb: "RETR",
        syntax: "RETR message",
        meaning: Text {
            en: "Sends the whole message. It stays in the mailbox: only DELE marks it for \
                 deletion.",
            fr: "Envoie le message entier. Il reste dans la boîte : seul DELE le marque pour \
                 suppression.",
        },
        allowed: Text {
            en: "After the login.",
            fr: "Après l'identification.",
        },
        example: "C: RETR 1\nS: +OK\nS: Subject: hello\nS: \nS: Hello!\nS: .",
        section: "RFC 1939 §5",
    },
    Command {
        protocol: Protocol::Pop3,
        verb: "DELE",
        syntax: "DELE message",
        meaning: Text {
            en: "Marks a message for deletion; it goes when the session ends with QUIT.",
            fr: "Marque un message à supprimer ; il disparaît quand la session finit par QUIT.",
        },
        allowed: Text {
            en: "After the login.",
            fr: "Après l'identification.",
        },
        example: "C: DELE 1\nS: +OK",
        section: "RFC 1939 §5",
    },
    Command {
        protocol: Protocol::Pop3,
        verb: "RSET",
        syntax: "RSET",
        meaning: Text {
            en: "Takes all deletion marks back.",
            fr: "Retire toutes les marques de suppression.",
        },
        allowed: Text {
            en: "After the login.",
            fr: "Après l'identification.",
        },
        example: "C: RSET\nS: +OK",
        section: "RFC 1939 §5",
    },
    Command {
        protocol: Protocol::Pop3,
        verb: "NOOP",
        syntax: "NOOP",
        meaning: Text {
            en: "Does nothing; keeps the session awake.",
            fr: "Ne fait rien ; garde la session en vie.",
        },
        allowed: Text {
            en: "After the login.",
            fr: "Après l'identification.",
        },
        example: "C: NOOP\nS: +OK",
        section: "RFC 1939 §5",
    },
    Command {
        protocol: Protocol::Pop3,
        verb: "LAST",
        syntax: "LAST",
        meaning: Text {
            en: "Tells the highest message that was ever retrieved, 0 for none. Older than UIDL, which took its place in 1994; few \
                 servers still have it.",
            fr: "Dit le plus haut message déjà récupéré, 0 si aucun. Plus ancien que UIDL, qui l'a remplacé en 1994 ; peu de \
                 serveurs l'ont encore.",
        },
        allowed: Text {
            en: "After the login.",
            fr: "Après l'identification.",
        },
        example: "C: LAST\nS: +OK 2",
        section: "RFC 1460",
    },
    Command {
        protocol: Protocol::Pop3,
        verb: "QUIT",
        syntax: "QUIT",
        meaning: Text {
            en: "Ends the session and deletes what was marked. Without QUIT nothing is deleted.",
            fr: "Termine la session et supprime ce qui était marqué. Sans QUIT, rien n'est \
                 supprimé.",
        },
        allowed: Text {
            en: "At any time.",
            fr: "À tout moment.",
        },
        example: "C: QUIT\nS: +OK",
        section: "RFC 1939 §4, §6",
    },
    Command {
        protocol: Protocol::Pop3,
        verb: "CAPA",
        syntax: "CAPA",
        meaning: Text {
            en: "Lists what the server can do.",
            fr: "Donne la liste de ce que sait faire le serveur.",
        },
        allowed: Text {
            en: "At any time.",
            fr: "À tout moment.",
        },
        example: "C: CAPA\nS: +OK\nS: TOP\nS: UIDL\nS: STLS\nS: .",
        section: "RFC 2449 §5",
    },
    Command {
        protocol: Protocol::Pop3,
        verb: "STLS",
        syntax: "STLS",
        meaning: Text {
            en: "Asks to go on encrypted on this same connection; after +OK TLS begins.",
            fr: "Demande à poursuivre en chiffré sur cette même connexion ; après +OK, TLS \
                 commence.",
        },
        allowed: Text {
            en: "Before the login, if CAPA lists it.",
            fr: "Avant l'identification, si CAPA l'annonce.",
        },
        example: "C: STLS\nS: +OK",
        section: "RFC 2595 §4",
    },
    Command {
        protocol: Protocol::Pop3,
        verb: "UTF8",
        syntax: "UTF8",
        meaning: Text {
            en: "Says that the client can read names, headers and texts in UTF-8.",
            fr: "Indique que le client sait lire noms, en-têtes et textes en UTF-8.",
        },
        allowed: Text {
            en: "Before the login, if CAPA lists it.",
            fr: "Avant l'identification, si CAPA l'annonce.",
        },
        example: "C: UTF8\nS: +OK",
        section: "RFC 6856 §2.1",
    },
    Command {
        protocol: Protocol::Pop3,
        verb: "LANG",
        syntax: "LANG [language]",
        meaning: Text {
            en: "Chooses the language of the server's texts, or lists those it has.",
            fr: "Choisit la langue des textes du serveur, ou liste celles qu'il connaît.",
        },
        allowed: Text {
            en: "At any time, if CAPA lists it.",
            fr: "À tout moment, si CAPA l'annonce.",
        },
        example: "C: LANG fr\nS: +OK fr",
        section: "RFC 6856 §3",
    },
];
