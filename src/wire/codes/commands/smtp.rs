//! Commands of SMTP, submission and LMTP: RFC 5321 §4.1 and its extensions.

use crate::wire::codes::{Command, Protocol, Text};

/// In the order of a session.
pub(super) const SMTP: &[Command] = &[
    Command {
        protocol: Protocol::Smtp,
        verb: "HELO",
        syntax: "HELO domain",
        meaning: Text {
            en: "Greets the server in the old way, without extensions.",
            fr: "Salue le serveur à l'ancienne, sans extensions.",
        },
        allowed: Text {
            en: "First, before MAIL; again at any time.",
            fr: "En premier, avant MAIL ; de nouveau à tout moment.",
        },
        example: "C: HELO client.example\nS: 250 mail.example.org",
        section: "RFC 5321 §4.1.1.1",
    },
    Command {
        protocol: Protocol::Smtp,
        verb: "EHLO",
        syntax: "EHLO domain",
        meaning: Text {
            en: "Greets the server and asks which extensions it has: each line of the answer names \
                 one.",
            fr: "Salue le serveur et lui demande ses extensions : chaque ligne de la réponse en \
                 nomme une.",
        },
        allowed: Text {
            en: "First, before MAIL; again after STARTTLS.",
            fr: "En premier, avant MAIL ; de nouveau après STARTTLS.",
        },
        example: "C: EHLO client.example\n\
                  S: 250-mail.example.org\n\
                  S: 250-SIZE 67108864\n\
                  S: 250 STARTTLS",
        section: "RFC 5321 §4.1.1.1",
    },
    Command {
        protocol: Protocol::Smtp,
        verb: "LHLO",
        syntax: "LHLO domain",
        meaning: Text {
            en: "The EHLO of LMTP, the protocol that hands messages over to mailboxes on the same \
                 site.",
            fr: "Le EHLO de LMTP, le protocole qui remet les messages aux boîtes d'un même site.",
        },
        allowed: Text {
            en: "First, on an LMTP connection; never on port 25.",
            fr: "En premier, sur une connexion LMTP ; jamais sur le port 25.",
        },
        example: "C: LHLO mta.example\nS: 250-mail.example.org\nS: 250 PIPELINING",
        section: "RFC 2033 §4.1",
    },
    Command {
        protocol: Protocol::Smtp,
        verb: "MAIL",
        syntax: "MAIL FROM:<reverse-path> [parameters]",
        meaning: Text {
            en: "Begins a message and names its sender, to whom a report goes if it cannot be \
                 delivered.",
            fr: "Commence un message et nomme son expéditeur, à qui revient un rapport s'il ne \
                 peut être remis.",
        },
        allowed: Text {
            en: "After EHLO or HELO, when no other message has begun. `<>` is an empty sender, for \
                 reports.",
            fr: "Après EHLO ou HELO, quand aucun autre message n'est commencé. `<>` est \
                 l'expéditeur vide, pour les rapports.",
        },
        example: "C: MAIL FROM:<alice@example.org>\nS: 250 2.1.0 OK",
        section: "RFC 5321 §4.1.1.2",
    },
    Command {
        protocol: Protocol::Smtp,
        verb: "RCPT",
        syntax: "RCPT TO:<forward-path> [parameters]",
        meaning: Text {
            en: "Names one recipient; give it once for each.",
            fr: "Nomme un destinataire ; à répéter pour chacun.",
        },
        allowed: Text {
            en: "After MAIL, before DATA.",
            fr: "Après MAIL, avant DATA.",
        },
        example: "C: RCPT TO:<bob@example.org>\nS: 250 2.1.5 OK",
        section: "RFC 5321 §4.1.1.3",
    },
    Command {
        protocol: Protocol::Smtp,
        verb: "DATA",
        syntax: "DATA",
        meaning: Text {
            en: "Announces the text of the message: header, empty line, body, and a line with a \
                 dot alone.",
            fr: "Annonce le texte du message : en-tête, ligne vide, corps, et une ligne avec un \
                 point seul.",
        },
        allowed: Text {
            en: "After at least one accepted RCPT.",
            fr: "Après au moins un RCPT accepté.",
        },
        example: "C: DATA\n\
                  S: 354 Start mail input; end with <CRLF>.<CRLF>\n\
                  C: Subject: hello\n\
                  C: \n\
                  C: Hello!\n\
                  C: .\n\
                  S: 250 2.0.0 OK",
        section: "RFC 5321 §4.1.1.4",
    },
    Command {
        protocol: Protocol::Smtp,
        verb: "BDAT",
        syntax: "BDAT octets [LAST]",
        meaning: Text {
            en: "Sends the text in pieces of a known length, without a dot at the end.",
            fr: "Envoie le texte par morceaux de longueur connue, sans point final.",
        },
        allowed: Text {
            en: "After RCPT, if EHLO announced CHUNKING; not together with DATA.",
            fr: "Après RCPT, si EHLO a annoncé CHUNKING ; pas en même temps que DATA.",
        },
        example: "C: BDAT 18 LAST\nC: Subject: hello\nC: \nS: 250 2.0.0 OK",
        section: "RFC 3030 §2",
    },
    Command {
        protocol: Protocol::Smtp,
        verb: "RSET",
        syntax: "RSET",
        meaning: Text {
            en: "Drops the message that was begun; the connection stays.",
            fr: "Abandonne le message commencé ; la connexion reste.",
        },
        allowed: Text {
            en: "At any time.",
            fr: "À tout moment.",
        },
        example: "C: RSET\nS: 250 2.0.0 OK",
        section: "RFC 5321 §4.1.1.5",
    },
    Command {
        protocol: Protocol::Smtp,
        verb: "NOOP",
        syntax: "NOOP [text]",
        meaning: Text {
            en: "Does nothing; shows that the server is still there.",
            fr: "Ne fait rien ; montre que le serveur est toujours là.",
        },
        allowed: Text {
            en: "At any time.",
            fr: "À tout moment.",
        },
        example: "C: NOOP\nS: 250 2.0.0 OK",
        section: "RFC 5321 §4.1.1.9",
    },
    Command {
        protocol: Protocol::Smtp,
        verb: "QUIT",
        syntax: "QUIT",
        meaning: Text {
            en: "Ends the session; the server answers, then closes.",
            fr: "Termine la session ; le serveur répond, puis ferme.",
        },
        allowed: Text {
            en: "At any time.",
            fr: "À tout moment.",
        },
        example: "C: QUIT\nS: 221 2.0.0 Bye",
        section: "RFC 5321 §4.1.1.10",
    },
    Command {
        protocol: Protocol::Smtp,
        verb: "VRFY",
        syntax: "VRFY name",
        meaning: Text {
            en: "Asks whether this user exists. Most servers avoid a clear answer (252).",
            fr: "Demande si cet utilisateur existe. La plupart des serveurs évitent de répondre \
                 (252).",
        },
        allowed: Text {
            en: "At any time.",
            fr: "À tout moment.",
        },
        example: "C: VRFY alice\nS: 252 2.1.5 Cannot VRFY user",
        section: "RFC 5321 §4.1.1.6",
    },
    Command {
        protocol: Protocol::Smtp,
        verb: "EXPN",
        syntax: "EXPN list",
        meaning: Text {
            en: "Asks who is on a mailing list. Nearly always turned off (502).",
            fr: "Demande qui fait partie d'une liste. Presque toujours désactivé (502).",
        },
        allowed: Text {
            en: "At any time.",
            fr: "À tout moment.",
        },
        example: "C: EXPN staff\nS: 502 5.5.1 Command not implemented",
        section: "RFC 5321 §4.1.1.7",
    },
    Command {
        protocol: Protocol::Smtp,
        verb: "HELP",
        syntax: "HELP [command]",
        meaning: Text {
            en: "Asks for help.",
            fr: "Demande de l'aide.",
        },
        allowed: Text {
            en: "At any time.",
            fr: "À tout moment.",
        },
        example: "C: HELP\nS: 214 2.0.0 See RFC 5321",
        section: "RFC 5321 §4.1.1.8",
    },
    Command {
        protocol: Protocol::Smtp,
        verb: "STARTTLS",
        syntax: "STARTTLS",
        meaning: Text {
            en: "Asks to go on encrypted on this same connection; after 220 TLS begins.",
            fr: "Demande à poursuivre en chiffré sur cette même connexion ; après 220, TLS \
                 commence.",
        },
        allowed: Text {
            en: "After EHLO, if it was announced; then EHLO again: all said before is forgotten.",
            fr: "Après EHLO, si elle est annoncée ; puis de nouveau EHLO : tout ce qui précède est \
                 oublié.",
        },
        example: "C: STARTTLS\nS: 220 2.0.0 Ready to start TLS",
        section: "RFC 3207 §4",
    },
    Command {
        protocol: Protocol::Smtp,
        verb: "AUTH",
        syntax: "AUTH mechanism [initial-response]",
        meaning: Text {
            en: "Logs in. PLAIN sends name and password in one base64 word, so only over TLS; the \
                 SCRAM mechanisms never send the password.",
            fr: "Identifie l'utilisateur. PLAIN envoie nom et mot de passe en un mot base64, donc \
                 seulement sous TLS ; les mécanismes SCRAM n'envoient jamais le mot de passe.",
        },
        allowed: Text {
            en: "After EHLO, before MAIL, once in a session.",
            fr: "Après EHLO, avant MAIL, une seule fois par session.",
        },
        example: "C: AUTH PLAIN AGFsaWNlAGFsaWNl\nS: 235 2.7.0 Authentication successful",
        section: "RFC 4954 §4",
    },
    Command {
        protocol: Protocol::Smtp,
        verb: "ETRN",
        syntax: "ETRN domain",
        meaning: Text {
            en: "Asks the server to send the mail that waits for this domain, on another \
                 connection.",
            fr: "Demande au serveur d'envoyer, par une autre connexion, le courrier en attente \
                 pour ce domaine.",
        },
        allowed: Text {
            en: "After EHLO, if it was announced.",
            fr: "Après EHLO, si elle est annoncée.",
        },
        example: "C: ETRN example.org\nS: 250 2.0.0 Queuing started",
        section: "RFC 1985",
    },
    Command {
        protocol: Protocol::Smtp,
        verb: "ATRN",
        syntax: "ATRN domain[,domain]",
        meaning: Text {
            en: "Asks for the waiting mail on this very connection: client and server change \
                 places.",
            fr: "Demande le courrier en attente sur cette connexion même : client et serveur \
                 échangent leurs rôles.",
        },
        allowed: Text {
            en: "After AUTH, on port 366 (on-demand mail relay).",
            fr: "Après AUTH, sur le port 366 (relais de courrier à la demande).",
        },
        example: "C: ATRN example.org\nS: 250 2.0.0 OK now reversing the connection",
        section: "RFC 2645",
    },
    Command {
        protocol: Protocol::Smtp,
        verb: "TURN",
        syntax: "TURN",
        meaning: Text {
            en: "Changes the places of client and server. Withdrawn: it handed mail to anybody.",
            fr: "Échange les rôles du client et du serveur. Abandonnée : elle donnait le courrier \
                 à n'importe qui.",
        },
        allowed: Text {
            en: "Never (RFC 5321 appendix F.1).",
            fr: "Jamais (RFC 5321 annexe F.1).",
        },
        example: "C: TURN\nS: 502 5.5.1 Command not implemented",
        section: "RFC 821 §3.8",
    },
    Command {
        protocol: Protocol::Smtp,
        verb: "XCLIENT",
        syntax: "XCLIENT attribute=value...",
        meaning: Text {
            en: "A proxy in front of the server tells whose connection it hands on: NAME, ADDR, PORT, \
                 PROTO, HELO, LOGIN, DESTADDR, DESTPORT. Postfix's own, not a standard.",
            fr: "Un mandataire placé devant le serveur dit de qui il transmet la connexion : NAME, \
                 ADDR, PORT, PROTO, HELO, LOGIN, DESTADDR, DESTPORT. Propre à Postfix, non normalisé.",
        },
        allowed: Text {
            en: "From proxies that the server was told of, if EHLO announced it; then EHLO again.",
            fr: "Venant de mandataires connus du serveur, si EHLO l'a annoncée ; puis de nouveau EHLO.",
        },
        example: "C: XCLIENT ADDR=192.0.2.1 NAME=client.example\n\
                  S: 220 mail.example.org ESMTP",
        section: "RFC 5321 §4.1.5",
    },
    Command {
        protocol: Protocol::Smtp,
        verb: "BURL",
        syntax: "BURL url [LAST]",
        meaning: Text {
            en: "The server fetches the text of the message by IMAP, from a URL: what lies in a mailbox is sent \
                 without passing through the client.",
            fr: "Le serveur va chercher le texte du message par IMAP, à une URL : ce qui est dans une boîte part \
                 sans passer par le client.",
        },
        allowed: Text {
            en: "After RCPT, on a submission port, if EHLO announced it; together with BDAT.",
            fr: "Après RCPT, sur un port de dépôt, si EHLO l'a annoncée ; avec BDAT.",
        },
        example: "C: BURL imap://alice@mail.example.org/Drafts;UID=7 LAST\n\
                  S: 250 2.5.0 OK",
        section: "RFC 4468 §3",
    },
    Command {
        protocol: Protocol::Smtp,
        verb: "SEND",
        syntax: "SEND FROM:<reverse-path>",
        meaning: Text {
            en: "Wrote a message on the recipient's terminal in place of the mailbox. SOML tried the terminal \
                 first, SAML did both. Obsolete.",
            fr: "Écrivait un message sur le terminal du destinataire au lieu de sa boîte. SOML essayait d'abord \
                 le terminal, SAML faisait les deux. Obsolète.",
        },
        allowed: Text {
            en: "In place of MAIL, where such a server is left.",
            fr: "À la place de MAIL, s'il reste un tel serveur.",
        },
        example: "C: SEND FROM:<alice@example.org>\nS: 502 5.5.1 Command not implemented",
        section: "RFC 821 §3.4",
    },
    Command {
        protocol: Protocol::Smtp,
        verb: "SOML",
        syntax: "SOML FROM:<reverse-path>",
        meaning: Text {
            en: "Send or mail: the terminal if the recipient is logged in, else the mailbox. Obsolete.",
            fr: "Afficher ou poster : le terminal si le destinataire est connecté, sinon la boîte. Obsolète.",
        },
        allowed: Text {
            en: "In place of MAIL, where such a server is left.",
            fr: "À la place de MAIL, s'il reste un tel serveur.",
        },
        example: "C: SOML FROM:<alice@example.org>\nS: 502 5.5.1 Command not implemented",
        section: "RFC 821 §3.4",
    },
    Command {
        protocol: Protocol::Smtp,
        verb: "SAML",
        syntax: "SAML FROM:<reverse-path>",
        meaning: Text {
            en: "Send and mail: the terminal if the recipient is logged in, and the mailbox. Obsolete.",
            fr: "Afficher et poster : le terminal si le destinataire est connecté, et la boîte. Obsolète.",
        },
        allowed: Text {
            en: "In place of MAIL, where such a server is left.",
            fr: "À la place de MAIL, s'il reste un tel serveur.",
        },
        example: "C: SAML FROM:<alice@example.org>\nS: 502 5.5.1 Command not implemented",
        section: "RFC 821 §3.4",
    },
];
