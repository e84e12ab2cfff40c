//! Reads a dialogue file.

use std::fs;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::pattern::{Names, Pattern};

/// Which protocol a dialogue is in: the folder that it lies in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocol {
    Smtp,
    Pop3,
    Imap,
}

/// A dialogue file.
#[derive(Clone, Debug)]
pub struct Dialog {
    pub path: PathBuf,
    pub protocol: Protocol,
    pub given: Given,
    pub steps: Vec<Step>,
    source: Vec<String>,
}

/// What stands before the first step.
#[derive(Clone, Debug)]
pub struct Given {
    /// The server's name, and its first domain.
    pub host: String,
    /// Names and passwords; alice:secret when none is given.
    pub users: Vec<(String, String)>,
    /// `mta`, `submission`, `lmtp`: for SMTP.
    pub mode: String,
    /// STARTTLS is to be had.
    pub tls: bool,
    /// TLS from the first byte.
    pub secure: bool,
    /// Where the client comes from.
    pub peer: IpAddr,
    /// Messages that are in the INBOX of an account at the beginning.
    pub mail: Vec<Delivery>,
    /// The program can be asked to be such a server.
    pub tcp: bool,
    /// Settings of one protocol only, `x-NAME=VALUE`: name without `x-`, and value.
    pub extra: Vec<(String, String)>,
    /// `fault:` rules for what goes wrong on purpose.
    pub faults: Vec<String>,
    /// What a client is asked to do, when the dialogue is played against one.
    pub client: Option<String>,
}

/// A message for an account.
#[derive(Clone, Debug)]
pub struct Delivery {
    pub user: String,
    /// With CRLF line ends.
    pub text: Vec<u8>,
}

/// One line of a dialogue.
#[derive(Clone, Debug)]
pub struct Step {
    /// Its line in the file.
    pub line: usize,
    pub connection: u32,
    pub action: Action,
}

#[derive(Clone, Debug)]
pub enum Action {
    /// `S:` one line that the server says.
    Line(Pattern),
    /// `S: ...` any lines.
    AnyLines,
    /// `S>` and `S+`: these octets.
    Exactly(Vec<u8>),
    /// `S: [eof]` the server closes.
    ServerCloses,
    /// `C:` and `C|`, with the line end if there is one.
    Say(Pattern, &'static [u8]),
    /// `C>` and `C+`: these octets.
    Send(Vec<u8>),
    /// `C: [eof]` the client says no more, but listens.
    ClientEnds,
    /// `C: [lost]` the connection breaks.
    Lost,
    /// `T: +301s`
    Clock(Duration),
    /// `T: tls`
    TlsUp,
    /// `T: stop`: the program is asked to end.
    Stop,
    /// `T: mail=FILE`: mail comes in from elsewhere.
    Mail(Delivery),
}

impl Action {
    /// Whether it is something that the client says.
    pub fn is_said(&self) -> bool {
        matches!(self, Self::Say(..) | Self::Send(_))
    }
}

/// All dialogue files of a protocol, sorted. `DIALOG=part-of-a-path` picks some.
pub fn find(protocol: Protocol) -> Vec<PathBuf> {
    let wanted = std::env::var("DIALOG").unwrap_or_default();
    let Ok(folder) = fs::read_dir(root().join(folder(protocol))) else {
        return Vec::new();
    };
    let mut files: Vec<_> = folder
        .map(|entry| entry.expect("readable").path())
        .filter(|path| {
            path.extension()
                .is_some_and(|extension| extension == "dialog")
        })
        .filter(|path| path.to_string_lossy().contains(&wanted))
        .collect();
    files.sort();
    files
}

/// The folder of all dialogues.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/dialogs")
}

fn folder(protocol: Protocol) -> &'static str {
    match protocol {
        Protocol::Smtp => "smtp",
        Protocol::Pop3 => "pop3",
        Protocol::Imap => "imap",
    }
}

impl Dialog {
    /// Reads a file.
    pub fn read(protocol: Protocol, path: &Path) -> Result<Self, String> {
        let source = fs::read_to_string(path).map_err(|e| format!("{}: {e}", path.display()))?;
        Self::parse(protocol, path, &source)
    }

