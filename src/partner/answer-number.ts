import type { Reply } from "../http/route.ts";
import type { Database } from "../store/database.ts";
import type { PhoneNumberRow } from "../tenancy/phone-numbers.ts";
import { numberEtag, presentNumber } from "./present.ts";
import { readStandings } from "./registrations/read-registrations.ts";

/** One number as the partner sees it, with its version and what is left of its registrations. */
export async function answerNumber(
  db: Database,
  status: number,
  row: PhoneNumberRow,
): Promise<Reply> {
  const standingOf = await readStandings(db, [row.phone_number_id]);
  const { left: registrationsLeft } = standingOf(row.phone_number_id);
  const body = presentNumber(row, { registrationsLeft });
  return { status, headers: { etag: numberEtag(row) }, body };
}
