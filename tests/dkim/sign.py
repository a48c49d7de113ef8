#!/usr/bin/env python3
"""Makes the signed mails that tests/dkim.rs has verified, and the zone that holds their keys.

    sign.py [DIR]      writes DIR/zone.conf and DIR/mails/*.eml; DIR is this folder unless named

dkimpy signs (with pynacl for Ed25519, authres for ARC): another implementation than the one under test. The private
keys in keys/ sign nothing but these mails; keys that are missing are made with openssl. The zone is written as
`local-data` of unbound.
"""
import base64
import hashlib
import pathlib
import subprocess
import sys

import dkim
import nacl.encoding
import nacl.signing

HERE = pathlib.Path(__file__).resolve().parent
MADE = 1704067200  # 2024-01-01, when all of them say to be signed

MESSAGE = b"""\
Received: from mail.sender.test by mx.docs.example.org; Mon, 1 Jan 2024 00:00:00 +0000
From: Alice <alice@%(from)s>
To: board@docs.example.org
Subject: Minutes  of   %(name)s
Message-ID: <%(name)s@sender.test>
Date: Mon, 1 Jan 2024 00:00:00 +0000
MIME-Version: 1.0
Content-Type: multipart/mixed; boundary="b"

--b
Content-Type: text/plain

See  below. \t
--b
Content-Type: text/plain
Content-Disposition: attachment; filename="%(name)s.txt"

Minutes of %(name)s
--b--
""".replace(b"\n", b"\r\n")

SIGNED = ["from", "to", "subject", "message-id", "date", "mime-version", "content-type"]


GMAIL = ["to", "subject", "message-id", "date", "from", "in-reply-to", "references", "mime-version", "from", "to", "cc",
         "subject", "date", "message-id", "reply-to"]
TEXT = b"Content-Type: text/plain\r\n"


def text(name):
    """A mail of text that quotes what looks like a file."""
    header = message(name).split(b"Content-Type: ")[0]
    quoted = b"As Mallory says:\n\n--evil\nContent-Type: text/csv; name=pay.csv\n\nMallory,1000\n--evil--\n"
    return header + TEXT + b"\r\n" + quoted.replace(b"\n", b"\r\n")


def retyped(mail, old=TEXT):
    new = b'Content-Type: multipart/mixed; boundary="evil"\r\n'
    return change(mail, old, new if old == TEXT else old + new)


def rsa(bits):
    file = HERE / "keys" / f"rsa{bits}.pem"
    if not file.exists():
        file.parent.mkdir(exist_ok=True)
        made = subprocess.run(["openssl", "genrsa", "-traditional", str(bits)], check=True, capture_output=True)
        file.write_bytes(made.stdout)
    return file.read_bytes()


def rsa_public(bits):
    rsa(bits)
    file = HERE / "keys" / f"rsa{bits}.pem"
    der = subprocess.run(["openssl", "rsa", "-in", file, "-pubout", "-outform", "DER"], check=True, capture_output=True)
    return base64.b64encode(der.stdout).decode()


# A seed of no secrecy.
ED25519 = base64.b64encode(hashlib.sha256(b"mailshelf test key").digest())


def ed25519_public():
    key = nacl.signing.SigningKey(ED25519, encoder=nacl.encoding.Base64Encoder)
    return key.verify_key.encode(nacl.encoding.Base64Encoder).decode()


class Tweak:
    """What dkimpy would not sign by itself: other times, other tags, a header without From."""

    def __init__(self, extra=(), made=MADE, without=()):
        self.extra, self.made, self.without = list(extra), made, without

    def __enter__(self):
        self.original = dkim.DKIM.gen_header

        def gen_header(this, fields, include_headers, *rest, **more):
            fields = [(k, str(self.made).encode() if k == b"t" else v) for k, v in fields]
            names = tuple(name for name in include_headers if name.decode() not in self.without)
            fields = [(k, b" : ".join(names) if k == b"h" else v) for k, v in fields]
            at = [k for k, _ in fields].index(b"h")
            fields[at:at] = [(k.encode(), v.encode()) for k, v in self.extra]
            return self.original(this, fields, names, *rest, **more)

        dkim.DKIM.gen_header = gen_header

    def __exit__(self, *_):
        dkim.DKIM.gen_header = self.original


def message(name, sender="sender.test"):
    return MESSAGE % {b"name": name.encode(), b"from": sender.encode()}


def sign(mail, domain="sender.test", selector="rsa2048", key=None, form="relaxed/relaxed", fields=None, tweak=None,
         length=False, identity=None, method=b"rsa-sha256"):
    key = key or rsa(2048)
    if selector == "ed25519":
        key, method = ED25519, b"ed25519-sha256"
    with tweak or Tweak():
        header = dkim.sign(
            mail, selector.encode(), domain.encode(), key, canonicalize=tuple(part.encode() for part in form.split("/")),
            signature_algorithm=method, include_headers=fields or SIGNED, length=length,
            identity=identity and identity.encode())
    return header + mail


