//! Ports for tests that run side by side, in one process and in several.

use std::mem;
use std::net::{Ipv4Addr, TcpListener};
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram};
use std::sync::atomic::{AtomicU32, Ordering};

/// Ports at which nobody listens, each given to one test of all that run at once, from below those that the kernel hands out by itself:
/// no connection of another test takes one before its server is up.
pub fn free_ports<const N: usize>() -> [u16; N] {
    const FIRST: u32 = 10_000;
    const COUNT: u32 = 22_000;
    static TRIED: AtomicU32 = AtomicU32::new(0);
    // Test programs that run side by side begin at different places, and find what the others hold.
    let begin = std::process::id().wrapping_mul(101);
    [(); N].map(|()| {
        (0..COUNT)
            .map(|_| begin.wrapping_add(TRIED.fetch_add(1, Ordering::Relaxed)))
            .map(|number| u16::try_from(FIRST + number % COUNT).expect("below 32,000"))
            .find(|&port| hold(port) && TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok())
            .expect("a free port")
    })
}

/// Takes a port for this process and its life, where no other test program has it: by a name in the kernel, gone with the process.
fn hold(port: u16) -> bool {
    let name = format!("mailtool-test-port-{port}");
    let address = SocketAddr::from_abstract_name(name).expect("short enough");
    UnixDatagram::bind_addr(&address).map(mem::forget).is_ok()
}
