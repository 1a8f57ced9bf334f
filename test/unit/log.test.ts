import { describe, expect, it } from "vitest";
import { createLog, logNotificationReceived, logRequestCompleted } from "../../src/log.ts";

function lines(level: string, write: (log: ReturnType<typeof createLog>) => void): string[] {
  const written: string[] = [];
  write(
    createLog({
      level,
      format: "json",
      destination: { write: (line) => void written.push(line) },
    }),
  );
  return written;
}

describe("the log", () => {
  it("is JSON with a time and no more of the machine than that", () => {
    const [line = ""] = lines("info", (log) => log.info({ url: "http://x" }, "gateway.listening"));
    expect(JSON.parse(line)).toEqual({
      level: 30,
      time: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
      url: "http://x",
      msg: "gateway.listening",
    });
  });

  it("writes a call's line as it writes every other, and only what is known of it", () => {
    const fields = {
      requestId: "a-caller's",
      method: "POST",
      operation: "sendMessage",
      status: 200,
      durationMs: 1.5,
      clientId: 'of a foreign "issuer"\n',
      code: undefined,
    };
    const [call = "", other = ""] = lines("info", (log) => {
      logRequestCompleted(log, fields);
      log.info(fields, "request.completed");
    });
    expect(JSON.parse(call)).toEqual({ ...JSON.parse(other), time: expect.any(String) });
    expect(Object.keys(JSON.parse(call))).toEqual(Object.keys(JSON.parse(other)));
    expect(call).toMatch(/^[^\n]+\n$/);
    expect(lines("warn", (log) => logRequestCompleted(log, fields))).toEqual([]);
  });

  it("warns of what came over a number's hook and is not that number's", () => {
    const fields = {
      requestId: "req_a",
      notificationId: "ntf_a",
      numberId: "num_a",
      phoneNumberId: "1",
      bodyBytes: 2,
      eventCount: 1,
      newEventCount: 1,
      durationMs: 1,
    };
    const written = lines("warn", (log) => {
      logNotificationReceived(log, { ...fields, withoutOwnerCount: 0 });
      logNotificationReceived(log, { ...fields, withoutOwnerCount: 1 });
    });
    expect(written).toHaveLength(1);
  });
});
