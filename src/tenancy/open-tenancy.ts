import type { Audit } from "../http/audit.ts";
import type { Guard } from "../http/app.ts";
import type { Route } from "../http/route.ts";
import type { OutboundAgent } from "../outbound/agent.ts";
import type { Secret } from "../secret.ts";
import type { ChangeFeed } from "../store/change-feed.ts";
import type { Database } from "../store/database.ts";
import { type Authenticate, createAuthenticate } from "./authenticate.ts";
import { createCheckToken } from "./check-token.ts";
import { createClientLogin } from "./client-login.ts";
import { ensureBootstrapClient } from "./clients.ts";
import { createDirectory, type Directory } from "./directory.ts";
import { createFailedLogins } from "./failed-logins.ts";
import { createCheckForeign } from "./foreign-tokens.ts";
import { createGuard } from "./guard.ts";
import { createFindHook, type FindHook } from "./hooks.ts";
import { createIssuerKeys } from "./issuer-keys.ts";
import { createFindIssuers } from "./issuers.ts";
import { longLivedTokenRoutes } from "./long-lived-token-routes.ts";
import { numberRoutes } from "./number-routes.ts";
import { createOwnTokens } from "./own-tokens.ts";
import { createRegisterIssuer, type RegisterIssuer } from "./register-issuer.ts";
import { isRevoked, pruneTokens } from "./revoked-tokens.ts";
import type { Sealer } from "./sealing.ts";
import { openSigningKeys } from "./signing-keys.ts";
import { tokenRoutes } from "./token-routes.ts";
import { createVerifyToken } from "./verify-token.ts";

export type Tenancy = {
  authenticate: Authenticate;
  guard: Guard;
  directory: Directory;
  findHook: FindHook;
  registerIssuer: RegisterIssuer;
  routes: Route[];
  /** To be called now and then: expired tokens are forgotten, signing keys replaced when they are old. */
  renew: () => Promise<void>;
};

/** Who calls and what they own, joined: opens the signing keys and sees to the bootstrap client. */
export async function openTenancy(options: {
  db: Database;
  feed: ChangeFeed;
  sealer: Sealer;
  /** The way to the keys of other issuers, and the rules for their URLs. */
  outbound: OutboundAgent;
  /** Our PUBLIC_URL: issuer and audience of tokens. */
  url: string;
  tokenLifetimeMs: number;
  bootstrapClient: { id: string; secret: Secret } | undefined;
  audit: Audit;
  onError: (error: unknown) => void;
}): Promise<Tenancy> {
  const { db, feed, sealer, outbound, url, tokenLifetimeMs, onError } = options;
  await ensureBootstrapClient(db, options.bootstrapClient);
  const signingKeys = await openSigningKeys({ db, sealer, feed, tokenLifetimeMs, onError });
  const ownTokens = createOwnTokens({ signingKeys, url, lifetimeMs: tokenLifetimeMs });
  const checkForeign = createCheckForeign({
    findIssuers: createFindIssuers({ db, feed }),
    keysOf: createIssuerKeys({ outbound }),
  });
  const check = createCheckToken({
    url,
    ownTokens,
    isRevoked: (jti) => isRevoked(db, jti),
    checkForeign,
  });
  const directory = createDirectory({ db, feed, sealer });
  const verifyToken = createVerifyToken({ check, feed });
  const authenticate = createAuthenticate({ verifyToken, directory });
  const login = createClientLogin({ directory, failedLogins: createFailedLogins() });
  return {
    authenticate,
    guard: createGuard(authenticate),
    directory,
    findHook: createFindHook({ db, feed }),
    registerIssuer: createRegisterIssuer({ db, outbound, url }),
    routes: [
      ...tokenRoutes({ db, login, ownTokens, signingKeys, audit: options.audit, url }),
      ...longLivedTokenRoutes({ db, sign: ownTokens.sign }),
      ...numberRoutes({ db }),
    ],
    async renew() {
      await pruneTokens(db);
      await signingKeys.rotate();
    },
  };
}
