//! The user's stdin and stdout, whatever they are, without ever blocking in them and without changing them.
//!
//! O_NONBLOCK belongs to the open file, which the shell and other programs share with us: setting it would break them. So
//! each kind is read and written in the way that suits it:
//!
//! | | can epoll watch it | read | write |
//! |---|---|---|---|
//! | pipe | yes | asked by poll(2) first | an open file of our own, through /proc/self/fd |
//! | terminal | yes | asked by poll(2) first | the same |
//! | socket (inetd, ssh) | yes | MSG_DONTWAIT | MSG_DONTWAIT |
//! | file, /dev/null | no (EPERM): always ready | plainly | plainly |
//!
//! A relay that lets the kernel move octets (splice(2), sendfile(2)) needs none of this: SPLICE_F_NONBLOCK is asked for in each
//! call. So the open file of our own is made when it is first written to.
//!
//! Where /proc is missing, or forbids it, a pipe or terminal is asked by poll(2) before each write too, and given no more than
//! PIPE_BUF, which it then has room for. A descriptor that was closed (`<&-`) is /dev/null by the time that `main` runs: Rust's
//! standard library sees to it, so that no socket can become descriptor 0.
//!
//! Where both are terminals, [`edit`] has lines edited: then the one draws what is typed, and the other makes room for what it writes.

use std::fs::OpenOptions;
use std::io::{self, IsTerminal, Write};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::os::unix::fs::OpenOptionsExt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use mio::unix::SourceFd;
use mio::{Interest, Registry, Token};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{FileType, OFlags, fstat};
use rustix::net::{RecvFlags, SendFlags, recv, send};
use rustix::termios::isatty;

use super::terminal::Terminal;
pub use super::terminal::give_back_at_once;
use crate::limits;
use crate::proto::raw::Keyboard;
use crate::proto::raw::edit::Editor;

/// Where the user's octets come from.
#[derive(Debug)]
pub struct Input {
    /// `None` at the end.
    fd: Option<OwnedFd>,
    kind: Kind,
    editing: Option<Shared>,
    /// What was typed in earlier conversations.
    editor: Editor,
}

/// Where the user wants the peer's octets.
#[derive(Debug)]
pub struct Output {
    /// `None`: what is written goes nowhere.
    fd: Option<OwnedFd>,
    /// The same open anew, if it was.
    own: Option<OwnedFd>,
    kind: Kind,
    way: Way,
    editing: Option<Shared>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Terminal,
    Pipe,
    Socket,
    /// A file, and other things that never make anybody wait.
    Ready,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    /// Not tried yet: to be opened anew.
    Unopened,
    /// Plainly: it never blocks, or is an open file of our own with O_NONBLOCK.
    Plain,
    DontWait,
    /// At most PIPE_BUF, after poll(2).
    Asked,
}

/// How one learns that a descriptor is ready.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Readiness {
    /// By an event.
    Event,
    /// It always is.
    Always,
}

impl Input {
    /// The process's stdin.
    pub fn stdin() -> io::Result<Self> {
        Self::new(io::stdin().as_fd().try_clone_to_owned()?)
    }

    /// Any descriptor.
    pub fn new(fd: OwnedFd) -> io::Result<Self> {
        let kind = kind(&fd)?;
        Ok(Self {
            fd: Some(fd),
            kind,
            editing: None,
            editor: Editor::default(),
        })
    }

    /// At its end at once, if it can never be read: nohup(1) leaves a stdin that is open for writing only, and a folder has no
    /// octets.
    pub fn or_at_its_end(self) -> Self {
        let Some(fd) = &self.fd else {
            return self;
        };
        let mode = rustix::fs::fcntl_getfl(fd).unwrap_or(OFlags::empty()) & OFlags::RWMODE;
        let is_folder = fstat(fd)
            .is_ok_and(|file| FileType::from_raw_mode(file.st_mode) == FileType::Directory);
        match mode == OFlags::WRONLY || is_folder {
            true => Self::none(),
            false => self,
        }
    }

    /// One that is at its end (-d).
    pub fn none() -> Self {
        Self {
            fd: None,
            kind: Kind::Ready,
            editing: None,
            editor: Editor::default(),
        }
    }

