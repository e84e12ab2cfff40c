//! Every number that bounds something: its value, its unit, why it is that much, and the section that asks for it.

use std::time::Duration;

/// Octets of a connection's receive buffer. A full TLS record fits; freed while the connection is idle.
pub use mailtool_lines::RECEIVE_BUFFER;

/// Octets queued for a peer at which a session is no longer given input, until it has read.
pub const SEND_HIGH: usize = 256 * 1024;
/// Octets left in the queue at which a session that was held back gets [`crate::proto::Input::Room`].
pub const SEND_LOW: usize = 64 * 1024;

/// Connections that may wait to be accepted. mio and std ask for 128, and then thousands of quick connects take half a minute.
pub const BACKLOG: i32 = 4096;
/// Connections that one listener accepts before the others have their turn.
pub const ACCEPTS: usize = 64;
/// How long accepting pauses when there are no file descriptors left, unless a connection closes before.
pub const ACCEPT_PAUSE: Duration = Duration::from_secs(1);
/// How long the same complaint about that is not repeated in the log.
pub const COMPLAINT_PAUSE: Duration = Duration::from_secs(60);
/// Connections served at the same time; the next ones are told so. Also never more than file descriptors allow.
pub const CONNECTIONS: usize = 40_000;
/// Connections served for one address (Postfix: smtpd_client_connection_count_limit 50). A lab behind one router needs more.
pub const CONNECTIONS_PER_ADDRESS: usize = 200;
/// Connections that are just being told that there are too many; more than these are closed without a word.
pub const REFUSALS: usize = 256;
/// File descriptors kept for the store and the program, out of the reach of connections; [`ARRIVALS`] among them.
pub const SPARE_DESCRIPTORS: usize = 328;

/// Octets moved for one connection before the others have their turn.
pub const TURN: usize = 256 * 1024;
/// Octets of a thread's scratch buffers: four TLS records at a time.
pub const SCRATCH: usize = 64 * 1024;
/// How long a peer may take for a TLS handshake.
pub const TLS_HANDSHAKE: Duration = Duration::from_secs(30);
/// How long a peer that is being sent something may take nothing of it (RFC 5321 §4.5.3.2.5: 3 minutes at least).
pub const SEND_STALL: Duration = Duration::from_secs(300);
/// The same once nothing but the end of the connection is to be sent.
pub const CLOSE_STALL: Duration = Duration::from_secs(30);
/// How long the end of a peer's stream is waited for after ours, so that it does read our last reply.
pub const LINGER: Duration = Duration::from_secs(2);
/// How often it is looked at meanwhile whether that reply has arrived: Linux acknowledges within 40 ms (TCP_DELACK_MIN).
pub const LINGER_LOOK: Duration = Duration::from_millis(20);
/// Octets read and thrown away while waiting for it.
pub const LINGER_OCTETS: usize = 4 * 1024 * 1024;
/// How long sessions may finish what they are in the middle of when the program stops.
pub const STOP_GRACE: Duration = Duration::from_secs(10);
/// How long, after that, they may take to say goodbye in the middle of it.
pub const STOP_GOODBYE: Duration = Duration::from_secs(1);
/// Threads for jobs, started as they are needed: they wait for a disk most of the time, and those that wait together are served together.
/// With 32, 64 sessions of 4 KiB messages get 7 times Postfix's rate (`cargo bench --bench mail`).
pub const WORKERS: usize = 32;
/// Of these, those that may hash passwords at the same time: guessing keeps neither mail waiting nor takes more memory than
/// so many times [`ARGON2_MEMORY`].
pub const HASHERS: usize = 3;
/// How long a client waits for a TCP connection to one address, before it tries the next one (RFC 5321 §4.5.3.2 leaves it open).
pub const CONNECT: Duration = Duration::from_secs(30);

/// Connections that a server opens to others at the same time (Postfix: default_process_limit 100).
pub const OUTGOING: usize = 100;
/// How long a relay waits for the greeting of a server (RFC 5321 §4.5.3.2.1).
pub const RELAY_GREETING: Duration = Duration::from_secs(300);
/// How long it waits for the answer to EHLO, STARTTLS, AUTH, MAIL and RCPT (RFC 5321 §4.5.3.2.2 and §4.5.3.2.3).
pub const RELAY_COMMAND: Duration = Duration::from_secs(300);
/// Octets of a password or token for a smarthost, in a file or from a command: tokens have some thousands.
pub const SECRET: u64 = 64 * 1024;
/// How long a command may take that makes one: it asks a server of its own.
pub const SECRET_WAIT: Duration = Duration::from_secs(30);
/// How long it waits for the answer to DATA (RFC 5321 §4.5.3.2.4).
pub const RELAY_DATA: Duration = Duration::from_secs(120);
/// How long it waits for the answer to a message (RFC 5321 §4.5.3.2.6): whoever gives up too soon makes duplicates.
pub const RELAY_TEXT: Duration = Duration::from_secs(600);
/// How long it waits for the answer to QUIT, on which nothing depends.
pub const RELAY_QUIT: Duration = Duration::from_secs(10);
/// How long it keeps a connection for another message (Postfix: connection_cache_time_limit 2 s).
pub const RELAY_IDLE: Duration = Duration::from_secs(2);

/// Servers of a domain that are asked for a message in one attempt, when the first ones say that they do not take it now (RFC 5321
/// §5.1: two at least; Postfix: smtp_mx_session_limit 2).
pub const RELAY_SERVERS: usize = 2;

