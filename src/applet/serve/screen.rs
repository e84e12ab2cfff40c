//! What `serve` says when it is ready: what listens where, who the accounts are, what to try.

use std::fmt::Write;
use std::net::Ipv4Addr;
use std::path::Path;

use super::options::Endpoint;
use super::protocols::Protocol;
use crate::proto::smtp::dispatch::policy::{Goal, Pattern, Route, Way};
use crate::wire::codes::{Lang, Text};
use crate::wire::network::Network;

/// All that is shown.
pub(super) struct Screen<'a> {
    /// What listens where, with the real ports.
    pub(super) listening: &'a [(Protocol, Endpoint)],
    /// The same as others call it.
    pub(super) called: &'a [(Protocol, Endpoint)],
    /// The addresses of this machine, where it listens on all of them.
    pub(super) own: &'a [Ipv4Addr],
    /// Whether others have to begin TLS before they log in.
    pub(super) tls_first: bool,
    /// The domains, the plain one first.
    pub(super) domains: &'a [String],
    /// The names of the accounts.
    pub(super) accounts: &'a [String],
    /// Whether they are alice/alice and bob/bob.
    pub(super) demo: Demo,
    /// Whether every other name is an account too.
    pub(super) anybody: bool,
    /// What becomes of mail for others.
    pub(super) passing: Passing<'a>,
    /// Where the mail is.
    pub(super) store: &'a Path,
    /// Where sessions are kept, if they are.
    pub(super) sessions: Option<&'a Path>,
    /// What a client imports to trust our certificate; `None` when the certificate is somebody else's.
    pub(super) authority: Option<&'a Path>,
}

/// Whose accounts these are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Demo {
    /// alice/alice and bob/bob.
    Yes,
    /// The user's own.
    No,
}

/// What is passed on, for whom, where to.
pub(super) struct Passing<'a> {
    /// Whether anything is.
    pub(super) is_on: bool,
    /// Who need not log in for it.
    pub(super) networks: &'a [Network],
    /// Ways of domains.
    pub(super) routes: &'a [Route],
    /// The way of all other domains.
    pub(super) smarthost: Option<&'a Way>,
    /// The way of our own domains, when it is not into mailboxes here.
    pub(super) deliver: Option<&'a Way>,
}

/// Accounts, and routes, that are named one by one; more are only counted.
const SHOWN: usize = 8;

