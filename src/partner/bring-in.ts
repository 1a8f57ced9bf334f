import { ApiError } from "../errors.ts";
import type { Schemas } from "../http/contract-types.ts";
import { Secret } from "../secret.ts";
import type { Database } from "../store/database.ts";
import { changedGuards } from "../tenancy/guard-settings.ts";
import type { PhoneNumberRow } from "../tenancy/phone-numbers.ts";
import type { Sealer } from "../tenancy/sealing.ts";
import type { ConnectNumber } from "./connect-number.ts";
import { demandNoRotation, noteGivenKey } from "./keys/rotations.ts";
import type { RegionJudge, RegionOwner } from "./local-storage/region-judge.ts";
import {
  type CheckNumber,
  deleteNumberAsPartner,
  insertNumber,
  type NumberFields,
  updateNumberAsPartner,
} from "./numbers.ts";

/** A number and its key: checked at 360dialog, sealed, hooked. One way for a call and for an import. */
export type BringIn = {
  /**
   * Nothing is written; answers what else 360dialog tells of the number.
   * @throws {ApiError} `api_key_required`, and what `checkKey` throws
   */
  check(wish: BringInWish): Promise<{ apiKey: Secret; fields: NumberFields }>;
  /** @throws {ApiError} as `check`, and `number_taken`, `channel_taken`, `public_url_invalid` */
  create(tenantId: string, wish: BringInWish): Promise<PhoneNumberRow>;
  /**
   * A new key counts once 360dialog takes it and sends the number's webhooks to us.
   * @throws {ApiError} as `check`, and `rotation_in_progress`
   */
  replaceKey(
    number: PhoneNumberRow,
    options: {
      apiKey: Secret;
      fields: NumberFields;
      /** The client that gives it; null for a job. */
      actor: string | null;
      check?: CheckNumber | undefined;
    },
  ): Promise<PhoneNumberRow>;
};

export type BringInWish = {
  phoneNumberId: string;
  fields: NumberFields;
  apiKey: Secret | undefined;
};

export function createBringIn(options: {
  db: Database;
  sealer: Sealer;
  connect: ConnectNumber;
}): BringIn {
  const { db, sealer, connect } = options;

  async function check({ phoneNumberId, fields, apiKey }: BringInWish) {
    if (apiKey === undefined) {
      throw new ApiError(
        "api_key_required",
        "Give the number's api_key: this gateway cannot make one for it.",
      );
    }
    const baseUrl = fields.base_url ?? null;
    const health = await connect.checkKey({ phoneNumberId, apiKey, baseUrl });
    return { apiKey, fields: { waba_id: health.wabaIds[0] ?? null, ...withoutNulls(fields) } };
  }

  return {
    check,

    async create(tenantId, wish) {
      const { apiKey, fields } = await check(wish);
      const { phoneNumberId } = wish;
      const number = await insertNumber(db, tenantId, { phoneNumberId, fields, apiKey, sealer });
      try {
        await connect.registerHook(number, apiKey);
      } catch (error) {
        await deleteNumberAsPartner(db, number);
        throw error;
      }
      const running: NumberFields = { state: "running", onboarding_stage: "running" };
      return updateNumberAsPartner(db, number, { fields: running });
    },

    async replaceKey(number, { apiKey, fields, actor, check: checkNumber }) {
      await demandNoRotation(db, number.id);
      const baseUrl = fields.base_url === undefined ? number.base_url : fields.base_url;
      await connect.checkKey({ phoneNumberId: number.phone_number_id, apiKey, baseUrl });
      // Sealed before the webhook is set: the old key may be dead already, so this one must not be lost.
      const updated = await updateNumberAsPartner(db, number, {
        fields,
        newKey: { apiKey, sealer },
        check: checkNumber,
        async also(trx, row) {
          await demandNoRotation(trx, row.id);
          await noteGivenKey(trx, row, actor);
        },
      });
      await connect.registerHook(updated, apiKey);
      const state = number.state === "suspended" ? "suspended" : "running";
      return updateNumberAsPartner(db, updated, { fields: { state } });
    },
  };
}

/**
 * What a call or a row says of a number that is here, or of one that a tenant is to have.
 * @throws {InvalidRequest} for a region that it may not have
 */
export async function readWish(
  regions: RegionJudge,
  owner: RegionOwner,
  wish: Schemas["NumberUpdate"],
): Promise<{ fields: NumberFields; apiKey: Secret | undefined }> {
  // The contract's `client_id` is 360dialog's, and `hub_client_id` here.
  const { client_id, api_key, local_storage_region: region, ...fields } = wish;
  const guards = changedGuards(owner.guards, fields.guards ?? {});
  const pointer = "/local_storage_region";
  return {
    fields: {
      ...fields,
      ...(client_id !== undefined && { hub_client_id: client_id }),
      ...(region !== undefined && {
        local_storage_region:
          region === null ? null : await regions.judge({ ...owner, guards }, region, pointer),
      }),
    },
    apiKey: api_key === undefined ? undefined : new Secret(api_key),
  };
}

/** Before it is here, nothing has been set for it. */
export function numberToBe(tenantId: string): RegionOwner {
  return { tenant_id: tenantId, guards: {}, local_storage_region: null };
}

/** In a creation `null` says no more than leaving out: what 360dialog told us stays. */
function withoutNulls(fields: NumberFields): NumberFields {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== null));
}
