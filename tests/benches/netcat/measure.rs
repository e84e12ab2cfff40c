//! How it is measured.

use super::*;

/// Both ends: how long until both have ended, and their CPU time.
pub(super) fn transfer(
    netcat: &Netcat,
    input: Stdio,
    output: Stdio,
    meanwhile: impl FnOnce(),
) -> (Duration, Duration) {
    let port = free_port();
    let mut listen = command(netcat, netcat.listen, port);
    // Some listeners leave when their own input ends.
    let (silence, _nobody) = io::pipe().expect("a pipe");
    listen.stdin(silence).stdout(output);
    let listener = Running::start(&mut listen);
    drop(listen);
    assert!(listener.listens(port), "{} does not listen", netcat.name);
    let mut send = command(netcat, netcat.send, port);
    send.stdin(input).stdout(Stdio::null());
    let begun = Instant::now();
    let sender = Running::start(&mut send);
    drop(send);
    meanwhile();
    let cpu = sender.end() + listener.end();
    (begun.elapsed(), cpu)
}

pub(super) fn bare(netcat: &Netcat) -> Command {
    let mut command = match std::env::var_os("MAILTOOL_BENCH_PROGRAM") {
        Some(program) if netcat.program == OURS.program => Command::new(program),
        _ => Command::new(netcat.program),
    };
    if netcat.program == BUSYBOX.program {
        command.arg("nc");
    } else {
        command.arg0(netcat.called);
    }
    command
}

pub(super) fn command(netcat: &Netcat, arguments: Arguments, port: u16) -> Command {
    let mut command = bare(netcat);
    command
        .args(arguments(port).split(' '))
        .stderr(Stdio::null());
    command
}

/// A process of the netcat's, which is ended if it does not end.
pub(super) struct Running {
    child: Child,
    /// Dropped when it has ended in time.
    watched: Option<Sender<()>>,
    watchdog: Option<JoinHandle<()>>,
}

impl Running {
    pub(super) fn start(command: &mut Command) -> Self {
        let program = command.get_program().to_owned();
        let child = command.spawn();
        let child = child.unwrap_or_else(|error| panic!("{program:?}: {error}"));
        let pid = Pid::from_child(&child);
        let (watched, over) = channel();
        let watchdog = thread::spawn(move || {
            if over.recv_timeout(AT_MOST) == Err(RecvTimeoutError::Timeout) {
                let _ = kill_process(pid, Signal::KILL);
            }
        });
        Self {
            child,
            watched: Some(watched),
            watchdog: Some(watchdog),
        }
    }

    /// Waits until it listens.
    pub(super) fn listens(&self, port: u16) -> bool {
        let until = Instant::now() + Duration::from_secs(10);
        while Instant::now() < until {
            if listening().contains(&port) {
                return true;
            }
            thread::sleep(Duration::from_millis(1));
        }
        false
    }

    /// Waits for its end: its CPU time.
    pub(super) fn end(mut self) -> Duration {
        let pid = Pid::from_child(&self.child);
        // Its entry in /proc stays until it is reaped.
        let options = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT;
        waitid(WaitId::Pid(pid), options).expect("it is a child");
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.child.id()));
        let stat = stat.expect("it is not reaped yet");
        let fields = stat.rsplit(") ").next().unwrap_or_default().split(' ');
        // utime and stime, the 14th and 15th of all, in hundredths of a second.
        let ticks: u64 = fields
            .skip(11)
            .take(2)
            .filter_map(|f| f.parse::<u64>().ok())
            .sum();
        self.unwatch();
        self.child.wait().expect("it has ended");
        Duration::from_millis(10 * ticks)
    }
}

