import { ApiError } from "../errors.ts";
import { readBody } from "../http/body.ts";
import { newId } from "../ids.ts";
import type { WhatsAppCall } from "../http/whatsapp-calls.ts";
import type { MessageLog } from "../records/message-log.ts";
import { type Soon, whenThere } from "../soon.ts";
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

  /** Guards, then limits. @throws what either refuses with, as its promise does */
  function admit(sending: Sending): Soon<Warning> {
    const { operation, number } = sending.identified;
    if (operation.kind !== "message") {
      return undefined;
    }
    return number.guards === undefined
      ? takeSlot(sending, undefined)
      : judged(sending).then((warning) => takeSlot(sending, warning));
  }

  async function judged(sending: Sending): Promise<Warning> {
    const warnings = await guards.check(guardedSend(sending));
    return warnings.length > 0 ? { [WARNING_HEADER]: warnings.join(", ") } : undefined;
  }

  function takeSlot({ identified, read }: Sending, warning: Warning): Soon<Warning> {
    return whenThere(throttle.takeSend(identified.number, read.user), (refusal) => {
      if (refusal !== undefined) {
        throw refusedBy(refusal);
      }
      return warning;
    });
  }

  function noteAnswer({ messageId, read, identified }: Sending, answer: WholeAnswer): void {
    if (identified.operation.kind === "message") {
      throttle.learn(identified.number, { ...answer, limit: "number", user: read.user });
    }
    messageLog.end(messageId, {
      kind: "answered",
      status: answer.status,
      contentType: answer.headers["content-type"],
      body: answer.body,
      answeredAtMs: Date.now(),
    });
  }

  async function send(sending: Sending): Promise<WholeAnswer> {
    const { messageId, read, identified } = sending;
    if (read.isStatus) {
      return forward(identified.number, forwarded(sending, undefined));
    }
    const admitted = admit(sending);
    const warning = admitted instanceof Promise ? await admitted : admitted;
    messageLog.begin(logEntry(sending));
    try {
      const answer = await forward(identified.number, forwarded(sending, messageId));
      noteAnswer(sending, answer);
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
    const sending = sendingOf(call, identified, body);
    if (isDryRun(identified)) {
      return answerDryRun(sending);
    }
    if (!sending.read.isStatus) {
      call.record.messageId = sending.messageId;
      call.headers[MESSAGE_ID_HEADER] = sending.messageId;
    }
    writeAnswer(call, await keyedSends(sending, send));
  };
}

/** The header that goes with the answer, also when it is given again. */
type Warning = Record<string, string> | undefined;

function sendingOf(call: WhatsAppCall, identified: IdentifiedCall, body: Buffer): Sending {
  const encoding = call.req.headers["content-encoding"];
  const read = readMessage(decodedBody(body, encoding, { bytesMax: JSON_BYTES_MAX }));
  return { call, identified, body, read, messageId: newId("msg") };
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
    body,
    sentAtMs: Date.now(),
  };
}
