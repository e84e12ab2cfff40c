//! The build script: packs the texts that the program carries (`wire/packed.rs`), and writes the sources that name them.
//!
//! | from | to |
//! |---|---|
//! | `man/*` and `man/fr/*` | `pages.rs`: a constant for each file |
//! | the tables of `applet/french` | `french.rs`: each packed |
//! | the tables of `wire/codes` | `codes.rs`: the same tables, their texts replaced by places in packed blocks |
//! | `wire/lab.exercise` | `lab`: packed |
//! | the crate webpki-roots | `roots`: packed, see `reactor/tls/roots.rs` |
//!
//! The tables stay written as they read best, as Rust with each text beside its row; this script compiles them in.

use std::fmt::Write;
use std::path::Path;
use std::{env, fs, io};

use miniz_oxide::deflate::compress_to_vec;

use applet::french::TABLES;
use wire::codes::{Command, Entry, Text};
use wire::codes::{capabilities, commands, enhanced, extensions, imap, pop3, smtp};
use wire::packed::BETWEEN;

/// The modules at the places where they have themselves.
mod wire {
    #[expect(dead_code, reason = "the program unpacks")]
    pub mod packed;

    pub mod codes {
        #[expect(dead_code, reason = "the program has more uses for them")]
        mod rows;
        pub use rows::{Kind, Protocol, Text};

        pub type Entry = rows::Entry<Text>;
        pub type Command = rows::Command<Text>;

        pub mod capabilities;
        pub mod commands;
        pub mod enhanced;
        pub mod extensions;
        pub mod imap;
        pub mod pop3;
        pub mod smtp;
    }
}

mod applet {
    pub mod french {
        mod clients;
        mod codes;
        mod keys;
        mod mistakes;
        mod nc;
        mod program;
        mod reports;
        mod sentences;
        mod serve;

        use keys::{ABOUT, AFTER, LONG_ABOUT, Table, USAGE};

        pub const TABLES: [(&str, Table); 12] = [
            ("mailtool", program::TABLE),
            ("codes", codes::TABLE),
            ("nc", nc::TABLE),
            ("serve", serve::TABLE),
            ("mailq", serve::MAILQ),
            ("send", clients::SEND),
            ("pop", clients::POP),
            ("imap", clients::IMAP),
            // Of the last three.
            ("clients", clients::SERVER),
            // When something goes wrong.
            ("sentences", sentences::TABLE),
            ("mistakes", mistakes::TABLE),
            // When something is done, or goes on.
            ("reports", reports::TABLE),
        ];
    }
}

fn main() -> io::Result<()> {
    for place in [
        "man",
        "src/build.rs",
        "src/applet/french",
        "src/wire/codes",
        "src/wire/lab.exercise",
        "src/wire/packed.rs",
    ] {
        println!("cargo::rerun-if-changed={place}");
    }
    let out = env::var("OUT_DIR").map_err(io::Error::other)?;
    pages(Path::new(&out))?;
    french(Path::new(&out))?;
    codes(Path::new(&out))?;
    let lab = fs::read("src/wire/lab.exercise")?;
    fs::write(Path::new(&out).join("lab"), packed(&lab)?)?;
    roots(Path::new(&out))
}

/// The authorities: of each its name, its key and the constraints of names, which may be empty; each with its octets (2) before it.
fn roots(out: &Path) -> io::Result<()> {
    let mut octets = Vec::new();
    for root in webpki_roots::TLS_SERVER_ROOTS {
        let constraints = root.name_constraints.as_deref().unwrap_or_default();
        for field in [&*root.subject, &*root.subject_public_key_info, constraints] {
            let length = u16::try_from(field.len()).map_err(io::Error::other)?;
            octets.extend(length.to_le_bytes());
            octets.extend_from_slice(field);
        }
    }
    fs::write(out.join("roots"), packed(&octets)?)
}

