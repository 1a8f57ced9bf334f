import { describe, expect, it } from "vitest";
import {
  gradeAll,
  gradeReached,
  gradeSpeed,
  gradeWrongSignature,
} from "../../../src/fanout/grade-fitness.ts";
import type { OutboundResult } from "../../../src/outbound/exchange.ts";

function answer(status: number, durationMs = 10): OutboundResult {
  const body = Buffer.alloc(0);
  return {
    kind: "answer",
    status,
    headers: {},
    body,
    bodyTruncated: false,
    byAllowList: false,
    durationMs,
  };
}

const broken: OutboundResult = {
  kind: "failed",
  reason: "timeout",
  detail: "No answer within the time allowed.",
  durationMs: 3000,
};

const of = (times: number[]) => gradeSpeed(times.map((ms) => answer(200, ms)));
const many = (count: number, ms: number): number[] => Array.from({ length: count }, () => ms);

describe("the grade of a receiver's speed", () => {
  it.each([
    ["all at once", many(20, 20), "pass", "pass"],
    ["half of them within 250 ms", [...many(10, 300), ...many(11, 250)], "pass", "pass"],
    ["most a little slow", many(20, 251), "warn", "pass"],
    ["one in twenty over a second", [...many(19, 20), 1001], "pass", "warn"],
    ["three in twenty over a second", [...many(17, 20), ...many(3, 1001)], "pass", "fail"],
    ["all over a second", many(20, 1001), "fail", "fail"],
  ])("of %s", (_name, times, median, share) => {
    expect(of(times).map(({ code, result }) => [code, result])).toEqual([
      ["median_time", median],
      ["slow_share", share],
    ]);
  });
});

describe("the grade of a wrong signature", () => {
  it.each([
    ["refused", answer(401), "pass"],
    ["refused otherwise", answer(400), "pass"],
    ["taken", answer(204), "fail"],
    ["redirected", answer(302), "warn"],
    ["answered with a fault", answer(500), "warn"],
    ["not answered", broken, "warn"],
  ])("that is %s", (_name, result, grade) => {
    expect(gradeWrongSignature(result)).toMatchObject({ code: "wrong_signature", result: grade });
  });
});

describe("the whole grade", () => {
  it("is the worst one", () => {
    const [pass, warn, fail] = [
      gradeReached(answer(200)),
      gradeWrongSignature(answer(500)),
      gradeReached(broken),
    ];
    expect(gradeAll([pass])).toBe("pass");
    expect(gradeAll([pass, warn])).toBe("warn");
    expect(gradeAll([fail, pass, warn])).toBe("fail");
    expect(fail.detail).toBe("No answer within the time allowed.");
  });
});
