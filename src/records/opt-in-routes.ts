import { InvalidRequest, NotFound } from "../errors.ts";
import { bodyTime } from "../http/body.ts";
import type { Schemas } from "../http/contract-types.ts";
import { etagOf } from "../http/etag.ts";
import { type Reply, type Route, type TenantCall, tenantRoute } from "../http/route.ts";
import type { Database } from "../store/database.ts";
import { getPhoneNumber } from "../tenancy/phone-numbers.ts";
import { deleteOptIn, findOptIn, type OptInRow, putOptIn } from "./opt-ins.ts";
import { parseUser } from "./users.ts";

/** Clocks differ; more than this is no difference of clocks. */
const LEEWAY_MS = 5 * 60_000;

/** Which users have agreed to be written to, and the proof of it. */
export function optInRoutes({ db }: { db: Database }): Route[] {
  const path = "/tenant/v1/opt-ins/{phone_number_id}/{user}";
  const write = { path, scope: "contacts:write" };

  async function namedBy({ caller, params }: TenantCall) {
    const user = parseUser(params["user"]);
    if (user === undefined) {
      throw new NotFound();
    }
    const { phone_number_id: phoneNumberId } = await getPhoneNumber(db, caller.tenantId, {
      phoneNumberId: params["phone_number_id"] ?? "",
      among: caller.phoneNumberIds,
    });
    return { phoneNumberId, user };
  }

  return [
    tenantRoute({ method: "PUT", operationId: "putOptIn", ...write }, async (call) => {
      const { source, obtained_at, proof } = call.body as Schemas["OptInPut"];
      const named = await namedBy(call);
      const obtainedAt = bodyTime(obtained_at, "/obtained_at");
      if (obtainedAt.getTime() > Date.now() + LEEWAY_MS) {
        // It would outdate every stop that the user is yet to say.
        const detail = "/obtained_at must not be in the future.";
        throw new InvalidRequest([{ code: "in_future", pointer: "/obtained_at", detail }]);
      }
      const { optIn, created } = await putOptIn(db, call.caller.tenantId, {
        ...named,
        source,
        obtainedAt,
        proof,
        check: (before) => call.checkVersion(before && optInEtag(before)),
      });
      return answer(created ? 201 : 200, optIn);
    }),
    tenantRoute(
      { method: "GET", path, operationId: "getOptIn", scope: "numbers:read" },
      async (call) => {
        const optIn = await findOptIn(db, call.caller.tenantId, await namedBy(call));
        if (optIn === undefined) {
          throw new NotFound();
        }
        return answer(200, optIn);
      },
    ),
    tenantRoute({ method: "DELETE", operationId: "deleteOptIn", ...write }, async (call) => {
      const check = (row: OptInRow | undefined): void => call.checkVersion(row && optInEtag(row));
      const named = await namedBy(call);
      if (!(await deleteOptIn(db, call.caller.tenantId, { ...named, check }))) {
        throw new NotFound();
      }
      return { status: 204 };
    }),
  ];
}

function optInEtag(row: OptInRow): string {
  return etagOf(presentOptIn(row));
}

function answer(status: number, row: OptInRow): Reply {
  return { status, headers: { etag: optInEtag(row) }, body: presentOptIn(row) };
}

function presentOptIn(row: OptInRow): Schemas["OptIn"] {
  return {
    phone_number_id: row.phone_number_id,
    user: row.user_id,
    source: row.source,
    obtained_at: row.obtained_at.toISOString(),
    proof: row.proof,
    recorded_at: row.recorded_at.toISOString(),
  };
}
