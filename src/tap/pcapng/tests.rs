//! Captures, read back by a parser that takes nothing but what this module writes.

use std::collections::HashMap;
use std::net::Ipv6Addr;
use std::time::Duration;

use proptest::prelude::*;

use super::*;

/// A sink whose content can be looked at.
#[derive(Clone, Default)]
struct Shared(Arc<Mutex<Vec<u8>>>);

impl Shared {
    fn octets(&self) -> Vec<u8> {
        self.0.lock().expect("no test holds it").clone()
    }
}

impl Write for Shared {
    fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        self.0.lock().expect("no test holds it").extend(octets);
        Ok(octets.len())
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn file_of(capture: &Capture) -> &Arc<Mutex<File>> {
    match &capture.0 {
        Inner::One(file) => file,
        Inner::Each(_) => panic!("it is one file"),
    }
}

fn capture() -> (Shared, Capture) {
    let sink = Shared::default();
    let capture = Capture::new(Box::new(sink.clone())).expect("memory can be written");
    (sink, capture)
}

fn at(milliseconds: u64) -> SystemTime {
    UNIX_EPOCH + Duration::from_millis(1_700_000_000_000 + milliseconds)
}

fn address(text: &str) -> SocketAddr {
    text.parse().expect("an address")
}

/// A block after the first two.
#[derive(Debug, PartialEq, Eq)]
enum Block {
    Packet {
        nanoseconds: u64,
        packet: Packet,
        comment: Option<String>,
    },
    Secret(String),
}

#[derive(Debug, PartialEq, Eq)]
struct Packet {
    from: SocketAddr,
    to: SocketAddr,
    segment: Transport,
}

#[derive(Debug, PartialEq, Eq)]
enum Transport {
    Tcp {
        sequence: u32,
        acknowledged: u32,
        flags: u8,
        payload: Vec<u8>,
    },
    Udp(Vec<u8>),
}

/// Takes octets from the front, which must be there.
struct Cursor<'a>(&'a [u8]);

impl<'a> Cursor<'a> {
    fn take(&mut self, octets: usize) -> &'a [u8] {
        let (taken, rest) = self.0.split_at(octets);
        self.0 = rest;
        taken
    }
    fn little16(&mut self) -> u16 {
        u16::from_le_bytes(self.take(2).try_into().expect("two"))
    }
    fn little32(&mut self) -> u32 {
        u32::from_le_bytes(self.take(4).try_into().expect("four"))
    }
    fn big16(&mut self) -> u16 {
        u16::from_be_bytes(self.take(2).try_into().expect("two"))
    }
    fn big32(&mut self) -> u32 {
        u32::from_be_bytes(self.take(4).try_into().expect("four"))
    }
    fn padded(&mut self, octets: usize) -> &'a [u8] {
        let taken = self.take(octets);
        let padding = self.take(octets.next_multiple_of(4) - octets);
        assert!(padding.iter().all(|octet| *octet == 0));
        taken
    }
    fn options(&mut self) -> HashMap<u16, Vec<u8>> {
        let mut options = HashMap::new();
        while !self.0.is_empty() {
            let (code, length) = (self.little16(), self.little16());
            if code == 0 {
                assert!(length == 0 && self.0.is_empty(), "the end of options");
                return options;
            }
            let value = self.padded(length.into()).to_vec();
            assert!(options.insert(code, value).is_none(), "{code} twice");
        }
        options
    }
}

