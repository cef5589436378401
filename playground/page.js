// The page's buttons: each makes one call of the interface, and shows its answer in the
// interface's words.

import { element, get } from "./dom.js";
import { Host, Trap } from "./host.js";
import { words } from "./words.js";

const host = new Host();
const text = async (name) => (await fetch(name)).text();
const [says] = await Promise.all([text("tempfile.wit").then(words), host.start(limits())]);

const camel = (name) => name.replace(/-./g, (pair) => pair[1].toUpperCase());

// Arguments: what is passed, and how it is shown.

const string = (value) => ({ value, shown: JSON.stringify(value) });
const word = (value) => ({ value, shown: value });
const number = (value) => ({ value, shown: String(value) });
const u64 = (value) => number(BigInt(value));
const bytes = (value) => ({ value: new TextEncoder().encode(value), shown: JSON.stringify(value) });
const optional = (value, make) => (value === "" ? { value: undefined } : make(value));

/** A record, without the fields that are none. */
function record(fields) {
  const value = {};
  const shown = [];
  for (const [name, field] of Object.entries(fields)) {
    value[camel(name)] = field.value;
    if (field.value !== undefined) shown.push(`${name}: ${field.shown}`);
  }
  return { value, shown: `{${shown.join(", ")}}` };
}

const options = (fields) =>
  record({
    prefix: string(fields.prefix.value),
    suffix: string(fields.suffix.value),
    "random-chars": optional(fields["random-chars"].value, (value) => number(Number(value))),
    label: optional(fields.label.value, string),
  });

/** The location that is chosen: `scratch`, `within dir-1` or `directory /out`. */
function location(fields) {
  const [tag, at] = fields.location.value.split(" ");
  if (tag === "within") {
    return { value: { tag, val: host.handles.get(at).resource }, shown: `within(${at})` };
  }
  if (tag === "directory") return { value: { tag, val: at }, shown: `directory("${at}")` };
  return { value: { tag }, shown: tag };
}

const persist = (fields) => [
  string(fields.target.value),
  word(fields.mode.value),
  word(fields.durability.value),
];
const path = (fields) => [string(fields.path.value)];
const none = () => [];

/** The arguments of each call, from the fields of its form. */
const CALLS = {
  named: (fields) => [options(fields), location(fields)],
  unnamed: (fields) => [location(fields)],
  spooled: (fields) => [optional(fields["max-memory"].value, u64), location(fields)],
  directory: (fields) => [options(fields), location(fields)],
  "default-directory": none,
  link: (fields) => [
    { value: chosen().resource, shown: chosen().name },
    string(fields.target.value),
    word(fields.durability.value),
  ],
  "file.write": (fields) => [bytes(fields.buffer.value), u64(fields.offset.value)],
  "file.read": (fields) => [number(Number(fields.amount.value)), u64(fields.offset.value)],
  "file.size": none,
  "file.set-size": (fields) => [u64(fields.amount.value)],
  "file.sync": (fields) => [word(fields.durability.value)],
  "file.storage": none,
  "file.roll-over": none,
  "file.close": none,
  "temp-path.persist": persist,
  "temp-path.keep": none,
  "temp-path.path": none,
  "temp-path.reopen": none,
  "temp-path.close": none,
  "temp-dir.create-file": path,
  "temp-dir.open-file": path,
  "temp-dir.create-directory": path,
  "temp-dir.entries": path,
  "temp-dir.metadata": path,
  "temp-dir.rename": (fields) => [string(fields.path.value), string(fields["new-path"].value)],
  "temp-dir.remove": path,
  "temp-dir.persist": persist,
  "temp-dir.keep": none,
  "temp-dir.path": none,
  "temp-dir.close": none,
};

const NAMES = {
  "../escape": "../escape",
  "a/b": "a/b",
  "c:stream": "c:stream",
  "a name with a line break": "two\nlines",
  "a name with a NUL": "cut\0off",
  "..": "..",
  "a device of Windows": "nul",
  "a dot at its end": "dot.",
  "300 characters": "x".repeat(300),
  "an empty name": "",
};

