#!/usr/bin/env python3
"""Runs the conformance suite on other hosts, and compares what fails with what is declared to fail.

`everywhere.py` runs everything and writes docs/matrix.md; `--quick` runs a tenth of the cases and
every declared difference; `--host NAME` runs one host. The tools are installed into target/hosts
from their lock files. A host whose tools cannot be had is skipped by name, and is an error if it
was asked for by name.
"""

import argparse
import json
import queue
import shutil
import subprocess
import sys
import threading
import tomllib
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
HERE = ROOT / "tests/hosts"
WORK = ROOT / "target/hosts"
NODE = WORK / "node"
PYTHON = WORK / "python"

# After so many seconds without an answer a case counts as hung. One that is declared to hang gets
# less.
PATIENCE = 180
SHORT = 20
HANGS = "it hangs"
JOBS = 2


class Missing(Exception):
    """A host's tools cannot be had."""


def call(*command, **options):
    """Runs a command, and explains what is missing if it fails."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, **options)
    except OSError as error:
        raise Missing(f"{command[0]}: {error.strerror}") from error
    except subprocess.TimeoutExpired as hung:
        raise Missing(f"{command[0]} has not ended after {hung.timeout} s") from hung
    if done.returncode != 0:
        last = (done.stderr or done.stdout).strip().splitlines()[-1:]
        raise Missing(f"{command[0]} ended with {done.returncode}: {' '.join(last)}")
    return done.stdout.strip()


def own(*arguments):
    """Runs the command `wasi-tempfile`, and returns what it prints."""
    command = ["cargo", "run", "--quiet", "--locked", "--", *arguments]
    return subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE).stdout


def once(folder, lock, install):
    """Installs into a folder, unless that was done from the same lock file."""
    stamp = folder / "installed"
    if stamp.exists() and stamp.read_bytes() == lock.read_bytes():
        return
    install()
    shutil.copyfile(lock, stamp)


def install_python():
    """Installs wasmtime-py."""
    requirements = HERE / "python/requirements.txt"

    def install():
        call(sys.executable, "-m", "venv", "--clear", str(PYTHON))
        pip = [str(PYTHON / "bin/pip"), "install", "--require-hashes", "--no-deps"]
        call(*pip, "--quiet", "-r", str(requirements))

    once(PYTHON, requirements, install)


def install_packages(folder, *options):
    """Copies the JavaScript programs to a folder, and installs the packages that they need."""
    call("node", "--version")
    shutil.copytree(HERE / "javascript", folder, dirs_exist_ok=True)
    command = ["npm", "ci", "--no-audit", "--no-fund", *options]
    lock = HERE / "javascript/package-lock.json"
    once(folder, lock, lambda: call(*command, cwd=folder, timeout=900))


def install_javascript(suite):
    """Installs the JavaScript tools, and transpiles the suite for all of them."""
    install_packages(NODE, "--include=dev")
    shutil.rmtree(NODE / "suite", ignore_errors=True)
    call("node", "transpile.mjs", str(suite), "suite", cwd=NODE)


def tool(pattern):
    """The program of a package, which has another name on each system."""
    for found in sorted(NODE.glob(f"node_modules/{pattern}")):
        return str(found)
    raise Missing(f"no {pattern} was installed")


@dataclass
class Host:
    """A host: the command that takes a file of cases, and what is declared to differ there."""

    name: str
    command: callable
    version: callable
    differences: list = field(default_factory=list)
    results: dict = field(default_factory=dict)
    skipped: str = ""

    def declared(self):
        """The declared difference of each case that has one."""
        return {case: entry for entry in self.differences for case in entry["cases"]}


def package_version(name):
    """The version of an installed npm package."""
    return json.loads((NODE / "node_modules" / name / "package.json").read_text())["version"]


def shim(version):
    """The version of a JavaScript host, and of what it runs WASI with."""
    return f"{version}, preview2-shim {package_version('@bytecodealliance/preview2-shim')}"


def hosts():
    """All hosts, with what is declared for them."""
    python = str(PYTHON / "bin/python")
    runner, suite = str(HERE / "python/run.py"), str(WORK / "suite.wasm")
    ask = "import importlib.metadata; print(importlib.metadata.version('wasmtime'))"
    found = [
        Host("wasmtime-py", lambda: [python, runner, suite], lambda: call(python, "-c", ask)),
        Host(
            "node",
            lambda: ["node", "run.mjs", "suite"],
            lambda: shim(call("node", "--version").removeprefix("v")),
        ),
        Host(
            "deno",
            lambda: [tool("@deno/*/deno"), "run", "--quiet", "-A", "run.mjs", "suite"],
            lambda: shim(package_version("deno")),
        ),
        Host(
            "bun",
            lambda: [tool("bun/bin/bun*"), "run.mjs", "suite"],
            lambda: shim(package_version("bun")),
        ),
        Host(
            "chromium",
            lambda: ["node", "chromium.mjs", "suite"],
            lambda: shim(package_version("@sparticuz/chromium")) + ", files in memory",
        ),
    ]
    for host in found:
        declared = tomllib.loads((HERE / f"{host.name}.toml").read_text(encoding="utf-8"))
        host.differences = declared.get("difference", [])
    return found


def lines(process, patience):
    """The lines that a process prints, until it ends or says nothing for too long."""
    said = queue.Queue()

    def read():
        for line in process.stdout:
            said.put(line)
        said.put(None)

    threading.Thread(target=read, daemon=True).start()
    while True:
        try:
            line = said.get(timeout=patience())
        except queue.Empty:
            return
        if line is None:
            return
        yield line


def run_part(host, number, cases):
    """Runs cases one after the other. One that ends or hangs its process has failed."""
    left = list(cases)
    hanging = {case for case, entry in host.declared().items() if entry["detail"] == HANGS}

    def patience():
        return SHORT if left and left[0]["case"] in hanging else PATIENCE

    listed = WORK / f"{host.name}-{number}.jsonl"
    while left:
        listed.write_text("".join(json.dumps(case) + "\n" for case in left))
        process = subprocess.Popen(
            [*host.command(), str(listed)],
            cwd=NODE if host.name != "wasmtime-py" else WORK,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            text=True,
        )
        for line in lines(process, patience):
            result = json.loads(line)
            host.results[result["case"]] = result
            left.pop(0)
        hung = process.poll() is None
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        if left:
            case = left.pop(0)["case"]
            detail = HANGS if hung else f"its process ended with {process.returncode}"
            host.results[case] = {"case": case, "outcome": "failed", "detail": detail}


def run(host, cases):
    """Runs the cases on a host, in a few processes side by side."""
    parts = [
        threading.Thread(target=run_part, args=(host, number, cases[number::JOBS]))
        for number in range(JOBS)
    ]
    for part in parts:
        part.start()
    for part in parts:
        part.join()


def problems(host):
    """What is not as declared, a line each."""
    declared = host.declared()
    for case, result in host.results.items():
        entry = declared.get(case)
        if entry is None and result["outcome"] == "failed":
            yield f"{case} failed: {result['detail']}"
        elif entry is not None and result["outcome"] != "failed":
            yield f"{case} is declared to fail, and was {result['outcome']}: {entry['reason']}"
        elif entry is not None and entry["detail"] not in result["detail"]:
            yield f"{case} is declared to fail with {entry['detail']!r}: {result['detail']}"


def controls(cases):
    """What the suite does not find on Node if the provider has a fault, a line each."""
    for name, write in (
        ("provider", ["component"]),
        ("unprovided", ["conformance", "--component", "--without-provider"]),
    ):
        component = WORK / f"{name}.wasm"
        own(*write, "-o", str(component))
        call("node", "transpile.mjs", str(component), name, cwd=NODE)
    declared = tomllib.loads((HERE / "controls.toml").read_text(encoding="utf-8"))["control"]
    every = {case for each in declared for case in each["cases"]}
    tries = [(each["fault"], each["cases"], "failed", each["detail"]) for each in declared]
    for fault, names, outcome, detail in [*tries, ("none", sorted(every), "passed", "")]:
        command = ["node", "run.mjs", "unprovided", "provider", fault]
        host = Host(f"control-{fault}", lambda command=command: command, None)
        run(host, [case for case in cases if case["case"] in names])
        for case in names:
            result = host.results.get(case, {"outcome": "missing", "detail": ""})
            if result["outcome"] != outcome or detail not in result["detail"]:
                yield f"{case} was {result['outcome']} with the fault {fault}: {result['detail']}"
    print(f"node: {len(declared)} providers with a fault were tried", flush=True)


def count(host, outcome):
    return sum(result["outcome"] == outcome for result in host.results.values())


def matrix(ran, versions, cases):
    """The page of results."""
    text = [
        "# The suite on other hosts\n",
        "`just everywhere` wrote this page. It ran each case of the conformance suite, composed",
        "with the provider component, on each host, as [hosts.md](hosts.md) describes. A case that",
        "*differs* fails for a reason that is declared in `tests/hosts/`.\n",
        "| host | version | passed | differs | skipped |",
        "|---|---|---|---|---|",
    ]
    for host in ran:
        numbers = " | ".join(str(count(host, end)) for end in ("passed", "failed", "skipped"))
        text.append(f"| {host.name} | {versions[host.name]} | {numbers} |")
    marks = {"passed": "✓", "failed": "differs", "skipped": "–"}
    names = [case["case"] for case in cases]
    unlike = [
        name for name in names if len({host.results[name]["outcome"] for host in ran}) > 1
    ]
    text += [
        f"\nOf {len(names)} cases, {len(names) - len(unlike)} end alike everywhere. The others:\n",
        "| case | " + " | ".join(host.name for host in ran) + " |",
        "|---|" + "---|" * len(ran),
    ]
    for name in unlike:
        row = " | ".join(marks[host.results[name]["outcome"]] for host in ran)
        text.append(f"| `{name}` | {row} |")
    text += ["\n## Why they differ\n", "| hosts | cases | because |", "|---|---|---|"]
    reasons = {}
    for host in ran:
        for entry in host.differences:
            key = (entry["reason"], entry["link"])
            at, named = reasons.setdefault(key, ([], []))
            at.append(host.name)
            named += [case for case in entry["cases"] if case not in named]
    for (reason, link), (at, named) in reasons.items():
        listed = ", ".join(f"`{case}`" for case in named)
        text.append(f"| {', '.join(at)} | {listed} | [{reason}]({link}) |")
    skipped = {}
    for host in ran:
        for result in host.results.values():
            if result["outcome"] == "skipped":
                numbers = skipped.setdefault(result["detail"], {})
                numbers[host.name] = numbers.get(host.name, 0) + 1
    text += [
        "\n## Why they are skipped\n",
        "| because | " + " | ".join(host.name for host in ran) + " |",
        "|---|" + "---|" * len(ran),
    ]
    for reason, numbers in sorted(skipped.items()):
        row = " | ".join(str(numbers.get(host.name, 0)) for host in ran)
        text.append(f"| {reason} | {row} |")
    return "\n".join(text) + "\n"


def write_suite(suite):
    """Writes the suite to a file, as a component; returns the list of its cases."""
    own("conformance", "--component", "-o", str(suite))
    printed = own("conformance", "--list", "--format", "json")
    return [json.loads(line) for line in printed.splitlines()]


def main():
    """Runs the hosts. The exit code is 1 if something is not as declared."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true")
    known = hosts()
    parser.add_argument("--host", action="append", choices=[host.name for host in known])
    options = parser.parse_args()

    WORK.mkdir(parents=True, exist_ok=True)
    suite = WORK / "suite.wasm"
    cases = write_suite(suite)
    names = {case["case"] for case in cases}

    wrong = False
    versions = {}
    transpiled = False
    chosen = [host for host in known if options.host is None or host.name in options.host]
    for host in chosen:
        declared = host.declared()
        for case in declared.keys() - names:
            print(f"{host.name}: no case is called {case}")
            wrong = True
        try:
            if host.name == "wasmtime-py":
                install_python()
            elif not transpiled:
                install_javascript(suite)
                transpiled = True
            host.command()
            versions[host.name] = host.version()
        except Missing as missing:
            host.skipped = str(missing)
            print(f"{host.name}: skipped ({host.skipped})", flush=True)
            wrong = wrong or options.host is not None
            continue
        selected = [
            case
            for number, case in enumerate(cases)
            if not options.quick or number % 10 == 0 or case["case"] in declared
        ]
        run(host, selected)
        numbers = ", ".join(
            f"{count(host, end)} {word}"
            for end, word in (("passed", "passed"), ("failed", "differ"), ("skipped", "skipped"))
        )
        print(f"{host.name} {versions[host.name]}: {numbers}", flush=True)
        found = list(problems(host))
        if host.name == "node":
            found += controls(cases)
        for problem in found:
            print(f"{host.name}: {problem}", flush=True)
            wrong = True
    ran = [host for host in chosen if not host.skipped]
    if not ran:
        print("not checked: the suite on other hosts (every host was skipped)")
    if not options.quick and options.host is None and len(ran) == len(chosen):
        (ROOT / "docs/matrix.md").write_text(matrix(ran, versions, cases), encoding="utf-8")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
