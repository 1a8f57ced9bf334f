import { randomBytes } from "node:crypto";
import { connect } from "node:net";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { readConfig } from "../../src/config.ts";
import { type RunningGateway, startGateway } from "../../src/start-gateway.ts";
import { fetchToken, revoke } from "../support/call.ts";
import { type EventStream, openEventStream } from "../support/event-stream.ts";
import { eventually } from "../support/eventually.ts";
import { freePort } from "../support/free-port.ts";
import {
  addNumber,
  buildTenant,
  startTestGateway,
  testEnvironment,
  type TestGateway,
  type TestTenant,
} from "../support/gateway.ts";

const MASTER_KEYS = `test:${randomBytes(32).toString("base64")}`;
const PATH = "/tenant/v1/events/stream";

const textOf = ({ data }: EventStream["messages"][number]) =>
  (data as unknown as { data: { messages: { text: { body: string } }[] } }).data.messages[0]?.text
    .body;
const has = (opened: EventStream, howMany: number) =>
  eventually(() => opened.messages.length >= howMany);

describe("a stream of events", () => {
  let gateway: TestGateway;
  let second: RunningGateway;
  let secondUrl: string;
  let tenant: TestTenant;
  let count = 0;
  const open: EventStream[] = [];

  const startSecond = async () => {
    const port = await freePort();
    secondUrl = `http://127.0.0.1:${port}`;
    return startGateway(
      readConfig({
        ...testEnvironment(),
        PORT: String(port),
        MASTER_KEYS,
        // A token of one is a token of both.
        PUBLIC_URL: gateway.url,
        DATABASE_URL: gateway.database.url,
        D360_BASE_URL: gateway.simulator.url,
      }),
    );
  };

  beforeAll(async () => {
    gateway = await startTestGateway({ env: { MASTER_KEYS } });
    second = await startSecond();
    tenant = await buildTenant(gateway);
  });
  afterEach(() => {
    open.splice(0).forEach(({ close }) => close());
  });
  afterAll(async () => {
    await second.stop();
    await gateway.stop();
  });

  async function stream(
    query = "",
    options: { url?: string; token?: string; lastEventId?: string | undefined } = {},
  ): Promise<EventStream> {
    const { url = gateway.url, token = tenant.token, lastEventId } = options;
    const opened = await openEventStream(`${url}${PATH}${query}`, { token, lastEventId });
    open.push(opened);
    return opened;
  }

  function receiveTexts(howMany: number, phoneNumberId = tenant.phoneNumberId): void {
    for (let n = 0; n < howMany; n++) {
      count += 1;
      gateway.simulator.receiveMessage({ phoneNumberId, from: "15550001111", text: `${count}` });
    }
  }

  const cursorOf = async (from: string) => {
    const { json } = await tenant.call("GET", `/tenant/v1/events?limit=1&from=${from}`);
    return json.next_cursor as string | null;
  };

  it("begins now, and has what the list has, in its order, under its cursors", async () => {
    receiveTexts(1);
    await eventually(async () => (await tenant.call("GET", "/tenant/v1/events")).json.data[0]);
    const opened = await stream();
    expect(opened.status).toBe(200);
    expect(opened.headers["content-type"]).toBe("text/event-stream");
    receiveTexts(30);
    await has(opened, 30);
    const list = (await tenant.call("GET", "/tenant/v1/events?limit=100")).json.data as object[];
    expect(opened.messages.map(({ data }) => data)).toEqual(list.slice(-30));
    expect(new Set(opened.messages.map(({ event }) => event))).toEqual(
      new Set(["message.received"]),
    );
    const after = await tenant.call(
      "GET",
      `/tenant/v1/events?cursor=${opened.messages.at(-2)?.id}`,
    );
    expect(after.json.data).toEqual([opened.messages.at(-1)?.data]);
  });

  it("goes on after Last-Event-ID or cursor, from another process, after a restart", async () => {
    const first = await stream();
    receiveTexts(5);
    await has(first, 5);
    first.close();
    receiveTexts(40);
    await second.stop();
    second = await startSecond();
    const url = secondUrl;
    const lastEventId = first.messages.at(-1)?.id ?? "";
    // The header goes before the address, which a browser keeps.
    const resumed = await stream(`?cursor=${first.messages[0]?.id}`, { url, lastEventId });
    receiveTexts(5);
    await has(resumed, 45);
    const texts = [...first.messages, ...resumed.messages].map(textOf);
    expect(texts.toSorted((a, b) => Number(a) - Number(b))).toEqual(
      Array.from({ length: 50 }, (_, n) => String(count - 49 + n)),
    );
    const byCursor = await stream(`?cursor=${lastEventId}`, { url });
    await has(byCursor, 45);
    expect(byCursor.messages).toEqual(resumed.messages);
  });

  it("shows what its filters and its token's numbers let through", async () => {
    const number = await addNumber(gateway, tenant.id);
    const path = `/partner/v1/tenants/${tenant.id}/clients`;
    const ids = [number.phoneNumberId];
    const made = await gateway.partner("POST", path, { phone_number_ids: ids });
    const token = await fetchToken(gateway.url, {
      id: made.json.client_id,
      secret: made.json.client_secret,
    });
    const stranger = await buildTenant(gateway);
    const others = [
      await stream("?type=message.status.*"),
      await stream(`?phone_number_id=${tenant.phoneNumberId}`, { token }),
      await stream("", { token: stranger.token }),
      await stream(`?phone_number_id=${tenant.phoneNumberId}`, { token: stranger.token }),
    ];
    const all = await stream("?type=message.*");
    const limited = await stream("", { token });
    receiveTexts(2);
    receiveTexts(1, number.phoneNumberId);
    await has(all, 3);
    await has(limited, 1);
    expect(limited.messages.map(textOf)).toEqual([String(count)]);
    expect(others.map(({ messages }) => messages.length)).toEqual([0, 0, 0, 0]);
    const past = await stream("?from=2000-01-01T00:00:00Z", { token });
    await has(past, 1);
    expect(past.messages).toEqual(limited.messages);
  });

  it("refuses a cursor that is none, and more streams than a tenant may have", async () => {
    expect((await tenant.call("GET", `${PATH}?cursor=x`)).status).toBe(400);
    const lastEventId = "nonsense";
    expect((await stream("", { lastEventId })).status).toBe(400);
    const { token } = await buildTenant(gateway);
    for (let n = 0; n < 20; n++) {
      expect((await stream("", { token })).status).toBe(200);
    }
    const refused = await gateway.call("GET", PATH, { token });
    expect(refused.status).toBe(429);
    expect(refused.json.code).toBe("rate_limited");
    open.at(-1)?.close();
    await eventually(async () => {
      const again = await stream("", { token });
      return again.status === 200;
    });
  });

  it("ends when its token is revoked, and when the tenant is suspended", async () => {
    const other = await buildTenant(gateway);
    const token = await fetchToken(gateway.url, other.client);
    const [revoked, suspended] = [
      await stream("", { token, url: secondUrl }),
      await stream("", { token: other.token, url: secondUrl }),
    ];
    await revoke(gateway.url, other.client, token);
    await eventually(() => revoked.ended, { withinMs: 5000 });
    expect(suspended.ended).toBe(false);
    await gateway.partner("POST", `/partner/v1/tenants/${other.id}/suspend`);
    await eventually(() => suspended.ended, { withinMs: 5000 });
  });

  it("that nobody reads is not held in memory, and hinders no other", async () => {
    const { hostname, port } = new URL(gateway.url);
    const cursor = await cursorOf("2000-01-01T00:00:00Z");
    const slow = connect(Number(port), hostname);
    slow.write(
      `GET ${PATH}?cursor=${cursor} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${tenant.token}\r\n\r\n`,
    );
    slow.pause();
    const quick = await stream();
    receiveTexts(20);
    await has(quick, 20);
    slow.destroy();
  });

  it("ends in order when the gateway stops", async () => {
    const opened = await stream("", { url: secondUrl });
    expect(opened.status).toBe(200);
    const startedMs = performance.now();
    await second.stop();
    expect(performance.now() - startedMs).toBeLessThan(5000);
    await eventually(() => opened.ended);
    second = await startSecond();
  });
});
