//! What is written down besides the conversation itself.
//!
//! Transcript and explanations mask passwords. Dumps and captures are evidence of what crossed, and do not.

use std::path::PathBuf;

use crate::applet::nc::complaint::Complaint;
use crate::applet::nc::flags::Id;
use crate::applet::nc::getopt::CommandLine;

/// What is written down.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Evidence {
    /// Dumps, each in its format.
    pub dumps: Vec<Dump>,
    /// Whether dumps are appended to what is there.
    pub append: bool,
    /// The dialogue, line by line.
    pub transcript: Option<PathBuf>,
    /// How long each reply took.
    pub timing: bool,
    /// A capture.
    pub pcap: Option<PathBuf>,
    /// How much was moved, at the end.
    pub stats: bool,
    /// The same all the time.
    pub progress: bool,
}

/// A dump.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dump {
    /// How it looks.
    pub format: DumpFormat,
    /// Where it goes.
    pub file: PathBuf,
}

/// How a dump looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DumpFormat {
    /// As it is, both ways: ncat's `-o`.
    Text,
    /// Hex as ncat's `-x` lays it out.
    Hex,
    /// Hex with direction and offset: the `-o` of netcat-traditional and busybox.
    HexLines,
}

impl Evidence {
    pub(super) fn of(line: &CommandLine) -> Result<Self, Complaint> {
        let formats = [
            (Id::Dump, DumpFormat::HexLines),
            (Id::Output, DumpFormat::Text),
            (Id::HexDump, DumpFormat::Hex),
        ];
        let path = |id| line.value(id).map(PathBuf::from);
        let dumps = formats.into_iter();
        let dumps = dumps.filter_map(|(id, format)| {
            let file = path(id)?;
            Some(Dump { format, file })
        });
        let evidence = Self {
            dumps: dumps.collect(),
            append: line.has(Id::AppendOutput),
            transcript: path(Id::Transcript),
            timing: line.has(Id::Timing),
            pcap: path(Id::Pcap),
            stats: line.has(Id::Stats),
            progress: line.has(Id::Progress),
        };
        let files = evidence.dumps.iter().map(|dump| &dump.file);
        let mut files: Vec<_> = files
            .chain(&evidence.transcript)
            .chain(&evidence.pcap)
            .filter(|file| !file.starts_with("/dev"))
            .collect();
        let wanted = files.len();
        files.sort();
        files.dedup();
        if files.len() < wanted {
            return Err(Complaint::refused(
                "Two of -o, -x, --transcript and --pcap go to one file, where nobody could read either.",
            ));
        }
        Ok(evidence)
    }
}
