//! Command lines that are odd, or wrong in ways that a hand or a script seldom finds, of all three netcats; and the little that each
//! says or does only then.

use super::Dialect::{Ncat, OpenBsd, Traditional};
use super::Input::Pipe;
use super::Step::{
    Accept, Call, Close, EndInput, Hears, HearsEnd, Leaves, LeavesAfter, Send, Shows, Stays,
    Terminate, Type,
};
use super::{Case, Dialect, Output, Over, case, shell};

/// All of them.
pub fn cases() -> Vec<Case> {
    [
        openbsd(),
        first_wrong(),
        ncat_command_line(),
        ncat_notes(),
        traditional_command_line(),
        traditional_sockets(),
        [OpenBsd, Ncat, Traditional]
            .into_iter()
            .flat_map(unreadable)
            .collect(),
    ]
    .concat()
}

/// Of two options that are wrong the first is told, whatever each is; and so is one that another takes back.
fn first_wrong() -> Vec<Case> {
    let of = |dialect, lines: &[&'static str]| -> Vec<Case> {
        let cases = lines.iter().map(|line| case(dialect, line, line));
        cases.collect()
    };
    [
        of(
            OpenBsd,
            &[
                "-w x -Q 127.0.0.1 1",
                "-Q -w x 127.0.0.1 1",
                "-T x -w y 127.0.0.1 1",
                "-w y -T x 127.0.0.1 1",
                "-w x -w 5 127.0.0.1 {closed}",
                "-w x -h",
                "-X 6 -q",
                "-X 6 -i x 127.0.0.1 1",
                "-i x -X 6 127.0.0.1 1",
                "-m x -M 999 127.0.0.1 1",
                "-M 999 -m x 127.0.0.1 1",
                "-W 0 -I 0 127.0.0.1 1",
                "-I 0 -W 0 127.0.0.1 1",
                "-p y -O x 127.0.0.1 1",
                "-q x -l -z",
                "-w x",
            ],
        ),
        of(
            Ncat,
            &[
                "-w x --foo",
                "--foo -w x",
                "-i x -w y 127.0.0.1 1",
                "-w y -i x 127.0.0.1 1",
                "-p x -w y 127.0.0.1 1",
                "-w y -p x 127.0.0.1 1",
                "-w y --nsock-engine x 127.0.0.1 1",
                "-w x -h",
                "-vw x 127.0.0.1 1",
                "--proxy-dns x -w y 127.0.0.1 1",
                "-w y --proxy-dns x 127.0.0.1 1",
                "-e a -c b -w x 127.0.0.1 1",
                "-w x -e a -c b 127.0.0.1 1",
                "-w x -w 1 127.0.0.1 {closed}",
                "-g 127.0.0.1,127.0.0.x -w x 127.0.0.1 1",
                "-G 3 -w x 127.0.0.1 1",
                "-w x -G 3 127.0.0.1 1",
            ],
        ),
        of(
            Traditional,
            &[
                "-w x -i y 127.0.0.1 1",
                "-i y -w x 127.0.0.1 1",
                "-p x -w y 127.0.0.1 1",
                "-w y -p x 127.0.0.1 1",
                "-w x -Q",
                "-Q -w x",
                "-w x -h",
                "-G 3 -w x 127.0.0.1 1",
                "-w x -w 1 127.0.0.1 {closed}",
            ],
        ),
    ]
    .concat()
}

