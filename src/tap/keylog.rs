//! The secrets of TLS connections, in the key log format of NSS, so that Wireshark can read what was encrypted.
//!
//! ```text
//! CLIENT_RANDOM 5f3a... 9c41...                       TLS 1.2: the client's random octets, the master secret
//! CLIENT_HANDSHAKE_TRAFFIC_SECRET 5f3a... 02d7...     TLS 1.3: one line for each direction and stage
//! ```
//!
//! Whoever has these lines can read the connection, and a TLS 1.2 connection that resumes it: a file of them is for its owner
//! only. Nothing is logged unless the user asks for it, with the variable that curl, Firefox and Chromium obey as well, or with
//! a capture. The format is described in draft-ietf-tls-keylogfile.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Takes the secrets of TLS connections, a line each.
pub trait KeySink: Send + Sync {
    /// One line, without its line end.
    fn line(&self, line: &str);
}

/// A file that gets a line for each secret; what it held before stays.
pub struct KeyLogFile(File);

impl KeyLogFile {
    /// Opens `path`; makes it, for its owner only, if it is not there.
    ///
    /// # Errors
    /// The system's.
    pub fn open(path: &Path) -> io::Result<Self> {
        let file = OpenOptions::new()
            .append(true)
            .create(true)
            .mode(0o600)
            .open(path)?;
        Ok(Self(file))
    }

    /// The file that `SSLKEYLOGFILE` names; none if it is not set, or empty.
    ///
    /// # Errors
    /// The system's, with the path in front.
    pub fn from_environment() -> io::Result<Option<Self>> {
        let Some(path) = std::env::var_os("SSLKEYLOGFILE").map(PathBuf::from) else {
            return Ok(None);
        };
        if path.as_os_str().is_empty() {
            return Ok(None);
        }
        let fault = |error: io::Error| {
            let what = format!("{}: {error}", path.display());
            io::Error::new(error.kind(), what)
        };
        Self::open(&path).map(Some).map_err(fault)
    }
}

impl KeySink for KeyLogFile {
    /// In one write behind what is there, so that several programs can share the file. An observer changes nothing: what cannot be
    /// written does not end the conversation.
    fn line(&self, line: &str) {
        let _ = (&self.0).write_all(format!("{line}\n").as_bytes());
    }
}

/// All of `sinks` as one; none if there are none.
pub fn together(mut sinks: Vec<Arc<dyn KeySink>>) -> Option<Arc<dyn KeySink>> {
    match sinks.len() {
        0 | 1 => sinks.pop(),
        _ => Some(Arc::new(Together(sinks))),
    }
}

struct Together(Vec<Arc<dyn KeySink>>);

impl KeySink for Together {
    fn line(&self, line: &str) {
        for sink in &self.0 {
            sink.line(line);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn lines_are_appended_to_a_file_of_its_owner() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("keys");
        let open = || -> Arc<dyn KeySink> { Arc::new(KeyLogFile::open(&path).expect("a file")) };
        open().line("CLIENT_RANDOM 00 01");
        let both = together(vec![open(), open()]).expect("two sinks");
        both.line("CLIENT_RANDOM 02 03");
        let text = std::fs::read_to_string(&path).expect("a file");
        let twice = "CLIENT_RANDOM 02 03\n".repeat(2);
        assert_eq!(text, format!("CLIENT_RANDOM 00 01\n{twice}"));
        let mode = std::fs::metadata(&path).expect("a file").permissions();
        assert_eq!(mode.mode() & 0o777, 0o600);
        assert!(together(Vec::new()).is_none());
        assert!(KeyLogFile::open(folder.path()).is_err(), "it is a folder");
    }
}
