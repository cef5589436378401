// The page of playground/ in headless Chromium. `playground/playground.py test` serves the page, at
// the address in PLAYGROUND, and runs this. With SCREENSHOTS=DIRECTORY it leaves pictures.

import assert from "node:assert/strict";
import * as fs from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { chromium } from "playwright-core";
import { FLAGS, browser } from "./browser.mjs";

const ADDRESS = process.env.PLAYGROUND;
const AXE = fs.readFileSync(join(import.meta.dirname, "node_modules/axe-core/axe.min.js"), "utf8");

const WIDE = { width: 1280, height: 900 };
const NARROW = { width: 360, height: 740 };
const LOOKS = [
  ["light", WIDE],
  ["light", NARROW],
  ["dark", WIDE],
  ["dark", NARROW],
];

let running;
before(async () => {
  running = await chromium.launch({ executablePath: browser(), args: FLAGS });
});
after(() => running.close());

/** A fresh page. The test fails if the page fails, or asks another server for something. */
async function open(t, options = {}) {
  const { colorScheme = "light", viewport = WIDE, routes = {}, script = () => {} } = options;
  const context = await running.newContext({ colorScheme, viewport });
  const problems = [];
  t.after(async () => {
    await context.close();
    assert.deepEqual(problems, []);
  });
  const page = await context.newPage();
  page.setDefaultTimeout(60_000);
  page.on("pageerror", (error) => problems.push(String(error)));
  page.on("console", (said) => said.type() === "error" && problems.push(said.text()));
  page.on("request", (request) => {
    if (!/^(data:|blob:)/.test(request.url()) && !request.url().startsWith(ADDRESS)) {
      problems.push(`a request to ${request.url()}`);
    }
  });
  for (const [name, body] of Object.entries(routes)) {
    await page.route(`${ADDRESS}${name}`, (route) => route.fulfill({ body }));
  }
  await page.addInitScript(script);
  await page.goto(ADDRESS);
  await page.locator("html[data-ready]").waitFor();
  return page;
}

const button = (page, name) => page.getByRole("button", { name, exact: true });
const press = (page, ...names) =>
  names.reduce((done, name) => done.then(() => button(page, name).click()), Promise.resolve());
const answer = (page) => page.getByRole("status", { name: "Answer" }).innerText();
const tree = (page) => page.locator("#tree").innerText();
const choose = (page, handle) => page.getByRole("radio", { name: handle }).check();

/** Waits for an answer with this text, and returns it. */
async function answered(page, text) {
  await page.getByRole("status", { name: "Answer" }).filter({ hasText: text }).waitFor();
  return answer(page);
}

/** Presses a button, and checks what the answer says. */
async function expectAnswer(page, name, ...texts) {
  await press(page, name);
  const said = await answer(page);
  for (const text of texts) assert.ok(said.includes(text), `${name}: no ${text} in ${said}`);
}

/** Runs the cases whose name contains a text, and returns the verdict. */
async function runSuite(page, filter) {
  await page.getByLabel("Only cases whose name contains").fill(filter);
  await press(page, "Run the suite");
  const verdict = page.locator("#verdict").filter({ hasText: /Done|Stopped|could not/ });
  await verdict.waitFor();
  return verdict.innerText();
}

const names = (page, outcome) =>
  page.locator(`#matrix li:has(strong.${outcome}) code`).allTextContents();

// What the buttons do.

test("a named file is written, read and persisted", async (t) => {
  const page = await open(t);
  await expectAnswer(
    page,
    "Named file",
    'tempfile.named({prefix: "tmp", suffix: ".txt"}, scratch) → ok: file-1, path-1',
    "Creates an empty file under a new name",
  );
  assert.match(await tree(page), /tmp[a-z2-7]{16}\.txt guarded 0 bytes/);
  await expectAnswer(page, "Write", 'file-1.write("scratch", 0) → ok: 7');
  await expectAnswer(page, "Read", 'file-1.read(100, 0) → ok: "scratch", 7 bytes');
  await choose(page, "path-1");
  await expectAnswer(page, "Persist", 'path-1.persist("/out/report.txt", overwrite, full) → ok');
  assert.match(await tree(page), /\/tmp\/ empty\s+\/out\/\s+report\.txt 7 bytes "scratch"/);
  await expectAnswer(page, "Keep", "path-1.keep() → closed: ", "closed means: ");
});

