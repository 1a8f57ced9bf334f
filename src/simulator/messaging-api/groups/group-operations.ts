import { isObject, type JsonObject } from "../../json.ts";
import { MetaRefusal, objectUnknown, parameterRequired } from "../answers/meta-errors.ts";
import { proxied } from "../answers/proxied-answer.ts";
import type { Operation, OperationCall, OperationRow } from "../operation.ts";
import { pageOf } from "../paging.ts";
import { bodyParameters } from "../parameters.ts";
import { groupDetailsIn, presentGroup } from "./group-details.ts";
import type { Group, GroupStore } from "./group-store.ts";
import { answerJoinRequests } from "./join-requests.ts";
import type { TellGroupUpdate } from "./tell-group-update.ts";

function usersIn(call: OperationCall): string[] {
  const { participants } = bodyParameters(call);
  if (!Array.isArray(participants) || participants.length === 0) {
    throw new MetaRefusal(parameterRequired("participants"));
  }
  return participants.map((entry) => String(isObject(entry) ? entry["user"] : entry));
}

function showLink(group: Group): JsonObject {
  return { messaging_product: "whatsapp", invite_link: group.invite_link };
}

/** Groups, their participants, their link, and who wants in. */
export function groupOperations(parts: {
  groups: GroupStore;
  tell: TellGroupUpdate;
}): OperationRow[] {
  const { groups, tell } = parts;

  const list = proxied((call) => {
    const { phoneNumberId } = call.phoneNumber;
    const items = groups.list(phoneNumberId);
    const page = pageOf({
      call,
      node: phoneNumberId,
      edge: "groups",
      items,
      keyOf: ({ id }) => id,
    });
    const data = page.items.map(({ id, subject, creation_timestamp: createdAt }) => ({
      id,
      subject,
      created_at: createdAt,
    }));
    return { data: { groups: data }, paging: page.paging };
  });

  const create = proxied((call) => {
    const { phoneNumber } = call;
    const { subject, ...details } = groupDetailsIn(call);
    if (subject === undefined) {
      throw new MetaRefusal(parameterRequired("subject"));
    }
    const byDefault = { description: "", join_approval_mode: "auto_approve" };
    const group = groups.create(phoneNumber.phoneNumberId, { subject, ...byDefault, ...details });
    const { id, invite_link } = group;
    const update = { type: "group_create", group_id: id, subject, invite_link };
    tell(phoneNumber, "group_lifecycle_update", update);
    return { messaging_product: "whatsapp", id };
  });

  /** An operation on a group that the caller's number has. */
  const onGroup = (handle: (group: Group, call: OperationCall) => unknown): Operation =>
    proxied((call) => {
      const [id = ""] = call.ids;
      const group = groups.find(call.phoneNumber.phoneNumberId, id);
      if (group === undefined) {
        throw new MetaRefusal(objectUnknown("get", id));
      }
      return handle(group, call);
    });

  const change = onGroup((group, call) => {
    const details = groupDetailsIn(call);
    Object.assign(group, details);
    const update = { type: "group_settings_update", group_id: group.id, ...details };
    tell(call.phoneNumber, "group_settings_update", update);
    return { success: true };
  });

  const remove = onGroup((group, { phoneNumber }) => {
    groups.delete(phoneNumber.phoneNumberId, group.id);
    tell(phoneNumber, "group_lifecycle_update", { type: "group_delete", group_id: group.id });
    return { success: true };
  });

  const addUsers = onGroup((group, call) => {
    group.participants = [...new Set([...group.participants, ...usersIn(call)])];
    return { success: true };
  });

  const removeUsers = onGroup((group, call) => {
    const users = usersIn(call);
    group.participants = group.participants.filter((user) => !users.includes(user));
    return { success: true };
  });

  const renewLink = (group: Group) => {
    groups.renewInviteLink(group);
    return showLink(group);
  };

  return [
    ["GET", "/groups", list],
    ["POST", "/groups", create],
    [
      "GET",
      "/groups/{id}",
      onGroup((group, { query }) => presentGroup(group, query.get("fields"))),
    ],
    ["POST", "/groups/{id}", change],
    ["DELETE", "/groups/{id}", remove],
    ["POST", "/groups/{id}/participants", addUsers],
    ["DELETE", "/groups/{id}/participants", removeUsers],
    ["GET", "/groups/{id}/invite_link", onGroup(showLink)],
    ["POST", "/groups/{id}/invite_link", onGroup(renewLink)],
    ["DELETE", "/groups/{id}/invite_link", onGroup(renewLink)],
    ["GET", "/groups/{id}/join_requests", onGroup(({ joinRequests }) => ({ data: joinRequests }))],
    ["POST", "/groups/{id}/join_requests", onGroup(answerJoinRequests("approved"))],
    ["DELETE", "/groups/{id}/join_requests", onGroup(answerJoinRequests("rejected"))],
  ];
}
