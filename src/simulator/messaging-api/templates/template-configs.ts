import type { Answer } from "../../http/answer.ts";
import { isObject, parseJson } from "../../json.ts";
import { metaFormError, ownSuccess } from "../answers/own-answer.ts";
import type { OperationCall, OperationRow } from "../operation.ts";
import { parseTemplate, TemplateInvalid } from "./parse-template.ts";
import { ListQueryInvalid, listTemplates, presentTemplate } from "./template-list.ts";
import { TemplateExists, type TemplateStore } from "./template-store.ts";

function list(templates: TemplateStore, { phoneNumber, query }: OperationCall): Answer {
  try {
    return ownSuccess(listTemplates(templates.list(phoneNumber.wabaId), query));
  } catch (error) {
    if (error instanceof ListQueryInvalid) {
      return metaFormError(400, "Invalid query", [error.message]);
    }
    throw error;
  }
}

function create(templates: TemplateStore, { phoneNumber, body }: OperationCall): Answer {
  const json = parseJson(body);
  if (!isObject(json)) {
    return metaFormError(400, "Invalid template", ["the body must be a JSON object"]);
  }
  try {
    const template = templates.add(phoneNumber.wabaId, parseTemplate(json));
    const { id, external_id, namespace, ...rest } = presentTemplate(template);
    const { category, components, language, name } = rest;
    return ownSuccess(
      {
        category,
        components,
        external_id,
        id,
        language,
        name,
        namespace,
        rejected_reason: null,
        status: "submitted",
      },
      201,
    );
  } catch (error) {
    if (error instanceof TemplateExists) {
      return metaFormError(
        400,
        `The name ${String(json["name"])} you have provided is already in use. Please choose a different name for your template.`,
      );
    }
    if (error instanceof TemplateInvalid) {
      return metaFormError(400, "Invalid template", [error.message]);
    }
    throw error;
  }
}

function remove(templates: TemplateStore, { phoneNumber, ids }: OperationCall): Answer {
  const [name = ""] = ids;
  return templates.delete(phoneNumber.wabaId, (template) => template.name === name) === 0
    ? metaFormError(404, `template name=${name} was not found`)
    : ownSuccess({
        meta: {
          developer_message: `template name=${name} was deleted`,
          http_code: 200,
          success: true,
        },
      });
}

/** Templates as 360dialog itself offers them. */
export function templateConfigOperations(templates: TemplateStore): OperationRow[] {
  return [
    ["GET", "/v1/configs/templates", (call) => list(templates, call)],
    ["POST", "/v1/configs/templates", (call) => create(templates, call)],
    ["DELETE", "/v1/configs/templates/{name}", (call) => remove(templates, call)],
  ];
}
