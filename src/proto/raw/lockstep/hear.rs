//! What the server says: shown, judged, and taken note of.

use std::time::Instant;

use super::super::reply::{self, Cut, Judge, Lines, Sign, Verdict};
use super::super::script::Kind;
use super::super::speech::{Awaited, What, short};
use super::{
    Ending, LeftOut, LockStep, Peer, Refused, Screen, TextEnd, Timing, Typing, literal_or_rest,
};
use crate::proto::raw::Protocol;
use crate::proto::{Out, TlsInfo};
use crate::wire::secret;

impl<S: Screen> LockStep<S> {
    /// The server's octets: shown, and listened to.
    pub(super) fn hear(&mut self, now: Instant, mut octets: &[u8], out: &mut Out) {
        self.moved = now;
        while !octets.is_empty() && self.ending.is_none() {
            if self.peer == Peer::StartingTls {
                // RFC 3207 §6: whoever is between could have said it.
                return self.fail(
                    format!(
                        "{} octets came in the clear where TLS was to begin (RFC 3207 section 6); they are not believed",
                        octets.len()
                    ),
                    out,
                );
            }
            let before = octets;
            let cut = self.lines.cut(&mut octets);
            self.screen.received(&before[..before.len() - octets.len()]);
            if cut != Cut::Nothing {
                self.line_came(now, cut, out);
                // Before the next line is looked at: so it does not matter how they were cut on their way.
                self.go_on(now, out);
            }
        }
        if self.ending == Some(Ending::Done) {
            self.screen.received(octets);
        }
    }

    pub(super) fn line_came(&mut self, now: Instant, cut: Cut, out: &mut Out) {
        if self.judge.is_none() {
            self.protocol = reply::greets(self.lines.line());
            self.judge = self.protocol.map(Judge::new);
        }
        let (Some(protocol), Some(judge)) = (self.protocol, &mut self.judge) else {
            let said = short(secret::printable(self.lines.line()));
            return self.fail(
                format!(
                    "no mail server greets like this: {said:?}; name the protocol (--smtp, --lmtp, --pop3, --imap) if it is one all \
                     the same"
                ),
                out,
            );
        };
        let greets = self
            .awaited
            .front()
            .is_some_and(|awaited| awaited.what == What::Greeting);
        if greets
            && !judge.goes_on()
            && let Some(other) = reply::greets_otherwise(protocol, self.lines.line())
        {
            let said = short(secret::printable(self.lines.line()));
            let (other, protocol) = (other.name(), protocol.name());
            return self.fail(
                format!("this is a server of {other}, not of {protocol}: {said:?}"),
                out,
            );
        }
        let verdict = judge.line(cut, &mut self.lines, self.awaited.iter());
        let line = self.lines.line().to_owned();
        if self.reads_instructions() {
            let kind = match verdict {
                Verdict::Content => Kind::Content,
                Verdict::Whole(_) => Kind::Last,
                _ => Kind::Words,
            };
            self.heard.push(kind, &line);
        }
        if matches!(verdict, Verdict::More | Verdict::Whole(_)) {
            self.tell_time(now);
        }
        let mut answered = None;
        match verdict {
            Verdict::Unasked | Verdict::Part | Verdict::Content => {}
            Verdict::UnaskedReply => self.reply_came_unasked(),
            Verdict::More => self.more_is_asked_for(),
            Verdict::Whole(sign) => {
                answered = self.take_awaited(&line);
                if let Some(awaited) = &answered {
                    self.is_answered(awaited, sign, out);
                }
            }
        }
        if let Some(explainer) = &mut self.explainer {
            let goes_on = self.judge.as_ref().is_some_and(Judge::goes_on);
            let to = answered.as_ref().map(|awaited| awaited.shown.as_str());
            if let Some((reply, lines)) = explainer.line(protocol, verdict, goes_on, &line, to) {
                let reply = secret::without(&self.secret, &reply);
                self.screen.explain(&reply, &lines);
            }
        }
        self.look_at_expectation(protocol, &line, out);
    }

