import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("..", import.meta.url));

// Every test; what is written behind `npm test --` goes to vitest. PostgreSQL is the one that
// DATABASE_URL names, or an embedded one (test/support/template-database.ts).
const given = process.argv.slice(2);
// A reporter that is asked for takes the place of all others; the closing line is always wanted.
const closingLine = given.some((argument) => argument.startsWith("--reporter"))
  ? ["--reporter=./test/support/closing-line-reporter.ts"]
  : [];
const vitest = spawn(
  process.execPath,
  ["node_modules/vitest/vitest.mjs", "run", ...given, ...closingLine],
  { cwd: ROOT, stdio: "inherit" },
);
for (const signal of ["SIGINT", "SIGTERM"] as const) {
  // It is in our process group and gets the signal too; we stay to tell how it ended.
  process.on(signal, () => {});
}
vitest.on("exit", (exitCode) => {
  process.exitCode = exitCode ?? 1;
});
