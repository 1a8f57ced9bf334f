/** What Meta refuses a call with. */
export type MetaError = {
  status: number;
  code: number;
  /** Without the `(#code)` in front. */
  message: string;
  details?: string;
  /** `OAuthException` when left out. */
  type?: string;
  subcode?: number;
};

/** Thrown where a call cannot go on. */
export class MetaRefusal extends Error {
  readonly metaError: MetaError;

  constructor(metaError: MetaError) {
    super(metaError.message);
    this.metaError = metaError;
  }
}

/** A parameter that Meta's own checks miss. */
export function parameterRequired(name: string): MetaError {
  return { status: 400, code: 100, message: `The parameter ${name} is required.` };
}

/** A parameter outside of its list of values. */
export function parameterNotOneOf(name: string, values: readonly string[], got: unknown) {
  const list = values.map((value) => value.toUpperCase()).join(", ");
  return {
    status: 400,
    code: 100,
    message: `Param ${name} must be one of {${list}} - got ${JSON.stringify(got)}.`,
  } satisfies MetaError;
}

/** A text beyond its limit. */
export function parameterTooLong(name: string, charactersMax: number): MetaError {
  return {
    status: 400,
    code: 100,
    message: `Param ${name} must be at most ${charactersMax} characters long.`,
  };
}

/** A parameter of the wrong shape. */
export function parameterInvalid(details: string): MetaError {
  return { status: 400, code: 100, message: "Invalid parameter", details };
}

/** WhatsApp's own way to say that something is not there. */
export function valueMissing(details: string): MetaError {
  return { status: 400, code: 131008, message: "Required parameter is missing", details };
}

/** WhatsApp's own way to say that something is wrong. */
export function valueNotValid(details: string): MetaError {
  return { status: 400, code: 131009, message: "Parameter value is not valid", details };
}

/** An id that does not exist, or not for this number: Meta tells the two apart nowhere. */
export function objectUnknown(method: string, id: string): MetaError {
  return {
    status: 400,
    code: 100,
    subcode: 33,
    type: "GraphMethodException",
    message: `Unsupported ${method.toLowerCase()} request. Object with ID '${id}' does not exist, cannot be loaded due to missing permissions, or does not support this operation. Please read the Graph API documentation at https://developers.facebook.com/docs/graph-api`,
  };
}
