//! Nmap's ncat: datagrams, UNIX sockets, dumps, and what is set on a socket.

use super::Dialect::Ncat;
use super::Input::{File, Pipe};
use super::Step::{
    Accept, As, Call, Close, EndInput, Hears, HearsEnd, Leaves, LeavesAfter, Reads, Send, Shows,
    Stays, Type,
};
use super::{Case, Over, case};

fn ncat(name: &'static str, arguments: &'static str) -> Case {
    case(Ncat, name, arguments)
}

fn sh(name: &'static str, line: &'static str) -> Case {
    super::shell(Ncat, name, line)
}

/// All of them.
pub fn cases() -> Vec<Case> {
    [datagrams_and_unix(), dumps(), socket_options()].concat()
}

fn datagrams_and_unix() -> Vec<Case> {
    vec![
        ncat("-u", "-u 127.0.0.1 {port}")
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
            ])
            .differs(
                "the answer is waited for",
                &[
                    ("leaves: 0", "stays"),
                    ("shows \"\", then the end", "shows \"more\\n\"\nstays"),
                    ("stdout \"answer\\n\"", "stdout \"answer\\nmore\\n\""),
                ],
            ),
        ncat("-uv", "-uv 127.0.0.1 {port}")
            .to(Over::Udp)
            .input(Pipe)
            .steps(&[Type(b"q"), Hears(b"q"), Send(b"a"), Shows(b"a")]),
        ncat("-u, nobody there", "-u 127.0.0.1 {closed}")
            .to(Over::Udp)
            .input(Pipe)
            .steps(&[Type(b"q"), Leaves]),
        ncat("-u -i 1", "-u -i 1 127.0.0.1 {port}")
            .to(Over::Udp)
            .input(Pipe)
            .steps(&[
                Type(b"q"),
                EndInput,
                Hears(b"q"),
                Send(b"a"),
                Shows(b"a"),
                LeavesAfter,
            ])
            .differs(
                "the answer is waited for",
                &[(
                    "*",
                    "hears \"q\"\nshows \"a\"\nleaves after 1 s: 1\nstdout \"a\"\n\
                        stderr Ncat: Idle timeout expired (1000 ms).",
                )],
            )
            .unsteady("it leaves at the end of input, and the answer comes before that or not"),
        ncat("-u, the answer is waited for", "-u -i 2 127.0.0.1 {port}")
            .to(Over::Udp)
            .input(File("q"))
            .steps(&[Hears(b"q"), Stays, Send(b"a"), Shows(b"a")])
            .differs(
                "as the name says",
                &[
                    ("leaves: 0", "stays"),
                    ("shows \"\", then the end", "shows \"a\"\nstays"),
                    ("", "stdout \"a\""),
                ],
            ),
        ncat("-u --send-only", "-u --send-only 127.0.0.1 {port}")
            .to(Over::Udp)
            .input(File("q"))
            .steps(&[Hears(b"q"), Leaves]),
        ncat("-u, an empty datagram comes", "-u 127.0.0.1 {port}")
            .to(Over::Udp)
            .input(Pipe)
            .steps(&[Type(b"q"), Hears(b"q"), Send(b""), Send(b"a"), Shows(b"a")])
            .differs(
                "an empty datagram is not an end",
                &[
                    ("shows \"\", then the end", "shows \"a\""),
                    ("leaves: 0", "stays"),
                    ("", "stdout \"a\""),
                ],
            ),
        ncat("-lu", "-lu {listen}")
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
            ]),
        ncat("-luv", "-lv --udp 127.0.0.1 {listen}")
            .from(Over::Udp)
            .input(Pipe)
            .steps(&[Call, Send(b"hello"), Shows(b"hello")])
            .differs(
                "the port is told, as of other callers",
                &[(
                    "stderr Ncat: Connection from 127.0.0.1.",
                    "stderr Ncat: Connection from 127.0.0.1.\nstderr Ncat: \
                        Connection from 127.0.0.1:{caller}.",
                )],
            ),
        ncat("-luk", "-luk {listen}")
            .from(Over::Udp)
            .input(Pipe)
            .steps(&[
                Call,
                Send(b"one"),
                Shows(b"one"),
                Call,
                Send(b"two"),
                Shows(b"two"),
                Type(b"all"),
                Hears(b"all"),
                As(0),
                Hears(b"all"),
            ]),
        ncat("-U", "-U {dir}/socket")
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
        ncat("-Uv", "-v --unixsock {dir}/socket")
            .to(Over::Unix)
            .steps(&[Accept, HearsEnd, Close, Leaves]),
        ncat("-U, nobody there", "-U {dir}/socket"),
        ncat("-Uz", "-Uz {dir}/socket").to(Over::Unix),
        ncat("-lU", "-lU {dir}/socket")
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
        ncat("-lUv", "-lUv {dir}/socket")
            .from(Over::Unix)
            .steps(&[Call, Send(b"x"), Close, Leaves])
            .differs(
                "who calls there has no address",
                &[("stderr Ncat: Connection from .", "")],
            ),
        ncat("-lU where there is one", "-lU {dir}/socket").to(Over::Unix),
        sh("-lU and its name", "ncat -lU socket; ls socket")
            .from(Over::Unix)
            .steps(&[Call, Close, Leaves]),
        ncat("-Uu", "-Uu {dir}/socket")
            .to(Over::UnixDatagrams)
            .input(Pipe)
            .steps(&[Type(b"q"), Hears(b"q"), Send(b"a"), Shows(b"a")]),
        ncat("-lUu", "-lUu {dir}/socket")
            .from(Over::UnixDatagrams)
            .input(Pipe)
            .steps(&[Call, Send(b"x"), Shows(b"x"), Type(b"y"), Hears(b"y")]),
    ]
}

