//! X.3, X.4 and X.5: the way there, and the dialogue on it.

use crate::wire::codes::{Entry, Kind, Text};

/// X.3: the mail system at the destination.
pub(super) const SYSTEM: &[Entry] = &[
    Entry {
        kind: Kind::Status,
        code: "X.3.0",
        name: "Other or undefined mail system status",
        meaning: Text {
            en: "The destination's mail system has a problem, not said more exactly.",
            fr: "Le système de courrier destinataire a un problème, sans plus de précision.",
        },
        sent: Text {
            en: "The recipient's server.",
            fr: "Le serveur du destinataire.",
        },
        next: Text {
            en: "With 4, try later; with 5, tell its postmaster.",
            fr: "Avec 4, réessayer plus tard ; avec 5, prévenir son postmaster.",
        },
        section: "RFC 3463 §3.4",
    },
    Entry {
        kind: Kind::Status,
        code: "X.3.1",
        name: "Mail system full",
        meaning: Text {
            en: "The disk of the server is full, not just one mailbox.",
            fr: "C'est le disque du serveur qui est plein, pas seulement une boîte.",
        },
        sent: Text {
            en: "The server, with 452.",
            fr: "Le serveur, avec 452.",
        },
        next: Text {
            en: "Wait for its administrator to make room, and try again.",
            fr: "Attendre que son administrateur libère de la place, et réessayer.",
        },
        section: "RFC 3463 §3.4",
    },
    Entry {
        kind: Kind::Status,
        code: "X.3.2",
        name: "System not accepting network messages",
        meaning: Text {
            en: "The server takes no mail from the network at present: maintenance, shutdown, \
                 overload.",
            fr: "Le serveur n'accepte pas de courrier du réseau en ce moment : maintenance, arrêt, \
                 surcharge.",
        },
        sent: Text {
            en: "The server, often with 421 or 450.",
            fr: "Le serveur, souvent avec 421 ou 450.",
        },
        next: Text {
            en: "Try again later.",
            fr: "Réessayer plus tard.",
        },
        section: "RFC 3463 §3.4",
    },
    Entry {
        kind: Kind::Status,
        code: "X.3.3",
        name: "System not capable of selected features",
        meaning: Text {
            en: "The destination lacks something that this message needs.",
            fr: "Le destinataire ne dispose pas d'une fonction dont ce message a besoin.",
        },
        sent: Text {
            en: "The server or a gateway, when a feature was asked for with MAIL or RCPT.",
            fr: "Le serveur ou une passerelle, quand une fonction est demandée avec MAIL ou RCPT.",
        },
        next: Text {
            en: "Send it without that feature.",
            fr: "L'envoyer sans cette fonction.",
        },
        section: "RFC 3463 §3.4",
    },
    Entry {
        kind: Kind::Status,
        code: "X.3.4",
        name: "Message too big for system",
        meaning: Text {
            en: "The message is over the limit of the whole server, whoever the recipient is.",
            fr: "Le message dépasse la limite du serveur entier, quel que soit le destinataire.",
        },
        sent: Text {
            en: "The server, with 552, after MAIL with SIZE= or at the end of DATA.",
            fr: "Le serveur, avec 552, après MAIL avec SIZE= ou à la fin de DATA.",
        },
        next: Text {
            en: "EHLO shows the limit after SIZE: send less than that.",
            fr: "EHLO donne la limite après SIZE : envoyer moins que cela.",
        },
        section: "RFC 3463 §3.4",
    },
    Entry {
        kind: Kind::Status,
        code: "X.3.5",
        name: "System incorrectly configured",
        meaning: Text {
            en: "The server has noticed a mistake in its own configuration.",
            fr: "Le serveur a constaté une erreur dans sa propre configuration.",
        },
        sent: Text {
            en: "The server; sometimes a loop, when a domain's MX points to a server that does not \
                 know the domain.",
            fr: "Le serveur ; parfois une boucle, quand le MX d'un domaine désigne un serveur qui \
                 ne connaît pas ce domaine.",
        },
        next: Text {
            en: "Only its administrator can help.",
            fr: "Seul son administrateur peut y remédier.",
        },
        section: "RFC 3463 §3.4",
    },
    Entry {
        kind: Kind::Status,
        code: "X.3.6",
        name: "Requested priority was changed",
        meaning: Text {
            en: "The message was accepted, but with another priority than asked for.",
            fr: "Le message a été accepté, mais avec une autre priorité que celle demandée.",
        },
        sent: Text {
            en: "A server with the MT-PRIORITY extension, after MAIL.",
            fr: "Un serveur doté de l'extension MT-PRIORITY, après MAIL.",
        },
        next: Text {
            en: "Nothing; the text shows the priority that counts.",
            fr: "Rien ; le texte indique la priorité retenue.",
        },
        section: "RFC 6710",
    },
];

