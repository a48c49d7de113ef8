#!/usr/bin/env python3
"""Hostile mail, made: several thousand cases of what strangers send, always the same.

    python3 tests/hostile/make.py DIR

writes each into DIR, as it stands in a drop folder; run.py files them and judges what became of them. A case has a class
(one of CLASSES), a trick, and what must hold of it:

* `files`: what the mail holds, and some reader sees in it. Each must be filed, or stand in an original that is filed, or the outcome says why not.
* `ends`: the outcomes it may have: `filed`, or a reason for rejecting it.
* `identity`: whether it is filed as the user that its From names and our own server vouches for; None: either.
* `ambiguous`: whether readers may find other parts in it; None: as the readers that run.py asks disagree.

Every mail bears a From of a user and passing Authentication-Results of our own server, unless its trick is about these:
what costs it the identity is the trick and nothing else.
"""

import base64
import binascii
import dataclasses
import itertools
import pathlib
import quopri
import struct
import sys

USER = b"alice@example.net"
OURS = b"mx.docs.example.org"
ENVELOPE = b"x-sender: alice@example.net\nx-receiver: all@docs.example.org\n"
RESULTS = b"Authentication-Results: " + OURS + b"; dmarc=pass header.from=example.net\n"
RECEIVED = b"Received: from mail.example.net by " + OURS + b"; Sat, 21 Nov 2026 04:00:00 +0000\n"
FROM = b"From: Alice <" + USER + b">\n"
FILED = ("filed",)
CLASSES = {}


@dataclasses.dataclass
class Case:
    trick: str
    mail: bytes
    files: tuple = ()
    ends: tuple = FILED
    identity: bool | None = None
    ambiguous: bool | None = None
    kind: str = ""
    number: int = 0

    @property
    def name(self):
        return f"{self.number:05}-{self.kind}.eml"


def of_class(function):
    """Adds a generator of cases to the classes, under its name."""
    CLASSES[function.__name__.replace("_", "-")] = function
    return function


# What cases are made of --------------------------------------------------------------------------------------------

COUNT = itertools.count()


def content():
    """Bytes that no other case has."""
    return b"%PDF-1.4 the content of file " + str(next(COUNT)).encode() + b"\n"


def encoded(data, how):
    """`data` in a transfer encoding, with the field that says so."""
    if how == "base64":
        return b"Content-Transfer-Encoding: base64\n", base64.encodebytes(data)
    if how == "quoted-printable":
        return b"Content-Transfer-Encoding: quoted-printable\n", quopri.encodestring(data)
    return b"", data


def part(data, how="base64", name=b"a.pdf", media=b"application/pdf"):
    """A file as one part, header and body."""
    field, body = encoded(data, how)
    head = b"Content-Type: " + media + b"\nContent-Disposition: attachment; filename=\"" + name + b"\"\n"
    return head + field + b"\n" + body.rstrip(b"\n") + b"\n"


WORDS = b"Content-Type: text/plain\n\nSee below.\n"


def multipart(*parts, boundary=b"BOUND", subtype=b"mixed"):
    """The header and the body of a multipart."""
    body = b"".join(b"--" + boundary + b"\n" + one for one in parts)
    head = b"Content-Type: multipart/" + subtype + b"; boundary=\"" + boundary + b"\"\n"
    return head, body + b"--" + boundary + b"--\n"


def mail(
    head=b"", body=b"Hi.\n", *, envelope=ENVELOPE, results=RESULTS, received=RECEIVED, sender=FROM, subject=b"A case", eol=b"\r\n"
):
    """A mail of such a header and body, each line ending in `eol`; a line break written `\\x0b` stays a bare LF."""
    number = str(next(COUNT)).encode()
    named = b"Subject: " + subject + b"\nMessage-ID: <" + number + b"@example.net>\nMIME-Version: 1.0\n"
    whole = envelope + results + received + sender + named + head + b"\n" + body
    return whole.replace(b"\n", eol).replace(b"\x0b", b"\n")


# Structure ---------------------------------------------------------------------------------------------------------


def header(old, new):
    return lambda head, body: (head.replace(old, new), body)


def inside(old, new, count=-1):
    return lambda head, body: (head, body.replace(old, new, count))


def last(old, new):
    def trick(head, body):
        start, _, end = body.rpartition(old)
        return head, start + new + end

    return trick


def around(before=b"", after=b""):
    return lambda head, body: (head, before + body + after)


EXTRA = b"--BOUND\nContent-Type: text/csv; name=\"evil.csv\"\nContent-Disposition: attachment\n\nevil,evil\n"
NESTED = b"--OTHER\nContent-Type: text/csv; name=\"evil.csv\"\n\nevil,evil\n--OTHER--\n"

