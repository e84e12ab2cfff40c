//! X.6: what the message holds.

use crate::wire::codes::{Entry, Kind, Text};

/// X.6: the content of the message.
pub(super) const CONTENT: &[Entry] = &[
    Entry {
        kind: Kind::Status,
        code: "X.6.0",
        name: "Other or undefined media error",
        meaning: Text {
            en: "The content of the message is the trouble, not said more exactly.",
            fr: "C'est le contenu du message qui gêne, sans plus de précision.",
        },
        sent: Text {
            en: "The server, at the end of DATA. 2.6.0: the content was accepted.",
            fr: "Le serveur, à la fin de DATA. 2.6.0 : le contenu a été accepté.",
        },
        next: Text {
            en: "Look at the header: a missing From: or Date: is a common cause.",
            fr: "Regarder l'en-tête : un From: ou un Date: manquant en est une cause fréquente.",
        },
        section: "RFC 3463 §3.7",
    },
    Entry {
        kind: Kind::Status,
        code: "X.6.1",
        name: "Media not supported",
        meaning: Text {
            en: "The recipient's system does not take this kind of content.",
            fr: "Le système du destinataire n'accepte pas ce type de contenu.",
        },
        sent: Text {
            en: "The recipient's server, for example on an attachment of a forbidden kind.",
            fr: "Le serveur du destinataire, par exemple devant une pièce jointe d'un type \
                 interdit.",
        },
        next: Text {
            en: "Send another format, or plain text.",
            fr: "Envoyer un autre format, ou du texte simple.",
        },
        section: "RFC 3463 §3.7",
    },
    Entry {
        kind: Kind::Status,
        code: "X.6.2",
        name: "Conversion required and prohibited",
        meaning: Text {
            en: "The content would have to be converted to go on, and that is forbidden.",
            fr: "Il faudrait convertir le contenu pour aller plus loin, et c'est interdit.",
        },
        sent: Text {
            en: "A relay or a gateway.",
            fr: "Un relais ou une passerelle.",
        },
        next: Text {
            en: "Send it in a form that needs no conversion (7-bit, quoted-printable).",
            fr: "L'envoyer sous une forme qui n'en a pas besoin (7 bits, quoted-printable).",
        },
        section: "RFC 3463 §3.7",
    },
    Entry {
        kind: Kind::Status,
        code: "X.6.3",
        name: "Conversion required but not supported",
        meaning: Text {
            en: "The content would have to be converted to go on, and the relay cannot do it.",
            fr: "Il faudrait convertir le contenu pour aller plus loin, et le relais ne sait pas \
                 le faire.",
        },
        sent: Text {
            en: "A relay: 8-bit text towards a server without 8BITMIME.",
            fr: "Un relais : texte sur 8 bits vers un serveur sans 8BITMIME.",
        },
        next: Text {
            en: "Send it encoded (quoted-printable or base64).",
            fr: "L'envoyer codé (quoted-printable ou base64).",
        },
        section: "RFC 3463 §3.7",
    },
    Entry {
        kind: Kind::Status,
        code: "X.6.4",
        name: "Conversion with loss performed",
        meaning: Text {
            en: "The message was delivered, but changed on the way, and something was lost.",
            fr: "Le message a été remis, mais modifié en chemin, avec des pertes.",
        },
        sent: Text {
            en: "A gateway, in a report.",
            fr: "Une passerelle, dans un rapport.",
        },
        next: Text {
            en: "If the content matters, send it as an attachment.",
            fr: "Si le contenu est important, l'envoyer en pièce jointe.",
        },
        section: "RFC 3463 §3.7",
    },
    Entry {
        kind: Kind::Status,
        code: "X.6.5",
        name: "Conversion failed",
        meaning: Text {
            en: "The relay tried to convert the content, and failed.",
            fr: "Le relais a essayé de convertir le contenu, sans y parvenir.",
        },
        sent: Text {
            en: "A relay or a gateway.",
            fr: "Un relais ou une passerelle.",
        },
        next: Text {
            en: "Send it in a simpler form.",
            fr: "L'envoyer sous une forme plus simple.",
        },
        section: "RFC 3463 §3.7",
    },
    Entry {
        kind: Kind::Status,
        code: "X.6.6",
        name: "Message content not available",
        meaning: Text {
            en: "The server was to fetch the content from elsewhere (BURL), and could not.",
            fr: "Le serveur devait aller chercher le contenu ailleurs (BURL), et n'a pas pu.",
        },
        sent: Text {
            en: "A submission server with BURL, with 554.",
            fr: "Un serveur de soumission doté de BURL, avec 554.",
        },
        next: Text {
            en: "Check the URL and its rights, or send the content itself.",
            fr: "Vérifier l'URL et ses droits, ou envoyer le contenu lui-même.",
        },
        section: "RFC 5248 §2.4, RFC 4468",
    },
    Entry {
        kind: Kind::Status,
        code: "X.6.7",
        name: "Non-ASCII addresses not permitted for that sender/recipient",
        meaning: Text {
            en: "An address has accents or other scripts, and this server does not allow them \
                 here.",
            fr: "Une adresse comporte des accents ou une autre écriture, et ce serveur ne l'admet \
                 pas ici.",
        },
        sent: Text {
            en: "A server, with 550 or 553, after MAIL or RCPT.",
            fr: "Un serveur, avec 550 ou 553, après MAIL ou RCPT.",
        },
        next: Text {
            en: "Use an ASCII address, or a server that announces SMTPUTF8.",
            fr: "Employer une adresse ASCII, ou un serveur qui annonce SMTPUTF8.",
        },
        section: "RFC 6531 §4.2",
    },
    Entry {
        kind: Kind::Status,
        code: "X.6.8",
        name: "UTF-8 string reply is required, but not permitted by the SMTP client",
        meaning: Text {
            en: "The answer holds a name in UTF-8, and the client did not say that it can read it.",
            fr: "La réponse contient un nom en UTF-8, et le client n'a pas dit qu'il savait le \
                 lire.",
        },
        sent: Text {
            en: "A server with SMTPUTF8, after VRFY or EXPN, with 252, 550 or 553.",
            fr: "Un serveur doté de SMTPUTF8, après VRFY ou EXPN, avec 252, 550 ou 553.",
        },
        next: Text {
            en: "Ask again with the parameter SMTPUTF8.",
            fr: "Redemander avec le paramètre SMTPUTF8.",
        },
        section: "RFC 6531 §4.2",
    },
    Entry {
        kind: Kind::Status,
        code: "X.6.9",
        name: "UTF-8 header message cannot be transferred to one or more recipients, so the \
               message must be rejected",
        meaning: Text {
            en: "The header is in UTF-8, and a recipient's server cannot take that.",
            fr: "L'en-tête est en UTF-8, et le serveur d'un destinataire ne peut pas le recevoir.",
        },
        sent: Text {
            en: "A relay, with 550, at the end of DATA.",
            fr: "Un relais, avec 550, à la fin de DATA.",
        },
        next: Text {
            en: "Write the header in ASCII with encoded words (RFC 2047).",
            fr: "Écrire l'en-tête en ASCII avec des mots codés (RFC 2047).",
        },
        section: "RFC 6531 §4.2",
    },
    Entry {
        kind: Kind::Status,
        code: "X.6.10",
        name: "UTF-8 string reply is required (duplicate of X.6.8, deprecated)",
        meaning: Text {
            en: "The same as X.6.8; this number was registered twice.",
            fr: "La même chose que X.6.8 ; ce numéro a été enregistré deux fois.",
        },
        sent: Text {
            en: "Nobody any more.",
            fr: "Plus personne.",
        },
        next: Text {
            en: "See `mailtool codes 5.6.8`.",
            fr: "Voir `mailtool codes 5.6.8`.",
        },
        section: "RFC 6531 §4.2",
    },
];
