import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { describe, expect, it } from "vitest";

const MODULE = join(import.meta.dirname, "../../src/collect-seldom.ts");

describe("how seldom memory is collected", () => {
  it("is said in a flag that this version of V8 knows, while the process runs", () => {
    const code = `import { collectSeldom } from ${JSON.stringify(MODULE)}; collectSeldom();`;
    const { status, stderr } = spawnSync(
      process.execPath,
      ["--input-type=module", "--eval", code],
      { encoding: "utf8" },
    );
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
  });
});
