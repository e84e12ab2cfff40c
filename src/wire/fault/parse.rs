//! Reads rules. A wrong one is refused with the word that is wrong, and what would be right.

use std::str::FromStr;
use std::time::Duration;

use super::words::{ACTIONS, CONDITIONS, SCOPES, STAGES, Word};
use super::{
    Actions, Conditions, Nth, Outcome, Per, Phase, Rule, RuleError, Said, Scope, Showing, Stage,
};
use crate::limits;
use crate::wire::codes::commands::COMMANDS;
use crate::wire::codes::{Protocol, distance};
use crate::wire::glob::Glob;
use crate::wire::smtp::{Enhanced, Reply};

impl FromStr for Rule {
    type Err = RuleError;

    fn from_str(text: &str) -> Result<Self, RuleError> {
        if text.len() > limits::FAULT_RULE {
            let most = limits::FAULT_RULE;
            return Err(wrong("", format!("a rule has {most} octets at most")));
        }
        if let Some(letter) = text
            .chars()
            .find(|letter| letter.is_control() && *letter != '\t')
        {
            return Err(wrong(letter.escape_default(), "a rule is one line of text"));
        }
        let words = split(text)?;
        let mut words = words.iter();
        let first = words.next();
        let scope = scope(first.map_or("", String::as_str))?;
        let stage = stage(scope, words.next().map_or("", String::as_str))?;
        let mut rule = Self {
            text: match text.contains('"') {
                // Spaces within quotes are meant.
                true => text.trim().to_owned(),
                false => text.split_whitespace().collect::<Vec<_>>().join(" "),
            },
            scope,
            stage,
            when: Conditions::default(),
            what: Actions::default(),
            lab: None,
        };
        let mut words = words.peekable();
        while let Some(word) = words.next() {
            let (name, value) = match word.split_once('=') {
                Some((name, value)) => (name, Some(value)),
                None => (&word[..], None),
            };
            if name == "reply" {
                // Its text goes on to the next word that is one of a rule.
                let mut said = value.unwrap_or_default().to_owned();
                while let Some(more) = words.next_if(|more| !is_setting(more)) {
                    said.push(' ');
                    said.push_str(more);
                }
                rule.outcome(word, Outcome::Reply(reply(&rule, said.trim())?))?;
                continue;
            }
            rule.setting(word, name, value)?;
        }
        rule.whole()
    }
}

