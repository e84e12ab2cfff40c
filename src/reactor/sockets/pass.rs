//! A connected socket, handed over to whoever called us (-F): OpenSSH's `ProxyUseFdpass` wants it so.

use std::io::{self, IoSlice};
use std::mem::MaybeUninit;
use std::os::fd::AsFd;

use rustix::event::PollFlags;
use rustix::io::Errno;
use rustix::net::{SendAncillaryBuffer, SendAncillaryMessage, SendFlags, sendmsg};

use crate::reactor::relay::wait;

/// Sends `socket` over `channel`, a UNIX socket, beside one octet 0 as OpenBSD's nc does: a message must have one.
///
/// # Errors
/// `channel` is no UNIX socket, or nobody is at its other end.
pub fn pass_descriptor(socket: impl AsFd, channel: impl AsFd) -> io::Result<()> {
    let descriptors = [socket.as_fd()];
    loop {
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
        let mut message = SendAncillaryBuffer::new(&mut space);
        // There is room for one.
        message.push(SendAncillaryMessage::ScmRights(&descriptors));
        let octet = [IoSlice::new(&[0])];
        match sendmsg(&channel, &octet, &mut message, SendFlags::NOSIGNAL) {
            Ok(_) => return Ok(()),
            Err(Errno::AGAIN) => {
                wait(channel.as_fd(), PollFlags::OUT, None)?;
            }
            Err(Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::File;
    use std::io::{IoSliceMut, Read, Write};
    use std::os::unix::net::UnixStream;

    use rustix::net::{RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, recvmsg};

    #[test]
    fn a_descriptor_arrives_and_works() {
        let (channel, caller) = UnixStream::pair().unwrap();
        let (mut reader, writer) = io::pipe().unwrap();
        pass_descriptor(writer, channel).unwrap();
        let mut octet = [1];
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
        let mut message = RecvAncillaryBuffer::new(&mut space);
        let mut room = [IoSliceMut::new(&mut octet)];
        let flags = RecvFlags::CMSG_CLOEXEC;
        assert_eq!(
            recvmsg(&caller, &mut room, &mut message, flags)
                .unwrap()
                .bytes,
            1
        );
        let Some(RecvAncillaryMessage::ScmRights(mut passed)) = message.drain().next() else {
            panic!("no descriptor");
        };
        let mut passed = File::from(passed.next().unwrap());
        passed.write_all(b"through").unwrap();
        drop(passed);
        let mut heard = String::new();
        reader.read_to_string(&mut heard).unwrap();
        assert_eq!((heard.as_str(), octet), ("through", [0]));
    }

    #[test]
    fn what_is_no_socket_passes_nothing() {
        let (_reader, writer) = io::pipe().unwrap();
        let (socket, _other) = UnixStream::pair().unwrap();
        let error = pass_descriptor(socket, writer).unwrap_err();
        assert_eq!(error.raw_os_error(), Some(Errno::NOTSOCK.raw_os_error()));
    }
}
