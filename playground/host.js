// A host for the provider component: files in memory, limits, and what becomes of an instance.

import * as wasi from "@bytecodealliance/preview2-shim";
import { WASIShim } from "@bytecodealliance/preview2-shim/instantiation";
import { modules } from "./modules.js";
import { instantiate } from "./provider/provider.js";

const module = modules("provider");

/** A core module whose export `trap` is the instruction `unreachable`. */
const TRAP = new WebAssembly.Module(
  new Uint8Array([
    ...[0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00],
    ...[0x01, 0x04, 0x01, 0x60, 0x00, 0x00], // type () -> ()
    ...[0x03, 0x02, 0x01, 0x00], // one function of that type
    ...[0x07, 0x08, 0x01, 0x04, 0x74, 0x72, 0x61, 0x70, 0x00, 0x00], // exported as `trap`
    ...[0x0a, 0x05, 0x01, 0x03, 0x00, 0x00, 0x0b], // unreachable
  ]),
);

/** The end of an instance, or a call of one that has ended. */
export class Trap extends Error {}

const PREFIXES = { File: "file", TempPath: "path", TempDir: "dir" };

/** Runs one instance of the provider at a time, always on the same files. */
export class Host {
  /** The directories that the provider sees, in preview2-shim's form. */
  preopens = { "/tmp": { dir: {} }, "/out": { dir: {} } };
  /** The plugin's handles, by name: `{ name, kind, resource, closed }`. */
  handles = new Map();
  #instance;
  #trapped = false;
  #traps = false;
  // The handles of instances that were stopped. If one were collected, jco would call its
  // destructor, which does not run in an instance that is stopped.
  #abandoned = [];
  #numbers = { file: 0, path: 0, dir: 0 };

  /** Stops the instance, without running a destructor, and starts another with these limits. */
  async start(limits) {
    this.#abandoned.push(...this.handles.values());
    this.handles.clear();
    const random = {
      ...wasi.random,
      random: {
        ...wasi.random.random,
        getRandomU64: () => {
          if (this.#traps) new WebAssembly.Instance(TRAP).exports.trap();
          return wasi.random.random.getRandomU64();
        },
      },
    };
    const env = limits ? { SCRATCH_LIMITS: limits } : {};
    const sandbox = { preopens: this.preopens, env, args: [], enableNetwork: false };
    const browserFilesystem = { adapter: new wasi.filesystem.InMemoryFilesystemAdapter() };
    const imports = new WASIShim({ random, sandbox, browserFilesystem }).getImportObject();
    this.#instance = await instantiate(module, imports);
    this.#trapped = false;
  }

  get trapped() {
    return this.#trapped;
  }

  /**
   * Calls the instance: `method` gets its interfaces `tempfile` and `ledger`. Throws the
   * interface's error, or a [`Trap`].
   */
  call(method) {
    if (this.#trapped) throw new Trap("the instance has trapped, and takes no more calls");
    try {
      return method(this.#instance);
    } catch (error) {
      // The interface's errors are records; an `Error` has unwound the instance.
      if (!(error instanceof Error)) throw error;
      this.#trapped = true;
      throw new Trap(error.message.replace(/^wasm trap: /, "").replaceAll("`", ""));
    }
  }

  /** The same, but the instance traps as soon as it asks for a random number. */
  trapIn(method) {
    this.#traps = true;
    try {
      return this.call(method);
    } finally {
      this.#traps = false;
    }
  }

  /** Gives a name to each handle in a result; returns them. */
  adopt(result) {
    const found = [];
    for (const resource of Array.isArray(result) ? result : [result]) {
      const type = Object.keys(PREFIXES).find(
        (type) => resource instanceof this.#instance.tempfile[type],
      );
      if (type === undefined) continue;
      const prefix = PREFIXES[type];
      const name = `${prefix}-${++this.#numbers[prefix]}`;
      const kind = { file: "file", path: "temp-path", dir: "temp-dir" }[prefix];
      const handle = { name, kind, resource, closed: false };
      this.handles.set(name, handle);
      found.push(handle);
    }
    return found;
  }

  /** Empties the scratch directory past the interface; returns how many names were in it. */
  empty() {
    const { dir } = this.preopens["/tmp"];
    const names = Object.keys(dir);
    for (const name of names) delete dir[name];
    return names.length;
  }
}
