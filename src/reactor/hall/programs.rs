//! A program for each caller: `-l -k -e`. See [`crate::reactor::child`] for what a program is given, and for its end.
//!
//! A caller counts until its program has ended: so `--max-conns` bounds the programs, too.

use std::collections::HashMap;
use std::fmt;
use std::io;
use std::process::ExitStatus;
use std::time::Instant;

use super::pair::{Pair, Went};
use super::{Audience, Caller, Floor, Hall, Next, Note, Part, Settings, token};
use crate::limits;
use crate::proto::raw::{Options, Outcome};
use crate::reactor::child::{Program, Running};
use crate::reactor::relay::{Link, Manner, Report};

/// A program for each caller.
pub struct Programs {
    program: Program,
    serving: HashMap<u64, Serving>,
    /// There is one caller, and what came of it is wanted.
    only: Option<Only>,
}

/// How a program served one peer.
#[derive(Debug)]
pub struct Served {
    /// How the conversation went.
    pub report: Report,
    /// How the program ended. `None`: it goes on although the conversation is over, and although it was asked to end.
    pub status: Option<ExitStatus>,
}

#[derive(Default)]
struct Only {
    served: Option<Served>,
    failure: Option<io::Error>,
}

struct Serving {
    running: Running,
    stage: Stage,
    /// An event tells of its end.
    end_is_told: bool,
    /// It was.
    has_ended: bool,
}

enum Stage {
    Talking(Box<Pair>),
    /// The conversation is over, and the program should be.
    Over(Report, Patience),
}

#[derive(Clone, Copy)]
enum Patience {
    Until(Instant),
    AskedUntil(Instant),
    /// It goes on as it likes.
    Gone,
}

/// Has `program` talk to the one peer behind `link`, until it is over.
///
/// # Errors
/// The program cannot be started; or else as [`relay`](crate::reactor::relay::relay()).
pub fn serve_one(
    program: &Program,
    link: Link,
    options: Options,
    manner: Manner,
) -> io::Result<Served> {
    let now = Instant::now();
    let mut hall = Hall::new(Vec::new(), Settings::default())?;
    let mut programs = Programs::new(program.clone());
    programs.only = Some(Only::default());
    let caller = Caller {
        remote: None,
        local: None,
        number: hall.numbers.lowest(),
        since: now,
    };
    let id = hall.next_id;
    hall.floor.callers.insert(id, caller);
    programs.serve(&mut hall.floor, now, id, link, manner, options)?;
    hall.entertain(&mut programs)?;
    let Only { served, failure } = programs.only.unwrap_or_default();
    match (failure, served) {
        (None, Some(served)) => Ok(served),
        (Some(failure), _) => Err(failure),
        // Somebody else has stopped the hall, and nobody can reach it.
        (None, None) => Err(io::ErrorKind::Interrupted.into()),
    }
}

impl Programs {
    /// One `program` for each caller.
    pub fn new(program: Program) -> Self {
        Self {
            program,
            serving: HashMap::new(),
            only: None,
        }
    }

    fn serve(
        &mut self,
        floor: &mut Floor,
        now: Instant,
        id: u64,
        link: Link,
        manner: Manner,
        options: Options,
    ) -> io::Result<()> {
        let (running, input, output) = self.program.start(&link, floor.files)?;
        let piece = match self.only {
            Some(_) => {
                input.enlarge();
                output.enlarge();
                limits::RELAY_BUFFER
            }
            // Linux gives each user only so much of pipes, and who has too much gets small ones.
            None => limits::HALL_BUFFER,
        };
        let ends = (input, output);
        let pair = Pair::new(now, link, ends, options.of_program(), manner, piece);
        let exit = token(id, Part::Exit);
        let end_is_told = running.register(&floor.registry, exit).unwrap_or(false);
        let stage = match pair.register(floor, id) {
            Ok(()) => Stage::Talking(Box::new(pair)),
            Err(error) => self.fail(floor, now, id, error),
        };
        let serving = Serving {
            running,
            stage,
            end_is_told,
            has_ended: false,
        };
        self.serving.insert(id, serving);
        floor.agenda.wake(id);
        Ok(())
    }

