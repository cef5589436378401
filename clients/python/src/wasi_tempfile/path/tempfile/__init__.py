"""Temporary files and directories: Python's `tempfile`, on the interface `scratch:tempfile`.

Everything is created, read, written and removed through the interface. Paths and descriptors are
for other modules, such as `os`, and need a directory that the plugin itself can open.

Close what you open, best with `with`: when a plugin ends, Python finalises nothing.
"""

import errno as _errno
import functools as _functools
import io as _io
import itertools as _itertools
import os as _os
import shutil as _shutil
import sys as _sys
import types as _types
import typing as _typing
import warnings as _warnings
import weakref as _weakref
from base64 import b32encode as _b32encode

from . import _file, _interface

__all__ = [
    "NamedTemporaryFile", "TemporaryFile",
    "SpooledTemporaryFile", "TemporaryDirectory",
    "mkstemp", "mkdtemp",
    "mktemp",
    "TMP_MAX", "gettempprefix",
    "tempdir", "gettempdir",
    "gettempprefixb", "gettempdirb",
]

# A path or a part of one, as the caller gave it; `output_type` is `str` or `bytes`.
type _Path = str | bytes | _os.PathLike[str] | _os.PathLike[bytes]

TMP_MAX: int = getattr(_os, "TMP_MAX", 10000)
"""How many names are tried."""

template = "tmp"

tempdir: _typing.Any = None
"""The directory for files whose `dir` is not given; None until it is needed."""

_bin_openflags = _os.O_RDWR | _os.O_CREAT | _os.O_EXCL | getattr(_os, "O_NOFOLLOW", 0)
_text_openflags = _bin_openflags


# Names and directories.

class _RandomNameSequence:
    """An endless iterator over random names of eight characters (40 bits) from the system."""

    def __iter__(self) -> _typing.Iterator[str]:
        return self

    def __next__(self) -> str:
        return _b32encode(_os.urandom(5)).decode().lower()


_names = _RandomNameSequence()


def _get_candidate_names() -> _typing.Iterator[str]:
    return _names


def _infer_return_type(*arguments: _Path | None) -> type:
    """Returns the type of the paths that these arguments lead to."""
    kinds = {bytes if isinstance(_os.fspath(argument), bytes) else str
             for argument in arguments if argument is not None}
    if len(kinds) > 1:
        raise TypeError("Can't mix bytes and non-bytes in path components.")
    if kinds:
        return kinds.pop()
    return str if tempdir is None or isinstance(tempdir, str) else bytes


def _complete(suffix: _typing.Any, prefix: _typing.Any, dir: _typing.Any) -> tuple:
    """Returns suffix, prefix, directory and type with the defaults for what is None."""
    output_type = _infer_return_type(prefix, suffix, dir)
    is_str = output_type is str
    if suffix is None:
        suffix = output_type()
    if prefix is None:
        prefix = gettempprefix() if is_str else gettempprefixb()
    if dir is None:
        dir = gettempdir() if is_str else gettempdirb()
    return suffix, prefix, dir, output_type


_scratch: str | None = None


def _scratch_directory() -> str:
    """Returns the interface's default directory."""
    global _scratch
    if _scratch is None:
        _scratch = _interface.call(_interface.tempfile.default_directory)
    return _scratch


def _candidate_tempdir_list() -> list[str]:
    """Returns the directories to try as default: the environment's, which the program may have
    changed, the interface's, and the current one."""
    candidates = [_os.environ.get(name) for name in ("TMPDIR", "TEMP", "TMP")]
    try:
        candidates.append(_scratch_directory())
    except OSError:
        pass
    try:
        candidates.append(_os.getcwd())
    except OSError:
        candidates.append(_os.curdir)
    return [candidate for candidate in candidates if candidate]


def _get_default_tempdir(dirlist: list[str] | None = None) -> str:
    """Returns the first usable directory. The interface has tried its own; in every other the
    program must be able to write a file by path."""
    if dirlist is None:
        dirlist = _candidate_tempdir_list()
    for candidate in dirlist:
        if candidate == _scratch:
            return candidate
        directory = candidate if candidate == _os.curdir else _os.path.abspath(candidate)
        try:
            descriptor, path = _mkstemp_inner(directory, template, "", _bin_openflags, str)
            try:
                _os.write(descriptor, b"probe")
            finally:
                _os.close(descriptor)
                _os.unlink(path)
        except OSError:
            continue
        return directory
    raise FileNotFoundError(_errno.ENOENT, f"No usable temporary directory found in {dirlist}")


