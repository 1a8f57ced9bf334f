import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import ts from "typescript";
import { describe, expect, it } from "vitest";

const SRC = join(import.meta.dirname, "../../src");

/** Which modules a module may import besides itself and the files directly under `src/`. */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  http: [],
  store: [],
  outbound: [],
  dialog360: [],
  simulator: [],
  processes: ["store"],
  tenancy: ["http", "store", "outbound"],
  events: ["tenancy", "store"],
  inbox: ["http", "tenancy", "dialog360", "events"],
  fanout: ["http", "tenancy", "events", "outbound", "store"],
  records: ["http", "tenancy", "events", "store"],
  gateway: ["http", "tenancy", "dialog360", "records", "store"],
  partner: ["http", "tenancy", "dialog360", "fanout", "events", "records", "store"],
  cli: [],
};

/** The files directly under `src/` that know the modules: they join them. */
const JOINING = [
  "main.ts",
  "start-gateway.ts",
  "http-process.ts",
  "background.ts",
  "open-parts.ts",
  "embed.ts",
];

const files = readdirSync(SRC, { recursive: true, encoding: "utf8" }).filter((file) =>
  file.endsWith(".ts"),
);

/** The one import from outside: the shapes of the contract, by name of their one importer. */
const CONTRACT_TYPES = "http/contract-types.ts imports ../openapi/openapi.d.ts";

const imports = files.flatMap((from) =>
  ts
    .preProcessFile(readFileSync(join(SRC, from), "utf8"))
    .importedFiles.filter(({ fileName }) => fileName.startsWith("."))
    .map(({ fileName }) => {
      const to = relative(SRC, resolve(SRC, dirname(from), fileName));
      return { from, to, line: `${from} imports ${to}` };
    })
    .filter(({ line }) => line !== CONTRACT_TYPES),
);

/** A file's module; empty for a file directly under `src/`. */
function moduleOf(file: string): string {
  return file.includes("/") ? (file.split("/")[0] ?? "") : "";
}

const linesOf = (found: typeof imports) => found.map(({ line }) => line);

describe("the import map", () => {
  it("knows every module of src/", () => {
    const modules = new Set(files.map(moduleOf).filter((name) => name !== ""));
    expect([...modules].toSorted()).toEqual(Object.keys(MAY_IMPORT).toSorted());
  });

  it("is kept by every module", () => {
    const forbidden = imports.filter(({ from, to }) => {
      const [source, target] = [moduleOf(from), moduleOf(to)];
      const free = source === "" || target === "" || source === target;
      return !free && !MAY_IMPORT[source]?.includes(target);
    });
    expect(linesOf(forbidden)).toEqual([]);
  });

  it("has no circle between modules", () => {
    const reachable = (name: string, seen = new Set<string>()): Set<string> => {
      for (const next of MAY_IMPORT[name] ?? []) {
        if (!seen.has(next)) {
          reachable(next, seen.add(next));
        }
      }
      return seen;
    };
    const circular = Object.keys(MAY_IMPORT).filter((name) => reachable(name).has(name));
    expect(circular).toEqual([]);
  });

  it("lets nothing import what a process begins with", () => {
    const found = imports.filter(({ to }) => to === "main.ts" || to === "http-process.ts");
    expect(linesOf(found)).toEqual([]);
  });

  it("lets nothing but those that join the modules import one that does", () => {
    const found = imports.filter(({ from, to }) => JOINING.includes(to) && !JOINING.includes(from));
    expect(linesOf(found)).toEqual([]);
  });

  it("lets only those that join them, of the files directly under src/, import a module", () => {
    const found = imports.filter(
      ({ from, to }) => moduleOf(from) === "" && !JOINING.includes(from) && moduleOf(to) !== "",
    );
    expect(linesOf(found)).toEqual([]);
  });

  it("has every import name a file that exists, inside src/", () => {
    expect(linesOf(imports.filter(({ to }) => !files.includes(to)))).toEqual([]);
  });
});
