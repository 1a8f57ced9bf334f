import { setTimeout as delay } from "node:timers/promises";
import type { RecordedRequest, Simulator } from "../../src/simulator/simulator.ts";
import { createCaller, fetchToken } from "./call.ts";
import type { Delivery, Receiver } from "./receiver.ts";
import type { DemoTenant } from "./tenant.ts";
import { startTimeline } from "./timeline.ts";

export const USER = "15550100002";
const DELIVERIES_WAIT_MS = 5000;
const POLL_MS = 20;

/** What the gateway is for, once from end to end; throws at the first step that is not as it should be. */
export async function showMainJob(options: {
  url: string;
  simulator: Simulator;
  tenant: DemoTenant;
  receiver: Receiver;
}): Promise<void> {
  const { url, simulator, tenant, receiver } = options;
  const { phoneNumberId } = tenant;
  const timeline = startTimeline();

  const { access_token: token, expires_in } = await fetchToken(url, tenant.client);
  timeline.say("tenant", `gets a token for its client, good for ${expires_in / 60} minutes`);
  const caller = createCaller(url, token);

  const text = "Your order is on its way";
  timeline.say("tenant", `sends the text "${text}" to +${USER}`);
  const sent = await caller.send<{ messages: { id: string }[] }>(
    "POST",
    `/v23.0/${phoneNumberId}/messages`,
    { messaging_product: "whatsapp", to: USER, type: "text", text: { body: text } },
  );
  const acceptedMs = performance.now();
  const { request, apiKey } = findSend(simulator, { phoneNumberId, text, token });
  timeline.say(
    "360dialog",
    `receives it with the number's own API key …${apiKey.slice(-4)}, and no trace of the token`,
    request.receivedAt.getTime() - performance.timeOrigin,
  );
  const wamid = sent.messages[0]?.id ?? "";
  timeline.say("tenant", `has the answer: accepted as ${shorten(wamid)}`, acceptedMs);

  for (const status of ["sent", "delivered", "read"]) {
    const delivery = await receiver.waitFor(status, wamid);
    timeline.say("endpoint", describeDelivery(delivery), delivery.atMs);
  }

  const reply = "Thank you!";
  timeline.say("user", `replies "${reply}"`);
  const inbound = { phoneNumberId, from: USER, text: reply, profileName: "Ada" };
  const { messageId } = simulator.receiveMessage(inbound);
  const delivery = await receiver.waitFor("reply", messageId);
  timeline.say("endpoint", describeDelivery(delivery), delivery.atMs);

  await waitForDeliveries(4, async () => {
    const path = `/tenant/v1/deliveries?endpoint_id=${tenant.endpointId}&state=delivered`;
    return (await caller.get<{ data: unknown[] }>(path)).data.length;
  });
  timeline.say("gateway", "lists 4 deliveries, each of them delivered");
}

export function describeDelivery({ kind, text }: Delivery): string {
  const what = text === undefined ? `the status "${kind}"` : `the user's message "${text}"`;
  return `receives ${what}, signature verified`;
}

/** The call that reached the simulator; throws when the tenant's token left a trace in it. */
function findSend(
  simulator: Simulator,
  wanted: { phoneNumberId: string; text: string; token: string },
): { request: RecordedRequest; apiKey: string } {
  const { apiKey } = simulator.getNumber(wanted.phoneNumberId);
  const request = simulator.requests.findLast(
    ({ url, body }) => url === "/messages" && body.includes(wanted.text),
  );
  if (request === undefined) {
    throw new Error("the simulated 360dialog has not received the message");
  }
  if (request.headers["d360-api-key"] !== apiKey) {
    throw new Error("the message reached 360dialog without the number's API key");
  }
  const everything = [request.url, ...request.rawHeaders, request.body.toString("utf8")].join("\n");
  if (everything.includes(wanted.token)) {
    throw new Error("the tenant's token went on to 360dialog");
  }
  return { request, apiKey };
}

async function waitForDeliveries(wanted: number, count: () => Promise<number>): Promise<void> {
  const endMs = performance.now() + DELIVERIES_WAIT_MS;
  for (;;) {
    const found = await count();
    if (found >= wanted) {
      return;
    }
    if (performance.now() > endMs) {
      throw new Error(`the gateway counts ${found} of ${wanted} deliveries as delivered`);
    }
    await delay(POLL_MS);
  }
}

function shorten(wamid: string): string {
  return wamid.length > 20 ? `${wamid.slice(0, 14)}…${wamid.slice(-4)}` : wamid;
}
