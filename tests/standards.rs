//! No table of `codes` lacks what the standards speak of: each reply code, enhanced status code, response code, capability,
//! command and mechanism in the text of an RFC is explained, in both languages.
//!
//! The texts are read where they lie beside the checkout (`../shared/rfc`, or above); elsewhere the lists in
//! `src/wire/codes/look_up/tests.rs` hold alone, which were made from the same texts and the registries of IANA.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use mailtool::wire::codes::{Hit, Kind, Protocol, find};

/// The folder of the RFCs.
fn folder() -> Option<PathBuf> {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.ancestors()
        .map(|above| above.join("shared/rfc"))
        .find(|folder| folder.is_dir())
}

/// The text of each RFC by its number; `None` where there are none.
fn texts() -> Option<BTreeMap<u16, String>> {
    let files = fs::read_dir(folder()?).ok()?;
    let text = |path: PathBuf| {
        let name = path
            .file_stem()?
            .to_str()?
            .strip_prefix("rfc")?
            .parse()
            .ok()?;
        Some((
            name,
            String::from_utf8_lossy(&fs::read(&path).ok()?).into_owned(),
        ))
    };
    Some(files.filter_map(|file| text(file.ok()?.path())).collect())
}

fn has(word: &str, is: impl Fn(&Hit) -> bool) -> bool {
    find(word).is_some_and(|found| found.hits.iter().any(is))
}

fn is_entry(kind: Kind) -> impl Fn(&Hit) -> bool {
    move |hit| matches!(hit, Hit::Entry(entry) if entry.kind == kind)
}

fn is_command(protocol: Protocol) -> impl Fn(&Hit) -> bool {
    move |hit| matches!(hit, Hit::Command(command) if command.protocol == protocol)
}

/// Capital letters, with digits and hyphens among them.
fn is_name(word: &str) -> bool {
    word.len() > 1
        && word.starts_with(|c: char| c.is_ascii_uppercase() || c == '8')
        && word
            .bytes()
            .all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b"-/+=".contains(&b))
}

/// Fails when too few words were seen, for then the texts were misread; and names those that are in no table.
fn judge(what: &str, seen: &BTreeSet<String>, least: usize, is_known: impl Fn(&str) -> bool) {
    assert!(seen.len() >= least, "{what}: {} only: {seen:?}", seen.len());
    let missing: Vec<&String> = seen.iter().filter(|word| !is_known(word)).collect();
    assert!(missing.is_empty(), "{what}: {missing:?}");
}

#[test]
fn reply_codes_and_enhanced_codes() {
    let Some(texts) = texts() else { return };
    let mut replies = BTreeSet::new();
    let mut statuses = BTreeSet::new();
    for number in [5321, 1870, 3030, 3207, 4954, 6531] {
        for line in texts[&number].lines() {
            // `      550  Requested action not taken`, `S: 250 OK`
            let line = line.trim_start();
            let line = line.strip_prefix("S: ").unwrap_or(line);
            let (code, rest) = line.split_at_checked(3).unwrap_or_default();
            let is_reply = code.starts_with(['2', '3', '4', '5'])
                && code.bytes().all(|b| b.is_ascii_digit())
                && code.as_bytes()[1] < b'6'
                && rest.starts_with([' ', '-'])
                && rest[1..]
                    .trim_start()
                    .starts_with(|c: char| c.is_ascii_uppercase());
            // `250 characters`, `512 octets` begin with a small letter; pages and years are no codes.
            if is_reply {
                replies.insert(code.to_owned());
            }
        }
    }
    for number in [3463, 4954, 6531, 6533] {
        for word in texts[&number].split(|c: char| c.is_whitespace() || "\"'(),:;".contains(c)) {
            let parts: Vec<&str> = word.trim_end_matches('.').split('.').collect();
            let is_status = parts.len() == 3
                && ["X", "2", "4", "5"].contains(&parts[0])
                && parts[1..].iter().all(|part| part.parse::<u16>().is_ok())
                && parts[1].len() == 1;
            // Sections of documents look the same; class 2 to 5 and a subject up to 7 tell most apart, a table the rest.
            if is_status && (number == 3463) == (parts[0] == "X") {
                statuses.insert(parts.join("."));
            }
        }
    }
    // RFC 5321 §4.1.1.1 gives 5.y.z of sections in its text; none is taken from it.
    judge("reply codes", &replies, 24, |word| {
        has(word, is_entry(Kind::Reply))
    });
    judge("enhanced status codes", &statuses, 48, |word| {
        has(word, is_entry(Kind::Status))
    });
}

/// What stands in brackets after a status, in the examples and in the text of all RFCs about IMAP and POP3.
#[test]
fn response_codes() {
    let Some(texts) = texts() else { return };
    let mut imap = BTreeSet::new();
    let mut pop = BTreeSet::new();
    for text in texts.values() {
        for lead in ["OK [", "NO [", "BAD [", "BYE [", "-ERR ["] {
            for (at, _) in text.match_indices(lead) {
                let inside = &text[at + lead.len()..];
                let end = inside.find([']', ' ', '\n', '\r']).unwrap_or_default();
                if is_name(&inside[..end]) {
                    let seen = if lead.starts_with('-') {
                        &mut pop
                    } else {
                        &mut imap
                    };
                    seen.insert(format!("[{}]", &inside[..end]));
                }
            }
        }
    }
    // RFC 5530 §3 lists them as headings.
    let headings = texts[&5530]
        .lines()
        .filter_map(|line| line.strip_prefix("   "));
    let headings = headings.filter(|line| is_name(line) && line.len() > 3);
    imap.extend(
        headings
            .map(|line| format!("[{line}]"))
            .filter(|word| word != "[RFC]"),
    );
    judge("IMAP response codes", &imap, 43, |word| {
        // Of an example that shows what a client does with an unknown code.
        has(word, is_entry(Kind::ImapCode)) || word.starts_with("[X-") || word == "[SYS/TEMP]"
    });
    // `8.1.1.  The LOGIN-DELAY response code`
    let told = texts[&2449]
        .lines()
        .filter_map(|line| line.split_once("The ")?.1.split_once(" response code"));
    pop.extend(
        told.filter(|(name, _)| is_name(name))
            .map(|(name, _)| format!("[{name}]")),
    );
    judge("POP3 response codes", &pop, 2, |word| {
        has(word, is_entry(Kind::PopCode))
    });
}

