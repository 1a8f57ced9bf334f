import { isObject, type JsonObject, parseJson } from "../json.ts";
import { MetaRefusal, parameterInvalid } from "./answers/meta-errors.ts";
import { parseMultipart } from "./media/multipart.ts";
import type { OperationCall } from "./operation.ts";

function formFields(body: Buffer, contentType: string): JsonObject {
  const fields = parseMultipart(body, contentType).filter(({ filename }) => filename === undefined);
  return Object.fromEntries(fields.map(({ name, bytes }) => [name, bytes.toString()]));
}

/** The fields of a body, in whichever of Meta's forms it came. Throws when it cannot be read. */
export function bodyParameters({ headers, body }: OperationCall): JsonObject {
  const contentType = headers["content-type"] ?? "";
  if (body.length === 0) {
    return {};
  }
  if (/json/i.test(contentType)) {
    const json = parseJson(body);
    if (json === undefined) {
      throw new MetaRefusal(parameterInvalid("The body is not valid JSON."));
    }
    return isObject(json) ? json : {};
  }
  if (/^multipart\/form-data/i.test(contentType)) {
    return formFields(body, contentType);
  }
  // Meta takes a body of another type for form fields, and then finds none of its parameters.
  return /x-www-form-urlencoded/i.test(contentType)
    ? Object.fromEntries(new URLSearchParams(body.toString()))
    : {};
}

/** Query and body together: Meta takes a parameter from either. */
export function parameters(call: OperationCall): JsonObject {
  return { ...Object.fromEntries(call.query), ...bodyParameters(call) };
}
