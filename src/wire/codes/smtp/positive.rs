//! 2yz and 3yz: the command was carried out, or the server waits for the rest.

use crate::wire::codes::{Entry, Kind, Text};

/// Replies that begin with 2: done.
pub(super) const SUCCESS: &[Entry] = &[
    Entry {
        kind: Kind::Reply,
        code: "211",
        name: "System status, or system help reply",
        meaning: Text {
            en: "The server tells its own state, or what it can do.",
            fr: "Le serveur décrit son état, ou ce qu'il sait faire.",
        },
        sent: Text {
            en: "The server, as an answer to HELP or to a status command of its own.",
            fr: "Le serveur, en réponse à HELP ou à une commande d'état qui lui est propre.",
        },
        next: Text {
            en: "Read the text: it is meant for a person. The session goes on unchanged.",
            fr: "Lire le texte : il est destiné à une personne. La session continue sans \
                 changement.",
        },
        section: "RFC 5321 §4.2.3",
    },
    Entry {
        kind: Kind::Reply,
        code: "214",
        name: "Help message",
        meaning: Text {
            en: "Help on the server, or on one of its commands.",
            fr: "Une aide sur le serveur ou sur l'une de ses commandes.",
        },
        sent: Text {
            en: "The server, after HELP.",
            fr: "Le serveur, après HELP.",
        },
        next: Text {
            en: "Read it; a program has nothing to do with it.",
            fr: "La lire ; un programme n'a rien à en faire.",
        },
        section: "RFC 5321 §4.2.3",
    },
    Entry {
        kind: Kind::Reply,
        code: "220",
        name: "Service ready",
        meaning: Text {
            en: "The server is there and listens. After STARTTLS: start the TLS handshake now.",
            fr: "Le serveur est là et il écoute. Après STARTTLS : commencer maintenant la \
                 négociation TLS.",
        },
        sent: Text {
            en: "The server, as its first line on a new connection, before the client says \
                 anything; and after STARTTLS.",
            fr: "Le serveur, en première ligne de toute nouvelle connexion, avant que le client ne \
                 parle ; et après STARTTLS.",
        },
        next: Text {
            en: "Say EHLO and your own name. After STARTTLS: negotiate TLS, then say EHLO again.",
            fr: "Se présenter avec EHLO et son propre nom. Après STARTTLS : négocier TLS, puis \
                 refaire EHLO.",
        },
        section: "RFC 5321 §4.2.3, RFC 3207 §4",
    },
    Entry {
        kind: Kind::Reply,
        code: "221",
        name: "Service closing transmission channel",
        meaning: Text {
            en: "The server says goodbye and closes the connection.",
            fr: "Le serveur prend congé et ferme la connexion.",
        },
        sent: Text {
            en: "The server, after QUIT.",
            fr: "Le serveur, après QUIT.",
        },
        next: Text {
            en: "Close your side too. Everything that got a 250 after its text is safe.",
            fr: "Fermer aussi de son côté. Tout message qui a reçu un 250 après son texte est en \
                 sûreté.",
        },
        section: "RFC 5321 §4.2.3, §4.1.1.10",
    },
    Entry {
        kind: Kind::Reply,
        code: "235",
        name: "Authentication successful",
        meaning: Text {
            en: "The name and the password were right: the client is now known.",
            fr: "Le nom et le mot de passe sont bons : le client est maintenant identifié.",
        },
        sent: Text {
            en: "The server, at the end of an AUTH exchange.",
            fr: "Le serveur, à la fin d'un échange AUTH.",
        },
        next: Text {
            en: "Go on with MAIL FROM. A second AUTH in the same session is an error (503).",
            fr: "Continuer avec MAIL FROM. Un second AUTH dans la même session est une erreur \
                 (503).",
        },
        section: "RFC 4954 §6",
    },
    Entry {
        kind: Kind::Reply,
        code: "250",
        name: "Requested mail action okay, completed",
        meaning: Text {
            en: "The command was carried out. After the dot that ends DATA it means more: the \
                 server has taken responsibility for the message.",
            fr: "La commande a été exécutée. Après le point qui termine DATA, cela veut dire plus \
                 : le serveur prend le message sous sa responsabilité.",
        },
        sent: Text {
            en: "The server, after EHLO, MAIL, RCPT, RSET, NOOP, VRFY, and after the text of a \
                 message.",
            fr: "Le serveur, après EHLO, MAIL, RCPT, RSET, NOOP, VRFY, et après le texte d'un \
                 message.",
        },
        next: Text {
            en: "Send the next command. After EHLO, each line 250-WORD names an extension that may \
                 be used.",
            fr: "Envoyer la commande suivante. Après EHLO, chaque ligne 250-MOT annonce une \
                 extension utilisable.",
        },
        section: "RFC 5321 §4.2.3",
    },
    Entry {
        kind: Kind::Reply,
        code: "251",
        name: "User not local; will forward",
        meaning: Text {
            en: "The recipient does not live here, but the server knows the new address and sends \
                 the message on to it.",
            fr: "Le destinataire n'est pas ici, mais le serveur connaît sa nouvelle adresse et y \
                 fera suivre le message.",
        },
        sent: Text {
            en: "The server, after RCPT or VRFY, when a forwarding address is on file. Rare today: \
                 it gives addresses away.",
            fr: "Le serveur, après RCPT ou VRFY, quand une adresse de réexpédition est connue. \
                 Rare aujourd'hui : cela divulgue des adresses.",
        },
        next: Text {
            en: "Nothing: the recipient is accepted. Note the new address for next time.",
            fr: "Rien : le destinataire est accepté. Noter la nouvelle adresse pour la prochaine \
                 fois.",
        },
        section: "RFC 5321 §4.2.3, §3.4",
    },
    Entry {
        kind: Kind::Reply,
        code: "252",
        name: "Cannot VRFY user, but will accept message and attempt delivery",
        meaning: Text {
            en: "The server will not say whether this user exists; it will take a message for it \
                 and try.",
            fr: "Le serveur ne veut pas dire si cet utilisateur existe ; il acceptera un message \
                 pour lui et essaiera.",
        },
        sent: Text {
            en: "The server, after VRFY, usually so that nobody can collect valid addresses.",
            fr: "Le serveur, après VRFY, le plus souvent pour que personne ne puisse récolter des \
                 adresses valides.",
        },
        next: Text {
            en: "Do not take it for a yes: only RCPT tells whether mail is accepted.",
            fr: "Ne pas y voir un oui : seul RCPT dit si le courrier est accepté.",
        },
        section: "RFC 5321 §4.2.3, §3.5.3",
    },
    Entry {
        kind: Kind::Reply,
        code: "253",
        name: "OK, pending messages for node started",
        meaning: Text {
            en: "The server begins to send the mail that it kept for this host.",
            fr: "Le serveur commence à envoyer le courrier qu'il gardait pour cette machine.",
        },
        sent: Text {
            en: "A server of a provider, after ETRN.",
            fr: "Le serveur d'un fournisseur, après ETRN.",
        },
        next: Text {
            en: "Wait: the mail comes on another connection, towards your own SMTP server.",
            fr: "Attendre : le courrier arrive par une autre connexion, vers votre propre serveur \
                 SMTP.",
        },
        section: "RFC 1985",
    },
];

