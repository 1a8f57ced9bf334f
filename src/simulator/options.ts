import type { RecordedRequest } from "./http/recorded-request.ts";
import type { Limits } from "./messaging-api/limits/limits.ts";
import type { LookUpBlock } from "./messaging-api/media/failing-look-ups.ts";
import type { StatusName } from "./messages/status.ts";
import { type PartnerLogin, SIMULATED_PARTNER } from "./partner-api/partner-account.ts";
import { DEFAULT_RETRY_DELAYS_MS } from "./webhooks/retry-delay.ts";
import type { Notification } from "./webhooks/notification.ts";

/** How a simulator behaves; everything may be left out. */
export type SimulatorOptions = {
  /** 0 takes a free one. */
  port?: number;
  host?: string;
  /** Keeps numbers, keys and webhook settings over a restart. */
  stateFile?: string;
  /** From acceptance to `sent`, and from each status to the next. */
  statusDelayMs?: number;
  /** The statuses that an accepted message gets; none keeps load tests quiet. */
  statuses?: readonly StatusName[];
  /** Waits between attempts; the last one repeats until the horizon. */
  webhookRetryDelaysMs?: readonly number[];
  /** How long after its making a notification is tried. */
  webhookHorizonMs?: number;
  webhookTimeoutMs?: number;
  /** Attempts under way at once for one number. */
  webhookConcurrency?: number;
  /** How the partner signs in, and what its events are signed with. */
  partner?: PartnerLogin;
  /** Takes plain HTTP and ports in webhook URLs, on loopback only. */
  allowLoopbackWebhooks?: boolean;
  /** Whether a new key makes the number forget its webhook. */
  rotationClearsWebhook?: boolean;
  /** What a PHONE_NUMBER_ID or Graph version left in the path gets. */
  leftInPathStatus?: 404 | 403;
  /** How long the URL of a media look-up lives. */
  mediaUrlLifetimeMs?: number;
  /** When failing media look-ups block the number's look-ups; `"never"` lets them fail for ever. */
  mediaLookUpBlock?: LookUpBlock | "never";
  /** What every number is held to from the start; nothing when left out. */
  limits?: Limits;
  /** How many bytes of media are kept; the oldest go first. */
  mediaBytesMax?: number;
  /** How many requests and how many notifications are remembered. */
  logEntriesMax?: number;
  /** How many bytes of request bodies, and how many of notifications, are remembered. */
  logBytesMax?: number;
  /** Called when a Messaging API call has been read and dealt with. */
  onRequest?: (request: RecordedRequest) => void;
  /** Called after each attempt to deliver a notification. */
  onNotification?: (notification: Notification) => void;
};

/** Options with nothing left open but the state file. */
export type Settings = Required<Omit<SimulatorOptions, "stateFile">> & { stateFile?: string };

const MIB = 1024 * 1024;

const DEFAULTS: Settings = {
  port: 0,
  host: "127.0.0.1",
  statusDelayMs: 150,
  statuses: ["sent", "delivered", "read"],
  webhookRetryDelaysMs: DEFAULT_RETRY_DELAYS_MS,
  webhookHorizonMs: 24 * 3_600_000,
  webhookTimeoutMs: 5_000,
  webhookConcurrency: 100,
  partner: SIMULATED_PARTNER,
  allowLoopbackWebhooks: true,
  rotationClearsWebhook: true,
  leftInPathStatus: 404,
  mediaUrlLifetimeMs: 5 * 60_000,
  mediaLookUpBlock: { failures: 20, withinMs: 60 * 60_000, blockMs: 30 * 60_000 },
  limits: {},
  mediaBytesMax: 256 * MIB,
  logEntriesMax: 10_000,
  logBytesMax: 256 * MIB,
  onRequest: () => {},
  onNotification: () => {},
};

/** Fills in what the caller left out. */
export function withDefaults(options: SimulatorOptions): Settings {
  return { ...DEFAULTS, ...options };
}
