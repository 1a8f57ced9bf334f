import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import type { Answer } from "../support/call.ts";
import { eventually } from "../support/eventually.ts";
import {
  buildTenant,
  startTestGateway,
  type TestGateway,
  type TestTenant,
  textMessage,
} from "../support/gateway.ts";
import { type Receiver, startReceiver } from "../support/receiver.ts";

let gateway: TestGateway;
let tenant: TestTenant;
let receiver: Receiver;
let made = 0;

beforeAll(async () => {
  // Nothing is told but what a test tells.
  gateway = await startTestGateway({ simulator: { statuses: [] } });
  tenant = await buildTenant(gateway);
  receiver = await startReceiver();
  await tenant.call("POST", "/tenant/v1/webhook-endpoints", { body: { url: receiver.url } });
});
afterEach(() => {
  gateway.simulator.clearFaults();
  gateway.simulator.clearRequests();
});
afterAll(async () => {
  await gateway.stop();
  await receiver.close();
});

const newUser = (): string => `1555${String(++made).padStart(7, "0")}`;
const newWamid = (): string => `wamid.OF+/${++made}==`;

function send(to: string, more: object = {}): Promise<Answer> {
  return tenant.call("POST", "/messages", { body: { ...textMessage(to, "x"), ...more } });
}

/** 360dialog takes it, and its answer is lost: all that is known is our id. */
async function lose(to: string, callbackData?: string): Promise<string> {
  gateway.simulator.failNext({ kind: "reset_before_headers", afterHandling: true });
  const answer = await send(to, {
    ...(callbackData !== undefined && { biz_opaque_callback_data: callbackData }),
  });
  expect([answer.status, answer.json.code]).toEqual([504, "outcome_unknown"]);
  expect(answer.json.message_id).toBe(answer.headers["gateway-message-id"]);
  return answer.json.message_id as string;
}

type Told = {
  to: string;
  wamid: string;
  status?: "sent" | "delivered" | "read";
  callbackData?: string;
};

function tell({ to, wamid, status = "sent", callbackData }: Told): void {
  gateway.simulator.reportStatus({
    phoneNumberId: tenant.phoneNumberId,
    messageId: wamid,
    status,
    to,
    ...(callbackData !== undefined && { bizOpaqueCallbackData: callbackData }),
  });
}

function find(id: string): Promise<Answer> {
  return tenant.call("GET", `/tenant/v1/messages/${encodeURIComponent(id)}`);
}

/** As soon as it is written, which is a moment after its answer. */
async function stateOf(id: string): Promise<string> {
  return eventually(async () => {
    const { status, json } = await find(id);
    return status === 200 && (json.state as string);
  });
}

async function expectAccepted(id: string, wamid: string): Promise<void> {
  await eventually(
    async () => {
      const { json } = await find(id);
      expect(json).toMatchObject({ state: "accepted", wamid });
      return true;
    },
    { withinMs: 20_000 },
  );
}

/** When this is over, whatever was told before has been weighed. */
async function everythingIsWeighed(): Promise<void> {
  const told = { to: newUser(), wamid: newWamid() };
  const id = await lose(told.to);
  tell(told);
  await expectAccepted(id, told.wamid);
}

describe("a send whose answer was lost", () => {
  it("is unknown, until a status tells that it was sent, and by which wamid", async () => {
    const [to, wamid] = [newUser(), newWamid()];
    const id = await lose(to);
    expect(await stateOf(id)).toBe("unknown");
    expect((await find(id)).json).toMatchObject({
      id,
      wamid: null,
      recipient: to,
      status: null,
      answer: null,
      resolved_at: null,
      statuses: [],
      deliveries: [],
    });

    tell({ to, wamid, status: "sent" });
    await expectAccepted(id, wamid);
    tell({ to, wamid, status: "delivered" });
    const { json } = await eventually(async () => {
      const found = await find(id);
      const { statuses, deliveries } = found.json as Record<string, unknown[]>;
      const all = statuses?.length === 2 && deliveries?.length === 2;
      const arrived = JSON.stringify(deliveries).match(/"delivered"/g)?.length === 2;
      return all && arrived && found;
    });
    expect(json).toMatchObject({ id, wamid, state: "accepted", status: "delivered", answer: null });
    expect(Date.parse(json.resolved_at)).toBeGreaterThan(Date.parse(json.sent_at));
    const statuses = json.statuses as { status: string; event_id: string; recipient: string }[];
    expect(statuses.map(({ status, recipient }) => `${status} ${recipient}`).toSorted()).toEqual([
      `delivered ${to}`,
      `sent ${to}`,
    ]);
    const ofEvents = (json.deliveries as { event_id: string }[]).map(({ event_id }) => event_id);
    expect(ofEvents.toSorted()).toEqual(statuses.map(({ event_id }) => event_id).toSorted());
    expect((await find(wamid)).json).toEqual(json);
    // It was written upstream once, whatever became of it.
    const sent = gateway.simulator.requests.filter(({ body }) => body.includes(to));
    expect(sent.length).toBe(1);
  });

  it("is known by its callback data, and by no other", async () => {
    const [to, wamid] = [newUser(), newWamid()];
    const [first, second] = [await lose(to, "order-1"), await lose(to, "order-2")];
    tell({ to, wamid, callbackData: "order-1" });
    await expectAccepted(first, wamid);
    expect(await stateOf(second)).toBe("unknown");
  });
});

