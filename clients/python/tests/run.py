"""Runs the tests of the Python client: CPython's own tests of `tempfile` and those beside this
file, in a plugin, with the provider in the host and as a component.

CPython's are read from an installed Python 3.13: the one of --python, of the environment's
CPYTHON, `python3.13`, or the newest that pyenv has. Without one this says so and succeeds.
"""

import argparse
import glob
import importlib.util
import json
import os
import pathlib
import shutil
import subprocess
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
REPOSITORY = HERE.parents[2]
PACKAGE = HERE.parent / "src" / "wasi_tempfile"
VERSION = (3, 13)
# How many of CPython's tests there are, have to pass, and have to call the interface in doing so.
TESTS, PASSED, CALLING = 116, 98, 80
RUNS = {
    "host": ["--provider", "host"],
    "component": ["--provider", "component"],
    # With a limit the plugin does not see the directory, so these run the client's tests only.
    "host, limited": ["--provider", "host", "--bytes", "16MiB"],
    "component, limited": ["--provider", "component", "--bytes", "16MiB"],
}


def find_python(argument):
    """Returns a Python of the version that has CPython's tests, or None."""
    pyenv = os.path.join(os.environ.get("PYENV_ROOT", os.path.expanduser("~/.pyenv")), "versions")
    name = "{}.{}".format(*VERSION)
    installed = sorted(glob.glob(os.path.join(pyenv, name + ".*", "bin", "python3")), reverse=True)
    named = argument or os.environ.get("CPYTHON")
    check = ("import importlib.util, sys; from test import test_tempfile; "
             f"sys.exit(sys.version_info[:2] != {VERSION})")
    for python in [named] if named else [f"python{name}", *installed]:
        try:
            if subprocess.run([python, "-c", check], capture_output=True).returncode == 0:
                return python
        except OSError:
            continue
    return None


def install(work):
    """Makes a virtual environment with the pinned componentize-py and returns its program."""
    requirements = HERE / "requirements.txt"
    program = work / "venv" / "bin" / "componentize-py"
    stamp = work / "venv" / "requirements.txt"
    if not stamp.exists() or stamp.read_bytes() != requirements.read_bytes():
        subprocess.run([sys.executable, "-m", "venv", "--clear", work / "venv"], check=True)
        subprocess.run([work / "venv" / "bin" / "python", "-m", "pip", "install", "--quiet",
                        "--disable-pip-version-check", "--require-hashes", "--no-deps",
                        "--only-binary=:all:", "--requirement", requirements], check=True)
        shutil.copy(requirements, stamp)
    return program


def write_model(path):
    """Writes what the operations of guest/model.py do to files of this Python."""
    sys.path.insert(0, str(HERE / "guest"))
    import model
    import tempfile

    def open_file(mode, buffering, **layer):
        descriptor, name = tempfile.mkstemp()
        os.unlink(name)
        return open(descriptor, mode, buffering, **layer)
    outcomes = [model.run(seed, open_file) for seed in range(len(model.SEQUENCES))]
    path.write_text(json.dumps(outcomes), encoding="utf-8")


def build(componentize, work):
    """Builds the plugin, with CPython's tests from this Python."""
    source = pathlib.Path(importlib.util.find_spec("test").origin).parent
    copy = work / "cpython"
    shutil.rmtree(copy, ignore_errors=True)
    (copy / "test").mkdir(parents=True)
    for name in ("__init__.py", "test_tempfile.py"):
        shutil.copy(source / name, copy / "test")
    shutil.copytree(source / "support", copy / "test" / "support")
    subprocess.run([componentize, "--quiet", "--wit-path", PACKAGE / "wit", "--world", "command",
                    "componentize", "app", "--python-path", HERE / "guest",
                    "--python-path", PACKAGE / "path", "--python-path", copy,
                    "--output", work / "plugin.wasm"], check=True)


