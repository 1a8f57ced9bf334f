import { isObject, type JsonObject, parseJson } from "../json.ts";

/** The control API was asked for something that makes no sense. */
export class InvalidInput extends Error {}

/** The body as a JSON object; an empty body is an empty object. */
export function objectBody(body: Buffer): JsonObject {
  const json = body.length === 0 ? {} : parseJson(body);
  if (!isObject(json)) {
    throw new InvalidInput("the body must be a JSON object");
  }
  return json;
}

/** Refuses fields that nobody would look at: a slip of the pen must not pass in silence. */
export function allowOnly(fields: JsonObject, names: readonly string[]): void {
  const unknown = Object.keys(fields).filter((name) => !names.includes(name));
  if (unknown.length > 0) {
    throw new InvalidInput(`unknown: ${unknown.join(", ")}; known: ${names.join(", ")}`);
  }
}

/** A text, or nothing. */
export function optionalText(fields: JsonObject, name: string): string | undefined {
  const value = fields[name];
  if (value !== undefined && (typeof value !== "string" || value === "")) {
    throw new InvalidInput(`${name} must be a text`);
  }
  return value;
}

/** A text that must be there. */
export function requiredText(fields: JsonObject, name: string): string {
  const text = optionalText(fields, name);
  if (text === undefined) {
    throw new InvalidInput(`${name} must be given`);
  }
  return text;
}

/** One of some words, or nothing. */
export function optionalOneOf<Word extends string | number>(
  fields: JsonObject,
  name: string,
  words: readonly Word[],
): Word | undefined {
  const value = words.find((word) => word === fields[name]);
  if (value === undefined && fields[name] !== undefined) {
    throw new InvalidInput(`${name} must be one of ${words.join(", ")}`);
  }
  return value;
}

/** One of some words that must be there. */
export function requiredOneOf<Word extends string>(
  fields: JsonObject,
  name: string,
  words: readonly Word[],
): Word {
  const value = optionalOneOf(fields, name, words);
  if (value === undefined) {
    throw new InvalidInput(`${name} must be one of ${words.join(", ")}`);
  }
  return value;
}

/** A whole number that must be there. */
export function requiredInteger(fields: JsonObject, name: string, least: number): number {
  const value = optionalInteger(fields, name, least);
  if (value === undefined) {
    throw new InvalidInput(`${name} must be a whole number from ${least} on`);
  }
  return value;
}

/** A whole number that is not below the least one, or nothing. */
export function optionalInteger(
  fields: JsonObject,
  name: string,
  least: number,
): number | undefined {
  const value = fields[name];
  if (value !== undefined && (!Number.isSafeInteger(value) || Number(value) < least)) {
    throw new InvalidInput(`${name} must be a whole number from ${least} on`);
  }
  return value === undefined ? undefined : Number(value);
}

/** True, false or nothing. */
export function optionalFlag(fields: JsonObject, name: string): boolean | undefined {
  const value = fields[name];
  if (value !== undefined && typeof value !== "boolean") {
    throw new InvalidInput(`${name} must be true or false`);
  }
  return value;
}

/** The object without its undefined fields. */
export function present<Fields extends object>(
  fields: Fields,
): { [Name in keyof Fields]?: Exclude<Fields[Name], undefined> };
export function present(fields: object): object {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
}
