"""Tests of what CPython's own tests of `tempfile` do not ask: the interface below, its limits, its
errors, and its handles."""

import contextlib
import errno
import gc
import importlib.util
import inspect
import io
import json
import os
import tempfile
import unittest
import warnings
from componentize_py_types import Err
from tempfile import _file, _interface

import model as sequences

bindings = _interface.tempfile
ledger = _interface._find_bindings("get_limits")

# The standard module, for comparison. This is the build, in which its folder is there.
_spec = importlib.util.spec_from_file_location("standard_tempfile", "/python/tempfile.py")
standard = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(standard)


def unnamed(mode="w+b", buffering=-1, encoding=None, errors=None, newline=None):
    """A file whose bytes go through the interface, whatever the plugin sees."""
    token = _interface.own(bindings.unnamed(bindings.Location_Scratch()))
    raw = _file.InterfaceIO(token, mode, None)
    return _file.wrap(raw, mode, buffering, encoding, errors, newline)


def is_visible():
    return os.path.isdir(tempfile.gettempdir())


class Case(unittest.TestCase):
    """A test after which the ledger has to be empty."""

    def setUp(self):
        warnings.simplefilter("ignore", ResourceWarning)

    def tearDown(self):
        gc.collect()
        live = ledger.get_usage().live
        self.assertEqual((live.files, live.paths, live.directories), (0, 0, 0))
        self.assertEqual(_interface._handles, {})


class Surface(Case):
    def test_all_names_are_those_of_the_standard_module(self):
        self.assertEqual(tempfile.__all__, standard.__all__)

    def parameters(self, function):
        return [(parameter.name, parameter.kind, parameter.default)
                for parameter in inspect.signature(function).parameters.values()]

    def test_signatures_are_those_of_the_standard_module(self):
        for name in [*tempfile.__all__, "_TemporaryFileWrapper"]:
            ours, theirs = getattr(tempfile, name), getattr(standard, name)
            if callable(theirs):
                with self.subTest(name):
                    self.assertEqual(self.parameters(ours), self.parameters(theirs))

    def test_classes_have_every_public_attribute_of_the_standard_ones(self):
        for name in ["SpooledTemporaryFile", "TemporaryDirectory", "_TemporaryFileWrapper"]:
            ours, theirs = getattr(tempfile, name), getattr(standard, name)
            public = {attribute for attribute in dir(theirs) if not attribute.startswith("_")}
            self.assertEqual(public - set(dir(ours)), set())


class LikeAnOpenFile(Case):
    def test_sequences_of_operations_have_the_outcomes_of_an_ordinary_python(self):
        with open(os.environ["MODEL"], encoding="utf-8") as file:
            model = json.load(file)
        self.assertEqual(len(model), len(sequences.SEQUENCES))
        for seed, expected in enumerate(model):
            with self.subTest(seed=seed, arguments=sequences.SEQUENCES[seed]):
                self.assertEqual(json.loads(json.dumps(sequences.run(seed, unnamed))), expected)


class Files(Case):
    def test_ten_megabytes_come_back(self):
        data = bytes(range(256)) * 40_000
        for buffering in (-1, 0):
            with unnamed(buffering=buffering) as file:
                self.assertEqual(file.write(data), len(data))
                file.seek(0)
                # Longer than what the interface returns at once.
                self.assertEqual(file.read(len(data)), data)
                file.seek(1)
                self.assertEqual(file.read(), data[1:])
                target = bytearray(len(data))
                file.seek(0)
                self.assertEqual(file.readinto(target), len(data))
                self.assertEqual(target, data)

    def test_what_is_not_bytes_can_be_written(self):
        with unnamed(buffering=0) as file:
            for buffer in (bytearray(b"ab"), memoryview(b"cd"), memoryview(b"e_f_")[::1]):
                file.write(buffer)
            file.seek(0)
            self.assertEqual(file.read(), b"abcde_f_")

    def test_the_end_of_offsets(self):
        last = (1 << 63) - 1
        with unnamed() as file:
            self.assertEqual(file.seek(last), last)
            self.assertEqual(file.read(), b"")
            self.assertRaises(ValueError, file.seek, last + 1)
            self.assertRaises(OverflowError, file.raw.seek, last + 1)

    def test_a_closed_file(self):
        file = unnamed(buffering=0)
        file.close()
        file.close()
        for call in (file.read, file.tell, file.truncate, file.readable, file.readall,
                     lambda: file.seek(0), lambda: file.write(b"x")):
            self.assertRaises(ValueError, call)
        self.assertIn("closed", repr(file))

    def test_a_file_of_the_interface_has_no_descriptor(self):
        with unnamed() as file:
            self.assertRaises(io.UnsupportedOperation, file.fileno)

    def test_an_unclosed_file_is_a_resource_warning(self):
        for buffering in (-1, 0):
            file = unnamed(buffering=buffering)
            with self.assertWarns(ResourceWarning):
                del file
                gc.collect()

    def test_modes_encodings_and_newlines(self):
        with tempfile.NamedTemporaryFile("w+", encoding="utf-16", newline="\r\n") as file:
            file.write("ü\n")
            file.flush()
            file.seek(0)
            self.assertEqual(file.read(), "ü\r\n")
            self.assertEqual(file.mode, "w+")
        with tempfile.TemporaryFile("w", buffering=1, encoding="ascii", errors="replace") as file:
            self.assertTrue(file.line_buffering)
            self.assertEqual(file.write("ü"), 1)

    def test_wrong_arguments_leave_nothing(self):
        for arguments in ({"mode": "wr"}, {"mode": "q"}, {"mode": "w+b", "encoding": "utf-8"},
                          {"mode": "w", "buffering": 0}, {"buffering": -2}):
            for function in (tempfile.NamedTemporaryFile, tempfile.TemporaryFile):
                with self.subTest(arguments=arguments):
                    self.assertRaises(ValueError, function, **arguments)

    def test_a_name_is_kept_if_delete_changes(self):
        file = tempfile.NamedTemporaryFile()
        file._closer.delete = False
        file.close()
        file._closer.cleanup()
        self.assertEqual(ledger.get_usage().live.paths, 0)
        if is_visible():
            os.unlink(file.name)

    def test_a_removed_name_is_gone_for_os_too(self):
        if not is_visible():
            self.skipTest("os sees no directory")
        before = os.listdir(tempfile.gettempdir())
        with tempfile.NamedTemporaryFile(suffix=".txt") as file:
            with open(file.name, "w") as again:
                again.write("x")
            self.assertEqual(file.read(), b"x")
        self.assertEqual(os.listdir(tempfile.gettempdir()), before)


