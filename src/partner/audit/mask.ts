/** What is shown of a value that may be anything: that it was there. */
const MASKED = "[masked]";

/** Ids of ours, and times. */
const SHOWN_FORM = /^([a-z]{3}_[0-9a-z]{26}|\d{4}-\d\d-\d\dT[\d:.]+Z)$/;

/** Members whose values are words of the contract, or ids that 360dialog and Meta give. */
const SHOWN = new Set(
  `state kind effect country scopes event_types format ordering algorithms managed_by onboarding_stage
  quality region local_storage_region storage_region warnings customer_service_window opt_in destination
  template channel_id client_id jti phone_number_id phone_number_ids waba_id waba_ids`.split(/\s+/),
);

/** Of these only who is called: path and query may hold a secret of somebody's. */
const URLS = new Set(["url", "jwks_url", "base_url"]);

// A larger one may be somebody's phone number.
const NUMBER_SHOWN_MAX = 9_999_999;

/**
 * What the audit may keep of something: the shape, and the values that are known to be harmless.
 * It is a list of what is shown, not of what is hidden: what is new is masked until it is listed.
 */
export function maskForAudit(value: unknown, name = ""): unknown {
  if (Array.isArray(value)) {
    return value.map((item) => maskForAudit(item, name));
  }
  if (typeof value === "object" && value !== null) {
    return Object.fromEntries(
      Object.entries(value).map(([member, its]) => [
        SHOWN_MEMBER.test(member) ? member : MASKED,
        maskForAudit(its, member),
      ]),
    );
  }
  if (typeof value === "number") {
    return Math.abs(value) <= NUMBER_SHOWN_MAX ? value : MASKED;
  }
  if (typeof value !== "string") {
    return value ?? null;
  }
  if (URLS.has(name)) {
    return URL.parse(value)?.origin ?? MASKED;
  }
  return SHOWN.has(name) || SHOWN_FORM.test(value) ? value : MASKED;
}

// Names of headers are a tenant's own words; the contract's are these.
const SHOWN_MEMBER = /^[a-z][a-z0-9_]*$/;
