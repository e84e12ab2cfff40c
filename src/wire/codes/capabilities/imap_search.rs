//! Capabilities about messages: what is fetched, stored, searched, sorted, and told of changes.

use super::imap::capability;
use crate::wire::codes::{Entry, Text};

/// In alphabetic order.
pub(super) const MESSAGES: &[Entry] = &[
    capability(
        "ANNOTATE-EXPERIMENT-1",
        "Annotations of messages",
        Text::new(
            "Notes can be kept on single messages (an experiment).",
            "On peut garder des annotations sur chaque message (à titre d'essai).",
        ),
        Text::new(
            "FETCH and STORE with ANNOTATION.",
            "FETCH et STORE avec ANNOTATION.",
        ),
        "RFC 5257",
    ),
    capability(
        "BINARY",
        "Binary content",
        Text::new(
            "The server decodes parts itself, and takes messages with any octets.",
            "Le serveur décode lui-même les parties, et accepte des messages aux octets quelconques.",
        ),
        Text::new(
            "`a1 FETCH 1 BINARY[2]` brings an attachment as a file.",
            "`a1 FETCH 1 BINARY[2]` apporte une pièce jointe telle quelle.",
        ),
        "RFC 3516",
    ),
    capability(
        "CATENATE",
        "APPEND from pieces",
        Text::new(
            "APPEND can put a message together from parts that are on the server.",
            "APPEND peut composer un message de parties déjà présentes sur le serveur.",
        ),
        Text::new(
            "Forward an attachment without fetching it first.",
            "Faire suivre une pièce jointe sans la relever d'abord.",
        ),
        "RFC 4469",
    ),
    capability(
        "CONDSTORE",
        "Conditional STORE",
        Text::new(
            "Each change has a number (MODSEQ): changes since a number can be asked for, and a STORE can be refused if somebody \
             else was quicker.",
            "Chaque changement a un numéro (MODSEQ) : on peut demander les changements depuis un numéro, et faire refuser un \
             STORE si quelqu'un d'autre a été plus rapide.",
        ),
        Text::new(
            "FETCH 1:* (FLAGS) (CHANGEDSINCE n) brings only what is new.",
            "FETCH 1:* (FLAGS) (CHANGEDSINCE n) n'apporte que ce qui est nouveau.",
        ),
        "RFC 7162 §3.1",
    ),
    capability(
        "CONTEXT=",
        "Contexts of SEARCH and SORT",
        Text::new(
            "CONTEXT=SEARCH, CONTEXT=SORT: a result is kept up to date by the server, and may be read in portions.",
            "CONTEXT=SEARCH, CONTEXT=SORT : le serveur tient un résultat à jour, et on le lit par portions.",
        ),
        Text::new(
            "RETURN (UPDATE PARTIAL 1:50); CANCELUPDATE ends it.",
            "RETURN (UPDATE PARTIAL 1:50) ; CANCELUPDATE y met fin.",
        ),
        "RFC 5267",
    ),
    capability(
        "CONVERT",
        "Conversion",
        Text::new(
            "The server converts attachments, for small screens for instance.",
            "Le serveur convertit les pièces jointes, pour de petits écrans par exemple.",
        ),
        Text::new(
            "CONVERSIONS asks for what it can do.",
            "CONVERSIONS demande ce qu'il sait faire.",
        ),
        "RFC 5259",
    ),
    capability(
        "ESEARCH",
        "Extended SEARCH",
        Text::new(
            "SEARCH can return the least, the greatest, the count, or a short list.",
            "SEARCH peut renvoyer le plus petit, le plus grand, le nombre, ou une liste abrégée.",
        ),
        Text::new(
            "`a1 SEARCH RETURN (COUNT) UNSEEN` counts the unread.",
            "`a1 SEARCH RETURN (COUNT) UNSEEN` compte les non-lus.",
        ),
        "RFC 4731",
    ),
    capability(
        "ESORT",
        "Extended SORT",
        Text::new(
            "SORT can return what ESEARCH does, in order.",
            "SORT peut renvoyer ce que renvoie ESEARCH, dans l'ordre.",
        ),
        Text::new(
            "`a1 SORT RETURN (MIN) (DATE) UTF-8 ALL` finds the oldest.",
            "`a1 SORT RETURN (MIN) (DATE) UTF-8 ALL` trouve le plus ancien.",
        ),
        "RFC 5267 §3",
    ),
    capability(
        "FILTERS",
        "Filters",
        Text::new(
            "Searches may be kept under a name on the server.",
            "Des recherches peuvent être gardées sous un nom sur le serveur.",
        ),
        Text::new(
            "`a1 SEARCH FILTER name` uses one.",
            "`a1 SEARCH FILTER nom` en emploie une.",
        ),
        "RFC 5466",
    ),
    capability(
        "INPROGRESS",
        "Progress of a command",
        Text::new(
            "The server may tell how far a long command is.",
            "Le serveur peut dire où en est une longue commande.",
        ),
        Text::new(
            "`* OK [INPROGRESS (\"a1\" 50 100)]`: show it, and wait.",
            "`* OK [INPROGRESS (\"a1\" 50 100)]` : l'afficher, et attendre.",
        ),
        "RFC 9585",
    ),
    capability(
        "MESSAGELIMIT=",
        "Limit of messages per command",
        Text::new(
            "One command works on at most this many messages.",
            "Une commande agit sur ce nombre de messages au plus.",
        ),
        Text::new(
            "Cut longer sets into pieces.",
            "Découper les ensembles plus longs.",
        ),
        "RFC 9738",
    ),
    capability(
        "MOVE",
        "MOVE command",
        Text::new(
            "Messages can be moved in one step.",
            "On peut déplacer des messages en une seule étape.",
        ),
        Text::new(
            "MOVE in place of COPY, STORE \\Deleted, EXPUNGE.",
            "MOVE au lieu de COPY, STORE \\Deleted, EXPUNGE.",
        ),
        "RFC 6851",
    ),
    capability(
        "MULTIAPPEND",
        "Several messages in one APPEND",
        Text::new(
            "One APPEND stores many messages: all of them or none.",
            "Un seul APPEND dépose plusieurs messages : tous ou aucun.",
        ),
        Text::new("For imports.", "Pour les importations."),
        "RFC 3502",
    ),
    capability(
        "MULTISEARCH",
        "Search in several mailboxes",
        Text::new(
            "ESEARCH looks in several mailboxes at once.",
            "ESEARCH cherche dans plusieurs boîtes à la fois.",
        ),
        Text::new(
            "`a1 ESEARCH IN (personal) SUBJECT examen` looks everywhere.",
            "`a1 ESEARCH IN (personal) SUBJECT examen` cherche partout.",
        ),
        "RFC 7377",
    ),
    capability(
        "PARTIAL",
        "Paged results",
        Text::new(
            "Results of SEARCH and FETCH can be asked for page by page.",
            "Les résultats de SEARCH et FETCH peuvent être demandés page par page.",
        ),
        Text::new(
            "RETURN (PARTIAL -1:-50) brings the newest fifty.",
            "RETURN (PARTIAL -1:-50) apporte les cinquante derniers.",
        ),
        "RFC 9394",
    ),
    capability(
        "PREVIEW",
        "Preview of a message",
        Text::new(
            "The server makes the line or two that lists of messages show.",
            "Le serveur compose la ligne ou deux que montrent les listes de messages.",
        ),
        Text::new(
            "`a1 FETCH 1:20 (PREVIEW)` brings them.",
            "`a1 FETCH 1:20 (PREVIEW)` les apporte.",
        ),
        "RFC 8970",
    ),
    capability(
        "QRESYNC",
        "Quick resynchronization",
        Text::new(
            "With SELECT a client tells what it knows, and gets all changes since, deletions too.",
            "Avec SELECT, le client dit ce qu'il sait, et reçoit tous les changements depuis, suppressions comprises.",
        ),
        Text::new(
            "`a1 ENABLE QRESYNC` once; VANISHED comes in place of EXPUNGE.",
            "`a1 ENABLE QRESYNC` une fois ; VANISHED vient à la place de EXPUNGE.",
        ),
        "RFC 7162 §3.2",
    ),
    capability(
        "REPLACE",
        "REPLACE command",
        Text::new(
            "A draft can be replaced by its next version in one step.",
            "On peut remplacer un brouillon par sa version suivante en une étape.",
        ),
        Text::new(
            "`mailtool codes REPLACE` shows how.",
            "`mailtool codes REPLACE` montre comment.",
        ),
        "RFC 8508",
    ),
    capability(
        "SAVEDATE",
        "Date of saving",
        Text::new(
            "When a message came into this mailbox can be fetched and searched for.",
            "La date d'arrivée d'un message dans cette boîte peut être lue et cherchée.",
        ),
        Text::new(
            "Rules as \"delete after 30 days in the trash\" use it.",
            "Elle sert aux règles comme « supprimer après 30 jours de corbeille ».",
        ),
        "RFC 8514",
    ),
    capability(
        "SAVELIMIT=",
        "Limit of saved results",
        Text::new(
            "A saved result (SEARCHRES) holds at most this many messages.",
            "Un résultat gardé (SEARCHRES) contient ce nombre de messages au plus.",
        ),
        Text::new("Narrow the search.", "Restreindre la recherche."),
        "RFC 9738",
    ),
    capability(
        "SEARCH=FUZZY",
        "Fuzzy search",
        Text::new(
            "SEARCH can find what is like the word: misspelt, inflected.",
            "SEARCH peut trouver ce qui ressemble au mot : mal écrit, accordé.",
        ),
        Text::new(
            "`a1 SEARCH FUZZY SUBJECT messagerie` searches so.",
            "`a1 SEARCH FUZZY SUBJECT messagerie` cherche ainsi.",
        ),
        "RFC 6203",
    ),
    capability(
        "SEARCHRES",
        "Saved results",
        Text::new(
            "The next command may use a SEARCH's result as `$`.",
            "La commande suivante peut employer le résultat d'un SEARCH par `$`.",
        ),
        Text::new(
            "`a1 SEARCH RETURN (SAVE) UNSEEN`, then `a2 FETCH $ (FLAGS)`.",
            "`a1 SEARCH RETURN (SAVE) UNSEEN`, puis `a2 FETCH $ (FLAGS)`.",
        ),
        "RFC 5182",
    ),
    capability(
        "SORT",
        "SORT command",
        Text::new("The server sorts.", "Le serveur trie."),
        Text::new(
            "`a1 SORT (REVERSE DATE) UTF-8 ALL`: the newest first.",
            "`a1 SORT (REVERSE DATE) UTF-8 ALL` : les plus récents d'abord.",
        ),
        "RFC 5256",
    ),
    capability(
        "SORT=DISPLAY",
        "Sorting by displayed names",
        Text::new(
            "SORT knows the names that people see, DISPLAYFROM and DISPLAYTO, beside addresses.",
            "SORT connaît les noms affichés, DISPLAYFROM et DISPLAYTO, outre les adresses.",
        ),
        Text::new(
            "`a1 SORT (DISPLAYFROM) UTF-8 ALL` sorts by person.",
            "`a1 SORT (DISPLAYFROM) UTF-8 ALL` trie par personne.",
        ),
        "RFC 5957",
    ),
    capability(
        "STATUS=SIZE",
        "Size of a mailbox",
        Text::new(
            "STATUS can tell how large a mailbox is.",
            "STATUS peut dire la taille d'une boîte.",
        ),
        Text::new(
            "`a1 STATUS INBOX (SIZE)` asks for it.",
            "`a1 STATUS INBOX (SIZE)` la demande.",
        ),
        "RFC 8438",
    ),
    capability(
        "THREAD=",
        "THREAD command",
        Text::new(
            "The server puts messages in threads, by the algorithm named: ORDEREDSUBJECT by subject, REFERENCES by who answers \
             whom, REFS by the newest answer.",
            "Le serveur groupe les messages en fils, par l'algorithme nommé : ORDEREDSUBJECT selon l'objet, REFERENCES selon \
             qui répond à qui, REFS selon la réponse la plus récente.",
        ),
        Text::new(
            "`a1 THREAD REFERENCES UTF-8 ALL` shows the tree.",
            "`a1 THREAD REFERENCES UTF-8 ALL` montre l'arbre.",
        ),
        "RFC 5256",
    ),
    capability(
        "UIDBATCHES",
        "Ranges of UIDs",
        Text::new(
            "The server cuts a mailbox into ranges of UIDs that hold a given number of messages.",
            "Le serveur découpe une boîte en plages d'UID d'un nombre donné de messages.",
        ),
        Text::new(
            "Fetch one range after another.",
            "Relever une plage après l'autre.",
        ),
        "IANA imap-capabilities",
    ),
    capability(
        "UIDONLY",
        "UIDs only",
        Text::new(
            "Sequence numbers can be turned off: messages are named by UID alone.",
            "On peut renoncer aux numéros d'ordre : les messages sont nommés par leur seul UID.",
        ),
        Text::new(
            "`a1 ENABLE UIDONLY`; UIDFETCH comes in place of FETCH.",
            "`a1 ENABLE UIDONLY` ; UIDFETCH vient à la place de FETCH.",
        ),
        "RFC 9586",
    ),
    capability(
        "UIDPLUS",
        "UIDs of copies",
        Text::new(
            "APPEND and COPY tell the new UIDs ([APPENDUID], [COPYUID]), and UID EXPUNGE removes chosen messages only.",
            "APPEND et COPY donnent les nouveaux UID ([APPENDUID], [COPYUID]), et UID EXPUNGE ne retire que les messages choisis.",
        ),
        Text::new(
            "Use UID EXPUNGE where several programs share a mailbox.",
            "Employer UID EXPUNGE là où plusieurs logiciels partagent une boîte.",
        ),
        "RFC 4315",
    ),
    capability(
        "UNSELECT",
        "UNSELECT command",
        Text::new(
            "A mailbox can be left without removing what is marked \\Deleted.",
            "On peut quitter une boîte sans retirer ce qui est marqué \\Deleted.",
        ),
        Text::new("UNSELECT in place of CLOSE.", "UNSELECT au lieu de CLOSE."),
        "RFC 3691",
    ),
    capability(
        "URL-PARTIAL",
        "URLs of parts",
        Text::new(
            "A URL in CATENATE or URLAUTH may name a range of octets.",
            "Une URL de CATENATE ou URLAUTH peut désigner une plage d'octets.",
        ),
        Text::new(
            "PARTIAL=0.1024 at the end of the URL names the first 1024 octets.",
            "PARTIAL=0.1024 à la fin de l'URL désigne les 1024 premiers octets.",
        ),
        "RFC 5550",
    ),
    capability(
        "URLAUTH",
        "Authorized URLs",
        Text::new(
            "A URL can give somebody else, such as a submission server, access to one message.",
            "Une URL peut donner à un tiers, comme un serveur de dépôt, l'accès à un message.",
        ),
        Text::new(
            "GENURLAUTH makes one, URLFETCH reads it, RESETKEY revokes all.",
            "GENURLAUTH en crée une, URLFETCH la lit, RESETKEY les révoque toutes.",
        ),
        "RFC 4467",
    ),
    capability(
        "URLAUTH=BINARY",
        "Authorized URLs, decoded",
        Text::new(
            "URLFETCH can decode what it brings.",
            "URLFETCH peut décoder ce qu'il apporte.",
        ),
        Text::new(
            "Ask with URLFETCH (url BODYPARTSTRUCTURE BINARY).",
            "Le demander par URLFETCH (url BODYPARTSTRUCTURE BINARY).",
        ),
        "RFC 5524",
    ),
    capability(
        "WITHIN",
        "Search by age",
        Text::new(
            "SEARCH knows OLDER and YOUNGER, in seconds.",
            "SEARCH connaît OLDER et YOUNGER, en secondes.",
        ),
        Text::new(
            "`a1 SEARCH YOUNGER 3600`: the last hour.",
            "`a1 SEARCH YOUNGER 3600` : la dernière heure.",
        ),
        "RFC 5032",
    ),
];
