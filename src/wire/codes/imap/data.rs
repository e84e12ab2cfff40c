//! What a server of IMAP says of its mailboxes and messages: data after `*`, asked for or not (RFC 9051 §7.2 to §7.5).

use crate::wire::codes::{Entry, Kind, Text};

/// By their keyword.
pub const DATA: &[Entry] = &[
    Entry {
        kind: Kind::ImapData,
        code: "ACL",
        name: "ACL response",
        meaning: Text {
            en: "Who may do what in a mailbox: pairs of user and rights.",
            fr: "Qui a quels droits sur une boîte : des paires utilisateur, droits.",
        },
        sent: Text {
            en: "The server, after GETACL.",
            fr: "Le serveur, après GETACL.",
        },
        next: Text {
            en: "Read the rights letter by letter: l to see it, r to read, s to keep \\Seen, w to \
                 write flags, i to insert ...",
            fr: "Lire les droits lettre par lettre : l la voir, r la lire, s garder \\Seen, w \
                 poser des marqueurs, i insérer ...",
        },
        section: "RFC 4314 §3.6",
    },
    Entry {
        kind: Kind::ImapData,
        code: "CAPABILITY",
        name: "CAPABILITY response",
        meaning: Text {
            en: "The list of what the server can do: the protocol's versions, extensions, and ways \
                 to log in (AUTH=...).",
            fr: "La liste de ce que sait faire le serveur : versions du protocole, extensions, \
                 façons de s'identifier (AUTH=...).",
        },
        sent: Text {
            en: "The server, after CAPABILITY, and sometimes unasked.",
            fr: "Le serveur, après CAPABILITY, et parfois sans demande.",
        },
        next: Text {
            en: "Use only what it names; it changes after STARTTLS and after the login.",
            fr: "N'employer que ce qu'elle nomme ; elle change après STARTTLS et après \
                 l'identification.",
        },
        section: "RFC 9051 §7.2.2",
    },
    Entry {
        kind: Kind::ImapData,
        code: "COMPARATOR",
        name: "COMPARATOR response",
        meaning: Text {
            en: "The rule by which texts are compared, and those that may be chosen.",
            fr: "La règle de comparaison des textes, et celles que l'on peut choisir.",
        },
        sent: Text {
            en: "A server with I18NLEVEL=2, after COMPARATOR.",
            fr: "Un serveur doté de I18NLEVEL=2, après COMPARATOR.",
        },
        next: Text {
            en: "Choose another with COMPARATOR if you like.",
            fr: "En choisir une autre par COMPARATOR, au besoin.",
        },
        section: "RFC 5255 §4.8",
    },
    Entry {
        kind: Kind::ImapData,
        code: "CONVERSION",
        name: "CONVERSION response",
        meaning: Text {
            en: "One kind of content that can be made of another.",
            fr: "Un format de contenu que l'on peut obtenir d'un autre.",
        },
        sent: Text {
            en: "A server with CONVERT, after CONVERSIONS.",
            fr: "Un serveur doté de CONVERT, après CONVERSIONS.",
        },
        next: Text {
            en: "Ask for it with CONVERT.",
            fr: "Le demander par CONVERT.",
        },
        section: "RFC 5259 §5",
    },
    Entry {
        kind: Kind::ImapData,
        code: "CONVERTED",
        name: "CONVERTED response",
        meaning: Text {
            en: "Parts of a message in the form that was asked for.",
            fr: "Des parties d'un message, dans le format demandé.",
        },
        sent: Text {
            en: "A server with CONVERT, after CONVERT.",
            fr: "Un serveur doté de CONVERT, après CONVERT.",
        },
        next: Text {
            en: "Show them.",
            fr: "Les afficher.",
        },
        section: "RFC 5259 §9",
    },
    Entry {
        kind: Kind::ImapData,
        code: "ENABLED",
        name: "ENABLED response",
        meaning: Text {
            en: "The extensions that are switched on from here.",
            fr: "Les extensions actives à partir d'ici.",
        },
        sent: Text {
            en: "The server, after ENABLE.",
            fr: "Le serveur, après ENABLE.",
        },
        next: Text {
            en: "Take those that are missing as refused.",
            fr: "Considérer comme refusées celles qui manquent.",
        },
        section: "RFC 9051 §7.2.1",
    },
    Entry {
        kind: Kind::ImapData,
        code: "ESEARCH",
        name: "ESEARCH response",
        meaning: Text {
            en: "The result of a search in short form: ALL 1:3,7 COUNT 4 MIN 1 MAX 7.",
            fr: "Le résultat d'une recherche sous forme abrégée : ALL 1:3,7 COUNT 4 MIN 1 MAX 7.",
        },
        sent: Text {
            en: "The server, after SEARCH, always in IMAP4rev2; (TAG \"a3\") says which search.",
            fr: "Le serveur, après SEARCH, toujours en IMAP4rev2 ; (TAG \"a3\") dit quelle \
                 recherche.",
        },
        next: Text {
            en: "Read the numbers; with UID after the tag they are UIDs.",
            fr: "Lire les nombres ; avec UID après l'étiquette, ce sont des UID.",
        },
        section: "RFC 9051 §7.3.4, RFC 4731",
    },
    Entry {
        kind: Kind::ImapData,
        code: "EXISTS",
        name: "EXISTS response",
        meaning: Text {
            en: "How many messages there are in the mailbox now: `* 3 EXISTS`.",
            fr: "Combien de messages la boîte contient maintenant : `* 3 EXISTS`.",
        },
        sent: Text {
            en: "The server, after SELECT or EXAMINE, and whenever mail arrives.",
            fr: "Le serveur, après SELECT ou EXAMINE, et dès qu'un courrier arrive.",
        },
        next: Text {
            en: "If it has grown, FETCH the new ones. It never shrinks without EXPUNGE lines.",
            fr: "S'il a grandi, récupérer les nouveaux par FETCH. Il ne diminue jamais sans lignes \
                 EXPUNGE.",
        },
        section: "RFC 9051 §7.4.1",
    },
    Entry {
        kind: Kind::ImapData,
        code: "EXPUNGE",
        name: "EXPUNGE response",
        meaning: Text {
            en: "This message is gone; every number after it is now one less.",
            fr: "Ce message a disparu ; chaque numéro qui suit diminue de un.",
        },
        sent: Text {
            en: "The server, after EXPUNGE or MOVE, or because another session removed it.",
            fr: "Le serveur, après EXPUNGE ou MOVE, ou parce qu'une autre session l'a effacé.",
        },
        next: Text {
            en: "Take it off the list and renumber before reading the next line.",
            fr: "L'ôter de la liste et renuméroter avant de lire la ligne suivante.",
        },
        section: "RFC 9051 §7.5.1",
    },
    Entry {
        kind: Kind::ImapData,
        code: "FETCH",
        name: "FETCH response",
        meaning: Text {
            en: "What is known about one message: its number, then pairs of name and value.",
            fr: "Ce que l'on sait d'un message : son numéro, puis des paires nom, valeur.",
        },
        sent: Text {
            en: "The server, after FETCH or STORE, and unasked when flags change.",
            fr: "Le serveur, après FETCH ou STORE, et sans demande quand des marqueurs changent.",
        },
        next: Text {
            en: "After `{n}` exactly n octets follow: count them, do not look for a line end.",
            fr: "Après `{n}` suivent exactement n octets : les compter, sans chercher de fin de \
                 ligne.",
        },
        section: "RFC 9051 §7.5.2",
    },
    Entry {
        kind: Kind::ImapData,
        code: "FLAGS",
        name: "FLAGS response",
        meaning: Text {
            en: "The flags that are in use in this mailbox.",
            fr: "Les marqueurs en usage dans cette boîte.",
        },
        sent: Text {
            en: "The server, after SELECT or EXAMINE.",
            fr: "Le serveur, après SELECT ou EXAMINE.",
        },
        next: Text {
            en: "See also PERMANENTFLAGS: which of them can be changed.",
            fr: "Voir aussi PERMANENTFLAGS : ceux que l'on peut changer.",
        },
        section: "RFC 9051 §7.3.5",
    },
    Entry {
        kind: Kind::ImapData,
        code: "GENURLAUTH",
        name: "GENURLAUTH response",
        meaning: Text {
            en: "URLs with which somebody else can read a message.",
            fr: "Des URL par lesquelles un tiers peut lire un message.",
        },
        sent: Text {
            en: "A server with URLAUTH, after GENURLAUTH.",
            fr: "Un serveur doté de URLAUTH, après GENURLAUTH.",
        },
        next: Text {
            en: "Pass them on to whom they are made for, and to nobody else.",
            fr: "Les transmettre à celui à qui elles sont destinées, à lui seul.",
        },
        section: "RFC 4467 §8",
    },
    Entry {
        kind: Kind::ImapData,
        code: "ID",
        name: "ID response",
        meaning: Text {
            en: "The name and version of the server's program.",
            fr: "Le nom et la version du programme du serveur.",
        },
        sent: Text {
            en: "The server, after ID.",
            fr: "Le serveur, après ID.",
        },
        next: Text {
            en: "Only for reports: a client must not depend on it.",
            fr: "Seulement pour les rapports : un client ne doit pas en dépendre.",
        },
        section: "RFC 2971 §3.2",
    },
    Entry {
        kind: Kind::ImapData,
        code: "JMAPACCESS",
        name: "JMAPACCESS response",
        meaning: Text {
            en: "The address where the same mail is reached by JMAP.",
            fr: "L'adresse où le même courrier s'obtient par JMAP.",
        },
        sent: Text {
            en: "A server with JMAPACCESS, after GETJMAPACCESS.",
            fr: "Un serveur doté de JMAPACCESS, après GETJMAPACCESS.",
        },
        next: Text {
            en: "A program that speaks JMAP may change over.",
            fr: "Un logiciel qui parle JMAP peut y passer.",
        },
        section: "RFC 9698",
    },
    Entry {
        kind: Kind::ImapData,
        code: "LANGUAGE",
        name: "LANGUAGE response",
        meaning: Text {
            en: "The language of the server's texts, or all that there are.",
            fr: "La langue des textes du serveur, ou toutes celles qui existent.",
        },
        sent: Text {
            en: "A server with LANGUAGE, after LANGUAGE.",
            fr: "Un serveur doté de LANGUAGE, après LANGUAGE.",
        },
        next: Text {
            en: "Choose with `LANGUAGE FR`.",
            fr: "Choisir par `LANGUAGE FR`.",
        },
        section: "RFC 5255 §3.3",
    },
    Entry {
        kind: Kind::ImapData,
        code: "LIST",
        name: "LIST response",
        meaning: Text {
            en: "One mailbox: attributes, separator of levels, name.",
            fr: "Une boîte : attributs, séparateur de niveaux, nom.",
        },
        sent: Text {
            en: "The server, after LIST; \\Noselect cannot be opened, \\HasChildren has others \
                 below.",
            fr: "Le serveur, après LIST ; \\Noselect ne s'ouvre pas, \\HasChildren en contient \
                 d'autres.",
        },
        next: Text {
            en: "Build the tree with the separator given here.",
            fr: "Construire l'arbre avec le séparateur donné ici.",
        },
        section: "RFC 9051 §7.3.1",
    },
    Entry {
        kind: Kind::ImapData,
        code: "LISTRIGHTS",
        name: "LISTRIGHTS response",
        meaning: Text {
            en: "Which rights somebody has in any case, and which can be granted together.",
            fr: "Les droits que quelqu'un a de toute façon, et ceux qui s'accordent ensemble.",
        },
        sent: Text {
            en: "A server with ACL, after LISTRIGHTS.",
            fr: "Un serveur doté de ACL, après LISTRIGHTS.",
        },
        next: Text {
            en: "Grant with SETACL.",
            fr: "En accorder par SETACL.",
        },
        section: "RFC 4314 §3.7",
    },
    Entry {
        kind: Kind::ImapData,
        code: "LSUB",
        name: "LSUB response",
        meaning: Text {
            en: "One mailbox that is subscribed.",
            fr: "Une boîte abonnée.",
        },
        sent: Text {
            en: "An IMAP4rev1 server, after LSUB.",
            fr: "Un serveur IMAP4rev1, après LSUB.",
        },
        next: Text {
            en: "Show it; it need not exist any more.",
            fr: "L'afficher ; elle peut ne plus exister.",
        },
        section: "RFC 3501 §7.2.3",
    },
    Entry {
        kind: Kind::ImapData,
        code: "METADATA",
        name: "METADATA response",
        meaning: Text {
            en: "Annotations of a mailbox, or which of them have changed.",
            fr: "Les annotations d'une boîte, ou celles qui ont changé.",
        },
        sent: Text {
            en: "A server with METADATA, after GETMETADATA or by itself.",
            fr: "Un serveur doté de METADATA, après GETMETADATA ou de lui-même.",
        },
        next: Text {
            en: "Where only names come, fetch the values with GETMETADATA.",
            fr: "S'il ne vient que des noms, demander les valeurs par GETMETADATA.",
        },
        section: "RFC 5464 §4.4",
    },
    Entry {
        kind: Kind::ImapData,
        code: "MYRIGHTS",
        name: "MYRIGHTS response",
        meaning: Text {
            en: "What you may do in a mailbox, a letter for each right.",
            fr: "Vos droits sur une boîte, une lettre par droit.",
        },
        sent: Text {
            en: "A server with ACL, after MYRIGHTS.",
            fr: "Un serveur doté de ACL, après MYRIGHTS.",
        },
        next: Text {
            en: "l see it, r read, s keep Seen, w flags, i insert, k create, x delete, t mark deleted, e expunge, a administer.",
            fr: "l voir, r lire, s garder Seen, w drapeaux, i insérer, k créer, x supprimer, t marquer effacé, e purger, a administrer.",
        },
        section: "RFC 4314 §3.8",
    },
    Entry {
        kind: Kind::ImapData,
        code: "NAMESPACE",
        name: "NAMESPACE response",
        meaning: Text {
            en: "Three lists: where your own mailboxes begin, those of others, the shared ones.",
            fr: "Trois listes : où commencent vos boîtes, celles des autres, les boîtes partagées.",
        },
        sent: Text {
            en: "The server, after NAMESPACE; NIL stands for none.",
            fr: "Le serveur, après NAMESPACE ; NIL signifie aucune.",
        },
        next: Text {
            en: "Make new mailboxes below the first prefix.",
            fr: "Créer les nouvelles boîtes sous le premier préfixe.",
        },
        section: "RFC 9051 §7.3.2",
    },
    Entry {
        kind: Kind::ImapData,
        code: "QUOTA",
        name: "QUOTA response",
        meaning: Text {
            en: "What is used and what is allowed, for each resource: STORAGE counts in units of \
                 1024 octets.",
            fr: "L'occupé et le permis, pour chaque ressource : STORAGE compte par unités de 1024 \
                 octets.",
        },
        sent: Text {
            en: "The server, after GETQUOTA, GETQUOTAROOT or SETQUOTA.",
            fr: "Le serveur, après GETQUOTA, GETQUOTAROOT ou SETQUOTA.",
        },
        next: Text {
            en: "Warn the user when the two come close.",
            fr: "Avertir l'utilisateur quand les deux se rapprochent.",
        },
        section: "RFC 9208 §4.2.1",
    },
    Entry {
        kind: Kind::ImapData,
        code: "QUOTAROOT",
        name: "QUOTAROOT response",
        meaning: Text {
            en: "Which quota counts for this mailbox.",
            fr: "Quel quota s'applique à cette boîte.",
        },
        sent: Text {
            en: "The server, after GETQUOTAROOT, before the QUOTA lines.",
            fr: "Le serveur, après GETQUOTAROOT, avant les lignes QUOTA.",
        },
        next: Text {
            en: "Read the QUOTA line of that name.",
            fr: "Lire la ligne QUOTA de ce nom.",
        },
        section: "RFC 9208 §4.2.2",
    },
    Entry {
        kind: Kind::ImapData,
        code: "RECENT",
        name: "RECENT response",
        meaning: Text {
            en: "How many messages no session had seen before this one.",
            fr: "Combien de messages aucune session n'avait vus avant celle-ci.",
        },
        sent: Text {
            en: "An IMAP4rev1 server, after SELECT; IMAP4rev2 has dropped it.",
            fr: "Un serveur IMAP4rev1, après SELECT ; IMAP4rev2 l'a supprimé.",
        },
        next: Text {
            en: "Nothing: UIDNEXT tells more reliably what is new.",
            fr: "Rien : UIDNEXT dit plus sûrement ce qui est nouveau.",
        },
        section: "RFC 3501 §7.3.2",
    },
    Entry {
        kind: Kind::ImapData,
        code: "SEARCH",
        name: "SEARCH response",
        meaning: Text {
            en: "The numbers of the messages that fit; none when the line ends at once.",
            fr: "Les numéros des messages trouvés ; aucun si la ligne s'arrête là.",
        },
        sent: Text {
            en: "An IMAP4rev1 server, after SEARCH; UIDs after UID SEARCH.",
            fr: "Un serveur IMAP4rev1, après SEARCH ; des UID après UID SEARCH.",
        },
        next: Text {
            en: "FETCH them.",
            fr: "Les récupérer par FETCH.",
        },
        section: "RFC 3501 §7.2.5",
    },
    Entry {
        kind: Kind::ImapData,
        code: "SORT",
        name: "SORT response",
        meaning: Text {
            en: "The numbers of the messages that fit, in the order asked for.",
            fr: "Les numéros des messages trouvés, dans l'ordre demandé.",
        },
        sent: Text {
            en: "A server with SORT, after SORT.",
            fr: "Un serveur doté de SORT, après SORT.",
        },
        next: Text {
            en: "Keep the order.",
            fr: "Conserver l'ordre.",
        },
        section: "RFC 5256 §4",
    },
    Entry {
        kind: Kind::ImapData,
        code: "STATUS",
        name: "STATUS response",
        meaning: Text {
            en: "Numbers about a mailbox that is not open: MESSAGES, UNSEEN, UIDNEXT ...",
            fr: "Des nombres sur une boîte non ouverte : MESSAGES, UNSEEN, UIDNEXT ...",
        },
        sent: Text {
            en: "The server, after STATUS.",
            fr: "Le serveur, après STATUS.",
        },
        next: Text {
            en: "Show them; if UIDNEXT has grown there is new mail.",
            fr: "Les afficher ; si UIDNEXT a grandi, il y a du nouveau courrier.",
        },
        section: "RFC 9051 §7.3.3",
    },
    Entry {
        kind: Kind::ImapData,
        code: "THREAD",
        name: "THREAD response",
        meaning: Text {
            en: "The messages that fit, by conversation: (1 2)(3 (4)(5)).",
            fr: "Les messages trouvés, par fil de discussion : (1 2)(3 (4)(5)).",
        },
        sent: Text {
            en: "A server with THREAD, after THREAD.",
            fr: "Un serveur doté de THREAD, après THREAD.",
        },
        next: Text {
            en: "Brackets inside brackets are branches of the conversation.",
            fr: "Les parenthèses imbriquées sont des branches du fil.",
        },
        section: "RFC 5256 §4",
    },
    Entry {
        kind: Kind::ImapData,
        code: "URLFETCH",
        name: "URLFETCH response",
        meaning: Text {
            en: "The content of URLs; NIL where access is refused.",
            fr: "Le contenu des URL ; NIL là où l'accès est refusé.",
        },
        sent: Text {
            en: "A server with URLAUTH, after URLFETCH.",
            fr: "Un serveur doté de URLAUTH, après URLFETCH.",
        },
        next: Text {
            en: "NIL: ask the one who made the URL for a new one.",
            fr: "NIL : demander une nouvelle URL à celui qui l'a créée.",
        },
        section: "RFC 4467 §8",
    },
    Entry {
        kind: Kind::ImapData,
        code: "VANISHED",
        name: "VANISHED response",
        meaning: Text {
            en: "The UIDs of messages that are gone; with (EARLIER), since the last visit.",
            fr: "Les UID des messages disparus ; avec (EARLIER), depuis la dernière visite.",
        },
        sent: Text {
            en: "A server with QRESYNC, in place of EXPUNGE lines.",
            fr: "Un serveur doté de QRESYNC, à la place des lignes EXPUNGE.",
        },
        next: Text {
            en: "Take them off the list.",
            fr: "Les ôter de la liste.",
        },
        section: "RFC 7162 §3.2.10",
    },
];