/// Octets of an SMTP command line, CRLF included. RFC 5321 §4.5.3.1.4 asks for 512, and its extensions add to it:
/// AUTH alone 12288 (RFC 4954 §4.3).
pub const SMTP_LINE: usize = 12 * 1024 + 512;
/// Octets of a message, the value of SIZE (RFC 1870).
pub const MESSAGE_SIZE: u64 = 64 * 1024 * 1024;
/// Octets of a message that `send` takes: it is held in memory, and no server takes a tenth of it.
pub const SENT_MESSAGE: u64 = 1024 * 1024 * 1024;
/// Sessions of `send --load` at once: a server has not many more sockets to give.
pub const LOAD_SESSIONS: u64 = 10_000;
/// Messages of `send --load`, so that it ends.
pub const LOAD_MESSAGES: u64 = 10_000_000;
/// Recipients of each (RFC 5321 §4.5.3.1.8 has servers take 100).
pub const LOAD_RECIPIENTS: u64 = 10_000;
/// Seconds of `send --load`: a day.
pub const LOAD_SECONDS: u64 = 86_400;
/// How long a session of `send --load` waits after a connection that failed: without it a server that refuses would be called thousands of
/// times a second.
pub const LOAD_PAUSE: Duration = Duration::from_millis(50);
/// Different errors that `send --load` counts apart.
pub const LOAD_ERRORS: usize = 100;
/// Octets of message text that a session gathers before it hands a block to a worker.
pub const BLOCK: usize = 64 * 1024;
/// Recipients that any server takes (RFC 5321 §4.5.3.1.8): a client that has named so many believes a 552 to be a 452.
pub const RECIPIENTS_TAKEN: usize = 100;
/// Recipients of one message. RFC 5321 §4.5.3.1.8 asks for at least 100.
pub const RECIPIENTS: usize = 1000;
/// Octets of message text that a session gathers after the first block: one write of this size keeps a disk busy.
pub const LONG_BLOCK: usize = 256 * 1024;
/// Messages of which a block is filled while the one before is written, in all; others wait for the disk. So many times two
/// [`BLOCK_AHEAD`]s of memory at most: 128 MiB.
pub const BLOCKS_AHEAD: usize = 64;
/// Octets of such a block, once as many have come: a disk that is told of so much at once writes it in one piece, and a thread is
/// woken for it once.
pub const BLOCK_AHEAD: usize = 1024 * 1024;
/// Received fields at which a message runs in a circle; RFC 5321 §6.3 asks for at least 100 as a bound, Postfix takes 50
/// (hopcount_limit) and sendmail 25. No real message goes through as many servers.
pub const HOPS: usize = 25;
/// Commands that failed, on one connection, before it is closed (Postfix: smtpd_hard_error_limit 20).
pub const ERRORS: usize = 20;
/// Commands that do no mail work (NOOP, RSET, VRFY ...) on one connection before it is closed.
pub const IDLE_COMMANDS: usize = 1000;

/// Commands that failed, on one connection, after which each refusal is held back for [`TARPIT_PAUSE`] (Postfix:
/// smtpd_soft_error_limit 10).
pub const SOFT_ERRORS: usize = 10;
/// How long a refusal is held back from a client that errs again and again (Postfix: smtpd_error_sleep_time 1s).
pub const TARPIT_PAUSE: Duration = Duration::from_secs(1);
/// The longest delay that a policy can ask for: a client waits 5 minutes for a greeting (RFC 5321 §4.5.3.2.1).
pub const POLICY_DELAY: Duration = Duration::from_secs(240);
/// Octets of a line of message text, CRLF included, in a strict session (RFC 5321 §4.5.3.1.6).
pub const TEXT_LINE: usize = 1000;
/// Octets of one BDAT that is refused and still read to its end, so that what follows is understood; for more, the
/// connection is closed.
pub const REFUSED_CHUNK: u64 = 1024 * 1024 * 1024;
/// Octets of a PROXY header (haproxy's form allows 65551, and real ones have some hundreds).
pub const PROXY_HEADER: usize = 2048;
/// How long the header of a proxy is waited for: it is sent at once.
pub const PROXY_WAIT: Duration = Duration::from_secs(10);
/// Messages that one address may begin in [`RATE_WINDOW`]; this computer itself is not counted.
pub const RATE_PER_ADDRESS: u32 = 1200;
/// Messages that one user may begin in [`RATE_WINDOW`]: a person sends a few, a program that was let loose thousands.
pub const RATE_PER_USER: u32 = 600;
/// The time over which messages are counted.
pub const RATE_WINDOW: Duration = Duration::from_secs(60);
/// Addresses and users that are counted at the same time; beyond that the older half is forgotten. Some 100 octets each.
pub const RATE_ENTRIES: usize = 20_000;
/// Octets of the value of From that a submission server reads to compare it with who sends; longer ones are not read on.
pub const FROM_VALUE: usize = 8 * 1024;
/// The shortest time that DELIVERBY with mode R takes, in seconds (RFC 2852 §3): a message needs about as long to be retried
/// once.
pub const DELIVER_BY: u32 = 60;
/// The longest time that FUTURERELEASE holds a message, in seconds (RFC 4865 §3): 30 days.
pub const FUTURE_RELEASE: u32 = 30 * 24 * 60 * 60;

