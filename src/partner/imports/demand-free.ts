import { sql } from "kysely";
import { ApiError } from "../../errors.ts";
import type { Database } from "../../store/database.ts";
import type { ImportRow } from "./work-row.ts";

/**
 * For a dry run: what a real one would find taken, by a number that is here or by an earlier row of
 * the same file.
 * @throws {ApiError} `number_taken`, `channel_taken`
 */
export async function demandFree(db: Database, row: ImportRow): Promise<void> {
  const channelId = row.fields?.["channel_id"] ?? null;
  const { rows } = await sql<{ number_line: number | null; channel: boolean }>`
    with earlier as (
      select line, tenant_external_id, phone_number_id, fields->>'channel_id' as channel_id
      from import_row
      where import_id = ${row.import_id} and line < ${row.line} and state <> 'refused')
    select (
        select min(line) from earlier where phone_number_id = ${row.phone_number_id}
          and tenant_external_id is distinct from ${row.tenant_external_id}) as number_line,
      exists (
        select from phone_number where channel_id = ${channelId}
          and phone_number_id <> ${row.phone_number_id}
        union all
        select from earlier where channel_id = ${channelId}
          and phone_number_id <> ${row.phone_number_id}) as channel`.execute(db);
  const [found] = rows;
  if (typeof found?.number_line === "number") {
    const detail = `Line ${found.number_line} brings this phone_number_id in for another tenant.`;
    throw new ApiError("number_taken", detail);
  }
  if (found?.channel === true) {
    throw new ApiError("channel_taken", "Another number has this channel_id.");
  }
}
