//! Maildirs full of mail as people get it, the same each time: short answers in threads, newsletters with a text and an HTML part,
//! some with an attached picture; 6 KiB in the mean.

use std::fs::{self, File};
use std::io::Write;
use std::os::unix::fs::chown;
use std::path::Path;

use tempfile::TempDir;

/// Every so many messages have the word that is looked for in their subject.
pub const IN_SUBJECT: usize = 50;
/// Every so many messages have the word that is looked for in their text.
pub const IN_TEXT: usize = 100;
/// Dovecot's mail belongs to nobody: it refuses to serve root's.
pub const NOBODY: u32 = 65534;

/// How many of `messages` have such a word.
pub const fn with_word(messages: usize, every: usize) -> usize {
    messages.div_ceil(every)
}

/// Accounts: bob (a small INBOX, `Many`, `Large`), carol (many in the INBOX), dora (a small INBOX).
pub struct Corpus {
    folder: TempDir,
}

impl Corpus {
    /// Writes it.
    pub fn write(large: usize, many: usize) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        for (place, count) in [
            ("bob", 10),
            ("bob/.Many", many),
            ("bob/.Large", large),
            ("carol", many),
            ("dora", 10),
        ] {
            let place = folder.path().join(place);
            for part in ["cur", "new", "tmp"] {
                fs::create_dir_all(place.join(part)).expect("a folder");
            }
            if place
                .file_name()
                .is_some_and(|name| name.to_string_lossy().starts_with('.'))
            {
                File::create(place.join("maildirfolder")).expect("a file");
            }
            let is_large = count == large && count > many;
            for number in 0..count {
                let text = if is_large {
                    short(number)
                } else {
                    message(number)
                };
                let seconds = 1_700_000_000 + number;
                let octets = text.len();
                let flags = if number.is_multiple_of(3) { "" } else { "S" };
                let name = format!(
                    "{seconds}.M{:06}P1Q{number}.bench,S={octets},W={octets}:2,{flags}",
                    number % 1_000_000
                );
                let mut file = File::create(place.join("cur").join(name)).expect("a file");
                file.write_all(&text).expect("written");
            }
        }
        // What is measured later does not wait for this.
        rustix::fs::sync();
        Self { folder }
    }

    /// Copies the Maildir of each account to where `to` says.
    pub fn copy(&self, to: impl Fn(&str) -> std::path::PathBuf) {
        for user in ["bob", "carol", "dora"] {
            copy_tree(&self.folder.path().join(user), &to(user));
        }
        rustix::fs::sync();
    }
}

fn copy_tree(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("a folder");
    // In order of name, which is that of arrival: neither server finds them scattered.
    let entries = fs::read_dir(from).expect("a folder");
    let mut names: Vec<_> = entries.flatten().map(|entry| entry.file_name()).collect();
    names.sort();
    for name in names {
        let (from, to) = (from.join(&name), to.join(&name));
        if from.is_dir() {
            copy_tree(&from, &to);
        } else {
            fs::copy(&from, &to).expect("copied");
        }
    }
}

/// Dovecot's: everything belongs to nobody.
pub fn hand_over(path: &Path) {
    if !rustix::process::geteuid().is_root() {
        return;
    }
    chown(path, Some(NOBODY), Some(NOBODY)).expect("root may");
    for entry in fs::read_dir(path).into_iter().flatten().flatten() {
        hand_over(&entry.path());
    }
}

const WORDS: [&str; 24] = [
    "report", "meeting", "the", "of", "invoice", "Tuesday", "garden", "and", "please", "find",
    "attached", "river", "answer", "a", "with", "budget", "photo", "travel", "to", "library",
    "question", "about", "winter", "copy",
];

/// So many words, the same for the same number.
fn words(number: usize, count: usize, out: &mut String) {
    let mut state = number as u64 * 0x9e37_79b9 + 1;
    let mut column = 0;
    for _ in 0..count {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        let word = WORDS[(state >> 33) as usize % WORDS.len()];
        if column + word.len() > 70 {
            out.push_str("\r\n");
            column = 0;
        }
        out.push_str(word);
        out.push(' ');
        column += word.len() + 1;
    }
    out.push_str("\r\n");
}

