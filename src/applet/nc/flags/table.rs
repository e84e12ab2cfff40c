//! The rows of the table of options.

use super::{Flag, Group, Origin, Takes, Visibility};

/// Which option: one for each meaning.
#[expect(missing_docs, reason = "what each is, its row in GROUPS says")]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Id {
    Listen,
    InTurn,
    KeepOpen,
    MaxConns,
    Zero,
    Random,
    WaitPort,
    Exec,
    ShellExec,
    LuaExec,
    PassDescriptor,
    Broker,
    Chat,
    Allow,
    AllowFile,
    Deny,
    DenyFile,
    Compat,
    V4,
    V6,
    Udp,
    Unix,
    Dccp,
    Sctp,
    Vsock,
    Numeric,
    Source,
    SourcePort,
    Broadcast,
    KeepAlive,
    Debug,
    TcpMd5,
    ReceiveBuffer,
    SendBuffer,
    Ttl,
    MinTtl,
    Tos,
    RoutingTable,
    Route,
    RoutePointer,
    Timeout,
    Wait,
    IdleTimeout,
    Delay,
    QuitAfter,
    HalfClose,
    NoShutdown,
    SendOnly,
    RecvOnly,
    NoStdin,
    ReceiveLimit,
    Rate,
    Crlf,
    Telnet,
    ProxyAddress,
    ProxyProtocol,
    ProxyUser,
    Proxy,
    ProxyType,
    ProxyAuth,
    ProxyDns,
    Ssl,
    SslVerify,
    SslTrustFile,
    SslCert,
    SslKey,
    SslCiphers,
    SslServerName,
    SslAlpn,
    StartTls,
    Ca,
    Insecure,
    Mail,
    Check,
    Smtp,
    Lmtp,
    Pop3,
    Imap,
    Explain,
    Verbose,
    Dump,
    Output,
    HexDump,
    AppendOutput,
    Transcript,
    Timing,
    Pcap,
    Stats,
    Progress,
    Help,
    Version,
    Test,
    NsockEngine,
}

/// A long option of ncat's.
const fn ncat(id: Id, name: &'static str, help: &'static str) -> Flag {
    Flag {
        id,
        name,
        has_long: true,
        also: &[],
        letters: "---",
        takes: Takes::Nothing,
        origin: Origin::Ncat,
        visibility: Visibility::Shown,
        help,
    }
}

/// A long option of our own.
const fn own(id: Id, name: &'static str, help: &'static str) -> Flag {
    Flag {
        origin: Origin::Own,
        ..ncat(id, name, help)
    }
}

/// An option that is only a letter, and what it is called in the table of the manual.
const fn letter(id: Id, letters: &'static str, name: &'static str, help: &'static str) -> Flag {
    Flag {
        has_long: false,
        letters,
        ..ncat(id, name, help)
    }
}

impl Flag {
    /// A letter for each of the dialects openbsd, ncat, traditional.
    const fn letters(self, letters: &'static str) -> Self {
        Self { letters, ..self }
    }

    const fn value(self, name: &'static str) -> Self {
        Self {
            takes: Takes::Value(name),
            ..self
        }
    }

    const fn perhaps(self, name: &'static str) -> Self {
        Self {
            takes: Takes::Perhaps(name),
            ..self
        }
    }

    const fn also(self, also: &'static [&'static str]) -> Self {
        Self { also, ..self }
    }

    const fn hidden(self) -> Self {
        Self {
            visibility: Visibility::Hidden,
            ..self
        }
    }
}

