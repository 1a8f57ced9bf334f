import type { Answer } from "../http/answer.ts";
import type { Channel } from "./channel.ts";

const ESCAPES: Record<string, string> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
};

const escaped = (text: string): string => text.replaceAll(/[&<>"]/g, (one) => ESCAPES[one] ?? one);

function page(status: number, content: string): Answer {
  const html = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>Simulated 360dialog</title>
<h1>Simulated 360dialog</h1>
${content}
</html>
`;
  const headers = { "content-type": "text/html; charset=utf-8" };
  return { status, headers, body: Buffer.from(html) };
}

export const errorPage = (status: number, text: string): Answer =>
  page(status, `<p>${escaped(text)}</p>`);

/** Asks which channels the partner may make keys for; without channels it signs a client up. */
export function permissionsPage(input: {
  path: string;
  query: URLSearchParams;
  channels: readonly Channel[];
}): Answer {
  const { path, query, channels } = input;
  const hidden = [...query].map(
    ([name, value]) => `<input type="hidden" name="${escaped(name)}" value="${escaped(value)}">`,
  );
  const boxes = channels.map(
    ({ id, phoneNumber }) =>
      `<p><label><input type="checkbox" name="channel" value="${escaped(id)}" checked> ${escaped(phoneNumber.displayPhoneNumber)}</label></p>`,
  );
  return page(
    200,
    `<p>May the partner make API keys for these numbers?</p>
<form action="${escaped(path)}/consent">
${[...hidden, ...boxes].join("\n")}
<button>Share</button>
</form>`,
  );
}