    /// Reads `source` as if it stood in `path`.
    pub fn parse(protocol: Protocol, path: &Path, source: &str) -> Result<Self, String> {
        let mut dialog = Self {
            path: path.to_owned(),
            protocol,
            given: Given::new(protocol),
            steps: Vec::new(),
            source: source.lines().map(str::to_owned).collect(),
        };
        for (index, line) in source.lines().enumerate() {
            let line_number = index + 1;
            dialog
                .take(line_number, line)
                .map_err(|e| format!("{}:{line_number}: {e}", path.display()))?;
        }
        if dialog.steps.is_empty() {
            return Err(format!("{}: no dialogue in it", path.display()));
        }
        if dialog.given.users.is_empty() {
            dialog.given.users.push(("alice".into(), "secret".into()));
        }
        let first = dialog.given.users[0].0.clone();
        let deliveries = dialog
            .given
            .mail
            .iter_mut()
            .chain(
                dialog
                    .steps
                    .iter_mut()
                    .filter_map(|step| match &mut step.action {
                        Action::Mail(delivery) => Some(delivery),
                        _ => None,
                    }),
            );
        for delivery in deliveries {
            if delivery.user.is_empty() {
                delivery.user.clone_from(&first);
            }
        }
        Ok(dialog)
    }

    /// A line of the file, from 1 on.
    pub fn line(&self, line: usize) -> &str {
        self.source.get(line - 1).map_or("", String::as_str)
    }

    fn take(&mut self, line: usize, source: &str) -> Result<(), String> {
        if source.trim().is_empty() || source.starts_with('#') {
            return Ok(());
        }
        if let Some(settings) = source.strip_prefix("given:") {
            if !self.steps.is_empty() {
                return Err("given: stands before the first step".into());
            }
            return self.take_given(settings);
        }
        if let Some(rule) = source.strip_prefix("fault:") {
            if !self.steps.is_empty() {
                return Err("fault: stands before the first step".into());
            }
            self.given.faults.push(plain(rule).to_owned());
            return Ok(());
        }
        if let Some(action) = source.strip_prefix("client:") {
            self.given.client = Some(plain(action).to_owned());
            return Ok(());
        }
        let digits = source
            .find(|c: char| !c.is_ascii_digit())
            .unwrap_or(source.len());
        let connection = match &source[..digits] {
            "" => 1,
            number => number
                .parse()
                .map_err(|_| "a connection's number is small")?,
        };
        let (directive, rest) = source[digits..]
            .split_at_checked(2)
            .ok_or_else(|| unknown(source))?;
        let text = rest.strip_prefix(' ').unwrap_or(rest);
        let action = self.action(directive, text, source)?;
        let first = || self.steps.iter().all(|step| step.connection != connection);
        if matches!(action, Action::TlsUp) && first() {
            self.given.secure = true;
            return Ok(());
        }
        self.steps.push(Step {
            line,
            connection,
            action,
        });
        Ok(())
    }

    fn action(&self, directive: &str, text: &str, source: &str) -> Result<Action, String> {
        Ok(match (directive, text) {
            ("S:", "...") => Action::AnyLines,
            ("S:", "[eof]") => Action::ServerCloses,
            ("S:", _) => Action::Line(self.pattern(text)?),
            ("S>", _) => Action::Exactly(dot_stuffed(&self.file(plain(text))?)),
            ("S+", _) => Action::Exactly(self.file(plain(text))?),
            ("C:", "[eof]") => Action::ClientEnds,
            ("C:", "[lost]") => Action::Lost,
            ("C:", _) => Action::Say(self.pattern(text)?, b"\r\n"),
            ("C|", _) => Action::Say(self.pattern(text)?, b""),
            ("C>", _) => Action::Send(dot_stuffed(&self.file(plain(text))?)),
            ("C+", _) => Action::Send(self.file(plain(text))?),
            ("T:", _) => self.event(plain(text))?,
            _ => return Err(unknown(source)),
        })
    }

    fn event(&self, text: &str) -> Result<Action, String> {
        if let Some(jump) = text.strip_prefix('+') {
            return Ok(Action::Clock(duration(jump)?));
        }
        if let Some(mail) = text.strip_prefix("mail=") {
            return Ok(Action::Mail(self.delivery(mail)?));
        }
        match text {
            "tls" => Ok(Action::TlsUp),
            "stop" => Ok(Action::Stop),
            _ => Err(format!(
                "T: {text:?} is none of +DURATION, tls, stop, mail=[USER:]FILE"
            )),
        }
    }

