// The conformance suite in this page: a row for each module, a mark for each case.

import { judge, refuse, run } from "./case.mjs";
import { element, get } from "./dom.js";
import { modules } from "./modules.js";

const PROVIDED = ["trap", "limits"];
const MARKS = { waiting: "·", passed: "✓", differs: "≠", skipped: "–", failed: "✗" };

let stopped = false;

/** Runs a case in a fresh instance with fresh directories. */
async function runCase(suite, listed) {
  const refused = refuse(listed, PROVIDED);
  if (refused) return refused;
  try {
    const preopens = {};
    for (const guest of listed.preopens) {
      preopens[guest] = guest === "/witness" ? preopens["/tmp"] : { dir: {} };
    }
    const ended = await run(suite, listed, preopens);
    return judge(listed, ended, Object.keys(preopens["/tmp"].dir));
  } catch (error) {
    return { case: listed.case, outcome: "failed", detail: String(error) };
  }
}

/** A result beside what is declared: only a failure that is declared *differs*. */
function compare(result, declared) {
  const { outcome, detail } = result;
  if (!declared) return result;
  if (outcome !== "failed") {
    return { ...result, outcome: "failed", detail: `declared to differ, and was ${outcome}` };
  }
  return detail.includes(declared.detail) ? { ...result, outcome: "differs", declared } : result;
}

/** The row of a module: closed, a line of marks; open, a list of its cases. */
class Row {
  constructor(name, cases) {
    this.name = name;
    this.marks = new Map(cases.map(({ case: name }) => [name, element("span")]));
    this.items = new Map(cases.map(({ case: name }) => [name, element("li")]));
    this.outcomes = new Map();
    this.counts = element("span", { className: "counts" });
    const marks = element("span", { className: "marks" }, ...this.marks.values());
    marks.setAttribute("aria-hidden", "true");
    const title = element("span", { className: "module" }, name);
    const summary = element("summary", {}, title, " ", marks, " ", this.counts);
    this.element = element("details", {}, summary, element("ul", {}, ...this.items.values()));
    for (const { case: name } of cases) this.set({ case: name, outcome: "waiting", detail: "" });
  }

  set({ case: name, outcome, detail, declared }) {
    this.outcomes.set(name, outcome);
    const mark = this.marks.get(name);
    mark.className = outcome;
    mark.textContent = MARKS[outcome];
    const item = this.items.get(name);
    const because = declared
      ? [": ", element("a", { href: declared.link }, declared.reason)]
      : detail && `: ${detail}`;
    const label = element("strong", { className: outcome }, outcome);
    item.replaceChildren(element("code", {}, name.split("::")[1]), " ", label, ...because);
    this.counts.textContent = count(this.outcomes.values());
  }
}

/** How many cases ended in each way. */
function count(outcomes) {
  const numbers = {};
  for (const outcome of outcomes) numbers[outcome] = (numbers[outcome] ?? 0) + 1;
  const kinds = Object.keys(MARKS).filter((kind) => numbers[kind]);
  const word = (kind) => (kind === "differs" && numbers[kind] !== 1 ? "differ" : kind);
  return kinds.map((kind) => `${numbers[kind]} ${word(kind)}`).join(", ");
}

/** Runs the cases that the filter selects, and shows each result as it comes. */
async function runAll() {
  const say = (text) => (get("verdict").textContent = text);
  say("The suite is being loaded.");
  const [lines, differences, { instantiate }] = await Promise.all([
    fetch("cases.jsonl").then((response) => response.text()),
    fetch("differences.json").then((response) => response.json()),
    import("./suite/suite.js"),
  ]);
  const declared = new Map(
    differences.flatMap((entry) => entry.cases.map((name) => [name, entry])),
  );
  const listed = lines.split("\n").filter(Boolean).map(JSON.parse);
  const cases = listed.filter(({ case: name }) => name.includes(get("filter").value));
  const byModule = Object.groupBy(cases, ({ case: name }) => name.split("::")[0]);
  const rows = new Map(
    Object.entries(byModule).map(([name, cases]) => [name, new Row(name, cases)]),
  );
  get("matrix").replaceChildren(...[...rows.values()].map((row) => row.element));
  Object.assign(get("progress"), { hidden: false, max: cases.length, value: 0 });
  say(`${cases.length} cases are running.`);

  const outcomes = [];
  const suite = { instantiate, module: modules("suite") };
  const began = performance.now();
  for (const listed of cases) {
    const result = compare(await runCase(suite, listed), declared.get(listed.case));
    rows.get(listed.case.split("::")[0]).set(result);
    outcomes.push(result.outcome);
    get("progress").value = outcomes.length;
    // So that the page is drawn, and its buttons work.
    await new Promise((resolve) => setTimeout(resolve));
    if (stopped) break;
  }
  const seconds = Math.round((performance.now() - began) / 1000);
  const how = stopped ? "Stopped" : "Done";
  const ended = count(outcomes) || "no case has that in its name";
  say(`${how} after ${seconds} s: ${ended}, of ${cases.length} cases.`);
}

get("run").addEventListener("click", async () => {
  stopped = false;
  get("run").disabled = true;
  get("stop").disabled = false;
  get("stop").focus();
  try {
    await runAll();
  } catch (error) {
    get("verdict").textContent = `The suite could not be run: ${error}`;
  } finally {
    get("progress").hidden = true;
    get("run").disabled = false;
    if (document.activeElement === get("stop")) get("run").focus();
    get("stop").disabled = true;
  }
});
get("stop").addEventListener("click", () => (stopped = true));
