//! System calls that no safe crate offers: the only unsafe code.

#![expect(unsafe_code, reason = "each block says why it is sound")]

use std::fs::File;
use std::io;
use std::net::Ipv4Addr;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, RawFd};
use std::sync::OnceLock;

/// Takes over a file descriptor that the parent process left open for us, such as that of `--ready-fd`. 0 to 2 stay
/// standard input, output and error: they are refused, and so is a number that is not open. To be called before anything
/// else is opened.
pub(crate) fn inherited(descriptor: RawFd) -> io::Result<File> {
    if descriptor <= 2 {
        return Err(rustix::io::Errno::BADF.into());
    }
    // SAFETY: the borrow ends with this call, which passes the number to the kernel and no more: it is an error where the
    // number is not open. Not asked through /proc, which an empty chroot has not.
    rustix::io::fcntl_getfd(unsafe { BorrowedFd::borrow_raw(descriptor) })?;
    // SAFETY: the descriptor is open, and nothing else in this process owns it: callers come here before they open
    // anything, and this is the only place that takes a descriptor from the parent.
    Ok(unsafe { File::from_raw_fd(descriptor) })
}

/// setsockopt(2), for options that no crate has. `value` is what the option wants, in the kernel's layout.
pub(crate) fn set_socket_option(
    socket: BorrowedFd<'_>,
    level: i32,
    name: i32,
    value: &[u8],
) -> io::Result<()> {
    let length = libc::socklen_t::try_from(value.len())
        .map_err(|_| io::Error::from(io::ErrorKind::InvalidInput))?;
    // SAFETY: `value` is `length` octets that may be read, and the kernel reads no more of them; the descriptor is open as long
    // as it is borrowed. No option that is set by octets alone makes the kernel keep the pointer.
    let result = unsafe {
        libc::setsockopt(
            socket.as_raw_fd(),
            level,
            name,
            value.as_ptr().cast(),
            length,
        )
    };
    match result {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}

/// sync_file_range(2): the kernel begins to write these octets of the file to the disk, and nobody waits for it. A hint: that it was not
/// taken shows in nothing but time.
pub(crate) fn begin_write_back(file: BorrowedFd<'_>, from: u64, octets: u64) {
    let (Ok(from), Ok(octets)) = (i64::try_from(from), i64::try_from(octets)) else {
        return;
    };
    // SAFETY: numbers only are passed, and the descriptor is open as long as it is borrowed.
    let _ = unsafe {
        libc::sync_file_range(file.as_raw_fd(), from, octets, libc::SYNC_FILE_RANGE_WRITE)
    };
}

/// setfsgid(2) and setfsuid(2): which files this thread may use, and whose those are that it makes. Of this thread alone. Only root may
/// take the rights of others, and has its own back with 0.
pub(crate) fn file_rights(uid: u32, gid: u32) -> io::Result<()> {
    // The group goes first: without the rights of root over the user it could not change.
    // SAFETY: numbers only are passed. The calls report no error but return what was before; -1 is nobody's, so the second one of each
    // changes nothing and says what is now.
    let now = unsafe {
        if uid == 0 {
            libc::setfsuid(uid);
        }
        libc::setfsgid(gid);
        libc::setfsuid(uid);
        (libc::setfsuid(u32::MAX), libc::setfsgid(u32::MAX))
    };
    match now == (uid.cast_signed(), gid.cast_signed()) {
        true => Ok(()),
        false => Err(rustix::io::Errno::PERM.into()),
    }
}

/// Seconds east of UTC on the clocks here at a time (seconds since 1970), as `TZ` or /etc/localtime say; 0 where they say nothing.
pub(crate) fn east_of_utc(unix: i64) -> i32 {
    let mut local = std::mem::MaybeUninit::<libc::tm>::zeroed();
    // SAFETY: both pointers are valid for the call. Zeroes are a `tm`, should nothing be written: its only pointer may be null, and
    // is not read.
    let local = unsafe {
        libc::localtime_r(&raw const unix, local.as_mut_ptr());
        local.assume_init()
    };
    i32::try_from(local.tm_gmtoff).unwrap_or(0)
}

/// setgroups(2) with none: the process keeps no rights by groups other than its own, in any of its threads.
pub(crate) fn leave_groups() -> io::Result<()> {
    // SAFETY: no group is passed, so that the pointer is not used.
    match unsafe { libc::setgroups(0, std::ptr::null()) } {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}

/// SIOCOUTQ: octets that were sent, and that the peer has not acknowledged; its own end counts as one. Of a UNIX socket: something
/// above zero while the peer has not read all.
pub(crate) fn unacknowledged(socket: BorrowedFd<'_>) -> io::Result<usize> {
    let mut octets: libc::c_int = 0;
    // SAFETY: the kernel writes one integer, and there is one; the descriptor is open as long as it is borrowed.
    let result = unsafe { libc::ioctl(socket.as_raw_fd(), libc::TIOCOUTQ, &raw mut octets) };
    match result {
        0 => Ok(usize::try_from(octets).unwrap_or(0)),
        _ => Err(io::Error::last_os_error()),
    }
}

/// SIOCGIFCONF: the IPv4 addresses by which others may reach this machine, in the order of its interfaces; none where the system does not
/// say.
pub(crate) fn own_addresses() -> Vec<Ipv4Addr> {
    /// More have no place in what is shown.
    const MOST: usize = 32;
    let Ok(socket) = rustix::net::socket(
        rustix::net::AddressFamily::INET,
        rustix::net::SocketType::DGRAM,
        None,
    ) else {
        return Vec::new();
    };
    // SAFETY: zeroes are an `ifreq`, whose fields are octets, numbers and a pointer that may be null.
    let mut entries: [libc::ifreq; MOST] = unsafe { std::mem::zeroed() };
    let room = size_of_val(&entries);
    let mut asked = libc::ifconf {
        ifc_len: i32::try_from(room).unwrap_or(0),
        ifc_ifcu: libc::__c_anonymous_ifc_ifcu {
            ifcu_req: entries.as_mut_ptr(),
        },
    };
    // SAFETY: the kernel writes `ifc_len` octets into the entries, no more, and how many it wrote into `asked`; both outlive the call,
    // and the descriptor is open.
    let result = unsafe { libc::ioctl(socket.as_raw_fd(), SIOCGIFCONF as _, &raw mut asked) };
    if result != 0 {
        return Vec::new();
    }
    let written = usize::try_from(asked.ifc_len).unwrap_or(0) / size_of::<libc::ifreq>();
    let addresses = entries.iter().take(written).map(|entry| {
        // SAFETY: the union has an address here: the kernel wrote it, or it is zeroes.
        let address = unsafe { entry.ifr_ifru.ifru_addr };
        // A `sockaddr_in` of this family, the only one there is: the port, then the address.
        let [_, _, a, b, c, d, ..] = address.sa_data.map(|octet| octet as u8);
        Ipv4Addr::new(a, b, c, d)
    });
    let is_reached =
        |it: &Ipv4Addr| !it.is_loopback() && !it.is_link_local() && !it.is_unspecified();
    addresses.filter(is_reached).collect()
}

/// The same number on all architectures (linux/sockios.h).
const SIOCGIFCONF: u32 = 0x8912;

/// SIGILL says that this program has a mistake in it: a panic ends the shipped program by that signal, its text is not in it (see
/// `dist/build-musl.sh`). From now on a line on stderr says so first; then the signal ends the program, as it does by itself. In
/// other builds a panic has a text, and ends in SIGABRT. Before either `first` is called, in the handler: it may make nothing but
/// system calls.
pub(crate) fn tell_of_own_mistakes(first: fn()) {
    static FIRST: OnceLock<fn()> = OnceLock::new();
    extern "C" fn tell(signal: libc::c_int) {
        if let Some(first) = FIRST.get() {
            first();
        }
        let text = b"mailtool: a mistake in this program has ended it: please report what you did, and mailtool --version\n";
        // SAFETY: `write` and `raise` may be called in a handler; the text is there as long as the program. The handler is gone by now
        // (SA_RESETHAND), so that the signal ends the program when this returns.
        unsafe {
            if signal == libc::SIGILL {
                libc::write(libc::STDERR_FILENO, text.as_ptr().cast(), text.len());
            }
            libc::raise(signal);
        }
    }
    // Set once, by `main`.
    let _ = FIRST.set(first);
    let handler: extern "C" fn(libc::c_int) = tell;
    // SAFETY: zeroes are a `sigaction` with an empty mask; the handler has the type that the flags stand for.
    unsafe {
        let mut action: libc::sigaction = std::mem::zeroed();
        action.sa_sigaction = handler as usize;
        action.sa_flags = libc::SA_RESETHAND;
        for signal in [libc::SIGILL, libc::SIGABRT] {
            libc::sigaction(signal, &raw const action, std::ptr::null_mut());
        }
    }
}
