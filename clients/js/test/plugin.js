// The client's tests, as a plugin: one behaviour each, a line for each on standard output.

import { leftovers, liveHandles } from "scratch:tempfile/ledger@0.1.0";
import {
  NamedTempFile,
  TempDir,
  TempFile,
  TempfileError,
  closing,
  defaultDirectory,
  namedTempfile,
  spooled,
  tempdir,
  tempfile,
} from "wasi-tempfile";
import { main, readStdin, writeStdout } from "wasi-tempfile/stdio";

function assert(condition, message) {
  if (!condition) throw new Error(message);
}

function equal(found, expected) {
  const [a, b] = [found, expected].map((value) => JSON.stringify(value));
  assert(a === b, `${a} is not ${b}`);
}

function fails(code, operation) {
  try {
    operation();
  } catch (error) {
    assert(error instanceof TempfileError && error instanceof Error, `not ours: ${error}`);
    equal(error.code, code);
    return error;
  }
  throw new Error(`${code} was expected`);
}

function throws(type, operation) {
  try {
    operation();
  } catch (error) {
    return assert(error instanceof type, `not a ${type.name}: ${error}`);
  }
  throw new Error(`a ${type.name} was expected`);
}

const live = () => liveHandles().length;

const tests = {
  a_file_has_what_was_written() {
    using file = tempfile();
    assert(file instanceof TempFile, "another class");
    equal(file.writeAll("grüße"), undefined);
    equal([file.size, file.readText()], [7, "grüße"]);
    equal(Array.from(file.read(2, 1)), [114, 195]);
  },
  an_unknown_option_is_a_type_error() {
    for (const create of [tempfile, namedTempfile, tempdir, spooled]) {
      throws(TypeError, () => create({ sufix: ".txt" }));
      throws(TypeError, () => create(".txt"));
      throws(TypeError, () => create(null));
    }
    using named = namedTempfile();
    throws(TypeError, () => named.persist("/tmp/target", { overwite: false }));
    throws(TypeError, () => named.persist("/tmp/target", { overwrite: "no" }));
    using dir = tempdir();
    throws(TypeError, () => dir.createDirectory("a", { recursiv: true }));
  },
  standard_output_takes_strings_and_buffers_alone() {
    for (const data of [5, null, { a: 1 }, [1, 2]]) throws(TypeError, () => writeStdout(data));
    writeStdout(new ArrayBuffer(0));
  },
  write_all_replaces_longer_content() {
    using file = tempfile();
    file.writeAll("a long text");
    file.writeAll("short");
    equal(file.readText(), "short");
  },
  append_and_an_offset() {
    using file = tempfile();
    equal([file.append("abc"), file.append("def"), file.write("X", 1)], [3, 3, 1]);
    equal(file.readText(), "aXcdef");
  },
  every_kind_of_buffer_is_written() {
    using file = tempfile();
    const buffer = new Uint8Array([0, 1, 2, 3, 4, 5]).buffer;
    file.append(buffer);
    file.append(new Uint8Array(buffer, 1, 2));
    file.append(new DataView(buffer, 4, 2));
    equal(Array.from(file.readAll()), [0, 1, 2, 3, 4, 5, 1, 2, 4, 5]);
  },
  a_file_of_several_mebibytes_in_and_out() {
    using file = tempfile();
    const data = new Uint8Array((3 << 20) + 5).map((_, i) => i % 251);
    file.writeAll(data);
    const found = file.readAll();
    equal([found.length, found.findIndex((byte, i) => byte !== data[i])], [data.length, -1]);
    let length = 0;
    for (const chunk of file.chunks(100_000)) length += chunk.length;
    equal(length, data.length);
  },
  truncate_cuts_and_extends() {
    using file = tempfile();
    file.writeAll("abcdef");
    file.truncate(3);
    equal(file.readText(), "abc");
    file.truncate(5);
    equal(Array.from(file.readAll().slice(3)), [0, 0]);
    file.sync();
    file.sync("data");
  },
  invalid_utf8_is_replaced_and_a_byte_order_mark_stays() {
    using file = tempfile();
    file.writeAll(new Uint8Array([0xef, 0xbb, 0xbf, 65, 255]));
    equal(file.readText(), "\ufeffA\ufffd");
  },
  using_closes_at_the_end_of_the_block() {
    const before = live();
    {
      using file = namedTempfile();
      using dir = tempdir();
      equal([file.path.length > 0, dir.entries()], [true, []]);
      equal(live(), before + 3);
    }
    equal(live(), before);
  },
  using_closes_after_an_error() {
    const before = live();
    try {
      using dir = tempdir();
      dir.writeFile("x", "y");
      throw new Error("mine");
    } catch (error) {
      equal(error.message, "mine");
    }
    equal([live(), leftovers().length], [before, 0]);
  },
  closing_is_using_as_a_function() {
    const before = live();
    equal(closing(tempfile(), (file) => file.append("four")), 4);
    throws(RangeError, () => closing(tempfile(), (file) => file.read(-1)));
    equal(live(), before);
  },
  after_close_every_method_says_closed() {
    const file = namedTempfile();
    const { path } = file;
    file.close();
    file.close();
    equal(file.path, path);
    for (const method of ["readAll", "readText", "sync", "rollOver", "reopen", "keep"]) {
      fails("closed", () => file[method]());
    }
    for (const property of ["size", "storage"]) fails("closed", () => file[property]);
    fails("closed", () => file.read(1));
    fails("closed", () => file.write("x"));
    fails("closed", () => file.persist("/tmp/x"));
    file[Symbol.dispose]();
    const dir = tempdir();
    dir.close();
    dir.close();
    for (const method of ["createFile", "openFile", "createDirectory", "metadata", "remove"]) {
      fails("closed", () => dir[method]("x"));
    }
    fails("closed", () => dir.entries());
    fails("closed", () => tempfile({ dir }));
    fails("closed", () => namedTempfile({ dir }));
    dir[Symbol.dispose]();
  },
  a_name_has_prefix_and_suffix() {
    using file = namedTempfile({ prefix: "in-", suffix: ".txt", randomChars: 4 });
    assert(file instanceof NamedTempFile, "another class");
    assert(/\/in-[a-z2-7]{4}\.txt$/.test(file.path), file.path);
    assert(file.path.startsWith(defaultDirectory()), file.path);
    using usual = namedTempfile();
    assert(/\/tmp[a-z2-7]{16}$/.test(usual.path), usual.path);
    throws(TypeError, () => {
      "use strict";
      usual.path = "another";
    });
  },
  a_name_that_is_taken_is_exist_with_a_path() {
    using dir = tempdir();
    using file = namedTempfile({ dir, prefix: "fixed", randomChars: 0 });
    const error = fails("exist", () => namedTempfile({ dir, prefix: "fixed", randomChars: 0 }));
    equal([error.name, typeof error.path, file.path.endsWith("/fixed")],
      ["TempfileError", "string", true]);
    assert(error.message.includes("fixed"), error.message);
  },
  a_refused_name_creates_nothing() {
    const before = live();
    fails("invalid-name", () => namedTempfile({ prefix: "a/b" }));
    fails("invalid", () => tempdir({ label: "x".repeat(256) }));
    equal(live(), before);
  },
  a_location_by_path() {
    using file = namedTempfile({ dir: defaultDirectory() });
    assert(file.path.startsWith(defaultDirectory()), file.path);
    fails("no-entry", () => tempfile({ dir: "/nowhere" }));
  },
  reopen_sees_the_same_bytes() {
    using file = namedTempfile();
    file.writeAll("twice");
    using again = file.reopen();
    again.write("T");
    equal(file.readText(), "Twice");
  },
  persist_moves_the_file_which_stays_open() {
    const target = `${defaultDirectory()}/persisted`;
    using file = namedTempfile();
    file.writeAll("kept");
    file.persist(target, { durability: "data" });
    equal(file.readText(), "kept");
    fails("closed", () => file.reopen());
    using other = namedTempfile();
    fails("exist", () => other.persist(target, { overwrite: false }));
    other.writeAll("newer");
    other.persist(target);
    fails("exist", () => namedTempfile({ dir: defaultDirectory(), prefix: "persisted",
      randomChars: 0 }));
  },
  keep_leaves_the_file() {
    using dir = tempdir();
    const file = namedTempfile({ dir });
    equal(file.keep(), file.path);
    file.close();
    equal(dir.entries().map(({ kind }) => kind), ["file"]);
  },
  a_spooled_file_moves_when_it_grows() {
    using file = spooled({ maxMemory: 4 });
    file.append("1234");
    equal(file.storage, "memory");
    file.append("5");
    equal([file.storage, file.readText()], ["disk", "12345"]);
    using other = spooled();
    other.append("x");
    other.rollOver();
    equal(other.storage, "disk");
  },
  a_directory_has_files_and_directories() {
    using dir = tempdir({ suffix: ".d" });
    assert(dir instanceof TempDir && dir.path.endsWith(".d"), dir.path);
    dir.createDirectory("a/b/c", { recursive: true });
    dir.createDirectory("a/b", { recursive: true });
    dir.writeFile("a/b/file", "long first text");
    dir.writeFile("a/b/file", "second");
    equal(dir.readText("a/b/file"), "second");
    equal(dir.metadata("a/b/file"), { kind: "file", size: 6 });
    equal([dir.exists("a/b/file"), dir.exists("a/x")], [true, false]);
    dir.rename("a/b/file", "a/moved");
    equal(dir.entries("a").map(({ name }) => name).sort(), ["b", "moved"]);
    equal(dir.readFile("a/moved").length, 6);
    dir.remove("a");
    equal(dir.entries(), []);
  },
  errors_of_a_directory() {
    using dir = tempdir();
    dir.writeFile("file", "");
    fails("exist", () => dir.createFile("file"));
    fails("exist", () => dir.createDirectory("file"));
    fails("exist", () => dir.createDirectory("file", { recursive: true }));
    fails("no-entry", () => dir.openFile("missing"));
    fails("not-directory", () => dir.readFile("file/below"));
    for (const path of ["../x", "/x", "a//b", ".", "x\0y"]) {
      fails("invalid-name", () => dir.createFile(path));
    }
  },
  a_directory_is_persisted() {
    using dir = tempdir();
    dir.writeFile("x", "y");
    dir.persist(`${defaultDirectory()}/persisted.d`);
    fails("closed", () => dir.entries());
    using again = namedTempfile({ dir: `${defaultDirectory()}/persisted.d` });
    assert(again.path.includes("persisted.d/"), again.path);
  },
  arguments_of_wrong_type_or_range_do_nothing() {
    const before = live();
    using file = tempfile();
    for (const wrong of [-1, 1.5, NaN, 2 ** 53, Infinity]) {
      throws(RangeError, () => file.read(1, wrong));
      throws(RangeError, () => file.write("x", wrong));
      throws(RangeError, () => file.truncate(wrong));
      throws(RangeError, () => spooled({ maxMemory: wrong }));
    }
    throws(RangeError, () => file.read(2 ** 32));
    throws(RangeError, () => namedTempfile({ randomChars: 256 }));
    throws(RangeError, () => file.chunks(0).next());
    throws(TypeError, () => file.read("1"));
    throws(TypeError, () => file.write(7));
    throws(TypeError, () => file.write());
    throws(TypeError, () => file.sync("some"));
    throws(TypeError, () => tempfile({ dir: 5 }));
    throws(TypeError, () => tempdir({ prefix: null }));
    throws(TypeError, () => file.link("/tmp/x", { durability: "much" }));
    equal([file.size, live()], [0, before + 1]);
  },
  a_read_past_the_end_is_empty() {
    using file = tempfile();
    equal([file.read(5, 2 ** 53 - 1).length, file.readAll().length], [0, 0]);
  },
  standard_input_is_read_to_its_end() {
    let length = 0;
    for (const chunk of readStdin(1000)) length += chunk.length;
    equal(length, 100_000);
  },
};

export const run = main("tests", () => {
  let failed = 0;
  for (const [name, test] of Object.entries(tests)) {
    let result = "ok";
    try {
      test();
      equal([live(), leftovers().length], [0, 0]);
    } catch (error) {
      failed += 1;
      result = `FAILED: ${error.message}`;
    }
    writeStdout(`${name}: ${result}\n`);
  }
  // Longer than one write of a stream may be.
  writeStdout(`${" ".repeat(5000)}\n`);
  if (failed > 0) throw new Error(`${failed} of ${Object.keys(tests).length} tests failed`);
});
