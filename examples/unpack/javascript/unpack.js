// Unpacks a tar archive from standard input into a temporary directory, makes the letters of its
// files upper-case there, and writes the archive of the result to standard output.

import { TempfileError, tempdir } from "wasi-tempfile";
import { main, readStdin, writeStdout } from "wasi-tempfile/stdio";

const BLOCK = 512;

export const run = main("unpack", unpack);

function unpack() {
  using dir = tempdir();
  const input = new Input();
  const entries = [];
  for (let entry; (entry = nextEntry(input)); entries.push(entry)) {
    try {
      create(dir, entry, input);
    } catch (error) {
      throw error instanceof TempfileError ? new Error(`${entry.name}: ${error.code}`) : error;
    }
  }
  const files = entries.filter(({ isDirectory }) => !isDirectory);
  for (const { name } of files) upperCase(dir, name);
  for (const { header, name, size, isDirectory } of entries) {
    writeStdout(header);
    if (isDirectory) continue;
    using file = dir.openFile(name);
    for (const chunk of file.chunks()) writeStdout(chunk);
    writeStdout(new Uint8Array(padding(size)));
  }
  writeStdout(new Uint8Array(2 * BLOCK));
}

const padding = (size) => (BLOCK - (size % BLOCK)) % BLOCK;

// Standard input, by the number of bytes.
class Input {
  #chunks = readStdin();
  #rest = new Uint8Array();

  // Returns 1 to `length` bytes.
  some(length) {
    if (this.#rest.length === 0) {
      const { value, done } = this.#chunks.next();
      if (done) throw new Error("the archive is cut short");
      this.#rest = value;
    }
    const part = this.#rest.subarray(0, length);
    this.#rest = this.#rest.subarray(part.length);
    return part;
  }

  *parts(length) {
    while (length > 0) {
      const part = this.some(length);
      length -= part.length;
      yield part;
    }
  }

  exactly(length) {
    const bytes = new Uint8Array(length);
    let done = 0;
    for (const part of this.parts(length)) {
      bytes.set(part, done);
      done += part.length;
    }
    return bytes;
  }
}

// Reads the next header; a block of zeros is the end of the archive.
function nextEntry(input) {
  const header = input.exactly(BLOCK);
  if (header.every((byte) => byte === 0)) return undefined;
  // The checksum counts its own field as spaces.
  const sum = header.reduce((sum, byte, i) => sum + (i >= 148 && i < 156 ? 32 : byte), 0);
  if (octal(header.subarray(148, 156)) !== sum) throw damaged();
  const size = octal(header.subarray(124, 136));
  const prefix = text(header.subarray(345, 500));
  const path = (prefix && `${prefix}/`) + text(header.subarray(0, 100));
  const name = path.endsWith("/") ? path.slice(0, -1) : path;
  const kind = header[156] === 0 ? "0" : String.fromCharCode(header[156]);
  if (kind !== "0" && kind !== "5") throw new Error(`${name}: unsupported`);
  return { header, name, size, isDirectory: kind === "5" };
}

const damaged = () => new Error("the archive is damaged");

function text(field) {
  const end = field.indexOf(0);
  try {
    const bytes = end < 0 ? field : field.subarray(0, end);
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw damaged();
  }
}

function octal(field) {
  const digits = Array.from(field).filter((byte) => byte !== 0 && byte !== 32);
  return digits.reduce((number, digit) => {
    if (digit < 48 || digit > 55) throw damaged();
    return number * 8 + (digit - 48);
  }, 0);
}

// Creates a file or directory with its parents. A name that leads out of the directory is refused
// by the directory.
function create(dir, { name, size, isDirectory }, input) {
  const end = name.lastIndexOf("/");
  if (end >= 0) dir.createDirectory(name.slice(0, end), { recursive: true });
  if (isDirectory) return dir.createDirectory(name, { recursive: true });
  using file = dir.createFile(name);
  for (const part of input.parts(size)) file.append(part);
  input.exactly(padding(size));
}

function upperCase(dir, name) {
  using file = dir.openFile(name);
  let offset = 0;
  for (const chunk of file.chunks()) {
    file.write(chunk.map((byte) => (byte >= 97 && byte <= 122 ? byte - 32 : byte)), offset);
    offset += chunk.length;
  }
}
