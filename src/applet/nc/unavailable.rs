//! Options that are understood, but that nothing carries out yet.

use super::complaint::Complaint;
use super::dialect::Dialect;
use super::options::{
    Begins, Callers, Carrier, Direction, Idle, OnceConnected, Options, Service, Task, To,
};

/// The first of them, if there is any.
pub(super) fn complaint(options: &Options) -> Option<Complaint> {
    let socket = &options.socket;
    let evidence = &options.evidence;
    let flow = &options.flow;
    let wanted = [
        (options.carrier.is_unix(), "-U"),
        (options.carrier == Carrier::Dccp, "-Z"),
        (socket.keepalive, "keepalive"),
        (socket.debug, "-D"),
        (socket.tcp_md5, "-S"),
        (socket.min_ttl.is_some(), "-m"),
        (socket.tos.is_some(), "-T"),
        (socket.route.is_some(), "-g"),
        (
            matches!(options.timing.idle, Some(Idle::Fail(_))),
            "--idle-timeout",
        ),
        (flow.direction == Direction::SendOnly, "--send-only"),
        (flow.telnet, "-t"),
        (flow.rate.is_some(), "--rate"),
        (matches!(options.tls.begins, Begins::AtOnce), "--ssl"),
        (matches!(options.tls.begins, Begins::After(_)), "--starttls"),
        (options.mail.is_some(), "--mail"),
        (!evidence.dumps.is_empty(), "a dump"),
        (evidence.transcript.is_some(), "--transcript"),
        (evidence.timing, "--timing"),
        (evidence.pcap.is_some(), "--pcap"),
        (evidence.stats, "--stats"),
        (evidence.progress, "--progress"),
    ];
    let of_task = match &options.task {
        Task::Connect(connect) => [
            (!connect.proxies.is_empty(), "calling through a proxy"),
            (connect.wait_port.is_some(), "--wait-port"),
            (
                matches!(connect.once_connected, OnceConnected::Run(_)),
                "running a program",
            ),
            (
                connect.once_connected == OnceConnected::PassDescriptor,
                "-F",
            ),
            (matches!(connect.to, To::Unix { .. }), "-U"),
        ],
        Task::Listen(listen) => [
            (
                listen.service != Service::Talk,
                "serving callers by anything but stdin and stdout",
            ),
            (
                matches!(listen.callers, Callers::AtOnce { .. }),
                "--keep-open",
            ),
            (!listen.access.is_open(), "--allow"),
            (listen.only_from.is_some(), "a caller named behind -l -p"),
            (
                options.dialect == Dialect::Traditional && options.timing.connect.is_some(),
                "-w with -l",
            ),
        ],
    };
    let missing = wanted
        .into_iter()
        .chain(of_task)
        .find(|(wanted, _)| *wanted);
    missing.map(|(_, what)| Complaint::Refused(format!("{what} is not available yet")))
}
