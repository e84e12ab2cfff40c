//! Response codes that tell the state of a mailbox, or what a command made there.

use crate::wire::codes::{Entry, Kind, Text};

/// About the mailbox and its messages.
pub(super) const MAILBOX: &[Entry] = &[
    Entry {
        kind: Kind::ImapCode,
        code: "APPENDUID",
        name: "UID of the appended message",
        meaning: Text {
            en: "The message was stored; the two numbers are the mailbox's UIDVALIDITY and the new \
                 UID.",
            fr: "Le message est enregistré ; les deux nombres sont le UIDVALIDITY de la boîte et \
                 le nouvel UID.",
        },
        sent: Text {
            en: "The server, with OK after APPEND.",
            fr: "Le serveur, avec OK après APPEND.",
        },
        next: Text {
            en: "Remember the UID: the message need not be looked for.",
            fr: "Retenir l'UID : inutile de rechercher le message.",
        },
        section: "RFC 4315 §3, RFC 9051 §7.1",
    },
    Entry {
        kind: Kind::ImapCode,
        code: "CAPABILITY",
        name: "capabilities",
        meaning: Text {
            en: "The list of what the server can do, given without having been asked.",
            fr: "La liste de ce que sait faire le serveur, donnée sans avoir été demandée.",
        },
        sent: Text {
            en: "The server, in its greeting and after LOGIN or AUTHENTICATE.",
            fr: "Le serveur, à l'accueil et après LOGIN ou AUTHENTICATE.",
        },
        next: Text {
            en: "Use it: it saves the command CAPABILITY. After STARTTLS, forget the earlier one.",
            fr: "S'en servir : cela évite la commande CAPABILITY. Après STARTTLS, oublier \
                 l'ancienne.",
        },
        section: "RFC 9051 §7.1",
    },
    Entry {
        kind: Kind::ImapCode,
        code: "CLOSED",
        name: "previous mailbox closed",
        meaning: Text {
            en: "The mailbox selected before is closed; everything after this line is about the \
                 new one.",
            fr: "La boîte choisie auparavant est fermée ; tout ce qui suit cette ligne concerne la \
                 nouvelle.",
        },
        sent: Text {
            en: "The server, during SELECT or EXAMINE while a mailbox was selected.",
            fr: "Le serveur, pendant un SELECT ou EXAMINE alors qu'une boîte était choisie.",
        },
        next: Text {
            en: "Keep the message numbers of the two mailboxes apart.",
            fr: "Ne pas mélanger les numéros de messages des deux boîtes.",
        },
        section: "RFC 7162 §3.2.11, RFC 9051 §7.1",
    },
    Entry {
        kind: Kind::ImapCode,
        code: "COPYUID",
        name: "UIDs of the copied messages",
        meaning: Text {
            en: "The messages were copied: UIDVALIDITY of the target, the old UIDs, the new UIDs \
                 in the same order.",
            fr: "Les messages sont copiés : UIDVALIDITY de la cible, anciens UID, nouveaux UID \
                 dans le même ordre.",
        },
        sent: Text {
            en: "The server, with OK after COPY, or before the EXPUNGE lines of MOVE.",
            fr: "Le serveur, avec OK après COPY, ou avant les lignes EXPUNGE de MOVE.",
        },
        next: Text {
            en: "Remember the new UIDs.",
            fr: "Retenir les nouveaux UID.",
        },
        section: "RFC 4315 §3, RFC 9051 §7.1",
    },
    Entry {
        kind: Kind::ImapCode,
        code: "HASCHILDREN",
        name: "mailbox has children",
        meaning: Text {
            en: "The mailbox was not deleted, because there are others below it.",
            fr: "La boîte n'est pas supprimée, car il y en a d'autres en dessous.",
        },
        sent: Text {
            en: "The server, with NO after DELETE.",
            fr: "Le serveur, avec NO après DELETE.",
        },
        next: Text {
            en: "Delete those below first, or leave it.",
            fr: "Supprimer d'abord celles du dessous, ou la laisser.",
        },
        section: "RFC 9051 §7.1",
    },
    Entry {
        kind: Kind::ImapCode,
        code: "HIGHESTMODSEQ",
        name: "highest modification sequence",
        meaning: Text {
            en: "The number of the mailbox's latest change.",
            fr: "Le numéro du dernier changement dans la boîte.",
        },
        sent: Text {
            en: "A server with CONDSTORE, after SELECT or EXAMINE.",
            fr: "Un serveur doté de CONDSTORE, après SELECT ou EXAMINE.",
        },
        next: Text {
            en: "Keep it: next time ask only for what changed since.",
            fr: "Le garder : la prochaine fois, ne demander que ce qui a changé depuis.",
        },
        section: "RFC 7162 §3.1.2.1",
    },
    Entry {
        kind: Kind::ImapCode,
        code: "MAILBOXID",
        name: "mailbox identifier",
        meaning: Text {
            en: "An identifier of the mailbox that stays when it is renamed.",
            fr: "Un identifiant de la boîte, qui reste le même si on la renomme.",
        },
        sent: Text {
            en: "A server with OBJECTID, after CREATE, SELECT or EXAMINE.",
            fr: "Un serveur doté de OBJECTID, après CREATE, SELECT ou EXAMINE.",
        },
        next: Text {
            en: "Keep it to recognise a renamed mailbox.",
            fr: "Le garder pour reconnaître une boîte renommée.",
        },
        section: "RFC 8474 §4",
    },
    Entry {
        kind: Kind::ImapCode,
        code: "MODIFIED",
        name: "modified since",
        meaning: Text {
            en: "These messages were left alone, because somebody changed them in the meantime.",
            fr: "Ces messages n'ont pas été touchés, car quelqu'un les a modifiés entre-temps.",
        },
        sent: Text {
            en: "A server with CONDSTORE, after STORE with UNCHANGEDSINCE.",
            fr: "Un serveur doté de CONDSTORE, après STORE avec UNCHANGEDSINCE.",
        },
        next: Text {
            en: "Fetch their flags, and decide again.",
            fr: "Relire leurs marqueurs, et décider de nouveau.",
        },
        section: "RFC 7162 §3.1.3",
    },
    Entry {
        kind: Kind::ImapCode,
        code: "NEWNAME",
        name: "mailbox renamed (obsolete)",
        meaning: Text {
            en: "The mailbox has another name now.",
            fr: "La boîte porte maintenant un autre nom.",
        },
        sent: Text {
            en: "Very old servers, with NO after SELECT.",
            fr: "De très vieux serveurs, avec NO après SELECT.",
        },
        next: Text {
            en: "Use the new name.",
            fr: "Employer le nouveau nom.",
        },
        section: "RFC 2060 §7.1",
    },
    Entry {
        kind: Kind::ImapCode,
        code: "NOMODSEQ",
        name: "no modification sequences",
        meaning: Text {
            en: "This mailbox keeps no numbers of changes.",
            fr: "Cette boîte ne tient pas de numéros de changements.",
        },
        sent: Text {
            en: "A server with CONDSTORE, after SELECT or EXAMINE.",
            fr: "Un serveur doté de CONDSTORE, après SELECT ou EXAMINE.",
        },
        next: Text {
            en: "Read all flags, as without CONDSTORE.",
            fr: "Relire tous les marqueurs, comme sans CONDSTORE.",
        },
        section: "RFC 7162 §3.1.2.2",
    },
    Entry {
        kind: Kind::ImapCode,
        code: "PERMANENTFLAGS",
        name: "permanent flags",
        meaning: Text {
            en: "The flags that the client may change for good; `\\*` means that it may invent \
                 keywords.",
            fr: "Les marqueurs que le client peut changer durablement ; `\\*` veut dire qu'il peut \
                 créer des mots-clés.",
        },
        sent: Text {
            en: "The server, after SELECT or EXAMINE. An empty list: nothing can be changed.",
            fr: "Le serveur, après SELECT ou EXAMINE. Une liste vide : rien ne peut être changé.",
        },
        next: Text {
            en: "Store only flags of this list.",
            fr: "Ne poser que des marqueurs de cette liste.",
        },
        section: "RFC 9051 §7.1",
    },
    Entry {
        kind: Kind::ImapCode,
        code: "READ-ONLY",
        name: "read-only",
        meaning: Text {
            en: "The mailbox can be read but not changed.",
            fr: "La boîte peut être lue mais pas modifiée.",
        },
        sent: Text {
            en: "The server, with OK after EXAMINE, or after SELECT without the right to write.",
            fr: "Le serveur, avec OK après EXAMINE, ou après SELECT sans droit d'écriture.",
        },
        next: Text {
            en: "To change something, SELECT it, with the necessary rights.",
            fr: "Pour modifier, employer SELECT, avec les droits nécessaires.",
        },
        section: "RFC 9051 §7.1",
    },
    Entry {
        kind: Kind::ImapCode,
        code: "READ-WRITE",
        name: "read-write",
        meaning: Text {
            en: "The mailbox can be read and changed.",
            fr: "La boîte peut être lue et modifiée.",
        },
        sent: Text {
            en: "The server, with OK after SELECT.",
            fr: "Le serveur, avec OK après SELECT.",
        },
        next: Text {
            en: "Go on.",
            fr: "Continuer.",
        },
        section: "RFC 9051 §7.1",
    },
    Entry {
        kind: Kind::ImapCode,
        code: "TRYCREATE",
        name: "try CREATE",
        meaning: Text {
            en: "The target mailbox does not exist, but you could create it.",
            fr: "La boîte cible n'existe pas, mais vous pourriez la créer.",
        },
        sent: Text {
            en: "The server, with NO after APPEND, COPY or MOVE.",
            fr: "Le serveur, avec NO après APPEND, COPY ou MOVE.",
        },
        next: Text {
            en: "CREATE the mailbox, then give the command again.",
            fr: "Créer la boîte avec CREATE, puis redonner la commande.",
        },
        section: "RFC 9051 §7.1",
    },
    Entry {
        kind: Kind::ImapCode,
        code: "UIDNEXT",
        name: "next UID",
        meaning: Text {
            en: "The UID that the next message will get at the least.",
            fr: "L'UID que le prochain message recevra, au minimum.",
        },
        sent: Text {
            en: "The server, after SELECT, EXAMINE or STATUS.",
            fr: "Le serveur, après SELECT, EXAMINE ou STATUS.",
        },
        next: Text {
            en: "Keep it: if it is larger next time, there is new mail.",
            fr: "Le garder : s'il a grandi la fois suivante, il y a du nouveau courrier.",
        },
        section: "RFC 9051 §7.1, §2.3.1.1",
    },
    Entry {
        kind: Kind::ImapCode,
        code: "UIDNOTSTICKY",
        name: "UIDs not sticky",
        meaning: Text {
            en: "This mailbox cannot keep UIDs from one session to the next.",
            fr: "Cette boîte ne conserve pas les UID d'une session à l'autre.",
        },
        sent: Text {
            en: "The server, after SELECT.",
            fr: "Le serveur, après SELECT.",
        },
        next: Text {
            en: "Do not store UIDs of this mailbox.",
            fr: "Ne pas mémoriser les UID de cette boîte.",
        },
        section: "RFC 4315 §3, RFC 9051 §7.1",
    },
    Entry {
        kind: Kind::ImapCode,
        code: "UIDVALIDITY",
        name: "unique identifier validity value",
        meaning: Text {
            en: "The number of the UIDs' generation: while it is the same, a UID means the same \
                 message.",
            fr: "Le numéro de génération des UID : tant qu'il ne change pas, un UID désigne le \
                 même message.",
        },
        sent: Text {
            en: "The server, after SELECT, EXAMINE or STATUS.",
            fr: "Le serveur, après SELECT, EXAMINE ou STATUS.",
        },
        next: Text {
            en: "If it differs from last time, throw away all that was kept about this mailbox.",
            fr: "S'il diffère de la dernière fois, jeter tout ce qu'on avait retenu sur cette \
                 boîte.",
        },
        section: "RFC 9051 §7.1, §2.3.1.1",
    },
    Entry {
        kind: Kind::ImapCode,
        code: "UNSEEN",
        name: "first unseen message",
        meaning: Text {
            en: "The number of the first message that was not read.",
            fr: "Le numéro du premier message non lu.",
        },
        sent: Text {
            en: "An IMAP4rev1 server, after SELECT or EXAMINE; IMAP4rev2 has dropped it.",
            fr: "Un serveur IMAP4rev1, après SELECT ou EXAMINE ; IMAP4rev2 l'a supprimé.",
        },
        next: Text {
            en: "Begin to show the list there.",
            fr: "Commencer l'affichage de la liste à cet endroit.",
        },
        section: "RFC 3501 §7.1",
    },
];
