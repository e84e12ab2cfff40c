//! What `/etc/services` of this machine says: name, port, transport and aliases, a line for each.

use std::fs;

use crate::wire::codes::ports::Service;

/// The file, or that there is none.
pub(super) struct Services {
    text: Option<String>,
}

impl Services {
    /// Where the file is.
    pub(super) const PATH: &'static str = "/etc/services";

    /// Reads it. A file that cannot be read is as good as none.
    pub(super) fn of_this_machine() -> Self {
        let bytes = fs::read(Self::PATH).ok();
        Self {
            text: bytes.map(|bytes| String::from_utf8_lossy(&bytes).into_owned()),
        }
    }

    /// None: nobody asks about a service.
    pub(super) const fn none() -> Self {
        Self { text: None }
    }

    /// One with this text.
    #[cfg(test)]
    pub(super) fn of(text: Option<&str>) -> Self {
        Self {
            text: text.map(str::to_owned),
        }
    }

    /// Whether there is such a file.
    pub(super) const fn exists(&self) -> bool {
        self.text.is_some()
    }

    /// The line about this service: its number in the file, and its words.
    pub(super) fn line(&self, service: &Service) -> Option<(usize, String)> {
        let wanted = service
            .port
            .map(|port| format!("{port}/{}", service.transport));
        let lines = self.text.as_deref()?.lines().enumerate();
        let mut lines = lines.map(|(number, line)| {
            let words: Vec<&str> = line
                .split('#')
                .next()
                .unwrap_or_default()
                .split_whitespace()
                .collect();
            (number + 1, words)
        });
        let (number, words) = lines.find(|(_, words)| match (words.get(1), &wanted) {
            (Some(port), Some(wanted)) => port == wanted,
            (Some(_), None) => words[0] == service.name,
            (None, _) => false,
        })?;
        Some((number, words.join(" ")))
    }
}
