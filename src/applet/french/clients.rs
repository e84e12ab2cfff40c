//! The French help of `send`, `pop` and `imap`.

use super::{ABOUT, AFTER, LONG_ABOUT, Table};

/// What all three have: which server, and how to log in.
pub(super) const SERVER: Table = &[
    ("Server and login", "Serveur et identification"),
    (
        "server",
        "Serveur à qui parler ; une adresse IPv6 avec un port s'écrit `[::1]:PORT`",
    ),
    ("port", "Port, si ce n'est pas le port habituel"),
    ("user", "Nom sous lequel s'identifier"),
    (
        "password-file",
        "Fichier dont la première ligne est le mot de passe ; - est l'entrée standard. Sinon MAILTOOL_PASSWORD, sinon il est demandé",
    ),
    (
        "ask",
        "Demander le mot de passe sur le terminal, quoi que dise MAILTOOL_PASSWORD",
    ),
    ("tls", "TLS dès le premier octet (smtps, pop3s, imaps)"),
    (
        "starttls",
        "Commencer en clair, et exiger STARTTLS avant toute autre chose ; c'est l'usage avec d'autres machines que celle-ci",
    ),
    (
        "no-starttls",
        "Rester en clair, mot de passe compris ; c'est l'usage sur cette machine",
    ),
    (
        "ca",
        "Autorité de certification à croire, en PEM ; `mailtool serve` garde la sienne dans STORE/tls/ca.pem",
    ),
    (
        "insecure",
        "Accepter tout certificat : qui est sur le chemin peut alors tout lire et tout changer",
    ),
    (
        "timeout",
        "Renoncer quand le serveur se tait aussi longtemps, en secondes",
    ),
    (
        "verbose",
        "Montrer le dialogue sur la sortie d'erreur, mots de passe masqués",
    ),
    (
        "pcap",
        "Écrire dans FILE ce qui passe sur le réseau, pour Wireshark (pcapng). Les mots de passe n'y sont PAS masqués, et les secrets de TLS y sont",
    ),
    ("The way there", "Le chemin"),
    (
        "socket",
        "Socket UNIX à appeler, comme en ont les serveurs LMTP ; @NOM pour un socket qui n'est pas un fichier",
    ),
    ("source", "Adresse de cet ordinateur d'où appeler"),
    (
        "proxy",
        "Mandataire par lequel passer, aussi socks5://HOST:PORT ; répété, l'un derrière l'autre",
    ),
    (
        "proxy-type",
        "Ce que parle le mandataire : http (CONNECT), socks4 (4a pour des noms), socks5 ; de plusieurs, le n-ième est pour le n-ième --proxy",
    ),
    ("proxy-auth", "Qui nous sommes pour le premier mandataire"),
    (
        "proxy-protocol",
        "Commencer par l'en-tête d'un répartiteur de charge, version 1 ou 2 (PROXY) : de qui est la connexion, et vers où ; les nôtres s'ils ne sont pas donnés",
    ),
    (
        "cert",
        "Certificat à montrer à un serveur qui en demande un, en PEM",
    ),
    ("key", "Sa clé, si elle n'est pas dans le même fichier"),
    (
        "tls-fingerprint",
        "N'accepter que le certificat de ce SHA-256, qui que ce soit qui l'ait signé ; `mailtool send --serverinfo` le montre",
    ),
    (
        "sni",
        "Nom à demander (SNI) et à trouver dans le certificat, au lieu de celui du serveur",
    ),
];