impl Rule {
    fn setting(&mut self, word: &str, name: &str, value: Option<&str>) -> Result<(), RuleError> {
        let known = CONDITIONS
            .iter()
            .chain(ACTIONS)
            .find(|one| one.name == name);
        let Some(known) = known else {
            let all = || CONDITIONS.iter().chain(ACTIONS);
            return Err(wrong(
                word,
                format!("no condition and no action{}", nearest(name, all())),
            ));
        };
        let given = value.filter(|value| !value.is_empty());
        let needs = || wrong(word, format!("it is written {}", known.form));
        let value = || given.ok_or_else(needs);
        let (when, what) = (&mut self.when, &mut self.what);
        match name {
            "address" => {
                let network = value()?.parse();
                when.address = Some(network.map_err(|error| wrong(word, error))?);
            }
            "user" => when.user = Some(Glob::new(value()?)),
            "from" => when.from = Some(Glob::new(value()?)),
            "to" => when.to = Some(Glob::new(value()?)),
            "phase" => {
                when.phase = Some(match value()? {
                    "anonymous" => Phase::Anonymous,
                    "user" => Phase::User,
                    "selected" => Phase::Selected,
                    "clear" => Phase::Clear,
                    "tls" => Phase::Tls,
                    _ => return Err(needs()),
                });
            }
            "connection" => when.connection = Some(nth(value()?).ok_or_else(needs)?),
            "message" => when.message = Some(nth(value()?).ok_or_else(needs)?),
            "nth" => when.nth = Some(nth(value()?).ok_or_else(needs)?),
            "chance" => {
                let advice = || {
                    wrong(
                        word,
                        "give a part of a hundred, such as chance=20% or chance=0.5%",
                    )
                };
                when.chance = Some(chance(value()?).ok_or_else(advice)?);
            }
            "seed" => {
                let advice = || wrong(word, "give a number, such as seed=7");
                when.seed = Some(value()?.parse().map_err(|_| advice())?);
            }
            "times" => {
                let times = value()?.parse().ok().filter(|times| *times > 0);
                when.times = Some(times.ok_or_else(|| wrong(word, "give a number, 1 or more"))?);
            }
            "per" => {
                when.per = Some(match value()? {
                    "connection" => Per::Connection,
                    "address" => Per::Address,
                    "user" => Per::User,
                    "from" => Per::From,
                    "to" => Per::To,
                    _ => return Err(needs()),
                });
            }
            "greylist" => when.greylist = Some(time(value()?).ok_or_else(|| wrong(word, TIME))?),
            "limit" => {
                let parted = value()?.split_once('/');
                let limit =
                    parted.and_then(|(count, window)| Some((count.parse().ok()?, time(window)?)));
                when.limit = Some(
                    limit.ok_or_else(|| wrong(word, "write it as limit=10/1m: ten in a minute"))?,
                );
            }
            "delay" => {
                let span = span(value()?, time).filter(|(_, most)| *most <= limits::FAULT_DELAY);
                what.delay = Some(span.ok_or_else(|| wrong(word, TIME))?);
            }
            "throttle" => {
                let span = span(value()?, octets).filter(|(least, _)| *least > 0);
                let advice = || wrong(word, "give octets a second, such as 100, 4K or 100-1000");
                what.throttle = Some(span.ok_or_else(advice)?);
            }
            "drop" if given.is_none() => what.drop = true,
            "reset" if given.is_none() => (what.drop, what.reset) = (true, true),
            "after" => what.after = Some(octets(value()?).ok_or_else(|| wrong(word, OCTETS))?),
            "garbage" => {
                let length = given.map_or(Some(limits::FAULT_GARBAGE), |value| value.parse().ok());
                let length =
                    length.filter(|length| (1..=limits::FAULT_GARBAGE_MOST).contains(length));
                let advice = || {
                    wrong(
                        word,
                        format!("give 1 to {} octets", limits::FAULT_GARBAGE_MOST),
                    )
                };
                return self.outcome(word, Outcome::Garbage(length.ok_or_else(advice)?));
            }
            "hide" => {
                let names = value()?.split(',').filter(|name| !name.is_empty());
                what.hide.extend(names.map(str::to_ascii_uppercase));
            }
            "short" => {
                let length = given.map_or(Some(limits::FAULT_SHORT), octets);
                let length =
                    length.filter(|length| (1..=limits::FAULT_SHORT_MOST).contains(length));
                what.short = Some(length.ok_or_else(|| wrong(word, OCTETS))?);
            }
            "count" => {
                let by = value()?
                    .parse()
                    .ok()
                    .filter(|by: &i64| *by != 0 && by.unsigned_abs() < 1 << 32);
                what.count = Some(by.ok_or_else(|| {
                    wrong(
                        word,
                        "give what is to be added, such as count=+1 or count=-2",
                    )
                })?);
            }
            "full" if given.is_none() => return self.outcome(word, Outcome::Full),
            "tls" => {
                let showing = match value()? {
                    "fail" => Showing::Failing,
                    "expired" => Showing::Expired,
                    "name" => Showing::OtherName,
                    "self" => Showing::SelfSigned,
                    _ => return Err(needs()),
                };
                return self.outcome(word, Outcome::Tls(showing));
            }
            _ => return Err(needs()),
        }
        Ok(())
    }

    fn outcome(&mut self, word: &str, outcome: Outcome) -> Result<(), RuleError> {
        if self.what.outcome.replace(outcome).is_some() {
            return Err(wrong(
                word,
                "one of reply, garbage, full and tls is enough: make it two rules",
            ));
        }
        Ok(())
    }

