//! Commands of IMAP's extensions that few servers have.

use crate::wire::codes::{Command, Protocol, Text};

const fn command(
    verb: &'static str,
    syntax: &'static str,
    meaning: Text,
    allowed: Text,
    example: &'static str,
    section: &'static str,
) -> Command {
    Command {
        protocol: Protocol::Imap,
        verb,
        syntax,
        meaning,
        allowed,
        example,
        section,
    }
}

/// In alphabetic order.
pub(super) const IMAP_RARE: &[Command] = &[
    command(
        "CANCELUPDATE",
        "tag CANCELUPDATE tag...",
        Text::new(
            "Ends the updates of searches.",
            "Met fin aux mises à jour de recherches.",
        ),
        Text::new(
            "After the login, if CONTEXT is listed.",
            "Après l'identification, si CONTEXT est annoncée.",
        ),
        "C: a2 CANCELUPDATE \"a1\"\nS: a2 OK",
        "RFC 5267 §4.3.5",
    ),
    command(
        "COMPARATOR",
        "tag COMPARATOR [order...]",
        Text::new(
            "Tells or chooses the rule by which texts are compared.",
            "Donne ou choisit la règle de comparaison des textes.",
        ),
        Text::new(
            "After the login, if I18NLEVEL=2 is listed.",
            "Après l'identification, si I18NLEVEL=2 est annoncée.",
        ),
        "C: a2 COMPARATOR\nS: * COMPARATOR i;unicode-casemap\nS: a2 OK",
        "RFC 5255 §4.7",
    ),
    command(
        "CONVERSIONS",
        "tag CONVERSIONS from to",
        Text::new(
            "Asks which kinds of content can be made of which.",
            "Demande quels formats peuvent être convertis en quels autres.",
        ),
        Text::new(
            "After the login, if CONVERT is listed.",
            "Après l'identification, si CONVERT est annoncée.",
        ),
        "C: a2 CONVERSIONS \"image/gif\" \"image/png\"\nS: * CONVERSION \"image/gif\" \"image/png\"\nS: a2 OK",
        "RFC 5259 §5",
    ),
    command(
        "CONVERT",
        "tag CONVERT set (type parameters) items",
        Text::new(
            "Fetches parts of a message in another format.",
            "Apporte des parties d'un message dans un autre format.",
        ),
        Text::new(
            "After the login, if CONVERT is listed.",
            "Après l'identification, si CONVERT est annoncée.",
        ),
        "C: a2 CONVERT 1 (\"image/png\") BINARY[2]\nS: * 1 CONVERTED (TAG \"a2\") (BINARY[2] {5}\nS: ...)\nS: a2 OK",
        "RFC 5259 §6",
    ),
    command(
        "ESEARCH",
        "tag ESEARCH [IN (mailboxes)] criteria",
        Text::new(
            "Searches in several mailboxes.",
            "Cherche dans plusieurs boîtes.",
        ),
        Text::new(
            "After the login, if MULTISEARCH is listed.",
            "Après l'identification, si MULTISEARCH est annoncée.",
        ),
        "C: a2 ESEARCH IN (personal) SUBJECT exam\nS: * ESEARCH (TAG \"a2\" MAILBOX INBOX UIDVALIDITY 1) UID ALL 7\nS: a2 OK",
        "RFC 7377 §2.1",
    ),
    command(
        "GENURLAUTH",
        "tag GENURLAUTH url mechanism",
        Text::new(
            "Makes a URL with which somebody else can read one message.",
            "Crée une URL qui permet à un tiers de lire un message.",
        ),
        Text::new(
            "After the login, if URLAUTH is listed.",
            "Après l'identification, si URLAUTH est annoncée.",
        ),
        "C: a2 GENURLAUTH \"imap://alice@h/INBOX;UID=7;URLAUTH=anonymous\"\nC: INTERNAL\nS: * GENURLAUTH \"...:internal:9142...\"\nS: a2 OK",
        "RFC 4467 §7",
    ),
    command(
        "GETJMAPACCESS",
        "tag GETJMAPACCESS",
        Text::new(
            "Asks where the same mail is reached by JMAP.",
            "Demande où le même courrier s'obtient par JMAP.",
        ),
        Text::new(
            "After the login, if JMAPACCESS is listed.",
            "Après l'identification, si JMAPACCESS est annoncée.",
        ),
        "C: a2 GETJMAPACCESS\nS: * JMAPACCESS \"https://mail.example.org/jmap\"\nS: a2 OK",
        "RFC 9698",
    ),
    command(
        "LANGUAGE",
        "tag LANGUAGE [language...]",
        Text::new(
            "Tells or chooses the language of the server's texts.",
            "Donne ou choisit la langue des textes du serveur.",
        ),
        Text::new(
            "After the login, if LANGUAGE is listed.",
            "Après l'identification, si LANGUAGE est annoncée.",
        ),
        "C: a2 LANGUAGE FR\nS: * LANGUAGE (FR)\nS: a2 OK",
        "RFC 5255 §3.2",
    ),
    command(
        "RESETKEY",
        "tag RESETKEY [mailbox]",
        Text::new(
            "Revokes the URLs that GENURLAUTH made.",
            "Révoque les URL créées par GENURLAUTH.",
        ),
        Text::new(
            "After the login, if URLAUTH is listed.",
            "Après l'identification, si URLAUTH est annoncée.",
        ),
        "C: a2 RESETKEY INBOX\nS: a2 OK",
        "RFC 4467 §7",
    ),
    command(
        "RLIST",
        "tag RLIST reference pattern",
        Text::new(
            "As LIST, with mailboxes on other servers.",
            "Comme LIST, avec les boîtes situées sur d'autres serveurs.",
        ),
        Text::new(
            "After the login, if MAILBOX-REFERRALS is listed.",
            "Après l'identification, si MAILBOX-REFERRALS est annoncée.",
        ),
        "C: a2 RLIST \"\" *\nS: * LIST () \"/\" INBOX\nS: a2 OK",
        "RFC 2193 §5",
    ),
    command(
        "RLSUB",
        "tag RLSUB reference pattern",
        Text::new(
            "As LSUB, with mailboxes on other servers.",
            "Comme LSUB, avec les boîtes situées sur d'autres serveurs.",
        ),
        Text::new(
            "After the login, if MAILBOX-REFERRALS is listed.",
            "Après l'identification, si MAILBOX-REFERRALS est annoncée.",
        ),
        "C: a2 RLSUB \"\" *\nS: * LSUB () \"/\" INBOX\nS: a2 OK",
        "RFC 2193 §5",
    ),
    command(
        "URLFETCH",
        "tag URLFETCH url...",
        Text::new(
            "Fetches what a URL of GENURLAUTH points to.",
            "Apporte ce que désigne une URL créée par GENURLAUTH.",
        ),
        Text::new(
            "After the login, if URLAUTH is listed.",
            "Après l'identification, si URLAUTH est annoncée.",
        ),
        "C: a2 URLFETCH \"...:internal:9142...\"\nS: * URLFETCH \"...:internal:9142...\" {5}\nS: Hello\nS: a2 OK",
        "RFC 4467 §7",
    ),
];
