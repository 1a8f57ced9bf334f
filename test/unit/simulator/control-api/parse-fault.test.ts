import { describe, expect, it } from "vitest";
import { parseFault } from "../../../../src/simulator/control-api/parse-fault.ts";

describe("parseFault", () => {
  it("reads every field", () => {
    const fields = {
      kind: "answer",
      status: 429,
      headers: { "retry-after": 1 },
      body: { error: "slow down" },
      phone_number_id: "1",
      method: "POST",
      path: "*",
      times: 2,
      delay_ms: 0,
      after_handling: true,
    };
    expect(parseFault(fields)).toEqual({
      kind: "answer",
      status: 429,
      headers: { "retry-after": "1" },
      body: { error: "slow down" },
      phoneNumberId: "1",
      method: "POST",
      path: "*",
      times: 2,
      delayMs: 0,
      afterHandling: true,
    });
  });

  it("leaves out what is not given", () => {
    expect(parseFault({ kind: "no_answer" })).toEqual({ kind: "no_answer" });
  });

  it.each([
    ["an unknown kind", { kind: "fire" }, "kind must be one of"],
    ["an answer without a status", { kind: "answer" }, "status must be given"],
    ["a status that HTTP does not know", { kind: "answer", status: 600 }, "status must be given"],
    ["a slip of the pen", { kind: "delay", delay: 5 }, "unknown: delay"],
    ["no times", { kind: "delay", times: 0 }, "times must be"],
  ])("refuses %s", (_name, fields, message) => {
    expect(() => parseFault(fields)).toThrow(message);
  });
});
