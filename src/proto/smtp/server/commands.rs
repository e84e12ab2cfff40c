//! The commands, one method each: what is checked, in which order, and what is answered.
//!
//! A method returns its reply; `Err` is a refusal, so that checks are a `?` each. STARTTLS, AUTH and BDAT do more than reply,
//! and say it themselves.

use std::borrow::Cow;
use std::time::Instant;

use super::policy::{Policy, Ruling, Then, Turned, Visit};
use super::{Disclosure, Hello, HelloKind, Mode, Queueing, Rigor, Server, State, replies, strict};
use crate::proto::{Out, StartTls};
use crate::store::{Account, Whereabouts};
use crate::wire::address;
use crate::wire::date::DateTime;
use crate::wire::sasl::Mechanism;
use crate::wire::smtp::parameters::Offered;
use crate::wire::smtp::{self as words, Enhanced, Reply, Verb, shown, xclient};

/// What a command ends in: `Err` is a refusal.
pub(super) type Verdict = Result<Reply, Reply>;

impl Server {
    pub(super) fn command(&mut self, now: Instant, line: &[u8], out: &mut Out) {
        self.held_back = std::time::Duration::ZERO;
        let command = words::command(line);
        if self.config.rigor == Rigor::Strict
            && let Some(refusal) = strict::command(line, command)
        {
            return self.respond(now, refusal, out);
        }
        if let Some(refusal) = replies::control_character(line) {
            return self.respond(now, refusal, out);
        }
        let Some((verb, arguments)) = command else {
            if is_http(line) {
                // A browser that was led here would go on with text of somebody else's choosing.
                let text = "This is SMTP, and that was HTTP. Goodbye";
                self.say(&Reply::new(421, Enhanced(4, 7, 0), text), out);
                return self.close(out);
            }
            return self.respond(now, replies::unknown(line), out);
        };
        if !matches!(
            verb,
            Verb::Mail | Verb::Rcpt | Verb::Data | Verb::Bdat | Verb::Quit
        ) {
            self.idle_commands += 1;
            if self.idle_commands > self.config.max_idle_commands {
                let text = "Too many commands without a message; connect again to go on";
                self.say(&Reply::new(421, Enhanced(4, 7, 0), text), out);
                return self.close(out);
            }
        }
        let verdict = match verb {
            Verb::Helo => self.hello(now, HelloKind::Helo, arguments),
            Verb::Ehlo => self.hello(now, HelloKind::Ehlo, arguments),
            Verb::Lhlo => self.hello(now, HelloKind::Lhlo, arguments),
            Verb::Mail => return self.mail_from(now, arguments, out),
            Verb::Rcpt => self.rcpt(arguments),
            Verb::Data => self.data(now, arguments),
            Verb::Rset => self.rset(arguments),
            Verb::Noop => Ok(Reply::new(250, Enhanced(2, 0, 0), "Ok, nothing done")),
            Verb::Vrfy | Verb::Expn => self.verify(verb, arguments),
            Verb::Help => Ok(replies::help(arguments, |verb| self.is_done(verb))),
            Verb::Etrn => self.etrn(arguments),
            Verb::Turn => Err(not_done(
                "TURN is not done here: nobody could know whose mail you fetch",
            )),
            Verb::Bdat => return self.bdat(now, arguments, out),
            Verb::StartTls => return self.start_tls(arguments, out),
            Verb::Auth => return self.auth(now, arguments, out),
            Verb::Xclient => return self.xclient(now, arguments, out),
            Verb::Quit => {
                let text = format!("{} says goodbye", self.config.hostname);
                self.say(&Reply::new(221, Enhanced(2, 0, 0), text), out);
                return self.close(out);
            }
        };
        let (Ok(reply) | Err(reply)) = verdict;
        self.respond(now, reply, out);
    }

    /// Whether a command is more than known here.
    fn is_done(&self, verb: Verb) -> bool {
        let lmtp = self.config.mode == Mode::Lmtp;
        match verb {
            Verb::Turn => false,
            Verb::Etrn => self.config.turn.is_some(),
            Verb::Xclient => self.may_xclient(),
            Verb::Lhlo => lmtp,
            Verb::Helo | Verb::Ehlo | Verb::Auth => !lmtp,
            _ => true,
        }
    }

