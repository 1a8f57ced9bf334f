import { ApiError } from "../errors.ts";
import { readBody } from "../http/body.ts";
import { newId } from "../ids.ts";
import type { MessageLog } from "../records/message-log.ts";
import { type WholeAnswer, writeAnswer } from "./answer.ts";
import { decodedBody } from "./decoded-body.ts";
import type { AnswerDryRun } from "./dry-run.ts";
import type { Forward } from "./forward.ts";
import type { Guards } from "./guards/create-guards.ts";
import { MESSAGE_ID_HEADER, upstreamRequestHeaders, WARNING_HEADER } from "./headers.ts";
import type { IdentifiedCall } from "./identify.ts";
import type { KeyedSends } from "./keyed-sends.ts";
import { type AnswerCall, JSON_BYTES_MAX } from "./plain-call.ts";
import { readMessage } from "./read-message.ts";
import { isOutcomeUnknown } from "./outcome-unknown.ts";
import { guardedSend, type Sending } from "./sending.ts";
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

  /** The header that goes with the answer, also when it is given again. */
  async function judged(sending: Sending): Promise<Record<string, string>> {
    const warnings = await guards.check(guardedSend(sending));
    return warnings.length > 0 ? { [WARNING_HEADER]: warnings.join(", ") } : {};
  }

  async function send(sending: Sending): Promise<WholeAnswer> {
    const { messageId, read, identified } = sending;
    const { operation, number } = identified;
    if (read.isStatus) {
      return forward(number, forwarded(sending, undefined));
    }
    let warning: Record<string, string> | undefined;
    if (operation.kind === "message") {
      if (number.guards !== undefined) {
        warning = await judged(sending);
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
        body: answer.body.toString("latin1"),
        answeredAtMs: Date.now(),
      });
      return warning === undefined
        ? answer
        : { ...answer, headers: { ...answer.headers, ...warning } };
    } catch (error) {
      messageLog.end(messageId, { kind: isOutcomeUnknown(error) ? "unknown" : "not_sent" });
      throw error;
    }
  }

  return async (call, identified) => {
    const body = await readBody(call.req, { bytesMax: JSON_BYTES_MAX });
    const encoding = call.req.headers["content-encoding"];
    const read = readMessage(decodedBody(body, encoding, { bytesMax: JSON_BYTES_MAX }));
    const sending = { call, identified, body, read, messageId: newId("msg") };
    if (isDryRun(identified)) {
      await answerDryRun(sending);
      return;
    }
    if (!read.isStatus) {
      call.record.messageId = sending.messageId;
      call.headers[MESSAGE_ID_HEADER] = sending.messageId;
    }
    writeAnswer(call, await keyedSends(sending, () => send(sending)));
  };
}

/** @throws {ApiError} `invalid_parameter`, because what was meant as a trial must reach nobody */
function isDryRun({ parsed, operation }: IdentifiedCall): boolean {
  const [value, ...others] =
    parsed.search === "" ? [] : new URLSearchParams(parsed.search).getAll("dry_run");
  if (value === undefined || (value === "false" && others.length === 0)) {
    return false;
  }
  if (value === "true" && others.length === 0 && operation.kind === "message") {
    return true;
  }
  const wanted = operation.kind === "message" ? "is true or false" : "is for messages only";
  throw new ApiError("invalid_parameter", `dry_run ${wanted}; nothing was sent.`);
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
    body: body.toString("latin1"),
    sentAtMs: Date.now(),
  };
}
