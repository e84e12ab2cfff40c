//! Many sessions do what comes into their heads on five mailboxes, together with POP3, LMTP and another program on the same files:
//! each client believes only what it is told, and in the end all agree with each other and with the files.
//!
//! `MAILTOOL_SOAK_SECONDS` says how long (else a few seconds), `MAILTOOL_SOAK_SESSIONS` how many (else 50), `MAILTOOL_SOAK_SEED` with which
//! random numbers; what threads do at the same time is the machine's choice. What is wrong in between fails at once: a number that is
//! too large (BAD), EXISTS that shrinks, EXPUNGE of nothing or while numbers are in use, a number whose UID changes.

#[path = "support/program.rs"]
mod program;

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::sync::Barrier;
use std::thread;
use std::time::{Duration, Instant};

use program::Server;

const BOXES: [&str; 5] = ["INBOX", "a", "b", "b/c", "Sent"];
const FLAGS: [&str; 5] = [
    "\\Seen",
    "\\Flagged",
    "\\Answered",
    "$Forwarded",
    "\\Deleted",
];

/// What there is in a mailbox: flags by UID.
type State = BTreeMap<u32, Vec<String>>;

/// Random numbers (xorshift64*), seeded.
struct Dice(u64);

impl Dice {
    fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }
    /// Below `bound`, which is not 0.
    fn roll(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) as usize % bound
    }
    fn pick<'a>(&mut self, from: &[&'a str]) -> &'a str {
        from[self.roll(from.len())]
    }
}

/// Lines to and fro.
struct Line(BufReader<TcpStream>);

impl Line {
    fn connect(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).expect("connected");
        stream
            .set_read_timeout(Some(Duration::from_secs(120)))
            .expect("set");
        Self(BufReader::new(stream))
    }
    fn say(&mut self, text: &str) {
        write!(self.0.get_mut(), "{text}\r\n").expect("sent");
    }
    fn hear(&mut self) -> String {
        let mut line = String::new();
        let octets = self.0.read_line(&mut line).expect("a line in time");
        assert!(octets > 0, "the server has gone");
        line.trim_end().to_owned()
    }
    /// Up to a line that begins so.
    fn hear_to(&mut self, start: &str) -> String {
        loop {
            let line = self.hear();
            if line.starts_with(start) {
                return line;
            }
        }
    }
}

/// How a client lives.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Habit {
    /// Numbers and UIDs, and now and then IDLE.
    Plain,
    /// NOTIFY: it is told at any time, and uses UIDs only.
    Notify,
}

/// An IMAP client that believes what it is told: the UID of each number, once it has heard of it.
struct Client {
    line: Line,
    habit: Habit,
    counted: Vec<Option<u32>>,
    tag: u32,
    name: usize,
}

impl Client {
    fn new(server: SocketAddr, name: usize, habit: Habit) -> Self {
        let mut client = Self {
            line: Line::connect(server),
            habit,
            counted: Vec::new(),
            tag: 0,
            name,
        };
        client.line.hear_to("* OK");
        client.does("LOGIN alice alice");
        if habit == Habit::Notify {
            client.does(
                "NOTIFY SET (SELECTED (MessageNew (UID FLAGS) MessageExpunge FlagChange)) (PERSONAL (MessageNew MessageExpunge FlagChange))",
            );
        }
        client
    }

    /// Does a command; returns its untagged lines. Only `BAD` is a mistake: messages may have gone.
    fn does(&mut self, command: &str) -> Vec<String> {
        self.tag += 1;
        let tag = format!("t{}", self.tag);
        self.line.say(&format!("{tag} {command}"));
        self.reply(&tag, command)
    }

    fn reply(&mut self, tag: &str, command: &str) -> Vec<String> {
        let numbers_in_use = ["FETCH", "STORE", "SEARCH"]
            .iter()
            .any(|word| command.starts_with(word))
            && self.habit == Habit::Plain;
        let mut lines = Vec::new();
        loop {
            let line = self.line.hear();
            if let Some(reply) = line
                .strip_prefix(tag)
                .and_then(|rest| rest.strip_prefix(' '))
            {
                assert!(
                    reply.starts_with("OK") || reply.starts_with("NO"),
                    "client {}: {command}: {reply}",
                    self.name
                );
                return lines;
            }
            assert!(
                !(numbers_in_use && line.ends_with(" EXPUNGE")),
                "client {}: {line} during {command}",
                self.name
            );
            self.believe(&line, command);
            lines.push(line);
        }
    }

