"""Python's file objects over the `file` of the interface."""

import errno
import io
import operator
import os
import typing
import warnings

from . import _interface

_LAST_OFFSET = (1 << 63) - 1
# The interface returns at most 1 MiB at once.
_READ_AT_ONCE = 1 << 20
# The interface takes at most 4 MiB at once; smaller pieces need less memory for their copies.
_WRITE_AT_ONCE = 1 << 20


_NO_PATH = ("the plugin sees no path of this file, as in a run that limits bytes, entries or file "
            "sizes")


def open_by_path(path: str | bytes) -> int:
    """Returns a new descriptor of a file that exists, if the plugin itself can open its directory.
    """
    flags = os.O_RDWR | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0)
    try:
        return os.open(path, flags)
    except FileNotFoundError as error:
        # "No such file" of a file that has just been made would say nothing.
        raise FileNotFoundError(error.errno, _NO_PATH, path) from None


class InterfaceIO(io.RawIOBase):
    """An open file of the interface, with a position: the counterpart of `io.FileIO`."""

    _token: int | None = None
    _descriptor: int | None = None

    def __init__(self, token: int, mode: str, path: str | bytes | None) -> None:
        self._token = token
        self._path = path
        updating = "+" in mode
        self._readable = "r" in mode or updating
        self._writable = "r" not in mode or updating
        self._position = 0
        kind = "x" if "x" in mode else "a" if "a" in mode else "r" if self._readable else "w"
        self.mode = kind + ("b+" if updating else "b")
        self.name: typing.Any = -1 if path is None else path

    def __repr__(self) -> str:
        state = "[closed]" if self.closed else f"name={self.name!r} mode={self.mode!r}"
        return f"<{type(self).__name__} {state}>"

    def _file(self) -> typing.Any:
        if self.closed or self._token is None:
            raise ValueError("I/O operation on closed file")
        return _interface.handle(self._token)

    def readable(self) -> bool:
        self._file()
        return self._readable

    def writable(self) -> bool:
        self._file()
        return self._writable

    def seekable(self) -> bool:
        self._file()
        return True

    def fileno(self) -> int:
        """Returns a descriptor of the same file, where it can be opened by its path. It starts at
        this file's position; later the two move independently."""
        self._file()
        if self._descriptor is None:
            if self._path is None:
                raise io.UnsupportedOperation(f"fileno: {_NO_PATH}")
            try:
                self._descriptor = open_by_path(self._path)
            except OSError as error:
                raise io.UnsupportedOperation(f"fileno: {error.strerror}") from None
        os.lseek(self._descriptor, self._position, os.SEEK_SET)
        return self._descriptor

    def readinto(self, buffer: typing.Any) -> int:
        file = self._file()
        with memoryview(buffer) as view, view.cast("B") as target:
            if not self._readable:
                raise io.UnsupportedOperation("File not open for reading")
            done = 0
            # A short answer is not the end of the file.
            while done < len(target) and self._position <= _LAST_OFFSET:
                length = min(len(target) - done, _READ_AT_ONCE)
                part = _interface.call(file.read, length, self._position)
                if not part:
                    break
                target[done:done + len(part)] = part
                done += len(part)
                self._position += len(part)
            return done

    def readall(self) -> bytes:
        file = self._file()
        if not self._readable:
            raise io.UnsupportedOperation("File not open for reading")
        parts = []
        while self._position <= _LAST_OFFSET:
            part = _interface.call(file.read, _READ_AT_ONCE, self._position)
            if not part:
                break
            parts.append(part)
            self._position += len(part)
        return b"".join(parts)

    def write(self, buffer: typing.Any) -> int:
        file = self._file()
        with memoryview(buffer) as view, view.cast("B") as source:
            if not self._writable:
                raise io.UnsupportedOperation("File not open for writing")
            done = 0
            while done < len(source):
                # The bindings take nothing but bytes.
                part = bytes(source[done:done + _WRITE_AT_ONCE])
                try:
                    written = _interface.call(file.write, part, self._position)
                except OSError:
                    if done:
                        break  # the next write raises it
                    raise
                done += written
                self._position += written
            return done

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        file = self._file()
        position = operator.index(offset)
        if whence == os.SEEK_CUR:
            position += self._position
        elif whence == os.SEEK_END:
            position += _interface.call(file.size)
        elif whence != os.SEEK_SET:
            raise OSError(errno.EINVAL, os.strerror(errno.EINVAL))
        if position < 0:
            raise OSError(errno.EINVAL, os.strerror(errno.EINVAL))
        if position > _LAST_OFFSET:
            raise OverflowError("offset over 2**63 - 1")
        self._position = position
        return position

    def tell(self) -> int:
        self._file()
        return self._position

    def truncate(self, size: int | None = None) -> int:
        file = self._file()
        if not self._writable:
            raise io.UnsupportedOperation("File not open for writing")
        size = self._position if size is None else operator.index(size)
        if size < 0:
            raise OSError(errno.EINVAL, os.strerror(errno.EINVAL))
        if size > _LAST_OFFSET:
            raise OverflowError("size over 2**63 - 1")
        _interface.call(file.set_size, size)
        return size

    def close(self) -> None:
        if not self.closed:
            try:
                super().close()
            finally:
                if self._descriptor is not None:
                    os.close(self._descriptor)
                _interface.close(self._token)

    def _dealloc_warn(self, source: object) -> None:
        # The buffers of `io` call this when they are collected without having been closed.
        warnings.warn(f"unclosed file {source!r}", ResourceWarning, stacklevel=2, source=source)

    def __del__(self) -> None:
        if not self.closed and self._token is not None:
            self._dealloc_warn(self)
        self.close()


def wrap(raw: InterfaceIO, mode: str, buffering: int, encoding: str | None, errors: str | None,
         newline: str | None) -> typing.Any:
    """Puts on a raw file what `io.open` puts on it with these arguments. Closes the raw file if
    that fails."""
    result: typing.Any = raw
    try:
        if buffering < -1:
            raise ValueError("invalid buffering size")
        if buffering == 0:
            if "b" in mode:
                return raw
            raise ValueError("can't have unbuffered text I/O")
        # One is no size, but means that a text file is flushed after each line.
        size = buffering if buffering > 1 else io.DEFAULT_BUFFER_SIZE
        if raw._readable and raw._writable:
            result = io.BufferedRandom(raw, size)
        elif raw._writable:
            result = io.BufferedWriter(raw, size)
        else:
            result = io.BufferedReader(raw, size)
        if "b" not in mode:
            result = io.TextIOWrapper(result, encoding, errors, newline, buffering == 1)
            result.mode = mode
        return result
    except BaseException:
        result.close()
        raise
