#!/usr/bin/env python3
"""Files mails under every setting at each of its values, each alone, and then under settings drawn together.

    python3 tests/settings.py MAILSHELF_BINARY [--rounds N] [--seed N] PATH...

PATH is what compare/attachments.py takes. Each round makes a site, puts every mail into its drop, and runs one pass.
Required of it: exit code 0, or 1 where mail waits for DNS that nobody answers; each mail on record with one outcome for
its recipient, as `explain` foretold it of some of them, and a reason where it was rejected; the drop empty but for what
waits; nothing in badmail; kept aside what the settings say; as many versions on record as the event counts documents;
`verify` clean, with a document of them removed, too. And every setting that `library show` and the configuration have is tried here. Exit code: 0 all held, 1
something did not, 2 wrong usage.
"""

import argparse
import collections
import email
import email.policy
import email.utils
import json
import pathlib
import random
import re
import subprocess
import sys
import tempfile

from compare.attachments import collect

ALWAYS_KEPT = {"malformed", "too-complex", "no-recipient", "foreign-domain", "quota-exceeded"}
# What tells of a library, or is tried in other tests.
NO_SETTINGS = {"name", "address", "alias", "created_at", "grants", "used", "anonymous_today", "former_aliases"}
NOT_TRIED = {
    "domains", "node", "path", "kept", "badmail", "catalog", "contents", "file",  # where things are
    "settle", "cron", "watch", "resolver",  # when, and whom to ask
}  # fmt: skip

LIBRARY = {
    "title": ["Everything", "\u202e~#%&*{}"],
    "attachments": ["root", "subject", "sender"],
    "overwrite": ["no", "yes"],
    "save-original": ["no", "yes"],
    "save-invitations": ["no", "yes"],
    "inline-images": ["no", "yes"],
    "sender-policy": ["anyone", "permissions"],
    "trust-from": ["inherit", "yes", "no"],
    "enabled": ["yes", "no"],
    "quota": ["none", "50KiB"],
    "anonymous-quota": ["none", "20KiB"],
}
SITE = {
    "former_alias": ['"90d"', '"0s"'],
    "alias_prefix": ['""', '"to-"'],
    "authenticated_only": ["false", "true"],
    "system_account": ['"System Account"', '"nobody"'],
    "recycle": ['"30d"', '"1s"'],
    "format": ['"folder"', '"maildir"', '"auto"'],
    "safe_servers": ["[]", '["0.0.0.0/0", "::/0"]', '["192.0.2.1"]'],
    "rejected": ['"delete"', '"keep"'],
    "keep_rejected": ['"30d"', '"1s"'],
    "message": ['"64MiB"', '"4KiB"'],
    "attachment": ['"50MiB"', '"1KiB"'],
    "parts": ["1000", "3"],
    "depth": ["32", "2"],
    "blocked_types": ["[]", '["exe", "js", "eml", "zip", "html", "png", "pdf"]'],
    "authserv_id": ["[]", '["mx.google.com", "example.com"]'],
    "results_at": ['"above"', '"below"'],
    "received_auth": ["false", "true"],
    "own_domains": ["[]", '["example.com", "example.org"]'],
    "require": ['"spf"', '"domain"', '"submission"'],
    "internal_require": ['"spf"', '"domain"', '"submission"'],
    "alignment": ['"relaxed"', '"strict"'],
    "trust_from": ["false", "true"],
    "exchange_internal": ["false", "true"],
    "verify": ['"off"', '"dkim"', '"dmarc"'],
    "arc_sealers": ["[]", '["example.org", "google.com"]'],
}
# Written into the site with whatever else: nobody answers there.
ALWAYS = {"settle": '"0s"', "resolver": '"127.0.0.1:9"'}


class Site:
    def __init__(self, binary, folder, settings):
        self.binary, self.folder, self.settings = binary, pathlib.Path(folder), settings
        self.call("init", self.folder, "--domain", "docs.example.org", site=False)
        text = self.config.read_text()
        asked = {key: settings[key] for key in SITE if key in settings}
        if asked.get("arc_sealers", "[]") != "[]":
            asked["verify"] = '"dmarc"'  # seals are looked at for it alone
        for key, value in {**ALWAYS, **asked}.items():
            text, count = re.subn(rf"(?m)^{key} = .*$", lambda _: f"{key} = {value}", text)
            assert count == 1, key
        self.config.write_text(text)
        if settings.get("format") == '"maildir"':
            for name in ("new", "cur", "tmp"):
                (self.folder / "drop" / name).mkdir()
        options = [part for key in LIBRARY if key in settings for part in (f"--{key}", settings[key])]
        policy = [] if "sender-policy" in settings else ["--sender-policy", "anyone"]
        self.call("library", "add", "all", "--alias", "all", *policy, *options)

    @property
    def config(self):
        return self.folder / "mailshelf.toml"

    def call(self, *arguments, site=True, codes=(0,)):
        config = ["--config", self.config] if site else []
        run = subprocess.run([self.binary, *config, *arguments], capture_output=True, check=False)
        assert b"panicked" not in run.stderr, run.stderr.decode(errors="replace")
        assert run.returncode in codes, f"{arguments}: {run.returncode}: {run.stderr.decode(errors='replace')}"
        return run.stdout.decode()

    def json(self, *arguments, codes=(0,)):
        return [json.loads(line) for line in self.call(*arguments, "--json", codes=codes).splitlines()]

    def people(self, addresses):
        """Those who write most of the mails are known here, and may file."""
        for number, address in enumerate(addresses):
            self.call("user", "add", f"user{number}", "--address", address)
        self.call("grant", "all", "everyone", "contributor")

    def put(self, name, mail):
        prefix = self.settings.get("alias_prefix", '""').strip('"')
        address = f"{prefix}all@docs.example.org".encode()
        if (self.folder / "drop" / "new").is_dir():
            path = self.folder / "drop" / "new" / name
            path.write_bytes(b"Return-Path: <>\nX-Original-To: " + address + b"\n" + mail)
        else:
            path = self.folder / "drop" / f"{name}.eml"
            path.write_bytes(b"x-sender: a@example.net\r\nx-receiver: " + address + b"\r\n" + mail)
        return path