# A trick by its name: what it does to the header and the body of a multipart, and whether readers differ on it for
# certain. Where that is not said the readers are asked.
STRUCTURE = {
    "two boundaries": (header(b'"BOUND"', b'"BOUND"; boundary="OTHER"'), True),
    "two boundaries, the other first": (header(b"boundary=", b'boundary="OTHER"; boundary='), True),
    "two boundaries, other letters": (header(b'"BOUND"', b'"BOUND"; BOUNDARY="OTHER"'), True),
    "a boundary in pieces": (header(b'boundary="BOUND"', b'boundary*0="BO"; boundary*1="UND"'), True),
    "a boundary in pieces and whole": (header(b'"BOUND"', b'"BOUND"; boundary*0="OTHER"'), True),
    "an encoded boundary": (header(b'boundary="BOUND"', b"boundary*=us-ascii''%42OUND"), True),
    "an encoded boundary beside a plain one": (header(b'"BOUND"', b"\"OTHER\"; boundary*=us-ascii''BOUND"), True),
    "an encoded word for a boundary": (header(b'"BOUND"', b'"=?utf-8?q?BOUND?="'), True),
    "a blank boundary": (header(b'"BOUND"', b'" "'), True),
    "an empty boundary": (header(b'"BOUND"', b'""'), True),
    "no boundary": (header(b'; boundary="BOUND"', b""), True),
    "a boundary that ends in a blank": (header(b'"BOUND"', b'"BOUND "'), None),
    "a boundary that begins with a blank": (header(b'"BOUND"', b'" BOUND"'), None),
    "a NUL in the boundary": (header(b"BOUND", b"BO\0UND"), True),
    "a NUL behind the boundary": (header(b"BOUND\"", b"BOUND\0\""), True),
    "a tab in the boundary": (header(b"BOUND", b"BO\tUND"), True),
    "a comment behind the boundary": (header(b'"BOUND"', b"BOUND (comment)"), True),
    "a comment before the boundary": (header(b'"BOUND"', b'(comment)"BOUND"'), True),
    "a comment in a bare boundary": (header(b'"BOUND"', b"BOUND(OTHER)"), True),
    "a comment for a type": (header(b"multipart/mixed", b"multipart/mixed (text/plain)"), None),
    "a comment in the type": (header(b"multipart/mixed", b"multipart(x)/mixed"), None),
    "a comment before the type": (header(b"multipart/mixed", b"(text/plain) multipart/mixed"), None),
    "an escape in the boundary": (header(b'"BOUND"', b'"BO\\UND"'), True),
    "a quote in the boundary": (header(b'"BOUND"', b'"BO"UND"'), True),
    "a quote never closed": (header(b'"BOUND"', b'"BOUND'), True),
    "a boundary in angle brackets": (lambda head, body: tuple(x.replace(b"BOUND", b"<BOUND>") for x in (head, body)), True),
    "a boundary like an encoded word": (
        lambda head, body: tuple(x.replace(b"BOUND", b"=?utf-8?q?BOUND?=") for x in (head, body)),
        True,
    ),
    "quotes in two parameters around the boundary": (header(b'boundary="BOUND"', b'x=a"b; boundary=BOUND; y=d"; z=e'), True),
    "a quote in a parameter before the boundary": (header(b'boundary="BOUND"', b"x='\"=[ ; boundary=BOUND; z=1"), True),
    "an escaped quote before a boundary": (header(b"boundary=", b'x="a\\"; boundary=OTHER; y="; boundary='), True),
    "a parameter without a value": (header(b"boundary=", b"x*0=; boundary="), True),
    "single quotes": (header(b'"BOUND"', b"'BOUND'"), None),
    "words behind the boundary": (header(b'"BOUND"', b'"BOUND" OTHER'), True),
    "no semicolon before the boundary": (header(b"; boundary", b" boundary"), True),
    "a comma before the boundary": (header(b"; boundary", b", boundary"), True),
    "two semicolons": (header(b"; boundary", b";; boundary"), None),
    "a blank before the equals sign": (header(b"boundary=", b"boundary ="), None),
    "a blank behind the equals sign": (header(b"boundary=", b"boundary= "), None),
    "a fold in the boundary": (header(b"BOUND", b"BO\n UND"), True),
    "a fold for a blank in the boundary": (
        lambda head, body: (head.replace(b"BOUND", b"BO\n UND"), body.replace(b"BOUND", b"BO UND")),
        True,
    ),
    "a blank in the boundary": (lambda head, body: tuple(x.replace(b"BOUND", b"BO UND") for x in (head, body)), None),
    "a boundary that ends in dashes": (lambda head, body: tuple(x.replace(b"BOUND", b"BOUND---") for x in (head, body)), None),
    "a boundary of dashes": (lambda head, body: tuple(x.replace(b"BOUND", b"------") for x in (head, body)), None),
    "a fold behind the equals sign": (header(b"boundary=", b"boundary=\n "), None),
    "a fold before the boundary": (header(b"; boundary", b";\n\tboundary"), None),
    "two line breaks for a fold": (header(b"; boundary", b";\n \n boundary"), None),
    "a type in capitals": (header(b"multipart/mixed; boundary", b"MULTIPART/MIXED; BOUNDARY"), False),
    "a bare boundary": (header(b'"BOUND"', b"BOUND"), False),
    "a long boundary": (lambda head, body: tuple(x.replace(b"BOUND", b"B" * 200) for x in (head, body)), None),
    "two Content-Types": (lambda head, body: (head + b"Content-Type: text/plain\n", body), True),
    "two Content-Types, text first": (lambda head, body: (b"Content-Type: text/plain\n" + head, body), True),
    "two Content-Types of two boundaries": (
        lambda head, body: (head + b"Content-Type: multipart/mixed; boundary=OTHER\n", body + NESTED),
        True,
    ),
    "a blank before the colon": (header(b"Content-Type:", b"Content-Type :"), True),
    "a blank before the field": (header(b"Content-Type:", b" Content-Type:"), None),
    "a blank in the field": (header(b"Content-Type:", b"Content- Type:"), None),
    "a line of blanks in the header": (lambda head, body: (b"X-A: 1\n \n" + head, body), None),
    "a line of blanks in the header of a part": (inside(b"Content-Disposition", b"X-A: 1\n\t\nContent-Disposition"), True),
    "a bare LF in the header": (lambda head, body: (b"X-A: 1\x0b" + head, body), None),
    "a bare LF in the header of a part": (inside(b"Content-Disposition", b"X-A: 1\x0bContent-Disposition"), None),
    "a NUL before the colon": (header(b"Content-Type:", b"Content-Type\0:"), None),
    "a junk line above the type": (lambda head, body: (b"junk\n" + head, body), None),
    "a junk line below the type": (lambda head, body: (head + b"junk\nX-More: 1\n", body), None),
    "a bare CR in the header": (header(b"; boundary", b";\r boundary"), None),
    "a bare CR before a field": (lambda head, body: (b"X-A: 1\rContent-Type: text/plain\n" + head, body), None),
    "a bare CR for the empty line": (lambda head, body: (head + b"X-A: 1\r\r--OTHER\r", body), None),
    "an encoded multipart": (lambda head, body: (head + b"Content-Transfer-Encoding: base64\n", body), None),
    "a multipart called quoted-printable": (
        lambda head, body: (head + b"Content-Transfer-Encoding: quoted-printable\n", body),
        None,
    ),
    "a multipart that is encoded": (
        lambda head, body: (head + b"Content-Transfer-Encoding: base64\n", base64.encodebytes(body)),
        True,
    ),
    "a multipart that is quoted-printable": (
        lambda head, body: (head + b"Content-Transfer-Encoding: quoted-printable\n", b"=2D" + body[1:]),
        True,
    ),
    "a comment in the encoding": (inside(b"Encoding: base64", b"Encoding: ba(x)se64"), None),
    "an encoding without its hyphen": (inside(b"Encoding: quoted-printable", b"Encoding: quotedprintable"), None),
    "two transfer encodings": (
        lambda head, body: (
            head,
            body.replace(b"\n\n", b"\nContent-Transfer-Encoding: 7bit\nContent-Transfer-Encoding: base64\n\n", 1),
        ),
        True,
    ),
    "a part with two types": (inside(b"Content-Type: application", b"Content-Type: text/plain\nContent-Type: application"), True),
    "a part with two dispositions": (
        inside(b"Content-Disposition:", b"Content-Disposition: inline\nContent-Disposition:"),
        True,
    ),
    "a part with a junk line": (inside(b"Content-Disposition", b"junk\nContent-Disposition"), True),
    "a part whose header begins with a blank": (inside(b"--BOUND\nContent-Type: app", b"--BOUND\n Content-Type: app"), None),
    "a part without an empty line": (inside(b"\n\nSee", b"\nSee"), True),
    "a part with a line of blanks for an empty one": (inside(b"\n\nSee", b"\n \nSee"), True),
    "a part with a bare CR for an empty line": (inside(b"\n\nSee", b"\n\r\nSee"), None),
    "a part without a header": (inside(b"Content-Type: text/plain\n\nSee", b"\nSee"), None),
    "a part of a header alone": (inside(b"--BOUND\n", b"--BOUND\nContent-Type: text/html\n", 1), None),
    "a header without a body": (inside(b"--BOUND\n", b"--BOUND\nContent-Type: text/html\n--BOUND\n", 1), None),
    "a header without a body, and blanks": (inside(b"--BOUND\n", b"--BOUND\nContent-Type: text/html\n\t\n--BOUND\n", 1), None),
    "an empty part": (inside(b"--BOUND\n", b"--BOUND\n--BOUND\n", 1), None),
    "a preamble": (around(before=b"This is a multi-part message in MIME format.\n\n"), False),
    "a preamble of parts": (around(before=NESTED), None),
    "a preamble like a header": (around(before=b"Content-Type: text/csv; name=evil.csv\n\nevil\n"), None),
    "an epilogue": (around(after=b"\nA mailing list\n"), False),
    "an epilogue of other parts": (around(after=NESTED), None),
    "a part behind the end": (around(after=EXTRA), True),
    "a part behind the end, ended again": (around(after=EXTRA + b"--BOUND--\n"), True),
    "an end before the first part": (around(before=b"--BOUND--\n"), True),
    "an end in the midst": (inside(b"--BOUND\nContent-Type: app", b"--BOUND--\n--BOUND\nContent-Type: app"), True),
    "never closed": (last(b"--BOUND--\n", b""), None),
    "closed with one dash": (last(b"--BOUND--", b"--BOUND-"), None),
    "closed with three dashes": (last(b"--BOUND--", b"--BOUND---"), None),
    "closed with words behind it": (last(b"--BOUND--", b"--BOUND-- the end"), None),
    "closed without a line break": (last(b"--BOUND--\n", b"--BOUND--"), None),
    "a delimiter with blanks": (inside(b"--BOUND\n", b"--BOUND \t\n"), None),
    "a delimiter with words behind it": (inside(b"--BOUND\nContent-Type: app", b"--BOUND x\nContent-Type: app"), None),
    "a delimiter with a NUL behind it": (inside(b"--BOUND\nContent-Type: app", b"--BOUND\0\nContent-Type: app"), None),
    "a delimiter with a vertical tab behind it": (
        inside(b"--BOUND\nContent-Type: app", b"--BOUND\x0c\nContent-Type: app"),
        None,
    ),
    "a delimiter behind a blank": (inside(b"--BOUND\nContent-Type: app", b" --BOUND\nContent-Type: app"), None),
    "a delimiter with three dashes": (inside(b"--BOUND\nContent-Type: app", b"---BOUND\nContent-Type: app"), None),
    "a delimiter in other letters": (inside(b"--BOUND\nContent-Type: app", b"--bound\nContent-Type: app"), None),
    "a delimiter in the midst of a line": (inside(b"See", b"see --BOUND\nContent-Type: text/csv\n\nevil\nSee"), None),
    "a delimiter behind a bare CR": (inside(b"See", b"see\r--BOUND\rContent-Type: text/csv\r\revil\rSee"), None),
    "a delimiter that ends in a bare CR": (inside(b"See", b"see\n--BOUND\rContent-Type: text/csv\r\revil\nSee"), None),
    "a delimiter behind a bare LF": (inside(b"--BOUND\nContent-Type: app", b"\x0b--BOUND\x0bContent-Type: app"), None),
    "a delimiter behind two CRs": (inside(b"--BOUND\nContent-Type: app", b"\r--BOUND\r\nContent-Type: app"), None),
    "an almost delimiter": (inside(b"See", b"--BOUN\n--BOUNDS\n--BOUND.\nSee"), None),
    "an inner multipart of the same boundary": (
        inside(WORDS, b"\n".join(multipart(WORDS))),
        None,
    ),
    "an inner boundary that is the end of the outer": (
        inside(WORDS, b"\n".join(multipart(WORDS, boundary=b"BOUND--"))),
        True,
    ),
    "an inner boundary that begins with the outer": (
        inside(WORDS, b"\n".join(multipart(WORDS, boundary=b"BOUND-1"))),
        None,
    ),
    "an inner boundary the outer begins with": (
        inside(WORDS, b"\n".join(multipart(WORDS, boundary=b"BOUN"))),
        None,
    ),
    "an inner multipart never closed": (
        inside(WORDS, b"Content-Type: multipart/mixed; boundary=IN\n\n--IN\n" + WORDS),
        None,
    ),
    "an inner multipart without parts": (inside(WORDS, b"Content-Type: multipart/mixed; boundary=IN\n\nwords\n"), True),
    "a forwarded message that closes it": (
        inside(WORDS, b"Content-Type: message/rfc822\n\nSubject: x\n\n--BOUND--\n--BOUND\n" + WORDS),
        True,
    ),
    "a forwarded message of the same boundary": (
        inside(WORDS, b"Content-Type: message/rfc822\n\nSubject: x\n" + b"\n".join(multipart(WORDS)) ),
        None,
    ),
    "a forwarded message never closed": (
        inside(WORDS, b"Content-Type: message/rfc822\n\nContent-Type: multipart/mixed; boundary=IN\n\n--IN\n" + WORDS),
        None,
    ),
    "a forwarded message without parts": (
        inside(WORDS, b"Content-Type: message/rfc822\n\nContent-Type: multipart/mixed; boundary=IN\n\n--IN--\n"),
        None,
    ),
    "a forwarded message cut short in its header": (
        inside(WORDS, b"Content-Type: message/rfc822\n\nSubject: x\nContent-Type: multipart/mixed; boundary=IN\n"),
        None,
    ),
    "a forwarded message cut short in the header of a part": (
        inside(
            WORDS,
            b"Content-Type: message/rfc822\n\nContent-Type: multipart/mixed; boundary=IN\n\n--IN\nContent-Type: text/html\n",
        ),
        None,
    ),
    "a forwarded message that is none": (inside(WORDS, b"Content-Type: message/rfc822\n\nwords\n"), None),
    "a forwarded message without anything": (inside(WORDS, b"Content-Type: message/rfc822\n\n"), None),
    "a forwarded message, encoded": (
        inside(
            WORDS,
            b"Content-Type: message/rfc822\nContent-Transfer-Encoding: base64\n\n"
            + base64.encodebytes(b"Subject: x\n" + b"\n".join(multipart(WORDS, boundary=b"IN"))),
        ),
        None,
    ),
    "a type that is none": (header(b"multipart/mixed", b"multipart"), None),
    "an unknown subtype": (header(b"multipart/mixed", b"multipart/x-unknown"), None),
    "a type with a slash too many": (header(b"multipart/mixed", b"multipart/mixed/x"), None),
    "a type with blanks": (header(b"multipart/mixed", b"multipart / mixed"), None),
    "quotes around the type": (header(b"multipart/mixed", b'"multipart/mixed"'), None),
    "an encoded word for a type": (header(b"multipart/mixed", b"=?utf-8?q?multipart/mixed?="), None),
    "text called a multipart": (inside(b"text/plain", b"multipart/alternative", 1), None),
    "no MIME-Version": (header(b"Content-Type", b"X-None: 1\nContent-Type"), None),
}


