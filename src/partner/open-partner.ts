import type { Messaging } from "../dialog360/messaging.ts";
import type { Origins } from "../dialog360/origins.ts";
import type { PartnerApi } from "../dialog360/partner.ts";
import type { Contract } from "../http/contract.ts";
import type { Route } from "../http/route.ts";
import type { ChangeFeed } from "../store/change-feed.ts";
import type { Database } from "../store/database.ts";
import type { RegisterIssuer } from "../tenancy/register-issuer.ts";
import type { Sealer } from "../tenancy/sealing.ts";
import { alertRoutes } from "./alerts/alert-routes.ts";
import { auditRoutes } from "./audit/audit-routes.ts";
import { createBringIn } from "./bring-in.ts";
import { clientRoutes } from "./client-routes.ts";
import { createConnectNumber } from "./connect-number.ts";
import { createErasures } from "./erasure/erasures.ts";
import { erasureRoutes } from "./erasure/erasure-routes.ts";
import { importRoutes } from "./imports/import-routes.ts";
import { hubSyncRoutes } from "./hub-sync/hub-sync-routes.ts";
import { compareWithHub, SOMETHING_TO_COMPARE } from "./hub-sync/work.ts";
import { SOMETHING_TO_IMPORT, startImports } from "./imports/work.ts";
import { issuerRoutes } from "./issuer-routes.ts";
import { destinationRuleRoutes } from "./destination-rule-routes.ts";
import { openKeys } from "./keys/open-keys.ts";
import { localStorageRoutes } from "./local-storage/local-storage-routes.ts";
import { createRegionJudge } from "./local-storage/region-judge.ts";
import { moveNumberRoutes } from "./move-number-routes.ts";
import { numberRoutes } from "./number-routes.ts";
import { registrationRoutes } from "./registrations/registration-routes.ts";
import { createShowNumbers } from "./show-numbers.ts";
import { tenantRoutes } from "./tenant-routes.ts";
import { viewRoutes } from "./view/view-routes.ts";
import { SOMETHING_TO_WATCH, watchNumbers } from "./watch/watch-numbers.ts";

/** The partner's API, joined: tenants, clients, issuers, numbers, imports; and what works on imports. */
export function openPartner(options: {
  db: Database;
  feed: ChangeFeed;
  sealer: Sealer;
  messaging: Messaging;
  /** `undefined` where no account at 360dialog is set. */
  partnerApi: PartnerApi | undefined;
  origins: Origins;
  /** STORAGE_REGION: where our own store is. */
  storageRegion: string | undefined;
  /** Our PUBLIC_URL, and why 360dialog could not call it, if it could not. */
  url: string;
  unusableUrl: string | undefined;
  registerIssuer: RegisterIssuer;
  contract: Contract;
  /** Awaited after a change: other processes are told, and this one has heard of it. */
  afterWrite: () => Promise<void>;
  onError: (error: unknown) => void;
}): {
  routes: Route[];
  startImports: () => ReturnType<typeof startImports>;
  startKeys: () => { stop: () => Promise<void> };
  /** Looks after the numbers and compares them with 360dialog's list, in a process that does background work. */
  startWatch: () => { stop: () => Promise<void> };
  /** To be called once a minute. */
  workOnErasures: () => Promise<void>;
} {
  const { db, feed, sealer, registerIssuer } = options;
  const erasures = createErasures(options);
  const connect = createConnectNumber(options);
  const bringIn = createBringIn({ db, sealer, connect });
  const regions = createRegionJudge(options);
  const show = createShowNumbers({ db, regions });
  const keys = openKeys({ ...options, connect });
  let comparing: ReturnType<typeof compareWithHub> | undefined;
  let imports: ReturnType<typeof startImports> | undefined;
  const routes = [
    ...tenantRoutes({ db }),
    ...clientRoutes({ db }),
    ...issuerRoutes({ db, registerIssuer }),
    ...destinationRuleRoutes({ db }),
    ...moveNumberRoutes({ db, sealer, show }),
    ...numberRoutes({ db, sealer, connect, bringIn, regions, show }),
    ...keys.routes,
    ...importRoutes({ ...options, poke: () => imports?.poke() }),
    ...registrationRoutes({ db }),
    ...localStorageRoutes({ ...options, regions }),
    ...auditRoutes({ db }),
    ...viewRoutes({ db }),
    ...alertRoutes({ db }),
    ...hubSyncRoutes({ ...options, poke: () => comparing?.poke() }),
    ...erasureRoutes({ erasures }),
  ];
  return {
    workOnErasures: () => erasures.workOn(),
    routes,
    startKeys: keys.start,
    startImports() {
      imports = startImports({ ...options, bringIn, regions });
      feed.pokeWhile(SOMETHING_TO_IMPORT, imports.poke);
      return imports;
    },
    startWatch() {
      const watch = watchNumbers({ ...options, connect });
      const compare = compareWithHub(options);
      comparing = compare;
      feed.pokeWhile(SOMETHING_TO_WATCH, watch.poke);
      feed.pokeWhile(SOMETHING_TO_COMPARE, compare.poke);
      return {
        async stop() {
          await Promise.all([watch.stop(), compare.stop()]);
        },
      };
    },
  };
}
