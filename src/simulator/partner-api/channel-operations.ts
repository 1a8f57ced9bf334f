import type { Answer } from "../http/answer.ts";
import { isObject, parseJson } from "../json.ts";
import { metaFormError, ownSuccess } from "../messaging-api/answers/own-answer.ts";
import type { ChannelChange, ChannelKey } from "./channel.ts";
import type { Hub } from "./hub.ts";
import { listAnswer } from "./list.ts";
import type { PartnerRow } from "./operation.ts";
import { APP_ID, presentChannel } from "./present.ts";

const FILTERS = [
  "id",
  "client_id",
  "account_mode",
  "status",
  "client.contact_info.email",
  "setup_info.phone_number",
  "waba_account.id",
  "waba_account.fb_account_status",
];

const presentKey = ({ id, createdAt }: ChannelKey) => ({
  id,
  app_id: APP_ID,
  created_at: createdAt,
});

/** The channels of the partner's clients, and their API keys. */
export function channelOperations(parts: {
  hub: Hub;
  partnerId: string;
  changeChannel: (id: string, change: ChannelChange) => void;
  /** Base URL of the Messaging API. */
  url: () => string;
}): PartnerRow[] {
  const { hub, partnerId, changeChannel, url } = parts;

  /** Refused until the channel runs and its client has shared the permission. */
  function createKey(id: string): Answer {
    const { state, phoneNumber } = hub.getChannel(id);
    if (phoneNumber.notRunning || state.permission === "missing" || state.terminated) {
      return metaFormError(403, `Permission denied for partner ${partnerId}`);
    }
    const { keyId, apiKey } = hub.createKey(id);
    return ownSuccess(
      { id: keyId, address: state.address ?? url(), api_key: apiKey, app_id: APP_ID },
      201,
    );
  }

  function listKeys(id: string): Answer {
    const living = hub.getChannel(id).keys.filter(({ revokedAt }) => revokedAt === null);
    return ownSuccess({ api_keys: living.map(presentKey) });
  }

  function deleteKeys(id: string): Answer {
    hub.deleteKeys(id);
    return ownSuccess({});
  }

  function requestCancellation(id: string, body: Buffer): Answer {
    const fields = parseJson(body);
    if (!isObject(fields) || typeof fields["enabled"] !== "boolean") {
      return metaFormError(400, "Invalid request", ["enabled must be true or false"]);
    }
    changeChannel(id, { cancellationRequested: fields["enabled"] });
    return ownSuccess(presentChannel(hub.getChannel(id)));
  }

  return [
    [
      "GET",
      "/channels",
      ({ query }) =>
        listAnswer(query, {
          collection: "partner_channels",
          rows: hub.listChannels().map(presentChannel),
          filters: FILTERS,
        }),
    ],
    [
      "GET",
      "/channels/{channel}",
      ({ ids }) => ownSuccess(presentChannel(hub.getChannel(ids[0] ?? ""))),
    ],
    ["POST", "/channels/{channel}/api_keys", ({ ids }) => createKey(ids[0] ?? "")],
    ["GET", "/channels/{channel}/api_keys", ({ ids }) => listKeys(ids[0] ?? "")],
    ["DELETE", "/channels/{channel}/api_keys", ({ ids }) => deleteKeys(ids[0] ?? "")],
    [
      "POST",
      "/clients/{client}/channels/{channel}/control/cancellation_request",
      ({ ids, body }) => requestCancellation(ids[1] ?? "", body),
    ],
    [
      "GET",
      "/clients/{client}/channels/{channel}/whatsapp_commerce_settings",
      ({ ids }) =>
        ownSuccess({
          data: [
            {
              id: hub.getChannel(ids[1] ?? "").phoneNumber.phoneNumberId,
              is_cart_enabled: true,
              is_catalog_visible: false,
            },
          ],
        }),
    ],
  ];
}