pub(super) const SEND: Table = &[
    (ABOUT, "Envoie un message par SMTP"),
    (
        LONG_ABOUT,
        "Envoie un message par SMTP\n\nLe corps vient de --body, de --body-file ou de l'entrée standard. Date, Message-ID et MIME sont ajoutés ; avec --raw, le \
         message est envoyé tel quel, en-tête compris.",
    ),
    ("recipients", "Destinataires, comme avec --to"),
    (
        "from",
        "Qui l'envoie, et le reçoit en retour s'il ne peut être remis ; <> : personne, avec --raw",
    ),
    (
        "to",
        "Destinataires : alice@example.org, ou 'Alice <alice@example.org>' ; plusieurs avec des virgules",
    ),
    ("cc", "Destinataires d'une copie"),
    ("bcc", "Destinataires d'une copie que personne ne voit"),
    ("subject", "Objet"),
    ("body", "Corps"),
    (
        "body-file",
        "Fichier du corps, ou avec --raw du message ; - est l'entrée standard",
    ),
    ("header", "Un champ d'en-tête de plus ; répétable"),
    ("attach", "Fichier à joindre ; répétable"),
    (
        "raw",
        "L'entrée est tout le message, en-tête compris, et part telle quelle",
    ),
    (
        "t",
        "Comme --raw, et ses champs To, Cc et Bcc sont aussi des destinataires ; Bcc est retiré (sendmail -t)",
    ),
    (
        "i",
        "Une ligne d'un seul point est du texte, ce qu'elle n'est pas sous le nom de sendmail",
    ),
    (
        "notify",
        "Demander des rapports : never, ou une partie de success,failure,delay (DSN)",
    ),
    (
        "return",
        "Ce qu'un rapport d'échec doit rendre du message : full ou hdrs (DSN)",
    ),
    (
        "envelope-id",
        "Comment les rapports doivent appeler ce message (DSN)",
    ),
    ("helo", "Nom de cet ordinateur dans EHLO"),
    ("lmtp", "Parler LMTP au lieu de SMTP"),
    ("Load", "Charge"),
    (
        "load",
        "Envoyer le message encore et encore, et dire à quelle vitesse le serveur le prend",
    ),
    ("sessions", "Sessions à la fois"),
    ("messages", "Messages en tout"),
    (
        "length",
        "Octets du corps qui est fait, s'il n'est pas donné",
    ),
    (
        "recipient-count",
        "Destinataires de chaque message : 1alice@localhost, 2alice@localhost ... de alice@localhost",
    ),
    ("reuse", "Garder chaque connexion pour le message suivant"),
    (
        "rate",
        "Messages par seconde au plus, de toutes les sessions ensemble",
    ),
    (
        "pause",
        "Secondes qu'une session attend entre deux messages",
    ),
    (
        "random-pause",
        "Et jusqu'à tant de secondes de plus, au hasard chaque fois",
    ),
    (
        "counter",
        "Montrer sur la sortie d'erreur combien sont partis",
    ),
    (
        "duration",
        "Secondes après lesquelles aucun message n'est plus commencé",
    ),
    (
        "load-remote",
        "Charger un serveur qui n'est pas sur cet ordinateur : c'est le vôtre, et qui l'exploite le sait",
    ),
    ("Trying a server out", "Essayer un serveur"),
    (
        "serverinfo",
        "Ne rien envoyer : dire ce qu'est le serveur, ce qu'il offre, son TLS et son certificat ; avec --user, aussi si l'identification réussit",
    ),
    (
        "quit-after",
        "Dire QUIT après STAGE : connect, banner, first-helo, tls, xclient, helo, auth, mail, rcpt",
    ),
    (
        "drop-after",
        "Fermer la connexion après STAGE, sans QUIT ; les mêmes, et data, dot",
    ),
    (
        "drop-after-send",
        "La fermer dès que la commande de STAGE est envoyée, sans attendre la réponse",
    ),
    (
        "on-refusal",
        "Quand un destinataire est refusé : send, les autres le reçoivent, et le code de retour le dit ; abort, personne ; ignore, tout va bien si quelqu'un le reçoit",
    ),
    (
        "auth",
        "Comment s'identifier : SCRAM-SHA-256-PLUS, SCRAM-SHA-256, SCRAM-SHA-1, PLAIN, LOGIN, CRAM-MD5 ; OAUTHBEARER et XOAUTH2 avec un jeton au lieu du mot de passe ; EXTERNAL avec un certificat",
    ),
    (
        "mail-param",
        "Un paramètre de plus pour MAIL, comme BY=120;N, HOLDFOR=60 ou MT-PRIORITY=3 ; répétable",
    ),
    (
        "rcpt-param",
        "Un paramètre de plus pour chaque RCPT ; répétable",
    ),
    (
        "chunking",
        "Envoyer le message par BDAT, en morceaux de tant d'octets, ou d'une pièce",
    ),
    (
        "pipelining",
        "Envoyer des commandes avant la réponse aux précédentes : yes, no, ou auto, si le serveur l'offre",
    ),
    (
        "xclient",
        "Dire de qui est la connexion, comme XCLIENT de Postfix : 'ADDR=192.0.2.7 NAME=pc.example' ; répétable",
    ),
    (
        "json",
        "Écrire en JSON ce qu'il en est : le serveur, chaque réponse avec son moment, les destinataires, le nom dans la file",
    ),
    (
        AFTER,
        "Exemples :\n  \
         mailtool send --to alice@localhost --subject Salut --body 'Bonjour Alice'\n      \
         Au `mailtool serve` de cet ordinateur\n  \
         mailtool send -v alice@localhost < lettre.txt\n      \
         Le corps d'un fichier, et le dialogue sur la sortie d'erreur\n  \
         mailtool send --port 1587 -u alice bob@localhost -s Chat -a chat.jpg --body ''\n      \
         Identifié, avec une pièce jointe ; le mot de passe vient de MAILTOOL_PASSWORD\n  \
         mailtool send --server mail.example.org --tls -u moi@example.org -t < mail.eml\n      \
         Un message entier, à ceux que nomme son en-tête\n  \
         mailtool send --port 1587 -u alice --quit-after auth\n      \
         Le mot de passe est-il bon ? Et --quit-after rcpt : le recevrait-il ?\n  \
         mailtool send --server mail.example.org --serverinfo\n      \
         Ce qu'il offre, son TLS et son certificat ; rien n'est envoyé\n  \
         mailtool send --socket /run/dovecot/lmtp --lmtp alice < mail.txt\n      \
         À un socket UNIX ; --proxy socks5://gate.example:1080 fait un détour\n  \
         mailtool send --load --sessions 20 -m 10000 -d alice@localhost\n      \
         À quelle vitesse ? 10000 messages par 20 connexions\n\n\
         Codes de retour : 0 accepté ; 64 mauvais usage ; 65 message refusé ; 66 fichier absent ;\n\
         67 destinataire inconnu ; 68 machine inconnue ; 69 injoignable, ou refus ;\n\
         75 réessayer plus tard ; 76 pas le protocole ; 77 identification refusée, ou pas permis",
    ),
];

