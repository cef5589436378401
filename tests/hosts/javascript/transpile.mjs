// Transpiles a component once for every JavaScript host: `transpile.mjs COMPONENT.wasm DIRECTORY`.
// Its main module has the directory's name.

import { mkdir, writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { transpile } from "@bytecodealliance/jco-transpile";

const [component, directory] = process.argv.slice(2);
const { files } = await transpile(component, {
  name: basename(directory),
  outDir: directory,
  // Many instances of it are made.
  instantiation: "async",
  emitTypescriptDeclarations: false,
});
for (const [name, bytes] of Object.entries(files)) {
  const path = name.startsWith(directory) ? name : join(directory, name);
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, bytes);
}
