//! Messages read for FETCH and SEARCH: once, and no further than is needed.

use crate::limits;
use crate::store::{Ahead, Entry, Extent, Learnt, Mailbox, StoreError};
use crate::wire::mime::header::end_of_header;

/// How much of a message has to be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Depth {
    /// Nothing: the index says it.
    Index,
    /// Its header.
    Header,
    /// Its header, and all of it unless it is long: the rest can be sent from the file.
    Start,
    /// All.
    Whole,
}

/// What one job of a command leaves to the next.
#[derive(Debug, Default)]
pub struct Left {
    /// What is read before its turn.
    pub ahead: Ahead,
    /// What was learnt, and is not kept yet.
    pub learnt: Learnt,
}

/// A message, as far as it was read.
pub struct Message {
    /// Its first octets: all of it, or at least its header.
    pub octets: Vec<u8>,
    /// How many there are in all.
    pub total: u64,
    /// Where the others are.
    pub extent: Option<Extent>,
}

impl Message {
    /// Whether nothing of it was read, though it has something.
    pub const fn is_unread(&self) -> bool {
        self.octets.is_empty() && self.extent.is_none() && self.total > 0
    }

    /// Reads it, as far as is needed.
    pub fn load(mailbox: &Mailbox, entry: &Entry, depth: Depth) -> Result<Self, StoreError> {
        if depth == Depth::Index {
            return Ok(Self {
                octets: Vec::new(),
                total: entry.size,
                extent: None,
            });
        }
        let Some(extent) = mailbox.extent(entry.uid)? else {
            let octets = mailbox.read(entry.uid)?;
            return Ok(Self {
                total: octets.len() as u64,
                octets,
                extent: None,
            });
        };
        let total = extent.octets();
        let first = total.min(match depth {
            Depth::Index | Depth::Header => limits::HEADER_READ,
            Depth::Start => limits::IMAP_EXTENT,
            Depth::Whole => total,
        });
        let mut octets = read(&extent, first)?;
        if total > first && octets.len() as u64 == first && end_of_header(&octets).is_none() {
            octets = read(&extent, total)?;
        }
        let total = if (octets.len() as u64) < first {
            // Another program cut the file short.
            octets.len() as u64
        } else {
            total
        };
        Ok(Self {
            octets,
            total,
            extent: Some(extent),
        })
    }
}

/// The first `count` octets of a file; fewer when it is shorter by now.
fn read(extent: &Extent, count: u64) -> Result<Vec<u8>, StoreError> {
    let mut octets = vec![0; usize::try_from(count).unwrap_or(usize::MAX)];
    let mut filled = 0;
    while filled < octets.len() {
        match extent.read_at(&mut octets[filled..], filled as u64) {
            Ok(0) => break,
            Ok(count) => filled += count,
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(error) => return Err(StoreError::Io(error)),
        }
    }
    octets.truncate(filled);
    Ok(octets)
}
