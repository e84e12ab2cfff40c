"""A server of SMTP over TLS that wants a certificate of its client: PORT-FILE CERT KEY CA. Serves one connection, and says whom it saw."""
import socket
import ssl
import sys

port_file, cert, key, ca = sys.argv[1:]
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(cert, key)
context.load_verify_locations(ca)
context.verify_mode = ssl.CERT_REQUIRED
names = []
context.sni_callback = lambda _socket, name, _context: names.append(name)
listener = socket.create_server(("127.0.0.1", 0))
listener.settimeout(60)
with open(port_file, "w") as file:
    file.write(f"{listener.getsockname()[1]}\n")
connection, _ = listener.accept()
connection.settimeout(60)
with context.wrap_socket(connection, server_side=True) as tls:
    subject = dict(pair[0] for pair in tls.getpeercert()["subject"])
    print("client:", subject.get("commonName"))
    print("asked for:", names[0])
    stream = tls.makefile("rwb")

    def say(text):
        stream.write(text.encode() + b"\r\n")
        stream.flush()

    say("220 tls.example ESMTP")
    for line in stream:
        line = line.decode().strip()
        print("said:", line)
        verb = line.split(" ")[0].upper()
        if verb == "EHLO":
            say("250-tls.example\r\n250 AUTH EXTERNAL PLAIN")
        elif verb == "AUTH":
            say("235 2.7.0 You are who your certificate says")
        else:
            say("221 2.0.0 Bye")
            break