    /// Who types.
    pub fn keyboard(&self) -> Keyboard {
        match self.kind {
            Kind::Terminal => Keyboard::Terminal,
            _ => Keyboard::Other,
        }
    }

    /// Asks for as large a pipe as there is, if it is one: each filling of it costs two switches of process.
    pub fn enlarge(&self) {
        enlarge(self.fd.as_ref(), self.kind);
    }

    /// The descriptor, until the end has been read, and what it is.
    pub(super) fn source(&self) -> Option<(BorrowedFd<'_>, Kind)> {
        self.fd.as_ref().map(|fd| (fd.as_fd(), self.kind))
    }

    /// Its end was read by other means than [`Self::read`].
    pub(super) fn end(&mut self) {
        self.fd = None;
    }

    /// Whether [`Self::read`] would bring octets or the end now.
    pub(super) fn has_something(&self) -> bool {
        self.fd
            .as_ref()
            .is_none_or(|fd| ask(fd, PollFlags::IN).is_ok())
    }

    /// Whether the end has been read.
    pub const fn is_over(&self) -> bool {
        self.fd.is_none()
    }

    /// Asks to be told by an event with `token` when there is something to read.
    pub fn register(&self, registry: &Registry, token: Token) -> io::Result<Readiness> {
        match &self.fd {
            Some(fd) => register(fd, registry, token, Interest::READABLE),
            None => Ok(Readiness::Always),
        }
    }

    /// Appends what there is to `buffer`, as far as its capacity goes; 0 is the end, and stays so.
    ///
    /// # Errors
    /// [`io::ErrorKind::WouldBlock`] when there is nothing now. A terminal that hung up is at its end.
    pub fn read(&mut self, buffer: &mut Vec<u8>) -> io::Result<usize> {
        let Some(fd) = &self.fd else {
            return Ok(0);
        };
        if let Some(terminal) = &self.editing {
            let read = read_keys(fd, &mut lock(terminal), buffer);
            if matches!(read, Ok(0)) {
                self.fd = None;
            }
            return read;
        }
        let spare = rustix::buffer::spare_capacity(buffer);
        let octets = match self.kind {
            Kind::Ready => rustix::io::read(fd, spare),
            Kind::Socket => recv(fd, spare, RecvFlags::DONTWAIT).map(|(octets, _)| octets),
            Kind::Terminal | Kind::Pipe => {
                ask(fd, PollFlags::IN)?;
                rustix::io::read(fd, spare)
            }
        };
        match octets {
            Ok(0) | Err(rustix::io::Errno::IO) => {
                self.fd = None;
                Ok(0)
            }
            octets => Ok(octets?),
        }
    }
}

impl Output {
    /// The process's stdout.
    pub fn stdout() -> io::Result<Self> {
        Self::new(io::stdout().as_fd().try_clone_to_owned()?)
    }

    /// Any descriptor.
    pub fn new(fd: OwnedFd) -> io::Result<Self> {
        let kind = kind(&fd)?;
        Ok(Self {
            fd: Some(fd),
            own: None,
            kind,
            way: match kind {
                Kind::Ready => Way::Plain,
                Kind::Socket => Way::DontWait,
                Kind::Pipe | Kind::Terminal => Way::Unopened,
            },
            editing: None,
        })
    }

    /// One that takes everything, and keeps nothing (ncat's `--send-only`).
    pub const fn none() -> Self {
        Self {
            fd: None,
            own: None,
            kind: Kind::Ready,
            way: Way::Plain,
            editing: None,
        }
    }

    /// Asks for as large a pipe as there is, if it is one.
    pub fn enlarge(&self) {
        enlarge(self.fd.as_ref(), self.kind);
    }

    /// Asks to be told by an event with `token` when there is room.
    pub fn register(&self, registry: &Registry, token: Token) -> io::Result<Readiness> {
        match &self.fd {
            Some(fd) => register(fd, registry, token, Interest::WRITABLE),
            None => Ok(Readiness::Always),
        }
    }

    /// The descriptor and what it is, unless octets go nowhere.
    pub(super) fn sink(&self) -> Option<(BorrowedFd<'_>, Kind)> {
        self.fd.as_ref().map(|fd| (fd.as_fd(), self.kind))
    }