fn openbsd() -> Vec<Case> {
    let nc = |name, arguments| case(OpenBsd, name, arguments);
    let sh = |name, line| shell(OpenBsd, name, line);
    vec![
        sh("what is behind -h is not looked at", "nc -vhQ -q 2>&1 | sed 1d"),
        nc("what is before -h is", "-Qh"),
        nc("-p negative", "-p -1 127.0.0.1 {closed}"),
        nc("-p with nothing in it", "-p '' 127.0.0.1 {closed}"),
        nc("-p 99999", "-p 99999 127.0.0.1 {closed}").differs(
            "there is no such port",
            &[("", "stderr nc: port number too large: 99999")],
        )
        .unsteady("what it takes it for, 34463, may be in use"),
        nc("-x with port 99999", "-x 127.0.0.1:99999 127.0.0.1 1").differs(
            "there is no such port",
            &[(
                "",
                "stderr nc: getaddrinfo for host \"127.0.0.1\" port 99999: Servname not supported for \
                 ai_socktype",
            )],
        ),
        nc("-x with no port behind its colon", "-vx : 127.0.0.1 1").differs(
            "it is the usual port, and told so",
            &[(
                "stderr nc: getaddrinfo for host \"\" port : Name or service not known",
                "stderr nc: getaddrinfo for host \"\" port 1080: Name or service not known",
            )],
        ),
        nc("-X 4a", "-X 4a 127.0.0.1 {closed}").differs(
            "it is what -X 4 does with names",
            &[("stderr nc: unsupported proxy protocol", "")],
        ),
        nc("-T with no number behind 0x", "-T 0xno 127.0.0.1 {closed}").differs(
            "theirs takes it for 0",
            &[("", "stderr nc: illegal tos value 0xno")],
        ),
        nc("-4 takes -U back", "-vU -4 127.0.0.1 {closed}"),
        nc("-6 takes -U back", "-U -6 {dir}/socket"),
        nc("-U takes -4 back", "-4 -U {dir}/socket"),
        nc("-lU without a name", "-lU ''"),
        nc("-lUu without a name", "-lUu ''"),
        nc("-lU where there is a file", "-lU {dir}/file")
            .file("file", "precious")
            .steps(&[Stays])
            .differs(
                "a file of other content is not deleted",
                &[("stays", "leaves: 1\nstderr nc: Address already in use")],
            ),
        nc("-Uuv, nobody there", "-Uuv {dir}/none"),
        nc("-Uuv -s", "-Uuv -s {dir}/mine {dir}/socket")
            .to(Over::UnixDatagrams)
            .input(Pipe)
            .steps(&[Type(b"q"), Hears(b"q"), Send(b"a"), Shows(b"a")]),
        sh(
            "-Uu -s takes a name over",
            "for i in 1 2; do echo $i | nc -Uu -w 1 -s mine socket; ls -F mine; done",
        )
        .to(Over::UnixDatagrams),
        nc("-6l, an IPv4 caller", "-6lvn {listen}")
            .from(Over::Tcp)
            .steps(&[Call, Close, Leaves])
            .differs(
                "it is shown as what it is",
                &[(
                    "stderr Connection received on ::ffff:127.0.0.1 {caller}",
                    "stderr Connection received on 127.0.0.1 {caller}",
                )],
            ),
        nc("no room for output", "127.0.0.1 {port}")
            .to(Over::Tcp)
            .output(Output::Full)
            .steps(&[Accept, Send(b"x"), Close, Leaves])
            .differs(
                "what is lost is told",
                &[("leaves: 0", "leaves: 1"), ("", "stderr nc: No space left on device")],
            ),
    ]
}

