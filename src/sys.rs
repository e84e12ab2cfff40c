//! System calls that no safe crate offers: the only unsafe code.

#![expect(unsafe_code, reason = "each block says why it is sound")]

use std::fs::File;
use std::io;
use std::os::fd::{FromRawFd, RawFd};

/// Takes over a file descriptor that the parent process left open for us, such as that of `--ready-fd`. 0 to 2 stay
/// standard input, output and error: they are refused, and so is a number that is not open. To be called before anything
/// else is opened.
pub(crate) fn inherited(descriptor: RawFd) -> io::Result<File> {
    if descriptor <= 2 || !std::path::Path::new(&format!("/proc/self/fd/{descriptor}")).exists() {
        return Err(io::Error::from_raw_os_error(
            rustix::io::Errno::BADF.raw_os_error(),
        ));
    }
    // SAFETY: the descriptor is open, and nothing else in this process owns it: callers come here before they open
    // anything, and this is the only place that takes a descriptor from the parent.
    Ok(unsafe { File::from_raw_fd(descriptor) })
}
