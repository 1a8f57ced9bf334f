import { type FieldError, InvalidRequest } from "../errors.ts";

export type Settings = { url: string; headers: Record<string, string> };

/** The body of 360dialog's `POST /v1/configs/webhook`. @throws {InvalidRequest} */
export function parseSettings(body: unknown): Settings {
  const given = objectOf(body, "");
  return { url: parseUrl(given["url"], ""), headers: parseHeaders(given["headers"], "") };
}

/** The body of `POST` and `PUT /multi_webhook`. @throws {InvalidRequest} */
export function parseDestinations(body: unknown): {
  enabled: boolean | undefined;
  destinations: (Settings & { name: string })[] | undefined;
} {
  const { enabled, destinations } = objectOf(body, "");
  if (enabled !== undefined && typeof enabled !== "boolean") {
    throw refused("invalid_value", "/enabled", "enabled must be true or false.");
  }
  if (destinations === undefined) {
    return { enabled, destinations: undefined };
  }
  if (!Array.isArray(destinations)) {
    throw refused("invalid_value", "/destinations", "destinations must be a list.");
  }
  const parsed = destinations.map((each, index) => {
    const at = `/destinations/${index}`;
    const given = objectOf(each, at);
    return {
      name: parseName(given["name"], at),
      url: parseUrl(given["url"], at),
      headers: parseHeaders(given["headers"], at),
    };
  });
  if (new Set(parsed.map(({ name }) => name)).size < parsed.length) {
    throw refused("name_duplicate", "/destinations", "Each destination needs a name of its own.");
  }
  return { enabled, destinations: parsed };
}

/** The body of `PATCH /multi_webhook`: one destination by name, with what is to change. */
export function parseDestination(body: unknown): { name: string } & Partial<Settings> {
  const { name, url, headers } = objectOf(body, "");
  return {
    name: parseName(name, ""),
    ...(url !== undefined && { url: parseUrl(url, "") }),
    ...(headers !== undefined && { headers: parseHeaders(headers, "") }),
  };
}

function objectOf(value: unknown, at: string): Record<string, unknown> {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw refused("invalid_value", at, "It must be a JSON object.");
  }
  return value as Record<string, unknown>;
}

function parseUrl(url: unknown, at: string): string {
  if (typeof url !== "string") {
    throw refused("url_invalid", `${at}/url`, "url must be a string.");
  }
  return url;
}

const NAME = /^[^\p{Cc}]{1,200}$/u;

function parseName(name: unknown, at: string): string {
  if (typeof name !== "string" || !NAME.test(name)) {
    const detail = "name must be 1 to 200 characters, and no control characters.";
    throw refused("name_invalid", `${at}/name`, detail);
  }
  return name;
}

function parseHeaders(headers: unknown, at: string): Record<string, string> {
  if (headers === undefined || headers === null) {
    return {};
  }
  const areTexts =
    typeof headers === "object" &&
    !Array.isArray(headers) &&
    Object.values(headers).every((value) => typeof value === "string");
  if (!areTexts) {
    const detail = "headers must be an object whose values are strings.";
    throw refused("header_invalid", `${at}/headers`, detail);
  }
  return headers as Record<string, string>;
}

function refused(code: FieldError["code"], pointer: string, detail: string): InvalidRequest {
  return new InvalidRequest([{ code, pointer, detail }]);
}
