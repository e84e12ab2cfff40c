"""Python's own mail libraries against a server: mail.py CA SMTP SUBMISSION SMTPS POP3 POP3S IMAP IMAPS."""

import imaplib
import poplib
import smtplib
import ssl
import sys
from email.message import EmailMessage

authority = sys.argv[1]
smtp, submission, smtps, pop3, pop3s, imap, imaps = map(int, sys.argv[2:])
tls = ssl.create_default_context(cafile=authority)
host = "localhost"


def message(subject):
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = "bob@localhost", "alice@localhost", subject
    mail.set_content("Grüße,\n.dot\n..two dots\n" + "long " * 300 + "\n")
    mail.add_attachment(bytes(range(256)) * 40, maintype="application", subtype="octet-stream", filename="every octet")
    return mail


def send(client, subject, login=True):
    if login:
        client.login("bob", "bob")
    assert client.send_message(message(subject)) == {}
    client.quit()


with smtplib.SMTP(host, smtp, timeout=20) as client:
    client.ehlo("client.example")
    for extension in ("size", "pipelining", "8bitmime", "enhancedstatuscodes", "starttls"):
        assert client.has_extn(extension), client.esmtp_features
    assert client.verify("alice")[0] == 252
    try:
        client.sendmail("bob@localhost", ["nobody@localhost"], "Subject: no\n\n")
        raise SystemExit("an unknown recipient was taken")
    except smtplib.SMTPRecipientsRefused as refused:
        assert refused.recipients["nobody@localhost"][0] == 550
        assert refused.recipients["nobody@localhost"][1].startswith(b"5.1.1 "), refused
    try:
        client.sendmail("bob@localhost", ["somebody@elsewhere.example"], "Subject: no\n\n")
        raise SystemExit("an open relay")
    except smtplib.SMTPRecipientsRefused as refused:
        assert refused.recipients["somebody@elsewhere.example"][1].startswith(b"5.7.1 "), refused
    try:
        client.login("bob", "wrong")
        raise SystemExit("a wrong password was right")
    except smtplib.SMTPAuthenticationError as refused:
        assert refused.smtp_code == 535 and refused.smtp_error.startswith(b"5.7.8 "), refused
    send(client, "one", login=False)
client = smtplib.SMTP(host, submission, timeout=20)
client.starttls(context=tls)
send(client, "two")
send(smtplib.SMTP_SSL(host, smtps, timeout=20, context=tls), "three")
print("smtplib ok")

for client in (
    poplib.POP3(host, pop3, timeout=20),
    poplib.POP3_SSL(host, pop3s, timeout=20, context=tls),
    poplib.POP3(host, pop3, timeout=20),
):
    if client.port == pop3:
        assert "STLS" in client.capa(), client.capa()
        client.stls(tls)
    client.user("alice")
    client.pass_("alice")
    count, octets = client.stat()
    listing = [tuple(map(int, line.split())) for line in client.list()[1]]
    assert count == 3 and [number for number, _ in listing] == [1, 2, 3], listing
    assert sum(size for _, size in listing) == octets
    for number, size in listing:
        lines = client.retr(number)[1]
        assert sum(len(line) + 2 for line in lines) == size
        assert b".dot" in lines or b"=2Edot" in lines or b"" in lines
    top = client.top(1, 0)[1]
    assert b"Subject: one" in top, top
    identifiers = {line.split()[1] for line in client.uidl()[1]}
    assert len(identifiers) == 3
    client.dele(3)
    client.rset()
    client.quit()
print("poplib ok")


def ok(answer):
    status, data = answer
    assert status == "OK", answer
    return data


