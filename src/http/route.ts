import type { IncomingMessage } from "node:http";
import type { Context } from "koa";
import type { CheckVersion } from "./etag.ts";
import type { ApiError } from "../errors.ts";
import type { Caller, PartnerCaller, TenantCaller } from "./caller.ts";

/** Who may call a route; the table of routes is thereby the authorization matrix. */
export type Access =
  | { kind: "public" }
  /** Checked by the handler itself: token in the path, secret in a header. */
  | { kind: "hook" }
  | { kind: "tenant"; scope: string }
  | { kind: "partner"; scope: string };

/** One call as a handler sees it: `body` and `query` have passed the contract. */
export type Call = {
  params: Record<string, string>;
  query: Record<string, unknown>;
  body: unknown;
  requestId: string;
  /** Who calls; absent on public rows and hooks. */
  caller: Caller | undefined;
  /** Asked by whoever changes a resource that has an ETag. */
  checkVersion: CheckVersion;
  ctx: Context;
};

export type Reply = { status: number; body?: unknown; headers?: Record<string, string> };

/** One row: an operation of `openapi.yaml`, in its path syntax (`/tenants/{tenant_id}`). */
export type Route = {
  method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  path: string;
  operationId: string;
  access: Access;
  /**
   * Whether it changes what processes remember, so that its answer waits until this one has heard
   * of it. Unsaid, that is so of whatever a tenant or the partner does but GET.
   */
  writes?: boolean;
  handler: (call: Call) => Promise<Reply> | Reply;
  /** Of a hook: what answers where the path is written plainly, before Koa. */
  direct?: HookHandler;
  /** Likewise: what every call is told now, before anything is done for it. */
  refusal?: () => ApiError | undefined;
};

/** What comes over a hook; the token is the path's last part. Answered 200, or as it fails. */
export type HookHandler = (call: {
  req: IncomingMessage;
  token: string;
  requestId: string;
}) => Promise<void>;

type RouteHead = Pick<Route, "method" | "path" | "operationId" | "writes">;

export function publicRoute(head: RouteHead, handler: Route["handler"]): Route {
  return { ...head, access: { kind: "public" }, handler };
}

/** A path whose last part is the hook's token. */
export function hookRoute(
  head: RouteHead,
  { direct, refusal }: { direct: HookHandler; refusal: () => ApiError | undefined },
): Route {
  return {
    ...head,
    access: { kind: "hook" },
    direct,
    refusal,
    async handler({ ctx, params, requestId }) {
      const refused = refusal();
      if (refused !== undefined) {
        throw refused;
      }
      await direct({ req: ctx.req, token: Object.values(params).at(-1) ?? "", requestId });
      return { status: 200 };
    },
  };
}

export type TenantCall = Omit<Call, "caller"> & { caller: TenantCaller };

export function tenantRoute(
  head: RouteHead & { scope: string },
  handler: (call: TenantCall) => Promise<Reply> | Reply,
): Route {
  const { scope, ...rest } = head;
  return {
    ...rest,
    access: { kind: "tenant", scope },
    handler: (call) => handler({ ...call, caller: call.caller as TenantCaller }),
  };
}

export type PartnerCall = Omit<Call, "caller"> & { caller: PartnerCaller };

export function partnerRoute(
  head: RouteHead & { scope: string },
  handler: (call: PartnerCall) => Promise<Reply> | Reply,
): Route {
  const { scope, ...rest } = head;
  return {
    ...rest,
    access: { kind: "partner", scope },
    handler: (call) => handler({ ...call, caller: call.caller as PartnerCaller }),
  };
}
