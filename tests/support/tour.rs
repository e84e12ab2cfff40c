//! A text with blocks of commands is followed on the built program: README.md, and the pages of the lab. What a block may hold
//! stands at the head of `tests/readme.rs`.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::fs::PermissionsExt;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread;
use std::time::{Duration, Instant};

use crate::pattern::{Names, Pattern};
use crate::program::{MAILTOOL, PATIENCE, Server};

/// The ports that README.md names.
///
/// In a lab they are those of mta1.lab, mta2.lab has 2 in place of the 1, and so on.
const PORTS: [(&str, &str); 7] = [
    ("smtp", "1025"),
    ("submission", "1587"),
    ("smtps", "1465"),
    ("pop3", "1110"),
    ("pop3s", "1995"),
    ("imap", "1143"),
    ("imaps", "1993"),
];

/// A fenced block: where it begins, what it is, its lines with their numbers.
pub struct Block<'a> {
    pub number: usize,
    pub language: &'a str,
    pub lines: Vec<(usize, &'a str)>,
}

pub fn blocks(readme: &str) -> Result<Vec<Block<'_>>, String> {
    let mut blocks = Vec::new();
    let mut lines = readme.lines().enumerate().map(|(at, line)| (at + 1, line));
    while let Some((number, line)) = lines.next() {
        let Some(language) = line.strip_prefix("```") else {
            continue;
        };
        let mut inside = Vec::new();
        loop {
            match lines.next() {
                Some((_, "```")) => break,
                Some(line) => inside.push(line),
                None => return Err(format!("README.md:{number}: this block has no end")),
            }
        }
        blocks.push(Block {
            number,
            language,
            lines: inside,
        });
    }
    Ok(blocks)
}

/// What follows a command in a `console` block.
enum Item<'a> {
    Typed(&'a str),
    Printed(&'a str),
    Skipped,
}

/// With the numbers of their lines.
type Items<'a> = Vec<(usize, Item<'a>)>;

/// Who follows a text, at home.
pub struct Tour {
    /// The home, with the folder of `mailtool` in it.
    home: tempfile::TempDir,
    server: Option<Server>,
    /// The ports in README.md, and the real ones.
    ports: HashMap<String, String>,
    /// What messages are called in README.md, and what they are bound to.
    messages: Vec<String>,
    names: Names,
    exports: String,
    status: i32,
    pub commands: usize,
    lang: &'static str,
}

impl Tour {
    /// In the language of this locale.
    pub fn begin(lang: &'static str) -> Self {
        let tour = Self {
            home: tempfile::tempdir().expect("a folder"),
            server: None,
            ports: HashMap::new(),
            messages: Vec::new(),
            names: Names::new(),
            exports: String::new(),
            status: 0,
            commands: 0,
            lang,
        };
        tour.install();
        tour
    }

    pub fn follow(&mut self, readme: &str) -> Result<(), String> {
        for block in blocks(readme)? {
            match block.language {
                "console" => self.console(&block)?,
                "sh" => self.script(&block)?,
                // Part of somebody else's Makefile.
                "make" => {}
                other => {
                    return Err(format!(
                        "README.md:{}: a block of {other:?}, which this test cannot run: write console or sh",
                        block.number
                    ));
                }
            }
        }
        Ok(())
    }

