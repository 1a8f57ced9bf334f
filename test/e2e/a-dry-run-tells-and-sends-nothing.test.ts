import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import type { Answer } from "../support/call.ts";
import { buildTenant, startTestGateway, type TestGateway } from "../support/gateway.ts";
import {
  buildJudgedTenant,
  IN_CUBA,
  type JudgedTenant,
  newUser,
  setGuards,
  template,
  text,
} from "../support/judged-tenant.ts";

let gateway: TestGateway;
let tenant: JudgedTenant;

const CODES = [
  "window_closed",
  "opt_in_missing",
  "opted_out",
  "destination_restricted",
  "template_unavailable",
];
type Check = { code: string; result: string; detail: string };
const dryRun = (body: object, path = "/messages") => tenant.send(body, `${path}?dry_run=true`);
const resultsOf = ({ json }: Answer) =>
  Object.fromEntries((json.checks as Check[]).map(({ code, result }) => [code, result]));

beforeAll(async () => {
  gateway = await startTestGateway({ simulator: { statuses: [] } });
  tenant = await buildJudgedTenant(gateway);
});
afterEach(async () => {
  gateway.simulator.clearRequests();
  await setGuards(tenant, "off");
});
afterAll(() => gateway.stop());

describe("a dry run", () => {
  it("asks every guard, also those that are off, and every limit, and sends nothing", async () => {
    await tenant.syncTemplates();
    const user = newUser();
    const refused = await dryRun(template(user, "never_made"));
    expect([refused.status, refused.json.verdict]).toEqual([200, "refuse"]);
    expect(resultsOf(refused)).toEqual({
      window_closed: "pass",
      opt_in_missing: "refuse",
      opted_out: "pass",
      destination_restricted: "pass",
      template_unavailable: "refuse",
      rate_limited: "pass",
    });
    for (const check of refused.json.checks as Check[]) {
      expect(check.detail).toMatch(/^[A-Z].*\.$/);
    }
    expect(resultsOf(await dryRun(text(IN_CUBA)))["destination_restricted"]).toBe("refuse");
    expect(resultsOf(await dryRun(text(user)))["window_closed"]).toBe("refuse");
    await tenant.receiveFrom(user);
    const good = await dryRun(text(user), `/v23.0/${tenant.phoneNumberId}/messages`);
    expect([good.status, good.json.verdict]).toEqual([200, "send"]);
    expect(Object.keys(resultsOf(good))).toEqual([...CODES, "rate_limited"]);
    expect(tenant.sentUpstream()).toBe(0);
  });

  it("answers alike under guards in force, and counts as no send", async () => {
    const own = await buildTenant(gateway, { name: "Trying" });
    await setGuards(own, "enforce", ["destination"]);
    const path = "/messages?dry_run=true";
    const cuba = await own.call("POST", path, { body: text(IN_CUBA) });
    expect([cuba.status, cuba.json.verdict]).toEqual([200, "refuse"]);
    const user = newUser();
    const many = (count: number, where: string, to: () => string) =>
      Promise.all(
        Array.from({ length: count }, () => own.call("POST", where, { body: text(to()) })),
      );
    const dry = await many(100, path, () => user);
    expect(new Set(dry.map(({ json }) => json.verdict as string))).toEqual(new Set(["send"]));
    const sent = [
      ...(await many(45, "/messages", () => user)),
      ...(await many(35, "/messages", newUser)),
    ];
    expect(new Set(sent.map(({ status }) => status))).toEqual(new Set([200]));
    const full = await own.call("POST", path, { body: text(user) });
    expect(full.json).toMatchObject({ verdict: "refuse" });
    expect(resultsOf(full)["rate_limited"]).toBe("refuse");
  });

  it("refuses for a number that cannot send", async () => {
    const own = await buildTenant(gateway, { name: "Suspended" });
    await gateway.partner("POST", `/partner/v1/numbers/${own.numberId}/suspend`);
    const tried = async () => own.call("POST", "/messages?dry_run=true", { body: text(newUser()) });
    await expect.poll(async () => (await tried()).json.verdict as string).toBe("refuse");
    expect(resultsOf(await tried())["tenant_suspended"]).toBe("refuse");
  });

  it.each([
    ["/messages?dry_run=1"],
    ["/messages?dry_run=True"],
    ["/messages?dry_run"],
    ["/messages?dry_run=true&dry_run=false"],
    ["/calls?dry_run=true"],
    ["/groups?dry_run=true"],
  ])("that is not written as one reaches nobody: %s", async (path) => {
    const answer = await tenant.send(text(newUser()), path);
    expect([answer.status, answer.json.code]).toEqual([400, "invalid_parameter"]);
    expect(tenant.sentUpstream()).toBe(0);
    expect(gateway.simulator.requests).toEqual([]);
  });

  it("needs what a send needs", async () => {
    const reader = await buildTenant(gateway, { scopes: ["messages:read"] });
    const path = "/messages?dry_run=true";
    const answer = await reader.call("POST", path, { body: text(newUser()) });
    expect([answer.status, answer.json.code]).toEqual([403, "insufficient_scope"]);
  });
});
