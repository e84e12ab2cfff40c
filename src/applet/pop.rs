//! `mailtool pop`: reads a mailbox by POP3.

mod seen;

use std::cell::RefCell;
use std::collections::HashSet;
use std::io::{self, Write};
use std::path::PathBuf;

use clap::{ArgMatches, Args, Command, CommandFactory, FromArgMatches, Parser, Subcommand};

use self::seen::{Part, Seen, now};
use super::conversation::{conclude, converse, plan};
use super::credentials::{Access, Ports, Secret, ServerArguments};
use super::exit::{self, failure, printable};
use super::imap::nobody;
use super::outlet::{Outlet, Place};
use super::output::Form;
use crate::proto::client::{About, Failure, Lasting, Refusal, Sink};
use crate::proto::pop3::client::{self, Client, Listed, Login, Picked, Request, Then, Way};

/// Read a mailbox by POP3: what is there, the messages, and deleting them
///
/// One command a session: log in, do it, QUIT. Messages have the numbers 1, 2, 3 ... of the session; `uidl` tells names
/// that stay. Reading deletes nothing, unless --delete says so: then what is safe here is deleted there.
#[derive(Debug, Parser)]
#[command(name = "pop", after_help = EXAMPLES, subcommand_required = true, arg_required_else_help = true)]
struct Arguments {
    #[command(flatten)]
    server: ServerArguments,
    /// How to log in: USER (in the clear), APOP, or a mechanism of AUTH: SCRAM-SHA-256-PLUS, SCRAM-SHA-256, SCRAM-SHA-1, PLAIN, LOGIN,
    /// CRAM-MD5; OAUTHBEARER and XOAUTH2 with a token in place of the password; EXTERNAL with a client certificate [default: the best
    /// mechanism that the server offers, else USER]
    #[arg(long, value_name = "NAME", help_heading = "Server and login")]
    auth: Option<Way>,
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// How many messages there are, and how many octets: `2 320`
    Stat(Told),
    /// Number and octets of each message, or of one
    List(MaybeMessage),
    /// Number and unique id of each message, or of one; the id stays the same
    Uidl(MaybeMessage),
    /// The header of a message, and the first lines of its body
    Top {
        /// Number of the message
        #[arg(value_parser = clap::value_parser!(u64).range(1..))]
        message: u64,
        /// Lines of the body
        #[arg(default_value_t = 0)]
        lines: u64,
        #[command(flatten)]
        form: FormArguments,
    },
    /// Messages, whole, as they were sent: by number, --all of them, or the --new ones
    Retr {
        /// Numbers of the messages
        #[arg(required_unless_present_any = ["all", "new"], value_name = "MESSAGE", value_parser = clap::value_parser!(u64).range(1..))]
        messages: Vec<u64>,
        #[command(flatten)]
        wishes: Box<Wishes>,
        #[command(flatten)]
        form: FormArguments,
        #[command(flatten)]
        place: Place,
    },
    /// Delete messages
    Dele(Messages),
    /// Nothing: log in and out, to see whether that works
    Noop,
    /// Log in, take back what was marked as deleted in the session, and quit
    Rset,
    /// What the server is and can; without --user, before login
    #[command(visible_alias = "capa")]
    Serverinfo {
        /// Write JSON, for programs
        #[arg(long)]
        json: bool,
    },
}

/// What is fetched, and what becomes of it.
#[derive(Args, Debug, Default)]
struct Wishes {
    /// All messages
    #[arg(long, conflicts_with_all = ["messages", "new"])]
    all: bool,
    /// Those that were not fetched so before, by their unique ids, which --state keeps
    #[arg(long, conflicts_with = "messages")]
    new: bool,
    /// File that keeps what --new has fetched; else `$XDG_STATE_HOME/mailtool/pop/USER@HOST:PORT`
    #[arg(long, value_name = "FILE", requires = "new", conflicts_with_all = ["all", "messages"])]
    state: Option<PathBuf>,
    /// Delete at the server what is safe here; with --new, what was fetched before as well
    #[arg(long)]
    delete: bool,
    /// Leave at the server what was fetched: the usual way
    #[arg(long, conflicts_with_all = ["delete", "delete_after"])]
    keep: bool,
    /// Delete at the server what --new has fetched so many days ago
    #[arg(long, value_name = "DAYS", requires = "new", conflicts_with_all = ["delete", "all", "messages"])]
    delete_after: Option<u32>,
    /// Leave messages of more octets where they are
    #[arg(long, value_name = "OCTETS")]
    max_size: Option<u64>,
    /// Of those that are larger, fetch the header and so many lines; they are not deleted
    #[arg(long, value_name = "LINES", num_args = 0..=1, default_missing_value = "0", require_equals = true, requires = "max_size")]
    top: Option<u64>,
    /// Exit code 1 when there was none to fetch
    #[arg(long)]
    expect_mail: bool,
}

