"""A corpus of odd messages, each put into a mailbox of ours and of Debian's Dovecot, and what each says of it compared:
structure.py OURS DOVECOT (ports of IMAP, alice with password alice)."""

import socket
import sys

# What is meant to differ: the beginning of a message's name, the item, why. A row that nothing needs any more is an error.
TYPE = "BODYSTRUCTURE, BODY"
DIFFERENT = [
    # A field that cannot be read says nothing: then the part is text/plain (RFC 2045 section 5.2). Dovecot gives an empty type, or half of it.
    ("type 10, type 11, type 12, type 14, type 15, type 16, type 17, type 47, type 51", TYPE, "broken type"),
    # What has a type and more than a subtype is shown as it stands.
    ("type 13, type 48, type 50, type 52, within 13", TYPE, "broken subtype"),
    ("within 10, within 11, within 12, within 14, within 15, within 16, within 17", TYPE, "the same in a part"),
    ("type 20, within 20", TYPE, "a parameter without a name is none"),
    # Whoever forgot quotes or the last one meant all of it; Dovecot throws away what cannot stand in a token.
    ("type 35, type 36, type 37", TYPE, "values without quotes"),
    # RFC 2231 section 3: numbers count from 0 on without a gap; Dovecot gives what has one as it stands, we put together what there is.
    ("type 31", TYPE, "a parameter with a part missing"),
    # Without its boundary nothing can be a multipart (RFC 2046 section 5.1.1): what is there is shown as text, nothing is hidden.
    ("type 39, type 40, type 41, multipart 36", TYPE + ", BODY.PEEK[1], BODY.PEEK[1.MIME], BODY.PEEK[1.1], BODY.PEEK[1.1.MIME]", "no boundary"),
    # RFC 6532 section 3.7, RFC 9051 section 7.5.2: it is a message, in UTF-8.
    ("type 46", TYPE + ", BODY.PEEK[1.HEADER], BODY.PEEK[1.TEXT], BODY.PEEK[1.1], BODY.PEEK[1.1.MIME]", "message/global"),
    ("field 13, field 14", "BODYSTRUCTURE", "an empty disposition is none"),
    ("field 16", "BODYSTRUCTURE", "a disposition without a semicolon, as it stands"),
    # RFC 9051 section 9: body-fld-lang is a string or a list.
    ("field 17, field 20", "BODYSTRUCTURE", "one language"),
    ("field 35, envelope 03, envelope 04, envelope 09", "BODYSTRUCTURE, ENVELOPE", "the first of two fields that may be there once (RFC 5322 section 3.6)"),
    # RFC 5322 section 2.2.3: unfolding takes away the line end, and only that.
    ("envelope 06, shape 10", "ENVELOPE", "a TAB where a line was folded"),
    # Dovecot puts words of its own (MISSING_DOMAIN, SYNTAX_ERROR) into addresses that are broken; we give what is there, and empty strings.
    ("address 13, address 14, address 22, address 23, address 28, address 29, address 30, address 31, address 34, address 35, "
     "address 37, address 41, address 44, address 46, address 48", "ENVELOPE", "broken addresses"),
    # RFC 3501 section 6.4.5: the blank line between header and body is always part of these.
    ("shape 02, shape 03, shape 04", "BODY.PEEK[HEADER.FIELDS (SUBJECT TO)], BODY.PEEK[HEADER.FIELDS.NOT (SUBJECT)]", "a header that ends with the message"),
    # RFC 2046 section 5.1.1: a boundary is followed by white space and a line end, or by the end. Dovecot takes any line that begins so.
    ("multipart 13, multipart 14", TYPE + ", BODY.PEEK[1], BODY.PEEK[1.MIME], BODY.PEEK[2], BODY.PEEK[2.MIME], BODY.PEEK[2.1], BODY.PEEK[1.1], BODY.PEEK[1.1.MIME]",
     "a longer line than the boundary"),
    # RFC 2046 section 5.1.1: the line end before a boundary is the boundary's, also behind a multipart within.
    ("multipart 29, multipart 30, multipart 32, multipart 34, multipart 35, multipart 37, multipart 38",
     TYPE + ", BODY.PEEK[1], BODY.PEEK[1.TEXT], BODY.PEEK[1.MIME], BODY.PEEK[1.1.MIME]", "the line end behind a part with parts"),
    # RFC 9051 section 6.4.5.1: the blank line is part of a header, and so is the line end of one that a boundary cuts off.
    ("multipart 07, multipart 11, multipart 17, multipart 18, multipart 26, multipart 27", "BODY.PEEK[1.MIME], BODY.PEEK[2.MIME]", "the header of a part without a body"),
    # RFC 2046 section 5.2.1: a message/rfc822 that is encoded, or has no octets, can be no message: it is shown as octets.
    ("multipart 27, multipart 29", TYPE + ", BODY.PEEK[1.HEADER], BODY.PEEK[1.TEXT]", "what cannot be a message"),
    ("multipart 03", TYPE, "a boundary at the very end begins a part"),
    ("boundary 03", TYPE, "a boundary of more than 70 octets ends too"),
    ("boundary unquoted", TYPE, "a boundary that lacks its quotes is meant whole"),
]



