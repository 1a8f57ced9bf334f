import { describe, expect, it } from "vitest";
import { FaultScript } from "../../../../src/simulator/http/fault.ts";

const target = { phoneNumberId: "1", method: "POST", path: "/messages" };

describe("FaultScript", () => {
  it("uses faults up in the order given", () => {
    const script = new FaultScript();
    script.add({ kind: "no_answer" });
    script.add({ kind: "answer", status: 500, times: 2 });
    const kinds = [1, 2, 3, 4].map(() => script.take(target)?.kind);
    expect(kinds).toEqual(["no_answer", "answer", "answer", undefined]);
  });

  it.each([
    ["another path", { path: "/health_status" }, false],
    ["any path", { path: "*" }, true],
    ["the beginning of the path", { path: "/mess*" }, true],
    ["the beginning of another", { path: "/media*" }, false],
    ["the same number", { phoneNumberId: "1" }, true],
    ["another number", { phoneNumberId: "2" }, false],
    ["the method in small letters", { method: "post" }, true],
    ["another method", { method: "GET" }, false],
  ])("matches by %s", (_name, match, expected) => {
    const script = new FaultScript();
    script.add({ kind: "no_answer", ...match });
    expect(script.take(target) !== undefined).toBe(expected);
  });

  it("leaves a fault that does not fit for a later call", () => {
    const script = new FaultScript();
    script.add({ kind: "no_answer", path: "/health_status" });
    script.add({ kind: "delay", delayMs: 1 });
    expect(script.take(target)?.kind).toBe("delay");
    expect(script.faults).toHaveLength(1);
    script.clear();
    expect(script.faults).toHaveLength(0);
  });
});