@of_class
def structure():
    """Every trick on the multipart itself, and on one inside another; the file in each encoding; both line ends."""
    for (trick, (apply, ambiguous)), inner, how, subtype, eol in itertools.product(
        STRUCTURE.items(), (False, True), ("base64", "7bit", "quoted-printable"), (b"mixed", b"related"), (b"\r\n", b"\n")
    ):
        data = content()
        head, body = apply(*multipart(WORDS, part(data, how)))
        head = head.replace(b"multipart/mixed", b"multipart/" + subtype) if subtype != b"mixed" else head
        if inner:
            head, body = multipart(head + b"\n" + body, boundary=b"OUT")
        where = f"{trick}, {'inner' if inner else 'outer'}, {how}"
        yield Case(where, mail(head, body, eol=eol), (data,), ends=("filed", "nothing-to-file"), ambiguous=ambiguous)


# Transfer encodings ------------------------------------------------------------------------------------------------

B64 = {
    "sound": lambda text: text,
    "early padding": lambda text: base64.b64encode(base64.b64decode(text)[:7]) + b"\n" + text,
    "padding in the midst": lambda text: text[:8] + b"==" + text[8:],
    "padding behind every group": lambda text: b"".join(base64.b64encode(base64.b64decode(text)[i : i + 1]) for i in range(20)),
    "no padding": lambda text: text.replace(b"=", b""),
    "too much padding": lambda text: text.rstrip() + b"====\n",
    "junk between": lambda text: b"*".join(text[i : i + 4] for i in range(0, len(text), 4)),
    "dashes of URLs": lambda text: text.replace(b"\n", b"").replace(b"+", b"-").replace(b"/", b"_"),
    "8-bit junk": lambda text: text[:9] + b"\xff\xfe" + text[9:],
    "NULs": lambda text: text[:9] + b"\0\0" + text[9:],
    "a blank line": lambda text: text[:12] + b"\n\n\n" + text[12:],
    "a list's footer": lambda text: text + b"\n_____\nA mailing list\n",
    "a sentence before": lambda text: b"Here it comes:\n" + text,
    "cut short": lambda text: text[:21],
    "one character too many": lambda text: text.rstrip(b"=\n") + b"A",
    "blanks": lambda text: b" ".join(text[i : i + 3] for i in range(0, len(text), 3)),
    "one long line": lambda text: text.replace(b"\n", b"") + b"\n",
    "a comment": lambda text: text[:8] + b"(QUJD)" + text[8:],
    "nothing": lambda text: b"",
    "padding alone": lambda text: b"====\n",
}
QP = {
    "sound": lambda text: text,
    "soft breaks everywhere": lambda text: b"=\n".join(text[i : i + 9] for i in range(0, len(text), 9)),
    "a lone equals sign": lambda text: text[:9] + b"= x" + text[9:],
    "an equals sign at the end": lambda text: text.rstrip() + b"=",
    "a blank at the end": lambda text: text.rstrip() + b" ",
    "lower-case digits": lambda text: text + b"=3d=c3=a4\n",
    "no digits": lambda text: text + b"=GG=\xff\n",
    "one digit": lambda text: text + b"=4\n",
    "blanks at the end of lines": lambda text: text + b"a \t \nb\n",
    "blanks behind a soft break": lambda text: text + b"a= \t\nb\n",
    "a bare CR": lambda text: text + b"a\rb=\rc\n",
    "an encoded line break": lambda text: text + b"=0D=0A--BOUND=0D=0A\n",
    "an encoded delimiter": lambda text: text + b"=2D-BOUND\n",
    "8-bit": lambda text: text + b"\xe4\xf6\n",
    "a long line": lambda text: text + b"x" * 2000 + b"\n",
    "NULs": lambda text: text + b"\0=00\n",
}
NAMES_OF_ENCODINGS = (b"%s", b"%s;", b" %s (a comment)", b'"%s"', b"x-%s", b"%s\n 7bit")


@of_class
def transfer_encoding():
    """What travels in an encoding and is broken; how the encoding is called; both in files and in words."""
    for encoding, tricks in (("base64", B64), ("quoted-printable", QP)):
        for (trick, apply), called, inline, eol in itertools.product(
            tricks.items(), NAMES_OF_ENCODINGS, (False, True), (b"\r\n", b"\n")
        ):
            data = content()
            _, text = encoded(data, encoding)
            name = called % encoding.encode()
            disposition = b"inline" if inline else b"attachment; filename=a.pdf"
            head = b"Content-Type: application/pdf\nContent-Disposition: " + disposition + b"\n"
            one = head + b"Content-Transfer-Encoding: " + name + b"\n\n" + apply(text) + b"\n"
            whole = mail(*multipart(WORDS, one), eol=eol)
            sound = trick == "sound" and name == encoding.encode()
            visible = (data,) if sound else ()
            ends = ("filed", "nothing-to-file") if trick in ("nothing", "padding alone") and inline else FILED
            yield Case(f"{encoding} {trick}, called {name!r}", whole, visible, ends=ends, ambiguous=False if sound else None)


