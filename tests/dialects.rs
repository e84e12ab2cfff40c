//! The command line side by side: what `mailtool nc` says to it in each dialect, and what the program says whose dialect
//! it is. Each case is a row; where the two differ, the row has the reason.
//!
//! `%` stands for a port at which nobody listens. A program that is not installed is skipped, and named.

#[path = "support/program.rs"]
mod program;

use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};

use program::{MAILTOOL, free_ports, have};

/// A program, and the name by which it and ours are called.
struct Theirs {
    program: &'static str,
    name: &'static str,
    ours: &'static str,
}

/// What was said, and the exit code.
type Said = (Option<i32>, String);

const OPENBSD: Theirs = Theirs {
    program: "nc.openbsd",
    name: "nc",
    ours: "nc",
};
const NCAT: Theirs = Theirs {
    program: "ncat",
    name: "ncat",
    ours: "ncat",
};
const TRADITIONAL: Theirs = Theirs {
    program: "nc.traditional",
    name: "nc.traditional",
    ours: "nc.traditional",
};

fn run(program: &str, name: &str, words: &[&str]) -> Said {
    let mut command = Command::new(program);
    command.arg0(name).args(words).env_remove("NCAT_PROXY_AUTH");
    command.stdin(Stdio::null()).stdout(Stdio::null());
    let output = command.output().expect("it runs");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    (output.status.code(), said)
}

/// What both say to a command line, `''` in it an empty word.
fn both(theirs: &Theirs, line: &str, closed: &str) -> (Said, Said) {
    let line = line.replace('%', closed);
    let words = line.split_ascii_whitespace();
    let words: Vec<&str> = words.map(|word| word.trim_matches('\'')).collect();
    (
        run(theirs.program, theirs.name, &words),
        run(MAILTOOL, theirs.ours, &words),
    )
}

fn check(theirs: &Theirs, equal: &[&str], different: &[(&str, &str, &str)]) {
    let [closed] = free_ports().map(|port| port.to_string());
    for line in equal {
        let (expected, said) = both(theirs, line, &closed);
        assert_eq!(said, expected, "{} {line}", theirs.name);
    }
    for (line, expected, why) in different {
        let (other, said) = both(theirs, line, &closed);
        assert_ne!(said, other, "no difference any more: {line}, {why}");
        assert_eq!(said.1.replace(&closed, "%"), *expected, "{line}: {why}");
    }
}

#[test]
fn debians_nc() {
    if !have("nc.openbsd", "netcat-openbsd") {
        return;
    }
    let equal = [
        "",
        "--",
        "-Q",
        "-q",
        "-vQ",
        "h",
        "-l",
        "-ul",
        "-k",
        "-k h 1",
        "-k -U a",
        "-l 127.0.0.1 1 2",
        "-l -s 127.0.0.1 4000",
        "-lz 1",
        "127.0.0.1 x",
        "127.0.0.1 0",
        "127.0.0.1 99999",
        "127.0.0.1 5-x",
        "127.0.0.1 -- -5",
        "-l x",
        "-U",
        "-lU",
        "-U a 1",
        "-U a b c",
        "-lU a b",
        "-U -s a b",
        "-U -p 1 a",
        "-U -Z a",
        "-U -x a b",
        "-U -F a",
        "-x a -u h 1",
        "-x a -l 1",
        "-x a -Z h 1",
        "-x a -s 127.0.0.1 h 1",
        "-x 127.0.0.1:x h 1",
        "-x [::1 h 1",
        "-x [::1]x h 1",
        "-X 6 h 1",
        "-T x h 1",
        "-T '' h 1",
        "-T 256 h 1",
        "-T -1 h 1",
        "-T cs8 h 1",
        "-m 256 h 1",
        "-m x h 1",
        "-M 256 h 1",
        "-M x h 1",
        "-I x h 1",
        "-O x h 1",
        "-I 99999999999 h 1",
        "-V 1 h 1",
        "-i -1 h 1",
        "-i 99999999999 h 1",
        "-q x h 1",
        "-q 99999999999 h 1",
        "-q -99999999999 h 1",
        "-w x h 1",
        "-w -1 h 1",
        "-W x h 1",
        "-W 0 h 1",
        "127.0.0.1 %",
        "-v 127.0.0.1 %",
        "-zv 127.0.0.1 %",
        "-w 0 127.0.0.1 %",
        "-p 0 127.0.0.1 %",
        "-uv -w1 127.0.0.1 %",
        "-vn localhost %",
        "-n localhost 25",
        "-s 192.0.2.1 127.0.0.1 1",
        "-4 -s ::1 127.0.0.1 %",
        "-l 192.0.2.1 4711",
    ];
    let different = [
        (
            "-p 99999 127.0.0.1 %",
            "nc: port number too large: 99999\n",
            "Debian's calls from 34463",
        ),
        (
            "-T 0xg 127.0.0.1 %",
            "nc: illegal tos value 0xg\n",
            "Debian's takes it for 0",
        ),
    ];
    check(&OPENBSD, &equal, &different);
}

