//! One conversation of a client applet: from [`Access`] to the exit code.
//!
//! Finds the host, connects, drives the session, and says what came of it: what was tried, on what, why it failed, and
//! what to do.

use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::SystemTime;

use super::credentials::{Access, Certificate, Dialogue, Security};
use super::evidence;
use super::exit::{self, failure};
use crate::proto::Session;
use crate::proto::client::{CONNECTING, Failure, GREETING, Lasting, Plan, Upgrade};
use crate::reactor::client::{self, ClientError, Observers, Target, WireOf};
use crate::reactor::resolver::{self, Family, ResolveError};
use crate::reactor::{self, CertificateFault, TlsError, Trust};
use crate::tap::Tap;
use crate::tap::transcript::{Folding, Transcript};

/// What a session needs to know of `access`; a failure where nobody is named to log in.
pub fn plan(access: &Access) -> anyhow::Result<Plan> {
    let login = access.required_login()?;
    Ok(Plan {
        upgrade: match access.security {
            Security::StartTls | Security::StartTlsIfOffered => Upgrade::Required,
            Security::Implicit | Security::Plain => Upgrade::Never,
        },
        user: login.user.clone(),
        password: login.password.clone(),
        patience: access.timeout,
    })
}

/// Connects and drives `session` to its end. An error is one of the connection: ask the session what it thinks first.
pub fn converse(access: &Access, session: &mut dyn Session) -> anyhow::Result<()> {
    converse_fed(access, session, None)
}

/// The same with a session that something else than the server wakes, too.
pub fn converse_fed(
    access: &Access,
    session: &mut dyn Session,
    feed: Option<Box<client::Feed>>,
) -> anyhow::Result<()> {
    if access.dialogue == Dialogue::Shown
        && let Some(words) = evidence::refusal("-v")
    {
        return Err(failure(exit::USAGE, words));
    }
    let mut target = target(access)?;
    let tap = (access.dialogue == Dialogue::Shown).then(|| {
        let sink = Arc::new(Mutex::new(io::stderr()));
        Box::new(Transcript::new(sink, Folding::After(SHOWN_LINES))) as Box<dyn Tap>
    });
    let pcap = access.pcap.as_deref();
    let capture = pcap.map(evidence::capture).transpose();
    let capture = capture.map_err(|words| failure(exit::IO, words))?;
    target.tls.key_log = evidence::key_log(capture.as_ref(), evidence::note);
    let wire = capture.clone().map(|capture| {
        let name = format!("mailtool to {}", access.address());
        Box::new(move |ours, theirs| capture.stream(SystemTime::now(), ours, theirs, &name))
            as Box<WireOf>
    });
    let result = client::converse(&target, session, Observers { tap, wire, feed });
    if let (Some(path), Some(capture)) = (pcap, &capture)
        && let Some(words) = evidence::shortened(path, capture)
    {
        evidence::note(&words);
    }
    result.map_err(|error| explain(access, &error))
}

pub(super) fn explain(access: &Access, error: &ClientError) -> anyhow::Error {
    let code = match error {
        // No fault of the server's, so it is not named.
        ClientError::Tls {
            source: TlsError::Authorities(why),
            ..
        } => return failure(exit::NO_INPUT, format!("--ca: {why}")),
        ClientError::Tls {
            source: TlsError::Pem(why),
            ..
        } => return failure(exit::DATA, format!("--cert, --key: {why}")),
        ClientError::Connect { .. } | ClientError::Proxy { .. } => exit::UNAVAILABLE,
        ClientError::Tls { .. } => exit::PROTOCOL,
        ClientError::Lost { .. } | ClientError::Timeout { .. } => exit::TEMPORARY,
        ClientError::System(_) => exit::SYSTEM,
    };
    failure(code, format!("{error}{}", advice(access, error)))
}

/// What the user can do about it, where the error itself does not say.
fn advice(access: &Access, error: &ClientError) -> String {
    let fault = match error {
        ClientError::Connect { .. }
            if access.is_local()
                && access.route.socket.is_none()
                && access.route.proxy.is_empty() =>
        {
            return " (`mailtool serve` starts a server here, and prints its ports)".to_owned();
        }
        ClientError::Tls {
            source: TlsError::Certificate { fault, .. },
            ..
        } => fault,
        _ => return String::new(),
    };
    if access.route.tls_fingerprint.is_some() {
        return String::new();
    }
    let insecure = "--insecure goes on without looking at it";
    match (fault, &access.ca) {
        (CertificateFault::UnknownIssuer, None) => format!(
            "; give the authority that has with --ca FILE (`mailtool serve` keeps its own in STORE/tls/ca.pem, and \
             prints where that is); {insecure}"
        ),
        (CertificateFault::UnknownIssuer, Some(ca)) => format!(
            "; that of --ca {} has not either: is it the file of this very server? --insecure goes on without looking at it",
            ca.display()
        ),
        _ => format!("; {insecure}"),
    }
}

