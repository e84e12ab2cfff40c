//! Accounts that are watched: their homes, for folders that come and go, and all their folders.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

use rustix::fs::inotify;

use super::{Subject, Watcher};
use crate::limits;
use crate::store::folders::{INBOX, SUBSCRIPTIONS, name_at, name_of};
use crate::store::vigil::Mark;

/// What is watched of one account.
#[derive(Debug, Default)]
pub(super) struct Account {
    home: Option<i32>,
    /// Watches by the names of mailboxes.
    folders: HashMap<Arc<str>, Vec<i32>>,
    /// A folder that went elsewhere: the cookie of that, and its name.
    leaving: Option<(u32, Arc<str>)>,
}

/// What happened in a home.
#[derive(Debug)]
pub(super) enum Event {
    /// A folder is there; with the cookie, it was elsewhere before.
    Came(Arc<str>, u32),
    /// A folder is not there any more.
    Went(Arc<str>, u32),
    /// The file of subscriptions is another.
    Subscriptions,
}

impl Event {
    /// What a change of a home means; `None` when nothing.
    pub(super) fn of(event: &inotify::Event<'_>) -> Option<Self> {
        use inotify::ReadFlags;
        let file = event.file_name()?.to_str().ok()?;
        let (flags, cookie) = (event.events(), event.cookie());
        let comes = flags.intersects(ReadFlags::CREATE | ReadFlags::MOVED_TO);
        if file == SUBSCRIPTIONS {
            return Some(Self::Subscriptions);
        }
        if !flags.contains(ReadFlags::ISDIR) {
            return None;
        }
        let name: Arc<str> = name_of(file)?.into();
        Some(match comes {
            true => Self::Came(name, cookie),
            false => Self::Went(name, cookie),
        })
    }
}

impl Watcher {
    /// Watches an account and all its folders, as far as there are watches; whoever is told of it looks at all of it then.
    pub(super) fn watch_account(&mut self, home: Arc<Path>) {
        let subject = Subject::Home(Arc::clone(&home));
        let watch = self.watch(&home, &subject);
        self.accounts.entry(Arc::clone(&home)).or_default().home = watch;
        self.watch_folder(&home, INBOX.into(), &home);
        let folders = std::fs::read_dir(&*home).into_iter().flatten().flatten();
        for folder in folders {
            let path = folder.path();
            let is_folder = folder.file_type().is_ok_and(|kind| kind.is_dir());
            if let (true, Some(name)) = (is_folder, name_at(&home, &path)) {
                self.watch_folder(&home, name.into(), &path);
            }
        }
        self.told.mark(&home, || Some(Mark::All));
    }

    /// Nobody is told of it any more.
    pub(super) fn forget_account(&mut self, home: &Arc<Path>) {
        let Some(account) = self.accounts.remove(home) else {
            return;
        };
        for (name, watches) in account.folders {
            self.end_folder(home, &name, &watches);
        }
        if let Some(watch) = account.home {
            self.end(watch, &Subject::Home(Arc::clone(home)));
        }
    }

    fn watch_folder(&mut self, home: &Arc<Path>, name: Arc<str>, path: &Path) {
        let Some(account) = self.accounts.get(home) else {
            return;
        };
        if account.folders.contains_key(&name) {
            return;
        }
        if account.folders.len() >= limits::NOTICE_FOLDERS || self.held >= limits::NOTICE_WATCHES {
            log::warn!("{path:?}: too many folders; what other programs do is only seen on use");
            return;
        }
        let subject = Subject::Folder(Arc::clone(home), Arc::clone(&name));
        let watches = self.watch_parts(path, &subject);
        self.held += watches.len();
        if let Some(account) = self.accounts.get_mut(home) {
            account.folders.insert(name, watches);
        }
    }

    fn end_folder(&mut self, home: &Arc<Path>, name: &Arc<str>, watches: &[i32]) {
        self.held -= watches.len();
        let subject = Subject::Folder(Arc::clone(home), Arc::clone(name));
        for &watch in watches {
            self.end(watch, &subject);
        }
    }

    /// Something happened in a home.
    pub(super) fn home_changed(&mut self, home: &Arc<Path>, event: Event) {
        let Some(account) = self.accounts.get_mut(home) else {
            return;
        };
        let mark = match event {
            Event::Subscriptions => Mark::Subscriptions,
            Event::Went(name, cookie) => {
                let watches = account.folders.remove(&name).unwrap_or_default();
                account.leaving = (cookie != 0).then(|| (cookie, Arc::clone(&name)));
                self.end_folder(home, &name, &watches);
                Mark::Names
            }
            Event::Came(name, cookie) => {
                let left = account.leaving.take();
                let before = left.filter(|left| left.0 == cookie && cookie != 0);
                let path = crate::store::folders::place_of(home, &name);
                if let Some(path) = path {
                    self.watch_folder(home, Arc::clone(&name), &path);
                }
                match before {
                    Some((_, before)) => Mark::Renamed(before.to_string(), name.to_string()),
                    None => Mark::Names,
                }
            }
        };
        if let Mark::Renamed(_, name) = &mark {
            // Nothing was watched for a moment.
            let name = name.clone();
            self.told.mark(home, || Some(Mark::Mailbox(name)));
        }
        self.told.mark(home, || Some(mark));
    }
}
