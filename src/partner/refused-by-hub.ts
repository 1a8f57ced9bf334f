import type { OwnCall } from "../dialog360/messaging.ts";
import type { PartnerApi } from "../dialog360/partner.ts";
import { ApiError, InvalidRequest } from "../errors.ts";

/** What a call of the Partner API gave. @throws {ApiError} `upstream_unreachable`, `invalid_request` */
export function valueOfHubCall<Value>(call: OwnCall<Value>): Value {
  switch (call.kind) {
    case "ok":
      return call.value;
    case "key_rejected":
      throw new InvalidRequest([
        {
          code: "partner_key_rejected",
          pointer: "",
          detail: "360dialog does not take D360_PARTNER_API_KEY.",
        },
      ]);
    case "refused":
      throw new ApiError(
        call.status >= 500 || call.status === 429 ? "upstream_unreachable" : "invalid_request",
        `360dialog's Partner API answered ${call.status}: ${call.detail}.`,
      );
    case "unreachable":
      throw new ApiError("upstream_unreachable", "360dialog's Partner API could not be reached.", {
        cause: call.cause,
      });
    default:
      return call satisfies never;
  }
}

/** @throws {InvalidRequest} where no account at 360dialog is set */
export function demandPartnerApi(partnerApi: PartnerApi | undefined): PartnerApi {
  if (partnerApi === undefined) {
    const detail =
      "This gateway has no account at 360dialog: set D360_PARTNER_ID and D360_PARTNER_API_KEY.";
    throw new InvalidRequest([{ code: "partner_account_missing", pointer: "", detail }]);
  }
  return partnerApi;
}
