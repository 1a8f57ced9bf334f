import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { buildTenant, type TestTenant } from "../support/gateway.ts";
import { type GatewaysTogether, startGatewaysTogether } from "../support/gateways-together.ts";
import { eventually } from "../support/eventually.ts";
import { type Receiver, startReceiver } from "../support/receiver.ts";

type Item = { list: "messages" | "statuses"; item: Record<string, unknown> };

/** Two processes over one database; 360dialog may repeat to either, however it frames it then. */
describe("what 360dialog repeats", () => {
  let together: GatewaysTogether;
  let receiver: Receiver;
  let tenant: TestTenant;
  beforeAll(async () => {
    together = await startGatewaysTogether(2);
    receiver = await startReceiver();
    tenant = await buildTenant(together);
    await tenant.call("POST", "/tenant/v1/webhook-endpoints", {
      body: { url: receiver.url, max_in_flight: 100 },
    });
  });
  afterAll(async () => {
    await together.stop();
    await receiver.close();
  });

  async function post(process: number, body: object): Promise<void> {
    const hook = together.simulator.getNumber(tenant.phoneNumberId).webhook;
    const { pathname } = new URL(hook?.url ?? "");
    const url = `${together.gateways[process % 2]?.url}${pathname}`;
    const headers = { ...hook?.headers, "content-type": "application/json" };
    const answer = await fetch(url, { method: "POST", headers, body: JSON.stringify(body) });
    expect(answer.status).toBe(200);
  }

  const change = (items: readonly Item[]): object => ({
    field: "messages",
    value: {
      messaging_product: "whatsapp",
      metadata: { display_phone_number: "15550000000", phone_number_id: tenant.phoneNumberId },
      ...Object.fromEntries(
        (["messages", "statuses"] as const)
          .map((list) => [list, items.filter((each) => each.list === list).map(({ item }) => item)])
          .filter(([, found]) => (found ?? []).length > 0),
      ),
    },
  });

  /** The outer id and time are of the framing and not of what is framed. */
  const envelope = (frame: number, changes: object[]): object => ({
    object: "whatsapp_business_account",
    entry: [{ id: `${tenant.wabaId}${frame || ""}`, time: 1_700_000_000 + frame, changes }],
  });

  const received = (): string[] =>
    receiver.received.map(({ headers }) => String(headers["webhook-id"]));

  it("in other batches, in other order, with other outer ids, to two processes at once makes nothing new", async () => {
    const items = Array.from({ length: 40 }, (_, index): Item =>
      index % 2 === 0
        ? {
            list: "messages",
            item: {
              id: `wamid.repeat.${index}`,
              from: "15550001111",
              timestamp: "1700000000",
              type: "text",
              text: { body: "x" },
            },
          }
        : {
            list: "statuses",
            item: {
              id: `wamid.repeat.${index}`,
              status: index % 4 === 1 ? "sent" : "read",
              recipient_id: "15550001111",
              timestamp: "1700000000",
            },
          },
    );
    const framings = Array.from({ length: 16 }, (_, frame) => {
      const order = items.toSorted((left, right) => rank(left, frame) - rank(right, frame));
      const size = 1 + ((frame * 7) % 20);
      const batches = Array.from({ length: Math.ceil(order.length / size) }, (__, batch) =>
        order.slice(batch * size, (batch + 1) * size),
      );
      return { frame, batches };
    });
    await Promise.all(
      framings.flatMap(({ frame, batches }) =>
        batches.map((batch) => post(frame, envelope(frame, [change(batch)]))),
      ),
    );
    await eventually(() => received().length >= items.length);
    // All at once, one by one, and in one piece, when everything is delivered already.
    await post(
      0,
      envelope(
        99,
        items.map((each) => change([each])),
      ),
    );
    await post(1, envelope(98, [change(items)]));
    await Promise.all(items.map((each, index) => post(index, envelope(97, [change([each])]))));
    // What was owed is settled, and nothing else was owed.
    await eventually(
      async () =>
        (await together.database.db.selectFrom("delivery").select("id").execute()).length === 0,
    );
    const events = await together.database.db
      .selectFrom("event")
      .select("id")
      .where("tenant_id", "=", tenant.id)
      .execute();
    expect(events).toHaveLength(items.length);
    expect(received().toSorted()).toEqual([...new Set(received())].toSorted());
    expect(received()).toHaveLength(items.length);
  });

  it("is told from what happens again: FLAGGED, UNFLAGGED, FLAGGED are three, each once", async () => {
    const before = received().length;
    const template = (time: number, event: string): object => ({
      object: "whatsapp_business_account",
      entry: [
        {
          id: tenant.wabaId,
          time,
          changes: [
            {
              field: "message_template_status_update",
              value: {
                event,
                message_template_id: 1,
                message_template_name: "news",
                reason: "NONE",
              },
            },
          ],
        },
      ],
    });
    const three = [template(1, "FLAGGED"), template(2, "UNFLAGGED"), template(3, "FLAGGED")];
    // Only the number's own WABA is its tenant's.
    await together.database.db
      .updateTable("phone_number")
      .set({ waba_id: tenant.wabaId })
      .where("id", "=", tenant.numberId)
      .execute();
    for (const [process, body] of [...three, ...three.toReversed()].entries()) {
      await post(process, body);
    }
    await eventually(() => received().length >= before + 3);
    const types = await together.database.db
      .selectFrom("event")
      .select("type")
      .where("type", "like", "template.%")
      .execute();
    expect(types).toHaveLength(3);
    expect(received()).toHaveLength(before + 3);
  });
});

/** An order of its own for each framing. */
function rank({ item }: Item, frame: number): number {
  const place = Number(String(item["id"]).split(".").at(-1));
  return ((place + 1) * (2 * frame + 1) * 7919) % 104_729;
}
