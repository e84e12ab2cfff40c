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

use std::io::{self, IsTerminal};

use super::Netcat;
use super::complaint::Complaint;
use super::dialect::Dialect;
use super::eprint;
use super::hops::Connection;
use super::options::{self, Begins, Idle, Mail};
use super::secure::Whereabouts;
use super::witnesses::Among;
use crate::applet::{exit, in_language, lang};
use crate::proto::raw::Keyboard;
use crate::proto::raw::lockstep::{Ending, Failure, Greeting, Options, Stay, Timing};
use crate::reactor::CertificateFault;
use crate::reactor::stdio::edit_no_more;
use crate::reactor::typist::{self, Call, Conclusion, Display, Explanations, Style, Tags};
use crate::reactor::{Connector, Security};
use crate::tap::dump::Cutting;
use crate::tap::masked::Masked;
use crate::tap::{Side, Tap};

impl Netcat {
    /// Has a conversation in lock-step. The exit code; what went wrong is said on stderr.
    pub(super) fn talk_mail(
        &mut self,
        mail: Mail,
        connection: Connection,
        host: &str,
        server: Whereabouts,
    ) -> Result<u8, Complaint> {
        let keyboard = self.input.keyboard();
        let explanations = match io::stdout().is_terminal() {
            true => Explanations::InPlace(style(true)),
            false => Explanations::Aside(style(io::stderr().is_terminal())),
        };
        let tags = match keyboard {
            Keyboard::Terminal => Tags::Told,
            Keyboard::Other => Tags::Untold,
        };
        let name = match self.options.dialect {
            Dialect::Ncat => "Ncat",
            Dialect::OpenBsd | Dialect::Traditional => self.words.called.as_str(),
        };
        let display = Display::new(name, explanations, tags, |text| {
            in_language(lang(), text.to_owned())
        });
        let mut taps: Vec<Box<dyn Tap>> = Vec::new();
        let mut tap = self
            .witnesses
            .tap(Side::Client, Among::Alone, Cutting::Lines);
        self.show_prelude(&mut tap);
        taps.extend(tap);
        if self.words.verbose > 0 && keyboard != Keyboard::Terminal {
            taps.push(Box::new(Masked::new(vec![display.echo()])));
        }
        let tap = (!taps.is_empty()).then(|| Box::new(taps) as Box<dyn Tap>);
        let tls = self.client_tls(server)?;
        let (greeting, security) = match self.options.tls.begins {
            Begins::After(_) => (Greeting::Heard, Security::Implicit),
            Begins::AtOnce => (Greeting::Awaited, Security::Implicit),
            Begins::Never | Begins::WhenAgreed => (Greeting::Awaited, Security::Plain),
        };
        let call = Call {
            socket: connection.socket,
            first: connection.left_over,
            security,
            host: host.to_owned(),
            connector: Box::new(move || Connector::with(&tls)),
            wire: match &self.meter {
                Some(meter) => Some(meter.watch(Side::Client, connection.wire)),
                None => connection.wire,
            },
        };
        let timing = self.options.timing;
        let session = Options {
            protocol: mail.protocol,
            greeting,
            keyboard,
            explain: mail.explain,
            idle: timing.idle.map(Idle::after),
            stay: match (timing.quit_after, mail.stay) {
                (Some(after), _) => Stay::For(after),
                (None, options::Stay::UntilClosed) => Stay::Forever,
                (None, options::Stay::UntilAnswered) => Stay::No,
            },
            interval: self.options.flow.interval,
            checks: mail.checks,
            timing: match self.options.evidence.timing {
                true => Timing::Told,
                false => Timing::Untold,
            },
        };
        self.edit_lines()?;
        let (input, output) = (&mut self.input, &mut self.output);
        let conclusion = typist::converse(call, session, display, input, output, tap);
        edit_no_more(input, output);
        let conclusion = conclusion?;
        self.tell_stats();
        let (code, why) = match conclusion {
            Conclusion::Ended(Ending::Done) => return Ok(exit::OK),
            Conclusion::Unheard => return Ok(1),
            Conclusion::Ended(Ending::Failed(failure)) => {
                let code = match failure {
                    Failure::Expectation(_) => exit::SCRIPT,
                    Failure::Dialogue(_) => 1,
                };
                (code, failure.to_string())
            }
            Conclusion::Untrusted => {
                let complaint = self
                    .words
                    .bad_certificate(host, &CertificateFault::UnknownIssuer);
                return Err(complaint.in_our_words());
            }
            Conclusion::Trouble(why) => (1, format!("{host}: {why}")),
        };
        eprint(&self.words.error(&in_language(lang(), why)));
        Ok(code)
    }
}

/// Colour is for terminals, and for who wants it (no-color.org).
fn style(is_terminal: bool) -> Style {
    let unwanted = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    match is_terminal && !unwanted {
        true => Style::Dimmed,
        false => Style::Plain,
    }
}
