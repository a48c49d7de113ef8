#!/usr/bin/env python3
"""Files hostile mail and judges what became of each.

    python3 tests/hostile/run.py MAILSHELF_BINARY READERS [--every N] [--only CLASS]... [--untimed] [PATH...]

Without PATH: the cases of make.py, or every Nth of them; with PATH: the mails there (what compare/attachments.py takes),
each given the results of our own server where its From allows that. READERS is `examples/readers.rs`, built.

Each mail is first explained in a process of its own, and then all are filed by one worker from one drop. Required:

* that process ends within 1 s of processor time and 256 MiB of memory, and the worker within 512 MiB, whatever it files;
* each process and each question to a reader ends within a time by the clock (20 s, the worker 900 s) or is killed, a fault;
* no mail kills a reader;
* twice the bomb takes no more than some twice the time;
* the worker ends with nothing left in the drop, nothing in badmail and no event 6872, and each mail has a final outcome,
  one of those its case allows; `verify` is clean;
* each file that a case holds, and some reader sees, is among the documents byte for byte, or stands in an original that is, or is named in
  the event with the reason why not, or the mail was rejected with a reason; one that mailshelf itself lists is among the documents, whatever
  original stands beside them;
* where readers (Python's email, mail-parser, mailparse) see other leaves, mailshelf says `ambiguous`; such mail carries no
  identity; and what they agree on mailshelf sees too. A difference that may stand is a line of known.tsv beside this script:
  the first 16 digits of the mail's SHA-256, and why.

Exit code: 0 all held, 1 something did not, 2 wrong usage.
"""

import argparse
import collections
import concurrent.futures
import email
import email.policy
import hashlib
import json
import multiprocessing
import os
import pathlib
import re
import select
import signal
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).parent
sys.path.insert(0, str(HERE.parent))
sys.dont_write_bytecode = True

import make  # noqa: E402
from compare.attachments import Part, collect, leaves  # noqa: E402

SECONDS = 1.0
MEMORY = 256 << 20
WORKER_MEMORY = 512 << 20
# By the clock; a machine may be busy with other things.
LIMIT, WORKER_LIMIT = 20, 900
# Twice the size may take so many times the time, and that much more: a process starts, a clock is coarse.
GROWTH, SLACK, TRIES = 2.6, 0.06, 5
# Larger mails are not shown to other readers: they would still be at it tomorrow.
SHOWN = 1 << 20
KNOWN = HERE / "known.tsv"


class Site:
    """A site that believes our own server, knows alice, and files without originals."""

    def __init__(self, binary, folder):
        self.binary, self.folder = str(binary), folder
        self.config = folder / "mailshelf.toml"
        self.call("init", str(folder), "--domain", "docs.example.org", config=False)
        text = self.config.read_text()
        for old, new in (
            ("authserv_id = []", f'authserv_id = ["{make.OURS.decode()}"]'),
            ('settle = "2s"', 'settle = "0s"'),
        ):
            assert old in text, old
            text = text.replace(old, new)
        self.config.write_text(text)
        self.call("library", "add", "all", "--alias", "all", "--sender-policy", "anyone", "--save-original", "no")
        self.call("user", "add", "alice", "--address", make.USER.decode())

    def command(self, *arguments, config=True):
        return [self.binary, *(["--config", str(self.config)] if config else []), *arguments]

    def call(self, *arguments, config=True, codes=(0,)):
        run = subprocess.run(self.command(*arguments, config=config), capture_output=True, text=True, check=False)
        if run.returncode not in codes:
            sys.exit(f"mailshelf {' '.join(arguments)}: exit {run.returncode}: {run.stderr.strip()}")
        return run.stdout

    def json(self, *arguments, codes=(0,)):
        return [json.loads(line) for line in self.call(*arguments, "--json", codes=codes).splitlines()]


class Mail:
    """What is known of a mail once its bytes are in the drop."""

    def __init__(self, name, label, case, size):
        self.name, self.label, self.case, self.size = name, label, case, size
        self.seconds = self.memory = 0
        self.sender, self.flaws, self.seen = {}, [], None
        self.readers, self.ambiguous, self.files, self.faults = {}, None, [], []

    def fault(self, what):
        self.faults.append(what)


def measured(command, limit=LIMIT):
    """Runs a process: exit code, what it wrote, its processor seconds, and its largest memory in bytes. At its limit by the
    clock it is killed.

    The kernel counts this process's own memory as that of its child until that begins: some 20 MiB.
    """
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        redirect = [(os.POSIX_SPAWN_DUP2, out.fileno(), 1), (os.POSIX_SPAWN_DUP2, err.fileno(), 2)]
        pid = os.posix_spawn(command[0], command, os.environ, file_actions=redirect)
        ended = os.pidfd_open(pid)
        if not select.select([ended], [], [], limit)[0]:
            os.kill(pid, signal.SIGKILL)
            os.write(err.fileno(), f" killed after {limit} s".encode())
        _, status, usage = os.wait4(pid, 0)
        os.close(ended)
        out.seek(0), err.seek(0)
        seconds = usage.ru_utime + usage.ru_stime
        return os.waitstatus_to_exitcode(status), out.read(), err.read(), seconds, usage.ru_maxrss << 10


