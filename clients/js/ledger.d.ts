/** The ledger of the interface, as the bindings of componentize-js give it to a plugin. */
declare module "scratch:tempfile/ledger@0.1.0" {
  import type { ErrorCode } from "wasi-tempfile";

  /** A handle that has not been closed, dropped, kept or persisted. */
  export interface LiveHandle {
    kind: "file" | "path" | "directory";
    /** The path that will be removed; none for a file, which has no name. */
    path?: string;
    /** The label that was given at creation. The label of a named file is on its path. */
    label?: string;
    /** Nanoseconds since the handle was created. */
    age: bigint;
  }

  /** What is in use at one moment. */
  export interface Counts {
    /** Open files and streams. */
    files: number;
    /** Names that are guarded. */
    paths: number;
    /** Directories that are guarded. */
    directories: number;
    /** Bytes of spooled files that are in memory. */
    memory: bigint;
    /** Bytes of files on disk; 0 without a limit on bytes, entries or the size of files. */
    bytes: bigint;
    /** Names of files and directories; 0 without such a limit. */
    entries: bigint;
  }

  /** How much may be in use at one moment. What is not set is not limited. */
  export interface Limits {
    /** Bytes of all files on disk. */
    bytes?: bigint;
    /** Names of files and directories. */
    entries?: bigint;
    /** Live handles of all kinds. */
    handles?: bigint;
    /** Bytes of all spooled files in memory. */
    memory?: bigint;
    /** Bytes of any one file on disk. */
    fileSize?: bigint;
  }

  /** What is in use, and has been. */
  export interface Usage {
    live: Counts;
    /** The maximum of each count by itself. */
    peak: Counts;
    /** How many names and directories were kept, persisted or linked. */
    kept: bigint;
  }

  /** Something that could not be removed. Its error is a record, and no `TempfileError`. */
  export interface Leftover {
    path: string;
    error: { code: ErrorCode; message: string; path?: string };
  }

  /** Returns what is in use. */
  export function getUsage(): Usage;
  /** Returns the limits. */
  export function getLimits(): Limits;
  /** Returns the live handles in no particular order. */
  export function liveHandles(): LiveHandle[];
  /** Returns what could not be removed when its handle was dropped, and is still there. */
  export function leftovers(): Leftover[];
}
