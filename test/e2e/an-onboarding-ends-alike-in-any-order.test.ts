import * as fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { ChannelChange } from "../../src/simulator/partner-api/channel.ts";
import { eventually } from "../support/eventually.ts";
import {
  buildTenant,
  startTestGateway,
  type TestGateway,
  type TestTenant,
} from "../support/gateway.ts";
import { customerOf, returnTo } from "../support/onboard.ts";

const EVENTS = [
  "channel_created",
  "channel_ready",
  "channel_running",
  "channel_live",
  "channel_permission_granted",
  "channel_permission_revoked",
  "cancellation_request",
  "cancellation_processed",
  "never_heard_of",
];

/** What 360dialog has in the end. */
const truths = fc.record({
  status: fc.constantFrom("created" as const, "verified" as const, "ready" as const),
  running: fc.boolean(),
  permission: fc.constantFrom("shared" as const, "shared" as const, "missing" as const),
  live: fc.boolean(),
  terminated: fc.integer({ min: 0, max: 7 }).map((one) => one === 0),
  fbAccountStatus: fc.constantFrom("verified", "verified", "verified", "rejected"),
});

/** What is heard: events that may be of long ago, hands, and the customer who comes back, or again. */
const stale = fc.record({
  status: fc.constantFrom("created", "ready", "error"),
  integration: fc.record({ state: fc.constantFrom("running", "pending") }),
  terminated_at: fc.constantFrom(null, "2025-01-01T00:00:00Z"),
  billing_started_at: fc.constantFrom(null, "2025-01-01T00:00:00Z"),
});
const steps = fc.array(
  fc.oneof(
    { weight: 4, arbitrary: fc.record({ event: fc.constantFrom(...EVENTS), data: stale }) },
    { weight: 1, arbitrary: fc.constant("retry" as const) },
    { weight: 1, arbitrary: fc.constant("return" as const) },
  ),
  { maxLength: 8 },
);

function expectedStage(truth: ChannelChange): string {
  if (truth.terminated === true) {
    return "cancelled";
  }
  if (truth.fbAccountStatus === "rejected") {
    return "restricted";
  }
  if (truth.running !== true) {
    return truth.status === "ready" ? "ready" : "created";
  }
  if (truth.permission === "missing") {
    return "permission_missing";
  }
  return truth.live === true ? "live" : "running";
}

describe("an onboarding", () => {
  let gateway: TestGateway;
  let tenant: TestTenant;
  let customer: ReturnType<typeof customerOf>;

  beforeAll(async () => {
    gateway = await startTestGateway();
    tenant = await buildTenant(gateway);
    await gateway.partner("POST", "/partner/v1/hub/webhook");
    customer = customerOf(gateway.url);
  });
  afterAll(() => gateway.stop());

  async function comeBack(clientId: string, channelId: string): Promise<void> {
    const link = await tenant.call("POST", "/tenant/v1/onboarding-links");
    const page = await customer.open(link.json.url);
    const state = page.searchParams.get("state") ?? "";
    gateway.simulator.postPartnerEvent({ event: "channel_created", channelId });
    const query = { state, client: clientId, channels: [channelId] };
    expect((await customer.comeBack(returnTo(query))).code).toBe("accepted");
  }

  async function waitUntilQuiet(channelId: string): Promise<void> {
    await eventually(async () => {
      const waiting = await gateway.database.db
        .selectFrom("partner_event")
        .select("event")
        .where("applied_at", "is", null)
        .execute();
      const due = await gateway.database.db
        .selectFrom("onboarding_channel")
        .select("channel_id")
        .where("channel_id", "=", channelId)
        .where("next_try_at", "<=", new Date())
        .execute();
      return waiting.length === 0 && due.length === 0;
    });
  }

  it("ends in the stage that 360dialog has, in whatever order and however often it hears", async () => {
    const { simulator } = gateway;
    await fc.assert(
      fc.asyncProperty(truths, steps, steps, async (truth, before, after) => {
        const client = simulator.createClient({}, { quiet: true });
        const { id } = simulator.createChannel(client.id, {}, { quiet: true });
        const play = async (played: typeof before): Promise<void> => {
          for (const step of played) {
            if (step === "return") {
              await comeBack(client.id, id);
            } else if (step === "retry") {
              await gateway.partner("POST", `/partner/v1/onboardings/${id}/retry`);
            } else {
              simulator.postPartnerEvent({ ...step, channelId: id });
            }
          }
        };
        await play(before);
        simulator.changeChannel(id, truth, { quiet: true });
        await comeBack(client.id, id);
        await play(after);
        await eventually(async () => {
          const { json } = await gateway.partner("GET", `/partner/v1/onboardings/${id}`);
          expect(json.stage).toBe(expectedStage(truth));
          return true;
        });
        await waitUntilQuiet(id);
        const { json } = await gateway.partner("GET", `/partner/v1/onboardings/${id}`);
        expect(json).toMatchObject({ stage: expectedStage(truth), failure: null });
        const connected = ["running", "live"].includes(json.stage);
        expect(json.number_id !== null).toBe(connected);
        expect(simulator.getChannel(id).keys).toHaveLength(connected ? 1 : 0);
      }),
      { numRuns: 12 },
    );
  });
});
