//! Command lines that are refused, and the words for it. They were read off the programs, but where a comment says that they do
//! something else; tests/dialects.rs asks the programs themselves, where they are installed.

use super::*;

fn complaint(dialect: Dialect, line: &str) -> String {
    match understood(dialect, line) {
        Err(Complaint::Usage) => "usage".to_owned(),
        Err(Complaint::Refused(text) | Complaint::Failed(text)) => text,
        other => panic!("{dialect:?} {line}: {other:?}"),
    }
}

#[test]
fn openbsds_words() {
    for (line, expected) in [
        ("", "usage"),
        ("h", "missing port number"),
        ("-l", "missing port number"),
        ("-ul", "missing port number"),
        ("-s 127.0.0.1 h", "usage"),
        ("-l -p 1 2", "usage"),
        ("-l h 1 2", "usage"),
        ("-l -s 127.0.0.1 4000", "usage"),
        ("-k", "usage"),
        ("-k h 1", "must use -l with -k"),
        ("-k -U a", "must use -l with -k"),
        ("-lz 1", "cannot use -z and -l"),
        ("-U", "usage"),
        ("-lU", "missing socket pathname"),
        ("-U a 1", "cannot use port with -U"),
        ("-U a b c", "cannot use port with -U"),
        ("-lU a b", "cannot use port with -U"),
        ("-U -s a b", "usage"),
        ("-U -p 1 a", "usage"),
        ("-U -Z a", "cannot use -Z and -U"),
        ("-U -F a", "cannot use -F and -U"),
        ("-U -x a b", "no proxy support for unix sockets"),
        ("-x a -U h", "no proxy support for unix sockets"),
        ("-x a -u h 1", "no proxy support for UDP mode"),
        ("-x a -Z h 1", "no proxy support for DCCP mode"),
        ("-x a -l 1", "no proxy support for listen"),
        (
            "-x a -s 127.0.0.1 h 1",
            "no proxy support for local source address",
        ),
        ("-x [::1 h 1", "missing closing bracket in proxy"),
        ("-x [::1]x h 1", "garbage proxy port delimiter"),
        (
            "-x 127.0.0.1:x h 1",
            "getaddrinfo for host \"127.0.0.1\" port x: Servname not supported for ai_socktype",
        ),
        ("-X 6 -x a h 1", "unsupported proxy protocol"),
        ("-X 6 h 1", "unsupported proxy protocol"),
        ("-V 1 h 1", "no alternate routing table support available"),
        ("-T x h 1", "illegal tos value x"),
        ("-T '' h 1", "illegal tos value "),
        ("-T 256 h 1", "illegal tos value 256"),
        ("-T -1 h 1", "illegal tos value -1"),
        ("-T 1x h 1", "illegal tos value 1x"),
        ("-T CRITICAL h 1", "illegal tos value CRITICAL"),
        ("-T cs8 h 1", "illegal tos value cs8"),
        ("-T 0x1ff h 1", "illegal tos value 0x1ff"),
        // Debian's takes what is no hexadecimal digit for 0.
        ("-T 0xg h 1", "illegal tos value 0xg"),
        ("-m 256 h 1", "minttl is too large"),
        ("-m x h 1", "minttl is invalid"),
        ("-M 256 h 1", "ttl is too large"),
        ("-M x h 1", "ttl is invalid"),
        ("-I x h 1", "TCP receive window invalid: x"),
        ("-I 0 h 1", "TCP receive window too small: 0"),
        ("-O x h 1", "TCP send window invalid: x"),
        (
            "-I 99999999999 h 1",
            "TCP receive window too large: 99999999999",
        ),
        ("-i -1 h 1", "interval too small: -1"),
        ("-i 1.5 h 1", "interval invalid: 1.5"),
        ("-i 99999999999 h 1", "interval too large: 99999999999"),
        ("-q x h 1", "quit timer invalid: x"),
        ("-q 99999999999 h 1", "quit timer too large: 99999999999"),
        ("-q -99999999999 h 1", "quit timer too small: -99999999999"),
        ("-w x h 1", "timeout invalid: x"),
        ("-w -1 h 1", "timeout too small: -1"),
        ("-w 99999999 h 1", "timeout too large: 99999999"),
        ("-W x h 1", "receive limit invalid: x"),
        ("-W 0 h 1", "receive limit too small: 0"),
    ] {
        assert_eq!(complaint(OpenBsd, line), expected, "nc {line}");
    }
}

