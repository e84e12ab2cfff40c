//! Debian's mail servers, each a private instance: its configuration and all that it writes are in a folder of its own, it
//! listens on free ports of loopback, and what is started here is ended here, by its process id.
//!
//! As root, Dovecot and smtp-sink run as nobody. Postfix runs as root only.

#![allow(dead_code, reason = "each test uses the part that it needs")]

use std::fs;
use std::net::{Ipv4Addr, TcpStream};
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use tempfile::TempDir;

use super::program::{PATIENCE, Server, free_ports};

const NOBODY: u32 = 65534;

/// A program in the foreground, ended when dropped.
struct Daemon {
    child: Child,
    folder: TempDir,
}

/// Dovecot: IMAP, POP3 and LMTP for alice and bob, whose passwords are their names. Its certificate is for localhost.
pub struct Dovecot {
    daemon: Daemon,
    ports: [u16; 6],
}

/// Postfix: takes mail for alice, bob and (later) greylisted at example.test, and hands it to [`Dovecot`], which also knows
/// the passwords.
pub struct Postfix {
    daemon: Daemon,
    ports: [u16; 3],
}

/// Postfix's smtp-sink, which answers as it is told to and keeps each message in a file.
pub struct Sink {
    daemon: Daemon,
    port: u16,
}

impl Dovecot {
    /// Starts it, with a certificate and a key that `mailtool serve` made.
    pub fn start(ours: &Server) -> Self {
        Self::start_with(ours, "")
    }

    /// The same with further lines of `dovecot.conf`, which win.
    pub fn start_with(ours: &Server, settings: &str) -> Self {
        let folder = folder();
        let at = folder.path().display();
        let [imap, imaps, pop3, pop3s, lmtp, auth] = free_ports();
        for made in ["run", "state", "mail"] {
            fs::create_dir(folder.path().join(made)).expect("a folder");
        }
        copy_certificate(ours, folder.path());
        write(&folder, "users", "alice:alice\nbob:bob\n");
        let (user, group) = match is_root() {
            true => ("nobody".to_owned(), "nogroup".to_owned()),
            false => (id("-un"), id("-gn")),
        };
        let (uid, gid) = match is_root() {
            true => (NOBODY.to_string(), NOBODY.to_string()),
            false => (id("-u"), id("-g")),
        };
        let listener = |name: &str, port: u16, options: &str| {
            format!("  inet_listener {name} {{\n    port = {port}\n{options}  }}\n")
        };
        let tls = "    ssl = yes\n";
        let service = |name: &str, listeners: &[String]| {
            format!("service {name} {{\n  chroot =\n{}}}\n", listeners.concat())
        };
        let services = [
            service(
                "imap-login",
                &[listener("imap", imap, ""), listener("imaps", imaps, tls)],
            ),
            service(
                "pop3-login",
                &[listener("pop3", pop3, ""), listener("pop3s", pop3s, tls)],
            ),
            service("lmtp", &[listener("lmtp", lmtp, "")]),
            service("auth", &[listener("sasl", auth, "")]),
            service("anvil", &[]),
            service("stats", &[]),
        ];
        let configuration = format!(
            "base_dir = {at}/run\nstate_dir = {at}/state\nlog_path = {at}/log\nprotocols = imap pop3 lmtp\n\
             listen = 127.0.0.1\ndefault_internal_user = {user}\ndefault_internal_group = {group}\n\
             default_login_user = {user}\nfirst_valid_uid = 1\n\
             ssl = yes\nssl_cert = <{at}/cert.pem\nssl_key = <{at}/key.pem\ndisable_plaintext_auth = no\n\
             auth_mechanisms = plain login\nauth_username_format = %n\nauth_failure_delay = 0\n\
             mail_location = maildir:~/Maildir\n\
             passdb {{\n  driver = passwd-file\n  args = scheme=plain {at}/users\n}}\n\
             userdb {{\n  driver = static\n  args = uid={uid} gid={gid} home={at}/mail/%n\n}}\n\
             namespace inbox {{\n  inbox = yes\n  separator = /\n}}\n{}{settings}",
            services.concat()
        );
        write(&folder, "dovecot.conf", &configuration);
        hand_over(folder.path());
        let mut command = as_nobody("dovecot");
        command
            .args(["-F", "-c"])
            .arg(folder.path().join("dovecot.conf"));
        let ports = [imap, imaps, pop3, pop3s, lmtp, auth];
        let mut daemon = Daemon::start(command, folder);
        daemon.wait_for(&ports);
        Self { daemon, ports }
    }

    /// Where `imap`, `imaps`, `pop3`, `pop3s`, `lmtp` or `sasl` is, as `--server` takes it.
    pub fn at(&self, service: &str) -> String {
        let names = ["imap", "imaps", "pop3", "pop3s", "lmtp", "sasl"];
        at(&names, &self.ports, service)
    }

    /// What it wrote to its log.
    pub fn log(&self) -> String {
        self.daemon.said()
    }
}

