import { execFile } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";

const ROOT = join(import.meta.dirname, "../..");
const run = promisify(execFile);

const PAPERS = [
  "README.md",
  "ARCHITECTURE.md",
  "CONTRIBUTING.md",
  "SECURITY.md",
  "CHANGELOG.md",
  ...readdirSync(join(ROOT, "docs/decisions")).map((file) => `docs/decisions/${file}`),
].map((name) => ({ name, text: readFileSync(join(ROOT, name), "utf8") }));

const { scripts } = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8")) as {
  scripts: Record<string, string>;
};

/** Fences that are to be run as they stand say `sh`; those with placeholders, `sh example`. */
function commandsOf(text: string): string[] {
  return [...text.matchAll(/^```sh\n([\s\S]*?)^```$/gm)]
    .flatMap(([, commands = ""]) => commands.split("\n"))
    .filter((command) => command !== "");
}

describe.each(PAPERS)("$name", ({ text }) => {
  it("names only npm scripts that exist", () => {
    const named = [...text.matchAll(/`(npm (?:run )?(?:start|test|[a-z:]+))(?: [^`]*)?`/g)]
      .map(([, command = ""]) => command.replace(/^npm (run )?/, ""))
      .filter((name) => !["ci", "install", "run"].includes(name));
    expect(named.filter((name) => !(name in scripts))).toEqual([]);
  });

  it("names only files that exist", () => {
    const places = /`((?:src|test|scripts|migrations|openapi|docs|\.ci)\/[\w./-]+)`/g;
    const linked = /\]\((?!https?:|#)([^)#]+)[^)]*\)/g;
    const folder = text === PAPERS[0]?.text ? "." : "docs/decisions";
    // `fanout/claim.ts` is told without its `src/`.
    const inSource = [...text.matchAll(/`([a-z0-9]+\/[\w./-]+\.ts)`/g)].map(
      ([, path = ""]) => path,
    );
    expect(
      inSource.filter((path) => !["src", "."].some((from) => existsSync(join(ROOT, from, path)))),
    ).toEqual([]);
    const named = [...text.matchAll(places)]
      .map(([, path = ""]) => path)
      // A name to be made up, not one that is there.
      .filter((path) => !path.includes("NNNN"));
    const links = [...text.matchAll(linked)].map(([, path = ""]) => path);
    expect(named.filter((path) => !existsSync(join(ROOT, path)))).toEqual([]);
    expect(
      links.filter((path) => ![".", folder].some((from) => existsSync(join(ROOT, from, path)))),
    ).toEqual([]);
  });
});

describe("a command of the papers", () => {
  const commands = PAPERS.flatMap(({ text }) => commandsOf(text));

  it("is there", () => {
    expect(commands).toContain("npm start");
  });

  // `npm start` has a test of its own; it stays up.
  it.each(commands.filter((command) => command !== "npm start"))("works: %s", async (command) => {
    const { stdout } = await run("sh", ["-c", command], { cwd: ROOT });
    expect(stdout).toMatch(/^[1-9]\d* passed, 0 failed(, \d+ skipped)?$/m);
  });
});
