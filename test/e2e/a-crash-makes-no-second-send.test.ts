import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Answer, call } from "../support/call.ts";
import { buildTenant, type TestTenant, textMessage } from "../support/gateway.ts";
import { type GatewaysTogether, startGatewaysTogether } from "../support/gateways-together.ts";

const TIMEOUT_SECONDS = 2;
/** Contract section 4: running is a lease of D360_TIMEOUT + 10 s. */
const LEASE_SECONDS = TIMEOUT_SECONDS + 10;

describe("a crash between 360dialog's answer and our write", () => {
  let both: GatewaysTogether;
  let tenant: TestTenant;

  beforeAll(async () => {
    both = await startGatewaysTogether(2, { env: { D360_TIMEOUT: `${TIMEOUT_SECONDS}s` } });
    tenant = await buildTenant(both);
    both.simulator.clearRequests();
  });
  afterAll(() => both.stop());

  const sentUpstream = (): number => both.simulator.requests.length;

  function send(at: 0 | 1): Promise<Answer> {
    return call(both.gateways[at]?.url ?? "", "POST", "/messages", {
      token: tenant.token,
      headers: { "idempotency-key": "the-key" },
      body: textMessage("15550001111", "once"),
    });
  }

  it("leaves the key in progress until its lease ends, and then unknown for good", async () => {
    both.simulator.failNext({ kind: "delay", delayMs: 60_000, afterHandling: true });
    const cut = send(1).catch((error: unknown) => error);
    await expect.poll(sentUpstream).toBe(1);
    const sentMs = Date.now();
    await both.gateways[1]?.kill("SIGKILL");
    expect(await cut).toBeInstanceOf(Error);

    const meanwhile = await send(0);
    expect([meanwhile.status, meanwhile.json.code]).toEqual([409, "idempotency_in_progress"]);
    await expect
      .poll(async () => (await send(0)).status, {
        timeout: (LEASE_SECONDS + 5) * 1000,
        interval: 500,
      })
      .not.toBe(409);
    expect(Date.now() - sentMs).toBeGreaterThan((LEASE_SECONDS - 1) * 1000);

    const { message_id: firstId } = await both.database.db
      .selectFrom("idempotency_key")
      .select("message_id")
      .executeTakeFirstOrThrow();
    for (const again of [await send(0), await send(0)]) {
      expect([again.status, again.json.code]).toEqual([504, "outcome_unknown"]);
      expect(again.json.message_id).toBe(firstId);
      expect(again.headers["idempotent-replayed"]).toBe("true");
    }
    expect(sentUpstream()).toBe(1);
  });
});