impl Postfix {
    /// Starts it; `None`, with a word about it, for anybody but root.
    pub fn start(ours: &Server, dovecot: &Dovecot) -> Option<Self> {
        Self::start_at(free_ports(), ours, dovecot, "")
    }

    /// The same at ports that others were told of before, with further lines of `main.cf`, which win.
    pub fn start_at(
        ports: [u16; 3],
        ours: &Server,
        dovecot: &Dovecot,
        settings: &str,
    ) -> Option<Self> {
        if !is_root() {
            eprintln!("SKIPPED: a private Postfix needs root");
            return None;
        }
        let folder = folder();
        let at = folder.path().display();
        let [smtp, submission, smtps] = ports;
        for made in ["spool", "spool/pid", "conf"] {
            fs::create_dir(folder.path().join(made)).expect("a folder");
        }
        copy_certificate(ours, folder.path());
        // What `postfix check` makes, which takes seconds.
        let queue = "active bounce corrupt defer deferred flush hold incoming maildrop private public saved trace";
        let spool = |name| format!("spool/{name}");
        let owned = queue.split(' ').map(spool).chain(["data".to_owned()]);
        let postfix = numeric_id("postfix");
        for name in owned {
            let owned = folder.path().join(name);
            fs::create_dir_all(&owned).expect("a folder");
            chown(&owned, Some(postfix), None).expect("root may");
        }
        let main = format!(
            "compatibility_level = 3.6\nqueue_directory = {at}/spool\ndata_directory = {at}/data\n\
             maillog_file = {at}/log\nmaillog_file_prefixes = {at}\n\
             inet_interfaces = 127.0.0.1\ninet_protocols = ipv4\nmyhostname = mail.example.test\nmydestination =\n\
             virtual_mailbox_domains = example.test\n\
             virtual_mailbox_maps = inline:{{alice@example.test=a, bob@example.test=b, grey@example.test=g}}\n\
             virtual_transport = lmtp:inet:{}\n\
             default_transport = error:5.1.2 nothing leaves this test\n\
             smtpd_relay_restrictions = permit_sasl_authenticated, reject_unauth_destination\n\
             smtpd_recipient_restrictions = check_recipient_access \
             inline:{{ {{ grey@example.test = 450 4.2.0 come back later }} }}\n\
             smtpd_error_sleep_time = 0\nalias_maps =\nalias_database =\nmessage_size_limit = 200000\nsmtpd_tls_security_level = may\n\
             smtpd_tls_cert_file = {at}/cert.pem\nsmtpd_tls_key_file = {at}/key.pem\n\
             smtpd_sasl_auth_enable = yes\nsmtpd_sasl_type = dovecot\nsmtpd_sasl_path = inet:{}\n{settings}",
            dovecot.at("lmtp").replace("localhost", "127.0.0.1"),
            dovecot.at("sasl").replace("localhost", "127.0.0.1"),
        );
        let master = format!(
            "127.0.0.1:{smtp} inet n - n - - smtpd\n\
             127.0.0.1:{submission} inet n - n - - smtpd\n  -o smtpd_tls_auth_only=yes\n  \
             -o smtpd_client_restrictions=permit_sasl_authenticated,reject\n\
             127.0.0.1:{smtps} inet n - n - - smtpd\n  -o smtpd_tls_wrappermode=yes\n\
             cleanup unix n - n - 0 cleanup\nqmgr unix n - n 300 1 qmgr\nrewrite unix - - n - - trivial-rewrite\n\
             bounce unix - - n - 0 bounce\ndefer unix - - n - 0 bounce\ntrace unix - - n - 0 bounce\n\
             error unix - - n - - error\nretry unix - - n - - error\nflush unix n - n 1000? 0 flush\n\
             lmtp unix - - n - - lmtp\nsmtp unix - - n - - smtp\nproxymap unix - - n - - proxymap\nanvil unix - - n - 1 anvil\n\
             tlsmgr unix - - n 1000? 1 tlsmgr\n\
             postlog unix-dgram n - n - 1 postlogd\n"
        );
        write(&folder, "conf/main.cf", &last_of_each(&main));
        write(&folder, "conf/master.cf", &master);
        let conf = folder.path().join("conf");
        let mut command = Command::new("/usr/lib/postfix/sbin/master");
        command.arg("-d").arg("-c").arg(&conf);
        let mut daemon = Daemon::start(command, folder);
        daemon.wait_for(&ports);
        Some(Self { daemon, ports })
    }

    /// What it wrote to its log.
    pub fn log(&self) -> String {
        self.daemon.said()
    }

    /// Where `smtp`, `submission` or `smtps` is, as `--server` takes it.
    pub fn at(&self, service: &str) -> String {
        at(&["smtp", "submission", "smtps"], &self.ports, service)
    }
}

