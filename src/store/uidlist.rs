//! `dovecot-uidlist`, version 3: which UID a message has, by the base of its file name.
//!
//! ```text
//! 3 V1764000000 N8 G1f0a...                            version, UIDVALIDITY, next UID, the mailbox's GUID
//! 5 W1250 S1234 :1764000000.M123456P42Q7.host          UID, fields of Dovecot's (kept as they are), base name
//! 7 :1764000001.M000001P42Q8.host,S=1,W=1
//! ```
//!
//! Written as a whole by replacing the file, or lines appended at its end; both under `dovecot-uidlist.lock`. `N` may lag
//! behind appended lines, and never goes down. What is kept, however damaged a file is: reading never fails nor
//! panics, every line that can be read keeps its UID, UIDs ascend, no UID that stands anywhere in the file is given
//! to another message.

use std::collections::HashSet;
use std::fmt::Write;

/// The file's name in a mailbox.
pub(super) const FILE: &str = "dovecot-uidlist";

/// What the file says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct UidList {
    /// 0: there is none yet.
    pub(super) validity: u32,
    /// Above every UID ever given, while that fits into 32 bits.
    pub(super) next: u32,
    /// 32 hexadecimal digits, or empty.
    pub(super) guid: String,
    /// Other fields of the header, kept.
    pub(super) more: String,
    /// By ascending UID, no base twice.
    pub(super) records: Vec<Record>,
    /// Whether lines may be appended: else the file must be written anew.
    pub(super) may_append: bool,
}

/// A line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Record {
    pub(super) uid: u32,
    /// `W1250 S1234`, as it stands.
    pub(super) fields: Box<str>,
    pub(super) base: Box<str>,
}

impl Record {
    /// The field `S`: octets of the file.
    pub(super) fn octets(&self) -> Option<u64> {
        self.fields
            .split(' ')
            .find_map(|field| field.strip_prefix('S')?.parse().ok())
    }
    /// Octets with CRLF line ends, when a field says so.
    pub(super) fn size(&self) -> Option<u64> {
        self.fields
            .split(' ')
            .find_map(|field| field.strip_prefix('W')?.parse().ok())
    }
    fn write(&self, text: &mut String) {
        let space = if self.fields.is_empty() { "" } else { " " };
        // Writing into a String cannot fail.
        let _ = writeln!(text, "{}{space}{} :{}", self.uid, self.fields, self.base);
    }
}

impl UidList {
    /// Reads a file, whatever is in it.
    pub(super) fn parse(bytes: &[u8]) -> Self {
        let mut list = Self {
            next: 1,
            may_append: bytes.ends_with(b"\n"),
            ..Self::default()
        };
        let mut lines = bytes.split(|&byte| byte == b'\n');
        let version = list.parse_header(lines.next().unwrap_or_default());
        for line in lines.filter(|line| !line.is_empty()) {
            match parse_line(line, version) {
                Ok(record) => list.records.push(record),
                Err(uid) => {
                    list.may_append = false;
                    list.next = list.next.max(uid.unwrap_or(0).saturating_add(1));
                }
            }
        }
        list.settle();
        list
    }

    /// The whole file.
    pub(super) fn render(&self) -> String {
        let mut text = format!("3 V{} N{} G{}", self.validity, self.next, self.guid);
        if !self.more.is_empty() {
            text.push(' ');
            text.push_str(&self.more);
        }
        text.push('\n');
        text + &render_lines(&self.records)
    }

    /// Gives the next UID to `base`; `None` when all 2^32 are used up.
    pub(super) fn give(&mut self, base: &str, size: Option<u64>) -> Option<u32> {
        let uid = self.next;
        self.next = uid.checked_add(1)?;
        self.records.push(Record {
            uid,
            fields: size
                .map_or_else(String::new, |size| format!("W{size}"))
                .into(),
            base: base.into(),
        });
        Some(uid)
    }

