import type { Guard } from "../http/app.ts";
import type { Route } from "../http/route.ts";
import type { Secret } from "../secret.ts";
import type { ChangeFeed } from "../store/change-feed.ts";
import type { Database } from "../store/database.ts";
import { type Authenticate, createAuthenticate } from "./authenticate.ts";
import { ensureBootstrapClient } from "./clients.ts";
import { createDirectory, type Directory } from "./directory.ts";
import { createFailedLogins } from "./failed-logins.ts";
import { createGuard } from "./guard.ts";
import { createFindHook, type FindHook } from "./hooks.ts";
import { numberRoutes } from "./number-routes.ts";
import type { Sealer } from "./sealing.ts";
import { openSigningKeys } from "./signing-keys.ts";
import { tokenRoutes } from "./token-routes.ts";
import { createTokens } from "./tokens.ts";

export type Tenancy = {
  authenticate: Authenticate;
  guard: Guard;
  directory: Directory;
  findHook: FindHook;
  routes: Route[];
  /** To be called now and then: signing keys are replaced when they are old. */
  rotateSigningKeys: () => Promise<void>;
};

/** Who calls and what they own, joined: opens the signing keys and sees to the bootstrap client. */
export async function openTenancy(options: {
  db: Database;
  feed: ChangeFeed;
  sealer: Sealer;
  /** Our PUBLIC_URL: issuer and audience of tokens. */
  url: string;
  tokenLifetimeMs: number;
  bootstrapClient: { id: string; secret: Secret } | undefined;
  onError: (error: unknown) => void;
}): Promise<Tenancy> {
  const { db, feed, sealer, url, tokenLifetimeMs, onError } = options;
  await ensureBootstrapClient(db, options.bootstrapClient);
  const signingKeys = await openSigningKeys({ db, sealer, feed, tokenLifetimeMs, onError });
  const tokens = createTokens({ signingKeys, url, lifetimeMs: tokenLifetimeMs });
  const directory = createDirectory({ db, feed, sealer });
  const authenticate = createAuthenticate({ tokens, directory });
  const failedLogins = createFailedLogins();
  return {
    authenticate,
    guard: createGuard(authenticate),
    directory,
    findHook: createFindHook({ db, feed }),
    routes: [
      ...tokenRoutes({ directory, tokens, signingKeys, failedLogins, url }),
      ...numberRoutes({ db }),
    ],
    rotateSigningKeys: signingKeys.rotate,
  };
}
