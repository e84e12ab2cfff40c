//! Rules as they are typed.

use super::words::{ACTIONS, CONDITIONS, EXAMPLES, SCOPES, STAGES, page};
use super::*;
use crate::wire::codes::Lang;
use crate::wire::smtp::Enhanced;

fn rule(text: &str) -> Rule {
    text.parse()
        .unwrap_or_else(|error| panic!("{text}: {error}"))
}

fn refused(text: &str) -> String {
    match text.parse::<Rule>() {
        Ok(rule) => panic!("{text} is taken for {rule:?}"),
        Err(error) => error.to_string(),
    }
}

#[test]
fn the_rule_of_the_manual() {
    let rule = rule("smtp  rcpt to=alice@* reply=450 4.2.0 busy times=2");
    assert_eq!(
        rule.text,
        "smtp rcpt to=alice@* reply=450 4.2.0 busy times=2"
    );
    assert_eq!(
        (rule.scope, rule.stage),
        (Scope::Smtp, Stage::Command("RCPT".into()))
    );
    assert_eq!(rule.when.times, Some(2));
    assert!(
        rule.when
            .to
            .is_some_and(|to| to.matches("ALICE@example.org"))
    );
    let said = Said::Smtp(Reply::new(450, Enhanced(4, 2, 0), "busy"));
    assert_eq!(rule.what.outcome, Some(Outcome::Reply(said)));
}

#[test]
fn the_text_of_a_reply_ends_where_the_rule_goes_on() {
    let said = |text| match rule(text).what.outcome {
        Some(Outcome::Reply(Said::Smtp(reply))) => reply.to_string(),
        Some(Outcome::Reply(Said::Pop3(text) | Said::Imap(text))) => text,
        other => panic!("{text}: {other:?}"),
    };
    assert_eq!(
        said("smtp mail reply=550 a=b is no word of a rule drop it"),
        "550 a=b is no word of a rule drop it"
    );
    assert_eq!(
        said("smtp mail reply=\"450 4.2.0 say times=2 yourself\" nth=3"),
        "450 4.2.0 say times=2 yourself"
    );
    assert_eq!(
        said("smtp mail reply=451 chance=50%"),
        "451 4.0.0 A fault, made on purpose"
    );
    assert_eq!(
        said("smtp connect reply=554"),
        "554 A fault, made on purpose"
    );
    assert_eq!(
        said("pop3 retr reply=-ERR [SYS/TEMP] later"),
        "-ERR [SYS/TEMP] later"
    );
    assert_eq!(
        said("pop3 dele reply=-ERR"),
        "-ERR A fault, made on purpose"
    );
    assert_eq!(
        said("imap select reply=NO [UNAVAILABLE] the disk is away"),
        "NO [UNAVAILABLE] the disk is away"
    );
}

#[test]
fn every_condition_and_action_is_read() {
    let all = rule(
        "any any address=192.0.2.0/24 user=eve* from=<> to=?@b phase=tls connection=2-4 message=/3 nth=5- chance=0.5% \
         seed=9 times=7 per=address greylist=90s limit=10/1m delay=500ms-2s throttle=4K drop after=3 hide=size,STARTTLS \
         short count=-2",
    );
    let (when, what) = (all.when, all.what);
    assert!(
        when.address
            .is_some_and(|net| net.contains("192.0.2.9".parse().unwrap()))
    );
    assert_eq!(when.phase, Some(Phase::Tls));
    assert_eq!(when.connection, Some(Nth::Between(2, 4)));
    assert_eq!(when.message, Some(Nth::Every(3)));
    assert_eq!(when.nth, Some(Nth::Between(5, u64::MAX)));
    assert_eq!(
        (when.chance, when.seed, when.times),
        (Some(5000), Some(9), Some(7))
    );
    assert_eq!(
        (when.per, when.greylist),
        (Some(Per::Address), Some(Duration::from_secs(90)))
    );
    assert_eq!(when.limit, Some((10, Duration::from_secs(60))));
    assert_eq!(
        what.delay,
        Some((Duration::from_millis(500), Duration::from_secs(2)))
    );
    assert_eq!((what.throttle, what.after), (Some((4096, 4096)), Some(3)));
    assert_eq!(what.hide, ["SIZE", "STARTTLS"]);
    assert_eq!((what.short, what.count), (Some(10), Some(-2)));
    for (text, outcome) in [
        ("imap append full", Outcome::Full),
        ("smtp ehlo garbage=9", Outcome::Garbage(9)),
        ("any tls tls=fail", Outcome::Tls(Showing::Failing)),
        ("any tls tls=expired", Outcome::Tls(Showing::Expired)),
        ("any tls tls=name", Outcome::Tls(Showing::OtherName)),
        ("any tls tls=self", Outcome::Tls(Showing::SelfSigned)),
    ] {
        assert_eq!(rule(text).what.outcome, Some(outcome), "{text}");
    }
}

