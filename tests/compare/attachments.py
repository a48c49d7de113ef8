#!/usr/bin/env python3
"""Files mails with mailshelf and compares every attachment, byte for byte, with what Python's email package reads.

    python3 tests/compare/attachments.py MAILSHELF_BINARY PATH...

PATH is a mail, an mbox, a TNEF file (it is wrapped in a mail) or a folder of such. All of them are dropped into a
temporary site and filed by one run. Required: each mail ends filed, duplicate or rejected with a reason; what is on
record as filed is in the contents under its digest; and each attachment that Python finds in a mail it has nothing to
say against is among the documents of that mail, or among the parts that the event says the settings leave out. A difference is a line of the table printed, unless known.tsv beside
this script explains it: the first 16 digits of the mail's SHA-256, the part's number and type (or `*`), who is right,
and why. Exit code: 0 no other differences, 1 some, 2 wrong usage.
"""

import base64
import collections
import email
import email.message
import hashlib
import json
import pathlib
import re
import subprocess
import sys
import tempfile

FIELD = re.compile(rb"[!-9;-~]+[ \t]*:")
TNEF = bytes.fromhex("789f3e22")
KNOWN = pathlib.Path(__file__).with_name("known.tsv")


def sha256(data):
    return hashlib.sha256(data).hexdigest()


# Mails ------------------------------------------------------------------------------------------------------------


def wrapped_tnef(data):
    return (
        b"From: tnef@example.org\nSubject: wrapped\nMIME-Version: 1.0\n"
        b'Content-Type: multipart/mixed; boundary="=_wrapped"\n\n'
        b"--=_wrapped\nContent-Type: text/plain\n\nSee the attachment.\n"
        b'--=_wrapped\nContent-Type: application/ms-tnef; name="winmail.dat"\n'
        b"Content-Transfer-Encoding: base64\n\n" + base64.encodebytes(data) + b"--=_wrapped--\n"
    )


def split_mbox(data):
    """The mails of an mbox, or the one mail below a `From ` line."""
    starts = [match.start() for match in re.finditer(rb"(?:\A|(?<=\n\n)|(?<=\n\r\n))From [^\n]*\n", data)]
    for start, end in zip(starts, starts[1:] + [len(data)]):
        yield data[data.index(b"\n", start) + 1 : end]


def mails_of(path):
    data = path.read_bytes()
    if data.startswith(TNEF):
        return [wrapped_tnef(data)]
    if data.startswith(b"From "):
        return list(split_mbox(data))
    return [data] if FIELD.match(data) else []


def collect(paths):
    """Each different mail once, with a name for it."""
    mails = {}
    for root in map(pathlib.Path, paths):
        files = [root] if root.is_file() else sorted(file for file in root.rglob("*") if file.is_file())
        for file in files:
            for number, mail in enumerate(mails_of(file)):
                name = file.name if root.is_file() else str(file.relative_to(root))
                mails.setdefault(mail, f"{name}#{number}" if number else name)
    return mails


# What Python says --------------------------------------------------------------------------------------------------


class Part(email.message.Message):
    """Python opens what is message/*, and can only write it anew: call it something else, and its bytes stay."""

    def get_content_type(self):
        return re.sub("^message/", "x-message/", super().get_content_type())


def leaves(part):
    """Parts without parts of their own."""
    if part.is_multipart():
        for child in part.get_payload():
            yield from leaves(child)
    else:
        yield part


def defects(part):
    found = list(part.defects)
    if part.is_multipart():
        for child in part.get_payload():
            found += defects(child)
    return found


def is_body(part, first):
    if part.get_content_disposition() == "attachment" or part.get_content_maintype() != "text":
        return False
    return part.get_filename() is None or (first and part.get_content_subtype() in ("plain", "html"))


def attachments(mail):
    """Python's attachments as (label, bytes), or nothing where it reports the mail as ill-formed."""
    message = email.message_from_bytes(mail, Part)
    found = []
    for number, part in enumerate(leaves(message)):
        if is_body(part, number == 0):
            continue
        try:
            data = part.get_payload(decode=True) or b""
        except (LookupError, ValueError, UnicodeError):
            return None
        if data.strip() or part.get_filename():
            found.append((f"{number} {part.get_content_type()}", data))
    return None if defects(message) else found


# What mailshelf does -----------------------------------------------------------------------------------------------


class Site:
    """A temporary site with one library that takes everything."""

    def __init__(self, binary, folder):
        self.binary = str(binary)
        self.folder = pathlib.Path(folder) / "site"
        self.call("init", str(self.folder), "--domain", "docs.example.org", site=False)
        self.call("library", "add", "all", "--alias", "all", "--sender-policy", "anyone", "--save-original", "yes")

    def call(self, *arguments, site=True):
        config = ["--config", str(self.folder / "mailshelf.toml")] if site else []
        run = subprocess.run([self.binary, *config, *arguments], capture_output=True, text=True, check=False)
        if run.returncode not in (0, 1):
            sys.exit(f"mailshelf {' '.join(arguments)}: exit {run.returncode}: {run.stderr.strip()}")
        return run.stdout

    def drop(self, number, mail):
        """Gives the name of the file and the digest of the message in it."""
        eol = b"\r\n" if b"\r\n" in mail[:2000] else b"\n"
        received = b"Received: from sender by docs.example.org; Sat, 21 Nov 2026 03:57:24 +0000" + eol
        block = b"x-sender: a@b" + eol + b"x-receiver: all@docs.example.org" + eol
        name = f"{number:06}.eml"
        (self.folder / "drop" / name).write_bytes(block + received + mail)
        return name, received + mail

    def records(self):
        self.call("run", "--json")
        mails = {}
        for line in (self.folder / "state/events.jsonl").read_text(encoding="utf-8").splitlines():
            for mail in json.loads(line).get("mails", []):
                mails[mail["file"]] = mail
        return mails

    def documents(self):
        by_mail = {}
        for line in self.call("document", "list", "all", "--json").splitlines():
            document = json.loads(line)
            by_mail.setdefault(document["mail"], []).append(document)
        return by_mail

    def contents(self, digest):
        """The bytes kept under a digest; nothing if they are not there or not those."""
        for file in (self.folder / "state/contents").glob(f"**/{digest}"):
            data = file.read_bytes()
            if sha256(data) == digest:
                return data
        return None