    /// Writes as much of `octets` as there is room for.
    ///
    /// # Errors
    /// [`io::ErrorKind::WouldBlock`] when there is no room now.
    pub fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        let Some(terminal) = self.editing.clone() else {
            return self.write_plainly(octets);
        };
        let mut terminal = lock(&terminal);
        terminal.hide();
        terminal.flush()?;
        let written = self.write_plainly(octets);
        let octets = &octets[..written.as_ref().copied().unwrap_or(0)];
        terminal.editor.heard(octets);
        terminal.wrote(octets);
        // What is not drawn yet is drawn before anything else is written.
        let _ = terminal.flush();
        written
    }

    /// Writes a message to stderr, which may be the same terminal.
    pub(super) fn aside(&self, message: &[u8]) {
        let mut stderr = io::stderr().lock();
        let terminal = self.editing.as_ref().filter(|_| stderr.is_terminal());
        // Nobody is left to tell when stderr is gone.
        let Some(terminal) = terminal else {
            let _ = stderr.write_all(message);
            return;
        };
        let mut terminal = lock(terminal);
        terminal.hide();
        let _ = terminal.flush();
        let _ = stderr.write_all(message);
        terminal.wrote(message);
        let _ = terminal.flush();
    }

    fn write_plainly(&mut self, octets: &[u8]) -> io::Result<usize> {
        let Some(fd) = &self.fd else {
            return Ok(octets.len());
        };
        if self.way == Way::Unopened {
            self.own = open_anew(fd).ok();
            self.way = match self.own {
                Some(_) => Way::Plain,
                None => Way::Asked,
            };
        }
        let fd = self.own.as_ref().unwrap_or(fd);
        Ok(match self.way {
            Way::Plain => rustix::io::write(fd, octets)?,
            Way::DontWait => send(fd, octets, SendFlags::DONTWAIT | SendFlags::NOSIGNAL)?,
            Way::Asked | Way::Unopened => {
                ask(fd, PollFlags::OUT)?;
                let fits = octets.len().min(limits::PIPE_BUF);
                rustix::io::write(fd, &octets[..fits])?
            }
        })
    }

    /// Tells whoever reads it that no more will come. It must be ours alone.
    pub(super) fn close(&mut self) {
        if let Some(fd) = &self.fd
            && self.kind == Kind::Socket
        {
            // One that is gone needs no closing.
            let _ = rustix::net::shutdown(fd, rustix::net::Shutdown::Write);
        }
        *self = Self::none();
    }
}

/// A terminal, to both ends.
type Shared = Arc<Mutex<Terminal>>;

fn lock(terminal: &Shared) -> MutexGuard<'_, Terminal> {
    // What is drawn may be half a line, and is drawn anew.
    terminal.lock().unwrap_or_else(PoisonError::into_inner)
}

/// From now on lines are edited, if both ends are terminals, and ours. Whether they are; [`edit_no_more`] ends it.
pub fn edit(input: &mut Input, output: &mut Output) -> bool {
    let (Some(keys), Some(screen)) = (&input.fd, &output.fd) else {
        return false;
    };
    if (input.kind, output.kind) != (Kind::Terminal, Kind::Terminal) {
        return false;
    }
    // Whose terminal it is not, or who is in the background, types as ever.
    let editor = std::mem::take(&mut input.editor).anew();
    let terminal = Terminal::take(keys.as_fd(), screen.as_fd(), editor).ok();
    input.editing = terminal.map(|terminal| Arc::new(Mutex::new(terminal)));
    output.editing.clone_from(&input.editing);
    input.editing.is_some()
}

/// Gives the terminal back.
pub fn edit_no_more(input: &mut Input, output: &mut Output) {
    if let Some(terminal) = input.editing.take() {
        input.editor = lock(&terminal).leave();
    }
    output.editing = None;
}

