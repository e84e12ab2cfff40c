//! What mailboxes are for, as clients said at CREATE (RFC 6154 §3) or by `/private/specialuse` (§4): one file an account, `mailtool-uses`, whose lines are a mailbox's
//! directory without its leading dot, a tab, and the uses with spaces between. Few mailboxes have a line. One without uses says that the
//! mailbox is for nothing, whatever it is called.

use std::io;

use super::folders::FolderName;
use super::lock::DotLock;
use super::{Account, Store, StoreError, fs};

impl Store {
    /// The mailboxes that were given a use, each with its uses: `\Drafts`, `\Sent`.
    pub fn special_uses(
        &self,
        account: &Account,
    ) -> Result<Vec<(String, Vec<String>)>, StoreError> {
        Ok(self
            .read_uses(account)?
            .into_iter()
            .filter_map(|(folder, uses)| {
                let name = FolderName::Folder(folder).to_name()?;
                Some((name, uses.split_whitespace().map(str::to_owned).collect()))
            })
            .collect())
    }

    /// Says what a mailbox is for, and nothing else is any more; no uses, and nothing is said of it.
    pub fn set_special_uses(
        &self,
        account: &Account,
        name: &str,
        uses: &[String],
    ) -> Result<(), StoreError> {
        let FolderName::Folder(folder) = FolderName::parse(name)? else {
            return Err(StoreError::Forbidden("INBOX is for incoming mail"));
        };
        self.change_uses(account, !uses.is_empty(), |lines| {
            lines.retain(|(other, _)| *other != folder);
            lines.retain_mut(|(_, others)| {
                let left: Vec<&str> = others
                    .split_whitespace()
                    .filter(|other| !uses.iter().any(|this| this == other))
                    .collect();
                let keeps = others.is_empty() || !left.is_empty();
                *others = left.join(" ");
                keeps
            });
            if !uses.is_empty() {
                lines.push((folder, uses.join(" ")));
            }
        })
    }

    /// Says that a mailbox is for nothing, also if its name says otherwise.
    pub fn set_no_special_use(&self, account: &Account, name: &str) -> Result<(), StoreError> {
        let FolderName::Folder(folder) = FolderName::parse(name)? else {
            return Ok(());
        };
        self.change_uses(account, true, |lines| {
            lines.retain(|(other, _)| *other != folder);
            lines.push((folder, String::new()));
        })
    }

    /// A mailbox has another name now, and those below it; or is no more.
    pub(super) fn uses_moved(&self, account: &Account, from: &str, to: Option<&str>) {
        let moved = self.change_uses(account, false, |lines| {
            let Some(to) = to else {
                return lines.retain(|(folder, _)| folder != from);
            };
            for (folder, _) in lines {
                if let Some(rest) = folder.strip_prefix(from)
                    && (rest.is_empty() || rest.starts_with('.'))
                {
                    *folder = format!("{to}{rest}");
                }
            }
        });
        if let Err(error) = moved {
            log::warn!("{:?}: {FILE} cannot be changed: {error}", account.home);
        }
    }

    fn change_uses(
        &self,
        account: &Account,
        adds: bool,
        change: impl FnOnce(&mut Vec<(String, String)>),
    ) -> Result<(), StoreError> {
        let disk = &*self.shared.disk;
        let path = account.home.join(FILE);
        if self.read_uses(account)?.is_empty() && !adds {
            return Ok(());
        }
        let _lock = DotLock::acquire(disk, &path)?;
        let old = self.read_uses(account)?;
        let mut lines = old.clone();
        change(&mut lines);
        if lines == old {
            return Ok(());
        }
        let line = |(folder, uses): &(String, String)| format!("{folder}\t{uses}\n");
        let text: String = lines.iter().map(line).collect();
        fs::replace(disk, &account.home.join("tmp"), &path, text.as_bytes())?;
        Ok(())
    }

    fn read_uses(&self, account: &Account) -> io::Result<Vec<(String, String)>> {
        let path = account.home.join(FILE);
        let read = fs::read_whole(&*self.shared.disk, &path)?;
        let bytes = read.map_or_else(Vec::new, |(bytes, _)| bytes);
        let text = String::from_utf8_lossy(&bytes);
        let line = |line: &str| {
            let (folder, uses) = line.split_once('\t')?;
            Some((folder.to_owned(), uses.to_owned()))
        };
        Ok(text.lines().filter_map(line).collect())
    }
}

const FILE: &str = "mailtool-uses";
