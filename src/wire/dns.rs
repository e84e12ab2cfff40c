//! DNS messages: the questions that the resolver asks, and what it reads in the replies. RFC 1035, RFC 3596 (AAAA),
//! RFC 6891 (EDNS), RFC 7505 (null MX), RFC 2308 (how long a "no" is good).
//!
//! Bytes in, bytes out: sockets, time-outs, retries and random numbers belong to the resolver. A reply counts only when
//! its id *and* its question are those that were asked (RFC 5452 §9.1), and only records of the name at the end of the
//! CNAME chain are read.

use std::net::IpAddr;
use std::time::Duration;

use domain::base::iana::Rcode;
use domain::base::{Message, MessageBuilder, Name, ParsedName, Rtype, Ttl};
use domain::rdata::{A, Aaaa, Mx, Ptr, Soa};

use crate::limits;

/// What is asked about a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// Its IPv4 addresses.
    A,
    /// Its IPv6 addresses.
    Aaaa,
    /// The hosts that take its mail.
    Mx,
    /// The name of an address, asked about [`reverse_name`].
    Ptr,
}

/// Whether a query says how large a UDP reply may be (RFC 6891). Some old servers refuse those that do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Edns {
    /// Says so.
    With,
    /// A query as in 1987: replies of at most 512 octets.
    Without,
}

/// A host that takes mail for a domain (RFC 1035 §3.3.9).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exchanger {
    /// The smallest is tried first.
    pub preference: u16,
    /// Without a dot at its end.
    pub host: String,
}

/// What a reply says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reply {
    /// Addresses, never none.
    Addresses(Vec<IpAddr>),
    /// Hosts that take mail, never none; the smallest preference first.
    Exchangers(Vec<Exchanger>),
    /// It takes no mail (RFC 7505).
    NullMx,
    /// The name of an address.
    Name(String),
    /// Another name stands for this one, and the reply tells no more about that: ask about it.
    Alias(String),
    /// The name exists, and has nothing of this kind.
    NoData,
    /// The name does not exist.
    NoName,
    /// It did not fit into the datagram: ask again over TCP.
    Truncated,
    /// The server does not understand the query: ask again without EDNS.
    NotUnderstood,
    /// The server cannot or will not answer: ask another one.
    Failed,
}

/// The query, or `None` when `name` cannot stand in the DNS (an empty label, one of more than 63 octets, ...).
///
/// ```
/// use mailtool::wire::dns::{Edns, Kind, query};
///
/// assert!(query("mail.example.org", Kind::A, 4711, Edns::With).is_some());
/// assert!(query("mail..example.org", Kind::A, 4711, Edns::With).is_none());
/// ```
pub fn query(name: &str, kind: Kind, id: u16, edns: Edns) -> Option<Vec<u8>> {
    let name = Name::vec_from_str(name).ok()?;
    let mut builder = MessageBuilder::new_vec();
    builder.header_mut().set_id(id);
    builder.header_mut().set_rd(true);
    let mut question = builder.question();
    question.push((name, kind.rtype())).ok()?;
    let mut additional = question.additional();
    if edns == Edns::With {
        additional
            .opt(|opt| {
                opt.set_udp_payload_size(limits::DNS_DATAGRAM);
                Ok(())
            })
            .ok()?;
    }
    Some(additional.finish())
}

/// Reads `reply` as the answer to `query`; `None` when it is not one, and shall be ignored as if it had not come.
pub fn reply(query: &[u8], reply: &[u8]) -> Option<Reply> {
    let query = Message::from_slice(query).ok()?;
    let message = Message::from_slice(reply).ok()?;
    if !message.is_answer(query) {
        return None;
    }
    if message.header().tc() {
        return Some(Reply::Truncated);
    }
    Some(match message.header().rcode() {
        Rcode::NOERROR => records(message).unwrap_or(Reply::Failed),
        Rcode::NXDOMAIN => Reply::NoName,
        Rcode::FORMERR | Rcode::NOTIMP => Reply::NotUnderstood,
        _ => Reply::Failed,
    })
}

