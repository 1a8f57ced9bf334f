import { type FieldError, InvalidRequest } from "../errors.ts";
import type { Database } from "../store/database.ts";
import { listPhoneNumbers } from "./phone-numbers.ts";

type NamedNumbers = { phoneNumberIds: readonly string[]; among: readonly string[] | null };

/**
 * A list of numbers may name only the tenant's own, and only those that the caller's token reaches.
 * @throws {InvalidRequest} that points at each one that is not
 */
export async function checkOwnNumbers(
  db: Database,
  tenantId: string,
  named: NamedNumbers,
): Promise<void> {
  const errors = await unknownNumbers(db, tenantId, named);
  if (errors.length > 0) {
    throw new InvalidRequest(errors);
  }
}

/** Points at each number of a list that is not the tenant's, or not in the caller's token's reach. */
export async function unknownNumbers(
  db: Database,
  tenantId: string,
  { phoneNumberIds, among }: NamedNumbers,
): Promise<FieldError[]> {
  const rows = await listPhoneNumbers(db, tenantId, {
    limit: phoneNumberIds.length,
    after: undefined,
    among: phoneNumberIds.filter((id) => among === null || among.includes(id)),
  });
  const own = new Set(rows.map((row) => row.phone_number_id));
  return notAmong(own, phoneNumberIds, "is not one of this tenant's numbers");
}

/** Points at each number of a list that is no tenant's. */
export async function unknownNumbersAsPartner(
  db: Database,
  phoneNumberIds: readonly string[],
): Promise<FieldError[]> {
  const rows = await db
    .selectFrom("phone_number")
    .select("phone_number_id")
    .where("phone_number_id", "in", phoneNumberIds.length > 0 ? phoneNumberIds : [""])
    .execute();
  const known = new Set(rows.map((row) => row.phone_number_id));
  return notAmong(known, phoneNumberIds, "is not the number of a tenant");
}

function notAmong(
  known: ReadonlySet<string>,
  phoneNumberIds: readonly string[],
  problem: string,
): FieldError[] {
  return phoneNumberIds.flatMap((id, index) =>
    known.has(id)
      ? []
      : [
          {
            code: "unknown_number",
            pointer: `/phone_number_ids/${index}`,
            detail: `${JSON.stringify(id)} ${problem}.`,
          },
        ],
  );
}
