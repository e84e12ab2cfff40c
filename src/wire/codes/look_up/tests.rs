//! What words lead to, and that no table lacks a row that the standards have.

use std::collections::BTreeSet;

use super::*;
use crate::wire::codes::{Lang, Protocol, RowText};

fn codes(word: &str) -> Vec<&'static str> {
    let hits = shape(word).hits;
    hits.into_iter().map(name).collect()
}

fn name(hit: Hit) -> &'static str {
    match hit {
        Hit::Entry(entry) => entry.code,
        Hit::Command(command) => command.verb,
        Hit::Service(service) => service.name,
    }
}

#[test]
fn words_as_they_are_typed() {
    assert_eq!(codes("550"), ["550"]);
    assert_eq!(codes("5.1.1"), ["X.1.1"]);
    assert_eq!(codes("4.7.30"), ["X.7.30"]);
    assert_eq!(codes("x4x"), Vec::<&str>::new());
    assert_eq!(codes("21x"), ["211", "214"]);
    assert_eq!(codes("3"), ["334", "354", "355"]);
    assert_eq!(codes("5.5"), codes("x.5.x"));
    assert_eq!(codes("5.5").len(), 7);
    assert_eq!(codes("smtp"), ["smtp"]);
    assert_eq!(codes("smtps"), ["submissions"]);
    assert_eq!(codes("25"), ["smtp"]);
    assert_eq!(codes("587"), ["submission"]);
    assert_eq!(codes("no"), ["NO"]);
    assert_eq!(codes("-err"), ["-ERR"]);
    assert_eq!(codes("[uidvalidity 7]"), ["UIDVALIDITY"]);
    assert_eq!(codes("[NO]"), Vec::<&str>::new());
    // One word, four times: POP3's response code, the commands of SMTP and POP3, and MAIL's parameter.
    assert_eq!(codes("auth"), ["AUTH", "AUTH", "AUTH", "AUTH"]);
    assert_eq!(codes("8bitmime"), ["8BITMIME"]);
    assert_eq!(codes("scram-sha-256-plus"), ["SCRAM-SHA-256-PLUS"]);
    // A parameter of SMTP, a command of IMAP and its capability.
    assert_eq!(codes("NOTIFY"), ["NOTIFY", "NOTIFY", "NOTIFY"]);
    assert_eq!(codes("Retr"), ["RETR"]);
}

#[test]
fn what_is_no_word() {
    let strangers = [
        "",
        "559",
        "199",
        "999",
        "x",
        "xxx",
        "5501",
        "5.9.1",
        "3.1.1",
        "5.1.99",
        "5.1.1.1",
        "5..1",
        "5.1111.1",
        "99999999999999999999",
        "65536",
        "é50",
        "[",
        "[]",
        "[é",
        "5.é.1",
        "\u{0}",
    ];
    for stranger in strangers {
        assert_eq!(find(stranger), None, "{stranger:?}");
        // Must not panic, and must not answer with a flood.
        assert!(nearest(stranger, 3).len() <= 3);
    }
}

#[test]
fn the_nearest_words() {
    assert_eq!(nearest("557", 3), ["556", "555", "554"]);
    assert_eq!(nearest("422x", 1), Vec::<String>::new());
    assert_eq!(nearest("5.7.99", 2), ["5.7.30", "5.7.29"]);
    assert_eq!(nearest("4.2.9", 1), ["4.2.4"]);
    assert_eq!(nearest("RCTP", 1), ["RCPT"]);
    assert_eq!(nearest("TRYCREAT", 1), ["[TRYCREATE]"]);
    assert_eq!(nearest("imapss", 1), ["imaps"]);
    assert_eq!(nearest("quux-nothing-like-it", 3), Vec::<String>::new());
}

#[test]
fn digits_are_explained_even_where_the_code_is_unknown() {
    let drawn = |word| -> Vec<String> { digits_of(word).into_iter().map(|row| row.0).collect() };
    assert_eq!(drawn("559"), ["5..", ".5."]);
    assert_eq!(drawn("x5x"), [".5."]);
    assert_eq!(drawn("5.7"), ["5.x.x", "x.7.x"]);
    assert_eq!(drawn("199"), Vec::<String>::new());
    let class = digits::find(digits::REPLY_CLASS, 4).expect("4 is a class");
    assert!(class.meaning.en.contains("for now") && class.meaning.fr.contains("provisoire"));
}

/// Every word that is listed anywhere is found again, and under its own name.
#[test]
fn every_row_can_be_found() {
    let mut rows = 0;
    for entry in entries(smtp::REPLIES) {
        assert_eq!(codes(entry.code), [entry.code]);
        rows += 1;
    }
    for entry in entries(enhanced::STATUSES) {
        assert_eq!(codes(&entry.code.replacen('X', "5", 1)), [entry.code]);
        rows += 1;
    }
    for word in words() {
        let bare = word.trim_matches(['[', ']']);
        assert!(codes(&word).contains(&bare), "{word}");
        rows += 1;
    }
    assert!(rows > 420, "{rows}");
}