    fn hello(&mut self, now: Instant, kind: HelloKind, argument: &[u8]) -> Verdict {
        let verb = match kind {
            HelloKind::Helo => Verb::Helo,
            HelloKind::Ehlo => Verb::Ehlo,
            HelloKind::Lhlo => Verb::Lhlo,
        };
        // RFC 2033 §4.1
        match (self.config.mode == Mode::Lmtp, kind == HelloKind::Lhlo) {
            (true, false) => {
                let text = "This is LMTP, where one says LHLO. Example: LHLO pc1.example.org";
                return Err(Reply::new(500, Enhanced(5, 5, 1), text));
            }
            (false, true) => {
                let text = "This is SMTP, where one says EHLO. Example: EHLO pc1.example.org";
                return Err(Reply::new(500, Enhanced(5, 5, 1), text));
            }
            _ => {}
        }
        let argument = argument.trim_ascii();
        if argument.is_empty() {
            return Err(replies::argument_missing(verb));
        }
        if argument.len() > 255 {
            let text = "A computer's name has 255 octets at most (RFC 5321 section 4.5.3.1.2)";
            return Err(Reply::new(501, Enhanced(5, 5, 4), text));
        }
        if !argument.is_ascii() {
            let text = "A computer's name is plain ASCII; write it in its xn-- form";
            return Err(Reply::new(501, Enhanced(5, 5, 4), text));
        }
        let name = header_safe(argument);
        self.rule(|policy, visit| policy.hello(visit, &name))?;
        let first = format!("{} Hello {name}", self.config.hostname);
        self.hello = Some(Hello { kind, name });
        // RFC 5321 §4.1.4: as RSET does.
        self.message = None;
        let mut reply = Reply::basic(250, first);
        if kind != HelloKind::Helo {
            let extensions = self.extensions(now).into_iter().map(Into::into);
            reply.lines.extend(extensions);
        }
        Ok(reply)
    }

    /// What of the extensions that have parameters is offered now.
    pub(super) fn offered(&self) -> Offered {
        let queue = self.config.queueing == Queueing::Present;
        let submission = self.config.mode == Mode::Submission;
        Offered {
            max_octets: self.config.max_octets,
            // In LMTP each recipient has its reply, and whoever hands it in has the queue, and makes the reports (RFC 2033 §1).
            dsn: queue && self.config.mode != Mode::Lmtp,
            deliver_by: queue.then_some(self.config.deliver_by),
            future_release: self.config.future_release.filter(|_| queue && submission),
            // RFC 8689 §2
            require_tls: self.tls.is_some(),
        }
    }

    fn extensions(&self, now: Instant) -> Vec<String> {
        let offered = self.offered();
        let mut extensions = vec![
            format!("SIZE {}", self.config.max_octets),
            "PIPELINING".to_owned(),
            "8BITMIME".to_owned(),
            "ENHANCEDSTATUSCODES".to_owned(),
            "SMTPUTF8".to_owned(),
            "CHUNKING".to_owned(),
            "BINARYMIME".to_owned(),
        ];
        if offered.dsn {
            extensions.push("DSN".to_owned());
        }
        if let Some(seconds) = offered.deliver_by {
            extensions.push(format!("DELIVERBY {seconds}"));
        }
        if let Some(seconds) = offered.future_release {
            // RFC 4865 §3: as seconds, and as a moment.
            let until = self.peer.accepted.unix(now) + i64::from(seconds);
            let until = DateTime::utc(until).to_internet();
            extensions.push(format!("FUTURERELEASE {seconds} {until}"));
        }
        extensions.push("MT-PRIORITY".to_owned());
        if offered.require_tls {
            extensions.push("REQUIRETLS".to_owned());
        }
        extensions.push(format!("LIMITS RCPTMAX={}", self.config.max_recipients));
        if self.config.turn.is_some() {
            extensions.push("ETRN".to_owned());
        }
        if self.config.disclosure == Disclosure::Mailboxes {
            extensions.push("EXPN".to_owned());
        }
        if self.may_xclient() {
            extensions.push(format!("XCLIENT {}", xclient::ATTRIBUTES));
        }
        if self.config.start_tls == StartTls::Offered && self.tls.is_none() {
            extensions.push("STARTTLS".to_owned());
        }
        if self.may_authenticate() {
            let names: Vec<_> = self.mechanisms().map(Mechanism::name).collect();
            extensions.push(format!("AUTH {}", names.join(" ")));
        }
        extensions.push("HELP".to_owned());
        extensions
    }