#[test]
fn capabilities_and_mechanisms() {
    let Some(texts) = texts() else { return };
    let mut seen = BTreeSet::new();
    for text in texts.values() {
        for lead in ["* CAPABILITY ", "[CAPABILITY "] {
            for (at, _) in text.match_indices(lead) {
                let line = text[at + lead.len()..].lines().next().unwrap_or_default();
                let line = line.split(']').next().unwrap_or_default();
                seen.extend(
                    line.split_whitespace()
                        .filter(|word| is_name(word))
                        .map(str::to_owned),
                );
            }
        }
    }
    // The first revision of 1994.
    let examples = ["IMAP4"];
    judge("capabilities of IMAP", &seen, 20, |word| {
        has(word, is_entry(Kind::ImapCapability))
            || examples.contains(&word)
            || word.starts_with('X')
    });
    let mut seen = BTreeSet::new();
    let mut lines = texts[&2449].lines();
    while let Some(line) = lines.next() {
        if line.trim() == "CAPA tag:" {
            let tag = lines
                .find(|line| !line.trim().is_empty())
                .unwrap_or_default();
            seen.insert(tag.trim().to_owned());
        }
    }
    judge("capabilities of POP3", &seen, 9, |word| {
        has(word, is_entry(Kind::PopCapability))
    });
    let mut seen = BTreeSet::new();
    for number in [1870, 2920, 3030, 3207, 3461, 4954, 5321, 6531] {
        for line in texts[&number].lines() {
            let line = line.trim_start();
            let line = line.strip_prefix("S: ").unwrap_or(line);
            let word = line
                .strip_prefix("250-")
                .or_else(|| line.strip_prefix("250 "));
            let word = word
                .and_then(|rest| rest.split_whitespace().next())
                .unwrap_or_default();
            if is_name(word) && word != "OK" {
                seen.insert(word.to_owned());
            }
        }
    }
    judge("keywords of EHLO", &seen, 8, |word| {
        has(word, |hit| {
            is_entry(Kind::Extension)(hit) || is_command(Protocol::Smtp)(hit)
        })
    });
}

/// The first word after `C:`, or the second after a tag.
#[test]
fn commands() {
    let Some(texts) = texts() else { return };
    let (mut smtp, mut pop, mut imap) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
    for (number, text) in &texts {
        for line in text.lines() {
            let Some(said) = line.trim_start().strip_prefix("C:") else {
                continue;
            };
            let words: Vec<&str> = said.split_whitespace().collect();
            match number {
                5321 | 1870 | 2920 | 3030 | 3207 | 3461 | 821 => {
                    smtp.extend(words.first().map(|word| (*word).to_owned()));
                }
                1939 | 2449 | 6856 => pop.extend(words.first().map(|word| (*word).to_owned())),
                2087 | 2177 | 2342 | 2971 | 3501 | 3502 | 3516 | 3691 | 4314 | 4315 | 4469
                | 4551 | 4731 | 4978 | 5032 | 5161 | 5162 | 5182 | 5255 | 5256 | 5258 | 5267
                | 5464 | 5465 | 5466 | 5819 | 5957 | 6154 | 6203 | 6851 | 7162 | 7377 | 7889 => {
                    let is_tag = |word: &&str| {
                        word.bytes().any(|b| b.is_ascii_digit())
                            && word.bytes().all(|b| b.is_ascii_alphanumeric())
                    };
                    imap.extend(
                        words
                            .iter()
                            .find(|_| words.first().is_some_and(is_tag))
                            .and(words.get(1))
                            .map(|w| (*w).to_owned()),
                    );
                }
                _ => {}
            }
        }
    }
    let names = |seen: BTreeSet<String>| -> BTreeSet<String> {
        seen.into_iter()
            .filter(|word| {
                is_name(word)
                    && word != "BLURDYBLOOP"
                    && word.len() > 2
                    && word.bytes().all(|b| b.is_ascii_uppercase())
            })
            .collect()
    };
    judge("commands of SMTP", &names(smtp), 9, |word| {
        has(word, is_command(Protocol::Smtp))
    });
    judge("commands of POP3", &names(pop), 9, |word| {
        has(word, is_command(Protocol::Pop3))
    });
    judge("commands of IMAP", &names(imap), 25, |word| {
        has(word, is_command(Protocol::Imap))
    });
}

/// Where the standards lie, they are all there; this test tells which way it went.
#[test]
fn the_texts_are_whole() {
    let Some(texts) = texts() else {
        eprintln!("no RFCs beside this checkout: the lists in the library's own tests hold alone");
        return;
    };
    assert!(texts.len() > 50, "{}", texts.len());
    assert!(texts[&5321].contains("4.2.3.  Reply Codes in Numeric Order"));
}
