//! The way up: input to the peer.

use std::io;
use std::time::Instant;

use super::conversation::{Conversation, Receiving, Sending, Stop};
use super::splice::{self, Extent, Moved, Way};
use super::{is_broken, is_for_later};
use crate::proto::raw::Event;
use crate::reactor::stdio::{Input, Kind};
use crate::tap::Piece;

impl Conversation {
    /// Whether anything moved.
    pub(super) fn turn_up(&mut self, now: Instant, input: &mut Input) -> Result<bool, Stop> {
        if self.link.has_unsent() && self.can.send {
            self.flush();
        }
        if self.sending == Sending::Over {
            return Ok(false);
        }
        let moved = match self.way_up {
            Way::Copied => self.read_input(input)? | self.send(now)?,
            Way::Spliced | Way::Through(_) => self.splice_up(now, input)?,
        };
        if self.sending == Sending::LastOctets && self.up.is_empty() && !self.link.has_unsent() {
            self.sending = Sending::Over;
            self.tell(now, Event::InputEnded)?;
        }
        Ok(moved)
    }

    /// The peer takes no more.
    pub(super) fn cannot_send(&mut self, now: Instant) -> Result<(), Stop> {
        if self.sending == Sending::Over {
            return Ok(());
        }
        self.up.clear();
        self.sending = Sending::Over;
        let event = match self.link.is_stream() {
            true => Event::CannotSend,
            false => Event::Refused,
        };
        self.tell(now, event)
    }

    /// Whether input has nothing to give now, and all that it gave was sent.
    pub(super) fn is_quiet(&self, input: &Input) -> bool {
        let asked_in_vain = match self.way_up {
            Way::Copied => !self.can.read_input,
            // Which of the two ends had no more is not known: see `splice`.
            Way::Spliced | Way::Through(_) => !self.can.splice_up && !input.has_something(),
        };
        self.sending == Sending::Open && self.up.is_empty() && asked_in_vain
    }

    fn splice_up(&mut self, now: Instant, input: &mut Input) -> Result<bool, Stop> {
        if self.sending != Sending::Open || !self.can.splice_up {
            return Ok(false);
        }
        match splice::send(input, &self.link) {
            Ok(Moved::Some(octets, extent)) => {
                self.sent += octets as u64;
                self.can.moved_up += octets;
                self.can.splice_up = extent == Extent::Full || self.can.input_ends;
                return Ok(true);
            }
            Ok(Moved::None) => self.can.splice_up = false,
            Ok(Moved::End) => {
                input.end();
                self.sending = Sending::LastOctets;
            }
            Ok(Moved::Unable) => {
                self.way_up = Way::Copied;
                return Ok(true);
            }
            Err(error) if is_broken(&error) => self.cannot_send(now)?,
            Err(error) => return Err(error.into()),
        }
        Ok(false)
    }

    /// Input to `up`. Whether anything came.
    fn read_input(&mut self, input: &mut Input) -> io::Result<bool> {
        let has_room = match self.link.is_stream() && self.manner.crlf.is_none() {
            true => self.up.has_room(),
            // A datagram is sent as it was read, and -C can double what it is given.
            false => self.up.is_empty(),
        };
        if self.sending != Sending::Open || !self.can.read_input || !has_room {
            return Ok(false);
        }
        let (read, wanted) = match &mut self.manner.crlf {
            None => {
                let wanted = self.up.spare();
                (input.read(self.up.room()), wanted)
            }
            Some(crlf) => {
                let wanted = self.piece / 2;
                self.raw.reserve_exact(wanted);
                let read = input.read(&mut self.raw);
                crlf.encode(&self.raw, self.up.room());
                self.raw.clear();
                (read, wanted)
            }
        };
        match read {
            Ok(0) => self.sending = Sending::LastOctets,
            Ok(octets) => {
                // Of a pipe or socket more is told by an event; a terminal gives a line at a time.
                let told = matches!(input.source(), Some((_, Kind::Pipe | Kind::Socket)));
                self.can.read_input = octets >= wanted || !told || self.can.input_ends;
                return Ok(true);
            }
            Err(error) if is_for_later(&error) => {
                self.can.read_input = error.kind() == io::ErrorKind::Interrupted;
            }
            // A socket whose other end is gone; what came before still goes on.
            Err(error) if is_broken(&error) => {
                input.end();
                self.sending = Sending::LastOctets;
            }
            Err(error) => return Err(error),
        }
        Ok(false)
    }

    /// `up` to the peer. Whether anything went.
    fn send(&mut self, now: Instant) -> Result<bool, Stop> {
        if !self.can.send || !self.link.can_send() {
            return Ok(false);
        }
        match self.replies.is_empty() {
            true => self.send_up(now),
            false => self.send_replies(now),
        }
    }

    fn send_up(&mut self, now: Instant) -> Result<bool, Stop> {
        let waiting = self.up.waiting();
        let mut admitted = waiting.len();
        if let Some(pace) = &self.manner.pace {
            admitted = pace.admit(now, waiting);
        }
        if let Some(rate) = &mut self.rate_up {
            admitted = rate.admit(now, admitted);
        }
        if admitted == 0 {
            return Ok(false);
        }
        let result = self.link.send(&waiting[..admitted]);
        let Some(octets) = self.was_sent(now, admitted, result)? else {
            return Ok(false);
        };
        let sent = &self.up.waiting()[..octets];
        if let Some(pace) = &mut self.manner.pace {
            pace.sent(now, sent);
        }
        if let Some(rate) = &mut self.rate_up {
            rate.passed(octets);
        }
        if let Some(tap) = &mut self.manner.tap {
            tap.saw(now, self.ours, Piece::Bytes(sent));
        }
        self.sent += octets as u64;
        self.up.took(octets);
        Ok(true)
    }

    fn send_replies(&mut self, now: Instant) -> Result<bool, Stop> {
        let result = self.link.send(&self.replies);
        let sent = self.was_sent(now, self.replies.len(), result)?;
        self.replies.drain(..sent.unwrap_or(0));
        Ok(sent.is_some())
    }

    /// What came of sending so many octets: how many went, if any.
    fn was_sent(
        &mut self,
        now: Instant,
        wanted: usize,
        result: io::Result<usize>,
    ) -> Result<Option<usize>, Stop> {
        match result {
            Ok(octets) => {
                // A socket that took less is full, and tells when it is not. With TLS a piece has another reason.
                self.can.send = octets == wanted || self.link.tls().is_some();
                Ok(Some(octets))
            }
            Err(error) if is_for_later(&error) => {
                self.can.send = error.kind() == io::ErrorKind::Interrupted;
                Ok(None)
            }
            Err(error) if is_broken(&error) => self.cannot_send(now).map(|()| None),
            Err(error) => Err(error.into()),
        }
    }

    /// What TLS still has. That it cannot be sent is seen by whoever sends or receives next.
    fn flush(&mut self) {
        if self.link.flush().is_err() {
            self.can.send = false;
            if self.receiving == Receiving::Over {
                self.can.lost = true;
            }
        }
    }
}
