//! Who of a class has done what of an exercise: told by the dialogues, while they are spoken.
//!
//! [`Observed`] looks at one connection and knows which signs ([`crate::wire::exercise::Sign`]) its session has shown; [`Class`] knows
//! whose sessions they are, and what each student has done. Neither changes what is said.
//!
//! Whose session it is, the strongest of:
//!
//! | it is the one ... | what it proves |
//! |---|---|
//! | who logged in | the password was known |
//! | whose address MAIL FROM has (the mail address of the list counts too) | nothing: SMTP believes what it is told |
//! | who a recipient is | nothing |
//! | whose login HELO or EHLO gave | nothing |
//!
//! A session of nobody's counts for nobody; what a session showed before it was somebody's counts then.
//!
//! "By hand" is a likelihood, not a proof: no command came before the reply to the one before, and at least half of the commands came
//! [`limits::EXERCISE_HAND`] after it, or [`limits::EXERCISE_HAND_LF`] where lines end with LF alone. A script that sleeps passes, a
//! person who pastes a whole session does not.

mod dialogue;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};

pub use self::dialogue::Observed;
use crate::limits;
use crate::wire::exercise::{Exercise, Place, Step};

/// Whom the teacher's table has.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Pupil {
    /// The account.
    pub login: String,
    /// As people say it.
    pub name: String,
    /// May be empty.
    pub group: String,
    /// Where else mail reaches them; may be empty.
    pub mail: String,
}

/// What is known of a student and a step.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub enum Mark {
    /// Nothing was seen.
    #[default]
    Open,
    /// A part was.
    Tried {
        /// The signs that were, a bit each.
        signs: u32,
        /// All signs were there, but this was not.
        lacks: Lacks,
    },
    /// All of it.
    Done {
        /// Seconds since 1970.
        unix: u64,
        /// The session that showed it.
        session: String,
    },
}

/// What a session lacked that had every sign.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Lacks {
    /// Signs.
    #[default]
    Signs,
    /// It was not typed.
    Hand,
    /// The message went to others only.
    ToSelf,
}

/// Where lines of progress are kept.
pub type Keep = Box<dyn Fn(String) + Send + Sync>;

/// The class at its exercise, shared by all connections.
pub struct Class {
    exercise: Exercise,
    pupils: Vec<Pupil>,
    known: HashMap<String, usize>,
    /// For each student, for each step.
    marks: Mutex<Vec<Vec<Mark>>>,
    keep: Keep,
}

impl fmt::Debug for Class {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Class").finish_non_exhaustive()
    }
}

impl Class {
    /// Nothing is done but what `kept` says, the lines that an earlier one handed to its `keep`; those that are not understood, or about
    /// nobody here, are passed over.
    pub fn new(
        exercise: Exercise,
        pupils: Vec<Pupil>,
        domains: &[String],
        kept: &str,
        keep: Keep,
    ) -> Self {
        let mut known = HashMap::new();
        for (at, pupil) in pupils.iter().enumerate() {
            let login = pupil.login.to_lowercase();
            for domain in domains {
                known.insert(format!("{login}@{domain}").to_lowercase(), at);
            }
            known.insert(login, at);
        }
        for (at, pupil) in pupils.iter().enumerate() {
            if !pupil.mail.is_empty() {
                // An account's own address is nobody else's.
                known.entry(pupil.mail.to_lowercase()).or_insert(at);
            }
        }
        let empty = vec![Mark::Open; exercise.steps.len()];
        let class = Self {
            marks: Mutex::new(vec![empty; pupils.len()]),
            exercise,
            pupils,
            known,
            keep,
        };
        for line in kept.lines() {
            class.recall(line);
        }
        class
    }

    /// What is to be done.
    pub const fn exercise(&self) -> &Exercise {
        &self.exercise
    }

    /// Who is to do it.
    pub fn pupils(&self) -> &[Pupil] {
        &self.pupils
    }

    /// What the student of this number has done, for each step.
    pub fn marks_of(&self, pupil: usize) -> Vec<Mark> {
        self.hold().get(pupil).cloned().unwrap_or_default()
    }

    /// Lines for the control socket: ` step`, ID, where, English, French; then ` student`, login, name, group, and a mark for each step;
    /// parted by tabs.
    pub fn lines(&self) -> Vec<String> {
        let steps = self.exercise.steps.iter().map(|step| {
            format!(
                "step\t{}\t{}\t{}\t{}",
                step.id,
                step.place.name(),
                step.en,
                step.fr
            )
        });
        let title = format!("exercise\t{}\t{}", self.exercise.en, self.exercise.fr);
        let mut lines: Vec<String> = [title].into_iter().chain(steps).collect();
        let marks = self.hold();
        for (pupil, marks) in self.pupils.iter().zip(marks.iter()) {
            let mut line = format!("student\t{}\t{}\t{}", pupil.login, pupil.name, pupil.group);
            for (step, mark) in self.exercise.steps.iter().zip(marks) {
                line.push('\t');
                line.push_str(&shown(step, mark));
            }
            lines.push(line);
        }
        lines
    }

    /// Whose address, or login, that is.
    fn pupil(&self, address: &str) -> Option<usize> {
        self.known.get(&address.to_lowercase()).copied()
    }

