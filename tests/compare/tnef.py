#!/usr/bin/env python3
"""Compares the files that mailshelf finds in TNEF with those that two other readers find.

    python3 tests/compare/tnef.py READER PATH…

READER is the built example `tnef`; `tnef` is a package of Debian, tnefparse one of PyPI. Each file at or below a PATH that
begins as TNEF does, and each part of a mail there that does, is given to all three. Where a folder of the same name stands
beside such a file, what it holds is taken for the right answer, as in the tests of MimeKit.

Required: what another reader finds mailshelf finds too, byte for byte, or it says why it files the stream itself. And
what all of them find they call the same, but for what file names may not have. A table is printed: how many files
everyone finds, and what differs. Exit code: 0 no difference without a reason, 1 some, 2 wrong usage.
"""

import collections
import email
import hashlib
import json
import logging
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

try:
    import tnefparse
except ImportError:
    sys.exit("tnefparse is not installed: pip install tnefparse")

SIGNATURE = bytes.fromhex("789f3e22")


def sha256(data):
    return hashlib.sha256(data).hexdigest()


def streams(paths):
    """Each different stream once: a name for it, its bytes, the folder with the right answer."""
    seen = set()
    for root in map(pathlib.Path, paths):
        files = [root] if root.is_file() else sorted(file for file in root.rglob("*") if file.is_file())
        for file in files:
            for name, data in within(file):
                if sha256(data) not in seen:
                    seen.add(sha256(data))
                    answer = file.with_suffix("")
                    yield name, data, answer if answer != file and answer.is_dir() else None


def within(file):
    data = file.read_bytes()
    if data.startswith(SIGNATURE):
        yield file.name, data
    elif b"tnef" in data or b"winmail.dat" in data:
        for number, part in enumerate(email.message_from_bytes(data).walk()):
            content = None if part.is_multipart() else part.get_payload(decode=True)
            if content and content.startswith(SIGNATURE):
                yield f"{file.name}, part {number}", content


# What each finds: (name, bytes). -----------------------------------------------------------------------------------


def by_mailshelf(reader, data):
    with tempfile.NamedTemporaryFile() as file:
        file.write(data)
        file.flush()
        run = subprocess.run([reader, file.name], stdout=subprocess.PIPE, check=True)
    read = json.loads(run.stdout)
    files = [(one["name"] or "", data[one["at"] : one["at"] + one["size"]]) for one in read.get("attachments", [])]
    itself = read.get("doubt") or ", ".join(read["rest"])
    return files, itself


def by_tnef(data):
    with tempfile.TemporaryDirectory() as folder:
        run = subprocess.run(
            ["tnef", "--number-backups", "-C", folder], input=data, stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False
        )
        files = [(file.name, file.read_bytes()) for file in sorted(pathlib.Path(folder).iterdir())]
    return files, run.stderr.decode(errors="replace").strip().split("\n")[0] if run.returncode else ""


def by_tnefparse(data):
    try:
        return list(attached(tnefparse.TNEF(data, do_checksum=False))), ""
    except Exception as error:  # It raises whatever its slices come to.
        return [], f"{type(error).__name__} {error}"


def attached(tnef):
    for one in tnef.attachments:
        content = one.data if isinstance(one.data, bytes) else b""
        yield one.long_filename() or "", content
        if getattr(one, "embed", None):
            yield from attached(one.embed)


def by_folder(folder):
    """Bodies are called message.*, and are no attachments."""
    files = sorted(folder.iterdir()) if folder else []
    return [(file.name, file.read_bytes()) for file in files if not file.name.startswith("message.")], ""


# The comparison ----------------------------------------------------------------------------------------------------


def plain(name):
    """A name without what readers replace each in its way, a number for twins among that."""
    name = re.sub(r"\.\d+$", "", name)
    return re.sub(r"[^0-9a-z.]", "", re.sub(r"[^\x00-\x7f]", "", name).lower())


def differences(ours, itself, theirs, who):
    """(what, whether it is explained)."""
    left = collections.defaultdict(list)
    for name, content in ours:
        left[sha256(content)].append(name)
    for name, content in theirs:
        names = left.get(sha256(content))
        if names:
            if who != "folder" and not any(plain(name) == plain(other) for other in names):
                yield f"{name} is called {names[0]} here", False
            continue
        shorter = [own for own, whole in ours if whole[: len(content)] == content and not whole[len(content) :].strip(b"\0 \t\r\n")]
        if who == "folder" and any(whole.replace(b"\r\n", b"\n") == content for _, whole in ours):
            yield f"{name}: its lines end in LF there", True
        elif shorter:
            yield f"{name}: {who} cuts blanks and NULs off its end", True
        else:
            yield f"{name} ({len(content)} bytes) not here", bool(itself)


def main():
    if len(sys.argv) < 3:
        print(__doc__, file=sys.stderr)
        return 2
    if not shutil.which("tnef"):
        sys.exit("tnef is not installed: apt-get install tnef")
    logging.disable()
    reader = str(pathlib.Path(sys.argv[1]).resolve())
    count, wrong = 0, 0
    print("stream\there\ttnef\ttnefparse\tfolder\tfiled itself because\tdifferences")
    for name, data, folder in streams(sys.argv[2:]):
        ours, itself = by_mailshelf(reader, data)
        others = {"tnef": by_tnef(data), "tnefparse": by_tnefparse(data), "folder": by_folder(folder)}
        notes = []
        for who, (files, error) in others.items():
            for what, explained in differences(ours, itself, files, who):
                wrong += not explained
                notes.append(f"{'' if explained else 'WRONG '}{what} ({who})")
            if error:
                notes.append(f"{who}: {error}")
        counts = [str(len(files)) for files, _ in others.values()]
        if not folder:
            counts[-1] = "-"
        print("\t".join([name, str(len(ours)), *counts, itself or "-", "; ".join(notes)]))
        count += 1
    print(f"{count} streams, {wrong} differences without a reason", file=sys.stderr)
    return 1 if wrong or not count else 0


if __name__ == "__main__":
    sys.exit(main())
