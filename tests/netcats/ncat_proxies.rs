//! Nmap's ncat: through a proxy, and as one.

use super::Dialect::Ncat;
use super::Input::Pipe;
use super::Step::{
    Accept, As, Call, Close, EndInput, HalfClose, Hears, HearsEnd, Leaves, Send, Shows, Type,
};
use super::{Case, Over, case};

fn ncat(name: &'static str, arguments: &'static str) -> Case {
    case(Ncat, name, arguments)
}

/// All of them.
pub fn cases() -> Vec<Case> {
    [proxies(), proxy_servers()].concat()
}

fn proxies() -> Vec<Case> {
    let through = |name, arguments| ncat(name, arguments).to(Over::Tcp).input(Pipe);
    let last = &[
        Shows(b"glued"),
        Type(b"through"),
        Hears(b"through"),
        Close,
        Leaves,
    ];
    vec![
        through(
            "--proxy is HTTP",
            "--proxy 127.0.0.1:{port} mail.example 25",
        )
        .steps(&[
            Accept,
            Hears(b"CONNECT mail.example:25 HTTP/1.0\r\n\r\n"),
            Send(b"HTTP/1.0 200 OK\r\nVia: x\r\n\r\nglued"),
        ])
        .steps(last),
        through(
            "--proxy-type http, IPv6",
            "--proxy-type http --proxy 127.0.0.1:{port} 2001:db8::1 25",
        )
        .steps(&[
            Accept,
            Hears(b"CONNECT [2001:db8::1]:25 HTTP/1.0\r\n\r\n"),
            Close,
            Leaves,
        ]),
        through(
            "--proxy-auth, Basic, not asked for at first",
            "--proxy-auth me:secret --proxy 127.0.0.1:{port} \
                mail.example 25",
        )
        .steps(&[Accept, HearsEnd, Close, Leaves]),
        through(
            "--proxy-auth, Basic",
            "--proxy-auth me:secret --proxy 127.0.0.1:{port} \
                mail.example 25",
        )
        .steps(&[
            Accept,
            Hears(b"CONNECT mail.example:25 HTTP/1.0\r\n\r\n"),
            Send(
                b"HTTP/1.0 407 Proxy Authentication Required\r\n\
                    Proxy-Authenticate: Basic realm=\"x\"\r\n\
                    Content-Length: 0\r\n\r\n",
            ),
            HearsEnd,
            Accept,
            HearsEnd,
            Send(b"HTTP/1.0 200 OK\r\n\r\nglued"),
            Shows(b"glued"),
            Close,
            Leaves,
        ]),
        through(
            "--proxy-auth, no password",
            "--proxy-auth me --proxy 127.0.0.1:{port} mail.example 25",
        )
        .steps(&[
            Accept,
            Hears(b"CONNECT mail.example:25 HTTP/1.0\r\n\r\n"),
            Send(
                b"HTTP/1.0 407 Proxy Authentication Required\r\n\
                    Proxy-Authenticate: Basic realm=\"x\"\r\n\
                    Content-Length: 0\r\n\r\n",
            ),
            HearsEnd,
            Accept,
            HearsEnd,
            Close,
            Leaves,
        ])
        .differs(
            "the colon is never left out (RFC 7617 §2)",
            &[(
                "hears \"CONNECT mail.example:25 HTTP/1.0\\r\\nProxy-Authorization: \
                    Basic bWU=\\r\\n\\r\\n\", then nothing",
                "hears \"CONNECT mail.example:25 HTTP/1.0\\r\\nProxy-Authorization: \
                    Basic bWU6\\r\\n\\r\\n\", then nothing",
            )],
        ),
        through(
            "407 without --proxy-auth",
            "--proxy 127.0.0.1:{port} mail.example 25",
        )
        .steps(&[
            Accept,
            Hears(b"CONNECT mail.example:25 HTTP/1.0\r\n\r\n"),
            Send(
                b"HTTP/1.0 407 Proxy Authentication Required\r\n\
                    Proxy-Authenticate: Basic realm=\"x\"\r\n\r\n",
            ),
            HearsEnd,
            Leaves,
        ]),
        through("HTTP, refused", "--proxy 127.0.0.1:{port} mail.example 25").steps(&[
            Accept,
            Hears(b"CONNECT mail.example:25 HTTP/1.0\r\n\r\n"),
            Send(b"HTTP/1.0 403 Forbidden\r\n\r\n"),
            HearsEnd,
            Leaves,
        ]),
        through("HTTP, nonsense", "--proxy 127.0.0.1:{port} mail.example 25").steps(&[
            Accept,
            Hears(b"CONNECT mail.example:25 HTTP/1.0\r\n\r\n"),
            Send(b"SSH-2.0-x\r\n\r\n"),
            HearsEnd,
            Leaves,
        ]),
        through(
            "HTTP, the proxy closes",
            "--proxy 127.0.0.1:{port} mail.example 25",
        )
        .steps(&[
            Accept,
            Hears(b"CONNECT mail.example:25 HTTP/1.0\r\n\r\n"),
            Close,
            Leaves,
        ]),
        through("-v, HTTP", "-v --proxy 127.0.0.1:{port} mail.example 25")
            .steps(&[
                Accept,
                Hears(b"CONNECT mail.example:25 HTTP/1.0\r\n\r\n"),
                Send(b"HTTP/1.0 200 OK\r\n\r\nx"),
                Shows(b"x"),
                EndInput,
                HearsEnd,
                Close,
                Leaves,
            ])
            .differs(
                "what came with the answer counts",
                &[(
                    "stderr Ncat: 0 bytes sent, 0 bytes received in {time} \
                        seconds.",
                    "stderr Ncat: 0 bytes sent, 1 bytes received in {time} \
                        seconds.",
                )],
            ),
        through("no proxy", "--proxy 127.0.0.1:{closed} mail.example 25"),
        through(
            "socks5, an address",
            "--proxy-type socks5 --proxy 127.0.0.1:{port} 192.0.2.7 80",
        )
        .steps(&[
            Accept,
            Hears(b"\x05\x01\x00"),
            Send(b"\x05\x00"),
            Hears(b"\x05\x01\x00\x01\xc0\x00\x02\x07\x00\x50"),
            Send(b"\x05\x00\x00\x01\x00\x00\x00\x00\x00\x00glued"),
        ])
        .steps(last),
        through(
            "socks5, a name",
            "--proxy-type socks5 --proxy 127.0.0.1:{port} mail.example 25",
        )
        .steps(&[
            Accept,
            Hears(b"\x05\x01\x00"),
            Send(b"\x05\x00"),
            Hears(b"\x05\x01\x00\x03\x0cmail.example\x00\x19"),
            Send(b"\x05\x00\x00\x03\x01a\x00\x50x"),
            Shows(b"x"),
            Close,
            Leaves,
        ]),
        through(
            "socks5, a user",
            "--proxy-auth me:pw --proxy-type socks5 --proxy \
                127.0.0.1:{port} mail.example 25",
        )
        .steps(&[
            Accept,
            Hears(b"\x05\x02\x00\x02"),
            Send(b"\x05\x02"),
            Hears(b"\x01\x02me\x02pw"),
            Send(b"\x01\x00"),
            Hears(b"\x05\x01\x00\x03\x0cmail.example\x00\x19"),
            Close,
            Leaves,
        ]),
        through(
            "socks5, a user that is refused",
            "--proxy-auth me:pw --proxy-type socks5 --proxy \
                127.0.0.1:{port} mail.example 25",
        )
        .steps(&[
            Accept,
            Hears(b"\x05\x02\x00\x02"),
            Send(b"\x05\x02"),
            Hears(b"\x01\x02me\x02pw"),
            Send(b"\x01\x01"),
            HearsEnd,
            Leaves,
        ]),
        through(
            "socks5, refused",
            "--proxy-type socks5 --proxy 127.0.0.1:{port} 192.0.2.7 80",
        )
        .steps(&[
            Accept,
            Hears(b"\x05\x01\x00"),
            Send(b"\x05\x00"),
            Hears(b"\x05\x01\x00\x01\xc0\x00\x02\x07\x00\x50"),
            Send(b"\x05\x05\x00\x01\x00\x00\x00\x00\x00\x00"),
            HearsEnd,
            Leaves,
        ]),
        through(
            "socks5, no method",
            "--proxy-type socks5 --proxy 127.0.0.1:{port} 192.0.2.7 80",
        )
        .steps(&[
            Accept,
            Hears(b"\x05\x01\x00"),
            Send(b"\x05\xff"),
            HearsEnd,
            Leaves,
        ]),
        through(
            "socks4, an address",
            "--proxy-type socks4 --proxy 127.0.0.1:{port} 192.0.2.7 80",
        )
        .steps(&[
            Accept,
            Hears(b"\x04\x01\x00\x50\xc0\x00\x02\x07\x00"),
            Send(b"\x00\x5a\x00\x00\x00\x00\x00\x00glued"),
        ])
        .steps(last),
        through(
            "socks4, a user",
            "--proxy-auth me --proxy-type socks4 --proxy \
                127.0.0.1:{port} 192.0.2.7 80",
        )
        .steps(&[
            Accept,
            Hears(b"\x04\x01\x00\x50\xc0\x00\x02\x07me\x00"),
            Send(b"\x00\x5a\x00\x00\x00\x00\x00\x00x"),
            Shows(b"x"),
            Close,
            Leaves,
        ]),
        through(
            "socks4a, a name",
            "--proxy-type socks4 --proxy 127.0.0.1:{port} mail.example 25",
        )
        .steps(&[
            Accept,
            Hears(b"\x04\x01\x00\x19\x00\x00\x00\x01\x00mail.example\x00"),
            Send(b"\x00\x5a\x00\x00\x00\x00\x00\x00x"),
            Shows(b"x"),
            Close,
            Leaves,
        ]),
        through(
            "socks4, a name that is looked up here",
            "--proxy-dns local -4 --proxy-type socks4 --proxy \
                127.0.0.1:{port} localhost 25",
        )
        .steps(&[
            Accept,
            Hears(b"\x04\x01\x00\x19\x7f\x00\x00\x01\x00"),
            Send(b"\x00\x5a\x00\x00\x00\x00\x00\x00x"),
            Shows(b"x"),
            Close,
            Leaves,
        ]),
        through(
            "socks4, refused",
            "--proxy-type socks4 --proxy 127.0.0.1:{port} 192.0.2.7 80",
        )
        .steps(&[
            Accept,
            Hears(b"\x04\x01\x00\x50\xc0\x00\x02\x07\x00"),
            Send(b"\x00\x5b\x00\x00\x00\x00\x00\x00"),
            HearsEnd,
            Leaves,
        ]),
    ]
}

