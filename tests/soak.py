#!/usr/bin/env python3
"""A service in rough weather: everything is filed once.

    cargo build --release
    python3 tests/soak.py target/release/mailshelf [--seconds 600] [--flood 50000] [--seed 1]

For so many seconds mail is dropped in every way that mail servers and scripts have, the drop folder is taken away and
made anew, flooded, the service is told to read its configuration again, killed, ended and started again, all at random
moments. Then it must empty the drop, and every mail must have been filed exactly once, byte for byte.
"""

import argparse
import collections
import hashlib
import json
import os
import pathlib
import random
import shutil
import signal
import subprocess
import tempfile
import time

ENVELOPE = "x-sender: a@example.net\r\nx-receiver: all@docs.example.org\r\n"


class Soak:
    def __init__(self, binary, site, chance):
        self.binary, self.site, self.chance = binary, site, chance
        self.config = site / "mailshelf.toml"
        self.drop = site / "drop"
        self.log = open(site / "serve.log", "w")
        self.service = None
        self.digests = set()
        self.done = collections.Counter()
        self.open = []

    def command(self, *words):
        done = subprocess.run(
            [self.binary, "--config", self.config, *words], stdout=subprocess.PIPE, text=True, check=False
        )
        return done.returncode, done.stdout

    def start(self):
        self.service = subprocess.Popen(
            [self.binary, "--config", self.config, "serve"], stdout=self.log, stderr=self.log
        )

    def mail(self):
        number = len(self.digests)
        text = f"{number} " + "x" * self.chance.choice([0, 10, 3000, 3000, 40000])
        self.digests.add(hashlib.sha256(text.encode()).hexdigest())
        return f"{number}.eml", (
            f"{ENVELOPE}Received: by mx\r\nMessage-ID: <{number}@example.net>\r\nFrom: a@example.net\r\n"
            "Content-Type: text/plain\r\nContent-Disposition: attachment; filename=a.txt\r\n\r\n" + text
        ).encode()

    # Ways to deliver.

    def by_rename(self):
        name, mail = self.mail()
        (self.drop / f".{name}").write_bytes(mail)
        (self.drop / f".{name}").rename(self.drop / name)

    def by_link(self):
        name, mail = self.mail()
        hidden = self.drop / f".{name}"
        hidden.write_bytes(mail)
        os.link(hidden, self.drop / name)
        hidden.unlink()

    def by_writing(self):
        name, mail = self.mail()
        (self.drop / name).write_bytes(mail)

    def slowly(self):
        """Begins a mail; the rest of it comes later."""
        name, mail = self.mail()
        file = open(self.drop / name, "wb")
        file.write(mail[:50])
        file.flush()
        self.open.append((time.monotonic() + self.chance.uniform(0, 3), file, mail[50:]))

    def finish(self, everything=False):
        now = time.monotonic()
        late = [one for one in self.open if everything or one[0] < now]
        self.open = [one for one in self.open if one not in late]
        for _, file, rest in late:
            file.write(rest)
            file.close()

    # Weather.

    def recreate(self):
        """As when a share is mounted again: what stood in the old folder is delivered into the new one."""
        self.finish(everything=True)
        old = self.site / f"old-{self.done['recreate']}"
        self.drop.rename(old)
        time.sleep(self.chance.choice([0, 0.01, 1]))
        self.drop.mkdir()
        for path in [*old.rglob("*.eml")]:
            if path.is_file() and not path.name.startswith("."):
                path.rename(self.drop / f"{self.done['recreate']}-{path.name}")

    def flood(self, count):
        for _ in range(count):
            self.by_rename()

    def hup(self):
        text = self.config.read_text()
        settle = self.chance.choice(["1s", "2s", "3s"])
        lines = [f'settle = "{settle}"' if line.startswith("settle") else line for line in text.splitlines()]
        self.config.write_text("\n".join(lines) + "\n")
        self.service.send_signal(signal.SIGHUP)

    def kill(self):
        self.service.kill()
        self.service.wait()
        self.start()

    def restart(self):
        self.service.send_signal(signal.SIGTERM)
        code = self.service.wait(60)
        # A signal that comes before it listens for signals ends it as any program.
        if code not in (0, -signal.SIGTERM, 128 + signal.SIGTERM):
            raise SystemExit(f"serve ended with {code}")
        self.start()

    def storm(self, seconds, flood):
        begun, flooded = time.monotonic(), False
        weather = {self.recreate: 20, self.hup: 10, self.kill: 15, self.restart: 25}
        due = {action: begun + self.chance.uniform(0, 2 * every) for action, every in weather.items()}
        while (now := time.monotonic()) < begun + seconds:
            for action, every in weather.items():
                if now >= due[action]:
                    action()
                    self.done[action.__name__] += 1
                    due[action] = time.monotonic() + self.chance.uniform(0, 2 * every)
            if not flooded and now > begun + seconds / 4:
                self.flood(flood)
                self.done["flood"], flooded = flood, True
            for _ in range(self.chance.randrange(8)):
                self.chance.choice([self.by_rename, self.by_rename, self.by_link, self.by_writing, self.slowly])()
            self.finish()
            time.sleep(self.chance.uniform(0, 0.1))

    def standing(self):
        claims = (self.drop / ".claimed").glob("*/*")
        return sum(1 for path in [*self.drop.glob("*"), *claims] if not path.name.startswith("."))

    def settle(self):
        """Waits until the drop is empty."""
        self.finish(everything=True)
        until = time.monotonic() + 600
        while self.standing():
            if time.monotonic() > until:
                raise SystemExit(f"{self.standing()} mails still stand in the drop")
            time.sleep(0.2)
        self.service.send_signal(signal.SIGTERM)
        code = self.service.wait(60)
        if code != 0:
            raise SystemExit(f"serve ended with {code}")

    def check(self):
        code, listed = self.command("document", "list", "all", "--json")
        filed = collections.Counter(json.loads(line)["sha256"] for line in listed.splitlines())
        lost = len(self.digests - filed.keys())
        alien = len(filed.keys() - self.digests)
        twice = sum(1 for count in filed.values() if count > 1)
        aside = [path for name in ("badmail", "kept") for path in (self.site / "state" / name).glob("*")]
        verified, _ = self.command("verify")
        events = [json.loads(line) for line in open(self.site / "state" / "events.jsonl")]
        gaps = [event["seq"] for event in events] != list(range(1, len(events) + 1))
        print(f"{len(self.digests)} mails, {len(filed)} filed, {lost} lost, {twice} twice, {alien} unknown, "
              f"{len(aside)} aside; {len(events)} events; weather: {dict(self.done)}")
        if lost or twice or alien or aside or gaps or code or verified:
            raise SystemExit(f"FAILED: gaps in events {gaps}, verify {verified}")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("binary", type=pathlib.Path)
    parser.add_argument("--seconds", type=float, default=600)
    parser.add_argument("--flood", type=int, default=50000)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    folder = pathlib.Path(tempfile.mkdtemp(dir=".")).resolve()
    binary, site = arguments.binary.resolve(), folder / "site"
    made = subprocess.run([binary, "init", site, "--domain", "docs.example.org"], stdout=subprocess.DEVNULL)
    made.check_returncode()
    soak = Soak(binary, site, random.Random(arguments.seed))
    soak.command("library", "add", "all", "--alias", "all", "--sender-policy", "anyone")
    soak.start()
    try:
        soak.storm(arguments.seconds, arguments.flood)
        begun = time.monotonic()
        soak.settle()
        print(f"emptied {time.monotonic() - begun:.1f} s after the last mail")
        soak.check()
    except BaseException:
        print(f"left for you to look at: {folder}")
        raise
    finally:
        soak.service.kill()
    shutil.rmtree(folder)


main()