#[test]
fn a_wrong_rule_says_which_word_and_what_would_be_right() {
    for (text, word, advice) in [
        (
            "",
            "a rule begins with a protocol",
            "smtp, submission, lmtp, pop3, imap, any",
        ),
        ("http get drop", "\"http\"", "smtp, submission"),
        ("smtp", "after the protocol comes a command", "rcpt"),
        ("smtp rctp drop", "\"rctp\"", "is rcpt meant?"),
        (
            "pop3 fetch drop",
            "\"fetch\"",
            "no command of this protocol",
        ),
        ("smtp rcpt", "does nothing yet", "reply, delay"),
        ("smtp rcpt replay=450", "\"replay=450\"", "is reply meant?"),
        ("smtp rcpt reply=busy", "\"busy\"", "a code from 200 to 599"),
        ("smtp rcpt reply=99", "\"99\"", "a code from 200 to 599"),
        ("pop3 retr reply=550 no", "\"550\"", "+OK or -ERR"),
        ("imap fetch reply=-ERR", "\"-ERR\"", "OK, NO, BAD or BYE"),
        ("any any reply=450", "\"reply\"", "smtp, pop3 or imap"),
        ("smtp rcpt delay=soon", "\"delay=soon\"", "500ms"),
        ("smtp rcpt delay=25h", "\"delay=25h\"", "24h at most"),
        ("smtp rcpt delay=2s-1s", "\"delay=2s-1s\"", "500ms"),
        ("smtp rcpt chance=101% drop", "\"chance=101%\"", "20%"),
        ("smtp rcpt times=0 drop", "\"times=0\"", "1 or more"),
        (
            "smtp rcpt connection=3-2 drop",
            "\"connection=3-2\"",
            "connection=N",
        ),
        (
            "smtp rcpt address=lan drop",
            "\"address=lan\"",
            "192.0.2.0/24",
        ),
        ("smtp rcpt limit=10 drop", "\"limit=10\"", "limit=10/1m"),
        ("smtp rcpt after=3 reply=450", "\"after\"", "drop after=100"),
        ("smtp rcpt short", "\"short\"", "pop3 and imap"),
        ("pop3 retr to=alice drop", "\"to\"", "begin with smtp"),
        ("smtp text reply=450", "\"text\"", "stage message"),
        ("any tls drop", "\"tls\"", "any tls tls=expired"),
        ("smtp mail tls=expired", "\"tls\"", "any tls tls=expired"),
        ("smtp mail full garbage", "\"garbage\"", "two rules"),
        ("smtp mail seed=1 drop", "\"seed\"", "chance=20% seed=7"),
        ("smtp mail drop=1", "\"drop=1\"", "it is written drop"),
        ("smtp mail \"drop", "\"\"\"", "not closed"),
        ("smtp mail\ndrop", "\"\\n\"", "one line"),
        ("pop3 message drop", "\"message\"", "begin with smtp"),
    ] {
        let error = refused(text);
        assert!(
            error.contains(word) && error.contains(advice),
            "{text}: {error}"
        );
    }
    let long = format!("smtp mail reply=450 {}", "x".repeat(limits_of_a_rule()));
    assert!(refused(&long).contains("octets at most"));
}

