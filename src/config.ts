import { availableParallelism } from "node:os";
import { formatDuration, parseDurationMs } from "./clock.ts";
import { Secret } from "./secret.ts";

/**
 * The environment, read once; README's table tells of it, and a test holds the two together. Each row
 * says what a variable defaults to, in the words of the table, and how its text becomes a value.
 * A default that cannot be written as text (a generated key, an embedded server) is `undefined`
 * here and decided in `start-gateway.ts`.
 */
const VARIABLES = {
  NODE_ENV: { parse: oneOf("development", "production", "test") },
  PORT: { default: "8080", parse: port },
  HOST: { default: "127.0.0.1", parse: plain },
  ROLE: { default: "all", parse: oneOf("all", "api", "worker") },
  PUBLIC_URL: { parse: httpUrl },
  DATABASE_URL: { parse: databaseUrl, secret: true },
  DATA_DIR: { default: ".data", parse: plain },
  REDIS_URL: { parse: redisUrl, secret: true },
  REDIS_PREFIX: { parse: redisPrefix },
  D360_BASE_URL: { default: "https://waba-v2.360dialog.io", parse: origin },
  D360_HUB_URL: { default: "https://hub.360dialog.io/api/v2", parse: httpUrl },
  D360_PARTNER_ID: { parse: partnerId },
  D360_PARTNER_API_KEY: { parse: visibleSecret, secret: true },
  D360_PLATFORM_SECRET: { parse: visibleSecret, secret: true },
  D360_ALLOWED_ORIGINS: { default: "", parse: list(origin) },
  D360_TIMEOUT: { default: "30s", parse: duration },
  MASTER_KEYS: { parse: masterKeys, secret: true },
  BOOTSTRAP_CLIENT_ID: { parse: clientId },
  BOOTSTRAP_CLIENT_SECRET: { parse: longSecret, secret: true },
  TOKEN_LIFETIME: { default: "1h", parse: duration },
  ALLOW_PRIVATE_ENDPOINTS: { default: "", parse: list(plain) },
  RETRY_SCHEDULE: { default: "5s,30s,2m,10m,30m,1h,2h,4h", parse: schedule },
  RETRY_HORIZON: { default: "24h", parse: horizon },
  HOLD_AFTER: { default: "10", parse: wholeNumber },
  PROBE_EVERY: { default: "30s", parse: duration },
  DISABLE_AFTER: { default: "5d", parse: duration },
  RETENTION: { default: "30d", parse: duration },
  STORAGE_REGION: { parse: region },
  HTTP_PROCESSES: { default: "1", parse: processes },
  METRICS_PORT: { default: "9464", parse: port },
  LOG_LEVEL: { default: "info", parse: oneOf("trace", "debug", "info", "warn", "error", "fatal") },
  LOG_FORMAT: { parse: oneOf("json", "pretty") },
} as const satisfies Record<string, Variable<unknown>>;

// For so long a repeat is known by what it is.
const IDENTITIES_KEPT_MS = 7 * 86_400_000;

type Variable<T> = { default?: string; secret?: true; parse: (text: string) => T };
type VariableName = keyof typeof VARIABLES;
type Value<Name extends VariableName> =
  | ReturnType<(typeof VARIABLES)[Name]["parse"]>
  | ((typeof VARIABLES)[Name] extends { default: string } ? never : undefined);

/** Every variable's value, by its own name; `explicit` are those that the environment did set. */
export type Config = { readonly [Name in VariableName]: Value<Name> } & {
  readonly explicit: ReadonlySet<string>;
  /** The environment that another process reads as this same configuration. */
  readonly given: ReadonlyMap<string, Secret>;
  readonly production: boolean;
};

export const VARIABLE_DEFAULTS: ReadonlyMap<string, string | undefined> = new Map(
  Object.entries(VARIABLES as Record<string, Variable<unknown>>).map(([name, variable]) => [
    name,
    variable.default,
  ]),
);

/** One line for the operator: the variable, what it got (never a secret), what it wants. */
export class ConfigError extends Error {
  override readonly name = "ConfigError";
}

/**
 * Reads and checks the environment. Empty text counts as unset, as `NAME=` in an env file does.
 * @throws {ConfigError} for the first variable that is wrong, or missing in production
 */
export function readConfig(env: Record<string, string | undefined>): Config {
  const values: Record<string, unknown> = {};
  const given = new Map<string, Secret>();
  for (const [name, variable] of Object.entries(VARIABLES as Record<string, Variable<unknown>>)) {
    const set = env[name]?.trim() || undefined;
    if (set !== undefined) {
      given.set(name, new Secret(set));
    }
    const text = set ?? variable.default;
    values[name] = text === undefined ? undefined : parseOrRefuse(name, variable, text);
  }
  const production = values["NODE_ENV"] === "production";
  const explicit = new Set(given.keys());
  const config = { ...values, explicit, given, production } as unknown as Config;
  refuseImpossible(config);
  return config;
}

function parseOrRefuse(name: string, variable: Variable<unknown>, text: string): unknown {
  try {
    return variable.parse(text);
  } catch (error) {
    const wanted = error instanceof Error ? error.message : String(error);
    const got = variable.secret ? "what it got (not shown)" : JSON.stringify(withoutUser(text));
    throw new ConfigError(`${name}: ${got} is not ${wanted}`, { cause: error });
  }
}

/** A URL's user and password are a secret, wherever somebody put them. */
function withoutUser(text: string): string {
  return text.replaceAll(/\/\/[^/\s]*@/g, "//…@");
}

