//! NOTIFY (RFC 5465), and what it and ESEARCH (RFC 7377) mean by "these mailboxes".

use super::arguments::mailbox;
use crate::limits;
use crate::wire::imap::fetch::{Item, scan_items};
use crate::wire::imap::scan::{Scan, Scanner, problem};

/// NOTIFY's arguments.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Notify {
    /// NONE: nothing is to be told.
    Nothing,
    /// SET
    Set {
        /// Whether the mailboxes are told as they are now.
        status: Status,
        /// What is to be told of which.
        groups: Vec<Group>,
    },
    /// SET with an event that is not known here, which is to be answered NO (RFC 5465 §3.1).
    Unknown(String),
}

/// Whether the STATUS of each mailbox is told at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// It is.
    Told,
    /// It is not.
    Untold,
}

/// Mailboxes, and what is to be told of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    /// Which.
    pub which: Which,
    /// What.
    pub events: Events,
}

/// Which mailboxes are meant (RFC 5465 §6, RFC 7377 §2.2).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Which {
    /// The selected one.
    Selected,
    /// The selected one, but removals wait for a command.
    SelectedDelayed,
    /// Those into which mail is delivered.
    Inboxes,
    /// All of one's own.
    Personal,
    /// Those subscribed to.
    Subscribed,
    /// These, and all below them.
    Subtree(Vec<String>),
    /// These, and those directly below them.
    SubtreeOne(Vec<String>),
    /// These.
    Mailboxes(Vec<String>),
}

/// What is to be told.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Events {
    /// Of messages.
    pub messages: Depth,
    /// What is told of each new message in the selected mailbox.
    pub fetch: Vec<Item>,
    /// Mailboxes that are made, deleted or renamed.
    pub names: bool,
    /// Subscriptions.
    pub subscriptions: bool,
    /// What is noted about them (RFC 5464).
    pub notes: bool,
    /// What is noted about the server.
    pub server_notes: bool,
}

/// Whose a mailbox is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Whose {
    /// The user's own.
    Own,
    /// Somebody else's, who has opened it to the user.
    Others,
}

/// How much of what happens to messages is told: each is more than the one before (RFC 5465 §5).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Depth {
    /// Nothing.
    #[default]
    Nothing,
    /// MessageNew and MessageExpunge, which go together.
    Arrivals,
    /// FlagChange as well.
    Flags,
}

/// The events that are known here, as a response code.
pub const BAD_EVENT: &str = "BADEVENT (MessageNew MessageExpunge FlagChange MailboxName SubscriptionChange MailboxMetadataChange ServerMetadataChange)";

/// Scans what stands after NOTIFY and its space.
pub(super) fn scan(scanner: &mut Scanner<'_>) -> Scan<Notify> {
    if scanner.eat_word("NONE") {
        return Ok(Notify::Nothing);
    }
    if !scanner.eat_word("SET") {
        return problem("expected SET or NONE");
    }
    scanner.space()?;
    let status = if scanner.eat_word("STATUS") {
        scanner.space()?;
        Status::Told
    } else {
        Status::Untold
    };
    let mut groups: Vec<Group> = Vec::new();
    let mut unknown = None;
    loop {
        if groups.len() == limits::IMAP_GROUPS {
            return problem(format!("more than {} groups", limits::IMAP_GROUPS));
        }
        let group = scan_group(scanner, &mut unknown)?;
        let is_selected = |group: &Group| group.which.is_selected();
        if is_selected(&group) && groups.iter().any(is_selected) {
            // RFC 5465 §6.1
            return problem("SELECTED or SELECTED-DELAYED may stand once only");
        }
        groups.push(group);
        if !scanner.skip_spaces() || scanner.peek().is_none() {
            break;
        }
    }
    Ok(match unknown {
        Some(name) => Notify::Unknown(name),
        None => Notify::Set { status, groups },
    })
}

