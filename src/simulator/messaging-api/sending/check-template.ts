import { isObject, type JsonObject } from "../../json.ts";
import type { MetaError } from "../answers/meta-errors.ts";
import type { Template, TemplateStatus } from "../templates/template.ts";
import type { TemplateStore } from "../templates/template-store.ts";
import type { CheckSend } from "./post-messages.ts";

function refusalFor(status: TemplateStatus): MetaError | undefined {
  switch (status) {
    case "APPROVED":
    case "FLAGGED":
    case "IN_APPEAL":
      return undefined;
    case "PAUSED":
      return { status: 400, code: 132015, message: "Template is paused" };
    case "DISABLED":
      return { status: 400, code: 132016, message: "Template is disabled" };
    case "PENDING":
    case "REJECTED":
    case "PENDING_DELETION":
      return { status: 404, code: 132001, message: "Template name does not exist" };
    default:
      return status satisfies never;
  }
}

/** The known templates that a send names: one, or none when nobody made it. */
export function namedTemplates(
  templates: TemplateStore,
  wabaId: string,
  body: JsonObject,
): Template[] {
  const { template } = body;
  if (!isObject(template)) {
    return [];
  }
  const { name, language } = template;
  const code = isObject(language) ? String(language["code"]) : undefined;
  return templates.find(wabaId, String(name), code);
}

/**
 * Refuses templates that are known and may not be sent. A name that nobody made or added passes,
 * so that a test need not make each template that it sends.
 */
export function checkTemplate(templates: TemplateStore): CheckSend {
  return ({ wabaId }, message, body) => {
    const [known] = message.type === "template" ? namedTemplates(templates, wabaId, body) : [];
    return known === undefined ? undefined : refusalFor(known.status);
  };
}
