"""Runs cases of the conformance suite on wasmtime-py: `run.py SUITE.wasm CASES.jsonl`.

Each case is a line of the suite's list; a line of JSON is printed for each result, in the same
order. docs/hosts.md describes the protocol.
"""

import json
import os
import shutil
import sys
import tempfile
from pathlib import Path

from wasmtime import Engine, ExitTrap, Store, Trap, WasiConfig, WasmtimeError
from wasmtime.component import Component, Linker

PROVIDED = {"fifo", "foreign-name", "trap", "limits"}


def plant(entry, scratch):
    """Puts what a case asks for into its scratch directory."""
    at = scratch / entry["path"]
    if entry["kind"] == "fifo":
        os.mkfifo(at)
    else:
        at.mkdir()
        open(os.fsencode(at) + b"/foreign-\xff", "xb").close()


def run(engine, linker, component, case, preopens, outputs):
    """Runs a case in a fresh instance. Returns what went wrong, or None."""
    wasi = WasiConfig()
    wasi.argv = ["conformance", case["case"]]
    wasi.env = list(case["environment"].items())
    wasi.stdout_file, wasi.stderr_file = map(str, outputs)
    for guest, host in preopens.items():
        wasi.preopen_dir(str(host), guest)
    store = Store(engine)
    store.set_wasi(wasi)
    try:
        instance = linker.instantiate(store, component)
        interface = next(
            name
            for name in component.type.exports(engine)
            if name.startswith("wasi:cli/run@")
        )
        index = instance.get_export_index(store, interface)
        function = instance.get_func(store, instance.get_export_index(store, "run", index))
        # An error is returned as a value.
        if getattr(function(store), "tag", "ok") == "err":
            return "`run` returned an error"
    except ExitTrap as ended:
        return None if ended.code == 0 else f"exit code {ended.code}"
    except (Trap, WasmtimeError) as trapped:
        return str(trapped)
    return None


def judge(case, problem, stdout, stderr, left):
    """How a case ended: an outcome and a detail."""
    if case["panics"] is not None:
        # A trap runs no destructor, so that files remain.
        if problem is not None and case["panics"] in stderr:
            return "passed", ""
        return "failed", f"no panic: {stderr}"
    if problem is not None:
        return "failed", stderr.strip() or problem
    for line in stdout.splitlines():
        if line.startswith("skipped: "):
            return "skipped", line.removeprefix("skipped: ")
    behind = sorted(set(left) - set(case["may_remain"]))
    return ("failed", f"left behind: {behind}") if behind else ("passed", "")


def outcome(engine, linker, component, case):
    """Runs a case in directories of its own."""
    missing = [need for need in case["needs"] if need not in PROVIDED]
    if missing:
        return "skipped", f"the runner has no {', '.join(missing)}"
    root = Path(tempfile.mkdtemp(prefix="conformance-"))
    try:
        preopens = {}
        for number, guest in enumerate(case["preopens"]):
            preopens[guest] = preopens["/tmp"] if guest == "/witness" else root / str(number)
            preopens[guest].mkdir(exist_ok=True)
        scratch = preopens["/tmp"]
        for entry in case["planted"]:
            plant(entry, scratch)
        outputs = [root / "stdout", root / "stderr"]
        problem = run(engine, linker, component, case, preopens, outputs)
        said = [output.read_text(errors="replace") for output in outputs]
        return judge(case, problem, *said, os.listdir(scratch))
    finally:
        shutil.rmtree(root)


def main():
    suite, cases = sys.argv[1:]
    engine = Engine()
    component = Component.from_file(engine, suite)
    linker = Linker(engine)
    linker.add_wasip2()
    with open(cases, encoding="utf-8") as lines:
        for case in map(json.loads, lines):
            ended, detail = outcome(engine, linker, component, case)
            result = {"case": case["case"], "outcome": ended, "detail": detail}
            print(json.dumps(result), flush=True)


main()