function refuseImpossible(config: Config): void {
  if (config.production) {
    for (const name of ["DATABASE_URL", "MASTER_KEYS", "PUBLIC_URL"] as const) {
      if (config[name] === undefined) {
        throw new ConfigError(
          `${name}: unset, but production needs it (nothing is embedded or generated there)`,
        );
      }
    }
  }
  if ((config.D360_PARTNER_ID === undefined) !== (config.D360_PARTNER_API_KEY === undefined)) {
    const missing =
      config.D360_PARTNER_ID === undefined ? "D360_PARTNER_ID" : "D360_PARTNER_API_KEY";
    throw new ConfigError(`${missing}: unset, but the other half of the partner's account is set`);
  }
  const retentionMsMin = config.RETRY_HORIZON + IDENTITIES_KEPT_MS;
  if (config.RETENTION < retentionMsMin) {
    throw new ConfigError(
      `RETENTION: ${JSON.stringify(formatDuration(config.RETENTION))} is not at least RETRY_HORIZON and 7d, ${formatDuration(retentionMsMin)}`,
    );
  }
  if (
    (config.BOOTSTRAP_CLIENT_ID === undefined) !==
    (config.BOOTSTRAP_CLIENT_SECRET === undefined)
  ) {
    const missing =
      config.BOOTSTRAP_CLIENT_ID === undefined ? "BOOTSTRAP_CLIENT_ID" : "BOOTSTRAP_CLIENT_SECRET";
    throw new ConfigError(`${missing}: unset, but the other half of the bootstrap client is set`);
  }
}

/** A parser throws an error whose message completes "… is not". */
function wants(wanted: string): never {
  throw new Error(wanted);
}

function plain(text: string): string {
  return text;
}

function oneOf<const Word extends string>(...words: Word[]): (text: string) => Word {
  return (text) => words.find((word) => word === text) ?? wants(`one of ${words.join(", ")}`);
}

function list<T>(parse: (text: string) => T): (text: string) => T[] {
  return (text) =>
    text
      .split(",")
      .map((item) => item.trim())
      .filter((item) => item !== "")
      .map(parse);
}

function port(text: string): number {
  const value = /^\d{1,5}$/.test(text) ? Number(text) : Number.NaN;
  return value <= 65_535 ? value : wants("a port: a whole number from 0 to 65535");
}

function processes(text: string): number {
  const count = text === "auto" ? availableParallelism() : Number(text);
  return Number.isInteger(count) && count >= 1 && count <= 128
    ? count
    : wants("a whole number from 1 to 128, or auto");
}

function wholeNumber(text: string): number {
  return /^[1-9]\d{0,8}$/.test(text) ? Number(text) : wants("a whole number of at least 1");
}

function duration(text: string): number {
  const durationMs = parseDurationMs(text);
  return durationMs !== undefined && durationMs > 0
    ? durationMs
    : wants("a duration such as 500ms, 30s, 24h or 7d");
}

function horizon(text: string): number {
  const durationMs = duration(text);
  return durationMs <= 7 * 86_400_000 ? durationMs : wants("a duration of at most 7d");
}

function schedule(text: string): number[] {
  const delaysMs = list(duration)(text);
  return delaysMs.length > 0 ? delaysMs : wants("a list of durations such as 5s,30s,2m");
}

function httpUrl(text: string): string {
  const url = URL.parse(text);
  const fits =
    url !== null &&
    /^https?:$/.test(url.protocol) &&
    !/[?#]/.test(text) &&
    url.username === "" &&
    url.password === "";
  return fits
    ? text.replace(/\/+$/, "")
    : wants("an http or https URL without user, query or fragment");
}

function origin(text: string): string {
  const url = URL.parse(httpUrl(text));
  return url !== null && url.pathname === "/"
    ? url.origin
    : wants("an origin such as https://host");
}

function databaseUrl(text: string): Secret {
  return /^postgres(ql)?:\/\//.test(text)
    ? new Secret(text)
    : wants("a URL that begins with postgres:// or postgresql://");
}

function redisUrl(text: string): Secret {
  return /^rediss?:\/\//.test(text)
    ? new Secret(text)
    : wants("a URL that begins with redis:// or rediss://");
}

function redisPrefix(text: string): string {
  return /^[\w:.-]{1,100}$/.test(text)
    ? text
    : wants("1 to 100 letters, digits and characters of _ : . -");
}

function clientId(text: string): string {
  return /^[\x21-\x7e]{1,200}$/.test(text) && !text.includes(":")
    ? text
    : wants("1 to 200 visible ASCII characters without a colon");
}

function region(text: string): string {
  return /^[A-Z]{2}$/.test(text) ? text : wants("two capital letters, such as DE");
}

function partnerId(text: string): string {
  return /^[\w-]{1,100}$/.test(text) ? text : wants("1 to 100 letters, digits, _ and -");
}

function visibleSecret(text: string): Secret {
  return /^[\x21-\x7e]+$/.test(text) ? new Secret(text) : wants("visible ASCII characters");
}

function longSecret(text: string): Secret {
  return text.length >= 32 ? new Secret(text) : wants("a secret of at least 32 characters");
}

/** `id:base64` pairs; the first seals, all open. */
function masterKeys(text: string): { id: string; key: Secret }[] {
  const keys = list((item) => {
    const match = /^([A-Za-z0-9_-]{1,32}):([A-Za-z0-9+/_-]{43}=?)$/.exec(item);
    const [, id, key] = match ?? [];
    return id !== undefined && key !== undefined && Buffer.from(key, "base64").length === 32
      ? { id, key: new Secret(key) }
      : wants("id:base64 pairs of 32-byte keys, separated by commas");
  })(text);
  const ids = new Set(keys.map((key) => key.id));
  return keys.length > 0 && ids.size === keys.length
    ? keys
    : wants("at least one id:base64 pair, each id once");
}
