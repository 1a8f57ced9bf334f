import { randomBytes } from "node:crypto";
import { inject } from "vitest";
import { Secret } from "../../src/secret.ts";
import { type OpenDatabase, openDatabase } from "../../src/store/database.ts";
import { administer, urlOf } from "./template-database.ts";

export type TestDatabase = Pick<OpenDatabase, "db" | "inOneTrip"> & {
  url: string;
  drop: () => Promise<void>;
};

/** A migrated database of one's own; `drop` in `afterAll`. */
export async function createTestDatabase(): Promise<TestDatabase> {
  const { adminUrl, name: template } = inject("templateDatabase");
  const name = `wg_test_${randomBytes(6).toString("hex")}`;
  await administer(adminUrl, `create database ${name} template ${template}`);
  const url = urlOf(adminUrl, name);
  const { db, inOneTrip, close } = openDatabase({ url: new Secret(url), onIdleError: () => {} });
  return {
    url,
    db,
    inOneTrip,
    async drop() {
      await close();
      await administer(adminUrl, `drop database if exists ${name} with (force)`);
    },
  };
}
