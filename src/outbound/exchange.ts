import type { Dispatcher } from "undici";
import { HostRefused } from "./connect.ts";
import type { GuardedDispatcher } from "./dispatcher.ts";
import { explainFailure, giveUp, type FailureReason } from "./failure.ts";
import type { Refusal } from "./resolve.ts";
import type { EndpointUrlCode } from "./url-rules.ts";

export type OutboundRequest = {
  method: "GET" | "POST";
  /** Absolute; judged by the URL rules once more before anything is sent. */
  url: string;
  headers?: Readonly<Record<string, string>>;
  body?: Uint8Array | string;
  /** For everything: waiting for a connection, look-up, TCP, TLS, sending, status line and body. Milliseconds. */
  timeoutMs: number;
  /** How much of the answer's body is read; at the first byte more the connection is closed. */
  answerBytesMax: number;
  signal?: AbortSignal;
};

/** What became of one request. Only these: network failures are never thrown. */
export type OutboundResult =
  | {
      /** There was a status line in time, a redirect like any other. Its status counts even when the body was cut. */
      kind: "answer";
      status: number;
      headers: AnswerHeaders;
      /** As sent: no content coding is undone. */
      body: Buffer;
      /** The body is not whole: longer than `answerBytesMax`, past the deadline, or broken off. */
      bodyTruncated: boolean;
      /** Only the operator's allow list admits this host: what it answered is not to be stored. */
      byAllowList: boolean;
      durationMs: number;
    }
  | {
      /** A rule forbids the URL or an address of its host; nothing was sent. */
      kind: "refused_address";
      code: EndpointUrlCode | Exclude<Refusal["code"], "url_unresolvable">;
      detail: string;
      durationMs: number;
    }
  | { kind: "failed"; reason: FailureReason; detail: string; durationMs: number };

/** Names in lower case; a header that came more than once is a list. */
export type AnswerHeaders = Readonly<Record<string, string | string[] | undefined>>;

export type Exchange = {
  dispatcher: GuardedDispatcher;
  request: OutboundRequest;
  url: URL;
  /** Asked when there is an answer: whether the connection to this host needed the allow list. */
  isByAllowList: () => boolean;
};

/** Sends one request and reads its answer, within one deadline. Never rejects. */
export function exchange({
  dispatcher,
  request,
  url,
  isByAllowList,
}: Exchange): Promise<OutboundResult> {
  const { signal, answerBytesMax } = request;
  const startedAt = performance.now();
  const { promise, resolve } = Promise.withResolvers<OutboundResult>();
  let controller: Dispatcher.DispatchController | undefined;
  let answer: { status: number; headers: AnswerHeaders } | undefined;
  let isSettled = false;
  const chunks: Buffer[] = [];
  let bodyBytes = 0;

  // One timer of our own for all phases. undici's are per phase, a body that drips never reaches them, and
  // AbortSignal.timeout costs some 35 microseconds a call.
  const timer = setTimeout(() => end(giveUp("timeout")), request.timeoutMs);
  const onAbort = () => end(giveUp("aborted"));
  signal?.addEventListener("abort", onAbort, { once: true });

  function settle(result: WithoutDuration): void {
    if (isSettled) {
      return;
    }
    isSettled = true;
    clearTimeout(timer);
    signal?.removeEventListener("abort", onAbort);
    resolve({ ...result, durationMs: Math.round(performance.now() - startedAt) });
  }

  function settleAnswer(bodyTruncated: boolean): void {
    if (answer !== undefined) {
      const body = Buffer.concat(chunks);
      settle({ kind: "answer", ...answer, body, bodyTruncated, byAllowList: isByAllowList() });
    }
  }

  /** Ends an exchange from our side: what has come counts, the rest is not waited for. */
  function end(failure: { reason: FailureReason; detail: string }): void {
    settleAnswer(true);
    settle({ kind: "failed", ...failure });
    controller?.abort(new Error(failure.detail));
  }

  if (signal?.aborted === true) {
    onAbort();
    return promise;
  }
  dispatcher.dispatch(
    {
      origin: url.origin,
      path: url.pathname + url.search,
      method: request.method,
      ...(request.headers === undefined ? {} : { headers: request.headers }),
      ...(request.body === undefined ? {} : { body: request.body }),
      headersTimeout: 0,
      bodyTimeout: 0,
    },
    {
      onRequestStart(started) {
        if (isSettled) {
          // Given up while it waited for a connection. A throw here drops the request and leaves the connection to the
          // next one; an abort would close it.
          throw new Error("given up before it was sent");
        }
        controller = started;
      },
      onResponseStart(_controller, status, headers) {
        // 1xx answers (RFC 9110, 15.2) come before the one that counts.
        if (status >= 200) {
          answer = { status, headers };
        }
      },
      onResponseData(_controller, chunk) {
        const room = answerBytesMax - bodyBytes;
        chunks.push(chunk.subarray(0, room));
        bodyBytes += chunk.length;
        if (chunk.length > room) {
          settleAnswer(true);
          controller?.abort(new Error("the body is longer than what is read"));
        }
      },
      onResponseEnd() {
        settleAnswer(false);
      },
      onResponseError(_controller, err) {
        settleAnswer(true);
        settle(
          err instanceof HostRefused && err.code !== "url_unresolvable"
            ? { kind: "refused_address", code: err.code, detail: err.message }
            : { kind: "failed", ...explainFailure(err, controller !== undefined) },
        );
      },
    },
  );
  return promise;
}

type WithoutDuration = OutboundResult extends infer Each
  ? Each extends OutboundResult
    ? Omit<Each, "durationMs">
    : never
  : never;
