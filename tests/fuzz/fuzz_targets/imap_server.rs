//! An IMAP server, whatever is said to it: our own client reads its responses, which do not depend on how octets arrive.

#![no_main]

use libfuzzer_sys::fuzz_target;
use mailtool_fuzz::conversation::{Plan, events, with_server};
use mailtool_fuzz::said;
use mailtool_fuzz::stage::Stage;

fuzz_target!(|input: &[u8]| {
    let Some((&plan, input)) = input.split_first() else {
        return;
    };
    let (plan, events) = (Plan(plan), events(input));
    let whole = with_server(&Stage::imap(plan), &events, usize::MAX);
    whole.values().for_each(|said| said::is_imap(said));
    if let Some(piece) = plan.piece() {
        let pieces = with_server(&Stage::imap(plan), &events, piece);
        for (connection, said) in whole {
            assert_eq!(
                said::without_names(&said).escape_ascii().to_string(),
                said::without_names(&pieces[&connection])
                    .escape_ascii()
                    .to_string(),
                "{piece} octets at a time"
            );
        }
    }
});
