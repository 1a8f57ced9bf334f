import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Fragment } from "../../../src/inbox/fragment.ts";
import { split } from "../../../src/inbox/split.ts";
import {
  envelope,
  notification,
  notificationNames,
  numberValue,
  PHONE_NUMBER_ID,
  WABA_ID,
} from "../../fixtures/notification.ts";

const typesOf = (fragments: Fragment[]) => fragments.map(({ type }) => type);
const texts = (fragments: Fragment[]) => fragments.map(({ body }) => body.toString("utf8"));

type Envelope = {
  object?: unknown;
  entry: { id?: unknown; changes: { field?: unknown; value?: unknown }[] }[];
};
const parsed = (body: Buffer) => JSON.parse(body.toString("utf8")) as Envelope;
const valueOf = (fragment: Fragment) => parsed(fragment.body).entry[0]?.changes[0]?.value;

describe("split", () => {
  const EXPECTED: Record<string, string[]> = {
    "account-error": ["account.error"],
    "account-update": ["account.updated"],
    "app-state-sync": ["contact.synced", "contact.synced"],
    "call-connect": ["call.connect"],
    "call-status": ["call.status.ringing"],
    history: ["history.received"],
    "message-echo": ["message.echo"],
    "message-from-bsuid": ["message.received"],
    "message-group": ["message.received"],
    "message-image": ["message.received"],
    "message-text": ["message.received"],
    "message-unsupported": ["message.received"],
    "number-quality": ["number.quality_changed"],
    "partner-history": ["unknown.notification"],
    "several-in-one": [
      "message.received",
      "message.received",
      "message.status.delivered",
      "message.status.read",
      "message.received",
    ],
    "status-failed": ["message.status.failed"],
    "status-group": ["message.status.delivered", "message.status.delivered"],
    "status-sent": ["message.status.sent"],
    "template-status": ["template.status_changed"],
    "unknown-field": ["unknown.solar_flare_update"],
    "user-preferences": ["contact.preference_changed"],
  };

  it("is shown every notification there is", () => {
    expect(Object.keys(EXPECTED).toSorted()).toEqual(notificationNames);
  });

  it.each(notificationNames)("names each thing in %s", (name) => {
    expect(typesOf(split(notification(name)))).toEqual(EXPECTED[name]);
  });

  it.each(notificationNames.filter((name) => EXPECTED[name]?.length === 1))(
    "keeps the bytes of %s, which holds one thing",
    (name) => {
      const body = notification(name);
      expect(split(body)[0]?.body.equals(body)).toBe(true);
    },
  );

  it("puts each of several things into Meta's envelope by itself", () => {
    const fragments = split(notification("several-in-one"));
    for (const { body } of fragments) {
      const { object, entry } = parsed(body);
      expect(object).toBe("whatsapp_business_account");
      expect(entry).toHaveLength(1);
      expect(entry[0]?.id).toBe(WABA_ID);
      expect(entry[0]?.changes).toHaveLength(1);
      expect(typesOf(split(body))).toHaveLength(1);
    }
    expect(fragments.map(({ phoneNumberId }) => phoneNumberId)).toEqual([
      PHONE_NUMBER_ID,
      PHONE_NUMBER_ID,
      PHONE_NUMBER_ID,
      PHONE_NUMBER_ID,
      "106540352242923",
    ]);
  });

  it("gives each message its own contact and no other's", () => {
    const [first, second] = split(notification("several-in-one"));
    expect(texts([first, second] as Fragment[])).toEqual([
      expect.not.stringContaining("Robin"),
      expect.not.stringContaining("Kerry"),
    ]);
    expect(valueOf(first as Fragment)).toMatchObject({
      contacts: [{ profile: { name: "Kerry" }, wa_id: "15550002222" }],
    });
  });

  it("keeps a contact that belongs to none of the messages", () => {
    const contacts = [{ wa_id: "15550002222" }, { wa_id: "15550009999" }];
    const messages = ["a", "b"].map((id) => ({ from: "15550002222", id }));
    const fragments = split(
      envelope([{ field: "messages", value: numberValue({ contacts, messages }) }]),
    );
    expect(texts(fragments).join("")).toContain("15550009999");
  });

  it("keeps what stands beside the lists", () => {
    const value = numberValue({
      statuses: [
        { id: "wamid.A", status: "sent" },
        { id: "wamid.B", status: "sent" },
      ],
      messages: { id: "wamid.not-in-a-list" },
      surprise: { nested: true },
      surprises: [1, 2],
    });
    const fragments = split(envelope([{ field: "messages", value }]));
    expect(typesOf(fragments)).toEqual([
      "message.status.sent",
      "message.status.sent",
      "unknown.messages",
    ]);
    for (const word of ["wamid.not-in-a-list", "surprise", '"surprises":[1,2]']) {
      expect(texts(fragments).join("")).toContain(word);
    }
  });

  it("keeps the digits of numbers that it writes again", () => {
    const digits = ["1.0", "-0", "1e3", "12345678901234567890", "0.10", "1E+2"];
    const messages = digits.map((n, i) => `{"id":"wamid.${i}","from":"1","n":${n}}`).join(",");
    const fragments = split(
      Buffer.from(
        `{"entry":[{"id":"1","changes":[{"field":"messages","value":{"messages":[${messages}]}}]}]}`,
      ),
    );
    expect(texts(fragments).map((text) => /"n":([^}]*)\}/.exec(text)?.[1])).toEqual(digits);
  });

  it.each([
    ["an id in digits", 106540352242922, "106540352242922"],
    ["a longer id than a double holds", "12345678901234567890", "12345678901234567890"],
    ["text", PHONE_NUMBER_ID, PHONE_NUMBER_ID],
    ["nothing", null, null],
    ["no text", "", null],
  ])("reads a phone_number_id that is %s", (_name, id, expected) => {
    const json = typeof id === "number" ? id : JSON.stringify(id);
    const raw = id === "12345678901234567890" ? id : json;
    const body = `{"entry":[{"id":"1","changes":[{"field":"x","value":{"metadata":{"phone_number_id":${raw}}}}]}]}`;
    expect(split(Buffer.from(body))[0]?.phoneNumberId).toBe(expected);
  });

  it.each([
    ["an object", { a: 1 }],
    ["a list", [1]],
    ["a truth value", true],
    ["with NUL", "5\0"],
  ])(
    "takes a phone_number_id that is %s for some number's, never for the whole WABA's",
    (_name, id) => {
      const value = numberValue({ messages: [{ id: "wamid.A" }] }, id);
      const [fragment] = split(envelope([{ field: "messages", value }]));
      expect(fragment?.phoneNumberId).toEqual(expect.any(String));
      // PostgreSQL's text has no NUL: such an event could never be stored.
      expect(fragment?.phoneNumberId).not.toContain("\0");
    },
  );

  it.each(["constructor", "__proto__", "toString", "hasOwnProperty", "prototype"])(
    "takes the field %s for an unknown one",
    (field) => {
      const fragments = split(envelope([{ field, value: numberValue({ [field]: [1] }) }]));
      expect(fragments).toHaveLength(1);
      expect(fragments[0]?.type).toMatch(/^unknown\.\w+$/);
    },
  );

  it.each([
    ["nothing", ""],
    ["no JSON", "<html>502</html>"],
    ["half of some JSON", '{"entry":[{"id":'],
    ["bytes that are no text", Buffer.from([0xff, 0xfe, 0x00, 0x80])],
    ["text", '"hello"'],
    ["a number", "12345678901234567890"],
    ["null", "null"],
    ["a list", "[]"],
    ["an empty object", "{}"],
    ["no entries", '{"entry":[]}'],
    ["entries that are no list", '{"entry":{"0":{"changes":[]}}}'],
    ["an entry without changes", '{"entry":[{"id":"1"}]}'],
    ["a change that is null", '{"entry":[{"id":"1","changes":[null]}]}'],
    ["a nesting too deep to read", `${"[".repeat(100_000)}${"]".repeat(100_000)}`],
  ])("keeps %s whole", (_name, body) => {
    const bytes = Buffer.from(body);
    const fragments = split(bytes);
    expect(typesOf(fragments)).toEqual(["unknown.notification"]);
    expect(fragments[0]?.body.equals(bytes)).toBe(true);
  });

  it("makes one event of any bytes at all, and never throws", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        expect(split(Buffer.from(bytes)).length).toBeGreaterThan(0);
      }),
    );
  });

  it("makes an event of any JSON at all, and never throws", () => {
    fc.assert(
      fc.property(fc.json({ maxDepth: 6 }), (json) => {
        expect(split(Buffer.from(json)).length).toBeGreaterThan(0);
      }),
    );
  });

  const names = [
    ..."messages statuses errors contacts metadata calls message_echoes history".split(" "),
    ..."state_sync user_preferences constructor __proto__ surprise messaging_product".split(" "),
  ];
  const fields = [
    ..."messages calls history smb_message_echoes user_preferences smb_app_state_sync".split(" "),
    ..."account_update constructor __proto__ surprise".split(" "),
  ];
  const item = fc.oneof(
    fc.jsonValue({ maxDepth: 2 }),
    fc.record(
      {
        id: fc.oneof(fc.constantFrom("a", "b", ""), fc.jsonValue({ maxDepth: 1 })),
        from: fc.constantFrom("1", "2"),
        recipient_id: fc.constantFrom("1", "2"),
        wa_id: fc.constantFrom("1", "2", "3"),
        status: fc.constantFrom("sent", "read", 5, null),
        tag: fc.integer(),
      },
      { requiredKeys: ["tag"] },
    ),
  );
  const member = fc.oneof(
    fc.jsonValue({ maxDepth: 2 }),
    fc.array(item, { minLength: 1, maxLength: 4 }),
  );
  // As text, so that `__proto__` is a member like any other.
  const value = fc
    .uniqueArray(fc.tuple(fc.constantFrom(...names), member), { selector: ([name]) => name })
    .map(toObjectText);
  const change = fc
    .tuple(
      fc.constantFrom(...fields),
      fc.oneof({ weight: 4, arbitrary: value }, { weight: 1, arbitrary: fc.json({ maxDepth: 2 }) }),
    )
    .map(([field, text]) => `{"field":${JSON.stringify(field)},"value":${text}}`);
  const entries = fc
    .array(fc.array(change, { minLength: 1, maxLength: 3 }), { minLength: 1, maxLength: 3 })
    .map((list) => list.map((changes) => `{"id":"1","changes":[${changes.join(",")}]}`))
    .map((list) => `{"object":"x","entry":[${list.join(",")}]}`);

  it("drops nothing of any envelope, whatever stands in its places", () => {
    fc.assert(
      fc.property(entries, (text) => {
        const fragments = split(Buffer.from(text));
        const kept = new Set(fragments.flatMap(({ body }) => thingsIn(parsed(body))));
        expect(thingsIn(parsed(Buffer.from(text))).filter((thing) => !kept.has(thing))).toEqual([]);
      }),
      { numRuns: 2000 },
    );
  });

  it("makes of each fragment's body that same fragment again", () => {
    fc.assert(
      fc.property(entries, (text) => {
        for (const fragment of split(Buffer.from(text))) {
          const again = split(fragment.body);
          expect(again.map(({ type, identityParts }) => [type, identityParts])).toEqual([
            [fragment.type, fragment.identityParts],
          ]);
        }
      }),
    );
  });
});

function toObjectText(members: [name: string, value: unknown][]): string {
  return `{${members.map(([name, member]) => `${JSON.stringify(name)}:${JSON.stringify(member)}`).join(",")}}`;
}

/** Everything in an envelope that must be found again in one of its fragments. */
function thingsIn(all: Envelope): string[] {
  return all.entry.flatMap(({ changes }) =>
    changes.flatMap(({ field, value }) => {
      if (typeof value !== "object" || value === null || Array.isArray(value)) {
        return [JSON.stringify([field, value])];
      }
      return Object.entries(value).flatMap(([name, member]: [string, unknown]) =>
        Array.isArray(member)
          ? member.map((each) => JSON.stringify([field, name, each]))
          : [JSON.stringify([field, name, member])],
      );
    }),
  );
}