    /// The conversation with a caller cannot go on.
    fn fail(&mut self, floor: &mut Floor, now: Instant, id: u64, error: io::Error) -> Stage {
        match &mut self.only {
            Some(only) => only.failure = Some(error),
            None => floor.tell(id, |caller| Note::Trouble(caller, &error)),
        }
        let report = floor.report(now, id, Outcome::Broken, 0, 0);
        Stage::Over(report, Patience::Until(now + limits::CHILD_GRACE))
    }

    fn gone(&mut self, id: u64, report: Report, status: Option<ExitStatus>) -> Next {
        self.serving.remove(&id);
        if let Some(only) = &mut self.only {
            only.served = Some(Served { report, status });
        }
        Next::Gone(report)
    }
}

impl Audience for Programs {
    fn welcome(
        &mut self,
        floor: &mut Floor,
        now: Instant,
        id: u64,
        link: Link,
        manner: Manner,
    ) -> Next {
        let options = floor.options();
        match self.serve(floor, now, id, link, manner, options) {
            Ok(()) => Next::Again,
            Err(error) => {
                let program = self.program.file();
                floor.tell(id, |caller| Note::NoProgram(caller, program, &error));
                Next::Gone(floor.report(now, id, Outcome::Broken, 0, 0))
            }
        }
    }

    fn told(&mut self, id: u64, part: Part, event: &mio::event::Event) {
        let Some(serving) = self.serving.get_mut(&id) else {
            return;
        };
        match (part, &mut serving.stage) {
            (Part::Exit, _) => serving.has_ended = true,
            (part, Stage::Talking(pair)) => pair.told(part, event),
            (_, Stage::Over(..)) => {}
        }
    }

    fn turn(&mut self, floor: &mut Floor, now: Instant, id: u64) -> io::Result<Next> {
        let Some(serving) = self.serving.get_mut(&id) else {
            return Ok(Next::Wait(None));
        };
        if std::mem::take(&mut serving.has_ended) {
            // What it has written may still be in its pipe, or somebody whom it started may go on writing.
            serving.running.reap();
        }
        if let Stage::Talking(pair) = &mut serving.stage {
            match pair.turn(floor, now) {
                Went::Again => return Ok(Next::Again),
                Went::Wait(due) => return Ok(Next::Wait(due)),
                Went::Over(report) => {
                    let patience = Patience::Until(now + limits::CHILD_GRACE);
                    serving.stage = Stage::Over(report, patience);
                }
                Went::Failed(error) => {
                    let stage = self.fail(floor, now, id, error);
                    let Some(serving) = self.serving.get_mut(&id) else {
                        return Ok(Next::Wait(None));
                    };
                    serving.stage = stage;
                }
            }
        }
        Ok(self.wait_for(now, id))
    }
}

impl Programs {
    /// The conversation is over: how long its program is waited for yet.
    fn wait_for(&mut self, now: Instant, id: u64) -> Next {
        let Some(serving) = self.serving.get_mut(&id) else {
            return Next::Wait(None);
        };
        let Stage::Over(report, patience) = &mut serving.stage else {
            return Next::Again;
        };
        let report = *report;
        let status = serving.running.reap();
        if status.is_some() {
            return self.gone(id, report, status);
        }
        match *patience {
            Patience::Until(until) if until <= now => {
                serving.running.ask_to_end();
                *patience = Patience::AskedUntil(now + limits::CHILD_GRACE);
            }
            Patience::AskedUntil(until) if until <= now => {
                *patience = Patience::Gone;
                if self.only.is_some() {
                    return self.gone(id, report, None);
                }
            }
            _ => {}
        }
        let until = match *patience {
            Patience::Until(until) | Patience::AskedUntil(until) => Some(until),
            Patience::Gone => None,
        };
        let check = Some(now + limits::CHILD_CHECK).filter(|_| !serving.end_is_told);
        Next::Wait(until.into_iter().chain(check).min())
    }
}

impl fmt::Debug for Programs {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Programs")
            .field("program", &self.program)
            .finish_non_exhaustive()
    }
}
