import { isObject, type JsonObject } from "../json.ts";
import { OWN_ERROR_FORMS } from "../messaging-api/answers/own-answer.ts";
import { LIMIT_STATUSES, type Limits } from "../messaging-api/limits/limits.ts";
import {
  allowOnly,
  InvalidInput,
  optionalOneOf,
  present,
  requiredInteger,
  requiredText,
} from "./input.ts";

/** One limit, read by `parse` where it is given. */
function part<Limit>(
  fields: JsonObject,
  name: string,
  parse: (limit: JsonObject) => Limit,
): Limit | undefined {
  const limit = fields[name];
  if (limit !== undefined && !isObject(limit)) {
    throw new InvalidInput(`${name} must be an object`);
  }
  return limit === undefined ? undefined : parse(limit);
}

const perSecondIn = (limit: JsonObject) => requiredInteger(limit, "per_second", 0);
const statusIn = (limit: JsonObject) => optionalOneOf(limit, "status", LIMIT_STATUSES) ?? 429;
const formIn = (limit: JsonObject) => optionalOneOf(limit, "form", OWN_ERROR_FORMS) ?? "A";

/** Limits as they are written over HTTP. */
export function parseLimits(fields: JsonObject): Limits {
  allowOnly(fields, ["throughput", "pair", "endpoint", "uploads"]);
  return present({
    throughput: part(fields, "throughput", (limit) => {
      allowOnly(limit, ["per_second", "status"]);
      return { perSecond: perSecondIn(limit), status: statusIn(limit) };
    }),
    pair: part(fields, "pair", (limit) => {
      allowOnly(limit, ["every_ms", "burst", "status"]);
      const everyMs = requiredInteger(limit, "every_ms", 1);
      return { everyMs, burst: requiredInteger(limit, "burst", 1), status: statusIn(limit) };
    }),
    endpoint: part(fields, "endpoint", (limit) => {
      allowOnly(limit, ["per_second", "path", "form"]);
      const path = requiredText(limit, "path");
      return { perSecond: perSecondIn(limit), path, form: formIn(limit) };
    }),
    uploads: part(fields, "uploads", (limit) => {
      allowOnly(limit, ["per_second", "form"]);
      return { perSecond: perSecondIn(limit), form: formIn(limit) };
    }),
  });
}
