//! Options that say what is kept, and shown, of the dialogues; and when the server ends by itself.

use std::num::NonZeroU64;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;

use super::time::Time;
use crate::limits;
use crate::tap;
use crate::tap::record::Bounds;
use crate::wire::codes::Lang;

/// The part of the options that is about looking at sessions.
#[derive(clap::Args, Clone, Debug, Default)]
pub(in crate::applet::serve) struct Evidence {
    /// Show the dialogues on the terminal as they are spoken; of a protocol, user, mailbox, address or connection only: smtp,alice
    #[arg(long, value_name = "WHICH", num_args = 0..=1, default_missing_value = "", env = "MAILTOOL_WATCH", help_heading = super::EVIDENCE)]
    watch: Option<String>,
    /// With --watch: explain each line, in English or French
    #[arg(long, value_name = "en|fr", num_args = 0..=1, default_missing_value = "", env = "MAILTOOL_EXPLAIN", help_heading = super::EVIDENCE)]
    explain: Option<Explain>,
    /// Folder that keeps each session as a dialogue, passwords hidden, or off [default: STORE/sessions]
    #[arg(long = "sessions", value_name = "DIR", env = "MAILTOOL_SESSIONS", help_heading = super::EVIDENCE)]
    folder: Option<PathBuf>,
    /// How much of the disk they may take; the oldest go first [default: 256M]
    #[arg(long, value_name = "OCTETS", env = "MAILTOOL_SESSIONS_SIZE", help_heading = super::EVIDENCE)]
    sessions_size: Option<Amount>,
    /// How long they are kept [default: 30d]
    #[arg(long, value_name = "TIME", env = "MAILTOOL_SESSIONS_AGE", help_heading = super::EVIDENCE)]
    sessions_age: Option<Time>,
    /// How large a capture becomes before the next file is begun; of a folder of captures, how large all of them
    #[arg(long, value_name = "OCTETS", env = "MAILTOOL_PCAP_SIZE", help_heading = super::EVIDENCE)]
    pcap_size: Option<Amount>,
    /// How many files of one capture are kept, the newest included [default: 10]
    #[arg(long, value_name = "N", env = "MAILTOOL_PCAP_FILES", value_parser = clap::value_parser!(u32).range(1..), help_heading = super::EVIDENCE)]
    pcap_files: Option<u32>,
    /// End, in good order, once so many messages were taken
    #[arg(long, value_name = "N", env = "MAILTOOL_EXIT_AFTER", value_parser = messages, help_heading = super::RUNNING)]
    exit_after: Option<NonZeroU64>,
}

/// `--explain`: without a value, in the language of the environment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::applet::serve) struct Explain(Option<Lang>);

impl Explain {
    /// The language.
    pub(in crate::applet::serve) fn lang(self) -> Lang {
        self.0.unwrap_or_else(crate::applet::lang)
    }
}

impl FromStr for Explain {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "" => Ok(Self(None)),
            "en" => Ok(Self(Some(Lang::En))),
            "fr" => Ok(Self(Some(Lang::Fr))),
            _ => Err("give en or fr"),
        }
    }
}

/// Octets: `5000000`, `500K`, `100M`, `2G`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::applet) struct Amount(pub(in crate::applet) u64);

impl FromStr for Amount {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let digits = text.trim_end_matches(|letter: char| letter.is_ascii_alphabetic());
        let unit = match &text[digits.len()..] {
            "" => 1,
            "k" | "K" => 1 << 10,
            "m" | "M" => 1 << 20,
            "g" | "G" => 1 << 30,
            _ => return Err(EXAMPLE),
        };
        let number: Option<u64> = digits.parse().ok().filter(|number| *number > 0);
        let octets = number.and_then(|number| number.checked_mul(unit));
        octets.map(Self).ok_or(EXAMPLE)
    }
}

const EXAMPLE: &str = "give a number of octets, such as 5000000, 100M or 2G";

impl Evidence {
    /// Which sessions are shown, if any.
    pub(in crate::applet::serve) fn watch(&self) -> Option<&str> {
        self.watch.as_deref()
    }

