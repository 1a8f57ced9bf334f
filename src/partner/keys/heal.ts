import { sql } from "kysely";
import type { Database } from "../../store/database.ts";
import { ignoreKnown, type RotateKey } from "./rotate-key.ts";

/** After each try that did not heal it; then it is left to people. */
const HEAL_AFTER_SECONDS = [60, 600, 3600, 21_600];

/** Makes a new key for the next number that waits for one, if any; when to try again is written down first. */
export async function healNext(db: Database, rotateKey: RotateKey): Promise<boolean> {
  const after = sql`(${sql.val(HEAL_AFTER_SECONDS)}::int[])[heal_count + 1]`;
  const { rows } = await sql<{ number_id: string; state: string }>`
    update key_rejection r set heal_count = heal_count + 1,
      heal_at = now() + make_interval(secs => ${after})
    from phone_number n
    where n.id = r.number_id and r.number_id = (
      select number_id from key_rejection where heal_at < now() and told_at is not null
      order by heal_at limit 1 for update skip locked)
    returning r.number_id, n.state`.execute(db);
  const [due] = rows;
  if (due?.state === "key_rejected") {
    const wish = { reason: "healing", actor: null, jobId: null } as const;
    await ignoreKnown(rotateKey.rotate(due.number_id, { wish }));
  }
  return due !== undefined;
}
