import { readBody } from "../http/body.ts";
import type { WhatsAppCall, WhatsAppHandler } from "../http/whatsapp-calls.ts";
import { whenThere } from "../soon.ts";
import { writeAnswer } from "./answer.ts";
import type { Downloads } from "./download.ts";
import type { IdentifiedCall, Identify } from "./identify.ts";
import { type AnswerCall, JSON_BYTES_MAX } from "./plain-call.ts";
import { createReadTarget } from "./read-target.ts";
import type { AnswerWebhookSettings } from "./webhook-settings.ts";

/** PATH 1: every call of the WhatsApp API, from its path to its answer. */
export function createWhatsAppHandler(parts: {
  identify: Identify;
  send: AnswerCall;
  plainCall: AnswerCall;
  upload: AnswerCall;
  mediaLookup: AnswerCall;
  downloads: Downloads;
  answerWebhookSettings: AnswerWebhookSettings;
  /** Awaited before settings are answered: their caller finds them in force here. */
  afterWrite: () => Promise<void>;
}): WhatsAppHandler {
  const { identify, downloads } = parts;
  const readTarget = createReadTarget();

  const answerSettings: AnswerCall = async (call, identified) => {
    const body = await readBody(call.req, { bytesMax: JSON_BYTES_MAX });
    const answer = await parts.answerWebhookSettings({
      ...identified,
      requestId: call.record.requestId,
      body,
    });
    if (identified.operation.method !== "GET" && answer.status < 400) {
      await parts.afterWrite();
    }
    call.record.code = answer.code;
    writeAnswer(call, {
      status: answer.status,
      headers: { "content-type": "application/json; charset=utf-8" },
      body: Buffer.from(JSON.stringify(answer.body)),
    });
  };

  function answerCall(call: WhatsAppCall, identified: IdentifiedCall): Promise<void> {
    switch (identified.operation.kind) {
      case "message":
      case "send":
        return parts.send(call, identified);
      case "call":
        return parts.plainCall(call, identified);
      case "upload":
        return parts.upload(call, identified);
      case "media_lookup":
        return parts.mediaLookup(call, identified);
      case "download":
        return downloads.answer(call, identified);
      case "webhook_settings":
        return answerSettings(call, identified);
      default:
        return identified.operation.kind satisfies never;
    }
  }

  return (call) => {
    const target = readTarget(call.req.method ?? "", call.req.url ?? "/");
    // Half of the clients fetch a media URL without the credential that they asked for it with.
    if (downloads.isSigned(call, target.parsed)) {
      return downloads.answerSigned(call, target.parsed);
    }
    return whenThere(identify(call.req, target, call.record), (identified) =>
      answerCall(call, identified),
    );
  };
}
