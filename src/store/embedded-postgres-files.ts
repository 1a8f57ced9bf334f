import { randomBytes } from "node:crypto";
import { chmod, chown, mkdir, open, readdir, rename, rm, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { Account } from "./embedded-postgres-account.ts";
import { isAlive } from "./embedded-postgres-process.ts";

/**
 * Something large that is there either whole or not at all: made under a name of its own, then
 * renamed. Of two makers at once the first wins and the other's work is thrown away: `false`.
 */
export async function makeWhole(
  path: string,
  make: (draft: string) => Promise<void>,
): Promise<boolean> {
  const draft = `${path}.new-${process.pid}-${randomBytes(4).toString("hex")}`;
  try {
    await make(draft);
    await rename(draft, path);
  } catch (error) {
    await rm(draft, { recursive: true, force: true });
    if (!(await exists(path))) {
      throw error;
    }
    return false;
  }
  // The name must outlive a power cut as surely as the files do.
  const parent = await open(dirname(path));
  try {
    await parent.sync();
  } finally {
    await parent.close();
  }
  return true;
}

/** What a process that died in `makeWhole` left. */
export async function removeAbandonedDrafts(path: string): Promise<void> {
  for (const name of await readdir(path)) {
    const pid = /\.new-(\d+)-/.exec(name)?.[1];
    if (pid !== undefined && !(await isAlive(Number(pid)))) {
      // Its initdb may live for a moment longer and still write: then the next start removes it.
      await rm(join(path, name), { recursive: true, force: true, maxRetries: 3 }).catch(() => {});
    }
  }
}

/** A directory with this mode and owner from the first moment that others can see it. */
export async function makeDirectory(path: string, mode: number, owner?: Account): Promise<void> {
  if (await exists(path)) {
    return;
  }
  await makeWhole(path, async (draft) => {
    await mkdir(draft, { mode: 0o700 });
    // Whatever the umask says: a directory meant to be passed through must be.
    await chmod(draft, mode);
    if (owner !== undefined) {
      await chown(draft, owner.uid, owner.gid);
    }
  });
}

export async function exists(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined)) !== undefined;
}