class Descriptors(Case):
    def test_a_descriptor_is_of_the_same_file_at_the_same_position(self):
        if not is_visible():
            self.skipTest("os sees no directory")
        for function in (tempfile.NamedTemporaryFile, tempfile.TemporaryFile):
            with self.subTest(function.__name__), function() as file:
                file.write(b"abcdef")
                file.seek(2)
                self.assertEqual(os.fstat(file.fileno()).st_size, 6)
                self.assertEqual(os.read(file.fileno(), 2), b"cd")
                self.assertEqual(file.read(), b"cdef")

    def test_without_a_directory_that_can_be_seen_there_is_none(self):
        if is_visible():
            self.skipTest("the directory can be seen")
        for function in (tempfile.NamedTemporaryFile, tempfile.TemporaryFile):
            with self.subTest(function.__name__), function() as file:
                with self.assertRaises(io.UnsupportedOperation) as caught:
                    file.fileno()
                self.assertIn("fileno: the plugin sees no path of this file, as in a run that "
                              "limits bytes", str(caught.exception))

    def test_mkstemp_fails_where_the_directory_cannot_be_seen(self):
        if is_visible():
            self.skipTest("the directory can be seen")
        with self.assertRaises(OSError) as caught:
            tempfile.mkstemp()
        self.assertTrue(caught.exception.filename.startswith(tempfile.gettempdir()))
        self.assertEqual(caught.exception.errno, errno.ENOENT)
        self.assertIn("as in a run that limits bytes", str(caught.exception))


class Limits(Case):
    def setUp(self):
        super().setUp()
        self.limit = ledger.get_limits().bytes
        if self.limit is None:
            self.skipTest("no limit on bytes")

    def test_a_write_over_the_limit_fails_and_the_file_goes_on(self):
        with tempfile.TemporaryFile(buffering=0) as file:
            file.truncate(self.limit - 3)
            file.seek(0, os.SEEK_END)
            self.assertEqual(file.write(b"12345"), 3)
            with self.assertRaises(OSError) as caught:
                file.write(b"45")
            self.assertEqual(caught.exception.errno, errno.EDQUOT)
            file.seek(-4, os.SEEK_END)
            self.assertEqual(file.read(), b"\x00123")

    def test_a_spooled_file_that_cannot_move_stays_in_memory(self):
        with tempfile.TemporaryFile() as other, tempfile.SpooledTemporaryFile(10) as file:
            other.truncate(self.limit - 2)
            file.write(b"0123456789")
            with self.assertRaises(OSError):
                file.write(b"!")
            self.assertFalse(file._rolled)
            other.truncate(0)
            file.rollover()
            file.seek(0)
            self.assertEqual(file.read(), b"0123456789!")


