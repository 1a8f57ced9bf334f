import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";

const SRC = join(import.meta.dirname, "../../src");

const sources = readdirSync(SRC, { recursive: true, encoding: "utf8" })
  .filter((file) => file.endsWith(".ts") && !file.startsWith("simulator/"))
  .map((file) => ({ file, text: readFileSync(join(SRC, file), "utf8") }));

const filesWith = (pattern: RegExp): string[] =>
  sources.filter(({ text }) => pattern.test(text)).map(({ file }) => file);

/** Whoever calls an address that somebody named does it through one function, which guards it. */
describe("the way to addresses that tenants name", () => {
  it("is one agent, made once", () => {
    expect(filesWith(/\bcreateOutboundAgent\(/).toSorted()).toEqual([
      "open-parts.ts",
      "outbound/agent.ts",
    ]);
    expect(filesWith(/\bcreateGuardedDispatcher\(/).toSorted()).toEqual([
      "outbound/agent.ts",
      "outbound/dispatcher.ts",
    ]);
    expect(filesWith(/\bexchange\(\{/).filter((file) => file.startsWith("outbound/"))).toEqual([
      "outbound/agent.ts",
      "outbound/exchange.ts",
    ]);
  });

  it("is taken by deliveries, probes, replays and tests in one place, by proofs and JWKS in theirs", () => {
    expect(filesWith(/\boutbound\.request\(/).toSorted()).toEqual([
      "fanout/post.ts",
      "fanout/prove-url.ts",
      "tenancy/issuer-keys.ts",
    ]);
    // A probe and a replay are attempts like any other.
    expect(filesWith(/\bpostSigned\(/).toSorted()).toEqual([
      "fanout/attempt.ts",
      "fanout/ping.ts",
      "fanout/post.ts",
    ]);
  });

  it("is the only one but for that to 360dialog", () => {
    const clients = filesWith(/from "undici"|from "node:https?"|\bfetch\(/).filter((file) =>
      /(?:import \{[^}]*\b(?:request|Agent|Pool|Client|get|fetch)\b[^}]*\} from "(?:undici|node:https?)")|(?<![.\w])fetch\(/.test(
        sources.find((source) => source.file === file)?.text ?? "",
      ),
    );
    expect(clients.filter((file) => !/^(outbound|dialog360)\//.test(file))).toEqual([]);
  });
});
