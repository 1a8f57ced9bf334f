import { randomBytes } from "node:crypto";
import { Client } from "pg";
import { Secret } from "../../src/secret.ts";
import { startEmbeddedPostgres } from "../../src/store/embedded-postgres.ts";
import { migrate } from "../../src/store/migrate.ts";
import { cpuMsOfTree } from "./proc.ts";

export type BenchPostgres = {
  /** A migrated database of one's own, dropped at the end. */
  createDatabase: () => Promise<string>;
  /** Where it runs on this machine for us alone; a server of `DATABASE_URL` is not counted. */
  cpuMs: (() => number) | undefined;
  stop: () => Promise<void>;
};

/** The server of `DATABASE_URL`, or one embedded in `dataDir`: no contender's child, so that its CPU is told apart. */
export async function openPostgres(dataDir: string): Promise<BenchPostgres> {
  const { adminUrl, cpuMs, stop } = await openServer(dataDir);
  const names: string[] = [];
  return {
    cpuMs,
    async createDatabase() {
      const name = `wg_bench_${randomBytes(6).toString("hex")}`;
      await administer(adminUrl, `create database ${name}`);
      names.push(name);
      const url = new URL(adminUrl);
      url.pathname = `/${name}`;
      await migrate({ url: new Secret(url.href) });
      return url.href;
    },
    async stop() {
      for (const name of names) {
        await administer(adminUrl, `drop database if exists ${name} with (force)`);
      }
      await stop();
    },
  };
}

async function openServer(dataDir: string) {
  const given = process.env["DATABASE_URL"];
  if (given !== undefined && given !== "") {
    return { adminUrl: given, cpuMs: undefined, stop: async () => {} };
  }
  let pid = 0;
  const { url, stop } = await startEmbeddedPostgres({
    dataDir,
    log(_message, fields: { pid?: unknown } = {}) {
      pid = typeof fields.pid === "number" ? fields.pid : pid;
    },
  });
  return { adminUrl: url, cpuMs: () => cpuMsOfTree(pid), stop };
}

async function administer(adminUrl: string, statement: string): Promise<void> {
  const client = new Client({ connectionString: adminUrl });
  await client.connect();
  try {
    await client.query(statement);
  } finally {
    await client.end();
  }
}