fn ncat_command_line() -> Vec<Case> {
    let ncat = |name, arguments| case(Ncat, name, arguments);
    let sh = |name, line| shell(Ncat, name, line);
    vec![
        sh("what is behind -h is not looked at", "ncat -hQ >/dev/null"),
        sh(
            "what is behind --version is not looked at",
            "ncat --version --help -Q 2>&1 | cut -d' ' -f1,2",
        ),
        ncat("no name at all", "''"),
        ncat("no name at all, and a port", "'' {closed}"),
        ncat("host 0", "0 {closed}").differs(
            "it is this machine, as inet_aton(3) has it",
            &[
                ("leaves: 2", "leaves: 1"),
                (
                    "stderr Ncat: You must specify a host to connect to. QUITTING.",
                    "stderr Ncat: Connection refused.",
                ),
            ],
        ),
        ncat("a port with nothing in it", "127.0.0.1 ''").differs(
            "theirs takes it for 0, and calls there",
            &[
                ("leaves: 1", "leaves: 2"),
                (
                    "stderr Ncat: Connection refused.",
                    "stderr Ncat: Invalid port number \"\". QUITTING.",
                ),
            ],
        ),
        ncat("a port by name", "127.0.0.1 tcpmux").differs(
            "ports have names",
            &[
                ("leaves: 2", "leaves: 1"),
                (
                    "stderr Ncat: Invalid port number \"tcpmux\". QUITTING.",
                    "stderr Ncat: Connection refused.",
                ),
            ],
        ),
        ncat("-p with nothing in it", "-p '' 127.0.0.1 {closed}").differs(
            "theirs takes it for 0",
            &[
                ("leaves: 1", "leaves: 2"),
                (
                    "stderr Ncat: Connection refused.",
                    "stderr Ncat: Invalid source port number \"\". QUITTING.",
                ),
            ],
        ),
        ncat("-p negative", "-p -1 127.0.0.1 {closed}").differs(
            "it is named as it was written",
            &[(
                "stderr Ncat: Invalid source port 4294967295. QUITTING.",
                "stderr Ncat: Invalid source port -1. QUITTING.",
            )],
        ),
        ncat("-d in hex", "-d 0x10 127.0.0.1 {closed}").differs(
            "times are decimal",
            &[
                ("leaves: 1", "leaves: 2"),
                (
                    "stderr Ncat: Connection refused.",
                    "stderr Ncat: Invalid -d delay \"0x10\" (must be greater than 0 and less than \
                     2147483s). QUITTING.",
                ),
            ],
        ),
        ncat("-s with a name and -n", "-n -s localhost 127.0.0.1 {closed}"),
        ncat("-s of the other family", "-s ::1 127.0.0.1 {closed}").differs(
            "theirs goes on without the address that was asked for",
            &[
                ("leaves: 1", "leaves: 2"),
                (
                    "stderr libnsock mksock_bind_addr(): Bind to ::1:0 failed (IOD #1): Address family \
                     not supported by protocol (97)",
                    "stderr Ncat: Could not resolve source address \"::1\": Address family for hostname \
                     not supported. QUITTING.",
                ),
                ("stderr Ncat: Connection refused.", ""),
            ],
        ),
        ncat("-4 takes -U back", "-U -4 127.0.0.1 {closed}"),
        ncat("-lU without a name", "-lU ''")
            .steps(&[Stays])
            .differs(
                "the kernel would make a name up that nobody knows",
                &[("stays", "leaves: 2\nstderr Ncat: bind to : Invalid argument. QUITTING.")],
            ),
        ncat("-m -1", "-l -k -m -1 127.0.0.1 {listen}")
            .steps(&[Stays])
            .differs(
                "theirs takes it for its default",
                &[(
                    "stays",
                    "leaves: 2\nstderr Ncat: --max-conns -1: a number of callers is wanted. QUITTING.",
                )],
            ),
        ncat("--broker -u", "--broker -l -u {listen}").differs(
            "there is nobody to write to",
            &[
                (
                    "stderr Ncat: UDP mode does not support connection brokering.",
                    "stderr Ncat: UDP mode does not support connection brokering. QUITTING.",
                ),
                (
                    "stderr If this feature is important to you, write dev@nmap.org with a",
                    "",
                ),
                (
                    "stderr description of how you intend to use it, as an aid to deciding how UDP",
                    "",
                ),
                ("stderr connection brokering should work. QUITTING.", ""),
            ],
        ),
        sh(
            "--ssl-ciphers that are none",
            "ncat --ssl-ciphers NONE 127.0.0.1 {closed} >/dev/null 2>&1",
        ),
        ncat("--ssl-alpn with nothing in it", "--ssl-alpn '' 127.0.0.1 {closed}").differs(
            "the second half is OpenSSL's",
            &[(
                "stderr Ncat: SSL_CTX_set_alpn_protos: error:00000000:lib(0)::reason(0). QUITTING.",
                "stderr Ncat: Could not parse ALPN string. QUITTING.",
            )],
        ),
        ncat("--proxy with no port behind its colon", "--proxy 127.0.0.1: h 1").differs(
            "theirs calls port 0",
            &[
                ("leaves: 1", "leaves: 2"),
                (
                    "stderr Ncat: Proxy connection failed: Connection refused.",
                    "stderr Ncat: Invalid proxy port number \"\". QUITTING.",
                ),
            ],
        ),
        ncat(
            "--proxy-type 5",
            "--proxy 127.0.0.1:{closed} --proxy-type 5 127.0.0.1 1",
        )
        .differs(
            "theirs takes it, and then does nothing at all",
            &[(
                "leaves: 0",
                "leaves: 1\nstderr Ncat: Proxy connection failed: Connection refused.",
            )],
        ),
        ncat(
            "--proxy-dns none and a name",
            "--proxy 127.0.0.1:{closed} --proxy-dns none localhost 1",
        )
        .differs(
            "it is looked at before anybody is called",
            &[
                ("leaves: 1", "leaves: 2"),
                (
                    "stderr Ncat: Proxy connection failed: Connection refused.",
                    "stderr Ncat: Could not resolve hostname \"localhost\": Name or service not known. \
                     QUITTING.",
                ),
            ],
        ),
        ncat("--allowfile that is a folder", "-l --allowfile {dir} 127.0.0.1 {listen}")
            .steps(&[Stays])
            .differs(
                "who cannot be read is not let in unseen",
                &[(
                    "stays",
                    "leaves: 2\nstderr Ncat: can't open {dir}: Is a directory. QUITTING.",
                )],
            ),
        ncat("--proxy-type unknown, -l", "-l --proxy-type socks9 {listen}").differs(
            "it is one more here",
            &[(
                "stderr Ncat: Invalid proxy type \"socks9\"; Ncat proxy server only supports \"http\". \
                 QUITTING.",
                "stderr Ncat: Invalid proxy type \"socks9\"; Ncat proxy server only supports \"http\" and \
                 \"socks5\". QUITTING.",
            )],
        ),
    ]
}