/// Reads a whole file; panics on what is not as it must be.
fn parse(file: &[u8]) -> Vec<Block> {
    let mut rest = Cursor(file);
    let mut blocks = Vec::new();
    let mut index = 0;
    while !rest.0.is_empty() {
        let kind = rest.little32();
        let length = rest.little32() as usize;
        assert!(length.is_multiple_of(4) && length >= 12, "{length}");
        let mut body = Cursor(rest.take(length - 12));
        assert_eq!(rest.little32() as usize, length, "the length again");
        match (index, kind) {
            (0, 0x0a0d_0d0a) => {
                assert_eq!(body.little32(), 0x1a2b_3c4d);
                assert_eq!((body.little16(), body.little16()), (1, 0));
                assert_eq!(body.take(8), [0xff; 8]);
                let options = body.options();
                assert!(options[&4].starts_with(b"mailtool "));
                assert_eq!(options[&3], b"linux");
            }
            (1, 1) => {
                assert_eq!((body.little16(), body.little16()), (1, 0), "Ethernet");
                assert_eq!(body.little32(), 0);
                assert_eq!(body.options()[&9], [9]);
            }
            (2.., 6) => {
                assert_eq!(body.little32(), 0);
                let (high, low) = (body.little32(), body.little32());
                let (captured, length) = (body.little32(), body.little32());
                assert_eq!(captured, length);
                assert!(length <= 262_144, "Wireshark takes no longer packets");
                let packet = packet(body.padded(length as usize));
                let comment = body.options().remove(&1);
                blocks.push(Block::Packet {
                    nanoseconds: u64::from(high) << 32 | u64::from(low),
                    packet,
                    comment: comment.map(|text| String::from_utf8(text).expect("UTF-8")),
                });
            }
            (2.., 10) => {
                assert_eq!(body.take(4), b"KSLT");
                let length = body.little32() as usize;
                let line = String::from_utf8(body.padded(length).to_vec()).expect("UTF-8");
                assert!(line.ends_with('\n') && body.0.is_empty());
                blocks.push(Block::Secret(line.trim_end().to_owned()));
            }
            other => panic!("a block {other:?}"),
        }
        index += 1;
    }
    assert!(index >= 2);
    blocks
}

/// One's complement sum with nothing clever in it, of octets in pairs.
fn naive_sum(pieces: &[&[u8]]) -> u16 {
    let mut octets = pieces.concat();
    if octets.len() % 2 == 1 {
        octets.push(0);
    }
    octets.chunks(2).fold(0_u16, |sum, pair| {
        let (sum, carry) = sum.overflowing_add(u16::from_be_bytes([pair[0], pair[1]]));
        sum + u16::from(carry)
    })
}

