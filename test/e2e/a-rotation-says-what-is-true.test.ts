import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { eventually } from "../support/eventually.ts";
import { startTestGateway, type TestGateway, textMessage } from "../support/gateway.ts";
import { buildRotatingTenant } from "../support/rotating-number.ts";
import { startWatchedHub, type WatchedHub } from "../support/watched-hub.ts";

const body = textMessage("15550001111", "hello");

describe("a rotation that does not go well", () => {
  let gateway: TestGateway;
  let hub: WatchedHub;

  beforeAll(async () => {
    hub = await startWatchedHub(() => gateway.simulator.url);
    gateway = await startTestGateway({ env: { D360_HUB_URL: hub.url } });
  });
  afterAll(async () => {
    await gateway.stop();
    await hub.stop();
  });

  it("because the new key was lost on its way is 502, and is finished with another key", async () => {
    const tenant = await buildRotatingTenant(gateway);
    let made = 0;
    hub.onMade = () => (made += 1) > 1;
    const answer = await tenant.rotate();
    expect([answer.status, answer.json.code]).toEqual([502, "upstream_unreachable"]);
    expect(await tenant.history()).toMatchObject([{ outcome: null, code: "upstream_unreachable" }]);
    // The old key is dead and the new one lost: the call waits for the one after that.
    expect((await tenant.call("POST", "/messages", { body })).status).toBe(200);
    await eventually(async () => (await tenant.history())[0]?.outcome === "rotated");
    expect(await tenant.history()).toHaveLength(1);
    expect(made).toBe(2);
  });

  it("keeps calls waiting for 5 s at most, which then go with the key that there is", async () => {
    const tenant = await buildRotatingTenant(gateway);
    const { promise: held, resolve: letGo } = Promise.withResolvers<boolean>();
    hub.onAsked = () => held;
    const rotating = tenant.rotate();
    await eventually(async () => (await tenant.history()).length === 1);
    const beganMs = performance.now();
    const answer = await tenant.call("POST", "/messages", { body });
    const waitedMs = performance.now() - beganMs;
    expect(answer.status).toBe(200);
    expect(waitedMs).toBeGreaterThan(4500);
    expect(waitedMs).toBeLessThan(6500);
    letGo(true);
    expect((await rotating).status).toBe(200);
    hub.onAsked = () => true;
  });

  it("because 360dialog will not take our hook leaves the new key in use and says so", async () => {
    const tenant = await buildRotatingTenant(gateway);
    const { phoneNumberId } = tenant;
    const path = "/v1/configs/webhook";
    gateway.simulator.failNext({ kind: "answer", status: 400, path, phoneNumberId });
    const answer = await tenant.rotate();
    expect(answer.status).toBe(422);
    expect(await tenant.history()).toMatchObject([{ outcome: "webhook_not_set" }]);
    expect((await tenant.call("POST", "/messages", { body })).status).toBe(200);
  });

  it("because 360dialog is away for a moment is gone on with by itself", async () => {
    const tenant = await buildRotatingTenant(gateway);
    const { phoneNumberId } = tenant;
    const path = "/v1/configs/webhook";
    gateway.simulator.failNext({ kind: "answer", status: 503, path, phoneNumberId });
    expect((await tenant.rotate()).status).toBe(502);
    await eventually(async () => (await tenant.history())[0]?.outcome === "rotated");
    expect(gateway.simulator.getNumber(phoneNumberId).webhook?.url).toContain(gateway.url);
  });

  it("refuses a key that is given meanwhile, because that would be dead at once", async () => {
    const tenant = await buildRotatingTenant(gateway);
    const { promise: held, resolve: letGo } = Promise.withResolvers<boolean>();
    hub.onAsked = () => held;
    const rotating = tenant.rotate();
    await eventually(async () => (await tenant.history()).length === 1);
    const given = await gateway.partner("POST", tenant.keyPath, { api_key: tenant.apiKey });
    expect([given.status, given.json.code]).toEqual([409, "rotation_in_progress"]);
    letGo(true);
    expect((await rotating).status).toBe(200);
    hub.onAsked = () => true;
  });
});
