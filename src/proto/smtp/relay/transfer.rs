//! One message: its envelope, its text, and the replies to both.

use super::hand::{Command, Hand};
use super::manner::{OnRefusal, Pipelining, Point};
use super::text::Nature;
use super::wishes::{Hitch, Situation, Way};
use super::{Client, Fate, State, Text};
use crate::limits;
use crate::proto::client::Failure as DialogueFailure;
use crate::proto::smtp::terms::{Failure, Protocol, Stage};
use crate::proto::smtp::{Answer, Job};
use crate::proto::{self, Out};
use crate::wire::smtp::{Enhanced, Reply};

impl Client {
    /// Whether there is anything to be done about the message in hand: it is not unfit for all of its recipients.
    pub(super) fn begin(&mut self, out: &mut Out) -> bool {
        let (to_rcpt, to_data) = (self.goes_to(Point::Rcpt), self.goes_to(Point::Data));
        let to_dot = self.goes_to(Point::Dot);
        let Some(hand) = &mut self.hand else {
            return false;
        };
        if let (Some(_), Text::Bytes(text)) = (&self.manner, &hand.message.text)
            && self.offers.utf8
            && Nature::of(text).eight_bit_header
        {
            hand.message.envelope.options.utf8 = true;
        }
        let situation = Situation {
            offers: &self.offers,
            tls: self.tls.as_ref(),
            logged_in: self.exchange.is_some(),
            unix: self.unix,
            nature: hand.nature,
        };
        match situation.wishes(&hand.message) {
            Ok(wishes) => hand.wishes = wishes,
            Err(Hitch::Look) => {
                if let Text::Stored(extent) = &hand.message.text {
                    out.job(proto::Job::Smtp(Job::Look(extent.exact())));
                }
                self.state = State::Looking;
                return true;
            }
            Err(Hitch::Unfit(reply)) => {
                hand.settle_rest(&Fate::Unfit(reply));
                return false;
            }
        }
        for (place, recipient) in hand.message.envelope.recipients.iter().enumerate() {
            let asked = hand.to_send.len();
            match situation.recipient(recipient, asked) {
                Some(reply) => hand.fates[place] = Some(Fate::Unfit(reply)),
                None => hand.to_send.push_back(Command::Rcpt(place)),
            }
        }
        if let Some(manner) = &self.manner {
            hand.wishes
                .say_besides(&manner.mail_parameters, &manner.rcpt_parameters);
            if let Some(octets) = manner.chunk_octets.filter(|_| to_dot) {
                hand.wishes.way = Way::Chunk;
                hand.chunk_octets = octets.max(1);
                if !self.offers.chunking {
                    self.fail(Failure::NotOffered("CHUNKING"), out);
                    return true;
                }
            }
            if manner.on_refusal == OnRefusal::Abort && hand.is_anybody_refused() {
                return false;
            }
        }
        if !to_rcpt {
            hand.to_send.clear();
        } else if hand.to_send.is_empty() {
            return false;
        }
        hand.to_send.push_front(Command::Mail);
        if std::mem::take(&mut self.dirty) {
            hand.to_send.push_front(Command::Rset);
        }
        if to_data {
            hand.to_send.push_back(match hand.wishes.way {
                Way::Dots => Command::Data,
                Way::Chunk => Command::Bdat,
            });
        }
        self.state = State::Envelope;
        self.send_commands(out);
        true
    }

    pub(super) fn send_commands(&mut self, out: &mut Out) {
        let Some(hand) = &mut self.hand else {
            return;
        };
        // RFC 2920 §3.1: DATA may be the last of a group.
        let manner = self.manner.as_ref();
        let window = match manner.map_or(Pipelining::IfOffered, |manner| manner.pipelining) {
            Pipelining::Always => usize::MAX,
            Pipelining::IfOffered if self.offers.pipelining => usize::MAX,
            Pipelining::IfOffered | Pipelining::Never => 1,
        };
        let aborts = manner.is_some_and(|manner| manner.on_refusal == OnRefusal::Abort);
        while hand.sent.len() < window {
            match hand.to_send.front() {
                // Nothing is sent after it before it is known who gets it.
                Some(Command::Bdat) if !hand.sent.is_empty() => return,
                Some(Command::Data) if aborts && !hand.sent.is_empty() => return,
                Some(Command::Bdat) => {
                    hand.to_send.pop_front();
                    return self.send_chunk(out);
                }
                Some(&command) => {
                    hand.to_send.pop_front();
                    out.line(hand.line(command).as_bytes());
                    hand.sent.push_back(command);
                }
                None => break,
            }
        }
        if hand.to_send.is_empty()
            && let Some(last) = hand.sent.back()
        {
            let point = match last {
                Command::Rset | Command::Bdat => return,
                Command::Mail => Point::Mail,
                Command::Rcpt(_) => Point::Rcpt,
                Command::Data => Point::Data,
            };
            self.drops_behind(point, out);
        }
    }

