//! Mail mode of the built program: a line goes when the reply to the one before is whole. Against a server that watches
//! for it, against `mailtool serve`, against Debian's servers, on a terminal, and as a script that asserts.

#[path = "support/debian.rs"]
mod debian;
#[path = "nc_mail/dialogs.rs"]
mod dialogs;
#[expect(dead_code, reason = "dialogues are played without a socket here")]
mod support;
#[path = "nc_mail/terminal.rs"]
mod terminal;

use std::fs;
use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::process::{Command, Output, Stdio};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use debian::{Dovecot, Postfix, Sink};
use mailtool::proto::raw::lockstep::{Checks, Greeting, LockStep, Options, Screen, Stay, Timing};
use mailtool::proto::raw::{self, Keyboard};
use mailtool::proto::{Front, Input, Out, Session, TlsInfo, Wish, pump};
use mailtool::tap::Side;
use mailtool::wire::lines::LineReader;
use socket2::{Domain, Socket, Type};
use support::pattern::Names;
use support::program::{self, MAILTOOL, PATIENCE, Server, ended, have, run};
use support::script::{self, Action, Dialog, Protocol};
use support::services::Stage;
use support::sessions::play_all;

/// What a server does.
enum Step<'a> {
    /// Says this; nothing may arrive before the last of it is said, which takes a while after each `|`.
    Says(&'a str),
    /// Hears this, and nothing else.
    Hears(&'a str),
}

use Step::{Hears, Says};

/// A server that answers late, and panics when anything comes early. It closes at the end, or when the client does.
fn watchful(steps: &[Step<'_>]) -> (SocketAddr, JoinHandle<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("bound");
    let steps: Vec<(bool, String)> = steps
        .iter()
        .map(|step| match step {
            Says(text) => (true, (*text).to_owned()),
            Hears(text) => (false, (*text).to_owned()),
        })
        .collect();
    let server = thread::spawn(move || {
        let (mut stream, _) = listener.accept().expect("a client");
        for (says, text) in steps {
            if !says {
                stream.set_read_timeout(Some(PATIENCE)).expect("a socket");
                let mut heard = vec![0; text.len()];
                if let Err(error) = stream.read_exact(&mut heard) {
                    panic!("{error}: {text:?} did not come");
                }
                assert_eq!(String::from_utf8_lossy(&heard), text);
                continue;
            }
            for part in text.split('|') {
                nothing_comes(&stream, part);
                stream.write_all(part.as_bytes()).expect("it is read");
            }
        }
        stream.shutdown(Shutdown::Write).ok();
        let mut rest = Vec::new();
        stream.read_to_end(&mut rest).ok();
        assert_eq!(String::from_utf8_lossy(&rest), "", "nothing more is said");
    });
    (address, server)
}

fn nothing_comes(mut stream: &TcpStream, before: &str) {
    stream
        .set_read_timeout(Some(Duration::from_millis(40)))
        .expect("a socket");
    let mut early = [0; 1000];
    match stream.read(&mut early) {
        Ok(octets) => panic!("before {before:?}: {}", early[..octets].escape_ascii()),
        Err(error) => assert!(
            matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut),
            "{error}"
        ),
    }
}

fn command(options: &[&str], address: SocketAddr) -> Command {
    let mut command = Command::new(MAILTOOL);
    command
        .arg("nc")
        .args(options)
        .args(["localhost", &address.port().to_string()])
        .env("LC_ALL", "C.UTF-8")
        .env_remove("NO_COLOR");
    command
}

fn mail(options: &[&str], address: SocketAddr, input: &str) -> Output {
    run(&mut command(options, address), input)
}

/// `localhost:25` as an address.
fn at(place: &str) -> SocketAddr {
    let port = place.rsplit(':').next().expect("a port");
    SocketAddr::from(([127, 0, 0, 1], port.parse().expect("a number")))
}

#[test]
fn smtp_waits_for_every_reply() {
    let (address, server) = watchful(&[
        Says("|220-wait\r\n|220 hi\r\n"),
        Hears("EHLO pc1\r\n"),
        Says("250-mail\r\n|250-SIZE\r\n25|0 HELP\r|\n"),
        Hears("MAIL FROM:<a@example.org>\r\n"),
        Says("250 ok\r\n"),
        Hears("RCPT TO:<b@example.org>\r\n"),
        Says("250 ok\r\n"),
        Hears("DATA\r\n"),
        Says("354 go\r\n"),
        Hears("Subject: x\r\n\r\n.. is as it was typed\r\n>>> quoted\r\n.\r\n"),
        Says("250 taken\r\n"),
        Hears("QUIT\r\n"),
        Says("221 bye\r\n"),
    ]);
    let typed = "EHLO pc1\nMAIL FROM:<a@example.org>\r\nRCPT TO:<b@example.org>\nDATA\nSubject: x\n\n\
                 .. is as it was typed\n>>> quoted\n.\nQUIT\n";
    let (said, complained) = ended(&mail(&["--mail"], address, typed), 0);
    server.join().expect("nothing came early");
    assert_eq!(
        said,
        "220-wait\r\n220 hi\r\n250-mail\r\n250-SIZE\r\n250 HELP\r\n250 ok\r\n250 ok\r\n354 go\r\n250 taken\r\n221 bye\r\n"
    );
    assert_eq!(complained, "");
}

#[test]
fn pop3_waits_for_the_lone_dot() {
    let (address, server) = watchful(&[
        Says("+OK hi\r\n"),
        Hears("USER alice\r\n"),
        Says("+OK\r\n"),
        Hears("PASS secret\r\n"),
        Says("+OK\r\n"),
        Hears("LIST 1\r\n"),
        Says("+OK 1 9\r\n"),
        Hears("RETR 1\r\n"),
        Says("+OK 9 octets\r\n|+OK in the text\r\n-ERR\r\n|..\r\n.stuffed\r\n.|\r\n"),
        Hears("LIST\r\n"),
        Says("+OK\r\n|1 9\r\n|.\r\n"),
        Hears("QUIT\r\n"),
        Says("+OK bye\r\n"),
    ]);
    let typed = "USER alice\nPASS secret\nLIST 1\nRETR 1\nLIST\nQUIT\n";
    let (said, _) = ended(&mail(&["--mail"], address, typed), 0);
    server.join().expect("nothing came early");
    let text = "+OK 9 octets\r\n+OK in the text\r\n-ERR\r\n..\r\n.stuffed\r\n.\r\n";
    assert!(said.contains(text), "as it came: {said}");
}

#[test]
fn imap_waits_for_tags_and_literals() {
    let (address, server) = watchful(&[
        Says("* OK hi\r\n"),
        Hears("A1 LOGIN alice {6}\r\n"),
        Says("|+ go on\r\n"),
        Hears("secret\r\n"),
        Says("* CAPABILITY X\r\n|A1 OK in\r\n"),
        Hears("x APPEND INBOX {4+}\r\nhi\r\n\r\n"),
        Says("A1 OK no\r\n|x OK done\r\n"),
        Hears("A2 FETCH 1 BODY[]\r\n"),
        Says("* 1 FETCH (BODY[] {18}\r\n|A2 OK no\r\n|+ no\r\n\r\n|)\r\n|A2 OK done\r\n"),
        Hears("A3 IDLE\r\n"),
        Says("|+ idling\r\n|* 2 EXISTS\r\n"),
        Hears("DONE\r\n"),
        Says("A3 OK done\r\n"),
        Hears("A4 LOGOUT\r\n"),
        Says("* BYE\r\n|A4 OK\r\n"),
    ]);
    let typed = "LOGIN alice {6}\nsecret\nx APPEND INBOX {4+}\nhi\n\nFETCH 1 BODY[]\nIDLE\n??? * 2 EXISTS\nDONE\nLOGOUT\n";
    let (_, complained) = ended(&mail(&["--mail"], address, typed), 0);
    server.join().expect("nothing came early");
    assert_eq!(complained, "");
}

#[test]
fn scripts_assert() {
    let letter = tempfile::NamedTempFile::new().expect("a file");
    fs::write(letter.path(), "Subject: x\n\n.\n??? no\n").expect("written");
    let (address, server) = watchful(&[
        Says("220 hi\r\n"),
        Hears("EHLO a\r\n"),
        Says("250-mail\r\n|250-SIZE\r\n|250 HELP\r\n"),
        Hears("DATA\r\n"),
        Says("354 go\r\n"),
        Hears("Subject: x\r\n\r\n..\r\n??? no\r\n.\r\n"),
        Says("250 taken\r\n"),
        Hears("NO"),
        Hears("OP\r\n"),
        Says("250 ok\r\n"),
        Hears("QUIT\r\n"),
        Says("221 bye\r\n"),
    ]);
    let typed = format!(
        "??? 220\nEHLO a\n??? 250-mail\n????250-\n??? 250 HELP\nDATA\n??? 354\n<<< {}\n.\n??? 250 taken\n>>> NO\n+++ 0.1\n>>> OP\\r\\n\n\
         ??? 250\nQUIT\n??? 221\n???*\n",
        letter.path().display()
    );
    let begun = Instant::now();
    ended(&mail(&["--smtp"], address, &typed), 0);
    server.join().expect("nothing came early");
    assert!(
        begun.elapsed() > Duration::from_millis(100),
        "it was to sleep"
    );

    let server = Server::start();
    let (said, report) = ended(
        &mail(
            &["--mail"],
            server.address("smtp"),
            "EHLO a\nRCPT TO:<a@example.org>\n??? 250\nQUIT\n",
        ),
        3,
    );
    assert!(!said.contains("221"), "it left: {said}");
    assert!(
        report.starts_with("nc: line 3: the reply is not what the script expects\n  sent:     RCPT TO:<a@example.org>\n  expected: 250\n  came:     503 "),
        "{report}"
    );
    let options = ["--pop3", "-w", "1"];
    let (_, report) = ended(&mail(&options, server.address("pop3"), "???*\n"), 3);
    assert_eq!(
        report,
        "nc: line 1: the server was expected to close, but it keeps the connection\n"
    );
    let (_, report) = ended(
        &mail(&["--mail"], server.address("smtp"), "<<< /nowhere/x\n"),
        1,
    );
    assert!(
        report.starts_with("nc: line 1: cannot read /nowhere/x: "),
        "{report}"
    );
}

/// A script of a teacher's, which finds all that is wrong, in the language of the class.
#[test]
fn a_script_is_a_checker_of_answers() {
    let server = Server::start();
    let script = "**** 4) un mail\n??? 220\nEHLO pc1\n??? 250\nMAIL FROM:<bob@localhost>\n??? 250\nRCPT TO:<nobody@localhost>\n??? 250\n\
                  DATA\n??? 354\nSubject: x\n\nx\n.\n??? 250\n**** 7) une faute\nMAIL FROM\n??? 501\nQUIT\n??? 221\n???*\n";
    let mut command = command(&["--check"], server.address("smtp"));
    command.env("LC_ALL", "fr_FR.UTF-8");
    let (said, report) = ended(&run(&mut command, script), 3);
    assert!(said.contains("\n221 "), "it goes on: {said}");
    for part in [
        "nc: **** 4) un mail\n",
        "nc: ligne 8 : la réponse n'est pas celle que le script attend\n  étape :   4) un mail\n  envoyé :  RCPT TO:<nobody@localhost>\n  \
         attendu : 250\n  reçu :    550 5.1.1 ",
        "n'est pas envoyé\n",
        "nc: ligne 15 : ",
        "nc: contrôle : 6 sur 9 comme attendu\n",
    ] {
        assert!(report.contains(part), "{part}: {report}");
    }
    let right = "??? 220\nQUIT\n??? 221\n";
    let output = mail(&["--check"], server.address("smtp"), right);
    assert_eq!(ended(&output, 0).1, "nc: checked: 2 of 2 came true\n");
    let timed = mail(&["--mail", "--timing"], server.address("smtp"), "QUIT\n");
    let (_, told) = ended(&timed, 0);
    assert_eq!(told.matches("nc: answered after 0.").count(), 2, "{told}");
}

/// Where nobody listens: bound, so that nobody else gets it.
fn nobody() -> (Socket, SocketAddr) {
    let bound = Socket::new(Domain::IPV4, Type::STREAM, None).expect("a socket");
    let any = SocketAddr::from(([127, 0, 0, 1], 0));
    bound.bind(&any.into()).expect("a port");
    let address = bound.local_addr().expect("bound").as_socket();
    (bound, address.expect("of IPv4"))
}

#[test]
fn mail_mode_tells_that_nobody_listens() {
    let (_bound, address) = nobody();
    let (_, told) = ended(&mail(&["--mail"], address, "QUIT\n"), 1);
    assert!(told.contains("failed: Connection refused"), "{told}");
    // Debian's nc is silent.
    assert_eq!(ended(&mail(&[], address, "QUIT\n"), 1).1, "");
}

#[test]
fn starttls_is_typed_by_hand() {
    let server = Server::start();
    let ca = server.authority();
    let ca = ca.to_str().expect("UTF-8");
    let folder = tempfile::tempdir().expect("a folder");
    let stranger = folder.path().join("stranger.pem");
    let (certificate, _) =
        mailtool::reactor::certs::generate(&["localhost".to_owned()]).expect("a certificate");
    std::fs::write(&stranger, certificate).expect("written");
    let stranger = stranger.to_str().expect("UTF-8");
    for (service, typed, last) in [
        (
            "smtp",
            "EHLO a\nSTARTTLS\nEHLO a\n????250-\n??? 250\nQUIT\n",
            "221 ",
        ),
        (
            "pop3",
            "stls\nUSER alice\nPASS alice\nSTAT\nQUIT\n",
            "+OK bye",
        ),
        ("imap", "STARTTLS\nLOGIN alice alice\nLOGOUT\n", "A3 OK"),
    ] {
        let address = server.address(service);
        for protocol in ["--mail", &format!("--{service}")] {
            let (said, noted) = ended(&mail(&[protocol, "--ca", ca], address, typed), 0);
            let last_line = said.lines().last().unwrap_or_default();
            assert!(last_line.starts_with(last), "{said}");
            assert!(
                noted.starts_with("nc: TLS is up: TLSv1.3 ")
                    && noted.ends_with(", certificate verified\n"),
                "{noted}"
            );
        }
        let (_, refused) = ended(&mail(&["--mail", "--ca", stranger], address, typed), 1);
        assert!(
            refused.starts_with("nc: the certificate of localhost is not good: nobody who is trusted here has signed it; --ca FILE"),
            "{refused}"
        );
        // On this machine a certificate that is not good is told of, and taken.
        let (_, noted) = ended(&mail(&["--mail"], address, typed), 0);
        assert!(
            noted.ends_with(
                ", certificate NOT verified: nobody who is trusted here has signed it\n"
            ),
            "{noted}"
        );
        let (_, noted) = ended(&mail(&["--mail", "--insecure"], address, typed), 0);
        assert!(noted.ends_with(", certificate not checked\n"), "{noted}");

        // Before anybody types; and from the first octet.
        let typed = match service {
            "smtp" => "EHLO a\nQUIT\n",
            "pop3" => "USER alice\nQUIT\n",
            _ => "LOGOUT\n",
        };
        let options = ["--mail", "--starttls", service, "--ca", ca];
        let (said, noted) = ended(&mail(&options, address, typed), 0);
        assert!(
            !said.contains("STARTTLS") && noted.contains("TLS is up"),
            "{said}{noted}"
        );
        let secure = server.address(&format!("{service}s"));
        let (_, noted) = ended(&mail(&["--mail", "--ssl", "--ca", ca], secure, typed), 0);
        assert!(noted.contains("TLS is up"), "{noted}");
    }
    // What is refused goes on in the clear.
    let (_, noted) = ended(
        &mail(
            &["--mail"],
            server.address("smtp"),
            "STARTTLS now\n??? 501\nEHLO a\n??? 250\nQUIT\n",
        ),
        0,
    );
    assert_eq!(noted, "");
    let (_, refused) = ended(
        &mail(
            &["--mail", "--starttls", "imap"],
            server.address("pop3"),
            "",
        ),
        1,
    );
    assert!(refused.contains("that is no IMAP server"), "{refused}");
}

#[test]
fn what_is_slipped_in_before_tls_is_refused() {
    for (greeting, ask, yes) in [
        ("220 hi\r\n", "STARTTLS\r\n", "220 go\r\n250 injected\r\n"),
        ("+OK hi\r\n", "STLS\r\n", "+OK go\r\n+OK injected\r\n"),
    ] {
        let (address, server) = watchful(&[Says(greeting), Hears(ask), Says(yes)]);
        let (said, refused) = ended(&mail(&["--mail"], address, ask), 1);
        assert!(
            refused.contains("came in the clear where TLS was to begin"),
            "{refused}"
        );
        assert!(!said.contains("injected"), "{said}");
        server.join().expect("nothing was said");
    }
}

#[test]
fn a_server_that_closes_or_is_silent_is_told() {
    let (address, server) =
        watchful(&[Says("220 hi\r\n"), Hears("NOOP\r\n"), Says("250-half\r\n")]);
    let (said, report) = ended(&mail(&["--mail"], address, "NOOP\nNOOP\n"), 1);
    assert!(said.ends_with("250-half\r\n"), "{said}");
    assert_eq!(
        report,
        "nc: the server closed before it answered \"NOOP\"\n"
    );
    server.join().expect("nothing came early");

    let silent = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = silent.local_addr().expect("bound");
    let (_, report) = ended(&mail(&["--mail", "-w", "1"], address, "NOOP\n"), 1);
    assert_eq!(
        report,
        "nc: nothing came for 1 seconds before its greeting\n"
    );

    let (address, server) = watchful(&[Says("SSH-2.0-x\r\n")]);
    let (_, report) = ended(&mail(&["--mail"], address, "NOOP\n"), 1);
    assert!(
        report.contains("no mail server greets like this"),
        "{report}"
    );
    server.join().expect("nothing was said");

    // Nothing typed is nothing wrong.
    let (address, server) = watchful(&[Says("220 hi\r\n")]);
    let mut command = command(&["--mail"], address);
    let output = command.stdin(Stdio::null()).output().expect("it runs");
    assert_eq!(ended(&output, 0).0, "220 hi\r\n");
    server.join().expect("nothing was said");
}

#[test]
fn much_comes_through_whole() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("bound");
    let line = "A1 OK in a literal\r\n".repeat(1000);
    let literal = line.repeat(1000);
    let octets = literal.len();
    let said = format!("* 1 FETCH (BODY[] {{{octets}}}\r\n{literal})\r\nA1 OK done\r\n");
    let server = thread::spawn(move || {
        let (mut stream, _) = listener.accept().expect("a client");
        stream.write_all(b"* OK hi\r\n").expect("it is read");
        let mut heard = [0; 23];
        stream.read_exact(&mut heard).expect("a command");
        stream.write_all(said.as_bytes()).expect("it is read");
        let mut rest = Vec::new();
        stream.read_to_end(&mut rest).ok();
        said
    });
    let output = mail(&["--mail"], address, "FETCH 1 BODY.PEEK[]\n");
    let (got, _) = ended(&output, 0);
    let said = server.join().expect("it served");
    assert!(
        got == format!("* OK hi\r\n{said}"),
        "{} octets came",
        got.len()
    );
}

