import { randomInt } from "node:crypto";
import type { Answer } from "../../http/answer.ts";
import { newTraceId, randomHex } from "../../ids.ts";
import type { Operation, OperationCall } from "../operation.ts";
import { type MetaError, MetaRefusal } from "./meta-errors.ts";

function businessUsage(wabaId: string): string {
  const usage = {
    type: "whatsapp",
    call_count: 1,
    total_cputime: 1,
    total_time: 1,
    estimated_time_to_regain_access: 0,
  };
  return JSON.stringify({ [wabaId]: [usage] });
}

function metaHeaders(wabaId: string, traceId: string): Record<string, string> {
  return {
    "content-type": "application/json; charset=UTF-8",
    "facebook-api-version": "v19.0",
    "x-business-use-case-usage": businessUsage(wabaId),
    "x-fb-trace-id": traceId,
    "x-fb-request-id": newTraceId(),
    "x-fb-rev": "1019531337",
    "x-fb-debug": Buffer.from(randomHex(32) + randomHex(32)).toString("base64"),
    "x-fb-connection-quality": "EXCELLENT; q=0.9, rtt=12, rtx=0, c=10, mss=1380, tbw=3405",
    "cache-control": "private, no-cache, no-store, must-revalidate",
    pragma: "no-cache",
    expires: "Sat, 01 Jan 2000 00:00:00 GMT",
    "access-control-allow-origin": "*",
    vary: "Origin,Accept-Encoding",
    "strict-transport-security": "max-age=15724800; includeSubDomains",
    server: "Google Frontend",
    via: "1.1 google",
    "x-cloud-trace-context": `${randomHex(32)}/${randomInt(1, 2 ** 47)}`,
  };
}

/** Meta escapes slashes, so a receiver that cuts strings instead of parsing shows itself here. */
function metaJson(body: unknown): Buffer {
  return Buffer.from(JSON.stringify(body).replaceAll("/", String.raw`\/`));
}

/** Meta's good answer, as 360dialog passes it on. */
function proxiedSuccess(body: unknown, wabaId: string): Answer {
  return { status: 200, headers: metaHeaders(wabaId, newTraceId()), body: metaJson(body) };
}

/** Bytes from where Meta keeps media. */
export function proxiedBytes(body: Buffer, contentType: string, wabaId: string): Answer {
  const headers = { ...metaHeaders(wabaId, newTraceId()), "content-type": contentType };
  return { status: 200, headers, body };
}

function errorEnvelope(error: MetaError, traceId: string) {
  return {
    error: {
      // Errors about a node of the graph have another type, and no code in their text.
      message: error.type === undefined ? `(#${error.code}) ${error.message}` : error.message,
      type: error.type ?? "OAuthException",
      code: error.code,
      ...(error.subcode === undefined ? {} : { error_subcode: error.subcode }),
      ...(error.details === undefined
        ? {}
        : { error_data: { messaging_product: "whatsapp", details: error.details } }),
      fbtrace_id: traceId,
    },
  };
}

/** Meta's error envelope, as 360dialog passes it on; `wrap` puts it into something else. */
export function proxiedError(
  error: MetaError,
  wabaId: string,
  wrap: (envelope: object) => object = (envelope) => envelope,
): Answer {
  const traceId = newTraceId();
  return {
    status: error.status,
    headers: metaHeaders(wabaId, traceId),
    body: metaJson(wrap(errorEnvelope(error, traceId))),
  };
}

/** An operation of Meta's: what `handle` gives is the body, and a refusal it throws the error. */
export function proxied(
  handle: (call: OperationCall) => unknown,
  wrapError?: (envelope: object) => object,
): Operation {
  return async (call) => {
    const { wabaId } = call.phoneNumber;
    try {
      return proxiedSuccess(await handle(call), wabaId);
    } catch (error) {
      if (error instanceof MetaRefusal) {
        return proxiedError(error.metaError, wabaId, wrapError);
      }
      throw error;
    }
  };
}
