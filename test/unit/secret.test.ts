import { format, inspect } from "node:util";
import { pino } from "pino";
import { describe, expect, it } from "vitest";
import { Secret } from "../../src/secret.ts";

const VALUE = "hunter2-hunter2";
const secret = new Secret(VALUE);

/** As careless code does, past the types. */
const asText = (value: Secret) => value as unknown as string;

function logged(fields: object): string {
  const lines: string[] = [];
  pino({ level: "trace" }, { write: (line: string) => void lines.push(line) }).info(fields);
  return lines.join("");
}

describe("a secret", () => {
  it("is revealed only by asking for it", () => {
    expect(secret.reveal()).toBe(VALUE);
  });

  it.each<[string, () => string]>([
    ["a template", () => `key=${asText(secret)}`],
    ["String()", () => String(secret)],
    ["joining", () => ["key", secret].join("=")],
    ["JSON", () => JSON.stringify({ nested: { secret }, list: [secret] })],
    ["inspect", () => inspect({ secret })],
    ["inspect with everything", () => inspect(secret, { showHidden: true, depth: 9 })],
    ["format with %s", () => format("%s", secret)],
    ["format with %o", () => format("%o", secret)],
    ["format with %j", () => format("%j", secret)],
    ["format without a place", () => format("key", secret)],
    ["an error's message", () => inspect(new Error(`cannot open ${asText(secret)}`))],
    ["an error's cause", () => inspect(new Error("no", { cause: { secret } }))],
    ["an error's member", () => inspect(Object.assign(new Error("no"), { secret }))],
    ["the log", () => logged({ secret, nested: { secret } })],
    ["the log of an error", () => logged({ err: Object.assign(new Error("no"), { secret }) })],
  ])("is not in %s", (_name, print) => {
    expect(print()).not.toContain(VALUE);
    expect(print()).toContain("[secret]");
  });

  it.each<[string, () => unknown]>([
    ["its own members", () => Object.entries(Object.getOwnPropertyDescriptors(secret))],
    ["a copy of its members", () => Object.assign({}, secret)],
    ["a structured clone", () => structuredClone(secret)],
  ])("is not in %s", (_name, copy) => {
    expect(JSON.stringify(copy())).not.toContain(VALUE);
  });
});
