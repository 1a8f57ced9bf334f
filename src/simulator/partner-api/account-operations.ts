import { isObject, parseJson } from "../json.ts";
import { metaFormError, ownSuccess } from "../messaging-api/answers/own-answer.ts";
import type { Hub } from "./hub.ts";
import type { PartnerRow } from "./operation.ts";
import { presentPartner } from "./present.ts";

type CheckUrl = (url: string) => string | undefined;

const invalid = (detail: string) => metaFormError(400, "Invalid request", [detail]);

/** The partner's own account: its webhook, its redirect URL, its settings. */
export function accountOperations(parts: {
  hub: Hub;
  partnerId: string;
  checkUrl: CheckUrl;
}): PartnerRow[] {
  const { hub, partnerId, checkUrl } = parts;
  const { account } = hub;
  const show = () => ownSuccess(presentPartner(partnerId, account));

  function change(body: Buffer) {
    const fields = parseJson(body);
    if (!isObject(fields)) {
      return invalid("the body must be a JSON object");
    }
    const { brand_name: name, webhook_url: webhook, partner_redirect_url: redirect } = fields;
    for (const url of [webhook, redirect]) {
      const wrong = typeof url === "string" ? checkUrl(url) : undefined;
      if (wrong !== undefined) {
        return invalid(wrong);
      }
    }
    account.brandName = typeof name === "string" ? name : account.brandName;
    account.webhookUrl = typeof webhook === "string" ? webhook : account.webhookUrl;
    account.redirectUrl = typeof redirect === "string" ? redirect : account.redirectUrl;
    return show();
  }

  function setWebhook(body: Buffer) {
    const fields = parseJson(body);
    const url = isObject(fields) ? fields["webhook_url"] : undefined;
    if (typeof url !== "string" || url === "") {
      return invalid("webhook_url is required");
    }
    const wrong = checkUrl(url);
    if (wrong !== undefined) {
      return invalid(wrong);
    }
    account.webhookUrl = url;
    return ownSuccess({ webhook_url: url });
  }

  return [
    ["GET", "", show],
    ["PATCH", "", ({ body }) => change(body)],
    ["GET", "/webhook_url", () => ownSuccess({ webhook_url: account.webhookUrl })],
    ["POST", "/webhook_url", ({ body }) => setWebhook(body)],
    [
      "PATCH",
      "/settings/partner_change_request",
      ({ body }) => {
        const fields = parseJson(body);
        account.autoApprove = isObject(fields) && fields["auto_approve"] === true;
        return ownSuccess({ auto_approve: account.autoApprove });
      },
    ],
  ];
}