#[test]
fn ncats_words() {
    for (line, expected) in [
        ("", "You must specify a host to connect to."),
        ("-v", "You must specify a host to connect to."),
        ("h 25 26", "Got more than one port specification: 25 26."),
        (
            "h 25 26 27",
            "Got more than one port specification: 25 26 27.",
        ),
        ("-l 25 26", "Got more than one port specification: 25 26."),
        (
            "-l -p 1 2 3",
            "Got more than one port specification: 1 2 3.",
        ),
        ("-l 123456", "Invalid port number \"123456\"."),
        ("-l h 1 2", "Got more than one port specification: 1 2."),
        (
            "-l -p 4000 h 4001",
            "Got more than one port specification: 4000 4001.",
        ),
        ("-l 99999", "Invalid port number \"99999\"."),
        ("-p x h 1", "Invalid source port number \"x\"."),
        (
            "-l -s 127.0.0.1 4000",
            "-l and -s are incompatible.  Specify the address and port to bind to like you would a host to connect to.",
        ),
        (
            "-i x h 1",
            "Invalid -i timeout \"x\" (must be greater than 0 and less than 2147483s).",
        ),
        (
            "-d 100 h 1",
            "Since April 2010, the default unit for -d delay is seconds, so your time of \"100\" is 1.7 minutes. \
             Use \"100ms\" for 100 milliseconds.",
        ),
        (
            "-e a -c b h 1",
            "Only one of --exec, --sh-exec, and --lua-exec is allowed.",
        ),
        (
            "--exec a --lua-exec b h 1",
            "Only one of --exec, --sh-exec, and --lua-exec is allowed.",
        ),
        (
            "-g a h 1",
            "Sorry, could not resolve source route hop \"a\": Name or service not known.",
        ),
        (
            "-g 1.1.1.1,1.1.1.1,1.1.1.1,1.1.1.1,1.1.1.1 -g 1.1.1.1,1.1.1.1,1.1.1.1,1.1.1.1 h 1",
            "Sorry, you gave too many source route hops.",
        ),
        (
            "-g 127.0.0.1 -6 ::1 1",
            "Sorry, -g can only currently be used with IPv4.",
        ),
        ("-G 3 h 1", "Invalid source-route hop pointer 3."),
        ("-G 32 h 1", "Invalid source-route hop pointer 32."),
        (
            "-m 5 h 1",
            "Invalid option combination: `--max-conns' with connect.",
        ),
        (
            "--chat h 1 -m x -l",
            "--max-conns x: a number of callers is wanted.",
        ),
        (
            "--chat h 1",
            "Invalid option combination: `--chat' with connect.",
        ),
        (
            "--allow 127.0.0.1 h 1",
            "Invalid option combination: allow/deny with connect.",
        ),
        // ncat looks at --allow only.
        (
            "--deny 127.0.0.1 h 1",
            "Invalid option combination: allow/deny with connect.",
        ),
        (
            "-k h 1",
            "Invalid option combination: `--keep-open' with connect.",
        ),
        (
            "-lk -u 1",
            "UDP mode does not support the -k or --keep-open options, except with --exec or --sh-exec.",
        ),
        ("-U", "You have to specify path to a socket to connect to."),
        ("-lU", "You have to specify path to a socket to listen on."),
        (
            "-U a 1",
            "Using Unix domain sockets and specifying port doesn't make sense.",
        ),
        (
            "-U -p 1 a",
            "Specifying source port when using Unix domain sockets doesn't make sense.",
        ),
        (
            "-U --proxy a b",
            "Proxy option not supported when using Unix domain sockets.",
        ),
        (
            "-U --proxy-type http a",
            "Proxy option not supported when using Unix domain sockets.",
        ),
        (
            "-U --ssl a",
            "SSL option not supported when using Unix domain sockets.",
        ),
        (
            "-U --broker a",
            "Connection brokering not supported when using Unix domain sockets.",
        ),
        (
            "-U -g 1.2.3.4 a",
            "Loose source routing not allowed when using Unix domain sockets.",
        ),
        (
            "-z -l 1",
            "Services designed for LISTENING can't be used with -z",
        ),
        ("-z -t h 1", "Invalid option combination: -z and -t."),
        (
            "-z -e a h 1",
            "Command execution can't be done along with option -z.",
        ),
        (
            "--proxy h -l 1",
            "Invalid option combination: --proxy and -l.",
        ),
        (
            "--proxy-type http --proxy-type http --proxy a h 1",
            "You can't specify more than one --proxy-type.",
        ),
        (
            "--proxy-type http --proxy-type http h 1",
            "You can't specify more than one --proxy-type.",
        ),
        (
            "-k -u h 1",
            "UDP mode does not support the -k or --keep-open options, except with --exec or --sh-exec.",
        ),
        (
            "--proxy-type socks5 h 1",
            "Proxy type (--proxy-type) specified without proxy address (--proxy).",
        ),
        // ncat's is HTTP only.
        (
            "--proxy-type xx -l 1",
            "Invalid proxy type \"xx\"; Ncat proxy server only supports \"http\" and \"socks5\".",
        ),
        (
            "--proxy h --proxy-type xx h 1",
            "Invalid proxy type \"xx\".",
        ),
        ("--proxy h:x h 1", "Invalid proxy port number \"x\"."),
        (
            "--proxy h:99999 h 1",
            "Invalid proxy port number \"99999\".",
        ),
        ("--proxy [::1 h 1", "Invalid proxy IPv6 address \"[::1\"."),
        ("--proxy a --proxy-dns x h 1", "Invalid proxy DNS type."),
        (
            "--proxy-auth a --proxy-auth b h 1",
            "You can't specify more than one --proxy-auth.",
        ),
        (
            "--broker -e a -l 1",
            "Invalid option combination: --broker and -e.",
        ),
        (
            "--proxy-type http -t -l 1",
            "Invalid option combination: --telnet has no effect with --proxy-type.",
        ),
        (
            "--ssl-cert a h 1",
            "The --ssl-key and --ssl-cert options must be used together.",
        ),
        (
            "--ssl-key a h 1",
            "The --ssl-key and --ssl-cert options must be used together.",
        ),
        (
            "--ssl-trustfile a --ssl-trustfile b h 1",
            "The --ssl-trustfile option may be given only once.",
        ),
        (
            "--nsock-engine x h 1",
            "Unknown or non-available engine: x.",
        ),
        (
            "--sctp h 1",
            "--sctp is not supported: TCP, UDP, DCCP and UNIX sockets are.",
        ),
        (
            "--allowfile /nonexistent -l 0",
            "can't open /nonexistent: No such file or directory.",
        ),
        (
            "--allow x/y -l 0",
            "Error parsing netmask in \"x/y\".\nNcat: error in host specification \"x/y\".",
        ),
        (
            "--allow 127.0.0.1/33 -l 0",
            "Illegal netmask in \"127.0.0.1/33\". Must be smaller than address bit length.\n\
             Ncat: error in host specification \"127.0.0.1/33\".",
        ),
        (
            "--deny 127.0.0.300 -l 0",
            "Error resolving name \"127.0.0.300\": Name or service not known\n\
             Ncat: error in host specification \"127.0.0.300\".",
        ),
        (
            "--denyfile /bad -l 0",
            "Error parsing netmask in \"10.0.0.1/x\".\nNcat: error in hosts file /bad.",
        ),
    ] {
        assert_eq!(complaint(Ncat, line), expected, "ncat {line}");
    }
}

