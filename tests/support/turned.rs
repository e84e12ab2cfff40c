//! Plays a dialogue against a client session, with the roles turned: what stands behind `S:` is said to it, and what it
//! says must be what stands behind `C:`.

use std::time::Instant;

use mailtool::proto::{Input, Session, TlsInfo};
use mailtool::tap::Side;

use super::pattern::Names;
use super::script::{Action, Dialog};
use super::sessions::{Failure, Feeding, Wire, readable};

/// Plays it, the server's octets fed as `feeding` says.
pub fn play(
    dialog: &Dialog,
    session: Box<dyn Session + '_>,
    feeding: Feeding,
) -> Result<(), Failure> {
    let mut now = Instant::now();
    let mut names = Names::new();
    let mut wire = Wire::new(session, Side::Client, now);
    if dialog.given.secure {
        wire.handle(now, Input::TlsUp(tls_info()));
    }
    wire.handle(now, Input::Open);
    wire.settle(now, None);
    for step in &dialog.steps {
        let failure = |expected: String, got: String| Failure {
            file: dialog.path.display().to_string(),
            line: step.line,
            how: format!("against the client, {feeding:?}"),
            expected,
            got,
        };
        let said = match &step.action {
            Action::Line(pattern) => [pattern.plausible(&mut names), b"\r\n".to_vec()].concat(),
            Action::Exactly(octets) => octets.clone(),
            _ => Vec::new(),
        };
        let pieces: Vec<&[u8]> = match feeding {
            Feeding::Octets => said.chunks(1).collect(),
            Feeding::Whole | Feeding::CutAt(_) => vec![&said],
        };
        for piece in pieces {
            wire.unsent.extend(piece);
            wire.settle(now, None);
        }
        let expected = dialog.line(step.line).to_owned();
        match &step.action {
            Action::Say(pattern, _) => {
                let matched = wire
                    .next_line()
                    .is_some_and(|line| pattern.matches(line, &mut names));
                if !matched {
                    return Err(failure(expected, readable(wire.unread())));
                }
                wire.take_line();
            }
            Action::Send(octets) => {
                if !wire.unread().starts_with(octets) {
                    return Err(failure(readable(octets), readable(wire.unread())));
                }
                wire.read += octets.len();
            }
            Action::ClientEnds | Action::Lost if !wire.closed => {
                return Err(failure(expected, "it keeps the connection".into()));
            }
            Action::TlsUp => {
                if !wire.start_tls(now, tls_info()) {
                    return Err(failure(expected, "it did not ask for TLS".into()));
                }
                wire.settle(now, None);
            }
            Action::ServerCloses => {
                wire.client_ended = true;
                wire.settle(now, None);
            }
            Action::Clock(jump) => {
                now += *jump;
                let due = wire.session.as_ref().and_then(|session| session.deadline());
                if due.is_some_and(|deadline| deadline <= now) {
                    wire.handle(now, Input::Timeout);
                    wire.settle(now, None);
                }
            }
            _ => {}
        }
    }
    if !wire.unread().is_empty() {
        return Err(Failure {
            file: dialog.path.display().to_string(),
            line: dialog.steps.last().map_or(1, |step| step.line),
            how: format!("against the client, {feeding:?}"),
            expected: "nothing more".into(),
            got: readable(wire.unread()),
        });
    }
    Ok(())
}

fn tls_info() -> TlsInfo {
    TlsInfo {
        version: "TLSv1.3",
        cipher: "TLS13_AES_256_GCM_SHA384",
        ..TlsInfo::default()
    }
}
