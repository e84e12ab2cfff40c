//! Holds the arrows of the picture in `src/lib.rs`: a file may name what stands below it, never what stands above; and
//! `wire/` and `proto/` name no socket, no file, no clock.
//!
//! It reads the sources as text, without comments, strings and what is for tests only, and looks at every path that
//! begins with `crate`, `mailtool`, `self`, `super` or `std`, braces unfolded.

use std::fs;
use std::path::Path;

/// From the bottom to the top.
const LAYERS: [&str; 7] = [
    "limits", "wire", "tap", "store", "proto", "reactor", "applet",
];

/// Where there is no I/O and no clock.
const PURE: [&str; 2] = ["wire", "proto"];

/// Paths that those may not name, nor anything in them.
const IMPURE_PATHS: [&str; 9] = [
    "std::fs",
    "std::os",
    "std::env",
    "std::process",
    "std::thread",
    "std::io::stdin",
    "std::io::stdout",
    "std::io::stderr",
    "std::net::ToSocketAddrs",
];

/// Words that those may not say, wherever they come from.
const IMPURE_WORDS: [&str; 21] = [
    "TcpStream",
    "TcpListener",
    "UdpSocket",
    "UnixStream",
    "UnixListener",
    "UnixDatagram",
    "File",
    "OpenOptions",
    "fs::",
    "Instant::now",
    "SystemTime::now",
    "Timestamp::now",
    "Zoned::now",
    "mio",
    "rustls",
    "rustix",
    "socket2",
    "signal_hook",
    "println!",
    "eprintln!",
    "rand",
];

#[test]
fn no_layer_names_a_higher_one() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    sources(&root, &mut files);
    for layer in LAYERS {
        let seen = files.iter().any(|(path, _)| layer_of(path) == Some(layer));
        assert!(seen, "src/ has no {layer} any more: then LAYERS is wrong");
    }
    let found: Vec<_> = files
        .iter()
        .flat_map(|(path, source)| violations(path, source))
        .collect();
    assert!(found.is_empty(), "\n{}\n", found.join("\n"));
}

#[test]
fn a_planted_violation_is_found() {
    for (path, source, found) in [
        (
            "wire/a.rs",
            "use crate::proto::Out;",
            "wire/a.rs:1: wire may not name proto",
        ),
        (
            "wire/a.rs",
            "\n\nuse crate::store::{Store};",
            "wire/a.rs:3: wire may not name store",
        ),
        (
            "tap/mod.rs",
            "use crate::{limits, wire::lines, reactor::pool};",
            "tap may not name reactor",
        ),
        (
            "store/a.rs",
            "fn f() { mailtool::proto::pump() }",
            "store may not name proto",
        ),
        (
            "store/mod.rs",
            "use super::applet;",
            "store may not name applet",
        ),
        (
            "proto/imap/a.rs",
            "use super::super::super::reactor::Loop;",
            "proto may not name reactor",
        ),
        (
            "proto/imap/mod.rs",
            "use super::{super::{applet::Nc}, Out};",
            "proto may not name applet",
        ),
        ("limits.rs", "use crate::wire;", "limits may not name wire"),
        (
            "wire/a.rs",
            "use std::{io, fs};",
            "wire/a.rs:1: wire may not name std::fs",
        ),
        (
            "proto/a.rs",
            "let now = Instant::now();",
            "proto may not name Instant::now",
        ),
        (
            "proto/a.rs",
            "let now = std::time::SystemTime :: now();",
            "proto may not name SystemTime::now",
        ),
        (
            "proto/a.rs",
            "use std::net::{IpAddr, TcpStream};",
            "proto may not name TcpStream",
        ),
        (
            "wire/a.rs",
            "let f: std::fs::File;",
            "wire may not name std::fs",
        ),
        (
            "proto/a.rs",
            "fn f(p: &mio::Poll) {}",
            "proto may not name mio",
        ),
        (
            "proto/a.rs",
            "#[cfg(test)]\nmod tests { fn f() { '{' } }\nuse std::fs;",
            "proto/a.rs:3: proto may not name std::fs",
        ),
        (
            "proto/a.rs",
            "const A: &str = \"\\\"\"; use std::fs;",
            "proto may not name std::fs",
        ),
        (
            "wire/a.rs",
            "let a = '\\''; let b = b'\"'; std::env::args();",
            "wire may not name std::env",
        ),
    ] {
        let violations = violations(path, source);
        assert!(
            violations.iter().any(|violation| violation.contains(found)),
            "{path}: {source}: {violations:?}"
        );
    }
}

