//! Nmap's ncat, in the order of its `--help`; TLS is in `netcat_peers.rs`.

use super::Dialect::Ncat;
use super::Input::{Closed, File, Pipe, Terminal};
use super::Step::{
    Accept, As, Call, Close, EndInput, HalfClose, Hears, HearsAfter, HearsEnd, HearsMuch, Leaves,
    LeavesAfter, Reads, Reset, Says, SaysPort, Send, SendMuch, Shows, ShowsMuch, Stays, Type,
    TypeMuch,
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
    [
        command_line(),
        ends(),
        input_and_output(),
        listening(),
        many_at_once(),
        who_may_call(),
        children(),
        datagrams_and_unix(),
        dumps(),
        socket_options(),
        proxies(),
        proxy_servers(),
    ]
    .concat()
}

fn command_line() -> Vec<Case> {
    vec![
        ncat("no words", ""),
        ncat("an unknown option", "--frob 127.0.0.1 1"),
        ncat("an unknown letter", "-Q 127.0.0.1 1"),
        ncat("a letter without its value", "127.0.0.1 1 -w"),
        sh("--version", "ncat --version 2>&1 | cut -d' ' -f1,2"),
        sh("--help begins", "ncat --help | sed -n 2p"),
        sh("-h is on stdout", "ncat -h 2>/dev/null | sed -n 3,5p").differs("the words of the help are our own",&[("stdout \"\\nOptions taking a time assume seconds. Append \\'ms\\' for milliseconds,\\n\\'s\\' for seconds, \\'m\\' for minutes, or \\'h\\' for hours (e.g. 500ms).\\n\"","stdout \"\\nA TIME is in seconds, or with a unit: 500ms, 2s, 1m, 1h.\\n  -l, --listen               Wait for a caller instead of calling\\n\"")]),
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
        ncat("-m with letters", "-l -k -m x {listen}").differs("theirs takes letters for no bound at all",&[("stays","leaves: 2\nstderr Ncat: --max-conns x: a number of callers is wanted. QUITTING.")]),
        ncat(
            "-l with --send-only and --recv-only",
            "--send-only --recv-only 127.0.0.1 {closed}",
        ).differs("nothing is left to do",&[("leaves: 1","leaves: 2"),("stderr Ncat: Connection refused.","stderr Ncat: Invalid option combination: --send-only and --recv-only. QUITTING.")]),
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
        ).differs("theirs calls by TCP then, and -u is lost",&[("leaves: 1","leaves: 2"),("stderr Ncat: Proxy connection failed: Connection refused.","stderr Ncat: Proxy option not supported when using UDP or DCCP. QUITTING.")]),
        ncat(
            "--proxy-dns unknown",
            "--proxy 127.0.0.1:{closed} --proxy-dns x 127.0.0.1 1",
        ),
        ncat(
            "--proxy-auth without --proxy",
            "--proxy-auth a:b 127.0.0.1 {closed}",
        ),
        ncat("-U with -u and a port", "-U {dir}/socket 1").differs("a UNIX socket has no port; later ones say so",&[("leaves: 1","leaves: 2"),("stderr Ncat: No such file or directory.","stderr Ncat: Using Unix domain sockets and specifying port doesn't make sense. QUITTING.")]),
        ncat(
            "--append-output without -o",
            "--append-output 127.0.0.1 {closed}",
        ),
        ncat(
            "-g too many hops",
            "-g 1,2,3,4,5,6,7,8,9 127.0.0.1 {closed}",
        ),
        ncat("-G that is none", "-G 3 127.0.0.1 {closed}"),
        ncat("-s that is not ours", "-s 192.0.2.77 127.0.0.1 {closed}").differs("theirs goes on without the address that was asked for",&[("stderr libnsock mksock_bind_addr(): Bind to 192.0.2.77:0 failed (IOD #1): Cannot assign requested address (99)","stderr Ncat: bind to 192.0.2.77:0: Cannot assign requested address."),("stderr Ncat: Connection refused.","")]),
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
        ).differs("the second line is OpenSSL's",&[("stderr Ncat: Could not load trusted certificates from {dir}/none.","stderr Ncat: Could not load trusted certificates from {dir}/none: No such file or directory. QUITTING."),("stderr error:80000002:system library::No such file or directory QUITTING.","")]),
        ncat(
            "--ssl-cert without --ssl-key",
            "-l --ssl --ssl-cert {dir}/none {listen}",
        ),
        ncat(
            "--allowfile that is not there",
            "-l --allowfile {dir}/none {listen}",
        ),
        ncat("--output into a folder", "-o {dir} 127.0.0.1 {closed}").differs("it is told what cannot be opened",&[("stderr open: Is a directory","stderr Ncat: can't open {dir}: Is a directory. QUITTING.")]),
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
            .steps(&[Accept, HearsEnd, Close, Leaves]).differs("where the port begins can be seen; so later ones",&[("stderr Ncat: Connected to ::1:{port}.","stderr Ncat: Connected to [::1]:{port}.")]),
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
        ncat("--idle-timeout 800ms", "--idle-timeout 800ms 127.0.0.1 {port}")
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
            .steps(&[LeavesAfter]),
        ncat("-zuv, open", "-zuv -w 1 127.0.0.1 {port}")
            .to(Over::Udp)
            .steps(&[Says("Connected"), LeavesAfter]),
        ncat("-zu, closed", "-zu -w 1 127.0.0.1 {closed}"),
        ncat("-q 1", "-q 1 127.0.0.1 {port}")
            .to(Over::Tcp)
            .input(Pipe)
            .steps(&[Accept, EndInput, HearsEnd, LeavesAfter])
            .differs(
                "ncat has had it since 7.96",
                &[("is not called, nothing", "is called"), ("has nobody to talk to, nothing", "hears \"\", then the end"), ("leaves at once: 2", "leaves after 1 s: 0"), ("stderr ncat: invalid option -- 'q'", ""), ("stderr Ncat: Try `--help' or man(1) ncat for more information, usage options and help. QUITTING.", "")],
            ),
        ncat("SIGTERM", "127.0.0.1 {port}")
            .to(Over::Tcp)
            .input(Pipe)
            .steps(&[Accept, super::Step::Terminate, HearsEnd, Leaves]),
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
                    "is called\nhears \"\", then the end\nshows \"answer\"\nleaves: 0\nstdout \"answer\"",
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
            ]).differs("no output is wanted, and nothing went wrong",&[("leaves: 2","leaves: 0"),("stderr write: Broken pipe","")]),
        ncat("output has no reader", "127.0.0.1 {port}")
            .to(Over::Tcp)
            .input(Pipe)
            .output(Output::Unread)
            .steps(&[Accept, Send(b"unheard"), Leaves]).differs("a reader who has gone wants no message",&[("leaves: 2","leaves: 1"),("stderr write: Broken pipe","")]),
        ncat("the disk of output is full", "127.0.0.1 {port}")
            .to(Over::Tcp)
            .input(Pipe)
            .output(Output::Full)
            .steps(&[Accept, Send(b"lost"), Leaves]).differs("it is told who says so",&[("stderr write: No space left on device","stderr Ncat: write: No space left on device. QUITTING.")]),
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
        ncat("--delay 800ms", "--delay 800ms 127.0.0.1 {port}")
            .to(Over::Tcp)
            .input(Pipe)
            .steps(&[Accept, Type(b"one\n"), HearsAfter(b"one\n"), Close, EndInput, Leaves]),
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
            ]).differs("commands are no text; and who answers an answer (DONT, WONT) may never come to an end",&[("hears \"\\xff\\xfc\\x18\\xff\\xfe\\x01\\xff\\xfc\\x03\\xff\\xfe\\x05\"","hears \"\\xff\\xfc\\x18\\xff\\xfe\\x01\", then nothing"),("shows \"\\xff\\xfd\\x18\\xff\\xfb\\x01\\xff\\xfe\\x03\\xff\\xfc\\x05login: \"","shows \"login: \", then nothing"),("stdout \"\\xff\\xfd\\x18\\xff\\xfb\\x01\\xff\\xfe\\x03\\xff\\xfc\\x05login: \"","stdout \"login: \"")]),
    ]
}

