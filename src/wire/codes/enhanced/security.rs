//! X.7: who may send what to whom, and how that is checked.

use crate::wire::codes::{Entry, Kind, Text};

/// X.7: security, or a rule of the server.
pub(super) const SECURITY: &[Entry] = &[
    Entry {
        kind: Kind::Status,
        code: "X.7.0",
        name: "Other or undefined security status",
        meaning: Text {
            en: "Something about security or policy, not said more exactly. 2.7.0 after AUTH: you \
                 are logged in.",
            fr: "Une question de sécurité ou de politique, sans plus de précision. 2.7.0 après \
                 AUTH : vous êtes identifié.",
        },
        sent: Text {
            en: "The server, often with 530: log in first.",
            fr: "Le serveur, souvent avec 530 : s'identifier d'abord.",
        },
        next: Text {
            en: "Read the reply code and the text beside it.",
            fr: "Lire le code de réponse et le texte qui l'accompagnent.",
        },
        section: "RFC 3463 §3.8",
    },
    Entry {
        kind: Kind::Status,
        code: "X.7.1",
        name: "Delivery not authorized, message refused",
        meaning: Text {
            en: "This sender may not send to this recipient through this server.",
            fr: "Cet expéditeur n'a pas le droit d'écrire à ce destinataire par ce serveur.",
        },
        sent: Text {
            en: "The server, with 550 or 554: most often because it would have to relay to a \
                 foreign domain for somebody who has not logged in.",
            fr: "Le serveur, avec 550 ou 554 : le plus souvent parce qu'il devrait relayer vers un \
                 autre domaine pour un inconnu.",
        },
        next: Text {
            en: "Log in (AUTH, port 587), or use the server of the recipient's own domain. \
                 Otherwise a block list or a filter is the reason: see the text.",
            fr: "S'identifier (AUTH, port 587), ou passer par le serveur du domaine du \
                 destinataire. Sinon, liste noire ou filtre : voir le texte.",
        },
        section: "RFC 3463 §3.8",
    },
    Entry {
        kind: Kind::Status,
        code: "X.7.2",
        name: "Mailing list expansion prohibited",
        meaning: Text {
            en: "You may not write to this mailing list.",
            fr: "Vous n'avez pas le droit d'écrire à cette liste de diffusion.",
        },
        sent: Text {
            en: "The server that keeps the list.",
            fr: "Le serveur qui gère la liste.",
        },
        next: Text {
            en: "Subscribe, or write to the owner of the list.",
            fr: "S'abonner, ou écrire au responsable de la liste.",
        },
        section: "RFC 3463 §3.8",
    },
    Entry {
        kind: Kind::Status,
        code: "X.7.3",
        name: "Security conversion required but not possible",
        meaning: Text {
            en: "The message would have to pass from one security system into another, and that \
                 cannot be done.",
            fr: "Le message devrait passer d'un système de sécurité à un autre, et c'est \
                 impossible.",
        },
        sent: Text {
            en: "A gateway.",
            fr: "Une passerelle.",
        },
        next: Text {
            en: "Send it without that protection, or by another way.",
            fr: "L'envoyer sans cette protection, ou par une autre voie.",
        },
        section: "RFC 3463 §3.8",
    },
    Entry {
        kind: Kind::Status,
        code: "X.7.4",
        name: "Security features not supported",
        meaning: Text {
            en: "The message asks for a protection that the next system does not offer.",
            fr: "Le message demande une protection que le système suivant ne propose pas.",
        },
        sent: Text {
            en: "A relay or a gateway; a server after AUTH with a mechanism that it does not have \
                 (504 5.7.4).",
            fr: "Un relais ou une passerelle ; un serveur après AUTH avec un mécanisme qu'il n'a \
                 pas (504 5.7.4).",
        },
        next: Text {
            en: "Choose what EHLO announces.",
            fr: "Choisir ce qu'annonce EHLO.",
        },
        section: "RFC 3463 §3.8",
    },
    Entry {
        kind: Kind::Status,
        code: "X.7.5",
        name: "Cryptographic failure",
        meaning: Text {
            en: "The server should have decrypted or checked the message, and lacked the key, or \
                 the algorithm.",
            fr: "Le serveur devait déchiffrer ou vérifier le message ; il lui manquait la clé, ou \
                 l'algorithme.",
        },
        sent: Text {
            en: "A gateway; also a server whose TLS or certificate check failed.",
            fr: "Une passerelle ; aussi un serveur dont la négociation TLS ou la vérification de \
                 certificat a échoué.",
        },
        next: Text {
            en: "Check keys and certificates on both sides.",
            fr: "Vérifier clés et certificats des deux côtés.",
        },
        section: "RFC 3463 §3.8",
    },
    Entry {
        kind: Kind::Status,
        code: "X.7.6",
        name: "Cryptographic algorithm not supported",
        meaning: Text {
            en: "The algorithm that the message was protected with is unknown to the server.",
            fr: "L'algorithme qui protège le message est inconnu du serveur.",
        },
        sent: Text {
            en: "A gateway that decrypts or checks.",
            fr: "Une passerelle qui déchiffre ou vérifie.",
        },
        next: Text {
            en: "Use a more common algorithm.",
            fr: "Employer un algorithme plus courant.",
        },
        section: "RFC 3463 §3.8",
    },
    Entry {
        kind: Kind::Status,
        code: "X.7.7",
        name: "Message integrity failure",
        meaning: Text {
            en: "The check of the message failed: it was changed on the way, or damaged.",
            fr: "Le contrôle du message a échoué : il a été modifié ou abîmé en chemin.",
        },
        sent: Text {
            en: "A gateway or server that checks signatures.",
            fr: "Une passerelle ou un serveur qui vérifie les signatures.",
        },
        next: Text {
            en: "Send again, and look for a relay that rewrites messages.",
            fr: "Renvoyer, et chercher un relais qui réécrit les messages.",
        },
        section: "RFC 3463 §3.8",
    },
    Entry {
        kind: Kind::Status,
        code: "X.7.8",
        name: "Authentication credentials invalid",
        meaning: Text {
            en: "Name or password is wrong.",
            fr: "Nom ou mot de passe faux.",
        },
        sent: Text {
            en: "A submission server, with 535, at the end of AUTH.",
            fr: "Un serveur de soumission, avec 535, à la fin de AUTH.",
        },
        next: Text {
            en: "Check both, and that the base64 was made without a line end.",
            fr: "Vérifier les deux, et que le base64 a été produit sans fin de ligne.",
        },
        section: "RFC 4954 §6",
    },
    Entry {
        kind: Kind::Status,
        code: "X.7.9",
        name: "Authentication mechanism is too weak",
        meaning: Text {
            en: "The server's policy wants a stronger way of logging in.",
            fr: "La politique du serveur exige une identification plus sûre.",
        },
        sent: Text {
            en: "A submission server, with 534, after AUTH.",
            fr: "Un serveur de soumission, avec 534, après AUTH.",
        },
        next: Text {
            en: "Choose another mechanism of EHLO's list, or start TLS.",
            fr: "Choisir un autre mécanisme de la liste d'EHLO, ou passer en TLS.",
        },
        section: "RFC 4954 §6",
    },
    Entry {
        kind: Kind::Status,
        code: "X.7.10",
        name: "Encryption needed",
        meaning: Text {
            en: "The server goes on only over an encrypted connection.",
            fr: "Le serveur ne continue que sur une connexion chiffrée.",
        },
        sent: Text {
            en: "A submission server; a relay that could not get TLS for a message that demands \
                 it.",
            fr: "Un serveur de soumission ; un relais qui n'a pas obtenu TLS pour un message qui \
                 l'exige.",
        },
        next: Text {
            en: "Start TLS (STARTTLS, or port 465), then try again.",
            fr: "Passer en TLS (STARTTLS, ou port 465), puis recommencer.",
        },
        section: "RFC 5248 §2.4, RFC 8689",
    },
    Entry {
        kind: Kind::Status,
        code: "X.7.11",
        name: "Encryption required for requested authentication mechanism",
        meaning: Text {
            en: "This way of logging in is refused in clear: the password could be read on the \
                 wire.",
            fr: "Cette façon de s'identifier est refusée en clair : le mot de passe serait lisible \
                 sur le réseau.",
        },
        sent: Text {
            en: "A submission server, with 538, after AUTH PLAIN or LOGIN without TLS.",
            fr: "Un serveur de soumission, avec 538, après AUTH PLAIN ou LOGIN sans TLS.",
        },
        next: Text {
            en: "Start TLS first, then EHLO and AUTH.",
            fr: "Passer d'abord en TLS, puis EHLO et AUTH.",
        },
        section: "RFC 4954 §6",
    },
    Entry {
        kind: Kind::Status,
        code: "X.7.12",
        name: "A password transition is needed",
        meaning: Text {
            en: "The server has no secret yet for this mechanism; it can make it from the password \
                 itself.",
            fr: "Le serveur n'a pas encore le secret de ce mécanisme ; il peut le fabriquer à \
                 partir du mot de passe.",
        },
        sent: Text {
            en: "A submission server, with 432, during AUTH.",
            fr: "Un serveur de soumission, avec 432, pendant AUTH.",
        },
        next: Text {
            en: "Log in once with AUTH PLAIN over TLS.",
            fr: "Se connecter une fois avec AUTH PLAIN sous TLS.",
        },
        section: "RFC 4954 §6",
    },
    Entry {
        kind: Kind::Status,
        code: "X.7.13",
        name: "User account disabled",
        meaning: Text {
            en: "The account exists but has been closed or suspended.",
            fr: "Le compte existe mais il a été fermé ou suspendu.",
        },
        sent: Text {
            en: "A submission server, with 525, after AUTH.",
            fr: "Un serveur de soumission, avec 525, après AUTH.",
        },
        next: Text {
            en: "Ask the administrator; another password will not help.",
            fr: "S'adresser à l'administrateur ; un autre mot de passe n'y changera rien.",
        },
        section: "RFC 5248 §2.4",
    },
    Entry {
        kind: Kind::Status,
        code: "X.7.14",
        name: "Trust relationship required",
        meaning: Text {
            en: "The server must be told first that it may trust the other server that vouches for \
                 you.",
            fr: "Il faut d'abord que le serveur fasse confiance à l'autre serveur qui se porte \
                 garant de vous.",
        },
        sent: Text {
            en: "A submission server that checks logins elsewhere, with 535 or 554.",
            fr: "Un serveur de soumission qui vérifie les identités ailleurs, avec 535 ou 554.",
        },
        next: Text {
            en: "An administrator must set up that trust.",
            fr: "Un administrateur doit établir cette confiance.",
        },
        section: "RFC 5248 §2.4",
    },
    Entry {
        kind: Kind::Status,
        code: "X.7.15",
        name: "Priority level is too low",
        meaning: Text {
            en: "At this moment the server takes only messages of a higher priority.",
            fr: "En ce moment, le serveur n'accepte que des messages de priorité plus haute.",
        },
        sent: Text {
            en: "A server with the MT-PRIORITY extension, with 450 or 550.",
            fr: "Un serveur doté de l'extension MT-PRIORITY, avec 450 ou 550.",
        },
        next: Text {
            en: "Wait; or raise the priority, if you may.",
            fr: "Attendre ; ou relever la priorité, si on y est autorisé.",
        },
        section: "RFC 6710",
    },
    Entry {
        kind: Kind::Status,
        code: "X.7.16",
        name: "Message is too big for the specified priority",
        meaning: Text {
            en: "Only small messages may have this priority.",
            fr: "Seuls les petits messages peuvent avoir cette priorité.",
        },
        sent: Text {
            en: "A server with the MT-PRIORITY extension, with 552.",
            fr: "Un serveur doté de l'extension MT-PRIORITY, avec 552.",
        },
        next: Text {
            en: "Lower the priority, or send less.",
            fr: "Baisser la priorité, ou envoyer moins.",
        },
        section: "RFC 6710",
    },
    Entry {
        kind: Kind::Status,
        code: "X.7.17",
        name: "Mailbox owner has changed",
        meaning: Text {
            en: "The mailbox has had another owner since the date that the sender gave.",
            fr: "La boîte a changé de propriétaire depuis la date indiquée par l'expéditeur.",
        },
        sent: Text {
            en: "A server with the RRVS extension, with 550.",
            fr: "Un serveur doté de l'extension RRVS, avec 550.",
        },
        next: Text {
            en: "Do not send private things there: it is somebody else.",
            fr: "Ne rien y envoyer de privé : c'est quelqu'un d'autre.",
        },
        section: "RFC 7293",
    },
    Entry {
        kind: Kind::Status,
        code: "X.7.18",
        name: "Domain owner has changed",
        meaning: Text {
            en: "The whole domain has had another owner since the date that the sender gave.",
            fr: "Le domaine entier a changé de propriétaire depuis la date indiquée par \
                 l'expéditeur.",
        },
        sent: Text {
            en: "A server with the RRVS extension, with 550.",
            fr: "Un serveur doté de l'extension RRVS, avec 550.",
        },
        next: Text {
            en: "Do not send private things there.",
            fr: "Ne rien y envoyer de privé.",
        },
        section: "RFC 7293",
    },
    Entry {
        kind: Kind::Status,
        code: "X.7.19",
        name: "RRVS test cannot be completed",
        meaning: Text {
            en: "Whether the owner is still the same could not be found out.",
            fr: "Il n'a pas été possible de savoir si le propriétaire est toujours le même.",
        },
        sent: Text {
            en: "A server with the RRVS extension, with 450 or 550.",
            fr: "Un serveur doté de l'extension RRVS, avec 450 ou 550.",
        },
        next: Text {
            en: "With 4, try later.",
            fr: "Avec 4, réessayer plus tard.",
        },
        section: "RFC 7293",
    },
    Entry {
        kind: Kind::Status,
        code: "X.7.20",
        name: "No passing DKIM signature found",
        meaning: Text {
            en: "None of the message's DKIM signatures is right, or there is none.",
            fr: "Aucune signature DKIM du message n'est valable, ou il n'y en a pas.",
        },
        sent: Text {
            en: "The recipient's server, with 550, at the end of DATA.",
            fr: "Le serveur du destinataire, avec 550, à la fin de DATA.",
        },
        next: Text {
            en: "Sign with DKIM, and see that no relay changes the message after that.",
            fr: "Signer avec DKIM, et veiller à ce qu'aucun relais ne modifie ensuite le message.",
        },
        section: "RFC 7372",
    },
    Entry {
        kind: Kind::Status,
        code: "X.7.21",
        name: "No acceptable DKIM signature found",
        meaning: Text {
            en: "There are right signatures, but none that this server's policy accepts.",
            fr: "Il y a des signatures valables, mais aucune que la politique de ce serveur \
                 accepte.",
        },
        sent: Text {
            en: "The recipient's server, with 550.",
            fr: "Le serveur du destinataire, avec 550.",
        },
        next: Text {
            en: "Sign more of the header, with a longer key or a newer algorithm.",
            fr: "Signer davantage d'en-têtes, avec une clé plus longue ou un algorithme plus \
                 récent.",
        },
        section: "RFC 7372",
    },
    Entry {
        kind: Kind::Status,
        code: "X.7.22",
        name: "No valid author-matched DKIM signature found",
        meaning: Text {
            en: "There are right signatures, but none by the domain in From:.",
            fr: "Il y a des signatures valables, mais aucune du domaine figurant dans From:.",
        },
        sent: Text {
            en: "The recipient's server, with 550.",
            fr: "Le serveur du destinataire, avec 550.",
        },
        next: Text {
            en: "Sign with the domain of the author's address.",
            fr: "Signer avec le domaine de l'adresse de l'auteur.",
        },
        section: "RFC 7372",
    },
    Entry {
        kind: Kind::Status,
        code: "X.7.23",
        name: "SPF validation failed",
        meaning: Text {
            en: "The sender's domain says in the DNS that this machine may not send in its name.",
            fr: "Le domaine de l'expéditeur déclare dans le DNS que cette machine ne peut pas \
                 envoyer en son nom.",
        },
        sent: Text {
            en: "The recipient's server, with 550, after MAIL or RCPT.",
            fr: "Le serveur du destinataire, avec 550, après MAIL ou RCPT.",
        },
        next: Text {
            en: "Send through the domain's own servers, or add this machine to its SPF record.",
            fr: "Envoyer par les serveurs du domaine, ou ajouter cette machine à son \
                 enregistrement SPF.",
        },
        section: "RFC 7372",
    },
    Entry {
        kind: Kind::Status,
        code: "X.7.24",
        name: "SPF validation error",
        meaning: Text {
            en: "The SPF record of the sender's domain is faulty, or could not be read.",
            fr: "L'enregistrement SPF du domaine de l'expéditeur est fautif, ou n'a pas pu être \
                 lu.",
        },
        sent: Text {
            en: "The recipient's server, with 451 or 550.",
            fr: "Le serveur du destinataire, avec 451 ou 550.",
        },
        next: Text {
            en: "The owner of the domain must correct the record (at most ten look-ups).",
            fr: "Le responsable du domaine doit corriger l'enregistrement (dix requêtes DNS au \
                 plus).",
        },
        section: "RFC 7372",
    },
    Entry {
        kind: Kind::Status,
        code: "X.7.25",
        name: "Reverse DNS validation failed",
        meaning: Text {
            en: "The address of your machine has no name in the DNS, or one that does not lead \
                 back to it.",
            fr: "L'adresse de votre machine n'a pas de nom dans le DNS, ou un nom qui n'y ramène \
                 pas.",
        },
        sent: Text {
            en: "The recipient's server, with 550.",
            fr: "Le serveur du destinataire, avec 550.",
        },
        next: Text {
            en: "Have the provider set a PTR record, and an A or AAAA record for the same name.",
            fr: "Faire poser par le fournisseur un enregistrement PTR, et un A ou AAAA pour le \
                 même nom.",
        },
        section: "RFC 7372",
    },
    Entry {
        kind: Kind::Status,
        code: "X.7.26",
        name: "Multiple authentication checks failed",
        meaning: Text {
            en: "Several checks of the sender failed together, for example SPF and DKIM.",
            fr: "Plusieurs contrôles de l'expéditeur ont échoué ensemble, par exemple SPF et DKIM.",
        },
        sent: Text {
            en: "The recipient's server, with 550; large providers use it for mail without SPF or \
                 DKIM.",
            fr: "Le serveur du destinataire, avec 550 ; de grands fournisseurs l'emploient pour du \
                 courrier sans SPF ni DKIM.",
        },
        next: Text {
            en: "Set up SPF and DKIM for the sender's domain.",
            fr: "Mettre en place SPF et DKIM pour le domaine de l'expéditeur.",
        },
        section: "RFC 7372",
    },
    Entry {
        kind: Kind::Status,
        code: "X.7.27",
        name: "Sender address has null MX",
        meaning: Text {
            en: "The sender's domain never takes mail, so nobody could answer.",
            fr: "Le domaine de l'expéditeur ne reçoit jamais de courrier : on ne pourrait pas lui \
                 répondre.",
        },
        sent: Text {
            en: "The recipient's server, with 550, after MAIL.",
            fr: "Le serveur du destinataire, avec 550, après MAIL.",
        },
        next: Text {
            en: "Use a sender's address that can be answered.",
            fr: "Employer une adresse d'expéditeur à laquelle on peut répondre.",
        },
        section: "RFC 7505",
    },
    Entry {
        kind: Kind::Status,
        code: "X.7.28",
        name: "Mail flood detected",
        meaning: Text {
            en: "Too many similar messages come at once, from this machine or to this recipient.",
            fr: "Trop de messages semblables arrivent d'un coup, de cette machine ou vers ce \
                 destinataire.",
        },
        sent: Text {
            en: "The recipient's server, with 421, 450 or 550.",
            fr: "Le serveur du destinataire, avec 421, 450 ou 550.",
        },
        next: Text {
            en: "Send more slowly; look whether a machine of yours sends spam.",
            fr: "Envoyer moins vite ; vérifier qu'aucune machine ne diffuse du spam.",
        },
        section: "IANA smtp-enhanced-status-codes",
    },
    Entry {
        kind: Kind::Status,
        code: "X.7.29",
        name: "ARC validation failure",
        meaning: Text {
            en: "The chain of seals that forwarders put on the message (ARC) is broken.",
            fr: "La chaîne de sceaux apposés par ceux qui ont fait suivre le message (ARC) est \
                 rompue.",
        },
        sent: Text {
            en: "The recipient's server, with 550.",
            fr: "Le serveur du destinataire, avec 550.",
        },
        next: Text {
            en: "Look for the forwarder or list that changed the message without a seal.",
            fr: "Chercher le serveur ou la liste qui a modifié le message sans y apposer de sceau.",
        },
        section: "RFC 8617",
    },
    Entry {
        kind: Kind::Status,
        code: "X.7.30",
        name: "REQUIRETLS support required",
        meaning: Text {
            en: "The message may only travel over TLS all the way, and the next server does not \
                 promise that.",
            fr: "Le message ne doit voyager que sous TLS de bout en bout, et le serveur suivant ne \
                 s'y engage pas.",
        },
        sent: Text {
            en: "A relay, with 550.",
            fr: "Un relais, avec 550.",
        },
        next: Text {
            en: "Send without REQUIRETLS, or to a domain that offers it.",
            fr: "Envoyer sans REQUIRETLS, ou vers un domaine qui le propose.",
        },
        section: "RFC 8689 §7",
    },
];
