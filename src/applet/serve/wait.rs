//! `mailtool serve wait`: blocks until a message comes in at a server that runs, and prints what a script needs of it.
//!
//! A message is matched by what it is - whom it is to, what it says - and each once, never by how many there are. Which count: those
//! that come after the server has said that it listens, and so after whatever happened before; with `-- COMMAND`, the command
//! is started only then, so that what it sends cannot come too early.

mod glean;

use std::io::{BufRead, BufReader, Read};
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ExitStatus};
use std::str::FromStr;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use anyhow::Context;
use clap::{ArgMatches, Args, Command, FromArgMatches, ValueEnum};
use regex_lite::Regex;

use self::glean::Message;
use super::StorePlace;
use super::control::{request, sockets};
use super::place::Place;
use crate::applet::{exit, print};
use crate::wire::date;

#[derive(Args)]
struct WaitArguments {
    #[command(flatten)]
    place: Place,
    /// How long to wait, in seconds or as 30s, 5m; 0: for ever
    #[arg(long, value_name = "S", default_value = "60")]
    timeout: Patience,
    /// How many messages that match
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..))]
    count: u32,
    /// A recipient of the envelope: an address, or what is before its @ [repeatable: any of them]
    #[arg(long, value_name = "A")]
    to: Vec<String>,
    /// The sender of the envelope, likewise
    #[arg(long, value_name = "A")]
    from: Vec<String>,
    /// A regular expression that the subject matches; (?i) at its beginning: in any case
    #[arg(long, value_name = "RE")]
    subject: Option<Regex>,
    /// A regular expression that the text matches, or the HTML
    #[arg(long, value_name = "RE")]
    body: Option<Regex>,
    /// What is printed of each [default: what the server called it]
    #[arg(long, value_name = "WHAT")]
    print: Option<What>,
    /// Of several links or codes, the first that matches this
    #[arg(long, value_name = "RE")]
    pick: Option<Regex>,
    /// Also those that came after a message, a moment (2026-11-26T14:00:00Z, or seconds since 1970) or a --mark
    #[arg(long, value_name = "ID|TIME|MARK", conflicts_with_all = ["since", "existing"])]
    after: Option<String>,
    /// Also those that came in the last seconds, or 5m
    #[arg(long, value_name = "S", conflicts_with = "existing")]
    since: Option<Patience>,
    /// Also those that have come since the server was started (it remembers 200)
    #[arg(long)]
    existing: bool,
    /// Do not wait: print a mark for --after, of all messages up to now
    #[arg(long, conflicts_with_all = ["after", "since", "existing", "command"])]
    mark: bool,
    /// A command that is run once the server listens, so that what it sends cannot come too early
    #[arg(last = true, value_name = "COMMAND")]
    command: Vec<String>,
}

/// A time, `0` for none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Patience(Option<Duration>);

impl FromStr for Patience {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        const EXAMPLE: &str =
            "give seconds, such as 10 or 0.5, or a time such as 30s or 5m; 0 is for ever";
        let digits = text.trim_end_matches(|letter: char| letter.is_ascii_alphabetic());
        let unit = match &text[digits.len()..] {
            "" | "s" => 1.0,
            "ms" => 0.001,
            "m" => 60.0,
            "h" => 3600.0,
            _ => return Err(EXAMPLE),
        };
        let seconds: f64 = digits.parse().map_err(|_| EXAMPLE)?;
        // A year: whoever waits longer waits for ever.
        if !(0.0..=31_622_400.0).contains(&(seconds * unit)) {
            return Err(EXAMPLE);
        }
        let time = Duration::from_secs_f64(seconds * unit);
        Ok(Self(Some(time).filter(|time| !time.is_zero())))
    }
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum What {
    /// The header, decoded, a field a line
    Header,
    /// The text, decoded; of a message in HTML only, the text of that
    Body,
    /// The first link
    Link,
    /// The first code to be typed somewhere: a one-time password
    Otp,
    /// The message as it is kept
    Raw,
    /// All of it
    Json,
}

