import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  type Notification,
  type Simulator,
  startSimulator,
} from "../../../src/simulator/simulator.ts";
import { call } from "./call.ts";

let simulator: Simulator;

beforeAll(async () => {
  simulator = await startSimulator({ statuses: [] });
});

afterAll(async () => {
  await simulator.close();
});

const changeIn = ({ body }: Pick<Notification, "body">) =>
  JSON.parse(body.toString()).entry[0].changes[0];

describe("a user", () => {
  it("calls, by phone or known by an id only", () => {
    const { phoneNumberId, displayPhoneNumber } = simulator.createNumber();
    const from = { phoneNumberId, from: "49170" };
    const { callId, notification } = simulator.receiveCall({ ...from, event: "connect" });
    expect(changeIn(notification)).toMatchObject({
      field: "calls",
      value: {
        metadata: { phone_number_id: phoneNumberId },
        contacts: [{ wa_id: "49170" }],
        calls: [
          {
            id: callId,
            from: "49170",
            to: displayPhoneNumber,
            event: "connect",
            direction: "USER_INITIATED",
            timestamp: expect.stringMatching(/^\d+$/),
            session: { sdp_type: "offer" },
          },
        ],
      },
    });
    const ended = simulator.receiveCall({
      phoneNumberId,
      userId: "US.1234",
      event: "terminate",
      callId,
    });
    const [{ from: phone, ...event }] = changeIn(ended.notification).value.calls;
    expect(phone).toBeUndefined();
    expect(event).toMatchObject({ id: callId, from_user_id: "US.1234", status: "COMPLETED" });
  });

  it("stops and resumes marketing messages", () => {
    const { phoneNumberId } = simulator.createNumber();
    for (const value of ["stop", "resume"] as const) {
      const notification = simulator.changePreference({ phoneNumberId, from: "49170", value });
      expect(changeIn(notification)).toMatchObject({
        field: "user_preferences",
        value: {
          user_preferences: [{ wa_id: "49170", category: "marketing_messages", value }],
        },
      });
    }
  });

  it("must be known by something", () => {
    const { phoneNumberId } = simulator.createNumber();
    expect(() => simulator.changePreference({ phoneNumberId, value: "stop" })).toThrow("wa_id");
    expect(() => simulator.receiveCall({ phoneNumberId, event: "connect" })).toThrow("wa_id");
    const report = { phoneNumberId, messageId: "wamid.X", status: "sent" } as const;
    expect(() => simulator.reportStatus(report)).toThrow("wa_id");
  });
});

describe("reportStatus", () => {
  it("reports any status of any message", () => {
    const { phoneNumberId } = simulator.createNumber();
    const report = { phoneNumberId, messageId: "wamid.X" };
    const statuses = [
      simulator.reportStatus({ ...report, to: "49170", status: "played" }),
      simulator.reportStatus({ ...report, to: "49170", status: "failed", code: 131050 }),
      simulator.reportStatus({
        ...report,
        userId: "US.1234",
        status: "failed",
        bizOpaqueCallbackData: "order 7",
      }),
    ].map((notification) => changeIn(notification).value.statuses[0]);
    expect(statuses).toMatchObject([
      { id: "wamid.X", status: "played", recipient_id: "49170" },
      { status: "failed", errors: [{ code: 131050 }] },
      {
        recipient_user_id: "US.1234",
        biz_opaque_callback_data: "order 7",
        errors: [{ code: 131026, title: "Message undeliverable" }],
      },
    ]);
  });
});

describe("the control API", () => {
  it.each([
    ["messages", { user_id: "US.1234", text: "Hello", group_id: "g" }, "messages"],
    ["calls", { from: "49170", event: "connect" }, "calls"],
    ["preferences", { from: "49170", value: "stop" }, "user_preferences"],
    [
      "statuses",
      { message_id: "wamid.X", to: "49170", status: "failed", code: 131047 },
      "messages",
    ],
  ])("scripts %s", async (path, body, field) => {
    const { phoneNumberId } = simulator.createNumber();
    const url = `${simulator.url}/simulator/numbers/${phoneNumberId}/${path}`;
    const { status, json } = await call(url, { method: "POST", body });
    expect(status).toBe(202);
    expect(json).toMatchObject({ body: { entry: [{ changes: [{ field }] }] } });
    expect((await call(url, { method: "POST", body: {} })).status).toBe(400);
    expect((await call(url, { method: "POST", body: { ...body, slip: 1 } })).status).toBe(400);
  });
});
