//! `mailtool pop`: reads a mailbox by POP3.

use std::io::Write;

use clap::{ArgMatches, Args, Command, CommandFactory, FromArgMatches, Parser, Subcommand};

use super::conversation::{conclude, converse, plan};
use super::credentials::{Ports, ServerArguments};
use super::output::{Form, Output};
use crate::proto::client::Failure;
use crate::proto::pop3::client::{Client, Login, Request, Way};

/// Read a mailbox by POP3: what is there, the messages, and deleting them
///
/// One command a session: log in, do it, QUIT. Messages have the numbers 1, 2, 3 ... of the session; `uidl` tells names
/// that stay. Reading deletes nothing.
#[derive(Debug, Parser)]
#[command(name = "pop", after_help = EXAMPLES, subcommand_required = true, arg_required_else_help = true)]
struct Arguments {
    #[command(flatten)]
    server: ServerArguments,
    /// How to log in: USER (in the clear), APOP, or a mechanism of AUTH: SCRAM-SHA-256, PLAIN, LOGIN, CRAM-MD5; OAUTHBEARER and
    /// XOAUTH2 with a token in place of the password [default: the best mechanism that the server offers, else USER]
    #[arg(long, value_name = "NAME", help_heading = "Server and login")]
    auth: Option<Way>,
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// How many messages there are, and how many octets: `2 320`
    Stat,
    /// Number and octets of each message, or of one
    List(MaybeMessage),
    /// Number and unique id of each message, or of one; the id stays the same in every session
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
    /// Messages, whole, as they were sent; nothing is deleted
    Retr {
        #[command(flatten)]
        messages: Messages,
        #[command(flatten)]
        form: FormArguments,
    },
    /// Delete messages
    Dele(Messages),
}

#[derive(Args, Debug)]
struct MaybeMessage {
    /// Number of the message
    #[arg(value_parser = clap::value_parser!(u64).range(1..))]
    message: Option<u64>,
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
    let (requests, form) = requests(&arguments.action);
    let access = arguments.server.access(&PORTS)?;
    let mut output = Output::stdout(form);
    let login = Login {
        way: arguments.auth,
        nonce: crate::reactor::nonce(),
    };
    let mut client = Client::new(plan(&access)?, requests, &mut output).with_login(login);
    let conversation = converse(&access, &mut client);
    let mut failures = client.into_failures();
    failures.extend(output.flush().err().map(Failure::Sink));
    conclude("POP3", &access, conversation, failures)
}

fn requests(action: &Action) -> (Vec<Request>, Form) {
    match action {
        Action::Stat => (vec![Request::Stat], Form::Raw),
        Action::List(one) => (vec![Request::List(one.message)], Form::Raw),
        Action::Uidl(one) => (vec![Request::Uidl(one.message)], Form::Raw),
        Action::Top {
            message,
            lines,
            form,
        } => {
            let (message, lines) = (*message, *lines);
            (vec![Request::Top { message, lines }], form.form())
        }
        Action::Retr { messages, form } => {
            let requests = messages.messages.iter().copied().map(Request::Retr);
            (requests.collect(), form.form())
        }
        Action::Dele(messages) => {
            let requests = messages.messages.iter().copied().map(Request::Dele);
            (requests.collect(), Form::Raw)
        }
    }
}

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

Exit codes:
   0  done                             1  no such message
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
            assert_eq!(requests(&arguments.action), (expected, Form::Raw));
        }
        let lf = parse(&["top", "3", "--lf"]).expect("good words");
        let top = Request::Top {
            message: 3,
            lines: 0,
        };
        assert_eq!(requests(&lf.action), (vec![top], Form::Lf));
    }

    #[test]
    fn numbers_begin_at_one() {
        for words in [
            &["retr"][..],
            &["retr", "0"],
            &["retr", "x"],
            &["dele"],
            &[],
        ] {
            assert!(parse(words).is_err(), "{words:?}");
        }
    }
}