/// What came of it all: the conversation's own fate, and what the session says.
pub fn conclude(
    protocol: &str,
    access: &Access,
    conversation: anyhow::Result<()>,
    mut failures: Vec<Failure>,
) -> anyhow::Result<u8> {
    // A session that is done is done, however the connection ended. One that was cut off knows less than the connection.
    if let Err(error) = conversation
        && let [Failure::Lost { step }] = &failures[..]
    {
        return Err(lost_at(step, error));
    }
    if let Some(at) = failures
        .iter()
        .position(|failure| matches!(failure, Failure::Sink(_)))
        && let Failure::Sink(error) = failures.swap_remove(at)
    {
        return Err(exit::unwritable(error));
    }
    let Some(worst) = failures.iter().map(code).max() else {
        return Ok(exit::OK);
    };
    let said: Vec<_> = failures
        .iter()
        .map(|failure| format!("{failure}{}", hint(protocol, access, failure)))
        .collect();
    let place = format!("{protocol} at {}", access.address());
    Err(failure(worst, format!("{place}: {}", said.join("\n  "))))
}

/// What went wrong with a connection, and in which step, if it stood.
pub fn lost_at(step: &str, error: anyhow::Error) -> anyhow::Error {
    match exit::code_of(&error) {
        Some(code @ exit::TEMPORARY) if step != CONNECTING => {
            failure(code, format!("{step}: {error:#}"))
        }
        _ => error,
    }
}

/// What `failure` does not know: how the server was called, and who else greets like that.
pub fn hint(protocol: &str, access: &Access, failure: &Failure) -> String {
    match failure {
        Failure::Silent { step } | Failure::Lost { step }
            if step == GREETING && access.security != Security::Implicit =>
        {
            "; a server that waits for TLS says nothing first: if this is one, add --tls".to_owned()
        }
        Failure::Protocol { step, said } if step == GREETING => match speaker(said) {
            Some(TLS) => "; this server speaks TLS from the first byte: add --tls".to_owned(),
            Some(other) if !other.contains(protocol) => format!("; this is a server of {other}"),
            _ => String::new(),
        },
        _ => String::new(),
    }
}

/// Who greets in these words.
fn speaker(said: &str) -> Option<&'static str> {
    let speakers = [
        (&["220 ", "220-", "554 ", "421 "][..], "SMTP or LMTP"),
        (&["+OK", "-ERR"], "POP3"),
        (&["* OK", "* PREAUTH", "* BYE"], "IMAP"),
        (&["SSH-"], "SSH"),
        (&["HTTP/", "<html", "<!DOCTYPE"], "HTTP"),
        // The head of an alert, or of a handshake message (RFC 8446 §5.1).
        (&["\u{15}\u{3}", "\u{16}\u{3}"], TLS),
    ];
    let greets = |words: &[&str]| words.iter().any(|word| said.starts_with(word));
    speakers
        .into_iter()
        .find_map(|(words, speaker)| greets(words).then_some(speaker))
}

const TLS: &str = "TLS";

pub(super) fn target(access: &Access) -> anyhow::Result<Target> {
    let way = access.route.way(access.port)?;
    let addresses = match (way.proxies.first(), &way.socket) {
        (_, Some(_)) => Vec::new(),
        (Some(proxy), _) => addresses(&proxy.host, proxy.port, "--proxy")?,
        (None, None) => addresses(&access.host, access.port, "--server")?,
    };
    let security = match access.security {
        Security::Implicit => reactor::Security::Implicit,
        Security::StartTls | Security::StartTlsIfOffered | Security::Plain => {
            reactor::Security::Plain
        }
    };
    let mut target = Target::new(&access.host, addresses, security);
    target.tls.trust = match access.certificate {
        Certificate::Checked => Trust::Authorities {
            extra: access.ca.clone(),
        },
        Certificate::Unchecked => Trust::Anybody,
    };
    if let Some(fingerprint) = access.route.tls_fingerprint {
        target.tls.trust = Trust::Pinned(fingerprint);
    }
    target.tls.server_name.clone_from(&access.route.sni);
    target.tls.identity = access.route.identity()?;
    target.way = way;
    target.connect_timeout = target.connect_timeout.min(access.timeout);
    target.patience = access.timeout;
    Ok(target)
}