/// `(SELECTED (MessageNew (UID) MessageExpunge))`
fn scan_group(scanner: &mut Scanner<'_>, unknown: &mut Option<String>) -> Scan<Group> {
    scanner.expect(b'(')?;
    scanner.skip_spaces();
    let which = Which::scan(scanner)?;
    scanner.space()?;
    // QUIRK: an example in RFC 5465 §3.1 leaves out the inner parentheses.
    let inner = scanner.eat(b'(');
    let events = match !inner && scanner.eat_word("NONE") {
        true => Events::default(),
        false => scan_events(scanner, &which, unknown)?,
    };
    if inner {
        scanner.expect(b')')?;
        scanner.skip_spaces();
    }
    scanner.expect(b')')?;
    Ok(Group { which, events })
}

fn scan_events(
    scanner: &mut Scanner<'_>,
    which: &Which,
    unknown: &mut Option<String>,
) -> Scan<Events> {
    let mut events = Events::default();
    let (mut new, mut expunge, mut flags) = (false, false, false);
    let mut none = true;
    loop {
        scanner.skip_spaces();
        if !none && scanner.peek() == Some(b')') {
            break;
        }
        none = false;
        let name = scanner.word("an event such as MessageNew")?;
        match name.to_ascii_uppercase().as_str() {
            "MESSAGENEW" => {
                new = true;
                let mut ahead = scanner.clone();
                ahead.skip_spaces();
                if ahead.peek() == Some(b'(') {
                    scanner.skip_spaces();
                    events.fetch = scan_items(scanner)?;
                }
            }
            "MESSAGEEXPUNGE" => expunge = true,
            "FLAGCHANGE" => flags = true,
            "MAILBOXNAME" => events.names = true,
            "SUBSCRIPTIONCHANGE" => events.subscriptions = true,
            "MAILBOXMETADATACHANGE" => events.notes = true,
            "SERVERMETADATACHANGE" => events.server_notes = true,
            _ => *unknown = Some(name.to_owned()),
        }
    }
    if unknown.is_some() {
        // Whatever else is wrong: that is NO, and not BAD (RFC 5465 §3.1).
        return Ok(events);
    }
    if new != expunge || (flags && !new) {
        // RFC 5465 §5
        return problem(
            "MessageNew and MessageExpunge go together, and FlagChange goes with both of them",
        );
    }
    let of_names = events.names || events.subscriptions;
    if which.is_selected() && (of_names || events.notes || events.server_notes) {
        // RFC 5465 §6.1
        return problem("of the selected mailbox only events of messages can be told");
    }
    if !which.is_selected() && !events.fetch.is_empty() {
        return problem("what MessageNew fetches can be told of the selected mailbox only");
    }
    events.messages = match (new, flags) {
        (false, _) => Depth::Nothing,
        (true, false) => Depth::Arrivals,
        (true, true) => Depth::Flags,
    };
    Ok(events)
}

impl Which {
    /// Whether it is the selected mailbox.
    pub const fn is_selected(&self) -> bool {
        matches!(self, Self::Selected | Self::SelectedDelayed)
    }

    /// Whether a mailbox is meant: `name` in UTF-8, whose it is, and whether it is subscribed to.
    pub fn means(&self, name: &str, whose: Whose, subscribed: bool) -> bool {
        let below = |top: &str| {
            let rest = name.strip_prefix(top)?;
            rest.strip_prefix('/')
        };
        match self {
            Self::Selected | Self::SelectedDelayed => false,
            Self::Inboxes => name == "INBOX",
            Self::Personal => whose == Whose::Own,
            Self::Subscribed => subscribed,
            Self::Mailboxes(names) => names.iter().any(|one| one == name),
            Self::Subtree(tops) => tops
                .iter()
                .any(|top| top.is_empty() || top == name || below(top).is_some()),
            Self::SubtreeOne(tops) => tops.iter().any(|top| {
                top == name
                    || match top.is_empty() {
                        true => !name.contains('/'),
                        false => below(top).is_some_and(|rest| !rest.contains('/')),
                    }
            }),
        }
    }

