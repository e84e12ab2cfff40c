//! The dialogues of the other tests, typed all at once: the session sends them in lock-step.

use super::*;

/// Nobody looks.
struct Nobody;

impl Screen for Nobody {
    fn received(&mut self, _octets: &[u8]) {}
    fn explain(&mut self, _reply: &[u8], _lines: &str) {}
    fn note(&mut self, _text: &str) {}
    fn tagged(&mut self, _tag: &str) {}
    fn is_full(&self) -> bool {
        false
    }
}

/// All that a dialogue's client says is typed before it begins, and its server says its part without waiting for it. What was sent, and
/// what was typed, with CRLF; `None` if not all that its server says is written down.
fn in_lock_step(dialog: &Dialog, piece: usize) -> Option<(String, String)> {
    let protocol = match (dialog.protocol, dialog.given.mode.as_str()) {
        (Protocol::Smtp, "lmtp") => raw::Protocol::Lmtp,
        (Protocol::Smtp, _) => raw::Protocol::Smtp,
        (Protocol::Pop3, _) => raw::Protocol::Pop3,
        (Protocol::Imap, _) => raw::Protocol::Imap,
    };
    let options = Options {
        protocol: Some(protocol),
        greeting: Greeting::Awaited,
        keyboard: Keyboard::Terminal,
        explain: None,
        idle: None,
        stay: Stay::No,
        interval: None,
        checks: Checks::First,
        timing: Timing::Untold,
    };
    let (mut typed, mut said) = (Vec::new(), Vec::new());
    let mut names = Names::new();
    for step in &dialog.steps {
        match &step.action {
            _ if step.connection != 1 => return None,
            Action::Line(pattern) => {
                said.push(Some([&pattern.plausible(&mut names)[..], b"\r\n"].concat()))
            }
            Action::Exactly(octets) => said.push(Some(octets.clone())),
            Action::Say(pattern, end) => {
                typed.extend([&pattern.plausible(&mut names)[..], end].concat())
            }
            Action::Send(octets) => typed.extend(octets),
            Action::TlsUp => said.push(None),
            Action::ServerCloses | Action::ClientEnds => {}
            _ => return None,
        }
    }
    let now = Instant::now();
    let mut out = Out::new(Side::Client, now, None);
    let mut session = LockStep::new(now, options, Nobody);
    let mut reader = LineReader::new();
    session.handle(now, Input::Open, &mut out);
    session.typed(now, &typed, &mut out);
    for said in said {
        match said {
            Some(octets) => {
                for octets in octets.chunks(piece) {
                    reader.push(octets);
                    pump(&mut reader, &mut session, now, &mut out);
                }
            }
            None if out.take_wish() == Some(Wish::StartTls) => {
                session.handle(
                    now,
                    Input::TlsUp(TlsInfo {
                        version: "TLSv1.3",
                        cipher: "X",
                        ..TlsInfo::default()
                    }),
                    &mut out,
                );
            }
            None => {}
        }
    }
    let mut sent = Vec::new();
    while let Some(Front::Bytes(octets)) = out.front() {
        let length = octets.len();
        sent.extend_from_slice(octets);
        out.advance(length);
    }
    let mut wire = Vec::new();
    raw::Crlf::default().encode(&typed, &mut wire);
    Some((
        sent.escape_ascii().to_string(),
        wire.escape_ascii().to_string(),
    ))
}

#[test]
fn all_that_is_typed_of_a_dialogue_goes_in_lock_step() {
    // Not all of these is sent, or not as it was typed.
    let others = [
        "http.dialog",               // the server closes
        "too-many-errors.dialog",    // the same
        "smuggling-after-lf.dialog", // only with LF line ends the dot is an end
        "tag-missing.dialog",        // it gets one
    ];
    let mut played = 0;
    for protocol in [Protocol::Smtp, Protocol::Pop3, Protocol::Imap] {
        for path in script::find(protocol) {
            let dialog = Dialog::read(protocol, &path).expect("a dialogue");
            let Some((sent, typed)) = in_lock_step(&dialog, usize::MAX) else {
                continue;
            };
            let (octets, _) = in_lock_step(&dialog, 1).expect("as before");
            assert_eq!(octets, sent, "{path:?}: cut differently");
            if !others.iter().any(|other| path.ends_with(other)) {
                assert_eq!(sent, typed, "{path:?}");
                played += 1;
            }
        }
    }
    assert!(
        played >= 20,
        "only {played} dialogues have all that a server says"
    );
}