    /// Whether it all fits together.
    fn whole(self) -> Result<Self, RuleError> {
        let Self {
            scope,
            stage,
            when,
            what,
            ..
        } = &self;
        let mail = matches!(
            scope,
            Scope::Smtp | Scope::Submission | Scope::Lmtp | Scope::Any
        );
        let read = matches!(scope, Scope::Pop3 | Scope::Imap | Scope::Any);
        let tls = matches!(what.outcome, Some(Outcome::Tls(_)));
        let replaced = what.outcome.is_some();
        let edits = !what.hide.is_empty() || what.short.is_some() || what.count.is_some();
        let bare = what.is_bare();
        for (misfit, word, advice) in [
            (
                !mail && when.from.is_some(),
                "from",
                "only mail that is sent has a sender: begin with smtp",
            ),
            (
                !mail && when.to.is_some(),
                "to",
                "only mail that is sent has recipients: begin with smtp",
            ),
            (
                !mail && when.greylist.is_some(),
                "greylist",
                "only mail that is sent can be greylisted: begin with smtp",
            ),
            (
                !read && what.short.is_some(),
                "short",
                "mail is read by pop3 and imap: begin with one of them",
            ),
            (
                !read && what.count.is_some(),
                "count",
                "messages are counted by pop3 and imap: begin with one of them",
            ),
            (
                *stage == Stage::Message && !mail,
                "message",
                "only SMTP has this stage: begin with smtp",
            ),
            (
                *stage == Stage::Text && *scope == Scope::Pop3,
                "text",
                "no message comes in by pop3: take smtp or imap",
            ),
            (
                tls != (*stage == Stage::Tls),
                "tls",
                "the stage tls and the action tls=... go together: any tls tls=expired",
            ),
            (
                *stage == Stage::Tls
                    && (what.drop || edits || what.delay.is_some() || what.throttle.is_some()),
                "tls",
                "at the stage tls only tls=... can happen",
            ),
            (
                *stage == Stage::Text && (replaced || edits),
                "text",
                "within a text there is no reply: take the stage message for it",
            ),
            (
                *stage == Stage::Message && edits,
                "message",
                "here something can only be answered, delayed, throttled or dropped",
            ),
            (
                what.after.is_some() && !what.drop,
                "after",
                "it belongs to drop: drop after=100",
            ),
            (
                what.after.is_some() && replaced,
                "after",
                "a reply that is replaced is not cut: leave one of them out",
            ),
            (
                when.seed.is_some() && when.chance.is_none(),
                "seed",
                "it belongs to chance: chance=20% seed=7",
            ),
        ] {
            if misfit {
                return Err(wrong(word, advice));
            }
        }
        if bare && when.greylist.is_none() && when.limit.is_none() {
            let names: Vec<&str> = ACTIONS.iter().map(|action| action.name).collect();
            let advice = format!("the rule does nothing yet: say one of {}", names.join(", "));
            return Err(wrong("", advice));
        }
        Ok(self)
    }
}

fn scope(word: &str) -> Result<Scope, RuleError> {
    Ok(match word {
        "smtp" => Scope::Smtp,
        "submission" => Scope::Submission,
        "lmtp" => Scope::Lmtp,
        "pop3" | "pop" => Scope::Pop3,
        "imap" => Scope::Imap,
        "any" | "*" => Scope::Any,
        _ => {
            let names: Vec<&str> = SCOPES.iter().map(|scope| scope.name).collect();
            let advice = format!("a rule begins with a protocol: {}", names.join(", "));
            return Err(wrong(word, advice));
        }
    })
}

