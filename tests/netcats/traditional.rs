//! Hobbit's netcat as Debian keeps it, nc.traditional: what `--compat=traditional` means.

use super::Dialect::Traditional;
use super::Input::{Closed, File, Pipe};
use super::Step::{
    Accept, Call, Close, EndInput, HalfClose, Hears, HearsAfter, HearsEnd, Leaves, LeavesAfter,
    Reads, Reset, Says, SaysPort, Send, Shows, Stays, Type,
};
use super::{Case, Output, Over, case};

fn nc(name: &'static str, arguments: &'static str) -> Case {
    case(Traditional, name, arguments)
}

/// Why theirs takes a second more.
const BETWEEN: &str = "the pause is between: theirs pauses before the first, too";

/// All of them.
pub fn cases() -> Vec<Case> {
    [command_line(), ends(), listening(), children(), the_rest()].concat()
}

fn command_line() -> Vec<Case> {
    vec![
        nc("-q without its number", "-q"),
        nc("an unknown letter", "-vQ"),
        nc("no port", "127.0.0.1"),
        nc("a port that is no number", "127.0.0.1 x"),
        nc("port 0", "127.0.0.1 0"),
        nc("a name that is none", "-n localhost {closed}"),
        nc("-l -p 0", "-l -p 0"),
        nc("-l -p with letters", "-l -p x"),
        nc("-l at a port that is in use", "-l -p {port}")
            .to(Over::Tcp)
            .differs(
                "callers would reach one listener or the other",
                &[
                    ("stays", "leaves: 1"),
                    (
                        "",
                        "stderr Can't grab 0.0.0.0:{port} with bind : Address already in use",
                    ),
                ],
            ),
        nc("-s that is not ours", "-s 192.0.2.77 127.0.0.1 {closed}"),
        nc("-w with letters", "-w x 127.0.0.1 {closed}"),
        nc("-o into a folder", "-o {dir} 127.0.0.1 {closed}"),
        nc("-z -l", "-z -l -p {listen}").differs(
            "nothing would come of it",
            &[("stays", "leaves: 1\nstderr cannot use -z and -l")],
        ),
    ]
}

