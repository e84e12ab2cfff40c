//! Debian's nc.openbsd: what it says of a wrong command line, who ends when, and what octets go through. Its kinds of sockets
//! are in [`super::openbsd_sockets`], proxies and what scripts do with it in [`super::openbsd_scripts`].

use super::Dialect::OpenBsd;
use super::Input::{Closed, File, Pipe, Terminal};
use super::Step::{
    Accept, Close, CloseOutput, EndInput, HalfClose, Hears, HearsAfter, HearsEnd, HearsMuch,
    Leaves, LeavesAfter, Reset, Send, SendMuch, Shows, ShowsMuch, Stays, Terminate, Type, TypeMuch,
};
use super::{Case, Output, Over, case};

fn nc(name: &'static str, arguments: &'static str) -> Case {
    case(OpenBsd, name, arguments)
}

fn sh(name: &'static str, line: &'static str) -> Case {
    super::shell(OpenBsd, name, line)
}

/// All of them.
pub fn cases() -> Vec<Case> {
    [command_line(), ends(), input_and_output()].concat()
}

fn command_line() -> Vec<Case> {
    vec![
        nc("no words", ""),
        nc("-q without its number", "-q"),
        nc("an unknown letter", "-vQ"),
        nc("an unknown long option", "--frob h 1").differs(
            "here there are long options",
            &[(
                "stderr nc: invalid option -- '-'",
                "stderr nc: unrecognized option '--frob'",
            )],
        ),
        nc("no port", "127.0.0.1"),
        nc("-l without a port", "-l"),
        nc("a port that is no number", "127.0.0.1 x"),
        nc("port 0", "127.0.0.1 0"),
        nc("port 65536", "127.0.0.1 65536"),
        nc("a range that ends in letters", "127.0.0.1 5-x"),
        nc("a range without an end", "127.0.0.1 5-"),
        nc("-l -z", "-l -z 1"),
        nc("-k without -l", "-k h 1"),
        nc("-l -s without -p", "-l -s 127.0.0.1 1"),
        nc("-l -p twice", "-l -p 1 2"),
        nc("-U -x", "-U -x a:1 s"),
        nc("-U with a port", "-U s 1"),
        nc("-U -u -z", "-U -u -z s"),
        nc("-u -x", "-u -x 127.0.0.1:1 h 1"),
        nc("-w with letters", "-w x h 1"),
        nc("-w negative", "-w -1 h 1"),
        nc("-q with letters", "-q x h 1"),
        nc("-i with a fraction", "-i 1.5 h 1"),
        nc("-i negative", "-i -1 h 1"),
        nc("-I 0", "-I 0 h 1"),
        nc("-O with letters", "-O x h 1"),
        nc("-M 256", "-M 256 h 1"),
        nc("-M with letters", "-M x h 1"),
        nc("-m 256", "-m 256 h 1"),
        nc("-m with letters", "-m x h 1"),
        nc("-T with a word that is none", "-T fast h 1"),
        nc("-T too large", "-T 256 h 1"),
        nc("-V with letters", "-V x h 1"),
        nc("-V 1", "-V 1 127.0.0.1 {closed}"),
        nc("-W 0", "-W 0 h 1"),
        nc("-X unknown", "-X 6 -x 127.0.0.1:{closed} h 1"),
        nc("-x without a host", "-x :1 127.0.0.1 1"),
        nc("-s that is not ours", "-s 192.0.2.77 127.0.0.1 {closed}"),
        nc("-s that is no address", "-s nowhere 127.0.0.1 {closed}"),
        nc("-s of the other family", "-s ::1 127.0.0.1 {closed}"),
        nc("-p that is no port", "-p x 127.0.0.1 {closed}"),
        nc("-n with a name", "-n localhost {closed}"),
        nc("no name at all", "'' {closed}"),
        nc("-4 with an IPv6 address", "-4 ::1 {closed}"),
        nc("-6 with an IPv4 address", "-6 127.0.0.1 {closed}"),
        nc(
            "-l at an address that is not ours",
            "-l 192.0.2.77 {listen}",
        ),
        nc("-l at a port that is in use", "-l 127.0.0.1 {port}").to(Over::Tcp),
        sh("-h but for the version", "nc -h 2>&1 | sed 1d"),
        sh(
            "libvirt's probe",
            "nc -q 2>&1 | grep 'requires an argument'",
        ),
        sh("OpenSSH's probe", "nc -h 2>&1 | grep 'proxy address'"),
        sh("-h is not on stdout", "nc -h 2>/dev/null"),
    ]
}