impl Screen<'_> {
    /// The whole of it, in one language; with what there is to say of faults.
    pub(super) fn show(&self, faults: &str, lang: Lang) -> String {
        let mut page = String::new();
        let say = |text: Text| text.of(lang);
        let domain = self.domains.first().map_or("localhost", String::as_str);
        // Writing to a string cannot fail.
        let _ = writeln!(
            page,
            "mailtool {} - {} {}\n",
            env!("CARGO_PKG_VERSION"),
            say(MAIL_FOR),
            self.domains.join(", ")
        );
        for (protocol, endpoint) in self.listening {
            let _ = writeln!(
                page,
                "  {:<11} {:<22} {}",
                protocol.name(),
                endpoint.to_string(),
                say(purpose(*protocol))
            );
        }
        if self.tls_first || !self.own.is_empty() {
            page.push('\n');
        }
        if !self.own.is_empty() {
            let own: Vec<String> = self.own.iter().map(Ipv4Addr::to_string).collect();
            row(&mut page, say(ADDRESS), &own.join(", "), say(REACHED));
        }
        if self.tls_first {
            row(&mut page, say(OTHERS), say(TLS_FIRST), "");
        }
        let _ = writeln!(page, "\n{}", say(ACCOUNTS));
        if self.accounts.is_empty() && !self.anybody {
            let _ = writeln!(page, "  {}", say(NOBODY));
        }
        for name in self.accounts.iter().take(SHOWN) {
            let address = if name.contains('@') {
                name.clone()
            } else {
                format!("{name}@{domain}")
            };
            let password = match self.demo {
                Demo::Yes => format!("{} {name}", say(PASSWORD)),
                Demo::No => String::new(),
            };
            let _ = writeln!(page, "{}", format!("  {address:<34} {password}").trim_end());
        }
        if self.accounts.len() > SHOWN {
            let _ = writeln!(page, "  ... {} {}", self.accounts.len() - SHOWN, say(MORE));
        }
        if self.demo == Demo::Yes {
            let _ = writeln!(page, "  {}", say(DEMO));
        }
        if self.anybody {
            let _ = writeln!(page, "  {}", say(ANYBODY));
        }
        page.push('\n');
        let mut path = |title: Text, path: &Path, note: &str| {
            row(&mut page, say(title), &path.to_string_lossy(), note);
        };
        path(STORE, self.store, "");
        if let Some(sessions) = self.sessions {
            path(SESSIONS, sessions, say(LOOK));
        }
        if let Some(authority) = self.authority {
            path(AUTHORITY, authority, say(IMPORT));
        }
        self.passing.show(&mut page, lang);
        page.push_str(faults);
        self.examples(&mut page, lang, domain);
        let _ = writeln!(page, "\n{}", say(STOP));
        page
    }

    /// Three commands that work as they stand.
    fn examples(&self, page: &mut String, lang: Lang, domain: &str) {
        let place = |wanted: Protocol| {
            self.called
                .iter()
                .find_map(|(protocol, endpoint)| match endpoint {
                    Endpoint::Tcp(address) if *protocol == wanted => Some(address),
                    _ => None,
                })
        };
        let account = self.accounts.first().map_or("alice", String::as_str);
        let address = if account.contains('@') {
            account.to_owned()
        } else {
            format!("{account}@{domain}")
        };
        if place(Protocol::Smtp).or(place(Protocol::Pop3)).is_some() {
            let _ = writeln!(page, "\n{}", TRY.of(lang));
        }
        if let Some(smtp) = place(Protocol::Smtp) {
            let _ = writeln!(page, "  mailtool nc -C {} {}", smtp.ip(), smtp.port());
            let _ = writeln!(
                page,
                "  mailtool send --server {smtp} --from {address} \\\n      --to {address} --subject {} --body {}",
                HELLO.of(lang),
                HELLO.of(lang),
            );
        }
        if let Some(pop3) = place(Protocol::Pop3) {
            let password = if self.demo == Demo::Yes {
                format!("MAILTOOL_PASSWORD={account} ")
            } else {
                String::new()
            };
            let _ = writeln!(
                page,
                "  {password}mailtool pop --server {pop3} -u {account} retr 1"
            );
        }
    }
}

/// A title, what it is, and what there is to say of it: beside it, or below it where a terminal of 80 columns has no room.
fn row(page: &mut String, title: &str, text: &str, note: &str) {
    let line = format!("{title:<13}{text}");
    let has_room = line.chars().count() + note.chars().count() < 79;
    let note = match (note, has_room) {
        ("", _) => String::new(),
        (note, true) => format!("  {note}"),
        (note, false) => format!("\n{:<13}{note}", ""),
    };
    page.extend([&line, &note, "\n"]);
}

