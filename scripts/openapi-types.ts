import { execFile } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const SOURCE = fileURLToPath(new URL("../openapi/openapi.yaml", import.meta.url));
const TARGET = fileURLToPath(new URL("../openapi/openapi.d.ts", import.meta.url));
const OUTPUT_BYTES_MAX = 16 * 1024 * 1024;

// Called as a command and not as a library, because its declarations need packages that it does
// not bring along, and `skipLibCheck` is off.
const COMMAND = fileURLToPath(
  new URL("bin/cli.js", import.meta.resolve("openapi-typescript/package.json")),
);

/** The text that `openapi/openapi.d.ts` must have; a test compares, so that the two cannot drift. */
export async function generateOpenApiTypes(): Promise<string> {
  const { stdout } = await promisify(execFile)(process.execPath, [COMMAND, SOURCE], {
    maxBuffer: OUTPUT_BYTES_MAX,
  });
  return `// Made from openapi.yaml by \`npm run openapi:types\`.\n${stdout}`;
}

if (import.meta.main) {
  await writeFile(TARGET, await generateOpenApiTypes());
}