/// How long a lock file of another program (`dovecot-uidlist.lock` ...) is waited for; it is held for milliseconds.
pub const DOTLOCK_WAIT: Duration = Duration::from_secs(10);
/// After so long without a change a lock file is taken for forgotten (Dovecot: 2 minutes), when its owner cannot be asked.
pub const DOTLOCK_STALE: Duration = Duration::from_secs(120);
/// After so long a lock file that says nothing is taken for forgotten: its owner is written microseconds after it is made.
pub const DOTLOCK_EMPTY: Duration = Duration::from_secs(1);
/// A file that has lain in `tmp/` so long belongs to nobody any more (the Maildir convention: 36 hours).
pub const TMP_STALE: Duration = Duration::from_secs(36 * 60 * 60);
/// Octets of a folder's name on disk, encoded (the NAME_MAX of Linux).
pub const FOLDER_NAME: usize = 255;
/// Levels of a mailbox name. Nobody nests so deep; it keeps whoever draws the tree from recursion without end.
pub const FOLDER_LEVELS: usize = 100;
/// Messages that are brought into a mailbox at once: as many files are open, and one sync of the list of UIDs and the directory is enough.
pub const IMPORT_MESSAGES: usize = 200;
/// Octets of them at which they are brought in though they are fewer.
pub const IMPORT_OCTETS: u64 = 64 * 1024 * 1024;
/// Octets of a message file of another program that is still read into memory.
pub const FOREIGN_MESSAGE: u64 = 512 * 1024 * 1024;
/// Mailboxes that stay in memory after the last session has left, so that a client that polls does not pay for a full look
/// each time.
pub const WARM_MAILBOXES: usize = 64;
/// How long `cur/` is not read again because it may hold more than its time tells, for each message in it: reading takes
/// about a tenth of this, and so never more than a tenth of the time (1.1 µs a message, measured).
pub const LISTING_PAUSE: Duration = Duration::from_micros(10);
/// Octets of our cache of a mailbox; a larger one is damaged. A message takes 33, so that is 8 million of them.
pub const CACHE_OCTETS: u64 = 256 * 1024 * 1024;
/// Records in it, above two for each message, at which it is written anew: a small mailbox need not be every time.
pub const CACHE_HISTORY: usize = 1000;
/// Ranges of UIDs that were removed and are remembered, so that a client learns exactly what went (RFC 7162 §3.2.7 leaves it
/// open how many); 16 octets each.
pub const CACHE_GONE: usize = 4096;
/// How long an IMAP client waits for a command until it is told how far that is, and then again (RFC 9585 §4 leaves it open; Dovecot).
pub const IMAP_PROGRESS: Duration = Duration::from_secs(10);
/// URLs in one GENURLAUTH or URLFETCH.
pub const IMAP_URLS: usize = 100;
/// URLs that CATENATE puts into one message (RFC 4469 leaves it open).
pub const IMAP_CATENATED: usize = 1000;
/// Alterations of flags that are remembered of a mailbox in memory, so that a STORE with UNCHANGEDSINCE fails only for flags that did
/// change (RFC 7162 §3.1.12); 16 octets each.
pub const FLAG_ALTERATIONS: usize = 4096;
/// Octets of one digest of a message; what is larger is found out again each time. Envelopes and structures have some hundreds,
/// the structure of [`MIME_PARTS`] parts a megabyte. Below 2^24, as the file has it.
pub const DIGEST: usize = 4 * 1024 * 1024;
/// Octets of a mailbox's digests: a message takes about one kilobyte.
pub const DIGESTS: u64 = 2 * 1024 * 1024 * 1024;
/// Octets of them that are read at once where many in a row are asked for.
pub const DIGEST_READ: usize = 256 * 1024;
/// Octets of them that are read ahead when a mailbox is opened, for the first search: some 30,000 messages.
pub const DIGESTS_AHEAD: u64 = 4 * 1024 * 1024;
/// Messages that are read ahead of a command, where the disk has to be asked for them: a few megabytes.
pub const AHEAD: usize = 128;
/// How long loading a message may take before the disk is thought to have been asked: from memory it takes 10 µs.
pub const SLOW_READ: Duration = Duration::from_micros(48);
/// Threads that read ahead: a disk answers several at once, and a good one many.
pub const SCOUTS: usize = 4;
/// How long they wait for more to do before they end.
pub const SCOUT_IDLE: Duration = Duration::from_secs(5);
/// Octets of a message that are read first where its header suffices: nearly all headers fit.
pub const HEADER_READ: u64 = 8 * 1024;
/// Octets of digests that are written at once: those of some thousand messages, so that what is asked for together lies together.
pub const DIGESTS_HELD: usize = 1024 * 1024;
/// Blocks of digests, at which small ones are put together.
pub const DIGEST_BLOCKS: usize = 500;
/// How long it is waited for more after another program changed a mailbox in which a session idles: the session is to be told
/// within 50 ms, and once for a change of a thousand files.
pub const NOTICE_PAUSE: Duration = Duration::from_millis(5);
/// Messages of all mailboxes that are kept warm, at some 250 octets each: 50 MB.
pub const WARM_MESSAGES: usize = 200_000;

/// How long a mailbox's lock is held for renaming and removing files before others get it, of the 50 ms that somebody else who works in it
/// may wait: a file takes 10 to 100 µs, as the disk is busy.
pub const LOCK_HELD: Duration = Duration::from_millis(4);
/// For how long those who wait for it are left it then, at a time and in all: who waits for a lock needs a moment to wake up.
pub const LOCK_PAUSE: Duration = Duration::from_micros(100);
/// See [`LOCK_PAUSE`].
pub const LOCK_WAIT: Duration = Duration::from_millis(20);
/// How long `cur/` is not read again after a change of our own, although another program may have changed it at the same tick
/// of the clock: as long as we go on changing it.
pub const LISTING_WAIT: Duration = Duration::from_secs(1);

/// Files of a COPY that are synced one by one; more are synced with all the rest of the file system.
pub const SYNC_EACH: usize = 8;

