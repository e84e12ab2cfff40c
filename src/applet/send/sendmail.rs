//! What sendmail(8) does beside sending one message: its modes (`-b`), its queue (`-q`), and reports (`-N`, `-R`, `-V`).
//!
//! | asked for | done |
//! |---|---|
//! | `-bm` | a message is sent |
//! | `-bs` | SMTP between stdin and stdout, and the server: the program that called has the dialogue itself |
//! | `-bp`, `mailq` | what the queue of the server on this machine holds |
//! | `-bi`, `newaliases` | nothing: the server reads a changed file of aliases by itself |
//! | `-q` | what waits in that queue is tried now |

use std::env;
use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Instant;

use super::{Arguments, PORTS};
use crate::applet::conversation::{explain, target};
use crate::applet::credentials::{Access, Dialogue, Security};
use crate::applet::exit::{self, failure};
use crate::applet::serve::queue;
use crate::proto::raw::{InputEnd, Options, Outcome, PeerEnd, Policy, Role};
use crate::proto::smtp::client::Reports;
use crate::reactor::client::{ClientError, Target};
use crate::reactor::reach::{Reached, reach};
use crate::reactor::relay::{HandshakeError, Link, Manner, relay};
use crate::reactor::stdio::{Input, Output};
use crate::reactor::{self, Connector};
use crate::tap::Tap;
use crate::tap::masked::Masked;
use crate::tap::transcript::{Folding, Transcript};
use crate::wire::envelope::{Notify, Ret};
use crate::wire::smtp::Parameter;
use crate::wire::smtp::parameters::{Offered, rcpt_options};
use crate::wire::xtext;

/// The name by which the program was called, if it is one of sendmail's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Called {
    /// `sendmail`
    Sendmail,
    /// `newaliases`
    Newaliases,
    /// Anything else.
    Otherwise,
}

impl Called {
    /// By a link, or as the word behind the program's own name.
    pub(super) fn now() -> Self {
        let mut words = env::args_os();
        let file_name = |word| {
            let name = Path::new(&word).file_name().map(ToOwned::to_owned);
            name.unwrap_or_default().to_string_lossy().into_owned()
        };
        let first = words.next().map(file_name).unwrap_or_default();
        match crate::applet::find(&first) {
            Some(_) => Self::of(&first),
            None => Self::of(&words.next().map(file_name).unwrap_or_default()),
        }
    }

    fn of(name: &str) -> Self {
        match name {
            "sendmail" => Self::Sendmail,
            "newaliases" => Self::Newaliases,
            _ => Self::Otherwise,
        }
    }
}

/// Does what is asked for other than sending a message: the exit code. `None`: a message is to be sent.
pub(super) fn another_mode(arguments: &Arguments) -> anyhow::Result<Option<u8>> {
    if let Some(interval) = &arguments.queue {
        if !interval.is_empty() {
            let interval = exit::printable(interval);
            return Err(failure(
                exit::USAGE,
                format!(
                    "-q{interval}: the server tries again by itself; -q alone has it try everything now"
                ),
            ));
        }
        return queue::flush_everything().map(Some);
    }
    match arguments.mode.as_deref() {
        _ if Called::now() == Called::Newaliases => Ok(Some(exit::OK)),
        None | Some("m") => Ok(None),
        Some("s") => session(&arguments.server.access(&PORTS)?).map(Some),
        Some("p") => queue::list_everything().map(Some),
        Some("i") => Ok(Some(exit::OK)),
        Some(mode) => {
            let mode = exit::printable(mode);
            Err(failure(
                exit::USAGE,
                format!(
                    "-b{mode}: -bm sends, -bs speaks SMTP on stdin and stdout, -bp shows the queue, -bi is for aliases; \
                     a server is `mailtool serve`"
                ),
            ))
        }
    }
}

/// Which reports the sender is to get.
pub(super) fn reports(arguments: &Arguments) -> anyhow::Result<Reports> {
    let wrong = |option: &str, text: &str, why: &str| {
        let text = exit::printable(text);
        failure(exit::USAGE, format!("{option} {text}: {why}"))
    };
    let notify = match &arguments.notify {
        None => Notify::Unsaid,
        Some(text) => notify(text).ok_or_else(|| {
            let why = "never, or some of success,failure,delay";
            wrong("--notify", text, why)
        })?,
    };
    let ret = match &arguments.ret {
        None => None,
        Some(text) if text.eq_ignore_ascii_case("full") => Some(Ret::Full),
        Some(text) if text.eq_ignore_ascii_case("hdrs") => Some(Ret::Headers),
        Some(text) => return Err(wrong("--return", text, "full or hdrs")),
    };
    if let Some(id) = &arguments.envelope_id {
        // RFC 3461 §4.4: printable, and of 100 octets at most as it is said.
        let is_printable = id.bytes().all(|octet| matches!(octet, b' '..=b'~'));
        if id.is_empty() || !is_printable || xtext::encode(id).len() > 100 {
            let why = "printable ASCII, 100 octets at most";
            return Err(wrong("--envelope-id", id, why));
        }
    }
    Ok(Reports {
        notify,
        ret,
        envelope_id: arguments.envelope_id.clone(),
    })
}

