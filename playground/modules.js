// The core modules of a transpiled component, compiled once and shared by all instances.

/** What `instantiate` of the component in `folder` calls to get a module by its name. */
export function modules(folder) {
  const compiled = new Map();
  return (name) => {
    if (!compiled.has(name)) {
      const url = new URL(`${folder}/${name}`, import.meta.url);
      compiled.set(name, WebAssembly.compileStreaming(fetch(url)));
    }
    return compiled.get(name);
  };
}
