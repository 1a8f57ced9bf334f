import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readdir, readFile, rm, stat, writeFile, chown } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { Client } from "pg";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { startEmbeddedPostgres } from "../../../src/store/embedded-postgres.ts";
import { isAlive } from "../../../src/store/embedded-postgres-process.ts";

// A gateway of its own process: starts PostgreSQL, says so, and stops it when told to.
const CHILD = `
  import { createInterface } from "node:readline";
  const { startEmbeddedPostgres } = await import(process.argv[1]);
  const say = (line) => process.stdout.write(JSON.stringify(line) + "\\n");
  const log = (message) => say({ message });
  const postgres = await startEmbeddedPostgres({ dataDir: process.argv[2], log });
  say({ url: postgres.url });
  for await (const _ of createInterface({ input: process.stdin })) break;
  await postgres.stop();
  process.stdin.destroy();
`;
const SOURCE = new URL("../../../src/store/embedded-postgres.ts", import.meta.url).href;
const BOUND = { timeout: 20_000, interval: 20 };

let base: string;
let dataDir: string;
let messages: string[];
const children = new Set<ChildProcess>();

const log = (message: string) => void messages.push(message);
const start = () => startEmbeddedPostgres({ dataDir, log });
const clusterPath = () => join(dataDir, "postgres/cluster");

beforeEach(async () => {
  // Open to the account that PostgreSQL runs as when the tests run as root.
  base = await mkdtemp(join(tmpdir(), "waba-test-"));
  execFileSync("chmod", ["755", base]);
  dataDir = join(base, "data");
  messages = [];
});

afterEach(async () => {
  for (const child of children) {
    child.kill("SIGKILL");
  }
  children.clear();
  const pid = await findPid();
  if (pid !== undefined) {
    process.kill(pid, "SIGQUIT");
    await vi.waitFor(async () => expect(await isAlive(pid)).toBe(false), BOUND);
  }
  await rm(base, { recursive: true, force: true, maxRetries: 3 });
});

/** The postmaster of this test's cluster, while it runs. */
async function findPid(): Promise<number | undefined> {
  const text = await readFile(join(clusterPath(), "postmaster.pid"), "utf8").catch(() => "");
  const pid = Number(text.split("\n")[0]);
  return pid > 0 && (await isAlive(pid)) ? pid : undefined;
}

async function query(url: string, sql: string, applicationName?: string) {
  const client = new Client({ connectionString: url, application_name: applicationName });
  await client.connect();
  try {
    return (await client.query(sql)).rows;
  } finally {
    await client.end();
  }
}

function spawnGateway() {
  const child = spawn(
    process.execPath,
    ["--input-type=module", "--eval", CHILD, "--", SOURCE, dataDir],
    { detached: true, stdio: ["pipe", "pipe", "inherit"], env: { PATH: process.env["PATH"] } },
  );
  children.add(child);
  const said: string[] = [];
  const url = new Promise<string>((resolve) => {
    createInterface({ input: child.stdout }).on("line", (line) => {
      const parsed: { url?: string; message?: string } = JSON.parse(line);
      said.push(parsed.message ?? "");
      if (parsed.url !== undefined) {
        resolve(parsed.url);
      }
    });
  });
  const kill = async (signal: NodeJS.Signals) => {
    const exited = once(child, "exit");
    process.kill(-(child.pid ?? 0), signal);
    await exited;
  };
  const stop = async () => {
    const exited = once(child, "exit");
    child.stdin.end("stop\n");
    expect((await exited)[0]).toBe(0);
  };
  return { url, said, kill, stop };
}

