import { randomBytes } from "node:crypto";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { newSecretText } from "../ids.ts";
import { Secret } from "../secret.ts";

export type GeneratedSecrets = {
  masterKeys: { id: string; key: Secret }[];
  bootstrapClient: { id: string; secret: Secret };
};

type Stored = { master_key: string; bootstrap_client_id: string; bootstrap_client_secret: string };

/**
 * What a gateway outside production makes for itself and finds again at its next start: a master
 * key and a partner client, in a file that only its owner can read. Two starts at once agree: the
 * file is made once, and the other one reads it.
 */
export async function generatedSecrets(dataDir: string): Promise<GeneratedSecrets> {
  const file = join(dataDir, "generated-secrets.json");
  await mkdir(dataDir, { recursive: true });
  const made: Stored = {
    master_key: randomBytes(32).toString("base64"),
    bootstrap_client_id: "partner",
    bootstrap_client_secret: newSecretText(),
  };
  try {
    await writeFile(file, JSON.stringify(made, null, 2), { flag: "wx", mode: 0o600 });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") {
      throw error;
    }
  }
  const stored = JSON.parse(await readFile(file, "utf8")) as Stored;
  return {
    masterKeys: [{ id: "generated", key: new Secret(stored.master_key) }],
    bootstrapClient: {
      id: stored.bootstrap_client_id,
      secret: new Secret(stored.bootstrap_client_secret),
    },
  };
}