class AsWritten:
    """Results that authres would not read, let alone write."""

    method = "dmarc"

    def __init__(self, server, text):
        self.authserv_id, self.results, self.text = server, [self], text

    def __str__(self):
        return self.text

    def __enter__(self):
        self.original = dkim.authres.AuthenticationResultsHeader.parse
        dkim.authres.AuthenticationResultsHeader.parse = lambda _: self

    def __exit__(self, *_):
        dkim.authres.AuthenticationResultsHeader.parse = self.original


def seal_as_microsoft(mail):
    with AsWritten("mx.lists.test", "dmarc=pass action=none header.from=sender.test"):
        return seal(mail)


def seal(mail, domain="lists.test", results="dmarc=pass header.from=sender.test", arc=None):
    """Adds a hop: our results first, as the sealer's own server writes them, then the three fields."""
    results = f"Authentication-Results: mx.{domain}; {results}" + (f"; arc={arc}" if arc else "") + "\r\n"
    mail = results.encode() + mail
    hop = dkim.arc_sign(mail, b"rsa2048", domain.encode(), rsa(2048), f"mx.{domain}".encode(),
                        include_headers=[name.encode() for name in SIGNED], timestamp=MADE)
    assert hop, "not sealed"
    return b"".join(hop) + mail


def change(mail, old, new):
    assert old in mail, old
    return mail.replace(old, new, 1)


def footer(mail):
    """What a list does: the signature of the author no longer holds."""
    return change(mail, b"See  below.", b"See  below. -- the list")


def mails():
    def plain(name, sender="sender.test", **how):
        return sign(message(name, sender), **how)

    yield "relaxed", plain("relaxed")
    yield "simple", plain("simple", form="simple/simple")
    yield "simple-body", plain("simple-body", form="relaxed/simple")
    yield "ed25519", plain("ed25519", selector="ed25519")
    for bits in (512, 768, 1024, 4096):
        yield f"rsa{bits}", plain(f"rsa{bits}", selector=f"rsa{bits}", key=rsa(bits))
    blank = message("blank-end") + b" \t\r\n\r\n \r\n"
    yield "blank-end", sign(blank)
    yield "blank-end-simple", sign(message("blank-end-simple") + b"\r\n\r\n\r\n", form="simple/simple")
    empty = message("no-body").split(b"\r\n\r\n")[0].replace(b"multipart/mixed", b"text/plain") + b"\r\n\r\n"
    yield "no-body", sign(empty)
    yield "no-body-simple", sign(empty.replace(b"no-body@", b"no-body-simple@"), form="simple/simple")
    yield "oversigned", plain("oversigned", fields=SIGNED + ["from", "subject", "cc"])
    yield "many-fields", plain("many-fields", fields=SIGNED + [f"x-{n}" for n in range(60)])

    # Gmail signs no Content-Type.
    yield "gmail", plain("gmail", fields=GMAIL)
    yield "gmail-text", sign(text("gmail-text"), fields=GMAIL)
    yield "gmail-retyped", retyped(sign(text("gmail-retyped"), fields=GMAIL))
    yield "gmail-typed", retyped(sign(text("gmail-typed").replace(TEXT, b""), fields=GMAIL), b"MIME-Version: 1.0\r\n")

    yield "length", plain("length", length=True)
    yield "expired", plain("expired", tweak=Tweak([("x", str(MADE + 60))]))
    yield "not-expired", plain("not-expired", tweak=Tweak([("x", "4102444800")]))
    yield "future", plain("future", tweak=Tweak(made=4102444800))
    yield "from-unsigned", plain("from-unsigned", tweak=Tweak(without=["from"]))
    yield "sha1", plain("sha1", method=b"rsa-sha1")

    yield "other-domain", plain("other-domain", domain="other.test")
    yield "parent-signs", plain("parent-signs", "sub.sender.test")
    yield "child-signs", plain("child-signs", domain="mail.sender.test")
    yield "sibling-signs", plain("sibling-signs", "sub.sender.test", domain="mail.sender.test")
    # Its policy is its parent's, and says nothing of those below it.
    yield "grandchild-signs", plain("grandchild-signs", "sub.sender.test", domain="mail.sub.sender.test")
    yield "strict", plain("strict", "strict.test", domain="strict.test")
    yield "strict-parent-signs", plain("strict-parent-signs", "sub.strict.test", domain="strict.test")
    yield "strict-child-signs", plain("strict-child-signs", "strict.test", domain="mail.strict.test")
    yield "no-policy", plain("no-policy", "bare.test", domain="bare.test")
    yield "servfail", plain("servfail", "broken.test", domain="broken.test")
    yield "silent", plain("silent", "silent.test", domain="silent.test")

    yield "changed-body", change(plain("changed-body"), b"Minutes of changed", b"Minutes 0f changed")
    yield "changed-from", change(plain("changed-from"), b"From: Alice <alice@", b"From: Alice <bob@")
    yield "changed-subject", change(plain("changed-subject"), b"Subject: Minutes", b"Subject: minutes")
    yield "second-from", b"From: Bob <bob@sender.test>\r\n" + plain("second-from")
    yield "second-subject", b"Subject: Another\r\n" + plain("second-subject")
    yield "second-type", b"Content-Type: text/plain\r\n" + plain("second-type")
    bad = sign(message("one-of-two"), selector="revoked").split(b"From: ")[0].split(b"Received: ")[0]
    yield "one-of-two", bad + plain("one-of-two")
    yield "too-many", bad * 10 + plain("too-many")
    for selector in ("revoked", "testing", "absent", "doubled", "not-mail", "other-kind"):
        yield selector, plain(selector, selector=selector)
    yield "agent", plain("agent", selector="own-domain", identity="alice@mail.sender.test")
    yield "own-domain", plain("own-domain", selector="own-domain", identity="alice@sender.test")

    yield "arc", seal(footer(plain("arc")))
    yield "arc-microsoft", seal_as_microsoft(footer(plain("arc-microsoft")))
    hop = seal(plain("arc-two-hops"), domain="other.test")
    yield "arc-two-hops", seal(footer(hop), arc="pass")
    yield "arc-last-unlisted", seal(seal(footer(plain("arc-last-unlisted"))), domain="other.test", arc="pass")
    yield "arc-saw-fail", seal(footer(plain("arc-saw-fail")), results="dmarc=fail header.from=sender.test")
    yield "arc-saw-another", seal(footer(plain("arc-saw-another")), results="dmarc=pass header.from=other.test")
    lied = seal(footer(plain("arc-results-changed")), results="dmarc=fail header.from=sender.test")
    at = lied.index(b"dmarc=fail")
    yield "arc-results-changed", lied[:at] + b"dmarc=pass" + lied[at + 10:]
    yield "arc-changed-since", footer(seal(plain("arc-changed-since")))
    yield "arc-cv-fail", seal(footer(hop).replace(b"arc-two-hops", b"arc-cv-fail"), arc="fail")
    yield "arc-hop-missing", change(seal(footer(hop), arc="pass"), b"ARC-Seal: i=1", b"X-Seal: i=1").replace(
        b"arc-two-hops", b"arc-hop-missing")
    # The last sealer is believed, but what it found sound is not.
    forged = seal(plain("arc-forged-hop"), domain="other.test")
    forged = change(forged, b"cv=none; a=rsa-sha256; d=other.test", b"cv=none; a=rsa-sha256; d=sender.test")
    yield "arc-forged-hop", seal(footer(forged), arc="pass")
    yield "arc-unsealed", seal(footer(plain("arc-unsealed"))).split(b"\r\n", 0)[0].replace(b"ARC-Seal", b"X-Seal", 1)


