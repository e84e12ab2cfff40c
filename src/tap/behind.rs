//! Files that are written behind the back of the loop: what is written is queued in memory, and a thread takes it to the disk.
//!
//! ```text
//!  loop    Pen --octets--> waiting, a buffer a file --(256 KiB, or 20 ms)--> thread --> write(2)
//! ```
//!
//! What it keeps:
//! - writing waits for the disk only when [`limits::CAPTURE_WAITING`] octets wait already: then until there is room, so that nothing is
//!   lost; it never waits for a file of which the disk has refused some, as each write to that one fails;
//! - octets of a file stay in order, and what is on disk has no holes;
//! - few writes, and large: each takes its turn among the commits of the file system, for which mail waits that is to be acknowledged.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, Write};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;

use crate::limits;

/// The thread. Dropped, it has written all that was taken before.
pub struct Behind {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

/// How a file is opened, on the thread.
pub type Open = Box<dyn FnOnce() -> io::Result<File> + Send>;

/// What is done when a file is closed, on the thread, given how long it became.
pub type Close = Box<dyn FnOnce(u64) + Send>;

#[derive(Default)]
struct Shared {
    waiting: Mutex<Waiting>,
    /// There is something to do, or much of it.
    wake: Condvar,
    /// There is room again.
    room: Condvar,
}

#[derive(Default)]
struct Waiting {
    /// What is to be done, by the number of the file.
    files: HashMap<u64, Orders>,
    /// Octets that the thread has not taken.
    octets: usize,
    /// Octets that it has taken, and not written yet.
    taken: usize,
    /// Buffers that have been written, to be filled again: new memory costs more than what is done with it.
    spare: Vec<Vec<u8>>,
    /// What the disk said, by the number of the file.
    troubles: HashMap<u64, (io::ErrorKind, Option<i32>)>,
    next: u64,
    thread: Thread,
    over: bool,
}

/// What the thread would be woken for.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum Thread {
    /// Nothing: it looks by itself.
    #[default]
    Busy,
    /// Whatever comes.
    Asleep,
    /// So much that it should not wait for more.
    Gathers,
}

/// What is to be done with a file, in this order.
#[derive(Default)]
struct Orders {
    open: Option<(Open, Close)>,
    octets: Vec<u8>,
    close: bool,
}

impl Behind {
    /// # Errors
    /// The system has no thread left.
    pub fn start() -> io::Result<Self> {
        let shared = Arc::new(Shared::default());
        let orders = Arc::clone(&shared);
        let thread = std::thread::Builder::new()
            .name("captures".to_owned())
            .spawn(move || orders.carry_out())?;
        Ok(Self {
            shared,
            thread: Some(thread),
        })
    }

    /// A file that is written to in this way.
    pub fn file(&self, open: Open, close: Close) -> Box<dyn Write + Send> {
        self.pens().file(open, close)
    }

    /// What makes more of them, as long as the thread lives.
    pub fn pens(&self) -> Pens {
        Pens(Arc::clone(&self.shared))
    }
}

/// Makes files.
#[derive(Clone)]
pub struct Pens(Arc<Shared>);

impl Pens {
    /// A file that is written to behind the back of whoever writes.
    pub fn file(&self, open: Open, close: Close) -> Box<dyn Write + Send> {
        let mut waiting = self.0.hold();
        waiting.next += 1;
        let number = waiting.next;
        waiting.files.entry(number).or_default().open = Some((open, close));
        self.0.wake(waiting);
        Box::new(Pen {
            shared: Arc::clone(&self.0),
            number,
        })
    }
}

