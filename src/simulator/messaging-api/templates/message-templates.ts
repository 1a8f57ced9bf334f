import { MetaRefusal, parameterInvalid, parameterRequired } from "../answers/meta-errors.ts";
import { proxied } from "../answers/proxied-answer.ts";
import type { OperationCall, OperationRow } from "../operation.ts";
import { pageOf } from "../paging.ts";
import { parameters } from "../parameters.ts";
import { parseTemplate, TemplateInvalid } from "./parse-template.ts";
import type { Template } from "./template.ts";
import { TemplateExists, type TemplateStore } from "./template-store.ts";

const FILTERS = ["name", "language", "status", "category"] as const;

function present(template: Template, fields: readonly string[]): object {
  const whole = {
    name: template.name,
    parameter_format: "POSITIONAL",
    components: template.components,
    language: template.language,
    status: template.status,
    category: template.category,
    rejected_reason: template.rejectedReason,
    quality_score: { score: "UNKNOWN" },
    id: template.externalId,
  };
  const asked = Object.entries(whole).filter(([name]) => name === "id" || fields.includes(name));
  return fields.length === 0 ? whole : Object.fromEntries(asked);
}

function list(templates: TemplateStore, call: OperationCall) {
  const { wabaId } = call.phoneNumber;
  const wanted = FILTERS.map((name) => [name, call.query.get(name)] as const);
  const fitting = templates
    .list(wabaId)
    .filter((template) =>
      wanted.every(([name, value]) => value === null || value === template[name]),
    );
  const { items, paging } = pageOf({
    call,
    node: wabaId,
    edge: "message_templates",
    items: fitting,
    keyOf: ({ externalId }) => externalId,
  });
  const fields = call.query.get("fields")?.split(",") ?? [];
  return { data: items.map((template) => present(template, fields)), paging };
}

function create(templates: TemplateStore, call: OperationCall) {
  try {
    const { wabaId } = call.phoneNumber;
    const { externalId, status, category } = templates.add(wabaId, parseTemplate(parameters(call)));
    return { id: externalId, status, category };
  } catch (error) {
    if (error instanceof TemplateInvalid) {
      throw new MetaRefusal(parameterInvalid(error.message));
    }
    if (error instanceof TemplateExists) {
      throw new MetaRefusal({ ...parameterInvalid(error.message), subcode: 2388024 });
    }
    throw error;
  }
}

function remove(templates: TemplateStore, call: OperationCall) {
  const { name, hsm_id: externalId } = parameters(call);
  if (typeof name !== "string") {
    throw new MetaRefusal(parameterRequired("name"));
  }
  const count = templates.delete(
    call.phoneNumber.wabaId,
    (template) =>
      template.name === name && (externalId === undefined || externalId === template.externalId),
  );
  if (count === 0) {
    const details = `Message template ${name} was not found.`;
    throw new MetaRefusal({ ...parameterInvalid(details), subcode: 2593002 });
  }
  return { success: true };
}

/** Templates as Meta offers them. */
export function messageTemplateOperations(templates: TemplateStore): OperationRow[] {
  return [
    ["GET", "/message_templates", proxied((call) => list(templates, call))],
    ["POST", "/message_templates", proxied((call) => create(templates, call))],
    ["DELETE", "/message_templates", proxied((call) => remove(templates, call))],
  ];
}
