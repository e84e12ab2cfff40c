//! Extensions of SMTP that are registered but seldom met, or obsolete: to be recognized when a server lists one.

use crate::wire::codes::{Entry, Kind, Text};

const LISTED: Text = Text::new(
    "The server, in its answer to EHLO.",
    "Le serveur, en réponse à EHLO.",
);

const fn keyword(
    code: &'static str,
    name: &'static str,
    meaning: Text,
    next: Text,
    section: &'static str,
) -> Entry {
    Entry {
        kind: Kind::Extension,
        code,
        name,
        meaning,
        sent: LISTED,
        next,
        section,
    }
}

const fn parameter(
    code: &'static str,
    name: &'static str,
    meaning: Text,
    next: Text,
    section: &'static str,
) -> Entry {
    Entry {
        kind: Kind::Parameter,
        code,
        name,
        meaning,
        sent: Text::new(
            "The client, where EHLO listed the extension.",
            "Le client, si EHLO a annoncé l'extension.",
        ),
        next,
        section,
    }
}

/// Keywords of EHLO, in alphabetic order.
pub const KEYWORDS: &[Entry] = &[
    keyword(
        "CHECKPOINT",
        "Checkpoint/Restart",
        Text::new(
            "A transfer that broke off can go on where it stopped (an experiment).",
            "Un transfert interrompu peut reprendre là où il s'est arrêté (expérimental).",
        ),
        Text::new(
            "MAIL with TRANSID=; 355 then tells the octet to go on from.",
            "MAIL avec TRANSID= ; 355 dit alors à quel octet reprendre.",
        ),
        "RFC 1845",
    ),
    keyword(
        "CONNEG",
        "Content negotiation",
        Text::new(
            "RCPT's answer may tell which kinds of content the recipient can take, as fax machines do.",
            "La réponse à RCPT peut dire quels contenus le destinataire accepte, comme le font les télécopieurs.",
        ),
        Text::new(
            "RCPT with CONNEG, together with CONPERM.",
            "RCPT avec CONNEG, en même temps que CONPERM.",
        ),
        "RFC 4141 §6",
    ),
    keyword(
        "CONPERM",
        "Content conversion permission",
        Text::new(
            "The sender may allow servers to convert the content.",
            "L'expéditeur peut permettre aux serveurs de convertir le contenu.",
        ),
        Text::new("MAIL with CONPERM.", "MAIL avec CONPERM."),
        "RFC 4141 §4",
    ),
    keyword(
        "MTRK",
        "Message tracking",
        Text::new(
            "A sender may ask later where a message is.",
            "L'expéditeur peut demander plus tard où est un message.",
        ),
        Text::new("MAIL with MTRK and ENVID.", "MAIL avec MTRK et ENVID."),
        "RFC 3885",
    ),
    keyword(
        "NO-SOLICITING",
        "No soliciting",
        Text::new(
            "The server refuses mail that calls itself advertising of the classes listed.",
            "Le serveur refuse le courrier qui se déclare publicité des catégories citées.",
        ),
        Text::new(
            "MAIL with SOLICIT= says so; other mail is not concerned.",
            "MAIL avec SOLICIT= le déclare ; le reste du courrier n'est pas concerné.",
        ),
        "RFC 3865",
    ),
    keyword(
        "ONEX",
        "One message only",
        Text::new(
            "The client means to send one message only; obsolete.",
            "Le client n'enverra qu'un message ; obsolète.",
        ),
        Text::new("Do without it.", "S'en passer."),
        "IANA mail-parameters",
    ),
    keyword(
        "RRVS",
        "Require recipient valid since",
        Text::new(
            "A message can be refused if the mailbox has changed hands since a date.",
            "Un message peut être refusé si la boîte a changé de titulaire depuis une date.",
        ),
        Text::new(
            "RCPT with RRVS=, for mail that resets passwords; 5.7.17 is the no.",
            "RCPT avec RRVS=, pour les messages qui réinitialisent un mot de passe ; 5.7.17 est le refus.",
        ),
        "RFC 7293",
    ),
    keyword(
        "SUBMITTER",
        "Responsible submitter",
        Text::new(
            "MAIL may name the one who is responsible for the message (Sender ID); given up.",
            "MAIL peut nommer le responsable de l'envoi (Sender ID) ; abandonné.",
        ),
        Text::new("Do without it.", "S'en passer."),
        "RFC 4405",
    ),
    keyword(
        "UTF8SMTP",
        "Internationalized e-mail (experiment)",
        Text::new(
            "The predecessor of SMTPUTF8; given up.",
            "Le prédécesseur de SMTPUTF8 ; abandonné.",
        ),
        Text::new("Use SMTPUTF8.", "Employer SMTPUTF8."),
        "RFC 5336",
    ),
    keyword(
        "VERB",
        "Verbose",
        Text::new(
            "The server would tell what it does; obsolete.",
            "Le serveur détaillerait ce qu'il fait ; obsolète.",
        ),
        Text::new("Do without it.", "S'en passer."),
        "IANA mail-parameters",
    ),
    keyword(
        "XFORWARD",
        "Attributes of the first client",
        Text::new(
            "A filter in front of the server may tell who the first client was, for the log. Postfix's own.",
            "Un filtre placé devant le serveur peut dire qui était le premier client, pour le journal. Propre à Postfix.",
        ),
        Text::new(
            "For filters only; XCLIENT changes rights too, XFORWARD does not.",
            "Pour les filtres seulement ; XCLIENT change aussi les droits, XFORWARD non.",
        ),
        "RFC 5321 §4.1.5",
    ),
];

/// Parameters of MAIL and RCPT, in alphabetic order.
pub const PARAMETERS: &[Entry] = &[
    parameter(
        "ALT-ADDRESS",
        "ALT-ADDRESS=address, of MAIL and RCPT",
        Text::new(
            "An address in ASCII for servers without UTF8SMTP; given up.",
            "Une adresse en ASCII pour les serveurs sans UTF8SMTP ; abandonné.",
        ),
        Text::new("Do without it.", "S'en passer."),
        "RFC 5336 §3.4",
    ),
    parameter(
        "SOLICIT",
        "SOLICIT=class, of MAIL",
        Text::new(
            "The message declares itself advertising of this class.",
            "Le message se déclare publicité de cette catégorie.",
        ),
        Text::new(
            "A server that listed the class with NO-SOLICITING refuses it.",
            "Un serveur qui a cité la catégorie avec NO-SOLICITING le refuse.",
        ),
        "RFC 3865 §2.5",
    ),
    parameter(
        "TRANSID",
        "TRANSID=<name>, of MAIL",
        Text::new(
            "The name of a transfer, by which it can go on after it broke off.",
            "Le nom d'un transfert, qui permet de le reprendre après une coupure.",
        ),
        Text::new(
            "Never give one name to two messages.",
            "Ne jamais donner un même nom à deux messages.",
        ),
        "RFC 1845 §3",
    ),
];
