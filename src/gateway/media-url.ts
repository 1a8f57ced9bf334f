import { createHmac, timingSafeEqual } from "node:crypto";

/** Whose a media file is: a tenant's and its number's ids of ours. */
export type MediaOwner = { tenantId: string; numberId: string };

export type MediaUrls = {
  /**
   * A media URL of upstream's on our origin, good for five minutes without a credential; `undefined`
   * for any other URL.
   */
  sign(upstreamUrl: string, owner: MediaOwner): string | undefined;
  /** Whose file a query leads to, if we signed it and not too long ago. */
  verify(query: URLSearchParams): MediaOwner | undefined;
};

/** 360dialog's clients rebuild this path themselves, so it must stay what it is upstream. */
export const ATTACHMENT_PATH = "/whatsapp_business/attachments/";

const LIVES_SECONDS = 300;
/** Tenant, number, and 32 bytes of HMAC in base64url. */
const SIGNATURE = /^(ten_[0-9a-z]{26})\.(num_[0-9a-z]{26})\.([\w-]{43})$/;

/**
 * `publicUrl` is our PUBLIC_URL. The first of `keys` signs, all verify, so that a URL outlives the
 * change of a key.
 */
export function createMediaUrls(options: {
  publicUrl: string;
  keys: readonly Buffer[];
  now?: () => number;
}): MediaUrls {
  const { publicUrl, keys, now = Date.now } = options;
  const [signingKey] = keys;
  if (signingKey === undefined) {
    throw new Error("no key to sign media URLs with");
  }
  return {
    sign(upstreamUrl, owner) {
      const url = URL.parse(upstreamUrl);
      if (url === null || url.pathname !== ATTACHMENT_PATH) {
        return undefined;
      }
      const exp = String(Math.floor(now() / 1000) + LIVES_SECONDS);
      const mac = macOf(url.searchParams, owner, exp, signingKey).toString("base64url");
      const sig = `${owner.tenantId}.${owner.numberId}.${mac}`;
      // Upstream's own parameters as they stand.
      const search = url.search === "" ? "?" : `${url.search}&`;
      return `${publicUrl}${ATTACHMENT_PATH}${search}exp=${exp}&sig=${sig}`;
    },

    verify(query) {
      const exp = query.get("exp") ?? "";
      const [, tenantId, numberId, mac] = SIGNATURE.exec(query.get("sig") ?? "") ?? [];
      if (tenantId === undefined || numberId === undefined || mac === undefined) {
        return undefined;
      }
      const lives = /^\d{1,12}$/.test(exp) && Number(exp) * 1000 >= now();
      const owner = { tenantId, numberId };
      const given = Buffer.from(mac, "base64url");
      const ours = keys.some((key) => timingSafeEqual(given, macOf(query, owner, exp, key)));
      return ours && lives ? owner : undefined;
    },
  };
}

/** What of a query goes upstream: the three that name the file, and nothing a caller has added. */
export function attachmentSearch(query: URLSearchParams): string {
  const named = ["mid", "ext", "hash"].flatMap((name) => {
    const value = query.get(name);
    return value === null ? [] : [`${name}=${encodeURIComponent(value)}`];
  });
  return `?${named.join("&")}`;
}

function macOf(query: URLSearchParams, owner: MediaOwner, exp: string, key: Buffer): Buffer {
  const file = ["mid", "ext", "hash"].map((name) => query.get(name) ?? "");
  return createHmac("sha256", key)
    .update(JSON.stringify([owner.tenantId, owner.numberId, ...file, exp]))
    .digest();
}
