import type { PartnerAccount } from "../partner-account.ts";
import { Secret } from "../secret.ts";
import type { Exchange, Upstream } from "./exchange.ts";
import { asObjects, type OwnCall, parseLoosely, readOwnCall } from "./messaging.ts";
import { type HubChannel, parseChannels, parseHubChannel } from "./partner-channel.ts";

/** 360dialog's own client: a customer of the partner, who owns channels. */
export type HubClient = { id: string; name: string | null };

/** A part of a list; `total` counts the whole of it. */
export type HubPage<Row> = { rows: Row[]; total: number };

/** A key that was just made: all older ones are dead, and it is shown this once. */
export type NewKey = { apiKey: Secret; keyId: string | null; baseUrl: string | null };

/**
 * The Partner API (360dialog's "Partners V2 API"). Each call that is not `ok` says why; after an
 * `unreachable` it may have taken effect all the same.
 */
export type PartnerApi = {
  partnerId: string;
  listClients(page: { limit: number; offset: number }): Promise<OwnCall<HubPage<HubClient>>>;
  /** In the order of their ids; `clientId` narrows the list to one client's. */
  listChannels(page: {
    limit: number;
    offset: number;
    clientId?: string;
  }): Promise<OwnCall<HubPage<HubChannel>>>;
  /** `undefined` for a channel that is not the partner's. */
  findChannel(channelId: string): Promise<OwnCall<HubChannel | undefined>>;
  /**
   * Meta's id of the channel's number, which the channel itself does not tell; `undefined` where
   * 360dialog does not say it. Out of the commerce settings: one public client learns it so.
   */
  findPhoneNumberId(channel: {
    id: string;
    hubClientId: string;
  }): Promise<OwnCall<string | undefined>>;
  /** The page on which a client lets the partner make keys (Integrated Onboarding). */
  permissionsPage(query: Record<string, string>): string;
  /** Kills the channel's older keys. Refused (403, 404) unless it runs and the client has agreed. */
  createKey(channelId: string): Promise<OwnCall<NewKey>>;
  /** Where partner events go. */
  setWebhook(url: string): Promise<OwnCall<void>>;
  findWebhook(): Promise<OwnCall<string | null>>;
};

const channelPath = (channelId: string): string => `/channels/${encodeURIComponent(channelId)}`;

export function createPartnerApi(upstream: Upstream, account: PartnerAccount): PartnerApi {
  const { origin, pathname } = new URL(account.url);
  const root = `${pathname}/partners/${encodeURIComponent(account.partnerId)}`;

  function call(method: "GET" | "POST", path: string, body?: object): Promise<Exchange> {
    return upstream.exchange({
      origin,
      method,
      path: `${root}${path}`,
      headers: [
        "accept",
        "application/json",
        ...(body ? ["content-type", "application/json"] : []),
      ],
      apiKey: account.apiKey,
      keyHeader: "x-api-key",
      body: body === undefined ? null : Buffer.from(JSON.stringify(body)),
    });
  }

  return {
    partnerId: account.partnerId,
    async listClients({ limit, offset }) {
      const exchange = await call("GET", `/clients?limit=${limit}&offset=${offset}&sort=id`);
      return readOwnCall(exchange, parseClients);
    },
    async listChannels({ limit, offset, clientId }) {
      const filters = encodeURIComponent(JSON.stringify({ client_id: clientId }));
      const path = `/channels?filters=${filters}&limit=${limit}&offset=${offset}&sort=id`;
      return readOwnCall(await call("GET", path), parseChannels);
    },
    async findChannel(channelId) {
      const exchange = await call("GET", channelPath(channelId));
      return exchange.kind === "answer" && exchange.status === 404
        ? { kind: "ok", value: undefined }
        : readOwnCall(exchange, (body) => parseHubChannel(parseLoosely(body)));
    },
    async findPhoneNumberId({ id, hubClientId }) {
      const client = `/clients/${encodeURIComponent(hubClientId)}`;
      const exchange = await call("GET", `${client}${channelPath(id)}/whatsapp_commerce_settings`);
      const told = readOwnCall(exchange, (body) => {
        const first = asObjects(parseLoosely(body)?.["data"])[0]?.["id"];
        return typeof first === "string" ? first : undefined;
      });
      const passes = told.kind === "refused" && (told.status >= 500 || told.status === 429);
      return told.kind === "refused" && !passes ? { kind: "ok", value: undefined } : told;
    },
    permissionsPage(query) {
      const page = `/dashboard/app/${encodeURIComponent(account.partnerId)}/permissions`;
      return `${pagesOrigin(origin)}${page}?${new URLSearchParams(query).toString()}`;
    },
    async createKey(channelId) {
      const made = readOwnCall(await call("POST", `${channelPath(channelId)}/api_keys`), parseKey);
      return made.kind === "ok" && made.value === undefined
        ? { kind: "unreachable", cause: new Error("360dialog's answer has no key") }
        : (made as OwnCall<NewKey>);
    },
    async setWebhook(url) {
      return readOwnCall(await call("POST", "/webhook_url", { webhook_url: url }), () => {});
    },
    async findWebhook() {
      return readOwnCall(await call("GET", "/webhook_url"), (body) => {
        const url: unknown = parseLoosely(body)?.["webhook_url"];
        return typeof url === "string" ? url : null;
      });
    },
  };
}

/** 360dialog's pages are at another host than its API; a simulator has both at one. */
function pagesOrigin(apiOrigin: string): string {
  return apiOrigin === "https://hub.360dialog.io" ? "https://hub.360dialog.com" : apiOrigin;
}

function parseClients(body: Buffer): HubPage<HubClient> {
  const list = parseLoosely(body) as { clients?: unknown; total?: unknown } | undefined;
  const clients = Array.isArray(list?.clients) ? (list.clients as Record<string, unknown>[]) : [];
  const rows = clients.flatMap(({ id, name }) =>
    typeof id === "string" ? [{ id, name: typeof name === "string" ? name : null }] : [],
  );
  return { rows, total: typeof list?.total === "number" ? list.total : rows.length };
}

function parseKey(body: Buffer): NewKey | undefined {
  const answer = parseLoosely(body) as Record<string, unknown> | undefined;
  const { api_key: apiKey, id, address } = answer ?? {};
  return typeof apiKey === "string" && apiKey !== ""
    ? {
        apiKey: new Secret(apiKey),
        keyId: typeof id === "string" ? id : null,
        baseUrl: typeof address === "string" ? address.replace(/\/+$/, "") : null,
      }
    : undefined;
}