fn header(number: usize) -> String {
    let topic = number / 4;
    let mut subject = String::new();
    words(topic + 1_000_000, 5, &mut subject);
    let subject = subject.trim_end().replace("\r\n", "");
    let reply = if number.is_multiple_of(4) { "" } else { "Re: " };
    let wanted = if number.is_multiple_of(IN_SUBJECT) {
        "harvest "
    } else {
        ""
    };
    let mut text = format!(
        "Return-Path: <sender{}@example.org>\r\nDelivered-To: bob@example.test\r\n\
         Received: from mail.example.org (mail.example.org [192.0.2.{}])\r\n\tby mail.example.test with ESMTPS id {number:08X}\r\n\
         \tfor <bob@example.test>; Tue, 14 Nov 2023 22:13:20 +0000\r\n\
         Date: {}, {} Nov 2023 {:02}:{:02}:{:02} +0100\r\n\
         From: \"Sender Number {}\" <sender{}@example.org>\r\n\
         To: Bob <bob@example.test>, Carol <carol@example.test>\r\nCc: list-{}@lists.example.org\r\n\
         Subject: {reply}{wanted}{subject} {topic}\r\nMessage-ID: <{number}.bench@example.org>\r\n",
        number % 97,
        number % 250,
        ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"][number % 7],
        13 + number % 7,
        number / 3600 % 24,
        number / 60 % 60,
        number % 60,
        number % 97,
        number % 97,
        number % 13,
    );
    if !number.is_multiple_of(4) {
        let root = topic * 4;
        text.push_str(&format!(
            "In-Reply-To: <{}.bench@example.org>\r\nReferences: <{root}.bench@example.org>\r\n <{}.bench@example.org>\r\n",
            number - 1,
            number - 1
        ));
    }
    text.push_str("MIME-Version: 1.0\r\nX-Mailer: bench 1.0\r\n");
    text
}

fn wanted(number: usize) -> &'static str {
    if number.is_multiple_of(IN_TEXT) {
        "That is a Quixotic plan.\r\n"
    } else {
        ""
    }
}

/// A short one.
pub fn short(number: usize) -> Vec<u8> {
    let mut text = header(number);
    text.push_str("Content-Type: text/plain; charset=utf-8\r\n\r\n");
    words(number, 20, &mut text);
    text.into_bytes()
}

/// One as they come.
pub fn message(number: usize) -> Vec<u8> {
    let mut text = header(number);
    match number % 10 {
        0..=5 => {
            text.push_str("Content-Type: text/plain; charset=utf-8; format=flowed\r\nContent-Transfer-Encoding: 8bit\r\n\r\n");
            text.push_str(wanted(number));
            words(number, 150 + number % 200, &mut text);
        }
        6..=8 => {
            let boundary = format!("=_part_{number}");
            text.push_str(&format!(
                "Content-Type: multipart/alternative; boundary=\"{boundary}\"\r\n\r\nThis is a message in MIME.\r\n--{boundary}\r\n\
                 Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\nGr=C3=BC=C3=9Fe\r\n"
            ));
            words(number, 200, &mut text);
            text.push_str(&format!(
                "--{boundary}\r\nContent-Type: text/html; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n<html><body><p style=3D\"x\">\r\n"
            ));
            words(number + 7, 500, &mut text);
            text.push_str(&format!("</p></body></html>\r\n--{boundary}--\r\n"));
        }
        _ => {
            let boundary = format!("----=_mixed_{number}");
            text.push_str(&format!(
                "Content-Type: multipart/mixed; boundary=\"{boundary}\"\r\n\r\n--{boundary}\r\n\
                 Content-Type: text/plain; charset=us-ascii\r\n\r\n"
            ));
            words(number, 60, &mut text);
            text.push_str(&format!(
                "--{boundary}\r\nContent-Type: image/png; name=\"picture {number}.png\"\r\nContent-Transfer-Encoding: base64\r\n\
                 Content-Disposition: attachment; filename=\"picture {number}.png\"; size=15000\r\n\r\n"
            ));
            let mut state = number as u64 + 3;
            for _ in 0..300 {
                for _ in 0..72 {
                    state = state
                        .wrapping_mul(6_364_136_223_846_793_005)
                        .wrapping_add(1);
                    let alphabet =
                        b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
                    text.push(char::from(alphabet[(state >> 58) as usize]));
                }
                text.push_str("\r\n");
            }
            text.push_str(&format!("--{boundary}--\r\n"));
        }
    }
    text.into_bytes()
}