    /// In which language lines are explained, if at all.
    pub(in crate::applet::serve) fn explain(&self) -> Option<Lang> {
        self.explain.map(Explain::lang)
    }

    /// Where sessions are kept of a server with its store at `place`, if at all.
    pub(in crate::applet::serve) fn sessions(&self, place: &Path) -> Option<PathBuf> {
        match &self.folder {
            None => Some(place.join(SESSIONS)),
            Some(folder) if folder.as_os_str() == OFF => None,
            Some(folder) => Some(folder.clone()),
        }
    }

    /// Where this program keeps them, if it can and shall.
    pub(in crate::applet::serve) fn kept(&self, place: &Path) -> Option<PathBuf> {
        self.sessions(place).filter(|_| tap::BUILT_IN)
    }

    /// Whether a folder for them is named.
    pub(in crate::applet::serve) fn names_folder(&self) -> bool {
        let folder = self.folder.as_ref();
        folder.is_some_and(|folder| folder.as_os_str() != OFF)
    }

    /// Those of the server of this number in a lab: what one folder was given for has one for each.
    pub(in crate::applet::serve) fn in_lab(&self, number: u16) -> Self {
        let mut own = self.clone();
        if let Some(folder) = own
            .folder
            .as_mut()
            .filter(|folder| folder.as_os_str() != OFF)
        {
            folder.push(format!("mta{number}"));
        }
        own
    }

    /// How many of them.
    pub(in crate::applet::serve) fn bounds(&self) -> Bounds {
        let age = self.sessions_age.map(|age| age.0.unsigned_abs());
        Bounds {
            octets: self
                .sessions_size
                .map_or(limits::SESSIONS_OCTETS, |size| size.0),
            age: age.map_or(limits::SESSIONS_AGE, Duration::from_secs),
        }
    }

    /// How large a capture becomes, if that is bounded.
    pub(in crate::applet::serve) fn pcap_size(&self) -> Option<u64> {
        self.pcap_size.map(|size| size.0)
    }

    /// How many files of it there are.
    pub(in crate::applet::serve) fn pcap_files(&self) -> u32 {
        self.pcap_files.unwrap_or(limits::CAPTURE_FILES)
    }

    /// After how many messages the server ends.
    pub(in crate::applet::serve) const fn exit_after(&self) -> Option<NonZeroU64> {
        self.exit_after
    }
}

fn messages(text: &str) -> Result<NonZeroU64, &'static str> {
    text.parse()
        .map_err(|_| "give a number of messages, 1 or more")
}

/// The folder in the store.
pub(in crate::applet::serve) const SESSIONS: &str = "sessions";
/// Instead of one: none.
pub(super) const OFF: &str = "off";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sessions_are_kept_in_the_store_unless_told_otherwise() {
        let of = |text: &str| {
            let options = super::super::of_file(text).expect("understood");
            options.evidence
        };
        let store = Path::new("/srv/mail");
        assert_eq!(of("").sessions(store), Some(store.join("sessions")));
        assert_eq!(of("sessions = 'off'").sessions(store), None);
        assert_eq!(
            of("sessions = '/x'").sessions(store),
            Some(PathBuf::from("/x"))
        );
        let bounds = of("sessions-size = '10M'\nsessions-age = '2d'").bounds();
        assert_eq!(bounds.octets, 10 << 20);
        assert_eq!(bounds.age, Duration::from_secs(2 * 86_400));
        assert_eq!(of("explain = 'fr'").explain(), Some(Lang::Fr));
        assert_eq!(of("").explain(), None);
    }

    #[test]
    fn amounts_have_units() {
        let amount = |text: &str| text.parse::<Amount>().map(|amount| amount.0);
        assert_eq!((amount("7"), amount("2K")), (Ok(7), Ok(2048)));
        assert_eq!((amount("3m"), amount("1G")), (Ok(3 << 20), Ok(1 << 30)));
        for text in ["", "0", "-1", "K", "1T", "1.5M", "99999999999999G"] {
            assert!(amount(text).is_err(), "{text}");
        }
    }
}
