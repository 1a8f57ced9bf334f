import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { call } from "./call.ts";
import { eventually } from "./eventually.ts";

const MAIN = fileURLToPath(new URL("../../../src/simulator/main.ts", import.meta.url));

function run(...options: string[]) {
  const child = spawn(process.execPath, [MAIN, ...options], { stdio: ["ignore", "pipe", "pipe"] });
  const printed = { out: "", err: "" };
  child.stdout.setEncoding("utf8").on("data", (text: string) => (printed.out += text));
  child.stderr.setEncoding("utf8").on("data", (text: string) => (printed.err += text));
  return { child, printed, exited: once(child, "exit") };
}

describe("the simulator as a process", () => {
  it("explains itself", async () => {
    const { printed, exited } = run("--help");
    expect(await exited).toEqual([0, null]);
    expect(printed.out).toContain("--state FILE");
    expect(printed.out).toContain("POST /simulator/numbers/ID/rotate-key");
  });

  it.each([[["--port", "http"]], [["--prot", "1"]]])("refuses %j", async (options) => {
    const { printed, exited } = run(...options);
    expect(await exited).toEqual([1, null]);
    expect(printed.err).toContain("Usage:");
  });

  // A notification that waits for hours must not keep the process alive.
  it.each(["SIGINT", "SIGTERM"] as const)("stops at once at %s", async (signal) => {
    const { child, printed, exited } = run("--port", "0");
    await eventually(() => expect(printed.out).toMatch(/simulator on http:\S+/));
    const url = /simulator on (http:\S+)/.exec(printed.out)?.[1] ?? "";
    const { json } = await call(`${url}/simulator/numbers`, { method: "POST" });
    await call(`${url}/simulator/numbers/${String(json["phone_number_id"])}/messages`, {
      method: "POST",
      body: { from: "49170", text: "Hello" },
    });
    await eventually(() => expect(printed.out).toContain("has no webhook"));
    child.kill(signal);
    expect(await exited).toEqual([0, null]);
  });
});