fn ends() -> Vec<Case> {
    vec![
        nc("refused", "127.0.0.1 {closed}"),
        nc("refused, -v", "-v 127.0.0.1 {closed}"),
        nc("refused, -nv", "-nv 127.0.0.1 {closed}"),
        nc("refused, -vv", "-vv 127.0.0.1 {closed}"),
        nc("-nv", "-nv 127.0.0.1 {port}")
            .to(Over::Tcp)
            .steps(&[Accept, Close, Leaves]),
        nc("-nvv", "-nvv 127.0.0.1 {port}")
            .to(Over::Tcp)
            .input(Pipe)
            .steps(&[
                Accept,
                Type(b"12345"),
                Hears(b"12345"),
                Send(b"123"),
                Shows(b"123"),
                Close,
                Leaves,
            ]),
        nc("-v", "-v 127.0.0.1 {port}")
            .to(Over::Tcp)
            .steps(&[Accept, Close, Leaves]),
        nc("input's end is not told", "127.0.0.1 {port}")
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
        nc("the peer closes, input is a pipe", "127.0.0.1 {port}")
            .to(Over::Tcp)
            .input(Pipe)
            .steps(&[Accept, Send(b"bye"), Close, Shows(b"bye"), Leaves]),
        nc("the peer half-closes, input is a pipe", "127.0.0.1 {port}")
            .to(Over::Tcp)
            .input(Pipe)
            .steps(&[Accept, Send(b"bye"), HalfClose, HearsEnd, Leaves]),
        nc("the peer resets", "127.0.0.1 {port}")
            .to(Over::Tcp)
            .input(Pipe)
            .steps(&[Accept, Send(b"x"), Shows(b"x"), Reset, Leaves])
            .differs("something may be lost", &[("leaves: 0", "leaves: 1")]),
        nc("-q 0", "-q 0 127.0.0.1 {port}")
            .to(Over::Tcp)
            .input(Pipe)
            .steps(&[Accept, Type(b"x"), EndInput, HearsEnd, Leaves]),
        nc("-q 1", "-q 1 127.0.0.1 {port}")
            .to(Over::Tcp)
            .input(Pipe)
            .steps(&[
                Accept,
                Type(b"x"),
                EndInput,
                HearsEnd,
                Send(b"in time"),
                Shows(b"in time"),
                LeavesAfter,
            ]),
        nc("-q 5, the peer closes", "-q 5 127.0.0.1 {port}")
            .to(Over::Tcp)
            .input(Pipe)
            .steps(&[Accept, EndInput, HearsEnd, Close, LeavesAfter]),
        nc("-q negative", "-q -1 127.0.0.1 {port}")
            .to(Over::Tcp)
            .input(Pipe)
            .steps(&[Accept, EndInput, HearsEnd, Stays, Close, Leaves]),
        nc("-w 1, nobody speaks, input over", "-w 1 127.0.0.1 {port}")
            .to(Over::Tcp)
            .steps(&[Accept, LeavesAfter])
            .differs(
                "as its manual says: theirs waits twice as long",
                &[("leaves after 2 s: 0", "leaves after 1 s: 0")],
            ),
        nc("-w 1, nobody speaks", "-w 1 127.0.0.1 {port}")
            .to(Over::Tcp)
            .input(Pipe)
            .steps(&[Accept, Stays, Stays, Stays]),
        nc("-w 1, nobody takes the call", "-w 1 127.0.0.1 {port}")
            .deaf()
            .steps(&[LeavesAfter]),
        nc("-nvw 1, nobody takes the call", "-nvw 1 127.0.0.1 {port}")
            .deaf()
            .steps(&[LeavesAfter]),
        nc("input is closed", "127.0.0.1 {port}")
            .to(Over::Tcp)
            .input(Closed)
            .steps(&[Accept, Send(b"answer"), Close, Shows(b"answer"), Leaves]),
        nc("input is a file", "-q 1 127.0.0.1 {port}")
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
        nc("output has no reader", "127.0.0.1 {port}")
            .to(Over::Tcp)
            .input(Pipe)
            .output(Output::Unread)
            .steps(&[Accept, Send(b"unheard"), Leaves]),
    ]
}

fn listening() -> Vec<Case> {
    let once = &[Call, Send(b"hello"), Shows(b"hello"), Close, Leaves];
    vec![
        nc("-l -p PORT", "-l -p {listen}")
            .from(Over::Tcp)
            .steps(once),
        nc("-lp PORT", "-lp {listen}").from(Over::Tcp).steps(once),
        nc("-l PORT", "-l {listen}")
            .from(Over::Tcp)
            .steps(&[SaysPort, Leaves])
            .differs(
                "it listens at a port of the system's choice: nobody could find it",
                &[
                    ("says no port, but \"\"", "says a port"),
                    ("", "stderr listening on [any] {listen} ..."),
                ],
            ),
        nc("-lvp PORT", "-lvp {listen}").from(Over::Tcp).steps(once),
        nc("-lnvp PORT", "-lnvp {listen}")
            .from(Over::Tcp)
            .steps(once),
        nc("-lnv -s HOST -p PORT", "-lnv -s 127.0.0.1 -p {listen}")
            .from(Over::Tcp)
            .steps(once),
        nc("-lnvp PORT, from one only", "-lnvp {listen} 127.0.0.1")
            .from(Over::Tcp)
            .steps(once),
        nc("-lnvp PORT, from another only", "-lnvp {listen} 192.0.2.1")
            .from(Over::Tcp)
            .steps(&[Call, HearsEnd, Leaves]),
        nc(
            "-l, a caller that half-closes, input a pipe",
            "-lp {listen}",
        )
        .from(Over::Tcp)
        .input(Pipe)
        .steps(&[Call, HalfClose, HearsEnd, Leaves]),
        nc("-l -q 0, a file is served", "-lp {listen} -q 0")
            .from(Over::Tcp)
            .input(File("all of it"))
            .steps(&[Call, HearsEnd, Leaves]),
        nc(
            "-l -w 1 waits for a caller for so long",
            "-l -w 1 -p {listen}",
        )
        .from(Over::Tcp)
        .steps(&[LeavesAfter]),
        nc("-l, who comes second is refused", "-lp {listen}")
            .from(Over::Tcp)
            .input(Pipe)
            .steps(&[
                Call,
                Send(b"one"),
                Shows(b"one"),
                Call,
                super::Step::As(0),
                Close,
                Leaves,
            ]),
        nc("-lu", "-lup {listen}")
            .from(Over::Udp)
            .input(Pipe)
            .steps(&[
                Call,
                Send(b"hello"),
                Shows(b"hello"),
                Type(b"hi"),
                Hears(b"hi"),
                Stays,
            ]),
        nc("-lunv", "-lunvp {listen}")
            .from(Over::Udp)
            .input(Pipe)
            .steps(&[
                Says("listening"),
                Call,
                Send(b"hello"),
                Shows(b"hello"),
                Stays,
            ]),
    ]
}