#[test]
fn what_is_allowed_is_not_reported() {
    for (path, source) in [
        (
            "proto/a.rs",
            "use crate::{limits, store::Store, tap, wire::lines};",
        ),
        (
            "proto/imap/a.rs",
            "use super::super::{Input, client::Plan}; use self::x;",
        ),
        (
            "wire/a.rs",
            "// crate::proto, std::fs\n/* File /* mio */ rustls */\n//! [`crate::proto::Out`]",
        ),
        (
            "wire/a.rs",
            "let a = \"std::fs::File\"; let b = r#\"mio \" rustls\"#; let c = b\"UdpSocket\";",
        ),
        (
            "proto/a.rs",
            "use std::net::{IpAddr, SocketAddr}; use std::time::{Instant, SystemTime};",
        ),
        (
            "proto/a.rs",
            "struct Profile<'a>(&'a FileName); let n = SystemTime::UNIX_EPOCH;",
        ),
        (
            "proto/a.rs",
            "#[cfg(test)]\nmod tests { use std::fs; fn f() { Instant::now(); } }",
        ),
        (
            "proto/a.rs",
            "#[cfg(test)]\nmod tests;\n#[cfg(test)]\nuse std::fs;",
        ),
        (
            "reactor/a.rs",
            "use crate::proto::Out; use std::fs; fn f() { Instant::now() }",
        ),
        ("store/fs.rs", "use std::fs::File; use crate::wire::lines;"),
        (
            "applet/a.rs",
            "use crate::{reactor, proto, store, tap, wire};",
        ),
        ("lib.rs", "pub mod applet;"),
        ("main.rs", "use mailtool::applet;"),
    ] {
        assert_eq!(
            violations(path, source),
            Vec::<String>::new(),
            "{path}: {source}"
        );
    }
}

/// All files below `folder`, with their path from `src/` on, but those that are tests.
fn sources(folder: &Path, files: &mut Vec<(String, String)>) {
    for entry in fs::read_dir(folder).expect("src/ can be read") {
        let path = entry.expect("src/ can be read").path();
        let name = path.file_name().unwrap_or_default();
        if path.is_dir() && name != "tests" {
            sources(&path, files);
        } else if path.extension().is_some_and(|e| e == "rs") && name != "tests.rs" {
            let source = fs::read_to_string(&path).expect("sources are UTF-8");
            let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
            let inside = path.strip_prefix(root).expect("below src/");
            files.push((inside.to_string_lossy().into_owned(), source));
        }
    }
}

/// `None` for `lib.rs` and `main.rs`, which stand above everything.
fn layer_of(path: &str) -> Option<&'static str> {
    let first = path.split('/').next()?;
    let first = first.strip_suffix(".rs").unwrap_or(first);
    LAYERS.into_iter().find(|layer| *layer == first)
}

