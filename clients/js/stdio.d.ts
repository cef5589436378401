/** Reads standard input to its end, at most `length` bytes at a time; 65,536 by default. */
export function readStdin(length?: number): Generator<Uint8Array, void, void>;
/** Writes all of `data` to standard output. */
export function writeStdout(data: string | ArrayBuffer | ArrayBufferView): void;
/** Writes all of `data` to standard error. */
export function writeStderr(data: string | ArrayBuffer | ArrayBufferView): void;
/**
 * Makes the plugin's `run` of a function: `export const run = main("my-plugin", () => { … })`. If
 * the function throws, `my-plugin:` and the error's message are printed on standard error, and the
 * plugin fails.
 */
export function main(name: string, body: () => void | Promise<void>): { run(): Promise<void> };