    fn rset(&mut self, arguments: &[u8]) -> Verdict {
        if !arguments.is_empty() {
            return Err(replies::no_arguments(Verb::Rset));
        }
        let text = match self.message.take() {
            Some(_) => "Ok, the message is forgotten",
            None => "Ok, there was no message to forget",
        };
        Ok(Reply::new(250, Enhanced(2, 0, 0), text))
    }

    /// RFC 1985 §5
    fn etrn(&self, argument: &[u8]) -> Verdict {
        let Some(turn) = &self.config.turn else {
            return Err(not_done(
                "ETRN is not done here: this server keeps no queue to send",
            ));
        };
        if argument.is_empty() {
            return Err(replies::argument_missing(Verb::Etrn));
        }
        if self.hello.is_none() {
            return Err(replies::sequence(
                "First say who you are. Example: EHLO pc1.example.org",
            ));
        }
        if self.message.is_some() {
            return Err(replies::sequence("Not within a message: say RSET first"));
        }
        let name = argument.strip_prefix(b"@").or(argument.strip_prefix(b"#"));
        let name = address::domain(name.unwrap_or(argument));
        let node = String::from_utf8_lossy(argument);
        if let Err(error) = name {
            let text = format!("After ETRN comes a domain: {error}. Example: ETRN example.org");
            return Err(Reply::new(501, Enhanced(5, 5, 4), text));
        }
        // RFC 1985 §5.3 has these codes; the enhanced ones are Postfix's.
        match turn.etrn(&node) {
            Turned::Started => {
                let text = format!("Ok, mail for {node} is being sent");
                Ok(Reply::new(250, Enhanced(2, 0, 0), text))
            }
            Turned::Nothing => {
                let text = format!("Ok, nothing waits for {node}");
                Ok(Reply::new(251, Enhanced(2, 0, 0), text))
            }
            Turned::Unable => {
                let text = format!("Mail for {node} cannot be sent now; ask again later");
                Err(Reply::new(458, Enhanced(4, 3, 0), text))
            }
            Turned::NotAllowed => {
                let text = format!("{node} is not allowed here: this server keeps no mail for it");
                Err(Reply::new(459, Enhanced(4, 7, 0), text))
            }
        }
    }

