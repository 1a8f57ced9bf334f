import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Simulator, startSimulator } from "../../../src/simulator/simulator.ts";
import { call } from "./call.ts";

let simulator: Simulator;

beforeAll(async () => {
  simulator = await startSimulator({ statuses: [] });
});

afterAll(async () => {
  await simulator.close();
});

const product = { messaging_product: "whatsapp" };

async function createGroup() {
  const { apiKey, phoneNumberId } = simulator.createNumber();
  const on = (method: "GET" | "POST" | "DELETE", path: string, body?: unknown) =>
    call(simulator.url + path, { method, apiKey, ...(body ? { body } : {}) });
  const { json } = await on("POST", "/groups", { ...product, subject: "Friends" });
  const id = String(json["id"]);
  return { on, id, group: `/groups/${id}`, phoneNumberId };
}

/** The last thing that the number's webhook is to be told. */
const lastUpdate = () => {
  const { body } = simulator.notifications.at(-1) ?? expect.fail();
  const [change] = JSON.parse(body.toString()).entry[0].changes;
  return { field: change.field, ...change.value.groups[0] };
};

describe("groups", () => {
  it("are made, shown, changed and deleted, and the webhook is told", async () => {
    const { on, id, group } = await createGroup();
    const link = (await on("GET", `${group}/invite_link`)).json["invite_link"];
    expect(lastUpdate()).toMatchObject({
      field: "group_lifecycle_update",
      type: "group_create",
      group_id: id,
      invite_link: link,
    });
    expect((await on("GET", group)).json).toEqual({
      ...product,
      id,
      subject: "Friends",
      description: "",
      join_approval_mode: "auto_approve",
      creation_timestamp: expect.any(Number),
      suspended: false,
      participants: [],
      total_participant_count: 0,
    });
    expect((await on("GET", "/groups")).json).toMatchObject({
      data: { groups: [{ id, subject: "Friends" }] },
      paging: { cursors: {} },
    });
    expect((await on("POST", group, { subject: "Family" })).json).toEqual({ success: true });
    expect((await on("GET", `${group}?fields=subject`)).json).toEqual({
      ...product,
      id,
      subject: "Family",
    });
    expect((await on("DELETE", group)).json).toEqual({ success: true });
    expect(lastUpdate()).toMatchObject({ type: "group_delete", group_id: id });
    expect((await on("GET", group)).status).toBe(400);
  });

  it("belong to their number", async () => {
    const { group } = await createGroup();
    const other = await createGroup();
    expect((await other.on("GET", group)).json["error"]).toMatchObject({ code: 100 });
  });

  it.each([
    ["no subject", product],
    ["a long subject", { ...product, subject: "x".repeat(129) }],
    ["another mode", { ...product, subject: "a", join_approval_mode: "maybe" }],
  ])("are refused with %s", async (_name, body) => {
    const { on } = await createGroup();
    expect((await on("POST", "/groups", body)).status).toBe(400);
  });

  it("have participants, who are added and removed with a body", async () => {
    const { on, group } = await createGroup();
    const participants = [{ user: "49170" }, { user: "49171" }];
    await on("POST", `${group}/participants`, { ...product, participants });
    await on("DELETE", `${group}/participants`, { ...product, participants: [{ user: "49170" }] });
    expect((await on("GET", group)).json["participants"]).toEqual([{ wa_id: "49171" }]);
    expect((await on("POST", `${group}/participants`, product)).status).toBe(400);
  });

  it("have a link, which is another one after a renewal", async () => {
    const { on, group } = await createGroup();
    const before = (await on("GET", `${group}/invite_link`)).json;
    const renewed = (await on("POST", `${group}/invite_link`)).json;
    expect(renewed).not.toEqual(before);
    expect((await on("GET", `${group}/invite_link`)).json).toEqual(renewed);
  });

  it("let in who asks, or do not", async () => {
    const { on, id, group, phoneNumberId } = await createGroup();
    const [first, second] = ["49170", "49171"].map((user) =>
      simulator.requestToJoin(phoneNumberId, id, user),
    );
    expect(lastUpdate()).toMatchObject({ type: "group_join_request_created", wa_id: "49171" });
    expect((await on("GET", `${group}/join_requests`)).json["data"]).toMatchObject([
      { join_request_id: first, wa_id: "49170" },
      { join_request_id: second, wa_id: "49171" },
    ]);
    const yes = await on("POST", `${group}/join_requests`, { join_requests: [first, "none"] });
    expect(yes.json).toMatchObject({
      approved_join_requests: [first],
      failed_join_requests: [{ join_request_id: "none" }],
    });
    const refused = await on("DELETE", `${group}/join_requests`, { join_requests: [second] });
    expect(refused.json).toMatchObject({ rejected_join_requests: [second] });
    expect((await on("GET", group)).json["participants"]).toEqual([{ wa_id: "49170" }]);
    expect((await on("GET", `${group}/join_requests`)).json["data"]).toEqual([]);
    const control = `${simulator.url}/simulator/numbers/${phoneNumberId}/groups`;
    const body = { user: "49172" };
    const asked = await call(`${control}/${id}/join-requests`, { method: "POST", body });
    expect(asked.status).toBe(201);
    const nowhere = await call(`${control}/none/join-requests`, { method: "POST", body });
    expect(nowhere.status).toBe(404);
  });
});
