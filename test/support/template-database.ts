import { randomBytes } from "node:crypto";
import { chmod, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Client } from "pg";
import type { TestProject } from "vitest/node";
import { Secret } from "../../src/secret.ts";
import { startEmbeddedPostgres } from "../../src/store/embedded-postgres.ts";
import { migrate } from "../../src/store/migrate.ts";

declare module "vitest" {
  export interface ProvidedContext {
    /** The server's maintenance database, and the migrated database that test files copy. */
    templateDatabase: { adminUrl: string; name: string };
  }
}

/** Migrates one database; each test file gets a copy of it (about a tenth of a second each). */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const server = await openServer();
  const name = `wg_template_${randomBytes(6).toString("hex")}`;
  await administer(server.adminUrl, `create database ${name}`);
  await migrate({ url: new Secret(urlOf(server.adminUrl, name)) });
  project.provide("templateDatabase", { adminUrl: server.adminUrl, name });
  return async () => {
    await administer(server.adminUrl, `drop database if exists ${name} with (force)`);
    await server.stop();
  };
}

async function openServer(): Promise<{ adminUrl: string; stop: () => Promise<void> }> {
  const given = process.env["DATABASE_URL"];
  if (given !== undefined && given !== "") {
    return { adminUrl: given, stop: async () => {} };
  }
  const dataDir = await mkdtemp(join(tmpdir(), "wg-"));
  // Closed to others it would be staged elsewhere when the tests run as root.
  await chmod(dataDir, 0o755);
  const postgres = await startEmbeddedPostgres({ dataDir, log: () => {} });
  return {
    adminUrl: postgres.url,
    async stop() {
      await postgres.stop();
      await rm(dataDir, { recursive: true, force: true });
    },
  };
}

export async function administer(adminUrl: string, statement: string): Promise<void> {
  const client = new Client({ connectionString: adminUrl });
  await client.connect();
  try {
    await client.query(statement);
  } finally {
    await client.end();
  }
}

export function urlOf(adminUrl: string, database: string): string {
  const url = new URL(adminUrl);
  url.pathname = `/${database}`;
  return url.href;
}