    /// Whether a mailbox below `top` may be meant.
    pub fn reaches(&self, top: &str) -> bool {
        let below = |name: &String| {
            let rest = name.strip_prefix(top);
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        match self {
            Self::Selected | Self::SelectedDelayed | Self::Inboxes | Self::Personal => false,
            Self::Subscribed => true,
            Self::Subtree(tops) => tops.iter().any(|one| one.is_empty() || below(one)),
            Self::SubtreeOne(names) | Self::Mailboxes(names) => names.iter().any(below),
        }
    }

    /// Scans one.
    pub(super) fn scan(scanner: &mut Scanner<'_>) -> Scan<Self> {
        let word = scanner.word("which mailboxes, such as SELECTED, PERSONAL or SUBTREE")?;
        Ok(match word.to_ascii_uppercase().as_str() {
            "SELECTED" => Self::Selected,
            "SELECTED-DELAYED" => Self::SelectedDelayed,
            "INBOXES" => Self::Inboxes,
            "PERSONAL" => Self::Personal,
            "SUBSCRIBED" => Self::Subscribed,
            "SUBTREE" => Self::Subtree(scan_names(scanner)?),
            "SUBTREE-ONE" => Self::SubtreeOne(scan_names(scanner)?),
            "MAILBOXES" => Self::Mailboxes(scan_names(scanner)?),
            _ => {
                return problem(format!(
                    "there are no mailboxes called {word}; there are SELECTED SELECTED-DELAYED INBOXES PERSONAL SUBSCRIBED SUBTREE MAILBOXES"
                ));
            }
        })
    }
}

/// A space, and one name or several in parentheses; INBOX in capitals.
fn scan_names(scanner: &mut Scanner<'_>) -> Scan<Vec<String>> {
    scanner.space()?;
    let one = |scanner: &mut Scanner<'_>| {
        mailbox(scanner).map(|name| match name.get(..5) {
            Some(top)
                if top.eq_ignore_ascii_case("INBOX")
                    && matches!(name.as_bytes().get(5), None | Some(b'/')) =>
            {
                format!("INBOX{}", &name[5..])
            }
            _ => name,
        })
    };
    if !scanner.eat(b'(') {
        return Ok(vec![one(scanner)?]);
    }
    let mut names = Vec::new();
    loop {
        scanner.skip_spaces();
        if !names.is_empty() && scanner.eat(b')') {
            return Ok(names);
        }
        if names.len() == limits::IMAP_NAMES {
            return problem(format!("more than {} names", limits::IMAP_NAMES));
        }
        names.push(one(scanner)?);
    }
}