# The comparison ----------------------------------------------------------------------------------------------------


def outcome_faults(record):
    if record is None:
        return [("-", "", "no record of this mail")]
    faults = []
    for recipient in record["recipients"] or [{"outcome": "none"}]:
        outcome, reason = recipient["outcome"], recipient.get("reason")
        if outcome not in ("filed", "duplicate", "rejected") or (outcome == "rejected" and not reason):
            faults.append(("-", "", f"ended {outcome} {reason or ''}".strip()))
    return faults


def left_out(record):
    """The digests of the parts that the library's settings leave out, as the event names them."""
    return [part["sha256"] for recipient in record["recipients"] for part in recipient.get("left_out", [])]


def filed_as(record):
    """The delivery that was filed in place of this one, where this one is a duplicate."""
    return next((found for one in record["recipients"] if (found := one.get("duplicate_of"))), None)


def alike(data):
    """The digest of bytes as they are when lines end in LF: a mail that came another way may have CRLF."""
    return sha256(data.replace(b"\r\n", b"\n"))


def missing(wanted, documents, excused, site, is_duplicate):
    """Python's attachments that are neither among the documents nor excused, each of these used once."""
    stored = {document["sha256"]: site.contents(document["sha256"]) for document in documents}
    left = [document["sha256"] for document in documents if not document["original"]]
    if is_duplicate:
        stored = {alike(data): data for data in stored.values() if data is not None}
        left = [alike(site.contents(digest)) for digest in left]
    for label, data in wanted:
        digest = alike(data) if is_duplicate else sha256(data)
        if digest in left:
            left.remove(digest)
            continue
        if digest in excused:
            excused.remove(digest)
            continue
        sizes = ", ".join(str(len(stored[other] or b"")) for other in left) or "no other file"
        yield label, f"{len(data)} bytes {digest[:12]}", f"not filed; sizes left: {sizes}"


def compare(mail, message, record, documents, site):
    faults = outcome_faults(record)
    for document in documents:
        if site.contents(document["sha256"]) is None:
            faults.append((document["path"], "", "contents missing or damaged"))
        if document["original"] and document["sha256"] != sha256(message) and not filed_as(record):
            faults.append((document["path"], "", "the original is not the message"))
    wanted = attachments(mail)
    if wanted is None or faults:
        return faults, wanted
    rejected = [r["reason"] for r in record["recipients"] if r["outcome"] == "rejected"]
    if rejected:
        return [("-", "well-formed", f"rejected: {', '.join(rejected)}")], wanted
    return list(missing(wanted, documents, left_out(record), site, filed_as(record))), wanted


def known():
    lines = KNOWN.read_text(encoding="utf-8").splitlines() if KNOWN.exists() else []
    rows = (line.split("\t") for line in lines if line and not line.startswith("#"))
    return {(mail, part): f"{right}: {why}" for mail, part, right, why in rows}


def main():
    if len(sys.argv) < 3:
        print(__doc__, file=sys.stderr)
        return 2
    mails = collect(sys.argv[2:])
    explained, table, judged, files, excused = known(), [], 0, 0, 0
    outcomes = collections.Counter()
    with tempfile.TemporaryDirectory(prefix="mailshelf-compare-") as folder:
        site = Site(pathlib.Path(sys.argv[1]).resolve(), folder)
        dropped = [(mail, name, *site.drop(n, mail)) for n, (mail, name) in enumerate(mails.items())]
        records, documents = site.records(), site.documents()
        for mail, name, file, message in dropped:
            record = records.get(file)
            own = documents.get(filed_as(record) or record["mail"], []) if record else []
            faults, wanted = compare(mail, message, record, own, site)
            judged += wanted is not None
            files += len(wanted or [])
            excused += len(left_out(record)) if record and wanted is not None else 0
            for recipient in record["recipients"] if record else []:
                outcomes[recipient.get("reason") or recipient["outcome"]] += 1
            table += [(sha256(mail)[:16], name, *fault) for fault in faults]
    new = [row for row in table if not ({(row[0], row[2]), (row[0], "*")} & explained.keys())]
    for row in new:
        print("\t".join(row))
    print(
        f"{len(mails)} mails ({dict(outcomes)}), {judged} of them well-formed to Python with {files} attachments, "
        f"{excused} left out by the library's settings: "
        f"{len(table)} differences, {len(table) - len(new)} of them known",
        file=sys.stderr,
    )
    return 1 if new else 0


if __name__ == "__main__":
    sys.exit(main())
