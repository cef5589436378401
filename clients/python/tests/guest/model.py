"""Sequences of operations on files: run on a file of `open` by an ordinary Python, and on a file of
the interface in a plugin, they have to have the same outcomes.

The model is not a file of `open` in the plugin: there, what is written after a read without a seek
between lands where the last write ended (componentize-py 0.25).
"""

import errno
import random

BINARY = ["w+b", "r+b", "x+b", "a+b", "wb", "rb", "xb", "ab"]
TEXT = ["w+", "w", "r", "a+", "w+t"]
SEQUENCES = ([(mode, buffering) for mode in BINARY for buffering in (-1, 0, 7, 300)] * 3
             + [(mode, buffering) for mode in TEXT for buffering in (-1, 1, 100)] * 3)


def outcome(function, *arguments):
    try:
        result = function(*arguments)
    except (OSError, ValueError, TypeError, OverflowError) as error:
        number = getattr(error, "errno", None)
        return [type(error).__name__, errno.errorcode[number] if number else None]
    return result.hex() if isinstance(result, bytes) else result


def draw_call(draw, text):
    data = "".join(draw.choices("ab\r\n\xfc\u20ac", k=draw.choice([0, 1, 5, 300, 9000])))
    position = draw.choice([0, 1, 7, 300, 10_000, -1])
    calls = [("read", draw.choice([-1, 0, 1, 10, 5000])), ("readline",), ("tell",), ("flush",),
             ("write", data if text else data.encode()), ("truncate",), ("seek", 0, 2),
             ("readable",), ("writable",), ("seekable",), ("isatty",)]
    if text:
        # Other positions than those that `tell` returned are undefined.
        calls += [("seek", 0)]
    else:
        calls += [("seek", position), ("seek", position, 1), ("seek", -position, 2),
                  ("seek", 0, 7), ("truncate", position), ("write", "text"), ("seek", "0"),
                  ("truncate", 1.5)]
    return draw.choice(calls)


def run(seed, open_file):
    """Returns the outcome of each operation of a sequence on the file that `open_file` returns."""
    mode, buffering = SEQUENCES[seed]
    draw = random.Random(seed)
    text = "b" not in mode
    layer = {}
    if text:
        layer = {"encoding": "utf-8", "newline": draw.choice([None, "", "\n", "\r\n"])}
    outcomes = []
    with open_file(mode, buffering, **layer) as file:
        outcomes.append(["mode", outcome(lambda: file.mode)])
        # `io.FileIO` takes the outcome of its first seek for it, and remembers that.
        outcomes.append(["seekable", outcome(file.seekable)])
        for _ in range(60):
            name, *arguments = draw_call(draw, text)
            outcomes.append([name, outcome(getattr(file, name), *arguments)])
        outcomes.append(["seek", outcome(file.seek, 0)])
        outcomes.append(["read", outcome(file.read)])
    return outcomes
