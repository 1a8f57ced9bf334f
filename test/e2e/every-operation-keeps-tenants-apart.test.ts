import { request } from "undici";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { OPERATIONS } from "../../src/gateway/operations.ts";
import { fetchToken } from "../support/call.ts";
import {
  buildTenant,
  startTestGateway,
  type TestGateway,
  type TestTenant,
} from "../support/gateway.ts";

/** Every way to name a number or a WABA; `ID` stands for it, `PATH` for the operation's path. */
const FORMS: readonly { name: string; url: string; header?: true; waba?: true }[] = [
  { name: "version and id", url: "/v23.0/IDPATH" },
  { name: "version, id and slash", url: "/v23.0/IDPATH/" },
  { name: "360dialog's old version and id", url: "/v1/IDPATH" },
  { name: "id alone", url: "/IDPATH" },
  { name: "id, then 360dialog's old version", url: "/ID/v1PATH" },
  { name: "header", url: "PATH", header: true },
  { name: "header and version", url: "/v23.0PATH", header: true },
  { name: "query", url: "PATH?phone_number_id=ID" },
  { name: "query among others", url: "/v23.0PATH?limit=1&phone_number_id=ID&fields=a" },
  { name: "WABA's id and version", url: "/v23.0/IDPATH", waba: true },
  { name: "WABA's id", url: "/IDPATH", waba: true },
  { name: "WABA's id in the query", url: "PATH?phone_number_id=ID", waba: true },
  { name: "WABA's id in the header", url: "PATH", header: true, waba: true },
];

/** Generated from the table of operations: a new row is covered by itself. */
describe("every operation", () => {
  let gateway: TestGateway;
  let owner: TestTenant;
  let stranger: TestTenant;

  beforeAll(async () => {
    gateway = await startTestGateway({ simulator: { statuses: [] } });
    owner = await buildTenant(gateway, { name: "Owner" });
    stranger = await buildTenant(gateway, { name: "Stranger" });
  });
  afterAll(() => gateway.stop());

  async function ask(
    operation: (typeof OPERATIONS)[number],
    form: (typeof FORMS)[number],
    id: string,
  ): Promise<{ status: number; body: string; headers: object }> {
    const path = operation.path.replaceAll(/\{\w+\}/g, "1013859600285441");
    const url = form.url.replace("PATH", path).replace("ID", id);
    const answer = await request(gateway.url + url, {
      method: operation.method as "GET",
      headers: {
        authorization: `Bearer ${stranger.token}`,
        "x-request-id": "same",
        "content-type": "application/json",
        ...(form.header && { "x-phone-number-id": id }),
      },
      ...(operation.method !== "GET" && { body: "{}" }),
    });
    const { date, ...headers } = answer.headers;
    expect(date).toBeDefined();
    return { status: answer.statusCode, body: await answer.body.text(), headers };
  }

  const rows = OPERATIONS.map((row) => [`${row.method} ${row.path}`, row] as const);
  it.each(rows)(
    "answers another tenant's number and WABA like missing ones: %s",
    async (_name, operation) => {
      const before = gateway.simulator.requests.length;
      for (const form of FORMS) {
        const foreign = form.waba ? owner.wabaId : owner.phoneNumberId;
        const asForeign = await ask(operation, form, foreign);
        const where = `${operation.path}, by ${form.name}`;
        expect(asForeign.status, where).toBe(404);
        const missing = foreign.replace(/.{6}$/, "000000");
        expect(asForeign, where).toEqual(await ask(operation, form, missing));
        expect(asForeign, where).toEqual(await ask(operation, form, "99"));
      }
      expect(gateway.simulator.requests.length).toBe(before);
    },
  );

  it.each(rows)("needs its scope: %s", async (_name, operation) => {
    const before = gateway.simulator.requests.length;
    const path = operation.path.replaceAll(/\{\w+\}/g, "1013859600285441");
    const limited = await buildTokenWithout(operation.scope);
    const answer = await request(gateway.url + path, {
      method: operation.method as "GET",
      headers: { authorization: `Bearer ${limited}` },
    });
    const body = (await answer.body.json()) as { code: string };
    expect([answer.statusCode, body.code]).toEqual([403, "insufficient_scope"]);
    expect(answer.headers["www-authenticate"]).toContain(`scope="${operation.scope}"`);
    expect(gateway.simulator.requests.length).toBe(before);
  });

  const tokens = new Map<string, Promise<string>>();
  /** A token of the stranger's client with every scope but this one. */
  function buildTokenWithout(scope: string): Promise<string> {
    const scopes = [...new Set(OPERATIONS.map((row) => row.scope))].filter((one) => one !== scope);
    const made = tokens.get(scope) ?? fetchToken(gateway.url, stranger.client, scopes.join(" "));
    tokens.set(scope, made);
    return made;
  }
});