    fn believe(&mut self, line: &str, command: &str) {
        let Some(rest) = line.strip_prefix("* ") else {
            assert!(line.starts_with('+'), "client {}: {line}", self.name);
            return;
        };
        let (number, what) = rest.split_once(' ').unwrap_or((rest, ""));
        assert_ne!(
            number, "BYE",
            "client {}: {line} after {command}",
            self.name
        );
        let Ok(number) = number.parse::<usize>() else {
            return;
        };
        if what == "EXISTS" {
            assert!(
                number >= self.counted.len(),
                "client {}: {line}, of {}",
                self.name,
                self.counted.len()
            );
            self.counted.resize(number, None);
        } else if what == "EXPUNGE" {
            assert!(
                (1..=self.counted.len()).contains(&number),
                "client {}: {line}, of {}",
                self.name,
                self.counted.len()
            );
            self.counted.remove(number - 1);
        } else if what.starts_with("FETCH") {
            let known = self.counted.get_mut(number - 1);
            let known = known.unwrap_or_else(|| panic!("client {}: {line}", self.name));
            if let Some(uid) = uid(what) {
                assert!(
                    known.is_none_or(|known| known == uid),
                    "client {}: {line}, but it was {known:?}",
                    self.name
                );
                *known = Some(uid);
            }
        }
    }

    fn select(&mut self, name: &str) {
        self.counted.clear();
        // What the old mailbox says before it is closed is of no interest.
        self.tag += 1;
        let tag = format!("t{}", self.tag);
        self.line.say(&format!("{tag} SELECT {name}"));
        let mut lines = Vec::new();
        loop {
            let line = self.line.hear();
            if line.starts_with(&tag) {
                assert!(line.starts_with(&format!("{tag} OK")), "{line}");
                break;
            }
            if line.starts_with("* OK [CLOSED]") {
                lines.clear();
            } else {
                lines.push(line);
            }
        }
        for line in lines {
            self.believe(&line, "SELECT");
        }
    }

    /// Some message, by UID or by number, as a set.
    fn some(&mut self, dice: &mut Dice) -> Option<(&'static str, String)> {
        if self.counted.is_empty() {
            return None;
        }
        let at = dice.roll(self.counted.len());
        let to = (at + dice.roll(4)).min(self.counted.len() - 1);
        if self.habit == Habit::Plain && dice.roll(2) == 0 {
            return Some(("", format!("{}:{}", at + 1, to + 1)));
        }
        let known = self.counted[at..=to].iter().flatten();
        let uids: Vec<String> = known.map(u32::to_string).collect();
        (!uids.is_empty()).then(|| ("UID ", uids.join(",")))
    }

    fn live(&mut self, dice: &mut Dice, until: Instant) -> usize {
        self.select(BOXES[dice.roll(BOXES.len())]);
        let mut commands = 0;
        while Instant::now() < until {
            self.act(dice);
            commands += 1;
        }
        commands
    }

    fn act(&mut self, dice: &mut Dice) {
        let target = dice.pick(&BOXES);
        let flag = dice.pick(&FLAGS);
        let full = self.counted.len() > 40;
        match dice.roll(20) {
            0 => self.select(target),
            1..=3 if !full => {
                let text = format!("Subject: from {}\r\n\r\nHello.", self.name);
                let head = format!("APPEND {target} ({flag}) {{{}+}}\r\n{text}", text.len());
                self.does(&head);
            }
            4..=6 => {
                self.does("UID FETCH 1:* (FLAGS)");
            }
            7 | 8 if self.habit == Habit::Plain => {
                self.does("FETCH 1:* (UID FLAGS)");
            }
            9 => {
                self.does("EXPUNGE");
            }
            10 => {
                self.does(&format!("STATUS {target} (MESSAGES UIDNEXT UNSEEN)"));
            }
            11 => {
                let uid = match self.habit {
                    Habit::Plain => "",
                    Habit::Notify => "UID ",
                };
                self.does(&format!("{uid}SEARCH UNSEEN SUBJECT from"));
            }
            12 => {
                self.tag += 1;
                let tag = format!("t{}", self.tag);
                self.line.say(&format!("{tag} IDLE"));
                loop {
                    let line = self.line.hear();
                    self.believe(&line, "IDLE");
                    if line.starts_with('+') {
                        break;
                    }
                }
                thread::sleep(Duration::from_millis(dice.roll(30) as u64));
                self.line.say("DONE");
                self.reply(&tag, "IDLE");
            }
            13 | 14 => {
                self.does("NOOP");
            }
            15 | 16 if !full => {
                if let Some((uid, set)) = self.some(dice) {
                    let verb = dice.pick(&["COPY", "MOVE"]);
                    self.does(&format!("{uid}{verb} {set} {target}"));
                }
            }
            _ if full => {
                if let Some((uid, set)) = self.some(dice) {
                    self.does(&format!("{uid}STORE {set} +FLAGS.SILENT (\\Deleted)"));
                }
            }
            _ => {
                if let Some((uid, set)) = self.some(dice) {
                    let sign = dice.pick(&["+", "-", ""]);
                    let silent = dice.pick(&["", ".SILENT"]);
                    self.does(&format!("{uid}STORE {set} {sign}FLAGS{silent} ({flag})"));
                }
            }
        }
    }

