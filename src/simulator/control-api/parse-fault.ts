import { type Fault, FAULT_KINDS } from "../http/fault.ts";
import { isObject, type JsonObject } from "../json.ts";
import {
  allowOnly,
  InvalidInput,
  optionalFlag,
  optionalInteger,
  optionalText,
  present,
} from "./input.ts";

const COMMON = ["kind", "phone_number_id", "method", "path", "times", "delay_ms", "after_handling"];

function textHeaders(value: unknown): Record<string, string> {
  if (value === undefined) {
    return {};
  }
  if (!isObject(value)) {
    throw new InvalidInput("headers must be an object");
  }
  return Object.fromEntries(Object.entries(value).map(([name, text]) => [name, String(text)]));
}

function parseStatus(fields: JsonObject): number {
  const status = optionalInteger(fields, "status", 200);
  if (status === undefined || status > 599) {
    throw new InvalidInput("status must be given, from 200 to 599");
  }
  return status;
}

/** A fault as it is written over HTTP. */
export function parseFault(fields: JsonObject): Fault {
  const kind = FAULT_KINDS.find((known) => known === fields["kind"]);
  if (kind === undefined) {
    throw new InvalidInput(`kind must be one of ${FAULT_KINDS.join(", ")}`);
  }
  allowOnly(fields, kind === "answer" ? [...COMMON, "status", "headers", "body"] : COMMON);
  const common = present({
    phoneNumberId: optionalText(fields, "phone_number_id"),
    method: optionalText(fields, "method"),
    path: optionalText(fields, "path"),
    times: optionalInteger(fields, "times", 1),
    delayMs: optionalInteger(fields, "delay_ms", 0),
    afterHandling: optionalFlag(fields, "after_handling"),
  });
  return kind === "answer"
    ? {
        ...common,
        kind,
        status: parseStatus(fields),
        headers: textHeaders(fields["headers"]),
        body: fields["body"],
      }
    : { ...common, kind };
}
