import { type ChildProcess, execFile, spawn, spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { chmod, mkdtemp, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { VARIABLE_DEFAULTS } from "../../src/config.ts";
import { isAlive } from "../../src/store/embedded-postgres-process.ts";
import { eventually } from "../support/eventually.ts";

const ROOT = join(import.meta.dirname, "../..");
const START_WITHIN_MS = 30_000;
const STOP_WITHIN_MS = 15_000;
const hasCurl = spawnSync("curl", ["--version"]).status === 0;

type Run = { child: ChildProcess; output: () => string; exit: Promise<number | null> };

describe("npm start", () => {
  let dataDir: string;
  const running = new Set<Run>();

  beforeAll(async () => {
    dataDir = await mkdtemp(join(tmpdir(), "wg-start-"));
    // Open to the account that PostgreSQL runs as, so that nothing is staged elsewhere.
    await chmod(dataDir, 0o755);
  });
  afterEach(async () => {
    for (const { child, exit } of running) {
      child.kill("SIGTERM");
      await exit;
    }
  });
  afterAll(async () => {
    await rm(dataDir, { recursive: true, force: true });
  });

  const node = (script: string, ...args: string[]): Run =>
    run(process.execPath, [join(ROOT, script), ...args]);

  /** In a process group of its own, as a shell makes one for each command. */
  function run(command: string, args: string[], given: Record<string, string> = {}): Run {
    const env: NodeJS.ProcessEnv = { ...process.env };
    for (const name of VARIABLE_DEFAULTS.keys()) {
      delete env[name];
    }
    const child = spawn(command, args, {
      cwd: ROOT,
      env: { ...env, DATA_DIR: dataDir, ...given },
      detached: true,
      stdio: ["ignore", "pipe", "pipe"],
    });
    let output = "";
    child.stdout.on("data", (chunk: Buffer) => (output += chunk.toString()));
    child.stderr.on("data", (chunk: Buffer) => (output += chunk.toString()));
    const exit = new Promise<number | null>((resolve) => child.on("close", resolve));
    const started: Run = { child, output: () => output, exit };
    running.add(started);
    void exit.then(() => running.delete(started));
    return started;
  }

  async function untilRunning(started: Run): Promise<{ url: string; postgresPid: number }> {
    await eventually(
      () => {
        expect(started.child.exitCode, started.output()).toBeNull();
        return started.output().includes("Ctrl-C stops everything");
      },
      { withinMs: START_WITHIN_MS },
    );
    const url = /gateway +(http:\S+)/.exec(started.output())?.[1] ?? "";
    expect((await fetch(`${url}/readyz`)).status).toBe(200);
    return { url, postgresPid: findPostgres() ?? 0 };
  }

  function findPostgres(): number | undefined {
    const file = join(dataDir, "postgres/cluster/postmaster.pid");
    return existsSync(file) ? Number(readFileSync(file, "utf8").split("\n")[0]) : undefined;
  }

  async function expectNothingLeft(url: string, postgresPid: number): Promise<void> {
    await eventually(
      async () => {
        expect(findPostgres()).toBeUndefined();
        expect(await isAlive(postgresPid)).toBe(false);
        await expect(fetch(url)).rejects.toThrow("fetch failed");
        return true;
      },
      { withinMs: STOP_WITHIN_MS },
    );
  }

  it("shows the job with --once, and at the second start finds what the first has made", async () => {
    const first = node("scripts/run.mjs", "scripts/start.ts", "--once");
    expect(await first.exit, first.output()).toBe(0);
    expect(first.output()).toContain("made a demo tenant");
    expectMainJob(first.output());
    expect(findPostgres()).toBeUndefined();
    expect((await stat(join(dataDir, "demo-client.json"))).mode & 0o777).toBe(0o600);

    const second = node("scripts/run.mjs", "scripts/start.ts", "--once");
    expect(await second.exit, second.output()).toBe(0);
    expect(second.output()).toContain("found the demo tenant again");
    expectMainJob(second.output());
  });

  it.each([
    ["an unknown option", ["--twice"], {}, /--twice/],
    [
      "a real 360dialog",
      ["--once"],
      { D360_BASE_URL: "https://example.com" },
      /D360_BASE_URL is set/,
    ],
    [
      "an endpoint that is refused",
      ["--once"],
      { ALLOW_PRIVATE_ENDPOINTS: "10.0.0.0/8" },
      /422: The URL/,
    ],
  ])("fails and says why, for %s", async (_what, args, env, reason) => {
    const started = run(process.execPath, [join(ROOT, "scripts/start.ts"), ...args], env);
    expect(await started.exit).toBe(1);
    expect(started.output()).toMatch(/^npm start failed: /m);
    expect(started.output()).toMatch(reason);
  });

  it.skipIf(!hasCurl)("prints commands that work when pasted, and shows what follows", async () => {
    const started = node("scripts/run.mjs", "scripts/start.ts");
    await untilRunning(started);
    const [send = "", reply = ""] =
      started.output().match(/^(TOKEN=|curl .*simulator)[^]*?(?=\n\n)/gm) ?? [];

    const { stdout } = await promisify(execFile)("sh", ["-c", send]);
    const { messages } = JSON.parse(stdout) as { messages: { id: string }[] };
    expect(messages[0]?.id).toMatch(/^wamid\./);
    await promisify(execFile)("sh", ["-c", reply]);

    const directionsEnd = started.output().indexOf("Ctrl-C stops everything");
    await eventually(() => {
      const followed = started.output().slice(directionsEnd);
      for (const what of ['"sent"', '"delivered"', '"read"', '"Hello back"']) {
        expect(followed).toContain(`${what}, signature verified`);
      }
      return true;
    });
  });

  it("leaves no process behind after Ctrl-C", async () => {
    const started = run("npm", ["start"]);
    const { url, postgresPid } = await untilRunning(started);
    expect(await isAlive(postgresPid)).toBe(true);
    process.kill(-(started.child.pid ?? 0), "SIGINT");
    // npm passes the signal on as well, and that must not count as a second Ctrl-C.
    expect(await started.exit, started.output()).toBe(0);
    await expectNothingLeft(url, postgresPid);
  });

  it("stops in order when only npm gets the signal", async () => {
    const started = run("npm", ["start"]);
    const { url, postgresPid } = await untilRunning(started);
    started.child.kill("SIGTERM");
    expect(await started.exit, started.output()).toBe(0);
    await expectNothingLeft(url, postgresPid);
  });

  it("stops what run.mjs has started when run.mjs is killed", async () => {
    const started = node("scripts/run.mjs", "scripts/start.ts");
    const { url, postgresPid } = await untilRunning(started);
    started.child.kill("SIGKILL");
    await expectNothingLeft(url, postgresPid);
  });

  it("finds its data after kill -9", async () => {
    const killed = node("scripts/start.ts");
    const { postgresPid } = await untilRunning(killed);
    killed.child.kill("SIGKILL");
    await killed.exit;

    const next = node("scripts/run.mjs", "scripts/start.ts", "--once");
    expect(await next.exit, next.output()).toBe(0);
    expect(next.output()).toContain("found the demo tenant again");
    expectMainJob(next.output());
    expect(findPostgres()).toBeUndefined();
    expect(await isAlive(postgresPid)).toBe(false);
  });
});

function expectMainJob(output: string): void {
  const lines = output.match(/^ +\d+ ms {2}.*$/gm) ?? [];
  const wanted = [
    /tenant .*gets a token/,
    /tenant .*sends the text/,
    /360dialog .*the number's own API key …\S{4}, and no trace of the token/,
    /tenant .*accepted as wamid\./,
    /endpoint .*"sent", signature verified/,
    /endpoint .*"delivered", signature verified/,
    /endpoint .*"read", signature verified/,
    /user .*replies/,
    /endpoint .*the user's message "Thank you!", signature verified/,
    /gateway .*4 deliveries, each of them delivered/,
  ];
  expect(lines).toEqual(wanted.map((line) => expect.stringMatching(line) as string));
}
