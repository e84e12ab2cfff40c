//! Files that are written behind the back of the loop: what is written is queued in memory, and a thread takes it to the disk.
//!
//! What it keeps: writing never waits for the disk; octets of a file stay in order; what waits is bounded by
//! [`limits::CAPTURE_WAITING`], and a write for which there is no room fails, as does every write to a file of which the disk has
//! refused some: so what is on disk has no holes.

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
    wake: Condvar,
}

#[derive(Default)]
struct Waiting {
    orders: Vec<(u64, Order)>,
    octets: usize,
    /// What the disk said, by the number of the file.
    troubles: HashMap<u64, (io::ErrorKind, Option<i32>)>,
    next: u64,
    asleep: bool,
    over: bool,
}

enum Order {
    Open(Open, Close),
    Write(Vec<u8>),
    Close,
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
        waiting.orders.push((number, Order::Open(open, close)));
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
        if std::mem::take(&mut waiting.asleep) {
            drop(waiting);
            self.wake.notify_one();
        }
    }

    /// The thread's life.
    fn carry_out(&self) {
        let mut files: HashMap<u64, (io::Result<File>, Close, u64)> = HashMap::new();
        while let Some(orders) = self.take() {
            for (number, order) in orders {
                match order {
                    Order::Open(open, close) => {
                        let file = open();
                        if let Err(error) = &file {
                            self.refuse(number, error);
                        }
                        files.insert(number, (file, close, 0));
                    }
                    Order::Write(octets) => {
                        if let Some((Ok(file), _, written)) = files.get_mut(&number) {
                            *written += octets.len() as u64;
                            if let Err(error) = file.write_all(&octets) {
                                self.refuse(number, &error);
                                if let Some((file, ..)) = files.get_mut(&number) {
                                    *file = Err(error);
                                }
                            }
                        }
                    }
                    Order::Close => {
                        if let Some((_, close, written)) = files.remove(&number) {
                            close(written);
                        }
                        self.hold().troubles.remove(&number);
                    }
                }
            }
        }
    }

    fn refuse(&self, number: u64, error: &io::Error) {
        let trouble = (error.kind(), error.raw_os_error());
        self.hold().troubles.insert(number, trouble);
    }

    /// What is to be done; `None` at the end.
    fn take(&self) -> Option<Vec<(u64, Order)>> {
        let mut waiting = self.hold();
        if waiting.orders.is_empty() && !waiting.over {
            waiting.asleep = true;
            let is_idle = |waiting: &mut Waiting| waiting.orders.is_empty() && !waiting.over;
            waiting = self
                .wake
                .wait_while(waiting, is_idle)
                .unwrap_or_else(PoisonError::into_inner);
            waiting.asleep = false;
            if !waiting.over {
                // What comes in the same moment goes in one write.
                drop(waiting);
                std::thread::sleep(limits::RECORD_GATHER);
                waiting = self.hold();
            }
        }
        if waiting.orders.is_empty() {
            return None;
        }
        waiting.octets = 0;
        Some(std::mem::take(&mut waiting.orders))
    }
}

/// One file, as its writer has it.
struct Pen {
    shared: Arc<Shared>,
    number: u64,
}

impl Write for Pen {
    fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        let mut waiting = self.shared.hold();
        if let Some((kind, code)) = waiting.troubles.get(&self.number) {
            return Err(code.map_or_else(|| (*kind).into(), io::Error::from_raw_os_error));
        }
        if waiting.octets + octets.len() > limits::CAPTURE_WAITING {
            let what = "the disk is slower than what is written";
            return Err(io::Error::other(what));
        }
        waiting.octets += octets.len();
        match waiting.orders.last_mut() {
            Some((number, Order::Write(before))) if *number == self.number => {
                before.extend_from_slice(octets);
            }
            _ => {
                let order = Order::Write(octets.to_vec());
                waiting.orders.push((self.number, order));
            }
        }
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
        waiting.orders.push((self.number, Order::Close));
        self.shared.wake(waiting);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
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
        let open: Open = Box::new(|| File::open("/none/such"));
        let mut none = behind.file(open, Box::new(drop));
        let long = vec![0; limits::CAPTURE_WAITING + 1];
        assert!(none.write_all(&long).is_err(), "there is no room for it");
    }
}
