//! ENABLE (RFC 5161), and the other commands that switch something on.

use crate::proto::Out;
use crate::proto::imap::condstore::Awareness;
use crate::proto::imap::server::execute::{Next, tagged};
use crate::proto::imap::server::reply::Reply;
use crate::proto::imap::server::{Phase, Server};
use crate::proto::imap::view::Removals;
use crate::proto::imap::work::Work;
use crate::wire::imap::response::Code;

impl Server {
    /// Names that mean nothing here are passed over.
    pub(super) fn enable(&mut self, tag: &str, names: &[String], out: &mut Out) -> Next {
        let mut enabled = String::from("* ENABLED");
        for (name, aware) in [
            ("CONDSTORE", Awareness::Condstore),
            ("QRESYNC", Awareness::Qresync),
        ] {
            if names.iter().any(|asked| asked == name) {
                self.become_aware(aware);
                enabled.push(' ');
                enabled.push_str(name);
            }
        }
        out.line(enabled.as_bytes());
        let text = "what is named there is switched on";
        if matches!(self.phase, Phase::Selected(..)) {
            // Up to which mod-sequence the client was told of everything is said after a look.
            return self.begin(tag, Work::Nothing, tagged(text, Removals::Told), out);
        }
        Ok(Some(Reply::ok(text)))
    }

    /// The client wants to be told of mod-sequences from now on.
    pub(super) fn become_aware(&mut self, aware: Awareness) {
        if self.aware >= aware {
            return;
        }
        if let Phase::Selected(_, selected) = &mut self.phase {
            // RFC 7162 §3.1: HIGHESTMODSEQ is told to who did not ask for it at SELECT.
            self.announces |= self.aware == Awareness::None;
            selected.view.set_aware(aware);
        }
        self.aware = aware;
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