/// Sorted by number, none twice, no text empty, every section cited in the one form.
#[test]
fn the_tables_are_in_order() {
    let numbers = |code: &str| -> Vec<u16> {
        code.split('.')
            .filter_map(|number| number.parse().ok())
            .collect()
    };
    for tables in [smtp::REPLIES, enhanced::STATUSES] {
        let order: Vec<Vec<u16>> = entries(tables).map(|row| numbers(row.code)).collect();
        assert!(order.is_sorted_by(|a, b| a < b));
    }
    for table in imap::CODES.iter().chain(&OTHERS[1..]) {
        assert!(table.is_sorted_by(|a, b| a.code < b.code));
    }
    let all = entries(smtp::REPLIES)
        .chain(entries(enhanced::STATUSES))
        .chain(entries(&[pop3::STATUSES, pop3::CODES, imap::STATUSES]))
        .chain(entries(OTHERS))
        .chain(entries(imap::CODES));
    for row in all {
        for text in [row.meaning, row.sent, row.next].map(RowText::both) {
            for text in [text.en, text.fr] {
                assert!(text.ends_with(['.', '!']), "{}: {text}", row.code);
                assert!(!text.contains("  "), "{}: {text}", row.code);
            }
            assert_ne!(text.en, text.fr, "{}", row.code);
            // French sets a space before its high punctuation, English none.
            assert!(!text.en.contains(" ;") && !text.en.contains(" : "));
            assert!(!text.fr.replace(" ;", "").contains(';'), "{}", text.fr);
        }
        cited(row.section);
    }
    for command in COMMANDS.iter().copied().flatten() {
        cited(command.section);
        assert_ne!(command.meaning.of(Lang::En), command.meaning.of(Lang::Fr));
        let lines = command.example.lines();
        assert!(lines.clone().count() > 0);
        for line in lines {
            assert!(line.starts_with("C: ") || line.starts_with("S: "), "{line}");
            assert!(line.chars().count() <= 66, "{line}");
        }
    }
    for service in SERVICES {
        cited(service.section);
    }
}

/// `RFC 5321 §4.2.3, §3.4, RFC 1870 §6`; some RFCs are short enough to be cited whole.
fn cited(section: &str) {
    for part in section.split(", ") {
        let number = part
            .strip_prefix("RFC ")
            .and_then(|rest| rest.split(" §").next())
            .unwrap_or("1");
        let is_rfc = part.starts_with("RFC ") && number.parse::<u16>().is_ok();
        let is_right = is_rfc || part.starts_with('§') || part.starts_with("IANA ");
        assert!(is_right, "{section}");
    }
}

/// The lists of the standards, as they stand there.
#[test]
fn no_reply_code_is_missing() {
    // RFC 5321 §4.2.3
    let base = "211 214 220 221 250 251 252 354 421 450 451 452 455 500 501 502 503 504 550 551 552 553 554 555";
    // RFC 1845, 1985, 2645, 3207, 4954, 5248 §2.4, 7504
    let more = "355 253 458 459 453 454 235 334 432 530 534 535 538 422 523 524 525 521 556";
    complete(base.split(' ').chain(more.split(' ')), smtp::REPLIES);
}

#[test]
fn no_enhanced_status_code_is_missing() {
    // How many details each subject has: the IANA registry, which began with RFC 3463 §3.
    let details = [0, 10, 4, 6, 7, 6, 10, 30];
    let registry: Vec<String> = details
        .into_iter()
        .enumerate()
        .flat_map(|(subject, last)| (0..=last).map(move |detail| format!("X.{subject}.{detail}")))
        .collect();
    complete(registry.iter().map(String::as_str), enhanced::STATUSES);
}

