//! `mailtool codes` on the built program: tables, searches, the filter, the quiz; in both languages, word for word.

#[path = "support/program.rs"]
mod program;

use program::{mailtool, succeeded};

#[test]
fn every_table_is_listed_in_every_form() {
    for table in [
        "smtp",
        "enhanced",
        "pop",
        "imap",
        "commands",
        "capabilities",
        "sasl",
        "ports",
    ] {
        for lang in ["en", "fr"] {
            let text = succeeded(&mailtool(&["codes", "--lang", lang, "--list", table], ""));
            assert!(
                text.lines().all(|line| line.chars().count() <= 80),
                "{table}"
            );
            let json = succeeded(&mailtool(
                &["codes", "--lang", lang, "--json", "--list", table],
                "",
            ));
            let markdown = succeeded(&mailtool(
                &["codes", "--lang", lang, "--markdown", "--list", table],
                "",
            ));
            let rows = json.matches("{\"query\"").count();
            let in_table = markdown
                .lines()
                .filter(|line| line.starts_with("| `"))
                .count();
            // A row's first line is indented by two.
            let in_text = text
                .lines()
                .filter(|line| line.starts_with("  ") && !line.starts_with("   "))
                .count();
            assert!(
                rows >= 8 && rows == in_table && rows == in_text,
                "{table}: {rows} {in_table} {in_text}"
            );
        }
    }
    let refused = mailtool(&["codes", "--list", "nothing"], "");
    assert_eq!(refused.status.code(), Some(64));
}

#[test]
fn a_list_in_french() {
    let text = succeeded(&mailtool(&["codes", "--lang", "fr", "--list", "ports"], ""));
    assert!(
        text.starts_with(
            "service de courrier\n\n  smtp  25/tcp\n      Les serveurs entre eux : un MTA transmet le courrier au suivant.\n  pop3  110/tcp\n"
        ),
        "{text}"
    );
}

#[test]
fn markdown_in_both_languages() {
    let english = succeeded(&mailtool(
        &["codes", "--lang", "en", "--markdown", "4.2.2", "NOOP"],
        "",
    ));
    assert!(
        english.starts_with(
            "## `4.2.2` Mailbox full\n\n*enhanced status code (SMTP, delivery reports), RFC 3463 §3.3*\n\n\
             - `4.x.x`: failed for now: the same message may get through later\n"
        ),
        "{english}"
    );
    assert!(
        english.contains("\n```\nC: NOOP\nS: 250 2.0.0 OK\n```\n"),
        "{english}"
    );
    let french = succeeded(&mailtool(
        &["codes", "--lang", "fr", "--markdown", "[TRYCREATE]"],
        "",
    ));
    assert_eq!(
        french,
        "## `[TRYCREATE]` try CREATE\n\n*code de réponse IMAP, RFC 9051 §7.1*\n\n\
         - **Sens** : La boîte cible n'existe pas, mais vous pourriez la créer.\n\
         - **Qui, quand** : Le serveur, avec NO après APPEND, COPY ou MOVE.\n\
         - **Que faire** : Créer la boîte avec CREATE, puis redonner la commande.\n"
    );
}

#[test]
fn a_search_finds_in_both_languages_without_accents() {
    let found = succeeded(&mailtool(
        &["codes", "--lang", "en", "--search", "boite", "pleine"],
        "",
    ));
    assert!(
        found.contains("  452  Requested action not taken"),
        "{found}"
    );
    let none = mailtool(
        &[
            "codes",
            "--lang",
            "fr",
            "--search",
            "introuvable-nulle-part",
        ],
        "",
    );
    assert_eq!(none.status.code(), Some(1));
    let said = String::from_utf8_lossy(&none.stderr).into_owned();
    assert!(
        said.contains("rien ne parle de « introuvable-nulle-part »"),
        "{said}"
    );
}

#[test]
fn the_language_comes_from_the_environment() {
    use std::process::Command;
    let said = |variables: &[(&str, &str)]| {
        let mut command = Command::new(program::MAILTOOL);
        command
            .args(["codes", "250"])
            .env_remove("LC_ALL")
            .env_remove("LC_MESSAGES")
            .env_remove("LANG");
        let output = command
            .envs(variables.iter().copied())
            .output()
            .expect("it runs");
        String::from_utf8_lossy(&output.stdout).contains("Sens")
    };
    assert!(!said(&[]));
    assert!(said(&[("LANG", "fr_FR.UTF-8")]));
    assert!(said(&[("LANG", "de_DE"), ("LC_MESSAGES", "fr_CA")]));
    assert!(!said(&[("LANG", "fr_FR.UTF-8"), ("LC_ALL", "C")]));
    // An empty one is as good as none.
    assert!(said(&[("LC_ALL", ""), ("LANG", "fr")]));
}

#[test]
fn a_transcript_of_swaks_and_a_log_are_annotated() {
    let swaks = "=== Trying mx.example.net:25...\n=== Connected to mx.example.net.\n<-  220 mx.example.net ESMTP\n \
        -> EHLO client\n<-  250-mx.example.net\n<-  250 SIZE 1000\n -> RCPT TO:<x@example.net>\n\
        <** 550 5.1.1 <x@example.net>: unknown\n";
    let told = succeeded(&mailtool(&["codes", "--lang", "fr"], swaks));
    for line in swaks.lines() {
        assert!(
            told.contains(&format!("{line}\n")),
            "{line} is gone:\n{told}"
        );
    }
    assert!(
        told.contains("<-  220 mx.example.net ESMTP\n    220     "),
        "{told}"
    );
    assert!(
        told.contains("<-  250-mx.example.net\n<-  250 SIZE 1000\n    250     "),
        "{told}"
    );
    assert!(
        told.contains("    5.1.1   Cette boîte n'existe pas"),
        "{told}"
    );
    // `-` asks for it by name.
    assert_eq!(
        told,
        succeeded(&mailtool(&["codes", "--lang", "fr", "-"], swaks))
    );
}

#[test]
fn a_quiz_on_a_pipe() {
    let ask = |seed: &str, lang: &str, answers: &str| {
        let words = [
            "codes", "--lang", lang, "--quiz", "smtp", "--count", "4", "--seed", seed,
        ];
        succeeded(&mailtool(&words, answers))
    };
    let first = ask("5", "en", "1\n2\n3\n4\n");
    assert_eq!(first, ask("5", "en", "1\n2\n3\n4\n"));
    assert_eq!(first.matches("> ").count(), 4, "{first}");
    assert!(
        first.trim_end().ends_with("/4") && first.contains("Score: "),
        "{first}"
    );
    let french = ask("5", "fr", "1\nq\n");
    assert!(
        french.trim_end().ends_with("/1") && french.contains("Score : "),
        "{french}"
    );
    // The end of the input ends it.
    assert!(ask("5", "en", "").ends_with("Score: 0/0\n"));
    let refused = mailtool(&["codes", "--seed", "5", "550"], "");
    assert_eq!(refused.status.code(), Some(64));
}

#[test]
fn unknown_words_fail_and_name_the_nearest() {
    let output = mailtool(&["codes", "--lang", "fr", "RTER"], "");
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).contains("Les plus proches : RETR"));
}
