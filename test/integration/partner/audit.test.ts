import { sql } from "kysely";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { chainAudit } from "../../../src/partner/audit/chain.ts";
import { auditJob } from "../../../src/partner/audit/record-audit.ts";
import { verifyAudit } from "../../../src/partner/audit/verify-audit.ts";
import { createTestDatabase, type TestDatabase } from "../../support/database.ts";
import { eventually } from "../../support/eventually.ts";

let database: TestDatabase;
beforeEach(async () => {
  database = await createTestDatabase();
});
afterEach(() => database.drop());

const done = { target: {}, before: { state: "pending" }, after: { state: "running" } };

async function record(count: number): Promise<void> {
  await database.db.transaction().execute(async (trx) => {
    for (let index = 0; index < count; index++) {
      await auditJob(trx, "test", done);
    }
  });
}

/** That many, all in the chain: once what any other transaction of the server holds back is over. */
async function chain(count: number, { atOnce = 1 } = {}): Promise<void> {
  await record(count);
  await eventually(async () => {
    await Promise.all(Array.from({ length: atOnce }, () => chainAudit(database.db)));
    return (await verifyAudit(database.db)).waiting === 0;
  });
}

const faults = async (): Promise<string[]> => (await verifyAudit(database.db)).faults;

describe("the chain of the audit", () => {
  it("is whole after many batches, and tells what is not yet in it", async () => {
    await chain(2500, { atOnce: 3 });
    await record(2);
    expect(await verifyAudit(database.db)).toMatchObject({ chained: 2500, waiting: 2, faults: [] });
  });

  it("waits for whoever wrote before and has not committed", async () => {
    const written = Promise.withResolvers<void>();
    const released = Promise.withResolvers<void>();
    const early = database.db.transaction().execute(async (trx) => {
      await auditJob(trx, "early", done);
      written.resolve();
      await released.promise;
    });
    await written.promise;
    await record(1);
    await chainAudit(database.db);
    expect(await verifyAudit(database.db)).toMatchObject({ chained: 0, waiting: 1, faults: [] });
    released.resolve();
    await early;
    await chain(0);
    expect(await verifyAudit(database.db)).toMatchObject({ chained: 2, waiting: 0, faults: [] });
  });

  it.each([
    "phase = 'ended'",
    "actor = 'another'",
    "operation = 'nothing'",
    "before = null",
    "after = '{}'",
    "target = '{}  '",
    "at = at - interval '1 ms'",
    "status = 200",
    "actor_tenant_id = ''",
    "request_id = ''",
    "code = ''",
  ])("finds that an entry was changed: %s", async (change) => {
    await chain(5);
    await sql`update audit_entry set ${sql.raw(change)}
      where id = (select entry_id from audit_link where position = 3)`.execute(database.db);
    const found = await faults();
    expect(found).toHaveLength(1);
    expect(found[0]).toMatch(/^entry aud_\w{26} has been changed$/);
  });

  it.each([
    [
      "an entry",
      "delete from audit_entry where id = (select entry_id from audit_link where position = 3)",
      /is missing$/,
    ],
    [
      "the last entry",
      "delete from audit_entry where id = (select entry_id from audit_link where position = 5)",
      /is missing$/,
    ],
    [
      "an entry's link",
      "delete from audit_link where position = 3",
      /places 3 to 3 of the chain are missing/,
    ],
    [
      "the end of the chain",
      "delete from audit_link where position = 5",
      /the chain ends at 4, and should at 5/,
    ],
    [
      "an entry and its link",
      "with gone as (delete from audit_link where position = 3 returning entry_id) delete from audit_entry where id in (select entry_id from gone)",
      /places 3 to 3/,
    ],
    ["what is known of the end", "delete from audit_head", /the end of the chain is missing/],
  ])("finds that %s was taken out", async (_what, statement, fault) => {
    await chain(5);
    await sql.raw(statement).execute(database.db);
    expect((await faults()).join("\n")).toMatch(fault);
  });

  it("finds that one was put in", async () => {
    await chain(5);
    await sql`insert into audit_entry (xid, id, phase, actor_kind, actor, operation, target)
      values ('1', 'aud_put', 'done', 'job', 'x', 'x', '{}')`.execute(database.db);
    expect(await faults()).toEqual(["entry aud_put was put in later, or its link was taken out"]);
  });
});
