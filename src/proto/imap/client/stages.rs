//! The stages of an errand: the command of each, what is made of the server's data meanwhile, and of its answer.

use super::command::Command;
use super::told::{Told, item, mailbox, missing, set, strings, uid};
use super::*;
use crate::wire::imap::reply::{Data, Value};
use crate::wire::json;

/// What a stage begins with.
enum Begun {
    Command(Command),
    /// It has nothing to ask.
    Done,
    /// It cannot be done, nor can what follows.
    Failed(Failure),
    /// It sees to itself.
    Runs,
}

impl Client<'_> {
    /// Begins the next stage that has something to say; the end when there is none.
    pub(super) fn proceed(&mut self, out: &mut Out) {
        loop {
            if self.step == Step::Closed {
                return;
            }
            let Some(stage) = self.stages.pop_front() else {
                self.stage = None;
                return self.logout(out);
            };
            self.step = Step::Errand;
            let begun = self.begin(&stage, out);
            self.stage = Some(stage);
            match begun {
                Begun::Command(command) => return self.send(Step::Errand, command, out),
                Begun::Done => {}
                Begun::Failed(failure) => {
                    self.failures.push(failure);
                    return self.logout(out);
                }
                Begun::Runs if matches!(self.stage, Some(Stage::Raw(_))) => {
                    return self.proceed_raw(out);
                }
                Begun::Runs => return self.watch(out),
            }
        }
    }

    fn begin(&mut self, stage: &Stage, out: &mut Out) -> Begun {
        let command = match stage {
            Stage::Examine(mailbox) | Stage::Select(mailbox) => {
                self.mailbox.clone_from(mailbox);
                // Of the one before.
                (self.exists, self.validity) = (0, 0);
                // EXAMINE marks nothing as seen or no longer recent: looking changes nothing.
                let verb = match stage {
                    Stage::Examine(_) => "EXAMINE ",
                    _ => "SELECT ",
                };
                Command::new(verb).mailbox(mailbox)
            }
            Stage::Choose(uids) => {
                // Else it could end the command, and begin another.
                if !uids.bytes().all(is_of_set) {
                    return unsendable(SET_OR_SECTION);
                }
                self.chosen.clone_from(uids);
                return Begun::Done;
            }
            Stage::Search { keys, then } => {
                self.found.clear();
                let counts = *then == Found::Counted && self.capabilities.esearch;
                Command::search(
                    if counts {
                        "UID SEARCH RETURN (COUNT)"
                    } else {
                        "UID SEARCH"
                    },
                    keys,
                )
            }
            Stage::Newest(count) => {
                let gone = self.found.len().saturating_sub(*count);
                self.found = self.found.iter().copied().skip(gone).collect();
                self.chosen = set(&self.found);
                return Begun::Done;
            }
            // `1:*` of an empty mailbox is a BAD to some servers.
            Stage::List if self.exists == 0 => {
                self.end_array(out);
                return Begun::Done;
            }
            Stage::List => Command::new(&format!("FETCH 1:* {SUMMARY}")),
            Stage::Fetch { section, with } => {
                if section.contains(|c: char| c.is_control() || matches!(c, '[' | ']')) {
                    return unsendable(SET_OR_SECTION);
                }
                self.came.clear();
                let marks = match with {
                    With::Nothing => "",
                    With::Marks | With::MarksOfSome => "FLAGS INTERNALDATE ",
                };
                let chosen = &self.chosen;
                // PEEK: reading here does not make a message \Seen.
                Command::new(&format!(
                    "UID FETCH {chosen} (UID {marks}BODY.PEEK[{section}])"
                ))
            }
            Stage::Flags(change) => {
                self.came.clear();
                let chosen = &self.chosen;
                match change {
                    None => Command::new(&format!("UID FETCH {chosen} (UID FLAGS)")),
                    Some((_, flags)) if !flags.iter().all(|flag| is_flag(flag)) => {
                        return unsendable(FLAG);
                    }
                    Some((change, flags)) => {
                        let how = match change {
                            Change::Add => "+FLAGS",
                            Change::Remove => "-FLAGS",
                            Change::Set => "FLAGS",
                        };
                        let flags = flags.join(" ");
                        Command::new(&format!("UID STORE {chosen} {how} ({flags})"))
                    }
                }
            }
            Stage::MarkAll if self.exists == 0 => return Begun::Done,
            Stage::MarkAll => Command::new("STORE 1:* +FLAGS.SILENT (\\Deleted)"),
            Stage::Mark => {
                let chosen = &self.chosen;
                Command::new(&format!("UID STORE {chosen} +FLAGS.SILENT (\\Deleted)"))
            }
            Stage::Copy { to, way, .. } => {
                let verb = match way {
                    Way::Copy => "UID COPY",
                    Way::Move if self.capabilities.moves => "UID MOVE",
                    // RFC 6851 §3.3: what MOVE stands for.
                    Way::Move => {
                        self.stages.push_front(Stage::ExpungeChosen);
                        self.stages.push_front(Stage::Mark);
                        "UID COPY"
                    }
                };
                let chosen = &self.chosen;
                Command::new(&format!("{verb} {chosen} ")).mailbox(to)
            }
            Stage::Expunge if self.exists == 0 => return Begun::Done,
            Stage::Expunge => Command::new("EXPUNGE"),
            Stage::ExpungeChosen if self.capabilities.uidplus => {
                let chosen = &self.chosen;
                Command::new(&format!("UID EXPUNGE {chosen}"))
            }
            Stage::ExpungeChosen => {
                self.stages.push_front(Stage::Expunge);
                self.stages.push_front(Stage::OthersStay);
                return Begun::Done;
            }
            Stage::OthersStay => {
                self.found.clear();
                let chosen = &self.chosen;
                Command::new(&format!("UID SEARCH DELETED NOT UID {chosen}"))
            }
            Stage::TellExpunged => {
                let line = format!("{}\n", self.expunged);
                self.write(line.as_bytes(), out);
                return Begun::Done;
            }
            Stage::Plain(verb, mailboxes) => mailboxes
                .iter()
                .fold(Command::new(verb), |command, mailbox| {
                    command.text(" ").mailbox(mailbox)
                }),
            Stage::Folders | Stage::Backup(_) => Command::new("LIST \"\" \"*\""),
            Stage::Lacking(..) => {
                self.there.clear();
                if self.exists == 0 {
                    self.go_through(stage, out);
                    return Begun::Done;
                }
                Command::new("FETCH 1:* (UID FLAGS)")
            }
            Stage::Status(mailbox) => Command::new("STATUS ")
                .mailbox(mailbox)
                .text(" (MESSAGES UNSEEN RECENT UIDNEXT UIDVALIDITY)"),
            Stage::Append {
                mailbox,
                flags,
                date,
                message,
            } => {
                if !flags.iter().all(|flag| is_flag(flag)) {
                    return unsendable(FLAG);
                }
                let mut command = Command::new("APPEND ").mailbox(mailbox).text(" ");
                if !flags.is_empty() {
                    command = command.text(&format!("({}) ", flags.join(" ")));
                }
                if !date.is_empty() {
                    command = command.text(&format!("\"{date}\" "));
                }
                command.literal(message.clone())
            }
            Stage::Ask(verb) => {
                let able = &self.capabilities;
                match *verb {
                    "CAPABILITY" => Command::new("CAPABILITY"),
                    "ID" if able.id => Command::new("ID NIL"),
                    "NAMESPACE" if able.namespace => Command::new("NAMESPACE"),
                    "QUOTA" if able.quota => Command::new("GETQUOTAROOT INBOX"),
                    _ => return Begun::Done,
                }
            }
            Stage::TellServer => {
                let told = match self.form {
                    Form::Lines => self.server.lines(),
                    Form::Json => self.server.json(),
                };
                self.write(told.as_bytes(), out);
                return Begun::Done;
            }
            Stage::Raw(_) | Stage::Idle(_) => return Begun::Runs,
        };
        Begun::Command(command)
    }

    pub(super) fn data(&mut self, data: &Data<'_>, response: &[u8], out: &mut Out) {
        match (data, &self.stage) {
            (Data::Capability(list), _) => self.able(list.iter().copied()),
            (Data::Exists(messages), _) => {
                self.exists = *messages;
                self.noticed(out);
            }
            (Data::Expunge(message), _) => {
                self.expunged += 1;
                self.exists = self.exists.saturating_sub(1);
                self.watch.expunged(*message);
            }
            (
                Data::List {
                    attributes,
                    delimiter,
                    name,
                },
                Some(Stage::Folders),
            ) => {
                let no_mailbox = |attribute: &&[u8]| {
                    attribute.eq_ignore_ascii_case(b"\\Noselect")
                        || attribute.eq_ignore_ascii_case(b"\\NonExistent")
                };
                let name = mailbox(name);
                if self.form == Form::Json {
                    let attributes = attributes.iter().map(|name| String::from_utf8_lossy(name));
                    let attributes: Vec<String> = attributes.map(String::from).collect();
                    let delimiter = delimiter.map(|octet| char::from(octet).to_string());
                    let object = json::object(&[
                        ("mailbox", json::string(&name)),
                        ("delimiter", json::optional(delimiter.as_deref())),
                        ("attributes", strings(&attributes)),
                    ]);
                    self.add_to_array(&object, out);
                } else if !attributes.iter().any(no_mailbox) {
                    let line = crate::wire::words::decode(name.as_bytes()) + "\n";
                    self.write(line.as_bytes(), out);
                }
            }
            (
                Data::List {
                    attributes,
                    delimiter,
                    name,
                },
                Some(Stage::Backup(_)),
            ) => self.listed(attributes, delimiter.map(char::from), &mailbox(name)),
            (Data::Status(items), Some(Stage::Status(mailbox))) => {
                let figures = items
                    .iter()
                    .map(|(name, number)| (String::from_utf8_lossy(name), number));
                let text =
                    match self.form {
                        Form::Lines => figures
                            .map(|(name, number)| format!("{name} {number}\n"))
                            .collect(),
                        Form::Json => {
                            let mut fields = vec![("mailbox".to_owned(), json::string(mailbox))];
                            fields.extend(figures.map(|(name, number)| {
                                (name.to_ascii_lowercase(), number.to_string())
                            }));
                            let fields: Vec<_> = fields
                                .iter()
                                .map(|(name, value)| (name.as_str(), value.clone()))
                                .collect();
                            json::object(&fields) + "\n"
                        }
                    };
                self.write(text.as_bytes(), out);
            }
            (Data::Search(uids), Some(Stage::Search { then, .. })) => {
                self.found.extend(uids);
                if *then == Found::Told {
                    self.tell_found(uids, out);
                }
            }
            (Data::Search(uids), Some(Stage::OthersStay | Stage::Idle(_))) => {
                self.found.extend(uids);
            }
            (Data::Other, Some(Stage::Search { .. })) => self.counted(response, out),
            (Data::Fetch(_, items), Some(Stage::List)) => {
                let whole = item(items, "ENVELOPE").is_some() && item(items, "FLAGS").is_some();
                if let Some(told) = Told::read(items).filter(|_| whole) {
                    match self.form {
                        Form::Lines => {
                            self.write(told.line().as_bytes(), out);
                        }
                        Form::Json => self.add_to_array(&told.json(), out),
                    }
                }
            }
            (Data::Fetch(_, items), Some(Stage::Lacking(..))) => {
                let whole = item(items, "FLAGS").is_some();
                if let Some(told) = Told::read(items).filter(|_| whole) {
                    let marks = told.about(|about| Marks::of_flags(about.flags));
                    self.there.insert(told.uid, marks);
                }
            }
            (Data::Fetch(message, items), Some(Stage::Fetch { .. })) => {
                self.fetched(*message, items, out);
            }
            (Data::Fetch(_, items), Some(Stage::Flags(_))) => {
                if item(items, "FLAGS").is_none() {
                    return;
                }
                if let Some(told) = Told::read(items) {
                    self.came.insert(told.uid);
                    match self.form {
                        Form::Lines => {
                            self.write(told.flags_line().as_bytes(), out);
                        }
                        Form::Json => self.add_to_array(&told.flags_json(), out),
                    }
                }
            }
            (Data::Fetch(_, items), Some(Stage::Idle(_))) => self.arrived(items, out),
            (Data::Other, Some(Stage::Ask(_))) => self.server.hear(response),
            _ => {}
        }
    }

    fn tell_found(&mut self, uids: &[u32], out: &mut Out) {
        match self.form {
            Form::Lines => {
                let lines: String = uids.iter().map(|uid| format!("{uid}\n")).collect();
                self.write(lines.as_bytes(), out);
            }
            Form::Json => {
                for uid in uids {
                    self.add_to_array(&uid.to_string(), out);
                }
            }
        }
    }

    /// `* ESEARCH (TAG "a4") UID COUNT 7` (RFC 4731 §3.1).
    fn counted(&mut self, response: &[u8], out: &mut Out) {
        let words = reply::values(response.get(2..).unwrap_or_default());
        let Some([Value::Atom(name), rest @ ..]) = words.as_deref() else {
            return;
        };
        if !name.eq_ignore_ascii_case(b"ESEARCH") {
            return;
        }
        let count = rest.windows(2).find_map(|pair| {
            let name = pair[0].octets()?;
            name.eq_ignore_ascii_case(b"COUNT")
                .then(|| pair[1].number())?
        });
        if let Some(count) = count {
            self.items += 1;
            self.write(format!("{count}\n").as_bytes(), out);
        }
    }

    /// A FETCH response whose text is in the sink already, unless it came as a quoted string, or is not there.
    fn fetched(&mut self, message: u32, items: &[(&[u8], Value<'_>)], out: &mut Out) {
        let is_body = |name: &[u8]| name.len() > 5 && name[..5].eq_ignore_ascii_case(b"BODY[");
        let Some((_, body)) = items.iter().find(|(name, _)| is_body(name)) else {
            // A change of flags.
            return;
        };
        let uid = uid(items).unwrap_or(message);
        self.came.insert(uid);
        if let Value::Text(text) = body {
            let told = Told::read(items).unwrap_or_else(|| Told::only(uid));
            if self.write(text, out)
                && let Err(error) = told.about(|about| self.sink.ended(about))
            {
                self.give_up(Failure::Sink(error), out);
            }
        } else {
            self.failures.push(Failure::Negative(Refusal::new(
                format_args!("UID FETCH {uid}"),
                b"the message has no such section",
                Lasting::Permanent,
            )));
        }
    }

    /// The command of a stage was answered OK: which need not mean that there was anything.
    pub(super) fn stage_done(&mut self, condition: &Condition<'_>, out: &mut Out) {
        let none = |what: &str, why: String| {
            Failure::Negative(Refusal::new(what, why.as_bytes(), Lasting::Permanent))
        };
        match &self.stage {
            Some(Stage::Fetch {
                with: With::MarksOfSome,
                ..
            }) => {}
            Some(Stage::Backup(wanted)) => {
                // What was named and is not there.
                for wanted in wanted {
                    let why = "there is no such mailbox".to_owned();
                    self.failures.push(none(&format!("backup {wanted}"), why));
                }
            }
            Some(Stage::Lacking(..)) => {
                if let Some(stage) = self.stage.take() {
                    self.go_through(&stage, out);
                }
            }
            Some(Stage::Fetch { .. } | Stage::Flags(_)) => {
                let verb = self.command.verb();
                for uid in missing(&self.chosen, &self.came) {
                    let why = format!("there is no such message in {}", self.mailbox);
                    self.failures.push(none(&format!("{verb} {uid}"), why));
                }
                if matches!(self.stage, Some(Stage::Flags(_))) {
                    self.end_array(out);
                }
            }
            Some(Stage::List | Stage::Folders) => self.end_array(out),
            Some(Stage::Search { then, .. }) => match then {
                Found::Counted if self.items == 0 => {
                    let line = format!("{}\n", self.found.len());
                    self.write(line.as_bytes(), out);
                }
                Found::Counted => {}
                then => {
                    let then = *then;
                    self.chosen = set(&self.found);
                    if then == Found::Told {
                        self.end_array(out);
                    }
                    if self.found.is_empty() {
                        let why = format!("no message in {} is like that", self.mailbox);
                        self.failures.push(none("UID SEARCH", why));
                        return self.logout(out);
                    }
                }
            },
            Some(Stage::OthersStay) if !self.found.is_empty() => {
                let why = "other messages here are marked as deleted and would go as well, for the server cannot expunge \
                           by UID (UIDPLUS): nothing was expunged";
                self.failures.push(Failure::Command(Refusal::new(
                    "EXPUNGE",
                    why.as_bytes(),
                    Lasting::Permanent,
                )));
                return self.logout(out);
            }
            Some(Stage::Copy { .. }) => self.copied(condition, out),
            Some(Stage::Append { .. }) => {
                // RFC 4315 §3: the mailbox's UIDVALIDITY, and the UID.
                let uid = condition.code.and_then(|(name, arguments)| {
                    let uid = arguments.split(|&byte| byte == b' ').nth(1)?;
                    let uid = std::str::from_utf8(uid).ok()?.parse::<u32>().ok()?;
                    name.eq_ignore_ascii_case(b"APPENDUID").then_some(uid)
                });
                if let Some(uid) = uid {
                    self.write(format!("{uid}\n").as_bytes(), out);
                }
            }
            Some(Stage::Idle(_)) => return self.watch_on(out),
            _ => {}
        }
        self.proceed(out);
    }

    pub(super) fn stage_refused(
        &mut self,
        condition: &Condition<'_>,
        refusal: Refusal,
        out: &mut Out,
    ) {
        if self.cannot_idle(condition) {
            return self.watch_on(out);
        }
        match &self.stage {
            // What a server promises and does not have: all else is told.
            Some(Stage::Ask(_)) => return self.proceed(out),
            // RFC 3501 §7.1: it would go, were the mailbox there. QUIRK: GNU Mailutils says so in the middle of its text.
            Some(Stage::Copy {
                to,
                way,
                missing: Missing::Made,
            }) if condition.has_code("TRYCREATE")
                || memchr::memmem::find(condition.text, b"[TRYCREATE]").is_some() =>
            {
                let (to, way) = (to.clone(), *way);
                if way == Way::Move && !self.capabilities.moves {
                    // It will push them anew.
                    self.stages.drain(..2);
                }
                self.stages.push_front(Stage::Copy {
                    to: to.clone(),
                    way,
                    missing: Missing::Refused,
                });
                self.stages.push_front(Stage::Plain("CREATE", vec![to]));
                return self.proceed(out);
            }
            _ => {}
        }
        self.failures.push(negative(condition, refusal));
        // The other mailboxes are saved all the same.
        if matches!(self.stage, Some(Stage::Examine(_)))
            && matches!(self.stages.front(), Some(Stage::Lacking(..)))
        {
            self.stages.pop_front();
            return self.proceed(out);
        }
        self.logout(out);
    }

    /// A mailbox that there is: it is gone through, if it is meant.
    fn listed(&mut self, attributes: &[&[u8]], delimiter: Option<char>, name: &str) {
        let no_mailbox = |attribute: &&[u8]| {
            attribute.eq_ignore_ascii_case(b"\\Noselect")
                || attribute.eq_ignore_ascii_case(b"\\NonExistent")
        };
        let Some(Stage::Backup(wanted)) = &mut self.stage else {
            return;
        };
        let same = |wanted: &String| {
            let inbox = name.eq_ignore_ascii_case("INBOX") && wanted.eq_ignore_ascii_case("INBOX");
            wanted == name || inbox
        };
        if attributes.iter().any(no_mailbox) || self.stages.len() > limits::IMAP_MAILBOXES {
            return;
        }
        // Of the names that were given one is struck out; the last one leaves an empty name, so that all is not meant then.
        match wanted.iter().position(same) {
            Some(at) => {
                wanted.remove(at);
                self.named = true;
            }
            None if !wanted.is_empty() || self.named => return,
            None => {}
        }
        self.stages.push_back(Stage::Examine(name.to_owned()));
        self.stages
            .push_back(Stage::Lacking(name.to_owned(), delimiter));
    }

    /// All messages of a mailbox are known: those that the sink does not have are fetched.
    fn go_through(&mut self, stage: &Stage, out: &mut Out) {
        let Stage::Lacking(mailbox, delimiter) = stage else {
            return;
        };
        let place = Place {
            mailbox,
            delimiter: *delimiter,
            validity: self.validity,
            messages: self.exists,
        };
        match self.sink.opened(&place, &self.there) {
            Err(error) => self.give_up(Failure::Sink(error), out),
            Ok(lacking) => {
                self.found = lacking;
                self.fetch_found();
            }
        }
    }

    /// Next is fetched what was found, as many at a time as a line takes that every server reads.
    fn fetch_found(&mut self) {
        let set = set(&self.found);
        let ranges: Vec<&str> = set.split(',').filter(|range| !range.is_empty()).collect();
        for ranges in ranges.chunks(RANGES).rev() {
            self.stages.push_front(Stage::Fetch {
                section: String::new(),
                with: With::MarksOfSome,
            });
            self.stages.push_front(Stage::Choose(ranges.join(",")));
        }
    }

    /// `[COPYUID 38505 304,319:320 3956:3958]` (RFC 4315 §3): the new UIDs are written as they are told.
    pub(super) fn copied(&mut self, condition: &Condition<'_>, out: &mut Out) {
        if !matches!(self.stage, Some(Stage::Copy { .. })) {
            return;
        }
        let Some((name, arguments)) = condition.code else {
            return;
        };
        let uids = arguments.split(|&byte| byte == b' ').nth(2);
        if let Some(uids) = uids.filter(|uids| uids.iter().copied().all(is_of_set))
            && name.eq_ignore_ascii_case(b"COPYUID")
        {
            self.write(&[uids, b"\n"].concat(), out);
        }
    }

    /// One more item of an array of JSON.
    pub(super) fn add_to_array(&mut self, item: &str, out: &mut Out) {
        let before = if self.items == 0 { "[" } else { ",\n " };
        self.items += 1;
        self.write(format!("{before}{item}").as_bytes(), out);
    }

    /// Its end, where JSON is written.
    pub(super) fn end_array(&mut self, out: &mut Out) {
        if self.form == Form::Json {
            let end = if self.items == 0 { "[]\n" } else { "]\n" };
            self.items = 0;
            self.write(end.as_bytes(), out);
        }
    }
}

fn unsendable(why: &'static str) -> Begun {
    Begun::Failed(Failure::Unsendable(why))
}

/// `\Seen`, `$Forwarded`, `work`: an atom, which may have a backslash before it (RFC 3501 §9).
fn is_flag(flag: &str) -> bool {
    let atom = flag.strip_prefix('\\').unwrap_or(flag);
    !atom.is_empty()
        && atom.bytes().all(|byte| {
            matches!(byte, b'!'..=b'~')
                && !matches!(byte, b'(' | b')' | b'{' | b'%' | b'*' | b'"' | b'\\' | b']')
        })
}

pub(super) const fn is_of_set(byte: u8) -> bool {
    matches!(byte, b'0'..=b'9' | b':' | b',' | b'*')
}

/// Of a set in one command: at most 22 octets each, and RFC 2683 §3.2.1.5 has clients send lines of at most 1000 octets where they can.
const RANGES: usize = 40;

/// What a line about a message is made of.
pub(super) const SUMMARY: &str = "(UID FLAGS INTERNALDATE RFC822.SIZE ENVELOPE)";

const SET_OR_SECTION: &str = "a section is what stands in BODY[...], such as HEADER or 1.TEXT; UIDs are numbers, ranges 3:7 and *, \
                              with commas between";

const FLAG: &str = "a flag is one word, such as \\Seen, $Forwarded or work";
