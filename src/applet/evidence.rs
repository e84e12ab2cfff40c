//! What is kept of conversations for a look at them afterwards: captures, and the secrets of TLS.

use std::ffi::OsStr;
use std::fs::OpenOptions;
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::sync::Arc;

use super::exit;
use crate::tap::keylog::{self, KeyLogFile, KeySink};
use crate::tap::pcapng::Capture;

/// Begins the capture that an option `--pcap` names; what was in the file is gone. It has passwords in it, so a new file is for
/// its owner only.
///
/// # Errors
/// Why it cannot, in words.
pub fn capture(path: &Path) -> Result<Capture, String> {
    let file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(path);
    let capture = file.and_then(|file| Capture::new(Box::new(file)));
    capture.map_err(|error| format!("--pcap {}: {error}", path.display()))
}

/// Where the secrets of TLS go: to the file that `SSLKEYLOGFILE` names, and into the capture. A file that cannot be opened is no
/// reason not to talk: `tell` is given the words about it.
pub fn key_log(capture: Option<&Capture>, tell: impl FnOnce(&str)) -> Option<Arc<dyn KeySink>> {
    let mut sinks: Vec<Arc<dyn KeySink>> = Vec::new();
    match KeyLogFile::from_environment() {
        Ok(Some(file)) => sinks.push(Arc::new(file)),
        Ok(None) => {}
        Err(error) => tell(&format!(
            "TLS secrets are not logged to the file that SSLKEYLOGFILE names, {error}"
        )),
    }
    sinks.extend(capture.map(Capture::secrets));
    keylog::together(sinks)
}

/// What there is to say about a capture that could not be written to its end.
pub fn shortened(path: &Path, capture: &Capture) -> Option<String> {
    let error = capture.trouble()?;
    Some(format!(
        "--pcap {}: the capture is not complete: {error}",
        path.display()
    ))
}

/// Says something on standard error that is no reason to fail.
pub fn note(text: &str) {
    let called = std::env::args_os().next().unwrap_or_default();
    let called = Path::new(&called)
        .file_name()
        .map_or("mailtool".into(), OsStr::to_string_lossy);
    let _ = writeln!(io::stderr(), "{called}: {}", exit::printable(text));
}
