//! What a case of the table is made of: words for a netcat, what its stdin and stdout are, who is at the other end of the
//! network, and what everybody does, one step after the other. [`stage`] plays it and writes down what was to be seen;
//! [`record`] keeps what the real programs did.
//!
//! In words, and in what the peer says, `{port}` and its like stand for what is different each time:
//!
//! | name | what it is |
//! |---|---|
//! | `{port}` | a port at which the case's [`Peer`] listens |
//! | `{closed}` | the one above it, where nobody does |
//! | `{other}` | the one above that: `{port}` again, a second time |
//! | `{port, two octets}` | `{port}` as it is in a packet |
//! | `{end}` | the one above that, closed: `{port}-{end}` is a range of four with two open |
//! | `{listen}` | a free port for the netcat to listen at |
//! | `{source}` | a free port for it to call from |
//! | `{caller}` | the port that the peer, or the netcat when it was accepted, has called from |
//! | `{here}` | 127.x.y.z, which no other case uses |
//! | `{dir}` | the folder in which it runs, with the case's files in it |

pub mod corners;
pub mod ncat;
pub mod ncat_proxies;
pub mod ncat_servers;
pub mod ncat_sockets;
pub mod openbsd;
pub mod openbsd_scripts;
pub mod openbsd_sockets;
mod peer;
pub mod record;
mod running;
pub mod stage;
pub mod traditional;

/// Whose options and messages they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    /// Debian's nc.openbsd.
    OpenBsd,
    /// Nmap's ncat.
    Ncat,
    /// Debian's nc.traditional.
    Traditional,
}

impl Dialect {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::OpenBsd, Self::Ncat, Self::Traditional];

    /// In the names of cases.
    pub const fn name(self) -> &'static str {
        match self {
            Self::OpenBsd => "openbsd",
            Self::Ncat => "ncat",
            Self::Traditional => "traditional",
        }
    }

    /// What the program is called by.
    pub const fn called(self) -> &'static str {
        match self {
            Self::OpenBsd | Self::Traditional => "nc",
            Self::Ncat => "ncat",
        }
    }

    /// Debian's program of this dialect.
    pub const fn program(self) -> &'static str {
        match self {
            Self::OpenBsd => "nc.openbsd",
            Self::Ncat => "ncat",
            Self::Traditional => "nc.traditional",
        }
    }
}

/// One case of the table.
#[derive(Clone, Debug)]
pub struct Case {
    pub dialect: Dialect,
    pub name: &'static str,
    pub words: Words,
    pub input: Input,
    pub output: Output,
    pub peer: Peer,
    pub files: Vec<(&'static str, &'static str)>,
    pub steps: Vec<Step>,
    /// `$OPTION` of a line of shell.
    pub option: &'static str,
    /// A further program, and its package.
    pub needs: Option<(&'static str, &'static str)>,
    pub difference: Option<Difference>,
    /// Why theirs does not do the same each time: it is recorded, but not held to it.
    pub unsteady: Option<&'static str>,
}

/// Words for the program.
#[derive(Clone, Copy, Debug)]
pub enum Words {
    /// Separated by blanks; `''` is an empty one, and `~` a blank inside of one.
    Arguments(&'static str),
    /// A line of shell, in which `nc` and `ncat` are the program.
    Shell(&'static str),
}

/// Its stdin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Input {
    /// `<&-`
    Closed,
    /// `/dev/null`
    Null,
    /// A regular file of this content.
    File(&'static str),
    /// A pipe: [`Step::Type`] writes into it, [`Step::EndInput`] closes it.
    Pipe,
    /// A pseudo-terminal.
    Terminal,
}

/// Its stdout. It is read by the test, at once, unless said otherwise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Output {
    /// A pipe.
    Pipe,
    /// `>&-`
    Closed,
    /// A pipe whose reader has gone away.
    Unread,
    /// `/dev/full`
    Full,
}

/// Who is at the other end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Peer {
    /// The test listens, from before the program starts.
    Listens(Over),
    /// The test calls: [`Step::Call`]. By TCP it may be called, too.
    Calls(Over),
    /// The test listens at a port of `{here}` that has a name in /etc/services.
    Serves(u16),
    /// At `{port}` somebody listens who takes no calls: whoever calls waits.
    Deaf,
}

