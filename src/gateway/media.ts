import type { MediaIds } from "../records/media-ids.ts";
import { writeAnswer } from "./answer.ts";
import type { Forward, ForwardedCall } from "./forward.ts";
import { upstreamRequestHeaders } from "./headers.ts";
import type { MediaUrls } from "./media-url.ts";
import { refuseLargeUpload, uploadBody } from "./upload-body.ts";
import type { AnswerCall } from "./plain-call.ts";
import { rewriteUrls } from "./rewrite-answer.ts";
import type { RefusedBy } from "./throttle/refusal.ts";
import type { Throttle } from "./throttle/throttle.ts";
import type { Transfer } from "./transfers.ts";

/** Uploads, passed on as they come. */
export function createUpload(options: {
  forward: Forward;
  throttle: Throttle;
  refusedBy: RefusedBy;
  mediaIds: MediaIds;
  transfer: Transfer;
}): AnswerCall {
  const { forward, throttle, refusedBy, mediaIds, transfer } = options;
  return async (call, { operation, upstreamPath, parsed, number, caller }) => {
    const { req, record } = call;
    refuseLargeUpload(req);
    const refusal = await throttle.takeUpload(number);
    if (refusal !== undefined) {
      throw refusedBy(refusal);
    }
    const length = req.headers["content-length"];
    const body = uploadBody(req);
    const forwarded: ForwardedCall = {
      method: operation.method,
      path: upstreamPath + parsed.search,
      headers: [
        ...upstreamRequestHeaders(req.headers, record.requestId),
        ...(length === undefined ? [] : ["content-length", length]),
      ],
      body,
      messageId: undefined,
    };
    const answer = await transfer(caller.tenantId, () => forward(number, forwarded))
      .catch((error: unknown) => {
        // When the body itself broke off, that is what ended the call upstream.
        throw body.errored ?? error;
      })
      // Whatever nobody has taken of it, nobody will.
      .finally(() => body.destroy());
    throttle.learn(number, { ...answer, limit: "upload", user: undefined });
    if (answer.status < 300 && operation.operationId === "uploadMedia") {
      noteMediaId(
        mediaIds,
        { tenantId: caller.tenantId, phoneNumberId: number.phoneNumberId },
        answer.body,
      );
    }
    writeAnswer(call, answer);
  };
}

/** Look-ups, whose answer holds a URL: ours, and good for its five minutes without a credential. */
export function createMediaLookup(options: {
  forward: Forward;
  throttle: Throttle;
  refusedBy: RefusedBy;
  mediaUrls: MediaUrls;
}): AnswerCall {
  const { forward, throttle, refusedBy, mediaUrls } = options;
  return async (call, { operation, upstreamPath, parsed, number }) => {
    const { req, record } = call;
    const mediaId = parsed.segments[0] ?? "";
    const refusal = throttle.takeMediaLookup(number, mediaId);
    if (refusal !== undefined) {
      throw refusedBy(refusal);
    }
    const answer = await forward(number, {
      method: operation.method,
      path: upstreamPath + parsed.search,
      headers: upstreamRequestHeaders(req.headers, record.requestId),
      body: null,
      messageId: undefined,
    });
    throttle.noteMediaLookup(number, mediaId, answer.status < 400);
    throttle.learn(number, { ...answer, limit: "media_lookup", user: undefined });
    const owner = { tenantId: number.tenantId, numberId: number.id };
    const body = rewriteUrls(answer.body, (path, text) =>
      path.length === 1 && path[0] === "url" ? mediaUrls.sign(text, owner) : undefined,
    );
    writeAnswer(call, { ...answer, body });
  };
}

function noteMediaId(
  mediaIds: MediaIds,
  { tenantId, phoneNumberId }: { tenantId: string; phoneNumberId: string },
  answer: Buffer,
): void {
  let id: unknown;
  try {
    id = (JSON.parse(answer.toString("utf8")) as { id?: unknown } | null)?.id;
  } catch {
    return;
  }
  if (typeof id === "string") {
    mediaIds.note(tenantId, phoneNumberId, id);
  }
}
