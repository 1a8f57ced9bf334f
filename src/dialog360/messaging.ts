import type { Secret } from "../secret.ts";
import type { Exchange, Upstream } from "./exchange.ts";

/** A number's access to the Messaging API. */
export type Access = { origin: string; apiKey: Secret };

/** What a call of our own (not a tenant's) came to. */
export type OwnCall<Value> =
  | { kind: "ok"; value: Value }
  | { kind: "key_rejected" }
  /** `code` is Meta's number for it, where there is one. */
  | { kind: "refused"; status: number; detail: string; code?: number }
  | { kind: "unreachable"; cause: Error };

/** Whether messages can be sent, as far as it depends on this: a number, its WABA, business or app. */
export type EntityHealth = {
  type: string;
  /** Meta's word: `AVAILABLE`, `LIMITED` or `BLOCKED`. */
  canSend: string;
  reasons: string[];
};

export type NumberHealth = {
  phoneNumberIds: string[];
  wabaIds: string[];
  entities: EntityHealth[];
};

export type Webhook = { url: string; headers: Record<string, string> };

export type Messaging = {
  /** `GET /health_status`: the cheapest check of a key, and it names the number that the key is of. */
  checkKey(access: Access): Promise<OwnCall<NumberHealth>>;
  /** `POST /v1/configs/webhook`: where the number's notifications go, with the headers to send. */
  setWebhook(access: Access, webhook: Webhook): Promise<OwnCall<void>>;
  /** `GET /v1/configs/webhook`: what `setWebhook` has set; `null` where nothing is. */
  findWebhook(access: Access): Promise<OwnCall<Webhook | null>>;
  /** `POST /register`: Meta's form of saying where a number's data is stored. Counts as a registration. */
  register(access: Access, wish: { region: string; pin: Secret }): Promise<OwnCall<void>>;
};

const JSON_HEADERS = ["content-type", "application/json", "accept", "application/json"];

export function createMessaging(upstream: Upstream): Messaging {
  return {
    async checkKey(access) {
      const exchange = await upstream.exchange({
        ...access,
        method: "GET",
        path: "/health_status",
        headers: ["accept", "application/json"],
        body: null,
      });
      return readOwnCall(exchange, parseHealth);
    },
    async setWebhook(access, webhook) {
      const exchange = await upstream.exchange({
        ...access,
        method: "POST",
        path: "/v1/configs/webhook",
        headers: JSON_HEADERS,
        body: Buffer.from(JSON.stringify(webhook)),
      });
      return readOwnCall(exchange, () => {});
    },
    async findWebhook(access) {
      const exchange = await upstream.exchange({
        ...access,
        method: "GET",
        path: "/v1/configs/webhook",
        headers: ["accept", "application/json"],
        body: null,
      });
      return exchange.kind === "answer" && exchange.status === 404
        ? { kind: "ok", value: null }
        : readOwnCall(exchange, parseWebhook);
    },
    async register(access, { region, pin }) {
      const exchange = await upstream.exchange({
        ...access,
        method: "POST",
        path: "/register",
        headers: JSON_HEADERS,
        body: Buffer.from(
          JSON.stringify({
            messaging_product: "whatsapp",
            pin: pin.reveal(),
            data_localization_region: region,
          }),
        ),
      });
      return readOwnCall(exchange, () => {});
    },
  };
}

/** What an answer of 360dialog's own calls (not Meta's) means. */
export function readOwnCall<Value>(
  exchange: Exchange,
  parse: (body: Buffer) => Value,
): OwnCall<Value> {
  if (exchange.kind !== "answer") {
    return { kind: "unreachable", cause: exchange.cause };
  }
  const { status, body } = exchange;
  if (status === 401) {
    return { kind: "key_rejected" };
  }
  if (status < 200 || status > 299) {
    return { kind: "refused", status, detail: describeRefusal(body), ...codeOf(body) };
  }
  return { kind: "ok", value: parse(body) };
}

function parseHealth(body: Buffer): NumberHealth {
  const entities = asObjects(parseLoosely(body)?.["health_status"]?.["entities"]);
  const idsOf = (type: string): string[] =>
    entities
      .filter((entity) => entity["entity_type"] === type)
      .map((entity) => String(entity["id"]));
  return {
    phoneNumberIds: idsOf("PHONE_NUMBER"),
    wabaIds: idsOf("WABA"),
    entities: entities.map(parseEntity),
  };
}

function parseEntity(entity: Record<string, unknown>): EntityHealth {
  const descriptions = asObjects(entity["errors"]).map((error) => error["error_description"]);
  const { additional_info: info } = entity;
  const reasons = [...descriptions, ...(Array.isArray(info) ? (info as unknown[]) : [])];
  return {
    type: String(entity["entity_type"]),
    canSend: String(entity["can_send_message"]),
    reasons: reasons.filter((reason) => typeof reason === "string"),
  };
}

/** What is no webhook is as good as none: it is not ours. */
function parseWebhook(body: Buffer): Webhook | null {
  const parsed = parseLoosely(body) as Record<string, unknown> | undefined;
  const { url, headers } = parsed ?? {};
  const given = typeof headers === "object" && headers !== null ? Object.entries(headers) : [];
  return typeof url === "string"
    ? {
        url,
        headers: Object.fromEntries(
          given.filter((entry): entry is [string, string] => typeof entry[1] === "string"),
        ),
      }
    : null;
}

/** 360dialog's words out of the seven forms of its errors (its error pages, older and newer). */
function describeRefusal(body: Buffer): string {
  const parsed = parseLoosely(body);
  const meta = parsed?.["meta"];
  const error = parsed?.["detail"]?.["error"] ?? parsed?.["error"];
  const words =
    meta?.["developer_message"] ?? meta?.["developerMessage"] ?? error?.["message"] ?? error;
  return typeof words === "string" ? words : "360dialog gave no reason";
}

function codeOf(body: Buffer): { code?: number } {
  const parsed = parseLoosely(body);
  const code: unknown = (parsed?.["detail"]?.["error"] ?? parsed?.["error"])?.["code"];
  return typeof code === "number" ? { code } : {};
}

type Loose = { [key: string]: Loose } | undefined;

export function parseLoosely(body: Buffer): Loose {
  try {
    return JSON.parse(body.toString("utf8")) as Loose;
  } catch {
    return undefined;
  }
}

export function asObjects(value: unknown): Record<string, unknown>[] {
  return Array.isArray(value)
    ? value.filter(
        (item): item is Record<string, unknown> => typeof item === "object" && item !== null,
      )
    : [];
}