class Errors(Case):
    def creations(self, **arguments):
        for name in ("NamedTemporaryFile", "TemporaryFile", "TemporaryDirectory", "mkstemp",
                     "mkdtemp"):
            with self.subTest(name):
                yield lambda: getattr(tempfile, name)(**arguments)

    def test_a_missing_directory(self):
        for create in self.creations(dir="/missing/directory"):
            with self.assertRaises(FileNotFoundError) as caught:
                create()
            self.assertEqual(caught.exception.errno, errno.ENOENT)
            self.assertTrue(caught.exception.filename.startswith("/missing/directory"))

    def test_a_name_in_bytes_is_reported_in_bytes(self):
        with self.assertRaises(FileNotFoundError) as caught:
            tempfile.mkdtemp(dir=b"/missing")
        self.assertTrue(caught.exception.filename.startswith(b"/missing/tmp"))

    def test_a_separator_in_a_name(self):
        for name in ("mkdtemp", "NamedTemporaryFile"):
            with self.assertRaises(OSError) as caught:
                getattr(tempfile, name)(prefix="a/b")
            self.assertEqual(caught.exception.errno, errno.EINVAL)

    def test_a_path_that_is_not_unicode(self):
        for directory in (b"/tmp/\xff", "/tmp/\udcff"):
            for create in self.creations(dir=directory):
                with self.assertRaises(OSError) as caught:
                    create()
                self.assertEqual(caught.exception.errno, errno.EILSEQ)

    def test_a_zero_byte(self):
        for arguments in ({"dir": "/tmp/\0"}, {"prefix": "a\0"}):
            self.assertRaises(ValueError, tempfile.mkdtemp, **arguments)

    def test_an_error_passes_through_a_context_manager(self):
        @contextlib.contextmanager
        def manager():
            yield
        with self.assertRaises(FileNotFoundError) as caught, manager():
            tempfile.mkdtemp(dir="/missing")
        self.assertIsNone(caught.exception.__context__)

    def test_every_code_has_an_error_number(self):
        for code in bindings.ErrorCode:
            failure = bindings.Error(code, "message", "path")

            def fail():
                raise Err(failure)
            with self.assertRaises(OSError) as caught:
                _interface.call(fail)
            self.assertEqual((caught.exception.strerror, caught.exception.filename),
                             ("message", "path"))

    def test_what_a_removal_left_is_in_the_error(self):
        left = [bindings.CleanupFailure(path, bindings.Error(bindings.ErrorCode.ACCESS, "no", path))
                for path in ("/tmp/a", "/tmp/b")]

        class Stubborn:
            def close(self):
                if left:
                    raise Err(left[:])
        directory = tempfile.TemporaryDirectory()
        real = _interface._handles[directory._guard]
        _interface._handles[directory._guard] = Stubborn()
        with self.assertRaises(PermissionError) as caught:
            directory.cleanup()
        self.assertEqual(caught.exception.filename, "/tmp/a")
        self.assertEqual(caught.exception.__notes__, ["also left: /tmp/b: no"])
        # It can be tried again.
        self.assertTrue(_interface.is_owned(directory._guard))
        _interface._handles[directory._guard] = real
        directory.cleanup()
        self.assertFalse(os.path.exists(directory.name))

    def test_errors_of_a_removal_can_be_ignored(self):
        class Stubborn:
            def close(self):
                path = "/tmp/a"
                error = bindings.Error(bindings.ErrorCode.ACCESS, "no", path)
                raise Err([bindings.CleanupFailure(path, error)])
        with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as _, \
                contextlib.ExitStack() as stack:
            token, real = next(iter(_interface._handles.items()))
            _interface._handles[token] = Stubborn()
            stack.callback(_interface._handles.__setitem__, token, real)
        self.assertNotIn(token, _interface._handles)


class Handles(Case):
    def test_a_collected_cycle_closes_its_own_file_only(self):
        class Node:
            pass
        for _ in range(20):
            node = Node()
            node.itself, node.file = node, unnamed(buffering=0)
            node.file.node = node
            del node
            others = [unnamed(buffering=0) for _ in range(3)]
            for number, file in enumerate(others):
                file.write(b"%d" % number)
            gc.collect()
            others += [unnamed(buffering=0)]
            for number, file in enumerate(others[:3]):
                file.seek(0)
                self.assertEqual(file.read(), b"%d" % number)
            for file in others:
                file.close()

    def test_a_collected_cycle_removes_its_name(self):
        class Node:
            pass
        node = Node()
        node.itself, node.file = node, tempfile.NamedTemporaryFile()
        node.directory = tempfile.TemporaryDirectory()
        del node
        gc.collect()
        self.assertEqual(_interface._handles, {})


class Defaults(Case):
    def tearDown(self):
        tempfile.tempdir = None
        super().tearDown()

    def test_the_default_directory_is_the_one_of_the_interface(self):
        self.assertEqual(tempfile.gettempdir(), bindings.default_directory())

    def test_an_unusable_directory_of_the_environment_is_passed_over(self):
        os.environ["TMPDIR"] = "/missing"
        try:
            tempfile.tempdir = None
            self.assertEqual(tempfile.gettempdir(), bindings.default_directory())
        finally:
            del os.environ["TMPDIR"]

    def test_an_assigned_directory_is_used(self):
        with tempfile.TemporaryDirectory() as directory:
            tempfile.tempdir = directory
            with tempfile.NamedTemporaryFile() as file:
                self.assertEqual(os.path.dirname(file.name), directory)