describe("the embedded PostgreSQL", () => {
  it("starts over a directory that does not exist yet, durable and closed to others", async () => {
    const postgres = await start();
    expect(await query(postgres.url, "create table kept (id int)")).toEqual([]);
    const [row] = await query(
      postgres.url,
      `select current_database() as name, datlocale, current_setting('fsync') as fsync,
              current_setting('server_encoding') as encoding,
              current_setting('listen_addresses') as addresses,
              current_setting('unix_socket_directories') as socket
         from pg_database where datname = current_database()`,
    );
    expect(row).toMatchObject({
      name: "waba_gateway",
      datlocale: "C.UTF-8",
      fsync: "on",
      encoding: "UTF8",
      addresses: "",
    });
    expect((await stat(row.socket.replaceAll('"', ""))).mode & 0o777).toBe(0o700);
    expect((await stat(clusterPath())).mode & 0o077).toBe(0);
    await postgres.stop();
    expect(messages).toEqual(["postgres.initialised", "postgres.started", "postgres.stopped"]);
  });

  it("finds its data again, and leaves no process behind", async () => {
    const first = await start();
    await query(first.url, "create table kept as select 7 as id");
    const pid = await findPid();
    await first.stop();
    await first.stop();
    expect(pid).toBeGreaterThan(0);
    expect(await isAlive(pid ?? 0)).toBe(false);
    const startMs = performance.now();
    const second = await start();
    expect(performance.now() - startMs).toBeLessThan(5_000);
    expect(await query(second.url, "select id from kept")).toEqual([{ id: 7 }]);
    await second.stop();
  });

  it("outlives kill -9 of the gateway, and the next one attaches to it", async () => {
    const gateway = spawnGateway();
    await query(await gateway.url, "create table kept as select 7 as id");
    const pid = await findPid();
    await gateway.kill("SIGKILL");
    const postgres = await start();
    expect(messages).toEqual(["postgres.attached"]);
    expect(await findPid()).toBe(pid);
    expect(await query(postgres.url, "select id from kept")).toEqual([{ id: 7 }]);
    await postgres.stop();
    expect(await findPid()).toBeUndefined();
  });

  it("does not hear the Ctrl-C that ends the gateway", async () => {
    const gateway = spawnGateway();
    await gateway.url;
    await gateway.kill("SIGINT");
    const postgres = await start();
    expect(messages).toEqual(["postgres.attached"]);
    await postgres.stop();
  });

  it("is one server for two gateways that start at once, and the last one stops it", async () => {
    const [one, two] = [spawnGateway(), spawnGateway()];
    expect(await one.url).toBe(await two.url);
    const said = [...one.said, ...two.said];
    expect(said.filter((message) => message === "postgres.initialised")).toHaveLength(1);
    expect(said.filter((message) => message === "postgres.started")).toHaveLength(1);
    await one.stop();
    expect(one.said).toContain("postgres.left_running");
    expect(await query(await two.url, "select 1 as alive")).toEqual([{ alive: 1 }]);
    await two.stop();
    expect(two.said).toContain("postgres.stopped");
    expect(await findPid()).toBeUndefined();
  });

  it("comes back for a gateway that starts while the last one stops it", async () => {
    for (let round = 0; round < 5; round++) {
      const first = await start();
      const [second] = await Promise.all([start(), first.stop()]);
      expect(await query(second.url, "select 1 as alive")).toEqual([{ alive: 1 }]);
      await second.stop();
      expect(await findPid()).toBeUndefined();
    }
  });

  it("stays for a process that only has its address", async () => {
    const postgres = await start();
    const worker = new Client(postgres.url);
    await worker.connect();
    await postgres.stop();
    expect(messages).toContain("postgres.left_running");
    expect((await worker.query("select 1 as alive")).rows).toEqual([{ alive: 1 }]);
    await worker.end();
    await (await start()).stop();
    expect(await findPid()).toBeUndefined();
  });

  it("recovers from a gateway killed in the middle of initdb", async () => {
    const gateway = spawnGateway();
    await vi.waitFor(async () => {
      const names = await readdir(join(dataDir, "postgres"));
      const draft = names.find((name) => name.startsWith("cluster.new-"));
      expect(await stat(join(dataDir, "postgres", draft ?? "", "base/1"))).toBeDefined();
    }, BOUND);
    await gateway.kill("SIGKILL");
    await expect(stat(clusterPath())).rejects.toThrow("ENOENT");
    const postgres = await start();
    expect(await query(postgres.url, "select 1 as alive")).toEqual([{ alive: 1 }]);
    await postgres.stop();
    await (await start()).stop();
    expect((await readdir(join(dataDir, "postgres"))).toSorted()).toEqual(
      expect.not.arrayContaining([expect.stringContaining(".new-")]),
    );
  });

  it("starts over a left-over postmaster.pid whose number is another program's by now", async () => {
    const first = await start();
    const path = join(clusterPath(), "postmaster.pid");
    const lines = (await readFile(path, "utf8")).split("\n");
    await first.stop();
    const { uid, gid } = await stat(clusterPath());
    const stranger = spawn("sleep", ["60"], process.getuid?.() === 0 ? { uid, gid } : {});
    children.add(stranger);
    await once(stranger, "spawn");
    await writeFile(path, [stranger.pid, ...lines.slice(1)].join("\n"), { mode: 0o600 });
    await chown(path, uid, gid);
    const second = await start();
    expect(messages.at(-1)).toBe("postgres.started");
    expect(await findPid()).not.toBe(stranger.pid);
    expect(await isAlive(stranger.pid ?? 0)).toBe(true);
    await second.stop();
  });

  it("starts again after its postmaster was killed", async () => {
    const first = await start();
    await query(first.url, "create table kept as select 7 as id");
    const pid = (await findPid()) ?? 0;
    process.kill(pid, "SIGKILL");
    await vi.waitFor(async () => expect(await isAlive(pid)).toBe(false), BOUND);
    const second = await start();
    expect(await query(second.url, "select id from kept")).toEqual([{ id: 7 }]);
    await first.stop();
    expect(messages.at(-1)).toBe("postgres.left_running");
    await second.stop();
    expect(await findPid()).toBeUndefined();
  });

  it("says in one line, with the end of the server's log, why it cannot start", async () => {
    await (await start()).stop();
    await writeFile(join(clusterPath(), "PG_VERSION"), "12\n");
    const failure = await start().catch((error: unknown) => error);
    expect(String(failure)).toMatch(/did not start: .*its log ends: .*incompatible with server/);
    expect(String(failure)).not.toContain("\n");
  });

  it("keeps its socket elsewhere when the directory's path is too long for one", async () => {
    dataDir = join(base, "a-directory-with-a-long-name/".repeat(4), "data");
    const postgres = await start();
    const socketPath = new URL(postgres.url).searchParams.get("host") ?? "";
    expect(socketPath).not.toContain("a-directory-with-a-long-name");
    expect((await stat(socketPath)).mode & 0o777).toBe(0o700);
    expect(await query(postgres.url, "select 1 as alive")).toEqual([{ alive: 1 }]);
    await postgres.stop();
    await rm(socketPath, { recursive: true });
  });
});
