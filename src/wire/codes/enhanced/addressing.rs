//! X.0, X.1 and X.2: who it is for, and the mailbox there.

use crate::wire::codes::{Entry, Kind, Text};

/// X.0: nothing particular is known.
pub(super) const OTHER: &[Entry] = &[Entry {
    kind: Kind::Status,
    code: "X.0.0",
    name: "Other undefined status",
    meaning: Text {
        en: "The class is all that is known: no finer reason was given.",
        fr: "Seule la classe est connue : aucune raison plus précise n'est donnée.",
    },
    sent: Text {
        en: "Any server that has nothing better to say; also gateways from other mail systems.",
        fr: "Tout serveur qui n'a rien de mieux à dire ; aussi les passerelles vers d'autres \
                 messageries.",
    },
    next: Text {
        en: "Read the text that follows the code.",
        fr: "Lire le texte qui suit le code.",
    },
    section: "RFC 3463 §3.1",
}];

/// X.1: an address.
pub(super) const ADDRESS: &[Entry] = &[
    Entry {
        kind: Kind::Status,
        code: "X.1.0",
        name: "Other address status",
        meaning: Text {
            en: "Something about one of the addresses, not said more exactly.",
            fr: "Quelque chose concerne l'une des adresses, sans plus de précision.",
        },
        sent: Text {
            en: "The server, after MAIL or RCPT.",
            fr: "Le serveur, après MAIL ou RCPT.",
        },
        next: Text {
            en: "Check both addresses; the text may say more. With 2.1.0, after MAIL: the sender \
                 is accepted.",
            fr: "Vérifier les deux adresses ; le texte en dit peut-être plus. Avec 2.1.0, après \
                 MAIL : l'expéditeur est accepté.",
        },
        section: "RFC 3463 §3.2",
    },
    Entry {
        kind: Kind::Status,
        code: "X.1.1",
        name: "Bad destination mailbox address",
        meaning: Text {
            en: "There is no such mailbox: what stands before the @ is unknown in that domain.",
            fr: "Cette boîte n'existe pas : ce qui précède le @ est inconnu dans ce domaine.",
        },
        sent: Text {
            en: "The recipient's server, after RCPT; the most frequent reason of a returned \
                 message.",
            fr: "Le serveur du destinataire, après RCPT ; la raison la plus fréquente d'un retour \
                 de courrier.",
        },
        next: Text {
            en: "Check the spelling before the @, or ask the person for the address.",
            fr: "Vérifier l'orthographe avant le @, ou demander son adresse à la personne.",
        },
        section: "RFC 3463 §3.2",
    },
    Entry {
        kind: Kind::Status,
        code: "X.1.2",
        name: "Bad destination system address",
        meaning: Text {
            en: "There is no such domain for mail: what stands after the @ does not exist, or \
                 takes no mail.",
            fr: "Ce domaine n'existe pas pour le courrier : ce qui suit le @ n'existe pas ou ne \
                 reçoit pas de courrier.",
        },
        sent: Text {
            en: "The sender's own server, which found neither an MX record nor an address in the \
                 DNS.",
            fr: "Le serveur de l'expéditeur, qui n'a trouvé dans le DNS ni enregistrement MX ni \
                 adresse.",
        },
        next: Text {
            en: "Check the spelling after the @.",
            fr: "Vérifier l'orthographe après le @.",
        },
        section: "RFC 3463 §3.2",
    },
    Entry {
        kind: Kind::Status,
        code: "X.1.3",
        name: "Bad destination mailbox address syntax",
        meaning: Text {
            en: "The recipient's address is not written as an address.",
            fr: "L'adresse du destinataire n'est pas écrite comme une adresse.",
        },
        sent: Text {
            en: "The server, after RCPT.",
            fr: "Le serveur, après RCPT.",
        },
        next: Text {
            en: "Write it as `<name@domain>`, without spaces or a second @.",
            fr: "L'écrire sous la forme `<nom@domaine>`, sans espace ni second @.",
        },
        section: "RFC 3463 §3.2",
    },
    Entry {
        kind: Kind::Status,
        code: "X.1.4",
        name: "Destination mailbox address ambiguous",
        meaning: Text {
            en: "The address fits several mailboxes, and the server will not choose.",
            fr: "L'adresse correspond à plusieurs boîtes, et le serveur ne veut pas choisir.",
        },
        sent: Text {
            en: "A server that accepts short or partial names.",
            fr: "Un serveur qui accepte des noms abrégés ou partiels.",
        },
        next: Text {
            en: "Give the full address.",
            fr: "Donner l'adresse complète.",
        },
        section: "RFC 3463 §3.2",
    },
    Entry {
        kind: Kind::Status,
        code: "X.1.5",
        name: "Destination address valid",
        meaning: Text {
            en: "The recipient is accepted.",
            fr: "Le destinataire est accepté.",
        },
        sent: Text {
            en: "The server, with 250 after RCPT.",
            fr: "Le serveur, avec 250 après RCPT.",
        },
        next: Text {
            en: "Go on with the next RCPT, or with DATA.",
            fr: "Continuer avec le RCPT suivant, ou avec DATA.",
        },
        section: "RFC 3463 §3.2",
    },
    Entry {
        kind: Kind::Status,
        code: "X.1.6",
        name: "Destination mailbox has moved, no forwarding address",
        meaning: Text {
            en: "The mailbox was here once; its owner has left without a new address.",
            fr: "La boîte a existé ici ; son propriétaire est parti sans laisser d'adresse.",
        },
        sent: Text {
            en: "The recipient's former server, after RCPT.",
            fr: "L'ancien serveur du destinataire, après RCPT.",
        },
        next: Text {
            en: "Take the address off your lists, and find the new one in another way.",
            fr: "Retirer l'adresse de ses listes, et trouver la nouvelle autrement.",
        },
        section: "RFC 3463 §3.2",
    },
    Entry {
        kind: Kind::Status,
        code: "X.1.7",
        name: "Bad sender's mailbox address syntax",
        meaning: Text {
            en: "The sender's address is not written as an address.",
            fr: "L'adresse de l'expéditeur n'est pas écrite comme une adresse.",
        },
        sent: Text {
            en: "The server, after MAIL.",
            fr: "Le serveur, après MAIL.",
        },
        next: Text {
            en: "Write `MAIL FROM:<name@domain>`; `MAIL FROM:<>` is right too, for reports.",
            fr: "Écrire `MAIL FROM:<nom@domaine>` ; `MAIL FROM:<>` est correct aussi, pour les \
                 rapports.",
        },
        section: "RFC 3463 §3.2",
    },
    Entry {
        kind: Kind::Status,
        code: "X.1.8",
        name: "Bad sender's system address",
        meaning: Text {
            en: "The sender's domain does not exist or cannot take an answer, so the message is \
                 not wanted.",
            fr: "Le domaine de l'expéditeur n'existe pas ou ne peut recevoir de réponse : le \
                 message est donc refusé.",
        },
        sent: Text {
            en: "The server, after MAIL or RCPT, when it looked the domain up in the DNS.",
            fr: "Le serveur, après MAIL ou RCPT, après avoir cherché le domaine dans le DNS.",
        },
        next: Text {
            en: "Use a sender's address in a domain that exists.",
            fr: "Employer une adresse d'expéditeur dans un domaine qui existe.",
        },
        section: "RFC 3463 §3.2",
    },
    Entry {
        kind: Kind::Status,
        code: "X.1.9",
        name: "Message relayed to non-compliant mailer",
        meaning: Text {
            en: "The message went on to a system that cannot report what becomes of it.",
            fr: "Le message est parti vers un système qui ne sait pas rendre compte de la suite.",
        },
        sent: Text {
            en: "A relay, in a report about a message that asked for one.",
            fr: "Un relais, dans un rapport demandé par l'expéditeur.",
        },
        next: Text {
            en: "Nothing: no further report will come.",
            fr: "Rien : aucun autre rapport ne viendra.",
        },
        section: "RFC 5248 §2.4, RFC 3886",
    },
    Entry {
        kind: Kind::Status,
        code: "X.1.10",
        name: "Recipient address has null MX",
        meaning: Text {
            en: "The recipient's domain says in the DNS that it never takes mail.",
            fr: "Le domaine du destinataire déclare dans le DNS qu'il ne reçoit jamais de \
                 courrier.",
        },
        sent: Text {
            en: "The sender's own server, with 556.",
            fr: "Le serveur de l'expéditeur, avec 556.",
        },
        next: Text {
            en: "Correct the domain: there is nobody behind this one.",
            fr: "Corriger le domaine : il n'y a personne derrière celui-ci.",
        },
        section: "RFC 7505",
    },
];

