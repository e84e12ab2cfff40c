//! Nmap's ncat as it calls somebody. What it sets on sockets, datagrams, dumps: [`super::ncat_sockets`]; as it listens:
//! [`super::ncat_servers`]; proxies: [`super::ncat_proxies`]; TLS: `netcat_peers.rs`.

use super::Dialect::Ncat;
use super::Input::{Closed, File, Pipe, Terminal};
use super::Step::{
    Accept, Close, EndInput, HalfClose, Hears, HearsAfter, HearsEnd, HearsMuch, Leaves,
    LeavesAfter, Reset, Says, Send, SendMuch, Shows, ShowsMuch, Stays, Terminate, Type, TypeMuch,
};
use super::{Case, Output, Over, case};

fn ncat(name: &'static str, arguments: &'static str) -> Case {
    case(Ncat, name, arguments)
}

fn sh(name: &'static str, line: &'static str) -> Case {
    super::shell(Ncat, name, line)
}

/// All of them.
pub fn cases() -> Vec<Case> {
    [command_line(), ends(), input_and_output()].concat()
}

fn command_line() -> Vec<Case> {
    vec![
        ncat("no words", ""),
        ncat("an unknown option", "--frob 127.0.0.1 1"),
        ncat("an unknown letter", "-Q 127.0.0.1 1"),
        ncat("a letter without its value", "127.0.0.1 1 -w"),
        sh("--version", "ncat --version 2>&1 | cut -d' ' -f1,2"),
        sh("--help begins", "ncat --help | sed -n 2p"),
        sh("-h is on stdout", "ncat -h 2>/dev/null | sed -n 3,5p").differs(
            "the words of the help are our own",
            &[(
                "stdout \"\\nOptions taking a time assume seconds. \
                    Append \\'ms\\' for milliseconds,\\n\\'s\\' for \
                    seconds, \\'m\\' for minutes, or \\'h\\' for hours \
                    (e.g. 500ms).\\n\"",
                "stdout \"\\nA TIME is in seconds, or with a unit: \
                    500ms, 2s, 1m, 1h.\\n  -l, --listen               Wait \
                    for a caller instead of calling\\n\"",
            )],
        ),
        ncat("two ports", "127.0.0.1 {closed} {end}"),
        ncat("a port that is no number", "127.0.0.1 x"),
        ncat("port 0", "127.0.0.1 0"),
        ncat("port 65536", "127.0.0.1 65536"),
        ncat("a range", "127.0.0.1 {port}-{end}"),
        ncat("a name that is none", "-n localhost {closed}"),
        ncat("-4 with an IPv6 address", "-4 ::1 {closed}"),
        ncat("-6 with an IPv4 address", "-6 127.0.0.1 {closed}"),
        ncat("-4 -6", "-4 -6 127.0.0.1 {closed}"),
        ncat("-w with letters", "-w x 127.0.0.1 {closed}"),
        ncat("-w negative", "-w -1 127.0.0.1 {closed}"),
        ncat("-w 0", "-w 0 127.0.0.1 {closed}"),
        ncat("-i with letters", "-i x 127.0.0.1 {closed}"),
        ncat("-d with letters", "-d x 127.0.0.1 {closed}"),
        ncat("-m with letters", "-l -k -m x {listen}").differs(
            "theirs takes letters for no bound at all",
            &[(
                "stays",
                "leaves: 2\nstderr Ncat: --max-conns x: a number of \
                    callers is wanted. QUITTING.",
            )],
        ),
        ncat(
            "-l with --send-only and --recv-only",
            "--send-only --recv-only 127.0.0.1 {closed}",
        )
        .differs(
            "nothing is left to do",
            &[
                ("leaves: 1", "leaves: 2"),
                (
                    "stderr Ncat: Connection refused.",
                    "stderr Ncat: Invalid option combination: --send-only \
                        and --recv-only. QUITTING.",
                ),
            ],
        ),
        ncat("-k without -l", "-k 127.0.0.1 {closed}"),
        ncat("--broker without -l", "--broker 127.0.0.1 {closed}"),
        ncat("--allow without -l", "--allow 127.0.0.1 127.0.0.1 {closed}"),
        ncat("--max-conns without -l", "--max-conns 3 127.0.0.1 {closed}"),
        ncat("-e with -c", "-e /bin/cat -c cat 127.0.0.1 {closed}"),
        ncat("-l -z", "-l -z {listen}"),
        ncat("-u -k with --ssl", "-u -k 127.0.0.1 {closed}"),
        ncat(
            "--proxy-type unknown",
            "--proxy 127.0.0.1 --proxy-type socks9 127.0.0.1 1",
        ),
        ncat("--proxy with -l", "--proxy 127.0.0.1 -l {listen}"),
        ncat(
            "--proxy with -u",
            "--proxy 127.0.0.1:{closed} -u 127.0.0.1 1",
        )
        .differs(
            "theirs calls by TCP then, and -u is lost",
            &[
                ("leaves: 1", "leaves: 2"),
                (
                    "stderr Ncat: Proxy connection failed: Connection refused.",
                    "stderr Ncat: Proxy option not supported when using UDP \
                        or DCCP. QUITTING.",
                ),
            ],
        ),
        ncat(
            "--proxy-dns unknown",
            "--proxy 127.0.0.1:{closed} --proxy-dns x 127.0.0.1 1",
        ),
        ncat(
            "--proxy-auth without --proxy",
            "--proxy-auth a:b 127.0.0.1 {closed}",
        ),
        ncat("-U with -u and a port", "-U {dir}/socket 1").differs(
            "a UNIX socket has no port; later ones say so",
            &[
                ("leaves: 1", "leaves: 2"),
                (
                    "stderr Ncat: No such file or directory.",
                    "stderr Ncat: Using Unix domain sockets and specifying \
                        port doesn't make sense. QUITTING.",
                ),
            ],
        ),
        ncat(
            "--append-output without -o",
            "--append-output 127.0.0.1 {closed}",
        ),
        ncat(
            "-g too many hops",
            "-g 1,2,3,4,5,6,7,8,9 127.0.0.1 {closed}",
        ),
        ncat("-G that is none", "-G 3 127.0.0.1 {closed}"),
        ncat("-s that is not ours", "-s 192.0.2.77 127.0.0.1 {closed}").differs(
            "theirs goes on without the address that was asked for",
            &[
                (
                    "stderr libnsock mksock_bind_addr(): Bind to \
                        192.0.2.77:0 failed (IOD #1): Cannot assign requested \
                        address (99)",
                    "stderr Ncat: bind to 192.0.2.77:0: Cannot assign \
                        requested address.",
                ),
                ("stderr Ncat: Connection refused.", ""),
            ],
        ),
        ncat("-s that is no address", "-s nowhere 127.0.0.1 {closed}"),
        ncat("-p that is no port", "-p x 127.0.0.1 {closed}"),
        ncat(
            "-l at an address that is not ours",
            "-l 192.0.2.77 {listen}",
        ),
        ncat("-l at a port that is in use", "-l 127.0.0.1 {port}").to(Over::Tcp),
        ncat("-l and three words", "-l 127.0.0.1 1 2"),
        ncat(
            "--ssl-verify with a file that is not there",
            "--ssl --ssl-verify --ssl-trustfile {dir}/none 127.0.0.1 {closed}",
        )
        .differs(
            "the second line is OpenSSL's",
            &[
                (
                    "stderr Ncat: Could not load trusted certificates from \
                        {dir}/none.",
                    "stderr Ncat: Could not load trusted certificates from \
                        {dir}/none: No such file or directory. QUITTING.",
                ),
                (
                    "stderr error:80000002:system library::No such file or \
                        directory QUITTING.",
                    "",
                ),
            ],
        ),
        ncat(
            "--ssl-cert without --ssl-key",
            "-l --ssl --ssl-cert {dir}/none {listen}",
        ),
        ncat(
            "--allowfile that is not there",
            "-l --allowfile {dir}/none {listen}",
        ),
        ncat("--output into a folder", "-o {dir} 127.0.0.1 {closed}").differs(
            "it is told what cannot be opened",
            &[(
                "stderr open: Is a directory",
                "stderr Ncat: can't open {dir}: Is a directory. QUITTING.",
            )],
        ),
    ]
}