fn listening() -> Vec<Case> {
    let once = &[Call, Send(b"hello"), Shows(b"hello"), Close, Leaves];
    vec![
        ncat("-l PORT", "-l {listen}").from(Over::Tcp).steps(once),
        ncat("--listen -p PORT", "--listen -p {listen}")
            .from(Over::Tcp)
            .steps(once),
        ncat("-l HOST PORT", "-l 127.0.0.1 {listen}")
            .from(Over::Tcp)
            .steps(once),
        ncat("-lv", "-lv {listen}")
            .from(Over::Tcp)
            .steps(once)
            .differs(
                "where the port begins can be seen; so later ones",
                &[(
                    "stderr Ncat: Listening on :::{listen}",
                    "stderr Ncat: Listening on [::]:{listen}",
                )],
            ),
        ncat("-lv HOST", "-lv 127.0.0.1 {listen}")
            .from(Over::Tcp)
            .steps(once),
        ncat("-lvn", "-lvn {listen}")
            .from(Over::Tcp)
            .steps(once)
            .differs(
                "where the port begins can be seen; so later ones",
                &[(
                    "stderr Ncat: Listening on :::{listen}",
                    "stderr Ncat: Listening on [::]:{listen}",
                )],
            ),
        ncat("-lv4", "-4lv {listen}").from(Over::Tcp).steps(once),
        ncat("-lv6", "-6lv ::1 {listen}")
            .from(Over::Tcp6)
            .steps(once)
            .differs(
                "where the port begins can be seen; so later ones",
                &[
                    (
                        "stderr Ncat: Listening on ::1:{listen}",
                        "stderr Ncat: Listening on [::1]:{listen}",
                    ),
                    (
                        "stderr Ncat: Connection from ::1:{caller}.",
                        "stderr Ncat: Connection from [::1]:{caller}.",
                    ),
                ],
            ),
        ncat("-lv 0", "-lv 127.0.0.1 0")
            .from(Over::Tcp)
            .steps(&[SaysPort, Call, Send(b"x"), Shows(b"x"), Close, Leaves])
            .differs(
                "the real port is told",
                &[(
                    "*",
                    "says a port\nis answered\nshows \"x\"\nleaves: 0\nstdout \"x\"\n\
                     stderr Ncat: Version {version}\n\
                     stderr Ncat: Listening on 127.0.0.1:{listen}\n\
                     stderr Ncat: Connection from 127.0.0.1.\n\
                     stderr Ncat: Connection from 127.0.0.1:{caller}.",
                )],
            ),
        ncat("-l, input over, the caller stays", "-l {listen}")
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
        ncat("-l, a caller that closes, input a pipe", "-l {listen}")
            .from(Over::Tcp)
            .input(Pipe)
            .steps(&[Call, Type(b"hi"), Hears(b"hi"), Close, Leaves]),
        ncat("-l, a caller that half-closes, input a pipe", "-l {listen}")
            .from(Over::Tcp)
            .input(Pipe)
            .steps(&[Call, Type(b"hi"), Hears(b"hi"), HalfClose, HearsEnd, Leaves]),
        ncat("-l, a caller that half-closes, input a file", "-l {listen}")
            .from(Over::Tcp)
            .input(File("all of it"))
            .steps(&[Call, HalfClose, HearsEnd, Leaves]),
        ncat("-l, a caller that resets", "-l {listen}")
            .from(Over::Tcp)
            .input(Pipe)
            .steps(&[Call, Send(b"x"), Shows(b"x"), Reset, Leaves]),
        ncat("-l, who comes second is refused", "-l {listen}")
            .from(Over::Tcp)
            .input(Pipe)
            .steps(&[
                Call,
                Send(b"one"),
                Shows(b"one"),
                Call,
                As(0),
                Close,
                Leaves,
            ]),
        ncat("-l --send-only", "-l --send-only {listen}")
            .from(Over::Tcp)
            .input(File("all of it"))
            .steps(&[Call, HearsEnd, Leaves]),
        ncat("-l --recv-only", "-l --recv-only {listen}")
            .from(Over::Tcp)
            .input(File("unsent"))
            .steps(&[
                Call,
                Send(b"heard"),
                Shows(b"heard"),
                HalfClose,
                HearsEnd,
                Leaves,
            ]),
        ncat("-l -i 1 waits for a caller", "-l -i 1 {listen}")
            .from(Over::Tcp)
            .input(Pipe)
            .steps(&[Stays, Stays, Stays, Call, LeavesAfter]),
        ncat("-l -C", "-l -C {listen}")
            .from(Over::Tcp)
            .input(Pipe)
            .steps(&[Call, Type(b"a\nb\r\n"), EndInput, HearsEnd, Close, Leaves]),
        ncat("-l --no-shutdown", "-l --no-shutdown {listen}")
            .from(Over::Tcp)
            .input(Pipe)
            .steps(&[
                Call,
                Type(b"a"),
                EndInput,
                Hears(b"a"),
                HearsEnd,
                Close,
                Leaves,
            ]),
        ncat("-lvk, one leaves", "-lvk 127.0.0.1 {listen}")
            .from(Over::Tcp)
            .input(Pipe)
            .steps(&[
                Call,
                Send(b"one"),
                Shows(b"one"),
                Close,
                Call,
                Send(b"two"),
                Shows(b"two"),
                Close,
                Stays,
            ]),
        sh("a file is received", "ncat -l {listen} >letter")
            .from(Over::Tcp)
            .steps(&[Call, Send(b"Dear Alice,\n"), Close, Leaves, Reads("letter")]),
        sh(
            "a file is served to each",
            "ncat -lk --send-only -c 'cat letter' {listen}",
        )
        .file("letter", "Dear Carol,\n")
        .from(Over::Tcp)
        .steps(&[Call, HearsEnd, Close, Call, HearsEnd, Close, Stays]),
    ]
}

