// Temporary files and directories for WebAssembly plugins: the interface `scratch:tempfile` with
// JavaScript's own errors, `using`, and reads and writes of whole files. index.d.ts documents each
// name.

import * as host from "scratch:tempfile/tempfile@0.1.0";

import { bytes } from "./data.js";

// Bounds the copy that the bindings make of each buffer.
const CHUNK = 1 << 20;
// Bytes that are not UTF-8 become U+FFFD, and a byte order mark stays, as in the file.
const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

export class TempfileError extends Error {
  constructor(code, message, path, failures) {
    super(message);
    this.name = "TempfileError";
    this.code = code;
    this.path = path;
    if (failures !== undefined) this.failures = failures;
  }
}

const fromRecord = ({ code, message, path }) => new TempfileError(code, message, path);

// Calls into the bindings. What they throw belongs to another realm, so that it is not even an
// `instanceof Error` here.
function call(operation) {
  try {
    return operation();
  } catch (thrown) {
    throw translated(thrown);
  }
}

function translated(thrown) {
  const payload = thrown?.payload;
  if (Array.isArray(payload)) {
    const failures = payload.map(({ path, error }) => ({ path, error: fromRecord(error) }));
    const [{ path, error }] = failures;
    return new TempfileError(error.code, error.message, path, failures);
  }
  return payload?.code === undefined ? thrown : fromRecord(payload);
}

// A handle of the bindings, which trap the whole plugin if one is used after it was dropped.
class Handle {
  #raw;
  #what;

  constructor(raw, what) {
    this.#raw = raw;
    this.#what = what;
  }

  get raw() {
    if (this.#raw === undefined) {
      throw new TempfileError("closed", `${this.#what} is closed (closed)`, undefined);
    }
    return this.#raw;
  }