test("what is kept stays, and what is closed or dropped goes", async (t) => {
  const page = await open(t);
  await press(page, "Named file");
  await choose(page, "path-1");
  await expectAnswer(page, "Keep", 'path-1.keep() → ok: "/tmp/tmp');
  assert.doesNotMatch(await tree(page), /guarded/);
  await press(page, "Directory", "Create file");
  await choose(page, "dir-1");
  await expectAnswer(page, "Entries", 'dir-1.entries("note.txt") → not-directory: ');
  await expectAnswer(page, "Metadata", "{kind: file, size: 0}");
  assert.match(await tree(page), /guarded\s+note\.txt 0 bytes/);
  await expectAnswer(page, "Close", "dir-1.close() → ok");
  assert.doesNotMatch(await tree(page), /note\.txt/);
  await expectAnswer(page, "Drop", "drop(dir-1) → ok");
  await press(page, "Named file");
  await choose(page, "path-2");
  await expectAnswer(page, "Drop", "drop(path-2) → ok");
  assert.equal(await page.locator("#tree li li").count(), 1);
});

test("a spooled file moves to disk when it grows", async (t) => {
  const page = await open(t);
  await expectAnswer(page, "Spooled file", "tempfile.spooled(32, scratch) → ok: file-1");
  await press(page, "Write");
  await expectAnswer(page, "Storage", "file-1.storage() → ok: memory");
  await page.getByLabel("Offset").fill("26");
  await press(page, "Write");
  await expectAnswer(page, "Storage", "file-1.storage() → ok: disk");
});

test("an unnamed file cannot be linked here, and the answer says so", async (t) => {
  const page = await open(t);
  await press(page, "Unnamed file");
  assert.match(await tree(page), /\/tmp\/ empty/);
  await expectAnswer(
    page,
    "Link",
    'tempfile.link(file-1, "/out/linked.txt", none) → unsupported: ',
    "unsupported means: This implementation or this file system cannot do it.",
  );
});

test("the ledger follows the handles", async (t) => {
  const page = await open(t);
  const row = async (kind) => {
    const cells = page.getByRole("row", { name: new RegExp(`^${kind}`) }).getByRole("cell");
    return cells.allTextContents();
  };
  assert.deepEqual(await row("entries"), ["0", "0", "20"]);
  await page.getByLabel("Label").fill("<b>mine</b>");
  await press(page, "Named file", "Directory");
  assert.deepEqual(await row("files"), ["1", "1", "–"]);
  assert.deepEqual(await row("paths"), ["1", "1", "–"]);
  assert.deepEqual(await row("directories"), ["1", "1", "–"]);
  assert.deepEqual(await row("entries"), ["2", "2", "20"]);
  const live = await page.locator("#live li").allTextContents();
  assert.equal(live.length, 3);
  assert.equal(live.filter((line) => line.includes('label "<b>mine</b>"')).length, 2);
  await press(page, "Close");
  assert.deepEqual(await row("directories"), ["0", "1", "–"]);
  assert.equal(await page.locator("#live li").count(), 2);
});

test("a file in a temporary directory goes with it", async (t) => {
  const page = await open(t);
  await press(page, "Directory");
  await page.getByLabel("Location").selectOption("within dir-1");
  await expectAnswer(page, "Named file", "within(dir-1)) → ok: file-1, path-1");
  await choose(page, "dir-1");
  await press(page, "Close");
  assert.match(await tree(page), /\/tmp\/ empty/);
  await page.getByLabel("Location").selectOption("directory /nowhere");
  await expectAnswer(page, "Named file", 'directory("/nowhere")) → no-entry: ', 'path: "/nowhere');
});

// What breaks.

test("every hostile name is refused and leaves nothing", async (t) => {
  const page = await open(t);
  const offered = await page.getByLabel("Hostile name").locator("option").allTextContents();
  assert.ok(offered.length >= 8, offered.join());
  for (const name of offered) {
    await page.getByLabel("Hostile name").selectOption(name);
    const code = name === "300 characters" ? "name-too-long" : "invalid-name";
    await expectAnswer(page, "Try that name", `→ ${code}: `, `${code} means: `);
    assert.match(await tree(page), /\/tmp\/ empty/);
  }
  assert.match(await page.locator("#no-handles").innerText(), /none/);
});

