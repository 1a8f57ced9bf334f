import { createHash } from "node:crypto";
import { lstat, mkdir, readFile, realpath, rename, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { type Account, canExecute, getAccount, isRoot } from "./embedded-postgres-account.ts";
import { exists, makeDirectory, removeAbandonedDrafts } from "./embedded-postgres-files.ts";

/**
 * Where one embedded PostgreSQL lives. `path` holds the cluster, its socket and, where they had to
 * be copied, its binaries. What root writes never lies in a directory of the account: the account
 * could turn it into a link to somewhere else.
 */
export type Home = {
  path: string;
  clusterPath: string;
  logPath: string;
  account: Account | undefined;
};

export type Log = (message: string, fields?: object) => void;

const STAGING_PARENT = "/var/tmp";
/** In `<dataDir>/postgres`: where the data is when it is not there. */
const NOTE_NAME = "staged-at";
/** A socket's path has room for 103 bytes on macOS and 107 on Linux. */
const SOCKET_PATH_BYTES_MAX = 100;
const LOG_BYTES_MAX = 8 * 1024 * 1024;

/** Makes `<dataDir>/postgres`, or finds the place that stands in for it. */
export async function prepareHome(options: { dataDir: string; log: Log }): Promise<Home> {
  await mkdir(options.dataDir, { recursive: true });
  const near = join(await realpath(options.dataDir), "postgres");
  // Root's account has to get through; everything inside is closed by itself.
  await makeDirectory(near, isRoot() ? 0o711 : 0o700);
  const home = await placeHome(near, options.log);
  await refuseForeignCluster(home);
  await removeAbandonedDrafts(home.path);
  await rotateLog(home.logPath);
  return home;
}

async function placeHome(near: string, log: Log): Promise<Home> {
  const at = (path: string, account: Account | undefined): Home => ({
    path,
    clusterPath: join(path, "cluster"),
    logPath: join(near, "server.log"),
    account,
  });
  const staged = await readNote(near);
  if (!isRoot()) {
    return at(staged ?? near, undefined);
  }
  const path = staged ?? near;
  const owner = await findOwner(join(path, "cluster"));
  const account = owner ?? (await getAccount());
  if (await canExecute(account, path)) {
    return at(path, account);
  }
  if (owner !== undefined) {
    throw new Error(
      `the data in ${path} belongs to uid ${owner.uid}, who cannot reach it; give the directories above it mode o+x`,
    );
  }
  return at(await stage(near, log), account);
}

/** Root's project may lie where no other account gets in (`/root`, a 0700 directory). */
async function stage(near: string, log: Log): Promise<string> {
  const path = await freeStagingPath(near);
  await makeDirectory(path, 0o711);
  const found = await lstat(path);
  if (!found.isDirectory() || found.uid !== 0 || (found.mode & 0o022) !== 0) {
    throw new Error(`${path} is wanted for PostgreSQL's files, but somebody else made it`);
  }
  await writeFile(join(near, NOTE_NAME), `${path}\n${(await stat(near)).ino}\n`);
  log("postgres.staged", {
    path,
    reason: `PostgreSQL does not run as root, and ${near} is closed to the account it runs as`,
  });
  return path;
}

/**
 * A place without a cluster that is older than the data directory: such a one was another's, which
 * has been deleted (and with it the keys to what is sealed in the cluster), or moved (and lives on).
 */
async function freeStagingPath(near: string): Promise<string> {
  const { birthtimeMs } = await stat(near);
  for (let n = 1; ; n++) {
    const path = n === 1 ? stagingPath(near) : `${stagingPath(near)}-${n}`;
    const cluster = await stat(join(path, "cluster")).catch(() => undefined);
    if (cluster === undefined || cluster.birthtimeMs >= birthtimeMs) {
      return path;
    }
  }
}

function stagingPath(near: string): string {
  const name = createHash("sha256").update(dirname(near)).digest("hex").slice(0, 16);
  return join(STAGING_PARENT, `waba-gateway-${name}`);
}

/** A renamed project keeps its data; a copy of it, which has the note too, gets data of its own. */
async function readNote(near: string): Promise<string | undefined> {
  const note = await readFile(join(near, NOTE_NAME), "utf8").catch(() => "");
  const [path = "", ino] = note.split("\n");
  const isOurs = path.startsWith(stagingPath(near)) || ino === String((await stat(near)).ino);
  return path !== "" && isOurs && (await exists(path)) ? path : undefined;
}

/** PostgreSQL serves only a directory that its own account owns, so that account goes on. */
async function findOwner(clusterPath: string): Promise<Account | undefined> {
  const found = await stat(clusterPath).catch(() => undefined);
  return found === undefined || found.uid === 0 ? undefined : { uid: found.uid, gid: found.gid };
}

async function refuseForeignCluster(home: Home): Promise<void> {
  const owner = await findOwner(home.clusterPath);
  const uid = home.account?.uid ?? process.getuid?.();
  if (owner !== undefined && owner.uid !== uid) {
    throw new Error(
      `the data in ${home.path} belongs to uid ${owner.uid}; start as the user who started before, or set another DATA_DIR`,
    );
  }
}

/**
 * A directory for the socket that only the account (and root) gets into, since whoever reaches the
 * socket is let in: beside the data, or under the temporary directory where that path is too long.
 */
export async function prepareSocketDirectory(home: Home): Promise<string> {
  const beside = join(home.path, "socket");
  const name = `waba-gateway-${createHash("sha256").update(home.path).digest("hex").slice(0, 16)}`;
  const temporary = isRoot() ? ["/tmp"] : [tmpdir(), "/tmp"];
  const candidates = [beside, ...temporary.map((parent) => join(parent, name))];
  const path = candidates.find(
    (candidate) => Buffer.byteLength(join(candidate, ".s.PGSQL.5432")) <= SOCKET_PATH_BYTES_MAX,
  );
  if (path === undefined) {
    throw new Error(`no path for PostgreSQL's socket is short enough: ${candidates.join(", ")}`);
  }
  await makeDirectory(path, 0o700, home.account);
  const found = await lstat(path);
  const uid = home.account?.uid ?? process.getuid?.();
  if (!found.isDirectory() || found.uid !== uid || (found.mode & 0o077) !== 0) {
    throw new Error(`${path} is wanted for PostgreSQL's socket, but it is open to others`);
  }
  return path;
}

async function rotateLog(logPath: string): Promise<void> {
  const found = await stat(logPath).catch(() => undefined);
  if (found !== undefined && found.size > LOG_BYTES_MAX) {
    await rename(logPath, `${logPath}.1`);
  }
}
