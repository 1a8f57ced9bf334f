import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { NO_TENANT } from "../../../src/events/no-tenant.ts";
import type { NewEvent } from "../../../src/events/write-notifications.ts";
import { ownEvents } from "../../../src/inbox/own-events.ts";
import { split } from "../../../src/inbox/split.ts";
import type { HookOwner } from "../../../src/tenancy/hooks.ts";
import {
  envelope,
  notification,
  notificationNames,
  numberValue,
  PHONE_NUMBER_ID,
  WABA_ID,
} from "../../fixtures/notification.ts";

const OTHER_NUMBER_ID = "106540352242923";

function hookOf(fields: Partial<HookOwner> = {}): HookOwner {
  return {
    secretSha256: Buffer.alloc(32),
    numberId: "num_a",
    phoneNumberId: PHONE_NUMBER_ID,
    wabaId: WABA_ID,
    tenantId: "ten_a",
    formerTenantIds: [],
    expiresAt: null,
    ...fields,
  };
}

async function eventsOf(
  body: Buffer | string,
  owner: Partial<HookOwner> = {},
  tenantsOfWaba: string[] = ["ten_a"],
): Promise<NewEvent[]> {
  return ownEvents(split(Buffer.from(body)), hookOf(owner), {
    tenantsOfWaba: async () => tenantsOfWaba,
    sender: async ({ tenantIds, wamid }) => (wamid === "wamid.former" ? tenantIds[0] : undefined),
  });
}

const tenantsOf = (events: NewEvent[]) => events.map(({ tenantId }) => tenantId);
const identitiesOf = (events: NewEvent[]) => events.map(({ identity }) => identity.toString("hex"));
const messages = (...list: object[]) => ({
  field: "messages",
  value: numberValue({ messages: list }),
});
const statuses = (...list: object[]) => ({
  field: "messages",
  value: numberValue({ statuses: list }),
});

describe("the owner of an event", () => {
  it("is the tenant whose number's hook it came over", async () => {
    expect(tenantsOf(await eventsOf(notification("message-text")))).toEqual(["ten_a"]);
  });

  it("is who sent the message, for a status that comes when the number has moved", async () => {
    const status = { status: "read", recipient_id: "15550002222", timestamp: "1700000000" };
    const bodies = [
      envelope([statuses({ id: "wamid.former", ...status })]),
      envelope([statuses({ id: "wamid.own", ...status })]),
      envelope([messages({ id: "wamid.former", from: "15550002222", type: "text" })]),
    ];
    const tenants = async (formerTenantIds: string[]) =>
      (await Promise.all(bodies.map((body) => eventsOf(body, { formerTenantIds })))).flatMap(
        tenantsOf,
      );
    expect(await tenants(["ten_z"])).toEqual(["ten_z", "ten_a", "ten_a"]);
    expect(await tenants([])).toEqual(["ten_a", "ten_a", "ten_a"]);
  });

  it("is nobody for what is another number's", async () => {
    const events = await eventsOf(notification("several-in-one"));
    expect(tenantsOf(events)).toEqual(["ten_a", "ten_a", "ten_a", "ten_a", NO_TENANT]);
  });

  it("is each tenant with a number on the WABA, for what has no number", async () => {
    const events = await eventsOf(notification("template-status"), {}, ["ten_a", "ten_b"]);
    expect(tenantsOf(events)).toEqual(["ten_a", "ten_b"]);
    expect(new Set(identitiesOf(events)).size).toBe(2);
  });

  it("is nobody for what is another WABA's", async () => {
    const events = await eventsOf(notification("template-status"), { wabaId: "1" });
    expect(tenantsOf(events)).toEqual([NO_TENANT]);
  });

  it("is nobody, and the event is kept, when the WABA's last number has just gone", async () => {
    expect(tenantsOf(await eventsOf(notification("template-status"), {}, []))).toEqual([NO_TENANT]);
  });

  it("is the hook's tenant for what has no envelope", async () => {
    for (const body of ["", "<html>", "{}", notification("partner-history")]) {
      expect(tenantsOf(await eventsOf(body))).toEqual(["ten_a"]);
    }
  });

  it("is never asked of a WABA for a message whose number is not text", async () => {
    const value = numberValue({ messages: [{ id: "wamid.A" }] }, Number(OTHER_NUMBER_ID));
    const events = await eventsOf(envelope([{ field: "messages", value }]), {}, ["ten_b"]);
    expect(tenantsOf(events)).toEqual([NO_TENANT]);
  });

  it("exists for everything that any JSON holds", async () => {
    await fc.assert(
      fc.asyncProperty(fc.json({ maxDepth: 5 }), async (json) => {
        const fragments = split(Buffer.from(json));
        expect((await eventsOf(json)).length).toBeGreaterThanOrEqual(fragments.length);
      }),
    );
  });
});

const call = (event: string) => ({
  field: "calls",
  value: numberValue({ calls: [{ id: "wacid.A", event }] }),
});

const quality = (event: string, time: number) =>
  envelope([{ field: "phone_number_quality_update", value: { event } }], { time });

const change = (id: string) => ({
  field: "messages",
  value: numberValue({ messages: [{ id: "wamid.A" }] }, id),
});

