import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { Webhook } from "standardwebhooks";
import type { Answer } from "../support/call.ts";
import { eventually } from "../support/eventually.ts";
import {
  buildTenant,
  startTestGateway,
  type TestGateway,
  type TestTenant,
} from "../support/gateway.ts";
import { type Received, type Receiver, startReceiver } from "../support/receiver.ts";

const PATH = "/tenant/v1/webhook-endpoints";

let gateway: TestGateway;
let tenant: TestTenant;
let receiver: Receiver;
beforeAll(async () => {
  gateway = await startTestGateway({ simulator: { statuses: [] } });
});
beforeEach(async () => {
  tenant = await buildTenant(gateway);
  receiver = await startReceiver();
  return () => receiver.close();
});
afterAll(() => gateway.stop());

async function create(body: object = {}): Promise<{ id: string; secret: string }> {
  const answer = await tenant.call("POST", PATH, { body: { url: receiver.url, ...body } });
  expect(answer.status).toBe(201);
  return answer.json as { id: string; secret: string };
}

const act = (id: string, action: string): Promise<Answer> =>
  tenant.call("POST", `${PATH}/${id}/${action}`);
const stateOf = async (id: string): Promise<string> =>
  (await tenant.call("GET", `${PATH}/${id}`)).json.state as string;

const receive = (text: string): void => {
  gateway.simulator.receiveMessage({ phoneNumberId: tenant.phoneNumberId, from: "1555", text });
};

/** Throws where the signature is not the secret's. */
function verify({ headers, body }: Received, secret: string): unknown {
  return new Webhook(secret).verify(body, headers as Record<string, string>);
}

describe("a test ping", () => {
  it.each(["cloud_api", "event", "cloudevents"])(
    "is signed and sent as a delivery in the format %s, and told of",
    async (format) => {
      const { id, secret } = await create({ format, headers: { "X-A": "1" } });
      const { status, json } = await act(id, "test");
      expect([status, json]).toEqual([
        200,
        {
          webhook_id: expect.any(String),
          delivered: true,
          status: 200,
          duration_ms: expect.any(Number),
          answer: null,
          reason: "The endpoint answered 200.",
        },
      ]);
      const [ping] = receiver.received;
      expect(ping?.headers).toMatchObject({
        "webhook-id": json.webhook_id,
        "webhook-attempt": "1",
        "x-a": "1",
        "x-hub-signature-256": expect.stringMatching(/^sha256=/),
      });
      expect(ping && verify(ping, secret)).toBeTruthy();
      expect(ping?.body.toString()).toContain("webhook.ping");
    },
  );

  it("that fails is told in words, and changes nothing of the endpoint", async () => {
    const { id } = await create({ timeout_seconds: 1 });
    const answers: [Receiver["answer"], object][] = [
      [
        (_got, res) => res.writeHead(410).end("gone"),
        { status: 410, reason: "The endpoint answered 410." },
      ],
      [(_got, res) => res.destroy(), { status: null, reason: expect.stringMatching(/closed/) }],
      [() => undefined, { status: null, reason: "No answer within the time allowed." }],
    ];
    for (const [answer, told] of answers) {
      receiver.answer = answer;
      // The receiver is a host of the operator's list, whose answers are not shown.
      expect((await act(id, "test")).json).toMatchObject({
        ...told,
        delivered: false,
        answer: null,
      });
    }
    const row = await gateway.database.db
      .selectFrom("webhook_endpoint")
      .selectAll()
      .where("id", "=", id)
      .executeTakeFirstOrThrow();
    expect(row).toMatchObject({ state: "active", failure_count: 0, failing_since: null });
    expect((await tenant.call("GET", "/tenant/v1/deliveries")).json.data).toEqual([]);
  });
});

