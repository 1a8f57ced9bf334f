import { newCallId } from "../../ids.ts";
import { isObject, type JsonObject } from "../../json.ts";
import { MetaRefusal, parameterNotOneOf, parameterRequired } from "../answers/meta-errors.ts";
import { proxied } from "../answers/proxied-answer.ts";
import type { OperationCall, OperationRow } from "../operation.ts";
import { bodyParameters } from "../parameters.ts";

const ACTIONS = ["connect", "pre_accept", "accept", "reject", "terminate"];
const DAY_SECONDS = 86_400;

function callIdOf(body: JsonObject): string {
  const { action, to, session, call_id: callId } = body;
  if (typeof action !== "string" || !ACTIONS.includes(action)) {
    throw new MetaRefusal(parameterNotOneOf("action", ACTIONS, action));
  }
  if (action !== "connect") {
    if (typeof callId !== "string") {
      throw new MetaRefusal(parameterRequired("call_id"));
    }
    return callId;
  }
  if (to === undefined && body["recipient"] === undefined) {
    throw new MetaRefusal(parameterRequired("to"));
  }
  if (!isObject(session)) {
    throw new MetaRefusal(parameterRequired("session"));
  }
  return newCallId();
}

function allowed(name: string, most: number) {
  return {
    action_name: name,
    can_perform_action: true,
    limits: [{ time_period: "PT24H", current_usage: 0, max_allowed: most }],
  };
}

function permission({ ids: [user] }: OperationCall) {
  const nowSeconds = Math.floor(Date.now() / 1000);
  return {
    messaging_product: "whatsapp",
    permission: { status: "temporary", expiration_time: nowSeconds + 7 * DAY_SECONDS },
    actions: [allowed("send_call_permission_request", 1), allowed("start_call", 5)],
    wa_id: user,
  };
}

/** Calls, and whether a user lets himself be called: here everyone does. */
export function callOperations(): OperationRow[] {
  return [
    [
      "POST",
      "/calling/calls",
      proxied((call) => ({
        messaging_product: "whatsapp",
        success: true,
        calls: [{ id: callIdOf(bodyParameters(call)) }],
      })),
    ],
    ["GET", "/calling/permissions/{wa_id}", proxied(permission)],
  ];
}