impl Passing<'_> {
    fn show(&self, page: &mut String, lang: Lang) {
        let say = |text: Text| text.of(lang);
        // Writing to a string cannot fail.
        if let Some(deliver) = self.deliver {
            let _ = writeln!(
                page,
                "{:<13}{}",
                say(DELIVERY),
                say(BEHIND).replace("{}", &deliver.to_string())
            );
        }
        let _ = write!(page, "{:<13}", say(RELAYING));
        if !self.is_on {
            let _ = writeln!(page, "{}", say(OFF));
            return;
        }
        let networks: Vec<String> = self.networks.iter().map(ToString::to_string).collect();
        let _ = match networks.is_empty() {
            true => writeln!(page, "{}", say(USERS)),
            false => writeln!(
                page,
                "{}, {} {}",
                say(USERS),
                say(NETWORKS),
                networks.join(", ")
            ),
        };
        // As they are chosen: what is for all comes last.
        let is_all = |route: &&Route| route.pattern == Pattern::All;
        let (all, mut routes): (Vec<&Route>, Vec<&Route>) = self.routes.iter().partition(is_all);
        let rest = all.is_empty();
        routes.extend(all);
        for route in routes.iter().take(SHOWN) {
            let to = match &route.goal {
                Goal::Host(way) => to(way, lang),
                Goal::Exchangers => say(EXCHANGERS).to_owned(),
                Goal::Nowhere => say(NOWHERE).to_owned(),
            };
            let _ = writeln!(page, "  {:<34} {to}", route.pattern.to_string());
        }
        if self.routes.len() > SHOWN {
            let _ = writeln!(page, "  ... {} {}", self.routes.len() - SHOWN, say(MORE));
        }
        if rest {
            let whose = if self.routes.is_empty() {
                say(EVERYWHERE)
            } else {
                say(ELSEWHERE)
            };
            let to = self
                .smarthost
                .map_or_else(|| say(EXCHANGERS).to_owned(), |way| to(way, lang));
            let _ = writeln!(page, "  {whose:<34} {to}");
        }
    }
}

fn to(way: &Way, lang: Lang) -> String {
    match &way.login {
        Some(login) => format!("{} {way}, {} {}", TO.of(lang), AS.of(lang), login.user),
        None => format!("{} {way}", TO.of(lang)),
    }
}

const NOBODY: Text = Text {
    en: "none: nobody can log in here (--user NAME:PASSWORD, --users FILE)",
    fr: "aucun : personne ne peut s'identifier (--user NOM:MOTDEPASSE, --users FICHIER)",
};
const ANYBODY: Text = Text {
    en: "(for development: and every other name, which is its own password)",
    fr: "(pour le développement : et tout autre nom, qui est son propre mot de passe)",
};
const DELIVERY: Text = Text {
    en: "Delivery",
    fr: "Remise",
};
const BEHIND: Text = Text {
    en: "to {}, and not into mailboxes here",
    fr: "à {}, et non dans des boîtes d'ici",
};
const RELAYING: Text = Text {
    en: "Relaying",
    fr: "Relais",
};
const OFF: Text = Text {
    en: "off: mail for other domains is refused (--relay: users who log in)",
    fr: "non : rien pour d'autres domaines (--relay : après identification)",
};
const USERS: Text = Text {
    en: "for users who log in",
    fr: "pour les utilisateurs identifiés",
};
const NETWORKS: Text = Text {
    en: "and for",
    fr: "et pour",
};
const EVERYWHERE: Text = Text {
    en: "all other domains",
    fr: "tous les autres domaines",
};
const ELSEWHERE: Text = Text {
    en: "all the others",
    fr: "tous les autres",
};
const TO: Text = Text {
    en: "to",
    fr: "vers",
};
const AS: Text = Text {
    en: "as",
    fr: "en tant que",
};
const EXCHANGERS: Text = Text {
    en: "to their mail exchangers (MX)",
    fr: "vers leurs serveurs de courrier (MX)",
};
const NOWHERE: Text = Text {
    en: "nowhere: it comes back",
    fr: "nulle part : il revient",
};
const MAIL_FOR: Text = Text {
    en: "mail for",
    fr: "courrier pour",
};
const ACCOUNTS: Text = Text {
    en: "Accounts",
    fr: "Comptes",
};
const PASSWORD: Text = Text {
    en: "password",
    fr: "mot de passe",
};
const MORE: Text = Text {
    en: "more",
    fr: "de plus",
};
const DEMO: Text = Text {
    en: "(for demonstration, and everybody on this PC; your own: --user NAME:PASSWORD)",
    fr: "(pour essayer, et pour tous sur ce PC ; les vôtres : --user NOM:MOTDEPASSE)",
};
const ADDRESS: Text = Text {
    en: "Address",
    fr: "Adresse",
};
const REACHED: Text = Text {
    en: "(of this PC, for others)",
    fr: "(de ce PC, pour les autres)",
};
const OTHERS: Text = Text {
    en: "Other PCs",
    fr: "Autres PC",
};
const TLS_FIRST: Text = Text {
    en: "passwords over TLS only (in the clear: --allow-plaintext)",
    fr: "mots de passe sous TLS seulement (en clair : --allow-plaintext)",
};
const STORE: Text = Text {
    en: "Mail is in",
    fr: "Courrier",
};
const SESSIONS: Text = Text {
    en: "Sessions",
    fr: "Sessions",
};
const LOOK: Text = Text {
    en: "(mailtool serve sessions shows them)",
    fr: "(mailtool serve sessions les montre)",
};
const AUTHORITY: Text = Text {
    en: "TLS",
    fr: "TLS",
};
const IMPORT: Text = Text {
    en: "(import it into a mail client)",
    fr: "(à importer dans un client de messagerie)",
};
const TRY: Text = Text {
    en: "Try, in another terminal",
    fr: "À essayer dans un autre terminal",
};
const HELLO: Text = Text {
    en: "hello",
    fr: "bonjour",
};
const STOP: Text = Text {
    en: "Ctrl-C stops it.",
    fr: "Ctrl-C l'arrête.",
};