fn ends() -> Vec<Case> {
    vec![
        ncat("refused", "127.0.0.1 {closed}"),
        ncat("refused, -v", "-v 127.0.0.1 {closed}"),
        ncat("refused, by name", "-4 localhost {closed}"),
        ncat("-v", "-v 127.0.0.1 {port}")
            .to(Over::Tcp)
            .input(Pipe)
            .steps(&[
                Accept,
                Type(b"12345"),
                Hears(b"12345"),
                Send(b"123"),
                Shows(b"123"),
                EndInput,
                HearsEnd,
                Close,
                Leaves,
            ]),
        ncat("-6v", "-6v ::1 {port}")
            .to(Over::Tcp6)
            .steps(&[Accept, HearsEnd, Close, Leaves])
            .differs(
                "where the port begins can be seen; so later ones",
                &[(
                    "stderr Ncat: Connected to ::1:{port}.",
                    "stderr Ncat: Connected to [::1]:{port}.",
                )],
            ),
        ncat("input's end is told to the peer", "127.0.0.1 {port}")
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
        ncat("--no-shutdown", "--no-shutdown 127.0.0.1 {port}")
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
        ncat("the peer closes, input is a pipe", "127.0.0.1 {port}")
            .to(Over::Tcp)
            .input(Pipe)
            .steps(&[Accept, Send(b"bye"), Close, Shows(b"bye"), Leaves]),
        ncat("the peer half-closes, input goes on", "127.0.0.1 {port}")
            .to(Over::Tcp)
            .input(Pipe)
            .steps(&[
                Accept,
                Send(b"bye"),
                HalfClose,
                Shows(b"bye"),
                Type(b"rest"),
                HearsEnd,
                Leaves,
            ]),
        ncat("the peer closes, input is over", "127.0.0.1 {port}")
            .to(Over::Tcp)
            .steps(&[Accept, Send(b"bye"), Close, Shows(b"bye"), Leaves]),
        ncat("the peer resets", "127.0.0.1 {port}")
            .to(Over::Tcp)
            .input(Pipe)
            .steps(&[
                Accept,
                Send(b"half a wo"),
                Shows(b"half a wo"),
                Reset,
                Leaves,
            ]),
        ncat("the peer resets, -v", "-v 127.0.0.1 {port}")
            .to(Over::Tcp)
            .input(Pipe)
            .steps(&[Accept, Send(b"x"), Shows(b"x"), Reset, Leaves]),
        ncat("a terminal, the peer closes", "127.0.0.1 {port}")
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
        ncat("--send-only", "--send-only 127.0.0.1 {port}")
            .to(Over::Tcp)
            .input(Pipe)
            .steps(&[
                Accept,
                Send(b"unheard"),
                Type(b"sent"),
                EndInput,
                HearsEnd,
                Leaves,
            ]),
        ncat(
            "--send-only, the peer closes",
            "--send-only 127.0.0.1 {port}",
        )
        .to(Over::Tcp)
        .input(Pipe)
        .steps(&[Accept, Close, Leaves]),
        ncat("--recv-only", "--recv-only 127.0.0.1 {port}")
            .to(Over::Tcp)
            .input(File("unsent"))
            .steps(&[
                Accept,
                Send(b"heard"),
                HalfClose,
                HearsEnd,
                Shows(b"heard"),
                Leaves,
            ]),
        ncat("-i 1", "-i 1 127.0.0.1 {port}")
            .to(Over::Tcp)
            .input(Pipe)
            .steps(&[Accept, Send(b"x"), Shows(b"x"), LeavesAfter]),
        ncat(
            "--idle-timeout 1000ms",
            "--idle-timeout 1000ms 127.0.0.1 {port}",
        )
        .to(Over::Tcp)
        .input(Pipe)
        .steps(&[Accept, LeavesAfter]),
        ncat("-i 1, from the last octet on", "-i 1s 127.0.0.1 {port}")
            .to(Over::Tcp)
            .input(Pipe)
            .steps(&[
                Accept,
                Stays,
                Send(b"x"),
                Shows(b"x"),
                Stays,
                Type(b"y"),
                LeavesAfter,
            ]),
        ncat("-w 1, nobody takes the call", "-w 1 127.0.0.1 {port}")
            .deaf()
            .steps(&[LeavesAfter]),
        ncat("-w 1 -v, nobody takes the call", "-v -w 1 127.0.0.1 {port}")
            .deaf()
            .steps(&[LeavesAfter]),
        ncat("-w 1 ends with the connection", "-w 1 127.0.0.1 {port}")
            .to(Over::Tcp)
            .input(Pipe)
            .steps(&[Accept, Stays, Stays, Stays, Close, Leaves]),
        ncat("-z, open", "-z 127.0.0.1 {port}")
            .to(Over::Tcp)
            .steps(&[Accept, HearsEnd, Leaves]),
        ncat("-zv, open", "-zv 127.0.0.1 {port}").to(Over::Tcp),
        ncat("-z, closed", "-z 127.0.0.1 {closed}"),
        ncat("-zv, closed", "-zv 127.0.0.1 {closed}"),
        ncat("-zu, open", "-zu -w 1 127.0.0.1 {port}")
            .to(Over::Udp)
            .steps(&[Leaves]),
        ncat("-zuv, open", "-zuv -w 1 127.0.0.1 {port}")
            .to(Over::Udp)
            .steps(&[Says("Connected"), Leaves]),
        ncat("-zu, closed", "-zu -w 1 127.0.0.1 {closed}"),
        ncat("-q 1", "-q 1 127.0.0.1 {port}")
            .to(Over::Tcp)
            .input(Pipe)
            .steps(&[Accept, EndInput, HearsEnd, LeavesAfter])
            .differs(
                "ncat has had it since 7.96",
                &[
                    ("is not called, nothing", "is called"),
                    ("has nobody to talk to, nothing", "hears \"\", then the end"),
                    ("leaves at once: 2", "leaves after 1 s: 0"),
                    ("stderr ncat: invalid option -- 'q'", ""),
                    (
                        "stderr Ncat: Try `--help' or man(1) ncat for more \
                            information, usage options and help. QUITTING.",
                        "",
                    ),
                ],
            ),
        ncat("SIGTERM", "127.0.0.1 {port}")
            .to(Over::Tcp)
            .input(Pipe)
            .steps(&[Accept, Terminate, HearsEnd, Leaves]),
    ]
}

