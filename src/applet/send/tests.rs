use super::trial::Choice;
use super::*;
use crate::applet::credentials::Access;
use crate::proto::smtp::client::{Failure, Outcome, Stage};
use crate::wire::smtp::{Enhanced, Reply};

fn parse(words: &[&str]) -> Result<Arguments, clap::Error> {
    let words = ["send"].iter().chain(words).copied();
    Arguments::from_arg_matches(&command().try_get_matches_from(words)?)
}

fn composed(words: &[&str]) -> anyhow::Result<Mail> {
    composed_mail(&parse(words).expect("good words"), "pc1.example")
}

fn access() -> Access {
    let arguments = parse(&[]).expect("good words");
    arguments.server.access(&PORTS).expect("nobody logs in")
}

fn address(text: &str) -> Address {
    Address::parse(text.as_bytes()).expect("an address")
}

#[test]
fn the_command_is_consistent() {
    command().debug_assert();
}

#[test]
fn everybody_gets_it_once_and_nobody_sees_bcc() {
    let mail = composed(&[
        "--from",
        "Bob <bob@example.org>",
        "--to",
        "a@x.example,b@x.example",
        "--cc",
        "c@x.example",
        "--bcc",
        "d@x.example",
        "a@x.example",
        "--body",
        "hi",
    ])
    .expect("a mail");
    let recipients: Vec<_> = mail.recipients.iter().map(Address::to_string).collect();
    assert_eq!(
        recipients,
        ["a@x.example", "b@x.example", "c@x.example", "d@x.example"]
    );
    assert_eq!(mail.reverse_path, Some(address("bob@example.org")));
    let text = String::from_utf8(mail.text).expect("ASCII");
    assert!(
        text.contains("From: \"Bob\" <bob@example.org>\r\n"),
        "{text}"
    );
    assert!(
        !text.contains("d@x.example") && !text.to_lowercase().contains("bcc"),
        "{text}"
    );
}

#[test]
fn the_sender_is_who_logs_in() {
    let mail = composed(&["-u", "alice", "--to", "b@x.example", "--body", ""]).expect("a mail");
    assert_eq!(mail.reverse_path, Some(address("alice@localhost")));
    let mail = composed(&["-u", "alice@y.example", "--to", "b@x.example", "--body", ""]);
    assert_eq!(
        mail.expect("a mail").reverse_path,
        Some(address("alice@y.example"))
    );
}

#[test]
fn a_raw_message_stays_as_it_is_but_for_bcc() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("message.eml");
    let text = "From: Bob <bob@example.org>\nTo: a@x.example,\n b@x.example\nBcc: c@x.example,\n\td@x.example\nX: y\n\nBcc: e@x.example\n.\n";
    std::fs::write(&file, text).expect("written");
    let file = file.to_str().expect("UTF-8");
    let mail = raw_mail(
        &parse(&["-t", "-i", "--body-file", file]).expect("good words"),
        Style::AsItIs,
        "pc1",
    )
    .expect("a mail");
    let recipients: Vec<_> = mail.recipients.iter().map(Address::to_string).collect();
    assert_eq!(
        recipients,
        ["a@x.example", "b@x.example", "c@x.example", "d@x.example"]
    );
    assert_eq!(mail.reverse_path, Some(address("bob@example.org")));
    let kept = "From: Bob <bob@example.org>\nTo: a@x.example,\n b@x.example\nX: y\n\nBcc: e@x.example\n.\n";
    assert_eq!(String::from_utf8(mail.text).expect("text"), kept);
    let raw = parse(&[
        "--raw",
        "-f",
        "<>",
        "--to",
        "z@x.example",
        "--body-file",
        file,
    ])
    .expect("good words");
    let mail = raw_mail(&raw, Style::AsItIs, "pc1").expect("a mail");
    assert_eq!((mail.reverse_path, mail.recipients.len()), (None, 1));
    assert_eq!(mail.text, text.as_bytes());
}

