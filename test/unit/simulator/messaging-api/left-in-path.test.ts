import { describe, expect, it } from "vitest";
import { hasLeftInPart } from "../../../../src/simulator/messaging-api/left-in-path.ts";

const isKnownPath = (path: string) => path === "/messages";

describe("hasLeftInPart", () => {
  it.each([
    ["/106540352242922/messages", true],
    ["/v19.0/messages", true],
    ["/v23.0/106540352242922/messages", true],
    ["/messages", false],
    ["/106540352242922", false],
    ["/106540352242922/unknown", false],
    ["/v1/configs/webhook", false],
  ])("%s: %s", (path, expected) => {
    expect(hasLeftInPart(path, isKnownPath)).toBe(expected);
  });
});