describe("the identity of an event", () => {
  const anyMessages = fc.uniqueArray(fc.string({ minLength: 1, maxLength: 8 }), {
    minLength: 1,
    maxLength: 6,
  });

  it("is the same however messages are batched and ordered", async () => {
    await fc.assert(
      fc.asyncProperty(anyMessages, fc.func(fc.integer()), async (ids, order) => {
        const list = ids.map((id) => ({ id, from: "15550002222", text: { body: id } }));
        const together = await eventsOf(envelope([messages(...list)]));
        const shuffled = list.toSorted((left, right) => order(left.id) - order(right.id));
        const apart = await eventsOf(envelope(shuffled.map((message) => messages(message))));
        expect(identitiesOf(apart).toSorted()).toEqual(identitiesOf(together).toSorted());
        expect(new Set(identitiesOf(together)).size).toBe(ids.length);
      }),
    );
  });

  it("is the same however statuses are batched", async () => {
    const list = ["sent", "delivered", "read"].map((status) => ({
      id: "wamid.A",
      status,
      recipient_id: "15550002222",
    }));
    const together = identitiesOf(await eventsOf(envelope([statuses(...list)])));
    const apart = identitiesOf(await eventsOf(envelope(list.map((status) => statuses(status)))));
    expect(apart).toEqual(together);
    expect(new Set(together).size).toBe(3);
  });

  it.each([
    ["entry's id and time", { id: "1", time: 1 }, {}],
    ["message's text and time", {}, { text: { body: "edited on the way" }, timestamp: "2" }],
    ["contacts", {}, { contacts: [{ wa_id: "1" }] }],
  ])("of a message does not depend on the %s", async (_name, entry, changed) => {
    const message = { id: "wamid.A", from: "15550002222" };
    const before = await eventsOf(envelope([messages(message)]));
    const after = await eventsOf(envelope([messages({ ...message, ...changed })], entry));
    expect(identitiesOf(after)).toEqual(identitiesOf(before));
  });

  it.each([
    ["another status", { status: "read" }],
    ["another recipient", { recipient_id: "15550003333" }],
    ["another participant of a group", { recipient_participant_id: "15550003333" }],
    ["another message", { id: "wamid.B" }],
  ])("of a status is another one for %s", async (_name, changed) => {
    const status = { id: "wamid.A", status: "sent", recipient_id: "15550002222" };
    const before = await eventsOf(envelope([statuses(status)]));
    const after = await eventsOf(envelope([statuses({ ...status, ...changed })]));
    expect(identitiesOf(after)).not.toEqual(identitiesOf(before));
  });

  it("of a call is another one for each of its events", async () => {
    const events = await eventsOf(envelope([call("connect"), call("terminate"), call("connect")]));
    const [connect, terminate, again] = identitiesOf(events);
    expect(terminate).not.toBe(connect);
    expect(again).toBe(connect);
  });

  it("is never shared by two numbers", async () => {
    const first = await eventsOf(envelope([change(PHONE_NUMBER_ID)]));
    const second = await eventsOf(envelope([change(OTHER_NUMBER_ID)]), {
      phoneNumberId: OTHER_NUMBER_ID,
    });
    expect(identitiesOf(second)).not.toEqual(identitiesOf(first));
  });

  // Else the message would be taken for a repeat when it comes over its own hook.
  it("of what strayed to another's hook is not that of the event that its owner gets", async () => {
    const body = notification("message-text");
    const strayed = await eventsOf(body, { phoneNumberId: OTHER_NUMBER_ID, tenantId: "ten_b" });
    expect(tenantsOf(strayed)).toEqual([NO_TENANT]);
    expect(identitiesOf(strayed)).not.toEqual(identitiesOf(await eventsOf(body)));
  });

  it("of the same body without an envelope is another one for each number", async () => {
    const first = await eventsOf('{"ping":1}');
    const second = await eventsOf('{"ping":1}', { phoneNumberId: OTHER_NUMBER_ID });
    expect(identitiesOf(second)).not.toEqual(identitiesOf(first));
    expect(identitiesOf(await eventsOf('{"ping":1}'))).toEqual(identitiesOf(first));
  });

  it("makes FLAGGED, UNFLAGGED, FLAGGED three events", async () => {
    const events = await Promise.all([
      eventsOf(quality("FLAGGED", 1)),
      eventsOf(quality("UNFLAGGED", 2)),
      eventsOf(quality("FLAGGED", 3)),
      eventsOf(quality("FLAGGED", 3)),
    ]);
    expect(new Set(events.flatMap(identitiesOf)).size).toBe(3);
  });

  it("tells fields apart whose names are not words", async () => {
    const body = envelope(["a-b", "c.d", "A-B", 5, null].map((field) => ({ field, value: 1 })));
    expect(new Set(identitiesOf(await eventsOf(body))).size).toBe(5);
  });

  it("tells things without an id apart, by what they are and where they stand", async () => {
    const value = numberValue({
      messages: [{}, { id: "", n: 1 }, { id: "", n: 2 }, { id: 5 }],
      statuses: [{}],
      errors: [{}],
    });
    const events = await eventsOf(envelope([{ field: "messages", value }]));
    expect(new Set(identitiesOf(events)).size).toBe(6);
  });

  it.each(notificationNames)("is the same for each repeat of %s", async (name) => {
    const [first, second] = [
      await eventsOf(notification(name)),
      await eventsOf(notification(name)),
    ];
    expect(identitiesOf(second)).toEqual(identitiesOf(first));
    expect(new Set(identitiesOf(first)).size).toBe(first.length);
  });
});
