//! `--broker` and `--chat`: what one says goes to all others, and so does stdin.
//!
//! With `--recv-only` nobody is told anything, with `--send-only` only what the user says: callers are read, and not passed on.
//!
//! Nothing is written to stdout, and the end of stdin means nothing to anybody, as with ncat. Nobody is heard while there is
//! one who has too much waiting: see [`super::guests`].

use std::fmt;
use std::io;
use std::time::Instant;

use super::chat;
use super::guests::{Guests, Heard};
use super::speaker::{Speaker, Speech};
use super::{Audience, Caller, Floor, Next, Note, Part, STDIO, token};
use crate::proto::raw::Outcome;
use crate::reactor::relay::{Link, Manner};

/// Callers who talk to each other, and the user to them.
pub struct Circle {
    speaker: Option<Speaker>,
    labels: Labels,
    passes: Passes,
    guests: Guests,
}

/// Whether what a caller says goes to the others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Passes {
    /// It does.
    All,
    /// Nobody hears it: `--send-only`, `--recv-only`.
    Nothing,
}

/// Whether it is told who speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Labels {
    /// No: `--broker`.
    None,
    /// Before each piece, and who comes and goes: `--chat`.
    Names,
}

impl Circle {
    /// Without a `speaker` the user says nothing.
    pub fn new(speaker: Option<Speaker>, labels: Labels) -> Self {
        Self {
            speaker,
            labels,
            passes: Passes::All,
            guests: Guests::default(),
        }
    }

    /// The same, where callers do not hear each other.
    pub fn that_passes_nothing(self) -> Self {
        Self {
            passes: Passes::Nothing,
            ..self
        }
    }

    fn turn_of_ours(&mut self, floor: &mut Floor, now: Instant) -> io::Result<Next> {
        let Some(speaker) = &mut self.speaker else {
            return Ok(Next::Wait(None));
        };
        if self.guests.is_empty() || !self.guests.have_room() {
            return Ok(Next::Wait(None));
        }
        match speaker.speak(now)? {
            Speech::Words(words) => {
                let words = match self.labels {
                    Labels::None => words,
                    Labels::Names => chat::said(0, &words),
                };
                self.guests.say(&mut floor.agenda, now, words, None);
                Ok(Next::Again)
            }
            Speech::Pause(due) => Ok(Next::Wait(due)),
            Speech::End => Ok(Next::Wait(None)),
        }
    }

    fn listen(&mut self, floor: &mut Floor, now: Instant, id: u64) -> Next {
        if !self.guests.have_room() {
            self.guests.hold(id);
            return Next::Wait(self.guests.due(floor, id));
        }
        match self.guests.hear(floor, now, id) {
            Heard::Words if floor.heard.is_empty() || self.passes == Passes::Nothing => {}
            Heard::Words => {
                let number = floor.callers.get(&id).map_or(0, |caller| caller.number);
                let words = match self.labels {
                    Labels::None => floor.heard.as_slice().into(),
                    Labels::Names => chat::said(number, &floor.heard),
                };
                self.guests.say(&mut floor.agenda, now, words, Some(id));
            }
            Heard::Nothing => return Next::Wait(self.guests.due(floor, id)),
        }
        Next::Again
    }

    fn announce(&mut self, floor: &mut Floor, now: Instant, words: impl Fn(&Floor) -> Vec<u8>) {
        if self.labels == Labels::Names {
            let words = words(floor);
            self.guests.say(&mut floor.agenda, now, words, None);
        }
    }
}

impl Audience for Circle {
    fn begin(&mut self, floor: &mut Floor) -> io::Result<()> {
        match &self.speaker {
            Some(speaker) => speaker.register(&floor.registry, token(STDIO, Part::Input)),
            None => Ok(()),
        }
    }

    fn welcome(
        &mut self,
        floor: &mut Floor,
        now: Instant,
        id: u64,
        link: Link,
        manner: Manner,
    ) -> Next {
        let mut others: Vec<&Caller> = self
            .guests
            .ids()
            .filter_map(|other| floor.callers.get(&other))
            .collect();
        others.sort_by_key(|caller| caller.number);
        let words = match floor.callers.get(&id) {
            Some(caller) if self.labels == Labels::Names => chat::has_come(caller, &others),
            _ => Vec::new(),
        };
        if let Err(error) = self.guests.welcome(floor, now, id, link, manner) {
            floor.tell(id, |caller| Note::Trouble(caller, &error));
            return Next::Gone(floor.report(now, id, Outcome::Broken, 0, 0));
        }
        self.guests.say(&mut floor.agenda, now, words, None);
        floor.agenda.wake(STDIO);
        Next::Again
    }

    fn told(&mut self, id: u64, _: Part, event: &mio::event::Event) {
        match (id, &mut self.speaker) {
            (STDIO, Some(speaker)) => speaker.told(),
            _ => self.guests.told(id, event),
        }
    }

    fn turn(&mut self, floor: &mut Floor, now: Instant, id: u64) -> io::Result<Next> {
        if id == STDIO {
            return self.turn_of_ours(floor, now);
        }
        let next = match self.guests.send(floor, now, id) {
            Some(next) => next,
            None => self.listen(floor, now, id),
        };
        if let Next::Gone(_) = next {
            self.announce(floor, now, |floor| match floor.callers.get(&id) {
                Some(caller) => chat::has_left(caller),
                None => Vec::new(),
            });
        }
        Ok(next)
    }
}

impl fmt::Debug for Circle {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Circle")
            .field("speaker", &self.speaker)
            .field("labels", &self.labels)
            .finish_non_exhaustive()
    }
}
