import { createLocalJWKSet, createRemoteJWKSet, customFetch, type JSONWebKeySet } from "jose";
import type { OutboundAgent } from "../outbound/agent.ts";

/** The keys behind a JWKS URL, as jose looks keys up in them. */
export type KeysOf = (jwksUrl: string) => ReturnType<typeof createRemoteJWKSet>;

/** The keys cannot be had: trouble of the issuer's, and no verdict on any token. */
export class KeysUnavailable extends Error {
  override readonly name = "KeysUnavailable";
}

const BODY_BYTES_MAX = 256 * 1024;
const TIMEOUT_MS = 5_000;
const KEYS_MAX_AGE_MS = 10 * 60_000;
/** How often a `kid` that nobody knows may have the keys fetched again, in vain or not. */
const UNKNOWN_KID_PAUSE_MS = 30_000;
/** Without keys nothing works, so that a failure is tried again sooner. */
const NO_KEYS_PAUSE_MS = 5_000;
const KEY_SETS_MAX = 10_000;

/**
 * Fetches keys when they are needed, over the one way to addresses that somebody named. What one
 * URL holds serves every registration that names it.
 */
export function createIssuerKeys(options: { outbound: Pick<OutboundAgent, "request"> }): KeysOf {
  const { outbound } = options;
  const keySets = new Map<string, ReturnType<typeof createRemoteJWKSet>>();

  function createKeySet(jwksUrl: string): ReturnType<typeof createRemoteJWKSet> {
    // jose counts its pause from the last success; a set that cannot be fetched needs one too.
    let failed: { atMs: number; error: unknown } | undefined;
    const keySet = createRemoteJWKSet(new URL(jwksUrl), {
      timeoutDuration: TIMEOUT_MS,
      cooldownDuration: UNKNOWN_KID_PAUSE_MS,
      cacheMaxAge: KEYS_MAX_AGE_MS,
      async [customFetch](_href, { signal }) {
        const pauseMs = keySet.fresh ? UNKNOWN_KID_PAUSE_MS : NO_KEYS_PAUSE_MS;
        if (failed !== undefined && Date.now() - failed.atMs < pauseMs) {
          throw failed.error;
        }
        try {
          const keys = await fetchKeys(jwksUrl, signal);
          failed = undefined;
          return Response.json(keys);
        } catch (error) {
          failed = { atMs: Date.now(), error };
          throw error;
        }
      },
    });
    return keySet;
  }

  async function fetchKeys(url: string, signal: AbortSignal): Promise<JSONWebKeySet> {
    const result = await outbound.request({
      method: "GET",
      url,
      headers: { accept: "application/json", "user-agent": "waba-gateway" },
      timeoutMs: TIMEOUT_MS,
      answerBytesMax: BODY_BYTES_MAX,
      signal,
    });
    if (result.kind !== "answer") {
      throw new KeysUnavailable(result.detail);
    }
    if (result.status !== 200 || result.bodyTruncated) {
      const what = result.status === 200 ? "too long or cut off" : `of status ${result.status}`;
      throw new KeysUnavailable(`The answer was ${what}.`);
    }
    try {
      const keys = JSON.parse(result.body.toString("utf8")) as JSONWebKeySet;
      createLocalJWKSet(keys);
      return keys;
    } catch {
      throw new KeysUnavailable("The answer was not a JSON Web Key Set.");
    }
  }

  return (jwksUrl) => {
    const known = keySets.get(jwksUrl);
    if (known !== undefined) {
      return known;
    }
    const [oldest] = keySets.size >= KEY_SETS_MAX ? keySets.keys() : [];
    if (oldest !== undefined) {
      keySets.delete(oldest);
    }
    const made = createKeySet(jwksUrl);
    keySets.set(jwksUrl, made);
    return made;
  };
}