/// How it is told.
#[derive(Args, Clone, Copy, Debug, Default)]
struct Told {
    /// Write JSON, for programs
    #[arg(long)]
    json: bool,
    /// Exit code 1 when there is no mail
    #[arg(long)]
    expect_mail: bool,
}

#[derive(Args, Debug)]
struct MaybeMessage {
    /// Number of the message
    #[arg(value_parser = clap::value_parser!(u64).range(1..))]
    message: Option<u64>,
    #[command(flatten)]
    told: Told,
}

#[derive(Args, Debug)]
struct Messages {
    /// Numbers of the messages
    #[arg(required = true, value_name = "MESSAGE", value_parser = clap::value_parser!(u64).range(1..))]
    messages: Vec<u64>,
}

/// How message text is written.
#[derive(Args, Clone, Copy, Debug)]
pub(super) struct FormArguments {
    /// End lines with LF, as programs here like it, instead of CRLF, as it was sent
    #[arg(long)]
    lf: bool,
}

impl FormArguments {
    /// The form that is meant.
    pub(super) const fn form(self) -> Form {
        if self.lf { Form::Lf } else { Form::Raw }
    }
}

/// The options.
pub fn command() -> Command {
    // Options may stand before the action or after it.
    Arguments::command().mut_args(|argument| argument.global(true))
}

/// Does it; the exit code.
pub fn run(matches: &ArgMatches) -> anyhow::Result<u8> {
    let arguments = Arguments::from_arg_matches(matches)?;
    let mut task = Task::of(arguments.action);
    let (place, requests) = (
        std::mem::take(&mut task.place),
        std::mem::take(&mut task.requests),
    );
    let mechanism = match arguments.auth {
        Some(Way::Mechanism(mechanism)) => Some(mechanism),
        _ => None,
    };
    let access = (arguments.server).access_with(&PORTS, Secret::of(mechanism))?;
    let needs_login = requests != [Request::Capa];
    let plan = match access.login.is_some() || needs_login {
        true => plan(&access)?,
        false => nobody(&access),
    };
    let login = Login {
        way: arguments.auth,
        nonce: crate::reactor::nonce(),
    };
    let fetch = Fetch::new(&task, &access)?;
    let mut sink = Safe {
        kept: place.keeps(),
        outlet: place.open(task.form)?,
        fetch: &fetch,
    };
    let written = match task.json {
        true => client::Form::Json,
        false => client::Form::Lines,
    };
    let mut client = Client::new(plan, requests, &mut sink)
        .with_login(login)
        .writing(written);
    if fetch.wishes.is_some() {
        client = client.picking(Box::new(|there| fetch.pick(there)));
    }
    let conversation = converse(&access, &mut client);
    let found = client.found();
    let mut failures = client.into_failures();
    failures.extend(sink.flush().err().map(Failure::Sink));
    let left = fetch.left.take();
    let done = failures.is_empty();
    let ended = conclude("POP3", &access, conversation, failures);
    for words in left {
        eprintln!("mailtool: {}", printable(&super::told(&words)));
    }
    if done {
        fetch.forget()?;
    }
    match ended {
        Ok(exit::OK) if found == 0 && task.expect_mail => Ok(exit::NEGATIVE),
        ended => ended,
    }
}

/// What is done, and how it is written.
#[derive(Debug, Default)]
struct Task {
    requests: Vec<Request>,
    form: Form,
    json: bool,
    expect_mail: bool,
    place: Place,
    wishes: Option<Wishes>,
    messages: Vec<u64>,
}

impl Task {
    fn of(action: Action) -> Self {
        let told = |request, told: Told| Self {
            requests: vec![request],
            json: told.json,
            expect_mail: told.expect_mail,
            ..Self::default()
        };
        match action {
            Action::Stat(how) => told(Request::Stat, how),
            Action::List(one) => told(Request::List(one.message), one.told),
            Action::Uidl(one) => told(Request::Uidl(one.message), one.told),
            Action::Top {
                message,
                lines,
                form,
            } => Self {
                requests: vec![Request::Top { message, lines }],
                form: form.form(),
                ..Self::default()
            },
            Action::Retr {
                messages,
                wishes,
                form,
                place,
            } => {
                let plain =
                    !(wishes.all || wishes.new || wishes.delete) && wishes.max_size.is_none();
                let requests = messages.iter().copied().map(Request::Retr);
                Self {
                    requests: requests.filter(|_| plain).collect(),
                    form: form.form(),
                    expect_mail: wishes.expect_mail,
                    place,
                    wishes: (!plain).then_some(*wishes),
                    messages,
                    ..Self::default()
                }
            }
            Action::Dele(messages) => Self {
                requests: messages.messages.into_iter().map(Request::Dele).collect(),
                ..Self::default()
            },
            Action::Noop => told(Request::Noop, Told::default()),
            Action::Rset => told(Request::Rset, Told::default()),
            Action::Serverinfo { json } => Self {
                json,
                ..told(Request::Capa, Told::default())
            },
        }
    }
}

