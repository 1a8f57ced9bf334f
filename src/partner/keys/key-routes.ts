import { InvalidRequest } from "../../errors.ts";
import type { PartnerApi } from "../../dialog360/partner.ts";
import type { Schemas } from "../../http/contract-types.ts";
import { CURSOR_ID, parsePage, presentPage } from "../../http/paging.ts";
import { partnerRoute, type Route } from "../../http/route.ts";
import type { Database } from "../../store/database.ts";
import { getNumberAsPartner } from "../numbers.ts";
import { demandPartnerApi } from "../refused-by-hub.ts";
import {
  createKeyJob,
  getKeyJob,
  listKeyJobNumbers,
  listKeyJobs,
  presentKeyJobNumber,
  stopKeyJob,
} from "./key-jobs.ts";
import { getKeySchedule, putKeySchedule } from "./key-schedule.ts";
import { listRotations, presentRotation } from "./read-rotations.ts";
import type { RotateKey } from "./rotate-key.ts";

const PER_MINUTE = 10;

/** New keys for numbers: for one, for many, and by themselves when they are old. */
export function keyRoutes(options: {
  db: Database;
  rotateKey: RotateKey;
  partnerApi: PartnerApi | undefined;
  /** There is a job to work on. */
  poke: () => void;
}): Route[] {
  const { db, rotateKey, partnerApi, poke } = options;
  const numberPath = "/partner/v1/numbers/{number_id}/api-key";
  const path = "/partner/v1/api-keys";
  const jobPath = `${path}/jobs/{key_job_id}`;
  const read = { scope: "partner:read" };
  const write = { scope: "partner:write" };
  return [
    partnerRoute(
      {
        method: "POST",
        path: `${numberPath}/rotate`,
        operationId: "rotateNumberApiKey",
        ...write,
      },
      async ({ params, caller }) => {
        const wish = { reason: "manual", actor: caller.clientId, jobId: null } as const;
        const rotation = await rotateKey.rotate(params["number_id"] ?? "", { wish });
        return { status: 200, body: presentRotation(rotation) };
      },
    ),
    partnerRoute(
      { method: "GET", path: `${numberPath}/history`, operationId: "listApiKeyHistory", ...read },
      async ({ params, query }) => {
        const { id } = await getNumberAsPartner(db, params["number_id"] ?? "");
        const page = parsePage(query, [CURSOR_ID]);
        const rows = await listRotations(db, id, page);
        return { status: 200, body: presentPage(rows, page, (row) => [row.id], presentRotation) };
      },
    ),
    partnerRoute(
      { method: "POST", path: `${path}/rotate`, operationId: "createKeyJob", ...write },
      async ({ body, caller }) => {
        demandPartnerApi(partnerApi);
        const wish = body as Schemas["KeyJobCreate"];
        await refuseUnknown(db, wish);
        const { id } = await createKeyJob(db, {
          reason: "many",
          actor: caller.clientId,
          per_minute: wish.per_minute ?? PER_MINUTE,
          dry_run: wish.dry_run ?? false,
          filter: {
            tenantId: wish.tenant_id,
            numberIds: wish.number_ids,
            olderThanDays: wish.older_than_days,
          },
        });
        poke();
        return { status: 201, body: await getKeyJob(db, id) };
      },
    ),
    partnerRoute(
      { method: "GET", path: `${path}/jobs`, operationId: "listKeyJobs", ...read },
      async ({ query }) => {
        const page = parsePage(query, [CURSOR_ID]);
        const jobs = await listKeyJobs(db, page);
        return { status: 200, body: presentPage(jobs, page, ({ id }) => [id], same) };
      },
    ),
    partnerRoute(
      { method: "GET", path: jobPath, operationId: "getKeyJob", ...read },
      async ({ params }) => ({ status: 200, body: await getKeyJob(db, keyJobId(params)) }),
    ),
    partnerRoute(
      { method: "POST", path: `${jobPath}/stop`, operationId: "stopKeyJob", ...write },
      async ({ params }) => ({ status: 200, body: await stopKeyJob(db, keyJobId(params)) }),
    ),
    partnerRoute(
      { method: "GET", path: `${jobPath}/numbers`, operationId: "listKeyJobNumbers", ...read },
      async ({ params, query }) => {
        const { id } = await getKeyJob(db, keyJobId(params));
        const page = parsePage(query, [CURSOR_ID]);
        const rows = await listKeyJobNumbers(db, id, page);
        const body = presentPage(rows, page, (row) => [row.number_id], presentKeyJobNumber);
        return { status: 200, body };
      },
    ),
    partnerRoute(
      { method: "GET", path: `${path}/schedule`, operationId: "getKeySchedule", ...read },
      async () => ({ status: 200, body: await getKeySchedule(db) }),
    ),
    partnerRoute(
      { method: "PUT", path: `${path}/schedule`, operationId: "putKeySchedule", ...write },
      async ({ body }) => {
        const { every_days, per_minute = PER_MINUTE } = body as Schemas["KeyScheduleUpdate"];
        return { status: 200, body: await putKeySchedule(db, { every_days, per_minute }) };
      },
    ),
  ];
}

const keyJobId = (params: Record<string, string>): string => params["key_job_id"] ?? "";
const same = <T>(value: T): T => value;

/** What is named must be there: a misspelt id is not a number less. */
async function refuseUnknown(db: Database, wish: Schemas["KeyJobCreate"]): Promise<void> {
  const known = await db
    .selectFrom("phone_number")
    .select("id")
    .where("id", "in", [...(wish.number_ids ?? []), ""])
    .execute();
  const ids = new Set(known.map(({ id }) => id));
  const unknown = (wish.number_ids ?? []).flatMap((id, index) =>
    ids.has(id)
      ? []
      : [
          {
            code: "unknown_number",
            pointer: `/number_ids/${index}`,
            detail: `There is no number ${id}.`,
          },
        ],
  );
  const tenant =
    wish.tenant_id === undefined ||
    (await db
      .selectFrom("tenant")
      .select("id")
      .where("id", "=", wish.tenant_id)
      .executeTakeFirst());
  if (tenant === undefined) {
    const detail = "/tenant_id is not the id of a tenant.";
    unknown.push({ code: "unknown_tenant", pointer: "/tenant_id", detail });
  }
  if (unknown.length > 0) {
    throw new InvalidRequest(unknown);
  }
}