describe("a signing secret", () => {
  it("is changed without a delivery that the old one does not sign for 24 hours", async () => {
    const { id, secret: first } = await create();
    const before = Date.now();
    const rotated = await act(id, "secret/rotate");
    const second = rotated.json.secret as string;
    expect([rotated.status, second === first]).toEqual([200, false]);
    const untilMs = Date.parse(rotated.json.previous_secret_until) - before;
    expect(Math.abs(untilMs - 24 * 3_600_000)).toBeLessThan(60_000);
    receive("one");
    const [one] = await eventually(() => receiver.received.length === 1 && receiver.received);
    expect(String(one?.headers["webhook-signature"]).split(" ")).toHaveLength(2);
    expect(one && [verify(one, first), verify(one, second)]).toHaveLength(2);

    const third = (await act(id, "secret/rotate")).json.secret as string;
    receive("two");
    const [, two] = await eventually(() => receiver.received.length === 2 && receiver.received);
    expect(two && [verify(two, second), verify(two, third)]).toHaveLength(2);
    expect(() => two && verify(two, first)).toThrow("No matching signature");

    await gateway.database.db
      .updateTable("webhook_endpoint")
      .set({ previous_signing_secret_until: new Date(Date.now() - 1) })
      .where("id", "=", id)
      .execute();
    receive("three");
    const [, , three] = await eventually(() => receiver.received.length === 3 && receiver.received);
    expect(three && verify(three, third)).toBeTruthy();
    expect(() => three && verify(three, second)).toThrow("No matching signature");
    await act(id, "test");
    expect(String(receiver.received[3]?.headers["webhook-signature"]).split(" ")).toHaveLength(1);
  });

  it("is shown once, and is another version", async () => {
    const { id } = await create();
    const { headers } = await tenant.call("GET", `${PATH}/${id}`);
    const ifMatch = { "if-match": String(headers["etag"]) };
    const rotate = (): Promise<Answer> =>
      tenant.call("POST", `${PATH}/${id}/secret/rotate`, { headers: ifMatch });
    const answers = [await rotate(), await rotate()];
    expect(answers.map(({ status }) => status)).toEqual([200, 412]);
    const secret = answers[0]?.json.secret as string;
    expect((await tenant.call("GET", `${PATH}/${id}`)).body.toString()).not.toContain(secret);
  });
});

describe("a paused endpoint", () => {
  it("gets nothing until it is resumed, and then all that was kept for it", async () => {
    const { id } = await create();
    expect((await act(id, "pause")).json).toMatchObject({ id, state: "paused" });
    expect((await act(id, "pause")).json.state).toBe("paused");
    receive("kept");
    const held = await eventually(async () => {
      const { json } = await tenant.call("GET", "/tenant/v1/deliveries");
      return json.data.length === 1 && json.data;
    });
    expect(held).toMatchObject([{ state: "held" }]);
    expect(receiver.received).toEqual([]);
    expect((await act(id, "resume")).json.state).toBe("active");
    await eventually(() => receiver.received.length === 1);
    expect((await act(id, "resume")).json.state).toBe("active");
  });

  it("is not made of a disabled one, which is resumed likewise", async () => {
    receiver.answer = (_got, res) => res.writeHead(410).end();
    const { id } = await create();
    receive("gone");
    await eventually(async () => (await stateOf(id)) === "disabled");
    expect((await act(id, "pause")).json.state).toBe("disabled");
    receiver.answer = (_got, res) => res.writeHead(200).end();
    expect((await act(id, "resume")).json.state).toBe("active");
    await eventually(() => receiver.received.length === 2);
  });

  it.each(["test", "fitness", "secret/rotate", "pause", "resume"])(
    "of another tenant is missing (%s)",
    async (action) => {
      const { id } = await create();
      const stranger = await buildTenant(gateway);
      const foreign = await stranger.call("POST", `${PATH}/${id}/${action}`);
      const missing = await stranger.call(
        "POST",
        `${PATH}/whe_00000000000000000000000000/${action}`,
      );
      expect([foreign.status, missing.status]).toEqual([404, 404]);
      expect(receiver.received).toEqual([]);
    },
  );
});