impl Drop for Behind {
    fn drop(&mut self) {
        let mut waiting = self.shared.hold();
        waiting.over = true;
        self.shared.wake(waiting);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl Shared {
    /// No panic can leave it halfway changed.
    fn hold(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wake(&self, mut waiting: MutexGuard<'_, Waiting>) {
        let wakes = match waiting.thread {
            Thread::Busy => false,
            Thread::Asleep => true,
            Thread::Gathers => waiting.octets >= limits::CAPTURE_PIECE || waiting.over,
        };
        if wakes {
            waiting.thread = Thread::Busy;
            drop(waiting);
            self.wake.notify_one();
        }
    }

    /// The thread's life.
    fn carry_out(&self) {
        let mut open: HashMap<u64, (io::Result<File>, Close, u64)> = HashMap::new();
        while let Some(files) = self.take() {
            for (number, orders) in files {
                if let Some((opens, closes)) = orders.open {
                    let file = opens();
                    if let Err(error) = &file {
                        self.refuse(number, error);
                    }
                    open.insert(number, (file, closes, 0));
                }
                if let Some((file, _, written)) = open.get_mut(&number)
                    && let Ok(open) = file
                {
                    match open.write_all(&orders.octets) {
                        Ok(()) => *written += orders.octets.len() as u64,
                        Err(error) => {
                            self.refuse(number, &error);
                            *file = Err(error);
                        }
                    }
                }
                self.has_written(orders.octets);
                if orders.close {
                    if let Some((_, close, written)) = open.remove(&number) {
                        close(written);
                    }
                    self.hold().troubles.remove(&number);
                }
            }
        }
    }

    /// There is room for as much again.
    fn has_written(&self, mut octets: Vec<u8>) {
        let mut waiting = self.hold();
        waiting.taken -= octets.len();
        if waiting.spare.len() < SPARE && octets.capacity() <= 4 * limits::CAPTURE_PIECE {
            octets.clear();
            waiting.spare.push(octets);
        }
        drop(waiting);
        self.room.notify_all();
    }

    fn refuse(&self, number: u64, error: &io::Error) {
        let trouble = (error.kind(), error.raw_os_error());
        self.hold().troubles.insert(number, trouble);
    }

    /// What is to be done; `None` at the end.
    fn take(&self) -> Option<HashMap<u64, Orders>> {
        let mut waiting = self.hold();
        let is_idle = |waiting: &mut Waiting| waiting.files.is_empty() && !waiting.over;
        if is_idle(&mut waiting) {
            waiting.thread = Thread::Asleep;
            waiting = self
                .wake
                .wait_while(waiting, is_idle)
                .unwrap_or_else(PoisonError::into_inner);
        }
        // What comes in the same moment goes in one write.
        let is_little =
            |waiting: &mut Waiting| waiting.octets < limits::CAPTURE_PIECE && !waiting.over;
        waiting.thread = Thread::Gathers;
        (waiting, _) = self
            .wake
            .wait_timeout_while(waiting, limits::RECORD_GATHER, is_little)
            .unwrap_or_else(PoisonError::into_inner);
        waiting.thread = Thread::Busy;
        if waiting.files.is_empty() {
            return None;
        }
        waiting.taken += std::mem::take(&mut waiting.octets);
        Some(std::mem::take(&mut waiting.files))
    }
}

/// Buffers that are kept; more are only in use where each session has a file.
const SPARE: usize = 4;

/// One file, as its writer has it.
struct Pen {
    shared: Arc<Shared>,
    number: u64,
}

impl Write for Pen {
    fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        let mut waiting = self.shared.hold();
        loop {
            if let Some((kind, code)) = waiting.troubles.get(&self.number) {
                return Err(code.map_or_else(|| (*kind).into(), io::Error::from_raw_os_error));
            }
            let before = waiting.octets + waiting.taken;
            if before == 0 || before + octets.len() <= limits::CAPTURE_WAITING {
                break;
            }
            if waiting.over {
                return Err(io::Error::other("nobody writes any more"));
            }
            waiting = self
                .shared
                .room
                .wait(waiting)
                .unwrap_or_else(PoisonError::into_inner);
        }
        waiting.octets += octets.len();
        let Waiting { files, spare, .. } = &mut *waiting;
        let orders = files.entry(self.number).or_default();
        if orders.octets.capacity() == 0 {
            orders.octets = spare.pop().unwrap_or_default();
        }
        orders.octets.extend_from_slice(octets);
        self.shared.wake(waiting);
        Ok(octets.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Drop for Pen {
    fn drop(&mut self) {
        let mut waiting = self.shared.hold();
        waiting.files.entry(self.number).or_default().close = true;
        self.shared.wake(waiting);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::fd::OwnedFd;
    use std::sync::mpsc::channel;

    #[test]
    fn files_get_what_was_written_in_order() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = |name: &str| folder.path().join(name);
        let behind = Behind::start().expect("a thread");
        let (tell, told) = channel();
        let open = |name: &str| {
            let (path, tell) = (path(name), tell.clone());
            let close: Close = Box::new(move |octets| {
                let _ = tell.send(octets);
            });
            behind.file(Box::new(move || File::create(path)), close)
        };
        let (mut one, mut two) = (open("one"), open("two"));
        for number in 0..1000 {
            write!(one, "{number} ").expect("there is room");
            writeln!(two, "{number}").expect("there is room");
        }
        drop((one, two, behind));
        let expected: String = (0..1000).map(|number| format!("{number} ")).collect();
        let read = |name: &str| std::fs::read_to_string(path(name)).expect("a file");
        assert_eq!(read("one"), expected);
        assert_eq!(read("two"), expected.replace(' ', "\n"));
        let octets = expected.len() as u64;
        assert_eq!((told.recv(), told.recv()), (Ok(octets), Ok(octets)));
    }

    #[test]
    fn what_the_disk_refuses_is_told_at_the_next_write() {
        let behind = Behind::start().expect("a thread");
        let open: Open = Box::new(|| File::options().write(true).open("/dev/full"));
        let mut full = behind.file(open, Box::new(drop));
        let mut error = None;
        for _ in 0..2000 {
            if let Err(why) = full.write_all(b"x") {
                error = Some(why);
                break;
            }
            std::thread::sleep(std::time::Duration::from_millis(5));
        }
        let error = error.expect("it was told");
        assert_eq!(error.kind(), io::ErrorKind::StorageFull);
    }

    #[test]
    fn a_slow_disk_is_waited_for() {
        let (reader, writer) = io::pipe().expect("a pipe");
        let behind = Behind::start().expect("a thread");
        let open: Open = Box::new(move || Ok(File::from(OwnedFd::from(writer))));
        let mut pipe = behind.file(open, Box::new(drop));
        let piece: Vec<u8> = (0..=255).cycle().take(1 << 20).collect();
        let pieces = limits::CAPTURE_WAITING / piece.len() + 5;
        let written = std::sync::atomic::AtomicUsize::new(0);
        let read = std::thread::scope(|scope| {
            scope.spawn(|| {
                for _ in 0..pieces {
                    pipe.write_all(&piece)
                        .expect("it waits until there is room");
                    written.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
                }
                drop((pipe, behind));
            });
            std::thread::sleep(std::time::Duration::from_millis(300));
            // However fast the machine is, more than that has no room.
            let written = written.load(std::sync::atomic::Ordering::Relaxed);
            assert!(written < pieces, "it did not wait");
            let mut all = Vec::new();
            let mut reader = reader;
            io::Read::read_to_end(&mut reader, &mut all).expect("it reads");
            all
        });
        assert_eq!(read.len(), pieces * piece.len());
        assert!(read.chunks(piece.len()).all(|it| it == piece));
    }
}
