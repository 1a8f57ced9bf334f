import { sql } from "kysely";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { Resolver } from "../../src/outbound/resolve.ts";
import type { Answer } from "../support/call.ts";
import { eventually } from "../support/eventually.ts";
import {
  buildTenant,
  startTestGateway,
  type TestGateway,
  type TestTenant,
} from "../support/gateway.ts";
import { type Receiver, startReceiver } from "../support/receiver.ts";

const PATH = "/tenant/v1/webhook-endpoints";

// Nobody has 3ffe::/16 (RFC 3701), so nothing answers there.
const ADDRESSES: Record<string, string[]> = {
  "public.example.com": ["3ffe::1", "3ffe::2"],
  "inside.example.com": ["10.0.0.7"],
  "half.example.com": ["3ffe::1", "169.254.169.254"],
};

let slow: PromiseWithResolvers<string[]>;
let asked: string[];

const resolver: Resolver = {
  resolve4: (host) => {
    asked.push(host);
    return host === "slow.example.com" ? slow.promise : Promise.resolve(ADDRESSES[host] ?? []);
  },
  resolve6: () => Promise.resolve([]),
};

let gateway: TestGateway;
let tenant: TestTenant;
beforeAll(async () => {
  gateway = await startTestGateway({ resolver, simulator: { statuses: [] } });
});
beforeEach(async () => {
  tenant = await buildTenant(gateway);
  slow = Promise.withResolvers();
  asked = [];
});
afterAll(() => gateway.stop());

const add = (body: object): Promise<Answer> => tenant.call("POST", PATH, { body });
const change = (id: string, body: object): Promise<Answer> =>
  tenant.call("PATCH", `${PATH}/${id}`, { body });
const codes = (answer: Answer): string[] =>
  (answer.json.errors as { code: string }[]).map(({ code }) => code);

/** A receiver that is written by Meta's page, for this token. */
function answerFor(token: string): Receiver["answer"] {
  return ({ method, url }, res) => {
    const query = new URL(url, "http://receiver").searchParams;
    if (method !== "GET") {
      res.writeHead(200).end();
    } else if (query.get("hub.mode") === "subscribe" && query.get("hub.verify_token") === token) {
      res.writeHead(200).end(query.get("hub.challenge"));
    } else {
      res.writeHead(403).end();
    }
  };
}

describe("the host of an endpoint's URL", () => {
  it("is looked up when the endpoint is made", async () => {
    expect((await add({ url: "https://public.example.com/x" })).status).toBe(201);
    const [nowhere, inside, half] = await Promise.all(
      ["nowhere", "inside", "half"].map((name) => add({ url: `https://${name}.example.com/x` })),
    );
    expect(nowhere && codes(nowhere)).toEqual(["url_unresolvable"]);
    expect(inside && codes(inside)).toEqual(["url_resolves_private"]);
    expect(half && codes(half)).toEqual(["url_resolves_private"]);
    expect(half?.body.toString()).not.toContain("169.254");
  });

  it("is told with all else that is wrong", async () => {
    const answer = await add({
      url: "https://inside.example.com:8443/x",
      headers: { "webhook-id": "1" },
      phone_number_ids: ["1"],
    });
    expect(codes(answer)).toEqual([
      "url_port",
      "url_resolves_private",
      "header_invalid",
      "unknown_number",
    ]);
  });

  it("is looked up again when the URL changes, and only then", async () => {
    const { json } = await add({ url: "https://public.example.com/x" });
    asked = [];
    const { url } = json;
    expect((await change(json.id, { description: "x", url })).status).toBe(200);
    expect(asked).toEqual([]);
    const inside = await change(json.id, { url: "https://inside.example.com/x" });
    expect(codes(inside)).toEqual(["url_resolves_private"]);
    expect((await change(json.id, { url: `${url}/2` })).status).toBe(200);
    expect(asked).toEqual(["inside.example.com", "public.example.com"]);
  });

  it.each([
    ["POST", "/v1/configs/webhook", (url: string) => ({ url })],
    ["POST", "/waba_webhook", (url: string) => ({ url })],
    [
      "POST",
      "/multi_webhook",
      (url: string) => ({ enabled: true, destinations: [{ name: "a", url }] }),
    ],
  ])("is looked up when %s %s sets it", async (method, path, settings) => {
    const set = (name: string): Promise<Answer> =>
      tenant.call(method, path, { body: settings(`https://${name}.example.com/x`) });
    expect((await set("public")).status).toBe(200);
    const nowhere = await set("nowhere");
    expect([nowhere.status, nowhere.json.meta.details]).toEqual([
      400,
      [expect.stringMatching(/^url_unresolvable: /)],
    ]);
    const inside = await set("inside");
    expect(inside.json.meta.details).toEqual([expect.stringMatching(/^url_resolves_private: /)]);
    const { json } = await tenant.call("GET", PATH);
    expect(json.data).toMatchObject([{ url: "https://public.example.com/x" }]);
  });

  it("holds up nobody while its look-up takes its time", async () => {
    const waiting = add({ url: "https://slow.example.com/x" });
    const settings = { url: "https://slow.example.com/y" };
    const dropIn = tenant.call("POST", "/v1/configs/webhook", { body: settings });
    await eventually(() => asked.length > 0);
    expect((await add({ url: "https://public.example.com/x" })).status).toBe(201);
    const { rows } = await sql<{ state: string }>`
      select state from pg_stat_activity
      where datname = current_database() and state like 'idle in transaction%'`.execute(
      gateway.database.db,
    );
    expect(rows).toEqual([]);
    slow.resolve(["3ffe::1"]);
    expect([(await waiting).status, (await dropIn).status]).toEqual([201, 200]);
  });
});

