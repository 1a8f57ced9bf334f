import type { Answer } from "../../http/answer.ts";
import { isObject, type JsonObject, parseJson } from "../../json.ts";
import type { Destination, DestinationBook } from "../../webhooks/extra-destinations.ts";
import { flatError, messageError, ownSuccess } from "../answers/own-answer.ts";
import type { Operation, OperationCall, OperationRow } from "../operation.ts";
import { type CheckWebhookUrl, parseWebhook } from "./parse-webhook.ts";

const DESTINATIONS_MAX = 3;

/** Thrown with the answer that says what is wrong. */
class Refused extends Error {
  readonly answer: Answer;

  constructor(answer: Answer) {
    super("refused");
    this.answer = answer;
  }
}

function objectIn(body: Buffer): JsonObject {
  const json = parseJson(body);
  if (!isObject(json)) {
    throw new Refused(flatError(400, "the body must be a JSON object"));
  }
  return json;
}

function parseDestination(json: unknown, checkUrl: CheckWebhookUrl): Destination {
  const name = isObject(json) ? json["name"] : undefined;
  const parsed = parseWebhook(json, checkUrl);
  if (parsed.kind === "refused") {
    throw new Refused(flatError(400, parsed.detail));
  }
  if (typeof name !== "string" || name === "") {
    throw new Refused(flatError(400, "name is required"));
  }
  return { name, ...parsed.webhook };
}

function destinationsIn(json: JsonObject, checkUrl: CheckWebhookUrl): Destination[] {
  const { destinations = [] } = json;
  if (!Array.isArray(destinations)) {
    throw new Refused(flatError(400, "destinations must be an array"));
  }
  return destinations.map((each: unknown) => parseDestination(each, checkUrl));
}

function checkAll(destinations: readonly Destination[]): Destination[] {
  const count = (field: "name" | "url") => new Set(destinations.map((each) => each[field])).size;
  if (count("name") < destinations.length || count("url") < destinations.length) {
    throw new Refused(messageError(409, "names and URLs must be unique"));
  }
  if (destinations.length > DESTINATIONS_MAX) {
    throw new Refused(messageError(409, `at most ${DESTINATIONS_MAX} destinations`));
  }
  return [...destinations];
}

function changing(change: (call: OperationCall) => void): Operation {
  return (call) => {
    try {
      change(call);
      return ownSuccess({ message: "Operation started successfully" });
    } catch (error) {
      if (error instanceof Refused) {
        return error.answer;
      }
      throw error;
    }
  };
}

/** `/multi_webhook`: further destinations, which get a copy once the main one has answered 200. */
export function multiWebhookOperations(parts: {
  book: DestinationBook;
  checkUrl: CheckWebhookUrl;
}): OperationRow[] {
  const { book, checkUrl } = parts;
  return [
    ["GET", "/multi_webhook", ({ phoneNumber }) => ownSuccess(book.of(phoneNumber.phoneNumberId))],
    [
      "POST",
      "/multi_webhook",
      changing(({ phoneNumber, body }) => {
        const json = objectIn(body);
        const destinations = checkAll(destinationsIn(json, checkUrl));
        const enabled = json["enabled"] === true;
        Object.assign(book.of(phoneNumber.phoneNumberId), { enabled, destinations });
      }),
    ],
    [
      "PUT",
      "/multi_webhook",
      changing(({ phoneNumber, body }) => {
        const extras = book.of(phoneNumber.phoneNumberId);
        if (!extras.enabled) {
          throw new Refused(messageError(409, "multiple webhooks are not enabled"));
        }
        const added = destinationsIn(objectIn(body), checkUrl);
        extras.destinations = checkAll([...extras.destinations, ...added]);
      }),
    ],
    [
      "PATCH",
      "/multi_webhook",
      changing(({ phoneNumber, body }) => {
        const extras = book.of(phoneNumber.phoneNumberId);
        const json = objectIn(body);
        const before = book.find(phoneNumber.phoneNumberId, String(json["name"]));
        if (before === undefined) {
          throw new Refused(flatError(404, "no destination has this name"));
        }
        const after = parseDestination({ ...before, ...json }, checkUrl);
        extras.destinations = checkAll(
          extras.destinations.map((each) => (each === before ? after : each)),
        );
      }),
    ],
  ];
}
