//! COMPRESS=DEFLATE (RFC 4978) on the built program, with Python's zlib at the other end: in the clear and inside TLS, both
//! directions, large and small, and what does not belong there.

#[path = "support/program.rs"]
mod program;

use std::process::{Command, Output};

use program::{Server, have};

fn python(server: &Server, script: &str) -> Output {
    let whole = format!("{TALK}\n{script}");
    Command::new("python3")
        .args(["-c", &whole])
        .arg(server.port("imap"))
        .arg(server.port("imaps"))
        .arg(server.authority())
        .output()
        .expect("python3 is there")
}

fn succeeds(server: &Server, script: &str) -> String {
    let output = python(server, script);
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let wrong = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}\n{wrong}\n{}", server.log());
    said
}

/// A connection that compresses from COMPRESS on, and counts.
const TALK: &str = r#"
import socket, ssl, sys, zlib, re
PORT, TLS_PORT, CA = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]

class Talk:
    def __init__(self, tls):
        self.socket = socket.create_connection(('127.0.0.1', TLS_PORT if tls else PORT), 60)
        if tls:
            context = ssl.create_default_context(cafile=CA)
            context.check_hostname = False
            self.socket = context.wrap_socket(self.socket)
        self.packer = self.unpacker = None
        self.held = b''
        self.size = 65536
        self.wire = self.plain = 0
        self.line()

    def say(self, octets, flush=zlib.Z_SYNC_FLUSH):
        if self.packer:
            octets = self.packer.compress(octets) + self.packer.flush(flush)
        self.socket.sendall(octets)

    def more(self):
        octets = self.socket.recv(self.size)
        if not octets:
            raise EOFError(self.held)
        self.wire += len(octets)
        if self.unpacker:
            octets = self.unpacker.decompress(octets)
        self.plain += len(octets)
        self.held += octets

    def line(self):
        while b'\r\n' not in self.held:
            self.more()
        line, self.held = self.held.split(b'\r\n', 1)
        return line

    def octets(self, count):
        while len(self.held) < count:
            self.more()
        octets, self.held = self.held[:count], self.held[count:]
        return octets

    def until(self, tag):
        lines = []
        while True:
            line = self.line()
            lines.append(line)
            literal = re.search(rb'\{(\d+)\}$', line)
            if literal:
                lines.append(self.octets(int(literal[1])))
            if line.startswith(tag + b' '):
                assert line.startswith(tag + b' OK'), line
                return lines

    def ask(self, command):
        self.say(b'x ' + command + b'\r\n')
        return self.until(b'x')

    def log_in(self):
        self.ask(b'LOGIN alice secret')
        return self

    def compress(self):
        self.ask(b'COMPRESS DEFLATE')
        assert self.held == b'', self.held
        self.packer = zlib.compressobj(6, zlib.DEFLATED, -15)
        self.unpacker = zlib.decompressobj(-15)
        self.wire = self.plain = 0
        return self

    def plain_again(self):
        self.packer = self.unpacker = None
"#;

const OPTIONS: &[&str] = &["--user", "alice:secret"];

fn server() -> Option<Server> {
    have("python3", "python3").then(|| Server::start_with(OPTIONS))
}

