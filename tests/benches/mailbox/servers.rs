//! Both servers, each with a copy of the corpus, in a folder of its own.

use std::fs;
use std::io::Write;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

use crate::corpus::{Corpus, hand_over};

/// A server.
pub struct Peer {
    pub name: &'static str,
    child: Child,
    folder: TempDir,
    pub imap: u16,
    pub imaps: u16,
    pub pop3: u16,
}

/// Ends what does not get ready.
const AT_MOST: Duration = Duration::from_secs(60);

impl Peer {
    /// Ours.
    pub fn mailtool(corpus: &Corpus) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let mail = folder.path().join("store/mail");
        fs::create_dir_all(&mail).expect("a folder");
        corpus.copy(|user| mail.join(user));
        fs::write(folder.path().join("users"), users()).expect("written");
        let (child, ports) = start_mailtool(folder.path());
        let [imap, imaps, pop3] = ports;
        Self {
            name: "mailtool",
            child,
            folder,
            imap,
            imaps,
            pop3,
        }
    }

    /// Debian's; `None` where it is not installed.
    pub fn dovecot(corpus: &Corpus) -> Option<Self> {
        if !Path::new("/usr/sbin/dovecot").exists() {
            println!(
                "(Dovecot needs to be installed: dovecot-imapd, dovecot-pop3d; ours runs alone)"
            );
            return None;
        }
        let folder = tempfile::tempdir().expect("a folder");
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).expect("ours");
        let at = folder.path();
        for made in ["run", "state", "mail"] {
            fs::create_dir(at.join(made)).expect("a folder");
        }
        corpus.copy(|user| at.join("mail").join(user).join("Maildir"));
        fs::write(at.join("users"), users()).expect("written");
        let [imap, pop3] = [free_port(), free_port()];
        fs::write(at.join("dovecot.conf"), configuration(at, imap, pop3)).expect("written");
        hand_over(at);
        Some(Self {
            name: "Dovecot",
            child: start_dovecot(at, imap),
            folder,
            imap,
            imaps: 0,
            pop3,
        })
    }

    /// Starts it anew, and drops the kernel's caches; `false`: they cannot be dropped.
    pub fn cool_down(&mut self) -> bool {
        self.stop();
        rustix::fs::sync();
        let drop = "/proc/sys/vm/drop_caches";
        let file = fs::OpenOptions::new().write(true).open(drop);
        let dropped = file.and_then(|mut file| file.write_all(b"3\n")).is_ok();
        if self.name == "mailtool" {
            let (child, ports) = start_mailtool(self.folder.path());
            self.child = child;
            [self.imap, self.imaps, self.pop3] = ports;
        } else {
            self.child = start_dovecot(self.folder.path(), self.imap);
        }
        dropped
    }

    /// Who signed its certificate.
    pub fn authority(&self) -> PathBuf {
        self.folder.path().join("store/tls/ca.pem")
    }

    /// KiB.
    pub fn resident(&self) -> usize {
        let text = fs::read_to_string(format!("/proc/{}/status", self.child.id()));
        let text = text.unwrap_or_default();
        let line = text.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        line.and_then(|line| line.trim().trim_end_matches(" kB").parse().ok())
            .unwrap_or_default()
    }

    fn stop(&mut self) {
        let _ = kill_process(Pid::from_child(&self.child), Signal::TERM);
        let begun = Instant::now();
        while begun.elapsed() < AT_MOST && matches!(self.child.try_wait(), Ok(None)) {
            thread::sleep(Duration::from_millis(2));
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        self.stop();
    }
}

/// The passwords are the names. As much is asked of both: SHA512-CRYPT with its usual 5000 rounds for dora.
fn users() -> String {
    let hash = "$6$benchsalt$yk7jGBkMnD/2LYZeISnpXfH4L.BYpQuc3nbVk0NkmvW6MDUCS1v6TwgwV93lJdAmJdDvQhJHdDMFZ0JnqVxhV0";
    let made = Command::new("openssl")
        .args(["passwd", "-6", "-salt", "benchsalt", "dora"])
        .output();
    let made = made.map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned());
    let hash = made
        .ok()
        .filter(|made| made.starts_with("$6$"))
        .unwrap_or_else(|| hash.to_owned());
    format!("bob:{{PLAIN}}bob\ncarol:{{PLAIN}}carol\ndora:{{SHA512-CRYPT}}{hash}\n")
}