/// Who ends when, and what the other makes of it.
fn ends() -> Vec<Case> {
    vec![
        nc("refused", "127.0.0.1 {closed}"),
        nc("refused, -v", "-v 127.0.0.1 {closed}"),
        nc("refused, by name, -4v", "-4v localhost {closed}"),
        nc("-v", "-v 127.0.0.1 {port}")
            .to(Over::Tcp)
            .steps(&[Accept, Close, Leaves]),
        nc("-vv", "-vv 127.0.0.1 {port}")
            .to(Over::Tcp)
            .steps(&[Accept, Close, Leaves]),
        nc("-nv", "-nv 127.0.0.1 {port}")
            .to(Over::Tcp)
            .steps(&[Accept, Close, Leaves]),
        nc("-4v by name", "-4v localhost {port}")
            .to(Over::Tcp)
            .steps(&[Accept, Close, Leaves]),
        nc("-6v", "-6v ::1 {port}")
            .to(Over::Tcp6)
            .steps(&[Accept, Close, Leaves]),
        nc("a service has a name, -z", "-zv {here} 2119").serving(2119),
        nc("a service has a name, but not with -n", "-nzv {here} 2119").serving(2119),
        nc("the name of a service", "-zv {here} gsigatekeeper").serving(2119),
        nc("without -N the peer is not told", "127.0.0.1 {port}")
            .to(Over::Tcp)
            .input(Pipe)
            .steps(&[
                Accept,
                Type(b"question"),
                EndInput,
                Hears(b"question"),
                HearsEnd,
                Send(b"answer"),
                Shows(b"answer"),
                Stays,
                Close,
                Leaves,
            ]),
        nc("-N tells the peer", "-N 127.0.0.1 {port}")
            .to(Over::Tcp)
            .input(Pipe)
            .steps(&[
                Accept,
                Type(b"question"),
                EndInput,
                HearsEnd,
                Send(b"answer"),
                Shows(b"answer"),
                Stays,
                Close,
                Leaves,
            ]),
        nc("-N, then the peer ends first", "-N 127.0.0.1 {port}")
            .to(Over::Tcp)
            .input(Pipe)
            .steps(&[Accept, HalfClose, Type(b"more"), EndInput, HearsEnd, Leaves]),
        nc("the peer closes, input is a pipe", "127.0.0.1 {port}")
            .to(Over::Tcp)
            .input(Pipe)
            .steps(&[
                Accept,
                Send(b"bye"),
                Close,
                Shows(b"bye"),
                Stays,
                EndInput,
                Leaves,
            ]),
        nc("the peer closes, typed into, twice", "127.0.0.1 {port}")
            .to(Over::Tcp)
            .input(Pipe)
            .steps(&[
                Accept,
                Send(b"bye"),
                Close,
                Shows(b"bye"),
                Type(b"one\n"),
                Stays,
                Type(b"two\n"),
                Leaves,
            ]),
        nc("the peer half-closes, input goes on", "127.0.0.1 {port}")
            .to(Over::Tcp)
            .input(Pipe)
            .steps(&[
                Accept,
                Send(b"bye"),
                HalfClose,
                Shows(b"bye"),
                Type(b"the rest"),
                Hears(b"the rest"),
                EndInput,
                HearsEnd,
                Leaves,
            ]),
        nc("the peer closes, input is over", "127.0.0.1 {port}")
            .to(Over::Tcp)
            .steps(&[Accept, Send(b"bye"), Close, Shows(b"bye"), Leaves]),
        nc("the peer resets, input is a pipe", "127.0.0.1 {port}")
            .to(Over::Tcp)
            .input(Pipe)
            .steps(&[
                Accept,
                Send(b"half a wo"),
                Shows(b"half a wo"),
                Reset,
                Leaves,
            ])
            .differs("something may be lost", &[("leaves: 0", "leaves: 1")]),
        nc("the peer resets, input is over", "127.0.0.1 {port}")
            .to(Over::Tcp)
            .steps(&[
                Accept,
                Send(b"half a wo"),
                Shows(b"half a wo"),
                Reset,
                Leaves,
            ])
            .differs("something may be lost", &[("leaves: 0", "leaves: 1")]),
        nc("the peer resets, -v", "-v 127.0.0.1 {port}")
            .to(Over::Tcp)
            .input(Pipe)
            .steps(&[Accept, Send(b"x"), Shows(b"x"), Reset, Leaves])
            .differs("something may be lost", &[("leaves: 0", "leaves: 1")]),
        nc("a terminal, the peer closes", "127.0.0.1 {port}")
            .to(Over::Tcp)
            .input(Terminal)
            .steps(&[
                Accept,
                Type(b"QUIT\n"),
                Hears(b"QUIT\n"),
                Send(b"221 bye\r\n"),
                Close,
                Shows(b"221 bye\r\n"),
                Leaves,
            ])
            .differs(
                "a person must not have to press Enter to see that it is over",
                &[("stays", "leaves: 0")],
            ),
        nc("a terminal, Ctrl-D", "-N 127.0.0.1 {port}")
            .to(Over::Tcp)
            .input(Terminal)
            .steps(&[
                Accept,
                Type(b"line\n"),
                Hears(b"line\n"),
                EndInput,
                HearsEnd,
                Send(b"answer"),
                Close,
                Shows(b"answer"),
                Leaves,
            ]),
        nc("SIGTERM", "127.0.0.1 {port}")
            .to(Over::Tcp)
            .input(Pipe)
            .steps(&[Accept, Terminate, HearsEnd, Leaves]),
        nc("-q 0", "-q 0 127.0.0.1 {port}")
            .to(Over::Tcp)
            .input(Pipe)
            .steps(&[Accept, Type(b"x"), EndInput, HearsEnd, Leaves])
            .differs(
                "as its manual says: theirs counts from the peer's end",
                &[("stays", "leaves: 0")],
            ),
        nc("-q 1, a peer that answers at once", "-q 1 127.0.0.1 {port}")
            .to(Over::Tcp)
            .input(Pipe)
            .steps(&[
                Accept,
                Type(b"x"),
                EndInput,
                HearsEnd,
                Send(b"answer"),
                Close,
                LeavesAfter,
            ])
            .differs(
                "the peer has ended: there is nothing to wait for",
                &[("leaves after 1 s: 0", "leaves at once: 0")],
            ),
        nc("-q 1, a peer that is silent", "-q 1 127.0.0.1 {port}")
            .to(Over::Tcp)
            .input(Pipe)
            .steps(&[Accept, Type(b"x"), EndInput, HearsEnd, LeavesAfter])
            .differs(
                "as its manual says: theirs counts from the peer's end",
                &[("stays", "leaves after 1 s: 0")],
            ),
        nc("-q 1, a peer that talks on", "-q 1 127.0.0.1 {port}")
            .to(Over::Tcp)
            .input(Pipe)
            .steps(&[
                Accept,
                EndInput,
                HearsEnd,
                Send(b"talk"),
                Shows(b"talk"),
                LeavesAfter,
            ])
            .differs(
                "as its manual says: theirs counts from the peer's end",
                &[("stays", "leaves after 1 s: 0")],
            ),
        nc("-q negative waits for the peer", "-q -1 127.0.0.1 {port}")
            .to(Over::Tcp)
            .input(Pipe)
            .steps(&[
                Accept,
                Type(b"x"),
                EndInput,
                Hears(b"x"),
                HearsEnd,
                Stays,
                Close,
                Leaves,
            ]),
        nc("-w 1, nobody speaks", "-w 1 127.0.0.1 {port}")
            .to(Over::Tcp)
            .input(Pipe)
            .steps(&[Accept, LeavesAfter]),
        nc("-w 1 -v, nobody speaks", "-v -w 1 127.0.0.1 {port}")
            .to(Over::Tcp)
            .input(Pipe)
            .steps(&[Accept, LeavesAfter]),
        nc("-w 1, nobody speaks, input over", "-w 1 127.0.0.1 {port}")
            .to(Over::Tcp)
            .steps(&[Accept, LeavesAfter]),
        nc("-w 1, from the last octet on", "-w 1 127.0.0.1 {port}")
            .to(Over::Tcp)
            .input(Pipe)
            .steps(&[
                Accept,
                Send(b"one"),
                Shows(b"one"),
                Stays,
                Send(b"two"),
                LeavesAfter,
            ]),
        nc("-w 1, nobody takes the call", "-w 1 127.0.0.1 {port}")
            .deaf()
            .steps(&[LeavesAfter]),
        nc("-w 1 -v, nobody takes the call", "-v -w 1 127.0.0.1 {port}")
            .deaf()
            .steps(&[LeavesAfter]),
        nc(
            "-zv -w 1, nobody takes the call",
            "-zv -w 1 127.0.0.1 {port}",
        )
        .deaf()
        .steps(&[LeavesAfter]),
    ]
}