/// Octets of a queued message's name: with what is added to it, a file name (255).
pub const QUEUE_ID: usize = 100;
/// Messages in the queue; then the disk counts as full. Each takes about a kilobyte of memory.
pub const QUEUE_MESSAGES: usize = 200_000;
/// Recipients of one queued message, after its aliases were replaced by what they stand for.
pub const QUEUE_RECIPIENTS: usize = 10_000;
/// Octets of a queued message's envelope and journal that are read: ten times what as many recipients as can be need.
pub const QUEUE_ENTRY: usize = 64 * 1024 * 1024;
/// Octets of a queued message's journal at which it is written anew. A hundred attempts that were put off fit.
pub const QUEUE_JOURNAL: usize = 64 * 1024;
/// Octets of the file of aliases.
pub const ALIAS_FILE: usize = 16 * 1024 * 1024;
/// Mailboxes and addresses that one alias stands for in the end, aliases in it followed.
pub const ALIAS_TARGETS: usize = 1000;
/// Mailboxes that exist because somebody sent mail there (development mode): a run of tests makes some hundred.
pub const ANY_MAILBOXES: usize = 10_000;
/// How often, at most, it is looked at whether the files of users and aliases have changed.
pub const TABLE_CHECK: Duration = Duration::from_secs(1);
/// How long nobody must have written to such a file before it is read: who writes may not be done, or be about to change the other.
pub const TABLE_SETTLE: Duration = Duration::from_millis(20);
/// How long a message that LMTP handed in may come again and is not delivered twice: longer than a queue waits at most between
/// two attempts (Postfix: maximal_backoff_time 4000 s).
pub const REPEAT_WINDOW: Duration = Duration::from_secs(2 * 60 * 60);
/// Deliveries that are remembered for that, some 30 octets each.
pub const REPEATS: usize = 50_000;
/// Octets of `maildirsize` at which it is written anew (the Maildir++ specification: 5120).
pub const MAILDIRSIZE: usize = 5120;
/// How old a `maildirsize` that says that the mailbox is full may be, before it is counted anew (Maildir++: 15 minutes).
pub const MAILDIRSIZE_STALE: Duration = Duration::from_secs(15 * 60);
/// Octets of what another server said that are kept with a queued message; a reply line has 512 (RFC 5321 §4.5.3.1.5).
pub const QUEUE_REPLY: usize = 2048;

/// Octets of a password: hashing takes longer the longer it is (SHA-crypt: with its square).
pub const PASSWORD: usize = 512;
/// Rounds of SHA-crypt in a users file: about a second of work.
pub const SHA_CRYPT_ROUNDS: u32 = 2_000_000;
/// Rounds of SCRAM that a client does for a server, within its loop: some 60 ms (RFC 7677 §4 asks servers for at least 4096).
pub const SCRAM_CLIENT_ROUNDS: u32 = 200_000;
/// Rounds of SCRAM-SHA-256 in a users file: about a second of work.
pub const SCRAM_ROUNDS: u32 = 2_000_000;
/// Rounds of SCRAM-SHA-256 where the password is known and keys are made of it for a login (RFC 7677 §4: 4096 at least).
pub const SCRAM_OWN_ROUNDS: u32 = 4096;
/// Rounds of SCRAM-SHA-256 for a new password in a users file: a tenth of a second, once a login.
pub const SCRAM_NEW_ROUNDS: u32 = 100_000;
/// Rounds of SHA-crypt for a new password in a users file: a tenth of a second.
pub const SHA_CRYPT_NEW_ROUNDS: u32 = 100_000;
/// Cost of bcrypt for a new password in a users file: a tenth of a second.
pub const BCRYPT_NEW_COST: u32 = 10;
/// Cost of bcrypt in a users file, a power of two: about a second of work.
pub const BCRYPT_COST: u32 = 14;
/// KiB of memory of Argon2 and yescrypt in a users file: whoever may try passwords makes the server take that much.
pub const ARGON2_MEMORY: u32 = 256 * 1024;
/// Passes of Argon2 over its memory.
pub const ARGON2_PASSES: u32 = 16;
/// Lanes of Argon2, which are worked through one after the other.
pub const ARGON2_LANES: u32 = 16;

/// How long an SMTP server waits for the next command (RFC 5321 §4.5.3.2.7).
pub const SMTP_IDLE: Duration = Duration::from_secs(300);
/// How long an SMTP server waits for more of a message's text (RFC 5321 §4.5.3.2.5: a sender gives up after 3 minutes).
pub const SMTP_TEXT_IDLE: Duration = Duration::from_secs(300);
/// How long an SMTP server waits for the answer to a challenge of AUTH: a person may have to type it.
pub const SMTP_CHALLENGE_IDLE: Duration = Duration::from_secs(120);
/// How long a POP3 server waits for the next command; RFC 1939 §3 asks for at least 10 minutes.
pub const POP3_IDLE: Duration = Duration::from_secs(600);
/// How long an IMAP server waits for the next command; RFC 9051 §5.4 asks for at least 30 minutes.
pub const IMAP_IDLE: Duration = Duration::from_secs(30 * 60);

/// How long a POP3 or IMAP server waits for the next command before somebody has logged in, as Dovecot does: a connection
/// that nobody answers for is not held for half an hour. RFC 9051 §5.4 speaks of the authenticated states only; RFC 1939 §3
/// asks for 10 minutes of a session, without telling its states apart, but means that work with a maildrop is not cut short.
pub const LOGIN_IDLE: Duration = Duration::from_secs(180);