/// `serve wait`
pub(super) fn command() -> Command {
    WaitArguments::augment_args(Command::new("wait"))
        .about("Wait until a message comes in at a server that runs, and print what a script needs of it")
        .after_help(
            "\
Ends with 0 when it has come, 1 when it has not in time, 69 when no server runs or it stopped, and with that of
COMMAND when it failed.

Examples:
  mailtool serve wait --to alice --subject '(?i)reset' --print link -- \\
      curl -s -d user=alice http://localhost:8000/forgot
      A test of a web application: the link in the message that the request sends
  mark=$(mailtool serve wait --mark)
  ./order-something
  mailtool serve wait --after \"$mark\" --to bob --timeout 10 --print otp
      The same in three steps
  mailtool serve wait --count 3 --to list@localhost --print json >messages.json",
        )
}

/// `serve wait`
pub(super) fn run(matches: &ArgMatches) -> anyhow::Result<u8> {
    let wanted = WaitArguments::from_arg_matches(matches)?;
    let store = StorePlace::of(&wanted.place.options()?)?;
    let sockets = sockets(store.path());
    if wanted.mark {
        return mark(&sockets);
    }
    let after = wanted.earliest()?;
    let begun = Instant::now();
    let (tell, told) = channel();
    for (index, socket) in sockets.iter().enumerate() {
        let stream = ask_soon(socket, &format!("arrivals {}", after.number(index)))?;
        let tell = tell.clone();
        std::thread::Builder::new()
            .spawn(move || hear(stream, &tell))
            .context("the system gives no thread")?;
    }
    drop(tell);
    let deadline = wanted.timeout.0.map(|time| begun + time);
    Search {
        wanted: &wanted,
        after,
        told,
        deadline,
        servers: sockets.len(),
    }
    .run()
}

/// Asks a server, which a script may have started just now.
fn ask_soon(socket: &Path, words: &str) -> anyhow::Result<UnixStream> {
    let begun = Instant::now();
    loop {
        match request(socket, words) {
            Err(error) if begun.elapsed() >= STARTING => return Err(error),
            Err(_) => std::thread::sleep(TICK),
            asked => return asked,
        }
    }
}

/// What is printed for `--after`: how many messages each server has had.
fn mark(sockets: &[PathBuf]) -> anyhow::Result<u8> {
    let mut counts = Vec::new();
    for socket in sockets {
        let broken = || format!("the server at {} does not answer", socket.display());
        let stream = ask_soon(socket, "mark")?;
        let mut line = String::new();
        BufReader::new(stream)
            .read_line(&mut line)
            .with_context(broken)?;
        let count = line.trim_end().strip_prefix("ok: ").with_context(broken)?;
        counts.push(count.to_owned());
    }
    print(&format!("@{}\n", counts.join(",")))?;
    Ok(exit::OK)
}

/// Which messages count.
#[derive(Clone, Debug, PartialEq, Eq)]
enum After {
    /// Those that come from now on.
    Now,
    /// Those behind these numbers, one for each server.
    Numbers(Vec<u64>),
    /// Those behind the one of this name.
    Message(String),
    /// Those from this moment on, in milliseconds since 1970.
    Moment(u64),
}

impl After {
    /// The last message that does not count of a server, for the request.
    fn number(&self, server: usize) -> String {
        match self {
            Self::Now => u64::MAX.to_string(),
            Self::Numbers(numbers) => numbers.get(server).copied().unwrap_or(0).to_string(),
            Self::Message(_) | Self::Moment(_) => "0".to_owned(),
        }
    }
}

