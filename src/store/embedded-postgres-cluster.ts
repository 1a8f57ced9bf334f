import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { runAs } from "./embedded-postgres-account.ts";
import type { Binaries } from "./embedded-postgres-binaries.ts";
import { exists, makeDirectory, makeWhole } from "./embedded-postgres-files.ts";
import type { Home, Log } from "./embedded-postgres-home.ts";

const run = promisify(execFile);

/** The superuser of the cluster, and the role that the gateway connects as. */
export const ROLE = "postgres";

/** Written into the cluster's `postgresql.conf`, so that an operator may change them there. */
const SETTINGS = {
  max_connections: "100",
  shared_buffers: "256MB",
  // A checkpoint that comes every quarter of a minute writes every page again and slows what waits.
  max_wal_size: "4GB",
  // New files of its log are not filled with zeros first, and old ones are kept to be written over:
  // commits wait for that, 60 ms for each 16 MB (docs/decisions/0017).
  wal_init_zero: "off",
  min_wal_size: "1GB",
  // What is written to files is put on disk as it comes: left to the system it goes all at once, each
  // half a minute, and commits wait for that (docs/decisions/0023).
  backend_flush_after: "256kB",
  timezone: "UTC",
  log_timezone: "UTC",
  // The server's log must not show what tenants send: no statements, no values.
  log_min_error_statement: "panic",
  log_error_verbosity: "terse",
  log_checkpoints: "off",
} as const;

/** Makes the cluster if there is none yet. */
export async function prepareCluster(options: {
  binaries: Binaries;
  home: Home;
  log: Log;
}): Promise<void> {
  const { binaries, home, log } = options;
  if (await exists(join(home.clusterPath, "PG_VERSION"))) {
    return;
  }
  const startMs = performance.now();
  const isOurs = await makeWhole(home.clusterPath, async (draft) => {
    await makeDirectory(draft, 0o700, home.account);
    try {
      await run(binaries.initdb, initdbArguments(draft), runAs(home.account));
    } catch (cause) {
      throw new Error(`initdb failed: ${lastLines(cause)}`, { cause });
    }
  });
  if (isOurs) {
    const durationMs = Math.round(performance.now() - startMs);
    log("postgres.initialised", { path: home.clusterPath, durationMs });
  }
}

function initdbArguments(path: string): string[] {
  return [
    `--pgdata=${path}`,
    `--username=${ROLE}`,
    // Whoever reaches the socket's directory is let in, and nothing else is listened on.
    "--auth-local=trust",
    "--auth-host=reject",
    // The same order of texts on every machine, whatever locales it has.
    "--encoding=UTF8",
    "--locale=C",
    "--locale-provider=builtin",
    "--builtin-locale=C.UTF-8",
    "--text-search-config=simple",
    "--no-instructions",
    ...Object.entries(SETTINGS).flatMap(([name, value]) => ["--set", `${name}=${value}`]),
  ];
}

function lastLines(error: unknown): string {
  const text =
    error instanceof Error && "stderr" in error && typeof error.stderr === "string"
      ? error.stderr.trim()
      : "";
  return text === "" ? String(error) : text.split("\n").slice(-4).join(" | ");
}
