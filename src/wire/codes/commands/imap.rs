//! Commands of IMAP: RFC 9051 §6, RFC 3501 §6, and ID (RFC 2971).

use crate::wire::codes::{Command, Protocol, Text};

/// In the order of the standard.
pub(super) const IMAP: &[Command] = &[
    Command {
        protocol: Protocol::Imap,
        verb: "CAPABILITY",
        syntax: "tag CAPABILITY",
        meaning: Text {
            en: "Lists what the server can do.",
            fr: "Donne la liste de ce que sait faire le serveur.",
        },
        allowed: Text {
            en: "At any time.",
            fr: "À tout moment.",
        },
        example: "C: a1 CAPABILITY\nS: * CAPABILITY IMAP4rev1 STARTTLS\nS: a1 OK",
        section: "RFC 9051 §6.1.1",
    },
    Command {
        protocol: Protocol::Imap,
        verb: "NOOP",
        syntax: "tag NOOP",
        meaning: Text {
            en: "Does nothing; gives the server a chance to tell news of the mailbox.",
            fr: "Ne fait rien ; donne au serveur l'occasion d'annoncer les nouveautés de la boîte.",
        },
        allowed: Text {
            en: "At any time.",
            fr: "À tout moment.",
        },
        example: "C: a2 NOOP\nS: * 3 EXISTS\nS: a2 OK",
        section: "RFC 9051 §6.1.2",
    },
    Command {
        protocol: Protocol::Imap,
        verb: "LOGOUT",
        syntax: "tag LOGOUT",
        meaning: Text {
            en: "Ends the session. Messages marked \\Deleted stay until EXPUNGE or CLOSE.",
            fr: "Termine la session. Les messages marqués \\Deleted restent jusqu'à EXPUNGE ou \
                 CLOSE.",
        },
        allowed: Text {
            en: "At any time.",
            fr: "À tout moment.",
        },
        example: "C: a3 LOGOUT\nS: * BYE\nS: a3 OK",
        section: "RFC 9051 §6.1.3",
    },
    Command {
        protocol: Protocol::Imap,
        verb: "ID",
        syntax: "tag ID (field value ...)",
        meaning: Text {
            en: "Client and server tell each other their program's name and version.",
            fr: "Client et serveur s'échangent le nom et la version de leur programme.",
        },
        allowed: Text {
            en: "At any time, if the capability is listed.",
            fr: "À tout moment, si la capacité est annoncée.",
        },
        example: "C: a1 ID NIL\nS: * ID (\"name\" \"mailtool\")\nS: a1 OK",
        section: "RFC 2971 §3.1",
    },
    Command {
        protocol: Protocol::Imap,
        verb: "STARTTLS",
        syntax: "tag STARTTLS",
        meaning: Text {
            en: "Asks to go on encrypted on this same connection; after OK TLS begins.",
            fr: "Demande à poursuivre en chiffré sur cette même connexion ; après OK, TLS \
                 commence.",
        },
        allowed: Text {
            en: "Before the login.",
            fr: "Avant l'identification.",
        },
        example: "C: a1 STARTTLS\nS: a1 OK",
        section: "RFC 9051 §6.2.1",
    },
    Command {
        protocol: Protocol::Imap,
        verb: "AUTHENTICATE",
        syntax: "tag AUTHENTICATE mechanism [initial-response]",
        meaning: Text {
            en: "Logs in with a SASL mechanism, step by step in base64.",
            fr: "Identifie avec un mécanisme SASL, par étapes, en base64.",
        },
        allowed: Text {
            en: "Before the login; CAPABILITY lists the mechanisms as AUTH=...",
            fr: "Avant l'identification ; CAPABILITY annonce les mécanismes sous la forme AUTH=...",
        },
        example: "C: a1 AUTHENTICATE PLAIN\nS: +\nC: AGFsaWNlAGFsaWNl\nS: a1 OK",
        section: "RFC 9051 §6.2.2",
    },
    Command {
        protocol: Protocol::Imap,
        verb: "LOGIN",
        syntax: "tag LOGIN name password",
        meaning: Text {
            en: "Logs in with name and password as they are: only over TLS.",
            fr: "Identifie par nom et mot de passe tels quels : seulement sous TLS.",
        },
        allowed: Text {
            en: "Before the login, unless the server lists LOGINDISABLED.",
            fr: "Avant l'identification, sauf si le serveur annonce LOGINDISABLED.",
        },
        example: "C: a1 LOGIN alice secret\nS: a1 OK",
        section: "RFC 9051 §6.2.3",
    },
    Command {
        protocol: Protocol::Imap,
        verb: "ENABLE",
        syntax: "tag ENABLE capability ...",
        meaning: Text {
            en: "Switches on extensions that change what the server sends.",
            fr: "Active des extensions qui changent ce que le serveur envoie.",
        },
        allowed: Text {
            en: "After the login, before SELECT.",
            fr: "Après l'identification, avant SELECT.",
        },
        example: "C: a2 ENABLE CONDSTORE\nS: * ENABLED CONDSTORE\nS: a2 OK",
        section: "RFC 9051 §6.3.1",
    },
    Command {
        protocol: Protocol::Imap,
        verb: "SELECT",
        syntax: "tag SELECT mailbox",
        meaning: Text {
            en: "Opens a mailbox, to read and change it. Its state comes with the answer.",
            fr: "Ouvre une boîte, en lecture et en écriture. Son état vient avec la réponse.",
        },
        allowed: Text {
            en: "After the login.",
            fr: "Après l'identification.",
        },
        example: "C: a2 SELECT INBOX\n\
                  S: * 3 EXISTS\n\
                  S: * OK [UIDVALIDITY 7]\n\
                  S: a2 OK [READ-WRITE]",
        section: "RFC 9051 §6.3.2",
    },
    Command {
        protocol: Protocol::Imap,
        verb: "EXAMINE",
        syntax: "tag EXAMINE mailbox",
        meaning: Text {
            en: "Opens a mailbox to read only: nothing changes, not even \\Seen.",
            fr: "Ouvre une boîte en lecture seule : rien ne change, pas même \\Seen.",
        },
        allowed: Text {
            en: "After the login.",
            fr: "Après l'identification.",
        },
        example: "C: a2 EXAMINE INBOX\nS: * 3 EXISTS\nS: a2 OK [READ-ONLY]",
        section: "RFC 9051 §6.3.3",
    },
    Command {
        protocol: Protocol::Imap,
        verb: "CREATE",
        syntax: "tag CREATE mailbox",
        meaning: Text {
            en: "Makes a mailbox on the server.",
            fr: "Crée une boîte sur le serveur.",
        },
        allowed: Text {
            en: "After the login.",
            fr: "Après l'identification.",
        },
        example: "C: a2 CREATE Archive\nS: a2 OK",
        section: "RFC 9051 §6.3.4",
    },
    Command {
        protocol: Protocol::Imap,
        verb: "DELETE",
        syntax: "tag DELETE mailbox",
        meaning: Text {
            en: "Deletes a mailbox with all its messages. INBOX cannot be deleted.",
            fr: "Supprime une boîte avec tous ses messages. INBOX ne peut pas être supprimée.",
        },
        allowed: Text {
            en: "After the login.",
            fr: "Après l'identification.",
        },
        example: "C: a2 DELETE Archive\nS: a2 OK",
        section: "RFC 9051 §6.3.5",
    },
    Command {
        protocol: Protocol::Imap,
        verb: "RENAME",
        syntax: "tag RENAME old new",
        meaning: Text {
            en: "Renames a mailbox. RENAME INBOX moves its messages and leaves an empty INBOX.",
            fr: "Renomme une boîte. RENAME INBOX déplace ses messages et laisse une INBOX vide.",
        },
        allowed: Text {
            en: "After the login.",
            fr: "Après l'identification.",
        },
        example: "C: a2 RENAME Archive Old\nS: a2 OK",
        section: "RFC 9051 §6.3.6",
    },
    Command {
        protocol: Protocol::Imap,
        verb: "SUBSCRIBE",
        syntax: "tag SUBSCRIBE mailbox",
        meaning: Text {
            en: "Puts a mailbox on the list of those that a mail program shows.",
            fr: "Inscrit une boîte sur la liste de celles qu'un logiciel de messagerie affiche.",
        },
        allowed: Text {
            en: "After the login.",
            fr: "Après l'identification.",
        },
        example: "C: a2 SUBSCRIBE Archive\nS: a2 OK",
        section: "RFC 9051 §6.3.7",
    },
    Command {
        protocol: Protocol::Imap,
        verb: "UNSUBSCRIBE",
        syntax: "tag UNSUBSCRIBE mailbox",
        meaning: Text {
            en: "Takes a mailbox off that list; the mailbox stays.",
            fr: "Retire une boîte de cette liste ; la boîte reste.",
        },
        allowed: Text {
            en: "After the login.",
            fr: "Après l'identification.",
        },
        example: "C: a2 UNSUBSCRIBE Archive\nS: a2 OK",
        section: "RFC 9051 §6.3.8",
    },
    Command {
        protocol: Protocol::Imap,
        verb: "LIST",
        syntax: "tag LIST reference pattern",
        meaning: Text {
            en: "Lists mailboxes. `*` stands for anything, `%` for one level.",
            fr: "Donne la liste des boîtes. `*` remplace n'importe quoi, `%` un seul niveau.",
        },
        allowed: Text {
            en: "After the login.",
            fr: "Après l'identification.",
        },
        example: "C: a2 LIST \"\" \"*\"\nS: * LIST () \"/\" INBOX\nS: a2 OK",
        section: "RFC 9051 §6.3.9",
    },
    Command {
        protocol: Protocol::Imap,
        verb: "LSUB",
        syntax: "tag LSUB reference pattern",
        meaning: Text {
            en: "Lists the mailboxes that are subscribed. In IMAP4rev2: LIST (SUBSCRIBED).",
            fr: "Donne la liste des boîtes abonnées. En IMAP4rev2 : LIST (SUBSCRIBED).",
        },
        allowed: Text {
            en: "After the login.",
            fr: "Après l'identification.",
        },
        example: "C: a2 LSUB \"\" \"*\"\nS: * LSUB () \"/\" INBOX\nS: a2 OK",
        section: "RFC 3501 §6.3.9",
    },
    Command {
        protocol: Protocol::Imap,
        verb: "NAMESPACE",
        syntax: "tag NAMESPACE",
        meaning: Text {
            en: "Tells where your own, others' and shared mailboxes begin, and the separator.",
            fr: "Dit où commencent vos boîtes, celles des autres et les boîtes partagées, et le \
                 séparateur.",
        },
        allowed: Text {
            en: "After the login.",
            fr: "Après l'identification.",
        },
        example: "C: a2 NAMESPACE\nS: * NAMESPACE ((\"\" \"/\")) NIL NIL\nS: a2 OK",
        section: "RFC 9051 §6.3.10",
    },
    Command {
        protocol: Protocol::Imap,
        verb: "STATUS",
        syntax: "tag STATUS mailbox (items)",
        meaning: Text {
            en: "Asks for numbers about a mailbox without opening it: MESSAGES, UNSEEN, UIDNEXT \
                 ...",
            fr: "Demande des nombres sur une boîte sans l'ouvrir : MESSAGES, UNSEEN, UIDNEXT ...",
        },
        allowed: Text {
            en: "After the login; not for the mailbox that is selected.",
            fr: "Après l'identification ; pas pour la boîte ouverte.",
        },
        example: "C: a2 STATUS Archive (MESSAGES UNSEEN)\n\
                  S: * STATUS Archive (MESSAGES 2 UNSEEN 0)\n\
                  S: a2 OK",
        section: "RFC 9051 §6.3.11",
    },
    Command {
        protocol: Protocol::Imap,
        verb: "APPEND",
        syntax: "tag APPEND mailbox [(flags)] [date] {octets}",
        meaning: Text {
            en: "Stores a message in a mailbox; its text follows as a literal.",
            fr: "Enregistre un message dans une boîte ; son texte suit sous forme de littéral.",
        },
        allowed: Text {
            en: "After the login.",
            fr: "Après l'identification.",
        },
        example: "C: a2 APPEND Archive {16}\n\
                  S: +\n\
                  C: Subject: hello\n\
                  C: \n\
                  S: a2 OK [APPENDUID 7 1]",
        section: "RFC 9051 §6.3.12",
    },
    Command {
        protocol: Protocol::Imap,
        verb: "IDLE",
        syntax: "tag IDLE ... DONE",
        meaning: Text {
            en: "Waits, and lets the server tell what happens as it happens.",
            fr: "Attend, et laisse le serveur annoncer ce qui arrive au moment où cela arrive.",
        },
        allowed: Text {
            en: "After the login; DONE ends it, at least every 29 minutes.",
            fr: "Après l'identification ; DONE y met fin, au moins toutes les 29 minutes.",
        },
        example: "C: a3 IDLE\nS: + idling\nS: * 4 EXISTS\nC: DONE\nS: a3 OK",
        section: "RFC 9051 §6.3.13",
    },
    Command {
        protocol: Protocol::Imap,
        verb: "DONE",
        syntax: "DONE",
        meaning: Text {
            en: "Ends IDLE; it has no tag of its own.",
            fr: "Termine IDLE ; elle n'a pas d'étiquette à elle.",
        },
        allowed: Text {
            en: "After IDLE only.",
            fr: "Seulement après IDLE.",
        },
        example: "C: a3 IDLE\nS: + idling\nC: DONE\nS: a3 OK",
        section: "RFC 9051 §6.3.13",
    },
    Command {
        protocol: Protocol::Imap,
        verb: "CHECK",
        syntax: "tag CHECK",
        meaning: Text {
            en: "Asks the server to put its house in order. Most do nothing; IMAP4rev2 has dropped \
                 it.",
            fr: "Demande au serveur de mettre ses affaires en ordre. La plupart ne font rien ; \
                 IMAP4rev2 l'a supprimée.",
        },
        allowed: Text {
            en: "After SELECT.",
            fr: "Après SELECT.",
        },
        example: "C: a3 CHECK\nS: a3 OK",
        section: "RFC 3501 §6.4.1",
    },
    Command {
        protocol: Protocol::Imap,
        verb: "CLOSE",
        syntax: "tag CLOSE",
        meaning: Text {
            en: "Removes the messages marked \\Deleted without a word, and leaves the mailbox.",
            fr: "Efface sans rien dire les messages marqués \\Deleted, et quitte la boîte.",
        },
        allowed: Text {
            en: "After SELECT.",
            fr: "Après SELECT.",
        },
        example: "C: a4 CLOSE\nS: a4 OK",
        section: "RFC 9051 §6.4.1",
    },
    Command {
        protocol: Protocol::Imap,
        verb: "UNSELECT",
        syntax: "tag UNSELECT",
        meaning: Text {
            en: "Leaves the mailbox without removing anything.",
            fr: "Quitte la boîte sans rien effacer.",
        },
        allowed: Text {
            en: "After SELECT.",
            fr: "Après SELECT.",
        },
        example: "C: a4 UNSELECT\nS: a4 OK",
        section: "RFC 9051 §6.4.2",
    },
    Command {
        protocol: Protocol::Imap,
        verb: "EXPUNGE",
        syntax: "tag EXPUNGE",
        meaning: Text {
            en: "Removes the messages marked \\Deleted for good; each one shifts the numbers after \
                 it.",
            fr: "Efface définitivement les messages marqués \\Deleted ; chacun décale les numéros \
                 suivants.",
        },
        allowed: Text {
            en: "After SELECT. To empty a mailbox: STORE 1:* +FLAGS (\\Deleted), then EXPUNGE.",
            fr: "Après SELECT. Pour vider une boîte : STORE 1:* +FLAGS (\\Deleted), puis EXPUNGE.",
        },
        example: "C: a4 EXPUNGE\nS: * 1 EXPUNGE\nS: a4 OK",
        section: "RFC 9051 §6.4.3",
    },
    Command {
        protocol: Protocol::Imap,
        verb: "SEARCH",
        syntax: "tag SEARCH criteria",
        meaning: Text {
            en: "Finds messages on the server and answers with their numbers.",
            fr: "Cherche des messages sur le serveur et répond par leurs numéros.",
        },
        allowed: Text {
            en: "After SELECT.",
            fr: "Après SELECT.",
        },
        example: "C: a3 SEARCH UNSEEN FROM \"alice\"\nS: * SEARCH 2 3\nS: a3 OK",
        section: "RFC 9051 §6.4.4",
    },
    Command {
        protocol: Protocol::Imap,
        verb: "FETCH",
        syntax: "tag FETCH set (items)",
        meaning: Text {
            en: "Gets messages or parts of them: FLAGS, ENVELOPE, BODY[HEADER], BODY[TEXT] ... \
                 BODY[] marks them \\Seen, BODY.PEEK[] does not.",
            fr: "Récupère des messages ou des parties : FLAGS, ENVELOPE, BODY[HEADER], BODY[TEXT] \
                 ... BODY[] les marque \\Seen, BODY.PEEK[] non.",
        },
        allowed: Text {
            en: "After SELECT.",
            fr: "Après SELECT.",
        },
        example: "C: a3 FETCH 1:* (FLAGS RFC822.SIZE)\n\
                  S: * 1 FETCH (FLAGS () RFC822.SIZE 120)\n\
                  S: a3 OK",
        section: "RFC 9051 §6.4.5",
    },
    Command {
        protocol: Protocol::Imap,
        verb: "STORE",
        syntax: "tag STORE set [+-]FLAGS (flags)",
        meaning: Text {
            en: "Sets, adds or removes flags: \\Seen, \\Answered, \\Flagged, \\Deleted, \\Draft.",
            fr: "Pose, ajoute ou retire des marqueurs : \\Seen, \\Answered, \\Flagged, \\Deleted, \
                 \\Draft.",
        },
        allowed: Text {
            en: "After SELECT.",
            fr: "Après SELECT.",
        },
        example: "C: a3 STORE 1 +FLAGS (\\Deleted)\nS: * 1 FETCH (FLAGS (\\Deleted))\nS: a3 OK",
        section: "RFC 9051 §6.4.6",
    },
    Command {
        protocol: Protocol::Imap,
        verb: "COPY",
        syntax: "tag COPY set mailbox",
        meaning: Text {
            en: "Copies messages into another mailbox.",
            fr: "Copie des messages dans une autre boîte.",
        },
        allowed: Text {
            en: "After SELECT.",
            fr: "Après SELECT.",
        },
        example: "C: a3 COPY 1:3 Archive\nS: a3 OK [COPYUID 7 1:3 5:7]",
        section: "RFC 9051 §6.4.7",
    },
    Command {
        protocol: Protocol::Imap,
        verb: "MOVE",
        syntax: "tag MOVE set mailbox",
        meaning: Text {
            en: "Moves messages into another mailbox, in one step.",
            fr: "Déplace des messages dans une autre boîte, en une fois.",
        },
        allowed: Text {
            en: "After SELECT, if the capability is listed.",
            fr: "Après SELECT, si la capacité est annoncée.",
        },
        example: "C: a3 MOVE 1 Archive\nS: * OK [COPYUID 7 1 5]\nS: * 1 EXPUNGE\nS: a3 OK",
        section: "RFC 9051 §6.4.8",
    },
    Command {
        protocol: Protocol::Imap,
        verb: "UID",
        syntax: "tag UID FETCH|STORE|COPY|MOVE|SEARCH|EXPUNGE ...",
        meaning: Text {
            en: "The same command, with UIDs in place of message numbers: they do not shift.",
            fr: "La même commande, avec des UID au lieu des numéros de messages : ils ne se \
                 décalent pas.",
        },
        allowed: Text {
            en: "After SELECT.",
            fr: "Après SELECT.",
        },
        example: "C: a3 UID FETCH 5 (FLAGS)\nS: * 1 FETCH (UID 5 FLAGS ())\nS: a3 OK",
        section: "RFC 9051 §6.4.9",
    },
];
