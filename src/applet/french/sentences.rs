//! What is said when something goes wrong: English with places, French with the same places; see `said`.

use super::Table;

pub(super) const TABLE: Table = &[
    // Files of a teacher's, whatever is wrong with them.
    ("--class {}: {:}", "--class {} : {:}"),
    ("--exercise {}: {:}", "--exercise {} : {:}"),
    // Endings that others are told with come first.
    (
        "{:}; all of it was sent, so it may have been taken all the same",
        "{:} ; tout a été envoyé, et il se peut qu'il ait été pris quand même",
    ),
    (
        "{:}; a server that waits for TLS says nothing first: if this is one, add --tls",
        "{:} ; un serveur qui attend TLS ne dit rien le premier : si c'en est un, ajouter --tls",
    ),
    (
        "{:}; this server speaks TLS from the first byte: add --tls",
        "{:} ; ce serveur parle TLS dès le premier octet : ajouter --tls",
    ),
    (
        "{:}; this is a server of {:}",
        "{:} ; c'est un serveur de {:}",
    ),
    (
        "{:}; --insecure goes on without looking at it",
        "{:} ; --insecure continue sans le regarder",
    ),
    (
        "{:} (`mailtool serve` starts a server here, and prints its ports)",
        "{:} (`mailtool serve` lance un serveur ici, et affiche ses ports)",
    ),
    ("{:} (later it may go)", "{:} (plus tard, peut-être)"),
    (
        "{:} (check the name and the password)",
        "{:} (vérifier le nom et le mot de passe)",
    ),
    ("{:}; add --user NAME", "{:} ; ajouter --user NAME"),
    ("{:}; add --starttls", "{:} ; ajouter --starttls"),
    ("SMTP at {}: {:}", "SMTP à {} : {:}"),
    ("LMTP at {}: {:}", "LMTP à {} : {:}"),
    ("POP3 at {}: {:}", "POP3 à {} : {:}"),
    ("IMAP at {}: {:}", "IMAP à {} : {:}"),
    ("the server refused {:}: {}", "le serveur a refusé {:} : {}"),
    (
        "the server refuses to talk: {}",
        "le serveur refuse de parler : {}",
    ),
    ("login refused: {}", "identification refusée : {}"),
    ("login failed: {}", "l'identification a échoué : {}"),
    (
        "{:}: no answer in time; --timeout SECONDS waits longer",
        "{:} : pas de réponse à temps ; --timeout SECONDS attend plus longtemps",
    ),
    (
        "{:}: the server closed the connection instead of answering",
        "{:} : le serveur a fermé la connexion au lieu de répondre",
    ),
    (
        "{:}: the server answered what the protocol does not know: {} (is it the right port?)",
        "{:} : le serveur a répondu ce que le protocole ne connaît pas : {} (est-ce le bon port ?)",
    ),
    ("the greeting", "l'accueil"),
    ("the message", "le message"),
    (
        "the server does not offer STARTTLS, and the password would cross the network in the clear: try --tls, or accept that with --no-starttls",
        "le serveur ne propose pas STARTTLS, et le mot de passe passerait en clair : essayer --tls, ou l'accepter par --no-starttls",
    ),
    (
        "this server takes passwords over TLS only: add --starttls, or --tls and its port for that",
        "ce serveur ne prend de mots de passe que sous TLS : ajouter --starttls, ou --tls et son port pour cela",
    ),
    (
        "the server offers no login here; leave --user away, or try its submission port",
        "le serveur ne propose pas de s'identifier ici ; omettre --user, ou essayer son port de dépôt",
    ),
    (
        "the server cannot be given the message: {}",
        "le message ne peut être donné au serveur : {}",
    ),
    (
        "the message cannot be read: {}",
        "le message ne peut être lu : {}",
    ),
    ("the message was not sent", "le message n'a pas été envoyé"),
    (
        "not all recipients would be taken",
        "tous les destinataires ne seraient pas acceptés",
    ),
    (
        "the message went to the other recipients only",
        "le message n'est allé qu'aux autres destinataires",
    ),
    ("<{}> refused: {}", "<{}> refusé : {}"),
    (
        "idle: no new message in {} in time",
        "idle : pas de nouveau message dans {} à temps",
    ),
    (
        "no commands: give them as arguments, or a line each on standard input",
        "pas de commandes : les donner en arguments, ou une par ligne sur l'entrée standard",
    ),
    (
        "which messages of {}? UIDs, as `imap list` shows them, or keys as for `imap search`",
        "quels messages de {} ? des UID, que `imap list` montre, ou des clés comme pour `imap search`",
    ),
    (
        "{}: no message in {} is like that",
        "{} : aucun message de {} n'est ainsi",
    ),
    ("cannot connect to {}: {:}", "impossible d'appeler {} : {:}"),
    (
        "{} port {}: connection refused: nothing listens there; is the server running, is the port right?",
        "{} port {} : connexion refusée : rien n'écoute là ; le serveur est-il en marche, le port est-il bon ?",
    ),
    (
        "{} port {}: no answer in time; a firewall may be in the way, or the host is down",
        "{} port {} : pas de réponse à temps ; un pare-feu est peut-être sur le chemin, ou la machine est arrêtée",
    ),
    ("no TLS with {}: {:}", "pas de TLS avec {} : {:}"),
    (
        "the server does not offer this mechanism (`imap serverinfo` lists those that it does, as AUTH=)",
        "le serveur n'offre pas ce mécanisme (`imap serverinfo` dit ceux qu'il offre, par AUTH=)",
    ),
    (
        "{:}: the server offers login with {} only",
        "{:} : le serveur n'offre d'identification que par {}",
    ),
    (
        "{:}: the server takes no login here",
        "{:} : le serveur ne prend pas d'identification ici",
    ),
    (
        "{:}: lost the connection to {}: {}",
        "{:} : connexion perdue avec {} : {}",
    ),
    (
        "lost the connection to {}: {}",
        "connexion perdue avec {} : {}",
    ),
    (
        "the certificate of {} has expired or is not valid yet; look at this machine's clock, then ask whoever runs the server to renew it",
        "le certificat de {} a expiré ou ne vaut pas encore ; regarder l'horloge de cette machine, puis en demander un nouveau à qui tient le serveur",
    ),
    (
        "the certificate is not for the name {} but for {}; use one of these names",
        "le certificat n'est pas pour le nom {} mais pour {} ; employer l'un de ces noms",
    ),
    (
        "nobody who is trusted here has signed the certificate of {}; give the authority that has with --ca FILE (`mailtool serve` keeps its own in STORE/tls/ca.pem, and prints where that is)",
        "personne à qui l'on se fie ici n'a signé le certificat de {} ; donner son autorité par --ca FILE (`mailtool serve` garde la sienne dans STORE/tls/ca.pem, et dit où)",
    ),
    (
        "nobody who is trusted here has signed the certificate of {}",
        "personne à qui l'on se fie ici n'a signé le certificat de {}",
    ),
    (
        "cannot find the address of {}: {:}; is {} spelled right?",
        "adresse de {} introuvable : {:} ; {} est-il bien écrit ?",
    ),
    ("Name or service not known", "nom inconnu"),
    (
        "Temporary failure in name resolution",
        "le service de noms ne répond pas en ce moment",
    ),
    (
        "--user is empty: give the name of the account, such as --user alice",
        "--user est vide : donner le nom du compte, comme --user alice",
    ),
    ("no password was typed", "aucun mot de passe n'a été tapé"),
    (
        "-q{}: the server tries again by itself; -q alone has it try everything now",
        "-q{} : le serveur réessaie de lui-même ; -q seul le fait tout essayer maintenant",
    ),
    (
        "-b{}: -bm sends, -bs speaks SMTP on stdin and stdout, -bp shows the queue, -bi is for aliases; a server is `mailtool serve`",
        "-b{} : -bm envoie, -bs parle SMTP sur l'entrée et la sortie standard, -bp montre la file d'attente, -bi est pour les alias ; un serveur, c'est `mailtool serve`",
    ),
    (
        "whoever has the dialogue logs in by itself; leave --user and MAILTOOL_USER away",
        "qui mène le dialogue s'identifie lui-même ; omettre --user et MAILTOOL_USER",
    ),
    (
        "whoever has the dialogue says STARTTLS by itself; --tls begins with TLS, --no-starttls in the clear",
        "qui mène le dialogue dit STARTTLS lui-même ; --tls commence par TLS, --no-starttls en clair",
    ),
    (
        "there is no --pcap here: `mailtool nc --pcap FILE` has it",
        "il n'y a pas de --pcap ici : `mailtool nc --pcap FILE` l'a",
    ),
    ("lost the connection to {}", "la connexion à {} est perdue"),
    (
        "never, or some of success,failure,delay",
        "never, ou une partie de success,failure,delay",
    ),
    ("full or hdrs", "full ou hdrs"),
    (
        "printable ASCII, 100 octets at most",
        "de l'ASCII imprimable, 100 octets au plus",
    ),
    (
        "the server does not know DSN: it was not asked for reports",
        "le serveur ne connaît pas DSN : aucun rapport ne lui a été demandé",
    ),
    (
        "to whom? Add --to alice@example.org",
        "à qui ? Ajouter --to alice@example.org",
    ),
    (
        "who sends it? The message has no From field; add --from alice@example.org",
        "de qui ? Le message n'a pas de champ From ; ajouter --from alice@example.org",
    ),
    ("cannot write the output", "la sortie ne peut être écrite"),
    (
        "cannot read standard input",
        "l'entrée standard ne peut être lue",
    ),
    // `serve`, at its start.
    (
        "cannot listen on {} for {}: {:}: another program listens there, perhaps another mailtool serve; --{} ADDR:PORT takes another port, 0 any that is free",
        "impossible d'écouter sur {} pour {} : {:} : un autre programme y écoute, peut-être un autre mailtool serve ; --{} ADDR:PORT prend un autre port, 0 n'importe lequel",
    ),
    (
        "cannot listen on {} for {}: {:}",
        "impossible d'écouter sur {} pour {} : {:}",
    ),
    (
        "cannot use the store {} (--store DIR takes another folder, --store tmp a throw-away one)",
        "le dossier {} ne peut servir (--store DIR en prend un autre, --store tmp un dossier jetable)",
    ),
    (
        "cannot use the store {} (--store DIR takes another folder, --store tmp a throw-away one): {:}",
        "le dossier {} ne peut servir (--store DIR en prend un autre, --store tmp un dossier jetable) : {:}",
    ),
    (
        "cannot use the store {}: {:}",
        "le dossier {} ne peut servir : {:}",
    ),
    ("cannot use the store {}", "le dossier {} ne peut servir"),
    ("cannot use the accounts", "les comptes ne peuvent servir"),
    (
        "cannot use what --tls-cert and --tls-key name",
        "ce que nomment --tls-cert et --tls-key ne peut servir",
    ),
    (
        "cannot use the file of --aliases",
        "le fichier de --aliases ne peut servir",
    ),
    (
        "--tls-cert and --tls-key belong together: a certificate is of no use without its key",
        "--tls-cert et --tls-key vont ensemble : un certificat ne sert à rien sans sa clé",
    ),
    (
        "--user and --users exclude each other: put all accounts into the file",
        "--user et --users s'excluent : mettre tous les comptes dans le fichier",
    ),
    (
        "--class excludes --users and --system-users: the list says who is here; --user adds the teacher",
        "--class exclut --users et --system-users : la liste dit qui est ici ; --user ajoute l'enseignant",
    ),
    (
        "every protocol is off, so there is nothing to serve: leave one on, such as --smtp 127.0.0.1:1025",
        "tous les protocoles sont coupés, il n'y a rien à servir : en laisser un, comme --smtp 127.0.0.1:1025",
    ),
    (
        "{} on {} could be reached from other machines, where anybody could log in {:}, or listen on 127.0.0.1",
        "{} sur {} serait joignable d'autres machines, d'où n'importe qui pourrait s'identifier {:}, ou écouter sur 127.0.0.1",
    ),
    (
        "as alice or bob: give accounts of your own with --user NAME:PASSWORD or --users FILE",
        "comme alice ou bob : donner des comptes à soi par --user NOM:MOTDEPASSE ou --users FICHIER",
    ),
    (
        "with --accept-any as everybody: leave it out",
        "sous tous les noms, avec --accept-any : l'omettre",
    ),
    (
        "--relay-from {} would have {} on {} pass on mail for everybody, and spammers would find it within hours: name your own networks only, such as 192.168.1.0/24, or let users log in, or listen on 127.0.0.1",
        "--relay-from {} ferait de {} sur {} un relais pour tous, que des spammeurs trouveraient en quelques heures : ne nommer que vos réseaux, comme 192.168.1.0/24, ou laisser les utilisateurs s'identifier, ou écouter sur 127.0.0.1",
    ),
    (
        "--allow-plaintext: {} on {} takes passwords that everybody on the way can read",
        "--allow-plaintext : {} sur {} accepte des mots de passe que tous peuvent lire en chemin",
    ),
    (
        "another program listens there, perhaps another mailtool serve; --{} ADDR:PORT takes another port, 0 any that is free",
        "un autre programme y écoute, peut-être un autre mailtool serve ; --{} ADDR:PORT prend un autre port, 0 un port libre",
    ),
    (
        "ports below 1024 need root, or the capability CAP_NET_BIND_SERVICE",
        "un port inférieur à 1024 demande root, ou la capacité CAP_NET_BIND_SERVICE",
    ),
    (
        "--lab-chain excludes --class and --exercise: a class has one server",
        "--lab-chain exclut --class et --exercise : une classe a un seul serveur",
    ),
    ("Password for {}: ", "Mot de passe ({}) : "),
    ("New password for {}: ", "Nouveau mot de passe ({}) : "),
    ("The same again: ", "Encore une fois : "),
    (
        "--password-file {}: its first line {:}",
        "--password-file {} : la première ligne {:}",
    ),
    (
        "is longer than {} octets: is it the right file?",
        "a plus de {} octets : est-ce le bon fichier ?",
    ),
    (
        "is empty, where the password should be",
        "est vide, là où devrait être le mot de passe",
    ),
    ("is not UTF-8", "n'est pas en UTF-8"),
    (
        "the body is not UTF-8 text; send it with --attach FILE",
        "le corps n'est pas du texte en UTF-8 ; l'envoyer par --attach FICHIER",
    ),
    (
        "{} holds more than {} octets",
        "{} contient plus de {} octets",
    ),
    (
        "whose login is it to be? Add --user NAME",
        "s'identifier comme qui ? Ajouter --user NOM",
    ),
    (
        "{:}; that of --ca {} has not either: is it the file of this very server? --insecure goes on without looking at it",
        "{:} ; celle de --ca {} non plus : est-ce le fichier de ce serveur-ci ? --insecure continue sans le regarder",
    ),
    (
        "--lab-chain names its servers itself, mta1.lab and so on: leave --domain and --hostname out",
        "--lab-chain nomme ses serveurs lui-même, mta1.lab et ainsi de suite : omettre --domain et --hostname",
    ),
    (
        "neither XDG_STATE_HOME nor HOME is set: say where the mail goes with --store DIR, or --store tmp",
        "ni XDG_STATE_HOME ni HOME n'existent : dire où va le courrier par --store DIR, ou --store tmp",
    ),
    ("{:}, line {}: {:}", "{:}, ligne {} : {:}"),
    ("line {}: {:}", "ligne {} : {:}"),
    ("nobody is in the list", "la liste est vide"),
    (
        "{} is somebody else's login already",
        "{} est déjà l'identifiant de quelqu'un d'autre",
    ),
    (
        "--system-users excludes --users and --user: the machine says who is here",
        "--system-users exclut --users et --user : c'est la machine qui dit qui est ici",
    ),
    (
        "--user {}: is a student of --class already",
        "--user {} : est déjà un élève de --class",
    ),
    (
        "in a lab chain each server takes mail by SMTP over TCP: leave --smtp out, or give 0 for free ports",
        "dans une chaîne, chaque serveur reçoit le courrier par SMTP sur TCP : omettre --smtp, ou donner 0 pour des ports libres",
    ),
    (
        "--smarthost-user {} needs one of --smarthost-password-file, --smarthost-token-file and --smarthost-token-command",
        "--smarthost-user {} veut l'un de --smarthost-password-file, --smarthost-token-file et --smarthost-token-command",
    ),
    (
        "{}: not an option for a file",
        "{} : pas une option de fichier",
    ),
    ("give true or false", "donner true ou false"),
    ("give a list of texts", "donner une liste de textes"),
    (
        "give a text or a number, not a {}",
        "donner un texte ou un nombre, non un {}",
    ),
    (
        "MAILTOOL_PASSWORD is not UTF-8",
        "MAILTOOL_PASSWORD n'est pas en UTF-8",
    ),
    (
        "holds a NUL, which no password can",
        "contient un NUL, ce qu'aucun mot de passe ne peut",
    ),
    (
        "another program fetches the same mail now",
        "un autre programme relève le même courrier en ce moment",
    ),
    (
        "the server has no UIDL, without which nobody can tell which messages are new: fetch --all",
        "le serveur n'a pas UIDL, sans quoi nul ne sait quels messages sont nouveaux : relever tout par --all",
    ),
    (
        "--load: {} is not this computer; if it is yours, and whoever runs it knows, add --load-remote",
        "--load : {} n'est pas cet ordinateur ; s'il est à vous, et que qui s'en occupe le sait, ajouter --load-remote",
    ),
    (
        "another mailtool{:} serves it: stop that one, or take another folder",
        "un autre mailtool{:} s'en sert : arrêter celui-là, ou prendre un autre dossier",
    ),
    (" (process {})", " (processus {})"),
    (
        "Type the message, and end it with Ctrl-D:",
        "Taper le message, et le finir par Ctrl-D :",
    ),
    ("SMTP or LMTP", "SMTP ou LMTP"),
    (
        "{} cannot be a login: give one of letters a to z, digits, dots, - and _, of {} at most",
        "{} ne peut être un identifiant : en donner un de lettres a à z, chiffres, points, - et _, de {} au plus",
    ),
    (
        "a field has a control character",
        "un champ contient un caractère de contrôle",
    ),
    (
        "a quoted field does not end in its line",
        "un champ entre guillemets ne finit pas sur sa ligne",
    ),
    (
        "a class has {} students at most",
        "une classe a {} élèves au plus",
    ),
    (
        "it needs a title in both languages, en: and fr:",
        "il faut un titre dans les deux langues, en: et fr:",
    ),
    (
        "step {} needs a text in both languages, en: and fr:",
        "il faut à l'étape {} un texte dans les deux langues, en: et fr:",
    ),
    (
        "step {} needs a line `say`, unless it is answered elsewhere; then it has none",
        "il faut à l'étape {} une ligne `say`, sauf si on y répond ailleurs ; alors elle n'en a pas",
    ),
    (
        "write step ID and smtp, pop3, imap, any or elsewhere, such as: step 4 smtp",
        "écrire step, le nom, puis smtp, pop3, imap, any ou elsewhere, comme : step 4 smtp",
    ),
    ("there is a step {} already", "il y a déjà une étape {}"),
    (
        "there is no step in it, such as: step 4 smtp",
        "il n'y a aucune étape, comme : step 4 smtp",
    ),
    (
        "before the first step there are en: and fr: only",
        "avant la première étape, il n'y a que en: et fr:",
    ),
    (
        "{} is not understood: a line begins with step, en:, fr:, say, then, hand, tls, self or apart",
        "{} n'est pas compris : une ligne commence par step, en:, fr:, say, then, hand, tls, self ou apart",
    ),
    (
        "the lab has faults {}1 to {}",
        "le TP a les pannes {}1 à {}",
    ),
    (
        ": --fault help shows them all",
        " : --fault help les montre toutes",
    ),
    ("; is {} meant?", " ; serait-ce {} ?"),
    (
        "nothing is known here of a message {}: the log may have more",
        "rien n'est connu ici d'un message {} : le journal en dit peut-être plus",
    ),
    // Commands of `serve`.
    (
        "no server runs on the store {}: start one with `mailtool serve --store {}`, or name the store of the one that runs with --store DIR",
        "aucun serveur ne tourne sur le dossier {} : en lancer un par `mailtool serve --store {}`, ou nommer le dossier de celui qui tourne par --store DIR",
    ),
    (
        "there is no class in the store {}: start a server with --class FILE.csv, or name its store with --store DIR",
        "il n'y a pas de classe dans le dossier {} : lancer un serveur avec --class FILE.csv, ou nommer son dossier par --store DIR",
    ),
    (
        "nobody of that login or group is in the class",
        "personne de cet identifiant ou de ce groupe n'est dans la classe",
    ),
    (
        "no session is called {}, and none brought such a message: `mailtool serve sessions list` shows what there is",
        "aucune session ne s'appelle {}, et aucune n'a apporté un tel message : `mailtool serve sessions list` montre celles qu'il y a",
    ),
    (
        "the server stopped before the message came",
        "le serveur s'est arrêté avant l'arrivée du message",
    ),
    (
        "these were two different passwords: nothing is changed",
        "ce n'était pas deux fois le même mot de passe : rien n'est changé",
    ),
    (
        "no message came, or one of more than {} MiB",
        "aucun message n'est venu, ou un de plus de {} Mio",
    ),
    (
        "{} is of no domain of this server; --domain adds one",
        "{} n'est d'aucun domaine de ce serveur ; --domain en ajoute un",
    ),
    (
        "{} is also {}, which is elsewhere: only the server sends on, hand it in by SMTP",
        "{} est aussi {}, qui est ailleurs : seul le serveur transmet, le remettre par SMTP",
    ),
    (
        "there is no mailbox {}: --users, --user and --domain say who is here",
        "il n'y a pas de boîte {} : --users, --user et --domain disent qui est ici",
    ),
    (
        "{} has an account in {} already; `passwd {}` sets another password",
        "{} a déjà un compte dans {} ; `passwd {}` donne un autre mot de passe",
    ),
    ("{} has no account in {}", "{} n'a pas de compte dans {}"),
    (
        "no applet is named {}; `mailtool --list` names them",
        "aucun applet ne s'appelle {} ; `mailtool --list` les nomme",
    ),
    (
        "no message that matches came within {} s",
        "aucun message qui convient n'est venu en {} s",
    ),
    // `nc` in mail mode.
    (
        "the server closed in the middle of {}",
        "le serveur a fermé au milieu de {}",
    ),
    ("the server closed {:}", "le serveur a fermé {:}"),
    ("before its greeting", "avant son accueil"),
    (
        "before it answered the message",
        "avant de répondre au message",
    ),
    ("before it answered {:}", "avant de répondre à {:}"),
    (
        "nothing came for {} seconds {:}",
        "rien n'est venu pendant {} secondes {:}",
    ),
    (
        "the reply is not what the script expects",
        "la réponse n'est pas celle que le script attend",
    ),
    (
        "the script expects what did not come: {:}",
        "ce que le script attend n'est pas venu : {:}",
    ),
    (
        "the certificate of {} is not good: {:}; --ca FILE trusts its authority, --insecure takes any",
        "le certificat de {} n'est pas bon : {:} ; --ca FILE fait confiance à son autorité, --insecure accepte tout",
    ),
    (
        "what came is not TLS: is this the right port, or does the connection begin in the clear (leave --tls away, with nc --ssl, or try --starttls)?",
        "ce qui est venu n'est pas du TLS : est-ce le bon port, ou la connexion commence-t-elle en clair (ôter --tls, et --ssl avec nc, ou essayer --starttls) ?",
    ),
    (
        "nobody who is trusted here has signed it",
        "personne à qui on fait confiance ici ne l'a signé",
    ),
    ("the server closed", "le serveur a fermé"),
    ("it did not come in time", "ce n'est pas venu à temps"),
    ("step:     {}", "étape :   {}"),
    ("sent:     {:}", "envoyé :  {:}"),
    ("the message", "le message"),
    ("expected: {}", "attendu : {}"),
    ("came:     {:}", "reçu :    {:}"),
    ("nothing", "rien"),
    ("nothing more", "rien de plus"),
    (
        "          ... and {} lines more",
        "          ... et {} lignes de plus",
    ),
    (
        "the server was expected to close, but {:}",
        "le serveur devait fermer, mais {:}",
    ),
    ("it keeps the connection", "il garde la connexion"),
    ("it said: {}", "il a dit : {}"),
    (
        "checked: {} of {} came true",
        "contrôle : {} sur {} comme attendu",
    ),
    (
        "from line {} on, the script was not tried",
        "à partir de la ligne {}, le script n'a pas été essayé",
    ),
    (
        "nothing was checked: no line of the script says ??? and what is expected",
        "rien n'a été contrôlé : aucune ligne du script ne dit ??? et ce qui est attendu",
    ),
    ("answered after {} s", "réponse après {} s"),
    (
        "+++ takes seconds: +++ 2, or +++ 0.5",
        "+++ veut des secondes : +++ 2, ou +++ 0.5",
    ),
    (
        "input ended in the middle of the message: no line was a dot alone",
        "l'entrée a fini au milieu du message : aucune ligne n'était un point seul",
    ),
    (
        "input ended in the middle of a chunk: BDAT said that there was more",
        "l'entrée a fini au milieu d'un morceau : BDAT en annonçait plus",
    ),
    (
        "input ended in the middle of a literal: its number said that there was more",
        "l'entrée a fini au milieu d'un littéral : son nombre en annonçait plus",
    ),
    (
        "input ended before the command's last line (after a literal an empty line may end it)",
        "l'entrée a fini avant la dernière ligne de la commande (après un littéral, une ligne vide peut la finir)",
    ),
    (
        "input ended where the server waits for an answer",
        "l'entrée a fini là où le serveur attend une réponse",
    ),
    (
        "{} octets came in the clear where TLS was to begin (RFC 3207 section 6); they are not believed",
        "{} octets sont venus en clair là où TLS devait commencer (RFC 3207 section 6) ; ils ne sont pas crus",
    ),
    (
        "no mail server greets like this: {}; name the protocol (--smtp, --lmtp, --pop3, --imap) if it is one all the same",
        "aucun serveur de courrier n'accueille ainsi : {} ; nommer le protocole (--smtp, --lmtp, --pop3, --imap) si c'en est un quand même",
    ),
    (
        "the server has answered in the middle of the text: lines are commands again",
        "le serveur a répondu au milieu du texte : les lignes sont de nouveau des commandes",
    ),
    ("TLS is up: {}, {:}", "TLS est établi : {}, {:}"),
    ("certificate verified", "certificat vérifié"),
    ("certificate not checked", "certificat non contrôlé"),
    (
        "certificate NOT verified: {:}",
        "certificat NON vérifié : {:}",
    ),
    ("sent with the tag {}", "envoyé avec l'étiquette {}"),
    (
        "DATA was refused: what was meant as its text, from line {} to the lone dot, is not sent",
        "DATA a été refusé : ce qui devait être son texte, de la ligne {} au point seul, n'est pas envoyé",
    ),
    (
        "the literal was refused: its {} octets, from line {}, are not sent",
        "le littéral a été refusé : ses {} octets, à partir de la ligne {}, ne sont pas envoyés",
    ),
    (
        "the login was refused: line {} looks like an answer to it, and is not sent",
        "l'identification a été refusée : la ligne {} semble y répondre, et n'est pas envoyée",
    ),
    (
        "the {} server refuses to talk: {}",
        "le serveur {} refuse de parler : {}",
    ),
    (
        "the {} server does not offer STARTTLS",
        "le serveur {} ne propose pas STARTTLS",
    ),
    (
        "the {} server refuses {}: {}",
        "le serveur {} refuse {} : {}",
    ),
    (
        "that is no {} server: it says {}",
        "ce n'est pas un serveur {} : il dit {}",
    ),
    (
        "{} octets came in the clear where TLS was to begin (RFC 3207 section 6)",
        "{} octets sont venus en clair là où TLS devait commencer (RFC 3207 section 6)",
    ),
    (
        "the server closed the connection {:}",
        "le serveur a fermé la connexion {:}",
    ),
    ("instead of answering {}", "au lieu de répondre à {}"),
    (
        "line {} cannot be sent, the server has closed: {}",
        "la ligne {} ne peut être envoyée, le serveur a fermé : {}",
    ),
    (
        "line {} is too long for a command",
        "la ligne {} est trop longue pour une commande",
    ),
    (
        "line {}: cannot read {}: {:}",
        "ligne {} : {} ne peut être lu : {:}",
    ),
    (
        "this is a server of {}, not of {}: {}",
        "c'est un serveur de {}, non de {} : {}",
    ),
];
