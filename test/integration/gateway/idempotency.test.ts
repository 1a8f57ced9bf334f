import { randomUUID } from "node:crypto";
import { sql } from "kysely";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  type Begun,
  createIdempotency,
  type Idempotency,
  type KeyedSend,
} from "../../../src/gateway/idempotency/idempotency.ts";
import { type Lease, pruneIdempotencyKeys } from "../../../src/gateway/idempotency/keys.ts";
import { newId } from "../../../src/ids.ts";
import { Secret } from "../../../src/secret.ts";
import { type OpenDatabase, openDatabase } from "../../../src/store/database.ts";
import { deleteTenant } from "../../../src/tenancy/tenants.ts";
import { createTestDatabase, type TestDatabase } from "../../support/database.ts";
import { eventually } from "../../support/eventually.ts";
import { buildTenant, sealer } from "../rows.ts";

let database: TestDatabase;
/** Another process's pool over the same database. */
let other: OpenDatabase;
let here: Idempotency;
let there: Idempotency;
beforeAll(async () => {
  database = await createTestDatabase();
  other = openDatabase({ url: new Secret(database.url), onIdleError: () => {} });
  here = createIdempotency({ db: database.db, sealer, leaseMs: 40_000 });
  there = createIdempotency({ db: other.db, sealer, leaseMs: 40_000 });
});
afterAll(async () => {
  await other.close();
  await database.drop();
});

/** A send under a key of its own; `fields` make it another request, or the same again. */
function sendWith(fields: Partial<KeyedSend> = {}): KeyedSend {
  return {
    tenantId: "ten_a",
    numberId: "num_a",
    operation: "sendMessage",
    key: randomUUID(),
    body: Buffer.from('{"to":"15550001111"}'),
    search: "",
    messageId: newId("msg"),
    ...fields,
  };
}

const again = (send: KeyedSend, fields: Partial<KeyedSend> = {}): KeyedSend => ({
  ...send,
  messageId: newId("msg"),
  ...fields,
});

const ACCEPTED = {
  status: 200,
  headers: { "content-type": "application/json" },
  body: Buffer.from('{"contacts":[{"wa_id":"15550001111"}],"messages":[{"id":"wamid.A"}]}'),
};

async function run(idempotency: Idempotency, send: KeyedSend): Promise<Lease> {
  const begun = await idempotency.begin(send);
  if (begun.kind !== "run") {
    throw new Error("the key was used before");
  }
  return begun.lease;
}

async function answered(fields: Partial<KeyedSend> = {}): Promise<KeyedSend> {
  const send = sendWith(fields);
  await here.finish(await run(here, send), ACCEPTED);
  return send;
}

/** A send whose process died, and whose lease is over. */
async function lapsed(): Promise<{ send: KeyedSend; lease: Lease }> {
  const brief = createIdempotency({ db: database.db, sealer, leaseMs: 0 });
  const send = sendWith();
  return { send, lease: await run(brief, send) };
}

const rowOf = ({ messageId }: Pick<KeyedSend, "messageId">) =>
  database.db
    .selectFrom("idempotency_key")
    .selectAll()
    .where("message_id", "=", messageId)
    .executeTakeFirst();

const age = (send: KeyedSend, interval: string) =>
  sql`
    update idempotency_key set lease_until = lease_until - ${interval}::interval
    where message_id = ${send.messageId}`.execute(database.db);

const replayed = { "idempotent-replayed": "true" };
const inProgress = { status: 409, code: "idempotency_in_progress" };
const reused = { status: 422, code: "idempotency_key_reused" };
const unknown = (send: KeyedSend) => ({
  status: 504,
  code: "outcome_unknown",
  members: { message_id: send.messageId },
  headers: { ...replayed, "gateway-message-id": send.messageId },
});

describe("a send with a key", () => {
  it("is made once of 50 in two processes at once, and the others hear that it runs", async () => {
    const send = sendWith();
    const begun = await Promise.allSettled(
      Array.from({ length: 50 }, (_, n) => (n % 2 === 0 ? here : there).begin(again(send))),
    );
    const runs = begun.filter((each) => each.status === "fulfilled");
    expect(runs.map(({ value }) => value.kind)).toEqual(["run"]);
    const refusals = begun.filter((each) => each.status === "rejected");
    for (const { reason } of refusals) {
      expect(reason).toMatchObject(inProgress);
    }

    for (const { value } of runs) {
      await here.finish((value as Extract<Begun, { kind: "run" }>).lease, ACCEPTED);
    }
    const repeats = await Promise.all(
      Array.from({ length: 50 }, (_, n) => (n % 2 === 0 ? here : there).begin(again(send))),
    );
    for (const repeat of repeats) {
      expect(repeat).toMatchObject({ kind: "replay", answer: { body: ACCEPTED.body } });
    }
  });

  it("is answered again with the first answer, byte for byte, and the first one's id", async () => {
    const send = sendWith();
    const body = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte));
    await here.finish(await run(here, send), { ...ACCEPTED, body });
    expect(await there.begin(again(send))).toEqual({
      kind: "replay",
      answer: {
        messageId: send.messageId,
        status: 200,
        headers: { "content-type": "application/json", ...replayed },
        body,
      },
    });
  });

  it("that 360dialog refused is refused again; after a 401, 429, 5xx or a release the next is sent", async () => {
    const refused = sendWith();
    await here.finish(await run(here, refused), { ...ACCEPTED, status: 400 });
    expect(await here.begin(again(refused))).toMatchObject({ answer: { status: 400 } });
    for (const status of [401, 429, 500, 503]) {
      const send = sendWith();
      await here.finish(await run(here, send), { ...ACCEPTED, status });
      await run(there, again(send));
    }
    const send = sendWith();
    await here.release(await run(here, send));
    await run(there, again(send, { body: Buffer.from("another now") }));
  });

  it("whose outcome is unknown is so for every repeat", async () => {
    const send = sendWith();
    await here.finishUnknown(await run(here, send));
    for (const idempotency of [here, there]) {
      await expect(idempotency.begin(again(send))).rejects.toMatchObject(unknown(send));
    }
  });

  it.each<[string, Partial<KeyedSend>]>([
    ["body", { body: Buffer.from('{"to": "15550001111"}') }],
    ["query", { search: "?a=1" }],
    ["split of body and query", { search: '?{"to"', body: Buffer.from(':"15550001111"}') }],
  ])("with another %s is refused, whatever became of the first", async (_what, fields) => {
    const running = sendWith();
    await run(here, running);
    const unknownOne = sendWith();
    await here.finishUnknown(await run(here, unknownOne));
    for (const send of [running, unknownOne, await answered(), (await lapsed()).send]) {
      await expect(there.begin(again(send, fields))).rejects.toMatchObject(reused);
    }
  });

  it.each<[string, Partial<KeyedSend>]>([
    ["tenant", { tenantId: "ten_b" }],
    ["number", { numberId: "num_b" }],
    ["operation", { operation: "sendMarketingMessage" }],
  ])("of another %s has a key of its own", async (_what, fields) => {
    const send = await answered();
    await run(here, again(send, fields));
  });
});

