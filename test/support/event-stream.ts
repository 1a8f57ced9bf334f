import { request } from "undici";

export type StreamedMessage = { id: string; event: string; data: { id: string; type: string } };

export type EventStream = {
  status: number;
  headers: Record<string, string | string[] | undefined>;
  /** What has come so far. */
  messages: StreamedMessage[];
  comments: number;
  ended: boolean;
  close: () => void;
};

/** Reads server-sent events, as the standard has them. */
export async function openEventStream(
  url: string,
  options: { token: string; lastEventId?: string | undefined },
): Promise<EventStream> {
  const closing = new AbortController();
  const response = await request(url, {
    headers: {
      authorization: `Bearer ${options.token}`,
      ...(options.lastEventId !== undefined && { "last-event-id": options.lastEventId }),
    },
    signal: closing.signal,
  });
  const stream: EventStream = {
    status: response.statusCode,
    headers: response.headers,
    messages: [],
    comments: 0,
    ended: false,
    close: () => closing.abort(),
  };
  let text = "";
  response.body.setEncoding("utf8");
  response.body.on("data", (chunk: string) => {
    const blocks = (text + chunk).split("\n\n");
    text = blocks.pop() ?? "";
    blocks.forEach((block) => take(stream, block));
  });
  response.body.on("error", () => (stream.ended = true));
  response.body.on("end", () => (stream.ended = true));
  return stream;
}

function take(stream: EventStream, block: string): void {
  if (block.startsWith(":")) {
    stream.comments += 1;
    return;
  }
  const fields = Object.fromEntries(
    block.split("\n").map((line) => [line.slice(0, line.indexOf(":")), line.replace(/^\w+: /, "")]),
  );
  if (fields["data"] !== undefined) {
    const { id = "", event = "", data } = fields;
    stream.messages.push({ id, event, data: JSON.parse(data) as StreamedMessage["data"] });
  }
}
