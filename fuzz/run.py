#!/usr/bin/env python3
"""Builds the fuzz targets on the stable toolchain and runs them; what they find makes it fail.

    python3 fuzz/run.py                              each target for a minute, two at once
    python3 fuzz/run.py --seconds 3600 message tnef  these for an hour each

A run goes on from the inputs that the one before it left in fuzz/corpus. In the end a table says what each target did.
"""

import argparse
import json
import os
import pathlib
import re
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor, wait

HERE = pathlib.Path(__file__).resolve().parent
CORPUS = HERE / "corpus"
TALLY = CORPUS / "tally.json"
FINDINGS = HERE / "artifacts"
# What an input may take before it is a finding. The slowest take a tenth of a second, so a busy machine finds nothing;
# what costs the square of its length takes far more.
TIMEOUT = 5
# In MiB, the inputs of a long run among it.
MEMORY = 1024
# What libFuzzer exits with when it is told to end.
INTERRUPTED = 72
# Mail of the tests is where the targets that read whole mail begin, too.
MAIL = "../tests/mail/*/mail.eml"
SITES = "../tests/mail/*/site.toml"
# Longest input, dictionary, and where to begin.
TARGETS = {
    "envelope": (2048, "mail", ["seeds/envelope/*", MAIL]),
    "limits": (1024, "mail", ["seeds/limits/*"]),
    "message": (4096, "mail", ["seeds/message/*", MAIL]),
    "differ": (2048, "mail", ["seeds/message/*", MAIL]),
    "from": (512, "from", ["seeds/from/*"]),
    "results": (1024, "results", ["seeds/results/*"]),
    "tnef": (4096, None, ["seeds/tnef/*"]),
    "names": (2048, None, ["seeds/names/*"]),
    "config": (4096, "config", ["seeds/config/*", "../packaging/mailshelf.toml"]),
    "event": (512, "event", ["seeds/event/*"]),
}
# As cargo-fuzz has them, but for what the stable compiler has not.
COVERAGE = [
    "-Cpasses=sancov-module",
    "-Cllvm-args=-sanitizer-coverage-level=4",
    "-Cllvm-args=-sanitizer-coverage-inline-8bit-counters",
    "-Cllvm-args=-sanitizer-coverage-pc-table",
    "-Cllvm-args=-sanitizer-coverage-trace-compares",
    "--cfg fuzzing",
]


def build(asan):
    """The folder of the programs."""
    version = subprocess.run(["rustc", "-vV"], check=True, capture_output=True, text=True).stdout
    host = re.search(r"^host: (.*)$", version, re.MULTILINE).group(1)
    flags, folder = COVERAGE, HERE / "target"
    environment = dict(os.environ)
    if asan:
        # The one flag here that the stable compiler has not yet.
        flags, folder = [*flags, "-Zsanitizer=address"], folder / "asan"
        environment["RUSTC_BOOTSTRAP"] = "1"
    environment["RUSTFLAGS"] = " ".join(flags)
    # With a target named, neither build scripts nor macros are instrumented.
    command = ["cargo", "build", "--locked", "--release", "--bins", "--target", host]
    command += ["--manifest-path", HERE / "Cargo.toml", "--target-dir", folder]
    subprocess.run(command, check=True, env=environment)
    return folder / host / "release"


