import Koa, { type Context, type Middleware, type Next } from "koa";
import { Router } from "@koa/router";
import { ApiError, NotFound } from "../errors.ts";
import { newId } from "../ids.ts";
import { type Log, logRequestCompleted, logRequestFailed } from "../log.ts";
import { countCall, type Metrics } from "../metrics.ts";
import { ClientGone, MiB, parseJson, readBody } from "./body.ts";
import type { Caller } from "./caller.ts";
import type { Contract } from "./contract.ts";
import { renderProblem } from "./problem.ts";
import type { Access, Route } from "./route.ts";

/** Finds out who calls, and throws when they may not. */
export type Guard = (ctx: Context, access: Access) => Promise<Caller | undefined>;

/** The catch-all at the end of the table; answers for itself and leaves its name for the log. */
export type WhatsAppHandler = (ctx: Context, requestId: string) => Promise<void>;

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
  isPassingTrouble?: (error: unknown) => boolean;
  /** Awaited before a writing call is answered: its caller finds what it wrote in force here. */
  afterWrite?: () => Promise<void>;
  /** Absent where this process serves no tenants. */
  whatsApp?: WhatsAppHandler;
  log: Log;
  metrics: Metrics;
};

export function createApp(options: AppOptions): Koa {
  const app = new Koa();
  app.use(nameRequest);
  app.use(logCompleted(options));
  app.use(renderErrors(options));
  if (options.whatsApp !== undefined) {
    app.use(answerWhatsApp(options.whatsApp));
  }
  app.use(routeTable(options));
  return app;
}

const nameRequest: Middleware = (ctx, next) => {
  const given = ctx.get("x-request-id");
  const requestId = /^[\w.:-]{1,128}$/.test(given) ? given : newId("req");
  ctx.state["requestId"] = requestId;
  ctx.res.setHeader("x-request-id", requestId);
  return next();
};

function logCompleted({ log, metrics }: AppOptions): Middleware {
  return async (ctx, next) => {
    const startedMs = performance.now();
    await next();
    const { state } = ctx;
    const caller = state["caller"] as Caller | undefined;
    const fields = {
      requestId: state["requestId"] as string,
      method: ctx.method,
      // Never the URL: a path may hold a hook's token, a query a tenant's.
      operation: (state["operation"] as string | undefined) ?? "none",
      status: ctx.res.statusCode,
      durationMs: Math.round((performance.now() - startedMs) * 10) / 10,
      tenantId: caller?.kind === "tenant" ? caller.tenantId : undefined,
      clientId: caller?.clientId,
      phoneNumberId: state["phoneNumberId"] as string | undefined,
      messageId: state["messageId"] as string | undefined,
      code: state["code"] as string | undefined,
    };
    logRequestCompleted(log, fields);
    countCall(metrics, fields);
  };
}

function renderErrors({ log, isPassingTrouble }: AppOptions): Middleware {
  return async (ctx, next) => {
    try {
      await next();
    } catch (caught) {
      if (caught instanceof ClientGone) {
        ctx.respond = false;
        return;
      }
      const error = isPassingTrouble?.(caught) ? overloaded(caught) : caught;
      const requestId = ctx.state["requestId"] as string;
      if (!(error instanceof ApiError) || (error.status >= 500 && error.cause !== undefined)) {
        logRequestFailed(log, { requestId, err: error });
      }
      ctx.state["code"] = error instanceof ApiError ? error.code : "internal_error";
      if (ctx.res.headersSent) {
        // Half an answer must not look like a whole one.
        ctx.respond = false;
        ctx.res.destroy();
        return;
      }
      const problem = renderProblem(error, { requestId, whatsApp: !isReserved(ctx.path) });
      ctx.respond = true;
      ctx.status = problem.status;
      ctx.set(problem.headers);
      ctx.body = problem.body;
    }
  };
}

function overloaded(cause: unknown): ApiError {
  const detail = "The database cannot be asked right now; try again in a moment.";
  return new ApiError("overloaded", detail, { cause, headers: { "retry-after": "1" } });
}

function isReserved(path: string): boolean {
  const end = path.indexOf("/", 1);
  const first = end === -1 ? path.slice(1) : path.slice(1, end);
  return RESERVED.has(first) || RESERVED_FILES.test(first);
}

function answerWhatsApp(whatsApp: WhatsAppHandler): Middleware {
  return (ctx, next) =>
    isReserved(ctx.path) ? next() : whatsApp(ctx, ctx.state["requestId"] as string);
}

type RouteTableOptions = Pick<AppOptions, "routes" | "guard" | "contract" | "afterWrite">;

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
  const { guard, contract, afterWrite } = options;
  const writes = route.method !== "GET" && /^(partner|tenant)$/.test(route.access.kind);
  return async (ctx: Context & { params: Record<string, string> }, _next: Next): Promise<void> => {
    ctx.state["operation"] = route.operationId;
    ctx.state["caller"] = await guard(ctx, route.access);
    refuseNul(ctx);
    const query = contract.checkQuery(route.operationId, { ...ctx.query });
    // What comes over a hook is read as bytes, and judged by nobody before it is stored.
    const takesJson = route.access.kind !== "hook" && contract.takesJson(route.operationId);
    const body = takesJson ? await jsonBody(ctx) : undefined;
    if (takesJson) {
      contract.checkBody(route.operationId, body);
    }
    const requestId = ctx.state["requestId"] as string;
    const reply = await route.handler({ ctx, params: ctx.params, query, body, requestId });
    if (writes) {
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
