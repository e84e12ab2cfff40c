//! Telnet's commands, taken out of what a server sends, and its options refused (RFC 854, RFC 855): `-t`.
//!
//! | comes | text | reply |
//! |---|---|---|
//! | `IAC DO x` | | `IAC WONT x` |
//! | `IAC WILL x` | | `IAC DONT x` |
//! | `IAC DONT x`, `IAC WONT x` | | none (1) |
//! | `IAC SB ... IAC SE` | | none |
//! | `IAC IAC` | 0xFF | |
//! | any other `IAC x` | | none |
//! | `CR NUL` | `CR` | |
//! | anything else | itself | |
//!
//! (1) What is refused is never on, and RFC 854 forbids to answer a request for the mode that one is in: answers to answers go
//! round for ever. OpenBSD's nc and ncat do answer (DONT with WONT, WONT with DONT); two of them, talking to each other, never
//! stop. They also find commands only where a read began with one (ncat) or had all of it (nc), and leave them in the text.
//!
//! Any sequence may be cut anywhere. A subnegotiation that does not end within [`limits::TELNET_SUBNEGOTIATION`] octets is given up:
//! the rest is text.

use crate::limits;

/// The filter of one direction of one connection.
#[derive(Clone, Debug, Default)]
pub struct Telnet(State);

#[derive(Clone, Copy, Debug, Default)]
enum State {
    #[default]
    Text,
    /// The CR itself has gone on.
    AfterCr,
    AfterIac,
    /// After DO, DONT, WILL or WONT: the octet to answer with, if any.
    Option(Option<u8>),
    /// Inside SB: how many octets may still come.
    Subnegotiation(usize),
    SubnegotiationIac(usize),
}

impl Telnet {
    /// Appends what is text to `text`, and what is to be answered to `reply`; neither grows by more than `input` has octets, but
    /// for two that an earlier call owes to `reply`.
    ///
    /// ```
    /// let mut telnet = mailtool::wire::telnet::Telnet::default();
    /// let (mut text, mut reply) = (Vec::new(), Vec::new());
    /// telnet.filter(b"\xff\xfd\x18login: \xff", &mut text, &mut reply);
    /// telnet.filter(b"\xfb\x01", &mut text, &mut reply);
    /// assert_eq!(text, b"login: ");
    /// assert_eq!(reply, b"\xff\xfc\x18\xff\xfe\x01");
    /// ```
    pub fn filter(&mut self, input: &[u8], text: &mut Vec<u8>, reply: &mut Vec<u8>) {
        let mut rest = input;
        while let Some((&octet, after)) = rest.split_first() {
            if matches!(self.0, State::Text) {
                let plain = memchr::memchr2(IAC, CR, rest).unwrap_or(rest.len());
                text.extend_from_slice(&rest[..plain]);
                rest = &rest[plain..];
                if let Some((&octet, after)) = rest.split_first() {
                    self.0 = match octet {
                        IAC => State::AfterIac,
                        _ => {
                            text.push(octet);
                            State::AfterCr
                        }
                    };
                    rest = after;
                }
                continue;
            }
            self.0 = match (self.0, octet) {
                // RFC 854: a CR that is no line's end is followed by NUL.
                (State::AfterCr, 0) => State::Text,
                (State::AfterCr, IAC) => State::AfterIac,
                (State::AfterCr, _) => {
                    // It may be a CR, too.
                    self.0 = State::Text;
                    continue;
                }
                (State::AfterIac, IAC) => {
                    text.push(IAC);
                    State::Text
                }
                (State::AfterIac, DO) => State::Option(Some(WONT)),
                (State::AfterIac, WILL) => State::Option(Some(DONT)),
                (State::AfterIac, DONT | WONT) => State::Option(None),
                (State::AfterIac, SB) => State::Subnegotiation(limits::TELNET_SUBNEGOTIATION),
                (State::Option(answer), option) => {
                    reply.extend(answer.iter().flat_map(|&answer| [IAC, answer, option]));
                    State::Text
                }
                (State::Subnegotiation(0) | State::SubnegotiationIac(0), _) => {
                    self.0 = State::Text;
                    continue;
                }
                (State::Subnegotiation(left), IAC) => State::SubnegotiationIac(left - 1),
                (State::SubnegotiationIac(_), SE) => State::Text,
                (State::Subnegotiation(left) | State::SubnegotiationIac(left), _) => {
                    State::Subnegotiation(left - 1)
                }
                (State::AfterIac | State::Text, _) => State::Text,
            };
            rest = after;
        }
    }
}

