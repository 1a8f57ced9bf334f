import { mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { isObject, parseJson } from "../json.ts";
import type { PhoneNumber } from "./phone-number.ts";

function isPhoneNumber(value: unknown): value is PhoneNumber {
  const texts = ["phoneNumberId", "displayPhoneNumber", "wabaId", "channelId", "apiKey"];
  const flags = ["disabled", "unpaid", "notRunning"];
  return (
    isObject(value) &&
    texts.every((name) => typeof value[name] === "string") &&
    flags.every((name) => typeof value[name] === "boolean") &&
    (value["webhook"] === undefined || isWebhook(value["webhook"]))
  );
}

function isWebhook(value: unknown): boolean {
  return isObject(value) && typeof value["url"] === "string" && isObject(value["headers"]);
}

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") {
      return undefined;
    }
    throw error;
  }
}

/** The numbers kept in the file; none if there is no file yet. Throws on a file of another kind. */
export function readStateFile(path: string): PhoneNumber[] {
  const text = readText(path);
  if (text === undefined) {
    return [];
  }
  const state = parseJson(text);
  const phoneNumbers = isObject(state) ? state["phoneNumbers"] : undefined;
  if (!Array.isArray(phoneNumbers) || !phoneNumbers.every(isPhoneNumber)) {
    throw new Error(`${path} is not a state file of the simulator; move it away to start anew`);
  }
  return phoneNumbers;
}

/** Writes beside the file, then renames: a reader never sees half a state. */
export function writeStateFile(path: string, phoneNumbers: readonly PhoneNumber[]): void {
  mkdirSync(dirname(path), { recursive: true });
  const beside = `${path}.${process.pid}.new`;
  writeFileSync(beside, `${JSON.stringify({ phoneNumbers }, null, 2)}\n`, { mode: 0o600 });
  renameSync(beside, path);
}