    /// A session of a student's has shown so much of a step.
    fn mark(&self, pupil: usize, at: usize, seen: Mark, keeping: Keeping) {
        let Some(step) = self.exercise.steps.get(at) else {
            return;
        };
        let mut marks = self.hold();
        let Some(mark) = marks.get_mut(pupil).and_then(|marks| marks.get_mut(at)) else {
            return;
        };
        if matches!(mark, Mark::Done { .. }) {
            return;
        }
        let is_done = matches!(seen, Mark::Done { .. });
        let changed = match (&*mark, &seen) {
            (Mark::Tried { signs, .. }, Mark::Tried { signs: more, .. }) if !step.apart => {
                // The session that went furthest is shown.
                more.count_ones() >= signs.count_ones()
            }
            _ => true,
        };
        if changed {
            *mark = seen;
        }
        if is_done || (keeping == Keeping::All && *mark != Mark::Open) {
            let line = kept(&self.pupils[pupil].login, &step.id, mark);
            drop(marks);
            (self.keep)(line);
        }
    }

    /// The signs of a step that earlier sessions have shown, where these count.
    fn before(&self, pupil: usize, at: usize) -> u32 {
        let marks = self.hold();
        match marks.get(pupil).and_then(|marks| marks.get(at)) {
            Some(Mark::Tried { signs, .. }) => *signs,
            _ => 0,
        }
    }

    /// Takes a line that was kept.
    fn recall(&self, line: &str) {
        let mut words = line.split(' ');
        let mut next = || words.next().unwrap_or_default();
        let (word, login, id, first, second) = (next(), next(), next(), next(), next());
        let mark = match word {
            "done" => first.parse().ok().map(|unix| Mark::Done {
                unix,
                session: second.to_owned(),
            }),
            "tried" => u32::from_str_radix(first, 16)
                .ok()
                .map(|signs| Mark::Tried {
                    signs,
                    lacks: match second {
                        "hand" => Lacks::Hand,
                        "self" => Lacks::ToSelf,
                        _ => Lacks::Signs,
                    },
                }),
            _ => None,
        };
        let step = self.exercise.steps.iter().position(|step| step.id == id);
        let (Some(mark), Some(at), Some(pupil)) =
            (mark, step, self.known.get(&login.to_lowercase()))
        else {
            return;
        };
        let mut marks = self.hold();
        let place = &mut marks[*pupil][at];
        if !matches!(place, Mark::Done { .. }) {
            *place = mark;
        }
    }

    /// No panic can leave it halfway changed.
    fn hold(&self) -> MutexGuard<'_, Vec<Vec<Mark>>> {
        self.marks.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The lines of `kept` that say all of what it says: of a student and a step what was done first, or else what was tried last. Lines about
/// students and steps that are not here stay: the list, or the exercise, may be another one for a day.
pub fn compacted(kept: &str) -> String {
    let mut lines: Vec<&str> = Vec::new();
    let mut places: HashMap<(&str, &str), usize> = HashMap::new();
    for line in kept.lines() {
        let mut words = line.split(' ');
        let (Some(word), Some(login), Some(id), Some(_), Some(_)) = (
            words.next(),
            words.next(),
            words.next(),
            words.next(),
            words.next(),
        ) else {
            continue;
        };
        if !matches!(word, "done" | "tried") {
            continue;
        }
        match places.entry((login, id)) {
            Entry::Occupied(place) => {
                let before = &mut lines[*place.get()];
                if !before.starts_with("done ") {
                    *before = line;
                }
            }
            Entry::Vacant(place) => {
                place.insert(lines.len());
                lines.push(line);
            }
        }
    }
    lines.iter().flat_map(|line| [line, "\n"]).collect()
}

/// What is kept of a mark.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Keeping {
    /// That something is done.
    Done,
    /// And that it was tried: the session is over.
    All,
}

fn kept(login: &str, id: &str, mark: &Mark) -> String {
    match mark {
        Mark::Open => String::new(),
        Mark::Done { unix, session } => format!("done {login} {id} {unix} {session}"),
        Mark::Tried { signs, lacks } => {
            let lacks = match lacks {
                Lacks::Signs => "signs",
                Lacks::Hand => "hand",
                Lacks::ToSelf => "self",
            };
            format!("tried {login} {id} {signs:x} {lacks}")
        }
    }
}

/// A mark in the table: `done UNIX SESSION`, `tried WHAT IS MISSING`, `open`, `elsewhere`.
fn shown(step: &Step, mark: &Mark) -> String {
    if step.place == Place::Elsewhere {
        return "elsewhere".to_owned();
    }
    match mark {
        Mark::Open => "open".to_owned(),
        Mark::Done { unix, session } => format!("done {unix} {session}"),
        Mark::Tried {
            lacks: Lacks::Hand, ..
        } => "tried hand".to_owned(),
        Mark::Tried {
            lacks: Lacks::ToSelf,
            ..
        } => "tried self".to_owned(),
        Mark::Tried { signs, .. } => {
            let missing = step.signs.iter().enumerate();
            let missing: Vec<&str> = missing
                .filter(|(at, _)| signs & (1 << at) == 0)
                .map(|(_, sign)| sign.text.as_str())
                .collect();
            format!("tried {}", missing.join("; "))
        }
    }
}

/// All signs of a step.
fn whole(step: &Step) -> u32 {
    let count = step.signs.len().min(limits::EXERCISE_SIGNS);
    // Of 32 the shift would be too far.
    (0..count).fold(0, |signs, at| signs | 1 << at)
}
