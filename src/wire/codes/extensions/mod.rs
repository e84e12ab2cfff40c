//! The extensions of SMTP: the keywords that EHLO lists, the parameters of MAIL and RCPT that come with them, and the mechanisms of
//! AUTH.
//!
//! A parameter that has the name of its extension (SIZE, SMTPUTF8, MT-PRIORITY, REQUIRETLS) has no row of its own, and neither has a
//! keyword that is the name of its command (STARTTLS, ETRN, HELP, XCLIENT): the one row tells both.

pub mod mechanisms;
pub mod rare;

use super::{Entry, Kind, Text};

/// Keywords of EHLO, in alphabetic order.
pub const KEYWORDS: &[Entry] = &[
    Entry {
        kind: Kind::Extension,
        code: "8BITMIME",
        name: "8-bit MIME transport",
        meaning: Text {
            en: "The text of a message may hold octets above 127, such as accented letters in UTF-8; lines stay lines.",
            fr: "Le texte d'un message peut contenir des octets au-delà de 127, comme des lettres accentuées en UTF-8 ; \
                 les lignes restent des lignes.",
        },
        sent: Text {
            en: "The server, in its answer to EHLO. The client then says BODY=8BITMIME with MAIL.",
            fr: "Le serveur, en réponse à EHLO. Le client dit alors BODY=8BITMIME avec MAIL.",
        },
        next: Text {
            en: "Where it is missing, encode the body first (quoted-printable or base64).",
            fr: "S'il manque, encoder d'abord le corps (quoted-printable ou base64).",
        },
        section: "RFC 6152",
    },
    Entry {
        kind: Kind::Extension,
        code: "BINARYMIME",
        name: "Binary MIME transport",
        meaning: Text {
            en: "The text of a message may be any octets at all, without lines; it has to be sent with BDAT.",
            fr: "Le texte d'un message peut être fait d'octets quelconques, sans lignes ; il doit être envoyé par BDAT.",
        },
        sent: Text {
            en: "The server, in its answer to EHLO, always together with CHUNKING. The client says BODY=BINARYMIME.",
            fr: "Le serveur, en réponse à EHLO, toujours avec CHUNKING. Le client dit BODY=BINARYMIME.",
        },
        next: Text {
            en: "DATA is refused after it: use BDAT. A server further on that lacks it sends the message back.",
            fr: "DATA est ensuite refusé : utiliser BDAT. Si un serveur plus loin ne l'a pas, le message revient.",
        },
        section: "RFC 3030 §3",
    },
    Entry {
        kind: Kind::Extension,
        code: "CHUNKING",
        name: "Transmission in chunks",
        meaning: Text {
            en: "The text may be sent with BDAT, in pieces whose length is said first; no dot has to be looked for.",
            fr: "Le texte peut être envoyé par BDAT, en morceaux de longueur annoncée ; aucun point final à chercher.",
        },
        sent: Text {
            en: "The server, in its answer to EHLO.",
            fr: "Le serveur, en réponse à EHLO.",
        },
        next: Text {
            en: "BDAT in place of DATA, if you like; `mailtool codes BDAT` shows how.",
            fr: "BDAT à la place de DATA, au choix ; `mailtool codes BDAT` montre comment.",
        },
        section: "RFC 3030 §2",
    },
    Entry {
        kind: Kind::Extension,
        code: "DELIVERBY",
        name: "Deliver by",
        meaning: Text {
            en: "A sender may say by when a message has to be there. The number is the shortest time, in seconds, that can \
                 be asked for.",
            fr: "L'expéditeur peut dire pour quand un message doit être arrivé. Le nombre est le plus court délai, en \
                 secondes, que l'on puisse demander.",
        },
        sent: Text {
            en: "The server, in its answer to EHLO. The client says BY with MAIL.",
            fr: "Le serveur, en réponse à EHLO. Le client dit BY avec MAIL.",
        },
        next: Text {
            en: "`mailtool codes BY` shows how it is asked for.",
            fr: "`mailtool codes BY` montre comment le demander.",
        },
        section: "RFC 2852",
    },
    Entry {
        kind: Kind::Extension,
        code: "DSN",
        name: "Delivery status notifications",
        meaning: Text {
            en: "A sender may choose which reports come back - delivered, failed, late, none - and what they bring.",
            fr: "L'expéditeur peut choisir quels rapports reviennent - remis, échoué, en retard, aucun - et leur contenu.",
        },
        sent: Text {
            en: "The server, in its answer to EHLO. The client says RET and ENVID with MAIL, NOTIFY and ORCPT with RCPT.",
            fr: "Le serveur, en réponse à EHLO. Le client dit RET et ENVID avec MAIL, NOTIFY et ORCPT avec RCPT.",
        },
        next: Text {
            en: "Where it is missing, only failures are reported.",
            fr: "S'il manque, seuls les échecs sont signalés.",
        },
        section: "RFC 3461",
    },
    Entry {
        kind: Kind::Extension,
        code: "ENHANCEDSTATUSCODES",
        name: "Enhanced status codes",
        meaning: Text {
            en: "Replies carry a second code after the first, such as 5.1.1, that tells more exactly what is the matter.",
            fr: "Les réponses portent un second code après le premier, comme 5.1.1, qui dit plus précisément ce qu'il en est.",
        },
        sent: Text {
            en: "The server, in its answer to EHLO.",
            fr: "Le serveur, en réponse à EHLO.",
        },
        next: Text {
            en: "Nothing is to be done: read both codes. `mailtool codes 5.1.1` explains one.",
            fr: "Rien à faire : lire les deux codes. `mailtool codes 5.1.1` en explique un.",
        },
        section: "RFC 2034",
    },
    Entry {
        kind: Kind::Extension,
        code: "FUTURERELEASE",
        name: "Future message release",
        meaning: Text {
            en: "A message may be handed in now and sent later. The numbers are the longest wait, in seconds, and the \
                 moment when it ends.",
            fr: "Un message peut être déposé maintenant et envoyé plus tard. Les nombres sont la plus longue attente, en \
                 secondes, et le moment où elle prend fin.",
        },
        sent: Text {
            en: "A submission server, in its answer to EHLO. The client says HOLDFOR or HOLDUNTIL with MAIL.",
            fr: "Un serveur de soumission, en réponse à EHLO. Le client dit HOLDFOR ou HOLDUNTIL avec MAIL.",
        },
        next: Text {
            en: "`mailtool codes HOLDFOR` shows how it is asked for.",
            fr: "`mailtool codes HOLDFOR` montre comment le demander.",
        },
        section: "RFC 4865",
    },
    Entry {
        kind: Kind::Extension,
        code: "LIMITS",
        name: "Limits of the server",
        meaning: Text {
            en: "How much the server takes: RCPTMAX is recipients of a message, MAILMAX messages of a connection, \
                 RCPTDOMAINMAX domains of a message.",
            fr: "Ce que le serveur accepte au plus : RCPTMAX, destinataires par message ; MAILMAX, messages par connexion ; \
                 RCPTDOMAINMAX, domaines par message.",
        },
        sent: Text {
            en: "The server, in its answer to EHLO.",
            fr: "Le serveur, en réponse à EHLO.",
        },
        next: Text {
            en: "Keep to it; what is more gets 452, and is sent in another message.",
            fr: "S'y tenir ; ce qui dépasse reçoit 452, et part dans un autre message.",
        },
        section: "RFC 9422",
    },
    Entry {
        kind: Kind::Extension,
        code: "MT-PRIORITY",
        name: "Message transfer priority",
        meaning: Text {
            en: "A message may have a priority from -9 to 9; 0 is the usual one. What is more urgent leaves a queue first.",
            fr: "Un message peut avoir une priorité de -9 à 9 ; 0 est l'ordinaire. Le plus urgent quitte la file d'abord.",
        },
        sent: Text {
            en: "The server, in its answer to EHLO. The client says MT-PRIORITY=3, for example, with MAIL.",
            fr: "Le serveur, en réponse à EHLO. Le client dit par exemple MT-PRIORITY=3 avec MAIL.",
        },
        next: Text {
            en: "Most servers believe it of users who have logged in, and of their own networks.",
            fr: "La plupart des serveurs y croient de la part d'utilisateurs identifiés et de leurs propres réseaux.",
        },
        section: "RFC 6710",
    },
    Entry {
        kind: Kind::Extension,
        code: "PIPELINING",
        name: "Command pipelining",
        meaning: Text {
            en: "Several commands may be sent at once, without waiting for each reply; the replies come in order.",
            fr: "Plusieurs commandes peuvent être envoyées d'un coup, sans attendre chaque réponse ; les réponses viennent \
                 dans l'ordre.",
        },
        sent: Text {
            en: "The server, in its answer to EHLO.",
            fr: "Le serveur, en réponse à EHLO.",
        },
        next: Text {
            en: "Wait all the same after EHLO, DATA, STARTTLS, AUTH, NOOP, VRFY, EXPN, TURN and QUIT.",
            fr: "Attendre tout de même après EHLO, DATA, STARTTLS, AUTH, NOOP, VRFY, EXPN, TURN et QUIT.",
        },
        section: "RFC 2920",
    },
    Entry {
        kind: Kind::Extension,
        code: "REQUIRETLS",
        name: "TLS all the way",
        meaning: Text {
            en: "The message is passed on over TLS with a good certificate only, at every hop, or comes back.",
            fr: "Le message n'est transmis que sous TLS avec un certificat valable, à chaque étape, sinon il revient.",
        },
        sent: Text {
            en: "The server, in its answer to EHLO, within TLS only. The client says REQUIRETLS with MAIL.",
            fr: "Le serveur, en réponse à EHLO, sous TLS seulement. Le client dit REQUIRETLS avec MAIL.",
        },
        next: Text {
            en: "Few servers have it: expect the message back (5.7.30) where one on the way lacks it.",
            fr: "Peu de serveurs l'ont : s'attendre au retour du message (5.7.30) s'il manque en chemin.",
        },
        section: "RFC 8689",
    },
    Entry {
        kind: Kind::Extension,
        code: "SIZE",
        name: "Message size declaration",
        meaning: Text {
            en: "The number is the largest message that is taken, in octets; 0, or no number, is no bound. With MAIL the \
                 client says how long its message is, so that it is refused before it is sent.",
            fr: "Le nombre est la taille du plus grand message accepté, en octets ; 0, ou rien, est sans limite. Avec MAIL, \
                 le client annonce la taille du sien, qui est ainsi refusé avant d'être envoyé.",
        },
        sent: Text {
            en: "The server, in its answer to EHLO; the client, as in MAIL FROM:<bob@example.org> SIZE=1000.",
            fr: "Le serveur, en réponse à EHLO ; le client, comme dans MAIL FROM:<bob@example.org> SIZE=1000.",
        },
        next: Text {
            en: "552 5.3.4 says that the message is too big: send a link, or less.",
            fr: "552 5.3.4 dit que le message est trop gros : envoyer un lien, ou moins.",
        },
        section: "RFC 1870",
    },
    Entry {
        kind: Kind::Extension,
        code: "SMTPUTF8",
        name: "Internationalized e-mail",
        meaning: Text {
            en: "Addresses and header fields may be in UTF-8, with letters of any script.",
            fr: "Les adresses et les champs d'en-tête peuvent être en UTF-8, avec des lettres de toute écriture.",
        },
        sent: Text {
            en: "The server, in its answer to EHLO. The client says SMTPUTF8 with MAIL, or behind VRFY's name.",
            fr: "Le serveur, en réponse à EHLO. Le client dit SMTPUTF8 avec MAIL, ou après le nom de VRFY.",
        },
        next: Text {
            en: "Without it such an address gets 553 5.6.7; a server further on that lacks it sends the message back.",
            fr: "Sans lui, une telle adresse reçoit 553 5.6.7 ; si un serveur plus loin ne l'a pas, le message revient.",
        },
        section: "RFC 6531",
    },
];