/// ESEARCH's sources, `IN (PERSONAL)`, and the space after them, if they are there.
pub(super) fn scan_sources(scanner: &mut Scanner<'_>) -> Scan<Option<Vec<Which>>> {
    if !scanner.eat_word("IN") {
        return Ok(None);
    }
    scanner.space()?;
    scanner.expect(b'(')?;
    let mut sources = Vec::new();
    loop {
        scanner.skip_spaces();
        if !sources.is_empty() && scanner.eat(b')') {
            break;
        }
        if scanner.peek() == Some(b'(') {
            // RFC 7377 §4 leaves room for options that nobody has defined.
            return problem("there are no options for where to search");
        }
        if sources.len() == limits::IMAP_GROUPS {
            return problem(format!("more than {} sources", limits::IMAP_GROUPS));
        }
        match Which::scan(scanner)? {
            // RFC 7377 §2.2
            Which::SelectedDelayed => {
                return problem("SELECTED-DELAYED is for NOTIFY; here it is SELECTED");
            }
            which => sources.push(which),
        }
    }
    scanner.space()?;
    Ok(Some(sources))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scanned(text: &str) -> Result<Notify, String> {
        let mut scanner = Scanner::new(text.as_bytes());
        let notify = scan(&mut scanner).map_err(|stop| format!("{stop:?}"))?;
        scanner.end().map_err(|stop| format!("{stop:?}"))?;
        Ok(notify)
    }

    #[test]
    fn the_examples_of_the_rfc() {
        let Ok(Notify::Set { status, groups }) = scanned(
            "set status (selected MessageNew (uid body.peek[header.fields (from to subject)]) MessageExpunge) \
             (subtree Lists (MessageNew MessageExpunge))",
        ) else {
            panic!("not taken");
        };
        assert_eq!(status, Status::Told);
        assert_eq!(groups[0].which, Which::Selected);
        assert_eq!(groups[0].events.fetch.len(), 2);
        assert_eq!(groups[0].events.messages, Depth::Arrivals);
        assert_eq!(groups[1].which, Which::Subtree(vec!["Lists".to_owned()]));
        let Ok(Notify::Set { status, groups }) = scanned(
            "SET (mailboxes (inbox a/b) (Messagenew messageExpunge FlagChange)) (personal (SubscriptionChange MailboxName)) (inboxes NONE)",
        ) else {
            panic!("not taken");
        };
        assert_eq!(status, Status::Untold);
        assert_eq!(
            groups[0].which,
            Which::Mailboxes(vec!["INBOX".to_owned(), "a/b".to_owned()])
        );
        assert_eq!(groups[0].events.messages, Depth::Flags);
        assert!(groups[1].events.names && groups[1].events.subscriptions);
        assert_eq!(groups[2].events, Events::default());
        assert_eq!(scanned("none"), Ok(Notify::Nothing));
    }

    #[test]
    fn what_is_refused() {
        for (text, why) in [
            ("SET", "missing"),
            ("ALL", "SET or NONE"),
            ("SET (personal (MessageNew))", "go together"),
            ("SET (personal (FlagChange))", "go together"),
            ("SET (selected (MailboxName))", "only events of messages"),
            (
                "SET (selected-delayed (ServerMetadataChange))",
                "only events of messages",
            ),
            (
                "SET (personal (MessageNew (UID) MessageExpunge))",
                "of the selected mailbox only",
            ),
            ("SET (selected NONE) (selected-delayed NONE)", "once only"),
            ("SET (others NONE)", "no mailboxes called others"),
            ("SET (personal ())", "expected an event"),
        ] {
            let said = scanned(text).unwrap_err();
            assert!(said.contains(why), "{text}: {said}");
        }
        assert_eq!(
            scanned("SET (personal (AnnotationChange))"),
            Ok(Notify::Unknown("AnnotationChange".to_owned()))
        );
    }

    #[test]
    fn which_mailboxes_are_meant() {
        let tree = Which::Subtree(vec!["a".to_owned()]);
        let one = Which::SubtreeOne(vec!["a".to_owned()]);
        for (name, in_tree, in_one) in [
            ("a", true, true),
            ("a/b", true, true),
            ("a/b/c", true, false),
            ("ab", false, false),
            ("b", false, false),
        ] {
            assert_eq!(tree.means(name, Whose::Own, false), in_tree, "{name}");
            assert_eq!(one.means(name, Whose::Own, false), in_one, "{name}");
        }
        assert!(Which::Subscribed.means("x", Whose::Own, true));
        assert!(!Which::Subscribed.means("x", Whose::Own, false));
        assert!(Which::Personal.means("x", Whose::Own, false));
        assert!(!Which::Personal.means("shared/bob/x", Whose::Others, true));
        for (which, reaches) in [
            (Which::Personal, false),
            (Which::Subscribed, true),
            (Which::Subtree(vec![String::new()]), true),
            (Which::Subtree(vec!["shared/bob".to_owned()]), true),
            (Which::SubtreeOne(vec!["sharedx".to_owned()]), false),
            (Which::Mailboxes(vec!["shared/bob/x".to_owned()]), true),
            (Which::Mailboxes(vec!["INBOX".to_owned()]), false),
        ] {
            assert_eq!(which.reaches("shared"), reaches, "{which:?}");
        }
        assert!(!Which::Mailboxes(vec!["a*".to_owned()]).means("ab", Whose::Own, false));
    }
}
