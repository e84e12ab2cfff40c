//! When a reply is complete, in each protocol.

use super::*;

#[test]
fn smtp_waits_for_each_reply_but_not_within_the_text() {
    let ending = play(
        &options(None, Keyboard::Other),
        "EHLO pc1\nMAIL FROM:<a@example.org>\r\nRCPT TO:<b@example.org>\nDATA\nSubject: x\n\n??? no instruction\n>>> nor this\n..\n.\nQUIT\n",
        &[
            ("220-wait for it\r\n", ""),
            ("220 mail ESMTP\r\n", "EHLO pc1\r\n"),
            ("250-mail\r\n250-SIZE\r\n", ""),
            ("250 HELP\r\n", "MAIL FROM:<a@example.org>\r\n"),
            ("250 ok\r\n", "RCPT TO:<b@example.org>\r\n"),
            ("250 ok\r\n", "DATA\r\n"),
            (
                "354 go\r\n",
                "Subject: x\r\n\r\n??? no instruction\r\n>>> nor this\r\n..\r\n.\r\n",
            ),
            ("250 taken\r\n", "QUIT\r\n"),
            ("221 bye\r\n", ""),
        ],
    );
    assert_eq!(ending, Ending::Done);
}

#[test]
fn smtp_asks_for_answers_and_chunks() {
    let ending = play(
        &script(Protocol::Smtp),
        "AUTH LOGIN\nYQ==\nYg==\nBDAT 7\nabc\nde\nBDAT 0 LAST\nRSET",
        &[
            ("220 hi\r\n", "AUTH LOGIN\r\n"),
            ("334 VXNlcm5hbWU6\r\n", "YQ==\r\n"),
            ("334 UGFzc3dvcmQ6\r\n", "Yg==\r\n"),
            // The chunk goes without waiting; what is behind it on its line is a command.
            ("235 in\r\n", "BDAT 7\r\nabc\r\nde"),
            ("250 7 octets\r\n", "\r\n"),
            ("500 what?\r\n", "BDAT 0 LAST\r\n"),
            ("250 taken\r\n", "RSET\r\n"),
            ("250 ok\r\n", ""),
        ],
    );
    assert_eq!(ending, Ending::Done);
}

#[test]
fn lmtp_answers_for_each_recipient() {
    let ending = play(
        &options(None, Keyboard::Other),
        "LHLO a\nMAIL FROM:<>\nRCPT TO:<b>\nRCPT TO:<c>\nRCPT TO:<d>\nDATA\nx\n.\nMAIL FROM:<>\nRCPT TO:<b>\nRCPT TO:<c>\nBDAT 3 LAST\ny\nNOOP\n",
        &[
            ("220 hi\r\n", "LHLO a\r\n"),
            ("250 a\r\n", "MAIL FROM:<>\r\n"),
            ("250 a\r\n", "RCPT TO:<b>\r\n"),
            ("250 b\r\n", "RCPT TO:<c>\r\n"),
            ("550 c\r\n", "RCPT TO:<d>\r\n"),
            ("250 d\r\n", "DATA\r\n"),
            ("354 go\r\n", "x\r\n.\r\n"),
            ("250 b\r\n", ""),
            ("452 d\r\n", "MAIL FROM:<>\r\n"),
            ("250 a\r\n", "RCPT TO:<b>\r\n"),
            ("250 b\r\n", "RCPT TO:<c>\r\n"),
            ("250 c\r\n", "BDAT 3 LAST\r\ny\r\n"),
            ("250 b\r\n", ""),
            ("250 c\r\n", "NOOP\r\n"),
            ("250\r\n", ""),
        ],
    );
    assert_eq!(ending, Ending::Done);
}

#[test]
fn pop3_knows_which_replies_are_long() {
    let ending = play(
        &options(None, Keyboard::Other),
        "USER a\nPASS b\nLIST\nLIST 1\nUIDL 2\nRETR 1\nTOP 1 0\nAUTH PLAIN\nAGEAYg==\nQUIT\n",
        &[
            ("+OK hi <1@a>\r\n", "USER a\r\n"),
            ("+OK\r\n", "PASS b\r\n"),
            ("+OK\r\n", "LIST\r\n"),
            ("+OK 1\r\n1 20\r\n", ""),
            (".\r\n", "LIST 1\r\n"),
            ("+OK 1 20\r\n", "UIDL 2\r\n"),
            ("-ERR none\r\n", "RETR 1\r\n"),
            (
                "+OK 20 octets\r\n+OK in the text\r\n-ERR\r\n..\r\n.x\r\n",
                "",
            ),
            (".\r\n", "TOP 1 0\r\n"),
            ("+OK\r\n\r\n.\r\n", "AUTH PLAIN\r\n"),
            ("+ \r\n", "AGEAYg==\r\n"),
            ("+OK in\r\n", "QUIT\r\n"),
            ("+OK bye\r\n", ""),
        ],
    );
    assert_eq!(ending, Ending::Done);
}

#[test]
fn imap_has_tags_literals_and_idle() {
    let ending = play(
        &options(None, Keyboard::Other),
        "LOGIN a {3}\nb c\nx9 CREATE {3+}\nbox {2}\n??\nA7 SELECT box\nFETCH 1 BODY[]\nIDLE\nDONE\nLOGOUT\n",
        &[
            ("* OK hi\r\n", "A1 LOGIN a {3}\r\n"),
            ("+ go\r\n", "b c\r\n"),
            ("A1 OK in\r\n", "x9 CREATE {3+}\r\nbox {2}\r\n"),
            ("+\r\n", "??\r\n"),
            ("* 1 EXISTS\r\nx9 NO no\r\n", "A7 SELECT box\r\n"),
            ("* FLAGS (\\Seen)\r\nx9 OK not this one\r\n", ""),
            ("A7 OK [READ-WRITE] done\r\n", "A8 FETCH 1 BODY[]\r\n"),
            ("* 1 FETCH (BODY[] {12}\r\nA8 OK no\r\n+\r", ""),
            (")\r\nA8 OK done\r\n", "A9 IDLE\r\n"),
            // The script does not wait within IDLE; +++ would.
            ("+ idling\r\n", "DONE\r\n"),
            ("* 2 EXISTS\r\nA9 OK done\r\n", "A10 LOGOUT\r\n"),
            ("* BYE\r\nA10 OK\r\n", ""),
        ],
    );
    assert_eq!(ending, Ending::Done);
}

#[test]
fn ftp_has_replies_before_replies() {
    let ending = play(
        &options(None, Keyboard::Other),
        "USER a\nLIST\nAUTH TLS\nQUIT\n",
        &[
            ("220 hi\r\n", "USER a\r\n"),
            ("331 who?\r\n", "LIST\r\n"),
            ("150-here\r\n150 it comes\r\n", ""),
            ("226 done\r\n", "AUTH TLS\r\n"),
            ("234 go\r\n", ""),
            (TLS, "QUIT\r\n"),
            ("221 bye\r\n", ""),
        ],
    );
    assert_eq!(ending, Ending::Done);
}