fn addresses(host: &str, port: u16, option: &str) -> anyhow::Result<Vec<SocketAddr>> {
    resolver::resolve(host, port, Family::Any).map_err(|error| {
        let code = match error {
            ResolveError::Temporary => exit::TEMPORARY,
            _ => exit::NO_HOST,
        };
        failure(
            code,
            format!("cannot find the address of {host}: {error}; is {option} spelled right?"),
        )
    })
}

/// The larger the worse.
fn code(failure: &Failure) -> u8 {
    match failure {
        Failure::Negative(_) => exit::NEGATIVE,
        Failure::Unsendable(_) | Failure::Misunderstood(_) => exit::USAGE,
        Failure::TlsFirst => exit::NO_PERMISSION,
        Failure::Login(refusal) if refusal.duration == Lasting::Permanent => exit::NO_PERMISSION,
        Failure::Refused(refusal) | Failure::Command(refusal) | Failure::Login(refusal) => {
            match refusal.duration {
                Lasting::Permanent => exit::UNAVAILABLE,
                Lasting::Temporary => exit::TEMPORARY,
            }
        }
        Failure::NoTls => exit::UNAVAILABLE,
        Failure::Silent { .. } | Failure::Lost { .. } => exit::TEMPORARY,
        Failure::Protocol { .. } => exit::PROTOCOL,
        Failure::Sink(_) => exit::IO,
    }
}

/// Lines of what one side says at a stretch that are shown of a dialogue: a message can be long.
const SHOWN_LINES: usize = 60;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::applet::route::RouteArguments;
    use crate::proto::client::Refusal;
    use std::time::Duration;

    fn access() -> Access {
        Access {
            host: "localhost".into(),
            port: 1110,
            security: Security::Plain,
            ca: None,
            certificate: Certificate::Checked,
            timeout: Duration::from_secs(1),
            dialogue: Dialogue::Hidden,
            pcap: None,
            login: None,
            route: RouteArguments::default(),
        }
    }

    fn end(conversation: anyhow::Result<()>, failures: Vec<Failure>) -> (Option<u8>, String) {
        match conclude("POP3", &access(), conversation, failures) {
            Ok(code) => (Some(code), String::new()),
            Err(error) => (exit::code_of(&error), format!("{error:#}")),
        }
    }

    #[test]
    fn all_failures_are_told_and_the_worst_is_the_code() {
        let missing = |step: &str| {
            Failure::Negative(Refusal::new(step, b"no such message", Lasting::Permanent))
        };
        assert_eq!(end(Ok(()), vec![]), (Some(exit::OK), String::new()));
        assert_eq!(
            end(Ok(()), vec![missing("RETR 8"), missing("RETR 9")]),
            (
                Some(exit::NEGATIVE),
                "POP3 at localhost:1110: RETR 8: no such message\n  RETR 9: no such message".into()
            )
        );
        let lost = || Failure::Lost {
            step: "STAT".into(),
        };
        let (code, _) = end(Ok(()), vec![missing("RETR 8"), lost()]);
        assert_eq!(code, Some(exit::TEMPORARY));
        let refused = || Err(failure(exit::UNAVAILABLE, "connection refused"));
        let broken = || Err(failure(exit::TEMPORARY, "lost the connection"));
        let told = (
            Some(exit::TEMPORARY),
            "STAT: lost the connection".to_owned(),
        );
        assert_eq!(end(broken(), vec![lost()]), told);
        let expected = (Some(exit::UNAVAILABLE), "connection refused".to_owned());
        assert_eq!(end(refused(), vec![lost()]), expected);
        assert_eq!(end(refused(), vec![]).0, Some(exit::OK));
    }

    #[test]
    fn a_reader_who_went_away_is_no_story() {
        let gone = Failure::Sink(io::ErrorKind::BrokenPipe.into());
        let error = conclude("POP3", &access(), Ok(()), vec![gone]).expect_err("a failure");
        let kind = error.downcast_ref::<io::Error>().map(io::Error::kind);
        assert_eq!(kind, Some(io::ErrorKind::BrokenPipe));
    }
}
