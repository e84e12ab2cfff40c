//! ENABLE (RFC 5161), and the other commands that switch something on.

use super::pending::{Next, tagged};
use super::reply::Reply;
use super::{Phase, Server};
use crate::proto::Out;
use crate::proto::imap::condstore::Awareness;
use crate::proto::imap::view::Removals;
use crate::proto::imap::work::Work;
use crate::wire::imap::response::Code;

impl Server {
    /// Names that mean nothing here are passed over.
    pub(super) fn enable(&mut self, tag: &str, names: &[String], out: &mut Out) -> Next {
        let is_selected = matches!(self.phase, Phase::Selected(..));
        let mut enabled = String::from("* ENABLED");
        for name in names {
            let switch = match name.as_str() {
                "CONDSTORE" => {
                    self.become_aware(Awareness::Condstore);
                    enabled.push_str(" CONDSTORE");
                    continue;
                }
                "QRESYNC" => {
                    self.become_aware(Awareness::Qresync);
                    enabled.push_str(" QRESYNC");
                    continue;
                }
                "IMAP4REV2" => ("IMAP4rev2", &mut self.switched.rev2),
                "UTF8=ACCEPT" => ("UTF8=ACCEPT", &mut self.switched.utf8),
                _ => continue,
            };
            if is_selected && !*switch.1 {
                // RFC 5161 §3.1: before a mailbox is selected. Names and numbers would change their meaning.
                return Err(Reply::bad(format!(
                    "{} has to be said before a mailbox is selected: a1 UNSELECT",
                    switch.0
                )));
            }
            *switch.1 = true;
            enabled.push(' ');
            enabled.push_str(switch.0);
        }
        out.line(enabled.as_bytes());
        let text = "what is named there is switched on";
        if is_selected {
            // Up to which mod-sequence the client was told of everything is said after a look.
            return self.begin(tag, Work::Nothing, tagged(text, Removals::Told), out);
        }
        Ok(Some(Reply::ok(text)))
    }

    /// The client wants to be told of mod-sequences from now on.
    pub(super) fn become_aware(&mut self, aware: Awareness) {
        if self.switched.aware >= aware {
            return;
        }
        if let Phase::Selected(_, selected) = &mut self.phase {
            // RFC 7162 §3.1: HIGHESTMODSEQ is told to who did not ask for it at SELECT.
            self.announces |= self.switched.aware == Awareness::None;
            selected.view.set_aware(aware);
        }
        self.switched.aware = aware;
    }

    /// Says HIGHESTMODSEQ if that is due.
    pub(super) fn announce(&mut self, out: &mut Out) {
        if let (true, Phase::Selected(_, selected)) =
            (std::mem::take(&mut self.announces), &self.phase)
        {
            let code = Code::HighestModseq(selected.view.told_modseq());
            Reply::ok_coded(code, "all changes up to this one were told").say(out, "*");
        }
    }
}
