//! Debian's nc.openbsd: through proxies, and as scripts in the field have it.

use super::Dialect::OpenBsd;
use super::Input::Pipe;
use super::Step::{
    Accept, Call, Close, EndInput, HalfClose, Hears, HearsEnd, Leaves, LeavesAfter, Reads, Send,
    Shows, Type,
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
    [proxies(), idioms()].concat()
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
