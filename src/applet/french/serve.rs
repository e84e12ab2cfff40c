//! The French help of `serve`.

use super::{ABOUT, AFTER, Table};

/// Of `mailq`.
pub(super) const MAILQ: Table = &[
    (
        ABOUT,
        "Ce qui est dans la file d'un serveur en marche : la même chose que serve queue list",
    ),
    ("store", "Dossier du serveur"),
    (
        "config",
        "Lire le dossier dans un fichier TOML, comme le fait le serveur",
    ),
    ("json", "Écrire du JSON"),
    (
        AFTER,
        "Exemples :\n  mailtool mailq\n  mailtool mailq --store /var/lib/mailtool --json",
    ),
];

pub(super) const TABLE: Table = &[
    (
        ABOUT,
        "Un serveur de courrier local : SMTP, dépôt, LMTP, POP3, IMAP ; rien à configurer",
    ),
    (
        "@deliver",
        "Mettre un message de l'entrée standard dans une boîte, comme le fait dovecot-lda",
    ),
    (
        "@queue",
        "Regarder la file d'un serveur en marche, et décider de ce qu'elle contient",
    ),
    (
        "@fault",
        "Faire échouer quelque chose exprès dans un serveur en marche",
    ),
    ("fault.@add", "Une règle de plus, dès maintenant"),
    (
        "fault.@list",
        "Les règles en vigueur, et combien de fois chacune a servi",
    ),
    (
        "fault.@clear",
        "Retirer une règle ; toutes si aucun numéro n'est donné, et les destinataires magiques aussi",
    ),
    (
        "Faults (see mailtool serve --fault help)",
        "Pannes (voir mailtool serve --fault help)",
    ),
    (
        "fault",
        "Faire échouer quelque chose exprès, comme 'smtp rcpt to=alice@* reply=450 4.2.0 occupé times=2' ; répétable ; `--fault help` dit tous les mots",
    ),
    (
        "fault-file",
        "De même, d'un fichier, une règle par ligne ; # commence un commentaire",
    ),
    (
        "faults",
        "Laisser les noms de destinataires provoquer des pannes : ...temperror@, ...permerror@, ...550@, ...timeout@ ; et des règles de FILE",
    ),
    (
        "fault-seed",
        "Ce dont part le hasard des règles : même graine, mêmes pannes",
    ),
    (
        "@trace",
        "Raconter le voyage d'un message, étape par étape, autant que le serveur s'en souvient",
    ),
    (
        "Listening (ADDR:PORT, PORT or off; repeatable; 0 is a free port)",
        "Écoute (ADDR:PORT, PORT ou off ; répétable ; 0 est un port libre)",
    ),
    (
        "listen",
        "Adresse où écouter, au port habituel de chaque protocole",
    ),
    (
        "standard-ports",
        "Écouter aux ports des normes (25, 587, 465, 110, 995, 143, 993), qui demandent root",
    ),
    ("smtp", "Courrier d'autres serveurs et de programmes"),
    (
        "submission",
        "Courrier des utilisateurs, qui s'identifient (dépôt)",
    ),
    ("smtps", "Dépôt, avec TLS dès le premier octet"),
    (
        "lmtp",
        "Remise par un serveur placé devant celui-ci ; absent si l'option n'est pas donnée ; peut être unix:PATH",
    ),
    ("pop3", "Lire le courrier : le relever"),
    ("pop3s", "POP3 avec TLS dès le premier octet"),
    (
        "imap",
        "Lire le courrier : le garder sur le serveur, en dossiers",
    ),
    ("imaps", "IMAP avec TLS dès le premier octet"),
    ("Mail and accounts", "Courrier et comptes"),
    (
        "store",
        "Dossier qui garde le courrier ; `tmp` : un dossier jeté à la fin",
    ),
    (
        "domain",
        "Domaine dont le courrier est remis ici ; les comptes sans domaine sont du premier",
    ),
    ("hostname", "Nom que ce serveur se donne"),
    ("user", "Un compte ; dans MAILTOOL_USER, un par ligne"),
    (
        "users",
        "Comptes d'un fichier passwd : NAME:{SCHEME}HASH, relu à SIGHUP",
    ),
    ("Addresses", "Adresses"),
    (
        "aliases",
        "Alias, comme dans /etc/aliases : NAME: TARGET, TARGET ; relus quand le fichier change",
    ),
    (
        "separator",
        "Caractère entre le nom et l'étiquette d'une sous-adresse, comme alice+achats ; off : aucune",
    ),
    (
        "postmaster",
        "Qui reçoit le courrier de postmaster, si aucun compte ni alias ne porte ce nom",
    ),
    (
        "catch-all",
        "Qui reçoit le courrier des noms de nos domaines qui n'existent pas",
    ),
    (
        "accept-any",
        "Pour le développement, en boucle locale seulement : tout nom a une boîte, et il est son propre mot de passe",
    ),
    (
        "quota",
        "Octets d'une boîte au plus, tous ses dossiers ensemble, comme 500M (K, M, G)",
    ),
    ("quota-messages", "Messages d'une boîte au plus"),
    ("SMTP sessions and limits", "Sessions SMTP et limites"),
    (
        "strict",
        "Refuser ce qui s'écarte des normes, en citant la section",
    ),
    ("vrfy", "Laisser VRFY et EXPN dire quelles boîtes existent"),
    (
        "own-senders",
        "Qui s'identifie n'envoie qu'en son nom, dans MAIL FROM et dans le champ From",
    ),
    (
        "check-sender-domains",
        "Refuser les expéditeurs dont le domaine n'existe pas ou dit ne pas prendre de courrier (MX nul), sauf s'ils s'identifient",
    ),
    (
        "xclient-from",
        "Réseaux des mandataires qui peuvent dire par XCLIENT de qui ils transmettent la connexion",
    ),
    (
        "proxy-from",
        "Réseaux des répartiteurs qui doivent commencer par un en-tête PROXY (version 1 ou 2) qui le dit : sur chaque port, avant TLS",
    ),
    ("max-recipients", "Destinataires d'un message au plus"),
    (
        "max-hops",
        "Lignes Received d'un message au plus ; au-delà, il tourne en rond",
    ),
    (
        "max-errors",
        "Commandes refusées après lesquelles la connexion est fermée ; dès la moitié, chacune coûte une seconde",
    ),
    (
        "max-commands",
        "Commandes qui n'envoient pas de courrier (NOOP, RSET, VRFY...) au plus, entre deux messages d'une connexion",
    ),
    (
        "max-line",
        "Plus longue ligne de commande, en octets ; AUTH a besoin de toute la valeur par défaut",
    ),
    (
        "max-hold",
        "Combien de temps FUTURERELEASE peut faire attendre un message au plus",
    ),
    (
        "min-deliver-by",
        "Délai le plus court que DELIVERBY peut demander pour qu'un message soit remis ou revienne",
    ),
    (
        "rate-per-address",
        "Messages par minute d'une adresse au plus, celle de cet ordinateur mise à part ; 0 : sans limite",
    ),
    (
        "rate-per-user",
        "Messages par minute d'un utilisateur au plus ; 0 : sans limite",
    ),
    (
        "smtp-timeout",
        "Combien de temps un client SMTP peut se taire : TIME à chaque phase, ou PHASE=TIME avec command, text ou login",
    ),
    ("max-size", "Plus grand message accepté, en octets"),
    ("Relay and queue", "Relais et file"),
    (
        "relay",
        "Transmettre le courrier d'autres domaines, pour qui s'identifie ; --relay-from, --route, --smarthost et --lab-chain l'impliquent",
    ),
    (
        "relay-from",
        "Réseaux dont le courrier pour d'autres domaines est transmis sans identification, comme 192.0.2.0/24",
    ),
    (
        "route",
        "Où va le courrier de DOMAIN : HOST:PORT, lmtp:HOST:PORT, mx (ses relais de messagerie) ou nowhere ; .DOMAIN vaut pour tout ce qui est dessous, * pour tout",
    ),
    (
        "smarthost",
        "Machine par laquelle passe le courrier de tous les autres domaines, au lieu de leurs relais de messagerie ; port 25, ou 587 pour qui s'identifie",
    ),
    (
        "smarthost-user",
        "Nom avec lequel s'identifier auprès de cette machine, quand le mot de passe ou un jeton vient d'ailleurs",
    ),
    (
        "smarthost-password-file",
        "Fichier dont la première ligne est son mot de passe ; lu pour chaque connexion",
    ),
    (
        "smarthost-token-file",
        "Fichier dont la première ligne est un jeton pour elle (OAUTHBEARER, XOAUTH2) ; lu pour chaque connexion",
    ),
    (
        "smarthost-token-command",
        "Commande shell qui affiche un tel jeton, par exemple une qui le renouvelle ; lancée pour chaque connexion",
    ),
    (
        "deliver",
        "Machine derrière celle-ci qui a les boîtes de nos domaines : lmtp:HOST:PORT, lmtp:/unix/socket",
    ),
    (
        "require-tls",
        "N'envoyer à DOMAIN que sous TLS, avec un certificat valide ; sinon le courrier attend ; .DOMAIN et * comme dans --route",
    ),
    (
        "relay-ca",
        "Autres autorités dont les certificats valent à l'envoi, en PEM",
    ),
    (
        "resolver",
        "Serveur de noms à interroger, comme 127.0.0.1:5353",
    ),
    (
        "retry",
        "Pause avant le deuxième essai, comme 30s ou 5m ; chaque suivante est double",
    ),
    (
        "give-up",
        "Après ce temps dans la file, un message revient à son expéditeur",
    ),
    (
        "warn-after",
        "Après ce temps, son expéditeur est averti du retard",
    ),
    (
        "relay-timeout",
        "Combien de temps un serveur peut se taire : TIME pour chaque étape, ou STEP=TIME avec connect, greeting, command, mail, rcpt, data, block, end ou quit",
    ),
    (
        "relay-connections",
        "Connexions vers d'autres serveurs à la fois, au plus",
    ),
    (
        "relay-connections-each",
        "Connexions vers une même destination à la fois, au plus",
    ),
    (
        "lab-chain",
        "Pour des travaux pratiques : N serveurs, mta1.lab à mtaN.lab, en un seul programme ; le courrier va de l'un à l'autre, et jamais dehors",
    ),
    ("Logging in", "Identification"),
    (
        "allow-plaintext",
        "Accepter des mots de passe sans TLS d'autres ordinateurs aussi : qui écoute le réseau les apprend",
    ),
    (
        "auth",
        "Mécanismes proposés, parmi ceux qui conviennent à tous les comptes ; sans PLAIN ni LOGIN, POP3 n'a plus USER",
    ),
    (
        "token",
        "Un jeton qui vaut le mot de passe d'un utilisateur (OAUTHBEARER, XOAUTH2)",
    ),
    ("tokens", "De tels jetons dans un fichier, un par ligne"),
    (
        "login-delay",
        "Temps entre deux identifications d'un compte en POP3 ; les clients en sont informés",
    ),
    ("TLS", "TLS"),
    ("tls-cert", "Chaîne de certificats, en PEM"),
    ("tls-key", "Sa clé privée, en PEM"),
    ("Running", "Marche"),
    (
        "connections",
        "Connexions servies à la fois ; les descripteurs de fichiers peuvent en permettre moins",
    ),
    (
        "connections-each",
        "Pareil d'une même adresse, sauf cet ordinateur et ceux de --proxy-from et --xclient-from",
    ),
    (
        "ready-fd",
        "Une fois prêt, écrire ce qui écoute où, une ligne chacun, dans ce descripteur de fichier, et le fermer",
    ),
    (
        "config",
        "Lire d'autres options dans un fichier TOML, dont les clés sont leurs noms",
    ),
    ("Evidence", "Traces"),
    (
        "transcript",
        "Écrire chaque dialogue dans FILE, mots de passe masqués ; - est la sortie d'erreur",
    ),
    (
        "pcap",
        "Écrire dans FILE ce qui passe sur le réseau, pour Wireshark (pcapng). Les mots de passe n'y sont PAS masqués, et les secrets de TLS y sont",
    ),
    (
        "deliver.recipient",
        "De qui est la boîte : un nom, ou une adresse d'un domaine de ce serveur",
    ),
    (
        "deliver.from",
        "Qui l'a envoyé, pour Return-Path ; <> n'est personne ; sinon ce que dit sa première ligne, Return-Path",
    ),
    (
        "deliver.user",
        "Un compte ; dans MAILTOOL_USER, un par ligne",
    ),
    ("queue.@list", "Ce qui est dans la file"),
    ("queue.@show", "Tout d'un message"),
    (
        "queue.@flush",
        "Essayer maintenant : tout, un message, ou ce qui va à un domaine",
    ),
    (
        "queue.@hold",
        "Ne plus essayer jusqu'à ce qu'il soit libéré",
    ),
    ("queue.@release", "Laisser partir ce qui était retenu"),
    ("queue.@drop", "Jeter ; personne n'est averti"),
    (
        "trace.id",
        "Comment un serveur a appelé le message : il le dit dans sa réponse, et dans son journal",
    ),
    (
        "@mailbox",
        "S'occuper des boîtes : lister, importer, exporter, vérifier, trouver les doubles",
    ),
    ("mailbox.@list", "Les boîtes, et ce qu'elles contiennent"),
    (
        "mailbox.@import",
        "Faire entrer du courrier : fichiers mbox, Maildirs et ce qu'ils contiennent ; - est un mbox de l'entrée standard",
    ),
    (
        "mailbox.@export",
        "Faire sortir du courrier : en mbox vers la sortie standard ou un fichier, ou dans un Maildir",
    ),
    (
        "mailbox.@check",
        "Chercher ce qui n'est pas comme il faut, et le réparer avec --repair",
    ),
    (
        "mailbox.@dedup",
        "Trouver les messages présents deux fois, et les retirer avec --delete",
    ),
    (
        "@user",
        "S'occuper du fichier des utilisateurs : add, passwd, del, list",
    ),
    ("user.@add", "Un nouveau compte"),
    ("user.@passwd", "Un autre mot de passe pour un compte"),
    ("user.@del", "Retirer un compte ; son courrier reste"),
    (
        "user.@list",
        "Les comptes, et comment leurs mots de passe sont gardés",
    ),
    (
        "A class (see mailtool serve class and serve progress)",
        "Une classe (voir mailtool serve class et serve progress)",
    ),
    ("*.json", "Écrire du JSON"),
    (
        "system-users",
        "Les comptes sont les utilisateurs de cette machine (/etc/passwd, /etc/shadow), leur courrier dans ~/Maildir ; demande root",
    ),
    (
        "class",
        "Un compte par élève d'une liste (CSV : nom, identifiant, mot de passe, groupe, mail) ; les mots de passe absents sont inventés, et gardés",
    ),
    (
        "exercise",
        "Ce que les sessions doivent montrer, vérifié à mesure qu'elles se déroulent ; `lab` : les 18 manipulations du TP",
    ),
    (
        "exit-after",
        "S'arrêter, en bon ordre, après avoir accepté tant de messages",
    ),
    (
        "watch",
        "Montrer les dialogues sur le terminal à mesure ; d'un protocole, d'un utilisateur, d'une boîte, d'une adresse ou d'une connexion seulement : smtp,alice",
    ),
    (
        "explain",
        "Avec --watch : expliquer chaque ligne, en anglais ou en français",
    ),
    (
        "sessions",
        "Dossier qui garde chaque session comme un dialogue, mots de passe masqués, ou off",
    ),
    (
        "sessions-size",
        "Place qu'elles prennent au plus ; les plus anciennes partent d'abord",
    ),
    ("sessions-age", "Combien de temps elles sont gardées"),
    (
        "pcap-size",
        "Taille d'une capture avant que la suivante commence ; d'un dossier de captures, taille de toutes ensemble",
    ),
    (
        "pcap-files",
        "Combien de fichiers d'une capture sont gardés, le dernier compris",
    ),
    ("mailbox.user", "De qui ; répétable"),
    ("mailbox.mailbox", "Celle-ci seulement ; répétable"),
    ("mailbox.users", "Comptes d'un fichier passwd"),
    ("mailbox.import.user", "De qui est la boîte"),
    ("mailbox.export.user", "De qui est la boîte"),
    (
        "mailbox.import.mailbox",
        "Dans celle-ci, créée si elle n'existe pas ; ce qu'un Maildir a dessous va dessous",
    ),
    ("mailbox.export.mailbox", "Celle-ci ; répétable"),
    (
        "mailbox.import.skip-doubles",
        "Passer ce qui y est déjà, d'après Message-ID et contenu : on peut alors recommencer",
    ),
    (
        "mailbox.import.dialect",
        "Comment les lignes qui commencent par `From ` ont été écrites ; guess se trompe rarement",
    ),
    ("mailbox.import.sources", "Fichiers et dossiers"),
    ("mailbox.export.all", "Toutes, dans un dossier"),
    ("mailbox.export.format", "Sous quelle forme"),
    ("mailbox.export.append", "Ajouter à un fichier qui existe"),
    (
        "mailbox.export.target",
        "Vers où : - est la sortie standard ; un fichier qui n'existe pas, ou un dossier",
    ),
    (
        "mailbox.check.repair",
        "Réparer ce qui peut l'être ; aucun message n'est retiré, aucun UID donné deux fois",
    ),
    (
        "mailbox.dedup.delete",
        "Les supprimer pour de bon ; sans cela ils sont seulement nommés",
    ),
    ("user.users", "Le fichier"),
    (
        "user.name",
        "Son nom : alice, ou alice@example.org si le serveur a plusieurs domaines",
    ),
    (
        "user.password-file",
        "Le mot de passe est la première ligne de FILE ; - est l'entrée standard",
    ),
    (
        "user.scheme",
        "Comment il est gardé : argon2id, scram-sha-256, sha512-crypt, blf-crypt, cram-md5, plain",
    ),
    (
        "fault.add.rule",
        "La règle, en un mot ou en plusieurs ; `mailtool serve --fault help` dit tout ce qu'elle peut dire",
    ),
    ("fault.clear.number", "Son numéro, comme le montre list"),
    ("queue.id", "Comment il s'appelle ; ALL : tous"),
    ("queue.show.id", "Comment il s'appelle"),
    ("queue.flush.what", "Comment il s'appelle, ou où il va"),
    (
        "@sessions",
        "Les sessions qu'un serveur a gardées, et celles en cours",
    ),
    ("sessions.sessions", "Dossier des sessions"),
    (
        "sessions.@list",
        "Quelles sessions il y a, la dernière à la fin",
    ),
    ("sessions.@show", "Ce qui a été dit dans l'une d'elles"),
    ("sessions.@follow", "Ce qui se dit maintenant"),
    ("sessions.@diagram", "En dessiner une comme une échelle"),
    (
        "sessions.which",
        "D'un protocole, d'un utilisateur, d'une boîte, d'une adresse ou d'une connexion seulement : smtp,alice",
    ),
    (
        "sessions.list.failed",
        "Seulement celles où quelque chose a été refusé, ou a échoué",
    ),
    (
        "sessions.list.message",
        "Seulement celle qui a apporté ce message",
    ),
    ("sessions.list.last", "Seulement les N dernières"),
    (
        "sessions.id",
        "Son nom ou son numéro, `last`, ou le nom d'un message qu'elle a apporté",
    ),
    (
        "sessions.diagram.id",
        "Son nom ou son numéro, `last`, le nom d'un message qu'elle a apporté, ou un fichier",
    ),
    (
        "sessions.explain",
        "Expliquer chaque ligne, en anglais ou en français",
    ),
    (
        "sessions.diagram.format",
        "Ce qui est dessiné : pour un terminal, une image, ou une page qui n'a besoin de rien d'autre",
    ),
    ("sessions.diagram.output", "Écrire dans FILE"),
    ("*.lang", "En anglais ou en français"),
    (
        "@wait",
        "Attendre qu'un message arrive à un serveur en marche, et écrire ce dont un script a besoin",
    ),
    (
        "wait.command",
        "Une commande lancée dès que le serveur écoute : ce qu'elle envoie ne peut pas venir trop tôt",
    ),
    (
        "wait.timeout",
        "Combien de temps attendre, en secondes ou comme 30s, 5m ; 0 : sans fin",
    ),
    ("wait.count", "Combien de messages qui conviennent"),
    (
        "wait.to",
        "Un destinataire de l'enveloppe : une adresse, ou ce qui précède son @ [répétable : l'un d'eux]",
    ),
    ("wait.from", "L'expéditeur de l'enveloppe, de même"),
    (
        "wait.subject",
        "Une expression régulière à laquelle l'objet répond ; (?i) au début : sans égard aux majuscules",
    ),
    (
        "wait.body",
        "Une expression régulière à laquelle le texte répond, ou le HTML",
    ),
    (
        "wait.print",
        "Ce qui est écrit de chacun : l'en-tête décodé, le texte décodé, le premier lien, le premier code à usage unique, le message tel quel, ou tout",
    ),
    (
        "wait.pick",
        "De plusieurs liens ou codes, le premier qui répond à ceci",
    ),
    (
        "wait.after",
        "Aussi ceux venus après un message, un moment (2026-11-26T14:00:00Z, ou secondes depuis 1970) ou un --mark",
    ),
    (
        "wait.since",
        "Aussi ceux venus dans les dernières secondes, ou 5m",
    ),
    (
        "wait.existing",
        "Aussi ceux venus depuis que le serveur tourne (il en retient 200)",
    ),
    (
        "wait.mark",
        "Ne pas attendre : écrire une marque pour --after, de tous les messages venus jusqu'ici",
    ),
    (
        "wait.@after",
        "Finit par 0 quand il est venu, 1 quand il n'est pas venu à temps, 69 quand aucun serveur ne tourne ou qu'il s'est\n\
         arrêté, et par le code de COMMAND quand elle a échoué.\n\n\
         Exemples :\n  \
         mailtool serve wait --to alice --subject '(?i)mot de passe' --print link -- \\\n      \
         curl -s -d user=alice http://localhost:8000/oublie\n      \
         Le test d'une application web : le lien du message que la requête envoie\n  \
         mark=$(mailtool serve wait --mark)\n  \
         ./commander\n  \
         mailtool serve wait --after \"$mark\" --to bob --timeout 10 --print otp\n      \
         La même chose en trois temps",
    ),
    (
        "@class",
        "Écrire comment chaque élève s'identifie : les mots de passe sont montrés",
    ),
    (
        "class.html",
        "Une page pour l'imprimante, une fiche par élève",
    ),
    (
        "class.who",
        "De cet identifiant ou de ce groupe seulement ; * est un texte quelconque",
    ),
    (
        "@progress",
        "Qui de la classe a fait quoi de l'exercice : demande à un serveur lancé avec --exercise",
    ),
    (
        "progress.csv",
        "Écrire du CSV : une ligne par élève, une colonne par étape",
    ),
    (
        "progress.who",
        "De cet identifiant ou de ce groupe seulement, * est un texte quelconque ; d'un seul élève, chaque étape et ce qui manque",
    ),
    // Lines below the options of commands within it, by how they begin.
    ("^Examples:", "Exemples :"),
    (
        "^Exit codes: 0 d",
        "Codes de retour : 0 remis, 64 mauvais usage, 65 pas un message, 67 pas de tel utilisateur, 75 réessayer plus tard (disque ou quota plein, boîte verrouillée).",
    ),
    ("^In Postfix", "Dans main.cf de Postfix"),
    ("^Each step", "Chaque étape, et ce qui manque"),
    (
        "^ID stands",
        "ID est dans la réponse du serveur : 250 2.0.0 Ok: 6B081562-1-1 queued",
    ),
    (
        "^The session",
        "La session qui a apporté ce message : la réponse du serveur le nomme",
    ),
    (
        "^Comments",
        "Les commentaires et le reste du fichier ne changent pas. Un serveur qui tourne avec ce fichier en tient compte aussitôt.",
    ),
    (
        "^With scram",
        "Avec scram-sha-256 on peut aussi s'identifier par SCRAM, avec cram-md5 par CRAM-MD5, avec plain par les deux et par APOP : rien de cela ne montre le",
    ),
    (
        "^password to",
        "mot de passe à qui écoute ; cram-md5 et plain le montrent à qui lit le fichier.",
    ),
    (
        "^It works",
        "Agit à côté d'un serveur en marche, qui le voit aussitôt, et sans serveur.",
    ),
    (
        "^What comes",
        "Ce qui entre garde son heure d'arrivée, ses drapeaux et ses mots-clés : d'un mbox, ceux de Status, X-Status, X-Keywords et de Mozilla ;",
    ),
    (
        "^of a Maildir",
        "d'un Maildir, ceux des noms de fichiers. Quand le programme finit par 0, tout est sur le disque.",
    ),
    (
        "^~/Maildir/.",
        "~/Maildir/.Lists.Debian devient Old/Lists/Debian",
    ),
    (
        "^An mbox is",
        "Un mbox est écrit en mboxrd : `import` le relit sans différence. À un Maildir qui existe, il n'est ajouté que ce qui lui manque.",
    ),
    (
        "^One file",
        "Un fichier par boîte : mboxes/Lists/Debian.mbox",
    ),
    (
        "^Exit codes: 0 a",
        "Codes de retour : 0 tout est bien, ou réparé ; 1 il y a des défauts.",
    ),
    (
        "^Two messages",
        "Deux messages sont le même quand Message-ID, ce que l'auteur a mis dans l'en-tête et le texte sont les mêmes ; ce que des serveurs ont ajouté en",
    ),
    (
        "^difference.",
        "chemin ne compte pas. Le premier reste ; ce qui a été fait des autres (lu, répondu, marqué) vaut alors pour lui.",
    ),
    (
        AFTER,
        "Exemples :\n  \
         mailtool serve\n      \
         Pour alice et bob, sur cet ordinateur seulement, aux ports au-dessus de 1024\n  \
         mailtool serve --store tmp --smtp 0 --pop3 off --ready-fd 3 3>ports\n      \
         Pour un test : le courrier est jeté à la fin, le système choisit le port\n  \
         mailtool serve --listen 0.0.0.0 --domain lab.example --user eve:secret\n      \
         Pour une salle : eve peut s'identifier de tout le réseau\n  \
         mailtool serve --listen 0.0.0.0 --class classe.csv --exercise lab\n      \
         Pour une classe : un compte par élève, et qui a fait quoi (serve progress)\n  \
         mailtool serve --lab-chain 3\n      \
         Le chemin d'un message de serveur en serveur, à regarder sur un ordinateur\n  \
         mailtool serve --relay-from 127.0.0.0/8 --smarthost smtp.example.org:587\n      \
         Les programmes de cette machine déposent leur courrier, une autre l'envoie",
    ),
];
