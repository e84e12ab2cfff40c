//! Nmap's ncat as it listens: to one, to many, to whom it is allowed, with a program behind it.

use super::Dialect::Ncat;
use super::Input::{File, Pipe};
use super::Step::{
    Accept, As, Call, Close, EndInput, HalfClose, Hears, HearsEnd, Leaves, LeavesAfter, Reads,
    Reset, SaysPort, Send, Shows, Stays, Type,
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
    [listening(), many_at_once(), who_may_call(), children()].concat()
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
        ncat("--broker --send-only", "-l --broker --send-only {listen}")
            .from(Over::Tcp)
            .input(Pipe)
            .steps(&[
                Call,
                Call,
                Type(b"from the broker\n"),
                As(0),
                Hears(b"from the broker\n"),
                As(1),
                Hears(b"from the broker\n"),
                Send(b"from two\n"),
                As(0),
                Hears(b"from two\n"),
                Stays,
            ]),
        ncat("--broker --recv-only", "-l --broker --recv-only {listen}")
            .from(Over::Tcp)
            .input(Pipe)
            .steps(&[
                Call,
                Call,
                Type(b"from the broker\n"),
                Send(b"from two\n"),
                As(0),
                Hears(b"from two\n"),
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
            .steps(&[Call, HearsEnd, Leaves])
            .differs(
                "it is told which program, and the exit code tells too",
                &[
                    ("leaves: 0", "leaves: 2"),
                    (
                        "stderr exec: No such file or directory",
                        "stderr Ncat: cannot run {dir}/none: No such file or \
                            directory. QUITTING.",
                    ),
                ],
            ),
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
        .steps(&[Call, HearsEnd, Leaves])
        .differs(
            "a program does not inherit the connection, which what \
                it leaves running would keep open",
            &[(
                "hears \"1\\n\", then the end",
                "hears \"0\\n\", then the end",
            )],
        ),
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
        sh(
            "-e, SIGCHLD ignored by whoever started it",
            "trap '' CHLD; exec ncat -l -e /bin/cat {listen}",
        )
        .from(Over::Tcp)
        .steps(&[
            Call,
            Send(b"x"),
            Hears(b"x"),
            HalfClose,
            HearsEnd,
            Close,
            Leaves,
        ]),
        sh(
            "-k -m 1 -e, SIGCHLD ignored by whoever started it",
            "trap '' CHLD; exec ncat -lk -m 1 -e /bin/cat {listen}",
        )
        .from(Over::Tcp)
        .steps(&[
            Call,
            Send(b"x"),
            Hears(b"x"),
            HalfClose,
            HearsEnd,
            Close,
            Stays,
            Call,
            Send(b"y"),
            Hears(b"y"),
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
            .steps(&[Call, Send(b"datagram\n"), Hears(b"got datagram\n")])
            .unsteady(
                "on a busy machine the datagram comes before it listens, \
                    which nobody can tell over UDP",
            ),
    ]
}
