import type { Answer } from "../http/answer.ts";
import { isObject, type JsonObject } from "../json.ts";
import { TEMPLATE_CATEGORIES, TEMPLATE_STATUSES } from "../messaging-api/templates/template.ts";
import {
  allowOnly,
  InvalidInput,
  objectBody,
  optionalOneOf,
  optionalText,
  present,
  requiredOneOf,
  requiredText,
} from "./input.ts";
import { jsonAnswer } from "./json-answer.ts";
import { presentNotification, presentTemplate } from "./present.ts";
import { type ControlCall, route } from "./route.ts";

function addMedia({ controls, phoneNumberId, query, contentType, body }: ControlCall): Answer {
  if (body.length === 0 || contentType === "") {
    throw new InvalidInput("the body is the file, and its content-type the media's");
  }
  const filename = query.get("filename") ?? undefined;
  const file = { bytes: body, mimeType: contentType, ...present({ filename }) };
  return jsonAnswer(201, { id: controls.addMedia(phoneNumberId, file) });
}

function optionalComponents(fields: JsonObject): JsonObject[] | undefined {
  const { components } = fields;
  if (components === undefined) {
    return undefined;
  }
  if (!Array.isArray(components) || !components.every(isObject)) {
    throw new InvalidInput("components must be an array of objects");
  }
  return components;
}

function addTemplate({ controls, phoneNumberId, body }: ControlCall): Answer {
  const fields = objectBody(body);
  allowOnly(fields, ["name", "language", "category", "status", "components"]);
  const template = controls.addTemplate(phoneNumberId, {
    name: requiredText(fields, "name"),
    ...present({
      language: optionalText(fields, "language"),
      category: optionalOneOf(fields, "category", TEMPLATE_CATEGORIES),
      status: optionalOneOf(fields, "status", TEMPLATE_STATUSES),
      components: optionalComponents(fields),
    }),
  });
  return jsonAnswer(201, presentTemplate(template));
}

function changeTemplate({ controls, phoneNumberId, name, body }: ControlCall): Answer {
  const fields = objectBody(body);
  allowOnly(fields, ["language", "status", "reason"]);
  const status = requiredOneOf(fields, "status", TEMPLATE_STATUSES);
  const notification = controls.setTemplateStatus(phoneNumberId, {
    name,
    status,
    ...present({
      language: optionalText(fields, "language"),
      reason: optionalText(fields, "reason"),
    }),
  });
  return jsonAnswer(202, presentNotification(notification));
}

function requestToJoin({ controls, phoneNumberId, name, body }: ControlCall): Answer {
  const fields = objectBody(body);
  allowOnly(fields, ["user"]);
  const user = requiredText(fields, "user");
  return jsonAnswer(201, { join_request_id: controls.requestToJoin(phoneNumberId, name, user) });
}

/** Media, templates and groups. */
export const CONTENT_ROUTES = [
  route("POST", "/numbers/ID/media", addMedia),
  route("GET", "/numbers/ID/templates", ({ controls, phoneNumberId }) =>
    jsonAnswer(200, { templates: controls.listTemplates(phoneNumberId).map(presentTemplate) }),
  ),
  route("POST", "/numbers/ID/templates", addTemplate),
  route("PATCH", "/numbers/ID/templates/NAME", changeTemplate),
  route("POST", "/numbers/ID/groups/NAME/join-requests", requestToJoin),
];