/// Octets of a POP3 command line; RFC 2449 §4 asks for 255, and SASL responses are longer.
pub const POP3_LINE: usize = 12 * 1024 + 512;
/// How long the answer to a wrong password is held back, so that guessing is slow; a person who mistyped hardly notices.
pub const LOGIN_PAUSE: Duration = Duration::from_secs(2);
/// The longest that an answer to a login is held back, for an address from which many were wrong; as Dovecot's 15 seconds.
pub const LOGIN_PAUSE_MOST: Duration = Duration::from_secs(16);
/// How long after its last wrong password an address is treated as any other again.
pub const LOGIN_MEMORY: Duration = Duration::from_secs(600);
/// Addresses of which wrong passwords are remembered: some 100 octets each.
pub const LOGIN_ADDRESSES: usize = 10_000;
/// Accounts of which POP3 remembers the last login, where it has a LOGIN-DELAY (RFC 2449 §6.5): some 100 octets each.
pub const LOGIN_DELAY_ACCOUNTS: usize = 10_000;
/// Wrong passwords on one connection before it is closed.
pub const LOGIN_FAILURES: usize = 3;
/// The same for SMTP. QUIRK: Python's smtplib tries one wrong password with each mechanism that it knows, three of them.
pub const SMTP_LOGIN_FAILURES: usize = 2 * LOGIN_FAILURES;
/// Octets of an IMAP command line between literals (RFC 7162 §4 recommends at least 8192).
pub const IMAP_LINE: usize = 64 * 1024;
/// Levels of parentheses, NOT and OR in an IMAP command: each is a call deeper. Nobody writes ten.
pub const IMAP_NESTING: usize = 50;
/// Octets of a whole IMAP command, its literals included, but APPEND's messages, which are streamed.
pub const IMAP_COMMAND: usize = 128 * 1024;
/// Keys of a SEARCH: each may cost a look through the whole of a message. Nobody writes twenty.
pub const IMAP_KEYS: usize = 200;
/// Items of a FETCH: each may cost a look through the whole of a message.
pub const IMAP_ITEMS: usize = 500;
/// Flags in one command: a mailbox has room for 26 keywords and five flags of the system.
pub const IMAP_FLAGS: usize = 100;
/// Literals in one IMAP command, for each is scanned for anew from the beginning.
pub const IMAP_LITERALS: usize = 100;
/// Octets of response that one job of a FETCH makes before it lets others have its thread. Below [`SEND_HIGH`], so that the next are made
/// while these are sent.
pub const IMAP_RESPONSE: usize = 160 * 1024;
/// Octets of mail that one job of a FETCH or SEARCH reads before it lets others have its thread.
pub const IMAP_READ: u64 = 4 * 1024 * 1024;
/// Octets of a section of a message from which on it is sent from its file, and never held in memory.
pub const IMAP_EXTENT: u64 = 64 * 1024;
/// Octets of a refused literal that came unasked which are thrown away; for a larger one the connection is closed.
pub const IMAP_DISCARD: u64 = 4 * MESSAGE_SIZE;
/// Octets of a keyword: it is a line of `dovecot-keywords`.
pub const IMAP_KEYWORD: usize = 100;
/// Octets of LIST's reference and pattern together: longer than any mailbox's name.
pub const IMAP_PATTERN: usize = 1000;
/// Patterns of one LIST (RFC 5258 §3): each is tried on every name.
pub const IMAP_PATTERNS: usize = 50;
/// Groups of one NOTIFY, sources of one ESEARCH, tags of one CANCELUPDATE: nobody writes ten.
pub const IMAP_GROUPS: usize = 50;
/// Names of mailboxes in one list of NOTIFY or ESEARCH.
pub const IMAP_NAMES: usize = 500;
/// Mailboxes besides the selected one of which a session has NOTIFY tell it: some 60 octets each. For more there is
/// NOTIFICATIONOVERFLOW (RFC 5465 §5.8).
pub const IMAP_NOTIFIED: usize = 1000;
/// Mailboxes whose names are remembered until a session looks at them; after more it looks at all of which it is told.
pub const HUB_MARKS: usize = 100;
/// Folders of an account that the kernel is asked about for NOTIFY: two watches each. What other programs do in more is told
/// when they are selected.
pub const NOTICE_FOLDERS: usize = 1000;
/// Watches on folders that all of NOTIFY may have: half a megabyte of the kernel's memory a thousand. Some systems allow 8,192 in all.
pub const NOTICE_WATCHES: usize = 50_000;
/// Mailboxes that one job of ESEARCH looks into before it lets others have its thread.
pub const IMAP_SEARCHED: usize = 50;
/// Searches whose changes a session is told of (RFC 5267 §4.3.1): each is tried on every message that changes.
pub const IMAP_CONTEXTS: usize = 8;
/// Messages in all the SORTs whose changes a session is told of: what they are sorted by is kept, some 150 octets each.
pub const IMAP_SORTED: usize = 10_000;
/// Messages that one SORT or THREAD puts in order: what is kept of each is some 200 octets.
pub const IMAP_ARRANGED: usize = 200_000;
/// Messages above one in a thread, as far as they are looked at: who is farther down has no more answers.
pub const IMAP_ANCESTORS: usize = 1000;
/// Messages of one APPEND (RFC 3502): until the last has come, each holds a file open.
pub const IMAP_APPENDED: usize = 50;

/// Octets of a value of METADATA (RFC 5464 §4.1 asks for 1024 at least).
pub const METADATA_VALUE: usize = 64 * 1024;
/// Entries of METADATA that each user may have about a mailbox, and all together (RFC 5464 §4.1 asks for 10 at least).
pub const METADATA_ENTRIES: usize = 100;
/// Octets of the file that holds them: of all mailboxes' notes those of one are read whole.
pub const METADATA_FILE: usize = 1024 * 1024;
/// Octets of the name of an entry of METADATA.
pub const METADATA_NAME: usize = 255;
/// Entries of METADATA that one command names.
pub const METADATA_NAMED: usize = 100;
/// Changes of METADATA that are remembered until all sessions that want to know were told.
pub const METADATA_CHANGES: usize = 200;
/// Octets of a `dovecot-acl` file that are looked at: some 2,000 lines. What stands behind them gives nobody a right.
pub const ACL_FILE: usize = 64 * 1024;
/// Lines of a `dovecot-acl` file that SETACL may make.
pub const ACL_LINES: usize = 1000;
/// How long a server goes on without looking again which mailboxes other programs have opened to others: each look costs a
/// system call a mailbox.
pub const ACL_LOOK: Duration = Duration::from_secs(30);

/// Levels of multiparts and messages in a message; what is deeper is shown as one part without structure.
pub const MIME_DEPTH: usize = 100;
/// Parts of a message; what comes after them belongs to the last.
pub const MIME_PARTS: usize = 10_000;

/// Octets of a line that `codes` explains at a time, as a filter; a longer one is read in pieces. Logs have lines of some KiB.
pub const ANNOTATED: usize = 64 * 1024;
/// Codes that it remembers to have explained: more than the tables have.
pub const ANNOTATED_CODES: usize = 1000;
/// Octets of a message in which `codes` looks for a delivery report: the report stands before the message that it is about.
pub const REPORT_READ: usize = 16 * 1024 * 1024;

/// Octets of a word of which `codes` asks what else may have been meant: four times its longest.
pub const LOOKED_UP: usize = 100;

