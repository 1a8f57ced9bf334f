import { digitsFrom } from "../ids.ts";
import type { JsonObject } from "../json.ts";
import type { Channel } from "./channel.ts";
import type { HubClient } from "./hub-client.ts";
import type { PartnerAccount } from "./partner-account.ts";

export const APP_ID = "104148";

/** 360dialog's own id of a WABA, which is not Meta's. */
const hubWabaId = (wabaId: string): string => `${digitsFrom(`WABA ${wabaId}`, 6)}WA`;

export const presentPartner = (partnerId: string, account: PartnerAccount): JsonObject => ({
  id: partnerId,
  brand_name: account.brandName,
  logo_url: null,
  country: "DE",
  webhook_url: account.webhookUrl,
  partner_redirect_url: account.redirectUrl,
  allow_client_to_add_phone_no: true,
  settings: { partner_change_request: { auto_approve: account.autoApprove } },
});

export const presentClient = (client: HubClient): JsonObject => ({
  id: client.id,
  name: client.name,
  status: "active",
  organisation: client.name,
  meta_info: {},
  contact_info: { email: client.email, full_name: client.name, country: "DE", language: "en" },
  contact_user: { email: client.email },
  partner_payload: client.partnerPayload,
  max_channels: client.maxChannels,
  created_at: client.createdAt,
  created_by: {},
  modified_at: client.createdAt,
});

/** A channel as lists and partner events show it. */
export function presentChannel({ id, createdAt, state, phoneNumber, client }: Channel): JsonObject {
  const { contact_info, name, partner_payload } = presentClient(client);
  const running = !phoneNumber.notRunning;
  return {
    id,
    client_id: client.id,
    account_mode: state.accountMode,
    status: state.status,
    created_at: createdAt,
    billing_started_at: state.live ? createdAt : null,
    terminated_at: state.terminated ? new Date() : null,
    cancelled_at: state.cancellationRequested ? new Date() : null,
    current_limit: state.currentLimit,
    current_quality_rating: state.quality,
    has_inbox: false,
    is_oba: false,
    availability_status: running ? "available" : "unavailable",
    client: { id: client.id, name, partner_payload, contact_info },
    setup_info: {
      phone_number: phoneNumber.displayPhoneNumber.replaceAll(/\D/g, ""),
      phone_name: client.name,
      was_in_use: false,
      ivr: false,
      verification_method: "sms",
      default_language: "en",
      error: null,
    },
    waba_account: {
      id: hubWabaId(phoneNumber.wabaId),
      client_id: client.id,
      external_id: phoneNumber.wabaId,
      name: client.name,
      fb_account_status: state.fbAccountStatus,
      on_behalf_of_business_info: { name: client.name, status: "approved" },
      created_at: createdAt,
    },
    waba_account_id: hubWabaId(phoneNumber.wabaId),
    integration: { enabled: running, app_id: APP_ID, state: running ? "running" : "pending" },
  };
}
