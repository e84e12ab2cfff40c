//! Questions out of the tables: what does this code mean, which code means that, which port has this service. On a terminal or,
//! scripted, on a pipe: a line in is an answer, and what comes out is the same.
//!
//! One seed gives the same questions in the same order, in either language.

use std::fmt::Write as _;
use std::io::{BufRead, Write};

use super::page::{Page, Style};
use super::services::Services;
use crate::applet::exit;
use crate::wire::codes::ports::Service;
use crate::wire::codes::{Hit, Lang, Table, Text};

/// Answers to choose from.
const CHOICES: usize = 4;

/// What is asked.
pub(super) struct Quiz {
    pub(super) tables: Vec<Table>,
    pub(super) count: usize,
    pub(super) seed: u64,
    pub(super) lang: Lang,
    pub(super) style: Style,
}

/// One question, and what answers it.
struct Question {
    text: String,
    choices: Vec<String>,
    /// The place of the right choice; with no choices, none.
    right: usize,
    /// What may be typed in place of the choice's number.
    typed: Vec<String>,
    about: Hit,
}

impl Quiz {
    /// Asks until `count` answers or the end of `input`.
    pub(super) fn run(
        &self,
        input: &mut dyn BufRead,
        output: &mut dyn Write,
    ) -> anyhow::Result<()> {
        let lang = self.lang;
        let mut random = Random(self.seed);
        let rows: Vec<Vec<Hit>> = self.tables.iter().map(|table| table.rows()).collect();
        let mut asked: Vec<Hit> = Vec::new();
        let (mut right, mut answered) = (0, 0);
        let mut line = Vec::new();
        for number in 1..=self.count {
            let Some(question) = question(&rows, &asked, &mut random, lang) else {
                break;
            };
            asked.push(question.about);
            let mut text = format!("\n{number}/{}  {}\n", self.count, question.text);
            for (place, choice) in question.choices.iter().enumerate() {
                let _ = writeln!(text, "  {}  {choice}", place + 1);
            }
            text.push_str("> ");
            say(output, &text)?;
            line.clear();
            // An answer is short; what comes with a longer line is wrong all the same.
            if std::io::Read::take(&mut *input, 4096).read_until(b'\n', &mut line)? == 0 {
                say(output, "\n")?;
                break;
            }
            let answer = String::from_utf8_lossy(&line).trim().to_owned();
            if matches!(answer.as_str(), "q" | "quit" | "fin") {
                break;
            }
            answered += 1;
            if question.is_right(&answer) {
                right += 1;
                say(output, RIGHT.of(lang))?;
            } else {
                let services = Services::none();
                let mut page = Page::new(lang, self.style, &services);
                let about = &question.about;
                page.row(&about.code(), &about.name(), about.meaning().of(lang));
                say(output, &format!("{}{}", WRONG.of(lang), page.finish()))?;
            }
        }
        say(
            output,
            &format!("\n{} {right}/{answered}\n", SCORE.of(lang)),
        )
    }
}

impl Question {
    fn is_right(&self, answer: &str) -> bool {
        let is_number = answer.parse() == Ok(self.right + 1) && !self.choices.is_empty();
        is_number
            || self
                .typed
                .iter()
                .any(|typed| typed.eq_ignore_ascii_case(answer))
    }
}

fn say(output: &mut dyn Write, text: &str) -> anyhow::Result<()> {
    output
        .write_all(text.as_bytes())
        .and_then(|()| output.flush())
        .map_err(exit::unwritable)
}

/// The next question, about nothing that was asked; `None` when everything was.
fn question(rows: &[Vec<Hit>], asked: &[Hit], random: &mut Random, lang: Lang) -> Option<Question> {
    let left: Vec<(usize, Hit)> = rows
        .iter()
        .enumerate()
        .flat_map(|(table, rows)| rows.iter().map(move |hit| (table, *hit)))
        .filter(|(_, hit)| !asked.contains(hit))
        .collect();
    // Every table as often as the others, however long it is.
    let tables: Vec<usize> = (0..rows.len())
        .filter(|table| left.iter().any(|row| row.0 == *table))
        .collect();
    let table = *tables.get(random.below(tables.len()))?;
    let left: Vec<Hit> = left
        .into_iter()
        .filter(|row| row.0 == table)
        .map(|row| row.1)
        .collect();
    let about = *left.get(random.below(left.len()))?;
    if let Hit::Service(Service {
        port: Some(port),
        name,
        ..
    }) = about
    {
        return Some(Question {
            text: format!("{} {name} ?", PORT.of(lang)).replace(" ?", mark(lang)),
            choices: Vec::new(),
            right: 0,
            typed: vec![port.to_string(), format!("{port}/tcp")],
            about,
        });
    }
    let (of_code, meaning) = (random.below(2) == 0, |hit: &Hit| {
        hit.meaning().of(lang).to_owned()
    });
    let mut choices = vec![about];
    let others = &rows[table];
    // A table may have fewer; and no two choices look the same.
    for _ in 0..100 {
        let Some(other) = others.get(random.below(others.len())) else {
            break;
        };
        let is_new = choices
            .iter()
            .all(|hit| hit.code() != other.code() && hit.meaning() != other.meaning());
        if is_new {
            choices.push(*other);
        }
        if choices.len() == CHOICES {
            break;
        }
    }
    let right = random.below(choices.len());
    choices.swap(0, right);
    let (text, shown, typed) = if of_code {
        let text = format!(
            "{} {} ({}) ?",
            MEANS.of(lang),
            about.code(),
            about.kind().of(lang)
        );
        (text, choices.iter().map(meaning).collect(), Vec::new())
    } else {
        let text = format!(
            "{} {} ?\n     {}",
            WHICH.of(lang),
            about.kind().of(lang),
            meaning(&about)
        );
        let bare = about.code().trim_matches(['[', ']']).to_owned();
        let shown = choices.iter().map(Hit::code).collect();
        (text, shown, vec![about.code(), bare])
    };
    Some(Question {
        text: text.replace(" ?", mark(lang)),
        choices: shown,
        right,
        typed,
        about,
    })
}

