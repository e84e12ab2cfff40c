//! An exercise: what sessions must show, in a file of lines.
//!
//! ```text
//! # a comment
//! en: Mail by hand
//! fr: Le courriel à la main
//!
//! step 4 smtp
//! en: Send yourself a message.
//! fr: Envoyez-vous un message.
//! hand
//! self
//! say MAIL FROM:* -> 250
//! say . -> 250
//! then QUIT -> 221
//! ```
//!
//! | line | means |
//! |---|---|
//! | `step ID WHERE` | a step begins; WHERE is `smtp`, `pop3`, `imap`, `any`, or `elsewhere` for what no server sees |
//! | `en: TEXT`, `fr: TEXT` | what it asks for; before the first step, the exercise's title. Both are needed |
//! | `say COMMAND -> REPLY` | a command was said, and answered so |
//! | `then COMMAND -> REPLY` | the same, after all that stands above it |
//! | `hand` | the session was typed, not made by a program |
//! | `tls` | it was said under TLS |
//! | `self` | a recipient that was taken is the student |
//! | `apart` | what is said may be said in several sessions, and `then` in a later one |
//!
//! COMMAND is a pattern for all of a line (`*` any text, `?` one letter, any case; of IMAP without the tag), REPLY what the reply begins
//! with; ` | ` parts several of which one is enough; without `-> REPLY` any reply will do. A `.` is the end of a message's text. Passwords
//! show as `********`.

use crate::wire::packed::Block;
use std::fmt;

use super::codes::Lang;
use super::glob::Glob;
use crate::limits;

/// The file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exercise {
    /// English.
    pub en: String,
    /// French.
    pub fr: String,
    /// In the order of the file; their ids are unique.
    pub steps: Vec<Step>,
}

/// What is asked for, and what shows that it was done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// A word.
    pub id: String,
    /// Where it shows.
    pub place: Place,
    /// English.
    pub en: String,
    /// French.
    pub fr: String,
    /// At most [`limits::EXERCISE_SIGNS`].
    pub signs: Vec<Sign>,
    /// The session was typed.
    pub hand: bool,
    /// A recipient is who says it.
    pub to_self: bool,
    /// Signs of several sessions count together.
    pub apart: bool,
}

impl Step {
    /// What it asks for.
    pub fn text(&self, lang: Lang) -> &str {
        match lang {
            Lang::En => &self.en,
            Lang::Fr => &self.fr,
        }
    }
}

/// Where a step shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// SMTP, submission, LMTP.
    Smtp,
    /// POP3.
    Pop3,
    /// IMAP.
    Imap,
    /// In any of them.
    Any,
    /// On paper: no server sees it.
    Elsewhere,
}

impl Place {
    /// Its word in the file.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Smtp => "smtp",
            Self::Pop3 => "pop3",
            Self::Imap => "imap",
            Self::Any => "any",
            Self::Elsewhere => "elsewhere",
        }
    }
}

/// A command that was said, and how it was answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sign {
    /// As the file has it.
    pub text: String,
    commands: Vec<Glob>,
    replies: Vec<String>,
    /// Only after all signs before it.
    pub after: bool,
    /// Only under TLS.
    pub tls: bool,
}

impl Sign {
    /// Whether this is what it says.
    pub fn fits(&self, command: &str, reply: &str) -> bool {
        let begins = |wanted: &String| {
            let start = reply.get(..wanted.len());
            start.is_some_and(|start| start.eq_ignore_ascii_case(wanted))
        };
        (self.replies.is_empty() || self.replies.iter().any(begins))
            && self.commands.iter().any(|glob| glob.matches(command))
    }
}

/// What is wrong with a file, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExerciseError {
    /// Counts from 1.
    pub line: usize,
    /// What would be right.
    pub why: String,
}

impl fmt::Display for ExerciseError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "line {}: {}", self.line, self.why)
    }
}

