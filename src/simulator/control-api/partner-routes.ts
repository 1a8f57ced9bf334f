import type { Answer } from "../http/answer.ts";
import { isObject, type JsonObject } from "../json.ts";
import { CHANNEL_STATUSES, type ChannelChange, PERMISSIONS } from "../partner-api/channel.ts";
import { REPLAY_ORDERS } from "../partner-api/partner-events.ts";
import { presentChannel, presentClient } from "../partner-api/present.ts";
import {
  allowOnly,
  InvalidInput,
  objectBody,
  optionalFlag,
  optionalInteger,
  optionalOneOf,
  optionalText,
  present,
  requiredText,
} from "./input.ts";
import { jsonAnswer } from "./json-answer.ts";
import { presentNotification } from "./present.ts";
import { type ControlCall, route } from "./route.ts";

const NUMBER_FIELDS = ["phone_number_id", "display_phone_number", "waba_id"];
const STATE_FIELDS = [
  "client_id",
  "status",
  "account_mode",
  "running",
  "permission",
  "live",
  "terminated",
  "cancellation_requested",
  "current_limit",
  "quality",
  "fb_account_status",
  "address",
  "quiet",
];

const quietOf = (fields: JsonObject) => ({ quiet: optionalFlag(fields, "quiet") === true });

function parseChange(fields: JsonObject): ChannelChange {
  return present({
    clientId: optionalText(fields, "client_id"),
    status: optionalOneOf(fields, "status", CHANNEL_STATUSES),
    accountMode: optionalOneOf(fields, "account_mode", ["sandbox", "live"] as const),
    running: optionalFlag(fields, "running"),
    permission: optionalOneOf(fields, "permission", PERMISSIONS),
    live: optionalFlag(fields, "live"),
    terminated: optionalFlag(fields, "terminated"),
    cancellationRequested: optionalFlag(fields, "cancellation_requested"),
    currentLimit: optionalText(fields, "current_limit"),
    quality: optionalText(fields, "quality"),
    fbAccountStatus: optionalText(fields, "fb_account_status"),
    address: optionalText(fields, "address"),
  });
}

function createClient({ controls, body }: ControlCall): Answer {
  const fields = objectBody(body);
  allowOnly(fields, ["id", "name", "email", "quiet"]);
  const client = controls.createClient(
    present({
      id: optionalText(fields, "id"),
      name: optionalText(fields, "name"),
      email: optionalText(fields, "email"),
    }),
    quietOf(fields),
  );
  return jsonAnswer(201, presentClient(client));
}

function createChannel({ controls, body }: ControlCall): Answer {
  const fields = objectBody(body);
  allowOnly(fields, [...NUMBER_FIELDS, ...STATE_FIELDS]);
  const number = present({
    phoneNumberId: optionalText(fields, "phone_number_id"),
    displayPhoneNumber: optionalText(fields, "display_phone_number"),
    wabaId: optionalText(fields, "waba_id"),
  });
  const clientId = requiredText(fields, "client_id");
  const chosen = { ...number, ...parseChange(fields) };
  const channel = controls.createChannel(clientId, chosen, quietOf(fields));
  return jsonAnswer(201, presentChannel(channel));
}

function changeChannel({ controls, name, body }: ControlCall): Answer {
  const fields = objectBody(body);
  allowOnly(fields, STATE_FIELDS);
  controls.changeChannel(name, parseChange(fields), quietOf(fields));
  return jsonAnswer(200, presentChannel(controls.getChannel(name)));
}

function postEvent({ controls, body }: ControlCall): Answer {
  const fields = objectBody(body);
  allowOnly(fields, ["event", "id", "channel_id", "client_id", "data"]);
  const { data } = fields;
  if (data !== undefined && !isObject(data)) {
    throw new InvalidInput("data must be an object");
  }
  const notification = controls.postPartnerEvent({
    event: requiredText(fields, "event"),
    ...present({
      id: optionalText(fields, "id"),
      channelId: optionalText(fields, "channel_id"),
      clientId: optionalText(fields, "client_id"),
      data,
    }),
  });
  return jsonAnswer(202, presentNotification(notification));
}

function replayEvents({ controls, body }: ControlCall): Answer {
  const fields = objectBody(body);
  allowOnly(fields, ["order", "times"]);
  const posted = controls.replayPartnerEvents(
    present({
      order: optionalOneOf(fields, "order", REPLAY_ORDERS),
      times: optionalInteger(fields, "times", 1),
    }),
  );
  return jsonAnswer(202, { events: posted.map(presentNotification) });
}

/** The partner's clients and channels at 360dialog, and what the partner is told of them. */
export const PARTNER_ROUTES = [
  route("GET", "/clients", ({ controls }) =>
    jsonAnswer(200, { clients: controls.listClients().map(presentClient) }),
  ),
  route("POST", "/clients", createClient),
  route("GET", "/channels", ({ controls }) =>
    jsonAnswer(200, { channels: controls.listChannels().map(presentChannel) }),
  ),
  route("POST", "/channels", createChannel),
  route("GET", "/channels/NAME", ({ controls, name }) =>
    jsonAnswer(200, presentChannel(controls.getChannel(name))),
  ),
  route("PATCH", "/channels/NAME", changeChannel),
  route("GET", "/partner-events", ({ controls }) =>
    jsonAnswer(200, { events: controls.partnerEvents.map(presentNotification) }),
  ),
  route("POST", "/partner-events", postEvent),
  route("POST", "/partner-events/replay", replayEvents),
];