def corpus():
    """Names and messages, with CRLF."""
    made = []

    def add(name, text):
        if isinstance(text, str):
            text = text.encode("utf-8", "surrogateescape")
        made.append((name, text.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")))

    def header(lines, body="text\n"):
        return "Message-ID: <1@x>\n%s\n\n%s" % (lines, body) if lines else "\n" + body

    # What one part says of itself.
    types = [
        "text/plain", "TEXT/PLAIN", "text/html; charset=utf-8", 'text/plain; charset="us-ascii"', "text/plain; charset=",
        "text/plain;charset=a;format=flowed", "text/plain;  charset = utf-8 ; x=y", 'text/plain; a="b\\"c\\\\d"',
        "text/plain (a comment); charset=utf-8 (another)", "text/plain;\n charset=utf-8;\n\tname=x", "text", "text/", "/plain",
        "text/plain/x", "text plain", "", "   ", ";", "text/plain;", "text/plain; charset", "text/plain; =x", "text/plain; a=b; a=c",
        "application/octet-stream; name=\"a b.bin\"", "application/x-foo", "image/png; name=x.png", "audio/basic", "video/mp4",
        "text/plain; name*=utf-8''%e2%82%ac.txt", "text/plain; name*0=a; name*1=b; name*2=c",
        "text/plain; name*0*=utf-8''%41; name*1=b; name*2*=%43", "text/plain; name*1=b; name*0=a", "text/plain; name*0=a; name*2=c",
        "text/plain; name=\"=?utf-8?q?=E2=82=AC?=\"", "text/plain; name=\u20ac.txt", "text/plain; x=\"a\n b\"",
        "text/plain; x=\"unterminated", "text/plain; x=a@b", "text/plain; x=<a>", "x-private/x-type; a=1", "multipart/mixed",
        "multipart/mixed; boundary=", "multipart/mixed; boundary=\"\"", "message/rfc822", "message/partial; id=x; number=1; total=2",
        "message/external-body; access-type=x", "message/delivery-status", "message/global", "application/", "text/x y",
        "text/plain;;;charset=x", "text/plain charset=utf-8", "\"text\"/\"plain\"", "text/plain, text/html",
    ]
    for number, value in enumerate(types):
        add("type %02d" % number, header("MIME-Version: 1.0\nContent-Type: " + value))
    fields = [
        "Content-Transfer-Encoding: base64", "Content-Transfer-Encoding: BASE64", "Content-Transfer-Encoding: 8bit (c)",
        "Content-Transfer-Encoding: quoted-printable", "Content-Transfer-Encoding: x-y", "Content-Transfer-Encoding:",
        "Content-Transfer-Encoding: \"7bit\"", "Content-Disposition: inline", "Content-Disposition: attachment; filename=x",
        "Content-Disposition: attachment; filename=\"a b\"; size=3", "Content-Disposition: ATTACHMENT",
        "Content-Disposition: attachment; filename*=utf-8''%e2%82%ac", "Content-Disposition: attachment; filename*0=a; filename*1=b",
        "Content-Disposition:", "Content-Disposition: ;", "Content-Disposition: attachment; filename",
        "Content-Disposition: attachment filename=x", "Content-Language: en", "Content-Language: en, fr, de-CH", "Content-Language:",
        "Content-Language: en (English)", "Content-Location: http://x/y", "Content-Location: a b\n c", "Content-MD5: Q2hlY2s=",
        "Content-ID: <a@b>", "Content-ID: a@b", "Content-ID: <a@b> (c)", "Content-Description: a thing",
        "Content-Description: =?utf-8?q?=E2=82=AC?=", "Content-Description: two\n lines", "Content-Description: \u20ac",
        "Content-Description:", "Content-Type : text/html", "content-TYPE: text/html", "Content-Type: text/html\nContent-Type: text/x",
        "Content-Disposition: inline\nContent-Disposition: attachment",
    ]
    for number, value in enumerate(fields):
        add("field %02d" % number, header("MIME-Version: 1.0\n" + value))
    # Who and when.
    addresses = [
        "a@b", "<a@b>", "A <a@b>", "\"A B\" <a@b>", "A B <a@b>", "a@b (A B)", "a@b, c@d", "A <a@b>, \"C, D\" <c@d>",
        "group: a@b, c@d;", "group:;", "x@y, group: a@b;, z@w", "<@r1,@r2:a@b>", "undisclosed-recipients:;", "a", "<>", "", " ",
        "\"quoted local\"@b", "\"a\\\"b\" <a@b>", "=?utf-8?q?=E2=82=AC?= <a@b>", "\u20ac <a@b>", "a@b,", ",a@b", ",,", "a@[192.0.2.1]",
        "A (c (nested) c) <a@b>", "a (c1) @ (c2) b", "A. B. <a@b>", "a@b c@d", "A <a@b", "a@b>", "A <a b@c>", "\"A\" \"B\" <a@b>",
        "A\n <a@b>,\n B <c@d>", "a@", "@b", "group: a@b", "MAILER-DAEMON (Mail System)", "A <a@b> (c)", "a.b.@c", "a..b@c",
        "\"unterminated <a@b>", "(only a comment)", "A:b@c", "a;b@c", "<a@b> C", "A <<a@b>>", "'A' <a@b>", "A <a@b>; B <c@d>",
    ]
    for number, value in enumerate(addresses):
        add("address %02d" % number, header("From: %s\nTo: %s\nSubject: x" % (value, value)))
    envelopes = [
        "From: a@b\nSender: c@d\nReply-To: e@f\nTo: g@h\nCc: i@j\nBcc: k@l", "Sender: c@d", "Reply-To: e@f", "From: a@b\nFrom: c@d",
        "To: a@b\nTo: c@d", "From: a@b\nSender:\nReply-To:", "Subject: a\n b\n\tc", "Subject:", "Subject:   ", "Subject: a\nSubject: b",
        "Subject: =?utf-8?q?=E2=82=AC?=", "Subject: \u20ac", "Subject: \"q\\uote\"", "Date: Thu, 1 Jan 1970 00:00:00 +0000",
        "Date: yesterday", "Date:", "Date: Thu,\n 1 Jan 1970\n 00:00:00 +0000", "Message-ID: <2@y>", "Message-ID: 2@y",
        "In-Reply-To: <3@z>", "In-Reply-To: <3@z> <4@z>", "In-Reply-To: Your message of today\n <3@z>", "subject: lower", "SUBJECT: upper",
        "Subject : space", "Subject\t: tab", "no colon", ": no name", "Subject: x\nno colon\nTo: a@b", "Subject: " + "long " * 500,
        "X-A: " + "y" * 5000 + "\nSubject: after",
    ]
    for number, value in enumerate(envelopes):
        add("envelope %02d" % number, value + "\n\ntext\n")
    # Where the header ends.
    shapes = [
        "\n", "\n\n", "text only\n", "Subject: x", "Subject: x\n", "Subject: x\n\n", "\ntext", "\n\ntext\n", " folded\nSubject: x\n\ny\n",
        "Subject: x\n \n\ny\n", "Subject: x\n\t\n y\n\nz\n", "From a@b Sun Nov  6 08:49:37 1994\nSubject: x\n\ny\n", "Subject: x\n\ny",
        "Subject: x\n\ny\n\n\n", "Subject: x\n\n.\n..\n", "Subject: x\n\n" + "l" * 3000 + "\n", "Subject: x\n\n" + "\u20ac\n" * 50,
    ]
    for number, value in enumerate(shapes):
        add("shape %02d" % number, value)
    # Parts in parts.
    mixed = 'MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary="b"\n\n'
    part = "--b\nContent-Type: text/%s\n\n%s\n"
    two = part % ("plain", "one") + part % ("html", "two")
    multiparts = [
        two + "--b--\n", "preamble\n" + two + "--b--\nepilogue\n", two, two + "--b", two + "--b--", "--b--\n", "--b\n--b--\n",
        "--b\n\n--b\n\n--b--\n", "", "no boundary at all\n", "--c\n\nwrong\n--c--\n", "--b\ntext without header\n--b--\n",
        "--b \n\none\n--b\t\n\ntwo\n--b--  \n", "--bb\n\none\n--bb--\n", "--b\n\none\n--bx\n\ntwo\n--b--\n", "--b\n\none\n --b\n\ntwo\n--b--\n",
        "--b\n\none\n\n\n--b--\n", "--b\nContent-Type: text/plain\n--b--\n", "--b\nSubject: x\n\n--b--\n", "--b--\n--b\n\nafter\n--b--\n",
        two + "--b--\n" + two + "--b--\n", "\n--b\n\nx\n--b--\n", "--b\n\n\n--b--\n", "--b\n\nx\n--b--\n--b--\n", "--b\nContent-Type\n\nx\n--b--\n",
        "--b\nContent-Type: message/rfc822\n\nSubject: in\n\nt\n--b--\n", "--b\nContent-Type: message/rfc822\n\n--b--\n",
        "--b\nContent-Type: message/rfc822\n--b--\n", "--b\nContent-Type: message/rfc822\n\n\nonly text\n--b--\n",
        "--b\nContent-Type: message/rfc822\nContent-Transfer-Encoding: base64\n\nU3ViamVjdDogeA==\n--b--\n",
        "--b\nContent-Type: message/rfc822\n\nContent-Type: multipart/mixed; boundary=c\n\n--c\n\nin\n--c--\n--b\n\nafter\n--b--\n",
        "--b\nContent-Type: message/rfc822\n\nContent-Type: multipart/mixed; boundary=c\n\n--c\n\nnever ended\n--b\n\nafter\n--b--\n",
        "--b\nContent-Type: multipart/alternative; boundary=c\n\n--c\n\nin\n--c--\n--b--\n",
        "--b\nContent-Type: multipart/alternative; boundary=c\n\n--c\n\nnever ended\n--b\n\nafter\n--b--\n",
        "--b\nContent-Type: multipart/alternative; boundary=b\n\n--b\n\nsame\n--b--\n--b--\n",
        "--b\nContent-Type: multipart/alternative; boundary=bc\n\n--bc\n\nlonger\n--bc--\n--b--\n",
        "--b\nContent-Type: multipart/alternative\n\nno boundary\n--b--\n",
        "--b\nContent-Type: multipart/digest; boundary=c\n\n--c\n\nSubject: d1\n\nx\n--c\nContent-Type: text/plain\n\ny\n--c--\n--b--\n",
        "--b\nContent-Type: multipart/digest; boundary=c\n\n--c\n\n--c--\n--b--\n",
        "--b\nContent-Type: message/delivery-status\n\nReporting-MTA: dns; x\n\nFinal-Recipient: rfc822;a@b\n--b--\n",
    ]
    for number, value in enumerate(multiparts):
        add("multipart %02d" % number, mixed + value)
    for number, value in enumerate(["b c", "b'()+_,-./:=?", "b" * 70, "b" * 200, "b;c", "B"]):
        text = 'MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary="%s"\n\n--%s\n\nx\n--%s--\n' % (value, value, value)
        add("boundary %02d" % number, text)
    add("boundary unquoted", 'Content-Type: multipart/mixed; boundary=a/b\n\n--a/b\n\nx\n--a/b--\n')
    add("boundary twice", 'Content-Type: multipart/mixed; boundary=a; boundary=b\n\n--a\n\nx\n--a--\n')
    add("boundary continued", 'Content-Type: multipart/mixed; boundary*0=a; boundary*1=b\n\n--ab\n\nx\n--ab--\n')
    add("digest", 'Content-Type: multipart/digest; boundary=b\n\n--b\n\nSubject: one\n\nx\n--b\nX-A: y\n\nSubject: two\n\nx\n--b--\n')
    add("many parts", mixed + "--b\n\nx\n" * 1000 + "--b--\n")
    for depth in (5, 20, 60, 98):
        text = "Content-Type: text/plain\n\ndeep\n"
        for level in range(depth):
            text = "Content-Type: multipart/mixed; boundary=b%d\n\n--b%d\n%s\n--b%d--\n" % (level, level, text, level)
        add("depth %d" % depth, text)
        text = "Subject: deep\n\ndeep\n"
        for level in range(depth):
            text = "Subject: %d\nContent-Type: message/rfc822\n\n%s" % (level, text)
        add("messages %d" % depth, text)
    # Each type within a part.
    for number, value in enumerate(types[:30]):
        add("within %02d" % number, mixed + "--b\nContent-Type: %s\n\ntext\n--b--\n" % value)
    return made


class Server:
    def __init__(self, port):
        self.file = socket.create_connection(("127.0.0.1", port), 60).makefile("rwb")
        self.tag = 0
        self.file.readline()
        self.says("LOGIN alice alice")

    def says(self, command, literal=None):
        """The untagged responses, each as octets with its literals in place."""
        self.tag += 1
        tag = b"t%d " % self.tag
        self.file.write(tag + command.encode() + b"\r\n")
        self.file.flush()
        responses = []
        while True:
            line = self.file.readline()
            if not line:
                raise SystemExit("closed after %s" % command)
            if line.startswith(b"+ ") and literal is not None:
                self.file.write(literal + b"\r\n")
                self.file.flush()
                continue
            while line.endswith(b"}\r\n") and line[line.rindex(b"{") + 1:-3].isdigit():
                octets = int(line[line.rindex(b"{") + 1:-3])
                line += self.file.read(octets) + self.file.readline()
            if line.startswith(tag):
                if not line.startswith(tag + b"OK"):
                    return line[len(tag):]
                return responses
            responses.append(line)


def parse(text):
    """One value: a list, octets, a number as octets, or None; and what is left."""
    text = text.lstrip(b" ")
    if text[:1] == b"(":
        values, rest = [], text[1:]
        while True:
            rest = rest.lstrip(b" ")
            if rest[:1] == b")":
                return values, rest[1:]
            value, rest = parse(rest)
            values.append(value)
    if text[:1] == b'"':
        value, at = b"", 1
        while text[at:at + 1] != b'"':
            if text[at:at + 1] == b"\\":
                at += 1
            value += text[at:at + 1]
            at += 1
        return value, text[at + 1:]
    if text[:1] in (b"{", b"~"):
        end = text.index(b"}")
        octets = int(text[text.index(b"{") + 1:end])
        begin = end + 3
        return text[begin:begin + octets], text[begin + octets:]
    end = min(at for at in (text.find(b" "), text.find(b")"), text.find(b"\r")) if at >= 0)
    word = text[:end]
    return (None if word.upper() == b"NIL" else word), text[end:]


def fetch(server, item):
    found = server.says("FETCH 1 (%s)" % item)
    if isinstance(found, bytes):
        return b"refused"
    for line in found:
        if b" FETCH " not in line:
            continue
        if "[" in item:
            begin = line.find(b"BODY[")
            at = line.find(b"] ", begin) + 1 if begin >= 0 else -1
        else:
            begin = line.find(item.encode() + b" ")
            at = begin + len(item)
        if begin >= 0:
            return parse(line[at:])[0]
    return b"nothing"


def same_meaning(value, item):
    """Differences that are meant for every message, taken away from both sides."""
    if value in (None, b""):
        # A section that is not there is NIL with us (RFC 9051 section 7.5.2: an nstring), and an empty string at Dovecot, where nobody can
        # tell it from one that is empty.
        return None
    if not isinstance(value, list) or item == "ENVELOPE":
        return value
    value = [same_meaning(one, item) if isinstance(one, list) else one for one in value]
    if isinstance(value[0], bytes) and len(value) > 6 and value[0].lower() in KINDS:
        # Types mean the same in any case (RFC 2045 section 5.1): Dovecot writes small letters, we what the message has.
        value[0], value[1] = value[0].lower(), (value[1] or b"").lower()
        parameters = value[2] or []
        # A text without charset is in US-ASCII (RFC 2046 section 4.1.2): Dovecot says so behind the others, we only say what there is.
        if value[0] == b"text" and [one.lower() for one in parameters[-2:]] == [b"charset", b"us-ascii"]:
            parameters = parameters[:-2]
        value[2] = parameters or None
    return value


BELOW = ("BODY.PEEK[1.1]", "BODY.PEEK[1.1.MIME]", "BODY.PEEK[2.1]")
KINDS = (b"text", b"message", b"application", b"image", b"audio", b"video", b"x-private")


ITEMS = ["BODYSTRUCTURE", "BODY", "ENVELOPE", "RFC822.SIZE"] + [
    "BODY.PEEK[%s]" % section
    for section in ("", "HEADER", "TEXT", "1", "1.MIME", "2", "2.MIME", "1.1", "1.1.MIME", "1.HEADER", "1.TEXT", "2.1", "3",
                    "HEADER.FIELDS (SUBJECT TO)", "HEADER.FIELDS.NOT (SUBJECT)")
]


def main():
    ours, theirs = Server(int(sys.argv[1])), Server(int(sys.argv[2]))
    messages = corpus()
    assert len({text for _, text in messages}) >= 200, len(messages)
    needed, wrong = set(), 0
    for name, text in messages:
        for server in (ours, theirs):
            server.says("CREATE Corpus")
            done = server.says("APPEND Corpus {%d}" % len(text), text)
            if isinstance(done, bytes):
                raise SystemExit("%s: APPEND: %r" % (name, done))
            server.says("SELECT Corpus")
        for item in ITEMS:
            one, other = fetch(ours, item), fetch(theirs, item)
            if one is None and item in BELOW:
                # RFC 9051 section 6.4.5.1: a part that is no multipart has no parts. Dovecot gives the part itself.
                continue
            if same_meaning(one, item) != same_meaning(other, item):
                rows = [row for row in DIFFERENT if name in row[0].split(", ") and item in row[1].split(", ")]
                needed.update(rows)
                if not rows:
                    wrong += 1
                    print("%s: %s\n  message  %r\n  ours     %r\n  dovecot  %r" % (name, item, text[:300], str(one)[:600], str(other)[:600]))
        for server in (ours, theirs):
            server.says("CLOSE")
            server.says("DELETE Corpus")
    for row in DIFFERENT:
        if row not in needed:
            wrong += 1
            print("no longer different: %s, %s" % row[:2])
    print("%d messages, %d items each, %d rows of difference, %d not meant" % (len(messages), len(ITEMS), len(DIFFERENT), wrong))
    sys.exit(1 if wrong else 0)


main()
