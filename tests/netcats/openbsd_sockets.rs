//! Debian's nc.openbsd: listeners, datagrams, UNIX sockets, scans, and what is set on a socket.

use super::Dialect::OpenBsd;
use super::Input::{File, Pipe};
use super::Step::{
    Accept, As, Call, Close, EndInput, HalfClose, Hears, HearsAfter, HearsEnd, Leaves, LeavesAfter,
    Reset, Says, SaysPort, Send, Shows, Stays, Type,
};
use super::{Case, Over, case};

fn nc(name: &'static str, arguments: &'static str) -> Case {
    case(OpenBsd, name, arguments)
}

fn sh(name: &'static str, line: &'static str) -> Case {
    super::shell(OpenBsd, name, line)
}

/// All of them.
pub fn cases() -> Vec<Case> {
    [
        listening(),
        datagrams(),
        unix_sockets(),
        scanning(),
        socket_options(),
    ]
    .concat()
}

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
        with("-m 0", "-m 0 127.0.0.1 {port}"),
        nc("-M 0", "-M 0 127.0.0.1 {closed}"),
        nc("-M 0, several ports", "-M 0 -z 127.0.0.1 {closed}-{closed}"),
        nc("-M 0 -l", "-M 0 -l 127.0.0.1 {listen}"),
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