    pub(super) fn envelope_reply(&mut self, reply: Reply, out: &mut Out) {
        let stage = self.stage();
        if reply.code == 421 {
            return self.fail(Failure::Refused { stage, reply }, out);
        }
        let Some(hand) = &mut self.hand else {
            return;
        };
        let command = hand.sent.pop_front();
        let fits = match (command, reply.class()) {
            (None, _) => false,
            (Some(Command::Data), class) => class > 3 || reply.code == 354,
            (Some(_), class) => class != 3,
        };
        if !fits {
            hand.sent.extend(command);
            let failure = DialogueFailure::protocol(stage, reply.to_string().as_bytes());
            return self.fail(failure.into(), out);
        }
        let ok = reply.class() == 2;
        match command {
            // What it was that it did not forget cannot be known.
            Some(Command::Rset) if !ok => {
                return self.fail(Failure::Refused { stage, reply }, out);
            }
            None | Some(Command::Rset | Command::Bdat) => {}
            Some(Command::Mail) if ok => self.dirty = true,
            Some(Command::Mail) => {
                hand.to_send.clear();
                hand.refused = true;
                hand.settle_rest(&Fate::Refused { stage, reply });
            }
            // The sender was refused: what the server says of the recipients means nothing.
            Some(Command::Rcpt(_)) if hand.refused => {}
            Some(Command::Rcpt(place)) if ok => hand.accepted.push(place),
            Some(Command::Rcpt(place)) => {
                let many = hand.accepted.len() >= limits::RECIPIENTS_TAKEN;
                let reply = too_many(reply, many);
                hand.fates[place] = Some(Fate::Refused { stage, reply });
            }
            Some(Command::Data) if reply.code == 354 => return self.begin_text(out),
            // If no recipient was taken, DATA was not either: as it must be.
            Some(Command::Data) => hand.settle_rest(&Fate::Refused { stage, reply }),
        }
        let last = matches!(hand.to_send.front(), Some(Command::Data | Command::Bdat));
        let manner = self.manner.as_ref();
        let aborts = manner.is_some_and(|manner| manner.on_refusal == OnRefusal::Abort);
        let in_vain = hand.accepted.is_empty() || aborts && hand.is_anybody_refused();
        if last && hand.sent.is_empty() && in_vain {
            hand.to_send.clear();
        }
        self.send_commands(out);
        let over = |hand: &Hand| hand.sent.is_empty() && hand.to_send.is_empty();
        if matches!(self.state, State::Envelope) && self.hand.as_ref().is_some_and(over) {
            if self.halts_before(Point::Data, out) {
                return;
            }
            self.conclude(out);
            self.next_message(out);
        }
    }

    pub(super) fn begin_text(&mut self, out: &mut Out) {
        self.dirty = false;
        if self.halts_before(Point::Dot, out) {
            return;
        }
        let Some(hand) = &mut self.hand else {
            return;
        };
        if hand.accepted.is_empty() || hand.refused {
            // RFC 2920 §3.1: the server waits for text that nobody shall get: an empty one.
            self.state = State::Final(0);
            return out.line(b".");
        }
        self.state = State::Text;
        self.send_text(out);
    }

    /// Sends as much as there is room for.
    pub(super) fn send_text(&mut self, out: &mut Out) {
        let (State::Text, Some(hand)) = (self.state, &mut self.hand) else {
            return;
        };
        let bytes = match &hand.message.text {
            Text::Bytes(bytes) => bytes,
            Text::Stored(extent) => {
                if !out.is_full() {
                    let text = extent.exact();
                    let (from, stuffer) = (hand.octets, hand.stuffer);
                    out.job(proto::Job::Smtp(Job::Stuff(text, from, stuffer)));
                }
                return;
            }
        };
        while !out.is_full() {
            let rest = &bytes[hand.octets as usize..];
            if rest.is_empty() {
                let stuffer = hand.stuffer;
                out.with(|bytes| stuffer.end(bytes));
                self.state = State::Final(0);
                self.drops_behind(Point::Dot, out);
                return;
            }
            let piece = &rest[..rest.len().min(PIECE)];
            let stuffer = &mut hand.stuffer;
            out.with(|bytes| stuffer.text(piece, bytes));
            hand.octets += piece.len() as u64;
        }
    }

