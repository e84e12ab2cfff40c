//! Messages put together to threads (RFC 5256 §3: ORDEREDSUBJECT, REFERENCES; draft-ietf-morg-inthread: REFS).
//!
//! A forest of nodes that know each other by number; nothing here calls itself, however deep a thread is.

use std::collections::HashMap;

use crate::limits;
use crate::wire::imap::arrange::Threading;
use crate::wire::imap::response;

/// What is known of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mail {
    /// How it is told: a message's number, or its UID.
    pub number: u32,
    /// When it was sent, seconds since 1970.
    pub sent: i64,
    /// Its base subject, as it is compared.
    pub subject: String,
    /// Whether its subject says that it answers.
    pub is_reply: bool,
    /// Its Message-ID, if it has one.
    pub id: Option<Vec<u8>>,
    /// The Message-IDs of what it answers, the oldest first.
    pub references: Vec<Vec<u8>>,
}

/// The response's threads: `(2)(3 6 (4 23)(44 7 96))`; `mails` in the order of the mailbox.
pub fn threads(algorithm: Threading, mails: &[Mail]) -> Vec<u8> {
    let mut forest = match algorithm {
        Threading::OrderedSubject => Forest::by_subject(mails),
        Threading::References | Threading::Refs => Forest::by_references(mails),
    };
    match algorithm {
        Threading::OrderedSubject => {}
        Threading::References => {
            forest.prune();
            forest.sort_roots();
            forest.merge_subjects();
            forest.sort_all();
        }
        Threading::Refs => {
            forest.prune();
            forest.sort_by_latest();
        }
    }
    forest.written()
}

struct Forest<'m> {
    mails: &'m [Mail],
    nodes: Vec<Node>,
    roots: Vec<usize>,
}

#[derive(Default)]
struct Node {
    /// `None`: a message that is spoken of, and is not here.
    mail: Option<usize>,
    parent: Option<usize>,
    children: Vec<usize>,
}

impl<'m> Forest<'m> {
    fn by_subject(mails: &'m [Mail]) -> Self {
        let mut order: Vec<usize> = (0..mails.len()).collect();
        order.sort_by(|&one, &other| {
            let (one, other) = (&mails[one], &mails[other]);
            one.subject
                .cmp(&other.subject)
                .then(one.sent.cmp(&other.sent))
        });
        let mut forest = Self::of(mails);
        for at in order {
            match forest.roots.last() {
                Some(&root) if mails[root].subject == mails[at].subject => {
                    forest.nodes[root].children.push(at);
                }
                _ => forest.roots.push(at),
            }
        }
        forest.roots.sort_by_key(|&root| (mails[root].sent, root));
        forest
    }

    /// A node for each message, in their order.
    fn of(mails: &'m [Mail]) -> Self {
        let node = |mail| Node {
            mail: Some(mail),
            ..Node::default()
        };
        Self {
            mails,
            nodes: (0..mails.len()).map(node).collect(),
            roots: Vec::new(),
        }
    }

    /// Steps 1 and 2 of REFERENCES.
    fn by_references(mails: &'m [Mail]) -> Self {
        let mut forest = Self::of(mails);
        let mut known: HashMap<&[u8], usize> = HashMap::new();
        for (at, mail) in mails.iter().enumerate() {
            if let Some(id) = &mail.id {
                // Of two with the same, the first has it.
                known.entry(id).or_insert(at);
            }
        }
        for (at, mail) in mails.iter().enumerate() {
            let mut before: Option<usize> = None;
            for id in &mail.references {
                let nodes = &mut forest.nodes;
                let node = *known.entry(id).or_insert_with(|| {
                    nodes.push(Node::default());
                    nodes.len() - 1
                });
                if let Some(parent) = before
                    && forest.nodes[node].parent.is_none()
                {
                    forest.link(parent, node);
                }
                before = Some(node);
            }
            if let Some(old) = forest.nodes[at].parent {
                forest.nodes[old].children.retain(|&child| child != at);
                forest.nodes[at].parent = None;
            }
            if let Some(parent) = before {
                forest.link(parent, at);
            }
        }
        forest.roots = (0..forest.nodes.len())
            .filter(|&at| forest.nodes[at].parent.is_none())
            .collect();
        forest
    }

    /// Unless that were a circle; who is too far down to tell has no more children.
    fn link(&mut self, parent: usize, child: usize) {
        let mut above = Some(parent);
        for _ in 0..limits::IMAP_ANCESTORS {
            match above {
                None => {
                    self.nodes[parent].children.push(child);
                    self.nodes[child].parent = Some(parent);
                    return;
                }
                Some(at) if at == child => return,
                Some(at) => above = self.nodes[at].parent,
            }
        }
    }