/// Stdin and stdout of all kinds, and what changes on the way.
fn input_and_output() -> Vec<Case> {
    vec![
        nc("input is closed", "-N 127.0.0.1 {port}")
            .to(Over::Tcp)
            .input(Closed)
            .steps(&[
                Accept,
                HearsEnd,
                Send(b"answer"),
                Close,
                Shows(b"answer"),
                Leaves,
            ])
            .differs(
                "theirs takes the connection for its stdin",
                &[
                    ("hears \"\", then nothing", "hears \"\", then the end"),
                    ("shows \"\", then the end", "shows \"answer\""),
                    ("", "stdout \"answer\""),
                ],
            ),
        nc("input is /dev/null", "-N 127.0.0.1 {port}")
            .to(Over::Tcp)
            .steps(&[
                Accept,
                HearsEnd,
                Send(b"answer"),
                Close,
                Shows(b"answer"),
                Leaves,
            ]),
        nc("input is a file", "-N 127.0.0.1 {port}")
            .to(Over::Tcp)
            .input(File("from a file"))
            .steps(&[
                Accept,
                HearsEnd,
                Send(b"answer"),
                Close,
                Shows(b"answer"),
                Leaves,
            ]),
        nc("input is a file, without -N", "127.0.0.1 {port}")
            .to(Over::Tcp)
            .input(File("from a file"))
            .steps(&[
                Accept,
                Hears(b"from a file"),
                HearsEnd,
                Stays,
                Close,
                Leaves,
            ]),
        nc("-d does not read", "-d 127.0.0.1 {port}")
            .to(Over::Tcp)
            .input(File("unread"))
            .steps(&[
                Accept,
                HearsEnd,
                Send(b"to be read"),
                Close,
                Shows(b"to be read"),
                Leaves,
            ]),
        nc("-d -N", "-d -N 127.0.0.1 {port}")
            .to(Over::Tcp)
            .input(File("unread"))
            .steps(&[Accept, HearsEnd, Send(b"x"), Shows(b"x"), Close, Leaves]),
        nc("output is closed", "-N 127.0.0.1 {port}")
            .to(Over::Tcp)
            .input(Pipe)
            .output(Output::Closed)
            .steps(&[
                Accept,
                Type(b"upload"),
                Hears(b"upload"),
                Send(b"nobody wants this"),
                Stays,
                EndInput,
                HearsEnd,
                Close,
                Leaves,
            ])
            .differs(
                "theirs takes the connection for its stdout, and sends the peer's own words back",
                &[(
                    "hears \"nobody wants this\", then the end",
                    "hears \"\", then the end",
                )],
            ),
        nc("output has no reader", "127.0.0.1 {port}")
            .to(Over::Tcp)
            .input(Pipe)
            .output(Output::Unread)
            .steps(&[Accept, Send(b"unheard"), Leaves])
            .differs(
                "nobody reads: theirs waits for ever",
                &[("stays", "leaves: 1")],
            ),
        nc("output has no reader, -v", "-v 127.0.0.1 {port}")
            .to(Over::Tcp)
            .input(Pipe)
            .output(Output::Unread)
            .steps(&[Accept, Send(b"unheard"), Leaves])
            .differs(
                "nobody reads: theirs waits for ever",
                &[("stays", "leaves: 1")],
            ),
        nc("output's reader goes away", "127.0.0.1 {port}")
            .to(Over::Tcp)
            .input(Pipe)
            .steps(&[
                Accept,
                Send(b"heard"),
                Shows(b"heard"),
                CloseOutput,
                Send(b"the last"),
                Shows(b"the last"),
                Send(b"unheard"),
                Leaves,
            ])
            .differs(
                "nobody reads: theirs waits for ever",
                &[("stays", "leaves: 1")],
            ),
        nc("the disk of output is full", "127.0.0.1 {port}")
            .to(Over::Tcp)
            .input(Pipe)
            .output(Output::Full)
            .steps(&[Accept, Send(b"lost"), Leaves])
            .differs(
                "theirs waits for ever, and says nothing",
                &[
                    ("stays", "leaves: 1"),
                    ("", "stderr nc: No space left on device"),
                ],
            ),
        nc("much to a peer that reads late", "-N 127.0.0.1 {port}")
            .to(Over::Tcp)
            .input(Pipe)
            .steps(&[
                Accept,
                TypeMuch(8_000_000),
                Stays,
                HearsMuch(8_000_000),
                HearsEnd,
                Close,
                Leaves,
            ]),
        nc("much from a peer that closes then", "127.0.0.1 {port}")
            .to(Over::Tcp)
            .steps(&[
                Accept,
                SendMuch(3_000_000),
                Close,
                ShowsMuch(3_000_000),
                Leaves,
            ]),
        sh(
            "much to a reader that is late",
            "nc -d 127.0.0.1 {port} | (sleep 0.3; wc -c)",
        )
        .to(Over::Tcp)
        .steps(&[Accept, SendMuch(3_000_000), Close, Leaves]),
        sh("output does not wait", NONBLOCKING)
            .needs("python3", "python3")
            .to(Over::Tcp)
            .steps(&[Accept, SendMuch(3_000_000), Close, Leaves]),
        nc("-C", "-C -N 127.0.0.1 {port}")
            .to(Over::Tcp)
            .input(Pipe)
            .steps(&[
                Accept,
                Type(b"a\nb\r\n\n\r\r\nc"),
                EndInput,
                HearsEnd,
                Close,
                Leaves,
            ]),
        nc("-C, a CRLF in two pieces", "-C -N 127.0.0.1 {port}")
            .to(Over::Tcp)
            .input(Pipe)
            .steps(&[
                Accept,
                Type(b"a\r"),
                Hears(b"a\r"),
                Type(b"\nb\n"),
                EndInput,
                HearsEnd,
                Close,
                Leaves,
            ])
            .differs(
                "a CR is never doubled",
                &[(
                    "hears \"\\r\\nb\\r\\n\", then the end",
                    "hears \"\\nb\\r\\n\", then the end",
                )],
            ),
        nc("-C does not change what comes", "-C 127.0.0.1 {port}")
            .to(Over::Tcp)
            .steps(&[Accept, Send(b"a\nb\r\n"), Close, Shows(b"a\nb\r\n"), Leaves]),
        nc("-i 1 between lines", "-i 1 -N 127.0.0.1 {port}")
            .to(Over::Tcp)
            .input(Pipe)
            .steps(&[
                Accept,
                Type(b"one\ntwo\n"),
                EndInput,
                HearsAfter(b"one\n"),
                HearsAfter(b"two\n"),
                HearsEnd,
                Close,
                Leaves,
            ]),
        nc("-W 1", "-W 1 127.0.0.1 {port}")
            .to(Over::Tcp)
            .input(Pipe)
            .steps(&[Accept, Send(b"one"), Shows(b"one"), HearsEnd, Leaves]),
        nc("-W 2", "-W 2 127.0.0.1 {port}")
            .to(Over::Tcp)
            .input(Pipe)
            .steps(&[
                Accept,
                Send(b"one"),
                Shows(b"one"),
                Stays,
                Send(b"two"),
                Shows(b"two"),
                Leaves,
            ]),
        nc("-t answers and shows", "-t 127.0.0.1 {port}")
            .to(Over::Tcp)
            .input(Pipe)
            .steps(&[
                Accept,
                Send(b"\xff\xfd\x18\xff\xfb\x01\xff\xfe\x03\xff\xfc\x05login: "),
                Hears(b"\xff\xfc\x18\xff\xfe\x01\xff\xfc\x03\xff\xfe\x05"),
                Shows(b"\xff\xfd\x18\xff\xfb\x01\xff\xfe\x03\xff\xfc\x05login: "),
                Type(b"me\n"),
                Hears(b"me\n"),
                Close,
                EndInput,
                Leaves,
            ])
            .differs(
                "RFC 854: an answer to an answer would go round for ever; and negotiation is no text",
                &[
                    (
                        "hears \"\\xff\\xfc\\x18\\xff\\xfe\\x01\\xff\\xfc\\x03\\xff\\xfe\\x05\"",
                        "hears \"\\xff\\xfc\\x18\\xff\\xfe\\x01\", then nothing",
                    ),
                    (
                        "shows \"\\xff\\xfd\\x18\\xff\\xfb\\x01\\xff\\xfe\\x03\\xff\\xfc\\x05login: \"",
                        "shows \"login: \", then nothing",
                    ),
                    (
                        "stdout \"\\xff\\xfd\\x18\\xff\\xfb\\x01\\xff\\xfe\\x03\\xff\\xfc\\x05login: \"",
                        "stdout \"login: \"",
                    ),
                ],
            ),
    ]
}

/// Whoever has the other end of the same pipe decides whether it waits; here it does not, and its reader is late.
const NONBLOCKING: &str = "(python3 -c 'import os; os.set_blocking(1, False)'; \
    exec nc -d 127.0.0.1 {port}) | (sleep 0.5; wc -c)";
