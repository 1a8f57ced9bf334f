import type { IncomingMessage, RequestListener, ServerResponse } from "node:http";
import type { BoundedLog } from "../bounded-log.ts";
import type { PhoneNumber } from "../numbers/phone-number.ts";
import { type Answer, sendAnswer } from "./answer.ts";
import { applyFault } from "./apply-fault.ts";
import type { FaultScript } from "./fault.ts";
import { readBody } from "./read-body.ts";
import type { RecordedRequest } from "./recorded-request.ts";
import { splitUrl } from "./split-url.ts";

type ListenerParts = {
  controlApi: (input: { method: string; url: string; contentType: string; body: Buffer }) => Answer;
  /** A call of the Messaging API, where a number's key may come with it, or of the hub. */
  answerCall: (
    request: RecordedRequest,
    phoneNumber: PhoneNumber | undefined,
  ) => Answer | Promise<Answer>;
  findPhoneNumberByKey: (apiKey: string) => PhoneNumber | undefined;
  faults: FaultScript;
  requests: BoundedLog<RecordedRequest>;
  sleep: (delayMs: number) => Promise<boolean>;
  /** Makes changes durable; called before an answer tells of them. */
  save: () => void;
  onRequest: (request: RecordedRequest) => void;
};

function isControlPath(url: string): boolean {
  return /^\/simulator(?=[/?]|$)/.test(url);
}

/** Leads each request to the control API or, through the faults, to the simulated APIs. */
export function createRequestListener(parts: ListenerParts): RequestListener {
  async function answerControlCall(req: IncomingMessage, res: ServerResponse): Promise<void> {
    const { body, complete } = await readBody(req);
    if (complete) {
      const answer = parts.controlApi({
        method: req.method ?? "",
        url: req.url ?? "",
        contentType: req.headers["content-type"] ?? "",
        body,
      });
      parts.save();
      sendAnswer(res, answer);
    }
  }

  async function answerCall(req: IncomingMessage, res: ServerResponse): Promise<void> {
    const receivedAt = new Date();
    const { body, complete } = await readBody(req);
    const apiKey = req.headers["d360-api-key"];
    const phoneNumber = typeof apiKey === "string" ? parts.findPhoneNumberByKey(apiKey) : undefined;
    const request: RecordedRequest = {
      method: req.method ?? "",
      url: req.url ?? "",
      rawHeaders: req.rawHeaders,
      headers: req.headers,
      body,
      complete,
      receivedAt,
      ...(phoneNumber === undefined ? {} : { phoneNumberId: phoneNumber.phoneNumberId }),
    };
    parts.requests.add(request);
    if (complete) {
      const status = await answerOrFail(request, phoneNumber, res);
      if (status !== undefined) {
        request.status = status;
      }
    }
    parts.onRequest(request);
  }

  async function answerOrFail(
    request: RecordedRequest,
    phoneNumber: PhoneNumber | undefined,
    res: ServerResponse,
  ): Promise<number | undefined> {
    const handle = async (): Promise<Answer> => {
      const answer = await parts.answerCall(request, phoneNumber);
      parts.save();
      return answer;
    };
    const fault = parts.faults.take({
      phoneNumberId: request.phoneNumberId,
      method: request.method,
      path: splitUrl(request.url).path,
    });
    if (fault !== undefined) {
      return await applyFault({ fault, res, handle, sleep: parts.sleep });
    }
    const answer = await handle();
    sendAnswer(res, answer);
    return answer.status;
  }

  return (req, res) => {
    const answered = isControlPath(req.url ?? "")
      ? answerControlCall(req, res)
      : answerCall(req, res);
    answered.catch((error: unknown) => {
      const body = Buffer.from(`Internal server error: ${String(error)}`);
      sendAnswer(res, { status: 500, headers: { "content-type": "text/plain" }, body });
    });
  };
}