test("bytes and names are refused at the limit, which the message names", async (t) => {
  const page = await open(t);
  await expectAnswer(page, "Fill up with bytes", "→ quota: ", "100000", "Before it, 7 writes");
  assert.match(await page.locator("#ledger").innerText(), /bytes\s+100000\s+100000\s+100000/);
  await press(page, "Close");
  assert.match(await page.locator("#ledger").innerText(), /bytes\s+0\s+100000\s+100000/);
  await expectAnswer(page, "Fill up with names", "→ quota: ", "Before it, 20 creations");
});

test("without limits nothing is refused", async (t) => {
  const page = await open(t);
  for (const limit of await page.locator("#limits input").all()) await limit.fill("");
  await press(page, "Stop and start anew");
  await answered(page, 'SCRATCH_LIMITS=""');
  await expectAnswer(page, "Fill up with bytes", "→ ok", "64 writes succeeded");
  await expectAnswer(page, "Fill up with names", "→ ok", "64 creations succeeded");
});

test("after a trap only the host can go on, and names stay until it removes them", async (t) => {
  const page = await open(t);
  await press(page, "Named file");
  await expectAnswer(page, "Trap the instance", "→ trap: ", "unreachable", "No destructor runs");
  await expectAnswer(page, "Read", "file-1.read(100, 0) → trap: the instance has trapped");
  await expectAnswer(page, "Drop", "drop(file-1) → trap: ");
  assert.match(await page.locator("#handles").innerText(), /file-1, lost\s+path-1, lost/);
  assert.match(await page.locator("#ledger").innerText(), /no ledger after a trap/);
  assert.match(await tree(page), /tmp[a-z2-7]{16}\.txt 0 bytes/);
  await press(page, "Stop and start anew");
  await answered(page, "nobody guards the 1 name in /tmp");
  await press(page, "Named file");
  assert.equal(await page.locator("#tree li li").count(), 2);
  await expectAnswer(page, "Empty /tmp", "2 names removed");
  assert.match(await tree(page), /\/tmp\/ empty/);
  await expectAnswer(page, "Close", "file-2.close() → ok");
});

test("no destructor of a stopped instance runs, even if garbage is collected", async (t) => {
  // A registry that is collected itself, along with its instance, would call nothing.
  const script = () => {
    window.registries = [];
    window.FinalizationRegistry = class extends FinalizationRegistry {
      constructor(callback) {
        super(callback);
        window.registries.push(this);
      }
    };
  };
  const page = await open(t, { script });
  await press(page, "Named file", "Stop and start anew");
  await answered(page, "nobody guards the 1 name in /tmp");
  // Something else is collected at the same time, which shows that it has happened.
  await page.evaluate(() => {
    window.collected = new Promise((resolve) => {
      new FinalizationRegistry(resolve).register({});
    });
  });
  const devtools = await page.context().newCDPSession(page);
  await devtools.send("HeapProfiler.collectGarbage");
  await page.evaluate(() => window.collected);
  await press(page, "Default directory");
  assert.match(await tree(page), /tmp[a-z2-7]{16}\.txt/);
});

test("a field with a wrong value makes no call", async (t) => {
  const page = await open(t);
  await page.getByLabel("Random characters").fill("256");
  await press(page, "Named file");
  assert.match(await answer(page), /Press a button/);
  await page.getByLabel("Random characters").fill("0");
  await expectAnswer(page, "Named file", "random-chars: 0}, scratch) → ok");
  await expectAnswer(page, "Named file", "→ exist: ", 'path: "/tmp/tmp.txt"');
});

test("text of the plugin is never markup", async (t) => {
  const page = await open(t);
  const markup = "<img src=x onerror=alert(1)>";
  await page.getByLabel("Label").fill(markup);
  await press(page, "Unnamed file", "Directory");
  await page.getByLabel("Path in it").fill(markup);
  await press(page, "Create file");
  assert.match(await tree(page), /<img src=x onerror=alert\(1\)>/);
  assert.equal(await page.locator("img").count(), 0);
});

