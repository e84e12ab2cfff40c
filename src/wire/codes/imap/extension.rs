//! Response codes that belong to one extension.

use crate::wire::codes::{Entry, Kind, Text};

/// Of extensions.
pub(super) const EXTENSION: &[Entry] = &[
    Entry {
        kind: Kind::ImapCode,
        code: "ANNOTATE",
        name: "annotation limit",
        meaning: Text {
            en: "The note on a message was refused: TOOBIG too long, TOOMANY too many.",
            fr: "L'annotation d'un message est refusée : TOOBIG trop longue, TOOMANY trop \
                 nombreuses.",
        },
        sent: Text {
            en: "A server with ANNOTATE, with NO after STORE.",
            fr: "Un serveur doté de ANNOTATE, avec NO après STORE.",
        },
        next: Text {
            en: "Write a shorter one, or delete others.",
            fr: "En écrire une plus courte, ou en supprimer d'autres.",
        },
        section: "RFC 5257 §4.5",
    },
    Entry {
        kind: Kind::ImapCode,
        code: "ANNOTATIONS",
        name: "annotation size",
        meaning: Text {
            en: "How long a note on a message may be here, or that there are none.",
            fr: "La longueur permise aux annotations de messages ici, ou leur absence.",
        },
        sent: Text {
            en: "A server with ANNOTATE, after SELECT.",
            fr: "Un serveur doté de ANNOTATE, après SELECT.",
        },
        next: Text {
            en: "Keep to it.",
            fr: "La respecter.",
        },
        section: "RFC 5257 §4.1",
    },
    Entry {
        kind: Kind::ImapCode,
        code: "BADCOMPARATOR",
        name: "bad comparator",
        meaning: Text {
            en: "The way of comparing text that was asked for is unknown.",
            fr: "La méthode de comparaison de texte demandée est inconnue.",
        },
        sent: Text {
            en: "A server with I18NLEVEL=2, with NO after COMPARATOR.",
            fr: "Un serveur doté de I18NLEVEL=2, avec NO après COMPARATOR.",
        },
        next: Text {
            en: "Choose one of those it lists.",
            fr: "En choisir une parmi celles qu'il annonce.",
        },
        section: "RFC 5255 §4.9",
    },
    Entry {
        kind: Kind::ImapCode,
        code: "BADEVENT",
        name: "bad event",
        meaning: Text {
            en: "One of the events that were asked for is unknown; those that exist follow.",
            fr: "Un des événements demandés est inconnu ; ceux qui existent suivent.",
        },
        sent: Text {
            en: "A server with NOTIFY, with NO.",
            fr: "Un serveur doté de NOTIFY, avec NO.",
        },
        next: Text {
            en: "Ask for those of the list only.",
            fr: "Ne demander que ceux de la liste.",
        },
        section: "RFC 5465 §3.1",
    },
    Entry {
        kind: Kind::ImapCode,
        code: "BADURL",
        name: "bad URL",
        meaning: Text {
            en: "The content behind this URL could not be fetched; nothing was stored.",
            fr: "Le contenu désigné par cette URL est inaccessible ; rien n'a été enregistré.",
        },
        sent: Text {
            en: "A server with CATENATE, with NO after APPEND.",
            fr: "Un serveur doté de CATENATE, avec NO après APPEND.",
        },
        next: Text {
            en: "Correct that URL.",
            fr: "Corriger cette URL.",
        },
        section: "RFC 4469 §4",
    },
    Entry {
        kind: Kind::ImapCode,
        code: "COMPRESSIONACTIVE",
        name: "compression active",
        meaning: Text {
            en: "The connection is compressed already.",
            fr: "La connexion est déjà compressée.",
        },
        sent: Text {
            en: "A server with COMPRESS, with NO after a second COMPRESS.",
            fr: "Un serveur doté de COMPRESS, avec NO après un second COMPRESS.",
        },
        next: Text {
            en: "Go on as it is.",
            fr: "Continuer ainsi.",
        },
        section: "RFC 4978 §3",
    },
    Entry {
        kind: Kind::ImapCode,
        code: "DOWNGRADED",
        name: "message downgraded",
        meaning: Text {
            en: "This message was written in UTF-8, and is shown in a form that the client understands.",
            fr: "Ce message était écrit en UTF-8 ; il est montré sous une forme que le client comprend.",
        },
        sent: Text {
            en: "A server, with OK after FETCH, to a client without UTF8=ACCEPT.",
            fr: "Un serveur, avec OK après FETCH, à un client sans UTF8=ACCEPT.",
        },
        next: Text {
            en: "Answering or checking a signature may fail: enable UTF8=ACCEPT if you can.",
            fr: "Répondre ou vérifier une signature peut échouer : activer UTF8=ACCEPT si possible.",
        },
        section: "RFC 6858 §3.2",
    },
    Entry {
        kind: Kind::ImapCode,
        code: "INPROGRESS",
        name: "in progress",
        meaning: Text {
            en: "The command takes long; the numbers tell how far it is.",
            fr: "La commande est longue ; les nombres disent où elle en est.",
        },
        sent: Text {
            en: "The server, with `* OK`, from time to time.",
            fr: "Le serveur, avec `* OK`, de temps en temps.",
        },
        next: Text {
            en: "Wait, and show it to the user.",
            fr: "Attendre, et le montrer à l'utilisateur.",
        },
        section: "RFC 9585",
    },
    Entry {
        kind: Kind::ImapCode,
        code: "JMAPACCESS",
        name: "JMAP access",
        meaning: Text {
            en: "The same mail can also be read through JMAP; the capability says so.",
            fr: "Le même courrier est aussi lisible par JMAP ; la capacité l'indique.",
        },
        sent: Text {
            en: "The server, with OK after a login.",
            fr: "Le serveur, avec OK après connexion au compte.",
        },
        next: Text {
            en: "Nothing, or change over to JMAP.",
            fr: "Rien, ou passer à JMAP.",
        },
        section: "RFC 9698",
    },
    Entry {
        kind: Kind::ImapCode,
        code: "MAXCONVERTMESSAGES",
        name: "too many messages to convert",
        meaning: Text {
            en: "More messages were to be converted than the server does at once.",
            fr: "Plus de messages à convertir que le serveur n'en traite à la fois.",
        },
        sent: Text {
            en: "A server with CONVERT, with NO.",
            fr: "Un serveur doté de CONVERT, avec NO.",
        },
        next: Text {
            en: "Ask for fewer at once.",
            fr: "En demander moins à la fois.",
        },
        section: "RFC 5259",
    },
    Entry {
        kind: Kind::ImapCode,
        code: "MAXCONVERTPARTS",
        name: "too many parts to convert",
        meaning: Text {
            en: "More parts of a message were to be converted than the server does at once.",
            fr: "Plus de parties d'un message à convertir que le serveur n'en traite à la fois.",
        },
        sent: Text {
            en: "A server with CONVERT, with NO.",
            fr: "Un serveur doté de CONVERT, avec NO.",
        },
        next: Text {
            en: "Ask for fewer at once.",
            fr: "En demander moins à la fois.",
        },
        section: "RFC 5259",
    },
    Entry {
        kind: Kind::ImapCode,
        code: "MESSAGELIMIT",
        name: "message limit",
        meaning: Text {
            en: "The command stopped at the number of messages that the server works on at once; \
                 the UID says where.",
            fr: "La commande s'est arrêtée au nombre de messages traités à la fois ; l'UID dit où.",
        },
        sent: Text {
            en: "A server with MESSAGELIMIT, with OK or NO.",
            fr: "Un serveur doté de MESSAGELIMIT, avec OK ou NO.",
        },
        next: Text {
            en: "Give it again for the rest.",
            fr: "La redonner pour le reste.",
        },
        section: "RFC 9738",
    },
    Entry {
        kind: Kind::ImapCode,
        code: "METADATA",
        name: "metadata",
        meaning: Text {
            en: "About the notes on a mailbox: LONGENTRIES some are longer than shown, MAXSIZE too \
                 long, TOOMANY too many, NOPRIVATE no private ones.",
            fr: "À propos des notes sur une boîte : LONGENTRIES plus longues qu'affiché, MAXSIZE \
                 trop longue, TOOMANY trop nombreuses, NOPRIVATE pas de notes privées.",
        },
        sent: Text {
            en: "A server with METADATA, after GETMETADATA or SETMETADATA.",
            fr: "Un serveur doté de METADATA, après GETMETADATA ou SETMETADATA.",
        },
        next: Text {
            en: "Ask with a larger MAXSIZE, or write less.",
            fr: "Redemander avec un MAXSIZE plus grand, ou écrire moins.",
        },
        section: "RFC 5464 §4",
    },
    Entry {
        kind: Kind::ImapCode,
        code: "NOTIFICATIONOVERFLOW",
        name: "notification overflow",
        meaning: Text {
            en: "Too much happened: the server stops sending notifications.",
            fr: "Trop d'événements : le serveur cesse d'envoyer des notifications.",
        },
        sent: Text {
            en: "A server with NOTIFY, with `* OK`.",
            fr: "Un serveur doté de NOTIFY, avec `* OK`.",
        },
        next: Text {
            en: "Look at the mailboxes with STATUS or NOOP, or ask with NOTIFY again.",
            fr: "Regarder les boîtes avec STATUS ou NOOP, ou refaire NOTIFY.",
        },
        section: "RFC 5465 §5.8",
    },
    Entry {
        kind: Kind::ImapCode,
        code: "NOTSAVED",
        name: "result not saved",
        meaning: Text {
            en: "The result of the search could not be kept as `$`.",
            fr: "Le résultat de la recherche n'a pas pu être gardé sous `$`.",
        },
        sent: Text {
            en: "A server with SEARCHRES, with NO after SEARCH RETURN (SAVE).",
            fr: "Un serveur doté de SEARCHRES, avec NO après SEARCH RETURN (SAVE).",
        },
        next: Text {
            en: "Search without SAVE and use the numbers.",
            fr: "Chercher sans SAVE et employer les numéros.",
        },
        section: "RFC 5182 §2.5",
    },
    Entry {
        kind: Kind::ImapCode,
        code: "NOUPDATE",
        name: "no update",
        meaning: Text {
            en: "The server does not keep the result of this search up to date.",
            fr: "Le serveur ne tiendra pas à jour le résultat de cette recherche.",
        },
        sent: Text {
            en: "A server with CONTEXT, after SEARCH RETURN (UPDATE); the tag of the search \
                 follows.",
            fr: "Un serveur doté de CONTEXT, après SEARCH RETURN (UPDATE) ; l'étiquette de la \
                 recherche suit.",
        },
        next: Text {
            en: "Search again when needed.",
            fr: "Refaire la recherche au besoin.",
        },
        section: "RFC 5267 §4.3.1",
    },
    Entry {
        kind: Kind::ImapCode,
        code: "REFERRAL",
        name: "referral",
        meaning: Text {
            en: "The mail of this user is on another server; its URL follows.",
            fr: "Le courrier de cet utilisateur est sur un autre serveur ; son URL suit.",
        },
        sent: Text {
            en: "The server, with OK, NO or BYE, when logging in or on a mailbox.",
            fr: "Le serveur, avec OK, NO ou BYE, à la connexion ou pour une boîte.",
        },
        next: Text {
            en: "Connect there, if you trust it.",
            fr: "S'y connecter, si l'on s'y fie.",
        },
        section: "RFC 2221",
    },
    Entry {
        kind: Kind::ImapCode,
        code: "TEMPFAIL",
        name: "temporary failure",
        meaning: Text {
            en: "The URL could not be looked up just now.",
            fr: "L'URL n'a pas pu être résolue pour l'instant.",
        },
        sent: Text {
            en: "A server with URLAUTH, with NO.",
            fr: "Un serveur doté de URLAUTH, avec NO.",
        },
        next: Text {
            en: "Try again later.",
            fr: "Réessayer plus tard.",
        },
        section: "RFC 4467",
    },
    Entry {
        kind: Kind::ImapCode,
        code: "TOOBIG",
        name: "too big",
        meaning: Text {
            en: "The message is larger than the server accepts.",
            fr: "Le message est plus gros que ce que le serveur accepte.",
        },
        sent: Text {
            en: "The server, with NO after APPEND; APPENDLIMIT is the limit.",
            fr: "Le serveur, avec NO après APPEND ; APPENDLIMIT est la limite.",
        },
        next: Text {
            en: "Store a smaller one.",
            fr: "En enregistrer un plus petit.",
        },
        section: "RFC 4469 §4, RFC 7889 §4",
    },
    Entry {
        kind: Kind::ImapCode,
        code: "UIDREQUIRED",
        name: "UID required",
        meaning: Text {
            en: "This session works with UIDs only, and the command came with message numbers.",
            fr: "Cette session ne travaille qu'avec des UID, et la commande portait des numéros de \
                 messages.",
        },
        sent: Text {
            en: "A server with UIDONLY, with BAD.",
            fr: "Un serveur doté de UIDONLY, avec BAD.",
        },
        next: Text {
            en: "Use UID FETCH, UID STORE and so on.",
            fr: "Employer UID FETCH, UID STORE, etc.",
        },
        section: "RFC 9586",
    },
    Entry {
        kind: Kind::ImapCode,
        code: "UNDEFINED-FILTER",
        name: "undefined filter",
        meaning: Text {
            en: "The search filter that was named does not exist.",
            fr: "Le filtre de recherche nommé n'existe pas.",
        },
        sent: Text {
            en: "A server with FILTERS, with NO after SEARCH.",
            fr: "Un serveur doté de FILTERS, avec NO après SEARCH.",
        },
        next: Text {
            en: "Check its name, or define it with SETMETADATA.",
            fr: "Vérifier son nom, ou le définir avec SETMETADATA.",
        },
        section: "RFC 5466 §3.1",
    },
    Entry {
        kind: Kind::ImapCode,
        code: "URLMECH",
        name: "URL mechanism",
        meaning: Text {
            en: "Which ways of authorizing a URL this mailbox has.",
            fr: "Les mécanismes d'autorisation d'URL de cette boîte.",
        },
        sent: Text {
            en: "A server with URLAUTH, after SELECT or RESETKEY.",
            fr: "Un serveur doté de URLAUTH, après SELECT ou RESETKEY.",
        },
        next: Text {
            en: "Choose one of them.",
            fr: "En choisir un.",
        },
        section: "RFC 4467",
    },
    Entry {
        kind: Kind::ImapCode,
        code: "USEATTR",
        name: "special-use attribute",
        meaning: Text {
            en: "The mailbox was not made with the role asked for (\\Sent, \\Trash ...), because \
                 the server cannot give it.",
            fr: "La boîte n'a pas été créée avec le rôle demandé (\\Sent, \\Trash ...), que le \
                 serveur ne peut attribuer.",
        },
        sent: Text {
            en: "A server with CREATE-SPECIAL-USE, with NO.",
            fr: "Un serveur doté de CREATE-SPECIAL-USE, avec NO.",
        },
        next: Text {
            en: "Create it without a role, or with another one.",
            fr: "La créer sans rôle, ou avec un autre.",
        },
        section: "RFC 6154 §3",
    },
];
