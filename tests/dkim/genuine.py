#!/usr/bin/env python3
"""Makes a thousand honest mails, each signed for its From, that tests/honest.rs has filed.

    genuine.py DIR [COUNT]      writes DIR/*.eml, DIR/mails.jsonl and DIR/zone.conf

No two are alike: sizes, charsets, transfer encodings, attachments, folded and internationalised headers, canonical
forms, keys, what is signed. The same in each run; dkimpy signs, with the keys of sign.py. A line of mails.jsonl names
a file, the user that sent it, the address, and its domain in ASCII.
"""
import base64
import json
import pathlib
import random
import sys

import sign
from sign import MADE, SIGNED, Tweak

DOMAINS = ["genuine.test", "mail.genuine.test", "a-b.test", "deep.sub.genuine.test", "xn--mnchen-3ya.test"]
UNICODE = {"xn--mnchen-3ya.test": "münchen.test"}
PEOPLE = {"alice": "Alice Example", "a.b": "A. B.", "o'neil": "Sean O'Neil", "bob+tag": "Bob (Sales)", "info": "",
          "j.m-1": "Müller, Jürgen", "yuki": "山田 雪", "x=y": "X & Y", "2026": "2026", "jörg": "Jörg"}
TEXTS = [("us-ascii", "See what is attached.  Regards,\tAlice"), ("utf-8", "Grüße aus München – 100 € 山田 🗎"),
         ("iso-8859-1", "Grüße aus Zürich"), ("iso-8859-15", "Das macht 100 €"), ("windows-1252", "“Quoted” – 5 €"),
         ("koi8-r", "Отчёт во вложении"), ("shift_jis", "資料を添付します"), ("iso-2022-jp", "資料を添付します"),
         ("gb18030", "请查收附件"), ("euc-kr", "첨부 파일을 확인하세요"), ("big5", "請查收附件")]


def fold(text, rng):
    """Broken at some of its blanks."""
    return "".join(rng.choice(["\r\n ", "\r\n\t", " "]) if c == " " and rng.random() < 0.3 else c for c in text)


def word(text, rng):
    """An encoded word (RFC 2047), whole."""
    charset = rng.choice(["utf-8", "UTF-8"])
    if rng.random() < 0.5:
        return f"=?{charset}?B?{base64.b64encode(text.encode()).decode()}?="
    plain = lambda byte: chr(byte).isascii() and chr(byte).isalnum()
    letters = "".join(chr(byte) if plain(byte) else f"={byte:02X}" for byte in text.encode())
    return f"=?{charset}?Q?{letters}?="


def sender(rng, login, domain):
    """The value of From, and the address in it."""
    shown = UNICODE.get(domain, domain) if not login.isascii() or rng.random() < 0.3 else domain
    shown = shown.upper() if shown.isascii() and rng.random() < 0.1 else shown
    address, name = f"{login}@{shown}", PEOPLE[login]
    plain = all(c.isalnum() and c.isascii() or c == " " for c in name)
    how = rng.randrange(6)
    if how == 0 or not name:
        return rng.choice([address, f"<{address}>"]), address
    if how == 1:
        return f"{word(name, rng)} <{address}>", address
    if how == 2 and plain:
        return f"{name}\r\n <{address}>", address
    if how == 3 and name.isascii():
        return f'"{name}"<{address}>', address
    return (f'"{name}"' if name.isascii() or rng.random() < 0.5 else word(name, rng)) + f" <{address}>", address


def lines(data, width=76):
    text = base64.b64encode(data).decode()
    return "\r\n".join(text[at:at + width] for at in range(0, len(text), width)).encode()


def quoted_printable(data):
    out, line = [], ""
    for byte in data:
        piece = chr(byte) if 33 <= byte <= 126 and byte != 61 or byte == 32 else f"={byte:02X}"
        if len(line) + len(piece) > 75:
            out.append(line + "=")
            line = ""
        line += piece
    return "\r\n".join(out + [line]).replace(" \r\n", "=20\r\n").encode()


