import type { Answer } from "../http/answer.ts";
import { OperationTable } from "../http/operation-table.ts";
import type { RecordedRequest } from "../http/recorded-request.ts";
import { splitUrl } from "../http/split-url.ts";
import { metaFormError } from "../messaging-api/answers/own-answer.ts";
import { accountOperations } from "./account-operations.ts";
import { channelOperations } from "./channel-operations.ts";
import { clientOperations } from "./client-operations.ts";
import { HubThingNotFound } from "./hub.ts";
import { Login } from "./login.ts";
import type { PartnerRow } from "./operation.ts";
import type { PartnerLogin } from "./partner-account.ts";

/** Where the Partner API lives. */
export const PARTNER_API_PATH = "/api/v2";

type Parts = Parameters<typeof accountOperations>[0] &
  Parameters<typeof clientOperations>[0] &
  Parameters<typeof channelOperations>[0];

/** The Partner API: gives what answers one call of it. */
export function createPartnerApi(
  parts: Omit<Parts, "partnerId"> & { partner: PartnerLogin },
): (request: RecordedRequest) => Answer {
  const { partnerId } = parts.partner;
  const login = new Login(parts.partner);
  const table = new OperationTable<PartnerRow[2]>([
    ...accountOperations({ ...parts, partnerId }),
    ...clientOperations(parts),
    ...channelOperations({ ...parts, partnerId }),
  ]);

  return ({ method, url, headers, body }) => {
    const { path: wholePath, query } = splitUrl(url);
    const path = wholePath.slice(PARTNER_API_PATH.length);
    if (method === "POST" && path === "/token") {
      return login.issueToken(body);
    }
    if (!login.admits(headers)) {
      return metaFormError(401, "Invalid credentials");
    }
    const [, givenPartner, rest = ""] = /^\/partners\/([^/]+)(\/.*)?$/.exec(path) ?? [];
    if (givenPartner !== partnerId) {
      return givenPartner === undefined
        ? metaFormError(404, "Not found")
        : metaFormError(403, `Permission denied for partner ${givenPartner}`);
    }
    const found = table.find(method, rest);
    if (found === undefined) {
      return metaFormError(404, "Not found");
    }
    try {
      return found.operation({ ids: found.ids, query, body });
    } catch (error) {
      if (error instanceof HubThingNotFound) {
        return metaFormError(404, error.message);
      }
      throw error;
    }
  };
}