fn proxy_servers() -> Vec<Case> {
    let serves = |name, arguments| ncat(name, arguments).from(Over::Tcp);
    vec![
        serves(
            "--proxy-type http -l, CONNECT",
            "-l --proxy-type http 127.0.0.1 {listen}",
        )
        .steps(&[
            Call,
            Send(b"CONNECT 127.0.0.1:{port} HTTP/1.0\r\n\r\n"),
            Accept,
            As(0),
            HearsEnd,
            Send(b"up"),
            As(1),
            Hears(b"up"),
            Send(b"down"),
            As(0),
            Hears(b"down"),
            HalfClose,
            As(1),
            HearsEnd,
            Close,
            As(0),
            HearsEnd,
            Leaves,
        ])
        .differs(
            "it is HTTP/1.1",
            &[(
                "hears \"HTTP/1.0 200 OK\\r\\n\\r\\n\", then nothing",
                "hears \"HTTP/1.1 200 Connection \
                    established\\r\\n\\r\\n\", then nothing",
            )],
        ),
        serves(
            "--proxy-type http -l, GET",
            "-l --proxy-type http 127.0.0.1 {listen}",
        )
        .steps(&[
            Call,
            Send(
                b"GET http://127.0.0.1:{port}/x?y HTTP/1.1\r\nHost: \
                    127.0.0.1:{port}\r\nProxy-Connection: close\r\n\r\n",
            ),
            Accept,
            HearsEnd,
            Send(b"HTTP/1.0 200 OK\r\n\r\nbody"),
            Close,
            As(0),
            HearsEnd,
            Leaves,
        ])
        .differs(
            "it is HTTP/1.1, which wants Via (RFC 9110 §7.6.3); the \
                answer goes back as it came",
            &[
                (
                    "hears \"GET /x?y HTTP/1.0\\r\\nProxy-Connection: \
                        close\\r\\nHost: 127.0.0.1:{port}\\r\\nConnection: \
                        close\\r\\n\\r\\n\", then nothing",
                    "hears \"GET /x?y HTTP/1.1\\r\\nHost: \
                        127.0.0.1:{port}\\r\\nVia: 1.1 \
                        mailtool\\r\\nConnection: close\\r\\n\\r\\n\", then \
                        nothing",
                ),
                (
                    "hears \"HTTP/1.0 200 OK\\r\\nConnection: \
                        close\\r\\n\\r\\nbody\", then the end",
                    "hears \"HTTP/1.0 200 OK\\r\\n\\r\\nbody\", then the end",
                ),
            ],
        ),
        serves(
            "--proxy-type http -l, nobody there",
            "-l --proxy-type http 127.0.0.1 {listen}",
        )
        .steps(&[
            Call,
            Send(b"CONNECT 127.0.0.1:{closed} HTTP/1.0\r\n\r\n"),
            HearsEnd,
            Leaves,
        ])
        .differs(
            "the reason is told; 504 is for who waited in vain",
            &[(
                "*",
                "is answered\nhears \"HTTP/1.1 502 Bad \
                    Gateway\\r\\nContent-Type: text/plain; \
                    charset=utf-8\\r\\nContent-Length: 90\\r\\nConnection: \
                    close\\r\\n\\r\\nCannot connect to 127.0.0.1:{closed}: \
                    connection refused: nobody listens at that port \
                    there.\\n\", then the end\nstays",
            )],
        ),
        serves(
            "--proxy-type http -l, nonsense",
            "-l --proxy-type http 127.0.0.1 {listen}",
        )
        .steps(&[Call, Send(b"HELO x\r\n\r\n"), HearsEnd, Leaves])
        .differs(
            "the reason is told",
            &[(
                "hears \"HTTP/1.0 400 Bad Request\\r\\n\\r\\n\", then the end",
                "hears \"HTTP/1.1 400 Bad Request\\r\\nContent-Type: \
                    text/plain; charset=utf-8\\r\\nContent-Length: \
                    60\\r\\nConnection: close\\r\\n\\r\\nThat is no request \
                    of HTTP/1: its first line is not HTTP/1.\\n\", then the \
                    end",
            )],
        ),
        serves(
            "--proxy-type http -l, asked for itself",
            "-l --proxy-type http 127.0.0.1 {listen}",
        )
        .steps(&[
            Call,
            Send(b"GET http://127.0.0.1:{listen}/ HTTP/1.0\r\n\r\n"),
            HearsEnd,
            Leaves,
        ])
        .differs(
            "the reason is told",
            &[(
                "hears \"HTTP/1.0 403 Forbidden\\r\\n\\r\\n\", then the end",
                "hears \"HTTP/1.1 403 Forbidden\\r\\nContent-Type: text/plain; \
                    charset=utf-8\\r\\nContent-Length: 65\\r\\nConnection: \
                    close\\r\\n\\r\\nCannot connect to 127.0.0.1:{listen}: this proxy \
                    does not allow it.\\n\", then the end",
            )],
        ),
        serves(
            "--proxy-type http -l, a method that HTTP does not have",
            "-l --proxy-type http 127.0.0.1 {listen}",
        )
        .steps(&[
            Call,
            Send(b"NOTHING http://127.0.0.1:{port}/ HTTP/1.0\r\n\r\n"),
            Accept,
            As(0),
            HearsEnd,
        ])
        .differs(
            "whether there is one is for the server to say (RFC 9110 §9.1)",
            &[(
                "*",
                "is answered\nis called\nhears \"\", then nothing\nstays",
            )],
        ),
        serves(
            "--proxy-auth -l",
            "-l --proxy-auth me:pw --proxy-type http 127.0.0.1 {listen}",
        )
        .steps(&[
            Call,
            Send(
                b"CONNECT 127.0.0.1:{port} HTTP/1.0\r\nProxy-Authorization: Basic bWU6cHc=\r\n\r\n",
            ),
            Accept,
            As(0),
            HearsEnd,
            Close,
            As(1),
            HearsEnd,
            Leaves,
        ])
        .differs(
            "it is HTTP/1.1",
            &[(
                "hears \"HTTP/1.0 200 OK\\r\\n\\r\\n\", then nothing",
                "hears \"HTTP/1.1 200 Connection \
                    established\\r\\n\\r\\n\", then nothing",
            )],
        ),
        serves(
            "--proxy-type socks5 -l",
            "-l --proxy-type socks5 127.0.0.1 {listen}",
        )
        .steps(&[
            Call,
            Send(b"\x05\x01\x00"),
            Hears(b"\x05\x00"),
            Send(b"\x05\x01\x00\x01\x7f\x00\x00\x01{port, two octets}"),
            Accept,
            As(0),
            Hears(b"\x05\x00\x00\x01"),
            Close,
            As(1),
            HearsEnd,
            Leaves,
        ])
        .differs(
            "there is one",
            &[(
                "*",
                "is answered\nhears \"\\x05\\x00\"\nis called\n\
                    hears \"\\x05\\x00\\x00\\x01\"\nhears \"\", then the end\nstays",
            )],
        ),
    ]
}
