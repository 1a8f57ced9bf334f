import { describe, expect, it } from "vitest";
import { copyForPartner } from "../../../src/events/partner-copy.ts";
import { asOwnerMayKnow } from "../../../src/fanout/partner-knowledge.ts";
import { event } from "../../integration/rows.ts";

const BODY =
  '{"object":"x","entry":[{"id":"1","changes":[{"value":{"n":12345678901234567890}}]}]}\n';

describe("the partner's copy of a tenant's event", () => {
  it.each(["endpoint.disabled", "number.quality_changed", "alert.key", "onboarding.channel_live"])(
    "is made of %s, names the tenant and keeps every digit",
    (type) => {
      const given = event("ten_a", { type, body: Buffer.from(BODY) });
      const copy = copyForPartner(given);
      expect(copy?.tenantId).toBe("");
      expect(copy?.identity).not.toEqual(given.identity);
      expect(copy?.body.toString()).toBe(`${BODY.trimEnd().slice(0, -1)},"tenant_id":"ten_a"}`);
    },
  );

  it.each(["message.received", "message.status.read", "contact.synced", "unknown.number.x"])(
    "is not made of %s",
    (type) => expect(copyForPartner(event("ten_a", { type }))).toBeUndefined(),
  );

  it("is not made of what has no owner, which is the partner's already", () => {
    expect(copyForPartner(event("", { type: "alert.key" }))).toBeUndefined();
  });

  it("says whose it was, whatever else its envelope says", () => {
    const body = Buffer.from('{"tenant_id":"ten_other","entry":[]}');
    const copy = copyForPartner(event("ten_a", { type: "number.name_changed", body }));
    const known = asOwnerMayKnow({
      type: "number.name_changed",
      tenant_id: "",
      phone_number_id: null,
      waba_id: null,
      body: copy?.body ?? Buffer.of(),
    });
    expect(known.tenant_id).toBe("ten_a");
  });
});

const of = (type: string, tenant_id = "") => ({
  type,
  tenant_id,
  phone_number_id: "7",
  waba_id: "8",
  body: Buffer.from("not even JSON"),
});

describe("what the partner may know of an event without an owner", () => {
  it.each(["message.received", "contact.synced", "history.received", "unknown.notification"])(
    "is of %s that it came, and not what it says",
    (type) => {
      const { body, tenant_id } = asOwnerMayKnow(of(type));
      expect(tenant_id).toBeNull();
      expect(body.toString()).not.toContain("not even");
      expect(JSON.parse(body.toString())).toMatchObject({
        entry: [{ id: "8", changes: [{ field: type, value: { content: "withheld", bytes: 13 } }] }],
      });
    },
  );

  it("leaves a tenant's own as it is", () => {
    const given = of("message.received", "ten_a");
    expect(asOwnerMayKnow(given)).toBe(given);
  });
});
