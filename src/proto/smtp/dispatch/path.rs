//! From a domain to the addresses that its mail is tried at, in their order (RFC 5321 §5.1).
//!
//! | asked | answered | then |
//! |---|---|---|
//! | the exchangers of the domain | `.` alone | it takes no mail: 556 5.1.10 (RFC 7505) |
//! | | none | the domain itself is its exchanger |
//! | | no such name | 550 5.1.2 |
//! | | some | best preference first, those that are equal in any order; ours, and what is not better than ours, left out |
//! | the addresses of each | | one of them is ours: it, and what is not better, left out |
//!
//! Nothing left because of us is a loop: 554 5.4.6.

use std::collections::HashSet;
use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use super::policy::{Hop, Place, Policy, SMTP};
use crate::limits;
use crate::wire::smtp::{Enhanced, Reply};

/// What the resolver is asked.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Question {
    /// MX records.
    Exchangers(Arc<str>),
    /// A and AAAA records, and the hosts file.
    Addresses(Arc<str>),
}

/// What it found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found {
    /// Preferences and names, in any order; the empty name, or `.`, alone is the null MX.
    Exchangers(Vec<(u16, String)>),
    /// One at least.
    Addresses(Vec<IpAddr>),
    /// The name is there, but nothing of the kind.
    Nothing,
    /// There is no such name.
    NoSuchName,
    /// It could not be found out now: why.
    Trouble(String),
}

/// Where to connect.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// What the certificate is for, and what reports call it.
    pub name: Arc<str>,
    /// Where it is.
    pub place: Spot,
}

/// Where a target is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Spot {
    /// Address and port.
    Tcp(SocketAddr),
    /// A socket in the file system.
    Unix(Arc<str>),
}

impl fmt::Display for Target {
    /// `mx2.example.org (192.0.2.2:25)`
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.place {
            Spot::Tcp(address) => write!(formatter, "{} ({address})", self.name),
            Spot::Unix(path) => write!(formatter, "{} ({path})", self.name),
        }
    }
}

/// A search for targets.
#[derive(Debug)]
pub(super) struct Search {
    hosts: Vec<Exchanger>,
    port: u16,
    /// What is not answered yet.
    open: HashSet<Question>,
}

#[derive(Debug)]
struct Exchanger {
    preference: u16,
    name: Arc<str>,
    found: Option<Found>,
}

/// What comes after an answer.
#[derive(Debug)]
pub(super) enum Step {
    /// Nothing: other answers are waited for.
    Wait,
    /// More questions.
    Ask(Vec<Question>),
    /// Best first; one at least.
    Known(Vec<Target>),
    /// As what a server might have said.
    Failed(Reply),
}

impl Search {
    /// Begins a search for a hop that is not [`Hop::Here`].
    pub(super) fn begin(hop: &Hop) -> (Self, Step) {
        let mut search = Self {
            hosts: Vec::new(),
            port: SMTP,
            open: HashSet::new(),
        };
        let question = match hop {
            Hop::Here => return (search, Step::Known(Vec::new())),
            Hop::Nowhere(domain) => {
                let text = format!("There is no way from here to {domain}");
                return (
                    search,
                    Step::Failed(Reply::new(550, Enhanced(5, 1, 2), text)),
                );
            }
            Hop::Exchangers(domain) => Question::Exchangers(Arc::clone(domain)),
            Hop::Host(way) => match &way.place {
                Place::Address(address) => {
                    let target = Target {
                        name: address.ip().to_string().into(),
                        place: Spot::Tcp(*address),
                    };
                    return (search, Step::Known(vec![target]));
                }
                Place::Unix(path) => {
                    let target = Target {
                        name: "localhost".into(),
                        place: Spot::Unix(path.as_str().into()),
                    };
                    return (search, Step::Known(vec![target]));
                }
                Place::Name(name, port) => {
                    search.port = *port;
                    let name: Arc<str> = name.as_str().into();
                    search.hosts.push(Exchanger {
                        preference: 0,
                        name: Arc::clone(&name),
                        found: None,
                    });
                    Question::Addresses(name)
                }
            },
        };
        search.open.insert(question.clone());
        (search, Step::Ask(vec![question]))
    }

    /// Takes an answer; `chance` puts equals in order.
    pub(super) fn answer(
        &mut self,
        question: &Question,
        found: &Found,
        policy: &Policy,
        chance: &mut dyn FnMut() -> u64,
    ) -> Step {
        if !self.open.remove(question) {
            return Step::Wait;
        }
        match question {
            Question::Exchangers(domain) => self.exchangers(domain, found, policy, chance),
            Question::Addresses(name) => {
                for host in self.hosts.iter_mut().filter(|host| host.name == *name) {
                    host.found = Some(found.clone());
                }
                if self.open.is_empty() {
                    self.targets(policy)
                } else {
                    Step::Wait
                }
            }
        }
    }

