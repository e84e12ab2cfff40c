"""Python's poplib against a server that has two messages for alice and for zoé each: pop.py CA POP3 POP3S."""

import poplib
import ssl
import sys

authority, pop3, pop3s = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
tls = ssl.create_default_context(cafile=authority)
host = "localhost"


def refused(command, *words):
    try:
        command(*words)
    except poplib.error_proto as error:
        return str(error)
    raise SystemExit(f"{words} was taken")


def connect():
    return poplib.POP3(host, pop3, timeout=20)


# What a server can is in CAPA, before the login and after it
client = connect()
can = client.capa()
for capability in ("TOP", "UIDL", "USER", "STLS", "RESP-CODES", "AUTH-RESP-CODE", "PIPELINING", "LANG"):
    assert can[capability] == [], can
assert can["EXPIRE"] == ["NEVER"] and can["UTF8"] == ["USER"], can
assert can["SASL"][0] == "SCRAM-SHA-256" and "XOAUTH2" in can["SASL"], can
assert can["IMPLEMENTATION"][0].startswith("mailtool-"), can

# STLS once, and before the login only
client.stls(tls)
assert "STLS" not in client.capa(), client.capa()
assert client.capa()["SASL"][0] == "SCRAM-SHA-256-PLUS", client.capa()
assert "TLS is up" in refused(client._shortcmd, "STLS")
client.user("alice")
assert refused(client.pass_, "wrong").startswith("b'-ERR [AUTH] ")
client.user("alice")
client.pass_("alice")
assert "STLS" not in client.capa(), client.capa()

# In use, while another tries
other = connect()
other.user("alice")
assert refused(other.pass_, "alice").startswith("b'-ERR [IN-USE] ")
other.quit()

# RFC 1939 §5
assert client.stat()[0] == 2
assert refused(client.retr, 3).startswith("b'-ERR no such message")
assert refused(client.dele, 0).startswith("b'-ERR no such message")
(reply, first, octets), (_, second, _) = client.retr(1), client.retr(2)
assert reply == b"+OK %d octets" % octets, (reply, octets)
assert client.list(1) == b"+OK 1 %d" % octets
assert b"..two dots" in first and b".leading dot" in first, first
assert client.top(1, 1)[1] == first[: first.index(b"") + 2]
uids = client.uidl()[1]
assert [line.split()[0] for line in uids] == [b"1", b"2"] and uids[0].split()[1] != uids[1].split()[1]
assert client.uidl(2) == b"+OK " + uids[1]
client.dele(1)
assert refused(client.retr, 1).startswith("b'-ERR message 1 is marked as deleted")
assert client.stat()[0] == 1
client.rset()
assert client.stat()[0] == 2
client.noop()
client.dele(2)
# Lost: nothing is deleted
client.close()

# APOP, which hashes what the greeting says
client = connect()
assert refused(client.apop, "alice", "wrong").startswith("b'-ERR [AUTH] ")
client.apop("alice", "alice")
assert client.stat()[0] == 2 and client.uidl()[1] == uids
client.dele(2)
client.quit()
client = poplib.POP3_SSL(host, pop3s, timeout=20, context=tls)
client.apop("alice", "alice")
assert [line.split()[1] for line in client.uidl()[1]] == [uids[0].split()[1]]
client.quit()

# UTF8, with a name and a password that need it
client = connect()
client.encoding = "utf-8"
client.utf8()
client.user("zoé")
client.pass_("café")
assert client.stat()[0] == 2
assert "UTF8 comes before" in refused(client.utf8)
reply, languages, _ = client._longcmd("LANG")
assert languages == [b"en English", "fr Français".encode()], languages
assert client._shortcmd("LANG fr").decode() == "+OK fr français à partir d'ici"
assert client.quit().decode() == "+OK au revoir ; rien n'a été effacé"
print("poplib ok")
