"""A plugin that runs unittest modules and writes what became of each test.

Arguments: the file for the results, then the modules, which have to be imported here, because
nothing can be imported after the build. A line of the results is a JSON object.
"""

import encodings.ascii  # noqa: F401  (codecs that tests look up by name)
import encodings.utf_16  # noqa: F401
import gc
import json
import os
import sys
import tempfile
import unittest

import test.support

# While they are imported, CPython's tests try out what the current directory can do.
os.chdir(os.path.dirname(os.path.dirname(test.__file__)))

import test.test_tempfile
import test_client

MODULES = {module.__name__: module for module in (test.test_tempfile, test_client)}

calls = 0


def count_calls(owner, names):
    """Makes these functions of the bindings count their calls."""
    def counting(function):
        def wrapper(*arguments):
            global calls
            calls += 1
            return function(*arguments)
        return wrapper
    for name in names:
        setattr(owner, name, counting(getattr(owner, name)))


class Result(unittest.TestResult):
    def __init__(self, file):
        super().__init__()
        self.file = file
        self.outcomes = []

    def startTest(self, test):
        super().startTest(test)
        # As in a new process.
        gc.collect()
        tempfile.tempdir = tempfile._scratch = None
        self.before = calls
        self.outcomes = []

    def add(self, outcome, detail):
        self.outcomes.append((outcome, detail))

    def addError(self, test, error):
        super().addError(test, error)
        self.add("failed", self._exc_info_to_string(error, test))

    addFailure = addError

    def addSubTest(self, test, subtest, error):
        if error is not None:
            self.add("failed", f"{subtest}: {self._exc_info_to_string(error, test)}")

    def addSkip(self, test, reason):
        super().addSkip(test, reason)
        self.add("skipped", reason)

    def stopTest(self, test):
        super().stopTest(test)
        outcome, detail = min(self.outcomes, default=("passed", ""))
        line = {"test": test.id(), "outcome": outcome, "detail": detail,
                "calls": calls - self.before}
        print(json.dumps(line), file=self.file, flush=True)


class Run:
    def run(self):
        bindings = tempfile._interface.tempfile
        count_calls(bindings, ["default_directory", "directory", "named", "unnamed"])
        count_calls(bindings.File, ["close", "read", "set_size", "size", "write"])
        count_calls(bindings.TempPath, ["close", "keep"])
        count_calls(bindings.TempDir, ["close", "keep"])
        if os.path.isdir("/tmp"):
            # Tests create files in the current directory.
            os.chdir("/tmp")
        results, *modules = sys.argv[1:]
        with open(results, "w", encoding="utf-8") as file:
            for name in modules:
                suite = unittest.defaultTestLoader.loadTestsFromModule(MODULES[name])
                suite.run(Result(file))