def _gettempdir() -> _typing.Any:
    global tempdir
    if tempdir is None:
        tempdir = _get_default_tempdir()
    return tempdir


def gettempdir() -> str:
    """Returns the default directory."""
    return _os.fsdecode(_gettempdir())


def gettempdirb() -> bytes:
    """Returns the default directory as bytes."""
    return _os.fsencode(_gettempdir())


def gettempprefix() -> str:
    """Returns the default prefix of names."""
    return _os.fsdecode(template)


def gettempprefixb() -> bytes:
    """Returns the default prefix of names as bytes."""
    return _os.fsencode(template)


# Creation through the interface.

def _location(directory: str | bytes) -> _typing.Any:
    path = _interface.text(directory)
    if path == _scratch:
        return _interface.tempfile.Location_Scratch()
    return _interface.tempfile.Location_Directory(path)


def _create(function: _typing.Callable, event: str, directory: _typing.Any, prefix: _typing.Any,
            suffix: _typing.Any, output_type: type) -> tuple[_typing.Any, _typing.Any]:
    """Creates a file or a directory under the first candidate name that is free, and returns what
    `function` returned, and the path."""
    directory = _os.path.abspath(directory)
    location = _location(directory)
    names = _get_candidate_names()
    for name in _itertools.islice(names, TMP_MAX):
        base = prefix + (name if output_type is str else _os.fsencode(name)) + suffix
        path = _os.path.join(directory, base)
        _sys.audit(event, path)
        options = _interface.tempfile.Options(_interface.text(base), "", 0, None)
        try:
            return _interface.call(function, options, location, filename=path), path
        except FileExistsError:
            continue
    raise FileExistsError(_errno.EEXIST, "No usable temporary name found")


def _mkstemp_inner(dir: _typing.Any, pre: _typing.Any, suf: _typing.Any, flags: int,
                   output_type: type) -> tuple[int, _typing.Any]:
    (file, guard), path = _create(
        _interface.tempfile.named, "tempfile.mkstemp", dir, pre, suf, output_type)
    file, guard = _interface.own(file), _interface.own(guard)
    try:
        descriptor = _file.open_by_path(path)
        _interface.keep(guard)
        return descriptor, path
    finally:
        _interface.close(file)
        _interface.close(guard)


def mkstemp(suffix: _Path | None = None, prefix: _Path | None = None, dir: _Path | None = None,
            text: bool = False) -> tuple[int, _typing.Any]:
    """Creates a file and returns its descriptor, open for reading and writing, and its path.

    Nobody but the caller removes it. The directory has to be one that the program itself can open.
    """
    suffix, prefix, dir, output_type = _complete(suffix, prefix, dir)
    flags = _text_openflags if text else _bin_openflags
    return _mkstemp_inner(dir, prefix, suffix, flags, output_type)


def _directory(suffix: _Path | None, prefix: _Path | None, dir: _Path | None) -> tuple:
    suffix, prefix, dir, output_type = _complete(suffix, prefix, dir)
    return _create(
        _interface.tempfile.directory, "tempfile.mkdtemp", dir, prefix, suffix, output_type)


def mkdtemp(suffix: _Path | None = None, prefix: _Path | None = None,
            dir: _Path | None = None) -> _typing.Any:
    """Creates a directory and returns its path. Nobody but the caller removes it."""
    guard, path = _directory(suffix, prefix, dir)
    _interface.call(guard.keep)
    return path


def mktemp(suffix: str = "", prefix: str = template, dir: str | None = None) -> str:
    """Returns a path at which nothing is. Deprecated: by the time that a file is created there,
    somebody else's may be. Use `mkstemp`."""
    if dir is None:
        dir = gettempdir()
    for name in _itertools.islice(_get_candidate_names(), TMP_MAX):
        path = _os.path.join(dir, prefix + name + suffix)
        if not _os.path.lexists(path):
            return path
    raise FileExistsError(_errno.EEXIST, "No usable temporary filename found")


# Files.

