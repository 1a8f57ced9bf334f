import type { PhoneNumber } from "../numbers/phone-number.ts";
import type { HubClient } from "./hub-client.ts";

/** The words of a channel's `status`, as 360dialog's channel page lists them. */
export const CHANNEL_STATUSES = [
  "created",
  "unverified",
  "verified",
  "ready",
  "modified",
  "imported",
  "new_name_requested",
  "certificate_declined",
  "consents_signed",
  "error",
  "porting_ready",
  "ready_for_migration",
  "waiting_for_migration_code",
  "migration_code_requested",
] as const;

/** Whether the client lets the partner make API keys, in the words of the Partner Hub. */
export const PERMISSIONS = ["shared", "missing"] as const;

/** A key that was made for a channel; only the newest one that is not revoked works. */
export type ChannelKey = { id: string; createdAt: Date; revokedAt: Date | null };

/** What 360dialog knows of a channel beside its number. */
export type ChannelState = {
  clientId: string;
  status: (typeof CHANNEL_STATUSES)[number];
  accountMode: "sandbox" | "live";
  permission: (typeof PERMISSIONS)[number];
  live: boolean;
  terminated: boolean;
  cancellationRequested: boolean;
  currentLimit: string;
  quality: string;
  /** The state of the WABA at Meta. */
  fbAccountStatus: string;
  /** The base URL that comes with a new key, where it is not the simulator's own. */
  address: string | null;
};

/** What may be changed; `running` says whether the integration runs, which is the number's state. */
export type ChannelChange = Partial<ChannelState> & { running?: boolean };

/** A channel: what binds a number to the Messaging API. */
export type Channel = {
  id: string;
  createdAt: Date;
  state: ChannelState;
  keys: ChannelKey[];
  phoneNumber: PhoneNumber;
  client: HubClient;
};

/** A number that was made without a word about its channel has one with which all is well. */
export const WORKING: Omit<ChannelState, "clientId"> = {
  status: "ready",
  accountMode: "live",
  permission: "shared",
  live: true,
  terminated: false,
  cancellationRequested: false,
  currentLimit: "TIER_1K",
  quality: "High",
  fbAccountStatus: "verified",
  address: null,
};

/** A channel as it is right after the signup. */
export const CREATED = {
  status: "created",
  permission: "missing",
  live: false,
  running: false,
} as const satisfies ChannelChange;