fn limits_of_a_rule() -> usize {
    crate::limits::FAULT_RULE
}

#[test]
fn the_page_has_every_word_and_its_examples_are_rules() {
    for lang in [Lang::En, Lang::Fr] {
        let page = page(lang);
        for word in SCOPES.iter().chain(STAGES).chain(CONDITIONS).chain(ACTIONS) {
            assert!(page.contains(word.form), "{}", word.form);
        }
        for line in page.lines() {
            assert!(line.chars().count() <= 80, "{line}");
            assert!(!line.trim_start().starts_with([';', ':']), "{line}");
        }
        for (example, _) in EXAMPLES {
            rule(example);
            assert!(page.contains(example));
        }
    }
}

#[test]
fn magic_names() {
    let of = |name| Magic::of(name).map(|magic| (magic.at, magic.reply.map(|(code, _)| code)));
    assert_eq!(of("bobtemperror"), Some((MagicAt::Message, Some(451))));
    assert_eq!(of("x-PermError"), Some((MagicAt::Message, Some(554))));
    assert_eq!(of("bob421"), Some((MagicAt::Message, Some(421))));
    assert_eq!(of("mailfrom-x599"), Some((MagicAt::Mail, Some(599))));
    assert_eq!(of("rcpttotimeout"), Some((MagicAt::Rcpt, None)));
    for name in [
        "bob",
        "bob600",
        "bob399",
        "50",
        "+50",
        "bob+50",
        "é50",
        "temperrors",
        "",
    ] {
        assert_eq!(of(name), None, "{name}");
    }
}

#[test]
fn counts_that_are_meant() {
    let has = |nth: Nth| (0..8).filter(|count| nth.has(*count)).collect::<Vec<u64>>();
    assert_eq!(has(Nth::Between(2, 4)), [2, 3, 4]);
    assert_eq!(has(Nth::Every(3)), [3, 6]);
    assert_eq!(has(Nth::Between(6, u64::MAX)), [6, 7]);
}

#[test]
fn whatever_is_typed_is_a_rule_that_reads_the_same_again_or_a_slip_that_is_explained() {
    let pieces: Vec<&str> = EXAMPLES
        .iter()
        .flat_map(|(example, _)| example.split(' '))
        .chain([
            "\"",
            "=",
            "-",
            "99999999999999999999",
            "%",
            "/",
            ",",
            "\u{e9}",
            "\t",
            "reply=-ERR",
            "NO",
            "",
            "/0",
            "0",
            "K",
        ])
        .chain(
            SCOPES
                .iter()
                .chain(STAGES)
                .chain(CONDITIONS)
                .chain(ACTIONS)
                .map(|word| word.form),
        )
        .collect();
    let mut dice = 7_u64;
    let mut roll = |sides: usize| {
        dice = dice
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(dice >> 33).unwrap() % sides
    };
    let (mut good, mut bad) = (0, 0);
    for _ in 0..20_000 {
        let (example, _) = EXAMPLES[roll(EXAMPLES.len())];
        let mut words: Vec<&str> = example.split(' ').collect();
        for _ in 0..roll(3) {
            let at = roll(words.len());
            match roll(3) {
                0 => words.insert(at, pieces[roll(pieces.len())]),
                1 => words[at] = pieces[roll(pieces.len())],
                _ if words.len() > 1 => {
                    words.remove(at);
                }
                _ => {}
            }
        }
        let text = words.join(["", " ", " ", " "][roll(4)]);
        match text.parse::<Rule>() {
            Ok(rule) => {
                good += 1;
                assert_eq!(rule.text.parse::<Rule>().as_ref(), Ok(&rule), "{text:?}");
            }
            Err(error) => {
                bad += 1;
                assert!(!error.advice.is_empty(), "{text:?}");
            }
        }
    }
    assert!(good > 1000 && bad > 1000, "{good} good, {bad} bad");
}
