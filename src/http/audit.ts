import { ApiError } from "../errors.ts";
import type { Caller } from "./caller.ts";
import type { Call, Route } from "./route.ts";

/** What is known of a writing call before it does anything. */
export type AuditedCall = {
  caller: Caller;
  operation: string;
  params: Record<string, string>;
  requestId: string;
  /** What it is about as it was shown just before; `null` where that cannot be read or is not there. */
  before: unknown;
};

/** What came of it: what it was answered, or the code that it was refused with. */
export type AuditedEnd = { status: number; code: string | null; after: unknown };

/** Writes down that a call begins, before it does; and afterwards what came of it. */
export type Audit = (call: AuditedCall) => Promise<(end: AuditedEnd) => Promise<void>>;

/**
 * Goes around a row that changes something. What is not written down as begun is not begun: so there
 * is no change without an entry, whenever the process dies.
 */
export function auditRoute(route: Route, routes: readonly Route[], audit: Audit): Route["handler"] {
  const reader = readerOf(route, routes);
  return async (call) => {
    if (call.caller === undefined) {
      return route.handler(call);
    }
    const { caller, params, requestId } = call;
    const before = reader === undefined ? null : await show(reader, call);
    const audited = { caller, operation: route.operationId, params, requestId, before };
    return underAudit(audit, audited, {
      run: async () => route.handler(call),
      endOf: ({ status, body }) => ({ status, code: null, after: body ?? null }),
    });
  };
}

/** Does what a call asks for between its two entries. */
export async function underAudit<T>(
  audit: Audit,
  call: AuditedCall,
  { run, endOf }: { run: () => Promise<T>; endOf: (done: T) => AuditedEnd | Promise<AuditedEnd> },
): Promise<T> {
  const end = await audit(call);
  let done: T;
  try {
    done = await run();
  } catch (error) {
    const known = error instanceof ApiError ? error : undefined;
    await end({ status: known?.status ?? 500, code: known?.code ?? null, after: null });
    throw error;
  }
  await end(await endOf(done));
  return done;
}

/** The row that shows what another one changes: at its path, or nearest above it. */
function readerOf(route: Route, routes: readonly Route[]): Route | undefined {
  return routes
    .filter(
      ({ method, operationId, path, access }) =>
        method === "GET" &&
        operationId.startsWith("get") &&
        access.kind === route.access.kind &&
        `${route.path}/`.startsWith(`${path}/`),
    )
    .toSorted((left, right) => right.path.length - left.path.length)[0];
}

async function show(reader: Route, call: Call): Promise<unknown> {
  try {
    return (await reader.handler({ ...call, query: {}, body: undefined })).body ?? null;
  } catch (error) {
    // Missing, foreign, or refused: the call itself will say which.
    if (error instanceof ApiError) {
      return null;
    }
    throw error;
  }
}
