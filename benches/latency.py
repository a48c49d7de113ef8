#!/usr/bin/env python3
"""How long from the rename into the drop to the committed document, mail by mail, and what an idle service costs.

    cargo build --release
    python3 benches/latency.py target/release/mailshelf [--mails 1000] [--idle 300] [--size 2000]

Makes a site in a temporary folder below the working folder, starts `mailshelf serve` there, delivers one mail after the
other, each only when the last one's document can be read from the catalog by another process, and prints percentiles.
"""

import argparse
import os
import pathlib
import signal
import sqlite3
import subprocess
import tempfile
import time


def percentile(sorted_values, share):
    return sorted_values[min(len(sorted_values) - 1, int(share * len(sorted_values)))]


def usage(pid):
    """Processor seconds so far, and resident memory in bytes."""
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    ticks = int(fields[11]) + int(fields[12])
    resident = int(fields[21]) * os.sysconf("SC_PAGE_SIZE")
    return ticks / os.sysconf("SC_CLK_TCK"), resident


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("binary", type=pathlib.Path)
    parser.add_argument("--mails", type=int, default=1000)
    parser.add_argument("--size", type=int, default=2000)
    parser.add_argument("--idle", type=int, default=0, help="seconds to watch it do nothing afterwards")
    arguments = parser.parse_args()
    binary = arguments.binary.resolve()
    with tempfile.TemporaryDirectory(dir=".") as folder:
        site = pathlib.Path(folder).resolve() / "site"
        config = ["--config", str(site / "mailshelf.toml")]
        run = lambda *words: subprocess.run([binary, *words], check=True, stdout=subprocess.DEVNULL)
        run("init", str(site), "--domain", "docs.example.org")
        run(*config, "library", "add", "all", "--alias", "all", "--sender-policy", "anyone")
        said = site / "serve.log"
        service = subprocess.Popen([binary, *config, "serve"], stdout=open(said, "w"))
        while "watch: " not in said.read_text():
            time.sleep(0.01)
        print(said.read_text().rstrip())
        catalog = sqlite3.connect(f"file:{site}/state/catalog.db?mode=ro", uri=True, isolation_level=None)
        count = lambda: catalog.execute("SELECT count(*) FROM versions").fetchone()[0]
        took = []
        for number in range(arguments.mails):
            text = f"{number} " + "x" * arguments.size
            mail = (
                "x-sender: a@example.net\r\nx-receiver: all@docs.example.org\r\nReceived: by mx\r\n"
                f"Message-ID: <{number}@example.net>\r\nFrom: a@example.net\r\nSubject: {number}\r\n"
                "Content-Type: text/plain\r\nContent-Disposition: attachment; filename=a.txt\r\n\r\n" + text
            )
            written = site / "drop" / f".{number}"
            written.write_text(mail, newline="")
            begun = time.perf_counter()
            written.rename(site / "drop" / f"{number}.eml")
            while count() == number:
                if time.perf_counter() - begun > 120:
                    raise SystemExit(f"mail {number} was not filed within two minutes")
                time.sleep(0.0002)
            took.append(1000 * (time.perf_counter() - begun))
        took.sort()
        shown = {"median": 0.5, "90 %": 0.9, "99 %": 0.99, "longest": 1.0}
        print(f"{len(took)} mails:", ", ".join(f"{name} {percentile(took, at):.1f} ms" for name, at in shown.items()))
        if arguments.idle:
            before, _ = usage(service.pid)
            time.sleep(arguments.idle)
            after, resident = usage(service.pid)
            print(f"idle for {arguments.idle} s: {after - before:.2f} s of processor time, {resident / 2**20:.1f} MiB")
        service.send_signal(signal.SIGTERM)
        code = service.wait()
        subprocess.run([binary, *config, "verify"], check=True)
        if code != 0:
            raise SystemExit(f"serve ended with {code}")


main()