/// Name servers of /etc/resolv.conf that are asked (resolv.conf(5): MAXNS).
pub const DNS_SERVERS: usize = 3;
/// Domains of the search list that are tried; each costs a query (resolv.conf(5): 6 until glibc 2.26).
pub const DNS_SEARCH: usize = 6;
/// How long one name server is waited for (resolv.conf(5): RES_TIMEOUT).
pub const DNS_TIMEOUT: Duration = Duration::from_secs(5);
/// How often each name server is asked (resolv.conf(5): RES_DFLRETRY).
pub const DNS_ATTEMPTS: u32 = 2;
/// Octets of a DNS reply over UDP, told to the server (RFC 6891 §6.2.3): fits an Ethernet frame over IPv6 unfragmented.
pub const DNS_DATAGRAM: u16 = 1232;

/// Exchangers of a domain that are tried; nobody has a tenth of it.
pub const EXCHANGERS: usize = 100;
/// Questions that are on their way to name servers at the same time; each has a socket.
pub const DNS_QUERIES: usize = 100;
/// Answers that are kept.
pub const DNS_CACHE: usize = 10_000;
/// How long an answer is kept at most, whatever its zone says (RFC 8767 §4: a week; unbound and Postfix's friends: a day).
pub const DNS_KEPT: Duration = Duration::from_secs(24 * 60 * 60);
/// How long a "no" is kept at most (RFC 2308 §5: one to three hours).
pub const DNS_NO_KEPT: Duration = Duration::from_secs(60 * 60);
/// Names that may stand for one another in a row.
pub const DNS_ALIASES: usize = 8;
/// How long /etc/hosts and /etc/resolv.conf are not read again.
pub const DNS_FILES: Duration = Duration::from_secs(10);

/// Octets of a line that a transcript gathers before it writes what there is: no line that a session takes is longer.
pub const TRANSCRIPT_LINE: usize = IMAP_LINE;

/// Commands that a client sends ahead of their answers, where the server takes that: enough to hide a long way, and too
/// few octets to fill the buffers of both sides and stop them.
pub const PIPELINE: usize = 32;

/// Octets of each of a relay's two buffers. A probe on loopback moved 1.02 GiB/s with 16 KiB, 1.37 with 64, 1.45 with 256.
pub const RELAY_BUFFER: usize = 256 * 1024;
/// Turns that a relay takes, one read and one write a direction each, before it looks whether more ends have become ready.
pub const RELAY_TURNS: u32 = 8;
/// Octets asked of a pipe on stdin or stdout: the most that Linux gives everybody (/proc/sys/fs/pipe-max-size).
pub const RELAY_PIPE: usize = 1024 * 1024;
/// Octets of stdin that a relay sends in one datagram: as OpenBSD's nc does, whose scripts rely on it.
pub const RELAY_DATAGRAM: usize = 16 * 1024;
/// Octets that a pipe takes at once or not at all (POSIX: PIPE_BUF on Linux).
pub const PIPE_BUF: usize = 4096;

/// Mailboxes that an IMAP client goes through for a backup, twice: more stages than that are not of a real account.
pub const IMAP_MAILBOXES: usize = 200_000;
/// How long a client that waits for mail waits for the answer to a command: its `--timeout` is for the mail.
pub const CLIENT_ANSWER: Duration = Duration::from_secs(60);
/// Lines of CAPA that a POP3 client keeps to show, and messages of a mailbox that it keeps to choose from: an id has 70 octets at most
/// (RFC 1939 §7), so that a million of them fit into the memory of a small machine.
pub const POP3_CAPABILITIES: usize = 100;
/// See [`POP3_CAPABILITIES`].
pub const POP3_MESSAGES: usize = 1_000_000;
/// Octets of a response that an IMAP client holds, its literals included, message text not: some 500,000 UIDs of SEARCH.
pub const IMAP_REPLY: usize = 4 * 1024 * 1024;
/// Lists within lists that an IMAP client reads: BODYSTRUCTURE nests one for each level of MIME, and in the last of them an
/// ENVELOPE's addresses three more.
pub const IMAP_DEPTH: usize = MIME_DEPTH + 16;
/// Connections that may wait while a netcat without -k serves one, as OpenBSD's has it: nobody will ever serve them.
pub const RELAY_BACKLOG: i32 = 1;
/// How long a netcat probes a UDP port that does not answer, unless -w says so; one datagram a second.
pub const UDP_PROBE: Duration = Duration::from_secs(3);
/// The same in ncat's way, with one datagram and -i.
pub const UDP_KNOCK: Duration = Duration::from_secs(2);
/// Octets of a head of HTTP that a proxy and its client hold, empty lines before it included (as nginx and Apache: 8 to 32 KiB).
pub const PROXY_HEAD: usize = 16 * 1024;
/// Octets of a body that a client reads past to ask a proxy again on the same connection; for a longer one it dials anew.
pub const PROXY_BODY: u64 = 64 * 1024;
/// Interim responses (1xx) that a client of a proxy passes over. Nobody sends one to a CONNECT.
pub const PROXY_INTERIM: usize = 8;
/// How long a Digest nonce of our proxy is good; then the client is told that it is stale, and asks again by itself.
pub const PROXY_NONCE: Duration = Duration::from_secs(300);
/// Octets of a telnet subnegotiation; no option that anybody sends needs a tenth.
pub const TELNET_SUBNEGOTIATION: usize = 4096;