const CR: u8 = b'\r';
const IAC: u8 = 255;
const DONT: u8 = 254;
const DO: u8 = 253;
const WONT: u8 = 252;
const WILL: u8 = 251;
const SB: u8 = 250;
const SE: u8 = 240;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn filtered(pieces: &[&[u8]]) -> (Vec<u8>, Vec<u8>) {
        let (mut text, mut reply) = (Vec::new(), Vec::new());
        let mut telnet = Telnet::default();
        for piece in pieces {
            telnet.filter(piece, &mut text, &mut reply);
        }
        (text, reply)
    }

    #[test]
    fn commands_are_answered_and_taken_out_wherever_they_are_cut() {
        for (input, text, reply) in [
            (&b"\xff\xfd\x18"[..], &b""[..], &b"\xff\xfc\x18"[..]),
            (b"\xff\xfb\x01", b"", b"\xff\xfe\x01"),
            (b"a\xff\xfe\x18b\xff\xfc\x01c", b"abc", b""),
            (b"\xff\xfd\xff", b"", b"\xff\xfc\xff"),
            (b"a\xff\xffb", b"a\xffb", b""),
            (b"\xff\xff\xfd\x18", b"\xff\xfd\x18", b""),
            (b"a\xff\xf6b\xff\xf1", b"ab", b""),
            (b"a\xff\xfa\x18\x01\xff\xff\xff\xf0b", b"ab", b""),
            (b"\xff\xfa\x18\xff\xfd\x01\xff\xf0b", b"b", b""),
            (b"a\r\0b\r\n\r\r\0\0", b"a\rb\r\n\r\r\0", b""),
            (b"\r\xff\xfd\x18\0", b"\r\0", b"\xff\xfc\x18"),
            (b"\0\n\0", b"\0\n\0", b""),
        ] {
            for cut in 0..=input.len() {
                let (before, behind) = input.split_at(cut);
                let expected = (text.to_vec(), reply.to_vec());
                assert_eq!(
                    filtered(&[before, behind]),
                    expected,
                    "{input:?} cut at {cut}"
                );
            }
        }
    }

    #[test]
    fn a_subnegotiation_without_end_is_given_up() {
        let endless = [
            &b"\xff\xfa"[..],
            &[b'x'; limits::TELNET_SUBNEGOTIATION],
            b"text",
        ]
        .concat();
        assert_eq!(filtered(&[&endless]), (b"text".to_vec(), Vec::new()));
        let endless = [
            &b"\xff\xfa"[..],
            &[IAC; limits::TELNET_SUBNEGOTIATION],
            b"text",
        ]
        .concat();
        assert_eq!(filtered(&[&endless]), (b"text".to_vec(), Vec::new()));
    }

    #[test]
    fn two_that_answer_each_other_fall_silent() {
        let (_, mut said) = filtered(&[b"\xff\xfd\x18\xff\xfb\x01\xff\xfe\x18\xff\xfc\x01"]);
        for _ in 0..2 {
            said = filtered(&[&said]).1;
        }
        assert_eq!(said, b"");
    }

    proptest! {
        #[test]
        fn pieces_do_not_matter(
            pieces in proptest::collection::vec(
                proptest::collection::vec(prop_oneof![any::<u8>(), Just(IAC), Just(SB), Just(CR), Just(0)], 0..20),
                0..20,
            )
        ) {
            let whole = pieces.concat();
            let pieces: Vec<_> = pieces.iter().map(Vec::as_slice).collect();
            let (text, reply) = filtered(&[&whole]);
            prop_assert!(text.len() <= whole.len() && reply.len() <= whole.len());
            prop_assert_eq!(filtered(&pieces), (text, reply));
        }
    }
}
