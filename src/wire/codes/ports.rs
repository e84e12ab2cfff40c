//! The services of mail: name, port, transport, and whether TLS comes first or on request.
//!
//! All of them run over TCP. On the ports where people read and submit mail, RFC 8314 §3 asks for TLS from the first octet
//! (implicit TLS); servers among themselves stay on port 25, with STARTTLS (RFC 3207).

use super::Text;

/// How TLS comes to the connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tls {
    /// In clear at first, then by a command of the protocol.
    Command(&'static str),
    /// From the first octet.
    Implicit,
}

/// One service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Service {
    /// Its name, as `/etc/services` should have it.
    pub name: &'static str,
    /// Other names in use.
    pub aliases: &'static [&'static str],
    /// Its port. LMTP has none: each site chooses.
    pub port: Option<u16>,
    /// Its transport, as `/etc/services` writes it.
    pub transport: &'static str,
    /// How TLS comes in.
    pub tls: Tls,
    /// What it is for.
    pub meaning: Text,
    /// Where it is defined.
    pub section: &'static str,
}

/// Why a session of mail runs over TCP.
pub const TRANSPORT: Text = Text {
    en: "TCP: mail must arrive whole and in order, which UDP does not promise.",
    fr: "TCP : le courrier doit arriver entier et dans l'ordre, ce que UDP ne garantit pas.",
};

/// Every service, by port.
pub const SERVICES: &[Service] = &[
    Service {
        name: "smtp",
        aliases: &[],
        port: Some(25),
        transport: "tcp",
        tls: Tls::Command("STARTTLS"),
        meaning: Text {
            en: "Servers among themselves: an MTA passes mail on to the next one.",
            fr: "Les serveurs entre eux : un MTA transmet le courrier au suivant.",
        },
        section: "RFC 5321 §4.5.4.2",
    },
    Service {
        name: "pop3",
        aliases: &["pop-3", "pop"],
        port: Some(110),
        transport: "tcp",
        tls: Tls::Command("STLS"),
        meaning: Text {
            en: "A person's program fetches mail from the mailbox.",
            fr: "Le logiciel d'une personne relève le courrier de sa boîte.",
        },
        section: "RFC 1939 §3",
    },
    Service {
        name: "imap",
        aliases: &["imap2", "imap4"],
        port: Some(143),
        transport: "tcp",
        tls: Tls::Command("STARTTLS"),
        meaning: Text {
            en: "A person's program works in the mailboxes on the server.",
            fr: "Le logiciel d'une personne travaille dans ses boîtes, sur le serveur.",
        },
        section: "RFC 9051 §2.1",
    },
    Service {
        name: "submissions",
        aliases: &["smtps", "ssmtp", "urd"],
        port: Some(465),
        transport: "tcp",
        tls: Tls::Implicit,
        meaning: Text {
            en: "A person's program hands in mail, encrypted from the start, with AUTH.",
            fr: "Le logiciel d'une personne dépose son courrier, chiffré dès le début, avec AUTH.",
        },
        section: "RFC 8314 §3.3, §7.3",
    },
    Service {
        name: "submission",
        aliases: &["msa"],
        port: Some(587),
        transport: "tcp",
        tls: Tls::Command("STARTTLS"),
        meaning: Text {
            en: "A person's program hands in mail, with STARTTLS and AUTH.",
            fr: "Le logiciel d'une personne dépose son courrier, avec STARTTLS et AUTH.",
        },
        section: "RFC 6409 §3.1",
    },
    Service {
        name: "imaps",
        aliases: &[],
        port: Some(993),
        transport: "tcp",
        tls: Tls::Implicit,
        meaning: Text {
            en: "IMAP, encrypted from the start.",
            fr: "IMAP, chiffré dès le début.",
        },
        section: "RFC 8314 §3.2, RFC 9051 §2.1",
    },
    Service {
        name: "pop3s",
        aliases: &["pop-3s", "spop3"],
        port: Some(995),
        transport: "tcp",
        tls: Tls::Implicit,
        meaning: Text {
            en: "POP3, encrypted from the start.",
            fr: "POP3, chiffré dès le début.",
        },
        section: "RFC 8314 §3.1",
    },
    Service {
        name: "lmtp",
        aliases: &[],
        port: None,
        transport: "tcp",
        tls: Tls::Command("STARTTLS"),
        meaning: Text {
            en: "A server hands mail over to the mailboxes of its own site, often through a UNIX \
                 socket.",
            fr: "Un serveur remet le courrier aux boîtes de son propre site, souvent par une \
                 socket UNIX.",
        },
        section: "RFC 2033 §5",
    },
];
