//! The names in a certificate, which is whatever a peer sends: what is shown of them moves no cursor.

#![no_main]

use libfuzzer_sys::fuzz_target;
use mailtool::wire::x509::names;

fuzz_target!(|certificate: &[u8]| {
    let Some(names) = names(certificate) else {
        return;
    };
    for name in [names.subject, names.issuer] {
        assert!(!name.to_string().contains(char::is_control));
    }
});
