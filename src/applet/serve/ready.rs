//! Telling whoever started the server that it is ready: through a file descriptor, and systemd.

use std::fs::File;
use std::io::Write;

use anyhow::Context;

use super::options::Endpoint;
use super::protocols::Protocol;
use crate::sys;

/// Who waits for the server.
pub(super) struct Waiting(Option<File>);

impl Waiting {
    /// Takes `descriptor` over. To be called before anything else is opened: a number that the parent did not open must
    /// not be one of our own.
    pub(super) fn on(descriptor: Option<i32>) -> anyhow::Result<Self> {
        let file = descriptor.map(|descriptor| {
            sys::inherited(descriptor).with_context(|| {
                format!("--ready-fd {descriptor}: give one that is open for writing, 3 or more, as in `--ready-fd 3 3>FILE`")
            })
        });
        Ok(Self(file.transpose()?))
    }

    /// Writes what listens where, `PROTOCOL ENDPOINT` a line, and closes; tells systemd too, if it asked
    /// (`NOTIFY_SOCKET`), but serves on when it does not listen: the variable may be inherited from a service around us
    /// (sd_notify(3): errors should be ignored).
    pub(super) fn tell(self, listening: &[(Protocol, Endpoint)]) -> anyhow::Result<()> {
        self.tell_lines(&lines("", listening))
    }

    /// The same for several servers: `HOST PROTOCOL ENDPOINT` a line.
    pub(super) fn tell_each(
        self,
        servers: &[(&str, &[(Protocol, Endpoint)])],
    ) -> anyhow::Result<()> {
        let lines: String = servers
            .iter()
            .map(|(host, listening)| lines(&format!("{host} "), listening))
            .collect();
        self.tell_lines(&lines)
    }

    fn tell_lines(self, lines: &str) -> anyhow::Result<()> {
        if let Some(mut file) = self.0 {
            file.write_all(lines.as_bytes())
                .context("cannot write to the file descriptor of --ready-fd")?;
        }
        if let Err(error) = sd_notify::notify(&[sd_notify::NotifyState::Ready]) {
            log::warn!("cannot tell systemd that all is ready (NOTIFY_SOCKET): {error}");
        }
        Ok(())
    }
}

fn lines(before: &str, listening: &[(Protocol, Endpoint)]) -> String {
    listening
        .iter()
        .map(|(protocol, endpoint)| format!("{before}{} {endpoint}\n", protocol.name()))
        .collect()
}