/// Octets of typed lines that wait in mail mode until the server has answered: one command line may be as long.
pub const TYPED: usize = IMAP_LINE;
/// Octets of a server's line that mail mode looks at; what follows is only passed on.
pub const HEARD_LINE: usize = IMAP_LINE;
/// Octets of a reply's lines that a script's expectations can see, and the longest of the lines they see.
pub const EXPECTED: usize = 1024 * 1024;
/// See [`EXPECTED`].
pub const EXPECTED_LINE: usize = 1024;
/// How long an expectation waits for a line where the server speaks when it likes (IDLE), unless -w says so.
pub const EXPECT: Duration = Duration::from_secs(60);
/// Letters of a line that is edited on a terminal: as many as a command may have octets.
pub const EDITED_LINE: usize = TYPED;
/// Lines that are remembered there; nobody looks for one that is older by hand.
pub const EDITED_HISTORY: usize = 500;
/// Octets on their way to the user's screen at which a session hears no more, until some are written.
pub const SCREEN: usize = 256 * 1024;
/// Octets that are read at once of what a proxy, or a server before STARTTLS, says.
pub const PRELUDE: usize = 4096;
/// Connections to a chain of proxies for one call: each of them may want one more, for the user name and password.
pub const PROXY_CALLS: usize = 8;
/// Octets of each of the two buffers of a conversation, where there are many; and of what a caller says at once to many.
pub const HALL_BUFFER: usize = SCRATCH;
/// Octets that wait for a caller who is slower than the others before they are held back for it.
pub const HALL_QUEUE: usize = 256 * 1024;
/// How long a caller whose queue is full may take nothing before it is dropped, so that the others can go on.
pub const HALL_STALL: Duration = Duration::from_secs(30);
/// How long a caller may take until TLS stands, and to say where a proxy is to connect it to.
pub const HALL_PATIENCE: Duration = Duration::from_secs(30);
/// How long a proxy waits for each address of a destination (ncat: 10 seconds).
pub const HALL_DIAL: Duration = Duration::from_secs(10);
/// Callers at once (ncat's --max-conns: 100).
pub const HALL_CALLERS: usize = 100;
/// How long a program that serves a peer may go on when the connection is over, before it is asked to end.
pub const CHILD_GRACE: Duration = Duration::from_secs(5);
/// How often it is looked at whether a program has ended, where the kernel does not tell.
pub const CHILD_CHECK: Duration = Duration::from_millis(100);
/// Ports that a scan asks at the same time; file descriptors may allow fewer. More would only fill the queues on the way.
pub const SCAN_WINDOW: usize = 512;
/// UDP ports of another machine that a scan asks at the same time: Linux answers with at most one ICMP error a second to one
/// asker, after six at once (icmp_ratelimit), and a port whose error is held back looks open.
pub const SCAN_UDP_WINDOW: usize = 4;
/// Ports of this machine that one thread of a scan takes at a time.
pub const SCAN_BATCH: usize = 256;
/// Threads of a scan of this machine, if it has so many processors: each connect(2) costs 4 µs there, waits included.
pub const SCAN_THREADS: usize = 8;

/// Octets of a message that a report brings back, when all of it was asked for (RFC 3461 §4.3); of a longer one comes the header.
pub const REPORT_RETURNED: usize = 1024 * 1024;
/// The same when nothing was asked (Postfix: bounce_size_limit 50000).
pub const REPORT_RETURNED_UNASKED: usize = 64 * 1024;
/// Octets of a header that a report brings back.
pub const REPORT_HEADER: usize = 64 * 1024;
/// Octets of a name or an address in a report: a line may have 998 (RFC 5322 §2.1.1).
pub const REPORT_FIELD: usize = 500;
/// Octets of what a server said, in a report: ten lines of a reply (RFC 5321 §4.5.3.1.5).
pub const REPORT_DIAGNOSTIC: usize = 5120;

/// Until a message is tried for the second time (RFC 5321 §4.5.4.1 asks for 30 minutes at least as a rule, and for less at
/// first; Postfix: minimal_backoff_time 300 s). Each later pause is twice as long.
pub const RETRY: Duration = Duration::from_secs(5 * 60);
/// The longest pause between attempts (Postfix: maximal_backoff_time 4000 s).
pub const RETRY_MAX: Duration = Duration::from_secs(4 * 60 * 60);
/// How much longer than the first the longest pause is, when a first one was asked for.
pub const RETRY_GROWTH: u32 = 48;
/// After so long a message is given up (RFC 5321 §4.5.4.1: 4 to 5 days at least).
pub const GIVE_UP: Duration = Duration::from_secs(5 * 24 * 60 * 60);
/// After so long the sender is told that it is late (sendmail: 4 hours).
pub const WARN_DELAY: Duration = Duration::from_secs(4 * 60 * 60);
/// Connections to one destination at the same time (Postfix: default_destination_concurrency_limit 20).
pub const RELAY_CONNECTIONS_EACH: usize = 20;
/// Messages over one connection to another server, so that all of its addresses have their turn (sendmail and others close
/// after 100).
pub const RELAY_MESSAGES: usize = 100;
/// Messages over one connection while other destinations wait for theirs.
pub const RELAY_MESSAGES_CROWDED: usize = 10;
/// Recipients of one transaction with another server, which takes at least 100 (RFC 5321 §4.5.3.1.8).
pub const RELAY_RECIPIENTS: usize = 100;
/// Mail exchangers of a domain that are looked at (RFC 5321 §5.1: at least two addresses are tried).
pub const RELAY_EXCHANGERS: usize = 10;
/// Addresses of a destination that are tried at one attempt (Postfix: smtp_mx_address_limit 5, of 5 sessions 2).
pub const RELAY_ADDRESSES: usize = 10;
/// How long what was found out about a destination is taken for true; below it the resolver has its TTLs.
pub const RELAY_FRESH: Duration = Duration::from_secs(5 * 60);
/// Messages in whose journeys it is noted that a server could not be reached and the next one was tried: those that would have gone there
/// first. All that wait there would fill the journal.
pub const RELAY_TOLD: usize = 20;
/// Local deliveries of queued messages at the same time.
pub const RELAY_DELIVERIES: usize = 4;
/// Messages whose outcome is being written down at the same time; more wait, with a few octets each.
pub const RELAY_RECORDS: usize = 64;
/// After so long it is tried again to write down an outcome that the disk refused.
pub const RELAY_RECORD_PAUSE: Duration = Duration::from_secs(10);

