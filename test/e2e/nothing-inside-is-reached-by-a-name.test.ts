import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Answer } from "../support/call.ts";
import { eventually } from "../support/eventually.ts";
import {
  buildTenant,
  startTestGateway,
  type TestGateway,
  type TestTenant,
} from "../support/gateway.ts";

const PATH = "/tenant/v1/webhook-endpoints";
const REFUSED = "The host name resolves to an address that is not public.";

/** A name that was public when it was saved leads inside from then on, whatever is asked of it. */
describe("a name that has moved inside", () => {
  let gateway: TestGateway;
  let tenant: TestTenant;
  let address = "93.184.215.14";
  let id: string;

  beforeAll(async () => {
    gateway = await startTestGateway({
      resolver: {
        resolve4: () => Promise.resolve([address]),
        resolve6: () => Promise.resolve([]),
      },
      env: { HOLD_AFTER: "2", PROBE_EVERY: "100ms", ALLOW_PRIVATE_ENDPOINTS: "" },
      simulator: { statuses: [] },
    });
    tenant = await buildTenant(gateway);
    const made = await tenant.call("POST", PATH, { body: { url: "https://hooks.acme.com/x" } });
    expect(made.status).toBe(201);
    id = made.json.id as string;
    address = "127.0.0.1";
  });
  afterAll(() => gateway.stop());

  const act = (action: string): Promise<Answer> => tenant.call("POST", `${PATH}/${id}/${action}`);

  it("is refused to a test ping and to a fitness test", async () => {
    expect((await act("test")).json).toMatchObject({ delivered: false, reason: REFUSED });
    expect((await act("fitness")).json).toEqual({
      grade: "fail",
      checks: [{ code: "reached", result: "fail", detail: REFUSED }],
    });
  });

  it("is refused to a proof", async () => {
    const answer = await tenant.call("PATCH", `${PATH}/${id}`, { body: { verify_token: "x" } });
    expect([answer.status, answer.json.errors]).toEqual([
      422,
      [
        {
          code: "url_proof_failed",
          pointer: "/url",
          detail: `The URL was not proved: ${REFUSED}`,
        },
      ],
    ]);
  });

  it("is refused to deliveries, and to probes once it is held", async () => {
    gateway.simulator.receiveMessage({
      phoneNumberId: tenant.phoneNumberId,
      from: "1555",
      text: "x",
    });
    const attempts = await eventually(async () => {
      const { json: list } = await tenant.call("GET", "/tenant/v1/deliveries");
      if (list.data.length === 0) {
        return false;
      }
      const { json } = await tenant.call("GET", `/tenant/v1/deliveries/${list.data[0].id}`);
      const reasons = (json.attempts as { reason: string }[]).map(({ reason }) => reason);
      return reasons.some((reason) => reason.includes("probe")) && reasons;
    });
    expect(attempts.length).toBeGreaterThanOrEqual(3);
    expect(attempts.filter((reason) => !reason.endsWith(REFUSED))).toEqual([]);
  });
});
