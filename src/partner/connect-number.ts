import type { Access, Messaging, NumberHealth, OwnCall } from "../dialog360/messaging.ts";
import type { Origins } from "../dialog360/origins.ts";
import { ApiError, type ErrorCode, InvalidRequest } from "../errors.ts";
import type { Secret } from "../secret.ts";
import type { Database } from "../store/database.ts";
import { createHook, deleteHook, HOOK_SECRET_HEADER, retireOtherHooks } from "../tenancy/hooks.ts";

/** What ties a number to its place at 360dialog: the check of its key and its webhook. */
export type ConnectNumber = {
  /**
   * The key must be one that 360dialog takes, and of this very number.
   * The promise throws `invalid_request`, `key_number_mismatch`, `upstream_unreachable`.
   */
  checkKey(wish: {
    phoneNumberId: string;
    apiKey: Secret;
    baseUrl: string | null;
  }): Promise<NumberHealth>;
  /** Which number a key is of. The promise throws what `checkKey` does. */
  readHealth(key: { apiKey: Secret; baseUrl: string | null }): Promise<NumberHealth>;
  /** Registers a new hook address with its secret header; older ones live on for repeats. */
  registerHook(number: { id: string; base_url: string | null }, apiKey: Secret): Promise<void>;
};

export function createConnectNumber(options: {
  db: Database;
  messaging: Messaging;
  /** Our PUBLIC_URL, base of hook addresses. */
  url: string;
  /** Why 360dialog could not call that URL, or `undefined` when it can. */
  unusableUrl: string | undefined;
  origins: Origins;
}): ConnectNumber {
  const { db, messaging, url, unusableUrl, origins } = options;

  function accessOf(baseUrl: string | null, apiKey: Secret): Access {
    const origin = origins.resolve(baseUrl);
    if (origin === undefined) {
      throw new InvalidRequest([
        {
          code: "base_url_not_allowed",
          pointer: "/base_url",
          detail: `base_url must be ${origins.allowed.join(" or ")} (D360_ALLOWED_ORIGINS).`,
        },
      ]);
    }
    return { origin, apiKey };
  }

  async function readHealth(key: { apiKey: Secret; baseUrl: string | null }) {
    return valueOf(await messaging.checkKey(accessOf(key.baseUrl, key.apiKey)));
  }

  return {
    readHealth,

    async checkKey({ phoneNumberId, apiKey, baseUrl }) {
      const health = await readHealth({ apiKey, baseUrl });
      if (!health.phoneNumberIds.includes(phoneNumberId)) {
        throw new ApiError(
          "key_number_mismatch",
          `360dialog takes the key, but it is not the key of number ${phoneNumberId}.`,
        );
      }
      return health;
    },

    async registerHook(number, apiKey) {
      if (unusableUrl !== undefined) {
        throw new ApiError("public_url_invalid", `PUBLIC_URL is ${url}: ${unusableUrl}`);
      }
      const access = accessOf(number.base_url, apiKey);
      const { token, secret, tokenSha256 } = await createHook(db, number.id);
      const webhook = {
        url: `${url}/hooks/360dialog/${token.reveal()}`,
        headers: { [HOOK_SECRET_HEADER]: secret.reveal() },
      };
      const call = await messaging.setWebhook(access, webhook);
      // Without an answer 360dialog may have it: then the new address must work, and the old one too.
      if (call.kind === "refused" || call.kind === "key_rejected") {
        await deleteHook(db, tokenSha256);
      }
      valueOf(call);
      await retireOtherHooks(db, number.id, tokenSha256);
    },
  };
}

function valueOf<Value>(call: OwnCall<Value>): Value {
  switch (call.kind) {
    case "ok":
      return call.value;
    case "key_rejected": {
      const detail = "360dialog does not take this API key; only a number's newest one works.";
      throw new InvalidRequest([{ code: "api_key_rejected", pointer: "/api_key", detail }]);
    }
    case "refused": {
      // Also when it says "not so fast": both pass.
      const passes = call.status >= 500 || call.status === 429;
      const code: ErrorCode = passes ? "upstream_unreachable" : "invalid_request";
      throw new ApiError(code, `360dialog answered ${call.status}: ${call.detail}.`);
    }
    case "unreachable":
      throw new ApiError("upstream_unreachable", "360dialog could not be reached.", {
        cause: call.cause,
      });
    default:
      return call satisfies never;
  }
}