fn many_at_once() -> Vec<Case> {
    let three = [
        Call,
        Send(b"a"),
        Shows(b"a"),
        Call,
        Send(b"b"),
        Shows(b"b"),
        Call,
    ];
    vec![
        ncat("-k, to all", "-lk {listen}")
            .from(Over::Tcp)
            .input(Pipe)
            .steps(&three)
            .steps(&[
                Send(b"c"),
                Shows(b"c"),
                Type(b"to all\n"),
                Hears(b"to all\n"),
                As(0),
                Hears(b"to all\n"),
                As(1),
                Hears(b"to all\n"),
                Close,
                As(2),
                Close,
                As(0),
                Send(b"still"),
                Shows(b"still"),
                EndInput,
                HearsEnd,
                Stays,
            ]),
        ncat("-k -m 2", "-lk -m 2 {listen}")
            .from(Over::Tcp)
            .input(Pipe)
            .steps(&three)
            .steps(&[
                HearsEnd,
                As(0),
                Close,
                Stays,
                Call,
                Send(b"d"),
                Shows(b"d"),
                Stays,
            ]),
        ncat(
            "-kv --max-conns 1",
            "-lv --keep-open --max-conns 1 127.0.0.1 {listen}",
        )
        .from(Over::Tcp)
        .input(Pipe)
        .steps(&[Call, Send(b"a"), Shows(b"a"), Call, HearsEnd, Stays]),
        ncat("--broker", "-l --broker {listen}")
            .from(Over::Tcp)
            .input(Pipe)
            .steps(&[
                Call,
                Send(b"alone\n"),
                Stays,
                Call,
                Send(b"from two\n"),
                As(0),
                Hears(b"from two\n"),
                Send(b"from one\n"),
                As(1),
                Hears(b"from one\n"),
                Type(b"from the broker\n"),
                HearsEnd,
                Stays,
                Close,
                As(0),
                Send(b"x"),
                HalfClose,
                HearsEnd,
                Stays,
            ]),
        ncat("--chat", "-l --chat {listen}")
            .from(Over::Tcp)
            .input(Pipe)
            .steps(&[
                Call,
                HearsEnd,
                Call,
                HearsEnd,
                Send(b"hello\n"),
                As(0),
                HearsEnd,
                As(1),
                Close,
                As(0),
                HearsEnd,
                Stays,
            ]),
        ncat("--chat -v", "-lv --chat 127.0.0.1 {listen}")
            .from(Over::Tcp)
            .input(Pipe)
            .steps(&[
                Call,
                Hears(b"<announce> 127.0.0.1 is connected as <user"),
                Close,
                Stays,
                Call,
                Hears(b"<announce> 127.0.0.1 is connected as <user"),
                Close,
                Stays,
            ]),
    ]
}