test("each function of the interface has a button, which its words describe", async (t) => {
  const page = await open(t);
  const said = await page.evaluate(async () => {
    const { words } = await import("./words.js");
    return words(await (await fetch("tempfile.wit")).text());
  });
  const calls = Object.entries(said).filter(([name]) => !name.startsWith("error-code."));
  const buttons = await page.locator("[data-call]:not([data-call=drop])").evaluateAll((all) =>
    all.map((button) => [button.dataset.call, button.title]),
  );
  assert.deepEqual(buttons.sort(), calls.sort());
  for (const [call, title] of buttons) assert.match(title, /^[A-Z].*\.$/, call);
});

// The suite.

test("the suite fills the matrix, and declared differences are shown as such", async (t) => {
  const page = await open(t);
  const load = async (name) => (await fetch(`${ADDRESS}${name}`)).text();
  const cases = (await load("cases.jsonl")).trim().split("\n").map((line) => JSON.parse(line).case);
  const selected = cases.filter((name) => name.includes("io::a_"));
  const declared = JSON.parse(await load("differences.json")).flatMap((entry) => entry.cases);
  const differing = selected.filter((name) => declared.includes(name));
  assert.ok(differing.length > 0 && selected.length > differing.length);

  const verdict = await runSuite(page, "io::a_");
  const expected = `^Done after .*${differing.length} differ,.*, of ${selected.length} cases`;
  assert.match(verdict, new RegExp(expected));
  assert.doesNotMatch(verdict, /failed|waiting/);
  await page.locator("#matrix summary").first().click();
  assert.deepEqual(
    (await names(page, "differs")).sort(),
    differing.map((name) => name.split("::")[1]).sort(),
  );
  const links = page.locator("#matrix li a");
  assert.equal(await links.count(), differing.length);
  assert.equal(await page.locator("#matrix .marks span").count(), selected.length);
});

test("an undeclared failure has failed, and so has a declared one that passes", async (t) => {
  const load = async (name) => (await fetch(`${ADDRESS}${name}`)).text();
  const first = (await load("cases.jsonl"))
    .split("\n")
    .filter((line) => line.includes('"io::'))
    .map((line) => JSON.parse(line))
    .find(({ needs, panics }) => needs.length === 0 && panics === null).case;
  const wrong = [{ cases: [first], detail: "", reason: "none", link: "" }];
  const page = await open(t, { routes: { "differences.json": JSON.stringify(wrong) } });
  const verdict = await runSuite(page, "io::a_file_too_large");
  assert.match(verdict, /: 1 failed, of 1 cases/);
  assert.match(await runSuite(page, first), /1 failed/);
  await page.locator("#matrix summary").first().click();
  const row = page.locator("#matrix li").filter({ hasText: first.split("::")[1] });
  assert.match(await row.first().innerText(), /declared to differ, and was passed/);
});

test("the suite can be stopped, and run again", async (t) => {
  const page = await open(t);
  await press(page, "Run the suite");
  await page.locator("#matrix .passed").first().waitFor({ state: "attached" });
  await press(page, "Stop");
  const verdict = page.locator("#verdict").filter({ hasText: "Stopped" });
  await verdict.waitFor();
  assert.match(await runSuite(page, "default_directory::the_search"), /: 1 passed, of 1 cases/);
  assert.match(await runSuite(page, "no such case"), /no case has that in its name/);
});

// How it looks, and how it is read out.

/** A page with every kind of handle, answers good and bad, and results of the suite. */
async function busy(t, look) {
  const page = await open(t, look);
  await press(page, "Named file", "Write", "Spooled file", "Directory", "Create file");
  await press(page, "Try that name");
  await runSuite(page, "io::a_");
  await page.locator("#matrix summary").first().click();
  return page;
}

/** The states of the page that are looked at: each kind of handle chosen, and after a trap. */
async function* states(page) {
  for (const handle of ["file-1", "path-1", "dir-1"]) {
    await choose(page, handle);
    yield handle;
  }
  await press(page, "Trap the instance");
  yield "trap";
}