/// What is fetched, what has been, and what was left.
struct Fetch<'a> {
    wishes: Option<&'a Wishes>,
    messages: &'a [u64],
    seen: Option<RefCell<Seen>>,
    /// Ids of all that is there.
    there: RefCell<HashSet<String>>,
    /// Of which only the header was asked for, by their ids.
    tops: RefCell<HashSet<String>>,
    /// What is told at the end.
    left: RefCell<Vec<String>>,
}

impl<'a> Fetch<'a> {
    fn new(task: &'a Task, access: &Access) -> anyhow::Result<Self> {
        let wishes = task.wishes.as_ref();
        let seen = match wishes.filter(|wishes| wishes.new) {
            None => None,
            Some(wishes) => {
                let path = match &wishes.state {
                    Some(path) => path.clone(),
                    None => usual_state(access)?,
                };
                let seen = Seen::open(&path).map_err(|error| {
                    let code = match error.kind() {
                        io::ErrorKind::ResourceBusy => exit::TEMPORARY,
                        _ => exit::IO,
                    };
                    failure(code, format!("--state {}: {error}", path.display()))
                })?;
                Some(RefCell::new(seen))
            }
        };
        Ok(Self {
            wishes,
            messages: &task.messages,
            seen,
            there: RefCell::default(),
            tops: RefCell::default(),
            left: RefCell::default(),
        })
    }

    /// Chooses of what is there.
    fn pick(&self, there: &[Listed]) -> Result<Vec<Picked>, Failure> {
        let Some(wishes) = self.wishes else {
            return Ok(Vec::new());
        };
        if self.seen.is_some() && there.iter().any(|listed| listed.id.is_empty()) {
            let why = "the server has no UIDL, without which nobody can tell which messages are new: fetch --all";
            return Err(Failure::Unsendable(why));
        }
        *self.there.borrow_mut() = there.iter().map(|listed| listed.id.clone()).collect();
        if let Some(gone) = self
            .messages
            .iter()
            .find(|message| !there.iter().any(|listed| listed.message == **message))
        {
            let step = Request::Retr(*gone);
            let refusal = Refusal::new(step, b"there is no such message", Lasting::Permanent);
            return Err(Failure::Negative(refusal));
        }
        let all = wishes.all || wishes.new;
        let meant = there
            .iter()
            .filter(|listed| all || self.messages.contains(&listed.message));
        Ok(meant
            .filter_map(|listed| self.pick_one(wishes, listed))
            .collect())
    }

    fn pick_one(&self, wishes: &Wishes, listed: &Listed) -> Option<Picked> {
        let message = listed.message;
        let known = self
            .seen
            .as_ref()
            .and_then(|seen| seen.borrow().get(&listed.id));
        if let Some(known) = known.filter(|known| known.part == Part::Whole) {
            let age = now().saturating_sub(known.when);
            let old = |days: u32| age >= u64::from(days) * DAY;
            let goes = wishes.delete || wishes.delete_after.is_some_and(old);
            return goes.then_some(Picked::Gone(message));
        }
        if wishes.max_size.is_some_and(|most| listed.octets > most) {
            if known.is_some() {
                return None;
            }
            let octets = listed.octets;
            let words = format!("message {message} of {octets} octets stays at the server");
            self.left.borrow_mut().push(words);
            let lines = wishes.top?;
            self.tops.borrow_mut().insert(listed.id.clone());
            return Some(Picked::Top(message, lines));
        }
        let then = match wishes.delete || wishes.delete_after == Some(0) {
            true => Then::Goes,
            false => Then::Stays,
        };
        Some(Picked::Whole(message, then))
    }

    /// A message is safe here.
    fn fetched(&self, id: &str) -> io::Result<()> {
        let part = match self.tops.borrow().contains(id) {
            true => Part::Header,
            false => Part::Whole,
        };
        match &self.seen {
            Some(seen) => seen.borrow_mut().add(id, part),
            None => Ok(()),
        }
    }

