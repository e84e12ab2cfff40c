//! The few threads on which jobs block, and the letter box through which other threads reach the event loop.
//!
//! The queue needs no bound of its own: a session has at most one job outstanding, so there are never more than
//! connections. Threads are started as they are needed. What they bring is left in the [`LetterBox`]; the loop is woken
//! once for any number of letters.
//!
//! Jobs are begun in the order in which they came, but for those that hash passwords: at most [`limits::HASHERS`] of them
//! run at once, and the others let later jobs pass. Whoever guesses passwords must not keep mail waiting.

use std::collections::VecDeque;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;

use crate::limits;
use crate::proto::Takes;

/// What other threads tell the event loop.
pub(super) enum Letter<A> {
    /// The job of this token is done; `None` if it panicked, which is a bug.
    Done(u64, Option<A>),
    /// A mailbox that this token subscribed to has changed.
    Changed(u64),
    /// Stop gracefully, or at once when told twice.
    Stop,
    /// There is news for the driver.
    Wake,
}

/// Where other threads leave letters for the event loop.
pub(super) struct LetterBox<A> {
    letters: Mutex<Vec<Letter<A>>>,
    waker: mio::Waker,
}

impl<A> LetterBox<A> {
    pub(super) const fn new(waker: mio::Waker) -> Self {
        Self {
            letters: Mutex::new(Vec::new()),
            waker,
        }
    }

    /// Leaves a letter; never blocks for long.
    pub(super) fn post(&self, letter: Letter<A>) {
        let mut letters = lock(&self.letters);
        let first = letters.is_empty();
        letters.push(letter);
        drop(letters);
        // Whoever finds the box empty wakes the loop, which then takes everything.
        if first && let Err(error) = self.waker.wake() {
            log::error!("cannot wake the event loop: {error}");
        }
    }

    /// Takes all letters.
    pub(super) fn take(&self) -> Vec<Letter<A>> {
        std::mem::take(&mut *lock(&self.letters))
    }
}

/// Threads that do jobs. Dropped, it waits for those that it was given.
pub(super) struct Pool<J, A> {
    shared: Arc<Shared<J, A>>,
    threads: Vec<JoinHandle<()>>,
}

struct Shared<J, A> {
    queue: Mutex<Queue<J>>,
    arrived: Condvar,
    work: Box<dyn Fn(J) -> A + Send + Sync>,
    letters: Arc<LetterBox<A>>,
}

struct Queue<J> {
    /// In the order in which they came: the number of each, its token, and the job.
    disk: VecDeque<(u64, u64, J)>,
    processor: VecDeque<(u64, u64, J)>,
    /// How many have come.
    came: u64,
    /// Threads that hash passwords.
    hashing: usize,
    /// Threads that wait for a job.
    idle: usize,
    closed: bool,
}

impl<J: Send + 'static, A: Send + 'static> Pool<J, A> {
    /// A pool in which `work` does the jobs, and answers go to `letters`.
    pub(super) fn new(work: Box<dyn Fn(J) -> A + Send + Sync>, letters: Arc<LetterBox<A>>) -> Self {
        Self {
            shared: Arc::new(Shared {
                queue: Mutex::new(Queue {
                    disk: VecDeque::new(),
                    processor: VecDeque::new(),
                    came: 0,
                    hashing: 0,
                    idle: 0,
                    closed: false,
                }),
                arrived: Condvar::new(),
                work,
                letters,
            }),
            threads: Vec::new(),
        }
    }

    /// Has `job` done for `token`.
    ///
    /// # Errors
    /// No thread could be started, and there is none yet.
    pub(super) fn submit(&mut self, token: u64, takes: Takes, job: J) -> io::Result<()> {
        let mut queue = lock(&self.shared.queue);
        let number = queue.came;
        queue.came += 1;
        queue.lane(takes).push_back((number, token, job));
        let short = queue.disk.len() + queue.processor.len() > queue.idle;
        drop(queue);
        if short && self.threads.len() < limits::WORKERS {
            match self.start_thread() {
                Ok(thread) => self.threads.push(thread),
                Err(error) if self.threads.is_empty() => return Err(error),
                Err(error) => log::warn!(
                    "no more than {} worker threads: {error}",
                    self.threads.len()
                ),
            }
        }
        self.shared.arrived.notify_one();
        Ok(())
    }

    /// Waits for no job when it is dropped.
    pub(super) fn abandon(&mut self) {
        self.threads.clear();
    }

    fn start_thread(&self) -> io::Result<JoinHandle<()>> {
        let shared = Arc::clone(&self.shared);
        std::thread::Builder::new()
            .name("worker".to_owned())
            .spawn(move || shared.serve())
    }
}

impl<J, A> Drop for Pool<J, A> {
    fn drop(&mut self) {
        lock(&self.shared.queue).closed = true;
        self.shared.arrived.notify_all();
        for thread in self.threads.drain(..) {
            // A worker catches the panics of its jobs, so there is nothing to learn from the result.
            let _ = thread.join();
        }
    }
}

impl<J, A> Shared<J, A> {
    fn serve(&self) {
        while let Some((takes, token, job)) = self.next() {
            let answer = catch_unwind(AssertUnwindSafe(|| (self.work)(job)));
            self.letters.post(Letter::Done(token, answer.ok()));
            if takes == Takes::Processor {
                // No other thread needs to be told: this one looks for the next job itself.
                lock(&self.queue).hashing -= 1;
            }
        }
    }

    fn next(&self) -> Option<(Takes, u64, J)> {
        let mut queue = lock(&self.queue);
        loop {
            if let Some(next) = queue.take() {
                return Some(next);
            }
            // What is left then is left to those who hash.
            if queue.closed {
                return None;
            }
            queue.idle += 1;
            queue = self
                .arrived
                .wait(queue)
                .unwrap_or_else(PoisonError::into_inner);
            queue.idle -= 1;
        }
    }
}

