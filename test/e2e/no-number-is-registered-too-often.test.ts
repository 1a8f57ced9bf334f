import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  addNumber,
  buildTenant,
  startTestGateway,
  type TestGateway,
  type TestTenant,
} from "../support/gateway.ts";

describe("a number", () => {
  let gateway: TestGateway;
  let tenant: TestTenant;
  let path: string;

  beforeAll(async () => {
    gateway = await startTestGateway();
    tenant = await buildTenant(gateway);
    path = `/partner/v1/numbers/${tenant.numberId}/registrations`;
  });
  afterAll(() => gateway.stop());

  const kinds = ["waba_creation", "display_name", "migration", "test_number"] as const;

  it("is registered ten times, and each time written down", async () => {
    for (let taken = 0; taken < 10; taken++) {
      const kind = kinds[taken % kinds.length];
      const answer = await gateway.partner("POST", path, { kind, note: `number ${taken}` });
      expect(answer.status).toBe(201);
      expect(answer.json).toMatchObject({ kind, note: `number ${taken}` });
      const number = await gateway.partner("GET", `/partner/v1/numbers/${tenant.numberId}`);
      expect(number.json.registrations_left).toBe(9 - taken);
    }
    expect(gateway.simulator.requests.some(({ url }) => url.includes("register"))).toBe(false);
  });

  it("is not registered an eleventh time; the answer says when it may be", async () => {
    const first = await gateway.partner("GET", `${path}?limit=1`);
    const all = await gateway.partner("GET", path);
    expect(all.json.data).toHaveLength(10);
    const oldest = all.json.data.at(-1) as { counts_until: string; registered_at: string };
    expect(Date.parse(oldest.counts_until) - Date.parse(oldest.registered_at)).toBe(259_200_000);
    const refused = await gateway.partner("POST", path, { kind: "migration" });
    expect([refused.status, refused.json.code]).toEqual([429, "registration_limit"]);
    expect(refused.json.next_free_at).toBe(oldest.counts_until);
    const retryAfter = Number(refused.headers["retry-after"]);
    expect(retryAfter).toBeGreaterThan(259_200 - 120);
    expect(retryAfter).toBeLessThanOrEqual(259_200);
    expect(first.json).toMatchObject({
      registrations_left: 0,
      next_free_at: oldest.counts_until,
      blocked_until: null,
    });
    const rest = await gateway.partner("GET", `${path}?cursor=${first.json.next_cursor}`);
    expect([...first.json.data, ...rest.json.data]).toEqual(all.json.data);
  });

  it("is counted by itself", async () => {
    const other = await addNumber(gateway, tenant.id);
    const answer = await gateway.partner(
      "POST",
      `/partner/v1/numbers/${other.numberId}/registrations`,
      { kind: "migration" },
    );
    expect(answer.status).toBe(201);
    const list = await gateway.partner("GET", `/partner/v1/numbers?tenant_id=${tenant.id}`);
    const left = list.json.data.map(
      (row: { registrations_left: number }) => row.registrations_left,
    );
    expect(left).toEqual([0, 9]);
  });

  it("is still full when it has left and come back", async () => {
    const { numberId, phoneNumberId, apiKey } = tenant;
    await gateway.partner("DELETE", `/partner/v1/numbers/${numberId}`);
    const back = await gateway.partner("POST", `/partner/v1/tenants/${tenant.id}/numbers`, {
      phone_number_id: phoneNumberId,
      api_key: apiKey,
    });
    expect(back.json.registrations_left).toBe(0);
  });

  it.each([
    [{ kind: "other" }, "/kind"],
    [{ kind: "local_storage" }, "/kind"],
    [{ kind: "migration", note: "" }, "/note"],
  ])("takes no slot for %j", async (body, pointer) => {
    const other = await addNumber(gateway, tenant.id);
    const its = `/partner/v1/numbers/${other.numberId}/registrations`;
    const answer = await gateway.partner("POST", its, body);
    expect([answer.status, answer.json.errors[0].pointer]).toEqual([422, pointer]);
    expect((await gateway.partner("GET", its)).json.registrations_left).toBe(10);
  });

  it("that 360dialog has blocked is blocked here for 72 hours from when that was learnt", async () => {
    const other = await addNumber(gateway, tenant.id);
    const its = `/partner/v1/numbers/${other.numberId}`;
    gateway.simulator.setNumberState(other.phoneNumberId, { registrationBlocked: true });
    await gateway.partner("PUT", `${its}/local-storage`, { region: "DE" });
    const asked = () => gateway.simulator.requests.filter(({ url }) => url === "/register").length;
    const before = asked();
    const learntMs = Date.now();
    const refused = await gateway.partner("POST", `${its}/local-storage/confirm`, {
      pin: "123456",
    });
    expect([refused.status, refused.json.code]).toEqual([429, "registration_limit"]);
    const freeInMs = Date.parse(refused.json.next_free_at) - learntMs;
    expect(freeInMs).toBeGreaterThanOrEqual(259_200_000 - 1000);
    expect(freeInMs).toBeLessThan(259_200_000 + 60_000);
    expect(asked()).toBe(before + 1);
    // It is not asked again, although slots were left.
    for (const call of ["local-storage/confirm", "registrations"]) {
      const body = call === "registrations" ? { kind: "migration" } : { pin: "123456" };
      const answer = await gateway.partner("POST", `${its}/${call}`, body);
      expect([answer.status, answer.json.next_free_at]).toEqual([429, refused.json.next_free_at]);
    }
    expect(asked()).toBe(before + 1);
    const list = await gateway.partner("GET", `${its}/registrations`);
    expect(list.json).toMatchObject({
      registrations_left: 0,
      blocked_until: refused.json.next_free_at,
    });
  });

  it("that does not exist has no registrations", async () => {
    const none = path.replace(/num_\w+/, "num_00000000000000000000000000");
    expect((await gateway.partner("GET", none)).status).toBe(404);
    expect((await gateway.partner("POST", none, { kind: "migration" })).status).toBe(404);
  });
});