/// A constant for each file of the manual: `SERVE` for `man/serve.roff`, `FR_SERVE` for `man/fr/serve.roff`.
fn pages(out: &Path) -> io::Result<()> {
    let mut source = String::new();
    for (folder, prefix, block) in [("man", "", "PAGES"), ("man/fr", "fr-", "FR_PAGES")] {
        let mut files: Vec<_> = fs::read_dir(folder)?
            .map(|file| Ok(file?.path()))
            .collect::<io::Result<_>>()?;
        files.retain(|path| path.is_file());
        files.sort();
        let mut texts = Vec::new();
        for (number, path) in files.iter().enumerate() {
            texts.push(fs::read_to_string(path)?);
            let stem = path.file_stem().unwrap_or_default().to_string_lossy();
            let constant = format!("{prefix}{stem}").to_uppercase().replace('-', "_");
            source += &format!(
                "pub(super) static {constant}: Packed = Packed::new(&{block}, {number});\n"
            );
        }
        source += &together(out, block, &texts)?;
    }
    fs::write(out.join("pages.rs"), source)
}

/// The French of each applet: a key and its text by turns, a NUL after each.
fn french(out: &Path) -> io::Result<()> {
    let mut rows = String::new();
    let mut texts = Vec::new();
    for (number, (applet, table)) in TABLES.iter().enumerate() {
        // Help is put into lines. None begins with a mark, which in French stands behind a space.
        let is_help = !["sentences", "mistakes", "reports"].contains(applet);
        let bound = |text: &str| match is_help {
            true => [";", ":", "?", "!", "»"]
                .iter()
                .fold(text.to_owned(), |text, mark| {
                    text.replace(&format!(" {mark}"), &format!("\u{a0}{mark}"))
                }),
            false => text.to_owned(),
        };
        let text = table
            .iter()
            .map(|row| format!("{}\0{}\0", row.0, bound(row.1)));
        texts.push(text.collect());
        rows += &format!("    ({applet:?}, Packed::new(&FRENCH, {number})),\n");
    }
    let source = format!(
        "static TABLES: [(&str, Packed); {}] = [\n{rows}];\n{}",
        TABLES.len(),
        together(out, "FRENCH", &texts)?
    );
    fs::write(out.join("french.rs"), source)
}

/// Packs texts into one block, as each packs better after another that is like it; the source of a constant for it.
fn together(out: &Path, constant: &str, texts: &[String]) -> io::Result<String> {
    fs::write(out.join(constant), packed(texts.join(BETWEEN).as_bytes())?)?;
    Ok(format!(
        "static {constant}: Block = {};\n",
        included(constant)
    ))
}

/// The source of a block that is in the file of that name.
fn included(name: &str) -> String {
    format!("Block::new(include_bytes!(concat!(env!(\"OUT_DIR\"), \"/{name}\")))")
}

/// The tables, in modules as they have themselves, and the blocks of their texts.
fn codes(out: &Path) -> io::Result<()> {
    let mut tables = Tables::default();
    tables.module("smtp", |tables| {
        tables.slices("REPLIES", smtp::REPLIES);
    });
    tables.module("enhanced", |tables| {
        tables.slices("STATUSES", enhanced::STATUSES);
    });
    tables.module("pop3", |tables| {
        tables.rows("STATUSES", pop3::STATUSES);
        tables.rows("CODES", pop3::CODES);
    });
    tables.module("imap", |tables| {
        tables.rows("STATUSES", imap::STATUSES);
        tables.slices("CODES", imap::CODES);
        tables.rows("DATA", imap::DATA);
    });
    tables.module("commands", |tables| {
        tables.slices("COMMANDS", commands::COMMANDS);
    });
    tables.module("capabilities", |tables| {
        tables.rows("POP3", capabilities::POP3);
        tables.slices("IMAP", capabilities::IMAP);
    });
    tables.module("extensions", |tables| {
        tables.rows("KEYWORDS", extensions::KEYWORDS);
        tables.rows("PARAMETERS", extensions::PARAMETERS);
        tables.rows("MECHANISMS", extensions::MECHANISMS);
        tables.rows("RARE_KEYWORDS", extensions::rare::KEYWORDS);
        tables.rows("RARE_PARAMETERS", extensions::rare::PARAMETERS);
        tables.rows("RARE_MECHANISMS", extensions::mechanisms::MORE);
    });
    let mut source = tables.source;
    source += &format!("static BLOCKS: [Block; {}] = [\n", tables.blocks.len());
    for (at, block) in tables.blocks.iter().enumerate() {
        fs::write(out.join(format!("codes-{at}")), packed(block.as_bytes())?)?;
        source += &format!("    {},\n", included(&format!("codes-{at}")));
    }
    source += "];\n";
    fs::write(out.join("codes.rs"), source)
}

