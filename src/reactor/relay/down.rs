//! The way down: the peer to output.

use std::io;
use std::time::Instant;

use super::conversation::{Conversation, Receiving, Sending, Stop};
use super::splice::{self, Extent, Moved, Way};
use super::{is_broken, is_for_later};
use crate::proto::raw::{Event, Near};
use crate::reactor::stdio::Output;
use crate::tap::Piece;

impl Conversation {
    /// Whether anything moved.
    pub(super) fn turn_down(
        &mut self,
        now: Instant,
        output: &mut Output,
        scratch: &mut Vec<u8>,
    ) -> Result<bool, Stop> {
        if self.receiving == Receiving::Over {
            return Ok(false);
        }
        // What is in a buffer goes before what the kernel moves.
        let copied = self.way_down.is_copied() || self.link.holds_octets() || !self.down.is_empty();
        let moved = match copied {
            true => self.receive(now, scratch)? | self.write_output(now, output)?,
            false => self.splice_down(output)?,
        };
        self.settle(now, output)?;
        Ok(moved)
    }

    fn splice_down(&mut self, output: &Output) -> Result<bool, Stop> {
        let may_receive = self.receiving == Receiving::Open && self.can.splice_down;
        let moved = match &mut self.way_down {
            Way::Through(pipe) if pipe.waiting() > 0 => return self.empty_pipe(output),
            _ if !may_receive => return Ok(false),
            Way::Through(pipe) => pipe.receive(&self.link),
            Way::Spliced | Way::Copied => splice::receive(&self.link, output),
        };
        match moved {
            Ok(Moved::Some(octets, extent)) => {
                self.received += octets as u64;
                self.can.splice_down = extent == Extent::Full || self.can.peer_ends;
                if matches!(self.way_down, Way::Through(_)) {
                    return self.empty_pipe(output);
                }
                return Ok(true);
            }
            Ok(Moved::None) => self.can.splice_down = false,
            Ok(Moved::End) => self.receiving = Receiving::LastOctets(Event::PeerEnded),
            Ok(Moved::Unable) => return Ok(self.copy_from_now_on()),
            // Which of the two it was is told by reading the one and writing the other.
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {
                return Ok(self.copy_from_now_on());
            }
            Err(error) if is_broken(&error) => {
                self.receiving = Receiving::LastOctets(Event::Reset);
            }
            Err(error) => return Err(error.into()),
        }
        Ok(false)
    }

    /// What is in our own pipe to output.
    fn empty_pipe(&mut self, output: &Output) -> Result<bool, Stop> {
        let Way::Through(pipe) = &mut self.way_down else {
            return Ok(false);
        };
        if pipe.write(output)?.is_none() {
            pipe.empty_into(self.down.room())?;
            self.copy_from_now_on();
        }
        Ok(true)
    }

    fn copy_from_now_on(&mut self) -> bool {
        self.way_down = Way::Copied;
        self.can.receive = true;
        true
    }

    /// The peer to `down`. Whether anything came.
    fn receive(&mut self, now: Instant, scratch: &mut Vec<u8>) -> Result<bool, Stop> {
        let holds_octets = self.link.holds_octets();
        let has_room = match self.link.is_stream() {
            // Who asks without end, and does not read the answers, is not listened to.
            true => self.down.has_room() && self.replies.len() < self.piece,
            false => self.down.is_empty(),
        };
        if self.receiving != Receiving::Open || !(self.can.receive || holds_octets) || !has_room {
            return Ok(false);
        }
        let wanted = self.down.spare();
        let received = match &mut self.manner.telnet {
            None => {
                let room = self.down.room();
                let before = room.len();
                let mut received = self.link.receive(room, scratch);
                if let Some(body) = &mut self.manner.body {
                    match body.take(&room[before..]) {
                        Ok(octets) => room.truncate(before + octets),
                        Err(_) => {
                            room.truncate(before);
                            received = Err(io::ErrorKind::ConnectionAborted.into());
                        }
                    }
                }
                if let Some(tap) = &mut self.manner.tap
                    && room.len() > before
                {
                    tap.saw(now, self.ours.other(), Piece::Bytes(&room[before..]));
                }
                received
            }
            Some(telnet) => {
                self.raw.reserve_exact(wanted);
                let received = self.link.receive(&mut self.raw, scratch);
                telnet.filter(&self.raw, self.down.room(), &mut self.replies);
                if let Some(tap) = &mut self.manner.tap
                    && !self.raw.is_empty()
                {
                    tap.saw(now, self.ours.other(), Piece::Bytes(&self.raw));
                }
                self.raw.clear();
                received
            }
        };
        match received {
            Ok(0) if self.link.is_stream() => {
                self.receiving = Receiving::LastOctets(Event::PeerEnded);
            }
            Ok(octets) => {
                self.received += octets as u64;
                // A stream that gave less has no more, and tells when it has. TLS is asked until it says so itself.
                let all = self.link.is_stream() && self.link.tls().is_none() && octets < wanted;
                self.can.receive &= !all || self.can.peer_ends || holds_octets;
                self.can.send |= self.link.is_everybody();
                self.count_receipt();
                return Ok(true);
            }
            Err(error) if is_for_later(&error) => {
                self.can.receive = error.kind() == io::ErrorKind::Interrupted;
            }
            Err(error) if is_broken(&error) => {
                self.receiving = Receiving::LastOctets(match self.link.is_stream() {
                    true => Event::Reset,
                    false => Event::Refused,
                });
            }
            Err(error) => return Err(error.into()),
        }
        Ok(false)
    }

    /// -W
    fn count_receipt(&mut self) {
        let Some(left) = &mut self.manner.receive_at_most else {
            return;
        };
        *left = left.saturating_sub(1);
        if *left == 0 {
            self.receiving = Receiving::LastOctets(Event::PeerEnded);
            if self.sending == Sending::Open {
                self.sending = Sending::LastOctets;
            }
        }
    }

    /// `down` to output. Whether anything went.
    fn write_output(&mut self, now: Instant, output: &mut Output) -> Result<bool, Stop> {
        let waiting = self.down.waiting();
        let mut admitted = waiting.len();
        if let Some(rate) = &mut self.rate_down {
            admitted = rate.admit(now, admitted);
        }
        if admitted == 0 || !self.can.write_output {
            return Ok(false);
        }
        match output.write(&waiting[..admitted]) {
            Ok(octets) => {
                if let Some(rate) = &mut self.rate_down {
                    rate.passed(octets);
                }
                self.down.took(octets);
                return Ok(true);
            }
            Err(error) if is_for_later(&error) => {
                self.can.write_output = error.kind() == io::ErrorKind::Interrupted;
            }
            Err(error) if is_broken(&error) => {
                self.tell(now, Event::CannotWrite)?;
                // The policy bears it: from now on it is read, and goes nowhere.
                output.close();
            }
            Err(error) => return Err(error.into()),
        }
        Ok(false)
    }

    /// Once all of the last octets were written, their end counts.
    fn settle(&mut self, now: Instant, output: &mut Output) -> Result<(), Stop> {
        let Receiving::LastOctets(event) = self.receiving else {
            return Ok(());
        };
        let piped = match &self.way_down {
            Way::Through(pipe) => pipe.waiting(),
            Way::Copied | Way::Spliced => 0,
        };
        if !self.down.is_empty() || piped > 0 {
            return Ok(());
        }
        self.receiving = Receiving::Over;
        self.show(now, self.ours.other(), Piece::Closed);
        if self.policy.near() == Near::Program {
            output.close();
        }
        self.tell(now, event)
    }
}
