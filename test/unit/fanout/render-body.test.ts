import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type RenderableEvent, renderBody } from "../../../src/fanout/render-body.ts";
import { notification, notificationNames } from "../../fixtures/notification.ts";

function event(body: Buffer | string, fields: Partial<RenderableEvent> = {}): RenderableEvent {
  return {
    id: "evt_01jd8qv4m0x5k7r2t9w3y6z1ab",
    type: "message.received",
    tenant_id: "ten_01jd8qv4m0x5k7r2t9w3y6z1ab",
    phone_number_id: "106540352242922",
    waba_id: "102290129340398",
    received_at: new Date("2025-06-15T12:00:00.000Z"),
    body: Buffer.from(body),
    ...fields,
  };
}

const text = (format: Parameters<typeof renderBody>[0], of: RenderableEvent) =>
  renderBody(format, of).body.toString("utf8");

const envelope = (value: string) => `{"entry":[{"changes":[{"value":${value}}]}]}`;

describe("the body of a delivery", () => {
  it("in Meta's form is what came in, byte for byte", () => {
    fc.assert(
      fc.property(fc.uint8Array(), (bytes) => {
        const { body } = renderBody("cloud_api", event(Buffer.from(bytes)));
        expect(body.equals(bytes)).toBe(true);
      }),
    );
  });

  it("in our own form is the event with Meta's value as its data", () => {
    const rendered = renderBody("event", event(envelope('{"a":1}')));
    expect(rendered.contentType).toBe("application/json");
    expect(JSON.parse(rendered.body.toString("utf8"))).toEqual({
      id: "evt_01jd8qv4m0x5k7r2t9w3y6z1ab",
      type: "message.received",
      timestamp: "2025-06-15T12:00:00.000Z",
      api_version: "1",
      tenant_id: "ten_01jd8qv4m0x5k7r2t9w3y6z1ab",
      phone_number_id: "106540352242922",
      waba_id: "102290129340398",
      data: { a: 1 },
    });
  });

  it("as a CloudEvent has the members that CloudEvents 1.0 demands", () => {
    const rendered = renderBody("cloudevents", event(envelope('{"a":1}')));
    expect(rendered.contentType).toBe("application/cloudevents+json");
    expect(JSON.parse(rendered.body.toString("utf8"))).toEqual({
      specversion: "1.0",
      id: "evt_01jd8qv4m0x5k7r2t9w3y6z1ab",
      source: "/tenants/ten_01jd8qv4m0x5k7r2t9w3y6z1ab/numbers/106540352242922",
      type: "message.received",
      time: "2025-06-15T12:00:00.000Z",
      datacontenttype: "application/json",
      data: { a: 1 },
    });
  });

  it("names no number where there is none", () => {
    const of = event(envelope("1"), { phone_number_id: null, waba_id: null });
    expect(JSON.parse(text("event", of))).toMatchObject({ phone_number_id: null, waba_id: null });
    expect(JSON.parse(text("cloudevents", of))).toMatchObject({
      source: "/tenants/ten_01jd8qv4m0x5k7r2t9w3y6z1ab/numbers/-",
    });
  });

  it.each(["event", "cloudevents"] as const)("keeps digits in the form %s", (format) => {
    const value = '{"a":1.0,"b":12345678901234567890,"c":-0,"d":1e3}';
    expect(text(format, event(envelope(value)))).toContain(`"data":${value}`);
  });

  it.each(["event", "cloudevents"] as const)(
    "is JSON in the form %s, whatever came in",
    (format) => {
      fc.assert(
        fc.property(
          fc.oneof(
            fc.uint8Array(),
            fc.json().map((json) => Buffer.from(json)),
          ),
          (bytes) => {
            expect(JSON.parse(text(format, event(Buffer.from(bytes))))).toHaveProperty("data");
          },
        ),
      );
    },
  );

  it.each(notificationNames)("is the same each time it is made of %s", (name) => {
    for (const format of ["cloud_api", "event", "cloudevents"] as const) {
      expect(text(format, event(notification(name)))).toBe(text(format, event(notification(name))));
    }
  });
});