def record(name, value):
    pieces = " ".join(f'"{value[at:at + 200]}"' for at in range(0, len(value), 200)) or '""'
    return f"local-data: '{name}. 60 IN TXT {pieces}'"


def zone():
    public = rsa_public(2048)
    for domain in ("sender.test", "mail.sender.test", "mail.sub.sender.test", "strict.test", "mail.strict.test",
                   "bare.test", "other.test", "lists.test"):
        yield record(f"rsa2048._domainkey.{domain}", f"v=DKIM1; k=rsa; p={public}")
    for bits in (512, 768, 1024, 4096):
        yield record(f"rsa{bits}._domainkey.sender.test", f"v=DKIM1; p={rsa_public(bits)}")
    yield record("ed25519._domainkey.sender.test", f"v=DKIM1; k=ed25519; p={ed25519_public()}")
    for selector, published in (
        ("revoked", "v=DKIM1; k=rsa; p="),
        ("testing", f"v=DKIM1; t=y; p={public}"),
        ("doubled", f"v=DKIM1; p={public}"),
        ("doubled", f"v=DKIM1; p={rsa_public(1024)}"),
        ("not-mail", f"v=DKIM1; s=tlsrpt; p={public}"),
        ("other-kind", f"v=DKIM1; k=ed25519; p={ed25519_public()}"),
        ("own-domain", f"v=DKIM1; t=s; p={public}"),
    ):
        yield record(f"{selector}._domainkey.sender.test", published)
    yield record("_dmarc.sender.test", "v=DMARC1; p=reject; rua=mailto:dmarc@sender.test")
    yield record("_dmarc.strict.test", "v=DMARC1; p=none; adkim=s")
    yield record("_dmarc.other.test", "v=DMARC1; p=none")


def main():
    target = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else HERE
    folder = target / "mails"
    folder.mkdir(parents=True, exist_ok=True)
    for name, mail in mails():
        (folder / f"{name}.eml").write_bytes(mail)
    (target / "zone.conf").write_text("".join(f"{line}\n" for line in zone()))


if __name__ == "__main__":
    main()