/// How long a reply is good: the least of what its records say; for a "no", what the zone says of those (RFC 2308 §5).
/// Zero when nothing is said, and for what is no reply.
pub fn time_to_live(reply: &[u8]) -> Duration {
    let Ok(message) = Message::from_slice(reply) else {
        return Duration::ZERO;
    };
    let answers = message.answer().into_iter().flatten().flatten();
    let least = answers.map(|record| record.ttl()).min();
    let negative = start_of_authority(message);
    let ttl = least.into_iter().chain(negative).min();
    ttl.map_or(Duration::ZERO, |ttl| {
        Duration::from_secs(ttl.as_secs().into())
    })
}

/// How long the zone lets its "no" be kept, when the reply says which zone.
fn start_of_authority(message: &Message<[u8]>) -> Option<Ttl> {
    let authority = message.authority().ok()?;
    let record = authority.limit_to::<Soa<_>>().next()?.ok()?;
    Some(record.ttl().min(record.data().minimum()))
}

/// The name under which the DNS keeps the name of an address: `4.3.2.1.in-addr.arpa` (RFC 1035 §3.5, RFC 3596 §2.5).
pub fn reverse_name(address: IpAddr) -> String {
    match address.to_canonical() {
        IpAddr::V4(v4) => {
            let [a, b, c, d] = v4.octets();
            format!("{d}.{c}.{b}.{a}.in-addr.arpa")
        }
        IpAddr::V6(v6) => {
            let nibbles = v6.octets().into_iter().rev();
            let mut name = String::with_capacity(72);
            for octet in nibbles {
                name.push_str(&format!("{:x}.{:x}.", octet & 15, octet >> 4));
            }
            name + "ip6.arpa"
        }
    }
}

impl Kind {
    const fn rtype(self) -> Rtype {
        match self {
            Self::A => Rtype::A,
            Self::Aaaa => Rtype::AAAA,
            Self::Mx => Rtype::MX,
            Self::Ptr => Rtype::PTR,
        }
    }
}

/// The records that answer; `None` when the message is damaged.
fn records(message: &Message<[u8]>) -> Option<Reply> {
    let name = message.canonical_name()?;
    let answer = message.answer().ok()?;
    let mut addresses = Vec::new();
    let mut exchangers = Vec::new();
    let mut null = false;
    match message.qtype()? {
        Rtype::A => {
            for record in answer.limit_to::<A>() {
                let record = record.ok()?;
                if *record.owner() == name {
                    addresses.push(IpAddr::V4(record.data().addr()));
                }
            }
        }
        Rtype::AAAA => {
            for record in answer.limit_to::<Aaaa>() {
                let record = record.ok()?;
                if *record.owner() == name {
                    addresses.push(IpAddr::V6(record.data().addr()));
                }
            }
        }
        Rtype::MX => {
            for record in answer.limit_to::<Mx<_>>() {
                let record = record.ok()?;
                if *record.owner() != name {
                    continue;
                }
                // RFC 7505 §3: the root is no host. Where other exchangers are named beside it, only those count.
                if record.data().exchange().is_root() {
                    null = true;
                    continue;
                }
                exchangers.push(Exchanger {
                    preference: record.data().preference(),
                    host: record.data().exchange().to_string(),
                });
            }
        }
        _ => {
            for record in answer.limit_to::<Ptr<_>>() {
                let record = record.ok()?;
                if *record.owner() == name {
                    return Some(Reply::Name(record.data().ptrdname().to_string()));
                }
            }
        }
    }
    if !addresses.is_empty() {
        return Some(Reply::Addresses(addresses));
    }
    if !exchangers.is_empty() {
        exchangers.sort_by_key(|exchanger| exchanger.preference);
        exchangers.truncate(limits::EXCHANGERS);
        return Some(Reply::Exchangers(exchangers));
    }
    if null {
        return Some(Reply::NullMx);
    }
    Some(nothing(message, &name))
}