/// What octets travel by. A name in the file system is `{dir}/socket`, one outside of it `@` and the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Over {
    Tcp,
    Tcp6,
    Udp,
    Udp6,
    Unix,
    UnixDatagrams,
    Abstract,
    AbstractDatagrams,
}

/// What somebody does. Of each is written down what came of it, if anything can.
#[derive(Clone, Copy, Debug)]
pub enum Step {
    /// The peer takes a call.
    Accept,
    /// The peer calls, as soon as the program listens. Each time anew: the steps that follow are those of this caller, but
    /// for those behind [`Step::As`].
    Call,
    /// What follows is done by the caller of this number.
    As(usize),
    /// The peer sends.
    Send(&'static [u8]),
    /// The peer waits for so much as this; what it hears may be something else.
    Hears(&'static [u8]),
    /// The same, and after how many seconds it came.
    HearsAfter(&'static [u8]),
    /// The peer reads to the end, and sees what kind of end it is.
    HearsEnd,
    /// The peer has no more to say.
    HalfClose,
    /// The peer goes away.
    Close,
    /// The peer breaks the connection off.
    Reset,
    /// So many octets are sent by the peer, while the steps go on.
    SendMuch(usize),
    /// The user types, and needs no more than that the pipe takes it.
    Type(&'static [u8]),
    /// So many octets are typed, while the steps go on; then input ends.
    TypeMuch(usize),
    /// Input ends; at a terminal by Ctrl-D.
    EndInput,
    /// Stderr has told a port: that is where the peer calls from now on.
    SaysPort,
    /// Stdout has shown so much more as this; it may be something else.
    Shows(&'static [u8]),
    /// Stderr has said this.
    Says(&'static str),
    /// Nobody reads stdout any more.
    CloseOutput,
    /// The program ends by itself.
    Leaves,
    /// The same, and after how many seconds.
    LeavesAfter,
    /// The program goes on running, though nothing else happens.
    Stays,
    /// The program is sent SIGTERM.
    Terminate,
    /// The content of a file in `{dir}`.
    Reads(&'static str),
    /// How many octets in all have arrived at stdout, and whether they are those of [`Step::SendMuch`].
    ShowsMuch(usize),
    /// How many octets arrive at the peer, and whether they are those of [`Step::TypeMuch`].
    HearsMuch(usize),
}

impl Step {
    /// Whether it is over as soon as the program has started.
    pub const fn is_quick(&self) -> bool {
        matches!(self, Self::Accept | Self::Call)
    }

    /// Whether the peer does it, on a line.
    pub const fn is_for_a_line(self) -> bool {
        matches!(
            self,
            Self::Send(_)
                | Self::SendMuch(_)
                | Self::Hears(_)
                | Self::HearsAfter(_)
                | Self::HearsEnd
                | Self::HearsMuch(_)
                | Self::HalfClose
                | Self::Close
                | Self::Reset
        )
    }
}

/// Where ours deliberately does something else.
#[derive(Clone, Debug)]
pub struct Difference {
    /// Why.
    pub because: &'static str,
    /// Lines of what is seen of theirs, and what stands in their place when ours is run. An empty one is no line, `*`
    /// is all of them, and ours may be several.
    pub lines: &'static [(&'static str, &'static str)],
}

/// A case with stdin at its end from the beginning, and nobody at the other end.
pub fn case(dialect: Dialect, name: &'static str, arguments: &'static str) -> Case {
    Case {
        dialect,
        name,
        words: Words::Arguments(arguments),
        input: Input::Null,
        output: Output::Pipe,
        peer: Peer::Calls(Over::Tcp),
        files: Vec::new(),
        steps: Vec::new(),
        option: "",
        needs: None,
        difference: None,
        unsteady: None,
    }
}

/// The same, of a line of shell.
pub fn shell(dialect: Dialect, name: &'static str, line: &'static str) -> Case {
    Case {
        words: Words::Shell(line),
        ..case(dialect, name, "")
    }
}

impl Case {
    pub fn input(self, input: Input) -> Self {
        Self { input, ..self }
    }

    pub fn output(self, output: Output) -> Self {
        Self { output, ..self }
    }

    /// The peer listens.
    pub fn to(self, over: Over) -> Self {
        Self {
            peer: Peer::Listens(over),
            ..self
        }
    }

    /// The peer calls.
    pub fn from(self, over: Over) -> Self {
        Self {
            peer: Peer::Calls(over),
            ..self
        }
    }

    /// What `$OPTION` is in a line of shell that several cases share.
    pub fn option(self, option: &'static str) -> Self {
        Self { option, ..self }
    }

    /// Without this program it cannot be played.
    pub fn needs(self, program: &'static str, package: &'static str) -> Self {
        Self {
            needs: Some((program, package)),
            ..self
        }
    }

    /// The peer listens at `{here}`, at a port that has a name.
    pub fn serving(self, port: u16) -> Self {
        Self {
            peer: Peer::Serves(port),
            ..self
        }
    }

    /// The peer listens, and takes no calls.
    pub fn deaf(self) -> Self {
        Self {
            peer: Peer::Deaf,
            ..self
        }
    }

    pub fn file(mut self, name: &'static str, content: &'static str) -> Self {
        self.files.push((name, content));
        self
    }

    pub fn steps(mut self, steps: &[Step]) -> Self {
        self.steps.extend_from_slice(steps);
        self
    }

    pub fn differs(
        self,
        because: &'static str,
        lines: &'static [(&'static str, &'static str)],
    ) -> Self {
        Self {
            difference: Some(Difference { because, lines }),
            ..self
        }
    }

    /// Theirs does one thing or another.
    pub fn unsteady(self, because: &'static str) -> Self {
        Self {
            unsteady: Some(because),
            ..self
        }
    }

    /// Whether it cannot be played where there is no IPv6.
    pub const fn is_about_ipv6(&self) -> bool {
        matches!(
            self.peer,
            Peer::Listens(Over::Tcp6 | Over::Udp6) | Peer::Calls(Over::Tcp6 | Over::Udp6)
        )
    }

    /// Whether it is seen how many seconds something takes.
    pub fn is_timed(&self) -> bool {
        let is_timed = |step: &Step| matches!(step, Step::LeavesAfter | Step::HearsAfter(_));
        self.steps.iter().any(is_timed)
    }

    /// As the record names it.
    pub fn title(&self) -> String {
        format!("{} {}", self.dialect.name(), self.name)
    }

    /// What is to be seen of ours, where this is seen of theirs.
    ///
    /// # Errors
    /// A difference that is not one: theirs does not say the line that it is about.
    pub fn expected(&self, theirs: &[String]) -> Result<Vec<String>, String> {
        let mut lines = theirs.to_vec();
        for (their_line, our_line) in self.difference.iter().flat_map(|d| d.lines) {
            let at = match *their_line {
                "" => lines.len(),
                "*" => {
                    lines.clear();
                    0
                }
                their_line => lines
                    .iter()
                    .position(|line| line == their_line)
                    .ok_or_else(|| {
                        format!("a difference from {their_line:?}, which theirs does not say")
                    })?,
            };
            if at < lines.len() {
                lines.remove(at);
            }
            let ours = our_line.lines().map(str::to_owned);
            lines.splice(at..at, ours);
        }
        Ok(lines)
    }
}

/// The table.
pub fn cases() -> Vec<Case> {
    let cases = [
        openbsd::cases(),
        openbsd_sockets::cases(),
        openbsd_scripts::cases(),
        ncat::cases(),
        ncat_sockets::cases(),
        ncat_servers::cases(),
        ncat_proxies::cases(),
        traditional::cases(),
        corners::cases(),
    ]
    .concat();
    let mut titles: Vec<_> = cases.iter().map(Case::title).collect();
    titles.sort_unstable();
    let all = titles.len();
    titles.dedup();
    assert_eq!(all, titles.len(), "two cases have the same name");
    cases
}