def round_of(binary, settings, mails, addresses, chance):
    with tempfile.TemporaryDirectory() as folder:
        site = Site(binary, pathlib.Path(folder) / "site", settings)
        site.people(addresses)
        paths = {f"{number:05}": site.put(f"{number:05}", mail) for number, mail in enumerate(mails)}
        foretold = {}
        for name in chance.sample(sorted(paths), min(5, len(paths))):
            foretold[name] = site.json("explain", paths[name])[0]["recipients"]
        waits = any(settings.get(key, off) != off for key, off in {"verify": '"off"', "arc_sealers": "[]"}.items())
        counts = collections.Counter()
        waiting, kept = 0, 0
        events = site.json("run", codes=(0, 1) if waits else (0,))
        passes = [event for event in events if event["event_id"] == 6871]
        assert sum(event["processed"] for event in passes) == len(mails), "not every mail is in the event"
        assert all(event["event_id"] == 6871 for event in events) or waits, events
        for mail in (mail for event in passes for mail in event["mails"]):
            (recipient,) = mail["recipients"]
            outcome, reason = recipient["outcome"], recipient.get("reason")
            assert (outcome == "rejected") == (reason is not None), mail
            counts[reason or outcome] += 1
            if outcome == "deferred":
                assert "127.0.0.1:9" in recipient["because"], recipient
                waiting += 1
            kept += reason in ALWAYS_KEPT or (reason is not None and settings.get("rejected") == '"keep"')
            for told in foretold.get(pathlib.Path(mail["file"]).stem, []):
                same = (told["outcome"], told.get("reason")) == (outcome, reason)
                # What those before it in the pass have changed nobody foretells.
                met = outcome == "duplicate" or reason in ("quota-exceeded", "anonymous-quota-exceeded")
                assert same or met, f"{told} was foretold, and it was {recipient}"
        left = [path for path in paths.values() if path.exists()]
        assert len(left) == waiting, f"{len(left)} left in the drop, and {waiting} wait"
        assert not list((site.folder / "state" / "badmail").glob("*")), "badmail"
        if settings.get("keep_rejected") != '"1s"':
            assert len(site.json("rejected", "list")) == kept, "kept aside"
        documents = site.json("document", "list", "all")
        versions = sum(document["version"] for document in documents)
        assert versions == sum(event["documents"] for event in passes), "documents"
        for document in documents[:1]:
            site.call("document", "remove", "all", document["path"])
            site.call("document", "restore", "all", document["path"])
            site.call("document", "remove", "all", document["path"])
            left = len(site.json("document", "list", "all"))
            assert left == len(documents) - 1, "removed"
        found = site.json("verify")[0]
        assert not (found["missing"] or found["damaged"] or found["orphans"]), found
        return counts


def forgotten(binary):
    """Settings that the program has and this table has not."""
    with tempfile.TemporaryDirectory() as folder:
        site = Site(binary, pathlib.Path(folder) / "site", {})
        library = site.json("library", "show", "all")[0]
        keys = set(re.findall(r"(?m)^(\w+) = ", site.config.read_text()))
    return (set(library) - NO_SETTINGS - {key.replace("-", "_") for key in LIBRARY}) | (keys - NOT_TRIED - set(SITE))


def senders(mails):
    """Who wrote most of them."""
    counts = collections.Counter()
    for mail in mails:
        value = email.message_from_bytes(mail, policy=email.policy.compat32).get("from", "")
        address = email.utils.parseaddr(str(value))[1].lower()
        if re.fullmatch(r"[a-z0-9.]+@[a-z0-9.]+\.[a-z]+", address):
            counts[address] += 1
    return [address for address, _ in counts.most_common(5)]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("binary")
    parser.add_argument("paths", nargs="+")
    parser.add_argument("--rounds", type=int, default=10, help="with settings drawn together")
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    missing = forgotten(asked.binary)
    if missing:
        sys.exit(f"these settings are tried nowhere: {', '.join(sorted(missing))}")
    mails = list(collect(asked.paths))
    addresses = senders(mails)
    chance = random.Random(asked.seed)
    every = {**LIBRARY, **SITE}
    rounds = [{key: value} for key, values in every.items() for value in values]
    rounds += [{key: chance.choice(values) for key, values in every.items()} for _ in range(asked.rounds)]
    failed = 0
    for settings in rounds:
        told = ", ".join(f"{key} {value}" for key, value in settings.items())
        try:
            counts = round_of(asked.binary, settings, mails, addresses, chance)
        except AssertionError as error:
            failed += 1
            print(f"FAILED {told}\n       {str(error)[:2000]}")
        else:
            ends = ", ".join(f"{count} {end}" for end, count in sorted(counts.items()))
            print(f"{told if len(settings) == 1 else 'drawn together'}: {ends}")
    print(f"{len(rounds)} rounds of {len(mails)} mails, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
