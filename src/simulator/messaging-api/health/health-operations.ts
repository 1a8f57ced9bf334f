import { ownSuccess } from "../answers/own-answer.ts";
import type { OperationRow } from "../operation.ts";
import { getHealthStatus } from "./get-health-status.ts";

/** How a number is, in the newer and in the older way. */
export function healthOperations(): OperationRow[] {
  return [
    ["GET", "/health_status", getHealthStatus],
    ["GET", "/v1/health", () => ownSuccess({ health: { gateway_status: "connected" } })],
    [
      "GET",
      "/v1/configs/phone_number",
      ({ phoneNumber: { displayPhoneNumber } }) =>
        ownSuccess({ phone_number: displayPhoneNumber.replaceAll(/\D/g, "") }),
    ],
  ];
}