/// Steps of messages that are kept in memory for `serve trace`: some 200 octets each.
pub const JOURNAL_STEPS: usize = 20_000;
/// Octets of a request to the control socket.
pub const CONTROL_LINE: usize = 1024;
/// How long the control socket waits for a request.
pub const CONTROL_IDLE: Duration = Duration::from_secs(60);

/// Octets of what connections say that wait for the thread which writes sessions down; what is above is left out, and counted.
pub const RECORD_BATCH: usize = 16 * 1024 * 1024;
/// Octets of memory that is kept for the next such batch.
pub const RECORD_SPARE: usize = 256 * 1024;
/// Octets of a session that are not in its file yet.
pub const RECORD_PENDING: usize = 64 * 1024;
/// Octets of what a server has said to a client that has not said a word, kept as they are: a greeting fits.
pub const RECORD_QUIET: usize = 1024;
/// The same of all sessions together: thousands that come within a second would hold some kilobytes each.
pub const RECORD_WAITING: usize = 1024 * 1024;
/// How long they wait for more of the same: a crash loses that much.
pub const RECORD_DELAY: Duration = Duration::from_secs(1);
/// How long the thread gathers what comes at the same time. A person who watches does not notice it.
pub const RECORD_GATHER: Duration = Duration::from_millis(20);
/// Octets kept of what one side of a session says at a stretch: a letter fits, an attachment does not.
pub const RECORD_STRETCH: usize = 16 * 1024;
/// Octets of a session after which fewer are kept of a stretch ...
pub const RECORD_WHOLE: usize = 1024 * 1024;
/// ... this many: a command or a reply (RFC 5321 §4.5.3.1.4: 512) ...
pub const RECORD_SHORT_STRETCH: usize = 512;
/// ... and after which nothing but what is counted: its file is that long at most, and what is said about it.
pub const RECORD_SESSION: usize = 4 * 1024 * 1024;
/// Octets that wait for somebody who follows sessions; lines above are left out, and counted.
pub const FOLLOWER: usize = 1024 * 1024;
/// Messages of one APPEND (RFC 3502 takes many) that the record of its session names.
pub const APPEND_NOTES: usize = 20;
/// Octets of sessions kept on disk, unless told otherwise: those of some ten thousand letters.
pub const SESSIONS_OCTETS: u64 = 256 * 1024 * 1024;
/// How long they are kept, unless told otherwise.
pub const SESSIONS_AGE: Duration = Duration::from_secs(30 * 24 * 3600);
/// Messages that are remembered for who waits for one, each with an open file: [`SPARE_DESCRIPTORS`] has room for them.
pub const ARRIVALS: usize = 200;
/// Octets of their texts: that much of the disk may be held though it was deleted.
pub const ARRIVALS_OCTETS: u64 = 256 * 1024 * 1024;
/// Files of one capture that are kept, unless told otherwise.
pub const CAPTURE_FILES: u32 = 10;
/// Octets of captures that wait for the disk; when they are so many, whoever makes more waits too.
pub const CAPTURE_WAITING: usize = 64 * 1024 * 1024;
/// Octets of captures that are written as soon as they are there; fewer wait for more ([`RECORD_GATHER`]).
pub const CAPTURE_PIECE: usize = 256 * 1024;

/// Octets of a fault rule: one has to fit into a request to the control socket.
pub const FAULT_RULE: usize = 900;
/// Rules at the same time: each command is held against all of them.
pub const FAULT_RULES: usize = 200;
/// The longest that a fault makes anybody wait: longer than any client's patience.
pub const FAULT_DELAY: Duration = Duration::from_secs(24 * 60 * 60);
/// How long a magic `...timeout@` says nothing, as mox has it.
pub const FAULT_TIMEOUT: Duration = Duration::from_secs(60 * 60);
/// Octets of garbage, unless a rule says how many; and the most that it can say.
pub const FAULT_GARBAGE: u32 = 64;
/// See [`FAULT_GARBAGE`].
pub const FAULT_GARBAGE_MOST: u32 = 64 * 1024;
/// Octets that are missing where a rule says only that some are.
pub const FAULT_SHORT: u64 = 10;
/// The most octets that can be missing: they are held back until the end is known.
pub const FAULT_SHORT_MOST: u64 = 64 * 1024;
/// Addresses, users and the like of which a rule counts apart; when there are more, it begins anew.
pub const FAULT_KEYS: usize = 10_000;
/// Octets of a reply that wait until a throttled connection may send them, before its session does more work.
pub const FAULT_PENT: usize = SEND_HIGH;
/// Pieces a second in which a throttled connection moves.
pub const FAULT_PIECES: u64 = 10;

/// Students of a class: each has a mailbox, and a row in the teacher's table.
pub const CLASS: usize = 5_000;
/// Octets of a login that a class's list gives (RFC 5321 §4.5.3.1.1: a local part has 64).
pub const CLASS_LOGIN: usize = 64;
/// Steps of an exercise: what is done is a bit each.
pub const EXERCISE_STEPS: usize = 64;
/// What a step may want to see: a bit each.
pub const EXERCISE_SIGNS: usize = 32;
/// Octets of a line that an exercise looks at; what is above is not compared (RFC 5321 §4.5.3.1.4: a command has 512).
pub const EXERCISE_LINE: usize = 1024;
/// Commands of a session that wait for their replies, and recipients of it, that are remembered.
pub const EXERCISE_PENDING: usize = 100;
/// The pause before a command from which on a person may have typed it; a program answers in a few milliseconds.
pub const EXERCISE_HAND: Duration = Duration::from_millis(300);
/// The same where lines end with LF alone, as netcat sends what is typed: programs that speak mail send CRLF.
pub const EXERCISE_HAND_LF: Duration = Duration::from_millis(100);
/// Lines of progress that wait for the disk.
pub const PROGRESS_PENDING: usize = 4_096;