    fn console(&mut self, block: &Block<'_>) -> Result<(), String> {
        let mut steps: Vec<(usize, &str, Items<'_>)> = Vec::new();
        for &(number, line) in &block.lines {
            if let Some(command) = line.strip_prefix("$ ") {
                steps.push((number, command, Vec::new()));
                continue;
            }
            let item = match (line, line.strip_prefix("> ")) {
                ("...", _) => Item::Skipped,
                (">", _) => Item::Typed(""),
                (_, Some(typed)) => Item::Typed(typed),
                _ => Item::Printed(line),
            };
            let Some((_, _, items)) = steps.last_mut() else {
                return Err(format!("README.md:{number}: no command is above it"));
            };
            items.push((number, item));
        }
        for (at, (number, command, items)) in steps.iter().enumerate() {
            let place = format!("README.md:{number}: `{command}`");
            self.status = self
                .step(command, items)
                .map_err(|error| format!("{place}: {error}"))?;
            let asked = steps.get(at + 1).is_some_and(|next| next.1 == "echo $?");
            if self.status != 0 && !asked {
                return Err(format!("{place}: exit code {}", self.status));
            }
            self.commands += 1;
        }
        Ok(())
    }

    /// One command; its exit code.
    fn step(&mut self, command: &str, items: &Items<'_>) -> Result<i32, String> {
        let words: Vec<&str> = command.split(' ').collect();
        match words[..] {
            [
                "mailtool",
                "serve",
                "fault" | "queue" | "sessions" | "trace",
                ..,
            ] => {
                let begun = Instant::now();
                loop {
                    let result = self.run(command, items);
                    if result.is_ok() || begun.elapsed() > PATIENCE {
                        return result;
                    }
                    thread::sleep(Duration::from_millis(50));
                }
            }
            ["mailtool", "serve", "deliver", ..] => {}
            ["mailtool", "serve", ref options @ ..] => return self.serve(options, items),
            _ => {}
        }
        if let Some(words) = command.strip_prefix("make ") {
            if !items.is_empty() {
                return Err("is not run, so what it prints cannot be told".into());
            }
            return made(words);
        }
        if let Some(exported) = command.strip_prefix("export ") {
            let _ = writeln!(self.exports, "export {exported}");
        }
        self.run(command, items)
    }

    fn run(&mut self, command: &str, items: &Items<'_>) -> Result<i32, String> {
        let mut running = Running::start(self.shell(command));
        let mut skipping = false;
        for (number, item) in items {
            match item {
                Item::Skipped => skipping = true,
                Item::Typed(_) if skipping => {
                    return Err(format!(
                        "README.md:{}: `...` must be followed by a line that is printed",
                        number - 1
                    ));
                }
                Item::Typed(line) => running.type_line(&self.real(line)),
                Item::Printed(line) => {
                    let expected = self.expected(line)?;
                    let names = &mut self.names;
                    running.expect(&expected, skipping, names).map_err(|said| {
                        format!("README.md:{number}: it prints {said}, not {line:?}")
                    })?;
                    skipping = false;
                }
            }
        }
        running.end(skipping)
    }

    /// Starts the server, on free ports, and compares what it prints.
    fn serve(&mut self, options: &[&str], items: &Items<'_>) -> Result<i32, String> {
        // Ctrl-C is in the text.
        drop(self.server.take());
        let server = Server::start_at_home(self.home.path(), options);
        self.ports.clear();
        for (protocol, port) in PORTS {
            let lab = (1..10).map(|number| {
                let real = format!("mta{number}.lab {protocol}");
                (real, format!("{number}{}", &port[1..]))
            });
            let all = std::iter::once((protocol.to_owned(), port.to_owned())).chain(lab);
            for (name, port) in all {
                if let Some(real) = server.known_port(&name) {
                    self.ports.insert(port, real);
                }
            }
        }
        self.install();
        let printed = server.log();
        self.server = Some(server);
        if let [(_, Item::Skipped)] = items[..] {
            return Ok(0);
        }
        let words = |line: &str| line.split_whitespace().collect::<Vec<_>>().join(" ");
        let home = self.home.path().display().to_string();
        let mut printed = printed
            .lines()
            .map(|line| words(&line.replace(&home, "/home/you")));
        for (number, item) in items {
            let Item::Printed(line) = item else {
                return Err(format!(
                    "README.md:{number}: the server is not typed into, and shown whole"
                ));
            };
            let said = printed.next().unwrap_or_default();
            if said != words(&self.real(line)) {
                return Err(format!(
                    "README.md:{number}: it prints {said:?}, not {line:?}"
                ));
            }
        }
        match printed.next() {
            Some(more) => Err(format!("it prints more: {more:?}")),
            None => Ok(0),
        }
    }

    fn script(&mut self, block: &Block<'_>) -> Result<(), String> {
        let lines: String = block
            .lines
            .iter()
            .map(|line| format!("{}\n", line.1))
            .collect();
        let mut running = Running::start(self.shell(&format!("set -eu\n{lines}")));
        let said = running.rest();
        match running.status()? {
            0 => Ok(()),
            status => Err(format!(
                "README.md:{}: exit code {status}: {said}",
                block.number
            )),
        }
    }

    /// `sh` at home, with what was exported; `$?` is that of the command before.
    fn shell(&self, command: &str) -> Command {
        let path = std::env::var("PATH").unwrap_or_default();
        let script = format!(
            "{}(exit {})\n{}",
            self.exports,
            self.status,
            self.real(command)
        );
        let mut shell = Command::new("sh");
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("MAILTOOL_")
                || name.to_string_lossy().starts_with("LC_")
            {
                shell.env_remove(name);
            }
        }
        shell
            .args(["-c", &format!("exec 2>&1\n{script}")])
            .current_dir(self.home.path())
            .env("HOME", self.home.path())
            .env(
                "PATH",
                format!("{}:{path}", self.home.path().join("path").display()),
            )
            .env("USER", "you")
            .env("LANG", self.lang)
            .env_remove("XDG_STATE_HOME")
            .env_remove("NOTIFY_SOCKET");
        shell
    }