fn stage(scope: Scope, word: &str) -> Result<Stage, RuleError> {
    let example = "after the protocol comes a command or a stage, such as rcpt, retr, fetch, connect, login, message";
    Ok(match word {
        "connect" => Stage::Connect,
        "tls" => Stage::Tls,
        "login" => Stage::Login,
        "text" => Stage::Text,
        "message" => Stage::Message,
        "any" | "*" => Stage::Any,
        "" => return Err(wrong("", example)),
        _ => {
            let of = |protocol| match scope {
                Scope::Any => true,
                Scope::Smtp | Scope::Submission | Scope::Lmtp => protocol == Protocol::Smtp,
                Scope::Pop3 => protocol == Protocol::Pop3,
                Scope::Imap => protocol == Protocol::Imap,
            };
            let verb = word.to_ascii_uppercase();
            let all = || {
                COMMANDS
                    .iter()
                    .copied()
                    .flatten()
                    .filter(|one| of(one.protocol))
            };
            if all().any(|command| command.verb == verb) {
                return Ok(Stage::Command(verb));
            }
            let names = all().map(|command| command.verb.to_ascii_lowercase());
            let names = names.chain(STAGES.iter().map(|stage| stage.name.to_owned()));
            let near = near(&word.to_ascii_lowercase(), names);
            return Err(wrong(
                word,
                match near {
                    Some(near) => {
                        format!("no command of this protocol and no stage; is {near} meant?")
                    }
                    None => format!("no command of this protocol and no stage; {example}"),
                },
            ));
        }
    })
}

fn reply(rule: &Rule, said: &str) -> Result<Said, RuleError> {
    let first = said.split(' ').next().unwrap_or_default();
    match rule.scope {
        Scope::Any => Err(wrong(
            "reply",
            "each protocol has its own replies: begin with smtp, pop3 or imap",
        )),
        Scope::Pop3 => match first {
            "+OK" | "-ERR" if said.len() > first.len() => Ok(Said::Pop3(said.to_owned())),
            "+OK" | "-ERR" => Ok(Said::Pop3(format!("{said} {ON_PURPOSE}"))),
            _ => Err(wrong(first, "a reply of POP3 begins with +OK or -ERR")),
        },
        Scope::Imap => match first {
            "OK" | "NO" | "BAD" | "BYE" | "PREAUTH" if said.len() > first.len() => {
                Ok(Said::Imap(said.to_owned()))
            }
            "OK" | "NO" | "BAD" | "BYE" | "PREAUTH" => {
                Ok(Said::Imap(format!("{said} {ON_PURPOSE}")))
            }
            _ => Err(wrong(
                first,
                "a reply of IMAP begins with OK, NO, BAD or BYE",
            )),
        },
        Scope::Smtp | Scope::Submission | Scope::Lmtp => {
            let code = first
                .parse()
                .ok()
                .filter(|code| (200..=599).contains(code) && first.len() == 3);
            let code: u16 = code.ok_or_else(|| {
                wrong(
                    first,
                    "a reply of SMTP begins with a code from 200 to 599, such as 450 4.2.0 busy",
                )
            })?;
            let text = said[first.len()..].trim();
            if text.is_empty() {
                let class = u8::try_from(code / 100).unwrap_or(5);
                // Neither greetings, nor those of EHLO, nor what goes on with 354 has one (RFC 2034 §4).
                let bare = rule.stage == Stage::Connect || class == 3;
                return Ok(Said::Smtp(match bare {
                    true => Reply::basic(code, ON_PURPOSE),
                    false => Reply::new(code, Enhanced(class, 0, 0), ON_PURPOSE),
                }));
            }
            Ok(Said::Smtp(match Enhanced::split(text) {
                Some((enhanced, rest)) => {
                    let rest = if rest.is_empty() { ON_PURPOSE } else { rest };
                    Reply::new(code, enhanced, rest.to_owned())
                }
                None => Reply::basic(code, text.to_owned()),
            }))
        }
    }
}

/// What is said where a rule has a code only.
pub(super) const ON_PURPOSE: &str = "A fault, made on purpose";

/// Words; a pair of quotes holds several together.
fn split(text: &str) -> Result<Vec<String>, RuleError> {
    let mut words = Vec::new();
    let (mut word, mut begun, mut quoted) = (String::new(), false, false);
    for letter in text.chars() {
        match letter {
            '"' => {
                quoted = !quoted;
                begun = true;
            }
            ' ' | '\t' if !quoted => {
                if std::mem::take(&mut begun) {
                    words.push(std::mem::take(&mut word));
                }
            }
            _ => {
                word.push(letter);
                begun = true;
            }
        }
    }
    if quoted {
        return Err(wrong("\"", "the quotes are not closed"));
    }
    if begun {
        words.push(word);
    }
    Ok(words)
}