/// X.4: the network and the way to the destination.
pub(super) const NETWORK: &[Entry] = &[
    Entry {
        kind: Kind::Status,
        code: "X.4.0",
        name: "Other or undefined network or routing status",
        meaning: Text {
            en: "Something in the network failed, not said more exactly.",
            fr: "Quelque chose a échoué dans le réseau, sans plus de précision.",
        },
        sent: Text {
            en: "The sender's server or a relay.",
            fr: "Le serveur de l'expéditeur ou un relais.",
        },
        next: Text {
            en: "Usually wait: relays try again by themselves.",
            fr: "En général, attendre : les relais réessaient d'eux-mêmes.",
        },
        section: "RFC 3463 §3.5",
    },
    Entry {
        kind: Kind::Status,
        code: "X.4.1",
        name: "No answer from host",
        meaning: Text {
            en: "The other server did not take the call: it is down, unreachable, or refuses \
                 connections.",
            fr: "L'autre serveur n'a pas répondu à l'appel : en panne, injoignable, ou refusant \
                 les connexions.",
        },
        sent: Text {
            en: "The server that tried to pass the message on.",
            fr: "Le serveur qui essayait de transmettre le message.",
        },
        next: Text {
            en: "Wait; if it lasts, test with `mailtool nc -v HOST 25`.",
            fr: "Attendre ; si cela dure, essayer avec `mailtool nc -v MACHINE 25`.",
        },
        section: "RFC 3463 §3.5",
    },
    Entry {
        kind: Kind::Status,
        code: "X.4.2",
        name: "Bad connection",
        meaning: Text {
            en: "The connection was made, but broke before the end.",
            fr: "La connexion s'est établie, mais s'est rompue avant la fin.",
        },
        sent: Text {
            en: "The server that tried to pass the message on; also one that waited too long for \
                 its client.",
            fr: "Le serveur qui essayait de transmettre le message ; aussi celui qui a trop \
                 attendu son client.",
        },
        next: Text {
            en: "Try again. If it always breaks with large messages, look for a firewall or an MTU \
                 problem.",
            fr: "Réessayer. Si cela casse toujours avec les gros messages, chercher un pare-feu ou \
                 un problème de MTU.",
        },
        section: "RFC 3463 §3.5",
    },
    Entry {
        kind: Kind::Status,
        code: "X.4.3",
        name: "Directory server failure",
        meaning: Text {
            en: "A directory that the server needs (DNS, LDAP ...) does not answer.",
            fr: "Un annuaire dont le serveur a besoin (DNS, LDAP ...) ne répond pas.",
        },
        sent: Text {
            en: "The server, with 451.",
            fr: "Le serveur, avec 451.",
        },
        next: Text {
            en: "Try later; check your own DNS if it is your server that says so.",
            fr: "Réessayer plus tard ; vérifier son propre DNS si c'est son serveur qui le dit.",
        },
        section: "RFC 3463 §3.5",
    },
    Entry {
        kind: Kind::Status,
        code: "X.4.4",
        name: "Unable to route",
        meaning: Text {
            en: "No way to the destination is known: the domain has no usable MX record or \
                 address.",
            fr: "Aucun chemin vers la destination n'est connu : le domaine n'a ni MX utilisable ni \
                 adresse.",
        },
        sent: Text {
            en: "The sender's server or a relay.",
            fr: "Le serveur de l'expéditeur ou un relais.",
        },
        next: Text {
            en: "Check the domain, and its MX records in the DNS.",
            fr: "Vérifier le domaine, et ses enregistrements MX dans le DNS.",
        },
        section: "RFC 3463 §3.5",
    },
    Entry {
        kind: Kind::Status,
        code: "X.4.5",
        name: "Mail system congestion",
        meaning: Text {
            en: "Too much mail at once for the server.",
            fr: "Trop de courrier à la fois pour le serveur.",
        },
        sent: Text {
            en: "The server, with 421, 450 or 451.",
            fr: "Le serveur, avec 421, 450 ou 451.",
        },
        next: Text {
            en: "Wait, then send more slowly.",
            fr: "Attendre, puis envoyer moins vite.",
        },
        section: "RFC 3463 §3.5",
    },
    Entry {
        kind: Kind::Status,
        code: "X.4.6",
        name: "Routing loop detected",
        meaning: Text {
            en: "The message goes round in a circle between servers and was stopped.",
            fr: "Le message tourne en rond entre des serveurs et a été arrêté.",
        },
        sent: Text {
            en: "A relay that counted too many `Received:` lines, or found itself as the next hop.",
            fr: "Un relais qui a compté trop de lignes `Received:`, ou s'est trouvé lui-même comme \
                 étape suivante.",
        },
        next: Text {
            en: "An administrator must correct a forwarding rule or an MX record.",
            fr: "Un administrateur doit corriger une règle de transfert ou un enregistrement MX.",
        },
        section: "RFC 3463 §3.5",
    },
    Entry {
        kind: Kind::Status,
        code: "X.4.7",
        name: "Delivery time expired",
        meaning: Text {
            en: "The message waited too long in a queue and was given up.",
            fr: "Le message a trop attendu dans une file et a été abandonné.",
        },
        sent: Text {
            en: "A relay, after some days of trying.",
            fr: "Un relais, après quelques jours d'essais.",
        },
        next: Text {
            en: "Find out from the text why the last attempt failed; then send again.",
            fr: "Chercher dans le texte pourquoi le dernier essai a échoué ; puis renvoyer.",
        },
        section: "RFC 3463 §3.5",
    },
];

