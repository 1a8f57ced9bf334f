import { request } from "undici";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openApi } from "../support/answers-contract.ts";
import { fetchToken } from "../support/call.ts";
import { eventually } from "../support/eventually.ts";
import {
  addNumber,
  buildTenant,
  startTestGateway,
  type TestGateway,
  type TestTenant,
  textMessage,
} from "../support/gateway.ts";

const USER = "15550001111";
const OPT_IN = { source: "checkout", obtained_at: "2025-06-15T12:00:00Z", proof: "order 4711" };

/** What the contract's parameters name, each with something real that is the owner's. */
type Thing =
  | "phone_number_id"
  | "waba_id"
  | "user"
  | "recipient"
  | "endpoint_id"
  | "event_id"
  | "delivery_id"
  | "message_id"
  | "token_id";

/** Parameters that name nothing of anybody's. */
const CHOICES = "type state name status from to limit cursor button".split(" ");

type Parameter = { $ref?: string; name: string; in: string };
type Item = Record<string, unknown> & { parameters?: Parameter[] };
type Operation = {
  parameters?: Parameter[];
  requestBody?: { content: Record<string, { example?: object }> };
};
type Row = { method: string; path: string; body: object | undefined; query: string[] };

function resolved(parameter: Parameter): Parameter {
  const ref = parameter.$ref?.split("/").slice(1) ?? [];
  return ref.reduce<unknown>(
    (node, key) => (node as Item)[key],
    parameter.$ref ? openApi : parameter,
  ) as Parameter;
}

/** Every operation of a tenant's own, as the contract lists them. */
const ROWS: Row[] = Object.entries(openApi.paths as unknown as Record<string, Item>)
  // A stream has no end that could be compared; it has a test of its own.
  .filter(([path]) => path.startsWith("/tenant/v1/") && !path.endsWith("/stream"))
  .flatMap(([path, item]) =>
    ["get", "put", "post", "patch", "delete"]
      .filter((method) => method in item)
      .map((method) => {
        const { parameters = [], requestBody } = item[method] as Operation;
        const all = [...(item.parameters ?? []), ...parameters].map(resolved);
        return {
          method: method.toUpperCase(),
          path,
          body: requestBody?.content["application/json"]?.example,
          query: all.filter((one) => one.in === "query").map(({ name }) => name),
        };
      }),
  );

const named = (row: Row): [string, Row] => [`${row.method} ${row.path}`, row];

const malformedOf = (name: string): string => (name === "phone_number_id" ? "99" : "nonsense");

function filled(path: string, fill: (name: string) => string): string {
  return path.replaceAll(/\{(\w+)\}/g, (_all, name: string) => encodeURIComponent(fill(name)));
}

