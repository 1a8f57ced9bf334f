import { chmod, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startEmbeddedPostgres } from "../../src/store/embedded-postgres.ts";
import { eventually } from "../support/eventually.ts";

export type OwnPostgres = {
  url: () => string;
  socketPath: () => string;
  /** As `pg_ctl restart -m immediate`: nothing is written down, the next start replays the log. */
  crashAndRestart: () => Promise<void>;
  stop: () => Promise<void>;
};

/** A PostgreSQL that may be crashed: nobody else's. */
export async function startOwnPostgres(): Promise<OwnPostgres> {
  const dataDir = await mkdtemp(join(tmpdir(), "wg-chaos-"));
  // Closed to others it would be staged elsewhere when this runs as root.
  await chmod(dataDir, 0o755);
  let pid = 0;
  const start = () =>
    startEmbeddedPostgres({
      dataDir,
      log(_message, fields: { pid?: unknown } = {}) {
        pid = typeof fields.pid === "number" ? fields.pid : pid;
      },
    });
  let running = await start();
  return {
    url: () => running.url,
    socketPath: () => socketPathOf(running.url),
    async crashAndRestart() {
      const crashed = pid;
      process.kill(crashed, "SIGQUIT");
      await eventually(() => !isAlive(crashed), { withinMs: 20_000 });
      running = await start();
    },
    async stop() {
      await running.stop();
      await rm(dataDir, { recursive: true, force: true });
    },
  };
}

function socketPathOf(url: string): string {
  const { searchParams } = new URL(url);
  return `${searchParams.get("host")}/.s.PGSQL.${searchParams.get("port")}`;
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
