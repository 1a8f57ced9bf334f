import { type JsonObject, textIn } from "../../json.ts";
import { MetaRefusal, parameterNotOneOf, parameterTooLong } from "../answers/meta-errors.ts";
import type { OperationCall } from "../operation.ts";
import { bodyParameters } from "../parameters.ts";
import type { Group } from "./group-store.ts";

const SUBJECT_CHARACTERS_MAX = 128;
const APPROVAL_MODES = ["auto_approve", "approval_required"];

/** What a body says about a group; throws when it says it wrongly. */
export function groupDetailsIn(call: OperationCall) {
  const fields = bodyParameters(call);
  const [subject, description, mode] = ["subject", "description", "join_approval_mode"].map(
    (name) => textIn(fields, name),
  );
  if (subject !== undefined && subject.length > SUBJECT_CHARACTERS_MAX) {
    throw new MetaRefusal(parameterTooLong("subject", SUBJECT_CHARACTERS_MAX));
  }
  if (mode !== undefined && !APPROVAL_MODES.includes(mode)) {
    throw new MetaRefusal(parameterNotOneOf("join_approval_mode", APPROVAL_MODES, mode));
  }
  return {
    ...(subject === undefined ? {} : { subject }),
    ...(description === undefined ? {} : { description }),
    ...(mode === undefined ? {} : { join_approval_mode: mode }),
  };
}

/** A group with the fields that are asked for. */
export function presentGroup(group: Group, fields: string | null): JsonObject {
  const { participants, joinRequests: _joinRequests, invite_link: _link, ...rest } = group;
  const whole: JsonObject = {
    messaging_product: "whatsapp",
    ...rest,
    participants: participants.map((user) => ({ wa_id: user })),
    total_participant_count: participants.length,
  };
  const always = ["messaging_product", "id"];
  const names = fields?.split(",") ?? Object.keys(whole);
  return Object.fromEntries(
    Object.entries(whole).filter(([name]) => always.includes(name) || names.includes(name)),
  );
}
