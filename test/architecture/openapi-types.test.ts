import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { generateOpenApiTypes } from "../../scripts/openapi-types.ts";

const TYPES = join(import.meta.dirname, "../../openapi/openapi.d.ts");

describe("openapi/openapi.d.ts", () => {
  it("is what openapi.yaml makes it", { timeout: 60_000 }, async () => {
    const [made, kept] = await Promise.all([generateOpenApiTypes(), readFile(TYPES, "utf8")]);
    // Not `toEqual`: a diff of thousands of lines helps nobody.
    expect(made === kept, "run `npm run openapi:types`").toBe(true);
  });
});
