//! Octets on their way in one direction: read into spare room, written out of it, never moved.

/// `octets[start..]` wait. Takes no memory until it is first used.
#[derive(Debug)]
pub(super) struct Buffer {
    octets: Vec<u8>,
    start: usize,
    capacity: usize,
}

impl Buffer {
    pub(super) const fn new(capacity: usize) -> Self {
        Self {
            octets: Vec::new(),
            start: 0,
            capacity,
        }
    }

    pub(super) fn waiting(&self) -> &[u8] {
        &self.octets[self.start..]
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.start == self.octets.len()
    }

    pub(super) const fn has_room(&self) -> bool {
        self.is_empty() || self.octets.len() < self.capacity
    }

    /// To be appended to, within its capacity.
    pub(super) fn room(&mut self) -> &mut Vec<u8> {
        if self.is_empty() {
            self.clear();
            if self.octets.capacity() < self.capacity {
                self.octets.reserve_exact(self.capacity);
            }
        }
        &mut self.octets
    }

    /// How much [`Self::room`] has room for.
    pub(super) const fn spare(&self) -> usize {
        match self.is_empty() {
            true => self.capacity,
            false => self.capacity.saturating_sub(self.octets.len()),
        }
    }

    /// The first `octets` of those that wait are gone.
    pub(super) const fn took(&mut self, octets: usize) {
        self.start += octets;
    }

    pub(super) fn clear(&mut self) {
        self.octets.clear();
        self.start = 0;
    }

    /// Gives the memory back while nothing waits.
    pub(super) fn release(&mut self) {
        if self.is_empty() {
            *self = Self::new(self.capacity);
        }
    }
}
