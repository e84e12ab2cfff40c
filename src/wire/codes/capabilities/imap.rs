//! Capabilities about the session, logging in, and mailboxes.

use crate::wire::codes::{Entry, Kind, Text};

const SENT: Text = Text::new(
    "The server: in its greeting, in its answer to CAPABILITY, and often after the login, when there are more.",
    "Le serveur : à l'accueil, en réponse à CAPABILITY, et souvent après l'identification, où il y en a davantage.",
);

pub(super) const fn capability(
    code: &'static str,
    name: &'static str,
    meaning: Text,
    next: Text,
    section: &'static str,
) -> Entry {
    Entry {
        kind: Kind::ImapCapability,
        code,
        name,
        meaning,
        sent: SENT,
        next,
        section,
    }
}

/// In alphabetic order.
pub(super) const SESSION: &[Entry] = &[
    capability(
        "ACL",
        "Access control lists",
        Text::new(
            "Who may do what in a mailbox can be read and changed.",
            "On peut lire et modifier qui a quels droits dans une boîte.",
        ),
        Text::new(
            "MYRIGHTS shows your own rights, GETACL everybody's, SETACL grants.",
            "MYRIGHTS montre ses propres droits, GETACL ceux de tous, SETACL en accorde.",
        ),
        "RFC 4314",
    ),
    capability(
        "APPENDLIMIT",
        "Maximum upload size",
        Text::new(
            "The largest message that APPEND takes, in octets; without a number, it differs from mailbox to mailbox.",
            "Taille maximale, en octets, d'un message pour APPEND ; sans nombre, elle dépend de la boîte.",
        ),
        Text::new(
            "STATUS (APPENDLIMIT) asks for that of one mailbox.",
            "STATUS (APPENDLIMIT) demande celle d'une boîte.",
        ),
        "RFC 7889",
    ),
    capability(
        "AUTH=",
        "Authentication mechanism",
        Text::new(
            "AUTHENTICATE takes the mechanism named after the sign: AUTH=PLAIN, AUTH=SCRAM-SHA-256 ...",
            "AUTHENTICATE accepte le mécanisme nommé après le signe : AUTH=PLAIN, AUTH=SCRAM-SHA-256 ...",
        ),
        Text::new(
            "Choose the strongest that you know; PLAIN only under TLS.",
            "Choisir le plus fort que l'on connaît ; PLAIN seulement sous TLS.",
        ),
        "RFC 9051 §7.2.2",
    ),
    capability(
        "CHILDREN",
        "Child mailboxes",
        Text::new(
            "LIST tells of each mailbox whether there are mailboxes below it: \\HasChildren, \\HasNoChildren.",
            "LIST dit de chaque boîte si elle en contient d'autres : \\HasChildren, \\HasNoChildren.",
        ),
        Text::new(
            "A tree can be drawn without asking for each branch.",
            "On peut dessiner l'arbre sans demander chaque branche.",
        ),
        "RFC 3348",
    ),
    capability(
        "COMPRESS=DEFLATE",
        "Compression",
        Text::new(
            "The connection can be compressed.",
            "La connexion peut être comprimée.",
        ),
        Text::new(
            "COMPRESS DEFLATE after the login; nothing is readable in a capture from then on.",
            "COMPRESS DEFLATE après l'identification ; plus rien n'est lisible ensuite dans une capture.",
        ),
        "RFC 4978",
    ),
    capability(
        "CREATE-SPECIAL-USE",
        "CREATE with a special use",
        Text::new(
            "CREATE may say what a mailbox is for: sent mail, drafts, junk, trash, archive.",
            "CREATE peut dire à quoi sert une boîte : envoyés, brouillons, indésirables, corbeille, archives.",
        ),
        Text::new(
            "`a1 CREATE Envoyes (USE (\\Sent))` makes one.",
            "`a1 CREATE Envoyes (USE (\\Sent))` en crée une.",
        ),
        "RFC 6154 §3",
    ),
    capability(
        "ENABLE",
        "ENABLE command",
        Text::new(
            "Extensions that change what the server sends by itself can be turned on.",
            "On peut activer les extensions qui changent ce que le serveur envoie de lui-même.",
        ),
        Text::new(
            "`a1 ENABLE CONDSTORE` after the login, before SELECT.",
            "`a1 ENABLE CONDSTORE` après l'identification, avant SELECT.",
        ),
        "RFC 5161",
    ),
    capability(
        "I18NLEVEL=",
        "Internationalization level",
        Text::new(
            "1: searching and sorting fold letters of all alphabets; 2: the rule can be chosen with COMPARATOR.",
            "1 : recherche et tri connaissent les lettres de tous les alphabets ; 2 : on choisit la règle par COMPARATOR.",
        ),
        Text::new(
            "Nothing is to be done: searches find more.",
            "Rien à faire : les recherches trouvent davantage.",
        ),
        "RFC 5255 §4.2",
    ),
    capability(
        "ID",
        "Identification",
        Text::new(
            "Server and client may tell each other which programs they are.",
            "Serveur et client peuvent se dire de quels logiciels il s'agit.",
        ),
        Text::new(
            "`a1 ID NIL` asks without telling.",
            "`a1 ID NIL` demande sans rien dire de soi.",
        ),
        "RFC 2971",
    ),
    capability(
        "IDLE",
        "IDLE command",
        Text::new(
            "The server can announce new mail at once, without being asked.",
            "Le serveur peut annoncer le nouveau courrier aussitôt, sans qu'on le demande.",
        ),
        Text::new(
            "`a1 IDLE` in a selected mailbox, wait for `* 3 EXISTS`, then DONE; anew every 29 minutes.",
            "`a1 IDLE` dans une boîte ouverte, attendre `* 3 EXISTS`, puis DONE ; à refaire toutes les 29 minutes.",
        ),
        "RFC 2177",
    ),
    capability(
        "IMAP4rev1",
        "IMAP4rev1 protocol",
        Text::new(
            "The server speaks the revision of 2003, which nearly every client knows.",
            "Le serveur parle la révision de 2003, que presque tous les clients connaissent.",
        ),
        Text::new("Nothing is to be done.", "Rien à faire."),
        "RFC 3501",
    ),
    capability(
        "IMAP4rev2",
        "IMAP4rev2 protocol",
        Text::new(
            "The server speaks the revision of 2021 too, which took a dozen extensions in.",
            "Le serveur parle aussi la révision de 2021, qui a intégré une douzaine d'extensions.",
        ),
        Text::new(
            "Where IMAP4rev1 is listed as well, `a1 ENABLE IMAP4rev2` changes over.",
            "Si IMAP4rev1 est annoncé aussi, `a1 ENABLE IMAP4rev2` fait passer à celle-ci.",
        ),
        "RFC 9051",
    ),
    capability(
        "IMAPSIEVE=",
        "Sieve at IMAP events",
        Text::new(
            "Sieve scripts can run when messages are stored or changed by IMAP; the address says where scripts are kept.",
            "Des scripts Sieve peuvent s'exécuter quand IMAP range ou modifie un message ; l'adresse dit où ils sont gardés.",
        ),
        Text::new(
            "Set the script's name as an annotation of the mailbox (SETMETADATA).",
            "Donner le nom du script en annotation de la boîte (SETMETADATA).",
        ),
        "RFC 6785",
    ),
    capability(
        "JMAPACCESS",
        "JMAP access",
        Text::new(
            "The same mail can be reached by JMAP, over HTTP.",
            "Le même courrier est accessible par JMAP, sur HTTP.",
        ),
        Text::new(
            "GETJMAPACCESS tells the address.",
            "GETJMAPACCESS donne l'adresse.",
        ),
        "RFC 9698",
    ),
    capability(
        "LANGUAGE",
        "Language of the texts",
        Text::new(
            "The texts for people may be asked for in another language.",
            "Les textes destinés aux humains peuvent être demandés dans une autre langue.",
        ),
        Text::new(
            "`a1 LANGUAGE FR` chooses, LANGUAGE alone lists.",
            "`a1 LANGUAGE FR` choisit, LANGUAGE seul énumère.",
        ),
        "RFC 5255 §3",
    ),
    capability(
        "LIST-EXTENDED",
        "Extended LIST",
        Text::new(
            "LIST takes several patterns, chooses (subscribed, remote ...) and returns more.",
            "LIST accepte plusieurs motifs, choisit (boîtes abonnées, distantes ...) et renvoie davantage.",
        ),
        Text::new(
            "`a1 LIST (SUBSCRIBED) \"\" * RETURN (CHILDREN)` replaces LSUB.",
            "`a1 LIST (SUBSCRIBED) \"\" * RETURN (CHILDREN)` remplace LSUB.",
        ),
        "RFC 5258",
    ),
    capability(
        "LIST-METADATA",
        "LIST with annotations",
        Text::new(
            "LIST can return annotations of the mailboxes.",
            "LIST peut renvoyer les annotations des boîtes.",
        ),
        Text::new(
            "RETURN (METADATA (\"/private/comment\")) after the pattern.",
            "RETURN (METADATA (\"/private/comment\")) après le motif.",
        ),
        "RFC 9590",
    ),
    capability(
        "LIST-MYRIGHTS",
        "LIST with rights",
        Text::new(
            "LIST can return what you may do in each mailbox.",
            "LIST peut renvoyer vos droits dans chaque boîte.",
        ),
        Text::new(
            "RETURN (MYRIGHTS) after the pattern.",
            "RETURN (MYRIGHTS) après le motif.",
        ),
        "RFC 8440",
    ),
    capability(
        "LIST-STATUS",
        "LIST with STATUS",
        Text::new(
            "LIST can count the messages of every mailbox at once.",
            "LIST peut compter d'un coup les messages de toutes les boîtes.",
        ),
        Text::new(
            "RETURN (STATUS (MESSAGES UNSEEN)) after the pattern.",
            "RETURN (STATUS (MESSAGES UNSEEN)) après le motif.",
        ),
        "RFC 5819",
    ),
    capability(
        "LITERAL+",
        "Non-synchronizing literals",
        Text::new(
            "A literal may be sent as {5+}, without waiting for the server's `+`.",
            "Un littéral peut être envoyé par {5+}, sans attendre le `+` du serveur.",
        ),
        Text::new(
            "Saves a wait for each literal; any size.",
            "Évite une attente par littéral ; toute taille.",
        ),
        "RFC 7888",
    ),
    capability(
        "LITERAL-",
        "Short non-synchronizing literals",
        Text::new(
            "As LITERAL+, for literals of at most 4096 octets.",
            "Comme LITERAL+, pour des littéraux de 4096 octets au plus.",
        ),
        Text::new(
            "Longer ones as {5000}, and wait for `+`.",
            "Au-delà, {5000}, et attendre le `+`.",
        ),
        "RFC 7888 §5",
    ),
    capability(
        "LOGIN-REFERRALS",
        "Login referrals",
        Text::new(
            "After the login the server may name another one that has the mailboxes.",
            "Après l'identification, le serveur peut en nommer un autre, qui a les boîtes.",
        ),
        Text::new(
            "Go where [REFERRAL] says, if you trust it.",
            "Aller où dit [REFERRAL], si l'on a confiance.",
        ),
        "RFC 2221",
    ),
    capability(
        "LOGINDISABLED",
        "LOGIN is disabled",
        Text::new(
            "LOGIN is refused here and now: the password would travel in clear.",
            "LOGIN est refusé ici et maintenant : le mot de passe passerait en clair.",
        ),
        Text::new(
            "STARTTLS first, then CAPABILITY again; or port 993.",
            "D'abord STARTTLS, puis de nouveau CAPABILITY ; ou le port 993.",
        ),
        "RFC 9051 §6.2.3",
    ),
    capability(
        "MAILBOX-REFERRALS",
        "Mailbox referrals",
        Text::new(
            "Some mailboxes are on other servers, which the answers name.",
            "Certaines boîtes sont sur d'autres serveurs, que les réponses nomment.",
        ),
        Text::new(
            "RLIST and RLSUB list those too.",
            "RLIST et RLSUB les énumèrent aussi.",
        ),
        "RFC 2193",
    ),
    capability(
        "METADATA",
        "Annotations",
        Text::new(
            "Notes can be kept on mailboxes and on the server, by named entries.",
            "On peut garder des annotations, par rubrique, sur les boîtes et sur le serveur.",
        ),
        Text::new(
            "GETMETADATA reads, SETMETADATA writes.",
            "GETMETADATA lit, SETMETADATA écrit.",
        ),
        "RFC 5464",
    ),
    capability(
        "METADATA-SERVER",
        "Annotations of the server",
        Text::new(
            "As METADATA, for the server as a whole only.",
            "Comme METADATA, mais pour le serveur dans son ensemble seulement.",
        ),
        Text::new(
            "`a1 GETMETADATA \"\" /shared/comment` reads one.",
            "`a1 GETMETADATA \"\" /shared/comment` en lit une.",
        ),
        "RFC 5464",
    ),
    capability(
        "NAMESPACE",
        "NAMESPACE command",
        Text::new(
            "The server tells where your own, other people's and shared mailboxes are.",
            "Le serveur dit où sont les boîtes personnelles, celles d'autrui et les boîtes partagées.",
        ),
        Text::new(
            "`a1 NAMESPACE` also shows the separator of levels.",
            "`a1 NAMESPACE` montre aussi le séparateur des niveaux.",
        ),
        "RFC 2342",
    ),
    capability(
        "NOTIFY",
        "Notification of events",
        Text::new(
            "The server announces changes in several mailboxes, not only in the selected one.",
            "Le serveur annonce les changements dans plusieurs boîtes, pas seulement dans celle qui est ouverte.",
        ),
        Text::new(
            "`mailtool codes NOTIFY` shows how to ask.",
            "`mailtool codes NOTIFY` montre comment le demander.",
        ),
        "RFC 5465",
    ),
    capability(
        "OBJECTID",
        "Object identifiers",
        Text::new(
            "Mailboxes, messages and threads have names that stay when they are renamed or moved.",
            "Boîtes, messages et fils ont des noms qui restent quand on les renomme ou les déplace.",
        ),
        Text::new(
            "Ask with FETCH (EMAILID THREADID), STATUS (MAILBOXID).",
            "Les demander par FETCH (EMAILID THREADID), STATUS (MAILBOXID).",
        ),
        "RFC 8474",
    ),
    capability(
        "QUOTA",
        "Quota",
        Text::new(
            "How much room there is, and how much is used, can be asked for.",
            "On peut demander quelle place est accordée, et quelle place est prise.",
        ),
        Text::new(
            "`a1 GETQUOTAROOT INBOX` shows both.",
            "`a1 GETQUOTAROOT INBOX` montre les deux.",
        ),
        "RFC 9208",
    ),
    capability(
        "QUOTA=RES-",
        "Quota resource",
        Text::new(
            "What the server counts: STORAGE (units of 1024 octets), MESSAGE, MAILBOX, ANNOTATION-STORAGE.",
            "Ce que le serveur compte : STORAGE (unités de 1024 octets), MESSAGE, MAILBOX, ANNOTATION-STORAGE.",
        ),
        Text::new(
            "Read GETQUOTA's answer by these names.",
            "Lire la réponse à GETQUOTA selon ces noms.",
        ),
        "RFC 9208 §3.1",
    ),
    capability(
        "QUOTASET",
        "Setting quotas",
        Text::new(
            "SETQUOTA is there, for those who may.",
            "SETQUOTA existe, pour ceux qui en ont le droit.",
        ),
        Text::new(
            "`a1 SETQUOTA \"\" (STORAGE 1024)` sets a limit.",
            "`a1 SETQUOTA \"\" (STORAGE 1024)` fixe une limite.",
        ),
        "RFC 9208 §3.1.2",
    ),
    capability(
        "RIGHTS=",
        "Rights of ACL",
        Text::new(
            "The letters are rights that the server has beyond those of the first version of ACL: k create, x delete, t mark, e expunge.",
            "Les lettres sont des droits en plus de ceux de la première version d'ACL : k créer, x supprimer, t marquer, e purger.",
        ),
        Text::new("Use them in SETACL.", "Les employer dans SETACL."),
        "RFC 4314 §2.2",
    ),
    capability(
        "SASL-IR",
        "SASL initial response",
        Text::new(
            "The first answer of a mechanism may stand on the line of AUTHENTICATE.",
            "La première réponse d'un mécanisme peut figurer sur la ligne de AUTHENTICATE.",
        ),
        Text::new(
            "`a1 AUTHENTICATE PLAIN AGFsaWNlAHNlY3JldA==` saves a wait.",
            "`a1 AUTHENTICATE PLAIN AGFsaWNlAHNlY3JldA==` évite une attente.",
        ),
        "RFC 4959",
    ),
    capability(
        "SPECIAL-USE",
        "Special-use mailboxes",
        Text::new(
            "LIST tells what mailboxes are for: \\Sent, \\Drafts, \\Junk, \\Trash, \\Archive, \\Flagged, \\All.",
            "LIST dit à quoi servent les boîtes : \\Sent, \\Drafts, \\Junk, \\Trash, \\Archive, \\Flagged, \\All.",
        ),
        Text::new(
            "Put sent mail where \\Sent is, whatever its name.",
            "Ranger les messages envoyés là où est \\Sent, quel que soit son nom.",
        ),
        "RFC 6154",
    ),
    capability(
        "STARTTLS",
        "STARTTLS command",
        Text::new(
            "The connection can be encrypted.",
            "La connexion peut être chiffrée.",
        ),
        Text::new(
            "STARTTLS before LOGIN; then CAPABILITY again, because the list may have changed.",
            "STARTTLS avant LOGIN ; puis de nouveau CAPABILITY, car la liste peut avoir changé.",
        ),
        "RFC 9051 §6.2.1",
    ),
    capability(
        "UNAUTHENTICATE",
        "UNAUTHENTICATE command",
        Text::new(
            "One connection can serve several users, one after another.",
            "Une connexion peut servir plusieurs utilisateurs, l'un après l'autre.",
        ),
        Text::new(
            "For proxies; a person's program logs out instead.",
            "Pour les relais ; le logiciel d'une personne se déconnecte plutôt.",
        ),
        "RFC 8437",
    ),
    capability(
        "UTF8=ACCEPT",
        "UTF-8 support",
        Text::new(
            "Names of mailboxes and headers of messages may be UTF-8.",
            "Noms de boîtes et en-têtes de messages peuvent être en UTF-8.",
        ),
        Text::new(
            "`a1 ENABLE UTF8=ACCEPT` after the login.",
            "`a1 ENABLE UTF8=ACCEPT` après l'identification.",
        ),
        "RFC 9755",
    ),
    capability(
        "UTF8=ONLY",
        "UTF-8 required",
        Text::new(
            "The server refuses clients that have not enabled UTF8=ACCEPT.",
            "Le serveur refuse les clients qui n'ont pas activé UTF8=ACCEPT.",
        ),
        Text::new(
            "`a1 ENABLE UTF8=ACCEPT` first.",
            "D'abord `a1 ENABLE UTF8=ACCEPT`.",
        ),
        "RFC 9755 §6",
    ),
];
