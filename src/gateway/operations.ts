/** One operation of the WhatsApp API that a tenant may call. */
export type Operation = {
  operationId: string;
  method: string;
  /** `{…}` stands for one segment's id. */
  path: string;
  /** Where 360dialog offers it: its renamings of Meta's paths. */
  upstreamPath: string;
  /** Whose it is: of one number, of a WABA through any of its numbers, or of a media id. */
  level: "number" | "waba" | "media";
  scope: string;
  /**
   * `send`: may reach a person, so it is written upstream at most once and has a message id.
   * `message`: a send that WhatsApp's limits and our guards are about. `call`: JSON both ways.
   * `upload`: its body is passed on as it comes. `media_lookup`: its answer holds a URL of ours.
   * `download`: its answer is passed on as it comes. `webhook_settings`: answered here.
   */
  kind: "message" | "send" | "call" | "upload" | "media_lookup" | "download" | "webhook_settings";
};

/**
 * What tenants may call; what is not a row is `unknown_operation`. Two paths for one thing are
 * 360dialog's and Meta's.
 */
export const OPERATIONS: readonly Operation[] = [
  number("POST /messages", "sendMessage", "messages:send", "message"),
  number("POST /marketing_messages", "sendMarketingMessage", "messages:send", "message"),
  number("POST /messages_encrypted", "sendEncryptedMessage", "messages:send", "message"),

  number("POST /calling/calls", "sendCallAction", "messages:send", "send"),
  number("POST /calls > /calling/calls", "sendCallActionAsMeta", "messages:send", "send"),
  number("GET /calling/permissions/{user}", "getCallPermission", "numbers:read"),
  number("GET /call_permissions > /calling/permissions", "getCallPermissionAsMeta", "numbers:read"),
  number("GET /calling/settings", "getCallingSettings", "numbers:read"),
  number("POST /calling/settings", "setCallingSettings", "numbers:write"),

  number("GET /groups", "listGroups", "numbers:read"),
  number("POST /groups", "createGroup", "messages:send", "send"),
  number("GET /groups/{group_id}", "getGroup", "numbers:read"),
  number("POST /groups/{group_id}", "updateGroup", "messages:send", "send"),
  number("DELETE /groups/{group_id}", "deleteGroup", "messages:send"),
  number("POST /groups/{group_id}/participants", "addGroupParticipants", "messages:send", "send"),
  number("DELETE /groups/{group_id}/participants", "removeGroupParticipants", "messages:send"),
  number("GET /groups/{group_id}/invite_link", "getGroupInviteLink", "numbers:read"),
  number("POST /groups/{group_id}/invite_link", "resetGroupInviteLink", "messages:send", "send"),
  number("GET /groups/{group_id}/join_requests", "listGroupJoinRequests", "numbers:read"),
  number(
    "POST /groups/{group_id}/join_requests",
    "approveGroupJoinRequests",
    "messages:send",
    "send",
  ),
  number("DELETE /groups/{group_id}/join_requests", "rejectGroupJoinRequests", "messages:send"),

  number("POST /media", "uploadMedia", "media:write", "upload"),
  media("GET /{media_id}", "getMedia", "media:read", "media_lookup"),
  media("DELETE /{media_id}", "deleteMedia", "media:write"),
  // The slash at the end is a part of it there, and is dropped on every path here.
  number(
    "GET /whatsapp_business/attachments > /whatsapp_business/attachments/",
    "downloadMedia",
    "media:read",
    "download",
  ),
  number("POST /uploads", "createUpload", "media:write"),
  number("POST /upload:{upload_id}", "continueUpload", "media:write", "upload"),
  number("GET /upload:{upload_id}", "getUpload", "media:read"),

  waba("GET /message_templates", "listMessageTemplates", "templates:read"),
  waba("POST /message_templates", "createMessageTemplate", "templates:write"),
  waba("DELETE /message_templates", "deleteMessageTemplate", "templates:write"),
  waba("GET /message_templates_library", "listTemplateLibrary", "templates:read"),
  waba("GET /v1/configs/templates", "listConfiguredTemplates", "templates:read"),
  waba("POST /v1/configs/templates", "createConfiguredTemplate", "templates:write"),
  waba("DELETE /v1/configs/templates/{name}", "deleteConfiguredTemplate", "templates:write"),
  waba("GET /flows", "listFlows", "templates:read"),
  waba("POST /flows", "createFlow", "templates:write"),

  number("GET /whatsapp_business_profile", "getBusinessProfile", "numbers:read"),
  number("POST /whatsapp_business_profile", "setBusinessProfile", "numbers:write"),
  number("GET /whatsapp_commerce_settings", "getCommerceSettings", "numbers:read"),
  number("POST /whatsapp_commerce_settings", "setCommerceSettings", "numbers:write"),
  number("GET /whatsapp_business_encryption", "getBusinessEncryption", "numbers:read"),
  number("POST /whatsapp_business_encryption", "setBusinessEncryption", "numbers:write"),
  number("GET /business_compliance_info", "getComplianceInfo", "numbers:read"),
  number("POST /business_compliance_info", "setComplianceInfo", "numbers:write"),
  number("GET /conversational_automation", "getConversationalAutomation", "numbers:read"),
  number("POST /conversational_automation", "setConversationalAutomation", "numbers:write"),
  number("GET /settings", "getNumberSettings", "numbers:read"),
  number("POST /settings", "setNumberSettings", "numbers:write"),
  number("GET /block_users", "listBlockedUsers", "numbers:read"),
  number("POST /block_users", "blockUsers", "numbers:write"),
  number("DELETE /block_users", "unblockUsers", "numbers:write"),
  number("GET /message_qrdls", "listQrCodes", "numbers:read"),
  number("POST /message_qrdls", "createQrCode", "numbers:write"),
  number("GET /message_qrdls/{code}", "getQrCode", "numbers:read"),
  number("POST /message_qrdls/{code}", "updateQrCode", "numbers:write"),
  number("DELETE /message_qrdls/{code}", "deleteQrCode", "numbers:write"),
  waba("GET /phone_numbers", "listNumbersOfWaba", "numbers:read"),
  waba("GET /schedules", "listSchedules", "numbers:read"),
  number("GET /health_status", "getHealthStatus", "numbers:read"),
  number("GET /v1/health", "getOldHealth", "numbers:read"),
  number("GET /v1/configs/phone_number", "getConfiguredNumber", "numbers:read"),

  number("GET /v1/configs/webhook", "getWebhookSettings", "webhooks:read", "webhook_settings"),
  number("POST /v1/configs/webhook", "setWebhookSettings", "webhooks:write", "webhook_settings"),
  waba("POST /waba_webhook", "setWabaWebhookSettings", "webhooks:write", "webhook_settings"),
  number("GET /multi_webhook", "getMultiWebhook", "webhooks:read", "webhook_settings"),
  number("POST /multi_webhook", "setMultiWebhook", "webhooks:write", "webhook_settings"),
  number("PUT /multi_webhook", "addToMultiWebhook", "webhooks:write", "webhook_settings"),
  number("PATCH /multi_webhook", "updateMultiWebhook", "webhooks:write", "webhook_settings"),
];

/** `METHOD /path`, and behind `>` the path that 360dialog has for it where that is another one. */
type Call = string;

function number(call: Call, operationId: string, scope: string, kind: Operation["kind"] = "call") {
  return row("number", { call, operationId, scope, kind });
}

function waba(call: Call, operationId: string, scope: string, kind: Operation["kind"] = "call") {
  return row("waba", { call, operationId, scope, kind });
}

function media(call: Call, operationId: string, scope: string, kind: Operation["kind"] = "call") {
  return row("media", { call, operationId, scope, kind });
}

function row(
  level: Operation["level"],
  { call, ...rest }: { call: Call } & Pick<Operation, "operationId" | "scope" | "kind">,
): Operation {
  const [ours = "", upstreamPath] = call.split(" > ");
  const [method = "", path = ""] = ours.split(" ");
  return { ...rest, method, path, upstreamPath: upstreamPath ?? path, level };
}
