import type { Config } from "./config.ts";
import { Secret } from "./secret.ts";

/** The partner's account at 360dialog. */
export type PartnerAccount = {
  /** Base URL of the Partner API, with its path and without a slash at its end. */
  url: string;
  partnerId: string;
  apiKey: Secret;
};

/** A simulator, as far as its partner is concerned. */
type WithPartner = {
  url: string;
  partner: { partnerId: string; apiKey: string; platformSecret: string };
};

type Found = { partnerAccount: PartnerAccount | undefined; platformSecret: Secret | undefined };

/** The partner's account at 360dialog as the environment has it. */
export function partnerOfConfig(config: Config): Found {
  const { D360_HUB_URL: url, D360_PARTNER_ID: partnerId, D360_PARTNER_API_KEY: apiKey } = config;
  return {
    partnerAccount:
      partnerId === undefined || apiKey === undefined ? undefined : { url, partnerId, apiKey },
    platformSecret: config.D360_PLATFORM_SECRET,
  };
}

/** The same; over the built-in simulator it is the simulated partner's unless one is set. */
export function findPartner(config: Config, simulator: WithPartner | undefined): Found {
  const set = partnerOfConfig(config);
  if (simulator === undefined || set.partnerAccount !== undefined) {
    return set;
  }
  const { partnerId, apiKey, platformSecret } = simulator.partner;
  return {
    partnerAccount: { url: `${simulator.url}/api/v2`, partnerId, apiKey: new Secret(apiKey) },
    platformSecret: set.platformSecret ?? new Secret(platformSecret),
  };
}
