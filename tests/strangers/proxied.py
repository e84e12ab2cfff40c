"""Connects as a load balancer does that hands connections on: a PROXY header first, then TLS where TLS comes first."""

import base64
import socket
import ssl
import struct
import sys

authority = sys.argv[1]
ports = [int(port) for port in sys.argv[2:]]
ONE = b"PROXY TCP4 192.0.2.7 192.0.2.1 40000 465\r\n"
# Version 2, TCP over IPv4 (haproxy's proxy-protocol.txt, section 2.2).
TWO = b"\r\n\r\n\0\r\nQUIT\n" + bytes([0x21, 0x11]) + struct.pack(
    "!H4s4sHH", 12, bytes([192, 0, 2, 7]), bytes([192, 0, 2, 1]), 40000, 993
)
context = ssl.create_default_context(cafile=authority)


def connect(port, header, secure, at_once=False):
    plain = socket.create_connection(("127.0.0.1", port), 60)
    for octet in [header] if at_once else [header[:5], header[5:]]:
        plain.sendall(octet)
    return context.wrap_socket(plain, server_hostname="localhost") if secure else plain


def reply(stream):
    text = b""
    while not text.endswith(b"\n"):
        piece = stream.recv(4096)
        if not piece:
            break
        text += piece
    return text.decode()


stream = connect(ports[0], ONE, True)
reply(stream)
login = base64.b64encode(b"\0bob\0bob").decode()
for line in [
    "EHLO client.example",
    "AUTH PLAIN " + login,
    "MAIL FROM:<bob@localhost>",
    "RCPT TO:<alice@localhost>",
    "DATA",
    "Subject: proxied\r\n\r\nText\r\n.",
]:
    stream.sendall(line.encode() + b"\r\n")
    said = reply(stream)
    assert said[0] in "23", said
print("smtps: sent")
for name, port, header, secure in [
    ("pop3s", ports[1], TWO, True),
    ("imaps", ports[2], TWO, True),
    ("pop3", ports[3], ONE, False),
    ("imap", ports[4], TWO, False),
]:
    said = reply(connect(port, header, secure, at_once=True))
    print(name + ": " + " ".join(said.split()[: 2 if said[0] == "*" else 1]))
try:
    said = reply(context.wrap_socket(socket.create_connection(("127.0.0.1", ports[0]), 60), server_hostname="localhost"))
    print("without: " + said)
except OSError:
    print("without: closed")