const fn mark(lang: Lang) -> &'static str {
    match lang {
        Lang::En => "?",
        Lang::Fr => " ?",
    }
}

/// SplitMix64: small, and the same everywhere.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^= mixed >> 31;
        usize::try_from(mixed % (bound.max(1) as u64)).unwrap_or(0)
    }
}

const MEANS: Text = Text::new("What does it mean:", "Que signifie");
const WHICH: Text = Text::new("Which one is it,", "De quoi s'agit-il,");
const PORT: Text = Text::new("Which port has the service", "Quel est le port du service");
const RIGHT: Text = Text::new("Right.\n", "Juste.\n");
const WRONG: Text = Text::new("No:\n", "Non :\n");
const SCORE: Text = Text::new("Score:", "Score :");

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(tables: &[Table], seed: u64, lang: Lang, answers: &str) -> String {
        let quiz = Quiz {
            tables: tables.to_vec(),
            count: 3,
            seed,
            lang,
            style: Style::Plain,
        };
        let mut output = Vec::new();
        quiz.run(&mut answers.as_bytes(), &mut output)
            .expect("a quiz");
        String::from_utf8(output).expect("UTF-8")
    }

    #[test]
    fn ports_are_typed_and_counted() {
        let text = asked(&[Table::Ports], 7, Lang::En, "");
        let name = text
            .split("the service ")
            .nth(1)
            .and_then(|rest| rest.split('?').next())
            .expect("a service");
        let Some(Hit::Service(service)) = Table::Ports
            .rows()
            .into_iter()
            .find(|hit| hit.code() == name)
        else {
            panic!("{text}");
        };
        let port = service.port.expect("a port");
        let text = asked(
            &[Table::Ports],
            7,
            Lang::En,
            &format!("{port}\nnonsense\nq\n"),
        );
        assert!(
            text.contains("> Right.\n")
                && text.contains("> No:\n")
                && text.ends_with("Score: 1/2\n"),
            "{text}"
        );
    }

    #[test]
    fn the_same_seed_asks_the_same_in_both_languages() {
        let english = asked(&Table::ALL, 42, Lang::En, "1\n1\n1\n");
        assert_eq!(english, asked(&Table::ALL, 42, Lang::En, "1\n1\n1\n"));
        assert_ne!(english, asked(&Table::ALL, 43, Lang::En, "1\n1\n1\n"));
        let french = asked(&Table::ALL, 42, Lang::Fr, "1\n1\n1\n");
        let score = |text: &str| text.rsplit(' ').next().map(str::to_owned);
        assert_eq!(score(&english), score(&french));
        assert!(
            french.contains("Score : ") && !french.contains("Right"),
            "{french}"
        );
    }

    /// Whatever is chosen, exactly one choice is right, and nothing is asked twice.
    #[test]
    fn every_question_has_one_answer() {
        for seed in 0..50 {
            let rows: Vec<Vec<Hit>> = Table::ALL.iter().map(|table| table.rows()).collect();
            let (mut random, mut asked) = (Random(seed), Vec::new());
            for _ in 0..20 {
                let question =
                    question(&rows, &asked, &mut random, Lang::Fr).expect("there are hundreds");
                assert!(!asked.contains(&question.about));
                let right = (1..=4)
                    .filter(|n: &usize| question.is_right(&n.to_string()))
                    .count();
                assert_eq!(right, usize::from(!question.choices.is_empty()));
                let mut shown = question.choices.clone();
                shown.sort();
                shown.dedup();
                assert_eq!(shown.len(), question.choices.len());
                asked.push(question.about);
            }
        }
        let few = vec![Table::Ports.rows()];
        assert!(question(&few, &few[0], &mut Random(1), Lang::En).is_none());
    }
}
