import Koa, { type Context, type Middleware, type Next } from "koa";
import type { IncomingMessage, ServerResponse } from "node:http";
import { Router } from "@koa/router";
import { ApiError, NotFound } from "../errors.ts";
import type { Log } from "../log.ts";
import type { Metrics } from "../metrics.ts";
import { type Audit, auditRoute } from "./audit.ts";
import { MiB, parseJson, readBody } from "./body.ts";
import { beginRecord, type CallRecord, completeRecord } from "./call-record.ts";
import type { Caller } from "./caller.ts";
import type { Contract } from "./contract.ts";
import { createCheckVersion } from "./etag.ts";
import { createAnswerFailure } from "./failure.ts";
import { createHookListener } from "./hook-calls.ts";
import type { Access, Route } from "./route.ts";
import { createWhatsAppListener, type WhatsAppHandler } from "./whatsapp-calls.ts";

/** Finds out who calls, and throws when they may not. */
export type Guard = (ctx: Context, access: Access) => Promise<Caller | undefined>;

const JSON_BODY_BYTES_MAX = MiB;

/** First path segments that are never the WhatsApp API. */
const RESERVED = new Set(
  "tenant partner oauth2 hooks onboarding console docs .well-known healthz readyz".split(" "),
);
const RESERVED_FILES = /^(openapi\.[^/]*|asyncapi\.yaml|postman\.json)$/;

export type AppOptions = {
  routes: readonly Route[];
  guard: Guard;
  contract: Contract;
  /** Whether a failure is the database's and passes: then 503, and the caller may come again. */
  isPassingTrouble: (error: unknown) => boolean;
  /** Told of every writing call of a tenant or the partner, before it does anything and after. */
  audit: Audit;
  /** Awaited before a writing call is answered: its caller finds what it wrote in force here. */
  afterWrite?: () => Promise<void>;
  /** Absent where this process serves no tenants. */
  whatsApp?: WhatsAppHandler;
  log: Log;
  metrics: Metrics;
};

/** Everything that is served: the WhatsApp API and hooks by listeners of their own, the rest of the route table by Koa. */
export function createApp(
  options: AppOptions,
): (req: IncomingMessage, res: ServerResponse) => Promise<void> {
  const { whatsApp } = options;
  const app = new Koa();
  // What fails is answered and logged below; what Koa hears of besides is a caller that has left.
  app.silent = true;
  app.use(recordCall(options));
  app.use(routeTable(options));
  const koa = app.callback();
  const listenHooks = createHookListener(options.routes, options);
  const ours = (req: IncomingMessage, res: ServerResponse): Promise<void> =>
    listenHooks(req, res) ?? koa(req, res);
  if (whatsApp === undefined) {
    return ours;
  }
  const listenWhatsApp = createWhatsAppListener({ ...options, whatsApp });
  return (req, res) => {
    req.url = pathOf(req.url ?? "/");
    return isReserved(req.url) ? ours(req, res) : listenWhatsApp(req, res);
  };
}

/** Names the call, logs it when it is answered, and renders what it fails with. */
function recordCall(options: AppOptions): Middleware {
  const answerFailure = createAnswerFailure({ ...options, whatsApp: false });
  return async (ctx, next) => {
    const { req, res } = ctx;
    const record = beginRecord(req);
    ctx.state["record"] = record;
    const headers = { "x-request-id": record.requestId };
    ctx.set(headers);
    try {
      await next();
    } catch (error) {
      ctx.respond = false;
      answerFailure(error, { res, record, headers });
    }
    completeRecord(options, record, { method: ctx.method, status: res.statusCode });
  };
}

function recordOf(ctx: Context): CallRecord {
  return ctx.state["record"] as CallRecord;
}

