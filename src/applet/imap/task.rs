//! What the words of a command line ask for: the stages of an errand, and how what it brings is written.

use std::path::PathBuf;
use std::time::Duration;

use super::backup::Gone;
use super::chosen::{flag, good_uids, in_mailbox};
use super::{Action, AsJson, Elsewhere, Keys, typed};
use crate::applet::outlet::Place;
use crate::applet::output::Form;
use crate::proto::imap::client::{
    self, Change, Found, Idle, Missing, Raw, Refused, Shown, Stage, There, Way, With,
};
use crate::wire::date::DateTime;

/// What is done, and how it is written.
#[derive(Debug)]
pub(super) struct Task {
    pub(super) stages: Vec<Stage>,
    pub(super) form: Form,
    pub(super) place: Place,
    pub(super) written: client::Form,
    pub(super) mailbox: String,
    pub(super) exec: Option<String>,
    pub(super) backup: Option<(PathBuf, Gone)>,
}

impl Task {
    fn new(stages: Vec<Stage>) -> Self {
        Self {
            stages,
            form: Form::Raw,
            place: Place::default(),
            written: client::Form::Lines,
            mailbox: String::new(),
            exec: None,
            backup: None,
        }
    }

    fn json(mut self, json: AsJson) -> Self {
        if json.json {
            self.written = client::Form::Json;
        }
        self
    }
}

