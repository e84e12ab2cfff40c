//! Commands that a server of IMAP offers with an extension: sorting, quota, rights, annotations ...

use crate::wire::codes::{Command, Protocol, Text};

/// In the order of what they are about.
pub(super) const IMAP_EXTENSION: &[Command] = &[
    Command {
        protocol: Protocol::Imap,
        verb: "SORT",
        syntax: "tag SORT (keys) charset criteria",
        meaning: Text {
            en: "Searches, and gives the numbers in order.",
            fr: "Cherche, et donne les numéros dans l'ordre.",
        },
        allowed: Text {
            en: "After SELECT, if the capability is listed.",
            fr: "Après SELECT, si la capacité est annoncée.",
        },
        example: "C: a3 SORT (REVERSE DATE) UTF-8 ALL\nS: * SORT 3 1 2\nS: a3 OK",
        section: "RFC 5256 §3",
    },
    Command {
        protocol: Protocol::Imap,
        verb: "THREAD",
        syntax: "tag THREAD algorithm charset criteria",
        meaning: Text {
            en: "Searches, and gives the numbers by conversation.",
            fr: "Cherche, et donne les numéros par fil de discussion.",
        },
        allowed: Text {
            en: "After SELECT, if the capability is listed.",
            fr: "Après SELECT, si la capacité est annoncée.",
        },
        example: "C: a3 THREAD REFERENCES UTF-8 ALL\nS: * THREAD (1 2)(3)\nS: a3 OK",
        section: "RFC 5256 §3",
    },
    Command {
        protocol: Protocol::Imap,
        verb: "GETQUOTA",
        syntax: "tag GETQUOTA root",
        meaning: Text {
            en: "Tells how much room is used and allowed.",
            fr: "Donne la place occupée et la place accordée.",
        },
        allowed: Text {
            en: "After the login, if QUOTA is listed.",
            fr: "Après l'identification, si QUOTA est annoncée.",
        },
        example: "C: a2 GETQUOTA \"\"\nS: * QUOTA \"\" (STORAGE 10 512)\nS: a2 OK",
        section: "RFC 9208 §4.1.1",
    },
    Command {
        protocol: Protocol::Imap,
        verb: "GETQUOTAROOT",
        syntax: "tag GETQUOTAROOT mailbox",
        meaning: Text {
            en: "Tells which quota counts for a mailbox, and its state.",
            fr: "Dit quel quota s'applique à une boîte, et son état.",
        },
        allowed: Text {
            en: "After the login, if QUOTA is listed.",
            fr: "Après l'identification, si QUOTA est annoncée.",
        },
        example: "C: a2 GETQUOTAROOT INBOX\n\
                  S: * QUOTAROOT INBOX \"\"\n\
                  S: * QUOTA \"\" (STORAGE 10 512)\n\
                  S: a2 OK",
        section: "RFC 9208 §4.1.2",
    },
    Command {
        protocol: Protocol::Imap,
        verb: "SETQUOTA",
        syntax: "tag SETQUOTA root (limits)",
        meaning: Text {
            en: "Sets the room that is allowed; for administrators.",
            fr: "Fixe la place accordée ; réservé aux administrateurs.",
        },
        allowed: Text {
            en: "After the login, if QUOTASET is listed.",
            fr: "Après l'identification, si QUOTASET est annoncée.",
        },
        example: "C: a2 SETQUOTA \"\" (STORAGE 512)\nS: * QUOTA \"\" (STORAGE 10 512)\nS: a2 OK",
        section: "RFC 9208 §4.1.3",
    },
    Command {
        protocol: Protocol::Imap,
        verb: "GETACL",
        syntax: "tag GETACL mailbox",
        meaning: Text {
            en: "Lists who may do what in a mailbox.",
            fr: "Donne qui a quels droits sur une boîte.",
        },
        allowed: Text {
            en: "After the login, if ACL is listed.",
            fr: "Après l'identification, si ACL est annoncée.",
        },
        example: "C: a2 GETACL Team\nS: * ACL Team alice lrswi\nS: a2 OK",
        section: "RFC 4314 §3.3",
    },
    Command {
        protocol: Protocol::Imap,
        verb: "SETACL",
        syntax: "tag SETACL mailbox user rights",
        meaning: Text {
            en: "Gives or takes rights on a mailbox.",
            fr: "Donne ou retire des droits sur une boîte.",
        },
        allowed: Text {
            en: "After the login, if ACL is listed.",
            fr: "Après l'identification, si ACL est annoncée.",
        },
        example: "C: a2 SETACL Team bob +lr\nS: a2 OK",
        section: "RFC 4314 §3.1",
    },
    Command {
        protocol: Protocol::Imap,
        verb: "DELETEACL",
        syntax: "tag DELETEACL mailbox user",
        meaning: Text {
            en: "Takes all of a user's rights on a mailbox away.",
            fr: "Retire à un utilisateur tous ses droits sur une boîte.",
        },
        allowed: Text {
            en: "After the login, if ACL is listed.",
            fr: "Après l'identification, si ACL est annoncée.",
        },
        example: "C: a2 DELETEACL Team bob\nS: a2 OK",
        section: "RFC 4314 §3.2",
    },
    Command {
        protocol: Protocol::Imap,
        verb: "LISTRIGHTS",
        syntax: "tag LISTRIGHTS mailbox user",
        meaning: Text {
            en: "Tells which rights can be given to a user at all.",
            fr: "Dit quels droits peuvent être donnés à un utilisateur.",
        },
        allowed: Text {
            en: "After the login, if ACL is listed.",
            fr: "Après l'identification, si ACL est annoncée.",
        },
        example: "C: a2 LISTRIGHTS Team bob\nS: * LISTRIGHTS Team bob \"\" l r s w\nS: a2 OK",
        section: "RFC 4314 §3.4",
    },
    Command {
        protocol: Protocol::Imap,
        verb: "MYRIGHTS",
        syntax: "tag MYRIGHTS mailbox",
        meaning: Text {
            en: "Tells your own rights on a mailbox.",
            fr: "Donne vos propres droits sur une boîte.",
        },
        allowed: Text {
            en: "After the login, if ACL is listed.",
            fr: "Après l'identification, si ACL est annoncée.",
        },
        example: "C: a2 MYRIGHTS Team\nS: * MYRIGHTS Team lr\nS: a2 OK",
        section: "RFC 4314 §3.5",
    },
    Command {
        protocol: Protocol::Imap,
        verb: "GETMETADATA",
        syntax: "tag GETMETADATA mailbox entries",
        meaning: Text {
            en: "Reads notes kept with a mailbox or the server.",
            fr: "Lit des notes attachées à une boîte ou au serveur.",
        },
        allowed: Text {
            en: "After the login, if METADATA is listed.",
            fr: "Après l'identification, si METADATA est annoncée.",
        },
        example: "C: a2 GETMETADATA INBOX /private/comment\n\
                  S: * METADATA INBOX (/private/comment \"mine\")\n\
                  S: a2 OK",
        section: "RFC 5464 §4.2",
    },
    Command {
        protocol: Protocol::Imap,
        verb: "SETMETADATA",
        syntax: "tag SETMETADATA mailbox (entry value)",
        meaning: Text {
            en: "Writes such notes; NIL deletes one.",
            fr: "Écrit de telles notes ; NIL en supprime une.",
        },
        allowed: Text {
            en: "After the login, if METADATA is listed.",
            fr: "Après l'identification, si METADATA est annoncée.",
        },
        example: "C: a2 SETMETADATA INBOX (/private/comment \"mine\")\nS: a2 OK",
        section: "RFC 5464 §4.3",
    },
    Command {
        protocol: Protocol::Imap,
        verb: "COMPRESS",
        syntax: "tag COMPRESS DEFLATE",
        meaning: Text {
            en: "Compresses the connection from here on.",
            fr: "Compresse la connexion à partir d'ici.",
        },
        allowed: Text {
            en: "After the login, if the capability is listed.",
            fr: "Après l'identification, si la capacité est annoncée.",
        },
        example: "C: a2 COMPRESS DEFLATE\nS: a2 OK",
        section: "RFC 4978 §3",
    },
    Command {
        protocol: Protocol::Imap,
        verb: "NOTIFY",
        syntax: "tag NOTIFY SET (mailboxes (events))",
        meaning: Text {
            en: "Says which events in which mailboxes the server shall tell.",
            fr: "Dit quels événements de quelles boîtes le serveur doit annoncer.",
        },
        allowed: Text {
            en: "After the login, if the capability is listed.",
            fr: "Après l'identification, si la capacité est annoncée.",
        },
        example: "C: a2 NOTIFY SET (PERSONAL (MessageNew MessageExpunge))\nS: a2 OK",
        section: "RFC 5465 §3.1",
    },
    Command {
        protocol: Protocol::Imap,
        verb: "REPLACE",
        syntax: "tag REPLACE number mailbox {octets}",
        meaning: Text {
            en: "Puts a new message in the place of an old one, in one step: for drafts.",
            fr: "Met un nouveau message à la place d'un ancien, en une fois : pour les brouillons.",
        },
        allowed: Text {
            en: "After SELECT, if the capability is listed.",
            fr: "Après SELECT, si la capacité est annoncée.",
        },
        example: "C: a3 REPLACE 4 Drafts {16}\n\
                  S: +\n\
                  C: Subject: hello\n\
                  C: \n\
                  S: * 4 EXPUNGE\n\
                  S: a3 OK",
        section: "RFC 8508 §3",
    },
    Command {
        protocol: Protocol::Imap,
        verb: "UNAUTHENTICATE",
        syntax: "tag UNAUTHENTICATE",
        meaning: Text {
            en: "Logs out without closing the connection, for the next user.",
            fr: "Se désidentifie sans fermer la connexion, pour l'utilisateur suivant.",
        },
        allowed: Text {
            en: "After the login, if the capability is listed.",
            fr: "Après l'identification, si la capacité est annoncée.",
        },
        example: "C: a9 UNAUTHENTICATE\nS: a9 OK",
        section: "RFC 8437 §2",
    },
];
