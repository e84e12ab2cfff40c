//! Mechanisms of SASL that are registered and may be met with mail, besides those of the parent module.

use crate::wire::codes::{Entry, Kind, Text};

const OFFERED: Text = Text::new(
    "The server offers it, the client chooses it with AUTH or AUTHENTICATE.",
    "Le serveur le propose, le client le choisit par AUTH ou AUTHENTICATE.",
);

const fn mechanism(
    code: &'static str,
    name: &'static str,
    meaning: Text,
    next: Text,
    section: &'static str,
) -> Entry {
    Entry {
        kind: Kind::Mechanism,
        code,
        name,
        meaning,
        sent: OFFERED,
        next,
        section,
    }
}

const KERBEROS: Text = Text::new(
    "Where the site has Kerberos: get a ticket first (kinit).",
    "Si le site emploie Kerberos : prendre d'abord un ticket (kinit).",
);
const OVER: Text = Text::new(
    "Do without it: SCRAM-SHA-256, or PLAIN over TLS.",
    "S'en passer : SCRAM-SHA-256, ou PLAIN sous TLS.",
);

/// In alphabetic order.
pub const MORE: &[Entry] = &[
    mechanism(
        "ANONYMOUS",
        "Anonymous access",
        Text::new(
            "No password: the client may leave a trace, such as an address.",
            "Pas de mot de passe : le client peut laisser une trace, comme une adresse.",
        ),
        Text::new(
            "For public archives; nothing of yours is there.",
            "Pour des archives publiques ; rien de personnel n'y est.",
        ),
        "RFC 4505",
    ),
    mechanism(
        "DIGEST-MD5",
        "Digest access with MD5",
        Text::new(
            "Challenge and response as in HTTP's digest; withdrawn: complicated, and MD5 is weak.",
            "Défi et réponse comme le digest de HTTP ; retiré : compliqué, et MD5 est faible.",
        ),
        OVER,
        "RFC 2831, RFC 6331",
    ),
    mechanism(
        "EAP-AES128",
        "EAP within GSS-API",
        Text::new(
            "Logging in as to a wireless network of a university (EAP), through GSS-API.",
            "S'identifier comme au réseau sans fil d'une université (EAP), par GSS-API.",
        ),
        Text::new("Where the site asks for it.", "Si le site le demande."),
        "RFC 7055",
    ),
    mechanism(
        "EXTERNAL",
        "Identity from below",
        Text::new(
            "The client has shown who it is already, with a certificate in TLS most often.",
            "Le client a déjà montré qui il est, le plus souvent par un certificat dans TLS.",
        ),
        Text::new(
            "The answer names whom you want to be; empty (=) for the one of the certificate.",
            "La réponse nomme qui l'on veut être ; vide (=) pour celui du certificat.",
        ),
        "RFC 4422 §A",
    ),
    mechanism(
        "GS2-KRB5",
        "Kerberos 5 in the way of GS2",
        Text::new(
            "A ticket in place of a password; can be bound to TLS as GS2-KRB5-PLUS.",
            "Un ticket au lieu d'un mot de passe ; peut être lié à TLS sous le nom GS2-KRB5-PLUS.",
        ),
        KERBEROS,
        "RFC 5801",
    ),
    mechanism(
        "GSS-SPNEGO",
        "Negotiation of GSS-API mechanisms",
        Text::new(
            "Chooses between Kerberos and NTLM, at sites with Active Directory.",
            "Choisit entre Kerberos et NTLM, sur les sites à Active Directory.",
        ),
        KERBEROS,
        "RFC 4178",
    ),
    mechanism(
        "GSSAPI",
        "Kerberos 5 through GSS-API",
        Text::new(
            "A ticket in place of a password: one login for all services of the site.",
            "Un ticket au lieu d'un mot de passe : une seule identification pour tous les services du site.",
        ),
        KERBEROS,
        "RFC 4752",
    ),
    mechanism(
        "KERBEROS_V4",
        "Kerberos 4",
        Text::new(
            "The predecessor of GSSAPI; obsolete.",
            "Le prédécesseur de GSSAPI ; obsolète.",
        ),
        KERBEROS,
        "RFC 2222 §7.1",
    ),
    mechanism(
        "NTLM",
        "Challenge and response of Windows",
        Text::new(
            "Challenge and response with a hash that is worth as much as the password; no standard.",
            "Défi et réponse à partir d'un condensé qui vaut autant que le mot de passe ; non normalisé.",
        ),
        OVER,
        "IANA SASL mechanisms",
    ),
    mechanism(
        "OTP",
        "One-time password",
        Text::new(
            "A password from a list, each used once: who listens gains nothing.",
            "Un mot de passe d'une liste, chacun ne servant qu'une fois : qui écoute n'y gagne rien.",
        ),
        Text::new(
            "The challenge tells the number and the seed; a calculator makes the six words.",
            "Le défi donne le numéro et la graine ; un calculateur fournit les six mots.",
        ),
        "RFC 2444",
    ),
    mechanism(
        "SAML20",
        "Login at a web page, SAML 2.0",
        Text::new(
            "The user logs in at a web page of the site.",
            "L'utilisateur s'identifie sur une page web du site.",
        ),
        Text::new(
            "The client opens a browser at the address it is told.",
            "Le client ouvre un navigateur à l'adresse indiquée.",
        ),
        "RFC 6595",
    ),
    mechanism(
        "SCRAM-SHA-1",
        "Salted challenge and response with SHA-1",
        Text::new(
            "As SCRAM-SHA-256, with an older digest; still good enough for this use.",
            "Comme SCRAM-SHA-256, avec un condensé plus ancien ; encore suffisant pour cet usage.",
        ),
        Text::new("Prefer SCRAM-SHA-256.", "Préférer SCRAM-SHA-256."),
        "RFC 5802",
    ),
    mechanism(
        "SCRAM-SHA-1-PLUS",
        "The same, bound to the TLS connection",
        Text::new(
            "As SCRAM-SHA-1, and nobody can stand in between.",
            "Comme SCRAM-SHA-1, et personne ne peut s'intercaler.",
        ),
        Text::new("Prefer SCRAM-SHA-256-PLUS.", "Préférer SCRAM-SHA-256-PLUS."),
        "RFC 5802 §6",
    ),
    mechanism(
        "SECURID",
        "Token card",
        Text::new(
            "The number that a card shows, and a PIN.",
            "Le nombre qu'affiche une carte, et un code.",
        ),
        Text::new("Where the site asks for it.", "Si le site le demande."),
        "RFC 2808",
    ),
    mechanism(
        "SKEY",
        "S/Key",
        Text::new(
            "One-time passwords, the predecessor of OTP; obsolete.",
            "Mots de passe à usage unique, prédécesseur de OTP ; obsolète.",
        ),
        OVER,
        "RFC 2222 §7.3",
    ),
];