    /// What the client believes is so; then what there is in all mailboxes.
    fn conclude(&mut self) -> Vec<State> {
        self.does("NOOP");
        let believed = self.counted.clone();
        let now = self.does("UID FETCH 1:* (FLAGS)");
        let now: Vec<u32> = now.iter().filter_map(|line| uid(line)).collect();
        assert_eq!(believed.len(), now.len(), "client {}", self.name);
        for (believed, now) in believed.iter().zip(&now) {
            assert!(
                believed.is_none_or(|believed| believed == *now),
                "client {}: {believed:?} is {now}",
                self.name
            );
        }
        BOXES
            .iter()
            .map(|name| {
                self.select(name);
                let lines = self.does("UID FETCH 1:* (FLAGS)");
                let message = |line: &String| Some((uid(line)?, flags(line)?));
                lines.iter().filter_map(message).collect()
            })
            .collect()
    }
}

fn uid(line: &str) -> Option<u32> {
    let (_, rest) = line.split_once("UID ")?;
    let end = rest.find(|c: char| !c.is_ascii_digit())?;
    rest[..end].parse().ok()
}

fn flags(line: &str) -> Option<Vec<String>> {
    let (_, rest) = line.split_once("FLAGS (")?;
    let (flags, _) = rest.split_once(')')?;
    let flags = flags
        .split(' ')
        .filter(|flag| !flag.is_empty() && *flag != "\\Recent");
    let mut flags: Vec<String> = flags.map(str::to_owned).collect();
    flags.sort();
    Some(flags)
}

/// Deletes messages of INBOX by POP3, when nobody else holds it.
fn pop(address: SocketAddr, dice: &mut Dice, until: Instant) {
    while Instant::now() < until {
        let mut line = Line::connect(address);
        line.hear();
        line.say("USER alice");
        line.hear();
        line.say("PASS alice");
        if line.hear().starts_with("+OK") {
            line.say("STAT");
            let stat = line.hear();
            let count: usize = stat
                .split(' ')
                .nth(1)
                .and_then(|count| count.parse().ok())
                .unwrap_or_else(|| panic!("{stat}"));
            for _ in 0..count.min(3) {
                line.say(&format!("DELE {}", 1 + dice.roll(count)));
                line.hear();
            }
            line.say("QUIT");
            line.hear();
        }
        thread::sleep(Duration::from_millis(100));
    }
}

/// Delivers by LMTP.
fn deliver(address: SocketAddr, until: Instant) {
    let mut line = Line::connect(address);
    line.hear_to("220");
    line.say("LHLO client.example");
    line.hear_to("250 ");
    while Instant::now() < until {
        for words in ["MAIL FROM:<bob@example.org>", "RCPT TO:<alice@mail.lab>"] {
            line.say(words);
            line.hear_to("250");
        }
        line.say("DATA");
        line.hear_to("354");
        line.say("Subject: from LMTP\r\n\r\nHello.\r\n.");
        line.hear_to("250");
        thread::sleep(Duration::from_millis(60));
    }
}