    /// Returns the version, 3 when it cannot be told.
    fn parse_header(&mut self, line: &[u8]) -> u32 {
        let line = String::from_utf8_lossy(line);
        let mut words = line.split(' ').filter(|word| !word.is_empty());
        let version = words.next().and_then(|word| word.parse().ok()).unwrap_or(3);
        if version == 1 {
            let mut number = || words.next().and_then(|word| word.parse().ok());
            self.validity = number().unwrap_or(0);
            self.next = number().unwrap_or(1).max(1);
            self.may_append = false;
            return version;
        }
        for word in words {
            let mut value = word.chars();
            let key = value.next();
            let value = value.as_str();
            match key {
                Some('V') => self.validity = value.parse().unwrap_or(0),
                Some('N') => self.next = value.parse().unwrap_or(1).max(1),
                Some('G') => value.clone_into(&mut self.guid),
                _ if self.more.is_empty() => word.clone_into(&mut self.more),
                _ => {
                    self.more.push(' ');
                    self.more.push_str(word);
                }
            }
        }
        if self.guid.len() != 32 || !self.guid.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            self.guid.clear();
        }
        self.may_append &= version == 3 && self.validity != 0 && !self.guid.is_empty();
        version
    }

    /// Puts the records into order. Of two lines with one UID the first counts; of two with one name the later UID.
    fn settle(&mut self) {
        let ascending = self.records.windows(2).all(|two| two[0].uid < two[1].uid);
        if !ascending {
            self.may_append = false;
            self.records.sort_by_key(|record| record.uid);
            self.records.dedup_by_key(|record| record.uid);
        }
        if let Some(last) = self.records.last() {
            self.next = self.next.max(last.uid.saturating_add(1));
        }
        let mut seen = HashSet::with_capacity(self.records.len());
        let twice: HashSet<u32> = self
            .records
            .iter()
            .rev()
            .filter(|record| !seen.insert(&*record.base))
            .map(|record| record.uid)
            .collect();
        if !twice.is_empty() {
            self.may_append = false;
            self.records.retain(|record| !twice.contains(&record.uid));
        }
    }
}

/// What is wrong with a file, and how often: what [`UidList::parse`] makes the best of.
pub(super) fn faults(bytes: &[u8]) -> Vec<(&'static str, u64)> {
    let mut head = UidList {
        may_append: true,
        ..UidList::default()
    };
    let mut lines = bytes.split(|&byte| byte == b'\n');
    let version = head.parse_header(lines.next().unwrap_or_default());
    let (mut unreadable, mut same_uid, mut descending, mut same_name) = (0, 0, 0, 0);
    let (mut uids, mut bases, mut last) = (HashSet::new(), HashSet::new(), 0);
    for line in lines.filter(|line| !line.is_empty()) {
        match parse_line(line, version) {
            Ok(record) => {
                same_uid += u64::from(!uids.insert(record.uid));
                descending += u64::from(record.uid < last);
                last = record.uid;
                same_name += u64::from(!bases.insert(record.base));
            }
            Err(_) => unreadable += 1,
        }
    }
    let mut faults = vec![
        ("lines that cannot be read in dovecot-uidlist", unreadable),
        ("UIDs that two messages have in dovecot-uidlist", same_uid),
        ("UIDs that do not ascend in dovecot-uidlist", descending),
        ("messages with two UIDs in dovecot-uidlist", same_name),
        (
            "torn last line in dovecot-uidlist",
            u64::from(!bytes.ends_with(b"\n")),
        ),
        (
            "damaged first line in dovecot-uidlist",
            u64::from(!head.may_append),
        ),
    ];
    faults.retain(|(_, count)| *count > 0);
    faults
}

/// Lines as they are appended.
pub(super) fn render_lines(records: &[Record]) -> String {
    let mut text = String::with_capacity(records.len() * 64);
    for record in records {
        record.write(&mut text);
    }
    text
}

