//! Rules for faults, and what they make of a conversation. The lines before an empty one are rules; after it comes a conversation, as the
//! servers' own targets have it.

#![no_main]

use libfuzzer_sys::fuzz_target;
use mailtool::wire::fault::{Magic, Rule};
use mailtool_fuzz::conversation::{Plan, events, with_server};
use mailtool_fuzz::stage::Stage;

fuzz_target!(|input: &[u8]| {
    let Some((&plan, input)) = input.split_first() else {
        return;
    };
    let (plan, mut rest) = (Plan(plan), input);
    let mut rules = Vec::new();
    while let Some(end) = rest.iter().position(|octet| *octet == b'\n') {
        let line = String::from_utf8_lossy(&rest[..end]);
        rest = &rest[end + 1..];
        if line.is_empty() {
            break;
        }
        let _ = Magic::of(&line);
        match line.parse::<Rule>() {
            Ok(rule) => {
                assert_eq!(rule.text.parse::<Rule>().as_ref(), Ok(&rule), "{line:?}");
                rules.push(rule);
            }
            Err(error) => assert!(!error.advice.is_empty(), "{line:?}"),
        }
    }
    let stage = match plan.variant() % 3 {
        0 => Stage::smtp(plan),
        1 => Stage::pop3(plan),
        _ => Stage::imap(plan),
    };
    with_server(&stage.with_faults(&rules), &events(rest), usize::MAX);
});
