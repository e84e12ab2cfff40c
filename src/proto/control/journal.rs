//! What happened to messages lately, step by step, so that somebody can ask for one message's journey.
//!
//! It is memory only, and bounded: the log has the same lines for longer.

use std::collections::{BTreeSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::limits;
use crate::store::QueueId;

/// The journal of a server, or of several in one program. Cheap to clone: all clones are the same.
#[derive(Clone, Debug, Default)]
pub struct Journal(Arc<Mutex<VecDeque<Step>>>);

/// One step of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// When, seconds since 1970.
    pub moment: i64,
    /// The server's name.
    pub host: Arc<str>,
    /// What the server calls the message.
    pub id: Arc<str>,
    /// What happened.
    pub text: String,
}

impl Journal {
    /// Notes a step.
    pub fn note(&self, step: Step) {
        let mut steps = self.steps();
        if steps.len() >= limits::JOURNAL_STEPS {
            steps.pop_front();
        }
        steps.push_back(step);
    }

    /// The steps of a message, the oldest first, and those of what other servers of this journal called it: a server that takes a
    /// message says in its reply what it calls it.
    pub fn journey(&self, id: &str) -> Vec<Step> {
        let steps = self.steps();
        let known: BTreeSet<&str> = steps.iter().map(|step| &*step.id).collect();
        let mut wanted: BTreeSet<&str> = known.get(id).copied().into_iter().collect();
        // A step can only lead to names that come later, or just before (the next server notes it before its reply is read): a
        // second look finds those too.
        loop {
            let before = wanted.len();
            for step in steps.iter() {
                if wanted.contains(&*step.id) {
                    wanted.extend(words(&step.text).filter_map(|word| known.get(word)));
                }
            }
            if wanted.len() == before {
                break;
            }
        }
        let mut journey: Vec<Step> = steps
            .iter()
            .filter(|step| wanted.contains(&*step.id))
            .cloned()
            .collect();
        journey.sort_by_key(|step| step.moment);
        journey
    }

    fn steps(&self) -> MutexGuard<'_, VecDeque<Step>> {
        // No panic can leave it halfway changed.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The words of a text that could be names of messages.
fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|letter: char| !(letter.is_ascii_alphanumeric() || "-_.".contains(letter)))
        .map(|word| word.trim_matches('.'))
        .filter(|word| word.len() > 3 && word.parse::<QueueId>().is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn step(moment: i64, host: &str, id: &str, text: &str) -> Step {
        Step {
            moment,
            host: host.into(),
            id: id.into(),
            text: text.to_owned(),
        }
    }

    #[test]
    fn a_journey_goes_on_where_the_next_server_took_it() {
        let journal = Journal::default();
        journal.note(step(1, "mta1.lab", "AAAA.1", "from <a@mta1.lab>"));
        journal.note(step(1, "mta1.lab", "ZZZZ.9", "from <b@mta1.lab>"));
        journal.note(step(2, "mta2.lab", "BBBB.2", "from <a@mta1.lab>"));
        journal.note(step(
            2,
            "mta1.lab",
            "AAAA.1",
            "mta2.lab took it: 250 2.0.0 Ok: queued as BBBB.2",
        ));
        journal.note(step(3, "mta2.lab", "BBBB.2", "delivered"));
        let journey = journal.journey("AAAA.1");
        let seen: Vec<(&str, &str)> = journey
            .iter()
            .map(|step| (&*step.host, &*step.id))
            .collect();
        assert_eq!(
            seen,
            [
                ("mta1.lab", "AAAA.1"),
                ("mta2.lab", "BBBB.2"),
                ("mta1.lab", "AAAA.1"),
                ("mta2.lab", "BBBB.2"),
            ]
        );
        assert!(journal.journey("nobody").is_empty());
    }

    #[test]
    fn it_is_bounded() {
        let journal = Journal::default();
        for number in 0..limits::JOURNAL_STEPS + 10 {
            journal.note(step(0, "h", &format!("id{number}"), ""));
        }
        assert_eq!(journal.steps().len(), limits::JOURNAL_STEPS);
        assert!(journal.journey("id0").is_empty());
    }
}