for (const [colorScheme, viewport] of LOOKS) {
  const look = `${colorScheme}, ${viewport.width} pixels wide`;

  test(`axe finds nothing: ${look}`, async (t) => {
    const page = await busy(t, { colorScheme, viewport });
    await page.evaluate(AXE);
    for await (const state of states(page)) {
      const { violations, incomplete } = await page.evaluate(() => window.axe.run());
      // What axe cannot tell, it leaves to a person. Contrast is computed by the next test.
      const unsure = incomplete.filter(({ id }) => id !== "color-contrast");
      const found = [...violations, ...unsure].map(
        ({ id, nodes }) => `${id}: ${nodes.map((node) => node.html).join(" ")}`,
      );
      assert.deepEqual(found, [], state);
      if (process.env.SCREENSHOTS) {
        const name = `${colorScheme}-${viewport.width}-${state}.png`;
        const path = join(process.env.SCREENSHOTS, name);
        const hidden = await page
          .locator("#page")
          .evaluate((page) => page.scrollHeight - page.clientHeight);
        const height = viewport.height + hidden;
        await page.setViewportSize({ ...viewport, height });
        await page.screenshot({ path });
        await page.setViewportSize(viewport);
      }
    }
  });

  test(`every text has a contrast of 4.5: ${look}`, async (t) => {
    const page = await busy(t, { colorScheme, viewport });
    for await (const state of states(page)) {
      const { texts, low, back } = await page.evaluate(contrasts);
      assert.ok(texts > 100, `${texts} texts`);
      assert.deepEqual(low, [], state);
      assert.equal(back > 0.5, colorScheme === "light");
    }
  });

  test(`every control is visible, inside the window and apart: ${look}`, async (t) => {
    const page = await busy(t, { colorScheme, viewport });
    for await (const state of states(page)) {
      const { controls, wrong } = await page.evaluate(layout);
      assert.ok(controls > 25, `${controls} controls`);
      assert.deepEqual(wrong, [], state);
    }
  });
}

/** In the page: the texts whose contrast is too low, by their computed colours. */
function contrasts() {
  const channels = (color) => color.match(/[\d.]+/g).map(Number);
  const luminance = (color) => {
    const [red, green, blue] = channels(color)
      .map((value) => value / 255)
      .map((value) => (value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4));
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  };
  const background = (element) => {
    for (let at = element; at; at = at.parentElement) {
      const color = getComputedStyle(at).backgroundColor;
      if (channels(color)[3] !== 0) return color;
    }
    throw new Error("nothing has a background");
  };
  const low = [];
  let texts = 0;
  const check = (element, color, text) => {
    const pair = [luminance(color), luminance(background(element))].sort((a, b) => b - a);
    const contrast = (pair[0] + 0.05) / (pair[1] + 0.05);
    texts++;
    if (contrast < 4.5) low.push(`${text}: ${contrast.toFixed(2)}`);
  };
  for (const element of document.querySelectorAll("body *")) {
    if (!element.checkVisibility()) continue;
    const text = [...element.childNodes].filter((node) => node.nodeType === Node.TEXT_NODE);
    const own = text.map((node) => node.data.trim()).join("");
    if (own || element.matches("input, select")) {
      check(element, getComputedStyle(element).color, own);
    }
    if (element.placeholder) {
      check(element, getComputedStyle(element, "::placeholder").color, element.placeholder);
    }
  }
  return { texts, low, back: luminance(background(document.body)) };
}

/** In the page: the controls that cannot be seen or pressed as they should. */
function layout() {
  const wrong = [];
  const root = document.getElementById("page");
  if (root.scrollWidth > root.clientWidth) wrong.push(`the page is ${root.scrollWidth} wide`);
  const answer = document.getElementById("answer");
  const controls = [...document.querySelectorAll("button, input, select, summary, a")].filter(
    (control) => control.checkVisibility(),
  );
  const boxes = [];
  for (const control of controls) {
    const name = control.textContent.trim() || control.name || control.id;
    control.scrollIntoView({ block: "center" });
    const box = control.getBoundingClientRect();
    // A radio button is pressed by its label.
    const pressed = control.type === "radio" ? control.parentElement : control;
    const target = pressed.getBoundingClientRect();
    if (box.left < 0 || box.right > innerWidth) wrong.push(`${name} is outside the window`);
    if (box.top < 0 || box.bottom > innerHeight) wrong.push(`${name} cannot be scrolled to`);
    if (control.tagName !== "A" && Math.min(target.width, target.height) < 24) {
      wrong.push(`${name} is too small: ${target.width} by ${target.height}`);
    }
    if (control.tagName === "BUTTON" && control.scrollWidth > control.clientWidth) {
      wrong.push(`${name} is cut off`);
    }
    const covered = answer.getBoundingClientRect();
    if (!answer.contains(control) && box.bottom > covered.top) wrong.push(`${name} is covered`);
    const { scrollTop } = root;
    boxes.push([name, box.left, box.top + scrollTop, box.right, box.bottom + scrollTop]);
  }
  for (const [index, [name, left, top, right, bottom]] of boxes.entries()) {
    for (const [other, ...box] of boxes.slice(index + 1)) {
      const apart = box[0] >= right || box[2] <= left || box[1] >= bottom || box[3] <= top;
      if (!apart) wrong.push(`${name} overlaps ${other}`);
    }
  }
  return { controls: controls.length, wrong };
}