class Run:
    """One target, running."""

    def __init__(self, name, programs, seconds, seed):
        longest, dictionary, seeds = TARGETS[name]
        self.name, self.began = name, time.monotonic()
        self.log = FINDINGS / name / "log"
        corpus = CORPUS / name
        for folder in (corpus, self.log.parent):
            folder.mkdir(parents=True, exist_ok=True)
        files = [path for pattern in seeds for path in sorted(HERE.glob(pattern))]
        if not files:
            raise SystemExit(f"{name}: no seeds")
        listed = self.log.with_name("seeds")
        listed.write_text(",".join(map(str, files)))
        command = [programs / name, corpus, f"-seed_inputs=@{listed}", f"-max_len={longest}"]
        command += [f"-seed={seed}", f"-max_total_time={seconds}"]
        command += [f"-timeout={TIMEOUT}", f"-rss_limit_mb={MEMORY}"]
        command += ["-print_final_stats=1", f"-artifact_prefix={self.log.parent}/"]
        if dictionary:
            command.append(f"-dict={HERE / 'dictionaries' / dictionary}")
        self.command = command

    def __call__(self, running, stop):
        if stop.is_set():
            return None
        self.began = time.monotonic()
        with self.log.open("wb") as log:
            process = subprocess.Popen(self.command, stdout=log, stderr=log)
            running.add(process)
            self.code = process.wait()
            running.discard(process)
        self.seconds = time.monotonic() - self.began
        self.text = self.log.read_text(errors="replace")
        return self

    def number(self, pattern, which=-1):
        found = re.findall(pattern, self.text)
        return int(found[which]) if found else 0

    def found(self):
        """Whoever is interrupted has found nothing."""
        return self.code not in (0, INTERRUPTED) or "Test unit written to" in self.text

    def executions(self):
        return max(self.number(r"stat::number_of_executed_units: *(\d+)"), self.number(r"(?m)^#(\d+)\t"))

    def row(self, total):
        before, now = self.number(r"INITED cov: (\d+)"), self.number(r"\bcov: (\d+)")
        slowest = self.number(r"stat::slowest_unit_time_sec: *(\d+)")
        memory = self.number(r"stat::peak_rss_mb: *(\d+)")
        result = "FOUND" if self.found() else "sound"
        return [self.name, self.executions(), now, now - before, round(self.seconds), slowest, memory,
                total["executions"], f"{total['seconds'] / 3600:.2f}", result]


HEADER = ["target", "executions", "coverage", "new", "seconds", "slowest s", "MiB", "in all", "hours", "result"]


def table(rows):
    rows = [[f"{cell:,}" if isinstance(cell, int) else str(cell) for cell in row] for row in [HEADER, *rows]]
    widths = [max(map(len, column)) for column in zip(*rows)]
    for row in rows:
        first, *rest = (cell.rjust(width) for cell, width in zip(row, widths))
        print("  ".join([row[0].ljust(len(first)), *rest]))


def counted(run, lock):
    """Adds a run to what its target has done in all."""
    with lock:
        tally = json.loads(TALLY.read_text()) if TALLY.exists() else {}
        total = tally.setdefault(run.name, {"executions": 0, "seconds": 0})
        total["executions"] += run.executions()
        total["seconds"] += round(run.seconds)
        TALLY.write_text(json.dumps(tally, indent=1) + "\n")
        return total


def all_of(runs, jobs):
    """The runs that were made, each with what its target has done in all; and whether somebody ended them."""
    running, stop, lock = set(), threading.Event(), threading.Lock()

    def one(run):
        return run(running, stop) and (run, counted(run, lock))

    with ThreadPoolExecutor(jobs) as pool:
        futures = [pool.submit(one, run) for run in runs]
        try:
            wait(futures)
        except KeyboardInterrupt:
            stop.set()
            for process in list(running):
                process.terminate()
        return [future.result() for future in futures if future.result()], stop.is_set()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("targets", nargs="*", metavar="TARGET", help=f"of {', '.join(TARGETS)}; all if none is named")
    parser.add_argument("--seconds", type=int, default=60, help="how long each target runs (default: %(default)s)")
    parser.add_argument("--jobs", type=int, default=2, help="how many run at once (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=0, help="of the tries; 0: others each time (default: %(default)s)")
    parser.add_argument("--asan", action="store_true", help="watch memory too (AddressSanitizer; half as fast)")
    arguments = parser.parse_args()
    unknown = set(arguments.targets) - set(TARGETS)
    if unknown:
        parser.error(f"no such target: {', '.join(sorted(unknown))}")
    programs = build(arguments.asan)
    names = arguments.targets or list(TARGETS)
    done, ended = all_of([Run(name, programs, arguments.seconds, arguments.seed) for name in names], arguments.jobs)
    table([run.row(total) for run, total in done])
    failed = [run for run, _ in done if run.found()]
    for run in failed:
        found = re.findall(r"Test unit written to (.*)", run.text)
        print(f"\n{run.name}: {found[-1] if found else run.log}")
        print("\n".join(run.text.splitlines()[-40:]))
        print(f"again: {programs / run.name} {found[-1] if found else ''}")
    sys.exit(bool(failed) or ended)


main()