/// What the words ask for; `within` is how long `idle` waits.
pub(super) fn errand(action: Action, within: Option<Duration>) -> anyhow::Result<Task> {
    let plain = |verb, mailboxes| vec![Stage::Plain(verb, mailboxes)];
    let mut form = Form::Raw;
    let mut place = Place::default();
    let stages = match action {
        Action::Folders(json) => return Ok(Task::new(vec![Stage::Folders]).json(json)),
        Action::Status { mailbox, json } => {
            return Ok(Task::new(vec![Stage::Status(mailbox)]).json(json));
        }
        Action::Count(keys) => {
            let (mailbox, keys) = keys.or("UNSEEN");
            let then = Found::Counted;
            vec![Stage::Examine(mailbox), Stage::Search { keys, then }]
        }
        Action::List { mailbox, json } => {
            let stages = vec![Stage::Examine(mailbox), Stage::List];
            return Ok(Task::new(stages).json(json));
        }
        Action::Fetch {
            chosen,
            section,
            form: lines,
            place: to,
        } => {
            form = lines.form();
            let (_, mut stages) = chosen.stages(Stage::Examine)?;
            let with = match to.keeps() {
                true => With::Marks,
                false => With::Nothing,
            };
            place = to;
            stages.push(Stage::Fetch { section, with });
            stages
        }
        Action::Search { keys, json } => {
            let (mailbox, keys) = keys.or("ALL");
            let then = Found::Told;
            let stages = vec![Stage::Examine(mailbox), Stage::Search { keys, then }];
            return Ok(Task::new(stages).json(json));
        }
        Action::Idle {
            keys,
            count,
            existing,
            exec,
            poll,
            renew,
            json,
        } => {
            let (mailbox, keys) = in_mailbox(keys.words, keys.mailbox);
            let idle = Idle {
                keys,
                there: if existing { There::Count } else { There::DoNot },
                count: Some(count).filter(|&count| count > 0),
                within,
                renew,
                poll,
            };
            let stages = vec![Stage::Examine(mailbox.clone()), Stage::Idle(idle)];
            let task = Task {
                mailbox,
                exec,
                ..Task::new(stages)
            };
            return Ok(task.json(json));
        }
        Action::Flags {
            chosen,
            add,
            remove,
            set,
            expunge,
            json,
        } => {
            let changes = [
                (Change::Add, add),
                (Change::Remove, remove),
                (Change::Set, set),
            ];
            let change = changes.into_iter().find(|(_, flags)| !flags.is_empty());
            let change = change
                .map(|(change, flags)| (change, flags.iter().map(|word| flag(word)).collect()));
            let open = match (&change, expunge) {
                (None, false) => Stage::Examine,
                _ => Stage::Select,
            };
            let (_, mut stages) = chosen.stages(open)?;
            stages.push(Stage::Flags(change));
            stages.extend(expunge.then_some(Stage::ExpungeChosen));
            return Ok(Task::new(stages).json(json));
        }
        Action::Copy(elsewhere) => elsewhere.stages(Stage::Examine, Way::Copy)?,
        Action::Move(elsewhere) => elsewhere.stages(Stage::Select, Way::Move)?,
        Action::Expunge { mailbox, uids } => {
            let mut stages = vec![Stage::Select(mailbox)];
            match uids {
                None => stages.push(Stage::Expunge),
                Some(uids) => {
                    stages.push(Stage::Choose(good_uids(&uids)?));
                    stages.push(Stage::ExpungeChosen);
                }
            }
            stages.push(Stage::TellExpunged);
            stages
        }
        Action::Create { mailbox } => plain("CREATE", vec![mailbox]),
        Action::Delete { mailbox } => plain("DELETE", vec![mailbox]),
        Action::Rename { from, to } => plain("RENAME", vec![from, to]),
        Action::Subscribe { mailbox } => plain("SUBSCRIBE", vec![mailbox]),
        Action::Unsubscribe { mailbox } => plain("UNSUBSCRIBE", vec![mailbox]),
        Action::Empty { mailbox } => vec![
            Stage::Select(mailbox),
            Stage::MarkAll,
            Stage::Expunge,
            Stage::TellExpunged,
        ],
        Action::Append {
            mailbox,
            file,
            flags,
            date,
        } => vec![Stage::Append {
            mailbox,
            flags: flags.iter().map(|word| flag(word)).collect(),
            date: date.map_or_else(String::new, |unix| DateTime::utc(unix).to_imap()),
            message: typed::message(&file)?,
        }],
        Action::Backup {
            folder,
            mailboxes,
            prune,
        } => {
            let gone = if prune { Gone::Goes } else { Gone::Stays };
            return Ok(Task {
                backup: Some((folder, gone)),
                ..Task::new(vec![Stage::Backup(mailboxes)])
            });
        }
        Action::Serverinfo(json) => {
            let asked = ["CAPABILITY", "ID", "NAMESPACE", "QUOTA"].map(Stage::Ask);
            let mut stages = asked.to_vec();
            stages.push(Stage::TellServer);
            return Ok(Task::new(stages).json(json));
        }
        Action::Raw {
            commands,
            literals,
            keep_going,
            json,
        } => vec![Stage::Raw(Raw {
            lines: typed::lines(&commands)?,
            shown: match (literals, json.json) {
                (true, _) => Shown::Literals,
                (_, true) => Shown::Json,
                _ => Shown::All,
            },
            refused: if keep_going {
                Refused::Stays
            } else {
                Refused::Ends
            },
        })],
    };
    Ok(Task {
        form,
        place,
        ..Task::new(stages)
    })
}

impl Keys {
    /// The mailbox and the keys; `usual` when there are none.
    fn or(self, usual: &str) -> (String, Vec<String>) {
        let (mailbox, mut keys) = in_mailbox(self.words, self.mailbox);
        if keys.is_empty() {
            keys.push(usual.to_owned());
        }
        (mailbox, keys)
    }
}

impl Elsewhere {
    fn stages(self, open: fn(String) -> Stage, way: Way) -> anyhow::Result<Vec<Stage>> {
        let (_, mut stages) = self.chosen.stages(open)?;
        stages.push(Stage::Copy {
            to: self.to,
            way,
            missing: if self.create {
                Missing::Made
            } else {
                Missing::Refused
            },
        });
        Ok(stages)
    }
}

#[cfg(test)]
mod tests {
    use clap::FromArgMatches;

    use super::super::{Arguments, arrival, command};
    use super::*;
    use crate::applet::exit;

    fn parse(words: &[&str]) -> anyhow::Result<Vec<Stage>> {
        let words = ["imap"].iter().chain(words).copied();
        let matches = command().try_get_matches_from(words)?;
        Ok(errand(Arguments::from_arg_matches(&matches)?.action, None)?.stages)
    }