fn input_and_output() -> Vec<Case> {
    vec![
        ncat("input is closed", "127.0.0.1 {port}")
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
                &[(
                    "*",
                    "is called\nhears \"\", then the end\nshows \
                        \"answer\"\nleaves: 0\nstdout \"answer\"",
                )],
            )
            .unsteady("it leaves or not"),
        ncat("input is /dev/null", "127.0.0.1 {port}")
            .to(Over::Tcp)
            .steps(&[
                Accept,
                HearsEnd,
                Send(b"answer"),
                Close,
                Shows(b"answer"),
                Leaves,
            ]),
        ncat("input is a file", "127.0.0.1 {port}")
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
        ncat("output is closed", "127.0.0.1 {port}")
            .to(Over::Tcp)
            .input(Pipe)
            .output(Output::Closed)
            .steps(&[
                Accept,
                Type(b"upload"),
                EndInput,
                HearsEnd,
                Send(b"nobody wants this"),
                Close,
                Leaves,
            ])
            .differs(
                "no output is wanted, and nothing went wrong",
                &[
                    ("leaves: 2", "leaves: 0"),
                    ("stderr write: Broken pipe", ""),
                ],
            ),
        ncat("output has no reader", "127.0.0.1 {port}")
            .to(Over::Tcp)
            .input(Pipe)
            .output(Output::Unread)
            .steps(&[Accept, Send(b"unheard"), Leaves])
            .differs(
                "a reader who has gone wants no message",
                &[
                    ("leaves: 2", "leaves: 1"),
                    ("stderr write: Broken pipe", ""),
                ],
            ),
        ncat("the disk of output is full", "127.0.0.1 {port}")
            .to(Over::Tcp)
            .input(Pipe)
            .output(Output::Full)
            .steps(&[Accept, Send(b"lost"), Leaves])
            .differs(
                "it is told who says so",
                &[(
                    "stderr write: No space left on device",
                    "stderr Ncat: write: No space left on device. QUITTING.",
                )],
            ),
        ncat("much to a peer that reads late", "127.0.0.1 {port}")
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
        ncat("much from a peer that closes then", "127.0.0.1 {port}")
            .to(Over::Tcp)
            .steps(&[
                Accept,
                SendMuch(3_000_000),
                Close,
                ShowsMuch(3_000_000),
                Leaves,
            ]),
        ncat("-C", "-C 127.0.0.1 {port}")
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
        ncat("--crlf, a CRLF in two pieces", "--crlf 127.0.0.1 {port}")
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
            ]),
        ncat("--delay 1000ms", "--delay 1000ms 127.0.0.1 {port}")
            .to(Over::Tcp)
            .input(Pipe)
            .steps(&[
                Accept,
                Type(b"one\n"),
                HearsAfter(b"one\n"),
                Close,
                EndInput,
                Leaves,
            ]),
        ncat("-d 1", "-d 1 127.0.0.1 {port}")
            .to(Over::Tcp)
            .input(Pipe)
            .steps(&[
                Accept,
                Type(b"one\n"),
                HearsAfter(b"one\n"),
                Type(b"two\n"),
                HearsAfter(b"two\n"),
                Close,
                Leaves,
            ]),
        ncat("-t, nothing to negotiate", "-t 127.0.0.1 {port}")
            .to(Over::Tcp)
            .input(Pipe)
            .steps(&[
                Accept,
                Send(b"login: "),
                Shows(b"login: "),
                Type(b"me\n"),
                Hears(b"me\n"),
                EndInput,
                HearsEnd,
                Close,
                Leaves,
            ]),
        ncat("--telnet", "--telnet 127.0.0.1 {port}")
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
                Leaves,
            ])
            .differs(
                "commands are no text; and who answers an answer \
                    (DONT, WONT) may never come to an end",
                &[
                    (
                        "hears \"\\xff\\xfc\\x18\\xff\\xfe\\x01\\xff\\xfc\
                            \\x03\\xff\\xfe\\x05\"",
                        "hears \"\\xff\\xfc\\x18\\xff\\xfe\\x01\", then nothing",
                    ),
                    (
                        "shows \"\\xff\\xfd\\x18\\xff\\xfb\\x01\\xff\\xfe\
                            \\x03\\xff\\xfc\\x05login: \"",
                        "shows \"login: \", then nothing",
                    ),
                    (
                        "stdout \"\\xff\\xfd\\x18\\xff\\xfb\\x01\\xff\\xfe\
                            \\x03\\xff\\xfc\\x05login: \"",
                        "stdout \"login: \"",
                    ),
                ],
            ),
    ]
}
