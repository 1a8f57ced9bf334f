import { NotFound } from "../../errors.ts";
import { CURSOR_ID, parsePage, presentPage } from "../../http/paging.ts";
import { queryText } from "../../http/query.ts";
import { partnerRoute, type Route } from "../../http/route.ts";
import type { Database } from "../../store/database.ts";
import { beginAnew } from "./note-channel.ts";
import { findOnboarding, listOnboardings, presentOnboarding } from "./read-onboardings.ts";

/** How far the channels of the tenants' customers have come. */
export function onboardingRoutes({
  db,
  onNoted,
}: {
  db: Database;
  /** There is a channel to look at; told after the commit. */
  onNoted: () => void;
}): Route[] {
  const path = "/partner/v1/onboardings";
  const onePath = `${path}/{channel_id}`;

  async function show(channelId: string) {
    const row = await findOnboarding(db, channelId);
    if (row === undefined) {
      throw new NotFound();
    }
    return presentOnboarding(row);
  }

  return [
    partnerRoute(
      { method: "GET", path, operationId: "listOnboardings", scope: "partner:read" },
      async ({ query }) => {
        const page = parsePage(query, [CURSOR_ID]);
        const rows = await listOnboardings(db, {
          ...page,
          tenantId: queryText(query, "tenant_id"),
        });
        const keyOf = (row: (typeof rows)[number]) => [row.channel_id];
        return { status: 200, body: presentPage(rows, page, keyOf, presentOnboarding) };
      },
    ),
    partnerRoute(
      { method: "GET", path: onePath, operationId: "getOnboarding", scope: "partner:read" },
      async ({ params }) => ({ status: 200, body: await show(params["channel_id"] ?? "") }),
    ),
    partnerRoute(
      {
        method: "POST",
        path: `${onePath}/retry`,
        operationId: "retryOnboarding",
        scope: "partner:write",
      },
      async ({ params }) => {
        const channelId = params["channel_id"] ?? "";
        await db.transaction().execute((trx) => beginAnew(trx, channelId));
        onNoted();
        return { status: 202, body: await show(channelId) };
      },
    ),
  ];
}