def run(command, work, options, modules):
    """Runs the modules' tests in a plugin and returns what became of each."""
    results = work / "out" / "results"
    results.unlink(missing_ok=True)
    done = subprocess.run(
        [command, "run", *options, "--timeout", "5m", "--mount", f"{work / 'out'}::/out",
         "--env", "MODEL=/out/model.json", work / "plugin.wasm", "/out/results", *modules])
    lines = results.read_text(encoding="utf-8").splitlines() if results.exists() else []
    tests = [json.loads(line) for line in lines]
    if done.returncode != 0:
        tests.append({"test": "the plugin", "outcome": "failed", "calls": 0,
                      "detail": f"ended with {done.returncode} after {len(tests)} tests"})
    return tests


def is_cpythons(test):
    return test["test"].startswith("test.test_tempfile.")


def check(tests, declared):
    """Returns what is wrong with the outcomes of a run; `declared` are CPython's tests that have to
    fail, or None if none of its tests were to run."""
    problems = []
    for test in tests:
        expected = declared is not None and test["test"] in declared
        if test["outcome"] == "failed" and not expected:
            problems.append(f"{test['test']} failed: {test['detail']}")
        if test["outcome"] != "failed" and expected:
            problems.append(f"{test['test']} was declared to fail, and {test['outcome']}")
    if declared is None:
        return problems
    cpythons = [test for test in tests if is_cpythons(test)]
    names = {test["test"] for test in cpythons}
    problems += [f"{name} is declared and does not exist" for name in declared - names]
    passed = [test for test in cpythons if test["outcome"] == "passed"]
    calling = [test for test in passed if test["calls"]]
    for count, least, what in ((len(cpythons), TESTS, "of CPython's tests"),
                               (len(passed), PASSED, "of them passed"),
                               (len(calling), CALLING, "of these called the interface")):
        if count < least:
            problems.append(f"only {count} {what}, of at least {least}")
    return problems


def count(tests):
    outcomes = [test["outcome"] for test in tests]
    text = ", ".join(f"{outcomes.count(outcome)} {outcome}"
                     for outcome in ("passed", "skipped", "failed"))
    calling = sum(test["outcome"] == "passed" and test["calls"] > 0 for test in tests)
    return f"{text}; {calling} passed with calls of the interface"


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n", maxsplit=1)[0])
    parser.add_argument("--python", help="the Python 3.13 with CPython's tests")
    parser.add_argument("--command", help="the program wasi-tempfile; built if it is not given")
    arguments = parser.parse_args()
    python = find_python(arguments.python)
    if python is None:
        print("not checked: the Python client (no Python 3.13 with its tests)")
        return 0
    if sys.version_info[:2] != VERSION:
        return subprocess.run([python, __file__, *sys.argv[1:]]).returncode

    import tomllib
    declared = {f"test.test_tempfile.{group}.{name}"
                for group, names in tomllib.loads((HERE / "declared.toml").read_text()).items()
                for name in names}
    target = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", REPOSITORY / "target")).resolve()
    work = target / "python"
    (work / "out").mkdir(parents=True, exist_ok=True)
    command = arguments.command
    if command is None:
        subprocess.run(["cargo", "build", "--locked"], cwd=REPOSITORY, check=True)
        command = target / "debug" / "wasi-tempfile"

    componentize = install(work)
    write_model(work / "out" / "model.json")
    build(componentize, work)
    failed = False
    for name, options in RUNS.items():
        limited = "limited" in name
        started = time.monotonic()
        modules = ["test_client"] if limited else ["test_client", "test.test_tempfile"]
        tests = run(command, work, options, modules)
        problems = check(tests, None if limited else declared)
        seconds = time.monotonic() - started
        if not limited:
            print(f"{name}, CPython's tests: {count([t for t in tests if is_cpythons(t)])}")
        print(f"{name}, the client's tests: {count([t for t in tests if not is_cpythons(t)])}; "
              f"{seconds:.0f} s")
        for problem in problems:
            print(f"  {problem}")
        failed |= bool(problems)
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
