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
import { regionsAt } from "./regions.ts";
import { registerRegion } from "./register.ts";

/** Where Meta stores a number's data: asked for, and confirmed with a PIN or by hand. */
export function localStorageRoutes(options: {
  db: Database;
  sealer: Sealer;
  messaging: Messaging;
  origins: Origins;
  /** STORAGE_REGION: where our own store is. */
  storageRegion: string | undefined;
}): Route[] {
  const { db, sealer, messaging, origins, storageRegion } = options;
  const path = "/partner/v1/numbers/{number_id}/local-storage";
  const numberOf = ({ params }: PartnerCall): Promise<PhoneNumberRow> =>
    getNumberAsPartner(db, params["number_id"] ?? "");

  const isElsewhere = (region: string | null): boolean =>
    region !== null && storageRegion !== undefined && region !== storageRegion;

  function answer(row: PhoneNumberRow): Reply {
    const body: Schemas["LocalStorage"] = {
      region: row.local_storage_region,
      state: row.local_storage_state,
      pin_attempts: row.local_storage_pin_attempts,
      changed_at: row.local_storage_changed_at?.toISOString() ?? null,
      storage_region: storageRegion ?? null,
      warnings: isElsewhere(row.local_storage_region) ? ["storage_region_differs"] : [],
    };
    return { status: 200, body };
  }

  /** Asks 360dialog, where an operator has not done it there by hand. */
  async function confirm(number: PhoneNumberRow, region: string, pin: Secret): Promise<Reply> {
    const origin = origins.resolve(number.base_url);
    if (number.api_key_sealed === null || origin === undefined) {
      throw new ApiError("api_key_required", "The number has no API key yet; give it one first.");
    }
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
        const { region, storage_region_check: check } = call.body as Schemas["LocalStorageSet"];
        const number = await numberOf(call);
        const offered = regionsAt(new Date());
        if (!offered.includes(region)) {
          const detail = `360dialog stores data in: ${offered.join(", ")}.`;
          throw new InvalidRequest([{ code: "region_not_offered", pointer: "/region", detail }]);
        }
        if (check === "enforce" && isElsewhere(region)) {
          const detail = `This gateway's own store is in ${storageRegion} (STORAGE_REGION).`;
          throw new InvalidRequest([
            { code: "storage_region_differs", pointer: "/region", detail },
          ]);
        }
        return answer(await requestRegion(db, number, region));
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