/// Another program: puts files into `new/`, flags them by renaming, removes them.
fn meddle(home: &Path, dice: &mut Dice, until: Instant) {
    let folders = ["", ".a", ".b", ".b.c", ".Sent"];
    for number in 0.. {
        if Instant::now() >= until {
            return;
        }
        thread::sleep(Duration::from_millis(20));
        let folder = home.join(dice.pick(&folders));
        let files = || {
            let entries = fs::read_dir(folder.join("cur")).expect("cur/");
            let mut names: Vec<_> = entries.flatten().map(|entry| entry.path()).collect();
            names.sort();
            names
        };
        match dice.roll(4) {
            0 => {
                let name = format!("17000{number:05}.M{}P1.foreign", dice.roll(1_000_000));
                let draft = folder.join("tmp").join(&name);
                fs::write(&draft, "Subject: from elsewhere\n\nLF\n").expect("written");
                fs::rename(&draft, folder.join("new").join(&name)).expect("delivered");
            }
            1 => {
                let files = files();
                if files.len() > 10 {
                    // It may be gone, or have another name by now.
                    let _ = fs::remove_file(&files[dice.roll(files.len())]);
                }
            }
            _ => {
                let files = files();
                if files.is_empty() {
                    continue;
                }
                let old = &files[dice.roll(files.len())];
                let text = old.to_string_lossy();
                let Some((base, flags)) = text.rsplit_once(":2,") else {
                    continue;
                };
                let letter = dice.pick(&["F", "R", "S"]);
                let mut letters: Vec<char> = flags.chars().collect();
                match flags.contains(letter) {
                    true => letters.retain(|have| !letter.contains(*have)),
                    false => letters.extend(letter.chars()),
                }
                letters.sort_unstable();
                let letters: String = letters.into_iter().collect();
                let _ = fs::rename(old, format!("{base}:2,{letters}"));
            }
        }
    }
}

fn setting(name: &str, default: u64) -> u64 {
    let value = std::env::var(name).ok();
    value
        .and_then(|value| value.parse().ok())
        .unwrap_or(default)
}

#[test]
fn in_the_end_all_agree() {
    let seconds = setting("MAILTOOL_SOAK_SECONDS", 8);
    let sessions = setting("MAILTOOL_SOAK_SESSIONS", 50).max(6) as usize;
    let seed = setting("MAILTOOL_SOAK_SEED", 1);
    let server = Server::start_with(&["--hostname", "mail.lab", "--lmtp", "127.0.0.1:0"]);
    let imap = server.address("imap");
    let home = server.store().join("mail/alice");
    let mut first = Client::new(imap, 0, Habit::Plain);
    for name in &BOXES[1..] {
        first.does(&format!("CREATE {name}"));
    }
    first.select("INBOX");
    let until = Instant::now() + Duration::from_secs(seconds);
    // Two POP3 clients, LMTP, and another program are among them.
    let imap_sessions = sessions - 4;
    let done = Barrier::new(sessions);
    let (states, commands) = thread::scope(|scope| {
        let (done, home) = (&done, &*home);
        let clients: Vec<_> = (0..imap_sessions)
            .map(|name| {
                scope.spawn(move || {
                    let habit = match name % 3 {
                        0 => Habit::Notify,
                        _ => Habit::Plain,
                    };
                    let mut client = Client::new(imap, name, habit);
                    let mut dice = Dice::new(seed * 1000 + name as u64);
                    let lived = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
                        client.live(&mut dice, until)
                    }));
                    done.wait();
                    let commands = lived.unwrap_or_else(|why| std::panic::resume_unwind(why));
                    // A directory that was changed just now is looked at again a moment later.
                    thread::sleep(Duration::from_secs(1));
                    (client.conclude(), commands)
                })
            })
            .collect();
        let (pop3, lmtp) = (server.address("pop3"), server.address("lmtp"));
        for name in 0..2 {
            scope.spawn(move || {
                pop(pop3, &mut Dice::new(seed * 1000 + 900 + name), until);
                done.wait();
            });
        }
        scope.spawn(move || {
            deliver(lmtp, until);
            done.wait();
        });
        scope.spawn(move || {
            meddle(home, &mut Dice::new(seed * 1000 + 990), until);
            done.wait();
        });
        let mut states = Vec::new();
        let mut commands = 0;
        for client in clients {
            let (state, did) = client.join().expect("a client that agrees");
            states.push(state);
            commands += did;
        }
        (states, commands)
    });
    let messages: Vec<usize> = states[0].iter().map(BTreeMap::len).collect();
    println!(
        "{commands} commands of {imap_sessions} clients in {seconds} s; in the end {messages:?} messages"
    );
    for (client, state) in states.iter().enumerate() {
        for (name, (one, other)) in BOXES.iter().zip(states[0].iter().zip(state)) {
            assert_eq!(one, other, "{name}: clients 0 and {client}");
        }
    }
    for (folder, state) in ["", ".a", ".b", ".b.c", ".Sent"].iter().zip(&states[0]) {
        let count = |part: &str| {
            fs::read_dir(home.join(folder).join(part))
                .expect(part)
                .count()
        };
        assert_eq!(
            count("cur") + count("new"),
            state.len(),
            "files of {folder:?}"
        );
    }
    assert!(commands > imap_sessions, "they did something");
}
