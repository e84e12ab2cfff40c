//! `-l -k`: what callers say goes to stdout as it comes, and stdin to all who are here.
//!
//! | | as ncat has it |
//! |---|---|
//! | stdin | is read while somebody hears it: nothing is said to an empty hall |
//! | stdin ends | all who are here are told (--no-shutdown: nobody is; --send-only: it is over); who comes later is not |
//! | a caller ends | it gets what waits for it, and is gone |
//! | stdout is full | nobody is heard; each caller is held back by its own connection |
//!
//! What a caller sends at once is written at once, as long as that is less than [`limits::HALL_BUFFER`] octets. More is read on
//! until the end of a line, within bounds, before another caller is heard: so lines stay whole.

use std::fmt;
use std::io;
use std::time::Instant;

use super::guests::{Guests, Heard};
use super::speaker::{Speaker, Speech};
use super::{Audience, Floor, Next, Note, Part, STDIO, token};
use crate::limits;
use crate::proto::raw::{InputEnd, Outcome};
use crate::reactor::relay::{Link, Manner, is_broken, is_for_later};
use crate::reactor::stdio::Output;

/// The user's two ends, for many.
pub struct Stdio {
    speaker: Option<Speaker>,
    input_end: InputEnd,
    output: Option<Output>,
    guests: Guests,
    /// On its way to output, from `start` on.
    out: Vec<u8>,
    start: usize,
    can_write: bool,
    stage: Stage,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Stage {
    Open,
    /// It is over when everybody has heard all.
    LastWords,
    Over(Outcome),
}

impl Stdio {
    /// Without a `speaker` nothing is said (--recv-only), without an `output` nobody is heard (--send-only). `input_end` is what
    /// follows from the end of what the speaker has to say.
    pub fn new(speaker: Option<Speaker>, input_end: InputEnd, output: Option<Output>) -> Self {
        Self {
            speaker,
            input_end,
            output,
            guests: Guests::default(),
            out: Vec::new(),
            start: 0,
            can_write: true,
            stage: Stage::Open,
        }
    }

    fn has_room(&self) -> bool {
        self.out.len() - self.start < limits::RELAY_BUFFER
    }

    /// A turn of stdin and stdout.
    fn turn_of_ours(&mut self, floor: &mut Floor, now: Instant) -> io::Result<Next> {
        self.write(floor)?;
        if self.stage == Stage::LastWords && self.guests.have_heard_all() {
            self.stage = Stage::Over(Outcome::Done);
        }
        let Some(speaker) = &mut self.speaker else {
            return Ok(Next::Wait(None));
        };
        if self.guests.is_empty() || !self.guests.have_room() {
            return Ok(Next::Wait(None));
        }
        match speaker.speak(now)? {
            Speech::Words(words) => self.guests.say(&mut floor.agenda, now, words, None),
            Speech::Pause(due) => return Ok(Next::Wait(due)),
            Speech::End => match self.input_end {
                InputEnd::Untold => {}
                InputEnd::HalfClose => self.guests.end(&mut floor.agenda),
                InputEnd::Leave => {
                    self.guests.end(&mut floor.agenda);
                    self.stage = Stage::LastWords;
                }
            },
        }
        Ok(Next::Again)
    }

    fn write(&mut self, floor: &mut Floor) -> io::Result<()> {
        let Some(output) = &mut self.output else {
            return Ok(());
        };
        let mut octets = 0;
        while self.can_write && self.start < self.out.len() && octets < limits::TURN {
            match output.write(&self.out[self.start..]) {
                Ok(written) => {
                    self.start += written;
                    octets += written;
                }
                Err(error) if is_for_later(&error) => {
                    self.can_write = error.kind() == io::ErrorKind::Interrupted;
                }
                Err(error) if is_broken(&error) => {
                    self.stage = Stage::Over(Outcome::Unheard);
                    return Ok(());
                }
                Err(error) => return Err(error),
            }
        }
        if self.start == self.out.len() {
            self.out = Vec::new();
            self.start = 0;
        } else if self.can_write {
            floor.agenda.wake(STDIO);
        }
        if octets > 0 && self.has_room() {
            self.guests.release(&mut floor.agenda);
        }
        Ok(())
    }

    /// What a caller has to say goes to `out`.
    fn listen(&mut self, floor: &mut Floor, now: Instant, id: u64) -> Next {
        for _ in 0..limits::TURN / limits::HALL_BUFFER {
            if !self.has_room() {
                self.guests.hold(id);
                return Next::Wait(self.guests.due(floor, id));
            }
            match self.guests.hear(floor, now, id) {
                Heard::Words => {
                    if self.start >= limits::HALL_BUFFER {
                        self.out.drain(..self.start);
                        self.start = 0;
                    }
                    self.out.extend_from_slice(&floor.heard);
                    floor.agenda.wake(STDIO);
                }
                Heard::Nothing => return Next::Wait(self.guests.due(floor, id)),
            }
            if floor.heard.len() < limits::HALL_BUFFER || floor.heard.ends_with(b"\n") {
                break;
            }
        }
        Next::Again
    }
}

impl Audience for Stdio {
    fn begin(&mut self, floor: &mut Floor) -> io::Result<()> {
        if let Some(speaker) = &self.speaker {
            speaker.register(&floor.registry, token(STDIO, Part::Input))?;
        }
        if let Some(output) = &self.output {
            output.register(&floor.registry, token(STDIO, Part::Output))?;
        }
        Ok(())
    }

    fn welcome(
        &mut self,
        floor: &mut Floor,
        now: Instant,
        id: u64,
        link: Link,
        manner: Manner,
    ) -> Next {
        if let Err(error) = self.guests.welcome(floor, now, id, link, manner) {
            floor.tell(id, |caller| Note::Trouble(caller, &error));
            return Next::Gone(floor.report(now, id, Outcome::Broken, 0, 0));
        }
        floor.agenda.wake(STDIO);
        Next::Again
    }

    fn told(&mut self, id: u64, part: Part, event: &mio::event::Event) {
        match (id, part, &mut self.speaker) {
            (STDIO, Part::Input, Some(speaker)) => speaker.told(),
            (STDIO, ..) => self.can_write = true,
            _ => self.guests.told(id, event),
        }
    }

    fn turn(&mut self, floor: &mut Floor, now: Instant, id: u64) -> io::Result<Next> {
        if id == STDIO {
            return self.turn_of_ours(floor, now);
        }
        let next = match self.guests.send(floor, now, id) {
            Some(next) => next,
            None if self.output.is_some() => self.listen(floor, now, id),
            None if self.guests.is_lost(id) => self.guests.see_off(floor, now, id, Outcome::Done),
            None => Next::Wait(self.guests.due(floor, id)),
        };
        if self.stage == Stage::LastWords {
            floor.agenda.wake(STDIO);
        }
        Ok(next)
    }

    fn outcome(&self) -> Option<Outcome> {
        match self.stage {
            Stage::Over(outcome) => Some(outcome),
            Stage::Open | Stage::LastWords => None,
        }
    }
}

impl fmt::Debug for Stdio {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Stdio")
            .field("speaker", &self.speaker)
            .field("input_end", &self.input_end)
            .field("output", &self.output)
            .finish_non_exhaustive()
    }
}
