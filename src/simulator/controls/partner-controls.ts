import type { JsonObject } from "../json.ts";
import type { NewPhoneNumber } from "../numbers/phone-number.ts";
import type { Channel, ChannelChange } from "../partner-api/channel.ts";
import type { HubClient, NewHubClient } from "../partner-api/hub-client.ts";
import type { Hub } from "../partner-api/hub.ts";
import type { PartnerLogin } from "../partner-api/partner-account.ts";
import type { EventReplay, PartnerEvents } from "../partner-api/partner-events.ts";
import { presentChannel, presentClient } from "../partner-api/present.ts";
import type { Notification } from "../webhooks/notification.ts";

/** An event to be posted to the partner: about a channel or a client, with what is said besides. */
export type NewPartnerEvent = {
  event: string;
  id?: string;
  channelId?: string;
  clientId?: string;
  data?: JsonObject;
};

/** Clients and channels of the partner. A change tells the partner by event unless it is `quiet`. */
export type PartnerControls = {
  readonly partner: PartnerLogin;
  createClient: (chosen?: NewHubClient, options?: { quiet?: boolean }) => HubClient;
  listClients: () => HubClient[];
  createChannel: (
    clientId: string,
    chosen?: NewPhoneNumber & ChannelChange,
    options?: { quiet?: boolean },
  ) => Channel;
  listChannels: () => Channel[];
  getChannel: (channelId: string) => Channel;
  changeChannel: (channelId: string, change: ChannelChange, options?: { quiet?: boolean }) => void;
  postPartnerEvent: (event: NewPartnerEvent) => Notification;
  replayPartnerEvents: (replay?: EventReplay) => Notification[];
  readonly partnerEvents: readonly Notification[];
};

/** What 360dialog says of a change: one event for each thing that became different. */
function eventsOf(before: Channel, after: Channel): string[] {
  const [old, now] = [before.state, after.state];
  const told: [boolean, string][] = [
    [old.status !== now.status && now.status === "ready", "channel_ready"],
    [before.phoneNumber.notRunning && !after.phoneNumber.notRunning, "channel_running"],
    [!old.live && now.live, "channel_live"],
    [old.permission !== now.permission && now.permission === "shared", GRANTED],
    [old.permission !== now.permission && now.permission === "missing", REVOKED],
    [!old.cancellationRequested && now.cancellationRequested, "cancellation_request"],
    [old.cancellationRequested && !now.cancellationRequested, "cancellation_revoke"],
    [!old.terminated && now.terminated, "cancellation_processed"],
  ];
  return told.filter(([happened]) => happened).map(([, event]) => event);
}

const GRANTED = "channel_permission_granted";
// 360dialog's documentation does not name the counterpart; this is the likely one.
const REVOKED = "channel_permission_revoked";

/** Binds these controls to the hub and the partner's webhook. */
export function createPartnerControls(parts: {
  hub: Hub;
  partner: PartnerLogin;
  partnerEvents: PartnerEvents;
}): PartnerControls {
  const { hub, partner, partnerEvents } = parts;
  const tellOf = (channel: Channel, event: string): void => {
    partnerEvents.tell(event, presentChannel(channel));
  };
  return {
    partner,
    createClient(chosen = {}, { quiet = false } = {}) {
      const client = hub.createClient(chosen);
      if (!quiet) {
        partnerEvents.tell("client_created", presentClient(client));
      }
      return client;
    },
    listClients: () => structuredClone(hub.listClients()),
    createChannel(clientId, chosen = {}, { quiet = false } = {}) {
      const { phoneNumberId, displayPhoneNumber, wabaId, ...state } = chosen;
      const number = { phoneNumberId, displayPhoneNumber, wabaId };
      const channel = hub.createChannel(clientId, withoutUndefined(number), state);
      if (!quiet) {
        tellOf(channel, "channel_created");
      }
      return structuredClone(channel);
    },
    listChannels: () => structuredClone(hub.listChannels()),
    getChannel: (channelId) => structuredClone(hub.getChannel(channelId)),
    changeChannel(channelId, change, { quiet = false } = {}) {
      const before = structuredClone(hub.getChannel(channelId));
      hub.changeChannel(channelId, change);
      const after = hub.getChannel(channelId);
      for (const event of quiet ? [] : eventsOf(before, after)) {
        tellOf(after, event);
      }
    },
    postPartnerEvent({ event, id, channelId, clientId, data }) {
      const about = {
        ...(clientId === undefined ? {} : presentClient(hub.getClient(clientId))),
        ...(channelId === undefined ? {} : presentChannel(hub.getChannel(channelId))),
      };
      return partnerEvents.tell(event, { ...about, ...data }, id);
    },
    replayPartnerEvents: (replay = {}) => partnerEvents.replay(replay),
    partnerEvents: partnerEvents.posted,
  };
}

function withoutUndefined(number: {
  [Name in keyof NewPhoneNumber]: string | undefined;
}): NewPhoneNumber {
  return Object.fromEntries(Object.entries(number).filter(([, value]) => value !== undefined));
}
