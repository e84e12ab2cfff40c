//! Every option has its variable in the environment and its key in the file, and all three mean the same.

use std::time::Duration;

use clap::{Args, Command, FromArgMatches};

use super::Options;
use crate::limits;

/// Each option, with a value as the command line has it; a switch has none.
const OPTIONS: &[(&str, &str)] = &[
    ("listen", "192.0.2.1"),
    ("standard-ports", ""),
    ("smtp", "127.0.0.1:2525"),
    ("submission", "2587"),
    ("smtps", "off"),
    ("lmtp", "unix:/run/lmtp"),
    ("pop3", "0"),
    ("pop3s", "off"),
    ("imap", "[::1]:2143"),
    ("imaps", "off"),
    ("store", "mail"),
    ("domain", "example.org"),
    ("hostname", "mx.example.org"),
    ("user", "eve:secret"),
    ("users", "passwd"),
    ("class", "class.csv"),
    ("exercise", "lab.exercise"),
    ("system-users", ""),
    ("aliases", "aliases"),
    ("separator", "-"),
    ("postmaster", "eve"),
    ("catch-all", "eve@example.org"),
    ("accept-any", ""),
    ("quota", "500M"),
    ("quota-messages", "9"),
    ("strict", ""),
    ("vrfy", ""),
    ("own-senders", ""),
    ("check-sender-domains", ""),
    ("allow-plaintext", ""),
    ("auth", "PLAIN"),
    ("login-delay", "9"),
    ("token", "eve:t0ken"),
    ("tokens", "tokens"),
    ("xclient-from", "192.0.2.0/24"),
    ("proxy-from", "192.0.2.1"),
    ("max-recipients", "9"),
    ("max-hops", "9"),
    ("max-errors", "9"),
    ("max-commands", "9"),
    ("max-line", "512"),
    ("max-hold", "1h"),
    ("min-deliver-by", "5"),
    ("rate-per-address", "0"),
    ("rate-per-user", "9"),
    ("smtp-timeout", "30s"),
    ("max-size", "1000000"),
    ("connections", "9"),
    ("connections-each", "9"),
    ("relay", ""),
    ("relay-from", "192.0.2.0/24"),
    ("route", ".example.net=192.0.2.1:25"),
    ("smarthost", "me:secret@smtp.example.org:587"),
    ("smarthost-user", "me"),
    ("smarthost-password-file", "password"),
    ("smarthost-token-file", "token"),
    ("smarthost-token-command", "oauth2 refresh"),
    ("deliver", "lmtp:/run/lmtp"),
    ("require-tls", "bank.example"),
    ("relay-ca", "ca.pem"),
    ("resolver", "127.0.0.1:5353"),
    ("retry", "30s"),
    ("give-up", "2h"),
    ("warn-after", "1h"),
    ("relay-timeout", "data=30s"),
    ("relay-connections", "9"),
    ("relay-connections-each", "3"),
    ("lab-chain", "3"),
    ("fault", "smtp rcpt drop"),
    ("fault-file", "rules"),
    ("faults", ""),
    ("fault-seed", "7"),
    ("tls-cert", "cert.pem"),
    ("tls-key", "key.pem"),
    ("transcript", "dialogue"),
    ("pcap", "capture"),
    ("watch", "smtp,alice"),
    ("explain", "fr"),
    ("sessions", "dialogues"),
    ("sessions-size", "10M"),
    ("sessions-age", "2d"),
    ("pcap-size", "100M"),
    ("pcap-files", "3"),
    ("exit-after", "9"),
    ("ready-fd", "3"),
];

fn command() -> Command {
    Options::augment_args(Command::new("serve"))
}

fn shown(options: &Options) -> String {
    format!("{options:?}")
}

/// What the file is understood as that has this line.
fn of_file(line: &str) -> Options {
    super::of_file(line).unwrap_or_else(|error| panic!("{line}: {error:#}"))
}

#[test]
fn the_table_has_every_option() {
    let command = command();
    let known: Vec<&str> = command
        .get_arguments()
        .filter_map(clap::Arg::get_long)
        .collect();
    for name in &known {
        let named = OPTIONS.iter().any(|(option, _)| option == name);
        assert!(named || *name == "config", "--{name} is not in the table");
    }
    assert_eq!(known.len(), OPTIONS.len() + 1);
}

#[test]
fn every_option_has_its_variable() {
    for argument in command().get_arguments() {
        let Some(name) = argument.get_long() else {
            continue;
        };
        let variable = format!("MAILTOOL_{}", name.replace('-', "_").to_uppercase());
        match argument.get_env() {
            Some(known) => assert_eq!(known.to_string_lossy(), variable),
            // Several lines, which clap cannot part: `accounts_of_environment`.
            None => assert_eq!(name, "user"),
        }
        assert!(
            argument.get_help_heading().is_some(),
            "--{name} is under no heading"
        );
    }
}

#[test]
fn every_option_has_its_key_and_both_mean_the_same() {
    for (name, value) in OPTIONS {
        let mut words = vec!["serve".to_owned(), format!("--{name}")];
        let line = if value.is_empty() {
            format!("{name} = true")
        } else {
            words.push((*value).to_owned());
            format!("{name} = '{value}'")
        };
        let matches = command()
            .try_get_matches_from(words)
            .unwrap_or_else(|error| panic!("--{name} {value}: {error}"));
        let typed = Options::from_arg_matches(&matches).expect("what clap took");
        // A number may stand there as one.
        let line = match value.parse::<u64>() {
            Ok(number) => format!("{name} = {number}"),
            Err(_) => line,
        };
        let read = of_file(&line);
        // Paths in a file: the test below.
        let read_here = shown(&read).replace("/etc/mailtool/", "");
        assert_eq!(read_here, shown(&typed), "{name}");
        assert_ne!(shown(&read), shown(&Options::default()), "{name}");
    }
}