pub(super) const POP: Table = &[
    (
        ABOUT,
        "Lit une boîte par POP3 : ce qu'elle contient, ses messages, et leur suppression",
    ),
    (
        LONG_ABOUT,
        "Lit une boîte par POP3 : ce qu'elle contient, ses messages, et leur suppression\n\nUne commande par session : s'identifier, la faire, QUIT. Les \
         messages ont les numéros 1, 2, 3 ... de la session ; `uidl` dit des noms qui restent. Lire ne supprime rien, sauf avec --delete : alors ce qui est \
         en sûreté ici est supprimé là-bas.",
    ),
    (
        "auth",
        "Comment s'identifier : USER (en clair), APOP, ou un mécanisme d'AUTH : SCRAM-SHA-256-PLUS, SCRAM-SHA-256, SCRAM-SHA-1, PLAIN, LOGIN, CRAM-MD5 ; \
         OAUTHBEARER et XOAUTH2 avec un jeton au lieu du mot de passe ; EXTERNAL avec un certificat",
    ),
    ("@stat", "Combien il y a de messages, et d'octets : `2 320`"),
    ("@list", "Numéro et octets de chaque message, ou d'un seul"),
    (
        "@uidl",
        "Numéro et identifiant de chaque message, ou d'un seul ; l'identifiant reste le même d'une session à l'autre",
    ),
    (
        "@top",
        "L'en-tête d'un message, et les premières lignes du corps",
    ),
    (
        "@retr",
        "Des messages entiers, tels qu'envoyés : par numéro, tous (--all), ou les nouveaux (--new)",
    ),
    (
        "@noop",
        "Rien : s'identifier et quitter, pour voir si cela marche",
    ),
    (
        "@rset",
        "S'identifier, reprendre ce que la session a marqué supprimé, et quitter",
    ),
    (
        "@serverinfo",
        "Ce que le serveur est et sait faire ; sans --user, avant l'identification",
    ),
    ("*.json", "Écrire du JSON, pour des programmes"),
    (
        "*.expect-mail",
        "Code de retour 1 s'il n'y a pas de courrier",
    ),
    ("retr.all", "Tous les messages"),
    (
        "retr.new",
        "Ceux qui n'ont pas encore été pris ainsi, d'après leurs identifiants, que --state garde",
    ),
    (
        "retr.state",
        "Fichier qui garde ce que --new a pris ; sinon $XDG_STATE_HOME/mailtool/pop/USER@HOST:PORT",
    ),
    (
        "retr.delete",
        "Supprimer au serveur ce qui est en sûreté ici ; avec --new, aussi ce qui a été pris avant",
    ),
    (
        "retr.keep",
        "Laisser au serveur ce qui a été pris : l'usage",
    ),
    (
        "retr.delete-after",
        "Supprimer au serveur ce que --new a pris il y a tant de jours",
    ),
    ("retr.max-size", "Laisser là les messages de plus d'octets"),
    (
        "retr.top",
        "De ceux qui sont plus grands, prendre l'en-tête et tant de lignes ; ils ne sont pas supprimés",
    ),
    ("@dele", "Supprimer des messages"),
    ("*.message", "Numéro du message"),
    ("*.messages", "Numéros des messages"),
    ("top.lines", "Lignes du corps"),
    (
        "*.output",
        "Où vont les messages : un dossier, ou un nom terminé par /, est un Maildir ; tout autre, un fichier, récrit",
    ),
    (
        "*.mbox",
        "PATH est une mbox, à la fin de laquelle ils sont ajoutés",
    ),
    (
        "*.mda",
        "Donner chaque message, lignes terminées par LF, à cette commande de sh sur son entrée standard ; elle doit réussir",
    ),
    (
        "*.lf",
        "Terminer les lignes par LF, comme les programmes d'ici, et non par CRLF, comme elles ont été envoyées",
    ),
    (
        AFTER,
        "Exemples :\n  \
         mailtool pop --user alice stat       demande le mot de passe\n  \
         mailtool pop -u alice top 3 10       en-tête et 10 lignes du message 3\n  \
         MAILTOOL_PASSWORD=alice mailtool pop -u alice -v retr 1\n                                       \
         le message, et le dialogue sur la sortie d'erreur\n  \
         mailtool pop --server pop.example.org --tls -u alice \\\n      \
         --password-file p.txt retr 1 2 >deux.eml\n  \
         mailtool pop -u alice retr --new --output Courrier/ --delete-after 30\n                                       \
         ce qui est nouveau, dans un Maildir\n\n\
         Codes de retour :\n   \
         0  fait                             1  pas de tel message, ou pas de courrier\n  \
         64  mauvais usage                   65  mauvaise entrée\n  \
         66  fichier illisible               68  machine inconnue\n  \
         69  injoignable, ou refus           74  ce qui est reçu ne peut être écrit\n  \
         75  réessayer plus tard             76  le serveur viole le protocole\n  \
         77  identification refusée",
    ),
];