fn ncat_notes() -> Vec<Case> {
    let ncat = |name, arguments| case(Ncat, name, arguments);
    let sh = |name, line| shell(Ncat, name, line);
    let through = |name, arguments| ncat(name, arguments).to(Over::Tcp).input(Pipe);
    let granted = b"\x05\x00\x00\x01\x00\x00\x00\x00\x00\x00";
    vec![
        sh(
            "-6l takes no IPv4 callers",
            "ncat -6l {listen} >heard & for try in $(seq 50); do \
             ss -Htln 'sport = :{listen}' | grep -q . && break; sleep 0.1; done; \
             ncat 127.0.0.1 {listen} </dev/null; echo hello | ncat ::1 {listen}; wait; cat heard",
        )
        .needs("ss", "iproute2")
        .to(Over::Tcp6)
        .steps(&[Leaves]),
        sh(
            "-Uuv, nobody there",
            "ncat -Uuv {dir}/none 2>&1 | sed -e '/Version/d' -e 's/\\[[^]]*\\]/NAME/'",
        ),
        ncat("-zU", "-z -U {dir}/socket").to(Over::Unix),
        ncat("-zvU", "-zv -U {dir}/socket").to(Over::Unix),
        ncat("-zU, nobody there", "-z -U {dir}/none"),
        ncat("-zvU, nobody there", "-zv -U {dir}/none"),
        ncat("-Uuv -s", "-Uuv -s {dir}/mine {dir}/socket")
            .to(Over::UnixDatagrams)
            .input(Pipe)
            .steps(&[Type(b"q"), Hears(b"q"), EndInput, LeavesAfter])
            .differs(
                "an answer is waited for, as with -u",
                &[("leaves at once: 0", "leaves after 1 s: 0")],
            ),
        through(
            "-v, SOCKS 5 wants nothing",
            "-v --proxy-type socks5 --proxy 127.0.0.1:{port} mail.example 25",
        )
        .steps(&[
            Accept,
            Hears(b"\x05\x01\x00"),
            Send(b"\x05\x00"),
            Hears(b"\x05\x01\x00\x03\x0cmail.example\x00\x19"),
            Send(granted),
            Type(b"q"),
            Hears(b"q"),
            EndInput,
            Close,
            Leaves,
        ]),
        through(
            "-v, SOCKS 5 wants a password",
            "-v --proxy-type socks5 --proxy-auth me:pw --proxy 127.0.0.1:{port} 127.0.0.1 25",
        )
        .steps(&[
            Accept,
            Hears(b"\x05\x02\x00\x02"),
            Send(b"\x05\x02"),
            Hears(b"\x01\x02me\x02pw"),
            Send(b"\x01\x01"),
            Close,
            Leaves,
        ]),
        through(
            "-v, SOCKS 5 is refused",
            "-v --proxy-type socks5 --proxy 127.0.0.1:{port} mail.example 25",
        )
        .steps(&[
            Accept,
            Hears(b"\x05\x01\x00"),
            Send(b"\x05\x00"),
            Hears(b"\x05\x01\x00\x03\x0cmail.example\x00\x19"),
            Send(b"\x05\x05\x00\x01\x00\x00\x00\x00\x00\x00"),
            Close,
            Leaves,
        ]),
        through(
            "-v, SOCKS 4a",
            "-v --proxy-type socks4 --proxy 127.0.0.1:{port} mail.example 25",
        )
        .steps(&[
            Accept,
            Hears(b"\x04\x01\x00\x19\x00\x00\x00\x01\x00mail.example\x00"),
            Send(b"\x00\x5a\x00\x00\x00\x00\x00\x00"),
            Type(b"q"),
            Hears(b"q"),
            EndInput,
            Close,
            Leaves,
        ]),
        through(
            "-v, a proxy that speaks something else",
            "-v --proxy-type socks5 --proxy 127.0.0.1:{port} mail.example 25",
        )
        .steps(&[
            Accept,
            Hears(b"\x05\x01\x00"),
            Send(b"220 mail.example\r\n"),
            Leaves,
        ])
        .differs(
            "what it is instead is told",
            &[(
                "stderr Ncat: Error: wrong SOCKS version in connect response.",
                "stderr Ncat: that is no SOCKS 5 proxy: its answer begins with octet 50",
            )],
        ),
        through(
            "-v, HTTP asks who we are",
            "-v --proxy-auth me:secret --proxy 127.0.0.1:{port} mail.example 25",
        )
        .steps(&[Accept, HearsEnd, Close, Leaves]),
    ]
}