    #[test]
    fn the_command_is_consistent() {
        command().debug_assert();
    }

    #[test]
    fn a_mailbox_may_be_left_out() {
        let fetch = |mailbox: &str, uids: &str, section: &str| {
            vec![
                Stage::Examine(mailbox.into()),
                Stage::Choose(uids.into()),
                Stage::Fetch {
                    section: section.into(),
                    with: With::Nothing,
                },
            ]
        };
        assert_eq!(
            parse(&["fetch", "*"]).expect("good"),
            fetch("INBOX", "*", "")
        );
        assert_eq!(
            parse(&["fetch", "Work", "7,9:*", "--section", "HEADER"]).expect("good"),
            fetch("Work", "7,9:*", "HEADER")
        );
        let search = |mailbox: &str, keys: &[&str]| {
            let keys = keys.iter().map(|&key| key.into()).collect();
            let then = Found::Told;
            vec![Stage::Examine(mailbox.into()), Stage::Search { keys, then }]
        };
        for (words, expected) in [
            (&["search"][..], search("INBOX", &["ALL"])),
            (&["search", "unseen"], search("INBOX", &["unseen"])),
            (&["search", "Work"], search("Work", &["ALL"])),
            (
                &["search", "Work", "FROM", "x y"],
                search("Work", &["FROM", "x y"]),
            ),
            (
                &["search", "1:3", "SEEN"],
                search("INBOX", &["1:3", "SEEN"]),
            ),
            (
                &["search", "--mailbox", "New", "NEW"],
                search("New", &["NEW"]),
            ),
        ] {
            assert_eq!(parse(words).expect("good"), expected, "{words:?}");
        }
        assert_eq!(
            parse(&["list"]).expect("good"),
            [Stage::Examine("INBOX".into()), Stage::List]
        );
    }

    #[test]
    fn uids_are_looked_at_before_anybody_is_called() {
        for uids in ["0", "x", "1,,2", "1:2:3", "", "-1", "1) (FLAGS"] {
            let error = parse(&["fetch", "INBOX", "--", uids]);
            let Err(error) = error else {
                // It is a search, which the session quotes.
                assert!(["x", "", "-1", "1) (FLAGS"].contains(&uids), "{uids}");
                continue;
            };
            assert_eq!(exit::code_of(&error), Some(exit::USAGE), "{uids}");
        }
    }

    #[test]
    fn flags_and_dates_are_as_people_write_them() {
        let stages = parse(&["flags", "7", "--add", "seen,work"]).expect("good");
        let expected = Stage::Flags(Some((Change::Add, vec!["\\Seen".into(), "work".into()])));
        assert_eq!(stages[2], expected);
        assert!(parse(&["flags", "7", "--add", "a", "--set", "b"]).is_err());
        assert_eq!(arrival("1770000000"), arrival("2026-02-02T02:40:00Z"));
        assert_eq!(arrival("Mon, 2 Feb 2026 03:40:00 +0100"), Ok(1_770_000_000));
        assert!(arrival("yesterday").is_err());
    }

    #[test]
    fn messages_get_crlf_and_nothing_else() {
        let file = tempfile::NamedTempFile::new().expect("a temporary file");
        std::fs::write(file.path(), b"A: b\r\n\nc\rd\nlast").expect("written");
        let path = file.path().to_str().expect("UTF-8");
        let appended = Stage::Append {
            mailbox: "Sent".into(),
            flags: Vec::new(),
            date: String::new(),
            message: b"A: b\r\n\r\nc\rd\r\nlast\r\n".to_vec(),
        };
        assert_eq!(parse(&["append", "Sent", path]).expect("good"), [appended]);
        let error = parse(&["append", "Sent", "/nonexistent"]).expect_err("no file");
        assert_eq!(exit::code_of(&error), Some(exit::NO_INPUT));
        std::fs::write(file.path(), b"").expect("written");
        let error = parse(&["append", "Sent", path]).expect_err("an empty file");
        assert_eq!(exit::code_of(&error), Some(exit::DATA));
    }
}
