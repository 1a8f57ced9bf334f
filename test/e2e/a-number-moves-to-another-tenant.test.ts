import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { eventually } from "../support/eventually.ts";
import {
  buildTenant,
  startTestGateway,
  type TestGateway,
  type TestTenant,
  textMessage,
} from "../support/gateway.ts";

const USER = "4915112345678";

async function eventsOf(tenant: TestTenant): Promise<string[]> {
  const { json } = await tenant.call("GET", "/tenant/v1/events");
  return (json.data as { type: string }[]).map(({ type }) => type);
}

describe("a number that moves to another tenant", () => {
  let gateway: TestGateway;
  let from: TestTenant;
  let to: TestTenant;
  beforeAll(async () => {
    // Nothing is told but what the test tells.
    gateway = await startTestGateway({ simulator: { statuses: [] } });
    from = await buildTenant(gateway);
    to = await buildTenant(gateway);
  });
  afterAll(() => gateway.stop());

  const move = (number: string, tenantId: string) =>
    gateway.partner("POST", `/partner/v1/numbers/${number}/move`, { tenant_id: tenantId });

  async function sendAs(tenant: TestTenant): Promise<string> {
    const path = `/${from.phoneNumberId}/messages`;
    const sent = await tenant.call("POST", path, { body: textMessage(USER, "x") });
    expect(sent.status).toBe(200);
    const wamid = sent.json.messages[0].id as string;
    // Its row is written behind the answer.
    await eventually(async () => {
      const shown = await tenant.call("GET", `/tenant/v1/messages/${encodeURIComponent(wamid)}`);
      return shown.status === 200;
    });
    return wamid;
  }

  const tell = (messageId: string, status: "delivered" | "read"): void => {
    gateway.simulator.reportStatus({
      phoneNumberId: from.phoneNumberId,
      messageId,
      to: USER,
      status,
    });
  };

  it("takes its key along, and leaves what was sent before with who sent it", async () => {
    const before = await sendAs(from);
    const moved = await move(from.numberId, to.id);
    expect(moved.status).toBe(200);
    expect(moved.json).toMatchObject({ tenant_id: to.id, state: "running" });

    const refused = await from.call("POST", `/${from.phoneNumberId}/messages`, {
      body: textMessage(USER, "x"),
    });
    expect([refused.status, refused.json.code]).toEqual([404, "not_found"]);
    const after = await sendAs(to);

    tell(before, "read");
    tell(after, "delivered");
    gateway.simulator.receiveMessage({
      phoneNumberId: from.phoneNumberId,
      from: USER,
      text: "hello",
    });
    await eventually(async () => (await eventsOf(to)).length === 2);
    await eventually(async () => (await eventsOf(from)).length === 1);
    expect((await eventsOf(to)).toSorted()).toEqual([
      "message.received",
      "message.status.delivered",
    ]);
    expect(await eventsOf(from)).toEqual(["message.status.read"]);
    // The message's row follows the event.
    await eventually(async () => {
      const shown = await from.call("GET", `/tenant/v1/messages/${encodeURIComponent(before)}`);
      return shown.json.status === "read";
    });

    expect((await move(from.numberId, from.id)).json.tenant_id).toBe(from.id);
    tell(after, "read");
    await eventually(async () => (await eventsOf(to)).length === 3);
    await sendAs(from);
  });

  it("stays where it is when it is there already", async () => {
    const path = `/partner/v1/numbers/${to.numberId}`;
    const { headers } = await gateway.partner("GET", path);
    const moved = await move(to.numberId, to.id);
    expect([moved.status, moved.headers["etag"]]).toEqual([200, headers["etag"]]);
  });

  it("is one that there is, and so is the tenant", async () => {
    expect((await move("num_none", to.id)).status).toBe(404);
    const nowhere = await move(from.numberId, "ten_none");
    expect([nowhere.status, nowhere.json.code]).toEqual([422, "invalid_request"]);
    expect(nowhere.json.errors).toMatchObject([{ code: "unknown_tenant", pointer: "/tenant_id" }]);
  });
});
