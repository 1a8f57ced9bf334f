import type { Access, Messaging } from "../../dialog360/messaging.ts";
import { ApiError, InvalidRequest } from "../../errors.ts";
import type { Secret } from "../../secret.ts";
import type { Database } from "../../store/database.ts";
import { readStandings } from "../registrations/read-registrations.ts";
import { isRegistrationBlock } from "../registrations/registration-block.ts";
import { RegistrationLimit } from "../registrations/registration-limit.ts";
import { blockRegistrations, takeRegistrationSlot } from "../registrations/take-slot.ts";

/** Meta's codes for a PIN that is missing, wrong, or was guessed too often or too fast. */
const PIN_REFUSED: ReadonlySet<number> = new Set([133005, 133006, 133008, 133009, 133010]);

/**
 * Registers a number with its region and PIN, after taking a slot for it.
 * @returns whether the PIN was taken
 * @throws {RegistrationLimit} 429, also when it is 360dialog that says so: then all is blocked for 72 hours
 */
export async function registerRegion(
  { db, messaging }: { db: Database; messaging: Messaging },
  options: { phoneNumberId: string; access: Access; region: string; pin: Secret },
): Promise<boolean> {
  const { phoneNumberId, access, region, pin } = options;
  await takeRegistrationSlot(db, phoneNumberId, { kind: "local_storage", note: null });
  const call = await messaging.register(access, { region, pin });
  switch (call.kind) {
    case "ok":
      return true;
    case "key_rejected": {
      const detail = "360dialog does not take the number's API key.";
      throw new InvalidRequest([{ code: "api_key_rejected", pointer: "", detail }]);
    }
    case "refused":
      if (isRegistrationBlock(call)) {
        await blockRegistrations(db, phoneNumberId);
        const standing = (await readStandings(db, [phoneNumberId]))(phoneNumberId);
        throw new RegistrationLimit(standing, new Date());
      }
      if (call.code !== undefined && PIN_REFUSED.has(call.code)) {
        return false;
      }
      throw new ApiError(
        call.status >= 500 ? "upstream_unreachable" : "invalid_request",
        `360dialog answered ${call.status}: ${call.detail}.`,
      );
    case "unreachable":
      throw new ApiError("upstream_unreachable", "360dialog could not be reached.", {
        cause: call.cause,
      });
    default:
      return call satisfies never;
  }
}
