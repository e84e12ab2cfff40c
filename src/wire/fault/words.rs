//! All words of a rule, with their meaning: what the help and the errors are made from, and what the manual is checked against.

use std::fmt::Write;

use crate::wire::codes::{Lang, Text};

/// A word, how it is written, and what it means.
#[derive(Clone, Copy, Debug)]
pub struct Word {
    /// As a rule has it, without `=`.
    pub name: &'static str,
    /// With its value.
    pub form: &'static str,
    /// What it means.
    pub meaning: Text,
}

/// Protocols: the first word of a rule.
pub const SCOPES: &[Word] = &[
    word(
        "smtp",
        "smtp",
        "SMTP, submission and LMTP",
        "SMTP, la soumission et LMTP",
    ),
    word(
        "submission",
        "submission",
        "submission only",
        "la soumission seulement",
    ),
    word("lmtp", "lmtp", "LMTP only", "LMTP seulement"),
    word("pop3", "pop3", "POP3", "POP3"),
    word("imap", "imap", "IMAP", "IMAP"),
    word("any", "any", "all of them", "tous"),
];

/// Stages: the second word, where it is no command.
pub const STAGES: &[Word] = &[
    word(
        "connect",
        "connect",
        "before the greeting",
        "avant l'accueil",
    ),
    word(
        "tls",
        "tls",
        "when TLS starts, by STARTTLS or from the first octet on",
        "au début de TLS, par STARTTLS ou dès le premier octet",
    ),
    word(
        "login",
        "login",
        "whenever a password is given: AUTH, PASS, APOP, LOGIN, AUTHENTICATE",
        "à chaque mot de passe : AUTH, PASS, APOP, LOGIN, AUTHENTICATE",
    ),
    word(
        "text",
        "text",
        "while a message comes in: DATA, BDAT, APPEND",
        "pendant l'arrivée d'un message : DATA, BDAT, APPEND",
    ),
    word(
        "message",
        "message",
        "when a message is whole, before it is taken (SMTP)",
        "quand un message est complet, avant qu'il soit accepté (SMTP)",
    ),
    word(
        "any",
        "any",
        "at every command; else a command such as rcpt, retr, fetch",
        "à chaque commande ; sinon une commande telle que rcpt, retr, fetch",
    ),
];

/// Conditions: all of them have to hold.
pub const CONDITIONS: &[Word] = &[
    word(
        "address",
        "address=NET",
        "the client's address, such as 127.0.0.1 or 192.0.2.0/24",
        "l'adresse du client, telle que 127.0.0.1 ou 192.0.2.0/24",
    ),
    word(
        "user",
        "user=PATTERN",
        "who is logged in, or logs in; * is any text, ? any letter",
        "qui est identifié, ou s'identifie ; * est un texte, ? une lettre",
    ),
    word(
        "from",
        "from=PATTERN",
        "the sender of the message (SMTP)",
        "l'expéditeur du message (SMTP)",
    ),
    word(
        "to",
        "to=PATTERN",
        "the recipient, or one of them (SMTP)",
        "le destinataire, ou l'un d'eux (SMTP)",
    ),
    word(
        "phase",
        "phase=anonymous|user|selected|clear|tls",
        "nobody is logged in; somebody is; a mailbox is open (IMAP); without TLS; with TLS",
        "personne d'identifié ; quelqu'un ; une boîte ouverte (IMAP) ; sans TLS ; sous TLS",
    ),
    word(
        "connection",
        "connection=N",
        "the Nth connection since the rule stands: 3, 2-4, 3-, or /5 for every fifth",
        "la Nième connexion depuis que la règle existe : 3, 2-4, 3-, ou /5 pour une sur cinq",
    ),
    word(
        "message",
        "message=N",
        "the Nth message of a connection (SMTP), or the message of this number (POP3, IMAP)",
        "le Nième message de la connexion (SMTP), ou le message de ce numéro (POP3, IMAP)",
    ),
    word(
        "nth",
        "nth=N",
        "the Nth time that all of this holds",
        "la Nième fois que tout cela est vrai",
    ),
    word(
        "chance",
        "chance=PERCENT",
        "in so many of a hundred cases, the same ones for the same seed",
        "dans tant de cas sur cent, les mêmes pour la même graine",
    ),
    word(
        "seed",
        "seed=N",
        "what chance begins with, in place of --fault-seed",
        "ce dont part le hasard, au lieu de --fault-seed",
    ),
    word(
        "times",
        "times=N",
        "N times, and then no more: fail N times, then accept",
        "N fois, puis plus : N échecs, puis accord",
    ),
    word(
        "per",
        "per=connection|address|user|from|to",
        "nth, times and limit count apart for each of these",
        "nth, times et limit comptent à part pour chacun",
    ),
    word(
        "greylist",
        "greylist=TIME",
        "until the sender and the recipient from this network have been known for so long; replies 451 unless told",
        "jusqu'à ce que l'expéditeur et le destinataire de ce réseau soient connus depuis ce temps ; répond 451 par défaut",
    ),
    word(
        "limit",
        "limit=N/TIME",
        "when it was more than N times in TIME; replies 450 unless told",
        "quand c'était plus de N fois en TIME ; répond 450 par défaut",
    ),
];

