"""Python's imapclient against a server: client.py CA IMAP IMAPS."""

import datetime
import ssl
import sys

import imapclient
from imapclient import IMAPClient, exceptions

authority = sys.argv[1]
imap, imaps = map(int, sys.argv[2:])
tls = ssl.create_default_context(cafile=authority)
FOLDER, INNER = "Été & co", "Été & co/Ünder"
WHEN = datetime.datetime(2026, 2, 1, 9, 11, 12, tzinfo=datetime.timezone.utc)


def message(number, more=""):
    head = f"From: =?utf-8?q?=C3=89ve?= <eve@localhost>\r\nSubject: =?utf-8?q?=C3=A9t=C3=A9?= {number}\r\nMessage-ID: <{number}@here>\r\n{more}"
    return f"{head}Date: Sun, 01 Feb 2026 09:11:12 +0000\r\n\r\nGrüße {number}\r\n".encode()


def same(what, got, wanted):
    assert got == wanted, f"{what}: {got!r}, not {wanted!r}"


def refused(code, act):
    try:
        act()
    except exceptions.IMAPClientError as error:
        assert code in str(error), error
    else:
        raise SystemExit(f"[{code}] was to come")


def flags(all):
    return {number: set(each) - {imapclient.RECENT} for number, each in all.items()}


client = IMAPClient("localhost", port=imap, ssl=False, timeout=20)
refused("AUTHENTICATIONFAILED", lambda: client.login("alice", "wrong"))
client.starttls(tls)
client.login("alice", "alice")
for word in "IMAP4REV1 IMAP4REV2 IDLE MOVE UIDPLUS QUOTA SORT THREAD=REFERENCES NAMESPACE ID ENABLE CONDSTORE SPECIAL-USE MULTIAPPEND".split():
    assert client.has_capability(word), word
same("program", client.id_({"name": "imapclient"})[0][1], b"mailtool")
same("namespace", tuple(client.namespace())[:2], ((("", "/"),), (("shared/", "/"),)))
same("enabled", client.enable("CONDSTORE"), [b"CONDSTORE"])

client.create_folder(FOLDER)
client.create_folder(INNER)
refused("ALREADYEXISTS", lambda: client.create_folder(INNER))
assert client.folder_exists(INNER) and not client.folder_exists("nowhere")
client.subscribe_folder(FOLDER)
same("subscribed", [name for _, _, name in client.list_sub_folders()], [FOLDER])
client.unsubscribe_folder(FOLDER)
client.append(FOLDER, message(1), [imapclient.FLAGGED, b"$Work"], WHEN)
client.append(FOLDER, message(2, "References: <1@here>\r\n"))
client.multiappend(FOLDER, [message(3), {"msg": message(4), "flags": [imapclient.SEEN], "date": WHEN}])
refused("TRYCREATE", lambda: client.append("nowhere", message(5)))
status = client.folder_status(FOLDER, ["MESSAGES", "UIDNEXT", "UNSEEN"])
same("status", status, {b"MESSAGES": 4, b"UIDNEXT": 5, b"UNSEEN": 3})

same("messages", client.select_folder(FOLDER)[b"EXISTS"], 4)
same("found", client.search(["SUBJECT", "ÉTÉ 2"], "UTF-8"), [2])
same("not found", client.search(["NOT", ["OR", "FLAGGED", "SEEN"], "SINCE", datetime.date(2026, 1, 1)]), [2, 3])
same("sorted", client.sort(["REVERSE SUBJECT"]), [4, 3, 2, 1])
same("threads", client.thread(), ((1, 2), (3,), (4,)))
first = client.fetch([1], ["FLAGS", "ENVELOPE", "BODYSTRUCTURE", "INTERNALDATE", "RFC822.SIZE", "BODY.PEEK[]", "MODSEQ"])[1]
same("text", first[b"BODY[]"], message(1))
same("size", first[b"RFC822.SIZE"], len(message(1)))
same("subject", first[b"ENVELOPE"].subject, b"=?utf-8?q?=C3=A9t=C3=A9?= 1")
same("who", str(first[b"ENVELOPE"].from_[0]), "=?utf-8?q?=C3=89ve?= <eve@localhost>")
same("when", first[b"INTERNALDATE"], imapclient.datetime_util.datetime_to_native(WHEN))
same("what", first[b"BODYSTRUCTURE"][:2] + first[b"BODYSTRUCTURE"][5:8], (b"text", b"plain", b"7bit", 11, 1))
same("flags", flags({1: first[b"FLAGS"]}), {1: {imapclient.FLAGGED, b"$Work"}})

client.add_flags([1, 2], [imapclient.ANSWERED])
client.remove_flags([1], [imapclient.FLAGGED])
client.set_flags([3], [b"$x"])
wanted = {1: {imapclient.ANSWERED, b"$Work"}, 2: {imapclient.ANSWERED}, 3: {b"$x"}}
same("flags", flags(client.get_flags([1, 2, 3])), wanted)
client.copy([1], INNER)
client.move([2], INNER)
same("in both", client.folder_status(INNER, ["MESSAGES"]), {b"MESSAGES": 2})
[quota] = client.get_quota()
same("quota", (quota.resource, quota.limit), ("STORAGE", 512_000))
client.setacl(FOLDER, "bob", "lr")
assert (b"bob", b"lr") in client.getacl(FOLDER)
client.delete_messages([3])
client.expunge()
same("left", client.search(), [1, 4])

client.idle()
with IMAPClient("localhost", port=imaps, ssl_context=tls, timeout=20) as other:
    other.sasl_login("PLAIN", lambda _: b"\0alice\0alice")
    other.append(FOLDER, message(6))
    heard = []
    while (3, b"EXISTS") not in heard:
        news = client.idle_check(20)
        assert news, f"only {heard}"
        heard += news
    client.idle_done()
    client.unselect_folder()
    client.select_folder(FOLDER, readonly=True)
    refused("CANNOT", lambda: client.add_flags([1], [imapclient.SEEN]))
    client.close_folder()
    other.rename_folder(FOLDER, "Neu")
    other.delete_folder("Neu/Ünder")
    other.delete_folder("Neu")
client.logout()
print("imapclient ok")
