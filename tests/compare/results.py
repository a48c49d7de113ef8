#!/usr/bin/env python3
"""Compares how mailshelf reads Authentication-Results with how Python's authres does.

    python3 tests/compare/results.py READER [SEED]

READER is the built example `results`; authres is on PyPI. Values are made up, the same for the same SEED. Required:

* what is made by the grammar that both know, both read, and read the same;
* what is made by it and then broken, they read the same wherever both read it;
* what authres refuses mailshelf refuses too, but for what authres is known not to read (see `narrow`).

mailshelf refuses more than authres, which errs on the side of laxity by its own words; it is printed how often, by
reason. Exit code: 0 no difference, 1 some, 2 wrong usage.
"""

import collections
import json
import random
import re
import subprocess
import sys

try:
    import authres
except ImportError:
    sys.exit("authres is not installed: pip install authres")

SOUND, BROKEN = 5000, 20000
BLANKS = [" ", " ", " ", "\r\n\t", "\t ", " (a comment) ", "\r\n (of (two) levels; a=b)\r\n\t"]
METHODS = ["spf", "dkim", "dmarc", "auth", "arc", "iprev", "x-odd", "DKIM", "dkim-adsp"]
RESULTS = ["pass", "fail", "none", "softfail", "temperror", "Pass"]
PROPERTIES = ["smtp.mailfrom", "smtp.helo", "smtp.auth", "header.from", "header.d", "header.i", "policy.iprev", "body.x"]
VALUES = ["example.org", "a@example.org", "b+c=d.org@mail.example.org", "@example.org", "192.0.2.1", "x_y", "o'neil@example.org"]
REASONS = ["good", '"good signature"', '"a; b(c)"']
PIECES = [";", "=", ".", "(", ")", '"', "\\", " ", "@", "/", "1", "2", "a", "none", "\r\n", "\r\n ", "\0", "ü", "-", ","]


def sound(rng):
    """A value by the grammar of RFC 8601, of what both readers know."""
    blank = lambda: rng.choice(BLANKS) if rng.random() < 0.3 else " "
    maybe = lambda: rng.choice(BLANKS) if rng.random() < 0.2 else ""
    text = rng.choice([" ", ""]) + rng.choice(["mx1.docs.example.org", "MX", "a-b.example"])
    text += blank() + "1" if rng.random() < 0.2 else ""
    if rng.random() < 0.05:
        return unfolded_end(text + maybe() + ";" + maybe() + "none" + maybe())
    for _ in range(rng.randint(1, 4)):
        text += maybe() + ";" + maybe() + rng.choice(METHODS)
        if rng.random() < 0.1:
            text += maybe() + "/" + maybe() + rng.choice("12")
        text += maybe() + "=" + maybe() + rng.choice(RESULTS)
        if rng.random() < 0.2:
            text += blank() + "reason" + maybe() + "=" + maybe() + rng.choice(REASONS)
        for name in rng.sample(PROPERTIES, rng.randint(0, 3)):
            kind, name = name.split(".")
            text += blank() + kind + maybe() + "." + maybe() + name + maybe() + "=" + maybe() + rng.choice(VALUES)
        if rng.random() < 0.1:
            text += blank() + 'header.b="a/b+c="'
    return unfolded_end(text)


def unfolded_end(text):
    """A fold with nothing behind it is no fold."""
    return re.sub(r"(\r\n[ \t]*)+$", "", text)


def broken(rng):
    text = list(sound(rng))
    for _ in range(rng.randint(1, 3)):
        at = rng.randrange(len(text) + 1)
        cut = rng.choice([0, 0, 1, 1, 3])
        text[at : at + cut] = rng.choice(PIECES) if rng.random() < 0.7 else ""
    return "".join(text)


def clinging(text):
    """Its comments without blanks before them: authres reads no gap that has blanks on both sides of a comment."""
    return re.sub(r"[ \t\r\n]+(?=\()", "", text)


def by_authres(value):
    try:
        read = authres.parse_value(clinging(value))
    except Exception:  # It raises IndexError and others besides its own errors.
        return None
    results = [
        {
            "method": result.method.lower(),
            "version": int(result.version or 1),
            "result": result.result.lower(),
            "reason": result.reason,
            "properties": [[p.type.lower(), p.name.lower(), p.value] for p in result.properties],
        }
        for result in read.results
    ]
    return {"id": read.authserv_id, "results": results}


def as_authres(ours):
    """What mailshelf has read, without what authres leaves out: properties of types it does not know."""
    def known(properties):
        return [[k, n, clinging(v)] for k, n, v in properties if k in ("smtp", "header", "body", "policy")]

    results = [
        {**result, "reason": result["reason"] and clinging(result["reason"]), "properties": known(result["properties"])}
        for result in ours["results"]
    ]
    return {**ours, "results": results}


def narrow(value, ours):
    """Why authres does not read what mailshelf reads; None if it should."""
    if not value.isascii():
        return "text of other alphabets"
    for result in ours["results"]:
        if result["method"].startswith(("none", "reason")):
            return "a word that begins like one of the grammar"
        if any(re.search("[:/]", text) or "_" in name for _, name, text in result["properties"]):
            return "an address of IPv6 or base64 without quotes, or a name that holds _"
    if re.search(r'=[^;"]*"[^"]*"[^;]', value):
        return "a quoted value that is not the last"
    if re.match(r'\s*(?:\([^)]*\)\s*)?["+\-0-9.]|\s*\S*[.]{2}|\s*\(', value) or re.match(r"\s*[^\s;(]*\.(?=[\s;(])", value):
        return "an id that is a token and no dot-atom, or stands behind a comment"
    return None


def compare(values, must_read, ours, tally):
    differences = 0
    for value, mine in zip(values, ours):
        theirs = by_authres(value)
        void = mine.get("void")
        if void is None and theirs is None:
            why = narrow(value, mine)
            wrong = why is None
            if not wrong:
                tally[f"authres does not read: {why}"] += 1
        elif void is None:
            wrong = as_authres(mine) != theirs
            if wrong and re.search(r'"[^"]*(\\|\n)', value):
                tally["authres leaves backslashes and folds in quotes"] += 1
                wrong = False
            else:
                tally["read the same"] += not wrong
        else:
            tally["refused by both" if theirs is None else f"refused by mailshelf alone: {void}"] += 1
            wrong = must_read
        if wrong:
            differences += 1
            print(f"differs: {value!r}\n  mailshelf {json.dumps(mine)}\n  authres   {json.dumps(theirs)}")
    return differences


def main():
    if len(sys.argv) not in (2, 3):
        print(__doc__)
        return 2
    rng = random.Random(int(sys.argv[2]) if len(sys.argv) == 3 else 1)
    made = [sound(rng) for _ in range(SOUND)], [broken(rng) for _ in range(BROKEN)]
    lines = "".join(json.dumps(value) + "\n" for values in made for value in values)
    output = subprocess.run([sys.argv[1]], input=lines.encode(), stdout=subprocess.PIPE, check=True).stdout
    ours = [json.loads(line) for line in output.splitlines()]
    assert len(ours) == SOUND + BROKEN
    tally = collections.Counter()
    differences = compare(made[0], True, ours[:SOUND], tally) + compare(made[1], False, ours[SOUND:], tally)
    for what, count in tally.most_common():
        print(f"{count:6} {what}")
    print(f"{differences} differences")
    return 1 if differences or tally["read the same"] < SOUND // 2 else 0


if __name__ == "__main__":
    sys.exit(main())