describe("a send that never ended", () => {
  it("is running for its lease, then unknown, and never made again", async () => {
    const brief = createIdempotency({ db: database.db, sealer, leaseMs: 300 });
    const send = sendWith();
    await run(brief, send);
    await expect(there.begin(again(send))).rejects.toMatchObject(inProgress);
    await eventually(() =>
      there.begin(again(send)).then(
        () => Promise.reject(new Error("it ran twice")),
        (error: { code: string }) => error.code === "outcome_unknown",
      ),
    );
    await expect(here.begin(again(send))).rejects.toMatchObject(unknown(send));
  });

  it("keeps what has been told of it, however late it ends", async () => {
    for (const end of [
      (lease: Lease) => here.finish(lease, ACCEPTED),
      (lease: Lease) => here.finish(lease, { ...ACCEPTED, status: 500 }),
      (lease: Lease) => here.release(lease),
    ]) {
      const { send, lease } = await lapsed();
      await expect(there.begin(again(send))).rejects.toMatchObject(unknown(send));
      await end(lease);
      await expect(there.begin(again(send))).rejects.toMatchObject(unknown(send));
    }
  });

  it("is what it came to after all, when nobody had asked meanwhile", async () => {
    const { send, lease } = await lapsed();
    await here.finish(lease, ACCEPTED);
    expect(await there.begin(again(send))).toMatchObject({ answer: { status: 200 } });
  });
});

describe("a key", () => {
  it("is free again after 24 hours, and not a moment before; a late end of its first send changes nothing", async () => {
    const send = sendWith();
    const lease = await run(here, send);
    await here.finish(lease, ACCEPTED);
    await age(send, "24 hours 39 seconds");
    expect(await there.begin(again(send))).toMatchObject({ kind: "replay" });
    await age(send, "1 second");
    const next = again(send, { body: Buffer.from("another now") });
    await run(there, next);
    await here.finish(lease, ACCEPTED);
    await here.release(lease);
    await expect(here.begin(again(next))).rejects.toMatchObject(inProgress);
  });

  it("that is free again is taken once", async () => {
    const send = await answered();
    await age(send, "25 hours");
    const begun = await Promise.allSettled(
      Array.from({ length: 20 }, (_, n) => (n % 2 === 0 ? here : there).begin(again(send))),
    );
    expect(begun.filter((each) => each.status === "fulfilled")).toHaveLength(1);
  });

  it("is pruned with its answer once it is free, by two at once, and no other is", async () => {
    const [old, young] = [await answered(), await answered()];
    await age(old, "25 hours");
    await Promise.all([pruneIdempotencyKeys(database.db), pruneIdempotencyKeys(other.db)]);
    expect(await rowOf(old)).toBeUndefined();
    expect(await rowOf(young)).toBeDefined();
  });

  it("goes with its tenant", async () => {
    const { id } = await buildTenant(database.db);
    const send = await answered({ tenantId: id });
    await deleteTenant(database.db, id);
    expect(await rowOf(send)).toBeUndefined();
  });

  it("shows neither itself nor its answer in its row", async () => {
    const send = await answered({ key: "order-4711" });
    const row = Object.values((await rowOf(send)) ?? {})
      .map((value) => (Buffer.isBuffer(value) ? value.toString("latin1") : String(value)))
      .join("\n");
    expect(row).toContain(send.messageId);
    for (const hidden of ["order-4711", "15550001111", "wamid", "content-type"]) {
      expect(row).not.toContain(hidden);
    }
  });

  it("does not open the answer of another", async () => {
    const [one, two] = [await answered(), await answered({ key: "two" })];
    const moved = (await rowOf(one))?.answer_sealed;
    await database.db
      .updateTable("idempotency_key")
      .set({ answer_sealed: moved })
      .where("message_id", "=", two.messageId)
      .execute();
    await expect(here.begin(again(two))).rejects.toMatchObject({ name: "CannotOpen" });
  });

  it("whose end cannot be written is told so, and stays with its send", async () => {
    const broken = openDatabase({ url: new Secret(database.url), onIdleError: () => {} });
    const send = sendWith();
    const failing = createIdempotency({ db: broken.db, sealer, leaseMs: 40_000 });
    const lease = await run(failing, send);
    await broken.close();
    await expect(failing.finish(lease, ACCEPTED)).rejects.toThrow();
    await expect(here.begin(again(send))).rejects.toMatchObject(inProgress);
  });
});
