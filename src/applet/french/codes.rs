//! The French help of `codes`.

use super::{ABOUT, AFTER, Table};

pub(super) const TABLE: Table = &[
    (
        ABOUT,
        "Explique codes de réponse, états, commandes et ports du courrier, en français et en anglais",
    ),
    (
        "WORD",
        "Un code, un motif (x vaut n'importe quel chiffre), une commande, une extension, un service ou un port, ou une ligne d'un dialogue entre guillemets",
    ),
    (
        "lang",
        "Langue des explications ; sans elle, celle de LC_ALL, LC_MESSAGES ou LANG",
    ),
    ("json", "Écrire un tableau d'objets JSON"),
    (
        "markdown",
        "Écrire du Markdown : une section par mot, un tableau par liste",
    ),
    ("list", "Écrire toute une table"),
    (
        "search",
        "Écrire ce qui parle de WORD, dans l'une ou l'autre langue ; les accents ne comptent pas",
    ),
    (
        "quiz",
        "Poser des questions, sur une table ou sur toutes, et compter les points ; q termine",
    ),
    ("count", "Nombre de questions de --quiz"),
    (
        "seed",
        "Les mêmes questions qu'une autre fois ; sans lui, d'autres à chaque fois",
    ),
    (
        AFTER,
        "Exemples :\n  \
         mailtool codes 550              un code de réponse SMTP, chiffre par chiffre\n  \
         mailtool codes 550 5.7.1        avec son code d'état étendu\n  \
         mailtool codes 55x              ceux qui commencent par 55 ; ou x5x, 5, 5.7\n  \
         mailtool codes NO -ERR +OK      états d'IMAP et de POP3\n  \
         mailtool codes '[TRYCREATE]'    un code de réponse\n  \
         mailtool codes RCPT             une commande\n  \
         mailtool codes CONDSTORE        ce qu'un serveur sait faire\n  \
         mailtool codes smtp 993         un service : port et transport\n  \
         mailtool codes --list smtp      toute une table\n  \
         mailtool codes --search quota   tout ce qui en parle\n  \
         mailtool nc -C mx 25 | mailtool codes\n  \
         mailtool codes <retour.eml      qui n'a pas été joint, et pourquoi\n  \
         mailtool codes --quiz smtp      des questions\n\n\
         Code de retour : 0 expliqué, 1 un mot est inconnu (les plus proches sont nommés).",
    ),
];