/// What happens.
pub const ACTIONS: &[Word] = &[
    word(
        "reply",
        "reply=TEXT",
        "this is said, and nothing is done: 450 4.2.0 busy; -ERR [IN-USE] locked; NO [LIMIT] later; a 421 and a BYE end the connection",
        "ceci est dit, et rien n'est fait : 450 4.2.0 occupé ; -ERR [IN-USE] verrouillé ; NO [LIMIT] plus tard ; 421 et BYE ferment la connexion",
    ),
    word(
        "delay",
        "delay=TIME",
        "so long before anything is done: 500ms, 5s, 1m, or 1s-5s",
        "attendre avant de faire quoi que ce soit : 500ms, 5s, 1m, ou 1s-5s",
    ),
    word(
        "throttle",
        "throttle=N",
        "N octets a second each way, from now to the end of the connection: 100, 4K, or 100-1000",
        "N octets par seconde dans chaque sens, d'ici à la fin de la connexion : 100, 4K, ou 100-1000",
    ),
    word(
        "drop",
        "drop",
        "the connection ends without a word; with reply, after it",
        "la connexion se ferme sans un mot ; avec reply, après la réponse",
    ),
    word(
        "reset",
        "reset",
        "the same, broken off: RST in place of FIN, an error at the other end",
        "de même, brutalement : RST au lieu de FIN, une erreur à l'autre bout",
    ),
    word(
        "after",
        "after=N",
        "with drop: the command is done, and N octets of its reply pass; at text, N octets of the message come in",
        "avec drop : la commande est faite, et N octets de sa réponse passent ; à text, N octets du message arrivent",
    ),
    word(
        "garbage",
        "garbage, garbage=N",
        "octets that are no reply, in place of it",
        "des octets qui ne sont pas une réponse, à sa place",
    ),
    word(
        "hide",
        "hide=NAME,NAME",
        "capabilities that are not told of: hide=STARTTLS,SIZE",
        "des capacités qui ne sont pas annoncées : hide=STARTTLS,SIZE",
    ),
    word(
        "short",
        "short, short=N",
        "so many octets are missing at the end of the message or literal (POP3, IMAP)",
        "il manque autant d'octets à la fin du message ou du littéral (POP3, IMAP)",
    ),
    word(
        "count",
        "count=+N, count=-N",
        "wrong counts: of messages by STAT, LIST, EXISTS, MESSAGES; of octets by RETR, FETCH (POP3, IMAP)",
        "des nombres faux : de messages dans STAT, LIST, EXISTS, MESSAGES ; d'octets dans RETR, FETCH (POP3, IMAP)",
    ),
    word(
        "full",
        "full",
        "what is said when the disk is full",
        "ce qui se dit quand le disque est plein",
    ),
    word(
        "tls",
        "tls=fail|expired|name|self",
        "at the stage tls: the handshake fails; the certificate has expired, is for another name, is signed by nobody",
        "à l'étape tls : la négociation échoue ; le certificat a expiré, est pour un autre nom, n'est signé par personne",
    ),
];