/// Parameters of MAIL and RCPT, in alphabetic order.
pub const PARAMETERS: &[Entry] = &[
    Entry {
        kind: Kind::Parameter,
        code: "AUTH",
        name: "AUTH=<address>, of MAIL",
        meaning: Text {
            en: "Who handed the message in first, as the server that says so has checked it; <> is nobody known.",
            fr: "Qui a déposé le message au départ, tel que vérifié par le serveur qui le dit ; <> : on ne sait pas.",
        },
        sent: Text {
            en: "A server that passes a message on to one that trusts it.",
            fr: "Un serveur qui transmet un message à un autre qui lui fait confiance.",
        },
        next: Text {
            en: "A client leaves it out: a server believes it only of those it trusts.",
            fr: "Un client s'en passe : un serveur n'y croit que venant de ceux à qui il se fie.",
        },
        section: "RFC 4954 §5",
    },
    Entry {
        kind: Kind::Parameter,
        code: "BODY",
        name: "BODY=7BIT, 8BITMIME or BINARYMIME, of MAIL",
        meaning: Text {
            en: "Which octets the text has: ASCII only, lines of any octets, or anything at all.",
            fr: "Quels octets le texte contient : ASCII seul, des lignes d'octets quelconques, ou n'importe quoi.",
        },
        sent: Text {
            en: "The client, where EHLO listed 8BITMIME, or BINARYMIME.",
            fr: "Le client, si EHLO a annoncé 8BITMIME, ou BINARYMIME.",
        },
        next: Text {
            en: "Say what is true of the message; after BINARYMIME comes BDAT, not DATA.",
            fr: "Dire ce qui est vrai du message ; après BINARYMIME vient BDAT, pas DATA.",
        },
        section: "RFC 6152, RFC 3030 §3",
    },
    Entry {
        kind: Kind::Parameter,
        code: "BY",
        name: "BY=seconds;R or BY=seconds;N, of MAIL",
        meaning: Text {
            en: "In so many seconds the message has to be delivered: else it comes back (R), or its sender is told (N). A T \
                 behind the letter asks for a trace as well.",
            fr: "Le message doit être remis dans ce nombre de secondes : sinon il revient (R), ou son expéditeur est \
                 prévenu (N). Un T après la lettre demande aussi une trace.",
        },
        sent: Text {
            en: "The client, where EHLO listed DELIVERBY.",
            fr: "Le client, si EHLO a annoncé DELIVERBY.",
        },
        next: Text {
            en: "Each server subtracts what has gone by; 455 says that the time is shorter than it promises.",
            fr: "Chaque serveur retranche le temps écoulé ; 455 dit que le délai est plus court que ce qu'il promet.",
        },
        section: "RFC 2852 §4",
    },
    Entry {
        kind: Kind::Parameter,
        code: "ENVID",
        name: "ENVID=identifier, of MAIL",
        meaning: Text {
            en: "A name of the sender's own for this message, which reports about it repeat.",
            fr: "Un nom choisi par l'expéditeur pour ce message, que les rapports répètent.",
        },
        sent: Text {
            en: "The client, where EHLO listed DSN.",
            fr: "Le client, si EHLO a annoncé DSN.",
        },
        next: Text {
            en: "Printable ASCII, a hundred octets at most; + and = are written +2B and +3D.",
            fr: "De l'ASCII imprimable, cent octets au plus ; + et = s'écrivent +2B et +3D.",
        },
        section: "RFC 3461 §4.4",
    },
    Entry {
        kind: Kind::Parameter,
        code: "HOLDFOR",
        name: "HOLDFOR=seconds, of MAIL",
        meaning: Text {
            en: "The server keeps the message for so many seconds before it sends it.",
            fr: "Le serveur garde le message ce nombre de secondes avant de l'envoyer.",
        },
        sent: Text {
            en: "The client, where EHLO listed FUTURERELEASE.",
            fr: "Le client, si EHLO a annoncé FUTURERELEASE.",
        },
        next: Text {
            en: "Not more than EHLO's number allows, and not together with HOLDUNTIL.",
            fr: "Pas plus que le nombre donné par EHLO, et pas avec HOLDUNTIL.",
        },
        section: "RFC 4865 §4",
    },
    Entry {
        kind: Kind::Parameter,
        code: "HOLDUNTIL",
        name: "HOLDUNTIL=moment, of MAIL",
        meaning: Text {
            en: "The server keeps the message until this moment, such as 2030-01-31T08:00:00Z, before it sends it.",
            fr: "Le serveur garde le message jusqu'à ce moment, comme 2030-01-31T08:00:00Z, avant de l'envoyer.",
        },
        sent: Text {
            en: "The client, where EHLO listed FUTURERELEASE.",
            fr: "Le client, si EHLO a annoncé FUTURERELEASE.",
        },
        next: Text {
            en: "Not later than EHLO's moment, and not together with HOLDFOR.",
            fr: "Pas plus tard que le moment donné par EHLO, et pas avec HOLDFOR.",
        },
        section: "RFC 4865 §4",
    },
    Entry {
        kind: Kind::Parameter,
        code: "NOTIFY",
        name: "NOTIFY=NEVER, or SUCCESS,FAILURE,DELAY, of RCPT",
        meaning: Text {
            en: "Of what the sender wants a report for this recipient: never, or any of the three.",
            fr: "De quoi l'expéditeur veut un rapport pour ce destinataire : jamais, ou l'un des trois.",
        },
        sent: Text {
            en: "The client, where EHLO listed DSN.",
            fr: "Le client, si EHLO a annoncé DSN.",
        },
        next: Text {
            en: "Left out, failures are reported, and perhaps delays. NEVER stands alone.",
            fr: "Sans lui, les échecs sont signalés, et parfois les retards. NEVER s'emploie seul.",
        },
        section: "RFC 3461 §4.1",
    },
    Entry {
        kind: Kind::Parameter,
        code: "ORCPT",
        name: "ORCPT=rfc822;address, of RCPT",
        meaning: Text {
            en: "Whom the sender first wrote to, before aliases and forwarding; reports name this address.",
            fr: "À qui l'expéditeur a écrit au départ, avant alias et renvois ; les rapports nomment cette adresse.",
        },
        sent: Text {
            en: "The client, or a server on the way, where EHLO listed DSN.",
            fr: "Le client, ou un serveur en chemin, si EHLO a annoncé DSN.",
        },
        next: Text {
            en: "It is passed on as it is; + and = in it are written +2B and +3D.",
            fr: "Il est transmis tel quel ; + et = s'y écrivent +2B et +3D.",
        },
        section: "RFC 3461 §4.2",
    },
    Entry {
        kind: Kind::Parameter,
        code: "RET",
        name: "RET=FULL or RET=HDRS, of MAIL",
        meaning: Text {
            en: "What a report of failure brings back of the message: all of it, or its header.",
            fr: "Ce qu'un rapport d'échec ramène du message : tout, ou son en-tête.",
        },
        sent: Text {
            en: "The client, where EHLO listed DSN.",
            fr: "Le client, si EHLO a annoncé DSN.",
        },
        next: Text {
            en: "HDRS is enough to recognize a message, and spares a large one the way back.",
            fr: "HDRS suffit pour reconnaître un message, et évite le retour d'un gros.",
        },
        section: "RFC 3461 §4.3",
    },
];

