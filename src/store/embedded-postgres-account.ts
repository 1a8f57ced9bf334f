import { execFile } from "node:child_process";
import { access, constants } from "node:fs/promises";
import { promisify } from "node:util";

const run = promisify(execFile);

/** Who PostgreSQL runs as when that is not ourselves: only root needs another one. */
export type Account = { uid: number; gid: number };

// `_postgres` is macOS's name for it. `nobody` exists everywhere, but other programs share it.
const ACCOUNT_NAMES = ["postgres", "_postgres", "nobody"] as const;

/** Every program here sees only these variables: no `PG…` that changes what it does, no secrets. */
const ENVIRONMENT_NAMES = ["PATH", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH"] as const;

export function isRoot(): boolean {
  return process.getuid?.() === 0;
}

/** An existing unprivileged account for PostgreSQL, which refuses to run as root. */
export async function getAccount(): Promise<Account> {
  for (const name of ACCOUNT_NAMES) {
    try {
      const [uid, gid] = await Promise.all([run("id", ["-u", name]), run("id", ["-g", name])]);
      // Unsigned, as `stat` gives them: macOS's `nobody` is also written -2.
      return { uid: Number(uid.stdout) >>> 0, gid: Number(gid.stdout) >>> 0 };
    } catch {
      // No such account: the next one.
    }
  }
  throw new Error(
    `PostgreSQL does not run as root, and there is no account ${ACCOUNT_NAMES.join(", ")} to run it as; start as another user or set DATABASE_URL`,
  );
}

/** Options of `spawn` and `execFile` for a program that is to run as this account. */
export function runAs(account: Account | undefined) {
  const env: Record<string, string> = { LC_ALL: "C", TZ: "UTC" };
  for (const name of ENVIRONMENT_NAMES) {
    const value = process.env[name];
    if (value !== undefined) {
      env[name] = value;
    }
  }
  // Our own working directory may be closed to the account.
  const options = { cwd: "/", env };
  // Signed here, since `spawn` refuses numbers above 2^31.
  return account === undefined
    ? options
    : { ...options, uid: account.uid | 0, gid: account.gid | 0 };
}

/** Whether the account can execute this file, or get into this directory and all above it. */
export async function canExecute(account: Account | undefined, path: string): Promise<boolean> {
  try {
    if (account === undefined) {
      await access(path, constants.X_OK);
    } else {
      // Asking the kernel as that account also answers for access lists and read-only mounts.
      await run("/bin/sh", ["-c", 'test -x "$1"', "sh", path], runAs(account));
    }
    return true;
  } catch {
    return false;
  }
}
