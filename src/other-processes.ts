import { type Config, VARIABLE_DEFAULTS } from "./config.ts";
import { type Log, logLimitsPerProcess } from "./log.ts";
import type { PartnerAccount } from "./partner-account.ts";
import type { Secret } from "./secret.ts";

/** What Redis would make one limit for all processes. */
const PER_PROCESS = ["sends", "uploads", "failed media look-ups"];

/** How many processes serve besides the first one; says which limits are then no longer one. */
export function countOthers(config: Config, log: Log): number {
  // A worker serves nobody but whoever asks how it is.
  const processes = config.ROLE === "worker" ? 1 : config.HTTP_PROCESSES;
  if (processes > 1 && config.REDIS_URL === undefined) {
    logLimitsPerProcess(log, { processes, limits: PER_PROCESS });
  }
  return processes - 1;
}

/** The same configuration, with what the first process has found or made where it leaves that open. */
export function environmentOfOthers(
  config: Config,
  found: {
    url: string;
    databaseUrl: Secret;
    masterKeys: { id: string; key: Secret }[];
    bootstrapClient: { id: string; secret: Secret } | undefined;
    baseUrl: string;
    partnerAccount: PartnerAccount | undefined;
    platformSecret: Secret | undefined;
  },
): NodeJS.ProcessEnv {
  const { bootstrapClient, partnerAccount } = found;
  const masterKeys = found.masterKeys.map(({ id, key }) => `${id}:${key.reveal()}`);
  return {
    ...Object.fromEntries(
      Object.entries(process.env).filter(([name]) => !VARIABLE_DEFAULTS.has(name)),
    ),
    ...Object.fromEntries([...config.given].map(([name, text]) => [name, text.reveal()])),
    PUBLIC_URL: found.url,
    DATABASE_URL: found.databaseUrl.reveal(),
    MASTER_KEYS: masterKeys.join(","),
    BOOTSTRAP_CLIENT_ID: bootstrapClient?.id,
    BOOTSTRAP_CLIENT_SECRET: bootstrapClient?.secret.reveal(),
    D360_BASE_URL: found.baseUrl,
    D360_HUB_URL: partnerAccount?.url,
    D360_PARTNER_ID: partnerAccount?.partnerId,
    D360_PARTNER_API_KEY: partnerAccount?.apiKey.reveal(),
    D360_PLATFORM_SECRET: found.platformSecret?.reveal(),
  };
}