#[test]
fn zlib_and_the_server_understand_each_other() {
    let Some(server) = server() else { return };
    succeeds(
        &server,
        r#"
import random
random.seed(4978)
words = [bytes(random.choice(b'abcdefghijklmnopqrstuvwxyz') for _ in range(random.randint(2, 9))) for _ in range(500)]
for tls in (False, True):
    talk = Talk(tls).log_in().compress()
    talk.ask(b'SELECT INBOX')
    # Text that compresses, octets that hardly do, a literal at once and one that waits; all of it in several segments.
    for number, size in enumerate((10, 3000, 200000, 3000000)):
        if number % 2:
            body = b''.join(random.choice(words) + (b'\r\n' if random.random() < 0.1 else b' ') for _ in range(size // 6))
        else:
            body = bytes(random.choice(range(33, 127)) for _ in range(min(size, 400000)))
        mail = b'Subject: %d\r\n\r\n' % number + body + b'\r\n'
        if number % 2:
            talk.say(b'a APPEND INBOX {%d+}\r\n' % len(mail) + mail + b'\r\n')
        else:
            talk.say(b'a APPEND INBOX {%d}\r\n' % len(mail))
            assert talk.line().startswith(b'+')
            talk.say(mail)
            talk.say(b'\r\n')
        done = talk.until(b'a')[-1]
        uid = int(re.search(rb'APPENDUID \d+ (\d+)', done)[1])
        fetched = talk.ask(b'UID FETCH %d BODY.PEEK[]' % uid)
        assert mail in fetched, (number, len(mail), [line[:80] for line in fetched])
    # Many commands at once, many answers.
    talk.say(b''.join(b'n%d NOOP\r\n' % n for n in range(2000)))
    for n in range(2000):
        talk.until(b'n%d' % n)
    # A byte at a time.
    for octet in talk.packer.compress(b'z NOOP\r\n') + talk.packer.flush(zlib.Z_SYNC_FLUSH):
        talk.socket.sendall(bytes([octet]))
    talk.until(b'z')
    # Without a dictionary.
    talk.say(b'y NOOP\r\n', zlib.Z_FULL_FLUSH)
    talk.until(b'y')
    talk.wire = talk.plain = 0
    for _ in range(20):
        talk.ask(b'FETCH 1:* (UID FLAGS ENVELOPE BODYSTRUCTURE)')
    assert talk.wire * 4 < talk.plain, (talk.wire, talk.plain)
    print(tls, talk.wire, talk.plain)
    talk.say(b'q LOGOUT\r\n')
    assert talk.line().startswith(b'* BYE')
    talk.until(b'q')
    try:
        talk.more()
        assert talk.held == b'', talk.held
    except EOFError:
        pass
"#,
    );
}

#[test]
fn connections_in_turn_share_a_compressor() {
    let Some(server) = server() else { return };
    succeeds(
        &server,
        r#"
mail = b'Subject: one\r\n\r\n' + b'one and another\r\n' * 2000
talks = [Talk(n % 2 == 1).log_in() for n in range(6)]
talks[0].say(b'a APPEND INBOX {%d+}\r\n' % len(mail) + mail + b'\r\n')
talks[0].until(b'a')
for talk in talks:
    talk.ask(b'SELECT INBOX')
for talk in talks[:5]:
    talk.compress()
for round in range(30):
    for n, talk in enumerate(talks):
        talk.say(b'r%d FETCH 1 (FLAGS BODY.PEEK[])\r\n' % round)
    for talk in talks:
        assert mail in talk.until(b'r%d' % round)
# IDLE: told at once, compressed.
idle = talks[1]
idle.say(b'i IDLE\r\n')
assert idle.line().startswith(b'+')
talks[2].ask(b'STORE 1 +FLAGS (\\Flagged)')
assert b'\\Flagged' in idle.line()
idle.say(b'DONE\r\n')
idle.until(b'i')
"#,
    );
}

#[test]
fn compression_ends_with_the_login() {
    let Some(server) = server() else { return };
    succeeds(
        &server,
        r#"
for tls in (False, True):
    for flush in (zlib.Z_FINISH, zlib.Z_SYNC_FLUSH, zlib.Z_FULL_FLUSH):
        for at_once in (True, False):
            talk = Talk(tls).log_in().compress()
            talk.ask(b'SELECT INBOX')
            octets = talk.packer.compress(b'u UNAUTHENTICATE\r\n') + talk.packer.flush(flush)
            if flush == zlib.Z_FULL_FLUSH:
                octets += talk.packer.flush(zlib.Z_FINISH)
            if at_once:
                talk.socket.sendall(octets + b'v NOOP\r\n')
            else:
                talk.socket.sendall(octets)
            # Octet by octet: the server's compressed words end with this line, and the next are plain.
            talk.size = 1
            talk.until(b'u')
            assert talk.held == b'', talk.held
            # What it flushed behind them is not always needed to read them.
            talk.plain_again()
            if not at_once:
                talk.say(b'v NOOP\r\n')
            while not talk.held.endswith(b'v OK'):
                talk.more()
            assert len(talk.held) <= len(b'v OK') + 6 and b'\r' not in talk.held, talk.held
            talk.line()
            talk.size = 65536
            talk.log_in()
            talk.compress().ask(b'SELECT INBOX')
"#,
    );
}

#[test]
fn what_is_not_compressed_ends_the_connection() {
    let Some(server) = server() else { return };
    succeeds(
        &server,
        r#"
for tls in (False, True):
    talk = Talk(tls).log_in().compress()
    talk.socket.sendall(b'a NOOP\r\n' * 10)
    try:
        while True:
            talk.more()
    except EOFError as end:
        assert end.args[0] == b'', end
    # A client that compresses before it was told that it may.
    talk = Talk(tls).log_in()
    packer = zlib.compressobj(6, zlib.DEFLATED, -15)
    early = packer.compress(b'e NOOP\r\n') + packer.flush(zlib.Z_SYNC_FLUSH)
    talk.socket.sendall(b'c COMPRESS DEFLATE\r\n' + early)
    while b'c OK' not in talk.held or b'\r\n' not in talk.held[talk.held.index(b'c OK'):]:
        talk.more()
    packed = talk.held[talk.held.index(b'\r\n', talk.held.index(b'c OK')) + 2:]
    talk.packer, talk.unpacker = packer, zlib.decompressobj(-15)
    talk.held = talk.unpacker.decompress(packed)
    talk.until(b'e')
    # The stream's end is the connection's.
    talk.say(b'f NOOP\r\n', zlib.Z_FINISH)
    talk.until(b'f')
    try:
        talk.more()
        assert talk.held == b'', talk.held
    except EOFError:
        pass
# The server is well.
Talk(False).log_in().compress().ask(b'SELECT INBOX')
"#,
    );
    let log = server.log();
    assert!(!log.contains("panicked"), "{log}");
}

#[test]
fn a_bomb_is_cut_and_costs_no_memory() {
    let Some(server) = server() else { return };
    let resident = |server: &Server| {
        let path = format!("/proc/{}/status", server.child.id());
        let status = std::fs::read_to_string(path).unwrap_or_default();
        let line = status.lines().find(|line| line.starts_with("VmHWM:"));
        let number =
            line.and_then(|line| line.split_ascii_whitespace().nth(1)?.parse::<u64>().ok());
        number.expect("how much memory it had at most, KiB")
    };
    succeeds(&server, "Talk(False).log_in().compress().ask(b'NOOP')");
    let before = resident(&server);
    succeeds(
        &server,
        r#"
# 64 MiB in 64 KiB: one line without end, and a literal that is thrown away.
for head, fill in ((b'', b'a'), (b'a SEARCH TEXT {64000000+}\r\n', b'b')):
    talk = Talk(False).log_in().compress()
    talk.say(head + fill * 64000000)
    talk.say(b'\r\nn NOOP\r\n')
    try:
        while b'n OK' not in talk.held:
            talk.more()
    except (EOFError, ConnectionError):
        assert b'BYE' in talk.held, talk.held
"#,
    );
    let grown = resident(&server) - before;
    assert!(grown < 8 * 1024, "{grown} KiB more than before");
}

/// What crosses the wire is compressed, and what the transcript shows is not.
#[test]
fn a_transcript_shows_what_was_said() {
    if !have("python3", "python3") {
        return;
    }
    let server = Server::start_with(&["--user", "alice:secret", "--transcript", "dialogue"]);
    succeeds(
        &server,
        "talk = Talk(False).log_in().compress()\ntalk.ask(b'SELECT INBOX')\ntalk.ask(b'LOGOUT')",
    );
    let log = std::fs::read_to_string(server.folder.path().join("dialogue")).expect("a transcript");
    for said in [
        "C: x COMPRESS DEFLATE",
        "C: x SELECT INBOX",
        "S: x OK [READ-WRITE]",
    ] {
        assert!(log.contains(said), "{said}: {log}");
    }
}
