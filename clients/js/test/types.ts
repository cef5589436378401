// What the type declarations have to accept, and what they have to refuse. It is not run.

import { type ErrorCode, TempfileError, namedTempfile, spooled, tempdir } from "../index.js";
import { type LiveHandle, getLimits, leftovers, liveHandles } from "scratch:tempfile/ledger@0.1.0";
import { main, readStdin } from "../stdio.js";

export const run = main("types", () => {
  using dir = tempdir({ prefix: "in-", label: "input" });
  using file = namedTempfile({ dir, suffix: ".txt", randomChars: 0 });
  for (const chunk of readStdin()) file.append(chunk);
  const size: number = file.write("text", 3) + file.size;
  file.persist("/out/x", { overwrite: size > 0, durability: "full" });
  try {
    spooled({ maxMemory: 1, dir: "/tmp" }).close();
  } catch (error) {
    const code: ErrorCode | undefined = error instanceof TempfileError ? error.code : undefined;
    // @ts-expect-error
    if (code === "no-such-code") return;
  }
  const open: LiveHandle[] = liveHandles().filter((handle) => handle.age > 1_000_000_000n);
  const limit: bigint | undefined = getLimits().fileSize;
  const code: ErrorCode | undefined = leftovers()[0]?.error.code;
  // @ts-expect-error
  if (open[0].kind === "socket" || limit === 1 || code === "no-such-code") return;
  // @ts-expect-error
  file.sync("some");
  // @ts-expect-error
  file.path = "another";
  // @ts-expect-error
  new TempfileError("io", "made elsewhere");
});
