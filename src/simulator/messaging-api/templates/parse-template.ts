import { isObject, type JsonObject } from "../../json.ts";
import { type NewTemplate, TEMPLATE_CATEGORIES } from "./template.ts";

const NAME = /^[a-z0-9_]{1,512}$/;

/** What is wrong with a template that somebody wants to make. */
export class TemplateInvalid extends Error {}

function componentsOf(fields: JsonObject): JsonObject[] {
  const { components, library_template_name: libraryName } = fields;
  if (components === undefined && typeof libraryName === "string") {
    return [{ type: "BODY", text: `The library's ${libraryName}` }];
  }
  if (!Array.isArray(components) || components.length === 0 || !components.every(isObject)) {
    throw new TemplateInvalid("components must be an array of components");
  }
  return components;
}

/** A template as a caller writes it. It waits for review. */
export function parseTemplate(fields: JsonObject): NewTemplate {
  const { name, language } = fields;
  if (typeof name !== "string" || !NAME.test(name)) {
    throw new TemplateInvalid("name must be of lowercase letters, digits and underscores");
  }
  if (typeof language !== "string" || language === "") {
    throw new TemplateInvalid("language is required");
  }
  const category = TEMPLATE_CATEGORIES.find((known) => known === fields["category"]);
  if (category === undefined) {
    throw new TemplateInvalid(`category must be one of ${TEMPLATE_CATEGORIES.join(", ")}`);
  }
  return { name, language, category, status: "PENDING", components: componentsOf(fields) };
}