for client in (
    imaplib.IMAP4(host, imap, timeout=20),
    imaplib.IMAP4_SSL(host, imaps, timeout=20, ssl_context=tls),
):
    if client.port == imap:
        ok(client.starttls(tls))
    try:
        client.login("alice", "wrong")
        raise SystemExit("a wrong password was right")
    except imaplib.IMAP4.error as refused:
        assert "AUTHENTICATIONFAILED" in str(refused), refused
    if client.port == imap:
        ok(client.login("alice", "alice"))
    else:
        ok(client.authenticate("PLAIN", lambda _: b"\0alice\0alice"))
    folder = "Lab/Gr&APwA3w-e" if client.port == imap else '"with spaces"'
    ok(client.create("Lab" if client.port == imap else "Other"))
    ok(client.create(folder))
    listed = ok(client.list())
    assert any(folder.strip('"').encode() in line for line in listed), listed
    ok(client.subscribe(folder))
    assert any(folder.strip('"').encode() in line for line in ok(client.lsub()))
    assert ok(client.select("INBOX")) == [b"3"]
    assert ok(client.search(None, "SUBJECT", '"two"')) == [b"2"]
    assert ok(client.search(None, "ALL")) == [b"1 2 3"]
    assert ok(client.uid("SEARCH", None, "LARGER 1000 NOT DELETED")) == [b"1 2 3"]
    assert ok(client.sort("(SUBJECT)", "UTF-8", "ALL")) == [b"1 3 2"]
    assert ok(client.uid("SORT", "(REVERSE SUBJECT)", "UTF-8", "ALL")) == [b"2 3 1"]
    assert ok(client.thread("REFERENCES", "UTF-8", "ALL")) == [b"(1)(2)(3)"]
    assert ok(client.namespace()) == [b'(("" "/")) (("shared/" "/")) NIL']
    roots, quotas = ok(client.getquotaroot("INBOX"))
    assert roots == [b"INBOX"] and quotas == [None], (roots, quotas)
    envelope, = ok(client.fetch("1", "(UID FLAGS INTERNALDATE RFC822.SIZE ENVELOPE BODYSTRUCTURE)"))
    assert b'"one"' in envelope and b'"APPLICATION" "OCTET-STREAM"' in envelope.upper(), envelope
    (header, text), _ = ok(client.fetch("1", "(BODY.PEEK[])"))
    assert header.endswith(b"{%d}" % len(text)), header
    (_, part), _ = ok(client.fetch("1", "(BODY.PEEK[2]<0.20>)"))
    assert part.startswith(b"AAECAwQF"), part
    size, = ok(client.fetch("1", "(BINARY.SIZE[2])"))
    assert b"BINARY.SIZE[2] 10240" in size, size
    (_, fields), _ = ok(client.fetch("1", "(BODY.PEEK[HEADER.FIELDS (SUBJECT)])"))
    assert fields == b"Subject: one\r\n\r\n", fields
    ok(client.append(folder, r"(\Seen \Flagged)", '"01-Feb-2026 10:11:12 +0100"', text))
    ok(client.copy("2:3", folder))
    assert ok(client.select(folder)) == [b"3"]
    kept, = ok(client.fetch("1", "(FLAGS INTERNALDATE)"))
    assert b"\\Seen" in kept and b"\\Flagged" in kept and b'" 1-Feb-2026 09:11:12 +0000"' in kept, kept
    (_, copy), _ = ok(client.fetch("1", "(RFC822)"))
    assert copy == text
    stored = ok(client.store("1:2", "+FLAGS", r"(\Deleted)"))
    assert len(stored) == 2, stored
    assert ok(client.expunge()) in ([b"1", b"1"], [b"2", b"1"])
    status, = ok(client.status(folder, "(MESSAGES UIDNEXT UNSEEN)"))
    assert b"MESSAGES 1" in status and b"UIDNEXT 4" in status, status
    ok(client.close())
    renamed = folder.strip('"').replace("with", "without") + "2"
    ok(client.rename(folder, f'"{renamed}"'))
    ok(client.delete(f'"{renamed}"'))
    try:
        typ, data = client.select("Nowhere")
        assert typ == "NO" and b"NONEXISTENT" in data[0], (typ, data)
    finally:
        client.logout()

with imaplib.IMAP4_SSL(host, imaps, timeout=20, ssl_context=tls) as client:
    if "AUTH=CRAM-MD5" in client.capabilities:
        ok(client.login_cram_md5("alice", "alice"))
    else:
        ok(client.login("alice", "alice"))
    ok(client.enable("UTF8=ACCEPT"))
    ok(client.create('"Été & co"'))
    assert any('"Été & co"'.encode() in line for line in ok(client.list()))
    assert ok(client.select('"Été & co"')) == [b"0"]
    ok(client.unselect())
    ok(client.delete('"Été & co"'))
print("imaplib ok")
