/// <reference path="./ledger.d.ts" />

/** Why an operation failed. The interface `scratch:tempfile` says what each code means. */
export type ErrorCode =
  | "access"
  | "busy"
  | "closed"
  | "cross-device"
  | "exist"
  | "exhausted"
  | "file-too-large"
  | "invalid"
  | "invalid-name"
  | "io"
  | "is-directory"
  | "name-too-long"
  | "no-entry"
  | "no-scratch"
  | "no-space"
  | "not-directory"
  | "not-durable"
  | "not-empty"
  | "other"
  | "out-of-handles"
  | "out-of-memory"
  | "quota"
  | "read-only"
  | "replaced"
  | "unsupported";

/** Something that a removal could not remove. */
export interface CleanupFailure {
  path: string;
  error: TempfileError;
}

/**
 * A failure of an operation. An argument of the wrong type is a `TypeError`, a number out of range
 * a `RangeError`, and neither changes anything.
 */
export class TempfileError extends Error {
  private constructor();
  /** The code that a program acts on. */
  readonly code: ErrorCode;
  /** The path that the operation was about, if there is one. */
  readonly path: string | undefined;
  /** Everything that is left, if a directory could not be removed. */
  readonly failures?: CleanupFailure[];
}

/** What must be on stable storage before an operation returns. The default is `"none"`. */
export type Durability = "none" | "data" | "full";

/** Bytes, or text that is written as UTF-8. */
export type Data = string | ArrayBuffer | ArrayBufferView;

/** Where something is created. */
export interface Location {
  /**
   * A temporary directory, with which it will be removed, or the path of an existing directory.
   * Without it: the default directory.
   */
  dir?: TempDir | string;
}

/** How something is named: `prefix`, random characters, `suffix`. */
export interface Naming {
  /** The first characters of the name, `"tmp"` by default. */
  prefix?: string;
  /** The last characters of the name, none by default. */
  suffix?: string;
  /** The number of random characters, 0 to 255; 16 by default. With 0 the name is fixed. */
  randomChars?: number;
  /** A text for people that appears in the ledger and nowhere else: at most 255 bytes. */
  label?: string;
}

/** How a file or directory gets its permanent name. */
export interface PersistOptions {
  /** Whether an existing file is replaced, in one step. `true` by default. */
  overwrite?: boolean;
  durability?: Durability;
}

/** An open file. It has no cursor: an offset is 0 unless it is given. */
export class TempFile implements Disposable {
  protected constructor();
  /**
   * Returns at most `length` bytes from `offset`. An empty array means end of file; a short one
   * does not.
   */
  read(length: number, offset?: number): Uint8Array;
  /** Reads the file from its start, at most `length` bytes at a time; 65,536 by default. */
  chunks(length?: number): Generator<Uint8Array, void, void>;
  /** Returns the whole file. */
  readAll(): Uint8Array;
  /** Returns the whole file as text. What is not UTF-8 becomes U+FFFD. */
  readText(): string;
  /**
   * Writes all of `data` at `offset`, and returns the number of bytes. If it fails, a part may have
   * been written.
   */
  write(data: Data, offset?: number): number;
  /** Writes all of `data` at the end of the file, and returns the number of bytes. */
  append(data: Data): number;
  /** Makes `data` the whole content of the file. */
  writeAll(data: Data): void;
  /** The size in bytes. */
  readonly size: number;
  /** Truncates the file, to 0 by default, or extends it with zeros. */
  truncate(size?: number): void;
  /** Waits until written data is on stable storage; `"full"` by default. */
  sync(durability?: Durability): void;
  /** Where the bytes are. */
  readonly storage: "memory" | "disk";
  /** Moves the bytes of a spooled file to disk. */
  rollOver(): void;
  /** Gives an unnamed file a permanent name, which must be free, where the host can. */
  link(target: string, options?: { durability?: Durability }): void;
  /**
   * Closes the file. To close it again is no error; any other method then fails with `closed`. If
   * it fails, it can be tried again.
   */
  close(): void;
  /** Closes the file, for `using`. If that fails, the handle is dropped, and the failure thrown. */
  [Symbol.dispose](): void;
}

/** An open file with a name, which is removed when the file is closed. */
export class NamedTempFile extends TempFile {
  private constructor();
  /** The path at which the file was created. */
  readonly path: string;
  /** Opens the file at the name again. */
  reopen(): TempFile;
  /** Renames the file to `target`, where it stays. The file stays open. */
  persist(target: string, options?: PersistOptions): void;
  /** Leaves the file where it is when this one is closed, and returns its path. */
  keep(): string;
}

/** An entry of a directory. */
export interface Entry {
  name: string;
  kind: "file" | "directory" | "other";
}

/**
 * A directory, which is removed with everything in it when it is closed. Paths are relative to it,
 * with `/` between components; no path leads out of it, and no symbolic link is followed.
 */
export class TempDir implements Disposable {
  private constructor();
  /** The path at which the directory was created. */
  readonly path: string;
  /** Creates a file, which must not exist, and opens it. */
  createFile(path: string): TempFile;
  /** Opens an existing file for reading and writing. */
  openFile(path: string): TempFile;
  /** Returns the content of a file. */
  readFile(path: string): Uint8Array;
  /** Returns the content of a file as text. What is not UTF-8 becomes U+FFFD. */
  readText(path: string): string;
  /** Makes `data` the whole content of a file, which is created if it does not exist. */
  writeFile(path: string, data: Data): void;
  /** Creates a directory; with `recursive` its parents too, and then it may exist. */
  createDirectory(path: string, options?: { recursive?: boolean }): void;
  /** Returns the kind and size of an entry. */
  metadata(path: string): { kind: Entry["kind"]; size: number };
  /** Returns whether there is an entry of this name. */
  exists(path: string): boolean;
  /** Renames within this directory. A file replaces a file, a directory an empty directory. */
  rename(oldPath: string, newPath: string): void;
  /** Removes a file, or a directory with everything in it. What is gone is a success. */
  remove(path: string): void;
  /** Returns the entries of a directory in no particular order; this one's by default. */
  entries(path?: string): Entry[];
  /** Renames the directory to `target`, where it stays. */
  persist(target: string, options?: PersistOptions): void;
  /** Leaves the directory where it is, and returns its path. */
  keep(): string;
  /** Removes the directory and everything in it. If it fails, it can be tried again. */
  close(): void;
  /** As `close`, for `using`. If that fails, the handle is dropped, and the failure thrown. */
  [Symbol.dispose](): void;
}

/** Creates a file that has no name: Python's `TemporaryFile`. */
export function tempfile(options?: Location): TempFile;

/** Creates a file with a new name: Python's `NamedTemporaryFile`. */
export function namedTempfile(options?: Location & Naming): NamedTempFile;

/** Creates a directory with a new name: Python's `TemporaryDirectory`. */
export function tempdir(options?: Location & Naming): TempDir;

/**
 * Creates a file that stays in memory up to `maxMemory` bytes, and is on disk beyond: Python's
 * `SpooledTemporaryFile`. Without `maxMemory` it moves only by `rollOver`.
 */
export function spooled(options?: Location & { maxMemory?: number }): TempFile;

/** Returns the path of the default directory: Python's `gettempdir`. */
export function defaultDirectory(): string;

/**
 * Calls `body` with a resource, disposes of it however `body` ends, and returns the result: `using`
 * for engines that cannot parse it.
 */
export function closing<R extends Disposable, T>(resource: R, body: (resource: R) => T): T;