const fn purpose(protocol: Protocol) -> Text {
    match protocol {
        Protocol::Smtp => Text {
            en: "receives mail",
            fr: "reçoit le courrier",
        },
        Protocol::Submission => Text {
            en: "takes mail from users, who log in",
            fr: "dépôt du courrier, après identification",
        },
        Protocol::Smtps => Text {
            en: "the same, over TLS",
            fr: "de même, sous TLS",
        },
        Protocol::Lmtp => Text {
            en: "takes deliveries from a mail server",
            fr: "livraisons d'un serveur de courrier",
        },
        Protocol::Pop3 => Text {
            en: "gives mail to its reader",
            fr: "remet le courrier à son lecteur",
        },
        Protocol::Pop3s => Text {
            en: "the same, over TLS",
            fr: "de même, sous TLS",
        },
        Protocol::Imap => Text {
            en: "lets it be read and kept in folders",
            fr: "le laisse lire et classer sur le serveur",
        },
        Protocol::Imaps => Text {
            en: "the same, over TLS",
            fr: "de même, sous TLS",
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_passed_on_is_said_in_both_languages() {
        let routes: Vec<Route> = [".lan=nowhere", "a.example=127.0.0.1:2525", "b.example=mx"]
            .map(|route| route.parse().unwrap())
            .into();
        let smarthost: Way = "me:secret@smtp.example.org:587".parse().unwrap();
        let deliver: Way = "lmtp:/run/lmtp".parse().unwrap();
        let networks = ["127.0.0.0/8".parse().unwrap(), "::1".parse().unwrap()];
        let passing = Passing {
            is_on: true,
            networks: &networks,
            routes: &routes,
            smarthost: Some(&smarthost),
            deliver: Some(&deliver),
        };
        let shown = |passing: &Passing<'_>, lang| {
            let mut page = String::new();
            passing.show(&mut page, lang);
            page
        };
        assert_eq!(
            shown(&passing, Lang::En),
            "Delivery     to lmtp:/run/lmtp, and not into mailboxes here\n\
             Relaying     for users who log in, and for 127.0.0.0/8, ::1/128\n  \
               .lan                               nowhere: it comes back\n  \
               a.example                          to 127.0.0.1:2525\n  \
               b.example                          to their mail exchangers (MX)\n  \
               all the others                     to smtp.example.org:587, as me\n"
        );
        let off = Passing {
            is_on: false,
            networks: &[],
            routes: &[],
            smarthost: None,
            deliver: None,
        };
        assert_eq!(
            shown(&off, Lang::Fr),
            "Relais       non : rien pour d'autres domaines (--relay : après identification)\n"
        );
        let on = Passing { is_on: true, ..off };
        assert_eq!(
            shown(&on, Lang::Fr),
            "Relais       pour les utilisateurs identifiés\n  \
               tous les autres domaines           vers leurs serveurs de courrier (MX)\n"
        );
        let all = ["*=192.0.2.1", "a.example=mx"].map(|route| route.parse().unwrap());
        let all = Passing { routes: &all, ..on };
        assert_eq!(
            shown(&all, Lang::En),
            "Relaying     for users who log in\n  \
               a.example                          to their mail exchangers (MX)\n  \
               *                                  to 192.0.2.1:25\n"
        );
    }

    #[test]
    fn whose_server_it_is_and_what_to_try() {
        let listening = [(
            Protocol::Submission,
            Endpoint::Tcp(([127, 0, 0, 1], 1587).into()),
        )];
        let off = Passing {
            is_on: false,
            networks: &[],
            routes: &[],
            smarthost: None,
            deliver: None,
        };
        let screen = Screen {
            listening: &listening,
            called: &listening,
            own: &[],
            tls_first: false,
            domains: &["a.example".to_owned()],
            accounts: &[],
            demo: Demo::No,
            anybody: false,
            passing: off,
            store: Path::new("/srv/mail"),
            sessions: Some(Path::new("/srv/mail/sessions")),
            authority: None,
        };
        let version = env!("CARGO_PKG_VERSION");
        assert_eq!(
            screen.show("", Lang::En),
            format!(
                "mailtool {version} - mail for a.example\n\n  \
                   submission  127.0.0.1:1587         takes mail from users, who log in\n\n\
                 Accounts\n  \
                   none: nobody can log in here (--user NAME:PASSWORD, --users FILE)\n\n\
                 Mail is in   /srv/mail\n\
                 Sessions     /srv/mail/sessions  (mailtool serve sessions shows them)\n\
                 Relaying     off: mail for other domains is refused (--relay: users who log in)\n\n\
                 Ctrl-C stops it.\n"
            )
        );
        let anybody = Screen {
            anybody: true,
            ..screen
        };
        let page = anybody.show("", Lang::Fr);
        assert!(
            page.contains("tout autre nom, qui est son propre mot de passe"),
            "{page}"
        );
    }

    #[test]
    fn a_classroom_learns_where_the_server_is_and_lines_fit_a_terminal() {
        let at = |ip: [u8; 4]| {
            let all = Protocol::ALL.into_iter().zip(1025..);
            let all = all.map(|(protocol, port)| (protocol, Endpoint::Tcp((ip, port).into())));
            all.collect::<Vec<_>>()
        };
        let (listening, called) = (at([0, 0, 0, 0]), at([192, 168, 100, 100]));
        let screen = Screen {
            listening: &listening,
            called: &called,
            own: &[
                Ipv4Addr::new(192, 168, 100, 100),
                Ipv4Addr::new(10, 0, 0, 1),
            ],
            tls_first: true,
            domains: &["localhost".to_owned()],
            accounts: &["alice".to_owned()],
            demo: Demo::No,
            anybody: true,
            passing: Passing {
                is_on: false,
                networks: &[],
                routes: &[],
                smarthost: None,
                deliver: None,
            },
            store: Path::new("/home/student/.local/state/mailtool"),
            sessions: Some(Path::new("/home/student/.local/state/mailtool/sessions")),
            authority: Some(Path::new("/home/student/.local/state/mailtool/tls/ca.pem")),
        };
        for (lang, rows) in [
            (
                Lang::En,
                "Address      192.168.100.100, 10.0.0.1  (of this PC, for others)\n\
                 Other PCs    passwords over TLS only (in the clear: --allow-plaintext)\n",
            ),
            (
                Lang::Fr,
                "Adresse      192.168.100.100, 10.0.0.1  (de ce PC, pour les autres)\n\
                 Autres PC    mots de passe sous TLS seulement (en clair : --allow-plaintext)\n",
            ),
        ] {
            let page = screen.show("", lang);
            assert!(page.contains(rows), "{page}");
            assert!(page.contains("  mailtool nc -C 192.168.100.100 "), "{page}");
            for line in page.lines() {
                assert!(line.chars().count() <= 80, "{line}");
            }
        }
    }
}
