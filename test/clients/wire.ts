import { ClientFailure, type ErrorAnswer } from "./driver.ts";

/** What the clients that are written here after their habits do over HTTP. */
export type Wire = {
  get<Answer>(url: string): Promise<Answer>;
  getBytes(url: string): Promise<Buffer>;
  post<Answer>(url: string, body: object): Promise<Answer>;
  delete<Answer>(url: string): Promise<Answer>;
};

async function read<Answer>(response: Promise<Response>): Promise<Answer> {
  return (await (await response).json()) as Answer;
}

/** A bare HTTP client that puts these headers on every call. */
export function wire(headers: Record<string, string>): Wire {
  const call = async (method: string, url: string, body?: object): Promise<Response> => {
    const isForm = body instanceof FormData;
    const response = await fetch(url, {
      method,
      headers: { ...headers, ...(body && !isForm && { "content-type": "application/json" }) },
      ...(body && { body: isForm ? body : JSON.stringify(body) }),
    });
    if (!response.ok) {
      const answer = (await response.json()) as ErrorAnswer;
      const failure = { kind: "status", status: response.status, code: answer.error.code };
      throw new ClientFailure(failure, answer);
    }
    return response;
  };
  return {
    get: (url) => read(call("GET", url)),
    getBytes: async (url) => Buffer.from(await (await call("GET", url)).arrayBuffer()),
    post: (url, body) => read(call("POST", url, body)),
    delete: (url) => read(call("DELETE", url)),
  };
}
