import { hash } from "node:crypto";
import { ApiError, NotFound } from "../errors.ts";
import { type GroupCommit, Overloaded } from "../events/group-commit.ts";
import { NO_TENANT } from "../events/no-tenant.ts";
import { copyForPartner } from "../events/partner-copy.ts";
import type {
  NewEvent,
  NewNotification,
  WrittenNotification,
} from "../events/write-notifications.ts";
import { ClientGone, MiB, readBody } from "../http/body.ts";
import { hookRoute, type Route } from "../http/route.ts";
import { newId } from "../ids.ts";
import { type Log, logNotificationReceived } from "../log.ts";
import { countNotification, type Metrics } from "../metrics.ts";
import { type FindHook, HOOK_SECRET_HEADER } from "../tenancy/hooks.ts";
import { type FindSender, ownEvents } from "./own-events.ts";
import { split } from "./split.ts";

// As Node names it.
const SECRET_HEADER = HOOK_SECRET_HEADER.toLowerCase();
const SIGNATURE_HEADER = "x-360dialog-signature";
const BODY_BYTES_MAX = 4 * MiB;
// 360dialog gives up after 5 s; a refusal before that makes it repeat, which is safe.
const ANSWER_WITHIN_MS = 4000;

/** PATH 2a: 360dialog's POSTs. 200 once everything is committed, and not before. */
export function hookRoutes(options: {
  findHook: FindHook;
  findTenantsOfWaba: (wabaId: string) => Promise<string[]>;
  /** What came to no number's address; `false` where it is none that is known, or not signed. */
  takePartnerEvent: (call: {
    token: string;
    signature: string;
    readBody: () => Promise<Buffer>;
  }) => Promise<boolean>;
  findSender: FindSender;
  commit: GroupCommit<NewNotification, WrittenNotification>;
  /** Tells the dispatcher for whom there may be something to deliver. */
  poke: (tenantIds: ReadonlySet<string>) => void;
  log: Log;
  metrics: Metrics;
}): Route[] {
  const { findHook, takePartnerEvent, findTenantsOfWaba, findSender, commit, poke, log, metrics } =
    options;
  return [
    hookRoute(
      {
        method: "POST",
        path: "/hooks/360dialog/{hook_token}",
        operationId: "receiveNotification",
      },
      {
        // Made once: an error remembers where it was made, which costs more than to answer it.
        refusal: () => (commit.isFull() ? REFUSED_EARLY : undefined),
        direct: ({ req, token, requestId }) =>
          within(ANSWER_WITHIN_MS, async () => {
            const startedMs = performance.now();
            const secret = req.headers[SECRET_HEADER];
            const owner = await findHook(token, typeof secret === "string" ? secret : undefined);
            if (owner === undefined) {
              const signature = req.headers[SIGNATURE_HEADER];
              const taken = await takePartnerEvent({
                token,
                signature: typeof signature === "string" ? signature : "",
                readBody: () => readBody(req, { bytesMax: BODY_BYTES_MAX }),
              });
              if (!taken) {
                throw new NotFound();
              }
              return;
            }
            const body = await readBody(req, { bytesMax: BODY_BYTES_MAX });
            const owned = await ownEvents(split(body), owner, {
              tenantsOfWaba: findTenantsOfWaba,
              sender: findSender,
            });
            const events = withPartnerCopies(owned);
            const notification: NewNotification = {
              id: newId("ntf"),
              numberId: owner.numberId,
              bodySha256: hash("sha256", body, "buffer"),
              bodyBytes: body.length,
              events,
            };
            const { newEventCount } = await commit.add(notification);
            poke(new Set(events.map(({ tenantId }) => tenantId)));
            countNotification(metrics, { newEventCount });
            logNotificationReceived(log, {
              requestId,
              notificationId: notification.id,
              numberId: owner.numberId,
              phoneNumberId: owner.phoneNumberId,
              bodyBytes: body.length,
              eventCount: events.length,
              newEventCount,
              withoutOwnerCount: owned.filter((event) => event.tenantId === NO_TENANT).length,
              durationMs: Math.round(performance.now() - startedMs),
            });
          }),
      },
    ),
  ];
}

function withPartnerCopies(events: NewEvent[]): NewEvent[] {
  const copies = events.map(copyForPartner).filter((copy) => copy !== undefined);
  return copies.length === 0 ? events : [...events, ...copies];
}

const REFUSED_EARLY = overloaded();

/**
 * Whatever fails before the commit, and a commit that takes too long, is answered 503, and
 * 360dialog sends it again. (A commit that comes late all the same makes the repeat a no-op.)
 */
async function within(durationMs: number, work: () => Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(overloaded()), durationMs);
  });
  try {
    await Promise.race([work(), late]);
  } catch (error) {
    if (error instanceof ApiError || error instanceof ClientGone) {
      throw error;
    }
    // Too much to do is no fault, and has no line of its own for each that is refused.
    throw error instanceof Overloaded && error.cause === undefined
      ? overloaded()
      : overloaded(error);
  } finally {
    clearTimeout(timer);
  }
}

function overloaded(cause?: unknown): ApiError {
  return new ApiError("overloaded", "It could not be stored in time; send it again.", {
    cause,
    headers: { "retry-after": "5" },
  });
}