#[test]
fn no_response_code_is_missing() {
    // RFC 2449 §8, RFC 3206, RFC 6856 §5
    complete(
        "LOGIN-DELAY IN-USE SYS/TEMP SYS/PERM AUTH UTF8".split(' '),
        &[pop3::CODES],
    );
    complete("OK NO BAD BYE PREAUTH * +".split(' '), &[imap::STATUSES]);
    // RFC 9051 §7.1, which took RFC 5530 and RFC 4315 in
    let revision2 = "ALERT ALREADYEXISTS APPENDUID AUTHENTICATIONFAILED AUTHORIZATIONFAILED BADCHARSET CANNOT CAPABILITY \
                     CLIENTBUG CLOSED CONTACTADMIN COPYUID CORRUPTION EXPIRED EXPUNGEISSUED HASCHILDREN INUSE LIMIT \
                     NONEXISTENT NOPERM OVERQUOTA PARSE PERMANENTFLAGS PRIVACYREQUIRED READ-ONLY READ-WRITE SERVERBUG \
                     TRYCREATE UIDNEXT UIDNOTSTICKY UIDVALIDITY UNAVAILABLE UNKNOWN-CTE";
    // RFC 2060 and 3501 §7.1; then one extension each, in the order of their numbers
    let others = "NEWNAME UNSEEN REFERRAL URLMECH TEMPFAIL BADURL TOOBIG COMPRESSIONACTIVE NOTSAVED BADCOMPARATOR ANNOTATE \
                  ANNOTATIONS MAXCONVERTMESSAGES MAXCONVERTPARTS NOUPDATE METADATA NOTIFICATIONOVERFLOW BADEVENT \
                  UNDEFINED-FILTER USEATTR HIGHESTMODSEQ NOMODSEQ MODIFIED MAILBOXID INPROGRESS UIDREQUIRED JMAPACCESS \
                  MESSAGELIMIT DOWNGRADED";
    complete(revision2.split(' ').chain(others.split(' ')), imap::CODES);
}

#[test]
fn no_data_of_imap_is_missing() {
    // RFC 9051 §7.2 to §7.5 and RFC 3501 §7.2, §7.3; then RFC 2971, 4314, 4467, 5255, 5256, 5259, 5464, 7162, 9208, 9698
    let revisions = "ENABLED CAPABILITY LIST NAMESPACE STATUS ESEARCH FLAGS EXISTS EXPUNGE FETCH LSUB SEARCH RECENT";
    let others = "ID ACL SORT THREAD VANISHED QUOTA QUOTAROOT COMPARATOR CONVERSION CONVERTED GENURLAUTH JMAPACCESS LANGUAGE \
                  LISTRIGHTS METADATA MYRIGHTS URLFETCH";
    complete(
        revisions.split(' ').chain(others.split_whitespace()),
        &[imap::DATA],
    );
}

#[test]
fn no_extension_of_the_server_is_missing() {
    // IANA mail-parameters, without those that are the names of their commands; and Postfix's own.
    complete(
        "8BITMIME BINARYMIME CHUNKING DELIVERBY DSN ENHANCEDSTATUSCODES FUTURERELEASE LIMITS MT-PRIORITY PIPELINING \
         REQUIRETLS SIZE SMTPUTF8 CHECKPOINT CONNEG CONPERM MTRK NO-SOLICITING ONEX RRVS SUBMITTER UTF8SMTP VERB XFORWARD"
            .split_whitespace(),
        &[extensions::KEYWORDS, extensions::RARE_KEYWORDS],
    );
    complete(
        "AUTH BODY BY ENVID HOLDFOR HOLDUNTIL NOTIFY ORCPT RET ALT-ADDRESS SOLICIT TRANSID"
            .split(' '),
        &[extensions::PARAMETERS, extensions::RARE_PARAMETERS],
    );
    complete(
        "CRAM-MD5 LOGIN OAUTHBEARER PLAIN SCRAM-SHA-256 SCRAM-SHA-256-PLUS XOAUTH2 ANONYMOUS DIGEST-MD5 EAP-AES128 \
         EXTERNAL GS2-KRB5 GSS-SPNEGO GSSAPI KERBEROS_V4 NTLM OTP SAML20 SCRAM-SHA-1 SCRAM-SHA-1-PLUS SECURID SKEY"
            .split_whitespace(),
        &[extensions::MECHANISMS, extensions::RARE_MECHANISMS],
    );
}