/// Mechanisms of AUTH, AUTHENTICATE and POP3's AUTH, in alphabetic order.
pub const MECHANISMS: &[Entry] = &[
    Entry {
        kind: Kind::Mechanism,
        code: "CRAM-MD5",
        name: "Challenge and response with MD5",
        meaning: Text {
            en: "The server says something that it never says twice; the client answers with a digest of it and the \
                 password. The password stays at home, but MD5 is weak, and the server proves nothing.",
            fr: "Le serveur dit une chose qu'il ne dit jamais deux fois ; le client répond par un condensé de celle-ci et du \
                 mot de passe. Le mot de passe ne circule pas, mais MD5 est faible et le serveur ne prouve rien.",
        },
        sent: Text {
            en: "A server that knows its users' passwords in the clear.",
            fr: "Un serveur qui connaît en clair les mots de passe de ses utilisateurs.",
        },
        next: Text {
            en: "Prefer SCRAM-SHA-256, or PLAIN over TLS.",
            fr: "Préférer SCRAM-SHA-256, ou PLAIN sous TLS.",
        },
        section: "RFC 2195",
    },
    Entry {
        kind: Kind::Mechanism,
        code: "LOGIN",
        name: "User name, then password",
        meaning: Text {
            en: "Two answers in base64, to two questions: the name, the password. Never a standard, and everywhere.",
            fr: "Deux réponses en base64 à deux questions : le nom, le mot de passe. Jamais normalisé, et partout.",
        },
        sent: Text {
            en: "Servers, for clients that know nothing better.",
            fr: "Les serveurs, pour les clients qui ne connaissent rien de mieux.",
        },
        next: Text {
            en: "Over TLS only: base64 hides nothing. PLAIN does the same with one answer.",
            fr: "Sous TLS seulement : base64 ne cache rien. PLAIN fait de même en une réponse.",
        },
        section: "IANA SASL mechanisms",
    },
    Entry {
        kind: Kind::Mechanism,
        code: "OAUTHBEARER",
        name: "A token in place of the password",
        meaning: Text {
            en: "The client shows a token that somebody gave it who has seen the user log in.",
            fr: "Le client présente un jeton que lui a donné quelqu'un auprès de qui l'utilisateur s'est identifié.",
        },
        sent: Text {
            en: "Servers whose users log in at a web page (OAuth 2.0).",
            fr: "Les serveurs dont les utilisateurs s'identifient sur une page web (OAuth 2.0).",
        },
        next: Text {
            en: "Over TLS only: whoever reads the token has the mail. An error comes as JSON, and is answered with AQ==.",
            fr: "Sous TLS seulement : qui lit le jeton a le courrier. Une erreur vient en JSON, et reçoit AQ== en réponse.",
        },
        section: "RFC 7628",
    },
    Entry {
        kind: Kind::Mechanism,
        code: "PLAIN",
        name: "Name and password in one word",
        meaning: Text {
            en: "A NUL, the name, a NUL, the password, in base64: one line, and the server knows the password.",
            fr: "Un NUL, le nom, un NUL, le mot de passe, en base64 : une ligne, et le serveur connaît le mot de passe.",
        },
        sent: Text {
            en: "Nearly every server, once TLS stands.",
            fr: "Presque tous les serveurs, une fois TLS établi.",
        },
        next: Text {
            en: "Over TLS only. By hand: printf '\\0alice\\0secret' | base64.",
            fr: "Sous TLS seulement. À la main : printf '\\0alice\\0secret' | base64.",
        },
        section: "RFC 4616",
    },
    Entry {
        kind: Kind::Mechanism,
        code: "SCRAM-SHA-256",
        name: "Salted challenge and response",
        meaning: Text {
            en: "Client and server each prove to the other that they know the password, or a salted hash of it, and neither \
                 says it. Who listens learns nothing to log in with.",
            fr: "Client et serveur se prouvent l'un à l'autre qu'ils connaissent le mot de passe, ou son condensé salé, sans \
                 le dire. Qui écoute n'apprend rien qui permette de s'identifier.",
        },
        sent: Text {
            en: "Servers that keep passwords in the clear, or as SCRAM-SHA-256 keys.",
            fr: "Les serveurs qui gardent les mots de passe en clair, ou en clés SCRAM-SHA-256.",
        },
        next: Text {
            en: "The best of the mechanisms with a password. A server that cannot prove itself is not to be believed.",
            fr: "Le meilleur des mécanismes à mot de passe. Un serveur qui ne fait pas sa preuve n'est pas à croire.",
        },
        section: "RFC 7677, RFC 5802",
    },
    Entry {
        kind: Kind::Mechanism,
        code: "SCRAM-SHA-256-PLUS",
        name: "The same, bound to the TLS connection",
        meaning: Text {
            en: "As SCRAM-SHA-256, and the proof holds for the server's certificate as well: nobody can stand in between.",
            fr: "Comme SCRAM-SHA-256, et la preuve vaut aussi pour le certificat du serveur : personne ne peut s'intercaler.",
        },
        sent: Text {
            en: "The server, within TLS only.",
            fr: "Le serveur, sous TLS seulement.",
        },
        next: Text {
            en: "A client that can takes it. Behind a proxy that ends TLS it fails, as it should.",
            fr: "Un client qui le peut le choisit. Derrière un mandataire qui termine TLS, il échoue, à juste titre.",
        },
        section: "RFC 7677, RFC 5929 §4",
    },
    Entry {
        kind: Kind::Mechanism,
        code: "XOAUTH2",
        name: "A token, in the way of before OAUTHBEARER",
        meaning: Text {
            en: "As OAUTHBEARER, in a form that large providers had before there was a standard.",
            fr: "Comme OAUTHBEARER, sous une forme que de grands fournisseurs avaient avant la norme.",
        },
        sent: Text {
            en: "Servers whose users log in at a web page (OAuth 2.0).",
            fr: "Les serveurs dont les utilisateurs s'identifient sur une page web (OAuth 2.0).",
        },
        next: Text {
            en: "Over TLS only. An error comes as JSON, and is answered with an empty line.",
            fr: "Sous TLS seulement. Une erreur vient en JSON, et reçoit une ligne vide en réponse.",
        },
        section: "RFC 7628",
    },
];
