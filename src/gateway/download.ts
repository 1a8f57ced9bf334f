import { Writable } from "node:stream";
import type { Upstream } from "../dialog360/exchange.ts";
import type { Origins } from "../dialog360/origins.ts";
import { ApiError, NotFound } from "../errors.ts";
import type { WhatsAppCall } from "../http/whatsapp-calls.ts";
import type { Directory, DirectoryNumber } from "../tenancy/directory.ts";
import type { CallWithKey } from "./call-with-key.ts";
import { type ForwardedCall, throwUnanswered, upstreamCall } from "./forward.ts";
import { pickAnswerHeaders, upstreamRequestHeaders } from "./headers.ts";
import { ATTACHMENT_PATH, attachmentSearch, type MediaUrls } from "./media-url.ts";
import type { ParsedPath } from "./parse-path.ts";
import type { AnswerCall } from "./plain-call.ts";
import type { Transfer } from "./transfers.ts";

export type Downloads = {
  /** Whether it is a media URL with a signature of ours, a good one or not. */
  isSigned(call: WhatsAppCall, parsed: ParsedPath): boolean;
  answerSigned(call: WhatsAppCall, parsed: ParsedPath): Promise<void>;
  /** The same path with a credential, as at 360dialog. */
  answer: AnswerCall;
};

/** A file that a stranger sent must be kept, not opened, and by nobody between us and the caller. */
const FILE_HEADERS = {
  "content-disposition": "attachment",
  "x-content-type-options": "nosniff",
  "content-security-policy": "sandbox; default-src 'none'",
  "cache-control": "private, no-store",
};

/** Media files, passed on as they come. Only the attachment path of the number's origin is fetched. */
export function createDownloads(options: {
  upstream: Pick<Upstream, "stream">;
  origins: Origins;
  callWithKey: CallWithKey;
  directory: Pick<Directory, "findTenant">;
  mediaUrls: MediaUrls;
  transfer: Transfer;
}): Downloads {
  const { upstream, origins, callWithKey, directory, mediaUrls, transfer } = options;

  /** `undefined` when 360dialog refuses the key, of which the caller has seen nothing. */
  async function streamOnce(
    call: WhatsAppCall,
    number: DirectoryNumber,
    forwarded: ForwardedCall,
  ): Promise<true | undefined> {
    const { res, headers: headersOfOurs } = call;
    let refused = false;
    const exchange = await upstream.stream(upstreamCall(number, forwarded, origins), {
      head({ status, headers }) {
        if (status === 401) {
          refused = true;
          return nowhere();
        }
        const picked = pickAnswerHeaders(headers, { asItComes: true });
        res.writeHead(status, { ...headersOfOurs, ...picked, ...(status < 300 && FILE_HEADERS) });
        return res;
      },
    });
    switch (exchange.kind) {
      case "streamed":
        return refused ? undefined : true;
      case "broken_off":
        throw new ApiError("upstream_unreachable", "360dialog broke the connection.", exchange);
      case "not_sent":
      case "unanswered":
        return throwUnanswered(exchange, undefined);
      default:
        return exchange satisfies never;
    }
  }

  async function download(
    call: WhatsAppCall,
    number: DirectoryNumber,
    query: URLSearchParams,
  ): Promise<void> {
    const forwarded: ForwardedCall = {
      method: "GET",
      path: ATTACHMENT_PATH + attachmentSearch(query),
      headers: upstreamRequestHeaders(call.req.headers, call.record.requestId),
      body: null,
      messageId: undefined,
    };
    const attempt = (now: DirectoryNumber) => streamOnce(call, now, forwarded);
    await transfer(number.tenantId, () => callWithKey(number, attempt, { repeatable: true }));
  }

  return {
    isSigned: ({ req }, { segments, search }) =>
      req.method === "GET" &&
      search !== "" &&
      `/${segments.join("/")}/` === ATTACHMENT_PATH &&
      new URLSearchParams(search).has("sig"),

    async answerSigned(call, parsed) {
      const query = new URLSearchParams(parsed.search);
      call.record.operation = "downloadMedia";
      const owner = mediaUrls.verify(query);
      const tenant = owner && (await directory.findTenant(owner.tenantId));
      const number = tenant?.numbers.find(({ id }) => id === owner?.numberId);
      if (number === undefined) {
        throw new NotFound();
      }
      if (tenant?.state === "suspended") {
        throw new ApiError("tenant_suspended", "The partner has suspended this tenant.");
      }
      call.record.phoneNumberId = number.phoneNumberId;
      await download(call, number, query);
    },

    answer: (call, { number, parsed }) =>
      download(call, number, new URLSearchParams(parsed.search)),
  };
}

function nowhere(): Writable {
  return new Writable({ write: (_chunk, _encoding, done) => done() });
}