# Bombs -------------------------------------------------------------------------------------------------------------


def nested(depth, kind, closed=True):
    """Multiparts or forwarded messages in one another."""
    if kind == "forwarded":
        return b"Content-Type: message/rfc822\n", b"Content-Type: message/rfc822\n\n" * depth + b"Hi.\n"
    if kind == "digest":
        one = b"".join(b"Content-Type: multipart/digest; boundary=B%d\n\n--B%d\n\n" % (n, n) for n in range(depth))
        return one.split(b"\n", 1)[0] + b"\n", one.split(b"\n\n", 1)[1] + b"Hi.\n" if depth else b"Hi.\n"
    head, body = WORDS.split(b"\n\n", 1)
    head += b"\n"
    start = b"".join(b"Content-Type: multipart/mixed; boundary=B%d\n\n--B%d\n" % (n, n) for n in range(depth))
    end = b"".join(b"--B%d--\n" % n for n in reversed(range(depth))) if closed else b""
    first, rest = start.split(b"\n\n", 1) if depth else (head, body)
    return first + b"\n", rest + WORDS + end


def bombs(scale):
    """One bomb of each kind, of a size that grows with `scale`: (name, header, body, other parts of `mail`)."""
    k = 1000 * scale
    yield "multiparts in one another", *nested(25 * k, "mixed"), {}
    yield "multiparts in one another, never closed", *nested(25 * k, "mixed", closed=False), {}
    yield "forwarded messages in one another", *nested(22 * k, "forwarded"), {}
    yield "digests in one another", *nested(25 * k, "digest"), {}
    head, body = nested(31, "mixed")
    yield "thirty-one multiparts around lines", head, body.replace(b"See", b"x\n" * 400 * k + b"See"), {}
    yield "thirty-one multiparts around almost delimiters", head, body.replace(b"See", b"--B1x\n" * 150 * k + b"See"), {}
    yield "parts of one byte", b"Content-Type: multipart/mixed; boundary=B\n", b"--B\n\nx\n" * 100 * k + b"--B--\n", {}
    yield "parts without a body", b"Content-Type: multipart/mixed; boundary=B\n", b"--B\n" * 250 * k + b"--B--\n", {}
    yield "ends", b"Content-Type: multipart/mixed; boundary=B\n", b"--B\n\nx\n" + b"--B--\n" * 200 * k, {}
    yield "almost delimiters", b"Content-Type: multipart/mixed; boundary=B\n", b"--B\n\n" + b"--C\n" * 400 * k + b"--B--\n", {}
    yield "dashes", b"Content-Type: multipart/mixed; boundary=B\n", b"--B\n\n" + b"-" * 1500 * k + b"\n--B--\n", {}
    yield "a boundary of 60,000 dashes", b"Content-Type: multipart/mixed; boundary=" + b"-" * 60000 + b"\n", (b"-" * 60002 + b"x\n") * 25 * scale, {}
    yield "line breaks", b"", b"\n" * 1500 * k, {}
    yield "carriage returns", b"", b"\r" * 1500 * k, {}
    yield "lines of carriage returns", b"", b"\r\r\r\r\r\r\n" * 250 * k, {}
    yield "fields", b"X: y\n" * 300 * k, b"Hi.\n", {}
    yield "fields of a part", *multipart(b"X: y\n" * 300 * k + WORDS), {}
    yield "a header of 10 MB", (b"X-A: " + b"y" * 900 + b"\n") * 11 * k, b"Hi.\n", {}
    yield "one field of 10 MB", b"X-A: " + (b"y" * 900 + b"\n ") * 11 * k + b"\n", b"Hi.\n", {}
    yield "folds", b"X-A: y" + b"\n " * 700 * k + b"\n", b"Hi.\n", {}
    yield "folds of a type", b"Content-Type: text/plain;" + b"\n " * 30 * k + b"\n", b"Hi.\n", {}
    yield "junk lines", b"junk\nA: b\n" * 4 * k, b"Hi.\n", {}
    yield "line after line that is no field", b"junk junk\n" * 150 * k, b"Hi.\n", {}
    for name, one in {
        "pieces": b" name*%d=x;",
        "encoded pieces": b" name*%d*=%%41;",
        "parameters": b" p%d=x;",
        "empty parameters": b";",
        "quoted parameters": b' p%d="x";',
        "quotes never closed": b' p%d="x;',
        "quotes in quotes": b' p%d="x"y";',
        "escapes": b'\\"',
    }.items():
        text = b"".join(one % n if b"%d" in one else one for n in range(8 * k))
        yield f"{name} of a type", b"Content-Type: text/plain;" + text + b"\n", b"Hi.\n", {}
        short = b"".join(one % n if b"%d" in one else one * 40 for n in range(120))
        parts = [b"Content-Type: a/b;" + short + b"\n\nx\n"] * min(900, 300 * scale)
        yield f"{name} in each part", *multipart(*parts), {}
    name = b"Content-Type: a/b; name=\"" + b"=?utf-8?q?" * 5000 + b"\"\n\nx\n"
    yield "encoded words never closed in names", *multipart(*[name] * min(900, 200 * scale)), {}
    name = b"Content-Type: a/b; name=\"" + b"=?utf-8?q?=41?= " * 3500 + b"\"\n\nx\n"
    yield "encoded words in names", *multipart(*[name] * min(900, 200 * scale)), {}
    name = b"Content-Type: a/b; name=\"" + b"=?x?b?" + b"QQ=" * 18000 + b"?=\"\n\nx\n"
    yield "padding in encoded names", *multipart(*[name] * min(900, 200 * scale)), {}
    name = "Content-Type: a/b; name=\"".encode() + "e\u0301\u0323".encode() * 8000 + b"\"\n\nx\n"
    yield "marks in names", *multipart(*[name] * min(900, 200 * scale)), {}
    name = b"Content-Type: a/b; name=\"" + b"\xcc\x81" * 30000 + b".pdf\"\n\nx\n"
    yield "nothing but marks in names", *multipart(*[name] * min(900, 200 * scale)), {}
    name = b"Content-Type: a/b; name=\"" + b"a." * 30000 + b"\"\n\nx\n"
    yield "dots in names", *multipart(*[name] * min(900, 200 * scale)), {}
    yield "one name for all", *multipart(*[b"Content-Type: a/b; name=a.pdf\n\n%d\n" % n for n in range(min(990, 330 * scale))]), {}
    yield "an encoded subject", b"", b"Hi.\n", {"subject": b"=?utf-8?q?=41?= " * 20 * k}
    yield "an encoded subject never closed", b"", b"Hi.\n", {"subject": b"=?utf-8?q?" * 40 * k}
    for name, text in {
        "comments": b"(" * 400 * k,
        "comments one by one": b"(x)" * 200 * k,
        "quotes": b'"' * 400 * k,
        "quoted strings": b'"x" ' * 100 * k,
        "groups": b"g:" * 200 * k,
        "mailboxes": b"a@b.org," * 100 * k,
        "brackets": b"<" * 400 * k,
        "literals": b"a@[" * 150 * k,
        "routes": b"<@a,@b:" * 80 * k,
        "escapes": b"\\" * 400 * k,
        "at signs": b"a@" * 200 * k,
        "dots": b"a." * 200 * k,
        "encoded words": b"=?utf-8?q?a=40b?= " * 30 * k,
        "marks": "e\u0301\u0323".encode() * 50 * k,
    }.items():
        yield f"{name} in From", b"", b"Hi.\n", {"sender": b"From: " + text + b" <" + USER + b">\n"}
        yield f"{name} in To", b"To: " + text + b"\nCc: " + text + b"\n", b"Hi.\n", {}
        short = b"From: " + text[:2000].rstrip(b"\\") + b" <" + USER + b">\n"
        yield f"{name} in a short From", b"", b"Hi.\n", {"sender": short}
        yield f"{name} in Authentication-Results", b"", b"Hi.\n", {"results": RESULTS[:-1] + b" " + text + b"\n"}
        yield f"{name} in Received", b"", b"Hi.\n", {"received": RECEIVED[:-1] + text + b"\n"}
        yield f"{name} in a disposition", *multipart(b"Content-Type: a/b\nContent-Disposition: " + text[:60000] + b"\n\nx\n"), {}
        yield f"{name} in ids", b"Message-ID: " + text + b"\nReferences: " + text + b"\nContent-ID: " + text + b"\n", b"Hi.\n", {}
        yield f"{name} in a date", b"Date: " + text + b"\n", b"Hi.\n", {}
        yield f"{name} in DKIM-Signature", b"DKIM-Signature: v=1; a=rsa-sha256; d=example.net; " + text + b"\n", b"Hi.\n", {}
        yield f"{name} in the return path", b"", b"Hi.\n", {"envelope": b"x-sender: " + text + b"\nx-receiver: all@docs.example.org\n"}
        receiver = b"x-sender: " + USER + b"\nx-receiver: " + text + b"\nx-receiver: all@docs.example.org\n"
        yield f"{name} in a recipient", b"", b"Hi.\n", {"envelope": receiver}
    yield "Authentication-Results", b"", b"Hi.\n", {"results": RESULTS * 30 * k}
    yield "methods in Authentication-Results", b"", b"Hi.\n", {"results": RESULTS[:-1] + b"; dkim=pass header.d=example.net" * 30 * k + b"\n"}
    signature = b"DKIM-Signature: v=1; a=rsa-sha256; d=example.net; s=%d; h=from:from:to; bh=AAAA; b=AAAA\n"
    yield "signatures", b"".join(signature % n for n in range(9 * k)), b"Hi.\n", {}
    yield "signed fields", signature.replace(b"from:from", b"from:" * 100 * k) % 1, b"Hi.\n", {}
    seal = b"ARC-Seal: i=%d; a=rsa-sha256; cv=pass; d=example.net; s=s; b=AAAA\n"
    yield "seals", b"".join(seal % n for n in range(9 * k)), b"Hi.\n", {}
    yield "Received", b"", b"Hi.\n", {"received": RECEIVED * 60 * k}
    uu = b"begin 644 a%d.bin\n#0V%%T\n`\nend\n"
    yield "uuencoded files", b"", b"".join(uu % n for n in range(30 * k)), {}
    yield "uuencoded files of words", b"", b"".join(uu % n for n in range(990)) + b"begin 644 x\n" * 150 * k, {}
    yield "beginnings of uuencoded files", b"", b"begin 644 a.bin\n" * 150 * k, {}
    yield "uuencoded zeros", b"", b"begin 644 a.bin\n" + b"M\n" * 700 * k + b"`\nend\n", {}
    yield "uuencoded zeros in an encoding", b"Content-Type: a/b\nContent-Transfer-Encoding: x-uuencode\n", b"begin 644 a\n" + b"_\n" * 700 * k, {}
    yenc = b"=ybegin line=128 size=3 name=a%d\nabc\n=yend size=3\n"
    yield "yEnc files", b"", b"".join(yenc % n for n in range(30 * k)), {}
    yield "beginnings of yEnc files", b"", b"=ybegin line=128 size=3 name=a\n" * 90 * k, {}
    pieces = b"=ybegin part=%d total=900 line=128 size=900 name=a\n=ypart begin=%d end=%d\na\n=yend size=1 part=%d\n"
    yield "pieces of a yEnc file", b"", b"".join(pieces % (n, n, n, n) for n in range(1, min(990, 300 * scale))), {}
    yield "HTML that shows images", b"Content-Type: text/html\n", b"<img src=cid:x%41>" * 150 * k, {}
    yield "a long image id", b"Content-Type: text/html\n", b"cid:" + b"%41" * 900 * k, {}
    yield "ids that are each other's beginning", b"Content-Type: text/html\n", b"cid:" * 700 * k, {}
    for name, text in {
        "base64 padding": b"QQ=" * 900 * k,
        "padded lines": b"!QQ==\n" * 450 * k,
        "line breaks behind padding": b"!QQ==" + b"\n" * 2500 * k,
        "sound base64": b"QUJD" * 700 * k,
        "junk": b"\xff" * 2500 * k,
    }.items():
        yield f"{name} for base64", b"Content-Type: a/b\nContent-Transfer-Encoding: base64\n", text + b"\n", {}
    for name, text in {
        "equals signs": b"=" * 2500 * k,
        "soft breaks": b"=\n" * 1200 * k,
        "blanks": b" " * 2500 * k,
        "blanks and soft breaks": b"=  \t\n" * 500 * k,
        "encoded bytes": b"=41" * 800 * k,
    }.items():
        yield f"{name} for quoted-printable", b"Content-Type: a/b\nContent-Transfer-Encoding: quoted-printable\n", text + b"\n", {}
    calendar = b"Content-Type: text/calendar; method=REQUEST\n"
    yield "components of a calendar", calendar, b"BEGIN:VEVENT\n" * 100 * k, {}
    yield "folds of a calendar", calendar, b"BEGIN:VCALENDAR\nBEGIN:VEVENT\nUID:x" + b"\n x" * 400 * k, {}
    for depth in (40, 400):
        yield f"TNEF in TNEF, {depth} deep", *multipart(tnef_part(tnef_nested(depth))), {}
    yield "files in TNEF", *multipart(tnef_part(tnef(*[tnef_file(b"a.pdf", b"x")] * 4 * k))), {}
    yield "recipients", b"", b"Hi.\n", {"envelope": ENVELOPE + b"x-receiver: all@docs.example.org\n" * 30 * k}
    yield "unknown recipients", b"", b"Hi.\n", {
        "envelope": ENVELOPE + b"".join(b"x-receiver: no%d@docs.example.org\n" % n for n in range(2 * k))
    }
    yield "X-Loop fields", b"X-Loop: all@docs.example.org\n" * 9 * k, b"Hi.\n", {}


