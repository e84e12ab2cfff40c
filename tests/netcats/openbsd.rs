//! Debian's nc.openbsd. The cases are in the order of its manual; first what it says of a wrong command line.

use super::Dialect::OpenBsd;
use super::Input::{Closed, File, Pipe, Terminal};
use super::Step::{
    Accept, As, Call, Close, CloseOutput, EndInput, HalfClose, Hears, HearsAfter, HearsEnd,
    HearsMuch, Leaves, LeavesAfter, Reads, Reset, Says, SaysPort, Send, SendMuch, Shows, ShowsMuch,
    Stays, Type, TypeMuch,
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
    [
        command_line(),
        ends(),
        input_and_output(),
        listening(),
        datagrams(),
        unix_sockets(),
        scanning(),
        socket_options(),
        proxies(),
        idioms(),
    ]
    .concat()
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
            .steps(&[Accept, super::Step::Terminate, HearsEnd, Leaves]),
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
                Send(b"nobody wants this"),
                Type(b"upload"),
                EndInput,
                HearsEnd,
                Close,
                Leaves,
            ])
            .differs(
                "theirs takes the connection for its stdout, and sends the peer's own words back",
                &[(
                    "hears \"uploadnobody wants this\", then the end",
                    "hears \"upload\", then the end",
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

fn listening() -> Vec<Case> {
    let once = &[Call, Send(b"hello"), Shows(b"hello"), Close, Leaves];
    vec![
        nc("-l PORT", "-l {listen}").from(Over::Tcp).steps(once),
        nc("-l -p PORT", "-l -p {listen}")
            .from(Over::Tcp)
            .steps(once),
        nc("-lp PORT HOST", "-lp {listen} 127.0.0.1")
            .from(Over::Tcp)
            .steps(once),
        nc("-l -s HOST -p PORT", "-l -s 127.0.0.1 -p {listen}")
            .from(Over::Tcp)
            .steps(once),
        nc("-l HOST PORT", "-l 127.0.0.1 {listen}")
            .from(Over::Tcp)
            .steps(once),
        nc("-lv", "-lv {listen}").from(Over::Tcp).steps(once),
        nc("-lvn", "-lvn {listen}").from(Over::Tcp).steps(once),
        nc("-lvn HOST", "-lvn 127.0.0.1 {listen}")
            .from(Over::Tcp)
            .steps(once),
        nc("-lv HOST", "-lv localhost {listen}")
            .from(Over::Tcp)
            .steps(once),
        nc("-6lvn", "-6lvn ::1 {listen}")
            .from(Over::Tcp6)
            .steps(once),
        nc("-6lv any", "-6lvn {listen}")
            .from(Over::Tcp6)
            .steps(once),
        nc("-l -p 0 tells its port", "-lvn 127.0.0.1 0")
            .from(Over::Tcp)
            .steps(&[SaysPort, Call, Send(b"hello"), Close, Leaves]),
        nc("-l, input over, the caller stays", "-l {listen}")
            .from(Over::Tcp)
            .steps(&[
                Call,
                HearsEnd,
                Send(b"x"),
                Shows(b"x"),
                Stays,
                Close,
                Leaves,
            ]),
        nc("-l, a caller that closes, input a pipe", "-l {listen}")
            .from(Over::Tcp)
            .input(Pipe)
            .steps(&[Call, Type(b"hi"), Hears(b"hi"), Close, Leaves]),
        nc("-l, a caller that half-closes, input a pipe", "-l {listen}")
            .from(Over::Tcp)
            .input(Pipe)
            .steps(&[Call, Type(b"hi"), Hears(b"hi"), HalfClose, HearsEnd, Leaves]),
        nc("-l, a caller that half-closes, input a file", "-l {listen}")
            .from(Over::Tcp)
            .input(File("all of it"))
            .steps(&[Call, HalfClose, HearsEnd, Leaves]),
        nc("-l, a caller that resets", "-l {listen}")
            .from(Over::Tcp)
            .input(Pipe)
            .steps(&[Call, Send(b"x"), Shows(b"x"), Reset, Leaves])
            .differs("something may be lost", &[("leaves: 0", "leaves: 1")]),
        nc("-lN", "-lN {listen}")
            .from(Over::Tcp)
            .input(Pipe)
            .steps(&[Call, Type(b"x"), EndInput, HearsEnd, Stays, Close, Leaves]),
        nc("-l -q 1", "-l -q 1 {listen}")
            .from(Over::Tcp)
            .steps(&[Call, HearsEnd, LeavesAfter]),
        nc("-l -w 1 waits for a caller", "-l -w 1 {listen}")
            .from(Over::Tcp)
            .input(Pipe)
            .steps(&[Stays, Stays, Stays, Call, LeavesAfter]),
        nc("-ld", "-ld {listen}")
            .from(Over::Tcp)
            .input(File("unread"))
            .steps(&[Call, Send(b"x"), Shows(b"x"), HalfClose, HearsEnd, Leaves]),
        nc("-l, who comes second is refused", "-l {listen}")
            .from(Over::Tcp)
            .input(Pipe)
            .steps(&[
                Call,
                Send(b"one"),
                Shows(b"one"),
                Call,
                Close,
                As(0),
                Close,
                Leaves,
            ]),
        nc("-lk, one after another", "-lk {listen}")
            .from(Over::Tcp)
            .steps(&[
                Call,
                Send(b"one\n"),
                Shows(b"one\n"),
                Call,
                Send(b"two\n"),
                As(0),
                Stays,
                Close,
                Shows(b"two\n"),
                As(1),
                Close,
                Call,
                Send(b"three\n"),
                Shows(b"three\n"),
                Close,
                Stays,
            ]),
        nc("-lkv", "-lkvn 127.0.0.1 {listen}")
            .from(Over::Tcp)
            .steps(&[
                Call,
                Send(b"one\n"),
                Shows(b"one\n"),
                Close,
                Call,
                Send(b"two\n"),
                Shows(b"two\n"),
                Close,
                Stays,
            ]),
        nc("-lk, input a pipe, for the first", "-lk {listen}")
            .from(Over::Tcp)
            .input(Pipe)
            .steps(&[
                Call,
                Type(b"a"),
                Hears(b"a"),
                Close,
                Stays,
                Call,
                Type(b"b"),
                Hears(b"b"),
                Close,
                Stays,
            ]),
        nc("-lkN, input over", "-lkN {listen}")
            .from(Over::Tcp)
            .steps(&[Call, HearsEnd, Close, Call, HearsEnd, Close, Stays]),
    ]
}

fn datagrams() -> Vec<Case> {
    vec![
        nc("-u", "-u 127.0.0.1 {port}")
            .to(Over::Udp)
            .input(Pipe)
            .steps(&[
                Type(b"question\n"),
                Hears(b"question\n"),
                Send(b"answer\n"),
                Shows(b"answer\n"),
                EndInput,
                Stays,
                Send(b"more\n"),
                Shows(b"more\n"),
            ]),
        nc("-uv", "-uv 127.0.0.1 {port}")
            .to(Over::Udp)
            .input(Pipe)
            .steps(&[
                Hears(b"X"),
                Hears(b"X"),
                HearsAfter(b"X"),
                HearsAfter(b"X"),
                HearsAfter(b"X"),
                Says("succeeded"),
                Type(b"q"),
                Hears(b"q"),
            ]),
        nc("-uv -w 1", "-uv -w 1 127.0.0.1 {port}")
            .to(Over::Udp)
            .input(Pipe)
            .steps(&[
                Hears(b"X"),
                Hears(b"X"),
                HearsAfter(b"X"),
                Says("succeeded"),
                Type(b"q"),
                Hears(b"q"),
                LeavesAfter,
            ]),
        nc("-uv, nobody there", "-uv -w 1 127.0.0.1 {closed}")
            .to(Over::Udp)
            .input(Pipe)
            .steps(&[LeavesAfter]),
        nc("-u6", "-6u ::1 {port}")
            .to(Over::Udp6)
            .input(Pipe)
            .steps(&[Type(b"q"), Hears(b"q"), Send(b"a"), Shows(b"a")]),
        nc("-u -w 1", "-u -w 1 127.0.0.1 {port}")
            .to(Over::Udp)
            .input(Pipe)
            .steps(&[
                Type(b"q"),
                EndInput,
                Hears(b"q"),
                Send(b"a"),
                Shows(b"a"),
                LeavesAfter,
            ]),
        nc("-u -q 1", "-u -q 1 127.0.0.1 {port}")
            .to(Over::Udp)
            .input(Pipe)
            .steps(&[Type(b"q"), EndInput, Hears(b"q"), LeavesAfter]),
        nc("-u -q 0", "-u -q 0 127.0.0.1 {port}")
            .to(Over::Udp)
            .input(Pipe)
            .steps(&[Type(b"q"), EndInput, Hears(b"q"), Leaves]),
        nc("-u -N", "-u -N 127.0.0.1 {port}")
            .to(Over::Udp)
            .input(Pipe)
            .steps(&[Type(b"q"), EndInput, Hears(b"q"), Leaves]),
        nc("-u -W 1", "-u -W 1 127.0.0.1 {port}")
            .to(Over::Udp)
            .input(Pipe)
            .steps(&[Type(b"q"), Hears(b"q"), Send(b"a"), Leaves]),
        nc("-u, each read is a datagram", "-u 127.0.0.1 {port}")
            .to(Over::Udp)
            .input(File("one\ntwo\n"))
            .steps(&[Hears(b"one\ntwo\n")]),
        nc("-u, nobody there", "-u 127.0.0.1 {closed}")
            .to(Over::Udp)
            .input(Pipe)
            .steps(&[Type(b"q"), Stays, Type(b"r"), Leaves]),
        nc("-u, an empty datagram comes", "-u 127.0.0.1 {port}")
            .to(Over::Udp)
            .input(Pipe)
            .steps(&[Type(b"q"), Hears(b"q"), Send(b""), Send(b"a"), Shows(b"a")])
            .differs(
                "an empty datagram is not an end",
                &[
                    ("shows \"\", then nothing", "shows \"a\""),
                    ("", "stdout \"a\""),
                ],
            ),
        nc("-u -C", "-u -C 127.0.0.1 {port}")
            .to(Over::Udp)
            .input(Pipe)
            .steps(&[Type(b"q\n"), Hears(b"q\r\n")])
            .differs(
                "a line is one datagram",
                &[("hears \"q\"", "hears \"q\\r\\n\"")],
            ),
        nc("-u -p", "-u -p {source} 127.0.0.1 {port}")
            .to(Over::Udp)
            .input(Pipe)
            .steps(&[Type(b"q"), Hears(b"q"), Send(b"a"), Shows(b"a")]),
        nc("-u -b", "-u -b 127.0.0.1 {port}")
            .to(Over::Udp)
            .input(Pipe)
            .steps(&[Type(b"q"), Hears(b"q")]),
        nc("-lu", "-lu {listen}")
            .from(Over::Udp)
            .input(Pipe)
            .steps(&[
                Call,
                Send(b"hello"),
                Shows(b"hello"),
                Type(b"hi"),
                Hears(b"hi"),
                EndInput,
                Stays,
                Send(b"still"),
                Shows(b"still"),
            ]),
        nc("-luvn", "-luvn 127.0.0.1 {listen}")
            .from(Over::Udp)
            .input(Pipe)
            .steps(&[Says("Bound"), Call, Send(b"hello"), Shows(b"hello")]),
        nc("-lu hears only the first", "-lu {listen}")
            .from(Over::Udp)
            .input(Pipe)
            .steps(&[
                Call,
                Send(b"one"),
                Shows(b"one"),
                Call,
                Send(b"two"),
                As(0),
                Send(b"three"),
                Shows(b"three"),
            ]),
        nc("-luk hears everybody", "-luk {listen}")
            .from(Over::Udp)
            .input(Pipe)
            .steps(&[
                Call,
                Send(b"one"),
                Shows(b"one"),
                Call,
                Send(b"two"),
                Shows(b"two"),
                Type(b"answer\n"),
                Hears(b"answer\n"),
                Stays,
            ])
            .differs(
                "who was heard last is answered",
                &[("hears \"\", then nothing", "hears \"answer\\n\"")],
            ),
        nc("-lukvn", "-lukvn 127.0.0.1 {listen}")
            .from(Over::Udp)
            .input(Pipe)
            .steps(&[Says("Bound"), Call, Send(b"one"), Shows(b"one")]),
        nc("-lu -w 1", "-lu -w 1 {listen}")
            .from(Over::Udp)
            .input(Pipe)
            .steps(&[Call, Send(b"x"), Shows(b"x"), LeavesAfter]),
        nc("-lu -W 1", "-lu -W 1 {listen}")
            .from(Over::Udp)
            .input(Pipe)
            .steps(&[Call, Send(b"x"), Shows(b"x"), Leaves]),
        nc("-lu -W 2", "-lu -W 2 {listen}")
            .from(Over::Udp)
            .input(Pipe)
            .steps(&[
                Call,
                Send(b"x"),
                Shows(b"x"),
                Stays,
                Send(b"y"),
                Shows(b"y"),
                Leaves,
            ]),
    ]
}

fn unix_sockets() -> Vec<Case> {
    vec![
        nc("-U", "-U {dir}/socket")
            .to(Over::Unix)
            .input(Pipe)
            .steps(&[
                Accept,
                Type(b"q"),
                Hears(b"q"),
                Send(b"a"),
                Shows(b"a"),
                EndInput,
                HearsEnd,
                Close,
                Leaves,
            ]),
        nc("-UN", "-UN {dir}/socket")
            .to(Over::Unix)
            .input(Pipe)
            .steps(&[
                Accept,
                Type(b"q"),
                EndInput,
                HearsEnd,
                Send(b"a"),
                Close,
                Leaves,
            ]),
        nc("-Uv", "-Uv {dir}/socket")
            .to(Over::Unix)
            .steps(&[Accept, Close, Leaves]),
        nc("-Uz", "-Uz {dir}/socket")
            .to(Over::Unix)
            .steps(&[Accept, HearsEnd, Leaves]),
        nc("-Uzv", "-Uzv {dir}/socket")
            .to(Over::Unix)
            .steps(&[Accept, HearsEnd, Leaves]),
        nc("-U, nobody there", "-U {dir}/socket"),
        nc("-Uv, nobody there", "-Uv {dir}/socket"),
        nc("-U, not a socket", "-Uv {dir}/file").file("file", "x"),
        nc(
            "-U with much too long a name",
            "-Uv {dir}/a-name-that-is-longer-than-the-kernel-has-room-for-in-an-address-which-is-one-hundred-and-eight-octets",
        ),
        nc("-lU", "-lU {dir}/socket")
            .from(Over::Unix)
            .input(Pipe)
            .steps(&[
                Call,
                Send(b"x"),
                Shows(b"x"),
                Type(b"y"),
                Hears(b"y"),
                Close,
                Leaves,
            ]),
        nc("-lUv", "-lUv {dir}/socket")
            .from(Over::Unix)
            .steps(&[Call, Send(b"x"), Close, Leaves]),
        nc("-lU where there is one", "-lU {dir}/socket").to(Over::Unix),
        sh(
            "-lU leaves its name",
            "nc -lU socket; ls -F socket; rm -f socket",
        )
        .from(Over::Unix)
        .steps(&[Call, Close, Leaves]),
        nc("-lkU", "-lkU {dir}/socket").from(Over::Unix).steps(&[
            Call,
            Send(b"1"),
            Shows(b"1"),
            Close,
            Call,
            Send(b"2"),
            Shows(b"2"),
            Close,
            Stays,
        ]),
        nc("-Uu", "-Uu {dir}/socket")
            .to(Over::UnixDatagrams)
            .input(Pipe)
            .steps(&[
                Type(b"q"),
                Hears(b"q"),
                Send(b"a"),
                Shows(b"a"),
                EndInput,
                Stays,
            ]),
        nc("-Uuv", "-Uuv {dir}/socket")
            .to(Over::UnixDatagrams)
            .input(Pipe)
            .steps(&[Type(b"q"), Hears(b"q")]),
        nc("-Uu -s", "-Uu -s {dir}/mine {dir}/socket")
            .to(Over::UnixDatagrams)
            .input(Pipe)
            .steps(&[Type(b"q"), Hears(b"q"), Send(b"a"), Shows(b"a")]),
        nc("-Uuq0", "-Uu -q 0 {dir}/socket")
            .to(Over::UnixDatagrams)
            .input(Pipe)
            .steps(&[Type(b"q"), EndInput, Hears(b"q"), Leaves]),
        nc("-lUu", "-lUu {dir}/socket")
            .from(Over::UnixDatagrams)
            .input(Pipe)
            .steps(&[
                Call,
                Send(b"x"),
                Shows(b"x"),
                Type(b"y"),
                Hears(b"y"),
                Send(b"z"),
                Shows(b"z"),
            ]),
        nc("-lUuv", "-lUuv {dir}/socket")
            .from(Over::UnixDatagrams)
            .input(Pipe)
            .steps(&[Says("Bound"), Call, Send(b"x"), Shows(b"x")]),
        nc("-U, abstract", "-U @{dir}/socket")
            .to(Over::Abstract)
            .input(Pipe)
            .steps(&[
                Accept,
                Type(b"q"),
                Hears(b"q"),
                Send(b"a"),
                Shows(b"a"),
                EndInput,
                Close,
                Leaves,
            ]),
        nc("-Uv, abstract", "-Uv @{dir}/socket")
            .to(Over::Abstract)
            .steps(&[Accept, Close, Leaves]),
        nc("-lUv, abstract", "-lUv @{dir}/socket")
            .from(Over::Abstract)
            .steps(&[Call, Send(b"x"), Shows(b"x"), Close, Leaves]),
        nc("-lUuv, abstract", "-lUuv @{dir}/socket")
            .from(Over::AbstractDatagrams)
            .input(Pipe)
            .steps(&[
                Says("Bound"),
                Call,
                Send(b"x"),
                Shows(b"x"),
                Type(b"y"),
                Hears(b"y"),
            ]),
    ]
}

fn scanning() -> Vec<Case> {
    vec![
        nc("-z, open", "-z 127.0.0.1 {port}")
            .to(Over::Tcp)
            .steps(&[Accept, HearsEnd, Leaves]),
        nc("-z, closed", "-z 127.0.0.1 {closed}").to(Over::Tcp),
        nc("-zv, open", "-zv 127.0.0.1 {port}").to(Over::Tcp),
        nc("-zvn, open", "-zvn 127.0.0.1 {port}").to(Over::Tcp),
        nc("-4zv, by name", "-4zv localhost {port}").to(Over::Tcp),
        nc("-zv, a list", "-zv 127.0.0.1 {closed} {port} {end}").to(Over::Tcp),
        nc("-zv, a range", "-zv 127.0.0.1 {port}-{end}").to(Over::Tcp),
        nc("-zv, a range backwards", "-zv 127.0.0.1 {end}-{port}").to(Over::Tcp),
        nc("-z, a range", "-z 127.0.0.1 {port}-{end}").to(Over::Tcp),
        nc(
            "-z, a range of closed ones",
            "-z 127.0.0.1 {closed}-{closed}",
        )
        .to(Over::Tcp),
        nc("-zvw1, a range", "-zvw1 127.0.0.1 {port}-{end}").to(Over::Tcp),
        sh(
            "-zvr, a range in any order",
            "nc -zvr 127.0.0.1 {port}-{end} 2>&1 | sort",
        )
        .to(Over::Tcp),
        nc(
            "-zv -i 1 waits between ports",
            "-zv -i 1 127.0.0.1 {port} {closed}",
        )
        .to(Over::Tcp)
        .steps(&[LeavesAfter]),
        nc("a list without -z", "-v 127.0.0.1 {closed} {port} {other}")
            .to(Over::Tcp)
            .steps(&[Accept, Send(b"one"), Close, Shows(b"one"), Leaves]),
        nc("-zu, closed", "-zu 127.0.0.1 {closed}")
            .to(Over::Udp)
            .differs("theirs does not look", &[("leaves: 0", "leaves: 1")]),
        nc("-zuv, closed", "-zuv 127.0.0.1 {closed}").to(Over::Udp),
        nc("-zuv, open", "-zuv 127.0.0.1 {port}")
            .to(Over::Udp)
            .steps(&[LeavesAfter]),
        nc("-zuv -w 1, open", "-zuv -w 1 127.0.0.1 {port}")
            .to(Over::Udp)
            .steps(&[LeavesAfter]),
        nc("-zu, open", "-zu -w 1 127.0.0.1 {port}")
            .to(Over::Udp)
            .steps(&[Hears(b"X"), LeavesAfter])
            .differs(
                "theirs does not look",
                &[
                    ("hears \"\", then nothing", "hears \"X\""),
                    ("leaves at once: 0", "leaves after 1 s: 0"),
                ],
            ),
        nc("-zuv -w 1, a range", "-zuv -w 1 127.0.0.1 {port}-{end}")
            .to(Over::Udp)
            .steps(&[LeavesAfter])
            .differs(
                "all ports are asked at the same time",
                &[("leaves after 2 s: 1", "leaves after 1 s: 1")],
            ),
    ]
}

/// The type of service, as the kernel tells of the socket; NAME is the option, too.
fn tos(name: &'static str) -> Case {
    sh(
        name,
        "nc $OPTION 127.0.0.1 {port} & \
         for try in $(seq 50); do \
         ss -tnH --tos 'dport = :{port}' | grep -o 'tos:[^ ]*' >&2 && break; sleep 0.01; done; \
         wait $!",
    )
    .option(name)
    .needs("ss", "iproute2")
    .to(Over::Tcp)
    .steps(&[Accept, Says("tos:"), Close, Leaves])
}

/// What is set on the socket cannot be seen from the other side but for the source.
fn socket_options() -> Vec<Case> {
    let talk = &[Accept, Send(b"a"), Shows(b"a"), Close, Leaves];
    let with = |name, arguments| nc(name, arguments).to(Over::Tcp).steps(talk);
    vec![
        with("-s", "-v -s 127.0.0.1 127.0.0.1 {port}"),
        with("-p", "-v -p {source} 127.0.0.1 {port}"),
        with("-s -p", "-s 127.0.0.1 -p {source} 127.0.0.1 {port}"),
        with("-I", "-I 4096 127.0.0.1 {port}"),
        with("-O", "-O 4096 127.0.0.1 {port}"),
        with("-M", "-M 64 127.0.0.1 {port}"),
        with("-m", "-m 1 127.0.0.1 {port}"),
        with("-6M", "-6 -M 64 -m 1 ::1 {port}").to(Over::Tcp6),
        tos("-T lowdelay"),
        tos("-T throughput"),
        tos("-T critical"),
        tos("-T af11"),
        tos("-T ef"),
        tos("-T cs7"),
        tos("-T 0x20"),
        tos("-T 32"),
        with("-6T ef", "-6 -T ef ::1 {port}").to(Over::Tcp6),
        with("-D", "-D 127.0.0.1 {port}"),
        with("-S", "-S 127.0.0.1 {port}"),
        with("-b", "-b 127.0.0.1 {port}"),
        nc("-Z", "-Z 127.0.0.1 {closed}"),
        nc("-Zv", "-Zv 127.0.0.1 {closed}").differs(
            "-v tells why",
            &[(
                "",
                "stderr nc: connect to 127.0.0.1 port {closed} (dccp) failed: Socket type not supported",
            )],
        ),
        nc("-Zl", "-Zl 127.0.0.1 {listen}"),
        nc("-F, output is no socket", "-F 127.0.0.1 {port}")
            .to(Over::Tcp)
            .steps(&[Accept, Leaves]),
        sh(
            "-F",
            "python3 -c 'import socket, subprocess, sys\n\
             here, there = socket.socketpair()\n\
             code = subprocess.call([\"nc\", \"-F\", \"127.0.0.1\", \"{port}\"], stdout=there)\n\
             there.close()\n\
             passed = socket.recv_fds(here, 10, 1)[1]\n\
             socket.socket(fileno=passed[0]).sendall(b\"passed\")\n\
             sys.exit(code)'",
        )
        .needs("python3", "python3")
        .to(Over::Tcp)
        .steps(&[Accept, HearsEnd, Leaves]),
    ]
}

fn proxies() -> Vec<Case> {
    let through = |name, arguments| nc(name, arguments).to(Over::Tcp).input(Pipe);
    vec![
        through("-X 5, an address", "-X 5 -x 127.0.0.1:{port} 192.0.2.7 80").steps(&[
            Accept,
            Hears(b"\x05\x01\x00"),
            Send(b"\x05\x00"),
            Hears(b"\x05\x01\x00\x01\xc0\x00\x02\x07\x00\x50"),
            Send(b"\x05\x00\x00\x01\x00\x00\x00\x00\x00\x00"),
            Send(b"glued"),
            Shows(b"glued"),
            Type(b"through"),
            Hears(b"through"),
            Close,
            EndInput,
            Leaves,
        ]),
        through("-x is -X 5, a name", "-x 127.0.0.1:{port} mail.example 25").steps(&[
            Accept,
            Hears(b"\x05\x01\x00"),
            Send(b"\x05\x00"),
            Hears(b"\x05\x01\x00\x03\x0cmail.example\x00\x19"),
            Send(b"\x05\x00\x00\x01\x00\x00\x00\x00\x00\x00glued"),
            Shows(b"glued"),
            Close,
            EndInput,
            Leaves,
        ]),
        through("-X 5, IPv6", "-X 5 -x 127.0.0.1:{port} 2001:db8::1 25").steps(&[
            Accept,
            Hears(b"\x05\x01\x00"),
            Send(b"\x05\x00"),
            Hears(b"\x05\x01\x00\x04\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x01\x00\x19"),
            Send(b"\x05\x00\x00\x04\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"),
            Send(b"x"),
            Shows(b"x"),
            Close,
            EndInput,
            Leaves,
        ]),
        through("-X 5, a reply with a name", "-X 5 -x 127.0.0.1:{port} 192.0.2.7 80").steps(&[
            Accept,
            Hears(b"\x05\x01\x00"),
            Send(b"\x05\x00"),
            Hears(b"\x05\x01\x00\x01\xc0\x00\x02\x07\x00\x50"),
            Send(b"\x05\x00\x00\x03\x01a\x00\x50x"),
            Shows(b"x"),
            Close,
            EndInput,
            Leaves,
        ])
        .differs(
            "RFC 1928 §6: a proxy may name the place that it calls from",
            &[
                ("shows \"\", then the end", "shows \"x\""),
                ("leaves: 1", "leaves: 0"),
                (
                    "stderr nc: connection failed, unsupported address type",
                    "stdout \"x\"",
                ),
            ],
        ),
        through("-X 5, refused", "-X 5 -x 127.0.0.1:{port} 192.0.2.7 80").steps(&[
            Accept,
            Hears(b"\x05\x01\x00"),
            Send(b"\x05\x00"),
            Hears(b"\x05\x01\x00\x01\xc0\x00\x02\x07\x00\x50"),
            Send(b"\x05\x05\x00\x01\x00\x00\x00\x00\x00\x00"),
            HearsEnd,
            Leaves,
        ])
        .differs(UNREAD, A_WHOLE_ANSWER),
        through("-X 5, no method", "-X 5 -x 127.0.0.1:{port} 192.0.2.7 80").steps(&[
            Accept,
            Hears(b"\x05\x01\x00"),
            Send(b"\x05\xff"),
            HearsEnd,
            Leaves,
        ]),
        through("-X 5, another version", "-X 5 -x 127.0.0.1:{port} 192.0.2.7 80").steps(&[
            Accept,
            Hears(b"\x05\x01\x00"),
            Send(b"\x04\x00"),
            HearsEnd,
            Leaves,
        ])
        .differs(
            "what is no SOCKS 5 proxy will never answer: theirs waits for ever",
            &[
                (
                    "hears \"\\x05\\x01\\x00\\x01\\xc0\\x00\\x02\\x07\\x00P\", then nothing",
                    "hears \"\", then the end",
                ),
                (
                    "stays",
                    "leaves: 1\nstderr nc: that is no SOCKS 5 proxy: its answer begins with 4; try --proxy-type socks4",
                ),
            ],
        ),
        through("-X 5, the proxy closes", "-X 5 -x 127.0.0.1:{port} 192.0.2.7 80").steps(&[
            Accept,
            Hears(b"\x05\x01\x00"),
            Close,
            Leaves,
        ]),
        through("-X 5, no proxy", "-X 5 -x 127.0.0.1:{closed} 192.0.2.7 80"),
        through("-X 5 -v, no proxy", "-v -X 5 -x 127.0.0.1:{closed} 192.0.2.7 80"),
        through("-X 5 -v", "-v -X 5 -x 127.0.0.1:{port} 192.0.2.7 80").steps(&[
            Accept,
            Hears(b"\x05\x01\x00"),
            Send(b"\x05\x00"),
            Hears(b"\x05\x01\x00\x01\xc0\x00\x02\x07\x00\x50"),
            Send(b"\x05\x00\x00\x01\x00\x00\x00\x00\x00\x00"),
            Close,
            EndInput,
            Leaves,
        ]),
        through("-X 5 -z", "-zv -X 5 -x 127.0.0.1:{port} 192.0.2.7 80").steps(&[
            Accept,
            Hears(b"\x05\x01\x00"),
            Send(b"\x05\x00"),
            Hears(b"\x05\x01\x00\x01\xc0\x00\x02\x07\x00\x50"),
            Send(b"\x05\x00\x00\x01\x00\x00\x00\x00\x00\x00"),
            HearsEnd,
            Leaves,
        ]),
        through("-X 5 -P", "-X 5 -P me -x 127.0.0.1:{port} 192.0.2.7 80").steps(&[
            Accept,
            Hears(b"\x05\x01\x00"),
            Send(b"\x05\x00"),
            Hears(b"\x05\x01\x00\x01\xc0\x00\x02\x07\x00\x50"),
            Close,
            EndInput,
            Leaves,
        ]),
        through("-X 4", "-X 4 -x 127.0.0.1:{port} 192.0.2.7 80").steps(&[
            Accept,
            Hears(b"\x04\x01\x00\x50\xc0\x00\x02\x07\x00"),
            Send(b"\x00\x5a\x00\x00\x00\x00\x00\x00glued"),
            Shows(b"glued"),
            Type(b"through"),
            Hears(b"through"),
            Close,
            EndInput,
            Leaves,
        ]),
        through("-X 4 -P", "-X 4 -P me -x 127.0.0.1:{port} 192.0.2.7 80").steps(&[
            Accept,
            Hears(b"\x04\x01\x00\x50\xc0\x00\x02\x07me\x00"),
            Send(b"\x00\x5a\x00\x00\x00\x00\x00\x00x"),
            Shows(b"x"),
            Close,
            EndInput,
            Leaves,
        ])
        .differs(
            "-P says who calls: theirs does not",
            &[(
                "hears \"\\x04\\x01\\x00P\\xc0\\x00\\x02\\x07\\x00\", then nothing",
                "hears \"\\x04\\x01\\x00P\\xc0\\x00\\x02\\x07me\\x00\"",
            )],
        ),
        through("-X 4, refused", "-X 4 -x 127.0.0.1:{port} 192.0.2.7 80").steps(&[
            Accept,
            Hears(b"\x04\x01\x00\x50\xc0\x00\x02\x07\x00"),
            Send(b"\x00\x5b\x00\x00\x00\x00\x00\x00"),
            HearsEnd,
            Leaves,
        ]),
        through("-X 4, IPv6", "-X 4 -x 127.0.0.1:{port} 2001:db8::1 80")
            .steps(&[Accept, Leaves])
            .differs(
                "it needs no proxy to know that",
                &[("is called", "is not called, nothing")],
            ),
        through("-X 4, a name", "-X 4 -x 127.0.0.1:{port} localhost 80").steps(&[
            Accept,
            Hears(b"\x04\x01\x00\x50\x7f\x00\x00\x01\x00"),
            Send(b"\x00\x5a\x00\x00\x00\x00\x00\x00x"),
            Shows(b"x"),
            Close,
            EndInput,
            Leaves,
        ]),
        through("-X connect", "-X connect -x 127.0.0.1:{port} mail.example 25").steps(&[
            Accept,
            Hears(b"CONNECT mail.example:25 HTTP/1.0\r\n\r\n"),
            Send(b"HTTP/1.0 200 OK\r\nVia: x\r\n\r\nglued"),
            Shows(b"glued"),
            Type(b"through"),
            Hears(b"through"),
            Close,
            EndInput,
            Leaves,
        ]),
        through("-X connect, 1.1", "-X connect -x 127.0.0.1:{port} mail.example 25").steps(&[
            Accept,
            Hears(b"CONNECT mail.example:25 HTTP/1.0\r\n\r\n"),
            Send(b"HTTP/1.1 200 OK\r\n\r\nglued"),
            Shows(b"glued"),
            Close,
            EndInput,
            Leaves,
        ]),
        through("-X connect, IPv6", "-X connect -x 127.0.0.1:{port} 2001:db8::1 25").steps(&[
            Accept,
            Hears(b"CONNECT [2001:db8::1]:25 HTTP/1.0\r\n\r\n"),
            Close,
            Leaves,
        ]),
        through("-X connect, refused", "-X connect -x 127.0.0.1:{port} mail.example 25").steps(&[
            Accept,
            Hears(b"CONNECT mail.example:25 HTTP/1.0\r\n\r\n"),
            Send(b"HTTP/1.0 403 Forbidden\r\n\r\n"),
            HearsEnd,
            Leaves,
        ])
        .differs(UNREAD, A_WHOLE_ANSWER),
        through("-X connect, 407", "-X connect -x 127.0.0.1:{port} mail.example 25").steps(&[
            Accept,
            Hears(b"CONNECT mail.example:25 HTTP/1.0\r\n\r\n"),
            Send(b"HTTP/1.0 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic realm=\"x\"\r\n\r\n"),
            HearsEnd,
            Leaves,
        ])
        .differs(UNREAD, A_WHOLE_ANSWER),
        through("-X connect -P, 407", "-X connect -P me -x 127.0.0.1:{port} mail.example 25").steps(&[
            Accept,
            Hears(b"CONNECT mail.example:25 HTTP/1.0\r\n\r\n"),
            Send(b"HTTP/1.0 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic realm=\"x\"\r\n\r\n"),
            Leaves,
        ]),
        through("-X connect, nonsense", "-X connect -x 127.0.0.1:{port} mail.example 25").steps(&[
            Accept,
            Hears(b"CONNECT mail.example:25 HTTP/1.0\r\n\r\n"),
            Send(b"SSH-2.0-x\r\n\r\n"),
            HearsEnd,
            Leaves,
        ])
        .differs(UNREAD, A_WHOLE_ANSWER),
        through("-X connect, nonsense at the end", "-X connect -x 127.0.0.1:{port} mail.example 25").steps(&[
            Accept,
            Hears(b"CONNECT mail.example:25 HTTP/1.0\r\n\r\n"),
            Send(b"nonsense"),
            Close,
            Leaves,
        ])
        .differs(
            "what begins so is no proxy, and may never end its line",
            &[(
                "stderr nc: proxy read: Broken pipe",
                "stderr nc: that is no HTTP proxy: it says \"nonsense\"",
            )],
        ),
    ]
}

/// Why theirs resets the connection.
const UNREAD: &str = "theirs leaves a part of the answer unread";
const A_WHOLE_ANSWER: &[(&str, &str)] = &[("hears \"\", then a reset", "hears \"\", then the end")];

/// As scripts in the field have it.
fn idioms() -> Vec<Case> {
    vec![
        sh("echo | nc -q 1", "echo x | nc -q 1 127.0.0.1 {port}")
            .to(Over::Tcp)
            .steps(&[Accept, HearsEnd, Send(b"ok\n"), Close, Leaves]),
        sh("echo | nc -N", "echo x | nc -N 127.0.0.1 {port}")
            .to(Over::Tcp)
            .steps(&[Accept, HearsEnd, Send(b"ok\n"), Close, Leaves]),
        sh("echo | nc -q0", "echo x | nc -q0 127.0.0.1 {port}")
            .to(Over::Tcp)
            .steps(&[Accept, HearsEnd, Close, Leaves]),
        sh("echo | nc -w 1", "echo x | nc -w 1 127.0.0.1 {port}")
            .to(Over::Tcp)
            .steps(&[Accept, Hears(b"x\n"), Send(b"ok\n"), LeavesAfter]),
        sh(
            "is it up? it is",
            "nc -z -w 1 127.0.0.1 {port} && echo up || echo down",
        )
        .to(Over::Tcp),
        sh(
            "is it up? it is not",
            "nc -z -w 1 127.0.0.1 {closed} && echo up || echo down",
        ),
        sh(
            "-zv is grepped",
            "nc -zv 127.0.0.1 {port} 2>&1 | grep -q 'succeeded!' && echo open",
        )
        .to(Over::Tcp),
        sh(
            "wait for a port",
            "until nc -z 127.0.0.1 {port}; do sleep 0.1; done; echo ready",
        )
        .to(Over::Tcp),
        sh(
            "-vz </dev/null >/dev/null",
            "nc -vz 127.0.0.1 {port} </dev/null >/dev/null 2>&1; echo $?",
        )
        .to(Over::Tcp),
        sh(
            "a here-document",
            "nc -N 127.0.0.1 {port} <<END\nHELO x\nQUIT\nEND\n",
        )
        .to(Over::Tcp)
        .steps(&[Accept, HearsEnd, Send(b"221\n"), Close, Leaves]),
        sh(
            "a request of HTTP",
            "printf 'GET / HTTP/1.0\\r\\n\\r\\n' | nc 127.0.0.1 {port}",
        )
        .to(Over::Tcp)
        .steps(&[
            Accept,
            Hears(b"GET / HTTP/1.0\r\n\r\n"),
            Send(b"HTTP/1.0 200 OK\r\n\r\nbody"),
            Close,
            Leaves,
        ]),
        sh("a file is sent", "nc -N 127.0.0.1 {port} <letter")
            .file("letter", "Dear Bob,\n")
            .to(Over::Tcp)
            .steps(&[Accept, HearsEnd, Close, Leaves]),
        sh("a file is received", "nc -l {listen} >letter")
            .from(Over::Tcp)
            .steps(&[Call, Send(b"Dear Alice,\n"), Close, Leaves, Reads("letter")]),
        sh("a file is served", "nc -lN {listen} <letter")
            .file("letter", "Dear Carol,\n")
            .from(Over::Tcp)
            .steps(&[Call, HearsEnd, Close, Leaves]),
        sh(
            "a server of one answer",
            "printf 'HTTP/1.0 200 OK\\r\\n\\r\\nhi' | nc -l -p {listen} -q 1",
        )
        .from(Over::Tcp)
        .differs(
            "what the caller says is shown, whenever it comes",
            &[(
                "*",
                "is answered\nhears \"HTTP/1.0 200 OK\\r\\n\\r\\nhi\", then the end\n\
                 leaves: 0\nstdout \"GET /\\r\\n\\r\\n\"",
            )],
        )
        .unsteady("what comes after the end of input may be lost")
        .steps(&[Call, Send(b"GET /\r\n\r\n"), HearsEnd, Close, Leaves]),
        sh("-lk into a file", "nc -lk {listen} >log")
            .from(Over::Tcp)
            .steps(&[
                Call,
                Send(b"1\n"),
                Close,
                Call,
                Send(b"2\n"),
                HalfClose,
                HearsEnd,
                Reads("log"),
            ]),
        sh("echo | nc -U", "echo status | nc -U {dir}/socket")
            .to(Over::Unix)
            .steps(&[Accept, Hears(b"status\n"), Send(b"fine\n"), Close, Leaves]),
        sh(
            "echo | nc -w1 -u",
            "echo 'a:1|c' | nc -w1 -u 127.0.0.1 {port}",
        )
        .to(Over::Udp)
        .steps(&[Hears(b"a:1|c\n"), LeavesAfter]),
        sh(
            "ssh's ProxyCommand",
            "(echo SSH-2.0-client; cat) | nc -X connect -x 127.0.0.1:{port} far.example 22",
        )
        .to(Over::Tcp)
        .steps(&[
            Accept,
            Hears(b"CONNECT far.example:22 HTTP/1.0\r\n\r\n"),
            Send(b"HTTP/1.0 200 OK\r\n\r\nSSH-2.0-server\n"),
            Hears(b"SSH-2.0-client\n"),
            Close,
            Leaves,
        ]),
        sh("timeout ends it", "timeout 0.5 nc -l {listen}; echo $?"),
    ]
}