  // Closes and drops. If the close fails, the handle stays and can be closed again.
  close() {
    if (this.#raw === undefined) return;
    call(() => this.#raw.close());
    this.drop();
  }

  // Drops: whatever the handle guards is removed, and failures are recorded in the ledger only.
  drop() {
    this.#raw?.[Symbol.dispose]();
    this.#raw = undefined;
  }
}

// The bindings would take a number modulo 2^32 or 2^64.
function count(value, name, max = Number.MAX_SAFE_INTEGER) {
  if (typeof value !== "number") throw new TypeError(`${name} is not a number: ${typeof value}`);
  if (!Number.isInteger(value) || value < 0 || value > max) {
    throw new RangeError(`${name} is not an integer from 0 to ${max}: ${value}`);
  }
  return value;
}

function text(value, name) {
  if (typeof value !== "string") throw new TypeError(`${name} is not a string: ${typeof value}`);
  return value;
}

function choice(value, name, choices) {
  if (!choices.includes(value)) {
    throw new TypeError(`${name} is none of ${choices.join(", ")}: ${String(value)}`);
  }
  return value;
}

const durable = (value = "none") => choice(value, "durability", ["none", "data", "full"]);

// A misspelt option would be ignored without a word.
function options(given, ...known) {
  if (given === undefined) return {};
  if (typeof given !== "object" || given === null) {
    throw new TypeError(`the options are not an object: ${String(given)}`);
  }
  for (const name of Object.keys(given)) {
    if (!known.includes(name)) {
      throw new TypeError(`there is no option ${name}: there are ${known.join(", ")}`);
    }
  }
  return given;
}

function location(dir) {
  if (dir === undefined) return { tag: "scratch" };
  if (dir instanceof TempDir) return { tag: "within", val: rawDirectory(dir) };
  return { tag: "directory", val: text(dir, "dir") };
}

const NAMING = ["prefix", "suffix", "randomChars", "label"];

function naming({ prefix = "tmp", suffix = "", randomChars, label }) {
  return {
    prefix: text(prefix, "prefix"),
    suffix: text(suffix, "suffix"),
    randomChars: randomChars === undefined ? undefined : count(randomChars, "randomChars", 255),
    label: label === undefined ? undefined : text(label, "label"),
  };
}

export class TempFile {
  #handle;

  // Not for users: the functions of this module create the objects.
  constructor(raw) {
    this.#handle = new Handle(raw, "the file");
  }

  read(length, offset = 0) {
    const file = this.#handle.raw;
    const most = count(length, "length", 0xffffffff);
    const start = BigInt(count(offset, "offset"));
    return call(() => file.read(most, start));
  }

  *chunks(length = 65536) {
    if (count(length, "length", 0xffffffff) === 0) throw new RangeError("length is 0");
    for (let offset = 0; ; ) {
      const chunk = this.read(length, offset);
      if (chunk.length === 0) return;
      offset += chunk.length;
      yield chunk;
    }
  }

  readAll() {
    let all = new Uint8Array(this.size);
    let length = 0;
    for (;;) {
      // At least one byte, also when all are there, to notice that the file has grown.
      const chunk = this.read(Math.min(Math.max(all.length - length, 1), CHUNK), length);
      if (chunk.length === 0) return all.subarray(0, length);
      if (length + chunk.length > all.length) {
        const larger = new Uint8Array(2 * (length + chunk.length));
        larger.set(all);
        all = larger;
      }
      all.set(chunk, length);
      length += chunk.length;
    }
  }

  readText() {
    return decoder.decode(this.readAll());
  }

  write(data, offset = 0) {
    const file = this.#handle.raw;
    const buffer = bytes(data);
    const start = count(offset, "offset");
    for (let done = 0; done < buffer.length; ) {
      const part = buffer.subarray(done, done + CHUNK);
      done += Number(call(() => file.write(part, BigInt(start + done))));
    }
    return buffer.length;
  }

  append(data) {
    return this.write(data, this.size);
  }

  writeAll(data) {
    const buffer = bytes(data);
    this.truncate();
    this.write(buffer);
  }

  get size() {
    const file = this.#handle.raw;
    return Number(call(() => file.size()));
  }

  truncate(size = 0) {
    const file = this.#handle.raw;
    const target = BigInt(count(size, "size"));
    call(() => file.setSize(target));
  }

  sync(durability = "full") {
    const file = this.#handle.raw;
    const wanted = durable(durability);
    call(() => file.sync(wanted));
  }

  get storage() {
    const file = this.#handle.raw;
    return call(() => file.storage());
  }

  rollOver() {
    const file = this.#handle.raw;
    call(() => file.rollOver());
  }

  link(target, given) {
    const file = this.#handle.raw;
    const wanted = durable(options(given, "durability").durability);
    call(() => host.link(file, text(target, "target"), wanted));
  }

  close() {
    this.#handle.close();
  }

  [Symbol.dispose]() {
    disposeAll(this.#handle);
  }
}

// Closes the handles; what cannot be closed is dropped, and the first failure is thrown.
function disposeAll(...handles) {
  const failures = [];
  for (const handle of handles) {
    try {
      handle.close();
    } catch (failure) {
      failures.push(failure);
      handle.drop();
    }
  }
  if (failures.length > 0) throw failures[0];
}

function persistHandle(handle, target, given) {
  const raw = handle.raw;
  const { overwrite = true, durability } = options(given, "overwrite", "durability");
  const mode = choice(overwrite, "overwrite", [true, false]) ? "overwrite" : "no-clobber";
  const wanted = durable(durability);
  try {
    call(() => raw.persist(text(target, "target"), mode, wanted));
  } catch (failure) {
    // The name is at the target, and nothing is guarded any more.
    if (failure.code === "not-durable") handle.drop();
    throw failure;
  }
  handle.drop();
}

function keepHandle(handle) {
  const raw = handle.raw;
  const path = call(() => raw.keep());
  handle.drop();
  return path;
}

export class NamedTempFile extends TempFile {
  #name;
  path;

  constructor(raw, rawName) {
    super(raw);
    this.#name = new Handle(rawName, "the name");
    this.path = call(() => rawName.path());
    Object.defineProperty(this, "path", { writable: false });
  }

  reopen() {
    const name = this.#name.raw;
    return new TempFile(call(() => name.reopen()));
  }

  persist(target, given) {
    persistHandle(this.#name, target, given);
  }

  keep() {
    return keepHandle(this.#name);
  }

  // The file first: some hosts cannot remove the name of an open file.
  close() {
    super.close();
    this.#name.close();
  }

  [Symbol.dispose]() {
    try {
      super[Symbol.dispose]();
    } finally {
      disposeAll(this.#name);
    }
  }
}

let rawDirectory;

export class TempDir {
  #handle;
  path;

  static {
    rawDirectory = (directory) => directory.#handle.raw;
  }

  constructor(raw) {
    this.#handle = new Handle(raw, "the directory");
    this.path = call(() => raw.path());
    Object.defineProperty(this, "path", { writable: false });
  }

  createFile(path) {
    const directory = this.#handle.raw;
    return new TempFile(call(() => directory.createFile(text(path, "path"))));
  }

  openFile(path) {
    const directory = this.#handle.raw;
    return new TempFile(call(() => directory.openFile(text(path, "path"))));
  }

  readFile(path) {
    return closing(this.openFile(path), (file) => file.readAll());
  }

  readText(path) {
    return closing(this.openFile(path), (file) => file.readText());
  }

  writeFile(path, data) {
    const buffer = bytes(data);
    closing(this.#openOrCreate(path), (file) => file.writeAll(buffer));
  }

  #openOrCreate(path) {
    try {
      return this.createFile(path);
    } catch (failure) {
      if (failure.code !== "exist") throw failure;
      return this.openFile(path);
    }
  }

  createDirectory(path, given) {
    const directory = this.#handle.raw;
    const { recursive = false } = options(given, "recursive");
    const create = (path) => call(() => directory.createDirectory(path));
    if (!recursive) return create(text(path, "path"));
    const parts = text(path, "path").split("/");
    for (let length = 1; length <= parts.length; length++) {
      const parent = parts.slice(0, length).join("/");
      try {
        create(parent);
      } catch (failure) {
        if (failure.code !== "exist") throw failure;
        if (this.metadata(parent).kind !== "directory") throw failure;
      }
    }
  }

  metadata(path) {
    const directory = this.#handle.raw;
    const { kind, size } = call(() => directory.metadata(text(path, "path")));
    return { kind, size: Number(size) };
  }

  exists(path) {
    try {
      this.metadata(path);
      return true;
    } catch (failure) {
      if (failure.code === "no-entry") return false;
      throw failure;
    }
  }

  rename(oldPath, newPath) {
    const directory = this.#handle.raw;
    call(() => directory.rename(text(oldPath, "oldPath"), text(newPath, "newPath")));
  }

  remove(path) {
    const directory = this.#handle.raw;
    call(() => directory.remove(text(path, "path")));
  }

  entries(path = "") {
    const directory = this.#handle.raw;
    return call(() => directory.entries(text(path, "path")));
  }

  persist(target, given) {
    persistHandle(this.#handle, target, given);
  }

  keep() {
    return keepHandle(this.#handle);
  }

  close() {
    this.#handle.close();
  }

  [Symbol.dispose]() {
    disposeAll(this.#handle);
  }
}

// The `using` statement as a function, for engines that cannot parse it.
export function closing(resource, body) {
  let result;
  try {
    result = body(resource);
  } catch (failure) {
    try {
      resource[Symbol.dispose]();
    } catch {
      // The body's failure is what the caller has to see.
    }
    throw failure;
  }
  resource[Symbol.dispose]();
  return result;
}

export function tempfile(given) {
  const where = location(options(given, "dir").dir);
  return new TempFile(call(() => host.unnamed(where)));
}

export function namedTempfile(given) {
  const { dir, ...names } = options(given, "dir", ...NAMING);
  const [named, where] = [naming(names), location(dir)];
  const [file, path] = call(() => host.named(named, where));
  return new NamedTempFile(file, path);
}

export function tempdir(given) {
  const { dir, ...names } = options(given, "dir", ...NAMING);
  const [named, where] = [naming(names), location(dir)];
  return new TempDir(call(() => host.directory(named, where)));
}

export function spooled(given) {
  const { maxMemory, dir } = options(given, "maxMemory", "dir");
  const max = maxMemory === undefined ? undefined : BigInt(count(maxMemory, "maxMemory"));
  const where = location(dir);
  return new TempFile(call(() => host.spooled(max, where)));
}

export function defaultDirectory() {
  return call(() => host.defaultDirectory());
}