def explained(mail, timed, code, out, err, seconds, memory):
    """The mail alone in a process."""
    mail.seconds, mail.memory = seconds, memory
    if code != 0:
        return mail.fault(f"explain ended with {code}: {err.decode(errors='replace').strip()[:200]}")
    told = json.loads(out)
    mail.sender = told.get("sender") or {}
    mail.flaws = (told.get("message") or {}).get("flaws", [])
    if timed and mail.seconds > SECONDS:
        mail.fault(f"took {mail.seconds:.2f} s")
    if mail.memory > MEMORY:
        mail.fault(f"took {mail.memory >> 20} MiB")
    return None


# Other readers -----------------------------------------------------------------------------------------------------


def leaf(data):
    """As examples/readers.rs has it."""
    text = data.replace(b"\r", b"").strip(b" \t\n\x0c")
    return hashlib.sha256(text).hexdigest() if text else None


class Slow(Exception):
    """A reader took longer than it may."""


def slow(*_):
    raise Slow


def by_python(message):
    signal.signal(signal.SIGALRM, slow)
    signal.alarm(LIMIT)
    try:
        read = email.message_from_bytes(message, Part)
        found = {leaf(part.get_payload(decode=True) or b"") for part in leaves(read)}
        return sorted(found - {None})
    except (ValueError, LookupError, AttributeError, TypeError, RecursionError):
        return None
    finally:
        signal.alarm(0)


class Readers:
    """The other readers, in a process of their own; it is started anew after a mail that kills it, or takes too long."""

    def __init__(self, binary):
        self.binary, self.process = str(binary), None

    def ask(self, path):
        if self.process is None:
            pipe = subprocess.PIPE
            self.process = subprocess.Popen([self.binary], stdin=pipe, stdout=pipe, stderr=subprocess.DEVNULL)
        self.process.stdin.write(os.fsencode(path) + b"\n")
        self.process.stdin.flush()
        if not select.select([self.process.stdout], [], [], LIMIT)[0]:
            self.process.kill()
            self.process.wait()
            self.process = None
            raise Slow
        answer = self.process.stdout.readline()
        if not answer:
            self.process.wait()
            self.process = None
            return None
        return json.loads(answer)


READERS = []


def compare(binary, path):
    """What readers find in a mail, whether mailshelf calls it ambiguous, and which of it are files to mailshelf; each process
    has readers of its own."""
    READERS or READERS.append(Readers(binary))
    try:
        answer = READERS[0].ask(path)
        if answer is None:
            return {"died": "it killed the readers"}, None, []
        found = answer["readers"]
        found["python"] = by_python(path.read_bytes()[answer["start"] :])
        return found, answer["ambiguous"], answer["files"] or []
    except Slow:
        return {"died": f"readers took more than {LIMIT} s"}, None, []


def disagree(mail):
    """How readers differ, in a word; nothing if they agree, or mailshelf has not read the mail."""
    readers = dict(mail.readers)
    if readers.get("died") or readers.get("mailshelf") is None:
        return None
    ours = set(readers.pop("mailshelf"))
    others = {name: frozenset(found) for name, found in readers.items() if found is not None}
    if len(set(others.values())) > 1:
        groups = collections.defaultdict(list)
        for name, found in others.items():
            groups[found].append(name)
        return " | ".join(sorted("+".join(sorted(names)) for names in groups.values()))
    agreed = next(iter(others.values()), frozenset())
    return "mailshelf lacks what all others see" if not agreed <= ours else None


# Judging -----------------------------------------------------------------------------------------------------------


def judge(mail, record, documents, contents):
    if record is None:
        return mail.fault("no record of it")
    recipients = record["recipients"] or [{"outcome": "none"}]
    for one in recipients:
        ended = one.get("reason") if one["outcome"] == "rejected" else one["outcome"]
        if one["outcome"] not in ("filed", "duplicate", "rejected") or not ended:
            mail.fault(f"ended {one['outcome']}")
        elif mail.case and ended not in mail.case.ends:
            mail.fault(f"ended {ended}, and not {' or '.join(mail.case.ends)}")
    sender = record["sender"]
    identity, told = sender.get("identity"), "ambiguous: " in sender.get("proof", "")
    if identity is None and mail.sender.get("identity"):
        mail.fault("explain told of another identity")
    if mail.case and mail.case.identity is not None and recipients[0]["outcome"] == "filed" and (identity == "alice") != mail.case.identity:
        mail.fault(f"filed as {identity}: {sender['proof']}")
    if mail.ambiguous and identity:
        mail.fault(f"ambiguous, and filed as {identity}")
    if mail.case and mail.case.ambiguous is not None and mail.readers and bool(mail.ambiguous) != mail.case.ambiguous:
        mail.fault(f"ambiguous: {mail.ambiguous}")
    if mail.ambiguous and not told and "no address" not in sender.get("proof", "") and sender.get("address"):
        mail.fault(f"ambiguous, and the event does not say so: {sender['proof']}")
    for data in mail.case.files if mail.case else ():
        account(mail, data, recipients, documents, contents)
    return None