fn children() -> Vec<Case> {
    vec![
        nc("-e", "-l -p {listen} -e /bin/cat")
            .from(Over::Tcp)
            .steps(&[
                Call,
                Send(b"echo\n"),
                Hears(b"echo\n"),
                HalfClose,
                HearsEnd,
                Leaves,
            ]),
        nc("-e that is not there", "-l -p {listen} -e {dir}/none")
            .from(Over::Tcp)
            .steps(&[Call, HearsEnd, Leaves]),
        nc("-e takes no words", "-l -p {listen} -e /bin/echo~a")
            .from(Over::Tcp)
            .steps(&[Call, HearsEnd, Leaves]),
        nc("-c", "-l -p {listen} -c echo~$((6*7));exit~3")
            .from(Over::Tcp)
            .steps(&[Call, HearsEnd, Leaves]),
        nc(
            "-c, its last words arrive",
            "-l -p {listen} -c head~-c~300000~/dev/zero|wc~-c;echo~last",
        )
        .from(Over::Tcp)
        .steps(&[Call, HearsEnd, Leaves]),
        nc(
            "-c, stderr is the peer's",
            "-l -p {listen} -c echo~oops~>&2",
        )
        .from(Over::Tcp)
        .steps(&[Call, HearsEnd, Leaves]),
        nc("-c, calling", "-c echo~hello;cat 127.0.0.1 {port}")
            .to(Over::Tcp)
            .steps(&[
                Accept,
                Hears(b"hello\n"),
                Send(b"back\n"),
                Hears(b"back\n"),
                HalfClose,
                HearsEnd,
                Leaves,
            ]),
        nc("-lnv -e", "-lnv -p {listen} -e /bin/true")
            .from(Over::Tcp)
            .steps(&[Call, HearsEnd, Leaves]),
    ]
}