/// Rules as they are typed, and what for.
pub const EXAMPLES: &[(&str, Text)] = &[
    (
        "smtp rcpt to=alice@* reply=450 4.2.0 busy times=2",
        Text {
            en: "alice is refused twice, then taken",
            fr: "alice est refusée deux fois, puis acceptée",
        },
    ),
    (
        "smtp mail greylist=5m",
        Text {
            en: "come back in five minutes",
            fr: "revenez dans cinq minutes",
        },
    ),
    (
        "smtp message drop after=0",
        Text {
            en: "the message is taken, the reply is lost",
            fr: "le message est pris, la réponse perdue",
        },
    ),
    (
        "smtp text drop after=1000",
        Text {
            en: "the line breaks within DATA",
            fr: "la ligne se coupe au milieu de DATA",
        },
    ),
    (
        "smtp ehlo hide=STARTTLS",
        Text {
            en: "STARTTLS is not offered",
            fr: "STARTTLS n'est pas proposé",
        },
    ),
    (
        "any login chance=20% delay=1s-5s",
        Text {
            en: "one login in five is slow",
            fr: "une identification sur cinq est lente",
        },
    ),
    (
        "pop3 retr message=2 short=100",
        Text {
            en: "message 2 ends too early",
            fr: "le message 2 finit trop tôt",
        },
    ),
    (
        "imap fetch drop after=500",
        Text {
            en: "the line breaks within a reply",
            fr: "la ligne se coupe au milieu d'une réponse",
        },
    ),
    (
        "any tls tls=expired",
        Text {
            en: "the certificate has expired",
            fr: "le certificat a expiré",
        },
    ),
];

/// Everything about rules on one page: `--fault help`.
pub fn page(lang: Lang) -> String {
    let mut page = String::new();
    let heads: [(Text, &[Word]); 4] = [
        (
            Text {
                en: "First the protocol:",
                fr: "D'abord le protocole :",
            },
            SCOPES,
        ),
        (
            Text {
                en: "Then the stage, or a command:",
                fr: "Puis l'étape, ou une commande :",
            },
            STAGES,
        ),
        (
            Text {
                en: "Conditions, as many as wanted; all have to hold:",
                fr: "Des conditions, autant qu'on veut ; toutes doivent être vraies :",
            },
            CONDITIONS,
        ),
        (
            Text {
                en: "What happens, one at least:",
                fr: "Ce qui arrive, au moins une chose :",
            },
            ACTIONS,
        ),
    ];
    page.push_str(
        Text {
            en: "A fault rule: PROTOCOL STAGE [CONDITION ...] ACTION ...\n",
            fr: "Une règle de panne : PROTOCOLE ÉTAPE [CONDITION ...] ACTION ...\n",
        }
        .of(lang),
    );
    for (head, words) in heads {
        // Writing to a string cannot fail.
        let _ = writeln!(page, "\n{}", head.of(lang));
        for word in words {
            explain(&mut page, word.form, word.meaning.of(lang));
        }
    }
    page.push_str(
        Text {
            en: "\nThe text of a reply goes on to the next word with = that stands in this table;\nquotes hold words together. \
                 Rules are tried in their order: delays add up, the\nfirst outcome counts.\n\nExamples:\n",
            fr: "\nLe texte d'une réponse va jusqu'au prochain mot avec = de cette table ; des\nguillemets tiennent des mots ensemble. \
                 Les règles sont essayées dans l'ordre :\nles délais s'ajoutent, la première issue compte.\n\nExemples :\n",
        }
        .of(lang),
    );
    for (rule, meaning) in EXAMPLES {
        let _ = writeln!(page, "  {rule}\n      {}", meaning.of(lang));
    }
    page.push_str(
        Text {
            en: "\nlab:1 ... lab:11 are the faults to diagnose of `mailtool man lab`.\n",
            fr: "\nlab:1 ... lab:11 sont les pannes à diagnostiquer de `mailtool man lab`.\n",
        }
        .of(lang),
    );
    page
}

/// A word and what it means, in lines that fit a terminal; none begins with a mark, which in French stands behind a space.
fn explain(page: &mut String, form: &str, meaning: &str) {
    const COLUMN: usize = 24;
    // Writing to a string cannot fail.
    let _ = write!(page, "  {form:<0$}", COLUMN - 2);
    if form.chars().count() + 2 > COLUMN {
        let _ = write!(page, "\n{:COLUMN$}", "");
    }
    let mut at = COLUMN;
    for word in meaning.split(' ') {
        let width = word.chars().count() + 1;
        if at + width > 79 && width > 2 {
            let _ = write!(page, "\n{:COLUMN$}", "");
            at = COLUMN;
        }
        page.extend([" ", word]);
        at += width;
    }
    page.push('\n');
}

const fn word(name: &'static str, form: &'static str, en: &'static str, fr: &'static str) -> Word {
    Word {
        name,
        form,
        meaning: Text { en, fr },
    }
}