def account(mail, data, recipients, documents, contents):
    """Where a file that the mail visibly holds has gone."""
    digest, unix = hashlib.sha256(data).hexdigest(), leaf(data)
    filed = any(one["outcome"] == "filed" for one in recipients)
    seen = [found for found in mail.readers.values() if isinstance(found, list)]
    if seen and not any(unix in found for found in seen):
        return
    if any(digest == document["sha256"] for document in documents):
        return
    if any(one["outcome"] == "rejected" for one in recipients) and not any(one.get("reason") == "nothing-to-file" for one in recipients):
        return
    left = [part["sha256"] for one in recipients for part in one.get("left_out", [])]
    if digest in left or any(leaf(contents(document["sha256"])) == unix for document in documents if not document["original"]):
        return
    if filed and unix in mail.files:
        return mail.fault(f"a file of {len(data)} bytes that mailshelf lists is no document: {len(documents)} documents")
    if any(document["original"] for document in documents):
        return
    mail.fault(f"a file of {len(data)} bytes is nowhere: {len(documents)} documents")


def bulk(site, mails, worker):
    """What became of all of them, filed from one drop by one worker."""
    code, _, err, _, memory = worker
    faults = []
    if memory > WORKER_MEMORY:
        faults.append(f"run took {memory >> 20} MiB")
    if code != 0:
        faults.append(f"run ended with {code}: {err.decode(errors='replace').strip()[:500]}")
    records = {}
    told = site.folder / "state/events.jsonl"
    for line in told.read_text(encoding="utf-8").splitlines() if told.exists() else ():
        event = json.loads(line)
        if event["event_id"] != 6871:
            faults.append(f"event {event['event_id']}: {event.get('file')}: {event.get('error')}")
        records.update((record["file"], record) for record in event.get("mails", []))
    for folder in ("drop", "drop/.claimed", "state/badmail"):
        left = [path for path in (site.folder / folder).rglob("*") if path.is_file() and not path.name.startswith(".")]
        if left:
            faults.append(f"{len(left)} files left in {folder}: {left[0].name}")
    if subprocess.run(site.command("verify"), capture_output=True, check=False).returncode:
        faults.append("verify found something")
    by_mail = collections.defaultdict(list)
    for document in site.json("document", "list", "all"):
        by_mail[document["mail"]].append(document)

    def contents(digest):
        return (site.folder / "state/contents" / digest[:2] / digest).read_bytes()

    for mail in mails:
        record = records.get(mail.name)
        judge(mail, record, by_mail.get(record["mail"], []) if record else [], contents)
    return faults


def growth(mails, again):
    """Holds each bomb against its half. What seems to grow too fast is measured again: the machine may have been busy."""
    sizes = {}
    for mail in mails:
        if mail.case and mail.case.kind == "bombs-of-many-sizes":
            name, scale = mail.case.trick.rsplit(" ×", 1)
            sizes.setdefault(name, {})[int(scale)] = mail
    for both in sizes.values():
        if not {1, 2} <= both.keys():
            continue
        half, whole = both[1], both[2]
        tries = TRIES
        while whole.seconds > GROWTH * half.seconds + SLACK:
            if not tries:
                whole.fault(f"took {whole.seconds:.2f} s, and half of it {half.seconds:.2f} s")
                break
            tries -= 1
            half.seconds, whole.seconds = min(half.seconds, again(half)), min(whole.seconds, again(whole))


def known():
    lines = KNOWN.read_text(encoding="utf-8").splitlines()
    rows = (line.split("\t") for line in lines if line and not line.startswith("#"))
    return {row[0]: row[1] for row in rows}


# Mails -------------------------------------------------------------------------------------------------------------


def vouched(data):
    """A mail of somebody else as our own server would hand it on, had it found nothing to say against its From."""
    eol = b"\r\n" if b"\r\n" in data[:2000] else b"\n"
    block = make.ENVELOPE + make.RESULTS + make.RECEIVED
    # The user it is from, where it names one From alone: whatever costs it the identity is then its own shape.
    head, blank, body = data.partition(eol + eol)
    fields = re.findall(rb"(?im)^from:.*(?:\r?\n[ \t].*)*", head)
    if len(fields) == 1:
        head = head.replace(fields[0].rstrip(b"\r"), make.FROM.rstrip(b"\n"), 1)
    return block.replace(b"\n", eol) + head + blank + body