impl Sink {
    /// Starts it with `options` of smtp-sink's.
    pub fn start(options: &[&str]) -> Self {
        let folder = folder();
        let [port] = free_ports();
        hand_over(folder.path());
        let mut command = Command::new("/usr/sbin/smtp-sink");
        command.args(is_root().then_some(["-u", "nobody"]).into_iter().flatten());
        command.args(["-d", "message."]).args(options);
        command.arg(format!("127.0.0.1:{port}")).arg("10");
        let mut daemon = Daemon::start(command, folder);
        daemon.wait_for(&[port]);
        Self { daemon, port }
    }

    /// Where it is, as `--server` takes it.
    pub fn at(&self) -> String {
        format!("localhost:{}", self.port)
    }

    /// The messages that it got whole, with what it says about them before the header; line ends are LF.
    pub fn messages(&self) -> Vec<String> {
        let files = fs::read_dir(self.daemon.folder.path()).expect("its folder");
        let mut messages: Vec<_> = files
            .map(|file| file.expect("an entry").path())
            .filter(|path| {
                path.file_name()
                    .is_some_and(|name| name.to_string_lossy().starts_with("message."))
            })
            .map(|path| String::from_utf8(fs::read(path).expect("a message")).expect("UTF-8"))
            .collect();
        messages.sort();
        messages
    }
}

impl Daemon {
    fn start(mut command: Command, folder: TempDir) -> Self {
        let out = fs::File::create(folder.path().join("out")).expect("a file");
        let child = command
            .current_dir(folder.path())
            .stdin(Stdio::null())
            .stdout(out.try_clone().expect("a file"))
            .stderr(out)
            .spawn()
            .unwrap_or_else(|error| panic!("{:?}: {error}", command.get_program()));
        Self { child, folder }
    }

    /// Until all of the ports are listened at.
    fn wait_for(&mut self, ports: &[u16]) {
        let begun = Instant::now();
        for &port in ports {
            while TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_err() {
                let ended = self.child.try_wait().expect("a child");
                assert!(
                    ended.is_none() && begun.elapsed() < PATIENCE,
                    "it does not listen at {port} ({ended:?}):\n{}",
                    self.said()
                );
                thread::sleep(Duration::from_millis(5));
            }
        }
    }

    fn said(&self) -> String {
        let read = |name| fs::read_to_string(self.folder.path().join(name)).unwrap_or_default();
        read("out") + &read("log")
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        if thread::panicking() {
            eprintln!("a server printed:\n{}", self.said());
        }
        // Asked nicely, it ends its own children too.
        let _ = Command::new("kill")
            .arg(self.child.id().to_string())
            .status();
        let begun = Instant::now();
        while begun.elapsed() < PATIENCE && matches!(self.child.try_wait(), Ok(None)) {
            thread::sleep(Duration::from_millis(5));
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn at(names: &[&str], ports: &[u16], service: &str) -> String {
    let found = names.iter().position(|&name| name == service);
    format!("localhost:{}", ports[found.expect("a service of it")])
}

/// One that other users may pass through.
fn folder() -> TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    let open = fs::Permissions::from_mode(0o755);
    fs::set_permissions(folder.path(), open).expect("it is ours");
    folder
}

/// Of settings, `NAME = VALUE` a line, the last of each name. Postfix would take it too, but each of its programs would log a warning
/// for every one before: ten that wait for postlogd are as many as the kernel keeps (`net.unix.max_dgram_qlen`), and postlogd, which
/// starts when it is first written to and has the same to warn of, then waits for itself.
fn last_of_each(settings: &str) -> String {
    let name = |line: &str| line.split('=').next().map(|name| name.trim().to_owned());
    let mut kept: Vec<&str> = Vec::new();
    for line in settings.lines() {
        kept.retain(|earlier| name(earlier) != name(line));
        kept.push(line);
    }
    kept.join("\n") + "\n"
}

fn write(folder: &TempDir, name: &str, text: &str) {
    fs::write(folder.path().join(name), text).expect("written");
}

fn copy_certificate(ours: &Server, to: &Path) {
    for name in ["cert.pem", "key.pem"] {
        fs::copy(ours.store().join("tls").join(name), to.join(name)).expect("serve made it");
    }
}

fn as_nobody(program: &str) -> Command {
    if !is_root() {
        return Command::new(program);
    }
    let mut command = Command::new("setpriv");
    command.args(["--reuid=65534", "--regid=65534", "--clear-groups", program]);
    command
}

fn hand_over(path: &Path) {
    if !is_root() {
        return;
    }
    chown(path, Some(NOBODY), Some(NOBODY)).expect("root may");
    let inside: Vec<PathBuf> = match fs::read_dir(path) {
        Ok(entries) => entries.flatten().map(|entry| entry.path()).collect(),
        Err(_) => Vec::new(),
    };
    inside.iter().for_each(|path| hand_over(path));
}

fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

fn id(option: &str) -> String {
    let output = Command::new("id").arg(option).output().expect("coreutils");
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

fn numeric_id(user: &str) -> u32 {
    let output = Command::new("id")
        .args(["-u", user])
        .output()
        .expect("coreutils");
    let id = String::from_utf8_lossy(&output.stdout).trim().parse();
    id.unwrap_or_else(|_| panic!("there is no user {user}"))
}
