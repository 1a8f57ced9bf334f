import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("..", import.meta.url));

const REDOCLY = "node_modules/@redocly/cli/bin/cli.js";

type Check = { name: string; args: string[] };

/** Every program is JavaScript, so that the project's own Node.js runs it. */
const SIDE_BY_SIDE: Check[] = [
  { name: "format", args: ["node_modules/prettier/bin/prettier.cjs", "--check", "."] },
  { name: "lint", args: ["node_modules/oxlint/bin/oxlint", "--type-aware", "--deny-warnings"] },
  { name: "types", args: ["node_modules/typescript-7/bin/tsc", "-p", "tsconfig.json"] },
  {
    name: "contract",
    args: [REDOCLY, "lint", "openapi/openapi.yaml", "--config", "openapi/redocly.yaml"],
  },
];
/** Alone, because some of these look at the clock. */
const AFTERWARDS: Check[] = [
  { name: "unit tests", args: ["node_modules/vitest/vitest.mjs", "run", "--project", "unit"] },
];

function run({ args }: Check): Promise<{ passed: boolean; output: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, args, {
      cwd: ROOT,
      env: { ...process.env, REDOCLY_TELEMETRY: "off" },
      stdio: ["ignore", "pipe", "pipe"],
    });
    const chunks: Buffer[] = [];
    child.stdout.on("data", (chunk: Buffer) => chunks.push(chunk));
    child.stderr.on("data", (chunk: Buffer) => chunks.push(chunk));
    child.on("error", reject);
    child.on("close", (exitCode) =>
      resolve({ passed: exitCode === 0, output: Buffer.concat(chunks).toString("utf8") }),
    );
  });
}

async function report(check: Check): Promise<boolean> {
  const startMs = performance.now();
  const { passed, output } = await run(check);
  const verdict = passed ? "ok    " : "FAILED";
  process.stdout.write(`${verdict}  ${check.name.padEnd(10)}  ${secondsSince(startMs)}\n`);
  if (!passed) {
    process.stdout.write(`\n${output.trim()}\n\n`);
  }
  return passed;
}

function secondsSince(startMs: number): string {
  return `${((performance.now() - startMs) / 1000).toFixed(1).padStart(5)} s`;
}

const startMs = performance.now();
const results = await Promise.all(SIDE_BY_SIDE.map(report));
for (const check of AFTERWARDS) {
  results.push(await report(check));
}
const failed = results.filter((passed) => !passed).length;
process.stdout.write(
  `${failed === 0 ? "all ok" : "FAILED"}  ${"".padEnd(10)}  ${secondsSince(startMs)}\n`,
);
process.exitCode = failed === 0 ? 0 : 1;
