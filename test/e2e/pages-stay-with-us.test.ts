import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  buildTenant,
  startTestGateway,
  type TestGateway,
  type TestTenant,
} from "../support/gateway.ts";

const TEMPLATES = 7;

/** Clients follow `paging.next` blindly; upstream's would lead past the gateway with its token. */
describe("a list of upstream's", () => {
  let gateway: TestGateway;
  let tenant: TestTenant;

  beforeAll(async () => {
    gateway = await startTestGateway({ simulator: { statuses: [] } });
    tenant = await buildTenant(gateway);
    for (let index = 0; index < TEMPLATES; index++) {
      gateway.simulator.addTemplate(tenant.phoneNumberId, { name: `template_${index}` });
    }
  });
  afterAll(() => gateway.stop());

  it.each([
    ["/v23.0/WABA/message_templates?limit=2", true],
    ["/WABA/message_templates?limit=2", true],
    ["/v14.0/WABA/message_templates?limit=2&access_token=TOKEN", false],
    ["/message_templates?phone_number_id=PID&limit=2", true],
    ["/PID/message_templates?limit=2", true],
  ])("is followed page by page from %s", async (form, withHeader) => {
    const path = form
      .replace("WABA", tenant.wabaId)
      .replace("PID", tenant.phoneNumberId)
      .replace("TOKEN", tenant.token);
    const names: string[] = [];
    let next: string | undefined = gateway.url + path;
    while (next !== undefined) {
      expect(next.startsWith(gateway.url + path.replace(/\?.*/, ""))).toBe(true);
      const answer = await fetch(next, {
        headers: withHeader ? { authorization: `Bearer ${tenant.token}` } : {},
      });
      expect(answer.status).toBe(200);
      const page = (await answer.json()) as {
        data: { name: string }[];
        paging?: { next?: string };
      };
      names.push(...page.data.map(({ name }) => name));
      next = page.paging?.next;
      expect(JSON.stringify(page)).not.toContain("graph.facebook.com");
      expect(next?.includes("access_token=") ?? !withHeader).toBe(!withHeader);
    }
    expect(names.toSorted()).toEqual(
      Array.from({ length: TEMPLATES }, (_, index) => `template_${index}`),
    );
  });

  it("is followed by offset on 360dialog's own path", async () => {
    const first = await tenant.call("GET", "/v1/configs/templates?limit=5&offset=0");
    const second = await tenant.call("GET", "/v1/configs/templates?limit=5&offset=5");
    expect([first.json.count, second.json.count, first.json.total]).toEqual([5, 2, TEMPLATES]);
  });
});
