import { ApiError, ERROR_CODES } from "../errors.ts";

export type RenderedProblem = {
  status: number;
  headers: Record<string, string>;
  body: string;
};

/**
 * The one place where an error becomes an answer: RFC 9457, and on the WhatsApp routes the same
 * with Meta's `error` object beside it, because clients parse by that.
 */
export function renderProblem(
  error: unknown,
  context: { requestId: string; whatsApp: boolean },
): RenderedProblem {
  const known =
    error instanceof ApiError
      ? error
      : new ApiError("internal_error", "The failure was logged under this request id.");
  const { title, status } = ERROR_CODES[known.code];
  const problem = {
    type: `urn:waba-gateway:error:${known.code}`,
    title,
    status,
    detail: known.message,
    code: known.code,
    request_id: context.requestId,
    ...(known.errors && { errors: known.errors }),
    ...known.members,
  };
  if (!context.whatsApp) {
    return {
      status,
      headers: { "content-type": "application/problem+json", ...known.headers },
      body: JSON.stringify(problem),
    };
  }
  const { meta } = known;
  const body = {
    ...problem,
    error: {
      message: `(#${meta}) ${title}`,
      type: "OAuthException",
      code: meta,
      error_data: { messaging_product: "whatsapp", details: known.message },
      fbtrace_id: context.requestId,
    },
  };
  return {
    status,
    headers: { "content-type": "application/json; charset=utf-8", ...known.headers },
    body: JSON.stringify(body),
  };
}