    /// `text` with the ports that are really used.
    fn real(&self, text: &str) -> String {
        let mut real = String::new();
        for piece in text.split_inclusive(|c: char| !c.is_ascii_digit()) {
            let digits = piece.trim_end_matches(|c: char| !c.is_ascii_digit());
            real += self.ports.get(digits).map_or(digits, String::as_str);
            real += &piece[digits.len()..];
        }
        for (index, message) in self.messages.iter().enumerate() {
            if let Some(bound) = self.names.get(&name(index)) {
                real = real.replace(message, &String::from_utf8_lossy(bound));
            }
        }
        real
    }

    /// A line with `[..]` in it, and names of messages. Dialogues have more than that: names, and escapes.
    fn expected(&mut self, line: &str) -> Result<Pattern, String> {
        let line = self.real(line);
        let pieces: Vec<String> = line
            .split("[..]")
            .map(|piece| piece.replace('\\', "\\\\").replace('[', "\\["))
            .collect();
        let mut source = pieces.join("[..]");
        for word in line.split(|c: char| !(c.is_ascii_alphanumeric() || c == '-')) {
            let is_bound = self.names.values().any(|bound| bound == word.as_bytes());
            if !is_message(word) || is_bound {
                continue;
            }
            let known = self.messages.iter().position(|message| message == word);
            let index = known.unwrap_or_else(|| {
                self.messages.push(word.to_owned());
                self.messages.len() - 1
            });
            source = source.replace(word, &format!("[{}]", name(index)));
        }
        Pattern::parse(&source, &|file| Err(format!("no file {file} here")))
    }

    /// Puts `mailtool` into the path: the program, with `ports` where it would take the default ones.
    fn install(&self) {
        let folder = self.home.path().join("path");
        fs::create_dir_all(&folder).expect("a folder");
        let ports = &self.ports;
        let port = |port: &str| ports.get(port).map_or(port, String::as_str).to_owned();
        let script = format!(
            "#!/bin/sh\n\
             case $1 in\n\
             send) plain={} tls={} ;;\n\
             pop) plain={} tls={} ;;\n\
             imap) plain={} tls={} ;;\n\
             *) exec {MAILTOOL} \"$@\" ;;\n\
             esac\n\
             for word; do\n\
             case $word in\n\
             --server) exec {MAILTOOL} \"$@\" ;;\n\
             --tls) plain=$tls ;;\n\
             esac\n\
             done\n\
             MAILTOOL_PORT=$plain exec {MAILTOOL} \"$@\"\n",
            port("1025"),
            port("1465"),
            port("1110"),
            port("1995"),
            port("1143"),
            port("1993"),
        );
        let file = folder.join("mailtool");
        fs::write(&file, script).expect("a script");
        fs::set_permissions(&file, fs::Permissions::from_mode(0o755)).expect("a script");
    }
}

