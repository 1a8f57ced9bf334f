import type { NewKey, PartnerApi } from "../../dialog360/partner.ts";
import type { Origins } from "../../dialog360/origins.ts";
import { ApiError, InvalidRequest } from "../../errors.ts";
import type { Secret } from "../../secret.ts";
import type { Database, DatabaseTransaction } from "../../store/database.ts";
import {
  apiKeySealContext,
  markKeyRejected,
  type PhoneNumberRow,
} from "../../tenancy/phone-numbers.ts";
import type { Sealer } from "../../tenancy/sealing.ts";
import type { ConnectNumber } from "../connect-number.ts";
import { getNumberAsPartner } from "../numbers.ts";
import { demandPartnerApi, valueOfHubCall } from "../refused-by-hub.ts";
import { closeRotation, setBackRotation } from "./end-rotation.ts";
import {
  keepLease,
  type KeyRotationRow,
  type LeasedRotation,
  openRotation,
  rotationInProgress,
  type RotationWish,
  takeOverRotation,
  writeRotation,
} from "./rotations.ts";
import { sealNewKey } from "./seal-new-key.ts";

/** Numbers get new keys while calls go on. */
export type RotateKey = {
  /**
   * Makes the number a new key, from which moment the old one is dead, and sets its webhook again.
   * @param options.also done in the transaction that opens the rotation
   * @returns the rotation, closed
   * @throws {ApiError} why there is no new key, or none yet; the rotation's row tells the same
   */
  rotate(
    numberId: string,
    options: {
      wish: RotationWish;
      also?: (trx: DatabaseTransaction, rotationId: string) => Promise<void>;
    },
  ): Promise<KeyRotationRow>;
  /** Goes on with a rotation that another process has left, or that is due again, if there is one. */
  takeOver(): Promise<{ done: Promise<void> } | undefined>;
};

/** A key that is dead before its webhook is set was followed by another one, made elsewhere. */
const KEYS_MAX = 3;

export function createRotateKey(options: {
  db: Database;
  sealer: Sealer;
  connect: ConnectNumber;
  partnerApi: PartnerApi | undefined;
  origins: Origins;
  /** Tells other processes that something was announced, and hears of it here. */
  afterWrite: () => Promise<void>;
}): RotateKey {
  const { db, sealer, connect, partnerApi, origins, afterWrite } = options;

  /** Where the new key is to be used; `undefined` for an address that the operator does not allow. */
  function baseUrlOf(number: PhoneNumberRow, made: NewKey): { baseUrl: string | null } | undefined {
    const address = made.baseUrl ?? number.base_url;
    const baseUrl = address === origins.allowed[0] ? null : address;
    return origins.resolve(baseUrl) === undefined ? undefined : { baseUrl };
  }

  async function makeKey(leased: LeasedRotation): Promise<KeyRotationRow> {
    const number = await getNumberAsPartner(db, leased.rotation.number_id);
    const call = await demandPartnerApi(partnerApi).createKey(number.channel_id ?? "");
    const made = valueOfHubCall(call);
    const place = baseUrlOf(number, made);
    if (place === undefined) {
      await markKeyRejected(db, number.tenant_id, {
        id: number.id,
        apiKeySealed: number.api_key_sealed,
      });
      throw addressNotAllowed(made.baseUrl);
    }
    const rotation = await sealNewKey(db, leased, { apiKey: made.apiKey, sealer, ...place });
    await afterWrite();
    return rotation;
  }

  function openKey(number: PhoneNumberRow): Secret {
    if (number.api_key_sealed === null) {
      throw new ApiError("api_key_required", "The number has no API key.");
    }
    return sealer.open(number.api_key_sealed, apiKeySealContext(number));
  }

  /** @returns whether 360dialog takes the new key */
  async function setHook(numberId: string): Promise<boolean> {
    const number = await getNumberAsPartner(db, numberId);
    try {
      await connect.registerHook(number, openKey(number));
      return true;
    } catch (error) {
      if (error instanceof InvalidRequest && error.errors?.[0]?.code === "api_key_rejected") {
        return false;
      }
      throw error;
    }
  }

  async function work(leased: LeasedRotation): Promise<KeyRotationRow> {
    let { rotation } = leased;
    try {
      for (let keys = 1; ; keys += 1) {
        if (rotation.made_at === null) {
          rotation = await makeKey(leased);
        }
        if (await setHook(rotation.number_id)) {
          const closed = await closeRotation(db, leased, { outcome: "rotated" });
          return closed ?? rotation;
        }
        if (keys === KEYS_MAX) {
          const detail = "360dialog refuses each new key at once: somebody else makes keys too.";
          throw new ApiError("api_key_rejected", detail);
        }
        const again = await writeRotation(db, leased, { made_at: null });
        if (again === undefined) {
          throw rotationInProgress();
        }
        rotation = again;
      }
    } catch (error) {
      // Of anything else nobody knows how far it came: the lease lapses, and it is gone on with.
      if (error instanceof ApiError && error.code !== "rotation_in_progress") {
        await setBackRotation(db, { ...leased, rotation }, error);
      }
      throw error;
    }
  }

  async function workLeased(leased: LeasedRotation): Promise<KeyRotationRow> {
    const lease = keepLease(db, leased);
    try {
      await afterWrite();
      return await work(leased);
    } finally {
      lease.stop();
      await afterWrite();
    }
  }

  return {
    async rotate(numberId, wished) {
      demandPartnerApi(partnerApi);
      return workLeased(await openRotation(db, numberId, wished));
    },
    async takeOver() {
      const leased = await takeOverRotation(db);
      // What it comes to is in its row.
      return leased && { done: ignoreKnown(workLeased(leased)) };
    },
  };
}

/** What has been written down needs no other telling. */
export async function ignoreKnown(work: Promise<unknown>): Promise<void> {
  try {
    await work;
  } catch (error) {
    if (!(error instanceof ApiError)) {
      throw error;
    }
  }
}

function addressNotAllowed(address: string | null): ApiError {
  const detail = `360dialog has made a key that is to be used at ${address}, which D360_ALLOWED_ORIGINS does not allow. It was not kept, and the older one is dead by now: allow this origin, then rotate again.`;
  return new InvalidRequest([{ code: "address_not_allowed", pointer: "", detail }]);
}