@of_class
def bombs_of_many_sizes():
    """Each bomb at two sizes, the second the double of the first: run.py holds their times against each other."""
    for scale in (1, 2):
        for name, head, body, more in bombs(scale):
            ends = ("filed", "too-complex", "nothing-to-file", "malformed", "mail-loop", "unknown-alias", "foreign-domain", "duplicate")
            yield Case(f"{name} ×{scale}", mail(head, body, **more), ends=ends)


# Senders -----------------------------------------------------------------------------------------------------------

V = USER
FROMS = {
    "two Froms": b"From: <" + V + b">\nFrom: <mallory@attack.example>\n",
    "two Froms, ours last": b"From: <mallory@attack.example>\nFrom: <" + V + b">\n",
    "two Froms, other letters": b"From: <" + V + b">\nfrom: <mallory@attack.example>\n",
    "two equal Froms": b"From: <" + V + b">\nFrom: <" + V + b">\n",
    "a From with a leading blank": b"X-A: 1\n From: <mallory@attack.example>\nFrom : <" + V + b">\n",
    "a blank before the colon": b"From : <" + V + b">\n",
    "a NUL before the colon": b"From\0: <" + V + b">\n",
    "a bare CR before From": b"X-A: 1\rFrom: <mallory@attack.example>\nFrom: <" + V + b">\n",
    "two mailboxes": b"From: <" + V + b">, <mallory@attack.example>\n",
    "two mailboxes without brackets": b"From: " + V + b", mallory@attack.example\n",
    "two brackets": b"From: <" + V + b"> <mallory@attack.example>\n",
    "brackets in brackets": b"From: <<" + V + b">>\n",
    "an address before the bracket": b"From: mallory@attack.example <" + V + b">\n",
    "an address behind the bracket": b"From: <" + V + b"> mallory@attack.example\n",
    "a group": b"From: all: <" + V + b">;\n",
    "an empty group": b"From: all:;, <" + V + b">\n",
    "a route": b"From: <@attack.example:" + V + b">\n",
    "an encoded address": b"From: =?utf-8?b?" + base64.b64encode(b"<" + V + b">") + b"?=\n",
    "an encoded address beside another": b"From: =?utf-8?b?" + base64.b64encode(b"<" + V + b">,") + b"?= <mallory@attack.example>\n",
    "an encoded local-part": b"From: <=?utf-8?q?alice?=@example.net>\n",
    "an encoded domain": b"From: <alice@=?utf-8?q?example.net?=>\n",
    "an encoded NUL": b"From: =?utf-8?q?a=00?= <" + V + b"\0>\n",
    "a comment in the address": b"From: <alice(x)@example.net>\n",
    "a comment with another address": b"From: <" + V + b"> (<mallory@attack.example>)\n",
    "a comment never closed": b"From: <" + V + b"> (x\n",
    "a quote never closed": b'From: "Alice <' + V + b">\n",
    "a quoted address before it": b'From: "<mallory@attack.example>" <' + V + b"\n",
    "a domain literal": b"From: <alice@[192.0.2.1]>\n",
    "a NUL in the address": b"From: <alice@example.net\0.attack.example>\n",
    "a blank in the address": b"From: <alice @example.net>\n",
    "a line of blanks": b"From: <" + V + b">\n \n <mallory@attack.example>\n",
    "no address": b"From: Alice\n",
    "an empty From": b"From:\n",
    "an empty address": b"From: <>\n",
    "no From": b"",
    "a Sender alone": b"Sender: <" + V + b">\n",
    "a From of another": b"From: <mallory@attack.example>\nSender: <" + V + b">\n",
    "a Resent-From alone": b"Resent-From: <" + V + b">\n",
    "letters of another script": "From: <\u0430lice@example.net>\n".encode(),
    "letters of full width": "From: <\uff41lice@example.net>\n".encode(),
    "a dotless i": "From: <al\u0131ce@example.net>\n".encode(),
    "an invisible letter": "From: <ali\u200bce@example.net>\n".encode(),
    "the address of a subdomain": b"From: <alice@sub.example.net>\n",
    "a dot at the end": b"From: <alice@example.net.attack.example>\n",
    "two at signs": b"From: <alice@example.net@attack.example>\n",
    "a semicolon": b"From: <" + V + b">; <mallory@attack.example>\n",
    "a percent sign": b"From: <alice%example.net@attack.example>\n",
    "a bang": b"From: <attack.example!alice@example.net>\n",
    "8-bit junk": b"From: <alice\xff@example.net>\n",
    "the name of another": b'From: "Alice" <mallory@attack.example>\n',
    "the user's address for a name": b'From: "' + V + b'" <mallory@attack.example>\n',
}
KNOWN = {
    "plain": b"From: " + V + b"\n",
    "in brackets": b"From: <" + V + b">\n",
    "with a name": b"From: Alice <" + V + b">\n",
    "a quoted name": b'From: "Alice, of Example" <' + V + b">\n",
    "an encoded name": b"From: =?utf-8?q?Al=C3=AFce?= <" + V + b">\n",
    "a folded name": b"From: Alice\n <" + V + b">\n",
    "other letters": b"From: <ALICE@Example.NET>\n",
    "a comment behind": b"From: <" + V + b"> (at work)\n",
    "a Sender beside it": b"From: <" + V + b">\nSender: <mallory@attack.example>\n",
    "a Reply-To beside it": b"From: <" + V + b">\nReply-To: <mallory@attack.example>\n",
    "a name in UTF-8": "From: Al\u00efce <alice@example.net>\n".encode(),
}


