import { describe, expect, it } from "vitest";
import { createReadTarget } from "../../../src/gateway/read-target.ts";

const PID = "106540352242922";

describe("what method and URL say", () => {
  it("is read once for each, and told apart by both", () => {
    const readTarget = createReadTarget();
    const send = readTarget("POST", `/v23.0/${PID}/messages`);
    expect(send.parsed.pathId).toBe(PID);
    expect(send.found?.operation.operationId).toBe("sendMessage");
    expect(readTarget("POST", `/v23.0/${PID}/messages`)).toBe(send);
    expect(readTarget("POST", "/messages")).not.toBe(send);
    expect(readTarget("GET", `/v23.0/${PID}/messages`).found).toBeUndefined();
  });

  it("is not kept with a query, which may hold a token", () => {
    const readTarget = createReadTarget();
    const url = `/${PID}?access_token=secret`;
    const once = readTarget("GET", url);
    expect(once.parsed.queryToken).toBe("secret");
    expect(readTarget("GET", url)).not.toBe(once);
  });

  it("is not kept for a URL that is longer than any", () => {
    const readTarget = createReadTarget();
    const url = `/${"1".repeat(200)}`;
    expect(readTarget("GET", url)).not.toBe(readTarget("GET", url));
  });

  it("is forgotten when there are too many", () => {
    const readTarget = createReadTarget();
    const first = readTarget("GET", "/1");
    for (let id = 2; id <= 10_000; id++) {
      readTarget("GET", `/${id}`);
    }
    expect(readTarget("GET", "/1")).toBe(first);
    readTarget("GET", "/10001");
    expect(readTarget("GET", "/1")).not.toBe(first);
  });
});