    fn exchangers(
        &mut self,
        domain: &Arc<str>,
        found: &Found,
        policy: &Policy,
        chance: &mut dyn FnMut() -> u64,
    ) -> Step {
        let mut records = match found {
            Found::Exchangers(records) if !records.is_empty() => records.clone(),
            Found::NoSuchName => {
                let text = format!("There is no domain {domain}");
                return Step::Failed(Reply::new(550, Enhanced(5, 1, 2), text));
            }
            Found::Trouble(why) => {
                let text = format!("The mail exchangers of {domain} cannot be found now: {why}");
                return Step::Failed(Reply::new(451, Enhanced(4, 4, 3), text));
            }
            // RFC 5321 §5.1: the implicit MX.
            Found::Exchangers(_) | Found::Addresses(_) | Found::Nothing => {
                vec![(0, domain.to_string())]
            }
        };
        let is_null = |name: &str| name.is_empty() || name == ".";
        if records.iter().all(|(_, name)| is_null(name)) {
            let text = format!("{domain} takes no mail (null MX)");
            return Step::Failed(Reply::new(556, Enhanced(5, 1, 10), text));
        }
        records.retain(|(_, name)| !is_null(name));
        let mut ranked: Vec<_> = records
            .into_iter()
            .map(|(preference, name)| (preference, chance(), name))
            .collect();
        ranked.sort();
        // RFC 5321 §5.1: what is not better than we are leads back to us.
        let ours = ranked
            .iter()
            .filter(|(_, _, name)| policy.is_our_name(name))
            .map(|(preference, ..)| *preference)
            .min();
        if let Some(ours) = ours {
            ranked.retain(|(preference, ..)| *preference < ours);
            if ranked.is_empty() {
                return Step::Failed(circle(domain));
            }
        }
        ranked.truncate(limits::RELAY_EXCHANGERS);
        self.hosts = ranked
            .into_iter()
            .map(|(preference, _, name)| Exchanger {
                preference,
                name: name
                    .strip_suffix('.')
                    .unwrap_or(&name)
                    .to_ascii_lowercase()
                    .into(),
                found: None,
            })
            .collect();
        let mut questions = Vec::new();
        for host in &self.hosts {
            let question = Question::Addresses(Arc::clone(&host.name));
            if self.open.insert(question.clone()) {
                questions.push(question);
            }
        }
        Step::Ask(questions)
    }

    fn targets(&self, policy: &Policy) -> Step {
        let name = |host: &Exchanger| host.name.to_string();
        let ours = self
            .hosts
            .iter()
            .filter(|host| {
                matches!(&host.found, Some(Found::Addresses(addresses)) if addresses
                    .iter()
                    .any(|address| policy.is_us(&SocketAddr::new(*address, self.port))))
            })
            .map(|host| host.preference)
            .min();
        let hosts = || {
            self.hosts
                .iter()
                .filter(|host| ours.is_none_or(|ours| host.preference < ours))
        };
        let mut targets = Vec::new();
        for host in hosts() {
            let Some(Found::Addresses(addresses)) = &host.found else {
                continue;
            };
            targets.extend(addresses.iter().map(|address| Target {
                name: Arc::clone(&host.name),
                place: Spot::Tcp(SocketAddr::new(*address, self.port)),
            }));
        }
        targets.truncate(limits::RELAY_ADDRESSES);
        if !targets.is_empty() {
            return Step::Known(targets);
        }
        let trouble = hosts().find_map(|host| match &host.found {
            Some(Found::Trouble(why)) => Some((name(host), why.clone())),
            _ => None,
        });
        Step::Failed(match (trouble, ours) {
            (Some((name, why)), _) => {
                let text = format!("The address of {name} cannot be found now: {why}");
                Reply::new(451, Enhanced(4, 4, 3), text)
            }
            (None, Some(_)) => circle(&self.hosts.first().map_or_else(String::new, name)),
            (None, None) => {
                let names: Vec<String> = self.hosts.iter().map(name).collect();
                let text = format!("No address is known of {}", names.join(", "));
                Reply::new(550, Enhanced(5, 4, 4), text)
            }
        })
    }
}

