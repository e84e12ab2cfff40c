//! What stands in the name of a message's file, and how new names are made.
//!
//! ```text
//! 1764000000.M123456P42Q7.host,S=1234,W=1250:2,FSab
//! '-- when --' '-unique-' '--' '-- sizes --' '-' '--- flags, sorted by letter
//! '----------------- base ----------------' '-- info: everything from the colon on
//! ```
//!
//! The base stays as long as the message does; the flags change by renaming. Names that other programs made have
//! any base: nothing here asks more of them than that the info begins at the first colon. `S=` is the size of the file,
//! `W=` the size with CRLF line ends (Dovecot's and Maildir++'s fields).

use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::SystemTime;

use super::Flags;

/// A name that nobody has had: `<unix>.M<micros>P<pid>Q<n>.<host>`, ascending within this process.
pub(super) fn unique(now: SystemTime) -> String {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let since = now
        .duration_since(SystemTime::UNIX_EPOCH)
        .unwrap_or_default();
    let (seconds, micros) = (since.as_secs(), since.subsec_micros());
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    let pid = std::process::id();
    format!("{seconds}.M{micros}P{pid}Q{count}.{}", host())
}

/// The name of this machine, without what means something in a file name or a lock.
pub(super) fn host() -> &'static str {
    static HOST: LazyLock<String> = LazyLock::new(|| {
        let system = rustix::system::uname();
        let mut host = system.nodename().to_string_lossy().into_owned();
        host.retain(|c| c.is_ascii_alphanumeric() || c == '-' || c == '.' || c == '_');
        host.truncate(64);
        if host.is_empty() {
            "localhost".clone_into(&mut host);
        }
        host
    });
    &HOST
}

/// The part of a name that stays.
pub(super) fn base(name: &str) -> &str {
    name.split_once(':').map_or(name, |(base, _)| base)
}

/// `S=`: octets of the file, when the name says so.
pub(super) fn octets(name: &str) -> Option<u64> {
    base(name)
        .split(',')
        .skip(1)
        .find_map(|field| field.strip_prefix("S=")?.parse().ok())
}

/// `W=`: octets with CRLF line ends, when the name says so.
pub(super) fn size(name: &str) -> Option<u64> {
    base(name)
        .split(',')
        .skip(1)
        .find_map(|field| field.strip_prefix("W=")?.parse().ok())
}

/// What orders base names by when their messages came: the time in the name, its microseconds, the count that tells those of one
/// process apart, then the name; as Dovecot does.
pub(super) fn arrival(name: &str) -> (u64, u64, u64, &str) {
    let (seconds, rest) = digits(name);
    let unique = rest.strip_prefix('.').unwrap_or("");
    let unique = unique.split(['.', ':', ',']).next().unwrap_or("");
    let number = |letter| {
        unique
            .find(letter)
            .map_or(0, |at| digits(&unique[at + 1..]).0)
    };
    (seconds, number('M'), number('Q'), name)
}

/// The number that `text` begins with, and what follows.
fn digits(text: &str) -> (u64, &str) {
    let end = text
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(text.len());
    (text[..end].parse().unwrap_or(0), &text[end..])
}

/// The flags that the name says, keywords by their letters.
pub(super) fn flags(name: &str) -> Flags {
    let (letters, _) = letters(name);
    letters
        .chars()
        .filter_map(flag_of)
        .fold(Flags::default(), Flags::union)
}

/// The name with `flags` in place of those of its own that are among `known`; all other letters are kept.
pub(super) fn with_flags(name: &str, flags: Flags, known: Flags) -> String {
    let (old, rest) = letters(name);
    let base = base(name);
    let stays = |letter: char| flag_of(letter).is_none_or(|flag| !known.contains(flag));
    let comes = |letter: &char| {
        flag_of(*letter).is_some_and(|flag| known.contains(flag) && flags.contains(flag))
    };
    let mut new = String::with_capacity(base.len() + 3 + LETTERS.len() + old.len() + rest.len());
    new.push_str(base);
    new.push_str(":2,");
    if old.is_ascii() {
        // Nearly always, and then no list need be made and sorted: a bit for each letter.
        let bit = |letter: char| 1_u128 << letter as u32;
        let old = old.chars().filter(|&letter| stays(letter));
        let set = old.chain(LETTERS.into_iter().filter(comes));
        let mut set = set.fold(0, |set, letter| set | bit(letter));
        while set != 0 {
            // Below 128: an ASCII letter.
            new.push(char::from(set.trailing_zeros() as u8));
            set &= set - 1;
        }
    } else {
        let old = old.chars().filter(|&letter| stays(letter));
        let mut letters: Vec<char> = old.chain(LETTERS.into_iter().filter(comes)).collect();
        letters.sort_unstable();
        letters.dedup();
        new.extend(letters);
    }
    new.push_str(rest);
    new
}

