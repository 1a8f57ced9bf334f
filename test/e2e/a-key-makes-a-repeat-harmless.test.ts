import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { type Answer, call } from "../support/call.ts";
import { addNumber, buildTenant, type TestTenant, textMessage } from "../support/gateway.ts";
import { type GatewaysTogether, startGatewaysTogether } from "../support/gateways-together.ts";

let both: GatewaysTogether;
let tenant: TestTenant;
let made = 0;

beforeAll(async () => {
  both = await startGatewaysTogether(2);
  tenant = await buildTenant(both);
});
afterEach(() => {
  both.simulator.clearFaults();
  both.simulator.clearRequests();
});
afterAll(() => both.stop());

const newKey = (): string => `key-${++made}`;
/** To somebody new, so that no limit is anybody else's. */
const newMessage = (): object => textMessage(`1555${String(++made).padStart(7, "0")}`, "once");
const sentUpstream = (): number =>
  both.simulator.requests.filter(({ url }) => url.includes("messages")).length;

type Send = {
  key?: string | string[];
  body: object | string;
  path?: string;
  /** Through which of the two. */
  at?: 0 | 1;
  token?: string;
};

function send({ key, body, path = "/messages", at = 0, token = tenant.token }: Send) {
  return call(both.gateways[at]?.url ?? "", "POST", path, {
    token,
    headers: {
      "content-type": "application/json",
      ...(key !== undefined && { "idempotency-key": key }),
    },
    body: typeof body === "string" ? body : JSON.stringify(body),
  });
}

function isReplay({ headers }: Answer): boolean {
  return headers["idempotent-replayed"] !== undefined;
}

function expectReplayOf(first: Answer, again: Answer): void {
  expect([again.status, again.body.toString()]).toEqual([first.status, first.body.toString()]);
  expect(again.headers["gateway-message-id"]).toBe(first.headers["gateway-message-id"]);
  expect(again.headers["content-type"]).toBe(first.headers["content-type"]);
  expect([first, again].map(({ headers }) => headers["idempotent-replayed"])).toEqual([
    undefined,
    "true",
  ]);
}