/// Keys that were pressed, until they make a line: see [`Input::read`].
fn read_keys(fd: &OwnedFd, terminal: &mut Terminal, buffer: &mut Vec<u8>) -> io::Result<usize> {
    let mut keys = [0; 1024];
    loop {
        let octets = terminal.editor.take(buffer);
        if octets > 0 {
            return Ok(octets);
        }
        if terminal.editor.is_over() {
            terminal.rest();
            return Ok(0);
        }
        ask(fd, PollFlags::IN)?;
        terminal.wake();
        match rustix::io::read(fd, &mut keys) {
            Ok(0) | Err(rustix::io::Errno::IO) => return Ok(0),
            octets => terminal.press(&keys[..octets?]),
        }
        // What is not drawn yet is drawn with the next key.
        let _ = terminal.flush();
    }
}

fn kind(fd: &OwnedFd) -> io::Result<Kind> {
    if isatty(fd) {
        return Ok(Kind::Terminal);
    }
    Ok(match FileType::from_raw_mode(fstat(fd)?.st_mode) {
        FileType::Fifo => Kind::Pipe,
        FileType::Socket => Kind::Socket,
        _ => Kind::Ready,
    })
}

fn enlarge(fd: Option<&OwnedFd>, kind: Kind) {
    if let Some(fd) = fd
        && kind == Kind::Pipe
    {
        // Not allowed to everybody, and only a matter of speed.
        let _ = rustix::pipe::fcntl_setpipe_size(fd, limits::RELAY_PIPE);
    }
}

fn register(
    fd: &OwnedFd,
    registry: &Registry,
    token: Token,
    interest: Interest,
) -> io::Result<Readiness> {
    match registry.register(&mut SourceFd(&fd.as_raw_fd()), token, interest) {
        Ok(()) => Ok(Readiness::Event),
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => Ok(Readiness::Always),
        Err(error) => Err(error),
    }
}

/// `WouldBlock` unless the descriptor is ready, or in a state that reading or writing will tell.
pub(super) fn ask(fd: &OwnedFd, flags: PollFlags) -> io::Result<()> {
    const AT_ONCE: Timespec = Timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };
    let mut asked = [PollFd::new(fd, flags)];
    if poll(&mut asked, Some(&AT_ONCE))? == 0 {
        return Err(io::ErrorKind::WouldBlock.into());
    }
    Ok(())
}

/// The same pipe or terminal, as an open file of our own that does not block.
fn open_anew(fd: &OwnedFd) -> io::Result<OwnedFd> {
    let flags = OFlags::NONBLOCK | OFlags::NOCTTY;
    let file = OpenOptions::new()
        .write(true)
        .custom_flags(flags.bits().cast_signed())
        .open(format!("/proc/self/fd/{}", fd.as_raw_fd()))?;
    Ok(file.into())
}

#[cfg(test)]
mod tests {
    use std::fs::File;
    use std::io::{Read, Seek, Write};
    use std::os::unix::net::UnixStream;

    use super::*;

    fn would_block<T: std::fmt::Debug>(result: io::Result<T>) {
        assert_eq!(result.unwrap_err().kind(), io::ErrorKind::WouldBlock);
    }

    #[test]
    fn a_pipe_is_read_without_blocking_to_its_end() {
        let (reader, mut writer) = io::pipe().unwrap();
        let mut input = Input::new(reader.into()).unwrap();
        let mut buffer = Vec::with_capacity(5);
        would_block(input.read(&mut buffer));
        writer.write_all(b"QUIT\r\n").unwrap();
        assert_eq!(input.read(&mut buffer).unwrap(), 5);
        assert_eq!(buffer, b"QUIT\r");
        buffer.clear();
        assert_eq!(input.read(&mut buffer).unwrap(), 1);
        would_block(input.read(&mut buffer));
        drop(writer);
        assert_eq!(input.read(&mut buffer).unwrap(), 0);
        assert!(input.is_over());
        assert_eq!(input.read(&mut buffer).unwrap(), 0, "the end stays");
        assert_eq!(buffer, b"\n");
    }