fn traditional_command_line() -> Vec<Case> {
    let nc = |name, arguments| case(Traditional, name, arguments);
    let sh = |name, line| shell(Traditional, name, line);
    vec![
        sh("what is behind -h is not looked at", "nc -hQ 2>/dev/null"),
        nc("-a", "-a 127.0.0.1 {closed}").differs(
            "it never was there",
            &[(
                "stderr all-A-records NIY",
                "stderr nc: invalid option -- 'a'\nstderr nc -h for help",
            )],
        ),
        sh("--version", "nc --version >/dev/null 2>&1")
            .differs("here there are long options", &[("leaves: 1", "leaves: 0")]),
        nc("-w negative", "-n -w -1 127.0.0.1 {closed}").differs(
            "theirs takes it for 136 years",
            &[(
                "stderr (UNKNOWN) [127.0.0.1] {closed} (?) : Connection refused",
                "stderr invalid wait-time -1",
            )],
        ),
        nc("-T that is none", "-n -T fast 127.0.0.1 {closed}").differs(
            "theirs says nothing, and sets nothing",
            &[(
                "stderr (UNKNOWN) [127.0.0.1] {closed} (?) : Connection refused",
                "stderr illegal tos value fast",
            )],
        ),
        nc(
            "-s with a name and -n",
            "-n -s localhost 127.0.0.1 {closed}",
        ),
        nc("-l -s with a name and -n", "-ln -s localhost -p {listen}"),
        nc(
            "-l, a caller that has no address",
            "-l -p {listen} -n nowhere",
        ),
        nc("-c and -e", "-n -c true -e /bin/true 127.0.0.1 {closed}").differs(
            "only one of them can be served",
            &[(
                "stderr (UNKNOWN) [127.0.0.1] {closed} (?) : Connection refused",
                "stderr Only one of --exec, --sh-exec, and --lua-exec is allowed.",
            )],
        ),
        nc(
            "a list, one of which is no port",
            "-nz 127.0.0.1 {closed} x",
        )
        .differs(
            "it is told before anybody is called, and no errno with it",
            &[(
                "stderr invalid port x : Bad file descriptor",
                "stderr invalid port x",
            )],
        ),
        nc("a service by name, -n", "-nzv {here} gsigatekeeper")
            .serving(2119)
            .differs(
                "-n is about hosts",
                &[
                    ("leaves: 1", "leaves: 0"),
                    (
                        "stderr invalid port gsigatekeeper",
                        "stderr (UNKNOWN) [{here}] 2119 (gsigatekeeper) open",
                    ),
                ],
            ),
        nc("a range backwards", "-nzvv 127.0.0.1 {end}-{port}")
            .to(Over::Tcp)
            .differs(
                "theirs looks at the first only",
                &[
                    ("leaves: 1", "leaves: 0"),
                    (
                        "stderr (UNKNOWN) [127.0.0.1] {end} (?) : Connection refused",
                        "stderr (UNKNOWN) [127.0.0.1] {end} (?) : Connection refused\n\
                         stderr (UNKNOWN) [127.0.0.1] {other} (?) open\n\
                         stderr (UNKNOWN) [127.0.0.1] {closed} (?) : Connection refused\n\
                         stderr (UNKNOWN) [127.0.0.1] {port} (?) open",
                    ),
                ],
            ),
    ]
}

