//! Which mailbox and which messages of it are meant: by UIDs, or by the keys of a search.

use clap::Args;

use super::super::exit::{self, failure};
use crate::proto::imap::client::{Found, Stage};

/// A mailbox, and messages of it.
#[derive(Args, Clone, Debug)]
pub(super) struct Chosen {
    /// Name of the mailbox (INBOX when left out), then UIDs: 7  7,9  7:12  * (the last); or keys as for search: UNSEEN  FROM alice
    #[arg(required = true, value_name = "MAILBOX UIDS")]
    words: Vec<String>,
    /// Name of the mailbox, when it is called as a key is
    #[arg(long)]
    mailbox: Option<String>,
    /// Of those messages only the last N
    #[arg(long, value_name = "N", num_args = 0..=1, default_missing_value = "1", require_equals = true,
        value_parser = clap::value_parser!(u16).range(1..))]
    newest: Option<u16>,
}

impl Chosen {
    /// The mailbox, and the stages that say which messages are meant.
    pub(super) fn stages(self, open: fn(String) -> Stage) -> anyhow::Result<(String, Vec<Stage>)> {
        let (mailbox, words) = in_mailbox(self.words, self.mailbox);
        let mut stages = vec![open(mailbox.clone())];
        match &words[..] {
            [] => {
                return Err(failure(
                    exit::USAGE,
                    format!(
                        "which messages of {mailbox}? UIDs, as `imap list` shows them, or keys as for `imap search`"
                    ),
                ));
            }
            [uids] if uids.starts_with(|c: char| c.is_ascii_digit() || c == '*' || c == ',') => {
                let uids = good_uids(uids)?;
                // Which are the newest is seen when they are known.
                match self.newest {
                    None => stages.push(Stage::Choose(uids)),
                    Some(_) => stages.push(search(vec!["UID".into(), uids])),
                }
            }
            _ => stages.push(search(words)),
        }
        if let Some(newest) = self.newest {
            stages.push(Stage::Newest(newest.into()));
        }
        Ok((mailbox, stages))
    }
}

/// The mailbox that `words` begin with, if the first of them is no key, and the others.
pub(super) fn in_mailbox(mut words: Vec<String>, mailbox: Option<String>) -> (String, Vec<String>) {
    let begins_with_key = words.first().is_none_or(|word| is_search_key(word));
    let mailbox = match mailbox {
        Some(mailbox) => mailbox,
        None if begins_with_key => "INBOX".to_owned(),
        None => words.remove(0),
    };
    (mailbox, words)
}

fn search(keys: Vec<String>) -> Stage {
    Stage::Search {
        keys,
        then: Found::Chosen,
    }
}

/// A sequence set, looked at before anybody is called.
pub(super) fn good_uids(uids: &str) -> anyhow::Result<String> {
    let good = |element: &str| {
        element.split(':').count() <= 2
            && element
                .split(':')
                .all(|end| end == "*" || end.parse::<u32>().is_ok_and(|uid| uid > 0))
    };
    if uids.split(',').all(good) {
        return Ok(uids.to_owned());
    }
    Err(failure(
        exit::USAGE,
        format!(
            "{uids}: UIDs are numbers from 1 on, ranges such as 3:7, and * for the last message, with commas between; `imap list` \
             shows them"
        ),
    ))
}

/// Whether a word begins a search, and so is not the name of a mailbox: a key of RFC 3501 §6.4.4 or RFC 5032, a set of
/// message numbers, a parenthesis; or the search itself, in one word.
fn is_search_key(word: &str) -> bool {
    let first = word.split(' ').next().unwrap_or_default();
    word.starts_with(|first: char| first == '(' || first == '*' || first.is_ascii_digit())
        || SEARCH_KEYS
            .split(' ')
            .any(|key| key.eq_ignore_ascii_case(first))
}

/// A flag as the protocol has it: those that it knows may be written without their backslash.
pub(super) fn flag(word: &str) -> String {
    let known = ["Seen", "Answered", "Flagged", "Deleted", "Draft"];
    let bare = word.strip_prefix('\\').unwrap_or(word);
    let known = known.iter().find(|known| known.eq_ignore_ascii_case(bare));
    known.map_or_else(|| word.to_owned(), |known| format!("\\{known}"))
}

const SEARCH_KEYS: &str = "ALL ANSWERED BCC BEFORE BODY CC DELETED DRAFT FLAGGED FROM HEADER KEYWORD LARGER NEW NOT OLD \
    ON OR RECENT SEEN SENTBEFORE SENTON SENTSINCE SINCE SMALLER SUBJECT TEXT TO UID UNANSWERED UNDELETED UNDRAFT \
    UNFLAGGED UNKEYWORD UNSEEN OLDER YOUNGER MODSEQ";

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen(words: &[&str], newest: Option<u16>) -> anyhow::Result<(String, Vec<Stage>)> {
        let words = words.iter().map(|&word| word.to_owned()).collect();
        let chosen = Chosen {
            words,
            mailbox: None,
            newest,
        };
        chosen.stages(Stage::Examine)
    }

    #[test]
    fn uids_are_told_from_keys() {
        let keys = |keys: &[&str]| search(keys.iter().map(|&key| key.to_owned()).collect());
        for (words, mailbox, stage) in [
            (&["7,9:*"][..], "INBOX", Stage::Choose("7,9:*".into())),
            (&["Work", "*"], "Work", Stage::Choose("*".into())),
            (&["1:3", "SEEN"], "INBOX", keys(&["1:3", "SEEN"])),
            (&["Work", "FROM", "x y"], "Work", keys(&["FROM", "x y"])),
            (&["unseen from bob"], "INBOX", keys(&["unseen from bob"])),
        ] {
            let (place, stages) = chosen(words, None).expect("good");
            assert_eq!((place.as_str(), &stages[1]), (mailbox, &stage), "{words:?}");
        }
        let (_, newest) = chosen(&["Work", "3:*"], Some(2)).expect("good");
        let work = Stage::Examine("Work".into());
        assert_eq!(newest, [work, keys(&["UID", "3:*"]), Stage::Newest(2)]);
        for words in [
            &["Work"][..],
            &["Work", "0"],
            &["1,,2"],
            &["1:2:3"],
            &["4294967296"],
        ] {
            let error = chosen(words, None).expect_err("wrong");
            assert_eq!(exit::code_of(&error), Some(exit::USAGE), "{words:?}");
        }
    }

    #[test]
    fn flags_of_the_protocol_need_no_backslash() {
        assert_eq!(
            (flag("seen").as_str(), flag("\\DELETED").as_str()),
            ("\\Seen", "\\Deleted")
        );
        assert_eq!(
            (flag("work").as_str(), flag("$Seen").as_str()),
            ("work", "$Seen")
        );
    }
}
