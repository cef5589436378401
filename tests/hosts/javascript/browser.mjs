// The headless Chromium of the npm package @sparticuz/chromium.

import * as fs from "node:fs";
import { join } from "node:path";
import { brotliDecompressSync } from "node:zlib";

/** How it is started. It runs pages of this repository only, so it needs no sandbox. */
export const FLAGS = [
  "--headless",
  "--no-sandbox",
  "--no-zygote",
  "--disable-gpu",
  "--disable-dev-shm-usage",
];

/** The path of the program, which is unpacked once. */
export function browser() {
  const root = import.meta.dirname;
  const path = join(root, "chromium");
  if (!fs.existsSync(path)) {
    const packed = join(root, "node_modules/@sparticuz/chromium/bin/chromium.br");
    const fresh = `${path}.${process.pid}`;
    fs.writeFileSync(fresh, brotliDecompressSync(fs.readFileSync(packed)), { mode: 0o755 });
    fs.renameSync(fresh, path);
  }
  return path;
}