/// Each as `path:line: what`.
fn violations(path: &str, source: &str) -> Vec<String> {
    let Some(layer) = layer_of(path) else {
        return Vec::new();
    };
    let height = |layer: &str| LAYERS.iter().position(|other| *other == layer);
    let tokens = without_tests(tokens(source));
    let mut found = Vec::new();
    let mut report = |line: usize, what: &str| {
        let violation = format!("src/{path}:{line}: {layer} may not name {what}");
        if !found.contains(&violation) {
            found.push(violation);
        }
    };
    for (at, token) in tokens.iter().enumerate() {
        let begins = at == 0 || tokens[at - 1].text != "::";
        if !begins || !["crate", "mailtool", "self", "super", "std"].contains(&&*token.text) {
            continue;
        }
        let mut names = Vec::new();
        unfold(&tokens, at, Vec::new(), &mut names);
        for (line, name) in names {
            let name = absolute(path, &name);
            if name.first().is_some_and(|first| first == "crate") {
                let other = name.get(1).and_then(|second| height(second));
                if other > height(layer) {
                    report(line, &name[1]);
                }
            } else if PURE.contains(&layer) {
                let name = name.join("::");
                for impure in IMPURE_PATHS {
                    if name == impure || name.starts_with(&format!("{impure}::")) {
                        report(line, impure);
                    }
                }
            }
        }
    }
    if PURE.contains(&layer) {
        for word in IMPURE_WORDS {
            let wanted: Vec<_> = self::tokens(word).into_iter().map(|t| t.text).collect();
            let texts = tokens.windows(wanted.len());
            for window in texts.filter(|w| w.iter().map(|t| &t.text).eq(wanted.iter())) {
                report(window[0].line, word);
            }
        }
    }
    found
}

struct Token {
    text: String,
    line: usize,
}

/// Words, `::`, and single characters of everything else. Comments are left out, literals stand as `""`.
fn tokens(source: &str) -> Vec<Token> {
    let bytes = source.as_bytes();
    let mut tokens = Vec::new();
    let mut at = 0;
    let mut line = 1;
    while at < bytes.len() {
        let rest = &bytes[at..];
        let is_word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte >= 0x80;
        let (length, text) = if rest.starts_with(b"//") {
            let length = rest.iter().position(|&b| b == b'\n');
            (length.unwrap_or(rest.len()), None)
        } else if rest.starts_with(b"/*") {
            (block_comment(rest), None)
        } else if let Some(length) = literal(rest) {
            (length, Some("\"\"".to_owned()))
        } else if rest.starts_with(b"::") {
            (2, Some("::".to_owned()))
        } else if rest[0].is_ascii_whitespace() {
            (1, None)
        } else {
            let word = rest.iter().take_while(|&&b| is_word(b)).count().max(1);
            let text = String::from_utf8_lossy(&rest[..word]).into_owned();
            (word, Some(text))
        };
        if let Some(text) = text {
            tokens.push(Token { text, line });
        }
        line += rest[..length].iter().filter(|&&b| b == b'\n').count();
        at += length;
    }
    tokens
}

fn block_comment(rest: &[u8]) -> usize {
    let (mut at, mut depth) = (0, 0);
    while at < rest.len() {
        if rest[at..].starts_with(b"/*") {
            depth += 1;
            at += 2;
        } else if rest[at..].starts_with(b"*/") {
            depth -= 1;
            at += 2;
            if depth == 0 {
                return at;
            }
        } else {
            at += 1;
        }
    }
    at
}

/// The octets of the string or character that `rest` begins with.
fn literal(rest: &[u8]) -> Option<usize> {
    let prefix = [&b"br"[..], b"cr", b"b", b"c", b"r", b""]
        .into_iter()
        .find(|prefix| {
            let after = rest.strip_prefix(*prefix).unwrap_or_default();
            match after.first() {
                Some(b'"') => true,
                Some(b'#') => prefix.ends_with(b"r") && after.trim_start_with(b'#') == Some(b'"'),
                Some(b'\'') => !prefix.ends_with(b"r"),
                _ => false,
            }
        })?;
    let body = &rest[prefix.len()..];
    if prefix.ends_with(b"r") {
        let hashes = body.iter().take_while(|&&b| b == b'#').count();
        let mut end = vec![b'"'];
        end.resize(hashes + 1, b'#');
        let inside = &body[hashes + 1..];
        let length = inside.windows(end.len()).position(|w| w == end)?;
        return Some(prefix.len() + hashes + 1 + length + end.len());
    }
    let quote = body[0];
    if quote == b'\'' && body.get(1) != Some(&b'\\') {
        // A lifetime has no closing quote after its first character.
        let character = std::str::from_utf8(body).ok()?.chars().nth(1)?.len_utf8();
        return (body.get(1 + character) == Some(&b'\'')).then_some(prefix.len() + character + 2);
    }
    let mut at = 1;
    while at < body.len() && body[at] != quote {
        at += if body[at] == b'\\' { 2 } else { 1 };
    }
    Some(prefix.len() + (at + 1).min(body.len()))
}

