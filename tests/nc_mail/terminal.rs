//! Mail mode on a terminal.

use std::process::Child;
use std::sync::mpsc::{self, Receiver};

use rustix::process::{Pid, Signal, kill_process};

use super::*;

/// Types into the program on a terminal; what stands on it at the end, and the exit code behind it.
fn on_a_terminal(environment: &[(&str, &str)], words: &str, typed: &str) -> String {
    let line = format!("{MAILTOOL} nc {words}; echo code $?");
    let mut command = Command::new("script");
    command
        .args(["-qec", &line, "/dev/null"])
        .env("LC_ALL", "C.UTF-8")
        .env("SHELL", "/bin/sh")
        .env_remove("NO_COLOR")
        .envs(environment.iter().copied());
    let output = run(&mut command, typed);
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[test]
fn on_a_terminal_explanations_stand_in_place() {
    if !have("script", "bsdutils") {
        return;
    }
    let server = Server::start();
    let port = server.port("smtp");
    let words = format!("--mail --explain=fr localhost {port}");
    let typed = "RCPT TO:<x>\nNOOP\nQUIT\n";
    let screen = on_a_terminal(&[], &words, typed);
    let place = |text: &str| {
        screen
            .find(text)
            .unwrap_or_else(|| panic!("{text:?} is not on\n{screen}"))
    };
    let refused = place("\n503 ");
    let explained = refused + screen[refused..].find("\x1b[2m    5..").expect("dimmed");
    let sent = place("envoyé : RCPT TO:<x>");
    let next = place("\n250 ");
    assert!(
        refused < explained && explained < sent && sent < next,
        "{screen}"
    );
    assert!(screen.contains("code 0"), "{screen}");
    let plain = on_a_terminal(&[("NO_COLOR", "1")], &words, typed);
    assert!(
        plain.contains("refus définitif") && !plain.contains('\x1b'),
        "{plain}"
    );

    // No letter typed is a command of the tool; and a tag that was added is told.
    let screen = on_a_terminal(
        &[],
        &format!("--mail localhost {port}"),
        "??? 250\nR\nQ\nQUIT\n",
    );
    assert_eq!(screen.matches("500 ").count(), 3, "{screen}");
    let port = server.port("imap");
    let screen = on_a_terminal(&[], &format!("--mail localhost {port}"), "NOOP\nLOGOUT\n");
    assert!(
        screen.contains("sent with the tag A1") && screen.contains("A2 OK"),
        "{screen}"
    );
}

#[test]
fn a_person_need_not_type_on_after_the_server_has_closed() {
    if !have("script", "bsdutils") {
        return;
    }
    let server = Server::start();
    let line = format!("{MAILTOOL} nc --mail localhost {}", server.port("smtp"));
    let mut child = Command::new("script")
        .args(["-qec", &line, "/dev/null"])
        .env("SHELL", "/bin/sh")
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .expect("it is there");
    let mut stdin = child.stdin.take().expect("a pipe");
    stdin.write_all(b"QUIT\n").expect("it is read");
    let begun = Instant::now();
    while child.try_wait().expect("a child").is_none() {
        assert!(begun.elapsed() < PATIENCE, "it waits for more");
        thread::sleep(Duration::from_millis(10));
    }
    drop(stdin);
}

/// Somebody who waits for what the program shows before he types on.
struct Person {
    child: Child,
    shown: Receiver<Vec<u8>>,
    seen: String,
    /// What stands before has been waited for.
    at: usize,
}

impl Person {
    /// A terminal on which a line of the shell runs.
    fn at(line: &str) -> Self {
        let mut child = Command::new("script")
            .args(["-qec", line, "/dev/null"])
            .env("LC_ALL", "C.UTF-8")
            .env("SHELL", "/bin/sh")
            .env("TERM", "xterm")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("it is there");
        let mut stdout = child.stdout.take().expect("a pipe");
        let (show, shown) = mpsc::channel();
        thread::spawn(move || {
            let mut octets = [0; 4096];
            while let Ok(read @ 1..) = stdout.read(&mut octets) {
                if show.send(octets[..read].to_owned()).is_err() {
                    return;
                }
            }
        });
        Self {
            child,
            shown,
            seen: String::new(),
            at: 0,
        }
    }

    fn waits_for(&mut self, text: &str) -> &mut Self {
        loop {
            if let Some(found) = self.seen[self.at..].find(text) {
                self.at += found + text.len();
                return self;
            }
            let shown = self.shown.recv_timeout(PATIENCE);
            let shown =
                shown.unwrap_or_else(|_| panic!("{text:?} does not follow in {:?}", self.seen));
            self.seen.push_str(&String::from_utf8_lossy(&shown));
        }
    }

    fn types(&mut self, keys: &str) -> &mut Self {
        let stdin = self.child.stdin.as_mut().expect("a pipe");
        stdin.write_all(keys.as_bytes()).expect("it is read");
        self
    }

    /// The number behind a word that is waited for, at the end of a line.
    fn told(&mut self, word: &str) -> i32 {
        self.waits_for(word);
        let from = self.at;
        self.waits_for("\r");
        let number = self.seen[from..self.at].trim();
        number.parse().unwrap_or_else(|_| panic!("{number:?}"))
    }

    /// What stood on the terminal, when all is over.
    fn leaves(mut self) -> String {
        while let Ok(shown) = self.shown.recv_timeout(PATIENCE) {
            self.seen.push_str(&String::from_utf8_lossy(&shown));
        }
        self.child.wait().expect("a child");
        self.seen
    }
}

const UP: &str = "\x1b[A";
const LEFT: &str = "\x1b[D";

#[test]
fn lines_are_edited_and_come_back() {
    if !have("script", "bsdutils") {
        return;
    }
    let server = Server::start();
    for mode in ["", "--mail"] {
        let port = server.port("smtp");
        let line = format!("{MAILTOOL} nc {mode} localhost {port}; echo code $?; stty -a");
        let mut person = Person::at(&line);
        person.waits_for("220 ").types("HELO pcx\x7f1\r");
        person.waits_for("\n250 ").types(&format!("NOP{LEFT}O\r"));
        person.waits_for("\n250 ").types("PASS sesame\r");
        // The password is not remembered.
        person
            .waits_for("\n500 ")
            .types(&format!("{UP}{UP}\x05x\x7f\r"));
        person.waits_for("Hello pc1").types("\x12NO\r");
        person
            .waits_for("nothing done")
            .types("SENDRCPT\x15QU\x01\x06\x06IT\r");
        person.waits_for("\n221 ");
        let screen = person.leaves();
        assert!(screen.contains("code 0"), "{screen}");
        // The terminal is as it was.
        assert!(
            screen.contains(" icanon") && screen.contains(" echo "),
            "{screen}"
        );
    }
}

#[test]
fn what_comes_while_a_line_is_half_typed_stands_above_it() {
    if !have("script", "bsdutils") {
        return;
    }
    let (address, server) = watchful(&[
        Says("220 hi\r\n"),
        Hears("HELO a\r\n"),
        Says("250 a\r\n"),
        Hears("421?\r\n"),
        Says("421 too slow\r\n"),
        Hears("NOOP\r\n"),
        Says("250 after all\r\n"),
    ]);
    let line = format!("{MAILTOOL} nc -C {} {}", address.ip(), address.port());
    let mut person = Person::at(&line);
    person.waits_for("220 hi").types("HELO a\r");
    person.waits_for("\n250 a").types("421?\rNO");
    person.waits_for("NO").waits_for("421 too slow");
    person.waits_for("NO").types("OP\r");
    person.waits_for("after all");
    server.join().expect("nothing came early");
    drop(person.child.stdin.take());
    person.leaves();
}

#[test]
fn an_interrupted_program_gives_the_terminal_back() {
    if !have("script", "bsdutils") {
        return;
    }
    let server = Server::start();
    let port = server.port("smtp");
    let line = format!("trap : INT; {MAILTOOL} nc localhost {port}; echo code $?; stty -a");
    let mut person = Person::at(&line);
    person.waits_for("220 ").types("NO");
    person.waits_for("NO").types("\x03");
    let screen = person.leaves();
    assert!(
        screen.contains("code 130") && screen.contains(" icanon") && screen.contains(" echo "),
        "{screen}"
    );
}

/// Debian's nc says nothing there; to a person that is a riddle, and to a script it stays as it is.
#[test]
fn a_person_is_told_that_nobody_listens() {
    if !have("script", "bsdutils") {
        return;
    }
    let (_bound, address) = nobody();
    let nobody = address.port();
    let screen = on_a_terminal(&[], &format!("127.0.0.1 {nobody}"), "");
    assert!(
        screen.contains("failed: Connection refused") && screen.contains("code 1"),
        "{screen}"
    );
    let screen = on_a_terminal(&[], &format!("127.0.0.1 {nobody} 2>&1 | cat"), "");
    assert!(!screen.contains("refused"), "{screen}");
    let screen = on_a_terminal(&[], &format!("-z 127.0.0.1 {nobody}"), "");
    assert!(!screen.contains("refused"), "{screen}");
}

/// By another hand, by the end of a session, and by a mistake of its own: SIGILL and SIGABRT are what a panic ends in.
#[test]
fn whatever_ends_it_the_terminal_is_given_back() {
    if !have("script", "bsdutils") {
        return;
    }
    let server = Server::start();
    let port = server.port("smtp");
    for signal in [
        Signal::TERM,
        Signal::HUP,
        Signal::QUIT,
        Signal::ILL,
        Signal::ABORT,
    ] {
        let line = format!(
            "ulimit -c 0; sh -c 'echo pid $$; exec {MAILTOOL} nc localhost {port}'; echo code $?; stty -a"
        );
        let mut person = Person::at(&line);
        let pid = Pid::from_raw(person.told("pid ")).expect("a process");
        person.waits_for("220 ").types("NO");
        person.waits_for("NO");
        kill_process(pid, signal).expect("it runs");
        let screen = person.leaves();
        let number = signal.as_raw();
        assert!(
            screen.contains(&format!("code {}", 128 + number))
                && screen.contains(" icanon")
                && screen.contains(" echo "),
            "{number}: {screen}"
        );
    }
}

#[test]
fn after_the_end_of_input_the_terminal_shows_what_is_typed() {
    if !have("script", "bsdutils") {
        return;
    }
    let server = Server::start();
    let port = server.port("smtp");
    let line = format!("trap : INT; tty; {MAILTOOL} nc localhost {port}; echo code $?");
    let mut person = Person::at(&line);
    let terminal = format!("/dev/pts/{}", person.told("/dev/pts/"));
    person.waits_for("220 ").types("NOOP\r");
    person.waits_for("250 ").types("\u{4}");
    let begun = Instant::now();
    loop {
        let stty = Command::new("stty").args(["-aF", &terminal]).output();
        let modes = stty.expect("it is there").stdout;
        let modes = String::from_utf8_lossy(&modes).into_owned();
        if modes.contains(" icanon") && modes.contains(" echo ") {
            break;
        }
        assert!(begun.elapsed() < PATIENCE, "{modes}");
    }
    person.types("\u{3}");
    assert!(person.leaves().contains("code 130"));
}

/// While it is stopped the terminal is the shell's; in the foreground again, the line is drawn anew with the next key.
#[test]
fn who_is_stopped_goes_on_where_he_was() {
    if !have("script", "bsdutils") || !have("bash", "bash") {
        return;
    }
    let server = Server::start();
    let port = server.port("smtp");
    let line = format!(
        "tty; bash -c 'set -m; {MAILTOOL} nc localhost {port}; echo stopped; stty -a; echo job $(jobs -p); fg; \
         echo again; bg; sleep 0.2; stty -a; fg; echo code $?; stty -a'"
    );
    let mut person = Person::at(&line);
    let terminal = format!("/dev/pts/{}", person.told("/dev/pts/"));
    let is_raw = || {
        let stty = Command::new("stty").args(["-aF", &terminal]).output();
        let modes = stty.expect("it is there").stdout;
        String::from_utf8_lossy(&modes).contains("-icanon")
    };
    person.waits_for("220 ").types("NO");
    person.waits_for("NO").types("\x1a");
    person.waits_for("stopped").waits_for(" icanon");
    person.waits_for(" echo ");
    let job = person.told("job ");
    person.waits_for("nc localhost");
    let begun = Instant::now();
    while !is_raw() {
        assert!(begun.elapsed() < PATIENCE, "it does not take it again");
        thread::sleep(Duration::from_millis(10));
    }
    person.types("O").waits_for("NOO").types("\x1a");
    // In the background it is the shell's, too; and nobody tells a program that it is in the foreground again.
    person.waits_for("again").waits_for(" icanon");
    person.waits_for(" echo ").waits_for("nc localhost");
    // The shell names the job first, and gives it the terminal then; what is typed in between stops who reads it.
    let begun = Instant::now();
    while !is_in_foreground(job) {
        assert!(begun.elapsed() < PATIENCE, "the shell keeps the terminal");
        thread::sleep(Duration::from_millis(10));
    }
    person.types("P\r").waits_for("250 2.0.0 ");
    person.types("QU").waits_for("QU").types("IT\r");
    person.waits_for("221 ").waits_for("code 0");
    person.waits_for(" icanon").waits_for(" echo ");
    person.leaves();
}

/// Whether the group of this process is the one that may read the terminal.
fn is_in_foreground(process: i32) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).expect("it runs");
    // Behind the name: state, parent, group, session, terminal, group in the foreground.
    let fields = stat.rsplit(')').next().unwrap_or_default();
    let fields: Vec<&str> = fields.split_whitespace().collect();
    fields[2] == fields[5]
}