impl<J> Queue<J> {
    const fn lane(&mut self, takes: Takes) -> &mut VecDeque<(u64, u64, J)> {
        match takes {
            Takes::Disk => &mut self.disk,
            Takes::Processor => &mut self.processor,
        }
    }

    /// The job that came first of those that may be begun now.
    fn take(&mut self) -> Option<(Takes, u64, J)> {
        let came = |lane: &VecDeque<(u64, u64, J)>| lane.front().map(|(number, ..)| *number);
        let hash = came(&self.processor).filter(|_| self.hashing < limits::HASHERS);
        let takes = match (came(&self.disk), hash) {
            (Some(disk), Some(hash)) if hash < disk => Takes::Processor,
            (Some(_), _) => Takes::Disk,
            (None, Some(_)) => Takes::Processor,
            (None, None) => return None,
        };
        self.hashing += usize::from(takes == Takes::Processor);
        let (_, token, job) = self.lane(takes).pop_front()?;
        Some((takes, token, job))
    }
}

/// No panic can leave these halfway changed, so poison means nothing here.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::time::{Duration, Instant};

    fn letter_box<A>(poll: &mio::Poll) -> Arc<LetterBox<A>> {
        let waker = mio::Waker::new(poll.registry(), mio::Token(0)).expect("a waker");
        Arc::new(LetterBox::new(waker))
    }

    fn collect(letters: &LetterBox<u32>, count: usize) -> Vec<(u64, Option<u32>)> {
        let limit = Instant::now() + Duration::from_secs(20);
        let mut done = Vec::new();
        while done.len() < count && Instant::now() < limit {
            for letter in letters.take() {
                if let Letter::Done(token, answer) = letter {
                    done.push((token, answer));
                }
            }
            std::thread::sleep(Duration::from_millis(1));
        }
        done.sort_unstable();
        done
    }

    #[test]
    fn every_job_is_answered_to_its_token() {
        let mut poll = mio::Poll::new().expect("a poll");
        let letters = letter_box(&poll);
        let mut pool = Pool::new(Box::new(|n: u32| n * 2), Arc::clone(&letters));
        for n in 0..1000 {
            let takes = [Takes::Disk, Takes::Processor][n as usize % 2];
            pool.submit(u64::from(n), takes, n).expect("a thread");
        }
        let expected: Vec<_> = (0..1000).map(|n| (u64::from(n), Some(n * 2))).collect();
        assert_eq!(collect(&letters, 1000), expected);
        assert!(pool.threads.len() <= limits::WORKERS);
        let mut events = mio::Events::with_capacity(8);
        poll.poll(&mut events, Some(Duration::ZERO))
            .expect("a poll");
        assert!(!events.is_empty(), "the loop was woken");
    }

    #[test]
    fn whoever_guesses_passwords_does_not_keep_mail_waiting() {
        let poll = mio::Poll::new().expect("a poll");
        let letters = letter_box(&poll);
        let (release, held) = std::sync::mpsc::channel::<()>();
        let (held, most) = (Mutex::new(held), Arc::new(AtomicUsize::new(0)));
        let (hashing, seen) = (AtomicUsize::new(0), Arc::clone(&most));
        let work = move |n: u32| {
            if n < 1000 {
                seen.fetch_max(
                    hashing.fetch_add(1, Ordering::Relaxed) + 1,
                    Ordering::Relaxed,
                );
                lock(&held).recv().expect("released");
                hashing.fetch_sub(1, Ordering::Relaxed);
            }
            n
        };
        let mut pool = Pool::new(Box::new(work), Arc::clone(&letters));
        for n in 0..100 {
            pool.submit(u64::from(n), Takes::Processor, n)
                .expect("a thread");
        }
        for n in 1000..1010 {
            pool.submit(u64::from(n), Takes::Disk, n).expect("a thread");
        }
        let mail: Vec<u64> = collect(&letters, 10)
            .iter()
            .map(|(token, _)| *token)
            .collect();
        assert_eq!(mail, (1000..1010).collect::<Vec<_>>());
        for _ in 0..100 {
            release.send(()).expect("somebody waits");
        }
        assert_eq!(collect(&letters, 100).len(), 100);
        assert!(most.load(Ordering::Relaxed) <= limits::HASHERS);
    }

    #[test]
    fn a_job_that_panics_is_told_and_costs_no_thread() {
        let poll = mio::Poll::new().expect("a poll");
        let letters = letter_box(&poll);
        let mut pool = Pool::new(
            Box::new(|n: u32| if n == 0 { panic!("on purpose") } else { n }),
            Arc::clone(&letters),
        );
        for n in 0..20 {
            pool.submit(u64::from(n), Takes::Processor, n % 2)
                .expect("a thread");
        }
        let done = collect(&letters, 20);
        assert_eq!(done.len(), 20);
        assert_eq!(
            done.iter().filter(|(_, answer)| answer.is_none()).count(),
            10
        );
    }

    #[test]
    fn dropped_it_finishes_what_it_was_given() {
        let poll = mio::Poll::new().expect("a poll");
        let letters = letter_box(&poll);
        let mut pool = Pool::new(
            Box::new(|n: u32| {
                std::thread::sleep(Duration::from_millis(2));
                n
            }),
            Arc::clone(&letters),
        );
        for n in 0..100 {
            let takes = [Takes::Disk, Takes::Processor][n as usize % 2];
            pool.submit(u64::from(n), takes, n).expect("a thread");
        }
        drop(pool);
        assert_eq!(letters.take().len(), 100);
    }
}