def made(options):
    """The cases, each with its bytes."""
    for case in make.cases():
        if case.number % options.every == 0 and (not options.only or case.kind in options.only):
            data, case.mail = case.mail, b""
            yield case.name, f"{case.kind}: {case.trick}", case, data


def found(options):
    """The mails of PATH."""
    for number, (data, name) in enumerate(collect(options.paths).items()):
        yield f"{number:05}.eml", f"{hashlib.sha256(data).hexdigest()[:16]} {name}", None, vouched(data)


def main():
    parser = argparse.ArgumentParser(usage=__doc__.split("\n\n")[1].strip())
    parser.add_argument("binary", type=lambda path: pathlib.Path(path).resolve())
    parser.add_argument("readers", type=lambda path: pathlib.Path(path).resolve())
    parser.add_argument("--every", type=int, default=1)
    parser.add_argument("--only", action="append", choices=make.CLASSES)
    parser.add_argument("--untimed", action="store_true", help="a build for tests takes longer: say nothing of time")
    parser.add_argument("--keep", help="where the site is made, and left standing")
    parser.add_argument("paths", nargs="*")
    options = parser.parse_intermixed_args()
    with tempfile.TemporaryDirectory(prefix="mailshelf-hostile-") as folder:
        folder = pathlib.Path(options.keep or folder)
        return report(Site(options.binary, folder / "site"), options)


def report(site, options):
    mails, begun = [], time.monotonic()
    fork = multiprocessing.get_context("fork")
    # Forked while this process is small, and the one that measures stays so: the kernel counts its memory as that of whom
    # it starts.
    with (
        concurrent.futures.ProcessPoolExecutor(mp_context=fork) as measurer,
        concurrent.futures.ProcessPoolExecutor(mp_context=fork) as pool,
    ):
        measurer.submit(os.getpid).result(), pool.submit(os.getpid).result()

        def explain(name):
            return measurer.submit(measured, site.command("explain", str(site.folder / "drop" / name), "--json"))

        looks = []
        for name, label, case, data in found(options) if options.paths else made(options):
            path = site.folder / "drop" / name
            path.write_bytes(data)
            mails.append(Mail(name, label, case, len(data)))
            told = explain(name)
            looks.append((told, pool.submit(compare, options.readers, path) if len(data) <= SHOWN else None))
        for mail, (told, readers) in zip(mails, looks):
            explained(mail, not options.untimed, *told.result())
            mail.readers, mail.ambiguous, mail.files = readers.result() if readers else ({}, None, [])
        if not options.untimed:
            growth(mails, lambda mail: explain(mail.name).result()[3])
        alone = time.monotonic() - begun
        worker = measurer.submit(measured, site.command("run", "--json"), WORKER_LIMIT).result()
    faults = bulk(site, mails, worker)
    return tell(mails, faults, alone, *worker[3:])


def tell(mails, faults, alone, seconds, memory):
    explained, differing, excused = known(), 0, collections.Counter()
    table = list(faults)
    for mail in mails:
        how = disagree(mail)
        if died := mail.readers.get("died"):
            if reason := explained.get(mail.label.split()[0]):
                excused[reason] += 1
            else:
                mail.fault(died)
        differing += how is not None
        if how and not mail.ambiguous:
            if reason := explained.get(mail.label.split()[0]):
                excused[reason] += 1
            else:
                mail.fault(f"readers differ, and it is not called ambiguous: {how}")
        table += [f"{mail.name}\t{mail.label}\t{fault}" for fault in mail.faults]
    for line in table:
        print(line)
    slowest, largest = max(mails, key=lambda mail: mail.seconds), max(mails, key=lambda mail: mail.memory)
    ambiguous = sum(1 for mail in mails if mail.ambiguous and mail.readers.get("mailshelf") is not None)
    asked = sum(1 for mail in mails if mail.readers)
    died = sum(1 for mail in mails if mail.readers.get("died"))
    print(
        f"{len(mails)} mails, {alone:.0f} s; slowest {slowest.seconds:.2f} s ({slowest.label}), largest {largest.memory >> 20} MiB "
        f"({largest.label}); filed by one worker in {seconds:.1f} s of its processor, {memory >> 20} MiB; {asked} shown to other "
        f"readers, whom {died} of them killed or held up; {differing} differ, {ambiguous} called ambiguous, {sum(excused.values())} differences "
        f"stand with a reason; {len(table)} faults",
        file=sys.stderr,
    )
    return 1 if table else 0


if __name__ == "__main__":
    sys.exit(main())
