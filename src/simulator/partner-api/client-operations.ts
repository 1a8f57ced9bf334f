import { isObject, parseJson, textIn } from "../json.ts";
import { metaFormError, ownSuccess } from "../messaging-api/answers/own-answer.ts";
import type { HubClient, NewHubClient } from "./hub-client.ts";
import type { Hub } from "./hub.ts";
import { listAnswer } from "./list.ts";
import type { PartnerRow } from "./operation.ts";
import { presentClient } from "./present.ts";

/** The partner's clients. */
export function clientOperations(parts: {
  hub: Hub;
  createClient: (chosen: NewHubClient) => HubClient;
}): PartnerRow[] {
  const { hub, createClient } = parts;
  return [
    [
      "GET",
      "/clients",
      ({ query }) =>
        listAnswer(query, {
          collection: "clients",
          rows: hub.listClients().map(presentClient),
          filters: ["id", "name", "status", "contact_info.email"],
        }),
    ],
    [
      "PATCH",
      "/clients/{client}",
      ({ ids, body }) => {
        const client = hub.getClient(ids[0] ?? "");
        const fields = parseJson(body);
        const max = isObject(fields) ? fields["max_channels"] : undefined;
        client.partnerPayload =
          (isObject(fields) ? textIn(fields, "partner_payload") : undefined) ??
          client.partnerPayload;
        client.maxChannels = typeof max === "number" ? max : client.maxChannels;
        return ownSuccess(presentClient(client));
      },
    ],
    [
      "POST",
      "/account_sharing/clients",
      ({ body }) => {
        const fields = parseJson(body);
        const name = isObject(fields) ? textIn(fields, "name") : undefined;
        const email = isObject(fields) ? textIn(fields, "email") : undefined;
        return name === undefined || email === undefined
          ? metaFormError(400, "Invalid request", ["name and email are required"])
          : ownSuccess(presentClient(createClient({ name, email })), 201);
      },
    ],
  ];
}