describe("a URL with a verify_token", () => {
  let receiver: Receiver;
  beforeEach(async () => {
    receiver = await startReceiver();
    return () => receiver.close();
  });

  it("is proved by Meta's challenge before it is saved", async () => {
    receiver.answer = answerFor("tok en&1");
    const url = `${receiver.url}/hook?a=b`;
    const made = await add({ url, verify_token: "tok en&1", headers: { "X-A": "1" } });
    expect([made.status, made.json.verify_token_set]).toEqual([201, true]);
    expect(made.body.toString()).not.toContain("tok en");
    expect(receiver.received).toHaveLength(1);
    const [proof] = receiver.received;
    expect(proof?.url).toMatch(
      /^\/hook\?a=b&hub\.mode=subscribe&hub\.verify_token=tok\+en%261&hub\.challenge=\d+$/,
    );
    expect(proof?.headers["x-a"]).toBe("1");
  });

  it.each<[string, Receiver["answer"]]>([
    ["another answer", (_got, res) => res.writeHead(200).end("no")],
    ["nothing", (_got, res) => res.writeHead(200).end()],
    [
      "the challenge in quotes",
      ({ url }, res) => res.end(`"${new URL(url, "http://x").searchParams.get("hub.challenge")}"`),
    ],
    [
      "the challenge, but not 2xx",
      ({ url }, res) =>
        res.writeHead(404).end(new URL(url, "http://x").searchParams.get("hub.challenge")),
    ],
    ["a redirect", (_got, res) => res.writeHead(302, { location: "/other" }).end()],
    ["no answer in time", () => undefined],
    ["a broken connection", (_got, res) => res.destroy()],
  ])("is not saved when it answers %s", async (_name, respond) => {
    receiver.answer = respond;
    const answer = await add({ url: receiver.url, verify_token: "x", timeout_seconds: 1 });
    expect([answer.status, codes(answer)]).toEqual([422, ["url_proof_failed"]]);
    expect(answer.json.errors[0].detail).toMatch(/^The URL was not proved: ./);
    expect((await tenant.call("GET", PATH)).json.data).toEqual([]);
  });

  it("is not asked while anything else is wrong with the endpoint", async () => {
    const answer = await add({
      url: receiver.url,
      verify_token: "x",
      headers: { "webhook-id": "1" },
    });
    expect(codes(answer)).toEqual(["header_invalid"]);
    expect(receiver.received).toEqual([]);
  });

  it("is proved again by the token that was kept when it changes", async () => {
    receiver.answer = answerFor("kept");
    const { json } = await add({ url: receiver.url, verify_token: "kept" });
    const other = await startReceiver();
    other.answer = answerFor("another");
    const refused = await change(json.id, { url: other.url });
    expect(codes(refused)).toEqual(["url_proof_failed"]);
    expect((await tenant.call("GET", `${PATH}/${json.id}`)).json.url).toBe(receiver.url);
    other.answer = answerFor("kept");
    expect((await change(json.id, { url: other.url })).status).toBe(200);
    await other.close();
  });

  it("is proved at once by a new token, and no longer when the token is taken away", async () => {
    const { json } = await add({ url: receiver.url });
    expect(receiver.received).toEqual([]);
    receiver.answer = answerFor("new");
    expect(codes(await change(json.id, { verify_token: "old" }))).toEqual(["url_proof_failed"]);
    expect((await change(json.id, { verify_token: "new" })).json.verify_token_set).toBe(true);
    const forgotten = await change(json.id, { url: `${receiver.url}/2`, verify_token: null });
    expect([forgotten.status, forgotten.json.verify_token_set]).toEqual([200, false]);
    expect(receiver.received).toHaveLength(2);
  });

  it("is never the one that a call at the same time has left unproved", async () => {
    receiver.answer = answerFor("kept");
    const { json } = await add({ url: receiver.url });
    const other = await startReceiver();
    other.answer = answerFor("unknown");
    // While the token is being proved for the old URL, the URL changes.
    const held = Promise.withResolvers<void>();
    receiver.answer = (got, res) => void held.promise.then(() => answerFor("kept")(got, res));
    const withToken = change(json.id, { verify_token: "kept" });
    await eventually(() => receiver.received.length === 1);
    expect((await change(json.id, { url: other.url })).status).toBe(200);
    held.resolve();
    expect(codes(await withToken)).toEqual(["url_proof_failed"]);
    expect(other.received).toHaveLength(1);
    await other.close();
  });
});