def text(rng, kind="plain"):
    """A text in some charset and transfer encoding: fields and body."""
    charset, words = rng.choice(TEXTS)
    said = " ".join([words] * rng.choice([1, 1, 3, 40]))
    data = (f"<p>{said}</p>" if kind == "html" else said).encode(charset)
    encoding = rng.choice(["base64", "quoted-printable", "7bit" if max(data) < 128 else "8bit"])
    if encoding == "base64":
        data = lines(data)
    elif encoding == "quoted-printable":
        data = quoted_printable(data)
    flowed = "; format=flowed" if kind == "plain" and rng.random() < 0.2 else ""
    quote = rng.choice(['"', ""])
    return (f"Content-Type: text/{kind}; charset={quote}{charset}{quote}{flowed}\r\n"
            f"Content-Transfer-Encoding: {encoding}\r\n").encode(), data


def attachment(rng, nth):
    name, size = f"report {nth}.pdf", rng.choice([0, 10, 1000, 30_000, 200_000] if rng.random() < 0.2 else [10, 3000])
    kind = rng.randrange(6)
    if kind == 0:
        inner = (f"From: carol@elsewhere.test\r\nSubject: forwarded {nth}\r\n\r\nInner text\r\n").encode()
        return b"Content-Type: message/rfc822\r\nContent-Disposition: attachment\r\n", inner
    if kind == 1:
        data = "name;sum\r\nMüller;1,50\r\n".encode("iso-8859-1") * rng.choice([1, 50])
        return (b'Content-Type: text/csv; charset=iso-8859-1; name="list.csv"\r\n'
                b"Content-Transfer-Encoding: 8bit\r\nContent-Disposition: attachment\r\n"), data
    if kind == 2:
        disposition = "attachment;\r\n filename*=utf-8''%C3%9Cbersicht%20" + f"{nth}.pdf"
    elif kind == 3:
        disposition = f'attachment;\r\n\tfilename="{word(f"Übersicht {nth}.pdf", rng)}"'
    else:
        disposition = f'attachment; filename="{name}"'
    fields = f"Content-Type: application/pdf\r\nContent-Transfer-Encoding: base64\r\nContent-Disposition: {disposition}\r\n"
    return fields.encode(), lines(rng.randbytes(size))


def multipart(rng, kind, parts):
    mark = f"=_{rng.getrandbits(64):016x}"
    body = b"".join(b"--%s\r\n%s\r\n%s\r\n" % (mark.encode(), fields, data) for fields, data in parts)
    preamble = b"This is a message in MIME format.\r\n" if rng.random() < 0.3 else b""
    return f'Content-Type: multipart/{kind};\r\n boundary="{mark}"\r\n'.encode(), preamble + body + f"--{mark}--\r\n".encode()


def content(rng):
    """The fields of MIME, and the body."""
    kind = rng.randrange(5)
    if kind == 0:
        fields, body = text(rng)
    elif kind == 1:
        fields, body = multipart(rng, "alternative", [text(rng), text(rng, "html")])
    else:
        first = text(rng) if kind < 4 else multipart(rng, "alternative", [text(rng), text(rng, "html")])
        fields, body = multipart(rng, "mixed", [first] + [attachment(rng, n) for n in range(rng.randint(1, 3))])
    # What the canonical forms differ in.
    return fields, body + rng.choice([b"", b"\r\n", b" \t\r\n", b"\r\n\r\n\r\n", b"-- \r\nsignature  with \t blanks \r\n"])


