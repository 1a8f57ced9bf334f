import { ApiError, InvalidRequest, NotFound } from "../errors.ts";
import { parseJson } from "../http/body.ts";
import { type Audit, underAudit } from "../http/audit.ts";
import type { TenantCaller } from "../http/caller.ts";
import type { DirectoryNumber } from "../tenancy/directory.ts";
import type { Operation } from "./operations.ts";
import {
  parseDestination,
  parseDestinations,
  parseSettings,
  type Settings,
} from "./parse-settings.ts";

type Place = { phoneNumberId: string; name: string | null } | { wabaId: string };
type Destination = Settings & { name: string };

/** Where they are kept: as the tenant's endpoints. */
export type DropInSettings = {
  webhookSettings: {
    get(tenantId: string, place: Place): Promise<Settings>;
    set(tenantId: string, place: Place, settings: Settings): Promise<Settings>;
  };
  multiWebhook: {
    get(tenantId: string, phoneNumberId: string): Promise<object>;
    replace(
      tenantId: string,
      phoneNumberId: string,
      wish: { enabled: boolean; destinations: Destination[] | undefined },
    ): Promise<void>;
    append(tenantId: string, phoneNumberId: string, destinations: Destination[]): Promise<boolean>;
    change(
      tenantId: string,
      phoneNumberId: string,
      wish: { name: string } & Partial<Settings>,
    ): Promise<boolean>;
  };
};

type SettingsAnswer = { status: number; body: object; code?: string };

export type AnswerWebhookSettings = (call: {
  operation: Operation;
  caller: TenantCaller;
  number: DirectoryNumber;
  requestId: string;
  body: Buffer;
}) => Promise<SettingsAnswer>;

type SettingsCall = Parameters<AnswerWebhookSettings>[0];

/**
 * 360dialog's webhook settings, answered as 360dialog does, but set here and never forwarded: a tool
 * that sets its webhook at 360dialog sets its endpoint at the gateway without knowing.
 */
export function createAnswerWebhookSettings(
  settings: DropInSettings,
  audit: Audit,
): AnswerWebhookSettings {
  async function answerOrRefuse(call: SettingsCall): Promise<SettingsAnswer> {
    try {
      return await answer(settings, call);
    } catch (error) {
      if (!(error instanceof ApiError && (error.status === 400 || error.status === 422))) {
        throw error;
      }
      return { status: 400, body: renderMeta(error), code: error.code };
    }
  }

  return async (call) => {
    const { operation, caller, number, requestId } = call;
    if (operation.method === "GET") {
      return answerOrRefuse(call);
    }
    const params = targetOf(call);
    const before = await show(settings, call);
    const audited = { caller, operation: operation.operationId, params, requestId, before };
    return underAudit(audit, audited, {
      run: () => answerOrRefuse(call),
      endOf: async ({ status, code = null }) => ({
        status,
        code,
        after: status < 400 ? await show(settings, { operation, caller, number }) : null,
      }),
    });
  };
}

function targetOf({ operation, number }: SettingsCall): Record<string, string> {
  return operation.operationId === "setWabaWebhookSettings" && number.wabaId !== null
    ? { waba_id: number.wabaId }
    : { phone_number_id: number.phoneNumberId };
}

function orNull(error: unknown): null {
  if (!(error instanceof NotFound)) {
    throw error;
  }
  return null;
}

/** What a call sets as it is; `null` where nothing is. */
async function show(
  { webhookSettings, multiWebhook }: DropInSettings,
  { operation, caller, number }: Pick<SettingsCall, "operation" | "caller" | "number">,
): Promise<object | null> {
  const { phoneNumberId, wabaId } = number;
  switch (operation.operationId) {
    case "setWebhookSettings":
      return webhookSettings.get(caller.tenantId, { phoneNumberId, name: null }).catch(orNull);
    case "setWabaWebhookSettings":
      return wabaId === null
        ? null
        : webhookSettings.get(caller.tenantId, { wabaId }).catch(orNull);
    default:
      return multiWebhook.get(caller.tenantId, phoneNumberId);
  }
}

function ok(found: object): SettingsAnswer {
  return { status: 200, body: found };
}

const STARTED: SettingsAnswer = {
  status: 200,
  body: { message: "Operation started successfully" },
};

const SWITCHED_OFF: SettingsAnswer = {
  status: 409,
  body: { message: "Multiple webhooks are not enabled for this number" },
};

async function answer(
  { webhookSettings, multiWebhook }: DropInSettings,
  { operation, caller, number, body }: SettingsCall,
): Promise<SettingsAnswer> {
  const { tenantId } = caller;
  const { phoneNumberId } = number;
  switch (operation.operationId) {
    case "getWebhookSettings":
      return ok(await webhookSettings.get(tenantId, { phoneNumberId, name: null }));
    case "setWebhookSettings": {
      const wish = parseSettings(parseJson(body));
      return ok(await webhookSettings.set(tenantId, { phoneNumberId, name: null }, wish));
    }
    case "setWabaWebhookSettings": {
      const wish = parseSettings(parseJson(body));
      return ok(await webhookSettings.set(tenantId, wholeWaba(number, caller), wish));
    }
    case "getMultiWebhook":
      return ok(await multiWebhook.get(tenantId, phoneNumberId));
    case "setMultiWebhook": {
      const wish = parseDestinations(parseJson(body));
      await multiWebhook.replace(tenantId, phoneNumberId, {
        ...wish,
        enabled: wish.enabled ?? true,
      });
      return STARTED;
    }
    case "addToMultiWebhook": {
      const { destinations = [] } = parseDestinations(parseJson(body));
      const appended = await multiWebhook.append(tenantId, phoneNumberId, destinations);
      return appended ? STARTED : SWITCHED_OFF;
    }
    case "updateMultiWebhook": {
      const wish = parseDestination(parseJson(body));
      const changed = await multiWebhook.change(tenantId, phoneNumberId, wish);
      return changed ? STARTED : SWITCHED_OFF;
    }
    default:
      throw new Error(`${operation.operationId} is no webhook setting`);
  }
}

/** A token that is limited to some numbers must not set what is of all numbers of a WABA. */
function wholeWaba(number: DirectoryNumber, caller: TenantCaller): Place {
  if (caller.phoneNumberIds !== null) {
    const detail =
      "This token is limited to some numbers; a WABA's webhook is for all of its numbers.";
    throw new InvalidRequest([{ code: "whole_account", pointer: "", detail }]);
  }
  if (number.wabaId === null) {
    throw new NotFound();
  }
  return { wabaId: number.wabaId };
}

/** 360dialog's own form of an error on these paths, with our codes in the details. */
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
