//! How many deliveries a second the store takes, beside what the disk does without it:
//! `cargo test --release --lib store::tests::speed -- --ignored --nocapture`.

use std::io::Write;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use super::*;

const MESSAGES: usize = 3000;
/// With its trace lines about what smtp-source sends by default.
const OCTETS: usize = 4096;

/// Calls `each` for every number up to `count`, on so many threads; how often a second that was.
fn rate(threads: usize, count: usize, each: impl Fn(usize) + Sync) -> f64 {
    let (next, begun) = (AtomicUsize::new(0), Instant::now());
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    if number >= count {
                        break;
                    }
                    each(number);
                }
            });
        }
    });
    count as f64 / begun.elapsed().as_secs_f64()
}

#[test]
#[ignore = "it measures the disk"]
fn deliveries_a_second() {
    let folder = std::env::var_os("BENCH_DIR").map_or_else(std::env::temp_dir, PathBuf::from);
    for threads in [1, 8, 64] {
        let root = tempfile::tempdir_in(&folder).expect("a temporary directory");
        let (store, text) = (open(root.path()), vec![b'x'; OCTETS]);
        let to = [account(&store, "alice")];
        let count = if threads == 1 { MESSAGES / 6 } else { MESSAGES };
        let delivered = rate(threads, count, |_| {
            let mut spool = store.spool(&to[0]).expect("a spool");
            spool.append(&text).expect("room");
            assert!(store.deliver(spool, &to)[0].is_ok());
        });
        let bare = rate(threads, count, |number| {
            let mut file =
                fs::File::create_new(root.path().join(number.to_string())).expect("made");
            file.write_all(&text).expect("written");
            file.sync_all().expect("synced");
        });
        println!(
            "{threads:2} at a time: {delivered:6.0} deliveries a second; {bare:6.0} files made and synced"
        );
    }
    let root = tempfile::tempdir_in(&folder).expect("a temporary directory");
    let place = root.path().to_path_buf();
    let batches = rate(1, 20, |batch| {
        for number in 0..64 {
            let mut file =
                fs::File::create_new(place.join(format!("{batch}-{number}"))).expect("made");
            file.write_all(&vec![b'x'; OCTETS]).expect("written");
        }
        Kernel.sync_file_system(&place).expect("synced");
    });
    println!(
        "in batches of 64, synced with the file system: {:6.0} files",
        64.0 * batches
    );
}
