import { execFile, execFileSync } from "node:child_process";
import { chmod, cp, lstat, mkdir, mkdtemp, readdir, rename, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { Client } from "pg";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { startEmbeddedPostgres } from "../../../src/store/embedded-postgres.ts";
import { canExecute, getAccount } from "../../../src/store/embedded-postgres-account.ts";
import { findNativePath, prepareBinaries } from "../../../src/store/embedded-postgres-binaries.ts";
import type { Home } from "../../../src/store/embedded-postgres-home.ts";

const run = promisify(execFile);
const isRoot = process.getuid?.() === 0;
const nobody = isRoot
  ? {
      uid: Number(execFileSync("id", ["-u", "nobody"])),
      gid: Number(execFileSync("id", ["-g", "nobody"])),
    }
  : undefined;
const canBeNobody =
  nobody !== undefined &&
  (await canExecute(nobody, process.execPath)) &&
  (await canExecute(nobody, import.meta.dirname));

const SOURCE_URL = new URL("../../../src/store/", import.meta.url).href;

let base: string;
let entries: { message: string; path: string | undefined }[];

const log = (message: string, fields: { path?: string } = {}) =>
  void entries.push({ message, path: fields.path });
const start = (dataDir: string) => startEmbeddedPostgres({ dataDir, log });
const staged = () => entries.filter((entry) => entry.message === "postgres.staged");

beforeEach(async () => {
  base = await mkdtemp(join(tmpdir(), "waba-test-"));
  await chmod(base, 0o755);
  entries = [];
});

afterEach(async () => {
  for (const { path } of staged()) {
    await rm(path ?? "", { recursive: true, force: true });
  }
  await rm(base, { recursive: true, force: true });
});

async function query(url: string, sql: string) {
  const client = new Client(url);
  await client.connect();
  try {
    return (await client.query(sql)).rows;
  } finally {
    await client.end();
  }
}

/** Runs this module as `nobody`, and gives what it printed. */
async function runAsNobody(code: string, ...args: string[]): Promise<string> {
  const { stdout } = await run(
    process.execPath,
    ["--input-type=module", "--eval", code, "--", SOURCE_URL, ...args],
    { ...nobody, cwd: "/", env: { PATH: process.env["PATH"] } },
  );
  return stdout.trim();
}

const START_AND_STOP = `
  const { startEmbeddedPostgres } = await import(process.argv[1] + "embedded-postgres.ts");
  const postgres = await startEmbeddedPostgres({ dataDir: process.argv[2], log() {} });
  console.log(postgres.url);
  await postgres.stop();
`;

describe.skipIf(!isRoot)("the embedded PostgreSQL, started by root", () => {
  it("runs as an unprivileged account, and keeps its files where they were asked for", async () => {
    const postgres = await start(join(base, "data"));
    const cluster = await stat(join(base, "data/postgres/cluster"));
    expect(cluster.uid).toBe((await getAccount()).uid);
    expect(cluster.uid).not.toBe(0);
    expect(staged()).toEqual([]);
    await postgres.stop();
  });

  it("keeps its files under /var/tmp for a project in a closed directory, and finds them", async () => {
    const closed = join(base, "closed");
    await mkdir(closed, { mode: 0o700 });
    const first = await start(join(closed, "data"));
    await query(first.url, "create table kept as select 7 as id");
    await first.stop();
    const path = staged()[0]?.path ?? "";
    expect(dirname(path)).toBe("/var/tmp");
    expect((await stat(join(path, "cluster"))).mode & 0o777).toBe(0o700);
    expect(await readdir(join(closed, "data/postgres"))).not.toContain("cluster");

    const second = await start(join(closed, "data"));
    expect(await query(second.url, "select id from kept")).toEqual([{ id: 7 }]);
    await second.stop();

    const renamed = join(base, "renamed");
    await rename(closed, renamed);
    const third = await start(join(renamed, "data"));
    expect(await query(third.url, "select id from kept")).toEqual([{ id: 7 }]);
    await third.stop();
    expect(staged()).toHaveLength(1);

    const copied = join(base, "copied");
    await cp(renamed, copied, { recursive: true });
    await chmod(copied, 0o700);
    const other = await start(join(copied, "data"));
    await expect(query(other.url, "select id from kept")).rejects.toThrow("does not exist");
    await other.stop();
  });

  it("begins anew in a closed directory when the data directory was deleted", async () => {
    const closed = join(base, "closed");
    await mkdir(closed, { mode: 0o700 });
    const first = await start(join(closed, "data"));
    await query(first.url, "create table kept as select 7 as id");
    await first.stop();
    await rm(join(closed, "data"), { recursive: true });

    const second = await start(join(closed, "data"));
    await expect(query(second.url, "select id from kept")).rejects.toThrow("does not exist");
    await second.stop();
    const again = await start(join(closed, "data"));
    await query(again.url, "create table other as select 1 as id");
    await again.stop();
    expect(new Set(staged().map(({ path }) => path)).size).toBe(2);
  });

  it.skipIf(!canBeNobody)("lets nobody else in", async () => {
    const postgres = await start(join(base, "data"));
    const connect = `
      const { connect } = await import("node:net");
      connect(process.argv[2]).on("error", (error) => console.log(error.code)).unref();
    `;
    const socketPath = new URL(postgres.url).searchParams.get("host") ?? "";
    expect(await runAsNobody(connect, join(socketPath, ".s.PGSQL.5432"))).toBe("EACCES");
    await postgres.stop();
  });

  it.skipIf(!canBeNobody)("goes on with what an ordinary user began, as that user", async () => {
    await chmod(base, 0o777);
    await runAsNobody(START_AND_STOP, join(base, "data"));
    const postgres = await start(join(base, "data"));
    expect((await stat(join(base, "data/postgres/cluster"))).uid).toBe(nobody?.uid);
    await postgres.stop();
  });

  it("copies binaries that the account cannot reach", async () => {
    const closed = join(base, "closed");
    await mkdir(closed, { mode: 0o700 });
    const nativePath = await copyPackage(closed);
    const home = homeAt(join(base, "home"), await getAccount());
    await mkdir(home.path, { mode: 0o711 });
    const { postgres } = await prepareBinaries({ nativePath, home, log });
    expect(postgres).toContain(join(home.path, "binaries-"));
    expect(await canExecute(home.account, postgres)).toBe(true);
    const again = await prepareBinaries({ nativePath, home, log });
    expect(again.postgres).toBe(postgres);
    expect(entries.map((entry) => entry.message)).toEqual(["postgres.binaries_staged"]);
  });
});

describe.skipIf(!canBeNobody)("the embedded PostgreSQL, started by an ordinary user", () => {
  it("keeps everything in its own directory", async () => {
    await chmod(base, 0o777);
    const url = await runAsNobody(START_AND_STOP, join(base, "data"));
    expect(new URL(url).searchParams.get("host")).toBe(join(base, "data/postgres/socket"));
    const home = await stat(join(base, "data/postgres"));
    expect(home).toMatchObject({ uid: nobody?.uid });
    expect(home.mode & 0o777).toBe(0o700);
  });

  it("says whose data it is when another user's is there", async () => {
    await (await start(join(base, "data"))).stop();
    const { uid } = await stat(join(base, "data/postgres/cluster"));
    await expect(runAsNobody(START_AND_STOP, join(base, "data"))).rejects.toThrow(
      `belongs to uid ${uid}`,
    );
  });

  it("copies binaries whose links are missing and cannot be made", async () => {
    const nativePath = await copyPackage(base);
    await removeLinks(nativePath);
    await mkdir(join(base, "home"));
    await chmod(join(base, "home"), 0o777);
    const code = `
      const { prepareBinaries } = await import(process.argv[1] + "embedded-postgres-binaries.ts");
      const [, , nativePath, path] = process.argv;
      const found = await prepareBinaries({ nativePath, home: { path }, log() {} });
      console.log(found.initdb);
    `;
    const initdb = await runAsNobody(code, nativePath, join(base, "home"));
    expect(initdb).toContain(join(base, "home/binaries-"));
    expect((await run(initdb, ["--version"])).stdout).toContain("initdb (PostgreSQL)");
  });
});

describe("the binaries of the embedded PostgreSQL", () => {
  it("get the links between their libraries where npm ran no scripts", async () => {
    const nativePath = await copyPackage(base);
    await removeLinks(nativePath);
    await expect(run(join(nativePath, "bin/initdb"), ["--version"])).rejects.toThrow(/librar/i);
    const home = homeAt(join(base, "home"), undefined);
    const { initdb } = await prepareBinaries({ nativePath, home, log });
    expect(initdb).toBe(join(nativePath, "bin/initdb"));
    expect((await run(initdb, ["--version"])).stdout).toContain("initdb (PostgreSQL)");
  });
});

function homeAt(path: string, account: Home["account"]): Home {
  return { path, clusterPath: join(path, "cluster"), logPath: join(path, "server.log"), account };
}

async function copyPackage(parent: string): Promise<string> {
  await cp(dirname(findNativePath()), join(parent, "package"), {
    recursive: true,
    verbatimSymlinks: true,
  });
  return join(parent, "package/native");
}

async function removeLinks(nativePath: string): Promise<void> {
  for (const name of await readdir(join(nativePath, "lib"))) {
    const path = join(nativePath, "lib", name);
    if ((await lstat(path)).isSymbolicLink()) {
      await rm(path);
    }
  }
}
