import { Readable } from "node:stream";
import { ApiError } from "../../errors.ts";
import {
  type EventCursor,
  type EventFilter,
  matchesFilter,
  readEvents,
  readSettledEnd,
} from "../../events/read-events.ts";
import type { ChangeFeed } from "../../store/change-feed.ts";
import type { Database } from "../../store/database.ts";
import { COMMENT, OPENING, renderMessage } from "./render-message.ts";
import { createSharedPages, PAGE_MAX } from "./shared-pages.ts";
import { createTenantNews, type TenantNews } from "./tenant-news.ts";

export type StreamWish = {
  tenantId: string;
  filter: EventFilter;
  /** The place to go on from; what comes from now on, if unsaid. */
  after: EventCursor | undefined;
  /** Throws when the caller may not read any more. */
  demandCaller: () => Promise<unknown>;
};

export type EventStreams = Pick<TenantNews, "poke"> & {
  /**
   * `end` is to be called when the reader has left.
   * @throws {ApiError} `rate_limited` when the tenant has enough of them
   */
  open: (wish: StreamWish) => { messages: Readable; end: () => void };
  /** Ends them all; none is opened after that. */
  close: () => void;
};

const STREAMS_OF_TENANT_MAX = 20;
const CHECK_EVERY_MS = 1000;
const COMMENT_EVERY_CHECKS = 15;
// For what the reader has not taken yet.
const END_WITHIN_MS = 1000;

type Stream = { wish: StreamWish; end: () => void; beat: () => void };

/**
 * Events as they come (server-sent events), each with the list's cursor as its id. A reader pulls: one
 * that is slow has a page waiting and no more, and reads on from where it is.
 */
export function createEventStreams(options: { db: Database; feed: ChangeFeed }): EventStreams {
  const { db, feed } = options;
  const news = createTenantNews(feed);
  const readPage = createSharedPages(db);
  const streams = new Set<Stream>();
  let closed = false;
  let checks = 0;
  let checking: NodeJS.Timeout | undefined;

  async function* run(wish: StreamWish, bell: Bell): AsyncGenerator<string> {
    const { tenantId, filter } = wish;
    yield OPENING;
    let position = wish.after ?? (await readSettledEnd(db));
    // What is long past is read by the filter, what comes is read once for all and filtered here.
    for (let behind = wish.after !== undefined; behind && !bell.ended();) {
      const end = await readSettledEnd(db);
      const rows = await readEvents(db, tenantId, { ...filter, after: position, limit: PAGE_MAX });
      behind = rows.length > PAGE_MAX;
      const page = rows.slice(0, PAGE_MAX);
      const last = page.at(-1);
      position = last === undefined ? position : [last.xid, last.seq];
      position = behind ? position : later(position, end);
      if (page.length > 0) {
        yield page.map(renderMessage).join("");
      }
    }
    const watcher = { position, wake: bell.wake };
    const unwatch = news.watch(tenantId, watcher);
    try {
      while (!bell.ended()) {
        const rows = await readPage(tenantId, watcher.position);
        const last = rows.at(-1);
        if (last !== undefined) {
          watcher.position = [last.xid, last.seq];
          const text = rows
            .filter((row) => matchesFilter(row, filter))
            .map(renderMessage)
            .join("");
          if (text !== "") {
            yield text;
          }
        } else if ((await bell.next()) === "beat") {
          yield COMMENT;
        }
      }
    } finally {
      unwatch();
    }
  }

  async function check(): Promise<void> {
    checks += 1;
    for (const stream of streams) {
      if (checks % COMMENT_EVERY_CHECKS === 0) {
        stream.beat();
      }
      await stream.wish.demandCaller().catch((error: unknown) => {
        if (error instanceof ApiError && error.status < 500) {
          stream.end();
        }
      });
    }
  }

  function open(wish: StreamWish): { messages: Readable; end: () => void } {
    const own = [...streams].filter((stream) => stream.wish.tenantId === wish.tenantId);
    if (closed || own.length >= STREAMS_OF_TENANT_MAX) {
      const detail = `At most ${STREAMS_OF_TENANT_MAX} streams may be open at once.`;
      throw new ApiError("rate_limited", detail, { headers: { "retry-after": "5" } });
    }
    const bell = createBell();
    // A page at a time waits for the reader, and not sixteen.
    const messages = Readable.from(run(wish, bell), { highWaterMark: 1 });
    function end(): void {
      bell.end();
      streams.delete(stream);
      if (streams.size === 0) {
        clearInterval(checking);
        checking = undefined;
      }
      setTimeout(() => messages.destroy(), END_WITHIN_MS).unref();
    }
    const stream: Stream = { wish, beat: bell.beat, end };
    streams.add(stream);
    checking ??= setInterval(() => void check(), CHECK_EVERY_MS);
    return { messages, end };
  }

  return {
    open,
    poke: news.poke,
    close() {
      closed = true;
      for (const stream of streams) {
        stream.end();
      }
    },
  };
}

type Bell = ReturnType<typeof createBell>;

/** What a stream waits for: news, the time for a sign of life, or its end. What rings unheard is kept. */
function createBell() {
  let ended = false;
  let rung: "news" | "beat" | undefined;
  let hear: (() => void) | undefined;
  function ring(kind: "news" | "beat"): void {
    rung = rung === "news" ? rung : kind;
    hear?.();
  }
  return {
    wake: () => ring("news"),
    beat: () => ring("beat"),
    end() {
      ended = true;
      ring("news");
    },
    ended: () => ended,
    async next(): Promise<"news" | "beat" | undefined> {
      if (rung === undefined) {
        await new Promise<void>((resolve) => (hear = resolve));
        hear = undefined;
      }
      const heard = rung;
      rung = undefined;
      return heard;
    },
  };
}

function later(left: EventCursor, right: EventCursor): EventCursor {
  return BigInt(left[0]) > BigInt(right[0]) ? left : right;
}