def bodies():
    """The bodies that a case is tried with: (header, body, files)."""
    data = content()
    yield b"", b"Hi.\n", ()
    yield b"Content-Type: application/pdf; name=a.pdf\n", data, (data,)
    data = content()
    yield *multipart(WORDS, part(data)), (data,)


@of_class
def sender():
    """From in every odd way, with every kind of body; and in plain ways, which must be the user's."""
    for (trick, field), eol, above in itertools.product(FROMS.items(), (b"\r\n", b"\n"), (b"", b"X-Mailer: x\n")):
        for head, body, files in bodies():
            whole = mail(head, body, sender=above + field, eol=eol)
            yield Case(trick, whole, files, ends=("filed", "nothing-to-file"), identity=False)
    for (trick, field), eol in itertools.product(KNOWN.items(), (b"\r\n", b"\n")):
        for head, body, files in bodies():
            whole = mail(head, body, sender=field, eol=eol)
            yield Case(trick, whole, files, ends=("filed", "nothing-to-file"), identity=True, ambiguous=False)


@of_class
def forged_results():
    """What pretends to be our server's word, or spoils it. What a sender can write proves nothing."""
    ours, evil = RESULTS, b"attack.example"
    inject = (b"x@attack.example; dmarc=pass header.from=example.net", b"x (", b'"', b"x\\", b"a@b;dkim=pass", b"=?utf-8?q?x?=", b"x\0", b"x\ty")
    tricks = {
        "below Received": (b"", RECEIVED + ours),
        "below From": (b"", RECEIVED, FROM + ours),
        "no Received": (ours, b""),
        "another server": (ours.replace(OURS, evil), RECEIVED),
        "a server whose name begins with ours": (ours.replace(OURS, OURS + b".attack.example"), RECEIVED),
        "no server": (ours.replace(OURS + b"; ", b""), RECEIVED),
        "ARC's": (b"ARC-" + ours, RECEIVED),
        "a seal and ARC's": (b"ARC-Seal: i=1; cv=none\nARC-" + ours, RECEIVED),
        "of another From": (ours.replace(b"header.from=example.net", b"header.from=attack.example"), RECEIVED),
        "failed": (ours.replace(b"=pass", b"=fail"), RECEIVED),
        "twice, and two results": (ours + ours.replace(b"=pass", b"=fail"), RECEIVED),
        "twice the same": (ours + ours, RECEIVED),
        "a comment": (ours.replace(b"dmarc=pass", b"(dmarc=fail) dmarc=none (dmarc=pass)"), RECEIVED),
        "a comment never closed": (ours.replace(b"; dmarc", b"; (dmarc"), RECEIVED),
        "an unknown version": (ours.replace(OURS, OURS + b" 99"), RECEIVED),
        "a blank before the colon": (ours.replace(b"Results:", b"Results :"), RECEIVED),
        "a quoted server": (ours.replace(OURS, b'"' + OURS + b'"'), RECEIVED),
        "AuthAs by the sender": (b"X-MS-Exchange-Organization-AuthAs: Internal\n", RECEIVED),
        "signed in, by the sender": (b"", RECEIVED, FROM + RECEIVED.replace(b" by", b" (Authenticated sender: alice) by")),
        "an SPF pass": (ours.replace(b"dmarc=pass header.from", b"spf=pass smtp.mailfrom"), RECEIVED),
        "a DKIM pass of another": (ours.replace(b"dmarc=pass header.from=example.net", b"dkim=pass header.d=attack.example"), RECEIVED),
    }
    for text in inject:
        spoiled = ours.replace(b"dmarc=", b"spf=fail smtp.mailfrom=" + text + b"; dmarc=")
        if b"dmarc" not in text and b"dkim" not in text:
            tricks[f"smuggled in: {text!r}"] = (spoiled.replace(b"dmarc=pass", b"dmarc=fail") + b"", RECEIVED)
        if b"dmarc" not in text:  # Else it is to the letter what our server writes of honest mail: it must quote.
            results = b"Authentication-Results: " + OURS + b"; spf=fail smtp.mailfrom=" + text + b"\n"
            tricks[f"smuggled in, of no other result: {text!r}"] = (results, RECEIVED)
    for (trick, (results, received, *more)), eol, extra in itertools.product(
        tricks.items(), (b"\r\n", b"\n"), (b"", b"Authentication-Results: attack.example; dmarc=pass header.from=example.net\n")
    ):
        for head, body, files in bodies():
            fields = dict(results=extra + results, received=received, sender=more[0] if more else FROM)
            # "Above" ends at the first Received: a sender's own field stands below it.
            yield Case(trick, mail(head, body, eol=eol, **fields), files, ends=("filed", "nothing-to-file"), identity=False)


# Recipients --------------------------------------------------------------------------------------------------------


@of_class
def recipient():
    """Addresses that must lead to the library, and such as must not."""
    leads = [b"all", b"ALL", b"All+sub", b"all+", b'"all"', b"all+a+b", b'"al\\l"', b"<all@docs.example.org>"]
    leads_not = [
        b"al.l", b"all.", b".all", b"a..ll", b" all", b"al l", b"all\0", b"all%docs.example.org", b"docs.example.org!all",
        "\u0430ll".encode(), "a\u217c\u217c".encode(), "\uff41ll".encode(), "al\u200bl".encode(), b"all(x)", b"(x)all", b'"all',
        b'all"', b'" all"', b'"all "', b"-all", b"all-sub", b"al", b"alll", b"", b"@", b"all@", b"\xff", b"=?utf-8?q?all?=", b"../all",
        b"all;all", b"all,all", b"all:all", b"[all]", b"*", b"%", b"_ll", b"' OR 1=1 --", b"+all", b"+", b"\\all", b"a\\ll",
    ]  # fmt: skip
    domains = [b"@docs.example.org", b"@DOCS.example.ORG", b"@docs.example.org."]
    foreign = [b"@attack.example", b"@docs.example.org.attack.example", b"@xdocs.example.org", b"@[192.0.2.1]", b"@", b"", b"@docs.example.org@x"]
    for local, domain in itertools.product(leads, domains + foreign):
        address = local if b"<" in local and domain in domains else local.strip(b"<>").split(b"@")[0] + domain
        ends = ("filed",) if domain in domains else ("foreign-domain", "unknown-alias", "no-recipient")
        yield from to(address, ends)
    for local, domain in itertools.product(leads_not, domains + foreign):
        yield from to(local + domain, ("filed", "unknown-alias", "foreign-domain", "no-recipient"))


