import { ApiError } from "../errors.ts";
import { readBody } from "../http/body.ts";
import { newId } from "../ids.ts";
import type { MessageLog } from "../records/message-log.ts";
import { type WholeAnswer, writeAnswer } from "./answer.ts";
import type { AnswerDryRun } from "./dry-run.ts";
import type { Forward } from "./forward.ts";
import type { Guards } from "./guards/create-guards.ts";
import { upstreamRequestHeaders } from "./headers.ts";
import type { IdentifiedCall } from "./identify.ts";
import type { KeyedSends } from "./keyed-sends.ts";
import { type AnswerCall, JSON_BYTES_MAX } from "./plain-call.ts";
import { readMessage } from "./read-message.ts";
import { guardedSend, MESSAGE_ID_HEADER, type Sending } from "./sending.ts";
import type { RefusedBy } from "./throttle/refusal.ts";
import type { Throttle } from "./throttle/throttle.ts";

/** What may reach a person: guarded, within WhatsApp's limits, logged, and written upstream once. */
export function createSend(options: {
  forward: Forward;
  throttle: Throttle;
  refusedBy: RefusedBy;
  guards: Guards;
  messageLog: MessageLog;
  keyedSends: KeyedSends;
  answerDryRun: AnswerDryRun;
}): AnswerCall {
  const { forward, throttle, refusedBy, guards, messageLog, keyedSends, answerDryRun } = options;

  async function judged(sending: Sending): Promise<void> {
    const warnings = await guards.check(guardedSend(sending));
    if (warnings.length > 0) {
      sending.call.headers["gateway-warning"] = warnings.join(", ");
    }
  }

  async function send(sending: Sending): Promise<WholeAnswer> {
    const { messageId, read, identified } = sending;
    const { operation, number } = identified;
    if (read.isStatus) {
      return forward(number, forwarded(sending, undefined));
    }
    if (operation.kind === "message") {
      if (number.guards !== undefined) {
        await judged(sending);
      }
      const taken = throttle.takeSend(number, read.user);
      const refusal = taken instanceof Promise ? await taken : taken;
      if (refusal !== undefined) {
        throw refusedBy(refusal);
      }
    }
    messageLog.begin(logEntry(sending));
    try {
      const answer = await forward(number, forwarded(sending, messageId));
      if (operation.kind === "message") {
        throttle.learn(number, { ...answer, limit: "number", user: read.user });
      }
      messageLog.end(messageId, {
        kind: "answered",
        status: answer.status,
        contentType: answer.headers["content-type"],
        body: answer.body,
        answeredAt: new Date(),
      });
      return answer;
    } catch (error) {
      const isUnknown = error instanceof ApiError && error.code === "outcome_unknown";
      messageLog.end(messageId, { kind: isUnknown ? "unknown" : "not_sent" });
      throw error;
    }
  }

  return async (call, identified) => {
    const body = await readBody(call.req, { bytesMax: JSON_BYTES_MAX });
    const sending = { call, identified, body, read: readMessage(body), messageId: newId("msg") };
    if (identified.operation.kind === "message" && isDryRun(identified)) {
      await answerDryRun(sending);
      return;
    }
    if (!sending.read.isStatus) {
      call.record.messageId = sending.messageId;
      call.headers[MESSAGE_ID_HEADER] = sending.messageId;
    }
    writeAnswer(call, await keyedSends(sending, () => send(sending)));
  };
}

function isDryRun({ parsed }: IdentifiedCall): boolean {
  return parsed.search !== "" && new URLSearchParams(parsed.search).get("dry_run") === "true";
}

function forwarded({ call, identified, body }: Sending, messageId: string | undefined) {
  return {
    method: identified.operation.method,
    path: identified.upstreamPath + identified.parsed.search,
    headers: upstreamRequestHeaders(call.req.headers, call.record.requestId),
    body: body.length > 0 ? body : null,
    messageId,
  };
}

function logEntry({ call, identified, body, read, messageId }: Sending) {
  const { caller, number, operation } = identified;
  return {
    id: messageId,
    tenantId: caller.tenantId,
    phoneNumberId: number.phoneNumberId,
    clientId: caller.clientId,
    operation: operation.operationId,
    recipient: read.recipient,
    type: read.type,
    callbackData: read.callbackData,
    contentType: call.req.headers["content-type"],
    body,
    sentAt: new Date(),
  };
}