describe("an Idempotency-Key", () => {
  it("makes 50 repeats at once, over two processes, one message", async () => {
    const [key, body] = [newKey(), newMessage()];
    both.simulator.failNext({ kind: "delay", delayMs: 300 });
    const answers = await Promise.all(
      Array.from({ length: 50 }, (_, index) => send({ key, body, at: index % 2 === 0 ? 0 : 1 })),
    );
    expect(sentUpstream()).toBe(1);
    const sent = answers.filter(({ status }) => status === 200);
    const firsts = sent.filter((answer) => !isReplay(answer));
    expect(firsts.length).toBe(1);
    const [first] = firsts as [Answer];
    for (const answer of answers) {
      if (answer.status === 200) {
        expect(answer.body.toString()).toBe(first.body.toString());
      } else {
        expect([answer.status, answer.json.code]).toEqual([409, "idempotency_in_progress"]);
      }
      expect(answer.headers["gateway-message-id"]).toBe(first.headers["gateway-message-id"]);
    }
    expect(answers.some(({ status }) => status === 409)).toBe(true);

    for (const at of [0, 1] as const) {
      expectReplayOf(first, await send({ key, body, at }));
    }
    expect(sentUpstream()).toBe(1);
  });

  it("goes with one body and one query, byte for byte", async () => {
    const key = newKey();
    const body = JSON.stringify(newMessage());
    const path = "/messages?a=1";
    const first = await send({ key, body, path });
    const others: Partial<Send>[] = [
      { body: `${body} ` },
      { body: "" },
      { path: "/messages" },
      { path: "/messages?a=2" },
      { path: "/messages?a=1&" },
    ];
    for (const other of others) {
      const { status, json, headers } = await send({ key, body, path, at: 1, ...other });
      expect(headers["gateway-message-id"]).toBe(first.headers["gateway-message-id"]);
      expect([status, json.code], JSON.stringify(other)).toEqual([422, "idempotency_key_reused"]);
    }
    expectReplayOf(first, await send({ key, body, path, at: 1 }));
    expect(sentUpstream()).toBe(1);
  });

  it("is the same bare and quoted, and in every form of path", async () => {
    const [key, body] = [newKey(), newMessage()];
    const first = await send({ key, body });
    expectReplayOf(first, await send({ key: `"${key}"`, body }));
    const path = `/v23.0/${tenant.phoneNumberId}/messages`;
    expectReplayOf(first, await send({ key, body, path }));
    expectReplayOf(
      first,
      await send({ key, body, path: `/messages?phone_number_id=${tenant.phoneNumberId}` }),
    );
    expect(sentUpstream()).toBe(1);
  });

  it("is another one for another number, operation and tenant", async () => {
    const owner = await buildTenant(both, { name: "Two numbers" });
    const second = await addNumber(both, owner.id);
    const [key, body, { token }] = [newKey(), newMessage(), owner];
    const places = [
      { path: `/${owner.phoneNumberId}/messages`, token },
      { path: `/${second.phoneNumberId}/messages`, token },
      { path: `/${owner.phoneNumberId}/marketing_messages`, token },
      { path: "/messages", token: tenant.token },
    ];
    both.simulator.clearRequests();
    const ids = new Set<unknown>();
    for (const place of places) {
      const answer = await send({ key, body, ...place });
      expect(isReplay(answer)).toBe(false);
      ids.add(answer.headers["gateway-message-id"]);
    }
    expect([sentUpstream(), ids.size]).toEqual([4, 4]);
    for (const place of places) {
      expect(isReplay(await send({ key, body, at: 1, ...place }))).toBe(true);
    }
    expect(sentUpstream()).toBe(4);
  });

  it.each([400, 403, 404, 409, 422])("keeps upstream's %i", async (status) => {
    const [key, body] = [newKey(), newMessage()];
    const refusal = { error: { message: "(#131009) no", type: "OAuthException", code: 131009 } };
    both.simulator.failNext({ kind: "answer", status, body: refusal });
    const first = await send({ key, body });
    expect([first.status, first.json]).toEqual([status, refusal]);
    expectReplayOf(first, await send({ key, body, at: 1 }));
    expect(sentUpstream()).toBe(1);
  });

  it("keeps an outcome that nobody knows", async () => {
    const [key, body] = [newKey(), newMessage()];
    both.simulator.failNext({ kind: "reset_before_headers", afterHandling: true });
    const first = await send({ key, body });
    expect([first.status, first.json.code]).toEqual([504, "outcome_unknown"]);
    expect(first.json.message_id).toMatch(/^msg_/);
    for (const at of [0, 1] as const) {
      const again = await send({ key, body, at });
      expect([again.status, again.json.code, again.json.message_id]).toEqual([
        504,
        "outcome_unknown",
        first.json.message_id,
      ]);
      expect(again.headers["gateway-message-id"]).toBe(first.json.message_id);
      expect(again.headers["idempotent-replayed"]).toBe("true");
    }
    expect(sentUpstream()).toBe(1);
  });

  it.each([429, 500, 503])("does not keep upstream's %i", async (status) => {
    const own = await buildTenant(both, { name: `Of ${status}` });
    const [key, body, { token }] = [newKey(), newMessage(), own];
    both.simulator.clearRequests();
    both.simulator.failNext({ kind: "answer", status, body: {} });
    expect((await send({ key, body, token })).status).toBe(status);
    const again = await send({ key, body, token, at: 1 });
    expect([again.status, isReplay(again)]).toEqual([200, false]);
    expect(sentUpstream()).toBe(2);
  });

  it("does not keep our own 429", async () => {
    const own = await buildTenant(both, { name: "Busy" });
    const [key, { token }] = [newKey(), own];
    // The 45 that may go to one user at once, through one of two processes that share no Redis.
    const body = newMessage();
    await Promise.all(Array.from({ length: 45 }, () => send({ body, token })));
    both.simulator.clearRequests();
    const refused = await send({ key, body, token });
    expect([refused.status, refused.json.code]).toEqual([429, "rate_limited"]);
    expect(sentUpstream()).toBe(0);
    const again = await send({ key, body, token, at: 1 });
    expect([again.status, isReplay(again)]).toEqual([200, false]);
  });

  it("does not keep a guard's 422", async () => {
    const own = await buildTenant(both, { name: "Guarded" });
    const [key, body, { token }] = [newKey(), textMessage("5352345678", "Cuba"), own];
    both.simulator.clearRequests();
    const guards = (destination: string) =>
      own.call("PATCH", `/tenant/v1/numbers/${own.phoneNumberId}`, {
        body: { guards: { destination } },
      });
    await guards("enforce");
    const refused = await send({ key, body, token });
    expect([refused.status, refused.json.code]).toEqual([422, "destination_restricted"]);
    await guards("off");
    const again = await send({ key, body, token });
    expect([again.status, isReplay(again)]).toEqual([200, false]);
    expect(sentUpstream()).toBe(1);
  });

  it("is not used up by a dry run", async () => {
    const [key, body] = [newKey(), newMessage()];
    const dry = await send({ key, body, path: "/messages?dry_run=true" });
    expect(dry.json.verdict).toBe("send");
    const first = await send({ key, body });
    expect([first.status, isReplay(first)]).toEqual([200, false]);
  });

  it("takes no slot when it is only repeated", async () => {
    const [key, body] = [newKey(), newMessage()];
    await send({ key, body });
    const repeats = await Promise.all(Array.from({ length: 150 }, () => send({ key, body })));
    expect(new Set(repeats.map(({ status }) => status))).toEqual(new Set([200]));
    expect(repeats.every(isReplay)).toBe(true);
    expect((await send({ body })).status).toBe(200);
  });

  it("on a read receipt gives the answer again, and no id of a message that is none", async () => {
    const key = newKey();
    const body = { messaging_product: "whatsapp", status: "read", message_id: "wamid.A" };
    const first = await send({ key, body });
    const again = await send({ key, body });
    expect([first.status, again.body.toString()]).toEqual([200, first.body.toString()]);
    expect(again.headers["idempotent-replayed"]).toBe("true");
    for (const { headers } of [first, again]) {
      expect(headers["gateway-message-id"]).toBeUndefined();
    }
  });

  it.each([
    ["that is empty", ""],
    ["that is an empty string", '""'],
    ["of 256 characters", "k".repeat(256)],
    ["of 256 characters in quotes", `"${"k".repeat(256)}"`],
    ["of two words", "one two"],
    ["that is not ASCII", "cl\u00e9"],
    ["whose quotes do not end", '"key'],
    ["that comes twice", ["one", "two"]],
  ])("%s is refused", async (_what, key) => {
    const { status, json } = await send({ key, body: newMessage() });
    expect([status, json.code]).toEqual([400, "invalid_parameter"]);
    expect(json.error).toMatchObject({ type: "OAuthException" });
    expect(sentUpstream()).toBe(0);
  });

  it("may have 255 characters", async () => {
    expect((await send({ key: "k".repeat(255), body: newMessage() })).status).toBe(200);
  });

  it("leaves nothing to be read of what was answered", async () => {
    const [key, body] = [newKey(), newMessage()];
    const { json } = await send({ key, body });
    const rows = await both.database.db
      .selectFrom("idempotency_key")
      .select("answer_sealed")
      .where("answer_sealed", "is not", null)
      .execute();
    expect(rows.length).toBeGreaterThan(0);
    for (const { answer_sealed: sealed } of rows) {
      expect(sealed?.includes(json.messages[0].id as string)).toBe(false);
      expect(sealed?.includes("messaging_product")).toBe(false);
    }
  });
});
