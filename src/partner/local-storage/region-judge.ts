import { InvalidRequest } from "../../errors.ts";
import type { Database } from "../../store/database.ts";
import type { GuardMode } from "../../store/schema/tenancy.ts";
import { effectiveGuards } from "../../tenancy/guard-settings.ts";
import type { PhoneNumberRow } from "../../tenancy/phone-numbers.ts";
import { regionsAt } from "./regions.ts";

declare const judged: unique symbol;

/** A region that `judge` let pass: a number can be given no other. */
export type JudgedRegion = string & { readonly [judged]: true };

/** Whose region it is, as it is once what else the call says has been done. */
export type RegionOwner = Pick<PhoneNumberRow, "tenant_id" | "guards" | "local_storage_region">;

export type RegionWarning = { code: "storage_region_differs"; detail: string };

/** The one judge of where a number's data may be stored; see decision 18. */
export type RegionJudge = {
  /** STORAGE_REGION: where our own store is. */
  storageRegion: string | undefined;
  /**
   * For every way to a number's region; the one that it has already is no change, and passes.
   * The promise throws {InvalidRequest} `region_not_offered`, `storage_region_differs`.
   * @param pointer where the region stands in what was sent
   */
  judge(owner: RegionOwner, region: string, pointer: string): Promise<JudgedRegion>;
  /** What there is to say of the regions that these have. */
  warningsOf<Owner extends RegionOwner>(
    owners: readonly Owner[],
  ): Promise<(owner: Owner) => RegionWarning[]>;
};

export function createRegionJudge(options: {
  db: Database;
  storageRegion: string | undefined;
}): RegionJudge {
  const { db, storageRegion } = options;

  const isElsewhere = (region: string | null): boolean =>
    region !== null && storageRegion !== undefined && region !== storageRegion;

  async function readModes(
    owners: readonly RegionOwner[],
  ): Promise<(of: RegionOwner) => GuardMode> {
    const ids = new Set(owners.map((owner) => owner.tenant_id));
    const tenants =
      ids.size === 0
        ? []
        : await db
            .selectFrom("tenant")
            .select(["id", "guards"])
            .where("id", "in", [...ids])
            .execute();
    const guardsOf = new Map(tenants.map(({ id, guards }) => [id, guards]));
    return (of) => effectiveGuards(guardsOf.get(of.tenant_id) ?? {}, of.guards).storage_region;
  }

  return {
    storageRegion,

    async judge(owner, region, pointer) {
      if (region === owner.local_storage_region) {
        return region as JudgedRegion;
      }
      demandOffered(region, pointer);
      const modeOf = isElsewhere(region) ? await readModes([owner]) : undefined;
      if (modeOf?.(owner) === "enforce") {
        const detail = `${named(pointer)} must be ${storageRegion}, where this gateway's own store is (STORAGE_REGION): the guard storage_region is enforced.`;
        throw new InvalidRequest([{ code: "storage_region_differs", pointer, detail }]);
      }
      return region as JudgedRegion;
    },

    async warningsOf(owners) {
      const modeOf = await readModes(
        owners.filter(({ local_storage_region: region }) => isElsewhere(region)),
      );
      return (owner) => {
        const { local_storage_region: region } = owner;
        const detail = `The number's data is stored in ${region}, and this gateway's own store is in ${storageRegion} (STORAGE_REGION).`;
        return isElsewhere(region) && modeOf(owner) !== "off"
          ? [{ code: "storage_region_differs", detail }]
          : [];
      };
    },
  };
}

/** @throws {InvalidRequest} `region_not_offered` */
function demandOffered(region: string, pointer: string): void {
  const offered = regionsAt(new Date());
  if (!offered.includes(region)) {
    const detail = `${named(pointer)} must be a region in which 360dialog stores data: ${offered.join(", ")}.`;
    throw new InvalidRequest([{ code: "region_not_offered", pointer, detail }]);
  }
}

/** In a call that does not say it, the region is the number's. */
const named = (pointer: string): string => pointer || "The number's region";
