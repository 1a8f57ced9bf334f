import { ApiError, NotFound } from "../errors.ts";
import type { Schemas } from "../http/contract-types.ts";
import { CURSOR_ID, parsePage, presentPage } from "../http/paging.ts";
import { queryText } from "../http/query.ts";
import { type PartnerCall, partnerRoute, type Reply, type Route } from "../http/route.ts";
import { Secret } from "../secret.ts";
import type { Database } from "../store/database.ts";
import { apiKeySealContext, type PhoneNumberRow } from "../tenancy/phone-numbers.ts";
import type { Sealer } from "../tenancy/sealing.ts";
import { findTenant } from "../tenancy/tenants.ts";
import { answerNumber } from "./answer-number.ts";
import type { ConnectNumber } from "./connect-number.ts";
import {
  type CheckNumber,
  deleteNumberAsPartner,
  getNumberAsPartner,
  insertNumber,
  listNumbersAsPartner,
  type NumberFields,
  updateNumberAsPartner,
} from "./numbers.ts";
import { numberEtag, presentNumber } from "./present.ts";
import { readStandings } from "./registrations/read-registrations.ts";

type NumberWish = Schemas["NumberUpdate"];

/** The partner's numbers: brought in with a checked and sealed key, hooked, kept. */
export function numberRoutes(options: {
  db: Database;
  sealer: Sealer;
  connect: ConnectNumber;
}): Route[] {
  const { db, sealer, connect } = options;
  const path = "/partner/v1/numbers";
  const onePath = `${path}/{number_id}`;
  const read = { scope: "partner:read" };
  const write = { scope: "partner:write" };
  const numberOf = (call: PartnerCall): Promise<PhoneNumberRow> =>
    getNumberAsPartner(db, call.params["number_id"] ?? "");

  const answer = (status: number, row: PhoneNumberRow): Promise<Reply> =>
    answerNumber(db, status, row);

  function openKey(number: PhoneNumberRow): Secret {
    if (number.api_key_sealed === null) {
      throw new ApiError("api_key_required", "The number has no API key yet; give it one first.");
    }
    return sealer.open(number.api_key_sealed, apiKeySealContext(number));
  }

  /** A new key counts once 360dialog takes it and sends the number's webhooks to us. */
  async function replaceKey(
    number: PhoneNumberRow,
    apiKey: Secret,
    fields: NumberFields,
    check?: CheckNumber,
  ): Promise<PhoneNumberRow> {
    const baseUrl = fields.base_url === undefined ? number.base_url : fields.base_url;
    await connect.checkKey({ phoneNumberId: number.phone_number_id, apiKey, baseUrl });
    // Sealed before the webhook is set: the old key may be dead already, so this one must not be lost.
    const updated = await updateNumberAsPartner(db, number, {
      fields,
      newKey: { apiKey, sealer },
      check,
    });
    await connect.registerHook(updated, apiKey);
    const state = number.state === "suspended" ? "suspended" : "running";
    return updateNumberAsPartner(db, updated, { fields: { state } });
  }

  return [
    partnerRoute(
      {
        method: "POST",
        path: "/partner/v1/tenants/{tenant_id}/numbers",
        operationId: "createNumber",
        ...write,
      },
      async ({ params, body }) => {
        const tenant = await findTenant(db, params["tenant_id"] ?? "");
        if (tenant === undefined) {
          throw new NotFound();
        }
        const { phone_number_id: phoneNumberId, ...wish } = body as Schemas["NumberCreate"];
        const { fields, apiKey } = readWish(wish);
        if (apiKey === undefined) {
          throw new ApiError(
            "api_key_required",
            "Give the number's api_key: this gateway cannot make one for it.",
          );
        }
        const baseUrl = fields.base_url ?? null;
        const health = await connect.checkKey({ phoneNumberId, apiKey, baseUrl });
        const number = await insertNumber(db, tenant.id, {
          phoneNumberId,
          fields: { waba_id: health.wabaIds[0] ?? null, ...withoutNulls(fields) },
          apiKey,
          sealer,
        });
        try {
          await connect.registerHook(number, apiKey);
        } catch (error) {
          await deleteNumberAsPartner(db, number);
          throw error;
        }
        const running: NumberFields = { state: "running", onboarding_stage: "running" };
        const row = await updateNumberAsPartner(db, number, { fields: running });
        return answer(201, row);
      },
    ),
    partnerRoute(
      { method: "GET", path, operationId: "listNumbers", ...read },
      async ({ query }) => {
        const page = parsePage(query, [CURSOR_ID]);
        const tenantId = queryText(query, "tenant_id");
        const rows = await listNumbersAsPartner(db, { ...page, tenantId });
        const standingOf = await readStandings(
          db,
          rows.map((row) => row.phone_number_id),
        );
        const present = (row: PhoneNumberRow) =>
          presentNumber(row, { registrationsLeft: standingOf(row.phone_number_id).left });
        return { status: 200, body: presentPage(rows, page, (row) => [row.id], present) };
      },
    ),
    partnerRoute(
      { method: "GET", path: onePath, operationId: "getNumber", ...read },
      async (call) => answer(200, await numberOf(call)),
    ),
    partnerRoute(
      { method: "PATCH", path: onePath, operationId: "updateNumber", ...write },
      async (call) => {
        const number = await numberOf(call);
        const { fields, apiKey } = readWish(call.body as NumberWish);
        if (fields.base_url !== undefined && apiKey === undefined) {
          const detail = "A new base_url needs the api_key to use there, in the same call.";
          throw new ApiError("api_key_required", detail);
        }
        const check: CheckNumber = (row) => call.checkVersion(numberEtag(row));
        // Before 360dialog is asked anything; and once more while the row is locked.
        check(number);
        const row =
          apiKey === undefined
            ? await updateNumberAsPartner(db, number, { fields, check })
            : await replaceKey(number, apiKey, fields, check);
        return answer(200, row);
      },
    ),
    partnerRoute(
      { method: "DELETE", path: onePath, operationId: "deleteNumber", ...write },
      async (call) => {
        await deleteNumberAsPartner(db, await numberOf(call), (row) =>
          call.checkVersion(numberEtag(row)),
        );
        return { status: 204 };
      },
    ),
    partnerRoute(
      { method: "POST", path: `${onePath}/suspend`, operationId: "suspendNumber", ...write },
      async (call) => {
        const fields: NumberFields = { state: "suspended" };
        const row = await updateNumberAsPartner(db, await numberOf(call), { fields });
        return answer(200, row);
      },
    ),
    partnerRoute(
      { method: "POST", path: `${onePath}/resume`, operationId: "resumeNumber", ...write },
      async (call) => {
        const number = await numberOf(call);
        const fields: NumberFields =
          number.state === "suspended"
            ? { state: number.api_key_sealed === null ? "pending" : "running" }
            : {};
        return answer(200, await updateNumberAsPartner(db, number, { fields }));
      },
    ),
    partnerRoute(
      { method: "POST", path: `${onePath}/hook/rotate`, operationId: "rotateNumberHook", ...write },
      async (call) => {
        const number = await numberOf(call);
        await connect.registerHook(number, openKey(number));
        return answer(200, number);
      },
    ),
    partnerRoute(
      { method: "POST", path: `${onePath}/api-key`, operationId: "setNumberApiKey", ...write },
      async (call) => {
        const { api_key } = call.body as Schemas["ApiKeySet"];
        const row = await replaceKey(await numberOf(call), new Secret(api_key), {});
        return answer(200, row);
      },
    ),
  ];
}

/** The contract's `client_id` is 360dialog's, and `hub_client_id` here. */
function readWish(wish: NumberWish): { fields: NumberFields; apiKey: Secret | undefined } {
  const { client_id, api_key, ...fields } = wish;
  return {
    fields: { ...fields, ...(client_id !== undefined && { hub_client_id: client_id }) },
    apiKey: api_key === undefined ? undefined : new Secret(api_key),
  };
}

/** In a creation `null` says no more than leaving out: what 360dialog told us stays. */
function withoutNulls(fields: NumberFields): NumberFields {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== null));
}
