// One case of the conformance suite in a fresh instance of the transpiled component. Node, Deno,
// Bun and browsers share this; docs/hosts.md describes the protocol.

import * as wasi from "@bytecodealliance/preview2-shim";
import { WASIShim } from "@bytecodealliance/preview2-shim/instantiation";

/** The end of an instance by `wasi:cli/exit`. */
class Exit extends Error {
  constructor(code) {
    super(`exit code ${code}`);
    this.code = code;
  }
}

const exit = {
  exit(status) {
    throw new Exit(status.tag === "err" ? 1 : 0);
  },
  exitWithCode(code) {
    throw new Exit(code);
  },
};

/** An output stream that keeps what is written to it. */
function capture() {
  const decoder = new TextDecoder();
  let text = "";
  const write = (bytes) => {
    text += decoder.decode(bytes, { stream: true });
  };
  const stream = Object.create(wasi.io.streams.OutputStream.prototype);
  Object.assign(stream, {
    checkWrite: () => 65536n,
    write,
    flush() {},
    blockingFlush() {},
    blockingWriteAndFlush: write,
    subscribe: () => wasi.clocks.monotonicClock.subscribeDuration(0n),
    [Symbol.dispose ?? Symbol.for("dispose")]() {},
  });
  return { stream, text: () => text };
}

/**
 * Runs a case.
 *
 * @param suite - `instantiate` of the transpiled component, and what loads its modules; `provide`
 * if the component does not contain a provider: it gets the imports and returns the interfaces
 * @param listed - the object of the case in the suite's list
 * @param preopens - the directories of the host, by guest path
 * @returns {ok, stdout, stderr}: whether the component ended well, and what it printed
 */
export async function run(suite, listed, preopens) {
  const [stdout, stderr] = [capture(), capture()];
  const cli = {
    ...wasi.cli,
    exit,
    stdout: { getStdout: () => stdout.stream },
    stderr: { getStderr: () => stderr.stream },
  };
  const args = ["conformance", listed.case];
  const sandbox = { preopens, env: listed.environment, args, enableNetwork: false };
  // In a browser the shim has files in memory.
  const Memory = wasi.filesystem.InMemoryFilesystemAdapter;
  const browserFilesystem = Memory && { adapter: new Memory() };
  const imports = new WASIShim({ cli, sandbox, browserFilesystem }).getImportObject();
  let ok = true;
  let problem = "";
  try {
    const provided = await suite.provide?.(imports);
    const instance = await suite.instantiate(suite.module, { ...imports, ...provided });
    instance.run.run();
  } catch (error) {
    ok = error instanceof Exit && error.code === 0;
    problem = ok || error instanceof Exit ? "" : String(error);
  }
  return { ok, stdout: stdout.text(), stderr: `${stderr.text()}${problem}` };
}

/**
 * How a case ended.
 *
 * @param left - the names that are in its scratch directory
 */
export function judge(listed, { ok, stdout, stderr }, left) {
  const result = (outcome, detail = "") => ({ case: listed.case, outcome, detail });
  if (listed.panics !== null) {
    // A trap runs no destructor, so that files remain.
    const expected = !ok && stderr.includes(listed.panics);
    return expected ? result("passed") : result("failed", `no panic: ${stderr}`);
  }
  if (!ok) {
    return result("failed", stderr.trim() || "it failed without a word");
  }
  const skipped = stdout.split("\n").find((line) => line.startsWith("skipped: "));
  if (skipped) {
    return result("skipped", skipped.slice("skipped: ".length));
  }
  const behind = left.filter((name) => !listed.may_remain.includes(name));
  return behind.length ? result("failed", `left behind: ${behind.join(", ")}`) : result("passed");
}

/** The result of a case that needs what this host does not have, or undefined. */
export function refuse(listed, provided) {
  const missing = listed.needs.filter((need) => !provided.includes(need));
  return missing.length
    ? { case: listed.case, outcome: "skipped", detail: `the runner has no ${missing.join(", ")}` }
    : undefined;
}