impl WaitArguments {
    fn earliest(&self) -> anyhow::Result<After> {
        if self.existing {
            return Ok(After::Numbers(Vec::new()));
        }
        if let Some(since) = self.since {
            let now = SystemTime::now().duration_since(UNIX_EPOCH)?;
            let since = since.0.map_or(now, |since| now.saturating_sub(since));
            return Ok(After::Moment(milliseconds(since)));
        }
        let Some(after) = &self.after else {
            return Ok(After::Now);
        };
        let usage = || {
            let text = format!(
                "--after {after}: give what a message is called, a moment such as 2026-11-26T14:00:00Z, or what --mark printed"
            );
            exit::failure(exit::USAGE, text)
        };
        if let Some(numbers) = after.strip_prefix('@') {
            let numbers: Result<Vec<u64>, _> = numbers.split(',').map(str::parse).collect();
            return numbers.map(After::Numbers).map_err(|_| usage());
        }
        let seconds = after
            .parse::<f64>()
            .ok()
            .filter(|seconds| (0.0..1e12).contains(seconds));
        if let Some(seconds) = seconds {
            return Ok(After::Moment(milliseconds(Duration::from_secs_f64(
                seconds,
            ))));
        }
        if let Some(seconds) = date::from_internet(after) {
            let seconds = u64::try_from(seconds).map_err(|_| usage())?;
            return Ok(After::Moment(seconds * 1000));
        }
        if after.contains(char::is_whitespace) {
            return Err(usage());
        }
        Ok(After::Message(after.clone()))
    }
}

fn milliseconds(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

/// What is heard of a server.
enum Heard {
    /// It listens, and has had so many messages.
    Listening(u64),
    Message(Box<Arrived>),
    /// It has stopped, or says what nobody understands.
    Over,
}

struct Arrived {
    about: About,
    text: Vec<u8>,
}

/// As the server tells it.
struct About {
    number: u64,
    moment: u64,
    id: String,
    from: String,
    to: Vec<String>,
}

fn hear(stream: UnixStream, tell: &Sender<Heard>) {
    let mut reader = BufReader::new(stream);
    let mut next = || -> Option<Heard> {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        let line = line.strip_prefix(' ')?.trim_end();
        if let Some(count) = line.strip_prefix("listening ") {
            return count.parse().ok().map(Heard::Listening);
        }
        let (octets, about) = line.strip_prefix("message ")?.split_once(' ')?;
        let about = glean::object(about)?;
        // Its own end of line follows.
        let octets: u64 = octets.parse().ok()?;
        let mut text = Vec::new();
        let read = (&mut reader).take(octets + 2).read_to_end(&mut text).ok()?;
        if read as u64 != octets + 2 {
            return None;
        }
        text.truncate(read - 2);
        Some(Heard::Message(Box::new(Arrived { about, text })))
    };
    loop {
        let heard = next().unwrap_or(Heard::Over);
        let is_over = matches!(heard, Heard::Over);
        if tell.send(heard).is_err() || is_over {
            return;
        }
    }
}

struct Search<'a> {
    wanted: &'a WaitArguments,
    after: After,
    told: Receiver<Heard>,
    deadline: Option<Instant>,
    servers: usize,
}

