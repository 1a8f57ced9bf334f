import { isObject } from "../../dialog360/notification.ts";

/** What an answer of upstream's says about a limit. */
export type UpstreamSignal = { kind: "throughput" | "pair"; retryAfterMs: number };

export type UpstreamAnswer = {
  status: number;
  /** With names in small letters; only `retry-after` is looked at. */
  headers: Readonly<Record<string, string>>;
  body: Buffer;
};

/** Meta's codes for a number's throughput, and for too many messages to one user. */
export const META_LIMITS: ReadonlyMap<number, UpstreamSignal["kind"]> = new Map([
  [130429, "throughput"],
  [131056, "pair"],
]);

const ERROR_BYTES_MAX = 16 * 1024;
const RETRY_AFTER_MAX_MS = 3_600_000;

/** 360dialog's own limit comes as a 400; its text is the only mark of it, now and on older pages. */
const ENDPOINT_LIMIT =
  /exceeded the (?:endpoint rate limit|limit of \d+ requests? every (\S+) sec)/i;

/** Finds the limit that an answer complains of, in all of the forms that 360dialog's errors have. */
export function findUpstreamSignal(
  answer: UpstreamAnswer,
  dateMs: number,
): UpstreamSignal | undefined {
  const { status, body } = answer;
  if (status < 400) {
    return undefined;
  }
  const text = body.toString("utf8", 0, ERROR_BYTES_MAX);
  const retryAfterMs = parseRetryAfter(answer.headers["retry-after"], dateMs);
  const byCode = metaKind(parseJson(text));
  if (byCode !== undefined) {
    return { kind: byCode, retryAfterMs };
  }
  const ownLimit = status === 400 ? ENDPOINT_LIMIT.exec(text) : null;
  if (ownLimit !== null) {
    const every = parseRetryAfter(ownLimit[1], dateMs);
    return { kind: "throughput", retryAfterMs: retryAfterMs || every };
  }
  return status === 429 ? { kind: "throughput", retryAfterMs } : undefined;
}

/** Meta's error may be the body's `error`, wrapped once more in `detail`, or one of `errors`. */
function metaKind(body: unknown): UpstreamSignal["kind"] | undefined {
  if (!isObject(body)) {
    return undefined;
  }
  const { error, detail, errors } = body;
  const inDetail = isObject(detail) ? (detail["error"] ?? detail) : undefined;
  for (const candidate of [error, inDetail, ...(Array.isArray(errors) ? errors : [])]) {
    const kind = isObject(candidate) ? kindOf(candidate) : undefined;
    if (kind !== undefined) {
      return kind;
    }
  }
  return undefined;
}

/** By the code; where there is a coarser one in its place, by the code in the texts. */
function kindOf(error: Record<string, unknown>): UpstreamSignal["kind"] | undefined {
  const data = error["error_data"];
  const texts = [error["message"], ...(isObject(data) ? [data["details"]] : [data])];
  const written = texts.map((text) =>
    typeof text === "string" ? /\(#(\d+)\)/.exec(text)?.[1] : undefined,
  );
  for (const code of [error["code"], isObject(data) ? data["code"] : undefined, ...written]) {
    const kind = META_LIMITS.get(Number(code));
    if (kind !== undefined) {
      return kind;
    }
  }
  return undefined;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Seconds or a date; what is neither is no wait. */
function parseRetryAfter(text: string | undefined, dateMs: number): number {
  if (text === undefined) {
    return 0;
  }
  const ms = /^\d+$/.test(text.trim()) ? Number(text) * 1000 : Date.parse(text) - dateMs;
  return Number.isNaN(ms) ? 0 : Math.min(RETRY_AFTER_MAX_MS, Math.max(0, ms));
}
