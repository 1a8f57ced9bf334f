import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { eventually } from "../support/eventually.ts";
import {
  buildTenant,
  startTestGateway,
  type TestGateway,
  type TestTenant,
  textMessage,
} from "../support/gateway.ts";

let gateway: TestGateway;
let tenant: TestTenant;
let other: TestTenant;
beforeAll(async () => {
  gateway = await startTestGateway();
  tenant = await buildTenant(gateway);
  other = await buildTenant(gateway);
});
afterAll(() => gateway.stop());

const rowOf = (of: TestTenant, fields: object) => ({
  tenant_id: of.id,
  day: new Date().toISOString().slice(0, 10),
  phone_number_id: of.phoneNumberId,
  category: "service",
  country: "DE",
  direction: "outbound",
  billable: false,
  messages: 1,
  frozen: false,
  ...fields,
});

describe("usage", () => {
  it("is what was sent, whatever statuses came of it, and what users wrote", async () => {
    for (const each of [tenant, tenant, other]) {
      await each.call("POST", "/messages", { body: textMessage("4915112345678", "x") });
    }
    const { phoneNumberId } = tenant;
    gateway.simulator.receiveMessage({ phoneNumberId, from: "5511987654321", text: "hello" });
    const inbound = { category: "none", country: "BR", direction: "inbound" };
    const own = [rowOf(tenant, inbound), rowOf(tenant, { messages: 2 })];
    await eventually(async () => {
      const { json } = await tenant.call("GET", "/tenant/v1/usage");
      const all = await gateway.partner("GET", "/partner/v1/usage");
      return json.data[1]?.messages === 2 && all.json.data.length === 3;
    });
    const { json } = await tenant.call("GET", "/tenant/v1/usage");
    expect(json).toEqual({ data: own, next_cursor: null });
    const all = await gateway.partner("GET", "/partner/v1/usage");
    expect(all.json.data).toEqual([...own, rowOf(other, {})]);
    const one = await gateway.partner("GET", `/partner/v1/usage?tenant_id=${other.id}`);
    expect(one.json.data).toEqual([rowOf(other, {})]);
  });

  it("comes as CSV to whoever takes that, whole", async () => {
    const headers = { accept: "text/csv" };
    const answer = await tenant.call("GET", "/tenant/v1/usage?limit=1", { headers });
    expect(answer.status).toBe(200);
    expect(answer.headers["content-type"]).toBe("text/csv; charset=utf-8; header=present");
    expect(answer.headers["vary"]).toBe("Accept");
    const day = new Date().toISOString().slice(0, 10);
    const { id, phoneNumberId } = tenant;
    expect(answer.body.toString().split("\r\n")).toEqual([
      "tenant_id,day,phone_number_id,category,country,direction,billable,messages,frozen",
      `${id},${day},${phoneNumberId},none,BR,inbound,false,1,false`,
      `${id},${day},${phoneNumberId},service,DE,outbound,false,2,false`,
      "",
    ]);
  });

  it("comes as JSON in pages to everybody else", async () => {
    const headers = { accept: "*/*" };
    const first = await tenant.call("GET", "/tenant/v1/usage?limit=1", { headers });
    expect(first.json.data).toMatchObject([{ direction: "inbound" }]);
    const cursor = encodeURIComponent(first.json.next_cursor as string);
    const second = await tenant.call("GET", `/tenant/v1/usage?limit=1&cursor=${cursor}`);
    expect(second.json).toMatchObject({ data: [{ direction: "outbound" }], next_cursor: null });
  });

  it("is asked for by days that there are, and by cursors that it gave", async () => {
    const madeUp = ["ten_1", "2026-02-31", "1", "none", "DE", "inbound", "false"];
    const cursor = Buffer.from(JSON.stringify(madeUp)).toString("base64url");
    for (const [query, status] of [
      ["from=2026-02-30", 400],
      ["to=0000-01-01", 400],
      ["cursor=nonsense", 400],
      [`cursor=${cursor}`, 200],
      ["from=2026-01-01&to=2026-01-02", 200],
    ] as const) {
      const answer = await tenant.call("GET", `/tenant/v1/usage?${query}`);
      expect([query, answer.status]).toEqual([query, status]);
    }
  });

  it("is shown to a token with `usage:read` only", async () => {
    const limited = await buildTenant(gateway, { scopes: ["messages:read"] });
    const answer = await limited.call("GET", "/tenant/v1/usage");
    expect([answer.status, answer.json.code]).toEqual([403, "insufficient_scope"]);
  });
});
