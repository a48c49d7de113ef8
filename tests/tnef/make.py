#!/usr/bin/env python3
"""Writes small TNEF streams, always the same, into a folder: samples for the tests, seeds for the fuzzer.

    python3 tests/tnef/make.py fuzz/seeds/tnef

It is written from MS-OXTNEF and shares no code with the reader, so that one error is not made twice.
"""

import pathlib
import struct
import sys

IMESSAGE = bytes.fromhex("0703020000000000c000000000000046")
ISTORAGE = bytes.fromhex("0b00000000000000c000000000000046")
PS_PUBLIC_STRINGS = bytes.fromhex("2903020000000000c000000000000046")
PNG = bytes.fromhex("89504e470d0a1a0a") + b"not quite an image"


def attribute(level, number, data):
    return struct.pack("<BII", level, number, len(data)) + data + struct.pack("<H", sum(data) & 0xFFFF)


def stream(*attributes, codepage=1252, message_class="IPM.Microsoft Mail.Note"):
    return (
        struct.pack("<IH", 0x223E9F78, 0x0001)
        + attribute(1, 0x00089006, struct.pack("<I", 0x00010000))
        + attribute(1, 0x00069007, struct.pack("<II", codepage, 0))
        + attribute(1, 0x00078008, message_class.encode() + b"\0")
        + b"".join(attributes)
    )


def padded(data):
    return data + b"\0" * (-len(data) % 4)


def tag(kind, number, name=b""):
    return struct.pack("<HH", kind, number) + name


def variable(kind, number, *values, name=b""):
    body = b"".join(struct.pack("<I", len(value)) + padded(value) for value in values)
    return tag(kind, number, name) + struct.pack("<I", len(values)) + body


def integer(number, value):
    return tag(0x0003, number) + struct.pack("<I", value)


def narrow(number, text, charset="cp1252"):
    return variable(0x001E, number, text.encode(charset) + b"\0")


def wide(number, text):
    return variable(0x001F, number, text.encode("utf-16-le") + b"\0\0")


def properties(*all_of_them):
    return struct.pack("<I", len(all_of_them)) + b"".join(all_of_them)


def of_message(*all_of_them):
    return attribute(1, 0x00069003, properties(*all_of_them))


def attachment(*attributes, kind=1):
    return attribute(2, 0x00069002, struct.pack("<HiHHI", kind, -1, 32, 32, 0)) + b"".join(attributes)


def title(name):
    return attribute(2, 0x00018010, name + b"\0")


def data(content):
    return attribute(2, 0x0006800F, content)


def of_attachment(*all_of_them):
    return attribute(2, 0x00069005, properties(*all_of_them))


def file(name, content, short=b"SHORT~1.TXT", text=narrow):
    return attachment(title(short), data(content), of_attachment(integer(0x3705, 1), text(0x3707, name)))


def inner(content, name):
    stub = data(b"This attachment is a MAPI 1.0 embedded message and is not supported by this mail system.\0")
    embedded = variable(0x000D, 0x3701, IMESSAGE + content)
    return attachment(title(b"Untitled Attachment"), stub, of_attachment(narrow(0x3001, name), embedded, integer(0x3705, 5)))


def samples():
    rtf = rb'{\rtf1\ansi\fromhtml1 {\*\htmltag84 <img src="cid:logo@example.org">}}'
    image = (integer(0x3705, 1), wide(0x3707, "logo.png"), wide(0x370E, "image/png"), wide(0x3712, "logo@example.org"))
    named = PS_PUBLIC_STRINGS + struct.pack("<II", 1, 18) + padded("Keywords\0".encode("utf-16-le"))
    several = variable(0x101F, 0x8001, *(word.encode("utf-16-le") for word in ("one\0", "two\0")), name=named)
    sound = stream(file("Quarterly report.txt", b"one\r\n"), file("Überweisungen.txt", b"two\r\n"))
    broken = bytearray(sound)
    broken[-1] ^= 1
    ole = attachment(
        title(b"Untitled Attachment"),
        of_attachment(variable(0x000D, 0x3701, ISTORAGE + bytes.fromhex("d0cf11e0a1b11ae1")), integer(0x3705, 6)),
        kind=3,
    )
    return {
        "two-files": sound,
        "encapsulated": stream(
            attachment(of_attachment(integer(0x3705, 1), variable(0x0102, 0x3701, b"%PDF-1.3 12345"), wide(0x3707, "日本.pdf")))
        ),
        "cyrillic": stream(
            file("Договор.txt", b"three\r\n", text=lambda number, text: narrow(number, text, "cp1251")), codepage=1251
        ),
        "image-shown": stream(
            of_message(variable(0x0102, 0x1009, struct.pack("<II", len(rtf) + 12, len(rtf)) + b"MELA\0\0\0\0" + rtf)),
            attachment(title(b"logo.png"), data(PNG), of_attachment(*image)),
            file("beside.txt", b"four\r\n"),
        ),
        "named-properties": stream(of_message(several, tag(0x1003, 0x0E00) + struct.pack("<3I", 2, 1, 2)), file("a.txt", b"five\r\n")),
        "message-inside": stream(
            inner(stream(file("inside.txt", b"six\r\n"), message_class="IPM.Note"), "Forwarded"), file("outside.txt", b"seven\r\n")
        ),
        "ole-object": stream(ole, file("beside.txt", b"eight\r\n")),
        "appointment": stream(attribute(1, 0x0002800C, b"At noon.\0"), message_class="IPM.Appointment"),
        "words-only": stream(attribute(1, 0x0002800C, b"See you at noon.\0")),
        "line-end-behind": sound + b"\r\n",
        "bad-checksum": bytes(broken),
        "cut-short": sound[:-20],
        "empty-file": stream(file("empty.txt", b"")),
    }


def main():
    if len(sys.argv) != 2:
        print(__doc__, file=sys.stderr)
        return 2
    folder = pathlib.Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in samples().items():
        (folder / f"{name}.tnef").write_bytes(content)
    return 0


if __name__ == "__main__":
    sys.exit(main())
