import type { Messaging } from "../../dialog360/messaging.ts";
import type { Origins } from "../../dialog360/origins.ts";
import { ApiError, InvalidRequest } from "../../errors.ts";
import type { Schemas } from "../../http/contract-types.ts";
import { type PartnerCall, partnerRoute, type Reply, type Route } from "../../http/route.ts";
import { Secret } from "../../secret.ts";
import type { Database } from "../../store/database.ts";
import { apiKeySealContext, type PhoneNumberRow } from "../../tenancy/phone-numbers.ts";
import type { Sealer } from "../../tenancy/sealing.ts";
import { getNumberAsPartner } from "../numbers.ts";
import { RegistrationLimit } from "../registrations/registration-limit.ts";
import { takeRegistrationSlot } from "../registrations/take-slot.ts";
import { noteConfirmation, requestRegion } from "./local-storage.ts";
import type { RegionJudge } from "./region-judge.ts";
import { registerRegion } from "./register.ts";

/** Where Meta stores a number's data: asked for, and confirmed with a PIN or by hand. */
export function localStorageRoutes(options: {
  db: Database;
  sealer: Sealer;
  messaging: Messaging;
  origins: Origins;
  regions: RegionJudge;
}): Route[] {
  const { db, sealer, messaging, origins, regions } = options;
  const path = "/partner/v1/numbers/{number_id}/local-storage";
  const numberOf = ({ params }: PartnerCall): Promise<PhoneNumberRow> =>
    getNumberAsPartner(db, params["number_id"] ?? "");

  async function answer(row: PhoneNumberRow): Promise<Reply> {
    const warningsOf = await regions.warningsOf([row]);
    const body: Schemas["LocalStorage"] = {
      region: row.local_storage_region,
      state: row.local_storage_state,
      pin_attempts: row.local_storage_pin_attempts,
      changed_at: row.local_storage_changed_at?.toISOString() ?? null,
      storage_region: regions.storageRegion ?? null,
      warnings: warningsOf(row).map(({ code }) => code),
    };
    return { status: 200, body };
  }

  /** Asks 360dialog, where an operator has not done it there by hand. */
  async function confirm(number: PhoneNumberRow, region: string, pin: Secret): Promise<Reply> {
    const origin = origins.resolve(number.base_url);
    if (number.api_key_sealed === null || origin === undefined) {
      throw new ApiError("api_key_required", "The number has no API key yet; give it one first.");
    }
    // It may have been asked for while it was allowed; and now 360dialog is told.
    await regions.judge({ ...number, local_storage_region: null }, region, "");
    const apiKey = sealer.open(number.api_key_sealed, apiKeySealContext(number));
    const { phone_number_id: phoneNumberId } = number;
    const wish = { phoneNumberId, access: { origin, apiKey }, region, pin };
    const taken = await registerRegion({ db, messaging }, wish);
    const state = taken ? "confirmed" : "pin_required";
    const row = await noteConfirmation(db, number, { state, pinTried: true });
    if (!taken) {
      const detail = `360dialog does not take this PIN; ${row.local_storage_pin_attempts} tried.`;
      throw new InvalidRequest([{ code: "pin_rejected", pointer: "/pin", detail }]);
    }
    return answer(row);
  }

  return [
    partnerRoute(
      { method: "GET", path, operationId: "getLocalStorage", scope: "partner:read" },
      async (call) => answer(await numberOf(call)),
    ),
    partnerRoute(
      { method: "PUT", path, operationId: "setLocalStorage", scope: "partner:write" },
      async (call) => {
        const { region } = call.body as Schemas["LocalStorageSet"];
        const number = await numberOf(call);
        const judged = await regions.judge(number, region, "/region");
        return answer(await requestRegion(db, number, judged));
      },
    ),
    partnerRoute(
      {
        method: "POST",
        path: `${path}/confirm`,
        operationId: "confirmLocalStorage",
        scope: "partner:write",
      },
      async (call) => {
        const { pin } = call.body as Schemas["LocalStorageConfirm"];
        const number = await numberOf(call);
        const { local_storage_region: region, local_storage_state: state } = number;
        if (region === null || state === null) {
          const detail = "No region is asked for; PUT one first.";
          throw new InvalidRequest([{ code: "region_missing", pointer: "", detail }]);
        }
        if (state === "confirmed") {
          return answer(number);
        }
        if (pin === undefined) {
          // What was done in 360dialog's Hub: it took a slot there, however many were left here.
          const slot = { kind: "local_storage", note: "by hand" } as const;
          await takeRegistrationSlot(db, number.phone_number_id, slot).catch(unlessFull);
          return answer(
            await noteConfirmation(db, number, { state: "confirmed", pinTried: false }),
          );
        }
        return confirm(number, region, new Secret(pin));
      },
    ),
  ];
}

function unlessFull(error: unknown): void {
  if (!(error instanceof RegistrationLimit)) {
    throw error;
  }
}