fn packet(frame: &[u8]) -> Packet {
    let mut frame = Cursor(frame);
    let macs = frame.take(12);
    assert!(macs[0] == 2 && macs[6] == 2 && macs[..6] != macs[6..]);
    let (protocol, from, to, mut body): (u8, IpAddr, IpAddr, Cursor<'_>);
    let pseudo: Vec<u8>;
    match frame.big16() {
        0x0800 => {
            let header = &frame.0[..20];
            assert_eq!(naive_sum(&[header]), 0xffff, "the checksum of IPv4");
            assert_eq!((header[0], header[6], header[8]), (0x45, 0x40, 64));
            let length = usize::from(u16::from_be_bytes([header[2], header[3]]));
            assert_eq!(length, frame.0.len());
            let ip = |at: usize| <[u8; 4]>::try_from(&header[at..at + 4]).expect("four");
            (protocol, from, to) = (header[9], ip(12).into(), ip(16).into());
            body = Cursor(&frame.0[20..]);
            pseudo = header[12..20].to_vec();
        }
        0x86dd => {
            let header = &frame.0[..40];
            assert_eq!((header[0], header[7]), (0x60, 64));
            let length = usize::from(u16::from_be_bytes([header[4], header[5]]));
            assert_eq!(length, frame.0.len() - 40);
            let ip = |at: usize| <[u8; 16]>::try_from(&header[at..at + 16]).expect("sixteen");
            (protocol, from, to) = (header[6], ip(8).into(), ip(24).into());
            body = Cursor(&frame.0[40..]);
            pseudo = header[8..40].to_vec();
        }
        other => panic!("ethertype {other:x}"),
    }
    let length = (body.0.len() as u32).to_be_bytes();
    let sum = naive_sum(&[&pseudo, &[0, protocol], &length, body.0]);
    assert_eq!(sum, 0xffff, "the checksum of TCP or UDP");
    let (from_port, to_port) = (body.big16(), body.big16());
    let segment = match protocol {
        6 => {
            let (sequence, acknowledged) = (body.big32(), body.big32());
            let [offset, flags] = body.take(2).try_into().expect("two");
            assert_eq!(body.take(2), [0xff, 0xff], "the window");
            assert_eq!(body.take(4)[2..], [0, 0], "nothing is urgent");
            let options = body.take(usize::from(offset >> 4) * 4 - 20);
            assert_eq!(flags & 2 != 0, options.len() == 12, "only SYN has options");
            Transport::Tcp {
                sequence,
                acknowledged,
                flags,
                payload: body.0.to_vec(),
            }
        }
        17 => {
            assert_eq!(usize::from(body.big16()), body.0.len() + 6);
            assert_ne!(body.big16(), 0, "there is a checksum");
            Transport::Udp(body.0.to_vec())
        }
        other => panic!("protocol {other}"),
    };
    Packet {
        from: SocketAddr::new(from, from_port),
        to: SocketAddr::new(to, to_port),
        segment,
    }
}

/// What both sides of one connection sent, put together again as TCP does; panics on gaps, on what is sent twice, and on what is not
/// acknowledged at once.
fn conversation(blocks: &[Block], client: SocketAddr) -> [Vec<u8>; 2] {
    let mut next = [None::<u32>; 2];
    let mut text = [Vec::new(), Vec::new()];
    let mut ended = [false; 2];
    for block in blocks {
        let Block::Packet { packet, .. } = block else {
            continue;
        };
        if packet.from != client && packet.to != client {
            continue;
        }
        let Transport::Tcp {
            sequence,
            acknowledged,
            flags,
            payload,
        } = &packet.segment
        else {
            panic!("not of TCP");
        };
        let (us, them) = if packet.from == client {
            (0, 1)
        } else {
            (1, 0)
        };
        assert_eq!(
            flags & 16 != 0,
            next[0].is_some(),
            "all but SYN acknowledge"
        );
        if flags & 16 != 0 {
            assert_eq!(Some(*acknowledged), next[them]);
        }
        assert!(next[us].is_none_or(|next| next == *sequence));
        assert_eq!(next[us].is_none(), flags & 2 != 0, "SYN comes first");
        assert!(payload.is_empty() || !ended[us], "nothing after FIN");
        let marks = u32::from(flags & 3 != 0);
        next[us] = Some(sequence.wrapping_add(payload.len() as u32 + marks));
        ended[us] |= flags & 1 != 0;
        text[us].extend_from_slice(payload);
    }
    text
}

#[test]
fn a_dialogue_is_three_blocks_of_handshake_then_data_and_acknowledgements() {
    let (sink, capture) = capture();
    let (client, server) = (address("192.0.2.7:50000"), address("192.0.2.1:25"));
    let mut wire = capture.stream(at(0), client, server, "session 1");
    let whole = |sink: &Shared| parse(&sink.octets()).len();
    assert_eq!(whole(&sink), 3);
    wire.crossed(at(1), Side::Server, b"220 hi\r\n");
    assert_eq!(whole(&sink), 5, "each call ends in a file that can be read");
    capture.secrets().line("CLIENT_RANDOM 00 01");
    assert_eq!(whole(&sink), 6);
    wire.crossed(at(2), Side::Client, b"QUIT\r\n");
    wire.crossed(at(3), Side::Client, b"");
    wire.closed(at(4), Side::Server, Closing::End);
    wire.crossed(at(5), Side::Server, b"not any more");
    wire.closed(at(6), Side::Client, Closing::End);
    wire.closed(at(7), Side::Client, Closing::Reset);
    let blocks = parse(&sink.octets());
    let marks: Vec<_> = blocks
        .iter()
        .map(|block| match block {
            Block::Packet {
                packet:
                    Packet {
                        segment: Transport::Tcp { flags, .. },
                        ..
                    },
                ..
            } => *flags,
            _ => 0,
        })
        .collect();
    // SYN 2, ACK 16, PSH 8, FIN 1; 0 is the secret.
    assert_eq!(marks, [2, 18, 16, 24, 16, 0, 24, 16, 17, 16, 17, 16]);
    assert_eq!(blocks[5], Block::Secret("CLIENT_RANDOM 00 01".to_owned()));
    let Block::Packet {
        nanoseconds,
        comment,
        packet,
    } = &blocks[0]
    else {
        panic!("{:?}", blocks[0]);
    };
    assert_eq!(*nanoseconds, 1_700_000_000_000_000_000);
    assert_eq!(comment.as_deref(), Some("session 1"));
    assert_eq!((packet.from, packet.to), (client, server));
    let [said, heard] = conversation(&blocks, client);
    assert_eq!(
        (&said[..], &heard[..]),
        (&b"QUIT\r\n"[..], &b"220 hi\r\n"[..])
    );
}

#[test]
fn a_call_is_taken_or_refused_or_never_answered() {
    let (sink, capture) = capture();
    let (client, server) = (address("192.0.2.7:50000"), address("192.0.2.1:25"));
    let call = |port| {
        let from = SocketAddr::new(client.ip(), port);
        capture
            .call(at(0), from, server, "a call")
            .expect("one file for all")
    };
    let (silent, refused, taken) = (call(1), call(2), call(3));
    refused.refused(at(1));
    let mut wire = taken.taken(at(2));
    wire.closed(at(3), Side::Client, Closing::End);
    drop(silent);
    let blocks = parse(&sink.octets());
    let seen: Vec<_> = blocks
        .iter()
        .map(|block| match block {
            Block::Packet {
                packet:
                    Packet {
                        from,
                        segment:
                            Transport::Tcp {
                                flags,
                                sequence,
                                acknowledged,
                                ..
                            },
                        ..
                    },
                comment,
                ..
            } => (
                from.port(),
                *flags,
                *sequence,
                *acknowledged,
                comment.is_some(),
            ),
            other => panic!("{other:?}"),
        })
        .collect();
    let marks: Vec<_> = seen
        .iter()
        .map(|(port, flags, ..)| (*port, *flags))
        .collect();
    // SYN 2, RST 4, ACK 16, FIN 1
    assert_eq!(
        marks,
        [
            (1, 2),
            (2, 2),
            (3, 2),
            (25, 20),
            (25, 18),
            (3, 16),
            (3, 17),
            (25, 16)
        ]
    );
    let (_, _, called, _, is_named) = seen[1];
    let (_, _, sequence, acknowledged, _) = seen[3];
    assert_eq!((sequence, acknowledged), (0, called.wrapping_add(1)));
    assert!(is_named);
}

#[test]
fn twenty_megabytes_both_ways_over_ipv6_round_the_end_of_sequence_numbers() {
    let (sink, capture) = capture();
    let (client, server) = (address("[2001:db8::7]:50000"), address("[2001:db8::1]:993"));
    let mut wire = Stream {
        file: Arc::clone(file_of(&capture)),
        ends: Ends::of_stream(client, server),
        client: Half::new(u32::MAX - 70_000),
        server: Half::new(u32::MAX),
        over: false,
        name: "".into(),
        part: 0,
    };
    wire.handshake(at(0), "");
    let long: Vec<u8> = (0..20_000_000_u32)
        .map(|n| (n >> 7) as u8 ^ n as u8)
        .collect();
    for (turn, piece) in long.chunks(256 * 1024 - 1).enumerate() {
        for side in [Side::Client, Side::Server] {
            wire.crossed(at(turn as u64), side, piece);
        }
    }
    wire.closed(at(1000), Side::Client, Closing::Reset);
    let blocks = parse(&sink.octets());
    let [said, heard] = conversation(&blocks, client);
    assert!(said == long && heard == long);
}

#[test]
fn datagrams_are_shown_as_they_were_sent() {
    let (sink, capture) = capture();
    let (client, server) = (address("127.0.0.1:50000"), address("[::ffff:127.0.0.1]:53"));
    let mut wire = capture.datagrams(client, server, "a question");
    wire.crossed(at(0), Side::Client, b"who?");
    wire.crossed(at(1), Side::Server, b"");
    wire.crossed(at(2), Side::Server, &vec![7; 65_508]);
    wire.closed(at(3), Side::Server, Closing::End);
    let blocks = parse(&sink.octets());
    let seen: Vec<_> = blocks
        .iter()
        .map(|block| match block {
            Block::Packet {
                packet:
                    Packet {
                        from,
                        segment: Transport::Udp(payload),
                        ..
                    },
                comment,
                ..
            } => (from.port(), payload.len(), comment.as_deref()),
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(
        seen,
        [
            (50000, 4, Some("a question")),
            (53, 0, None),
            (53, 65_507, None),
            (53, 1, None)
        ]
    );
}

#[test]
fn of_two_families_ipv4_is_mapped() {
    let (sink, capture) = capture();
    let server = address("[2001:db8::1]:25");
    let mut wire = capture.stream(at(0), address("192.0.2.7:50000"), server, "");
    wire.crossed(at(0), Side::Server, b"220\r\n");
    let mapped = Ipv6Addr::from([0, 0, 0, 0, 0, 0xffff, 0xc000, 0x0207]);
    let client = SocketAddr::new(mapped.into(), 50000);
    let [_, heard] = conversation(&parse(&sink.octets()), client);
    assert_eq!(heard, b"220\r\n");
}

#[test]
fn stand_ins_for_unix_sockets_differ() {
    let (one, server) = stand_in(1, 24);
    let (two, _) = stand_in(2, 24);
    assert_ne!(one, two);
    assert_eq!(server, address("127.0.0.1:24"));
    assert_eq!(stand_in(u64::MAX, 24).1, server);
}

/// Takes so many octets, then nothing more.
struct Full(usize);

impl Write for Full {
    fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        if self.0 < octets.len() {
            return Err(io::ErrorKind::StorageFull.into());
        }
        self.0 -= octets.len();
        Ok(octets.len())
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_full_disk_is_remembered_and_disturbs_nobody() {
    assert!(Capture::new(Box::new(Full(3))).is_err());
    let capture = Capture::new(Box::new(Full(1000))).expect("room for the beginning");
    let (client, server) = (address("127.0.0.1:50000"), address("127.0.0.1:25"));
    let mut wire = capture.stream(at(0), client, server, "");
    assert!(capture.trouble().is_none());
    wire.crossed(at(1), Side::Server, &[0; 1000]);
    wire.crossed(at(2), Side::Client, b"x");
    wire.closed(at(2), Side::Client, Closing::End);
    let error = capture.trouble().expect("it is full");
    assert_eq!(error.kind(), io::ErrorKind::StorageFull);
    assert!(capture.trouble().is_some(), "as often as it is asked for");
}

#[derive(Clone, Debug)]
enum Step {
    Crossed(usize, Side, Vec<u8>),
    Closed(usize, Side, Closing),
    Secret(String),
    Time(i32),
}

fn step() -> impl Strategy<Value = Step> {
    let side = || prop_oneof![Just(Side::Client), Just(Side::Server)];
    let how = prop_oneof![Just(Closing::End), Just(Closing::Reset)];
    let octets = prop_oneof![
        9 => prop::collection::vec(any::<u8>(), 0..40),
        1 => (65_000_usize..140_000).prop_map(|length| vec![b'x'; length]),
    ];
    prop_oneof![
        6 => (0_usize..3, side(), octets).prop_map(|(n, side, octets)| Step::Crossed(n, side, octets)),
        1 => (0_usize..3, side(), how).prop_map(|(n, side, how)| Step::Closed(n, side, how)),
        1 => "[ -~]{0,300}".prop_map(Step::Secret),
        1 => any::<i32>().prop_map(Step::Time),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    /// Whatever is called in whatever order: the file can be read, and holds what each side said before its end.
    #[test]
    fn any_calls_make_a_file_that_can_be_read(steps in prop::collection::vec(step(), 0..30)) {
        let (sink, capture) = capture();
        let server = address("127.0.0.1:25");
        let clients = [50000, 50001, 50002].map(|port| SocketAddr::new(server.ip(), port));
        let mut wires = clients.map(|client| capture.stream(at(0), client, server, "é"));
        let mut expected = [const { [const { Vec::new() }; 2] }; 3];
        let mut ended = [[false; 2]; 3];
        let mut now = at(0);
        for step in steps {
            match step {
                Step::Crossed(n, side, octets) => {
                    wires[n].crossed(now, side, &octets);
                    if !ended[n][side as usize] {
                        expected[n][side as usize].extend(octets);
                    }
                }
                Step::Closed(n, side, how) => {
                    wires[n].closed(now, side, how);
                    match how {
                        Closing::End => ended[n][side as usize] = true,
                        Closing::Reset => ended[n] = [true; 2],
                    }
                }
                Step::Secret(line) => capture.secrets().line(&line),
                Step::Time(seconds) if seconds < 0 => {
                    now -= Duration::from_secs(u64::from(seconds.unsigned_abs()));
                }
                Step::Time(seconds) => now += Duration::from_secs(u64::from(seconds.unsigned_abs())),
            }
        }
        drop(wires);
        let blocks = parse(&sink.octets());
        for (client, expected) in clients.into_iter().zip(expected) {
            prop_assert!(conversation(&blocks, client) == expected);
        }
        prop_assert!(capture.trouble().is_none());
    }
}
