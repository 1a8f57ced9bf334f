import type { Schemas } from "../http/contract-types.ts";
import type { Reply } from "../http/route.ts";
import type { Database } from "../store/database.ts";
import type { PhoneNumberRow } from "../tenancy/phone-numbers.ts";
import type { RegionJudge } from "./local-storage/region-judge.ts";
import { numberEtag, presentNumber } from "./present.ts";
import { readStandings } from "./registrations/read-registrations.ts";

/** Numbers as the partner sees them: with what is left of their registrations, and what to warn of. */
export type ShowNumbers = {
  among(rows: readonly PhoneNumberRow[]): Promise<(row: PhoneNumberRow) => Schemas["Number"]>;
  /** One, with its version. */
  answer(status: number, row: PhoneNumberRow): Promise<Reply>;
};

export function createShowNumbers(options: { db: Database; regions: RegionJudge }): ShowNumbers {
  const { db, regions } = options;

  const among: ShowNumbers["among"] = async (rows) => {
    const ids = rows.map((row) => row.phone_number_id);
    const standingOf = await readStandings(db, ids);
    const warningsOf = await regions.warningsOf(rows);
    return (row) =>
      presentNumber(row, {
        registrationsLeft: standingOf(row.phone_number_id).left,
        warnings: warningsOf(row).map(({ code }) => code),
      });
  };

  return {
    among,
    async answer(status, row) {
      const present = await among([row]);
      return { status, headers: { etag: numberEtag(row) }, body: present(row) };
    },
  };
}
