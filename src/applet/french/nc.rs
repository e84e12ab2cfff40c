//! The French help of `nc`.

use super::{ABOUT, AFTER, LONG_ABOUT, Table, USAGE};

pub(super) const TABLE: Table = &[
    (
        ABOUT,
        "Lit et écrit par TCP, UDP et sockets UNIX ; parle aux serveurs de courrier",
    ),
    (
        LONG_ABOUT,
        "Relie l'entrée et la sortie standard au port PORT de HOST ou, avec -l, au premier qui appelle. Lettres, messages et \
         codes de retour sont ceux du nc de Debian (OpenBSD). Sous le nom de ncat, ou avec --compat=ncat, ce sont ceux du \
         ncat de Nmap ; --compat=traditional vaut pour netcat-traditional. Les options longues valent partout.",
    ),
    (
        USAGE,
        "mailtool nc [OPTIONS] HOST PORT...\n       mailtool nc -l [OPTIONS] [HOST] PORT\n       mailtool nc -U [OPTIONS] PATH",
    ),
    (
        "operands",
        "La machine, puis les ports : numéros, intervalles (20-25), noms de services",
    ),
    ("What to do", "Que faire"),
    ("listen", "Attendre un appel au lieu d'appeler"),
    ("k", "Avec -l : prendre les appels l'un après l'autre"),
    (
        "keep-open",
        "Avec -l : prendre tous les appels, plusieurs à la fois",
    ),
    ("max-conns", "Appels pris à la fois, sinon 100"),
    ("z", "Voir seulement qui écoute, sans rien envoyer"),
    ("r", "Essayer les ports dans un ordre quelconque"),
    (
        "wait-port",
        "Rappeler jusqu'à ce que quelqu'un écoute, pendant ce temps",
    ),
    ("exec", "Lancer ce programme, sans shell, et le relier"),
    ("sh-exec", "Faire exécuter ceci par /bin/sh, et le relier"),
    (
        "F",
        "Passer la socket connectée au programme qui lit la sortie standard",
    ),
    ("broker", "Transmettre à tous les autres ce que dit chacun"),
    (
        "chat",
        "Pareil pour des humains : chaque ligne dit de qui elle vient",
    ),
    (
        "allow",
        "Ne prendre que les appels de ces machines : adresses, réseaux, intervalles, noms",
    ),
    ("allowfile", "Pareil, dans un fichier"),
    (
        "deny",
        "Ne prendre aucun appel de ces machines, quoi que dise --allow",
    ),
    ("denyfile", "Pareil, dans un fichier"),
    (
        "compat",
        "Parler le dialecte d'un autre netcat : openbsd, ncat ou traditional",
    ),
    ("Addresses and sockets", "Adresses et sockets"),
    ("4", "IPv4 seulement"),
    ("6", "IPv6 seulement"),
    ("udp", "UDP au lieu de TCP ; avec -U, des datagrammes"),
    (
        "unixsock",
        "Une socket UNIX : son chemin vaut machine et port ; @NOM est abstrait",
    ),
    ("Z", "DCCP au lieu de TCP"),
    ("nodns", "Ne chercher aucun nom"),
    (
        "source",
        "Appeler depuis cette adresse ; avec -l et -p, y écouter",
    ),
    ("source-port", "Appeler depuis ce port ; avec -l, y écouter"),
    ("b", "Permettre la diffusion (broadcast)"),
    ("D", "Poser SO_DEBUG sur la socket"),
    (
        "S",
        "Signer les segments selon RFC 2385 ; demande le mot de passe",
    ),
    ("I", "Octets du tampon de réception TCP"),
    ("O", "Octets du tampon d'envoi TCP"),
    ("M", "Sauts qu'un paquet peut faire"),
    ("m", "Rejeter les paquets auxquels il reste moins de sauts"),
    (
        "T",
        "Type de service : un nom (lowdelay, ef, af11 ...) ou un nombre",
    ),
    ("Pace and end", "Rythme et fin"),
    (
        "w",
        "Renoncer à la connexion, ou à attendre des octets, après ce temps",
    ),
    ("wait", "Renoncer à la connexion après ce temps"),
    (
        "idle-timeout",
        "Échouer quand rien ne bouge pendant ce temps",
    ),
    (
        "delay",
        "Attendre ce temps après chaque ligne envoyée, et entre les ports",
    ),
    (
        "q",
        "Partir ce temps après la fin de l'entrée standard ; annonce cette fin à l'autre",
    ),
    ("N", "Annoncer à l'autre la fin de l'entrée standard"),
    (
        "no-shutdown",
        "Ne pas annoncer à l'autre la fin de l'entrée standard",
    ),
    (
        "send-only",
        "Envoyer, jeter ce qui vient ; partir à la fin de l'entrée standard",
    ),
    ("recv-only", "Recevoir, ne rien envoyer"),
    ("d", "Ne pas lire l'entrée standard"),
    ("W", "Partir après ce nombre de réceptions"),
    (
        "rate",
        "Que ce nombre d'octets par seconde, dans chaque sens ; K, M, G : fois 1024",
    ),
    ("crlf", "Envoyer CRLF pour LF, laisser CRLF tel quel"),
    ("telnet", "Refuser ce que demande un serveur telnet"),
    ("Proxies", "Mandataires"),
    (
        "x",
        "Appeler par ce mandataire ; répété, par celui-ci vers le suivant",
    ),
    (
        "X",
        "Ce que parle le mandataire de -x : 4, 5 ou connect ; sinon 5",
    ),
    (
        "P",
        "Nom auprès du mandataire de -x ; demande le mot de passe",
    ),
    (
        "proxy",
        "Appeler par ce mandataire ; répété, par celui-ci vers le suivant",
    ),
    (
        "proxy-type",
        "Ce que parle --proxy : http, socks4 ou socks5 ; sinon http ; avec -l, être un tel mandataire",
    ),
    (
        "proxy-auth",
        "Nom et mot de passe auprès du mandataire, ou que le nôtre demande",
    ),
    (
        "proxy-dns",
        "Qui cherche l'adresse : remote (le mandataire), local, both, none ; sinon remote",
    ),
    ("TLS", "TLS"),
    ("ssl", "TLS dès le premier octet"),
    (
        "starttls",
        "Passer d'abord à TLS : smtp, lmtp, pop3, imap ou ftp",
    ),
    (
        "ssl-verify",
        "TLS, et quitter un serveur dont le certificat n'est pas bon",
    ),
    (
        "ssl-trustfile",
        "Pareil, en se fiant aux autorités de ce fichier au lieu de celles du système",
    ),
    (
        "ca",
        "Avec TLS : se fier aux autorités de ce fichier au lieu de celles du système, et vérifier",
    ),
    (
        "insecure",
        "Accepter tout certificat, même avec --starttls et --mail",
    ),
    (
        "ssl-cert",
        "Notre certificat, en PEM ; un serveur qui n'en a pas en fabrique un",
    ),
    ("ssl-key", "Sa clé privée, en PEM"),
    ("ssl-ciphers", "Suites de chiffrement, aux noms d'OpenSSL"),
    (
        "ssl-servername",
        "Nom à demander au serveur, et à trouver dans son certificat",
    ),
    ("ssl-alpn", "Protocoles d'application à proposer (ALPN)"),
    ("Mail", "Courrier"),
    (
        "mail",
        "Envoyer chaque ligne de l'entrée quand la réponse à la précédente est complète",
    ),
    (
        "check",
        "Pareil ; un script continue là où la réponse n'est pas celle qu'il attend, et tout est compté",
    ),
    ("smtp", "Pareil, quel que soit l'accueil : SMTP"),
    ("lmtp", "LMTP"),
    ("pop3", "POP3"),
    ("imap", "IMAP ; une ligne sans étiquette en reçoit une"),
    (
        "explain",
        "Expliquer chaque réponse sur la sortie d'erreur, en anglais (en) ou en français (fr)",
    ),
    ("Evidence", "Traces"),
    ("verbose", "Dire ce qui se passe, sur la sortie d'erreur"),
    (
        "o",
        "Écrire ce qui passe, en hexadécimal, avec sens et position",
    ),
    ("output", "Écrire ce qui passe tel quel, dans les deux sens"),
    (
        "hex-dump",
        "Écrire ce qui passe en hexadécimal, à la façon de ncat",
    ),
    (
        "append-output",
        "Ajouter à ces fichiers au lieu de les refaire",
    ),
    (
        "transcript",
        "Écrire le dialogue ligne par ligne, qui dit quoi ; mots de passe masqués",
    ),
    (
        "timing",
        "Dire le temps de chaque réponse, sur la sortie d'erreur et dans le dialogue",
    ),
    (
        "pcap",
        "Écrire une capture pour Wireshark, secrets TLS compris ; mots de passe NON masqués",
    ),
    (
        "stats",
        "Dire à la fin combien est passé, et à quelle vitesse, sur la sortie d'erreur",
    ),
    ("progress", "Le dire en continu, sur une ligne du terminal"),
    ("About", "À propos"),
    (
        "help",
        "Afficher cette aide ; -h affiche celle du netcat dont c'est le dialecte",
    ),
    ("version", "Afficher la version"),
    (
        AFTER,
        "Code de retour : 0 si tout va bien (avec plusieurs ports : si l'un d'eux est ouvert), sinon 1 ; comme ncat, 2 si la \
         ligne de commande ne peut être suivie ; 3 si un script en mode courrier reçoit une autre réponse que prévu.\n\n\
         TIME est en secondes, ou avec une unité : 500ms, 2s, 1m, 1h.\n\n\
         Exemples :\n  \
         mailtool nc 127.0.0.1 1025              parler à un serveur de courrier\n  \
         mailtool nc --mail 127.0.0.1 1025 <FILE chaque ligne après la réponse à la précédente\n  \
         mailtool nc --explain=fr 127.0.0.1 1025 que signifient ses réponses ?\n  \
         mailtool nc --starttls smtp HOST 587    chiffré par STARTTLS\n  \
         mailtool nc -zv 127.0.0.1 20-30 smtp    voir quels ports sont ouverts\n  \
         mailtool nc -l 4000 >file               recevoir un fichier\n  \
         mailtool nc -N host 4000 <file          l'envoyer",
    ),
];