impl std::error::Error for ExerciseError {}

/// The 18 manipulations of the mail lab, as a file (`lab.exercise`), packed.
pub static LAB: Block = Block::new(include_bytes!(concat!(env!("OUT_DIR"), "/lab")));

impl Exercise {
    /// Reads a file.
    ///
    /// # Errors
    /// The first line that is none of the above; a step that lacks a text, or has nothing to be seen by.
    ///
    /// ```
    /// use mailtool::wire::exercise::{Exercise, LAB};
    ///
    /// assert_eq!(Exercise::parse(LAB.texts()).unwrap().steps.len(), 18);
    /// ```
    pub fn parse(text: &str) -> Result<Self, ExerciseError> {
        let mut exercise = Self {
            en: String::new(),
            fr: String::new(),
            steps: Vec::new(),
        };
        let (mut tls, mut begun) = (false, 1);
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        for (at, line) in text.lines().enumerate() {
            let (number, line) = (at + 1, line.trim());
            let failed = |why: &str| error(number, why);
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            if line.chars().any(char::is_control) {
                return Err(failed(
                    "there is a control character, such as a tab, in the line",
                ));
            }
            let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
            let rest = rest.trim();
            if word == "step" {
                exercise.finish(begun)?;
                let (id, place) = rest.split_once(' ').unwrap_or((rest, ""));
                let place = place_of(place.trim()).ok_or_else(|| {
                    failed("write step ID and smtp, pop3, imap, any or elsewhere, such as: step 4 smtp")
                })?;
                if exercise.steps.iter().any(|step| step.id == id) {
                    return Err(failed(&format!("there is a step {id} already")));
                }
                if exercise.steps.len() >= limits::EXERCISE_STEPS {
                    return Err(failed(&format!(
                        "an exercise has {} steps at most",
                        limits::EXERCISE_STEPS
                    )));
                }
                exercise.steps.push(Step {
                    id: id.to_owned(),
                    place,
                    en: String::new(),
                    fr: String::new(),
                    signs: Vec::new(),
                    hand: false,
                    to_self: false,
                    apart: false,
                });
                (tls, begun) = (false, number);
                continue;
            }
            let Some(step) = exercise.steps.last_mut() else {
                match word {
                    "en:" => rest.clone_into(&mut exercise.en),
                    "fr:" => rest.clone_into(&mut exercise.fr),
                    _ => return Err(failed("before the first step there are en: and fr: only")),
                }
                continue;
            };
            match word {
                "en:" => rest.clone_into(&mut step.en),
                "fr:" => rest.clone_into(&mut step.fr),
                "hand" if rest.is_empty() => step.hand = true,
                "self" if rest.is_empty() => step.to_self = true,
                "apart" if rest.is_empty() => step.apart = true,
                "tls" if rest.is_empty() => {
                    tls = true;
                    for sign in &mut step.signs {
                        sign.tls = true;
                    }
                }
                "say" | "then" if !rest.is_empty() => {
                    if step.signs.len() >= limits::EXERCISE_SIGNS {
                        return Err(failed(&format!(
                            "a step has {} of these at most",
                            limits::EXERCISE_SIGNS
                        )));
                    }
                    step.signs.push(sign(rest, word == "then", tls));
                }
                _ => {
                    return Err(failed(&format!(
                        "{line:?} is not understood: a line begins with step, en:, fr:, say, then, hand, tls, self or apart"
                    )));
                }
            }
        }
        exercise.finish(begun)?;
        if exercise.steps.is_empty() {
            return Err(error(1, "there is no step in it, such as: step 4 smtp"));
        }
        Ok(exercise)
    }