fn start_mailtool(folder: &Path) -> (Child, [u16; 3]) {
    let program = std::env::var("MAILTOOL_BENCH_PROGRAM");
    let program = program.unwrap_or_else(|_| env!("CARGO_BIN_EXE_mailtool").to_owned());
    let _ = fs::remove_file(folder.join("ready"));
    let log = fs::File::create(folder.join("log")).expect("a file");
    // The shell opens the file descriptor that a Rust program cannot pass on without unsafe code.
    let child = Command::new("sh")
        .args(["-c", "exec \"$0\" serve \"$@\" --ready-fd 3 3>ready"])
        .arg(program)
        .args([
            "--store", "store", "--users", "users", "--smtp", "off", "--smtps", "off",
        ])
        .args(["--submission", "off", "--pop3", "0", "--pop3s", "off"])
        .args(["--imap", "0", "--imaps", "0", "--connections-each", "40000"])
        .current_dir(folder)
        .stdout(Stdio::null())
        .stderr(log)
        .spawn()
        .expect("there is a shell");
    let begun = Instant::now();
    let ports = loop {
        let text = fs::read_to_string(folder.join("ready")).unwrap_or_default();
        let port = |service: &str| {
            let address = text.lines().find_map(|line| line.strip_prefix(service));
            Some(address?.trim().parse::<SocketAddr>().ok()?.port())
        };
        if let (Some(imap), Some(imaps), Some(pop3)) =
            (port("imap "), port("imaps "), port("pop3 "))
        {
            break [imap, imaps, pop3];
        }
        assert!(
            begun.elapsed() < AT_MOST,
            "it does not get ready: {}",
            fs::read_to_string(folder.join("log")).unwrap_or_default()
        );
        thread::sleep(Duration::from_millis(2));
    };
    (child, ports)
}

fn start_dovecot(folder: &Path, port: u16) -> Child {
    let mut command = if rustix::process::geteuid().is_root() {
        let mut command = Command::new("setpriv");
        command.args([
            "--reuid=65534",
            "--regid=65534",
            "--clear-groups",
            "/usr/sbin/dovecot",
        ]);
        command
    } else {
        Command::new("/usr/sbin/dovecot")
    };
    let child = command
        .args(["-F", "-c"])
        .arg(folder.join("dovecot.conf"))
        .current_dir(folder)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("it is installed");
    let begun = Instant::now();
    while TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_err() {
        assert!(
            begun.elapsed() < AT_MOST,
            "Dovecot does not listen: {}",
            fs::read_to_string(folder.join("log")).unwrap_or_default()
        );
        thread::sleep(Duration::from_millis(5));
    }
    child
}

fn configuration(folder: &Path, imap: u16, pop3: u16) -> String {
    let at = folder.display();
    let id = |option: &str| {
        let output = Command::new("id").arg(option).output().expect("coreutils");
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    };
    let (user, group, uid, gid) = if rustix::process::geteuid().is_root() {
        let nobody = crate::corpus::NOBODY.to_string();
        (
            "nobody".to_owned(),
            "nogroup".to_owned(),
            nobody.clone(),
            nobody,
        )
    } else {
        (id("-un"), id("-gn"), id("-u"), id("-g"))
    };
    format!(
        "base_dir = {at}/run\nstate_dir = {at}/state\nlog_path = {at}/log\nprotocols = imap pop3\n\
         listen = 127.0.0.1\ndefault_internal_user = {user}\ndefault_internal_group = {group}\n\
         default_login_user = {user}\nfirst_valid_uid = 1\nssl = no\ndisable_plaintext_auth = no\n\
         auth_failure_delay = 0\nmail_max_userip_connections = 1000\n\
         mail_location = maildir:~/Maildir\n\
         passdb {{\n  driver = passwd-file\n  args = {at}/users\n}}\n\
         userdb {{\n  driver = static\n  args = uid={uid} gid={gid} home={at}/mail/%n\n}}\n\
         namespace inbox {{\n  inbox = yes\n  separator = /\n}}\n\
         service imap-login {{\n  chroot =\n  inet_listener imap {{\n    port = {imap}\n  }}\n}}\n\
         service pop3-login {{\n  chroot =\n  inet_listener pop3 {{\n    port = {pop3}\n  }}\n}}\n\
         service anvil {{\n  chroot =\n}}\nservice stats {{\n  chroot =\n}}\n"
    )
}

fn free_port() -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
    listener.local_addr().expect("it is bound").port()
}
