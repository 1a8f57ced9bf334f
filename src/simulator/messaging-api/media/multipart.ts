/** One part of a form. */
export type FormPart = { name: string; filename?: string; contentType?: string; bytes: Buffer };

const HEADERS_END = Buffer.from("\r\n\r\n");

function boundaryOf(contentType: string): string | undefined {
  const match = /;\s*boundary=(?:"([^"]+)"|([^;\s]+))/i.exec(contentType);
  return match?.[1] ?? match?.[2];
}

function parsePart(part: Buffer): FormPart | undefined {
  const end = part.indexOf(HEADERS_END);
  const headers = part.subarray(0, Math.max(end, 0)).toString();
  const name =
    /[;\s]name="([^"]*)"/i.exec(headers)?.[1] ?? /[;\s]name=([^;\s]+)/i.exec(headers)?.[1];
  if (end === -1 || name === undefined) {
    return undefined;
  }
  const filename =
    /filename="([^"]*)"/i.exec(headers)?.[1] ?? /filename=([^;\s"]+)/i.exec(headers)?.[1];
  const contentType = /^content-type:[ \t]*(.+?)[ \t]*$/im.exec(headers)?.[1];
  return {
    name,
    ...(filename === undefined ? {} : { filename }),
    ...(contentType === undefined ? {} : { contentType }),
    bytes: part.subarray(end + HEADERS_END.length),
  };
}

/** The parts of a form, in the order in which they came; none if it is no form. Copies nothing. */
export function parseMultipart(body: Buffer, contentType: string): FormPart[] {
  const boundary = boundaryOf(contentType);
  if (boundary === undefined) {
    return [];
  }
  const first = `--${boundary}`;
  const next = Buffer.from(`\r\n${first}`);
  const parts: FormPart[] = [];
  let start = body.indexOf(first);
  start = start === -1 ? -1 : start + first.length;
  while (start !== -1 && body.toString("latin1", start, start + 2) === "\r\n") {
    const end = body.indexOf(next, start);
    if (end === -1) {
      break;
    }
    const part = parsePart(body.subarray(start + 2, end));
    if (part !== undefined) {
      parts.push(part);
    }
    start = end + next.length;
  }
  return parts;
}
