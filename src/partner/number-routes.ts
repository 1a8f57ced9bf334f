import { ApiError, NotFound } from "../errors.ts";
import type { Schemas } from "../http/contract-types.ts";
import { CURSOR_ID, parsePage, presentPage } from "../http/paging.ts";
import { queryText } from "../http/query.ts";
import { type PartnerCall, partnerRoute, type Route } from "../http/route.ts";
import { Secret } from "../secret.ts";
import type { Database } from "../store/database.ts";
import { apiKeySealContext, type PhoneNumberRow } from "../tenancy/phone-numbers.ts";
import type { Sealer } from "../tenancy/sealing.ts";
import { findTenant } from "../tenancy/tenants.ts";
import { type BringIn, numberToBe, readWish } from "./bring-in.ts";
import type { ConnectNumber } from "./connect-number.ts";
import type { RegionJudge } from "./local-storage/region-judge.ts";
import {
  type CheckNumber,
  deleteNumberAsPartner,
  getNumberAsPartner,
  listNumbersAsPartner,
  type NumberFields,
  updateNumberAsPartner,
} from "./numbers.ts";
import { numberEtag } from "./present.ts";
import type { ShowNumbers } from "./show-numbers.ts";

/** The partner's numbers: brought in with a checked and sealed key, hooked, kept. */
export function numberRoutes(options: {
  db: Database;
  sealer: Sealer;
  connect: ConnectNumber;
  bringIn: BringIn;
  regions: RegionJudge;
  show: ShowNumbers;
}): Route[] {
  const { db, sealer, connect, bringIn, regions, show } = options;
  const path = "/partner/v1/numbers";
  const onePath = `${path}/{number_id}`;
  const read = { scope: "partner:read" };
  const write = { scope: "partner:write" };
  const numberOf = (call: PartnerCall): Promise<PhoneNumberRow> =>
    getNumberAsPartner(db, call.params["number_id"] ?? "");

  function openKey(number: PhoneNumberRow): Secret {
    if (number.api_key_sealed === null) {
      throw new ApiError("api_key_required", "The number has no API key yet; give it one first.");
    }
    return sealer.open(number.api_key_sealed, apiKeySealContext(number));
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
        const given = await readWish(regions, numberToBe(tenant.id), wish);
        const row = await bringIn.create(tenant.id, { phoneNumberId, ...given });
        return show.answer(201, row);
      },
    ),
    partnerRoute(
      { method: "GET", path, operationId: "listNumbers", ...read },
      async ({ query }) => {
        const page = parsePage(query, [CURSOR_ID]);
        const tenantId = queryText(query, "tenant_id");
        const rows = await listNumbersAsPartner(db, { ...page, tenantId });
        const present = await show.among(rows);
        return { status: 200, body: presentPage(rows, page, (row) => [row.id], present) };
      },
    ),
    partnerRoute(
      { method: "GET", path: onePath, operationId: "getNumber", ...read },
      async (call) => show.answer(200, await numberOf(call)),
    ),
    partnerRoute(
      { method: "PATCH", path: onePath, operationId: "updateNumber", ...write },
      async (call) => {
        const number = await numberOf(call);
        const wish = call.body as Schemas["NumberUpdate"];
        if (wish.base_url !== undefined && wish.api_key === undefined) {
          const detail = "A new base_url needs the api_key to use there, in the same call.";
          throw new ApiError("api_key_required", detail);
        }
        const check: CheckNumber = (row) => call.checkVersion(numberEtag(row));
        // Before 360dialog is asked anything; and once more while the row is locked.
        check(number);
        const { fields, apiKey } = await readWish(regions, number, wish);
        const row =
          apiKey === undefined
            ? await updateNumberAsPartner(db, number, { fields, check })
            : await bringIn.replaceKey(number, {
                apiKey,
                fields,
                actor: call.caller.clientId,
                check,
              });
        return show.answer(200, row);
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
        return show.answer(200, row);
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
        return show.answer(200, await updateNumberAsPartner(db, number, { fields }));
      },
    ),
    partnerRoute(
      { method: "POST", path: `${onePath}/hook/rotate`, operationId: "rotateNumberHook", ...write },
      async (call) => {
        const number = await numberOf(call);
        await connect.registerHook(number, openKey(number));
        return show.answer(200, number);
      },
    ),
    partnerRoute(
      { method: "POST", path: `${onePath}/api-key`, operationId: "setNumberApiKey", ...write },
      async (call) => {
        const { api_key } = call.body as Schemas["ApiKeySet"];
        const apiKey = new Secret(api_key);
        const { clientId: actor } = call.caller;
        const row = await bringIn.replaceKey(await numberOf(call), { apiKey, fields: {}, actor });
        return show.answer(200, row);
      },
    ),
  ];
}
