// Transpiles the suite once for every JavaScript host: `transpile.mjs SUITE.wasm DIRECTORY`.

import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { transpile } from "@bytecodealliance/jco-transpile";

const [suite, directory] = process.argv.slice(2);
const { files } = await transpile(suite, {
  name: "suite",
  outDir: directory,
  // Each case gets an instance of its own.
  instantiation: "async",
  emitTypescriptDeclarations: false,
});
for (const [name, bytes] of Object.entries(files)) {
  const path = name.startsWith(directory) ? name : join(directory, name);
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, bytes);
}