class _TemporaryFileCloser:
    """Closes a file and removes its name. It is an object of its own so that bound methods of the
    file can keep it alive."""

    guard: int | None = None
    """The token of the name's guard."""

    def __init__(self, file: _typing.Any, name: _typing.Any, delete: bool, delete_on_close: bool,
                 warn_message: str) -> None:
        self.file = file
        self.name = name
        self.delete = delete
        self.delete_on_close = delete_on_close
        self.warn_message = warn_message
        self.close_called = False

    def cleanup(self) -> None:
        """Closes the file and removes the name, each if it has not been done."""
        try:
            if not self.close_called:
                self.close_called = True
                self.file.close()
        finally:
            if not self.delete:
                _interface.keep(self.guard)
            _interface.close(self.guard)

    def close(self) -> None:
        """Closes the file, and removes the name if it goes with that."""
        if not self.close_called:
            self.close_called = True
            try:
                self.file.close()
            finally:
                if self.delete and self.delete_on_close:
                    self.cleanup()

    def __del__(self) -> None:
        was_closed = self.close_called
        self.cleanup()
        if not was_closed:
            _warnings.warn(self.warn_message, ResourceWarning)


def _bound_to(method: _typing.Callable, owner: object) -> _typing.Callable:
    """Returns a function that calls `method`, and keeps `owner` alive."""
    @_functools.wraps(method)
    def call(*arguments: _typing.Any, **named: _typing.Any) -> _typing.Any:
        return method(*arguments, **named)
    setattr(call, "_owner", owner)
    return call


class _TemporaryFileWrapper:
    """A file object with a name, which is removed with it. Every other attribute is that of
    `file`."""

    def __init__(self, file: _typing.Any, name: _typing.Any, delete: bool = True,
                 delete_on_close: bool = True) -> None:
        self.file = file
        self.name = name
        self._closer = _TemporaryFileCloser(
            file, name, delete, delete_on_close, f"Implicitly cleaning up {self!r}")

    def __repr__(self) -> str:
        return f"<{type(self).__name__} file={self.__dict__['file']!r}>"

    def __getattr__(self, name: str) -> _typing.Any:
        value = getattr(self.__dict__["file"], name)
        if callable(value):
            # The file must stay open as long as somebody has one of its methods.
            value = _bound_to(value, self._closer)
            setattr(self, name, value)
        return value

    def __enter__(self) -> _typing.Self:
        self.file.__enter__()
        return self

    def __exit__(self, *exception: _typing.Any) -> _typing.Any:
        try:
            return self.file.__exit__(*exception)
        finally:
            self._closer.cleanup()

    def close(self) -> None:
        """Closes the file, and removes it if that is what `delete` and `delete_on_close` say."""
        self._closer.close()

    def __iter__(self) -> _typing.Iterator[_typing.Any]:
        # A generator keeps this object alive while it is iterated.
        for line in self.file:
            yield line


class _Created(Exception):
    """Ends `io.open` once it has checked its arguments and called its opener."""


def _open(create: _typing.Callable[[], _file.InterfaceIO], directory: _typing.Any, mode: str,
          buffering: int, encoding: str | None, errors: str | None, newline: str | None,
          ) -> _typing.Any:
    """Opens what `create` makes, as `io.open` does."""
    raw: _file.InterfaceIO | None = None

    def opener(*_: object) -> int:
        nonlocal raw
        raw = create()
        raise _Created

    if "b" not in mode:
        encoding = _io.text_encoding(encoding, 3)
    try:
        # It returns only where a test has replaced it.
        return _io.open(directory, mode, buffering, encoding, errors, newline, opener=opener)
    except _Created:
        pass
    assert raw is not None
    return _file.wrap(raw, mode, buffering, encoding, errors, newline)


