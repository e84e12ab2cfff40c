//! Options that say how addresses are understood: aliases, tags, who gets what nobody else does, quotas.

use std::path::PathBuf;

use crate::store::{Quota, Rules};
use crate::wire::address::Address;

/// The part of the options that becomes [`Rules`].
#[derive(clap::Args, Clone, Debug, Default)]
pub(in crate::applet::serve) struct Addresses {
    /// Aliases, as in /etc/aliases: NAME: TARGET, TARGET; read again when the file changes
    #[arg(long, value_name = "FILE", env = "MAILTOOL_ALIASES", help_heading = ADDRESSES)]
    aliases: Option<PathBuf>,
    /// Character between a name and a tag (sub-address), as in alice+shop; off: no tags [default: +]
    #[arg(long, value_name = "CHAR", env = "MAILTOOL_SEPARATOR", value_parser = separator, help_heading = ADDRESSES)]
    separator: Option<Separator>,
    /// Who gets mail for postmaster, where no account or alias is called so [default: the first account]
    #[arg(long, value_name = "ADDR", env = "MAILTOOL_POSTMASTER", value_parser = address, help_heading = ADDRESSES)]
    postmaster: Option<Address>,
    /// Who gets mail for names of our domains that do not exist [default: it is refused]
    #[arg(long, value_name = "ADDR", env = "MAILTOOL_CATCH_ALL", value_parser = address, help_heading = ADDRESSES)]
    catch_all: Option<Address>,
    /// For development, on loopback only: every name has a mailbox, and is its own password
    #[arg(long, env = "MAILTOOL_ACCEPT_ANY", value_parser = clap::builder::FalseyValueParser::new(), help_heading = ADDRESSES)]
    pub(in crate::applet::serve) accept_any: bool,
    /// Most octets in a mailbox, all of its folders together, such as 500M (K, M, G) [default: no limit]
    #[arg(long, value_name = "OCTETS", env = "MAILTOOL_QUOTA", value_parser = octets, help_heading = ADDRESSES)]
    quota: Option<u64>,
    /// Most messages in a mailbox [default: no limit]
    #[arg(long, value_name = "N", env = "MAILTOOL_QUOTA_MESSAGES", value_parser = at_least_one, help_heading = ADDRESSES)]
    quota_messages: Option<u64>,
}

const ADDRESSES: &str = "Addresses";

impl Addresses {
    /// What the store is told.
    pub(in crate::applet::serve) fn rules(&self) -> Rules {
        Rules {
            aliases: self.aliases.clone(),
            separator: match self.separator {
                None => Rules::default().separator,
                Some(Separator(separator)) => separator,
            },
            postmaster: self.postmaster.clone(),
            catch_all: self.catch_all.clone(),
            accept_any: self.accept_any,
            quota: Quota {
                octets: self.quota,
                messages: self.quota_messages,
            },
            ..Rules::default()
        }
    }
}

/// `None`: there are no tags.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Separator(Option<char>);

fn separator(text: &str) -> Result<Separator, &'static str> {
    let mut letters = text.chars();
    match (text, letters.next(), letters.next()) {
        ("off", ..) => Ok(Separator(None)),
        (_, Some(letter), None) if letter.is_ascii_punctuation() && !"@\"\\<>".contains(letter) => {
            Ok(Separator(Some(letter)))
        }
        _ => Err("give one character, such as + or -, or off"),
    }
}

fn address(text: &str) -> Result<Address, String> {
    Address::parse(text.as_bytes())
        .map_err(|error| format!("{error}; give alice, or alice@example.org"))
}

fn at_least_one(text: &str) -> Result<u64, &'static str> {
    let number = text.parse().ok().filter(|number| *number > 0);
    number.ok_or("give a number, 1 or more")
}

/// `100M`
fn octets(text: &str) -> Result<u64, &'static str> {
    let (number, unit) = match text.as_bytes().last().map(u8::to_ascii_uppercase) {
        Some(b'K') => (&text[..text.len() - 1], 1 << 10),
        Some(b'M') => (&text[..text.len() - 1], 1 << 20),
        Some(b'G') => (&text[..text.len() - 1], 1 << 30),
        _ => (text, 1),
    };
    let number: Option<u64> = number.parse().ok().filter(|&number| number > 0);
    number
        .and_then(|number| number.checked_mul(unit))
        .ok_or("give a number of octets, such as 500M")
}

#[cfg(test)]
mod tests {
    use super::super::of_file;
    use super::*;

    #[test]
    fn a_file_says_what_the_command_line_can() {
        let options = of_file(
            "aliases = 'a'\nseparator = '-'\npostmaster = 'alice'\ncatch-all = 'bob@x.example'\n\
             accept-any = true\nquota = '2M'\nquota-messages = 7\n",
        )
        .expect("understood");
        let rules = options.addresses.rules();
        assert_eq!(rules.separator, Some('-'));
        assert_eq!(
            rules.quota,
            Quota {
                octets: Some(2 << 20),
                messages: Some(7)
            }
        );
        assert!(
            rules.accept_any
                && rules.aliases.as_deref() == Some(std::path::Path::new("/etc/mailtool/a"))
        );
        assert_eq!(rules.catch_all.expect("bob").to_string(), "bob@x.example");
        assert_eq!(rules.postmaster.expect("alice").to_string(), "alice");
        for (text, why) in [
            ("separator = 'ab'", "such as + or -"),
            ("quota = 0", "500M"),
            ("catch-all = 'a b'", "alice@example.org"),
            ("catchall = 'a'", "unexpected argument"),
        ] {
            let error = format!("{:#}", of_file(text).expect_err(text));
            assert!(error.contains(why), "{error}");
        }
        assert_eq!(separator("off"), Ok(Separator(None)));
        assert!(octets("99999999999G").is_err() && octets("x").is_err() && octets("").is_err());
    }
}