#[test]
fn what_is_missing_or_wrong_has_its_exit_code() {
    for (words, code) in [
        (&["--body", "x"][..], exit::USAGE),
        (&["--to", "nobody at all", "--body", "x"], exit::USAGE),
        (
            &["--to", "a@x.example\r\nBcc: b@x.example", "--body", "x"],
            exit::USAGE,
        ),
        (
            &[
                "--from",
                "a@x.example,b@x.example",
                "--to",
                "a@x.example",
                "--body",
                "x",
            ],
            exit::USAGE,
        ),
        (
            &["--to", "a@x.example", "--body-file", "/nonexistent/file"],
            exit::NO_INPUT,
        ),
        (
            &[
                "--to",
                "a@x.example",
                "--body",
                "x",
                "--attach",
                "/nonexistent/file",
            ],
            exit::NO_INPUT,
        ),
    ] {
        let error = composed(words).expect_err("a mistake");
        assert_eq!(exit::code_of(&error), Some(code), "{words:?}: {error:#}");
    }
    assert!(parse(&["--raw", "--subject", "x"]).is_err());
    assert!(parse(&["--body", "x", "--body-file", "y"]).is_err());
}

#[test]
fn the_outcome_decides_the_exit_code() {
    let reply = |code, enhanced| Reply::new(code, enhanced, "said");
    let outcome = |taken: &[Reply], refused: &[Reply], failure| Outcome {
        taken: taken
            .iter()
            .map(|reply| (address("a@x.example"), reply.clone()))
            .collect(),
        refused: refused
            .iter()
            .map(|reply| (address("b@x.example"), reply.clone()))
            .collect(),
        failure,
        ..Outcome::default()
    };
    let so = |outcome: &Outcome, on_refusal| {
        let report = Report {
            protocol: "SMTP",
            access: &access(),
            outcome,
            on_refusal,
            shows: Shows::Nothing,
        };
        match report.conclude(Ok(())) {
            Ok(code) => code,
            Err(error) => exit::code_of(&error).expect("a code"),
        }
    };
    let end = |outcome| so(&outcome, Choice::Send);
    let ok = reply(250, Enhanced(2, 0, 0));
    let unknown = reply(550, Enhanced(5, 1, 1));
    assert_eq!(end(outcome(std::slice::from_ref(&ok), &[], None)), exit::OK);
    let one_of_two = outcome(&[ok], std::slice::from_ref(&unknown), None);
    assert_eq!(so(&one_of_two, Choice::Ignore), exit::OK);
    assert_eq!(end(one_of_two), exit::NO_USER);
    let nobody = outcome(&[], std::slice::from_ref(&unknown), None);
    assert_eq!(so(&nobody, Choice::Ignore), exit::NO_USER);
    let later = reply(450, Enhanced(4, 2, 1));
    assert_eq!(
        end(outcome(&[], &[unknown, later.clone()], None)),
        exit::TEMPORARY
    );
    let refused = |stage, reply| Some(Failure::Refused { stage, reply });
    for (stage, reply, code) in [
        (Stage::Text, later, exit::TEMPORARY),
        (
            Stage::Auth,
            reply(535, Enhanced(5, 7, 8)),
            exit::NO_PERMISSION,
        ),
        (
            Stage::Mail,
            reply(530, Enhanced(5, 7, 0)),
            exit::NO_PERMISSION,
        ),
        (Stage::Mail, reply(552, Enhanced(5, 3, 4)), exit::DATA),
        (Stage::Greeting, Reply::basic(554, "no"), exit::UNAVAILABLE),
    ] {
        assert_eq!(
            end(outcome(&[], &[], refused(stage, reply))),
            code,
            "{stage}"
        );
    }
}

#[test]
fn sendmail_adds_what_is_missing_and_ends_at_the_dot() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("message.eml");
    let sent = |words: &[&str], text: &str| {
        std::fs::write(&file, text).expect("written");
        let file = file.to_str().expect("UTF-8");
        let words = [words, &["-u", "bob", "--body-file", file]].concat();
        let mail =
            raw_mail(&parse(&words).expect("good words"), Style::Sendmail, "pc1").expect("a mail");
        assert_eq!(mail.reverse_path, Some(address("bob@localhost")));
        String::from_utf8(mail.text).expect("text")
    };
    let text = sent(&["a@x.example"], "hello\n.\nrest\n");
    assert!(
        text.starts_with("Date: ") && text.ends_with(">\n\nhello\n"),
        "{text}"
    );
    assert!(
        text.contains("\nFrom: <bob@localhost>\nMessage-ID: <"),
        "{text}"
    );
    let whole = "Date: x\nMessage-ID: <1@x>\nTo: a@x.example\n\n.\nrest\n";
    let text = sent(&["-t", "-i"], whole);
    assert_eq!(text, format!("From: <bob@localhost>\n{whole}"));
}

