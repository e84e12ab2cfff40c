"""What else Python's smtplib can do: sending.py CA SMTP SUBMISSION LMTP."""

import smtplib
import ssl
import sys
from email.message import EmailMessage
from email.policy import SMTPUTF8

authority = sys.argv[1]
smtp, submission, lmtp = map(int, sys.argv[2:])
tls = ssl.create_default_context(cafile=authority)
host = "localhost"


def connected():
    client = smtplib.SMTP(host, submission, timeout=20)
    client.starttls(context=tls)
    client.ehlo()
    return client


for mechanism in ("CRAM-MD5", "PLAIN", "LOGIN"):
    for initial in (True, False):
        client = connected()
        client.user, client.password = "bob", "bob"
        method = getattr(client, "auth_" + mechanism.lower().replace("-", "_"))
        code, text = client.auth(mechanism, method, initial_response_ok=initial)
        assert code == 235 and text.startswith(b"2.7.0 "), (mechanism, code, text)
        assert client.sendmail("bob@localhost", ["alice@localhost"], f"Subject: {mechanism} {initial}\n\nText\n") == {}
        client.quit()
client = connected()
client.user, client.password = "bob", "wrong"
try:
    client.auth("CRAM-MD5", client.auth_cram_md5)
    raise SystemExit("a wrong password was right")
except smtplib.SMTPAuthenticationError as refused:
    assert refused.smtp_code == 535, refused
client.close()
print("auth ok")

mail = EmailMessage(policy=SMTPUTF8)
mail["From"], mail["To"], mail["Subject"] = "élodie@example.org", "jürgen@localhost", "Grüße €"
mail.set_content("Text\n", cte="8bit")
with smtplib.SMTP(host, smtp, timeout=20) as client:
    client.ehlo("client.example")
    assert client.has_extn("smtputf8") and client.has_extn("8bitmime") and client.has_extn("dsn")
    # It says SMTPUTF8 and BODY=8BITMIME by itself, for an address needs it.
    assert client.send_message(mail) == {}
    try:
        client.sendmail("bob@localhost", ["jürgen@localhost"], "Subject: x\n\n")
        raise SystemExit("an address in UTF-8 went without SMTPUTF8")
    except smtplib.SMTPRecipientsRefused as refused:
        assert refused.recipients["jürgen@localhost"][1].startswith(b"5.6.7 "), refused
    refused = client.sendmail(
        "alice@localhost",
        ["bob@localhost", "nobody@localhost"],
        "Subject: told\n\nText\n",
        mail_options=["RET=HDRS", "ENVID=python+2B1"],
        rcpt_options=["NOTIFY=SUCCESS,FAILURE", "ORCPT=rfc822;Robert@localhost"],
    )
    assert refused["nobody@localhost"][0] == 550, refused
print("smtputf8 and dsn ok")

with smtplib.LMTP(host, lmtp) as client:
    # One reply for each of those that were taken, which smtplib does not read beyond the first: one at a time.
    for account in ("alice", "bob"):
        assert client.sendmail("x@example.org", [f"{account}@localhost"], "Subject: lmtp\n\n.\n..\nText\n") == {}
    try:
        client.sendmail("x@example.org", ["nobody@localhost"], "Subject: lmtp\n\nText\n")
        raise SystemExit("an unknown recipient was taken")
    except smtplib.SMTPRecipientsRefused as refused:
        assert refused.recipients["nobody@localhost"][0] == 550, refused
print("lmtp ok")