pub(super) const IMAP: Table = &[
    (
        ABOUT,
        "Lit et tient des boîtes par IMAP : lister, chercher, lire, marquer, déplacer, attendre, ou toute commande",
    ),
    (
        LONG_ABOUT,
        "Lit et tient des boîtes par IMAP : lister, chercher, lire, marquer, déplacer, attendre, ou toute commande\n\nUne tâche par session. Les messages \
         ont pour nom leur UID, qui reste le même d'une session à l'autre. Regarder ne change rien : aucun message n'en devient \\Seen. Les noms des \
         boîtes sont tels qu'on les écrit ; le codage d'IMAP se fait tout seul.",
    ),
    (
        "auth",
        "Comment s'identifier : SCRAM-SHA-256-PLUS, SCRAM-SHA-256, SCRAM-SHA-1, PLAIN, LOGIN, CRAM-MD5 ; OAUTHBEARER et XOAUTH2 avec un jeton au lieu du mot de passe ; EXTERNAL avec un certificat",
    ),
    ("@folders", "Noms de toutes les boîtes, un par ligne"),
    (
        "@status",
        "Chiffres d'une boîte : MESSAGES, UNSEEN, RECENT, UIDNEXT, UIDVALIDITY",
    ),
    (
        "@list",
        "Une ligne par message : UID, drapeaux, date, octets, expéditeur, objet, séparés par des tabulations",
    ),
    (
        "@fetch",
        "Des messages, ou une partie de chacun, tels quels",
    ),
    (
        "@search",
        "UID des messages qui répondent aux clés ; code de retour 1 s'il n'y en a pas",
    ),
    (
        "@count",
        "Combien de messages, non lus ou tels que le disent les clés : un nombre seul",
    ),
    (
        "@idle",
        "Attendre qu'un message arrive, et en imprimer la ligne comme list ; code de retour 1 si rien n'arrive en --timeout",
    ),
    (
        "@flags",
        "Mettre des drapeaux à des messages, ou les montrer : une ligne d'UID et de drapeaux pour chacun",
    ),
    (
        "@copy",
        "Copier des messages dans une autre boîte ; dit les UID qu'ils y reçoivent, si le serveur les dit",
    ),
    (
        "@move",
        "Déplacer des messages dans une autre boîte ; dit les UID qu'ils y reçoivent, si le serveur les dit",
    ),
    (
        "@expunge",
        "Ôter pour de bon ce qui est marqué supprimé ; dit combien",
    ),
    (
        "@backup",
        "Sauver des boîtes en Maildirs ; relancé, il les met à jour. Dit combien",
    ),
    (
        "backup.folder",
        "Dossier des Maildirs, fait s'il n'existe pas",
    ),
    (
        "backup.mailboxes",
        "Noms des boîtes ; toutes, s'ils manquent",
    ),
    (
        "backup.prune",
        "Ôter ici les messages qui ne sont plus là-bas",
    ),
    ("@rename", "Donner un autre nom à une boîte"),
    (
        "@subscribe",
        "Mettre une boîte sur la liste de celles que les clients montrent",
    ),
    ("@unsubscribe", "L'ôter de cette liste"),
    (
        "@serverinfo",
        "Ce que le serveur est et sait faire : accueil, ID, capacités, espaces de noms, quota. Sans --user, avant l'identification",
    ),
    (
        "@raw",
        "Toute commande, en une session : un argument chacune, ou une ligne chacune sur l'entrée standard ; imprime chaque réponse telle quelle",
    ),
    ("^Examples:", "Exemples :"),
    ("*.json", "Écrire du JSON, pour des programmes"),
    (
        "*.output",
        "Où vont les messages : un dossier, ou un nom terminé par /, est un Maildir ; tout autre, un fichier, récrit",
    ),
    (
        "*.mbox",
        "PATH est une mbox, à la fin de laquelle ils sont ajoutés",
    ),
    (
        "*.mda",
        "Donner chaque message, lignes terminées par LF, à cette commande de sh sur son entrée standard ; elle doit réussir",
    ),
    ("*.newest", "De ces messages, seulement les N derniers"),
    (
        "idle.count",
        "Continuer jusqu'à ce que N messages soient arrivés ; 0 : sans fin",
    ),
    ("idle.existing", "Les messages déjà là comptent aussi"),
    (
        "idle.exec",
        "Lancer ceci par sh pour chaque message ; MAIL_UID, MAIL_MAILBOX, MAIL_FROM, MAIL_SUBJECT, MAIL_DATE, MAIL_FLAGS et MAIL_SIZE en parlent",
    ),
    (
        "idle.poll",
        "Demander par NOOP à cet intervalle, là où le serveur n'a pas IDLE",
    ),
    (
        "idle.renew",
        "Recommencer IDLE à cet intervalle : des serveurs ferment après 30 minutes, et certains routeurs oublient plus tôt",
    ),
    (
        "flags.add",
        "Drapeaux à ajouter : seen, flagged, deleted, answered, draft, ou un mot-clé à vous",
    ),
    ("flags.remove", "Drapeaux à ôter"),
    ("flags.set", "Ces drapeaux, et nul autre"),
    (
        "flags.expunge",
        "Puis ôter pour de bon ceux de ces messages qui sont marqués supprimés, et nul autre",
    ),
    ("*.to", "Où ils vont"),
    ("*.create", "Créer cette boîte, si elle n'existe pas"),
    ("expunge.uids", "De ces UID seulement"),
    ("rename.from", "Son nom"),
    ("rename.to", "Le nouveau"),
    (
        "append.flags",
        "Drapeaux qu'il reçoit : seen, flagged, draft ...",
    ),
    (
        "append.date",
        "Quand il est arrivé : secondes depuis 1970, 2026-02-01T08:00:00Z, ou comme dans un en-tête ; sinon maintenant",
    ),
    (
        "raw.commands",
        "Des commandes, étiquetées ou non. {5} à la fin d'une ligne : un littéral, les 5 octets suivants. {@FILE} : un littéral pris dans un fichier",
    ),
    (
        "raw.literals",
        "Écrire les octets des littéraux, et rien d'autre",
    ),
    (
        "raw.keep-going",
        "Continuer après un refus ; le code de retour le dit quand même",
    ),
    ("@create", "Créer une boîte"),
    (
        "@delete",
        "Supprimer une boîte, et tout ce qu'elle contient",
    ),
    (
        "@empty",
        "Supprimer tous les messages d'une boîte ; la boîte reste. Dit combien",
    ),
    (
        "@append",
        "Mettre un message dans une boîte ; dit l'UID qu'il a reçu, si le serveur le dit",
    ),
    ("*.mailbox", "Nom de la boîte"),
    (
        "*.words",
        "Nom de la boîte (INBOX s'il manque), puis des UID : 7, ou 7,9, ou 7:12, ou * (le dernier) ; ou des clés comme pour search",
    ),
    (
        "search.words",
        "Nom de la boîte (INBOX si le premier mot est une clé), puis des clés : UNSEEN, FROM alice, SINCE 1-Feb-2026",
    ),
    (
        "count.words",
        "Nom de la boîte (INBOX si le premier mot est une clé), puis des clés : UNSEEN, FROM alice, SINCE 1-Feb-2026",
    ),
    (
        "idle.words",
        "Nom de la boîte (INBOX si le premier mot est une clé), puis des clés : UNSEEN, FROM alice, SINCE 1-Feb-2026",
    ),
    (
        "fetch.section",
        "Ceci seulement : HEADER, TEXT, 1, 2.1, 1.MIME, HEADER.FIELDS (SUBJECT DATE) ...",
    ),
    (
        "fetch.lf",
        "Terminer les lignes par LF, comme les programmes d'ici, et non par CRLF, comme elles ont été envoyées",
    ),
    (
        "append.file",
        "Fichier du message ; - est l'entrée standard",
    ),
    (
        AFTER,
        "Exemples :\n  \
         mailtool imap --user alice folders   demande le mot de passe\n  \
         mailtool imap -u alice -v list       INBOX, et le dialogue sur la sortie d'erreur\n  \
         mailtool imap -u alice fetch '*'     le dernier message, entier\n  \
         mailtool imap -u alice fetch Travail 7,9 --section HEADER\n  \
         mailtool imap -u alice search UNSEEN FROM bob SUBJECT 'deux mots'\n  \
         mailtool imap -u alice append Envoyés lettre.eml\n  \
         mailtool imap -u alice count         combien ne sont pas lus\n  \
         mailtool imap -u alice idle --timeout 60 SUBJECT jeton \\\n      \
         --exec 'mailtool imap -u alice fetch $MAIL_UID'\n  \
         mailtool imap -u alice fetch ALL --output Courrier/   dans un Maildir\n  \
         mailtool imap -u alice backup Sauvegarde/\n  \
         mailtool imap -u alice move FROM liste --to Listes --create\n  \
         mailtool imap -u alice raw 'SELECT INBOX' 'UID FETCH 1:* (FLAGS)'\n  \
         mailtool imap --server imap.example.org --tls -u alice \\\n      \
         --password-file p.txt status\n\n\
         Codes de retour :\n   \
         0  fait                             1  pas de tel message, rien trouvé, rien à temps\n  \
         64  mauvais usage                   65  mauvaise entrée\n  \
         66  fichier illisible               68  machine inconnue\n  \
         69  injoignable, ou refus           70  --exec a échoué\n  \
         74  ce qui est reçu ne peut être écrit\n  \
         75  réessayer plus tard             76  le serveur viole le protocole\n  \
         77  identification refusée",
    ),
];
