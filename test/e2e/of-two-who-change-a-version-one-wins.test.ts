import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Answer, fetchToken } from "../support/call.ts";
import {
  BOOTSTRAP,
  buildTenant,
  startTestGateway,
  type TestGateway,
  type TestTenant,
} from "../support/gateway.ts";

type Call = (method: string, body?: object, ifMatch?: string) => Promise<Answer>;

let gateway: TestGateway;
let tenant: TestTenant;
let partnerToken: string;
beforeAll(async () => {
  gateway = await startTestGateway();
  partnerToken = await fetchToken(gateway.url, BOOTSTRAP);
  tenant = await buildTenant(gateway);
});
afterAll(() => gateway.stop());

/** A resource with its way of being changed; each change makes another version. */
type Resource = {
  name: string;
  build: () => Promise<Call>;
  method: "PATCH" | "PUT";
  change: (n: number) => object;
  /** Whether deleting it takes nothing that other tests use. */
  deletable: boolean;
};

function callerOf(path: string, token: string): Call {
  return (method, body, ifMatch) =>
    gateway.call(method, path, {
      token,
      ...(body && { body }),
      ...(ifMatch !== undefined && { headers: { "if-match": ifMatch } }),
    });
}

const asPartner = (path: string): Call => callerOf(path, partnerToken);
const asTenant = (path: string): Call => callerOf(path, tenant.token);

const RESOURCES: Resource[] = [
  {
    name: "a tenant",
    async build() {
      const { json } = await gateway.partner("POST", "/partner/v1/tenants", { name: "Acme" });
      return asPartner(`/partner/v1/tenants/${json.id}`);
    },
    method: "PATCH",
    change: (n) => ({ name: `Acme ${n}` }),
    deletable: true,
  },
  {
    name: "a number",
    build: () => Promise.resolve(asPartner(`/partner/v1/numbers/${tenant.numberId}`)),
    method: "PATCH",
    change: (n) => ({ channel_id: `channel${n}` }),
    deletable: false,
  },
  {
    name: "a tenant's own number",
    build: () => Promise.resolve(asTenant(`/tenant/v1/numbers/${tenant.phoneNumberId}`)),
    method: "PATCH",
    change: (n) => ({ guards: { opt_in: ["warn", "enforce", "off"][n % 3] } }),
    deletable: false,
  },
  {
    name: "an opt-in",
    async build() {
      const call = asTenant(`/tenant/v1/opt-ins/${tenant.phoneNumberId}/15550002222`);
      await call("PUT", optIn(0));
      return call;
    },
    method: "PUT",
    change: optIn,
    deletable: true,
  },
];

function optIn(n: number): object {
  return { source: "form", obtained_at: "2025-06-15T12:00:00Z", proof: `order ${n}` };
}

const etagOf = (answer: Answer): string => String(answer.headers["etag"]);

describe.each(RESOURCES)("$name", ({ build, method, change, deletable }) => {
  it("has a version, which its changes name and make another of", async () => {
    const call = await build();
    const first = etagOf(await call("GET"));
    expect(first).toMatch(/^"[\w-]{22}"$/);
    expect(etagOf(await call("GET"))).toBe(first);
    const changed = await call(method, change(1), first);
    expect(changed.status).toBe(200);
    expect(etagOf(changed)).not.toBe(first);
    expect(etagOf(await call("GET"))).toBe(etagOf(changed));
    const late = await call(method, change(2), first);
    expect([late.status, late.json.code]).toEqual([412, "etag_mismatch"]);
    expect((await call("GET")).body).toEqual(changed.body);
    expect((await call(method, change(3))).status).toBe(200);
    expect((await call(method, change(4), "*")).status).toBe(200);
    expect((await call(method, change(5), "no tag")).status).toBe(400);
  });

  it("is changed by one of many who name the same version at once", async () => {
    const call = await build();
    const version = etagOf(await call("GET"));
    const answers = await Promise.all(
      // Each makes another version, so that what is the same again is not taken for unchanged.
      Array.from({ length: 6 }, (_, n) => call(method, change(n * 3 + 2), version)),
    );
    const statuses = answers.map(({ status }) => status);
    expect(statuses.filter((status) => status === 200)).toHaveLength(1);
    expect(statuses.filter((status) => status === 412)).toHaveLength(5);
  });

  if (deletable) {
    it("is deleted in the version that is named only", async () => {
      const call = await build();
      const first = etagOf(await call("GET"));
      const second = etagOf(await call(method, change(6)));
      expect((await call("DELETE", undefined, first)).status).toBe(412);
      expect((await call("DELETE", undefined, second)).status).toBe(204);
      expect((await call("DELETE", undefined, second)).status).toBe(404);
    });
  }
});

describe("what is not there", () => {
  it("has no version that a PUT could name", async () => {
    const tenantOf = asPartner("/partner/v1/tenants/by-external-id/crm-1");
    expect((await tenantOf("PUT", { name: "Acme" }, "*")).status).toBe(412);
    const made = await tenantOf("PUT", { name: "Acme" });
    expect(made.status).toBe(201);
    expect((await tenantOf("PUT", { name: "Acme 2" }, etagOf(made))).status).toBe(200);
    expect((await tenantOf("PUT", { name: "Acme 3" }, etagOf(made))).status).toBe(412);
    const optInOf = asTenant(`/tenant/v1/opt-ins/${tenant.phoneNumberId}/15550003333`);
    expect((await optInOf("PUT", optIn(1), "*")).status).toBe(412);
  });
});
