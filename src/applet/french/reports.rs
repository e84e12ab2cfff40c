//! What commands say when they are done, and a server while it runs: English with places, French with the same places; see `said`.

use super::Table;

pub(super) const TABLE: Table = &[
    // What is done.
    ("the queue is empty", "la file est vide"),
    ("nothing goes wrong on purpose", "rien n'échoue exprès"),
    ("rule {} stands", "la règle {} est posée"),
    ("rules {} stand", "les règles {} sont posées"),
    ("rule {} is cleared", "la règle {} est effacée"),
    (
        "{} cleared, nothing goes wrong on purpose any more",
        "{} effacée(s), plus rien n'échoue exprès",
    ),
    (
        "everything that waits is tried now",
        "tout ce qui attend est essayé maintenant",
    ),
    ("{} is tried now", "{} est essayé maintenant"),
    (
        "{} is held: release it first",
        "{} est retenu : le relâcher d'abord",
    ),
    (
        "{} is gone; its mail is still there.",
        "{} n'est plus là ; son courrier y est encore.",
    ),
    ("{} has another password.", "{} a un autre mot de passe."),
    ("{} has an account.{:}", "{} a un compte.{:}"),
    (
        " {} has been made: a server that is running without it is to be started again.",
        " {} vient d'être fait : un serveur qui tourne sans lui est à relancer.",
    ),
    ("All is well.", "Tout va bien."),
    (
        "{} kinds of faults mended.",
        "{} sortes de défauts réparées.",
    ),
    (
        "{} kinds of faults: --repair mends what can be mended.",
        "{} sortes de défauts : --repair répare ce qui peut l'être.",
    ),
    (
        "{} kinds of faults mended, {} left.",
        "{} sortes de défauts réparées, {} restent.",
    ),
    // What `serve mailbox` finds.
    ("such as {}", "par exemple {}"),
    (
        "folders left of a mailbox that was deleted",
        "dossiers qui restent d'une boîte supprimée",
    ),
    (
        "folders whose name is not modified UTF-7, so that no client sees them",
        "dossiers dont le nom n'est pas en UTF-7 modifié, si bien qu'aucun client ne les voit",
    ),
    (
        "subscriptions to mailboxes that are not there",
        "abonnements à des boîtes qui n'existent pas",
    ),
    (
        "sums of the quota that are wrong",
        "sommes du quota qui sont fausses",
    ),
    (
        "damaged caches, which are made anew",
        "caches abîmés, qui sont refaits",
    ),
    (
        "messages whose size is not what their name or dovecot-uidlist says",
        "messages dont la taille n'est pas celle que dit leur nom ou dovecot-uidlist",
    ),
    (
        "directories that a Maildir must have and that are missing",
        "dossiers qu'un Maildir doit avoir et qui manquent",
    ),
    (
        "files that are no messages (directories, links ...) among the mail",
        "fichiers qui ne sont pas des messages (dossiers, liens ...) parmi le courrier",
    ),
    ("messages without a UID yet", "messages encore sans UID"),
    (
        "messages of the same name as another one",
        "messages du même nom qu'un autre",
    ),
    (
        "messages with a keyword that dovecot-keywords has no name for",
        "messages avec un mot-clé que dovecot-keywords ne nomme pas",
    ),
    (
        "messages without a single octet",
        "messages sans un seul octet",
    ),
    (
        "messages that cannot be read",
        "messages qui ne peuvent être lus",
    ),
    (
        "lines in {} of messages that are gone, which do no harm",
        "lignes dans {} pour des messages partis, qui ne font pas de mal",
    ),
    (
        "files in tmp/ that nobody will finish, of more than 36 hours",
        "fichiers dans tmp/ que personne ne finira, de plus de 36 heures",
    ),
    (
        "files in tmp/ that somebody may be writing",
        "fichiers dans tmp/ que quelqu'un écrit peut-être",
    ),
    (
        "lines that cannot be read in dovecot-uidlist",
        "lignes de dovecot-uidlist qui ne peuvent être lues",
    ),
    (
        "UIDs that two messages have in dovecot-uidlist",
        "UID que deux messages ont dans dovecot-uidlist",
    ),
    (
        "UIDs that do not ascend in dovecot-uidlist",
        "UID qui ne montent pas dans dovecot-uidlist",
    ),
    (
        "messages with two UIDs in dovecot-uidlist",
        "messages à deux UID dans dovecot-uidlist",
    ),
    (
        "torn last line in dovecot-uidlist",
        "dernière ligne déchirée dans dovecot-uidlist",
    ),
    (
        "damaged first line in dovecot-uidlist",
        "première ligne abîmée dans dovecot-uidlist",
    ),
    (
        "No message is there twice.",
        "Aucun message n'est là deux fois.",
    ),
    ("{} deleted, {} octets.", "{} supprimés, {} octets."),
    (
        "{} could be deleted, {} octets: --delete does it.",
        "{} pourraient être supprimés, {} octets : --delete le fait.",
    ),
    // `serve trace`.
    (
        "from <{}> to {}: delivered into the mailbox",
        "de <{}> à {} : remis dans la boîte",
    ),
    (
        "queued, from <{}> to {}, {} octets",
        "mis en file, de <{}> à {}, {} octets",
    ),
    (
        "{}: not there: {}; asked next is {}",
        "{} : pas là : {} ; le suivant est {}",
    ),
    (
        "<{}>: delivered into the mailbox",
        "<{}> : remis dans la boîte",
    ),
    ("<{}>: passed on, {}", "<{}> : transmis, {}"),
    ("<{}>: failed, {}", "<{}> : échec, {}"),
    ("<{}>: given up, {}", "<{}> : abandonné, {}"),
    (
        "<{}>: not now, next attempt {}: {}",
        "<{}> : pas maintenant, essai suivant {} : {}",
    ),
    ("dropped", "effacé"),
    ("held", "retenu"),
    ("released", "relâché"),
    ("done, and out of the queue", "terminé, et hors de la file"),
    // What a server says while it runs, on a terminal.
    (
        "stopping: {} connections to close",
        "arrêt : {} connexions à fermer",
    ),
    (
        "{} connections did not end in time",
        "{} connexions n'ont pas fini à temps",
    ),
    (
        "no more connections are accepted for now ({} are open): {:}; raise the limit of open files (ulimit -n) if this happens often",
        "plus aucune connexion n'est acceptée pour l'instant ({} sont ouvertes) : {:} ; relever la limite de fichiers ouverts (ulimit -n) si cela arrive souvent",
    ),
    (
        "the certificate {} is not for {}; remove {} to have a new one made, and import its ca.pem again",
        "le certificat {} n'est pas pour {} ; effacer {} pour qu'un nouveau soit fait, et importer de nouveau son ca.pem",
    ),
    ("session {}: fault: {}", "session {} : panne : {}"),
    (
        "message {}: fault: the delivery to <{}> is {} by its name",
        "message {} : panne : la remise à <{}> est {} d'après son nom",
    ),
    (
        "rule{} {} {}: faults are made on purpose: {}",
        "règle{} {} ({}) : des pannes sont faites exprès : {}",
    ),
    ("SIGHUP: {} accounts", "SIGHUP : {} comptes"),
    (
        "SIGHUP: users and aliases stay as they were: {:}",
        "SIGHUP : comptes et alias restent ce qu'ils étaient : {:}",
    ),
    (
        "SIGHUP: the certificate stays as it was: {:}",
        "SIGHUP : le certificat reste ce qu'il était : {:}",
    ),
    (
        "no control socket {}: {:}; `mailtool serve queue` will not reach this server",
        "pas de socket de commande {} : {:} ; `mailtool serve queue` n'atteindra pas ce serveur",
    ),
    (
        "{} messages were taken: that is enough (--exit-after)",
        "{} messages ont été pris : cela suffit (--exit-after)",
    ),
    (
        "{} messages are in the queue",
        "{} messages sont dans la file",
    ),
    (
        "progress of the class is not kept: {:}",
        "l'avancement de la classe n'est pas gardé : {:}",
    ),
    (
        "message {} could not be written: {:}",
        "le message {} n'a pu être écrit : {:}",
    ),
    (
        "message {} could not be delivered to {} of {} recipients: {:}",
        "le message {} n'a pu être remis à {} destinataires sur {} : {:}",
    ),
    ("{} session {}, {}: {:}", "session {} {}, {} : {:}"),
    ("{} took too long", "{} a pris trop de temps"),
];