/// X.5: the dialogue.
pub(super) const PROTOCOL: &[Entry] = &[
    Entry {
        kind: Kind::Status,
        code: "X.5.0",
        name: "Other or undefined protocol status",
        meaning: Text {
            en: "Something in the dialogue itself went wrong, not said more exactly.",
            fr: "Quelque chose s'est mal passé dans le dialogue lui-même, sans plus de précision.",
        },
        sent: Text {
            en: "The server, after any command. 2.5.0 just means: command carried out.",
            fr: "Le serveur, après n'importe quelle commande. 2.5.0 veut simplement dire : \
                 commande exécutée.",
        },
        next: Text {
            en: "Read the reply code beside it.",
            fr: "Lire le code de réponse qui l'accompagne.",
        },
        section: "RFC 3463 §3.6",
    },
    Entry {
        kind: Kind::Status,
        code: "X.5.1",
        name: "Invalid command",
        meaning: Text {
            en: "This command is unknown, or not allowed at this moment.",
            fr: "Cette commande est inconnue, ou n'est pas permise à ce moment.",
        },
        sent: Text {
            en: "The server, with 500, 502 or 503.",
            fr: "Le serveur, avec 500, 502 ou 503.",
        },
        next: Text {
            en: "Check the spelling and the order EHLO, MAIL, RCPT, DATA.",
            fr: "Vérifier l'orthographe et l'ordre EHLO, MAIL, RCPT, DATA.",
        },
        section: "RFC 3463 §3.6",
    },
    Entry {
        kind: Kind::Status,
        code: "X.5.2",
        name: "Syntax error",
        meaning: Text {
            en: "The server could not make sense of the line, or it was too long.",
            fr: "Le serveur n'a pas pu comprendre la ligne, ou elle était trop longue.",
        },
        sent: Text {
            en: "The server, with 500 or 501.",
            fr: "Le serveur, avec 500 ou 501.",
        },
        next: Text {
            en: "Type the command again, letter by letter as the standard has it.",
            fr: "Retaper la commande, à la lettre, comme dans la norme.",
        },
        section: "RFC 3463 §3.6",
    },
    Entry {
        kind: Kind::Status,
        code: "X.5.3",
        name: "Too many recipients",
        meaning: Text {
            en: "This message has more recipients than the server takes at once.",
            fr: "Ce message a plus de destinataires que le serveur n'en prend à la fois.",
        },
        sent: Text {
            en: "The server, with 452, after a RCPT.",
            fr: "Le serveur, avec 452, après un RCPT.",
        },
        next: Text {
            en: "Send to those accepted so far, then to the rest in a second transaction.",
            fr: "Envoyer à ceux déjà acceptés, puis aux autres dans une seconde transaction.",
        },
        section: "RFC 3463 §3.6",
    },
    Entry {
        kind: Kind::Status,
        code: "X.5.4",
        name: "Invalid command arguments",
        meaning: Text {
            en: "The command is right; what follows it is not: missing, too much, or out of range.",
            fr: "La commande est bonne ; ce qui la suit ne l'est pas : manquant, en trop, ou hors \
                 limites.",
        },
        sent: Text {
            en: "The server, with 501, 504 or 555: for example after `MAIL FROM` without an \
                 address.",
            fr: "Le serveur, avec 501, 504 ou 555 : par exemple après `MAIL FROM` sans adresse.",
        },
        next: Text {
            en: "Write it as the standard does: `MAIL FROM:<alice@example.org>`.",
            fr: "L'écrire comme la norme : `MAIL FROM:<alice@example.org>`.",
        },
        section: "RFC 3463 §3.6",
    },
    Entry {
        kind: Kind::Status,
        code: "X.5.5",
        name: "Wrong protocol version",
        meaning: Text {
            en: "Client and server speak versions of the protocol that do not fit together.",
            fr: "Le client et le serveur parlent des versions du protocole qui ne s'accordent pas.",
        },
        sent: Text {
            en: "The server. Hardly ever seen: SMTP negotiates with EHLO.",
            fr: "Le serveur. On ne le voit presque jamais : SMTP négocie avec EHLO.",
        },
        next: Text {
            en: "Use another program or another server.",
            fr: "Employer un autre programme ou un autre serveur.",
        },
        section: "RFC 3463 §3.6",
    },
    Entry {
        kind: Kind::Status,
        code: "X.5.6",
        name: "Authentication exchange line is too long",
        meaning: Text {
            en: "A line of the AUTH exchange was longer than the server reads (12288 octets).",
            fr: "Une ligne de l'échange AUTH dépassait ce que le serveur lit (12288 octets).",
        },
        sent: Text {
            en: "The server, with 500, during AUTH.",
            fr: "Le serveur, avec 500, pendant AUTH.",
        },
        next: Text {
            en: "Choose another mechanism; a very large Kerberos ticket is the usual cause.",
            fr: "Choisir un autre mécanisme ; un ticket Kerberos très gros en est la cause \
                 habituelle.",
        },
        section: "RFC 4954 §6",
    },
];
