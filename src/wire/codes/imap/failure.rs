//! Response codes that give the reason of a refusal, most of them from RFC 5530.

use crate::wire::codes::{Entry, Kind, Text};

/// Why it did not work.
pub(super) const FAILURE: &[Entry] = &[
    Entry {
        kind: Kind::ImapCode,
        code: "ALERT",
        name: "alert",
        meaning: Text {
            en: "A message for the person: the program must show it.",
            fr: "Un message pour l'utilisateur : le programme doit l'afficher.",
        },
        sent: Text {
            en: "The server, with any status: an announcement, a full disk, an account about to \
                 close.",
            fr: "Le serveur, avec n'importe quel état : une annonce, un disque plein, un compte \
                 bientôt fermé.",
        },
        next: Text {
            en: "Read the text.",
            fr: "Lire le texte.",
        },
        section: "RFC 9051 §7.1",
    },
    Entry {
        kind: Kind::ImapCode,
        code: "ALREADYEXISTS",
        name: "already exists",
        meaning: Text {
            en: "What should be made is there already.",
            fr: "Ce qu'il fallait créer existe déjà.",
        },
        sent: Text {
            en: "The server, with NO after CREATE or RENAME.",
            fr: "Le serveur, avec NO après CREATE ou RENAME.",
        },
        next: Text {
            en: "Choose another name, or use what is there.",
            fr: "Choisir un autre nom, ou employer l'existant.",
        },
        section: "RFC 5530 §3",
    },
    Entry {
        kind: Kind::ImapCode,
        code: "AUTHENTICATIONFAILED",
        name: "authentication failed",
        meaning: Text {
            en: "Name or password is wrong; the server does not say which.",
            fr: "Nom ou mot de passe faux ; le serveur ne dit pas lequel.",
        },
        sent: Text {
            en: "The server, with NO after LOGIN or AUTHENTICATE.",
            fr: "Le serveur, avec NO après LOGIN ou AUTHENTICATE.",
        },
        next: Text {
            en: "Check both and try again.",
            fr: "Vérifier les deux et recommencer.",
        },
        section: "RFC 5530 §3",
    },
    Entry {
        kind: Kind::ImapCode,
        code: "AUTHORIZATIONFAILED",
        name: "authorization failed",
        meaning: Text {
            en: "The password was right, but you may not act in the name of the other user that \
                 you named.",
            fr: "Le mot de passe est bon, mais vous ne pouvez pas agir au nom de l'autre \
                 utilisateur indiqué.",
        },
        sent: Text {
            en: "The server, with NO after AUTHENTICATE.",
            fr: "Le serveur, avec NO après AUTHENTICATE.",
        },
        next: Text {
            en: "Log in under your own name, or have the right given.",
            fr: "S'identifier sous son propre nom, ou se faire accorder ce droit.",
        },
        section: "RFC 5530 §3",
    },
    Entry {
        kind: Kind::ImapCode,
        code: "BADCHARSET",
        name: "bad character set",
        meaning: Text {
            en: "The server cannot search in this character set.",
            fr: "Le serveur ne sait pas chercher dans ce jeu de caractères.",
        },
        sent: Text {
            en: "The server, with NO after SEARCH, SORT or THREAD; the sets that it has may \
                 follow.",
            fr: "Le serveur, avec NO après SEARCH, SORT ou THREAD ; la liste de ceux qu'il connaît \
                 peut suivre.",
        },
        next: Text {
            en: "Search again with CHARSET UTF-8.",
            fr: "Refaire la recherche avec CHARSET UTF-8.",
        },
        section: "RFC 9051 §7.1",
    },
    Entry {
        kind: Kind::ImapCode,
        code: "CANNOT",
        name: "cannot",
        meaning: Text {
            en: "The server will never do that: the name is invalid there, or the operation \
                 against its rules.",
            fr: "Le serveur ne le fera jamais : nom invalide chez lui, ou opération contraire à \
                 ses règles.",
        },
        sent: Text {
            en: "The server, with NO, for example after CREATE with a character that it does not \
                 allow.",
            fr: "Le serveur, avec NO, par exemple après CREATE avec un caractère qu'il n'admet \
                 pas.",
        },
        next: Text {
            en: "Choose another name or another way.",
            fr: "Choisir un autre nom ou une autre manière.",
        },
        section: "RFC 5530 §3",
    },
    Entry {
        kind: Kind::ImapCode,
        code: "CLIENTBUG",
        name: "client bug",
        meaning: Text {
            en: "The server thinks that the client did something senseless.",
            fr: "Le serveur pense que le client a fait quelque chose d'insensé.",
        },
        sent: Text {
            en: "The server, with OK, NO or BAD.",
            fr: "Le serveur, avec OK, NO ou BAD.",
        },
        next: Text {
            en: "Look for the mistake in the client.",
            fr: "Chercher l'erreur dans le client.",
        },
        section: "RFC 5530 §3",
    },
    Entry {
        kind: Kind::ImapCode,
        code: "CONTACTADMIN",
        name: "contact administrator",
        meaning: Text {
            en: "Only the administrator can help.",
            fr: "Seul l'administrateur peut y remédier.",
        },
        sent: Text {
            en: "The server, with NO, usually after a login.",
            fr: "Le serveur, avec NO, en général après une tentative de connexion.",
        },
        next: Text {
            en: "Ask the administrator; more tries are of no use.",
            fr: "S'adresser à l'administrateur ; inutile d'insister.",
        },
        section: "RFC 5530 §3",
    },
    Entry {
        kind: Kind::ImapCode,
        code: "CORRUPTION",
        name: "corruption",
        meaning: Text {
            en: "The server found its data damaged.",
            fr: "Le serveur a trouvé ses données endommagées.",
        },
        sent: Text {
            en: "The server, with NO, while it reads a mailbox.",
            fr: "Le serveur, avec NO, en lisant une boîte.",
        },
        next: Text {
            en: "Tell the administrator; do not write into that mailbox meanwhile.",
            fr: "Prévenir l'administrateur ; d'ici là, ne pas écrire dans cette boîte.",
        },
        section: "RFC 5530 §3",
    },
    Entry {
        kind: Kind::ImapCode,
        code: "EXPIRED",
        name: "expired",
        meaning: Text {
            en: "The password was right once, but it is too old.",
            fr: "Le mot de passe a été bon, mais il est périmé.",
        },
        sent: Text {
            en: "The server, with NO after LOGIN or AUTHENTICATE.",
            fr: "Le serveur, avec NO après LOGIN ou AUTHENTICATE.",
        },
        next: Text {
            en: "Set a new password.",
            fr: "Changer de mot de passe.",
        },
        section: "RFC 5530 §3",
    },
    Entry {
        kind: Kind::ImapCode,
        code: "EXPUNGEISSUED",
        name: "expunge issued",
        meaning: Text {
            en: "Some of the messages have been deleted meanwhile by another session.",
            fr: "Certains des messages ont été effacés entre-temps par une autre session.",
        },
        sent: Text {
            en: "The server, with OK or NO after FETCH, STORE or SEARCH.",
            fr: "Le serveur, avec OK ou NO après FETCH, STORE ou SEARCH.",
        },
        next: Text {
            en: "Give NOOP: it tells which ones are gone.",
            fr: "Donner NOOP : il dira lesquels ont disparu.",
        },
        section: "RFC 5530 §3",
    },
    Entry {
        kind: Kind::ImapCode,
        code: "INUSE",
        name: "in use",
        meaning: Text {
            en: "Another session holds what this command needs.",
            fr: "Une autre session retient ce dont cette commande a besoin.",
        },
        sent: Text {
            en: "The server, with NO.",
            fr: "Le serveur, avec NO.",
        },
        next: Text {
            en: "Try again in a moment.",
            fr: "Réessayer dans un instant.",
        },
        section: "RFC 5530 §3",
    },
    Entry {
        kind: Kind::ImapCode,
        code: "LIMIT",
        name: "limit",
        meaning: Text {
            en: "A limit of the server is reached: number of mailboxes, of flags, of hits ...",
            fr: "Une limite du serveur est atteinte : nombre de boîtes, de marqueurs, de résultats \
                 ...",
        },
        sent: Text {
            en: "The server, with NO.",
            fr: "Le serveur, avec NO.",
        },
        next: Text {
            en: "Ask for less at once.",
            fr: "Demander moins à la fois.",
        },
        section: "RFC 5530 §3",
    },
    Entry {
        kind: Kind::ImapCode,
        code: "NONEXISTENT",
        name: "does not exist",
        meaning: Text {
            en: "There is no such mailbox.",
            fr: "Cette boîte n'existe pas.",
        },
        sent: Text {
            en: "The server, with NO after SELECT, DELETE, RENAME or the like.",
            fr: "Le serveur, avec NO après SELECT, DELETE, RENAME ou semblable.",
        },
        next: Text {
            en: "Check the name: `LIST \"\" \"*\"` shows them all.",
            fr: "Vérifier le nom : `LIST \"\" \"*\"` les montre toutes.",
        },
        section: "RFC 5530 §3",
    },
    Entry {
        kind: Kind::ImapCode,
        code: "NOPERM",
        name: "no permission",
        meaning: Text {
            en: "You have no right to do that.",
            fr: "Vous n'avez pas le droit de faire cela.",
        },
        sent: Text {
            en: "The server, with NO, on shared or protected mailboxes.",
            fr: "Le serveur, avec NO, sur des boîtes partagées ou protégées.",
        },
        next: Text {
            en: "Ask the owner; MYRIGHTS shows what is allowed.",
            fr: "Demander au propriétaire ; MYRIGHTS montre ce qui est permis.",
        },
        section: "RFC 5530 §3",
    },
    Entry {
        kind: Kind::ImapCode,
        code: "OVERQUOTA",
        name: "over quota",
        meaning: Text {
            en: "The room allowed to the user is used up, or would be.",
            fr: "La place accordée à l'utilisateur est épuisée, ou le serait.",
        },
        sent: Text {
            en: "The server, with NO after APPEND or COPY; with `*` as a warning.",
            fr: "Le serveur, avec NO après APPEND ou COPY ; avec `*` comme avertissement.",
        },
        next: Text {
            en: "Delete messages (\\Deleted, then EXPUNGE), and try again.",
            fr: "Effacer des messages (\\Deleted, puis EXPUNGE), et recommencer.",
        },
        section: "RFC 5530 §3, RFC 9208 §4.3",
    },
    Entry {
        kind: Kind::ImapCode,
        code: "PARSE",
        name: "parse error",
        meaning: Text {
            en: "The server could not read the header or the structure of a message.",
            fr: "Le serveur n'a pas su lire l'en-tête ou la structure d'un message.",
        },
        sent: Text {
            en: "The server, after FETCH or APPEND.",
            fr: "Le serveur, après FETCH ou APPEND.",
        },
        next: Text {
            en: "Fetch the whole text with BODY.PEEK[] and look.",
            fr: "Récupérer le texte entier avec BODY.PEEK[] et regarder.",
        },
        section: "RFC 9051 §7.1",
    },
    Entry {
        kind: Kind::ImapCode,
        code: "PRIVACYREQUIRED",
        name: "privacy required",
        meaning: Text {
            en: "The server does this only over an encrypted connection.",
            fr: "Le serveur ne fait cela que sur une connexion chiffrée.",
        },
        sent: Text {
            en: "The server, with NO, usually after LOGIN in clear.",
            fr: "Le serveur, avec NO, en général après un LOGIN en clair.",
        },
        next: Text {
            en: "STARTTLS, or port 993, then try again.",
            fr: "STARTTLS, ou port 993, puis recommencer.",
        },
        section: "RFC 5530 §3",
    },
    Entry {
        kind: Kind::ImapCode,
        code: "SERVERBUG",
        name: "server bug",
        meaning: Text {
            en: "The server noticed a mistake in itself.",
            fr: "Le serveur a constaté une erreur dans son propre programme.",
        },
        sent: Text {
            en: "The server, with NO.",
            fr: "Le serveur, avec NO.",
        },
        next: Text {
            en: "Tell the administrator.",
            fr: "Prévenir l'administrateur.",
        },
        section: "RFC 5530 §3",
    },
    Entry {
        kind: Kind::ImapCode,
        code: "UNAVAILABLE",
        name: "unavailable",
        meaning: Text {
            en: "A part of the system that is needed does not answer just now.",
            fr: "Une partie du système nécessaire ne répond pas en ce moment.",
        },
        sent: Text {
            en: "The server, with NO: the account database or another machine is down.",
            fr: "Le serveur, avec NO : la base de comptes ou une autre machine est en panne.",
        },
        next: Text {
            en: "Try again later; the password is not the cause.",
            fr: "Réessayer plus tard ; le mot de passe n'est pas en cause.",
        },
        section: "RFC 5530 §3",
    },
    Entry {
        kind: Kind::ImapCode,
        code: "UNKNOWN-CTE",
        name: "unknown content transfer encoding",
        meaning: Text {
            en: "The server cannot decode this part: its encoding is unknown to it.",
            fr: "Le serveur ne sait pas décoder cette partie : son codage lui est inconnu.",
        },
        sent: Text {
            en: "The server, with NO after FETCH BINARY.",
            fr: "Le serveur, avec NO après FETCH BINARY.",
        },
        next: Text {
            en: "Fetch it as it is with BODY[].",
            fr: "La récupérer telle quelle avec BODY[].",
        },
        section: "RFC 3516 §4.3, RFC 9051 §7.1",
    },
];