    #[test]
    fn a_full_pipe_does_not_block_in_either_way() {
        for way in [None, Some(Way::Asked)] {
            let (mut reader, writer) = io::pipe().unwrap();
            let mut output = Output::new(writer.into()).unwrap();
            output.way = way.unwrap_or(output.way);
            let block = [b'x'; 40_000];
            let mut written = 0;
            let full = loop {
                match output.write(&block) {
                    Ok(octets) => written += octets,
                    Err(error) => break error,
                }
            };
            assert_eq!(full.kind(), io::ErrorKind::WouldBlock);
            assert!(written >= 60_000, "{written} octets fit");
            drop(output);
            let mut read = Vec::new();
            reader.read_to_end(&mut read).unwrap();
            assert_eq!(read.len(), written);
        }
    }

    #[test]
    fn a_pipe_without_a_reader_is_broken() {
        let (reader, writer) = io::pipe().unwrap();
        let mut output = Output::new(writer.into()).unwrap();
        drop(reader);
        let error = output.write(b"x").unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::BrokenPipe);
    }

    #[test]
    fn the_open_file_of_others_is_left_as_it_was() {
        let (_reader, writer) = io::pipe().unwrap();
        let shared: OwnedFd = writer.into();
        let mut output = Output::new(shared.try_clone().unwrap()).unwrap();
        assert_eq!(output.write(b"x").unwrap(), 1);
        assert_eq!(output.way, Way::Plain, "there is /proc here");
        let flags = rustix::fs::fcntl_getfl(&shared).unwrap();
        assert!(!flags.contains(OFlags::NONBLOCK));
    }

    #[test]
    fn a_file_is_always_ready_and_written_where_it_stands() {
        let poll = mio::Poll::new().unwrap();
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(b"head ").unwrap();
        let mut output = Output::new(file.try_clone().unwrap().into()).unwrap();
        let readiness = output.register(poll.registry(), Token(0)).unwrap();
        assert_eq!(readiness, Readiness::Always);
        assert_eq!(output.write(b"tail").unwrap(), 4);
        file.rewind().unwrap();
        let mut input = Input::new(file.into()).unwrap();
        let mut buffer = Vec::with_capacity(100);
        assert_eq!(input.read(&mut buffer).unwrap(), 9);
        assert_eq!(buffer, b"head tail");
        assert_eq!(input.read(&mut buffer).unwrap(), 0);
    }

    #[test]
    fn dev_null_is_at_its_end_and_takes_everything() {
        let poll = mio::Poll::new().unwrap();
        let mut input = Input::new(File::open("/dev/null").unwrap().into()).unwrap();
        input.register(poll.registry(), Token(0)).unwrap();
        assert_eq!(input.read(&mut Vec::with_capacity(10)).unwrap(), 0);
        let null = OpenOptions::new().write(true).open("/dev/null").unwrap();
        let mut output = Output::new(null.into()).unwrap();
        assert_eq!(output.write(&[0; 100_000]).unwrap(), 100_000);
    }

    #[test]
    fn what_cannot_be_read_is_at_its_end() {
        let deaf = OpenOptions::new().write(true).open("/dev/null").unwrap();
        let folder = File::open("/").unwrap();
        for file in [deaf, folder] {
            let input = Input::new(file.into()).unwrap();
            assert!(!input.is_over());
            assert!(input.or_at_its_end().is_over());
        }
        let (reader, _writer) = io::pipe().unwrap();
        let input = Input::new(reader.into()).unwrap();
        assert!(!input.or_at_its_end().is_over());
    }

    #[test]
    fn a_socket_serves_as_both() {
        let (ours, mut theirs) = UnixStream::pair().unwrap();
        let mut input = Input::new(ours.try_clone().unwrap().into()).unwrap();
        assert!(!input.has_something());
        let mut output = Output::new(ours.into()).unwrap();
        let mut buffer = Vec::with_capacity(10);
        would_block(input.read(&mut buffer));
        theirs.write_all(b"in").unwrap();
        assert_eq!(input.read(&mut buffer).unwrap(), 2);
        assert_eq!(output.write(b"out").unwrap(), 3);
        let mut three = [0; 3];
        theirs.read_exact(&mut three).unwrap();
        assert_eq!(&three, b"out");
        output.close();
        assert_eq!(theirs.read(&mut three).unwrap(), 0, "it is told of the end");
        theirs.write_all(b"still").unwrap();
        assert!(input.has_something(), "and may go on");
        assert_eq!(output.write(b"lost").unwrap(), 4);
    }
}
