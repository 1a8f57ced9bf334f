import type { Context } from "koa";
import { ApiError, InvalidRequest } from "../errors.ts";
import { MiB, parseJson, readBody } from "../http/body.ts";

export type WebhookSettingsOf = { tenantId: string; phoneNumberId: string };
type Settings = { url: string; headers: Record<string, string> };

/** Where they are kept: a number's one endpoint. */
export type DropInSettings = {
  get: (tenantId: string, phoneNumberId: string) => Promise<Settings>;
  set: (tenantId: string, phoneNumberId: string, wish: Settings) => Promise<Settings>;
};

export type AnswerWebhookSettings = (ctx: Context, of: WebhookSettingsOf) => Promise<void>;

/**
 * `GET|POST /v1/configs/webhook` as 360dialog answers it, but set here and never forwarded: a tool
 * that sets its webhook at 360dialog sets its endpoint at the gateway without knowing.
 */
export function createAnswerWebhookSettings(settings: DropInSettings): AnswerWebhookSettings {
  return async (ctx, { tenantId, phoneNumberId }) => {
    if (ctx.method === "GET") {
      ctx.body = await settings.get(tenantId, phoneNumberId);
      return;
    }
    const body = await readBody(ctx.req, { bytesMax: MiB });
    try {
      ctx.body = await settings.set(tenantId, phoneNumberId, parseSettings(parseJson(body)));
    } catch (error) {
      if (!(error instanceof ApiError && (error.status === 400 || error.status === 422))) {
        throw error;
      }
      ctx.state["code"] = error.code;
      ctx.status = 400;
      ctx.body = renderMeta(error);
    }
  };
}

function parseSettings(body: unknown): Settings {
  const given = (body ?? {}) as Partial<Record<keyof Settings, unknown>>;
  if (typeof given.url !== "string") {
    const detail = "url must be a string.";
    throw new InvalidRequest([{ code: "url_invalid", pointer: "/url", detail }]);
  }
  const headers = given.headers ?? {};
  const areTexts =
    typeof headers === "object" &&
    !Array.isArray(headers) &&
    Object.values(headers).every((value) => typeof value === "string");
  if (!areTexts) {
    const detail = "headers must be an object whose values are strings.";
    throw new InvalidRequest([{ code: "header_invalid", pointer: "/headers", detail }]);
  }
  return { url: given.url, headers: headers as Record<string, string> };
}

/** 360dialog's own form of an error on `/v1/configs/*`, with our codes in the details. */
function renderMeta(error: ApiError): object {
  return {
    meta: {
      success: false,
      http_code: 400,
      developer_message: error.message,
      details: error.errors?.map(({ code, detail }) => `${code}: ${detail}`) ?? [error.code],
    },
  };
}
