import { newTemplate, type NewTemplate, type Template, type TemplateStatus } from "./template.ts";

/** A WABA has this name in this language already. */
export class TemplateExists extends Error {
  constructor({ name, language }: Pick<Template, "name" | "language">) {
    super(`template ${name} exists already in ${language}`);
  }
}

/** A WABA has no such template. */
export class TemplateNotFound extends Error {
  constructor(name: string) {
    super(`there is no template ${name}`);
  }
}

/** The templates of every WABA, oldest first. */
export class TemplateStore {
  readonly #byWaba = new Map<string, Template[]>();

  list(wabaId: string): readonly Template[] {
    return this.#byWaba.get(wabaId) ?? [];
  }

  /** Every language of a name, or the one that is asked for. */
  find(wabaId: string, name: string, language?: string): Template[] {
    return this.list(wabaId).filter(
      (template) =>
        template.name === name && (language === undefined || template.language === language),
    );
  }

  add(wabaId: string, chosen: NewTemplate): Template {
    const template = newTemplate(wabaId, chosen);
    if (this.find(wabaId, template.name, template.language).length > 0) {
      throw new TemplateExists(template);
    }
    this.#byWaba.set(wabaId, [...this.list(wabaId), template]);
    return template;
  }

  setStatus(input: {
    wabaId: string;
    name: string;
    language: string | undefined;
    status: TemplateStatus;
    reason: string;
  }): Template {
    const [template] = this.find(input.wabaId, input.name, input.language);
    if (template === undefined) {
      throw new TemplateNotFound(input.name);
    }
    const { status, reason: rejectedReason } = input;
    return Object.assign(template, { status, rejectedReason, modifiedAt: new Date() });
  }

  /** Deletes every template that fits; gives how many those were. */
  delete(wabaId: string, fits: (template: Template) => boolean): number {
    const before = this.list(wabaId);
    const kept = before.filter((template) => !fits(template));
    this.#byWaba.set(wabaId, kept);
    return before.length - kept.length;
  }
}