    /// Step 3: what is not here goes, and its children take its place; at the top it stays while it holds several together.
    fn prune(&mut self) {
        for at in self.lower_first() {
            let mut children = Vec::new();
            for child in std::mem::take(&mut self.nodes[at].children) {
                if self.nodes[child].mail.is_some() {
                    children.push(child);
                } else {
                    // Its own are pruned already.
                    children.append(&mut self.nodes[child].children);
                }
            }
            self.nodes[at].children = children;
        }
        let mut roots = Vec::new();
        for root in std::mem::take(&mut self.roots) {
            match (self.nodes[root].mail, &self.nodes[root].children[..]) {
                (None, []) => {}
                (None, &[only]) => roots.push(only),
                _ => roots.push(root),
            }
        }
        self.roots = roots;
    }

    /// All that hang together, children before their parents.
    fn lower_first(&self) -> Vec<usize> {
        let mut order: Vec<usize> = self.roots.clone();
        let mut next = 0;
        while next < order.len() {
            order.extend_from_slice(&self.nodes[order[next]].children);
            next += 1;
        }
        order.reverse();
        order
    }

    /// The message that stands for a thread: its own, or its first child's.
    fn first(&self, at: usize) -> Option<usize> {
        let node = &self.nodes[at];
        node.mail
            .or_else(|| self.nodes[*node.children.first()?].mail)
    }

    fn date(&self, at: usize) -> (i64, usize) {
        self.first(at)
            .map_or((0, 0), |mail| (self.mails[mail].sent, mail))
    }

    fn sort_children(&mut self, at: usize) {
        let mut children = std::mem::take(&mut self.nodes[at].children);
        children.sort_by_key(|&child| self.date(child));
        self.nodes[at].children = children;
    }

    /// Step 4.
    fn sort_roots(&mut self) {
        let mut roots = std::mem::take(&mut self.roots);
        for &root in &roots {
            if self.nodes[root].mail.is_none() {
                self.sort_children(root);
            }
        }
        roots.sort_by_key(|&root| self.date(root));
        self.roots = roots;
    }

    /// Step 5: threads with the same subject become one.
    fn merge_subjects(&mut self) {
        let mails = self.mails;
        let mut table: HashMap<&'m str, usize> = HashMap::new();
        let subject = |forest: &Self, root| {
            let mail = forest.first(root)?;
            Some(mails[mail].subject.as_str()).filter(|subject| !subject.is_empty())
        };
        let is_reply = |forest: &Self, at: usize| {
            let mail = forest.nodes[at].mail;
            mail.is_some_and(|mail| mails[mail].is_reply)
        };
        let is_dummy = |forest: &Self, at: usize| forest.nodes[at].mail.is_none();
        for &root in &self.roots {
            let Some(subject) = subject(self, root) else {
                continue;
            };
            let first = *table.entry(subject).or_insert(root);
            let better = is_dummy(self, root) || (is_reply(self, first) && !is_reply(self, root));
            if !is_dummy(self, first) && better {
                table.insert(subject, root);
            }
        }
        let mut roots = Vec::new();
        let mut gone = vec![false; self.nodes.len()];
        for root in std::mem::take(&mut self.roots) {
            let known =
                subject(self, root).and_then(|subject| Some((subject, *table.get(subject)?)));
            let Some((subject, other)) = known.filter(|(_, other)| *other != root) else {
                roots.push(root);
                continue;
            };
            match (is_dummy(self, other), is_dummy(self, root)) {
                (true, true) => {
                    let mut children = std::mem::take(&mut self.nodes[root].children);
                    self.nodes[other].children.append(&mut children);
                }
                (true, false) => self.nodes[other].children.push(root),
                _ if is_reply(self, root) && !is_reply(self, other) => {
                    self.nodes[other].children.push(root);
                }
                _ => {
                    let dummy = self.nodes.len();
                    self.nodes.push(Node {
                        children: vec![other, root],
                        ..Node::default()
                    });
                    gone[other] = true;
                    gone.push(false);
                    roots.push(dummy);
                    table.insert(subject, dummy);
                }
            }
        }
        roots.retain(|&root| !gone[root]);
        self.roots = roots;
    }

    /// Step 6: the lower first.
    fn sort_all(&mut self) {
        for at in self.lower_first() {
            self.sort_children(at);
        }
        let mut roots = std::mem::take(&mut self.roots);
        roots.sort_by_key(|&root| self.date(root));
        self.roots = roots;
    }

    /// REFS: the threads by when the last of each was sent, the messages in them as in step 6; as Dovecot has it.
    fn sort_by_latest(&mut self) {
        let mut latest = vec![i64::MIN; self.nodes.len()];
        for at in self.lower_first() {
            self.sort_children(at);
            let node = &self.nodes[at];
            let own = node.mail.map_or(i64::MIN, |mail| self.mails[mail].sent);
            let below = node.children.iter().map(|&child| latest[child]).max();
            latest[at] = own.max(below.unwrap_or(i64::MIN));
        }
        let mut roots = std::mem::take(&mut self.roots);
        roots.sort_by_key(|&root| (latest[root], self.nodes[root].mail));
        self.roots = roots;
    }

