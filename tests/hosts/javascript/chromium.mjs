// Runs cases in headless Chromium, on files in memory: `chromium.mjs TRANSPILED CASES.jsonl`, as
// run.mjs does on Node. The page asks this server for a case at a time.

import { spawn } from "node:child_process";
import * as fs from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { extname, join } from "node:path";
import { FLAGS, browser } from "./browser.mjs";
import { refuse } from "./case.mjs";

const PROVIDED = ["trap", "limits"];
const TYPES = { ".html": "text/html", ".wasm": "application/wasm" };

const root = import.meta.dirname;
const cases = fs.readFileSync(process.argv[3], "utf8").split("\n").filter(Boolean).map(JSON.parse);
const print = (result) => fs.writeSync(1, `${JSON.stringify(result)}\n`);

/** The next case for the page, or null. */
function next() {
  while (cases.length) {
    const listed = cases.shift();
    const refused = refuse(listed, PROVIDED);
    if (!refused) {
      return listed;
    }
    print(refused);
  }
  return null;
}

const server = createServer(async (request, response) => {
  if (request.method === "POST") {
    const body = [];
    for await (const part of request) body.push(part);
    const result = JSON.parse(Buffer.concat(body).toString());
    if (result.case) print(result);
    const listed = next();
    response.end(JSON.stringify(listed));
    if (listed === null) response.on("close", () => end());
    return;
  }
  const path = join(root, new URL(request.url, "http://localhost").pathname);
  fs.readFile(path, (missing, bytes) => {
    const type = TYPES[extname(path)] ?? "text/javascript";
    response.writeHead(missing ? 404 : 200, { "content-type": type }).end(bytes);
  });
});

server.listen(0, "127.0.0.1", () => {
  const profile = fs.mkdtempSync(join(tmpdir(), "conformance-"));
  const page = `http://127.0.0.1:${server.address().port}/page.html`;
  const args = [...FLAGS, "--remote-debugging-port=0", `--user-data-dir=${profile}`, page];
  const child = spawn(browser(), args, { stdio: ["ignore", "ignore", "pipe"] });
  let said = "";
  child.stderr.on("data", (text) => (said += text));
  child.on("exit", (code) => {
    fs.rmSync(profile, { recursive: true, force: true });
    if (!ended) console.error(`Chromium ended with ${code}: ${said}`);
    process.exit(ended ? 0 : 1);
  });
  let ended = false;
  end = () => {
    ended = true;
    child.kill();
  };
});

/** Ends the browser, and then this program. */
let end = () => process.exit(1);
process.on("SIGTERM", () => end());