/** Presses Tab until a control has the focus; each on the way has a name and shows its focus. */
async function tabTo(page, wanted) {
  for (let tabs = 0; tabs < 150; tabs++) {
    await page.keyboard.press("Tab");
    const focused = page.locator(":focus");
    if ((await focused.count()) === 0) continue;
    const [read] = (await focused.ariaSnapshot()).split("\n");
    const { outline, visible } = await focused.evaluate((element) => {
      const style = getComputedStyle(element);
      const box = element.getBoundingClientRect();
      const answer = document.getElementById("answer");
      const bottom = answer.contains(element) ? innerHeight : answer.getBoundingClientRect().top;
      return {
        outline: style.outlineStyle === "none" ? 0 : parseFloat(style.outlineWidth),
        visible: box.top >= 0 && box.bottom <= bottom + 1,
      };
    });
    assert.match(read, /^- \w+ ".+"/, "a control without a name");
    assert.ok(outline >= 2, `the focus on ${read} cannot be seen`);
    assert.ok(visible, `${read} has the focus outside the window, or is covered`);
    if (read.startsWith(`- ${wanted}`)) return;
  }
  assert.fail(`Tab does not lead to ${wanted}`);
}

for (const viewport of [WIDE, NARROW]) {
  test(`the keyboard alone is enough, ${viewport.width} pixels wide`, async (t) => {
    const page = await open(t, { viewport });
    const enter = async (name) => {
      await tabTo(page, `button "${name}"`);
      await page.keyboard.press("Enter");
    };
    await enter("Named file");
    await enter("Write");
    assert.match(await answer(page), /file-1\.write\("scratch", 0\) → ok: 7/);
    await tabTo(page, 'radio "file-1"');
    await page.keyboard.press("ArrowDown");
    await tabTo(page, 'textbox "Target"');
    await page.keyboard.press("Control+A");
    await page.keyboard.type("/out/by-keyboard");
    await enter("Persist");
    assert.match(await answer(page), /path-1\.persist\("\/out\/by-keyboard", .*\) → ok/);
    await enter("Trap the instance");
    assert.match(await answer(page), /→ trap: .*unreachable/);
    await enter("Stop and start anew");
    await answered(page, "A fresh instance");
    assert.match(await tree(page), /by-keyboard 7 bytes "scratch"/);
    await enter("Directory");
    await enter("Drop");
    assert.match(await answer(page), /drop\(dir-1\) → ok/);
    // The button went with its handle: the focus is on something that can be used.
    assert.match(await page.locator(":focus").ariaSnapshot(), /^- button "Named file"/);
  });
}

test("a screen reader gets headings, names, states and a nested tree", async (t) => {
  const page = await open(t);
  await press(page, "Directory", "Create file");
  const read = await page.locator("body").ariaSnapshot();
  for (const line of [
    '- heading "scratch:tempfile" [level=1]',
    '- region "Create":',
    '- textbox "Prefix": tmp',
    '- group "Choose one":',
    '- radio "dir-1"',
    '- radio "file-1" [checked]',
    '- region "Files":',
    '- region "Ledger":',
    '- columnheader "limit"',
    '- rowheader "entries"',
    '- status "Answer":',
  ]) {
    assert.ok(read.includes(line), `no ${line} in\n${read}`);
  }
  // The list of /tmp has the directory's item, whose list has the file's.
  const nested = page.locator("#tree > li > ul > li > ul > li");
  assert.match(await nested.innerText(), /^note\.txt/);
  assert.equal(await page.locator("#answer").getAttribute("role"), "status");
});