/// X.2: the recipient's mailbox.
pub(super) const MAILBOX: &[Entry] = &[
    Entry {
        kind: Kind::Status,
        code: "X.2.0",
        name: "Other or undefined mailbox status",
        meaning: Text {
            en: "The mailbox exists, but something about it hinders, not said more exactly.",
            fr: "La boîte existe, mais quelque chose l'empêche de servir, sans plus de précision.",
        },
        sent: Text {
            en: "The recipient's server.",
            fr: "Le serveur du destinataire.",
        },
        next: Text {
            en: "Have the recipient look, by another way than mail.",
            fr: "Prévenir le destinataire autrement que par courriel.",
        },
        section: "RFC 3463 §3.3",
    },
    Entry {
        kind: Kind::Status,
        code: "X.2.1",
        name: "Mailbox disabled, not accepting messages",
        meaning: Text {
            en: "The mailbox exists but is switched off.",
            fr: "La boîte existe mais elle est désactivée.",
        },
        sent: Text {
            en: "The recipient's server, after RCPT: the account is suspended, or unused for long.",
            fr: "Le serveur du destinataire, après RCPT : compte suspendu ou longtemps inutilisé.",
        },
        next: Text {
            en: "With 4 it may come back: try later. With 5, reach the person in another way.",
            fr: "Avec 4, elle peut revenir : réessayer. Avec 5, joindre la personne autrement.",
        },
        section: "RFC 3463 §3.3",
    },
    Entry {
        kind: Kind::Status,
        code: "X.2.2",
        name: "Mailbox full",
        meaning: Text {
            en: "The recipient has used up the room allowed (the quota).",
            fr: "Le destinataire a épuisé la place qui lui est accordée (son quota).",
        },
        sent: Text {
            en: "The recipient's server, after RCPT or at the end of DATA, with 452 or 552.",
            fr: "Le serveur du destinataire, après RCPT ou à la fin de DATA, avec 452 ou 552.",
        },
        next: Text {
            en: "The recipient must delete mail; until then it will not get through.",
            fr: "Le destinataire doit supprimer du courrier ; d'ici là, rien ne passera.",
        },
        section: "RFC 3463 §3.3",
    },
    Entry {
        kind: Kind::Status,
        code: "X.2.3",
        name: "Message length exceeds administrative limit",
        meaning: Text {
            en: "The message is larger than this recipient may receive.",
            fr: "Le message est plus gros que ce que ce destinataire peut recevoir.",
        },
        sent: Text {
            en: "The recipient's server, after MAIL with SIZE= or at the end of DATA.",
            fr: "Le serveur du destinataire, après MAIL avec SIZE= ou à la fin de DATA.",
        },
        next: Text {
            en: "Send less: compress, split, or give a link. base64 makes an attachment a third \
                 larger.",
            fr: "Envoyer moins : compresser, découper, ou donner un lien. Le base64 grossit une \
                 pièce jointe d'un tiers.",
        },
        section: "RFC 3463 §3.3",
    },
    Entry {
        kind: Kind::Status,
        code: "X.2.4",
        name: "Mailing list expansion problem",
        meaning: Text {
            en: "The address is a list, and its members could not be found.",
            fr: "L'adresse est une liste, et ses membres n'ont pas pu être trouvés.",
        },
        sent: Text {
            en: "The server that keeps the list.",
            fr: "Le serveur qui gère la liste.",
        },
        next: Text {
            en: "Tell the owner of the list.",
            fr: "Prévenir le responsable de la liste.",
        },
        section: "RFC 3463 §3.3",
    },
];
