/** Meta's nearest codes, for clients that read `error.code` (Cloud API error reference). */
const META = {
  unknown: 1,
  badParameter: 100,
  permission: 10,
  badToken: 190,
  throughput: 130429,
  serviceUnavailable: 131016,
  windowClosed: 131047,
  registrations: 133016,
  userStoppedMarketing: 131050,
  countryRestricted: 130497,
  templateNotApproved: 132001,
} as const;

/**
 * Every code we answer with: the stable word, its HTTP status, a title for people, and Meta's
 * nearest code for the WhatsApp routes. `openapi.yaml` lists the same words; a test compares.
 */
export const ERROR_CODES = {
  invalid_json: { status: 400, title: "The body is not JSON", meta: META.badParameter },
  invalid_parameter: { status: 400, title: "A parameter is wrong", meta: META.badParameter },
  phone_number_required: { status: 400, title: "Say which number", meta: META.badParameter },
  phone_number_conflict: { status: 400, title: "Two numbers were named", meta: META.badParameter },
  multiple_credentials: { status: 400, title: "Two credentials were given", meta: META.badToken },
  token_missing: { status: 401, title: "A token is needed", meta: META.badToken },
  token_invalid: { status: 401, title: "The token is not valid", meta: META.badToken },
  insufficient_scope: { status: 403, title: "The token lacks a scope", meta: META.permission },
  tenant_suspended: { status: 403, title: "The tenant is suspended", meta: META.permission },
  wrong_audience: { status: 403, title: "Not for this kind of token", meta: META.permission },
  not_found: { status: 404, title: "Not found", meta: META.badParameter },
  unknown_operation: { status: 404, title: "No such operation", meta: META.badParameter },
  method_not_allowed: { status: 405, title: "Not with this method", meta: META.badParameter },
  number_taken: { status: 409, title: "The number is taken", meta: META.badParameter },
  channel_taken: { status: 409, title: "The channel is taken", meta: META.badParameter },
  external_id_taken: { status: 409, title: "The external id is taken", meta: META.badParameter },
  rotation_in_progress: {
    status: 409,
    title: "A rotation is under way",
    meta: META.badParameter,
  },
  difference_gone: { status: 409, title: "It is not so any more", meta: META.badParameter },
  idempotency_in_progress: {
    status: 409,
    title: "The first is under way",
    meta: META.badParameter,
  },
  etag_mismatch: { status: 412, title: "It has been changed", meta: META.badParameter },
  too_large: { status: 413, title: "The body is too large", meta: META.badParameter },
  unsupported_media_type: { status: 415, title: "Wrong content type", meta: META.badParameter },
  invalid_request: { status: 422, title: "The request is not valid", meta: META.badParameter },
  window_closed: {
    status: 422,
    title: "The customer service window is shut",
    meta: META.windowClosed,
  },
  // Meta has no code for it. The nearest says that the user does not agree, which likewise ends only
  // by a new opt-in; 131047 would make clients send a template, and that needs the opt-in too.
  opt_in_missing: {
    status: 422,
    title: "No opt-in is recorded",
    meta: META.userStoppedMarketing,
  },
  opted_out: {
    status: 422,
    title: "The user has stopped marketing messages",
    meta: META.userStoppedMarketing,
  },
  destination_restricted: {
    status: 422,
    title: "Not to this country",
    meta: META.countryRestricted,
  },
  template_unavailable: {
    status: 422,
    title: "The template cannot be sent",
    meta: META.templateNotApproved,
  },
  idempotency_key_reused: {
    status: 422,
    title: "The key was used before",
    meta: META.badParameter,
  },
  api_key_required: { status: 422, title: "An API key is needed", meta: META.badParameter },
  key_number_mismatch: { status: 422, title: "Another number's key", meta: META.badParameter },
  public_url_invalid: { status: 422, title: "PUBLIC_URL cannot be used", meta: META.badParameter },
  rate_limited: { status: 429, title: "Too many requests", meta: META.throughput },
  registration_limit: {
    status: 429,
    title: "Too many registrations",
    meta: META.registrations,
  },
  internal_error: { status: 500, title: "Something went wrong here", meta: META.unknown },
  upstream_unreachable: {
    status: 502,
    title: "360dialog cannot be reached",
    meta: META.serviceUnavailable,
  },
  api_key_rejected: { status: 502, title: "360dialog refused the key", meta: META.unknown },
  key_rotating: { status: 503, title: "The key is being changed", meta: META.serviceUnavailable },
  overloaded: { status: 503, title: "Too busy, try again", meta: META.serviceUnavailable },
  outcome_unknown: { status: 504, title: "It may have been sent", meta: META.unknown },
  upstream_timeout: {
    status: 504,
    title: "360dialog did not answer in time",
    meta: META.serviceUnavailable,
  },
} as const;

export type ErrorCode = keyof typeof ERROR_CODES;

/** One broken rule of a request; `pointer` is a JSON pointer (RFC 6901) into what was sent. */
export type FieldError = { code: string; pointer: string; detail: string };

type ApiErrorOptions = {
  errors?: FieldError[];
  headers?: Record<string, string>;
  /** Meta's code, where a nearer one than that of `ERROR_CODES` is known. */
  meta?: number;
  cause?: unknown;
  /** Members added to the problem document, such as `message_id`. */
  members?: Record<string, unknown>;
};

/** A failure that the caller may know about; rendered once, in `http/problem.ts`. */
export class ApiError extends Error {
  override readonly name: string = "ApiError";
  readonly code: ErrorCode;
  readonly status: number;
  readonly errors: FieldError[] | undefined;
  readonly headers: Record<string, string>;
  readonly meta: number;
  readonly members: Record<string, unknown>;

  constructor(code: ErrorCode, detail: string, options: ApiErrorOptions = {}) {
    super(detail, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.status = ERROR_CODES[code].status;
    this.errors = options.errors;
    this.headers = options.headers ?? {};
    this.meta = options.meta ?? ERROR_CODES[code].meta;
    this.members = options.members ?? {};
  }
}

/**
 * What is missing and what belongs to somebody else are answered by this one error, word for word:
 * a caller must not learn from the answer which of the two it was.
 */
export class NotFound extends ApiError {
  override readonly name = "NotFound";

  constructor() {
    super("not_found", "There is nothing here for this caller.");
  }
}

/** Bad input: names each broken rule and what is wanted instead. */
export class InvalidRequest extends ApiError {
  override readonly name = "InvalidRequest";

  constructor(errors: FieldError[]) {
    super("invalid_request", errors.map((error) => error.detail).join(" "), { errors });
  }
}