impl Running {
    /// To be called before it is reaped: from then on its number may be another's.
    fn unwatch(&mut self) {
        self.watched = None;
        if let Some(watchdog) = self.watchdog.take() {
            watchdog.join().expect("no panic");
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.unwatch();
        // It may have been waited for.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The ports that somebody listens at.
pub(super) fn listening() -> HashSet<u16> {
    let mut ports = HashSet::new();
    for table in ["/proc/net/tcp", "/proc/net/tcp6"] {
        let table = fs::read_to_string(table).unwrap_or_default();
        for line in table.lines() {
            let fields: Vec<&str> = line.split_ascii_whitespace().collect();
            let port = fields.get(1).and_then(|local| local.rsplit(':').next());
            let port = port.and_then(|port| u16::from_str_radix(port, 16).ok());
            if fields.get(3) == Some(&"0A") {
                ports.extend(port);
            }
        }
    }
    ports
}

/// Who does not call in ten seconds does not call.
pub(super) fn accept(listener: &TcpListener) -> TcpStream {
    let patience = Some(Duration::from_secs(10));
    // On Linux the time to receive is the time to accept, too.
    socket2::SockRef::from(listener)
        .set_read_timeout(patience)
        .expect("a socket");
    let (stream, _) = listener.accept().expect("it calls");
    stream
}

pub(super) fn free_port() -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
    listener.local_addr().expect("it is bound").port()
}

/// The first of so many.
pub(super) fn closed_ports(count: u16) -> Option<u16> {
    let open = listening();
    let firsts = (2_000..u16::MAX - count).step_by(usize::from(count) / 10);
    let is_closed = |first: &u16| (*first..*first + count).all(|port| !open.contains(&port));
    firsts.into_iter().find(is_closed)
}

/// A folder in memory, or else on the disk, that has room for so much.
pub(super) fn roomy_folder(octets: u64) -> Option<tempfile::TempDir> {
    [Path::new("/dev/shm"), &std::env::temp_dir()]
        .into_iter()
        .filter(|folder| {
            let room = rustix::fs::statvfs(*folder).map(|fs| fs.f_bavail * fs.f_frsize);
            let is_in_memory = folder.starts_with("/dev/shm");
            let memory = if is_in_memory {
                free_memory()
            } else {
                u64::MAX
            };
            room.is_ok_and(|room| room.min(memory) > octets + GIB)
        })
        .find_map(|folder| tempfile::tempdir_in(folder).ok())
}

pub(super) fn free_memory() -> u64 {
    let text = fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let line = text
        .lines()
        .find_map(|line| line.strip_prefix("MemAvailable:"));
    let kib = line.and_then(|line| line.trim().trim_end_matches(" kB").parse::<u64>().ok());
    kib.unwrap_or_default() * 1024
}

/// A MiB that does not repeat.
pub(super) fn block() -> Vec<u8> {
    let mut state = 0x2545_f491_u32;
    let words = (0..MIB / 4).map(|_| {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        state.to_le_bytes()
    });
    words.flatten().collect()
}

pub(super) fn feed(mut input: PipeWriter, octets: u64) {
    let block = block();
    for _ in 0..octets >> 20 {
        if input.write_all(&block).is_err() {
            return;
        }
    }
}

pub(super) fn take(mut output: PipeReader) -> u64 {
    let mut buffer = vec![0; MIB];
    let mut took = 0;
    while let Ok(octets @ 1..) = output.read(&mut buffer) {
        took += octets as u64;
    }
    took
}

/// Compares the sizes, and a piece in each 64 MiB.
pub(super) fn same(from: &PathBuf, to: &PathBuf, octets: u64) {
    let (from, to) = (File::open(from), File::open(to));
    let (from, to) = (from.expect("it is here"), to.expect("it is here"));
    let arrived = to.metadata().expect("a file").len();
    assert_eq!(arrived, octets, "not all of it arrived");
    let mut pieces = [vec![0; 4096], vec![0; 4096]];
    for at in (0..octets - 4096).step_by(64 * MIB - 4096) {
        for (file, piece) in [&from, &to].into_iter().zip(&mut pieces) {
            file.read_exact_at(piece, at).expect("it is as long");
        }
        assert!(pieces[0] == pieces[1], "it is not the same at {at}");
    }
}
