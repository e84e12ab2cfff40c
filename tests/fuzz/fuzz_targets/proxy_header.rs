//! The header of a proxy (PROXY 1 and 2): it asks for octets until it is whole or wrong, never for what follows it, and never for more
//! than its bound.

#![no_main]

use libfuzzer_sys::fuzz_target;
use mailtool::limits;
use mailtool::wire::proxy_header::{Progress, read};

fuzz_target!(|input: &[u8]| {
    let mut taken = 0;
    loop {
        match read(&input[..taken]) {
            Ok(Progress::More(octets)) => {
                assert!(octets > 0);
                taken += octets;
                assert!(taken <= limits::PROXY_HEADER);
                if taken > input.len() {
                    return;
                }
            }
            Ok(Progress::Done(header)) => {
                if let Some(ends) = header.ends {
                    assert_eq!(ends.source.is_ipv4(), ends.destination.is_ipv4());
                }
                return;
            }
            Err(_) => return,
        }
    }
});
