//! What is kept of conversations for a look at them afterwards: captures, and the secrets of TLS.

use std::ffi::OsStr;
use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::SystemTime;

use super::exit;
use crate::tap;
use crate::tap::keylog::{self, KeyLogFile, KeySink};
use crate::tap::pcapng::Capture;
use crate::tap::record::Name;

/// Begins the capture that an option `--pcap` names; what was in the file is gone. It has passwords in it, so a new file is for
/// its owner only.
///
/// # Errors
/// Why it cannot, in words.
pub fn capture(path: &Path) -> Result<Capture, String> {
    if let Some(words) = refusal("--pcap") {
        return Err(words);
    }
    let capture = if is_folder(path) {
        folder(path)
    } else {
        create(path).and_then(|file| Capture::new(Box::new(file)))
    };
    capture.map_err(|error| format!("--pcap {}: {error}", path.display()))
}

/// Why `option`, which needs connections to be observed, is of no use in a program that was built without that.
pub fn refusal(option: &str) -> Option<String> {
    (!tap::BUILT_IN).then(|| {
        format!(
            "{option}: this program was built without taps: it cannot show or keep what is said"
        )
    })
}

/// Whether a path is meant as a folder: it is one, or ends with a slash.
pub fn is_folder(path: &Path) -> bool {
    path.as_os_str().as_encoded_bytes().ends_with(b"/") || path.is_dir()
}

/// An empty file for its owner only; what was in it is gone.
///
/// # Errors
/// The system's.
pub fn create(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true).mode(0o600);
    options.open(path)
}

/// A capture of a file for each session, in the folder at `path`, which is made if it is not there.
fn folder(path: &Path) -> io::Result<Capture> {
    let mut options = DirBuilder::new();
    options.recursive(true).mode(0o700).create(path)?;
    let path = path.to_path_buf();
    let count = AtomicU64::new(u64::from(std::process::id()) * 1000);
    Ok(Capture::each(Box::new(move |at: SystemTime, _: &str| {
        let since = at
            .duration_since(SystemTime::UNIX_EPOCH)
            .unwrap_or_default();
        let milliseconds = u64::try_from(since.as_millis()).unwrap_or(0);
        let number = count.fetch_add(1, Ordering::Relaxed);
        let name = Name::of(milliseconds, number).file("pcapng");
        Ok(Box::new(create(&path.join(name))?))
    })))
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
    let _ = writeln!(
        io::stderr(),
        "{called}: {}",
        exit::printable(&super::in_language(super::lang(), text.to_owned()))
    );
}