#[test]
fn a_reader_who_goes_away_ends_it_quietly() {
    let server = Server::start();
    let mut child = command(&["--mail"], server.address("smtp"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program is built");
    drop(child.stdout.take());
    let output = child.wait_with_output().expect("it ends");
    assert_eq!(ended(&output, 1).1, "");
}

#[test]
fn explanations_stay_out_of_pipes() {
    let server = Server::start();
    let address = server.address("smtp");
    let typed = "EHLO a\nMAIL FROM:<a@localhost>\nRCPT TO:<who@localhost>\nAUTH PLAIN AGFsaWNlAHdyb25n\nQUIT\n";
    let (plain, _) = ended(&mail(&["--mail"], address, typed), 0);
    for (option, words) in [
        (
            "--explain=en",
            ["refused for good", "sent:    RCPT TO:<who@localhost>"],
        ),
        (
            "--explain=fr",
            ["refus définitif", "envoyé : RCPT TO:<who@localhost>"],
        ),
        ("--explain", ["refused for good", "5.1.1"]),
    ] {
        let (said, explained) = ended(&mail(&[option], address, typed), 0);
        assert_eq!(said, plain, "stdout is what the server said");
        for word in words {
            assert!(explained.contains(word), "{word}: {explained}");
        }
        assert!(explained.contains("AUTH PLAIN ********"), "{explained}");
        assert!(
            !explained.contains("AGFsaWNl") && !explained.contains('\x1b'),
            "{explained}"
        );
    }
}

#[test]
fn transcripts_are_dialogues_without_passwords() {
    let server = Server::start();
    let folder = server.folder.path();
    let transcript = |protocol: &str, typed: &str| {
        let file = folder.join("transcript");
        let file = file.to_str().expect("UTF-8");
        let ca = server.authority();
        // What is said before TLS belongs to it, too.
        let (protocol, upgrade) = match protocol.split_once('+') {
            Some((protocol, upgrade)) => (protocol, Some(format!("--starttls={upgrade}"))),
            None => (protocol, None),
        };
        let mut options = vec![
            "--mail",
            "--transcript",
            file,
            "--ca",
            ca.to_str().expect("UTF-8"),
        ];
        options.extend(upgrade.as_deref());
        let output = mail(&options, server.address(protocol), typed);
        ended(&output, 0);
        fs::read_to_string(file).expect("written")
    };
    for (protocol, kind, typed, masked) in [
        (
            "pop3",
            Protocol::Pop3,
            "USER alice\nPASS alice\nSTAT\nQUIT\n",
            &[("PASS ********", "PASS alice")][..],
        ),
        (
            "pop3",
            Protocol::Pop3,
            "STLS\nUSER alice\nPASS alice\nSTAT\nQUIT\n",
            &[("PASS ********", "PASS alice")],
        ),
        (
            "pop3+pop3",
            Protocol::Pop3,
            "USER alice\nPASS alice\nQUIT\n",
            &[("PASS ********", "PASS alice")],
        ),
        (
            "imap",
            Protocol::Imap,
            "LOGIN alice alice\nLOGOUT\n",
            &[("LOGIN alice ********", "LOGIN alice alice")],
        ),
        (
            "imap",
            Protocol::Imap,
            "a AUTHENTICATE PLAIN\nAGFsaWNlAGFsaWNl\nb LOGOUT\n",
            &[("C: ********", "C: AGFsaWNlAGFsaWNl")],
        ),
    ] {
        let written = transcript(protocol, typed);
        for (shown, said) in masked {
            assert!(
                written.contains(shown) && !written.contains(said),
                "{written}"
            );
        }
        let source = masked
            .iter()
            .fold(written, |text, (shown, said)| text.replace(shown, said));
        // What APOP is to be made of is another one each time.
        let source = match source.split_once(" ready <") {
            Some((before, behind)) => {
                let (_, rest) = behind.split_once('>').expect("it ends");
                format!("{before} ready [..]{rest}")
            }
            None => source,
        };
        let source = format!("given: host=localhost user=alice:alice tls=yes\n{source}");
        let dialog = Dialog::parse(kind, &folder.join("t.dialog"), &source);
        let dialog = dialog.unwrap_or_else(|problem| panic!("{problem}\n{source}"));
        play_all(&dialog, &Stage::new).unwrap_or_else(|failure| panic!("{failure}"));
    }
    let written = transcript(
        "submission",
        "EHLO a\nAUTH LOGIN\nYWxpY2U=\nYWxpY2U=\nQUIT\n",
    );
    assert_eq!(written.matches("C: ********\n").count(), 2, "{written}");
    assert!(!written.contains("YWxpY2U="), "{written}");
    let written = transcript("submission+smtp", "EHLO a\nQUIT\n");
    let begins = written.lines().take(2).collect::<Vec<_>>().join("\n");
    assert!(
        begins.starts_with("S: 220 ")
            && begins.contains("\nC: EHLO ")
            && written.contains("C: STARTTLS\nS: 220 "),
        "{written}"
    );
    // With -v, what a script sends is shown beside what comes.
    let typed = "USER alice\nPASS alice\nQUIT\n";
    let (said, shown) = ended(&mail(&["--mail", "-v"], server.address("pop3"), typed), 0);
    assert!(
        shown.contains("> USER alice\n> PASS ********\n> QUIT\n"),
        "{shown}"
    );
    assert!(!said.contains("USER"), "{said}");
}

#[test]
fn smtp_sink_gets_what_is_typed() {
    if !have("smtp-sink", "postfix") {
        return;
    }
    let sink = Sink::start(&["-8"]);
    let typed = "EHLO pc1\nMAIL FROM:<a@example.org>\nRCPT TO:<b@example.org>\nDATA\nSubject: lock-step\n\n..dots\n.\n??? 250\nQUIT\n";
    ended(&mail(&["--mail"], at(&sink.at()), typed), 0);
    let messages = sink.messages();
    assert_eq!(messages.len(), 1);
    assert!(
        messages[0].contains("Subject: lock-step\n\n.dots\n"),
        "{}",
        messages[0]
    );
    // It refuses DATA: the text must not go as commands.
    let sink = Sink::start(&["-r", "DATA"]);
    let (said, noted) = ended(
        &mail(&["--mail"], at(&sink.at()), &typed.replace("??? 250\n", "")),
        0,
    );
    assert!(
        noted.contains("DATA was refused") && said.ends_with("\r\n") && !said.contains("502"),
        "{said}{noted}"
    );
    // It hangs up.
    let sink = Sink::start(&["-q", "RCPT"]);
    let (_, report) = ended(&mail(&["--mail"], at(&sink.at()), typed), 1);
    assert!(
        report.contains("closed before it answered \"RCPT TO:<b@example.org>\""),
        "{report}"
    );
    // LMTP answers for each recipient.
    let sink = Sink::start(&["-L"]);
    let typed = "LHLO a\nMAIL FROM:<a@a.example>\nRCPT TO:<b@b.example>\nRCPT TO:<c@c.example>\nDATA\nx\n.\nQUIT\n??? 221\n";
    let (said, _) = ended(&mail(&["--mail"], at(&sink.at()), typed), 0);
    let after = said.split("354").nth(1).expect("a text");
    assert_eq!(after.matches("\r\n250 ").count(), 2, "{said}");
}

#[test]
fn dovecot_and_postfix_are_talked_to() {
    if !have("doveadm", "dovecot-imapd")
        || !have("/usr/lib/dovecot/pop3", "dovecot-pop3d")
        || !have("/usr/lib/dovecot/lmtp", "dovecot-lmtpd")
    {
        return;
    }
    let ours = Server::start();
    let ca = ours.authority();
    let ca = ca.to_str().expect("UTF-8");
    let dovecot = Dovecot::start(&ours);
    let message = "Subject: literal\r\n\r\nA1 OK in the text\r\n.\r\n";
    let typed = format!(
        "STARTTLS\n??? OK\nLOGIN alice {{5}}\nalice\n??? OK\nAPPEND INBOX {{{}}}\n{}\n??? OK\nSELECT INBOX\n??? * 1 EXISTS\nIDLE\n+++ 0.1\nDONE\n\
         FETCH 1 (BODY.PEEK[] UID)\n??? Subject: literal\n??? OK\nLOGOUT\n??? * BYE\n??? OK\n???*\n",
        message.len(),
        message.replace("\r\n", "\n")
    );
    let (said, noted) = ended(
        &mail(&["--imap", "--ca", ca], at(&dovecot.at("imap")), &typed),
        0,
    );
    assert!(
        said.contains(message) && noted.contains("certificate verified"),
        "{said}{noted}"
    );
    let typed = "CAPA\nSTLS\nUSER alice\nPASS alice\nLIST\nUIDL 1\nRETR 1\n??? A1 OK in the text\nTOP 1 0\nDELE 1\nQUIT\n";
    let (said, _) = ended(
        &mail(&["--mail", "--ca", ca], at(&dovecot.at("pop3")), typed),
        0,
    );
    assert!(said.contains("A1 OK in the text\r\n..\r\n.\r\n"), "{said}");
    let typed = "LHLO a\nMAIL FROM:<eve@example.org>\nRCPT TO:<alice@example.test>\nRCPT TO:<nobody@example.test>\n??? 550\n\
                 RCPT TO:<bob@example.test>\nDATA\nSubject: x\n\nx\n.\n??? 250\n??? 250\nQUIT\n";
    let options = ["--starttls", "lmtp", "--mail", "--ca", ca];
    ended(&mail(&options, at(&dovecot.at("lmtp")), typed), 0);
    assert!(!dovecot.log().contains("Error"), "{}", dovecot.log());
    let Some(postfix) = Postfix::start(&ours, &dovecot) else {
        return;
    };
    let typed = "EHLO a\nSTARTTLS\nEHLO a\nAUTH LOGIN\nYWxpY2U=\nYWxpY2U=\n??? 235\nMAIL FROM:<alice@example.test>\nRCPT TO:<bob@example.test>\n\
                 RCPT TO:<grey@example.test>\n??? 450 4.2.0\nDATA\nSubject: y\n\ny\n.\n??? 250 2.0.0\nQUIT\n??? 221\n";
    ended(
        &mail(&["--mail", "--ca", ca], at(&postfix.at("smtp")), typed),
        0,
    );
}