/** A result as text. */
function show(result, enumeration) {
  if (result instanceof Uint8Array) {
    return `${JSON.stringify(new TextDecoder().decode(result))}, ${count(result.length, "byte")}`;
  }
  if (Array.isArray(result)) return `[${result.map((one) => show(one)).join(", ")}]`;
  if (typeof result === "string" && !enumeration) return JSON.stringify(result);
  if (typeof result === "object") {
    const shown = ([name, value]) => `${name}: ${show(value, name === "kind")}`;
    return `{${Object.entries(result).map(shown).join(", ")}}`;
  }
  return String(result);
}

/** A text in which what is between backquotes is code. */
function marked(said) {
  const code = (part, index) => (index % 2 ? element("code", {}, part) : part);
  return said.split("`").map(code);
}

const count = (number, noun) => `${number} ${noun}${number === 1 ? "" : "s"}`;

/** Shows an answer at the bottom of the window, and the one before among the earlier ones. */
function answer(call, outcome, ...rest) {
  const line = element("p", {}, element("code", {}, call), " → ", outcome);
  const last = get("answer");
  const lines = rest.filter(Boolean).map((said) => element("p", {}, ...marked(said)));
  if (last.querySelector("code")) {
    const earlier = get("earlier");
    get("no-earlier").hidden = true;
    earlier.prepend(element("li", {}, ...last.childNodes));
    while (earlier.children.length > 8) earlier.lastElementChild.remove();
  }
  last.replaceChildren(line, ...lines);
}

const ok = (value) =>
  element("span", {}, element("strong", { className: "ok" }, "ok"), value ? `: ${value}` : "");
const failed = (code, message) =>
  element("span", {}, element("strong", { className: "error" }, code), `: ${message}`);

/** Shows the answer to a call that threw. */
function answerError(call, error, note = "") {
  if (error instanceof Trap) {
    answer(call, failed("trap", error.message), note || "Only the host can go on: start anew.");
    return;
  }
  // The error of `temp-dir.close` is a list of what could not be removed.
  const causes = Array.isArray(error) ? error.map((failure) => failure.error) : [error];
  const [{ code, message, path }] = causes;
  const said = [`${code} means: ${says[`error-code.${code}`]}`];
  if (path !== undefined) said.unshift(`path: ${JSON.stringify(path)}`);
  answer(call, failed(code, message), ...said, note);
}

/** Makes a call, shows its answer, and returns whether it succeeded. */
function make(name, args, method, note = "", call = host.call.bind(host)) {
  const handle = name.includes(".") ? chosen() : undefined;
  const on = handle ? handle.name : "tempfile";
  const list = args.map((arg) => arg.shown ?? "none").join(", ");
  const shown = `${on}.${name.split(".").at(-1)}(${list})`;
  try {
    const result = call(({ tempfile }) =>
      (handle?.resource ?? tempfile)[method](...args.map((arg) => arg.value)),
    );
    const handles = host.adopt(result);
    if (/\.(close|keep|persist)$/.test(name)) handle.closed = true;
    const value = handles.length
      ? handles.map((handle) => handle.name).join(", ")
      : result === undefined
        ? ""
        : show(result, name === "file.storage");
    answer(shown, ok(value), says[name], note);
    render(handles[0]?.name);
    return true;
  } catch (error) {
    answerError(shown, error, note);
    render();
    return false;
  }
}

// The handles.

/** The handle that is chosen. */
function chosen() {
  return host.handles.get(get("handles").querySelector("input:checked")?.value);
}

function renderHandles(choice) {
  const handles = [...host.handles.values()];
  const wanted = choice ?? chosen()?.name;
  const name = host.handles.has(wanted) ? wanted : handles.at(-1)?.name;
  const rows = handles.map((handle) => {
    const input = element("input", { type: "radio", name: "handle", value: handle.name });
    input.checked = handle.name === name;
    const state = host.trapped ? ", lost" : handle.closed ? ", closed" : "";
    return element("label", {}, input, ` ${handle.name}${state}`);
  });
  const box = get("handles");
  box.replaceChildren(box.firstElementChild, ...rows);
  box.hidden = rows.length === 0;
  get("no-handles").hidden = rows.length > 0;
  renderMethods();
  const within = handles.filter((handle) => handle.kind === "temp-dir");
  const places = [
    ["scratch", "scratch"],
    ...within.map(({ name }) => [`within ${name}`, `within ${name}`]),
    ["directory /out", "directory /out"],
    ["directory /nowhere", "directory /nowhere"],
  ];
  const select = document.forms.create.elements.location;
  const before = select.value;
  select.replaceChildren(...places.map(([value, shown]) => element("option", { value }, shown)));
  if (places.some(([value]) => value === before)) select.value = before;
}

