import type { IncomingHttpHeaders } from "node:http";
import { Readable } from "node:stream";
import { Client } from "undici";
import { type Connections, openConnections } from "../connections.ts";
import { ApiError } from "../errors.ts";
import { countExchange, type Metrics } from "../metrics.ts";
import type { Secret } from "../secret.ts";
import { AnswerCollector } from "./answer-collector.ts";
import { type AnswerSink, AnswerStreamer } from "./answer-streamer.ts";
import type { CallHandler, NotSent, Unanswered } from "./call-handler.ts";
import { createConnector, HTTP_1_ONLY } from "./connector.ts";

/** One call to 360dialog; `path` includes the query, byte for byte. */
export type UpstreamCall = {
  origin: string;
  method: string;
  path: string;
  /**
   * Name and value in turn; the key is added here and nowhere else. A streamed body keeps to the
   * `content-length` among them, and goes chunked without one.
   */
  headers: string[];
  apiKey: Secret;
  /** The Partner API takes its key in a header of another name. */
  keyHeader?: "d360-api-key" | "x-api-key";
  /** A stream is read as fast as upstream takes it, and is never destroyed: it may be a caller's. */
  body: Buffer | Readable | null;
};

/** What came of a call whose answer is kept whole. */
export type Exchange =
  | { kind: "answer"; status: number; headers: IncomingHttpHeaders; body: Buffer }
  | NotSent
  | Unanswered;

/**
 * What came of a call whose answer is passed on as it comes. `broken_off`: its head was passed on,
 * and then upstream or the reader broke the connection.
 */
export type Streamed =
  { kind: "streamed" } | { kind: "broken_off"; cause: Error } | NotSent | Unanswered;

/** Both throw `overloaded` when too many calls to the origin are under way. */
export type Upstream = {
  exchange(call: UpstreamCall): Promise<Exchange>;
  stream(call: UpstreamCall, sink: AnswerSink): Promise<Streamed>;
  close: () => Promise<void>;
};

/** To one origin, of this process. */
export type ConnectionsMax = { calls: number; media: number };

// At least twice rate × latency (measured: a pool that is too small doubles the latency silently).
// Files have their own, because how long one takes is up to whoever sends or takes it.
const CONNECTIONS_MAX: ConnectionsMax = { calls: 2048, media: 512 };
const TRIES = 3;

/** Connections to 360dialog. `timeoutMs` bounds the wait for an answer's head and between chunks. */
export function createUpstream(options: {
  timeoutMs: number;
  metrics: Metrics;
  connectionsMax?: ConnectionsMax;
}): Upstream {
  const { timeoutMs, metrics, connectionsMax = CONNECTIONS_MAX } = options;
  const settings: Client.Options = {
    ...HTTP_1_ONLY,
    pipelining: 1,
    headersTimeout: timeoutMs,
    bodyTimeout: timeoutMs,
    connect: createConnector(),
  };
  const open = (origin: string): Client => new Client(origin, settings);
  const calls = openConnections({ open, perOrigin: connectionsMax.calls });
  const media = openConnections({ open, perOrigin: connectionsMax.media });
  return {
    exchange(call) {
      const connections = call.body instanceof Readable ? media : calls;
      return untilSent<Exchange>({ connections, call, metrics }, (connection, resolve) => {
        dispatch(connection, call, new AnswerCollector(resolve));
      });
    },
    stream: (call, sink) =>
      untilSent<Streamed>({ connections: media, call, metrics }, (connection, resolve, reject) => {
        dispatch(connection, call, new AnswerStreamer({ sink, timeoutMs, resolve, reject }));
      }),
    async close() {
      await Promise.all([calls.destroy(), media.destroy()]);
    },
  };
}

/** A streamed body is not read before writing begins, so the next try has all of it too. */
function untilSent<Result extends Exchange | Streamed>(
  of: { connections: Connections; call: UpstreamCall; metrics: Metrics },
  attempt: (
    connection: Client,
    resolve: (result: Result) => void,
    reject: (error: unknown) => void,
  ) => void,
): Promise<Result> {
  const { connections, call, metrics } = of;
  return new Promise((resolve, reject) => {
    const connection = connections.take(call.origin) ?? refuse();
    let tries = 0;
    let startedMs = 0;
    let isOver = false;
    // A sink that fails is told of twice: by its own error, and by the answer that breaks off.
    function giveBack(): void {
      if (!isOver) {
        isOver = true;
        connections.giveBack(call.origin, connection);
      }
    }
    function tryOnce(): void {
      tries += 1;
      startedMs = performance.now();
      attempt(connection, onResult, onError);
    }
    function onResult(result: Result): void {
      const { kind } = result;
      countExchange(metrics, { kind, durationMs: performance.now() - startedMs });
      if (kind === "not_sent" && tries < TRIES) {
        // When undici is done with what broke: it tells of that while it clears the connection up.
        queueMicrotask(tryOnce);
      } else {
        giveBack();
        resolve(result);
      }
    }
    function onError(error: unknown): void {
      giveBack();
      reject(error);
    }
    tryOnce();
  });
}

/**
 * Rather than queued: no deadline counts in a queue, and a send must never stand behind another on
 * a connection that may die, because which of them was executed could not be told.
 * @throws {ApiError} `overloaded`
 */
function refuse(): never {
  throw new ApiError(
    "overloaded",
    "There are as many such calls to 360dialog under way as may be; nothing was sent.",
    { headers: { "retry-after": "1" } },
  );
}

function dispatch(connection: Client, call: UpstreamCall, handler: CallHandler): void {
  const { origin, method, path, headers, apiKey, keyHeader = "d360-api-key", body } = call;
  try {
    connection.dispatch(
      {
        origin,
        method,
        path,
        headers: [...headers, keyHeader, apiKey.reveal()],
        body: body instanceof Readable ? borrow(body) : body,
      },
      handler,
    );
  } catch (error) {
    handler.fail(error as Error);
  }
}

/**
 * A stream over another that undici may destroy. It begins to read when it is read, breaks off when
 * the other breaks off, and leaves it standing: to destroy a request is to hang up on its caller.
 */
function borrow(body: Readable): Readable {
  return Readable.from(body.iterator({ destroyOnReturn: false }), { objectMode: false });
}
