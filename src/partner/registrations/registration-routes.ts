import type { Schemas } from "../../http/contract-types.ts";
import { CURSOR_COUNTER, parsePage, presentPage } from "../../http/paging.ts";
import { type PartnerCall, partnerRoute, type Route } from "../../http/route.ts";
import type { Database } from "../../store/database.ts";
import { getNumberAsPartner } from "../numbers.ts";
import { listRegistrationsAsPartner, readStandings } from "./read-registrations.ts";
import { WINDOW_MS } from "./registration-limit.ts";
import { type RegistrationRow, takeRegistrationSlot } from "./take-slot.ts";

/** A number's registrations at 360dialog, so that nobody makes the eleventh of 72 hours. */
export function registrationRoutes({ db }: { db: Database }): Route[] {
  const path = "/partner/v1/numbers/{number_id}/registrations";
  const numberOf = async ({ params }: PartnerCall): Promise<string> =>
    (await getNumberAsPartner(db, params["number_id"] ?? "")).phone_number_id;
  return [
    partnerRoute(
      { method: "GET", path, operationId: "listRegistrations", scope: "partner:read" },
      async (call) => {
        const page = parsePage(call.query, [CURSOR_COUNTER]);
        const phoneNumberId = await numberOf(call);
        const rows = await listRegistrationsAsPartner(db, phoneNumberId, page);
        const standing = (await readStandings(db, [phoneNumberId]))(phoneNumberId);
        const body: Schemas["RegistrationList"] = {
          ...presentPage(rows, page, (row) => [row.seq], presentRegistration),
          registrations_left: standing.left,
          next_free_at: standing.nextFreeAt.toISOString(),
          blocked_until: standing.blockedUntil?.toISOString() ?? null,
        };
        return { status: 200, body };
      },
    ),
    partnerRoute(
      { method: "POST", path, operationId: "takeRegistration", scope: "partner:write" },
      async (call) => {
        const { kind, note } = call.body as Schemas["RegistrationTake"];
        const slot = { kind, note: note ?? null };
        const row = await takeRegistrationSlot(db, await numberOf(call), slot);
        return { status: 201, body: presentRegistration(row) };
      },
    ),
  ];
}

function presentRegistration(row: RegistrationRow): Schemas["Registration"] {
  return {
    id: row.id,
    kind: row.kind,
    note: row.note,
    registered_at: row.registered_at.toISOString(),
    counts_until: new Date(row.registered_at.getTime() + WINDOW_MS).toISOString(),
  };
}