fn who_may_call() -> Vec<Case> {
    let calls = &[Call, HearsEnd, Close, Stays];
    let is_taken = &[Call, Send(b"x"), Shows(b"x"), Close, Leaves];
    vec![
        ncat("--allow me", "-l --allow 127.0.0.1 {listen}")
            .from(Over::Tcp)
            .steps(is_taken),
        ncat("--allow a network", "-l --allow 127.0.0.0/8 {listen}")
            .from(Over::Tcp)
            .steps(is_taken),
        ncat("--allow a range", "-l --allow 127.0.0.0-3 {listen}")
            .from(Over::Tcp)
            .steps(is_taken),
        ncat("--allow another", "-l --allow 192.0.2.1 {listen}")
            .from(Over::Tcp)
            .steps(calls),
        ncat(
            "--allow another, -v",
            "-lv --allow 192.0.2.1 127.0.0.1 {listen}",
        )
        .from(Over::Tcp)
        .steps(calls),
        ncat("--deny me", "-l --deny 127.0.0.1 {listen}")
            .from(Over::Tcp)
            .steps(calls),
        ncat("--deny me, -v", "-lv --deny localhost 127.0.0.1 {listen}")
            .from(Over::Tcp)
            .steps(calls),
        ncat("--deny another", "-l --deny 192.0.2.0/24 {listen}")
            .from(Over::Tcp)
            .steps(is_taken),
        ncat(
            "--allow and --deny",
            "-l --allow 127.0.0.0/8 --deny 127.0.0.1 {listen}",
        )
        .from(Over::Tcp)
        .steps(calls),
        ncat("--allow a list", "-l --allow 192.0.2.1,127.0.0.1 {listen}")
            .from(Over::Tcp)
            .steps(is_taken),
        ncat("--allow nonsense", "-l --allow 127.0.0.0/99 {listen}")
            .from(Over::Tcp)
            .steps(&[Leaves]),
        ncat("--allowfile", "-l --allowfile {dir}/list {listen}")
            .file("list", "192.0.2.1\n127.0.0.1 ::1\n")
            .from(Over::Tcp)
            .steps(is_taken),
        ncat("--denyfile", "-l --denyfile {dir}/list {listen}")
            .file("list", "127.0.0.1\n")
            .from(Over::Tcp)
            .steps(calls),
    ]
}