/** Shows the methods of the chosen handle. */
function renderMethods() {
  for (const form of document.querySelectorAll("form[data-kind]")) {
    form.hidden = form.dataset.kind !== chosen()?.kind;
  }
}

// The files and the ledger.

/** What the ledger says, or undefined if it cannot be asked. */
function ledger() {
  try {
    return host.call(({ ledger }) => ({
      usage: ledger.getUsage(),
      limits: ledger.getLimits(),
      live: ledger.liveHandles(),
      leftovers: ledger.leftovers(),
    }));
  } catch {
    return undefined;
  }
}

/** The first bytes of a file, if they are text. */
function excerpt(source) {
  const start = new TextDecoder().decode(source.slice(0, 24));
  const shown = /^[\x20-\x7e]+$/.test(start) ? ` ${JSON.stringify(start)}` : "";
  return shown && source.length > 24 ? `${shown}…` : shown;
}

/** The item of a name in the tree, with a nested list if it is a directory. */
function renderEntry(name, path, entry, guarded) {
  const guard = guarded.has(path) ? element("span", { className: "guard" }, " guarded") : "";
  if (entry.dir) {
    const children = Object.entries(entry.dir).sort(([a], [b]) => (a < b ? -1 : 1));
    const items = children.map(([name, child]) =>
      renderEntry(name, `${path}/${name}`, child, guarded),
    );
    const inside = items.length
      ? element("ul", {}, ...items)
      : element("span", { className: "muted" }, " empty");
    return element("li", {}, element("code", {}, `${name}/`), guard, inside);
  }
  const size = `${count(entry.source.length, "byte")}${excerpt(entry.source)}`;
  const facts = element("span", { className: "muted" }, ` ${size}`);
  return element("li", {}, element("code", {}, name), guard, facts);
}

function renderLedger(known) {
  if (known === undefined) {
    const gone = "There is no ledger after a trap. Nobody guards what is in /tmp.";
    get("ledger").replaceChildren(element("p", {}, gone));
    return;
  }
  const { usage, limits, live, leftovers } = known;
  const head = ["in use", "now", "peak", "limit"].map((title) =>
    element("th", { scope: "col" }, title),
  );
  const kinds = ["files", "paths", "directories", "memory", "bytes", "entries"];
  const rows = kinds.map((kind) =>
    element(
      "tr",
      {},
      element("th", { scope: "row" }, kind),
      ...[usage.live[kind], usage.peak[kind], limits[kind] ?? "–"].map((value) =>
        element("td", {}, String(value)),
      ),
    ),
  );
  const more = [
    `Handles: ${live.length}, limit ${limits.handles ?? "none"}.`,
    `Largest file: limit ${limits.fileSize ?? "none"}.`,
    `Kept, persisted or linked: ${usage.kept}.`,
    `Left over: ${leftovers.map((failure) => failure.path).join(", ") || "nothing"}.`,
  ].join(" ");
  const seconds = (age) => `${Number(age / 1_000_000_000n)} s old`;
  const lines = live.map(({ kind, path, label, age }) =>
    element(
      "li",
      {},
      [kind, path, label && `label ${JSON.stringify(label)}`, seconds(age)]
        .filter(Boolean)
        .join(", "),
    ),
  );
  get("ledger").replaceChildren(
    element(
      "table",
      {},
      element("thead", {}, element("tr", {}, ...head)),
      element("tbody", {}, ...rows),
    ),
    element("p", {}, more),
    element("h3", {}, "Live handles"),
    lines.length
      ? element("ul", { id: "live" }, ...lines)
      : element("p", {}, "None: nothing is leaked."),
  );
}

function render(choice) {
  renderHandles(choice);
  const known = ledger();
  const guarded = new Set(known?.live.map((handle) => handle.path));
  const roots = Object.entries(host.preopens).map(([path, entry]) =>
    renderEntry(path, path, entry, guarded),
  );
  get("tree").replaceChildren(...roots);
  renderLedger(known);
}

// The buttons.

/** The text of `SCRATCH_LIMITS`, from the form. */
function limits() {
  const fields = [...document.forms.limits.elements].filter((field) => field.value && field.name);
  return fields.map((field) => `${field.name}=${field.value}`).join(",");
}

