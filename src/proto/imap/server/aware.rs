//! Who is told of mod-sequences: whoever has switched it on, or used a command that tells them (RFC 7162 §3.1).

use super::reply::Reply;
use super::{Phase, Server};
use crate::proto::Out;
use crate::proto::imap::condstore::{self, Awareness};
use crate::proto::imap::fetch::Fetch;
use crate::wire::imap::command::Numbering;
use crate::wire::imap::condstore::{FetchModifiers, Opening, Resync};
use crate::wire::imap::response::Code;

impl Server {
    /// The client wants to be told of mod-sequences from now on. Whether that is new.
    pub(super) fn become_aware(&mut self, aware: Awareness) -> bool {
        if self.switched.aware >= aware {
            return false;
        }
        if let Phase::Selected(_, selected) = &mut self.phase {
            // HIGHESTMODSEQ is told to who did not ask for it at SELECT.
            self.switched.announces |= self.switched.aware == Awareness::None;
            selected.view.set_aware(aware);
        }
        self.switched.aware = aware;
        true
    }

    /// SELECT's parameters.
    pub(super) fn open_aware(&mut self, opening: &Opening) -> Result<(), Reply> {
        if opening.resync.is_some() && self.switched.aware < Awareness::Qresync {
            // RFC 7162 §3.2.5
            return Err(Reply::bad(
                "QRESYNC has to be switched on first: a1 ENABLE QRESYNC",
            ));
        }
        if opening.condstore {
            self.become_aware(Awareness::Condstore);
        }
        Ok(())
    }

    /// What a client that was here before is sent, if what it knows is of any use.
    pub(super) fn catch_up(&self, resync: &Resync) -> Option<Fetch> {
        match &self.phase {
            Phase::Selected(_, selected) => {
                condstore::catch_up(resync, &selected.watched, &selected.view)
            }
            _ => None,
        }
    }

    /// Says HIGHESTMODSEQ if that is due.
    pub(super) fn announce(&mut self, out: &mut Out) {
        if let (true, Phase::Selected(_, selected)) =
            (std::mem::take(&mut self.switched.announces), &self.phase)
        {
            let code = Code::HighestModseq(selected.view.told_modseq());
            Reply::ok_coded(code, "all changes up to this one were told").say(out, "*");
        }
    }

    /// HIGHESTMODSEQ goes with the reply to what has removed messages (RFC 7162 §3.2.7).
    pub(super) fn add_highest_modseq(&self, reply: &mut Reply) {
        if let (Awareness::Qresync, Phase::Selected(_, selected)) =
            (self.switched.aware, &self.phase)
        {
            reply.add_highest_modseq(selected.view.told_modseq());
        }
    }

    /// VANISHED is for UIDs, after ENABLE QRESYNC, and with CHANGEDSINCE (RFC 7162 §3.2.6).
    pub(super) fn check_modifiers(
        &self,
        modifiers: FetchModifiers,
        numbering: Numbering,
    ) -> Result<(), Reply> {
        if !modifiers.vanished {
            return Ok(());
        }
        let example = "a1 UID FETCH 1:* FLAGS (CHANGEDSINCE 12345 VANISHED)";
        Err(Reply::bad(
            match (numbering, self.switched.aware, modifiers.changed_since) {
                (Numbering::Sequence, ..) => {
                    format!("VANISHED tells UIDs, so it goes with UID FETCH: {example}")
                }
                (_, Awareness::None | Awareness::Condstore, _) => {
                    "VANISHED needs QRESYNC to be switched on: a1 ENABLE QRESYNC".to_owned()
                }
                (.., None) => format!("VANISHED goes with CHANGEDSINCE: {example}"),
                (Numbering::Uid, Awareness::Qresync, Some(_)) => return Ok(()),
            },
        ))
    }
}