#[test]
fn traditionals_words() {
    for (line, expected) in [
        // It asks for a command line on stdin.
        ("", "no destination"),
        ("h", "no port[s] to connect to"),
        ("h x", "invalid port x"),
        ("-w x h 1", "invalid wait-time x"),
        ("-w 0 h 1", "invalid wait-time 0"),
        ("-i x h 1", "invalid interval time x"),
        ("-i 0 h 1", "invalid interval time 0"),
        ("-p x h 1", "invalid local port x"),
        ("-l -p 0", "invalid local port 0"),
        ("-lu", "UDP listen needs -p arg"),
        ("-g x h 1", "x: forward host lookup failed: Unknown host"),
        (
            "-G 3 h 1",
            "invalid hop pointer 3, must be multiple of 4 <= 28",
        ),
        (
            "-G x h 1",
            "invalid hop pointer 0, must be multiple of 4 <= 28",
        ),
        // It takes it for nothing.
        ("-T x h 1", "illegal tos value x"),
    ] {
        assert_eq!(complaint(Traditional, line), expected, "{line}");
    }
}

#[test]
fn our_own_words() {
    for (line, expected) in [
        (
            "--ssl --starttls smtp h 1",
            "--ssl and --starttls: TLS begins with the first octet, or with an upgrade, not both",
        ),
        (
            "--starttls gopher h 1",
            "--starttls gopher: it can upgrade smtp, lmtp, pop3, imap and ftp",
        ),
        (
            "--starttls smtp -l 1",
            "--starttls is for calling; `mailtool serve` is a server that upgrades",
        ),
        (
            "--starttls smtp --imap h 1",
            "--starttls upgrades another protocol than the one that is to be spoken",
        ),
        (
            "--smtp --imap h 1",
            "Only one of --smtp, --lmtp, --pop3 and --imap is spoken at a time.",
        ),
        (
            "--mail -l 1",
            "--mail is for calling a server; `mailtool serve` is one",
        ),
        (
            "--mail -u h 1",
            "--mail needs a stream: TCP, or a UNIX socket",
        ),
        (
            "--mail -z h 1",
            "--mail talks: it goes with none of -z, -e, -c and -F",
        ),
        (
            "--explain=de h 1",
            "--explain=de: it knows English (en) and French (fr)",
        ),
        (
            "--insecure --ssl-verify h 1",
            "--insecure takes any certificate, but another option wants a good one",
        ),
        (
            "--ca f h 1",
            "--ca and --insecure say something about TLS, but nothing asks for it: --ssl, --starttls or --mail would",
        ),
        ("--ssl -u h 1", "TLS over UDP (DTLS) is not supported."),
        (
            "--send-only --recv-only h 1",
            "Invalid option combination: --send-only and --recv-only.",
        ),
        (
            "--rate 0 h 1",
            "--rate 0: octets a second are wanted, such as 5000, 64K or 1M",
        ),
        (
            "-o f --pcap f h 1",
            "Two of -o, -x, --transcript and --pcap go to one file, where nobody could read either.",
        ),
        (
            "--wait-port 3 -l 1",
            "--wait-port waits for others to listen, -l listens",
        ),
        (
            "--wait x h 1",
            "Invalid --wait timeout \"x\" (must be greater than 0 and less than 2147483s).",
        ),
    ] {
        assert_eq!(complaint(OpenBsd, line), expected, "nc {line}");
    }
    let long = format!("-U {}", "x".repeat(108));
    let expected = format!("{}: File name too long", "x".repeat(108));
    assert_eq!(complaint(OpenBsd, &long), expected);
}