    /// How long the reply took that is whole now.
    fn tell_time(&mut self, now: Instant) {
        if self.options.timing == Timing::Told {
            let seconds = now.saturating_duration_since(self.asked).as_secs_f64();
            self.screen.note(&format!("answered after {seconds:.3} s"));
        }
        self.asked = now;
    }

    /// The reply that this line ends.
    pub(super) fn take_awaited(&mut self, line: &[u8]) -> Option<Awaited> {
        let at = match self.protocol {
            Some(Protocol::Imap) => {
                let tag = reply::tag(line);
                let by_tag = self.awaited.iter().position(|awaited| awaited.tag == tag);
                by_tag.unwrap_or(0)
            }
            _ => 0,
        };
        self.awaited.remove(at)
    }

    pub(super) fn is_answered(&mut self, awaited: &Awaited, sign: Sign, out: &mut Out) {
        match (awaited.what, sign) {
            (What::Data, Sign::No) => {
                if self.typing == Typing::Text {
                    // It was sent ahead, and is no text after all.
                    self.typing = Typing::Commands;
                }
                self.awaited.retain(|awaited| awaited.what != What::Text);
                self.leave_out(LeftOut::Text);
            }
            (What::Auth, Sign::No) => self.leave_out(LeftOut::Answers),
            (What::Recipient, Sign::Yes) => self.recipients += 1,
            (What::Anew | What::Text | What::LastChunk, _) => self.recipients = 0,
            (What::StartTls, Sign::Yes) => {
                self.peer = Peer::StartingTls;
                out.start_tls();
            }
            _ => {}
        }
        if self.protocol == Some(Protocol::Imap) {
            match self.typing {
                Typing::BeforeLiteral(octets) => {
                    self.typing = Typing::Commands;
                    self.leave_out(LeftOut::Literal(octets));
                }
                Typing::Answer => self.typing = Typing::Commands,
                _ => {}
            }
        } else if self.typing == Typing::Answer {
            self.typing = Typing::Commands;
        }
    }

    pub(super) fn leave_out(&mut self, what: LeftOut) {
        if self.reads_instructions() {
            self.refused = Some(Refused {
                what,
                has_begun: false,
            });
        }
    }

    /// The server wants what comes next.
    pub(super) fn more_is_asked_for(&mut self) {
        self.was_asked = true;
        let said_ahead = self.awaited.len() > 1;
        let Some(first) = self.awaited.front() else {
            return;
        };
        match (self.typing, first.what) {
            (_, What::Data) => {
                self.awaited.pop_front();
                if self.typing == Typing::Commands && !said_ahead {
                    self.typing = Typing::Text;
                    self.text = TextEnd::default();
                }
            }
            (Typing::BeforeLiteral(octets), _) => self.typing = literal_or_rest(octets),
            // What was sent after it, without waiting, is the answer.
            (Typing::Commands, _) if said_ahead => {
                self.awaited.remove(1);
            }
            (Typing::Commands, _) => self.typing = Typing::Answer,
            _ => {}
        }
    }

    /// A reply that nobody waits for. No server speaks into a text: one that does has taken it for ended, or given up.
    pub(super) fn reply_came_unasked(&mut self) {
        if self.typing == Typing::Text {
            self.typing = Typing::Commands;
            self.recipients = 0;
            self.screen.note(
                "the server has answered in the middle of the text: lines are commands again",
            );
        }
    }

    pub(super) fn tls_is_up(&mut self, now: Instant, info: &TlsInfo) {
        self.moved = now;
        self.lines = Lines::default();
        self.judge = self.protocol.map(Judge::new);
        self.recipients = 0;
        if self.peer == Peer::StartingTls {
            self.peer = Peer::Talks;
        }
        self.screen.note(&format!(
            "TLS is up: {} {}, {}",
            info.version, info.cipher, info.verdict
        ));
    }
}