#[test]
fn the_callers_of_sendmail_are_understood() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("message.eml");
    std::fs::write(&file, "To: root, x@y.example\nSubject: s\n\nbody\n").expect("written");
    let file = file.to_str().expect("UTF-8");
    let sent = |words: &str| {
        let words: Vec<_> = ["--body-file", file]
            .into_iter()
            .chain(words.split(' '))
            .collect();
        let arguments = parse(&words).unwrap_or_else(|error| panic!("{words:?}: {error}"));
        let mail = raw_mail(&arguments, Style::Sendmail, "pc1").expect("a mail");
        let recipients: Vec<_> = mail.recipients.iter().map(ToString::to_string).collect();
        let text = String::from_utf8(mail.text).expect("text");
        let from = text.lines().find(|line| line.starts_with("From: "));
        let from = from.unwrap_or_default().to_owned();
        (mail.reverse_path, recipients.join(" "), from)
    };
    let root = || Some(address("root@localhost"));
    // cronie, Debian's cron, systemd-cron, anacron, atd, mdadm, PHP, git, s-nail.
    assert_eq!(
        sent("-FCronDaemon -i -odi -oem -oi -t -f root"),
        (
            root(),
            "root@localhost x@y.example".to_owned(),
            "From: \"CronDaemon\" <root@localhost>".to_owned()
        )
    );
    for (words, recipients) in [
        (
            "-froot -i -FCronDaemon -B8BITMIME -oem bob",
            "bob@localhost",
        ),
        ("-froot -i -B 8BITMIME bob", "bob@localhost"),
        ("-froot -FAnacron -odi root", "root@localhost"),
        ("-froot -i bob,x@y.example", "bob@localhost x@y.example"),
        ("-t -froot", "root@localhost x@y.example"),
        ("-froot -bm -i -- bob", "bob@localhost"),
        ("bob -i -f root", "bob@localhost"),
    ] {
        let (reverse_path, to, _) = sent(words);
        assert_eq!((reverse_path, to.as_str()), (root(), recipients), "{words}");
    }
    assert_eq!(sent("-f <> -i bob").0, None);
    let (.., from) = sent("-froot -FCron\u{e9} bob");
    assert_eq!(from, "From: =?UTF-8?B?Q3JvbsOp?= <root@localhost>");
}

/// Nobody whom a header names is left out: of several fields, folded, or at the end of the input.
#[test]
fn all_fields_of_a_header_count() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("message.eml");
    let sent = |text: &str| {
        std::fs::write(&file, text).expect("written");
        let file = file.to_str().expect("UTF-8");
        let arguments = parse(&["-t", "-i", "-f", "c@x", "--body-file", file]).expect("good");
        let mail = raw_mail(&arguments, Style::Sendmail, "pc1").expect("a mail");
        let recipients: Vec<_> = mail.recipients.iter().map(ToString::to_string).collect();
        let text = String::from_utf8(mail.text).expect("text");
        let rest = text.split_once("Message-ID: ").expect("it is added").1;
        let rest = rest.split_once('\n').expect("a line").1.to_owned();
        (recipients.join(" "), rest)
    };
    for (text, recipients, rest) in [
        (
            "To: a@x\nto: b@x\n\nt\n",
            "a@x b@x",
            "To: a@x\nto: b@x\n\nt\n",
        ),
        ("Bcc: a@x\nBCC: b@x\nS: s\n\nt", "a@x b@x", "S: s\n\nt"),
        (
            "To: a@x\nBcc:\n b@x,\r\n\td@x\r\n\nt",
            "a@x b@x d@x",
            "To: a@x\n\nt",
        ),
        ("S: s\nTo: a@x", "a@x", "S: s\nTo: a@x"),
        ("To: a@x\nBcc: b@x", "a@x b@x", "To: a@x\n"),
        ("To: a@x\n\nBcc: b@x", "a@x", "To: a@x\n\nBcc: b@x"),
        (
            "To: a@x\nResent-To: b@x\nResent-Bcc: d@x\n\nt",
            "b@x d@x",
            "To: a@x\nResent-To: b@x\n\nt",
        ),
        (
            "From e@x Thu Jan  1 00:00:00 1970\nTo: a@x\n\nFrom t\n",
            "a@x",
            "To: a@x\n\nFrom t\n",
        ),
    ] {
        assert_eq!(sent(text), (recipients.to_owned(), rest.to_owned()));
    }
}