def NamedTemporaryFile(
        mode: str = "w+b", buffering: int = -1, encoding: str | None = None,
        newline: str | None = None, suffix: _Path | None = None, prefix: _Path | None = None,
        dir: _Path | None = None, delete: bool = True, *, errors: str | None = None,
        delete_on_close: bool = True) -> _typing.Any:
    """Creates a file with a name, which is its attribute `name`.

    The name is removed when the file is closed; with `delete_on_close=False` at the end of the
    `with` or of the object; with `delete=False` never. The other arguments are those of `open` and
    `mkstemp`.
    """
    suffix, prefix, dir, output_type = _complete(suffix, prefix, dir)
    guard: int | None = None
    name: _typing.Any = None

    def create() -> _file.InterfaceIO:
        nonlocal guard, name
        (handle, path_handle), name = _create(
            _interface.tempfile.named, "tempfile.mkstemp", dir, prefix, suffix, output_type)
        guard = _interface.own(path_handle)
        return _file.InterfaceIO(_interface.own(handle), mode, name)

    file = None
    try:
        file = _open(create, dir, mode, buffering, encoding, errors, newline)
        wrapper = _TemporaryFileWrapper(file, name, delete, delete_on_close)
        if delete:
            wrapper._closer.guard = guard
        else:
            _interface.keep(guard)
        return wrapper
    except BaseException:
        if file is not None:
            file.close()
        _interface.close(guard)
        raise


def TemporaryFile(
        mode: str = "w+b", buffering: int = -1, encoding: str | None = None,
        newline: str | None = None, suffix: _Path | None = None, prefix: _Path | None = None,
        dir: _Path | None = None, *, errors: str | None = None) -> _typing.Any:
    """Creates a file without a name, which is gone once it is closed.

    Its attribute `name` is its descriptor, or -1 if it has none.
    """
    suffix, prefix, dir, output_type = _complete(suffix, prefix, dir)

    def create() -> _file.InterfaceIO:
        if not _os.path.isdir(dir):
            location = _location(_os.path.abspath(dir))
            handle = _interface.call(_interface.tempfile.unnamed, location, filename=dir)
            return _file.InterfaceIO(_interface.own(handle), mode, None)
        # A descriptor can be had by path only, so this file begins with a name.
        (handle, path_handle), path = _create(
            _interface.tempfile.named, "tempfile.mkstemp", dir, prefix, suffix, output_type)
        guard = _interface.own(path_handle)
        raw = _file.InterfaceIO(_interface.own(handle), mode, path)
        try:
            raw.name = raw.fileno()
        except _io.UnsupportedOperation:
            raw.name = -1
        finally:
            raw._path = None
            _interface.close(guard)
        return raw

    return _open(create, dir, mode, buffering, encoding, errors, newline)


