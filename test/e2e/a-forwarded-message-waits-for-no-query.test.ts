import { Client } from "pg";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  buildTenant,
  startTestGateway,
  type TestGateway,
  type TestTenant,
  textMessage,
} from "../support/gateway.ts";

const SENDS = 400;
/** The seconds' work of a gateway that nobody calls, and the message log's batches. */
const QUERIES_A_SECOND_MAX = 20;

describe("a forwarded message", () => {
  let gateway: TestGateway;
  let tenant: TestTenant;
  const query = Reflect.get(Client.prototype, "query") as (...args: unknown[]) => unknown;
  let queries = 0;

  beforeAll(async () => {
    gateway = await startTestGateway({ simulator: { statuses: [] } });
    tenant = await buildTenant(gateway);
    await gateway.partner("PATCH", `/partner/v1/numbers/${tenant.numberId}`, { throughput: 1000 });
    Reflect.set(Client.prototype, "query", function count(this: Client, ...args: unknown[]) {
      queries += 1;
      return Reflect.apply(query, this, args);
    });
  });
  afterAll(async () => {
    Reflect.set(Client.prototype, "query", query);
    await gateway.stop();
  });

  it("waits for no query once its tenant is known", async () => {
    await tenant.call("POST", "/messages", { body: textMessage("15550000000", "first") });
    queries = 0;
    const startedMs = performance.now();
    for (let index = 0; index < SENDS; index++) {
      const to = String(15_550_000_001 + index);
      const answer = await tenant.call("POST", "/messages", { body: textMessage(to, "Hi") });
      expect(answer.status).toBe(200);
    }
    const seconds = Math.ceil((performance.now() - startedMs) / 1000);
    expect(queries).toBeLessThan(SENDS / 4);
    expect(queries).toBeLessThanOrEqual(QUERIES_A_SECOND_MAX * seconds);
  });
});
