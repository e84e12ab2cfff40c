"""A mailbox of odd conversations in ours and in Debian's Dovecot, and what SORT and THREAD (RFC 5256, RFC 5957) make of it, compared:
threads.py OURS DOVECOT (ports of IMAP, alice with password alice)."""

import imaplib
import random
import sys

imaplib._MAXLINE = 10_000_000
COUNT = 400

# What is meant to differ: the command, why. A row that nothing needs any more is an error.
DIFFERENT = {}


def corpus():
    """Messages with the time of their arrival: the same each time."""
    chance = random.Random(5256)
    words = ["Exam", "exam", "Re: Exam", "RE: re: exam", "Fwd: Exam", "fw: Exam", "[lab] Exam", "Re: [lab] Exam", "Re[2]: Exam", "Exam (fwd)",
             "[fwd: Exam]", "[Fwd: [lab] exam]", "", "Re:", "Re: ", "=?utf-8?q?R=C3=A9sum=C3=A9?=", "Re: =?utf-8?b?UsOpc3Vtw6k=?=", "R\u00e9sum\u00e9",
             "=?iso-8859-1?q?Re:_Exam?=", "Results  and   grades", "Results and grades", "re : Results and grades", "RE:Re:Results and grades",
             "[a][b] Results and grades", "[x] Re: Results and grades", "Zebra", "apple", "Apple", "10", "9", "=?utf-8?q?=C3=89tude?=", "etude"]
    people = ["alice@example.org", "Alice <alice@example.org>", "\"Zoe\" <bob@example.org>", "=?utf-8?q?=C3=89mile?= <e@example.org>", 
              "carol@example.net (Carol)", "group: a@example.org, b@example.org;", "", "<@route:dan@example.org>", "BOB@example.org", "\"alice\" <x@example.org>"]
    zones = ["+0000", "-0800", "+0530", "GMT", "EST", ""]
    dates = []
    for number in range(COUNT):
        day = chance.randrange(1, 28)
        dates.append(chance.choice(["Mon, %d Jan 2024 %02d:%02d:%02d %s" % (day, chance.randrange(24), chance.randrange(60), chance.randrange(60),
                                                                          chance.choice(zones)),
                                    "%d Feb 2024 12:00 +0100" % day, "not a date", None, "Thu, 31 Dec 1999 23:59:59 +0000", "1 Mar 2024 00:%02d:00 +0000" % (number % 60)]))
    ids = []
    for number in range(COUNT):
        fields = []
        own = "<%d@example.org>" % number
        kind = chance.randrange(30)
        if kind == 0 and ids:
            own = chance.choice(ids)  # used twice
        elif kind == 1:
            own = None
        elif kind == 2:
            own = "<\"a b%d\"@example.org>" % number
        elif kind == 3:
            own = "no brackets %d" % number
        if own is not None:
            fields.append("Message-ID: %s" % own)
        parents = [chance.choice(ids + ["<%d@example.org>" % chance.randrange(COUNT), "<nobody%d@example.net>" % chance.randrange(9)])
                   for _ in range(chance.choice([0, 0, 1, 1, 2, 3, 5]))]
        kind = chance.randrange(12)
        if parents and kind < 8:
            fields.append("References: %s" % chance.choice([" ", "\r\n ", ", ", "", "\t"]).join(parents))
        if parents and kind in (7, 8, 9):
            fields.append("In-Reply-To: %s" % chance.choice([parents[-1], " ".join(parents), "your mail of Monday %s" % parents[0], "<broken"]))
        if kind == 10 and own is not None:
            fields.append("References: %s" % own)  # to itself
        if dates[number] is not None:
            fields.append("Date: %s" % dates[number])
        if chance.randrange(15):
            fields.append("Subject: %s" % chance.choice(words))
        if chance.randrange(15):
            fields.append("From: %s" % chance.choice(people))
        if chance.randrange(4):
            fields.append("To: %s" % chance.choice(people))
        if not chance.randrange(3):
            fields.append("Cc: %s" % chance.choice(people))
        if own is not None:
            ids.append(own)
        chance.shuffle(fields)
        body = "x" * chance.randrange(400)
        text = "\r\n".join(fields + ["", body, ""])
        arrival = "\"%2d-Mar-2024 %02d:%02d:00 +0000\"" % (chance.randrange(1, 28), chance.randrange(24), chance.randrange(60))
        yield text.encode(), arrival


def put(port, messages):
    session = imaplib.IMAP4("127.0.0.1", port)
    session.login("alice", "alice")
    session.create("Threads")
    for text, arrival in messages:
        done = session.append("Threads", "", arrival, text)
        assert done[0] == "OK", done
    session.select("Threads")
    return session


def asks():
    for algorithm in ("ORDEREDSUBJECT", "REFERENCES", "REFS"):
        yield "THREAD %s" % algorithm, ("THREAD", "%s UTF-8 ALL" % algorithm)
        yield "THREAD %s of some" % algorithm, ("THREAD", "%s UTF-8 1:%d" % (algorithm, COUNT // 2))
    for key in ("ARRIVAL", "CC", "DATE", "FROM", "SIZE", "SUBJECT", "TO", "DISPLAYFROM", "DISPLAYTO"):
        yield "SORT %s" % key, ("SORT", "(%s) UTF-8 ALL" % key)
        yield "SORT REVERSE %s" % key, ("SORT", "(REVERSE %s) UTF-8 ALL" % key)
        yield "SORT %s SIZE" % key, ("SORT", "(%s REVERSE SIZE) UTF-8 ALL" % key)


def said(session, name, arguments):
    done, data = session.xatom(name, arguments)
    assert done == "OK", (name, arguments, data)
    response = session.response(name)[1]
    return (response[-1] or b"").decode()


def main():
    messages = list(corpus())
    imaplib.Commands.update({"SORT": ("SELECTED",), "THREAD": ("SELECTED",)})
    ours, theirs = (put(int(port), messages) for port in sys.argv[1:3])
    needed, wrong, count = set(), 0, 0
    for title, ask in asks():
        count += 1
        one, other = said(ours, *ask), said(theirs, *ask)
        assert len(one) > COUNT, (title, one)
        if one == other:
            continue
        if title in DIFFERENT:
            needed.add(title)
            continue
        wrong += 1
        at = next((at for at, pair in enumerate(zip(one, other)) if pair[0] != pair[1]), min(len(one), len(other)))
        print("%s at %d:\n  ours     ...%s\n  dovecot  ...%s" % (title, at, one[max(0, at - 40):at + 160], other[max(0, at - 40):at + 160]))
    for title in DIFFERENT:
        if title not in needed:
            wrong += 1
            print("no longer different: %s" % title)
    print("%d messages, %d questions, %d not meant" % (len(messages), count, wrong))
    sys.exit(1 if wrong else 0)


main()
