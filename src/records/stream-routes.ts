import { pipeline } from "node:stream";
import type { EventCursor } from "../events/read-events.ts";
import { parsePage } from "../http/paging.ts";
import { type Route, tenantRoute } from "../http/route.ts";
import { type Authenticate, bearerToken, demandScope } from "../tenancy/authenticate.ts";
import { EVENT_CURSOR, filterOf } from "./event-routes.ts";
import type { EventStreams } from "./stream/event-streams.ts";

const HEADERS = {
  "content-type": "text/event-stream",
  "cache-control": "no-store",
  // What stands before us should pass each message on as it comes.
  "x-accel-buffering": "no",
};

/** A tenant's events as they come. */
export function streamRoutes(options: {
  streams: EventStreams;
  authenticate: Authenticate;
}): Route[] {
  const { streams, authenticate } = options;
  const scope = "events:read";
  return [
    tenantRoute(
      { method: "GET", path: "/tenant/v1/events/stream", operationId: "streamEvents", scope },
      ({ caller, query, ctx }) => {
        // A reader that comes again says what it had last, and keeps the address it began with.
        const lastEventId = ctx.get("last-event-id");
        const cursor = lastEventId === "" ? query["cursor"] : lastEventId;
        const { after } = parsePage({ cursor }, EVENT_CURSOR);
        const filter = filterOf(query, caller);
        const token = bearerToken(ctx.req);
        const { messages, end } = streams.open({
          tenantId: caller.tenantId,
          filter,
          after: (after as EventCursor | undefined) ?? (filter.from && ["0", "0"]),
          async demandCaller() {
            demandScope(await authenticate(token), scope);
          },
        });
        // A reader that leaves is no failure: not Koa's to tell of.
        ctx.respond = false;
        ctx.res.writeHead(200, HEADERS);
        pipeline(messages, ctx.res, () => {});
        ctx.res.once("close", end);
        return { status: 200 };
      },
    ),
  ];
}
