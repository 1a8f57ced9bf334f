import { ApiError } from "../errors.ts";
import type { Secret } from "../secret.ts";
import type { DirectoryNumber } from "../tenancy/directory.ts";

/** @throws {ApiError} `tenant_suspended`, or `api_key_rejected` where there is no key to call with */
export function usableKey(number: DirectoryNumber): Secret {
  const apiKey = number.apiKey();
  switch (number.state) {
    case "suspended":
      throw new ApiError("tenant_suspended", "The partner has suspended this number.");
    case "pending":
    case "key_rejected":
      throw keyRejected();
    case "running":
      if (apiKey === undefined) {
        throw keyRejected();
      }
      return apiKey;
    default:
      return number.state satisfies never;
  }
}

export function keyRejected(): ApiError {
  return new ApiError(
    "api_key_rejected",
    "The number has no API key that 360dialog accepts; the partner has to give it a new one.",
  );
}

export function keyRotating(): ApiError {
  return new ApiError("key_rotating", "The number's key has just been changed; send it again.", {
    headers: { "retry-after": "1" },
  });
}