fn children() -> Vec<Case> {
    let listens = |name, arguments| ncat(name, arguments).from(Over::Tcp);
    vec![
        listens("-e cat", "-l -e /bin/cat {listen}").steps(&[
            Call,
            Send(b"echo\n"),
            Hears(b"echo\n"),
            HalfClose,
            HearsEnd,
            Leaves,
        ]),
        listens(
            "--exec with arguments",
            "--listen --exec /bin/echo~a~b {listen}",
        )
        .steps(&[Call, HearsEnd, Leaves]),
        listens("-e that is not there", "-l -e {dir}/none {listen}")
            .steps(&[Call, HearsEnd, Leaves]).differs("it is told which program, and the exit code tells too",&[("leaves: 0","leaves: 2"),("stderr exec: No such file or directory","stderr Ncat: cannot run {dir}/none: No such file or directory. QUITTING.")]),
        listens("-c", "-l -c echo~$((6*7)) {listen}").steps(&[Call, HearsEnd, Leaves]),
        listens("--sh-exec, exit code", "-l --sh-exec exit~3 {listen}")
            .steps(&[Call, HearsEnd, Leaves]),
        listens(
            "-c, its last words arrive",
            "-l -c head~-c~3000000~/dev/zero|tr~'\\\\0'~x|wc~-c;echo~last {listen}",
        )
        .steps(&[Call, HearsEnd, Leaves]),
        listens("-c, stderr is the netcat's", "-l -c echo~oops~>&2 {listen}")
            .steps(&[Call, HearsEnd, Leaves]),
        listens(
            "-c, its environment",
            "-l -c env|grep~NCAT_|sort 127.0.0.1 {listen}",
        )
        .steps(&[Call, HearsEnd, Leaves]),
        listens(
            "-c, its sockets",
            "-l -c ls~-l~/proc/self/fd|grep~-c~socket {listen}",
        )
        .steps(&[Call, HearsEnd, Leaves]).differs("a program does not inherit the connection, which what it leaves running would keep open",&[("hears \"1\\n\", then the end","hears \"0\\n\", then the end")]),
        listens(
            "-c, a child that outlives its shell",
            "-l -c (sleep~1)&~echo~done {listen}",
        )
        .steps(&[Call, Hears(b"done\n"), HearsEnd, Leaves]),
        listens(
            "-c, it closes its output and stays",
            "-l -c exec~>&-;sleep~1 {listen}",
        )
        .steps(&[Call, HearsEnd, Leaves]),
        listens(
            "-c, the caller closes",
            "-l -c cat;sleep~0.3;echo~over~>done {listen}",
        )
        .steps(&[Call, Send(b"x"), Hears(b"x"), Close, Leaves]),
        listens("-k -c, two at once", "-lk -c read~x;echo~$x {listen}").steps(&[
            Call,
            Call,
            Send(b"two\n"),
            HearsEnd,
            As(0),
            Send(b"one\n"),
            HearsEnd,
            Stays,
        ]),
        listens("-lv -c", "-lv -c true 127.0.0.1 {listen}").steps(&[Call, HearsEnd, Leaves]),
        ncat("-c, calling", "-c echo~hello;cat 127.0.0.1 {port}")
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
        ncat(
            "-c, calling, its environment",
            "-c env|grep~NCAT_|sort 127.0.0.1 {port}",
        )
        .to(Over::Tcp)
        .steps(&[Accept, HearsEnd, Leaves]),
        ncat("-e, calling, exit code", "-e /bin/false 127.0.0.1 {port}")
            .to(Over::Tcp)
            .steps(&[Accept, HearsEnd, Leaves]),
        ncat("-u -c", "-lu -c read~x;echo~got~$x {listen}")
            .from(Over::Udp)
            .steps(&[Call, Send(b"datagram\n"), Hears(b"got datagram\n")]),
    ]
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
            .steps(&[Call, Send(b"hello"), Shows(b"hello")]).differs("the port is told, as of other callers",&[("stderr Ncat: Connection from 127.0.0.1.","stderr Ncat: Connection from 127.0.0.1.\nstderr Ncat: Connection from 127.0.0.1:{caller}.")]),
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
        ncat("-lUv", "-lUv {dir}/socket").from(Over::Unix).steps(&[
            Call,
            Send(b"x"),
            Close,
            Leaves,
        ]).differs("who calls there has no address",&[("stderr Ncat: Connection from .","")]),
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
        through("--proxy is HTTP", "--proxy 127.0.0.1:{port} mail.example 25")
            .steps(&[
                Accept,
                Hears(b"CONNECT mail.example:25 HTTP/1.0\r\n\r\n"),
                Send(b"HTTP/1.0 200 OK\r\nVia: x\r\n\r\nglued"),
            ])
            .steps(last),
        through("--proxy-type http, IPv6", "--proxy-type http --proxy 127.0.0.1:{port} 2001:db8::1 25").steps(&[
            Accept,
            Hears(b"CONNECT [2001:db8::1]:25 HTTP/1.0\r\n\r\n"),
            Close,
            Leaves,
        ]),
        through("--proxy-auth, Basic, not asked for at first", "--proxy-auth me:secret --proxy 127.0.0.1:{port} mail.example 25")
            .steps(&[Accept, HearsEnd, Close, Leaves]),
        through("--proxy-auth, Basic", "--proxy-auth me:secret --proxy 127.0.0.1:{port} mail.example 25").steps(&[
            Accept,
            Hears(b"CONNECT mail.example:25 HTTP/1.0\r\n\r\n"),
            Send(b"HTTP/1.0 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic realm=\"x\"\r\nContent-Length: 0\r\n\r\n"),
            HearsEnd,
            Accept,
            HearsEnd,
            Send(b"HTTP/1.0 200 OK\r\n\r\nglued"),
            Shows(b"glued"),
            Close,
            Leaves,
        ]),
        through("407 without --proxy-auth", "--proxy 127.0.0.1:{port} mail.example 25").steps(&[
            Accept,
            Hears(b"CONNECT mail.example:25 HTTP/1.0\r\n\r\n"),
            Send(b"HTTP/1.0 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic realm=\"x\"\r\n\r\n"),
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
        through("HTTP, the proxy closes", "--proxy 127.0.0.1:{port} mail.example 25").steps(&[
            Accept,
            Hears(b"CONNECT mail.example:25 HTTP/1.0\r\n\r\n"),
            Close,
            Leaves,
        ]),
        through("-v, HTTP", "-v --proxy 127.0.0.1:{port} mail.example 25").steps(&[
            Accept,
            Hears(b"CONNECT mail.example:25 HTTP/1.0\r\n\r\n"),
            Send(b"HTTP/1.0 200 OK\r\n\r\nx"),
            Shows(b"x"),
            EndInput,
            HearsEnd,
            Close,
            Leaves,
        ]).differs("what came with the answer counts",&[("stderr Ncat: 0 bytes sent, 0 bytes received in {time} seconds.","stderr Ncat: 0 bytes sent, 1 bytes received in {time} seconds.")]),
        through("no proxy", "--proxy 127.0.0.1:{closed} mail.example 25"),
        through("socks5, an address", "--proxy-type socks5 --proxy 127.0.0.1:{port} 192.0.2.7 80")
            .steps(&[
                Accept,
                Hears(b"\x05\x01\x00"),
                Send(b"\x05\x00"),
                Hears(b"\x05\x01\x00\x01\xc0\x00\x02\x07\x00\x50"),
                Send(b"\x05\x00\x00\x01\x00\x00\x00\x00\x00\x00glued"),
            ])
            .steps(last),
        through("socks5, a name", "--proxy-type socks5 --proxy 127.0.0.1:{port} mail.example 25").steps(&[
            Accept,
            Hears(b"\x05\x01\x00"),
            Send(b"\x05\x00"),
            Hears(b"\x05\x01\x00\x03\x0cmail.example\x00\x19"),
            Send(b"\x05\x00\x00\x03\x01a\x00\x50x"),
            Shows(b"x"),
            Close,
            Leaves,
        ]),
        through("socks5, a user", "--proxy-auth me:pw --proxy-type socks5 --proxy 127.0.0.1:{port} mail.example 25").steps(&[
            Accept,
            Hears(b"\x05\x02\x00\x02"),
            Send(b"\x05\x02"),
            Hears(b"\x01\x02me\x02pw"),
            Send(b"\x01\x00"),
            Hears(b"\x05\x01\x00\x03\x0cmail.example\x00\x19"),
            Close,
            Leaves,
        ]),
        through("socks5, a user that is refused", "--proxy-auth me:pw --proxy-type socks5 --proxy 127.0.0.1:{port} mail.example 25").steps(&[
            Accept,
            Hears(b"\x05\x02\x00\x02"),
            Send(b"\x05\x02"),
            Hears(b"\x01\x02me\x02pw"),
            Send(b"\x01\x01"),
            HearsEnd,
            Leaves,
        ]),
        through("socks5, refused", "--proxy-type socks5 --proxy 127.0.0.1:{port} 192.0.2.7 80").steps(&[
            Accept,
            Hears(b"\x05\x01\x00"),
            Send(b"\x05\x00"),
            Hears(b"\x05\x01\x00\x01\xc0\x00\x02\x07\x00\x50"),
            Send(b"\x05\x05\x00\x01\x00\x00\x00\x00\x00\x00"),
            HearsEnd,
            Leaves,
        ]),
        through("socks5, no method", "--proxy-type socks5 --proxy 127.0.0.1:{port} 192.0.2.7 80").steps(&[
            Accept,
            Hears(b"\x05\x01\x00"),
            Send(b"\x05\xff"),
            HearsEnd,
            Leaves,
        ]),
        through("socks4, an address", "--proxy-type socks4 --proxy 127.0.0.1:{port} 192.0.2.7 80")
            .steps(&[
                Accept,
                Hears(b"\x04\x01\x00\x50\xc0\x00\x02\x07\x00"),
                Send(b"\x00\x5a\x00\x00\x00\x00\x00\x00glued"),
            ])
            .steps(last),
        through("socks4, a user", "--proxy-auth me --proxy-type socks4 --proxy 127.0.0.1:{port} 192.0.2.7 80").steps(&[
            Accept,
            Hears(b"\x04\x01\x00\x50\xc0\x00\x02\x07me\x00"),
            Send(b"\x00\x5a\x00\x00\x00\x00\x00\x00x"),
            Shows(b"x"),
            Close,
            Leaves,
        ]),
        through("socks4a, a name", "--proxy-type socks4 --proxy 127.0.0.1:{port} mail.example 25").steps(&[
            Accept,
            Hears(b"\x04\x01\x00\x19\x00\x00\x00\x01\x00mail.example\x00"),
            Send(b"\x00\x5a\x00\x00\x00\x00\x00\x00x"),
            Shows(b"x"),
            Close,
            Leaves,
        ]),
        through("socks4, a name that is looked up here", "--proxy-dns local -4 --proxy-type socks4 --proxy 127.0.0.1:{port} localhost 25").steps(&[
            Accept,
            Hears(b"\x04\x01\x00\x19\x7f\x00\x00\x01\x00"),
            Send(b"\x00\x5a\x00\x00\x00\x00\x00\x00x"),
            Shows(b"x"),
            Close,
            Leaves,
        ]),
        through("socks4, refused", "--proxy-type socks4 --proxy 127.0.0.1:{port} 192.0.2.7 80").steps(&[
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
        serves("--proxy-type http -l, CONNECT", "-l --proxy-type http 127.0.0.1 {listen}").steps(&[
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
        ]).differs("it is HTTP/1.1",&[("hears \"HTTP/1.0 200 OK\\r\\n\\r\\n\", then nothing","hears \"HTTP/1.1 200 Connection established\\r\\n\\r\\n\", then nothing")]),
        serves("--proxy-type http -l, GET", "-l --proxy-type http 127.0.0.1 {listen}").steps(&[
            Call,
            Send(b"GET http://127.0.0.1:{port}/x?y HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nProxy-Connection: close\r\n\r\n"),
            Accept,
            HearsEnd,
            Send(b"HTTP/1.0 200 OK\r\n\r\nbody"),
            Close,
            As(0),
            HearsEnd,
            Leaves,
        ]).differs("it is HTTP/1.1, which wants Via (RFC 9110 §7.6.3); the answer goes back as it came",&[("hears \"GET /x?y HTTP/1.0\\r\\nProxy-Connection: close\\r\\nHost: 127.0.0.1:{port}\\r\\nConnection: close\\r\\n\\r\\n\", then nothing","hears \"GET /x?y HTTP/1.1\\r\\nHost: 127.0.0.1:{port}\\r\\nVia: 1.1 mailtool\\r\\nConnection: close\\r\\n\\r\\n\", then nothing"),("hears \"HTTP/1.0 200 OK\\r\\nConnection: close\\r\\n\\r\\nbody\", then the end","hears \"HTTP/1.0 200 OK\\r\\n\\r\\nbody\", then the end")]),
        serves("--proxy-type http -l, nobody there", "-l --proxy-type http 127.0.0.1 {listen}").steps(&[
            Call,
            Send(b"CONNECT 127.0.0.1:{closed} HTTP/1.0\r\n\r\n"),
            HearsEnd,
            Leaves,
        ]).differs("the reason is told; 504 is for who waited in vain",&[("*","is answered\nhears \"HTTP/1.1 502 Bad Gateway\\r\\nContent-Type: text/plain; charset=utf-8\\r\\nContent-Length: 90\\r\\nConnection: close\\r\\n\\r\\nCannot connect to 127.0.0.1:{closed}: connection refused: nobody listens at that port there.\\n\", then the end\nstays")]),
        serves("--proxy-type http -l, nonsense", "-l --proxy-type http 127.0.0.1 {listen}").steps(&[
            Call,
            Send(b"HELO x\r\n\r\n"),
            HearsEnd,
            Leaves,
        ]).differs("the reason is told",&[("hears \"HTTP/1.0 400 Bad Request\\r\\n\\r\\n\", then the end","hears \"HTTP/1.1 400 Bad Request\\r\\nContent-Type: text/plain; charset=utf-8\\r\\nContent-Length: 60\\r\\nConnection: close\\r\\n\\r\\nThat is no request of HTTP/1: its first line is not HTTP/1.\\n\", then the end")]),
        serves("--proxy-auth -l", "-l --proxy-auth me:pw --proxy-type http 127.0.0.1 {listen}").steps(&[
            Call,
            Send(b"CONNECT 127.0.0.1:{port} HTTP/1.0\r\nProxy-Authorization: Basic bWU6cHc=\r\n\r\n"),
            Accept,
            As(0),
            HearsEnd,
            Close,
            As(1),
            HearsEnd,
            Leaves,
        ]).differs("it is HTTP/1.1",&[("hears \"HTTP/1.0 200 OK\\r\\n\\r\\n\", then nothing","hears \"HTTP/1.1 200 Connection established\\r\\n\\r\\n\", then nothing")]),
        serves("--proxy-type socks5 -l", "-l --proxy-type socks5 127.0.0.1 {listen}")
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
            ]).differs(
                "there is one",
                &[(
                    "*",
                    "is answered\nhears \"\\x05\\x00\"\nis called\n\
                     hears \"\\x05\\x00\\x00\\x01\"\nhears \"\", then the end\nstays",
                )],
            ),
    ]
}