#[test]
fn paths_in_a_file_are_meant_from_where_it_is() {
    let is_path = |argument: &&clap::Arg| {
        let named = argument.get_value_names().unwrap_or_default();
        let is_named = |name: &clap::builder::Str| matches!(&**name, "FILE" | "DIR");
        argument.get_long().is_some() && named.iter().any(is_named)
    };
    let command = command();
    let paths: Vec<_> = command.get_arguments().filter(is_path).collect();
    assert!(paths.len() >= 9);
    for path in paths {
        let name = path.get_long().expect("long");
        let read = of_file(&format!("{name} = 'one'"));
        assert!(
            shown(&read).contains("\"/etc/mailtool/one\""),
            "{name}: {read:?}"
        );
    }
}

#[test]
fn the_defaults_that_help_names_are_those_that_hold() {
    let minutes = |time: Duration| format!("{}m", time.as_secs() / 60);
    let hours = |time: Duration| format!("{}h", time.as_secs() / 3600);
    let days = |time: Duration| format!("{}d", time.as_secs() / 86_400);
    for (name, default) in [
        ("max-size", limits::MESSAGE_SIZE.to_string()),
        ("max-recipients", limits::RECIPIENTS.to_string()),
        ("max-hops", limits::HOPS.to_string()),
        ("max-errors", limits::ERRORS.to_string()),
        ("rate-per-address", limits::RATE_PER_ADDRESS.to_string()),
        ("rate-per-user", limits::RATE_PER_USER.to_string()),
        ("smtp-timeout", minutes(limits::SMTP_IDLE)),
        ("smtp-timeout", minutes(limits::SMTP_CHALLENGE_IDLE)),
        ("max-commands", limits::IDLE_COMMANDS.to_string()),
        ("max-line", limits::SMTP_LINE.to_string()),
        (
            "max-hold",
            days(Duration::from_secs(limits::FUTURE_RELEASE.into())),
        ),
        ("min-deliver-by", format!("{}s", limits::DELIVER_BY)),
        ("connections", limits::CONNECTIONS.to_string()),
        (
            "connections-each",
            limits::CONNECTIONS_PER_ADDRESS.to_string(),
        ),
        ("relay-connections", limits::OUTGOING.to_string()),
        (
            "relay-connections-each",
            limits::RELAY_CONNECTIONS_EACH.to_string(),
        ),
        ("retry", minutes(limits::RETRY)),
        ("retry", hours(limits::RETRY_MAX)),
        ("give-up", days(limits::GIVE_UP)),
        ("warn-after", hours(limits::WARN_DELAY)),
        (
            "sessions-size",
            format!("{}M", limits::SESSIONS_OCTETS >> 20),
        ),
        ("sessions-age", days(limits::SESSIONS_AGE)),
        ("pcap-files", limits::CAPTURE_FILES.to_string()),
    ] {
        let command = command();
        let named = |argument: &&clap::Arg| argument.get_long() == Some(name);
        let argument = command.get_arguments().find(named).expect(name);
        let help = argument.get_help().expect(name).to_string();
        let (_, told) = help.split_once("[default: ").expect(name);
        let told: Vec<&str> = told.split([' ', ',', ']']).collect();
        assert!(
            told.contains(&default.as_str()),
            "{name}: {default}, {help}"
        );
    }
}

#[test]
fn what_cannot_be_says_what_can() {
    for (name, value, advice) in [
        ("listen", "lan", "such as 127.0.0.1 or ::1"),
        ("smtp", "here", "such as 127.0.0.1:2525"),
        ("domain", "a b", "mail.example.org"),
        ("user", "eve", "alice:secret"),
        ("separator", "ab", "such as + or -, or off"),
        ("catch-all", "a b", "alice@example.org"),
        ("quota", "much", "such as 500M"),
        ("quota-messages", "0", "1 or more"),
        ("auth", "NTLM", "SCRAM-SHA-256"),
        ("token", "eve", "USER:TOKEN"),
        ("xclient-from", "lan", "192.0.2.0/24"),
        ("max-recipients", "none", "1 or more"),
        ("rate-per-user", "-1", "0 is no limit"),
        ("smtp-timeout", "0", "30s, 5m"),
        ("smtp-timeout", "quit=5", "login=TIME"),
        ("max-line", "80", "from 512"),
        ("max-size", "0", "such as 10000000"),
        ("relay-from", "192.0.2.1/24", "192.0.2.0/24"),
        ("route", "example.org", "DOMAIN=HOST:PORT"),
        ("route", "example.org=", "mail.example.org:25"),
        ("smarthost", "me@smtp.example.org", "USER:PASSWORD"),
        ("deliver", "/run/lmtp", "lmtp:/run"),
        ("require-tls", "@bank", "for all below it"),
        ("resolver", "ns1", "127.0.0.1:5353"),
        ("retry", "soon", "30s, 5m"),
        ("relay-connections", "0", "from 1 to 10000"),
        ("lab-chain", "0", "1..=60"),
        ("explain", "de", "en or fr"),
        ("sessions-size", "much", "such as 5000000"),
        ("exit-after", "0", "1 or more"),
        ("fault", "smtp rctp drop", "is rcpt meant?"),
    ] {
        let option = format!("--{name}={value}");
        let error = command()
            .try_get_matches_from(["serve", &option])
            .expect_err(&option)
            .to_string();
        assert!(error.contains(advice), "{option}: {error}");
    }
}