#[test]
fn an_option_that_debians_nc_has_not_is_named_whole() {
    let (code, said) = run(MAILTOOL, "nc", &["--foo"]);
    assert_eq!(code, Some(1));
    assert!(said.starts_with("nc: unrecognized option '--foo'\nusage: nc "));
}

#[test]
fn nmaps_ncat() {
    if !have("ncat", "ncat") {
        return;
    }
    let equal = [
        "",
        "-Q",
        "-w",
        "--foo",
        "--ssl-cert",
        "--ssl=x",
        "--idle",
        "127.0.0.1 x",
        "127.0.0.1 99999",
        "127.0.0.1 -- -5",
        "127.0.0.1 5x",
        "127.0.0.1 25 26",
        "127.0.0.1 25 26 27",
        "-l 25 26",
        "-l 127.0.0.1 1 2",
        "-l -p 1 2 3",
        "-l -p 4000 127.0.0.1 4001",
        "-l 99999",
        "-l 123456",
        "-p x 127.0.0.1 1",
        "-p 99999 127.0.0.1 1",
        "-l -s 127.0.0.1 4000",
        "-w x 127.0.0.1 1",
        "-w 0 127.0.0.1 1",
        "-w -1 127.0.0.1 1",
        "-w 100 127.0.0.1 1",
        "-w 99999999 127.0.0.1 1",
        "-w 1.5s 127.0.0.1 %",
        "-w 1m 127.0.0.1 %",
        "-w 1d 127.0.0.1 %",
        "-w 1MS 127.0.0.1 %",
        "-w 1e2ms 127.0.0.1 %",
        "-w infs 127.0.0.1 %",
        "-w 0.0001s 127.0.0.1 %",
        "-i x 127.0.0.1 1",
        "-d x 127.0.0.1 1",
        "-d 100 127.0.0.1 1",
        "-e a -c b h 1",
        "--exec a --lua-exec b h 1",
        "-g 1,2,3,4,5,6,7,8,9 127.0.0.1 1",
        "-g 127.0.0.1 -6 ::1 1",
        "-G 3 127.0.0.1 1",
        "-G 32 127.0.0.1 1",
        "-m 5 127.0.0.1 1",
        "--chat 127.0.0.1 1",
        "--talk 127.0.0.1 1",
        "--allow 127.0.0.1 127.0.0.1 1",
        "-k 127.0.0.1 %",
        "-k -u 127.0.0.1 %",
        "-U",
        "-lU",
        "-U -p 1 a",
        "-U --proxy a b",
        "-U --ssl a",
        "-U --broker a",
        "-U --proxy-type http a",
        "-U -g 1.2.3.4 a",
        "-z -l 1",
        "-z -t 127.0.0.1 1",
        "-z -e a 127.0.0.1 1",
        "--proxy 127.0.0.1 -l 1",
        "--proxy-type http --proxy-type http 127.0.0.1 1",
        "--proxy-type socks5 127.0.0.1 1",
        "--proxy 127.0.0.1 --proxy-type xx 127.0.0.1 1",
        "--proxy 127.0.0.1:x 127.0.0.1 1",
        "--proxy 127.0.0.1:99999 127.0.0.1 1",
        "--proxy [::1 127.0.0.1 1",
        "--proxy-dns x 127.0.0.1 1",
        "--proxy-auth a --proxy-auth b 127.0.0.1 1",
        "--broker -e a -l 1",
        "--proxy-type http -t -l 1",
        "--ssl-cert a 127.0.0.1 %",
        "--ssl-key a 127.0.0.1 %",
        "--ssl-trustfile a --ssl-trustfile b 127.0.0.1 1",
        "--nsock-engine x",
        "--allow x/y -l 0",
        "--allow 127.0.0.1/33 -l 0",
        "--deny 127.0.0.5-1 -n -l 0",
        "--allowfile /nonexistent -l 0",
        "-n localhost 25",
        "-4 ::1 1",
        "-6 127.0.0.1 1",
        "-l 192.0.2.1 4000",
        "127.0.0.1 0",
        "127.0.0.1 %",
        "-z 127.0.0.1 %",
    ];
    let different = [
        (
            "-p -1 127.0.0.1 1",
            "Ncat: Invalid source port -1. QUITTING.\n",
            "ncat says 4294967295",
        ),
        (
            "-s 192.0.2.1 127.0.0.1 1",
            "Ncat: bind to 192.0.2.1:0: Cannot assign requested address.\n",
            "ncat says what its library says, and goes on without the address",
        ),
        (
            "--deny 127.0.0.1 127.0.0.1 %",
            "Ncat: Invalid option combination: allow/deny with connect. QUITTING.\n",
            "ncat looks at --allow only",
        ),
        (
            "-U a 1",
            "Ncat: Using Unix domain sockets and specifying port doesn't make sense. QUITTING.\n",
            "7.93 takes the second for nothing; later ones say so",
        ),
        (
            "--proxy-type xx -l 1",
            "Ncat: Invalid proxy type \"xx\"; Ncat proxy server only supports \"http\" and \"socks5\". QUITTING.\n",
            "ours has SOCKS too",
        ),
        (
            "--send-only --recv-only 127.0.0.1 %",
            "Ncat: Invalid option combination: --send-only and --recv-only. QUITTING.\n",
            "nothing is left to do",
        ),
        (
            "--sctp 127.0.0.1 %",
            "Ncat: --sctp is not supported: TCP, UDP, DCCP and UNIX sockets are. QUITTING.\n",
            "no mail goes over it",
        ),
    ];
    check(&NCAT, &equal, &different);
}

