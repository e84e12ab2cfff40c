//! A caller and the one whom it talks to: a [`Conversation`] in the hall.

use std::io;
use std::time::Instant;

use super::{Floor, Part, token};
use crate::limits;
use crate::proto::raw::{IdleEnd, Keyboard, Options, Outcome, Policy, Role};
use crate::reactor::relay::{Conversation, End, Link, Manner, Report, Turn, is_broken};
use crate::reactor::stdio::{Input, Output};

pub(super) struct Pair {
    conversation: Conversation,
    input: Input,
    output: Output,
}

/// What came of a turn.
pub(super) enum Went {
    Again,
    Wait(Option<Instant>),
    Over(Report),
    /// Something that neither side's end explains.
    Failed(io::Error),
}

impl Pair {
    /// With buffers of `piece` octets.
    pub(super) fn new(
        now: Instant,
        link: Link,
        (input, output): (Input, Output),
        options: Options,
        mut manner: Manner,
        piece: usize,
    ) -> Self {
        // Else what the peer says and nobody reads could take our last words from it.
        manner.linger.get_or_insert(limits::LINGER);
        let policy = Policy::new(now, Role::Listen, Keyboard::Other, options);
        let ends = (&input, &output);
        Self {
            conversation: Conversation::new(now, link, ends, policy, manner, piece),
            input,
            output,
        }
    }

    pub(super) fn register(&self, floor: &Floor, id: u64) -> io::Result<()> {
        let (input, output) = (&self.input, &self.output);
        self.conversation
            .register(&floor.registry, input, output, |end| match end {
                End::Input => token(id, Part::Input),
                End::Output => token(id, Part::Output),
                End::Link => token(id, Part::Link),
            })
    }

    pub(super) fn told(&mut self, part: Part, event: &mio::event::Event) {
        match part {
            Part::Input => self.conversation.told(End::Input, event),
            Part::Output => self.conversation.told(End::Output, event),
            Part::Link => self.conversation.told(End::Link, event),
            Part::Exit => {}
        }
    }

    pub(super) fn turn(&mut self, floor: &mut Floor, now: Instant) -> Went {
        let (input, output) = (&mut self.input, &mut self.output);
        let before = self.conversation.moved();
        let turn = self
            .conversation
            .turn(now, input, output, &mut floor.scratch);
        let (sent, received) = self.conversation.moved();
        floor.tally.add(now, sent - before.0, received - before.1);
        match turn {
            Ok(Turn::Moved) => Went::Again,
            Ok(Turn::Still) => {
                self.conversation.rest();
                Went::Wait(self.conversation.due())
            }
            Ok(Turn::Over(outcome)) => Went::Over(self.conversation.report(now, outcome)),
            Err(error) if is_broken(&error) => {
                let outcome = Outcome::Broken;
                Went::Over(self.conversation.report(now, outcome))
            }
            Err(error) => Went::Failed(error),
        }
    }
}

impl Floor {
    /// What the user wants of a pair's ends.
    pub(super) fn options(&self) -> Options {
        Options {
            idle: self.settings.idle.of_caller(),
            idle_end: IdleEnd::Idle,
            ..self.settings.options
        }
    }
}