    /// VRFY and EXPN (RFC 5321 §3.5): by default nothing is told (§7.3).
    fn verify(&self, verb: Verb, argument: &[u8]) -> Verdict {
        if argument.is_empty() {
            return Err(replies::argument_missing(verb));
        }
        // RFC 6531 §3.7.4.2
        let utf8 = strip_word(argument, b"SMTPUTF8");
        let argument = utf8.unwrap_or(argument);
        if !argument.is_ascii() && utf8.is_none() {
            let text = "Letters outside of ASCII need SMTPUTF8 behind them. Example: VRFY jos\u{e9} SMTPUTF8";
            return Err(Reply::new(
                553,
                Enhanced(5, 6, 7),
                text.replace('\u{e9}', "?"),
            ));
        }
        if self.config.disclosure == Disclosure::Nothing {
            let text = format!(
                "\"{}\" is not looked up; RCPT TO says whether mail for it is taken",
                shown(argument)
            );
            return Ok(Reply::new(252, Enhanced(2, 1, 5), text));
        }
        let (address, _) = address::path_utf8(argument).map_err(|error| {
            let text = format!(
                "That is no address: {error}. Example: {}",
                verb.info().example
            );
            Reply::new(501, Enhanced(5, 1, 3), text)
        })?;
        let Some(address) = address else {
            return Err(replies::argument_missing(verb));
        };
        let address = self.canonical(address);
        let lines: Vec<Cow<'static, str>> = match self.store.whereabouts(&address) {
            Whereabouts::Unknown => {
                let text = format!("There is no mailbox <{address}> here");
                return Err(Reply::new(550, Enhanced(5, 1, 1), text));
            }
            Whereabouts::Elsewhere => {
                let text = format!("<{address}> is not of this server, and is not looked up");
                return Ok(Reply::new(252, Enhanced(2, 1, 5), text));
            }
            Whereabouts::Aliased { local, elsewhere } if verb == Verb::Expn => {
                let local = local.iter().map(|account| self.address_of(account));
                let members = local.chain(elsewhere.iter().map(ToString::to_string));
                members.map(|member| format!("<{member}>").into()).collect()
            }
            Whereabouts::Mailboxes(accounts) if verb == Verb::Expn => {
                let members = accounts.iter().map(|account| self.address_of(account));
                members.map(|member| format!("<{member}>").into()).collect()
            }
            _ => vec![format!("<{address}>").into()],
        };
        Ok(Reply {
            code: 250,
            enhanced: Some(Enhanced(2, 1, 5)),
            lines,
        })
    }

    /// The address of an account, in its first form.
    pub(super) fn address_of(&self, account: &Account) -> String {
        match account.name.contains('@') {
            true => account.name.to_string(),
            false => format!("{}@{}", account.name, self.config.domain),
        }
    }

    /// The account of this name.
    pub(super) fn account_named(&self, login: &str) -> Option<Account> {
        let users = self.store.users();
        match login.rsplit_once('@') {
            Some((local_part, domain)) => users.find(local_part, Some(domain)),
            None => users.find(login, None),
        }
    }

    /// What a policy says: an error is its refusal.
    pub(super) fn rule(
        &mut self,
        ask: impl FnOnce(&dyn Policy, &Visit<'_>) -> Ruling,
    ) -> Result<(), Reply> {
        let Some(policy) = &self.config.policy else {
            return Ok(());
        };
        let ruling = ask(policy.as_ref(), &self.visit());
        self.held_back = ruling.delay;
        match ruling.then {
            Then::Proceed => Ok(()),
            Then::Refuse(reply) => Err(reply),
            Then::Drop => {
                self.dropped = true;
                // Never said: the connection is closed instead.
                Err(Reply::new(421, Enhanced(4, 7, 0), ""))
            }
        }
    }

    pub(super) fn visit(&self) -> Visit<'_> {
        Visit {
            token: self.peer.token,
            address: self.address(),
            mode: self.config.mode,
            tls: self.tls.as_deref(),
            hello: self.hello.as_ref().map(|hello| &*hello.name),
            user: self.user.as_ref().map(|account| &*account.name),
        }
    }

    fn start_tls(&mut self, arguments: &[u8], out: &mut Out) {
        let refusal = if !arguments.is_empty() {
            replies::no_arguments(Verb::StartTls)
        } else if self.tls.is_some() {
            replies::sequence("TLS is up already")
        } else if self.config.start_tls == StartTls::Unavailable {
            not_done("STARTTLS is not to be had here: the server has no certificate")
        } else {
            self.state = State::StartingTls;
            let text = "Ready to start TLS";
            self.say(&Reply::new(220, Enhanced(2, 0, 0), text), out);
            return out.start_tls();
        };
        self.say(&refusal, out);
    }
}

pub(super) fn not_done(text: &'static str) -> Reply {
    Reply::new(502, Enhanced(5, 5, 1), text)
}

/// What a client calls itself, so that it cannot end a comment or a field of the Received line.
pub(super) fn header_safe(name: &[u8]) -> String {
    let safe = |&octet: &u8| match octet {
        b'(' | b')' | b'<' | b'>' | b';' | b'\\' | b'"' | b',' => '?',
        b'!'..=b'~' => char::from(octet),
        _ => '?',
    };
    name.iter().map(safe).collect()
}

/// What stands before `word`, when it is the last one.
fn strip_word<'a>(text: &'a [u8], word: &[u8]) -> Option<&'a [u8]> {
    let (before, last) = text.split_at_checked(text.len().checked_sub(word.len())?)?;
    let parted = before.last().is_some_and(u8::is_ascii_whitespace);
    (parted && last.eq_ignore_ascii_case(word)).then(|| before.trim_ascii_end())
}

fn is_http(line: &[u8]) -> bool {
    let method = line.split(|&octet| octet == b' ').next().unwrap_or(line);
    matches!(
        method,
        b"GET" | b"POST" | b"PUT" | b"HEAD" | b"CONNECT" | b"OPTIONS"
    ) || line.starts_with(b"PRI * HTTP/2")
}