    fn written(&self) -> Vec<u8> {
        enum Step {
            Node(usize),
            Text(&'static [u8]),
        }
        let mut out = Vec::new();
        let mut steps: Vec<Step> = Vec::new();
        for &root in self.roots.iter().rev() {
            steps.extend([Step::Text(b")"), Step::Node(root), Step::Text(b"(")]);
        }
        while let Some(step) = steps.pop() {
            let at = match step {
                Step::Text(text) => {
                    out.extend_from_slice(text);
                    continue;
                }
                Step::Node(at) => at,
            };
            let node = &self.nodes[at];
            if let Some(mail) = node.mail {
                response::number(&mut out, self.mails[mail].number.into());
            }
            match (&node.children[..], node.mail) {
                ([], _) => {}
                // A line of answers is told without parentheses.
                (&[only], mail) => {
                    steps.push(Step::Node(only));
                    if mail.is_some() {
                        steps.push(Step::Text(b" "));
                    }
                }
                (children, mail) => {
                    for &child in children.iter().rev() {
                        steps.extend([Step::Text(b")"), Step::Node(child), Step::Text(b"(")]);
                    }
                    if mail.is_some() {
                        steps.push(Step::Text(b" "));
                    }
                }
            }
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn mail(number: u32, subject: &str, id: &str, references: &str) -> Mail {
        let subject = crate::wire::mime::subject::base_subject(subject);
        Mail {
            number,
            sent: number.into(),
            subject: subject.base.to_uppercase(),
            is_reply: subject.is_reply,
            id: (!id.is_empty()).then(|| id.into()),
            references: references
                .split_ascii_whitespace()
                .map(Into::into)
                .collect(),
        }
    }

    fn told(algorithm: Threading, mails: &[Mail]) -> String {
        String::from_utf8(threads(algorithm, mails)).unwrap()
    }

    #[test]
    fn answers_of_answers() {
        let mails = [
            mail(1, "a", "1", ""),
            mail(2, "Re: a", "2", "1"),
            mail(3, "b", "3", ""),
            mail(4, "Re: a", "4", "1 2"),
            mail(5, "Re: a", "5", "1"),
            mail(6, "c", "6", "lost"),
            mail(7, "d", "7", "lost"),
        ];
        use Threading::{OrderedSubject, References, Refs};
        assert_eq!(told(References, &mails), "(1 (2 4)(5))(3)((6)(7))");
        assert_eq!(told(OrderedSubject, &mails), "(1 (2)(4)(5))(3)(6)(7)");
        assert_eq!(told(Refs, &mails), "(3)(1 (2 4)(5))((6)(7))");
        assert_eq!(told(References, &[]), "");
    }

    #[test]
    fn subjects_bring_together_what_references_do_not() {
        let mails = [
            mail(1, "lunch", "1", ""),
            mail(2, "Re: lunch", "2", ""),
            mail(3, "lunch", "3", ""),
            mail(4, "", "4", ""),
            mail(5, "Re: tea", "5", ""),
            mail(6, "tea", "6", ""),
        ];
        assert_eq!(told(Threading::References, &mails), "((1 2)(3))(4)(6 5)");
        assert_eq!(told(Threading::Refs, &mails), "(1)(2)(3)(4)(5)(6)");
    }

    #[test]
    fn circles_and_doubles_are_cut() {
        let mails = [
            mail(1, "a", "x", "y"),
            mail(2, "b", "y", "x"),
            mail(3, "c", "x", ""),
            mail(4, "d", "z", "z z"),
        ];
        assert_eq!(told(Threading::Refs, &mails), "(2 1)(3)(4)");
    }

    #[test]
    fn a_deep_thread_is_told() {
        let mails: Vec<Mail> = (1..=20_000u32)
            .rev()
            .map(|n| mail(n, "", &n.to_string(), &(n - 1).to_string()))
            .collect();
        assert!(told(Threading::References, &mails).starts_with("(1 2 3 4 "));
    }

    proptest! {
        #[test]
        fn each_message_is_told_once(
            seeds in proptest::collection::vec((0u8..6, proptest::collection::vec(0u8..9, 0..4), 0u8..4), 0..12)
        ) {
            let mails: Vec<Mail> = seeds
                .iter()
                .zip(1..)
                .map(|((id, references, subject), number)| {
                    let references: Vec<String> = references.iter().map(u8::to_string).collect();
                    let subject = ["", "Re: a", "a", "b"][usize::from(*subject)];
                    mail(number, subject, &id.to_string(), &references.join(" "))
                })
                .collect();
            for algorithm in [Threading::OrderedSubject, Threading::References, Threading::Refs] {
                let text = told(algorithm, &mails);
                let mut numbers: Vec<u32> = text
                    .split(|c: char| !c.is_ascii_digit())
                    .filter_map(|number| number.parse().ok())
                    .collect();
                numbers.sort_unstable();
                let all: Vec<u32> = mails.iter().map(|mail| mail.number).collect();
                prop_assert_eq!(&numbers, &all, "{:?} {}", algorithm, text);
            }
        }
    }
}