/// All options, in the order in which help shows them.
pub static GROUPS: &[Group] = &[
    Group {
        heading: "What to do",
        flags: &[
            ncat(Id::Listen, "listen", "Wait for a caller instead of calling").letters("lll"),
            letter(
                Id::InTurn,
                "k--",
                "callers in turn",
                "With -l: take one caller after another",
            ),
            ncat(
                Id::KeepOpen,
                "keep-open",
                "With -l: take all callers, many at once",
            )
            .letters("-k-"),
            ncat(
                Id::MaxConns,
                "max-conns",
                "Callers that are taken at once, else 100",
            )
            .letters("-m-")
            .value("NUMBER"),
            letter(
                Id::Zero,
                "zzz",
                "probe only",
                "Only see who listens, and send nothing",
            ),
            letter(
                Id::Random,
                "r-r",
                "random order",
                "Try the ports in random order",
            ),
            own(
                Id::WaitPort,
                "wait-port",
                "Call again until somebody listens, for so long",
            )
            .value("TIME"),
            ncat(
                Id::Exec,
                "exec",
                "Run this program, without a shell, and connect it",
            )
            .letters("eee")
            .value("COMMAND"),
            ncat(
                Id::ShellExec,
                "sh-exec",
                "Have /bin/sh run this, and connect it",
            )
            .letters("ccc")
            .value("COMMAND"),
            ncat(
                Id::LuaExec,
                "lua-exec",
                "Run a Lua script: not in this program",
            )
            .value("FILE")
            .hidden(),
            letter(
                Id::PassDescriptor,
                "F--",
                "pass descriptor",
                "Hand the connected socket to the program behind stdout",
            ),
            ncat(
                Id::Broker,
                "broker",
                "Pass what each caller says to all the others",
            ),
            ncat(
                Id::Chat,
                "chat",
                "The same for people: lines tell who said them",
            )
            .also(&["talk"]),
            ncat(
                Id::Allow,
                "allow",
                "Take callers from these hosts only: addresses, networks, ranges, names",
            )
            .value("HOST[,HOST...]"),
            ncat(Id::AllowFile, "allowfile", "The same, from a file").value("FILE"),
            ncat(
                Id::Deny,
                "deny",
                "Take no callers from these hosts, whatever --allow says",
            )
            .value("HOST[,HOST...]"),
            ncat(Id::DenyFile, "denyfile", "The same, from a file").value("FILE"),
            own(
                Id::Compat,
                "compat",
                "Speak another netcat's dialect: openbsd, ncat or traditional",
            )
            .value("DIALECT"),
        ],
    },
    Group {
        heading: "Addresses and sockets",
        flags: &[
            letter(Id::V4, "44-", "IPv4", "IPv4 only").also(&["4"]),
            letter(Id::V6, "66-", "IPv6", "IPv6 only").also(&["6"]),
            ncat(Id::Udp, "udp", "UDP instead of TCP; with -U, datagrams").letters("uuu"),
            ncat(
                Id::Unix,
                "unixsock",
                "A UNIX socket: its path stands for host and port; @NAME is abstract",
            )
            .letters("UU-"),
            letter(Id::Dccp, "Z--", "DCCP", "DCCP instead of TCP"),
            ncat(Id::Sctp, "sctp", "SCTP: not in this program").hidden(),
            ncat(Id::Vsock, "vsock", "VSOCK: not in this program").hidden(),
            ncat(Id::Numeric, "nodns", "Look up no names").letters("nnn"),
            ncat(
                Id::Source,
                "source",
                "Call from this address; with -l, and -p, listen there",
            )
            .letters("sss")
            .value("ADDRESS"),
            ncat(
                Id::SourcePort,
                "source-port",
                "Call from this port; with -l, listen at it",
            )
            .letters("ppp")
            .value("PORT"),
            letter(Id::Broadcast, "b-b", "broadcast", "Allow broadcast"),
            letter(
                Id::KeepAlive,
                "--k",
                "keepalive",
                "Let the kernel see whether an idle peer is still there",
            ),
            letter(Id::Debug, "D--", "debug", "Set SO_DEBUG on the socket"),
            letter(
                Id::TcpMd5,
                "S--",
                "TCP MD5",
                "Sign segments as RFC 2385 has it; asks for the password",
            ),
            letter(
                Id::ReceiveBuffer,
                "I--",
                "receive buffer",
                "Octets of the TCP receive buffer",
            )
            .value("OCTETS"),
            letter(
                Id::SendBuffer,
                "O--",
                "send buffer",
                "Octets of the TCP send buffer",
            )
            .value("OCTETS"),
            letter(Id::Ttl, "M--", "TTL", "Hops that a packet may take").value("TTL"),
            letter(
                Id::MinTtl,
                "m--",
                "least TTL",
                "Drop packets that come with fewer hops left",
            )
            .value("TTL"),
            letter(
                Id::Tos,
                "T-T",
                "type of service",
                "Type of service: a name (lowdelay, ef, af11 ...) or a number",
            )
            .value("KEYWORD"),
            letter(
                Id::RoutingTable,
                "V--",
                "routing table",
                "Alternate routing table: Linux has none to choose so",
            )
            .value("TABLE")
            .hidden(),
            letter(
                Id::Route,
                "-gg",
                "source route",
                "Loose source route, 8 hops at most",
            )
            .also(&["g"])
            .value("HOP[,HOP...]"),
            letter(
                Id::RoutePointer,
                "-GG",
                "route pointer",
                "Where in the source route to begin: 4, 8, 12 ... 28",
            )
            .also(&["G"])
            .value("POINTER"),
        ],
    },
    Group {
        heading: "Pace and end",
        flags: &[
            letter(
                Id::Timeout,
                "w-w",
                "timeout",
                "Give up connecting, or waiting for octets, after so long",
            )
            .value("SECONDS"),
            ncat(Id::Wait, "wait", "Give up connecting after so long")
                .letters("-w-")
                .value("TIME"),
            ncat(
                Id::IdleTimeout,
                "idle-timeout",
                "Fail when nothing moves for so long",
            )
            .letters("-i-")
            .value("TIME"),
            ncat(
                Id::Delay,
                "delay",
                "Wait so long after each line sent, and between ports",
            )
            .letters("idi")
            .value("TIME"),
            letter(
                Id::QuitAfter,
                "qqq",
                "quit after",
                "Leave so long after the end of stdin; tells the peer of that end",
            )
            .value("SECONDS"),
            letter(
                Id::HalfClose,
                "N--",
                "half-close",
                "Tell the peer of the end of stdin",
            ),
            ncat(
                Id::NoShutdown,
                "no-shutdown",
                "Do not tell the peer of the end of stdin",
            ),
            ncat(
                Id::SendOnly,
                "send-only",
                "Send, and throw away what comes; leave at the end of stdin",
            ),
            ncat(Id::RecvOnly, "recv-only", "Receive, and send nothing"),
            letter(Id::NoStdin, "d--", "no stdin", "Do not read stdin"),
            letter(
                Id::ReceiveLimit,
                "W--",
                "receive limit",
                "Leave after receiving so often",
            )
            .value("NUMBER"),
            own(
                Id::Rate,
                "rate",
                "No more than so many octets a second, each way; K, M, G for times 1024",
            )
            .value("OCTETS"),
            ncat(Id::Crlf, "crlf", "Send CRLF for LF, and leave CRLF alone").letters("CCC"),
            ncat(Id::Telnet, "telnet", "Refuse what a telnet server asks for").letters("ttt"),
        ],
    },
    Group {
        heading: "Proxies",
        flags: &[
            letter(
                Id::ProxyAddress,
                "x--",
                "proxy address",
                "Call through this proxy; given again, through that one to the next",
            )
            .value("HOST[:PORT]"),
            letter(
                Id::ProxyProtocol,
                "X--",
                "proxy protocol",
                "What the proxy of -x speaks: 4, 5 or connect; else 5",
            )
            .value("PROTOCOL"),
            letter(
                Id::ProxyUser,
                "P--",
                "proxy user",
                "Name at the proxy of -x; asks for the password",
            )
            .value("USER"),
            ncat(
                Id::Proxy,
                "proxy",
                "Call through this proxy; given again, through that one to the next",
            )
            .value("HOST[:PORT]"),
            ncat(
                Id::ProxyType,
                "proxy-type",
                "What --proxy speaks: http, socks4 or socks5; else http; with -l, be such a proxy",
            )
            .value("TYPE"),
            ncat(
                Id::ProxyAuth,
                "proxy-auth",
                "Name and password at the proxy, or that our proxy asks for",
            )
            .value("USER[:PASSWORD]"),
            ncat(
                Id::ProxyDns,
                "proxy-dns",
                "Who looks up the host: remote (the proxy), local, both, none; else remote",
            )
            .value("WHO"),
        ],
    },
    Group {
        heading: "TLS",
        flags: &[
            ncat(Id::Ssl, "ssl", "TLS from the first octet"),
            own(
                Id::StartTls,
                "starttls",
                "Upgrade to TLS first: smtp, lmtp, pop3, imap or ftp",
            )
            .value("PROTOCOL"),
            ncat(
                Id::SslVerify,
                "ssl-verify",
                "TLS, and leave a server whose certificate is not good",
            ),
            ncat(
                Id::SslTrustFile,
                "ssl-trustfile",
                "The same, trusting the authorities in this file instead of the system's",
            )
            .value("FILE"),
            own(
                Id::Ca,
                "ca",
                "With TLS: trust the authorities in this file instead of the system's, and check",
            )
            .value("FILE"),
            own(
                Id::Insecure,
                "insecure",
                "Take any certificate, also with --starttls and --mail",
            ),
            ncat(
                Id::SslCert,
                "ssl-cert",
                "Our certificate, in PEM; a server without one makes one",
            )
            .value("FILE"),
            ncat(Id::SslKey, "ssl-key", "Its private key, in PEM").value("FILE"),
            ncat(
                Id::SslCiphers,
                "ssl-ciphers",
                "Cipher suites, by OpenSSL's names",
            )
            .value("LIST"),
            ncat(
                Id::SslServerName,
                "ssl-servername",
                "Name to ask the server for, and to find in its certificate",
            )
            .value("NAME"),
            ncat(
                Id::SslAlpn,
                "ssl-alpn",
                "Application protocols to offer (ALPN)",
            )
            .value("LIST"),
        ],
    },
    Group {
        heading: "Mail",
        flags: &[
            own(
                Id::Mail,
                "mail",
                "Send each line of stdin when the reply to the one before is complete",
            ),
            own(
                Id::Check,
                "check",
                "The same; a script goes on where it is answered otherwise than it expects, and all is counted",
            ),
            own(
                Id::Smtp,
                "smtp",
                "The same, whatever the greeting looks like: SMTP",
            ),
            own(Id::Lmtp, "lmtp", "LMTP"),
            own(Id::Pop3, "pop3", "POP3"),
            own(Id::Imap, "imap", "IMAP; a line without a tag gets one"),
            own(
                Id::Explain,
                "explain",
                "Explain each reply on stderr, in English (en) or French (fr)",
            )
            .perhaps("LANG"),
        ],
    },
    Group {
        heading: "Evidence",
        flags: &[
            ncat(Id::Verbose, "verbose", "Tell what happens, on stderr").letters("vvv"),
            letter(
                Id::Dump,
                "o-o",
                "hex dump by line",
                "Write what crosses, in hex with direction and offset",
            )
            .value("FILE"),
            ncat(
                Id::Output,
                "output",
                "Write what crosses as it is, both ways",
            )
            .letters("-o-")
            .value("FILE"),
            ncat(
                Id::HexDump,
                "hex-dump",
                "Write what crosses in hex, as ncat lays it out",
            )
            .letters("-x-")
            .value("FILE"),
            ncat(
                Id::AppendOutput,
                "append-output",
                "Append to these files, instead of writing them anew",
            ),
            own(
                Id::Transcript,
                "transcript",
                "Write the dialogue line by line, who said what; passwords are masked",
            )
            .value("FILE"),
            own(
                Id::Timing,
                "timing",
                "Tell how long each reply took, on stderr and in the transcript",
            ),
            own(
                Id::Pcap,
                "pcap",
                "Write a capture for Wireshark, TLS secrets in it; passwords are NOT masked",
            )
            .value("FILE"),
            own(
                Id::Stats,
                "stats",
                "Tell at the end how much was moved, and how fast, on stderr",
            ),
            own(
                Id::Progress,
                "progress",
                "Tell so all the time, on one line of the terminal",
            ),
        ],
    },
    Group {
        heading: "About",
        flags: &[
            ncat(
                Id::Help,
                "help",
                "Print this help; -h prints that of the netcat whose dialect it is",
            )
            .letters("hhh"),
            ncat(Id::Version, "version", "Print the version"),
            ncat(Id::Test, "test", "ncat's own tests").hidden(),
            ncat(Id::NsockEngine, "nsock-engine", "ncat's event loop")
                .value("ENGINE")
                .hidden(),
        ],
    },
];
