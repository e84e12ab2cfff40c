//! Mail that comes into mailboxes from files, and goes out of them into files.

use std::fs::{File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::print::{Row, Table};
use super::{Export, Format, Import, Keeper, Kind, failed, same_name, tool_failed};
use crate::applet::{exit, print};
use crate::store::{
    Account, Doubles, Imported, Importer, Mailbox, Source, StoreError, ToolError, maildirs,
};
use crate::wire::json;
use crate::wire::mbox::Dialect;

impl Keeper {
    /// Brings mail in.
    pub(super) fn import(&self, import: &Import) -> anyhow::Result<u8> {
        let user = self.user(&import.user)?;
        let dialect = match import.dialect {
            Kind::Guess => Dialect::Guess,
            Kind::Mboxo => Dialect::O,
            Kind::Mboxrd => Dialect::Rd,
            Kind::Mboxcl => Dialect::Cl,
            Kind::Mboxcl2 => Dialect::Cl2,
        };
        // All sources are looked at before anything is made.
        let mut plan: Vec<(Source, String)> = Vec::new();
        for path in &import.sources {
            plan.extend(sources(path, &import.mailbox)?);
        }
        let doubles = match import.skip_doubles {
            true => Doubles::Skipped,
            false => Doubles::Taken,
        };
        let mut told = Vec::new();
        let mut plan = plan.into_iter().peekable();
        while let Some((source, name)) = plan.next() {
            let mailbox = self.made(&user, &name)?;
            let mut importer =
                Importer::new(mailbox, doubles).map_err(|error| tool_failed(&user, &error))?;
            let mut taken = importer.take(source, dialect);
            // Files that go into one mailbox are taken together, so that it is read once only.
            while taken.is_ok()
                && let Some((source, _)) = plan.next_if(|(_, other)| same_name(other, &name))
            {
                taken = importer.take(source, dialect);
            }
            let finished = importer.finish();
            let (done, error) = match (finished, taken) {
                (Ok(done), Ok(())) => (done, None),
                (Ok(done), Err(error)) | (Err((error, done)), _) => (done, Some(error)),
            };
            let so_far = done.messages;
            told.push((name.clone(), done));
            if let Some(error) = error {
                self.tell_imported(&user, &told)?;
                let error = tool_failed(&user, &error);
                let advice = "what was told is there for good; --skip-doubles goes on from here";
                return Err(match so_far {
                    0 if told.len() == 1 => error,
                    _ => exit::failure(
                        exit::code_of(&error).unwrap_or(exit::TEMPORARY),
                        format!("{error:#}; {advice}"),
                    ),
                });
            }
        }
        self.tell_imported(&user, &told)?;
        Ok(exit::OK)
    }

    /// The mailbox, made and subscribed to if it was not there.
    fn made(&self, user: &Account, name: &str) -> anyhow::Result<Arc<Mailbox>> {
        match self.store.mailbox(user, name) {
            Err(StoreError::NoSuchMailbox) => {}
            opened => return opened.map_err(|error| failed(user, name, &error)),
        }
        match self.store.create(user, name) {
            Ok(()) => self
                .store
                .subscribe(user, name)
                .map_err(|error| failed(user, name, &error))?,
            Err(StoreError::AlreadyExists) => {}
            Err(error) => return Err(failed(user, name, &error)),
        }
        self.open_mailbox(user, name)
    }

    fn tell_imported(&self, user: &Account, told: &[(String, Imported)]) -> anyhow::Result<()> {
        let mut text = String::new();
        if self.json {
            let objects: Vec<String> = told
                .iter()
                .map(|(name, done)| {
                    let lost: Vec<String> = done
                        .lost_keywords
                        .iter()
                        .map(|name| json::string(name))
                        .collect();
                    json::object(&[
                        ("user", json::string(&user.name)),
                        ("mailbox", json::string(name)),
                        ("messages", done.messages.to_string()),
                        ("octets", done.octets.to_string()),
                        ("doubles", done.doubles.to_string()),
                        ("passed_over", done.passed_over.to_string()),
                        ("too_long", done.too_long.to_string()),
                        ("lost_keywords", format!("[{}]", lost.join(","))),
                    ])
                })
                .collect();
            text = format!("[{}]\n", objects.join(",\n "));
        } else {
            for (name, done) in told {
                let s = if done.messages == 1 { "" } else { "s" };
                let mut line = format!("{}: {} message{s} into {name}", user.name, done.messages);
                for (count, what) in [
                    (done.doubles, "that were there already"),
                    (done.passed_over, "that are no messages"),
                    (done.too_long, "that are too long"),
                ] {
                    if count > 0 {
                        line.push_str(&format!(", without {count} {what}"));
                    }
                }
                if !done.lost_keywords.is_empty() {
                    let names: Vec<&str> = done.lost_keywords.iter().map(String::as_str).collect();
                    line.push_str(&format!(
                        "; keywords for which there is no room: {}",
                        names.join(" ")
                    ));
                }
                text.push_str(&exit::printable(&line));
                text.push('\n');
            }
        }
        print(&text)
    }

    /// Takes mail out.
    pub(super) fn export(&self, export: &Export) -> anyhow::Result<u8> {
        let user = self.user(&export.user)?;
        let names = match (export.all, export.mailbox.is_empty()) {
            (true, _) => self.store.mailboxes(&user)?,
            (false, true) => vec!["INBOX".to_owned()],
            (false, false) => export.mailbox.clone(),
        };
        let mailboxes: Vec<(String, Arc<Mailbox>)> = names
            .into_iter()
            .map(|name| Ok((name.clone(), self.open_mailbox(&user, &name)?)))
            .collect::<anyhow::Result<_>>()?;
        let to_stdout = export.target == Path::new("-");
        let mut table = Table::new(&["user", "mailbox", "messages"]);
        let done = |error: ToolError| tool_failed(&user, &error);
        for (name, mailbox) in &mailboxes {
            let count = match export.format {
                Format::Maildir if to_stdout => {
                    return Err(exit::failure(
                        exit::USAGE,
                        "a Maildir is a folder: say which one, as in `export --format maildir --user alice backup/`",
                    ));
                }
                Format::Maildir => {
                    let folder = maildir_of(&export.target, name);
                    mailbox.export_maildir(&folder).map_err(done)?
                }
                Format::Mbox if to_stdout => {
                    let mut stdout = BufWriter::new(io::stdout().lock());
                    let written = mailbox.export_mbox(&mut stdout, Path::new("standard output"));
                    written.map_err(|error| match error {
                        ToolError::File(_, error) => exit::unwritable(error),
                        error => done(error),
                    })?
                }
                Format::Mbox => {
                    let path = match export.all {
                        true => export.target.join(format!("{name}.mbox")),
                        false => export.target.clone(),
                    };
                    // Several mailboxes that were named go into the one file.
                    let append = export.append || (!export.all && table.has_rows());
                    write_mbox(mailbox, &path, append).map_err(done)?
                }
            };
            table.add(Row::new(&user.name, name).numbers(&[count]));
        }
        if !to_stdout {
            print(&table.show(self.json))?;
        }
        Ok(exit::OK)
    }
}

/// What a path that was named holds, and into which mailboxes that goes.
fn sources(path: &Path, mailbox: &str) -> anyhow::Result<Vec<(Source, String)>> {
    let unreadable =
        |error: io::Error| exit::failure(exit::NO_INPUT, format!("{}: {error}", path.display()));
    if path == Path::new("-") {
        let stdin = std::os::fd::AsFd::as_fd(&io::stdin())
            .try_clone_to_owned()
            .map_err(unreadable)?;
        let source = Source::Mbox(stdin.into(), PathBuf::from("standard input"));
        return Ok(vec![(source, mailbox.to_owned())]);
    }
    let file = File::open(path).map_err(unreadable)?;
    if !file.metadata().map_err(unreadable)?.is_dir() {
        let source = Source::Mbox(file, path.to_path_buf());
        return Ok(vec![(source, mailbox.to_owned())]);
    }
    let found = maildirs(path).map_err(|error| exit::failure(exit::NO_INPUT, error.to_string()))?;
    if found.is_empty() {
        return Err(exit::failure(
            exit::DATA,
            format!(
                "{}: a folder without a Maildir in it (cur, new, tmp); mbox files are to be named one by one",
                path.display()
            ),
        ));
    }
    let into_inbox = mailbox.eq_ignore_ascii_case("INBOX");
    Ok(found
        .into_iter()
        .map(|(path, below)| {
            let name = match (&*below, into_inbox) {
                ("", _) => mailbox.to_owned(),
                (below, true) => below.to_owned(),
                (below, false) => format!("{mailbox}/{below}"),
            };
            (Source::Maildir(path), name)
        })
        .collect())
}

/// Where a mailbox goes in a Maildir++ at `root`.
fn maildir_of(root: &Path, name: &str) -> PathBuf {
    match name.eq_ignore_ascii_case("INBOX") {
        true => root.to_path_buf(),
        false => {
            let levels: Vec<String> = name.split('/').map(crate::wire::utf7::encode).collect();
            root.join(format!(".{}", levels.join(".")))
        }
    }
}

/// Writes an mbox file, and has it on disk.
fn write_mbox(mailbox: &Mailbox, path: &Path, append: bool) -> Result<u64, ToolError> {
    let named = |error: io::Error| ToolError::File(path.to_path_buf(), error);
    if let Some(folder) = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty())
    {
        std::fs::create_dir_all(folder).map_err(named)?;
    }
    let mut options = OpenOptions::new();
    options
        .append(true)
        .create(append)
        .create_new(!append)
        .mode(0o600);
    let file = options.open(path).map_err(|error| match error.kind() {
        io::ErrorKind::AlreadyExists => named(io::Error::new(
            error.kind(),
            "is there already: --append adds to it",
        )),
        _ => named(error),
    })?;
    let length = file.metadata().map_err(named)?.len();
    let mut writer = BufWriter::new(&file);
    let written = mailbox.export_mbox(&mut writer, path);
    let written = written.and_then(|count| {
        writer
            .flush()
            .and_then(|()| file.sync_all())
            .map_err(named)?;
        Ok(count)
    });
    drop(writer);
    if written.is_err() {
        // Half an mbox is worse than none; what was there before stays.
        let _ = match append {
            true => file.set_len(length),
            false => std::fs::remove_file(path),
        };
    }
    written
}
