import { MetaRefusal, parameterRequired } from "../answers/meta-errors.ts";
import type { OperationCall } from "../operation.ts";
import { bodyParameters } from "../parameters.ts";
import type { Group } from "./group-store.ts";

/** Lets users in who asked for it, or does not; tells which requests were not there. */
export function answerJoinRequests(verdict: "approved" | "rejected") {
  return (group: Group, call: OperationCall) => {
    const { join_requests: asked } = bodyParameters(call);
    if (!Array.isArray(asked) || asked.length === 0) {
      throw new MetaRefusal(parameterRequired("join_requests"));
    }
    const ids = asked.map(String);
    const answered = group.joinRequests.filter(({ join_request_id: id }) => ids.includes(id));
    const answeredIds = answered.map(({ join_request_id: id }) => id);
    group.joinRequests = group.joinRequests.filter((request) => !answered.includes(request));
    if (verdict === "approved") {
      const users = answered.map(({ wa_id: user }) => user);
      group.participants = [...new Set([...group.participants, ...users])];
    }
    const failed = ids.filter((id) => !answeredIds.includes(id));
    return {
      messaging_product: "whatsapp",
      [`${verdict}_join_requests`]: answeredIds,
      ...(failed.length === 0
        ? {}
        : {
            failed_join_requests: failed.map((id) => ({
              join_request_id: id,
              errors: [{ code: 131203, message: "The request to join does not exist" }],
            })),
          }),
    };
  };
}