/// Deflated (RFC 1951); for the small binary by the encoder that takes longest.
fn packed(octets: &[u8]) -> io::Result<Vec<u8>> {
    if env::var_os("OPT_LEVEL").is_none_or(|level| level != "z") {
        return Ok(compress_to_vec(octets, 10));
    }
    let mut deflated = Vec::new();
    zopfli::compress(
        zopfli::Options::default(),
        zopfli::Format::Deflate,
        octets,
        &mut deflated,
    )?;
    Ok(deflated)
}

/// Octets of a block before it is packed; the last file in it may go beyond.
const BLOCK: usize = 64 << 10;

/// What is written of the tables.
#[derive(Default)]
struct Tables {
    source: String,
    /// Texts in English and in French by turns, a NUL after each.
    blocks: Vec<String>,
}

impl Tables {
    fn module(&mut self, name: &str, fill: impl FnOnce(&mut Self)) {
        self.source += &format!(
            "/// What is written in `src/wire/codes/{name}`.\npub mod {name} {{\n    use super::*;\n"
        );
        fill(self);
        self.source += "}\n";
    }

    fn rows<R: Row>(&mut self, name: &str, rows: &[R]) {
        let rows = self.slice(rows);
        self.constant(name, &format!("&[{}]", R::TYPE), &rows);
    }

    fn slices<R: Row>(&mut self, name: &str, slices: &[&[R]]) {
        let slices: String = slices.iter().map(|rows| self.slice(rows) + ", ").collect();
        self.constant(name, &format!("&[&[{}]]", R::TYPE), &format!("&[{slices}]"));
    }

    fn constant(&mut self, name: &str, of: &str, value: &str) {
        self.source += &format!(
            "    /// The table of that name, or those of its files.\n    pub const {name}: {of} = {value};\n"
        );
    }

    /// The rows of one file. Their texts go into a block with those of the files before: one by itself packs worse, and one with
    /// all takes long to unpack.
    fn slice<R: Row>(&mut self, rows: &[R]) -> String {
        let mut block = match self.blocks.pop() {
            Some(block) if block.len() < BLOCK => block,
            full => {
                self.blocks.extend(full);
                String::new()
            }
        };
        let mut slice = "&[\n".to_owned();
        for row in rows {
            let mut text = |text: Text| {
                let number = block.matches('\0').count() / 2;
                block += &format!("{}\0{}\0", text.en, text.fr);
                format!(
                    "RowText {{ block: {}, number: {number} }}",
                    self.blocks.len()
                )
            };
            let _ = writeln!(slice, "        {},", row.source(&mut text));
        }
        self.blocks.push(block);
        slice + "    ]"
    }
}

trait Row {
    /// What it is called.
    const TYPE: &str;

    /// The row as it is written, its texts put away by `text`.
    fn source(&self, text: &mut dyn FnMut(Text) -> String) -> String;
}

impl Row for Entry {
    const TYPE: &str = "Entry";

    fn source(&self, text: &mut dyn FnMut(Text) -> String) -> String {
        format!(
            "Entry {{ kind: Kind::{:?}, code: {:?}, name: {:?}, meaning: {}, sent: {}, next: {}, section: {:?} }}",
            self.kind,
            self.code,
            self.name,
            text(self.meaning),
            text(self.sent),
            text(self.next),
            self.section
        )
    }
}

impl Row for Command {
    const TYPE: &str = "Command";

    fn source(&self, text: &mut dyn FnMut(Text) -> String) -> String {
        format!(
            "Command {{ protocol: Protocol::{:?}, verb: {:?}, syntax: {:?}, meaning: {}, allowed: {}, example: {:?}, section: {:?} }}",
            self.protocol,
            self.verb,
            self.syntax,
            text(self.meaning),
            text(self.allowed),
            self.example,
            self.section
        )
    }
}