    fn take_given(&mut self, settings: &str) -> Result<(), String> {
        for setting in plain(settings).split_whitespace() {
            let (key, value) = setting
                .split_once('=')
                .ok_or_else(|| format!("given: {setting:?} is not KEY=VALUE"))?;
            match key {
                "host" => self.given.host = value.to_owned(),
                "user" => {
                    let (name, password) = value
                        .split_once(':')
                        .ok_or("given: user=NAME:PASSWORD needs a colon")?;
                    let password = self.pattern(password)?.fill(&Names::new())?;
                    let password = String::from_utf8(password).map_err(|e| e.to_string())?;
                    self.given.users.push((name.into(), password));
                }
                "mode" => match value {
                    "mta" | "submission" | "lmtp" => self.given.mode = value.to_owned(),
                    _ => return Err("given: mode= is mta, submission or lmtp".into()),
                },
                "tls" => self.given.tls = yes(key, value)?,
                "secure" => self.given.secure = yes(key, value)?,
                "peer" => {
                    self.given.peer = value
                        .parse()
                        .map_err(|_| "given: peer= is an IP address, without a port")?;
                }
                "mail" => {
                    let delivery = self.delivery(value)?;
                    self.given.mail.push(delivery);
                }
                "tcp" => self.given.tcp = yes(key, value)?,
                _ => match key.strip_prefix("x-") {
                    Some(key) => self.given.extra.push((key.to_owned(), value.to_owned())),
                    None => return Err(format!("given: no setting is called {key:?}")),
                },
            }
        }
        Ok(())
    }

    fn delivery(&self, value: &str) -> Result<Delivery, String> {
        let (user, file) = value.split_once(':').unwrap_or(("", value));
        Ok(Delivery {
            user: user.to_owned(),
            text: self.file(file)?,
        })
    }

    fn pattern(&self, text: &str) -> Result<Pattern, String> {
        Pattern::parse(text, &|file| self.file(file).map(|text| text.len()))
    }

    /// The text of a file beside the dialogue, or in `tests/dialogs/mail`, with CRLF line ends.
    pub fn file(&self, name: &str) -> Result<Vec<u8>, String> {
        let beside = self.path.with_file_name(name);
        let path = if beside.exists() {
            beside
        } else {
            root().join("mail").join(name)
        };
        let text = fs::read(&path).map_err(|e| format!("{}: {e}", path.display()))?;
        Ok(with_crlf(&text))
    }
}

impl Given {
    fn new(protocol: Protocol) -> Self {
        Self {
            host: "mail.example.org".into(),
            users: Vec::new(),
            mode: match protocol {
                Protocol::Smtp => "mta".into(),
                Protocol::Pop3 | Protocol::Imap => String::new(),
            },
            tls: false,
            secure: false,
            peer: IpAddr::from([127, 0, 0, 1]),
            mail: Vec::new(),
            tcp: true,
            extra: Vec::new(),
            faults: Vec::new(),
            client: None,
        }
    }
}

/// Without the comment that may follow, and the space around it.
fn plain(text: &str) -> &str {
    text.split(" #").next().unwrap_or(text).trim()
}

fn yes(key: &str, value: &str) -> Result<bool, String> {
    match value {
        "yes" => Ok(true),
        "no" => Ok(false),
        _ => Err(format!("given: {key}= is yes or no")),
    }
}

fn duration(text: &str) -> Result<Duration, String> {
    let digits = text
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(text.len());
    let number: u64 = text[..digits]
        .parse()
        .map_err(|_| "T: +NUMBER and a unit")?;
    match &text[digits..] {
        "ms" => Ok(Duration::from_millis(number)),
        "s" => Ok(Duration::from_secs(number)),
        "m" => Ok(Duration::from_secs(60 * number)),
        "h" => Ok(Duration::from_secs(3600 * number)),
        unit => Err(format!(
            "T: the unit {unit:?} is none of ms, s, m, h (as in +301s)"
        )),
    }
}

fn unknown(source: &str) -> String {
    format!(
        "{source:?} begins with no known directive (given: client: S: S> S+ C: C| C> C+ T: or #)"
    )
}

/// Every line end as CRLF, the last one too.
fn with_crlf(text: &[u8]) -> Vec<u8> {
    let mut crlf = Vec::with_capacity(text.len() + text.len() / 32);
    for line in text.split_inclusive(|&byte| byte == b'\n') {
        let line = line.strip_suffix(b"\n").unwrap_or(line);
        crlf.extend(line.strip_suffix(b"\r").unwrap_or(line));
        crlf.extend(b"\r\n");
    }
    crlf
}

fn dot_stuffed(text: &[u8]) -> Vec<u8> {
    let mut stuffed = Vec::with_capacity(text.len() + 5);
    for line in text.split_inclusive(|&byte| byte == b'\n') {
        if line.starts_with(b".") {
            stuffed.push(b'.');
        }
        stuffed.extend(line);
    }
    stuffed.extend(b".\r\n");
    stuffed
}
