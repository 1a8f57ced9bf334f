import { randomUUID } from "node:crypto";
import {
  type CryptoKey,
  exportJWK,
  generateKeyPair,
  type JWK,
  type JWTPayload,
  SignJWT,
} from "jose";
import type { TestGateway } from "./gateway.ts";
import { type Received, type Receiver, startReceiver } from "./receiver.ts";

export type SignOptions = {
  claims?: JWTPayload;
  header?: Record<string, unknown>;
  /** Claims to leave out. */
  without?: string[];
};

/** An identity provider that is not ours: a set of keys on a port, and whoever signs with them. */
export type IdentityProvider = {
  iss: string;
  jwksUrl: string;
  alg: string;
  kid: string;
  publicJwk: JWK;
  /** The fetches of its keys so far. */
  fetches: Received[];
  /** How the next fetches are answered, instead of with its keys; `undefined` for its keys again. */
  answer: Receiver["answer"] | undefined;
  /** A token as it would give one for `audience`, with what is said here put over it. */
  sign: (options?: SignOptions) => Promise<string>;
  /** Another key from now on; the one before is published no longer. */
  rotate: () => Promise<void>;
  close: () => Promise<void>;
};

export async function startIdentityProvider(options: {
  audience: string;
  alg?: string;
}): Promise<IdentityProvider> {
  const { audience, alg = "RS256" } = options;
  const receiver = await startReceiver();
  // A port is given to somebody else when it is free again; a name is not.
  const iss = `${receiver.url}/${randomUUID()}`;
  let privateKey: CryptoKey;
  receiver.answer = (received, res) => {
    if (provider.answer !== undefined) {
      provider.answer(received, res);
      return;
    }
    res.writeHead(200, { "content-type": "application/json" });
    res.end(JSON.stringify({ keys: [provider.publicJwk] }));
  };
  const provider: IdentityProvider = {
    iss,
    jwksUrl: `${iss}/jwks.json`,
    alg,
    kid: "",
    publicJwk: {},
    fetches: receiver.received,
    answer: undefined,
    async rotate() {
      const pair = await generateKeyPair(alg, { extractable: true });
      privateKey = pair.privateKey;
      provider.kid = randomUUID();
      provider.publicJwk = { ...(await exportJWK(pair.publicKey)), kid: provider.kid, alg };
    },
    sign({ claims = {}, header = {}, without = [] } = {}) {
      const nowSeconds = Math.floor(Date.now() / 1000);
      const all: JWTPayload = {
        iss: provider.iss,
        aud: audience,
        sub: "somebody",
        iat: nowSeconds,
        exp: nowSeconds + 600,
        ...claims,
      };
      const left = Object.entries(all).filter(([name]) => !without.includes(name));
      return new SignJWT(Object.fromEntries(left))
        .setProtectedHeader({ alg, kid: provider.kid, ...header })
        .sign(privateKey);
    },
    close: () => receiver.close(),
  };
  await provider.rotate();
  return provider;
}

/** Registers it with the gateway; `fields` say for whom it speaks. */
export async function register(
  gateway: Pick<TestGateway, "partner">,
  { iss, jwksUrl, alg }: Pick<IdentityProvider, "iss" | "jwksUrl" | "alg">,
  fields: object,
): Promise<string> {
  const { status, json } = await gateway.partner("POST", "/partner/v1/issuers", {
    iss,
    jwks_url: jwksUrl,
    audience: "waba",
    algorithms: [alg],
    scopes: ["messages:send", "numbers:read"],
    ...fields,
  });
  if (status !== 201) {
    throw new Error(`the issuer was not taken: ${JSON.stringify(json)}`);
  }
  return json.id as string;
}