/// A damaged line gives at least its UID, when that can be read.
fn parse_line(line: &[u8], version: u32) -> Result<Record, Option<u32>> {
    let space = line.iter().position(|&byte| byte == b' ');
    let (number, rest) = line.split_at(space.unwrap_or(line.len()));
    let uid = std::str::from_utf8(number)
        .ok()
        .and_then(|number| number.parse::<u32>().ok())
        .filter(|&uid| uid != 0);
    let damaged = Err(uid);
    let (Some(uid), Ok(rest)) = (uid, std::str::from_utf8(rest)) else {
        return damaged;
    };
    let (fields, name) = if version == 1 {
        ("", rest.trim_start_matches(' '))
    } else {
        let Some((fields, name)) = rest.split_once(" :") else {
            return damaged;
        };
        (fields.trim_matches(' '), name)
    };
    // A name with info is one that a very old Dovecot wrote: the base is what counts.
    let base = super::names::base(name);
    if base.is_empty() || base.contains('/') {
        return damaged;
    }
    Ok(Record {
        uid,
        fields: fields.into(),
        base: base.into(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const GOOD: &str = "3 V1275660208 N25022 G3085f01b7f11094c501100008c4a11c1\n\
                        25006 :1276528487.M364837P9451.kurkku,S=1355,W=1394:2,\n\
                        25017 W2481 S2400 :1276533073.M242911P3632.kurkku\n";

    fn uids(list: &UidList) -> Vec<(u32, &str)> {
        list.records
            .iter()
            .map(|record| (record.uid, &*record.base))
            .collect()
    }

    #[test]
    fn what_dovecot_wrote_is_read_and_written_back() {
        let list = UidList::parse(GOOD.as_bytes());
        assert_eq!((list.validity, list.next), (1_275_660_208, 25_022));
        assert!(list.may_append);
        assert_eq!(
            uids(&list),
            [
                (25_006, "1276528487.M364837P9451.kurkku,S=1355,W=1394"),
                (25_017, "1276533073.M242911P3632.kurkku")
            ]
        );
        assert_eq!(list.records[0].size(), None);
        assert_eq!(list.records[1].size(), Some(2481));
        assert_eq!(list.render(), GOOD.replace(":2,", ""));
    }

    #[test]
    fn appended_lines_move_the_next_uid() {
        let list = UidList::parse(format!("{GOOD}25022 :new\n25030 :newer\n").as_bytes());
        assert_eq!(list.next, 25_031);
        assert!(list.may_append);
    }

    #[test]
    fn a_torn_end_is_not_appended_to() {
        let list = UidList::parse(format!("{GOOD}25022 :170").as_bytes());
        assert!(!list.may_append);
        assert_eq!(list.next, 25_023, "the UID may have been seen");
    }

    #[test]
    fn damage_loses_only_the_damaged_lines() {
        let list = UidList::parse(
            b"3 V7 N4 G3085f01b7f11094c501100008c4a11c1 Xkept\n\
              9 :nine\n2 :two\n2 :again\nx :bad\n\xff\xff\n5 no colon\n6 :\n12\n\
              4294967296 :much\n0 :zero\n8 :two\n",
        );
        assert_eq!(uids(&list), [(8, "two"), (9, "nine")]);
        assert_eq!((list.next, list.validity), (13, 7));
        assert_eq!(list.more, "Xkept");
        assert!(!list.may_append);
    }

    #[test]
    fn a_bad_header_keeps_the_uids() {
        let list = UidList::parse(b"garbage\n5 :five\n");
        assert_eq!((list.validity, list.next), (0, 6));
        assert_eq!(uids(&list), [(5, "five")]);
        assert!(!list.may_append);
    }

    #[test]
    fn version_1_is_read() {
        let list = UidList::parse(b"1 77 9\n5 five\n8 eight:2,S\n");
        assert_eq!((list.validity, list.next), (77, 9));
        assert_eq!(uids(&list), [(5, "five"), (8, "eight")]);
    }

    #[test]
    fn uids_run_out_without_wrapping() {
        let mut list = UidList::parse(b"3 V1 N1 G\n4294967295 :last\n");
        assert_eq!(list.next, u32::MAX);
        assert_eq!(list.give("more", None), None);
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            let list = UidList::parse(&bytes);
            prop_assert!(list.records.windows(2).all(|two| two[0].uid < two[1].uid));
            prop_assert!(list.records.iter().all(|record| record.uid < list.next || list.next == u32::MAX));
        }

        #[test]
        fn one_changed_byte_never_lowers_the_uids_of_other_lines(at in 59_usize..GOOD.len(), byte: u8) {
            let mut bytes = GOOD.as_bytes().to_vec();
            bytes[at] = byte;
            let (list, good) = (UidList::parse(&bytes), UidList::parse(GOOD.as_bytes()));
            let kept = good.records.iter().filter(|record| list.records.contains(record)).count();
            prop_assert!(kept >= good.records.len() - 2);
            prop_assert!(list.next >= good.next || list.validity != good.validity);
        }

        #[test]
        fn what_is_written_is_read_again(uids in proptest::collection::btree_set(1_u32..u32::MAX, 0..20)) {
            let mut list = UidList { validity: 3, next: 1, guid: "0".repeat(32), may_append: true, ..UidList::default() };
            for uid in uids {
                list.next = uid;
                list.give(&format!("{uid}.x,S=1"), uid.is_multiple_of(2).then_some(7));
            }
            prop_assert_eq!(UidList::parse(list.render().as_bytes()), list);
        }
    }
}