/// For [`literal`].
trait TrimStart {
    /// The first octet that is not `octet`.
    fn trim_start_with(&self, octet: u8) -> Option<u8>;
}

impl TrimStart for [u8] {
    fn trim_start_with(&self, octet: u8) -> Option<u8> {
        self.iter().copied().find(|&other| other != octet)
    }
}

/// Leaves out each item behind `#[cfg(test)]`, up to its `;` or the end of its braces.
fn without_tests(tokens: Vec<Token>) -> Vec<Token> {
    let mut kept = Vec::new();
    let mut tokens = tokens.into_iter();
    while let Some(token) = tokens.next() {
        kept.push(token);
        let attribute = ["#", "[", "cfg", "(", "test", ")", "]"];
        let tail = kept.len().saturating_sub(attribute.len());
        if !kept[tail..].iter().map(|t| &*t.text).eq(attribute) {
            continue;
        }
        kept.truncate(tail);
        let mut depth = 0;
        for token in tokens.by_ref() {
            match &*token.text {
                "{" => depth += 1,
                "}" => depth -= 1,
                _ => {}
            }
            if depth == 0 && (token.text == "}" || token.text == ";") {
                break;
            }
        }
    }
    kept
}

/// The paths that begin at `at`, each with its line: `a::{b, c::d}` is `a::b` and `a::c::d`. Returns what comes after.
fn unfold(
    tokens: &[Token],
    mut at: usize,
    mut path: Vec<String>,
    names: &mut Vec<(usize, Vec<String>)>,
) -> usize {
    while let Some(token) = tokens.get(at) {
        if token.text == "{" {
            at += 1;
            while tokens.get(at).is_some_and(|t| t.text != "}") {
                let next = unfold(tokens, at, path.clone(), names);
                at = next.max(at + 1);
                if tokens.get(at).is_some_and(|t| t.text == ",") {
                    at += 1;
                }
            }
            return at + 1;
        }
        path.push(token.text.clone());
        let goes_on = tokens.get(at + 1).is_some_and(|t| t.text == "::");
        let unfolds = tokens.get(at + 2).is_some_and(|t| {
            t.text == "{"
                || t.text
                    .starts_with(|c: char| c.is_alphanumeric() || c == '_')
        });
        if !goes_on || !unfolds {
            names.push((token.line, path));
            return at + 1;
        }
        at += 2;
    }
    at
}

/// `name`, as it is said in the file at `path`, from `crate` on.
fn absolute(path: &str, name: &[String]) -> Vec<String> {
    let mut module: Vec<String> = vec!["crate".into()];
    let path = path.strip_suffix(".rs").unwrap_or(path);
    module.extend(
        path.split('/')
            .filter(|part| *part != "mod")
            .map(str::to_owned),
    );
    let mut rest = name;
    match name.first().map(String::as_str) {
        Some("crate" | "mailtool") => {
            module.truncate(1);
            rest = &rest[1..];
        }
        Some("self" | "super") => {
            while let Some((first, after)) = rest.split_first() {
                match first.as_str() {
                    "self" => {}
                    "super" => {
                        module.pop();
                    }
                    _ => break,
                }
                rest = after;
            }
        }
        _ => return name.to_vec(),
    }
    module.extend_from_slice(rest);
    module
}
