import { InvalidRequest } from "../errors.ts";
import type { Database } from "../store/database.ts";
import { listPhoneNumbers } from "./phone-numbers.ts";

/**
 * A list of numbers may name only the tenant's own, and only those that the caller's token reaches.
 * @throws {InvalidRequest} that points at each one that is not
 */
export async function checkOwnNumbers(
  db: Database,
  tenantId: string,
  options: { phoneNumberIds: readonly string[]; among: readonly string[] | null },
): Promise<void> {
  const { phoneNumberIds, among } = options;
  const rows = await listPhoneNumbers(db, tenantId, {
    limit: phoneNumberIds.length,
    after: undefined,
    among: phoneNumberIds.filter((id) => among === null || among.includes(id)),
  });
  const own = new Set(rows.map((row) => row.phone_number_id));
  const errors = phoneNumberIds.flatMap((id, index) =>
    own.has(id)
      ? []
      : [
          {
            code: "unknown_number",
            pointer: `/phone_number_ids/${index}`,
            detail: `${JSON.stringify(id)} is not one of this tenant's numbers.`,
          },
        ],
  );
  if (errors.length > 0) {
    throw new InvalidRequest(errors);
  }
}
