import type { Context } from "koa";
import { ApiError } from "../errors.ts";
import type { WhatsAppHandler } from "../http/app.ts";
import { MiB, readBody } from "../http/body.ts";
import { newId } from "../ids.ts";
import { type Authenticate, demandKind, demandScope } from "../tenancy/authenticate.ts";
import { chooseNumber } from "../tenancy/choose-number.ts";
import type { Directory, DirectoryNumber, DirectoryTenant } from "../tenancy/directory.ts";
import { credentialOf } from "./credential.ts";
import type { Forward } from "./forward.ts";
import { pickAnswerHeaders, upstreamRequestHeaders } from "./headers.ts";
import { findOperation, type Operation } from "./operations.ts";
import { type ParsedPath, parsePath } from "./parse-path.ts";
import type { AnswerWebhookSettings } from "./webhook-settings.ts";

const JSON_BYTES_MAX = MiB;

/** PATH 1: every call of the WhatsApp API, from its path to its answer. */
export function createWhatsAppHandler(options: {
  authenticate: Authenticate;
  directory: Directory;
  forward: Forward;
  answerWebhookSettings: AnswerWebhookSettings;
}): WhatsAppHandler {
  const { authenticate, directory, forward, answerWebhookSettings } = options;

  async function call(
    ctx: Context,
    number: DirectoryNumber,
    found: { operation: Operation; path: string; requestId: string },
  ): Promise<void> {
    const { operation, path, requestId } = found;
    const messageId = operation.kind === "send" ? newId("msg") : undefined;
    ctx.state["messageId"] = messageId;
    if (messageId !== undefined) {
      ctx.res.setHeader("gateway-message-id", messageId);
    }
    const body = await readBody(ctx.req, { bytesMax: JSON_BYTES_MAX });
    const {
      status,
      headers,
      body: answer,
    } = await forward(number, {
      method: ctx.method,
      path,
      headers: upstreamRequestHeaders(ctx.req.headers, requestId),
      body: body.length > 0 ? body : null,
      messageId,
    });
    // Past Koa, which would set a content type of its own where 360dialog sent none.
    ctx.respond = false;
    ctx.res.writeHead(status, { ...pickAnswerHeaders(headers), "content-length": answer.length });
    ctx.res.end(answer);
  }

  return async (ctx, requestId) => {
    const parsed = parsePath(ctx.req.url ?? "/");
    const token = credentialOf(ctx.req, parsed.queryToken);
    const caller = demandKind(await authenticate(token), "tenant");
    ctx.state["caller"] = caller;
    const tenant = await directory.findTenant(caller.tenantId);
    const found = findOperation(ctx.method, parsed.segments);
    if (found === undefined || tenant === undefined || isOwnId(parsed, tenant)) {
      throw unknownOperation(ctx.method);
    }
    const { operation, upstreamPath } = found;
    ctx.state["operation"] = operation.operationId;
    demandScope(caller, operation.scope);

    const number = chooseNumber(
      {
        pathId: parsed.pathId,
        headerId: ctx.get("x-phone-number-id") || undefined,
        queryId: parsed.queryNumberId,
      },
      { numbers: tenant.numbers, among: caller.phoneNumberIds },
    );
    ctx.state["phoneNumberId"] = number.phoneNumberId;
    await (operation.kind === "webhook_settings"
      ? answerWebhookSettings(ctx, { tenantId: tenant.id, phoneNumberId: number.phoneNumberId })
      : call(ctx, number, { operation, path: upstreamPath + parsed.search, requestId }));
  };
}

/** A bare id is a media id, unless it is one of the tenant's own: 360dialog has no such node. */
function isOwnId(parsed: ParsedPath, tenant: DirectoryTenant): boolean {
  const [id, ...others] = parsed.segments;
  return (
    others.length === 0 &&
    tenant.numbers.some((number) => number.phoneNumberId === id || number.wabaId === id)
  );
}

function unknownOperation(method: string): ApiError {
  return new ApiError(
    "unknown_operation",
    `This gateway offers no such WhatsApp operation with ${method}; nothing was called.`,
  );
}