#[test]
fn no_capability_is_missing() {
    // IANA pop3-extension-mechanism
    complete(
        "TOP USER SASL RESP-CODES LOGIN-DELAY PIPELINING EXPIRE UIDL IMPLEMENTATION AUTH-RESP-CODE STLS UTF8 LANG".split(' '),
        &[capabilities::POP3],
    );
    // IANA imap-capabilities, without what is obsolete; a word whose rest the server chooses up to there.
    complete(
        "ACL ANNOTATE-EXPERIMENT-1 APPENDLIMIT AUTH= BINARY CATENATE CHILDREN COMPRESS=DEFLATE CONDSTORE CONTEXT= CONVERT \
         CREATE-SPECIAL-USE ENABLE ESEARCH ESORT FILTERS I18NLEVEL= ID IDLE IMAP4rev1 IMAP4rev2 IMAPSIEVE= INPROGRESS \
         JMAPACCESS LANGUAGE LIST-EXTENDED LIST-METADATA LIST-MYRIGHTS LIST-STATUS LITERAL+ LITERAL- LOGIN-REFERRALS \
         LOGINDISABLED MAILBOX-REFERRALS MESSAGELIMIT= METADATA METADATA-SERVER MOVE MULTIAPPEND MULTISEARCH NAMESPACE \
         NOTIFY OBJECTID PARTIAL PREVIEW QRESYNC QUOTA QUOTA=RES- QUOTASET REPLACE RIGHTS= SASL-IR SAVEDATE SAVELIMIT= \
         SEARCH=FUZZY SEARCHRES SORT SORT=DISPLAY SPECIAL-USE STARTTLS STATUS=SIZE THREAD= UIDBATCHES UIDONLY UIDPLUS \
         UNAUTHENTICATE UNSELECT URL-PARTIAL URLAUTH URLAUTH=BINARY UTF8=ACCEPT UTF8=ONLY WITHIN"
            .split_whitespace(),
        capabilities::IMAP,
    );
    assert_eq!(codes("AUTH=SCRAM-SHA-256"), ["AUTH=", "SCRAM-SHA-256"]);
    assert_eq!(codes("thread=refs"), ["THREAD="]);
    assert_eq!(codes("APPENDLIMIT=35651584"), ["APPENDLIMIT"]);
    assert_eq!(codes("QUOTA=RES-STORAGE"), ["QUOTA=RES-"]);
    assert_eq!(codes("LITERAL+"), ["LITERAL+"]);
    assert_eq!(codes("="), Vec::<&str>::new());
}

#[test]
fn no_command_is_missing() {
    let smtp = "HELO EHLO LHLO MAIL RCPT DATA BDAT RSET NOOP QUIT VRFY EXPN HELP STARTTLS AUTH ETRN ATRN TURN XCLIENT \
                BURL SEND SOML SAML";
    let pop3 =
        "USER PASS APOP AUTH STAT LIST UIDL TOP RETR DELE RSET LAST NOOP QUIT CAPA STLS UTF8 LANG";
    // RFC 9051 §6 and what RFC 3501 §6 had besides, then extensions
    let imap = "CAPABILITY NOOP LOGOUT STARTTLS AUTHENTICATE LOGIN ENABLE SELECT EXAMINE CREATE DELETE RENAME SUBSCRIBE \
                UNSUBSCRIBE LIST NAMESPACE STATUS APPEND IDLE CLOSE UNSELECT EXPUNGE SEARCH FETCH STORE COPY MOVE UID \
                LSUB CHECK ID DONE SORT THREAD GETQUOTA GETQUOTAROOT SETQUOTA GETACL SETACL DELETEACL LISTRIGHTS MYRIGHTS \
                GETMETADATA SETMETADATA COMPRESS NOTIFY REPLACE UNAUTHENTICATE CANCELUPDATE COMPARATOR CONVERSIONS CONVERT \
                ESEARCH GENURLAUTH GETJMAPACCESS LANGUAGE RESETKEY RLIST RLSUB URLFETCH";
    let lists = [
        (Protocol::Smtp, smtp),
        (Protocol::Pop3, pop3),
        (Protocol::Imap, imap),
    ];
    for (protocol, list) in lists {
        let commands = COMMANDS.iter().copied().flatten();
        let have: Vec<&str> = commands
            .filter(|command| command.protocol == protocol)
            .map(|command| command.verb)
            .collect();
        let want: BTreeSet<&str> = list.split_whitespace().collect();
        assert_eq!(have.iter().copied().collect::<BTreeSet<&str>>(), want);
        assert_eq!(have.len(), want.len(), "a command stands twice");
    }
}

#[test]
fn nothing_is_near_a_word_that_never_ends() {
    let word = "RETR".repeat(100_000);
    assert_eq!(nearest(&word, 3), Vec::<String>::new());
    assert_eq!(nearest(&format!("[{word}]"), 3), Vec::<String>::new());
}

#[test]
fn the_ports_of_mail() {
    let ports: Vec<(&str, Option<u16>)> = SERVICES.iter().map(|row| (row.name, row.port)).collect();
    let expected = [
        ("smtp", Some(25)),
        ("pop3", Some(110)),
        ("imap", Some(143)),
        ("submissions", Some(465)),
        ("submission", Some(587)),
        ("imaps", Some(993)),
        ("pop3s", Some(995)),
        ("lmtp", None),
    ];
    assert_eq!(ports, expected);
    assert!(SERVICES.iter().all(|row| row.transport == "tcp"));
}

fn complete<'a>(list: impl Iterator<Item = &'a str>, tables: &'static [&'static [Entry]]) {
    let want: BTreeSet<&str> = list.filter(|word| !word.is_empty()).collect();
    let have: Vec<&str> = entries(tables).map(|entry| entry.code).collect();
    assert_eq!(have.iter().copied().collect::<BTreeSet<&str>>(), want);
    assert_eq!(have.len(), want.len(), "a code stands twice");
}