impl Search<'_> {
    fn run(mut self) -> anyhow::Result<u8> {
        let mut listening = 0;
        let mut child: Option<Child> = None;
        let mut left = self.wanted.count;
        // What had come before, until the message of --after is among it.
        let mut backlog: Vec<Box<Arrived>> = Vec::new();
        let mut counts = 0;
        loop {
            let heard = match self.next(&mut child)? {
                Next::Heard(heard) => heard,
                Next::TooLate => {
                    stop(child);
                    return Ok(self.too_late(left));
                }
                Next::Failed(status) => {
                    let code = status.code().and_then(|code| u8::try_from(code).ok());
                    return Err(exit::failure(
                        code.unwrap_or(exit::SOFTWARE),
                        format!(
                            "{} failed ({status}): there is nothing to wait for",
                            self.wanted.command[0]
                        ),
                    ));
                }
            };
            match heard {
                Heard::Over => {
                    stop(child);
                    return Err(exit::failure(
                        exit::UNAVAILABLE,
                        "the server stopped before the message came",
                    ));
                }
                Heard::Listening(count) => {
                    listening += 1;
                    counts += count;
                    if listening == self.servers && !self.wanted.command.is_empty() {
                        child = Some(self.start()?);
                    }
                    if let After::Message(id) = &self.after
                        && counts == 0
                        && listening == self.servers
                    {
                        return Err(unknown(id));
                    }
                }
                Heard::Message(message) => {
                    if let After::Message(id) = &self.after {
                        if message.about.id == *id {
                            self.after = After::Numbers(Vec::new());
                        } else if message.about.number >= counts {
                            // The last one there was, and not it.
                            return Err(unknown(id));
                        } else {
                            backlog.push(message);
                        }
                        continue;
                    }
                    if !self.counts(&message) {
                        continue;
                    }
                    if self.take(&message)? {
                        left -= 1;
                        if left == 0 {
                            return self.end(child);
                        }
                    }
                }
            }
        }
    }

    fn next(&self, child: &mut Option<Child>) -> anyhow::Result<Next> {
        loop {
            if let Some(running) = child
                && let Some(status) = running.try_wait()?
            {
                *child = None;
                if !status.success() {
                    return Ok(Next::Failed(status));
                }
            }
            let left = self
                .deadline
                .map(|deadline| deadline.saturating_duration_since(Instant::now()));
            // A command that fails is noticed while nothing comes.
            let step = match child {
                Some(_) => Some(left.unwrap_or(TICK).min(TICK)),
                None => left,
            };
            let heard = match step {
                Some(step) => self.told.recv_timeout(step),
                None => self.told.recv().map_err(|_| RecvTimeoutError::Disconnected),
            };
            match heard {
                Ok(heard) => return Ok(Next::Heard(heard)),
                Err(RecvTimeoutError::Disconnected) => return Ok(Next::Heard(Heard::Over)),
                Err(RecvTimeoutError::Timeout) => {}
            }
            if left.is_some_and(|left| left.is_zero())
                || self
                    .deadline
                    .is_some_and(|deadline| deadline <= Instant::now())
            {
                return Ok(Next::TooLate);
            }
        }
    }

    fn start(&self) -> anyhow::Result<Child> {
        let [program, arguments @ ..] = &self.wanted.command[..] else {
            anyhow::bail!("no command");
        };
        let mut command = std::process::Command::new(program);
        // What it prints is not what we print.
        command.args(arguments).stdout(std::io::stderr());
        command.process_group(0);
        command.spawn().map_err(|error| {
            exit::failure(exit::NO_INPUT, format!("{program}: cannot be run: {error}"))
        })
    }

    /// The last one has come: the command may still be about to fail.
    fn end(&self, child: Option<Child>) -> anyhow::Result<u8> {
        let Some(mut child) = child else {
            return Ok(exit::OK);
        };
        let status = child.wait()?;
        if status.success() {
            return Ok(exit::OK);
        }
        let code = status.code().and_then(|code| u8::try_from(code).ok());
        Err(exit::failure(
            code.unwrap_or(exit::SOFTWARE),
            format!(
                "{} failed ({status}), though the message came",
                self.wanted.command[0]
            ),
        ))
    }

    fn counts(&self, message: &Arrived) -> bool {
        match self.after {
            After::Moment(moment) => message.about.moment >= moment,
            _ => true,
        }
    }

    /// Prints what was asked for, if it matches.
    fn take(&self, arrived: &Arrived) -> anyhow::Result<bool> {
        let about = &arrived.about;
        let is = |address: &str, wanted: &[String]| {
            wanted.is_empty() || wanted.iter().any(|wanted| is_address(address, wanted))
        };
        if !self.wanted.to.is_empty() && !about.to.iter().any(|to| is(to, &self.wanted.to)) {
            return Ok(false);
        }
        if !is(&about.from, &self.wanted.from) {
            return Ok(false);
        }
        let message = Message::parse(&arrived.text);
        let wanted = self.wanted;
        if let Some(subject) = &wanted.subject
            && !subject.is_match(&message.subject)
        {
            return Ok(false);
        }
        if let Some(body) = &wanted.body
            && !body.is_match(&message.text)
            && !message
                .html
                .as_ref()
                .is_some_and(|html| body.is_match(html))
        {
            return Ok(false);
        }
        let pick = |texts: Vec<String>| {
            texts
                .into_iter()
                .find(|text| wanted.pick.as_ref().is_none_or(|pick| pick.is_match(text)))
        };
        let printed = match wanted.print {
            None => format!("{}\n", about.id),
            Some(What::Header) => message.header(),
            Some(What::Body) => {
                let mut text = message.text.clone();
                if !text.ends_with('\n') {
                    text.push('\n');
                }
                text
            }
            // One that has none is not the one that is waited for.
            Some(What::Link) => match pick(message.links()) {
                Some(link) => format!("{link}\n"),
                None => return Ok(false),
            },
            Some(What::Otp) => match pick(message.codes()) {
                Some(code) => format!("{code}\n"),
                None => return Ok(false),
            },
            Some(What::Raw) => {
                use std::io::Write;
                let mut stdout = std::io::stdout().lock();
                stdout
                    .write_all(&arrived.text)
                    .and_then(|()| stdout.flush())
                    .map_err(exit::unwritable)?;
                return Ok(true);
            }
            Some(What::Json) => format!("{}\n", message.json(about)),
        };
        print(&printed)?;
        Ok(true)
    }

    fn too_late(&self, left: u32) -> u8 {
        let came = self.wanted.count - left;
        let seconds = self.wanted.timeout.0.unwrap_or_default().as_secs_f64();
        crate::applet::evidence::note(&match self.wanted.count {
            1 => format!("no message that matches came within {seconds} s"),
            count => format!("{came} of {count} messages that match came within {seconds} s"),
        });
        exit::NEGATIVE
    }
}