    pub(super) fn send_chunk(&mut self, out: &mut Out) {
        let Some(hand) = &mut self.hand else {
            return;
        };
        let all = hand.message.text.octets();
        let from = hand.octets;
        let octets = match &hand.message.text {
            Text::Bytes(_) => (all - from).min(hand.chunk_octets),
            Text::Stored(_) => all,
        };
        hand.octets = from + octets;
        let is_last = hand.octets == all;
        let last = if is_last { " LAST" } else { "" };
        out.line(format!("BDAT {octets}{last}").as_bytes());
        match &hand.message.text {
            Text::Bytes(bytes) => out.bytes(&bytes[from as usize..hand.octets as usize]),
            Text::Stored(extent) => out.extent(extent.exact()),
        }
        if !is_last {
            self.state = State::Chunk;
            return;
        }
        self.dirty = false;
        self.state = State::Final(0);
        self.drops_behind(Point::Dot, out);
    }

    /// To a chunk that was not the last.
    pub(super) fn chunk_reply(&mut self, reply: Reply, out: &mut Out) {
        let stage = Stage::Text;
        if reply.class() == 2 {
            return self.send_chunk(out);
        }
        if reply.code == 421 || reply.class() == 3 {
            return self.refused_in_text(reply, out);
        }
        // RFC 3030 §2: what is known of the state after that is what RSET makes it.
        self.dirty = true;
        if let Some(hand) = &mut self.hand {
            hand.settle_rest(&Fate::Refused { stage, reply });
        }
        self.conclude(out);
        self.next_message(out);
    }

    /// What a job has brought.
    pub(super) fn answered(&mut self, answer: Answer, out: &mut Out) {
        let Some(hand) = &mut self.hand else {
            return;
        };
        match (answer, self.state) {
            (Answer::Looked(Ok(nature)), State::Looking) => {
                hand.nature = Some(nature);
                if !self.begin(out) {
                    self.conclude(out);
                    self.next_message(out);
                }
            }
            (Answer::Looked(Err(error)), State::Looking) => {
                let what = format!("The message cannot be read here: {error}");
                hand.settle_rest(&Fate::Unfit(Reply::new(451, Enhanced(4, 3, 0), what)));
                self.conclude(out);
                self.next_message(out);
            }
            (Answer::Stuffed(Ok(stuffed)), State::Text) => {
                hand.octets = stuffed.next;
                hand.stuffer = stuffed.stuffer;
                let whole = stuffed.next == hand.message.text.octets();
                out.block(stuffed.block);
                if whole {
                    self.state = State::Final(0);
                } else {
                    self.send_text(out);
                }
            }
            (Answer::Stuffed(Err(error)), State::Text) => self.fail(Failure::Text(error), out),
            _ => {}
        }
    }

    /// The server does not want the message. If not all of it is sent, the rest would be read as commands: the connection is over.
    pub(super) fn refused_in_text(&mut self, reply: Reply, out: &mut Out) {
        let stage = Stage::Text;
        if let Some(hand) = &mut self.hand {
            hand.settle_rest(&Fate::Refused {
                stage,
                reply: reply.clone(),
            });
        }
        self.fail(Failure::Refused { stage, reply }, out);
    }

    pub(super) fn final_reply(&mut self, replies: usize, reply: Reply, out: &mut Out) {
        let stage = Stage::Text;
        if reply.code == 421 {
            // The server has said that it goes, and so that it has not taken it.
            return self.refused_in_text(reply, out);
        }
        let Some(hand) = &mut self.hand else {
            return;
        };
        // RFC 3030 §2: after a chunk that was refused nothing is known of the state but by RSET.
        self.dirty = hand.wishes.way == Way::Chunk && reply.class() != 2;
        let ok = reply.class() == 2;
        let fate = match ok {
            true => Fate::Taken(reply),
            false => Fate::Refused { stage, reply },
        };
        // RFC 2033 §4.2: LMTP has a reply for each recipient that was taken.
        if self.plan.protocol == Protocol::Lmtp && !hand.accepted.is_empty() && !hand.refused {
            let place = hand.accepted[replies];
            hand.fates[place] = Some(fate);
            if replies + 1 < hand.accepted.len() {
                self.state = State::Final(replies + 1);
                return;
            }
        } else {
            hand.settle_rest(&fate);
        }
        if !self.halts_behind_text(out) {
            self.conclude(out);
            self.next_message(out);
        }
    }
}

/// RFC 5321 §4.5.3.1.10: the first SMTP had 552 for too many recipients, which is 452 since: the others come later.
const fn too_many(mut reply: Reply, many: bool) -> Reply {
    if many && reply.code == 552 {
        reply.code = 452;
        reply.enhanced = Some(Enhanced(4, 5, 3));
    }
    reply
}

/// Octets of text in memory that are stuffed at once.
const PIECE: usize = 16 * 1024;