/// Whether `make WORDS` could be run.
fn made(words: &str) -> Result<i32, String> {
    let makefile = include_str!("../../Makefile");
    for target in words.split(' ').filter(|word| !word.contains('=')) {
        if !makefile
            .lines()
            .any(|line| line.starts_with(&format!("{target}:")))
        {
            return Err(format!("the Makefile has no target {target}"));
        }
    }
    Ok(0)
}

/// What a message is bound to.
fn name(index: usize) -> String {
    format!("message{index}")
}

/// `6B081562-1-1`
fn is_message(word: &str) -> bool {
    let parts: Vec<&str> = word.split('-').collect();
    let is_hexadecimal = |part: &&str| {
        !part.is_empty()
            && part
                .bytes()
                .all(|octet| octet.is_ascii_digit() || (b'A'..=b'F').contains(&octet))
    };
    parts.len() >= 3 && parts[0].len() == 8 && parts.iter().all(is_hexadecimal)
}

/// A command that is typed into, and read line by line.
struct Running {
    child: Child,
    stdin: Option<ChildStdin>,
    lines: Receiver<String>,
}

impl Running {
    fn start(mut command: Command) -> Self {
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("sh is here");
        let stdout = child.stdout.take().expect("a pipe");
        let (sender, lines) = channel();
        thread::spawn(move || {
            for line in BufReader::new(stdout).split(b'\n') {
                let Ok(line) = line else { break };
                let line = line.strip_suffix(b"\r").unwrap_or(&line);
                if sender
                    .send(String::from_utf8_lossy(line).into_owned())
                    .is_err()
                {
                    break;
                }
            }
        });
        let stdin = child.stdin.take();
        Self {
            child,
            stdin,
            lines,
        }
    }

    fn type_line(&mut self, line: &str) {
        // A command that has ended is found out by what it prints.
        let _ = self
            .stdin
            .as_mut()
            .map(|stdin| stdin.write_all(format!("{line}\n").as_bytes()));
    }

    /// Reads a line that is as `expected`, or with `skipping` lines up to one; else what was printed.
    fn expect(
        &mut self,
        expected: &Pattern,
        skipping: bool,
        names: &mut Names,
    ) -> Result<(), String> {
        loop {
            let line = match self.lines.recv_timeout(PATIENCE) {
                Ok(line) => line,
                Err(RecvTimeoutError::Timeout) => return Err("nothing more".into()),
                Err(RecvTimeoutError::Disconnected) => return Err("nothing more, and ends".into()),
            };
            if expected.matches(line.as_bytes(), names) {
                return Ok(());
            }
            if !skipping {
                return Err(format!("{line:?}"));
            }
        }
    }

    /// All that is still printed once nothing more is typed.
    fn rest(&mut self) -> String {
        drop(self.stdin.take());
        let mut said = String::new();
        while let Ok(line) = self.lines.recv_timeout(PATIENCE) {
            let _ = writeln!(said, "{line}");
        }
        said
    }

    /// It must print nothing more, unless that is skipped; its exit code.
    fn end(mut self, skipping: bool) -> Result<i32, String> {
        let said = self.rest();
        if !said.is_empty() && !skipping {
            return Err(format!("it prints more: {said:?}"));
        }
        self.status()
    }

    fn status(&mut self) -> Result<i32, String> {
        let begun = Instant::now();
        while begun.elapsed() < PATIENCE {
            if let Some(status) = self.child.try_wait().map_err(|error| error.to_string())? {
                return status.code().ok_or_else(|| status.to_string());
            }
            thread::sleep(Duration::from_millis(2));
        }
        Err("it does not end".into())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
