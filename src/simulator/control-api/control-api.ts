import type { SimulatorControls } from "../controls/controls.ts";
import type { Answer } from "../http/answer.ts";
import { splitUrl } from "../http/split-url.ts";
import { InboundMessageEmpty } from "../messages/inbound-message.ts";
import { UserUnknown } from "../messages/writing-user.ts";
import { GroupNotFound } from "../messaging-api/groups/group-store.ts";
import { TemplateExists, TemplateNotFound } from "../messaging-api/templates/template-store.ts";
import { PhoneNumberExists, PhoneNumberNotFound } from "../numbers/phone-numbers.ts";
import { HubClientExists, HubThingNotFound } from "../partner-api/hub.ts";
import { HOW_TO } from "./how-to.ts";
import { InvalidInput } from "./input.ts";
import { jsonAnswer } from "./json-answer.ts";
import { ROUTES } from "./routes.ts";

const STATUSES = [
  [404, [PhoneNumberNotFound, TemplateNotFound, GroupNotFound, HubThingNotFound]],
  [409, [PhoneNumberExists, TemplateExists, HubClientExists]],
  [400, [InvalidInput, InboundMessageEmpty, UserUnknown]],
] as const;

function answerError(error: unknown): Answer {
  for (const [status, kinds] of STATUSES) {
    if (error instanceof Error && kinds.some((kind) => error instanceof kind)) {
      return jsonAnswer(status, { error: error.message });
    }
  }
  throw error;
}

/** The controls over HTTP, under `/simulator`, for a person with curl. */
export function createControlApi(controls: SimulatorControls) {
  return (input: { method: string; url: string; contentType: string; body: Buffer }): Answer => {
    const { method, contentType, body } = input;
    const { path: pathGiven, query } = splitUrl(input.url);
    const path = pathGiven.replace(/\/+$/, "");
    if (path === "/simulator" && method === "GET") {
      const headers = { "content-type": "text/plain; charset=utf-8" };
      return { status: 200, headers, body: Buffer.from(HOW_TO) };
    }
    for (const route of ROUTES) {
      const match = route.method === method ? route.path.exec(path) : null;
      if (match !== null) {
        const { id: phoneNumberId = "", name = "" } = match.groups ?? {};
        try {
          return route.answer({ controls, phoneNumberId, name, query, contentType, body });
        } catch (error) {
          return answerError(error);
        }
      }
    }
    return jsonAnswer(404, { error: "no such call; GET /simulator tells which there are" });
  };
}