/** A client that takes us for a proxy sends the whole URL (RFC 9112, section 3.2.2). */
function pathOf(target: string): string {
  return target.startsWith("/") ? target : target.replace(/^https?:\/\/[^/?#]*\/?/i, "/");
}

/** A request target that is no path (RFC 9112, section 3.2.2) is none of the WhatsApp API's either. */
function isReserved(url: string): boolean {
  const first = /^\/([^/?]*)/.exec(url)?.[1];
  return first === undefined || RESERVED.has(first) || RESERVED_FILES.test(first);
}

type RouteTableOptions = Pick<AppOptions, "routes" | "guard" | "contract" | "audit" | "afterWrite">;

function routeTable(options: RouteTableOptions): Middleware {
  const router = new Router({ strict: true });
  for (const route of options.routes) {
    router.register(
      route.path.replaceAll(/\{(\w+)\}/g, ":$1"),
      [route.method.toLowerCase()],
      [handle(route, options)],
    );
  }
  const table = router.routes() as unknown as Middleware;
  return (ctx, next) =>
    table(ctx, async () => {
      const { methods } = matchingMethods(router, ctx.path);
      if (methods.length > 0) {
        throw new ApiError("method_not_allowed", `This path takes ${methods.join(", ")}.`, {
          headers: { allow: methods.join(", ") },
        });
      }
      await next();
      throw new ApiError("not_found", "There is nothing at this path.");
    });
}

function matchingMethods(router: Router, path: string): { methods: string[] } {
  const layers = router.match(path, "OPTIONS").path;
  const methods = layers.flatMap((layer) => layer.methods);
  return { methods: [...new Set(methods)].filter((method) => method !== "HEAD").toSorted() };
}

function handle(route: Route, options: RouteTableOptions) {
  const { guard, contract, audit, afterWrite } = options;
  const writes =
    route.writes ?? (route.method !== "GET" && /^(partner|tenant)$/.test(route.access.kind));
  const handler = writes ? auditRoute(route, options.routes, audit) : route.handler;
  return async (ctx: Context & { params: Record<string, string> }, _next: Next): Promise<void> => {
    const record = recordOf(ctx);
    record.operation = route.operationId;
    record.caller = await guard(ctx, route.access);
    refuseNul(ctx);
    const query = contract.checkQuery(route.operationId, { ...ctx.query });
    // What comes over a hook is read as bytes, and judged by nobody before it is stored.
    const takesJson = route.access.kind !== "hook" && contract.takesJson(route.operationId);
    const body = takesJson ? await jsonBody(ctx) : undefined;
    if (takesJson) {
      contract.checkBody(route.operationId, body);
    }
    const reply = await handler({
      ctx,
      params: ctx.params,
      query,
      body,
      requestId: record.requestId,
      caller: record.caller,
      checkVersion: createCheckVersion(ctx.headers["if-match"]),
    });
    if (writes && reply.status < 400) {
      await afterWrite?.();
    }
    ctx.status = reply.status;
    ctx.set(reply.headers ?? {});
    ctx.body = reply.body ?? null;
    // Koa turns an empty body into 204; the handler's status is what was meant.
    ctx.status = reply.status;
  };
}

/** PostgreSQL's text cannot hold U+0000: an id with one is a missing one, a filter with one is wrong. */
function refuseNul(ctx: Context & { params: Record<string, string> }): void {
  if (Object.values(ctx.params).some((value) => value.includes("\0"))) {
    throw new NotFound();
  }
  if (/%00/.test(ctx.querystring)) {
    throw new ApiError("invalid_parameter", "A parameter must not contain U+0000.");
  }
}

async function jsonBody(ctx: Context): Promise<unknown> {
  if (ctx.request.is("json", "+json") === false) {
    throw new ApiError("unsupported_media_type", "Send the body as application/json.");
  }
  const body = await readBody(ctx.req, { bytesMax: JSON_BODY_BYTES_MAX });
  if (body.includes("\\u0000")) {
    throw new ApiError("invalid_parameter", "The texts in the body must not contain U+0000.");
  }
  return parseJson(body);
}