/// Whether a word ends the text of a reply.
fn is_setting(word: &str) -> bool {
    word.split_once('=')
        .is_some_and(|(name, _)| CONDITIONS.iter().chain(ACTIONS).any(|one| one.name == name))
}

fn nth(text: &str) -> Option<Nth> {
    let number = |text: &str| text.parse().ok().filter(|number: &u64| *number > 0);
    if let Some(step) = text.strip_prefix('/') {
        return Some(Nth::Every(number(step)?));
    }
    Some(match text.split_once('-') {
        None => Nth::Between(number(text)?, number(text)?),
        Some((first, "")) => Nth::Between(number(first)?, u64::MAX),
        Some((first, last)) => {
            let (first, last) = (number(first)?, number(last)?);
            (first <= last).then_some(Nth::Between(first, last))?
        }
    })
}

/// Of a million.
fn chance(text: &str) -> Option<u32> {
    let text = text.strip_suffix('%').unwrap_or(text);
    let (whole, part) = text.split_once('.').unwrap_or((text, ""));
    let whole: u32 = whole.parse().ok()?;
    if part.len() > 4 || !part.bytes().all(|digit| digit.is_ascii_digit()) {
        return None;
    }
    let part: u32 = format!("{part:0<4}").parse().ok()?;
    let all = whole.checked_mul(10_000)?.checked_add(part)?;
    (all <= 1_000_000).then_some(all)
}

fn time(text: &str) -> Option<Duration> {
    let digits = text.trim_end_matches(|letter: char| letter.is_ascii_alphabetic());
    let number: u64 = digits.parse().ok()?;
    let unit = match &text[digits.len()..] {
        "ms" => 1,
        "" | "s" => 1000,
        "m" => 60 * 1000,
        "h" => 60 * 60 * 1000,
        "d" => 24 * 60 * 60 * 1000,
        _ => return None,
    };
    let milliseconds = number.checked_mul(unit)?;
    // A year: no sum of such times is a problem for a clock.
    (milliseconds <= 366 * 24 * 60 * 60 * 1000).then(|| Duration::from_millis(milliseconds))
}

fn octets(text: &str) -> Option<u64> {
    let (digits, unit) = match text.as_bytes().last()? {
        b'k' | b'K' => (&text[..text.len() - 1], 1024),
        b'M' => (&text[..text.len() - 1], 1024 * 1024),
        _ => (text, 1),
    };
    let number: u64 = digits.parse().ok()?;
    number.checked_mul(unit).filter(|octets| *octets <= 1 << 40)
}

/// One value, or two with `-` between them.
fn span<T: Copy + PartialOrd>(text: &str, one: fn(&str) -> Option<T>) -> Option<(T, T)> {
    match text.split_once('-') {
        None => one(text).map(|value| (value, value)),
        Some((least, most)) => {
            let (least, most) = (one(least)?, one(most)?);
            (least <= most).then_some((least, most))
        }
    }
}

fn nearest<'a>(word: &str, known: impl Iterator<Item = &'a Word>) -> String {
    match near(word, known.map(|word| word.name.to_owned())) {
        Some(near) => format!("; is {near} meant?"),
        None => ": --fault help shows them all".to_owned(),
    }
}

/// The one that it could be a slip of.
fn near(word: &str, known: impl Iterator<Item = String>) -> Option<String> {
    if word.len() > 20 {
        return None;
    }
    let (least, name) = known
        .map(|name| (distance(word, &name), name))
        .min_by_key(|(distance, _)| *distance)?;
    (least * 2 <= word.chars().count().max(2)).then_some(name)
}

fn wrong(word: impl ToString, advice: impl ToString) -> RuleError {
    RuleError {
        word: word.to_string(),
        advice: advice.to_string(),
    }
}

const TIME: &str = "give a time such as 500ms, 5s, 5m or 1h, 24h at most";
const OCTETS: &str = "give a number of octets, such as 100 or 4K";