describe("a send whose answer was lost stays unknown", () => {
  const lost: Record<string, string[]> = {};

  /** What was lost, and what is told that must tell nothing of it. */
  const cases: Record<string, () => Promise<string[]>> = {
    "when there is another one to the same user, and so does that": async () => {
      const [to, wamid] = [newUser(), newWamid()];
      const ids = [await lose(to), await lose(to)];
      tell({ to, wamid });
      return ids;
    },
    "when two wamids may be its own": async () => {
      const to = newUser();
      const id = await lose(to);
      tell({ to, wamid: newWamid() });
      tell({ to, wamid: newWamid() });
      return [id];
    },
    "when it had no callback data and the status has": async () => {
      const to = newUser();
      const id = await lose(to);
      tell({ to, wamid: newWamid(), callbackData: "order-4" });
      return [id];
    },
    "when it had callback data and the status has others, or none": async () => {
      const to = newUser();
      const ids = [await lose(to, "order-5")];
      tell({ to, wamid: newWamid(), callbackData: "order-6" });
      tell({ to, wamid: newWamid() });
      return ids;
    },
    "when the wamid is one that we returned": async () => {
      const to = newUser();
      const answered = await send(to);
      const id = await lose(to);
      tell({ to, wamid: answered.json.messages[0].id as string });
      return [id];
    },
    "when the status is another user's": async () => {
      const id = await lose(newUser());
      tell({ to: newUser(), wamid: newWamid() });
      return [id];
    },
    "when the status is another number's": async () => {
      const { phoneNumberId } = await buildTenant(gateway, { name: "Other" });
      const to = newUser();
      const id = await lose(to);
      gateway.simulator.reportStatus({ phoneNumberId, messageId: newWamid(), status: "sent", to });
      return [id];
    },
  };

  beforeAll(async () => {
    for (const [name, prepare] of Object.entries(cases)) {
      lost[name] = await prepare();
    }
    await everythingIsWeighed();
  });

  it.each(Object.keys(cases))("%s", async (name) => {
    for (const id of lost[name] ?? []) {
      expect(await stateOf(id)).toBe("unknown");
    }
  });
});

describe("a send that was answered", () => {
  it("shows request, answer and statuses, which never go backwards", async () => {
    const to = newUser();
    const answer = await send(to, { biz_opaque_callback_data: "mine" });
    const id = answer.headers["gateway-message-id"] as string;
    const wamid = answer.json.messages[0].id as string;
    await stateOf(id);
    expect((await find(id)).json).toMatchObject({
      id,
      wamid,
      state: "accepted",
      status: null,
      operation: "sendMessage",
      type: "text",
      recipient: to,
      phone_number_id: tenant.phoneNumberId,
      biz_opaque_callback_data: "mine",
      request: { body: { to, text: { body: "x" }, biz_opaque_callback_data: "mine" } },
      answer: { status: 200, body: answer.json },
    });

    const reversed = ["read", "delivered", "sent"] as const;
    for (const [index, status] of reversed.entries()) {
      tell({ to, wamid, status });
      const { json } = await eventually(async () => {
        const found = await find(id);
        return found.json.statuses.length === index + 1 && found;
      });
      expect(json.status).toBe("read");
      const told = (json.statuses as { status: string }[]).map((one) => one.status);
      expect(new Set(told)).toEqual(new Set(reversed.slice(0, index + 1)));
    }
    tell({ to, wamid, status: "delivered" });
    await everythingIsWeighed();
    const found = await find(id);
    expect([found.json.status, found.json.statuses.length]).toEqual(["read", 3]);
    expect((await find(wamid)).json).toEqual(found.json);
    const listed = await tenant.call("GET", `/tenant/v1/messages?recipient=${to}`);
    expect(listed.json.data).toMatchObject([{ id, wamid, status: "read" }]);
  });

  it("with an error shows it, and is refused", async () => {
    const body = { error: { message: "(#131030) no", type: "OAuthException", code: 131030 } };
    gateway.simulator.failNext({ kind: "answer", status: 400, body });
    const answer = await send(newUser());
    const id = answer.headers["gateway-message-id"] as string;
    expect(await stateOf(id)).toBe("refused");
    expect((await find(id)).json).toMatchObject({ wamid: null, answer: { status: 400, body } });
  });
});

describe("what is no send", () => {
  it("is not in the log: read receipts, typing, and what we refused", async () => {
    const own = await buildTenant(gateway, { name: "Quiet" });
    const read = { messaging_product: "whatsapp", status: "read", message_id: newWamid() };
    for (const body of [read, { ...read, typing_indicator: { type: "text" } }]) {
      const answer = await own.call("POST", "/messages", { body });
      expect(answer.status).toBe(200);
      expect(answer.headers["gateway-message-id"]).toBeUndefined();
    }
    const path = "/messages?dry_run=true";
    await own.call("POST", path, { body: textMessage(newUser(), "dry") });
    const own429 = textMessage(newUser(), "x");
    const answers = await Promise.all(
      Array.from({ length: 46 }, () => own.call("POST", "/messages", { body: own429 })),
    );
    expect(answers.filter(({ status }) => status === 429).length).toBe(1);
    // They are written in order, so that the last one is there after all before it.
    const last = await own.call("POST", "/messages", { body: textMessage(newUser(), "last") });
    const id = last.headers["gateway-message-id"] as string;
    await eventually(async () => {
      const { status } = await own.call("GET", `/tenant/v1/messages/${id}`);
      return status === 200;
    });
    // A list shows nothing that an older transaction, here maybe another test's, may still come before.
    const types = await eventually(async () => {
      const { json } = await own.call("GET", "/tenant/v1/messages?limit=100");
      const listed = json.data as { id: string; type: string }[];
      return listed.at(-1)?.id === id && listed.map(({ type }) => type);
    });
    expect(types).toEqual(Array(46).fill("text"));
  });
});