/// As a server would read it.
fn notify(text: &str) -> Option<Notify> {
    let parameter = Parameter {
        keyword: "NOTIFY",
        value: Some(text),
    };
    let offered = Offered {
        max_octets: 0,
        dsn: true,
        deliver_by: None,
        future_release: None,
        require_tls: false,
    };
    let (notify, _) = rcpt_options(&[parameter], &offered).ok()?;
    Some(notify)
}

/// `-bs`: stdin to the server, the server to stdout.
fn session(access: &Access) -> anyhow::Result<u8> {
    let refused = |why: &str| Err(failure(exit::USAGE, format!("-bs: {why}")));
    if access.login.is_some() {
        return refused(
            "whoever has the dialogue logs in by itself; leave --user and MAILTOOL_USER away",
        );
    }
    if access.security == Security::StartTls {
        return refused(
            "whoever has the dialogue says STARTTLS by itself; --tls begins with TLS, --no-starttls in the clear",
        );
    }
    if access.pcap.is_some() {
        return refused("there is no --pcap here: `mailtool nc --pcap FILE` has it");
    }
    let target = target(access)?;
    let link = connect(&target).map_err(|error| explain(access, &error))?;
    let (mut input, mut output) = (Input::stdin()?, Output::stdout()?);
    let options = Options {
        input_end: InputEnd::HalfClose,
        peer_end: PeerEnd::Leave,
        ..Options::default()
    };
    let policy = Policy::new(Instant::now(), Role::Connect, input.keyboard(), options);
    let tap = (access.dialogue == Dialogue::Shown).then(|| {
        let transcript = Transcript::new(Arc::new(Mutex::new(io::stderr())), Folding::Never);
        Box::new(Masked::new(vec![Box::new(transcript)])) as Box<dyn Tap>
    });
    let manner = Manner {
        tap,
        ..Manner::default()
    };
    match relay(&mut input, &mut output, link, policy, manner)?.outcome {
        Outcome::Done | Outcome::Unheard => Ok(exit::OK),
        Outcome::Idle | Outcome::Refused | Outcome::Broken => Err(failure(
            exit::TEMPORARY,
            format!("lost the connection to {}", access.address()),
        )),
    }
}

/// A connection, with TLS if it begins with that.
fn connect(target: &Target) -> Result<Link, ClientError> {
    let Reached {
        socket,
        place,
        left_over,
        ..
    } = reach(target, None)?;
    let patience = Some(target.connect_timeout);
    if target.security != reactor::Security::Implicit {
        let link = Link::stream(socket).map_err(ClientError::System)?;
        return Ok(link.with_left_over(left_over));
    }
    let host = target.host.clone();
    let at = place.clone();
    let no_tls = |source| ClientError::Tls {
        host: host.clone(),
        place: at.clone(),
        source,
    };
    let connector = Connector::with(&target.tls).map_err(no_tls)?;
    let mut link = Link::tls_client(socket, &connector, &target.host).map_err(no_tls)?;
    match link.handshake(patience) {
        Ok(()) => Ok(link),
        Err(HandshakeError::Tls(source)) => Err(no_tls(source)),
        Err(_) => Err(ClientError::Timeout {
            host: target.host.clone(),
            place,
            what: "TLS",
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reports_are_read_as_a_server_reads_them() {
        let on = |success, failure, delay| {
            Some(Notify::On {
                success,
                failure,
                delay,
            })
        };
        for (text, expected) in [
            ("never", Some(Notify::Never)),
            ("SUCCESS,failure", on(true, true, false)),
            ("delay", on(false, false, true)),
            ("never,success", None),
            ("", None),
            ("success, failure", None),
        ] {
            assert_eq!(notify(text), expected, "{text}");
        }
    }

    #[test]
    fn names_of_sendmail_are_known() {
        assert_eq!(Called::of("sendmail"), Called::Sendmail);
        assert_eq!(Called::of("newaliases"), Called::Newaliases);
        assert_eq!(Called::of("send"), Called::Otherwise);
    }
}