    /// Forgets what is no longer at the server: all went well.
    fn forget(&self) -> anyhow::Result<()> {
        let Some(seen) = &self.seen else {
            return Ok(());
        };
        let forgotten = seen.borrow_mut().keep_only(&self.there.borrow());
        forgotten.map_err(|error| failure(exit::IO, format!("--state: {error}")))
    }
}

/// Where state is kept, unless somebody says where.
fn usual_state(access: &Access) -> anyhow::Result<PathBuf> {
    let state = std::env::var_os("XDG_STATE_HOME").filter(|path| !path.is_empty());
    let home = || Some(PathBuf::from(std::env::var_os("HOME")?).join(".local/state"));
    let state = state.map(PathBuf::from).or_else(home).ok_or_else(|| {
        let why = "neither XDG_STATE_HOME nor HOME is set: say with --state FILE where it is kept what was fetched";
        failure(exit::USAGE, why)
    })?;
    let user = &access.required_login()?.user;
    let name = format!("{user}@{}", access.address()).replace('/', "%");
    Ok(state.join("mailtool/pop").join(name))
}

/// Passes everything on, and remembers what is safe.
struct Safe<'a> {
    outlet: Outlet,
    /// Whether messages go anywhere but to standard output.
    kept: bool,
    fetch: &'a Fetch<'a>,
}

impl Write for Safe<'_> {
    fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        self.outlet.write(octets)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.outlet.flush()
    }
}

impl Sink for Safe<'_> {
    fn ended(&mut self, about: &About<'_>) -> io::Result<()> {
        self.outlet.ended(about)?;
        if self.fetch.wishes.is_none() {
            return Ok(());
        }
        if !self.kept {
            // What it is written to may be a file; of a pipe or a terminal nobody can say more than that it took it.
            self.outlet.flush()?;
            match rustix::fs::fsync(rustix::stdio::stdout()) {
                Err(error) if error == rustix::io::Errno::IO => return Err(error.into()),
                _ => {}
            }
        }
        self.fetch.fetched(about.id)
    }
}

const DAY: u64 = 24 * 60 * 60;

const PORTS: Ports = Ports {
    local: 1110,
    local_tls: 1995,
    standard: 110,
    standard_tls: 995,
};

const EXAMPLES: &str = "\
Examples:
  mailtool pop --user alice stat       asks for the password
  mailtool pop -u alice top 3 10       header and 10 lines of message 3
  MAILTOOL_PASSWORD=alice mailtool pop -u alice -v retr 1
                                       the message, and the dialogue on stderr
  mailtool pop --server pop.example.org --tls -u alice \\
      --password-file p.txt retr 1 2 >two.eml
  mailtool pop -u alice retr --new --output Mail/ --delete-after 30
                                       what is new into a Maildir

Exit codes:
   0  done                             1  no such message, or no mail
  64  wrong usage                     65  wrong input
  66  a file cannot be read           68  no such host
  69  not reachable, or refused       74  cannot write what was received
  75  try again later                 76  the server breaks the protocol
  77  login refused";

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(words: &[&str]) -> Result<Arguments, clap::Error> {
        let words = ["pop"].iter().chain(words).copied();
        let matches = command().try_get_matches_from(words)?;
        Arguments::from_arg_matches(&matches)
    }

    #[test]
    fn the_command_is_consistent() {
        command().debug_assert();
    }

    #[test]
    fn options_stand_anywhere() {
        for words in [
            &["-u", "alice", "-v", "retr", "1", "2"][..],
            &["retr", "1", "2", "-u", "alice", "-v"],
        ] {
            let arguments = parse(words).expect("good words");
            assert_eq!(arguments.server.user.as_deref(), Some("alice"));
            assert!(arguments.server.verbose);
            let expected = vec![Request::Retr(1), Request::Retr(2)];
            let task = Task::of(arguments.action);
            assert_eq!((task.requests, task.form), (expected, Form::Raw));
        }
        let lf = parse(&["top", "3", "--lf"]).expect("good words");
        let top = Request::Top {
            message: 3,
            lines: 0,
        };
        let task = Task::of(lf.action);
        assert_eq!((task.requests, task.form), (vec![top], Form::Lf));
    }

    #[test]
    fn numbers_begin_at_one() {
        for words in [
            &["retr"][..],
            &["retr", "0"],
            &["retr", "x"],
            &["dele"],
            &[],
            &["retr", "1", "--all"],
            &["retr", "--all", "--state", "x"],
            &["retr", "--new", "--keep", "--delete"],
            &["retr", "--all", "--top"],
        ] {
            assert!(parse(words).is_err(), "{words:?}");
        }
    }
}