fn the_rest() -> Vec<Case> {
    let talk = &[Accept, Send(b"a"), Shows(b"a"), Close, Leaves];
    let with = |name, arguments| nc(name, arguments).to(Over::Tcp).steps(talk);
    vec![
        nc("-o", "-o {dir}/dump 127.0.0.1 {port}")
            .to(Over::Tcp)
            .input(Pipe)
            .steps(&[
                Accept,
                Type(b"HELO a.example\r\n"),
                Hears(b"HELO a.example\r\n"),
                Send(b"250 ok\r\n\x00\xff and much more of it\r\n"),
                Shows(b"250 ok\r\n\x00\xff and much more of it\r\n"),
                Type(b"QUIT\r\n"),
                Hears(b"QUIT\r\n"),
                Close,
                Leaves,
                Reads("dump"),
            ]),
        nc("-l -o", "-l -p {listen} -o {dir}/dump")
            .from(Over::Tcp)
            .steps(&[
                Call,
                Send(b"hello"),
                Shows(b"hello"),
                Close,
                Leaves,
                Reads("dump"),
            ]),
        nc("-z, open", "-z 127.0.0.1 {port}")
            .to(Over::Tcp)
            .steps(&[Accept, HearsEnd, Leaves]),
        nc("-z, closed", "-z 127.0.0.1 {closed}"),
        nc("-nzv, open", "-nzv 127.0.0.1 {port}").to(Over::Tcp),
        nc("-nzv, a range", "-nzv 127.0.0.1 {port}-{end}").to(Over::Tcp),
        nc(
            "-nz, a range of closed ones",
            "-nz 127.0.0.1 {closed}-{closed}",
        ),
        nc("-nz, a list of closed ones", "-nz 127.0.0.1 {closed} {end}"),
        nc("-nzvv, a range", "-nzvv 127.0.0.1 {port}-{end}").to(Over::Tcp),
        nc("-nzv, a list", "-nzv 127.0.0.1 {closed} {port}").to(Over::Tcp),
        nc("-nzvr, one port", "-nzvr 127.0.0.1 {port}").to(Over::Tcp),
        nc("-nzv -i 1", "-nzv -i 1 127.0.0.1 {port} {other}")
            .to(Over::Tcp)
            .steps(&[LeavesAfter])
            .differs(BETWEEN, &[("leaves after 2 s: 0", "leaves after 1 s: 0")]),
        nc("-nzuv, closed", "-nzuv 127.0.0.1 {closed}").to(Over::Udp),
        nc("-nzuv, open", "-nzuv 127.0.0.1 {port}")
            .to(Over::Udp)
            .steps(&[LeavesAfter]),
        nc("-u", "-u 127.0.0.1 {port}")
            .to(Over::Udp)
            .input(Pipe)
            .steps(&[Type(b"q"), Hears(b"q"), Send(b"a"), Shows(b"a"), Stays]),
        nc("-u -q 0", "-u -q 0 127.0.0.1 {port}")
            .to(Over::Udp)
            .input(Pipe)
            .steps(&[Type(b"q"), EndInput, Hears(b"q"), Leaves]),
        nc("-i 1", "-i 1 -q 0 127.0.0.1 {port}")
            .to(Over::Tcp)
            .input(Pipe)
            .steps(&[
                Accept,
                Type(b"one\ntwo\n"),
                EndInput,
                HearsAfter(b"one\n"),
                HearsAfter(b"two\n"),
                HearsEnd,
                Leaves,
            ])
            .differs(
                BETWEEN,
                &[("hears \"one\\n\", after 1 s", "hears \"one\\n\", at once")],
            ),
        nc("-C", "-C -q 0 127.0.0.1 {port}")
            .to(Over::Tcp)
            .input(Pipe)
            .steps(&[Accept, Type(b"a\nb\r\nc\n"), EndInput, HearsEnd, Leaves])
            .differs(
                "every line has its CR: theirs forgets most",
                &[(
                    "hears \"a\\nb\\r\\nc\\r\\n\", then the end",
                    "hears \"a\\r\\nb\\r\\nc\\r\\n\", then the end",
                )],
            ),
        nc("-t", "-t 127.0.0.1 {port}")
            .to(Over::Tcp)
            .input(Pipe)
            .steps(&[
                Accept,
                Send(b"\xff\xfd\x18\xff\xfb\x01login: "),
                Hears(b"\xff\xfc\x18\xff\xfe\x01"),
                Shows(b"\xff\xfd\x18\xff\xfb\x01login: "),
                Close,
                Leaves,
            ])
            .differs(
                "negotiation is no text",
                &[
                    (
                        "shows \"\\xff\\xfd\\x18\\xff\\xfb\\x01login: \"",
                        "shows \"login: \", then nothing",
                    ),
                    (
                        "stdout \"\\xff\\xfd\\x18\\xff\\xfb\\x01login: \"",
                        "stdout \"login: \"",
                    ),
                ],
            ),
        with("-s", "-nv -s 127.0.0.1 127.0.0.1 {port}"),
        with("-p", "-nv -p {source} 127.0.0.1 {port}"),
        with("-T", "-T 16 127.0.0.1 {port}"),
        with("-k", "-k 127.0.0.1 {port}"),
        with("-b", "-b 127.0.0.1 {port}"),
        with("-r", "-r 127.0.0.1 {port}"),
    ]
}
