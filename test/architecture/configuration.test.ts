import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { VARIABLE_DEFAULTS } from "../../src/config.ts";

const README = join(import.meta.dirname, "../../README.md");

/** The rows of README's `| variable | default | meaning |` table. */
function readmeTable(): { name: string; byDefault: string; meaning: string }[] {
  const lines = readFileSync(README, "utf8").split("\n");
  const head = lines.findIndex((line) => /^\|\s*variable\s*\|\s*default\s*\|/i.test(line));
  if (head === -1) {
    return [];
  }
  const rows = lines.slice(head + 2);
  const end = rows.findIndex((line) => !line.startsWith("|"));
  return rows.slice(0, end === -1 ? rows.length : end).map((line) => {
    const [, variable = "", byDefault = "", meaning = ""] = line
      .split(/(?<!\\)\|/)
      .map((cell) => cell.trim());
    return { name: /^`([A-Z0-9_]+)`$/.exec(variable)?.[1] ?? variable, byDefault, meaning };
  });
}

describe("README's table of variables", () => {
  it("has every variable that is read, once, and no other", () => {
    expect(
      readmeTable()
        .map(({ name }) => name)
        .toSorted(),
    ).toEqual([...VARIABLE_DEFAULTS.keys()].toSorted());
  });

  it("has the defaults that are used", () => {
    const table = new Map(readmeTable().map(({ name, byDefault }) => [name, byDefault]));
    const differences = [...VARIABLE_DEFAULTS].flatMap(([name, byDefault]) => {
      // A default in words ("unset", "empty") stands for none or for an empty list.
      const told = /^`([^`]*)`/.exec(table.get(name) ?? "")?.[1] ?? "";
      return told === (byDefault ?? "") ? [] : [{ name, told, used: byDefault }];
    });
    expect(differences).toEqual([]);
  });

  it("says what each of them means", () => {
    const silent = readmeTable().filter(
      ({ byDefault, meaning }) => byDefault === "" || meaning === "",
    );
    expect(silent).toEqual([]);
  });
});
