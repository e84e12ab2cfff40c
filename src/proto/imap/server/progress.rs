//! INPROGRESS (RFC 9585): who waits long is told how far his command is, and that somebody is at it.

use std::time::Instant;

use super::pending::After;
use super::reply::Reply;
use super::{Doing, Phase, Server};
use crate::limits;
use crate::proto::Out;
use crate::wire::imap::response::Code;

impl Server {
    /// When something is to be said of the command in progress: of one that says nothing of itself until it is at its end.
    pub(super) fn progress_is_due(&self) -> Option<Instant> {
        let Doing::Job(pending) = &self.doing else {
            return None;
        };
        let is_silent = matches!(
            pending.after,
            After::Search(_)
                | After::Store(_)
                | After::Copy { .. }
                | After::Expunge { .. }
                | After::Append { .. }
                | After::Select { .. }
                | After::Manage { .. }
                | After::Delete { .. }
                | After::Rename { .. }
        );
        is_silent.then_some(self.reported + limits::IMAP_PROGRESS)
    }

    /// Says how far it is.
    pub(super) fn say_progress(&mut self, now: Instant, out: &mut Out) {
        self.reported = now;
        let Doing::Job(pending) = &self.doing else {
            return;
        };
        let (progress, text) = match (&pending.after, &self.phase) {
            (After::Search(seeking), Phase::Selected(_, selected)) => {
                let messages = &selected.view.told().messages;
                let done = messages.partition_point(|entry| entry.uid < seeking.from);
                let all = messages.len();
                let text = format!("{done} of {all} messages are searched");
                // RFC 9585 §4: it is less than the goal as long as there is something to do.
                ((done < all).then_some((done, all)), text)
            }
            _ => (None, "still at it".to_owned()),
        };
        let code = Code::InProgress(pending.tag.clone(), progress);
        Reply::ok_coded(code, text).say(out, "*");
    }
}