/// RFC 5321 §5.1: "report an error", and RFC 3463's 5.4.6.
fn circle(domain: &str) -> Reply {
    let text = format!(
        "Mail for {domain} is sent to this server, which has no mailboxes of that domain: it would run in a circle"
    );
    Reply::new(554, Enhanced(5, 4, 6), text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn policy() -> Policy {
        Policy {
            names: vec!["us.example".to_owned()],
            own: vec!["192.0.2.99:25".parse().unwrap()],
            ..Policy::default()
        }
    }

    /// What comes of a domain with these exchangers; each has the address that its name ends in, but for `none` and `late`.
    fn search(found: Found, chances: &[u64]) -> Result<Vec<String>, String> {
        let (mut search, step) = Search::begin(&Hop::Exchangers("b.example".into()));
        let Step::Ask(questions) = step else {
            panic!("{step:?}")
        };
        let mut chances = chances.iter().copied().cycle();
        let mut chance = || chances.next().unwrap_or(0);
        let mut step = search.answer(&questions[0], &found, &policy(), &mut chance);
        loop {
            match step {
                Step::Wait => panic!("nothing is open"),
                Step::Known(targets) => {
                    return Ok(targets
                        .iter()
                        .map(|target| match &target.place {
                            Spot::Tcp(address) => format!("{} {address}", target.name),
                            Spot::Unix(path) => path.to_string(),
                        })
                        .collect());
                }
                Step::Failed(reply) => return Err(reply.to_string()),
                Step::Ask(questions) => {
                    step = Step::Wait;
                    for question in questions {
                        let Question::Addresses(name) = &question else {
                            panic!("{question:?}")
                        };
                        let digits = name.trim_matches(|letter: char| !letter.is_ascii_digit());
                        let found = match digits.parse::<u8>() {
                            _ if name.starts_with("none") => Found::NoSuchName,
                            _ if name.starts_with("late") => Found::Trouble("time-out".to_owned()),
                            Ok(last) => Found::Addresses(vec![[192, 0, 2, last].into()]),
                            Err(_) => Found::Addresses(vec![
                                "2001:db8::1".parse().unwrap(),
                                [192, 0, 2, 200].into(),
                            ]),
                        };
                        step = search.answer(&question, &found, &policy(), &mut chance);
                    }
                }
            }
        }
    }

    fn mx(records: &[(u16, &str)]) -> Found {
        Found::Exchangers(
            records
                .iter()
                .map(|(preference, name)| (*preference, (*name).to_owned()))
                .collect(),
        )
    }

    #[test]
    fn best_first_and_equals_by_chance() {
        let records = mx(&[(20, "m3.example."), (10, "M1.example"), (10, "m2.example")]);
        assert_eq!(
            search(records.clone(), &[0, 1, 2]).unwrap(),
            [
                "m1.example 192.0.2.1:25",
                "m2.example 192.0.2.2:25",
                "m3.example 192.0.2.3:25"
            ]
        );
        assert_eq!(
            search(records, &[0, 2, 1]).unwrap(),
            [
                "m2.example 192.0.2.2:25",
                "m1.example 192.0.2.1:25",
                "m3.example 192.0.2.3:25"
            ]
        );
    }

    #[test]
    fn without_exchangers_the_domain_is_its_own() {
        assert_eq!(
            search(Found::Nothing, &[0]).unwrap(),
            ["b.example [2001:db8::1]:25", "b.example 192.0.2.200:25"]
        );
    }

    #[test]
    fn what_cannot_be_reached_says_why() {
        for (found, said) in [
            (
                mx(&[(0, ".")]),
                "556 5.1.10 b.example takes no mail (null MX)",
            ),
            (Found::NoSuchName, "550 5.1.2 There is no domain b.example"),
            (
                Found::Trouble("time-out".to_owned()),
                "451 4.4.3 The mail exchangers of b.example cannot be found now: time-out",
            ),
            (
                mx(&[(5, "none1")]),
                "550 5.4.4 No address is known of none1",
            ),
            (
                mx(&[(5, "none1"), (6, "late2")]),
                "451 4.4.3 The address of late2 cannot be found now: time-out",
            ),
        ] {
            assert_eq!(search(found, &[0]).unwrap_err(), said);
        }
    }

    #[test]
    fn an_exchanger_that_is_us_cuts_off_what_is_not_better() {
        let better = mx(&[
            (10, "m1.example"),
            (20, "US.example."),
            (20, "m2.example"),
            (30, "m3.example"),
        ]);
        assert_eq!(search(better, &[0]).unwrap(), ["m1.example 192.0.2.1:25"]);
        let by_address = mx(&[(10, "m1.example"), (20, "m99.example"), (30, "m3.example")]);
        assert_eq!(
            search(by_address, &[0]).unwrap(),
            ["m1.example 192.0.2.1:25"]
        );
        for best in [
            mx(&[(10, "us.example"), (20, "m1.example")]),
            mx(&[(10, "m99.example")]),
        ] {
            assert!(search(best, &[0]).unwrap_err().starts_with("554 5.4.6 "));
        }
    }

    #[test]
    fn what_is_no_answer_to_a_question_changes_nothing() {
        let (mut search, _) = Search::begin(&Hop::Exchangers("b.example".into()));
        let question = Question::Addresses("b.example".into());
        let step = search.answer(&question, &Found::NoSuchName, &policy(), &mut || 0);
        assert!(matches!(step, Step::Wait));
    }
}