def to(address, ends):
    data = content()
    block = b"x-sender: " + USER + b"\nx-receiver: " + address + b"\n"
    yield Case(f"to {address!r}", mail(*multipart(WORDS, part(data)), envelope=block), (data,), ends=ends)


# Names -------------------------------------------------------------------------------------------------------------

NAMES = [
    "../../etc/passwd", "/etc/passwd", "..\\..\\win.ini", "C:\\Windows\\win.ini", "\\\\server\\share\\a", "a\0b.pdf", "a\x1b[2J.pdf",
    "\u202efdp.exe", "a.pdf.", "a.pdf ", " a.pdf", ".", "..", "...", "", " ", "CON.txt", "con", "COM1", "LPT\u00b9.pdf", "NUL.", "aux.c",
    "a.txt:b", "a.txt::$DATA", "x" * 255 + ".pdf", "x" * 5000, "\u00e4" * 200 + ".pdf", "e\u0301.pdf", "\u00e9.pdf", "A.PDF", "a.pdf",
    "a\nb.pdf", "a\rb.pdf", "a\tb.pdf", "-rf", "~", "$(id).pdf", "`id`", "'; DROP TABLE documents; --", "<script>alert(1)</script>.html",
    "=cmd|' /C calc'!A0.csv", "+1.csv", "@a.csv", "%00.pdf", "%2e%2e%2fa", "a/b/c.pdf", ".htaccess", "desktop.ini", "a.pdf/", "\ufeffa.pdf",
    "\u200b", "\u2028.pdf", "\U000e0041.pdf", "\ud83d\ude00.pdf", "a?.pdf", "a*.pdf", "a|b.pdf", 'a"b.pdf', "a;b.pdf", "a,b.pdf", "winmail.dat",
]  # fmt: skip


