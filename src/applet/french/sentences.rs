//! What is said when something goes wrong: English with places, French with the same places; see `said`.

use super::Table;

pub(super) const TABLE: Table = &[
    // Endings that others are told with come first.
    (
        "{:}; a server that waits for TLS says nothing first: if this is one, add --tls",
        "{:} ; un serveur qui attend TLS ne dit rien le premier : si c'en est un, ajouter --tls",
    ),
    (
        "{:}; this server speaks TLS from the first byte: add --tls",
        "{:} ; ce serveur parle TLS dès le premier octet : ajouter --tls",
    ),
    (
        "{:}; this is a server of {}",
        "{:} ; c'est un serveur de {}",
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
        "the message went to the other recipients only",
        "le message n'est allé qu'aux autres destinataires",
    ),
    ("<{}> refused: {}", "<{}> refusé : {}"),
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
        "cannot find the address of {}: {:}; is --server spelled right?",
        "adresse de {} introuvable : {:} ; --server est-il bien écrit ?",
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
        "{} on {} could be reached from other machines, where anybody could log in {}, or listen on 127.0.0.1",
        "{} sur {} serait joignable d'autres machines, d'où n'importe qui pourrait s'identifier {}, ou écouter sur 127.0.0.1",
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
    ("before it answered {:}", "avant de répondre à {:}"),
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
    ("cannot be made", "création impossible"),
];
