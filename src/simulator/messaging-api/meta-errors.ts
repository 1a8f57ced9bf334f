import type { MetaError } from "./proxied-answer.ts";

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
