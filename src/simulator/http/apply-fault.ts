import type { ServerResponse } from "node:http";
import { type Answer, sendAnswer } from "./answer.ts";
import type { Fault } from "./fault.ts";

function bodyBytes(body: unknown): Buffer {
  if (body === undefined) {
    return Buffer.alloc(0);
  }
  if (Buffer.isBuffer(body)) {
    return body;
  }
  return Buffer.from(typeof body === "string" ? body : JSON.stringify(body));
}

function scriptedAnswer(fault: Extract<Fault, { kind: "answer" }>): Answer {
  const headers: Record<string, string> = { "content-type": "application/json" };
  for (const [name, value] of Object.entries(fault.headers ?? {})) {
    headers[name.toLowerCase()] = value;
  }
  return { status: fault.status, headers, body: bodyBytes(fault.body) };
}

/** Sends the headers and half of the body, then hangs up. */
function breakOff(res: ServerResponse, answer: Answer): void {
  res.writeHead(answer.status, { ...answer.headers, "content-length": answer.body.length + 1 });
  res.flushHeaders();
  res.write(answer.body.subarray(0, answer.body.length / 2), () => res.destroy());
}

/** Lets one fault happen. Gives the status that the caller got to see, if any. */
export async function applyFault(input: {
  fault: Fault;
  res: ServerResponse;
  handle: () => Promise<Answer>;
  sleep: (delayMs: number) => Promise<boolean>;
}): Promise<number | undefined> {
  const { fault, res, handle, sleep } = input;
  const handled = fault.afterHandling === true ? await handle() : undefined;
  if (fault.delayMs !== undefined && !(await sleep(fault.delayMs))) {
    return undefined;
  }
  switch (fault.kind) {
    case "answer": {
      sendAnswer(res, scriptedAnswer(fault));
      return fault.status;
    }
    case "delay": {
      const answer = handled ?? (await handle());
      sendAnswer(res, answer);
      return answer.status;
    }
    case "reset_before_headers": {
      res.socket?.resetAndDestroy();
      return undefined;
    }
    case "reset_after_headers": {
      const answer = handled ?? (await handle());
      breakOff(res, answer);
      return answer.status;
    }
    case "no_answer": {
      return undefined;
    }
    default: {
      return fault satisfies never;
    }
  }
}
