//! The lines of the answer to CAPA: RFC 2449 §6, and the extensions that add some.

use crate::wire::codes::{Entry, Kind, Text};

const SENT: Text = Text::new(
    "The server, in its answer to CAPA, a line each.",
    "Le serveur, en réponse à CAPA, une ligne chacune.",
);

const fn line(
    code: &'static str,
    name: &'static str,
    meaning: Text,
    next: Text,
    section: &'static str,
) -> Entry {
    Entry {
        kind: Kind::PopCapability,
        code,
        name,
        meaning,
        sent: SENT,
        next,
        section,
    }
}

/// In alphabetic order.
pub const POP3: &[Entry] = &[
    line(
        "AUTH-RESP-CODE",
        "Authentication response code",
        Text::new(
            "[AUTH] in brackets tells a wrong name or password from any other reason for which a login fails.",
            "[AUTH] entre crochets distingue un nom ou un mot de passe faux de toute autre cause d'échec.",
        ),
        Text::new(
            "Ask the person for the password again only after [AUTH]; else try again later.",
            "Ne redemander le mot de passe qu'après [AUTH] ; sinon, réessayer plus tard.",
        ),
        "RFC 3206 §6",
    ),
    line(
        "EXPIRE",
        "Retention policy",
        Text::new(
            "How many days the server keeps messages, at least; NEVER: it deletes none by itself; 0: none stays after RETR.",
            "Nombre de jours pendant lesquels le serveur garde les messages, au moins ; NEVER : il n'en supprime aucun de \
             lui-même ; 0 : aucun ne reste après RETR.",
        ),
        Text::new(
            "With 0 \"leave mail on the server\" cannot work: keep what you fetch.",
            "Avec 0, « laisser les messages sur le serveur » ne peut marcher : garder ce qu'on relève.",
        ),
        "RFC 2449 §6.7",
    ),
    line(
        "IMPLEMENTATION",
        "Implementation",
        Text::new(
            "Which program the server is.",
            "De quel logiciel il s'agit.",
        ),
        Text::new(
            "Useful in a report about a bug; change nothing in what you do because of it.",
            "Utile pour signaler une erreur ; ne rien changer à ce qu'on fait à cause de lui.",
        ),
        "RFC 2449 §6.9",
    ),
    line(
        "LANG",
        "Language of the texts",
        Text::new(
            "The texts after +OK and -ERR may be asked for in another language.",
            "Les textes après +OK et -ERR peuvent être demandés dans une autre langue.",
        ),
        Text::new(
            "`LANG` lists the languages, `LANG fr` chooses one.",
            "`LANG` énumère les langues, `LANG fr` en choisit une.",
        ),
        "RFC 6856 §3",
    ),
    line(
        "LOGIN-DELAY",
        "Minimum seconds between logins",
        Text::new(
            "Who logs in again sooner than after this many seconds may be refused; USER: it differs from user to user.",
            "Qui se reconnecte avant ce nombre de secondes peut être refusé ; USER : il dépend de l'utilisateur.",
        ),
        Text::new(
            "Look for mail less often than that.",
            "Relever le courrier moins souvent que cela.",
        ),
        "RFC 2449 §6.5",
    ),
    line(
        "PIPELINING",
        "Command pipelining",
        Text::new(
            "Several commands may be sent before the first is answered; the answers come in the same order.",
            "Plusieurs commandes peuvent partir avant la première réponse ; les réponses viennent dans le même ordre.",
        ),
        Text::new(
            "Send RETR 1, RETR 2, RETR 3 at once: no time is lost between messages.",
            "Envoyer RETR 1, RETR 2, RETR 3 d'un coup : on ne perd pas de temps entre les messages.",
        ),
        "RFC 2449 §6.6",
    ),
    line(
        "RESP-CODES",
        "Response codes",
        Text::new(
            "A text that begins with [ begins with a response code, as in `-ERR [IN-USE] ...`.",
            "Un texte qui commence par [ commence par un code de réponse, comme dans `-ERR [IN-USE] ...`.",
        ),
        Text::new(
            "`mailtool codes --list pop` shows them all.",
            "`mailtool codes --list pop` les montre tous.",
        ),
        "RFC 2449 §6.4",
    ),
    line(
        "SASL",
        "SASL mechanisms",
        Text::new(
            "AUTH is there; the words after SASL are the mechanisms that it takes.",
            "AUTH existe ; les mots après SASL sont les mécanismes qu'il accepte.",
        ),
        Text::new(
            "Choose the strongest that you know: SCRAM before PLAIN, PLAIN only under TLS.",
            "Choisir le plus fort que l'on connaît : SCRAM avant PLAIN, PLAIN seulement sous TLS.",
        ),
        "RFC 2449 §6.3, RFC 5034",
    ),
    line(
        "STLS",
        "STARTTLS for POP3",
        Text::new(
            "The connection can be encrypted with the command STLS.",
            "La connexion peut être chiffrée par la commande STLS.",
        ),
        Text::new(
            "STLS before USER; then CAPA again, because the list may have changed.",
            "STLS avant USER ; puis de nouveau CAPA, car la liste peut avoir changé.",
        ),
        "RFC 2595 §4",
    ),
    line(
        "TOP",
        "TOP command",
        Text::new(
            "TOP is there: a message's header and its first lines, without the rest.",
            "TOP existe : l'en-tête d'un message et ses premières lignes, sans le reste.",
        ),
        Text::new(
            "`TOP 1 0` shows the header alone.",
            "`TOP 1 0` montre l'en-tête seul.",
        ),
        "RFC 2449 §6.1",
    ),
    line(
        "UIDL",
        "UIDL command",
        Text::new(
            "UIDL is there: each message has a name that stays the same from session to session.",
            "UIDL existe : chaque message a un nom qui reste le même d'une session à l'autre.",
        ),
        Text::new(
            "Remember the names of what you have fetched, and you can leave it on the server.",
            "Retenir le nom de ce qu'on a relevé permet de le laisser sur le serveur.",
        ),
        "RFC 2449 §6.8",
    ),
    line(
        "USER",
        "USER and PASS commands",
        Text::new(
            "USER and PASS are taken. Servers leave the line out where the password would travel in clear.",
            "USER et PASS sont acceptés. Un serveur omet la ligne là où le mot de passe passerait en clair.",
        ),
        Text::new(
            "Where it is missing: STLS first, or AUTH.",
            "S'il manque : d'abord STLS, ou bien AUTH.",
        ),
        "RFC 2449 §6.2",
    ),
    line(
        "UTF8",
        "UTF-8 support",
        Text::new(
            "Mail with addresses and headers in UTF-8 can be fetched as it is; `UTF8 USER`: names and passwords may be UTF-8 too.",
            "Le courrier dont adresses et en-têtes sont en UTF-8 peut être relevé tel quel ; `UTF8 USER` : noms et mots de \
             passe peuvent l'être aussi.",
        ),
        Text::new(
            "Say UTF8 before the login if you understand such mail.",
            "Dire UTF8 avant de s'identifier si l'on comprend ce courrier.",
        ),
        "RFC 6856 §2",
    ),
];
