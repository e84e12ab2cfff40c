//! 4yz: refused for now; the client tries the same again later.

use crate::wire::codes::{Entry, Kind, Text};

/// Replies that begin with 4: not now.
pub(super) const TRANSIENT: &[Entry] = &[
    Entry {
        kind: Kind::Reply,
        code: "421",
        name: "Service not available, closing transmission channel",
        meaning: Text {
            en: "The server cannot serve now, and hangs up.",
            fr: "Le serveur ne peut pas assurer le service en ce moment, et il raccroche.",
        },
        sent: Text {
            en: "The server, at any moment: it is being stopped, too busy, has too many \
                 connections, waited too long, or saw too many errors.",
            fr: "Le serveur, à tout moment : il s'arrête, il est surchargé, il a trop de \
                 connexions, il a trop attendu ou a vu trop d'erreurs.",
        },
        next: Text {
            en: "Close, wait, try again later. A message that had no 250 yet must be sent again.",
            fr: "Fermer, attendre, réessayer plus tard. Un message qui n'a pas encore reçu son 250 \
                 est à renvoyer.",
        },
        section: "RFC 5321 §4.2.3, §3.8",
    },
    Entry {
        kind: Kind::Reply,
        code: "422",
        name: "A password transition is needed",
        meaning: Text {
            en: "The account exists, but its password must first be given in another way (an early \
                 number for 432).",
            fr: "Le compte existe, mais son mot de passe doit d'abord être donné d'une autre façon \
                 (ancien numéro de 432).",
        },
        sent: Text {
            en: "A submission server, during AUTH, with the enhanced code 4.7.12. Some servers use \
                 it, against the standard, for a full mailbox.",
            fr: "Un serveur de soumission, pendant AUTH, avec le code étendu 4.7.12. Certains \
                 l'emploient, hors norme, pour une boîte pleine.",
        },
        next: Text {
            en: "Log in once with AUTH PLAIN over TLS, then use the stronger mechanism again.",
            fr: "Se connecter une fois avec AUTH PLAIN sous TLS, puis reprendre le mécanisme plus \
                 fort.",
        },
        section: "RFC 5248 §2.4",
    },
    Entry {
        kind: Kind::Reply,
        code: "432",
        name: "A password transition is needed",
        meaning: Text {
            en: "The server has no secret yet for the mechanism that was chosen; it can make it \
                 from the password itself.",
            fr: "Le serveur n'a pas encore le secret qu'il faut au mécanisme choisi ; il peut le \
                 fabriquer à partir du mot de passe.",
        },
        sent: Text {
            en: "A submission server, during AUTH with CRAM-MD5, SCRAM or the like.",
            fr: "Un serveur de soumission, pendant AUTH avec CRAM-MD5, SCRAM ou un mécanisme \
                 semblable.",
        },
        next: Text {
            en: "Log in once with AUTH PLAIN over TLS, then use the stronger mechanism again.",
            fr: "Se connecter une fois avec AUTH PLAIN sous TLS, puis reprendre le mécanisme plus \
                 fort.",
        },
        section: "RFC 4954 §6",
    },
    Entry {
        kind: Kind::Reply,
        code: "450",
        name: "Requested mail action not taken: mailbox unavailable",
        meaning: Text {
            en: "The mailbox cannot take mail just now: busy, locked, or held back for a while by \
                 a rule (greylisting).",
            fr: "La boîte ne peut pas recevoir en ce moment : occupée, verrouillée, ou retenue un \
                 temps par une règle (liste grise).",
        },
        sent: Text {
            en: "The server, most often after RCPT.",
            fr: "Le serveur, le plus souvent après RCPT.",
        },
        next: Text {
            en: "Try the same again later: after some minutes first, then less and less often, for \
                 four or five days.",
            fr: "Réessayer à l'identique plus tard : d'abord au bout de quelques minutes, puis de \
                 moins en moins souvent, pendant quatre ou cinq jours.",
        },
        section: "RFC 5321 §4.2.3",
    },
    Entry {
        kind: Kind::Reply,
        code: "451",
        name: "Requested action aborted: error in processing",
        meaning: Text {
            en: "Something went wrong on the server's side; the message was not taken.",
            fr: "Quelque chose a échoué du côté du serveur ; le message n'a pas été pris.",
        },
        sent: Text {
            en: "The server, after RCPT or at the end of DATA: a disk error, a filter or a DNS \
                 server that does not answer, greylisting.",
            fr: "Le serveur, après RCPT ou à la fin de DATA : erreur de disque, filtre ou serveur \
                 DNS muet, liste grise.",
        },
        next: Text {
            en: "Nothing is wrong with your command: try again later.",
            fr: "Votre commande n'est pas en cause : réessayer plus tard.",
        },
        section: "RFC 5321 §4.2.3",
    },
    Entry {
        kind: Kind::Reply,
        code: "452",
        name: "Requested action not taken: insufficient system storage",
        meaning: Text {
            en: "No room now: the disk or the mailbox is full, or this message has too many \
                 recipients.",
            fr: "Plus de place pour l'instant : disque ou boîte pleine, ou trop de destinataires \
                 pour ce message.",
        },
        sent: Text {
            en: "The server, after MAIL or RCPT or at the end of DATA.",
            fr: "Le serveur, après MAIL ou RCPT, ou à la fin de DATA.",
        },
        next: Text {
            en: "After RCPT: send the message to the recipients accepted so far, then the rest in \
                 a second transaction. Otherwise try later.",
            fr: "Après RCPT : envoyer le message aux destinataires déjà acceptés, puis aux autres \
                 dans une seconde transaction. Sinon, réessayer plus tard.",
        },
        section: "RFC 5321 §4.2.3, §4.5.3.1.10",
    },
    Entry {
        kind: Kind::Reply,
        code: "453",
        name: "You have no mail",
        meaning: Text {
            en: "No mail is waiting for the domains that were asked for.",
            fr: "Aucun courrier n'attend pour les domaines demandés.",
        },
        sent: Text {
            en: "A server of a provider, after ATRN.",
            fr: "Le serveur d'un fournisseur, après ATRN.",
        },
        next: Text {
            en: "Nothing; ask again later.",
            fr: "Rien ; redemander plus tard.",
        },
        section: "RFC 2645",
    },
    Entry {
        kind: Kind::Reply,
        code: "454",
        name: "Temporary authentication failure",
        meaning: Text {
            en: "The server can neither accept nor refuse now: its account database, or its TLS, \
                 does not work.",
            fr: "Le serveur ne peut ni accepter ni refuser en ce moment : sa base de comptes, ou \
                 son TLS, ne fonctionne pas.",
        },
        sent: Text {
            en: "The server, after AUTH; and after STARTTLS, with the text \"TLS not available\".",
            fr: "Le serveur, après AUTH ; et après STARTTLS, avec le texte « TLS not available ».",
        },
        next: Text {
            en: "Try later; do not ask the user for another password. After STARTTLS, do not go on \
                 in clear if the mail is secret.",
            fr: "Réessayer plus tard ; ne pas redemander le mot de passe. Après STARTTLS, ne pas \
                 continuer en clair si le courrier est confidentiel.",
        },
        section: "RFC 4954 §6, RFC 3207 §4",
    },
    Entry {
        kind: Kind::Reply,
        code: "455",
        name: "Server unable to accommodate parameters",
        meaning: Text {
            en: "The server knows the parameter of MAIL or RCPT, but cannot honour it now.",
            fr: "Le serveur connaît le paramètre de MAIL ou de RCPT, mais ne peut pas l'honorer en \
                 ce moment.",
        },
        sent: Text {
            en: "The server, after MAIL or RCPT with parameters (SIZE=, BODY=, NOTIFY= ...).",
            fr: "Le serveur, après MAIL ou RCPT avec des paramètres (SIZE=, BODY=, NOTIFY= ...).",
        },
        next: Text {
            en: "Try later, or leave the parameter out.",
            fr: "Réessayer plus tard, ou se passer du paramètre.",
        },
        section: "RFC 5321 §4.2.3, §4.1.1.11",
    },
    Entry {
        kind: Kind::Reply,
        code: "458",
        name: "Unable to queue messages for node",
        meaning: Text {
            en: "The server cannot start to send the mail that waits for this host.",
            fr: "Le serveur ne peut pas lancer l'envoi du courrier en attente pour cette machine.",
        },
        sent: Text {
            en: "A server of a provider, after ETRN.",
            fr: "Le serveur d'un fournisseur, après ETRN.",
        },
        next: Text {
            en: "Try again later.",
            fr: "Réessayer plus tard.",
        },
        section: "RFC 1985",
    },
    Entry {
        kind: Kind::Reply,
        code: "459",
        name: "Node not allowed",
        meaning: Text {
            en: "This host may not ask for that mail.",
            fr: "Cette machine n'a pas le droit de demander ce courrier.",
        },
        sent: Text {
            en: "A server of a provider, after ETRN or ATRN.",
            fr: "Le serveur d'un fournisseur, après ETRN ou ATRN.",
        },
        next: Text {
            en: "Have the provider allow the host or the domain.",
            fr: "Faire autoriser la machine ou le domaine par le fournisseur.",
        },
        section: "RFC 1985, RFC 2645",
    },
];
