#!/usr/bin/env python3
"""Builds the page that runs the provider in a browser, serves it, and tests it.

`playground.py serve` builds the page into target/playground/site and serves it on this machine
alone, until it is interrupted; `build` only builds it, for any server of static files. `test`
drives it in headless Chromium.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import threading
import tomllib
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
sys.path.insert(0, str(ROOT / "tests/hosts"))

import everywhere  # noqa: E402

WORK = ROOT / "target/playground"
SITE = WORK / "site"

# After so many seconds the tests have hung.
PATIENCE = 600


# Ends well if the browser of the tests starts.
BROWSER = """
import { execFileSync } from "node:child_process";
import { browser } from "./browser.mjs";
execFileSync(browser(), ["--version"], { timeout: 60000 });
"""


def build(testing):
    """Builds the page, and returns the folder of the tools that did it."""
    # The tools that only tests need are large.
    tools = everywhere.NODE if testing else WORK / "tools"
    everywhere.install_packages(tools, "--include=dev" if testing else "--omit=dev")
    if testing:
        everywhere.call("node", "--input-type=module", "--eval", BROWSER, cwd=tools)

    WORK.mkdir(parents=True, exist_ok=True)
    suite, provider = WORK / "suite.wasm", WORK / "provider.wasm"
    cases = everywhere.write_suite(suite)
    everywhere.own("component", "-o", str(provider))

    shutil.rmtree(SITE, ignore_errors=True)
    SITE.mkdir()
    for component in (suite, provider):
        target = SITE / component.stem
        everywhere.call("node", "transpile.mjs", str(component), str(target), cwd=tools)
    for kind in ("*.html", "*.css", "*.js"):
        for file in HERE.glob(kind):
            shutil.copy(file, SITE)
    shutil.copy(everywhere.HERE / "javascript/case.mjs", SITE)
    for name in ("tempfile.wit", "ledger.wit"):
        shutil.copy(ROOT / "wit/tempfile" / name, SITE)
    shim = tools / "node_modules/@bytecodealliance/preview2-shim/dist"
    for part in ("browser", "common"):
        target = SITE / "preview2-shim" / part
        shutil.copytree(shim / part, target, ignore=shutil.ignore_patterns("*.d.ts"))
    declared = tomllib.loads((everywhere.HERE / "chromium.toml").read_text(encoding="utf-8"))
    (SITE / "differences.json").write_text(json.dumps(declared["difference"]))
    (SITE / "cases.jsonl").write_text("".join(json.dumps(case) + "\n" for case in cases))
    return tools


class Handler(SimpleHTTPRequestHandler):
    """Serves the page, with types that do not depend on the system."""

    extensions_map = {
        "": "application/octet-stream",
        ".css": "text/css",
        ".html": "text/html",
        ".js": "text/javascript",
        ".json": "application/json",
        ".mjs": "text/javascript",
        ".wasm": "application/wasm",
        ".wit": "text/plain",
        ".jsonl": "text/plain",
    }

    def end_headers(self):
        """Adds that nothing is cached, since the next build replaces it."""
        self.send_header("Cache-Control", "no-store")
        super().end_headers()

    def log_message(self, *_):
        """Says nothing."""


def server(port):
    """A server of the page on the loopback address; port 0 means any that is free."""
    return ThreadingHTTPServer(("127.0.0.1", port), partial(Handler, directory=str(SITE)))


def address(served):
    return f"http://127.0.0.1:{served.server_port}/"


def test(tools):
    """Drives the page in headless Chromium; returns the exit code of the tests."""
    with server(0) as served:
        threading.Thread(target=served.serve_forever, daemon=True).start()
        command = ["node", "--test", "--test-reporter=spec", "playground.test.mjs"]
        environment = {**os.environ, "PLAYGROUND": address(served)}
        try:
            return subprocess.run(command, cwd=tools, env=environment, timeout=PATIENCE).returncode
        finally:
            served.shutdown()


def main():
    """Does what the first argument says."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("what", choices=["build", "serve", "test"])
    parser.add_argument("--port", type=int, default=0)
    options = parser.parse_args()
    try:
        tools = build(testing=options.what == "test")
    except everywhere.Missing as missing:
        if options.what != "test":
            raise SystemExit(f"playground: {missing}") from missing
        print(f"playground: skipped ({missing})")
        return 0
    if options.what == "test":
        return test(tools)
    if options.what == "serve":
        with server(options.port) as served:
            print(f"{address(served)} (Ctrl-C ends it)", flush=True)
            try:
                served.serve_forever()
            except KeyboardInterrupt:
                pass
    return 0


if __name__ == "__main__":
    sys.exit(main())
