import { availableParallelism } from "node:os";
import { inspect } from "node:util";
import { describe, expect, it } from "vitest";
import { ConfigError, readConfig, VARIABLE_DEFAULTS } from "../../src/config.ts";

const KEY = Buffer.alloc(32, 1).toString("base64");
const CLIENT_SECRET = "a-bootstrap-secret-of-enough-characters";
const PRODUCTION = {
  NODE_ENV: "production",
  DATABASE_URL: "postgres://gateway:pa55word@db/gateway",
  MASTER_KEYS: `one:${KEY}`,
  PUBLIC_URL: "https://waba.example.com",
};

function messageOf(env: Record<string, string | undefined>): string {
  try {
    readConfig(env);
  } catch (error) {
    expect(error).toBeInstanceOf(ConfigError);
    return (error as Error).message;
  }
  throw new Error("it was taken");
}

describe("the configuration", () => {
  it("has its defaults when nothing is set", () => {
    expect(readConfig({})).toMatchObject({
      NODE_ENV: undefined,
      PORT: 8080,
      HOST: "127.0.0.1",
      ROLE: "all",
      PUBLIC_URL: undefined,
      DATABASE_URL: undefined,
      DATA_DIR: ".data",
      D360_BASE_URL: "https://waba-v2.360dialog.io",
      D360_HUB_URL: "https://hub.360dialog.io/api/v2",
      D360_ALLOWED_ORIGINS: [],
      D360_TIMEOUT: 30_000,
      MASTER_KEYS: undefined,
      BOOTSTRAP_CLIENT_ID: undefined,
      BOOTSTRAP_CLIENT_SECRET: undefined,
      TOKEN_LIFETIME: 3_600_000,
      ALLOW_PRIVATE_ENDPOINTS: [],
      RETRY_SCHEDULE: [5000, 30_000, 120_000, 600_000, 1_800_000, 3_600_000, 7_200_000, 14_400_000],
      RETRY_HORIZON: 86_400_000,
      HOLD_AFTER: 10,
      PROBE_EVERY: 30_000,
      DISABLE_AFTER: 432_000_000,
      RETENTION: 2_592_000_000,
      LOG_LEVEL: "info",
      LOG_FORMAT: undefined,
      production: false,
      explicit: new Set(),
    });
  });

  it("keeps what it has for the horizon and seven days more", () => {
    expect(readConfig({ RETENTION: "192h" }).RETENTION).toBe(691_200_000);
    expect(messageOf({ RETENTION: "13d", RETRY_HORIZON: "7d" })).toBe(
      'RETENTION: "13d" is not at least RETRY_HORIZON and 7d, 14d',
    );
  });

  it("takes empty text, and spaces, for unset", () => {
    const { PORT, PUBLIC_URL, explicit } = readConfig({ PORT: "", PUBLIC_URL: "  " });
    expect({ PORT, PUBLIC_URL }).toEqual({ PORT: 8080, PUBLIC_URL: undefined });
    expect(explicit).toEqual(new Set());
  });

  it("knows what was set by name, also to the default", () => {
    expect(readConfig({ PORT: "8080", UNKNOWN: "1" }).explicit).toEqual(new Set(["PORT"]));
  });

  it.each([
    ["PORT", "0", 0],
    ["PORT", "65535", 65_535],
    ["PORT", " 80 ", 80],
    ["PUBLIC_URL", "https://waba.example.com/", "https://waba.example.com"],
    ["PUBLIC_URL", "https://example.com/waba", "https://example.com/waba"],
    ["D360_BASE_URL", "http://127.0.0.1:9000/", "http://127.0.0.1:9000"],
    [
      "D360_ALLOWED_ORIGINS",
      " https://a.example , https://b.example ,",
      ["https://a.example", "https://b.example"],
    ],
    ["ALLOW_PRIVATE_ENDPOINTS", "localhost, 10.0.0.0/8", ["localhost", "10.0.0.0/8"]],
    ["RETRY_SCHEDULE", "100ms, 1s", [100, 1000]],
    ["RETRY_HORIZON", "7d", 604_800_000],
    ["LOG_FORMAT", "pretty", "pretty"],
    ["HTTP_PROCESSES", "4", 4],
    ["HTTP_PROCESSES", "auto", availableParallelism()],
  ])("reads %s=%s", (name, text, value) => {
    expect(readConfig({ [name]: text })).toMatchObject({ [name]: value });
  });

  const BAD: [name: string, texts: string[]][] = [
    ["NODE_ENV", ["prod", "PRODUCTION"]],
    ["PORT", ["-1", "65536", "80.5", "http", "0x50", "1e3", "123456"]],
    ["ROLE", ["worker,api", "ALL"]],
    [
      "PUBLIC_URL",
      [
        "example.com",
        "ftp://example.com",
        "https://",
        "https://example.com/?a=1",
        "https://example.com/#a",
        "https://example.com?",
        "https://example.com/#",
        "https://user@example.com",
      ],
    ],
    ["DATABASE_URL", ["mysql://db/x", "localhost:5432"]],
    ["REDIS_URL", ["localhost:6379", "http://cache", "redis:/cache"]],
    ["REDIS_PREFIX", ["with space", "{slot}", "é", "x".repeat(101)]],
    ["D360_BASE_URL", ["https://waba-v2.360dialog.io/v1", "waba-v2.360dialog.io"]],
    ["D360_HUB_URL", ["hub.360dialog.io", "https://hub.360dialog.io/api?v=2"]],
    ["D360_PARTNER_ID", ["a/b", "ü"]],
    ["D360_PARTNER_API_KEY", ["two words"]],
    ["D360_PLATFORM_SECRET", ["two words"]],
    ["D360_ALLOWED_ORIGINS", ["https://a.example,b.example", "https://a.example/path"]],
    ["D360_TIMEOUT", ["30", "0s", "-1s", "soon"]],
    [
      "MASTER_KEYS",
      [",", KEY, `one:${KEY.slice(0, 20)}`, `one:${KEY},one:${KEY}`, `o ne:${KEY}`, "one:"],
    ],
    ["BOOTSTRAP_CLIENT_ID", ["a:b", "a b", "é", "x".repeat(201)]],
    ["BOOTSTRAP_CLIENT_SECRET", ["short", "x".repeat(31)]],
    ["TOKEN_LIFETIME", ["3600", "0h"]],
    ["RETRY_SCHEDULE", [",", "5s,soon", "5s,0s"]],
    ["RETRY_HORIZON", ["8d", "0s", "1"]],
    ["HOLD_AFTER", ["0", "-1", "ten", "1.5"]],
    ["PROBE_EVERY", ["30", "0s"]],
    ["DISABLE_AFTER", ["5", "0d"]],
    ["RETENTION", ["30", "0d", "191h"]],
    ["STORAGE_REGION", ["de", "DEU", "Germany"]],
    ["HTTP_PROCESSES", ["0", "-1", "1.5", "many", "129"]],
    ["METRICS_PORT", ["-1", "off"]],
    ["LOG_LEVEL", ["verbose", "INFO"]],
    ["LOG_FORMAT", ["text"]],
  ];
  const ANY_TEXT = ["HOST", "DATA_DIR", "ALLOW_PRIVATE_ENDPOINTS"];
  const SECRETS = new Set([
    "DATABASE_URL",
    "REDIS_URL",
    "MASTER_KEYS",
    "BOOTSTRAP_CLIENT_SECRET",
    "D360_PARTNER_API_KEY",
    "D360_PLATFORM_SECRET",
  ]);
  const cases = BAD.flatMap(([name, texts]) => texts.map((text) => [name, text] as const));

  it("is tried with a bad value of each variable that can have one", () => {
    expect([...BAD.map(([name]) => name), ...ANY_TEXT].toSorted()).toEqual(
      [...VARIABLE_DEFAULTS.keys()].toSorted(),
    );
  });

  it.each(cases)("refuses %s=%s in one line that names it", (name, text) => {
    const message = messageOf({ [name]: text });
    expect(message).toMatch(new RegExp(`^${name}: .* is not .+$`));
    expect(message.includes(JSON.stringify(text))).toBe(!SECRETS.has(name) && !text.includes("@"));
  });

  it.each(cases.filter(([name]) => SECRETS.has(name)))(
    "never shows what %s was: %s",
    (name, text) => {
      expect(messageOf({ [name]: text })).toContain("(not shown)");
    },
  );

  it.each(["PUBLIC_URL", "D360_BASE_URL", "D360_ALLOWED_ORIGINS"])(
    "never shows a password that stands in %s",
    (name) => {
      const message = messageOf({ [name]: "https://user:pa55word@example.com" });
      expect(message).toContain("example.com");
      expect(message).not.toContain("pa55word");
    },
  );

  it("cannot be printed with its secrets", () => {
    const config = readConfig({
      ...PRODUCTION,
      BOOTSTRAP_CLIENT_ID: "partner",
      BOOTSTRAP_CLIENT_SECRET: CLIENT_SECRET,
    });
    for (const text of [JSON.stringify(config), inspect(config, { depth: 9, showHidden: true })]) {
      for (const secret of ["pa55word", KEY, CLIENT_SECRET]) {
        expect(text).not.toContain(secret);
      }
    }
    expect(config.DATABASE_URL?.reveal()).toBe(PRODUCTION.DATABASE_URL);
    expect(config.MASTER_KEYS?.map(({ id, key }) => [id, key.reveal()])).toEqual([["one", KEY]]);
  });

  it("reads several master keys, the first first", () => {
    const url = KEY.replaceAll("+", "-").replaceAll("/", "_").replace("=", "");
    const { MASTER_KEYS } = readConfig({ MASTER_KEYS: `new:${KEY}, old:${url}` });
    expect(MASTER_KEYS?.map(({ id }) => id)).toEqual(["new", "old"]);
  });

  it("stops at half a bootstrap client, and names the other half", () => {
    expect(messageOf({ BOOTSTRAP_CLIENT_ID: "partner" })).toMatch(
      /^BOOTSTRAP_CLIENT_SECRET: unset/,
    );
    const message = messageOf({ BOOTSTRAP_CLIENT_SECRET: CLIENT_SECRET });
    expect(message).toMatch(/^BOOTSTRAP_CLIENT_ID: unset/);
    expect(message).not.toContain(CLIENT_SECRET);
  });

  it("stops at half a partner's account, and names the other half", () => {
    expect(messageOf({ D360_PARTNER_ID: "ExamplePA" })).toMatch(/^D360_PARTNER_API_KEY: unset/);
    const message = messageOf({ D360_PARTNER_API_KEY: "key-of-the-partner" });
    expect(message).toMatch(/^D360_PARTNER_ID: unset/);
    expect(message).not.toContain("key-of-the-partner");
  });

  it("for production is complete with a database, master keys and a URL", () => {
    expect(readConfig(PRODUCTION).production).toBe(true);
  });

  it.each(["DATABASE_URL", "MASTER_KEYS", "PUBLIC_URL"])("for production needs %s", (name) => {
    expect(messageOf({ ...PRODUCTION, [name]: undefined })).toMatch(new RegExp(`^${name}: unset`));
  });
});