def named(name, how):
    """A Content-Disposition and a Content-Type that name a file, in one of the ways there are."""
    raw = name.encode("utf-8", "surrogatepass")
    flat = raw.replace(b"\n", b" ").replace(b"\r", b" ")
    quoted = b'"' + flat.replace(b"\\", b"\\\\").replace(b'"', b'\\"') + b'"'
    percent = b"".join(b"%%%02X" % byte for byte in raw)
    word = b"=?utf-8?b?" + base64.b64encode(raw) + b"?="
    return {
        "quoted": b"; filename=" + quoted,
        "bare": b"; filename=" + flat,
        "extended": b"; filename*=utf-8''" + percent,
        "in pieces": b"; filename*0*=utf-8''" + percent[: len(percent) // 6 * 3] + b"; filename*1*=" + percent[len(percent) // 6 * 3 :],
        "an encoded word": b'; filename="' + word + b'"',
        "in both": b'; filename="plain.pdf"; filename*=utf-8\'\'' + percent,
    }[how]


@of_class
def file_names():
    """Names that are paths, devices, bombs or lies; in each way a name is written, and in Content-ID."""
    for name, how, both in itertools.product(
        NAMES, ("quoted", "bare", "extended", "in pieces", "an encoded word", "in both"), (False, True)
    ):
        data, other = content(), content()
        field = named(name, how)[: 60000]
        head = b"Content-Type: application/pdf\nContent-Disposition: attachment" + field + b"\n"
        content_id = b"Content-ID: <" + name.encode("utf-8", "surrogatepass").replace(b"\n", b"").replace(b"\r", b"")[:900] + b">\n"
        parts = [head + (content_id if both else b"") + b"\n" + data.rstrip(b"\n") + b"\n"]
        if both:
            parts.append(head + b"\n" + other.rstrip(b"\n") + b"\n")
        files = (data.rstrip(b"\n"), other.rstrip(b"\n")) if both else (data.rstrip(b"\n"),)
        yield Case(f"{name[:40]!r} {how}", mail(*multipart(WORDS, *parts)), files)


# TNEF --------------------------------------------------------------------------------------------------------------


def attribute(level, identity, data):
    return struct.pack("<BII", level, identity, len(data)) + data + struct.pack("<H", sum(data) & 0xFFFF)


def tnef_file(name, data):
    return (
        attribute(2, 0x00069002, struct.pack("<HIHHHH", 1, 0, 0, 0, 0, 0))
        + attribute(2, 0x00018010, name + b"\0")
        + attribute(2, 0x0006800F, data)
    )


def tnef(*files):
    head = struct.pack("<IH", 0x223E9F78, 1)
    return head + attribute(1, 0x00089006, struct.pack("<I", 0x10000)) + attribute(1, 0x00069007, struct.pack("<II", 1252, 0)) + b"".join(files)


def tnef_message(inner):
    """An attachment that is a message, in another stream: PidTagAttachMethod 5, PidTagAttachDataObject."""
    data = bytes.fromhex("0703020000000000c000000000000046") + inner
    data += b"\0" * (-len(data) % 4)
    size = len(inner) + 16
    properties = struct.pack("<I", 2) + struct.pack("<HHI", 3, 0x3705, 5) + struct.pack("<HHII", 0x0D, 0x3701, 1, size) + data
    return attribute(2, 0x00069002, struct.pack("<HIHHHH", 1, 0, 0, 0, 0, 0)) + attribute(2, 0x00069005, properties)


def tnef_nested(depth):
    stream = tnef(tnef_file(b"a.pdf", b"inside"))
    for _ in range(depth):
        stream = tnef(tnef_message(stream))
    return stream


def tnef_part(stream):
    return part(stream, name=b"winmail.dat", media=b"application/ms-tnef")


@of_class
def tnef_streams():
    """Sound streams, and each of them cut, changed, doubled and lengthened at every so many bytes."""
    for count in (1, 2, 5):
        files = [content() for _ in range(count)]
        stream = tnef(*[tnef_file(b"f%d.pdf" % n, data) for n, data in enumerate(files)])
        yield Case(f"sound, {count} files", mail(*multipart(WORDS, tnef_part(stream))), tuple(files), identity=True, ambiguous=False)
    for depth in (1, 5, 31, 33):
        yield Case(f"{depth} deep", mail(*multipart(WORDS, tnef_part(tnef_nested(depth)))))
    stream = tnef(tnef_file(b"a.pdf", content()), tnef_file(b"../b.pdf", content()), tnef_message(tnef(tnef_file(b"c", b"c"))))
    for at in range(0, len(stream), 4):
        yield broken_tnef(f"cut at {at}", stream[:at])
        yield broken_tnef(f"doubled from {at}", stream + stream[at:])
        for bits in (0x01, 0x80, 0xFF):
            changed = stream[:at] + bytes([stream[at] ^ bits]) + stream[at + 1 :]
            yield broken_tnef(f"{bits:02x} at {at}", changed)
        yield broken_tnef(f"a length of 2³² at {at}", stream[:at] + b"\xff\xff\xff\xff" + stream[at + 4 :])


def broken_tnef(trick, stream):
    """What is in doubt is filed itself."""
    marked = stream + str(next(COUNT)).encode()
    return Case(trick, mail(*multipart(WORDS, tnef_part(marked))), (marked,) if marked.strip() else ())


# What is filed as it came ------------------------------------------------------------------------------------------


@of_class
def as_it_came():
    """Archives, encrypted ones, message/partial and external-body: never opened, fetched or joined."""
    zipped = bytes.fromhex("504b0304140001000800") + b"\0" * 16
    kinds = {
        "a zip bomb": (b"application/zip", zipped + b"\xff" * 900),
        "a zip that is encrypted": (b"application/zip", zipped + b"encrypted"),
        "gzip": (b"application/gzip", bytes.fromhex("1f8b0800000000000003") + b"\0" * 900),
        "7z": (b"application/x-7z-compressed", bytes.fromhex("377abcaf271c0004")),
        "rar": (b"application/vnd.rar", b"Rar!\x1a\x07\x01\0"),
        "a message in pieces": (b"message/partial; id=x; number=1; total=2", b"Subject: x\n\nthe first half"),
        "the last piece": (b"message/partial; id=x; number=2; total=2", b"the second half"),
        "a piece without a number": (b"message/partial", b"x"),
        "a delivery report": (b"message/delivery-status", b"Reporting-MTA: dns; x\n\nFinal-Recipient: rfc822; y"),
        "S/MIME": (b"application/pkcs7-mime; smime-type=enveloped-data", b"\x30\x80\x06\x09"),
        "HTML": (b"text/html; name=a.html", b"<script>alert(1)</script>"),
        "SVG": (b"image/svg+xml", b"<svg onload=alert(1)>"),
        "an unknown type": (b"x-unknown/x-type", b"\0\1\2"),
        "no type at all": (b"/", b"bytes"),
        "a link": (b"application/x-ms-shortcut; name=a.lnk", b"L\0\0\0"),
    }
    for (trick, (media, data)), how, eol in itertools.product(kinds.items(), ("base64", "7bit", "quoted-printable"), (b"\r\n", b"\n")):
        marked = data + b" " + str(next(COUNT)).encode()
        if how == "7bit" and eol == b"\r\n":
            marked = marked.replace(b"\n", b"\r\n")
        text = marked.replace(b"\r\n", b"\n") if how == "7bit" else marked
        if how == "quoted-printable" and b"\n" in marked:
            continue
        whole = mail(*multipart(WORDS, part(text, how, media=media)), eol=eol)
        yield Case(f"{trick}, {how}", whole, (marked,), ends=("filed",))
    for access, alone in itertools.product((b"ftp", b"url", b"local-file", b"mail-server", b"x"), (True, False)):
        number = str(next(COUNT)).encode()
        external = b'Content-Type: message/external-body; access-type=%s; URL="http://attack.example/%s"; name="/etc/passwd"\n' % (access, number)
        external += b"\nContent-Type: application/pdf\n\n"
        head, body = external.split(b"\n", 1) if alone else multipart(WORDS, external)
        yield Case(f"an external body, {access!r}", mail(head + b"\n" if alone else head, body), ends=("filed", "nothing-to-file"))


@of_class
def loops():
    """Automatic mail is filed as policy says; what goes round in circles is not."""
    automatic = [
        b"Auto-Submitted: auto-replied\n", b"Auto-Submitted: auto-generated\n", b"Precedence: bulk\n", b"List-Id: <x.example.net>\n",
        b"X-Auto-Response-Suppress: All\n", b"List-Unsubscribe: <https://attack.example>\n", b"Return-Path: <>\n", b"Precedence: junk\n",
    ]  # fmt: skip
    for field, path in itertools.product(automatic, (ENVELOPE, ENVELOPE.replace(USER, b"<>"))):
        data = content()
        yield Case(field.decode().strip(), mail(field + multipart()[0], multipart(WORDS, part(data))[1], envelope=path), (data,), identity=True)
    for count in (10, 49, 50, 51, 60, 500):
        data = content()
        ends = FILED if count < 50 else ("mail-loop", "filed") if count == 50 else ("mail-loop",)
        head, body = multipart(WORDS, part(data))
        yield Case(f"{count} Received", mail(RECEIVED * (count - 1) + head, body), (data,), ends=ends)
    for text in (b"all@docs.example.org", b"<all@docs.example.org>", b"ALL@DOCS.EXAMPLE.ORG", b"other@docs.example.org"):
        data = content()
        head, body = multipart(WORDS, part(data))
        ends = ("filed",) if b"other" in text else ("mail-loop",)
        yield Case(f"X-Loop: {text!r}", mail(b"X-Loop: " + text + b"\n" + head, body), (data,), ends=ends)


@of_class
def text():
    """What is harmless as data and not on a terminal, in a log or a table, in every field a stranger writes."""
    payloads = [
        b"\x1b[2J\x1b[31m", b"\x1b]0;title\x07", b"\x9b31m", b"\xc2\x9b31m", "\u202ecod.exe".encode(), "\u2066\u2069".encode(), b"\x7f\x08\x08",
        b"=1+1", b"+1", b"-1", b"@SUM(A1)", b'","level":"none', b"\\u0000", b"\\", b"'; DROP TABLE mails; --", b"*)(uid=*", b"<b>&amp;", b"%n%s%x",
        b"${jndi:ldap://x}", b"\xff\xfe", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", "\u2028\u2029".encode(), b"\t\t", b"\0", b"\x0c", b"\r",
    ]  # fmt: skip
    places = {
        "subject": lambda x: dict(subject=x),
        "encoded subject": lambda x: dict(subject=b"=?utf-8?b?" + base64.b64encode(x) + b"?="),
        "display name": lambda x: dict(sender=b'From: "' + x.replace(b"\\", b"").replace(b'"', b"") + b'" <' + USER + b">\n"),
        "return path": lambda x: dict(envelope=ENVELOPE.replace(USER, x + b"@example.net")),
        "To": lambda x: dict(head=b"To: " + x + b" <b@x.org>\n"),
        "Message-ID": lambda x: dict(head=b"X-A: 1\nIn-Reply-To: <" + x + b">\n"),
        "a date": lambda x: dict(head=b"Date: " + x + b"\n"),
        "a field": lambda x: dict(head=b"X-Any: " + x + b"\n"),
        "Received": lambda x: dict(received=RECEIVED.replace(b"mail.example.net", b"mail.example.net (" + x + b")")),
    }
    for payload, (place, apply) in itertools.product(payloads, places.items()):
        data = content()
        made = apply(payload)
        head, body = multipart(WORDS, part(data))
        yield Case(f"{payload!r} in {place}", mail(made.pop("head", b"") + head, body, **made), (data,))


# Honest mail -------------------------------------------------------------------------------------------------------


@of_class
def honest():
    """What good programs send, odd and plain: filed as the user's, and nobody finds anything to say against it."""
    boundaries = [
        b"BOUND", b"----=_NextPart_000_0001_01D8.5F5E0", b"=_mixed 0045C1D8=_", b"0000000000001234", b"Apple-Mail=_A-B-C", b"_004_(x)'+_,-./:=?",
        b"b" * 70, b"===============123==", b"--", b"1",
    ]  # fmt: skip
    extras = [
        b"", b"Content-Language: en\n", b"X-Spam: no\nX-Long: " + b"word " * 150 + b"\n", b"To: " + b"a@b.org,\n " * 50 + b"c@d.org\n",
        b"References: " + b"<a@b.org>\n " * 40 + b"<c@d.org>\n", b"Date: Sat, 21 Nov 2026 04:00:00 +0000 (GMT)\n", b"Thread-Topic: x\n",
    ]  # fmt: skip
    for boundary, how, extra, eol in itertools.product(boundaries, ("base64", "quoted-printable", "7bit"), extras, (b"\r\n", b"\n")):
        data = content() if how != "7bit" else content().rstrip(b"\n")
        head, body = multipart(WORDS, part(data, how), boundary=boundary)
        yield Case(f"{boundary!r} {how}", mail(extra + head, body, eol=eol), (data,), identity=True, ambiguous=False)
    html = b"Content-Type: text/html; charset=utf-8\nContent-Transfer-Encoding: quoted-printable\n\n<p>=C3=A4</p>\n"
    for outer, inner, eol in itertools.product((b"mixed", b"related", b"signed"), (b"alternative", b"related"), (b"\r\n", b"\n")):
        data = content()
        head, body = multipart(WORDS, html, boundary=b"IN", subtype=inner)
        whole = multipart(head + b"\n" + body, part(data), boundary=b"OUT", subtype=outer)
        yield Case(f"{inner!r} in {outer!r}", mail(*whole, eol=eol), (data,), identity=True, ambiguous=False)


def cases():
    """All of them, in order, each with its class and number."""
    number = 0
    for kind, make in CLASSES.items():
        for case in make():
            case.kind, case.number = kind, number
            number += 1
            yield case


def main():
    if len(sys.argv) != 2:
        print(__doc__, file=sys.stderr)
        return 2
    folder = pathlib.Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    counts = dict.fromkeys(CLASSES, 0)
    for case in cases():
        (folder / case.name).write_bytes(case.mail)
        counts[case.kind] += 1
    print(f"{sum(counts.values())} cases: {counts}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
