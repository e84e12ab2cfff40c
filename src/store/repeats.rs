//! Deliveries that come again: an LMTP client that did not hear our reply hands in the same message once more (RFC 2033 §4.2 has a reply
//! for each recipient, and a connection that breaks among them leaves the client without the rest).
//!
//! A message is the same when its Message-ID, its reverse-path, its text after the header and its mailbox are: the header itself has a
//! Received line more each time. Without a Message-ID nothing is ever the same. It is remembered for [`limits::REPEAT_WINDOW`], for
//! the last [`limits::REPEATS`] deliveries, in memory: a crash between delivery and reply is rarer than a network that fails, and a file would
//! cost every delivery an fsync more. Only LMTP is looked at: who sends the same message twice by SMTP wants it twice.

use std::collections::{HashMap, VecDeque};
use std::hash::{BuildHasher, Hash, Hasher, RandomState};
use std::path::Path;
use std::sync::Mutex;
use std::time::Instant;

use super::fs::hold;
use crate::limits;
use crate::wire::address::Address;

/// What was delivered lately.
#[derive(Debug, Default)]
pub(super) struct Repeats(Mutex<Known>);

#[derive(Debug, Default)]
struct Known {
    when: HashMap<u64, Instant>,
    order: VecDeque<(Instant, u64)>,
}

/// A message, as told from others while it comes in.
pub(super) struct Fingerprint {
    state: RandomState,
    header: Vec<u8>,
    body: Option<std::hash::DefaultHasher>,
}

impl std::fmt::Debug for Fingerprint {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Fingerprint")
            .finish_non_exhaustive()
    }
}

impl Repeats {
    /// Whether this was delivered to the mailbox already.
    pub(super) fn has(&self, key: u64) -> bool {
        let known = hold(&self.0);
        known
            .when
            .get(&key)
            .is_some_and(|when| when.elapsed() < limits::REPEAT_WINDOW)
    }
    /// It was.
    pub(super) fn note(&self, key: u64) {
        let mut known = hold(&self.0);
        let now = Instant::now();
        known.when.insert(key, now);
        known.order.push_back((now, key));
        while known.order.len() > limits::REPEATS {
            if let Some((when, key)) = known.order.pop_front()
                && known.when.get(&key) == Some(&when)
            {
                known.when.remove(&key);
            }
        }
    }
}

impl Fingerprint {
    pub(super) fn new(state: &RandomState) -> Self {
        Self {
            state: state.clone(),
            header: Vec::new(),
            body: None,
        }
    }

    /// The next part of the text.
    pub(super) fn take(&mut self, text: &[u8]) {
        if let Some(body) = &mut self.body {
            return body.write(text);
        }
        let from = self.header.len().saturating_sub(3);
        self.header.extend_from_slice(text);
        let end = memchr::memmem::find(&self.header[from..], b"\r\n\r\n").map(|at| from + at + 4);
        let end = match end {
            Some(end) => end,
            None if self.header.len() > limits::BLOCK => self.header.len(),
            None => return,
        };
        let mut body = self.state.build_hasher();
        body.write(&self.header[end..]);
        self.header.truncate(end);
        self.body = Some(body);
    }

    /// What stands for its delivery to a mailbox; `None` when it has no Message-ID.
    pub(super) fn key(&self, reverse_path: Option<&Address>, home: &Path) -> Option<u64> {
        let id = message_id(&self.header)?;
        let mut all = self.state.build_hasher();
        id.hash(&mut all);
        reverse_path.hash(&mut all);
        home.hash(&mut all);
        self.body.as_ref().map(Hasher::finish).hash(&mut all);
        Some(all.finish())
    }
}

/// The value of the first Message-ID field.
fn message_id(header: &[u8]) -> Option<&[u8]> {
    const NAME: &[u8] = b"message-id:";
    let mut lines = header.split(|&octet| octet == b'\n');
    let line = lines
        .find(|line| line.len() > NAME.len() && line[..NAME.len()].eq_ignore_ascii_case(NAME))?;
    let value = line[NAME.len()..].trim_ascii();
    (!value.is_empty()).then_some(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(state: &RandomState, text: &str, cut: usize, home: &str) -> Option<u64> {
        let mut fingerprint = Fingerprint::new(state);
        fingerprint.take(&text.as_bytes()[..cut]);
        fingerprint.take(&text.as_bytes()[cut..]);
        fingerprint.key(None, Path::new(home))
    }

    #[test]
    fn the_same_message_is_the_same_however_it_came() {
        let state = RandomState::new();
        let text = "Received: one\r\nmessage-ID: <1@x>\r\n\r\nbody\r\n\r\nend\r\n";
        let again =
            "Received: another\r\nReceived: one\r\nMessage-Id: <1@x>\r\n\r\nbody\r\n\r\nend\r\n";
        let first = key(&state, text, 0, "a").expect("it has an ID");
        for cut in 0..text.len() {
            assert_eq!(key(&state, text, cut, "a"), Some(first));
        }
        assert_eq!(key(&state, again, 20, "a"), Some(first));
        assert_ne!(key(&state, again, 20, "b"), Some(first));
        for other in [again.replace("1@x", "2@x"), again.replace("end", "END")] {
            assert_ne!(key(&state, &other, 20, "a"), Some(first));
        }
        assert_eq!(key(&state, &text.replace("message-ID", "X"), 20, "a"), None);
    }

    #[test]
    fn only_so_many_are_remembered() {
        let repeats = Repeats::default();
        for key in 0..=limits::REPEATS as u64 {
            repeats.note(key);
        }
        assert!(!repeats.has(0) && repeats.has(1) && repeats.has(limits::REPEATS as u64));
        assert_eq!(hold(&repeats.0).when.len(), limits::REPEATS);
    }
}