class SpooledTemporaryFile(_io.IOBase):
    """A file in memory that becomes a `TemporaryFile` when it is larger than `max_size`, unless
    that is 0, or when its descriptor is asked for."""

    _rolled = False

    def __init__(self, max_size: int = 0, mode: str = "w+b", buffering: int = -1,
                 encoding: str | None = None, newline: str | None = None,
                 suffix: _Path | None = None, prefix: _Path | None = None,
                 dir: _Path | None = None, *, errors: str | None = None) -> None:
        self._file: _typing.Any = _io.BytesIO()
        if "b" not in mode:
            encoding = _io.text_encoding(encoding)
            self._file = _io.TextIOWrapper(self._file, encoding, errors, newline)
        self._max_size = max_size
        self._arguments: dict[str, _typing.Any] = {
            "mode": mode, "buffering": buffering, "encoding": encoding, "newline": newline,
            "suffix": suffix, "prefix": prefix, "dir": dir, "errors": errors}

    __class_getitem__ = classmethod(_types.GenericAlias)

    def rollover(self) -> None:
        """Moves the file to disk. If that fails, it stays in memory as it is."""
        if self._rolled:
            return
        memory, disk = self._file, TemporaryFile(**self._arguments)
        try:
            if isinstance(memory, _io.BytesIO):
                disk.write(memory.getvalue())
                disk.seek(memory.tell())
            else:
                position = memory.tell()  # flushes
                disk.buffer.write(memory.buffer.getvalue())
                disk.seek(position)
        except BaseException:
            _close_quietly(disk)
            raise
        self._file = disk
        self._rolled = True

    def _check(self) -> None:
        if self._max_size and not self._rolled and self._file.tell() > self._max_size:
            self.rollover()

    def __enter__(self) -> _typing.Self:
        if self._file.closed:
            raise ValueError("Cannot enter context with closed file")
        return self

    def __exit__(self, *exception: object) -> None:
        self._file.close()

    def __iter__(self) -> _typing.Any:
        return iter(self._file)

    def __del__(self) -> None:
        if "_file" in self.__dict__ and not self.closed:
            _warnings.warn(f"Unclosed file {self!r}", ResourceWarning, stacklevel=2, source=self)
            self.close()

    def close(self) -> None:
        self._file.close()

    @property
    def closed(self) -> bool:
        return self._file.closed

    @property
    def encoding(self) -> str:
        return self._file.encoding

    @property
    def errors(self) -> str | None:
        return self._file.errors

    @property
    def newlines(self) -> _typing.Any:
        return self._file.newlines

    @property
    def mode(self) -> str:
        return self._file.mode if self._rolled else self._arguments["mode"]

    @property
    def name(self) -> _typing.Any:
        return self._file.name if self._rolled else None

    def fileno(self) -> int:
        self.rollover()
        return self._file.fileno()

    def flush(self) -> None:
        self._file.flush()

    def isatty(self) -> bool:
        return self._file.isatty()

    def readable(self) -> bool:
        return self._file.readable()

    def writable(self) -> bool:
        return self._file.writable()

    def seekable(self) -> bool:
        return self._file.seekable()

    def read(self, *size: int | None) -> _typing.Any:
        return self._file.read(*size)

    def read1(self, *size: int) -> bytes:
        return self._file.read1(*size)

    def readinto(self, buffer: _typing.Any) -> int:
        return self._file.readinto(buffer)

    def readinto1(self, buffer: _typing.Any) -> int:
        return self._file.readinto1(buffer)

    def readline(self, *size: int | None) -> _typing.Any:
        return self._file.readline(*size)

    def readlines(self, *hint: int) -> list[_typing.Any]:
        return self._file.readlines(*hint)

    def seek(self, *arguments: int) -> int:
        return self._file.seek(*arguments)

    def tell(self) -> int:
        return self._file.tell()

    def truncate(self, size: int | None = None) -> int:
        if size is not None and size > self._max_size:
            self.rollover()
        return self._file.truncate(size)

    def write(self, data: _typing.Any) -> int:
        result = self._file.write(data)
        self._check()
        return result

    def writelines(self, lines: _typing.Iterable[_typing.Any]) -> None:
        for line in lines:
            self.write(line)

    def detach(self) -> _typing.Any:
        return self._file.detach()


def _close_quietly(file: _typing.Any) -> None:
    try:
        file.close()
    except OSError:
        pass


# Directories.

class TemporaryDirectory:
    """A directory that is removed, with everything in it, at the end of a `with`, by `cleanup`, or
    when the object is collected.

    Use `os` and `open` for what is in it; that needs a directory that the program itself can open.
    With `ignore_cleanup_errors` a failed removal is silent. With `delete=False` only `cleanup`
    removes it.
    """

    def __init__(self, suffix: _Path | None = None, prefix: _Path | None = None,
                 dir: _Path | None = None, ignore_cleanup_errors: bool = False, *,
                 delete: bool = True) -> None:
        handle, self.name = _directory(suffix, prefix, dir)
        self._delete = delete
        self._ignore_cleanup_errors = ignore_cleanup_errors
        self._guard = _interface.own(handle)
        if not delete:
            _interface.keep(self._guard)
        self._finalizer = _weakref.finalize(
            self, self._collect, self._guard, f"Implicitly cleaning up {self!r}",
            ignore_cleanup_errors)

    @staticmethod
    def _remove(guard: int, ignore_errors: bool) -> None:
        try:
            _interface.close_directory(guard)
        except OSError:
            if not ignore_errors:
                raise

    @classmethod
    def _collect(cls, guard: int, message: str, ignore_errors: bool) -> None:
        if _interface.is_owned(guard):
            cls._remove(guard, ignore_errors)
            _warnings.warn(message, ResourceWarning)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.name!r}>"

    def __enter__(self) -> _typing.Any:
        return self.name

    def __exit__(self, *exception: object) -> None:
        if self._delete:
            self.cleanup()

    def cleanup(self) -> None:
        """Removes the directory and everything in it. After a failure it can be called again."""
        if _interface.is_owned(self._guard):
            self._remove(self._guard, self._ignore_cleanup_errors)
        elif _os.path.exists(self.name):
            # It was never guarded, or somebody has made it again.
            _shutil.rmtree(self.name, ignore_errors=self._ignore_cleanup_errors)

    __class_getitem__ = classmethod(_types.GenericAlias)