/// There is no record of this kind for `name`, the end of the chain.
fn nothing(message: &Message<[u8]>, name: &ParsedName<&[u8]>) -> Reply {
    let asked = message
        .sole_question()
        .is_ok_and(|asked| asked.qname() == name);
    if asked || start_of_authority(message).is_some() {
        return Reply::NoData;
    }
    Reply::Alias(name.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A reply to `query` with `rcode` and these records, written by hand: RFC 1035 §4.1.
    fn answer(query: &[u8], rcode: u8, records: &[(u16, &[u8])]) -> Vec<u8> {
        let mut reply = query.to_vec();
        reply[2] |= 0x80;
        reply[3] = (reply[3] & 0xf0) | rcode;
        reply[7] = u8::try_from(records.len()).unwrap();
        (reply[10], reply[11]) = (0, 0);
        for (kind, data) in records {
            reply.extend_from_slice(&[0xc0, 12]);
            reply.extend_from_slice(&kind.to_be_bytes());
            reply.extend_from_slice(&[0, 1, 0, 0, 0, 60]);
            reply.extend_from_slice(&u16::try_from(data.len()).unwrap().to_be_bytes());
            reply.extend_from_slice(data);
        }
        reply
    }

    #[test]
    fn a_query_is_as_the_standard_draws_it() {
        let bytes = query("a.bc", Kind::A, 0x1234, Edns::Without).unwrap();
        assert_eq!(
            bytes,
            b"\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\x01a\x02bc\x00\x00\x01\x00\x01"
        );
        let bytes = query("a.bc", Kind::A, 0x1234, Edns::With).unwrap();
        let opt = [
            &b"\x00\x00\x29"[..],
            &limits::DNS_DATAGRAM.to_be_bytes(),
            &[0; 6],
        ]
        .concat();
        assert!(bytes.ends_with(&opt));
        assert_eq!(bytes[11], 1, "one additional record");
    }

    #[test]
    fn addresses_are_read() {
        let query = query("mail.example", Kind::A, 7, Edns::Without).unwrap();
        let bytes = answer(&query, 0, &[(1, &[192, 0, 2, 1]), (1, &[192, 0, 2, 2])]);
        let expected = vec![[192, 0, 2, 1].into(), [192, 0, 2, 2].into()];
        assert_eq!(reply(&query, &bytes), Some(Reply::Addresses(expected)));
    }

    #[test]
    fn a_cname_is_followed_and_strangers_are_not_read() {
        let query = query("a.example", Kind::A, 7, Edns::Without).unwrap();
        let mut bytes = answer(&query, 0, &[(5, b"\x01b\xc0\x0e"), (1, &[192, 0, 2, 66])]);
        bytes[7] = 3;
        // b.example, whose name begins within the data of the CNAME record.
        let target = u8::try_from(query.len() + 12).unwrap();
        bytes.extend_from_slice(&[0xc0, target, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 192, 0, 2, 9]);
        let expected = vec![[192, 0, 2, 9].into()];
        assert_eq!(reply(&query, &bytes), Some(Reply::Addresses(expected)));
    }

    #[test]
    fn other_outcomes() {
        let query = query("mail.example", Kind::A, 7, Edns::Without).unwrap();
        for (rcode, expected) in [
            (0, Reply::NoData),
            (3, Reply::NoName),
            (1, Reply::NotUnderstood),
            (2, Reply::Failed),
            (5, Reply::Failed),
        ] {
            assert_eq!(reply(&query, &answer(&query, rcode, &[])), Some(expected));
        }
        let mut truncated = answer(&query, 0, &[]);
        truncated[2] |= 2;
        assert_eq!(reply(&query, &truncated), Some(Reply::Truncated));
        let mut damaged = answer(&query, 0, &[(1, &[1, 2, 3, 4])]);
        damaged.pop();
        assert_eq!(reply(&query, &damaged), Some(Reply::Failed));
    }

    #[test]
    fn exchangers_come_in_the_order_of_their_preference() {
        let query = query("a.example", Kind::Mx, 7, Edns::Without).unwrap();
        let records: &[(u16, &[u8])] = &[
            (15, b"\x00\x14\x01b\xc0\x0c"),
            (15, b"\x00\x0a\x02mx\x03lab\x00"),
        ];
        let host = |preference, host: &str| Exchanger {
            preference,
            host: host.into(),
        };
        let bytes = answer(&query, 0, records);
        let expected = vec![host(10, "mx.lab"), host(20, "b.a.example")];
        assert_eq!(reply(&query, &bytes), Some(Reply::Exchangers(expected)));
        let null: (u16, &[u8]) = (15, b"\x00\x00\x00");
        let bytes = answer(&query, 0, &[null]);
        assert_eq!(reply(&query, &bytes), Some(Reply::NullMx));
        let bytes = answer(&query, 0, &[null, records[1]]);
        let expected = vec![host(10, "mx.lab")];
        assert_eq!(reply(&query, &bytes), Some(Reply::Exchangers(expected)));
    }

    #[test]
    fn an_alias_alone_is_to_be_asked_about_unless_the_zone_has_spoken() {
        let query = query("a.example", Kind::Mx, 7, Edns::Without).unwrap();
        let cname: (u16, &[u8]) = (5, b"\x01b\xc0\x0e");
        let bytes = answer(&query, 0, &[cname]);
        let expected = Reply::Alias("b.example".into());
        assert_eq!(reply(&query, &bytes), Some(expected));
        let bytes = with_authority(bytes, 300, 30);
        assert_eq!(reply(&query, &bytes), Some(Reply::NoData));
    }

    /// Adds the SOA of the zone in which there is nothing: RFC 2308 §2.
    fn with_authority(mut reply: Vec<u8>, ttl: u32, minimum: u32) -> Vec<u8> {
        reply[9] = 1;
        reply.extend_from_slice(&[0xc0, 12, 0, 6, 0, 1]);
        reply.extend_from_slice(&ttl.to_be_bytes());
        reply.extend_from_slice(&[0, 22, 0, 0]);
        reply.extend_from_slice(&[0; 16]);
        reply.extend_from_slice(&minimum.to_be_bytes());
        reply
    }

    #[test]
    fn replies_are_good_for_as_long_as_they_say() {
        let query = query("mail.example", Kind::A, 7, Edns::Without).unwrap();
        let bytes = answer(&query, 0, &[(1, &[192, 0, 2, 1])]);
        assert_eq!(time_to_live(&bytes), Duration::from_secs(60));
        let none = answer(&query, 3, &[]);
        assert_eq!(time_to_live(&none), Duration::ZERO);
        for (ttl, minimum) in [(300, 30), (30, 300)] {
            let none = with_authority(none.clone(), ttl, minimum);
            assert_eq!(time_to_live(&none), Duration::from_secs(30));
            assert_eq!(reply(&query, &none), Some(Reply::NoName));
        }
        assert_eq!(time_to_live(b"short"), Duration::ZERO);
    }

    #[test]
    fn what_was_not_asked_is_not_an_answer() {
        let ours = query("mail.example", Kind::A, 7, Edns::Without).unwrap();
        let other_id = query("mail.example", Kind::A, 8, Edns::Without).unwrap();
        let other_name = query("evil.example", Kind::A, 7, Edns::Without).unwrap();
        let records: &[(u16, &[u8])] = &[(1, &[192, 0, 2, 1])];
        assert_eq!(reply(&ours, &answer(&other_id, 0, records)), None);
        assert_eq!(reply(&ours, &answer(&other_name, 0, records)), None);
        assert_eq!(reply(&ours, &ours), None, "a query is no reply");
        assert_eq!(reply(&ours, b"short"), None);
    }

    #[test]
    fn names_of_addresses() {
        assert_eq!(
            reverse_name([192, 0, 2, 7].into()),
            "7.2.0.192.in-addr.arpa"
        );
        assert_eq!(
            reverse_name("2001:db8::1".parse().unwrap()),
            format!("1.{}8.b.d.0.1.0.0.2.ip6.arpa", "0.".repeat(23))
        );
        let name = reverse_name([192, 0, 2, 7].into());
        let query = query(&name, Kind::Ptr, 7, Edns::Without).unwrap();
        let bytes = answer(&query, 0, &[(12, b"\x02mx\x07example\x00")]);
        assert_eq!(
            reply(&query, &bytes),
            Some(Reply::Name("mx.example".into()))
        );
    }

    proptest::proptest! {
        #[test]
        fn nothing_that_arrives_is_more_than_a_failure(
            mut bytes in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..200),
            kind in proptest::sample::select(vec![Kind::A, Kind::Aaaa, Kind::Mx, Kind::Ptr]),
        ) {
            let query = query("mail.example", kind, 7, Edns::With).unwrap();
            let _ = (reply(&query, &bytes), time_to_live(&bytes));
            // The same behind the right header and question.
            let mut believable = answer(&query[..query.len() - 11], 0, &[]);
            believable[7] = 3;
            believable.append(&mut bytes);
            let read = reply(&query, &believable);
            let _ = time_to_live(&believable);
            proptest::prop_assert!(read.is_some(), "it is an answer, whatever it says");
        }
    }
}
