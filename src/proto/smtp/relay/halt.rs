//! An end before its time, and what was said up to there: for a session that tries a server out ([`manner`](super::manner)).

use super::hand::Command;
use super::manner::{Ending, Point, Stop};
use super::tray::Heard;
use super::{Client, State};
use crate::proto::Out;
use crate::wire::smtp::Reply;

impl Client {
    fn stop_at(&self) -> Option<Stop> {
        self.manner.as_ref().and_then(|manner| manner.stop)
    }

    /// Whether `next` would lead behind the point at which it ends: then it has ended.
    pub(super) fn halts_before(&mut self, next: Point, out: &mut Out) -> bool {
        let halts = self.stop_at().is_some_and(|stop| stop.point < next);
        if halts {
            self.halt(out);
        }
        halts
    }

    /// Whether it ends with the end of the message.
    pub(super) fn halts_behind_text(&mut self, out: &mut Out) -> bool {
        let halts = self.stop_at().is_some_and(|stop| stop.point == Point::Dot);
        if halts {
            self.halt(out);
        }
        halts
    }

    /// What was passed already counts as `passed` from here on.
    pub(super) fn passed_before(&mut self, point: Point, passed: Point) {
        if let Some(stop) = self.manner.as_mut().and_then(|manner| manner.stop.as_mut())
            && stop.point == point
        {
            stop.point = passed;
        }
    }

    /// Whether the connection is closed as soon as `point` is there: nothing that is said there is waited for.
    pub(super) fn is_to_drop_at(&self, point: Point) -> bool {
        self.stop_at().is_some_and(|stop| {
            stop.point == point
                && match stop.ending {
                    Ending::Quit => false,
                    Ending::Drop => point == Point::Connect,
                    Ending::DropUnheard => true,
                }
        })
    }

    /// The same of what has just been sent: then it has ended.
    pub(super) fn drops_behind(&mut self, point: Point, out: &mut Out) -> bool {
        let drops = self.is_to_drop_at(point);
        if drops {
            self.halt(out);
        }
        drops
    }

    /// Whether the envelope goes as far as this.
    pub(super) fn goes_to(&self, point: Point) -> bool {
        self.stop_at().is_none_or(|stop| stop.point >= point)
    }

    /// It ends here.
    pub(super) fn halt(&mut self, out: &mut Out) {
        self.tray.set_halted();
        self.conclude(out);
        match self.stop_at().map(|stop| stop.ending) {
            Some(Ending::Drop | Ending::DropUnheard) => self.close(out),
            Some(Ending::Quit) | None => self.quit(out),
        }
    }

    /// Keeps a reply for whoever wants to see them all.
    pub(super) fn keep(&self, reply: &Reply) {
        if self.manner.is_none() || matches!(self.state, State::Quit | State::Closed) {
            return;
        }
        let front = self.hand.as_ref().and_then(|hand| match self.state {
            State::Envelope => hand.sent.front().copied(),
            _ => None,
        });
        self.tray.hear(Heard {
            stage: self.stage(),
            place: match front {
                Some(Command::Rcpt(place)) => Some(place),
                _ => None,
            },
            reply: reply.clone(),
            at: self.now,
        });
    }
}