fn dumps() -> Vec<Case> {
    let talk = &[
        Accept,
        Type(b"HELO a.example\r\n"),
        Hears(b"HELO a.example\r\n"),
        Send(b"250 ok\r\n\x00\xff and much more of it\r\n"),
        Shows(b"250 ok\r\n\x00\xff and much more of it\r\n"),
        EndInput,
        HearsEnd,
        Close,
        Leaves,
        Reads("dump"),
    ];
    let dumps = |name, arguments| ncat(name, arguments).to(Over::Tcp).input(Pipe).steps(talk);
    vec![
        dumps("-o", "-o {dir}/dump 127.0.0.1 {port}"),
        dumps(
            "--output over what was there",
            "--output {dir}/dump 127.0.0.1 {port}",
        )
        .file("dump", "old\n"),
        dumps(
            "--append-output",
            "--append-output -o {dir}/dump 127.0.0.1 {port}",
        )
        .file("dump", "old\n"),
        dumps("-x", "-x {dir}/dump 127.0.0.1 {port}"),
        dumps("--hex-dump", "--hex-dump {dir}/dump -C 127.0.0.1 {port}"),
        dumps(
            "--hex-dump, appended",
            "--append-output -x {dir}/dump 127.0.0.1 {port}",
        )
        .file("dump", "old\n"),
        ncat("-l -x", "-l -x {dir}/dump {listen}")
            .from(Over::Tcp)
            .steps(&[
                Call,
                Send(b"hello"),
                Shows(b"hello"),
                Close,
                Leaves,
                Reads("dump"),
            ]),
    ]
}

fn socket_options() -> Vec<Case> {
    let talk = &[Accept, Send(b"a"), Shows(b"a"), Close, Leaves];
    let with = |name, arguments| ncat(name, arguments).to(Over::Tcp).steps(talk);
    vec![
        with("-s", "-v -s 127.0.0.1 127.0.0.1 {port}"),
        with("-p", "-v -p {source} 127.0.0.1 {port}"),
        with(
            "-s -p",
            "--source 127.0.0.1 --source-port {source} 127.0.0.1 {port}",
        ),
        with("-n", "-n 127.0.0.1 {port}"),
        with("--nodns", "--nodns -v 127.0.0.1 {port}"),
        with("-4 by name", "-4v localhost {port}"),
        with("-g", "-g 127.0.0.1 127.0.0.1 {port}"),
        with("-G", "-G 4 -g 127.0.0.1 127.0.0.1 {port}"),
        with("--wait", "--wait 5s 127.0.0.1 {port}"),
        with("--verbose", "--verbose 127.0.0.1 {port}"),
    ]
}