/// Replies that begin with 3: go on.
pub(super) const INTERMEDIATE: &[Entry] = &[
    Entry {
        kind: Kind::Reply,
        code: "334",
        name: "Server challenge",
        meaning: Text {
            en: "The server waits for the next piece of the authentication. What follows the code \
                 is in base64.",
            fr: "Le serveur attend la suite de l'authentification. Ce qui suit le code est en \
                 base64.",
        },
        sent: Text {
            en: "The server, during AUTH. With AUTH LOGIN, `334 VXNlcm5hbWU6` asks for the name \
                 and `334 UGFzc3dvcmQ6` for the password.",
            fr: "Le serveur, pendant AUTH. Avec AUTH LOGIN, `334 VXNlcm5hbWU6` demande le nom et \
                 `334 UGFzc3dvcmQ6` le mot de passe.",
        },
        next: Text {
            en: "Send the answer in base64 on one line, or `*` alone to give up.",
            fr: "Envoyer la réponse en base64 sur une ligne, ou `*` seul pour abandonner.",
        },
        section: "RFC 4954 §4",
    },
    Entry {
        kind: Kind::Reply,
        code: "354",
        name: "Start mail input; end with <CRLF>.<CRLF>",
        meaning: Text {
            en: "Now the text of the message, please. The server no longer reads commands until it \
                 sees a dot alone on a line.",
            fr: "À présent, le texte du message. Le serveur ne lit plus de commandes tant qu'il \
                 n'a pas vu un point seul sur une ligne.",
        },
        sent: Text {
            en: "The server, after DATA, once at least one recipient was accepted.",
            fr: "Le serveur, après DATA, dès qu'au moins un destinataire a été accepté.",
        },
        next: Text {
            en: "Send the header (From:, To:, Subject:), an empty line, the text, and a line with \
                 a single dot. A line of the text that begins with a dot gets a second one.",
            fr: "Envoyer l'en-tête (From:, To:, Subject:), une ligne vide, le texte, puis une \
                 ligne avec un point seul. Une ligne du texte qui commence par un point en reçoit \
                 un second.",
        },
        section: "RFC 5321 §4.2.3, §4.1.1.4",
    },
    Entry {
        kind: Kind::Reply,
        code: "355",
        name: "Octet-offset is the transaction offset",
        meaning: Text {
            en: "The server already has the beginning of this message, from a transaction that \
                 broke off.",
            fr: "Le serveur a déjà le début de ce message, reçu lors d'une transaction \
                 interrompue.",
        },
        sent: Text {
            en: "A server with the CHECKPOINT extension, after DATA. Hardly ever seen.",
            fr: "Un serveur doté de l'extension CHECKPOINT, après DATA. On ne le voit presque \
                 jamais.",
        },
        next: Text {
            en: "Send the text from that octet on.",
            fr: "Envoyer le texte à partir de cet octet.",
        },
        section: "RFC 1845",
    },
];
