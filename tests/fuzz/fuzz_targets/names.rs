//! Names of hosts and services: DNS replies, /etc/hosts, /etc/resolv.conf, /etc/services; domains and names of users in letters.

#![no_main]

use libfuzzer_sys::fuzz_target;
use mailtool::wire::dns::{Edns, Kind, Reply, query, reply, reverse_name, time_to_live};
use mailtool::wire::idna::to_ascii;
use mailtool::wire::resolv::{Hosts, ResolvConf};
use mailtool::wire::saslprep::prepare;
use mailtool::wire::services::{Services, Transport};

fuzz_target!(|input: &[u8]| {
    for (kind, name) in [
        (Kind::A, "mail.example.org".to_owned()),
        (Kind::Aaaa, "mail.example.org".to_owned()),
        (Kind::Mx, "mail.example.org".to_owned()),
        (Kind::Ptr, reverse_name([127, 0, 0, 1].into())),
    ] {
        let asked = query(&name, kind, 4711, Edns::With).expect("a name");
        // As it came, and as the rest of an answer to just this question.
        let question = asked.len() - 11;
        let answer = [
            &asked[..2],
            b"\x81\x80\x00\x01",
            input.get(..6).unwrap_or(&[0; 6]),
        ];
        let answer = [
            &answer.concat(),
            &asked[12..question],
            input.get(6..).unwrap_or(&[]),
        ]
        .concat();
        for said in [input, &answer] {
            let _ = time_to_live(said);
            match reply(&asked, said) {
                Some(Reply::Exchangers(exchangers)) => {
                    assert!((1..=mailtool::limits::EXCHANGERS).contains(&exchangers.len()));
                    assert!(exchangers.is_sorted_by_key(|exchanger| exchanger.preference));
                    for exchanger in exchangers {
                        // What a server names as a host is asked about next.
                        assert!(query(&exchanger.host, Kind::A, 1, Edns::With).is_some());
                    }
                }
                Some(Reply::Addresses(addresses)) => assert!(!addresses.is_empty()),
                Some(Reply::Name(name)) => {
                    assert!(
                        !name.bytes().any(|octet| octet.is_ascii_control()),
                        "{name:?}"
                    );
                }
                _ => {}
            }
        }
    }
    let text = String::from_utf8_lossy(input);
    let _ = query(&text, Kind::A, 1, Edns::Without);
    if let Some(ascii) = to_ascii(&text) {
        assert!(ascii.is_ascii());
        assert_eq!(to_ascii(&ascii).as_deref(), Some(&*ascii));
    }
    if let Some(prepared) = prepare(&text) {
        assert_eq!(prepare(&prepared).as_deref(), Some(&*prepared));
    }
    let word = text.split_whitespace().next().unwrap_or("mail");
    let hosts = Hosts::parse(&text);
    for address in hosts.addresses(word) {
        let _ = reverse_name(address);
        let _ = hosts.name(address);
    }
    let conf = ResolvConf::parse(&text);
    assert!(conf.servers.len() <= mailtool::limits::DNS_SERVERS && conf.attempts > 0);
    assert!(!conf.candidates(word).is_empty());
    let services = Services::parse(&text);
    if let Some(port) = services.port(word, Transport::Tcp) {
        let _ = services.name(port, Transport::Tcp);
    }
});