/// Why.
const NAMED: &str = "whether 127.x.y.z has a name is a matter of the machine";

fn traditional_sockets() -> Vec<Case> {
    let nc = |name, arguments| case(Traditional, name, arguments);
    vec![
        nc("-lu -w 1, nobody sends", "-lu -w 1 -p {listen}").steps(&[LeavesAfter]),
        nc("-luv -w 1, nobody sends", "-luv -w 1 -p {listen}").steps(&[LeavesAfter]),
        nc("-nzuvv, closed", "-nzuvv 127.0.0.1 {closed}").to(Over::Udp),
        nc("-v, an address that has no name", "-v {here} {closed}").unsteady(NAMED),
        nc("-nvv -q 0", "-nvv -q 0 127.0.0.1 {port}")
            .to(Over::Tcp)
            .steps(&[Accept, HearsEnd, Leaves])
            .differs(
                "how much was moved is told however it ends",
                &[("", "stderr  sent 0, rcvd 0")],
            ),
        nc("SIGTERM", "-n 127.0.0.1 {port}")
            .to(Over::Tcp)
            .input(Pipe)
            .steps(&[Accept, Terminate, HearsEnd, Leaves])
            .differs(
                "a shell tells a signal from an error",
                &[("leaves: 1", "leaves: by signal 15"), ("stderr ", "")],
            ),
        nc("-zv, the same, several ports", "-zv {here} {closed} {end}").unsteady(NAMED),
        nc("-lv -s, the same", "-lv -w 1 -s {here} -p {listen}")
            .steps(&[LeavesAfter])
            .unsteady(NAMED),
        nc("IPv6", "-n ::1 {closed}").differs(
            "it is there",
            &[(
                "stderr Can't parse ::1 as an IP address",
                "stderr (UNKNOWN) [::1] {closed} (?) : Connection refused",
            )],
        ),
    ]
}

/// Stdin cannot be read: so nohup(1) leaves it.
fn unreadable(dialect: Dialect) -> Vec<Case> {
    let (for_writing, folder, talk): (_, _, &[_]) = match dialect {
        // That one ends as soon as it has seen it.
        Ncat => (
            "ncat 127.0.0.1 {port} 0>/dev/null",
            "ncat 127.0.0.1 {port} <{dir}",
            &[Accept, Leaves],
        ),
        OpenBsd | Traditional => (
            "nc 127.0.0.1 {port} 0>/dev/null",
            "nc 127.0.0.1 {port} <{dir}",
            &[Accept, Send(b"hello"), Close, Leaves],
        ),
    };
    vec![
        shell(dialect, "input is open for writing only", for_writing)
            .to(Over::Tcp)
            .steps(talk),
        shell(dialect, "input is a folder", folder)
            .to(Over::Tcp)
            .steps(talk),
    ]
}
