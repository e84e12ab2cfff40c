"""Python's smtplib, poplib and imaplib against a server in which things go wrong on purpose: faults.py CA SMTP SMTPS POP3 IMAP IMAPS."""

import imaplib
import poplib
import smtplib
import socket
import ssl
import sys
import time

authority = sys.argv[1]
smtp, smtps, pop3, imap, imaps = map(int, sys.argv[2:])
tls = ssl.create_default_context(cafile=authority)
host = "localhost"
text = "Subject: hello\r\n\r\none line\r\n"


def fails(kind, do, *words):
    try:
        do(*words)
    except kind as error:
        return error
    raise SystemExit(f"{do} {words} went well")


def client():
    return smtplib.SMTP(host, smtp, local_hostname="pc1.example", timeout=60)


# SMTP: a recipient who is busy twice, then taken
for _ in range(2):
    with client() as one:
        error = fails(smtplib.SMTPRecipientsRefused, one.sendmail, "bob@localhost", ["alice@localhost"], text)
        assert error.recipients == {"alice@localhost": (450, b"4.2.0 busy")}, error.recipients
with client() as one:
    assert one.sendmail("bob@localhost", ["alice@localhost"], text) == {}

# One recipient of two is refused by its name, and the library goes on with the other
with client() as one:
    refused = one.sendmail("bob@localhost", ["rcptto-carol550@localhost", "bob@localhost"], text)
    assert refused["rcptto-carol550@localhost"][0] == 550, refused

# A message that is refused when it is whole; one that is lost though the reply says otherwise
with client() as one:
    error = fails(smtplib.SMTPDataError, one.sendmail, "refused@localhost", ["bob@localhost"], text)
    assert error.smtp_code == 554 and error.smtp_error == b"5.6.0 not that one", error
with client() as one:
    assert one.sendmail("lost@localhost", ["bob@localhost"], text) == {}

# The reply to a message is lost with the connection: the library cannot know that it was taken
one = client()
fails(smtplib.SMTPServerDisconnected, one.sendmail, "twice@localhost", ["bob@localhost"], text)

# The connection breaks while the text comes in
one = client()
fails((smtplib.SMTPServerDisconnected, OSError), one.sendmail, "cut@localhost", ["bob@localhost"], text * 20000)

# A capability that is not told of
with client() as one:
    one.ehlo()
    assert not one.has_extn("size") and one.has_extn("pipelining"), one.esmtp_features
    assert "starttls" in one.esmtp_features

# A login that fails for now
with client() as one:
    error = fails(smtplib.SMTPAuthenticationError, one.login, "alice", "alice")
    assert error.smtp_code == 454, error

# The full disk
with client() as one:
    error = fails(smtplib.SMTPSenderRefused, one.sendmail, "full@localhost", ["bob@localhost"], text)
    assert error.smtp_code == 452 and error.smtp_error.startswith(b"4.3.1 "), error

# Garbage is no reply
with client() as one:
    assert one.docmd("EXPN", "x")[0] == -1
    assert one.noop()[0] == 250

# A slow command: a client without patience gives up, one with some is answered
with client() as one:
    one.sock.settimeout(0.2)
    fails(smtplib.SMTPServerDisconnected, one.docmd, "VRFY", "alice")
one = client()
begun = time.monotonic()
assert one.docmd("VRFY", "alice")[0] == 252
assert time.monotonic() - begun > 0.9
one.quit()

# Certificates: expired, for somebody else, by nobody; a handshake that fails. Each once, then the good one
for why in ("certificate has expired", "Hostname mismatch", "self-signed certificate", "alert"):
    error = fails(ssl.SSLError, lambda: smtplib.SMTP_SSL(host, smtps, context=tls, timeout=60))
    assert why.replace("-", " ").lower() in str(error).replace("-", " ").lower(), (why, error)
smtplib.SMTP_SSL(host, smtps, context=tls, timeout=60).quit()


# POP3
def maildrop(user):
    one = poplib.POP3(host, pop3, timeout=60)
    one.user(user)
    one.pass_(user)
    return one


error = fails(poplib.error_proto, maildrop, "bob")
assert "[IN-USE]" in str(error), error
one = maildrop("bob")
count, octets = one.stat()
assert len(one.list()[1]) == count - 5, (count, one.list())
_, lines, size = one.retr(1)
assert lines[-1] == b"o", lines
assert "[SYS/TEMP]" in str(fails(poplib.error_proto, one.dele, 1))
fails((poplib.error_proto, EOFError, OSError), one.top, 1, 0)
one = maildrop("alice")
assert "UIDL" not in one.capa() and "TOP" in one.capa()
assert one.retr(1)[1][-1] == b"one line"
one.quit()

# IMAP
one = imaplib.IMAP4(host, imap, timeout=60)
assert "IDLE" not in one.capabilities and "MOVE" in one.capabilities, one.capabilities
assert "[UNAVAILABLE]" in str(fails(one.error, one.login, "bob", "bob"))
one.login("bob", "bob")
status, [count] = one.select("INBOX")
assert status == "OK"
assert one.status("INBOX", "(MESSAGES)")[1] != [b"INBOX (MESSAGES %s)" % count]
assert one.append("INBOX", None, None, text.encode()) == ("NO", [b"[OVERQUOTA] No room left on this server's disk; try again later"])
assert one.append("INBOX", None, None, text.encode())[0] == "OK"
assert one.create("box") == ("NO", [b"A fault, made on purpose"])
# A literal that is shorter than it says: what follows it is taken for its end
status, data = one.fetch("1", "(BODY.PEEK[] UID)")
assert data[0][1].endswith(b"one  UID 1"), data
one = imaplib.IMAP4(host, imap, timeout=60)
one.login("bob", "bob")
fails((one.abort, OSError), one.noop)
one = imaplib.IMAP4_SSL(host, imaps, ssl_context=tls, timeout=60)
one.login("alice", "alice")
error = fails((one.abort, one.error), one.check)
one.sock.close()

# A slow greeting
begun = time.monotonic()
late = socket.create_connection((host, imap), timeout=60)
assert late.recv(100).startswith(b"* OK ")
assert time.monotonic() - begun > 0.9
print("all as it was asked for")
