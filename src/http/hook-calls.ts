import type { IncomingMessage, ServerResponse } from "node:http";
import type { ApiError } from "../errors.ts";
import { countCall, type Metrics } from "../metrics.ts";
import type { Log } from "../log.ts";
import { beginRecord, completeRecord } from "./call-record.ts";
import { createAnswerFailure } from "./failure.ts";
import { renderProblem } from "./problem.ts";
import type { HookHandler, Route } from "./route.ts";

type HookOptions = {
  log: Log;
  metrics: Metrics;
  isPassingTrouble: (error: unknown) => boolean;
};

/** Answers a call if it is a hook's. */
export type HookListener = (req: IncomingMessage, res: ServerResponse) => Promise<void> | undefined;

/**
 * Notifications come by the thousand a second, and use nothing of what Koa offers: like the WhatsApp
 * API their route stands before it (docs/decisions/0011). A path that is not written plainly, or
 * another method, is the route table's to answer.
 */
export function createHookListener(routes: readonly Route[], options: HookOptions): HookListener {
  const answerFailure = createAnswerFailure({ ...options, whatsApp: false });
  const hooks = routes.flatMap(({ method, path, operationId, direct, refusal }) => {
    const [prefix = "", parameter] = path.split(/\{(?:\w+)\}$/);
    return direct === undefined || method !== "POST" || parameter !== ""
      ? []
      : [{ prefix, operationId, handler: direct, refusal }];
  });

  async function answer(
    { operationId, handler }: { operationId: string; handler: HookHandler },
    token: string,
    { req, res }: { req: IncomingMessage; res: ServerResponse },
  ): Promise<void> {
    const record = beginRecord(req);
    record.operation = operationId;
    const { requestId } = record;
    const headers = { "x-request-id": requestId };
    try {
      await handler({ req, token, requestId });
      res.writeHead(200, { ...headers, "content-length": 0 }).end();
    } catch (error) {
      answerFailure(error, { res, record, headers });
    }
    if (res.statusCode === 200) {
      // Its line in the log is `notification.received`; two for each would be as many again.
      const durationMs = performance.now() - record.startedMs;
      countCall(options.metrics, { operation: operationId, status: 200, durationMs });
    } else {
      completeRecord(options, record, { method: "POST", status: res.statusCode });
    }
  }

  /**
   * Beyond what can be written a refusal must cost next to nothing, or refusing takes the time that
   * writing needs: no look-up, no body, and a figure instead of a line in the log for each.
   */
  function refuse(
    error: ApiError,
    operation: string,
    { req, res }: { req: IncomingMessage; res: ServerResponse },
  ): Promise<void> {
    const { requestId, startedMs } = beginRecord(req);
    const { status, headers, body } = renderProblem(error, { requestId, whatsApp: false });
    const ours = { "x-request-id": requestId, "content-length": Buffer.byteLength(body) };
    res.writeHead(status, { ...ours, ...headers }).end(body);
    const durationMs = performance.now() - startedMs;
    countCall(options.metrics, { operation, status, code: error.code, durationMs });
    return Promise.resolve();
  }

  return (req, res) => {
    const { method, url = "" } = req;
    if (method !== "POST") {
      return undefined;
    }
    const hook = hooks.find(({ prefix }) => url.startsWith(prefix));
    const token = hook && url.slice(hook.prefix.length);
    if (hook === undefined || token === undefined || !PLAIN_TOKEN.test(token)) {
      return undefined;
    }
    const refused = hook.refusal?.();
    return refused === undefined
      ? answer(hook, token, { req, res })
      : refuse(refused, hook.operationId, { req, res });
  };
}

const PLAIN_TOKEN = /^[\w-]+$/;
