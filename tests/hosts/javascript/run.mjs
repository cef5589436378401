// Runs cases on Node, Deno or Bun: `run.mjs TRANSPILED CASES.jsonl`. Each case is a line of the
// suite's list; a line of JSON is printed for each result, in the same order. With `run.mjs SUITE
// PROVIDER FAULT CASES.jsonl` the suite has no provider in it, and gets one with a fault.

import { spawnSync } from "node:child_process";
import * as fs from "node:fs";
import { tmpdir } from "node:os";
import { basename, join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { judge, refuse, run } from "./case.mjs";
import { FAULTS } from "./faults.mjs";

const PROVIDED = ["fifo", "foreign-name", "trap", "limits"];

const [directory, ...rest] = process.argv.slice(2);
const list = rest.pop();
const suite = { ...(await load(directory)), provide: rest.length ? await broken(...rest) : null };

/** `instantiate` of a transpiled component, and what loads its modules. */
async function load(directory) {
  const main = resolve(directory, `${basename(directory)}.js`);
  const { instantiate } = await import(pathToFileURL(main));
  const modules = new Map();
  const module = (name) => {
    if (!modules.has(name)) {
      modules.set(name, WebAssembly.compile(fs.readFileSync(join(directory, name))));
    }
    return modules.get(name);
  };
  return { instantiate, module };
}

/** What gives the suite a provider with a fault. */
async function broken(directory, fault) {
  const { instantiate, module } = await load(directory);
  return async (imports) => FAULTS[fault](await instantiate(module, imports), imports);
}

/** Puts what the case asks for into its scratch directory. */
function plant({ kind, path }, scratch) {
  const at = join(scratch, path);
  if (kind === "fifo") {
    const { status } = spawnSync("mkfifo", [at]);
    if (status !== 0) throw new Error(`mkfifo ended with ${status}`);
  } else {
    fs.mkdirSync(at);
    fs.writeFileSync(Buffer.concat([Buffer.from(`${at}/foreign-`), Buffer.from([255])]), "");
  }
}

/** A case in directories of its own. */
async function inDirectories(listed) {
  const root = fs.mkdtempSync(join(tmpdir(), "conformance-"));
  try {
    const preopens = {};
    listed.preopens.forEach((guest, number) => {
      preopens[guest] = guest === "/witness" ? preopens["/tmp"] : join(root, String(number));
      fs.mkdirSync(preopens[guest], { recursive: true });
    });
    listed.planted.forEach((planted) => plant(planted, preopens["/tmp"]));
    const ended = await run(suite, listed, preopens);
    return judge(listed, ended, fs.readdirSync(preopens["/tmp"]));
  } finally {
    fs.rmSync(root, { recursive: true, force: true });
  }
}

for (const line of fs.readFileSync(list, "utf8").split("\n").filter(Boolean)) {
  const listed = JSON.parse(line);
  const result = refuse(listed, PROVIDED) ?? (await inDirectories(listed));
  fs.writeSync(1, `${JSON.stringify(result)}\n`);
}
process.exit(0);