enum Next {
    Heard(Heard),
    TooLate,
    Failed(ExitStatus),
}

fn unknown(id: &str) -> anyhow::Error {
    let text = format!("--after {id}: the server does not remember such a message");
    exit::failure(exit::DATA, text)
}

/// Nobody waits for it any more.
fn stop(child: Option<Child>) {
    if let Some(mut child) = child {
        let _ = child.kill();
        let _ = child.wait();
    }
}

/// Whether an address is the one that is wanted: `alice@localhost`, or `alice` in any domain; case does not count.
fn is_address(address: &str, wanted: &str) -> bool {
    let wanted = wanted.trim_start_matches('<').trim_end_matches('>');
    if wanted.contains('@') {
        return address.eq_ignore_ascii_case(wanted);
    }
    let local = address.rsplit_once('@').map_or(address, |(local, _)| local);
    local.eq_ignore_ascii_case(wanted)
}

/// How long a server may take to start.
const STARTING: Duration = Duration::from_secs(3);
const TICK: Duration = Duration::from_millis(100);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whom_it_is_to() {
        for (address, wanted, is) in [
            ("alice@localhost", "alice", true),
            ("Alice@LOCALHOST", "<alice@localhost>", true),
            ("alice@localhost", "alice@other", false),
            ("alice+x@localhost", "alice", false),
            ("postmaster", "postmaster", true),
        ] {
            assert_eq!(is_address(address, wanted), is, "{address} {wanted}");
        }
    }

    #[test]
    fn times_may_be_short_or_endless() {
        let time = |text: &str| text.parse::<Patience>().map(|time| time.0);
        assert_eq!(time("10"), Ok(Some(Duration::from_secs(10))));
        assert_eq!(time("0.5"), Ok(Some(Duration::from_millis(500))));
        assert_eq!(time("5m"), Ok(Some(Duration::from_secs(300))));
        assert_eq!(time("0"), Ok(None));
        for text in ["", "-1", "x", "1d", "1e99", "NaN"] {
            assert!(time(text).is_err(), "{text}");
        }
    }
}
