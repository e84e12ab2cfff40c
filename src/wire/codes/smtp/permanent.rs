//! 5yz: refused for good; something must change before another try.

use crate::wire::codes::{Entry, Kind, Text};

/// Replies that begin with 5: not like this.
pub(super) const PERMANENT: &[Entry] = &[
    Entry {
        kind: Kind::Reply,
        code: "500",
        name: "Syntax error, command unrecognized",
        meaning: Text {
            en: "The server does not know this command: it is misspelt, or the line is too long.",
            fr: "Le serveur ne connaît pas cette commande : elle est mal écrite, ou la ligne est \
                 trop longue.",
        },
        sent: Text {
            en: "The server, after any line; often when the text of a message is sent although \
                 DATA was refused.",
            fr: "Le serveur, après n'importe quelle ligne ; souvent quand le texte d'un message \
                 est envoyé alors que DATA a été refusé.",
        },
        next: Text {
            en: "Check the spelling and the previous replies. If EHLO gets it, use HELO.",
            fr: "Vérifier l'orthographe et les réponses précédentes. Si c'est EHLO qui est refusé, \
                 employer HELO.",
        },
        section: "RFC 5321 §4.2.3",
    },
    Entry {
        kind: Kind::Reply,
        code: "501",
        name: "Syntax error in parameters or arguments",
        meaning: Text {
            en: "The command is known, but what follows it is missing or wrong.",
            fr: "La commande est connue, mais ce qui la suit manque ou est mal écrit.",
        },
        sent: Text {
            en: "The server, for example after `MAIL FROM` without an address, or with an address \
                 that has no closing bracket.",
            fr: "Le serveur, par exemple après `MAIL FROM` sans adresse, ou avec une adresse sans \
                 chevron fermant.",
        },
        next: Text {
            en: "Write it as the standard does: `MAIL FROM:<alice@example.org>`. The session goes \
                 on: nothing is lost.",
            fr: "L'écrire comme la norme : `MAIL FROM:<alice@example.org>`. La session continue : \
                 rien n'est perdu.",
        },
        section: "RFC 5321 §4.2.3",
    },
    Entry {
        kind: Kind::Reply,
        code: "502",
        name: "Command not implemented",
        meaning: Text {
            en: "The server knows the command's name, but does not offer it.",
            fr: "Le serveur connaît le nom de la commande, mais ne la propose pas.",
        },
        sent: Text {
            en: "The server, for example after EXPN, VRFY or STARTTLS when these are turned off.",
            fr: "Le serveur, par exemple après EXPN, VRFY ou STARTTLS quand elles sont \
                 désactivées.",
        },
        next: Text {
            en: "Do without it: the answer to EHLO says what is offered.",
            fr: "S'en passer : la réponse à EHLO dit ce qui est proposé.",
        },
        section: "RFC 5321 §4.2.3, §4.2.4",
    },
    Entry {
        kind: Kind::Reply,
        code: "503",
        name: "Bad sequence of commands",
        meaning: Text {
            en: "A good command at the wrong moment.",
            fr: "Une bonne commande au mauvais moment.",
        },
        sent: Text {
            en: "The server: RCPT before MAIL, DATA before any accepted RCPT, a second MAIL in one \
                 transaction, AUTH twice, no HELO.",
            fr: "Le serveur : RCPT avant MAIL, DATA avant tout RCPT accepté, un second MAIL dans \
                 la même transaction, AUTH deux fois, pas de HELO.",
        },
        next: Text {
            en: "Follow the order EHLO, MAIL, RCPT, DATA; RSET starts a transaction again.",
            fr: "Respecter l'ordre EHLO, MAIL, RCPT, DATA ; RSET recommence une transaction.",
        },
        section: "RFC 5321 §4.2.3, §4.1.4",
    },
    Entry {
        kind: Kind::Reply,
        code: "504",
        name: "Command parameter not implemented",
        meaning: Text {
            en: "The command is offered, but not with this parameter.",
            fr: "La commande est proposée, mais pas avec ce paramètre.",
        },
        sent: Text {
            en: "The server, for example after AUTH with a mechanism that it does not have.",
            fr: "Le serveur, par exemple après AUTH avec un mécanisme qu'il n'a pas.",
        },
        next: Text {
            en: "Choose a parameter that the answer to EHLO lists.",
            fr: "Choisir un paramètre annoncé dans la réponse à EHLO.",
        },
        section: "RFC 5321 §4.2.3, RFC 4954 §4",
    },
    Entry {
        kind: Kind::Reply,
        code: "521",
        name: "Server does not accept mail",
        meaning: Text {
            en: "This machine never takes mail.",
            fr: "Cette machine ne reçoit jamais de courrier.",
        },
        sent: Text {
            en: "A machine that is no mail server, in place of the greeting 220.",
            fr: "Une machine qui n'est pas un serveur de courrier, à la place de l'accueil 220.",
        },
        next: Text {
            en: "Do not try again: check the host's name and the MX records of the domain.",
            fr: "Ne pas réessayer : vérifier le nom de la machine et les enregistrements MX du \
                 domaine.",
        },
        section: "RFC 7504 §3",
    },
    Entry {
        kind: Kind::Reply,
        code: "523",
        name: "Encryption needed",
        meaning: Text {
            en: "The server wants the connection encrypted before it goes on.",
            fr: "Le serveur veut que la connexion soit chiffrée avant d'aller plus loin.",
        },
        sent: Text {
            en: "A submission server, with the enhanced code 5.7.10. Rare: most answer 530 or 538.",
            fr: "Un serveur de soumission, avec le code étendu 5.7.10. Rare : la plupart répondent \
                 530 ou 538.",
        },
        next: Text {
            en: "Start TLS (STARTTLS, or port 465), then try again.",
            fr: "Passer en TLS (STARTTLS, ou port 465), puis recommencer.",
        },
        section: "RFC 5248 §2.4",
    },
    Entry {
        kind: Kind::Reply,
        code: "524",
        name: "Encryption required for requested authentication mechanism",
        meaning: Text {
            en: "This way of logging in is refused in clear, because anybody on the wire could \
                 read the password.",
            fr: "Cette façon de s'identifier est refusée en clair, car n'importe qui sur le réseau \
                 lirait le mot de passe.",
        },
        sent: Text {
            en: "A submission server, after AUTH, with the enhanced code 5.7.11. Rare: the usual \
                 number is 538.",
            fr: "Un serveur de soumission, après AUTH, avec le code étendu 5.7.11. Rare : le \
                 numéro habituel est 538.",
        },
        next: Text {
            en: "Start TLS first (STARTTLS, or port 465), then AUTH.",
            fr: "Passer d'abord en TLS (STARTTLS, ou port 465), puis AUTH.",
        },
        section: "RFC 5248 §2.4",
    },
    Entry {
        kind: Kind::Reply,
        code: "525",
        name: "User account disabled",
        meaning: Text {
            en: "The account exists but has been closed or suspended.",
            fr: "Le compte existe mais il a été fermé ou suspendu.",
        },
        sent: Text {
            en: "A submission server, after AUTH, with the enhanced code 5.7.13.",
            fr: "Un serveur de soumission, après AUTH, avec le code étendu 5.7.13.",
        },
        next: Text {
            en: "Ask the administrator; another password will not help.",
            fr: "S'adresser à l'administrateur ; un autre mot de passe n'y changera rien.",
        },
        section: "RFC 5248 §2.4",
    },
    Entry {
        kind: Kind::Reply,
        code: "530",
        name: "Authentication required",
        meaning: Text {
            en: "The client must first say who it is; or, with the text \"Must issue a STARTTLS \
                 command first\", start TLS.",
            fr: "Le client doit d'abord s'identifier ; ou bien, avec le texte « Must issue a \
                 STARTTLS command first », passer en TLS.",
        },
        sent: Text {
            en: "A submission server (port 587 or 465), after MAIL without AUTH before it.",
            fr: "Un serveur de soumission (port 587 ou 465), après un MAIL sans AUTH préalable.",
        },
        next: Text {
            en: "AUTH (after STARTTLS), then MAIL again.",
            fr: "AUTH (après STARTTLS), puis de nouveau MAIL.",
        },
        section: "RFC 4954 §6, RFC 3207 §4",
    },
    Entry {
        kind: Kind::Reply,
        code: "534",
        name: "Authentication mechanism is too weak",
        meaning: Text {
            en: "The server's policy wants a stronger way of logging in for this user.",
            fr: "La politique du serveur exige, pour cet utilisateur, une identification plus \
                 sûre.",
        },
        sent: Text {
            en: "A submission server, after AUTH.",
            fr: "Un serveur de soumission, après AUTH.",
        },
        next: Text {
            en: "Choose another mechanism of the list that EHLO gives, or start TLS.",
            fr: "Choisir un autre mécanisme dans la liste donnée par EHLO, ou passer en TLS.",
        },
        section: "RFC 4954 §6",
    },
    Entry {
        kind: Kind::Reply,
        code: "535",
        name: "Authentication credentials invalid",
        meaning: Text {
            en: "Name or password is wrong. The server does not say which, and rightly so.",
            fr: "Nom ou mot de passe faux. Le serveur ne dit pas lequel, à juste titre.",
        },
        sent: Text {
            en: "The server, at the end of an AUTH exchange.",
            fr: "Le serveur, à la fin d'un échange AUTH.",
        },
        next: Text {
            en: "Check both, and that the base64 was made without a line end (`printf`, not \
                 `echo`).",
            fr: "Vérifier les deux, et que le base64 a été produit sans fin de ligne (`printf`, \
                 pas `echo`).",
        },
        section: "RFC 4954 §6",
    },
    Entry {
        kind: Kind::Reply,
        code: "538",
        name: "Encryption required for requested authentication mechanism",
        meaning: Text {
            en: "This way of logging in is refused in clear, because anybody on the wire could \
                 read the password.",
            fr: "Cette façon de s'identifier est refusée en clair, car n'importe qui sur le réseau \
                 lirait le mot de passe.",
        },
        sent: Text {
            en: "A submission server, after AUTH PLAIN or LOGIN without TLS.",
            fr: "Un serveur de soumission, après AUTH PLAIN ou LOGIN sans TLS.",
        },
        next: Text {
            en: "Start TLS first (STARTTLS, or port 465), then EHLO and AUTH.",
            fr: "Passer d'abord en TLS (STARTTLS, ou port 465), puis EHLO et AUTH.",
        },
        section: "RFC 4954 §6",
    },
    Entry {
        kind: Kind::Reply,
        code: "550",
        name: "Requested action not taken: mailbox unavailable",
        meaning: Text {
            en: "The mailbox cannot be used: it does not exist, you may not write to it, or a rule \
                 of the server refuses the message.",
            fr: "La boîte n'est pas utilisable : elle n'existe pas, vous n'avez pas le droit d'y \
                 écrire, ou une règle du serveur refuse le message.",
        },
        sent: Text {
            en: "The server, after RCPT (unknown user: 5.1.1; no relaying: 5.7.1), or at the end \
                 of DATA when a filter refuses.",
            fr: "Le serveur, après RCPT (utilisateur inconnu : 5.1.1 ; relais refusé : 5.7.1), ou \
                 à la fin de DATA quand un filtre refuse.",
        },
        next: Text {
            en: "Do not send the same again: correct the address, log in with AUTH, or ask the \
                 recipient's administrator.",
            fr: "Ne pas renvoyer la même chose : corriger l'adresse, s'identifier avec AUTH, ou \
                 s'adresser à l'administrateur du destinataire.",
        },
        section: "RFC 5321 §4.2.3",
    },
    Entry {
        kind: Kind::Reply,
        code: "551",
        name: "User not local; please try another address",
        meaning: Text {
            en: "The recipient is elsewhere, and the server will not forward; its text may name \
                 the new address.",
            fr: "Le destinataire est ailleurs et le serveur ne fera pas suivre ; le texte peut \
                 donner la nouvelle adresse.",
        },
        sent: Text {
            en: "The server, after RCPT or VRFY. Rare today.",
            fr: "Le serveur, après RCPT ou VRFY. Rare aujourd'hui.",
        },
        next: Text {
            en: "Send to the new address yourself, if you trust it.",
            fr: "Envoyer soi-même à la nouvelle adresse, si l'on s'y fie.",
        },
        section: "RFC 5321 §4.2.3, §3.4",
    },
    Entry {
        kind: Kind::Reply,
        code: "552",
        name: "Requested mail action aborted: exceeded storage allocation",
        meaning: Text {
            en: "Too big: the message is over the server's limit, or the mailbox has used up its \
                 quota.",
            fr: "Trop gros : le message dépasse la limite du serveur, ou la boîte a épuisé son \
                 quota.",
        },
        sent: Text {
            en: "The server, after MAIL with SIZE=, after RCPT, or at the end of DATA.",
            fr: "Le serveur, après MAIL avec SIZE=, après RCPT, ou à la fin de DATA.",
        },
        next: Text {
            en: "Make the message smaller (EHLO shows the limit after SIZE), or have the recipient \
                 make room.",
            fr: "Réduire le message (EHLO donne la limite après SIZE), ou demander au destinataire \
                 de faire de la place.",
        },
        section: "RFC 5321 §4.2.3, RFC 1870 §6",
    },
    Entry {
        kind: Kind::Reply,
        code: "553",
        name: "Requested action not taken: mailbox name not allowed",
        meaning: Text {
            en: "The address itself is not acceptable: badly written, ambiguous, or not one that \
                 you may send from.",
            fr: "L'adresse elle-même n'est pas acceptable : mal écrite, ambiguë, ou interdite \
                 comme adresse d'expéditeur.",
        },
        sent: Text {
            en: "The server, after MAIL or RCPT.",
            fr: "Le serveur, après MAIL ou RCPT.",
        },
        next: Text {
            en: "Correct the address; after MAIL, use the one that belongs to the account you \
                 logged in with.",
            fr: "Corriger l'adresse ; après MAIL, prendre celle du compte avec lequel on s'est \
                 identifié.",
        },
        section: "RFC 5321 §4.2.3",
    },
    Entry {
        kind: Kind::Reply,
        code: "554",
        name: "Transaction failed",
        meaning: Text {
            en: "The whole transaction is refused. As the first line of a connection: no mail \
                 service here for you.",
            fr: "Toute la transaction est refusée. En première ligne d'une connexion : pas de \
                 service de courrier pour vous ici.",
        },
        sent: Text {
            en: "The server, at the end of DATA (spam, virus, policy), after DATA when no \
                 recipient was accepted, or instead of 220.",
            fr: "Le serveur, à la fin de DATA (spam, virus, politique), après DATA si aucun \
                 destinataire n'a été accepté, ou à la place de 220.",
        },
        next: Text {
            en: "Read the text and the enhanced code: they give the reason. Sending the same again \
                 fails again.",
            fr: "Lire le texte et le code étendu : ils donnent la raison. Renvoyer la même chose \
                 échouera encore.",
        },
        section: "RFC 5321 §4.2.3, §3.1",
    },
    Entry {
        kind: Kind::Reply,
        code: "555",
        name: "MAIL FROM/RCPT TO parameters not recognized or not implemented",
        meaning: Text {
            en: "MAIL or RCPT carries a parameter that this server does not know.",
            fr: "MAIL ou RCPT porte un paramètre que ce serveur ne connaît pas.",
        },
        sent: Text {
            en: "The server, after MAIL or RCPT with something behind the address.",
            fr: "Le serveur, après MAIL ou RCPT suivi de quelque chose derrière l'adresse.",
        },
        next: Text {
            en: "Use only parameters of extensions that EHLO announced; a space inside the address \
                 is a common cause.",
            fr: "N'employer que les paramètres des extensions annoncées par EHLO ; un espace dans \
                 l'adresse est une cause fréquente.",
        },
        section: "RFC 5321 §4.2.3, §4.1.1.11",
    },
    Entry {
        kind: Kind::Reply,
        code: "556",
        name: "Domain does not accept mail",
        meaning: Text {
            en: "The recipient's domain has said, in the DNS, that it never takes mail (null MX).",
            fr: "Le domaine du destinataire a déclaré, dans le DNS, qu'il ne reçoit jamais de \
                 courrier (MX nul).",
        },
        sent: Text {
            en: "A relay or submission server, after RCPT.",
            fr: "Un relais ou un serveur de soumission, après RCPT.",
        },
        next: Text {
            en: "Correct the domain: there is nobody behind this one.",
            fr: "Corriger le domaine : il n'y a personne derrière celui-ci.",
        },
        section: "RFC 7504 §4, RFC 7505",
    },
];
