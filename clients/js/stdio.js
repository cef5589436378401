// The standard streams of a plugin, and `main`. The world needs `wasi:cli/stdin`, `stdout`,
// `stderr` and `run`; world.wit has them.

import { getStderr } from "wasi:cli/stderr@0.2.0";
import { getStdin } from "wasi:cli/stdin@0.2.0";
import { getStdout } from "wasi:cli/stdout@0.2.0";

import { bytes } from "./data.js";

// More in one call of `blocking-write-and-flush` is a trap.
const MOST = 4096;

export function* readStdin(length = 65536) {
  const stream = getStdin();
  try {
    for (;;) {
      const chunk = stream.blockingRead(BigInt(length));
      if (chunk.length > 0) yield chunk;
    }
  } catch (thrown) {
    if (thrown?.payload?.tag !== "closed") throw failed("read standard input", thrown);
  } finally {
    stream[Symbol.dispose]();
  }
}

export const writeStdout = (data) => write(getStdout(), "write to standard output", data);
export const writeStderr = (data) => write(getStderr(), "write to standard error", data);

function write(stream, operation, data) {
  try {
    const buffer = bytes(data);
    for (let done = 0; done < buffer.length; done += MOST) {
      stream.blockingWriteAndFlush(buffer.subarray(done, done + MOST));
    }
  } catch (thrown) {
    throw failed(operation, thrown);
  } finally {
    stream[Symbol.dispose]();
  }
}

function failed(operation, thrown) {
  const payload = thrown?.payload;
  if (payload?.tag === "closed") return new Error(`${operation}: the stream is closed`);
  if (payload?.tag !== "last-operation-failed") return thrown;
  const cause = payload.val.toDebugString();
  payload.val[Symbol.dispose]();
  return new Error(`${operation}: ${cause}`);
}

export function main(name, body) {
  return {
    async run() {
      try {
        await body();
      } catch (failure) {
        // What the engine throws itself is a mistake in the program, and has to be found.
        const isMistake = [TypeError, RangeError, ReferenceError].includes(failure?.constructor);
        const where = isMistake ? failure.stack : "";
        writeStderr(`${name}: ${failure?.message ?? failure}\n${where}`);
        // What the bindings take for the error of `run`. They end silently on any other object.
        throw { payload: undefined };
      }
    },
  };
}
