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
import { type BringIn, readWish } from "./bring-in.ts";
import type { ConnectNumber } from "./connect-number.ts";
import {
  type CheckNumber,
  deleteNumberAsPartner,
  getNumberAsPartner,
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
  bringIn: BringIn;
}): Route[] {
  const { db, sealer, connect, bringIn } = options;
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
        const row = await bringIn.create(tenant.id, { phoneNumberId, ...readWish(wish) });
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
            : await bringIn.replaceKey(number, {
                apiKey,
                fields,
                actor: call.caller.clientId,
                check,
              });
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
        const apiKey = new Secret(api_key);
        const { clientId: actor } = call.caller;
        const row = await bringIn.replaceKey(await numberOf(call), { apiKey, fields: {}, actor });
        return answer(200, row);
      },
    ),
  ];
}
