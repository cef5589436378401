"""Unpacks a tar archive from standard input into a temporary directory, makes the letters of its
files upper-case there, and writes the archive of the result to standard output."""

import errno
import os
import sys
import tempfile

from componentize_py_types import Err

BLOCK = 512
CHUNK = 64 << 10
CODES = {errno.EEXIST: "exist", errno.EINVAL: "invalid-name", errno.ENOENT: "no-entry",
         errno.ENOTDIR: "not-directory", errno.EISDIR: "is-directory", errno.ENOSPC: "no-space",
         errno.ENAMETOOLONG: "name-too-long", errno.EDQUOT: "quota"}


class Failure(Exception):
    """Why an archive is refused. The text is what every language prints."""


class Entry:
    """A header of the archive and what it says."""

    def __init__(self, header):
        # The checksum counts its own field as spaces.
        if octal(header[148:156]) != sum(header[:148]) + 8 * 32 + sum(header[156:]):
            raise Failure("the archive is damaged")
        self.header = header
        self.size = octal(header[124:136])
        prefix = text(header[345:500])
        self.name = ((prefix and f"{prefix}/") + text(header[:100])).removesuffix("/")
        if header[156:157] not in (b"\0", b"0", b"5"):
            raise Failure(f"{self.name}: unsupported")
        self.is_directory = header[156:157] == b"5"

    def path(self, directory):
        """Where the entry is unpacked. Paths lead anywhere, so what leads out is refused here."""
        if any(part in ("", ".", "..") for part in self.name.split("/")):
            raise Failure(f"{self.name}: invalid-name")
        return os.path.join(directory, self.name)


def octal(field):
    digits = bytes(byte for byte in field if byte not in b"\0 ")
    if not all(digit in b"01234567" for digit in digits):
        raise Failure("the archive is damaged")
    return int(digits or b"0", 8)


def text(field):
    try:
        return field.partition(b"\0")[0].decode()
    except UnicodeDecodeError:
        raise Failure("the archive is damaged") from None


def padding(size):
    return -size % BLOCK


def read_exactly(size):
    """Standard input's next bytes."""
    data = sys.stdin.buffer.read(size)
    if len(data) < size:
        raise Failure("the archive is cut short")
    return data


def create(directory, entry):
    """Creates a file or directory with its parents."""
    path = entry.path(directory)
    if entry.is_directory:
        os.makedirs(path, exist_ok=True)
        return
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "xb") as file:
        for start in range(0, entry.size, CHUNK):
            file.write(read_exactly(min(CHUNK, entry.size - start)))
    read_exactly(padding(entry.size))


def upper_case(path):
    with open(path, "r+b") as file:
        while chunk := file.read(CHUNK):
            file.seek(-len(chunk), os.SEEK_CUR)
            file.write(chunk.upper())


def unpack(directory):
    entries = []
    while (header := read_exactly(BLOCK)) != bytes(BLOCK):
        entry = Entry(header)
        try:
            create(directory, entry)
        except OSError as error:
            code = CODES.get(error.errno, "other")
            raise Failure(f"{entry.name}: {code}") from error
        entries.append(entry)
    for entry in entries:
        if not entry.is_directory:
            upper_case(entry.path(directory))
    output = sys.stdout.buffer
    for entry in entries:
        output.write(entry.header)
        if not entry.is_directory:
            with open(entry.path(directory), "rb") as file:
                while chunk := file.read(CHUNK):
                    output.write(chunk)
            output.write(bytes(padding(entry.size)))
    output.write(bytes(2 * BLOCK))
    output.flush()


class Run:
    """The export `wasi:cli/run`."""

    def run(self):
        try:
            with tempfile.TemporaryDirectory() as directory:
                unpack(directory)
        except (Failure, OSError) as error:
            print(f"unpack: {error}", file=sys.stderr, flush=True)
        else:
            return
        raise Err(None)