/// What follows the base: the colon and all behind it.
pub(super) fn info(name: &str) -> &str {
    &name[base(name).len()..]
}

/// Whether `info` says these flags, and nothing else, as [`plain`] would.
pub(super) fn is_plain(info: &str, flags: Flags) -> bool {
    let Some(mut letters) = info.strip_prefix(":2,").map(str::bytes) else {
        return false;
    };
    let mut set = LETTERS
        .iter()
        .filter(|letter| flag_of(**letter).is_some_and(|flag| flags.contains(flag)));
    set.all(|letter| letters.next() == Some(*letter as u8)) && letters.next().is_none()
}

/// The name of a file with this base and these flags.
pub(super) fn plain(base: &str, flags: Flags) -> String {
    let mut name = String::with_capacity(base.len() + 3 + flags.0.count_ones() as usize);
    name.push_str(base);
    name.push_str(":2,");
    if flags != Flags::default() {
        name.extend(
            LETTERS
                .iter()
                .filter(|letter| flag_of(**letter).is_some_and(|flag| flags.contains(flag))),
        );
    }
    name
}

/// The letters after `:2,`, and what other programs put behind them (`,` and more).
fn letters(name: &str) -> (&str, &str) {
    let Some((_, info)) = name.split_once(":2,") else {
        return ("", "");
    };
    info.find(',')
        .map_or((info, ""), |comma| info.split_at(comma))
}

fn flag_of(letter: char) -> Option<Flags> {
    Some(match letter {
        'D' => Flags::DRAFT,
        'F' => Flags::FLAGGED,
        'P' => Flags::PASSED,
        'R' => Flags::ANSWERED,
        'S' => Flags::SEEN,
        'T' => Flags::DELETED,
        'a'..='z' => Flags::keyword(letter as u8 - b'a'),
        _ => return None,
    })
}

const LETTERS: [char; 32] = [
    'D', 'F', 'P', 'R', 'S', 'T', 'a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'j', 'k', 'l', 'm',
    'n', 'o', 'p', 'q', 'r', 's', 't', 'u', 'v', 'w', 'x', 'y', 'z',
];

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: Flags = Flags(u32::MAX);

    #[test]
    fn flags_are_read_and_written_sorted() {
        let name = "1.M2P3.h,S=5,W=6:2,RSb";
        let expected = Flags::ANSWERED.union(Flags::SEEN).union(Flags::keyword(1));
        assert_eq!(flags(name), expected);
        let flags = Flags::SEEN.union(Flags::DRAFT).union(Flags::keyword(25));
        assert_eq!(
            with_flags(name, flags, ALL),
            "1.M2P3.h,S=5,W=6:2,DSz",
            "sorted, and the old ones gone"
        );
        assert_eq!(with_flags("1.x", Flags::default(), ALL), "1.x:2,");
    }

    #[test]
    fn letters_that_we_do_not_know_are_kept() {
        let known = ALL.without(Flags::keyword(2));
        assert_eq!(
            with_flags("1.x:2,SXc,foreign", Flags::FLAGGED, known),
            "1.x:2,FXc,foreign"
        );
        assert_eq!(flags("1.x:2,X"), Flags::default());
        assert_eq!(flags("1.x:1,S"), Flags::default());
    }

    #[test]
    fn sizes_are_read_from_the_base_only() {
        assert_eq!(size("1.x,S=5,W=6:2,S"), Some(6));
        assert_eq!(size("1.x,W=6,S=5"), Some(6));
        assert_eq!(size("1.x,S=5:2,W=7"), None);
        assert_eq!(size("1.x,W=99999999999999999999"), None);
        assert_eq!(size("W=6"), None);
    }

    #[test]
    fn arrival_is_time_then_microseconds_then_name() {
        let mut names = [
            "20.a.h",
            "3.M10P1Q9.h",
            "3.M10P1Q10.h",
            "3.M9P1Q11.h",
            "zz",
            "1:2,S",
        ];
        names.sort_by_key(|&name| arrival(name));
        let expected = [
            "zz",
            "1:2,S",
            "3.M9P1Q11.h",
            "3.M10P1Q9.h",
            "3.M10P1Q10.h",
            "20.a.h",
        ];
        assert_eq!(names, expected);
    }

    #[test]
    fn unique_names_ascend() {
        let now = SystemTime::now();
        let (one, other) = (unique(now), unique(now));
        assert_ne!(one, other);
        assert!(arrival(&one) < arrival(&other));
        assert_eq!(base(&one), one);
    }
}
