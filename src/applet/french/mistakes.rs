//! What is wrong with what was given - values, words of a command line, rules of faults - and what the system says: English with places,
//! French with the same places; see `said`.

use super::Table;

pub(super) const TABLE: Table = &[
    // Values of options.
    (
        "give an IP address of this machine, such as 127.0.0.1 or ::1; 0.0.0.0 and :: are all of them",
        "donner une adresse IP de cette machine, comme 127.0.0.1 ou ::1 ; 0.0.0.0 et :: sont toutes",
    ),
    (
        "give ADDRESS:PORT, such as {}:2525 or [::1]:2525, a PORT alone, or off",
        "donner ADRESSE:PORT, comme {}:2525 ou [::1]:2525, un PORT seul, ou off",
    ),
    (
        "give the path of the socket, as in unix:/run/mail/lmtp",
        "donner le chemin de la socket, comme unix:/run/mail/lmtp",
    ),
    (
        "a name has 255 octets at most, and 63 between dots",
        "un nom a 255 octets au plus, et 63 entre deux points",
    ),
    (
        "give a name such as mail.example.org",
        "donner un nom comme mail.example.org",
    ),
    (
        "give NAME:PASSWORD, such as alice:secret",
        "donner NOM:MOTDEPASSE, comme alice:secret",
    ),
    (
        "give one character, such as + or -, or off",
        "donner un caractère, comme + ou -, ou off",
    ),
    (
        "{:}; give alice, or alice@example.org",
        "{:} ; donner alice, ou alice@example.org",
    ),
    ("there is no address", "il n'y a pas d'adresse"),
    (
        "there is a space in the name before the @",
        "il y a une espace dans le nom avant le @",
    ),
    (
        "give a number of octets, such as {}",
        "donner un nombre d'octets, comme {}",
    ),
    (
        "give a number of messages, 1 or more",
        "donner un nombre de messages, 1 ou plus",
    ),
    ("give a number, 1 or more", "donner un nombre, 1 ou plus"),
    (
        "give a number; 0 is no limit",
        "donner un nombre ; 0 est sans limite",
    ),
    (
        "give a number from 1 to 10000",
        "donner un nombre de 1 à 10000",
    ),
    (
        "a network is written as 192.0.2.0/24, 2001:db8::/32 or 127.0.0.1",
        "un réseau s'écrit 192.0.2.0/24, 2001:db8::/32 ou 127.0.0.1",
    ),
    (
        "give a time such as 30s, 5m, 4h or 5d",
        "donner un temps comme 30s, 5m, 4h ou 5d",
    ),
    (
        "give seconds, such as 10 or 0.5, or a time such as 30s or 5m; 0 is for ever",
        "donner des secondes, comme 10 ou 0.5, ou un temps comme 30s ou 5m ; 0 est sans fin",
    ),
    (
        "a number of seconds, more than 0 and at most {}",
        "un nombre de secondes, plus que 0 et au plus {}",
    ),
    (
        "give HOST:PORT, such as mail.example.org:25, 192.0.2.1:25 or [2001:db8::1]:25",
        "donner MACHINE:PORT, comme mail.example.org:25, 192.0.2.1:25 ou [2001:db8::1]:25",
    ),
    (
        "give DOMAIN=HOST:PORT, such as example.org=192.0.2.1:25",
        "donner DOMAINE=MACHINE:PORT, comme example.org=192.0.2.1:25",
    ),
    (
        "give a domain, .DOMAIN for all below it, or * for all",
        "donner un domaine, .DOMAINE pour tout ce qui est dessous, ou * pour tous",
    ),
    (
        "give the address of a name server, such as 192.0.2.53 or 127.0.0.1:5353",
        "donner l'adresse d'un serveur de noms, comme 192.0.2.53 ou 127.0.0.1:5353",
    ),
    (
        "{} is no step: give one of {}",
        "{} n'est pas une étape : donner l'une de {}",
    ),
    (
        "there is no such mechanism here: there are {}",
        "ce mécanisme n'existe pas ici : il y a {}",
    ),
    ("give USER:TOKEN", "donner UTILISATEUR:JETON"),
    ("give en or fr", "donner en ou fr"),
    ("give one of {}", "donner l'un de {}"),
    (
        "write HOST, HOST:PORT, or [IPv6 address]:PORT",
        "écrire MACHINE, MACHINE:PORT, ou [adresse IPv6]:PORT",
    ),
    (
        "{} is no protocol, user, mailbox, address or number: give such as smtp,alice or 192.0.2.7",
        "{} n'est ni un protocole, ni un utilisateur, ni une boîte, ni une adresse, ni un numéro : donner par exemple smtp,alice ou 192.0.2.7",
    ),
    (
        "--after {}: give what a message is called, a moment such as 2026-11-26T14:00:00Z, or what --mark printed",
        "--after {} : donner le nom d'un message, un moment comme 2026-11-26T14:00:00Z, ou ce que --mark a écrit",
    ),
    (
        "--after {}: the server does not remember such a message",
        "--after {} : le serveur ne se rappelle pas un tel message",
    ),
    (
        "{} of {} messages that match came within {} s",
        "{} messages sur {} qui conviennent sont venus en {} s",
    ),
    (
        "{} failed ({}): there is nothing to wait for",
        "{} a échoué ({}) : il n'y a rien à attendre",
    ),
    (
        "{} failed ({}), though the message came",
        "{} a échoué ({}), bien que le message soit venu",
    ),
    ("{}: cannot be run: {:}", "{} : exécution impossible : {:}"),
    (
        "the server at {} does not answer",
        "le serveur de {} ne répond pas",
    ),
    (
        "{} is for the user that the server runs as: ask as that one, or as root",
        "{} est à l'utilisateur qui fait tourner le serveur : demander sous ce nom, ou en tant que root",
    ),
    (
        "{} is no name of a message, nor a domain",
        "{} n'est ni le nom d'un message, ni un domaine",
    ),
    (
        "{} is no store: --store DIR says where the mail is",
        "{} n'est pas un dossier de courrier : --store DIR dit où il est",
    ),
    (
        "there is no user {}: --users and --domain say who is here",
        "il n'y a pas d'utilisateur {} : --users et --domain disent qui est ici",
    ),
    (
        "{}: there is no mailbox {}",
        "{} : il n'y a pas de boîte {}",
    ),
    (
        "sessions are off, by the file of --config",
        "les sessions ne sont pas gardées, d'après le fichier de --config",
    ),
    // A client's command line.
    (
        "--from {}: one address, not {}",
        "--from {} : une adresse, non {}",
    ),
    (
        "{} holds {}: no line end and no other control character may stand there",
        "{} contient {} : ni fin de ligne ni autre caractère de commande n'y a sa place",
    ),
    (
        "whose mail? Add --user NAME; the password comes from --password-file FILE, from MAILTOOL_PASSWORD, or is asked for (`mailtool serve` without users has alice with password alice, and bob with bob)",
        "le courrier de qui ? Ajouter --user NOM ; le mot de passe vient de --password-file FICHIER, de MAILTOOL_PASSWORD, ou est demandé (`mailtool serve` sans comptes a alice, mot de passe alice, et bob, bob)",
    ),
    (
        "no password for {}, and no terminal to ask on: give --password-file FILE, or set MAILTOOL_PASSWORD",
        "pas de mot de passe pour {}, ni de terminal où le demander : donner --password-file FICHIER, ou la variable MAILTOOL_PASSWORD",
    ),
    (
        "no password for {}, and no terminal to ask on: give --password-file FILE, or - for standard input",
        "pas de mot de passe pour {}, ni de terminal où le demander : donner --password-file FICHIER, ou - pour l'entrée standard",
    ),
    (
        "a password, but for whom? Add --user NAME",
        "un mot de passe, mais pour qui ? Ajouter --user NOM",
    ),
    (
        "{}; give the authority that has with --ca FILE (`mailtool serve` keeps its own in STORE/tls/ca.pem, and prints where that is); {:}",
        "{} ; donner son autorité par --ca FICHIER (`mailtool serve` garde la sienne dans STORE/tls/ca.pem, et dit où) ; {:}",
    ),
    (
        "{}: UIDs are numbers from 1 on, ranges such as 3:7, and * for the last message, with commas between; `imap list` shows them",
        "{} : les UID sont des nombres à partir de 1, des suites comme 3:7, et * pour le dernier message, avec des virgules entre eux ; `imap list` les montre",
    ),
    (
        "Type the message, and end it with Ctrl-D:",
        "Taper le message, et finir par Ctrl-D :",
    ),
    (
        "{}; where LMTP is spoken, add --lmtp",
        "{} ; si l'on y parle LMTP, ajouter --lmtp",
    ),
    (
        "{}; where SMTP is spoken, leave --lmtp away",
        "{} ; si l'on y parle SMTP, omettre --lmtp",
    ),
    (
        "TLS secrets are not logged to the file that SSLKEYLOGFILE names, {:}",
        "les secrets de TLS ne vont pas dans le fichier que nomme SSLKEYLOGFILE, {:}",
    ),
    (
        "the capture is not complete: {:}",
        "la capture n'est pas complète : {:}",
    ),
    (
        "this program was built without taps: it cannot show or keep what is said",
        "ce programme est construit sans observateurs : il ne peut ni montrer ni garder ce qui se dit",
    ),
    // `mailtool` itself.
    (
        "--install needs the folder that the links are made in: mailtool --install -s ~/bin",
        "--install demande le dossier où faire les liens : mailtool --install -s ~/bin",
    ),
    (
        "{}: is there already; --force replaces it",
        "{} : existe déjà ; --force le remplace",
    ),
    (
        "{}: on another file system than {}; -s makes symbolic links",
        "{} : sur un autre système de fichiers que {} ; -s fait des liens symboliques",
    ),
    ("cannot make {}", "impossible de faire {}"),
    // Rules of faults.
    (
        "a rule begins with a protocol: {}",
        "une règle commence par un protocole : {}",
    ),
    (
        "a rule is one line of text",
        "une règle est une ligne de texte",
    ),
    (
        "a rule has {} octets at most",
        "une règle a {} octets au plus",
    ),
    ("no condition and no action{:}", "ni condition ni action{:}"),
    ("it is written {}", "cela s'écrit {}"),
    (
        "give a part of a hundred, such as chance=20% or chance=0.5%",
        "donner une part de cent, comme chance=20% ou chance=0.5%",
    ),
    (
        "give a number, such as seed=7",
        "donner un nombre, comme seed=7",
    ),
    (
        "write it as limit=10/1m: ten in a minute",
        "écrire limit=10/1m : dix par minute",
    ),
    (
        "give octets a second, such as 100, 4K or 100-1000",
        "donner des octets par seconde, comme 100, 4K ou 100-1000",
    ),
    ("give 1 to {} octets", "donner de 1 à {} octets"),
    (
        "give what is to be added, such as count=+1 or count=-2",
        "donner ce qui s'ajoute, comme count=+1 ou count=-2",
    ),
    (
        "one of reply, garbage, full and tls is enough: make it two rules",
        "un seul de reply, garbage, full et tls suffit : en faire deux règles",
    ),
    (
        "only mail that is sent {}: begin with smtp",
        "seul le courrier qu'on envoie a cela ({}) : commencer par smtp",
    ),
    (
        "{} by pop3 and imap: begin with one of them",
        "cela est de pop3 et d'imap ({}) : commencer par l'un d'eux",
    ),
    (
        "only SMTP has this stage: begin with smtp",
        "seul SMTP a cette étape : commencer par smtp",
    ),
    (
        "no message comes in by pop3: take smtp or imap",
        "aucun message n'entre par pop3 : prendre smtp ou imap",
    ),
    (
        "the stage tls and the action tls=... go together: any tls tls=expired",
        "l'étape tls et l'action tls=... vont ensemble : any tls tls=expired",
    ),
    (
        "at the stage tls only tls=... can happen",
        "à l'étape tls seul tls=... peut arriver",
    ),
    (
        "within a text there is no reply: take the stage message for it",
        "dans un texte il n'y a pas de réponse : prendre l'étape message pour cela",
    ),
    (
        "here something can only be answered, delayed, throttled or dropped",
        "ici on ne peut que répondre, retarder, ralentir ou couper",
    ),
    (
        "it belongs to drop: drop after=100",
        "cela va avec drop : drop after=100",
    ),
    (
        "a reply that is replaced is not cut: leave one of them out",
        "une réponse remplacée n'est pas coupée : ôter l'un des deux",
    ),
    (
        "it belongs to chance: chance=20% seed=7",
        "cela va avec chance : chance=20% seed=7",
    ),
    (
        "the rule does nothing yet: say one of {}",
        "la règle ne fait encore rien : dire l'un de {}",
    ),
    (
        "no command of this protocol and no stage; is {} meant?",
        "ni commande de ce protocole ni étape ; est-ce {} ?",
    ),
    (
        "no command of this protocol and no stage; {:}",
        "ni commande de ce protocole ni étape ; {:}",
    ),
    (
        "after the protocol comes a command or a stage, such as {}",
        "après le protocole vient une commande ou une étape, comme {}",
    ),
    (
        "each protocol has its own replies: begin with smtp, pop3 or imap",
        "chaque protocole a ses réponses : commencer par smtp, pop3 ou imap",
    ),
    (
        "a reply of {} begins with {:}",
        "une réponse de {} commence par {:}",
    ),
    (
        "a code from 200 to 599, such as {}",
        "un code de 200 à 599, comme {}",
    ),
    (
        "the quotes are not closed",
        "les guillemets ne sont pas fermés",
    ),
    // The system's.
    ("Address already in use (os error 98)", "adresse déjà prise"),
    ("Permission denied (os error 13)", "permission refusée"),
    (
        "No such file or directory (os error 2)",
        "fichier ou dossier absent",
    ),
    (
        "Connection reset by peer",
        "connexion réinitialisée par l'autre",
    ),
    ("cannot be read", "lecture impossible"),
    ("cannot be written", "écriture impossible"),
    ("cannot be used", "utilisation impossible"),
    ("not understood", "incompris"),
    ("cannot be made", "création impossible"),
];
