import { createHmac } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Simulator, startSimulator } from "../../../src/simulator/simulator.ts";
import { eventually } from "./eventually.ts";
import { hubOf } from "./hub-call.ts";
import { startReceiver } from "./receiver.ts";

let simulator: Simulator;
let hub: ReturnType<typeof hubOf>;

beforeAll(async () => {
  simulator = await startSimulator({ statuses: [] });
  hub = hubOf(simulator.url);
});

afterAll(async () => {
  await simulator.close();
});

describe("partner events", () => {
  it("tell each change once, signed over their bytes, in the order of the changes", async () => {
    const receiver = await startReceiver();
    expect((await hub("POST", "/webhook_url", { webhook_url: "http://example.com" })).status).toBe(
      400,
    );
    expect((await hub("POST", "/webhook_url", {})).status).toBe(400);
    await hub("POST", "/webhook_url", { webhook_url: receiver.url });
    expect((await hub("GET", "/webhook_url")).json).toEqual({ webhook_url: receiver.url });

    const client = simulator.createClient();
    const { id } = simulator.createChannel(client.id);
    simulator.changeChannel(id, { status: "ready" });
    simulator.changeChannel(id, { status: "ready", quality: "Low" });
    simulator.changeChannel(id, { running: true, permission: "shared" });
    simulator.changeChannel(id, { live: true }, { quiet: true });
    simulator.changeChannel(id, { permission: "missing" });
    await hub("POST", `/clients/${client.id}/channels/${id}/control/cancellation_request`, {
      enabled: true,
    });
    const restriction = { event: "account_restriction", channelId: id, id: "ChosenEV" };
    simulator.postPartnerEvent({ ...restriction, data: { violation_type: "SPAM" } });

    await eventually(() => expect(receiver.received).toHaveLength(8));
    const events = receiver.received.map(({ text }) => JSON.parse(text) as Record<string, unknown>);
    expect(events.map(({ event }) => event)).toEqual([
      "client_created",
      "channel_created",
      "channel_ready",
      "channel_running",
      "channel_permission_granted",
      "channel_permission_revoked",
      "cancellation_request",
      "account_restriction",
    ]);
    expect(events.at(-1)).toMatchObject({
      id: "ChosenEV",
      data: { id, client_id: client.id, violation_type: "SPAM" },
    });
    expect(new Set(events.map((event) => event["id"])).size).toBe(8);
    for (const { headers, text } of receiver.received) {
      const signature = createHmac("sha256", simulator.partner.platformSecret)
        .update(text)
        .digest("hex");
      expect(headers["x-360dialog-signature"]).toBe(signature);
    }

    receiver.received.splice(0);
    simulator.replayPartnerEvents({ order: "reversed" });
    await eventually(() => expect(receiver.received).toHaveLength(8));
    expect(receiver.received.map(({ text }) => JSON.parse(text) as unknown)).toEqual(
      events.toReversed(),
    );
    await receiver.close();
  });
});