const scratch = { value: { tag: "scratch" }, shown: "scratch" };
const nameOf = (prefix, more) => record({ prefix: string(prefix), suffix: string(""), ...more });

/** Repeats a call until it is refused, at most `most` times, and shows the last one. */
function fill(name, most, step) {
  for (let done = 0; ; done++) {
    const { shown, call } = step(done);
    try {
      const result = host.call(call);
      host.adopt(result);
      if (done + 1 < most) continue;
      answer(shown, ok(""), `No limit has stopped it: ${count(done + 1, name)} succeeded.`);
    } catch (error) {
      answerError(shown, error, `Before it, ${count(done, name)} succeeded.`);
    }
    render();
    return;
  }
}

const BREAKS = {
  hostile() {
    const prefix = NAMES[get("hostile").value];
    make("named", [nameOf(prefix, { "random-chars": number(0) }), scratch], "named");
  },
  bytes() {
    const args = [scratch];
    if (!make("unnamed", args, "unnamed")) return;
    const { resource, name } = [...host.handles.values()].at(-1);
    const buffer = new Uint8Array(16384);
    fill("write", 64, (done) => {
      const offset = BigInt(done * buffer.length);
      const shown = `${name}.write(${buffer.length} bytes, ${offset})`;
      return { shown, call: () => resource.write(buffer, offset) };
    });
  },
  names() {
    const options = nameOf("full-", {});
    const shown = `tempfile.named(${options.shown}, scratch)`;
    fill("creation", 64, () => ({
      shown,
      call: ({ tempfile }) => tempfile.named(options.value, scratch.value),
    }));
  },
  trap() {
    const note =
      "No destructor runs after a trap: what was guarded is still in /tmp, and only the host " +
      "can remove it. Start anew, and empty /tmp.";
    make("named", [nameOf("tmp", {}), scratch], "named", note, host.trapIn.bind(host));
  },
};

const HOST = {
  async restart() {
    const set = limits();
    await host.start(set);
    const left = Object.keys(host.preopens["/tmp"].dir).length;
    const note = left
      ? `A stopped instance runs no destructor: nobody guards the ${count(left, "name")} in /tmp.`
      : "A fresh instance, and /tmp is empty.";
    answer(`host: start with SCRATCH_LIMITS=${JSON.stringify(set)}`, ok(""), note);
    render();
  },
  empty() {
    const removed = host.empty();
    const note =
      "A host does this after a trap, past the interface. Closing a handle whose name is gone " +
      "is a success.";
    answer("host: empty /tmp", ok(`${count(removed, "name")} removed`), note);
    render();
  },
};

/** Does what a button is for. */
async function press(button) {
  const { call, break: breaks, host: hosts } = button.dataset;
  if (button.form && !button.form.reportValidity()) return;
  if (hosts) await HOST[hosts]();
  else if (breaks) BREAKS[breaks]();
  else if (call === "drop") drop();
  else make(call, CALLS[call](button.form.elements), camel(call.split(".").at(-1)));
  // A button that has gone with its handle takes the focus along.
  if (button.closest("[hidden]")) {
    const next = get("handles").querySelector("input:checked");
    (next ?? document.querySelector("[data-call]")).focus();
  }
}

/** Drops the chosen handle. */
function drop() {
  const { name, resource } = chosen();
  const shown = `drop(${name})`;
  try {
    host.call(() => resource[Symbol.dispose ?? Symbol.for("dispose")]());
    host.handles.delete(name);
    answer(shown, ok(""), "Dropping removes what the handle guards, and ignores failures.");
  } catch (error) {
    answerError(shown, error);
  }
  render();
}

for (const button of document.querySelectorAll("[data-call], [data-break], [data-host]")) {
  button.addEventListener("click", () => press(button));
  const described = says[button.dataset.call];
  if (described) button.title = described;
}
for (const field of document.querySelectorAll("[pattern]")) field.title = "A whole number";
for (const form of document.forms) {
  form.addEventListener("submit", (event) => event.preventDefault());
}
get("handles").addEventListener("change", renderMethods);
get("hostile").append(...Object.keys(NAMES).map((name) => element("option", {}, name)));
get("answer").append(element("p", {}, "The provider is running. Press a button."));
render();
document.documentElement.dataset.ready = "";
