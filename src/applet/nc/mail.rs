//! Mail mode: what a conversation in lock-step needs from the command line, and what its end means as an exit code.
//!
//! | it ended | exit code |
//! |---|---|
//! | as it should | 0 |
//! | the server closed too early, or was silent for too long; the connection or TLS failed; a line could not be sent | 1 |
//! | nobody reads stdout any more | 1, quietly |
//! | an expectation of the script did not come true | 3 |
//!
//! The session itself is [`crate::proto::raw::lockstep`]; it is driven by [`crate::reactor::typist`].

use std::io::{self, IsTerminal, Write};
use std::time::Duration;

use socket2::Socket;

use crate::proto::raw::lockstep::{Ending, Failure, Greeting, Options as Session, Stay};
use crate::proto::raw::{Keyboard, Protocol};
use crate::reactor::stdio::{Input, Output};
use crate::reactor::typist::{self, Call, Conclusion, Display, Explanations, Style, Tags};
use crate::reactor::{Connector, Security, TlsError};
use crate::tap::Tap;
use crate::tap::masked::Masked;
use crate::wire::codes::Lang;

/// The exit code when an expectation of a script did not come true.
pub(super) const UNEXPECTED: u8 = 3;

/// What was asked for.
pub(super) struct Options {
    /// What messages begin with: `nc`.
    pub(super) name: String,
    /// The host as the user named it: its certificate must be for it.
    pub(super) host: String,
    /// What is spoken; `None`: the greeting tells.
    pub(super) protocol: Option<Protocol>,
    /// Whether the greeting has been heard already, by STARTTLS. Then `security` is implicit, and `protocol` known.
    pub(super) greeting: Greeting,
    /// Whether TLS comes first. Else it comes when somebody types STARTTLS.
    pub(super) security: Security,
    /// Makes what TLS needs, when it is first wanted.
    pub(super) connector: Box<dyn FnOnce() -> Result<Connector, TlsError>>,
    /// What is known of the server's certificate once TLS stands, in a few words: `certificate verified`.
    pub(super) certificate: &'static str,
    /// Replies are explained in this language.
    pub(super) explain: Option<Lang>,
    /// What is sent is shown on stderr too, where it is not typed there.
    pub(super) verbose: bool,
    /// They are shown the dialogue, without passwords.
    pub(super) taps: Vec<Box<dyn Tap>>,
    /// -w
    pub(super) idle: Option<Duration>,
    /// -q
    pub(super) stay: Stay,
    /// -i
    pub(super) interval: Option<Duration>,
}

/// Has one conversation on a socket that is connected, and of which `first` was read already. The exit code; what went
/// wrong is said on stderr.
pub(super) fn converse(
    socket: Socket,
    first: Vec<u8>,
    input: &mut Input,
    output: &mut Output,
    options: Options,
) -> io::Result<u8> {
    let keyboard = input.keyboard();
    let explanations = match io::stdout().is_terminal() {
        true => Explanations::InPlace(style(true)),
        false => Explanations::Aside(style(io::stderr().is_terminal())),
    };
    let tags = match keyboard {
        Keyboard::Terminal => Tags::Told,
        Keyboard::Other => Tags::Untold,
    };
    let display = Display::new(&options.name, explanations, tags);
    let mut taps = options.taps;
    if options.verbose && keyboard != Keyboard::Terminal {
        taps.push(display.echo());
    }
    let tap = (!taps.is_empty()).then(|| Box::new(Masked::new(taps)) as Box<dyn Tap>);
    let call = Call {
        socket,
        first,
        security: options.security,
        host: options.host.clone(),
        connector: options.connector,
    };
    let session = Session {
        protocol: options.protocol,
        greeting: options.greeting,
        keyboard,
        explain: options.explain,
        idle: options.idle,
        stay: options.stay,
        interval: options.interval,
        certificate: options.certificate,
    };
    let (code, why) = match typist::converse(call, session, display, input, output, tap)? {
        Conclusion::Ended(Ending::Done) => (0, None),
        Conclusion::Ended(Ending::Failed(failure)) => {
            let code = match failure {
                Failure::Expectation(_) => UNEXPECTED,
                Failure::Dialogue(_) => 1,
            };
            (code, Some(failure.to_string()))
        }
        Conclusion::Unheard => (1, None),
        Conclusion::Trouble(why) => (1, Some(format!("{}: {why}", options.host))),
    };
    if let Some(why) = why {
        // Nobody is left to tell when stderr is gone.
        let _ = writeln!(io::stderr(), "{}: {why}", options.name);
    }
    Ok(code)
}

/// Colour is for terminals, and for who wants it (no-color.org).
fn style(is_terminal: bool) -> Style {
    let unwanted = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    match is_terminal && !unwanted {
        true => Style::Dimmed,
        false => Style::Plain,
    }
}
