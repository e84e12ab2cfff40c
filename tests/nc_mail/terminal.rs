//! Mail mode on a terminal.

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
