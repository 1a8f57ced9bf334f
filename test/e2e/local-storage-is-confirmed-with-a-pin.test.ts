import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { dumpDatabase } from "../support/dump.ts";
import {
  addNumber,
  buildTenant,
  startTestGateway,
  type TestGateway,
  type TestTenant,
} from "../support/gateway.ts";

const PIN = "481516";

describe("a number's local storage", () => {
  let gateway: TestGateway;
  let tenant: TestTenant;
  let number: Awaited<ReturnType<typeof addNumber>>;
  let path: string;

  beforeAll(async () => {
    gateway = await startTestGateway({ env: { STORAGE_REGION: "DE" } });
    tenant = await buildTenant(gateway);
  });
  beforeEach(async () => {
    number = await addNumber(gateway, tenant.id);
    gateway.simulator.setNumberState(number.phoneNumberId, { pin: PIN });
    path = `/partner/v1/numbers/${number.numberId}/local-storage`;
  });
  afterAll(() => gateway.stop());

  const ask = (region: string) => gateway.partner("PUT", path, { region });
  const confirm = (body: object) => gateway.partner("POST", `${path}/confirm`, body);
  const registersAsked = (): number =>
    gateway.simulator.requests.filter(({ url }) => url === "/register").length;

  it("is asked for, needs the right PIN, and is then confirmed at 360dialog", async () => {
    expect((await gateway.partner("GET", path)).json).toMatchObject({ region: null, state: null });
    const asked = await ask("DE");
    expect(asked.json).toMatchObject({ region: "DE", state: "requested", warnings: [] });
    const wrong = await confirm({ pin: "000000" });
    expect([wrong.status, wrong.json.errors[0].code]).toEqual([422, "pin_rejected"]);
    const waits = await gateway.partner("GET", path);
    expect(waits.json).toMatchObject({ state: "pin_required", pin_attempts: 1 });
    const right = await confirm({ pin: PIN });
    expect(right.json).toMatchObject({ region: "DE", state: "confirmed", pin_attempts: 2 });
    expect(gateway.simulator.getNumber(number.phoneNumberId).region).toBe("DE");
    const registrations = await gateway.partner(
      "GET",
      `/partner/v1/numbers/${number.numberId}/registrations`,
    );
    expect(registrations.json.registrations_left).toBe(8);
    expect(registrations.json.data[0].kind).toBe("local_storage");
    const before = registersAsked();
    expect((await confirm({ pin: PIN })).json.state).toBe("confirmed");
    expect(registersAsked()).toBe(before);
    const again = await ask("DE");
    expect(again.json.state).toBe("confirmed");
  });

  it("can be confirmed by hand, which asks nobody and takes a slot", async () => {
    await ask("CH");
    const before = registersAsked();
    expect((await confirm({})).json).toMatchObject({ region: "CH", state: "confirmed" });
    expect(registersAsked()).toBe(before);
    const { json } = await gateway.partner("GET", `/partner/v1/numbers/${number.numberId}`);
    expect(json).toMatchObject({ registrations_left: 9, local_storage_region: "CH" });
  });

  it("begins anew with another region", async () => {
    await ask("CH");
    await confirm({});
    expect((await ask("IN")).json).toMatchObject({
      region: "IN",
      state: "requested",
      pin_attempts: 0,
    });
  });

  it("is refused where 360dialog has none, and where no region is asked for", async () => {
    const refused = await ask("AE");
    expect([refused.status, refused.json.errors[0].code]).toEqual([422, "region_not_offered"]);
    const none = await confirm({ pin: PIN });
    expect([none.status, none.json.errors[0].code]).toEqual([422, "region_missing"]);
    expect((await confirm({ pin: "12" })).status).toBe(422);
  });

  it("elsewhere than our own store is warned of, or refused where that is wished", async () => {
    expect((await ask("BR")).json).toMatchObject({
      storage_region: "DE",
      warnings: ["storage_region_differs"],
    });
    await gateway.partner("PATCH", `/partner/v1/numbers/${number.numberId}`, {
      guards: { storage_region: "enforce" },
    });
    const refused = await ask("IN");
    expect([refused.status, refused.json.errors[0].code]).toEqual([422, "storage_region_differs"]);
    expect((await gateway.partner("GET", path)).json.region).toBe("BR");
    expect((await ask("DE")).status).toBe(200);
  });

  it("leaves its PIN nowhere", async () => {
    await ask("DE");
    await confirm({ pin: PIN });
    const dump = await dumpDatabase(gateway.database.db);
    expect(dump).toContain("confirmLocalStorage");
    expect(dump).not.toContain(PIN);
  });
});
