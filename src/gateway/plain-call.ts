import { MiB, readBody } from "../http/body.ts";
import type { WhatsAppCall } from "../http/whatsapp-calls.ts";
import { writeAnswer } from "./answer.ts";
import type { Forward } from "./forward.ts";
import { upstreamRequestHeaders } from "./headers.ts";
import type { IdentifiedCall } from "./identify.ts";
import { rewritePaging } from "./paging.ts";
import { renameByContent } from "./rename.ts";

export const JSON_BYTES_MAX = MiB;

export type AnswerCall = (call: WhatsAppCall, identified: IdentifiedCall) => Promise<void>;

/** What is asked and told of a number or its WABA: JSON both ways, pages on our own origin. */
export function createPlainCall(options: { forward: Forward; publicUrl: string }): AnswerCall {
  const { forward, publicUrl } = options;
  return async (call, { operation, upstreamPath, parsed, number }) => {
    const { req, record } = call;
    const body = await readBody(req, { bytesMax: JSON_BYTES_MAX });
    const target = { path: upstreamPath, search: parsed.search };
    const { path, search } = renameByContent(operation, target, body);
    const answer = await forward(number, {
      method: operation.method,
      path: path + search,
      headers: upstreamRequestHeaders(req.headers, record.requestId),
      body: body.length > 0 ? body : null,
      messageId: undefined,
    });
    const paged = {
      publicUrl,
      path: pathOf(req.url),
      queryNumberId: parsed.queryNumberId,
      queryToken: parsed.queryToken,
    };
    writeAnswer(call, {
      ...answer,
      body: operation.method === "GET" ? rewritePaging(answer.body, paged) : answer.body,
    });
  };
}

function pathOf(url = "/"): string {
  return url.replace(/\?.*$/s, "");
}