describe("what belongs to another tenant", () => {
  let gateway: TestGateway;
  let owner: TestTenant;
  let stranger: TestTenant;
  let foreign: Record<Thing, string>;
  /** A token of the owner's for another number. */
  let limited: string;

  beforeAll(async () => {
    gateway = await startTestGateway();
    owner = await buildTenant(gateway, { name: "Owner" });
    stranger = await buildTenant(gateway, { name: "Stranger" });
    const second = await addNumber(gateway, owner.id);
    const made = await gateway.partner("POST", `/partner/v1/tenants/${owner.id}/clients`, {
      phone_number_ids: [second.phoneNumberId],
    });
    const client = { id: made.json.client_id as string, secret: made.json.client_secret as string };
    limited = await fetchToken(gateway.url, client);

    const { phoneNumberId, wabaId } = owner;
    const endpoint = await owner.call("POST", "/tenant/v1/webhook-endpoints", {
      body: { url: "https://receiver.example.com/hook" },
    });
    const token = await owner.call("POST", "/tenant/v1/tokens", {
      body: { name: "tool", phone_number_ids: [phoneNumberId] },
    });
    await owner.call("PUT", `/tenant/v1/opt-ins/${phoneNumberId}/${USER}`, { body: OPT_IN });
    const sent = await owner.call("POST", `/${phoneNumberId}/messages`, {
      body: textMessage(USER, "x"),
    });
    const message = sent.headers["gateway-message-id"] as string;
    await eventually(
      async () => (await owner.call("GET", `/tenant/v1/messages/${message}`)).status === 200,
    );
    const delivery = await eventually(async () => {
      const { json } = await owner.call("GET", "/tenant/v1/deliveries");
      return json.data[0] as { id: string; event_id: string } | undefined;
    });
    foreign = {
      phone_number_id: phoneNumberId,
      waba_id: wabaId,
      user: USER,
      recipient: USER,
      endpoint_id: endpoint.json.id,
      event_id: delivery.event_id,
      delivery_id: delivery.id,
      message_id: message,
      token_id: token.json.id,
    };
  });
  afterAll(() => gateway.stop());

  /** Something real of the owner's, by the name that the contract has for it. */
  function realOf(name: string): string {
    const value = foreign[name as Thing] as string | undefined;
    if (value === undefined) {
      throw new Error(`this test knows nothing real for the parameter ${name}`);
    }
    return value;
  }
  const missingOf = (name: string): string => realOf(name).replace(/.{4}$/, "0000");

  /** All of an answer, but when it was given. */
  async function ask(token: string, { method, body }: Row, path: string) {
    const answer = await request(gateway.url + path, {
      method: method as "GET",
      headers: {
        authorization: `Bearer ${token}`,
        "x-request-id": "same",
        ...(body && { "content-type": "application/json" }),
      },
      ...(body && { body: JSON.stringify(body) }),
    });
    const { date, ...headers } = answer.headers;
    expect(date).toBeDefined();
    return { status: answer.statusCode, headers, body: await answer.body.text() };
  }

  const askers = (): [string, string][] => [
    ["another tenant's token", stranger.token],
    ["a token for another number", limited],
  ];

  it.each(ROWS.filter(({ path }) => path.includes("{")).map(named))(
    "answers byte for byte like what does not exist: %s",
    async (_name, row) => {
      const calls = gateway.simulator.requests.length;
      for (const [who, token] of askers()) {
        const asForeign = await ask(token, row, filled(row.path, realOf));
        expect(asForeign.status, `${who}: ${asForeign.body}`).toBe(404);
        for (const other of [missingOf, malformedOf]) {
          expect(await ask(token, row, filled(row.path, other)), who).toEqual(asForeign);
        }
      }
      expect(gateway.simulator.requests.length).toBe(calls);
      // It is there, and as it was.
      if (row.method === "GET") {
        expect((await ask(owner.token, row, filled(row.path, realOf))).status).toBe(200);
      }
    },
  );

  it("nor is an endpoint of the partner's found by anybody", async () => {
    const made = await gateway.partner("POST", "/partner/v1/webhook-endpoints", {
      url: "https://partner.example.com/hook",
    });
    const partners = made.json.id as string;
    for (const row of ROWS.filter(({ path }) => path.includes("{endpoint_id}"))) {
      const of = (id: string) =>
        ask(
          owner.token,
          row,
          filled(row.path, () => id),
        );
      const asForeign = await of(partners);
      expect(asForeign.status, row.path).toBe(404);
      expect(asForeign, row.path).toEqual(await of(partners.replace(/.{4}$/, "0000")));
    }
    const same = await gateway.partner("GET", `/partner/v1/webhook-endpoints/${partners}`);
    const { secret: _secret, ...before } = made.json as Record<string, unknown>;
    expect(same.json).toEqual(before);
    // Nor by the partner as its own where it is a tenant's.
    const foreignOne = `/partner/v1/webhook-endpoints/${foreign.endpoint_id}`;
    expect((await gateway.partner("GET", foreignOne)).status).toBe(404);
  });

  const filters = ROWS.flatMap((row) =>
    row.query
      .filter((name) => !CHOICES.includes(name))
      .map((name) => [`${row.method} ${row.path}?${name}=`, row, name] as const),
  );
  it.each(filters)("is not found by a filter either: %s", async (_name, row, name) => {
    const calls = gateway.simulator.requests.length;
    for (const [who, token] of askers()) {
      const by = (value: string) => ask(token, row, `${row.path}?${name}=${value}`);
      const asForeign = await by(realOf(name));
      expect(asForeign, who).toEqual(await by(missingOf(name)));
      if (asForeign.status === 200) {
        expect(JSON.parse(asForeign.body), who).toMatchObject({ data: [] });
      } else {
        expect(asForeign.status, who).toBe(404);
      }
    }
    expect(gateway.simulator.requests.length).toBe(calls);
  });

  it.each(["webhook-endpoints", "tokens"])(
    "cannot be named in what is made: POST /tenant/v1/%s",
    async (what) => {
      for (const [who, token] of askers()) {
        const make = (phoneNumberId: string) => {
          const body = {
            ...(what === "tokens" ? { name: "x" } : { url: "https://own.example.com/x" }),
            phone_number_ids: [phoneNumberId],
          };
          return ask(token, { method: "POST", path: "", body, query: [] }, `/tenant/v1/${what}`);
        };
        const asForeign = await make(realOf("phone_number_id"));
        const asMissing = await make(missingOf("phone_number_id"));
        expect(asForeign.status, who).toBe(422);
        const echoed = asMissing.body.replaceAll(
          missingOf("phone_number_id"),
          realOf("phone_number_id"),
        );
        expect(asForeign.body, who).toBe(echoed);
      }
    },
  );

  it("is still the owner's, whole", async () => {
    for (const row of ROWS.filter(({ method, path }) => method === "GET" && path.includes("{"))) {
      expect((await ask(owner.token, row, filled(row.path, realOf))).status, row.path).toBe(200);
    }
    const tokens = await owner.call("GET", "/tenant/v1/tokens");
    expect(JSON.stringify(tokens.json)).toContain(foreign.token_id);
    const number = await owner.call("GET", `/tenant/v1/numbers/${owner.phoneNumberId}`);
    expect(Object.values(number.json.guards as object)).toEqual([null, null, null, null]);
    const optIn = await owner.call("GET", `/tenant/v1/opt-ins/${owner.phoneNumberId}/${USER}`);
    expect(optIn.json.proof).toBe(OPT_IN.proof);
  });

  it.each([
    ["GET", "/tenant/v1/events/%00", 404],
    ["GET", "/tenant/v1/deliveries/%00", 404],
    ["DELETE", "/tenant/v1/webhook-endpoints/%00", 404],
    ["GET", "/tenant/v1/numbers/%E0%A4%A", 404],
    ["GET", "/tenant/v1/events?type=%00", 400],
    ["GET", "/tenant/v1/events?from=2016-12-31T23:59:60Z", 400],
    ["GET", "/tenant/v1/deliveries?cursor=WyJ4IiwieSIsInoiXQ", 400],
  ])("and what is malformed is told from neither: %s %s is %i", async (method, path, status) => {
    expect((await stranger.call(method, path)).status).toBe(status);
  });

  it("is in none of the lists", async () => {
    for (const list of ["numbers", "webhook-endpoints", "events", "deliveries"]) {
      const { json } = await stranger.call("GET", `/tenant/v1/${list}`);
      expect(JSON.stringify(json)).not.toContain(owner.phoneNumberId);
      expect(list === "numbers" ? json.data.length : json.data).toEqual(
        list === "numbers" ? 1 : [],
      );
    }
  });

  it("and a number outside a limited token, answer alike on every tenant route", async () => {
    const second = await addNumber(gateway, owner.id);
    const made = await gateway.partner("POST", `/partner/v1/tenants/${owner.id}/clients`, {
      phone_number_ids: [second.phoneNumberId],
    });
    const token = await fetchToken(gateway.url, {
      id: made.json.client_id,
      secret: made.json.client_secret,
    });
    const status = async (method: string, path: string, body?: object) =>
      (await gateway.call(method, path, { token, ...(body && { body }) })).status;
    expect(await status("GET", `/tenant/v1/numbers/${owner.phoneNumberId}`)).toBe(404);
    expect(await status("GET", `/tenant/v1/numbers/${second.phoneNumberId}`)).toBe(200);
    expect(await status("GET", `/tenant/v1/webhook-endpoints/${foreign.endpoint_id}`)).toBe(404);
    expect(await status("GET", `/tenant/v1/events/${foreign.event_id}`)).toBe(404);
    expect(await status("GET", `/tenant/v1/deliveries/${foreign.delivery_id}`)).toBe(404);
    expect(await status("GET", `/${owner.phoneNumberId}/health_status`)).toBe(404);
    for (const list of ["numbers", "webhook-endpoints", "events", "deliveries"]) {
      const { json } = await gateway.call("GET", `/tenant/v1/${list}`, { token });
      const seen = list === "numbers" ? [second.phoneNumberId] : [];
      expect(json.data.map((row: Record<string, string>) => row["phone_number_id"])).toEqual(seen);
    }
    // The token's only number is the one that is meant when none is named.
    expect(await status("GET", "/health_status")).toBe(200);
    expect(gateway.simulator.requests.at(-1)?.headers["d360-api-key"]).toBe(second.apiKey);
    const whole = await gateway.call("POST", "/tenant/v1/webhook-endpoints", {
      token,
      body: { url: "https://other.example.com/hook" },
    });
    expect([whole.status, whole.json.errors[0].pointer]).toEqual([422, "/phone_number_ids"]);
  });

  it("cannot be reached with a partner's token on tenant routes, nor the reverse", async () => {
    const asPartner = await gateway.partner("GET", "/tenant/v1/numbers");
    expect([asPartner.status, asPartner.json.code]).toEqual([403, "wrong_audience"]);
    const asTenant = await owner.call("GET", "/partner/v1/tenants");
    expect([asTenant.status, asTenant.json.code]).toEqual([403, "wrong_audience"]);
    const sending = await gateway.partner("POST", "/messages", textMessage("1", "x"));
    expect([sending.status, sending.json.code]).toEqual([403, "wrong_audience"]);
  });
});