    /// The last step is whole, or the title.
    fn finish(&self, line: usize) -> Result<(), ExerciseError> {
        let Some(step) = self.steps.last() else {
            if self.en.is_empty() || self.fr.is_empty() {
                return Err(error(
                    line,
                    "it needs a title in both languages, en: and fr:",
                ));
            }
            return Ok(());
        };
        if step.en.is_empty() || step.fr.is_empty() {
            return Err(error(
                line,
                &format!(
                    "step {} needs a text in both languages, en: and fr:",
                    step.id
                ),
            ));
        }
        if (step.place == Place::Elsewhere) != step.signs.is_empty() {
            return Err(error(
                line,
                &format!(
                    "step {} needs a line `say`, unless it is answered elsewhere; then it has none",
                    step.id
                ),
            ));
        }
        Ok(())
    }
}

fn place_of(word: &str) -> Option<Place> {
    let all = [
        Place::Smtp,
        Place::Pop3,
        Place::Imap,
        Place::Any,
        Place::Elsewhere,
    ];
    all.into_iter().find(|place| place.name() == word)
}

fn sign(text: &str, after: bool, tls: bool) -> Sign {
    let (commands, replies) = text.split_once("->").unwrap_or((text, ""));
    let parts = |text: &str| -> Vec<String> {
        let parts = text.split(" | ").map(|part| part.trim().to_owned());
        parts.filter(|part| !part.is_empty()).collect()
    };
    Sign {
        text: text.to_owned(),
        commands: parts(commands).iter().map(|glob| Glob::new(glob)).collect(),
        replies: parts(replies),
        after,
        tls,
    }
}

fn error(line: usize, why: &str) -> ExerciseError {
    ExerciseError {
        line,
        why: why.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lab_is_whole_and_says_what_no_server_sees() {
        let lab = Exercise::parse(LAB.texts()).expect("the lab");
        let ids: Vec<String> = lab.steps.iter().map(|step| step.id.clone()).collect();
        let numbers: Vec<String> = (1..=18).map(|number: u32| number.to_string()).collect();
        assert_eq!(ids, numbers);
        let elsewhere: Vec<&str> = lab
            .steps
            .iter()
            .filter(|step| step.place == Place::Elsewhere)
            .map(|step| step.id.as_str())
            .collect();
        assert_eq!(elsewhere, ["2", "16", "17"]);
    }

    #[test]
    fn a_sign_fits_a_command_and_the_beginning_of_its_reply() {
        let text = "en: a\nfr: b\nstep x imap\nen: a\nfr: b\ntls\nsay FETCH * | UID FETCH * -> OK\nthen CLOSE\n";
        let exercise = Exercise::parse(text).expect("an exercise");
        let signs = &exercise.steps[0].signs;
        assert!(signs[0].fits("uid fetch 1 FLAGS", "OK done") && signs[0].tls && !signs[0].after);
        assert!(!signs[0].fits("fetch 1 FLAGS", "NO") && !signs[0].fits("STORE 1", "OK"));
        assert!(signs[1].fits("close", "BAD what") && signs[1].after);
    }

    #[test]
    fn what_is_not_understood_is_told_with_its_line() {
        let head = "en: a\nfr: b\nstep 1 smtp\n";
        for (text, line, why) in [
            ("", 1, "title"),
            ("step 1 smtp", 1, "title"),
            ("en: a\nfr: b\n", 1, "no step"),
            ("say x", 1, "before the first step"),
            (&format!("{head}en: x\nsay QUIT"), 3, "both languages"),
            (&format!("{head}en: x\nfr: y"), 3, "needs a line `say`"),
            (&format!("{head}en: x\nfr: y\nsya QUIT"), 6, "\"sya QUIT\""),
            (
                &format!("{head}en: x\nfr: y\nsay QUIT\nstep 1 smtp"),
                7,
                "already",
            ),
            ("en: a\nfr: b\nstep 1 smpt\n", 3, "step ID"),
        ] {
            let error = Exercise::parse(text).expect_err(text);
            assert!(
                error.line == line && error.why.contains(why),
                "{text:?}: {error}"
            );
        }
    }
}
