import type { SimulatorControls } from "../controls.ts";
import type { Answer } from "../http/answer.ts";
import { InboundMessageEmpty } from "../messages/inbound-message.ts";
import { PhoneNumberExists, PhoneNumberNotFound } from "../numbers/phone-numbers.ts";
import { HOW_TO } from "./how-to.ts";
import { InvalidInput } from "./input.ts";
import { jsonAnswer } from "./json-answer.ts";
import { ROUTES } from "./routes.ts";

function answerError(error: unknown): Answer {
  if (error instanceof PhoneNumberNotFound) {
    return jsonAnswer(404, { error: error.message });
  }
  if (error instanceof PhoneNumberExists) {
    return jsonAnswer(409, { error: error.message });
  }
  if (error instanceof InvalidInput || error instanceof InboundMessageEmpty) {
    return jsonAnswer(400, { error: error.message });
  }
  throw error;
}

/** The controls over HTTP, under `/simulator`, for a person with curl. */
export function createControlApi(controls: SimulatorControls) {
  return ({ method, url, body }: { method: string; url: string; body: Buffer }): Answer => {
    const path = url.replace(/\?.*$/s, "").replace(/\/+$/, "");
    if (path === "/simulator" && method === "GET") {
      const headers = { "content-type": "text/plain; charset=utf-8" };
      return { status: 200, headers, body: Buffer.from(HOW_TO) };
    }
    for (const route of ROUTES) {
      const match = route.method === method ? route.path.exec(path) : null;
      if (match !== null) {
        try {
          return route.answer({ controls, phoneNumberId: match[1] ?? "", body });
        } catch (error) {
          return answerError(error);
        }
      }
    }
    return jsonAnswer(404, { error: "no such call; GET /simulator tells which there are" });
  };
}
