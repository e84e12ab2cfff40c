//! Whatever the SMTP server can say, `mailtool codes` can explain: what stands in the server's source and in its dialogues is
//! collected, and each word must have its row.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use mailtool::wire::codes::{Hit, find};
use mailtool::wire::sasl::Mechanism;
use mailtool::wire::smtp::VERBS;

#[test]
fn every_reply_code_of_the_server_is_explained() {
    let mut codes = BTreeSet::new();
    let mut statuses = BTreeSet::new();
    for text in source_of_the_server() {
        for (at, _) in text.match_indices("Enhanced(") {
            let numbers = text[at..].split_once(')').map_or("", |(inside, _)| inside);
            let numbers = numbers.trim_start_matches("Enhanced(").replace(", ", ".");
            if is_status(&numbers) {
                statuses.insert(numbers);
            }
        }
        for start in ["Reply::new(", "Reply::basic(", "code: "] {
            for (at, start) in text.match_indices(start) {
                codes.extend(reply_code(text[at + start.len()..].trim_start()));
            }
        }
    }
    for line in said_by_servers() {
        codes.extend(reply_code(&line));
        statuses.extend(
            line.get(4..)
                .and_then(|rest| rest.split(' ').next())
                .filter(|word| is_status(word))
                .map(str::to_owned),
        );
    }
    assert!(codes.len() > 25, "{codes:?}");
    assert!(statuses.len() > 30, "{statuses:?}");
    for code in codes.iter().chain(&statuses) {
        let found = find(code).unwrap_or_else(|| panic!("{code} is not explained"));
        assert!(
            !found.is_pattern && matches!(found.hits[..], [Hit::Entry(_)]),
            "{code}: {found:?}"
        );
        // And each of its digits, but for a reply code's last.
        assert_eq!(found.digits.len(), 2, "{code}");
    }
}

#[test]
fn every_keyword_that_ehlo_lists_is_explained() {
    let commands = read("src/proto/smtp/server/commands.rs");
    let (_, list) = commands
        .split_once("fn extensions(")
        .expect("what EHLO lists");
    let (list, _) = list.split_once("\n    }\n").expect("its end");
    let mut keywords: BTreeSet<String> = literals(list);
    for line in said_by_servers() {
        // The first line of the reply to EHLO is a greeting, in words with small letters.
        if let Some(text) = line
            .strip_prefix("250-")
            .or_else(|| line.strip_prefix("250 "))
        {
            keywords.extend(keyword(text));
        }
    }
    for keyword in ["SIZE", "LIMITS", "XCLIENT", "AUTH"] {
        assert!(keywords.contains(keyword), "{keywords:?}");
    }
    assert!(keywords.len() > 17, "{keywords:?}");
    let page = read("man/serve.roff").replace("\\-", "-");
    for keyword in &keywords {
        assert!(find(keyword).is_some(), "{keyword} is not explained");
        assert!(page.contains(keyword), "{keyword} is not in man/serve.roff");
    }
}

#[test]
fn every_command_parameter_and_mechanism_is_explained() {
    let parameters = read("src/wire/smtp/parameters.rs");
    let arms = parameters
        .lines()
        .filter(|line| line.starts_with("            \"") && line.contains("=>"));
    // Of the values of NOTIFY there are arms too.
    let parameters: BTreeSet<String> = arms
        .filter(|line| !line.contains("&mut "))
        .flat_map(literals)
        .collect();
    assert!(
        parameters.contains("ORCPT") && parameters.contains("HOLDUNTIL"),
        "{parameters:?}"
    );
    let verbs = VERBS.iter().map(|info| info.name.to_owned());
    let verbs = verbs.map(|name| name.split(' ').next().unwrap_or_default().to_owned());
    let mechanisms = Mechanism::ALL.map(|mechanism| mechanism.name().to_owned());
    for word in parameters.into_iter().chain(verbs).chain(mechanisms) {
        assert!(find(&word).is_some(), "{word} is not explained");
    }
}

fn read(file: &str) -> String {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(file);
    fs::read_to_string(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()))
}

/// The files below `folder` with this ending.
fn files(folder: &Path, ending: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).expect("a folder");
    let mut found = Vec::new();
    for path in entries.map(|entry| entry.expect("an entry").path()) {
        if path.is_dir() {
            found.extend(files(&path, ending));
        } else if path.to_string_lossy().ends_with(ending) {
            found.push(path);
        }
    }
    found
}

/// The source of the server's sessions, and of what words they answer with; without their tests.
fn source_of_the_server() -> Vec<String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut texts = vec![read("src/proto/smtp/server.rs")];
    for folder in ["src/proto/smtp/server", "src/wire/smtp"] {
        let folder = files(&root.join(folder), ".rs");
        let folder = folder.iter().filter(|file| !file.ends_with("tests.rs"));
        texts.extend(folder.map(|file| fs::read_to_string(file).expect("a file")));
    }
    texts
        .into_iter()
        .map(|text| {
            let tests = text.find("#[cfg(test)]\nmod tests {");
            text[..tests.unwrap_or(text.len())].to_owned()
        })
        .collect()
}

/// What the server says in the dialogues with it, its replies' lines.
fn said_by_servers() -> Vec<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/dialogs/smtp");
    let dialogues = files(&folder, ".dialog");
    assert!(dialogues.len() > 30, "{}", dialogues.len());
    let mut lines = Vec::new();
    for file in dialogues {
        let text = fs::read_to_string(file).expect("a dialogue");
        let said = text.lines().filter_map(|line| {
            let line = line.trim_start_matches(|letter: char| letter.is_ascii_digit());
            line.strip_prefix("S: ")
        });
        lines.extend(said.map(str::to_owned));
    }
    lines
}

/// `550` at the beginning.
fn reply_code(text: &str) -> Option<String> {
    let code = text.get(..3)?;
    let ends = !text[3..].starts_with(|next: char| next.is_ascii_alphanumeric());
    let is_code = ends
        && code.starts_with(['2', '3', '4', '5'])
        && code.bytes().all(|octet| octet.is_ascii_digit());
    is_code.then(|| code.to_owned())
}

/// `5.1.1`
fn is_status(word: &str) -> bool {
    let numbers: Vec<&str> = word.split('.').collect();
    numbers.len() == 3 && numbers.iter().all(|number| number.parse::<u16>().is_ok())
}

/// The capitals at the beginning of each string literal.
fn literals(source: &str) -> BTreeSet<String> {
    let strings = source.split('"').skip(1).step_by(2);
    strings.filter_map(keyword).collect()
}

/// `SIZE 1000`: the first word, if it is in capitals.
fn keyword(text: &str) -> Option<String> {
    let word = text.split([' ', '=']).next()?;
    let is_keyword = word.len() > 1
        && word.starts_with(|first: char| first.is_ascii_uppercase() || first == '8')
        && word
            .bytes()
            .all(|octet| octet.is_ascii_uppercase() || octet.is_ascii_digit() || octet == b'-');
    is_keyword.then(|| word.to_owned())
}
