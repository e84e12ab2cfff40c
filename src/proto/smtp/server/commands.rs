//! The commands, one method each: what is checked, in which order, and what is answered.
//!
//! A method returns its reply; `Err` is a refusal, so that checks are a `?` each. STARTTLS, AUTH and BDAT do more than reply,
//! and say it themselves.

use crate::proto::StartTls;
use std::net::IpAddr;

use super::header::Additions;
use super::message::Incoming;
use super::trace::Trace;
use super::{Envelope, Hello, HelloKind, Mode, Recipient, Server, State, replies};
use crate::limits;
use crate::proto::Out;
use crate::store::Account;
use crate::wire::address::Address;
use crate::wire::date::DateTime;
use crate::wire::sasl::Mechanism;
use crate::wire::smtp::{self as words, Enhanced, Parameter, Reply, Verb, shown};
use std::time::Instant;

/// What a command ends in: `Err` is a refusal.
type Verdict = Result<Reply, Reply>;

impl Server {
    pub(super) fn command(&mut self, now: Instant, line: &[u8], out: &mut Out) {
        if let Some(refusal) = replies::control_character(line) {
            return self.say(&refusal, out);
        }
        let Some((verb, arguments)) = words::command(line) else {
            if is_http(line) {
                // A browser that was led here would go on with text of somebody else's choosing.
                let text = "This is SMTP, and that was HTTP. Goodbye";
                self.say(&Reply::new(421, Enhanced(4, 7, 0), text), out);
                return self.close(out);
            }
            return self.say(&replies::unknown(line), out);
        };
        if !matches!(verb, Verb::Mail | Verb::Rcpt | Verb::Data | Verb::Quit) {
            self.idle_commands += 1;
            if self.idle_commands > limits::IDLE_COMMANDS {
                let text = "Too many commands without a message; connect again to go on";
                self.say(&Reply::new(421, Enhanced(4, 7, 0), text), out);
                return self.close(out);
            }
        }
        let verdict = match verb {
            Verb::Helo => self.hello(HelloKind::Helo, arguments),
            Verb::Ehlo => self.hello(HelloKind::Ehlo, arguments),
            Verb::Lhlo => self.hello(HelloKind::Lhlo, arguments),
            Verb::Mail => self.mail(arguments),
            Verb::Rcpt => self.rcpt(arguments),
            Verb::Data => self.data(now, arguments),
            Verb::Rset => self.rset(arguments),
            Verb::Noop => Ok(Reply::new(250, Enhanced(2, 0, 0), "Ok, nothing done")),
            Verb::Vrfy => vrfy(arguments),
            Verb::Help => Ok(replies::help(arguments, self.config.mode)),
            Verb::Expn => Err(not_done(
                "EXPN is not done here: who is on a list is nobody else's business",
            )),
            Verb::Etrn => Err(not_done(
                "ETRN is not done here: this server keeps no queue to send",
            )),
            Verb::Turn => Err(not_done(
                "TURN is not done here: nobody could know whose mail you fetch",
            )),
            Verb::Bdat => return self.bdat(arguments, out),
            Verb::StartTls => return self.start_tls(arguments, out),
            Verb::Auth => return self.auth(arguments, out),
            Verb::Quit => {
                let text = format!("{} says goodbye", self.config.hostname);
                self.say(&Reply::new(221, Enhanced(2, 0, 0), text), out);
                return self.close(out);
            }
        };
        let (Ok(reply) | Err(reply)) = verdict;
        self.say(&reply, out);
    }

