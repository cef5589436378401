"""Prints where the folder `path` or `wit` of this package is."""

import pathlib
import sys

if __name__ == "__main__":
    if sys.argv[1:] not in (["path"], ["wit"]):
        sys.exit("usage: python3 -m wasi_tempfile path|wit")
    print(pathlib.Path(__file__).resolve().parent / sys.argv[1])
