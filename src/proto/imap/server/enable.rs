//! ENABLE (RFC 5161), and the other commands that switch something on.

use super::pending::{Next, tagged};
use super::reply::Reply;
use super::{Phase, Server};
use crate::proto::Out;
use crate::proto::imap::awareness::Awareness;
use crate::proto::imap::view::Removals;
use crate::proto::imap::work::Work;
use crate::wire::imap::response::Code;

impl Server {
    /// Names that mean nothing here are passed over.
    pub(super) fn enable(&mut self, tag: &str, names: &[String], out: &mut Out) -> Next {
        let is_selected = matches!(self.phase, Phase::Selected(..));
        let asked = |name: &str| names.iter().any(|asked| asked == name);
        let before_select = [
            ("IMAP4REV2", "IMAP4rev2", &mut self.switched.rev2),
            ("UTF8=ACCEPT", "UTF8=ACCEPT", &mut self.switched.utf8),
            ("UIDONLY", "UIDONLY", &mut self.switched.uid_only),
        ];
        let mut enabled = String::new();
        for (_, name, switch) in before_select.into_iter().filter(|row| asked(row.0)) {
            if is_selected && !*switch {
                // RFC 5161 §3.1: before a mailbox is selected. Names and numbers would change their meaning.
                return Err(Reply::bad(format!(
                    "{name} has to be said before a mailbox is selected: a1 UNSELECT"
                )));
            }
            *switch = true;
            enabled.push(' ');
            enabled.push_str(name);
        }
        for (name, aware) in [
            ("CONDSTORE", Awareness::Condstore),
            ("QRESYNC", Awareness::Qresync),
        ] {
            if asked(name) {
                self.become_aware(aware);
                enabled.push(' ');
                enabled.push_str(name);
            }
        }
        for name in ["METADATA", "METADATA-SERVER"] {
            if asked(name) {
                // What was noted before is no news.
                self.switched.notes = self.switched.notes.or(Some(self.store.last_noted()));
                enabled.push(' ');
                enabled.push_str(name);
            }
        }
        out.line(format!("* ENABLED{enabled}").as_bytes());
        let text = "what is named there is switched on";
        if is_selected {
            // Up to which mod-sequence the client was told of everything is said after a look.
            return self.begin(tag, Work::Nothing, tagged(text, Removals::Told), out);
        }
        Ok(Some(Reply::ok(text)))
    }

    /// COMPRESS (RFC 4978). What TLS compresses it does not say, and rustls does not compress.
    pub(super) fn compress(&mut self, algorithm: &[u8], out: &mut Out) -> Next {
        if !algorithm.eq_ignore_ascii_case(b"DEFLATE") {
            return Err(Reply::bad(
                "DEFLATE is the one way to compress that there is: a1 COMPRESS DEFLATE",
            ));
        }
        if self.compressed {
            return Err(Reply::no(
                "COMPRESSIONACTIVE",
                "this connection is compressed with DEFLATE already",
            ));
        }
        self.compressed = true;
        out.compress();
        Ok(Some(Reply::ok("DEFLATE is active from here on")))
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
