import { chmod, cp, lstat, readdir, readFile, symlink } from "node:fs/promises";
import { createRequire } from "node:module";
import { basename, dirname, join, relative, resolve } from "node:path";
import { canExecute } from "./embedded-postgres-account.ts";
import { exists, makeWhole } from "./embedded-postgres-files.ts";
import type { Home, Log } from "./embedded-postgres-home.ts";

export type Binaries = { initdb: string; postgres: string };

/** The folder `native` of the package `@embedded-postgres/<platform>-<arch>`. */
export function findNativePath(): string {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`;
  try {
    if (process.platform === "win32") {
      throw new Error("process groups, signals and sockets of this kind do not exist there");
    }
    const require = createRequire(import.meta.url);
    // Asked for from inside embedded-postgres: not every package manager puts it beside that one.
    const entry = createRequire(require.resolve("embedded-postgres")).resolve(name);
    return resolve(dirname(entry), "../native");
  } catch (cause) {
    throw new Error(
      `there is no embedded PostgreSQL for ${process.platform} ${process.arch} here (package ${name}); set DATABASE_URL to a PostgreSQL 15 or later`,
      { cause },
    );
  }
}

/** The package's own files where they can be used as they are, else a copy of them in the home. */
export async function prepareBinaries(options: {
  nativePath: string;
  home: Home;
  log: Log;
}): Promise<Binaries> {
  const { nativePath, home, log } = options;
  if ((await linkLibraries(nativePath)) && (await isUsable(nativePath, home))) {
    return binariesOf(nativePath);
  }
  const path = join(home.path, `binaries-${await readVersion(nativePath)}`);
  if (!(await exists(path)) && (await makeWhole(path, (draft) => copyNative(nativePath, draft)))) {
    log("postgres.binaries_staged", {
      path,
      reason: `those in ${nativePath} are closed to the account or incomplete`,
    });
  }
  if (!(await isUsable(path, home))) {
    throw new Error(
      `${binariesOf(path).postgres} cannot be executed (a mount with noexec?); set DATABASE_URL to a PostgreSQL 15 or later`,
    );
  }
  return binariesOf(path);
}

function binariesOf(nativePath: string): Binaries {
  return { initdb: join(nativePath, "bin/initdb"), postgres: join(nativePath, "bin/postgres") };
}

async function isUsable(nativePath: string, home: Home): Promise<boolean> {
  const { initdb, postgres } = binariesOf(nativePath);
  const found = await Promise.all(
    [initdb, postgres, join(nativePath, "lib"), join(nativePath, "share")].map((path) =>
      canExecute(home.account, path),
    ),
  );
  return found.every(Boolean);
}

async function copyNative(nativePath: string, draft: string): Promise<void> {
  await cp(nativePath, draft, { recursive: true, verbatimSymlinks: true });
  // A restrictive umask must not close the copy to the account that it was made for.
  await openToAll(draft);
  if (!(await linkLibraries(draft))) {
    throw new Error(`cannot make the links between the libraries in ${draft}`);
  }
}

async function openToAll(path: string): Promise<void> {
  const found = await lstat(path);
  if (found.isDirectory()) {
    await chmod(path, 0o755);
    const names = await readdir(path);
    await Promise.all(names.map((name) => openToAll(join(path, name))));
  } else if (found.isFile()) {
    const isProgram = basename(dirname(path)) === "bin" || (found.mode & 0o111) !== 0;
    await chmod(path, isProgram ? 0o755 : 0o644);
  }
}

/**
 * npm packs no symbolic links; a script of the package makes them after the installation, and many
 * machines run no such scripts. `false` where one is missing and cannot be made.
 */
async function linkLibraries(nativePath: string): Promise<boolean> {
  const list = await readFile(join(nativePath, "pg-symlinks.json"), "utf8").catch(() => "[]");
  const links: { source: string; target: string }[] = JSON.parse(list);
  for (const link of links) {
    // Both are written from the package's root: "native/lib/libpq.so.5".
    const source = join(nativePath, relative("native", link.source));
    const path = join(nativePath, relative("native", link.target));
    try {
      await symlink(relative(dirname(path), source), path);
    } catch {
      if (!(await exists(path))) {
        return false;
      }
    }
  }
  return true;
}

async function readVersion(nativePath: string): Promise<string> {
  const text = await readFile(join(nativePath, "../package.json"), "utf8");
  const manifest: { version: string } = JSON.parse(text);
  return manifest.version;
}
