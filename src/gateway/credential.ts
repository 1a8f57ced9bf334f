import type { IncomingMessage } from "node:http";
import { bearerToken, multipleCredentials, onlyValue } from "../tenancy/authenticate.ts";

/**
 * The caller's token, from wherever its client puts one: `Authorization: Bearer`, 360dialog's
 * `D360-API-KEY`, and on a GET Meta's `?access_token=`. The same token in two places is one.
 * @throws {ApiError} `multiple_credentials`
 */
export function credentialOf(
  req: Pick<IncomingMessage, "method" | "rawHeaders">,
  queryToken: string | undefined,
): string | undefined {
  const inHeader = theSame(bearerToken(req), onlyValue(req, "d360-api-key"));
  return theSame(inHeader, req.method === "GET" ? queryToken : undefined);
}

function theSame(one: string | undefined, other: string | undefined): string | undefined {
  if (one === undefined || one === "" || one === other) {
    return other === "" ? undefined : other;
  }
  if (other === undefined || other === "") {
    return one;
  }
  throw multipleCredentials();
}
