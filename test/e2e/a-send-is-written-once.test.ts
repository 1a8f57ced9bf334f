import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { startSimulator } from "../../src/simulator/simulator.ts";
import { freePort } from "../support/free-port.ts";
import {
  buildTenant,
  startTestGateway,
  type TestGateway,
  type TestTenant,
  textMessage,
} from "../support/gateway.ts";

const body = textMessage("15550001111", "once");

describe("a send", () => {
  let gateway: TestGateway;
  let tenant: TestTenant;

  beforeAll(async () => {
    gateway = await startTestGateway({
      env: { D360_TIMEOUT: "700ms" },
      simulator: { statuses: [] },
    });
    tenant = await buildTenant(gateway);
  });
  afterEach(() => {
    gateway.simulator.clearFaults();
    gateway.simulator.clearRequests();
  });
  afterAll(() => gateway.stop());

  const sends = () => gateway.simulator.requests.filter(({ url }) => url === "/messages").length;

  it.each(["no_answer", "reset_before_headers", "reset_after_headers"] as const)(
    "that was written and got no whole answer (%s) is 504 outcome_unknown and not sent again",
    async (kind) => {
      gateway.simulator.failNext({ kind, times: 1 });
      const answer = await tenant.call("POST", "/messages", { body });
      expect([answer.status, answer.json.code]).toEqual([504, "outcome_unknown"]);
      expect(answer.json.message_id).toBe(answer.headers["gateway-message-id"]);
      expect(answer.json.error).toMatchObject({ type: "OAuthException" });
      expect(sends()).toBe(1);
    },
  );

  it("whose upstream refuses connections is 502 upstream_unreachable, and its key is free again", async () => {
    const dir = await mkdtemp(join(tmpdir(), "wg-state-"));
    // As what it was before when it comes back.
    const options = { port: await freePort(), stateFile: join(dir, "state.json") };
    const away = await startTestGateway({ simulator: options });
    const lone = await buildTenant(away);
    const headers = { "idempotency-key": "the-key" };
    await away.simulator.close();
    const answer = await lone.call("POST", "/messages", { headers, body });
    expect([answer.status, answer.json.code]).toEqual([502, "upstream_unreachable"]);

    const back = await startSimulator(options);
    const again = await lone.call("POST", "/messages", { headers, body });
    expect([again.status, again.headers["idempotent-replayed"]]).toEqual([200, undefined]);
    await back.close();
    await away.stop();
    await rm(dir, { recursive: true });
  });

  it("that 360dialog refuses comes back with its status and body as they were", async () => {
    const refusal = {
      error: { message: "(#131030) no", type: "OAuthException", code: 131030, fbtrace_id: "A" },
    };
    gateway.simulator.failNext({
      kind: "answer",
      status: 429,
      headers: { "retry-after": "7", "x-fb-debug": "x", "content-type": "application/json" },
      body: refusal,
      times: 1,
    });
    const answer = await tenant.call("POST", "/messages", { body });
    expect(answer.status).toBe(429);
    expect(answer.json).toEqual(refusal);
    expect(answer.headers["retry-after"]).toBe("7");
    expect(answer.headers["x-fb-debug"]).toBeUndefined();
    expect(answer.headers["x-request-id"]).toBeTruthy();
  });

  it("that meets a key which is being changed waits for the new one", async () => {
    const own = await buildTenant(gateway, { name: "In the middle of a rotation" });
    const newKey = gateway.simulator.rotateKey(own.phoneNumberId);
    const asked = sends();
    const waiting = own.call("POST", "/messages", { body });
    await expect.poll(sends).toBe(asked + 1);
    const path = `/partner/v1/numbers/${own.numberId}/api-key`;
    expect((await gateway.partner("POST", path, { api_key: newKey })).status).toBe(200);
    expect((await waiting).status).toBe(200);
    expect(sends()).toBe(asked + 2);
  });

  it("with a key that 360dialog no longer takes is 502 api_key_rejected, and later ones do not ask it", async () => {
    const own = await buildTenant(gateway, { name: "Rotated behind our back" });
    const newKey = gateway.simulator.rotateKey(own.phoneNumberId);
    const first = await own.call("POST", "/messages", { body });
    expect([first.status, first.json.code]).toEqual([502, "api_key_rejected"]);
    const asked = sends();
    const number = await gateway.partner("GET", `/partner/v1/numbers/${own.numberId}`);
    expect(number.json.state).toBe("key_rejected");
    await expect
      .poll(
        async () => {
          const before = sends();
          const { json } = await own.call("POST", "/messages", { body });
          return [json.code, sends() - before];
        },
        { timeout: 5000 },
      )
      .toEqual(["api_key_rejected", 0]);
    expect(sends() - asked).toBeLessThan(5);

    const path = `/partner/v1/numbers/${own.numberId}/api-key`;
    const healed = await gateway.partner("POST", path, { api_key: newKey });
    expect([healed.status, healed.json.state]).toEqual([200, "running"]);
    expect((await own.call("POST", "/messages", { body })).status).toBe(200);
  });
});