def message(rng, nth):
    login, domain = rng.choice(list(PEOPLE)), rng.choice(DOMAINS)
    value, address = sender(rng, login, domain)
    subject = rng.choice(["", "Minutes", "Minutes  of   the  board " * rng.randint(1, 6), word("Übersicht 山田", rng),
                          word("Rechnung für", rng) + " " + word("März €", rng), "Grüße (unencoded)"])
    fields = [
        ("Received", f"from app ([192.0.2.7])\r\n\tby mail.{domain} with ESMTPSA id {nth}; Sat, 21 Nov 2026 04:00:00 +0000"),
        ("From", value), ("To", fold(", ".join(f"p{n}@docs.example.org" for n in range(rng.choice([1, 2, 30]))), rng)),
        ("Subject", fold(subject, rng).rstrip()), ("Message-ID", f"<{nth}.{rng.getrandbits(32):x}@{domain}>"),
        ("Date", f"Sat, 21 Nov 2026 {nth % 24:02}:00:00 {rng.choice(['+0000', '-0800', '+0530'])}"), ("MIME-Version", "1.0"),
    ]
    extra = [("Cc", "Carol <carol@elsewhere.test>"), ("Reply-To", f"<{address}>"), ("References", fold("<1@a.test> <2@b.test>", rng)),
             ("List-Unsubscribe", "<https://a.test/?x=1;y=2>,\r\n <mailto:u@a.test>"), ("X-Mailer", "Example; v=1; d=other.test"),
             ("Importance", "high"), ("Thread-Index", "Adc+/1234=="), ("User-Agent", "Mail (X11; ü)")]
    fields += rng.sample(extra, rng.randint(0, 4))
    fields[1:] = rng.sample(fields[1:], len(fields) - 1)
    colon = rng.choice([": ", ":", ":  "])
    case = rng.choice([str, str, str.upper, str.lower])
    header = "".join(f"{case(name)}{colon}{value}\r\n" for name, value in fields).encode()
    mime, body = content(rng)
    return header + mime + b"\r\n" + body, login, domain, address


def signed(rng, mail, domain):
    """With one signature that speaks for its domain, and perhaps others."""
    def one(mail, domain, selector):
        form = rng.choice(["relaxed/relaxed", "relaxed/relaxed", "relaxed/simple", "simple/simple", "simple/relaxed"])
        fields = rng.choice([SIGNED, SIGNED + ["from", "subject"], SIGNED + ["cc", "reply-to", "references"], ["from"], None])
        tweak = rng.choice([None, Tweak([("x", "4102444800")]), Tweak(made=MADE + 7)])
        who = rng.choice([None, f"@{domain}", f"bounce@news.{domain}"])
        key = sign.rsa(int(selector[3:])) if selector.startswith("rsa") else None
        return sign.sign(mail, domain, selector, key, form, fields or sorted(names(mail)), tweak, identity=who)

    selector = rng.choices(["rsa2048", "rsa1024", "ed25519", "rsa4096"], [10, 6, 6, 1])[0]
    # The organisation signs for its departments.
    signer = "genuine.test" if domain.endswith(".genuine.test") and rng.random() < 0.4 else domain
    others = rng.randrange(8)
    if others == 0:
        mail = one(mail, "esp.test", "rsa1024")
    elif others == 1:
        mail = one(mail, signer, "ed25519")
    mail = one(mail, signer, selector)
    return one(mail, "esp.test", "rsa1024") if others == 2 else mail


def names(mail):
    """Every field but what changes on the way."""
    header = mail.split(b"\r\n\r\n")[0].split(b"\r\n")
    found = {line.split(b":")[0].decode().lower() for line in header if line[:1] not in b" \t"}
    return found - {"received", "dkim-signature"}


def zone():
    for domain in DOMAINS + ["esp.test"]:
        for bits in (1024, 2048, 4096):
            kind = "" if bits == 1024 else " k=rsa;"
            yield sign.record(f"rsa{bits}._domainkey.{domain}", f"v=DKIM1;{kind} p={sign.rsa_public(bits)}")
        yield sign.record(f"ed25519._domainkey.{domain}", f"v=DKIM1; k=ed25519; h=sha256; p={sign.ed25519_public()}")
    for domain in ("genuine.test", "a-b.test", "xn--mnchen-3ya.test"):
        yield sign.record(f"_dmarc.{domain}", "v=DMARC1; p=reject; adkim=r")


def main():
    target, count = pathlib.Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 1000
    target.mkdir(parents=True, exist_ok=True)
    rng, listed = random.Random(1), []
    for nth in range(count):
        mail, login, domain, address = message(rng, nth)
        file = f"{nth:04}.eml"
        (target / file).write_bytes(signed(rng, mail, domain))
        listed.append({"file": file, "user": f"user{list(PEOPLE).index(login)}", "address": address, "domain": domain})
    (target / "mails.jsonl").write_text("".join(json.dumps(one) + "\n" for one in listed))
    (target / "zone.conf").write_text("".join(f"{line}\n" for line in zone()))


main()