    fn hello(&mut self, kind: HelloKind, argument: &[u8]) -> Verdict {
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
            let text = "A computer's name is plain ASCII here; write it in its xn-- form";
            return Err(Reply::new(501, Enhanced(5, 5, 4), text));
        }
        let name = header_safe(argument);
        let first = format!("{} Hello {name}", self.config.hostname);
        self.hello = Some(Hello { kind, name });
        // RFC 5321 §4.1.4: as RSET does.
        self.envelope = None;
        let mut reply = Reply::basic(250, first);
        if kind != HelloKind::Helo {
            let extensions = self.extensions().into_iter().map(Into::into);
            reply.lines.extend(extensions);
        }
        Ok(reply)
    }

    fn extensions(&self) -> Vec<String> {
        let mut extensions = vec![
            format!("SIZE {}", self.config.max_octets),
            "PIPELINING".to_owned(),
            "8BITMIME".to_owned(),
            "ENHANCEDSTATUSCODES".to_owned(),
        ];
        if self.config.start_tls == StartTls::Offered && self.tls.is_none() {
            extensions.push("STARTTLS".to_owned());
        }
        if self.may_authenticate() {
            let names = Mechanism::ALL.map(Mechanism::name).join(" ");
            extensions.push(format!("AUTH {names}"));
        }
        extensions.push("HELP".to_owned());
        extensions
    }

    fn mail(&mut self, arguments: &[u8]) -> Verdict {
        let (reverse_path, parameters) =
            words::mail(arguments).map_err(|error| replies::syntax(Verb::Mail, &error))?;
        if self.hello.is_none() {
            return Err(replies::sequence(match self.config.mode {
                Mode::Lmtp => "First say who you are. Example: LHLO pc1.example.org",
                _ => "First say who you are. Example: HELO pc1.example.org",
            }));
        }
        if self.envelope.is_some() {
            return Err(replies::sequence(
                "A message was begun already: go on with RCPT or DATA, or forget it with RSET",
            ));
        }
        self.check_authenticated()?;
        self.check_parameters(&parameters)?;
        let shown = match &reverse_path {
            Some(address) => format!("Sender <{address}> ok"),
            None => "Sender <> ok: a message that is never answered".to_owned(),
        };
        let domain = &self.config.domain;
        self.envelope = Some(Envelope {
            reverse_path: reverse_path.map(|address| address.or_in(domain)),
            recipients: Vec::new(),
        });
        Ok(Reply::new(250, Enhanced(2, 1, 0), shown))
    }

    /// RFC 6409 §4.3
    fn check_authenticated(&self) -> Result<(), Reply> {
        if self.config.mode != Mode::Submission || self.user.is_some() {
            return Ok(());
        }
        Err(Reply::new(
            530,
            Enhanced(5, 7, 0),
            match self.may_authenticate() {
                true => {
                    "Log in first: this port takes mail from its users only. Example: AUTH PLAIN"
                }
                false => "Say STARTTLS first, then EHLO again, and log in with AUTH",
            },
        ))
    }

    fn check_parameters(&self, parameters: &[Parameter<'_>]) -> Result<(), Reply> {
        let wrong = |text: String| Err(Reply::new(501, Enhanced(5, 5, 4), text));
        for (at, parameter) in parameters.iter().enumerate() {
            let keyword = parameter.keyword.to_ascii_uppercase();
            let same = |other: &Parameter<'_>| other.keyword.eq_ignore_ascii_case(&keyword);
            if parameters[..at].iter().any(same) {
                return wrong(format!("{} stands there twice", shown(keyword.as_bytes())));
            }
            match (keyword.as_str(), parameter.value) {
                ("SIZE", value) => match value.and_then(size) {
                    Some(octets) if octets > self.config.max_octets => {
                        return Err(replies::too_big(self.config.max_octets));
                    }
                    Some(_) => {}
                    None => {
                        return wrong(
                            "SIZE takes a number of octets. Example: SIZE=1000".to_owned(),
                        );
                    }
                },
                ("BODY", Some(value))
                    if value.eq_ignore_ascii_case("7BIT")
                        || value.eq_ignore_ascii_case("8BITMIME") => {}
                ("BODY", _) => return wrong("BODY is 7BIT or 8BITMIME here".to_owned()),
                ("AUTH", Some(value)) if is_auth_parameter(value) => {}
                ("AUTH", _) => {
                    return wrong("AUTH takes an address in xtext, or AUTH=<>".to_owned());
                }
                _ => return Err(unknown_parameter(Verb::Mail, &keyword)),
            }
        }
        Ok(())
    }

    fn rcpt(&mut self, arguments: &[u8]) -> Verdict {
        let (address, parameters) =
            words::rcpt(arguments).map_err(|error| replies::syntax(Verb::Rcpt, &error))?;
        if self.envelope.is_none() {
            return Err(replies::sequence(
                "First say who sends it. Example: MAIL FROM:<bob@example.org>",
            ));
        }
        if let Some(parameter) = parameters.first() {
            return Err(unknown_parameter(Verb::Rcpt, parameter.keyword));
        }
        let account = self.account(&address)?;
        let Some(envelope) = &mut self.envelope else {
            return Err(replies::sequence("First say who sends it"));
        };
        if envelope.recipients.len() >= self.config.max_recipients {
            // RFC 5321 §4.5.3.1.10
            let text = format!(
                "A message has {} recipients at most: send it again to the others",
                self.config.max_recipients
            );
            return Err(Reply::new(452, Enhanced(4, 5, 3), text));
        }
        let text = format!("Recipient <{address}> ok");
        envelope.recipients.push(Recipient { address, account });
        Ok(Reply::new(250, Enhanced(2, 1, 5), text))
    }

    /// Who gets mail for `address`.
    fn account(&self, address: &Address) -> Result<Account, Reply> {
        let users = self.store.users();
        let domain = match address.domain() {
            Some(domain) if users.is_local(domain) => Some(domain),
            Some(domain) if !self.is_this_host(domain) => {
                let text = format!(
                    "{} is not a domain of this server, and it does not relay: it takes mail for its own, such as {}",
                    shown(domain.as_bytes()),
                    self.config.domain
                );
                return Err(Reply::new(550, Enhanced(5, 7, 1), text));
            }
            _ => None,
        };
        users.find(address.local_part(), domain).ok_or_else(|| {
            let text = format!("There is no mailbox <{address}> here");
            Reply::new(550, Enhanced(5, 1, 1), text)
        })
    }

    /// The computer itself stands for its first domain: by name, as `localhost`, by the address that was connected to.
    fn is_this_host(&self, domain: &str) -> bool {
        if let Some(literal) = domain.strip_prefix('[') {
            let address = literal.trim_end_matches(']');
            let address = match address.get(..5) {
                Some(tag) if tag.eq_ignore_ascii_case("IPv6:") => &address[5..],
                _ => address,
            };
            let local = self.peer.local.map(|local| local.ip().to_canonical());
            return local.is_some() && address.parse::<IpAddr>().ok() == local;
        }
        [&self.config.hostname, &self.config.domain, "localhost"]
            .iter()
            .any(|name| name.eq_ignore_ascii_case(domain))
    }

    fn data(&mut self, now: Instant, arguments: &[u8]) -> Verdict {
        if !arguments.is_empty() {
            return Err(replies::no_arguments(Verb::Data));
        }
        let (Some(envelope), Some(hello)) = (&self.envelope, &self.hello) else {
            return Err(replies::sequence(
                "First say who sends it. Example: MAIL FROM:<bob@example.org>",
            ));
        };
        let [first, others @ ..] = &envelope.recipients[..] else {
            // RFC 5321 §3.3; RFC 2033 §4.2 asks for 503 exactly.
            let text = "First say to whom. Example: RCPT TO:<alice@example.org>";
            return Err(match self.config.mode {
                Mode::Lmtp => replies::sequence(text),
                _ => Reply::new(554, Enhanced(5, 5, 1), text),
            });
        };
        self.messages += 1;
        let unix = self.peer.accepted.unix(now);
        // Unique as long as no two connections of two runs have one second and one token.
        let id = format!("{unix:X}-{:X}-{:X}", self.peer.token, self.messages);
        let trace = Trace {
            reverse_path: envelope.reverse_path.as_ref(),
            hello,
            address: self.peer.remote.map(|remote| remote.ip().to_canonical()),
            hostname: &self.config.hostname,
            tls: self.tls.as_ref(),
            user: self.user.as_ref().map(|account| &*account.name),
            id: &id,
            only_recipient: others.is_empty().then_some(&first.address),
            date: DateTime::utc(unix),
        };
        let additions = match self.config.mode {
            Mode::Submission => Additions {
                date: format!("Date: {}\r\n", trace.date.to_header()),
                message_id: format!("Message-ID: <{id}@{}>\r\n", self.config.hostname),
            },
            Mode::Mta | Mode::Lmtp => Additions::default(),
        };
        let trace = trace.lines();
        let incoming = Incoming::new(id, trace, additions, self.config.max_octets);
        self.state = State::Text(incoming);
        Ok(Reply::basic(
            354,
            "Go ahead; end with a dot alone on a line",
        ))
    }

    fn rset(&mut self, arguments: &[u8]) -> Verdict {
        if !arguments.is_empty() {
            return Err(replies::no_arguments(Verb::Rset));
        }
        let text = match self.envelope.take() {
            Some(_) => "Ok, the message is forgotten",
            None => "Ok, there was no message to forget",
        };
        Ok(Reply::new(250, Enhanced(2, 0, 0), text))
    }

    /// Not done, but what follows it must not be read as commands.
    fn bdat(&mut self, arguments: &[u8], out: &mut Out) {
        let reply = not_done("BDAT is not done here, as EHLO does not offer CHUNKING: use DATA");
        let octets = arguments.split(u8::is_ascii_whitespace).next();
        let octets = octets.and_then(|word| size(std::str::from_utf8(word).ok()?));
        match octets {
            Some(0) | None => self.say(&reply, out),
            Some(octets) if octets <= self.config.max_octets => {
                self.state = State::Discarding { octets, reply };
            }
            Some(_) => {
                self.say(&replies::too_big(self.config.max_octets), out);
                self.close(out);
            }
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

fn vrfy(argument: &[u8]) -> Verdict {
    if argument.is_empty() {
        return Err(replies::argument_missing(Verb::Vrfy));
    }
    if !argument.is_ascii() {
        // RFC 6531 §3.7.4.2
        let text = "Letters outside of ASCII need SMTPUTF8, which is not offered here";
        return Err(Reply::new(553, Enhanced(5, 6, 7), text));
    }
    let text = format!(
        "\"{}\" is not looked up; RCPT TO says whether mail for it is taken",
        shown(argument)
    );
    Ok(Reply::new(252, Enhanced(2, 1, 5), text))
}

pub(super) fn not_done(text: &'static str) -> Reply {
    Reply::new(502, Enhanced(5, 5, 1), text)
}

fn unknown_parameter(verb: Verb, keyword: &str) -> Reply {
    // RFC 5321 §4.1.1.11
    let text = format!(
        "{} has no parameter {} here; EHLO lists what this server knows",
        verb.info().name,
        shown(keyword.as_bytes())
    );
    Reply::new(555, Enhanced(5, 5, 4), text)
}

/// RFC 1870 §3: at most 20 digits.
fn size(value: &str) -> Option<u64> {
    let digits =
        !value.is_empty() && value.len() <= 20 && value.bytes().all(|octet| octet.is_ascii_digit());
    // Twenty digits may be more than fits, and then they are more than any limit.
    digits.then(|| value.parse().unwrap_or(u64::MAX))
}

/// RFC 4954 §5: `<>`, or an address in xtext (RFC 3461 §4).
fn is_auth_parameter(value: &str) -> bool {
    let hexadecimal = |pair: &[u8]| {
        pair.len() == 2
            && pair
                .iter()
                .all(|octet| octet.is_ascii_digit() || (b'A'..=b'F').contains(octet))
    };
    let octets = value.as_bytes();
    let escapes = octets
        .iter()
        .enumerate()
        .filter(|&(_, &octet)| octet == b'+')
        .all(|(at, _)| octets.get(at + 1..at + 3).is_some_and(hexadecimal));
    value == "<>" || (escapes && !octets.contains(&b'='))
}

/// What a client calls itself, so that it cannot end a comment or a field of the Received line.
fn header_safe(name: &[u8]) -> String {
    let safe = |&octet: &u8| match octet {
        b'(' | b')' | b'<' | b'>' | b';' | b'\\' | b'"' | b',' => '?',
        b'!'..=b'~' => char::from(octet),
        _ => '?',
    };
    name.iter().map(safe).collect()
}

fn is_http(line: &[u8]) -> bool {
    let method = line.split(|&octet| octet == b' ').next().unwrap_or(line);
    matches!(
        method,
        b"GET" | b"POST" | b"PUT" | b"HEAD" | b"CONNECT" | b"OPTIONS"
    ) || line.starts_with(b"PRI * HTTP/2")
}
