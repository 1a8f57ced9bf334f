import type { PartnerApi } from "../../dialog360/partner.ts";
import { ApiError, InvalidRequest, NotFound } from "../../errors.ts";
import type { Schemas } from "../../http/contract-types.ts";
import { CURSOR_ID, parsePage, presentPage } from "../../http/paging.ts";
import { queryText } from "../../http/query.ts";
import {
  partnerRoute,
  publicRoute,
  type Reply,
  type Route,
  tenantRoute,
} from "../../http/route.ts";
import type { Secret } from "../../secret.ts";
import type { Database } from "../../store/database.ts";
import { findTenant } from "../../tenancy/tenants.ts";
import { demandPartnerApi } from "../refused-by-hub.ts";
import { confirmLink } from "./confirm-link.ts";
import { readState, signState } from "./link-state.ts";
import {
  createLink,
  findLink,
  listLinks,
  noteOpened,
  type OnboardingLinkRow,
  presentLink,
  whyUnusable,
} from "./links.ts";
import type { Refusal, Refusals } from "./refusals.ts";
import { returnPage } from "./return-page.ts";
import { createTakeReturn } from "./take-return.ts";

/** Links for a tenant's customers: made, opened, come back from, and confirmed by hand. */
export function onboardingLinkRoutes(options: {
  db: Database;
  partnerApi: PartnerApi | undefined;
  platformSecret: Secret | undefined;
  /** Our PUBLIC_URL. */
  url: string;
  refusals: Refusals;
  onNoted: () => void;
}): Route[] {
  const { db, platformSecret, url, refusals, onNoted } = options;
  const takeReturn = createTakeReturn(options);
  const listPath = "/partner/v1/onboarding-links";

  const returnUrl = (): string => `${url}/onboarding/return`;

  async function makeLink(
    tenantId: string,
    { clientId, button }: { clientId: string | undefined; button: boolean },
  ): Promise<Reply> {
    const { partnerId } = demandPartnerApi(options.partnerApi);
    if (platformSecret === undefined) {
      const detail = "Set D360_PLATFORM_SECRET: links are signed with it.";
      throw new InvalidRequest([{ code: "platform_secret_missing", pointer: "", detail }]);
    }
    // The button goes to 360dialog's page by itself, so that we see no other opening than this.
    const wish = { wantedClientId: clientId ?? null, opened: button };
    const link = await createLink(db, tenantId, wish);
    const state = signState({ linkId: link.id, tenantId }, platformSecret);
    const body: Schemas["OnboardingLink"] = {
      id: link.id,
      url: `${url}/onboarding/start/${state}`,
      expires_at: link.expires_at.toISOString(),
      ...(button && { button: { partner_id: partnerId, state, redirect_url: returnUrl() } }),
    };
    return { status: 201, headers: { "cache-control": "no-store" }, body };
  }

  async function refuseToOpen(code: Refusal, link: OnboardingLinkRow | undefined): Promise<Reply> {
    await refusals.note({ operation: "openOnboardingLink", code, link });
    return returnPage({ kind: "refused", code });
  }

  return [
    partnerRoute(
      {
        method: "POST",
        path: "/partner/v1/tenants/{tenant_id}/onboarding-links",
        operationId: "createOnboardingLink",
        scope: "partner:write",
      },
      async ({ params, query }) => {
        const tenant = await findTenant(db, params["tenant_id"] ?? "");
        if (tenant === undefined) {
          throw new NotFound();
        }
        const button = query["button"] === true;
        return makeLink(tenant.id, { clientId: queryText(query, "client_id"), button });
      },
    ),
    tenantRoute(
      {
        method: "POST",
        path: "/tenant/v1/onboarding-links",
        operationId: "createTenantOnboardingLink",
        scope: "numbers:write",
      },
      ({ caller, query }) => {
        if (caller.phoneNumberIds !== null) {
          const detail = "A token that is limited to some numbers cannot bring in others.";
          throw new ApiError("insufficient_scope", detail);
        }
        return makeLink(caller.tenantId, {
          clientId: undefined,
          button: query["button"] === true,
        });
      },
    ),
    partnerRoute(
      {
        method: "GET",
        path: listPath,
        operationId: "listOnboardingLinks",
        scope: "partner:read",
      },
      async ({ query }) => {
        const page = parsePage(query, [CURSOR_ID]);
        const tenantId = queryText(query, "tenant_id");
        const outcome = queryText(query, "state") as OnboardingLinkRow["outcome"] | undefined;
        const rows = await listLinks(db, { ...page, tenantId, outcome });
        return { status: 200, body: presentPage(rows, page, (row) => [row.id], presentLink) };
      },
    ),
    partnerRoute(
      {
        method: "POST",
        path: `${listPath}/{link_id}/confirm`,
        operationId: "confirmOnboardingLink",
        scope: "partner:write",
      },
      async ({ params, caller }) => {
        const linkId = params["link_id"] ?? "";
        const link = await confirmLink(db, { linkId, by: caller.clientId });
        onNoted();
        return { status: 200, body: presentLink(link) };
      },
    ),
    publicRoute(
      { method: "GET", path: "/onboarding/start/{state}", operationId: "openOnboardingLink" },
      async ({ params }) => {
        const state = platformSecret && readState(params["state"] ?? "", platformSecret);
        const link = state && (await findLink(db, state));
        const { partnerApi } = options;
        if (link === undefined || partnerApi === undefined) {
          return refuseToOpen("link_invalid", undefined);
        }
        const unusable = whyUnusable(link);
        if (unusable !== undefined) {
          return refuseToOpen(unusable, link);
        }
        await noteOpened(db, link.id);
        const location = partnerApi.permissionsPage({
          state: params["state"] ?? "",
          redirect_url: returnUrl(),
          ...(link.wanted_client_id !== null && { client_id: link.wanted_client_id }),
        });
        const headers = { location, "cache-control": "no-store", "referrer-policy": "no-referrer" };
        return { status: 302, headers };
      },
    ),
    publicRoute(
      { method: "GET", path: "/onboarding/return", operationId: "completeOnboarding" },
      async ({ query }) => returnPage(await takeReturn(query)),
    ),
  ];
}