#[test]
fn netcat_traditional() {
    if !have("nc.traditional", "netcat-traditional") {
        return;
    }
    let equal = [
        "-Q",
        "-q",
        "-4 127.0.0.1 1",
        "127.0.0.1",
        "127.0.0.1 x",
        "127.0.0.1 0",
        "127.0.0.1 5-x",
        "127.0.0.1 %",
        "-v 127.0.0.1 %",
        "-vn 127.0.0.1 %",
        "-zvn 127.0.0.1 %",
        "-zuvn 127.0.0.1 %",
        "-zn 127.0.0.1 %",
        "-n localhost 25",
        "-vn 127.0.0.1 ftp-data",
        "-lp 0",
        "-luvn",
        "-w x 127.0.0.1 1",
        "-w 0 127.0.0.1 1",
        "-w 1x 127.0.0.1 %",
        "-i x 127.0.0.1 1",
        "-i 0 127.0.0.1 1",
        "-q x 127.0.0.1 %",
        "-q -1 127.0.0.1 %",
        "-p x 127.0.0.1 1",
        "-p 0 127.0.0.1 %",
        "-s 192.0.2.1 127.0.0.1 %",
        "-G 3 127.0.0.1 1",
        "-G x 127.0.0.1 1",
    ];
    let different = [
        (
            "127.0.0.1 99999",
            "invalid port 99999\n",
            "netcat-traditional calls 34463",
        ),
        (
            "-p 99999 127.0.0.1 %",
            "invalid local port 99999\n",
            "the same of ours",
        ),
        (
            "-T x 127.0.0.1 %",
            "illegal tos value x\n",
            "netcat-traditional sets none, and does not tell",
        ),
    ];
    check(&TRADITIONAL, &equal, &different);
}
